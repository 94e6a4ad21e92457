"""Two hundred streams at a time through one client: none lost, none mixed up."""

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.clients import ASYNC_KINDS, SYNC, Connect
from support.loopback import (
    Loopback,
    Reply,
    Request,
    arn,
    conflict,
    created,
    described,
    drop,
    not_found,
    throttle,
)

from kvs_streams import CreateStreamRequest, EnsureOutcome, ResourceInUseException, StreamStatus

NAMES = [f"cam-{number:03}" for number in range(200)]


class Fleet:
    """The service's side: streams by name, with throttles and lost replies where it is told to."""

    def __init__(self) -> None:
        self.streams: dict[str, dict[str, Any]] = {}
        self.creates: Counter[str] = Counter()
        self.looks: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Reply:
        name = request.body["StreamName"]
        number = int(name[-3:])
        with self._lock:
            if request.operation == "DescribeStream":
                self.looks[name] += 1
                if name not in self.streams:
                    return not_found()
                status = "CREATING" if self.looks[name] == 1 else "ACTIVE"
                return described(name, status, MediaType=self.streams[name].get("MediaType"))
            self.creates[name] += 1
            if number % 5 == 0 and self.creates[name] == 1:
                return throttle()
            if name in self.streams:
                return conflict()
            self.streams[name] = request.body
            return drop() if number % 7 == 1 else created(name)


@pytest.fixture
def fleet(server: Loopback) -> Fleet:
    """A service with state behind the loopback server."""
    fleet = Fleet()
    server.answer_with(fleet.answer)
    return fleet


def request_for(name: str) -> CreateStreamRequest:
    """A request that differs from every other one in more than its name."""
    return CreateStreamRequest(
        stream_name=name, media_type=f"video/{name}", data_retention_in_hours=0
    )


def check(fleet: Fleet, results: dict[str, Any]) -> None:
    """Check that each caller has its own stream, and the service all of them, each once."""
    assert sorted(results) == NAMES
    assert sorted(fleet.streams) == NAMES
    for name, result in results.items():
        assert fleet.streams[name]["MediaType"] == f"video/{name}"
        assert result.stream.stream_name == name
        assert result.stream.stream_arn == arn(name)
        assert result.stream.media_type == f"video/{name}"
        assert result.stream.status is StreamStatus.ACTIVE
        lost = int(name[-3:]) % 7 == 1
        assert result.outcome is (EnsureOutcome.RECOVERED if lost else EnsureOutcome.CREATED)
        throttled = int(name[-3:]) % 5 == 0
        assert fleet.creates[name] == 1 + throttled


@pytest.mark.parametrize("kind", [SYNC])
def test_threads_share_one_client(connect: Connect, fleet: Fleet) -> None:
    """Two hundred ensured by threads through one client."""
    client = connect().client
    gate = threading.Barrier(50)

    def ensure(name: str) -> Any:
        if int(name[-3:]) < gate.parties:
            gate.wait()
        return client.ensure_stream(request_for(name))

    with ThreadPoolExecutor(50) as pool:
        results = dict(zip(NAMES, pool.map(ensure, NAMES), strict=True))
    check(fleet, results)


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_tasks_share_one_client(connect: Connect, fleet: Fleet) -> None:
    """Two hundred ensured by tasks through one client."""
    driver = connect()

    async def ensure_all() -> list[Any]:
        return await asyncio.gather(
            *[driver.client.ensure_stream(request_for(name)) for name in NAMES]
        )

    check(fleet, dict(zip(NAMES, driver.finish(ensure_all()), strict=True)))


@pytest.mark.parametrize("kind", [SYNC])
def test_threads_race_for_one_name(connect: Connect, server: Loopback, fleet: Fleet) -> None:
    """Of many that ensure one name at a time, one has created it and all have it."""
    client = connect().client
    gate = threading.Barrier(32)

    def ensure(_: int) -> Any:
        gate.wait()
        return client.ensure_stream(CreateStreamRequest(stream_name="cam-002"))

    with ThreadPoolExecutor(gate.parties) as pool:
        results = list(pool.map(ensure, range(gate.parties)))
    outcomes = Counter(result.outcome for result in results)
    assert outcomes == {EnsureOutcome.CREATED: 1, EnsureOutcome.EXISTING: gate.parties - 1}
    assert {result.stream.stream_arn for result in results} == {arn("cam-002")}


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_tasks_race_for_one_name(connect: Connect, fleet: Fleet) -> None:
    """The same for plain creates by tasks: one has it, the others learn that it is not theirs."""
    driver = connect()
    request = CreateStreamRequest(stream_name="cam-002")

    async def create_all() -> list[Any]:
        return await asyncio.gather(
            *[driver.client.create_stream(request) for _ in range(32)], return_exceptions=True
        )

    results = driver.finish(create_all())
    conflicts = [result for result in results if isinstance(result, ResourceInUseException)]
    assert len(conflicts) == 31
    assert not any(error.possibly_own for error in conflicts)
    assert [result.stream_arn for result in results if result not in conflicts] == [arn("cam-002")]
