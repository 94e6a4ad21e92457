"""The same request in other validators, each with the same rules and in its own best style.

Where a validator offers several ways to state a rule, the quickest found is taken. What they leave
out costs them nothing: ``timedelta``, tag values of ``None``, tags that cannot be changed, code
points newer than the Unicode tables, and all faults at once (msgspec and attrs stop at the first).
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

import attrs
import botocore.session
import msgspec
import pydantic
from attrs import validators
from botocore.validate import ParamValidator

import kvs_streams

_NAME = r"[a-zA-Z0-9_.-]"
_TYPE = r"[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+"
_TYPES = rf"{_TYPE}(,{_TYPE})*"
_KEY = r"[^\n\r\x85\u2028\u2029]+"
# Python's re knows no \p: see kvs_streams/_limits.py.
_TAG = r"[a-zA-Z0-9\w \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]"
# Rust's regex knows \p and no lookahead: a key is spelled out that does not begin with "aws:".
_TAG_RUST = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]"
_OTHER = r"[\p{{L}}\p{{Z}}\p{{N}}_.:/=+\-@--{}]"
_TAG_KEY_RUST = (
    f"{_OTHER.format('a')}{_TAG_RUST}*"
    f"|a(?:{_OTHER.format('w')}{_TAG_RUST}*|w(?:{_OTHER.format('s')}{_TAG_RUST}*"
    f"|s(?:{_OTHER.format(':')}{_TAG_RUST}*)?)?)?"
)
_HOURS = 87_600
_TAGS = 50


class Tier(str, Enum):
    """The storage tier."""

    HOT = "HOT"
    WARM = "WARM"


# pydantic


def _pydantic_text(pattern: str, longest: int, shortest: int = 1) -> Any:
    return pydantic.StringConstraints(
        strict=True, min_length=shortest, max_length=longest, pattern=rf"^(?:{pattern})$"
    )


class PydanticStorage(pydantic.BaseModel):
    """The storage configuration."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    default_storage_tier: Tier


class _PydanticFields(pydantic.BaseModel):
    """What the two pydantic requests have in common."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    stream_name: Annotated[str, _pydantic_text(f"{_NAME}+", 256)]
    device_name: Annotated[str, _pydantic_text(f"{_NAME}+", 128)] | None = None
    media_type: Annotated[str, _pydantic_text(_TYPES, 128)] | None = None
    kms_key_id: Annotated[str, _pydantic_text(_KEY, 2048)] | None = None
    data_retention_in_hours: Annotated[int, pydantic.Field(strict=True, ge=0, le=_HOURS)] | None = (
        None
    )
    stream_storage_configuration: PydanticStorage | None = None


_PydanticValue = Annotated[str, _pydantic_text(f"{_TAG_RUST}*", 256, 0)]


def _refuse_reserved(key: str) -> str:
    if key.startswith("aws:"):
        raise ValueError("must not begin with 'aws:'")
    return key


class PydanticRequest(_PydanticFields):
    """The request as pydantic's documentation has it: a function for what no pattern can say."""

    tags: (
        Annotated[
            dict[
                Annotated[
                    str,
                    _pydantic_text(f"{_TAG_RUST}*", 128),
                    pydantic.AfterValidator(_refuse_reserved),
                ],
                _PydanticValue,
            ],
            pydantic.Field(max_length=_TAGS),
        ]
        | None
    ) = None


class PydanticRustRequest(_PydanticFields):
    """The request with the reserved prefix spelled out as a pattern, so that all of it is Rust."""

    tags: (
        Annotated[
            dict[Annotated[str, _pydantic_text(_TAG_KEY_RUST, 128)], _PydanticValue],
            pydantic.Field(max_length=_TAGS),
        ]
        | None
    ) = None


def by_pydantic(fields: Mapping[str, Any], tier: Any) -> object:
    """Build and check with pydantic."""
    storage = None if tier is None else PydanticStorage(default_storage_tier=tier)
    return PydanticRequest(**fields, stream_storage_configuration=storage)


def by_pydantic_rust(fields: Mapping[str, Any], tier: Any) -> object:
    """Build and check with pydantic, in Rust throughout."""
    storage = None if tier is None else PydanticStorage(default_storage_tier=tier)
    return PydanticRustRequest(**fields, stream_storage_configuration=storage)


# msgspec


