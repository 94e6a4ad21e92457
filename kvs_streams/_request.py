"""The request and its storage configuration."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, NoReturn, cast

from attrs import evolve, field, frozen

from . import _rules
from ._models import StorageTier, Violation
from .errors import RequestValidationError
from .typing import CreateStreamKwargs, StreamStorageConfigurationKwargs

_HOUR = timedelta(hours=1)
_TIERS: dict[str, StorageTier] = {tier.value: tier for tier in StorageTier}


def _refuse(*_args: object, **_kwargs: object) -> NoReturn:
    raise TypeError("tags cannot be changed; attrs.evolve makes a changed copy of the request")


class _Tags(dict[str, str]):
    """A read-only copy of the caller's tags: a dict, which is fast and can be written as JSON."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type["_Tags"], tuple[dict[str, str]]]:
        return _Tags, (dict(self),)


# The converters return a wrong value as it is: the later check reports it with all other faults.


def _to_hours(value: int | timedelta | None) -> int | None:
    if isinstance(value, timedelta) and not value % _HOUR:
        return value // _HOUR
    return cast("int | None", value)


def _to_tags(value: Mapping[str, str | None] | None) -> Mapping[str, str] | None:
    if not isinstance(value, (dict, Mapping)):  # the check for dict is far quicker
        return value
    if not value:
        return None  # the service refuses an empty map
    if not all(value.values()):  # AWS calls the value optional, but the wire format needs one
        value = {key: "" if text is None else text for key, text in value.items()}
    return _Tags(value)  # type: ignore[arg-type]  # ty: ignore[no-matching-overload]  # no None is left


def _to_tier(value: StorageTier | Literal["HOT", "WARM"]) -> StorageTier:
    tier = _TIERS.get(value) if isinstance(value, str) else None  # quicker than StorageTier(value)
    if tier is None:
        raise RequestValidationError(_rules.DEFAULT_STORAGE_TIER.faults(value))
    return tier


@frozen(kw_only=True)
class StreamStorageConfiguration:
    """How a stream stores its data.

    Args:
        default_storage_tier: ``StorageTier.HOT`` or ``StorageTier.WARM``, or the string of either.

    Raises:
        RequestValidationError: If the tier is not valid.
    """

    default_storage_tier: StorageTier = field(converter=_to_tier)
    """The tier for the stream's data: ``HOT`` or ``WARM``; strings are converted.

    Source: botocore's service model, shape ``DefaultStorageTier``.
    """

    def to_boto(self) -> StreamStorageConfigurationKwargs:
        """Return this configuration in boto3's form."""
        return {"DefaultStorageTier": self.default_storage_tier.value}


@frozen(kw_only=True)
class CreateStreamRequest:
    """A request to create a stream, checked against the published limits.

    A parameter that is ``None`` is not sent. Requests are immutable: ``attrs.evolve`` makes a
    changed copy and checks it. The dict from ``attrs.asdict`` can be written as JSON.

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

    ``None``: not sent. AWS stores the name but does not use it. Source: botocore's service model,
    shape ``DeviceName``.
    """

    media_type: str | None = None
    """The media type of the stream, such as ``video/h264`` or ``video/h264,audio/aac``.

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

    ``None``: not sent; AWS's default is 0. With 0 nothing is stored: only the data that is still in
    the host's buffer (5 minutes, 200 MB) can be read. Source: minimum from botocore's service
    model, shape ``DataRetentionInHours``; maximum from the ``AWS::KinesisVideo::Stream`` resource
    schema.
    """

    tags: Mapping[str, str] | None = field(default=None, converter=_to_tags)
    """Up to 50 tags: keys of 1 to 128 code points, values of 0 to 256.

    Letters, digits and spaces of any script and ``_.:/=+-@``; no key begins with ``aws:``. A value
    of ``None`` becomes an empty string. ``None`` or an empty mapping: no tags. Copied and
    read-only.
    Source: botocore's service model, shapes ``ResourceTags``, ``TagKey`` and ``TagValue``; the
    prefix from the ``AWS::KinesisVideo::Stream`` resource schema.
    """

    stream_storage_configuration: StreamStorageConfiguration | None = None
    """The storage tier for the data. ``None``: not sent; AWS's default is ``HOT``.

    Source: botocore's service model, shape ``StreamStorageConfiguration``.
    """

    def __attrs_post_init__(self) -> None:
        """Refuse the request if it breaks any rule."""
        storage = self.stream_storage_configuration
        if _rules.is_valid(self) and (storage is None or isinstance(storage, _STORAGE.kind)):
            return
        faults: list[Violation] = []
        for rule in _RULES:
            value = getattr(self, rule.field)
            if value is not None or rule.required:
                faults += rule.faults(value)
        if faults:
            raise RequestValidationError(faults)

    def to_boto(self) -> CreateStreamKwargs:
        """Return the keyword arguments for boto3's ``create_stream``."""
        kwargs: Any = {
            rule.parameter: getattr(self, rule.field)
            for rule in _RULES
            if getattr(self, rule.field) is not None
        }
        if self.tags is not None:
            kwargs["Tags"] = dict(self.tags)
        if self.stream_storage_configuration is not None:
            kwargs["StreamStorageConfiguration"] = self.stream_storage_configuration.to_boto()
        return cast("CreateStreamKwargs", kwargs)

    @classmethod
    def from_boto(cls, kwargs: Mapping[str, object]) -> "CreateStreamRequest":
        """Return a request made from the keyword arguments of boto3's ``create_stream``.

        Args:
            kwargs: The keyword arguments, by AWS's names. Unknown names and ``None`` values are
                refused, as in boto3.

        Raises:
            RequestValidationError: If the arguments break any published rule; it lists all faults.
        """
        faults = _rules.boto_faults(kwargs)
        if faults:
            raise RequestValidationError(faults)
        values: dict[str, Any] = {
            rule.field: kwargs[rule.parameter] for rule in _RULES if rule.parameter in kwargs
        }
        storage: Any = kwargs.get("StreamStorageConfiguration")
        if storage is not None:
            tier = storage["DefaultStorageTier"]
            values[_STORAGE.field] = StreamStorageConfiguration(default_storage_tier=tier)
        return cls(**values)


# The rule for each field: as for boto3's arguments, but the storage configuration is a model too.
_STORAGE = evolve(
    _rules.STREAM_STORAGE_CONFIGURATION,
    kind=StreamStorageConfiguration,
    wanted="a StreamStorageConfiguration",
    inside=None,
)
_RULES = (*_rules.MEMBERS[:-1], _STORAGE)
