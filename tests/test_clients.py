"""The clients themselves: what they build and close, and what passes through them untouched."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import ContextVar, copy_context
from inspect import signature
from typing import Any

import pytest
from botocore.config import Config
from support.clients import boto_client, registered_handlers
from support.clock import VirtualClock, use
from support.runner import COROUTINES, KINDS, SYNC, THREADS, Runner
from support.service import (
    CREATE,
    DESCRIBE,
    TAGS,
    Answer,
    Awaited,
    Model,
    Scripted,
    first,
    told,
)

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    ResourceInUseException,
    ServiceError,
    StreamsClient,
    TransportError,
)

ENSURE = "ensure_stream"
CAM = CreateStreamRequest(stream_name="cam")
TAGGED = CreateStreamRequest(stream_name="cam", tags={"site": "Bern"})
CLIENTS = pytest.mark.parametrize("cls", [StreamsClient, AsyncStreamsClient])


class Session:
    """A session that builds one fake, and counts how often and in which threads."""

    def __init__(self, boto: object) -> None:
        self.boto = boto
        self.threads: list[threading.Thread] = []
        self.options: dict[str, Any] = {}

    def client(self, service: str, **options: Any) -> Any:
        assert service == "kinesisvideo"
        self.threads.append(threading.current_thread())
        self.options = options
        return self.boto


# What is built and closed.


def test_sync_client_closes_what_it_built(boto: Scripted) -> None:
    """Leaving the block closes the client that was built, and closing again is harmless."""
    session: Any = Session(boto)
    boto.on(CREATE, *told("new"))
    with StreamsClient(session=session) as client:
        client.create_stream(CAM)
        raw: Any = client.boto_client
        assert raw is boto
        assert boto.closed == 0
    assert boto.closed == 1
    client.close()
    assert len(session.threads) == 1


def test_async_client_builds_on_first_use(boto: Scripted) -> None:
    """Many first calls build one client, off the event loop's thread, and leaving closes it."""
    session: Any = Session(boto)
    boto.on(CREATE, *told("new " * 8))

    async def calls() -> None:
        async with AsyncStreamsClient(session=session) as client:
            assert session.threads == []
            assert repr(client).startswith("AsyncStreamsClient(")
            assert session.threads == []
            await asyncio.gather(*[client.create_stream(CAM) for _ in range(8)])
            raw: Any = client.boto_client
            assert raw is boto
            assert boto.closed == 0
        assert boto.closed == 1
        await client.aclose()

    asyncio.run(calls())
    assert len(session.threads) == 1
    assert session.threads[0] is not threading.main_thread()


def test_async_client_builds_nothing_unasked(boto: Scripted) -> None:
    """Neither a request that is refused nor closing builds a client; ``boto_client`` does."""
    session, request = Session(boto), None

    async def close_at_once() -> None:
        async with client:
            with pytest.raises(TypeError):
                await client.create_stream(request)

    client: Any = AsyncStreamsClient(session=session)
    asyncio.run(close_at_once())
    assert (session.threads, boto.closed) == ([], 0)
    assert client.boto_client is client.boto_client is boto
    assert len(session.threads) == 1
    asyncio.run(client.aclose())
    assert boto.closed == 1


def test_client_that_was_passed_in_is_left_alone(run: Runner, boto: Scripted) -> None:
    """It is not closed, it is there as ``boto_client``, and it is not altered."""
    boto.on(CREATE, *told("new"))
    before = {**vars(boto)}
    run(CREATE, CAM)
    assert {**vars(boto)} == before
    given = run.client.boto_client
    assert getattr(given, "fake", given) is boto
    if run.kind == SYNC:
        with run.client as client:
            client.close()
    else:
        run("__aexit__")
    assert boto.closed == 0


