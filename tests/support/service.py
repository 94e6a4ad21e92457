"""Kinesis Video Streams in memory, as a boto client that tests script.

``Answer`` is what one call comes to: a reply, an error of AWS's, or a failure on the way.
``Scripted`` gives the answers that a test lists, in their order. ``Model`` is a small model of the
service: streams go from CREATING to ACTIVE, and from DELETING to nothing, in virtual time, while
faults fall on calls. ``Awaited`` puts either behind ``await``.
"""

import math
import re
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from .clock import VirtualClock

# The server's time when a test begins: half past a second, and far from this machine's own.
SERVER_START = datetime(2041, 5, 6, 7, 8, 9, 500_000, tzinfo=timezone.utc)
REQUEST_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
LONG_AGO = -3600.0
CREATE, DESCRIBE, TAGS, STORAGE, LIST = OPERATIONS = (
    "create_stream",
    "describe_stream",
    "list_tags_for_stream",
    "describe_stream_storage_configuration",
    "list_streams",
)
_DESCRIBED = {"DeviceName", "MediaType", "KmsKeyId", "DataRetentionInHours"}
_ENDPOINT = "https://kinesisvideo.example"


@dataclass(frozen=True)
class Answer:
    """What a call comes to: a body, an error code, or an exception."""

    body: Mapping[str, Any] | None = field(default_factory=dict[str, Any])
    code: str = ""
    status: int = 200
    retries: int = 0
    takes: float = 0.0
    date: str | None = "now"
    failure: BaseException | None = None

    def but(self, **changes: Any) -> "Answer":
        """Return this answer with something else in it."""
        return replace(self, **changes)

    def given(self, method: str, now: datetime) -> Any:
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
            operation = "".join(word.title() for word in method.split("_"))
            raise ClientError({"Error": error, "ResponseMetadata": metadata}, operation)
        return None if self.body is None else {**self.body, "ResponseMetadata": metadata}


def refused(code: str, status: int = 400) -> Answer:
    """An error by AWS's code."""
    return Answer(code=code, status=status)


def arn(born: float = 0.0, name: str = "cam") -> str:
    """The ARN of a stream that was created so many seconds after the start of the test."""
    millis = round((SERVER_START + timedelta(seconds=born)).timestamp() * 1000)
    return f"arn:aws:kinesisvideo:eu-west-1:123456789012:stream/{name}/{millis}"


def created(born: float = 0.0) -> Answer:
    """A create that succeeded."""
    return Answer({"StreamARN": arn(born)})


def described(status: str = "ACTIVE", born: float = 0.0, **members: object) -> Answer:
    """A describe of a stream that was created so many seconds after the start of the test."""
    info = {
        "StreamName": "cam",
        "StreamARN": arn(born),
        "Status": status,
        "CreationTime": SERVER_START + timedelta(seconds=born),
    }
    return Answer({"StreamInfo": info | members})


def tags(page: Mapping[str, Any] | None, token: str | None = None) -> Answer:
    """A page of tags."""
    return Answer({"Tags": page, "NextToken": token})


def tier(name: str) -> Answer:
    """A storage tier."""
    return Answer({"StreamStorageConfiguration": {"DefaultStorageTier": name}})


THROTTLED = refused("ClientLimitExceededException")
CONFLICT = refused("ResourceInUseException")
NOT_FOUND = refused("ResourceNotFoundException", 404)
BROKEN = refused("InternalFailure", 500)
DENIED = refused("AccessDeniedException", 403)
LOST = Answer(failure=ReadTimeoutError(endpoint_url=_ENDPOINT))
CUT = Answer(failure=ConnectionClosedError(endpoint_url=_ENDPOINT))
UNSENT = Answer(failure=EndpointConnectionError(endpoint_url=_ENDPOINT, error=OSError("refused")))
NO_ARN = Answer({"StreamARN": None})
RETRIED = CONFLICT.but(retries=1)

_WORDS = {
    "throttled": THROTTLED,
    "conflict": CONFLICT,
    "retried": RETRIED,
    "gone": NOT_FOUND,
    "broken": BROKEN,
    "denied": DENIED,
    "lost": LOST,
    "cut": CUT,
    "unsent": UNSENT,
    "timeout": refused("RequestTimeout", 408),
    "oops": refused("Oops", 500),
    "expired": refused("ExpiredTokenException", 403),
    "noarn": NO_ARN,
    "null": Answer(None),
    "useless": Answer(),
}


