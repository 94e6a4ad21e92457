"""What type checkers must say of public names: checked, never run.

mypy runs over this file with ``disallow_any_expr``: an ``Any`` that reaches a user fails the check.
"""

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import attrs
from typing_extensions import assert_type

import kvs_streams
from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    CreateStreamResponse,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    RequestValidationError,
    StorageTier,
    StreamArn,
    StreamDriftError,
    StreamInfo,
    StreamsClient,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    TransportError,
    Violation,
    WaitTimeoutError,
)
from kvs_streams.typing import AsyncKinesisVideoClient, CreateStreamKwargs, KinesisVideoClient

assert_type(kvs_streams.__version__, str)


def requests(tier: Literal["HOT", "WARM"]) -> None:
    """Take what boto3 takes, and say exactly what comes back."""
    request = CreateStreamRequest(stream_name="gate")
    assert_type(request.stream_name, str)
    assert_type(request.device_name, str | None)
    assert_type(request.data_retention_in_hours, int | None)
    assert_type(request.tags, Mapping[str, str] | None)
    assert_type(request.stream_storage_configuration, StreamStorageConfiguration | None)
    assert_type(request.to_boto(), CreateStreamKwargs)
    assert_type(CreateStreamRequest.from_boto({"StreamName": "gate"}), CreateStreamRequest)
    assert_type(CreateStreamRequest.from_boto(request.to_boto()), CreateStreamRequest)
    assert_type(attrs.evolve(request, stream_name="yard"), CreateStreamRequest)

    storage = StreamStorageConfiguration(default_storage_tier=tier)
    assert_type(storage.default_storage_tier, StorageTier)
    StreamStorageConfiguration(default_storage_tier=StorageTier.WARM)
    CreateStreamRequest(
        stream_name="gate",
        device_name="camera-1",
        media_type="video/h264,audio/aac",
        kms_key_id="alias/video",
        data_retention_in_hours=dt.timedelta(days=2),
        tags={"site": "north", "empty": None},
        stream_storage_configuration=storage,
    )
    CreateStreamRequest(stream_name="gate", device_name=None, media_type=None, kms_key_id=None)
    CreateStreamRequest(stream_name="gate", data_retention_in_hours=None, tags=None)
    CreateStreamRequest(stream_name="gate", stream_storage_configuration=None)
    plain: dict[str, str] = {"site": "north"}
    CreateStreamRequest(stream_name="gate", tags=plain, data_retention_in_hours=24)
    CreateStreamRequest(stream_name="gate", tags=MappingProxyType(plain))


def replies(response: CreateStreamResponse, info: StreamInfo, ensured: EnsuredStream) -> None:
    """Give each member its own type."""
    assert_type(response.stream_arn, StreamArn)
    assert_type(response.http_status_code, int | None)
    assert_type(response.retry_attempts, int)
    assert_type(info.stream_arn, StreamArn)
    assert_type(info.status, StreamStatus)
    assert_type(info.version, str | None)
    assert_type(info.creation_time, dt.datetime | None)
    assert_type(info.data_retention_in_hours, int | None)
    assert_type(ensured.stream, StreamInfo)
    assert_type(ensured.outcome, EnsureOutcome)
    assert_type(ensured.unverified, tuple[str, ...])
    for drift in ensured.drift:
        assert_type(drift, Drift)
        assert_type(drift.requested, str | int)
        assert_type(drift.found, str | int | None)

    # For tests of users' own code, which make replies themselves.
    CreateStreamResponse(stream_arn=StreamArn("arn:aws:kinesisvideo:eu-central-1:1:stream/gate/1"))
    StreamInfo(stream_name="gate", stream_arn=info.stream_arn, status=StreamStatus.ACTIVE)
    EnsuredStream(stream=info, outcome=EnsureOutcome.EXISTING)
    Drift(field="media_type", requested="video/h264", found=None)
    Violation(parameter="Tags", field="tags", rule="max_items", message="too many", value="51")


