"""The account that is looked at: clients that keep to the quotas, and streams that get deleted.

Every stream is named ``kvs-streams-live-<random>-...``. A handler on each boto client enforces it:
no other name is created, no other stream is deleted, and no more than ``MOST_STREAMS`` are created,
whatever a check or the library does.
"""

import json
import re
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from kvs_streams import CreateStreamRequest, KvsStreamsError, ServiceError, StreamArn, StreamsClient

from .fact import Fact, Outcome, Result, UntoldError, untold

PREFIX = "kvs-streams-live-"
MOST_STREAMS = 40
# A run ends before its streams count as left behind: another run never deletes those of this one.
RUN_LIMIT = 20 * 60.0
LEFT_BEHIND_AFTER = 45 * 60.0
CLEANUP_LIMIT = 120.0
# How long a new stream may be late to be visible.
VISIBLE_AFTER = 10.0
# The quotas are 50 creates a second, and 5 calls a second of one operation on one stream.
_CREATES_PER_SECOND, _CALLS_PER_STREAM = 45, 4
POLL_INTERVAL = 0.25
_LARGEST_PAGE = 10_000
_SERVER_ERROR = 500
# They are about the caller and the moment, not about what was asked.
_NO_ANSWERS = {
    "AccessDeniedException",
    "AccountStreamLimitExceededException",
    "ClientLimitExceededException",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "NotAuthorizedException",
    "ThrottlingException",
    "UnrecognizedClientException",
}

_T = TypeVar("_T")


class Clock(Protocol):
    """The time: real on AWS, virtual on an imitation."""

    def now(self) -> float:
        """Return seconds of a clock that never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        ...


class RealClock:
    """The time of this machine."""

    def now(self) -> float:
        """Return the time."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Key(NamedTuple):
    """Credentials that a check makes up."""

    access_key: str
    secret_key: str
    token: str | None = None


class Endpoint(Protocol):
    """How the service is reached, be it AWS or an imitation."""

    clock: Clock
    may_burst: bool
    """Whether to exceed the quota of creates once, to see the throttle."""

    def boto(self, *, validates: bool = True, key: Key | None = None) -> Any:
        """Make a boto3 client that sends each request once."""
        ...

    def streams(self, boto: Any) -> StreamsClient:
        """Make a client of this library over a boto3 client."""
        ...

    def own_key(self) -> Key:
        """Return the credentials that the clients use."""
        ...

    def denied(self) -> Any | None:
        """Make a boto3 client whose user may do nothing, if there is one."""
        ...


class Answer(NamedTuple):
    """What a call came to: a reply, or an error by its code."""

    code: str | None
    status: int
    message: str
    reply: dict[str, Any]
    body: str

    def told(self) -> "Answer":
        """Return this answer, unless it says nothing about the question."""
        if self.code in _NO_ANSWERS or self.status >= _SERVER_ERROR:
            raise UntoldError(str(self))
        return self

    def __str__(self) -> str:
        """Return the answer in a few words."""
        return f"{self.status} {self.code}: {self.message}" if self.code else f"{self.status}"


class _Window:
    """Lets so many calls through in any second, and has the others wait."""

    def __init__(self, calls: int) -> None:
        self._times: deque[float] = deque(maxlen=calls)

    def wait(self, clock: Clock) -> None:
        if len(self._times) == self._times.maxlen:
            clock.sleep(max(0.0, self._times[0] + 1 - clock.now()))
        self._times.append(clock.now())


class ForbiddenCallError(Exception):
    """A check wanted to do what no check may; nothing was sent."""


