"""Check requests by the rules of botocore's service models, as the service does."""

import functools
import re
from collections.abc import Iterator
from typing import Any

from ._core import LARGEST, RESERVED_PREFIX, TAG_TEXT, shown

_TYPES = {"structure": dict, "map": dict, "list": list, "string": str, "integer": int, "long": int}


def faults(shape: Any, value: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Find the rules of a shape that a value breaks: yield each rule, its path, and a text."""
    kind: Any = _TYPES.get(shape.type_name, object)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield "type", path, f"{path or 'The request'} must be a {shape.type_name}."
    else:
        for rule, limit in _broken(shape, value):
            yield rule, path, f"{path} does not satisfy the rule {rule} {limit}: {shown(value)}."
        yield from _faults_inside(shape, value, path)


def _faults_inside(shape: Any, value: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Find the rules that the members of a value break."""
    if shape.type_name == "structure":
        # In JSON, a member that is null counts as missing.
        present = [name for name in shape.members if value.get(name) is not None]
        for name in sorted(set(shape.required_members).difference(present)):
            yield "required", path, f"{path}{name} is required."
        parts = [(shape.members[name], value[name], f"{path}{name}") for name in present]
    elif shape.type_name == "map":
        keys = [(shape.key, key, f"{path}.key ") for key in value]
        parts = keys + [(shape.value, each, f"{path}.value ") for each in value.values()]
    elif shape.type_name == "list":
        parts = [(shape.member, each, f"{path}.") for each in value]
    else:
        return
    for part in parts:
        yield from faults(*part)


def _broken(shape: Any, value: Any) -> Iterator[tuple[str, object]]:
    """Find the limits that a value of the right type breaks."""
    rules: dict[str, Any] = shape.metadata
    size: Any = len(value) if hasattr(value, "__len__") else value
    largest = LARGEST.get(shape.name, rules.get("max", size))
    if size < rules.get("min", size):
        yield "min", rules["min"]
    if size > largest:
        yield "max", largest
    if "enum" in rules and value not in rules["enum"]:
        yield "enum", ", ".join(rules["enum"])
    if "pattern" in rules and not _pattern(rules["pattern"]).fullmatch(value):
        yield "pattern", rules["pattern"]
    if shape.name == "TagKey" and value.startswith(RESERVED_PREFIX):
        yield "reserved prefix", RESERVED_PREFIX


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    # Python has no \p{...}, which only the rules of tags use; the service is written in Java, whose
    # \w is ASCII.
    return TAG_TEXT if r"\p" in pattern else re.compile(pattern, re.ASCII)
