"""Many streams: one flow of ``ensure_stream`` for each, whose calls are paced.

A driver adds requests, starts the calls that are due, and reports how they ended. Only
``_clock`` and the driver know real time and the network.
"""

import math
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from heapq import heappop, heappush

from . import _clock
from ._clock import SECOND, to_nanoseconds
from ._ensure import ensure
from ._fleet_parts import Options, Sent, Stream, stops_all
from ._flow import Operation, Pause, ThrottleRetry
from ._hint import Hint
from ._models import EnsuredStream
from ._pacing import Pace
from ._request import CreateStreamRequest
from ._text import shown
from ._wire import Call, Outcome, retry_attempts
from .errors import (
    AccountStreamLimitExceededException,
    KvsStreamsError,
    ResourceInUseException,
    ServiceError,
    ThrottlingError,
    copy_for,
)

Result = EnsuredStream | KvsStreamsError

_CREATE, _AGAIN = "create_stream", "create_stream again"
# Calls a second: a part of each quota, since others read too. Creates are paced by ``rate``.
_READS = {
    "list_tags_for_stream": 40.0,
    "describe_stream_storage_configuration": 40.0,
    "describe_stream": 280.0,
}
# How many requests are under way at a time: memory does not grow with the fleet.
_AHEAD = 2_000
# A new stream is rarely ACTIVE sooner, and describes are dear.
_FIRST_DESCRIBE, _SPREAD = 3 * SECOND // 2, SECOND // 2
# How long flows are resumed before calls are looked after again.
_TURN = SECOND // 100
_RETRY = ThrottleRetry(max_attempts=sys.maxsize)


