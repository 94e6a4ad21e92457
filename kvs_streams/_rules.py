r"""Every published limit of CreateStream: the one place for them.

A rule holds its limits, its source, and the check that belongs to them: ``faults(value)`` returns
all that is wrong with a value. ``INPUT`` has a rule for each parameter, in the order in which
faults are reported; a test holds all of them against botocore's own service model. ``is_valid``
tells quickly that a whole request breaks none.

The test kit refuses what AWS refuses by the same objects: ``STREAM_NAME``, ``TAGS`` and so on, and
``TAG_KEY`` and ``TAG_VALUE`` for one tag alone. Python's ``re`` does not know the ``\p{L}`` of the
model's patterns; ``pattern`` is what matches the same in Python.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
from attrs import frozen

from ._models import Rule, Violation
from ._text import VALUE_LIMIT, escape, shown

# Where a rule is published.
_MODEL = "botocore service model kinesisvideo/2017-09-30, shape "
_SCHEMA = "AWS::KinesisVideo::Stream resource schema, "


@frozen
class FieldRule(ABC):
    """The rule for one field; each class below is a kind of rule."""

    parameter: str
    """AWS's name of the parameter, such as ``StreamName``."""

    field: str
    """The name of the field in Python's terms, such as ``stream_name``."""

    source: str
    """Where the rule is published."""

    required: bool = attrs.field(default=False, kw_only=True)
    """Whether the parameter has to be sent."""

    def faults(self, value: Any, path: str = "", subject: str = "") -> list[Violation]:
        """Return every fault of a value.

        Args:
            value: The value.
            path: The path to the value, by default the name of the field.
            subject: What the messages begin with, by default the path.
        """
        path, text = path or self.field, shown(value)
        if value is None and self.required:
            return [Violation(self.parameter, path, "required", f"{path} is required", text)]
        return [
            Violation(self.parameter, path, rule, f"{subject or path} {wanted} {text}", text)
            for rule, wanted in self.broken(value)
        ]

    @abstractmethod
    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks, with what the rule demands."""


@frozen
class TextRule(FieldRule):
    """A text: what it consists of, and its length in code points."""

    pattern: re.Pattern[str]
    """What all of the text matches, whatever its length."""

    requirement: str
    """The same in words."""

    min_length: int
    max_length: int

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks."""
        if not isinstance(value, str):
            yield "type", "must be a string, not"
            return
        length = len(value)
        if length > self.max_length:
            yield "max_length", f"must have at most {self.max_length} characters, got {length}:"
        if length < self.min_length:  # the pattern would only repeat it
            yield "min_length", f"must have at least {self.min_length} character, got"
        elif not self.matches(value):
            yield "pattern", f"{self.requirement}, got"

    def matches(self, value: str) -> bool:
        """Tell whether all of a text matches the pattern."""
        return self.pattern.fullmatch(value) is not None


@frozen
class TagTextRule(TextRule):
    """The key or the value of a tag: letters, digits and spaces of any script."""

    def matches(self, value: str) -> bool:
        """Tell whether all of a text matches, or may match.

        A code point that this Python's Unicode tables do not know (category Cn) is left to AWS.
        """
        return all(
            self.pattern.fullmatch(character) or unicodedata.category(character) == "Cn"
            for character in value
        )


@frozen
class NumberRule(FieldRule):
    """A whole number."""

    min: int
    max: int

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks."""
        if not isinstance(value, int) or isinstance(value, bool):
            yield "type", "must be an int or a timedelta of whole hours, got"
        elif value < self.min:
            yield "min", f"must be at least {self.min}, got"
        elif value > self.max:
            yield "max", f"must be at most {self.max}, got"


@frozen
class ChoiceRule(FieldRule):
    """One of a few texts."""

    choices: tuple[str, ...]

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks."""
        if not isinstance(value, str):
            yield "type", "must be a string, not"
        elif value not in self.choices:
            yield "enum", f"must be {' or '.join(map(repr, self.choices))}, got"


