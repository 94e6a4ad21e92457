"""What takes more than one step, each written once: throttle retry, waiting, create-if-missing.

A flow is a plain ``async def`` over an ``Io``, which it asks for calls, sleep, time and chance.
The async client's really waits; the sync client's never suspends, so that one ``send(None)`` runs
a flow to its end without an event loop (``run``).
"""

import logging
import math
import re
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from attrs import field, frozen

from kvs_streams import _wire
from kvs_streams._models import (
    CreateStreamRequest,
    CreateStreamResponse,
    EnsuredStream,
    EnsureOutcome,
    StreamInfo,
    StreamStatus,
)
from kvs_streams._text import shown
from kvs_streams._validation import tag_path
from kvs_streams._wire import Call
from kvs_streams._flows.io import Io, SystemClock
from kvs_streams.errors import (
    AccessDeniedError,
    ClientLimitExceededException,
    Drift,
    KvsStreamsError,
    ResourceInUseException,
    ResourceNotFoundException,
    ServerError,
    ServiceError,
    StreamDeletingError,
    StreamDriftError,
    ThrottlingError,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
    show_as_public,
)

__all__ = ["ThrottleRetry"]

_log = logging.getLogger("kvs_streams")
_log.addHandler(logging.NullHandler())

_T = TypeVar("_T")

# DescribeStream takes 5 calls a second for each stream, and all pollers of a stream share them:
# start quick for a creation of about half a second, and soon leave room for the others.
_FIRST_PAUSE = 0.5
_PAUSE_GROWTH = 1.5
_LONGEST_PAUSE = 5.0
_JITTER = 0.25
_LONGEST = sys.float_info.max
# A creation is eventually consistent: for this long ensure_stream takes "not found" for "not yet".
_NOT_FOUND_GRACE = 10.0
_DEFAULT_KEY = "alias/aws/kinesisvideo"
_KMS_NAME = re.compile(
    r"(?:arn:(?P<owner>[^:]+:kms:[^:]*:[^:]*):)?(?:alias/(?P<alias>.+)|(?:key/)?(?P<key>[^/]+))"
)
# How an endpoint that lacks an operation says so: real and imitated ones differ.
_NOT_OFFERED_CODES = {"UnknownOperationException", "InvalidAction", "NotImplemented"}
_NOT_OFFERED_STATUS = {404, 405, 501}


def run(flow: Coroutine[Any, Any, _T]) -> _T:
    """Run a flow whose ``Io`` never suspends to its end."""
    try:
        flow.send(None)
    except StopIteration as stop:
        result: _T = stop.value
        return result
    flow.close()
    msg = "the flow suspended, and there is no event loop to resume it"
    raise RuntimeError(msg)


def check_seconds(name: str, value: float) -> None:
    """Refuse what is no span of time; infinity is one."""
    if type(value) not in (int, float):
        msg = f"{name} must be a number of seconds, not {shown(value)}"
        raise TypeError(msg)
    # Not a number compares false with everything; an int can be too large for a float.
    if not 0 <= value <= _LONGEST and value != math.inf:
        msg = f"{name} must be at least 0 seconds, got {shown(value)}"
        raise ValueError(msg)


@frozen(kw_only=True)
class ThrottleRetry:
    """How to go on after ``ClientLimitExceededException``, which botocore never retries.

    Exponential backoff with full jitter: before each new attempt a random time up to a ceiling that
    starts at ``base_delay`` and doubles up to ``max_delay``. No other error is retried: those are
    botocore's own business, so that retries never multiply.

    Args:
        max_attempts: Attempts in all, at least 1; 1 turns the retry off.
        base_delay: The first ceiling, in seconds, at least 0.
        max_delay: The highest ceiling, in seconds, at least ``base_delay``.

    Raises:
        TypeError: If a value is not a number.
        ValueError: If a value is out of its range.
    """

    max_attempts: int = field(default=5)
    """Attempts in all, the first included; 1 turns the retry off."""

    base_delay: float = field(default=0.5)
    """The ceiling of the first wait, in seconds."""

    max_delay: float = field(default=8.0)
    """The ceiling that no wait exceeds, in seconds."""

    def __attrs_post_init__(self) -> None:
        """Refuse nonsense."""
        if type(self.max_attempts) is not int:
            msg = f"max_attempts must be a whole number, not {shown(self.max_attempts)}"
            raise TypeError(msg)
        if self.max_attempts < 1:
            msg = f"max_attempts must be at least 1, got {shown(self.max_attempts)}"
            raise ValueError(msg)
        check_seconds("base_delay", self.base_delay)
        check_seconds("max_delay", self.max_delay)
        if math.isinf(self.max_delay) or self.max_delay < self.base_delay:
            msg = f"max_delay must be finite and at least base_delay, got {shown(self.max_delay)}"
            raise ValueError(msg)

    def delay(self, attempt: int, chance: float) -> float:
        """Return the seconds to wait after a number of attempts.

        Args:
            attempt: How many attempts were made, at least 1.
            chance: A random number from 0 up to 1.
        """
        # Beyond 64 doublings every ceiling is max_delay; a float has no room for thousands.
        return chance * min(self.max_delay, self.base_delay * 2.0 ** min(attempt - 1, 64))


