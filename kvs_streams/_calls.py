"""The calls and the requests of an asynchronous fleet."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

from ._boto import is_async, make_async
from ._fleet import Fleet
from ._fleet_parts import Stream
from ._wire import Call, Outcome
from ._workers import Workers

# How long an async iterable may take to end when a fleet stops, in seconds.
_CLOSING = 5.0


def calls_of(client: Any, fleet: Fleet, wake: asyncio.Event) -> "Tasks | Workers":
    """Return the runner for a client's calls: tasks, or threads for a boto3 client."""
    if is_async(client):
        return Tasks(client, fleet, wake)
    loop = asyncio.get_running_loop()

    def wake_loop() -> None:
        with suppress(RuntimeError):  # the loop is closed, so nothing waits
            loop.call_soon_threadsafe(wake.set)

    return Workers(client, fleet, wake_loop)


class Tasks:
    """Makes calls in tasks.

    Args:
        client: The asynchronous boto client.
        fleet: The fleet that receives the outcomes.
        wake: Set when a call has ended.
    """

    def __init__(self, client: Any, fleet: Fleet, wake: asyncio.Event) -> None:
        self._client = client
        self._fleet = fleet
        self._wake = wake
        self._tasks: set[asyncio.Task[Outcome]] = set()

    def start(self, stream: Stream, call: Call) -> None:
        """Start a call, and return at once."""
        task = asyncio.ensure_future(make_async(self._client, call))
        self._tasks.add(task)
        task.add_done_callback(partial(self._end, stream))

    def _end(self, stream: Stream, task: asyncio.Task[Outcome]) -> None:
        self._tasks.remove(task)
        try:
            self._fleet.ended.append((stream, task.result()))
        except BaseException as exc:  # noqa: BLE001  # the fleet raises it
            self._fleet.ended.append((stream, exc))
        self._wake.set()

    def stop(self) -> None:
        """Cancel the calls in flight."""
        for task in self._tasks:
            task.cancel()


class Feed:
    """Feeds requests to a fleet one by one; a task reads an async iterable.

    Args:
        requests: The iterator.
        fleet: The fleet that receives the requests.
        wake: Set when the task has taken a request.
    """

    def __init__(self, requests: Any, fleet: Fleet, wake: asyncio.Event) -> None:
        self._requests = requests
        self._fleet = fleet
        self._wake = wake
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        if hasattr(requests, "__anext__"):
            self._task = asyncio.ensure_future(self._iterate())
            self._task.add_done_callback(self._end)

    def take(self) -> bool:
        """Take the next request, or let the task take it; return whether one was taken."""
        if self._task is None:
            self._fleet.take(self._requests)
        else:
            self._wanted.set()
        return self._task is None

    async def _iterate(self) -> None:
        try:
            with suppress(StopAsyncIteration):
                while True:
                    self._fleet.add(await self._next())
                    self._wanted.clear()
                    self._wake.set()
        finally:
            close = getattr(self._requests, "aclose", None)
            if close is not None:
                await close()

    async def _next(self) -> object:
        try:
            await self._wanted.wait()
        except asyncio.CancelledError as exc:
            # The iterable is paused at a ``yield``; a cancel scope inside it may handle this.
            throw = getattr(self._requests, "athrow", None)
            if throw is None:
                raise
            return await throw(exc)
        return await anext(self._requests)

    def _end(self, task: asyncio.Task[None]) -> None:
        try:
            error = task.exception()
        except asyncio.CancelledError as exc:
            error = exc
        self._fleet.exhaust(error)
        self._wake.set()

    async def aclose(self) -> None:
        """End the task and the iterable."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=_CLOSING)
