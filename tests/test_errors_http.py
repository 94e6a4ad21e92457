"""Every failure over real HTTP on loopback, in the wire format that the service uses."""

import copy
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.exceptions import BotoCoreError, ClientError
from support.clients import AIOBOTOCORE, ASYNC_BOTO3, SYNC, Connect, Driver, bare_session, driving
from support.loopback import (
    REQUEST_ID,
    Loopback,
    Reply,
    conflict,
    created,
    cut,
    denied,
    described,
    drop,
    error,
    garbage,
    hang,
    html,
    noise,
    not_found,
    ok,
    refused_url,
    reset,
    self_signed,
    server_error,
    serving,
    throttle,
    unknown_host_url,
)

import kvs_streams
from kvs_streams import (
    ClientLimitExceededException,
    ConfigurationError,
    CreateStreamRequest,
    KvsStreamsError,
    ResourceInUseException,
    ServerError,
    ServiceError,
    ThrottleRetry,
    ThrottlingError,
    TransportError,
    UnexpectedResponseError,
)

REQUEST = CreateStreamRequest(stream_name="front.door-1")
ONCE = ThrottleRetry(max_attempts=1)

DOCUMENTED = {
    "AccountStreamLimitExceededException": "LimitExceededError",
    "ClientLimitExceededException": "ThrottlingError",
    "DeviceStreamLimitExceededException": "LimitExceededError",
    "InvalidArgumentException": "InvalidRequestError",
    "InvalidDeviceException": "InvalidRequestError",
    "ResourceInUseException": "ServiceError",
    "TagsPerResourceExceededLimitException": "InvalidRequestError",
}

# Code, HTTP status, and the class that it becomes.
AWS_WIDE = [
    ("ResourceNotFoundException", 404, "ResourceNotFoundException"),
    ("ValidationException", 400, "InvalidRequestError"),
    ("SerializationException", 400, "InvalidRequestError"),
    ("AccessDeniedException", 403, "AccessDeniedError"),
    ("AccessDeniedException", 401, "AccessDeniedError"),
    ("NotAuthorizedException", 401, "AccessDeniedError"),
    ("UnrecognizedClientException", 403, "AuthenticationError"),
    ("InvalidSignatureException", 403, "AuthenticationError"),
    ("ExpiredTokenException", 403, "AuthenticationError"),
    ("MissingAuthenticationTokenException", 403, "AuthenticationError"),
    ("IncompleteSignatureException", 400, "AuthenticationError"),
    ("InvalidClientTokenId", 403, "AuthenticationError"),
    ("ThrottlingException", 400, "ThrottlingError"),
    ("TooManyRequestsException", 429, "ThrottlingError"),
    ("RequestLimitExceeded", 503, "ThrottlingError"),
    ("InternalFailure", 500, "ServerError"),
    ("ServiceUnavailable", 503, "ServerError"),
    ("NeverHeardOfException", 500, "ServerError"),
    ("NeverHeardOfException", 400, "ServiceError"),
    ("NeverHeardOfException", 403, "ServiceError"),
]


def round_trips(caught: KvsStreamsError) -> None:
    """Check that an error pickles and copies with its class, text and every attribute."""
    for twin in (
        pickle.loads(pickle.dumps(caught)),
        copy.copy(caught),
        copy.deepcopy(caught),
    ):
        assert type(twin) is type(caught)
        assert str(twin) == str(caught)
        assert twin.args == caught.args
        assert vars(twin) == vars(caught)


def check_service_error(
    caught: ServiceError,
    code: str,
    *,
    status: int,
    message: str,
    attempts: int = 0,
    request_id: str | None = REQUEST_ID,
) -> None:
    """Check everything that an error of the service's tells."""
    assert isinstance(caught, ClientError)
    assert isinstance(caught, KvsStreamsError)
    assert caught.operation_name == "CreateStream"
    assert caught.code == code
    assert caught.message == message
    assert caught.request_id == request_id
    assert caught.http_status_code == status
    assert caught.retry_attempts == attempts
    assert caught.stream_name == "front.door-1"
    assert caught.response["Error"]["Code"] == code
    assert caught.response["Error"]["Message"] == message
    assert caught.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert str(caught).startswith(
        f"An error occurred ({code}) when calling the CreateStream operation: {message}"
    )
    assert "'front.door-1'" in str(caught)
    assert type(caught.__cause__) is not type(caught)
    assert isinstance(caught.__cause__, ClientError)
    assert caught.__cause__.__cause__ is None
    round_trips(caught)


