"""Kinesis Video Streams' control plane on loopback, with its quotas, in a process of its own.

Run as ``python -m benchmarks.control_plane``: it prints its URL and serves until its standard
input closes. It speaks the REST JSON of the real service and holds the quotas of each account and
region; it does not validate requests. An access key that ends in twelve digits is of the account
with that number. The signature is not checked.

``Service`` is pure: it is told each call with its time, and answers with a reply and how long
after the call it is sent. The rest is HTTP around it, kept small because clients need the
processor. ``POST /_control`` changes settings, and ``GET /_stats`` tells what happened.
"""

import asyncio
import base64
import bisect
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from email.utils import formatdate
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from botocore.loaders import Loader

# ListStreams takes MaxResults up to 10,000 and answers with 1,000 streams a page.
_MAX_PAGE, _DEFAULT_PAGE = 1_000, 10
_NEVER = float("inf")


@dataclass(frozen=True)
class Settings:
    """What the service does; times are in seconds, rates in calls a second, shares from 0 to 1."""

    rate: float = 50.0
    """CreateStream calls of an account in a region."""
    burst: float = 50.0
    """How many of them are accepted at once after a rest."""
    neighbour: float = 0.0
    """CreateStream calls a second of another caller on the same quota, at random intervals."""
    describe_rate: float = 300.0
    """DescribeStream and GetDataEndpoint calls, each."""
    other_rate: float = 50.0
    """Calls of each other operation."""
    stream_rate: float = 5.0
    """Calls of each operation for one stream."""
    account_limit: int = 10_000
    """Streams that an account may have in a region."""
    latency: tuple[float, float] = (0.02, 0.06)
    """How long a reply takes: from, to."""
    active_after: tuple[float, float] = (0.5, 2.0)
    """How long a stream is CREATING: from, to."""
    delete_after: float = 10.0
    """How long a stream is DELETING."""
    errors: float = 0.0
    """Share of calls answered with an error 500."""
    errors_work: float = 0.5
    """Share of these that do their work before."""
    lost: float = 0.0
    """Share of calls that do their work and get no reply: the connection closes."""
    denied: tuple[str, ...] = ()
    """Operations that the caller may not use."""
    expired: bool = False
    """Answer every call as one with an expired token."""
    list_lag: float = 0.0
    """How late ListStreams shows new streams."""
    seed: int = 0
    """Where the random numbers start."""

    def changed(self, changes: Mapping[str, Any]) -> "Settings":
        """Return other settings; JSON's lists become tuples."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in changes.items()
        }
        return replace(self, **plain)


class Reply(NamedTuple):
    """An answer, and how long after the call it is sent."""

    status: int
    body: str
    delay: float
    code: str | None = None
    is_lost: bool = False


class _RefusalError(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status


class _Bucket:
    """A token bucket that starts full."""

    def __init__(self) -> None:
        self._at, self._level = -_NEVER, 0.0

    def take(self, now: float, rate: float, burst: float) -> bool:
        """Take one token if there is one."""
        gained = (now - self._at) * rate if rate else 0.0
        self._level = burst if self._at == -_NEVER else min(burst, self._level + gained)
        self._at = now
        # A rounding error must not cost a token: at today's epoch a float is good to 0.2 µs.
        if self._level < 1 - 1e-4:
            return False
        self._level -= 1
        return True


@dataclass
class _Stream:
    """A stream; its status follows from the time."""

    name: str
    arn: str
    created_at: float
    active_at: float
    members: dict[str, Any]
    """What ``StreamInfo`` says beside name, ARN, status and time."""
    tags: dict[str, str]
    tier: str
    deleted_at: float = _NEVER

    def __post_init__(self) -> None:
        self.buckets: dict[str, _Bucket] = {}

    def status(self, at: float) -> str:
        if at >= self.deleted_at:
            return "DELETING"
        return "ACTIVE" if at >= self.active_at else "CREATING"

    def info(self, at: float) -> dict[str, Any]:
        """Return StreamInfo; CreationTime is the number at the end of the ARN."""
        return {
            "StreamName": self.name,
            "StreamARN": self.arn,
            "Status": self.status(at),
            "CreationTime": int(self.arn.split("/")[2]) / 1000,
            **self.members,
        }


@dataclass
class _Count:
    """The calls of one operation."""

    calls: int = 0
    accepted: int = 0
    throttled: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    """How often each error was the answer."""
    in_flight: int = 0
    peak_in_flight: int = 0


class _Account:
    """An account in one region: its streams, its quotas, and what happened."""

    def __init__(self, number: str, region: str) -> None:
        self.number, self.region = number, region
        self.streams: dict[str, _Stream] = {}
        self.names: list[str] = []
        self.buckets: dict[str, _Bucket] = {}
        self.last_stamp = 0
        self.neighbour_at: float | None = None
        self.counts: dict[str, _Count] = {}
        self.reset()

    def reset(self) -> None:
        """Forget what happened, but no stream; calls in flight will end."""
        self.counts = {k: _Count(in_flight=v.in_flight) for k, v in self.counts.items()}
        self.created: Counter[str] = Counter()
        self.neighbour = _Count()
        self.first_create = self.last_create = self.last_call = 0.0
        self.accepted_by_minute: Counter[int] = Counter()
        self.throttled_by_minute: Counter[int] = Counter()

    def add(self, stream: _Stream) -> None:
        self.streams[stream.name] = stream
        bisect.insort(self.names, stream.name)

    def forget(self, stream: _Stream) -> None:
        del self.streams[stream.name]
        del self.names[bisect.bisect_left(self.names, stream.name)]

    def stats(self, now: float) -> dict[str, Any]:
        return {
            "operations": {k: asdict(v) for k, v in self.counts.items() if v.calls},
            "created": dict(self.created),
            "statuses": dict(Counter(each.status(now) for each in self.streams.values())),
            "neighbour": {"calls": self.neighbour.calls, "throttled": self.neighbour.throttled},
            "last_call": self.last_call,
            "seconds": self.last_create - self.first_create,
            "accepted_by_minute": self.accepted_by_minute,
            "throttled_by_minute": self.throttled_by_minute,
        }


class Service:
    """The service's state; every method is told the time, in seconds since the epoch."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._accounts: dict[tuple[str, str], _Account] = {}
        # Apart, so that the same calls meet the same faults whatever else is drawn.
        self._latency, self._life, self._faults, self._neighbour = (
            random.Random(self.settings.seed + number)  # noqa: S311  # no secret
            for number in range(4)
        )

    def control(self, changes: Mapping[str, Any]) -> None:
        """Change settings; ``reset`` forgets what happened so far."""
        rest = dict(changes)
        if rest.pop("reset", False):
            for account in self._accounts.values():
                account.reset()
        self.settings = self.settings.changed(rest)

    def stats(self, now: float) -> dict[str, Any]:
        """Return what happened, by account and region."""
        for account in self._accounts.values():
            self._forget_deleted(account, now)
        return {"/".join(key): account.stats(now) for key, account in self._accounts.items()}

    def call(self, operation: str, credential: str, body: bytes, now: float) -> Reply:
        """Perform a call; ``credential`` is the scope in the Authorization header."""
        delay = self._latency.uniform(*self.settings.latency)
        account = self._account(credential)
        count = account.counts.setdefault(operation, _Count())
        account.last_call = now
        count.calls += 1
        count.in_flight += 1
        count.peak_in_flight = max(count.peak_in_flight, count.in_flight)
        self._forget_deleted(account, now)
        try:
            return self._perform(operation, account, json.loads(body or b"{}"), now, delay)
        except _RefusalError as refusal:
            count.codes[refusal.code] = count.codes.get(refusal.code, 0) + 1
            text = json.dumps({"Message": refusal.message})
            return Reply(refusal.status, text, delay, refusal.code)

    def done(self, operation: str, credential: str) -> None:
        """Take note that a reply was sent."""
        self._account(credential).counts[operation].in_flight -= 1

    def _account(self, credential: str) -> _Account:
        access_key, _, region = credential.split("/")[:3]
        key = access_key[-12:], region
        if key not in self._accounts:
            self._accounts[key] = _Account(*key)
        return self._accounts[key]

    def _forget_deleted(self, account: _Account, now: float) -> None:
        if account.counts.get("DeleteStream"):
            for stream in list(account.streams.values()):
                if stream.deleted_at + self.settings.delete_after <= now:
                    account.forget(stream)

    def _perform(
        self, operation: str, account: _Account, members: Any, now: float, delay: float
    ) -> Reply:
        settings = self.settings
        if settings.expired:
            message = "The security token included in the request is expired"
            raise _RefusalError("ExpiredTokenException", message, 403)
        if operation in settings.denied:
            user = f"arn:aws:iam::{account.number}:user/fleet"
            message = f"User: {user} is not authorized to perform: kinesisvideo:{operation}"
            raise _RefusalError("AccessDeniedException", message, 403)
        self._admit(operation, account, members, now)
        fault = self._faults.random()
        is_error = fault < settings.errors
        is_lost = not is_error and fault < settings.errors + settings.lost
        if not (is_error or is_lost):
            return Reply(200, json.dumps(_WORK[operation](self, account, members, now)), delay)
        if is_lost or self._faults.random() < settings.errors_work:
            with suppress(_RefusalError):
                _WORK[operation](self, account, members, now)
        return Reply(500, '{"Message": "Internal failure"}', delay, "InternalFailure", is_lost)

    # Quotas

    def _admit(self, operation: str, account: _Account, members: Any, now: float) -> None:
        """Count a call, or refuse it because of a quota."""
        is_create, count = operation == "CreateStream", account.counts[operation]
        is_accepted = self._accepts(operation, account, members, now)
        if is_create and not account.first_create:
            account.first_create = now
        minute = int((now - account.first_create) / 60)
        if not is_accepted:
            count.throttled += 1
            account.throttled_by_minute[minute] += is_create
            message = f"Limit exceeded on number of requests for {operation} API"
            raise _RefusalError("ClientLimitExceededException", message)
        count.accepted += 1
        if is_create:
            account.last_create = now
            account.accepted_by_minute[minute] += 1

    def _accepts(self, operation: str, account: _Account, members: Any, now: float) -> bool:
        settings = self.settings
        if operation == "CreateStream":
            self._let_neighbour_call(account, now)
            return self._accepts_create(account, now)
        is_describe = operation in {"DescribeStream", "GetDataEndpoint"}
        rate = settings.describe_rate if is_describe else settings.other_rate
        if not account.buckets.setdefault(operation, _Bucket()).take(now, rate, rate):
            return False
        stream = self._named(account, members)
        if stream is None:
            return True
        bucket = stream.buckets.setdefault(operation, _Bucket())
        return bucket.take(now, settings.stream_rate, settings.stream_rate)

    def _accepts_create(self, account: _Account, now: float) -> bool:
        bucket = account.buckets.setdefault("CreateStream", _Bucket())
        return bucket.take(now, self.settings.rate, self.settings.burst)

    def _let_neighbour_call(self, account: _Account, now: float) -> None:
        """Make the neighbour's calls that are due, each at its own time.

        The intervals vary: a caller in step with the quota's refill would lose or win each race.
        """
        if not self.settings.neighbour:
            account.neighbour_at = None
            return
        at = now if account.neighbour_at is None else account.neighbour_at
        while at <= now:
            account.neighbour.calls += 1
            account.neighbour.throttled += not self._accepts_create(account, at)
            at += self._neighbour.uniform(0.5, 1.5) / self.settings.neighbour
        account.neighbour_at = at

    # Operations

    @staticmethod
    def _named(account: _Account, members: Mapping[str, Any]) -> _Stream | None:
        """Return the stream that a request names by its name or its ARN."""
        arn = members.get("StreamARN")
        name = members.get("StreamName") or f"{arn}/".split("/")[1]
        stream = account.streams.get(name)
        return stream if stream and arn in {None, stream.arn} else None

    def _find(self, account: _Account, members: Mapping[str, Any]) -> _Stream:
        if stream := self._named(account, members):
            return stream
        message = "The requested stream is not found or not active."
        raise _RefusalError("ResourceNotFoundException", message, 404)

    def create_stream(self, account: _Account, members: Any, now: float) -> Any:
        """Perform CreateStream."""
        name = members["StreamName"]
        if name in account.streams:
            message = f"The stream {name} already exists."
            raise _RefusalError("ResourceInUseException", message)
        if len(account.streams) >= self.settings.account_limit:
            message = f"The account has {len(account.streams)} streams, as many as it may have."
            raise _RefusalError("AccountStreamLimitExceededException", message)
        # The end of an ARN is the time in milliseconds; no two streams of an account share one.
        account.last_stamp = max(account.last_stamp + 1, int(now * 1000))
        place = f"{account.region}:{account.number}"
        default_key = f"arn:aws:kms:{place}:alias/aws/kinesisvideo"
        stream = _Stream(
            name=name,
            arn=f"arn:aws:kinesisvideo:{place}:stream/{name}/{account.last_stamp}",
            created_at=now,
            active_at=now + self._life.uniform(*self.settings.active_after),
            members={
                "DeviceName": members.get("DeviceName"),
                "MediaType": members.get("MediaType"),
                "KmsKeyId": members.get("KmsKeyId") or default_key,
                "Version": f"{self._life.getrandbits(80):020X}",
                "DataRetentionInHours": members.get("DataRetentionInHours") or 0,
            },
            tags=members.get("Tags") or {},
            tier=(members.get("StreamStorageConfiguration") or {}).get("DefaultStorageTier", "HOT"),
        )
        account.add(stream)
        account.created[name] += 1
        return {"StreamARN": stream.arn}

    def describe_stream(self, account: _Account, members: Any, now: float) -> Any:
        """Perform DescribeStream."""
        return {"StreamInfo": self._find(account, members).info(now)}

    def list_streams(self, account: _Account, members: Any, now: float) -> Any:
        """Perform ListStreams."""
        size = min(members.get("MaxResults") or _DEFAULT_PAGE, _MAX_PAGE)
        prefix = (members.get("StreamNameCondition") or {}).get("ComparisonValue") or ""
        last = base64.b64decode(members.get("NextToken") or "").decode()
        names, at = account.names, now - self.settings.list_lag
        start = bisect.bisect_right(names, last) if last else bisect.bisect_left(names, prefix)
        shown = (account.streams[name] for name in islice(names, start, None))
        wanted = (each for each in shown if each.name.startswith(prefix) and each.created_at <= at)
        # One more than the page tells whether another page follows.
        found = list(islice(wanted, size + 1))
        page = found[:size]
        reply: dict[str, Any] = {"StreamInfoList": [each.info(now) for each in page]}
        if len(found) > size:
            reply["NextToken"] = base64.b64encode(page[-1].name.encode()).decode()
        return reply

    def delete_stream(self, account: _Account, members: Any, now: float) -> Any:
        """Perform DeleteStream."""
        self._find(account, members).deleted_at = now
        return {}

    def get_data_endpoint(self, account: _Account, members: Any, _now: float) -> Any:
        """Perform GetDataEndpoint."""
        self._find(account, members)
        return {"DataEndpoint": f"https://s-1a2b3c4d.kinesisvideo.{account.region}.amazonaws.com"}

    def list_tags(self, account: _Account, members: Any, _now: float) -> Any:
        """Perform ListTagsForStream."""
        return {"Tags": self._find(account, members).tags}

    def describe_storage(self, account: _Account, members: Any, _now: float) -> Any:
        """Perform DescribeStreamStorageConfiguration."""
        stream = self._find(account, members)
        tier = {"DefaultStorageTier": stream.tier}
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "StreamStorageConfiguration": tier,
        }

    # State between runs

    def saved(self) -> str:
        """Return all streams as JSON."""
        accounts = {
            "/".join(key): [asdict(stream) for stream in account.streams.values()]
            for key, account in self._accounts.items()
        }
        return json.dumps(accounts)

    def load(self, text: str) -> None:
        """Take over the streams of an earlier run."""
        for key, streams in json.loads(text).items():
            number, region = key.split("/")
            account = self._accounts[number, region] = _Account(number, region)
            for members in streams:
                account.add(_Stream(**members))


