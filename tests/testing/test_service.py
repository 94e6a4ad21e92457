"""What the service answers under the kit: operations, rules, errors, and what is scripted."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.session import Session
from botocore.validate import ParamValidator

from kvs_streams import (
    AsyncStreamsClient,
    ClientLimitExceededException,
    CreateStreamRequest,
    EnsureOutcome,
    ResourceInUseException,
    StreamsClient,
    StreamStatus,
)
from kvs_streams.testing import MockKvs, UnusedFaultError, mock_kvs

Send = Callable[..., Mapping[str, Any]]
PUT_MEDIA = {"APIName": "PUT_MEDIA"}
STORAGE = "describe_stream_storage_configuration"
UPDATE_STORAGE = "update_stream_storage_configuration"
HLS, DASH = "get_hls_streaming_session_url", "get_dash_streaming_session_url"
VIDEO, MEDIA = "kinesisvideo", "kinesis-video-archived-media"
FULL = {
    "DeviceName": "device",
    "MediaType": "video/h264",
    "KmsKeyId": "alias/key",
    "DataRetentionInHours": 24,
    "Tags": {"site": "Zürich HQ"},
    "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"},
}
ARN = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/cam/1"
RANGE = {"StartTimestamp": datetime(2026, 1, 1, tzinfo=timezone.utc)}
RANGE["EndTimestamp"] = RANGE["StartTimestamp"] + timedelta(minutes=1)
CLIP = {
    "ClipFragmentSelector": {"FragmentSelectorType": "SERVER_TIMESTAMP", "TimestampRange": RANGE}
}


def error_of(call: Callable[[], object]) -> dict[str, Any]:
    """Return the code, the message and the status of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call()
    response: Any = caught.value.response
    return {**response["Error"], "status": response["ResponseMetadata"]["HTTPStatusCode"]}


def test_every_operation(kvs: MockKvs, send: Send) -> None:
    """Each operation works for one stream, and its reply has the shapes of botocore's model."""
    arn = send(VIDEO, "create_stream", StreamName="cam", **FULL)["StreamARN"]
    by_name, tier = {"StreamName": "cam"}, {"DefaultStorageTier": "HOT"}
    less = {"Operation": "DECREASE_DATA_RETENTION", "DataRetentionChangeInHours": 4}
    calls: list[tuple[str, str, dict[str, Any], str]] = [
        (VIDEO, "describe_stream", by_name, "StreamInfo.Status=ACTIVE"),
        (VIDEO, "describe_stream", {"StreamARN": arn}, "StreamInfo.MediaType=video/h264"),
        (VIDEO, "list_streams", {}, "StreamInfoList.0.StreamName=cam"),
        (VIDEO, "list_tags_for_stream", by_name, "Tags.site=Zürich HQ"),
        (VIDEO, STORAGE, by_name, "StreamStorageConfiguration.DefaultStorageTier=WARM"),
        (VIDEO, "tag_stream", {**by_name, "Tags": {"a": "1"}}, ""),
        (VIDEO, "tag_resource", {"ResourceARN": arn, "Tags": [{"Key": "b", "Value": "2"}]}, ""),
        (VIDEO, "untag_stream", {**by_name, "TagKeyList": ["a"]}, ""),
        (VIDEO, "untag_resource", {"ResourceARN": arn, "TagKeyList": ["site"]}, ""),
        (VIDEO, "list_tags_for_resource", {"ResourceARN": arn}, "Tags.b=2"),
        (VIDEO, "update_stream", {"StreamARN": arn, "MediaType": "audio/aac"}, ""),
        (VIDEO, "update_data_retention", {**by_name, **less}, ""),
        (VIDEO, UPDATE_STORAGE, {**by_name, "StreamStorageConfiguration": tier}, ""),
        (VIDEO, "get_data_endpoint", {**by_name, **PUT_MEDIA}, "DataEndpoint=https://s-"),
        (MEDIA, HLS, by_name, "HLSStreamingSessionURL=https://b-"),
        (MEDIA, DASH, {"StreamARN": arn}, "DASHStreamingSessionURL=https://b-"),
        (MEDIA, "get_clip", {**by_name, **CLIP}, "Payload=b'kvs_streams.testing'"),
        (VIDEO, "delete_stream", {"StreamARN": arn}, ""),
    ]
    session = Session()
    for service, operation, parameters, expected in calls:
        version = kvs.streams["cam"].version
        updates = {"CurrentVersion": version} if operation.startswith("update") else {}
        reply: Any = dict(send(service, operation, **parameters, **updates))
        assert reply.pop("ResponseMetadata")["RetryAttempts"] == 0
        assert not updates or kvs.streams["cam"].version != version
        path, _, value = expected.partition("=")
        found = reply
        for step in filter(None, path.split(".")):
            found = found[int(step) if step.isdecimal() else step]
        assert str(found).startswith(value) or not expected
        model = session.get_service_model(service)
        words = operation.replace("_", "")
        (name,) = [each for each in model.operation_names if each.lower() == words]
        shape = model.operation_model(name).output_shape
        if operation != "get_clip":
            assert not ParamValidator().validate(reply, shape).has_errors()
            assert reply.keys() <= shape.members.keys()
    assert kvs.streams == {}
    assert [call.operation for call in kvs.calls] == ["create_stream", *(c[1] for c in calls)]


