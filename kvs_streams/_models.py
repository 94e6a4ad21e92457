"""What goes in and what comes out: the request, the response, the stream, its ARN and the enums."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import TYPE_CHECKING, Literal, NoReturn, cast

from attrs import field, frozen

from . import _limits
from ._text import is_mapping, shown
from ._validation import check_request, check_storage_tier, unknown, wrong_type
from .errors import Drift, RequestValidationError, Violation, show_as_public

if TYPE_CHECKING:
    from typing_extensions import Self

    from .typing import CreateStreamKwargs, StreamStorageConfigurationKwargs

__all__ = [
    "CreateStreamRequest",
    "CreateStreamResponse",
    "EnsureOutcome",
    "EnsuredStream",
    "StorageTier",
    "StreamArn",
    "StreamInfo",
    "StreamStatus",
    "StreamStorageConfiguration",
]

_ARN = re.compile(
    r"arn:(?P<partition>[a-z0-9-]+):kinesisvideo:(?P<region>[a-z0-9-]+):(?P<account_id>[0-9]+)"
    r":stream/(?P<stream_name>[a-zA-Z0-9_.-]+)/(?P<created_at>[0-9]+)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_HOUR = timedelta(hours=1)
# Stands for a key that a mapping does not have, where ``None`` is a value that somebody wrote.
_ABSENT = object()


class _TextEnum(str, Enum):
    """An enum whose members are their texts, in f-strings too (as ``StrEnum`` of Python 3.11)."""

    def __str__(self) -> str:
        return str.__str__(self)

    def __reduce_ex__(self, proto: object) -> tuple[type["_TextEnum"], tuple[str]]:
        # Python 3.11.0 to 3.11.3 pickle by name, under which a later value has no member.
        return type(self), (self.value,)


class StorageTier(_TextEnum):
    """Where a stream keeps its data by default (source: botocore model, DefaultStorageTier)."""

    HOT = "HOT"
    """For frequent access, with the lowest latency; the service's default."""

    WARM = "WARM"
    """For moderate access at a lower price; the data is billed for 30 days at least."""


class StreamStatus(_TextEnum):
    """What a stream is doing; there is no failed state (source: botocore model, Status).

    A status that this version does not know becomes a member of its own, equal to its text.
    """

    CREATING = "CREATING"
    """Being created; not usable yet."""

    ACTIVE = "ACTIVE"
    """Ready for use."""

    UPDATING = "UPDATING"
    """Being changed; usable with its former configuration."""

    DELETING = "DELETING"
    """Being deleted; the name is free again once the stream is gone."""

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
    """How ``ensure_stream`` came by the stream."""

    CREATED = "CREATED"
    """This call created it."""

    RECOVERED = "RECOVERED"
    """It was created since this call began, after a reply got lost, and is as requested.

    It is this call's own, as surely as the API lets anyone know.
    """

    EXISTING = "EXISTING"
    """It was there already."""


class StreamArn(str):
    """The Amazon Resource Name of a stream, usable wherever a string is.

    ``StreamArn(text)`` takes any text, so that the ARN of a stream that was created is never lost;
    ``StreamArn.parse(text)`` refuses what is no stream ARN.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> "Self":
        """Make an ARN of any text."""
        if not isinstance(text, str):
            msg = f"an ARN is a string, not {shown(text)}"
            raise TypeError(msg)
        return super().__new__(cls, str.__str__(text))

    @classmethod
    def parse(cls, text: str) -> "Self":
        """Return ``text`` as an ARN, or raise ``ValueError`` if it is not the ARN of a stream."""
        arn = cls(text)
        arn._match()
        return arn

    def __repr__(self) -> str:
        """Show the type, which the plain text would hide."""
        return f"StreamArn({str.__repr__(self)})"

    def _match(self) -> re.Match[str]:
        match = _ARN.fullmatch(self)
        if match is None:
            msg = f"not the ARN of a Kinesis video stream: {shown(self)}"
            raise ValueError(msg)
        return match

    @property
    def partition(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # AWS's word
        """The partition, such as ``aws`` or ``aws-cn``; ``ValueError`` if this is no stream ARN.

        It takes the place of ``str.partition``, which an ARN has not.
        """
        return self._match()["partition"]

    @property
    def region(self) -> str:
        """The region, such as ``eu-central-1``; ``ValueError`` if this is no stream ARN."""
        return self._match()["region"]

    @property
    def account_id(self) -> str:
        """The account, as text of digits; ``ValueError`` if this is no stream ARN."""
        return self._match()["account_id"]

    @property
    def stream_name(self) -> str:
        """The stream's name; ``ValueError`` if this is no stream ARN."""
        return self._match()["stream_name"]

    @property
    def created_at(self) -> datetime:
        """When the stream was created, in UTC; ``ValueError`` if this is no stream ARN.

        Read from the ARN's suffix, which is the time in milliseconds since 1970. That is observed,
        not documented by AWS: ``StreamInfo.creation_time`` is the documented time.
        """
        suffix = self._match()["created_at"]
        try:
            return _EPOCH + timedelta(milliseconds=int(suffix))
        except (OverflowError, ValueError) as exc:
            msg = f"not a time in milliseconds: {shown(suffix)}"
            raise ValueError(msg) from exc


