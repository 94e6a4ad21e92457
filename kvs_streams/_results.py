"""Plain records that come out: responses, streams, differences and violations."""

from datetime import datetime
from typing import Any, Literal

from attrs import NOTHING, Attribute, field, frozen

from ._values import EnsureOutcome, StreamArn, StreamStatus

Rule = Literal[
    "required",
    "type",
    "min_length",
    "max_length",
    "pattern",
    "min",
    "max",
    "max_items",
    "reserved_prefix",
    "enum",
    "unknown",
]


# Of a request with more faults, an error keeps the first ones.
VIOLATIONS_LIMIT = 1_000


class _Record:
    """A record whose pickles load in later versions: a field that came later has its default."""

    __slots__ = ()

    def __getstate__(self) -> dict[str, object]:
        return {each.name: getattr(self, each.name) for each in _fields(self)}

    def __setstate__(self, state: dict[str, object]) -> None:
        for each in _fields(self):
            value = state.get(each.name, each.default)
            if value is not NOTHING:
                object.__setattr__(self, each.name, value)


def _fields(record: Any) -> "tuple[Attribute[Any], ...]":
    found: tuple[Attribute[Any], ...] = record.__attrs_attrs__
    return found


@frozen(getstate_setstate=False)
class Violation(_Record):
    """One fault of a request: the field, the published rule that it breaks, and its value."""

    parameter: str
    """AWS's name of the parameter, such as ``Tags``."""

    field: str
    """The path to the fault in Python's terms, such as ``tags['k!']``."""

    rule: Rule
    """The rule that is broken, such as ``max_length``."""

    message: str
    """The fault in one sentence."""

    value: str
    """The value as text, escaped and truncated; empty if the rule is ``unknown``."""


@frozen(getstate_setstate=False)
class Drift(_Record):
    """One difference between what a request sets and what the existing stream has."""

    field: str
    """The path to the field in Python's terms, such as ``media_type`` or ``tags['site']``."""

    requested: str | int
    """The requested value."""

    found: str | int | None
    """The stream's value; ``None`` if it is not set."""


def _to_arn(value: str) -> StreamArn:
    return value if type(value) is StreamArn else StreamArn(value)


def _to_status(value: str) -> StreamStatus:
    return StreamStatus(value)


@frozen(kw_only=True, getstate_setstate=False)
class CreateStreamResponse(_Record):
    """AWS's response to a create; the stream becomes ``ACTIVE`` some time later."""

    stream_arn: StreamArn = field(converter=_to_arn)
    """The ARN of the new stream."""

    request_id: str | None = None
    """The request id, which AWS Support asks for; ``None`` if the response had none."""

    http_status_code: int | None = None
    """The HTTP status of the response; ``None`` if the response had none."""

    retry_attempts: int = 0
    """The number of requests sent for this call, by botocore and by this library, less one."""


@frozen(kw_only=True, getstate_setstate=False)
class StreamInfo(_Record):
    """A stream as ``DescribeStream`` shows it; its storage tier and tags are not part of it."""

    stream_name: str
    """The name of the stream."""

    stream_arn: StreamArn = field(converter=_to_arn)
    """The ARN of the stream."""

    status: StreamStatus = field(converter=_to_status)
    """The status of the stream."""

    device_name: str | None = None
    """The name of the device that writes to the stream; ``None`` if it is not set."""

    media_type: str | None = None
    """The media type of the stream; ``None`` if it is not set."""

    kms_key_id: str | None = None
    """The KMS key that encrypts the data; an alias ARN for the AWS managed key."""

    version: str | None = None
    """The version of the stream's metadata, which changes with every update."""

    creation_time: datetime | None = None
    """When the stream was created, in UTC."""

    data_retention_in_hours: int | None = None
    """How long the data is retained, in hours; 0 stores nothing."""


@frozen(kw_only=True, getstate_setstate=False)
class EnsuredStream(_Record):
    """The stream that ``ensure_stream`` created or found."""

    stream: StreamInfo
    """The stream as it was last described."""

    outcome: EnsureOutcome
    """Whether this call created it, recovered it after a lost response, or found it."""

    drift: tuple[Drift, ...] = ()
    """Every difference from the request; empty for a stream that this call created."""

    unverified: tuple[str, ...] = ()
    """Requested fields that could not be compared: not allowed, or not offered by the endpoint."""
