"""The synchronous client: a thin driver of the flows over a boto3 client."""

import inspect
import math
import sys
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Event
from types import TracebackType
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import asdict, frozen
from botocore.client import BaseClient
from botocore.config import Config
from typing_extensions import Self

from ._boto import KinesisVideoClient as BotoClient
from ._failures import INVALID_ENDPOINT, building_error
from ._flows.call import Operation, ThrottleRetry, check_count, create, describe
from ._flows.ensure import check_on_drift, ensure
from ._flows.fleet import Fleet
from ._flows.io import Done, Io, run, to_nanoseconds
from ._flows.wait import Poller, wait_until_active
from ._request import CreateStreamRequest
from ._results import CreateStreamResponse, EnsuredStream, StreamInfo
from ._text import printable, shown
from ._wire import Call
from .errors import KvsStreamsError
from .typing import BotoSession, KinesisVideoClient

_SERVICE = "kinesisvideo"
# With botocore's 10 connections, a fleet creates 20 streams a second if responses take 0.5 s.
_ROOMY = Config(max_pool_connections=64)


class _SyncIo(Io):
    """Makes each call in this thread, and never suspends."""

    def __init__(self, client: Any) -> None:
        self.client = client

    async def call(self, call: Call) -> Any:
        return getattr(self.client, call.method)(**call.kwargs)

    async def sleep(self, nanoseconds: int) -> None:
        self.clock.sleep(nanoseconds)


class Calls:
    """Counts the calls of a fleet in flight, and keeps what ended until it is taken."""

    def __init__(self, io: Io, event: Any, workers: int) -> None:
        self.client = io.client
        self.clock = io.clock
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="kvs_streams")
        self._finished: deque[Done] = deque()
        self._event = event
        self._in_flight: int = 0

    def _end(self, tag: object, reply: Any, error: BaseException | None) -> None:
        self._finished.append(Done(tag, self.clock.now(), reply, error))
        self._event.set()

    def pop(self) -> Done | None:
        if not self._finished:
            return None
        self._in_flight -= 1
        return self._finished.popleft()


class _Threads(Calls):
    """Makes the calls of a fleet in worker threads."""

    def __init__(self, io: Io, requests: Iterable[object], workers: int) -> None:
        super().__init__(io, Event(), workers)
        self._io = io
        self._requests = iter(requests)

    def take(self) -> object:
        return next(self._requests)

    def submit(self, tag: object, call: Call) -> None:
        self._in_flight += 1
        # In the context of the caller, as asyncio.to_thread does.
        self._pool.submit(copy_context().run, self._make, tag, call)

    def _make(self, tag: object, call: Call) -> None:
        self._end(tag, *self._outcome(call))

    def _outcome(self, call: Call) -> tuple[Any, BaseException | None]:
        # The traceback of an error refers to this frame, so no variable refers to the error.
        try:
            return run(self._io.call(call)), None
        except BaseException as exc:  # noqa: BLE001  # it is raised where the call is awaited
            return None, exc

    async def done(self, nanoseconds: float) -> None:
        self.clock.wait(self._event, nanoseconds, busy=self._in_flight > 0)
        self._event.clear()

    def close(self) -> None:
        """Let the calls in flight end."""
        self._pool.shutdown()


def workers(client: object, max_in_flight: int) -> int:
    """Return how many calls can be in flight without waiting for a connection."""
    config = getattr(getattr(client, "meta", None), "config", None)
    pool = getattr(config, "max_pool_connections", None)
    return min(max_in_flight, pool) if isinstance(pool, int) and pool > 0 else max_in_flight


