"""The kit's clock: exact, the same on every machine, and shared by threads and tasks."""

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest
from botocore.config import Config
from hypothesis import given, strategies as st

from kvs_streams import (
    ClientLimitExceededException,
    CreateStreamRequest,
    ThrottleRetry,
    WaitTimeoutError,
)
from kvs_streams.testing import MockKvs, mock_kvs
from kvs_streams.testing._clock import RateLimit, VirtualClock
from kvs_streams.testing._core import CLOCK_OWNER

SECOND = 1_000_000_000


def requests(number: int, prefix: str = "cam") -> list[CreateStreamRequest]:
    """Return requests for a number of streams."""
    return [CreateStreamRequest(stream_name=f"{prefix}-{n}") for n in range(number)]


def accepted(kvs: MockKvs) -> list[int]:
    """Return the times of the creates that the rate limit accepted, in order."""
    (limit,) = kvs._service._rates.values()
    return limit._accepted


def most_in_a_second(times: list[int]) -> int:
    """Return how many of some times are in the fullest window of one second."""
    return max(sum(begin <= other < begin + SECOND for other in times) for begin in times)


# Exact


@pytest.mark.parametrize("uptime", [0.5, 123.456789, 300.1, 7_776_000.123])
@pytest.mark.parametrize("now", [1_700_000_000.0, 1_700_000_000.999_999])
def test_a_timeout_is_exact_on_every_machine(
    monkeypatch: pytest.MonkeyPatch, uptime: float, now: float
) -> None:
    """Neither the machine's uptime nor the time of day shows in what a wait reports."""
    monkeypatch.setattr(time, "monotonic", lambda: uptime)
    monkeypatch.setattr(time, "monotonic_ns", lambda: round(uptime * SECOND))
    monkeypatch.setattr(time, "time", lambda: now)
    with mock_kvs() as kvs:
        kvs.hold_creating()
        client = kvs.client()
        created = client.create_stream(CreateStreamRequest(stream_name="cam")).stream_arn
        with pytest.raises(WaitTimeoutError) as caught:
            client.wait_until_active("cam", timeout=300)
        assert caught.value.waited == 300
        assert kvs.elapsed == 300
        kvs.advance(0.1)
        kvs.advance(0.2)
        # As a float, this number of nanoseconds is just below a whole one.
        kvs.advance(1.001)
        assert kvs.elapsed == 301.301
    assert created.created_at.timestamp() == 1_700_000_000


# Threads and tasks


def test_time_between_threads() -> None:
    """A context keeps its own time until an operation starts; a new thread has the latest."""
    clock = VirtualClock()
    began = clock.now()
    behind = contextvars.copy_context()
    clock.sleep(5 * SECOND)
    behind.run(clock.sleep, SECOND)
    assert behind.run(clock.now) == began + SECOND
    assert clock.elapsed == 5
    seen = []
    thread = threading.Thread(target=lambda: seen.append(clock.now()))
    thread.start()
    thread.join()
    assert seen == [began + 5 * SECOND]
    assert behind.run(clock.start) == behind.run(clock.now) == began + 5 * SECOND
    clock.advance(10 * SECOND)
    assert clock.now() == began + 15 * SECOND
    assert clock.elapsed == 15
    assert clock.random() == 0.5


def test_two_kits_have_two_times() -> None:
    """A thread that has slept under one kit starts at the beginning of the next."""
    for _ in range(2):
        with mock_kvs() as kvs:
            CLOCK_OWNER.clock.sleep(SECOND)
            assert kvs.elapsed == 1