_NO_RETRY = ThrottleRetry(max_attempts=1)


class _Deadline:
    """The time that a flow may take, and what it last saw."""

    def __init__(self, io: Io, call: Call, timeout: float) -> None:
        check_seconds("timeout", timeout)
        self.io = io
        self.call = call
        self.started = io.clock.now()
        self.timeout = timeout
        self.last_status: StreamStatus | None = None
        self.last_error: KvsStreamsError | None = None
        # The error that left the outcome of a create unknown.
        self.doubt: KvsStreamsError | None = None
        self._over = False

    def waited(self) -> float:
        """Return the seconds since the start."""
        return (self.io.clock.now() - self.started) / 1e9

    async def sleep(self, seconds: float) -> None:
        """Sleep, though never beyond the deadline; raise if it has passed already."""
        remaining = self.timeout - self.waited()
        if remaining <= 0 or self._over:
            seen = f"its last status is {self.last_status}" if self.last_status else "never seen"
            name = shown(self.call.stream_name)
            msg = f"gave up on stream {name} after {self.waited():.1f} s: {seen}"
            raise WaitTimeoutError(
                msg,
                stream_name=self.call.stream_name,
                last_status=self.last_status,
                waited=self.waited(),
            ) from self.doubt or self.last_error
        # By its own clock a sleep can end a hair too early: one that was cut is the last.
        self._over = seconds >= remaining
        await self.io.sleep(min(seconds, remaining))


async def _send(
    io: Io, retry: ThrottleRetry, call: Call, deadline: _Deadline | None = None
) -> tuple[Any, int]:
    """Make a call, again and again while the service's own throttle refuses it.

    Returns:
        The reply, and how many requests were sent before the attempt that it answers.
    """
    method = getattr(io.client, call.method)
    sent = 0
    retried = False
    attempt = 1
    while True:
        # The error is raised outside of the handler: boto's is its cause, and nothing else.
        try:
            reply = await io.call(method, call.kwargs)
        except _wire.BOTO_FAILURES as exc:
            error = _wire.translate(io.client, call, exc, sent_before=sent, retried=retried)
        else:
            return reply, sent
        if not isinstance(error, ClientLimitExceededException) or attempt >= retry.max_attempts:
            raise error
        delay = retry.delay(attempt, io.clock.random())
        _log.debug(
            "%s for stream %s is throttled, attempt %d of %d; next in %.2f s",
            call.operation_name,
            shown(call.stream_name),
            attempt,
            retry.max_attempts,
            delay,
        )
        retried = retried or error.retry_attempts > sent
        sent = error.retry_attempts + 1
        attempt += 1
        if deadline is None:
            await io.sleep(delay)
        else:
            deadline.last_error = error
            await deadline.sleep(delay)


async def create(
    io: Io, retry: ThrottleRetry, request: CreateStreamRequest, deadline: _Deadline | None = None
) -> CreateStreamResponse:
    """Create a stream."""
    call = _wire.create_call(request)
    reply, sent_before = await _send(io, retry, call, deadline)
    return _wire.read_created(call, reply, sent_before)


async def describe(io: Io, retry: ThrottleRetry, stream: str) -> StreamInfo:
    """Describe a stream."""
    call = _wire.describe_call(stream)
    reply, _ = await _send(io, retry, call)
    return _wire.read_stream(call, reply)


