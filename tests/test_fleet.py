"""``ensure_streams``: one pair for each request, whatever happens, in virtual time."""

import asyncio
import contextvars
import logging
import os
import subprocess
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from support.clock import VirtualClock, use
from support.fleets import KINDS, SYNC, TASKS, THREADS, Passing, Runner, Watched, named, outcomes
from support.service import CREATE, DESCRIBE, LIST, STORAGE, TAGS, Answer, Model

from kvs_streams import AsyncStreamsClient, StreamsClient, StreamStorageConfiguration
from kvs_streams.errors import ClientLimitExceededException, KvsStreamsError


@pytest.fixture(params=KINDS)
def runner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Runner:
    """Each kind of client in turn."""
    return Runner(request.param, monkeypatch)


def on(method: str, fault: str, *names: str) -> Any:
    """Return a fault for every call of a method, for all streams or those named."""
    return lambda called, name, _: (
        fault if called == method and (not names or name in names) else None
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the threads that make calls go on."""
    for _ in range(5_000):
        if condition():
            return
        time.sleep(0.001)  # in which real threads end what they do
    pytest.fail("no call was made")


def workers() -> int:
    """Return how many threads of fleets there are, for which Python does not wait at its end."""
    return [it.name for it in threading.enumerate() if it.daemon].count("kvs_streams")


def is_quiet() -> bool:
    """Tell whether no thread of a fleet is left."""
    return workers() == 0


# Results


def test_each_request_has_one_pair_and_running_again_creates_nothing(runner: Runner) -> None:
    """Every stream is created and described once; the second run describes what the list shows."""
    model, requests = Model(runner.clock), named(60)
    assert outcomes(runner.run(model, requests)) == {"CREATED": 60}
    assert sorted(r.stream_name for r, _ in runner.pairs) == [r.stream_name for r in requests]
    assert model.made.count(DESCRIBE) == 60
    model.calls.clear()
    assert outcomes(runner.run(model, requests)) == {"EXISTING": 60}
    assert model.made.count(DESCRIBE) == 60
    assert model.made.count(LIST) == 1
    # The first creates may be sent before the 20th request starts the list; nothing comes of them.
    assert model.made.count(CREATE) < 20
    assert len(model.history) == 60


FAULTS = {
    "denied": (CREATE, "AccessDeniedError"),
    "generic throttle": (CREATE, "ThrottlingError"),
    "lost": (DESCRIBE, "TransportError"),
    "lost after": (CREATE, "RECOVERED"),
    "retried after": (CREATE, "RECOVERED"),
    "no ARN after": (CREATE, "RECOVERED"),
    "throttle": (CREATE, "WaitTimeoutError"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_goes_wrong_with_a_stream_is_its_result(fault: str, runner: Runner) -> None:
    """It is what ``ensure_stream`` would return or raise, and the others are not concerned."""
    method, expected = FAULTS[fault]
    model = Model(runner.clock, fault=on(method, fault, "camera-00003"))
    runner.run(model, named(8), timeout=30.0)
    assert outcomes(runner.pairs) == {"CREATED": 7, expected: 1}
    # The frames of a traceback would keep the whole fleet in memory.
    assert all(getattr(result, "__traceback__", None) is None for _, result in runner.pairs)
    assert all(runner.ended[name] < 5 for name in runner.ended if name != "camera-00003")


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"timeout": 0}, "WaitTimeoutError"),
        ({"timeout": 0, "wait": False}, "CREATED"),
        ({"wait": False}, "CREATED"),
    ],
)
def test_without_time_or_waiting_a_fleet_does_as_one_stream(
    options: dict[str, Any], expected: str, runner: Runner
) -> None:
    """Each stream is created and described once."""
    model = Model(runner.clock, creating=30)
    assert outcomes(runner.run(model, named(5), **options)) == {expected: 5}
    assert Counter(model.made) == {CREATE: 5, DESCRIBE: 5}


def test_a_last_poll_comes_at_the_deadline(runner: Runner) -> None:
    """The pause before it ends at the deadline, so it is made although the time is over."""
    model = Model(runner.clock, creating=4.95)
    assert outcomes(runner.run(model, named(5), timeout=5.0)) == {"CREATED": 5}


@pytest.mark.parametrize(
    "options, deleting, expected",
    [
        ({}, False, "StreamDriftError"),
        ({"on_drift": "ignore"}, False, "EXISTING"),
        ({}, True, "CREATED"),
        ({"wait": False}, True, "StreamDeletingError"),
    ],
)
def test_drift_and_deletion(
    options: dict[str, Any], deleting: bool, expected: str, runner: Runner
) -> None:
    """What exists is compared; what is being deleted is waited for and created again."""
    model, requests = Model(runner.clock), named(30, tags={"site": "x"})
    model.add(*(request.stream_name for request in requests), Tags={"site": "y"})
    for request in requests if deleting else []:
        model.delete(request.stream_name)
    assert outcomes(runner.run(model, requests, **options)) == {expected: 30}
    if expected == "EXISTING":
        assert all(getattr(result, "drift", None) for _, result in runner.pairs)


@pytest.mark.parametrize("number, rate", [(200, 50.0), (1, 0.1)])
def test_deadlines_hold_while_creates_wait(number: int, rate: float, runner: Runner) -> None:
    """Each stream times out in its own time after its first call, with the throttle as cause."""
    model = Model(runner.clock, fault=on(CREATE, "throttle"))
    runner.run(model, named(number), rate=rate, timeout=5.0)
    assert outcomes(runner.pairs) == {"WaitTimeoutError": number}
    begun = {kwargs.get("StreamName"): at for _, at, kwargs in reversed(model.calls)}
    for request, error in runner.pairs:
        assert isinstance(error.__cause__, ClientLimitExceededException)
        assert 4.999 < runner.ended[request.stream_name] - begun[request.stream_name] < 5.3


def test_what_the_iterable_raises_comes_last(runner: Runner) -> None:
    """So does the error for an item that is no request."""

    def failing() -> Iterator[Any]:
        yield from named(3)
        raise ZeroDivisionError

    wrong, text = iter([*named(3, 3), "x", *named(3, 6)]), r"objects, not 'x' \(item 3, counted f"
    for items, error, match in [(failing(), ZeroDivisionError, None), (wrong, TypeError, text)]:
        with pytest.raises(error, match=match):
            runner.run(Model(runner.clock), items)
        assert outcomes(runner.pairs) == {"CREATED": 3}


def test_requests_are_taken_a_bounded_number_ahead(runner: Runner) -> None:
    """An endless iterable is no trouble."""
    taken = count()
    runner.run(Model(runner.clock), (named(1, number)[0] for number in taken), 5)
    assert 1_900 <= next(taken) <= 2_010


def test_ready_results_do_not_wait_for_a_slow_iterable(runner: Runner) -> None:
    """Results are handed out, and due calls are started, before each request is taken."""
    model = Model(runner.clock)

    def slowly() -> Iterator[Any]:
        for number, request in enumerate(named(10), 1):
            yield request
            if runner.kind != TASKS:  # whose calls cannot go on while the loop is blocked
                wait_until(lambda number=number: model.made.count(CREATE) >= number)
            runner.clock.advance(2)

    runner.run(model, slowly())
    # Each of the two calls of a stream can end just after the next request was taken.
    for number, request in enumerate(named(10)):
        assert runner.ended[request.stream_name] <= 2 * number + 8


def test_the_same_name_twice_is_never_in_flight_twice(runner: Runner) -> None:
    """One comes after the other."""
    model = Watched(runner.clock)
    runner.run(model, [*named(3), *named(3), *named(3)])
    assert outcomes(runner.pairs) == {"CREATED": 3, "EXISTING": 6}
    assert model.peak_of_name == 1


@pytest.mark.parametrize("timeout, others, at", [(300.0, 0, 1.8), (1.0, 400, 1.0)])
def test_the_first_describe_comes_after_its_pause(
    timeout: float, others: int, at: float, runner: Runner
) -> None:
    """It is 1.5 to 2 s after the create, but at the deadline it goes ahead of all that wait."""
    model, existing = Model(runner.clock), named(others, 100)
    model.add(*(request.stream_name for request in existing))
    runner.run(model, [*named(5), *existing], timeout=timeout)
    made = {(m, k.get("StreamName")): time for m, time, k in reversed(model.calls)}
    for name in (request.stream_name for request in named(5)):
        assert abs(made[DESCRIBE, name] - made[CREATE, name] - at) < 0.31


# The pace


@pytest.mark.parametrize(
    "fault, retries, interval",
    [
        (None, 0, (0.09, 0.0999)),
        (None, 2, (0.27, 0.2999)),
        ("generic throttle", 0, (0.105, 0.15)),
        ("lost", 0, (0.0999, 0.1001)),
        ("broken", 0, (0.0999, 0.1001)),
        ("denied", 2, (0.27, 0.2999)),
    ],
)
def test_the_pace_learns_from_creates(
    fault: str | None, retries: int, interval: tuple[float, float], runner: Runner
) -> None:
    """An accepted create raises it, a throttled one lowers it, and retries are charged to it."""
    model = Model(runner.clock, fault=on(CREATE, fault) if fault else None)
    plain: Any = model.answer
    model.answer = lambda *args: plain(*args).but(retries=retries)
    runner.run(model, named(10), rate=10.0, max_in_flight=1, timeout=1e6)
    times = model.times(CREATE)
    assert interval[0] <= times[-1] - times[-2] <= interval[1]


def test_creates_that_are_throttled_come_first(runner: Runner) -> None:
    """They are sent again ahead of creates never sent, and slow these down."""
    model = Model(runner.clock, quota=10)
    assert outcomes(runner.run(model, named(150), rate=100)) == {"CREATED": 150}
    assert 10 <= model.throttled <= 120
    assert max(runner.ended[request.stream_name] for request in named(40)) < 8


@pytest.mark.parametrize(
    "method, least, most",
    [(DESCRIBE, 1.9, 2.2), (TAGS, 2.2, 2.6), (STORAGE, 2.2, 2.6), (LIST, 0.119, 0.13)],
)
@pytest.mark.parametrize("runner", [SYNC], indirect=True)
def test_reads_are_paced(method: str, least: float, most: float, runner: Runner) -> None:
    """They use a part of AWS's quota; creates of what any page of the list shows are skipped."""
    tier = StreamStorageConfiguration(default_storage_tier="HOT")
    compared = {"tags": {"site": "x"}, "stream_storage_configuration": tier}
    number = 600 if method == DESCRIBE else 100
    requests = named(number, 3_400, **(compared if method in (TAGS, STORAGE) else {}))
    model = Model(runner.clock)
    model.add(*(request.stream_name for request in named(4_000)), Tags={"site": "x"})
    assert outcomes(runner.run(model, requests)) == {"EXISTING": number}
    assert model.made.count(CREATE) < 20
    times = model.times(method)
    assert len(times) == (4 if method == LIST else number)
    # Up to 0.25 s of missed calls are made good.
    assert least <= times[-1] - times[0] <= most


# The list


@pytest.mark.parametrize("number, hidden, lists", [(19, set(), 0), (20, set(), 1), (30, {LIST}, 0)])
def test_a_small_fleet_or_client_lists_nothing(
    number: int, hidden: set[str], lists: int, runner: Runner
) -> None:
    """The list starts when the 20th request is taken; a client may not even have the operation."""
    model, runner.hidden = Model(runner.clock), hidden
    assert outcomes(runner.run(model, named(number))) == {"CREATED": number}
    assert model.made.count(LIST) == lists


@pytest.mark.parametrize("fault", ["denied", "expired", "lost", "broken", "throttle"])
def test_a_list_that_fails_is_only_a_hint(
    fault: str, runner: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    """The streams are created all the same, at once."""
    model = Model(runner.clock, fault=on(LIST, fault))
    with caplog.at_level(logging.INFO, "kvs_streams"):
        assert outcomes(runner.run(model, named(30))) == {"CREATED": 30}
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert caplog.messages[0].startswith("cannot list streams; sending a create for each one: ")
    assert fault != "lost" or "response to ListStreams (" in caplog.messages[0]
    assert max(model.times(CREATE)) < 1


def test_a_stream_that_the_list_shows_though_it_is_gone_is_created(runner: Runner) -> None:
    """The describe decides."""
    gone = {request.stream_name for request in named(5, 20)}  # not sent before the list

    def delete(method: str, name: str) -> None:
        if method == DESCRIBE and name in gone:
            gone.remove(name)
            model.vanish(name)

    model = Watched(runner.clock, delete)
    model.add(*gone)
    assert outcomes(runner.run(model, named(25))) == {"CREATED": 25}
    assert not gone


def test_an_endless_list_holds_nothing_up(runner: Runner) -> None:
    """Creates wait for it two seconds at the most, and the fleet ends without it."""
    tokens = map(str, count())

    def endless(method: str, _: str) -> Answer | None:
        return Answer({"NextToken": next(tokens)}) if method == LIST else None

    model = Watched(runner.clock, endless)
    assert outcomes(runner.run(model, named(40))) == {"CREATED": 40}
    pauses = [later - earlier for earlier, later in pairwise(model.times(CREATE))]
    assert 1.9 < max(pauses) < 2.1
    assert max(runner.ended.values()) < 8


@pytest.mark.parametrize("kind", [SYNC, THREADS])
@pytest.mark.parametrize("connections", [1, 64])
def test_a_list_that_hangs_holds_nothing_up(
    connections: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It occupies a connection; the fleet does not wait for it, not even at its end."""
    runner, go = Runner(kind, monkeypatch, Passing()), threading.Event()
    model = Watched(runner.clock, lambda method, _: method == LIST and go.wait(30) and None)
    model.meta.config.max_pool_connections = connections
    monkeypatch.setattr("kvs_streams._workers._CLOSING", 20.0)
    if connections == 1:  # nothing else can be sent
        threading.Timer(0.2, go.set).start()
    try:
        assert outcomes(runner.run(model, named(25), max_in_flight=1)) == {"CREATED": 25}
        assert (go.is_set(), model.peak) == (connections == 1, min(connections, 2))
    finally:
        go.set()
        wait_until(is_quiet)


@pytest.mark.parametrize("runner", [SYNC, THREADS], indirect=True)
@pytest.mark.parametrize("connections, max_in_flight", [(2, 64), (64, 2), (1, 1)])
def test_calls_in_flight_are_bounded(connections: int, max_in_flight: int, runner: Runner) -> None:
    """The bound is ``max_in_flight`` besides the list, and never more than the connections."""
    # So that the pace is no bound.
    model = Watched(runner.clock, creating=0, takes=0.1)
    model.meta.config.max_pool_connections = connections
    runner.run(model, named(30), rate=1e6, max_in_flight=max_in_flight)
    assert outcomes(runner.pairs) == {"CREATED": 30}
    assert min(connections, max_in_flight) <= model.peak <= min(connections, max_in_flight + 1)


def test_memory_does_not_grow_with_the_fleet(runner: Runner) -> None:
    """A stream that is done is dropped, with its request."""
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    left: list[int] = []

    def watch() -> None:
        runner.pairs.clear()
        left.append(len(alive))

    runner.watch = watch

    def requests() -> Iterator[Any]:
        for i in range(300):
            (request,) = named(1, i)
            alive.add(request)
            yield request

    runner.run(Model(runner.clock), requests())
    assert len(left) == 300
    assert left[-1] < 10


# The end of creates


# If first attempts are throttled, one stream waits for its second when the account is full.
@pytest.mark.parametrize("first, most", [("full", 1), ("throttle", 3)])
def test_a_full_account_confirms_what_exists(first: str, most: int, runner: Runner) -> None:
    """Each remaining stream is described: found it is EXISTING, else it gets the error."""
    faults = {(CREATE, 0): first, (CREATE, 1): "full"}
    model = Model(runner.clock, takes=2.0, fault=lambda call, _, number: faults.get((call, number)))
    model.add(*(request.stream_name for request in named(10, 8)))
    runner.run(model, named(18), max_in_flight=1)
    assert outcomes(runner.pairs) == {"EXISTING": 10, "AccountStreamLimitExceededException": 8}
    assert model.made.count(CREATE) <= most
    for request, result in runner.pairs:
        assert getattr(result, "stream_name", request.stream_name) == request.stream_name


@pytest.mark.parametrize("method", [CREATE, DESCRIBE])
def test_expired_credentials_stop_the_sending(method: str, runner: Runner) -> None:
    """Each remaining request gets a copy of the error, which tells of its own create alone."""

    def fault(called: str, name: str, _: int) -> str | None:
        if called == method:
            return "expired"
        return "broken after" if (called, name) == (CREATE, "camera-00000") else None

    model = Model(runner.clock, fault=fault)
    runner.run(model, named(200), max_in_flight=2)
    assert outcomes(runner.pairs) == {"AuthenticationError": 200}
    assert model.made.count(method) <= 2
    made = {stream.name: stream.arn for stream in model.history}
    answered = 0
    for request, error in runner.pairs:
        assert isinstance(error, KvsStreamsError)
        assert error.stream_name == request.stream_name
        known = error.created.stream_arn if error.created else None
        unknown = "earlier create" in str(error)
        assert unknown == (method == DESCRIBE and request.stream_name == "camera-00000")
        assert unknown or known == made.get(request.stream_name)
        answered += error.request_id is not None
    assert answered == model.made.count(method)


@pytest.mark.parametrize("kind", [SYNC, THREADS])
def test_calls_in_flight_give_their_own_results(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no longer concerned when credentials expire."""
    both = threading.Barrier(2)
    runner = Runner(kind, monkeypatch, Passing())
    fault = on(DESCRIBE, "expired", "camera-00000")

    def wait(method: str, _: str) -> None:
        if method == DESCRIBE:
            both.wait(30)

    runner.run(Watched(runner.clock, wait, fault=fault), named(2))
    assert outcomes(runner.pairs) == {"AuthenticationError": 1, "CREATED": 1}


def test_what_botocore_does_not_send_concerns_one_request(runner: Runner) -> None:
    """A ``ParamValidationError`` stops no other stream."""

    def refuse(method: str, name: str) -> None:
        if (method, name) == (CREATE, "camera-00000"):
            raise ParamValidationError(report="no such member")

    runner.run(Watched(runner.clock, refuse), named(10), max_in_flight=1)
    assert outcomes(runner.pairs) == {"CREATED": 9, "ConfigurationError": 1}


class Failed(BaseException):
    """What ``pytest.fail`` raises is no ``Exception`` either."""


@pytest.mark.parametrize("method", [CREATE, DESCRIBE, LIST])
@pytest.mark.parametrize(
    "bug, raised",
    [
        (KeyError("a bug"), KeyError),
        (Failed(), Failed),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (StopIteration(), RuntimeError),
        (asyncio.CancelledError(), asyncio.CancelledError),
    ],
)
def test_a_bug_in_a_fake_is_raised_at_once(
    bug: BaseException, raised: type[BaseException], method: str, runner: Runner
) -> None:
    """It is not taken for a lost response."""

    def fail(called: str, _: str) -> None:
        if called == method:
            raise bug

    with pytest.raises(raised):
        runner.run(Watched(runner.clock, fail), named(30))
    assert len(runner.pairs) < 30


# The end of a fleet


def test_leaving_the_loop_sends_nothing_more(runner: Runner) -> None:
    """No thread stays; those of an async client end after the call that they make."""
    model = Model(runner.clock)
    runner.run(model, named(300), 3, max_in_flight=4)
    assert runner.kind != SYNC or is_quiet()
    made = len(model.calls)
    wait_until(is_quiet)
    assert len(model.calls) <= made + 4


def test_a_call_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fleet is left after five seconds; the call ends in its thread."""
    monkeypatch.setattr("kvs_streams._workers._CLOSING", 0.01)
    go = threading.Event()

    def hang(method: str, name: str) -> None:
        assert name == "camera-00000" or go.wait(30)

    model = Watched(use(Passing(), monkeypatch), hang)
    results = StreamsClient(model).ensure_streams(named(2))
    assert next(results)[0].stream_name == "camera-00000"
    results.close()
    assert not is_quiet()
    go.set()
    wait_until(is_quiet)


def test_worker_threads(runner: Runner) -> None:
    """A call sees what its caller had set, such as a tracing span; no thread is idle."""
    wait_until(is_quiet)
    variable = contextvars.ContextVar("variable", default="unset")
    seen: list[tuple[str, int]] = []
    token = variable.set("set")
    model = Watched(runner.clock, lambda *_: seen.append((variable.get(), workers())))
    runner.run(model, named(3), max_in_flight=1)
    variable.reset(token)
    assert seen == [("set", 0 if runner.kind == TASKS else 1)] * 6


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"rate": 0}, ValueError, "rate must .*, got 0"),
        ({"rate": float("nan")}, ValueError, "rate must .*, got nan"),
        ({"rate": float("inf")}, ValueError, "rate must"),
        ({"rate": "50"}, TypeError, "'<' not supported"),
        ({"max_in_flight": 0}, ValueError, "max_in_flight must"),
        ({"timeout": -1}, ValueError, "timeout must"),
        ({"on_drift": "explode"}, ValueError, "on_drift must .*, not 'explode'"),
        ({"requests": 7}, TypeError, "'int' object is not"),
    ],
)
def test_bad_arguments_are_refused_by_the_call(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """Nothing has to be iterated to learn of them."""
    for client_class in StreamsClient, AsyncStreamsClient:
        client: Any = client_class(Model(VirtualClock()))
        with pytest.raises(error, match=f"^{text}"):
            client.ensure_streams(**{"requests": [], **options})


_AFTER_MAIN = """
import pytest, threading
from support.fleets import Runner, named, outcomes
from support.service import Model
def run():
    threading.main_thread().join()
    runner = Runner("sync", pytest.MonkeyPatch())
    print(dict(outcomes(runner.run(Model(runner.clock), named(5)))))
threading.Thread(target=run).start()
"""


@pytest.mark.skipif(
    (3, 12, 0) <= sys.version_info < (3, 12, 3), reason="CPython issue 113964: no new threads"
)
def test_a_fleet_goes_on_after_the_main_thread(pytestconfig: pytest.Config) -> None:
    """An ordinary thread keeps its fleet."""
    path = os.pathsep.join([str(pytestconfig.rootpath), str(pytestconfig.rootpath / "tests")])
    command, env = [sys.executable, "-c", _AFTER_MAIN], {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert done.stdout == "{'CREATED': 5}\n"
