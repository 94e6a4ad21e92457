"""The published rules: as botocore's service model has them, no stricter and no laxer."""

import functools
import re
import sys
import unicodedata
from types import MappingProxyType
from typing import Any

import attrs
import pytest
import regex
import strategies
from botocore import xform_name
from botocore.loaders import Loader
from hypothesis import given, strategies as st

from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    RequestValidationError,
    StorageTier,
    StreamInfo,
    StreamStatus,
    StreamStorageConfiguration,
    Violation,
    _rules,
    typing,
)

# Each row with the shape of botocore's model that it restates.
ROWS = {
    "ResourceTags": _rules.TAGS,
    "TagKey": _rules.TAG_KEY,
    "TagValue": _rules.TAG_VALUE,
    "DefaultStorageTier": _rules.DEFAULT_STORAGE_TIER,
    "ResourceARN": _rules.STREAM_ARN,
    **{rule.parameter: rule for rule in _rules.MEMBERS if rule.parameter != "Tags"},
}
# Texts that fit, for each shape of a text.
FITTING = {
    "StreamName": strategies.names(),
    "DeviceName": strategies.names(128),
    "MediaType": strategies.media_types(),
    "KmsKeyId": strategies.kms_key_ids(),
    "TagKey": strategies.tag_texts(1, 128),
    "TagValue": strategies.tag_texts(0, 256),
}
CHARACTERS = "must consist of ASCII letters, digits, '_', '.' and '-', got"
TAG_CHARACTERS = "must consist of letters, digits and spaces of any script and '_.:/=+-@', got"
TYPES = "must be type/subtype such as 'video/h264', several of them joined by ',', got"
HOURS = "data_retention_in_hours"
# A code point that no Unicode version gives to anybody so far.
UNASSIGNED = "\u0378"


@functools.cache
def shapes() -> dict[str, Any]:
    """Return the shapes of botocore's installed service model as plain data."""
    model: dict[str, Any] = Loader().load_service_model("kinesisvideo", "service-2", "2017-09-30")
    found: dict[str, Any] = model["shapes"]
    return found


@functools.cache
def as_in_java(pattern: str) -> Any:
    r"""Compile a pattern of the model as the service does: ``\w`` in ASCII, and Java's ``.``."""
    pattern = pattern.replace(r"[\w", "[a-zA-Z0-9_").replace(r"\d", "0-9")
    return regex.compile(r"[^\n\r\x85\u2028\u2029]+" if pattern == ".+" else pattern)


def expected_of_text(shape: str, text: str) -> list[str]:
    """Return the rules that a text breaks, by the model and the resource schema alone."""
    limits = shapes()[shape]
    found = ["max_length"] if len(text) > limits["max"] else []
    known = text
    if r"\p{" in limits["pattern"]:  # what this Python does not know is left to the service
        known = "".join(it for it in text if unicodedata.category(it) != "Cn")
    if len(text) < limits["min"]:
        found.append("min_length")
    elif not as_in_java(limits["pattern"]).fullmatch(known):
        found.append("pattern")
    return found + ["reserved_prefix"] * (shape == "TagKey" and text.startswith("aws:"))


def violations(**fields: Any) -> list[Violation]:
    """Return what a request is refused with; nothing if it is accepted."""
    try:
        CreateStreamRequest(**{"stream_name": "cam", **fields})
    except RequestValidationError as error:
        return list(error.violations)
    return []


def broken(**fields: Any) -> list[tuple[str, str]]:
    """Return the path and the rule of each fault of a request."""
    return [(violation.field, violation.rule) for violation in violations(**fields)]


# The table against botocore's model.


@pytest.mark.parametrize("shape", ROWS)
def test_row_restates_the_model(shape: str) -> None:
    """Each limit is the model's; a botocore that differs fails here."""
    rule = ROWS[shape]
    ours = {"min": rule.min, "max": rule.max, "enum": list(rule.choices)}
    of_model = {key: shapes()[shape][key] for key in ours if key in shapes()[shape]}
    if shape == "ResourceTags":
        assert of_model.pop("min") == 1  # an empty map is not sent
    assert {key: ours[key] for key in of_model} == of_model


