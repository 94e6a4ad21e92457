"""How text from outside appears in a message: escaped, cut, quoted."""

from datetime import timedelta

# Of one value, and of a whole message: long enough for a sentence of AWS's, short enough for a log.
VALUE_LIMIT = 80
MESSAGE_LIMIT = 600


def escape(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the text on one line of at most ``limit`` characters, control characters escaped."""
    text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shown(value: object) -> str:
    """Return a value as a person should see it in a message.

    Strings are quoted, escaped and cut. Numbers, booleans, ``None`` and durations stay as they are,
    and a class is shown by its name. Of everything else only the type is shown, because the
    ``repr`` of a foreign object can be long, raise, or hold a secret.
    """
    if isinstance(value, str):
        quoted = repr(value[: VALUE_LIMIT + 1])
        return quoted if len(quoted) <= VALUE_LIMIT + 2 else f"{quoted[:VALUE_LIMIT]}…{quoted[0]}"
    if value is None or isinstance(value, (bool, int, float, timedelta)):
        return escape(repr(value), VALUE_LIMIT)
    if isinstance(value, type):
        return f"<class {escape(value.__qualname__, VALUE_LIMIT)}>"
    return f"<{escape(type(value).__qualname__, VALUE_LIMIT)}>"
