"""Make many calls under faults from threads and tasks: ``python -m benchmarks soak``.

botocore's whole stack runs, over a transport in this process that throttles, fails, loses replies,
answers garbage and repeats credentials. Each call is checked against what the service did: is
anything lost, does anybody get the answer of somebody else, does anything grow or give a secret
away? Whoever waits does so on a clock that runs fast.
"""

import argparse
import asyncio
import gc
import json
import os
import pickle
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError
from botocore.retries.standard import ExponentialBackoff

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    KvsStreamsError,
    ResourceInUseException,
    ServerError,
    ServiceError,
    StreamsClient,
    ThrottleRetry,
)
from kvs_streams._flows.io import SystemClock

KEY_ID, SECRET_KEY = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "ExampleSessionToken//////////wEaCXVzLWVhc3QtMSJ="
SECRETS = (KEY_ID, SECRET_KEY, TOKEN)
_ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/{}/{}"
# Each client method is called once for each stream.
_CALLS_A_STREAM = 5
# Shares of the requests; what is left is answered as it should be.
FAULTS = {
    "throttle": 0.05,
    "error 500": 0.01,
    "error 500, done all the same": 0.01,
    "lost": 0.01,
    "lost, done all the same": 0.01,
    "HTML": 0.005,
    "nested brackets": 0.005,
    "no member": 0.005,
    "denied, with credentials": 0.01,
    "odd status": 0.005,
    "long message": 0.002,
}
_SPEED = 200


