"""What is refused and what is sent: by the published rules, no more and no less."""

import copy
import functools
import json
import pickle
import random
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import attrs
import botocore.session
import pytest
import regex
import strategies
from botocore import xform_name
from botocore.validate import ParamValidator
from hypothesis import given, strategies as st

from kvs_streams import (
    CreateStreamRequest,
    RequestValidationError,
    StorageTier,
    StreamsClient,
    StreamStorageConfiguration,
    Violation,
)
from kvs_streams._text import shown

# An unassigned code point: no Unicode version gives U+0378 to anybody so far.
UNASSIGNED = "\u0378"
UNKNOWN = ["streamName", "Name", "Tag", "stream_name", "Days"]
LINE_TERMINATORS = {
    "LF": "\n",
    "CR": "\r",
    "CRLF": "\r\n",
    "NEL": "\x85",
    "LS": "\u2028",
    "PS": "\u2029",
}
# In the order of the fields of a request.
AWS_NAMES = [
    "StreamName",
    "DeviceName",
    "MediaType",
    "KmsKeyId",
    "DataRetentionInHours",
    "Tags",
    "StreamStorageConfiguration",
]
CONFIGURATION = StreamStorageConfiguration(default_storage_tier="WARM")


def violations_of(make: Callable[..., object], *args: Any, **kwargs: Any) -> tuple[Violation, ...]:
    """Return the violations that a call is refused with; none if it is accepted."""
    try:
        make(*args, **kwargs)
    except RequestValidationError as error:
        return error.violations or pytest.fail("refused for no reason")
    return ()


