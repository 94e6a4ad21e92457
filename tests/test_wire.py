"""Calls and replies one by one, where a fake says more clearly than HTTP what boto hands over."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from botocore import xform_name
from fake_io import (
    REQUEST_ID,
    SERVER_START,
    Answer,
    ScriptedBoto,
    arn,
    created,
)
from support.clock import FakeClock

from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    RequestValidationError,
    StreamArn,
    StreamInfo,
    StreamsClient,
    StreamStatus,
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


class Bare:
    """A boto client of one method, without anything that boto would add."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    def create_stream(self, **_: object) -> Any:
        return self.answer()

    describe_stream = create_stream


def create(answer: Callable[[], Any]) -> CreateStreamResponse:
    """Create through a fake."""
    client: Any = Bare(answer)
    return StreamsClient(client).create_stream(REQUEST)


def describe(reply: object, stream: str = "cam") -> StreamInfo:
    """Describe what a fake replies."""
    client: Any = Bare(lambda: reply)
    return StreamsClient(client).describe_stream(stream)


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
