"""The calls and the requests of an asynchronous fleet."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

from ._boto import is_async, make_async
from ._fleet import Fleet
from ._fleet_parts import Sent
from ._wire import Outcome
from ._workers import Workers

# How long the async iterable may take to end when a fleet is left.
_CLOSING = 5.0


class Calls:
    """Makes calls in tasks, or those of a boto3 client in worker threads."""

    def __init__(self, client: Any, wake: asyncio.Event) -> None:
        self._client = client
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._workers = None if is_async(client) else Workers(client, self._wake_loop)
        ended: deque[tuple[Sent, Outcome | BaseException]] = deque()
        self.ended = ended if self._workers is None else self._workers.ended

    def _wake_loop(self) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits any more
            self._loop.call_soon_threadsafe(self._wake.set)

    def submit(self, sent: Sent) -> None:
        """Start a call, and return at once."""
        if self._workers is not None:
            self._workers.submit(sent)
            return
        task = self._loop.create_task(self._make(sent))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _make(self, sent: Sent) -> None:
        try:
            self.ended.append((sent, await make_async(self._client, sent.call)))
        except asyncio.CancelledError:
            raise
        except BaseException as exc:  # noqa: BLE001  # it is raised where the result is awaited
            self.ended.append((sent, exc))
        self._wake.set()

    def pop(self) -> tuple[Sent, Outcome] | None:
        """Return a call that has ended, if there is one; raise what is no error of ours."""
        if self._workers is not None:
            return self._workers.pop()
        if not self.ended:
            return None
        sent, outcome = self.ended.popleft()
        if isinstance(outcome, BaseException):
            raise outcome
        return sent, outcome

    def stop(self) -> None:
        """Cancel the calls in tasks; those in threads end there."""
        if self._workers is not None:
            self._workers.stop()
        for task in self._tasks:
            task.cancel()


class Feed:
    """Takes requests one by one; one task of its own iterates and closes an async iterable."""

    def __init__(self, requests: Any, fleet: Fleet, wake: asyncio.Event) -> None:
        self._fleet = fleet
        self._wake = wake
        self._wanted = asyncio.Event()
        self._is_closing = False
        self._items: Iterator[object] = iter(())
        self._task: asyncio.Task[None] | None = None
        if hasattr(requests, "__aiter__"):
            self._task = asyncio.ensure_future(self._iterate(requests))
        else:
            self._items = requests

    def take(self) -> bool:
        """Take the next item, or ask the task for it; tell whether anything was taken."""
        if self._task is not None:
            self._wanted.set()
            return False
        try:
            self._fleet.add(next(self._items))
        except StopIteration:
            self._fleet.exhaust()
        except Exception as exc:  # noqa: BLE001  # it is raised after the results
            self._fleet.exhaust(exc)
        return True

    async def _iterate(self, requests: AsyncIterable[object]) -> None:
        iterator = aiter(requests)
        error: BaseException | None = None
        try:
            while True:
                item = await self._next(iterator)
                self._wanted.clear()
                self._fleet.add(item)
                self._wake.set()
        except StopAsyncIteration:
            pass
        except (Exception, asyncio.CancelledError) as exc:  # noqa: BLE001  # raised after the results
            error = exc
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
        self._wanted.clear()
        self._fleet.exhaust(error)
        self._wake.set()

    async def _next(self, iterator: AsyncIterator[object]) -> object:
        try:
            await self._wanted.wait()
        except asyncio.CancelledError as exc:
            # The iterable stands at a ``yield``: a scope inside it decides what this means.
            throw = getattr(iterator, "athrow", None)
            if throw is None or self._is_closing:
                raise
            return await throw(exc)
        return await anext(iterator)

    async def aclose(self) -> None:
        """End the task, and with it the iterable."""
        if self._task is None:
            return
        self._is_closing = True
        self._task.cancel()
        await asyncio.wait({self._task}, timeout=_CLOSING)
