"""The pace alone, and in simulated time against many kinds of quota."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from support.quotas import MILLISECOND, SECOND, Bucket, Fleet, Neighbour, Quota, Simulation, Window

from kvs_streams._pacing import Pace, Ticket


class Case(NamedTuple):
    """A quota, where the pace starts, and what it must reach.

    Args:
        quota: Makes the quota.
        rate: Where the pace starts.
        left: How many creates a second the quota leaves in the end.
        seconds: How long the fleet runs.
        used: The least share of what is left that is used in the last 30 s, in percent.
        throttled: The largest share of all creates that is throttled, in percent.
        neighbour: The rate of a neighbour.
        fleet: More arguments of the fleet.
    """

    quota: Callable[[], Quota]
    rate: float
    left: int
    seconds: int = 40
    used: int = 97
    throttled: float = 2.0
    neighbour: int = 0
    fleet: Any = None


LONG_REPLIES = {"reply": (400, 600), "max_in_flight": 64}
CASES = {
    "plain": Case(lambda: Bucket(50), 50, 50),
    # The network delays one call by up to 2 ms more than the next, and a bucket that holds a single
    # token forgives none of it.
    "burst of 1": Case(lambda: Bucket(50, 1), 50, 50, used=88),
    "window": Case(lambda: Window(50), 50, 50),
    "200 from 200": Case(lambda: Bucket(200), 200, 200),
    # A wrong start costs about 32 throttled calls for each factor of e, once.
    "5 from 50": Case(lambda: Bucket(5), 50, 5, 200, throttled=9),
    "50 from 200": Case(lambda: Bucket(50), 200, 50, throttled=4),
    "200 from 50": Case(lambda: Bucket(200), 50, 200, 60),
    # A rate doubles within about 450 accepted calls, which takes long where it starts far too low.
    "50 from 5": Case(lambda: Bucket(50), 5, 50, 220),
    "raised": Case(lambda: Bucket(50, 50, (20, 100)), 50, 100, 65),
    "lowered": Case(lambda: Bucket(50, 50, (20, 25)), 50, 25, 80, throttled=3),
    "replies of 0.5 s": Case(lambda: Bucket(50), 50, 50, fleet=LONG_REPLIES),
    "replies of 0.5 s, 50 from 200": Case(
        lambda: Bucket(50), 200, 50, 60, throttled=6, fleet=LONG_REPLIES
    ),
    "neighbour": Case(lambda: Bucket(50), 50, 25, 80, throttled=3.5, neighbour=25),
    "neighbour, window": Case(lambda: Window(50), 50, 25, 80, throttled=3.5, neighbour=25),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_quota_is_found_and_used(case: Case) -> None:
    """A fleet uses what the quota leaves; few of its calls and of its neighbour's are throttled."""
    simulation = Simulation(case.quota())
    fleet = Fleet(simulation, case.rate, **(case.fleet or {}))
    neighbour = Neighbour(simulation, case.neighbour) if case.neighbour else None
    simulation.run(case.seconds)
    end = fleet.count(case.seconds - 30, case.seconds)
    assert 100 * end.accepted >= case.used * 30 * case.left
    assert end.percent_throttled <= 2.5
    assert fleet.count(0, case.seconds).percent_throttled <= case.throttled
    if neighbour is not None:
        assert 100 * neighbour.throttled <= 5 * neighbour.sent


@pytest.mark.parametrize("length", [10, 72, 300])
@pytest.mark.parametrize("left", [0, 2, 10])
def test_pace_returns_from_an_outage(left: int, length: int) -> None:
    """Two minutes after an outage that left some creates a second, the pace is back."""
    end = 10 + length
    simulation = Simulation(Bucket(50, 50, (10, left), (end, 50)))
    fleet = Fleet(simulation, 50)
    simulation.run(end + 120)
    assert fleet.count(end + 110, end + 120).accepted >= 450
    if left == 0:
        assert fleet.count(end + 15, end + 25).accepted >= 450
    # The outage itself costs few calls, however long it takes.
    assert fleet.count(10, end).throttled <= 130 + length


@pytest.mark.parametrize("rate", [50, 200])
@pytest.mark.parametrize("quota", [Bucket, Window])
@pytest.mark.parametrize("left", [10, 20, 40])
def test_lower_quota_is_no_outage(left: int, quota: Callable[[int], Quota], rate: float) -> None:
    """After two minutes at a steady quota at most 2 % of the creates are throttled."""
    simulation = Simulation(quota(left))
    fleet = Fleet(simulation, rate)
    simulation.run(300)
    assert fleet.count(120, 300).percent_throttled <= 2
    assert fleet.count(120, 300).accepted >= 0.95 * left * 180
    if (left, rate) == (20, 50):
        assert fleet.count(0, 120).percent_throttled <= 5


