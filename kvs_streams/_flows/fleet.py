"""Many streams: create, verify by listing, and hand out results.

Each stream has a flow of its own: the same ``ensure`` as for one stream, over an ``Io`` that
suspends. ``Fleet`` resumes these flows, sends their calls at the pace that the service allows, and
answers their polls from one list of all streams. It asks its driver for two things: ``submit``
starts a call and returns at once, ``done`` waits for the next finished call or a timeout.
"""

import copy
import logging
import math
import sys
from collections import deque
from functools import partial
from heapq import heappop, heappush
from typing import Any

from attrs import define, field

from kvs_streams._failures import is_throttle, translate
from kvs_streams._request import CreateStreamRequest
from kvs_streams._results import EnsuredStream, StreamInfo
from kvs_streams._text import shown
from kvs_streams._wire import Call, list_call, read_page, retry_attempts
from kvs_streams.errors import (
    AccountStreamLimitExceededException,
    AuthenticationError,
    ConfigurationError,
    KvsStreamsError,
    ServiceError,
)

from .call import Operation, ThrottleRetry
from .ensure import OnDrift, ensure
from .fleet_stream import FlowClock, ListPoller, Look, Question, Stream, StreamIo, without_frames
from .io import SECOND, Done, Driver, NotYet
from .pacing import Pace

Result = EnsuredStream | KvsStreamsError

_CREATE, _LIST = "create_stream", "list_streams"
# Calls per second: a part of each quota (DescribeStream 300, the others 50), since others read too.
_READS = {
    _LIST: 25.0,
    "describe_stream": 200.0,
    "list_tags_for_stream": 40.0,
    "describe_stream_storage_configuration": 40.0,
}
# How many streams are under way at a time: their lookups share a list, and memory stays bounded.
_AHEAD = 2_000
# How many requests are taken before calls are looked after again, and for how long at the most.
_TAKEN_AT_ONCE, _TAKING = 100, SECOND // 100
# How long the first list waits for requests that are taken meanwhile.
_FIRST_LIST = SECOND // 10
# The least time from one list to the next, and how many times as long as a list takes.
_LIST_INTERVAL, _LIST_SHARE = SECOND, 4
# A list with more pages than this, or as many failures in a row, is given up.
_MAX_PAGES, _MAX_FAILURES = 10_000, 3
# The pace takes the place of the backoff.
_RETRY = ThrottleRetry(max_attempts=sys.maxsize, base_delay=0, max_delay=0)
# These errors stop the sending: every other create would meet the same.
_FINAL = (AccountStreamLimitExceededException, AuthenticationError, ConfigurationError)


_log = logging.getLogger("kvs_streams")


# Calls that wait for their turn, each with the stream that it is for; a list is for all of them.
_Calls = deque[tuple["Stream | _Listing", Call]]


@define
class _Listing:
    """One list of all streams, page after page."""

    started: int
    wanted: dict[str, Stream]
    tokens: set[str] = field(factory=set[str])


