"""Imitations of the service, on which the checks are proved: no account, no waiting.

``InProcess`` is the control plane of the benchmarks without HTTP, in virtual time, with the few
things that AWS adds: it knows its callers' keys, and what they may do. ``Kit`` is the server of
``kvs_streams.testing``. The third, the control plane over HTTP, is met as AWS is: through
``aws.Aws``, by a run of its own.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from functools import lru_cache
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from support.clock import FakeClock

from benchmarks.control_plane import Service, Settings
from kvs_streams import StreamsClient
from kvs_streams.testing import MockKvs

from .account import Clock, Key

REGION, ACCOUNT = "eu-central-1", "123456789012"
OWN_KEY = Key(f"AKID{ACCOUNT}", "made-up-secret-of-the-caller")
DENIED_KEY = Key("AKIDDENIEDDENIEDDENY", "another-made-up-secret")
_EPOCH = 1_800_000_000.25
# Quotas as they are; a stream is CREATING and DELETING for a while.
SETTINGS: Mapping[str, Any] = {
    "latency": (0.1, 0.1),
    "active_after": (0.7, 0.7),
    "delete_after": 20.0,
    "list_lag": 1.0,
    "unrelated": 1_001,
}


@dataclass(frozen=True)
class Exchange:
    """One call and its answer, which a lie may change."""

    operation: str
    members: dict[str, Any]
    status: int = 200
    code: str | None = None
    body: dict[str, Any] = field(default_factory=dict)
    date: float = 0.0
    number: int = 0
    """Which create of its stream's name this is, from 1."""
    age: float = float("inf")
    """Seconds since the last create of the stream's name."""

    def but(self, **changes: Any) -> "Exchange":
        """Return another answer to the same call."""
        return replace(self, **changes)

    def refused(self, code: str, status: int = 400, text: str = "no") -> "Exchange":
        """Return an error as the answer."""
        return self.but(status=status, code=code, body={"Message": text})


@dataclass(frozen=True)
class Lie:
    """How an imitation differs from the service."""

    answer: Callable[[Exchange], Exchange] = lambda exchange: exchange
    ask: Callable[[str, dict[str, Any]], dict[str, Any]] = lambda _, members: members
    """Changes what the service is asked."""
    settings: Mapping[str, Any] = field(default_factory=dict)


class _Virtual:
    """The time of a ``FakeClock``, in seconds."""

    def __init__(self, fake: FakeClock) -> None:
        self.fake = fake

    def now(self) -> float:
        return self.fake.time

    def sleep(self, seconds: float) -> None:
        self.fake.advance(seconds)


class _FleetClock(FakeClock):
    """The virtual time of a client whose fleets make their calls in threads."""

    def wait(self, event: threading.Event, nanoseconds: float, *, busy: bool) -> None:
        """Wait for a call in flight, which advances the clock itself, or else let time pass."""
        if busy:
            event.wait()
        elif not event.is_set():
            self.sleep(int(nanoseconds))


