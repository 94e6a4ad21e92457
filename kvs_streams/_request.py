"""What goes in: the request and its storage configuration."""

from collections.abc import Mapping
from datetime import timedelta
from operator import attrgetter
from typing import Any, Literal, NoReturn, cast

from attrs import field, frozen
from attrs.exceptions import FrozenInstanceError

from . import _limits
from ._results import Violation
from ._text import is_mapping
from ._validation import CHECKS, Faults, check_name, check_storage_tier, unknown, wrong_type
from ._values import StorageTier
from .errors import RequestValidationError
from .typing import CreateStreamKwargs, StreamStorageConfigurationKwargs

_HOUR = timedelta(hours=1)
_STORAGE = "stream_storage_configuration"
_ABSENT: Any = object()
_TIERS = {tier.value: tier for tier in StorageTier}  # quicker than ``StorageTier(value)``


_USE_EVOLVE = "cannot be changed; attrs.evolve makes a changed copy of the request"


class _FrozenError(FrozenInstanceError):
    """attrs' own error, which says no more than "can't set attribute", with a way out."""

    def __init__(self, text: str) -> None:
        AttributeError.__init__(self, text)


def _refuse_attribute(self: object, name: str, _value: object = None) -> NoReturn:
    raise _FrozenError(f"{type(self).__name__}.{name} {_USE_EVOLVE}")


def _refuse_change(*_args: object, **_kwargs: object) -> NoReturn:
    raise TypeError(f"tags {_USE_EVOLVE}")


class _Tags(dict[str, str]):
    """A read-only copy of the caller's tags; a dict, which is fast and which JSON writers know."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse_change
    clear = pop = popitem = setdefault = update = _refuse_change

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type["_Tags"], tuple[dict[str, str]]]:
        return _Tags, (dict(self),)


# The converters let a value of the wrong type pass: the validation that follows reports it together
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
        return None  # the service refuses an empty map
    tags = _Tags(cast("Mapping[str, str]", value))
    try:
        "".join(tags.values())  # the fastest check that all values are strings
    except TypeError:
        # AWS calls the value optional, but the wire format needs one.
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

    def to_boto(self) -> StreamStorageConfigurationKwargs:
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
        values = _read(self)
        faults = Faults(check_name(None) if values[0] is None else ())
        for check, value in zip(_CHECKS, values):  # noqa: B905  # strict takes a tenth longer
            if value is not None:
                faults.add(check(value))
        if faults:
            raise RequestValidationError(faults)

    def to_boto(self) -> CreateStreamKwargs:
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
    def from_boto(cls, kwargs: Mapping[str, object]) -> "CreateStreamRequest":
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
        values: dict[str, Any] = {
            field: kwargs[name] for name, field in _FIELDS.items() if name in kwargs
        }
        storage = values.pop(_STORAGE, _ABSENT)
        faults = Faults(() if "stream_name" in values else check_name(None))
        for name, value in values.items():
            faults.add(CHECKS[name](value))
        if storage is not _ABSENT:
            faults += _check_storage_kwargs(storage)
        faults += [unknown(key, ", ".join(_FIELDS)) for key in kwargs if key not in _FIELDS]
        if faults:
            raise RequestValidationError(faults)
        if storage is not _ABSENT:
            tier = storage[_limits.DEFAULT_STORAGE_TIER.parameter]
            values[_STORAGE] = StreamStorageConfiguration(default_storage_tier=tier)
        return cls(**values)


# Not attrs' own methods, whose error shows no way out. Type checkers let no method be replaced.
for _model in (CreateStreamRequest, StreamStorageConfiguration):
    _model.__setattr__ = _model.__delattr__ = _refuse_attribute  # type: ignore[method-assign]  # ty: ignore[invalid-assignment]

# AWS's name of each parameter and ours, in the order in which faults are reported.
_FIELDS = {
    _limits.STREAM_NAME.parameter: "stream_name",
    _limits.DEVICE_NAME.parameter: "device_name",
    _limits.MEDIA_TYPE.parameter: "media_type",
    _limits.KMS_KEY_ID.parameter: "kms_key_id",
    _limits.DATA_RETENTION_IN_HOURS.parameter: "data_retention_in_hours",
    _limits.TAGS.parameter: "tags",
    _limits.STREAM_STORAGE_CONFIGURATION: _STORAGE,
}
_read = attrgetter(*_FIELDS.values())


def _check_storage(storage: object) -> list[Violation]:
    """Check a storage configuration, which has checked itself if it is one."""
    if isinstance(storage, StreamStorageConfiguration):
        return []
    return [_wrong_storage(storage, "a StreamStorageConfiguration")]


_CHECKS = (*CHECKS.values(), _check_storage)


def _wrong_storage(value: object, wanted: str) -> Violation:
    return wrong_type(_limits.STREAM_STORAGE_CONFIGURATION, _STORAGE, value, wanted)


def _check_storage_kwargs(storage: object) -> list[Violation]:
    """Check a storage configuration in boto3's form."""
    if not is_mapping(storage):
        return [_wrong_storage(storage, "a mapping")]
    name = _limits.DEFAULT_STORAGE_TIER.parameter
    prefix = f"{_STORAGE}."
    faults = check_storage_tier(storage.get(name), prefix)
    return faults + [unknown(key, name, prefix) for key in storage if key != name]