def test_record(kvs: MockKvs) -> None:
    """A record shows the whole stream, with what the service fills in."""
    kvs.boto_client(region_name="cn-north-1").create_stream(StreamName="cam")
    record = kvs.streams["cam"]
    arn = "arn:aws-cn:kinesisvideo:cn-north-1:123456789012:stream/cam/"
    assert record.stream_arn.startswith(arn)
    assert record.stream_arn.created_at == record.creation_time
    assert record.kms_key_id == "arn:aws-cn:kms:cn-north-1:123456789012:alias/aws/kinesisvideo"
    assert (record.status, record.data_retention_in_hours) == (StreamStatus.ACTIVE, 0)
    assert (record.tags, record.default_storage_tier, record.device_name) == ({}, "HOT", None)
    kvs.boto_client(region_name="us-gov-west-1").create_stream(StreamName="gov", **FULL)
    gov = kvs.streams["gov"]
    assert gov.stream_arn.aws_partition == "aws-us-gov"
    assert (gov.device_name, gov.media_type) == ("device", "video/h264")
    assert (gov.kms_key_id, gov.default_storage_tier) == ("alias/key", "WARM")
    assert gov.tags == {"site": "Zürich HQ"}


X, CAM, COLD = {"StreamName": "x"}, {"StreamName": "cam"}, {"DefaultStorageTier": "COLD"}
MISMATCH = "VersionMismatchException"
TOO_MANY = "TagsPerResourceExceededLimitException"
INVALID = "InvalidArgumentException"
REFUSED = [
    ("create_stream", {"StreamName": "bad name!"}, INVALID, "pattern"),
    ("create_stream", {"StreamName": "a" * 257}, INVALID, "max 256"),
    ("create_stream", {**X, "MediaType": "é/ü"}, INVALID, "MediaType"),
    ("create_stream", {**X, "DataRetentionInHours": 87_601}, INVALID, "87600"),
    ("create_stream", {**X, "Tags": {}}, "ValidationException", "empty"),
    ("create_stream", {**X, "Tags": {f"{n}": "" for n in range(51)}}, TOO_MANY, "50"),
    ("create_stream", {**X, "Tags": {"aws:x": ""}}, INVALID, "aws:"),
    ("create_stream", {**X, "StreamStorageConfiguration": COLD}, INVALID, "HOT, WARM"),
    ("create_stream", CAM, "ResourceInUseException", "The stream already exists."),
    ("describe_stream", {"StreamName": "bad name!"}, INVALID, "StreamName"),
    ("describe_stream", {"StreamARN": "junk"}, INVALID, "StreamARN"),
    ("describe_stream", {"StreamARN": ARN}, "ResourceNotFoundException", "not found or not active"),
    ("describe_stream", {}, INVALID, "Either StreamName or StreamARN"),
    ("list_streams", {"MaxResults": 10_001}, INVALID, "max 10000"),
    ("list_streams", {"NextToken": "abc"}, INVALID, "NextToken"),
    ("get_data_endpoint", {**CAM, "APIName": "NONSENSE"}, INVALID, "PUT_MEDIA"),
    ("tag_stream", {**CAM, "Tags": {f"{n}": "" for n in range(50)}}, TOO_MANY, ""),
    ("untag_stream", {**CAM, "TagKeyList": ["k"] * 60}, INVALID, "max 50"),
    ("update_stream", {**CAM, "CurrentVersion": "old"}, MISMATCH, "not the latest"),
    ("delete_stream", {"StreamARN": "cam", "CurrentVersion": "1"}, INVALID, "StreamARN"),
    ("create_signaling_channel", {"ChannelName": "c"}, "UnknownOperationException", "Stubber"),
]