class _Body(BytesIO):
    """What botocore reads a response from."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


class InProcess:
    """The service in this process, in virtual time; ``lie`` changes what it says."""

    may_burst = True

    def __init__(self, lie: Lie | None = None, **settings: Any) -> None:
        self.lie = lie or Lie()
        changed = {**SETTINGS, **self.lie.settings, **settings}
        self.service = Service(Settings().changed(changed))
        self.fake = _FleetClock()
        self.clock: Clock = _Virtual(self.fake)
        self.calls: list[str] = []
        self.failure: Exception | None = None
        """What every call ends with instead of being answered."""
        self.lost: Exception | None = None
        """What every call ends with after it has been answered."""
        self._lock = threading.RLock()
        self._creates: dict[str, list[float]] = {}
        self._began = self.fake.time

    def boto(self, *, validates: bool = True, key: Key | None = None) -> Any:
        """Make a boto3 client whose requests are answered here."""
        key = key or OWN_KEY
        client = _session().client(
            "kinesisvideo",
            region_name=REGION,
            aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret_key,
            config=Config(parameter_validation=validates, retries={"total_max_attempts": 1}),
        )

        def send(request: Any, **_: object) -> AWSResponse:
            return self._respond(request, key)

        client.meta.events.register("before-send.kinesisvideo", send)
        return client

    def streams(self, boto: Any) -> StreamsClient:
        """Make a client of this library that lives by the virtual time."""
        client = StreamsClient(boto)
        client._io.clock = self.fake
        return client

    def own_key(self) -> Key:
        """Return the key that the imitation knows."""
        return OWN_KEY

    def denied(self) -> Any | None:
        """Make a boto3 client whose user may do nothing."""
        return self.boto(key=DENIED_KEY)

    @property
    def now(self) -> float:
        """The time of the service, in seconds since the epoch."""
        return _EPOCH + self.fake.time - self._began

    def statuses(self) -> dict[str, int]:
        """Return how many streams have which status."""
        stats = self.service.stats(self.now)[f"{ACCOUNT}/{REGION}"]
        statuses: dict[str, int] = stats["statuses"]
        return statuses

    def _respond(self, request: Any, key: Key) -> AWSResponse:
        if self.failure:
            raise self.failure
        with self._lock:
            exchange = self.lie.answer(self._exchange(request, key))
        if self.lost:
            raise self.lost
        error = {} if exchange.code is None else {"x-amzn-ErrorType": exchange.code}
        headers = {
            "date": formatdate(exchange.date, usegmt=True),
            "x-amzn-RequestId": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            **error,
        }
        body = _Body(json.dumps(exchange.body).encode())
        return AWSResponse(request.url, exchange.status, headers, body)

    def _exchange(self, request: Any, key: Key) -> Exchange:
        path = urlsplit(request.url).path.strip("/")
        operation = f"{path[0].upper()}{path[1:]}"
        members = json.loads(request.body or b"{}")
        name = str(members.get("StreamName"))
        now, creates = self.now, self._creates.setdefault(name, [])
        if operation == "CreateStream":
            creates.append(now)
        self.calls.append(operation)
        age = now - creates[-1] if creates else float("inf")
        exchange = Exchange(operation, members, date=now, number=len(creates), age=age)
        if key == DENIED_KEY:
            text = (
                f"User: arn:aws:iam::{ACCOUNT}:user/somebody is not authorized to perform: "
                f"kinesisvideo:{operation} on resource: "
                f"arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/{name}/1800000000000"
            )
            return exchange.refused("AccessDeniedException", 403, text)
        if key.access_key != OWN_KEY.access_key:
            text = "The security token included in the request is invalid."
            refusal = exchange.refused("UnrecognizedClientException", 403)
            return refusal.but(body={"message": text})
        if key.secret_key != OWN_KEY.secret_key:
            return exchange.refused("InvalidSignatureException", 403)
        scope = f"{key.access_key}/20270115/{REGION}/kinesisvideo/aws4_request"
        asked = json.dumps(self.lie.ask(operation, members)).encode()
        reply = self.service.call(operation, scope, asked, now)
        self.service.done(operation, scope)
        # Errors come sooner: the creates of a burst, which all end in one, overlap.
        self.clock.sleep(reply.delay / 100 if reply.code else reply.delay)
        body = json.loads(reply.body)
        return exchange.but(status=reply.status, code=reply.code, body=body, date=self.now)


@lru_cache
def _session() -> boto3.Session:
    """Return one session for all, so that the service model is read once."""
    return boto3.Session()


class Kit:
    """The server of the test kit, which is running."""

    may_burst = True

    def __init__(self, kvs: MockKvs) -> None:
        self.kvs = kvs
        self.clock: Clock = self
        kvs.hold_creating(2)
        kvs.hold_deleting(3)

    def now(self) -> float:
        """Return the time of the kit."""
        return self.kvs.elapsed

    def sleep(self, seconds: float) -> None:
        """Let time pass in the kit."""
        self.kvs.advance(seconds)

    def boto(self, *, validates: bool = True, key: Key | None = None) -> Any:
        """Make a boto3 client for the kit's server; it takes any key."""
        return self.kvs.boto_client(
            config=Config(
                parameter_validation=validates,
                retries={"total_max_attempts": 1},
                max_pool_connections=40,
            )
        )

    def streams(self, boto: Any) -> StreamsClient:
        """Make a client of this library; it lives by the kit's time."""
        return StreamsClient(boto)

    def own_key(self) -> Key:
        """Return the key that the kit gives to its clients."""
        return Key("testing", "testing", "testing")

    def denied(self) -> Any | None:
        """Return nothing: the kit knows no users."""
        return None
