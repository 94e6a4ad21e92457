"""The kit itself: ``mock_kvs`` and ``MockKvs``."""

import functools
import inspect
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, TypeVar, cast, overload
from unittest import mock

from attrs import define, evolve, field
from botocore.config import Config

from . import _core
from ._clients import BotoClient, boto_session
from ._clock import NS_PER_SECOND, VirtualClock
from ._core import AsyncStreamsClient, StreamsClient, StreamStatus, ThrottleRetry, shown
from ._environment import NOWHERE, environment, require_moto, rest_of_aws
from ._records import Call, StreamRecord, UnusedFaultError
from ._replies import ErrorCode
from ._script import Fault, Operation, check_count, check_operation
from ._seam import Seam
from ._service import Service
from ._store import Stream

_NO_FUNCTION = "mock_kvs decorates functions; for others, use the pytest fixture kvs_mock or with"
_RUNNING = "mock_kvs is running in this process already: use that one, or stop it first"
_NOT_RUNNING = "mock_kvs is not running: use it in a with statement, or call start()"
_F = TypeVar("_F", bound=Callable[..., Any])
_lock = threading.Lock()
_running: "MockKvs | None" = None


@define(eq=False, repr=False, slots=False, kw_only=True)
class MockKvs:
    """Kinesis Video Streams for tests, with scripted failures; made by ``mock_kvs``.

    While it runs, it answers every boto3 and aiobotocore client in this process, including clients
    made earlier and clients without credentials. Tests never wait. moto answers for the rest of
    AWS.
    """

    _server: bool = False
    _validate: bool = True
    _allow_unused: bool = False
    _region_name: str = "us-east-1"
    _stack: ExitStack = field(init=False, factory=ExitStack)
    _last_service: Service | None = field(init=False, default=None)
    _endpoint_url: str | None = field(init=False, default=None)

    # Start and stop

    def start(self) -> "MockKvs":
        """Start the kit, and return it; ``with`` does this too.

        Raises:
            ImportError: If moto is missing or too old; the message says what to install.
            RuntimeError: If another kit runs in this process, or if the kit does not work with this
                version of botocore or aiobotocore.
        """
        global _running  # noqa: PLW0603 - there is one kit for a process
        require_moto()
        if _running is not None:
            raise RuntimeError(_RUNNING)
        _running = self
        clock = VirtualClock()
        service = Service(clock, validate=self._validate)
        with ExitStack() as stack:
            stack.callback(self._over)
            if self._server:
                from ._server import serving

                self._endpoint_url = stack.enter_context(serving(service, self._region_name))
            home_url = self._endpoint_url or NOWHERE
            stack.enter_context(environment(self._region_name, home_url))
            stack.enter_context(rest_of_aws())
            stack.enter_context(Seam(service.answer, home_url).opened())
            stack.enter_context(mock.patch.object(_core.CLOCK_OWNER, "clock", clock))
            self._stack = stack.pop_all()
        self._last_service = service
        return self

    def _over(self) -> None:
        global _running  # noqa: PLW0603 - there is one kit for a process
        _running = None
        self._endpoint_url = None

    def stop(self) -> None:
        """Stop the kit and restore everything, without the check that ``with`` makes."""
        self._stack.close()

    def check_unused(self) -> None:
        """Raise an error if a scripted fault or rule was not used.

        ``with``, the decorator and the pytest fixture call this after a test that did not fail.

        Raises:
            UnusedFaultError: If a scripted fault or rule was not used, unless ``allow_unused``.
        """
        if not self._allow_unused and self.unused:
            raise UnusedFaultError(self.unused, self._service.calls_in_words())

    def __enter__(self) -> "MockKvs":  # noqa: PYI034 - editors complete this
        """Start the kit."""
        return self.start()

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Stop the kit; after a failure, without the check for unused faults."""
        self.stop()
        if error is None:
            self.check_unused()

    def __call__(self, function: _F) -> _F:
        """Decorate a function or an async function: a new kit runs during each call.

        Raises:
            TypeError: If it is a class or a generator function.
        """
        generates = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        if generates or isinstance(function, type) or not callable(function):
            raise TypeError(_NO_FUNCTION)

        def call(*args: Any, **kwargs: Any) -> Any:
            with evolve(self):
                return function(*args, **kwargs)

        async def call_async(*args: Any, **kwargs: Any) -> Any:
            with evolve(self):
                return await function(*args, **kwargs)

        wrapper = call_async if inspect.iscoroutinefunction(function) else call
        return cast("_F", functools.wraps(function)(wrapper))

    @property
    def _service(self) -> Service:
        if self._last_service is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._last_service

    @property
    def _running_service(self) -> Service:
        if _running is not self:
            raise RuntimeError(_NOT_RUNNING)
        return self._service

    # Clients

    def boto_client(
        self, *, region_name: str | None = None, config: Config | None = None
    ) -> BotoClient:
        """Make a plain boto3 ``kinesisvideo`` client; the kit closes it.

        Args:
            region_name: the client's region; by default the kit's.
            config: botocore's configuration, for example of its retries.
        """
        _ = self._running_service
        with _lock:
            client = boto_session().client(
                "kinesisvideo", region_name=region_name or self._region_name, config=config
            )
        self._stack.callback(client.close)
        return cast("BotoClient", client)

    def client(
        self,
        *,
        region_name: str | None = None,
        config: Config | None = None,
        throttle_retry: ThrottleRetry | None = None,
    ) -> StreamsClient:
        """Make a ``StreamsClient``; the kit closes it.

        Args:
            region_name: the client's region; by default the kit's.
            config: botocore's configuration, for example of its retries.
            throttle_retry: the client's retry policy for throttles.
        """
        boto_client = self.boto_client(region_name=region_name, config=config)
        return StreamsClient(boto_client, throttle_retry=throttle_retry or ThrottleRetry())

    def async_client(
        self,
        *,
        region_name: str | None = None,
        config: Config | None = None,
        throttle_retry: ThrottleRetry | None = None,
    ) -> AsyncStreamsClient:
        """Make an ``AsyncStreamsClient`` over a boto3 client; the kit closes it.

        Args:
            region_name: the client's region; by default the kit's.
            config: botocore's configuration, for example of its retries.
            throttle_retry: the client's retry policy for throttles.
        """
        boto_client = self.boto_client(region_name=region_name, config=config)
        return AsyncStreamsClient(boto_client, throttle_retry=throttle_retry or ThrottleRetry())

    @property
    def endpoint_url(self) -> str:
        """The URL of the kit's HTTP server, with ``mock_kvs(server=True)``."""
        _ = self._running_service
        if self._endpoint_url is None:
            raise RuntimeError("an endpoint needs mock_kvs(server=True)")
        return self._endpoint_url

    # Faults

    def fail_next(
        self,
        error: ErrorCode | str,
        *,
        times: int = 1,
        operation: Operation = "create_stream",
        stream_name: str | None = None,
        attempts: int | None = None,
        message: str | None = None,
        status: int | None = None,
    ) -> None:
        """Answer the next call or calls with an error, before the service does anything.

        Args:
            error: any error code, or a status such as ``"503"``, which is sent without a code, as
                from a proxy.
            times: how many calls fail; botocore's retries are part of their call.
            operation: the operation of these calls.
            stream_name: only calls for this stream.
            attempts: how many of a call's requests fail. ``None``: all, so that the caller sees the
                error; 1: the first, so that botocore's retry, if it makes one, succeeds.
            message: the error's text; by default AWS's own.
            status: the HTTP status; by default the one that belongs to the code.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        self._add("fail_next", error, times, operation, stream_name, attempts, message, status)

    def drop_next(
        self,
        *,
        times: int = 1,
        operation: Operation = "create_stream",
        stream_name: str | None = None,
        attempts: int | None = None,
    ) -> None:
        """Close the connection of the next call or calls, before the service does anything.

        Args:
            times: how many calls fail; botocore's retries are part of their call.
            operation: the operation of these calls.
            stream_name: only calls for this stream.
            attempts: how many of a call's requests are dropped. ``None``: all; 1: the first.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        self._add("drop_next", None, times, operation, stream_name, attempts)

    def lose_next_reply(
        self,
        error: ErrorCode | str | None = None,
        *,
        times: int = 1,
        operation: Operation = "create_stream",
        stream_name: str | None = None,
        attempts: int | None = None,
    ) -> None:
        """Process the next call or calls, but lose the responses.

        Args:
            error: the error code that the caller sees instead, such as ``"InternalFailure"``;
                ``None``: the connection is dropped.
            times: how many calls lose their responses; botocore's retries are part of their call.
            operation: the operation of these calls.
            stream_name: only calls for this stream.
            attempts: how many of a call's responses are lost. ``None``: all, so that the outcome is
                unknown to the caller; 1: the first, so that botocore's retry finds the new stream.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        self._add("lose_next_reply", error, times, operation, stream_name, attempts)

    def _add(self, *fault: Any) -> None:
        self._running_service.script.faults.append(Fault(*fault))

    # Delays

    def hold_creating(
        self, describes: int | None = None, *, stream_name: str | None = None
    ) -> None:
        """Keep new streams in CREATING.

        Args:
            describes: for this many ``describe_stream`` or ``list_streams`` responses that show the
                stream; ``None``: until ``release``.
            stream_name: only this stream.
        """
        self._rule("hold_creating", describes, stream_name, "later call for a new stream")

    def hold_deleting(
        self, describes: int | None = None, *, stream_name: str | None = None
    ) -> None:
        """Keep streams that are deleted in DELETING before they are gone.

        Args:
            describes: for this many ``describe_stream`` or ``list_streams`` responses that show the
                stream; ``None``: until ``release``.
            stream_name: only this stream.
        """
        self._rule("hold_deleting", describes, stream_name, "delete_stream")

    def hide_new(self, describes: int = 1, *, stream_name: str | None = None) -> None:
        """Hide new streams from ``describe_stream`` and ``list_streams`` at first.

        Args:
            describes: how many of these calls do not find the stream.
            stream_name: only this stream.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        self._rule("hide_new", describes, stream_name, "poll of a new stream")

    def _rule(self, method: str, value: int | None, stream_name: str | None, use: str) -> None:
        if value is not None:
            check_count("describes", value)
        arguments = [] if value is None else [str(value)]
        if stream_name is not None:
            arguments.append(f"stream_name={stream_name!r}")
        sentence = f"{method}({', '.join(arguments)}) applied to no {use}"
        self._running_service.script.add(method, value, stream_name, sentence)

    def _quota(self, method: str, value: int | None, minimum: int) -> None:
        script = self._running_service.script
        if value is None:
            script.remove(method)
        else:
            check_count(f"the value of {method}", value, minimum)
            script.add(method, value, None, f"{method}({value}) applied to no create_stream")

    def set_status(
        self,
        stream_name: str,
        status: StreamStatus | str,
        *,
        describes: int | None = None,
        region_name: str | None = None,
    ) -> None:
        """Set the status of an existing stream.

        Args:
            stream_name: the stream.
            status: the status, such as ``StreamStatus.UPDATING``.
            describes: for this many ``describe_stream`` or ``list_streams`` responses that show the
                stream; ``None``: until ``release``.
            region_name: the region, if the name exists in several.

        Raises:
            LookupError: If there is no such stream, or more than one.
            ValueError: If there is no such status.
        """
        if status not in set(StreamStatus):
            names = ", ".join(StreamStatus)
            raise ValueError(f"status must be one of {names}, not {shown(status)}")
        if describes is not None:
            check_count("describes", describes)
        service = self._running_service
        with service.lock:
            stream = self._stream(stream_name, region_name)
            script = f"set_status({stream_name!r}, {str(status)!r})"
            sentence, arn = f"{script} applied to no later call", stream.record.stream_arn
            rule = service.script.add("set_status", describes, arn, sentence)
            stream.held(rule, str(status))

    def release(self, stream_name: str, *, region_name: str | None = None) -> None:
        """Release a held stream: it becomes ACTIVE, or is gone if it was being deleted.

        Args:
            stream_name: the stream.
            region_name: the region, if the name exists in several.

        Raises:
            LookupError: If there is no such stream, or more than one.
        """
        service = self._running_service
        with service.lock:
            service.store.release(self._stream(stream_name, region_name))

    def advance(self, seconds: float) -> None:
        """Advance the kit's clock; otherwise only the sleeps of kvs_streams' clients advance it.

        Args:
            seconds: how long, from 0 to a billion.

        Raises:
            ValueError: If ``seconds`` is out of its range.
        """
        # NaN compares false with everything.
        if not 0 <= seconds <= 1e9:  # noqa: PLR2004 - about thirty years
            raise ValueError(f"seconds must be from 0 to 1000000000, got {shown(seconds)}")
        self._running_service.clock.advance(round(seconds * NS_PER_SECOND))

    # Quotas

    def account_limit(self, streams: int | None) -> None:
        """Limit the number of streams in each region.

        Args:
            streams: how many streams can exist; ``None``: no limit.
        """
        self._quota("account_limit", streams, minimum=0)

    def rate_limit(self, creates_per_second: int | None) -> None:
        """Throttle ``create_stream`` beyond this rate, by the kit's clock.

        Args:
            creates_per_second: how many are accepted in any second, in each region; ``None``: no
                limit.
        """
        self._quota("rate_limit", creates_per_second, minimum=1)

    def clear(self) -> None:
        """Remove all scripted faults and rules; streams keep their status."""
        self._running_service.script.clear()

    # Records

    @property
    def streams(self) -> dict[str, StreamRecord]:
        """The existing streams, by name, with their whole configuration.

        Raises:
            LookupError: If a name exists in two regions; then ask ``streams_in``.
        """
        with self._service.lock:
            return {name: each.record for name, each in self._service.store.named().items()}

    def streams_in(self, region_name: str) -> dict[str, StreamRecord]:
        """Return the existing streams in a region, by name.

        Args:
            region_name: the region.
        """
        with self._service.lock:
            named = self._service.store.named(region_name)
            return {name: each.record for name, each in named.items()}

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests that reached the service, in order, including botocore's retries."""
        return tuple(self._service.calls)

    def count(self, operation: Operation = "create_stream") -> int:
        """Return how many requests for an operation reached the service.

        Args:
            operation: boto3's name of the operation.

        Raises:
            ValueError: If the kit does not imitate this operation.
        """
        check_operation(operation)
        return sum(call.operation == operation for call in self.calls)

    @property
    def unused(self) -> tuple[str, ...]:
        """Each scripted fault or rule that was not used, in one sentence."""
        return self._service.script.unused()

    @property
    def elapsed(self) -> float:
        """Seconds since the start by the kit's clock: how long the code would have waited."""
        return self._service.clock.elapsed

    def _stream(self, name: str, region_name: str | None) -> Stream:
        store = self._service.store
        found = store.named(region_name, name)
        if not found:
            names = ", ".join(sorted({each.record.stream_name for each in store.all(region_name)}))
            raise LookupError(f"there is no stream {shown(name)}; there are: {names or 'none'}")
        return found[name]


@overload
def mock_kvs(function: _F, /) -> _F: ...


@overload
def mock_kvs(
    *,
    server: bool = False,
    validate: bool = True,
    allow_unused: bool = False,
    region_name: str = "us-east-1",
) -> MockKvs: ...


def mock_kvs(function: Any = None, /, **options: Any) -> Any:  # noqa: D417 - listed one by one
    """Imitate Kinesis Video Streams in a test, in a ``with`` statement or as a decorator.

    Args:
        function: a function or an async function to decorate, with ``@mock_kvs``; with options,
            ``@mock_kvs(region_name="eu-central-1")``.
        server: also serve HTTP on the loopback interface, for clients in other processes and
            languages.
        validate: refuse requests that break the service's published rules. This matters for plain
            boto3 clients.
        allow_unused: do not fail a test if a scripted fault or rule was not used.
        region_name: the default region.
    """
    kit = MockKvs(**options)
    return kit if function is None else kit(function)