@pytest.mark.parametrize("message_key", ["Message", "message"])
@pytest.mark.parametrize(
    "suffix",
    ["", ":http://internal.amazon.com/coral/com.amazonaws.kinesisvideo/", ":https://x.example/"],
    ids=["bare", "coral", "https"],
)
@pytest.mark.parametrize("code,parent", DOCUMENTED.items())
def test_documented_exceptions(
    connect: Connect, server: Loopback, code: str, parent: str, suffix: str, message_key: Any
) -> None:
    """Each of the seven documented exceptions arrives as itself, with all that the reply said."""
    server.on_create(error(code, "AWS's own words.", message_key=message_key, header_suffix=suffix))
    driver = connect(throttle_retry=ONCE)
    with pytest.raises(ClientError) as caught:
        driver.create_stream(REQUEST)
    assert type(caught.value) is getattr(kvs_streams, code)
    assert type(caught.value).__base__ is getattr(kvs_streams, parent)
    check_service_error(caught.value, code, status=400, message="AWS's own words.")
    assert caught.value.retryable is (code == "ClientLimitExceededException")


@pytest.mark.parametrize("code,status,name", AWS_WIDE)
def test_other_error_codes(
    driver: Driver, server: Loopback, code: str, status: int, name: str
) -> None:
    """Codes that all of AWS shares become their class by code; an unknown one keeps its data."""
    server.on_create(error(code, "AWS's own words.", status, message_key="message"))
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert type(caught.value) is getattr(kvs_streams, name)
    check_service_error(caught.value, code, status=status, message="AWS's own words.")
    assert caught.value.retryable is (name in {"ThrottlingError", "ServerError"})


@pytest.mark.parametrize(
    "status,name",
    [
        (403, "ServiceError"),
        (404, "ServiceError"),
        (413, "ServiceError"),
        (500, "ServerError"),
        (502, "ServerError"),
        (503, "ServerError"),
        (504, "ServerError"),
    ],
)
def test_no_error_code(driver: Driver, server: Loopback, status: int, name: str) -> None:
    """HTML from something in the middle: the status is the code, and 5xx is the server's fault."""
    server.on_create(html(status))
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert type(caught.value) is getattr(kvs_streams, name)
    assert caught.value.code == str(status)
    assert caught.value.http_status_code == status
    assert caught.value.request_id is None
    round_trips(caught.value)


def test_denied_text_names_the_action(driver: Driver, server: Loopback) -> None:
    """A denial keeps AWS's sentence, which names the action that is missing."""
    server.on_create(denied())
    with pytest.raises(kvs_streams.AccessDeniedError, match=r"kinesisvideo:CreateStream") as caught:
        driver.create_stream(REQUEST)
    assert caught.value.http_status_code == 403


def test_error_without_message(driver: Driver, server: Loopback) -> None:
    """An error without a message says so instead of ending in nothing."""
    server.on_create(error("InvalidArgumentException", None))
    with pytest.raises(kvs_streams.InvalidArgumentException, match=r": no message \[") as caught:
        driver.create_stream(REQUEST)
    assert caught.value.message == ""


def test_describe_says_what_it_was_about(driver: Driver, server: Loopback) -> None:
    """An error of another operation carries that operation's name, and the stream's."""
    server.on_describe(not_found())
    with pytest.raises(kvs_streams.ResourceNotFoundException) as caught:
        driver.describe_stream("cam")
    assert caught.value.operation_name == "DescribeStream"
    assert caught.value.stream_name == "cam"
    assert caught.value.http_status_code == 404
    assert "calling the DescribeStream operation" in str(caught.value)


# What arrives, and whether the library can be certain that nothing did.


def check_transport_error(
    caught: TransportError,
    *,
    outcome_unknown: bool,
    operation: str = "CreateStream",
    caused: bool = True,
) -> None:
    """Check everything that a failure on the way tells."""
    assert type(caught) is TransportError
    assert isinstance(caught, BotoCoreError)
    assert not isinstance(caught, ClientError)
    assert caught.operation_name == operation
    assert caught.stream_name == "front.door-1"
    assert caught.outcome_unknown is outcome_unknown
    assert operation in str(caught)
    assert "front.door-1" in str(caught)
    # The cause is what botocore raised, and the caller need not dig for it.
    assert isinstance(caught.__cause__, BotoCoreError) is caused
    round_trips(caught)