class _Watch(_Deadline):
    """A stream that is looked at until it is as wanted."""

    def __init__(self, io: Io, stream: str, timeout: float, grace: float) -> None:
        super().__init__(io, _wire.describe_call(stream), timeout)
        check_seconds("not_found_grace", grace)
        self.grace = grace
        self.expected_from = self.started
        self.last_reply: object = None
        self._pause = 0.0

    def expect(self, doubt: KvsStreamsError | None) -> None:
        """Start anew: a stream is expected from now on, for all that is known."""
        self.expected_from = self.io.clock.now()
        self.last_status = None
        self.doubt = doubt
        self._pause = min(self._pause, _FIRST_PAUSE)

    def began(self, reply: object) -> datetime | None:
        """Return when all this began by the server's clock, given a reply that just came.

        The reply shows whole seconds, cut: so this is up to a second early, and never late.
        """
        time = _wire.server_time(reply)
        return None if time is None else time - timedelta(seconds=self.waited())

    async def look(self) -> StreamInfo | None:
        """Look once, in good time after the last look; ``None`` if that gave no answer."""
        if self._pause:
            await self.sleep(self._pause * (1 - _JITTER + 2 * _JITTER * self.io.clock.random()))
        self._pause = min(max(_FIRST_PAUSE, self._pause * _PAUSE_GROWTH), _LONGEST_PAUSE)
        try:
            # A throttled look is not sent again at once: the next look is its retry.
            reply, _ = await _send(self.io, _NO_RETRY, self.call)
        except (ThrottlingError, ServerError) as error:
            self.last_error = error
            return None
        except ResourceNotFoundException as error:
            self.last_error = error
            waited = (self.io.clock.now() - self.expected_from) / 1e9
            if self.last_status is not None or waited >= self.grace:
                raise
            return None
        info = _wire.read_stream(self.call, reply)
        self.last_status = info.status
        self.last_reply = reply
        return info

    async def until_seen(self, *, active: bool) -> StreamInfo:
        """Look until the stream is there or, with ``active``, ready for use."""
        while True:
            info = await self.look()
            if info is None:
                continue
            if info.status == StreamStatus.DELETING:
                msg = f"stream {shown(info.stream_name)} is being deleted"
                raise StreamDeletingError(
                    msg,
                    stream_name=self.call.stream_name,
                    last_status=info.status,
                    waited=self.waited(),
                )
            if info.status == StreamStatus.ACTIVE or not active:
                return info

    async def until_gone(self) -> None:
        """Look until the stream, which is being deleted, is no more, or is another one already."""
        with suppress(ResourceNotFoundException):
            while self.last_status == StreamStatus.DELETING:
                await self.look()


async def wait_until_active(
    io: Io, stream: str, timeout: float, not_found_grace: float
) -> StreamInfo:
    """Wait until a stream is ready for use."""
    return await _Watch(io, stream, timeout, not_found_grace).until_seen(active=True)


async def ensure(
    io: Io,
    retry: ThrottleRetry,
    request: CreateStreamRequest,
    *,
    wait: bool,
    timeout: float,
    on_drift: Literal["raise", "ignore"],
) -> EnsuredStream:
    """Create a stream unless it is there."""
    if on_drift not in ("raise", "ignore"):
        msg = f"on_drift must be 'raise' or 'ignore', not {shown(on_drift)}"
        raise ValueError(msg)
    watch = _Watch(io, request.stream_name, timeout, _NOT_FOUND_GRACE)
    possibly_own = False
    while True:
        attempt = await _attempt(io, retry, request, watch)
        possibly_own = possibly_own or attempt.possibly_own
        watch.expect(attempt.doubt)
        try:
            info = await watch.until_seen(active=wait)
            if attempt.created is not None:
                return EnsuredStream(stream=info, outcome=EnsureOutcome.CREATED)
            began = attempt.began or watch.began(watch.last_reply)
            drift, unverified = await _compare(io, retry, request, info, watch)
            break
        except KvsStreamsError as error:
            error.created = attempt.created
            gone = isinstance(error, ResourceNotFoundException)
            going = isinstance(error, StreamDeletingError) and wait
            if attempt.created is not None or not (gone or going):
                raise
            if watch.last_status is None and attempt.doubt is not None:
                raise attempt.doubt from attempt.doubt.__cause__
            if going:
                await watch.until_gone()
            if watch.last_status is not None:
                possibly_own = False  # what an earlier attempt may have created is gone
        # It was in use a moment ago, and is not there now: the name is free.
    if drift and on_drift == "raise":
        raise StreamDriftError(drift, stream=info, unverified=unverified)
    born = info.creation_time
    recent = began is not None and born is not None and born >= began
    recovered = possibly_own and recent and not drift
    return EnsuredStream(
        stream=info,
        outcome=EnsureOutcome.RECOVERED if recovered else EnsureOutcome.EXISTING,
        drift=drift,
        unverified=unverified,
    )


@frozen(kw_only=True)
class _Attempt:
    """What one create within ``ensure`` came to, short of an error that ends it."""

    created: CreateStreamResponse | None = None
    # The error that left the outcome unknown.
    doubt: KvsStreamsError | None = None
    possibly_own: bool = False
    began: datetime | None = None


