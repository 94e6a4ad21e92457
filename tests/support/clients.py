"""Clients of every kind for a given address, with made-up credentials.

A ``Driver`` puts a sync client and the two kinds of async clients behind the same plain calls, so
that one test body serves all three.
"""

import asyncio
import os
from collections.abc import Awaitable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from .loopback import REGION

if TYPE_CHECKING:
    from kvs_streams import AsyncStreamsClient, StreamsClient

# The key of AWS's own documentation, which no service knows.
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "ExampleSessionToken//////////wEaCXVzLWVhc3QtMSJ="

SYNC, ASYNC_BOTO3, AIOBOTOCORE = "sync", "async-boto3", "aiobotocore"

NEEDS_AIOBOTOCORE = [
    pytest.mark.aiobotocore,
    pytest.mark.skipif(find_spec("aiobotocore") is None, reason="aiobotocore is not installed"),
]
WITH_AIOBOTOCORE = pytest.param(AIOBOTOCORE, marks=NEEDS_AIOBOTOCORE)
# Where aiobotocore is not installed its kind is left out, or hundreds of tests would be skipped.
ASYNC_KINDS = [ASYNC_BOTO3, *([WITH_AIOBOTOCORE] if find_spec("aiobotocore") else [])]
KINDS = [SYNC, *ASYNC_KINDS]


def unmeasured() -> dict[str, str]:
    """The environment for a process that is killed, which would leave half a file of coverage."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


@lru_cache
def boto_session() -> Any:
    """One session for all tests, so that the service model is read once."""
    import boto3

    return boto3.Session(
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        aws_session_token=SESSION_TOKEN,
        region_name=REGION,
    )


@lru_cache
def _aio_session() -> Any:
    from aiobotocore.session import AioSession

    session = AioSession()
    session.set_credentials(ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)
    return session


def settings(
    *,
    attempts: int | None = 1,
    mode: str = "standard",
    read_timeout: float = 60,
    **more: Any,
) -> dict[str, Any]:
    """What ``botocore.config.Config`` takes; ``attempts=None`` leaves the number to botocore."""
    retries = {"mode": mode} | ({} if attempts is None else {"total_max_attempts": attempts})
    return {
        "retries": retries,
        "read_timeout": read_timeout,
        "connect_timeout": 60,
        "max_pool_connections": 64,
    } | more


def boto_client(
    url: str | None = None,
    *,
    session: Any = None,
    service: str = "kinesisvideo",
    verify: str | None = None,
    **config: Any,
) -> Any:
    """Make a plain boto3 client; the caller closes it."""
    from botocore.config import Config

    return (session or boto_session()).client(
        service, endpoint_url=url, verify=verify, config=Config(**settings(**config))
    )


def registered_handlers(client: Any) -> str:
    """Name every event handler of a boto client, to be compared with what it had before."""
    events = client.meta.events
    emitter = getattr(events, "_emitter", events)
    return f"{events} {emitter} {emitter._handlers._root}"


class Driver:
    """One client behind plain calls; that of an async client runs on an event loop of its own."""

    def __init__(
        self,
        kind: str,
        client: "StreamsClient | AsyncStreamsClient",
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.kind = kind
        self.client: Any = client
        self.loop = loop

    def finish(self, result: Any) -> Any:
        """Return what a call gave, awaited where it has to be."""
        return result if self.loop is None else self.loop.run_until_complete(result)

    def create_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self.finish(self.client.create_stream(*args, **kwargs))

    def describe_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self.finish(self.client.describe_stream(*args, **kwargs))

    def wait_until_active(self, *args: Any, **kwargs: Any) -> Any:
        return self.finish(self.client.wait_until_active(*args, **kwargs))

    def ensure_stream(self, *args: Any, **kwargs: Any) -> Any:
        return self.finish(self.client.ensure_stream(*args, **kwargs))

    def ensure_streams(self, *args: Any, **kwargs: Any) -> list[Any]:
        results = self.client.ensure_streams(*args, **kwargs)
        if self.loop is None:
            return list(results)

        async def collect() -> list[Any]:
            return [pair async for pair in results]

        return self.loop.run_until_complete(collect())


class Connect(Protocol):
    """What the fixture ``connect`` gives: makes a driver, by default for the loopback server."""

    def __call__(self, url: str | None = None, **options: Any) -> Driver: ...


async def _enter(
    stack: AsyncExitStack,
    url: str,
    *,
    session: Any = None,
    verify: str | None = None,
    **config: Any,
) -> Any:
    from aiobotocore.config import AioConfig

    opened = (session or _aio_session()).create_client(
        "kinesisvideo",
        region_name=REGION,
        endpoint_url=url,
        verify=verify,
        config=AioConfig(**settings(**config)),
    )
    return await stack.enter_async_context(opened)


async def _see_tasks_end(last: Awaitable[object]) -> None:
    """Await the last call on a loop, and see that no task is left behind."""
    await last
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others, f"tasks left behind: {others}"


@contextmanager
def driving(
    kind: str, url: str | None = None, *, throttle_retry: Any = None, **options: Any
) -> Iterator[Driver]:
    """Make a client of a kind for ``url``, and take down all that came with it."""
    from kvs_streams import AsyncStreamsClient, StreamsClient, ThrottleRetry

    retry = ThrottleRetry() if throttle_retry is None else throttle_retry
    if kind == SYNC:
        with closing(boto_client(url, **options)) as raw:
            yield Driver(kind, StreamsClient(raw, throttle_retry=retry), None)
        return
    loop = asyncio.new_event_loop()
    stack = AsyncExitStack()
    try:
        if kind == ASYNC_BOTO3:
            raw = stack.enter_context(closing(boto_client(url, **options)))
        else:
            raw = loop.run_until_complete(_enter(stack, str(url), **options))
        driver = Driver(kind, AsyncStreamsClient(raw, throttle_retry=retry), loop)
        yield driver
        loop.run_until_complete(driver.client.aclose())
    finally:
        loop.run_until_complete(_see_tasks_end(stack.aclose()))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def bare_session(kind: str) -> Any:
    """A session that knows no credentials."""
    if kind == AIOBOTOCORE:
        from aiobotocore.session import AioSession

        return AioSession()
    import boto3

    return boto3.Session(region_name=REGION)