class _FastClock(SystemClock):
    """The real time, but faster."""

    def now(self) -> int:
        return super().now() * _SPEED

    def sleep(self, nanoseconds: int) -> None:
        super().sleep(nanoseconds // _SPEED)

    async def sleep_async(self, nanoseconds: int) -> None:
        await super().sleep_async(nanoseconds // _SPEED)


class _Raw:
    """The body of a response, as urllib3 gives it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body


class Service:
    """The service, as a handler of botocore's event ``before-send``, and its faults.

    Args:
        seed: Where the random numbers start.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311  # it makes faults, it keeps no secret
        self._lock = threading.Lock()
        self.requests = 0
        self.faults: Counter[str] = Counter()
        self.streams: dict[str, str] = {}

    def forget(self, name: str) -> None:
        """Let a name be free again."""
        with self._lock:
            self.streams.pop(name, None)

    def __call__(self, request: Any, **_: object) -> AWSResponse:
        """Answer a request, or lose it."""
        body = json.loads(request.body)
        operation = request.url.rpartition("/")[2]
        name = body.get("StreamName") or body["StreamARN"].split("/")[1]
        with self._lock:
            self.requests += 1
            number = self.requests
            (fault,) = self._chance.choices(
                [*FAULTS, ""], [*FAULTS.values(), 1 - sum(FAULTS.values())]
            )
            self.faults[fault] += 1
            undone = fault.startswith(("throttle", "error", "lost", "HTML", "denied", "long"))
            status, reply = 200, None
            if not undone or fault.endswith("all the same"):
                status, reply = self._done(operation, name, number)
        if fault.startswith("lost"):
            raise ConnectionClosedError(endpoint_url=request.url, request=request)
        return _response(request.url, f"{name}:{number}", *_spoilt(fault, status, reply))

    def _done(self, operation: str, name: str, number: int) -> tuple[int, dict[str, Any]]:
        """Do what is asked for."""
        if operation == "createStream":
            if name in self.streams:
                return 400, {"code": "ResourceInUseException", "Message": "It exists."}
            self.streams[name] = _ARN.format(name, 1_600_000_000_000 + number)
            return 200, {"StreamARN": self.streams[name]}
        if name not in self.streams:
            return 404, {"code": "ResourceNotFoundException", "Message": "It does not exist."}
        info = {"StreamName": name, "StreamARN": self.streams[name], "Status": "ACTIVE"}
        return 200, {"StreamInfo": info | {"CreationTime": time.time(), "Version": "v"}}


def _spoilt(fault: str, status: int, reply: dict[str, Any] | None) -> tuple[int, bytes]:
    """Return the status and the body of a reply with its fault."""
    leak = f"Credential={KEY_ID}/2041, {{'SecretAccessKey': '{SECRET_KEY}'}} token={TOKEN}"
    denied = {"code": "AccessDeniedException", "Message": leak}
    body: object = reply
    match fault:
        case "throttle":
            status, body = 400, {"code": "ClientLimitExceededException", "Message": "Slow down."}
        case "error 500" | "error 500, done all the same":
            status, body = 500, {"code": "InternalFailure", "Message": f"broken {leak}"}
        case "denied, with credentials":
            status, body = 403, denied
        case "long message":
            status, body = 400, {"code": "Odd", "Message": "\x1b" * 300_000}
        case "HTML":
            return 503, f"<html><body>{leak}</body></html>".encode()
        case "nested brackets":
            return status, b"[" * 5_000
        case "no member" if status == 200:  # noqa: PLR2004  # OK
            body = {"StreamARN": None, "StreamInfo": {"StreamName": ["x"], "Token": TOKEN}}
        case "odd status" if reply is not None and "StreamInfo" in reply:
            body = {"StreamInfo": reply["StreamInfo"] | {"Status": "\x1b[2J" * 1_000}}
    return status, json.dumps(body).encode()


def _response(url: str, request_id: str, status: int, body: bytes) -> AWSResponse:
    headers = {"x-amzn-RequestId": request_id, "Content-Type": "application/json"}
    return AWSResponse(url, status, headers, _Raw(body))


@dataclass
class Ledger:
    """What came of the calls."""

    calls: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    _lock: Any = field(default_factory=threading.Lock)

    def count(self, name: str, found: Any, arn: str | None) -> None:
        """Count what a call for a stream came to, and everything that is wrong with it.

        Args:
            name: The stream of the call.
            found: What the call returned or raised.
            arn: The ARN of the stream that the service has; after an error only if this call alone
                can have created it.
        """
        wrong = list(faults_of(name, found, arn))
        with self._lock:
            self.calls += 1
            self.outcomes[type(found).__name__] += 1
            self.wrong.update(wrong)


def faults_of(name: str, found: Any, arn: str | None) -> Iterator[str]:
    """Tell what is wrong with the outcome of a call; see ``Ledger.count``."""
    request_id = getattr(found, "request_id", None)
    if request_id is not None and request_id.partition(":")[0] != name:
        yield "mixed: a reply to another request"
    stream = getattr(found, "stream", found)
    if isinstance(found, KvsStreamsError):
        yield from _faults_of_error(name, found, arn)
    elif isinstance(found, BaseException):
        yield f"foreign: {type(found).__name__}"
    elif stream.stream_arn != arn:
        yield "mixed: an ARN that the service does not have"
    elif getattr(stream, "stream_name", name) != name:
        yield "mixed: a result of another stream"


def _faults_of_error(name: str, error: KvsStreamsError, arn: str | None) -> Iterator[str]:
    cause = error.__cause__ or error
    text = f"{error!r} {vars(error)} {cause!r} {vars(cause)} {pickle.dumps(error)!r}"
    if any(secret in text for secret in SECRETS):
        yield "leaked: a secret in an error"
    if not str(error).isprintable():
        yield "leaked: a control character in an error"
    if getattr(error, "stream_name", name) != name:
        yield "mixed: an error of another stream"
    sure = isinstance(error, ServiceError) and not error.retry_attempts
    if arn and error.created is None and sure and _refuses(error):
        yield "lost: a stream whose create was refused"
    if arn and isinstance(error, ResourceInUseException) and not error.possibly_own:
        yield "lost: a stream of one's own that is taken for another's"


def _refuses(error: Any) -> bool:
    """Tell whether an error says that nothing was done."""
    return not isinstance(error, ServerError) and error.code in {
        "AccessDeniedException",
        "ClientLimitExceededException",
        "Odd",
    }


@contextmanager
def boto_client(service: Service, connections: int) -> Iterator[Any]:
    """Make a boto client of which no request leaves the process."""
    session = boto3.Session(KEY_ID, SECRET_KEY, TOKEN, region_name="eu-west-1")
    retries = {"mode": "standard", "total_max_attempts": 3}
    config = Config(retries=retries, max_pool_connections=connections)
    with (
        closing(session.client("kinesisvideo", config=config)) as raw,
        # Its pauses between two attempts would be all that is measured.
        patch.object(ExponentialBackoff, "delay_amount", lambda *_: 0),
    ):
        raw.meta.events.register("before-send.kinesis-video", service)
        yield raw


def _steps(client: Any, name: str) -> list[tuple[Callable[[], Any], bool]]:
    """Return the calls for one stream, and whether each creates it."""
    request = CreateStreamRequest(stream_name=name)
    return [
        (lambda: client.create_stream(request), True),
        (lambda: client.ensure_stream(request, timeout=60), False),
        (lambda: client.describe_stream(name), False),
        (lambda: client.wait_until_active(name, timeout=60), False),
        (lambda: client.ensure_stream(request, wait=False, timeout=60), False),
    ]


class _Soak:
    """One client of each kind over one service, and workers that use it."""

    def __init__(self, raw: Any, service: Service, ledger: Ledger) -> None:
        retry = ThrottleRetry(base_delay=0.1, max_delay=1)
        self._sync = StreamsClient(raw, throttle_retry=retry)
        self._async = AsyncStreamsClient(raw, throttle_retry=retry)
        for client in (self._sync, self._async):
            client._io.clock = _FastClock()  # noqa: SLF001  # as the project's own tests do
        self._service, self._ledger = service, ledger

    def _note(self, name: str, found: Any, *, creates: bool) -> None:
        arn = self._service.streams.get(name)
        known = arn if creates or not isinstance(found, KvsStreamsError) else None
        self._ledger.count(name, found, known)

    def stream(self, name: str) -> None:
        """Make every call for a stream."""
        for call, creates in _steps(self._sync, name):
            found: Any
            try:
                found = call()
            except Exception as error:  # noqa: BLE001  # whatever comes is counted
                found = error
            self._note(name, found, creates=creates)
            del found
        self._service.forget(name)

    async def stream_async(self, name: str) -> None:
        """Make every call for a stream with ``await``."""
        for call, creates in _steps(self._async, name):
            found: Any
            try:
                found = await call()
            except Exception as error:  # noqa: BLE001  # whatever comes is counted
                found = error
            self._note(name, found, creates=creates)
            del found
        self._service.forget(name)

    def in_threads(self, threads: int, names: Sequence[str]) -> None:
        """Share the streams between threads."""

        def work(own: Sequence[str]) -> None:
            for name in own:
                self.stream(name)

        workers = [threading.Thread(target=work, args=[names[i::threads]]) for i in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def in_tasks(self, tasks: int, names: Sequence[str]) -> None:
        """Share the streams between tasks of one event loop."""

        async def work(own: Sequence[str]) -> None:
            for name in own:
                await self.stream_async(name)

        async def main() -> None:
            await asyncio.gather(*(work(names[i::tasks]) for i in range(tasks)))

        asyncio.run(main())


@dataclass(frozen=True)
class Size:
    """What a process holds."""

    mebibytes: float
    files: int
    threads: int
    errors: int

    @classmethod
    def now(cls) -> "Size":
        """Measure this process, after a collection of garbage."""
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # no path to handle
            pages = int(file.read().split()[1])
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
            len(os.listdir("/proc/self/fd")),  # noqa: PTH208
            threading.active_count(),
            sum(isinstance(each, KvsStreamsError) for each in gc.get_objects()),
        )


@dataclass(frozen=True)
class Report:
    """What a soak came to."""

    ledger: Ledger
    service: Service
    seconds: float
    sizes: tuple[Size, ...]

    def __str__(self) -> str:
        """Return it as a table in Markdown."""
        first, last = self.sizes[0], self.sizes[-1]
        wrong = self.ledger.wrong
        rows: list[tuple[object, ...]] = [
            ("Calls", f"{self.ledger.calls:,}"),
            ("Requests", f"{self.service.requests:,}"),
            ("Requests with a fault", f"{self.service.requests - self.service.faults['']:,}"),
            ("Calls that ended in an error", f"{self.errors:,}"),
            *((f"{kind}", sum(wrong[k] for k in wrong if k.startswith(kind))) for kind in KINDS),
            ("Calls a second", f"{self.ledger.calls / self.seconds:.0f}"),
            ("Memory, MiB, after a tenth and at the end", _pair(first.mebibytes, last.mebibytes)),
            ("Open files", _pair(first.files, last.files)),
            ("Threads", _pair(first.threads, last.threads)),
            ("Errors that are still in memory", _pair(first.errors, last.errors)),
        ]
        kinds = sorted(self.ledger.outcomes.items(), key=lambda item: -item[1])
        rows += [(f"Outcome `{kind}`", f"{n:,}") for kind, n in kinds]
        rows += [(f"Wrong: {what}", n) for what, n in wrong.items()]
        return "\n".join(
            f"| {what} | {n} |" for what, n in [("What", "How many"), ("-", "-:"), *rows]
        )

    @property
    def errors(self) -> int:
        """How many calls ended in an error."""
        names = self.ledger.outcomes
        return sum(n for kind, n in names.items() if kind.endswith(("Error", "Exception")))


KINDS = ("lost", "mixed", "leaked", "foreign")


def _pair(first: float, last: float) -> str:
    return f"{first:.0f} and {last:.0f}"


def soak(calls: int, threads: int, seed: int = 0) -> Report:
    """Make so many calls, half of them from threads and half from tasks."""
    service, ledger = Service(seed), Ledger()
    # The growth is measured from a time at which every cache and every pool is full.
    parts = 10
    each = max(1, calls // (2 * parts * _CALLS_A_STREAM))
    sizes: list[Size] = []
    begin = time.monotonic()
    with boto_client(service, threads) as raw:
        work = _Soak(raw, service, ledger)
        for part in range(parts):
            work.in_threads(threads, [f"thread-{part}-{i}" for i in range(each)])
            work.in_tasks(threads, [f"task-{part}-{i}" for i in range(each)])
            sizes.append(Size.now())
    return Report(ledger, service, time.monotonic() - begin, tuple(sizes))


def main(arguments: Sequence[str]) -> None:
    """Soak, print what came of it, and fail if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--threads", type=int, default=16, help="also the number of tasks")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    report = soak(options.calls, options.threads, options.seed)
    print(report)
    if report.ledger.wrong:
        sys.exit("something is lost, mixed or leaked")