def _refuse_change(*_args: object, **_kwargs: object) -> NoReturn:
    msg = "tags cannot be changed; attrs.evolve makes a changed copy of the request"
    raise TypeError(msg)


class _Tags(dict[str, str]):
    """A copy of the caller's tags that nobody can change.

    It is a dict because what writes JSON and the like knows dicts, and because dicts are quick.
    """

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse_change
    clear = pop = popitem = setdefault = update = _refuse_change

    def __hash__(self) -> int:  # type: ignore[override]  # a dict says that it has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type["_Tags"], tuple[dict[str, str]]]:
        return _Tags, (dict(self),)


# Found far quicker here than by ``StorageTier(value)``.
_TIERS = {tier.value: tier for tier in StorageTier}

# The converters let a value of a wrong type pass: the validation that follows reports it, together
# with every other fault.


def _to_hours(value: int | timedelta | None) -> int | None:
    if isinstance(value, timedelta):
        hours, rest = divmod(value, _HOUR)
        return cast("int", value) if rest else hours
    if isinstance(value, int) and type(value) not in (int, bool):
        return int.__int__(value)
    return value


def _to_tags(value: Mapping[str, str | None] | None) -> Mapping[str, str] | None:
    if value is None or not isinstance(value, (dict, Mapping)):
        return value
    if not value:
        return None  # the service refuses an empty map, and to have no tags is what it means
    tags = _Tags(cast("Mapping[str, str]", value))
    try:
        "".join(tags.values())  # the quickest way to learn that all are texts
    except TypeError:
        # AWS calls the value optional, yet the wire format wants one: the empty text.
        return _Tags({key: "" if text is None else text for key, text in value.items()})
    return tags


def _to_tier(value: StorageTier | Literal["HOT", "WARM"]) -> StorageTier:
    tier = _TIERS.get(str.__str__(value)) if isinstance(value, str) else None
    if tier is None:
        raise RequestValidationError(check_storage_tier(value))
    return tier


@frozen(kw_only=True)
class StreamStorageConfiguration:
    """How a stream stores its data.

    Args:
        default_storage_tier: ``StorageTier.HOT`` or ``StorageTier.WARM``, or the text of either.

    Raises:
        RequestValidationError: If the tier is neither.
    """

    default_storage_tier: StorageTier = field(converter=_to_tier)
    """The tier for the stream's data: ``HOT`` or ``WARM``; the texts become members.

    Source: botocore's service model, shape ``DefaultStorageTier``.
    """

    def to_boto(self) -> "StreamStorageConfigurationKwargs":
        """Return this configuration as boto3 takes it."""
        # Not ``.value``, a property in Python: it took a tenth of what a call here costs.
        tier = str.__str__(self.default_storage_tier)
        return {"DefaultStorageTier": cast("Literal['HOT', 'WARM']", tier)}


