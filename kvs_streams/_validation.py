"""Pure checks of a request against the published limits: values in, violations out."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from . import _limits
from ._text import is_mapping, shown
from .errors import Rule, Violation

# The category of a code point that this Python's Unicode tables do not know. Whether it is a letter
# is the service's to say.
_UNASSIGNED = "Cn"
_LONGEST_KEY = _limits.TAG_KEY.max_length
_LONGEST_VALUE = _limits.TAG_VALUE.max_length


def check_request(
    *,
    stream_name: object,
    device_name: object,
    media_type: object,
    kms_key_id: object,
    data_retention_in_hours: object,
    tags: object,
    absent: object = None,
) -> list[Violation]:
    """Return every fault of a request's own fields, in the order of the fields.

    Args:
        stream_name: The name, which is required.
        device_name: The device's name.
        media_type: The media type.
        kms_key_id: The key.
        data_retention_in_hours: The retention as an integer.
        tags: The tags as a mapping.
        absent: What stands for a field that is not sent.
    """
    faults: list[Violation] = []
    if stream_name is None or stream_name is absent:
        faults.append(missing(_limits.STREAM_NAME.parameter, "stream_name"))
    else:
        _check_text(faults, _limits.STREAM_NAME, "stream_name", stream_name)
    if device_name is not absent:
        _check_text(faults, _limits.DEVICE_NAME, "device_name", device_name)
    if media_type is not absent:
        _check_text(faults, _limits.MEDIA_TYPE, "media_type", media_type)
    if kms_key_id is not absent:
        _check_text(faults, _limits.KMS_KEY_ID, "kms_key_id", kms_key_id)
    if data_retention_in_hours is not absent:
        _check_hours(faults, data_retention_in_hours)
    if tags is not absent:
        _check_tags(faults, tags)
    return faults


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
    """Return the faults of what names a stream to be found: its name, or its ARN."""
    is_arn = isinstance(stream, str) and ":" in stream
    faults: list[Violation] = []
    _check_text(faults, _limits.STREAM_ARN if is_arn else _limits.STREAM_NAME, "stream", stream)
    return faults


def missing(parameter: str, field: str) -> Violation:
    """Return the fault of a required field that is not there."""
    return Violation(parameter, field, "required", f"{field} is required", shown(None))


def wrong_type(parameter: str, field: str, value: object, wanted: str) -> Violation:
    """Return the fault of a value of another type."""
    return _fault(parameter, field, "type", value, f"must be {wanted}, not")


def unknown(key: object, known: str, prefix: str = "") -> Violation:
    """Return the fault of a key that the operation does not have; ``prefix`` is the path to it."""
    name = shown(key)
    plain = isinstance(key, str) and str.__str__(key) == name[1:-1]
    parameter = name[1:-1] if plain else name  # without the quotes where they say nothing
    message = f"{prefix}{parameter} is unknown, and not one of {known}"
    return Violation(parameter, f"{prefix}{parameter}", "unknown", message, "")


def _fault(parameter: str, field: str, rule: Rule, value: object, requirement: str) -> Violation:
    """Return a fault whose sentence begins with the field and ends with the value."""
    text = shown(value)
    return Violation(parameter, field, rule, f"{field} {requirement} {text}", text)


def _check_text(faults: list[Violation], limit: _limits.Text, field: str, value: object) -> None:
    """Check a text: its type, its length and its pattern."""
    if not isinstance(value, str):
        faults.append(wrong_type(limit.parameter, field, value, "a string"))
        return
    length = len(value)
    if length < limit.min_length:
        wanted = f"must have at least {limit.min_length} character, got"
        faults.append(_fault(limit.parameter, field, "min_length", value, wanted))
        return  # the pattern would only say the same once more
    if length > limit.max_length:
        wanted = f"must have at most {limit.max_length} characters, got {length}:"
        faults.append(_fault(limit.parameter, field, "max_length", value, wanted))
    if limit.pattern.fullmatch(value) is None and not _may_match(limit, value):
        wanted = f"{limit.requirement}, got"
        faults.append(_fault(limit.parameter, field, "pattern", value, wanted))


def _may_match(limit: _limits.Text, value: str) -> bool:
    """Tell whether only code points unknown to this Python keep the text from matching."""
    return limit.by_unicode_tables and all(
        limit.pattern.fullmatch(character) or unicodedata.category(character) == _UNASSIGNED
        for character in value
    )


def _check_hours(faults: list[Violation], value: object) -> None:
    """Check the retention, which is an integer and never a bool."""
    limit, field = _limits.DATA_RETENTION_IN_HOURS, "data_retention_in_hours"
    if not isinstance(value, int) or isinstance(value, bool):
        faults.append(wrong_type(limit.parameter, field, value, "a whole number of hours"))
    elif value < limit.min:
        wanted = f"must be at least {limit.min}, got"
        faults.append(_fault(limit.parameter, field, "min", value, wanted))
    elif value > limit.max:
        wanted = f"must be at most {limit.max}, got"
        faults.append(_fault(limit.parameter, field, "max", value, wanted))


def _check_tags(faults: list[Violation], tags: object) -> None:
    """Check how many tags there are, and each key and value."""
    limit = _limits.TAGS
    if not is_mapping(tags):
        wanted = "a mapping of strings to strings"
        faults.append(wrong_type(limit.parameter, "tags", tags, wanted))
        return
    if len(tags) > limit.max_items:
        message = f"tags must be at most {limit.max_items}, got {len(tags)}"
        faults.append(Violation(limit.parameter, "tags", "max_items", message, str(len(tags))))
    if _are_faultless(tags):
        return
    for key, value in tags.items():
        _check_tag(faults, key, value)


def _check_tag(faults: list[Violation], key: object, value: object) -> None:
    """Check one tag; its faults have the path to it, which takes a while to write."""
    found: list[Violation] = []
    _check_text(found, _limits.TAG_KEY, "key", key)
    if isinstance(key, str) and key.startswith(_limits.TAG_KEY_RESERVED_PREFIX):
        wanted = f"must not begin with {_limits.TAG_KEY_RESERVED_PREFIX!r}, got"
        found.append(_fault(_limits.TAG_KEY.parameter, "key", "reserved_prefix", key, wanted))
    _check_text(found, _limits.TAG_VALUE, "value", value)
    for fault in found:
        path = tag_path(key)
        message = f"the {fault.field} of {path}{fault.message.removeprefix(fault.field)}"
        faults.append(evolve(fault, field=path, message=message))


def _are_faultless(tags: Mapping[Any, Any]) -> bool:
    """Tell by one look at all texts joined that no tag has a fault, which is the usual case.

    A look at each tag, which tells what is wrong with it, takes many times longer: that is measured
    in docs/explanation/speed.md. ``False`` means that those looks are needed.
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
        and (len(joined_keys) <= _LONGEST_KEY or not [k for k in keys if len(k) > _LONGEST_KEY])
        and (
            len(joined_values) <= _LONGEST_VALUE
            or not [value for value in values if len(value) > _LONGEST_VALUE]
        )
        and _limits.TAG_TEXT.fullmatch(joined_keys + joined_values) is not None
    )


def tag_path(key: object) -> str:
    """Return the path to one tag, such as ``tags['site']``."""
    return f"tags[{shown(key)}]"
