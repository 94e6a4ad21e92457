"""The table of limits against botocore's installed service model, and against Unicode."""

import copy
import functools
import re
import sys
import unicodedata
from typing import Any

import attrs
import botocore
import botocore.loaders
import pytest
import regex
from botocore import xform_name

from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    StorageTier,
    StreamInfo,
    StreamStatus,
    StreamStorageConfiguration,
    _limits,
)
from kvs_streams.typing import CreateStreamKwargs, StreamStorageConfigurationKwargs

Limit = _limits.Text | _limits.Number | _limits.Items | _limits.Choice

# The shape that each limit restates. A test below holds that no limit is left out.
LIMITS: dict[str, str] = {
    "STREAM_NAME": "StreamName",
    "DEVICE_NAME": "DeviceName",
    "MEDIA_TYPE": "MediaType",
    "KMS_KEY_ID": "KmsKeyId",
    "DATA_RETENTION_IN_HOURS": "DataRetentionInHours",
    "TAGS": "ResourceTags",
    "TAG_KEY": "TagKey",
    "TAG_VALUE": "TagValue",
    "DEFAULT_STORAGE_TIER": "DefaultStorageTier",
    "STREAM_ARN": "ResourceARN",
}

# The model's patterns as _limits.py was written from them; how ours agree is tested with generated
# requests. A pattern that changes fails here with a sentence that says which one.
PATTERNS = {
    "StreamName": r"[a-zA-Z0-9_.-]+",
    "DeviceName": r"[a-zA-Z0-9_.-]+",
    "MediaType": r"[\w\-\.\+]+/[\w\-\.\+]+(,[\w\-\.\+]+/[\w\-\.\+]+)*",
    "KmsKeyId": r".+",
    "TagKey": r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$",
    "TagValue": r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*",
    "ResourceARN": r"arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+",
}

# Names of ours that boto's own rule for names does not give.
OURS = {"StreamARN": "stream_arn"}

ALL_CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1)]
CATEGORY = {character: unicodedata.category(character) for character in ALL_CHARACTERS}
KNOWN = [character for character in ALL_CHARACTERS if CATEGORY[character] != "Cn"]
# Enough for patterns that are about ASCII: every script's digits are among them.
TRIED = ALL_CHARACTERS[:0x3000] + [
    character for character in ALL_CHARACTERS[0x3000:] if CATEGORY[character] == "Nd"
]


def service_model() -> dict[str, Any]:
    """Return botocore's installed service model as plain data."""
    loader = botocore.loaders.create_loader()
    model: dict[str, Any] = loader.load_service_model("kinesisvideo", "service-2", "2017-09-30")
    return model


def field_names(cls: type[attrs.AttrsInstance]) -> set[str]:
    """Return the names of a model's fields."""
    return {attribute.name for attribute in attrs.fields(cls)}


def members(shape: dict[str, Any]) -> dict[str, str]:
    """Return our name of each member, and AWS's."""
    return {OURS.get(name, xform_name(name)): name for name in shape["members"]}


def complain_of_members(model: dict[str, Any]) -> list[str]:
    """Hold the fields of our models against the members of the model's structures."""
    complaints = []
    for cls, name, besides in (
        (CreateStreamRequest, "CreateStreamInput", set[str]()),
        (StreamStorageConfiguration, "StreamStorageConfiguration", set[str]()),
        (StreamInfo, "StreamInfo", set[str]()),
        (
            CreateStreamResponse,
            "CreateStreamOutput",
            {"request_id", "http_status_code", "retry_attempts"},
        ),
    ):
        shape = model["shapes"][name]
        known, offered = members(shape), field_names(cls) - besides
        complaints += [
            f"{name} has a new member {known[field]}: add the field {field} to {cls.__name__} in "
            "_models.py, its limit to _limits.py and its check to check_request, and read and "
            "write it in to_boto, from_boto and _wire.py"
            for field in sorted(known.keys() - offered)
        ]
        complaints += [
            f"{name} has no member for {field} any more: deprecate the field in {cls.__name__}"
            for field in sorted(offered - known.keys())
        ]
        if name.startswith("Create") or name == "StreamStorageConfiguration":
            required = {OURS.get(it, xform_name(it)) for it in shape.get("required", [])}
            mandatory = {
                attribute.name
                for attribute in attrs.fields(cls)
                if attribute.default is attrs.NOTHING and name != "CreateStreamOutput"
            }
            complaints += [
                f"{field} of {name} is {'now' if field in required else 'no longer'} required: "
                f"change its default in {cls.__name__}, and check_request"
                for field in sorted(required ^ mandatory)
            ]
    return complaints


