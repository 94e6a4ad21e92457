"""How a value appears in a message: escaped, truncated, and with its secrets redacted.

A secret is recognized by its place: under a name that only secrets have, in the user info of a URL,
or in a form of its own, such as an access key ID. A bare secret without a name beside it, such as
a secret access key alone in a sentence, looks like any other text and cannot be recognized.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from itertools import islice
from typing import Any, TypeGuard

VALUE_LIMIT = 80
# What ``clean`` keeps: of one text, of one list or mapping, and of the whole.
TEXT_LIMIT = 131_072
ITEMS_LIMIT = 1_000
DEPTH_LIMIT = 32
TOTAL_TEXT_LIMIT = 262_144
TOTAL_ITEMS_LIMIT = 10_000

_HIDDEN = "***"
# No count of attempts and no HTTP status is as large.
_COUNTS_END = 1_000_000
# A secret that begins before a cut is recognized by what follows it within this many characters.
_MARGIN = 2_048

# Names that only secrets have hide any value. Written in words ("session token") or alone ("token")
# they are everyday words of AWS's sentences, and hide only what looks like a secret.
_TOKENS = (
    "(?:security|session|access|refresh|auth|authorization|bearer|metadata|identity|(?<!val)id)"
    "{0}token|secret{0}access{0}key|secret{0}key|api{0}key|private{0}key"
)
_PASSWORDS = "client[-_.]?secret|passw(?:or)?d|passphrase"
_COMPOUND = _TOKENS.format("[-_.]?") + "|x-amz-(?:credential|signature)"
_WORDS = _TOKENS.format("[ ]")
_EVERYDAY = f"token|signature|credentials?|authorization|secret|client[ ]secret|{_WORDS}"
_PLACE = (
    rf"(?i)(?:{_COMPOUND}|{_PASSWORDS}|authorization|cookie|access[-_.]?key[-_.]?id)$"
    r"|^(?:token|signature|credential)$"
)

# The pieces of the patterns below, for Python, JSON (escaped once or more), YAML, XML and URLs.
_QUOTE = r"""(?: \\{0,15}["'`] | \\{1,15}u002[27] | &(?:quot|apos|\#3[49]); | %(?:25){0,3}2[27] )"""
_SPACE = r"(?: \s | \\{1,15}[nrt] )"
_GAP = r"""
    (?: \s | (?: \x1b | \\{1,15}u001b )\[[\d;]{0,9}m | [\u200b-\u200f\u2060\ufeff]
      | \\{1,15}(?: [nrt] | u200[b-f] | u2060 | ufeff ) )*"""
_SEPARATOR = rf"""
    (?: {_QUOTE}{{0,3}} [\])]? {_GAP}
        (?: :=|=>|->|[:=|\uff1a]|%(?:25){{0,3}}3[ad]|\\{{1,15}}u003[ad] )
        {_SPACE}* (?:[>|][-+]?{_SPACE}+)?
      | {_QUOTE}{{1,3}} \s* , \s* (?: {_QUOTE} value {_QUOTE} \s* [:,=] \s* )?
      | (?: </\w{{1,20}}> \s* <\w{{1,20}} )? > (?:<!\[CDATA\[)? \s*
      | &gt; )
    (?: (?P<list>\[) | [({{] )? (?: [bu](?={_QUOTE}) )?"""
_OPENED = rf"""(?P<quote> (?: \\{{0,15}}["'`] ){{2,3}}(?=[\w*+/]) | {_QUOTE} )?"""
# To the end of a text, of texts that Python joins, or of a list.
_CLOSED = r"(?: (?! (?<!\\)(?P=quote) ). )*"
_UNTIL_CLOSED = rf"""
    {_CLOSED} (?: (?P=quote) {_SPACE}* (?(list) (?:,{_SPACE}*)? ) [bu]? (?P=quote) {_CLOSED} )*"""
# Long and with a digit: no word of a sentence, no part of an ARN, no date.
_SECRETIVE = r"(?= [\w+/.~%-]{0,63} \d ) [\w+/.~%-]{20,} ={0,2}"
# The next lines belong to a token if they are nothing but letters of one.
_WRAPPED = rf"""
    (?: (?: \\?\r?\n | (?: \\{{1,15}}r )? \\{{1,15}}n | (?<=\\n) ) [ \t]*
        (?: [\w+/=%-]{{4,}} (?= [ \t\r]* (?: $ | ["'}}\])<\\] ) ) | {_SECRETIVE} ) )*"""
_UNQUOTED = rf"""[^\s,;&"'<>]+ {_WRAPPED}"""
_SENTENCE = r"(?<= :[ ] ) (?-i: [A-Za-z]?[a-z']{1,15} ) (?: [\s.,;!] | $ )"
_SCHEME = (
    r"(?: bearer|basic|digest|negotiate|ntlm|token|oauth|apikey|aws(?:4-[\w-]+)? ) (?: \s|%20|\+ )+"
)
_PARAMETER = r"""(?: [\w-]+=\\{0,15}"[^"]*" | [^\s,"'<>]+ )"""
_HOST_AND_PORT = r"[\w.-]{1,255}:\d"
_USER = r"""(?!arn:|mailto:)[^\s:/?#@"'=()<>\[\],;]{1,64}:(?!\\?/\\?/)"""

# Words and patterns: a text with none of the words in it has nothing for the pattern. A pattern
# takes time in proportion to the length of the text, and its group ``kept`` stays.
_RULES = (
    # Whole values of headers, whatever their parts are.
    (
        ("authorization",),
        rf"""(?P<kept> authorization {_SEPARATOR} {_OPENED} )
        (?(quote) {_UNTIL_CLOSED} | {_SCHEME} {_PARAMETER} {_WRAPPED} (?: ,\s* {_PARAMETER} )* )""",
    ),
    (
        ("cookie",),
        rf"""(?P<kept> cookie {_SEPARATOR} {_OPENED} )
        (?(quote) {_UNTIL_CLOSED} | [^\s,;"'<>=]+=[^\s,;"'<>]* (?: ;[ ]? [^\s,;"'<>]+ )* )""",
    ),
    # Values under the names of secrets.
    (
        ("passw", "passphrase", "secret"),
        rf"""(?P<kept> (?: {_PASSWORDS} ) {_SEPARATOR} {_OPENED} )
        (?(quote) {_UNTIL_CLOSED} | {_UNQUOTED} )""",
    ),
    (
        ("token", "key", "x-amz-"),
        rf"""(?=[abimprsx])(?P<kept> (?: {_COMPOUND} ) {_SEPARATOR} {_OPENED} )
        (?(quote) {_UNTIL_CLOSED} | (?! {_SENTENCE} ) {_UNQUOTED} )""",
    ),
    (
        ("token", "key", "secret", "signature", "credential", "authorization"),
        rf"""(?=[abcimprstx])(?P<kept>
            (?: (?<![a-z])(?: {_EVERYDAY} ) {_SEPARATOR}
              | (?: {_COMPOUND} | {_WORDS} | signature ) [ \t]+ (?: (?:is|was)[ ] )? )
            {_OPENED} ) {_SECRETIVE} {_WRAPPED}""",
    ),
    (("bearer", "basic"), rf"(?P<kept> \b(?:bearer|basic) [ ]+ ) {_SECRETIVE} {_WRAPPED}"),
    # What has a form of its own: key IDs (with the signature of old), session tokens, JWTs, PEM.
    (
        ("akia", "asia"),
        r"""(?P<kept> (?: (?<![A-Z0-9]) | (?<=%[0-9A-F][0-9A-F]) ) (?<!stream/) )
        (?-i: A[KS]IA[A-Z0-9]{16} (?![A-Z0-9]) ) (?: :[\w+/]{20,}={0,2} )?""",
    ),
    (
        ("iqojb3jpz2lu", "ogzxivyxdz", "aqodyxdz"),
        rf"""(?P<kept> (?<![a-z0-9]) ) (?-i: IQoJb3JpZ2lu | F[wQ]oGZXIvYXdz | AQoDYXdz )
        [\w+/=%-]{{20,}} {_WRAPPED}""",
    ),
    (
        ("eyj",),
        rf"""(?P<kept> \b ) (?-i:eyJ)[\w-]{{10,2000}} \. [\w-]{{10,}} (?: \.[\w-]* )? {_WRAPPED}""",
    ),
    (("private key-----",), r"(?P<kept> -----BEGIN[ ][A-Z ]{0,30}PRIVATE[ ]KEY----- ) [^-]+"),
    # The user info of a URL: as it should be; with a slash or the like in a password that is no
    # port; with one that is, if another port follows; in a form that nobody can connect to.
    (
        ("@",),
        rf"""(?P<kept> :(?:\\?/){{2}} )
        (?: [^\s/?#]* (?= @ (?: [\w-]{{1,255}}\. | {_HOST_AND_PORT} | localhost | \[ ) )
          | [^\s/?#:@\[]{{0,64}} :
            (?: (?! \d{{0,5}} (?: [\s/?#"'>)\],] | $ ) )
                (?: \S{{1,128}} | [^@\n]{{1,64}} ) (?=@[\w\[])
              | \S{{1,128}} (?=@{_HOST_AND_PORT}) )
          | [^\s/?#]* (?=@) )""",
    ),
    # The same without a scheme: before a host with a port, or where a URL is expected.
    (
        ("@",),
        rf"""(?P<kept> (?<![^\s"'=(<\[,;|]) ) {_USER}
        (?: (?: [^\s"'<>]{{1,128}} | \S[^@\n]{{0,64}} ) (?=@{_HOST_AND_PORT})
          | [^\s"'<>@/?#]{{0,64}}[/?#][^\s"'<>]{{0,128}} (?=@[\w\[]) )""",
    ),
    (
        ("@",),
        rf"""(?P<kept> (?: endpoint | prox(?:y|ies) | url | https? ) [^\w/]{{1,6}} ) {_USER}
        [^\s"'<>]{{1,256}} (?=@[\w\[])""",
    ),
    (("%40",), r"(?P<kept> %3A%2F%2F ) [^\s/?#&%]{0,64} %3A [^\s/?#&]{1,128} (?=%40)"),
)


@cache
def _rules() -> list[tuple[tuple[str, ...], Callable[[str, str], str]]]:
    """Compile the patterns when the first error needs them, and not at import."""
    return [(words, re.compile(f"(?ixsm){text}").sub) for words, text in _RULES]


@cache
def _any_word() -> Callable[[str], object]:
    """Compile a search for any word of any rule, which most texts do not have."""
    words = {re.escape(word) for words, _ in _RULES for word in words}
    return re.compile("|".join(sorted(words))).search


def redact(text: str) -> str:
    """Return ``text`` with each secret replaced by ``***``.

    Recognized are values under names of secrets, in the notations of headers, JSON, XML, YAML,
    Python and URLs; user info of URLs; and access key IDs, session tokens, JWTs and private keys
    of usual form. A bare secret without a name beside it cannot be recognized.
    """
    lowered = text.lower()
    if not _any_word()(lowered):
        return text
    for words, replace in _rules():
        if any(word in lowered for word in words):
            text = replace(rf"\g<kept>{_HIDDEN}", text)
    return text


def printable(text: str, limit: int | None = None) -> str:
    """Return ``text`` on one line of at most ``limit`` characters, redacted and escaped.

    For every text that comes from outside: from AWS, from boto, or from a user's settings.

    Args:
        text: A text of any length; no more of it is read than can be shown.
        limit: The number of characters to keep, ``TEXT_LIMIT`` by default.
    """
    limit = TEXT_LIMIT if limit is None else limit
    return escape(_redacted_start(text, limit), limit)


def _redacted_start(text: str, limit: int) -> str:
    """Redact the first ``limit`` characters of a text, and no more than what a cut needs."""
    end = limit + 2 * _MARGIN
    if len(text) <= end:
        return redact(str.__str__(text))
    start = redact(text[:end])
    # What stands before the last secret found was read to its end.
    return start[: max(len(start) - _MARGIN, start.rfind(_HIDDEN) + len(_HIDDEN))] + "…"


def escape(text: str, limit: int | None = None) -> str:
    """Return ``text`` on one line of at most ``limit`` characters, escaped but not redacted.

    For a text that is known to be the valid name or ARN of a stream, which can look like a key ID
    and has to stay as it is. Use ``printable`` for everything else.
    """
    limit = TEXT_LIMIT if limit is None else limit
    text = text[: limit + 1]
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def shown(value: object, *, redacted: bool = True) -> str:
    """Return a value as a person should see it in an error: quoted, escaped, cut, without secrets.

    Of anything but text and numbers only the type is shown: the ``repr`` of a foreign object can be
    long, raise, or hold a secret. ``redacted=False`` is for what ``escape`` is for.
    """
    if isinstance(value, str):
        text = _redacted_start(value, VALUE_LIMIT) if redacted else str.__str__(value)
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


def to_count(value: object) -> int | None:
    """Return a count or a status of a reply as a plain ``int``; ``None`` if it is neither."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _COUNTS_END:
        return None
    return int.__pos__(value)


def clean(value: object) -> Any:
    """Copy boto's reply as plain dicts, lists, texts and numbers, with its secrets redacted.

    The value under the name of a secret becomes ``***``; every other text is made printable. The
    first ``ITEMS_LIMIT`` items of a list or mapping are kept, ``TOTAL_ITEMS_LIMIT`` in all, to a
    depth of ``DEPTH_LIMIT``, and ``TEXT_LIMIT`` characters of a text, ``TOTAL_TEXT_LIMIT`` in all;
    ``…`` stands for the rest.
    """
    return _Copy().of(value, DEPTH_LIMIT)


def is_harmless(value: object) -> bool:
    """Tell whether ``clean`` keeps all of a value, so that no secret can be recognized in it."""
    copy = _Copy()
    copy.of(value, DEPTH_LIMIT)
    return copy.is_whole


class _Copy:
    """One copy of a reply, what room is left for it, and whether it holds all of the reply."""

    def __init__(self) -> None:
        self._items = TOTAL_ITEMS_LIMIT
        self._characters = TOTAL_TEXT_LIMIT
        self.is_whole = True

    def of(self, value: object, depth: int) -> Any:
        if isinstance(value, (str, bytes, bytearray)):
            return self._text(value)
        if is_mapping(value):
            return self._mapping(value, depth - 1) if depth else self._rest()
        if isinstance(value, (list, tuple, set, frozenset)):
            return self._list(value, depth - 1) if depth else self._rest()
        if isinstance(value, int) and type(value) is not bool:
            return int.__pos__(value)  # an enum of some module need not pickle
        return value if value is None or isinstance(value, (bool, float, date)) else shown(value)

    def _text(self, value: str | bytes | bytearray) -> str:
        if self._characters <= 0:
            return self._rest()
        limit = min(TEXT_LIMIT, self._characters)
        text = _decoded(value)
        start = _redacted_start(text, limit)
        self.is_whole = self.is_whole and start == text and len(text) <= limit
        self._characters -= min(len(value), TEXT_LIMIT)
        return escape(start, limit)

    def _rest(self, stands_for: str = "…") -> str:
        self.is_whole = False
        return stands_for

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        is_pair = any(_is_place(value.get(key)) for key in ("Name", "name", "Key", "key"))
        for key, item in self._first(value.items()):
            name = self.of(key, 0) if isinstance(key, (str, bytes, int, float)) else shown(key)
            secret = _is_place(key) or (is_pair and key in {"Value", "value"})
            hidden = secret and item is not None
            result[name] = self._rest(_HIDDEN) if hidden else self.of(item, depth)
        if len(result) < len(value):
            result["…"] = self._rest()
        return result

    def _list(self, value: Any, depth: int) -> list[Any]:
        result = [self.of(item, depth) for item in self._first(value)]
        match value:
            case [name, _] if _is_place(name):
                return [*result[:1], self._rest(_HIDDEN)]
            case _:
                return result if len(result) == len(value) else [*result, self._rest()]

    def _first(self, items: Iterable[Any]) -> list[Any]:
        kept = list(islice(items, min(ITEMS_LIMIT, self._items)))
        self._items -= len(kept)
        return kept


def _is_place(name: object) -> bool:
    """Tell whether the value under this name is a secret whatever it looks like."""
    return isinstance(name, (str, bytes)) and bool(re.search(_PLACE, _decoded(name)[:VALUE_LIMIT]))


def _decoded(text: str | bytes | bytearray) -> str:
    if isinstance(text, str):
        return text
    # A character takes four bytes at most.
    return text[: 4 * (TEXT_LIMIT + 2 * _MARGIN + 1)].decode("utf-8", "backslashreplace")
