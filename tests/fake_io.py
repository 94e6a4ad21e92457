"""A scripted service without a network: a fake boto client under the real clients, virtual time.

``Answer`` is what one call comes to. ``ScriptedBoto`` gives the answers of a script, ``World``
those of a service that others use too, and ``AioBoto`` puts either behind ``await``. ``Runner``
runs the methods of either client over them.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import cycle
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError
from support.clock import SECOND, FakeClock

from kvs_streams import AsyncStreamsClient, StreamsClient, ThrottleRetry

# The server's time when a script begins: half past a second, and far from this machine's own.
SERVER_START = datetime(2041, 5, 6, 7, 8, 9, 500_000, tzinfo=timezone.utc)
CLIENTS = ["sync", "async"]
REQUEST_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@dataclass(frozen=True)
class Answer:
    """What a call comes to: a body, an error code, or a failure on the way."""

    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code: str = ""
    status: int = 200
    retries: int = 0
    takes: float = 0.0
    date: str | None = "now"
    failure: Exception | None = None

    def given_at(self, now: datetime) -> dict[str, Any]:
        """Return or raise what boto would, with the server's time ``now`` in the headers."""
        if self.failure is not None:
            raise self.failure
        date = format_datetime(now, usegmt=True) if self.date == "now" else self.date
        metadata = {
            "RequestId": REQUEST_ID,
            "HTTPStatusCode": self.status,
            "HTTPHeaders": {} if date is None else {"date": date},
            "RetryAttempts": self.retries,
        }
        if self.code:
            error = {"Code": self.code, "Message": "told by the service"}
            raise ClientError({"Error": error, "ResponseMetadata": metadata}, "TheOperation")
        return {**self.body, "ResponseMetadata": metadata}

    def but(self, **changes: Any) -> "Answer":
        return replace(self, **changes)


def refused(code: str, status: int = 400) -> Answer:
    """An error by AWS's code."""
    return Answer(code=code, status=status)


def unreadable() -> Exception:
    """Return what botocore's own parser raises for a time that is out of range."""
    from botocore.utils import parse_timestamp

    try:
        parse_timestamp(1e300)
    except (OverflowError, RuntimeError) as error:
        return error
    raise AssertionError("botocore reads this time")


def arn(born: float = 0.0) -> str:
    """The ARN of the stream, born that many seconds after the start of the script."""
    moment = SERVER_START + timedelta(seconds=born)
    millis = round(moment.timestamp() * 1000)
    return f"arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/{millis}"


def created(born: float = 0.0) -> Answer:
    """A create that worked, ``born`` seconds after the start of the script."""
    return Answer(body={"StreamARN": arn(born)})


def seen(status: str = "ACTIVE", born: float = 0.0, **members: object) -> Answer:
    """A describe of a stream that was born that many seconds after the start of the script."""
    info = {
        "StreamName": "cam",
        "StreamARN": arn(born),
        "Status": status,
        "CreationTime": SERVER_START + timedelta(seconds=born),
    }
    return Answer(body={"StreamInfo": info | members})


def connect() -> OSError:
    """Return an error as the HTTP libraries raise it where they fail to connect."""
    error = OSError("refused")
    with suppress(OSError):
        raise error
    return error


THROTTLED = refused("ClientLimitExceededException")
CONFLICT = refused("ResourceInUseException")
NOT_FOUND = refused("ResourceNotFoundException", 404)
BROKEN = refused("InternalFailure", 500)
DENIED = refused("AccessDeniedException", 403)
LOST = Answer(failure=ConnectionClosedError(endpoint_url="https://kvs.example"))
UNSENT = Answer(
    failure=EndpointConnectionError(endpoint_url="https://kvs.example", error=connect())
)
NO_ARN = Answer(body={"StreamARN": None})


