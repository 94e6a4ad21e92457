"""The values of the service's vocabulary: its enums and the ARN of a stream."""

import re
from datetime import datetime, timedelta, timezone
from enum import Enum

from ._text import VALUE_LIMIT, escape, shown

_ARN = re.compile(
    r"arn:(?P<aws_partition>[a-z0-9-]+):kinesisvideo:(?P<region>[a-z0-9-]+)"
    r":(?P<account_id>[0-9]+):stream/(?P<stream_name>[a-zA-Z0-9_.-]+)/(?P<created_at>[0-9]+)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _TextEnum(str, Enum):
    """An enum whose members are their texts, in f-strings too (as ``StrEnum`` of Python 3.11)."""

    def __str__(self) -> str:
        return str.__str__(self)

    def __repr__(self) -> str:
        """Show the member as every enum does, on one line of bounded length."""
        name = escape(self.name, VALUE_LIMIT)
        return f"<{type(self).__name__}.{name}: {shown(self.value, redacted=False)}>"

    def __reduce_ex__(self, proto: object) -> tuple[type["_TextEnum"], tuple[str]]:
        # Python 3.11.0 to 3.11.3 pickle by name, under which a later value has no member.
        return type(self), (self.value,)


class StorageTier(_TextEnum):
    """Where a stream stores its data by default (source: botocore model, DefaultStorageTier)."""

    HOT = "HOT"
    """For frequent access, with the lowest latency; the service's default."""

    WARM = "WARM"
    """For moderate access at a lower price; the data is billed for at least 30 days."""


class StreamStatus(_TextEnum):
    """The status of a stream; there is no failed state (source: botocore model, Status).

    A status that this version does not know becomes a member of its own, equal to its text. Of what
    the service sends, 80 characters are kept, those that are not printable are escaped, and what
    looks like a secret is hidden.
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
        text = str.__str__(value)
        member = str.__new__(cls, text)
        member._name_ = text
        member._value_ = text  # pyrefly: ignore[bad-assignment]  # only the known ones are literal
        return member


class EnsureOutcome(_TextEnum):
    """How ``ensure_stream`` obtained the stream."""

    CREATED = "CREATED"
    """This call created it."""

    RECOVERED = "RECOVERED"
    """An earlier attempt of this call created it, and the response was lost.

    The stream was created after this call began, and it is as requested. The API offers no stronger
    proof.
    """

    EXISTING = "EXISTING"
    """It existed already."""


class StreamArn(str):
    """The Amazon Resource Name of a stream, usable wherever a string is.

    ``StreamArn(text)`` takes any text, so that the ARN of a created stream is never lost.
    ``StreamArn.parse(text)`` and the properties raise ``ValueError`` if it is not a stream's ARN.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "StreamArn":  # noqa: PYI034  # Self costs an import
        """Make an ARN of any text."""
        if not isinstance(text, str):
            raise TypeError(f"an ARN must be a string, not {shown(text)}")
        return super().__new__(cls, str.__str__(text))

    @classmethod
    def parse(cls, text: str) -> "StreamArn":
        """Return ``text`` as an ARN, or raise ``ValueError`` if it is not the ARN of a stream."""
        arn = cls(text)
        arn._match()
        return arn

    def __repr__(self) -> str:
        """Show the type too."""
        return f"StreamArn({str.__repr__(self)})"

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
        documented time. ``ValueError`` if this is not the ARN of a stream.
        """
        suffix = self._match()["created_at"]
        try:
            return _EPOCH + timedelta(milliseconds=int(suffix))
        except (OverflowError, ValueError) as exc:
            raise ValueError(f"not a time in milliseconds: {shown(suffix)}") from exc