def told(text: str) -> list[Answer]:
    """Return the answers that a text lists: ``conflict new@3 gone+10 creating@3 active@3``.

    ``@`` says when the stream was created, in seconds since the start of the test, and ``+`` how
    long the call takes.
    """
    answers = []
    for word in text.split():
        name, born, takes = re.findall(r"^([a-z]+)(?:@([-.0-9]+))?(?:\+([.0-9]+))?$", word)[0]
        answer = _WORDS.get(name)
        if answer is None:
            age = float(born or 0)
            answer = created(age) if name == "new" else described(name.upper(), age)
        answers.append(answer.but(takes=float(takes or 0)))
    return answers


class Fake(ABC):
    """Stands in for a boto3 client; ``answer`` decides what each call comes to.

    Args:
        clock: The clock of the test; a call takes as long as its answer says.
        attempts: How many attempts botocore makes, by the client's configuration.
    """

    def __init__(self, clock: VirtualClock, *, attempts: int | None = None) -> None:
        self.clock = clock
        self.calls: list[tuple[str, float, dict[str, Any]]] = []
        """Each call: the method, the seconds since the start, and the keyword arguments."""
        self.answers: list[Answer] = []
        """What each call came to."""
        self.closed = 0
        retries = {} if attempts is None else {"total_max_attempts": attempts}
        config = SimpleNamespace(retries=retries, max_pool_connections=64)
        self.meta = SimpleNamespace(config=config)
        self._lock = threading.RLock()

    @abstractmethod
    def answer(self, method: str, kwargs: dict[str, Any]) -> Answer:
        """Decide what a call comes to."""

    def server_time(self) -> datetime:
        """Return the server's time."""
        return SERVER_START + timedelta(seconds=self.clock.elapsed)

    def call(self, method: str, kwargs: dict[str, Any]) -> Any:
        """Answer a call of any operation."""
        with self._lock:
            self.calls.append((method, self.clock.elapsed, kwargs))
            # A flow without an end would hang the run.
            assert len(self.calls) < 50_000, "the flow does not end"
            answer = self.answer(method, kwargs)
            self.answers.append(answer)
            self.clock.advance(answer.takes)
            now = self.server_time()
        return answer.given(method, now)

    def create_stream(self, **kwargs: Any) -> Any:
        """Create a stream."""
        return self.call(CREATE, kwargs)

    def describe_stream(self, **kwargs: Any) -> Any:
        """Describe a stream."""
        return self.call(DESCRIBE, kwargs)

    def list_tags_for_stream(self, **kwargs: Any) -> Any:
        """List a page of a stream's tags."""
        return self.call(TAGS, kwargs)

    def describe_stream_storage_configuration(self, **kwargs: Any) -> Any:
        """Read a stream's storage tier."""
        return self.call(STORAGE, kwargs)

    def list_streams(self, **kwargs: Any) -> Any:
        """List a page of the streams."""
        return self.call(LIST, kwargs)

    def close(self) -> None:
        """Count how often the client was closed."""
        self.closed += 1

    @property
    def made(self) -> list[str]:
        """The methods called, in order."""
        return [method for method, _, _ in self.calls]

    def times(self, method: str) -> list[float]:
        """When a method was called, in seconds since the start."""
        return [time for name, time, _ in self.calls if name == method]

    def sent(self, method: str) -> list[dict[str, Any]]:
        """What a method was called with."""
        return [kwargs for name, _, kwargs in self.calls if name == method]


class Scripted(Fake):
    """Gives the answers that were listed for each method; a call without one fails the test."""

    def __init__(self, clock: VirtualClock, *, attempts: int | None = None) -> None:
        super().__init__(clock, attempts=attempts)
        self.script: dict[str, deque[Answer]] = {}

    def on(self, method: str, *answers: Answer) -> "Scripted":
        """Add answers for a method."""
        self.script.setdefault(method, deque()).extend(answers)
        return self

    def answer(self, method: str, kwargs: dict[str, Any]) -> Answer:
        """Return the next answer of the script."""
        queue = self.script.get(method)
        assert queue, f"no answer is left for call {len(self.calls)}, {method}({kwargs})"
        return queue.popleft()

    def check_used(self) -> None:
        """Fail if an answer was never asked for."""
        unused = {method: list(queue) for method, queue in self.script.items() if queue}
        assert not unused, f"no call came for: {unused}"


