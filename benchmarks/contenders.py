"""Those who create a fleet, each in a process of its own: ``python -m benchmarks.contenders``.

The first argument is a contender's name, the second a ``Task`` as JSON. The environment says where
the service is. What came of it goes to standard output as JSON.
"""

import asyncio
import json
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    EnsuredStream,
    KvsStreamsError,
    StreamsClient,
    StreamStatus,
)

_THROTTLE = "ClientLimitExceededException"
# How long the process stays after it has left the loop: would anything still be sent?
_STRAGGLERS = 1.0
_FIELDS = {"MediaType": "video/h264", "DataRetentionInHours": 24}


@dataclass
class Task:
    """What to create, and how the results are consumed."""

    count: int
    options: dict[str, Any] = field(default_factory=dict)
    """Arguments of ``ensure_streams``."""
    pause: float = 0.0
    """Seconds that the consumer needs for each result."""
    leave_after: int | None = None
    """After how many results the consumer leaves the loop."""
    keep_names: bool = True
    """Whether to report names; without them memory does not grow with the fleet."""

    def names(self) -> Iterator[str]:
        """Return the names of the streams, made as they are asked for."""
        return (f"camera-{i:06}" for i in range(self.count))

    def requests(self) -> Iterator[CreateStreamRequest]:
        """Return the requests for them, made as they are asked for."""
        return (
            CreateStreamRequest.from_boto({"StreamName": name, **_FIELDS}) for name in self.names()
        )


@dataclass
class Outcome:
    """What the contender itself knows when it is done."""

    task: Task
    wall: float = 0.0
    closing: float = 0.0
    """Seconds from leaving the loop until ``ensure_streams`` is closed."""
    results: int = 0
    active: int = 0
    """How many streams it has seen ACTIVE."""
    failed: dict[str, str] = field(default_factory=dict)
    """The name of each stream that it reports as failed, and the error."""
    failures: dict[str, int] = field(default_factory=dict)
    """How often each type of error was a result."""
    closed_at: float = 0.0
    """When it was closed, in seconds since the epoch."""
    left: int = 0
    """Threads and tasks that are left at the end."""
    peak_memory: int = 0
    """Peak of the resident set, in bytes."""

    def add(self, name: str, error: Exception | None = None, *, is_active: bool = False) -> None:
        """Take note of one result."""
        self.results += 1
        self.active += is_active
        if error is None:
            return
        kind = type(error).__name__
        self.failures[kind] = self.failures.get(kind, 0) + 1
        if self.task.keep_names:
            self.failed[name] = f"{kind}: {error}"

    def add_ensured(self, name: str, result: EnsuredStream | KvsStreamsError) -> None:
        """Take note of one result of ``ensure_stream`` or ``ensure_streams``."""
        if isinstance(result, KvsStreamsError):
            self.add(name, result)
        else:
            self.add(name, is_active=result.stream.status is StreamStatus.ACTIVE)

    def is_enough(self) -> bool:
        """Tell whether the consumer leaves the loop here."""
        return self.results == self.task.leave_after


def _client(connections: int = 10, **config: Any) -> Any:
    return boto3.client("kinesisvideo", config=Config(max_pool_connections=connections, **config))


def _is_throttle(error: BaseException) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] == _THROTTLE


def _retrying() -> dict[str, Any]:
    """Return the retries that a careful user writes with tenacity."""
    from tenacity import retry_if_exception, stop_after_attempt, wait_random_exponential

    return {
        "retry": retry_if_exception(_is_throttle),
        "wait": wait_random_exponential(multiplier=0.5, max=10),
        "stop": stop_after_attempt(5),
        "reraise": True,
    }


# Raw boto3


def raw_loop(task: Task, outcome: Outcome) -> None:
    """Create one stream after the other."""
    client = _client()
    for name in task.names():
        _create(client.create_stream, outcome, name)


def _create(create: Callable[..., Any], outcome: Outcome, name: str) -> None:
    try:
        create(StreamName=name, **_FIELDS)
    except (ClientError, BotoCoreError) as error:
        outcome.add(name, error)
    else:
        outcome.add(name)


def raw_pool(threads: int, task: Task, outcome: Outcome, **config: Any) -> None:
    """Create streams in threads that share a client."""
    client = _client(threads, **config)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(_create, client.create_stream, outcome), task.names()))


def tenacity_pool(threads: int, task: Task, outcome: Outcome) -> None:
    """Create streams in threads, and retry the throttle with tenacity."""
    from tenacity import retry

    create = retry(**_retrying())(_client(threads).create_stream)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(_create, create, outcome), task.names()))


