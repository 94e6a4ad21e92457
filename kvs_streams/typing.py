"""Types for annotations: what this library needs of a boto client, and boto3's arguments."""

from collections.abc import Awaitable, Mapping
from typing import Any, Literal, Protocol, TypedDict

__all__ = [
    "AsyncKinesisVideoClient",
    "BotoSession",
    "CreateStreamKwargs",
    "KinesisVideoClient",
    "StreamStorageConfigurationKwargs",
]


class KinesisVideoClient(Protocol):
    """The operations that ``StreamsClient`` calls: boto3's client has them, and so can a fake.

    ``ensure_streams`` also calls ``list_streams``; a fake without it is described stream by stream.
    """

    def create_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Create a stream."""
        ...

    def describe_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Describe a stream."""
        ...

    def list_tags_for_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """List a stream's tags."""
        ...

    def describe_stream_storage_configuration(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Describe a stream's storage tier."""
        ...


class AsyncKinesisVideoClient(Protocol):
    """The operations that ``AsyncStreamsClient`` awaits: aiobotocore's client has them."""

    def create_stream(self, *args: Any, **kwargs: Any) -> Awaitable[Mapping[str, Any]]:
        """Create a stream."""
        ...

    def describe_stream(self, *args: Any, **kwargs: Any) -> Awaitable[Mapping[str, Any]]:
        """Describe a stream."""
        ...

    def list_tags_for_stream(self, *args: Any, **kwargs: Any) -> Awaitable[Mapping[str, Any]]:
        """List a stream's tags."""
        ...

    def describe_stream_storage_configuration(
        self, *args: Any, **kwargs: Any
    ) -> Awaitable[Mapping[str, Any]]:
        """Describe a stream's storage tier."""
        ...


class BotoSession(Protocol):
    """What this library needs of a ``boto3.Session``: that it makes clients."""

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """Make a client."""
        ...


class StreamStorageConfigurationKwargs(TypedDict):
    """The storage configuration as boto3 takes it."""

    DefaultStorageTier: Literal["HOT", "WARM"]


class _CreateStreamRequired(TypedDict):
    StreamName: str


class CreateStreamKwargs(_CreateStreamRequired, total=False):
    """The keyword arguments of boto3's ``create_stream``."""

    DeviceName: str
    MediaType: str
    KmsKeyId: str
    DataRetentionInHours: int
    Tags: dict[str, str]
    StreamStorageConfiguration: StreamStorageConfigurationKwargs