def test_nothing_is_learned_while_concurrency_is_the_bound() -> None:
    """With replies of 2 to 3 s, 32 calls in flight are the limit, and the rate hardly changes."""
    simulation = Simulation(Bucket(50))
    fleet = Fleet(simulation, 50, reply=(2000, 3000))
    simulation.run(60)
    # 32 calls in 2.5 s are 12.8 a second.
    assert fleet.count(10, 60).accepted >= 0.95 * 12.8 * 50
    assert 50 <= fleet.pace.rate < 51


def test_pause_is_not_followed_by_a_burst() -> None:
    """After 60 s without a send, no more than 0.25 s of missed sends are made good."""
    pace, sent = Pace(200.0, 0), 0
    while not pace.delay(60 * SECOND):
        pace.sent(60 * SECOND)
        sent += 1
    assert sent == 51


@pytest.mark.parametrize("rate", [0.5, 3.0, 50.0, 20_000.0])
def test_rate_has_bounds(rate: float) -> None:
    """The rate stays between 1 and 10,000 a second, or on this side of where it started."""
    pace = Pace(rate, 0)
    for _ in range(10_000):
        pace.answered(pace.sent(0), 0, throttled=False)
    assert pace.rate == max(rate, 10_000.0)
    for _ in range(1000):
        pace.answered(pace.sent(0), 0, throttled=True)
    assert math.isclose(pace.rate, min(rate, 1.0) * 1.003)


def test_first_call_is_sent_at_once_and_the_next_after_an_interval() -> None:
    """A pace has no burst of its own."""
    pace = Pace(50.0, 7)
    assert pace.delay(7) == 0
    pace.sent(7)
    assert pace.delay(7) == 20 * MILLISECOND
    assert pace.delay(7 + 15 * MILLISECOND) == 5 * MILLISECOND
    assert pace.delay(7 + 21 * MILLISECOND) == 0


def test_answers_change_the_rate() -> None:
    """A throttled call lowers the mean by 1/32; an accepted one adds its own rate and probes."""
    pace = Pace(64.0, 0)
    first, second = pace.sent(0), pace.sent(0)
    pace.answered(first, 0, throttled=True)
    assert math.isclose(pace.rate, 62.0 * 1.003)
    pace.answered(second, 0, throttled=False)
    assert math.isclose(pace.rate, (62.0 + 2.0 / 32) * 1.003_06)
    for _ in range(1000):
        pace.answered(first, 0, throttled=False)
    assert math.isclose(pace.rate, 64.0 * 1.05)


def test_try_that_succeeds_doubles_the_mean() -> None:
    """A try at twice the mean lasts until a call is accepted that was sent 2 s after its start."""
    pace, mean = Pace(64.0, 0), 64.0 * (31 / 32) ** 23
    for _ in range(23):
        pace.answered(pace.sent(0), 0, throttled=True)
    for sent, rate in {5: 2 * mean, 6: 2 * mean, 7: 2 * mean * 1.003}.items():
        pace.answered(Ticket(0.0, sent * SECOND), sent * SECOND, throttled=False)
        assert math.isclose(pace.rate, rate)


def test_calls_that_are_held_back_prove_no_higher_rate() -> None:
    """Once a call is 0.25 s late, accepted calls raise nothing until sending has caught up."""
    pace, now = Pace(50.0, 0), SECOND // 4
    tickets = list[Ticket]()
    while not pace.delay(now):
        tickets.append(pace.sent(now))
    assert len(tickets) == 13
    for ticket in tickets[:-1]:
        pace.answered(ticket, now, throttled=False)
        assert pace.rate == 50.0 * 1.003
    pace.answered(tickets[-1], now, throttled=False)
    assert pace.rate > 50.0 * 1.003


def test_no_answer_teaches_nothing() -> None:
    """The rate stays, but each request that botocore sends on its own delays the next call."""
    pace = Pace(50.0, 0)
    pace.answered(pace.sent(0), 0, throttled=None, retries=2)
    assert (pace.rate, pace.delay(0)) == (50.0, 60 * MILLISECOND)


@pytest.mark.parametrize("throttled", [True, False])
def test_fixed_rate(throttled: bool) -> None:
    """Without learning the rate stays, retries are charged, and missed sends are made good."""
    pace = Pace(15.0, 0, learn=False)
    for now in range(0, 10 * SECOND, SECOND):
        pace.answered(pace.sent(now), now, throttled=throttled, retries=1)
    assert pace.rate == 15.0
    assert pace.delay(9 * SECOND) == 0
