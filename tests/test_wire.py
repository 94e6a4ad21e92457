"""Replies and errors one by one, where a fake says more clearly than HTTP what boto hands over."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    SSOTokenLoadError,
    StubResponseError,
)
from fake_io import (
    REQUEST_ID,
    SERVER_START,
    Answer,
    ScriptedBoto,
    arn,
    created,
    refused,
    unreadable,
)
from support.clients import boto_client
from support.clock import FakeClock
from support.loopback import Loopback, created as created_over_http

from kvs_streams import (
    ConfigurationError,
    CreateStreamRequest,
    CreateStreamResponse,
    RequestValidationError,
    ServerError,
    ServiceError,
    StreamArn,
    StreamInfo,
    StreamsClient,
    StreamStatus,
    ThrottleRetry,
    TransportError,
    UnexpectedResponseError,
)
from kvs_streams._wire import (
    describe_call,
    list_call,
    metadata,
    read_tags,
    server_time,
    storage_call,
    tags_call,
)

REQUEST = CreateStreamRequest(stream_name="cam")
URL = "https://kinesisvideo.example"


class Bare:
    """A boto client of one method, without anything that boto would add."""

    def __init__(self, answer: Callable[[], Any], attempts: object = 1) -> None:
        self.answer = answer
        retries = {"total_max_attempts": attempts}
        self.meta = SimpleNamespace(config=SimpleNamespace(retries=retries))

    def create_stream(self, **_: object) -> Any:
        return self.answer()

    describe_stream = create_stream


def failing(error: Exception) -> Callable[[], Any]:
    """Return what raises an error as boto would."""

    def answer() -> Any:
        raise error

    return answer


def create(answer: Callable[[], Any], attempts: object = 1) -> CreateStreamResponse:
    """Create through a fake, with one attempt of ours."""
    client: Any = Bare(answer, attempts)
    return StreamsClient(client, throttle_retry=ThrottleRetry(max_attempts=1)).create_stream(
        REQUEST
    )


def describe(reply: object, stream: str = "cam") -> StreamInfo:
    """Describe what a fake replies."""
    client: Any = Bare(lambda: reply)
    return StreamsClient(client).describe_stream(stream)


def lost(error: Exception, attempts: object = 1) -> TransportError:
    """Return what becomes of a failure on the way."""
    with pytest.raises(TransportError) as caught:
        create(failing(error), attempts)
    assert caught.value.__cause__ is error
    assert caught.value.operation_name == "CreateStream"
    assert caught.value.stream_name == "cam"
    return caught.value


class WordyError(BotoCoreError):
    """An error of boto's that says what it is told."""

    fmt = "{text}"


@pytest.mark.parametrize("length, kept", [(400, "x" * 400), (401, f"{'x' * 399}…")])
def test_long_reason_is_cut(length: int, kept: str) -> None:
    """Of what boto says, which may hold a whole page, 400 characters are kept."""
    error = lost(WordyError(text="x" * length))
    assert str(error).endswith(f" (it may have reached AWS): {kept}")


# Replies to a create.


def test_full_reply() -> None:
    """Everything that boto tells of an exchange is kept."""
    boto = ScriptedBoto(FakeClock())
    boto.on("create_stream", created().but(retries=2))
    assert StreamsClient(boto).create_stream(REQUEST) == CreateStreamResponse(
        stream_arn=StreamArn(arn()), request_id=REQUEST_ID, http_status_code=200, retry_attempts=2
    )


@pytest.mark.parametrize(
    "rest", [{}, {"ResponseMetadata": None}, {"ResponseMetadata": {}}, {"ResponseMetadata": 1}]
)
def test_bare_reply(rest: dict[str, Any]) -> None:
    """A fake's reply without metadata will do: what it does not say is not made up."""
    assert create(lambda: {"StreamARN": arn()} | rest) == CreateStreamResponse(
        stream_arn=StreamArn(arn())
    )


def test_arn_of_a_kind_nobody_knows() -> None:
    """The ARN of a stream that was created is never lost, however it looks."""
    assert create(lambda: {"StreamARN": "who knows"}).stream_arn == "who knows"


