"""The published rules: as botocore's service model has them, no stricter and no laxer."""

import functools
import re
import sys
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs
import pytest
import regex
import strategies
from botocore import xform_name
from botocore.loaders import Loader
from hypothesis import assume, given, strategies as st

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
)
from kvs_streams.typing import CreateStreamKwargs, StreamStorageConfigurationKwargs

# Each rule with the shape of botocore's model that it restates.
SHAPES = {
    "STREAM_NAME": "StreamName",
    "DEVICE_NAME": "DeviceName",
    "MEDIA_TYPE": "MediaType",
    "KMS_KEY_ID": "KmsKeyId",
    "DATA_RETENTION_IN_HOURS": "DataRetentionInHours",
    "TAGS": "ResourceTags",
    "TAG_KEY": "TagKey",
    "TAG_VALUE": "TagValue",
    "DEFAULT_STORAGE_TIER": "DefaultStorageTier",
    "STREAM_STORAGE_CONFIGURATION": "StreamStorageConfiguration",
    "INPUT": "CreateStreamInput",
    "STREAM_ARN": "ResourceARN",
}
TEXTS = [name for name in SHAPES if isinstance(getattr(_rules, name), _rules.TextRule)]
FIELDS = [rule.field for rule in _rules.INPUT.members]

ALL_CHARACTERS = [chr(code) for code in range(sys.maxunicode + 1)]
# An unassigned code point: no Unicode version gives U+0378 to anybody so far.
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


def matches(shape: str, text: str) -> bool:
    """Tell whether a text matches the model's pattern, but for what this Python does not know."""
    pattern = shapes()[shape]["pattern"]
    if r"\p{" in pattern:
        text = "".join(it for it in text if unicodedata.category(it) != "Cn")
    return bool(as_in_java(pattern).fullmatch(text))


def expected_of_text(shape: str, text: object) -> list[str]:
    """Return the rules that a text breaks, by the model alone."""
    if not isinstance(text, str):
        return ["type"]
    limits = shapes()[shape]
    if len(text) < limits["min"]:
        return ["min_length"]
    too_long = ["max_length"] if len(text) > limits["max"] else []
    return too_long + ([] if matches(shape, text) else ["pattern"])


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


@pytest.mark.parametrize("name", SHAPES)
def test_rule_restates_the_model(name: str) -> None:
    """Each limit, enum and member is the model's; a botocore that differs fails here."""
    rule, shape = getattr(_rules, name), shapes()[SHAPES[name]]
    of_model = {key: shape[key] for key in ("min", "max", "enum") if key in shape}
    match rule:
        case _rules.TextRule():
            assert of_model == {"min": rule.min_length, "max": rule.max_length}
        case _rules.NumberRule():  # the maximum is the resource schema's
            assert (of_model, rule.max) == ({"min": rule.min}, 87_600)
        case _rules.TagsRule():  # an empty map is not sent
            assert of_model == {"min": 1, "max": rule.max_items}
            assert (rule.reserved_prefix, rule.key, rule.value) == (
                "aws:",
                _rules.TAG_KEY,
                _rules.TAG_VALUE,
            )
        case _rules.ChoiceRule():
            assert of_model == {"enum": list(rule.choices)}
        case _rules.StructureRule():
            assert {member.parameter for member in rule.members} == set(shape["members"])
            required = [member.parameter for member in rule.members if member.required]
            assert required == shape.get("required", required)
    assert f"botocore service model kinesisvideo/2017-09-30, shape {SHAPES[name]}" in rule.source
    assert rule.parameter in {SHAPES[name], "Tags", "StreamARN"}


def test_no_rule_is_left_out() -> None:
    """Each rule of the table is held against the model, and each member has a rule."""
    table = {name for name, it in vars(_rules).items() if isinstance(it, _rules.FieldRule)}
    assert table == set(SHAPES)
    for rule in _rules.INPUT.members:
        assert shapes()["CreateStreamInput"]["members"][rule.parameter]["shape"] in SHAPES.values()
        assert rule.field == xform_name(rule.parameter)


