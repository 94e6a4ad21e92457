"""The asynchronous client: a thin driver of the same flows over a boto3 or aiobotocore client."""

import asyncio
from collections.abc import Callable, Mapping
from threading import Lock
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast

from ._client import build_client, check_client, check_request, check_retry, is_async
from ._flows import Io, ThrottleRetry, create, describe, ensure, wait_until_active
from ._models import CreateStreamRequest, CreateStreamResponse, EnsuredStream, StreamInfo
from .errors import show_as_public

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.config import Config
    from typing_extensions import Self

    from .typing import AsyncKinesisVideoClient, BotoSession, KinesisVideoClient

__all__ = ["AsyncStreamsClient"]


class _AsyncIo(Io):
    """What a flow asks for, awaited; calls of a boto3 client are made in worker threads."""

    def __init__(self, client: "BaseClient | None") -> None:
        self.client = client  # None until one is built
        self._threads = client is None or not is_async(client)

    async def call(self, method: Callable[..., Any], kwargs: Mapping[str, Any]) -> Any:
        if self._threads:
            return await asyncio.to_thread(method, **kwargs)
        return await method(**kwargs)

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep_async(round(seconds * 1e9))


class AsyncStreamsClient:
    """A typed client for creating Kinesis video streams with ``await``.

    Over a boto3 client each call is made in a worker thread, so that the event loop is never
    blocked; the calls of an aiobotocore client are awaited. Without a client, a boto3 client is
    built in a worker thread on first use.

    Cancelling an awaited method ends the wait at once. A call that was in flight in a worker thread
    still runs to its end there, and its answer is dropped: the stream may be created all the same.

    Args:
        client: A boto3 or aiobotocore ``kinesisvideo`` client, which is never altered.
        session: The ``boto3.Session`` to build the client from.
        region_name: The region of the client to build, such as ``eu-central-1``.
        endpoint_url: Another endpoint for the client to build, such as that of a test server.
        config: The ``botocore.config.Config`` for the client to build.
        throttle_retry: How to go on after ``ClientLimitExceededException``.

    Raises:
        TypeError: If ``client`` is of another service or comes together with what a client is built
            from.
    """

    def __init__(
        self,
        client: "KinesisVideoClient | AsyncKinesisVideoClient | BaseClient | None" = None,
        *,
        session: "BotoSession | None" = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        config: "Config | None" = None,
        throttle_retry: ThrottleRetry = ThrottleRetry(),  # noqa: B008  # it never changes
    ) -> None:
        check_retry(throttle_retry)
        self._owns_client = client is None
        if client is not None:
            check_client(
                client,
                session=session,
                region_name=region_name,
                endpoint_url=endpoint_url,
                config=config,
            )
        self._io = _AsyncIo(cast("BaseClient | None", client))
        self._parts = (session, region_name, endpoint_url, config)
        self._building = Lock()
        self._throttle_retry = throttle_retry

    @property
    def boto_client(self) -> "BaseClient":
        """The client underneath, for every other operation; built here and now if need be.

        Raises:
            ConfigurationError: If no client can be built: no region, an unknown profile, a bad
                endpoint.
        """
        with self._building:
            client = self._io.client
            if client is None:
                client = self._io.client = build_client(*self._parts)
        return client

    async def create_stream(self, request: CreateStreamRequest) -> CreateStreamResponse:
        """Create a stream; it becomes ``ACTIVE`` some time after this returns.

        Needs the IAM action ``kinesisvideo:CreateStream``.

        Args:
            request: What to create.

        Returns:
            What AWS answered, with the ARN of the new stream.

        Raises:
            ServiceError: If AWS refuses; see its subclasses for each reason.
            TransportError: If no usable answer came; ``outcome_unknown`` says what that means.
            ConfigurationError: If no client can be built, or it lacks credentials, for example.
            UnexpectedResponseError: If AWS reports success and names no ARN.
        """
        check_request(request)
        self._io.clock.start()
        return await create(await self._ready(), self._throttle_retry, request)

    async def describe_stream(self, stream: str) -> StreamInfo:
        """Return what AWS knows of a stream.

        Needs the IAM action ``kinesisvideo:DescribeStream``. AWS allows 5 calls a second for each
        stream, which all callers share.

        Args:
            stream: The stream's name or its ARN.

        Raises:
            RequestValidationError: If ``stream`` can be neither; nothing was sent.
            ResourceNotFoundException: If there is no such stream.
            KvsStreamsError: Whatever else went wrong, as for ``create_stream``.
        """
        self._io.clock.start()
        return await describe(await self._ready(), self._throttle_retry, stream)

    async def wait_until_active(
        self, stream: str, *, timeout: float = 300.0, not_found_grace: float = 10.0
    ) -> StreamInfo:
        """Wait until a stream is ready for use.

        Looks at once, then after half a second, and then ever less often, up to every 5 seconds.
        Looks that are throttled or that AWS fails to answer (5xx) count as none.

        Args:
            stream: The stream's name or its ARN.
            timeout: How long to wait at most, in seconds, at least 0. A call in flight is not
                interrupted.
            not_found_grace: For how many seconds after the start a stream that is not found counts
                as not there yet, unless it was seen before.

        Raises:
            WaitTimeoutError: If the stream is not ``ACTIVE`` in time.
            StreamDeletingError: If the stream is being deleted.
            ResourceNotFoundException: If the stream is not found after the grace, or no more.
            KvsStreamsError: Whatever else went wrong, as for ``describe_stream``.
        """
        self._io.clock.start()
        return await wait_until_active(await self._ready(), stream, timeout, not_found_grace)

    async def ensure_stream(
        self,
        request: CreateStreamRequest,
        *,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> EnsuredStream:
        """Create a stream unless it is there, and compare it with the request if it is.

        Creates first and looks after, so that two callers never race. A reply that got lost is
        resolved by looking. A stream that is being deleted is waited for, and created anew.

        Needs the IAM actions ``kinesisvideo:CreateStream`` and ``kinesisvideo:DescribeStream``; to
        compare tags ``kinesisvideo:ListTagsForStream``, and to compare the storage tier
        ``kinesisvideo:DescribeStreamStorageConfiguration``.

        Args:
            request: What to create. Of a stream that exists only what the request sets is compared.
            wait: Whether to wait until the stream is ``ACTIVE``.
            timeout: How long all of it may take, in seconds, at least 0. A call in flight is not
                interrupted.
            on_drift: Whether to raise if the stream exists with another configuration, or to report
                the differences in the result.

        Raises:
            StreamDriftError: If the stream exists with another configuration.
            WaitTimeoutError: If the time is over.
            StreamDeletingError: If the stream is being deleted, and it is not to be waited for or
                this call had created it.
            KvsStreamsError: Whatever else went wrong, as for ``create_stream``; if this call had
                created the stream by then, ``created`` is what AWS answered.
        """
        check_request(request)
        self._io.clock.start()
        return await ensure(
            await self._ready(),
            self._throttle_retry,
            request,
            wait=wait,
            timeout=timeout,
            on_drift=on_drift,
        )

    async def aclose(self) -> None:
        """Close the boto3 client, if it was built here."""
        if self._owns_client and self._io.client is not None:
            await asyncio.to_thread(self._io.client.close)

    async def __aenter__(self) -> "Self":
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

    async def _ready(self) -> _AsyncIo:
        if self._io.client is None:
            await asyncio.to_thread(lambda: self.boto_client)
        return self._io


show_as_public(__all__, globals())
