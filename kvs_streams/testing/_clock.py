"""The kit's clock and rate limit: in whole nanoseconds, the same on every machine."""

import asyncio
import math
import threading
import time
from bisect import bisect_right
from contextvars import ContextVar

NS_PER_SECOND = 1_000_000_000


# Each thread and each asyncio task has its own time: its clock, and how long it has slept.
_timeline: ContextVar["tuple[VirtualClock, int] | None"] = ContextVar("_timeline", default=None)


class VirtualClock:
    """A clock that only sleeping advances: no test waits, and every run is the same.

    Only the time of the sleeping thread or task advances, so a hundred tasks that wait at the same
    time take no longer than one. All times are whole nanoseconds: with floats, rounding errors
    would depend on the time of day.
    """

    def __init__(self) -> None:
        """Start at the real time of day, in whole seconds."""
        self._lock = threading.Lock()
        self._epoch = int(time.time()) * NS_PER_SECOND
        self._advanced = 0
        self._latest = 0
        # Tasks that this thread makes start here, however late they are scheduled.
        self._move_to(0)

    @property
    def elapsed(self) -> float:
        """Seconds since the kit started, for the thread or task that has slept longest."""
        return (self._advanced + self._latest) / NS_PER_SECOND

    def _move_to(self, slept: int) -> None:
        _timeline.set((self, slept))

    def _slept(self) -> int:
        timeline = _timeline.get()
        if timeline is None or timeline[0] is not self:
            # A thread that starts late starts at the latest time.
            self._move_to(self._latest)
            return self._latest
        return timeline[1]

    def start(self) -> int:
        """Move this thread or task to the latest time, since its operation begins now; return it.

        A task that really waited, for a semaphore or for an earlier round of tasks to end, would
        otherwise start in the past.
        """
        self._move_to(self._latest)
        return self.now()

    def now(self) -> int:
        """Return the time of a monotonic clock, which does not depend on the uptime."""
        return 1_000 * NS_PER_SECOND + self._advanced + self._slept()

    def epoch(self) -> int:
        """Return the time on the service's clock, since 1970."""
        return self._epoch + self._advanced + self._slept()

    def sleep(self, ns: int) -> None:
        """Advance the time of this thread or task at once."""
        slept = self._slept() + ns
        self._move_to(slept)
        with self._lock:
            self._latest = max(self._latest, slept)

    async def sleep_async(self, ns: int) -> None:
        """Advance the time of this task at once, and let other tasks run."""
        self.sleep(ns)
        await asyncio.sleep(0)

    def wait(self, event: threading.Event, ns: float, *, busy: bool) -> None:
        """Block this thread while calls are in flight, which takes no time, or advance its time."""
        if busy or event.is_set():
            event.wait()
        else:
            self.sleep(int(ns))

    async def wait_async(self, event: asyncio.Event, ns: float, *, busy: bool) -> None:
        """Suspend this task while calls are in flight, which takes no time, or advance its time."""
        if busy or event.is_set() or ns == math.inf:
            await event.wait()
        else:
            await self.sleep_async(int(ns))

    def advance(self, ns: int) -> None:
        """Advance the time of every thread and task."""
        with self._lock:
            self._advanced += ns

    def random(self) -> float:
        """Return 0.5, so that every run of a test has the same jitter."""
        return 0.5


class RateLimit:
    """Creates per second in a sliding window, also for requests that arrive out of order."""

    def __init__(self) -> None:
        self._accepted: list[int] = []

    def accept(self, now: int, rate: int) -> int | None:
        """Return the time at which a request is accepted; ``None`` if it is throttled.

        Threads and tasks have times of their own, so a request can arrive after others with later
        times. If its own second is full, it may be accepted at the latest time.
        """
        latest = max([now, *self._accepted[-1:]])
        if self._fits(now, rate):
            return now
        return latest if self._fits(latest, rate) else None

    def _fits(self, now: int, rate: int) -> bool:
        """Add a time, unless some window of one second would then hold more than ``rate``."""
        accepted = self._accepted
        place = bisect_right(accepted, now)
        accepted.insert(place, now)
        # Every run of rate + 1 requests that includes this one.
        for first in range(max(0, place - rate), min(place, len(accepted) - 1 - rate) + 1):
            if accepted[first + rate] - accepted[first] < NS_PER_SECOND:
                del accepted[place]
                return False
        return True
