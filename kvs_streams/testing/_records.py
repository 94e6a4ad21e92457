"""What the kit hands out, and what passes between moto and the script."""

from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, Protocol

from attrs import field, frozen

from kvs_streams._values import StreamArn, StreamStatus


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


@frozen
class StreamRecord:
    """A stream that exists, with all that its creation asked for."""

    stream_name: str
    """The stream's name."""

    stream_arn: StreamArn
    """The stream's ARN; its trailing number is the creation time in epoch milliseconds."""

    status: StreamStatus
    """What the next ``describe_stream`` would answer, were nothing held."""

    region_name: str
    """The region that the stream is in."""

    creation_time: datetime
    """When the stream was created, by the kit's clock (aware, UTC)."""

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
    """What the kit reads and sets of the streams that moto keeps."""

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
    """Such as ``create_stream``."""

    parameters: dict[str, Any]
    """As in JSON: AWS's names."""

    invocation: str | None
    """What all attempts of one call have in common, from the SDK."""

    attempt: int
    """1 for a call's first request."""

    region: str
    account_id: str

    streams: MutableMapping[str, MotoStream]
    """moto's own store for this account and region, by ARN."""

    forward: Callable[[], Reply]
    """Have moto answer."""


class DroppedConnectionError(Exception):
    """The connection is to be closed without a reply."""


def as_text(value: str | bytes | None) -> str:
    """Return the value of a header: SDKs, moto and botocore keep it in different ways."""
    return value.decode() if isinstance(value, bytes) else value or ""


# Tracebacks, reprs and pickles show the names that users import.
Call.__module__ = StreamRecord.__module__ = "kvs_streams.testing"
