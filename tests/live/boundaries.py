"""Each boundary of each published limit: once accepted by AWS, and once refused by AWS.

The limits are those of ``kvs_streams._limits``. What is accepted goes through the library; what is
refused is first shown to be refused by the library, and then sent without any validation. A name
of one character is left out: it could not say that it belongs to a run.
"""

from collections.abc import Callable
from functools import partial
from itertools import cycle, islice
from typing import Any, NamedTuple

from kvs_streams import (
    CreateStreamRequest,
    InvalidRequestError,
    RequestValidationError,
    _limits as limits,
)

from .account import Account
from .fact import Basis, Fact, Outcome, UntoldError, differs, held, holds_if

Members = Callable[[Account, str], dict[str, Any]]
"""Makes boto3's arguments for a create, given the name for its stream."""

# How the service says that a request as such is wrong.
REFUSALS = {
    "InvalidArgumentException",
    "InvalidDeviceException",
    "SerializationException",
    "TagsPerResourceExceededLimitException",
    "ValidationError",
    "ValidationException",
}
_NAME, _DEVICE, _MEDIA, _KMS = (
    limits.STREAM_NAME,
    limits.DEVICE_NAME,
    limits.MEDIA_TYPE,
    limits.KMS_KEY_ID,
)
_KEY, _VALUE, _HOURS = limits.TAG_KEY, limits.TAG_VALUE, limits.DATA_RETENTION_IN_HOURS
_TIERS = limits.DEFAULT_STORAGE_TIER
_TAG_TEXT = "Añ漢ß٣ _.:/=+-@"
_WARM_HOURS = 1


def _filled(length: int, text: str = "x") -> str:
    """Return a text of so many characters."""
    return "".join(islice(cycle(text), length))


def _media(length: int) -> str:
    return f"video/{_filled(length - len('video/'))}"


def _is_accepted(members: Members, what: str, account: Account) -> Outcome:
    """Create a stream with the library; AWS accepts it too."""
    request = CreateStreamRequest.from_boto(members(account, account.name(what)))
    try:
        account.client.create_stream(request)
    except InvalidRequestError as error:
        return differs(f"AWS refuses it: {error.http_status_code} {error.code}: {error.message}")
    return held("accepted")


def _is_refused(members: Members, what: str, account: Account) -> Outcome:
    """Show that the library refuses a request, and send it all the same; AWS refuses it too."""
    kwargs = members(account, account.name(what))
    try:
        CreateStreamRequest.from_boto(kwargs)
    except RequestValidationError:
        pass
    else:
        raise UntoldError("the library does not refuse it")
    answer = account.ask(account.bare.create_stream, **kwargs).told()
    if answer.code is None:
        return differs("AWS accepts it")
    return holds_if(answer.code in REFUSALS, str(answer))


def _set(name: str, value: object) -> Members:
    """Return a create with one member set."""
    return lambda _, stream: {"StreamName": stream, name: value}


def _named(make: Callable[[str], object]) -> Members:
    """Return a create with a name made from the stream's own."""
    return lambda _, stream: {"StreamName": make(stream)}


def _tier(tier: str, **others: Any) -> Members:
    storage = {"DefaultStorageTier": tier}
    return lambda _, stream: {"StreamName": stream, "StreamStorageConfiguration": storage, **others}


def _tags(tags: dict[str, str]) -> Members:
    return _set("Tags", tags)


def _numbered(count: int) -> dict[str, str]:
    return {f"tag-{number}": "" for number in range(count)}


_MODEL, _SCHEMA = "botocore service model, CreateStream", "AWS::KinesisVideo::Stream schema"


class _Row(NamedTuple):
    id: str
    sentence: str
    members: Members
    basis: Basis = Basis.MODEL
    source: str = _MODEL


_ACCEPTED: tuple[_Row, ...] = (
    _Row(
        "name-longest",
        f"A StreamName may have {_NAME.max_length} characters.",
        _named(lambda name: name + _filled(_NAME.max_length - len(name), "aZ09_.-")),
    ),
    _Row(
        "device-shortest",
        f"A DeviceName may have {_DEVICE.min_length} character.",
        _set("DeviceName", _filled(_DEVICE.min_length)),
    ),
    _Row(
        "device-longest",
        f"A DeviceName may have {_DEVICE.max_length} characters.",
        _set("DeviceName", _filled(_DEVICE.max_length, "aZ09_.-")),
    ),
    _Row(
        "media-shortest",
        "A MediaType may have one character on each side of the slash.",
        _set("MediaType", "a/b"),
    ),
    _Row(
        "media-longest",
        f"A MediaType may have {_MEDIA.max_length} characters.",
        _set("MediaType", _media(_MEDIA.max_length)),
    ),
    _Row(
        "media-list",
        "A MediaType may list several types, joined by commas.",
        _set("MediaType", "video/h264,audio/aac"),
    ),
    _Row(
        "kms-shortest",
        f"A KmsKeyId may have {_KMS.min_length} character.",
        _set("KmsKeyId", _filled(_KMS.min_length)),
    ),
    _Row(
        "kms-longest",
        f"A KmsKeyId may have {_KMS.max_length} characters.",
        _set("KmsKeyId", _filled(_KMS.max_length)),
    ),
    _Row(
        "retention-least",
        f"DataRetentionInHours may be {_HOURS.min}.",
        _set("DataRetentionInHours", _HOURS.min),
    ),
    _Row(
        "retention-most",
        f"DataRetentionInHours may be {_HOURS.max:,}.",
        _set("DataRetentionInHours", _HOURS.max),
        Basis.DOCS,
        _SCHEMA,
    ),
    _Row(
        "tags-most",
        f"A stream may have {limits.TAGS.max_items} tags.",
        _tags(_numbered(limits.TAGS.max_items)),
    ),
    _Row(
        "tag-shortest",
        f"A tag key may have {_KEY.min_length} character and its value {_VALUE.min_length}.",
        _tags({_filled(_KEY.min_length): _filled(_VALUE.min_length)}),
    ),
    _Row(
        "tag-longest",
        f"A tag key may have {_KEY.max_length} characters and its value {_VALUE.max_length}.",
        _tags({_filled(_KEY.max_length): _filled(_VALUE.max_length)}),
    ),
    _Row(
        "tag-characters",
        "A tag may have letters, digits and spaces of any script and _.:/=+-@.",
        _tags({_TAG_TEXT: _TAG_TEXT}),
    ),
    _Row(
        "tag-prefix-upper",
        "A tag key may begin with AWS: in upper case: only aws: is reserved.",
        _tags({f"{limits.TAG_KEY_RESERVED_PREFIX.upper()}key": ""}),
        Basis.ASSUMED,
        _SCHEMA,
    ),
    *(
        _Row(
            f"tier-{tier.lower()}",
            f"DefaultStorageTier may be {tier}.",
            _tier(tier, DataRetentionInHours=720),
        )
        for tier in _TIERS.choices
    ),
    _Row(
        "warm-short",
        "WARM needs no long retention: 30 days are a minimum of billing.",
        _tier("WARM", DataRetentionInHours=_WARM_HOURS),
        Basis.DOCS,
        "Kinesis Video Streams pricing",
    ),
)

