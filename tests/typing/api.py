"""What type checkers must say of every public name: checked, never run.

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
    StorageTier,
    StreamArn,
    StreamInfo,
    StreamsClient,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    Violation,
)
from kvs_streams.typing import AsyncKinesisVideoClient, CreateStreamKwargs, KinesisVideoClient

assert_type(kvs_streams.__version__, str)


def requests() -> None:
    """Take what boto3 takes, and say exactly what comes back."""
    request = CreateStreamRequest(stream_name="gate")
    assert_type(request, CreateStreamRequest)
    assert_type(request.stream_name, str)
    assert_type(request.device_name, str | None)
    assert_type(request.media_type, str | None)
    assert_type(request.kms_key_id, str | None)
    assert_type(request.data_retention_in_hours, int | None)
    assert_type(request.tags, Mapping[str, str] | None)
    assert_type(request.stream_storage_configuration, StreamStorageConfiguration | None)
    assert_type(request.to_boto(), CreateStreamKwargs)
    assert_type(CreateStreamRequest.from_boto({"StreamName": "gate"}), CreateStreamRequest)
    assert_type(CreateStreamRequest.from_boto(request.to_boto()), CreateStreamRequest)
    assert_type(attrs.evolve(request, stream_name="yard"), CreateStreamRequest)

    CreateStreamRequest(
        stream_name="gate",
        device_name="camera-1",
        media_type="video/h264,audio/aac",
        kms_key_id="alias/video",
        data_retention_in_hours=dt.timedelta(days=2),
        tags={"site": "north", "empty": None},
        stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
    )
    CreateStreamRequest(
        stream_name="gate",
        device_name=None,
        media_type=None,
        kms_key_id=None,
        data_retention_in_hours=None,
        tags=None,
        stream_storage_configuration=None,
    )
    plain: dict[str, str] = {"site": "north"}
    CreateStreamRequest(stream_name="gate", tags=plain, data_retention_in_hours=24)
    CreateStreamRequest(stream_name="gate", tags=MappingProxyType(plain))


def storage() -> None:
    """Take a member or its text, and give a member."""
    by_text = StreamStorageConfiguration(default_storage_tier="HOT")
    assert_type(by_text.default_storage_tier, StorageTier)
    StreamStorageConfiguration(default_storage_tier=StorageTier.WARM)
    tier: Literal["HOT", "WARM"] = "WARM"
    StreamStorageConfiguration(default_storage_tier=tier)


def replies(response: CreateStreamResponse, info: StreamInfo, ensured: EnsuredStream) -> None:
    """Give each member its own type."""
    assert_type(response.stream_arn, StreamArn)
    assert_type(response.request_id, str | None)
    assert_type(response.http_status_code, int | None)
    assert_type(response.retry_attempts, int)

    assert_type(info.stream_name, str)
    assert_type(info.stream_arn, StreamArn)
    assert_type(info.status, StreamStatus)
    assert_type(info.device_name, str | None)
    assert_type(info.media_type, str | None)
    assert_type(info.kms_key_id, str | None)
    assert_type(info.version, str | None)
    assert_type(info.creation_time, dt.datetime | None)
    assert_type(info.data_retention_in_hours, int | None)

    assert_type(ensured.stream, StreamInfo)
    assert_type(ensured.outcome, EnsureOutcome)
    assert_type(ensured.drift, tuple[Drift, ...])
    assert_type(ensured.unverified, tuple[str, ...])
    for drift in ensured.drift:
        assert_type(drift.field, str)
        assert_type(drift.requested, str | int)
        assert_type(drift.found, str | int | None)

    # For tests of users' own code, which make replies themselves.
    CreateStreamResponse(stream_arn=StreamArn("arn:aws:kinesisvideo:eu-central-1:1:stream/gate/1"))
    StreamInfo(stream_name="gate", stream_arn=info.stream_arn, status=StreamStatus.ACTIVE)
    EnsuredStream(stream=info, outcome=EnsureOutcome.EXISTING)
    Drift(field="media_type", requested="video/h264", found=None)
    Violation(parameter="Tags", field="tags", rule="max_items", message="too many", value="51")


def enums(status: StreamStatus) -> None:
    """Be enums and strings at once."""
    assert_type(StreamStatus("ACTIVE"), StreamStatus)
    assert_type(StorageTier("HOT"), StorageTier)
    texts: list[str] = [
        StorageTier.HOT,
        StorageTier.WARM,
        StreamStatus.CREATING,
        StreamStatus.ACTIVE,
        StreamStatus.UPDATING,
        StreamStatus.DELETING,
        EnsureOutcome.CREATED,
        EnsureOutcome.RECOVERED,
        EnsureOutcome.EXISTING,
    ]
    assert_type(texts.pop(), str)
    value: str = status.value
    del value
    if status is StreamStatus.ACTIVE:
        assert_type(status, Literal[StreamStatus.ACTIVE])


def arns(arn: StreamArn) -> None:
    """Be strings with parts."""
    text: str = arn
    assert_type(StreamArn(text), StreamArn)
    assert_type(StreamArn.parse(text), StreamArn)
    assert_type(arn.aws_partition, str)
    assert_type(arn.partition(":"), tuple[str, str, str])
    assert_type(arn.region, str)
    assert_type(arn.account_id, str)
    assert_type(arn.stream_name, str)
    assert_type(arn.created_at, dt.datetime)


class Fake:
    """The least that stands for a boto3 client: users write such fakes by hand."""

    def create_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"StreamARN": f"{args}{kwargs}"}

    def describe_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"StreamInfo": (args, kwargs)}

    def list_tags_for_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"Tags": (args, kwargs)}

    def describe_stream_storage_configuration(
        self, *args: object, **kwargs: object
    ) -> dict[str, object]:
        return {"StreamStorageConfiguration": (args, kwargs)}


class AsyncFake:
    """The same for an aiobotocore client."""

    async def create_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"StreamARN": f"{args}{kwargs}"}

    async def describe_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"StreamInfo": (args, kwargs)}

    async def list_tags_for_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"Tags": (args, kwargs)}

    async def describe_stream_storage_configuration(
        self, *args: object, **kwargs: object
    ) -> dict[str, object]:
        return {"StreamStorageConfiguration": (args, kwargs)}


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
    assert_type(client.describe_stream(arn), StreamInfo)
    assert_type(client.wait_until_active("gate"), StreamInfo)
    assert_type(client.wait_until_active(arn, timeout=60, not_found_grace=2.5), StreamInfo)
    assert_type(client.ensure_stream(request), EnsuredStream)
    assert_type(
        client.ensure_stream(request, wait=False, timeout=60, on_drift="ignore"), EnsuredStream
    )
    for asked, result in client.ensure_streams([request], rate=20, max_in_flight=8, wait=False):
        assert_type(asked, CreateStreamRequest)
        assert_type(result, EnsuredStream | KvsStreamsError)
    assert_type(client.close(), None)
    with StreamsClient(region_name="eu-central-1") as built:
        assert_type(built, StreamsClient)
    StreamsClient(
        region_name="eu-central-1",
        endpoint_url="http://localhost:5000",
        throttle_retry=ThrottleRetry(max_attempts=3, base_delay=0.1, max_delay=1),
    )
    StreamsClient()


async def async_client(
    client: AsyncStreamsClient, request: CreateStreamRequest, arn: StreamArn
) -> None:
    """Answer with the same models, awaited."""
    assert_type(await client.create_stream(request), CreateStreamResponse)
    assert_type(await client.describe_stream("gate"), StreamInfo)
    assert_type(await client.describe_stream(arn), StreamInfo)
    assert_type(await client.wait_until_active("gate"), StreamInfo)
    assert_type(await client.wait_until_active(arn, timeout=60, not_found_grace=2.5), StreamInfo)
    assert_type(await client.ensure_stream(request), EnsuredStream)
    assert_type(
        await client.ensure_stream(request, wait=False, timeout=60, on_drift="raise"),
        EnsuredStream,
    )
    async for asked, result in client.ensure_streams([request], timeout=60, on_drift="ignore"):
        assert_type(asked, CreateStreamRequest)
        assert_type(result, EnsuredStream | KvsStreamsError)
    assert_type(await client.aclose(), None)
    async with AsyncStreamsClient(region_name="eu-central-1") as built:
        assert_type(built, AsyncStreamsClient)
    AsyncStreamsClient(endpoint_url="http://localhost:5000", throttle_retry=ThrottleRetry())
    AsyncStreamsClient()


def policy(retry: ThrottleRetry) -> None:
    """Show the settings."""
    assert_type(retry.max_attempts, int)
    assert_type(retry.base_delay, float)
    assert_type(retry.max_delay, float)
