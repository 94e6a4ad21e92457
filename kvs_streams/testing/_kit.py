"""The kit: what a test scripts and what it asks, on top of moto and the service."""

import functools
import os
import re
import threading
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Protocol, cast

from botocore.config import Config
from typing_extensions import Self

from kvs_streams._aio import AsyncStreamsClient
from kvs_streams._client import StreamsClient
from kvs_streams._flow import ThrottleRetry
from kvs_streams._models import StreamStatus
from kvs_streams._text import shown
from kvs_streams.typing import KinesisVideoClient

from ._changes import Changes
from ._clock import NS_PER_SECOND, VirtualClock
from ._errors import UnusedFaultError
from ._process import (
    announce,
    closed_network,
    credentials_for_everybody,
    isolated_environment,
    no_pauses,
    tamed_aiobotocore,
    virtual_time,
)
from ._records import Call, MotoStream, StreamRecord
from ._replies import ErrorCode
from ._script import (
    Fault,
    Operation,
    Rule,
    check_count,
    check_operation,
    check_optional_text,
    check_text,
)
from ._service import Service

# The first with ARNs of the region's own partition.
MINIMUM_MOTO = (5, 0, 8)
_INSTALL = 'pip install "kvs_streams[testing]"'

_NOT_RUNNING = "mock_kvs is not running: use it in a with statement, or call start()"

# About thirty years at once.
_LONGEST_ADVANCE = 1e9

_lock = threading.Lock()
_running: "MockKvs | None" = None


