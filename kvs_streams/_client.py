"""The synchronous client: a thin driver of the flows over a boto3 client."""

import inspect
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError

from . import _wire
from ._flows import Io, ThrottleRetry, create, describe, ensure, run, wait_until_active
from ._models import CreateStreamRequest, CreateStreamResponse, EnsuredStream, StreamInfo
from ._text import shown
from .errors import show_as_public

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.config import Config
    from typing_extensions import Self

    from .typing import BotoSession, KinesisVideoClient

__all__ = ["StreamsClient"]

_SERVICE = "kinesisvideo"


class _SyncIo(Io):
    """What a flow asks for, without ever suspending."""

    def __init__(self, client: "BaseClient") -> None:
        self.client = client

    async def call(self, method: Callable[..., Any], kwargs: Mapping[str, Any]) -> Any:
        return method(**kwargs)

    async def sleep(self, seconds: float) -> None:
        self.clock.sleep(round(seconds * 1e9))


def is_async(client: object) -> bool:
    """Tell whether a client's calls are to be awaited, without importing aiobotocore."""
    return any(
        (cls.__module__, cls.__qualname__) == ("aiobotocore.client", "AioBaseClient")
        for cls in type(client).__mro__
    ) or inspect.iscoroutinefunction(getattr(client, "create_stream", None))


def check_client(client: object, **parts: object) -> None:
    """Refuse a client of another service, and a client together with what one is built from."""
    given = [name for name, value in parts.items() if value is not None]
    if given:
        msg = f"give either a client or what to build one from, not client and {', '.join(given)}"
        raise TypeError(msg)
    model = getattr(getattr(client, "meta", None), "service_model", None)
    service = getattr(model, "service_name", None)
    if isinstance(service, str) and service != _SERVICE:
        msg = f"client must be a {_SERVICE!r} client, not a {shown(service)} client"
        raise TypeError(msg)
    if not callable(getattr(client, "create_stream", None)):
        msg = f"client must be a {_SERVICE!r} client, not {shown(client)}"
        raise TypeError(msg)


def check_request(request: object) -> None:
    """Refuse what is no request, with the way to make one of boto3's arguments."""
    if not isinstance(request, CreateStreamRequest):
        msg = (
            f"request must be a CreateStreamRequest, not {shown(request)}; "
            "CreateStreamRequest.from_boto makes one of boto3's keyword arguments"
        )
        raise TypeError(msg)


def build_client(
    session: "BotoSession | None",
    region_name: str | None,
    endpoint_url: str | None,
    config: "Config | None",
) -> Any:
    """Build a boto3 client, with boto's complaints as ``ConfigurationError``."""
    import boto3  # noqa: PLC0415  # who brings a client has it loaded; who does not waits for it here

    try:
        if session is None:
            # The session that boto3.client would use, though never made in passing: it is global.
            session = cast("BotoSession", boto3.DEFAULT_SESSION or boto3.Session())
        client = session.client(
            _SERVICE, region_name=region_name, endpoint_url=endpoint_url, config=config
        )
        # A port that is none comes to light here; botocore would look at it with the first call.
        _ = urlsplit(str(client.meta.endpoint_url)).port
    except (BotoCoreError, ValueError) as exc:
        # Raised outside of the handler: boto's error is the cause, and nothing else.
        error = _wire.configuration_error(exc)
    else:
        return client
    raise error


class StreamsClient:
    """A typed client for creating Kinesis video streams, safe to share between threads.

    Args:
        client: A boto3 ``kinesisvideo`` client, which is never altered; by default one is built.
        session: The ``boto3.Session`` to build the client from.
        region_name: The region of the client to build, such as ``eu-central-1``.
        endpoint_url: Another endpoint for the client to build, such as that of a test server.
        config: The ``botocore.config.Config`` for the client to build.
        throttle_retry: How to go on after ``ClientLimitExceededException``.

    Raises:
        TypeError: If ``client`` is of another service, has to be awaited, or comes together with
            what a client is built from.
        ConfigurationError: If no client can be built: no region, an unknown profile, a bad
            endpoint.
    """

    def __init__(
        self,
        client: "KinesisVideoClient | BaseClient | None" = None,
        *,
        session: "BotoSession | None" = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        config: "Config | None" = None,
        throttle_retry: ThrottleRetry = ThrottleRetry(),  # noqa: B008  # it never changes
    ) -> None:
        check_retry(throttle_retry)
        self._owns_client = client is None
        if client is None:
            client = build_client(session, region_name, endpoint_url, config)
        else:
            check_client(
                client,
                session=session,
                region_name=region_name,
                endpoint_url=endpoint_url,
                config=config,
            )
            if is_async(client):
                msg = "client has to be awaited: use AsyncStreamsClient for it"
                raise TypeError(msg)
        self._io = _SyncIo(cast("BaseClient", client))
        self._throttle_retry = throttle_retry

    @property
    def boto_client(self) -> "BaseClient":
        """The boto3 client underneath, for every other operation."""
        return self._io.client

    def create_stream(self, request: CreateStreamRequest) -> CreateStreamResponse:
        """Create a stream; it becomes ``ACTIVE`` some time after this returns.

        Needs the IAM action ``kinesisvideo:CreateStream``.

        Args:
            request: What to create.

        Returns:
            What AWS answered, with the ARN of the new stream.

        Raises:
            ServiceError: If AWS refuses; see its subclasses for each reason.
            TransportError: If no usable answer came; ``outcome_unknown`` says what that means.
            ConfigurationError: If the client lacks credentials, for example.
            UnexpectedResponseError: If AWS reports success and names no ARN.
        """
        check_request(request)
        self._io.clock.start()
        return run(create(self._io, self._throttle_retry, request))

    def describe_stream(self, stream: str) -> StreamInfo:
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
        return run(describe(self._io, self._throttle_retry, stream))

    def wait_until_active(
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
        flow = wait_until_active(self._io, stream, timeout, not_found_grace)
        return run(flow)

    def ensure_stream(
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
        flow = ensure(
            self._io,
            self._throttle_retry,
            request,
            wait=wait,
            timeout=timeout,
            on_drift=on_drift,
        )
        return run(flow)

    def close(self) -> None:
        """Close the boto3 client, if it was built here."""
        if self._owns_client:
            self._io.client.close()

    def __enter__(self) -> "Self":
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


def check_retry(throttle_retry: object) -> None:
    """Refuse a retry policy of another type, such as botocore's dict."""
    if not isinstance(throttle_retry, ThrottleRetry):
        msg = f"throttle_retry must be a ThrottleRetry, not {shown(throttle_retry)}"
        raise TypeError(msg)


show_as_public(__all__, globals())
