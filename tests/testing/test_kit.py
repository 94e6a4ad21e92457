"""What a test can script with the kit, and what it can ask."""

import asyncio
import json
import math
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

import kvs_streams
from kvs_streams import (
    AccessDeniedError,
    AsyncStreamsClient,
    AuthenticationError,
    ClientLimitExceededException,
    CreateStreamRequest,
    EnsureOutcome,
    InvalidRequestError,
    ResourceInUseException,
    ResourceNotFoundException,
    ServerError,
    ServiceError,
    StorageTier,
    StreamDeletingError,
    StreamsClient,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    ThrottlingError,
    TransportError,
    WaitTimeoutError,
)
from kvs_streams.testing import Call, MockKvs, UnusedFaultError, mock_kvs

# What CreateStream documents, in botocore's model: each has a class of its own.
SEVEN = [
    "AccountStreamLimitExceededException",
    "ClientLimitExceededException",
    "DeviceStreamLimitExceededException",
    "InvalidArgumentException",
    "InvalidDeviceException",
    "ResourceInUseException",
    "TagsPerResourceExceededLimitException",
]

FULL = CreateStreamRequest(
    stream_name="front-door.cam_1",
    device_name="device-1",
    media_type="video/h264,audio/aac",
    kms_key_id="alias/cameras",
    data_retention_in_hours=24,
    tags={"site": "Zürich", "empty": None},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)


def attempts(number: int) -> Config:
    """Botocore's configuration for a number of attempts."""
    return Config(retries={"mode": "standard", "total_max_attempts": number})


# Streams and clients


def test_every_client_sees_the_same_streams(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """What one client creates each of the others finds: ours, boto3's, and those made elsewhere."""
    arn = kvs.client().create_stream(camera).stream_arn

    with StreamsClient() as own:
        assert own.describe_stream("cam").stream_arn == arn

    async def by_async() -> str:
        client = AsyncStreamsClient()
        try:
            own = await client.describe_stream("cam")
        finally:
            await client.aclose()
        given = await kvs.async_client().describe_stream(arn)
        assert own == given
        return own.stream_arn

    assert asyncio.run(by_async()) == arn
    assert kvs.boto_client().describe_stream(StreamName="cam")["StreamInfo"]["StreamARN"] == arn
    assert boto3.client("kinesisvideo").list_streams()["StreamInfoList"][0]["StreamARN"] == arn


def test_the_whole_configuration_is_kept(kvs: MockKvs) -> None:
    """A record shows all that a request asked for, and so do the calls that read it back."""
    before = datetime.now(timezone.utc)
    response = kvs.client().create_stream(FULL)

    record = kvs.streams["front-door.cam_1"]
    assert record.stream_arn == response.stream_arn
    assert record.status is StreamStatus.ACTIVE
    assert record.region_name == "us-east-1"
    assert record.creation_time == response.stream_arn.created_at
    assert abs(record.creation_time - before) < timedelta(minutes=1)
    assert record.device_name == "device-1"
    assert record.media_type == "video/h264,audio/aac"
    assert record.kms_key_id == "alias/cameras"
    assert record.data_retention_in_hours == 24
    assert record.tags == {"site": "Zürich", "empty": ""}
    assert record.default_storage_tier == StorageTier.WARM

    boto_client = kvs.boto_client()
    assert boto_client.list_tags_for_stream(StreamARN=record.stream_arn)["Tags"] == record.tags
    storage = boto_client.describe_stream_storage_configuration(StreamName=record.stream_name)
    del storage["ResponseMetadata"]
    assert storage == {
        "StreamName": record.stream_name,
        "StreamARN": record.stream_arn,
        "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"},
    }
    assert kvs.client().ensure_stream(FULL).drift == ()