def expected_constraints(limit: Limit, shape_name: str) -> dict[str, object]:
    """Return the constraints that the model's shape must have for our limit to restate it."""
    if isinstance(limit, _limits.Text):
        constraints: dict[str, object] = {
            "type": "string",
            "min": limit.min_length,
            "max": limit.max_length,
            "pattern": PATTERNS[shape_name],
        }
        return constraints
    if isinstance(limit, _limits.Number):
        # The maximum is the resource schema's: the model has none.
        return {"type": "integer", "min": limit.min}
    if isinstance(limit, _limits.Items):
        # An empty map means no tags, and is not sent.
        return {"type": "map", "min": 1, "max": limit.max_items}
    return {"type": "string", "enum": list(limit.choices)}


def complain_of_limits(model: dict[str, Any]) -> list[str]:
    """Hold every limit against the model's shape, both ways."""
    complaints = []
    for name, shape_name in LIMITS.items():
        expected = expected_constraints(getattr(_limits, name), shape_name)
        shape = model["shapes"].get(shape_name, {})
        found = {key: value for key, value in shape.items() if not key.startswith("documentation")}
        for inner in ("key", "value"):
            found.pop(inner, None)
        complaints += [
            f"{key} of {shape_name} is {found.get(key)!r} and not {expected.get(key)!r}: change "
            f"{name} in _limits.py, the docstring of its field and this test's table"
            for key in sorted(expected.keys() | found.keys())
            if expected.get(key) != found.get(key)
        ]
    return complaints


def complain_of_shapes(model: dict[str, Any]) -> list[str]:
    """Hold which shape each member is of against the table above."""
    shapes = model["shapes"]
    used = {member["shape"] for member in shapes["CreateStreamInput"]["members"].values()}
    used |= {shapes["ResourceTags"]["key"]["shape"], shapes["ResourceTags"]["value"]["shape"]}
    tiers = shapes["StreamStorageConfiguration"]["members"].values()
    used |= {member["shape"] for member in tiers}
    return [
        f"CreateStream now uses the shape {name}: add its limit to _limits.py and to this table"
        for name in sorted(used - {*LIMITS.values(), "StreamStorageConfiguration"})
    ]


def complain_of_enums(model: dict[str, Any]) -> list[str]:
    """Hold our enums against the model's."""
    complaints = []
    for cls, name in ((StreamStatus, "Status"), (StorageTier, "DefaultStorageTier")):
        theirs, ours = set(model["shapes"][name]["enum"]), {member.value for member in cls}
        complaints += [
            f"{name} has a new value {value}: add the member {value} to {cls.__name__} in "
            "_models.py, and see what it means for the flows"
            for value in sorted(theirs - ours)
        ]
        complaints += [
            f"{name} has no value {value} any more: deprecate it in {cls.__name__}"
            for value in sorted(ours - theirs)
        ]
    return complaints


def complaints(model: dict[str, Any]) -> list[str]:
    """Return a sentence for each thing in which the model and this library differ."""
    return [
        *complain_of_members(model),
        *complain_of_shapes(model),
        *complain_of_limits(model),
        *complain_of_enums(model),
    ]