@pytest.mark.parametrize(
    "reply",
    [None, "text", [], {}, {"StreamARN": None}, {"StreamARN": ""}, {"StreamARN": 7}],
    ids=repr,
)
def test_useless_reply(reply: object) -> None:
    """A success without an ARN is told as such, with all that is known."""
    with pytest.raises(UnexpectedResponseError) as caught:
        create(lambda: reply)
    text = "the response to CreateStream for stream 'cam' has no StreamARN"
    assert str(caught.value) == text
    assert caught.value.operation_name == "CreateStream"
    assert caught.value.stream_name == "cam"
    assert caught.value.request_id is None


def test_useless_reply_with_an_id() -> None:
    """The id of the request is what AWS Support asks for."""
    boto = ScriptedBoto(FakeClock())
    boto.on("create_stream", Answer())
    with pytest.raises(UnexpectedResponseError) as caught:
        StreamsClient(boto).create_stream(REQUEST)
    assert caught.value.request_id == REQUEST_ID


# Replies to a describe.

MUST = {"StreamName": "cam", "StreamARN": arn(), "Status": "ACTIVE"}


def test_full_description() -> None:
    """Every member of the description, by Python's names."""
    members = {
        "DeviceName": "axis",
        "MediaType": "video/h264",
        "KmsKeyId": "alias/aws/kinesisvideo",
        "Version": "v1",
        "CreationTime": SERVER_START,
        "DataRetentionInHours": 24,
    }
    assert describe({"StreamInfo": MUST | members | {"Newer": "member"}}) == StreamInfo(
        stream_name="cam",
        stream_arn=StreamArn(arn()),
        status=StreamStatus.ACTIVE,
        device_name="axis",
        media_type="video/h264",
        kms_key_id="alias/aws/kinesisvideo",
        version="v1",
        creation_time=SERVER_START,
        data_retention_in_hours=24,
    )


@pytest.mark.parametrize("value", [None, "", [], 1.5], ids=repr)
def test_members_that_say_nothing(value: object) -> None:
    """Null, empty or of another type: what is not needed is not there."""
    names = ["DeviceName", "MediaType", "KmsKeyId", "Version"]
    names += ["CreationTime", "DataRetentionInHours"]
    bare = StreamInfo(stream_name="cam", stream_arn=StreamArn(arn()), status=StreamStatus.ACTIVE)
    assert describe({"StreamInfo": MUST | dict.fromkeys(names, value)}) == bare
    assert describe({"StreamInfo": MUST}) == bare


@pytest.mark.parametrize("name", MUST)
@pytest.mark.parametrize("value", [None, "", 7], ids=repr)
@pytest.mark.parametrize("stream", ["cam", arn()], ids=["by name", "by ARN"])
def test_members_that_must_be_there(name: str, value: object, stream: str) -> None:
    """Without name, ARN or status a description is none, and the error names what is missing."""
    with pytest.raises(UnexpectedResponseError) as caught:
        describe(
            {"StreamInfo": MUST | {name: value}, "ResponseMetadata": {"RequestId": "id"}}, stream
        )
    assert str(caught.value) == f"the response to DescribeStream for stream 'cam' has no {name}"
    assert (caught.value.operation_name, caught.value.request_id) == ("DescribeStream", "id")


def test_status_of_any_length() -> None:
    """What a service may call a status ends in a log: it is cut."""
    assert describe({"StreamInfo": MUST | {"Status": "S" * 500}}).status == "S" * 79 + "…"


@pytest.mark.parametrize("reply", [None, {}, {"StreamInfo": None}, {"StreamInfo": "x"}], ids=repr)
def test_no_description(reply: object) -> None:
    """Nothing at all is no description either."""
    with pytest.raises(UnexpectedResponseError, match="has no StreamName"):
        describe(reply)