def texts(status: StreamStatus, arn: StreamArn) -> list[str]:
    """Be enums and ARNs, and strings as well."""
    assert_type(StreamStatus("ACTIVE"), StreamStatus)
    if status is StreamStatus.ACTIVE:
        assert_type(status, Literal[StreamStatus.ACTIVE])
    assert_type(StreamArn.parse("arn"), StreamArn)
    assert_type(arn.aws_partition, str)
    assert_type(arn.partition(":"), tuple[str, str, str])
    assert_type(arn.created_at, dt.datetime)
    return [arn, status.value, StorageTier.HOT, StreamStatus.DELETING, EnsureOutcome.RECOVERED]


class Fake:
    """The least that stands for a boto3 client: users write such fakes by hand."""

    def create_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"StreamARN": f"{args}{kwargs}"}

    describe_stream = list_tags_for_stream = describe_stream_storage_configuration = create_stream


class AsyncFake:
    """The same for an aiobotocore client."""

    async def create_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"StreamARN": f"{args}{kwargs}"}

    describe_stream = list_tags_for_stream = describe_stream_storage_configuration = create_stream


def protocols(client: KinesisVideoClient, async_client: AsyncKinesisVideoClient) -> None:
    """Take a hand-written fake, or whatever has the operations."""
    StreamsClient(Fake())
    StreamsClient(client)
    AsyncStreamsClient(Fake())
    AsyncStreamsClient(AsyncFake())
    AsyncStreamsClient(client)
    AsyncStreamsClient(async_client)


def sync_client(client: StreamsClient, request: CreateStreamRequest, arn: StreamArn) -> None:
    """Answer with our models."""
    assert_type(client.create_stream(request), CreateStreamResponse)
    assert_type(client.describe_stream("gate"), StreamInfo)
    assert_type(client.wait_until_active(arn, timeout=60, not_found_grace=2.5), StreamInfo)
    ensured = client.ensure_stream(request, wait=False, timeout=60, on_drift="ignore")
    assert_type(ensured, EnsuredStream)
    for asked, result in client.ensure_streams([request], rate=20, max_in_flight=8, wait=False):
        assert_type(asked, CreateStreamRequest)
        assert_type(result, EnsuredStream | KvsStreamsError)
    with StreamsClient(
        region_name="eu-central-1",
        endpoint_url="http://localhost:5000",
        throttle_retry=ThrottleRetry(max_attempts=3, base_delay=0.1, max_delay=1),
    ) as built:
        assert_type(built, StreamsClient)


async def async_client(
    client: AsyncStreamsClient, request: CreateStreamRequest, arn: StreamArn
) -> None:
    """Answer with the same models, awaited."""
    assert_type(await client.create_stream(request), CreateStreamResponse)
    assert_type(await client.describe_stream("gate"), StreamInfo)
    assert_type(await client.wait_until_active(arn, timeout=60, not_found_grace=2.5), StreamInfo)
    ensured = await client.ensure_stream(request, wait=False, timeout=60, on_drift="raise")
    assert_type(ensured, EnsuredStream)
    async for asked, result in client.ensure_streams([request], timeout=60, on_drift="ignore"):
        assert_type(asked, CreateStreamRequest)
        assert_type(result, EnsuredStream | KvsStreamsError)
    async with AsyncStreamsClient(region_name="eu-central-1") as built:
        assert_type(built, AsyncStreamsClient)


def errors() -> None:
    """Give each error its own attributes, inherited ones too."""
    try:
        pass
    except RequestValidationError as error:
        value_error: ValueError = error
        for violation in error.violations:
            assert_type(violation, Violation)
            rule: str = violation.rule
            assert_type(violation.value, str)
            del rule
        raise value_error from None
    except TransportError as error:
        assert_type(error.outcome_unknown, bool)
    except WaitTimeoutError as error:
        assert_type(error.last_status, StreamStatus | None)
        assert_type(error.waited, float)
        timeout_error: TimeoutError = error
        raise timeout_error from None
    except StreamDriftError as error:
        assert_type(error.drift, tuple[Drift, ...])
    except KvsStreamsError as error:
        assert_type(error.stream_name, str | None)
        assert_type(error.operation_name, str | None)
        assert_type(error.request_id, str | None)
        assert_type(error.retryable, bool)
