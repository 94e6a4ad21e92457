"""Every published limit of CreateStream as data, each with its source: the one place for them.

A test holds this table against botocore's own service model.
"""

import re
from typing import NamedTuple

from attrs import frozen

# Where a rule is published.
_MODEL = "botocore service model kinesisvideo/2017-09-30, shape {}"
_SCHEMA = "AWS::KinesisVideo::Stream resource schema, {}"


@frozen  # read four times for each text: quicker than a tuple, though slower to import
class Text:
    """The rule for a text: its length in code points and the pattern that all of it matches."""

    parameter: str
    min_length: int
    max_length: int
    pattern: re.Pattern[str]
    requirement: str
    source: str
    # Whether the pattern asks Unicode's tables; this Python's and the service's may differ.
    by_unicode_tables: bool = False


class Number(NamedTuple):
    """The rule for a whole number."""

    parameter: str
    min: int
    max: int
    source: str


class Choice(NamedTuple):
    """The rule for a text that is one of a few."""

    parameter: str
    choices: tuple[str, ...]
    source: str


class Items(NamedTuple):
    """The rule for a mapping."""

    parameter: str
    max_items: int
    source: str


_NAME = re.compile(r"[a-zA-Z0-9_.-]+")
_NAME_REQUIREMENT = "must consist of ASCII letters, digits, '_', '.' and '-'"

# The model's [\p{L}\p{Z}\p{N}_.:/=+\-@]*. Python's \w is exactly \p{L}, \p{N} and '_'; the
# separators \p{Z} are few and written out. A test compares this with an engine that knows \p.
# Digits and the letters of common scripts are written out too: they are found up to twice as fast
# as by \w. All of it is one class of characters, so texts joined match exactly if each does.
TAG_TEXT = re.compile(
    r"[a-zA-Z0-9_À-ÖØ-öø-ˁΑ-ΡΣ-ώЀ-ҁぁ-ゖァ-ヺ一-龥가-힣\w"
    r" \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000.:/=+\-@]*"
)
_TAG_REQUIREMENT = "must consist of letters, digits and spaces of any script and '_.:/=+-@'"

STREAM_NAME = Text("StreamName", 1, 256, _NAME, _NAME_REQUIREMENT, _MODEL.format("StreamName"))

DEVICE_NAME = Text("DeviceName", 1, 128, _NAME, _NAME_REQUIREMENT, _MODEL.format("DeviceName"))

MEDIA_TYPE = Text(
    "MediaType",
    1,
    128,
    # The model's \w in ASCII: that is what it means to the service, which is written in Java.
    re.compile(r"[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+(?:,[a-zA-Z0-9_.+-]+/[a-zA-Z0-9_.+-]+)*"),
    "must be type/subtype such as 'video/h264', several of them joined by ','",
    _MODEL.format("MediaType"),
)

KMS_KEY_ID = Text(
    "KmsKeyId",
    1,
    2048,
    # The model's .+ : in Java the dot leaves out five line terminators, in Python only one. The
    # class says what is in it, and not what is not, which is quicker.
    re.compile(r"[\x00-\x09\x0b\x0c\x0e-\x84\x86-\u2027\u202a-\U0010ffff]+"),
    "must not contain a line break",
    _MODEL.format("KmsKeyId"),
)

DATA_RETENTION_IN_HOURS = Number(
    "DataRetentionInHours",
    0,
    87_600,
    f"minimum: {_MODEL.format('DataRetentionInHours')}; "
    f"maximum: {_SCHEMA.format('DataRetentionInHours')}",
)

TAGS = Items("Tags", 50, _MODEL.format("ResourceTags"))

TAG_KEY = Text(
    "Tags", 1, 128, TAG_TEXT, _TAG_REQUIREMENT, _MODEL.format("TagKey"), by_unicode_tables=True
)

TAG_VALUE = Text(
    "Tags", 0, 256, TAG_TEXT, _TAG_REQUIREMENT, _MODEL.format("TagValue"), by_unicode_tables=True
)

TAG_KEY_RESERVED_PREFIX = "aws:"  # source: _SCHEMA, Tags: exactly so, in lower case

DEFAULT_STORAGE_TIER = Choice(
    "DefaultStorageTier", ("HOT", "WARM"), _MODEL.format("DefaultStorageTier")
)

STREAM_STORAGE_CONFIGURATION = "StreamStorageConfiguration"

STREAM_ARN = Text(
    "StreamARN",
    1,
    1024,
    re.compile(
        r"arn:[a-z0-9-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+",
    ),
    "must be a name, or an ARN like 'arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/16'",
    _MODEL.format("ResourceARN"),
)