ON_THE_WAY: dict[str, Callable[[], Reply]] = {
    "dropped": drop,
    "reset": reset,
    "no HTTP": noise,
}


@pytest.mark.parametrize("mode", ["standard", "legacy"])
@pytest.mark.parametrize("attempts", [1, 2])
@pytest.mark.parametrize("reply", ON_THE_WAY.values(), ids=list(ON_THE_WAY))
def test_connection_lost_after_the_request(
    connect: Connect, server: Loopback, reply: Callable[[], Reply], attempts: int, mode: str
) -> None:
    """A connection lost after the request: it may have arrived, whatever botocore calls it."""
    server.answer_with(lambda _: reply())
    driver = connect(attempts=attempts, mode=mode)
    with pytest.raises(BotoCoreError) as caught:
        driver.create_stream(REQUEST)
    # aiohttp's error about the noise holds the signed request, and goes with its credentials.
    caused = not (driver.kind == AIOBOTOCORE and reply is noise)
    check_transport_error(caught.value, outcome_unknown=True, caused=caused)


@pytest.mark.parametrize("attempts", [1, 2])
def test_read_timeout(connect: Connect, server: Loopback, attempts: int) -> None:
    """No reply within the client's patience: the request may have done its work."""
    server.answer_with(lambda _: hang())
    driver = connect(attempts=attempts, read_timeout=0.05)
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=True)


NOT_SENT = [
    pytest.param(lambda _: {"url": refused_url()}, id="refused"),
    pytest.param(lambda _: {"url": unknown_host_url()}, id="unknown host"),
]
THROUGH_A_PROXY = [
    pytest.param(lambda _: {"proxies": {"http": refused_url()}}, id="dead proxy"),
    pytest.param(
        lambda server: {
            "url": "https://kinesisvideo.invalid",
            "proxies": {"https": server.url},
        },
        id="proxy refuses the tunnel",
        marks=pytest.mark.skipif(
            urllib3.__version__.startswith("1."),
            reason="urllib3 1 leaves the socket of a refused tunnel open",
        ),
    ),
]


@pytest.mark.parametrize("options", NOT_SENT)
def test_nothing_sent(
    connect: Connect, server: Loopback, options: Callable[[Loopback], dict[str, Any]]
) -> None:
    """One attempt that failed before sending: nothing reached AWS, and the error says so."""
    driver = connect(**options(server))
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=False)
    assert server.requests == []


@pytest.mark.parametrize("options", THROUGH_A_PROXY)
def test_proxy_that_fails(
    connect: Connect, server: Loopback, options: Callable[[Loopback], dict[str, Any]]
) -> None:
    """Botocore does not tell whether a proxy took the request before it failed: the safe side."""
    driver = connect(**options(server))
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=True)
    assert server.requests == []


@pytest.mark.parametrize("attempts", [2, None], ids=["two", "default"])
@pytest.mark.parametrize("mode", ["standard", "legacy"])
@pytest.mark.parametrize("options", NOT_SENT)
def test_nothing_sent_at_last(
    connect: Connect,
    server: Loopback,
    options: Callable[[Loopback], dict[str, Any]],
    attempts: int | None,
    mode: str,
) -> None:
    """With several attempts botocore shows only the last, and an earlier one may have arrived."""
    driver = connect(attempts=attempts, mode=mode, **options(server))
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=True)


def test_attempts_from_the_environment(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of attempts counts as botocore resolved it, wherever it was set."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    driver = connect(refused_url(), attempts=None)
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=False)


def test_proxy_takes_the_request_and_drops_it(connect: Connect, server: Loopback) -> None:
    """A proxy that took the request may have passed it on."""
    server.on_create(drop())
    driver = connect("http://kinesisvideo.invalid", proxies={"http": server.url})
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=True)


def test_proxy_takes_the_request_and_resets(connect: Connect, server: Loopback) -> None:
    """The same where the proxy resets the connection."""
    server.on_create(reset())
    driver = connect("http://kinesisvideo.invalid", proxies={"http": server.url})
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=True)


