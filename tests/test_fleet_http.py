"""Fleets through the public clients: threads, tasks, and real HTTP against the control plane."""

import asyncio
import contextvars
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing, closing
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from support.clients import (
    ASYNC_BOTO3,
    ASYNC_KINDS,
    KINDS,
    SYNC,
    Driver,
    driving,
    registered_handlers,
    unmeasured,
)
from support.loopback import REGION

from benchmarks.control_plane import ControlPlane, running
from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    EnsuredStream,
    KvsStreamsError,
    StreamsClient,
    StreamStatus,
)
from kvs_streams._client import workers
from kvs_streams._flows import fleet as module
from kvs_streams._flows.io import SECOND, SystemClock

QUICK: dict[str, Any] = {
    "rate": 1e6,
    "burst": 1e6,
    "describe_rate": 1e6,
    "other_rate": 1e6,
    "latency": (0.0, 0.002),
    "active_after": (0.0, 0.0),
    "errors": 0.0,
    "lost": 0.0,
    "account_limit": 1_000_000,
}
ROOT = Path(__file__).parent.parent
_numbers = count()

Pairs = list[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError]]
Launch = Callable[..., Driver]


@pytest.fixture(scope="module")
def shared() -> Iterator[ControlPlane]:
    """One control plane for all tests of this module, since a process takes time to start."""
    with running(**QUICK) as started:
        yield started