def test_agrees_with_the_installed_model() -> None:
    """Fields, limits, enums and required members are those of the installed botocore."""
    found = complaints(service_model())
    assert not found, f"botocore {botocore.__version__} has changed:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "path, value, sentence",
    [
        (
            "CreateStreamInput.members.FrameRate",
            {"shape": "Version"},
            r"new member FrameRate: add the field frame_rate to CreateStreamRequest in _models.py",
        ),
        (
            "StreamStorageConfiguration.members.Days",
            {"shape": "Version"},
            r"new member Days: add the field days to StreamStorageConfiguration in _models.py",
        ),
        (
            "CreateStreamInput.members.DeviceName",
            None,
            r"no member for device_name any more: deprecate the field in CreateStreamRequest",
        ),
        (
            "CreateStreamInput.required",
            ["StreamName", "KmsKeyId"],
            r"kms_key_id of CreateStreamInput is now required: change .* CreateStreamRequest",
        ),
        (
            "CreateStreamInput.required",
            [],
            r"stream_name of CreateStreamInput is no longer required: change its default",
        ),
        (
            "StreamInfo.members.Owner",
            {"shape": "Version"},
            r"new member Owner: add the field owner to StreamInfo in _models.py",
        ),
        (
            "CreateStreamOutput.members.Version",
            {"shape": "Version"},
            r"new member Version: add the field version to CreateStreamResponse in _models.py",
        ),
        (
            "Status.enum",
            ["CREATING", "ACTIVE", "UPDATING", "DELETING", "PAUSED"],
            r"new value PAUSED: add the member PAUSED to StreamStatus in _models.py",
        ),
        (
            "Status.enum",
            ["CREATING", "ACTIVE", "DELETING"],
            r"no value UPDATING any more: deprecate it in StreamStatus",
        ),
        (
            "DefaultStorageTier.enum",
            ["HOT", "WARM", "COLD"],
            r"new value COLD: add the member COLD to StorageTier in _models.py",
        ),
        (
            "DefaultStorageTier.enum",
            ["HOT", "WARM", "COLD"],
            r"enum of DefaultStorageTier is .*: change DEFAULT_STORAGE_TIER in _limits.py",
        ),
        (
            "MediaType.max",
            129,
            r"max of MediaType is 129 and not 128: change MEDIA_TYPE in _limits.py",
        ),
        (
            "TagKey.pattern",
            ".*",
            r"pattern of TagKey is '\.\*' and not .*: change TAG_KEY in _limits.py",
        ),
        (
            "DataRetentionInHours.max",
            90_000,
            r"max of DataRetentionInHours is 90000 and not None: change DATA_RETENTION_IN_HOURS in",
        ),
        (
            "ResourceTags.max",
            60,
            r"max of ResourceTags is 60 and not 50: change TAGS in _limits.py",
        ),
        (
            "DataRetentionInHours.type",
            "long",
            r"type of DataRetentionInHours is 'long' and not 'integer': change DATA_RETENTION_IN_H",
        ),
        (
            "CreateStreamInput.members.KmsKeyId",
            {"shape": "Version"},
            r"CreateStream now uses the shape Version: add its limit to _limits.py",
        ),
        (
            "ResourceARN",
            None,
            r"max of ResourceARN is None and not 1024: change STREAM_ARN in _limits.py",
        ),
    ],
)
def test_a_change_of_the_model_says_what_to_do(path: str, value: Any, sentence: str) -> None:
    """A botocore to come that differs is told by a sentence that says what to change where."""
    model = copy.deepcopy(service_model())
    *parents, last = path.split(".")
    place = functools.reduce(dict.__getitem__, parents, model["shapes"])
    if value is None:
        del place[last]
    else:
        place[last] = value
    found = complaints(model)
    assert any(re.search(sentence, complaint) for complaint in found), found


def test_boto_kwargs_are_all_members() -> None:
    """The annotations of ``to_boto`` name every member of the model, and no other."""
    shapes = service_model()["shapes"]
    assert set(CreateStreamKwargs.__annotations__) == set(shapes["CreateStreamInput"]["members"])
    assert CreateStreamKwargs.__required_keys__ == set(shapes["CreateStreamInput"]["required"])
    assert set(StreamStorageConfigurationKwargs.__annotations__) == set(
        shapes["StreamStorageConfiguration"]["members"]
    )


def test_no_limit_is_left_out() -> None:
    """Each limit of the table is held against the model, under AWS's name of its parameter."""
    table = {
        name
        for name, value in vars(_limits).items()
        if isinstance(value, _limits.Text | _limits.Number | _limits.Items | _limits.Choice)
    }
    assert table == set(LIMITS)
    input_members = service_model()["shapes"]["CreateStreamInput"]["members"]
    for name, shape_name in LIMITS.items():
        parameter = getattr(_limits, name).parameter
        if parameter in input_members and not name.startswith("TAG_"):
            assert input_members[parameter]["shape"] == shape_name
    assert _limits.TAG_KEY.parameter == _limits.TAG_VALUE.parameter == "Tags"
    assert _limits.DEFAULT_STORAGE_TIER.parameter == "DefaultStorageTier"
    assert _limits.STREAM_STORAGE_CONFIGURATION in input_members
    assert _limits.STREAM_ARN.parameter == "StreamARN"


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_has_a_source(name: str) -> None:
    """Each limit names the shape of the service model that it restates."""
    model = f"botocore service model kinesisvideo/2017-09-30, shape {LIMITS[name]}"
    schema = f"AWS::KinesisVideo::Stream resource schema, {LIMITS[name]}"
    sources = {"DATA_RETENTION_IN_HOURS": f"minimum: {model}; maximum: {schema}"}
    assert getattr(_limits, name).source == sources.get(name, model)


