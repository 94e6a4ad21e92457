r"""Every published limit of CreateStream: the one place for them.

A rule holds its limits, its source, and the check that belongs to them: ``accepts(value)`` is quick
and says yes or no, ``faults(value)`` is slower and says everything that is wrong. ``INPUT`` has a
rule for each parameter, in the order in which faults are reported; a test holds all of them against
botocore's own service model.

The test kit refuses what AWS refuses by the same objects: ``STREAM_NAME``, ``TAGS`` and so on, and
``TAG_KEY`` and ``TAG_VALUE`` for one tag alone. Python's ``re`` does not know the ``\p{L}`` of the
model's patterns; ``pattern`` is what matches the same in Python.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from ._models import Rule, Violation
from ._text import VALUE_LIMIT, escape, shown

# Where a rule is published.
_MODEL = "botocore service model kinesisvideo/2017-09-30, shape {}"
_SCHEMA = "AWS::KinesisVideo::Stream resource schema, {}"


@frozen(kw_only=True)
class FieldRule:
    """The rule for one field; each class below is a kind of rule."""

    parameter: str
    """AWS's name of the parameter, such as ``StreamName``."""

    field: str
    """The name of the field in Python's terms, such as ``stream_name``."""

    source: str
    """Where the rule is published."""

    required: bool = False
    """Whether the parameter has to be sent."""

    def accepts(self, value: Any) -> bool:
        """Tell quickly whether a value is valid; if not, ``faults`` says why, or that it is."""
        return next(self.broken(value), None) is None

    def faults(self, value: object, path: str = "", subject: str = "") -> list[Violation]:
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

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks, with what the rule demands."""
        raise NotImplementedError


@frozen(kw_only=True)
class TextRule(FieldRule):
    """A text: its length in code points, and the pattern that all of it matches."""

    min_length: int = 1
    max_length: int
    pattern: re.Pattern[str]
    requirement: str

    def accepts(self, value: Any) -> bool:
        """Tell quickly whether a value is valid."""
        return (
            isinstance(value, str)
            and self.min_length <= len(value) <= self.max_length
            and self.pattern.fullmatch(value) is not None
        )

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks."""
        if not isinstance(value, str):
            yield "type", "must be a string, not"
            return
        if len(value) > self.max_length:
            yield (
                "max_length",
                f"must have at most {self.max_length} characters, got {len(value)}:",
            )
        if len(value) < self.min_length:  # the pattern would only repeat it
            yield "min_length", f"must have at least {self.min_length} character, got"
        elif not self.matches(value):
            yield "pattern", f"{self.requirement}, got"

    def matches(self, value: str) -> bool:
        """Tell whether all of a text matches the pattern."""
        return self.pattern.fullmatch(value) is not None


@frozen(kw_only=True)
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


@frozen(kw_only=True)
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


@frozen(kw_only=True)
class ChoiceRule(FieldRule):
    """One of a few texts."""

    choices: tuple[str, ...]

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks."""
        if not isinstance(value, str):
            yield "type", "must be a string, not"
        elif value not in self.choices:
            yield "enum", f"must be {' or '.join(map(repr, self.choices))}, got"


@frozen(kw_only=True)
class InstanceRule(FieldRule):
    """A value of one type."""

    type: type
    wanted: str

    def broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a value breaks."""
        if not isinstance(value, self.type):
            yield "type", f"must be {self.wanted}, not"


@frozen(kw_only=True)
class TagsRule(InstanceRule):
    """A mapping of tags: how many there are, and the rules for each key and value."""

    max_items: int
    reserved_prefix: str
    key: TagTextRule
    value: TagTextRule

    def accepts(self, value: Any) -> bool:
        """Tell quickly whether a value is valid, by matching all texts joined by line breaks.

        No valid text holds a line break. To check each tag by itself takes many times longer.
        """
        if not isinstance(value, Mapping) or len(value) > self.max_items:
            return False
        try:
            keys, values = "\n".join(value), "\n".join(value.values())
        except TypeError:
            return False
        return (
            keys.count("\n") + values.count("\n") == 2 * len(value) - 2
            and _TAG_KEYS.fullmatch(keys) is not None
            and _TAG_VALUES.fullmatch(values) is not None
        )

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


@frozen(kw_only=True)
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
                way_out = (
                    f"write {names[key]}"
                    if key in names
                    else f"known are {', '.join(names.values())}"
                )
                message = f"{self.prefix}{name} is unknown; {way_out}"
                faults.append(Violation(name, f"{self.prefix}{name}", "unknown", message, ""))
        return faults


def check_stream(stream: object) -> list[Violation]:
    """Return the faults of what identifies an existing stream: its name or its ARN."""
    is_arn = isinstance(stream, str) and ":" in stream
    return (STREAM_ARN if is_arn else STREAM_NAME).faults(stream, "stream")


def tag_path(key: object) -> str:
    """Return the path to one tag, such as ``tags['site']``."""
    return f"tags[{shown(key)}]"