@pytest.mark.parametrize("operation,parameters,code,text", REFUSED)
def test_refused(
    kvs: MockKvs, operation: str, parameters: dict[str, Any], code: str, text: str
) -> None:
    """What a published rule forbids is refused; nothing changes."""
    client: Any = kvs.boto_client()
    client.create_stream(StreamName="cam", Tags={"a": "b"})
    before = kvs.streams
    error = error_of(lambda: getattr(client, operation)(**parameters))
    assert error["Code"] == code
    assert text in error["Message"]
    assert kvs.streams == before
    assert kvs.calls[-1].error == code


def test_updates_of_the_stream_as_it_is(kvs: MockKvs) -> None:
    """An update needs the current version, an ACTIVE stream and a retention in range."""
    client = kvs.boto_client()
    arn = client.create_stream(StreamName="cam", DataRetentionInHours=1)["StreamARN"]
    version = kvs.streams["cam"].version
    current = {"StreamName": "cam", "CurrentVersion": version}
    less = {"Operation": "DECREASE_DATA_RETENTION", "DataRetentionChangeInHours": 2}
    assert error_of(lambda: client.update_data_retention(**current, **less))["Code"] == INVALID
    kvs.set_status("cam", "UPDATING", describes=1)
    change = {**current, "DeviceName": "new"}
    assert error_of(lambda: client.update_stream(**change))["Code"] == "ResourceInUseException"
    client.describe_stream(StreamName="cam")
    client.describe_stream(StreamName="cam")
    client.update_stream(**change)
    assert (kvs.streams["cam"].device_name, kvs.streams["cam"].media_type) == ("new", None)
    stale = {"StreamARN": arn, "CurrentVersion": version}
    assert error_of(lambda: client.delete_stream(**stale))["Code"] == "VersionMismatchException"


def test_no_retention_no_playback(kvs: MockKvs) -> None:
    """There is nothing to play of a stream whose data is not kept."""
    kvs.boto_client().create_stream(StreamName="cam")
    media: Any = boto3.client(MEDIA)
    for method, more in (HLS, {}), (DASH, {}), ("get_clip", CLIP):
        error = error_of(partial(getattr(media, method), StreamName="cam", **more))
        assert error["Code"] == "NoDataRetentionException"


def test_without_validation() -> None:
    """``validate=False`` accepts what moto alone accepts, but not what has no meaning."""
    with mock_kvs(validate=False) as kvs:
        kvs.boto_client().create_stream(StreamName="AWS would refuse this", Tags={"aws:": ""})
        assert list(kvs.streams) == ["AWS would refuse this"]


def test_pages(kvs: MockKvs) -> None:
    """A list is by name, in pages of ten or at most a thousand, and by prefix."""
    client = kvs.boto_client()
    names = sorted(f"cam-{number}" for number in range(25))
    for name in reversed(names):
        client.create_stream(StreamName=name)
    pages = list(client.get_paginator("list_streams").paginate())
    assert [len(page["StreamInfoList"]) for page in pages] == [10, 10, 5]
    assert [each["StreamName"] for page in pages for each in page["StreamInfoList"]] == names
    condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "cam-1"}
    found = client.list_streams(MaxResults=10_000, StreamNameCondition=condition)
    assert len(found["StreamInfoList"]) == 11