class Fleet:
    """A fleet under way.

    Args:
        options: The arguments of ``ensure_streams``.
        connections: How many connections the client has; ``None`` if that is not known.
        can_list: Whether the client can list streams.
        submit: Starts a call, and returns at once.
    """

    def __init__(
        self,
        options: Options,
        *,
        connections: int | None,
        can_list: bool,
        submit: Callable[[Sent], None],
    ) -> None:
        self._options = options
        self._connections = connections or math.inf
        self._submit = submit
        now = _clock.clock.start()
        self._limit = to_nanoseconds("timeout", options.timeout)
        self._hint = Hint(now, can_list=can_list)
        pace = Pace(options.rate, now)
        self._paces = {name: Pace(rate, now, learn=False) for name, rate in _READS.items()}
        self._paces |= {_AGAIN: pace, _CREATE: pace}
        self._queues: dict[str, OrderedDict[Stream, Call]] = {
            name: OrderedDict() for name in self._paces
        }
        self.results: deque[tuple[CreateStreamRequest, Result]] = deque()
        self.in_flight = 0
        self._taken = 0
        self._input_error: BaseException | None = None
        self._is_exhausted = False
        # By name: the stream under way, then those with the same name that wait for it.
        self._streams: dict[str, deque[Stream]] = {}
        self._under_way = 0
        self._ready: deque[tuple[Stream, Outcome | None]] = deque()
        self._sleeping: list[tuple[int, int, Stream]] = []
        self._naps = 0
        # In the order of their first calls, which is that of their deadlines.
        self._deadlines: OrderedDict[Stream, int] = OrderedDict()
        self._full: KvsStreamsError | None = None
        self._stopped: KvsStreamsError | None = None

    # Requests

    @property
    def wants_more(self) -> bool:
        """Whether the next request is to be taken."""
        return not self._is_exhausted and self._under_way < _AHEAD

    def add(self, request: object) -> None:
        """Add a request; anything else ends the fleet."""
        if not isinstance(request, CreateStreamRequest):
            self.exhaust(
                TypeError(
                    f"requests must yield CreateStreamRequest objects, not {shown(request)} "
                    f"(item {self._taken}, counted from 0)"
                )
            )
            return
        operation = Operation(_RETRY, self._options.timeout)
        flow = ensure(
            operation,
            request,
            wait=self._options.wait,
            on_drift=self._options.on_drift,
            first_pause=_FIRST_DESCRIBE + round(_SPREAD * _clock.clock.random()),
        )
        stream = Stream(request, operation, flow)
        self._taken += 1
        self._under_way += 1
        self._hint.count(self._taken, _clock.clock.now())
        same_name = self._streams.setdefault(request.stream_name, deque())
        same_name.append(stream)
        if len(same_name) == 1:
            self._ready.append((stream, None))

    def exhaust(self, error: BaseException | None = None) -> None:
        """Take note that no further request comes; an error is raised after all results."""
        self._is_exhausted, self._input_error = True, error

    @property
    def is_done(self) -> bool:
        """Whether every result was handed out; raises what the iterable raised."""
        if not self._is_exhausted or self._under_way or self.results:
            return False
        if self._input_error is not None:
            raise self._input_error
        return True

    # Flows

    def step(self) -> None:
        """Resume the flows that are ready, and start the calls that are due."""
        until = _clock.clock.now() + _TURN
        now = _clock.clock.now()
        while self._has_ready(now) and now <= until:
            self._resume(*self._ready.popleft())
            now = _clock.clock.now()
        self._look_after_deadlines(now)
        self._send(now)

    def _has_ready(self, now: int) -> bool:
        """Whether a flow is to be resumed; a pause can be over as soon as it is asked for."""
        while self._sleeping and self._sleeping[0][0] <= now:
            self._ready.append((heappop(self._sleeping)[2], None))
        return bool(self._ready)

    def _resume(self, stream: Stream, outcome: Outcome | None) -> None:
        """Resume a stream's flow, and do what it asks for."""
        stream.at = _clock.clock.now() if outcome is None else outcome.at
        try:
            question = stream.flow.send(outcome)
            if self._stopped is not None:
                question = stream.flow.throw(self._copy(self._stopped, stream))
        except StopIteration as stop:
            self._finish(stream, stop.value)
        except KvsStreamsError as error:
            self._finish(stream, error)
        else:
            self._ask(stream, question)

    def _throw(self, stream: Stream, error: KvsStreamsError) -> None:
        """End a stream's flow with an error."""
        if stream.queue is not None:
            del self._queues[stream.queue][stream]
            stream.queue = None
        try:
            stream.flow.throw(error)
        except KvsStreamsError as raised:
            self._finish(stream, raised)

    def _ask(self, stream: Stream, question: Call | Pause) -> None:
        now = _clock.clock.now()
        if isinstance(question, Pause):
            self._naps += 1
            heappush(self._sleeping, (stream.at + question.nanoseconds, self._naps, stream))
            return
        is_create = question.method == _CREATE
        if is_create and self._full is not None:
            self._answer_full(stream, self._full)
        elif is_create and not stream.has_begun and question.stream_name in self._hint.names:
            self._tell(stream)
        elif self._is_overdue(stream, now) and not question.is_decisive:
            self._throw(stream, stream.operation.timed_out())
        else:
            stream.queue = _AGAIN if is_create and stream.has_begun else question.method
            queue = self._queues[stream.queue]
            queue[stream] = question
            if self._is_overdue(stream, now):
                queue.move_to_end(stream, last=False)

    def _is_overdue(self, stream: Stream, now: int) -> bool:
        return stream.has_begun and now - stream.operation.started >= self._limit

    def _answer_full(self, stream: Stream, error: KvsStreamsError) -> None:
        """Answer a create of a full account: let the stream be described, then give the error."""
        if stream.is_told:
            self._ready.append((stream, Outcome(error=self._copy(error, stream))))
        else:
            self._tell(stream)

    def _tell(self, stream: Stream) -> None:
        """Answer a create that is not sent with the conflict that AWS would answer."""
        stream.is_told = True
        error = {"Code": "ResourceInUseException", "Message": "The stream exists already."}
        name = stream.request.stream_name
        conflict = ResourceInUseException({"Error": error}, "CreateStream", stream_name=name)
        self._ready.append((stream, Outcome(error=conflict)))

    @staticmethod
    def _copy(error: KvsStreamsError, stream: Stream) -> KvsStreamsError:
        return copy_for(error, stream.request.stream_name)

    def _finish(self, stream: Stream, result: Result) -> None:
        if isinstance(result, KvsStreamsError):
            result.__traceback__ = None  # its frames refer to the fleet
        self.results.append((stream.request, result))
        self._under_way -= 1
        self._deadlines.pop(stream, None)
        name = stream.request.stream_name
        same_name = self._streams[name]
        same_name.popleft()
        if same_name:
            self._ready.append((same_name[0], None))
        else:
            del self._streams[name]
        if isinstance(result, AccountStreamLimitExceededException) and self._full is None:
            self._full = result
            self._release_creates(lambda waiting: self._answer_full(waiting, result))
        if self._stopped is None and isinstance(result, KvsStreamsError) and stops_all(result):
            self._stop(result)

    def _release_creates(self, answer: Callable[[Stream], None]) -> None:
        for name in (_AGAIN, _CREATE):
            queue = self._queues[name]
            while queue:
                stream, _ = queue.popitem(last=False)
                stream.queue = None
                answer(stream)

    def _stop(self, error: KvsStreamsError) -> None:
        """Send nothing more, and give every stream the error that is not in flight."""
        self._stopped = error
        for queue in self._queues.values():
            for stream in list(queue):
                self._throw(stream, self._copy(error, stream))
        sleeping, self._sleeping = self._sleeping, []
        for _, _, stream in sleeping:
            self._throw(stream, self._copy(error, stream))

    def _look_after_deadlines(self, now: int) -> None:
        """End the streams whose calls wait beyond their deadlines, but for decisive calls."""
        while self._deadlines:
            stream, started = next(iter(self._deadlines.items()))
            if now - started < self._limit:
                return
            del self._deadlines[stream]
            if stream.queue is None:
                continue
            queue = self._queues[stream.queue]
            if queue[stream].is_decisive:
                queue.move_to_end(stream, last=False)
            else:
                self._throw(stream, stream.operation.timed_out())

    # Calls

    def _send(self, now: int) -> None:
        if self._stopped is not None:
            return
        if self._delay_of_list(now) == 0:
            self._start(Sent(self._hint.send(now)))
        for name, queue in self._queues.items():
            if name == _CREATE and self._hint.delay_of_creates(now):
                continue
            pace = self._paces[name]
            while queue and self.in_flight < self._room(name) and pace.delay(now) == 0:
                stream, call = queue.popitem(last=False)
                stream.queue = None
                if not stream.has_begun:
                    stream.has_begun = True
                    stream.operation.begin(now)
                    self._deadlines[stream] = now
                self._start(Sent(call, stream, pace.sent(now)))

    def _delay_of_list(self, now: int) -> float:
        """Return how long until a page can be read, as far as is known."""
        delay = self._hint.delay(now)
        return math.inf if delay is None or self.in_flight >= self._connections else delay

    def _room(self, name: str) -> float:
        """Return how many calls may be in flight; creates leave a place free for reads."""
        listing = 1 if self._hint.is_in_flight else 0
        others = min(self._options.max_in_flight, self._connections - listing)
        if name in (_AGAIN, _CREATE) and others > 1:
            others -= 1
        return listing + others

    def _start(self, sent: Sent) -> None:
        self.in_flight += 1
        self._submit(sent)

    def ended(self, sent: Sent, outcome: Outcome) -> None:
        """Take note of the end of a call."""
        self.in_flight -= 1
        stream = sent.stream
        if stream is None:
            for name in self._hint.answered(outcome):
                found = self._streams.get(name)
                if found is not None and found[0].queue == _CREATE:
                    del self._queues[_CREATE][found[0]]
                    found[0].queue = None
                    self._tell(found[0])
            return
        assert sent.ticket is not None, "each stream's call is paced"  # noqa: S101
        error = outcome.error
        throttled: bool | None = isinstance(error, ThrottlingError)
        retries = retry_attempts(outcome.reply)
        if error is not None:
            is_answer = isinstance(error, ServiceError)
            throttled = throttled if is_answer else None
            retries = error.retry_attempts if isinstance(error, ServiceError) else 0
        self._paces[sent.call.method].answered(
            sent.ticket, outcome.at, throttled=throttled, retries=retries
        )
        self._ready.append((stream, outcome))

    def patience(self) -> float:
        """Return how long there is nothing to do unless a call ends or a request comes."""
        now = _clock.clock.now()
        if self._ready or self.results:
            return 0
        delays = [self._delay_of_list(now)]
        if self._sleeping:
            delays.append(self._sleeping[0][0] - now)
        if self._deadlines:
            delays.append(next(iter(self._deadlines.values())) + self._limit - now)
        for name, queue in self._queues.items():
            if queue and self.in_flight < self._room(name):
                delay = self._paces[name].delay(now)
                wait = self._hint.delay_of_creates(now) if name == _CREATE else 0
                delays.append(max(delay, wait))
        return max(0, min(delays))

    def close(self) -> None:
        """Drop what is under way."""
        for same_name in self._streams.values():
            for stream in same_name:
                stream.flow.close()