_REFUSED: tuple[_Row, ...] = (
    _Row("name-empty", "A StreamName is not empty.", _named(lambda _: "")),
    _Row(
        "name-too-long",
        f"A StreamName has no more than {_NAME.max_length} characters.",
        _named(lambda name: name + _filled(_NAME.max_length + 1 - len(name))),
    ),
    _Row(
        "name-characters",
        "A StreamName has ASCII letters, digits, _, . and - only.",
        _named(lambda name: f"{name}é"),
    ),
    _Row("device-empty", "A DeviceName is not empty.", _set("DeviceName", "")),
    _Row(
        "device-too-long",
        f"A DeviceName has no more than {_DEVICE.max_length} characters.",
        _set("DeviceName", _filled(_DEVICE.max_length + 1)),
    ),
    _Row(
        "device-characters",
        "A DeviceName has ASCII letters, digits, _, . and - only.",
        _set("DeviceName", "camera 1"),
    ),
    _Row("media-empty", "A MediaType is not empty.", _set("MediaType", "")),
    _Row(
        "media-too-long",
        f"A MediaType has no more than {_MEDIA.max_length} characters.",
        _set("MediaType", _media(_MEDIA.max_length + 1)),
    ),
    _Row("media-form", "A MediaType has a slash.", _set("MediaType", "video")),
    _Row(
        "media-ascii",
        "The \\w of MediaType's pattern means ASCII letters only.",
        _set("MediaType", "vidéo/h264"),
        Basis.ASSUMED,
        _MODEL,
    ),
    _Row("kms-empty", "A KmsKeyId is not empty.", _set("KmsKeyId", "")),
    _Row(
        "kms-too-long",
        f"A KmsKeyId has no more than {_KMS.max_length} characters.",
        _set("KmsKeyId", _filled(_KMS.max_length + 1)),
    ),
    _Row("kms-line-break", "A KmsKeyId has no line break.", _set("KmsKeyId", "key\nkey")),
    _Row(
        "retention-negative",
        f"DataRetentionInHours is not below {_HOURS.min}.",
        _set("DataRetentionInHours", _HOURS.min - 1),
    ),
    _Row(
        "retention-too-long",
        f"DataRetentionInHours is not above {_HOURS.max:,}.",
        _set("DataRetentionInHours", _HOURS.max + 1),
        Basis.DOCS,
        _SCHEMA,
    ),
    _Row(
        "tags-too-many",
        f"A stream has no more than {limits.TAGS.max_items} tags.",
        _tags(_numbered(limits.TAGS.max_items + 1)),
    ),
    _Row("tag-key-empty", "A tag key is not empty.", _tags({"": "value"})),
    _Row(
        "tag-key-too-long",
        f"A tag key has no more than {_KEY.max_length} characters.",
        _tags({_filled(_KEY.max_length + 1): ""}),
    ),
    _Row(
        "tag-key-characters", "A tag key has no other characters, such as !.", _tags({"key!": ""})
    ),
    _Row(
        "tag-value-too-long",
        f"A tag value has no more than {_VALUE.max_length} characters.",
        _tags({"key": _filled(_VALUE.max_length + 1)}),
    ),
    _Row(
        "tag-value-characters",
        "A tag value has no other characters, such as !.",
        _tags({"key": "value!"}),
    ),
    _Row(
        "tag-prefix",
        f"A tag key does not begin with {limits.TAG_KEY_RESERVED_PREFIX}",
        _tags({f"{limits.TAG_KEY_RESERVED_PREFIX}key": ""}),
        Basis.DOCS,
        _SCHEMA,
    ),
    _Row(
        "tier-unknown",
        f"DefaultStorageTier is {' or '.join(_TIERS.choices)} and nothing else.",
        _tier("COLD"),
    ),
)


def _fact(kind: str, check: Callable[[Members, str, Account], Outcome], row: _Row) -> Fact:
    run = partial(check, row.members, row.id)
    return Fact(f"{kind}-{row.id}", row.sentence, row.basis, row.source, run)


ACCEPTED = tuple(_fact("accepts", _is_accepted, row) for row in _ACCEPTED)
REFUSED = tuple(_fact("refuses", _is_refused, row) for row in _REFUSED)