@frozen(kw_only=True)
class CreateStreamRequest:
    """Everything that ``CreateStream`` can be asked for, checked against the published limits.

    ``None`` means that a parameter is not sent. A request never changes: make a changed copy with
    ``attrs.evolve``, which checks it again. What ``attrs.asdict`` makes of it can be written as
    JSON.

    Args:
        stream_name: 1 to 256 ASCII letters, digits, ``_``, ``.`` and ``-``. Required.
        device_name: 1 to 128 of the same characters.
        media_type: 1 to 128 characters, such as ``video/h264`` or ``video/h264,audio/aac``.
        kms_key_id: 1 to 2048 characters: a key id, key ARN, alias or alias ARN.
        data_retention_in_hours: 0 to 87,600 hours, or a ``timedelta`` of whole hours.
        tags: At most 50; keys of 1 to 128 characters, values of 0 to 256.
        stream_storage_configuration: The storage tier.

    Raises:
        RequestValidationError: If the request breaks any published rule; it lists all faults.
    """

    stream_name: str
    """The name of the stream: 1 to 256 ASCII letters, digits, ``_``, ``.`` and ``-``. Required.

    It is unique for each account and region. Source: botocore's service model, shape
    ``StreamName``.
    """

    device_name: str | None = None
    """The name of the device that writes to the stream: 1 to 128 characters, as in a stream's name.

    ``None``: not sent. AWS stores it and does not use it. Source: botocore's service model, shape
    ``DeviceName``.
    """

    media_type: str | None = None
    """What the stream carries, such as ``video/h264`` or ``video/h264,audio/aac``.

    1 to 128 characters: ``type/subtype``, several of them joined by commas. ``None``: not sent.
    Source: botocore's service model, shape ``MediaType``; names as in RFC 6838, section 4.2.
    """

    kms_key_id: str | None = None
    """The KMS key that encrypts the data: a key id, key ARN, alias or alias ARN.

    1 to 2048 characters without line breaks. ``None``: the AWS managed key
    ``alias/aws/kinesisvideo``. AWS creates a stream even with a key that does not exist; writing to
    it fails later, and the key of a stream can never be changed. Source: botocore's service model,
    shape ``KmsKeyId``.
    """

    data_retention_in_hours: int | None = field(default=None, converter=_to_hours)
    """How long the data is kept: 0 to 87,600 hours, or a ``timedelta`` of whole hours.

    ``None``: not sent, which AWS takes as 0. With 0 nothing is stored: only what is still in the
    host's buffer (5 minutes, 200 MB) can be read. Source: minimum from botocore's service model,
    shape ``DataRetentionInHours``; maximum from the ``AWS::KinesisVideo::Stream`` resource schema.
    """

    tags: Mapping[str, str] | None = field(default=None, converter=_to_tags)
    """Up to 50 tags: keys of 1 to 128 code points, values of 0 to 256.

    Letters, digits and spaces of any script and ``_.:/=+-@``; no key begins with ``aws:``. A value
    of ``None`` becomes the empty text; ``None`` or an empty mapping: no tags. Copied and read-only.
    Source: botocore's service model, shapes ``ResourceTags``, ``TagKey`` and ``TagValue``; the
    prefix from the ``AWS::KinesisVideo::Stream`` resource schema.
    """

    stream_storage_configuration: StreamStorageConfiguration | None = None
    """The storage tier for the data. ``None``: not sent, which AWS takes as ``HOT``.

    Source: botocore's service model, shape ``StreamStorageConfiguration``.
    """

    def __attrs_post_init__(self) -> None:
        """Refuse the request if it breaks any rule."""
        faults = check_request(
            stream_name=self.stream_name,
            device_name=self.device_name,
            media_type=self.media_type,
            kms_key_id=self.kms_key_id,
            data_retention_in_hours=self.data_retention_in_hours,
            tags=self.tags,
        )
        storage: object = self.stream_storage_configuration
        if storage is not None and not isinstance(storage, StreamStorageConfiguration):
            faults.append(_wrong_storage(storage, "a StreamStorageConfiguration"))
        if faults:
            raise RequestValidationError(faults)

    def to_boto(self) -> "CreateStreamKwargs":
        """Return exactly the keyword arguments of boto3's ``create_stream``."""
        kwargs: CreateStreamKwargs = {"StreamName": self.stream_name}
        if self.device_name is not None:
            kwargs["DeviceName"] = self.device_name
        if self.media_type is not None:
            kwargs["MediaType"] = self.media_type
        if self.kms_key_id is not None:
            kwargs["KmsKeyId"] = self.kms_key_id
        if self.data_retention_in_hours is not None:
            kwargs["DataRetentionInHours"] = self.data_retention_in_hours
        if self.tags is not None:
            kwargs["Tags"] = dict(self.tags)
        if self.stream_storage_configuration is not None:
            kwargs["StreamStorageConfiguration"] = self.stream_storage_configuration.to_boto()
        return kwargs

    @classmethod
    def from_boto(cls, kwargs: Mapping[str, object]) -> "Self":
        """Return the request that boto3's ``create_stream`` would make of these arguments.

        Args:
            kwargs: The keyword arguments by AWS's names; unknown ones are refused, and so is
                ``None`` in any place, as boto3 refuses it.

        Raises:
            RequestValidationError: If they break any published rule; it lists all faults.
        """
        if not is_mapping(kwargs):
            wanted = "a mapping of boto3's keyword arguments"
            raise RequestValidationError(
                [wrong_type("CreateStreamInput", "kwargs", kwargs, wanted)]
            )
        values = {name: kwargs.get(aws_name, _ABSENT) for aws_name, name in _FIELDS.items()}
        storage = values.pop("stream_storage_configuration")
        faults = check_request(**values, absent=_ABSENT)
        if storage is not _ABSENT:
            faults += _check_storage_kwargs(storage)
        faults += [unknown(key, ", ".join(_FIELDS)) for key in kwargs if key not in _FIELDS]
        if faults:
            raise RequestValidationError(faults)
        present = {name: value for name, value in values.items() if value is not _ABSENT}
        if is_mapping(storage):
            tier = storage[_limits.DEFAULT_STORAGE_TIER.parameter]
            present["stream_storage_configuration"] = StreamStorageConfiguration(
                default_storage_tier=tier
            )
        return cls(**present)  # checked just above


