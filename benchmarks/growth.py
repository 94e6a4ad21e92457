"""Case (f): how time and memory grow with tags, requests and threads."""

import sys
import threading
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import kvs_streams
from kvs_streams import CreateStreamRequest, StreamsClient

from . import pairs, rivals
from .calls import CONTROL, OURS, RAW, boto_client
from .pairs import Times
from .requests import FIELDS, TIER, tags

TAG_COUNTS = (1, 2, 5, 10, 20, 30, 40, 50)
REQUEST_COUNTS = (1, 10, 100, 1_000, 10_000, 100_000)
THREAD_COUNTS = (1, 4, 16, 64)
WITHOUT_TAGS = (
    "name only",
    "all but tags, storage configuration shared",
    "all but tags, a storage configuration each",
)
CALLS = 128


def by_tags(rounds: int, *, ascii_only: bool) -> Times:
    """Measure building a request with more and more tags."""
    contenders: dict[str, Callable[[], object]] = {}
    for count in TAG_COUNTS:
        fields = {**FIELDS, "tags": tags(count, ascii_only=ascii_only)}
        contenders[str(count)] = partial(rivals.by_kvs_streams, fields, TIER)
    return pairs.take_turns(contenders, rounds=rounds, calls=4)


def _held(count: int, make: Callable[[int], Any]) -> float:
    """Return the bytes that each of many objects holds, its name and its slot in a list included.

    Fields that requests share, such as the media type, are the caller's own and held once.
    """
    made: list[Any] = [None] * count
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for i in range(count):
            made[i] = make(i)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (after - before) / count + sys.getsizeof([None] * count) / count


def memory(counts: Sequence[int] = REQUEST_COUNTS) -> dict[str, list[float]]:
    """Return bytes per request for each number of requests held, by kind of request."""
    ten = tags(10, ascii_only=True)
    shared = {name: value for name, value in FIELDS.items() if name != "stream_name"}
    storage = kvs_streams.StreamStorageConfiguration(default_storage_tier="WARM")

    def bare(i: int) -> object:
        return CreateStreamRequest(stream_name=f"camera-{i:06}")

    def full(i: int) -> object:
        return CreateStreamRequest(
            **{**shared, "stream_name": f"camera-{i:06}"}, stream_storage_configuration=storage
        )

    def full_own_storage(i: int) -> object:
        return rivals.by_kvs_streams({**shared, "stream_name": f"camera-{i:06}"}, TIER)

    def tagged(i: int) -> object:
        return rivals.by_kvs_streams({**shared, "stream_name": f"camera-{i:06}", "tags": ten}, TIER)

    def kwargs(i: int) -> object:
        return rivals.boto_kwargs(
            {**shared, "stream_name": f"camera-{i:06}", "tags": dict(ten)}, TIER
        )

    def pydantic_tagged(i: int) -> object:
        return rivals.by_pydantic({**shared, "stream_name": f"camera-{i:06}", "tags": ten}, TIER)

    kinds = {
        **dict(zip(WITHOUT_TAGS, (bare, full, full_own_storage), strict=True)),
        "all members, 10 tags": tagged,
        "the same as a dict for boto3": kwargs,
        "the same in pydantic": pydantic_tagged,
    }
    for make in kinds.values():
        make(0)  # what is made once only, such as caches, is not held by a request
    return {name: [_held(count, make) for count in counts] for name, make in kinds.items()}


def _in_threads(threads: int, call: Callable[[], object]) -> None:
    """Make 128 calls, shared between threads."""

    def work() -> None:
        for _ in range(CALLS // threads):
            call()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def by_threads(url: str, rounds: int) -> dict[int, Times]:
    """Measure calls over HTTP by more and more threads that share one client."""
    measured: dict[int, Times] = {}
    raw = boto_client(url, max_pool_connections=max(THREAD_COUNTS))
    client = StreamsClient(raw)
    fields = {**FIELDS, "tags": tags(10, ascii_only=True)}

    def by_boto() -> object:
        return raw.create_stream(**rivals.boto_kwargs(fields, TIER))

    def by_us() -> object:
        return client.create_stream(rivals.by_kvs_streams(fields, TIER))

    for threads in THREAD_COUNTS:
        contenders: dict[str, Callable[[], object]] = {
            RAW: partial(_in_threads, threads, by_boto),
            CONTROL: partial(_in_threads, threads, by_boto),
            OURS: partial(_in_threads, threads, by_us),
        }
        measured[threads] = pairs.take_turns(contenders, rounds=rounds)
    return measured