class Fleet:
    """A fleet under way.

    Args:
        driver: What makes the calls.
        rate: Creates per second to start with.
        max_in_flight: The most calls at a time.
        wait: Whether to wait until each stream is ``ACTIVE``.
        timeout: The deadline of each stream, in seconds from its first call.
        on_drift: Whether drift is an error.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        rate: float,
        max_in_flight: int,
        wait: bool,
        timeout: float,
        on_drift: OnDrift,
    ) -> None:
        self._driver = driver
        self._clock = driver.clock
        self._flow_clock = FlowClock(driver.clock)
        self._io = StreamIo(driver.client, self._flow_clock)
        now = self._clock.start()
        self._paces = {name: Pace(reads, now, learn=False) for name, reads in _READS.items()}
        self._paces[_CREATE] = Pace(rate, now)
        self._max_in_flight = max_in_flight
        self._wait = wait
        self._timeout = timeout
        self._on_drift: OnDrift = on_drift

        self._results: deque[tuple[CreateStreamRequest, Result]] = deque()
        self._taken = 0
        self._can_take = True
        self._is_exhausted = False
        self._input_error: Exception | None = None
        # By name: the stream under way, then those with the same name that wait for it.
        self._streams: dict[str, deque[Stream]] = {}
        self._under_way = 0
        self._in_flight = 0
        # Creates leave a place free for reads, which are few and finish streams.
        self._reads: dict[str, _Calls] = {name: deque() for name in _READS}
        self._creates: deque[tuple[Stream, Call]] = deque()
        # How many creates were throttled in a row: in an outage each stream waits for its turn.
        self._throttles = 0
        self._sleeping: list[tuple[int, int, Stream]] = []
        self._stopped: KvsStreamsError | None = None

        self._listing: _Listing | None = None
        self._looking: dict[str, Stream] = {}
        self._has_new = False
        self._next_list = now + _FIRST_LIST
        self._failures = 0
        # Whether streams are described one by one, since they cannot be listed.
        self.describes = not hasattr(driver.client, "list_streams")

    async def next(self) -> tuple[CreateStreamRequest, Result] | None:
        """Return the next result in the order of completion; ``None`` after the last."""
        while True:
            self._take()
            while (done := self._driver.pop()) is not None:
                self._handle(done)
            self._send()
            if self._results:
                return self._results.popleft()
            if self._is_exhausted and not self._under_way:
                if self._input_error is not None:
                    raise self._input_error
                return None
            await self._driver.done(0 if self._can_take else self._patience())

    # Requests

    def _take(self) -> None:
        """Take the next requests, as far ahead of the results as is allowed."""
        until = self._clock.now() + _TAKING
        for _ in range(_TAKEN_AT_ONCE):
            ahead = self._under_way + len(self._results)
            self._can_take = not self._is_exhausted and ahead < _AHEAD
            if not self._can_take or self._clock.now() > until:
                return
            try:
                item = self._driver.take()
            except (StopIteration, StopAsyncIteration):
                self._is_exhausted = True
            except Exception as exc:  # noqa: BLE001  # whatever the iterable raises is raised last
                self._is_exhausted, self._input_error = True, exc
            else:
                if item is NotYet:
                    self._can_take = False
                    return
                self._add(item)

    def _add(self, request: object) -> None:
        if not isinstance(request, CreateStreamRequest):
            self._is_exhausted = True
            self._input_error = TypeError(
                f"requests must yield CreateStreamRequest objects, not {shown(request)} "
                f"(item {self._taken}, counted from 0)"
            )
            return
        operation = Operation(self._io, _RETRY, self._timeout)
        flow = self._ensure(operation, request)
        stream = Stream(self._taken, request, operation, flow)
        self._taken += 1
        self._under_way += 1
        same_name = self._streams.setdefault(request.stream_name, deque())
        same_name.append(stream)
        if len(same_name) == 1:
            self._resume(stream)

    async def _ensure(self, operation: Operation, request: CreateStreamRequest) -> EnsuredStream:
        """Ensure one stream: create it only if no list shows it."""
        poller = ListPoller(operation, request.stream_name, self)
        exists = await poller.look_up()
        operation.begin()
        proceed = partial(
            ensure, operation, request, poller, wait=self._wait, on_drift=self._on_drift
        )
        try:
            return await proceed(exists=exists)
        except AccountStreamLimitExceededException as error:
            self._stopped = self._stopped or error
            # Where nothing is listed, the stream may exist.
            if not self.describes or not await poller.finds():
                raise
        return await proceed(exists=True)

    # Flows

    def _resume(
        self, stream: Stream, answer: object = None, error: BaseException | None = None
    ) -> None:
        """Resume a stream's flow with what it asked for, and take its next question."""
        flow = stream.flow
        try:
            question = flow.send(answer) if error is None else flow.throw(error)
        except StopIteration as stop:
            self._finish(stream, stop.value)
        except KvsStreamsError as failure:
            self._finish(stream, without_frames(failure))
        else:
            self._queue(stream, question)

    def _queue(self, stream: Stream, question: Question) -> None:
        if isinstance(question, Look):
            self._looking[stream.request.stream_name] = stream
            self._has_new = self._has_new or question is Look.FIRST
        elif isinstance(question, int):
            heappush(self._sleeping, (self._clock.now() + question, stream.position, stream))
        elif question.method != _CREATE:
            self._reads[question.method].append((stream, question))
        elif stream.has_begun and self._throttles <= self._max_in_flight:
            # It was throttled, and its deadline is running.
            self._creates.appendleft((stream, question))
        else:
            self._creates.append((stream, question))

    def _finish(self, stream: Stream, result: Result) -> None:
        if isinstance(result, _FINAL) and self._stopped is None:
            self._stopped = result
        self._results.append((stream.request, result))
        self._under_way -= 1
        name = stream.request.stream_name
        same_name = self._streams[name]
        same_name.popleft()
        if same_name:
            self._resume(same_name[0])
        else:
            del self._streams[name]

    # Calls

    def _send(self) -> None:
        """Send whatever is due."""
        now = self._clock.now()
        while self._sleeping and self._sleeping[0][0] <= now:
            self._resume(heappop(self._sleeping)[2])
        while self._creates and self._stopped is not None:
            stream, call = self._creates.popleft()
            self._resume(stream, error=_unsent(self._stopped, call.stream_name))
        if self._list_delay(now) == 0:
            self._listing = _Listing(now, self._looking)
            self._looking, self._has_new = {}, False
            self._reads[_LIST].append((self._listing, list_call(None)))
        for method, queue in self._reads.items():
            self._drain(queue, method, self._max_in_flight, now)
        self._drain(self._creates, _CREATE, max(1, self._max_in_flight - 1), now)

    def _drain(self, queue: deque[Any], method: str, limit: int, now: int) -> None:
        while queue and self._in_flight < limit and self._paces[method].delay(now) == 0:
            stream, call = queue.popleft()
            if isinstance(stream, Stream) and not stream.has_begun:
                stream.operation.begin()
                stream.has_begun = True
            ticket = self._paces[method].sent(now)
            self._in_flight += 1
            self._driver.submit((stream, call, ticket), call)

    def _handle(self, done: Done) -> None:
        """Take note of a finished call, and go on with whoever asked for it."""
        stream, call, ticket = done.tag
        self._in_flight -= 1
        self._flow_clock.answered = done.at
        error, response = done.error, done.reply
        throttled: bool | None = False
        if error is not None:
            throttled = is_throttle(error) if isinstance(error, Exception) else None
            response = getattr(error, "response", None)
        retries = retry_attempts(response)
        self._paces[call.method].answered(ticket, throttled=throttled, retries=retries)
        if call.method == _CREATE:
            self._throttles = self._throttles + 1 if throttled else 0
        if isinstance(stream, _Listing):
            self._handle_page(stream, call, done)
        else:
            self._resume(stream, done.reply, error)
        self._flow_clock.answered = None

    def _patience(self) -> int | float:
        """Return how long there is nothing to do unless a call finishes."""
        now = self._clock.now()
        delays: list[int | float] = [self._list_delay(now)]
        if self._sleeping:
            delays.append(self._sleeping[0][0] - now)
        if self._in_flight < self._max_in_flight:
            delays += [self._paces[name].delay(now) for name, calls in self._reads.items() if calls]
        if self._creates and self._in_flight < max(1, self._max_in_flight - 1):
            delays.append(self._paces[_CREATE].delay(now))
        return max(0, min(delays))

    # Lists

    def _list_delay(self, now: int) -> int | float:
        """Return how long until the next list may start; infinity if none is wanted."""
        if self._listing is not None or not self._looking:
            return math.inf
        is_idle = not (self._can_take or self._creates or self._in_flight)
        if self._has_new and is_idle and not self._failures:
            return 0
        return max(self._next_list - now, 0)

    def _handle_page(self, listing: _Listing, call: Call, done: Done) -> None:
        """Answer the flows that look for a stream of this page, and go on to the next page."""
        try:
            infos, token = self._read_page(call, done)
        except KvsStreamsError as failure:
            self._handle_failed_list(listing, failure)
            return
        for info in infos:
            stream = listing.wanted.pop(info.stream_name, None)
            if stream is not None:
                self._resume(stream, (info, done.reply))
        if token is None or not listing.wanted:
            took = self._clock.now() - listing.started
            self._next_list = listing.started + max(_LIST_INTERVAL, _LIST_SHARE * took)
            self._failures = 0
            self._end_list(listing)
        elif token in listing.tokens or len(listing.tokens) == _MAX_PAGES:
            self._give_up_listing(listing, "its pages do not end")
        else:
            listing.tokens.add(token)
            self._reads[_LIST].append((listing, list_call(token)))

    def _read_page(self, call: Call, done: Done) -> tuple[list[StreamInfo], str | None]:
        error = done.error
        if isinstance(error, Exception) and not isinstance(error, KvsStreamsError):
            client = self._driver.client
            error = translate(error, client, call, sent_before=0, retried=False) or error
        if error is not None:
            raise error
        return read_page(call, done.reply)

    def _handle_failed_list(self, listing: _Listing, failure: KvsStreamsError) -> None:
        """List again later, unless that is bound to fail."""
        self._failures += 1
        if not failure.retryable or self._failures == _MAX_FAILURES:
            self._give_up_listing(listing, str(failure))
            return
        self._listing = None
        self._looking = {**listing.wanted, **self._looking}
        self._next_list = self._clock.now() + _LIST_INTERVAL * 2**self._failures

    def _give_up_listing(self, listing: _Listing, reason: str) -> None:
        _log.info("cannot list the streams, so each one is described: %s", reason)
        self.describes = True
        listing.wanted.update(self._looking)
        self._looking = {}
        self._end_list(listing)

    def _end_list(self, listing: _Listing) -> None:
        """Answer the flows whose streams are not in the list."""
        self._listing = None
        for stream in list(listing.wanted.values()):
            self._resume(stream)

    def close(self) -> None:
        """Drop what is under way."""
        for same_name in self._streams.values():
            for stream in same_name:
                stream.flow.close()


def _unsent(error: KvsStreamsError, stream_name: str) -> KvsStreamsError:
    """Return the error that stopped the sending, for a create that is not sent."""
    if isinstance(error, ServiceError):
        return type(error)(error.response, error.operation_name, stream_name=stream_name)
    return copy.copy(error)