_WORK: dict[str, Callable[..., Any]] = {
    "CreateStream": Service.create_stream,
    "DescribeStream": Service.describe_stream,
    "ListStreams": Service.list_streams,
    "DeleteStream": Service.delete_stream,
    "GetDataEndpoint": Service.get_data_endpoint,
    "ListTagsForStream": Service.list_tags,
    "DescribeStreamStorageConfiguration": Service.describe_storage,
}
_MODEL = Loader().load_service_model("kinesisvideo", "service-2")["operations"]
_PATHS = {_MODEL[name]["http"]["requestUri"]: name for name in _WORK}


# HTTP


class _Connection(asyncio.Protocol):
    """One connection, kept alive; asyncio sets TCP_NODELAY on each."""

    def __init__(self, service: Service) -> None:
        self._service, self._loop = service, asyncio.get_running_loop()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for type checkers
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, rest = self._received.partition(b"\r\n\r\n")
        length = int(_header(head, b"content-length") or 0)
        if not separator or len(rest) < length:
            return
        # One request at a time: no client of AWS sends the next before it has the reply.
        self._received = b""
        path = head.split(b" ", 2)[1].decode()
        authorization = _header(head, b"authorization")
        credential = authorization.partition("Credential=")[2].partition(",")[0]
        reply = self._answer(path, credential, rest)
        self._loop.call_later(reply.delay, self._send, path, credential, reply)

    def _answer(self, path: str, credential: str, body: bytes) -> Reply:
        now = time.time()
        if operation := _PATHS.get(path):
            return self._service.call(operation, credential, body, now)
        if path == "/_control":
            self._service.control(json.loads(body))
            return Reply(200, "{}", 0)
        return Reply(200, json.dumps(self._service.stats(now)), 0)

    def _send(self, path: str, credential: str, reply: Reply) -> None:
        if operation := _PATHS.get(path):
            self._service.done(operation, credential)
        if reply.is_lost:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write(_encoded(reply))


