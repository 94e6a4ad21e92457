"""The synchronous client, which runs flows in the calling thread and fleets in worker threads."""

import math
import threading
from collections.abc import Generator, Iterable, Iterator
from functools import partial
from typing import Any, Literal, TypeVar

from botocore.client import BaseClient
from botocore.config import Config
from typing_extensions import Self

from . import _clock
from ._boto import build, check_client, check_sources, connections, is_async, make, where
from ._ensure import check_on_drift, ensure
from ._fleet import Fleet
from ._fleet_parts import Options
from ._flow import Flow, Operation, Pause, ThrottleRetry, create, describe, wait_until_active
from ._models import CreateStreamResponse, EnsuredStream, StreamInfo
from ._request import CreateStreamRequest
from ._stubs import KinesisVideoClient as BotoClient
from ._text import shown
from ._wire import Outcome
from ._workers import Workers
from .errors import KvsStreamsError
from .typing import BotoSession, KinesisVideoClient

_T = TypeVar("_T")


def check_request(request: object) -> None:
    """Refuse anything but a ``CreateStreamRequest``."""
    if not isinstance(request, CreateStreamRequest):
        raise TypeError(
            f"request must be a CreateStreamRequest, not {shown(request)}; "
            "CreateStreamRequest.from_boto converts boto3's keyword arguments"
        )


class ClientBase:
    """The base of both clients: a boto client, passed in or built, and the retry policy."""

    def __init__(  # noqa: PLR0917  # the same as in the public constructors
        self,
        client: Any,
        throttle_retry: ThrottleRetry,
        session: BotoSession | None,
        region_name: str | None,
        endpoint_url: str | None,
        config: Config | None,
    ) -> None:
        # A likely mistake is botocore's dict of retries.
        if not isinstance(throttle_retry, ThrottleRetry):
            raise TypeError(f"throttle_retry must be a ThrottleRetry, not {shown(throttle_retry)}")
        check_sources(
            client,
            session=session,
            region_name=region_name,
            endpoint_url=endpoint_url,
            config=config,
        )
        if client is not None:
            check_client(client)
        self._client: Any = client
        self._owns_client = client is None
        self._throttle_retry = throttle_retry
        self._build = partial(build, session, region_name, endpoint_url, config)
        self._building = threading.Lock()

    def __repr__(self) -> str:
        """Show the region and the endpoint, once there is a client."""
        return f"{type(self).__name__}({where(self._client)})"

    def _built(self) -> BotoClient:
        """Return the client; build it if there is none yet."""
        with self._building:
            if self._client is None:
                self._client = self._build()
            built: BotoClient = self._client
            return built

    def _operation(self, timeout: float = math.inf) -> Operation:
        return Operation(self._throttle_retry, timeout)

    def _close(self) -> None:
        """Close the boto3 client if this client built it."""
        if self._owns_client and self._client is not None:
            self._client.close()