@CLIENTS
def test_what_a_client_is_built_from(cls: Any, boto: Scripted) -> None:
    """What the constructor takes reaches the session, which need not be boto3's."""
    session, config = Session(boto), Config(user_agent_extra="ours")
    client = cls(session=session, region_name="there", endpoint_url="https://here", config=config)
    assert client.boto_client is boto
    config = session.options.pop("config")
    assert (config.user_agent_extra, config.max_pool_connections) == ("ours", 64)
    assert session.options == {"region_name": "there", "endpoint_url": "https://here"}


@CLIENTS
def test_client_of_boto3_is_not_altered(cls: Any) -> None:
    """A client of boto3's keeps its handlers and its settings."""
    with closing(boto_client("http://127.0.0.1:1")) as raw:
        handlers, config = registered_handlers(raw), {**vars(raw.meta.config)}
        assert cls(raw).boto_client is raw
        assert (registered_handlers(raw), vars(raw.meta.config)) == (handlers, config)


@CLIENTS
@pytest.mark.parametrize("retry, text", [(None, "None"), (5, "5"), ({"max_attempts": 5}, "<dict>")])
def test_wrong_throttle_retry(cls: Any, boto: Scripted, retry: Any, text: str) -> None:
    """``throttle_retry`` takes a ThrottleRetry, which the text says."""
    with pytest.raises(TypeError, match=f"ThrottleRetry, not {text}$"):
        cls(boto, throttle_retry=retry)


@pytest.mark.parametrize("method", ["wait_until_active", ENSURE, "ensure_streams"])
def test_defaults(method: str) -> None:
    """Both clients take the same, with the same defaults."""
    own, other = (signature(getattr(each, method)) for each in (StreamsClient, AsyncStreamsClient))
    defaults = {name: parameter.default for name, parameter in own.parameters.items()}
    assert defaults == {name: parameter.default for name, parameter in other.parameters.items()}
    assert defaults["timeout"] == 300


# What passes through untouched.


class Abort(BaseException):
    """Ends a test, as ``pytest.fail`` does."""


FOREIGN = [ValueError("a bug"), KeyError("cam"), AssertionError(), OSError(5, "x"), Abort("over")]


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", [CREATE, DESCRIBE, TAGS])
def test_foreign_errors(run: Runner, boto: Scripted, method: str, error: BaseException) -> None:
    """What a fake raises passes through every flow as it is, and nothing more is called."""
    boto.on(method, Answer(failure=error))
    for before, answers in {CREATE: "conflict", DESCRIBE: "active"}.items():
        if before == method:
            break
        boto.on(before, *told(answers))
    with pytest.raises(type(error)) as caught:
        run(ENSURE, TAGGED)
    assert caught.value is error
    assert boto.made[-1] == method


def test_exhausted_mock(run: Runner, boto: Scripted) -> None:
    """``StopIteration`` out of a fake becomes a ``RuntimeError``, and nothing hangs."""
    boto.on(CREATE, Answer(failure=StopIteration()))
    with pytest.raises(RuntimeError, match=r"^(the boto client|coroutine) raised StopIteration$"):
        run(CREATE, CAM)


TAKEN: Any = {"Error": {"Code": "ResourceInUseException", "Message": "taken"}}
CONFLICT = ResourceInUseException(TAKEN, "CreateStream", stream_name="cam")
OURS = [(CONFLICT, "EXISTING"), (TransportError("lost"), "RECOVERED")]


@pytest.mark.parametrize("error, outcome", OURS)
def test_errors_of_ours(run: Runner, boto: Scripted, error: Exception, outcome: str) -> None:
    """A mock can raise our errors, made by their published constructors."""
    boto.on(CREATE, Answer(failure=error)).on(DESCRIBE, *told("active"))
    assert run(ENSURE, CAM).outcome == outcome


class BrokenError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