def test_a_call_is_made_at_the_time_of_its_submitter(kvs: MockKvs) -> None:
    """A call in a copied context, in any thread, happens when it was submitted."""
    boto_client = kvs.boto_client()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(CLOCK_OWNER.clock.sleep, 100 * SECOND).result()
        early = contextvars.copy_context()
        CLOCK_OWNER.clock.sleep(7 * SECOND)
        late = contextvars.copy_context()
        for name, context in [("late", late), ("early", early)]:
            threads.submit(context.run, boto_client.create_stream, StreamName=name).result()
    times = {name: record.creation_time for name, record in kvs.streams.items()}
    assert (times["late"] - times["early"]).total_seconds() == 7
    reply = late.run(boto_client.list_streams)
    date = parsedate_to_datetime(reply["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert date == times["late"]


def test_an_operation_starts_at_the_latest_time(kvs: MockKvs) -> None:
    """What begins after a wait of others has ended begins after it, in this thread too."""
    kvs.hold_creating(3)

    async def somewhere_else() -> None:
        await kvs.async_client().ensure_stream(CreateStreamRequest(stream_name="cam"))

    asyncio.run(somewhere_else())
    kvs.client().create_stream(CreateStreamRequest(stream_name="later"))
    pause = kvs.streams["later"].creation_time - kvs.streams["cam"].creation_time
    assert pause.total_seconds() == kvs.elapsed == 0.5 + 0.75 + 1.125


def test_tasks_that_start_together_wait_together(kvs: MockKvs) -> None:
    """The first steps of a round of tasks share one time, and a later round starts later."""
    kvs.hold_creating(3)
    client = kvs.async_client(config=Config(max_pool_connections=64))

    async def one_round(prefix: str) -> None:
        await asyncio.gather(*(client.ensure_stream(each) for each in requests(40, prefix)))

    async def both() -> None:
        for prefix in ("first", "second"):
            await one_round(prefix)

    asyncio.run(both())
    assert kvs.elapsed == 2 * (0.5 + 0.75 + 1.125)
    records = kvs.streams.values()
    assert len({record.creation_time for record in records}) == 2


# Rate limits


def test_rate_limit_for_threads_and_tasks_together(kvs: MockKvs) -> None:
    """No second holds more creates than the limit, for threads and tasks in any order."""
    kvs.rate_limit(10)
    retry = ThrottleRetry(max_attempts=12, max_delay=2)
    client = kvs.client(config=Config(max_pool_connections=8), throttle_retry=retry)

    async def tasks() -> None:
        tasks_client = kvs.async_client(config=Config(max_pool_connections=8), throttle_retry=retry)
        gate = asyncio.Semaphore(8)

        async def create(request: CreateStreamRequest) -> None:
            async with gate:
                await tasks_client.create_stream(request)

        await asyncio.gather(*map(create, requests(40, "task")))

    with ThreadPoolExecutor(8) as threads:
        loop = threads.submit(asyncio.run, tasks())
        list(threads.map(client.create_stream, requests(40, "thread")))
        loop.result()
    assert len(accepted(kvs)) == 80
    assert most_in_a_second(accepted(kvs)) <= 10
    created = [record.creation_time.timestamp() for record in kvs.streams.values()]
    assert most_in_a_second([round(seconds * SECOND) for seconds in created]) <= 10


def test_rate_limit_counts_each_region(kvs: MockKvs) -> None:
    """The quota is that of a region."""
    kvs.rate_limit(1)
    no_retry = ThrottleRetry(max_attempts=1)
    for region in ("us-east-1", "eu-west-1"):
        client = kvs.client(region_name=region, throttle_retry=no_retry)
        client.create_stream(CreateStreamRequest(stream_name="cam"))
        with pytest.raises(ClientLimitExceededException):
            client.create_stream(CreateStreamRequest(stream_name="one-too-many"))


@given(
    st.integers(1, 4),
    st.lists(st.integers(0, 12).map(lambda quarter: quarter * SECOND // 4), max_size=30),
)
def test_no_window_holds_more_than_the_limit(rate: int, times: list[int]) -> None:
    """In any order, a request is accepted where each second keeps the limit: now, or latest."""
    limit = RateLimit()
    kept: list[int] = []
    for now in times:
        places = (now, max([now, *kept]))
        expected = next((at for at in places if most_in_a_second([*kept, at]) <= rate), None)
        assert limit.accept(now, rate) == expected
        if expected is not None:
            kept.append(expected)
    assert sorted(kept) == limit._accepted
