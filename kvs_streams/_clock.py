"""Time and randomness: the one seam that tests and the test kit replace.

The library reads ``_clock.clock`` each time it is used. All times are integers, in nanoseconds, so
that their sums are exact.
"""

import asyncio
import math
import random
import threading
import time

from ._text import shown

SECOND = 1_000_000_000
# The longest single wait, in seconds: short enough for every timer in Python.
_LONGEST_WAIT = 86_400.0


class SystemClock:
    """The real time and real randomness."""

    def start(self) -> int:
        """Return the time when an operation starts; on a virtual clock it may begin a new one."""
        return self.now()

    def now(self) -> int:
        """Return the time of a monotonic clock."""
        return time.monotonic_ns()

    def sleep(self, nanoseconds: int) -> None:
        """Block this thread."""
        time.sleep(nanoseconds / SECOND)

    async def sleep_async(self, nanoseconds: int) -> None:
        """Suspend this task."""
        await asyncio.sleep(nanoseconds / SECOND)

    def wait(self, event: threading.Event, nanoseconds: float, *, busy: bool) -> None:
        """Block this thread until an event is set or the time is over.

        Args:
            event: The event to wait for.
            nanoseconds: The longest time to wait; a day if it is infinite.
            busy: Whether calls are in flight; a virtual clock does not advance meanwhile.
        """
        del busy
        event.wait(min(nanoseconds / SECOND, _LONGEST_WAIT))

    async def wait_async(self, event: asyncio.Event, nanoseconds: float, *, busy: bool) -> None:
        """Suspend this task until an event is set or the time is over, as ``wait`` does.

        A timer sets the event: before Python 3.12 ``asyncio.wait_for`` can swallow a cancellation.
        """
        del busy
        seconds = min(nanoseconds / SECOND, _LONGEST_WAIT)
        timer = asyncio.get_running_loop().call_later(seconds, event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()

    def random(self) -> float:
        """Return a random number from 0 up to, but not including, 1."""
        return random.random()  # noqa: S311  # for jitter, not for secrets


clock: SystemClock = SystemClock()


def to_nanoseconds(name: str, seconds: float) -> int | float:
    """Convert seconds to nanoseconds; refuse an invalid time. Infinity stays infinity."""
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {shown(seconds)}")
    if not seconds >= 0:  # NaN compares false with everything
        raise ValueError(f"{name} must be at least 0 seconds, got {shown(seconds)}")
    return math.inf if seconds == math.inf else round(seconds * SECOND)