@frozen
class InstanceRule(FieldRule):
    """A value of one type."""

    type: type
    wanted: str

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks."""
        if not isinstance(value, self.type):
            yield "type", f"must be {self.wanted}, not"


@frozen
class TagsRule(InstanceRule):
    """A mapping of tags: how many there are, and the rules for each key and value."""

    max_items: int
    reserved_prefix: str
    key: TagTextRule
    value: TagTextRule

    def faults(self, value: Any, path: str = "", subject: str = "") -> list[Violation]:
        """Return every fault of the mapping, and of each key and value."""
        faults = super().faults(value, path, subject)
        if faults:
            return faults
        count = str(len(value))
        if len(value) > self.max_items:
            message = f"tags must be at most {self.max_items}, got {count}"
            faults.append(Violation(self.parameter, self.field, "max_items", message, count))
        for key, text in value.items():
            path = tag_path(key)
            faults += self.key.faults(key, path, f"the key of {path}")
            if isinstance(key, str) and key.startswith(self.reserved_prefix):
                message = f"the key of {path} must not begin with {self.reserved_prefix!r}"
                faults.append(
                    Violation(self.parameter, path, "reserved_prefix", message, shown(key))
                )
            faults += self.value.faults(text, path, f"the value of {path}")
        return faults


@frozen
class StructureRule(InstanceRule):
    """A mapping by AWS's names, as boto3 takes it."""

    members: tuple[FieldRule, ...]
    prefix: str = ""
    """What the paths to the members begin with."""

    def faults(self, value: Any, path: str = "", subject: str = "") -> list[Violation]:
        """Return every fault of the mapping and of its members."""
        faults = super().faults(value, path, subject)
        if faults:
            return faults
        for rule in self.members:
            is_misnamed = rule.field in value  # which is a fault of its own
            if rule.parameter in value or (rule.required and not is_misnamed):
                faults += rule.faults(value.get(rule.parameter), f"{self.prefix}{rule.field}")
        names = {rule.field: rule.parameter for rule in self.members}
        for key in value:
            if key not in names.values():
                name = escape(key, VALUE_LIMIT) if isinstance(key, str) else shown(key)
                known = f"known are {', '.join(names.values())}"
                way_out = f"write {names[key]}" if key in names else known
                path = f"{self.prefix}{name}"
                message = f"{path} is unknown; {way_out}"
                faults.append(Violation(name, path, "unknown", message, ""))
        return faults


_NAME = (re.compile(r"[a-zA-Z0-9_.-]+"), "must consist of ASCII letters, digits, '_', '.' and '-'")
_TYPES = (
    # The model's \w in ASCII: that is what it means to the service, which is written in Java.
    re.compile(r"[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+(?:,[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+)*"),
    "must be type/subtype such as 'video/h264', several of them joined by ','",
)
_ONE_LINE = (
    # The model's .+ : in Java the dot leaves out five line terminators, in Python only one. The
    # class says what is in it, and not what is not, which is quicker.
    re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x84\x86-\u2027\u202a-\U0010ffff]+"),
    "must not contain a line break",
)
# The model's [\p{L}\p{Z}\p{N}_.:/=+\-@]. Python's \w is exactly \p{L}, \p{N} and '_'; the
# separators \p{Z} are few and written out. ASCII is written out too, since it is found quicker so.
_TAG = r"[a-zA-Z0-9_\w \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]"
_TAG_TEXT = (
    re.compile(f"{_TAG}*"),
    "must consist of letters, digits and spaces of any script and '_.:/=+-@'",
)
_ARN = (
    re.compile(r"arn:[a-z0-9-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+"),
    "must be a name, or an ARN like 'arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/16'",
)

