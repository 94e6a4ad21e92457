"""What ends in boto3's own types, with and without boto3-stubs: checked, never run."""

import asyncio
from typing import Any

from typing_extensions import assert_type

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamResponse,
    ResourceInUseException,
    ServiceError,
    StreamsClient,
)


def other_operations(client: StreamsClient) -> None:
    """Call what programs call after a create."""
    client.boto_client.delete_stream(StreamARN="arn", CurrentVersion="1")
    client.boto_client.tag_stream(StreamName="gate", Tags={"site": "north"})
    reply = client.boto_client.get_data_endpoint(StreamName="gate", APIName="PUT_MEDIA")
    print(reply["DataEndpoint"])
    for info in client.boto_client.list_streams(MaxResults=10)["StreamInfoList"]:
        print(info)


async def in_a_thread(client: AsyncStreamsClient) -> None:
    """The same over the client underneath an async one."""
    await asyncio.to_thread(client.boto_client.delete_stream, StreamARN="arn")


def errors(error: ServiceError, conflict: ResourceInUseException) -> dict[str, Any]:
    """Keep boto3's own reply as boto3 types it: a dict of anything."""
    assert_type(error.code, str)
    assert_type(error.http_status_code, int | None)
    assert_type(error.retry_attempts, int)
    assert_type(error.created, CreateStreamResponse | None)
    assert_type(conflict.possibly_own, bool)
    return error.response