class FakeBoto(ABC):
    """Stands in for a boto3 client; ``answer`` decides what each call comes to."""

    def __init__(self, clock: FakeClock, *, attempts: int | None = None) -> None:
        self.clock = clock
        self.start = clock.nanoseconds
        self.calls: list[tuple[str, float, dict[str, Any]]] = []
        retries = {} if attempts is None else {"total_max_attempts": attempts}
        self.meta = SimpleNamespace(config=SimpleNamespace(retries=retries))

    @abstractmethod
    def answer(self, method: str) -> Answer: ...

    def server_time(self) -> datetime:
        return SERVER_START + timedelta(microseconds=self.elapsed() // 1000)

    def elapsed(self) -> int:
        """Nanoseconds since the start of the script."""
        return self.clock.nanoseconds - self.start

    def _call(self, method: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, self.elapsed() / SECOND, kwargs))
        # A flow that never ends would hang the run: nothing here needs as many calls as that.
        assert len(self.calls) < 2_000, "the flow does not end"
        answer = self.answer(method)
        self.clock.advance(answer.takes)
        return answer.given_at(self.server_time())

    def create_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("create_stream", kwargs)

    def describe_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("describe_stream", kwargs)

    def list_tags_for_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("list_tags_for_stream", kwargs)

    def describe_stream_storage_configuration(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("describe_stream_storage_configuration", kwargs)

    def made(self) -> list[str]:
        """The methods called, in order."""
        return [method for method, _, _ in self.calls]

    def times(self, method: str) -> list[float]:
        """When a method was called, in seconds since the start."""
        return [time for name, time, _ in self.calls if name == method]


class ScriptedBoto(FakeBoto):
    """Answers from a queue for each method; a queue that runs empty fails the test."""

    def __init__(self, clock: FakeClock, *, attempts: int | None = None) -> None:
        super().__init__(clock, attempts=attempts)
        self.script: dict[str, deque[Answer]] = {}

    def on(self, method: str, *answers: Answer) -> None:
        self.script.setdefault(method, deque()).extend(answers)

    def answer(self, method: str) -> Answer:
        queue = self.script.get(method)
        assert queue, f"nothing is scripted for call {len(self.calls)}, {method}"
        return queue.popleft()

    def verify(self) -> None:
        """Fail if a scripted answer was never asked for."""
        unused = {method: list(queue) for method, queue in self.script.items() if queue}
        assert not unused, f"nobody asked for: {unused}"


class ChanceClock(FakeClock):
    """A virtual clock with a chance of its own for each question, that remembers when it slept."""

    def __init__(self, chances: Sequence[float]) -> None:
        super().__init__()
        self._chances = cycle(chances)
        self.naps: list[tuple[float, float]] = []

    def random(self) -> float:
        return next(self._chances)

    def sleep(self, nanoseconds: int) -> None:
        self.naps.append((self.time, nanoseconds / SECOND))
        super().sleep(nanoseconds)


# What others do to the stream before a call is answered.
OTHERS = [
    "nothing",
    "nothing",
    "advance",
    "advance",
    "create",
    "create another",
    "delete",
    "vanish",
    "replace",
    "update",
    "freeze",
]
# How a call is answered; "after" says that it was carried out all the same.
REPLIES = [
    "plainly",
    "plainly",
    "plainly",
    "throttle",
    "throttle",
    "broken",
    "broken after",
    "lost",
    "lost after",
    "no ARN",
    "retried",
    "retried after",
    "retried after, throttle",
    "denied",
    "not yet",
    "stale",
]
# How long a new stream may stay out of sight.
UNSEEN = timedelta(seconds=8)


@dataclass(frozen=True)
class Step:
    others: str = "nothing"
    reply: str = "plainly"
    takes: float = 0.0


@dataclass(frozen=True)
class Stream:
    born: datetime
    status: str = "CREATING"
    own: bool = False
    as_asked: bool = True
    visible: bool = False


class World(FakeBoto):
    """A service with one stream, others who meddle with it, and answers that get lost.

    It takes one step of the script for each call. When the script is over every call is answered
    plainly, and the stream goes its way to ACTIVE, or to its end, unless it is stuck. It keeps what
    a caller can know, by the answers given, to compare that with what the caller makes of them.
    """

    clock: ChanceClock

    def __init__(
        self,
        steps: Sequence[Step],
        chances: Sequence[float],
        before: float | None,
        shift: float,
        *,
        stuck: bool,
        dated: bool,
    ) -> None:
        super().__init__(ChanceClock(chances))
        self.steps = iter(steps)
        self.shift = shift
        self.began = self.server_time()
        self.rest = Step("nothing" if stuck else "advance")
        self.dated = dated
        self.stream: Stream | None = None
        # The stream that had the name before.
        self.predecessor: Stream | None = None
        self._last_born = self.began - timedelta(days=1)
        if before is not None:
            born = self.began + timedelta(seconds=before)
            self.stream = Stream(born, "ACTIVE", visible=True)
        # What the caller was told.
        self.told: set[str] = set()
        self.succeeded = self.has_created = False
        self.created_at: datetime | None = None
        # Whether the stream that the caller created was replaced, and the caller knows.
        self.replaced = False
        self.surplus = 0
        self.last_seen: str | None = None
        self.last_shown: Stream | None = None
        self.last_arn = ""
        # What the caller can conclude: whether a lost create of its own may have made the stream,
        # and since when at the earliest by the server's clock.
        self.in_doubt = False
        self.floor: datetime | None = None
        self._retried = False
        self._settled = True
        self._floor_of_create: datetime | None = None

    def server_time(self) -> datetime:
        return super().server_time() + timedelta(seconds=self.shift)

    def answer(self, method: str) -> Answer:
        step = next(self.steps, self.rest)
        self._meddle(step.others)
        if method == "create_stream":
            answer = self._create(step.reply)
        elif method == "describe_stream":
            answer = self._describe(step.reply)
        else:
            answer = self._read(method, step.reply)
        answer = answer.but(takes=step.takes, date="now" if self.dated else None)
        self._conclude(method, answer)
        return answer

    def _meddle(self, act: str) -> None:
        stream = self.stream
        if act.startswith("create") and stream is None:
            self._give_birth(as_asked=act == "create")
        if stream is None:
            return
        if act == "advance":
            if stream.status == "DELETING":
                self._end()
            else:
                self.stream = replace(stream, status="ACTIVE")
        elif act == "vanish":
            self._end()
        elif act == "replace":
            self._end()
            self._give_birth()
        elif act in _BECOMES:
            self.stream = replace(stream, status=_BECOMES[act])

    def _create(self, reply: str) -> Answer:
        if (self.succeeded and not self.replaced) or not self._settled:
            self.surplus += 1
        retries = 1 if reply.startswith("retried") else 0
        if reply.startswith("retried after"):
            self._carry_out()
        if reply.endswith("throttle"):
            return THROTTLED.but(retries=retries)
        if reply == "denied":
            return DENIED
        if reply in {"broken", "lost"}:
            return BROKEN if reply == "broken" else LOST
        won = self._carry_out()
        if reply in {"broken after", "lost after"}:
            return BROKEN if reply == "broken after" else LOST
        if not won:
            return CONFLICT.but(retries=retries)
        return NO_ARN if reply == "no ARN" else created(self._age(self.stream)).but(retries=retries)

    def _age(self, stream: "Stream | None") -> float:
        assert stream is not None
        return (stream.born - SERVER_START) / timedelta(seconds=1)

    def _give_birth(self, *, own: bool = False, as_asked: bool = True) -> None:
        """Create the stream; no two are created in the same millisecond, so their ARNs differ."""
        born = max(self.server_time(), self._last_born + timedelta(milliseconds=1))
        self._last_born = born
        self.stream = Stream(born, own=own, as_asked=as_asked)

    def _end(self) -> None:
        self.predecessor, self.stream = self.stream, None

    def _carry_out(self) -> bool:
        if self.stream is not None:
            return False
        self._give_birth(own=True)
        return True

    def _describe(self, reply: str) -> Answer:
        fault = _FAULTS.get(reply)
        if fault is not None:
            return fault
        stream = self.stream
        young = stream is not None and self.server_time() - stream.born < UNSEEN
        hidden = stream is not None and young and not stream.visible
        if reply == "stale" and hidden and self.predecessor is not None:
            if not self._is_stale(self.predecessor.born):
                self.last_shown = self.predecessor
            return self._show(self.predecessor)
        if stream is None or (reply == "not yet" and hidden):
            return NOT_FOUND
        self.stream = self.last_shown = replace(stream, visible=True)
        return self._show(stream)

    def _show(self, stream: Stream) -> Answer:
        media = "video/h264" if stream.as_asked else "video/mjpeg"
        members = {"CreationTime": stream.born, "MediaType": media}
        return seen(stream.status, self._age(stream), **members)

    def _is_stale(self, born: datetime) -> bool:
        """Whether the caller can tell from an ARN that it is older than what it created."""
        return self.created_at is not None and _millis(born) < _millis(self.created_at)

    def _read(self, method: str, reply: str) -> Answer:
        fault = _FAULTS.get(reply)
        if fault is not None or self.stream is None:
            return fault or NOT_FOUND
        asked = self.stream.as_asked
        if method == "list_tags_for_stream":
            return Answer(body={"Tags": {"site": "Bern" if asked else "Basel"}})
        tier = "WARM" if asked else "HOT"
        return Answer(body={"StreamStorageConfiguration": {"DefaultStorageTier": tier}})

    def _conclude(self, method: str, answer: Answer) -> None:
        """Take note of what the caller learns from an answer."""
        self.told.add("TransportError" if answer.failure else _NAMES.get(answer.code, answer.code))
        elapsed = self.elapsed() + round(answer.takes * SECOND)
        moment = self.began + timedelta(microseconds=elapsed // 1000)
        floor = moment.replace(microsecond=0) - timedelta(microseconds=-(-elapsed // 1000))
        undated = not self.dated or answer.failure is not None
        if method == "create_stream":
            if answer.code == THROTTLED.code:
                self._retried = self._retried or answer.retries > 0
                return
            unknown = answer.failure is not None or answer.code == BROKEN.code
            success = not answer.code and answer.failure is None
            self.succeeded = success and answer.body["StreamARN"] is not None
            self.has_created = self.has_created or self.succeeded
            self.created_at = self.stream.born if self.succeeded and self.stream else None
            self.replaced = False
            unknown = unknown or (success and not self.succeeded)
            self.in_doubt = not self.succeeded and (
                self.in_doubt or unknown or answer.retries > 0 or self._retried
            )
            self._retried = False
            self._settled = False
            self.last_seen = None
            self._floor_of_create = None if undated or not answer.code else floor
            self.told.add("UnexpectedResponseError" if success else "")
        elif answer.code == NOT_FOUND.code:
            # Whatever a lost create made, it was seen, and is gone; or it is late to be seen.
            self.in_doubt = self.in_doubt and self.last_seen is None
            self._settled = True
        elif method == "describe_stream" and answer.body:
            born = answer.body["StreamInfo"]["CreationTime"]
            self.last_arn = answer.body["StreamInfo"]["StreamARN"]
            if self._is_stale(born):
                self.told.add("ResourceNotFoundException")
                return
            self.replaced = self.created_at is not None and born != self.created_at
            self.last_seen = answer.body["StreamInfo"]["Status"]
            deleting = self.last_seen == "DELETING"
            self._settled = self._settled or deleting
            self.in_doubt = self.in_doubt and not deleting
            self.floor = self._floor_of_create or (None if undated else floor)


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


_NAMES = {"InternalFailure": "ServerError", "AccessDeniedException": "AccessDeniedError"}
_BECOMES = {"delete": "DELETING", "update": "UPDATING", "freeze": "FROZEN"}
_FAULTS = {
    "throttle": THROTTLED,
    "broken": BROKEN,
    "broken after": BROKEN,
    "lost": LOST,
    "lost after": LOST,
    "denied": DENIED,
}


class AioBoto:
    """The same fake, to be awaited."""

    def __init__(self, boto: FakeBoto) -> None:
        self.boto = boto
        self.meta = boto.meta

    async def create_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.create_stream(**kwargs)

    async def describe_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.describe_stream(**kwargs)

    async def list_tags_for_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.list_tags_for_stream(**kwargs)

    async def describe_stream_storage_configuration(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.describe_stream_storage_configuration(**kwargs)


class Runner:
    """One client of either kind over a fake, behind plain calls."""

    def __init__(
        self, kind: str, boto: FakeBoto, throttle_retry: ThrottleRetry | None = None
    ) -> None:
        retry = throttle_retry or ThrottleRetry()
        self.boto = boto
        self.client: Any
        if kind == "sync":
            self.client = StreamsClient(boto, throttle_retry=retry)
        else:
            self.client = AsyncStreamsClient(AioBoto(boto), throttle_retry=retry)
        self.client._io.clock = boto.clock

    def run(self, method: str, *args: Any, **kwargs: Any) -> Any:
        result = getattr(self.client, method)(*args, **kwargs)
        if isinstance(self.client, StreamsClient):
            return result

        async def awaited() -> Any:
            return await result

        return asyncio.run(awaited())
