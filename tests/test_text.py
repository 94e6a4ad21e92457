"""How a value appears in a message: nothing secret, nothing unprintable, and nothing too long."""

import pickle
import random
import string
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, strategies as st
from secret_forms import FORMS, INNOCENTS, KEY_ID, PLACES, SECRET_KEY, TOKEN
from strategies import anything

from kvs_streams import _text
from kvs_streams._results import VIOLATIONS_LIMIT
from kvs_streams._text import clean, escape, is_harmless, printable, redact, shown

SEED = 20_260_101
FUZZ_CASES = 2_100

form = pytest.mark.parametrize("text,secrets", FORMS.values(), ids=list(FORMS))


def check_hidden(text: str, secrets: tuple[str, ...]) -> None:
    """Check that none of the secrets is in a text."""
    for secret in secrets:
        assert secret not in text, f"{secret} is in {text}"


@form
def test_no_form_shows_its_secret(text: str, secrets: tuple[str, ...]) -> None:
    """A secret is hidden in each form, and a second pass changes nothing."""
    hidden = redact(text)
    assert "***" in hidden
    check_hidden(hidden, secrets)
    assert redact(hidden) == hidden


@form
def test_forms_inside_a_reply(text: str, secrets: tuple[str, ...]) -> None:
    """The same in the texts of a reply, in its keys, and in bytes."""
    reply = {"Message": text, "Items": [text, {text: (text.encode(),)}]}
    check_hidden(repr(clean(reply)), secrets)


@form
def test_forms_as_a_value(text: str, secrets: tuple[str, ...]) -> None:
    """The same in a value that a message quotes."""
    check_hidden(shown(text), secrets)


@pytest.mark.parametrize("text", INNOCENTS)
def test_innocent_texts_stay(text: str) -> None:
    """What only resembles a secret stays word for word, also inside a sentence."""
    assert redact(text) == text
    assert redact(f"An error occurred: {text} [stream 'cam']") == (
        f"An error occurred: {text} [stream 'cam']"
    )


@pytest.mark.parametrize("place", PLACES)
def test_values_under_the_names_of_secrets(place: str) -> None:
    """A value under the name of a secret is hidden whatever it looks like, at any depth."""
    values: list[Any] = ["S", b"S", bytearray(b"S"), ["S"], ("S",), {"a": "S"}, 7]
    for value in values:
        hidden = {place: "***"}
        assert clean({"HTTPHeaders": {place: value}}) == {"HTTPHeaders": hidden}
        assert clean([({place.upper(): value},)]) == [[{place.upper(): "***"}]]
        assert clean({place.encode(): value}) == hidden
        assert clean([(place, value)]) == [[place, "***"]]
        assert clean({"Name": place, "Value": value}) == {"Name": place, "Value": "***"}


@pytest.mark.parametrize(
    "name", ["NextToken", "ClientToken", "x-amzn-requestid", "KmsKeyId", "signature-version", "Key"]
)
def test_other_names_keep_their_values(name: str) -> None:
    """A name that only resembles that of a secret hides nothing."""
    assert clean({name: "S"}) == {name: "S"}
    assert clean([name, "S"]) == [name, "S"]


@pytest.mark.parametrize("name", ["Name", "name", "Key", "key"])
@pytest.mark.parametrize("value", ["Value", "value"])
def test_pairs_of_a_name_and_a_value(name: str, value: str) -> None:
    """A value is hidden if what stands beside it is the name of a secret."""
    pair = {name: "SecretAccessKey", value: "hunter2"}
    assert clean(pair) == pair | {value: "***"}


def test_no_secret_leaves_its_name() -> None:
    """That a member was empty can be seen."""
    assert clean({"SessionToken": None}) == {"SessionToken": None}


