"""The kit: what a test says and asks, over moto and the service's script."""

import functools
import os
import re
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, cast

from kvs_streams._text import shown
from kvs_streams._values import StreamStatus
from kvs_streams.typing import KinesisVideoClient

from ._errors import UnusedFaultError
from ._process import (
    VirtualClock,
    closed_network,
    isolated_environment,
    tamed_aiobotocore,
    virtual_time,
)
from ._records import Call, StreamRecord
from ._service import OPERATIONS, ErrorCode, Fault, Operation, Rule, Service

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from botocore.config import Config
    from typing_extensions import Self

    from kvs_streams import AsyncStreamsClient, StreamsClient, ThrottleRetry

    from ._records import MotoStream

# The first with ARNs of the region's own partition.
MINIMUM_MOTO = (5, 0, 8)
_INSTALL = 'pip install "kvs_streams[testing]"'

_NOT_RUNNING = "mock_kvs is not running: use it in a with statement, or call start()"

_lock = threading.Lock()
_running: "MockKvs | None" = None


class BotoClient(KinesisVideoClient, Protocol):
    """A plain boto3 client, with the operations that the kit answers."""

    @property
    def exceptions(self) -> Any:
        """boto3's own exception classes."""
        ...

    @property
    def meta(self) -> Any:
        """What boto3 knows of the client, such as its region."""
        ...

    def list_streams(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """List the streams."""
        ...

    def delete_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Delete a stream."""
        ...

    def get_data_endpoint(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Get the address for a stream's media."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def require_moto() -> None:
    """Raise ``ImportError``, saying what to install, if moto is missing or too old."""
    wanted = ".".join(map(str, MINIMUM_MOTO))
    try:
        import flask
        import flask_cors
        import moto
    except ImportError as error:
        msg = f"kvs_streams.testing needs {error.name or 'moto'}, which is missing: {_INSTALL}"
        raise ImportError(msg, name=error.name) from error
    del flask, flask_cors
    found = tuple(int(part) for part in re.findall("[0-9]+", moto.__version__)[:3])
    if found < MINIMUM_MOTO:
        msg = (
            f"kvs_streams.testing needs moto {wanted} or newer, not {moto.__version__}: {_INSTALL}"
        )
        raise ImportError(msg, name="moto")


@functools.cache
def _boto_session() -> Any:
    # Making a session costs ten times what making a client costs.
    import boto3

    return boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - made up
        aws_session_token="testing",  # noqa: S106 - made up
    )


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        msg = f"{name} must be a whole number, not {shown(value)}"
        raise TypeError(msg)
    if value < 1:
        msg = f"{name} must be at least 1, got {value}"
        raise ValueError(msg)


def _script(method: str, error: str | None, times: int) -> str:
    """Write a call of the kit as the test wrote it."""
    args = [repr(error)] if error else []
    if times != 1:
        args.append(f"times={times}")
    return f"{method}({', '.join(args)})"


class MockKvs:
    """Kinesis Video Streams as a test wants it, on top of moto's; made by ``mock_kvs``.

    While it runs, boto3 clients in this process are answered by moto, those made by the code under
    test and those made before included. Nothing waits, nothing leaves this machine, and the
    environment holds made-up credentials.
    """

    def __init__(
        self, *, server: bool, validate: bool, allow_unused: bool, region_name: str
    ) -> None:
        """Only ``mock_kvs`` calls this."""
        self._server = server
        self._validate = validate
        self._allow_unused = allow_unused
        self._region_name = region_name
        self._stack = ExitStack()
        self._last_service: Service | None = None
        self._is_running = False
        self._endpoint_url: str | None = None

    # Life

    def start(self) -> "Self":
        """Start the kit, and return it; ``with`` does this too.

        Raises:
            ImportError: If moto is missing or too old; says what to install.
            RuntimeError: If another kit runs in this process.
        """
        global _running  # noqa: PLW0603 - the process is what it changes
        require_moto()
        from ._moto import answer_unhooked, answering, mocked, serving

        with _lock:
            if _running is not None:
                msg = "mock_kvs is running in this process already: use that one, or stop it first"
                raise RuntimeError(msg)
            _running = self
        clock = VirtualClock()
        service = Service(clock, validate=self._validate)
        with ExitStack() as stack:
            stack.callback(self._over)
            stack.enter_context(isolated_environment(self._region_name))
            stack.enter_context(mocked())
            stack.enter_context(answering(service.answer, OPERATIONS))
            stack.enter_context(closed_network(clock, answer_unhooked))
            stack.enter_context(tamed_aiobotocore(clock, load=self._server))
            stack.enter_context(virtual_time(clock))
            if self._server:
                self._endpoint_url = stack.enter_context(serving())
                os.environ["AWS_ENDPOINT_URL_KINESIS_VIDEO"] = self._endpoint_url
            self._stack = stack.pop_all()
        self._last_service = service
        self._is_running = True
        return self

    def _over(self) -> None:
        global _running  # noqa: PLW0603 - the process is what it changes
        _running = None
        self._is_running = False
        self._endpoint_url = None

    def stop(self, *, check: bool = True) -> None:
        """Stop the kit and put everything back; ``with`` does this too.

        Args:
            check: whether to do what ``check_unused`` does.

        Raises:
            UnusedFaultError: If something scripted never happened, and that is not allowed.
        """
        self._stack.close()
        if check:
            self.check_unused()

    def check_unused(self) -> None:
        """Raise if something scripted has not happened; the end of the kit does this too.

        Raises:
            UnusedFaultError: If that is so, and not allowed by ``allow_unused``.
        """
        if not self._allow_unused and self.unused:
            raise UnusedFaultError(self.unused, self._service.calls_in_words())

    def __enter__(self) -> "Self":
        """Start the kit."""
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the kit; a test that failed is not blamed for unused faults as well."""
        self.stop(check=exc is None)

    @property
    def _service(self) -> Service:
        if self._last_service is None:
            raise RuntimeError(_NOT_RUNNING)
        return self._last_service

    def _check_running(self) -> None:
        if not self._is_running:
            raise RuntimeError(_NOT_RUNNING)

    # Clients

    def boto_client(
        self, *, region_name: str | None = None, config: "Config | None" = None
    ) -> BotoClient:
        """Make a plain boto3 ``kinesisvideo`` client; the kit closes it.

        Args:
            region_name: instead of the kit's own region.
            config: botocore's configuration, for instance of its retries.
        """
        self._check_running()
        with _lock:
            client = _boto_session().client(
                "kinesisvideo",
                region_name=region_name or self._region_name,
                endpoint_url=self._endpoint_url,
                config=config,
            )
        self._stack.callback(client.close)
        return cast("BotoClient", client)

    def client(
        self,
        *,
        region_name: str | None = None,
        config: "Config | None" = None,
        throttle_retry: "ThrottleRetry | None" = None,
    ) -> "StreamsClient":
        """Make a ``StreamsClient``; the kit closes it.

        Args:
            region_name: instead of the kit's own region.
            config: botocore's configuration, for instance of its retries.
            throttle_retry: instead of the client's default.
        """
        from kvs_streams import StreamsClient, ThrottleRetry

        return StreamsClient(
            self.boto_client(region_name=region_name, config=config),
            throttle_retry=throttle_retry or ThrottleRetry(),
        )

    def async_client(
        self,
        *,
        region_name: str | None = None,
        config: "Config | None" = None,
        throttle_retry: "ThrottleRetry | None" = None,
    ) -> "AsyncStreamsClient":
        """Make an ``AsyncStreamsClient`` over a boto3 client; the kit closes it.

        Args:
            region_name: instead of the kit's own region.
            config: botocore's configuration, for instance of its retries.
            throttle_retry: instead of the client's default.
        """
        from kvs_streams import AsyncStreamsClient, ThrottleRetry

        return AsyncStreamsClient(
            self.boto_client(region_name=region_name, config=config),
            throttle_retry=throttle_retry or ThrottleRetry(),
        )

    @property
    def endpoint_url(self) -> str:
        """Where any client of any language finds the service, with ``mock_kvs(server=True)``."""
        self._check_running()
        if self._endpoint_url is None:
            msg = "moto answers in this process: for an endpoint, ask for mock_kvs(server=True)"
            raise RuntimeError(msg)
        return self._endpoint_url

    # What goes wrong

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
        """Answer the next call, or the next few, with an error; the service does nothing.

        Args:
            error: the error code; any, also a status such as ``"503"``, which is answered without
                a code, as a proxy does.
            times: how many calls fail; botocore's retries belong to their call.
            operation: the calls that are meant.
            stream_name: only calls for this stream.
            attempts: how many of a call's requests fail. ``None``: all, so that the caller sees the
                error; 1: the first, so that botocore's retry, if it makes one, succeeds.
            message: instead of AWS's own text.
            status: the HTTP status, instead of the one that belongs to the code.
        """
        script = _script("fail_next", error, times)
        self._add(
            Fault(
                script=script,
                operation=operation,
                stream_name=stream_name,
                error=error,
                status=status,
                message=message,
                times=times,
                attempts=attempts,
            )
        )

    def drop_next(
        self,
        *,
        times: int = 1,
        operation: Operation = "create_stream",
        stream_name: str | None = None,
        attempts: int | None = None,
    ) -> None:
        """Close the connection of the next call, or the next few, before the service does anything.

        Args:
            times: how many calls fail; botocore's retries belong to their call.
            operation: the calls that are meant.
            stream_name: only calls for this stream.
            attempts: how many of a call's requests are dropped. ``None``: all; 1: the first.
        """
        script = _script("drop_next", None, times)
        self._add(
            Fault(
                script=script,
                operation=operation,
                stream_name=stream_name,
                error=None,
                times=times,
                attempts=attempts,
            )
        )

    def lose_next_reply(
        self,
        error: ErrorCode | str | None = None,
        *,
        times: int = 1,
        operation: Operation = "create_stream",
        stream_name: str | None = None,
        attempts: int | None = None,
    ) -> None:
        """Have the service do its work, and the caller not hear of it.

        Args:
            error: the error code that the caller sees instead, such as ``"InternalFailure"``;
                ``None``: the connection is dropped.
            times: how many calls lose their replies; botocore's retries belong to their call.
            operation: the calls that are meant.
            stream_name: only calls for this stream.
            attempts: how many of a call's replies are lost. ``None``: all, so that the caller does
                not know; 1: the first, so that botocore's retry meets the stream just created.
        """
        script = _script("lose_next_reply", error, times)
        self._add(
            Fault(
                script=script,
                operation=operation,
                stream_name=stream_name,
                error=error,
                acts=True,
                times=times,
                attempts=attempts,
            )
        )

    def _add(self, fault: Fault) -> None:
        service = self._service
        _check_count("times", fault.times)
        if fault.attempts is not None:
            _check_count("attempts", fault.attempts)
        if fault.operation not in OPERATIONS:
            msg = f"operation must be one of {', '.join(OPERATIONS)}, not {shown(fault.operation)}"
            raise ValueError(msg)
        with service.lock:
            service.faults.append(fault)

    # What takes time

    def hold_creating(
        self, describes: int | None = None, *, stream_name: str | None = None
    ) -> None:
        """Keep new streams in CREATING.

        Args:
            describes: for so many ``describe_stream``; ``None``: until ``release``.
            stream_name: only this stream.
        """
        self._rule("hold_creating", "was created", describes, stream_name)

    def hold_deleting(
        self, describes: int | None = None, *, stream_name: str | None = None
    ) -> None:
        """Keep streams that are deleted in DELETING, before they are gone.

        Args:
            describes: for so many ``describe_stream``; ``None``: until ``release``.
            stream_name: only this stream.
        """
        self._rule("hold_deleting", "was deleted", describes, stream_name)

    def hide_new(self, describes: int = 1, *, stream_name: str | None = None) -> None:
        """Have ``describe_stream`` not find new streams at first.

        Args:
            describes: so many times.
            stream_name: only this stream.
        """
        self._rule("hide_new", "was created", describes, stream_name)

    def _rule(
        self, method: str, event: str, describes: int | None, stream_name: str | None
    ) -> None:
        service = self._service
        if describes is not None:
            _check_count("describes", describes)
        args = [] if describes is None else [str(describes)]
        if stream_name is not None:
            args.append(f"stream_name={stream_name!r}")
        script = f"{method}({', '.join(args)})"
        with service.lock:
            service.rules[method].add(stream_name, Rule(script, event, describes))

    def set_status(
        self, stream_name: str, status: StreamStatus | str, *, describes: int | None = None
    ) -> None:
        """Put a stream that exists into a status.

        Args:
            stream_name: the stream.
            status: such as ``StreamStatus.UPDATING``.
            describes: for so many ``describe_stream``; ``None``: until ``release``.

        Raises:
            LookupError: If there is no such stream.
        """
        if describes is not None:
            _check_count("describes", describes)
        service = self._service
        with service.lock:
            _, stream = self._stream(stream_name)
            service.hold(stream, status, describes)

    def release(self, stream_name: str) -> None:
        """Let a held stream go on: it becomes ACTIVE, or is gone if it was being deleted.

        Args:
            stream_name: the stream.

        Raises:
            LookupError: If there is no such stream.
        """
        service = self._service
        with service.lock:
            service.release(*self._stream(stream_name))

    def advance(self, seconds: float) -> None:
        """Let time pass; otherwise the kit's clock moves by the sleeps of our clients alone.

        Args:
            seconds: how long.
        """
        self._service.clock.advance(seconds)

    # Quotas

    def account_limit(self, streams: int | None) -> None:
        """Refuse to create more streams than this in a region; ``None``: no limit.

        Args:
            streams: how many may exist.
        """
        if streams is not None and streams < 0:
            msg = f"streams must be at least 0, got {streams}"
            raise ValueError(msg)
        self._service.account_limit = streams

    def rate_limit(self, creates_per_second: int | None) -> None:
        """Throttle ``create_stream`` beyond this rate, by the kit's clock; ``None``: no limit.

        Args:
            creates_per_second: how many are let through in any second.
        """
        if creates_per_second is not None:
            _check_count("creates_per_second", creates_per_second)
        self._service.creates_per_second = creates_per_second

    def clear(self) -> None:
        """Forget everything scripted that is still to come; streams and their states stay."""
        self._service.clear()

    # What happened

    @property
    def streams(self) -> dict[str, StreamRecord]:
        """The streams that exist, by name, with their whole configuration.

        Raises:
            LookupError: If a name exists in two regions; then ask ``streams_in``.
        """
        records: dict[str, StreamRecord] = {}
        for record in self._records():
            if (other := records.setdefault(record.stream_name, record)) is not record:
                msg = (
                    f"stream {shown(record.stream_name)} exists in {other.region_name} and in "
                    f"{record.region_name}: ask streams_in(region_name)"
                )
                raise LookupError(msg)
        return records

    def streams_in(self, region_name: str) -> dict[str, StreamRecord]:
        """Return the streams that exist in one region, by name.

        Args:
            region_name: the region.
        """
        return {
            record.stream_name: record
            for record in self._records()
            if record.region_name == region_name
        }

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests that reached the service, in their order, botocore's retries included."""
        return tuple(self._service.calls)

    def count(self, operation: Operation = "create_stream") -> int:
        """Return how many requests for an operation reached the service.

        Args:
            operation: by boto3's name.
        """
        return sum(call.operation == operation for call in self.calls)

    @property
    def unused(self) -> tuple[str, ...]:
        """What was scripted and has not happened, a sentence for each."""
        return self._service.unused()

    @property
    def elapsed(self) -> float:
        """Seconds by the kit's clock since it started: how long the code would have waited."""
        return self._service.clock.elapsed

    def _streams(self) -> "list[tuple[str, MutableMapping[str, MotoStream], MotoStream]]":
        self._check_running()
        from ._moto import all_streams

        return list(all_streams())

    def _records(self) -> list[StreamRecord]:
        service = self._service
        with service.lock:
            return [service.record_of(region, stream) for region, _, stream in self._streams()]

    def _stream(self, name: str) -> "tuple[MutableMapping[str, MotoStream], MotoStream]":
        streams = self._streams()
        for _, store, stream in streams:
            if stream.stream_name == name:
                return store, stream
        names = ", ".join(sorted({stream.stream_name for _, _, stream in streams})) or "none"
        msg = f"there is no stream {shown(name)}; there are: {names}"
        raise LookupError(msg)


def mock_kvs(
    *,
    server: bool = False,
    validate: bool = True,
    allow_unused: bool = False,
    region_name: str = "us-east-1",
) -> MockKvs:
    """Return Kinesis Video Streams for a test, to be used in a ``with`` statement.

    Args:
        server: serve moto over HTTP on the loopback interface too, for aiobotocore and for clients
            of other processes and languages.
        validate: refuse what the service would refuse by its published rules, where moto takes
            anything; plain boto3 users see it.
        allow_unused: do not fail a test for what it scripted and did not use.
        region_name: the default region.
    """
    return MockKvs(
        server=server, validate=validate, allow_unused=allow_unused, region_name=region_name
    )


# Tracebacks, reprs and pickles show the names that users import.
BotoClient.__module__ = MockKvs.__module__ = mock_kvs.__module__ = "kvs_streams.testing"
