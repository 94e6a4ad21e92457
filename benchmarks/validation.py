"""Building and checking a request, beside other validators with the same rules.

Each is written in its own best style. What they leave out costs them nothing: ``timedelta``, tag
values of ``None``, tags that cannot be changed, and for msgspec all faults at once.
"""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import partial
from typing import Annotated, Any

import botocore.session
import msgspec
import pydantic
from botocore.validate import ParamValidator

import kvs_streams

from . import pairs
from .report import table

FIELDS: dict[str, Any] = {
    "stream_name": "camera-01.lobby",
    "device_name": "axis-p3245-lve",
    "media_type": "video/h264,audio/aac",
    "kms_key_id": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "data_retention_in_hours": 168,
}


def tags(count: int, *, ascii_only: bool = True) -> dict[str, str]:
    """Return tags as people write them: keys of about 12 characters, values of about 18."""
    if ascii_only:
        return {f"inventory-{i:02}": f"Building {i} north wing" for i in range(count)}
    return {f"場所:Gebäude-{i:02}": f"東京 Köln Αθήνα {i}" for i in range(count)}


_CASES: dict[str, dict[str, Any]] = {
    "no tags": {**FIELDS, "tags": None},
    "10 tags, ASCII": {**FIELDS, "tags": tags(10)},
    "10 tags, not ASCII": {**FIELDS, "tags": tags(10, ascii_only=False)},
    "50 tags, ASCII": {**FIELDS, "tags": tags(50)},
    "50 tags, not ASCII": {**FIELDS, "tags": tags(50, ascii_only=False)},
}
# One request for each rule that breaks it: whoever is compared has to refuse them all.
_BAD: list[dict[str, Any]] = [
    {"stream_name": ""},
    {"stream_name": "x" * 257},
    {"stream_name": "front door"},
    {"stream_name": "front\n"},
    {"device_name": "x" * 129},
    {"media_type": "h264"},
    {"kms_key_id": "a\u2028b"},
    {"kms_key_id": "x" * 2049},
    {"data_retention_in_hours": -1},
    {"data_retention_in_hours": 87_601},
    {"tags": {"": "x"}},
    {"tags": {"x" * 129: "x"}},
    {"tags": {"x": "x" * 257}},
    {"tags": {"x!": "x"}},
    {"tags": {"x": 1}},
    {"tags": {"aws:x": "x"}},
    {"tags": tags(51)},
]

_NAME = r"[a-zA-Z0-9_.-]+"
_TYPES = r"[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+(,[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+)*"
_KEY = r"[^\n\r\x85\u2028\u2029]+"
# Python's re knows no \p; Rust's regex does.
_TAG = r"[a-zA-Z0-9\w \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]"
_TAG_RUST = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]"


class Tier(str, Enum):
    """The storage tier."""

    HOT = "HOT"
    WARM = "WARM"


def _pydantic_text(pattern: str, longest: int, shortest: int = 1) -> Any:
    return pydantic.StringConstraints(
        strict=True, min_length=shortest, max_length=longest, pattern=rf"^(?:{pattern})$"
    )


class PydanticStorage(pydantic.BaseModel):
    """The storage configuration."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    default_storage_tier: Tier


def _refuse_reserved(key: str) -> str:
    if key.startswith("aws:"):
        raise ValueError("must not begin with 'aws:'")
    return key


_PydanticKey = Annotated[
    str, _pydantic_text(f"{_TAG_RUST}*", 128), pydantic.AfterValidator(_refuse_reserved)
]
_PydanticValue = Annotated[str, _pydantic_text(f"{_TAG_RUST}*", 256, 0)]


class PydanticRequest(pydantic.BaseModel):
    """The request in pydantic."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")

    stream_name: Annotated[str, _pydantic_text(_NAME, 256)]
    device_name: Annotated[str, _pydantic_text(_NAME, 128)] | None = None
    media_type: Annotated[str, _pydantic_text(_TYPES, 128)] | None = None
    kms_key_id: Annotated[str, _pydantic_text(_KEY, 2048)] | None = None
    data_retention_in_hours: Annotated[int, pydantic.Field(strict=True, ge=0, le=87_600)] | None = (
        None
    )
    tags: Annotated[dict[_PydanticKey, _PydanticValue], pydantic.Field(max_length=50)] | None = None
    stream_storage_configuration: PydanticStorage | None = None