def test_models_have_the_members_of_the_model() -> None:
    """The fields of the models, and the keys of boto3's arguments, are those of botocore."""
    for cls, shape, besides in (
        (CreateStreamRequest, "CreateStreamInput", set[str]()),
        (StreamStorageConfiguration, "StreamStorageConfiguration", set[str]()),
        (StreamInfo, "StreamInfo", {"stream_arn"}),
    ):
        members = {xform_name(name) for name in shapes()[shape]["members"]}
        assert {field.name for field in attrs.fields(cls)} == members - {"stream_arn"} | besides
    assert shapes()["CreateStreamOutput"]["members"].keys() == {"StreamARN"}
    assert attrs.fields(CreateStreamResponse)[0].name == "stream_arn"
    for kwargs, shape in (
        (CreateStreamKwargs, "CreateStreamInput"),
        (StreamStorageConfigurationKwargs, "StreamStorageConfiguration"),
    ):
        assert set(kwargs.__annotations__) == set(shapes()[shape]["members"])
    assert CreateStreamKwargs.__required_keys__ == set(shapes()["CreateStreamInput"]["required"])
    assert set(StreamStatus) == set(shapes()["Status"]["enum"])
    assert set(StorageTier) == set(shapes()["DefaultStorageTier"]["enum"])


@pytest.mark.parametrize(
    "name, around",
    [
        ("STREAM_NAME", "{}"),
        ("DEVICE_NAME", "{}"),
        ("MEDIA_TYPE", "v{}/h"),
        ("MEDIA_TYPE", "v/{}"),
        ("KMS_KEY_ID", "{}"),
        ("TAG_KEY", "{}"),
        ("TAG_VALUE", "{}"),
        ("STREAM_ARN", "arn:a{}s:kinesisvideo:r:1:stream/c/1"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r{}:1:stream/c/1"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1{}:stream/c/1"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1:s{}/c/1"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1:stream/c{}/1"),
        ("STREAM_ARN", "arn:a:kinesisvideo:r:1:stream/c/1{}"),
    ],
)
def test_characters(name: str, around: str) -> None:
    """In each place exactly the published characters match, of all that this Python knows."""
    theirs, ours = as_in_java(shapes()[SHAPES[name]]["pattern"]), getattr(_rules, name).pattern
    tried = ALL_CHARACTERS if name.startswith("TAG") else ALL_CHARACTERS[:0x3000]
    wrong = [
        hex(ord(character))
        for character in tried
        if bool(ours.fullmatch(around.format(character)))
        != bool(theirs.fullmatch(around.format(character)))
        and unicodedata.category(character) != "Cn"
    ]
    assert not wrong


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
def test_texts_are_judged_as_by_the_model(name: str, data: st.DataObject) -> None:
    """Any text breaks exactly the rules that it breaks in the model."""
    shape = SHAPES[name]
    limits = shapes()[shape]
    pattern = getattr(_rules, name).pattern
    is_key = name == "KMS_KEY_ID"  # any character fits, which is slow to draw by the pattern
    fitting = strategies.kms_key_ids() if is_key else st.from_regex(pattern, fullmatch=True)
    lengths = st.sampled_from([limits["min"], limits["max"], limits["max"] + 1])
    text = data.draw(
        st.text()
        | fitting
        | st.tuples(fitting, st.characters(), fitting).map("".join)
        | lengths.map("a".__mul__)
        | strategies.anything()
    )
    found = [violation.rule for violation in getattr(_rules, name).faults(text)]
    if name == "STREAM_NAME" and text is None:
        assert found == ["required"]
    else:
        assert found == expected_of_text(shape, text)


# Requests: what is valid is accepted, one fault is named by field and rule.