def aiobotocore_semaphore(limit: int, task: Task, outcome: Outcome) -> None:
    """Create streams in tasks behind a semaphore, and retry the throttle with tenacity."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession
    from tenacity import retry

    async def run() -> None:
        semaphore = asyncio.Semaphore(limit)
        config = AioConfig(max_pool_connections=limit)
        async with AioSession().create_client("kinesisvideo", config=config) as client:

            @retry(**_retrying())
            async def create(name: str) -> None:
                await client.create_stream(StreamName=name, **_FIELDS)

            async def one(name: str) -> None:
                async with semaphore:
                    try:
                        await create(name)
                    except (ClientError, BotoCoreError) as error:
                        outcome.add(name, error)
                    else:
                        outcome.add(name)

            await asyncio.gather(*map(one, task.names()))

    asyncio.run(run())


# kvs_streams


def ensure_pool(threads: int, task: Task, outcome: Outcome) -> None:
    """Ensure one stream in each of many threads."""
    client = StreamsClient(_client(threads))

    def one(request: CreateStreamRequest) -> None:
        result: EnsuredStream | KvsStreamsError
        try:
            result = client.ensure_stream(request)
        except KvsStreamsError as error:
            result = error
        outcome.add_ensured(request.stream_name, result)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, task.requests()))


def fleet_threads(task: Task, outcome: Outcome) -> None:
    """Ensure the fleet over boto3 in threads."""
    with StreamsClient() as client:
        # Named, so that leaving the loop does not close it unseen.
        results = client.ensure_streams(task.requests(), **task.options)
        for request, result in results:
            outcome.add_ensured(request.stream_name, result)
            time.sleep(task.pause)
            if outcome.is_enough():
                break
        start = time.monotonic()
        results.close()
        outcome.closing = time.monotonic() - start
        outcome.closed_at = time.time()
        if task.leave_after:
            time.sleep(_STRAGGLERS)


async def _consume(client: AsyncStreamsClient, task: Task, outcome: Outcome) -> None:
    results: Any = client.ensure_streams(task.requests(), **task.options)
    async for request, result in results:
        outcome.add_ensured(request.stream_name, result)
        await asyncio.sleep(task.pause)
        if outcome.is_enough():
            break
    start = time.monotonic()
    await results.aclose()
    outcome.closing = time.monotonic() - start
    outcome.closed_at = time.time()
    outcome.left = len(asyncio.all_tasks()) - 1
    if task.leave_after:
        await asyncio.sleep(_STRAGGLERS)


def fleet_asyncio(task: Task, outcome: Outcome) -> None:
    """Ensure the fleet on asyncio over boto3."""

    async def run() -> None:
        async with AsyncStreamsClient() as client:
            await _consume(client, task, outcome)

    asyncio.run(run())


def fleet_aiobotocore(task: Task, outcome: Outcome) -> None:
    """Ensure the fleet on asyncio over aiobotocore."""
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

    async def run() -> None:
        config = AioConfig(max_pool_connections=task.options.get("max_in_flight", 32))
        async with AioSession().create_client("kinesisvideo", config=config) as client:
            await _consume(AsyncStreamsClient(client), task, outcome)

    asyncio.run(run())


THREADS, ASYNCIO, AIOBOTOCORE = (
    f"`ensure_streams` over {how}" for how in ("threads", "asyncio", "aiobotocore")
)
FLEETS: dict[str, Callable[[Task, Outcome], None]] = {
    THREADS: fleet_threads,
    ASYNCIO: fleet_asyncio,
    AIOBOTOCORE: fleet_aiobotocore,
}
CONTENDERS: dict[str, Callable[[Task, Outcome], None]] = {
    "raw boto3, a loop": raw_loop,
    "raw, pool of 10": partial(raw_pool, 10),
    "raw, pool of 50": partial(raw_pool, 50),
    "raw, pool of 10, `adaptive` mode": partial(raw_pool, 10, retries={"mode": "adaptive"}),
    "raw, pool of 10, tenacity": partial(tenacity_pool, 10),
    "raw, pool of 50, tenacity": partial(tenacity_pool, 50),
    "aiobotocore, semaphore of 50, tenacity": partial(aiobotocore_semaphore, 50),
    "`ensure_stream` in 16 threads": partial(ensure_pool, 16),
    "`ensure_stream` in 64 threads": partial(ensure_pool, 64),
    **FLEETS,
}


def missing(contender: str) -> str:
    """Return why a contender cannot run, or nothing."""
    is_fleet = contender in FLEETS
    if is_fleet and not hasattr(StreamsClient, "ensure_streams"):
        return "this version of kvs_streams has no `ensure_streams`"
    return ""


def main() -> None:
    """Run one contender and print what came of it."""
    contender, task = sys.argv[1], Task(**json.loads(sys.argv[2]))
    outcome = Outcome(task)
    start = time.monotonic()
    try:
        CONTENDERS[contender](task, outcome)
    except KeyboardInterrupt:
        # What a shell reports of a program that Ctrl-C ended, without the traceback.
        sys.exit(128 + signal.SIGINT)
    outcome.wall = time.monotonic() - start
    outcome.left += threading.active_count() - 1
    # In kilobytes on Linux, in bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome.peak_memory = peak if sys.platform == "darwin" else peak * 1024
    print(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main()