def test_tls_to_a_stranger(connect: Connect, instant_retries: None, tmp_path: Path) -> None:
    """A certificate that nobody vouches for: TLS failed, and botocore does not tell when."""
    context, _ = self_signed(tmp_path)
    with serving(context) as stranger:
        driver = connect(stranger.url)
        with pytest.raises(TransportError, match=r"(?i)certificate") as caught:
            driver.create_stream(REQUEST)
    check_transport_error(caught.value, outcome_unknown=True)
    assert stranger.requests == []


@pytest.mark.parametrize("reply", ON_THE_WAY.values(), ids=list(ON_THE_WAY))
def test_tls_fails_after_the_request(
    connect: Connect, tmp_path: Path, reply: Callable[[], Reply]
) -> None:
    """TLS that breaks after the request is no proof that nothing arrived: it did."""
    context, trust = self_signed(tmp_path)
    with serving(context) as secure:
        secure.on_create(reply())
        driver = connect(secure.url, verify=str(trust))
        with pytest.raises(TransportError) as caught:
            driver.create_stream(REQUEST)
        assert secure.calls == ["CreateStream"]
    check_transport_error(caught.value, outcome_unknown=True)


def test_describe_fails_on_the_way(driver: Driver, server: Loopback) -> None:
    """A describe that fails on the way is told as a describe."""
    server.on_describe(drop())
    with pytest.raises(TransportError) as caught:
        driver.describe_stream("front.door-1")
    check_transport_error(caught.value, outcome_unknown=True, operation="DescribeStream")


# What botocore's own retries leave in the error.


@pytest.mark.parametrize("mode", ["standard", "legacy"])
@pytest.mark.parametrize(
    "lost", [server_error, drop, reset, lambda: html(503)], ids=["500", "dropped", "reset", "html"]
)
def test_conflict_after_a_lost_reply(
    connect: Connect, server: Loopback, lost: Callable[[], Reply], mode: str
) -> None:
    """A conflict that botocore met on a retry may be with the caller's own first attempt."""
    server.on_create(lost(), conflict())
    driver = connect(attempts=3, mode=mode)
    with pytest.raises(ResourceInUseException, match=r"may have created it") as caught:
        driver.create_stream(REQUEST)
    assert caught.value.possibly_own is True
    assert caught.value.retry_attempts == 1
    round_trips(caught.value)


def test_conflict_after_a_read_timeout(connect: Connect, server: Loopback) -> None:
    """The same where the first reply never came."""
    server.answer_with(lambda _: hang() if len(server.requests) == 1 else conflict())
    # On a busy machine the second response can be late as well.
    driver = connect(attempts=10, read_timeout=1)
    with pytest.raises(ResourceInUseException) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.possibly_own is True


@pytest.mark.parametrize("mode", ["standard", "legacy"])
def test_conflict_at_once(connect: Connect, server: Loopback, mode: str) -> None:
    """A conflict on the only request sent is with somebody else's stream, for certain."""
    server.on_create(conflict())
    driver = connect(attempts=5, mode=mode)
    with pytest.raises(ResourceInUseException) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.possibly_own is False
    assert caught.value.retry_attempts == 0
    assert "may have created it" not in str(caught.value)


def test_conflict_after_the_services_throttle(connect: Connect, server: Loopback) -> None:
    """A throttled request created nothing: a conflict after it is not possibly the caller's own."""
    server.on_create(throttle(), throttle(), conflict())
    driver = connect(attempts=5)
    with pytest.raises(ResourceInUseException) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.possibly_own is False
    assert caught.value.retry_attempts == 2
    assert len(driver.clock.sleeps) == 2


@pytest.mark.parametrize("mode", ["standard", "legacy"])
def test_conflict_after_a_lost_reply_and_a_throttle(
    connect: Connect, server: Loopback, mode: str
) -> None:
    """The lost reply counts even if it was an earlier attempt of ours that met it."""
    server.on_create(server_error(), throttle(), conflict())
    driver = connect(attempts=3, mode=mode)
    with pytest.raises(ResourceInUseException) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.possibly_own is True
    assert caught.value.retry_attempts == 2


def test_conflict_after_a_generic_throttle(connect: Connect, server: Loopback) -> None:
    """A throttle that botocore retried counts too: what it met is not shown."""
    server.on_create(error("ThrottlingException"), conflict())
    driver = connect(attempts=3)
    with pytest.raises(ResourceInUseException) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.possibly_own is True