@pytest.mark.parametrize(
    "shape, model",
    [
        ("CreateStreamInput", CreateStreamRequest),
        ("StreamStorageConfiguration", StreamStorageConfiguration),
        ("CreateStreamOutput", CreateStreamResponse),
        ("StreamInfo", StreamInfo),
    ],
)
def test_models_have_the_members_of_the_model(shape: str, model: Any) -> None:
    """The fields of the models, and the keys of boto3's arguments, are those of botocore."""
    members, required = shapes()[shape]["members"], shapes()[shape].get("required", [])
    fields = {field.name for field in attrs.fields(model)}
    assert fields >= {xform_name(name) for name in members}
    if kwargs := getattr(typing, f"{model.__name__.replace('Request', '')}Kwargs", None):
        assert kwargs.__annotations__.keys() == members.keys()
        assert kwargs.__required_keys__ == set(required)
        assert len(fields) == len(members)


def test_rows_are_the_members_of_the_model() -> None:
    """Each member has a row under its name in Python; the enums have all texts."""
    names = {rule.parameter: rule.field for rule in _rules.MEMBERS}
    assert names == {name: xform_name(name) for name in shapes()["CreateStreamInput"]["members"]}
    assert [rule.parameter for rule in _rules.MEMBERS if rule.required] == ["StreamName"]
    assert set(StreamStatus) == set(shapes()["Status"]["enum"])
    assert set(StorageTier) == set(shapes()["DefaultStorageTier"]["enum"])


@pytest.mark.parametrize(
    "shape, around",
    [
        ("StreamName", "{}"),
        ("DeviceName", "{}"),
        ("MediaType", "v{}/h"),
        ("MediaType", "v/{}"),
        ("KmsKeyId", "{}"),
        ("TagKey", "{}"),
        ("ResourceARN", "arn:a{}s:kinesisvideo:r:1:stream/c/1"),
        ("ResourceARN", "arn:a:kinesisvideo:r{}:1:stream/c/1"),
        ("ResourceARN", "arn:a:kinesisvideo:r:1{}:stream/c/1"),
        ("ResourceARN", "arn:a:kinesisvideo:r:1:s{}/c/1"),
        ("ResourceARN", "arn:a:kinesisvideo:r:1:stream/c{}/1"),
        ("ResourceARN", "arn:a:kinesisvideo:r:1:stream/c/1{}"),
    ],
)
def test_characters(shape: str, around: str) -> None:
    """In each place exactly the published characters match, of all that this Python knows."""
    theirs, ours = as_in_java(shapes()[shape]["pattern"]), re.compile(ROWS[shape].pattern)
    tried = map(chr, range(sys.maxunicode + 1 if shape == "TagKey" else 0x3000))
    wrong = [
        hex(ord(character))
        for character in tried
        if unicodedata.category(character) != "Cn"
        and bool(ours.fullmatch(around.format(character)))
        != bool(theirs.fullmatch(around.format(character)))
    ]
    assert not wrong


# Requests: what is valid is accepted, each fault is named by field and rule.


@given(strategies.request_kwargs())
def test_what_is_valid_is_accepted(kwargs: dict[str, Any]) -> None:
    """What is valid by the published patterns is accepted, and found so by the quick check."""
    assert _rules.is_valid(CreateStreamRequest(**kwargs))


@pytest.mark.parametrize("shape", FITTING)
@given(data=st.data())
def test_texts_are_judged_as_by_the_model(shape: str, data: st.DataObject) -> None:
    """Any text breaks exactly the rules that it breaks in the model."""
    fitting, limits = FITTING[shape], shapes()[shape]
    text = data.draw(
        fitting
        | st.text()
        | st.tuples(fitting, st.characters(), fitting).map("".join)
        | st.sampled_from([limits["min"], limits["max"], limits["max"] + 1]).map("a".__mul__)
    )
    expected = expected_of_text(shape, text)
    if shape.startswith("Tag"):
        path = _rules.tag_path(text if shape == "TagKey" else "k0")
        fields: dict[str, Any] = {"tags": {text: ""} if shape == "TagKey" else {"k0": text}}
    else:
        path = ROWS[shape].field
        fields = {path: text}
    assert broken(**{"stream_name": "cam", **fields}) == [(path, rule) for rule in expected]


