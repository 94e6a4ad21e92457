"""The flow of ``ensure_stream``: create a stream unless it exists."""

from datetime import datetime, timedelta
from typing import Any, Literal

from ._clock import SECOND
from ._drift import compare
from ._flow import Flow, Operation, Pause, Poller, create
from ._models import CreateStreamResponse, EnsuredStream, EnsureOutcome, StreamArn, StreamInfo
from ._request import CreateStreamRequest
from ._text import shown
from ._wire import server_time
from .errors import (
    KvsStreamsError,
    ResourceInUseException,
    ResourceNotFoundException,
    ServerError,
    StreamDeletingError,
    StreamDriftError,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
    annotate,
)

OnDrift = Literal["raise", "ignore"]

# A new stream can be visible late: for this long "not found" means "not yet".
_NOT_FOUND_GRACE = 10 * SECOND


def check_on_drift(on_drift: str) -> None:
    """Refuse a word that ``on_drift`` does not take."""
    if on_drift not in ("raise", "ignore"):
        raise ValueError(f"on_drift must be 'raise' or 'ignore', not {shown(on_drift)}")


def ensure(
    operation: Operation,
    request: CreateStreamRequest,
    *,
    wait: bool,
    on_drift: OnDrift,
    first_pause: int = 0,
) -> Flow[EnsuredStream]:
    """Create a stream unless it exists, and compare it with the request if it does.

    Args:
        operation: The operation.
        request: What to create.
        wait: Whether to wait until the stream is ``ACTIVE``.
        on_drift: Whether to raise if the stream differs from the request.
        first_pause: The time from a create to the first describe, in nanoseconds; a fleet sets it.
    """
    flow = _Ensure(operation, request, wait=wait, first_pause=first_pause)
    try:
        ensured = yield from flow.run()
        if ensured.drift and on_drift == "raise":
            raise StreamDriftError(
                ensured.drift, stream=ensured.stream, unverified=ensured.unverified
            )
    except KvsStreamsError as error:
        flow.complete(error)
        raise
    return ensured


class _Ensure:
    """What is known of a stream that is ensured, and the two steps that take turns."""

    def __init__(
        self, operation: Operation, request: CreateStreamRequest, *, wait: bool, first_pause: int
    ) -> None:
        self._operation = operation
        self._request = request
        self._poller = Poller(operation, request.stream_name)
        self._wait = wait
        self._first_pause = first_pause
        # The latest response to a create, which errors carry, also if others replaced the stream.
        self._created: CreateStreamResponse | None = None
        # What the latest create came to: the ARN of the stream, or the error that left its outcome
        # unknown, or neither after a conflict.
        self._arn: StreamArn | None = None
        self._unknown: KvsStreamsError | None = None
        # Whether any create since the name was last free may have succeeded unnoticed, and when
        # this operation began by the server's clock.
        self._possibly_own = False
        self._began: datetime | None = None

    def run(self) -> Flow[EnsuredStream]:
        """Create and follow in turn, until a stream is there."""
        while True:
            yield from self._create()
            ensured = yield from self._follow()
            if ensured is not None:
                return ensured
            self._operation.check()

    def complete(self, error: KvsStreamsError) -> None:
        """Add to an error what this operation knows of the stream."""
        error.created = self._created
        if error is self._unknown:
            return
        if isinstance(error, WaitTimeoutError) and self._unknown is not None:
            error.__cause__ = self._unknown
        if self._possibly_own and not isinstance(error, StreamDriftError):
            annotate(error, "An earlier create of this call may have succeeded.")

    def _create(self) -> Flow[None]:
        """Create once; raise what neither a conflict nor an unknown outcome explains."""
        self._arn = self._unknown = self._began = None
        try:
            self._created = yield from create(self._operation, self._request)
            self._arn = self._created.stream_arn
        except ResourceInUseException as error:
            self._possibly_own = self._possibly_own or error.possibly_own
            self._began = self._began_before(error.response)
            self._poller.expect(0)
            return
        except (ServerError, TransportError, UnexpectedResponseError) as error:
            if isinstance(error, TransportError) and not error.outcome_unknown:
                raise
            if isinstance(error, ServerError):
                self._began = self._began_before(error.response)
            self._unknown = error
        self._possibly_own = self._arn is None
        self._poller.hurry()
        self._poller.expect(_NOT_FOUND_GRACE, self._arn)
        pause = min(self._first_pause, self._operation.remaining)
        if pause > 0 and self._wait:
            self._poller.hurry(0)
            yield Pause(int(pause))

    def _follow(self) -> Flow[EnsuredStream | None]:
        """Poll what exists; ``None`` if the name turns out to be free."""
        try:
            info = yield from self._poller.until_seen(active=self._wait)
            if info.stream_arn == self._arn:
                return EnsuredStream(stream=info, outcome=EnsureOutcome.CREATED)
            return (yield from self._compare(info))
        except StreamDeletingError:
            if not self._wait or self._has_seen_its_own():
                raise
            yield from self._poller.until_deleted()
        except ResourceNotFoundException:
            if self._poller.last is None:
                # After a conflict the create is the authoritative answer: it is sent again.
                if self._unknown is not None:
                    raise self._unknown from self._unknown.__cause__
                if self._arn is not None:
                    raise
                return None
            if self._has_seen_its_own():
                raise
        # What an earlier create may have made was seen, and is gone.
        self._possibly_own = False
        self._poller.hurry()
        return None

    def _compare(self, info: StreamInfo) -> Flow[EnsuredStream]:
        began = self._began or self._began_before(self._poller.last_reply)
        drift, unverified = yield from compare(self._operation, self._request, info)
        born = info.creation_time
        is_recent = began is not None and born is not None and born >= began
        is_own = self._possibly_own and is_recent and not drift
        return EnsuredStream(
            stream=info,
            outcome=EnsureOutcome.RECOVERED if is_own else EnsureOutcome.EXISTING,
            drift=drift,
            unverified=unverified,
        )

    def _has_seen_its_own(self) -> bool:
        """Tell whether the stream seen last is the one that the latest create created."""
        return self._poller.last is not None and self._poller.last.stream_arn == self._arn

    def _began_before(self, reply: Any) -> datetime | None:
        """Return when the operation began by the server's clock, given a reply that just came.

        A reply shows whole seconds and a stream whole milliseconds, both rounded down: the result
        is up to a second early, never late.
        """
        time = server_time(reply)
        waited = self._operation.answered - self._operation.started
        return None if time is None else time - timedelta(milliseconds=-(-waited // 1_000_000))