def _header(head: bytes, name: bytes) -> str:
    """Return the value of a header, or an empty string."""
    start = head.lower().find(b"\r\n" + name + b":")
    value = b"" if start < 0 else head[start + len(name) + 3 :].partition(b"\r\n")[0]
    return value.decode("latin-1").strip()


def _encoded(reply: Reply) -> bytes:
    content = reply.body.encode()
    lines = [
        f"HTTP/1.1 {reply.status} {'OK' if reply.code is None else 'Error'}",
        f"x-amzn-RequestId: {random.getrandbits(128):032x}",  # no secret
        *([] if reply.code is None else [f"x-amzn-ErrorType: {reply.code}"]),
        "Content-Type: application/json",
        f"Content-Length: {len(content)}",
        f"Date: {formatdate(usegmt=True)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _serve(service: Service) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def watch_input() -> None:
        # Not sys.stdin: a thread that holds its lock would disturb the end of the process.
        while os.read(0, 1 << 16):
            pass
        loop.call_soon_threadsafe(stop.set)

    # Ctrl-C on a terminal reaches the client too, which may still have calls in flight.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = await loop.create_server(lambda: _Connection(service), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    threading.Thread(target=watch_input, daemon=True).start()
    await stop.wait()
    server.close()


# For those who start it


@dataclass
class ControlPlane:
    """A control plane that runs in a process of its own."""

    url: str
    region: str = "eu-central-1"
    account: str = "123456789012"

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that lead boto3 here, with made-up credentials."""
        return {
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": self.url,
            "AWS_ACCESS_KEY_ID": f"AKID{self.account}",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            # What is on this machine is not asked for through a proxy.
            "no_proxy": "127.0.0.1",
        }

    def stats(self) -> dict[str, Any]:
        """Return what happened, by account and region: ``123456789012/eu-central-1``."""
        stats: dict[str, Any] = self._ask("/_stats")
        return stats

    def control(self, **changes: Any) -> None:
        """Change settings from now on; ``reset=True`` forgets what happened so far."""
        self._ask("/_control", changes)

    def _ask(self, path: str, content: object = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        # Its own opener: a proxy of this machine has no business here.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}{path}", data, timeout=60) as reply:
            return json.load(reply)


@contextmanager
def running(*, state: Path | None = None, **settings: Any) -> Iterator[ControlPlane]:
    """Run a control plane; ``settings`` are those of ``Settings``.

    Args:
        state: A file that keeps the streams from one run to the next.
        **settings: What differs from the defaults.
    """
    command = [sys.executable, "-m", "benchmarks.control_plane"]
    Settings(**settings)  # a wrong name is refused here
    with subprocess.Popen(  # noqa: S603  # this Python, our own module
        [*command, json.dumps(settings), *([str(state.resolve())] if state else [])],
        cwd=Path(__file__).resolve().parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101  # for type checkers
        assert process.stdout is not None  # noqa: S101  # for type checkers
        try:
            yield ControlPlane(process.stdout.readline().strip())
        finally:
            process.stdin.close()


def main() -> None:
    """Serve until standard input closes: settings as JSON, then a file that keeps the streams."""
    settings, *state = sys.argv[1:] or ["{}"]
    service = Service(Settings().changed(json.loads(settings)))
    for path in map(Path, state):
        if path.exists():
            service.load(path.read_text(encoding="utf-8"))
    asyncio.run(_serve(service))
    for path in map(Path, state):
        written = path.with_name(f"{path.name}.new")
        written.write_text(service.saved(), encoding="utf-8")
        written.replace(path)


if __name__ == "__main__":
    main()
