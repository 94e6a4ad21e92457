"""What a flow does beyond computing: time, sleep and random numbers."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any


class SystemClock:
    """The real time, in whole nanoseconds."""

    def start(self) -> int:
        """Return the time at which an operation begins."""
        return self.now()

    def now(self) -> int:
        """Return the time on a clock that never goes back."""
        return time.monotonic_ns()

    def sleep(self, ns: int) -> None:
        """Block this thread."""
        time.sleep(ns / 1e9)

    async def sleep_async(self, ns: int) -> None:
        """Let other tasks run meanwhile."""
        import asyncio  # noqa: PLC0415  # the sync client has no use for it

        await asyncio.sleep(ns / 1e9)

    def random(self) -> float:
        """Return a number from 0 up to 1, without 1."""
        return random.random()  # noqa: S311  # it spreads retries, it keeps no secret


class Io:
    """What a flow asks for."""

    clock: Any = SystemClock()
    client: Any

    async def call(self, method: Callable[..., Any], kwargs: Mapping[str, Any]) -> Any:
        """Call a method of the boto client."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        raise NotImplementedError