class Account:
    """One run on an account: its clients, its streams, and the time it has left."""

    def __init__(self, endpoint: Endpoint, *, run_id: str | None = None) -> None:
        self.endpoint = endpoint
        self.clock = endpoint.clock
        self.prefix = f"{PREFIX}{run_id or secrets.token_hex(4)}-"
        self.paced = True
        self._lock = threading.RLock()
        self._windows: dict[tuple[str, str], _Window] = defaultdict(
            lambda: _Window(_CALLS_PER_STREAM)
        )
        self._creates = _Window(_CREATES_PER_SECOND)
        self._call = threading.local()
        self._known: dict[object, Any] = {}
        # ARNs of what was created, and names of what may have been.
        self.created: dict[str, str] = {}
        self._unknown: set[str] = set()
        self.boto = self.guard(endpoint.boto())
        # Sends what boto3 itself would refuse.
        self.bare = self.guard(endpoint.boto(validates=False))
        self.client = endpoint.streams(self.boto)
        self._ends = self.clock.now() + RUN_LIMIT
        self.deadline = self._ends

    # Time

    @property
    def remaining(self) -> float:
        """Seconds that the current check has left."""
        return max(0.0, self.deadline - self.clock.now())

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give a check so many seconds, or less if the run has less."""
        self.deadline = min(self._ends, self.clock.now() + seconds)
        try:
            yield
        finally:
            self.deadline = self._ends

    def poll(self, ask: Callable[[], _T | None], seconds: float | None = None) -> _T | None:
        """Ask until there is an answer; ``None`` if there is none in time."""
        end = min(
            self.deadline, self.clock.now() + (self.remaining if seconds is None else seconds)
        )
        while (answer := ask()) is None and self.clock.now() < end:
            self.clock.sleep(POLL_INTERVAL)
        return answer

    def once(self, observe: Callable[["Account"], _T]) -> _T:
        """Observe what several facts are about, once; a failure is raised for each of them."""
        if observe not in self._known:
            try:
                self._known[observe] = observe(self)
            except Exception as error:  # noqa: BLE001  # whatever it is, it stands for the answer
                self._known[observe] = error
        known = self._known[observe]
        if isinstance(known, Exception):
            raise known
        result: _T = known
        return result

    # Calls

    def name(self, what: str) -> str:
        """Return the name of a stream of this run."""
        return f"{self.prefix}{what}"

    def guard(self, boto: Any) -> Any:
        """Have a boto client keep to the quotas and to streams of this run."""
        events, service = boto.meta.events, "kinesisvideo"
        events.register(f"before-parameter-build.{service}", self._before)
        events.register(f"after-call.{service}", self._after)
        return boto

    def _before(self, params: dict[str, Any], model: Any, **_: object) -> None:
        operation = model.name
        with self._lock:
            if operation == "CreateStream":
                self._check_create(params.get("StreamName"))
            elif operation == "DeleteStream":
                self._check_delete(str(params.get("StreamARN")))
            if not self.paced:
                return
            if operation == "CreateStream":
                self._creates.wait(self.clock)
            elif stream := params.get("StreamName") or params.get("StreamARN"):
                self._windows[operation, _name_of(str(stream))].wait(self.clock)

    def _check_create(self, name: object) -> None:
        self._call.name = name
        # Without a name there is no stream.
        if not isinstance(name, str) or not name:
            return
        if not name.startswith(self.prefix):
            raise ForbiddenCallError(f"a run creates streams named {self.prefix}..., not {name!r}")
        is_new = name not in self.created.values() and name not in self._unknown
        if is_new and len(self.created) + len(self._unknown) >= MOST_STREAMS:
            raise UntoldError(f"the run has created {MOST_STREAMS} streams already")
        self._unknown.add(name)

    @staticmethod
    def _check_delete(arn: str) -> None:
        if not _name_of(arn).startswith(PREFIX):
            raise ForbiddenCallError(f"a run deletes streams named {PREFIX}..., not {arn!r}")

    def _after(self, http_response: Any, parsed: Any, model: Any, **_: object) -> None:
        self._call.body = http_response.text
        # After a 5xx nobody knows whether there is a stream.
        if model.name != "CreateStream" or http_response.status_code >= _SERVER_ERROR:
            return
        with self._lock:
            if arn := parsed.get("StreamARN"):
                self.created[arn] = _name_of(arn)
            self._unknown.discard(self._call.name)

    def ask(self, call: Callable[..., Any], **kwargs: Any) -> Answer:
        """Make a call of a boto client; an error of the service is an answer too."""
        try:
            reply = call(**kwargs)
        except ClientError as error:
            found = error.response
            status = int(found["ResponseMetadata"]["HTTPStatusCode"])
            code, message = found["Error"]["Code"], found["Error"].get("Message", "")
            return Answer(code, status, message, dict(found), self._call.body)
        return Answer(None, reply["ResponseMetadata"]["HTTPStatusCode"], "", reply, self._call.body)

    def create(self, what: str, **members: Any) -> Answer:
        """Create a stream of this run, without any validation on this side."""
        return self.ask(self.bare.create_stream, StreamName=self.name(what), **members).told()

    def must_create(self, what: str, **members: Any) -> str:
        """Create a stream of this run and return its ARN; without one the check cannot tell."""
        answer = self.create(what, **members)
        if answer.code:
            raise UntoldError(f"no stream to look at: {answer}")
        return str(answer.reply["StreamARN"])

    def request(self, what: str, **fields: Any) -> CreateStreamRequest:
        """Return a request for a stream of this run."""
        return CreateStreamRequest(stream_name=self.name(what), **fields)

    def describe(self, what: str) -> Answer:
        """Describe a stream of this run."""
        return self.ask(self.boto.describe_stream, StreamName=self.name(what))

    def listed(self, prefix: str) -> list[dict[str, Any]]:
        """Return all streams whose names begin with a prefix, by the list."""
        condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix}
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = self.boto.list_streams(
                MaxResults=_LARGEST_PAGE, StreamNameCondition=condition, **token
            )
            # Not every imitation knows the condition.
            found += [i for i in page["StreamInfoList"] if i["StreamName"].startswith(prefix)]
            if not page.get("NextToken"):
                return found
            token = {"NextToken": page["NextToken"]}

    # Deleting

    def left_behind(self, dead_runs: Collection[str] = ()) -> tuple[set[str], int]:
        """Return the ARNs that ended runs have left, and how many streams may be in use.

        A stream counts as left behind if its run is known to be dead, or if it is older, by the
        server's clock, than any run can be.
        """
        found = self.listed(PREFIX)
        found = [info for info in found if not info["StreamName"].startswith(self.prefix)]
        found = [info for info in found if info["Status"] != "DELETING"]
        now = _server_now(self.boto.list_streams(MaxResults=1))
        age = timedelta(seconds=LEFT_BEHIND_AFTER)
        left = {
            info["StreamARN"]
            for info in found
            if run_of(info["StreamName"]) in dead_runs or now - info["CreationTime"] > age
        }
        return left, len(found) - len(left)

    def delete_all(self) -> list[str]:
        """Delete every stream of this run; return the names of those that could not be deleted."""
        self.paced = True
        found, unclear = self._find_unknown()
        arns = {*self.created, *found}
        kept = unclear + self.delete(arns)
        # What even that has missed, as far as a list shows new streams yet.
        try:
            rest = {
                info["StreamARN"]
                for info in self.listed(self.prefix)
                if info["Status"] != "DELETING" and info["StreamARN"] not in arns
            }
        except (ClientError, BotoCoreError):
            rest = set()
        return kept + self.delete(rest)

    def _find_unknown(self) -> tuple[set[str], list[str]]:
        """Return the ARNs of streams that may have been created, and the names nobody can tell of.

        A new stream can be visible late: it is polled for a while.
        """
        found: dict[str, str] = {}

        def look() -> bool | None:
            for name in self._unknown - found.keys():
                answer = self.ask(self.boto.describe_stream, StreamName=name)
                if answer.code is None:
                    found[name] = answer.reply["StreamInfo"]["StreamARN"]
            return True if found.keys() == self._unknown else None

        try:
            self.poll(look, VISIBLE_AFTER)
        except BotoCoreError:
            return set(found.values()), sorted(self._unknown - found.keys())
        return set(found.values()), []

    def delete(self, arns: set[str]) -> list[str]:
        """Delete streams; return the names of those that could not be deleted in time."""
        end = self.clock.now() + CLEANUP_LIMIT
        waiting = sorted(arns)
        while waiting:
            waiting = [arn for arn in waiting if not self._delete(arn)]
            if waiting and self.clock.now() >= end:
                break
            if waiting:
                # A stream that is still CREATING cannot be deleted yet.
                self.clock.sleep(1)
        return [_name_of(arn) for arn in waiting]

    def _delete(self, arn: str) -> bool:
        try:
            answer = self.ask(self.boto.delete_stream, StreamARN=arn)
            if answer.code in {None, "ResourceNotFoundException"}:
                return True
            shown = self.ask(self.boto.describe_stream, StreamARN=arn)
        except BotoCoreError:
            return False
        status = shown.reply.get("StreamInfo", {}).get("Status")
        return shown.code == "ResourceNotFoundException" or status == "DELETING"


def _name_of(stream: str) -> str:
    """Return the name in an ARN, or the name itself."""
    return stream.split("/")[1] if stream.count("/") else stream


def run_of(name: str) -> str:
    """Return the random part of a stream's name: which run created it."""
    found = re.match(rf"{PREFIX}([0-9a-f]+)-", name)
    return found[1] if found else ""


