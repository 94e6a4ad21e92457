"""Poll a stream until it is ACTIVE."""

from contextlib import suppress

from kvs_streams._results import StreamInfo
from kvs_streams._text import shown
from kvs_streams._values import StreamArn, StreamStatus
from kvs_streams._wire import describe_call, metadata, read_stream
from kvs_streams.errors import (
    ResourceNotFoundException,
    ServerError,
    StreamDeletingError,
    ThrottlingError,
)

from .call import Operation
from .io import SECOND, to_nanoseconds

# DescribeStream takes 5 calls a second for each stream, which all pollers of the stream share:
# start fast, since a creation takes about half a second, and soon leave room for others.
_FIRST_PAUSE = SECOND // 2
_LONGEST_PAUSE = 5 * SECOND
_JITTER = 0.25


class Poller:
    """Polls one stream at a growing interval.

    Args:
        operation: The operation that polls.
        stream: The stream's name or ARN.
    """

    def __init__(self, operation: Operation, stream: str) -> None:
        self._operation = operation
        self._call = describe_call(stream)
        operation.stream_name = self._call.stream_name
        self._pause = 0
        self.last_reply: object = None
        self.expect(0)

    def expect(self, grace: float, created: StreamArn | None = None) -> None:
        """Start anew, with a grace period in which a stream that is not found may be late.

        Args:
            grace: The grace period, from now on.
            created: The ARN of the stream that is expected, if it is known. A stream with an older
                ARN is a stale read of its predecessor and counts as not found.
        """
        self._grace_ends = self._operation.io.clock.now() + grace
        self._created = created
        self._operation.last_status = None
        self.last: StreamInfo | None = None

    def hurry(self) -> None:
        """Start again with a short pause, since something has changed."""
        self._pause = min(self._pause, _FIRST_PAUSE)

    async def poll(self) -> StreamInfo | None:
        """Poll once, after the pause that is due; ``None`` if there is no answer yet."""
        operation = self._operation
        if self._pause:
            jitter = 1 - _JITTER + 2 * _JITTER * operation.io.clock.random()
            await operation.sleep(round(self._pause * jitter))
        self._pause = min(max(_FIRST_PAUSE, self._pause * 3 // 2), _LONGEST_PAUSE)
        try:
            # The next poll is the retry.
            reply, _ = await operation.send(self._call, retry_throttle=False)
            info = read_stream(self._call, reply)
            if self.is_stale(info):
                # Of a stream that was seen already, it says nothing.
                if self.last is not None:
                    return None
                raise _stale(info, reply)
        except (ThrottlingError, ServerError) as error:
            operation.last_error = error
            return None
        except ResourceNotFoundException as error:
            operation.last_error = error
            if self.last is not None or self.is_overdue():
                raise
            return None
        return self.accept(info, reply)

    def is_stale(self, info: StreamInfo) -> bool:
        """Tell whether a stream is the predecessor of the one that is expected."""
        return self._created is not None and _is_older(info.stream_arn, self._created)

    def is_overdue(self) -> bool:
        """Tell whether the grace period is over."""
        return self._operation.io.clock.now() >= self._grace_ends

    def accept(self, info: StreamInfo, reply: object) -> StreamInfo:
        """Take a stream for the answer to a poll."""
        self.last, self.last_reply = info, reply
        self._operation.last_status = info.status
        return info

    async def until_seen(self, *, active: bool) -> StreamInfo:
        """Poll until the stream exists or, with ``active``, is ``ACTIVE``."""
        while True:
            info = await self.poll()
            if info is None:
                continue
            if info.status == StreamStatus.DELETING:
                raise StreamDeletingError(
                    f"stream {shown(self._call.stream_name, redacted=False)} is being deleted",
                    stream_name=self._operation.stream_name,
                    last_status=info.status,
                    waited=self._operation.waited / SECOND,
                )
            if info.status == StreamStatus.ACTIVE or not active:
                return info

    async def until_deleted(self) -> None:
        """Poll until a stream that is being deleted is gone, or has been created again."""
        with suppress(ResourceNotFoundException):
            while self._operation.last_status == StreamStatus.DELETING:
                await self.poll()


def _is_older(arn: StreamArn, other: StreamArn) -> bool:
    """Tell whether a stream was created before another; ``False`` if the ARNs do not tell."""
    try:
        return arn.created_at < other.created_at
    except ValueError:
        return False


def _stale(info: StreamInfo, reply: object) -> ResourceNotFoundException:
    """Return the error for a describe that still shows the predecessor of the stream."""
    message = f"The response still shows the predecessor, {info.stream_arn}."
    error = {"Code": "ResourceNotFoundException", "Message": message}
    return ResourceNotFoundException(
        {"Error": error, "ResponseMetadata": metadata(reply)},
        "DescribeStream",
        stream_name=info.stream_name,
    )


async def wait_until_active(
    operation: Operation, stream: str, not_found_grace: float
) -> StreamInfo:
    """Wait until a stream is ``ACTIVE``."""
    poller = Poller(operation, stream)
    poller.expect(to_nanoseconds("not_found_grace", not_found_grace))
    try:
        return await poller.until_seen(active=True)
    finally:
        operation.last_error = None
