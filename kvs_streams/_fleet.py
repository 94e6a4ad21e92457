"""Create many streams: one ``ensure_stream`` flow for each, with paced calls.

A driver takes requests, starts the calls that are due, and reports their outcomes. Only ``_clock``
uses real time, and only the driver uses the network.
"""

import logging
import math
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from functools import partial
from heapq import heappop, heappush
from typing import Any

from . import _clock
from ._clock import SECOND
from ._ensure import ensure
from ._fleet_parts import Lane, Options, Stream, stops_all
from ._flow import Flow, Operation, Pause, ThrottleRetry
from ._models import EnsuredStream
from ._pacing import Pace, Ticket
from ._request import CreateStreamRequest
from ._text import shown
from ._wire import Call, Outcome, list_call, read_page, retry_attempts
from .errors import (
    AccountStreamLimitExceededException,
    KvsStreamsError,
    ResourceInUseException,
    ServerError,
    ServiceError,
    ThrottlingError,
    copy_for,
)

_log = logging.getLogger("kvs_streams")

Result = EnsuredStream | KvsStreamsError

# Lanes have the names of methods, but for creates of streams for which a call was sent before.
_LIST, _CREATE, _AGAIN = "list_streams", "create_stream", "create_stream again"
# Calls per second: less than each quota, since other callers read too. ``rate`` paces creates.
_READS = {
    _LIST: 25.0,
    "list_tags_for_stream": 40.0,
    "describe_stream_storage_configuration": 40.0,
    "describe_stream": 280.0,
}
# The most requests under way at a time, so that memory does not grow with the fleet.
_AHEAD = 2_000
# A smaller fleet does not list streams.
_LIST_FROM = 20
# How long the first creates wait for the list.
_LIST_PATIENCE = 2 * SECOND
# A new stream is rarely ACTIVE sooner, and describes count against a quota.
_FIRST_DESCRIBE, _SPREAD = 3 * SECOND // 2, SECOND // 2
_RETRY = ThrottleRetry(max_attempts=sys.maxsize)


