"""Fleets of calls against quotas in simulated time, to see how a pace behaves.

Times are integer nanoseconds, random numbers come from a seed, and nothing waits: equal arguments
give equal runs on every machine.
"""

import heapq
import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import NamedTuple, Protocol

from kvs_streams._pacing import Pace

MILLISECOND = 1_000_000
SECOND = 1_000_000_000

# From sending a request to its arrival at the service.
WIRE = (1 * MILLISECOND, 3 * MILLISECOND)


class Quota(Protocol):
    """Decides which calls are throttled."""

    def admits(self, now: int) -> bool:
        """Count a call that arrives now; tell whether it is within the quota."""

    def allowed(self, until: int) -> int:
        """Return how many calls the rate, without the burst, allows from 0 on, times ``SECOND``."""


class Bucket:
    """A token bucket, full at the start. ``changes`` are times and the rates from then on."""

    def __init__(self, rate: int, burst: int, *changes: tuple[int, int]) -> None:
        self.rates = [(0, rate), *changes]
        self.burst = self.tokens = burst * SECOND
        self.filled = 0

    def admits(self, now: int) -> bool:
        self.tokens = min(self.burst, self.tokens + self.allowed(now) - self.allowed(self.filled))
        self.filled = now
        if self.tokens < SECOND:
            return False
        self.tokens -= SECOND
        return True

    def allowed(self, until: int) -> int:
        ends = [*(start for start, _ in self.rates[1:]), until]
        spans = zip(self.rates, ends, strict=True)
        return sum(rate * max(0, min(end, until) - start) for (start, rate), end in spans)


class WallClockSecond:
    """So many calls in each second of the wall clock."""

    def __init__(self, rate: int) -> None:
        self.rate, self.second, self.calls = rate, 0, 0

    def admits(self, now: int) -> bool:
        if now // SECOND != self.second:
            self.second, self.calls = now // SECOND, 0
        self.calls += 1
        return self.calls <= self.rate

    def allowed(self, until: int) -> int:
        return self.rate * until