class MsgspecStorage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The storage configuration."""

    default_storage_tier: Tier


def _msgspec_text(pattern: str, longest: int, shortest: int = 1) -> msgspec.Meta:
    return msgspec.Meta(min_length=shortest, max_length=longest, pattern=rf"\A(?:{pattern})\Z")


class MsgspecRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request; msgspec checks what it converts, not what a constructor is given."""

    stream_name: Annotated[str, _msgspec_text(f"{_NAME}+", 256)]
    device_name: Annotated[str, _msgspec_text(f"{_NAME}+", 128)] | None = None
    media_type: Annotated[str, _msgspec_text(_TYPES, 128)] | None = None
    kms_key_id: Annotated[str, _msgspec_text(_KEY, 2048)] | None = None
    data_retention_in_hours: Annotated[int, msgspec.Meta(ge=0, le=_HOURS)] | None = None
    tags: (
        Annotated[
            dict[
                Annotated[str, _msgspec_text(f"(?!aws:){_TAG}*", 128)],
                Annotated[str, _msgspec_text(f"{_TAG}*", 256, 0)],
            ],
            msgspec.Meta(max_length=_TAGS),
        ]
        | None
    ) = None
    stream_storage_configuration: MsgspecStorage | None = None


def by_msgspec(fields: Mapping[str, Any], tier: str | None) -> object:
    """Build and check with msgspec."""
    storage = None if tier is None else {"default_storage_tier": tier}
    return msgspec.convert(
        {**fields, "stream_storage_configuration": storage}, MsgspecRequest, strict=True
    )


# attrs


def _attrs_text(pattern: str, longest: int, shortest: int = 1) -> Any:
    return validators.and_(
        validators.instance_of(str),
        validators.min_len(shortest),
        validators.max_len(longest),
        validators.matches_re(re.compile(pattern), func=re.fullmatch),
    )


@attrs.frozen(kw_only=True)
class AttrsStorage:
    """The storage configuration."""

    default_storage_tier: Tier = attrs.field(converter=Tier)


@attrs.frozen(kw_only=True)
class AttrsRequest:
    """The request with attrs's own validators."""

    stream_name: str = attrs.field(validator=_attrs_text(f"{_NAME}+", 256))
    device_name: str | None = attrs.field(
        default=None, validator=validators.optional(_attrs_text(f"{_NAME}+", 128))
    )
    media_type: str | None = attrs.field(
        default=None, validator=validators.optional(_attrs_text(_TYPES, 128))
    )
    kms_key_id: str | None = attrs.field(
        default=None, validator=validators.optional(_attrs_text(_KEY, 2048))
    )
    data_retention_in_hours: int | None = attrs.field(
        default=None,
        validator=validators.optional(
            validators.and_(
                validators.instance_of(int),
                validators.not_(validators.instance_of(bool)),
                validators.ge(0),
                validators.le(_HOURS),
            )
        ),
    )
    tags: dict[str, str] | None = attrs.field(
        default=None,
        validator=validators.optional(
            validators.and_(
                validators.deep_mapping(
                    _attrs_text(f"(?!aws:){_TAG}*", 128), _attrs_text(f"{_TAG}*", 256, 0)
                ),
                validators.max_len(_TAGS),
            )
        ),
    )
    stream_storage_configuration: AttrsStorage | None = attrs.field(
        default=None, validator=validators.optional(validators.instance_of(AttrsStorage))
    )


def by_attrs(fields: Mapping[str, Any], tier: str | None) -> object:
    """Build and check with attrs."""
    storage = None if tier is None else AttrsStorage(default_storage_tier=tier)
    return AttrsRequest(**fields, stream_storage_configuration=storage)


# botocore

_SHAPE = (
    botocore.session.get_session()
    .get_service_model("kinesisvideo")
    .operation_model("CreateStream")
    .input_shape
)
_NAMES = {
    "stream_name": "StreamName",
    "device_name": "DeviceName",
    "media_type": "MediaType",
    "kms_key_id": "KmsKeyId",
    "data_retention_in_hours": "DataRetentionInHours",
    "tags": "Tags",
}


def boto_kwargs(fields: Mapping[str, Any], tier: str | None) -> dict[str, Any]:
    """Return boto3's keyword arguments for the same request."""
    kwargs = {_NAMES[name]: value for name, value in fields.items() if value is not None}
    if tier is not None:
        kwargs["StreamStorageConfiguration"] = {"DefaultStorageTier": tier}
    return kwargs


def by_botocore(fields: Mapping[str, Any], tier: str | None) -> object:
    """Check as a boto3 client does before it sends; it knows about half of the rules."""
    kwargs = boto_kwargs(fields, tier)
    report = ParamValidator().validate(kwargs, _SHAPE)
    if report.has_errors():
        raise ValueError(report.generate_report())
    return kwargs


# ours


def by_kvs_streams(fields: Mapping[str, Any], tier: Any) -> kvs_streams.CreateStreamRequest:
    """Build and check with this library."""
    storage = (
        None if tier is None else kvs_streams.StreamStorageConfiguration(default_storage_tier=tier)
    )
    return kvs_streams.CreateStreamRequest(**fields, stream_storage_configuration=storage)
