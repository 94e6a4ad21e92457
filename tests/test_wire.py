"""Calls and replies: what a fake or a later service may reply, and what becomes of it."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

import attrs
import pytest
from botocore import xform_name
from support.runner import Runner
from support.service import (
    CREATE,
    DESCRIBE,
    OPERATIONS,
    REQUEST_ID,
    SERVER_START,
    Answer,
    Scripted,
    arn,
    described,
)

from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    StreamArn,
    StreamInfo,
    StreamStatus,
    UnexpectedResponseError,
)
from kvs_streams._wire import (
    create_call,
    describe_call,
    list_call,
    read_page,
    server_time,
    storage_call,
    tags_call,
)

CAM = CreateStreamRequest(stream_name="cam")


class Bare(Scripted):
    """Gives replies as they are, without the metadata that boto adds."""

    def __init__(self, boto: Scripted, *replies: object) -> None:
        super().__init__(boto.clock)
        self.replies = list(replies)

    def call(self, method: str, kwargs: dict[str, Any]) -> Any:
        self.calls.append((method, 0.0, kwargs))
        return self.replies.pop(0)


# Replies to a create.


@pytest.mark.parametrize("rest", [{}, {"ResponseMetadata": None}])
def test_create_without_metadata(run: Runner, boto: Scripted, rest: dict[str, Any]) -> None:
    """A fake's reply without metadata will do, and the ARN is never lost, however it looks."""
    response = run.over(Bare(boto, {"StreamARN": "who knows"} | rest))(CREATE, CAM)
    assert response == CreateStreamResponse(stream_arn=StreamArn("who knows"))
    assert (response.request_id, response.http_status_code) == (None, None)


@pytest.mark.parametrize("reply", [None, {}, {"StreamARN": None}, {"StreamARN": ""}], ids=repr)
def test_create_without_an_arn(run: Runner, boto: Scripted, reply: object) -> None:
    """A success without an ARN is an error that names what is missing."""
    with pytest.raises(UnexpectedResponseError, match="for stream 'cam' has no StreamARN") as e:
        run.over(Bare(boto, reply))(CREATE, CAM)
    assert (e.value.operation_name, e.value.stream_name) == ("CreateStream", "cam")
    assert e.value.request_id is None


# Replies to a describe.

MUST = {"StreamName": "cam", "StreamARN": arn(), "Status": "ACTIVE"}
MEMBERS = {
    "DeviceName": "axis",
    "MediaType": "video/h264",
    "KmsKeyId": "alias/aws/kinesisvideo",
    "Version": "v1",
    "CreationTime": SERVER_START,
    "DataRetentionInHours": 0,
}
BARE = StreamInfo(stream_name="cam", stream_arn=StreamArn(arn()), status=StreamStatus.ACTIVE)


def test_full_description(run: Runner, boto: Scripted) -> None:
    """Every member of the description is there by Python's name; unknown ones are no obstacle."""
    boto.on(DESCRIBE, described("FROZEN", **MEMBERS, Newer="member"))
    assert run(DESCRIBE, "cam") == attrs.evolve(
        BARE,
        status=StreamStatus("FROZEN"),
        device_name="axis",
        media_type="video/h264",
        kms_key_id="alias/aws/kinesisvideo",
        version="v1",
        creation_time=SERVER_START,
        data_retention_in_hours=0,
    )


@pytest.mark.parametrize("members", [{}, dict.fromkeys(MEMBERS)], ids=["missing", "null"])
def test_members_that_may_be_missing(run: Runner, boto: Scripted, members: Any) -> None:
    """A member that is missing or null is ``None``."""
    assert run.over(Bare(boto, {"StreamInfo": MUST | members}))(DESCRIBE, "cam") == BARE


@pytest.mark.parametrize("name", MUST)
@pytest.mark.parametrize("change", ["missing", None, ""])
@pytest.mark.parametrize("stream", ["cam", arn()], ids=["by name", "by ARN"])
def test_members_that_must_be_there(
    run: Runner, boto: Scripted, name: str, change: str | None, stream: str
) -> None:
    """Without name, ARN or status the error names what is missing."""
    info = {key: value for key, value in MUST.items() if key != name}
    boto.on(
        DESCRIBE, Answer({"StreamInfo": info if change == "missing" else {**info, name: change}})
    )
    with pytest.raises(UnexpectedResponseError, match=f"'cam' has no {name}") as caught:
        run(DESCRIBE, stream)
    assert caught.value.operation_name == "DescribeStream"
    assert caught.value.request_id == REQUEST_ID
    assert caught.value.stream_name == "cam"


