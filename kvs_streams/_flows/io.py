"""What a flow asks for: calls and time.

A flow is a plain ``async def`` over an ``Io``. The ``Io`` of the async client really awaits. That
of the sync client never suspends, so that one ``send(None)`` runs a flow to its end without an
event loop (``run``). All times are integers, in nanoseconds, so that their sums are exact.
"""

import math
import random
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Protocol, TypeVar, cast

from attrs import define

from kvs_streams._text import shown
from kvs_streams._wire import Call

_T = TypeVar("_T")

SECOND = 1_000_000_000
# About 31 years. A longer time is a mistake, and more than some clocks can sleep.
LONGEST = 1_000_000_000


class SystemClock:
    """The real time and real randomness."""

    def start(self) -> int:
        """Return the time at which an operation starts: the same as ``now``."""
        return self.now()

    def now(self) -> int:
        """Return the time of a clock that never goes back."""
        return time.monotonic_ns()

    def sleep(self, nanoseconds: int) -> None:
        """Block this thread."""
        time.sleep(nanoseconds / SECOND)

    async def sleep_async(self, nanoseconds: int) -> None:
        """Suspend this task."""
        import asyncio  # noqa: PLC0415  # the sync client does not use it

        await asyncio.sleep(nanoseconds / SECOND)

    def wait(self, event: threading.Event, nanoseconds: float, *, busy: bool) -> None:
        """Block this thread until an event is set, or for a time.

        Args:
            event: What to wait for.
            nanoseconds: How long to wait at the most, which can be infinite.
            busy: Whether calls are in flight; a virtual clock does not advance meanwhile.
        """
        del busy
        event.wait(None if nanoseconds == math.inf else nanoseconds / SECOND)

    async def wait_async(self, event: Any, nanoseconds: float, *, busy: bool) -> None:
        """Suspend this task until an event is set, or for a time, as ``wait`` does."""
        import asyncio  # noqa: PLC0415  # the sync client does not use it

        del busy
        timeout = None if nanoseconds == math.inf else nanoseconds / SECOND
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(event.wait(), timeout)

    def random(self) -> float:
        """Return a random number from 0 up to, but not including, 1."""
        return random.random()  # noqa: S311  # it spreads retries, it keeps no secret


class Io(Protocol):
    """A boto client and the time, as a flow uses them."""

    clock: SystemClock = SystemClock()
    client: Any

    async def call(self, call: Call) -> Any:
        """Make a call of the boto client, and return its reply."""
        ...

    async def sleep(self, nanoseconds: int) -> None:
        """Wait."""
        ...


@define
class Done:
    """A finished call, and when it finished."""

    tag: Any
    at: int
    reply: Any = None
    error: BaseException | None = None


class NotYet:
    """What ``take`` returns while the next item is not there."""


class Driver(Protocol):
    """What a fleet asks for; once for threads and once for asyncio."""

    client: Any
    clock: SystemClock

    def take(self) -> object:
        """Return the next item, or ``NotYet``; raise ``StopIteration`` at the end."""
        ...

    def submit(self, tag: object, call: Call) -> None:
        """Start a call, and return at once."""
        ...

    def pop(self) -> Done | None:
        """Return a finished call, if there is one."""
        ...

    async def done(self, nanoseconds: float) -> None:
        """Wait until a call has finished or another item is there, or for a time."""
        ...


def run(flow: Coroutine[Any, Any, _T]) -> _T:
    """Run a flow whose ``Io`` never suspends to its end."""
    try:
        flow.send(None)
    except StopIteration as stop:
        # Not in a variable: the traceback of an error in it may refer to this frame.
        return cast("_T", stop.value)
    flow.close()
    raise RuntimeError("the flow suspended, and there is no event loop to resume it")


def to_nanoseconds(name: str, seconds: float) -> int | float:
    """Return seconds as nanoseconds; refuse what is not a time. Infinity stays infinity."""
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        raise TypeError(f"{name} must be a number of seconds, not {shown(seconds)}")
    if not seconds >= 0:  # not a number compares false with everything
        raise ValueError(f"{name} must be at least 0 seconds, got {shown(seconds)}")
    if seconds == math.inf:
        return math.inf
    if seconds > LONGEST:
        raise ValueError(f"{name} must be at most {LONGEST:,} seconds, got {shown(seconds)}")
    return round(seconds * SECOND)