@pytest.mark.parametrize("mode,sent", [("legacy", 5), ("standard", 3)])
def test_botocores_own_attempts(connect: Connect, server: Loopback, mode: str, sent: int) -> None:
    """What botocore retries is left to botocore, and its count is told."""
    server.on_create(*[error("ThrottlingException") for _ in range(sent)])
    driver = connect(attempts=None, mode=mode)
    with pytest.raises(ThrottlingError) as caught:
        driver.create_stream(REQUEST)
    assert type(caught.value) is ThrottlingError
    assert caught.value.retry_attempts == sent - 1
    assert len(server.requests) == sent
    assert driver.clock.sleeps == []


@pytest.mark.parametrize("mode,sent", [("legacy", 5), ("standard", 3)])
def test_server_errors_are_botocores_business(
    connect: Connect, server: Loopback, mode: str, sent: int
) -> None:
    """The same for 5xx, which the library itself never retries."""
    server.on_create(*[server_error() for _ in range(sent)])
    driver = connect(attempts=None, mode=mode)
    with pytest.raises(ServerError) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.retry_attempts == sent - 1
    assert driver.clock.sleeps == []


@pytest.mark.parametrize("mode", ["standard", "legacy"])
def test_counts_add_up(connect: Connect, server: Loopback, mode: str) -> None:
    """Botocore's retries and ours are one count: every request sent, less one."""
    server.on_create(
        server_error(), throttle(), throttle(), server_error(), server_error(), created("cam")
    )
    driver = connect(attempts=3, mode=mode)
    response = driver.create_stream(REQUEST)
    assert response.retry_attempts == 5
    assert len(driver.clock.sleeps) == 2


def test_throttle_to_the_end(driver: Driver, server: Loopback) -> None:
    """Five throttles are enough; the error counts them all and the cause is the last of them."""
    server.on_create(*[throttle() for _ in range(5)])
    with pytest.raises(ClientLimitExceededException) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.retry_attempts == 4
    assert isinstance(caught.value.__cause__, ClientError)
    assert not isinstance(caught.value.__cause__, KvsStreamsError)


# Successes that are none.


def check_unexpected(caught: UnexpectedResponseError, operation: str = "CreateStream") -> None:
    """Check everything that a useless success tells."""
    assert caught.request_id == REQUEST_ID
    assert caught.operation_name == operation
    assert caught.stream_name == "front.door-1"
    assert operation in str(caught)
    round_trips(caught)


EMPTY_SUCCESSES: dict[str, Reply] = {
    "no ARN": ok(),
    "null": ok({"StreamARN": None}),
    "empty text": ok({"StreamARN": ""}),
    "a number": ok({"StreamARN": 5}),
    "a list": ok({"StreamARN": ["arn:aws:kinesisvideo:eu-west-1:1:stream/cam/1"]}),
    "empty body": garbage(b""),
    "HTML": garbage(b"<html>welcome to this hotel's network</html>"),
    "cut JSON": garbage(b'{"StreamARN": "arn:aws:kinesisvideo:eu-we'),
}


@pytest.mark.parametrize("reply", EMPTY_SUCCESSES.values(), ids=list(EMPTY_SUCCESSES))
def test_success_without_arn(driver: Driver, server: Loopback, reply: Reply) -> None:
    """A success without the ARN is an error of its own: nothing is invented."""
    server.on_create(reply)
    with pytest.raises(UnexpectedResponseError) as caught:
        driver.create_stream(REQUEST)
    check_unexpected(caught.value)


UNREADABLE: dict[str, Reply] = {
    "JSON list": garbage(b'[{"StreamARN": "arn"}]'),
    "JSON null": garbage(b"null"),
    "not UTF-8": garbage(b'{"StreamARN": "\xff"}'),
}


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=list(UNREADABLE))
def test_success_that_botocore_cannot_read(driver: Driver, server: Loopback, reply: Reply) -> None:
    """A success that botocore's parser trips over is no usable answer; the stream may exist."""
    server.on_create(reply)
    with pytest.raises(TransportError, match=r"unreadable") as caught:
        driver.create_stream(REQUEST)
    assert caught.value.outcome_unknown is True
    assert isinstance(caught.value.__cause__, AttributeError | TypeError | UnicodeDecodeError)
    round_trips(caught.value)


