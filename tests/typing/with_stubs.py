"""What type checkers must say where boto3-stubs is installed: checked, never run."""

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_kinesisvideo import KinesisVideoClient
from typing_extensions import assert_type

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    ServiceError,
    StreamsClient,
    TransportError,
)


def clients(client: KinesisVideoClient, base: BaseClient) -> None:
    """Take boto3's typed client, its base class, and what a client is built from."""
    StreamsClient(client)
    StreamsClient(base)
    # boto3-stubs itself leaves the services open whose stubs are not installed.
    StreamsClient(boto3.client("kinesisvideo"))  # pyright: ignore[reportUnknownMemberType]
    StreamsClient(session=boto3.Session(), config=Config(connect_timeout=1))
    AsyncStreamsClient(client)
    AsyncStreamsClient(base)
    AsyncStreamsClient(session=boto3.Session(), config=Config(connect_timeout=1))


def other_operations(client: StreamsClient, twin: AsyncStreamsClient) -> None:
    """Give boto3's client with the stubs' own types; to pyrefly and ty it can be Any as well."""
    boto_client = client.boto_client
    assert_type(boto_client, KinesisVideoClient)  # pyrefly: ignore[assert-type]  # ty: ignore[type-assertion-failure]
    endpoint = client.boto_client.get_data_endpoint(StreamName="gate", APIName="PUT_MEDIA")
    assert_type(endpoint["DataEndpoint"], str)  # pyrefly: ignore[assert-type]  # ty: ignore[type-assertion-failure]
    twin.boto_client.tag_stream(StreamName="gate", Tags={"site": "north"})


def arguments(client: KinesisVideoClient, request: CreateStreamRequest) -> None:
    """Give boto3's own method what it takes."""
    client.create_stream(**request.to_boto())


def errors() -> list[type[BotoCoreError | ClientError]]:
    """Be what guards around boto3's calls catch."""
    answered: type[ClientError] = ServiceError
    failed: type[BotoCoreError] = TransportError
    return [answered, failed]
