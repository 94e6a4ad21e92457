"""Fleets among tasks: cancellation, async iterables, and an event loop that is never blocked."""

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from support.clock import VirtualClock
from support.fleets import TASKS, THREADS, named, outcomes
from support.service import Awaited, Model

from kvs_streams import AsyncStreamsClient

Make = Callable[..., AsyncStreamsClient]


class Stuck(Model):
    """A service whose creates do not answer until the test lets them."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.begun, self.go = threading.Event(), threading.Event()

    def create_stream(self, **kwargs: Any) -> Any:
        self.begun.set()
        assert self.go.wait(30)
        return super().create_stream(**kwargs)


class StuckTasks(Awaited):
    """The same for a client whose calls are tasks, which can be cancelled."""

    def __init__(self, fake: Model) -> None:
        super().__init__(fake)
        self.cancelled = 0

    async def create_stream(self, **_: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class Passing(VirtualClock):
    """A clock whose time also passes while an async iterable is waited for, as real time does."""

    async def wait_async(self, event: asyncio.Event, nanoseconds: float, *, busy: bool) -> None:
        """Give calls in flight a moment to end, then let time pass."""
        for _ in range(20):
            if event.is_set():
                return
            await asyncio.sleep(0.0005)  # in which real threads end what they do
        await super().wait_async(event, nanoseconds, busy=False)


@pytest.fixture(params=[THREADS, TASKS])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of client in turn."""
    return str(request.param)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """A virtual clock in the place of the library's own."""
    virtual = Passing(0.3, 0.7)
    monkeypatch.setattr("kvs_streams._clock.clock", virtual)
    return virtual


@pytest.fixture
def client(kind: str, clock: VirtualClock) -> AsyncStreamsClient:
    """A client over the model of the service."""
    model = Model(clock)
    return AsyncStreamsClient(model if kind == THREADS else Awaited(model))  # type: ignore[arg-type]


async def take(client: AsyncStreamsClient, requests: Any, leave: int = -1) -> list[Any]:
    """Take all results, or leave after so many; no task stays."""
    pairs: list[Any] = []
    async with aclosing(client.ensure_streams(requests)) as results:
        async for pair in results:
            pairs.append(pair)
            if len(pairs) == leave:
                break
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return pairs


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


def test_what_an_async_iterable_raises_comes_last(client: AsyncStreamsClient) -> None:
    """The results of what was taken before come first."""
    pairs: list[Any] = []

    async def requests() -> AsyncIterator[Any]:
        for request in named(3):
            yield request
        raise ZeroDivisionError

    async def main() -> None:
        async for pair in client.ensure_streams(requests()):
            pairs.append(pair)  # noqa: PERF401  # what came before an error is kept

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())
    assert outcomes(pairs) == {"CREATED": 3}


def test_leaving_closes_the_iterable(client: AsyncStreamsClient) -> None:
    """Its ``finally`` runs before the fleet has ended."""
    ended: list[bool] = []

    async def requests() -> AsyncIterator[Any]:
        try:
            for request in named(2):
                yield request
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    assert len(asyncio.run(take(client, requests(), 2))) == 2
    assert ended == [True]


def test_a_request_can_depend_on_a_result(client: AsyncStreamsClient) -> None:
    """Results are handed out while the iterable waits."""

    async def main() -> list[Any]:
        seen, pairs = asyncio.Event(), []

        async def requests() -> AsyncIterator[Any]:
            yield named(1)[0]
            await seen.wait()
            yield named(1, 1)[0]

        async for pair in client.ensure_streams(requests()):
            pairs.append(pair)
            seen.set()
        return pairs

    assert outcomes(asyncio.run(main())) == {"CREATED": 2}


@pytest.mark.parametrize("times", [1, 2])
def test_a_cancellation_is_never_swallowed(times: int, kind: str, clock: VirtualClock) -> None:
    """Calls that are tasks are cancelled, others end in their threads; the loop goes on."""
    model = Stuck(clock)
    fake = model if kind == THREADS else StuckTasks(model)
    client = AsyncStreamsClient(fake)  # type: ignore[arg-type]

    async def main() -> None:
        task = asyncio.create_task(take(client, named(3)))
        if kind == THREADS:
            await asyncio.to_thread(model.begun.wait, 30)
        for _ in range(20):
            await asyncio.sleep(0)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        # The fleet has ended although the calls in threads have not.
        assert kind == TASKS or not model.calls

    try:
        asyncio.run(main())
    finally:
        model.go.set()
    assert not isinstance(fake, StuckTasks) or fake.cancelled > 0


def test_no_cancellation_is_lost_whenever_it_comes(
    client: AsyncStreamsClient,
) -> None:
    """Whenever the cancellation comes, the task ends cancelled."""

    async def main() -> None:
        for turns in range(25):
            task = asyncio.create_task(take(client, named(100, 100 * turns)))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())


def test_a_cancellation_at_a_yield_reaches_the_iterable(client: AsyncStreamsClient) -> None:
    """A scope inside the iterable decides what becomes of a cancellation of its task."""
    caught: list[bool] = []

    async def requests() -> AsyncIterator[Any]:
        first, second = named(2)
        task = asyncio.current_task()
        assert task is not None
        try:
            yield first
            asyncio.get_running_loop().call_soon(task.cancel)
            yield second
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            caught.append(task is asyncio.current_task())

    pairs = asyncio.run(take(client, requests()))
    assert caught == [True]
    assert set(outcomes(pairs)) == {"CREATED"}


def test_a_cancellation_ends_an_iterable_that_is_no_generator(client: AsyncStreamsClient) -> None:
    """It has nowhere to throw a cancellation to, so it ends with it, after the results."""

    class Requests:
        items = iter(named(2))

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> Any:
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_soon(task.cancel)
            return next(self.items)

    async def fleet() -> list[Any]:
        pairs: list[Any] = []
        with pytest.raises(asyncio.CancelledError):  # noqa: PT012  # the loop is what raises
            async for pair in client.ensure_streams(Requests()):
                pairs.append(pair)  # noqa: PERF401  # what comes before the error counts
        return pairs

    assert set(outcomes(asyncio.run(fleet()))) == {"CREATED"}
