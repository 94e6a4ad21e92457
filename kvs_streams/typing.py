"""Types for annotations: protocols for boto clients, and boto3's arguments."""

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
    """The operations that ``StreamsClient`` calls on boto3's client, or on a fake.

    ``ensure_streams`` also calls ``list_streams`` if the client has it.
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
    """The operations that ``AsyncStreamsClient`` awaits on aiobotocore's client, or on a fake."""

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
    """A ``boto3.Session``, or another object that makes clients."""

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """Make a client."""
        ...


class StreamStorageConfigurationKwargs(TypedDict):
    """The storage configuration in boto3's form."""

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
