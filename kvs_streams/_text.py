"""How a value appears in a message: escaped, truncated, and without secrets."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeGuard

VALUE_LIMIT = 80

# AWS repeats parts of a request it could not authenticate: the canonical string with the session
# token in it, or the Authorization header. A URL can carry a user and a password.
_SECRETS = (
    (
        re.compile(
            r"(?i)(security-token|session_?token|secret_?access_?key|credential|signature)"
            r"(['\"]?\s*[:=]\s*['\"]?)[^\s,;&'\"]+"
        ),
        r"\1\2***",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"), "***"),
    (re.compile(r"://[^/\s]*@"), "://***@"),
)


def redact(text: str) -> str:
    """Return ``text`` with what looks like a credential replaced by ``***``."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def printable(text: str, limit: int | None = None) -> str:
    """Return ``text`` on one line: credentials hidden, unprintable characters escaped, and cut."""
    text = redact(text)
    if limit is not None and len(text) > limit:
        text = text[: limit - 1] + "…"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(value: object) -> str:
    """Return a value as a person should see it in an error: escaped, cut, and without secrets.

    Of anything but text and numbers only the type is shown: the ``repr`` of a foreign object can be
    long, raise, or hold a secret.
    """
    if isinstance(value, str):
        text = redact(str.__str__(value))
        quoted = repr(text[:VALUE_LIMIT])
        if len(text) > VALUE_LIMIT or len(quoted) > VALUE_LIMIT + 2:
            quoted = f"{quoted[:VALUE_LIMIT]}…{quoted[0]}"
        return quoted
    if value is None or type(value) in (bool, float, timedelta):
        return repr(value)
    if isinstance(value, int):
        # Python refuses to write out an integer of thousands of digits.
        return int.__repr__(value) if abs(value) < 10**VALUE_LIMIT else "a very large integer"
    return f"<{printable(type(value).__qualname__, VALUE_LIMIT)}>"


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Tell whether a value is a mapping, of what to what is not yet known."""
    return isinstance(value, (dict, Mapping))  # a dict is found far quicker


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def clean(value: object) -> Any:
    """Copy boto's reply with every text in it made printable."""
    if isinstance(value, str):
        return printable(value)
    if is_mapping(value):
        return {clean(key): clean(item) for key, item in value.items()}
    if _is_list(value):
        return [clean(item) for item in value]
    return value