def test_limits_that_the_model_lacks() -> None:
    """The two rules of the resource schema are as published."""
    hours = _limits.DATA_RETENTION_IN_HOURS
    assert (hours.min, hours.max) == (0, 87_600)
    assert _limits.TAG_KEY_RESERVED_PREFIX == "aws:"


def matched_by(pattern: re.Pattern[str]) -> set[str]:
    """Return every character that a pattern of the form ``[...]`` or ``[...]*`` matches."""
    return set("".join(pattern.findall("".join(ALL_CHARACTERS))))


def test_word_characters_are_letters_and_digits() -> None:
    r"""``str.isalnum()`` and ``_``, which is Python's ``\w``, are exactly ``[\p{L}\p{N}_]``."""
    expected = {character for character in ALL_CHARACTERS if CATEGORY[character][0] in "LN"} | {"_"}
    assert matched_by(re.compile(r"\w")) == expected
    assert {character for character in ALL_CHARACTERS if character.isalnum()} == expected - {"_"}
    assert set(regex.findall(r"[\p{L}\p{N}_]", "".join(KNOWN))) == expected


def test_separators_are_all_written_out() -> None:
    r"""What the pattern of tags matches beyond ``\w`` and the signs is exactly ``\p{Z}``."""
    separators = {character for character in ALL_CHARACTERS if CATEGORY[character][0] == "Z"}
    words_and_signs = matched_by(re.compile(r"[\w.:/=+@-]"))
    assert matched_by(_limits.TAG_KEY.pattern) - words_and_signs == separators
    assert matched_by(_limits.TAG_KEY.pattern) >= words_and_signs


@pytest.mark.parametrize("name", ["TAG_KEY", "TAG_VALUE"])
def test_tag_characters(name: str) -> None:
    r"""For all that this Python knows, the pattern agrees with an engine that knows ``\p``."""
    theirs = regex.compile(service_model()["shapes"][LIMITS[name]]["pattern"])
    limit = getattr(_limits, name)
    matched = matched_by(limit.pattern)
    assert limit.by_unicode_tables
    assert theirs.fullmatch("".join(matched))
    refused = [character for character in KNOWN if character not in matched]
    assert not [hex(ord(character)) for character in refused if theirs.fullmatch(character)]


@pytest.mark.parametrize(
    "name, around, allowed",
    [
        ("STREAM_NAME", "{}", r"[a-zA-Z0-9_.-]"),
        ("DEVICE_NAME", "{}", r"[a-zA-Z0-9_.-]"),
        ("MEDIA_TYPE", "v{}/h", r"[a-zA-Z0-9_.+-]"),
        ("MEDIA_TYPE", "v/{}", r"[a-zA-Z0-9_.+-]"),
        ("KMS_KEY_ID", "{}", r"[^\n\r\x85\u2028\u2029]"),
        ("STREAM_ARN", "arn:a{}s:kinesisvideo:r:1:stream/c/1", r"[a-z0-9-]"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r{}:1:stream/c/1", r"[a-z0-9-]"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1{}:stream/c/1", r"[0-9]"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1:s{}/c/1", r"[a-z]"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1:stream/c{}/1", r"[a-zA-Z0-9_.-]"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1:stream/c/1{}", r"[0-9]"),
    ],
)
def test_characters_of_the_other_patterns(name: str, around: str, allowed: str) -> None:
    """In each place exactly the published characters match; letters and digits are ASCII."""
    limit = getattr(_limits, name)
    assert not limit.by_unicode_tables
    wrong = [
        hex(ord(character))
        for character in TRIED
        if bool(limit.pattern.fullmatch(around.format(character)))
        != bool(re.fullmatch(allowed, character))
    ]
    assert not wrong