@dataclass
class Stream:
    """A stream of the model; times are seconds since the start."""

    name: str
    born: float
    request: Mapping[str, Any]
    """The keyword arguments of its create."""
    active_at: float
    visible_at: float
    gone_at: float = math.inf

    @property
    def arn(self) -> str:
        """Its ARN."""
        return arn(self.born, self.name)


# How a call may be answered other than plainly. "after" means that it was carried out all the same;
# "retried" that botocore sent it again after a first attempt whose response was lost.
FAULTS: dict[str, tuple[bool, Answer | None]] = {
    "throttle": (False, THROTTLED),
    "generic throttle": (False, refused("ThrottlingException")),
    "broken": (False, BROKEN),
    "broken after": (True, BROKEN),
    "timeout": (False, refused("RequestTimeout", 408)),
    "timeout after": (True, refused("RequestTimeout", 408)),
    "lost": (False, LOST),
    "lost after": (True, LOST),
    "cut after": (True, CUT),
    "no ARN after": (True, NO_ARN),
    "denied": (False, DENIED),
    "full": (False, refused("AccountStreamLimitExceededException")),
    "expired": (False, refused("ExpiredTokenException", 403)),
    "retried after": (True, None),
}


class Model(Fake):
    """A model of the service, with a life cycle in virtual time and faults.

    Args:
        clock: The clock of the test.
        creating: How long a stream stays CREATING, in seconds.
        hidden: How long a describe does not find a new stream, in seconds.
        deleting: How long a stream stays DELETING, in seconds.
        takes: How long a call takes, in seconds.
        quota: How many creates a second are accepted; the others are throttled.
        fault: Names the fault of ``FAULTS``, if any, that falls on a call; it is given the method,
            the name of the stream and how many calls of the method came for it before.
        stale: Whether a describe shows the predecessor of a stream while it is hidden.
    """

    def __init__(
        self,
        clock: VirtualClock,
        *,
        creating: float = 0.6,
        hidden: float = 0.0,
        deleting: float = 3.0,
        takes: float = 0.0,
        quota: float | None = None,
        fault: Callable[[str, str, int], str | None] | None = None,
        stale: bool = False,
        attempts: int | None = None,
    ) -> None:
        super().__init__(clock, attempts=attempts)
        self.creating, self.hidden, self.deleting = creating, hidden, deleting
        self.takes, self.quota, self.fault, self.stale = takes, quota, fault, stale
        self.streams: dict[str, Stream] = {}
        self.history: list[Stream] = []
        """Every stream that ever was, the existing ones included, in order of creation."""
        self.throttled = 0
        """How many creates the quota refused."""
        self._counts: dict[tuple[str, str], int] = {}
        self._tokens = quota or 0.0
        self._filled = clock.elapsed

    def add(self, *names: str, born: float = LONG_AGO, **members: Any) -> None:
        """Let streams exist and be ACTIVE already; ``members`` are those of a create."""
        for name in names:
            stream = self._make(name, members, born)
            stream.active_at = stream.visible_at = born

    def delete(self, name: str) -> None:
        """Begin to delete a stream, as others can at any time."""
        stream = self.find(name)
        if stream is not None:
            stream.gone_at = min(stream.gone_at, self.clock.elapsed + self.deleting)

    def vanish(self, name: str) -> None:
        """Let a stream be gone at once."""
        if self.find(name) is not None:
            del self.streams[name]

    def find(self, name: str) -> Stream | None:
        """Return the stream that has the name now."""
        stream = self.streams.get(name)
        if stream is None or self.clock.elapsed < stream.gone_at:
            return stream
        del self.streams[name]
        return None

    def status(self, stream: Stream) -> str:
        """Return the status of a stream now."""
        if stream.gone_at < math.inf:
            return "DELETING"
        return "ACTIVE" if self.clock.elapsed >= stream.active_at else "CREATING"

    def answer(self, method: str, kwargs: dict[str, Any]) -> Answer:
        """Let a call fall under a fault, or answer it plainly."""
        name = _name(kwargs)
        count = self._counts.get((method, name), 0)
        self._counts[method, name] = count + 1
        fault = self.fault(method, name, count) if self.fault else None
        carried_out, given = FAULTS[fault] if fault else (True, None)
        answer = self._carry_out(method, name, kwargs) if carried_out else Answer()
        if fault == "retried after":
            # botocore's second attempt, after the response to the first was lost.
            answer = self._carry_out(method, name, kwargs).but(retries=1)
        return (given or answer).but(takes=self.takes)

    def _carry_out(self, method: str, name: str, kwargs: dict[str, Any]) -> Answer:
        if method == LIST:
            return self._list(kwargs)
        if method == CREATE:
            return self._create(name, kwargs)
        stream = self.find(name)
        if method == DESCRIBE:
            return self._describe(name, stream)
        if stream is None:
            return NOT_FOUND
        if method == TAGS:
            return tags(stream.request.get("Tags", {}))
        storage = stream.request.get("StreamStorageConfiguration", {"DefaultStorageTier": "HOT"})
        return tier(storage["DefaultStorageTier"])

    def _create(self, name: str, kwargs: dict[str, Any]) -> Answer:
        if not self._has_token():
            self.throttled += 1
            return THROTTLED
        if self.find(name) is not None:
            return CONFLICT
        return Answer({"StreamARN": self._make(name, kwargs, self.clock.elapsed).arn})

    def _make(self, name: str, kwargs: Mapping[str, Any], born: float) -> Stream:
        # No two streams of a name are created in the same millisecond, so that their ARNs differ.
        others = [other.born for other in self.history[-100:] if other.name == name]
        # Creation times have whole milliseconds, rounded down.
        born = max([math.floor(born * 1000 + 1e-6) / 1000, *(round(o + 0.001, 3) for o in others)])
        now = self.clock.elapsed
        stream = Stream(name, born, kwargs, now + self.creating, now + self.hidden)
        self.streams[name] = stream
        self.history.append(stream)
        return stream

    def _describe(self, name: str, stream: Stream | None) -> Answer:
        if stream is not None and self.clock.elapsed < stream.visible_at:
            before = [old for old in self.history[:-1] if old.name == name and old is not stream]
            stream = before[-1] if before and self.stale else None
        return NOT_FOUND if stream is None else Answer({"StreamInfo": self._info(stream)})

    def _list(self, kwargs: dict[str, Any]) -> Answer:
        names = sorted(self.streams)
        start = int(kwargs.get("NextToken", "0"))
        end = start + min(kwargs["MaxResults"], 1_000)
        found = filter(None, map(self.find, names[start:end]))
        token = {"NextToken": str(end)} if end < len(names) else {}
        return Answer({"StreamInfoList": [self._info(stream) for stream in found], **token})

    def _info(self, stream: Stream) -> dict[str, Any]:
        request = {name: value for name, value in stream.request.items() if name in _DESCRIBED}
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "Status": self.status(stream),
            "CreationTime": SERVER_START + timedelta(seconds=stream.born),
            "DataRetentionInHours": 0,
            **request,
        }

    def _has_token(self) -> bool:
        if self.quota is None:
            return True
        now = self.clock.elapsed
        self._tokens = min(self.quota, self._tokens + (now - self._filled) * self.quota)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _name(kwargs: Mapping[str, Any]) -> str:
    """Return the name of the stream that a call is about; empty for a list."""
    if "StreamARN" in kwargs:
        return str(kwargs["StreamARN"]).split("/")[1]
    return str(kwargs.get("StreamName", ""))


def first(times: int, fault: str, method: str = CREATE) -> Callable[[str, str, int], str | None]:
    """Return faults for the first calls of a method for each stream."""
    return lambda called, _, count: fault if called == method and count < times else None


class Awaited:
    """The same client, to be awaited, as one of aiobotocore is."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self.meta = fake.meta

    def __getattr__(self, method: str) -> Callable[..., Any]:
        """Return an operation of the client as a coroutine function."""
        if method not in OPERATIONS:
            raise AttributeError(method)

        async def make(**kwargs: Any) -> Any:
            return getattr(self.fake, method)(**kwargs)

        return make
