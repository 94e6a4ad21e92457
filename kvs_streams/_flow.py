"""The type of flows, the flows of single calls, and polling.

A flow is a plain generator. It yields a ``Call`` or a ``Pause``; its driver sends back the
``Outcome`` of the call, or ``None`` after the pause. It returns the result. A flow uses no network
and no event loop, so the sync client, the async client and the fleet run the same flows.
"""

import logging
import math
from collections.abc import Generator
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from attrs import frozen

from . import _clock, errors
from ._clock import SECOND, to_nanoseconds
from ._models import CreateStreamResponse, StreamArn, StreamInfo, StreamStatus
from ._request import CreateStreamRequest
from ._text import shown
from ._wire import Call, Outcome, create_call, describe_call, read_created, read_stream

_log = logging.getLogger("kvs_streams")
_log.addHandler(logging.NullHandler())

_T = TypeVar("_T")

# DescribeStream allows 5 calls a second for each stream, shared by all pollers. Polling starts
# fast, since a create takes about half a second, and soon slows down for the other pollers.
_FIRST_PAUSE = SECOND // 2
_LONGEST_PAUSE = 5 * SECOND
_JITTER = 0.25
_FINAL = {StreamStatus.ACTIVE, StreamStatus.DELETING}


class Pause(NamedTuple):
    """A pause of a flow, in nanoseconds."""

    nanoseconds: int


Flow = Generator[Call | Pause, Outcome | None, _T]


