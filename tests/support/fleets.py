"""Fleets against the control plane in virtual time: no thread, no socket, and nothing waits.

``Simulation`` is a fleet's driver. It performs calls on the pure ``Service`` of the benchmarks at
their own virtual times, retries them as botocore does, and advances its clock to whatever happens
next. Equal arguments give equal runs on every machine.
"""

import json
import math
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import formatdate
from heapq import heappop, heappush
from itertools import count
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError

from benchmarks.control_plane import Reply, Service, Settings
from kvs_streams import CreateStreamRequest, EnsuredStream, KvsStreamsError
from kvs_streams._flows.fleet import Fleet
from kvs_streams._flows.io import SECOND, Done, NotYet, SystemClock, run
from kvs_streams._wire import Call

EPOCH = 2_000_000_000
ACCOUNT, REGION = "123456789012", "eu-central-1"
_SCOPE = f"AKID{ACCOUNT}/20330518/{REGION}/kinesisvideo/aws4_request"
_WIRE = (SECOND // 1000, 3 * SECOND // 1000)
_ATTEMPTS = 3

Result = EnsuredStream | KvsStreamsError
# What a test answers in the place of the service, by the number of the call; None: the service.
Script = Callable[[int], object]


class VirtualClock(SystemClock):
    """A clock whose time passes only when the simulation says so."""

    def __init__(self, seed: int = 0) -> None:
        self.nanoseconds = 0
        self._random = random.Random(seed)

    def now(self) -> int:
        return self.nanoseconds

    def advance(self, seconds: float) -> None:
        self.nanoseconds += round(seconds * SECOND)

    def random(self) -> float:
        return self._random.random()


class Later:
    """Requests that are there at their own times, as those of an async iterable."""

    def __init__(self, *items: tuple[float, object]) -> None:
        self.items = deque((round(at * SECOND), item) for at, item in items)


@dataclass
class Flight:
    """A call on its way."""

    tag: Any
    call: Call
    number: int
    retries: int = 0
    sent: list[int] = field(default_factory=list)


class Simulation:
    """A fleet's driver over a service, in virtual time."""

    def __init__(
        self, requests: Iterable[object] | Later, settings: Settings, *, attempts: int = _ATTEMPTS
    ) -> None:
        self.clock = VirtualClock(settings.seed)
        self.service = Service(settings)
        self.attempts = attempts
        # Only asked whether it can list, and how often it tries.
        config = SimpleNamespace(retries={"total_max_attempts": attempts})
        self.client = SimpleNamespace(list_streams=None, meta=SimpleNamespace(config=config))
        self.scripts: dict[str, Script] = {}
        self.flights: list[Flight] = []
        self.peak = self.taken = 0
        self._requests = requests if isinstance(requests, Later) else iter(requests)
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._finished: deque[Done] = deque()
        self._numbers: Counter[str] = Counter()
        self._in_flight: list[Flight] = []
        self._random = random.Random(settings.seed)
        self.idle = self.start = 0

    # What a fleet asks for

    def take(self) -> object:
        if isinstance(self._requests, Later):
            items = self._requests.items
            if not items:
                raise StopIteration
            if items[0][0] > self.clock.nanoseconds:
                return NotYet
            item = items.popleft()[1]
            if isinstance(item, BaseException):
                raise item
        else:
            item = next(self._requests)
        self.taken += 1
        return item

    def submit(self, tag: object, call: Call) -> None:
        self._catch_up()
        name = call.kwargs.get("StreamName")
        others = [each.call.kwargs.get("StreamName") for each in self._in_flight]
        assert name is None or name not in others, f"two calls at once for {name}"
        flight = Flight(tag, call, self._numbers[call.operation_name])
        self._numbers[call.operation_name] += 1
        self.flights.append(flight)
        self._in_flight.append(flight)
        self.peak = max(self.peak, len(self._in_flight))
        self._send(flight, self.clock.nanoseconds)

    def pop(self) -> Done | None:
        self._catch_up()
        return self._finished.popleft() if self._finished else None

    async def done(self, nanoseconds: float) -> None:
        assert nanoseconds >= 0
        until = self.clock.nanoseconds + nanoseconds
        if isinstance(self._requests, Later) and self._requests.items:
            until = min(until, max(self._requests.items[0][0], self.clock.nanoseconds))
        while not self._finished and self._events and self._events[0][0] <= until:
            self._step()
        if not self._finished:
            assert until != math.inf, "the fleet waits for ever"
            self.clock.nanoseconds = max(self.clock.nanoseconds, int(until))
        # A loop that makes no progress would hang the run.
        self.idle = 0 if self._finished or nanoseconds else self.idle + 1
        assert self.idle < 100_000, "the fleet turns without waiting"

    # What happens

    def schedule(self, at: int, action: Callable[[], None]) -> None:
        heappush(self._events, (at, next(self._order), action))

    def _step(self) -> None:
        at, _, action = heappop(self._events)
        self.clock.nanoseconds = max(self.clock.nanoseconds, at)
        action()

    def _catch_up(self) -> None:
        """Let happen whatever is due, after time that the fleet did not wait."""
        while self._events and self._events[0][0] <= self.clock.nanoseconds:
            self._step()

    def _send(self, flight: Flight, at: int) -> None:
        arrival = at + self._random.randint(*_WIRE)
        flight.sent.append(arrival)
        self.schedule(arrival, lambda: self._arrive(flight, arrival))

    def _arrive(self, flight: Flight, at: int) -> None:
        operation = flight.call.operation_name
        now = EPOCH + at / SECOND
        script = self.scripts.get(operation)
        answer = None if script is None else script(flight.number)
        if answer is None:
            body = json.dumps(dict(flight.call.kwargs)).encode()
            reply = self.service.call(operation, _SCOPE, body, now)
        else:
            reply = Reply(200, "", self.service.settings.latency[1])
        end = at + round(reply.delay * SECOND)
        if (reply.is_lost or reply.status >= 500) and flight.retries + 1 < self.attempts:
            flight.retries += 1
            pause = round(self._random.random() * SECOND * 2 ** (flight.retries - 1))
            self.schedule(end, lambda: self.service.done(operation, _SCOPE))
            self._send(flight, end + pause)
            return
        self.schedule(end, lambda: self._finish(flight, reply, answer, end))

    def _finish(self, flight: Flight, reply: Reply, answer: object, at: int) -> None:
        self._in_flight.remove(flight)
        if isinstance(answer, ClientError):
            date = formatdate(EPOCH + at / SECOND, usegmt=True)
            answer.response["ResponseMetadata"]["HTTPHeaders"] = {"date": date}
        if isinstance(answer, BaseException):
            self._finished.append(Done(flight.tag, at, error=answer))
        elif answer is not None:
            self._finished.append(Done(flight.tag, at, answer))
        else:
            operation = flight.call.operation_name
            self.service.done(operation, _SCOPE)
            try:
                given = given_by_botocore(operation, reply, EPOCH + at / SECOND, flight.retries)
            except (ClientError, ConnectionClosedError) as error:
                self._finished.append(Done(flight.tag, at, error=error))
            else:
                self._finished.append(Done(flight.tag, at, given))

    def perform(self, operation: str, **members: Any) -> Reply:
        """Make somebody else's call, now."""
        now = EPOCH + self.clock.nanoseconds / SECOND
        reply = self.service.call(operation, _SCOPE, json.dumps(members).encode(), now)
        self.service.done(operation, _SCOPE)
        return reply

    def delete(self, name: str) -> None:
        """Delete a stream as somebody else, now, if it exists."""
        account = self.service._accounts.get((ACCOUNT, REGION))
        if account is not None and name in account.streams:
            self.perform("DeleteStream", StreamARN=account.streams[name].arn)

    # What happened

    @property
    def seconds(self) -> float:
        """The time since the start of the fleet."""
        return (self.clock.nanoseconds - self.start) / SECOND

    def stats(self) -> dict[str, Any]:
        now = EPOCH + self.clock.nanoseconds / SECOND
        found: dict[str, Any] = self.service.stats(now).get(f"{ACCOUNT}/{REGION}", {})
        return found

    def sent(self, operation: str) -> list[float]:
        """When each call of an operation arrived, its retries included, in seconds."""
        arrivals = (each for each in self.flights if each.call.operation_name == operation)
        return sorted((at - self.start) / SECOND for each in arrivals for at in each.sent)


def given_by_botocore(operation: str, reply: Reply, now: float, retries: int) -> dict[str, Any]:
    """Return what botocore makes of a reply, or raise it."""
    if reply.is_lost:
        raise ConnectionClosedError(endpoint_url="https://kinesisvideo.invalid")
    metadata = {
        "RequestId": "0f1e2d3c",
        "HTTPStatusCode": reply.status,
        "HTTPHeaders": {"date": formatdate(now, usegmt=True)},
        "RetryAttempts": retries,
    }
    body = json.loads(reply.body)
    if reply.code is not None:
        error = {"Code": reply.code, "Message": body["Message"]}
        raise ClientError({"Error": error, "ResponseMetadata": metadata}, operation)
    for info in [*body.get("StreamInfoList", ()), *filter(None, [body.get("StreamInfo")])]:
        info["CreationTime"] = datetime.fromtimestamp(info["CreationTime"], timezone.utc)
    return {**body, "ResponseMetadata": metadata}


def refusal(code: str, status: int = 400, *, retries: int = 0) -> ClientError:
    """Return what botocore raises for an error of the service."""
    metadata = {"HTTPStatusCode": status, "RetryAttempts": retries}
    error = {"Code": code, "Message": "told by the service"}
    return ClientError({"Error": error, "ResponseMetadata": metadata}, "Any")


@dataclass
class Voyage:
    """A fleet and what came of it."""

    simulation: Simulation
    fleet: Fleet
    pairs: list[tuple[CreateStreamRequest, Result]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    error: BaseException | None = None

    def __iter__(self) -> Iterator[tuple[CreateStreamRequest, Result]]:
        while (pair := run(self.fleet.next())) is not None:
            yield pair

    def finish(self, pause: float = 0.0) -> "Voyage":
        """Take every result, with a pause in seconds after each, and keep what is raised."""
        try:
            for pair in self:
                self.pairs.append(pair)
                self.times.append(self.simulation.seconds)
                self.simulation.clock.advance(pause)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            self.error = error
        self.fleet.close()
        return self

    @property
    def results(self) -> dict[str, list[Result]]:
        """The results by the name of the stream."""
        results: dict[str, list[Result]] = {}
        for request, result in self.pairs:
            results.setdefault(request.stream_name, []).append(result)
        return results

    @property
    def outcomes(self) -> Counter[str]:
        """How often each outcome or error was the result."""
        return Counter(
            result.outcome.name if isinstance(result, EnsuredStream) else type(result).__name__
            for _, result in self.pairs
        )

    def calls(self, operation: str, what: str = "calls") -> int:
        counts = self.simulation.stats().get("operations", {}).get(operation, {})
        value: int = counts.get(what, 0)
        return value

    @property
    def share(self) -> float:
        """The share that was used of what the quota left, the burst included, in percent."""
        settings, seconds = self.simulation.service.settings, self.simulation.stats()["seconds"]
        left = settings.burst + (settings.rate - settings.neighbour) * seconds
        return 100 * self.calls("CreateStream", "accepted") / left

    @property
    def throttled(self) -> float:
        """The share of creates that were throttled, in percent."""
        return 100 * self.calls("CreateStream", "throttled") / self.calls("CreateStream")

    @property
    def created(self) -> dict[str, int]:
        """How often the service created each stream."""
        found: dict[str, int] = self.simulation.stats().get("created", {})
        return found


def named(number: int, start: int = 0, **members: Any) -> list[CreateStreamRequest]:
    """Return requests for so many streams."""
    names = (f"camera-{i:06}" for i in range(start, start + number))
    return [CreateStreamRequest(stream_name=name, **members) for name in names]


def launch(
    requests: "Iterable[object] | Later",
    *,
    after: Voyage | None = None,
    attempts: int = _ATTEMPTS,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> Voyage:
    """Prepare a fleet.

    Args:
        requests: What it ensures.
        after: An earlier fleet, whose service and time go on; its account is counted anew.
        attempts: How often botocore sends a call.
        options: The fleet's.
        **settings: The service's.
    """
    simulation = Simulation(requests, Settings(**settings), attempts=attempts)
    if after is not None:
        simulation.service = after.simulation.service
        simulation.service.control({"reset": True, **settings})
        simulation.clock.nanoseconds = simulation.start = after.simulation.clock.nanoseconds
    chosen: dict[str, Any] = {
        "rate": 50.0,
        "max_in_flight": 32,
        "wait": True,
        "timeout": 300.0,
        "on_drift": "raise",
        **(options or {}),
    }
    return Voyage(simulation, Fleet(simulation, **chosen))
