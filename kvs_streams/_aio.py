"""The asynchronous client: runs the same flows and fleets with ``await``."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Literal, TypeVar, cast

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
        super().__init__(client, throttle_retry, session, region_name, endpoint_url, config)

    @property
    def boto_client(self) -> BotoClient:
        """The boto3 client, for every other operation.

        It is built now if there is none yet, and is an aiobotocore client if one was passed in.

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
        outcome: Outcome | None = None
        try:
            while True:
                question = flow.send(outcome)
                if isinstance(question, Pause):
                    await _clock.clock.sleep_async(question.nanoseconds)
                    outcome = None
                elif is_async(self._client):
                    outcome = await make_async(self._client, question)
                else:
                    outcome = await asyncio.to_thread(make, self._client, question)
        except StopIteration as stop:
            return cast("_T", stop.value)

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
        return await self._run(create(self._operation(), request))

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
        return await self._run(describe(self._operation(), stream))

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
        """Create many streams unless they exist, at the pace that AWS allows.

        Nothing happens until the result is iterated. It yields one pair for each request, in the
        order of completion, as ``StreamsClient.ensure_streams`` does, and needs the same IAM
        actions.

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
        options = Options(rate, max_in_flight, wait, timeout, on_drift)
        items = aiter(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        return self._run_fleet(items, options)

    async def _run_fleet(
        self, requests: Iterator[object] | AsyncIterator[object], options: Options
    ) -> AsyncGenerator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None]:
        """Yield the results of a fleet, and end it however the loop over them ends."""
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
                elif not (fleet.wants_more and feed.take()):
                    busy = bool(fleet.in_flight)
                    await _clock.clock.wait_async(wake, fleet.patience(), busy=busy)
                # The event loop stays free, whether or not anything was awaited.
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