_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_NAME_REQUIREMENT = "must consist of ASCII letters, digits, '_', '.' and '-'"

# The model's [\p{L}\p{Z}\p{N}_.:/=+\-@]. Python's \w is exactly \p{L}, \p{N} and '_'; the
# separators \p{Z} are few and written out. ASCII is written out too: it is found much quicker so.
_TAG = r"[a-zA-Z0-9_ .:/=+\-@\w\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_TAG_KEYS = re.compile(rf"(?!aws:){_TAG}{{1,128}}(?:\n(?!aws:){_TAG}{{1,128}})*")
_TAG_VALUES = re.compile(rf"{_TAG}{{0,256}}(?:\n{_TAG}{{0,256}})*")
_TAG_REQUIREMENT = "must consist of letters, digits and spaces of any script and '_.:/=+-@'"

STREAM_NAME = TextRule(
    parameter="StreamName",
    field="stream_name",
    source=_MODEL.format("StreamName"),
    required=True,
    max_length=256,
    pattern=_NAME,
    requirement=_NAME_REQUIREMENT,
)

DEVICE_NAME = TextRule(
    parameter="DeviceName",
    field="device_name",
    source=_MODEL.format("DeviceName"),
    max_length=128,
    pattern=_NAME,
    requirement=_NAME_REQUIREMENT,
)

MEDIA_TYPE = TextRule(
    parameter="MediaType",
    field="media_type",
    source=_MODEL.format("MediaType"),
    max_length=128,
    # The model's \w in ASCII: that is what it means to the service, which is written in Java.
    pattern=re.compile(r"[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+(?:,[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+)*"),
    requirement="must be type/subtype such as 'video/h264', several of them joined by ','",
)

KMS_KEY_ID = TextRule(
    parameter="KmsKeyId",
    field="kms_key_id",
    source=_MODEL.format("KmsKeyId"),
    max_length=2048,
    # The model's .+ : in Java the dot leaves out five line terminators, in Python only one. The
    # class says what is in it, and not what is not, which is quicker.
    pattern=re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x84\x86-\u2027\u202a-\U0010ffff]+"),
    requirement="must not contain a line break",
)

DATA_RETENTION_IN_HOURS = NumberRule(
    parameter="DataRetentionInHours",
    field="data_retention_in_hours",
    source=(
        f"minimum: {_MODEL.format('DataRetentionInHours')}; "
        f"maximum: {_SCHEMA.format('DataRetentionInHours')}"
    ),
    min=0,
    max=87_600,
)

TAG_KEY = TagTextRule(
    parameter="Tags",
    field="tags",
    source=_MODEL.format("TagKey"),
    max_length=128,
    pattern=re.compile(f"{_TAG}*"),
    requirement=_TAG_REQUIREMENT,
)

TAG_VALUE = TagTextRule(
    parameter="Tags",
    field="tags",
    source=_MODEL.format("TagValue"),
    min_length=0,
    max_length=256,
    pattern=re.compile(f"{_TAG}*"),
    requirement=_TAG_REQUIREMENT,
)

TAGS = TagsRule(
    parameter="Tags",
    field="tags",
    source=f"{_MODEL.format('ResourceTags')}; prefix: {_SCHEMA.format('Tags')}",
    type=Mapping,
    wanted="a mapping of strings to strings",
    max_items=50,
    reserved_prefix="aws:",  # exactly so, in lower case
    key=TAG_KEY,
    value=TAG_VALUE,
)

DEFAULT_STORAGE_TIER = ChoiceRule(
    parameter="DefaultStorageTier",
    field="default_storage_tier",
    source=_MODEL.format("DefaultStorageTier"),
    required=True,
    choices=("HOT", "WARM"),
)

STREAM_STORAGE_CONFIGURATION = StructureRule(
    parameter="StreamStorageConfiguration",
    field="stream_storage_configuration",
    source=_MODEL.format("StreamStorageConfiguration"),
    type=Mapping,
    wanted="a mapping",
    members=(DEFAULT_STORAGE_TIER,),
    prefix="stream_storage_configuration.",
)

INPUT = StructureRule(
    parameter="CreateStreamInput",
    field="kwargs",
    source=_MODEL.format("CreateStreamInput"),
    type=Mapping,
    wanted="a mapping of boto3's keyword arguments",
    members=(
        STREAM_NAME,
        DEVICE_NAME,
        MEDIA_TYPE,
        KMS_KEY_ID,
        DATA_RETENTION_IN_HOURS,
        TAGS,
        STREAM_STORAGE_CONFIGURATION,
    ),
)

STREAM_ARN = TextRule(
    parameter="StreamARN",
    field="stream",
    source=_MODEL.format("ResourceARN"),
    max_length=1024,
    pattern=re.compile(
        r"arn:[a-z0-9-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+",
    ),
    requirement=(
        "must be a name, or an ARN like 'arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/16'"
    ),
)