def _server_now(reply: Any) -> datetime:
    return parsedate_to_datetime(reply["ResponseMetadata"]["HTTPHeaders"]["date"])


def raw_members(answer: Answer, *path: str) -> dict[str, Any]:
    """Return what is in the body of an answer, before boto3 leaves out what is null."""
    found: Any = json.loads(answer.body)
    for member in path:
        found = found[member]
    result: dict[str, Any] = found
    return result


def created_at(arn: str) -> datetime:
    """Return the creation time that an ARN carries."""
    try:
        return StreamArn(arn).created_at
    except ValueError:
        raise UntoldError("the ARN has another form") from None


def judge(fact: Fact, account: Account) -> Result:
    """Check a fact within its time; a failure to look is an outcome as well."""
    if not account.remaining:
        return Result(fact, untold("the time of the run was over"))
    with account.within(fact.limit):
        return Result(fact, _checked(fact, account))


def _checked(fact: Fact, account: Account) -> Outcome:
    try:
        return fact.check(account)
    except UntoldError as reason:
        return untold(str(reason))
    except ServiceError as error:
        return untold(f"{error.http_status_code} {error.code}: {error.message}")
    except (KvsStreamsError, ClientError, BotoCoreError) as error:
        return untold(f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001  # a mistake of a check must not hide the other facts
        return untold(f"the check failed with {type(error).__name__}: {error}")
