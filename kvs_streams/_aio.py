"""The asynchronous client: a thin driver of the same flows over a boto3 or aiobotocore client."""

import asyncio
import math
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Iterable,
    Mapping,
)
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Lock
from types import TracebackType
from typing import Any, Literal

from botocore.client import BaseClient
from botocore.config import Config
from typing_extensions import Self

from ._boto import KinesisVideoClient as BotoClient
from ._client import (
    Calls,
    Source,
    check_fleet,
    check_request,
    check_retry,
    is_async,
    where,
    workers,
)
from ._flows.call import Operation, ThrottleRetry, create, describe
from ._flows.ensure import check_on_drift, ensure
from ._flows.fleet import Fleet
from ._flows.io import Io, NotYet
from ._flows.wait import Poller, wait_until_active
from ._request import CreateStreamRequest
from ._results import CreateStreamResponse, EnsuredStream, StreamInfo
from ._wire import Call
from .errors import KvsStreamsError
from .typing import AsyncKinesisVideoClient, BotoSession, KinesisVideoClient


class _AsyncIo(Io):
    """Awaits each call; those of a boto3 client are made in worker threads."""

    def __init__(self, client: Any) -> None:
        self.client = client  # None until one is built
        self._in_threads = client is None or not is_async(client)

    async def call(self, call: Call) -> Any:
        return await self.call_in(None, call)

    async def call_in(self, pool: ThreadPoolExecutor | None, call: Call) -> Any:
        """Make a call; if it needs a thread, in one of this pool or else of the loop's own."""
        method = getattr(self.client, call.method)
        if not self._in_threads:
            return await method(**call.kwargs)
        make = partial(copy_context().run, _call, method, **call.kwargs)
        return await asyncio.get_running_loop().run_in_executor(pool, make)

    async def sleep(self, nanoseconds: int) -> None:
        await self.clock.sleep_async(nanoseconds)