class BotoClient(KinesisVideoClient, Protocol):
    """A plain boto3 client with the operations that the kit imitates."""

    @property
    def exceptions(self) -> Any:
        """boto3's own exception classes."""
        ...

    @property
    def meta(self) -> Any:
        """boto3's description of the client, such as its region."""
        ...

    def list_streams(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """List the streams."""
        ...

    def delete_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Delete a stream."""
        ...

    def get_data_endpoint(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Return the address for a stream's media."""
        ...

    def tag_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Add tags to a stream."""
        ...

    def untag_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Remove tags from a stream."""
        ...

    def update_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Change a stream's device name or media type."""
        ...

    def update_data_retention(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Change for how long a stream's data is kept."""
        ...

    def update_stream_storage_configuration(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Change a stream's storage tier."""
        ...

    def get_paginator(self, operation_name: str) -> Any:
        """Return boto3's paginator for an operation, such as ``list_streams``."""
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
        raise ImportError(
            f"kvs_streams.testing needs {error.name or 'moto'}, which is missing: {_INSTALL}",
            name=error.name,
        ) from error
    del flask, flask_cors
    found = tuple(int(part) for part in re.findall("[0-9]+", moto.__version__)[:3])
    if found < MINIMUM_MOTO:
        raise ImportError(
            f"kvs_streams.testing needs moto {wanted} or newer, not {moto.__version__}: {_INSTALL}",
            name="moto",
        )


@functools.cache
def _boto_session() -> Any:
    # Making a session costs ten times what making a client costs.
    import boto3

    return boto3.Session(
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106 - made up
        aws_session_token="testing",  # noqa: S106 - made up
    )


class MockKvs:
    """Kinesis Video Streams on top of moto, with scripted failures; made by ``mock_kvs``.

    While it runs, moto answers the boto3 clients of this process that call AWS's standard
    endpoints, also those made before it and those without credentials. Nothing waits, nothing
    leaves this machine, and the environment holds made-up credentials.
    """

    def __init__(
        self, *, server: bool, validate: bool, allow_unused: bool, region_name: str
    ) -> None:
        """Only ``mock_kvs`` calls this."""
        for name, value in (
            ("server", server),
            ("validate", validate),
            ("allow_unused", allow_unused),
        ):
            if not isinstance(value, bool):
                raise TypeError(f"{name} must be True or False, not {shown(value)}")
        check_text("region_name", region_name)
        self._server = server
        self._validate = validate
        self._allow_unused = allow_unused
        self._region_name = region_name
        self._stack = ExitStack()
        self._last_service: Service | None = None
        self._is_running = False
        self._endpoint_url: str | None = None

    # Life

    def start(self) -> Self:
        """Start the kit, and return it; ``with`` does this too.

        Raises:
            ImportError: If moto is missing or too old; says what to install.
            ValueError: If moto does not know the region.
            RuntimeError: If another kit runs in this process.
        """
        global _running  # noqa: PLW0603 - the process is what it changes
        require_moto()
        from ._moto import answer_unhooked, answer_with, mocked, serving

        with _lock:
            if _running is not None:
                raise RuntimeError(
                    "mock_kvs is running in this process already: use that one, or stop it first"
                )
            _running = self
        clock = VirtualClock()
        service = Service(clock, validate=self._validate)
        changes = Changes()
        with ExitStack() as stack:
            stack.callback(self._over)
            stack.callback(changes.undo)
            made_up = stack.enter_context(isolated_environment(changes, self._region_name))
            stack.enter_context(mocked())
            # moto sets credentials of its own.
            os.environ.update(made_up)
            _check_region(self._region_name)
            answer_with(changes, service.answer)
            credentials_for_everybody(changes)
            closed_network(changes, clock, answer_unhooked)
            no_pauses(changes)
            tamed_aiobotocore(changes, clock, load=self._server)
            virtual_time(changes, clock)
            if self._server:
                self._endpoint_url = stack.enter_context(serving(clock.resume))
                announce(changes, self._endpoint_url)
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
            UnusedFaultError: If something scripted has not happened, unless ``allow_unused``.
        """
        self._stack.close()
        if check:
            self.check_unused()

    def check_unused(self) -> None:
        """Raise if something scripted has not happened; stopping the kit does this too.

        Raises:
            UnusedFaultError: If something scripted has not happened, unless ``allow_unused``.
        """
        if not self._allow_unused and self.unused:
            raise UnusedFaultError(self.unused, self._service.calls_in_words())

    def __enter__(self) -> Self:
        """Start the kit."""
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the kit; after a failure, without the check for unused faults."""
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
        self, *, region_name: str | None = None, config: Config | None = None
    ) -> BotoClient:
        """Make a plain boto3 ``kinesisvideo`` client; the kit closes it.

        Args:
            region_name: the client's region; by default the kit's.
            config: botocore's configuration, for example of its retries.

        Raises:
            TypeError: If ``config`` is of the wrong type.
            ValueError: If moto does not know the region.
        """
        self._check_running()
        if config is not None and not isinstance(config, Config):
            raise TypeError(f"config must be a botocore.config.Config, not {shown(config)}")
        if region_name is not None:
            _check_region(region_name)
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
        config: Config | None = None,
        throttle_retry: ThrottleRetry | None = None,
    ) -> StreamsClient:
        """Make a ``StreamsClient``; the kit closes it.

        Args:
            region_name: the client's region; by default the kit's.
            config: botocore's configuration, for example of its retries.
            throttle_retry: the client's retry policy for throttles.

        Raises:
            TypeError: If ``config`` or ``throttle_retry`` is of the wrong type.
            ValueError: If moto does not know the region.
        """
        return StreamsClient(
            self.boto_client(region_name=region_name, config=config),
            throttle_retry=ThrottleRetry() if throttle_retry is None else throttle_retry,
        )

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

        Raises:
            TypeError: If ``config`` or ``throttle_retry`` is of the wrong type.
            ValueError: If moto does not know the region.
        """
        return AsyncStreamsClient(
            self.boto_client(region_name=region_name, config=config),
            throttle_retry=ThrottleRetry() if throttle_retry is None else throttle_retry,
        )

    @property
    def endpoint_url(self) -> str:
        """The service's address for clients in any language, with ``mock_kvs(server=True)``."""
        self._check_running()
        if self._endpoint_url is None:
            raise RuntimeError(
                "moto answers in this process: for an endpoint, ask for mock_kvs(server=True)"
            )
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
            error: any error code, or a status such as ``"503"``, which is answered without a code,
                as a proxy does.
            times: how many calls fail; botocore's retries belong to their call.
            operation: which calls are counted.
            stream_name: only calls for this stream.
            attempts: how many of a call's requests fail. ``None``: all, so that the caller sees the
                error; 1: the first, so that botocore's retry, if it makes one, succeeds.
            message: the error's text; by default AWS's own.
            status: the HTTP status; by default the one that belongs to the code.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        check_text("error", error)
        self._add(
            Fault(
                method="fail_next",
                error=error,
                message=message,
                status=status,
                times=times,
                operation=operation,
                stream_name=stream_name,
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
            operation: which calls are counted.
            stream_name: only calls for this stream.
            attempts: how many of a call's requests are dropped. ``None``: all; 1: the first.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        self._add(
            Fault(
                method="drop_next",
                times=times,
                operation=operation,
                stream_name=stream_name,
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
        """Let the service do its work, and lose its response on the way back.

        Args:
            error: the error code that the caller sees instead, such as ``"InternalFailure"``;
                ``None``: the connection is dropped.
            times: how many calls lose their responses; botocore's retries belong to their call.
            operation: which calls are counted.
            stream_name: only calls for this stream.
            attempts: how many of a call's responses are lost. ``None``: all, so that the caller
                cannot know; 1: the first, so that botocore's retry meets the stream just created.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        self._add(
            Fault(
                method="lose_next_reply",
                error=error,
                acts=True,
                times=times,
                operation=operation,
                stream_name=stream_name,
                attempts=attempts,
            )
        )

    def _add(self, fault: Fault) -> None:
        service = self._service
        with service.lock:
            service.faults.append(fault)

    # What takes time

    def hold_creating(
        self, describes: int | None = None, *, stream_name: str | None = None
    ) -> None:
        """Keep new streams in CREATING.

        Args:
            describes: for how many ``describe_stream`` or ``list_streams`` that show the stream;
                ``None``: until ``release``.
            stream_name: only this stream.
        """
        self._add_rule(Rule("hold_creating", describes, stream_name, "new"))

    def hold_deleting(
        self, describes: int | None = None, *, stream_name: str | None = None
    ) -> None:
        """Keep streams that are deleted in DELETING before they are gone.

        Args:
            describes: for how many ``describe_stream`` or ``list_streams`` that show the stream;
                ``None``: until ``release``.
            stream_name: only this stream.
        """
        self._add_rule(Rule("hold_deleting", describes, stream_name, "deleted"))

    def hide_new(self, describes: int = 1, *, stream_name: str | None = None) -> None:
        """Let ``describe_stream`` and ``list_streams`` not find new streams at first.

        Args:
            describes: how many times.
            stream_name: only this stream.

        Raises:
            TypeError: If a value is of the wrong type.
            ValueError: If a value is out of its range.
        """
        check_count("describes", describes)
        self._add_rule(Rule("hide_new", describes, stream_name, "new"))

    def _add_rule(self, rule: Rule) -> None:
        service = self._service
        with service.lock:
            service.rules[rule.method].add(rule)

    def set_status(
        self,
        stream_name: str,
        status: StreamStatus | str,
        *,
        describes: int | None = None,
        region_name: str | None = None,
        account_id: str | None = None,
    ) -> None:
        """Put a stream that exists into a status.

        Args:
            stream_name: the stream.
            status: such as ``StreamStatus.UPDATING``.
            describes: for how many ``describe_stream`` or ``list_streams`` that show the stream;
                ``None``: until ``release``.
            region_name: the region, if the name exists in several.
            account_id: the account, if the name exists in several.

        Raises:
            LookupError: If there is no such stream, or more than one.
            TypeError: If a value is of the wrong type.
        """
        check_text("status", status)
        if describes is not None:
            check_count("describes", describes)
        service = self._service
        with service.lock:
            _, stream = self._stream(stream_name, region_name, account_id)
            service.hold(stream, status, describes)

    def release(
        self, stream_name: str, *, region_name: str | None = None, account_id: str | None = None
    ) -> None:
        """Let a held stream go on: it becomes ACTIVE, or is gone if it was being deleted.

        Args:
            stream_name: the stream.
            region_name: the region, if the name exists in several.
            account_id: the account, if the name exists in several.

        Raises:
            LookupError: If there is no such stream, or more than one.
            TypeError: If a value is of the wrong type.
        """
        service = self._service
        with service.lock:
            service.release(*self._stream(stream_name, region_name, account_id))

    def advance(self, seconds: float) -> None:
        """Let time pass; otherwise only the sleeps of kvs_streams' clients move the kit's clock.

        Args:
            seconds: how long, from 0 to a billion, and ten billion for all calls together.

        Raises:
            TypeError: If ``seconds`` is not a number.
            ValueError: If ``seconds``, alone or with the calls before, is out of its range.
        """
        if not isinstance(seconds, int | float) or isinstance(seconds, bool):
            raise TypeError(f"seconds must be a number, not {shown(seconds)}")
        # Not a number compares false with everything.
        if not 0 <= seconds <= _LONGEST_ADVANCE:
            raise ValueError(
                f"seconds must be from 0 to {_LONGEST_ADVANCE:.0f}, got {shown(seconds)}"
            )
        self._service.clock.advance(round(seconds * NS_PER_SECOND))

    # Quotas

    def account_limit(self, streams: int | None) -> None:
        """Refuse to create more streams than this in an account and region.

        Args:
            streams: how many may exist; ``None``: no limit.
        """
        if streams is not None:
            check_count("streams", streams, minimum=0)
        self._service.account_limit = streams

    def rate_limit(self, creates_per_second: int | None) -> None:
        """Throttle ``create_stream`` beyond this rate, by the kit's clock.

        Args:
            creates_per_second: how many are accepted in any second, in an account and region;
                ``None``: no limit.
        """
        if creates_per_second is not None:
            check_count("creates_per_second", creates_per_second)
        self._service.creates_per_second = creates_per_second

    def clear(self) -> None:
        """Forget what is scripted and still to come; streams keep their states."""
        self._service.clear()

    # What happened

    @property
    def streams(self) -> dict[str, StreamRecord]:
        """The streams that exist, by name, with their whole configuration.

        Raises:
            LookupError: If a name exists in two regions or accounts; then ask ``streams_in``.
        """
        return _by_name(self._records())

    def streams_in(
        self, region_name: str, *, account_id: str | None = None
    ) -> dict[str, StreamRecord]:
        """Return the streams that exist in a region, by name.

        Args:
            region_name: the region.
            account_id: the account, if a name exists in several.

        Raises:
            LookupError: If a name exists in two accounts, and ``account_id`` does not say which.
            TypeError: If a value is of the wrong type.
        """
        check_text("region_name", region_name)
        check_optional_text("account_id", account_id)
        return _by_name(
            [
                record
                for record in self._records()
                if record.region_name == region_name and account_id in (None, record.account_id)
            ]
        )

    @property
    def calls(self) -> tuple[Call, ...]:
        """The requests that reached the service, in their order, including botocore's retries."""
        return tuple(self._service.calls)

    def count(self, operation: Operation = "create_stream") -> int:
        """Return how many requests for an operation reached the service.

        Args:
            operation: boto3's name of it.

        Raises:
            ValueError: If the kit does not imitate such an operation.
        """
        check_operation(operation)
        return sum(call.operation == operation for call in self.calls)

    @property
    def unused(self) -> tuple[str, ...]:
        """What was scripted and has not happened, one sentence for each."""
        return self._service.unused()

    @property
    def elapsed(self) -> float:
        """Seconds since the start by the kit's clock: how long the code would have waited."""
        return self._service.clock.elapsed

    def _streams(self) -> list[tuple[StreamRecord, MutableMapping[str, MotoStream], MotoStream]]:
        self._check_running()
        from ._moto import all_streams

        return [
            (self._service.record_of(account, region, stream), store, stream)
            for account, region, store, stream in all_streams()
        ]

    def _records(self) -> list[StreamRecord]:
        with self._service.lock:
            return [record for record, _, _ in self._streams()]

    def _stream(
        self, name: str, region_name: str | None, account_id: str | None
    ) -> tuple[MutableMapping[str, MotoStream], MotoStream]:
        check_text("stream_name", name)
        check_optional_text("region_name", region_name)
        check_optional_text("account_id", account_id)
        candidates = [
            found
            for found in self._streams()
            if region_name in (None, found[0].region_name)
            and account_id in (None, found[0].account_id)
        ]
        matching = [found for found in candidates if found[0].stream_name == name]
        if not matching:
            names = ", ".join(sorted({record.stream_name for record, _, _ in candidates}))
            raise LookupError(f"there is no stream {shown(name)}; there are: {names or 'none'}")
        (record, *_, stream), *others = matching
        if others:
            raise _ambiguous(record, others[0][0], "pass region_name, account_id or both")
        return matching[0][1], stream


def _by_name(records: list[StreamRecord]) -> dict[str, StreamRecord]:
    by_name: dict[str, StreamRecord] = {}
    for record in records:
        if (other := by_name.setdefault(record.stream_name, record)) is not record:
            raise _ambiguous(other, record, "ask streams_in(region_name, account_id=...)")
    return by_name


def _ambiguous(one: StreamRecord, other: StreamRecord, way_out: str) -> LookupError:
    return LookupError(
        f"stream {shown(one.stream_name)} exists in {one.region_name} of account "
        f"{one.account_id} and in {other.region_name} of account {other.account_id}: {way_out}"
    )


def _check_region(region_name: str) -> None:
    from ._moto import knows_region, unknown_region

    check_text("region_name", region_name)
    if not knows_region(region_name):
        raise ValueError(unknown_region(region_name))


def mock_kvs(
    *,
    server: bool = False,
    validate: bool = True,
    allow_unused: bool = False,
    region_name: str = "us-east-1",
) -> MockKvs:
    """Return Kinesis Video Streams for a test, to use in a ``with`` statement.

    Args:
        server: also serve moto over HTTP on the loopback interface, for aiobotocore and for clients
            in other processes and languages.
        validate: refuse what the service refuses by its published rules; moto alone accepts
            anything. Users of plain boto3 see the difference.
        allow_unused: do not fail a test for what it scripted and did not use.
        region_name: the default region.
    """
    return MockKvs(
        server=server, validate=validate, allow_unused=allow_unused, region_name=region_name
    )