def test_body_cut_on_the_way(driver: Driver, server: Loopback) -> None:
    """A body that ends too early is a failure on the way, or a success without its ARN."""
    server.on_create(cut(garbage(b'{"StreamARN": "arn:aws:kinesisvideo')))
    # Newer versions of botocore do not compare the body with its announced length; others do.
    with pytest.raises((TransportError, UnexpectedResponseError)):
        driver.create_stream(REQUEST)


@pytest.mark.parametrize("member", ["StreamName", "StreamARN", "Status"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_describe_without_what_it_must_have(
    driver: Driver, server: Loopback, member: str, value: object
) -> None:
    """A description without name, ARN or status is none."""
    server.on_describe(described("front.door-1", **{member: value}))
    with pytest.raises(UnexpectedResponseError, match=member) as caught:
        driver.describe_stream("front.door-1")
    check_unexpected(caught.value, "DescribeStream")


@pytest.mark.parametrize("body", [{}, {"StreamInfo": None}, {"StreamInfo": {}}])
def test_describe_of_nothing(driver: Driver, server: Loopback, body: object) -> None:
    """A description without a stream is none either."""
    server.on_describe(ok(body))
    with pytest.raises(UnexpectedResponseError) as caught:
        driver.describe_stream("front.door-1")
    check_unexpected(caught.value, "DescribeStream")


def test_no_credentials(kind: str, connect: Connect, server: Loopback) -> None:
    """No credentials show at the first call: a ConfigurationError that says how to set them."""
    driver = connect(session=bare_session(kind))
    with pytest.raises(ConfigurationError, match=r"(?i)credentials") as caught:
        driver.create_stream(REQUEST)
    assert isinstance(caught.value, BotoCoreError)
    assert isinstance(caught.value.__cause__, BotoCoreError)
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)
    assert server.requests == []
    round_trips(caught.value)


# The same through moto, where moto can.


@pytest.fixture
def moto_driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """A client of this kind over moto's backend, in this process."""
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        # Of a session made now: one older than moto's import would go to the real endpoint.
        session = pytest.importorskip("boto3").Session(region_name="eu-west-1")
        with driving(request.param, session=session) as driver:
            yield driver


IN_PROCESS = pytest.mark.parametrize("moto_driver", [SYNC, ASYNC_BOTO3], indirect=True)


@IN_PROCESS
def test_moto_duplicate(moto_driver: Driver) -> None:
    """Moto refuses a name that is taken."""
    response = moto_driver.create_stream(REQUEST)
    assert response.stream_arn.stream_name == "front.door-1"
    with pytest.raises(ResourceInUseException) as caught:
        moto_driver.create_stream(REQUEST)
    assert caught.value.possibly_own is False
    assert isinstance(caught.value.__cause__, ClientError)
    round_trips(caught.value)


@IN_PROCESS
def test_moto_not_found(moto_driver: Driver) -> None:
    """Moto knows no stream that was not created."""
    with pytest.raises(kvs_streams.ResourceNotFoundException) as caught:
        moto_driver.describe_stream("front.door-1")
    assert caught.value.http_status_code == 404
    round_trips(caught.value)


@IN_PROCESS
def test_moto_without_an_operation(moto_driver: Driver) -> None:
    """What moto does not offer answers 404 without a code: a plain ServiceError to raw boto3."""
    with pytest.raises(ClientError) as caught:
        moto_driver.client.boto_client.list_tags_for_stream(StreamName="front.door-1")
    assert caught.value.response["Error"]["Code"] == "404"


@IN_PROCESS
@pytest.mark.parametrize("code", DOCUMENTED)
def test_moto_documented_exceptions(
    moto_driver: Driver, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each documented exception, raised by moto's own backend."""
    from moto.kinesisvideo.exceptions import KinesisvideoClientError
    from moto.kinesisvideo.models import KinesisVideoBackend

    def fail(*_: object, **__: object) -> None:
        raise KinesisvideoClientError(code, "told by moto")

    monkeypatch.setattr(KinesisVideoBackend, "create_stream", fail)
    with pytest.raises(ServiceError, match=r"told by moto") as caught:
        moto_driver.create_stream(REQUEST)
    assert type(caught.value) is getattr(kvs_streams, code)
    round_trips(caught.value)
