r"""The table of all published limits of CreateStream.

Each row holds the limits of a field and the texts of its faults; ``faults(value)`` returns all
faults of a value. ``MEMBERS`` are the parameters in the order in which faults are reported.
``is_valid`` checks a whole request quickly.

The source of a row is the shape of the same name in botocore's service model
kinesisvideo/2017-09-30, unless a comment names another; a test compares all rows with it. The test
kit takes the limits that the model lacks from this table. Python's ``re`` does not support the
``\p{L}`` of the model's patterns; ``pattern`` is the equivalent in Python.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import frozen

from ._models import Rule, Violation
from ._text import VALUE_LIMIT, escape, shown


@frozen
class FieldRule:
    """The rule for one field."""

    parameter: str
    """AWS's name of the parameter, such as ``StreamName``."""

    field: str
    """The name of the field in Python's terms, such as ``stream_name``."""

    pattern: str = ""
    """The regular expression for the whole text, apart from its length."""

    requirement: str = ""
    """The pattern in words."""

    min: int = 0
    """The least number, or the least length of a text in code points."""

    max: int = 0
    """The largest number, the greatest length of a text, or the most items of a mapping."""

    required: bool = False
    """Whether the parameter is required."""

    kind: type = str
    """The type of the value."""

    wanted: str = "a string"
    """The type in words."""

    choices: tuple[str, ...] = ()
    """The allowed texts, if there are only a few."""

    any_script: bool = False
    """Whether letters of any script are allowed.

    Code points unknown to this Python's Unicode tables (category Cn) are then not checked.
    """

    reserved_prefix: str = ""
    """A prefix that is not allowed."""

    part: str = ""
    """The name of the text in messages: the ``key`` or the ``value`` of a tag."""

    inside: Callable[[Any], list[Violation]] | None = None
    """A function that finds the faults inside a value of the right type."""

    def faults(self, value: Any, path: str = "") -> list[Violation]:
        """Return every fault of a value; by default its path is the name of the field."""
        path, text = path or self.field, shown(value)
        subject = f"the {self.part} of {path}" if self.part else path
        if value is None and self.required:
            return [Violation(self.parameter, path, "required", f"{path} is required", text)]
        if not isinstance(value, self.kind) or isinstance(value, bool):
            broken: list[tuple[Rule, str]] = [("type", f"must be {self.wanted}, not")]
        elif self.inside is not None:
            return self.inside(value)
        else:
            broken = list(self._broken(value))
        return [
            Violation(self.parameter, path, rule, f"{subject} {words} {text}", text)
            for rule, words in broken
        ]

    def _broken(self, value: Any) -> Iterator[tuple[Rule, str]]:
        """Yield each rule that a number or a text breaks, and its requirement in words."""
        if self.kind is int:
            if value < self.min:
                yield "min", f"must be at least {self.min}, got"
            if value > self.max:
                yield "max", f"must be at most {self.max}, got"
        elif self.choices:
            if value not in self.choices:
                yield "enum", f"must be {' or '.join(map(repr, self.choices))}, got"
        elif self.kind is str:
            yield from self._broken_by_text(value)

    def _broken_by_text(self, value: str) -> Iterator[tuple[Rule, str]]:
        if len(value) > self.max:
            yield "max_length", f"must have at most {self.max} characters, got {len(value)}:"
        known = "".join(filter(_is_known, value)) if self.any_script else value
        if len(value) < self.min:  # the pattern would only repeat it
            yield "min_length", f"must have at least {self.min} character, got"
        elif not re.fullmatch(self.pattern, known):
            yield "pattern", f"{self.requirement}, got"
        if self.reserved_prefix and value.startswith(self.reserved_prefix):
            yield "reserved_prefix", f"must not begin with {self.reserved_prefix!r}, got"


def _is_known(character: str) -> bool:
    return unicodedata.category(character) != "Cn"


def _in_tags(tags: Mapping[Any, Any]) -> list[Violation]:
    """Return every fault of the number of tags, and of each key and value."""
    faults: list[Violation] = []
    count = str(len(tags))
    if len(tags) > TAGS.max:
        message = f"tags must have at most {TAGS.max} entries, got {count}"
        faults.append(Violation(TAGS.parameter, TAGS.field, "max_items", message, count))
    for key, value in tags.items():
        path = tag_path(key)
        faults += TAG_KEY.faults(key, path) + TAG_VALUE.faults(value, path)
    return faults


def _in_storage(storage: Mapping[Any, Any]) -> list[Violation]:
    return boto_faults(storage, (DEFAULT_STORAGE_TIER,), "stream_storage_configuration.")


_NAME = (r"[a-zA-Z0-9_.-]+", "must consist of ASCII letters, digits, '_', '.' and '-'")
_TYPES = (
    # The model's \w is ASCII only, because the service is written in Java.
    r"[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+(?:,[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+)*",
    "must be type/subtype such as 'video/h264', several of them joined by ','",
)
_ONE_LINE = (
    # The model's .+ : in Java the dot leaves out five line terminators, in Python only one. A class
    # of allowed characters is quicker than a negated one.
    r"[\x00-\x09\x0b\x0c\x0e-\x84\x86-\u2027\u202a-\U0010ffff]+",
    "must not contain a line break",
)
# The model's [\p{L}\p{Z}\p{N}_.:/=+\-@]. Python's \w is exactly \p{L}, \p{N} and '_'; the
# separators \p{Z} are few and written out. ASCII is written out too, because that is quicker.
_TAG = r"[a-zA-Z0-9_\w \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]"
_TAG_TEXT = (f"{_TAG}*", "must consist of letters, digits and spaces of any script and '_.:/=+-@'")
_ARN = (
    r"arn:[a-z0-9-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+",
    "must be a name, or an ARN like 'arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/16'",
)

