"""The outcome as a table for the screen and as Markdown to hand on, without what is private."""

import platform
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten, wrap

from kvs_streams._text import printable

from .fact import Basis, Fact, Result, Verdict

_WIDEST, _SCREEN = 300, 100
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "tested.md"
_BEGIN, _END = "<!-- claims: begin -->", "<!-- claims: end -->"
_PACKAGES = ("kvs_streams", "boto3", "botocore")
# The parts of an ARN but the account and what belongs to it; "..." stands for those.
_ARN = re.compile(r"arn:([a-z0-9-]*):([a-z0-9-]*):([a-z0-9-]*):[^\s:]*:([a-z-]*)[^\s'\"|,;)]*")
_ACCOUNT = re.compile(r"(?<![0-9])[0-9]{4}-?[0-9]{4}-?[0-9]{4}(?![0-9])")
_KEY = re.compile(r"\b(?:A3T[A-Z0-9]|AB[AI]A|A[A-Z]{2}A)[A-Z0-9]{12,}\b")
_PUBLIC = re.compile(r"arn:[a-z-]*:kms:[a-z0-9-]*:[0-9]*:alias/aws/kinesisvideo")


def _shortened(arn: re.Match[str]) -> str:
    partition, service, region, kind = arn.groups()
    end = "alias/aws/kinesisvideo" if _PUBLIC.fullmatch(arn[0]) else f"{kind}/..."
    return f"arn:{partition}:{service}:{region}:...:{end}"


def without_private(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without account ids, whole ARNs and credentials.

    Args:
        text: Any text, such as a message of the service.
        secrets: Texts that must not appear, such as the caller's credentials.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    text = _ARN.sub(_shortened, text)
    text = _KEY.sub("***", _ACCOUNT.sub("<account>", text))
    return printable(text, _WIDEST)


def counts(results: Iterable[Result]) -> str:
    """Return how often each verdict was given."""
    numbers = Counter(result.outcome.verdict for result in results)
    return ", ".join(f"{numbers[verdict]} {verdict.value}" for verdict in Verdict)


def screen(results: Sequence[Result], secrets: Iterable[str] = ()) -> str:
    """Return the outcome as a table for the screen."""
    secrets = list(secrets)
    widths = (
        max(len(verdict.value) for verdict in Verdict),
        max((len(result.fact.id) for result in results), default=0),
    )
    lines = []
    for fact, (verdict, seen) in results:
        text = shorten(without_private(seen, secrets), _SCREEN, placeholder=" ...")
        lines.append(f"{verdict.value:{widths[0]}}  {fact.id:{widths[1]}}  {text}")
        if verdict is Verdict.DIFFERS:
            lines += wrap(fact.sentence, 90, initial_indent="    ", subsequent_indent="    ")
    return "\n".join([*lines, "", counts(results)])


def _cell(text: str) -> str:
    """Return a text that Markdown shows as it is, within a cell of a table."""
    return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(text.split()))


def _row(*cells: str) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(*head), f"|{'---|' * len(head)}", *(_row(*row) for row in rows)]


def markdown(
    results: Sequence[Result],
    *,
    region: str,
    date: str,
    is_aws: bool,
    notes: Iterable[str] = (),
    secrets: Iterable[str] = (),
) -> str:
    """Return the outcome as Markdown, to be attached to an issue."""
    secrets = list(secrets)
    versions = [f"{name} {version(name)}" for name in _PACKAGES]
    where = "AWS" if is_aws else "another endpoint, not AWS"
    about = [
        f"- Service: {where}, region {_cell(without_private(region, secrets))}",
        f"- Date: {date}",
        f"- Versions: {', '.join(versions)}, Python {platform.python_version()}",
        f"- Outcome: {counts(results)}",
        *(f"- {_cell(without_private(note, secrets))}" for note in notes),
    ]
    rows = [
        (fact.id, fact.sentence, fact.basis.value, verdict.value, without_private(seen, secrets))
        for fact, (verdict, seen) in results
    ]
    head = ("Fact", "What kvs_streams believes", "Rests on", "Outcome", "Seen")
    title = "# What Kinesis Video Streams does, and what kvs_streams believes"
    return "\n".join([title, "", *about, "", *_table(head, rows), ""])


def claims(facts: Iterable[Fact]) -> str:
    """Return which claims rest on what, as the table of docs/explanation/tested.md."""
    order = list(Basis)
    rows = [
        (fact.sentence, fact.basis.value, shorten(fact.source, _WIDEST), f"`{fact.id}`")
        for fact in sorted(facts, key=lambda fact: order.index(fact.basis))
    ]
    head = ("Claim", "Rests on", "Where", "Check")
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for sentence, basis, source, ident in rows:
        lines.append(f"| {_cell(sentence)} | {basis} | {_cell(source)} | {ident} |")
    return "\n".join(lines)


def with_claims(page: str, table: str) -> str:
    """Return a page with a table in its place between the two marks."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"the page lacks {_BEGIN} or {_END}")
    return f"{before}{begin}\n\n{table}\n\n{end}{after}"