def test_retention_of_nothing() -> None:
    """Zero is a retention, and not the lack of one."""
    assert describe({"StreamInfo": MUST | {"DataRetentionInHours": 0}}).data_retention_in_hours == 0


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this process live in another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    "zone, expected",
    [
        (None, datetime(2041, 5, 6, 7, tzinfo=timezone.utc)),
        (timezone.utc, datetime(2041, 5, 6, 7, tzinfo=timezone.utc)),
        (timezone(timedelta(hours=2)), datetime(2041, 5, 6, 5, tzinfo=timezone.utc)),
    ],
)
@pytest.mark.usefixtures("elsewhere")
def test_times_are_utc(zone: tzinfo | None, expected: datetime) -> None:
    """A time of any zone becomes UTC, and one of no zone is UTC, wherever this machine is."""
    born = datetime(2041, 5, 6, 7, tzinfo=zone)
    found = describe({"StreamInfo": MUST | {"CreationTime": born}}).creation_time
    assert found == expected
    assert found is not None
    assert found.tzinfo is timezone.utc


# The date header.


@pytest.mark.parametrize(
    "date, expected",
    [
        ("Mon, 06 May 2041 07:08:09 GMT", datetime(2041, 5, 6, 7, 8, 9, tzinfo=timezone.utc)),
        ("Mon, 06 May 2041 07:08:09 +0200", datetime(2041, 5, 6, 5, 8, 9, tzinfo=timezone.utc)),
        ("Mon, 06 May 2041 07:08:09 -0000", datetime(2041, 5, 6, 7, 8, 9, tzinfo=timezone.utc)),
        ("Mon, 99 May 2041 07:08:09 GMT", None),
        ("Sat, 01 Jan 99999999999999999 00:00:00 +0000", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
        ("2041-05-06", None),
        ("tomorrow", None),
        ("", None),
        (" ", None),
        (7, None),
        (None, None),
    ],
)
def test_date_header(date: object, expected: datetime | None) -> None:
    """The server's time in UTC, and none where the header cannot be read."""
    assert server_time({"ResponseMetadata": {"HTTPHeaders": {"date": date}}}) == expected


@pytest.mark.parametrize("reply", [None, {}, {"ResponseMetadata": {"HTTPHeaders": None}}])
def test_no_date_header(reply: object) -> None:
    """A fake's reply has no headers."""
    assert server_time(reply) is None
    assert not metadata(reply) or reply


# Tags.


@pytest.mark.parametrize(
    "reply, page, token",
    [
        ({"Tags": {"a": "b"}, "NextToken": "next"}, {"a": "b"}, "next"),
        ({"Tags": {"a": "b"}, "NextToken": ""}, {"a": "b"}, None),
        ({"Tags": {"a": "b"}, "NextToken": None}, {"a": "b"}, None),
        ({"Tags": {"a": None}}, {"a": ""}, None),
        ({"Tags": {"a": 5}}, {"a": "5"}, None),
        ({"Tags": None}, {}, None),
        ({}, {}, None),
        (None, {}, None),
    ],
)
def test_pages_of_tags(reply: object, page: object, token: str | None) -> None:
    """A page may have no tags, and an empty token leads nowhere."""
    assert read_tags(reply) == (page, token)


# Calls.


def test_calls_by_name_and_arn() -> None:
    """A name and an ARN are different parameters; the errors know the name of both."""
    assert describe_call("cam").kwargs == {"StreamName": "cam"}
    call = describe_call(arn())
    assert (call.kwargs, call.stream_name) == ({"StreamARN": arn()}, "cam")
    assert storage_call(arn()).kwargs == {"StreamARN": arn()}


def test_calls_have_two_names() -> None:
    """A method of boto3 and the operation that errors name are the same."""
    for call in describe_call("cam"), storage_call("cam"), tags_call("cam", None), list_call(None):
        assert xform_name(call.operation_name) == call.method


def test_calls_send_plain_text() -> None:
    """A ``StreamArn`` goes out as the plain text that it is."""
    (sent,) = describe_call(StreamArn(arn())).kwargs.values()
    assert type(sent) is str


def test_arn_of_a_channel() -> None:
    """Whether the ARN of something else will do is the service's to say."""
    channel = arn().replace("stream/", "channel/")
    call = describe_call(channel)
    assert (call.kwargs, call.stream_name) == ({"StreamARN": channel}, channel)


@pytest.mark.parametrize("stream", ["", "a b", "x" * 257, "a:b", None, 7])
def test_calls_for_nothing(stream: Any) -> None:
    """What names no stream never leaves the process."""
    with pytest.raises(RequestValidationError):
        describe({}, stream)


# What AWS answers.


@pytest.mark.parametrize("status, error", [(499, ServiceError), (500, ServerError)])
def test_unknown_codes_by_status(status: int, error: type[ServiceError]) -> None:
    """An unknown code is the server's fault from 500 on."""
    boto = ScriptedBoto(FakeClock())
    boto.on("create_stream", refused("Mystery", status))
    with pytest.raises(ServiceError) as caught:
        StreamsClient(boto).create_stream(REQUEST)
    assert type(caught.value) is error
    assert caught.value.http_status_code == status
    assert caught.value.operation_name == "CreateStream"


@pytest.mark.parametrize(
    "response",
    [
        {},
        {"Error": {}},
        {"Error": {"Code": None}, "ResponseMetadata": {"HTTPStatusCode": "500"}},
        {"Error": {"Code": ""}, "ResponseMetadata": {}},
    ],
)
def test_errors_that_say_nothing(response: dict[str, Any]) -> None:
    """A fake's empty error is a ServiceError of no known kind."""
    error = ClientError(response, "CreateStream")
    with pytest.raises(ServiceError) as caught:
        create(failing(error))
    assert type(caught.value) is ServiceError
    assert caught.value.__cause__ is error
    assert caught.value.retry_attempts == 0


def test_known_code_beats_the_status() -> None:
    """The code decides, whatever the status is."""
    boto = ScriptedBoto(FakeClock())
    boto.on("describe_stream", refused("ResourceNotFoundException", 503))
    with pytest.raises(ServiceError) as caught:
        StreamsClient(boto).describe_stream("cam")
    assert type(caught.value).__name__ == "ResourceNotFoundException"


# What gets lost on the way.


UNSENT = [EndpointConnectionError, ConnectTimeoutError]


def wrapped(way: type[BotoCoreError], reason: object = None) -> BotoCoreError:
    """Return botocore's error for what the HTTP library met."""
    return way(endpoint_url=URL, proxy_url=URL, error=reason)


@pytest.mark.parametrize("way", [*UNSENT, ProxyConnectionError, SSLError])
def test_connections_that_never_were(way: type[BotoCoreError]) -> None:
    """Only what did not resolve, was refused or timed out while connecting was not sent."""
    error = lost(wrapped(way, OSError("no luck")))
    assert error.outcome_unknown is (way not in UNSENT)
    said = "it may have reached AWS" if error.outcome_unknown else "it was not sent"
    assert str(error).startswith(f"no usable response to CreateStream for stream 'cam' ({said}): ")
    assert URL in str(error)


class ClientConnectionError(Exception):
    """aiohttp's error for a connection that fails, at any time."""


class ClientConnectorError(ClientConnectionError):
    """aiohttp's error for a connection that is never made."""


@pytest.mark.parametrize(
    "reason, unknown", [(ClientConnectionError(), True), (ClientConnectorError(), False)]
)
def test_connections_of_aiohttp(reason: Exception, unknown: bool) -> None:
    """Aiobotocore raises the same class for a connection that is lost while sending."""
    assert lost(wrapped(EndpointConnectionError, reason)).outcome_unknown is unknown


@pytest.mark.parametrize("attempts", [2, 5, None, "1", 0])
def test_only_the_last_attempt_shows(attempts: object) -> None:
    """With more attempts than one, or nobody knows how many, an earlier one may have arrived."""
    error = wrapped(EndpointConnectionError)
    assert lost(error, attempts).outcome_unknown is True


@pytest.mark.parametrize(
    "meta", [None, SimpleNamespace(), SimpleNamespace(config=None)], ids=["none", "bare", "null"]
)
def test_clients_that_tell_nothing(meta: object) -> None:
    """A fake that does not say how often it tries is not sure to try once."""
    error = wrapped(EndpointConnectionError)
    client: Any = Bare(failing(error))
    client.meta = meta
    with pytest.raises(TransportError) as caught:
        StreamsClient(client).create_stream(REQUEST)
    assert caught.value.outcome_unknown is True


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url=URL),
        ConnectionClosedError(endpoint_url=URL),
        BotoCoreError(),
        unreadable(),
    ],
    ids=repr,
)
def test_what_may_have_arrived(error: Exception) -> None:
    """After the connection botocore does not tell what arrived, an unreadable response included."""
    assert lost(error).outcome_unknown is True
    readable = isinstance(error, BotoCoreError)
    assert ("the response is unreadable" in str(lost(error))) is not readable