def faults_of(make: Callable[..., object], *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
    """Return parameter and rule of each violation that a call is refused with."""
    return [
        # How the name of an unknown parameter is shown has tests of its own.
        ("" if it.rule == "unknown" and it.parameter not in UNKNOWN else it.parameter, it.rule)
        for it in violations_of(make, *args, **kwargs)
    ]


# Agreement with botocore's own service model. The oracle below knows no rule of its own, except
# for the two of the AWS::KinesisVideo::Stream resource schema.

SEEDS = [20170930, 2, 3, 4]
REQUESTS = 8_000  # for each seed
MAX_HOURS = 87_600
RESERVED_PREFIX = "aws:"

Faults = list[tuple[str, str]]


@functools.cache
def input_shape() -> Any:
    """Return the shape of CreateStream's input in the installed model."""
    model = botocore.session.Session().get_service_model("kinesisvideo")
    return model.operation_model("CreateStream").input_shape


@functools.cache
def as_in_java(pattern: str) -> Any:
    r"""Compile a pattern of the model as Java does: ``\w`` and ``\d`` in ASCII, its own ``.``."""
    translated, in_class, rest = "", False, iter(pattern)
    for character in rest:
        if character == "\\":
            escaped = next(rest)
            listed = {"w": "a-zA-Z0-9_", "d": "0-9"}.get(escaped)
            if listed is None:
                translated += character + escaped
            else:
                translated += listed if in_class else f"[{listed}]"
        elif character == "." and not in_class:
            translated += r"[^\n\r\x85\u2028\u2029]"
        else:
            in_class = (in_class or character == "[") and character != "]"
            translated += character
    return regex.compile(translated)


def oracle(shape: Any, value: object, parameter: str) -> Faults:
    """Return parameter and rule of each fault of a value, as the model has it."""
    check = {
        "string": oracle_of_text,
        "integer": oracle_of_integer,
        "map": oracle_of_map,
        "structure": oracle_of_structure,
    }
    return check[shape.type_name](shape, value, parameter)


def oracle_of_text(shape: Any, value: object, parameter: str) -> Faults:
    """Judge a text by its length and its pattern, or by its enum."""
    if not isinstance(value, str):
        return [(parameter, "type")]
    limits = shape.metadata
    if "enum" in limits:
        return [] if value in limits["enum"] else [(parameter, "enum")]
    if len(value) < limits["min"]:
        return [(parameter, "min_length")]
    faults = [(parameter, "max_length")] if len(value) > limits["max"] else []
    pattern = limits["pattern"]
    matches = as_in_java(pattern).fullmatch(value)
    if not matches and r"\p{" in pattern:
        # What this Python's Unicode tables do not know is left to the service.
        known = "".join(it for it in value if unicodedata.category(it) != "Cn")
        matches = as_in_java(pattern).fullmatch(known)
    if not matches:
        faults.append((parameter, "pattern"))
    return faults


def oracle_of_integer(shape: Any, value: object, parameter: str) -> Faults:
    """Judge an integer; the model has no maximum, the resource schema has."""
    assert "max" not in shape.metadata
    if not isinstance(value, int) or isinstance(value, bool):
        return [(parameter, "type")]
    if value < shape.metadata["min"]:
        return [(parameter, "min")]
    return [(parameter, "max")] if value > MAX_HOURS else []


def oracle_of_map(shape: Any, value: object, parameter: str) -> Faults:
    """Judge tags; an empty map is no fault, since it means that there are none."""
    if not isinstance(value, Mapping):
        return [(parameter, "type")]
    faults = [(parameter, "max_items")] if len(value) > shape.metadata["max"] else []
    for key, item in value.items():
        faults += oracle(shape.key, key, parameter)
        if isinstance(key, str) and key.startswith(RESERVED_PREFIX):
            faults.append((parameter, "reserved_prefix"))
        faults += oracle(shape.value, item, parameter)
    return faults


def oracle_of_structure(shape: Any, value: object, parameter: str) -> Faults:
    """Judge each member; a required one that is ``None`` is missing."""
    if not isinstance(value, Mapping):
        return [(parameter, "type")]
    faults: Faults = []
    for name, member in shape.members.items():
        if name in shape.required_members and value.get(name) is None:
            faults.append((name, "required"))
        elif name in value:
            faults += oracle(member, value[name], name)
    unknown = [key for key in value if key not in shape.members]
    return faults + [(key if key in UNKNOWN else "", "unknown") for key in unknown]


NASTY = [
    *"\n\r\x85\u2028\u2029\x00\x1b\x7f\t \xa0\u200b\u3000\ufeff",
    *"éßЖ日ñ²½٣Ⅷ४\U0001d7d8\uff41\uff3f",
    *"!$*%#,;?~|'\"\\<>()[]{}&^`/:=+@",
    *"\u0301\u20dd\U0001f600\U0001fae8\ud800\udfff\U000e0041\U0010ffff",
    UNASSIGNED,
    "\U00016d40",  # a letter since Unicode 16
    "\U0001c000",
]
WRONG_TYPES = [
    None, True, False, 0, 5, -1, 1.0, 24.0, float("nan"), b"cam", bytearray(b"cam"), [], ["a"],
    (), {"a"}, object(), Decimal(5), "7", timedelta(hours=1), {1: "a"}, "", {},
]  # fmt: skip
ALPHABETS = {
    "MediaType": string.ascii_letters + string.digits + "_.+-",
    "KmsKeyId": string.printable[:95] + "é日\x1b\t\x00",
    "Tags": string.ascii_letters + string.digits + " _.:/=+-@éßЖ日ñ²½٣Ⅷ\xa0\u3000\u2028",
}


class Generator:
    """Makes requests in boto3's form by chance: some valid, most of the others only just not."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def request(self) -> dict[str, Any]:
        """Make a request: a valid one with up to three of its members replaced."""
        members = dict(input_shape().members)
        names = [it for it in members if it == "StreamName" or self.chance.random() < 0.6]
        self.chance.shuffle(names)
        request = {name: self.valid(members[name]) for name in names}
        if self.chance.random() < 0.5:
            return request
        for _ in range(self.chance.choice([1, 1, 1, 2, 3])):
            name = self.chance.choice(list(members))
            request[name] = self.dubious(members[name])
        if self.chance.random() < 0.03:
            del request[self.chance.choice(list(request))]
        if self.chance.random() < 0.03:
            request[self.chance.choice(UNKNOWN)] = "cam"
        return request

    def valid(self, shape: Any) -> Any:
        """Make a valid value, often one at its limit."""
        chance, limits = self.chance, shape.metadata
        if shape.type_name == "integer":
            return chance.choice([limits["min"], 1, 24, chance.randint(0, MAX_HOURS), MAX_HOURS])
        if shape.type_name == "map":
            few = chance.random() < 0.93
            count = chance.choice([0, 1, 1, 2, 3, 5] if few else [chance.randint(0, 50), 50])
            keys = {self.valid(shape.key) for _ in range(count)}
            keys = {it for it in keys if not it.startswith(RESERVED_PREFIX)}
            return {key: self.valid(shape.value) for key in keys}
        if shape.type_name == "structure":
            return {name: self.valid(member) for name, member in shape.members.items()}
        return chance.choice(limits["enum"]) if "enum" in limits else self.text(shape)

    def text(self, shape: Any, length: int | None = None) -> str:
        """Make a text that fits its pattern."""
        chance, limits = self.chance, shape.metadata
        if length is None:
            lengths = [limits["min"], limits["max"]] if chance.random() < 0.1 else [1, 40]
            length = chance.choice([*lengths, chance.randint(*lengths)])
        name = "Tags" if shape.name.startswith("Tag") else shape.name
        if name == "MediaType":
            return self.media_type(length)
        alphabet = ALPHABETS.get(name, strategies.NAME_CHARACTERS)
        return "".join(chance.choices(alphabet, k=length))

    def media_type(self, length: int) -> str:
        """Make one or more media types, three characters long at the least."""
        rest = max(length, 3)
        parts = []
        while rest >= 8 and self.chance.random() < 0.4:
            parts.append(self.one_media_type(self.chance.randint(3, rest - 4)))
            rest -= len(parts[-1]) + 1
        return ",".join([*parts, self.one_media_type(rest)])

    def one_media_type(self, length: int) -> str:
        """Make a media type of this length."""
        text = self.chance.choices(ALPHABETS["MediaType"], k=length)
        text[self.chance.randint(1, length - 2)] = "/"
        return "".join(text)

    def dubious(self, shape: Any) -> Any:
        """Make a value that is probably not valid."""
        chance, limits = self.chance, shape.metadata
        if chance.random() < 0.2:
            return chance.choice(WRONG_TYPES)
        if shape.type_name == "integer":
            return chance.choice([-1, MAX_HOURS + 1, -(10**30), 10**30, MAX_HOURS, 0])
        if shape.type_name == "map":
            return self.dubious_tags(shape)
        if shape.type_name == "structure":
            ((name, member),) = shape.members.items()
            choices = [{}, {name: self.dubious(member)}, {**self.valid(shape), "Days": 30}]
            return chance.choice(choices)
        if "enum" in limits:
            return chance.choice(
                ["HOT", "hot", "COLD", "HOT ", "WARM\n", "", "\uff28\uff2f\uff34", *limits["enum"]]
            )
        return self.dubious_text(shape)

    def dubious_text(self, shape: Any) -> str:
        """Make a text that is too long or too short, or that has something in it."""
        chance, limits = self.chance, shape.metadata
        kind = chance.random()
        if kind < 0.25:
            length = chance.choice([0, limits["max"], limits["max"] + 1, limits["max"] + 99])
            return self.text(shape, length) if length else ""
        text = self.text(shape)
        bad = chance.choice(NASTY) if kind < 0.85 else chr(chance.randrange(0x110000))
        place = chance.choice([0, len(text), len(text), chance.randint(0, len(text))])
        return text[:place] + bad + text[place:]

    def dubious_tags(self, shape: Any) -> dict[Any, Any]:
        """Make tags that are too many, or among which is a strange one."""
        chance = self.chance
        if chance.random() < 0.2:
            count = chance.choice([50, 51, 51, 60])
            return {f"{number} {self.text(shape.key, 3)}": "" for number in range(count)}
        tags = self.valid(shape)
        tags = dict(list(tags.items())[:48])
        for _ in range(chance.choice([1, 1, 2])):
            kind = chance.random()
            if kind < 0.2:
                start = chance.choice(["aws:", "aws:", "AWS:", "aws", "aws\uff1a", " aws:", "aws-"])
                tags[start + self.text(shape.key, 5)] = ""
            elif kind < 0.6:
                tags[self.dubious_text(shape.key)] = self.valid(shape.value)
            elif kind < 0.7:
                tags[chance.choice([None, 5, True, 2.5, b"k", ("a", "b")])] = "v"
            else:
                tags[self.valid(shape.key)] = self.dubious(shape.value)
        return tags


def in_python(request: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``CreateStreamRequest`` that mean the same."""
    arguments = {xform_name(name): value for name, value in request.items()}
    storage = arguments.get("stream_storage_configuration")
    if storage is not None:
        arguments["stream_storage_configuration"] = StreamStorageConfiguration(
            default_storage_tier=storage["DefaultStorageTier"]
        )
    return arguments


def normalised(request: dict[str, Any]) -> dict[str, Any]:
    """Return what is judged of the arguments: ``None`` and whole hours mean what they say."""
    sent = {name: value for name, value in request.items() if value is not None}
    if isinstance(sent.get("Tags"), Mapping):
        tags = sent["Tags"].items()
        sent["Tags"] = {key: "" if value is None else value for key, value in tags}
    hours = sent.get("DataRetentionInHours")
    if isinstance(hours, timedelta) and hours % timedelta(hours=1) == timedelta(0):
        sent["DataRetentionInHours"] = hours // timedelta(hours=1)
    return sent


def refused_by_botocore(request: Any) -> bool:
    """Whether botocore's own check refuses a request."""
    refused: bool = ParamValidator().validate(request, input_shape()).has_errors()
    return refused


def judge(request: dict[str, Any]) -> Faults:
    """Hold both ways to make a request against the oracle, and return the faults."""
    expected = oracle(input_shape(), request, "CreateStreamInput")
    made: list[CreateStreamRequest] = []
    found = faults_of(lambda: made.append(CreateStreamRequest.from_boto(request)))
    assert sorted(found) == sorted(expected), request
    if not expected:
        wanted = {name: value for name, value in request.items() if (name, value) != ("Tags", {})}
        assert made[0].to_boto() == wanted
        assert not refused_by_botocore(request)
    unknown = any(rule == "unknown" for _, rule in expected)
    storage = request.get("StreamStorageConfiguration")
    if unknown or (storage is not None and oracle_of_storage(storage)):
        return expected  # There is no way to write such a request in Python's form.
    expected_here = oracle(input_shape(), normalised(request), "CreateStreamInput")
    arguments = {"stream_name": None, **in_python(request)}
    found_here = faults_of(lambda: made.append(CreateStreamRequest(**arguments)))
    assert sorted(found_here) == sorted(expected_here), request
    if not expected:
        assert made[0] == made[1]
    return expected


def oracle_of_storage(storage: object) -> Faults:
    """Judge a storage configuration by itself."""
    return oracle(input_shape().members["StreamStorageConfiguration"], storage, "")


@pytest.mark.parametrize("seed", SEEDS)
def test_agrees_with_the_service_model(seed: int) -> None:
    """Of 32,000 requests made by chance none is wrongly refused and none wrongly accepted.

    Each is judged twice: as boto3's arguments by ``from_boto``, and as Python's by the constructor.
    """
    generator = Generator(seed)
    seen: Counter[object] = Counter()
    for _ in range(REQUESTS):
        request = generator.request()
        faults = judge(request)
        seen["invalid" if faults else "valid"] += 1
        seen.update(set(faults))
        seen["refused here and not by botocore"] += bool(faults) and not refused_by_botocore(
            request
        )
    assert (seen["valid"] + seen["invalid"]) * len(SEEDS) >= 30_000
    assert seen["valid"] >= 3_000
    assert seen["invalid"] >= 3_000
    assert seen["refused here and not by botocore"] >= 1_500
    every_rule = {
        (name, rule)
        for name, member in input_shape().members.items()
        for rule in {
            "string": ["type", "min_length", "max_length", "pattern"],
            "integer": ["type", "min", "max"],
            "map": ["type", "min_length", "max_length", "pattern", "max_items", "reserved_prefix"],
            "structure": ["type"],
        }[member.type_name]
    }
    every_rule |= {("StreamName", "required"), ("DefaultStorageTier", "required")}
    every_rule |= {("DefaultStorageTier", "type"), ("DefaultStorageTier", "enum")}
    every_rule |= {("Days", "unknown"), ("streamName", "unknown")}
    assert not {fault: seen[fault] for fault in every_rule if seen[fault] < 5}


@given(strategies.wire_kwargs())
def test_agrees_on_valid_requests(request_: dict[str, Any]) -> None:
    """What is valid by construction is accepted, by the oracle too."""
    assert judge(request_) == []


@given(st.dictionaries(st.sampled_from(AWS_NAMES), strategies.anything(), max_size=7))
def test_agrees_on_anything(request_: dict[str, Any]) -> None:
    """Values of every kind in any place are judged as the oracle judges them."""
    judge(request_)


@given(strategies.anything())
def test_anything_is_a_request_or_a_typed_error(value: Any) -> None:
    """Nothing but ``RequestValidationError`` comes of any arguments at all."""
    assert all(type(it) is Violation for it in violations_of(CreateStreamRequest.from_boto, value))
    for attribute in attrs.fields(CreateStreamRequest):
        arguments = {"stream_name": "cam", attribute.name: value}
        for violation in violations_of(CreateStreamRequest, **arguments):
            assert violation.field.startswith(attribute.name)
            assert violation.message.isprintable()
            assert len(violation.value) <= 82
    violations_of(StreamStorageConfiguration, default_storage_tier=value)


# The boundaries, written out.

VALID: dict[str, dict[str, Any]] = {
    "stream_name: 1 character": {"stream_name": "a"},
    "stream_name: 256 characters": {"stream_name": "a" * 256},
    "stream_name: every character": {"stream_name": strategies.NAME_CHARACTERS},
    "stream_name: only signs": {"stream_name": "-._"},
    "device_name: 1 character": {"device_name": "a"},
    "device_name: 128 characters": {"device_name": "a" * 128},
    "device_name: every character": {"device_name": strategies.NAME_CHARACTERS},
    "media_type: one": {"media_type": "video/h264"},
    "media_type: two": {"media_type": "video/h264,audio/aac"},
    "media_type: shortest": {"media_type": "a/b"},
    "media_type: 128 characters": {"media_type": "video/" + "x" * 122},
    "media_type: every character": {"media_type": "a_.+-9/Z_.+-0,-/+"},
    "kms_key_id: 1 character": {"kms_key_id": "k"},
    "kms_key_id: 2048 characters": {"kms_key_id": "k" * 2048},
    "kms_key_id: spaces, tabs and controls": {"kms_key_id": " \t\x00\x0b\x0c\x1b\x1c\x1d\x1e"},
    "kms_key_id: any script": {"kms_key_id": "ключ-鍵-😀"},
    "kms_key_id: lone surrogate": {"kms_key_id": "\ud800"},
    "kms_key_id: newer than Unicode's tables": {"kms_key_id": UNASSIGNED},
    "hours: 0": {"data_retention_in_hours": 0},
    "hours: 87600": {"data_retention_in_hours": 87_600},
    "hours: timedelta of none": {"data_retention_in_hours": timedelta(0)},
    "hours: timedelta of two days": {"data_retention_in_hours": timedelta(days=2)},
    "hours: timedelta in seconds": {"data_retention_in_hours": timedelta(seconds=7_200)},
    "hours: timedelta of 87600": {"data_retention_in_hours": timedelta(hours=87_600)},
    "tags: none": {"tags": {}},
    "tags: 50": {"tags": {f"k{number}": "" for number in range(50)}},
    "tags: key of 1 character": {"tags": {"k": "v"}},
    "tags: key of 128 characters": {"tags": {"k" * 128: "v"}},
    "tags: key of 128 characters beyond 16 bits": {"tags": {"\U0001d7d8" * 128: "v"}},
    "tags: value of no character": {"tags": {"k": ""}},
    "tags: value of None": {"tags": {"k": None}},
    "tags: value of 256 characters": {"tags": {"k": "v" * 256}},
    "tags: value of 256 characters beyond 16 bits": {"tags": {"k": "\U0001d7d8" * 256}},
    "tags: signs": {"tags": {"_.:/=+-@": "_.:/=+-@"}},
    "tags: scripts": {"tags": {"Straße 日本": "Ünïcødé Ж ٣ Ⅷ ² ½ ⅷ ݐ क"}},
    "tags: separators": {"tags": {" \xa0\u1680\u2000\u200a\u202f\u205f\u3000": "\u2028\u2029"}},
    "tags: aws without its colon": {"tags": {"aws": "", "aws-cost": "", "awsome:": ""}},
    "tags: AWS in capitals": {"tags": {"AWS:a": "", "Aws:a": "", "aWS:a": ""}},
    "tags: aws: not in front": {"tags": {" aws:a": "", "my:aws:a": ""}},
    "tags: aws: in a value": {"tags": {"k": "aws:a"}},
    "tags: 128 newer than Unicode's tables": {"tags": {UNASSIGNED * 128: UNASSIGNED * 256}},
    "tags: newer than Unicode's tables": {"tags": {UNASSIGNED: UNASSIGNED, f"a{UNASSIGNED}": ""}},
    "tier: HOT": {"stream_storage_configuration": CONFIGURATION},
    "None everywhere": {
        "device_name": None,
        "media_type": None,
        "kms_key_id": None,
        "data_retention_in_hours": None,
        "tags": None,
        "stream_storage_configuration": None,
    },
}

INVALID: list[tuple[str, dict[str, Any], list[str]]] = [
    ("stream_name: None", {"stream_name": None}, ["required"]),
    ("stream_name: 257 characters", {"stream_name": "a" * 257}, ["max_length"]),
    ("stream_name: 256 characters, a bad one", {"stream_name": "a" * 255 + "!"}, ["pattern"]),
    ("device_name: 129 characters", {"device_name": "a" * 129}, ["max_length"]),
    ("media_type: 129 characters", {"media_type": "video/" + "x" * 123}, ["max_length"]),
    ("media_type: no slash", {"media_type": "video"}, ["pattern"]),
    ("media_type: no type", {"media_type": "/h264"}, ["pattern"]),
    ("media_type: no subtype", {"media_type": "video/"}, ["pattern"]),
    ("media_type: two slashes", {"media_type": "video/h264/x"}, ["pattern"]),
    ("media_type: comma behind", {"media_type": "video/h264,"}, ["pattern"]),
    ("media_type: comma before", {"media_type": ",video/h264"}, ["pattern"]),
    ("media_type: space", {"media_type": "video/h264, audio/aac"}, ["pattern"]),
    ("media_type: parameter", {"media_type": "video/h264;profile=high"}, ["pattern"]),
    ("media_type: letter beyond ASCII", {"media_type": "vidéo/h264"}, ["pattern"]),
    ("media_type: letter beyond ASCII behind", {"media_type": "video/é"}, ["pattern"]),
    ("media_type: digit beyond ASCII", {"media_type": "video/h٢٦٤"}, ["pattern"]),
    ("media_type: beyond ASCII behind a comma", {"media_type": "a/b,ж/c"}, ["pattern"]),
    ("media_type: superscript", {"media_type": "video/h²"}, ["pattern"]),
    ("kms_key_id: 2049 characters", {"kms_key_id": "k" * 2049}, ["max_length"]),
    ("hours: -1", {"data_retention_in_hours": -1}, ["min"]),
    ("hours: 87601", {"data_retention_in_hours": 87_601}, ["max"]),
    ("hours: huge", {"data_retention_in_hours": 10**5_000}, ["max"]),
    ("hours: huge and negative", {"data_retention_in_hours": -(10**5_000)}, ["min"]),
    ("hours: True", {"data_retention_in_hours": True}, ["type"]),
    ("hours: False", {"data_retention_in_hours": False}, ["type"]),
    ("hours: float", {"data_retention_in_hours": 24.0}, ["type"]),
    ("hours: nan", {"data_retention_in_hours": float("nan")}, ["type"]),
    ("hours: Decimal", {"data_retention_in_hours": Decimal(24)}, ["type"]),
    ("hours: text", {"data_retention_in_hours": "24"}, ["type"]),
    ("hours: timedelta, not whole", {"data_retention_in_hours": timedelta(minutes=90)}, ["type"]),
    ("hours: a bit more", {"data_retention_in_hours": timedelta(0, 3_600, 1)}, ["type"]),
    ("hours: timedelta, negative", {"data_retention_in_hours": timedelta(hours=-1)}, ["min"]),
    ("hours: timedelta, one more", {"data_retention_in_hours": timedelta(hours=87_601)}, ["max"]),
    ("hours: longest timedelta", {"data_retention_in_hours": timedelta.max}, ["type"]),
    ("tags: 51", {"tags": {f"k{number}": "" for number in range(51)}}, ["max_items"]),
    ("tags: empty key", {"tags": {"": "v"}}, ["min_length"]),
    ("tags: key of 129 characters", {"tags": {"k" * 129: "v"}}, ["max_length"]),
    ("tags: value of 257 characters", {"tags": {"k": "v" * 257}}, ["max_length"]),
    ("tags: reserved key", {"tags": {"aws:a": "v"}}, ["reserved_prefix"]),
    ("tags: nothing but the prefix", {"tags": {"aws:": "v"}}, ["reserved_prefix"]),
    ("tags: bad in every way", {"tags": {"aws:" + "!" * 130: 5}},
     ["max_length", "pattern", "reserved_prefix", "type"]),
    ("tags: sign in a key", {"tags": {"k!": "v"}}, ["pattern"]),
    ("tags: comma in a value", {"tags": {"k": "a,b"}}, ["pattern"]),
    ("tags: emoji", {"tags": {"k": "😀"}}, ["pattern"]),
    ("tags: combining mark", {"tags": {"k": "e\u0301"}}, ["pattern"]),
    ("tags: zero width space", {"tags": {"k": "\u200b"}}, ["pattern"]),
    ("tags: tab", {"tags": {"k": "\t"}}, ["pattern"]),
    ("tags: lone surrogate in a key", {"tags": {"\ud800": ""}}, ["pattern"]),
    ("tags: lone surrogate in a value", {"tags": {"k": "\udfff"}}, ["pattern"]),
    ("tags: private use", {"tags": {"k": "\ue000"}}, ["pattern"]),
    ("tags: unknown to Unicode's tables beside a bad one", {"tags": {f"!{UNASSIGNED}": ""}},
     ["pattern"]),
    ("tags: too long of unknown ones", {"tags": {UNASSIGNED * 129: ""}}, ["max_length"]),
    ("tags: key of another type", {"tags": {5: "v"}}, ["type"]),
    ("tags: key of None", {"tags": {None: "v"}}, ["type"]),
    ("tags: value of another type", {"tags": {"k": 5}}, ["type"]),
    ("tags: pairs", {"tags": [("k", "v")]}, ["type"]),
    ("tags: no pairs", {"tags": []}, ["type"]),
    ("tags: text", {"tags": "k=v"}, ["type"]),
    ("tags: empty text", {"tags": ""}, ["type"]),
    ("storage: dictionary", {"stream_storage_configuration": {"DefaultStorageTier": "HOT"}},
     ["type"]),
    ("storage: tier", {"stream_storage_configuration": StorageTier.HOT}, ["type"]),
    ("storage: False", {"stream_storage_configuration": False}, ["type"]),
    *((f"{name}: {label}", {name: value}, [rule])
      for name in ("stream_name", "device_name", "media_type", "kms_key_id")
      for label, value, rule in (
          ("empty", "", "min_length"), ("int", 5, "type"), ("bytes", b"a/b", "type"),
          ("False", False, "type"), ("list", ["a/b"], "type"),
      )),
    *((f"{name}: {label}", {name: value}, ["pattern"])
      for name in ("stream_name", "device_name")
      for label, value in (
          ("space", "front door"), ("slash", "a/b"), ("colon", "a:b"), ("letter", "tür"),
          ("Cyrillic letter", "\u0430"), ("Arabic digit", "cam٣"), ("wide digit", "cam\uff11"),
          ("superscript", "cam²"), ("Kelvin sign", "\u212a"), ("long s", "\u017f"),
          ("lone surrogate", "\ud800"), ("newer than Unicode's tables", UNASSIGNED),
          ("NUL", "cam\x00"),
      )),
    *((f"{name}: trailing {label}", {name: text + end}, ["pattern"])
      for name, text in (
          ("stream_name", "cam"), ("device_name", "cam"), ("media_type", "video/h264"),
          ("kms_key_id", "alias/cam"),
      )
      for label, end in LINE_TERMINATORS.items()),
    *((f"kms_key_id: {label} {where}", {"kms_key_id": text}, ["pattern"])
      for label, end in LINE_TERMINATORS.items()
      for where, text in (("alone", end), ("before", end + "k"), ("within", f"k{end}k"))),
    *((f"tags: {where} with trailing {label}", {"tags": tags}, ["pattern"])
      for label in ("LF", "CR", "NEL")
      for where, tags in (
          ("key", {"k" + LINE_TERMINATORS[label]: "v"}),
          ("value", {"k": "v" + LINE_TERMINATORS[label]}),
      )),
]  # fmt: skip


@pytest.mark.parametrize("arguments", VALID.values(), ids=list(VALID))
def test_within_the_limits(arguments: dict[str, Any]) -> None:
    """What is just within the published limits is accepted, in both forms."""
    request = CreateStreamRequest(**{"stream_name": "cam", **arguments})
    assert CreateStreamRequest.from_boto(request.to_boto()) == request
    json.dumps(request.to_boto())


@pytest.mark.parametrize(
    "arguments, rules", [case[1:] for case in INVALID], ids=[case[0] for case in INVALID]
)
def test_beyond_the_limits(arguments: dict[str, Any], rules: list[str]) -> None:
    """What is just beyond them is refused, by its rule and under its name."""
    violations = violations_of(CreateStreamRequest, **{"stream_name": "cam", **arguments})
    assert [violation.rule for violation in violations] == rules
    ((name, _),) = arguments.items()
    assert {it.field.split("[")[0] for it in violations} == {name}
    assert {it.parameter for it in violations} == {
        "".join(part.capitalize() for part in name.split("_"))
    }


@pytest.mark.parametrize("tier", ["HOT", "WARM", StorageTier.HOT, StorageTier.WARM], ids=repr)
def test_tiers(tier: Any) -> None:
    """Each tier is accepted, as a member and as its text."""
    configuration = StreamStorageConfiguration(default_storage_tier=tier)
    assert configuration.default_storage_tier is StorageTier(tier)


@pytest.mark.parametrize(
    "tier, rule",
    [
        ("COLD", "enum"),
        ("hot", "enum"),
        ("HOT\n", "enum"),
        (" HOT", "enum"),
        ("", "enum"),
        ("\uff28\uff2f\uff34", "enum"),
        (None, "required"),
        (5, "type"),
        (b"HOT", "type"),
        (["HOT"], "type"),
    ],
    ids=repr,
)
def test_no_tiers(tier: Any, rule: str) -> None:
    """Anything else is no tier, in both forms."""
    (violation,) = violations_of(StreamStorageConfiguration, default_storage_tier=tier)
    assert (violation.field, violation.rule) == ("default_storage_tier", rule)
    wire = {"StreamName": "a", "StreamStorageConfiguration": {"DefaultStorageTier": tier}}
    (nested,) = violations_of(CreateStreamRequest.from_boto, wire)
    assert (nested.parameter, nested.rule) == ("DefaultStorageTier", rule)
    assert nested.field == "stream_storage_configuration.default_storage_tier"


@pytest.mark.parametrize(
    "given_, hours",
    [
        (timedelta(0), 0),
        (timedelta(hours=1), 1),
        (timedelta(days=1), 24),
        (timedelta(minutes=120), 2),
        (timedelta(hours=87_600), 87_600),
        (IntEnum("Keep", {"LONG": 7})(7), 7),
    ],
)
def test_hours_are_an_integer(given_: Any, hours: int) -> None:
    """Whole hours in any form become a plain integer."""
    request = CreateStreamRequest(stream_name="cam", data_retention_in_hours=given_)
    assert request.data_retention_in_hours == hours
    assert type(request.data_retention_in_hours) is int


# What a violation says.

CUT = "'" + "a" * 79 + "…'"
ONE_FAULT: list[tuple[dict[str, Any], Violation]] = [
    (
        {"stream_name": None},
        Violation("StreamName", "stream_name", "required", "stream_name is required", "None"),
    ),
    (
        {"stream_name": 5},
        Violation("StreamName", "stream_name", "type", "stream_name must be a string, not 5", "5"),
    ),
    (
        {"stream_name": ""},
        Violation(
            "StreamName",
            "stream_name",
            "min_length",
            "stream_name must have at least 1 character, got ''",
            "''",
        ),
    ),
    (
        {"stream_name": "a" * 257},
        Violation(
            "StreamName",
            "stream_name",
            "max_length",
            f"stream_name must have at most 256 characters, got 257: {CUT}",
            CUT,
        ),
    ),
    (
        {"stream_name": "a\n\x1b[31m"},
        Violation(
            "StreamName",
            "stream_name",
            "pattern",
            "stream_name must consist of ASCII letters, digits, '_', '.' and '-', "
            r"got 'a\n\x1b[31m'",
            r"'a\n\x1b[31m'",
        ),
    ),
    (
        {"device_name": "tür"},
        Violation(
            "DeviceName",
            "device_name",
            "pattern",
            "device_name must consist of ASCII letters, digits, '_', '.' and '-', got 'tür'",
            "'tür'",
        ),
    ),
    (
        {"media_type": "video"},
        Violation(
            "MediaType",
            "media_type",
            "pattern",
            "media_type must be type/subtype such as 'video/h264', several of them joined by ',', "
            "got 'video'",
            "'video'",
        ),
    ),
    (
        {"kms_key_id": "k\u2028"},
        Violation(
            "KmsKeyId",
            "kms_key_id",
            "pattern",
            r"kms_key_id must not contain a line break, got 'k\u2028'",
            r"'k\u2028'",
        ),
    ),
    (
        {"data_retention_in_hours": True},
        Violation(
            "DataRetentionInHours",
            "data_retention_in_hours",
            "type",
            "data_retention_in_hours must be an int or a timedelta of whole hours, got True",
            "True",
        ),
    ),
    (
        {"data_retention_in_hours": timedelta(minutes=90)},
        Violation(
            "DataRetentionInHours",
            "data_retention_in_hours",
            "type",
            "data_retention_in_hours must be an int or a timedelta of whole hours, "
            "got datetime.timedelta(seconds=5400)",
            "datetime.timedelta(seconds=5400)",
        ),
    ),
    (
        {"data_retention_in_hours": -1},
        Violation(
            "DataRetentionInHours",
            "data_retention_in_hours",
            "min",
            "data_retention_in_hours must be at least 0, got -1",
            "-1",
        ),
    ),
    (
        {"data_retention_in_hours": 87_601},
        Violation(
            "DataRetentionInHours",
            "data_retention_in_hours",
            "max",
            "data_retention_in_hours must be at most 87600, got 87601",
            "87601",
        ),
    ),
    (
        {"data_retention_in_hours": 10**5_000},
        Violation(
            "DataRetentionInHours",
            "data_retention_in_hours",
            "max",
            "data_retention_in_hours must be at most 87600, got a very large integer",
            "a very large integer",
        ),
    ),
    (
        {"tags": [("k", "v")]},
        Violation(
            "Tags",
            "tags",
            "type",
            "tags must be a mapping of strings to strings, not <list>",
            "<list>",
        ),
    ),
    (
        {"tags": dict.fromkeys(map(str, range(51)), "")},
        Violation("Tags", "tags", "max_items", "tags must be at most 50, got 51", "51"),
    ),
    (
        {"tags": {"k!": "v"}},
        Violation(
            "Tags",
            "tags['k!']",
            "pattern",
            "the key of tags['k!'] must consist of letters, digits and spaces of any script and "
            "'_.:/=+-@', got 'k!'",
            "'k!'",
        ),
    ),
    (
        {"tags": {"site": "a,b"}},
        Violation(
            "Tags",
            "tags['site']",
            "pattern",
            "the value of tags['site'] must consist of letters, digits and spaces of any script "
            "and '_.:/=+-@', got 'a,b'",
            "'a,b'",
        ),
    ),
    (
        {"tags": {"site": 5}},
        Violation(
            "Tags",
            "tags['site']",
            "type",
            "the value of tags['site'] must be a string, not 5",
            "5",
        ),
    ),
    (
        {"tags": {5: "v"}},
        Violation("Tags", "tags[5]", "type", "the key of tags[5] must be a string, not 5", "5"),
    ),
    (
        {"tags": {"": "v"}},
        Violation(
            "Tags",
            "tags['']",
            "min_length",
            "the key of tags[''] must have at least 1 character, got ''",
            "''",
        ),
    ),
    (
        {"tags": {"a" * 129: "v"}},
        Violation(
            "Tags",
            f"tags[{CUT}]",
            "max_length",
            f"the key of tags[{CUT}] must have at most 128 characters, got 129: {CUT}",
            CUT,
        ),
    ),
    (
        {"tags": {"k": "a" * 257}},
        Violation(
            "Tags",
            "tags['k']",
            "max_length",
            f"the value of tags['k'] must have at most 256 characters, got 257: {CUT}",
            CUT,
        ),
    ),
    (
        {"tags": {"aws:a": "v"}},
        Violation(
            "Tags",
            "tags['aws:a']",
            "reserved_prefix",
            "the key of tags['aws:a'] must not begin with 'aws:', got 'aws:a'",
            "'aws:a'",
        ),
    ),
    (
        {"stream_storage_configuration": {}},
        Violation(
            "StreamStorageConfiguration",
            "stream_storage_configuration",
            "type",
            "stream_storage_configuration must be a StreamStorageConfiguration, not <dict>",
            "<dict>",
        ),
    ),
]


@pytest.mark.parametrize(
    "arguments, expected",
    ONE_FAULT,
    ids=[f"{number}-{it.field[:30]}-{it.rule}" for number, (_, it) in enumerate(ONE_FAULT)],
)
def test_what_a_violation_says(arguments: dict[str, Any], expected: Violation) -> None:
    """A violation names parameter, field, rule and value, and so does the error's text."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest(**{"stream_name": "cam", **arguments})
    assert caught.value.violations == (expected,)
    assert str(caught.value) == f"invalid request, nothing was sent (1 fault): {expected.message}"


@pytest.mark.parametrize(
    "tier, rule, end, value",
    [
        ("COLD", "enum", " must be 'HOT' or 'WARM', got 'COLD'", "'COLD'"),
        (5, "type", " must be a string, not 5", "5"),
        (None, "required", " is required", "None"),
    ],
)
def test_what_a_violation_of_the_tier_says(tier: Any, rule: Any, end: str, value: str) -> None:
    """The path of the tier says whether it is nested."""
    own = Violation(
        "DefaultStorageTier", "default_storage_tier", rule, f"default_storage_tier{end}", value
    )
    assert violations_of(StreamStorageConfiguration, default_storage_tier=tier) == (own,)
    wire = {"StreamName": "a", "StreamStorageConfiguration": {"DefaultStorageTier": tier}}
    path = "stream_storage_configuration.default_storage_tier"
    nested = attrs.evolve(own, field=path, message=f"{path}{end}")
    assert violations_of(CreateStreamRequest.from_boto, wire) == (nested,)


def test_all_faults_at_once_in_the_order_of_the_fields() -> None:
    """Every fault is reported, in the order of the fields whatever that of the arguments."""
    arguments: dict[str, Any] = {
        "stream_storage_configuration": "HOT",
        "tags": {
            "aws:!": "a,b",
            "": "v" * 257,
            **{f"k{number}": "" for number in range(49)},
        },
        "data_retention_in_hours": 87_601,
        "kms_key_id": "k\n" * 1_025,
        "media_type": "video",
        "device_name": "",
        "stream_name": "!" * 257,
    }
    violations = violations_of(CreateStreamRequest, **arguments)
    assert [(violation.field, violation.rule) for violation in violations] == [
        ("stream_name", "max_length"),
        ("stream_name", "pattern"),
        ("device_name", "min_length"),
        ("media_type", "pattern"),
        ("kms_key_id", "max_length"),
        ("kms_key_id", "pattern"),
        ("data_retention_in_hours", "max"),
        ("tags", "max_items"),
        ("tags['aws:!']", "pattern"),
        ("tags['aws:!']", "reserved_prefix"),
        ("tags['aws:!']", "pattern"),
        ("tags['']", "min_length"),
        ("tags['']", "max_length"),
        ("stream_storage_configuration", "type"),
    ]
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest(**arguments)
    text = str(caught.value)
    assert text.startswith("invalid request, nothing was sent (14 faults): ")
    assert all(violation.message in text for violation in violations)
    assert text.isprintable()


def test_all_faults_at_once_in_boto_form() -> None:
    """``from_boto`` reports every fault too, unknown names last."""
    wire = {
        "Name": "cam",
        "StreamStorageConfiguration": {"Days": 30, "DefaultStorageTier": "COLD"},
        "Tags": {"k": None},
        "DataRetentionInHours": timedelta(hours=1),
        "KmsKeyId": None,
        "MediaType": None,
        "DeviceName": None,
    }
    assert [(it.field, it.rule) for it in violations_of(CreateStreamRequest.from_boto, wire)] == [
        ("stream_name", "required"),
        ("device_name", "type"),
        ("media_type", "type"),
        ("kms_key_id", "type"),
        ("data_retention_in_hours", "type"),
        ("tags['k']", "type"),
        ("stream_storage_configuration.default_storage_tier", "enum"),
        ("stream_storage_configuration.Days", "unknown"),
        ("Name", "unknown"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"stream_name": "x" * 1_000_000 + "\n"},
        {"device_name": "x" * 1_000_000 + "\n"},
        {"media_type": "a/b," * 250_000 + "\n"},
        {"kms_key_id": "x" * 1_000_000 + "\n"},
        {"tags": {"x" * 1_000_000 + "\n": "x" * 1_000_000 + "\n"}},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_no_pattern_takes_for_ever(fields: dict[str, Any]) -> None:
    """A long text that is wrong at its end is refused: a pattern that goes back would hang."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest(**{"stream_name": "cam", **fields})
    assert {fault.rule for fault in caught.value.violations} == {"max_length", "pattern"}


USUAL: dict[str, dict[str, str]] = {
    "one": {"site": "Köln"},
    "long": {"k" * 128: "v" * 256, "x": "y" * 256},
    "many": {f"key {number:02}": f"where it stands: hall {number}" for number in range(50)},
    "of any script": {f"場所:Gebäude-{number:02}": "東京 Köln Αθήνα" for number in range(50)},
}


@pytest.mark.parametrize("tags", USUAL.values(), ids=list(USUAL))
def test_good_tags_are_not_looked_at_one_by_one(
    tags: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usual tags pass by one look at all of them joined, which is what makes them quick."""
    monkeypatch.delattr("kvs_streams._validation._check_tag")
    assert CreateStreamRequest(stream_name="cam", tags=tags).tags == tags


def test_thousands_of_bad_tags_stay_readable() -> None:
    """A thousand faults are in ``violations``; the text names the first ones, and counts all."""
    tags: dict[Any, Any] = {"\x1b!" * 200 + str(number): "\ud800" * 300 for number in range(3_000)}
    with pytest.raises(RequestValidationError) as caught:  # one fault more comes after the tags
        CreateStreamRequest(stream_name="cam", tags=tags, stream_storage_configuration="HOT")
    violations = caught.value.violations
    assert len(violations) == 1_000
    assert all(len(violation.message) < 1_500 for violation in violations)
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 15_000
    assert "(12002 faults)" in text
    assert text.endswith("; and 11982 more")


def test_thousands_of_reserved_keys_are_counted() -> None:
    """A reserved key is one fault each, also beyond those that are described."""
    tags = {f"aws:{number}": "" for number in range(3_000)}
    with pytest.raises(RequestValidationError, match=r"\(3001 faults\)"):
        CreateStreamRequest(stream_name="cam", tags=tags)


class Raising:
    """An object that does not let itself be shown."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__

    def __bool__(self) -> bool:
        raise RuntimeError


class Telling:
    """An object that would tell a secret, and break the line."""

    def __repr__(self) -> str:
        return "password=hunter2\n"

    __str__ = __repr__


class TellingText(str):
    """A text that would tell a secret when it is shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "password=hunter2\n"

    __str__ = __repr__


class RaisingText(str):
    """A text that does not let itself be shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


HOSTILE: list[Any] = [Raising(), Telling(), TellingText("\x1b!"), RaisingText("\x1b!")]
PLACES: dict[str, Callable[[Any], object]] = {
    **{
        name: functools.partial(
            lambda value, name: CreateStreamRequest(**{"stream_name": "cam", name: value}),
            name=name,
        )
        for name in [it.name for it in attrs.fields(CreateStreamRequest) if it.name != "kms_key_id"]
    },
    "key of a tag": lambda value: CreateStreamRequest(stream_name="cam", tags={value: ""}),
    "value of a tag": lambda value: CreateStreamRequest(stream_name="cam", tags={"k": value}),
    "tier": lambda value: StreamStorageConfiguration(default_storage_tier=value),
    "from_boto": CreateStreamRequest.from_boto,
    "StreamName": lambda value: CreateStreamRequest.from_boto({"StreamName": value}),
    "storage": lambda value: CreateStreamRequest.from_boto(
        {"StreamName": "cam", "StreamStorageConfiguration": value}
    ),
    "unknown name": lambda value: CreateStreamRequest.from_boto({"StreamName": "cam", value: 1}),
    "unknown nested name": lambda value: CreateStreamRequest.from_boto(
        {
            "StreamName": "cam",
            "StreamStorageConfiguration": {"DefaultStorageTier": "HOT", value: 1},
        }
    ),
    "unknown value": lambda value: CreateStreamRequest.from_boto({"StreamName": "cam", "X": value}),
}


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("place", PLACES)
def test_hostile_objects(place: str, value: Any) -> None:
    """An object whose repr raises or tells a secret does neither in an error."""
    with pytest.raises(RequestValidationError) as caught:
        PLACES[place](value)
    error = caught.value
    again = pickle.loads(pickle.dumps(error))
    for text in (
        *(it for violation in error.violations for it in attrs.astuple(violation)),
        str(error),
        str(again),
        repr(error),
        repr(error.violations),
    ):
        assert type(text) is str
        assert "hunter2" not in text
        assert text.isprintable()
    assert again.violations == error.violations


@pytest.mark.parametrize(
    "control", [*LINE_TERMINATORS.values(), "\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\ud800"]
)
def test_no_control_characters_in_any_part(control: str) -> None:
    """Whatever a value holds, each part of a violation is one printable line."""
    bad = f"a{control}!"
    wire = {
        "StreamName": bad,
        "MediaType": bad,
        "Tags": {bad: bad},
        "StreamStorageConfiguration": {"DefaultStorageTier": bad, bad: bad},
        bad: bad,
    }
    violations = violations_of(CreateStreamRequest.from_boto, wire)
    assert len(violations) == 7
    for violation in violations:
        assert all(text.isprintable() for text in attrs.astuple(violation))
    unknown = [violation for violation in violations if violation.rule == "unknown"]
    assert [violation.field for violation in unknown] == [
        f"stream_storage_configuration.{bad!r}",
        repr(bad),
    ]


def test_long_unknown_name_is_cut() -> None:
    """The name of an unknown key is cut as a value is."""
    name = "X" * 500
    (violation,) = violations_of(CreateStreamRequest.from_boto, {"StreamName": "a", name: 1})
    assert violation.parameter == violation.field == "'" + "X" * 79 + "…'"
    assert len(violation.message) < 300


# boto3's form.

OBJECT = object()


@given(strategies.requests())
def test_boto_form_and_back(request_: CreateStreamRequest) -> None:
    """``from_boto`` of ``to_boto`` is the same request, and what botocore's own check accepts."""
    wire = request_.to_boto()
    assert CreateStreamRequest.from_boto(wire) == request_
    assert not refused_by_botocore(wire)
    assert oracle(input_shape(), wire, "") == []


@given(strategies.wire_kwargs())
def test_from_boto_form_and_back(wire: dict[str, Any]) -> None:
    """``to_boto`` of ``from_boto`` is the same mapping, and the caller's is left as it was."""
    before = copy.deepcopy(wire)
    assert CreateStreamRequest.from_boto(wire).to_boto() == before
    assert wire == before


@pytest.mark.parametrize("name", AWS_NAMES[1:])
def test_from_boto_refuses_none(name: str) -> None:
    """``None`` is no value of any argument of boto3's, and boto3 refuses it too."""
    wire = {"StreamName": "cam", name: None}
    assert faults_of(CreateStreamRequest.from_boto, wire) == [(name, "type")]
    assert refused_by_botocore(wire)


@pytest.mark.parametrize("wire", [{}, {"StreamName": None}], ids=["missing", "None"])
def test_from_boto_demands_a_name(wire: dict[str, Any]) -> None:
    """The name is required."""
    (violation,) = violations_of(CreateStreamRequest.from_boto, wire)
    assert (violation.field, violation.rule) == ("stream_name", "required")


def test_from_boto_takes_no_conveniences() -> None:
    """What boto3 would refuse is refused: a timedelta, and ``None`` for a tag's value."""
    wire = {
        "StreamName": "cam",
        "DataRetentionInHours": timedelta(hours=1),
        "Tags": {"k": None},
    }
    faults = [("DataRetentionInHours", "type"), ("Tags", "type")]
    assert faults_of(CreateStreamRequest.from_boto, wire) == faults


def test_from_boto_with_empty_tags() -> None:
    """An empty map of tags means that there are none."""
    request = CreateStreamRequest.from_boto({"StreamName": "cam", "Tags": {}})
    assert request == CreateStreamRequest(stream_name="cam")
    assert request.to_boto() == {"StreamName": "cam"}


@pytest.mark.parametrize(
    "storage, faults",
    [
        ({}, [("stream_storage_configuration.default_storage_tier", "required")]),
        ("HOT", [("stream_storage_configuration", "type")]),
        (CONFIGURATION, [("stream_storage_configuration", "type")]),
        (
            {"DefaultStorageTier": "HOT", "Days": 30, 5: None},
            [
                ("stream_storage_configuration.Days", "unknown"),
                ("stream_storage_configuration.5", "unknown"),
            ],
        ),
        (
            {"default_storage_tier": "HOT"},
            [
                ("stream_storage_configuration.default_storage_tier", "required"),
                ("stream_storage_configuration.default_storage_tier", "unknown"),
            ],
        ),
    ],
)
def test_from_boto_with_bad_storage(storage: Any, faults: list[tuple[str, str]]) -> None:
    """The storage configuration is a mapping with a tier and nothing else."""
    wire = {"StreamName": "cam", "StreamStorageConfiguration": storage}
    violations = violations_of(CreateStreamRequest.from_boto, wire)
    assert [(violation.field, violation.rule) for violation in violations] == faults


def test_from_boto_says_what_storage_is() -> None:
    """Here a mapping is wanted, where the constructor wants a ``StreamStorageConfiguration``."""
    wire = {"StreamName": "cam", "StreamStorageConfiguration": CONFIGURATION}
    (violation,) = violations_of(CreateStreamRequest.from_boto, wire)
    name = "stream_storage_configuration"
    value = "<StreamStorageConfiguration>"
    assert violation == Violation(
        "StreamStorageConfiguration", name, "type", f"{name} must be a mapping, not {value}", value
    )


def test_from_boto_refuses_unknown_names() -> None:
    """An unknown name is refused with those that are known, and its value is not shown."""
    wire = {"StreamName": "cam", "stream_name": "hunter2", 5: "hunter2"}
    text, number = violations_of(CreateStreamRequest.from_boto, wire)
    known = ", ".join(AWS_NAMES)
    assert text == Violation(
        "stream_name",
        "stream_name",
        "unknown",
        f"stream_name is unknown; known are {known}",
        "",
    )
    assert (number.parameter, number.field, number.rule, number.value) == ("5", "5", "unknown", "")


def test_from_boto_names_what_a_nested_unknown_could_be() -> None:
    """An unknown name of the storage configuration is refused with its path."""
    storage = {"DefaultStorageTier": "HOT", "Days": 30}
    (violation,) = violations_of(
        CreateStreamRequest.from_boto, {"StreamName": "a", "StreamStorageConfiguration": storage}
    )
    path = "stream_storage_configuration.Days"
    message = f"{path} is unknown; known are DefaultStorageTier"
    assert violation == Violation("Days", path, "unknown", message, "")


@pytest.mark.parametrize(
    "value", [None, "StreamName", ["StreamName"], 5, CreateStreamRequest(stream_name="a")]
)
def test_from_boto_of_what_is_no_mapping(value: Any) -> None:
    """Only a mapping can be boto3's keyword arguments."""
    (violation,) = violations_of(CreateStreamRequest.from_boto, value)
    assert (violation.parameter, violation.field) == ("CreateStreamInput", "kwargs")
    assert (violation.rule, violation.value) == ("type", shown(value))
    assert violation.message.startswith("kwargs must be a mapping of boto3's keyword arguments, ")


class Changing(Mapping[str, Any]):
    """A mapping that gives something else each time it is asked."""

    def __init__(self, *contents: dict[str, Any]) -> None:
        self.contents = iter(contents)
        self.current = contents[-1]

    def __getitem__(self, key: str) -> Any:
        self.current = next(self.contents, self.current)
        return self.current[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.current)

    def __len__(self) -> int:
        return len(self.current)


def test_what_changes_meanwhile_is_checked_again() -> None:
    """What is in the request has been checked, even if a mapping gives another value later."""
    tags = Changing({"k": "good"}, {"k": "b,a,d"})
    assert faults_of(CreateStreamRequest.from_boto, {"StreamName": "cam", "Tags": tags}) == [
        ("Tags", "pattern")
    ]
    storage = Changing({"DefaultStorageTier": "HOT"}, {"DefaultStorageTier": "COLD"})
    wire = {"StreamName": "cam", "StreamStorageConfiguration": storage}
    assert faults_of(CreateStreamRequest.from_boto, wire) == [("DefaultStorageTier", "enum")]


def test_texts_of_other_kinds() -> None:
    """A string enum is a string, for each field that takes one."""

    class Word(str, Enum):
        CAM = "cam"
        TYPE = "video/h264"
        TIER = "HOT"

    request = CreateStreamRequest(
        stream_name=Word.CAM,
        device_name=Word.CAM,
        media_type=Word.TYPE,
        kms_key_id=Word.CAM,
        tags={Word.CAM: Word.TYPE},
        stream_storage_configuration=StreamStorageConfiguration(default_storage_tier=Word.TIER),
    )
    assert json.loads(json.dumps(request.to_boto())) == {
        "StreamName": "cam",
        "DeviceName": "cam",
        "MediaType": "video/h264",
        "KmsKeyId": "cam",
        "Tags": {"cam": "video/h264"},
        "StreamStorageConfiguration": {"DefaultStorageTier": "HOT"},
    }


# The name or ARN of a stream that is to be found.


class Service:
    """Stands for a boto3 client that finds any stream."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def create_stream(self, **kwargs: Any) -> dict[str, Any]:
        raise NotImplementedError

    def list_tags_for_stream(self, **kwargs: Any) -> dict[str, Any]:
        raise NotImplementedError

    def describe_stream_storage_configuration(self, **kwargs: Any) -> dict[str, Any]:
        raise NotImplementedError

    def describe_stream(self, **kwargs: Any) -> dict[str, Any]:
        self.asked.append(kwargs)
        return {"StreamInfo": {"StreamName": "cam", "StreamARN": "arn", "Status": "ACTIVE"}}


ARN = "arn:aws:kinesisvideo:eu-central-1:111122223333:stream/{}/1598784211076"
LONGEST = ARN.format("a" * (1024 - len(ARN.format(""))))


@pytest.mark.parametrize(
    "stream", ["a", "a" * 256, strategies.NAME_CHARACTERS, ARN.format("cam"), LONGEST]
)
def test_streams_that_can_be_found(stream: str) -> None:
    """A name is asked for by name, and what has a colon as an ARN."""
    service = Service()
    StreamsClient(service).describe_stream(stream)
    assert service.asked == [{"StreamARN" if ":" in stream else "StreamName": stream}]


@pytest.mark.parametrize(
    "stream, parameter, rules",
    [
        ("", "StreamName", ["min_length"]),
        ("a" * 257, "StreamName", ["max_length"]),
        ("front door", "StreamName", ["pattern"]),
        ("cam\n", "StreamName", ["pattern"]),
        (None, "StreamName", ["type"]),
        (5, "StreamName", ["type"]),
        (":", "StreamARN", ["pattern"]),
        (LONGEST + "0", "StreamARN", ["max_length"]),
        (ARN.format("cam") + "\n", "StreamARN", ["pattern"]),
        (ARN.format("cam").replace("kinesisvideo", "kinesis"), "StreamARN", ["pattern"]),
        (ARN.format("cäm"), "StreamARN", ["pattern"]),
    ],
)
def test_streams_that_cannot_be_found(stream: Any, parameter: str, rules: list[str]) -> None:
    """What is neither the name nor the ARN of a stream is refused before anything is sent."""
    service = Service()
    violations = violations_of(StreamsClient(service).describe_stream, stream)
    assert [(it.parameter, it.field, it.rule) for it in violations] == [
        (parameter, "stream", rule) for rule in rules
    ]
    assert not service.asked


def test_what_a_violation_of_an_arn_says() -> None:
    """What has a colon is taken for an ARN, and the sentence shows how one looks."""
    (violation,) = violations_of(StreamsClient(Service()).describe_stream, "a:b")
    assert violation == Violation(
        "StreamARN",
        "stream",
        "pattern",
        "stream must be a name, or an ARN like "
        "'arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/16', got 'a:b'",
        "'a:b'",
    )