def test_regions(kvs: MockKvs) -> None:
    """Streams are told apart by region, known to AWS or not."""
    for region in ("us-east-1", "mars-north-1"):
        kvs.boto_client(region_name=region).create_stream(StreamName="cam")
    assert kvs.streams_in("mars-north-1")["cam"].region_name == "mars-north-1"
    with pytest.raises(LookupError, match="exists in us-east-1 and in mars-north-1"):
        _ = kvs.streams
    with pytest.raises(LookupError, match="pass region_name"):
        kvs.release("cam")
    kvs.set_status("cam", "UPDATING", region_name="mars-north-1", describes=1)
    kvs.boto_client(region_name="mars-north-1").describe_stream(StreamName="cam")
    assert kvs.streams_in("us-east-1")["cam"].status == "ACTIVE"
    assert [call.region_name for call in kvs.calls] == ["us-east-1", *["mars-north-1"] * 2]


# Errors


DENIED = "User: arn:aws:iam::123456789012:user/testing is not authorized to perform: kinesisvideo:"
ERRORS = [
    ("AccessDeniedException", 403, DENIED + "DescribeStream on resource: cam"),
    ("ClientLimitExceededException", 400, "Limit exceeded on number of requests for Describe"),
    ("ExpiredTokenException", 403, "The security token included in the request is expired"),
    ("UnrecognizedClientException", 403, "The security token included in the request is invalid."),
    ("InvalidSignatureException", 403, "The request signature we calculated does not match"),
    ("ResourceNotFoundException", 404, "The requested stream is not found or not active."),
    ("NotAuthorizedException", 401, "The caller is not authorized to perform this operation."),
    ("AccountStreamLimitExceededException", 400, "The number of streams created for the account"),
    ("ThrottlingException", 400, "Rate exceeded"),
    ("InternalFailure", 500, "The request processing has failed"),
    ("Unheard{Of}", 400, "Unheard{Of}"),
    ("503", 503, "Service Unavailable"),
]


@pytest.mark.parametrize("code,status,text", ERRORS)
def test_errors(kvs: MockKvs, code: str, status: int, text: str) -> None:
    """Each error has the status and the text that the service sends, after botocore's retries."""
    kvs.fail_next(code, operation="describe_stream")
    error = error_of(lambda: kvs.boto_client().describe_stream(StreamName="cam"))
    assert (error["Code"], error["status"]) == (code, status)
    assert error["Message"].startswith(text)
    assert {call.error for call in kvs.calls} == {code}


def test_error_with_everything(kvs: MockKvs) -> None:
    """A message and a status of one's own win; the throttle of a stream names it."""
    client = kvs.boto_client()
    kvs.fail_next("Odd", message="", status=418, operation="describe_stream", stream_name="cam")
    assert error_of(lambda: client.describe_stream(StreamName="other"))["status"] == 404
    error = error_of(lambda: client.describe_stream(StreamARN=ARN))
    assert (error["Message"], error["status"]) == ("", 418)
    kvs.fail_next("502", message="bad gateway")
    assert error_of(lambda: client.create_stream(StreamName="x"))["Message"] == "bad gateway"
    throttle = "ClientLimitExceededException"
    kvs.fail_next(throttle)
    kvs.fail_next(throttle, operation="describe_stream")
    for call, end in (
        (lambda: client.create_stream(StreamName="x"), "CreateStream API"),
        (lambda: client.describe_stream(StreamName="x"), "API for resource 'x'"),
    ):
        assert error_of(call)["Message"].endswith(end)


