"""Pure checks against the published limits: values in, violations out."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from . import _limits
from ._results import VIOLATIONS_LIMIT, Rule, Violation
from ._text import is_mapping, shown

# The category of a code point that this Python's Unicode tables do not know. Whether it is a letter
# is left to the service.
_UNASSIGNED = "Cn"
_LONGEST_KEY = _limits.TAG_KEY.max_length
_LONGEST_VALUE = _limits.TAG_VALUE.max_length


class Faults(list[Violation]):
    """Faults of a request, and how many there are beyond those that it describes."""

    more = 0

    def __iadd__(self, others: Iterable[Violation]) -> "Faults":  # type: ignore[override]  # noqa: PYI034  # Self costs an import
        """Add faults, those that are not described included."""
        self.extend(others)
        self.more += getattr(others, "more", 0)
        return self


def check_storage_tier(tier: object, prefix: str = "") -> list[Violation]:
    """Return the faults of a storage tier; ``prefix`` is the path to what holds it."""
    limit, field = _limits.DEFAULT_STORAGE_TIER, f"{prefix}default_storage_tier"
    if tier is None:
        return [missing(limit.parameter, field)]
    if not isinstance(tier, str):
        return [wrong_type(limit.parameter, field, tier, "a string")]
    if tier not in limit.choices:
        choices = " or ".join(repr(choice) for choice in limit.choices)
        return [_fault(limit.parameter, field, "enum", tier, f"must be {choices}, got")]
    return []


def check_stream(stream: object) -> list[Violation]:
    """Return the faults of what identifies an existing stream: its name or its ARN."""
    is_arn = isinstance(stream, str) and ":" in stream
    limit = _limits.STREAM_ARN if is_arn else _limits.STREAM_NAME
    return _check_text(limit, "stream", stream)


def missing(parameter: str, field: str) -> Violation:
    """Return the fault of a required field that is not set."""
    return Violation(parameter, field, "required", f"{field} is required", shown(None))


def wrong_type(parameter: str, field: str, value: object, wanted: str) -> Violation:
    """Return the fault of a value of the wrong type."""
    return _fault(parameter, field, "type", value, f"must be {wanted}, not")


def unknown(key: object, known: str, prefix: str = "") -> Violation:
    """Return the fault of a key that the operation does not have; ``prefix`` is the path to it."""
    name = shown(key)
    plain = isinstance(key, str) and str.__str__(key) == name[1:-1]
    parameter = name[1:-1] if plain else name  # without the quotes if they add nothing
    path = f"{prefix}{parameter}"
    return Violation(parameter, path, "unknown", f"{path} is unknown; known are {known}", "")


def tag_path(key: object) -> str:
    """Return the path to one tag, such as ``tags['site']``."""
    return f"tags[{shown(key)}]"


def _fault(
    parameter: str, field: str, rule: Rule, value: object, requirement: str, *, subject: str = ""
) -> Violation:
    """Return a fault; its message is the subject (by default the field), what it must be, a value.

    Args:
        parameter: AWS's name of the parameter.
        field: The path to the fault.
        rule: The rule that is broken.
        value: The value that breaks it.
        requirement: What the rule demands, such as ``must be at least 0, got``.
        subject: What the message begins with, where that is not the field.
    """
    text = shown(value)
    return Violation(parameter, field, rule, f"{subject or field} {requirement} {text}", text)


def _check_text(
    limit: _limits.Text, field: str, value: object, subject: str = ""
) -> list[Violation]:
    """Check the type, the length and the pattern of a text."""
    return [
        _fault(limit.parameter, field, rule, value, wanted, subject=subject)
        for rule, wanted in _broken(limit, value)
    ]


def _broken(limit: _limits.Text, value: object) -> list[tuple[Rule, str]]:
    """Return each rule that a text breaks, with what the rule demands."""
    if not isinstance(value, str):
        return [("type", "must be a string, not")]
    length = len(value)
    fits, matches = limit.min_length <= length <= limit.max_length, limit.pattern.fullmatch(value)
    if fits and matches:
        return []
    broken: list[tuple[Rule, str]] = []
    if length > limit.max_length:
        wanted = f"must have at most {limit.max_length} characters, got {length}:"
        broken.append(("max_length", wanted))
    if length < limit.min_length:  # the pattern would only repeat it
        broken.append(("min_length", f"must have at least {limit.min_length} character, got"))
    elif not matches and not _may_match(limit, value):
        broken.append(("pattern", f"{limit.requirement}, got"))
    return broken


def _may_match(limit: _limits.Text, value: str) -> bool:
    """Tell whether only code points unknown to this Python keep the text from matching."""
    return (limit.by_unicode_tables and not value.isascii()) and all(
        limit.pattern.fullmatch(character) or unicodedata.category(character) == _UNASSIGNED
        for character in value
    )


def check_name(value: object) -> list[Violation]:
    """Check the name of a stream, which is required."""
    limit, field = _limits.STREAM_NAME, "stream_name"
    return [missing(limit.parameter, field)] if value is None else _check_text(limit, field, value)


def _check_hours(value: object) -> list[Violation]:
    """Check the retention."""
    limit, field = _limits.DATA_RETENTION_IN_HOURS, "data_retention_in_hours"
    if not isinstance(value, int) or isinstance(value, bool):
        wanted = "must be an int or a timedelta of whole hours, got"
        return [_fault(limit.parameter, field, "type", value, wanted)]
    if value < limit.min:
        return [_fault(limit.parameter, field, "min", value, f"must be at least {limit.min}, got")]
    if value > limit.max:
        return [_fault(limit.parameter, field, "max", value, f"must be at most {limit.max}, got")]
    return []


def _check_tags(tags: object) -> Faults:
    """Check the number of tags, and each key and value."""
    limit = _limits.TAGS
    if not is_mapping(tags):
        return Faults(
            [wrong_type(limit.parameter, "tags", tags, "a mapping of strings to strings")]
        )
    faults = Faults()
    if len(tags) > limit.max_items:
        message = f"tags must be at most {limit.max_items}, got {len(tags)}"
        faults.append(Violation(limit.parameter, "tags", "max_items", message, str(len(tags))))
    if not _are_faultless(tags):
        for key, value in tags.items():
            if len(faults) < VIOLATIONS_LIMIT:
                faults += _check_tag(key, value)
            else:  # to describe a fault takes many times longer than to find it
                faults.more += len(_broken(_limits.TAG_KEY, key)) + _is_reserved(key)
                faults.more += len(_broken(_limits.TAG_VALUE, value))
    return faults


def _check_tag(key: object, value: object) -> list[Violation]:
    """Check one tag."""
    path = tag_path(key)
    subject = f"the key of {path}"
    faults = _check_text(_limits.TAG_KEY, path, key, subject)
    if _is_reserved(key):
        parameter = _limits.TAG_KEY.parameter
        wanted = f"must not begin with {_limits.TAG_KEY_RESERVED_PREFIX!r}, got"
        faults.append(_fault(parameter, path, "reserved_prefix", key, wanted, subject=subject))
    return faults + _check_text(_limits.TAG_VALUE, path, value, f"the value of {path}")


def _is_reserved(key: object) -> bool:
    """Tell whether the key of a tag begins as only AWS's own tags do."""
    return isinstance(key, str) and key.startswith(_limits.TAG_KEY_RESERVED_PREFIX)