SURROUNDINGS = [
    "",
    " ",
    "\n",
    "Unable to parse: ",
    "Köln 東京 ",
    "\x1b[31m",
    "x" * 300 + " ",
    "Signature expired. ",
    "https://host?x=y@z ",
    'b"',
    "{",
    "token, ",
    "Error (403): ",
    "\ud800 ",
    "\\ ",
]
LETTERS = string.ascii_letters + string.digits + "+/"
NOTATIONS: list[Callable[[str, str], str]] = [
    lambda name, value: f"{name}: {value}",
    lambda name, value: f"{name}={value}",
    lambda name, value: f"{name} = {value}",
    lambda name, value: f"{name} := {value}",
    lambda name, value: f"{name}=>{value}",
    lambda name, value: f"{{{name!r}: {value!r}}}",
    lambda name, value: f"{{{name!r}: {value.encode()!r}}}",
    lambda name, value: f"[({name!r}, {value!r})]",
    lambda name, value: f'{{"{name}":"{value}"}}',
    lambda name, value: rf"{{\"{name}\" : \"{value}\"}}",
    lambda name, value: rf"{{\\\"{name}\\\":\\\"{value}\\\"}}",
    lambda name, value: f"<{name}>{value}</{name}>",
    lambda name, value: f"{name}%3D{value}",
    lambda name, value: f"{name}:\n  {value[:30]}\n  {value[30:]}\n",
]


