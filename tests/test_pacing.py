"""The pace alone, and in simulated time against many kinds of quota."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings, strategies as st
from support.quotas import (
    MILLISECOND,
    SECOND,
    Bucket,
    Fleet,
    Neighbour,
    Outage,
    Quota,
    SlidingSecond,
    WallClockSecond,
    pace_samples,
    simulate,
)

from kvs_streams._pacing import Pace

SEEDS = range(3)
# 1 % of the requests are answered with a 500 and 0.5 % of the replies are lost: botocore retries.
FAULTS = 15


def seconds(first: float, second: float) -> tuple[int, int]:
    """Return two times in nanoseconds."""
    return round(first * SECOND), round(second * SECOND)


class Case(NamedTuple):
    """A quota, a fleet, and what it must reach.

    Args:
        quota: Makes the quota.
        calls: How many calls must be accepted.
        share: The least share of the quota that is used, in percent.
        throttled: The largest share of the fleet's calls that is throttled, in tenths of a percent.
        rate: Where the pace starts.
        ends: The lowest and the highest rate at the end.
        neighbour: The rate of a neighbour.
        fleet: More arguments of the fleet.
    """

    quota: Callable[[], Quota]
    calls: int
    share: int
    throttled: int
    rate: float = 50.0
    ends: tuple[float, float] = (45.0, 55.0)
    neighbour: int = 0
    fleet: Mapping[str, Any] = MappingProxyType({})


CASES = {
    "plain": Case(lambda: Bucket(50, 50), 2000, 98, 20, fleet={"faults": FAULTS}),
    "burst of 10": Case(lambda: Bucket(50, 10), 2000, 99, 10),
    "burst of 2": Case(lambda: Bucket(50, 2), 2000, 99, 10),
    # The network delays one call by up to 2 ms more than the next, and a bucket that holds a single
    # token forgives none of it.
    "burst of 1": Case(lambda: Bucket(50, 1), 2000, 88, 12, ends=(40.0, 52.0)),
    "wall-clock second": Case(lambda: WallClockSecond(50), 2000, 98, 10),
    "sliding second": Case(lambda: SlidingSecond(50), 2000, 97, 10),
    "5, right start": Case(lambda: Bucket(5, 5), 500, 99, 15, rate=5.0, ends=(4.5, 5.5)),
    "200, right start": Case(
        lambda: Bucket(200, 200),
        4000,
        95,
        20,
        rate=200.0,
        ends=(180.0, 230.0),
        fleet={"faults": FAULTS},
    ),
    # A wrong start costs about 32 throttled calls for each factor of e, once.
    "5, start at 50": Case(lambda: Bucket(5, 5), 1000, 99, 85, ends=(4.5, 5.5)),
    "5 a wall-clock second, start at 50": Case(
        lambda: WallClockSecond(5), 1000, 97, 85, ends=(4.5, 5.5)
    ),
    "50, start at 200": Case(lambda: Bucket(50, 50), 2000, 99, 32, rate=200.0),
    "50 a wall-clock second, start at 200": Case(
        lambda: WallClockSecond(50), 4000, 93, 40, rate=200.0
    ),
    "200, start at 50": Case(lambda: Bucket(200, 200), 8000, 80, 20, ends=(180.0, 230.0)),
    # A rate doubles within about 450 accepted calls, which takes long where it starts far too low.
    "50, start at 5": Case(lambda: Bucket(50, 50), 4000, 35, 10, rate=5.0),
    "raised": Case(lambda: Bucket(50, 50, (20 * SECOND, 100)), 4000, 90, 20, ends=(90.0, 110.0)),
    "lowered": Case(lambda: Bucket(50, 50, (20 * SECOND, 25)), 2000, 98, 30, ends=(22.0, 28.0)),
    "lowered to a tenth": Case(
        lambda: Bucket(50, 50, (20 * SECOND, 5)), 2500, 98, 45, ends=(4.5, 5.6)
    ),
    "replies of 0.5 s": Case(
        lambda: Bucket(50, 50),
        2000,
        95,
        20,
        ends=(45.0, 60.0),
        fleet={"reply": seconds(0.4, 0.6), "faults": FAULTS},
    ),
    "replies of 0.5 s, start at 200, 128 in flight": Case(
        lambda: Bucket(50, 50),
        2000,
        98,
        60,
        rate=200.0,
        fleet={"reply": seconds(0.4, 0.6), "max_in_flight": 128},
    ),
    "replies of 2.5 s, 5, start at 50": Case(
        lambda: Bucket(5, 5), 1000, 95, 100, ends=(4.5, 5.6), fleet={"reply": seconds(2, 3)}
    ),
    "neighbour": Case(
        lambda: Bucket(50, 50),
        2000,
        95,
        20,
        ends=(22.0, 28.0),
        neighbour=25,
        fleet={"faults": FAULTS},
    ),
    "neighbour, burst of 10": Case(
        lambda: Bucket(50, 10), 2000, 95, 20, ends=(22.0, 28.0), neighbour=25
    ),
    "neighbour, wall-clock second": Case(
        lambda: WallClockSecond(50), 2000, 95, 20, ends=(22.0, 28.0), neighbour=25
    ),
    "neighbour, sliding second": Case(
        lambda: SlidingSecond(50), 2000, 95, 20, ends=(22.0, 28.0), neighbour=25
    ),
    # A stall that is shorter than what is made good costs nothing.
    "stalls of 0.2 s a second": Case(
        lambda: Bucket(50, 50),
        2000,
        98,
        20,
        fleet={"pauses": [seconds(at, at + 0.2) for at in range(60)]},
    ),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", CASES)
def test_quota_is_found_and_used(name: str, seed: int) -> None:
    """A fleet uses what the quota leaves; few of its calls and of its neighbour's are throttled."""
    case = CASES[name]
    quota = case.quota()
    neighbour = Neighbour(case.neighbour) if case.neighbour else None
    fleet = Fleet(Pace(case.rate, 0), case.calls, **case.fleet)
    simulate(quota, fleet, neighbour=neighbour, seed=seed)
    end, rate, accepted, throttled = fleet.last
    left = quota.allowed(end) - case.neighbour * end
    assert 100 * accepted * SECOND >= case.share * left
    assert 1000 * throttled < case.throttled * (accepted + throttled)
    assert case.ends[0] <= rate <= case.ends[1]
    # Wherever the pace started, under 2 % are throttled once it knows the quota.
    known = fleet.samples[2 * len(fleet.samples) // 3 :]
    assert 100 * (known[-1].throttled - known[0].throttled) < 2 * len(known)
    if neighbour is not None:
        assert 100 * neighbour.throttled < 5 * neighbour.sent


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_learned_while_concurrency_is_the_bound(seed: int) -> None:
    """With replies of 2 to 3 s, 32 calls in flight are the limit, and the rate hardly changes."""
    fleet = Fleet(Pace(50.0, 0), 2000, reply=seconds(2, 3))
    simulate(Bucket(50, 50), fleet, seed=seed)
    assert fleet.last.throttled == 0
    # 32 calls in 2.5 s are 12.8 a second.
    assert 1000 * fleet.last.accepted * SECOND >= 950 * 128 * fleet.last.time // 10
    assert 50.0 <= fleet.last.rate < 51.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("later", [0, 15], ids=["together", "one later"])
def test_two_fleets_share(later: int, seed: int) -> None:
    """Two fleets use the quota together, and neither gets less than a third of it."""
    fleets = [Fleet(Pace(50.0, 0), 1500) for _ in range(2)]
    fleets[1] = Fleet(Pace(50.0, later * SECOND), 1500, start=later * SECOND)
    quota = Bucket(50, 50)
    simulate(quota, *fleets, seed=seed)
    start, end = (later + 10) * SECOND, min(fleet.last.time for fleet in fleets)
    starts = [fleet.sample_at(start) for fleet in fleets]
    ends = [fleet.sample_at(end) for fleet in fleets]
    accepted = [last.accepted - first.accepted for first, last in zip(starts, ends, strict=True)]
    throttled = [last.throttled - first.throttled for first, last in zip(starts, ends, strict=True)]
    allowed = quota.allowed(end) - quota.allowed(start)
    assert 100 * sum(accepted) * SECOND >= 95 * allowed
    assert 3 * min(accepted) >= sum(accepted)
    assert 100 * sum(throttled) < 2 * (sum(accepted) + sum(throttled))


@pytest.mark.parametrize("seed", SEEDS)
def test_fleet_that_starts_faster_does_not_starve_another(seed: int) -> None:
    """A fleet that starts at 50/s beside one at 200/s keeps at least its fifth of the quota."""
    fleets = [Fleet(Pace(rate, 0), 1500) for rate in (50.0, 200.0)]
    simulate(Bucket(50, 50), *fleets, seed=seed)
    end = min(fleet.last.time for fleet in fleets)
    accepted = [fleet.sample_at(end).accepted for fleet in fleets]
    assert 5 * min(accepted) >= sum(accepted)


@pytest.mark.parametrize("rate", [50, 200])
def test_pause_is_not_followed_by_a_burst(rate: int) -> None:
    """After 60 s without a send, no more than 0.25 s of missed sends are made good."""
    end = 65 * SECOND
    pauses = [(5 * SECOND, end)]
    fleet = Fleet(Pace(float(rate), 0), 20 * rate, max_in_flight=1000, pauses=pauses)
    simulate(Bucket(rate, rate), fleet)
    before = fleet.sample_at(5 * SECOND).rate
    burst = sum(end <= sent < end + 50 * MILLISECOND for sent in fleet.sends)
    assert rate // 4 <= burst <= before * (0.25 + 0.05) + 1
    assert 100 * fleet.last.throttled < 2 * fleet.calls


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("at", [0, 10])
def test_rate_returns_soon_after_an_outage(at: int, seed: int) -> None:
    """Ten seconds in which all is throttled cost under 100 calls; half the rate is back in 10 s."""
    fleet = Fleet(Pace(50.0, 0), 4000, faults=FAULTS)
    simulate(Outage(Bucket(50, 50), *seconds(at, at + 10)), fleet, seed=seed)
    start, end, soon, later = (
        fleet.sample_at(time * SECOND) for time in (at, at + 10, at + 20, at + 40)
    )
    assert end.throttled - start.throttled < 100
    assert end.rate < 5.0
    assert soon.rate > 25.0
    assert later.rate > 45.0


@settings(max_examples=12)
@given(
    quota=st.integers(5, 200),
    burst=st.integers(2, 200),
    start=st.floats(0.5, 4.0),
    seed=st.integers(0, 2**32),
)
def test_any_bucket_is_found(quota: int, burst: int, start: float, seed: int) -> None:
    """Starting at half to four times any quota, the pace ends near it, uses it, and wastes little.

    Above the quota it stays only as long as it lives on the burst: nothing is throttled until then.
    """
    fleet = Fleet(Pace(start * quota, 0), 1500)
    simulate(Bucket(quota, burst), fleet, seed=seed)
    half = next(sample for sample in fleet.samples if sample.accepted == 1000)
    accepted, time = fleet.last.accepted - half.accepted, fleet.last.time - half.time
    assert 0.9 * quota <= fleet.last.rate <= 1.5 * quota + burst
    assert 100 * accepted * SECOND >= 95 * quota * time
    assert 100 * fleet.last.throttled <= 8 * fleet.calls


@given(
    rate=st.floats(min_value=5e-324, max_value=1e308),
    learn=st.booleans(),
    steps=st.lists(
        st.tuples(
            st.integers(0, 100 * SECOND),
            st.integers(0, 3),
            st.sampled_from([True, False, None]),
            st.integers(0, 4),
        ),
        max_size=200,
    ),
)
def test_any_sequence_of_reports(
    rate: float, learn: bool, steps: list[tuple[int, int, bool | None, int]]
) -> None:
    """Whatever is reported in whatever order, delay and rate stay in their bounds, and repeat."""

    def run() -> list[tuple[int, float]]:
        pace, now, in_flight, spent = Pace(rate, 0, learn=learn), 0, list[float](), 1
        seen = []
        for passed, choice, throttled, retries in steps:
            now += passed
            if not pace.delay(now):
                in_flight.append(pace.sent(now))
            if in_flight and choice:
                ticket = in_flight.pop(choice % len(in_flight))
                pace.answered(ticket, 0, throttled=throttled, retries=retries)
                spent += retries
            delay = pace.delay(now)
            longest = min(max(1 / rate, 1.0), 3600.0) * SECOND
            assert 0 <= delay <= spent * longest
            assert min(rate, 1.0) <= pace.rate <= max(rate, 10_000.0)
            assert pace.delay(now + delay) == 0
            seen.append((delay, pace.rate))
        return seen

    assert run() == run()


@pytest.mark.parametrize("rate", [0.5, 3.0, 50.0, 20_000.0])
def test_rate_has_bounds(rate: float) -> None:
    """The rate stays between 1 and 10,000 a second, or on this side of where it started."""
    pace = Pace(rate, 0)
    for _ in range(10_000):
        pace.answered(pace.sent(0), 0, throttled=False)
    assert pace.rate == max(rate, 10_000.0)
    for _ in range(1000):
        pace.answered(pace.sent(0), 0, throttled=True)
    assert pace.rate == min(rate, 1.0)


def test_first_call_is_sent_at_once_and_the_next_after_an_interval() -> None:
    """A pace has no burst of its own."""
    pace = Pace(50.0, 7)
    assert pace.delay(7) == 0
    pace.sent(7)
    assert pace.delay(7) == 20 * MILLISECOND
    assert pace.delay(7 + 15 * MILLISECOND) == 5 * MILLISECOND
    assert pace.delay(7 + 21 * MILLISECOND) == 0


def test_answers_change_the_rate() -> None:
    """A throttled call lowers the mean by 1/32; an accepted one adds its own rate."""
    pace = Pace(64.0, 0)
    first, second = pace.sent(0), pace.sent(0)
    pace.answered(first, 0, throttled=True)
    assert math.isclose(pace.rate, 62.0 * 1.003)
    pace.answered(second, 0, throttled=False)
    assert math.isclose(pace.rate, (62.0 + 2.0 / 32) * 1.003_06)


def test_calls_that_are_held_back_prove_no_higher_rate() -> None:
    """Once a call is 0.25 s late, accepted calls raise nothing until sending has caught up."""
    pace, now = Pace(50.0, 0), SECOND // 4
    tickets = []
    while not pace.delay(now):
        tickets.append(pace.sent(now))
    assert len(tickets) == 13
    for ticket in tickets[:-1]:
        pace.answered(ticket, 0, throttled=False)
        assert pace.rate == 50.0 * 1.003
    pace.answered(tickets[-1], 0, throttled=False)
    assert pace.rate > 50.0 * 1.003


def test_retries_of_botocore_are_charged() -> None:
    """Each request that botocore sends on its own delays the next call by an interval."""
    pace = Pace(50.0, 0)
    pace.answered(pace.sent(0), 0, throttled=None, retries=2)
    assert pace.delay(0) == 60 * MILLISECOND


def test_no_answer_teaches_nothing() -> None:
    """A call that the service did not answer leaves the rate as it is."""
    pace = Pace(50.0, 0)
    pace.answered(pace.sent(0), 0, throttled=None)
    assert (pace.rate, pace.delay(0)) == (50.0, 20 * MILLISECOND)


@pytest.mark.parametrize("throttled", [True, False])
def test_fixed_rate(throttled: bool) -> None:
    """Without learning the rate stays, retries are charged, and missed sends are made good."""
    pace = Pace(15.0, 0, learn=False)
    for now in range(0, 10 * SECOND, SECOND):
        pace.answered(pace.sent(now), now, throttled=throttled, retries=1)
    assert pace.rate == 15.0
    assert pace.delay(9 * SECOND) == 0


def test_samples_for_a_plot() -> None:
    """The samples of a run begin with the start and end with every call accepted."""
    samples = pace_samples(Bucket(50, 50), 1000, neighbour=25, seed=1)
    assert samples[0] == (0, 50.0, 0, 0)
    assert samples[-1].accepted == 1000
    assert [sample.time for sample in samples] == sorted(sample.time for sample in samples)
    assert len(samples) == 1 + samples[-1].accepted + samples[-1].throttled
