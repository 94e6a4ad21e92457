"""No raised error is part of a reference cycle: it is gone as soon as nobody holds it."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError, NoCredentialsError
from fake_io import (
    BROKEN,
    CONFLICT,
    DENIED,
    NO_ARN,
    NOT_FOUND,
    THROTTLED,
    AioBoto,
    Answer,
    FakeBoto,
    created,
    seen,
    unreadable,
)
from support.clients import boto_client
from support.clock import FakeClock
from support.loopback import Loopback, drop, hang

from kvs_streams import (
    AsyncStreamsClient,
    ConfigurationError,
    CreateStreamRequest,
    KvsStreamsError,
    StreamsClient,
    TransportError,
)

REQUEST = CreateStreamRequest(stream_name="cam", tags={"a": "b"}, media_type="video/h264")
LOST = "lost"
CREATE, DESCRIBE, TAGS = "create_stream", "describe_stream", "list_tags_for_stream"
FAILURES: dict[str, Callable[[], Exception]] = {
    LOST: lambda: ConnectionClosedError(endpoint_url="https://kvs.example"),
    "unreadable": unreadable,
    "no credentials": NoCredentialsError,
}
FOREVER = 500
SAME = seen(MediaType="video/h264")

# The method, and the answers to each of boto's.
CASES: dict[str, tuple[str, dict[str, list[Any]]]] = {
    "create, denied": ("create", {CREATE: [DENIED]}),
    "create, conflict": ("create", {CREATE: [CONFLICT]}),
    "create, lost": ("create", {CREATE: [LOST]}),
    "create, unreadable": ("create", {CREATE: ["unreadable"]}),
    "create, no credentials": ("create", {CREATE: ["no credentials"]}),
    "create, no ARN": ("create", {CREATE: [NO_ARN]}),
    "create, throttled to the end": ("create", {CREATE: [THROTTLED] * 5}),
    "create, throttled and denied": ("create", {CREATE: [THROTTLED, THROTTLED, DENIED]}),
    "describe, not found": ("describe", {DESCRIBE: [NOT_FOUND]}),
    "describe, throttled and lost": ("describe", {DESCRIBE: [THROTTLED, LOST]}),
    "wait, timeout": ("wait", {DESCRIBE: [seen("CREATING")] * FOREVER}),
    "wait, timeout and throttled": ("wait", {DESCRIBE: [THROTTLED] * FOREVER}),
    "wait, not found": ("wait", {DESCRIBE: [NOT_FOUND] * FOREVER}),
    "wait, gone": ("wait", {DESCRIBE: [seen("CREATING"), NOT_FOUND]}),
    "wait, deleting": ("wait", {DESCRIBE: [THROTTLED, seen("DELETING")]}),
    "wait, broken and denied": ("wait", {DESCRIBE: [BROKEN, DENIED]}),
    "ensure, throttled and denied": ("ensure", {CREATE: [THROTTLED, DENIED]}),
    "ensure, drift": (
        "ensure",
        {CREATE: [CONFLICT], DESCRIBE: [THROTTLED, seen()], TAGS: [Answer(body={})]},
    ),
    "ensure, lost and not found": ("ensure", {CREATE: [LOST], DESCRIBE: [NOT_FOUND] * FOREVER}),
    "ensure, lost and timeout": ("ensure", {CREATE: [LOST], DESCRIBE: [BROKEN] * FOREVER}),
    "ensure, broken and timeout": ("ensure", {CREATE: [BROKEN], DESCRIBE: [THROTTLED] * FOREVER}),
    "ensure, gone": ("ensure", {CREATE: [created()], DESCRIBE: [seen("CREATING"), NOT_FOUND]}),
    "ensure, deleting": ("ensure", {CREATE: [created()], DESCRIBE: [seen("DELETING")]}),
    "ensure, deleted and denied": (
        "ensure",
        {CREATE: [CONFLICT, DENIED], DESCRIBE: [seen("DELETING"), NOT_FOUND]},
    ),
    "ensure, rivals": (
        "ensure",
        {CREATE: [CONFLICT] * FOREVER, DESCRIBE: [NOT_FOUND] * FOREVER},
    ),
    "ensure, pages": (
        "ensure",
        {
            CREATE: [CONFLICT],
            DESCRIBE: [SAME],
            TAGS: [Answer(body={"NextToken": "again"})] * 2,
        },
    ),
}


class Scripted(FakeBoto):
    """Answers as scripted; unlike a prepared exception, each one raised is new and kept nowhere."""

    def __init__(self, clock: FakeClock, script: dict[str, list[Any]]) -> None:
        super().__init__(clock)
        self.script = {method: list(answers) for method, answers in script.items()}

    def answer(self, method: str) -> Answer:
        answer = self.script[method].pop(0)
        if isinstance(answer, str):
            make = FAILURES[answer]
            raise make()
        return replace(answer)


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error of ours, and those of ours behind it."""
    for other in (error, error.__cause__, error.__context__):
        if isinstance(other, KvsStreamsError):
            yield other


