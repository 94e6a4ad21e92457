"""The rules of botocore's service models, checked as the service does."""

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ._core import LONGEST_RETENTION, RESERVED_PREFIX, TAG_TEXT, shown

_TYPES: dict[str, tuple[type, str]] = {
    "structure": (dict, "an object"),
    "map": (dict, "an object"),
    "list": (list, "a list"),
    "string": (str, "a string"),
    "integer": (int, "a whole number"),
    "long": (int, "a whole number"),
}
# Rules of the AWS::KinesisVideo::Stream resource schema, by the name of the shape.
_LONGEST = {"DataRetentionInHours": LONGEST_RETENTION}


class Fault(NamedTuple):
    """A rule that a request breaks."""

    rule: str
    path: str
    text: str


def faults(shape: Any, value: object, path: str = "") -> Iterator[Fault]:
    """Find all rules of a shape of the model that a value breaks."""
    kind, name = _TYPES.get(shape.type_name, (object, ""))
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield Fault("type", path, f"{path or 'The request'} must be {name}.")
        return
    yield from _limits(shape, value, path)
    if isinstance(value, dict) and shape.type_name == "structure":
        for member in shape.required_members:
            # In JSON, null is a member that is not there.
            if value.get(member) is None:
                yield Fault("required", path, f"{path}{member} is required.")
        for member, of_member in shape.members.items():
            if value.get(member) is not None:
                yield from faults(of_member, value[member], f"{path}{member}")
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from faults(shape.key, key, f"{path}.key")
            yield from faults(shape.value, each, f"{path}.value")
    elif isinstance(value, list):
        for each in value:
            yield from faults(shape.member, each, f"{path}.member.")


def _limits(shape: Any, value: Any, path: str) -> Iterator[Fault]:
    """Check the length or size, the pattern and the choices of a value of the right type."""
    rules: dict[str, Any] = shape.metadata
    size = len(value) if isinstance(value, (str, list, dict)) else value
    what = "" if size is value else " characters" if isinstance(value, str) else " items"
    longest = _LONGEST.get(shape.name, rules.get("max", size))
    if size < rules.get("min", size):
        yield Fault("min", path, f"{path} must have at least {rules['min']}{what}.")
    if size > longest:
        yield Fault("max", path, f"{path} must have at most {longest}{what}.")
    if "enum" in rules and value not in rules["enum"]:
        choices = ", ".join(rules["enum"])
        yield Fault("enum", path, f"{path} must be one of {choices}, not {shown(value)}.")
    if "pattern" in rules and not _pattern(rules["pattern"]).fullmatch(value):
        yield Fault("pattern", path, f"{path} must match {rules['pattern']}, not {shown(value)}.")
    if shape.name == "TagKey" and value.startswith(RESERVED_PREFIX):
        yield Fault("reserved", path, f"{path} must not begin with {RESERVED_PREFIX}.")


@functools.cache
def _pattern(pattern: str) -> re.Pattern[str]:
    # Python has no \p{...}, which only the rules of tags use; the service is written in Java, whose
    # \w is ASCII.
    return TAG_TEXT if r"\p" in pattern else re.compile(pattern, re.ASCII)