@pytest.mark.parametrize(
    "error",
    [
        AttributeError("a fake"),
        KeyError("a fake"),
        TypeError("a fake"),
        ValueError("a fake"),
        RuntimeError("a fake"),
        RecursionError("a fake"),
        AssertionError("a fake"),
    ],
    ids=repr,
)
def test_what_a_fake_raises_passes_through(error: Exception) -> None:
    """A bug in a fake does not look like a lost response: its error is raised as it is."""
    with pytest.raises(type(error)) as caught:
        create(failing(error))
    assert caught.value is error
    assert caught.value.__cause__ is None


def test_error_that_was_never_raised() -> None:
    """A mock raises its error without a frame of its own; it passes through too."""
    client = Mock(spec=["create_stream"])
    client.create_stream.side_effect = LookupError("a mock")
    with pytest.raises(LookupError, match="a mock"):
        StreamsClient(client).create_stream(REQUEST)


def handler(**_: Any) -> None:
    """Fail as a user's event handler may."""
    json.loads("not JSON")


@pytest.mark.parametrize("event", ["before-call", "before-send", "after-call"])
@pytest.mark.parametrize(
    "broken", [handler, Mock(side_effect=ValueError("a mock"))], ids=["own", "mock"]
)
def test_what_an_event_handler_raises_passes_through(
    server: Loopback, event: str, broken: Callable[..., None]
) -> None:
    """An event handler runs inside botocore, and its bugs are not botocore's."""
    server.on_create(*[created_over_http("cam")] * (event == "after-call"))
    with closing(boto_client(server.url)) as raw:
        raw.meta.events.register(f"{event}.kinesis-video.CreateStream", broken)
        with pytest.raises(ValueError, match=r"a mock|Expecting value"):
            StreamsClient(raw).create_stream(REQUEST)