class Fleet:
    """The state of a running fleet.

    Args:
        options: The arguments of ``ensure_streams``.
        connections: The client's number of connections; ``None`` if unknown.
        can_list: Whether the client can list streams.
    """

    def __init__(self, options: Options, connections: int | None, *, can_list: bool) -> None:
        self._options = options
        self._connections = connections or math.inf
        self._can_list = can_list
        self._ensure = partial(ensure, wait=options.wait, on_drift=options.on_drift)
        now = _clock.clock.start()
        # In the order in which they get connections.
        self._lanes = {name: Lane(Pace(rate, now, learn=False)) for name, rate in _READS.items()}
        pace = Pace(options.rate, now)
        self._lanes |= {_AGAIN: Lane(pace), _CREATE: Lane(pace)}
        self.in_flight: dict[Stream, Ticket] = {}
        self.ended: deque[tuple[Stream, Outcome | BaseException]] = deque()
        """Calls that have ended; the driver appends them."""
        self.results: deque[tuple[CreateStreamRequest, Result]] = deque()
        """Results that the driver yields."""
        self.under_way = 0
        """The number of requests without a result so far."""
        self._taken = 0
        self._input_error: BaseException | None = None
        self._is_exhausted = False
        # By name: the stream under way, then those with the same name that wait for it.
        self._streams: dict[str, deque[Stream]] = {}
        self._ready: deque[tuple[Stream, Outcome | None]] = deque()
        self._sleeping: list[tuple[int, int, Stream]] = []
        # In the order of their first calls, which is that of their deadlines.
        self._deadlines: OrderedDict[Stream, None] = OrderedDict()
        self._list: Stream | None = None
        self._listed: set[str] = set()
        self._creates_begin = now
        self._full: KvsStreamsError | None = None
        self._stopped: KvsStreamsError | None = None

    # Requests

    @property
    def wants_more(self) -> bool:
        """Whether to take the next request."""
        return not self._is_exhausted and self.under_way < _AHEAD

    def take(self, requests: Iterator[object]) -> None:
        """Take the next request; an error of the iterable is raised after all results."""
        try:
            self.add(next(requests))
        except StopIteration:
            self.exhaust()
        except Exception as exc:  # noqa: BLE001  # it is raised after the results
            self.exhaust(exc)

    def add(self, request: object) -> None:
        """Add a request; refuse anything else."""
        if not isinstance(request, CreateStreamRequest):
            raise TypeError(
                f"requests must yield CreateStreamRequest objects, not {shown(request)} "
                f"(item {self._taken}, counted from 0)"
            )
        operation = Operation(_RETRY, self._options.timeout)
        pause = _FIRST_DESCRIBE + round(_SPREAD * _clock.clock.random())
        flow = self._ensure(operation, request, first_pause=pause)
        stream = Stream(self._taken, request.stream_name, operation, flow, request)
        self._taken += 1
        self.under_way += 1
        if self._taken == _LIST_FROM and self._can_list:
            self._start_list()
        same_name = self._streams.setdefault(stream.name, deque())
        same_name.append(stream)
        if len(same_name) == 1:
            self._ready.append((stream, None))

    def exhaust(self, error: BaseException | None = None) -> None:
        """Note that there are no more requests; an error is raised after all results."""
        self._is_exhausted, self._input_error = True, error

    @property
    def is_done(self) -> bool:
        """Whether every result was yielded; raises the error of the iterable, if any."""
        if not self._is_exhausted or self.under_way or self.results:
            return False
        if self._input_error is not None:
            raise self._input_error
        return True

    # The list: a hint about creates to skip

    def _start_list(self) -> None:
        self._creates_begin = _clock.clock.now() + _LIST_PATIENCE
        self._list = Stream(-1, "", Operation(_RETRY), self._read_list(), has_begun=True)
        self._ready.append((self._list, None))

    def _read_list(self) -> Flow[None]:
        """Read the list, and skip the queued creates of streams that it shows."""
        token: str | None = None
        while True:
            outcome = yield list_call(token)
            assert outcome is not None  # noqa: S101  # for type checkers: a call has an outcome
            if outcome.error is not None:
                _log.info("cannot list streams; sending a create for each one: %s", outcome.error)
                break
            names, token = read_page(outcome.reply)
            self._listed.update(names)
            self._ask_again(_CREATE)
            if token is None:
                break
        self._creates_begin = 0

    # Flows

    def step(self) -> list[tuple[Stream, Call]]:
        """Resume the flows that are ready, and return the calls to start now."""
        while self.ended:
            self._end(*self.ended.popleft())
        self._look_after_deadlines()
        now = _clock.clock.now()
        while self._has_ready(now):
            stream, outcome = self._ready.popleft()
            stream.at = now if outcome is None else outcome.at
            self._resume(stream, stream.flow.send, outcome)
            now = _clock.clock.now()
        return self._due(now)

    def _end(self, stream: Stream, outcome: Outcome | BaseException) -> None:
        """Process the end of a call; raise an exception that is not one of our errors."""
        if isinstance(outcome, BaseException):
            raise outcome
        error, retries = outcome.error, retry_attempts(outcome.reply)
        if isinstance(error, ServiceError):
            retries = error.retry_attempts
        # A failure of AWS's (5xx) says nothing of the quota, and neither does a lost response.
        is_answer = error is None or isinstance(error, ServiceError)
        is_answer = is_answer and not isinstance(error, ServerError)
        throttled = isinstance(error, ThrottlingError) if is_answer else None
        ticket = self.in_flight.pop(stream)
        stream.lane.pace.answered(ticket, outcome.at, throttled=throttled, retries=retries)
        self._ready.append((stream, outcome))

    def _has_ready(self, now: int) -> bool:
        """Return whether a flow is ready; a pause can be over as soon as it begins."""
        while self._sleeping and self._sleeping[0][0] <= now:
            self._ready.append((heappop(self._sleeping)[2], None))
        return bool(self._ready)

    def _resume(self, stream: Stream, resume: Callable[[Any], Call | Pause], value: Any) -> None:
        """Send an outcome to a flow, or throw an error into it, and process its next step."""
        try:
            question = resume(value)
        except StopIteration as stop:
            self._finish(stream, stop.value)
        except KvsStreamsError as error:
            self._finish(stream, error.with_traceback(None))  # its frames refer to the fleet
        else:
            self._ask(stream, question)

    def _ask(self, stream: Stream, question: Call | Pause) -> None:
        """Start the pause of a flow, or answer its call, or queue the call.

        The first of these that applies: the fleet has stopped; it is a pause; it is a create that
        is answered without being sent; it is too late; it waits for its turn. A create of a listed
        stream is answered with a conflict, so that the flow describes the stream. So is the first
        create of each stream once the account is full; the next one is answered with that error.
        """
        if self._stopped is not None:
            self._resume(stream, stream.flow.throw, copy_for(self._stopped, stream.name))
            return
        if isinstance(question, Pause):
            heappush(self._sleeping, (stream.at + question.nanoseconds, stream.number, stream))
            return
        is_create = question.method == _CREATE
        is_overdue = stream.has_begun and stream.operation.remaining <= 0
        if is_create and self._full is not None:
            self._tell(stream, copy_for(self._full, stream.name) if stream.is_told else _conflict())
        elif is_create and not stream.has_begun and stream.name in self._listed:
            self._tell(stream, _conflict())
        elif is_overdue and not question.is_decisive:
            self._resume(stream, stream.flow.throw, stream.operation.timed_out())
        else:
            stream.lane = self._lanes[_AGAIN if is_create and stream.has_begun else question.method]
            stream.lane.waiting[stream] = question
            stream.lane.waiting.move_to_end(stream, last=not is_overdue)

    def _tell(self, stream: Stream, error: KvsStreamsError) -> None:
        """Answer a create without sending it."""
        stream.is_told = True
        self._ready.append((stream, Outcome(error=error)))

    def _ask_again(self, *names: str) -> None:
        """Process waiting calls again."""
        for name in names:
            lane = self._lanes[name]
            waiting, lane.waiting = lane.waiting, OrderedDict()
            for stream, call in waiting.items():
                self._ask(stream, call)

    def _look_after_deadlines(self) -> None:
        """Process waiting calls again if the deadlines of their streams have passed."""
        while self._deadlines:
            stream = next(iter(self._deadlines))
            if stream.operation.remaining > 0:
                return
            del self._deadlines[stream]
            call = stream.lane.waiting.pop(stream, None)
            if call is not None:
                self._ask(stream, call)

    def _finish(self, stream: Stream, result: Result) -> None:
        if stream.request is None:  # it is the list
            return
        self.results.append((stream.request, result))
        self.under_way -= 1
        self._deadlines.pop(stream, None)
        same_name = self._streams[stream.name]
        same_name.popleft()
        if same_name:
            self._ready.append((same_name[0], None))
        else:
            del self._streams[stream.name]
        if isinstance(result, AccountStreamLimitExceededException):
            self._full = result
            self._ask_again(_AGAIN, _CREATE)
        elif isinstance(result, KvsStreamsError) and stops_all(result):
            self._stopped = result
            self._ask_again(*self._lanes)
            # A sleeper is resumed at once: its next step is a call, which gets the error.
            self._ready.extend((sleeper, None) for _, _, sleeper in self._sleeping)
            self._sleeping.clear()

    # Calls

    def _due(self, now: int) -> list[tuple[Stream, Call]]:
        due: list[tuple[Stream, Call]] = []
        for name, lane in self._lanes.items():
            while self._delay(name, now) == 0:
                stream, call = lane.waiting.popitem(last=False)
                self.in_flight[stream] = lane.pace.sent(now)
                if not stream.has_begun:
                    stream.has_begun = True
                    stream.operation.begin(now)
                    self._deadlines[stream] = None
                due.append((stream, call))
        return due

    def _delay(self, name: str, now: int) -> float:
        """Return the time until a lane can send a call, unless another call ends first."""
        lane = self._lanes[name]
        room = self._connections
        if name != _LIST:
            # The list takes one of the connections, and is none of ``max_in_flight``.
            listing = int(self._list in self.in_flight)
            room = listing + min(self._options.max_in_flight, room - listing)
        if not lane.waiting or len(self.in_flight) >= room:
            return math.inf
        delay = lane.pace.delay(now)
        return max(delay, self._creates_begin - now) if name == _CREATE else delay

    def patience(self) -> float:
        """Return how long to wait unless a call ends or a request arrives."""
        now = _clock.clock.now()
        delays = [self._delay(name, now) for name in self._lanes]
        if self._sleeping:
            delays.append(self._sleeping[0][0] - now)
        if self._deadlines:
            delays.append(next(iter(self._deadlines)).operation.remaining)
        return max(0, min(delays))


def _conflict() -> ResourceInUseException:
    """Return what stands for AWS's answer that the stream exists; users never see it."""
    return ResourceInUseException({}, "CreateStream")
