"""A clock whose time passes only when somebody waits.

``use`` puts one in the place of the library's own for a test. Nothing that reads it takes real
time, and every pause is recorded.
"""

import asyncio
import math
import threading
from collections.abc import Sequence
from itertools import cycle

import pytest

SECOND = 1_000_000_000
# No test waits as long as this for what really happens: a longer wait is a deadlock.
_REAL_LIMIT = 60.0


class VirtualClock:
    """Stands in for ``kvs_streams._clock.clock``, with the same methods and meanings.

    Args:
        randoms: What ``random`` returns, in turn.
    """

    def __init__(self, *randoms: float) -> None:
        # An odd number, so that no code can take it for a multiple of anything.
        self.nanoseconds = self.origin = 1_000_003 * SECOND + 17
        self.randoms(randoms or (0.5,))
        self.pauses: list[tuple[float, float]] = []
        """When each pause began, in seconds since the start, and how long it was."""
        self._lock = threading.Lock()

    def randoms(self, values: Sequence[float]) -> None:
        """Set what ``random`` returns, in turn and then from the beginning."""
        self._randoms = cycle(values)

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return (self.nanoseconds - self.origin) / SECOND

    @property
    def sleeps(self) -> list[float]:
        """How long each pause was, in seconds."""
        return [length for _, length in self.pauses]

    def advance(self, seconds: float) -> None:
        """Let time pass in which nobody pauses, as a slow call does."""
        with self._lock:
            self.nanoseconds += round(seconds * SECOND)

    def start(self) -> int:
        """Return the time at which an operation starts."""
        return self.now()

    def now(self) -> int:
        """Return the time, in nanoseconds."""
        return self.nanoseconds

    def random(self) -> float:
        """Return the next number."""
        return next(self._randoms)

    def sleep(self, nanoseconds: float) -> None:
        """Let time pass, and record the pause."""
        assert 0 <= nanoseconds < math.inf, "a pause has an end"
        with self._lock:
            self.pauses.append((self.elapsed, nanoseconds / SECOND))
            self.nanoseconds += round(nanoseconds)

    async def sleep_async(self, nanoseconds: float) -> None:
        """Let time pass, and let other tasks run, as every sleep of asyncio does."""
        self.sleep(nanoseconds)
        await asyncio.sleep(0)

    def wait(self, event: threading.Event, nanoseconds: float, *, busy: bool) -> None:
        """Wait for calls in flight, which end by themselves; else let time pass."""
        if busy or nanoseconds == math.inf or event.is_set():
            assert event.wait(_REAL_LIMIT), "deadlock"
        else:
            self.sleep(nanoseconds)

    async def wait_async(self, event: asyncio.Event, nanoseconds: float, *, busy: bool) -> None:
        """Wait for calls in flight, which end by themselves; else let time pass."""
        await asyncio.sleep(0)
        if busy or nanoseconds == math.inf or event.is_set():
            await event.wait()
        else:
            await self.sleep_async(nanoseconds)


def use(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """Let the library read this clock until the end of the test."""
    monkeypatch.setattr("kvs_streams._clock.clock", clock)
    return clock
