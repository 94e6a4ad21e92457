"""Clients of every kind for a given address, with made-up credentials.

A ``Driver`` puts a sync client and the two kinds of async clients behind the same plain calls, so
that one test body serves all three.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Protocol

import pytest

from .loopback import REGION

# The key of AWS's own documentation, which no service knows.
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION_TOKEN = "ExampleSessionToken//////////wEaCXVzLWVhc3QtMSJ="

SYNC, ASYNC_BOTO3, AIOBOTOCORE = "sync", "async-boto3", "aiobotocore"

# Where aiobotocore is not installed its kind is left out, or hundreds of tests would be skipped.
WITH_AIOBOTOCORE = pytest.param(AIOBOTOCORE, marks=pytest.mark.aiobotocore)
KINDS = [SYNC, ASYNC_BOTO3, *([WITH_AIOBOTOCORE] if find_spec("aiobotocore") else [])]


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


def settings(*, attempts: int | None = 1, mode: str = "standard", **more: Any) -> dict[str, Any]:
    """What ``botocore.config.Config`` takes; ``attempts=None`` leaves the number to botocore."""
    retries = {"mode": mode} | ({} if attempts is None else {"total_max_attempts": attempts})
    return {"retries": retries, "max_pool_connections": 64, **more}


def boto_client(url: str | None = None, *, service: str = "kinesisvideo", **config: Any) -> Any:
    """Make a plain boto3 client; the caller closes it."""
    from botocore.config import Config

    return boto_session().client(service, endpoint_url=url, config=Config(**settings(**config)))


def _aio_client(url: str | None, **config: Any) -> Any:
    """Open a client of aiobotocore's with ``async with``."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

    session = AioSession()
    session.set_credentials(ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)
    options = {"region_name": REGION, "endpoint_url": url}
    return session.create_client("kinesisvideo", **options, config=AioConfig(**settings(**config)))


def registered_handlers(client: Any) -> str:
    """Name every event handler of a boto client, to be compared with what it had before."""
    return str(client.meta.events._emitter._handlers._root)


class Driver:
    """One client behind plain calls; that of an async client runs on an event loop of its own."""

    def __init__(self, kind: str, client: Any, loop: asyncio.AbstractEventLoop | None) -> None:
        self.kind, self.client, self.loop = kind, client, loop

    def finish(self, result: Any) -> Any:
        """Return what a call gave, awaited where it has to be."""
        return result if self.loop is None else self.loop.run_until_complete(result)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return a method of the client as a plain call."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return self.finish(getattr(self.client, method)(*args, **kwargs))

        return call

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
            opened = stack.enter_async_context(_aio_client(url, **options))
            raw = loop.run_until_complete(opened)
        driver = Driver(kind, AsyncStreamsClient(raw, throttle_retry=retry), loop)
        yield driver
        loop.run_until_complete(driver.client.aclose())
    finally:
        loop.run_until_complete(_see_tasks_end(stack.aclose()))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