@pytest.mark.parametrize("attempts", [1, 2])
def test_attempts(kvs: MockKvs, send: Send, attempts: int) -> None:
    """Retries of botocore belong to their call, and take no time."""
    kvs.fail_next("InternalFailure", operation="list_streams", attempts=attempts)
    reply = send(VIDEO, "list_streams")
    assert reply["ResponseMetadata"]["RetryAttempts"] == attempts
    assert [call.attempt for call in kvs.calls] == list(range(1, attempts + 2))


@pytest.mark.parametrize("attempts", [None, 5])
def test_attempts_that_are_used_up(kvs: MockKvs, send: Send, attempts: int | None) -> None:
    """A fault that lasts for all attempts of a call ends it, and counts as used."""
    kvs.fail_next("InternalFailure", operation="list_streams", attempts=attempts)
    error_of(lambda: send(VIDEO, "list_streams"))
    assert [call.attempt for call in kvs.calls] == list(range(1, len(kvs.calls) + 1))
    assert not kvs.unused


def test_lost_replies(kvs: MockKvs, send: Send) -> None:
    """The service does its work and the reply is lost, or the connection is dropped before."""
    kvs.drop_next(stream_name="dropped")
    with pytest.raises(ConnectionClosedError):
        send(VIDEO, "create_stream", StreamName="dropped")
    assert kvs.calls[-1].error == "ConnectionClosedError"
    kvs.lose_next_reply()
    with pytest.raises(ConnectionClosedError):
        send(VIDEO, "create_stream", StreamName="lost")
    kvs.lose_next_reply("InternalFailure", attempts=1)
    with pytest.raises(ClientError, match="already exists"):
        send(VIDEO, "create_stream", StreamName="retried")
    assert set(kvs.streams) == {"lost", "retried"}
    kvs.lose_next_reply()
    request = CreateStreamRequest(stream_name="cam")
    assert kvs.client().ensure_stream(request).outcome == EnsureOutcome.RECOVERED


# What takes time


def test_holding_and_hiding(kvs: MockKvs) -> None:
    """A new stream is hidden, then CREATING; a deleted one DELETING: for a number of polls."""
    client = kvs.boto_client()

    def polls(number: int) -> list[str]:
        found: list[str] = []
        for each in range(number):
            try:
                if each % 2:
                    (info,) = client.list_streams()["StreamInfoList"] or [{"Status": "none"}]
                else:
                    info = client.describe_stream(StreamName="cam")["StreamInfo"]
            except ClientError:
                info = {"Status": "none"}
            found.append(info["Status"])
        return found

    kvs.hide_new(2)
    kvs.hold_creating(2, stream_name="cam")
    kvs.hold_deleting(2)
    arn = client.create_stream(StreamName="cam")["StreamARN"]
    assert polls(5) == ["none", "none", "CREATING", "CREATING", "ACTIVE"]
    client.delete_stream(StreamARN=arn)
    client.delete_stream(StreamARN=arn)
    assert error_of(lambda: client.create_stream(StreamName="cam"))["Code"].startswith("ResourceIn")
    assert polls(4) == ["DELETING", "DELETING", "none", "none"]
    kvs.clear()
    kvs.hold_creating()
    again = client.create_stream(StreamName="cam")["StreamARN"]
    assert again != arn
    assert polls(3) == ["CREATING"] * 3
    kvs.release("cam")
    assert polls(1) == ["ACTIVE"]


def test_quotas(kvs: MockKvs) -> None:
    """The limits hold until they are taken back."""
    kvs.account_limit(1)
    kvs.rate_limit(2)
    client = kvs.boto_client()
    client.create_stream(StreamName="cam")
    for code in ("AccountStreamLimitExceededException", "ClientLimitExceededException"):
        assert error_of(lambda: client.create_stream(StreamName="b"))["Code"] == code
    kvs.advance(1)
    assert error_of(lambda: client.create_stream(StreamName="cam"))["Code"].startswith("ResourceIn")
    kvs.account_limit(None)
    kvs.rate_limit(None)
    client.create_stream(StreamName="b")


# What was not used


def a_create(kvs: MockKvs) -> None:
    """Create a stream."""
    kvs.boto_client().create_stream(StreamName="cam")


