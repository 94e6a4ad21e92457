"""The flow of ``ensure_stream``: create a stream unless it exists."""

from datetime import datetime, timedelta
from typing import Literal

from attrs import define

from . import errors
from ._clock import SECOND
from ._drift import compare
from ._flow import Flow, Operation, Poller, create
from ._models import CreateStreamResponse, EnsuredStream, EnsureOutcome, StreamInfo, StreamStatus
from ._request import CreateStreamRequest
from ._text import shown
from ._wire import server_time

OnDrift = Literal["raise", "ignore"]

# A new stream may not be visible at once: polling continues for this long.
_NOT_FOUND_GRACE = 10 * SECOND


def check_on_drift(on_drift: str) -> None:
    """Refuse an invalid value of ``on_drift``."""
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
    """Create a stream, or compare it with the request if it already exists.

    Args:
        operation: The operation.
        request: The stream to create.
        wait: Whether to wait until the stream is ``ACTIVE``.
        on_drift: Whether to raise if the stream differs from the request.
        first_pause: The time from a create to the first describe, in nanoseconds; a fleet sets it.
    """
    state = _Ensure(operation, request, Poller(operation, request.stream_name), wait, first_pause)
    try:
        ensured = yield from state.run()
        if ensured.drift and on_drift == "raise":
            raise errors.StreamDriftError(
                ensured.drift, stream=ensured.stream, unverified=ensured.unverified
            )
    except errors.KvsStreamsError as error:
        state.complete(error)
        raise
    return ensured


@define
class _Ensure:
    """The state of one ``ensure_stream``, and its two steps, which alternate."""

    operation: Operation
    request: CreateStreamRequest
    poller: Poller
    wait: bool
    first_pause: int
    created: CreateStreamResponse | None = None
    """The latest response to a create; errors carry it even if the stream was replaced."""
    unknown: errors.KvsStreamsError | None = None
    """The error that left the outcome of the latest create unknown."""
    possibly_own: bool = False
    """Whether an existing stream may be that of an earlier create whose success was not seen."""

    def run(self) -> Flow[EnsuredStream]:
        """Create and follow in turn, until the stream exists."""
        while True:
            yield from self._create()
            ensured = yield from self._follow()
            if ensured is not None:
                return ensured
            if self.operation.remaining <= 0:
                raise self.operation.timed_out()

    def complete(self, error: errors.KvsStreamsError) -> None:
        """Add the state of this operation to an error."""
        error.created = self.created
        says_so = error is self.unknown or isinstance(error, errors.StreamDriftError)
        if self.possibly_own and not says_so:
            errors.annotate(error, "An earlier create of this call may have succeeded.")

    def _create(self) -> Flow[None]:
        """Create once; raise errors other than a conflict or an unknown outcome."""
        self.unknown = arn = None
        try:
            self.created = yield from create(self.operation, self.request)
            arn = self.created.stream_arn
        except errors.ResourceInUseException as error:
            self.possibly_own = self.possibly_own or error.possibly_own
            # The pause keeps growing: it paces conflicts and polls that find nothing, in turn.
            self.poller.expect(0)
            return
        except (errors.ServerError, errors.TransportError, errors.UnexpectedResponseError) as error:
            if isinstance(error, errors.TransportError) and not error.outcome_unknown:
                raise
            self.unknown = self.operation.last_error = error
        self.possibly_own = arn is None
        self.poller.expect(_NOT_FOUND_GRACE, arn)
        self.poller.pause = 0
        if self.wait and self.first_pause:
            yield from self.operation.sleep(self.first_pause, is_decisive=True)

    def _follow(self) -> Flow[EnsuredStream | None]:
        """Poll the stream; return ``None`` if another create has to follow."""
        try:
            info = yield from self.poller.until_seen(active=self.wait)
            if info.status != StreamStatus.DELETING:
                return (yield from self._compare(info))
            if not self.wait or info.stream_arn == self.poller.created:
                raise self.operation.deleting()
            while info.status == StreamStatus.DELETING:
                info = (yield from self.poller.poll()) or info
        except errors.ResourceNotFoundException:  # from a poll, or from a read that compares
            seen, created = self.operation.seen, self.poller.created
            if seen is None and self.unknown is not None:
                raise self.unknown from self.unknown.__cause__
            if created is not None and (seen is None or seen.stream_arn == created):
                raise
            if seen is None:
                # After a conflict, only another create can settle this, so it is sent again.
                return None
        # The stream that was seen is gone, and with it what an earlier create may have made.
        self.possibly_own = False
        return None

    def _compare(self, info: StreamInfo) -> Flow[EnsuredStream]:
        """Return the outcome for a stream, and its differences from the request."""
        if info.stream_arn == self.poller.created:
            return EnsuredStream(stream=info, outcome=EnsureOutcome.CREATED)
        # Now, because the reads that compare come later than the describe's date.
        is_own = self.possibly_own and self._is_recent(info.creation_time)
        drift, unverified = yield from compare(self.operation, self.request, info)
        outcome = EnsureOutcome.RECOVERED if is_own and not drift else EnsureOutcome.EXISTING
        return EnsuredStream(stream=info, outcome=outcome, drift=drift, unverified=unverified)

    def _is_recent(self, born: datetime | None) -> bool:
        """Return whether the stream just described was created since this operation began.

        All times are the server's. A reply has whole seconds and a stream whole milliseconds, both
        rounded down, so the computed start is up to a second early, never late.
        """
        now = server_time(self.poller.last_reply)
        waited = self.operation.answered - self.operation.started
        elapsed = timedelta(milliseconds=-(-waited // 1_000_000))  # rounded up
        return now is not None and born is not None and born >= now - elapsed
