"""The asynchronous client, which runs the same flows and fleets with ``await``."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Literal, TypeVar

from botocore.client import BaseClient
from botocore.config import Config
from typing_extensions import Self

from . import _clock
from ._boto import connections, is_async, make, make_async
from ._calls import Feed, calls_of
from ._client import ClientBase, check_request
from ._ensure import check_on_drift, ensure
from ._fleet import Fleet
from ._fleet_parts import Options
from ._flow import Flow, Pause, ThrottleRetry, create, describe, wait_until_active
from ._models import CreateStreamResponse, EnsuredStream, StreamInfo
from ._request import CreateStreamRequest
from ._stubs import KinesisVideoClient as BotoClient
from ._wire import Outcome
from .errors import KvsStreamsError
from .typing import AsyncKinesisVideoClient, BotoSession, KinesisVideoClient

_T = TypeVar("_T")


class AsyncStreamsClient(ClientBase):
    """A typed client that creates Kinesis video streams with ``await``.

    With a boto3 client, each call runs in a worker thread, so the event loop is never blocked. The
    calls of an aiobotocore client are awaited. If you pass no client, a boto3 client is built in a
    worker thread on first use.

    Cancelling an awaited method ends it at once. A call in flight in a worker thread still
    completes, and its reply is discarded, so the stream may be created.

    Args:
        client: A boto3 or aiobotocore ``kinesisvideo`` client, which is never modified.
        session: The ``boto3.Session`` to build the client from.
        region_name: The region of the client to build, such as ``eu-central-1``.
        endpoint_url: A custom endpoint for the client to build, such as a test server's URL.
        config: The ``botocore.config.Config`` of the client to build.
        throttle_retry: Retry policy for ``ClientLimitExceededException``.

    Raises:
        TypeError: If ``client`` is for another service, or is passed together with ``session``,
            ``region_name``, ``endpoint_url`` or ``config``; if an argument has a wrong type.
    """

    def __init__(
        self,
        client: KinesisVideoClient | AsyncKinesisVideoClient | BaseClient | None = None,
        *,
        session: BotoSession | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        throttle_retry: ThrottleRetry = ThrottleRetry(),  # noqa: B008  # immutable
    ) -> None:
        super().__init__(client, throttle_retry, session, region_name, endpoint_url, config)

    @property
    def boto_client(self) -> BotoClient:
        """The boto3 client, for all other operations.

        The first access builds it if necessary. If you passed an aiobotocore client, it is that
        client.

        Raises:
            ConfigurationError: If no client can be built: no region, an unknown
                ``AWS_PROFILE``, a bad endpoint.
        """
        return self._built()

    async def _ready(self) -> None:
        """Build a client in a worker thread unless there is one."""
        if self._client is None:
            await asyncio.to_thread(self._built)

    async def _run(self, flow: Flow[_T]) -> _T:
        """Run a flow to its end."""
        await self._ready()
        is_awaited = is_async(self._client)
        outcome: Outcome | None = None
        try:
            while True:
                question = flow.send(outcome)
                if isinstance(question, Pause):
                    await _clock.clock.sleep_async(question.nanoseconds)
                    outcome = None
                elif is_awaited:
                    outcome = await make_async(self._client, question)
                else:
                    outcome = await asyncio.to_thread(make, self._client, question)
        except StopIteration as stop:
            result: _T = stop.value
            return result

    async def create_stream(self, request: CreateStreamRequest) -> CreateStreamResponse:
        """Create a stream. It becomes ``ACTIVE`` some time after this call returns.

        Needs the IAM action ``kinesisvideo:CreateStream``.

        Args:
            request: The stream to create.

        Returns:
            AWS's response, with the ARN of the new stream.

        Raises:
            KvsStreamsError: As for ``StreamsClient.create_stream``: ``ResourceInUseException`` if
                the stream already exists, for example. ``ConfigurationError`` also if no client can
                be built.
        """
        check_request(request)
        return await self._run(create(self._operation(), request))

    async def describe_stream(self, stream: str) -> StreamInfo:
        """Describe a stream.

        Needs the IAM action ``kinesisvideo:DescribeStream``. AWS allows 5 calls per second for each
        stream, shared by all callers.

        Args:
            stream: The stream's name or ARN.

        Raises:
            KvsStreamsError: As for ``StreamsClient.describe_stream``: ``ResourceNotFoundException``
                if the stream does not exist, for example.
        """
        return await self._run(describe(self._operation(), stream))

    async def wait_until_active(
        self, stream: str, *, timeout: float = 300.0, not_found_grace: float = 10.0
    ) -> StreamInfo:
        """Wait until a stream is ``ACTIVE``.

        Polls immediately, then at an interval that grows from 0.5 s to 5 s, as in
        ``StreamsClient.wait_until_active``.

        Args:
            stream: The stream's name or ARN.
            timeout: The deadline, in seconds from now, at least 0.
            not_found_grace: The grace period for a stream that is not found, in seconds.

        Raises:
            KvsStreamsError: As for ``StreamsClient.wait_until_active``; ``WaitTimeoutError`` if the
                stream is not ``ACTIVE`` at the deadline, ``StreamDeletingError`` if it is being
                deleted.
        """
        operation = self._operation(timeout)
        return await self._run(wait_until_active(operation, stream, not_found_grace))

    async def ensure_stream(
        self,
        request: CreateStreamRequest,
        *,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> EnsuredStream:
        """Create a stream, or compare it with the request if it already exists.

        Works as ``StreamsClient.ensure_stream`` does, and needs the same IAM actions.

        Args:
            request: The stream to create. If it exists, only the fields that are set are compared.
            wait: Whether to wait until the stream is ``ACTIVE``.
            timeout: The deadline for the whole call, in seconds from now, at least 0.
            on_drift: If the stream exists with another configuration, ``"raise"`` raises
                ``StreamDriftError`` and ``"ignore"`` returns the differences.

        Raises:
            KvsStreamsError: As for ``StreamsClient.ensure_stream``; ``StreamDriftError`` if the
                stream exists with another configuration, ``WaitTimeoutError`` at the deadline.
        """
        check_request(request)
        check_on_drift(on_drift)
        operation = self._operation(timeout)
        return await self._run(ensure(operation, request, wait=wait, on_drift=on_drift))

    def ensure_streams(
        self,
        requests: Iterable[CreateStreamRequest] | AsyncIterable[CreateStreamRequest],
        *,
        rate: float = 50.0,
        max_in_flight: int = 64,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> AsyncGenerator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None]:
        """Create many streams. Nothing happens until you iterate over the result.

        Yields one pair for each request, in the order of completion, at the pace that AWS allows.
        Works as ``StreamsClient.ensure_streams`` does, and needs the same IAM actions.

        Args:
            requests: The streams to create, from an iterable or an async iterable, which is
                consumed lazily, up to 2,000 ahead.
            rate: The initial rate in creates per second, above 0; by default AWS's default quota.
            max_in_flight: The maximum number of concurrent calls, at least 1; never more than the
                connections of the client's pool.
            wait: Whether to wait until each stream is ``ACTIVE``.
            timeout: The deadline for each stream, in seconds from its first call, at least 0.
            on_drift: For a stream with another configuration, ``"raise"`` yields a
                ``StreamDriftError`` and ``"ignore"`` an ``EnsuredStream`` with the differences.

        Raises:
            TypeError: An item is not a ``CreateStreamRequest``, or an argument has a wrong type.
            ValueError: An argument is out of range.
            Exception: Any exception from iterating ``requests``, after the results of all earlier
                requests.
        """
        options = Options(rate, max_in_flight, wait, timeout, on_drift)
        items = aiter(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        return self._run_fleet(items, options)

    async def _run_fleet(
        self, requests: Iterator[object] | AsyncIterator[object], options: Options
    ) -> AsyncGenerator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None]:
        """Yield the results of a fleet, and stop it when the loop over them ends."""
        await self._ready()
        wake = asyncio.Event()
        can_list = hasattr(self._client, "list_streams")
        fleet = Fleet(options, connections(self._client), can_list=can_list)
        calls = calls_of(self._client, fleet, wake)
        feed = Feed(requests, fleet, wake)
        try:
            while not fleet.is_done:
                wake.clear()
                for stream, call in fleet.step():
                    calls.start(stream, call)
                if fleet.results:
                    yield fleet.results.popleft()
                # An async iterable is taken from by a task, which sets the event.
                elif not (fleet.wants_more and feed.take()):
                    busy = bool(fleet.in_flight)
                    await _clock.clock.wait_async(wake, fleet.patience(), busy=busy)
                # Let other tasks run, even if nothing was awaited.
                await asyncio.sleep(0)
        finally:
            calls.stop()
            await feed.aclose()

    async def aclose(self) -> None:
        """Close the boto3 client if this client built it."""
        self._close()

    async def __aenter__(self) -> Self:
        """Return this client."""
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close as ``aclose`` does."""
        await self.aclose()
