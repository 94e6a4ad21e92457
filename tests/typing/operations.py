"""Every other operation through ``boto_client``, with and without boto3-stubs: checked, never run."""

import asyncio

from kvs_streams import AsyncStreamsClient, StreamsClient


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