def check_count(name: str, value: int) -> None:
    """Refuse anything but an int of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {shown(value)}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {shown(value)}")


@frozen(kw_only=True)
class ThrottleRetry:
    """Retry policy for ``ClientLimitExceededException``, which botocore never retries.

    Uses exponential backoff with full jitter: each retry follows a random delay, whose upper limit
    starts at ``base_delay`` and doubles up to ``max_delay``. botocore retries all other errors, so
    the two retry layers never overlap.

    Args:
        max_attempts: The number of attempts, at least 1; 1 disables retries.
        base_delay: The upper limit of the first delay, in seconds, at least 0.
        max_delay: The upper limit of every delay, in seconds, at least ``base_delay`` and finite.

    Raises:
        TypeError: If a value is not a number.
        ValueError: If a value is out of range.
    """

    max_attempts: int = 5
    """The number of attempts, including the first; 1 disables retries."""

    base_delay: float = 0.5
    """The upper limit of the first delay, in seconds."""

    max_delay: float = 8.0
    """The upper limit of every delay, in seconds."""

    def __attrs_post_init__(self) -> None:
        """Refuse invalid values."""
        check_count("max_attempts", self.max_attempts)
        to_nanoseconds("base_delay", self.base_delay)
        if not self.base_delay <= self.max_delay < math.inf:
            raise ValueError(
                f"max_delay must be finite and at least base_delay ({self.base_delay} s), "
                f"got {self.max_delay}"
            )

    def delay(self, attempt: int, random: float) -> float:
        """Return the delay after an attempt, in seconds.

        Args:
            attempt: The number of attempts made, at least 1.
            random: A random number from 0 up to 1.
        """
        # After 64 doublings the limit is max_delay; thousands of them would overflow a float.
        return random * min(self.max_delay, self.base_delay * 2.0 ** min(attempt - 1, 64))


class Operation:
    """One call of a public method: its deadline, its retries, and the last status seen.

    Args:
        throttle_retry: The retry policy for its calls.
        timeout: The time limit, in seconds; by default there is none.
    """

    def __init__(self, throttle_retry: ThrottleRetry, timeout: float = math.inf) -> None:
        self._retry = throttle_retry
        self._timeout = timeout
        self._limit = to_nanoseconds("timeout", timeout)
        self.started = self.answered = _clock.clock.start()
        self.stream_name = ""
        self.seen: StreamInfo | None = None
        self.last_error: errors.KvsStreamsError | None = None

    def begin(self, now: int) -> None:
        """Start the time now."""
        self.started = now

    @property
    def waited(self) -> int:
        """The time since the start."""
        return _clock.clock.now() - self.started

    @property
    def remaining(self) -> float:
        """The time until the deadline."""
        return self._limit - self.waited

    def timed_out(self) -> errors.WaitTimeoutError:
        """Return the error for a deadline that has passed."""
        status = self.seen.status if self.seen else None
        seen = f"its last status is {status}" if status else "never seen"
        error = errors.WaitTimeoutError(
            f"gave up on stream {shown(self.stream_name)} after {self._timeout} s: {seen}",
            stream_name=self.stream_name,
            last_status=status,
            waited=max(self.waited / SECOND, self._timeout),
        )
        error.__cause__ = self.last_error
        return error

    def deleting(self) -> errors.StreamDeletingError:
        """Return the error for a stream that is being deleted."""
        return errors.StreamDeletingError(
            f"stream {shown(self.stream_name)} is being deleted",
            stream_name=self.stream_name,
            last_status=StreamStatus.DELETING,
            waited=self.waited / SECOND,
        )

    def sleep(self, nanoseconds: int, *, is_decisive: bool = False) -> Flow[None]:
        """Sleep, but not beyond the deadline: one more call follows a pause that is cut there.

        If the deadline has passed, raise; with ``is_decisive`` return at once instead, because the
        next call determines the outcome of a create.
        """
        remaining = self.remaining
        if remaining > 0:
            yield Pause(int(min(nanoseconds, remaining)))
        elif not is_decisive:
            raise self.timed_out()

    def send(self, call: Call, *, retry_throttle: bool = True) -> Flow[tuple[Any, int]]:
        """Make a call, and retry it while Kinesis Video Streams throttles it.

        Returns:
            The reply, and the number of requests sent in earlier attempts.
        """
        attempt = sent = 0
        while True:
            attempt += 1
            outcome = yield call
            assert outcome is not None  # noqa: S101  # for type checkers: a call has an outcome
            self.answered = outcome.at
            error = outcome.error
            if error is None:
                return outcome.reply, sent
            if isinstance(error, errors.ServiceError):
                error.retry_attempts += sent
                if isinstance(error, errors.ResourceInUseException):
                    # Without retries of botocore's, attempt n is that of retry n - 1.
                    error.possibly_own = error.possibly_own or error.retry_attempts >= attempt
            is_last = not retry_throttle or attempt == self._retry.max_attempts
            if is_last or not isinstance(error, errors.ClientLimitExceededException):
                raise error
            sent, self.last_error = error.retry_attempts + 1, error
            delay = self._retry.delay(attempt, _clock.clock.random())
            text = f"{call.operation_name} for stream {shown(call.stream_name)} is throttled"
            _log.debug("%s in attempt %d; retrying in %.2f s", text, attempt, delay)
            yield from self.sleep(round(delay * SECOND))


def create(operation: Operation, request: CreateStreamRequest) -> Flow[CreateStreamResponse]:
    """Create a stream."""
    call = create_call(request)
    reply, sent_before = yield from operation.send(call)
    return read_created(call, reply, sent_before)


def describe(operation: Operation, stream: str) -> Flow[StreamInfo]:
    """Describe a stream, given by name or ARN."""
    call = describe_call(stream)
    reply, _ = yield from operation.send(call)
    return read_stream(call, reply)


class Poller:
    """Polls one stream at a growing interval.

    Args:
        operation: The operation that polls.
        stream: The stream's name or ARN.
        grace: The grace period for a stream that is not found, from now on.
    """

    def __init__(self, operation: Operation, stream: str, grace: float = 0) -> None:
        self._operation = operation
        self._call = describe_call(stream)
        operation.stream_name = self._call.stream_name
        self.pause = 0
        self.last_reply: Any = None
        self.expect(grace)

    def expect(self, grace: float, created: StreamArn | None = None) -> None:
        """Start over after a create.

        Args:
            grace: The grace period, from now on.
            created: The ARN of the expected stream, if it is known. A stream with an older
                ARN is a stale read of its predecessor and counts as not found.
        """
        self._grace_ends = _clock.clock.now() + grace
        self.created = created
        self._is_first = True
        self._operation.seen = None

    def poll(self) -> Flow[StreamInfo | None]:
        """Poll once, after the current pause; return ``None`` if there is no answer yet."""
        operation = self._operation
        is_decisive, self._is_first = self._is_first, False
        if self.pause:
            jitter = 1 - _JITTER + 2 * _JITTER * _clock.clock.random()
            pause = round(self.pause * jitter)
            is_last = pause >= operation.remaining
            yield from operation.sleep(pause, is_decisive=is_decisive)
            # A pause that ends at the deadline is followed by a last poll.
            is_decisive = is_decisive or is_last
        call = self._call._replace(is_decisive=is_decisive)
        self.pause = min(max(_FIRST_PAUSE, self.pause * 3 // 2), _LONGEST_PAUSE)
        try:
            # The next poll is the retry.
            self.last_reply, _ = yield from operation.send(call, retry_throttle=False)
            info = read_stream(call, self.last_reply)
            if not self._is_stale(info):
                operation.seen = info
                return info
            if operation.seen is None:
                raise _stale(info)
        except (errors.ThrottlingError, errors.ServerError) as error:
            operation.last_error = error
        except errors.ResourceNotFoundException as error:
            operation.last_error = error
            if operation.seen is not None or _clock.clock.now() >= self._grace_ends:
                raise
        return None

    def until_seen(self, *, active: bool) -> Flow[StreamInfo]:
        """Poll until the stream exists or, with ``active``, until it is ``ACTIVE``.

        A stream that is being deleted never becomes ``ACTIVE``, so it is returned as well.
        """
        info = None
        while info is None or (active and info.status not in _FINAL):
            info = yield from self.poll()
        return info

    def _is_stale(self, info: StreamInfo) -> bool:
        """Return whether a stream is the predecessor of the expected one."""
        with suppress(ValueError):  # an ARN without a time
            if self.created is not None:
                return info.stream_arn.created_at < self.created.created_at
        return False


def _stale(info: StreamInfo) -> errors.ResourceNotFoundException:
    """Return the error for a describe that still shows the predecessor of the stream."""
    message = f"The response still shows the predecessor, {info.stream_arn}."
    error = {"Error": {"Code": "ResourceNotFoundException", "Message": message}}
    name = info.stream_name
    return errors.ResourceNotFoundException(error, "DescribeStream", stream_name=name)


def wait_until_active(
    operation: Operation, stream: str, not_found_grace: float
) -> Flow[StreamInfo]:
    """Wait until a stream is ``ACTIVE``."""
    grace = to_nanoseconds("not_found_grace", not_found_grace)
    info = yield from Poller(operation, stream, grace).until_seen(active=True)
    if info.status == StreamStatus.DELETING:
        raise operation.deleting()
    return info