class SlidingSecond:
    """So many calls in any second."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.admitted: deque[int] = deque()

    def admits(self, now: int) -> bool:
        while self.admitted and self.admitted[0] <= now - SECOND:
            self.admitted.popleft()
        if len(self.admitted) >= self.rate:
            return False
        self.admitted.append(now)
        return True

    def allowed(self, until: int) -> int:
        return self.rate * until


class Outage:
    """Another quota that throttles everything for a time."""

    def __init__(self, quota: Quota, start: int, end: int) -> None:
        self.quota, self.start, self.end = quota, start, end

    def admits(self, now: int) -> bool:
        return not self.start <= now < self.end and self.quota.admits(now)

    def allowed(self, until: int) -> int:
        outage = self.quota.allowed(min(until, self.end)) - self.quota.allowed(self.start)
        return self.quota.allowed(until) - outage


class Sample(NamedTuple):
    """The pace after an answer, and how many calls were accepted and throttled so far."""

    time: int
    rate: float
    accepted: int
    throttled: int


class Fleet:
    """Sends calls as its pace allows, and again those that were throttled.

    Args:
        pace: The pace under test.
        calls: How many calls must be accepted.
        start: When the first call is sent.
        reply: The shortest and the longest time from a request to its reply.
        faults: How many of a thousand requests within the quota fail, so that botocore retries.
        max_in_flight: How many calls may be in flight at a time.
        pauses: From when until when nothing is sent.
    """

    def __init__(
        self,
        pace: Pace,
        calls: int,
        *,
        start: int = 0,
        reply: tuple[int, int] = (20 * MILLISECOND, 60 * MILLISECOND),
        faults: int = 0,
        max_in_flight: int = 32,
        pauses: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.pace, self.calls, self.start, self.reply = pace, calls, start, reply
        self.faults, self.max_in_flight, self.pauses = faults, max_in_flight, pauses
        self.unsent, self.in_flight, self.alarm = calls, 0, -1
        self.sends: list[int] = []
        self.samples = [Sample(start, pace.rate, 0, 0)]

    @property
    def last(self) -> Sample:
        return self.samples[-1]

    def sample_at(self, time: int) -> Sample:
        """Return the last sample up to a time."""
        return next(sample for sample in reversed(self.samples) if sample.time <= time)

    def pause(self, now: int) -> int:
        """Return how much longer sending is paused."""
        return max((end - now for start, end in self.pauses if start <= now < end), default=0)


class Neighbour:
    """Sends at a fixed rate, whatever the answers; each interval is up to 5 % shorter or longer.

    With ``jitter=0`` the calls of the neighbour stay in step with the refill of a bucket.
    """

    def __init__(self, rate: int, *, jitter: int = 5) -> None:
        self.rate = rate
        longest = SECOND * jitter // (rate * 100)
        self.interval = (SECOND // rate - longest, SECOND // rate + longest)
        self.sent = self.throttled = 0


class _Simulation:
    def __init__(self, quota: Quota, seed: int) -> None:
        self.quota, self.random = quota, random.Random(seed)
        self.events: list[tuple[int, int, Callable[[int], None]]] = []
        self.order = count()

    def at(self, time: int, action: Callable[[int], None]) -> None:
        heapq.heappush(self.events, (time, next(self.order), action))

    def step(self) -> None:
        now, _, action = heapq.heappop(self.events)
        action(now)

    def visit(self, neighbour: Neighbour, now: int) -> None:
        def arrive(now: int) -> None:
            neighbour.sent += 1
            neighbour.throttled += not self.quota.admits(now)

        self.at(now + self.random.randint(*WIRE), arrive)
        interval = self.random.randint(*neighbour.interval)
        self.at(now + interval, partial(self.visit, neighbour))

    def wake(self, fleet: Fleet, now: int) -> None:
        while fleet.unsent and fleet.in_flight < fleet.max_in_flight:
            delay = max(fleet.pace.delay(now), fleet.pause(now))
            if delay:
                if fleet.alarm <= now:
                    fleet.alarm = now + delay
                    self.at(fleet.alarm, partial(self.wake, fleet))
                return
            fleet.unsent -= 1
            fleet.in_flight += 1
            fleet.sends.append(now)
            self.request(fleet, fleet.pace.sent(now), 0, now)

    def request(self, fleet: Fleet, ticket: float, retries: int, now: int) -> None:
        reply_at = now + self.random.randint(*fleet.reply)

        def arrive(now: int) -> None:
            if not self.quota.admits(now):
                self.at(reply_at, partial(self.answer, fleet, ticket, retries, 1))
            elif self.random.randrange(1000) < fleet.faults:
                # botocore backs off for a random time of up to 1 s, then 2 s, 4 s, ...
                again = reply_at + self.random.randrange(SECOND << retries)
                self.at(again, partial(self.request, fleet, ticket, retries + 1))
            else:
                self.at(reply_at, partial(self.answer, fleet, ticket, retries, 0))

        self.at(now + self.random.randint(*WIRE), arrive)

    def answer(self, fleet: Fleet, ticket: float, retries: int, throttled: int, now: int) -> None:
        fleet.pace.answered(ticket, now, throttled=bool(throttled), retries=retries)
        fleet.in_flight -= 1
        fleet.unsent += throttled
        _, _, accepted, before = fleet.last
        accepted += 1 - throttled
        fleet.samples.append(Sample(now, fleet.pace.rate, accepted, before + throttled))
        self.wake(fleet, now)


def simulate(
    quota: Quota, *fleets: Fleet, neighbour: Neighbour | None = None, seed: int = 0
) -> None:
    """Run fleets, and perhaps a neighbour, against one quota until every call is accepted."""
    simulation = _Simulation(quota, seed)
    for fleet in fleets:
        simulation.at(fleet.start, partial(simulation.wake, fleet))
    if neighbour is not None:
        simulation.at(0, partial(simulation.visit, neighbour))
    while any(fleet.last.accepted < fleet.calls for fleet in fleets):
        simulation.step()


def pace_samples(
    quota: Quota, calls: int, *, rate: float = 50.0, neighbour: int | None = None, seed: int = 0
) -> list[Sample]:
    """Return the samples of one fleet, to draw its pace over time."""
    fleet = Fleet(Pace(rate, 0), calls)
    simulate(quota, fleet, neighbour=Neighbour(neighbour) if neighbour else None, seed=seed)
    return fleet.samples
