"""Those who create a fleet, each in a process of its own: ``python -m benchmarks.contenders``.

The first argument is a contender's name, the second the number of streams, the third the arguments
of ``ensure_streams`` as JSON. What came of it goes to standard output as JSON.
"""

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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

_FIELDS = {"MediaType": "video/h264", "DataRetentionInHours": 24}


class Outcome:
    """What the contender itself knows when it is done."""

    def __init__(self) -> None:
        self.active = 0
        self.failed: dict[str, str] = {}
        """The name of each stream that it reports as failed, and the error's type."""
        self.results: Counter[str] = Counter()
        """How many results each name has."""

    def add(self, name: str, error: Exception | None = None) -> None:
        """Take note of one result."""
        self.results[name] += 1
        if error:
            self.failed[name] = type(error).__name__

    def add_ensured(self, name: str, result: EnsuredStream | KvsStreamsError) -> None:
        """Take note of one result of ``ensure_streams``."""
        if isinstance(result, KvsStreamsError):
            self.add(name, result)
        else:
            self.add(name)
            self.active += result.stream.status is StreamStatus.ACTIVE


class Task:
    """What to create, and with which arguments of ``ensure_streams``."""

    def __init__(self, count: int, options: dict[str, Any]) -> None:
        self.count, self.options = count, options
        self.outcome = Outcome()

    def names(self) -> Iterator[str]:
        """Return the names of the streams."""
        return (f"camera-{i:06}" for i in range(self.count))

    def requests(self) -> Iterator[CreateStreamRequest]:
        """Return the requests for them, made as they are asked for."""
        return (CreateStreamRequest.from_boto({"StreamName": n, **_FIELDS}) for n in self.names())

    def attempt(self, create: Callable[..., Any], name: str) -> None:
        """Create one stream."""
        try:
            create(StreamName=name, **_FIELDS)
        except (ClientError, BotoCoreError) as error:
            self.outcome.add(name, error)
        else:
            self.outcome.add(name)


def _client(connections: int) -> Any:
    return boto3.client("kinesisvideo", config=Config(max_pool_connections=connections))


def _retry() -> Any:
    """Return the decorator that a careful user writes with tenacity."""
    from tenacity import retry, retry_if_exception, stop_after_attempt, wait_random_exponential

    def is_throttle(error: BaseException) -> bool:
        code = "ClientLimitExceededException"
        return isinstance(error, ClientError) and error.response["Error"]["Code"] == code

    return retry(
        retry=retry_if_exception(is_throttle),
        wait=wait_random_exponential(multiplier=0.5, max=10),
        stop=stop_after_attempt(5),
        reraise=True,
    )


def raw_loop(task: Task) -> None:
    """Create one stream after the other."""
    create = _client(1).create_stream
    for name in task.names():
        task.attempt(create, name)


def raw_pool(threads: int, task: Task, *, is_retried: bool = False) -> None:
    """Create streams in threads that share a client."""
    create = _client(threads).create_stream
    if is_retried:
        create = _retry()(create)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(partial(task.attempt, create), task.names()))


def _aiobotocore(limit: int) -> Any:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import AioSession

    return AioSession().create_client("kinesisvideo", config=AioConfig(max_pool_connections=limit))


def aiobotocore_semaphore(limit: int, task: Task) -> None:
    """Create streams in tasks behind a semaphore, and retry the throttle with tenacity."""

    async def run() -> None:
        semaphore = asyncio.Semaphore(limit)
        async with _aiobotocore(limit) as client:

            @_retry()
            async def create(name: str) -> None:
                await client.create_stream(StreamName=name, **_FIELDS)

            async def one(name: str) -> None:
                async with semaphore:
                    try:
                        await create(name)
                    except (ClientError, BotoCoreError) as error:
                        task.outcome.add(name, error)
                    else:
                        task.outcome.add(name)

            await asyncio.gather(*map(one, task.names()))

    asyncio.run(run())


def fleet_threads(task: Task) -> None:
    """Ensure the fleet over boto3 in threads."""
    with StreamsClient() as client:
        for request, result in client.ensure_streams(task.requests(), **task.options):
            task.outcome.add_ensured(request.stream_name, result)


async def _consume(client: AsyncStreamsClient, task: Task) -> None:
    async for request, result in client.ensure_streams(task.requests(), **task.options):
        task.outcome.add_ensured(request.stream_name, result)


def fleet_asyncio(task: Task) -> None:
    """Ensure the fleet on asyncio over boto3."""

    async def run() -> None:
        async with AsyncStreamsClient() as client:
            await _consume(client, task)

    asyncio.run(run())


def fleet_aiobotocore(task: Task) -> None:
    """Ensure the fleet on asyncio over aiobotocore."""

    async def run() -> None:
        async with _aiobotocore(64) as client:
            await _consume(AsyncStreamsClient(client), task)

    asyncio.run(run())


THREADS = "`ensure_streams` over threads"
FLEETS: dict[str, Callable[[Task], None]] = {
    THREADS: fleet_threads,
    "`ensure_streams` over asyncio": fleet_asyncio,
    "`ensure_streams` over aiobotocore": fleet_aiobotocore,
}
CONTENDERS: dict[str, Callable[[Task], None]] = {
    "raw boto3, a loop": raw_loop,
    "raw boto3, pool of 10": partial(raw_pool, 10),
    "raw boto3, pool of 50": partial(raw_pool, 50),
    "raw boto3, pool of 10, tenacity": partial(raw_pool, 10, is_retried=True),
    "raw boto3, pool of 50, tenacity": partial(raw_pool, 50, is_retried=True),
    "aiobotocore, semaphore of 50, tenacity": partial(aiobotocore_semaphore, 50),
    **FLEETS,
}


def main() -> None:
    """Run one contender and print what came of it."""
    name, count, options = sys.argv[1:]
    task = Task(int(count), json.loads(options))
    start = time.monotonic()
    CONTENDERS[name](task)
    report = {
        "wall": time.monotonic() - start,
        "active": task.outcome.active,
        "failed": task.outcome.failed,
        "results": len(task.outcome.results),
        "repeated": sum(times > 1 for times in task.outcome.results.values()),
        # In kilobytes on Linux.
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