@pytest.fixture(params=["UTC", "Asia/Tokyo"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this process be in another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    "zone, hour", [(None, 7), (timezone.utc, 7), (timezone(timedelta(hours=2)), 5)]
)
@pytest.mark.usefixtures("elsewhere")
def test_times_are_utc(run: Runner, boto: Scripted, zone: tzinfo | None, hour: int) -> None:
    """A time of any zone becomes UTC, and one without a zone is UTC, wherever this machine is."""
    boto.on(DESCRIBE, described(CreationTime=datetime(2041, 5, 6, 7, tzinfo=zone)))
    shown = run(DESCRIBE, "cam").creation_time
    assert shown == datetime(2041, 5, 6, hour, tzinfo=timezone.utc)
    assert shown.tzinfo is timezone.utc


# The exchange behind a reply.


@pytest.mark.parametrize(
    "date, expected",
    [
        ("Mon, 06 May 2041 07:08:09 GMT", datetime(2041, 5, 6, 7, 8, 9, tzinfo=timezone.utc)),
        ("Mon, 06 May 2041 07:08:09 +0200", datetime(2041, 5, 6, 5, 8, 9, tzinfo=timezone.utc)),
        ("Mon, 06 May 2041 07:08:09 -0000", datetime(2041, 5, 6, 7, 8, 9, tzinfo=timezone.utc)),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
        ("tomorrow", None),
        (None, None),
    ],
)
def test_date_header(date: object, expected: datetime | None) -> None:
    """The server's time in UTC, and none where the header cannot be read."""
    assert server_time({"ResponseMetadata": {"HTTPHeaders": {"date": date}}}) == expected


# A list.


def test_pages_of_streams() -> None:
    """A page has streams, and a token if there is another one."""
    reply = {"StreamInfoList": [MUST, MUST | {"StreamName": "two"}], "NextToken": "2"}
    assert read_page(reply) == (["cam", "two"], "2")
    for empty in (None, {}, {"StreamInfoList": None, "NextToken": None}, {"StreamInfoList": []}):
        assert read_page(empty) == ([], None)


# Calls.


def test_calls() -> None:
    """A call has boto3's method and AWS's operation, which are two forms of one name."""
    calls = [
        create_call(CAM),
        describe_call("cam"),
        tags_call("cam", None),
        storage_call("cam"),
        list_call(None),
    ]
    assert [call.method for call in calls] == [*OPERATIONS]
    assert [xform_name(call.operation_name) for call in calls] == [*OPERATIONS]
    assert [call.stream_name for call in calls] == ["cam"] * 4 + [""]
    assert [dict(call.kwargs) for call in calls[:4]] == [{"StreamName": "cam"}] * 4
    # What compares a stream is read after the deadline too.
    assert [call.is_decisive for call in calls] == [False, False, True, True, False]


def test_pages() -> None:
    """The token of a page asks for the next one; a page is as long as the service allows."""
    assert tags_call("cam", "2").kwargs == {"StreamName": "cam", "NextToken": "2"}
    assert list_call(None).kwargs == {"MaxResults": 10_000}
    assert list_call("2").kwargs == {"MaxResults": 10_000, "NextToken": "2"}


def test_streams_by_arn(run: Runner, boto: Scripted) -> None:
    """An ARN is sent as an ARN, in plain text; whether that of a channel will do AWS decides."""
    boto.on(DESCRIBE, *[described()] * 2)
    channel = arn().replace(":stream/", ":channel/")
    run(DESCRIBE, StreamArn(arn()))
    run(DESCRIBE, channel)
    assert boto.sent(DESCRIBE) == [{"StreamARN": arn()}, {"StreamARN": channel}]
    assert type(boto.sent(DESCRIBE)[0]["StreamARN"]) is str
    assert describe_call(channel).stream_name == channel