@pytest.fixture
def plane(shared: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    """The control plane with quick replies and nothing counted, and lists at short intervals."""
    monkeypatch.setattr(module, "_LIST_INTERVAL", SECOND // 50)
    shared.control(**QUICK, reset=True)
    return shared


@pytest.fixture
def drive(plane: ControlPlane) -> Iterator[Launch]:
    """Make a client of a kind for the control plane, on the real clock."""
    with ExitStack() as stack:

        def make(kind: str, **options: Any) -> Driver:
            driver = stack.enter_context(driving(kind, plane.url, **options))
            driver.client._io.clock = SystemClock()
            return driver

        yield make


def named(number: int, **members: Any) -> list[CreateStreamRequest]:
    """Return requests for streams that no other test names."""
    start = next(_numbers)
    names = (f"camera-{start}-{i:04}" for i in range(number))
    return [CreateStreamRequest(stream_name=name, **members) for name in names]


def endless(taken: list[str]) -> Iterator[CreateStreamRequest]:
    """Yield requests for ever."""
    while True:
        (request,) = named(1)
        taken.append(request.stream_name)
        yield request


def collect(driver: Driver, requests: Any, number: int | None = None, **options: Any) -> Pairs:
    """Take all results, or so many and leave."""
    results = driver.client.ensure_streams(requests, **{"rate": 2_000.0, **options})
    if driver.loop is None:
        with closing(results):
            return list(islice(results, number))

    async def take() -> Pairs:
        pairs: Pairs = []
        async with aclosing(results):
            async for pair in results:
                pairs.append(pair)
                if len(pairs) == number:
                    break
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return pairs

    pairs: Pairs = driver.finish(take())
    return pairs


def stats(plane: ControlPlane) -> dict[str, Any]:
    """Return what the account of the clients here did."""
    found: dict[str, Any] = next(
        account for key, account in plane.stats().items() if key.endswith(REGION)
    )
    return found


def calls(plane: ControlPlane) -> dict[str, int]:
    """Return how often each operation was called."""
    return {name: each["calls"] for name, each in stats(plane)["operations"].items()}


def threads() -> list[str]:
    """Return the names of the worker threads that are alive."""
    return [each.name for each in threading.enumerate() if each.name.startswith("kvs_streams")]


def outcomes(pairs: Pairs) -> Counter[str]:
    """Return how often each outcome or error was the result."""
    return Counter(
        result.outcome.name if isinstance(result, EnsuredStream) else type(result).__name__
        for _, result in pairs
    )


# Results


@pytest.mark.parametrize("kind", KINDS)
def test_every_client_creates_a_fleet(kind: str, drive: Launch, plane: ControlPlane) -> None:
    """Each request has its result; running again finds all streams and creates none."""
    requests = named(40, tags={"site": "a"})
    driver = drive(kind)
    pairs = collect(driver, [*requests, requests[0]])
    assert outcomes(pairs) == {"CREATED": 40, "EXISTING": 1}
    assert Counter(id(request) for request, _ in pairs) == Counter(
        map(id, [*requests, requests[0]])
    )
    for _, result in pairs:
        assert isinstance(result, EnsuredStream)
        assert result.stream.status is StreamStatus.ACTIVE
    assert set(stats(plane)["created"].values()) == {1}
    plane.control(reset=True)
    assert outcomes(collect(driver, requests)) == {"EXISTING": 40}
    assert "CreateStream" not in calls(plane)
    assert threads() == []


@pytest.mark.parametrize("kind", KINDS)
def test_faults_are_survived(
    kind: str, drive: Launch, plane: ControlPlane, instant_retries: None
) -> None:
    """Errors and lost responses leave every stream with one result, created once."""
    plane.control(errors=0.1, lost=0.05)
    requests = named(60)
    pairs = collect(drive(kind, attempts=8), requests)
    assert len(pairs) == 60
    assert set(outcomes(pairs)) <= {"CREATED", "RECOVERED"}
    created = stats(plane)["created"]
    assert created == {request.stream_name: 1 for request in requests}


@pytest.mark.parametrize("kind", KINDS)
def test_errors_are_results(kind: str, drive: Launch, plane: ControlPlane) -> None:
    """What goes wrong with a stream is not raised."""
    plane.control(errors=1.0, errors_work=0.0)
    pairs = collect(drive(kind), named(5), timeout=0)
    assert set(outcomes(pairs)) <= {"ServerError", "WaitTimeoutError"}
    assert len(pairs) == 5
    plane.control(errors=0.0, denied=["CreateStream"])
    try:
        assert outcomes(collect(drive(kind), named(5))) == {"AccessDeniedError": 5}
    finally:
        plane.control(denied=[])


def test_two_fleets_share_a_client(drive: Launch, plane: ControlPlane) -> None:
    """Two threads run a fleet each, over the same names, and every stream is created once."""
    driver, requests = drive(SYNC), named(40)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: collect(driver, requests), range(2))
    assert len(first) == len(second) == 40
    assert set(outcomes([*first, *second])) == {"CREATED", "EXISTING"}
    assert set(stats(plane)["created"].values()) == {1}


# Arguments


@pytest.mark.parametrize(
    "changes, error",
    [
        ({"rate": 0}, ValueError),
        ({"rate": -1}, ValueError),
        ({"rate": float("nan")}, ValueError),
        ({"rate": float("inf")}, ValueError),
        ({"rate": True}, TypeError),
        ({"rate": "50"}, TypeError),
        ({"max_in_flight": 0}, ValueError),
        ({"max_in_flight": 2.5}, TypeError),
        ({"max_in_flight": True}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"timeout": None}, TypeError),
        ({"on_drift": "explode"}, ValueError),
        ({"requests": 7}, TypeError),
        ({"requests": None}, TypeError),
    ],
)
@pytest.mark.parametrize("kind", [SYNC, ASYNC_BOTO3])
def test_bad_arguments_are_refused_at_the_call(
    kind: str, changes: dict[str, Any], error: type[Exception]
) -> None:
    """Nothing has to be iterated to hear of them."""
    fake = SimpleNamespace(create_stream=Mock())
    client: Any = StreamsClient(fake) if kind == SYNC else AsyncStreamsClient(fake)
    with pytest.raises(error):
        client.ensure_streams(**{"requests": [], **changes})
    assert not fake.create_stream.called


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_request_is_raised_last(kind: str, drive: Launch) -> None:
    """The results of what came before are given first."""
    driver = drive(kind)
    results = driver.client.ensure_streams([*named(3), "camera"])
    pairs: Pairs = []
    with pytest.raises(TypeError, match="item 3, counted from 0"):
        drain(driver, results, pairs)
    assert len(pairs) == 3


def drain(driver: Driver, results: Any, pairs: list[Any]) -> None:
    """Append each result as it comes."""
    if driver.loop is None:
        pairs.extend(results)
    else:
        driver.finish(append_pairs(results, pairs))


async def append_pairs(results: AsyncIterator[Any], pairs: list[Any]) -> None:
    """Append each result as it comes."""
    async for pair in results:
        pairs.append(pair)  # noqa: PERF401  # what came before an error is kept


# Leaving


