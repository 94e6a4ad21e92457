"""Checks each fact on the service; ``make live`` runs this, nothing else does."""

from operator import attrgetter

import pytest

from .account import Account, judge
from .fact import Fact, Result, Verdict
from .facts import FACTS
from .report import without_private

# Neither boto3 nor this machine's Python is under test.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.mark.parametrize("fact", FACTS, ids=attrgetter("id"))
def test_fact(fact: Fact, account: Account, results: list[Result], hidden: tuple[str, ...]) -> None:
    """The service does what the library believes; else it is told what was seen."""
    result = judge(fact, account)
    results.append(result)
    seen = without_private(result.outcome.seen, hidden)
    if result.outcome.verdict is Verdict.UNTOLD:
        pytest.skip(seen)
    if result.outcome.verdict is Verdict.DIFFERS:
        pytest.fail(f"{fact.sentence} Seen: {seen}", pytrace=False)