def watch(error: BaseException) -> list[Any]:
    """Weak references to an error of ours and to those behind it."""
    return [weakref.ref(each) for each in chain(error)]


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Leave all that is part of a cycle where it is."""
    gc.disable()
    yield
    gc.enable()


def call(client: Any, method: str) -> Any:
    """Call the client."""
    if method == "create":
        return client.create_stream(REQUEST)
    if method == "describe":
        return client.describe_stream("cam")
    if method == "wait":
        return client.wait_until_active("cam", timeout=20)
    return client.ensure_stream(REQUEST, timeout=20)


def fail(client: Any, method: str) -> list[Any]:
    """Make a call that fails, and watch its error; it is held nowhere afterwards."""
    try:
        call(client, method)
    except KvsStreamsError as error:
        return watch(error)
    raise AssertionError("the call does not fail")


async def fail_async(client: Any, method: str) -> list[Any]:
    """The same with ``await``; whoever runs a loop to its end has cycles of its own."""
    try:
        await call(client, method)
    except KvsStreamsError as error:
        return watch(error)
    raise AssertionError("the call does not fail")


@pytest.mark.parametrize("kind", ["sync", "async", "aio"])
@pytest.mark.parametrize("method, script", CASES.values(), ids=list(CASES))
def test_errors_are_gone_at_once(
    kind: str, method: str, script: dict[str, list[Any]], no_collector: None
) -> None:
    """Without the garbage collector an error, its frames and its causes end when dropped."""
    clock = FakeClock()
    boto: Any = Scripted(clock, script)
    client: Any
    if kind == "sync":
        client = StreamsClient(boto)
        client._io.clock = clock
        gone = fail(client, method)
    else:
        client = AsyncStreamsClient(AioBoto(boto) if kind == "aio" else boto)
        client._io.clock = clock
        with closing(asyncio.new_event_loop()) as loop:
            gone = loop.run_until_complete(fail_async(client, method))
            loop.run_until_complete(loop.shutdown_default_executor())
    assert gone
    assert [each() for each in gone] == [None] * len(gone)
    client_gone, boto_gone = weakref.ref(client), weakref.ref(boto)
    del client, boto
    assert (client_gone(), boto_gone()) == (None, None), "a frame of the call is left"


def watch_refusal(refused: Callable[[], object]) -> list[Any]:
    """Watch the error of what is refused."""
    try:
        refused()
    except KvsStreamsError as error:
        return watch(error)
    raise AssertionError("it is not refused")


def test_refused_requests_and_clients(no_collector: None) -> None:
    """The same for what is refused before any call."""
    client = StreamsClient(boto_client())
    gone: list[Any] = []
    for refused in [
        lambda: CreateStreamRequest(stream_name="a b"),
        lambda: client.describe_stream("a b"),
        lambda: StreamsClient(region_name="eu-west-1", endpoint_url="http://a b"),
        lambda: AsyncStreamsClient(region_name="eu-west-1", endpoint_url="http://a b").boto_client,
        lambda: StreamsClient(session=boto3.Session(), endpoint_url="http://127.0.0.1:1"),
    ]:
        gone += watch_refusal(refused)
    assert len(gone) == 5
    assert [each() for each in gone] == [None] * len(gone)


def test_errors_over_http(server: Loopback, no_collector: None) -> None:
    """The same for real connections that are lost, where botocore's own errors are the causes."""
    server.on_create(drop(), hang())
    with closing(boto_client(server.url, read_timeout=1)) as raw:
        for _ in range(2):
            gone = fail(StreamsClient(raw), "create")
            assert [each() for each in gone] == [None]


def test_error_that_is_kept_is_whole(server: Loopback) -> None:
    """An error that is kept has its traceback and its cause."""
    server.on_create(drop())
    with closing(boto_client(server.url)) as raw, pytest.raises(TransportError) as caught:
        StreamsClient(raw).create_stream(REQUEST)
    assert isinstance(caught.value.__cause__, ConnectionClosedError)
    assert caught.value.__traceback__ is not None


def test_configuration_error_has_its_cause() -> None:
    """So has the error of a client that cannot be built."""
    with pytest.raises(ConfigurationError) as caught:
        StreamsClient(session=boto3.Session())
    assert caught.value.__cause__ is not None
