"""The checks that run on AWS, proved on imitations: what these imitate holds, and a lie is told."""

import pytest
from live.account import Account, judge
from live.fact import Verdict
from live.facts import FACTS
from live.imitations import InProcess, Kit
from live.lies import LIES

from kvs_streams import StreamsClient
from kvs_streams.testing import mock_kvs

BY_ID = {fact.id: fact for fact in FACTS}
HAS_FLEETS = hasattr(StreamsClient, "ensure_streams")
FLEETS = {} if HAS_FLEETS else {"ensure-streams": "this version has no ensure_streams"}


def test_all_hold_in_process() -> None:
    """X."""
    account = Account(InProcess())
    got = {f.id: judge(f, account).outcome for f in FACTS}
    assert {k: v for k, v in got.items() if v.verdict is not Verdict.HELD} == FLEETS


def test_kit() -> None:
    with mock_kvs(server=True, allow_unused=True) as kvs:
        kvs.rate_limit(50)
        account = Account(Kit(kvs))
        got = {f.id: judge(f, account).outcome for f in FACTS}
        assert {k: v for k, v in got.items() if v.verdict is not Verdict.HELD} == FLEETS


@pytest.mark.parametrize("ident", LIES)
def test_a_lie(ident: str) -> None:
    outcome = judge(BY_ID[ident], Account(InProcess(LIES[ident]))).outcome
    assert outcome.verdict is Verdict.DIFFERS, outcome
