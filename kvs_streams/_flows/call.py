"""One call with throttle retry and a deadline."""

import logging
import math
from typing import Any

from attrs import field, frozen

from kvs_streams._failures import translate
from kvs_streams._request import CreateStreamRequest
from kvs_streams._results import CreateStreamResponse, StreamInfo
from kvs_streams._text import shown
from kvs_streams._values import StreamStatus
from kvs_streams._wire import Call, create_call, describe_call, read_created, read_stream
from kvs_streams.errors import ClientLimitExceededException, KvsStreamsError, WaitTimeoutError

from .io import SECOND, Io, to_nanoseconds

_log = logging.getLogger("kvs_streams")
_log.addHandler(logging.NullHandler())


def check_count(name: str, value: int) -> None:
    """Refuse what is not an int of at least 1."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an int, not {shown(value)}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, got {shown(value)}")


@frozen(kw_only=True)
class ThrottleRetry:
    """Retry policy for ``ClientLimitExceededException``, which botocore never retries.

    Exponential backoff with full jitter: before each retry a random delay up to a ceiling that
    starts at ``base_delay`` and doubles up to ``max_delay``. All other errors are left to the
    retries of botocore, so that retries never multiply.

    Args:
        max_attempts: The number of attempts, at least 1; 1 turns the retry off.
        base_delay: The first ceiling, in seconds, at least 0.
        max_delay: The highest ceiling, in seconds, at least ``base_delay`` and finite.

    Raises:
        TypeError: If a value is not a number.
        ValueError: If a value is out of its range.
    """

    max_attempts: int = field(default=5)
    """The number of attempts, the first included; 1 turns the retry off."""

    base_delay: float = field(default=0.5)
    """The ceiling of the first delay, in seconds."""

    max_delay: float = field(default=8.0)
    """The highest ceiling, in seconds."""

    def __attrs_post_init__(self) -> None:
        """Refuse a policy that makes no sense."""
        check_count("max_attempts", self.max_attempts)
        to_nanoseconds("base_delay", self.base_delay)
        if to_nanoseconds("max_delay", self.max_delay) == math.inf:
            raise ValueError(f"max_delay must be finite, got {shown(self.max_delay)}")
        if self.max_delay < self.base_delay:
            raise ValueError(
                f"max_delay must be at least base_delay ({self.base_delay} s), "
                f"got {shown(self.max_delay)}"
            )

    def delay(self, attempt: int, random: float) -> float:
        """Return the delay after an attempt, in seconds.

        Args:
            attempt: The number of attempts made, at least 1.
            random: A random number from 0 up to 1.
        """
        # After 64 doublings every ceiling is max_delay, and a float cannot hold thousands of them.
        return random * min(self.max_delay, self.base_delay * 2.0 ** min(attempt - 1, 64))


class Operation:
    """One call of a public method: what its flow may use, its deadline, and what it last saw.

    Args:
        io: The client and the time.
        throttle_retry: The retry policy for its calls.
        timeout: How long it may take, in seconds; by default without limit.
    """

    def __init__(self, io: Io, throttle_retry: ThrottleRetry, timeout: float = math.inf) -> None:
        self._timeout = timeout
        self._limit = to_nanoseconds("timeout", timeout)
        self._over = False
        self._retry = throttle_retry
        self.io = io
        self.stream_name = ""  # of the stream that is polled
        self.started = io.clock.start()
        self.last_status: StreamStatus | None = None
        # The cause of a timeout. Its traceback, or that of its cause, refers to this operation: a
        # flow that has a deadline forgets it in the end, so that no reference cycle remains.
        self.last_error: KvsStreamsError | None = None

    def begin(self) -> None:
        """Let the time start now."""
        self.started = self.io.clock.now()

    @property
    def waited(self) -> int:
        """The time since the start."""
        return self.io.clock.now() - self.started

    def check(self) -> None:
        """Raise ``WaitTimeoutError`` if the deadline has passed."""
        waited = self.waited
        if waited < self._limit and not self._over:
            return
        # Rounded up, since less than the timeout would be wrong.
        tenths = -(-max(waited, self._limit) * 10 // SECOND)
        seen = f"its last status is {self.last_status}" if self.last_status else "never seen"
        name = shown(self.stream_name, redacted=False)
        raise WaitTimeoutError(
            f"gave up on stream {name} after {tenths / 10:.1f} s: {seen}",
            stream_name=self.stream_name,
            last_status=self.last_status,
            waited=max(waited / SECOND, self._timeout),
        ) from self.last_error

    async def sleep(self, nanoseconds: int) -> None:
        """Sleep, but not beyond the deadline; raise if it has passed already."""
        self.check()
        remaining = self._limit - self.waited
        # A clock may wake early: a sleep to the deadline is the last one all the same.
        self._over = nanoseconds >= remaining
        await self.io.sleep(nanoseconds if nanoseconds < remaining else int(remaining))

    async def send(self, call: Call, *, retry_throttle: bool = True) -> tuple[Any, int]:
        """Make a call, and retry it while Kinesis Video Streams throttles it.

        Returns:
            The reply, and how many requests were sent before the attempt that it answers.
        """
        max_attempts = self._retry.max_attempts if retry_throttle else 1
        attempt = sent = 0
        retried = False
        while True:
            attempt += 1
            try:
                return await self.io.call(call), sent
            except KvsStreamsError:
                raise
            except Exception as exc:
                error = translate(exc, self.io.client, call, sent_before=sent, retried=retried)
                if error is None:
                    raise
            try:
                if attempt == max_attempts or not isinstance(error, ClientLimitExceededException):
                    raise error
                retried = retried or error.retry_attempts > sent
                sent = error.retry_attempts + 1
                if self._limit != math.inf:
                    self.last_error = error
            finally:
                # Its traceback, or that of its cause, refers to this frame: no reference cycle.
                del error
            delay = self._retry.delay(attempt, self.io.clock.random())
            _log.debug(
                "%s for stream %s is throttled in attempt %d; retrying in %.2f s",
                call.operation_name,
                shown(call.stream_name, redacted=False),
                attempt,
                delay,
            )
            await self.sleep(round(delay * SECOND))


async def create(operation: Operation, request: CreateStreamRequest) -> CreateStreamResponse:
    """Create a stream."""
    call = create_call(request)
    reply, sent_before = await operation.send(call)
    return read_created(call, reply, sent_before)


async def describe(operation: Operation, stream: str) -> StreamInfo:
    """Describe a stream, given by name or ARN."""
    call = describe_call(stream)
    reply, _ = await operation.send(call)
    return read_stream(call, reply)