@pytest.mark.parametrize("kind", KINDS)
def test_leaving_early_sends_nothing_more(kind: str, drive: Launch, plane: ControlPlane) -> None:
    """Calls in flight end, and neither a thread nor a task stays."""
    taken: list[str] = []
    driver = drive(kind)
    pairs = collect(driver, endless(taken), 10, rate=200.0, max_in_flight=4)
    assert len(pairs) == 10
    before = calls(plane)
    assert threads() == []
    assert all(each["in_flight"] == 0 for each in stats(plane)["operations"].values())
    time.sleep(0.05)  # in which a call that should not be could be made
    assert calls(plane) == before
    assert len(taken) <= 2_010


def test_a_fleet_that_is_dropped_ends(drive: Launch) -> None:
    """A loop that is left with ``break`` leaves no thread behind."""
    for _ in drive(SYNC).client.ensure_streams(endless([]), rate=2_000.0):
        break
    assert threads() == []


@pytest.mark.parametrize("kind", [SYNC, ASYNC_BOTO3])
def test_a_fleet_that_is_never_started_makes_no_call(
    kind: str, drive: Launch, plane: ControlPlane
) -> None:
    """Neither a call nor a thread comes of it, and closing it is fine."""
    driver = drive(kind)
    results = driver.client.ensure_streams(named(3))
    if driver.loop is None:
        results.close()
    else:
        driver.finish(results.aclose())
    assert threads() == []
    assert all(not account["operations"] for account in plane.stats().values())


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_of_the_consumer_ends_the_fleet(kind: str, drive: Launch) -> None:
    """It passes through, and nothing stays."""
    driver = drive(kind)
    results = driver.client.ensure_streams(endless([]), rate=2_000.0)

    def consume() -> None:
        with closing(results):
            for _ in results:
                raise ZeroDivisionError

    async def consume_async() -> None:
        async with aclosing(results):
            async for _ in results:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume() if driver.loop is None else driver.finish(consume_async())
    assert threads() == []


# Async iterables


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_an_async_iterable_is_taken_from(kind: str, drive: Launch) -> None:
    """Requests that come one after the other are ensured while others are waited for."""
    requests = named(12)
    driver = drive(kind)
    seen: list[int] = []

    async def slowly() -> AsyncIterator[CreateStreamRequest]:
        for number, request in enumerate(requests):
            await asyncio.sleep(0.01)  # so that the fleet has nothing to take, on its real clock
            yield request
            seen.append(number)

    assert outcomes(collect(driver, slowly())) == {"CREATED": 12}
    assert seen == list(range(12))


class Bare:
    """An async iterable whose iterator has no ``__aiter__``."""

    def __init__(self, requests: list[CreateStreamRequest]) -> None:
        self.requests = iter(requests)

    def __aiter__(self) -> Any:
        outer = self

        class Iterator:
            async def __anext__(self) -> CreateStreamRequest:
                for request in outer.requests:
                    return request
                raise StopAsyncIteration

        return Iterator()


def test_an_async_iterator_needs_no_more_than_anext(drive: Launch) -> None:
    """As in ``async for``, ``__anext__`` is all that is asked of it."""
    assert outcomes(collect(drive(ASYNC_BOTO3), Bare(named(3)))) == {"CREATED": 3}


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_what_an_async_iterable_raises_comes_last(kind: str, drive: Launch) -> None:
    """Everything that was taken before is reported first."""
    pairs: Pairs = []

    async def failing() -> AsyncIterator[CreateStreamRequest]:
        for request in named(5):
            yield request
        raise ZeroDivisionError

    driver = drive(kind)
    with pytest.raises(ZeroDivisionError):
        driver.finish(append_pairs(driver.client.ensure_streams(failing()), pairs))
    assert outcomes(pairs) == {"CREATED": 5}


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_leaving_while_the_iterable_is_waited_for(kind: str, drive: Launch) -> None:
    """The iterable is cancelled, so that its ``finally`` runs before the fleet has ended."""
    ended: list[bool] = []

    async def stuck() -> AsyncIterator[CreateStreamRequest]:
        try:
            for request in named(2):
                yield request
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    assert len(collect(drive(kind), stuck(), 2)) == 2
    assert ended == [True]