def _are_faultless(tags: Mapping[Any, Any]) -> bool:
    """Tell from all texts joined that no tag has a fault, which is the usual case.

    Checking each tag by itself, to say what is wrong with it, takes many times longer (measured in
    docs/explanation/speed.md). ``False`` means that each tag has to be checked.
    """
    keys, values = tags.keys(), tags.values()
    try:
        joined_keys, joined_values = "".join(keys), "".join(values)
    except TypeError:
        return False
    return (
        "" not in keys
        and _limits.TAG_KEY_RESERVED_PREFIX not in joined_keys
        # No text is too long if all of them together are not.
        and (len(joined_keys) <= _LONGEST_KEY or max(map(len, keys)) <= _LONGEST_KEY)
        and (len(joined_values) <= _LONGEST_VALUE or max(map(len, values)) <= _LONGEST_VALUE)
        and _limits.TAG_TEXT.fullmatch(joined_keys + joined_values) is not None
    )


# The check of each field, in the order in which faults are reported.
CHECKS: dict[str, Callable[[object], list[Violation]]] = {
    "stream_name": check_name,
    "device_name": partial(_check_text, _limits.DEVICE_NAME, "device_name"),
    "media_type": partial(_check_text, _limits.MEDIA_TYPE, "media_type"),
    "kms_key_id": partial(_check_text, _limits.KMS_KEY_ID, "kms_key_id"),
    "data_retention_in_hours": _check_hours,
    "tags": _check_tags,
}