def lost(kvs: MockKvs) -> None:
    """Try to create a stream, whose connection is dropped."""
    with pytest.raises(ConnectionClosedError):
        a_create(kvs)


Step = Callable[[MockKvs], Any]
# Of each sentence: what was scripted, and what uses it.
UNUSED: dict[str, tuple[Step, Step]] = {
    "fail_next('X', times=2) applied to 0 of 2 calls of create_stream": (
        lambda kvs: kvs.fail_next("X", times=2),
        lambda kvs: [error_of(lambda: a_create(kvs)) for _ in range(2)],
    ),
    "drop_next() applied to no call of create_stream for 'cam'": (
        lambda kvs: kvs.drop_next(stream_name="cam"),
        lost,
    ),
    "rate_limit(5) applied to no create_stream": (lambda kvs: kvs.rate_limit(5), a_create),
    "account_limit(5) applied to no create_stream": (lambda kvs: kvs.account_limit(5), a_create),
    "hide_new(100) applied to no poll of a new stream": (
        lambda kvs: [kvs.hide_new(100), a_create(kvs)],
        lambda kvs: kvs.boto_client().list_streams(),
    ),
    "hold_creating(100, stream_name='cam') applied to no later call for a new stream": (
        lambda kvs: [kvs.hold_creating(100, stream_name="cam"), a_create(kvs)],
        lambda kvs: kvs.boto_client().list_tags_for_stream(StreamName="cam"),
    ),
    "hold_deleting() applied to no delete_stream": (
        lambda kvs: [kvs.hold_deleting(), a_create(kvs)],
        lambda kvs: kvs.boto_client().delete_stream(StreamARN=kvs.streams["cam"].stream_arn),
    ),
    "set_status('cam', 'UPDATING') applied to no later call": (
        lambda kvs: [a_create(kvs), kvs.set_status("cam", StreamStatus.UPDATING)],
        lambda kvs: error_of(lambda: a_create(kvs)),
    ),
}


@pytest.mark.parametrize("sentence", UNUSED)
def test_unused(sentence: str) -> None:
    """What never happened is reported, once, unless it is allowed, cleared, or used."""
    script, use = UNUSED[sentence]
    with pytest.raises(UnusedFaultError) as caught, mock_kvs() as kvs:
        script(kvs)
    assert caught.value.unused == (sentence,) == kvs.unused
    assert f"  - {sentence}\nRequests that were made: " in str(caught.value)
    with mock_kvs(allow_unused=True) as kvs:
        script(kvs)
    with mock_kvs() as kvs:
        script(kvs)
        kvs.clear()
    with mock_kvs() as kvs:
        script(kvs)
        use(kvs)
    with pytest.raises(ZeroDivisionError), mock_kvs() as kvs:  # noqa: PT012 - it ends the kit
        script(kvs)
        _ = 1 / 0


def test_part_used(kvs: MockKvs) -> None:
    """The sentence says how often a fault did happen."""
    kvs.fail_next("X", times=3)
    error_of(lambda: a_create(kvs))
    with pytest.raises(UnusedFaultError, match="applied to 1 of 3 calls of create_stream"):
        kvs.check_unused()
    kvs.clear()