# AWS's name of each parameter and ours, in the order in which faults are reported.
_FIELDS = {
    _limits.STREAM_NAME.parameter: "stream_name",
    _limits.DEVICE_NAME.parameter: "device_name",
    _limits.MEDIA_TYPE.parameter: "media_type",
    _limits.KMS_KEY_ID.parameter: "kms_key_id",
    _limits.DATA_RETENTION_IN_HOURS.parameter: "data_retention_in_hours",
    _limits.TAGS.parameter: "tags",
    _limits.STREAM_STORAGE_CONFIGURATION: "stream_storage_configuration",
}


def _wrong_storage(value: object, wanted: str) -> Violation:
    parameter = _limits.STREAM_STORAGE_CONFIGURATION
    return wrong_type(parameter, _FIELDS[parameter], value, wanted)


def _check_storage_kwargs(storage: object) -> list[Violation]:
    """Check a storage configuration in boto3's form."""
    if not is_mapping(storage):
        return [_wrong_storage(storage, "a mapping")]
    name = _limits.DEFAULT_STORAGE_TIER.parameter
    prefix = f"{_FIELDS[_limits.STREAM_STORAGE_CONFIGURATION]}."
    faults = check_storage_tier(storage.get(name), prefix)
    return faults + [unknown(key, name, prefix) for key in storage if key != name]


@frozen(kw_only=True)
class CreateStreamResponse:
    """What AWS answered to a create; the stream is on its way to ACTIVE."""

    stream_arn: StreamArn
    """The ARN of the new stream."""

    request_id: str | None = None
    """The id of the request, which AWS Support asks for; ``None`` if the reply had none."""

    http_status_code: int | None = None
    """The HTTP status of the reply; ``None`` if the reply had none."""

    retry_attempts: int = 0
    """Every request sent for this call, botocore's retries and ours, less one."""

    def __attrs_post_init__(self) -> None:
        """Let plain text be an ARN, as a test without types may write it."""
        if type(self.stream_arn) is not StreamArn:
            object.__setattr__(self, "stream_arn", StreamArn(self.stream_arn))


@frozen(kw_only=True)
class StreamInfo:
    """A stream as ``DescribeStream`` shows it; the storage tier and the tags are not part of it."""

    stream_name: str
    """The name of the stream."""

    stream_arn: StreamArn
    """The ARN of the stream."""

    status: StreamStatus
    """What the stream is doing."""

    device_name: str | None = None
    """The device's name; ``None`` if it has none."""

    media_type: str | None = None
    """What the stream carries; ``None`` if that was not said."""

    kms_key_id: str | None = None
    """The KMS key that encrypts the data; an alias ARN for the AWS managed key."""

    version: str | None = None
    """The version of the stream's metadata, which changes with every update."""

    creation_time: datetime | None = None
    """When the stream was created, in UTC."""

    data_retention_in_hours: int | None = None
    """How long the data is kept, in hours; 0 stores nothing."""

    def __attrs_post_init__(self) -> None:
        """Let plain text be an ARN or a status, as a test without types may write it."""
        object.__setattr__(self, "stream_arn", StreamArn(self.stream_arn))
        object.__setattr__(self, "status", StreamStatus(self.status))


@frozen(kw_only=True)
class EnsuredStream:
    """What ``ensure_stream`` found or made."""

    stream: StreamInfo
    """The stream as it was last seen."""

    outcome: EnsureOutcome
    """Whether this call created it, recovered it after a lost reply, or found it."""

    drift: tuple[Drift, ...] = ()
    """Every difference from the request; empty for a stream that this call created."""

    unverified: tuple[str, ...] = ()
    """Requested fields that could not be compared: not allowed, or not offered by the endpoint."""


show_as_public(__all__, globals())
