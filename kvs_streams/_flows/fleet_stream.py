"""One stream of a fleet: a flow that suspends for calls, for time and for lists of streams."""

import types
from collections.abc import Coroutine, Generator
from contextlib import suppress
from enum import Enum
from typing import Any, Protocol

from attrs import define

from kvs_streams._request import CreateStreamRequest
from kvs_streams._results import EnsuredStream, StreamInfo
from kvs_streams._values import StreamArn
from kvs_streams._wire import Call
from kvs_streams.errors import KvsStreamsError, ServiceError, TransportError

from .call import Operation
from .io import SECOND, Io, SystemClock
from .wait import Poller

# Without a list: a new stream is rarely ACTIVE sooner, and describes are dear.
_FIRST_DESCRIBE = 3 * SECOND // 2


class Look(Enum):
    """What a flow asks for to see its stream in the next list."""

    FIRST = "before anything else"
    AGAIN = "to poll it"


Question = Call | int | Look


@types.coroutine
def _ask(what: Question) -> Generator[Any, Any, Any]:
    """Suspend a stream's flow until the fleet has what it asks for."""
    return (yield what)


class FlowClock(SystemClock):
    """The time as flows see it: while they take an answer, that at which it came.

    A consumer can take its time between two results. Deadlines do not pass by that, and the date
    of a reply is compared with the time at which it came.
    """

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self.answered: int | None = None

    def now(self) -> int:
        return self._clock.now() if self.answered is None else self.answered

    def random(self) -> float:
        return self._clock.random()


class StreamIo(Io):
    """The ``Io`` of one stream's flow."""

    def __init__(self, client: Any, clock: FlowClock) -> None:
        self.client = client
        self.clock = clock

    async def call(self, call: Call) -> Any:
        return await _ask(call)

    async def sleep(self, nanoseconds: int) -> None:
        await _ask(nanoseconds)


class Lists(Protocol):
    """What a poller asks the fleet for."""

    describes: bool


class ListPoller(Poller):
    """Polls by the lists that the fleet makes, and describes only what they do not show."""

    def __init__(self, operation: Operation, stream: str, lists: Lists) -> None:
        self._lists = lists
        self._found: tuple[StreamInfo, object] | None = None
        super().__init__(operation, stream)

    def expect(self, grace: float, created: StreamArn | None = None) -> None:
        super().expect(grace, created)
        self._describes = False
        if self._lists.describes and grace:
            self._pause = max(self._pause, _FIRST_DESCRIBE)

    async def look_up(self) -> bool:
        """Tell whether the next list shows the stream; it then answers the first poll too."""
        if not self._lists.describes:
            self._found = await _ask(Look.FIRST)
        return self._found is not None

    async def finds(self) -> bool:
        """Tell whether a describe shows the stream; it then answers the next poll too."""
        self.expect(0)
        with suppress(ServiceError, TransportError):
            while self.last is None:
                await super().poll()
        if self.last is not None:
            self._found = self.last, self.last_reply
        return self.last is not None

    async def poll(self) -> StreamInfo | None:
        """Wait for the next list; ``None`` if it gives no answer yet."""
        found, self._found = self._found, None
        if found is None and (self._describes or self._lists.describes):
            return await super().poll()
        if found is None:
            self._operation.check()
            found = await _ask(Look.AGAIN)
        if found is not None and not self.is_stale(found[0]):
            return self.accept(found[0], found[1])
        # A list can be late: only a describe tells that a stream does not exist.
        self._describes = self.last is not None or self.is_overdue()
        return None


@define(eq=False)
class Stream:
    """One request under way."""

    position: int
    request: CreateStreamRequest
    operation: Operation
    flow: Coroutine[Any, Any, EnsuredStream]
    has_begun: bool = False


def without_frames(error: KvsStreamsError) -> KvsStreamsError:
    """Drop the tracebacks of an error and its causes, whose frames refer to the fleet."""
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__
    return error
