"""Fleets over fakes, in virtual time: one body for the sync client and both async ones."""

import asyncio
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
from .service import OPERATIONS, Awaited

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


class Runner:
    """Runs fleets of one kind of client over a fake.

    Args:
        kind: The kind of client.
        monkeypatch: Puts the virtual clock in place.
    """

    def __init__(self, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kind = kind
        self.clock = use(VirtualClock(0.3, 0.7, 0.5), monkeypatch)
        self.hidden: set[str] = set()
        """The operations that the fake does not have."""
        self.keep = True
        """Whether the pairs are kept."""
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
        if self.keep:
            self.pairs.append(pair)
        self.watch()
        self.ended[pair[0].stream_name] = self.clock.elapsed
        return len(self.pairs)