@pytest.mark.parametrize("notation", NOTATIONS, ids=range(len(NOTATIONS)))
def test_random_secrets_in_random_surroundings(notation: Callable[[str, str], str]) -> None:
    """Random tokens under names of secrets, in any case, are hidden whatever surrounds them."""
    chance = random.Random(SEED)
    names = [name for name in PLACES if name not in {"Authorization", "Proxy-Authorization"}]
    names = [name for name in names if "cookie" not in name.lower()]
    names = [name for name in names if name != "AccessKeyId"]
    for _ in range(FUZZ_CASES // len(NOTATIONS)):
        secret = (
            "".join(chance.choices(LETTERS, k=60)) + "7" + "".join(chance.choices(LETTERS, k=9))
        )
        name = getattr(chance.choice(names), chance.choice(["lower", "upper", "__str__"]))()
        parts = [chance.choice(SURROUNDINGS) for _ in range(4)]
        text = f"{parts[0]}{parts[1]} {notation(name, secret)} {parts[2]}{parts[3]}"
        for piece in (secret, secret[:30], secret[30:]):
            assert piece not in redact(text), text
            assert piece not in printable(text, chance.randrange(1, 500)), text


def test_random_surroundings_of_each_form() -> None:
    """Every form is hidden whatever stands before and after it, and wherever the text is cut."""
    chance = random.Random(SEED)
    for _ in range(FUZZ_CASES):
        text, secrets = chance.choice(list(FORMS.values()))
        before = chance.choice(SURROUNDINGS)
        text = f"{before}\n{text}\n\n{chance.choice(SURROUNDINGS)}"
        check_hidden(printable(text, chance.randrange(1, 500)), secrets)
        check_hidden(repr(clean({"HTTPHeaders": {"x": [text]}})), secrets)


@form
def test_no_cut_shows_half_a_secret(text: str, secrets: tuple[str, ...]) -> None:
    """Where a long text is cut, no part of a secret is left, wherever the cut is."""
    for edge in (100, 100 + _text._MARGIN, 100 + 2 * _text._MARGIN):
        for shift in range(1, 60, 7):
            long = f"{'a ' * ((edge - shift) // 2)}\n{text}\n" + "b " * 3 * _text._MARGIN
            result = printable(long, 100)
            assert len(result) == 100
            assert result.endswith("…")
            check_hidden(result, tuple(it[:8] for it in secrets if len(it) >= 8))


def test_a_cut_after_many_secrets() -> None:
    """Hidden secrets shorten a text; what the cut then leaves in sight is no half of a secret."""
    long = f"SessionToken={TOKEN} " * 81 + f"{KEY_ID} " * 500
    for extra in range(30):
        result = printable("x" * extra + " " + long, 5_000)
        assert result.endswith("…")
        check_hidden(result, ("AKIA", "ASIA"))


def test_a_cut_leaves_what_stands_before_a_secret() -> None:
    """What was read up to the end of the last secret is shown, however short secrets make it."""
    secret = f"SessionToken={'A' * 1_500}"
    long = f"first {secret} then {secret} at last " + "b " * 3_000
    assert printable(long, 100) == "first SessionToken=*** then SessionToken=***…"


@given(st.text(st.characters(), max_size=300), st.integers(1, 200))
def test_every_text_is_made_printable(text: str, limit: int) -> None:
    """Whatever is in a text, the result is one printable line within the limit."""
    for result in (printable(text, limit), escape(text, limit)):
        assert result.isprintable()
        assert len(result) <= limit
    assert shown(text).isprintable()


def test_special_characters_are_escaped() -> None:
    """Controls, changes of direction and lone surrogates are shown as Python writes them."""
    assert printable("a\x1b\n\u202e\ud800é") == r"a\x1b\n\u202e\ud800é"
    assert shown("a\u202e\ud800") == r"'a\u202e\ud800'"


@pytest.mark.parametrize("name", ["ASIA0123456789ABCDEF", KEY_ID])
def test_known_names_are_not_redacted(name: str) -> None:
    """A stream can be named like a key ID; where the name is known to be one it stays."""
    assert escape(name) == name
    assert shown(name, redacted=False) == repr(name)
    assert printable(name) == "***"
    assert shown(name) == "'***'"
    assert escape(name * 10, 20) == f"{name[:19]}…"


def test_a_bare_secret_cannot_be_recognized() -> None:
    """A secret key without its name is like any other text, and documented to be left alone."""
    assert redact(f"odd value {SECRET_KEY}") == f"odd value {SECRET_KEY}"
    assert "cannot be recognized" in str(redact.__doc__)


WORST = [
    "SessionToken:",
    "SessionToken: \\",
    "SessionToken ",
    "SessionToken:aaaa\naaaa ",
    "SessionToken</a> <",
    "token=",
    "token: aaaaaaaaaaaaaaaaaaaaaaaa",
    "authorization: digest x, a=",
    'authorization: digest x="',
    "cookie:a=b; ",
    "password='",
    "AKIAAAAAAAAAAAAAAAA",
    "AQoDYXdzAQoDYXdz",
    "eyJaaaaaaaaaaa.",
    "eyJaaaaaaaaaaa-",
    "-----BEGIN PRIVATE KEY-----",
    "://a:x",
    "://a:x ",
    "://a:1@",
    "a:b c@",
    "'a:b@",
    "endpoint a:b",
    "%3A%2F%2Fa%3A",
    "\\",
    "'",
    " ",
    "\n",
    "a",
    "@",
]


@pytest.mark.parametrize("number", range(len(_text._RULES)))
def test_no_pattern_takes_for_ever(number: int) -> None:
    """A pattern gets through a long text, whatever it repeats: one that goes back would hang."""
    replace = _text._rules()[number][1]
    for piece in WORST:
        text = f"SessionToken:'{piece * (200_000 // len(piece))}\0"
        assert replace("***", text).endswith(("\0", "***"))


@pytest.mark.parametrize(
    "make",
    [
        lambda: clean({"Message": "Signature token key " * 1_000_000}),
        lambda: clean({"Message": b"Signature token key " * 1_000_000}),
        lambda: clean({"Message": "\x1b" * 5_000_000}),
        lambda: clean({"Items": [{"token": "x"}] * 1_000_000}),
        lambda: clean({str(number): number for number in range(1_000_000)}),
        lambda: clean([["SessionToken=" + "a" * 100_000] * 1_000] * 1_000),
        lambda: printable("Signature token key " * 1_000_000, 600),
        lambda: printable("\x1b" * 5_000_000),
        lambda: shown("\u202e" * 5_000_000),
    ],
    ids=range(9),
)
def test_large_replies_are_cut_before_they_are_cleaned(make: Callable[[], Any]) -> None:
    """Of megabytes of text and millions of items little is kept, and only that is cleaned."""
    result = make()
    assert len(repr(result)) < 10 * _text.TOTAL_TEXT_LIMIT
    assert "…" in repr(result)


def test_limits_of_a_reply() -> None:
    """What is cut says so, and what is within the limits is whole."""
    assert clean("x" * _text.TEXT_LIMIT) == "x" * _text.TEXT_LIMIT
    assert clean("x" * (_text.TEXT_LIMIT + 1)) == "x" * (_text.TEXT_LIMIT - 1) + "…"
    assert clean(["x"] * _text.ITEMS_LIMIT) == ["x"] * _text.ITEMS_LIMIT
    assert clean(["x"] * (_text.ITEMS_LIMIT + 1)) == ["x"] * _text.ITEMS_LIMIT + ["…"]
    many = dict.fromkeys(range(_text.ITEMS_LIMIT), 0)
    assert clean(many) == many
    assert clean({**many, -1: 0}) == {**many, "…": "…"}
    parts = clean([["x"] * _text.ITEMS_LIMIT] * 20)
    assert sum(len(part) for part in parts) < _text.TOTAL_ITEMS_LIMIT + 20
    assert parts[-1] == ["…"]
    longest = "x" * _text.TEXT_LIMIT
    assert clean([longest] * 3) == [longest, longest, "…"]
    assert clean([longest, longest[1:], "y"]) == [longest, longest[1:], "y"]
    assert clean([longest, longest[9:], "y" * 10])[-1] == "y" * 8 + "…"
    assert is_harmless(longest)
    assert not is_harmless(longest + "x")


def test_limits_are_documented() -> None:
    """The security policy states the limits that hold."""
    policy = (Path(__file__).parent.parent / "SECURITY.md").read_text(encoding="utf-8")
    for limit in (
        _text.TEXT_LIMIT,
        _text.ITEMS_LIMIT,
        _text.TOTAL_TEXT_LIMIT,
        _text.TOTAL_ITEMS_LIMIT,
        _text.DEPTH_LIMIT,
        VIOLATIONS_LIMIT,
    ):
        assert f"{limit:,}" in policy
    assert f"Of a status it keeps {_text.VALUE_LIMIT} characters" in policy


def test_depth_of_a_reply() -> None:
    """A reply nested without end is copied to a known depth."""
    nested: list[Any] = []
    nested.append(nested)
    text = repr(clean(nested))
    assert text == "[" * _text.DEPTH_LIMIT + "'…'" + "]" * _text.DEPTH_LIMIT
    mapping: dict[str, Any] = {}
    mapping["m"] = mapping
    assert repr(clean(mapping)).count("m") == _text.DEPTH_LIMIT


class Text(str):
    """A text that says other things than it holds."""

    __slots__ = ()

    def __str__(self) -> str:
        return "hunter2"


class Foreign:
    """An object of the user's."""

    def __repr__(self) -> str:
        raise RuntimeError


def test_a_copy_is_plain() -> None:
    """A cleaned reply holds plain types only, so that it pickles anywhere."""
    date = datetime(2026, 1, 1, tzinfo=timezone.utc)
    reply = MappingProxyType(
        {
            "kept": [None, True, 7, 1.5, date],
            Text("text"): Text("text"),
            "status": HTTPStatus.OK,
            b"bytes": b"\xff\x00",
            ("tuple", 1): (1, 2, 3),
            7: {8},
            "foreign": Foreign(),
            None: timedelta(1),
        }
    )
    copied = clean(reply)
    assert copied == {
        "kept": [None, True, 7, 1.5, date],
        "text": "text",
        "status": 200,
        "bytes": r"\xff\x00",
        "<tuple>": [1, 2, 3],
        7: [8],
        "foreign": "<Foreign>",
        "None": "datetime.timedelta(days=1)",
    }
    assert {type(item) for item in (copied["text"], copied["status"])} == {str, int}
    assert copied["kept"][1] is True
    assert pickle.loads(pickle.dumps(copied)) == copied


@given(anything())
def test_whatever_is_copied_pickles(value: Any) -> None:
    """A copy of anything pickles and has no unprintable text in it."""
    copied = clean(value)
    again = pickle.loads(pickle.dumps(copied))
    assert repr(again) == repr(copied)
    assert repr(copied).isprintable()


def test_values_that_are_no_text() -> None:
    """Numbers are shown as they are, if they are not too long; other objects by their type."""
    assert [shown(value) for value in (None, True, 7, 1.5)] == ["None", "True", "7", "1.5"]
    assert shown(10**5_000) == shown(-(10**80)) == "a very large integer"
    assert shown(10**80 - 1) == "9" * 80
    assert shown(Foreign()) == "<Foreign>"
    assert shown(type("F" * 81, (), {})()) == f"<{'F' * 79}…>"


def test_long_texts_are_cut() -> None:
    """Eighty characters are shown, between quotes; a text that was escaped has fewer."""
    for whole in "x" * 80, "x" * 78 + "\n":
        assert shown(whole) == repr(whole)
    assert shown("x" * 81) == shown("x" * 79 + "\n") == f"'{'x' * 79}…'"
