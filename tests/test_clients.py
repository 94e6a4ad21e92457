"""The clients themselves: what they build and close, and what passes through them untouched."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.clients import boto_client, registered_handlers
from support.clock import VirtualClock, use
from support.runner import COROUTINES, KINDS, SYNC, THREADS, Runner
from support.service import (
    CONFLICT,
    CREATE,
    DENIED,
    DESCRIBE,
    STORAGE,
    TAGS,
    THROTTLED,
    Answer,
    Awaited,
    Model,
    Scripted,
    created,
    described,
    first,
    tags,
)

from kvs_streams import (
    AccessDeniedError,
    AsyncStreamsClient,
    CreateStreamRequest,
    EnsureOutcome,
    ResourceInUseException,
    StreamsClient,
    StreamStorageConfiguration,
)

ENSURE = "ensure_stream"
CAM = CreateStreamRequest(stream_name="cam")
COMPARED = CreateStreamRequest(
    stream_name="cam",
    tags={"site": "Bern"},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="HOT"),
)
CLIENTS = pytest.mark.parametrize("cls", [StreamsClient, AsyncStreamsClient])


class Session:
    """A session that builds one fake, and counts how often and in which threads."""

    def __init__(self, boto: object) -> None:
        self.boto = boto
        self.threads: list[threading.Thread] = []

    def client(self, *args: object, **kwargs: object) -> Any:
        self.threads.append(threading.current_thread())
        return self.boto


# What is built and closed.


def test_sync_client_closes_what_it_built(boto: Scripted) -> None:
    """Leaving the block closes the client that was built, and closing again is harmless."""
    session: Any = Session(boto)
    boto.on(CREATE, created())
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
    boto.on(CREATE, *[created()] * 8)

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


def test_async_client_that_is_not_used_builds_nothing(boto: Scripted) -> None:
    """Closing builds no client, and neither does a request that is refused."""
    session: Any = Session(boto)

    async def use_nothing() -> None:
        request: Any = None
        async with AsyncStreamsClient(session=session) as client:
            with pytest.raises(TypeError):
                await client.create_stream(request)

    asyncio.run(use_nothing())
    assert (session.threads, boto.closed) == ([], 0)


def test_async_client_is_built_when_it_is_asked_for(boto: Scripted) -> None:
    """``boto_client`` builds the client if none is there."""
    session: Any = Session(boto)
    client: Any = AsyncStreamsClient(session=session)
    assert client.boto_client is client.boto_client is boto
    assert len(session.threads) == 1
    asyncio.run(client.aclose())
    assert boto.closed == 1


def test_client_that_was_passed_in_is_left_alone(run: Runner, boto: Scripted) -> None:
    """It is not closed, it is there as ``boto_client``, and it is not altered."""
    boto.on(CREATE, created())
    before = {**vars(boto)}
    run(CREATE, CAM)
    assert {**vars(boto)} == before
    if run.kind == SYNC:
        with run.client as client:
            assert client.boto_client is boto
    else:

        async def use_client() -> None:
            async with run.client as client:
                assert client.boto_client in (boto, run.client.boto_client)

        asyncio.run(use_client())
    assert boto.closed == 0


@CLIENTS
def test_client_of_boto3_is_not_altered(cls: Any) -> None:
    """A client of boto3's keeps its handlers and its settings."""
    with closing(boto_client("http://127.0.0.1:1")) as raw:
        handlers, config = registered_handlers(raw), {**vars(raw.meta.config)}
        assert cls(raw).boto_client is raw
        assert (registered_handlers(raw), vars(raw.meta.config)) == (handlers, config)


@CLIENTS
@pytest.mark.parametrize("retry", [None, 5, {"max_attempts": 5}])
def test_wrong_throttle_retry(cls: Any, boto: Scripted, retry: Any) -> None:
    """``throttle_retry`` takes a ThrottleRetry, which the text says."""
    with pytest.raises(TypeError, match="ThrottleRetry"):
        cls(boto, throttle_retry=retry)


@CLIENTS
def test_repr(cls: Any, boto: Scripted) -> None:
    """A client in a log names itself."""
    assert repr(cls(boto)) == f"{cls.__name__}(client=<Scripted>)"


# What passes through untouched.


class Abort(BaseException):
    """Ends a test, as ``pytest.fail`` does."""


FOREIGN = [ValueError("a bug"), KeyError("cam"), AssertionError(), OSError(5, "x"), Abort("over")]