class StreamsClient(ClientBase):
    """A typed client that creates Kinesis video streams, safe to share between threads.

    Args:
        client: A boto3 ``kinesisvideo`` client, which is never modified; by default one is built.
        session: The ``boto3.Session`` to build the client from.
        region_name: The region of the client to build, such as ``eu-central-1``.
        endpoint_url: A custom endpoint for the client to build, such as a test server's URL.
        config: The ``botocore.config.Config`` of the client to build.
        throttle_retry: Retry policy for ``ClientLimitExceededException``.

    Raises:
        TypeError: If ``client`` is asynchronous or for another service, or is passed together with
            ``session``, ``region_name``, ``endpoint_url`` or ``config``; if an argument has a wrong
            type.
        ConfigurationError: If no client can be built: no region, an unknown ``AWS_PROFILE``, a bad
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
        throttle_retry: ThrottleRetry = ThrottleRetry(),  # noqa: B008  # immutable
    ) -> None:
        super().__init__(client, throttle_retry, session, region_name, endpoint_url, config)
        if is_async(client):
            raise TypeError("client is asynchronous; use it with AsyncStreamsClient")
        self._built()

    @property
    def boto_client(self) -> BotoClient:
        """The boto3 client, for all other operations."""
        return self._built()

    def _run(self, flow: Flow[_T]) -> _T:
        """Run a flow to its end."""
        outcome: Outcome | None = None
        try:
            while True:
                question = flow.send(outcome)
                if isinstance(question, Pause):
                    _clock.clock.sleep(question.nanoseconds)
                    outcome = None
                else:
                    outcome = make(self._client, question)
        except StopIteration as stop:
            result: _T = stop.value
            return result

    def create_stream(self, request: CreateStreamRequest) -> CreateStreamResponse:
        """Create a stream. It becomes ``ACTIVE`` some time after this call returns.

        Needs the IAM action ``kinesisvideo:CreateStream``.

        Args:
            request: The stream to create.

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
            ResourceInUseException: The stream already exists; ``possibly_own`` is true if an
                earlier attempt of this call may have created it.
            TagsPerResourceExceededLimitException: The stream would have more than 50 tags.
            ServiceError: Any other error response from AWS, such as ``AccessDeniedError``,
                ``AuthenticationError`` and ``ServerError``.
            TransportError: No usable response arrived; ``outcome_unknown`` is true if the stream
                may exist.
            ConfigurationError: The client is not configured correctly: it has no credentials, for
                example.
            UnexpectedResponseError: The response reports success but contains no ARN.
        """
        check_request(request)
        return self._run(create(self._operation(), request))

    def describe_stream(self, stream: str) -> StreamInfo:
        """Describe a stream.

        Needs the IAM action ``kinesisvideo:DescribeStream``. AWS allows 5 calls per second for each
        stream, shared by all callers.

        Args:
            stream: The stream's name or ARN.

        Raises:
            RequestValidationError: ``stream`` is neither a name nor an ARN; nothing was sent.
            ResourceNotFoundException: The stream does not exist.
            KvsStreamsError: Any other failure, as for ``create_stream``.
        """
        return self._run(describe(self._operation(), stream))

    def wait_until_active(
        self, stream: str, *, timeout: float = 300.0, not_found_grace: float = 10.0
    ) -> StreamInfo:
        """Wait until a stream is ``ACTIVE``.

        Polls immediately, then after 0.5 s, then at an interval that grows by half up to 5 s, with
        a jitter of ±25 %. If a poll is throttled or fails with a 5xx response, the next poll is the
        retry.

        Args:
            stream: The stream's name or ARN.
            timeout: The deadline, in seconds from now, at least 0. A call in flight is not
                interrupted.
            not_found_grace: The grace period for a stream that is not found, in seconds. A new
                stream may not be visible at once, so polling continues until then, unless the
                stream was seen before.

        Raises:
            WaitTimeoutError: The stream is not ``ACTIVE`` at the deadline.
            StreamDeletingError: The stream is being deleted.
            ResourceNotFoundException: The stream is not found after the grace period, or it has
                disappeared.
            KvsStreamsError: Any other failure, as for ``describe_stream``.
        """
        operation = self._operation(timeout)
        return self._run(wait_until_active(operation, stream, not_found_grace))

    def ensure_stream(
        self,
        request: CreateStreamRequest,
        *,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> EnsuredStream:
        """Create a stream, or compare it with the request if it already exists.

        Sends the create first and describes the stream afterwards, so two callers never race. If
        the response to the create is lost, the describe shows whether the stream exists. If the
        stream is being deleted, waits until it is gone and creates it again.

        Needs the IAM actions ``kinesisvideo:CreateStream`` and ``kinesisvideo:DescribeStream``;
        also ``kinesisvideo:ListTagsForStream`` to compare tags, and
        ``kinesisvideo:DescribeStreamStorageConfiguration`` to compare the storage tier.

        Args:
            request: The stream to create. If it exists, only the fields that are set are compared.
            wait: Whether to wait until the stream is ``ACTIVE``.
            timeout: The deadline for the whole call, in seconds from now, at least 0. A call in
                flight is not interrupted.
            on_drift: If the stream exists with another configuration, ``"raise"`` raises
                ``StreamDriftError`` and ``"ignore"`` returns the differences.

        Raises:
            StreamDriftError: The stream exists with another configuration.
            WaitTimeoutError: The deadline has passed.
            StreamDeletingError: The stream is being deleted, and ``wait`` is false or this call
                created it.
            ResourceNotFoundException: The stream that this call created has disappeared.
            KvsStreamsError: Any other failure, as for ``create_stream``. If this call has created
                the stream, ``created`` is AWS's response.
        """
        check_request(request)
        check_on_drift(on_drift)
        operation = self._operation(timeout)
        return self._run(ensure(operation, request, wait=wait, on_drift=on_drift))

    def ensure_streams(
        self,
        requests: Iterable[CreateStreamRequest],
        *,
        rate: float = 50.0,
        max_in_flight: int = 64,
        wait: bool = True,
        timeout: float = 300.0,
        on_drift: Literal["raise", "ignore"] = "raise",
    ) -> Generator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None, None]:
        """Create many streams. Nothing happens until you iterate over the result.

        Yields one pair for each request, in the order of completion: the request, and the result or
        the error of ``ensure_stream``. Creates are sent at the pace that AWS allows, and each
        stream is confirmed by its own ``DescribeStream``. To resume, run the same requests again:
        streams that exist are not created again. To stop, leave the loop: nothing more is sent, and
        calls in flight have up to five seconds to finish.

        Needs the IAM actions of ``ensure_stream``, and ``kinesisvideo:ListStreams``. Without
        ``ListStreams``, a create is sent even for streams that exist.

        Args:
            requests: The streams to create, from an iterable that is consumed lazily, up to 2,000
                ahead. Requests with the same name run one after the other.
            rate: The initial rate in creates per second, above 0; by default AWS's default quota.
                The pace adapts to your quota and to the use of it by other callers.
            max_in_flight: The maximum number of concurrent calls, at least 1; never more than the
                connections of the boto3 client's pool.
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
        return self._run_fleet(iter(requests), options)

    def _run_fleet(
        self, requests: Iterator[object], options: Options
    ) -> Generator[tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError], None, None]:
        """Yield the results of a fleet, and stop it when the loop over them ends."""
        wake = threading.Event()
        can_list = hasattr(self._client, "list_streams")
        fleet = Fleet(options, connections(self._client), can_list=can_list)
        workers = Workers(self._client, fleet, wake.set)
        try:
            while not fleet.is_done:
                wake.clear()
                for stream, call in fleet.step():
                    workers.start(stream, call)
                if fleet.results:
                    yield fleet.results.popleft()
                elif fleet.wants_more:
                    fleet.take(requests)
                else:
                    _clock.clock.wait(wake, fleet.patience(), busy=bool(fleet.in_flight))
        finally:
            workers.stop()
            if fleet.under_way:  # otherwise only the list can be in flight
                workers.join()

    def close(self) -> None:
        """Close the boto3 client if this client built it."""
        self._close()

    def __enter__(self) -> Self:
        """Return this client."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close as ``close`` does."""
        self.close()
