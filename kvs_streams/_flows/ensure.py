"""Create a stream unless it exists."""

from datetime import datetime, timedelta
from typing import Literal

from kvs_streams._request import CreateStreamRequest
from kvs_streams._results import CreateStreamResponse, Drift, EnsuredStream, StreamInfo
from kvs_streams._text import shown
from kvs_streams._values import EnsureOutcome, StreamArn
from kvs_streams._wire import server_time
from kvs_streams.errors import (
    KvsStreamsError,
    ResourceInUseException,
    ResourceNotFoundException,
    ServerError,
    StreamDeletingError,
    StreamDriftError,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
)

from .call import Operation, create
from .drift import compare
from .io import SECOND
from .wait import Poller

OnDrift = Literal["raise", "ignore"]

# A new stream can be visible late: for this long "not found" means "not yet".
_NOT_FOUND_GRACE = 10 * SECOND


def check_on_drift(on_drift: str) -> None:
    """Refuse a word that ``on_drift`` does not take."""
    if on_drift not in ("raise", "ignore"):
        raise ValueError(f"on_drift must be 'raise' or 'ignore', not {shown(on_drift)}")


async def ensure(
    operation: Operation,
    request: CreateStreamRequest,
    poller: Poller,
    *,
    wait: bool,
    on_drift: OnDrift,
    exists: bool = False,
) -> EnsuredStream:
    """Create a stream unless it exists, and compare it with the request if it does.

    Args:
        operation: The operation.
        request: What to create.
        poller: What polls the stream.
        wait: Whether to wait until the stream is ``ACTIVE``.
        on_drift: Whether to raise if the stream differs from the request.
        exists: Whether the stream is known to exist, so that it is not created at first.
    """
    flow = _Ensure(operation, request, poller, wait=wait)
    ensured: EnsuredStream | None = None
    try:
        while ensured is None:
            if not exists:
                await flow.create()
            exists = False
            ensured = await flow.follow()
        if ensured.drift and on_drift == "raise":
            raise StreamDriftError(
                ensured.drift, stream=ensured.stream, unverified=ensured.unverified
            )
    except KvsStreamsError as error:
        error.created = flow.created
        if isinstance(error, WaitTimeoutError) and flow.unknown is not None:
            error.__cause__ = flow.unknown
        raise
    finally:
        # Their tracebacks refer to what refers to them: no reference cycle.
        operation.last_error = flow.unknown = None
    return ensured


class _Ensure:
    """What is known of a stream that is ensured, and the two steps that take turns."""

    def __init__(
        self, operation: Operation, request: CreateStreamRequest, poller: Poller, *, wait: bool
    ) -> None:
        self._operation = operation
        self._request = request
        self._poller = poller
        self._wait = wait
        # The latest response to a create, which errors carry, also if others replaced the stream.
        self.created: CreateStreamResponse | None = None
        # What the latest create came to: the ARN of the stream, or the error that left its outcome
        # unknown, or neither after a conflict.
        self._arn: StreamArn | None = None
        self.unknown: KvsStreamsError | None = None
        # Whether any create since the name was last free may have succeeded unnoticed, and when
        # this operation began by the server's clock.
        self._possibly_own = False
        self._began: datetime | None = None

    async def follow(self) -> EnsuredStream | None:
        """Poll what exists; ``None`` if the name turns out to be free."""
        try:
            info = await self._poller.until_seen(active=self._wait)
            if self._is_created(info):
                return EnsuredStream(stream=info, outcome=EnsureOutcome.CREATED)
            began = self._began or self._began_before(self._poller.last_reply)
            drift, unverified = await compare(self._operation, self._request, info)
        except StreamDeletingError:
            if not self._wait or self._is_created(self._poller.last):
                raise
            await self._poller.until_deleted()
        except ResourceNotFoundException:
            if self._poller.last is None:
                # After a conflict the create is the authoritative answer: it is sent again.
                if self._arn is not None:
                    raise
                if self.unknown is not None:
                    raise self.unknown from self.unknown.__cause__
                return None
            if self._is_created(self._poller.last):
                raise
        else:
            return EnsuredStream(
                stream=info,
                outcome=judge(info, began, drift, possibly_own=self._possibly_own),
                drift=drift,
                unverified=unverified,
            )
        # What an earlier create may have made was seen, and is gone.
        self._possibly_own = False
        self._poller.hurry()
        return None

    async def create(self) -> None:
        """Create once; raise what neither a conflict nor an unknown outcome explains."""
        self._arn = self.unknown = self._began = None
        try:
            self.created = await create(self._operation, self._request)
            self._arn = self.created.stream_arn
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
            self.unknown = error
        self._possibly_own = self._arn is None
        self._poller.hurry()
        self._poller.expect(_NOT_FOUND_GRACE, self._arn)

    def _is_created(self, info: StreamInfo | None) -> bool:
        """Tell whether a stream is the one that the latest create created."""
        return info is not None and info.stream_arn == self._arn

    def _began_before(self, reply: object) -> datetime | None:
        """Return when the operation began by the server's clock, given a reply that just came.

        A reply shows whole seconds, rounded down: the result is up to a second early, never late.
        """
        time = server_time(reply)
        microseconds = -(-self._operation.waited // 1000)
        return None if time is None else time - timedelta(microseconds=microseconds)


def judge(
    info: StreamInfo, began: datetime | None, drift: tuple[Drift, ...], *, possibly_own: bool
) -> EnsureOutcome:
    """Return how a stream came about that no response says was created.

    Args:
        info: The stream.
        began: When the operation began by the server's clock, if that is known.
        drift: How the stream differs from the request.
        possibly_own: Whether an earlier create may have created it.
    """
    born = info.creation_time
    recent = began is not None and born is not None and born >= began
    own = possibly_own and recent and not drift
    return EnsureOutcome.RECOVERED if own else EnsureOutcome.EXISTING
