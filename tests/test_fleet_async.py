"""Fleets among tasks: cancellation, async iterables, and an event loop that is never blocked."""

import asyncio
import contextvars
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest
from support.clock import VirtualClock, use
from support.fleets import TASKS, THREADS, Passing, Watched, named, outcomes
from support.service import Awaited, Model

from kvs_streams import AsyncStreamsClient


@pytest.fixture(params=[THREADS, TASKS])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of client in turn."""
    return str(request.param)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """A virtual clock in the place of the library's own."""
    return use(Passing(0.3, 0.7), monkeypatch)


@pytest.fixture
def client(kind: str, clock: VirtualClock) -> AsyncStreamsClient:
    """A client over the model of the service."""
    model = Model(clock)
    return AsyncStreamsClient(model if kind == THREADS else Awaited(model))


async def take(
    client: AsyncStreamsClient, requests: Any, leave: int = -1, pairs: Any = None
) -> list[Any]:
    """Take all results, or leave after so many; no task stays."""
    pairs = [] if pairs is None else pairs
    async with aclosing(client.ensure_streams(requests)) as results:
        async for pair in results:
            pairs.append(pair)
            if len(pairs) == leave:
                break
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return list(pairs)


# Async iterables


def test_an_async_iterable_keeps_its_context(client: AsyncStreamsClient) -> None:
    """One task iterates and closes it: a token of a context variable stays valid."""
    variable = contextvars.ContextVar("variable", default="unset")
    ended: list[Any] = []

    async def requests() -> AsyncIterator[Any]:
        task, token = asyncio.current_task(), variable.set("set")
        try:
            for request in named(5):
                assert variable.get() == "set"
                yield request
                await asyncio.sleep(0)
        finally:
            variable.reset(token)
            ended.append(task is asyncio.current_task())

    assert outcomes(asyncio.run(take(client, requests()))) == {"CREATED": 5}
    assert ended == [True]


class Failed(BaseException):
    """What ``pytest.fail`` raises is no ``Exception`` either."""


@pytest.mark.parametrize("error", [ZeroDivisionError, Failed, asyncio.CancelledError, TypeError])
def test_what_an_async_iterable_raises_comes_last(
    error: type[BaseException], client: AsyncStreamsClient
) -> None:
    """The results of what was taken before come first, also where an item is no request."""
    pairs: list[Any] = []
    ended: list[bool] = []

    async def requests() -> AsyncIterator[Any]:
        task = asyncio.current_task()
        try:
            for request in named(3):
                yield request
            if error is not TypeError:
                raise error
            yield "no request"
        finally:
            ended.append(task is asyncio.current_task())

    with pytest.raises(error):
        asyncio.run(take(client, requests(), pairs=pairs))
    assert outcomes(pairs) == {"CREATED": 3}
    assert ended == [True]


@pytest.mark.parametrize("waits", [True, False])
def test_leaving_closes_the_iterable(waits: bool, client: AsyncStreamsClient) -> None:
    """Its ``finally`` runs before the fleet has ended, wherever it stands; results do not wait."""
    ended: list[bool] = []

    async def requests() -> AsyncIterator[Any]:
        try:
            for request in named(2):
                yield request
            while not waits:
                yield named(1)[0]
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    assert len(asyncio.run(take(client, requests(), 2))) == 2
    assert ended == [True]


def test_the_end_of_an_iterable_ends_the_fleet() -> None:
    """On the real clock: a fleet that waits for nothing else is woken."""

    async def main() -> None:
        seen = asyncio.Event()

        async def requests() -> AsyncIterator[Any]:
            yield named(1)[0]
            await seen.wait()

        client = AsyncStreamsClient(Awaited(Model(VirtualClock())))
        async for _ in client.ensure_streams(requests(), wait=False):
            seen.set()

    asyncio.run(asyncio.wait_for(main(), 60))


# Scopes inside an async iterable; a function is called soon, when the iterable stands at a yield.

Soon = Callable[..., object]


@asynccontextmanager
async def plain(soon: Soon) -> AsyncIterator[None]:
    """Cancel the task, and catch it."""
    task: Any = asyncio.current_task()
    with suppress(asyncio.CancelledError):
        soon(task.cancel)
        yield


@asynccontextmanager
async def timeout(soon: Soon) -> AsyncIterator[None]:
    """``asyncio.timeout``, whose time is over."""
    if sys.version_info < (3, 11):
        pytest.skip("asyncio.timeout is new in Python 3.11")
    with suppress(TimeoutError):
        async with asyncio.timeout(None) as scope:
            soon(scope.reschedule, 0)
            yield


@asynccontextmanager
async def cancel_scope(soon: Soon) -> AsyncIterator[None]:
    """A scope of anyio's."""
    anyio = pytest.importorskip("anyio")
    with anyio.CancelScope() as scope:
        soon(scope.cancel)
        yield
    assert scope.cancelled_caught


@pytest.mark.parametrize("scope", [plain, timeout, cancel_scope])
def test_a_scope_holds_across_a_yield(scope: Any, client: AsyncStreamsClient) -> None:
    """It decides what becomes of the cancellation of its task, and the iterable goes on."""

    async def requests() -> AsyncIterator[Any]:
        first, second, third = named(3)
        yield first
        async with scope(asyncio.get_running_loop().call_soon):
            yield second
            pytest.fail("the scope ends here")
        yield third

    assert outcomes(asyncio.run(take(client, requests()))) == {"CREATED": 3}


def test_a_cancellation_ends_an_iterable_that_is_no_generator(client: AsyncStreamsClient) -> None:
    """It has nowhere to throw a cancellation to, so it ends with it, after the results."""
    pairs: list[Any] = []

    class Requests:
        items = iter(named(2))

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> Any:
            task: Any = asyncio.current_task()
            asyncio.get_running_loop().call_soon(task.cancel)
            return next(self.items)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(take(client, Requests(), pairs=pairs))
    assert set(outcomes(pairs)) == {"CREATED"}


# Cancellation of a fleet


class Stuck(Awaited):
    """A client whose creates are tasks that wait until they are cancelled."""

    cancelled = 0

    async def create_stream(self, **_: Any) -> Any:
        """Wait for good."""
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled += 1


@pytest.mark.parametrize("times", [1, 2])
def test_a_cancellation_is_never_swallowed(times: int, kind: str, clock: VirtualClock) -> None:
    """Calls that are tasks are cancelled, others end in their threads; the loop goes on."""
    begun, go = threading.Event(), threading.Event()

    def wait(*_: str) -> None:
        begun.set()
        assert go.wait(30)

    model = Watched(clock, wait)
    stuck = Stuck(model)
    client = AsyncStreamsClient(model if kind == THREADS else stuck)

    async def main() -> None:
        task = asyncio.create_task(take(client, named(3)))
        if kind == THREADS:
            await asyncio.to_thread(begun.wait, 30)
        for _ in range(20):
            await asyncio.sleep(0)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        # The fleet has ended although the calls in threads have not.
        await asyncio.sleep(0)
        assert (bool(model.calls), stuck.cancelled > 0) == (False, kind == TASKS)

    try:
        asyncio.run(main())
    finally:
        go.set()


def test_no_cancellation_is_lost_whenever_it_comes(client: AsyncStreamsClient) -> None:
    """Whenever the cancellation comes, the task ends cancelled."""

    async def requests(start: int) -> AsyncIterator[Any]:
        for request in named(100, start):
            yield request

    async def main() -> None:
        for turns in range(60):
            start = 100 * turns
            items: Any = requests(start) if turns % 2 else named(100, start)
            task = asyncio.create_task(take(client, items))
            for _ in range(turns // 2):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