STREAM_NAME = FieldRule("StreamName", "stream_name", *_NAME, 1, 256, required=True)
_TEXTS = (
    STREAM_NAME,
    FieldRule("DeviceName", "device_name", *_NAME, 1, 128),
    FieldRule("MediaType", "media_type", *_TYPES, 1, 128),
    FieldRule("KmsKeyId", "kms_key_id", *_ONE_LINE, 1, 2048),
)
# The maximum: AWS::KinesisVideo::Stream resource schema, DataRetentionInHours.
DATA_RETENTION_IN_HOURS = FieldRule(
    "DataRetentionInHours",
    "data_retention_in_hours",
    max=87_600,
    kind=int,
    wanted="an int or a timedelta of whole hours",
)
# The reserved prefix, in lower case: AWS::KinesisVideo::Stream resource schema, Tags.
TAG_KEY = FieldRule(
    "Tags", "tags", *_TAG_TEXT, 1, 128, part="key", any_script=True, reserved_prefix="aws:"
)
TAG_VALUE = FieldRule("Tags", "tags", *_TAG_TEXT, 0, 256, part="value", any_script=True)
# Shape ResourceTags.
TAGS = FieldRule(
    "Tags", "tags", max=50, kind=Mapping, wanted="a mapping of strings to strings", inside=_in_tags
)
DEFAULT_STORAGE_TIER = FieldRule(
    "DefaultStorageTier", "default_storage_tier", choices=("HOT", "WARM"), required=True
)
STREAM_STORAGE_CONFIGURATION = FieldRule(
    "StreamStorageConfiguration",
    "stream_storage_configuration",
    kind=Mapping,
    wanted="a mapping",
    inside=_in_storage,
)
# Shape CreateStreamInput.
MEMBERS = (*_TEXTS, DATA_RETENTION_IN_HOURS, TAGS, STREAM_STORAGE_CONFIGURATION)
# Shape ResourceARN.
STREAM_ARN = FieldRule("StreamARN", "stream", *_ARN, 1, 1024)


def boto_faults(
    kwargs: Mapping[Any, Any], rules: tuple[FieldRule, ...] = MEMBERS, prefix: str = ""
) -> list[Violation]:
    """Return every fault of boto3's keyword arguments, or of a structure in them.

    Args:
        kwargs: Values by AWS's names.
        rules: The rule for each name.
        prefix: The prefix of the paths.
    """
    faults: list[Violation] = []
    for rule in rules:
        # A wrong name is reported as a fault of its own.
        if rule.parameter in kwargs or (rule.required and rule.field not in kwargs):
            faults += rule.faults(kwargs.get(rule.parameter), f"{prefix}{rule.field}")
    names = {rule.field: rule.parameter for rule in rules}
    for key in kwargs:
        if key not in names.values():
            name = escape(key, VALUE_LIMIT) if isinstance(key, str) else shown(key)
            path = f"{prefix}{name}"
            known = f"known are {', '.join(names.values())}"
            way_out = f"write {names[key]}" if key in names else known
            faults.append(Violation(name, path, "unknown", f"{path} is unknown; {way_out}", ""))
    return faults


def check_stream(stream: object) -> list[Violation]:
    """Return the faults of the name or the ARN of an existing stream."""
    is_arn = isinstance(stream, str) and ":" in stream
    return (STREAM_ARN if is_arn else STREAM_NAME).faults(stream, "stream")


def tag_path(key: object) -> str:
    """Return the path to one tag, such as ``tags['site']``."""
    return f"tags[{shown(key)}]"


def is_valid(request: Any) -> bool:
    """Return whether a request breaks no rule, by a quick check.

    All texts are joined by line breaks, which no valid text contains, and matched once; values that
    are not set are replaced by valid ones. If the result is ``False``, each field has to be checked
    for its faults, which takes many times longer.
    """
    hours: object = request.data_retention_in_hours
    tags: Mapping[str, str] = {} if request.tags is None else request.tags
    limit = DATA_RETENTION_IN_HOURS
    in_range = hours is None or (type(hours) is int and limit.min <= hours <= limit.max)
    if not in_range or not isinstance(tags, dict) or len(tags) > TAGS.max:
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


def _line(rule: FieldRule) -> str:
    return rf"(?=[^\n]{{{rule.min},{rule.max}}}\n)(?:{rule.pattern})\n"


_ALL_TEXTS = re.compile(
    "".join(map(_line, _TEXTS))
    + rf"(?:(?!{TAG_KEY.reserved_prefix}){_TAG}{{1,{TAG_KEY.max}}}\n)*"
    + rf"\r(?:\n{_TAG}{{0,{TAG_VALUE.max}}})*"
)