def test_defaults_are_those_of_the_service(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A bare request gets no tags, no retention, the HOT tier and AWS's own key."""
    kvs.client().create_stream(camera)
    record = kvs.streams["cam"]
    assert record.tags == {}
    assert record.data_retention_in_hours == 0
    assert record.default_storage_tier == "HOT"
    assert record.kms_key_id == "arn:aws:kms:us-east-1:123456789012:alias/aws/kinesisvideo"
    assert kvs.client().describe_stream("cam").kms_key_id == record.kms_key_id
    assert kvs.boto_client().list_tags_for_stream(StreamName="cam")["Tags"] == {}


@pytest.mark.parametrize(
    "read", ["describe_stream", "list_tags_for_stream", "describe_stream_storage_configuration"]
)
def test_reading_a_stream_that_is_not_there(kvs: MockKvs, read: str) -> None:
    """Every read of an unknown stream is not found, by name and by ARN."""
    boto_client = kvs.boto_client()
    arn = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/cam/1700000000000"
    for which in ({"StreamName": "cam"}, {"StreamARN": arn}):
        with pytest.raises(boto_client.exceptions.ResourceNotFoundException) as caught:
            getattr(boto_client, read)(**which)
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_delete_and_create_again(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A stream that is created again has another ARN, as at AWS and unlike moto's own."""
    client, boto_client = kvs.client(), kvs.boto_client()
    first = client.create_stream(camera).stream_arn
    boto_client.delete_stream(StreamARN=first)
    assert kvs.streams == {}
    second = client.create_stream(camera).stream_arn
    assert second != first
    assert second.created_at > first.created_at
    with pytest.raises(ResourceNotFoundException):
        client.describe_stream(first)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        boto_client.delete_stream(StreamARN=first)


def test_regions_are_apart(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A name can exist in each region, and then the region has to be given."""
    here = kvs.client().create_stream(camera)
    china = kvs.client(region_name="cn-north-1").create_stream(camera)
    assert china.stream_arn.aws_partition == "aws-cn"
    assert kvs.streams_in("us-east-1")["cam"].stream_arn == here.stream_arn
    assert kvs.streams_in("cn-north-1")["cam"].stream_arn == china.stream_arn
    assert kvs.streams_in("eu-west-1") == {}
    with pytest.raises(LookupError) as caught:
        _ = kvs.streams
    assert str(caught.value) == (
        "stream 'cam' exists in us-east-1 of account 123456789012 and in cn-north-1 of account "
        "123456789012: ask streams_in(region_name, account_id=...)"
    )
    assert {call.region_name for call in kvs.calls} == {"us-east-1", "cn-north-1"}


def test_what_moto_does_stays_as_it_is(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """Operations that the kit has no part in are answered by moto, scripted or not."""
    kvs.client().create_stream(camera)
    boto_client = kvs.boto_client()
    endpoint = boto_client.get_data_endpoint(StreamName="cam", APIName="PUT_MEDIA")["DataEndpoint"]
    assert endpoint.startswith("https://s-")
    kvs.fail_next("InvalidArgumentException", operation="get_data_endpoint")
    with pytest.raises(boto_client.exceptions.InvalidArgumentException):
        boto_client.get_data_endpoint(StreamName="cam", APIName="PUT_MEDIA")


def test_calls_tell_what_was_called_how_often_with_what(kvs: MockKvs) -> None:
    """Each request is on record, botocore's retries included."""
    kvs.fail_next("InternalFailure", attempts=1)
    kvs.client(config=attempts(2)).create_stream(
        CreateStreamRequest(stream_name="cam", tags={"a": "b"})
    )
    with pytest.raises(ResourceNotFoundException):
        kvs.client().describe_stream("other")

    parameters, other = {"StreamName": "cam", "Tags": {"a": "b"}}, {"StreamName": "other"}
    assert kvs.calls == (
        Call("create_stream", parameters, 1, "InternalFailure", "us-east-1"),
        Call("create_stream", parameters, 2, None, "us-east-1"),
        Call("describe_stream", other, 1, "ResourceNotFoundException", "us-east-1"),
    )
    assert kvs.count() == 2
    assert kvs.count("describe_stream") == 1
    assert kvs.count("delete_stream") == 0


# Failures


@pytest.mark.parametrize("code", SEVEN)
def test_each_documented_exception(caller: Any, kvs: MockKvs, code: str) -> None:
    """Each of the seven is produced on the wire, and caught by its own class."""
    kvs.fail_next(code)
    expected = getattr(kvs_streams, code)
    retry = code == "ClientLimitExceededException"
    if retry:  # one attempt is retried, and succeeds
        kvs.fail_next(code, times=4)
    with pytest.raises(expected) as caught:
        caller.create_stream(CreateStreamRequest(stream_name="cam"))
    assert type(caught.value) is expected
    assert caught.value.code == code
    assert caught.value.http_status_code == 400
    assert caught.value.request_id
    assert caught.value.retry_attempts == (4 if retry else 0)
    assert kvs.streams == {}


@pytest.mark.parametrize("code", SEVEN)
def test_each_documented_exception_as_boto3_raises_it(kvs: MockKvs, code: str) -> None:
    """Raw boto3's own exception class is raised, so its parser has understood the reply."""
    client = kvs.boto_client()
    kvs.fail_next(code)
    with pytest.raises(getattr(client.exceptions, code)):
        client.create_stream(StreamName="cam")


@pytest.mark.parametrize(
    "code,error,status",
    [
        ("AccessDeniedException", AccessDeniedError, 403),
        ("NotAuthorizedException", AccessDeniedError, 401),
        ("UnrecognizedClientException", AuthenticationError, 403),
        ("InvalidSignatureException", AuthenticationError, 403),
        ("ValidationException", InvalidRequestError, 400),
        ("ThrottlingException", ThrottlingError, 400),
        ("InternalFailure", ServerError, 500),
        ("ServiceUnavailable", ServerError, 503),
        ("SomethingNewException", ServiceError, 400),
        ("403", ServiceError, 403),
        ("503", ServerError, 503),
    ],
)
def test_any_other_failure(
    kvs: MockKvs, camera: CreateStreamRequest, code: str, error: type[ServiceError], status: int
) -> None:
    """A denial, a bad key, a generic throttle, a 5xx, an unknown code, and a bare status."""
    kvs.fail_next(code)
    with pytest.raises(error) as caught:
        kvs.client().create_stream(camera)
    assert type(caught.value) is error
    assert caught.value.code == code
    assert caught.value.http_status_code == status
    assert caught.value.message
    assert kvs.streams == {}


def test_denial_names_the_action_and_the_resource(
    kvs: MockKvs, camera: CreateStreamRequest
) -> None:
    """The text of a denial is AWS's, for the operation that was called."""
    kvs.fail_next("AccessDeniedException", operation="describe_stream")
    with pytest.raises(AccessDeniedError, match=r"kinesisvideo:DescribeStream on resource"):
        kvs.client(region_name="eu-west-1").describe_stream("cam")
    kvs.fail_next("ClientLimitExceededException")
    with pytest.raises(ClientLimitExceededException, match="requests for CreateStream API"):
        kvs.client(throttle_retry=ThrottleRetry(max_attempts=1)).create_stream(camera)


def test_message_and_status_can_be_chosen(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A test can put its own words and its own status on an error, known, unknown or bare."""
    client = kvs.client(config=attempts(1))
    for code, status in [("OddException", 418), ("InternalFailure", 599), ("502", 504)]:
        kvs.fail_next(code, message="out of coffee", status=status)
        with pytest.raises(ServiceError) as caught:
            client.create_stream(camera)
        assert caught.value.http_status_code == status
    kvs.fail_next("OddException", message="out of coffee")
    with pytest.raises(ServiceError, match="out of coffee"):
        client.create_stream(camera)


@pytest.mark.parametrize("code", ["403", "503"])
@pytest.mark.parametrize("message", ["busy, come back", ""])
def test_a_bare_status_can_have_a_message(
    kvs: MockKvs, camera: CreateStreamRequest, code: str, message: str
) -> None:
    """The message of a bare status reaches the caller, who still sees the status as the code."""
    kvs.fail_next(code, message=message)
    with pytest.raises(ServiceError) as caught:
        kvs.client(config=attempts(1)).create_stream(camera)
    assert caught.value.message == message
    assert caught.value.code == code
    assert caught.value.http_status_code == int(code)


@pytest.mark.parametrize("code", ["AccessDeniedException", "Odd{Exception}"])
def test_an_empty_message_is_sent(kvs: MockKvs, camera: CreateStreamRequest, code: str) -> None:
    """An empty text is a text, and does not mean AWS's own."""
    kvs.fail_next(code, message="")
    kvs.fail_next(code)
    for has_text in (False, True):
        with pytest.raises(ServiceError) as caught:
            kvs.client().create_stream(camera)
        assert caught.value.code == code
        assert bool(caught.value.message) is has_text


def test_throttle_throttle_success(caller: Any, kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """The library retries two throttles, the third attempt succeeds, and no time is spent."""
    kvs.fail_next("ClientLimitExceededException", times=2)
    response = caller.create_stream(camera)
    assert response.retry_attempts == 2
    assert kvs.streams["cam"].stream_arn == response.stream_arn
    assert kvs.elapsed == 0.25 + 0.5
    assert [call.error for call in kvs.calls] == [*["ClientLimitExceededException"] * 2, None]


@pytest.mark.parametrize("mode,requests", [("legacy", 5), ("standard", 3), ("adaptive", 3)])
def test_botocore_retries_run(
    kvs: MockKvs, camera: CreateStreamRequest, mode: Any, requests: int
) -> None:
    """A 5xx fails every attempt of one call, as many as botocore makes in its mode."""
    kvs.fail_next("InternalFailure")
    client = kvs.client(config=Config(retries={"mode": mode}))
    with pytest.raises(ServerError) as caught:
        client.create_stream(camera)
    assert caught.value.retry_attempts == requests - 1
    assert [call.attempt for call in kvs.calls] == list(range(1, requests + 1))
    client.create_stream(camera)
    assert kvs.calls[-1].attempt == 1


def test_only_the_first_attempts_fail(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """With a number of attempts, botocore's next retry succeeds."""
    kvs.fail_next("InternalFailure", attempts=2)
    kvs.fail_next("AccessDeniedException", operation="create_stream", times=1)
    client = kvs.client(config=attempts(3))
    assert client.create_stream(camera).retry_attempts == 2
    with pytest.raises(AccessDeniedError):
        client.create_stream(camera)


def test_faults_are_for_an_operation_and_a_stream(kvs: MockKvs) -> None:
    """A fault for one operation, or for one stream by its name or ARN, leaves the others alone."""
    client = kvs.client()
    kvs.fail_next("InvalidDeviceException", stream_name="cam-2")
    first = client.create_stream(CreateStreamRequest(stream_name="cam-1")).stream_arn
    with pytest.raises(kvs_streams.InvalidDeviceException):
        client.create_stream(CreateStreamRequest(stream_name="cam-2"))
    third = client.create_stream(CreateStreamRequest(stream_name="cam-3")).stream_arn

    kvs.fail_next("AccessDeniedException", operation="describe_stream", stream_name="cam-3")
    assert client.describe_stream(first).stream_name == "cam-1"
    with pytest.raises(AccessDeniedError):
        client.describe_stream(third)


# Lost replies


def test_created_but_reply_lost(caller: Any, kvs: MockKvs) -> None:
    """The stream is there, the caller cannot know, and ``ensure_stream`` finds out."""
    kvs.lose_next_reply()
    ensured = caller.ensure_stream(FULL)
    assert ensured.outcome is EnsureOutcome.RECOVERED
    assert ensured.unverified == ()
    assert kvs.streams[FULL.stream_name].stream_arn == ensured.stream.stream_arn
    assert {call.error for call in kvs.calls if call.operation == "create_stream"} == {
        "ConnectionClosedError"
    }


def test_lost_reply_is_a_transport_failure(
    caller: Any, kvs: MockKvs, camera: CreateStreamRequest
) -> None:
    """Without a describe, the outcome is unknown; the cause is what botocore raises."""
    kvs.lose_next_reply()
    with pytest.raises(TransportError) as caught:
        caller.create_stream(camera)
    assert caught.value.outcome_unknown
    assert type(caught.value.__cause__).__name__ == "ConnectionClosedError"
    assert list(kvs.streams) == ["cam"]


def test_lost_reply_and_botocores_retry(
    caller: Any, kvs: MockKvs, camera: CreateStreamRequest
) -> None:
    """When the first reply alone is lost, botocore's retry meets the stream just created."""
    kvs.lose_next_reply(attempts=1)
    with pytest.raises(ResourceInUseException) as caught:
        caller.create_stream(camera)
    assert caught.value.possibly_own
    assert caught.value.retry_attempts == 1
    kvs.boto_client().delete_stream(StreamARN=kvs.streams["cam"].stream_arn)
    kvs.lose_next_reply(attempts=1)
    assert caller.ensure_stream(camera).outcome is EnsureOutcome.RECOVERED


def test_reply_lost_as_5xx(caller: Any, kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """The caller can see a 5xx instead of a dropped connection."""
    kvs.lose_next_reply("InternalFailure", times=2)
    with pytest.raises(ServerError):
        caller.create_stream(camera)
    assert list(kvs.streams) == ["cam"]
    assert caller.ensure_stream(camera).outcome is EnsureOutcome.RECOVERED


def test_dropped_before_anything_happened(
    caller: Any, kvs: MockKvs, camera: CreateStreamRequest
) -> None:
    """A connection can also be dropped before the service does anything."""
    kvs.drop_next(times=2)
    for _ in range(2):
        with pytest.raises(TransportError):
            caller.create_stream(camera)
    assert kvs.streams == {}
    caller.create_stream(camera)


def test_dropped_connection_as_boto3_raises_it(kvs: MockKvs) -> None:
    """Raw boto3 raises what it raises when a server hangs up."""
    kvs.drop_next(operation="list_streams")
    with pytest.raises(ConnectionClosedError):
        kvs.boto_client().list_streams()


def test_somebody_elses_stream_is_not_recovered(
    caller: Any, kvs: MockKvs, camera: CreateStreamRequest
) -> None:
    """A stream from before the call is EXISTING by the kit's clock, whatever was lost."""
    caller.create_stream(camera)
    kvs.advance(60)
    kvs.lose_next_reply()
    assert caller.ensure_stream(camera).outcome is EnsureOutcome.EXISTING


# Status and time


def test_creating_for_three_polls_then_active(
    caller: Any, kvs: MockKvs, camera: CreateStreamRequest
) -> None:
    """Three polls see CREATING, the fourth ACTIVE, and the test does not wait."""
    kvs.hold_creating(3)
    caller.create_stream(camera)
    assert kvs.streams["cam"].status is StreamStatus.CREATING
    assert caller.wait_until_active("cam").status is StreamStatus.ACTIVE
    assert kvs.count("describe_stream") == 4
    assert kvs.elapsed == 0.5 + 0.75 + 1.125


def test_creating_until_released(caller: Any, kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """Without a number a stream stays CREATING, so that a timeout can be tested at once."""
    kvs.hold_creating()
    caller.create_stream(camera)
    with pytest.raises(WaitTimeoutError) as caught:
        caller.wait_until_active("cam", timeout=300)
    assert caught.value.last_status is StreamStatus.CREATING
    assert caught.value.waited == kvs.elapsed == 300
    kvs.release("cam")
    assert caller.wait_until_active("cam").status is StreamStatus.ACTIVE


def test_holding_one_stream(kvs: MockKvs) -> None:
    """A stream of its own rule keeps to that; a later rule takes the place of an earlier one."""
    client = kvs.client()
    kvs.hold_creating(1)
    kvs.hold_creating(5, stream_name="slow")
    kvs.hold_creating(2)
    for name, polls in (("cam", 3), ("slow", 6)):
        before = kvs.count("describe_stream")
        client.ensure_stream(CreateStreamRequest(stream_name=name))
        assert kvs.count("describe_stream") - before == polls


def test_hidden_at_first(caller: Any, kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A new stream is not found at first, as creation is eventually consistent."""
    kvs.hide_new(2)
    assert caller.ensure_stream(camera).outcome is EnsureOutcome.CREATED
    assert [call.error for call in kvs.calls] == [None, *["ResourceNotFoundException"] * 2, None]
    kvs.clear()
    caller.create_stream(CreateStreamRequest(stream_name="seen"))
    assert caller.describe_stream("seen").status is StreamStatus.ACTIVE


def test_updating(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A stream can be put into UPDATING for a number of describes."""
    client = kvs.client()
    client.create_stream(camera)
    kvs.set_status("cam", StreamStatus.UPDATING, describes=1)
    assert client.describe_stream("cam").status is StreamStatus.UPDATING
    assert client.describe_stream("cam").status is StreamStatus.ACTIVE


def test_deleting_until_gone(caller: Any, kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A stream in DELETING ends a wait, holds its name, and is gone when released."""
    first = caller.create_stream(camera).stream_arn
    kvs.set_status("cam", "DELETING")
    with pytest.raises(StreamDeletingError):
        caller.wait_until_active("cam")
    with pytest.raises(ResourceInUseException):
        caller.create_stream(camera)
    kvs.release("cam")
    assert kvs.streams == {}
    assert caller.create_stream(camera).stream_arn != first


def test_deletion_takes_its_time(caller: Any, kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """Deletion goes through DELETING if asked, and ``ensure_stream`` waits for its end."""
    first = caller.create_stream(camera).stream_arn
    kvs.hold_deleting(3)
    boto_client = kvs.boto_client()
    boto_client.delete_stream(StreamARN=first)
    assert kvs.streams["cam"].status is StreamStatus.DELETING
    assert caller.describe_stream("cam").status is StreamStatus.DELETING
    boto_client.delete_stream(StreamARN=first)  # it is being deleted already, and goes on
    ensured = caller.ensure_stream(camera)
    assert [call.error for call in kvs.calls if call.operation == "describe_stream"] == [
        *[None] * 3,
        "ResourceNotFoundException",
        None,
    ]
    assert ensured.outcome is EnsureOutcome.CREATED
    assert ensured.stream.stream_arn != first


def test_a_stream_must_exist_to_be_held(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A wrong name is said to be wrong, and the right ones are named."""
    with pytest.raises(LookupError, match="there is no stream 'cam'; there are: none"):
        kvs.release("cam")
    kvs.client().create_stream(camera)
    with pytest.raises(LookupError, match="there is no stream 'camm'; there are: cam"):
        kvs.set_status("camm", StreamStatus.UPDATING)


def test_tasks_wait_side_by_side(kvs: MockKvs) -> None:
    """Forty tasks that wait at the same time take no longer than one of them."""
    kvs.hold_creating(4)
    client = kvs.async_client(config=Config(max_pool_connections=64))

    async def all_of_them() -> list[Any]:
        requests = [CreateStreamRequest(stream_name=f"cam-{n}") for n in range(40)]
        return await asyncio.gather(*(client.ensure_stream(each, timeout=10) for each in requests))

    ensured = asyncio.run(all_of_them())
    assert {each.outcome for each in ensured} == {EnsureOutcome.CREATED}
    assert len({each.stream.stream_arn for each in ensured}) == len(kvs.streams) == 40
    assert kvs.elapsed < 10


def test_threads_wait_side_by_side(kvs: MockKvs) -> None:
    """Threads share a client and the streams, and each keeps its own time."""
    kvs.hold_creating(4)
    client = kvs.client(config=Config(max_pool_connections=16))

    def ensure(number: int) -> EnsureOutcome:
        return client.ensure_stream(CreateStreamRequest(stream_name=f"cam-{number}")).outcome

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(ensure, range(16))) == {EnsureOutcome.CREATED}
    assert len({record.stream_arn for record in kvs.streams.values()}) == 16


def test_the_date_of_replies_is_the_kits(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """Responses, creation times and ARNs have one time, which moves with ``advance``."""
    kvs.client().create_stream(camera)
    kvs.advance(3600 * 24)
    kvs.client().create_stream(CreateStreamRequest(stream_name="later"))
    day = kvs.streams["later"].creation_time - kvs.streams["cam"].creation_time
    assert abs(day - timedelta(days=1)) < timedelta(seconds=1)
    headers = kvs.boto_client().list_streams()["ResponseMetadata"]["HTTPHeaders"]
    date = datetime.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT").replace(
        tzinfo=timezone.utc
    )
    assert abs(date - kvs.streams["later"].creation_time) < timedelta(seconds=2)


# Quotas


def test_account_limit(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """Beyond the limit nothing is created; a name that is taken is still called taken."""
    client = kvs.client()
    kvs.account_limit(1)
    client.create_stream(camera)
    with pytest.raises(kvs_streams.AccountStreamLimitExceededException):
        client.create_stream(CreateStreamRequest(stream_name="one-too-many"))
    with pytest.raises(ResourceInUseException):
        client.create_stream(camera)
    kvs.client(region_name="eu-west-1").create_stream(camera)
    kvs.account_limit(None)
    client.create_stream(CreateStreamRequest(stream_name="welcome"))


def test_rate_limit(kvs: MockKvs) -> None:
    """Creates beyond the rate are throttled, and go through a second later."""
    kvs.rate_limit(2)
    patient, hasty = kvs.client(), kvs.client(throttle_retry=ThrottleRetry(max_attempts=1))
    for name in ("a", "b"):
        hasty.create_stream(CreateStreamRequest(stream_name=name))
    with pytest.raises(ClientLimitExceededException):
        hasty.create_stream(CreateStreamRequest(stream_name="c"))
    assert patient.create_stream(CreateStreamRequest(stream_name="c")).retry_attempts == 3
    kvs.advance(0.99)
    hasty.create_stream(CreateStreamRequest(stream_name="d"))
    with pytest.raises(ClientLimitExceededException):
        hasty.create_stream(CreateStreamRequest(stream_name="e"))
    kvs.advance(0.01)
    hasty.create_stream(CreateStreamRequest(stream_name="e"))
    kvs.rate_limit(None)
    for name in ("f", "g", "h"):
        hasty.create_stream(CreateStreamRequest(stream_name=name))


def test_rate_limit_for_many_at_once(kvs: MockKvs) -> None:
    """Tasks that are ahead in time take no room from those that are behind."""
    kvs.rate_limit(5)
    client = kvs.async_client()

    async def all_of_them() -> list[Any]:
        requests = [CreateStreamRequest(stream_name=f"cam-{n}") for n in range(12)]
        return await asyncio.gather(*(client.create_stream(each) for each in requests))

    retries = sorted(response.retry_attempts for response in asyncio.run(all_of_them()))
    assert retries[:5] == [0] * 5
    # More need no retry if their threads make the first call after the others have retried.
    assert retries[-1] > 0


# Validation


@pytest.mark.parametrize(
    "parameters,code,text",
    [
        ({"StreamName": "no spaces"}, "InvalidArgumentException", "stream_name must consist of"),
        ({"StreamName": "c" * 257}, "InvalidArgumentException", "stream_name"),
        (
            {"StreamName": "c", "DataRetentionInHours": 87_601},
            "InvalidArgumentException",
            "data_retention_in_hours",
        ),
        (
            {"StreamName": "c", "StreamStorageConfiguration": {"DefaultStorageTier": "COLD"}},
            "InvalidArgumentException",
            "default_storage_tier",
        ),
        ({"StreamName": "c", "Tags": {}}, "ValidationException", "empty"),
        (
            {"StreamName": "c", "Tags": {str(n): "" for n in range(51)}},
            "TagsPerResourceExceededLimitException",
            "up to 50 tags",
        ),
    ],
)
def test_service_side_validation(
    kvs: MockKvs, parameters: dict[str, Any], code: str, text: str
) -> None:
    """Plain boto3 sees what the service would refuse, and moto would take."""
    with pytest.raises(ClientError, match=text) as caught:
        kvs.boto_client().create_stream(**parameters)
    assert caught.value.response["Error"]["Code"] == code
    assert kvs.streams == {}


def test_validation_can_be_off() -> None:
    """Without validation the kit takes whatever moto takes, and shows it."""
    with mock_kvs(validate=False) as kvs:
        kvs.boto_client().create_stream(
            StreamName="no spaces",
            Tags={},
            StreamStorageConfiguration={"DefaultStorageTier": "COLD"},
        )
        assert kvs.streams["no spaces"].default_storage_tier == "COLD"


def test_any_client_is_answered_over_http() -> None:
    """A client that is no AWS SDK, signs nothing and sends null members, is a client too."""
    with mock_kvs(server=True) as kvs:
        kvs.fail_next("AccessDeniedException")

        def post(path: str, parameters: object) -> Any:
            request = urllib.request.Request(  # noqa: S310 - it is http
                f"{kvs.endpoint_url}/{path}",
                json.dumps(parameters).encode(),
                {
                    "Content-Type": "application/json",
                    "Authorization": "AWS4-HMAC-SHA256 Credential="
                    "testing/20240101/us-east-1/kinesisvideo/aws4_request",
                },
            )
            with urllib.request.urlopen(request) as response:  # noqa: S310
                return json.load(response)

        kvs.fail_next("UnrecognizedClientException")
        for code, member in (
            ("AccessDeniedException", "Message"),
            ("UnrecognizedClientException", "message"),
        ):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post("createStream", {"StreamName": "cam"})
            with caught.value as denied:
                assert denied.code == 403
                assert denied.headers["x-amzn-ErrorType"].startswith(f"{code}:")
                assert list(json.load(denied)) == [member]
        arn = post("createStream", {"StreamName": "cam", "MediaType": None, "New": 1})["StreamARN"]
        assert kvs.streams["cam"].stream_arn == arn
        assert [call.attempt for call in kvs.calls] == [1, 1, 1]


# What is left over


def test_an_unused_fault_fails_the_test() -> None:
    """What was scripted and did not happen is listed, in the order of the script."""
    kvs = mock_kvs().start()
    kvs.fail_next("InvalidDeviceException", times=3)
    kvs.drop_next(operation="delete_stream", stream_name="cam")
    kvs.lose_next_reply("InternalFailure", operation="list_streams")
    kvs.lose_next_reply(stream_name="other")
    kvs.hold_creating(stream_name="slow")
    kvs.hide_new(2)
    kvs.hold_deleting(2)
    boto_client = kvs.boto_client()
    for call in (boto_client.create_stream, boto_client.describe_stream, boto_client.create_stream):
        with pytest.raises(ClientError):
            call(StreamName="cam")
    with pytest.raises(UnusedFaultError) as caught:
        kvs.stop()
    first, *unused, requests, way_out = str(caught.value).splitlines()
    assert first == "The test ended, and some of what it scripted had not happened:"
    assert unused.pop(0) == (
        "  - fail_next('InvalidDeviceException', times=3) applied to 2 of 3 calls of create_stream"
    )
    assert unused == [
        "  - drop_next() applied to no call of delete_stream for 'cam'",
        "  - lose_next_reply('InternalFailure') applied to no call of list_streams",
        "  - lose_next_reply() applied to no call of create_stream for 'other'",
        "  - hold_creating(stream_name='slow') applied to no new stream",
        "  - hold_deleting(2) applied to no deleted stream",
        "  - hide_new(2) applied to no new stream",
    ]
    assert requests == "Requests that were made: create_stream 2, describe_stream 1."
    assert way_out == (
        "Take out what the test does not need, call clear() when the rest is not needed any more, "
        "or allow it: mock_kvs(allow_unused=True), in pytest "
        "@pytest.mark.kvs_options(allow_unused=True)."
    )
    assert caught.value.unused == kvs.unused
    assert len(caught.value.unused) == 7


def test_unused_faults_can_be_allowed_or_cleared() -> None:
    """There are ways out: for the whole test, or from some point on."""
    with mock_kvs(allow_unused=True) as kvs:
        kvs.fail_next("InternalFailure")
        assert kvs.unused
    with mock_kvs() as kvs:
        kvs.fail_next("InternalFailure")
        kvs.hold_creating(2)
        kvs.account_limit(0)
        kvs.rate_limit(1)
        kvs.clear()
        for name in ("a", "b"):
            outcome = kvs.client().ensure_stream(CreateStreamRequest(stream_name=name)).outcome
            assert outcome is EnsureOutcome.CREATED
        assert kvs.count("describe_stream") == 2


def test_a_failed_test_is_not_blamed_twice() -> None:
    """The error that ended a test is what it sees."""

    def fails() -> None:
        with mock_kvs() as kvs:
            kvs.fail_next("InternalFailure")
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        fails()


def test_check_in_the_middle() -> None:
    """A test can ask in its middle whether all has happened so far."""
    with mock_kvs() as kvs:
        kvs.check_unused()
        kvs.fail_next("InvalidDeviceException")
        with pytest.raises(UnusedFaultError, match=r"Requests that were made: none\."):
            kvs.check_unused()
        with pytest.raises(kvs_streams.InvalidDeviceException):
            kvs.client().create_stream(CreateStreamRequest(stream_name="cam"))


# Wrong use


@pytest.mark.parametrize(
    "wrong,error,text",
    [
        (lambda kvs: kvs.fail_next("X", times=0), ValueError, "times must be at least 1, got 0"),
        (lambda kvs: kvs.fail_next("X", times=True), TypeError, "times must be a whole number"),
        (lambda kvs: kvs.fail_next("X", attempts=0), ValueError, "attempts must be at least 1"),
        (
            lambda kvs: kvs.fail_next("X", operation="CreateStream"),
            ValueError,
            "operation must be one of create_stream, .*, not 'CreateStream'",
        ),
        (lambda kvs: kvs.hold_creating(0), ValueError, "describes must be at least 1"),
        (lambda kvs: kvs.hide_new("2"), TypeError, "describes must be a whole number, not '2'"),
        (lambda kvs: kvs.set_status("c", "UPDATING", describes=0), ValueError, "describes must"),
        (lambda kvs: kvs.account_limit(-1), ValueError, "streams must be at least 0, got -1"),
        (lambda kvs: kvs.account_limit(True), TypeError, "streams must be a whole number"),
        (lambda kvs: kvs.fail_next(503), TypeError, "error must be a string, not 503"),
        (lambda kvs: kvs.fail_next(None), TypeError, "error must be a string, not None"),
        (lambda kvs: kvs.hide_new(None), TypeError, "describes must be a whole number, not None"),
        (lambda kvs: kvs.fail_next(""), ValueError, "error must not be empty"),
        (lambda kvs: kvs.fail_next("99"), ValueError, "error must be at least 300, got 99"),
        (lambda kvs: kvs.fail_next("X", message=5), TypeError, "message must be a string, not 5"),
        (lambda kvs: kvs.fail_next("X", status=200), ValueError, "status must be at least 300"),
        (lambda kvs: kvs.fail_next("X", status=600), ValueError, "status must be at most 599"),
        (lambda kvs: kvs.fail_next("X", status="503"), TypeError, "status must be a whole number"),
        (lambda kvs: kvs.drop_next(stream_name=b"c"), TypeError, "stream_name must be a string"),
        (lambda kvs: kvs.hide_new(stream_name=""), ValueError, "stream_name must not be empty"),
        (lambda kvs: kvs.set_status("c", 3), TypeError, "status must be a string, not 3"),
        (lambda kvs: kvs.set_status(3, "ACTIVE"), TypeError, "stream_name must be a string, not 3"),
        (lambda kvs: kvs.release("c", account_id=12), TypeError, "account_id must be a string"),
        (lambda kvs: kvs.release("c", region_name=1), TypeError, "region_name must be a string"),
        (
            lambda kvs: kvs.set_status("c", "ACTIVE", account_id=999999999999),
            TypeError,
            "account_id must be a string, not 999999999999",
        ),
        (
            lambda kvs: kvs.streams_in("us-east-1", account_id=123456789012),
            TypeError,
            "account_id must be a string, not 123456789012",
        ),
        (lambda kvs: kvs.streams_in(None), TypeError, "region_name must be a string, not None"),
        (lambda kvs: kvs.streams_in(""), ValueError, "region_name must not be empty"),
        (lambda kvs: kvs.count("CreateStream"), ValueError, "operation must be one of create_"),
        (lambda kvs: kvs.advance(-5), ValueError, "seconds must be from 0 to 1000000000, got -5"),
        (lambda kvs: kvs.advance(math.nan), ValueError, "seconds must be from 0 .* got nan"),
        (lambda kvs: kvs.advance(math.inf), ValueError, "seconds must be from 0 .* got inf"),
        (lambda kvs: kvs.advance(1e9 + 1), ValueError, "seconds must be from 0 .* got 1000000001"),
        (lambda kvs: kvs.advance(True), TypeError, "seconds must be a number, not True"),
        (lambda kvs: kvs.advance("5"), TypeError, "seconds must be a number, not '5'"),
        (lambda kvs: kvs.rate_limit(0), ValueError, "creates_per_second must be at least 1"),
        (lambda kvs: kvs.endpoint_url, RuntimeError, r"ask for mock_kvs\(server=True\)"),
        (lambda kvs: kvs.start(), RuntimeError, "mock_kvs is running in this process already"),
    ],
)
def test_wrong_use_is_refused(wrong: Any, error: type[Exception], text: str) -> None:
    """Wrong arguments are refused at once, with a sentence that says why, and have no effect."""
    with mock_kvs() as kvs:
        with pytest.raises(error, match=text):
            wrong(kvs)
        assert kvs.unused == ()
        assert kvs.elapsed == 0


@pytest.mark.parametrize("make", ["client", "async_client", "boto_client"])
def test_wrong_options_of_a_client_are_refused(make: str) -> None:
    """A client with a configuration or a retry policy of a wrong type is not made."""
    with mock_kvs() as kvs:
        with pytest.raises(TypeError, match=r"config must be a botocore\.config\.Config, not"):
            getattr(kvs, make)(config={})
        if make != "boto_client":
            with pytest.raises(TypeError, match="throttle_retry must be a ThrottleRetry"):
                getattr(kvs, make)(throttle_retry={})


def test_the_kit_must_run() -> None:
    """Before it starts the kit refuses everything; after it stopped it still has its records."""
    kvs = mock_kvs()
    for wrong in (lambda: kvs.calls, kvs.boto_client, lambda: kvs.fail_next("X"), kvs.stop):
        with pytest.raises(RuntimeError, match="mock_kvs is not running: use it in a with"):
            wrong()
    with kvs:
        kvs.client().create_stream(CreateStreamRequest(stream_name="cam"))
    assert kvs.count() == 1
    assert kvs.elapsed == 0
    assert kvs.unused == ()
    for wrong in (kvs.boto_client, lambda: kvs.streams, lambda: kvs.endpoint_url):
        with pytest.raises(RuntimeError, match="mock_kvs is not running"):
            wrong()


def test_a_kit_starts_afresh() -> None:
    """The same kit can be started again, and remembers nothing."""
    kvs = mock_kvs(server=True)
    urls = set()
    for _ in range(2):
        with kvs:
            kvs.client().create_stream(CreateStreamRequest(stream_name="cam"))
            assert kvs.count() == 1
            urls.add(kvs.endpoint_url)
            kvs.hide_new()
            kvs.clear()
    assert urls
