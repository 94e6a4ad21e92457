"""Results: responses, streams, ARNs, enums, differences and violations."""

import re
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Literal

from attrs import field, frozen

from ._text import shown

_TextRule = Literal["pattern", "min_length", "max_length", "reserved_prefix", "enum"]
Rule = Literal[_TextRule, "required", "type", "min", "max", "max_items", "unknown"]

_ARN = re.compile(
    r"arn:(?P<aws_partition>[a-z0-9-]+):kinesisvideo:(?P<region>[a-z0-9-]+)"
    r":(?P<account_id>[0-9]+):stream/(?P<stream_name>[a-zA-Z0-9_.-]+)/(?P<created_at>[0-9]+)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _TextEnum(str, Enum):
    """An enum of strings, also in f-strings, like ``StrEnum`` of Python 3.11."""

    __str__ = str.__str__


class StorageTier(_TextEnum):
    """Where a stream stores its data by default (source: botocore model, DefaultStorageTier)."""

    HOT = "HOT"
    """For frequent access, with the lowest latency; the service's default."""

    WARM = "WARM"
    """For moderate access at a lower price; the data is billed for at least 30 days."""


class StreamStatus(_TextEnum):
    """The status of a stream; there is no failed state (source: botocore model, Status).

    A status unknown to this version becomes a member of its own, equal to its text.
    """

    CREATING = "CREATING"
    """Being created; not usable yet."""

    ACTIVE = "ACTIVE"
    """Ready for use."""

    UPDATING = "UPDATING"
    """Being updated; usable with its former configuration."""

    DELETING = "DELETING"
    """Being deleted; the name can be used again once the stream is gone."""

    @classmethod
    def _missing_(cls, value: object) -> "StreamStatus | None":
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value  # pyrefly: ignore[bad-assignment]  # only the known ones are literal
        return member


class EnsureOutcome(_TextEnum):
    """How ``ensure_stream`` obtained the stream."""

    CREATED = "CREATED"
    """This call created the stream."""

    RECOVERED = "RECOVERED"
    """An earlier attempt of this call created the stream, and the response was lost.

    The stream was created after this call began, and it matches the request. The API offers no
    stronger proof.
    """

    EXISTING = "EXISTING"
    """The stream existed already."""


class StreamArn(str):
    """The Amazon Resource Name (ARN) of a stream, a subclass of ``str``.

    ``StreamArn(text)`` takes any text, so that the ARN of a created stream is never lost.
    ``StreamArn.parse(text)`` and the properties raise ``ValueError`` if it is not a stream's ARN.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "StreamArn":
        """Return ``text`` as an ARN, or raise ``ValueError`` if it is not the ARN of a stream."""
        arn = cls(text)
        arn._match()
        return arn

    def _match(self) -> re.Match[str]:
        match = _ARN.fullmatch(self)
        if match is None:
            raise ValueError(f"not the ARN of a Kinesis video stream: {shown(self)}")
        return match

    @property
    def aws_partition(self) -> str:
        """The partition, such as ``aws`` or ``aws-cn``.

        It is not named ``partition``, because ``str.partition`` is a method.
        """
        return self._match()["aws_partition"]

    @property
    def region(self) -> str:
        """The region, such as ``eu-central-1``."""
        return self._match()["region"]

    @property
    def account_id(self) -> str:
        """The account id: a string of digits."""
        return self._match()["account_id"]

    @property
    def stream_name(self) -> str:
        """The name of the stream."""
        return self._match()["stream_name"]

    @property
    def created_at(self) -> datetime:
        """When the stream was created, in UTC, from the ARN's suffix (epoch milliseconds).

        The suffix is observed, not documented by AWS; ``StreamInfo.creation_time`` is the
        documented time.
        """
        try:
            return _EPOCH + timedelta(milliseconds=int(self._match()["created_at"]))
        except OverflowError as exc:
            raise ValueError(f"the ARN does not end with a time: {shown(self)}") from exc


@frozen
class Violation:
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


@frozen
class Drift:
    """One difference between a request and the existing stream."""

    field: str
    """The path to the field in Python's terms, such as ``media_type`` or ``tags['site']``."""

    requested: str | int
    """The requested value."""

    found: str | int | None
    """The stream's value; ``None`` if it is not set."""


def _to_arn(value: str) -> StreamArn:
    return StreamArn(value)


def _to_status(value: str) -> StreamStatus:
    return StreamStatus(value)


@frozen(kw_only=True)
class CreateStreamResponse:
    """AWS's response to ``CreateStream``; the stream becomes ``ACTIVE`` some time later."""

    stream_arn: StreamArn = field(converter=_to_arn)
    """The ARN of the new stream."""

    request_id: str | None = None
    """The request id, which AWS Support asks for; ``None`` if the response had none."""

    http_status_code: int | None = None
    """The HTTP status of the response; ``None`` if the response had none."""

    retry_attempts: int = 0
    """The number of retries for this call, by botocore and by this library."""


@frozen(kw_only=True)
class StreamInfo:
    """A stream as ``DescribeStream`` returns it, without its storage tier and tags."""

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


@frozen(kw_only=True)
class EnsuredStream:
    """The stream that ``ensure_stream`` created or found."""

    stream: StreamInfo
    """The stream as it was last described."""

    outcome: EnsureOutcome
    """Whether this call created the stream, recovered it after a lost response, or found it."""

    drift: tuple[Drift, ...] = ()
    """Every difference from the request; empty for a stream that this call created."""

    unverified: tuple[str, ...] = ()
    """Requested fields that could not be compared, for example because a read was denied."""