class _Tasks(Calls):
    """Makes the calls of a fleet in tasks, those of a boto3 client in worker threads of its own."""

    def __init__(self, io: "_AsyncIo", requests: object, workers: int) -> None:
        super().__init__(io, asyncio.Event(), workers)
        self._io = io
        self._requests: Any = requests
        self._is_async = hasattr(requests, "__anext__")
        self._item: asyncio.Future[Any] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self) -> object:
        if not self._is_async:
            return next(self._requests)
        if self._item is None:
            self._item = asyncio.ensure_future(anext(self._requests))
            self._item.add_done_callback(lambda _: self._event.set())
        if not self._item.done():
            return NotYet
        item, self._item = self._item, None
        return item.result()

    def submit(self, tag: object, call: Call) -> None:
        self._in_flight += 1
        task = asyncio.create_task(self._make(tag, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _make(self, tag: object, call: Call) -> None:
        self._end(tag, *await self._outcome(call))

    async def _outcome(self, call: Call) -> tuple[Any, BaseException | None]:
        # The traceback of an error refers to this frame, so no variable refers to the error.
        try:
            return await self._io.call_in(self._pool, call), None
        except BaseException as exc:  # noqa: BLE001  # it is raised where the call is awaited
            return None, exc

    async def done(self, nanoseconds: float) -> None:
        await self.clock.wait_async(self._event, nanoseconds, busy=self._in_flight > 0)
        self._event.clear()

    async def aclose(self) -> None:
        """Let the calls in flight end."""
        tasks: set[asyncio.Future[Any]] = {*self._tasks}
        if self._item is not None:
            self._item.cancel()
            tasks.add(self._item)
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._pool.shutdown()


def _call(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Call a function in a worker thread."""
    try:
        return function(*args, **kwargs)
    except StopIteration as exc:
        # As in a coroutine: a future cannot carry it, and whoever awaits it would wait for ever.
        raise RuntimeError("the call raised StopIteration") from exc


class AsyncStreamsClient:
    """A typed client that creates Kinesis video streams with ``await``.

    Over a boto3 client each call is made in a worker thread, so that the event loop is never
    blocked; the calls of an aiobotocore client are awaited. Without a client, a boto3 client is
    built in a worker thread on first use.

    Cancelling an awaited method ends the wait at once. A call that is in flight in a worker thread
    runs to its end there, and its reply is dropped: the stream may be created all the same.

    Args:
        client: A boto3 or aiobotocore ``kinesisvideo`` client, which is never altered.
        session: The ``boto3.Session`` to build the client from.
        region_name: The region of the client to build, such as ``eu-central-1``.
        endpoint_url: Another endpoint for the client to build, such as that of a test server.
        config: The ``botocore.config.Config`` of the client to build.
        throttle_retry: Retry policy for ``ClientLimitExceededException``.

    Raises:
        TypeError: If ``client`` is of another service, or comes together with what a client is
            built from; if another argument has a wrong type.
    """

    def __init__(
        self,
        client: KinesisVideoClient | AsyncKinesisVideoClient | BaseClient | None = None,
        *,
        session: BotoSession | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        throttle_retry: ThrottleRetry = ThrottleRetry(),  # noqa: B008  # it never changes
    ) -> None:
        check_retry(throttle_retry)
        self._source = Source(
            session=session, region_name=region_name, endpoint_url=endpoint_url, config=config
        )
        self._source.check(client)
        self._owns_client = client is None
        self._io = _AsyncIo(client)
        self._building = Lock()
        self._closings = 0
        self._throttle_retry = throttle_retry

    def __repr__(self) -> str:
        """Show the region and the endpoint, once there is a client."""
        built = self._io.client is not None
        return f"{type(self).__name__}({where(self._io.client) if built else 'not built yet'})"

    @property
    def boto_client(self) -> BotoClient:
        """The client underneath, for every other operation; built now if there is none yet.

        Raises:
            ConfigurationError: If no client can be built: no region, an unknown profile, a bad
                endpoint.
        """
        return self._build(self._closings)

    def _build(self, closings: int) -> BotoClient:
        """Build a client unless there is one, and unless this client was closed meanwhile."""
        with self._building:
            if self._io.client is None:
                client = self._source.build()
                if closings != self._closings:
                    client.close()
                    raise RuntimeError("the client was closed while it was being built")
                self._io.client = client
            found: BotoClient = self._io.client
            return found

    async def _operation(self, timeout: float = math.inf) -> Operation:
        # Before anything is awaited: the operation starts now.
        operation = Operation(self._io, self._throttle_retry, timeout)
        if self._io.client is None:
            await asyncio.to_thread(_call, self._build, self._closings)
        return operation

    async def create_stream(self, request: CreateStreamRequest) -> CreateStreamResponse:
        """Create a stream; it becomes ``ACTIVE`` some time after this returns.

        Needs the IAM action ``kinesisvideo:CreateStream``.

        Args:
            request: What to create.

        Returns:
            AWS's response, with the ARN of the new stream.

        Raises:
            KvsStreamsError: As ``StreamsClient.create_stream``; ``ResourceInUseException`` if the
                stream exists already. ``ConfigurationError`` also if no client can be built.
        """
        check_request(request)
        return await create(await self._operation(), request)

    async def describe_stream(self, stream: str) -> StreamInfo:
        """Describe a stream.

        Needs the IAM action ``kinesisvideo:DescribeStream``. AWS allows 5 calls a second for each
        stream, which all callers share.

        Args:
            stream: The stream's name or its ARN.

        Raises:
            KvsStreamsError: As ``StreamsClient.describe_stream``; ``ResourceNotFoundException`` if
                the stream does not exist.
        """
        return await describe(await self._operation(), stream)

    async def wait_until_active(
        self, stream: str, *, timeout: float = 300.0, not_found_grace: float = 10.0
    ) -> StreamInfo:
        """Wait until a stream is ``ACTIVE``.

        Polls as ``StreamsClient.wait_until_active`` does: immediately, then at an interval that
        grows from 0.5 s to 5 s.

        Args:
            stream: The stream's name or its ARN.
            timeout: The deadline, in seconds from now, at least 0.
            not_found_grace: The grace period for a stream that is not found, in seconds.

        Raises:
            KvsStreamsError: As ``StreamsClient.wait_until_active``; ``WaitTimeoutError`` if the
                stream is not ``ACTIVE`` at the deadline, ``StreamDeletingError`` if it is being
                deleted.
        """
        operation = await self._operation(timeout)
        return await wait_until_active(operation, stream, not_found_grace)

    async def ensure_stream(
        self,
        request: CreateStreamRequest,
        *,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> EnsuredStream:
        """Create a stream unless it exists, and compare it with the request if it does.

        Works as ``StreamsClient.ensure_stream`` does, and needs the same IAM actions.

        Args:
            request: What to create. Only what it sets is compared with a stream that exists.
            wait: Whether to wait until the stream is ``ACTIVE``.
            timeout: The deadline for all of it, in seconds from now, at least 0.
            on_drift: Whether to raise if the stream exists with another configuration, or to return
                the differences.

        Raises:
            KvsStreamsError: As ``StreamsClient.ensure_stream``; ``StreamDriftError`` if the stream
                exists with another configuration, ``WaitTimeoutError`` at the deadline.
        """
        check_request(request)
        check_on_drift(on_drift)
        operation = await self._operation(timeout)
        poller = Poller(operation, request.stream_name)
        return await ensure(operation, request, poller, wait=wait, on_drift=on_drift)

    def ensure_streams(
        self,
        requests: Iterable[CreateStreamRequest] | AsyncIterable[CreateStreamRequest],
        *,
        rate: float = 50.0,
        max_in_flight: int = 32,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> AsyncGenerator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None]:
        """Create many streams unless they exist, at the pace that AWS allows.

        Works as ``StreamsClient.ensure_streams`` does, and needs the same IAM actions: yields one
        pair for each request, in the order of completion.

        Args:
            requests: What to create, also from an async iterable; consumed lazily, up to 2,000
                ahead.
            rate: Creates per second to start with, above 0; by default AWS's default quota.
            max_in_flight: The most calls at a time, at least 1, and at most one for each connection
                of the client's pool.
            wait: Whether to wait until each stream is ``ACTIVE``.
            timeout: The deadline of each stream, in seconds from its first call, at least 0.
            on_drift: Whether a stream with another configuration is a ``StreamDriftError`` or an
                ``EnsuredStream`` with the differences.

        Raises:
            TypeError: ``requests`` yields something else, or an argument has a wrong type.
            ValueError: An argument is out of its range.
            Exception: Whatever iterating ``requests`` raises, after the results of everything that
                was taken from it before.
        """
        check_fleet(rate, max_in_flight, timeout, on_drift)
        items = aiter(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        options = {"rate": rate, "wait": wait, "timeout": timeout, "on_drift": on_drift}
        return self._run_fleet(items, max_in_flight, options)

    async def _run_fleet(
        self, items: object, max_in_flight: int, options: Mapping[str, Any]
    ) -> AsyncGenerator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None]:
        """Yield the results of a fleet, and end it however the loop over them ends."""
        await self._operation()
        in_flight = workers(self._io.client, max_in_flight)
        tasks = _Tasks(self._io, items, in_flight)
        fleet = Fleet(tasks, max_in_flight=in_flight, **options)
        try:
            while (result := await fleet.next()) is not None:
                yield result
                # Results come in bulk: the calls go on, whether or not the consumer awaits.
                await asyncio.sleep(0)
        finally:
            fleet.close()
            await tasks.aclose()

    async def aclose(self) -> None:
        """Close the boto3 client if this client built it."""
        self._closings += 1
        if self._owns_client:
            await asyncio.to_thread(_call, self._close)

    def _close(self) -> None:
        with self._building:
            client = self._io.client
        if client is not None:
            client.close()

    async def __aenter__(self) -> Self:
        """Return this client."""
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close as ``aclose`` does."""
        await self.aclose()