@frozen(kw_only=True)
class Source:
    """What a boto3 client is built from, where none is passed in."""

    session: BotoSession | None
    region_name: str | None
    endpoint_url: str | None
    config: Config | None

    def check(self, client: object) -> None:
        """Refuse what has a wrong type, and a client together with what one is built from."""
        given = [name for name, value in asdict(self, recurse=False).items() if value is not None]
        if client is not None:
            if given:
                raise TypeError(
                    "give either a client or what to build one from, "
                    f"not client and {', '.join(given)}"
                )
            _check_client(client)
        if isinstance(self.session, type) or (
            self.session is not None and not callable(getattr(self.session, "client", None))
        ):
            raise TypeError(
                f"session must be a boto3.Session, not {shown(self.session)}; "
                "boto3.Session(botocore_session=...) makes one of a botocore session"
            )
        for name in ("region_name", "endpoint_url"):
            if not isinstance(getattr(self, name), str | None):
                raise TypeError(f"{name} must be a str, not {shown(getattr(self, name))}")
        if self.config is not None and not isinstance(self.config, Config):
            raise TypeError(f"config must be a botocore.config.Config, not {shown(self.config)}")

    def build(self) -> Any:
        """Build a boto3 client; what botocore raises becomes ``ConfigurationError``."""
        import boto3  # noqa: PLC0415  # a passed-in client has loaded it already

        try:
            # The session that boto3.client would use, but without creating that global one.
            session: Any = self.session or boto3.DEFAULT_SESSION or boto3.Session()
            client = session.client(
                _SERVICE,
                region_name=self.region_name,
                endpoint_url=self.endpoint_url,
                config=_ROOMY if self.config is None else _ROOMY.merge(self.config),
            )
            _check_client(client)
            _check_port(str(getattr(getattr(client, "meta", None), "endpoint_url", "")))
        except Exception as exc:
            error = building_error(exc)
            if error is None:
                raise
        else:
            return client
        try:
            raise error
        finally:
            # Its traceback refers to this frame: no reference cycle.
            del error


def _check_port(url: str) -> None:
    """Refuse a port that botocore would notice only with the first call."""
    try:
        _ = urlsplit(url).port
    except ValueError:
        raise ValueError(f"{INVALID_ENDPOINT}{url}") from None


def _check_client(client: object) -> None:
    model = getattr(getattr(client, "meta", None), "service_model", None)
    service = getattr(model, "service_name", None)
    if isinstance(service, str) and service != _SERVICE:
        raise TypeError(f"client must be a {_SERVICE!r} client, not a {shown(service)} client")
    if not callable(getattr(client, "create_stream", None)):
        raise TypeError(f"client must be a {_SERVICE!r} client, not {shown(client)}")


def is_async(client: object) -> bool:
    """Tell whether the calls of a client are awaited, without importing aiobotocore."""
    return any(
        (cls.__module__, cls.__qualname__) == ("aiobotocore.client", "AioBaseClient")
        for cls in type(client).__mro__
    ) or inspect.iscoroutinefunction(getattr(client, "create_stream", None))


def check_request(request: object) -> None:
    """Refuse what is not a request."""
    if not isinstance(request, CreateStreamRequest):
        raise TypeError(
            f"request must be a CreateStreamRequest, not {shown(request)}; "
            "CreateStreamRequest.from_boto makes one of boto3's keyword arguments"
        )


def check_retry(throttle_retry: object) -> None:
    """Refuse what is not a retry policy, such as botocore's dict."""
    if not isinstance(throttle_retry, ThrottleRetry):
        raise TypeError(f"throttle_retry must be a ThrottleRetry, not {shown(throttle_retry)}")


def check_fleet(rate: float, max_in_flight: int, timeout: float, on_drift: str) -> None:
    """Refuse arguments of ``ensure_streams`` that make no sense."""
    if not isinstance(rate, (int, float)) or isinstance(rate, bool):
        raise TypeError(f"rate must be a number of creates per second, not {shown(rate)}")
    if not 0 < rate <= sys.float_info.max:
        raise ValueError(f"rate must be above 0 and finite, got {shown(rate)}")
    check_count("max_in_flight", max_in_flight)
    to_nanoseconds("timeout", timeout)
    check_on_drift(on_drift)


def where(client: object) -> str:
    """Return the region and the endpoint of a boto client, for a ``repr``."""
    meta = getattr(client, "meta", None)
    known = {name: getattr(meta, name, None) for name in ("region_name", "endpoint_url")}
    parts = [f"{name}={printable(text)!r}" for name, text in known.items() if isinstance(text, str)]
    return ", ".join(parts) or f"client={shown(client)}"


