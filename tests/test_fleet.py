"""``ensure_streams``: one pair for each request, whatever happens, in virtual time."""

import subprocess
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from hypothesis import HealthCheck, given, settings, strategies as st
from support.clock import VirtualClock, use
from support.fleets import KINDS, SYNC, TASKS, Runner, named, outcomes
from support.service import CREATE, DESCRIBE, LIST, Answer, Model

from kvs_streams import EnsuredStream, StreamsClient, WaitTimeoutError
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
    "broken after": (CREATE, "RECOVERED"),
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


@pytest.mark.parametrize("number", [60, 200])
def test_deadlines_hold_while_creates_wait_for_their_turn(number: int, runner: Runner) -> None:
    """Each stream times out in its own time after its first call, with the throttle as cause."""
    model = Model(runner.clock, fault=on(CREATE, "throttle"))
    runner.run(model, named(number), timeout=5.0)
    assert outcomes(runner.pairs) == {"WaitTimeoutError": number}
    begun: dict[str, float] = {}
    for method, at, kwargs in model.calls:
        if method == CREATE:
            begun.setdefault(kwargs["StreamName"], at)
    for request, error in runner.pairs:
        assert isinstance(error, WaitTimeoutError)
        assert isinstance(error.__cause__, ClientLimitExceededException)
        assert 4.999 < runner.ended[request.stream_name] - begun[request.stream_name] < 5.3


@pytest.mark.parametrize("item", ["camera", None])
def test_what_is_no_request_is_raised_last(item: object, runner: Runner) -> None:
    """The results of what was taken before come first."""
    with pytest.raises(TypeError):
        runner.run(Model(runner.clock), [*named(3), item, *named(3, 3)])
    assert outcomes(runner.pairs) == {"CREATED": 3}


def test_what_the_iterable_raises_comes_last(runner: Runner) -> None:
    """So do exceptions of the caller's own."""

    def failing() -> Iterator[Any]:
        yield from named(3)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        runner.run(Model(runner.clock), failing())
    assert outcomes(runner.pairs) == {"CREATED": 3}


def test_requests_are_taken_a_bounded_number_ahead(runner: Runner) -> None:
    """An endless iterable is no trouble."""
    taken: list[Any] = []

    def endless() -> Iterator[Any]:
        while True:
            taken.extend(named(1, len(taken)))
            yield taken[-1]

    runner.run(Model(runner.clock), endless(), 5)
    assert len(taken) <= 2_010


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
    runner.run(Model(runner.clock), [*named(3), *named(3)])
    assert outcomes(runner.pairs) == {"CREATED": 3, "EXISTING": 3}


def test_the_first_describe_comes_after_its_pause(runner: Runner) -> None:
    """It is 1.5 to 2 s after the create."""
    model = Model(runner.clock)
    runner.run(model, named(5))
    made = {(m, k["StreamName"]): at for m, at, k in model.calls}
    for request in named(5):
        name = request.stream_name
        assert 1.5 <= made[DESCRIBE, name] - made[CREATE, name] <= 2.1


def test_a_throttled_stream_delays_no_other(runner: Runner) -> None:
    """The others take the time that they take without it."""
    model = Model(runner.clock, fault=on(CREATE, "throttle", "camera-00000"))
    runner.run(model, named(100), timeout=60.0)
    assert outcomes(runner.pairs) == {"CREATED": 99, "WaitTimeoutError": 1}
    assert sorted(runner.ended.values())[-2] < 1.2 * 4.5


# The list


@pytest.mark.parametrize("number, lists", [(19, 0), (20, 1)])
def test_a_small_fleet_lists_nothing(number: int, lists: int, runner: Runner) -> None:
    """The list starts when the 20th request is taken."""
    model = Model(runner.clock)
    runner.run(model, named(number))
    assert model.made.count(LIST) == lists


@pytest.mark.parametrize("fault", ["denied", "lost", "broken", "throttle"])
def test_a_list_that_fails_is_only_a_hint(fault: str, runner: Runner) -> None:
    """The streams are created all the same."""
    model = Model(runner.clock, fault=on(LIST, fault))
    assert outcomes(runner.run(model, named(30))) == {"CREATED": 30}


def test_a_stream_that_the_list_shows_though_it_is_gone_is_created(runner: Runner) -> None:
    """The describe decides."""
    model, requests = Model(runner.clock), named(25)
    model.add(*(request.stream_name for request in requests[20:]))  # not sent before the list
    answer = model.answer

    def vanishing(method: str, kwargs: dict[str, Any]) -> Any:
        reply = answer(method, kwargs)
        if method == LIST:
            for request in requests[20:]:
                model.vanish(request.stream_name)
        return reply

    model.answer = vanishing  # type: ignore[method-assign]
    assert outcomes(runner.run(model, requests)) == {"CREATED": 25}