@given(strategies.request_kwargs())
def test_what_is_valid_is_accepted(kwargs: dict[str, Any]) -> None:
    """What is valid by the published patterns is accepted, and found so by the quick check."""
    assert _rules.is_valid(CreateStreamRequest(**kwargs))


@given(strategies.wire_kwargs())
def test_what_is_valid_for_boto3_is_accepted(kwargs: dict[str, Any]) -> None:
    """The same in the form of boto3."""
    assert _rules.INPUT.faults(kwargs) == []


def bad_texts(longest: int, bad: str, *wrong: object) -> st.SearchStrategy[tuple[Any, str]]:
    """Values of a text's field, each with the one rule that it breaks."""
    return (
        st.sampled_from([(value, "type") for value in (7, True, b"cam", ["cam"], *wrong)])
        | st.integers(1, 9).map(lambda more: ("a" * (longest + more), "max_length"))
        | st.sampled_from([("", "min_length")])
        | st.tuples(st.text("ab"), st.sampled_from(bad), st.text("ab")).map(
            lambda parts: ("".join(parts), "pattern")
        )
    )


BAD: dict[str, st.SearchStrategy[tuple[Any, str]]] = {
    "stream_name": bad_texts(256, " \n\té日:/@\x00\x85٣") | st.just((None, "required")),
    "device_name": bad_texts(128, " \n\té日:/@\x00\x85٣"),
    "media_type": bad_texts(128, "/\n,é٣ ")
    .filter(lambda it: it != ("a/b", "pattern"))
    # A long text that is no media type has two faults.
    .map(lambda it: ("a/" + "b" * 127, "max_length") if it[1] == "max_length" else it)
    .filter(lambda it: it[1] != "pattern" or not re.fullmatch("[ab]+/[ab]+", it[0])),
    "kms_key_id": bad_texts(2048, strategies.LINE_TERMINATORS),
    "data_retention_in_hours": st.sampled_from([True, 24.0, "24", b"24"]).map(
        lambda it: (it, "type")
    )
    | st.integers(max_value=-1).map(lambda it: (it, "min"))
    | st.integers(87_601).map(lambda it: (it, "max")),
    "stream_storage_configuration": st.sampled_from(["HOT", {"DefaultStorageTier": "HOT"}, 1]).map(
        lambda it: (it, "type")
    ),
    "tags": st.sampled_from(["a=b", [("a", "b")], [{"Key": "a", "Value": "b"}], 1]).map(
        lambda it: (it, "type")
    )
    | st.integers(51, 60).map(lambda it: ({f"k{n}": "" for n in range(it)}, "max_items")),
}
assert list(BAD.keys() - set(FIELDS)) == []


@pytest.mark.parametrize("field", FIELDS)
@given(data=st.data())
def test_one_fault_is_named(field: str, data: st.DataObject) -> None:
    """Of a request that is valid but for one field, that field and the rule it breaks are named."""
    kwargs = data.draw(strategies.request_kwargs())
    value, rule = data.draw(BAD[field])
    assert broken(**{**kwargs, field: value}) == [(field, rule)]


@given(
    strategies.tags(40),
    st.sampled_from(
        [
            ("", "", "min_length"),
            ("k" * 129, "", "max_length"),
            ("k!", "", "pattern"),
            ("k\n", "", "pattern"),
            ("\r", "", "pattern"),
            ("aws:k", "", "reserved_prefix"),
            ("aws:", "", "reserved_prefix"),
            (5, "", "type"),
            (None, "", "type"),
            ("k0", "v" * 257, "max_length"),
            ("k0", "v!", "pattern"),
            ("k0", "a\nb", "pattern"),
            ("k0", "\r", "pattern"),
            ("k0", 5, "type"),
        ]
    ),
)
def test_one_bad_tag_is_named(tags: dict[Any, Any], bad: tuple[Any, Any, str]) -> None:
    """Among any other tags, the one that breaks a rule is named."""
    key, value, rule = bad
    assume(key not in tags)
    assert broken(tags={**tags, key: value}) == [(_rules.tag_path(key), rule)]