NONSENSE: list[tuple[str, Callable[[MockKvs], Any], type[Exception], str]] = [
    ("a class", lambda k: k.fail_next(ResourceInUseException), TypeError, "the name of an error"),
    ("no error", lambda k: k.fail_next(""), ValueError, "the name of an error"),
    ("a success", lambda k: k.fail_next("200"), ValueError, "a status from 300 to 599"),
    ("a status", lambda k: k.fail_next("X", status=600), ValueError, "a status from 300 to 599"),
    ("no times", lambda k: k.fail_next("X", times=0), ValueError, "times must be at least 1"),
    ("a yes", lambda k: k.fail_next("X", times=True), TypeError, "a whole number"),
    ("half", lambda k: k.hold_creating(1.5), TypeError, "a whole number"),
    ("attempts", lambda k: k.drop_next(attempts=0), ValueError, "attempts must be at least 1"),
    ("operation", lambda k: k.drop_next(operation="put"), ValueError, "operation must be one of"),
    ("count", lambda k: k.count("put"), ValueError, "operation must be one of"),
    ("status", lambda k: k.set_status("x", "active"), ValueError, "CREATING, ACTIVE"),
    ("stream", lambda k: k.set_status("x", "ACTIVE"), LookupError, "'x'; there are: none"),
    ("time", lambda k: k.advance(-1), ValueError, "seconds must be from 0"),
    ("no number", lambda k: k.advance(float("nan")), ValueError, "seconds must be from 0"),
    ("quota", lambda k: k.rate_limit(0), ValueError, "rate_limit must be at least 1"),
    ("endpoint", lambda k: k.endpoint_url, RuntimeError, r"mock_kvs\(server=True\)"),
]


@pytest.mark.parametrize("what,call,error,text", NONSENSE)
def test_nonsense(
    kvs: MockKvs, what: str, call: Callable[[MockKvs], Any], error: type[Exception], text: str
) -> None:
    """What could never happen is refused at once."""
    with pytest.raises(error, match=text):
        call(kvs)


def test_after_the_end() -> None:
    """Before the start and after the end nothing can be scripted; what happened can be read."""
    kit = mock_kvs()
    with pytest.raises(RuntimeError, match="not running"):
        _ = kit.calls
    with kit:
        a_create(kit)
    for call in (
        lambda: kit.fail_next("X"),
        kit.hold_creating,
        lambda: kit.rate_limit(1),
        lambda: kit.advance(1),
        kit.boto_client,
    ):
        with pytest.raises(RuntimeError, match="not running"):
            call()
    assert (list(kit.streams), kit.count(), kit.elapsed, kit.unused) == (["cam"], 1, 0, ())
    kit.stop()
    with kit:
        assert kit.streams == {}
        with pytest.raises(RuntimeError, match="running in this process already"):
            mock_kvs().start()


# The clients and the decorator


def test_clients(kvs: MockKvs) -> None:
    """The kit's clients are those of the library, with the same streams."""
    request = CreateStreamRequest(stream_name="cam")
    with kvs.client(region_name="eu-west-1") as client:
        assert isinstance(client, StreamsClient)
        assert client.create_stream(request).stream_arn.region == "eu-west-1"
    assert isinstance(kvs.async_client(), AsyncStreamsClient)
    with StreamsClient() as own:
        own.create_stream(request)
    kvs.fail_next("ClientLimitExceededException", times=5)
    with pytest.raises(ClientLimitExceededException):
        kvs.client().create_stream(request)


@mock_kvs
def decorated(name: str) -> dict[str, Any]:
    """Create a stream."""
    return dict(boto3.client(VIDEO).create_stream(StreamName=name))


@mock_kvs(region_name="eu-central-1")
async def decorated_async() -> str:
    """Create a stream."""
    with StreamsClient() as client:
        return client.create_stream(CreateStreamRequest(stream_name="cam")).stream_arn.region


@pytest.mark.parametrize("_", range(2))
def test_decorator(_: int) -> None:
    """Each call of a decorated function has a kit of its own, with the options."""
    import asyncio

    assert decorated.__name__ == "decorated"
    assert decorated("cam")["StreamARN"].startswith("arn:")
    assert asyncio.run(decorated_async()) == "eu-central-1"

    @mock_kvs
    def unused() -> None:
        from kvs_streams.testing import _kit

        assert _kit._running
        _kit._running.fail_next("X")

    with pytest.raises(UnusedFaultError):
        unused()


def test_decorator_of_something_else() -> None:
    """A class, a generator and a forgotten keyword are told what to do instead."""

    def generator() -> Any:
        yield

    for wrong in (generator, type("Tests", (), {}), "eu-west-1"):
        with pytest.raises(TypeError, match="the pytest fixture kvs_mock"):
            mock_kvs(wrong)