@pytest.mark.parametrize("error", FOREIGN, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("method", [CREATE, DESCRIBE, TAGS, STORAGE])
def test_foreign_errors(run: Runner, boto: Scripted, method: str, error: BaseException) -> None:
    """What a fake raises passes through every flow as it is, and nothing more is called."""
    answers = {CREATE: CONFLICT, DESCRIBE: described(), TAGS: tags({"site": "Bern"})}
    answers = {**answers, STORAGE: Answer()}
    for name, answer in answers.items():
        boto.on(name, Answer(failure=error) if name == method else answer)
        if name == method:
            break
    with pytest.raises(type(error)) as caught:
        run(ENSURE, COMPARED)
    assert caught.value is error
    assert boto.made[-1] == method


@pytest.mark.parametrize("method, argument", [(CREATE, CAM), (DESCRIBE, "cam")])
def test_exhausted_mock(run: Runner, boto: Scripted, method: str, argument: Any) -> None:
    """``StopIteration`` out of a fake becomes a ``RuntimeError``, and nothing hangs."""
    boto.on(method, Answer(failure=StopIteration()))
    with pytest.raises(RuntimeError, match="StopIteration"):
        run(method, argument)


def test_errors_of_ours_from_a_mock(run: Runner, boto: Scripted) -> None:
    """A mock can raise our errors, made by their published constructors."""
    response: Any = {"Error": {"Code": "ResourceInUseException", "Message": "taken"}}
    conflict = ResourceInUseException(response, "CreateStream", stream_name="cam")
    boto.on(CREATE, Answer(failure=conflict)).on(DESCRIBE, described())
    assert run(ENSURE, CAM).outcome is EnsureOutcome.EXISTING


class BrokenError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


def fail() -> None:
    """Fail in the code of the caller."""
    raise BrokenError


@pytest.mark.parametrize("answer", [DENIED, DENIED.but(code="ResourceInUseException")])
def test_call_while_another_exception_is_handled(
    run: Runner, boto: Scripted, answer: Answer
) -> None:
    """An exception of the caller's that cannot be shown does not take the place of ours."""
    boto.on(CREATE, created(1)).on(DESCRIBE, answer)
    try:
        fail()
    except BrokenError:
        with pytest.raises(ClientError) as caught:
            run(ENSURE, CAM)
    error: Any = caught.value
    assert error.code == answer.code
    assert answer.code in str(error)
    assert error.created is not None


REQUEST_NUMBER: ContextVar[int] = ContextVar("REQUEST_NUMBER", default=0)


def test_context_variables_reach_the_client(run: Runner, boto: Scripted) -> None:
    """What runs in a worker thread sees the caller's context, for tracing and logging."""
    seen: list[int] = []

    class Tracing(Scripted):
        def answer(self, method: str, kwargs: dict[str, Any]) -> Answer:
            seen.append(REQUEST_NUMBER.get())
            return super().answer(method, kwargs)

    fake = Tracing(boto.clock).on(CREATE, THROTTLED, created()).on(DESCRIBE, described())
    token = REQUEST_NUMBER.set(7)
    try:
        run.over(fake)(ENSURE, CAM)
    finally:
        REQUEST_NUMBER.reset(token)
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
        return created()


class SlowCoroutines(Awaited):
    """Its creates never end."""

    async def create_stream(self, **kwargs: Any) -> Any:
        self.fake.began.set()  # type: ignore[attr-defined]
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
    fake = Scripted(clock).on(CREATE, THROTTLED)

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
    requests = [
        CreateStreamRequest(stream_name="cam" if one_name else f"cam-{number}")
        for number in range(32)
    ]
    if kind == SYNC:
        with ThreadPoolExecutor(16) as pool:
            results = [*pool.map(run.client.ensure_stream, requests)]
    else:

        async def ensure_all() -> list[Any]:
            return await asyncio.gather(*map(run.client.ensure_stream, requests))

        results = asyncio.run(ensure_all())
    outcomes = Counter(result.outcome for result in results)
    if one_name:
        assert outcomes == {EnsureOutcome.CREATED: 1, EnsureOutcome.EXISTING: 31}
    else:
        assert outcomes == {EnsureOutcome.RECOVERED: 32}
    assert [result.stream.stream_name for result in results] == [
        request.stream_name for request in requests
    ]


def test_a_simple_fake_will_do(clock: VirtualClock) -> None:
    """A user's fake needs the methods that are called, and nothing of boto's inner life."""
    fake: Any = SimpleNamespace(create_stream=lambda **_: {"StreamARN": "an ARN"})
    assert StreamsClient(fake).create_stream(CAM).stream_arn == "an ARN"


def test_error_of_the_right_type(run: Runner, boto: Scripted) -> None:
    """What guarded a call of boto3's still catches what we raise."""
    boto.on(DESCRIBE, DENIED)
    with pytest.raises(ClientError) as caught:
        run(DESCRIBE, "cam")
    assert isinstance(caught.value, AccessDeniedError)
    assert caught.value.response["Error"]["Code"] == DENIED.code
