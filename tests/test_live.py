"""The run on AWS, on the test kit instead: no fact differs, and nothing is left behind."""

import pytest
from botocore.config import Config
from live import FACTS, Run, judge

from kvs_streams.testing import MockKvs

pytestmark = pytest.mark.slow
# The kit has no ``date`` header of its own, and exceeds no quota unless it is told to.
UNTOLD = {"one-clock", "throttle"}


def test_facts_hold_on_the_kit(kvs_mock: MockKvs) -> None:
    """Each fact holds on the kit, which is built on the same facts."""
    import boto3

    boto = boto3.client("kinesisvideo", config=Config(parameter_validation=False))
    kvs_mock.hold_deleting(3)
    run = Run(boto, sleep=kvs_mock.advance)
    outcomes = {fact.id: judge(fact, run) for fact in FACTS}
    assert {name: seen for name, (holds, seen) in outcomes.items() if holds is False} == {}
    assert {name for name, (holds, _) in outcomes.items() if holds is None} <= UNTOLD
    assert run.delete_all() == []


def test_a_fact_that_differs_is_told(kvs_mock: MockKvs) -> None:
    """A service that answers something else is noticed."""
    import boto3

    boto = boto3.client("kinesisvideo", config=Config(parameter_validation=False))
    kvs_mock.fail_next("AccountStreamLimitExceededException")
    (fact,) = (fact for fact in FACTS if fact.id == "accepts-media-list")
    holds, seen = judge(fact, Run(boto, sleep=kvs_mock.advance))
    assert (holds, "AccountStreamLimitExceededException" in str(seen)) == (False, True)
