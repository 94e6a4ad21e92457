"""No secret and no control character in anything that the library says, logs or pickles."""

import json
import logging
import os
import pickle
import shlex
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, HTTPHeaders
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
)
from secret_forms import FORMS, INNOCENTS, PLACES
from support.clients import (
    ACCESS_KEY,
    SECRET_KEY,
    SESSION_TOKEN,
    Connect,
    Driver,
)
from support.loopback import (
    Loopback,
    conflict,
    created,
    described,
    drop,
    error,
    garbage,
    html,
    not_found,
    ok,
    refused_url,
    server_error,
    throttle,
    unknown_host_url,
)

import kvs_streams
from kvs_streams import (
    ConfigurationError,
    CreateStreamRequest,
    KvsStreamsError,
    RequestValidationError,
    ServiceError,
    StreamsClient,
    StreamStorageConfiguration,
    ThrottleRetry,
    TransportError,
)

REQUEST = CreateStreamRequest(stream_name="cam", media_type="video/h264")
SIGNATURE = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
PASSWORD = "hunter2-in-a-url"
SECRETS = [ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, SIGNATURE, PASSWORD]

# What a terminal, a log viewer or a log parser takes for more than a character.
CONTROLS = {
    "newline": "\n",
    "CRLF": "\r\n",
    "ANSI escape": "\x1b[2J\x1b[31m",
    "NUL": "\x00",
    "bell": "\x07",
    "delete": "\x7f",
    "C1 control": "\x9b31m",
    "bidi override": "\u202e",
    "bidi isolate": "\u2066",
    "zero width": "\u200b",
    "byte order mark": "\ufeff",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "next line": "\x85",
    "tag character": "\U000e0041",
}
HOSTILE = pytest.mark.parametrize("text", CONTROLS.values(), ids=list(CONTROLS))

CANONICAL = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.\n\n"
    "The Canonical String for this request should have been\n'POST\n/createStream\n\n"
    "host:kinesisvideo.eu-west-1.amazonaws.com\nx-amz-date:20410506T070809Z\n"
    f"x-amz-security-token:{SESSION_TOKEN}\n\nhost;x-amz-date;x-amz-security-token\n"
    "3b1a7f0c5ee2a8d8f2f9b0e4'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n"
    "20410506T070809Z\n20410506/eu-west-1/kinesisvideo/aws4_request\n8f2f9b0e43b1a7f0c5ee2a8d'\n"
)
AUTHORIZATION = (
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    f"Authorization=AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20410506/eu-west-1/kinesisvideo/"
    f"aws4_request, SignedHeaders=host;x-amz-security-token, Signature={SIGNATURE}"
)
QUOTED = json.dumps(
    {
        "x-amz-security-token": SESSION_TOKEN,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/2041, Signature={SIGNATURE}",
    }
)
REPR = repr(
    {
        "X-Amz-Security-Token": SESSION_TOKEN,
        "aws_secret_access_key": SECRET_KEY,
        "signature": SIGNATURE,
    }
)
QUERY = (
    f"https://user:{PASSWORD}@proxy.example/?X-Amz-Credential={ACCESS_KEY}%2F2041"
    f"&X-Amz-Signature={SIGNATURE}&X-Amz-Security-Token={SESSION_TOKEN}"
)
LEAKS = {
    "canonical string": CANONICAL,
    "authorization header": AUTHORIZATION,
    "headers in JSON": QUOTED,
    "headers as a repr": REPR,
    "a URL": QUERY,
    "a key id": f"The key {ACCESS_KEY} is not valid",
}


def texts(thing: object) -> Iterator[str]:
    """Every text in a value, as deep as it goes."""
    if isinstance(thing, str):
        yield thing
    elif isinstance(thing, bytes):
        yield thing.decode("latin-1")
    elif isinstance(thing, Mapping | HTTPHeaders):
        for key, value in thing.items():
            yield from texts(key)
            yield from texts(value)
    elif isinstance(thing, AWSPreparedRequest):
        yield from texts(vars(thing))
    elif isinstance(thing, list | tuple | set | frozenset):
        for item in thing:
            yield from texts(item)


