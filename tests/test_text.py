"""How text from outside appears in a message."""

from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, strategies as st

from kvs_streams._text import MESSAGE_LIMIT, VALUE_LIMIT, escape, shown


class Shouting(str, Enum):
    """A string of a kind of its own, whose ``repr`` is not that of a string."""

    LOUD = "loud"


class Secretive:
    """What must not be asked for its ``repr``."""

    def __repr__(self) -> str:
        raise AssertionError("asked for a secret")


@pytest.mark.parametrize(
    "text, limit, escaped",
    [
        ("", 1, ""),
        ("日本 é 1", MESSAGE_LIMIT, "日本 é 1"),
        ("日\nb\r\t\x1b[31m", MESSAGE_LIMIT, r"日\nb\r\t\x1b[31m"),
        ("\u202egnp.exe\ud800\U000e0041", MESSAGE_LIMIT, r"\u202egnp.exe\ud800\U000e0041"),
        ("x" * 600, MESSAGE_LIMIT, "x" * 600),
        ("x" * 601, MESSAGE_LIMIT, "x" * 599 + "…"),
        ("\n" * 300, MESSAGE_LIMIT, r"\n" * 300),
        ("\n" * 301, MESSAGE_LIMIT, r"\n" * 299 + "\\…"),
        ("abcde", 4, "abc…"),
    ],
)
def test_escape(text: str, limit: int, escaped: str) -> None:
    """What can be printed stays, the rest is written as in Python's source; both are cut."""
    assert escape(text, limit) == escaped
    assert escape(text) == escaped or limit < MESSAGE_LIMIT


@given(st.text(st.characters(), max_size=100), st.integers(2, 90))
def test_escape_is_one_line_of_bounded_length(text: str, limit: int) -> None:
    """Whatever the text, the result can be printed and is no longer than the limit."""
    assert escape(text, limit).isprintable()
    assert len(escape(text, limit)) <= limit


@pytest.mark.parametrize(
    "value, text",
    [
        ("cam", "'cam'"),
        ("it's", '"it\'s"'),
        ("a\n\x1b", r"'a\n\x1b'"),
        ("x" * 80, f"'{'x' * 80}'"),
        ("x" * 81 + "'", f"'{'x' * 79}…'"),
        ("'" * 81, '"' + "'" * 79 + '…"'),
        (Shouting.LOUD, "'loud'"),
        (None, "None"),
        (True, "True"),
        (7, "7"),
        (-1.5, "-1.5"),
        (10**100, "1" + "0" * 78 + "…"),
        (timedelta(hours=1), "datetime.timedelta(seconds=3600)"),
        (Decimal, "<class Decimal>"),
        (Decimal(1), "<Decimal>"),
        (["secret"], "<list>"),
        (b"secret", "<bytes>"),
        (Secretive(), "<Secretive>"),
        (type("X" * 90, (), {})(), f"<{'X' * 79}…>"),
        (type("X" * 90, (), {}), f"<class {'X' * 79}…>"),
    ],
)
def test_shown(value: Any, text: str) -> None:
    """Strings are quoted, numbers stand as they are, and of anything else the type is shown."""
    assert shown(value) == text


@given(st.text(st.characters()))
def test_shown_text_is_one_quoted_line(text: str) -> None:
    """Whatever the text, it is quoted, can be printed, and has a bounded length."""
    result = shown(text)
    assert result.isprintable()
    assert result[0] == result[-1]
    assert len(result) <= VALUE_LIMIT + 2
