"""Fleets over fakes, in virtual time: one body for the sync client and both async ones."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import aclosing, closing
from types import SimpleNamespace
from typing import Any

import pytest

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    EnsuredStream,
    KvsStreamsError,
    StreamsClient,
)

from .clock import VirtualClock, use
from .service import OPERATIONS, Answer, Awaited, Model

SYNC, THREADS, TASKS = KINDS = ("sync", "threads", "tasks")
Pairs = list[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError]]


def named(number: int, start: int = 0, **members: Any) -> list[CreateStreamRequest]:
    """Return requests for so many streams."""
    return [
        CreateStreamRequest(stream_name=f"camera-{i:05}", **members)
        for i in range(start, start + number)
    ]


def outcomes(pairs: Pairs) -> Counter[str]:
    """Return how often each outcome or error was the result."""
    return Counter(
        result.outcome.name if isinstance(result, EnsuredStream) else type(result).__name__
        for _, result in pairs
    )


def moment(*_: str) -> None:
    """Let other threads begin a call."""
    time.sleep(0.001)


class Watched(Model):
    """A model of the service that counts the calls in flight, and lets a test meddle with them.

    Args:
        clock: The clock of the test.
        meddle: Called with the method and the stream before each call is answered, in the thread
            that makes it. It can block, raise, or answer the call itself.
        options: What else the model takes.
    """

    peak = peak_of_name = 0

    def __init__(
        self, clock: VirtualClock, meddle: Callable[[str, str], Any] = moment, **options: Any
    ) -> None:
        super().__init__(clock, **options)
        self.meddle = meddle
        self._now: Counter[str] = Counter()

    def call(self, method: str, kwargs: dict[str, Any]) -> Any:
        """Answer a call of any operation."""
        name = kwargs.get("StreamName", "")
        with self._lock:
            self._now[name] += 1
            self.peak = max(self.peak, self._now.total())
            self.peak_of_name = max(self.peak_of_name, self._now[name])
        try:
            answer: Answer | None = self.meddle(method, name)
            return (
                answer.given(method, self.server_time()) if answer else super().call(method, kwargs)
            )
        finally:
            with self._lock:
                self._now[name] -= 1


# What a busy wait lets pass: on a busy machine calls fall behind, but not until their deadlines.
STEP = 100_000_000


class Passing(VirtualClock):
    """A clock whose time also passes while a call is in flight, as real time does."""

    def wait(self, event: threading.Event, nanoseconds: float, *, busy: bool) -> None:
        """Give calls in flight a moment to end, then let time pass."""
        if not event.wait(0.01 if busy else 0):
            super().wait(event, min(nanoseconds, STEP) if busy else nanoseconds, busy=False)

    async def wait_async(self, event: asyncio.Event, nanoseconds: float, *, busy: bool) -> None:
        """Give calls in flight a moment to end, then let time pass."""
        for turn in range(25):
            if event.is_set():
                return
            # Tasks need a few turns, real threads some time.
            await asyncio.sleep(0.0005 if turn > 5 else 0)
        await super().wait_async(event, min(nanoseconds, STEP) if busy else nanoseconds, busy=False)


class Runner:
    """Runs fleets of one kind of client over a fake.

    Args:
        kind: The kind of client.
        monkeypatch: Puts the virtual clock in place.
        clock: Another clock than the usual one.
    """

    def __init__(
        self, kind: str, monkeypatch: pytest.MonkeyPatch, clock: VirtualClock | None = None
    ) -> None:
        self.kind = kind
        self.clock = use(clock or VirtualClock(0.3, 0.7, 0.5), monkeypatch)
        self.hidden: set[str] = set()
        """The operations that the fake does not have."""
        self.watch: Callable[[], None] = lambda: None
        """Called after each result."""
        self.pairs: Pairs = []
        self.ended: dict[str, float] = {}
        """When each stream's result came, in seconds."""

    def run(self, fake: Any, requests: Iterable[Any], leave: int = -1, **options: Any) -> Pairs:
        """Take all results, or leave after so many; ``pairs`` has them even after an exception."""
        self.pairs = []
        self.ended = {}
        if self.kind == TASKS:
            fake = Awaited(fake)
        if self.hidden:
            names = {name for name in OPERATIONS if name not in self.hidden}
            fake = SimpleNamespace(**{name: getattr(fake, name) for name in names})
        if self.kind == SYNC:
            with closing(StreamsClient(fake).ensure_streams(requests, **options)) as results:
                for pair in results:
                    if self._add(pair) == leave:
                        break
        else:
            client = AsyncStreamsClient(fake)
            asyncio.run(self._take(client.ensure_streams(requests, **options), leave))
        return self.pairs

    async def _take(self, results: Any, leave: int) -> None:
        async with aclosing(results):
            async for pair in results:
                if self._add(pair) == leave:
                    break

    def _add(self, pair: Any) -> int:
        self.pairs.append(pair)
        self.watch()
        self.ended[pair[0].stream_name] = self.clock.elapsed
        return len(self.pairs)