@pytest.mark.parametrize(
    "fields, rule",
    [
        ({"stream_name": "a"}, ""),
        ({"stream_name": "a" * 256}, ""),
        ({"stream_name": "a" * 257}, "max_length"),
        ({"stream_name": ""}, "min_length"),
        ({"stream_name": None}, "required"),
        ({"stream_name": "a\n"}, "pattern"),
        ({"device_name": 7}, "type"),
        ({"device_name": "d\ra"}, "pattern"),
        ({"device_name": "d\u0378a"}, "pattern"),
        ({"media_type": "a/" + "b" * 126}, ""),
        ({"media_type": "video/h264,audio/aac,x.y+z-1/w"}, ""),
        ({"media_type": "a/b,"}, "pattern"),
        ({"kms_key_id": "k" * 2048}, ""),
        ({"kms_key_id": "\x00\t\x1b é日 \U0010ffff\x0b\x0c"}, ""),
        ({"kms_key_id": "k\n\r\nv"}, "pattern"),
        ({"data_retention_in_hours": 0}, ""),
        ({"data_retention_in_hours": 87_600}, ""),
        ({"data_retention_in_hours": -1}, "min"),
        ({"data_retention_in_hours": 87_601}, "max"),
        ({"data_retention_in_hours": True}, "type"),
        ({"data_retention_in_hours": 24.0}, "type"),
        ({"stream_storage_configuration": {"DefaultStorageTier": "HOT"}}, "type"),
        ({"tags": {f"k{n}": "" for n in range(50)}}, ""),
        ({"tags": {f"k{n}": "" for n in range(51)}}, "max_items"),
        ({"tags": [{"Key": "a", "Value": "b"}]}, "type"),
        ({"tags": {"k" * 128: "v" * 256}}, ""),
        ({"tags": {" ": " ", "_.:/=+-@": "\u2028\u3000\xa0"}}, ""),
        ({"tags": {"a": "", "aw": "", "aws": "", "awsx": "", "AWS:x": "", "x aws:": "aws:x"}}, ""),
        ({"tags": {"日本": "٣Ⅷ²", "ключ": "é"}}, ""),
        ({"tags": MappingProxyType({"k": "v"})}, ""),
    ],
)
def test_at_the_limits(fields: dict[str, Any], rule: str) -> None:
    """What is just within the limits is accepted by the quick check, what is beyond is named."""
    assert broken(**fields) == [(field, rule) for field in fields if rule]
    if not rule:
        assert _rules.is_valid(CreateStreamRequest(**{"stream_name": "cam", **fields}))
        assert broken(**fields, device_name="a b") == [("device_name", "pattern")]


@pytest.mark.parametrize(
    "key, value, rules",
    [
        ("", "", ["min_length"]),
        ("k" * 129, "", ["max_length"]),
        ("k!", "", ["pattern"]),
        ("k\n", "", ["pattern"]),
        ("\r", "", ["pattern"]),
        ("aws:k", "", ["reserved_prefix"]),
        ("aws:", "", ["reserved_prefix"]),
        ("aws:!", "", ["pattern", "reserved_prefix"]),
        (5, "", ["type"]),
        (None, "", ["type"]),
        ("k", "v" * 257, ["max_length"]),
        ("k", "v!", ["pattern"]),
        ("k", "a\nb", ["pattern"]),
        ("k", "\r", ["pattern"]),
        ("k", 5, ["type"]),
        # A code point that this Python's tables do not know may be a letter.
        (UNASSIGNED, "", []),
        ("k", f"a{UNASSIGNED}", []),
        (f"{UNASSIGNED}!", "", ["pattern"]),
    ],
)
def test_one_bad_tag_is_named(key: Any, value: Any, rules: list[str]) -> None:
    """Among as many tags as there may be, the one that breaks a rule is named."""
    tags = {f"k{n}": "" for n in range(49)}
    assert broken(tags={**tags, key: value}) == [(_rules.tag_path(key), rule) for rule in rules]
    many = [("tags", "max_items"), *((_rules.tag_path(key), rule) for rule in rules)]
    assert broken(tags={**tags, key: value, "l": ""}) == many