@pytest.mark.parametrize(
    "fields",
    [
        {"stream_name": "a"},
        {"stream_name": "a" * 256},
        {"device_name": "a" * 128},
        {"media_type": "a/b"},
        {"media_type": "a/" + "b" * 126},
        {"media_type": "video/h264,audio/aac,x.y+z-1/w"},
        {"kms_key_id": "k" * 2048},
        {"kms_key_id": "\x00\t\x1b é日 \U0010ffff\x0b\x0c"},
        {"data_retention_in_hours": 0},
        {"data_retention_in_hours": 87_600},
        {"tags": {f"k{n}": "" for n in range(50)}},
        {"tags": {"k" * 128: "v" * 256}},
        {"tags": {" ": " ", "_.:/=+-@": "\u2028\u3000\xa0"}},
        {"tags": {"a": "", "aw": "", "aws": "", "awsx": "", "AWS:x": "", "x aws:": "aws:x"}},
        {"tags": {"日本": "٣Ⅷ²", "ключ": "é"}},
        {"tags": MappingProxyType({"k": "v"})},
    ],
)
def test_at_the_limits(fields: dict[str, Any]) -> None:
    """What is just within the limits is accepted by the quick check."""
    assert broken(**fields) == []
    assert _rules.is_valid(CreateStreamRequest(**{"stream_name": "cam", **fields}))


@pytest.mark.parametrize("tags", [{UNASSIGNED: "v"}, {"k": f"a{UNASSIGNED}"}])
def test_unknown_code_points_are_left_to_the_service(tags: dict[str, str]) -> None:
    """A code point that this Python's tables do not know may be a letter; others are judged."""
    assert broken(tags=tags) == []
    assert broken(tags={**tags, "b!": ""}) == [("tags['b!']", "pattern")]
    assert broken(stream_name=UNASSIGNED) == [("stream_name", "pattern")]


def test_every_fault_is_reported() -> None:
    """All faults come at once, in the order of the fields; their texts say what is wanted."""
    found = violations(
        stream_name="a b\n",
        device_name=5,
        media_type="h264",
        kms_key_id="k" * 2049,
        data_retention_in_hours=-1,
        tags={"aws:!": None, "k": 7, "": "v" * 257},
        stream_storage_configuration="HOT",
    )
    assert [(it.parameter, it.field, it.rule, it.message, it.value) for it in found] == [
        (
            "StreamName",
            "stream_name",
            "pattern",
            "stream_name must consist of ASCII letters, digits, '_', '.' and '-', got 'a b\\n'",
            "'a b\\n'",
        ),
        ("DeviceName", "device_name", "type", "device_name must be a string, not 5", "5"),
        (
            "MediaType",
            "media_type",
            "pattern",
            (
                "media_type must be type/subtype such as 'video/h264', several of them joined by "
                "',', got 'h264'"
            ),
            "'h264'",
        ),
        (
            "KmsKeyId",
            "kms_key_id",
            "max_length",
            f"kms_key_id must have at most 2048 characters, got 2049: '{'k' * 79}…'",
            f"'{'k' * 79}…'",
        ),
        (
            "DataRetentionInHours",
            "data_retention_in_hours",
            "min",
            "data_retention_in_hours must be at least 0, got -1",
            "-1",
        ),
        (
            "Tags",
            "tags['aws:!']",
            "pattern",
            (
                "the key of tags['aws:!'] must consist of letters, digits and spaces of any script "
                "and '_.:/=+-@', got 'aws:!'"
            ),
            "'aws:!'",
        ),
        (
            "Tags",
            "tags['aws:!']",
            "reserved_prefix",
            "the key of tags['aws:!'] must not begin with 'aws:'",
            "'aws:!'",
        ),
        ("Tags", "tags['k']", "type", "the value of tags['k'] must be a string, not 7", "7"),
        (
            "Tags",
            "tags['']",
            "min_length",
            "the key of tags[''] must have at least 1 character, got ''",
            "''",
        ),
        (
            "Tags",
            "tags['']",
            "max_length",
            f"the value of tags[''] must have at most 256 characters, got 257: '{'v' * 79}…'",
            f"'{'v' * 79}…'",
        ),
        (
            "StreamStorageConfiguration",
            "stream_storage_configuration",
            "type",
            "stream_storage_configuration must be a StreamStorageConfiguration, not 'HOT'",
            "'HOT'",
        ),
    ]


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"stream_name": None}, "stream_name is required"),
        ({"data_retention_in_hours": 87_601}, "data_retention_in_hours must be at most 87600, got"),
        ({"data_retention_in_hours": "1"}, "must be an int or a timedelta of whole hours, got '1'"),
        ({"tags": {f"k{n}": "" for n in range(51)}}, "tags must be at most 50, got 51"),
        ({"tags": ["a"]}, "tags must be a mapping of strings to strings, not <list>"),
    ],
)
def test_other_messages(fields: dict[str, Any], message: str) -> None:
    """The rest of the messages."""
    (violation,) = violations(**fields)
    assert message in violation.message