# What is wrong before anything is sent, and what is none of our business.


@pytest.mark.parametrize(
    "error, hint",
    [
        (NoRegionError(), "AWS_DEFAULT_REGION"),
        (NoCredentialsError(), "AWS_ACCESS_KEY_ID"),
        # By its parent, SSOError.
        (SSOTokenLoadError(error_msg="expired"), "aws sso login"),
    ],
)
def test_how_to_set_it(error: Exception, hint: str) -> None:
    """What the client lacks is told with the way to set it."""
    with pytest.raises(ConfigurationError, match=hint) as caught:
        create(failing(error))
    assert caught.value.__cause__ is error
    assert str(error) in str(caught.value)


def test_stubs_are_left_alone() -> None:
    """What a test's own stub complains of is for that test to read."""
    error = StubResponseError(operation_name="CreateStream", reason="unused")
    with pytest.raises(StubResponseError) as caught:
        create(failing(error))
    assert caught.value is error


# Causes.


def test_no_cause_with_a_secret() -> None:
    """Where boto's text holds a secret there is no cause, rather than a forged one."""
    secret = "AKIAIOSFODNN7EXAMPLE"
    response = {"Error": {"Code": "InvalidArgumentException", "Message": f"key {secret}"}}
    error = ClientError(response, "CreateStream")
    with pytest.raises(ServiceError) as caught:
        create(failing(error))
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert caught.value.message == "key ***"
    assert secret in str(error), "the original is boto's, and stays as it is"


def test_no_cause_with_a_secret_of_a_lost_call() -> None:
    """The same for an error without a response."""
    error = EndpointConnectionError(endpoint_url="http://me:hunter2@proxy.example", error=None)
    with pytest.raises(TransportError) as caught:
        create(failing(error))
    assert caught.value.__cause__ is None
    assert "hunter2" not in str(caught.value)
    assert "***@proxy.example" in str(caught.value)
