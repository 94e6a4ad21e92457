"""What the kit hands out, and what moto and the service pass to each other."""

from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Protocol

from attrs import field, frozen

from kvs_streams._models import StreamArn, StreamStatus


@frozen
class Call:
    """One request that reached the service.

    botocore's retries are requests of their own: ``attempt`` tells them apart.
    """

    operation: str
    """The operation by boto3's name, such as ``create_stream``."""

    parameters: Mapping[str, Any] = field(hash=False)
    """The parameters by AWS's names, as they arrived."""

    attempt: int
    """1 for a call's first request, 2 for botocore's first retry, and so on."""

    error: str | None
    """The error code answered; ``ConnectionClosedError`` if the connection was dropped."""

    region_name: str
    """The region that was called."""

    account_id: str = "123456789012"
    """The account of the caller; moto's own by default."""


@frozen
class StreamRecord:
    """A stream that exists, with its whole configuration."""

    stream_name: str
    """The stream's name."""

    stream_arn: StreamArn
    """The stream's ARN; its trailing number is the creation time in epoch milliseconds."""

    status: StreamStatus
    """The current status."""

    region_name: str
    """The region of the stream."""

    account_id: str
    """The account of the stream; by default moto's own, ``123456789012``."""

    creation_time: datetime
    """When the stream was created, by the kit's clock (aware, UTC)."""

    version: str
    """The version, which each update of the stream changes."""

    device_name: str | None
    """As requested."""

    media_type: str | None
    """As requested."""

    kms_key_id: str | None
    """As requested; by default AWS's own key, ``arn:…:alias/aws/kinesisvideo``."""

    data_retention_in_hours: int
    """As requested; 0 by default."""

    tags: Mapping[str, str] = field(hash=False)
    """As requested."""

    default_storage_tier: str
    """As requested; ``HOT`` by default."""


class MotoStream(Protocol):
    """What the kit reads and sets in moto's streams."""

    arn: str
    stream_name: str
    status: str
    version: str
    creation_time: datetime
    device_name: str | None
    media_type: str | None
    kms_key_id: str | None
    data_retention_in_hours: int | None
    tags: dict[str, str] | None


@frozen
class Reply:
    """An HTTP reply."""

    status: int
    headers: Mapping[str, str]
    body: str


@frozen
class Request:
    """A request as it arrived, with moto's own answer to it on demand."""

    operation: str
    """Such as ``create_stream``; also operations that the kit does not imitate."""

    parameters: dict[str, Any]
    """As in JSON: AWS's names."""

    invocation: str | None
    """The SDK's id of a call, the same in all its attempts."""

    attempt: int
    """1 for a call's first request."""

    region: str
    account_id: str

    streams: MutableMapping[str, MotoStream]
    """moto's own store for this account and region, by ARN."""

    forward: Callable[[], Reply]
    """Let moto answer."""


class DroppedConnectionError(Exception):
    """Raised to close the connection without a reply."""


def as_text(value: str | bytes | None) -> str:
    """Return the value of a header: SDKs, moto and botocore keep it in different ways."""
    return value.decode() if isinstance(value, bytes) else value or ""