def said_by(error: BaseException) -> list[str]:
    """Every text that an error shows anywhere, its causes and its traceback included."""
    found = [str(error), repr(error), *texts(error.args), *texts(vars(error))]
    if isinstance(error, KvsStreamsError):
        twin = pickle.loads(pickle.dumps(error))
        found += [str(twin), repr(twin), *texts(vars(twin))]
    for other in reachable(error):
        found += [str(other), repr(other), *texts(other.args), *texts(vars(other))]
    return found


def reachable(error: BaseException) -> list[BaseException]:
    """Every exception that an error leads to: causes, contexts, and what those hold."""
    found: list[BaseException] = []
    pending: list[object] = [error]
    while pending:
        each = pending.pop()
        if isinstance(each, BaseException) and not any(each is other for other in found):
            found.append(each)
            pending += [each.__cause__, each.__context__, *each.args, *vars(each).values()]
            pending += dict(vars(each).get("kwargs") or {}).values()
    return found[1:]


def pickled(error: BaseException) -> bytes:
    """The bytes of a pickle, in which texts are plain to read."""
    return pickle.dumps(error) if isinstance(error, KvsStreamsError) else b""


def check_silence(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Check that neither an error nor the log gives a secret away, nor a control character."""
    logged = [record.getMessage() for record in caplog.records if record.name == "kvs_streams"]
    logged += [repr(record.args) for record in caplog.records if record.name == "kvs_streams"]
    own = [str(error), repr(error), *texts(vars(error)), *logged]
    for text in own:
        assert text.isprintable(), repr(text)
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for secret in SECRETS:
        leaks = [text for text in [*said_by(error), *logged, stack] if secret in text]
        assert not leaks, f"{secret} is in {leaks[0]}"
        assert secret.encode() not in pickled(error)


@pytest.fixture(autouse=True)
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Log all that the library has to say."""
    with caplog.at_level(logging.DEBUG, logger="kvs_streams"):
        yield


@pytest.mark.parametrize("message", LEAKS.values(), ids=list(LEAKS))
@pytest.mark.parametrize("code", ["InvalidSignatureException", "NeverHeardOfException"])
def test_the_service_repeats_a_secret(
    driver: Driver, server: Loopback, code: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    """AWS repeats parts of a request that it could not authenticate; the library does not."""
    server.on_create(error(code, message, 403))
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    check_silence(caught.value, caplog)
    assert caught.value.code == code


def test_redaction_leaves_the_sentence(driver: Driver, server: Loopback) -> None:
    """What is not secret stays readable, and the tail end of a redacted text too."""
    server.on_create(error("InvalidSignatureException", CANONICAL, 403))
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.message.startswith("The request signature we calculated does not match")
    assert "x-amz-date:20410506T070809Z" in caught.value.message
    assert "The String-to-Sign should have been" in caught.value.message


@pytest.mark.parametrize(
    "message",
    [
        "Signature expired: 20410506T070809Z is now earlier than 20410506T070810Z",
        "The security token included in the request is expired",
        "The security token included in the request is invalid.",
        "Credential should be scoped to a valid region.",
        "User: arn:aws:sts::123456789012:assumed-role/cam/i-0 is not authorized to perform: x",
        "Limit exceeded on number of requests for CreateStream API",
    ],
)
def test_sentences_without_secrets_are_whole(
    driver: Driver, server: Loopback, message: str
) -> None:
    """What AWS usually says holds no secret, and arrives word for word."""
    server.on_create(error("InvalidSignatureException", message, 403))
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.message == message


@HOSTILE
def test_control_characters_in_a_message(
    driver: Driver, server: Loopback, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A message with control characters is shown on one line, with each of them escaped."""
    server.on_create(error("InvalidArgumentException", f"before{text}after"))
    with pytest.raises(kvs_streams.InvalidArgumentException, match=r"before.+after") as caught:
        driver.create_stream(REQUEST)
    check_silence(caught.value, caplog)


@HOSTILE
def test_control_characters_in_a_throttle(
    driver: Driver, server: Loopback, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The same in what is retried, and so logged."""
    server.on_create(error("ClientLimitExceededException", text), created("cam"))
    driver.create_stream(REQUEST)
    records = [record for record in caplog.records if record.name == "kvs_streams"]
    assert records
    for record in records:
        assert record.getMessage().isprintable()


def test_long_message_is_cut(driver: Driver, server: Loopback) -> None:
    """A page of HTML does not flood the log; the attribute keeps it all."""
    server.on_create(error("InvalidArgumentException", "x" * 100_000))
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert len(str(caught.value)) < 1000
    assert len(caught.value.message) == 100_000


class Answering:
    """A client whose reply can hold what no header on the wire can."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply

    def create_stream(self, **_: object) -> Any:
        if "Error" in self.reply:
            raise ClientError(self.reply, "CreateStream")
        return self.reply

    describe_stream = list_tags_for_stream = describe_stream_storage_configuration = create_stream


class Failing:
    """A client whose calls fail in a given way."""

    def __init__(self, error: BotoCoreError) -> None:
        self.error = error

    def create_stream(self, **_: object) -> Any:
        raise self.error

    describe_stream = list_tags_for_stream = describe_stream_storage_configuration = create_stream


def failure(client: Any) -> KvsStreamsError:
    """The error of a create with this boto client."""
    ours = StreamsClient(client, throttle_retry=ThrottleRetry(max_attempts=1))
    with pytest.raises(KvsStreamsError) as caught:
        ours.create_stream(REQUEST)
    return caught.value


def check_hidden(error: KvsStreamsError, secrets: tuple[str, ...]) -> None:
    """Check that no secret is in an error, its causes, its pickle or its traceback."""
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for secret in secrets:
        leaks = [text for text in [*said_by(error), stack] if secret in text]
        assert not leaks, f"{secret} is in {leaks[0]}"
        assert secret.encode() not in pickle.dumps(error)


form = pytest.mark.parametrize("text,secrets", FORMS.values(), ids=list(FORMS))


@form
def test_forms_in_a_reply(text: str, secrets: tuple[str, ...]) -> None:
    """A secret of any form in what AWS answers is nowhere in the error."""
    for reply in (
        {"Error": {"Code": "InvalidSignatureException", "Message": text}},
        {"Error": {"Code": text, "Message": text}, "ResponseMetadata": {"RequestId": text}},
        {"Error": {"Code": "Odd", "Message": json.dumps(text)}},
        {"Error": {"Code": "Odd"}, "Reasons": [{"Reason": json.dumps(json.dumps(text))}]},
        {"Error": {"Code": "Odd"}, "ResponseMetadata": {"HTTPHeaders": {"x-reason": text}}},
    ):
        error = failure(Answering(reply))
        assert isinstance(error, ServiceError)
        check_hidden(error, secrets)


@form
def test_forms_in_a_transport_error(text: str, secrets: tuple[str, ...]) -> None:
    """The same for what is told of a connection."""
    behind = EndpointConnectionError(endpoint_url="https://kvs.example", error=OSError(text))
    odd = EndpointConnectionError(endpoint_url="https://kvs.example", reason={"why": [text]})
    chained = EndpointConnectionError(endpoint_url="https://kvs.example")
    chained.__context__ = OSError("no luck")
    chained.__context__.__cause__ = ValueError(text)
    for cause in (
        HTTPClientError(error=text),
        HTTPClientError(error=ValueError(text)),
        EndpointConnectionError(endpoint_url=text),
        behind,
        odd,
        chained,
    ):
        error = failure(Failing(cause))
        assert isinstance(error, TransportError)
        check_hidden(error, secrets)


@pytest.mark.parametrize("behind, is_kept", [(49, True), (50, False)])
def test_causes_are_followed_to_a_known_depth(behind: int, is_kept: bool) -> None:
    """A chain that goes on and on, which nobody could check to its end, is no cause."""
    cause = EndpointConnectionError(endpoint_url="https://kvs.example")
    for _ in range(behind):
        outer = EndpointConnectionError(endpoint_url="https://kvs.example")
        outer.__cause__ = cause
        cause = outer
    assert (failure(Failing(cause)).__cause__ is cause) is is_kept


class SilentError(EndpointConnectionError):
    """An error that shows none of its arguments."""

    def __str__(self) -> str:
        return "no luck"


class TellingError(SilentError):
    """An error whose text says more than its arguments."""

    def __str__(self) -> str:
        return f"SessionToken={SECRET_KEY}"


def test_every_text_behind_an_error_counts() -> None:
    """An error is no cause if its own text, or that of any error in its arguments, is a secret."""
    telling, several = (
        kind(endpoint_url="https://kvs.example") for kind in (TellingError, SilentError)
    )
    several.args = (ValueError(f"SessionToken={SECRET_KEY}"), ValueError("harmless"))
    for cause in telling, several:
        assert failure(Failing(cause)).__cause__ is None


@form
def test_forms_in_a_configuration_error(text: str, secrets: tuple[str, ...]) -> None:
    """The same for what a credential process prints when it fails."""
    for provider in ("custom-process", "sso"):
        cause = CredentialRetrievalError(provider=provider, error_msg=text)
        error = failure(Failing(cause))
        assert isinstance(error, ConfigurationError)
        check_hidden(error, secrets)


@pytest.mark.parametrize("place", PLACES)
def test_names_of_secrets_in_a_reply(place: str) -> None:
    """The value under the name of a secret is hidden in the reply that an error keeps."""
    for value in ("kept-secret", b"kept-secret", ["kept-secret"], ("kept-secret",)):
        reply = {
            "Error": {"Code": "Odd", "Message": "odd", place: value},
            "ResponseMetadata": {"HTTPHeaders": {place: value}},
            "Credentials": [{place: value}, (place, value)],
        }
        error = failure(Answering(reply))
        assert isinstance(error, ServiceError)
        assert error.response["ResponseMetadata"]["HTTPHeaders"] == {place: "***"}
        assert error.response["Error"][place] == "***"
        check_hidden(error, ("kept-secret",))
        assert error.__cause__ is None


@pytest.mark.parametrize("text", INNOCENTS)
def test_innocent_messages_are_whole(text: str) -> None:
    """What only resembles a secret arrives word for word."""
    error = failure(Answering({"Error": {"Code": "Odd", "Message": text}}))
    assert isinstance(error, ServiceError)
    assert error.message == text
    assert text in str(error)


@HOSTILE
@pytest.mark.parametrize(
    "reply",
    [
        {"Error": {"Code": "{}", "Message": "so"}},
        {"Error": {"Code": "ResourceInUseException", "Message": "{}", "{}": ["{}", {"a": "{}"}]}},
        {"Error": {"Code": "Odd"}, "ResponseMetadata": {"RequestId": "{}"}},
        {"Error": {"Code": "Odd"}, "ResponseMetadata": {"HTTPHeaders": {"{}": "{}"}}},
        {"Error": {"Code": "Odd"}, "{}": "{}"},
        {"ResponseMetadata": {"RequestId": "{}"}},
    ],
    ids=["code", "message", "request id", "headers", "members", "success"],
)
def test_control_characters_anywhere_in_a_reply(
    text: str, reply: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """No part of a reply reaches an error with a control character in it."""
    hostile = json.loads(json.dumps(reply).replace("{}", json.dumps(f"a{text}b")[1:-1]))
    client = StreamsClient(Answering(hostile), throttle_retry=ThrottleRetry(max_attempts=1))
    with pytest.raises(KvsStreamsError) as caught:
        client.create_stream(REQUEST)
    check_silence(caught.value, caplog)


@HOSTILE
@pytest.mark.parametrize(
    "field", ["stream_name", "device_name", "media_type", "kms_key_id", "data_retention_in_hours"]
)
def test_control_characters_in_a_request(field: str, text: str) -> None:
    """A bad value is shown escaped, whatever is in it."""
    values: dict[str, Any] = {"stream_name": "cam", field: f"x{text}\ny"}
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest(**values)
    everything = [str(caught.value), repr(caught.value), repr(caught.value.violations)]
    for fault in caught.value.violations:
        everything += [fault.parameter, fault.field, fault.message, fault.value, repr(fault)]
    for part in everything:
        assert part.isprintable(), repr(part)


@HOSTILE
def test_control_characters_in_tags_tiers_and_keys(text: str) -> None:
    """The same for what is nested, and for keys that nobody knows."""
    bad: list[Any] = [
        lambda: CreateStreamRequest(stream_name="cam", tags={f"k!{text}": f"v!{text}"}),
        lambda: CreateStreamRequest(stream_name="cam", tags={"k": f"v!{text}"}),
        lambda: StreamStorageConfiguration(default_storage_tier=f"WARM{text}"),
        lambda: CreateStreamRequest.from_boto({"StreamName": "cam", f"New{text}": 1}),
        lambda: StreamsClient(Answering({})).describe_stream(f"cam{text}"),
        lambda: StreamsClient(Answering({})).describe_stream(f"arn:{text}"),
    ]
    for make in bad:
        with pytest.raises(RequestValidationError) as caught:
            make()
        everything = [str(caught.value), repr(caught.value), *texts(list(caught.value.args))]
        for fault in caught.value.violations:
            everything += [fault.parameter, fault.field, fault.message, fault.value, repr(fault)]
        for part in everything:
            assert part.isprintable(), repr(part)


def test_secrets_in_a_request() -> None:
    """A value that looks like a credential, put into the wrong field, is not repeated."""
    bad = f"https://user:{PASSWORD}@kms.example key {ACCESS_KEY}\n"
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest(stream_name=bad, kms_key_id=bad, tags={bad: bad})
    for part in [*said_by(caught.value), repr(caught.value.violations)]:
        assert PASSWORD not in part
        assert ACCESS_KEY not in part


@pytest.mark.parametrize("url", [refused_url, unknown_host_url], ids=["refused", "unknown host"])
def test_password_in_the_endpoint(
    connect: Connect, url: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A user and password in the endpoint's URL stay out of the error, and of its cause."""
    driver = connect(url().replace("://", f"://camera:{PASSWORD}@"))
    with pytest.raises(KvsStreamsError) as caught:
        driver.create_stream(REQUEST)
    check_silence(caught.value, caplog)


def test_password_in_the_endpoint_of_a_lost_reply(
    connect: Connect, server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """The same where the connection came about and was lost."""
    # aiohttp refuses to send a signed request to such a URL at all.
    server.answer_with(lambda _: drop())
    driver = connect(server.url.replace("://", f"://camera:{PASSWORD}@"))
    with pytest.raises(KvsStreamsError) as caught:
        driver.create_stream(REQUEST)
    check_silence(caught.value, caplog)


def test_password_in_the_proxy(
    connect: Connect, server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """A user and password in the proxy's URL stay out of the error, and of its cause."""
    proxy = refused_url().replace("://", f"://camera:{PASSWORD}@")
    driver = connect(proxies={"http": proxy})
    with pytest.raises(KvsStreamsError) as caught:
        driver.create_stream(REQUEST)
    check_silence(caught.value, caplog)


def test_password_in_a_bad_endpoint(caplog: pytest.LogCaptureFixture) -> None:
    """A URL that botocore refuses is repeated without the password in it."""
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(region_name="eu-west-1", endpoint_url=f"http://u:{PASSWORD}@a b/")
    check_silence(caught.value, caplog)


# A password of a form that a parser cuts into pieces, each of them without a sign around it.
BROKEN_URLS = [
    f"http://camera:{PASSWORD}/x@127.0.0.1:9",
    f"http://camera:{PASSWORD}#x@127.0.0.1:9",
    f"http://camera:{PASSWORD}?x@127.0.0.1:9",
    f"http://camera:{PASSWORD}[x@127.0.0.1:9",
    f"http://camera:{PASSWORD} x@127.0.0.1:9",
    f"http://camera:{PASSWORD}\u2100x@127.0.0.1:9",
    f"http://127.0.0.1:{PASSWORD}@x:y",
    f"camera:{PASSWORD}@127.0.0.1:9",
    f"camera:{PASSWORD}/x@127.0.0.1:9",
    f"http://camera:x@{PASSWORD}@127.0.0.1:9",
]
broken_url = pytest.mark.parametrize("url", BROKEN_URLS)


@broken_url
def test_password_in_a_broken_endpoint(url: str) -> None:
    """A parser's word about a part of an endpoint, which may be the password, is not repeated."""
    with pytest.raises(KvsStreamsError) as caught:
        with_endpoint(url)
    check_hidden(caught.value, (PASSWORD,))
    assert "endpoint" in str(caught.value)
    if isinstance(caught.value, ConfigurationError):
        assert str(caught.value).startswith("the endpoint URL is not valid (check ")
        assert caught.value.__cause__ is None


def with_endpoint(url: str) -> None:
    """Make a client for an endpoint, and a call that is not sent if the endpoint is accepted."""
    session = boto3.Session("a", "b", region_name="eu-west-1")
    with StreamsClient(session=session, endpoint_url=url) as client:
        client.boto_client.meta.events.register("before-send", refuse)
        client.create_stream(REQUEST)


def refuse(request: Any, **_: object) -> None:
    """Let a call fail before it is sent."""
    raise EndpointConnectionError(endpoint_url=request.url)


def test_bad_endpoint_without_a_password_is_shown() -> None:
    """An endpoint without user info is repeated, and botocore's error is the cause."""
    with pytest.raises(ConfigurationError, match="http://gate:north") as caught:
        StreamsClient(region_name="eu-west-1", endpoint_url="http://gate:north")
    assert isinstance(caught.value.__cause__, ValueError)


@broken_url
def test_password_in_a_broken_proxy(connect: Connect, server: Loopback, url: str) -> None:
    """The same for a proxy, about which botocore complains only when it sends."""
    driver = connect(proxies={"http": url})
    with pytest.raises(KvsStreamsError) as caught:
        driver.create_stream(REQUEST)
    check_hidden(caught.value, (PASSWORD,))


@pytest.mark.parametrize("token", [f"{PASSWORD}\n", f"{PASSWORD}\r\nx: y"])
def test_token_that_no_header_can_hold(server: Loopback, token: str) -> None:
    """The same for credentials with a character that HTTP refuses, often a newline at the end."""
    session = boto3.Session("a", "b", token, region_name="eu-west-1")
    with closing(session.client("kinesisvideo", endpoint_url=server.url)) as raw:
        error = failure(raw)
    assert isinstance(error, TransportError)
    check_hidden(error, (PASSWORD,))


def test_signed_request_of_a_lost_reply(driver: Driver, server: Loopback) -> None:
    """The error of boto for a lost call is the cause, without the request and its credentials."""
    server.on_create(drop())
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    assert isinstance(caught.value.__cause__, HTTPClientError)
    check_hidden(caught.value, (SESSION_TOKEN, ACCESS_KEY))


# What a credential process does, as Python, and what of it must not be repeated.
PROCESSES = {
    "fails": f"sys.exit({PASSWORD!r})",
    "fails in bytes": f"sys.stderr.buffer.write({PASSWORD.encode()!r} + bytes([255])); sys.exit(1)",
    "prints no JSON": f"print({PASSWORD!r})",
    "prints bytes": f"sys.stdout.buffer.write({PASSWORD.encode()!r} + bytes([255]))",
    "prints a list": f"print('[\"{PASSWORD}\"]')",
    "prints another version": f'print(\'{{"Version": "{PASSWORD}"}}\')',
    "prints too little": f'print(\'{{"Version": 1, "AccessKeyId": "{PASSWORD}"}}\')',
    "prints no time": 'print(\'{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": '
    f'"b", "Expiration": "{PASSWORD}"}}\')',
}


def with_process(monkeypatch: pytest.MonkeyPatch, folder: Path, command: str) -> KvsStreamsError:
    """The error of a client whose credentials come from a process."""
    config = folder / "config"
    config.write_text(f"[default]\ncredential_process = {command}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(session=boto3.Session(), region_name="eu-west-1")
    assert isinstance(caught.value, ConfigurationError)
    assert "credential_process" in str(caught.value)
    assert "endpoint" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("program", PROCESSES.values(), ids=list(PROCESSES))
def test_broken_credential_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    """What the process prints is not repeated, and the hint says to run it by itself."""
    script = tmp_path / "process.py"
    script.write_text(f"import sys\n{program}\n", encoding="utf-8")
    command = shlex.join([sys.executable, str(script)])
    check_hidden(with_process(monkeypatch, tmp_path, command), (PASSWORD,))


@pytest.mark.parametrize("command", [f"/nowhere/{PASSWORD}", f"'{PASSWORD}"], ids=["none", "quote"])
def test_credential_process_that_cannot_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    """The same if there is no such program, or its command line cannot be read."""
    check_hidden(with_process(monkeypatch, tmp_path, command), (PASSWORD,))


def test_credential_process_that_breaks_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, server: Loopback
) -> None:
    """The same if the first credentials have expired when a call is made."""
    script, config = tmp_path / "process.py", tmp_path / "config"
    good = {"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": "c"}
    good["Expiration"] = "2020-01-01T00:00:00Z"
    script.write_text(f"print({json.dumps(good)!r})", encoding="utf-8")
    command = shlex.join([sys.executable, str(script)])
    config.write_text(f"[default]\ncredential_process = {command}\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = boto3.Session(region_name="eu-west-1")
    with closing(session.client("kinesisvideo", endpoint_url=server.url)) as raw:
        script.write_text(f"print({PASSWORD!r})", encoding="utf-8")
        error = failure(raw)
    assert isinstance(error, ConfigurationError)
    assert "credential_process" in str(error)
    check_hidden(error, (PASSWORD,))


def test_setting_of_the_wrong_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number in the environment that is none is told with a hint at the environment."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "many")
    with pytest.raises(ConfigurationError, match=r"'many' \(.*AWS_\* environment") as caught:
        StreamsClient(session=boto3.Session("a", "b"), region_name="eu-west-1")
    assert "endpoint" not in str(caught.value)


# Names of streams that look like secrets, and are none.

NAMES = ["AKIAIOSFODNN7EXAMPLE", "ASIAPACIFIC2024CAMXX", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW0"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_streams_stay_whole(driver: Driver, server: Loopback, name: str) -> None:
    """The name of a stream is whole in every text and attribute, whatever it looks like."""
    request = CreateStreamRequest(stream_name=name, media_type="video/h264")
    errors: list[Any] = []
    for replies in (
        {"on_create": [conflict()], "on_describe": [described(name)]},
        {"on_create": [drop()], "on_describe": [not_found()] * 9},
        {"on_create": [created(name)], "on_describe": [described(name, "DELETING")]},
        {"on_create": [created(name)], "on_describe": [described(name, "CREATING")] * 9},
        {"on_create": [ok()], "on_describe": [not_found()] * 9},
        {"on_create": [conflict()], "on_describe": [ok()]},
        {"on_create": [html(403)]},
    ):
        for method, scripted in replies.items():
            getattr(server, method)(*scripted)
        with pytest.raises(KvsStreamsError) as caught:
            driver.ensure_stream(request, timeout=12)
        for queue in server._queues.values():
            queue.clear()
        errors.append(caught.value)
    for each in errors:
        assert f"stream '{name}'" in str(each)
        assert getattr(each, "stream_name", name) == name
    assert len({type(each) for each in errors}) > 4


@HOSTILE
def test_control_characters_in_settings(
    text: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings that make no sense are repeated escaped."""
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(region_name=f"eu{text}west")
    check_silence(caught.value, caplog)
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(region_name="eu-west-1", endpoint_url=f"nowhere{text}")
    check_silence(caught.value, caplog)
    if "\0" not in text:
        # As a shell sets it, also in a locale that cannot say it.
        monkeypatch.setenv("AWS_PROFILE", os.fsdecode(f"no{text}profile".encode()))
        with pytest.raises(KvsStreamsError) as caught:
            StreamsClient(region_name="eu-west-1")
        check_silence(caught.value, caplog)


def test_everything_that_goes_well(
    driver: Driver, server: Loopback, caplog: pytest.LogCaptureFixture
) -> None:
    """A whole life with throttles, losses and a wait logs no secret, and something useful."""
    server.on_create(throttle(), server_error())
    server.on_describe(not_found(), server_error(), described("cam", "CREATING"))
    server.on_describe(described("cam", MediaType="video/h264"))
    result = driver.ensure_stream(REQUEST)
    records = [record for record in caplog.records if record.name == "kvs_streams"]
    assert records
    for record in records:
        assert record.levelno == logging.DEBUG
        assert record.getMessage().isprintable()
    for secret in SECRETS:
        assert secret not in repr([record.__dict__ for record in records])
        assert secret not in repr(result)
        assert secret not in repr(driver.client)
        assert secret.encode() not in pickle.dumps(result)


@pytest.mark.parametrize(
    "reply", [conflict(), html(403), html(502), garbage(b"[1]"), ok(), drop()], ids=range(6)
)
def test_other_failures(
    driver: Driver, server: Loopback, reply: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does any other failure say more than it should."""
    server.on_create(reply)
    with pytest.raises(KvsStreamsError) as caught:
        driver.create_stream(REQUEST)
    check_silence(caught.value, caplog)


def test_logger_is_left_to_the_user() -> None:
    """The library sets no level and no handler but the one that does nothing."""
    logger = logging.getLogger("kvs_streams")
    assert [type(handler) for handler in logger.handlers] in ([], [logging.NullHandler])
    assert logger.propagate