class MsgspecStorage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The storage configuration."""

    default_storage_tier: Tier


def _msgspec_text(pattern: str, longest: int, shortest: int = 1) -> msgspec.Meta:
    return msgspec.Meta(min_length=shortest, max_length=longest, pattern=rf"\A(?:{pattern})\Z")


_MsgspecKey = Annotated[str, _msgspec_text(f"(?!aws:){_TAG}*", 128)]
_MsgspecValue = Annotated[str, _msgspec_text(f"{_TAG}*", 256, 0)]


class MsgspecRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request in msgspec, which checks what it converts, not what a constructor is given."""

    stream_name: Annotated[str, _msgspec_text(_NAME, 256)]
    device_name: Annotated[str, _msgspec_text(_NAME, 128)] | None = None
    media_type: Annotated[str, _msgspec_text(_TYPES, 128)] | None = None
    kms_key_id: Annotated[str, _msgspec_text(_KEY, 2048)] | None = None
    data_retention_in_hours: Annotated[int, msgspec.Meta(ge=0, le=87_600)] | None = None
    tags: Annotated[dict[_MsgspecKey, _MsgspecValue], msgspec.Meta(max_length=50)] | None = None
    stream_storage_configuration: MsgspecStorage | None = None


_SESSION = botocore.session.get_session()
_SHAPE = _SESSION.get_service_model("kinesisvideo").operation_model("CreateStream").input_shape
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
    found = ParamValidator().validate(kwargs, _SHAPE)
    if found.has_errors():
        raise ValueError(found.generate_report())
    return kwargs


def by_kvs_streams(fields: Mapping[str, Any], tier: Any) -> kvs_streams.CreateStreamRequest:
    """Build and check with this library."""
    make = kvs_streams.StreamStorageConfiguration
    storage = None if tier is None else make(default_storage_tier=tier)
    return kvs_streams.CreateStreamRequest(**fields, stream_storage_configuration=storage)


def by_pydantic(fields: Mapping[str, Any], tier: Any) -> object:
    """Build and check with pydantic."""
    storage = None if tier is None else PydanticStorage(default_storage_tier=tier)
    return PydanticRequest(**fields, stream_storage_configuration=storage)


def by_msgspec(fields: Mapping[str, Any], tier: str | None) -> object:
    """Build and check with msgspec."""
    storage = None if tier is None else {"default_storage_tier": tier}
    members = {**fields, "stream_storage_configuration": storage}
    return msgspec.convert(members, MsgspecRequest, strict=True)


_OURS, _BOTOCORE, _PYDANTIC, _MSGSPEC = "kvs_streams", "ParamValidator", "pydantic", "msgspec"
_ALIKE: dict[str, Callable[[Mapping[str, Any], Any], object]] = {
    _OURS: by_kvs_streams,
    _PYDANTIC: by_pydantic,
    _MSGSPEC: by_msgspec,
}


def check_rules() -> None:
    """Make sure that all validators have the same rules, or a comparison would mean nothing."""
    for name, build in _ALIKE.items():
        for good in _CASES.values():
            build(good, "WARM")
        for bad in _BAD:
            try:
                build({**FIELDS, **bad}, "WARM")
            except ValueError:
                continue
            raise RuntimeError(f"{name} accepts {bad}")


def report(scale: float) -> Iterator[str]:
    """Yield the tables of all validators."""
    check_rules()
    again = {f"{_PYDANTIC} again": by_pydantic, f"{_BOTOCORE} again": by_botocore}
    everyone = {**_ALIKE, _BOTOCORE: by_botocore, **again}
    rows = []
    for case, fields in _CASES.items():
        contenders = {name: partial(build, fields, "WARM") for name, build in everyone.items()}
        # Enough calls in a turn that code is measured, not what the others left in the caches.
        times = pairs.take_turns(contenders, round(100 * scale), calls=200)
        ratios = [times.ratio(_OURS, base, f"{base} again") for base in (_BOTOCORE, _PYDANTIC)]
        medians = [times.micro(name) for name in (*_ALIKE, _BOTOCORE)]
        rows.append((case, *medians, *ratios))
    yield "## Building and validating a request of seven members"
    head = ("Tags", *_ALIKE, _BOTOCORE, f"Ours / {_BOTOCORE}", f"Ours / {_PYDANTIC}")
    yield table(head, rows)
