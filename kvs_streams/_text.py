"""Format values for messages: escape, truncate and quote them."""

from datetime import timedelta

# For one value, and for a whole message: enough for a sentence from AWS, short enough for a log.
VALUE_LIMIT = 80
MESSAGE_LIMIT = 600


def escape(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return the text on one line of at most ``limit`` characters, control characters escaped."""
    text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shown(value: object) -> str:
    """Return a value as text for a message.

    Strings are quoted, escaped and truncated. Numbers, booleans, ``None`` and durations stay as
    they are, and a class is shown by its name. For everything else only the type is shown, because
    the ``repr`` of a foreign object can be long, raise, or contain a secret.
    """
    if isinstance(value, str):
        quoted = repr(value[: VALUE_LIMIT + 1])
        return quoted if len(quoted) <= VALUE_LIMIT + 2 else f"{quoted[:VALUE_LIMIT]}…{quoted[0]}"
    if value is None or isinstance(value, (bool, int, float, timedelta)):
        return escape(repr(value), VALUE_LIMIT)
    if isinstance(value, type):
        return f"<class {escape(value.__qualname__, VALUE_LIMIT)}>"
    return f"<{escape(type(value).__qualname__, VALUE_LIMIT)}>"
