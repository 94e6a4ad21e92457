"""The run on AWS, on the test kit instead: no fact differs, and nothing is left behind."""

import pytest
from botocore.config import Config
from live import Fact, Run, limits, look, row

from kvs_streams.testing import MockKvs

pytestmark = pytest.mark.slow


@pytest.fixture
def live(kvs_mock: MockKvs) -> Run:
    """A run on the kit."""
    config = Config(parameter_validation=False)
    return Run(kvs_mock.boto_client(config=config), sleep=kvs_mock.advance)


def test_facts_hold_on_the_kit(live: Run, kvs_mock: MockKvs) -> None:
    """Each fact holds on the kit, which is built on the same facts; no quota is exceeded there."""
    kvs_mock.hold_deleting(3)
    *facts, throttle = look(live)
    assert [fact for fact in facts if not fact.holds] == []
    assert (len(facts), throttle.holds) == (56, None)
    assert live.delete_all() == []


def test_a_fact_that_differs_is_told(live: Run, kvs_mock: MockKvs) -> None:
    """A service that answers something else is noticed."""
    kvs_mock.fail_next("AccountStreamLimitExceededException")
    first, *rest = limits(live)
    assert (first.holds, {fact.holds for fact in rest}) == (False, {True})
    assert "| **differs** | A DeviceName of 128" in row(first)


def test_nothing_private_is_written() -> None:
    """Account ids and keys are cut out."""
    seen = "arn:aws:iam::123456789012:user/x AKIAIOSFODNN7EXAMPLE 1598784211076 | a"
    told = row(Fact("It is.", "", None, seen))
    assert told.endswith(r"| arn:aws:iam::<account>:user/x *** 1598784211076 \| a |")