def test_every_page_of_the_list_counts(runner: Runner) -> None:
    """Creates wait for the pages up to two seconds; what they show is described at once."""
    model, requests = Model(runner.clock), named(1_400)[-100:]
    model.add(*(request.stream_name for request in named(1_400)))
    assert outcomes(runner.run(model, requests)) == {"EXISTING": 100}
    assert model.made.count(LIST) == 2
    assert model.made.count(CREATE) < 20


def test_an_endless_list_holds_nothing_up(runner: Runner) -> None:
    """Creates wait for it two seconds at the most, and the fleet ends without it."""
    model = Model(runner.clock)
    answer = model.answer

    def endless(method: str, kwargs: dict[str, Any]) -> Any:
        if method == LIST:
            return Answer({"StreamInfoList": [], "NextToken": str(len(model.calls))})
        return answer(method, kwargs)

    model.answer = endless  # type: ignore[method-assign]
    assert outcomes(runner.run(model, named(40))) == {"CREATED": 40}
    assert max(runner.ended.values()) < 8


def test_a_client_that_cannot_list_creates_each_stream(runner: Runner) -> None:
    """A fake with the operations of the protocol alone is enough."""
    model = Model(runner.clock)
    runner.hidden = {LIST}
    assert outcomes(runner.run(model, named(30))) == {"CREATED": 30}
    assert LIST not in model.made


class Crowded(Model):
    """Counts the calls that are in flight together."""

    now = peak = 0

    def call(self, method: str, kwargs: dict[str, Any]) -> Any:
        with self._lock:
            self.now += 1
            self.peak = max(self.peak, self.now)
        time.sleep(0.001)  # in which other threads can begin a call
        try:
            return super().call(method, kwargs)
        finally:
            with self._lock:
                self.now -= 1