STREAM_NAME = TextRule(
    "StreamName", "stream_name", f"{_MODEL}StreamName", *_NAME, 1, 256, required=True
)
DEVICE_NAME = TextRule("DeviceName", "device_name", f"{_MODEL}DeviceName", *_NAME, 1, 128)
MEDIA_TYPE = TextRule("MediaType", "media_type", f"{_MODEL}MediaType", *_TYPES, 1, 128)
KMS_KEY_ID = TextRule("KmsKeyId", "kms_key_id", f"{_MODEL}KmsKeyId", *_ONE_LINE, 1, 2048)
DATA_RETENTION_IN_HOURS = NumberRule(
    "DataRetentionInHours",
    "data_retention_in_hours",
    f"{_MODEL}DataRetentionInHours (min); {_SCHEMA}DataRetentionInHours (max)",
    min=0,
    max=87_600,
)
TAG_KEY = TagTextRule("Tags", "tags", f"{_MODEL}TagKey", *_TAG_TEXT, 1, 128)
TAG_VALUE = TagTextRule("Tags", "tags", f"{_MODEL}TagValue", *_TAG_TEXT, 0, 256)
TAGS = TagsRule(
    "Tags",
    "tags",
    f"{_MODEL}ResourceTags (max_items); {_SCHEMA}Tags (reserved_prefix)",
    Mapping,
    "a mapping of strings to strings",
    max_items=50,
    reserved_prefix="aws:",  # exactly so, in lower case
    key=TAG_KEY,
    value=TAG_VALUE,
)
DEFAULT_STORAGE_TIER = ChoiceRule(
    "DefaultStorageTier",
    "default_storage_tier",
    f"{_MODEL}DefaultStorageTier",
    ("HOT", "WARM"),
    required=True,
)
STREAM_STORAGE_CONFIGURATION = StructureRule(
    "StreamStorageConfiguration",
    "stream_storage_configuration",
    f"{_MODEL}StreamStorageConfiguration",
    Mapping,
    "a mapping",
    (DEFAULT_STORAGE_TIER,),
    prefix="stream_storage_configuration.",
)
INPUT = StructureRule(
    "CreateStreamInput",
    "kwargs",
    f"{_MODEL}CreateStreamInput",
    Mapping,
    "a mapping of boto3's keyword arguments",
    (
        STREAM_NAME,
        DEVICE_NAME,
        MEDIA_TYPE,
        KMS_KEY_ID,
        DATA_RETENTION_IN_HOURS,
        TAGS,
        STREAM_STORAGE_CONFIGURATION,
    ),
)
STREAM_ARN = TextRule("StreamARN", "stream", f"{_MODEL}ResourceARN", *_ARN, 1, 1024)


def check_stream(stream: object) -> list[Violation]:
    """Return the faults of what identifies an existing stream: its name or its ARN."""
    is_arn = isinstance(stream, str) and ":" in stream
    return (STREAM_ARN if is_arn else STREAM_NAME).faults(stream, "stream")


def tag_path(key: object) -> str:
    """Return the path to one tag, such as ``tags['site']``."""
    return f"tags[{shown(key)}]"


def is_valid(request: Any) -> bool:
    """Tell quickly that no value of a request breaks a rule, as is usual.

    All texts are joined by line breaks, which no valid text holds, and matched once; a value that
    is not set has a valid one in its place. ``False`` means that each field has to be asked for its
    faults, which takes many times longer.
    """
    hours: object = request.data_retention_in_hours
    tags: Mapping[str, str] = {} if request.tags is None else request.tags
    limit = DATA_RETENTION_IN_HOURS
    if hours is not None and not (type(hours) is int and limit.min <= hours <= limit.max):
        return False
    if not isinstance(tags, dict) or len(tags) > TAGS.max_items:
        return False
    texts: list[str] = [
        request.stream_name,
        "-" if request.device_name is None else request.device_name,
        "-/-" if request.media_type is None else request.media_type,
        "-" if request.kms_key_id is None else request.kms_key_id,
        *tags,
        "\r",
        *tags.values(),
    ]
    try:
        text = "\n".join(texts)
    except TypeError:
        return False
    return text.count("\n") == len(texts) - 1 and _ALL_TEXTS.fullmatch(text) is not None


def _line(rule: TextRule) -> str:
    return rf"(?=[^\n]{{{rule.min_length},{rule.max_length}}}\n)(?:{rule.pattern.pattern})\n"


_ALL_TEXTS = re.compile(
    "".join(map(_line, (STREAM_NAME, DEVICE_NAME, MEDIA_TYPE, KMS_KEY_ID)))
    + rf"(?:(?!{TAGS.reserved_prefix}){_TAG}{{1,{TAG_KEY.max_length}}}\n)*"
    + rf"\r(?:\n{_TAG}{{0,{TAG_VALUE.max_length}}})*"
)