def test_an_iterable_that_fails_after_the_fleet_was_left_is_not_reported(
    drive: Launch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody asks for its exception any more, and asyncio does not complain."""

    async def failing() -> AsyncIterator[CreateStreamRequest]:
        for request in named(2):
            yield request
        try:
            await asyncio.Event().wait()
        finally:
            raise ZeroDivisionError

    assert len(collect(drive(ASYNC_BOTO3), failing(), 2)) == 2
    assert caplog.records == []


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_a_consumer_that_is_cancelled_ends_the_fleet(
    kind: str, drive: Launch, plane: ControlPlane
) -> None:
    """The cancellation passes through; afterwards nothing is sent and nothing stays."""
    driver = drive(kind)

    async def main() -> None:
        async def consume() -> None:
            async with aclosing(driver.client.ensure_streams(endless([]), rate=500.0)) as results:
                async for _ in results:
                    started.set()

        started = asyncio.Event()
        task = asyncio.create_task(consume())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    driver.finish(main())
    assert threads() == []
    before = calls(plane)
    time.sleep(0.05)  # in which a call that should not be could be made
    assert calls(plane) == before


class SlowFake:
    """A client whose creates take a while."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.release = threading.Event()

    def list_streams(self, **_: object) -> dict[str, Any]:
        return {"StreamInfoList": []}

    def create_stream(self, **_: object) -> dict[str, Any]:
        self.started.set()
        self.release.wait()
        return {"StreamARN": "arn"}


def test_cancelling_twice_leaves_no_thread() -> None:
    """Who cancels again while the calls in flight end gets no leftover either."""
    fake = SlowFake()

    async def main() -> None:
        async def consume() -> None:
            async with aclosing(AsyncStreamsClient(fake).ensure_streams(named(3))) as results:
                async for _ in results:
                    pass

        task = asyncio.create_task(consume())
        await asyncio.to_thread(fake.started.wait)
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(fake.release.set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    threading.Timer(0.05, fake.release.set).start()
    asyncio.run(main())
    assert threads() == []


def test_results_in_bulk_leave_the_loop_to_others(drive: Launch) -> None:
    """A consumer that never awaits does not hold up other tasks."""
    driver, requests = drive(ASYNC_BOTO3), named(60)
    collect(driver, requests)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0)
            ticks += 1

    async def main() -> list[int]:
        task = asyncio.create_task(tick())
        seen = [ticks async for _ in driver.client.ensure_streams(requests)]
        task.cancel()
        return seen

    seen = driver.finish(main())
    assert len(set(seen)) == 60


# Connections


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_pool_of_connections_bounds_the_calls(
    kind: str, drive: Launch, plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    """No connection is thrown away, and at most one call for each is in flight."""
    plane.control(latency=[0.05, 0.1])
    with caplog.at_level(logging.WARNING, "urllib3"):
        pairs = collect(drive(kind, max_pool_connections=10), named(60))
    assert outcomes(pairs) == {"CREATED": 60}
    assert [each for each in caplog.records if "pool is full" in each.getMessage()] == []
    assert 2 <= stats(plane)["operations"]["CreateStream"]["peak_in_flight"] <= 10


@pytest.mark.parametrize("max_in_flight", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_max_in_flight_bounds_the_calls(
    kind: str, max_in_flight: int, drive: Launch, plane: ControlPlane
) -> None:
    """At no time are more calls in flight."""
    plane.control(latency=[0.005, 0.01])
    assert outcomes(collect(drive(kind), named(20), max_in_flight=max_in_flight)) == {"CREATED": 20}
    peaks = [each["peak_in_flight"] for each in stats(plane)["operations"].values()]
    assert max(peaks) <= max_in_flight


@pytest.mark.parametrize(
    "pool, expected", [(10, 10), (64, 32), (0, 32), (None, 32), ("many", 32), (1, 1)]
)
def test_the_pool_limits_the_workers(pool: object, expected: int) -> None:
    """A client without a usable number of connections has no limit."""
    config = SimpleNamespace(max_pool_connections=pool)
    client = SimpleNamespace(meta=SimpleNamespace(config=config))
    assert workers(client, 32) == expected
    assert workers(object(), 32) == 32


@pytest.mark.parametrize("kind", KINDS)
def test_the_client_is_not_altered(kind: str, drive: Launch) -> None:
    """Neither its event handlers nor its settings change."""
    driver = drive(kind)
    raw = driver.client.boto_client
    before = registered_handlers(raw), vars(raw.meta.config).copy()
    collect(driver, named(5))
    assert (registered_handlers(raw), vars(raw.meta.config)) == before


# Fakes


class Fake:
    """A client that raises what it is told to."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def list_streams(self, **_: object) -> dict[str, Any]:
        return {"StreamInfoList": []}

    def create_stream(self, **_: object) -> dict[str, Any]:
        raise self.error


class AioFake(Fake):
    """The same, to be awaited."""

    async def list_streams(self, **_: object) -> dict[str, Any]:
        return {"StreamInfoList": []}

    async def create_stream(self, **_: object) -> dict[str, Any]:
        raise self.error


def run_fleet(kind: str, fake: Fake) -> None:
    """Run a fleet over a fake."""

    async def main() -> None:
        await append_pairs(AsyncStreamsClient(fake).ensure_streams(named(3)), [])

    if kind == SYNC:
        list(StreamsClient(fake).ensure_streams(named(3)))
    else:
        asyncio.run(main())


def raising(kind: str, error: BaseException) -> Fake:
    """Return a fake that raises, to be called or to be awaited."""
    return AioFake(error) if kind == "awaited" else Fake(error)


@pytest.mark.parametrize("kind", [SYNC, ASYNC_BOTO3, "awaited"])
def test_a_bug_in_a_fake_passes_through(kind: str) -> None:
    """It is not taken for a lost response."""
    with pytest.raises(KeyError, match="a bug"):
        run_fleet(kind, raising(kind, KeyError("a bug")))
    assert threads() == []


@pytest.mark.parametrize("kind", [SYNC, ASYNC_BOTO3, "awaited"])
def test_an_exhausted_mock_does_not_hang(kind: str) -> None:
    """``StopIteration`` becomes ``RuntimeError``, as in every coroutine."""
    with pytest.raises(RuntimeError, match="StopIteration"):
        run_fleet(kind, raising(kind, StopIteration()))
    assert threads() == []


@pytest.mark.parametrize("kind", [SYNC, ASYNC_BOTO3])
def test_calls_see_the_context_of_their_caller(kind: str) -> None:
    """A context variable reaches the worker threads, as those of tracers and loggers must."""
    variable = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    class Watching(Fake):
        def create_stream(self, **_: object) -> dict[str, Any]:
            seen.append(variable.get())
            raise KeyError

    variable.set("set")
    with pytest.raises(KeyError):
        run_fleet(kind, Watching(KeyError()))
    assert set(seen) == {"set"}


def test_an_iterable_that_asks_for_results_is_told_so(drive: Launch) -> None:
    """A fleet cannot be run by its own requests; that is their exception, and comes last."""
    results: Any = None

    def greedy() -> Iterator[CreateStreamRequest]:
        yield from named(2)
        next(results)

    results = drive(SYNC).client.ensure_streams(greedy())
    pairs: list[Any] = []
    with pytest.raises(ValueError, match="already executing"):
        pairs.extend(results)
    assert len(pairs) == 2


# Processes

_SCRIPT = """
import sys
from kvs_streams import CreateStreamRequest, StreamsClient

requests = [CreateStreamRequest(stream_name=f"{sys.argv[1]}-{i:04}") for i in range(200)]
with StreamsClient() as client:
    for request, result in client.ensure_streams(requests, rate=10.0):
        print(request.stream_name, flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("end", ["SIGINT", "SIGKILL"])
def test_an_interrupted_fleet_is_resumed_by_running_it_again(
    end: str, drive: Launch, plane: ControlPlane, tmp_path: Path, interruptible: None
) -> None:
    """Whatever ends it before its end, the next run creates what is missing, each stream once."""
    prefix = f"process-{end}"
    script = tmp_path / "fleet.py"
    script.write_text(_SCRIPT)
    environ = {**unmeasured(), **plane.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, script, prefix],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(prefix)
        process.send_signal(getattr(signal, end))
        _, complaint = process.communicate(timeout=120)
    assert process.returncode != 0
    if end == "SIGINT":
        assert "KeyboardInterrupt" in complaint
    (account,) = (each for each in plane.stats().values() if each["created"])
    assert 0 < len(account["created"]) < 200
    with StreamsClient(
        region_name=plane.region,
        endpoint_url=plane.url,
        session=session_of(plane),
    ) as client:
        requests = [CreateStreamRequest(stream_name=f"{prefix}-{i:04}") for i in range(200)]
        pairs = list(client.ensure_streams(requests, rate=2_000.0))
    assert set(outcomes(pairs)) == {"CREATED", "EXISTING"}
    (account,) = (each for each in plane.stats().values() if each["created"])
    assert len(account["created"]) == 200
    assert set(account["created"].values()) == {1}


def session_of(plane: ControlPlane) -> Any:
    """Return a session with the credentials that the control plane gives."""
    import boto3

    return boto3.Session(
        aws_access_key_id=plane.environ["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=plane.environ["AWS_SECRET_ACCESS_KEY"],
    )