@pytest.mark.parametrize("connections, max_in_flight", [(2, 64), (64, 2), (1, 1)])
def test_calls_in_flight_are_bounded(
    connections: int, max_in_flight: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is ``max_in_flight`` besides the list, and never more than the connections."""
    runner = Runner(SYNC, monkeypatch)
    model = Crowded(runner.clock, creating=0, takes=0.1)  # so that the pace is no bound
    model.meta.config.max_pool_connections = connections
    runner.run(model, named(30), rate=1e6, max_in_flight=max_in_flight)
    assert outcomes(runner.pairs) == {"CREATED": 30}
    assert model.peak <= min(connections, max_in_flight + 1)


def test_memory_does_not_grow_with_the_fleet(runner: Runner) -> None:
    """A stream that is done is dropped, with its request."""
    alive: weakref.WeakSet[Any] = weakref.WeakSet()
    left: list[int] = []
    runner.keep = False
    runner.watch = lambda: left.append(len(alive))

    def requests() -> Iterator[Any]:
        for i in range(300):
            (request,) = named(1, i)
            alive.add(request)
            yield request

    runner.run(Model(runner.clock), requests())
    assert len(left) == 300
    assert left[-1] < 10


# The end of creates


def test_a_full_account_confirms_what_exists(runner: Runner) -> None:
    """Each remaining stream is described: found it is EXISTING, else it gets the error."""
    model = Model(runner.clock, fault=on(CREATE, "full"))
    model.add(*(request.stream_name for request in named(10, 8)))
    runner.run(model, named(18), max_in_flight=2)
    expected = {"EXISTING": 10, "AccountStreamLimitExceededException": 8}
    assert outcomes(runner.pairs) == expected
    assert model.made.count(CREATE) <= 2
    assert all(
        error.stream_name == request.stream_name
        for request, error in runner.pairs
        if isinstance(error, KvsStreamsError)
    )


def test_expired_credentials_stop_the_sending(runner: Runner) -> None:
    """Each remaining request gets a copy of the error with its own name."""
    model = Model(runner.clock, fault=on(CREATE, "expired"))
    runner.run(model, named(50), max_in_flight=2)
    assert outcomes(runner.pairs) == {"AuthenticationError": 50}
    assert model.made.count(CREATE) <= 2
    for request, error in runner.pairs:
        assert isinstance(error, KvsStreamsError)
        assert error.stream_name == request.stream_name


def test_credentials_that_expire_midway_leave_each_stream_its_own_arn(runner: Runner) -> None:
    """What had been created says so, and nothing more is sent."""
    model = Model(runner.clock, fault=on(DESCRIBE, "expired"))
    runner.run(model, named(200), max_in_flight=2)
    assert outcomes(runner.pairs) == {"AuthenticationError": 200}
    assert model.made.count(DESCRIBE) <= 2
    made = {stream.name: stream.arn for stream in model.history}
    for request, error in runner.pairs:
        assert isinstance(error, KvsStreamsError)
        assert error.stream_name == request.stream_name
        arn = error.created and error.created.stream_arn
        assert arn == made.get(request.stream_name)


def test_what_botocore_does_not_send_concerns_one_request(runner: Runner) -> None:
    """A ``ParamValidationError`` stops no other stream."""
    model = Model(runner.clock)
    answer = model.answer

    def refusing(method: str, kwargs: dict[str, Any]) -> Any:
        if method == CREATE and kwargs["StreamName"] == "camera-00000":
            return Answer(failure=ParamValidationError(report="no such member"))
        return answer(method, kwargs)

    model.answer = refusing  # type: ignore[method-assign]
    runner.run(model, named(10), max_in_flight=1)
    assert outcomes(runner.pairs) == {"CREATED": 9, "ConfigurationError": 1}


@pytest.mark.parametrize("method", [CREATE, DESCRIBE, LIST])
def test_a_bug_in_a_fake_is_raised_at_once(method: str, runner: Runner) -> None:
    """It is not taken for a lost response."""
    model = Model(runner.clock)
    answer = model.answer

    def failing(called: str, kwargs: dict[str, Any]) -> Any:
        if called == method:
            raise KeyError("a bug")
        return answer(called, kwargs)

    model.answer = failing  # type: ignore[method-assign]
    with pytest.raises(KeyError, match="a bug"):
        runner.run(model, named(30))


def test_leaving_the_loop_sends_nothing_more(runner: Runner) -> None:
    """No thread stays; those of an async client end after the call that they make."""

    def is_quiet() -> bool:
        return not any(each.name == "kvs_streams" for each in threading.enumerate())

    model = Model(runner.clock)
    runner.run(model, named(300), 3, max_in_flight=4)
    assert runner.kind != SYNC or is_quiet()
    made = len(model.calls)
    wait_until(is_quiet)
    assert len(model.calls) <= made + 4


@pytest.mark.parametrize(
    "options, error",
    [
        ({"rate": 0}, ValueError),
        ({"rate": float("nan")}, ValueError),
        ({"rate": "50"}, TypeError),
        ({"max_in_flight": 0}, ValueError),
        ({"max_in_flight": 2.5}, TypeError),
        ({"timeout": -1}, ValueError),
        ({"on_drift": "explode"}, ValueError),
        ({"requests": 7}, TypeError),
    ],
)
def test_bad_arguments_are_refused_by_the_call(
    options: dict[str, Any], error: type[Exception]
) -> None:
    """Nothing has to be iterated to learn of them."""
    client: Any = StreamsClient(Model(VirtualClock()))  # type: ignore[arg-type]
    with pytest.raises(error):
        client.ensure_streams(**{"requests": [], **options})


_FAULT = st.sampled_from(
    ["throttle", "broken", "broken after", "lost", "lost after", "retried after", "denied", None]
)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(faults=st.lists(st.lists(_FAULT, max_size=3), min_size=1, max_size=25))
def test_pairs_are_requests_whatever_falls_on_creates(faults: list[list[str | None]]) -> None:
    """Every request has one pair, and no stream is created twice."""
    with pytest.MonkeyPatch.context() as patch:
        runner = Runner(SYNC, patch)

        def fault(method: str, name: str, count: int) -> str | None:
            script = faults[int(name[-5:])] if method == CREATE else []
            return script[count] if count < len(script) else None

        model, requests = Model(runner.clock, fault=fault), named(len(faults))
        runner.run(model, requests)
    assert Counter(r.stream_name for r, _ in runner.pairs) == Counter(
        r.stream_name for r in requests
    )
    assert max(Counter(stream.name for stream in model.history).values(), default=0) <= 1
    for request, result in runner.pairs:
        if isinstance(result, EnsuredStream):
            assert request.stream_name in model.streams


_AFTER_MAIN = """
import sys, threading
sys.path[:0] = [{root!r}, {tests!r}]
from support.clock import VirtualClock, use
from support.fleets import named, outcomes
from support.service import Model
import kvs_streams._clock
from kvs_streams import StreamsClient

clock = kvs_streams._clock.clock = VirtualClock()

def run():
    threading.main_thread().join()
    print(dict(outcomes(list(StreamsClient(Model(clock)).ensure_streams(named(5))))))

threading.Thread(target=run).start()
"""


@pytest.mark.skipif(
    (3, 12, 0) <= sys.version_info < (3, 12, 3), reason="CPython issue 113964: no new threads"
)
def test_a_fleet_goes_on_after_the_main_thread(pytestconfig: pytest.Config) -> None:
    """An ordinary thread keeps its fleet."""
    root = pytestconfig.rootpath
    script = _AFTER_MAIN.format(root=str(root), tests=str(root / "tests"))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("{'CREATED': 5}\n", "")


def test_a_long_turn_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flows are resumed for 10 ms; the rest comes in the next turn, without a pause."""

    class Slow(VirtualClock):
        def now(self) -> int:
            self.advance(0.003)
            return super().now()

    clock = use(Slow(), monkeypatch)
    model = Model(clock)
    results = StreamsClient(model).ensure_streams(named(30), wait=False)
    assert len(list(results)) == 30