def test_every_fault_is_reported() -> None:
    """All faults come at once, in the order of the fields; their texts say what is wanted."""
    found = violations(
        stream_name=f"a b\n{UNASSIGNED}",
        device_name=5,
        media_type="h264",
        kms_key_id="k" * 2049,
        data_retention_in_hours=-1,
        tags={"aws:!": None, "k": 7, "": "v" * 257},
        stream_storage_configuration="HOT",
    )
    storage = "stream_storage_configuration"
    assert [f"{it.parameter}: {it.message}" for it in found] == [
        rf"StreamName: stream_name {CHARACTERS} 'a b\n\u0378'",
        "DeviceName: device_name must be a string, not 5",
        f"MediaType: media_type {TYPES} 'h264'",
        f"KmsKeyId: kms_key_id must have at most 2048 characters, got 2049: '{'k' * 79}…'",
        "DataRetentionInHours: data_retention_in_hours must be at least 0, got -1",
        f"Tags: the key of tags['aws:!'] {TAG_CHARACTERS} 'aws:!'",
        "Tags: the key of tags['aws:!'] must not begin with 'aws:', got 'aws:!'",
        "Tags: the value of tags['k'] must be a string, not 7",
        "Tags: the key of tags[''] must have at least 1 character, got ''",
        f"Tags: the value of tags[''] must have at most 256 characters, got 257: '{'v' * 79}…'",
        f"StreamStorageConfiguration: {storage} must be a StreamStorageConfiguration, not 'HOT'",
    ]
    assert all(it.message.endswith(it.value) for it in found)


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"stream_name": None}, "stream_name is required"),
        ({"data_retention_in_hours": 87_601}, f"{HOURS} must be at most 87600, got 87601"),
        (
            {"data_retention_in_hours": "1"},
            f"{HOURS} must be an int or a timedelta of whole hours, not '1'",
        ),
        ({"kms_key_id": "a\nb"}, r"kms_key_id must not contain a line break, got 'a\nb'"),
        ({"tags": {f"k{n}": "" for n in range(51)}}, "tags must have at most 50 entries, got 51"),
        ({"tags": ["a"]}, "tags must be a mapping of strings to strings, not <list>"),
    ],
)
def test_other_messages(fields: dict[str, Any], message: str) -> None:
    """The rest of the messages."""
    (violation,) = violations(**fields)
    assert violation.message == message
    assert message.endswith((violation.value, "is required"))
    assert violation.parameter in ROWS.keys() | {"Tags"}


@given(
    st.fixed_dictionaries({rule.field: strategies.anything() for rule in _rules.MEMBERS}),
    st.dictionaries(
        st.sampled_from([*shapes()["CreateStreamInput"]["members"], "Tag", 5]),
        strategies.anything(),
    ),
)
def test_any_arguments(fields: dict[str, Any], kwargs: dict[Any, Any]) -> None:
    """Whatever the arguments, in our form and in boto3's, all that is said can be printed."""
    found = violations(**fields)
    try:
        CreateStreamRequest.from_boto(kwargs)
    except RequestValidationError as error:
        found += error.violations
    assert all(text.isprintable() for violation in found for text in attrs.astuple(violation))


@pytest.mark.parametrize("text", ["a/" * 100_000, "a," * 100_000, "a/b," * 100_000, "a" * 10**6])
def test_long_texts(text: str) -> None:
    """A long text is judged in a moment: no pattern goes back and forth."""
    assert ("media_type", "max_length") in broken(media_type=text)


# The name or ARN of a stream.

ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam-01/1600000000123"
NAME_OR_ARN = "stream must be a name, or an ARN like 'arn:aws:kinesisvideo:us-east-1:111122223333:"


@pytest.mark.parametrize(
    "stream, messages",
    [
        ("cam-01", []),
        (ARN, []),
        ("arn:aws-cn:kinesisvideo:cn-north-1:123456789012:channel/cam-01/1", []),
        (ARN.replace("cam", "c" * (1024 - len(ARN) + 3)), []),
        ("", ["stream must have at least 1 character, got ''"]),
        ("cam 01", [f"stream {CHARACTERS} 'cam 01'"]),
        ("cam:01", [f"{NAME_OR_ARN}stream/cam/16', got 'cam:01'"]),
        (
            ARN.replace("cam", "c" * (1025 - len(ARN) + 3)),
            ["stream must have at most 1024 characters, got 1025: 'arn"],
        ),
        ("c" * 257, ["stream must have at most 256 characters, got 257: '"]),
        (None, ["stream is required"]),
        (b"cam", ["stream must be a string, not <bytes>"]),
    ],
)
def test_stream(stream: object, messages: list[str]) -> None:
    """A name is accepted, and the ARN of any resource; what holds a colon is judged as an ARN."""
    found = _rules.check_stream(stream)
    assert [violation.field for violation in found] == ["stream"] * len(messages)
    for violation, message in zip(found, messages, strict=True):
        assert violation.message.startswith(message)
