"""Pure checks of a request against the published limits: values in, violations out."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from . import _limits
from .errors import Rule, Violation, is_mapping, shown

# The category of a code point that this Python's Unicode tables do not know. Whether it is a letter
# is the service's to say.
_UNASSIGNED = "Cn"


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
    if stream_name is None:
        stream_name = absent
    if stream_name is absent:
        faults.append(missing(_limits.STREAM_NAME.parameter, "stream_name"))
    for limit, field, value in (
        (_limits.STREAM_NAME, "stream_name", stream_name),
        (_limits.DEVICE_NAME, "device_name", device_name),
        (_limits.MEDIA_TYPE, "media_type", media_type),
        (_limits.KMS_KEY_ID, "kms_key_id", kms_key_id),
    ):
        if value is not absent:
            for rule, requirement in _broken(limit, value):
                faults.append(_fault(limit.parameter, field, rule, value, requirement))
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
    limit = _limits.STREAM_ARN if is_arn else _limits.STREAM_NAME
    return [
        _fault(limit.parameter, "stream", rule, stream, requirement)
        for rule, requirement in _broken(limit, stream)
    ]


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


def _fault(
    parameter: str, field: str, rule: Rule, value: object, requirement: str, *, subject: str = ""
) -> Violation:
    """Return a fault whose sentence ends with the value."""
    text = shown(value)
    return Violation(parameter, field, rule, f"{subject or field} {requirement} {text}", text)


def _broken(limit: _limits.Text, value: object) -> Sequence[tuple[Rule, str]]:
    """Return the rules that a text breaks, each in words that end before the value."""
    if not isinstance(value, str):
        return [("type", "must be a string, not")]
    length = len(value)
    if length < limit.min_length:
        # The pattern would only say the same once more.
        return [("min_length", f"must have at least {limit.min_length} character, got")]
    matches = limit.pattern.fullmatch(value)
    if matches and length <= limit.max_length:
        return ()
    broken: list[tuple[Rule, str]] = []
    if length > limit.max_length:
        wanted = f"must have at most {limit.max_length} characters, got {length}:"
        broken.append(("max_length", wanted))
    if not matches and not _may_match(limit, value):
        broken.append(("pattern", f"{limit.requirement}, got"))
    return broken


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
        broken = [*_broken(_limits.TAG_KEY, key)]
        if isinstance(key, str) and key.startswith(_limits.TAG_KEY_RESERVED_PREFIX):
            wanted = f"must not begin with {_limits.TAG_KEY_RESERVED_PREFIX!r}, got"
            broken.append(("reserved_prefix", wanted))
        for what, text, rules in (
            ("key", key, broken),
            ("value", value, _broken(_limits.TAG_VALUE, value)),
        ):
            for rule, wanted in rules:
                path = tag_path(key)
                subject = f"the {what} of {path}"
                faults.append(_fault(limit.parameter, path, rule, text, wanted, subject=subject))


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
        and _are_within(_limits.TAG_KEY.max_length, keys, joined_keys)
        and _are_within(_limits.TAG_VALUE.max_length, values, joined_values)
        and _limits.TAG_TEXT.fullmatch(joined_keys + joined_values) is not None
    )


def _are_within(max_length: int, texts: Collection[Any], joined: str) -> bool:
    """Tell whether no text is too long: they are not if all of them together are not."""
    return len(joined) <= max_length or max(map(len, texts)) <= max_length


def tag_path(key: object) -> str:
    """Return the path to one tag, such as ``tags['site']``."""
    return f"tags[{shown(key)}]"