async def _attempt(
    io: Io, retry: ThrottleRetry, request: CreateStreamRequest, watch: _Watch
) -> _Attempt:
    """Create once; raise what neither a conflict nor an unknown outcome explains."""
    try:
        return _Attempt(created=await create(io, retry, request, watch))
    except ResourceInUseException as error:
        return _Attempt(possibly_own=error.possibly_own, began=watch.began(error.response))
    except ServerError as error:
        return _Attempt(doubt=error, possibly_own=True, began=watch.began(error.response))
    except UnexpectedResponseError as error:
        return _Attempt(doubt=error, possibly_own=True)
    except TransportError as error:
        if not error.outcome_unknown:
            raise
        return _Attempt(doubt=error, possibly_own=True)


async def _compare(
    io: Io,
    retry: ThrottleRetry,
    request: CreateStreamRequest,
    info: StreamInfo,
    deadline: _Deadline,
) -> tuple[tuple[Drift, ...], tuple[str, ...]]:
    """Compare what a request asks for with the stream that is there.

    Returns:
        The differences, and the fields that could not be compared, in the order of the fields.
    """
    drift, unverified = _compare_info(request, info)
    name, tags = request.stream_name, request.tags
    if tags is not None:
        try:
            found = await _read_tags(io, retry, name, deadline)
        except ServiceError as error:
            _raise_unless_unreadable(error)
            unverified.append("tags")
        else:
            for key, value in tags.items():
                drift += _differences(tag_path(key), value, found.get(key))
    storage = request.stream_storage_configuration
    if storage is not None:
        call = _wire.storage_call(name)
        try:
            reply, _ = await _send(io, retry, call, deadline)
        except ServiceError as error:
            _raise_unless_unreadable(error)
            unverified.append("stream_storage_configuration")
        else:
            path = "stream_storage_configuration.default_storage_tier"
            wanted = storage.default_storage_tier.value
            drift += _differences(path, wanted, _wire.read_tier(call, reply))
    return tuple(drift), tuple(unverified)


def _compare_info(request: CreateStreamRequest, info: StreamInfo) -> tuple[list[Drift], list[str]]:
    """Compare the fields that a describe shows."""
    drift = _differences("device_name", request.device_name, info.device_name)
    drift += _differences("media_type", request.media_type, info.media_type)
    unverified: list[str] = []
    if request.kms_key_id is not None:
        same = _is_same_key(request.kms_key_id, info.kms_key_id or _DEFAULT_KEY)
        if same is None:
            unverified.append("kms_key_id")
        elif not same:
            drift.append(Drift("kms_key_id", request.kms_key_id, info.kms_key_id))
    # A stream that says nothing of its retention has the default.
    retention = info.data_retention_in_hours or 0
    drift += _differences("data_retention_in_hours", request.data_retention_in_hours, retention)
    return drift, unverified


def _differences(field: str, requested: str | int | None, found: str | int | None) -> list[Drift]:
    """Return the difference in a field, if it is asked for and is not as asked for."""
    return [] if requested is None or requested == found else [Drift(field, requested, found)]


async def _read_tags(
    io: Io, retry: ThrottleRetry, stream_name: str, deadline: _Deadline
) -> dict[str, str]:
    """Read all pages of a stream's tags."""
    tags: dict[str, str] = {}
    token: str | None = None
    while True:
        reply, _ = await _send(io, retry, _wire.tags_call(stream_name, token), deadline)
        page, token = _wire.read_tags(reply)
        tags.update(page)
        if token is None:
            return tags
        # A page is no pause, yet pages without end must not outlast the deadline.
        await deadline.sleep(0)


def _raise_unless_unreadable(error: ServiceError) -> None:
    """Raise the error of a read, unless it means that this can't be read here."""
    if isinstance(error, AccessDeniedError):
        return
    not_found = isinstance(error, ResourceNotFoundException)
    if error.code in _NOT_OFFERED_CODES or (
        error.http_status_code in _NOT_OFFERED_STATUS and not not_found
    ):
        return
    raise error


def _is_same_key(requested: str, found: str) -> bool | None:
    """Tell whether two names mean the same KMS key; ``None`` if that cannot be known from them.

    A key id and a key ARN can be compared, and so can an alias and an alias ARN. Which key an alias
    stands for only KMS knows.
    """
    one, other = _KMS_NAME.fullmatch(requested), _KMS_NAME.fullmatch(found)
    if requested == found:
        return True
    if one is None or other is None or (one["key"] is None) != (other["key"] is None):
        return None
    if one["alias"] != other["alias"] or one["key"] != other["key"]:
        return False
    return one["owner"] is None or other["owner"] is None or one["owner"] == other["owner"]


show_as_public(__all__, globals())