@pytest.mark.parametrize("last", ["denied", "conflict"])
def test_call_while_another_exception_is_handled(run: Runner, boto: Scripted, last: str) -> None:
    """An exception of the caller's that cannot be shown does not take the place of ours."""
    boto.on(CREATE, *told("new")).on(DESCRIBE, *told(last))
    try:
        raise BrokenError  # noqa: TRY301  # the call is made while this is handled
    except BrokenError:
        with pytest.raises(ServiceError) as caught:
            run(ENSURE, CAM)
    assert told(last)[0].code in str(caught.value)
    assert caught.value.created is not None


REQUEST_NUMBER: ContextVar[int] = ContextVar("REQUEST_NUMBER", default=0)


def test_context_variables_reach_the_client(run: Runner, boto: Scripted) -> None:
    """What runs in a worker thread sees the caller's context, for tracing and logging."""
    seen: list[int] = []

    class Tracing(Scripted):
        def answer(self, method: str, kwargs: dict[str, Any]) -> Answer:
            seen.append(REQUEST_NUMBER.get())
            return super().answer(method, kwargs)

    fake = Tracing(boto.clock).on(CREATE, *told("throttled new")).on(DESCRIBE, *told("active"))

    def call() -> None:
        REQUEST_NUMBER.set(7)
        run.over(fake)(ENSURE, CAM)

    copy_context().run(call)
    assert seen == [7, 7, 7]


# Cancellation.


class Slow(Scripted):
    """Its creates do not end before they are told to."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__(clock)
        self.began, self.end = threading.Event(), threading.Event()

    def answer(self, method: str, kwargs: dict[str, Any]) -> Answer:
        self.began.set()
        assert self.end.wait(60)
        return told("new")[0]


class SlowCoroutines(Awaited):
    """Its creates never end."""

    async def create_stream(self, **kwargs: Any) -> Any:
        self.fake.began.set()
        await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize("kind", [THREADS, COROUTINES])
def test_cancelled_call(clock: VirtualClock, kind: str) -> None:
    """Cancelling ends the wait at once, also while a thread is still busy with the call."""
    fake = Slow(clock)
    boto: Any = fake if kind == THREADS else SlowCoroutines(fake)

    async def cancel() -> None:
        task = asyncio.create_task(AsyncStreamsClient(boto).ensure_stream(CAM))
        assert await asyncio.to_thread(fake.began.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not fake.end.is_set()
        fake.end.set()

    asyncio.run(cancel())
    assert fake.made == ([CREATE] if kind == THREADS else [])


def test_cancelled_pause(clock: VirtualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause is cancelled like any other await, and nothing is sent after it."""
    fake = Scripted(clock).on(CREATE, *told("throttled"))

    async def sleep(_: float) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(clock, "sleep_async", sleep)

    async def cancel() -> None:
        client: Any = AsyncStreamsClient(Awaited(fake))
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(client.create_stream(CAM), 0.01)

    asyncio.run(cancel())
    assert fake.made == [CREATE]


# Shared.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("one_name", [True, False])
def test_shared_client(monkeypatch: pytest.MonkeyPatch, kind: str, one_name: bool) -> None:
    """Threads and tasks share a client: each has its own stream, and one name is created once."""
    clock = use(VirtualClock(), monkeypatch)
    service = Model(clock, creating=0.0, fault=first(1, "lost after") if not one_name else None)
    run = Runner(kind, service)
    names = ["cam" if one_name else f"cam-{number}" for number in range(32)]
    requests = [CreateStreamRequest(stream_name=name) for name in names]
    if kind == SYNC:
        with ThreadPoolExecutor(16) as pool:
            results = [*pool.map(run.client.ensure_stream, requests)]
    else:

        async def ensure_all() -> list[Any]:
            return await asyncio.gather(*map(run.client.ensure_stream, requests))

        results = asyncio.run(ensure_all())
    outcomes = Counter(result.outcome.name for result in results)
    assert outcomes == ({"CREATED": 1, "EXISTING": 31} if one_name else {"RECOVERED": 32})
    assert [result.stream.stream_name for result in results] == names