class StreamsClient:
    """A typed client that creates Kinesis video streams, safe to share between threads.

    Args:
        client: A boto3 ``kinesisvideo`` client, which is never altered; by default one is built.
        session: The ``boto3.Session`` to build the client from.
        region_name: The region of the client to build, such as ``eu-central-1``.
        endpoint_url: Another endpoint for the client to build, such as that of a test server.
        config: The ``botocore.config.Config`` of the client to build.
        throttle_retry: Retry policy for ``ClientLimitExceededException``.

    Raises:
        TypeError: If ``client`` is of another service, is asynchronous, or comes together with what
            a client is built from; if another argument has a wrong type.
        ConfigurationError: If no client can be built: no region, an unknown profile, a bad
            endpoint.
    """

    def __init__(
        self,
        client: KinesisVideoClient | BaseClient | None = None,
        *,
        session: BotoSession | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        config: Config | None = None,
        throttle_retry: ThrottleRetry = ThrottleRetry(),  # noqa: B008  # it never changes
    ) -> None:
        check_retry(throttle_retry)
        source = Source(
            session=session, region_name=region_name, endpoint_url=endpoint_url, config=config
        )
        source.check(client)
        if client is not None and is_async(client):
            raise TypeError("client is asynchronous; use it with AsyncStreamsClient")
        self._owns_client = client is None
        self._io = _SyncIo(source.build() if client is None else client)
        self._throttle_retry = throttle_retry

    def __repr__(self) -> str:
        """Show the region and the endpoint."""
        return f"{type(self).__name__}({where(self._io.client)})"

    @property
    def boto_client(self) -> BotoClient:
        """The boto3 client, for every other operation."""
        client: BotoClient = self._io.client
        return client

    def _operation(self, timeout: float = math.inf) -> Operation:
        return Operation(self._io, self._throttle_retry, timeout)

    def create_stream(self, request: CreateStreamRequest) -> CreateStreamResponse:
        """Create a stream; it becomes ``ACTIVE`` some time after this returns.

        Needs the IAM action ``kinesisvideo:CreateStream``.

        Args:
            request: What to create.

        Returns:
            AWS's response, with the ARN of the new stream.

        Raises:
            AccountStreamLimitExceededException: The number of streams created for the account is
                too high.
            ClientLimitExceededException: Too many requests, after all attempts of
                ``throttle_retry``.
            DeviceStreamLimitExceededException: Documented by AWS as not implemented.
            InvalidArgumentException: The value of an input parameter is not valid.
            InvalidDeviceException: Documented by AWS as not implemented.
            ResourceInUseException: The stream exists already; ``possibly_own`` tells whether an
                earlier attempt of this call may have created it.
            TagsPerResourceExceededLimitException: The stream would have more than 50 tags.
            ServiceError: Any other error that AWS answers with, such as ``AccessDeniedError``,
                ``AuthenticationError`` and ``ServerError``.
            TransportError: No usable response; ``outcome_unknown`` tells whether the stream may
                exist.
            ConfigurationError: The client lacks credentials, for example.
            UnexpectedResponseError: A success without an ARN.
        """
        check_request(request)
        return run(create(self._operation(), request))

    def describe_stream(self, stream: str) -> StreamInfo:
        """Describe a stream.

        Needs the IAM action ``kinesisvideo:DescribeStream``. AWS allows 5 calls a second for each
        stream, which all callers share.

        Args:
            stream: The stream's name or its ARN.

        Raises:
            RequestValidationError: ``stream`` is neither; nothing was sent.
            ResourceNotFoundException: The stream does not exist.
            KvsStreamsError: Any other failure, as for ``create_stream``.
        """
        return run(describe(self._operation(), stream))

    def wait_until_active(
        self, stream: str, *, timeout: float = 300.0, not_found_grace: float = 10.0
    ) -> StreamInfo:
        """Wait until a stream is ``ACTIVE``.

        Polls immediately, then after 0.5 s, then at an interval that grows by half to 5 s, with a
        jitter of ±25 %. A poll that is throttled or that AWS fails to answer (5xx) is followed by
        the next one.

        Args:
            stream: The stream's name or its ARN.
            timeout: The deadline, in seconds from now, at least 0. A call in flight is not
                interrupted.
            not_found_grace: The grace period, in seconds: until then a stream that is not found may
                only be late to be visible, unless it was seen before.

        Raises:
            WaitTimeoutError: The stream is not ``ACTIVE`` at the deadline.
            StreamDeletingError: The stream is being deleted.
            ResourceNotFoundException: The stream is still not found after the grace period, or it
                has disappeared.
            KvsStreamsError: Any other failure, as for ``describe_stream``.
        """
        operation = self._operation(timeout)
        return run(wait_until_active(operation, stream, not_found_grace))

    def ensure_stream(
        self,
        request: CreateStreamRequest,
        *,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> EnsuredStream:
        """Create a stream unless it exists, and compare it with the request if it does.

        Creates first and describes then, so that two callers never race. A lost response is
        resolved by describing. A stream that is being deleted is waited for and created again.

        Needs the IAM actions ``kinesisvideo:CreateStream`` and ``kinesisvideo:DescribeStream``; to
        compare tags ``kinesisvideo:ListTagsForStream``, and to compare the storage tier
        ``kinesisvideo:DescribeStreamStorageConfiguration``.

        Args:
            request: What to create. Only what it sets is compared with a stream that exists.
            wait: Whether to wait until the stream is ``ACTIVE``.
            timeout: The deadline for all of it, in seconds from now, at least 0. A call in flight
                is not interrupted.
            on_drift: Whether to raise if the stream exists with another configuration, or to return
                the differences.

        Raises:
            StreamDriftError: The stream exists with another configuration.
            WaitTimeoutError: The deadline has passed.
            StreamDeletingError: The stream is being deleted, and ``wait`` is false or this call had
                created it.
            ResourceNotFoundException: The stream that this call created has disappeared.
            KvsStreamsError: Any other failure, as for ``create_stream``. If this call had created
                the stream by then, ``created`` is AWS's response.
        """
        check_request(request)
        check_on_drift(on_drift)
        operation = self._operation(timeout)
        poller = Poller(operation, request.stream_name)
        return run(ensure(operation, request, poller, wait=wait, on_drift=on_drift))

    def ensure_streams(
        self,
        requests: Iterable[CreateStreamRequest],
        *,
        rate: float = 50.0,
        max_in_flight: int = 32,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> Generator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None, None]:
        """Create many streams unless they exist, at the pace that AWS allows.

        Yields one pair for each request, in the order of completion: the request and what
        ``ensure_stream`` would return or raise. Streams are found and verified by listing them, so
        running the same requests again creates nothing, and is the way to resume. To stop, leave
        the loop: nothing more is sent, and calls in flight end.

        Needs the IAM actions of ``ensure_stream`` and ``kinesisvideo:ListStreams``, without which
        each stream is described.

        Args:
            requests: What to create; consumed lazily, up to 2,000 ahead. The same name twice is
                ensured one after the other.
            rate: Creates per second to start with, above 0; by default AWS's default quota. The
                pace learns the quota, and what other callers leave of it.
            max_in_flight: The most calls at a time, at least 1, and at most one for each connection
                of the boto3 client's pool.
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
        in_flight = workers(self._io.client, max_in_flight)
        threads = _Threads(self._io, requests, in_flight)
        return _run_fleet(
            threads,
            Fleet(
                threads,
                rate=rate,
                max_in_flight=in_flight,
                wait=wait,
                timeout=timeout,
                on_drift=on_drift,
            ),
        )

    def close(self) -> None:
        """Close the boto3 client if this client built it."""
        if self._owns_client:
            self._io.client.close()

    def __enter__(self) -> Self:
        """Return this client."""
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close as ``close`` does."""
        self.close()


def _run_fleet(
    threads: _Threads, fleet: Fleet
) -> Generator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None, None]:
    """Yield the results of a fleet, and end it however the loop over them ends."""
    try:
        while (result := run(fleet.next())) is not None:
            yield result
    finally:
        fleet.close()
        threads.close()