@given(st.fixed_dictionaries({field: strategies.anything() for field in FIELDS}))
def test_any_arguments(fields: dict[str, Any]) -> None:
    """Whatever the arguments, violations are printable; a request that is made has no fault."""
    for violation in violations(**fields):
        for text in attrs.astuple(violation):
            assert text.isprintable()


@given(
    st.dictionaries(
        st.sampled_from([*shapes()["CreateStreamInput"]["members"], "Tag", 5]),
        strategies.anything(),
    )
)
def test_any_boto_arguments(kwargs: Mapping[str, Any]) -> None:
    """The same in the form of boto3; what has no fault makes a request."""
    faults = _rules.INPUT.faults(kwargs)
    if faults:
        with pytest.raises(RequestValidationError) as caught:
            CreateStreamRequest.from_boto(kwargs)
        assert list(caught.value.violations) == faults
    else:
        CreateStreamRequest.from_boto(kwargs)


@pytest.mark.parametrize("text", ["a/" * 100_000, "a," * 100_000, "a/b," * 100_000, "a" * 10**6])
@pytest.mark.parametrize("field", ["stream_name", "media_type", "kms_key_id"])
def test_long_texts(field: str, text: str) -> None:
    """A long text is judged in a moment: no pattern goes back and forth."""
    assert (field, "max_length") in broken(**{field: text})


# The name or ARN of a stream.


@pytest.mark.parametrize(
    "stream",
    [
        "cam-01",
        "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam-01/1600000000123",
        "arn:aws-cn:kinesisvideo:cn-north-1:123456789012:channel/cam-01/1",
    ],
)
def test_stream(stream: str) -> None:
    """A name is accepted, and an ARN of whatever resource of the service."""
    assert _rules.check_stream(stream) == []


@pytest.mark.parametrize(
    "stream, rule, message",
    [
        ("", "min_length", "stream must have at least 1 character, got ''"),
        (
            "cam 01",
            "pattern",
            "stream must consist of ASCII letters, digits, '_', '.' and '-', got",
        ),
        (
            "cam:01",
            "pattern",
            "stream must be a name, or an ARN like 'arn:aws:kinesisvideo:us-east",
        ),
        ("arn:" + "a" * 1024, "max_length", "stream must have at most 1024 characters, got 1028:"),
        ("c" * 257, "max_length", "stream must have at most 256 characters, got 257: "),
        (None, "required", "stream is required"),
        (7, "type", "stream must be a string, not 7"),
        (b"cam", "type", "stream must be a string, not <bytes>"),
    ],
)
def test_no_stream(stream: object, rule: str, message: str) -> None:
    """What is neither is refused; what holds a colon is judged as an ARN."""
    found = _rules.check_stream(stream)[0]
    assert (found.field, found.rule) == ("stream", rule)
    assert message in found.message
