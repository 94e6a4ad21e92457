"""Wrong uses, each on one line that ends in ``# refused``: mypy and pyright report those lines alone.

Checked by ``refused.py``, never run.
"""

from datetime import datetime

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    CreateStreamResponse,
    EnsuredStream,
    KvsStreamsError,
    ResourceInUseException,
    ServiceError,
    StorageTier,
    StreamInfo,
    StreamsClient,
    StreamStorageConfiguration,
    ThrottleRetry,
    TransportError,
)

# Requests: names, types, and that they never change.
CreateStreamRequest()  # refused
CreateStreamRequest(stream_name=None)  # refused
CreateStreamRequest(stream_name="gate", retention=24)  # refused
CreateStreamRequest(stream_name="gate", data_retention_in_hours="24")  # refused
CreateStreamRequest(stream_name="gate", data_retention_in_hours=24.0)  # refused
CreateStreamRequest(stream_name="gate", tags={"site": 1})  # refused
CreateStreamRequest(stream_name="gate", tags=[{"Key": "site", "Value": "north"}])  # refused
CreateStreamRequest(stream_name="gate", stream_storage_configuration="WARM")  # refused
CreateStreamRequest.from_boto(["gate"])  # refused
StreamStorageConfiguration("WARM")  # refused
StreamStorageConfiguration(default_storage_tier="COLD")  # refused
request = CreateStreamRequest(stream_name="gate", tags={"site": "north"})
request.stream_name = "yard"  # refused
request.tags["site"] = "south"  # refused
request.device_name.upper()  # refused
StorageTier.COLD  # refused


def replies(response: CreateStreamResponse, info: StreamInfo, ensured: EnsuredStream) -> None:
    """Use members that are not there, or not of that type."""
    response.retry_attempts = 1  # refused
    hours: int = info.data_retention_in_hours  # refused
    when: datetime = info.creation_time  # refused
    ensured.drift.append(hours)  # refused
    response.stream_arn.region = "eu-west-1"  # refused
    print(when)


def sync_client(client: StreamsClient) -> None:
    """Call methods as boto3's, or with what they do not take."""
    client.create_stream("gate")  # refused
    client.create_stream(**request.to_boto())  # refused
    client.wait_until_active("gate", 60)  # refused
    client.wait_until_active("gate", timeout=None)  # refused
    client.ensure_stream("gate")  # refused
    client.ensure_stream(request, False)  # refused
    client.ensure_stream(request, on_drift="warn")  # refused
    arn: str = client.ensure_stream(request)  # refused
    print(arn)


async def async_client(client: AsyncStreamsClient) -> None:
    """The same for the async client, and an await forgotten."""
    client.create_stream(request).stream_arn  # refused


class Half:
    """Stands for a client, and lacks three of its operations."""

    def create_stream(self, *args: object, **kwargs: object) -> dict[str, object]:
        return {"StreamARN": f"{args}{kwargs}"}


# Clients: what they are built from.
StreamsClient("eu-central-1")  # refused
StreamsClient(Half())  # refused
StreamsClient(region="eu-central-1")  # refused
StreamsClient(session="default")  # refused
StreamsClient(throttle_retry=5)  # refused
ThrottleRetry(5)  # refused


def errors(error: KvsStreamsError, service: ServiceError, transport: TransportError) -> None:
    """Ask an error for what only another one has."""
    error.code  # refused
    error.violations  # refused
    service.possibly_own  # refused
    status: int = service.http_status_code  # refused
    ResourceInUseException()  # refused
    print(status)
