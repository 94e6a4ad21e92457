"""Fleets of calls against quotas in simulated time, to see how a pace behaves.

Times are integer nanoseconds unless they are called seconds. Random numbers come from a seed and
nothing waits: equal arguments give equal runs on every machine.
"""

import heapq
import random
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from kvs_streams._pacing import Pace, Ticket

MILLISECOND = 1_000_000
SECOND = 1_000_000_000

Process = Iterator[int]
"""Does something, yields for how long it pauses, and goes on."""


class Bucket:
    """A token bucket, full at the start. ``changes`` are seconds and the rates from then on."""

    def __init__(self, rate: int, burst: int = 0, *changes: tuple[int, int]) -> None:
        self.rate, self.changes = rate, list(changes)
        self.burst = self.tokens = (burst or rate) * SECOND
        self.filled = 0

    def admits(self, now: int) -> bool:
        """Count a call that arrives now; tell whether it is within the quota."""
        while self.changes and self.changes[0][0] * SECOND <= now:
            second, rate = self.changes.pop(0)
            self._fill(second * SECOND)
            self.rate = rate
        self._fill(now)
        admitted = self.tokens >= SECOND
        self.tokens -= admitted * SECOND
        return admitted

    def _fill(self, now: int) -> None:
        self.tokens = min(self.burst, self.tokens + self.rate * (now - self.filled))
        self.filled = now


class Window:
    """So many calls in each second of the wall clock."""

    def __init__(self, rate: int) -> None:
        self.rate, self.second, self.calls = rate, 0, 0

    def admits(self, now: int) -> bool:
        """Count a call that arrives now; tell whether it is within the quota."""
        if now // SECOND != self.second:
            self.second, self.calls = now // SECOND, 0
        self.calls += 1
        return self.calls <= self.rate


Quota = Bucket | Window
"""Decides which calls are throttled."""


class Simulation:
    """Runs processes against one quota. The bounds of the tests hold for each seed from 0 to 99."""

    def __init__(self, quota: Quota, *, seed: int = 0) -> None:
        self.quota, self.random, self.now = quota, random.Random(seed), 0
        self._events: list[tuple[int, int, Process]] = []
        self._order = count()

    def start(self, process: Process, after: int = 0) -> None:
        heapq.heappush(self._events, (self.now + after, next(self._order), process))

    def run(self, seconds: int) -> None:
        """Run everything up to this second."""
        while self._events[0][0] <= seconds * SECOND:
            self.now, _, process = heapq.heappop(self._events)
            pause = next(process, None)
            if pause is not None:
                self.start(process, pause)


class Count(NamedTuple):
    """How many calls were accepted and throttled in a span of time."""

    accepted: int
    throttled: int

    @property
    def percent_throttled(self) -> float:
        return 100 * self.throttled / max(1, self.accepted + self.throttled)


class Fleet:
    """Sends calls without end as its pace allows."""

    def __init__(
        self,
        simulation: Simulation,
        rate: float,
        *,
        reply: tuple[int, int] = (20, 60),
        max_in_flight: int = 32,
    ) -> None:
        self.simulation, self.pace = simulation, Pace(rate, 0)
        self.reply, self.max_in_flight, self.in_flight = reply, max_in_flight, 0
        self.answers: list[tuple[int, bool]] = []
        simulation.start(self._send())

    def count(self, since: float, until: float) -> Count:
        """Count the answers between two seconds."""
        span = [bad for at, bad in self.answers if since * SECOND <= at < until * SECOND]
        return Count(len(span) - sum(span), sum(span))

    def _send(self) -> Process:
        while True:
            if delay := self.pace.delay(self.simulation.now):
                yield delay
            elif self.in_flight >= self.max_in_flight:
                yield MILLISECOND
            else:
                self.in_flight += 1
                self.simulation.start(self._call(self.pace.sent(self.simulation.now)))

    def _call(self, ticket: Ticket) -> Process:
        simulation = self.simulation
        there = simulation.random.randint(1 * MILLISECOND, 3 * MILLISECOND)
        yield there
        throttled = not simulation.quota.admits(simulation.now)
        shortest, longest = self.reply
        yield simulation.random.randint(shortest * MILLISECOND, longest * MILLISECOND) - there
        self.pace.answered(ticket, simulation.now, throttled=throttled)
        self.answers.append((simulation.now, throttled))
        self.in_flight -= 1


class Neighbour:
    """Sends at a fixed rate whatever the answers; each interval varies by 5 %."""

    def __init__(self, simulation: Simulation, rate: int) -> None:
        self.simulation, self.interval = simulation, SECOND // rate
        self.sent = self.throttled = 0
        simulation.start(self._send())

    def _send(self) -> Process:
        while True:
            self.sent += 1
            self.throttled += not self.simulation.quota.admits(self.simulation.now)
            yield self.interval * self.simulation.random.randint(950, 1050) // 1000
