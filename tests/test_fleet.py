"""Fleets in virtual time, against the control plane that enforces AWS's quotas."""

import gc
import logging
import random
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, pairwise
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError, NoCredentialsError
from fake_io import UNSENT, ScriptedBoto, created, seen
from hypothesis import given, settings, strategies as st
from support.clock import FakeClock
from support.fleets import (
    Later,
    Script,
    Voyage,
    launch,
    named,
    refusal,
)

from kvs_streams import (
    AccessDeniedError,
    AccountStreamLimitExceededException,
    AuthenticationError,
    ConfigurationError,
    CreateStreamRequest,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    ResourceNotFoundException,
    ServerError,
    StorageTier,
    StreamDeletingError,
    StreamDriftError,
    StreamsClient,
    StreamStatus,
    StreamStorageConfiguration,
    TransportError,
    WaitTimeoutError,
)
from kvs_streams._client import check_fleet
from kvs_streams._flows import fleet as module
from kvs_streams._flows.io import SECOND, run
from kvs_streams._text import shown

FAULTS = {"errors": 0.01, "lost": 0.005}
SWIFT = {"active_after": (0.0, 0.0), "latency": (0.02, 0.06)}
DENIED: dict[str, Any] = {"denied": ("ListStreams",)}
FIRST_PAGE = {"MaxResults": 10_000}
AT_LIMIT = "AccountStreamLimitExceededException"


def complete(voyage: Voyage, number: int) -> None:
    """Check that every stream is there, created once, and known to be ACTIVE."""
    assert voyage.error is None
    assert len(voyage.pairs) == number
    assert voyage.created == {request.stream_name: 1 for request, _ in voyage.pairs}
    assert set(voyage.outcomes) <= {"CREATED", "RECOVERED"}
    assert {result.stream.status for _, result in voyage.pairs} == {StreamStatus.ACTIVE}


def first_pages(voyage: Voyage) -> list[int]:
    """Return when the lists of a fleet began."""
    flights = voyage.simulation.flights
    return [flight.sent[0] for flight in flights if flight.call.kwargs == FIRST_PAGE]


def only(voyage: Voyage) -> Any:
    """Return the only result of a fleet."""
    ((_, result),) = voyage.pairs
    return result


# The figures


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "number, least, options, service, pause",
    [
        pytest.param(2_000, 98, {}, {}, 0, id="plain"),
        pytest.param(
            4_000, 95, {"rate": 200.0}, {"rate": 200.0, "burst": 200.0}, 0, id="a quota of 200"
        ),
        pytest.param(1_000, 95, {}, {"latency": (0.4, 0.6)}, 0, id="slow replies"),
        pytest.param(1_000, 92, {}, {"list_lag": 5.0}, 0, id="a late list"),
        pytest.param(1_000, 95, {}, {}, 0.015, id="a slow consumer"),
        pytest.param(
            1_000,
            95,
            {},
            {"unrelated": 10_000, "account_limit": 20_000},
            0,
            id="10,000 unrelated streams",
        ),
    ],
)
def test_a_fleet_uses_the_quota(
    number: int,
    least: int,
    options: dict[str, Any],
    service: dict[str, Any],
    pause: float,
    seed: int,
) -> None:
    """Nearly the whole quota is used, little is throttled, few streams are described."""
    voyage = launch(named(number), options=options, seed=seed, **FAULTS, **service)
    complete(voyage.finish(pause), number)
    assert voyage.share >= least
    assert voyage.throttled < 2
    assert voyage.calls("DescribeStream") < number / 20


@pytest.mark.parametrize("seed", range(2))
def test_without_permission_to_list_streams_are_described(seed: int) -> None:
    """The quota is used all the same, with about one describe for each stream."""
    voyage = launch(named(1_000), seed=seed, **FAULTS, **DENIED).finish()
    complete(voyage, 1_000)
    assert voyage.share >= 92
    assert voyage.throttled < 2
    assert voyage.calls("ListStreams") == 1
    assert voyage.calls("DescribeStream") < 1_600
    assert voyage.calls("DescribeStream", "throttled") == 0


@pytest.mark.parametrize("seed", range(2))
def test_a_neighbour_keeps_its_share(seed: int) -> None:
    """What a neighbour leaves of the quota is used, and the neighbour loses little."""
    voyage = launch(named(1_500), seed=seed, **FAULTS)
    simulation, chance, codes = voyage.simulation, random.Random(seed), Counter[str | None]()

    def visit() -> None:
        name = f"other-{codes.total()}"
        codes[simulation.perform("CreateStream", StreamName=name).code] += 1
        pause = round(SECOND / 25 * chance.uniform(0.95, 1.05))
        simulation.schedule(simulation.clock.nanoseconds + pause, visit)

    simulation.schedule(0, visit)
    voyage.finish()
    lost = codes["ClientLimitExceededException"]
    assert len(voyage.pairs) == 1_500
    assert lost < codes.total() / 20
    own = voyage.calls("CreateStream", "accepted") - (codes.total() - lost)
    assert own / (50 + 25 * simulation.stats()["seconds"]) >= 0.95


def test_running_again_creates_nothing() -> None:
    """A second run finds all streams in the pages of one list."""
    first = launch(named(1_500)).finish()
    again = launch(named(1_500), after=first).finish()
    assert again.outcomes == {"EXISTING": 1_500}
    assert again.calls("CreateStream") == again.calls("DescribeStream") == 0
    assert again.calls("ListStreams") == 2
    assert again.times[-1] < 2


def test_running_again_goes_on_after_an_interruption() -> None:
    """A fleet that was left midway is completed, and nothing is created twice."""
    first = launch(named(300), **FAULTS)
    for _, _ in zip(range(100), first, strict=False):
        pass
    first.fleet.close()
    again = launch(named(300), after=first).finish()
    assert set(again.outcomes) == {"EXISTING", "CREATED"}
    assert len(again.results) == 300
    assert set(again.created.values()) == {1}


@pytest.mark.parametrize("service", [FAULTS, DENIED], ids=["listed", "described"])
def test_calls_keep_to_the_quotas_of_reads(service: dict[str, Any]) -> None:
    """Lists are a second apart, and a stream gets no more describes than it may."""
    voyage = launch(named(600), **service).finish()
    lists = voyage.simulation.sent("ListStreams")
    assert all(later - earlier > 0.99 for earlier, later in pairwise(lists[1:]))
    describes: dict[str, list[int]] = {}
    for flight in voyage.simulation.flights:
        if flight.call.operation_name == "DescribeStream":
            describes.setdefault(flight.call.stream_name, []).extend(flight.sent)
    for times in describes.values():
        assert all(later - earlier > SECOND / 5 for earlier, later in pairwise(sorted(times)))
    assert voyage.calls("ListStreams", "throttled") == 0
    assert voyage.calls("DescribeStream", "throttled") == 0


def test_describes_keep_to_the_quota_of_the_account() -> None:
    """When all streams are described at once, they wait for their turn."""
    members = {
        "tags": {"site": "a"},
        "stream_storage_configuration": StreamStorageConfiguration(default_storage_tier="WARM"),
    }
    first = launch(named(800, **members), rate=1e6, burst=1e6, options={"rate": 1e4}).finish()
    again = launch(
        named(800, **members), after=first, options={"rate": 1e4}, latency=(0.0, 0.0), **DENIED
    ).finish()
    assert again.outcomes == {"EXISTING": 800}
    for operation in ("DescribeStream", "ListTagsForStream", "DescribeStreamStorageConfiguration"):
        assert again.calls(operation) == 800
        assert again.calls(operation, "throttled") == 0


# Whatever happens

_names = st.integers(0, 7).map("camera-{}".format)
_requests = st.builds(
    CreateStreamRequest,
    stream_name=_names,
    media_type=st.sampled_from([None, "video/h264", "video/h265"]),
    tags=st.sampled_from([None, {"site": "a"}]),
)
_shares = st.sampled_from([0.0, 0.0, 0.1, 0.4])
_spans = st.sampled_from([(0.0, 0.0), (0.02, 0.06), (0.5, 3.0)])
_services = st.fixed_dictionaries(
    {
        "errors": _shares,
        "errors_work": st.sampled_from([0.0, 0.5, 1.0]),
        "lost": _shares,
        "lost_work": st.sampled_from([0.0, 1.0]),
        "rate": st.sampled_from([1.0, 50.0]),
        "burst": st.sampled_from([1.0, 50.0]),
        "window": st.booleans(),
        "latency": _spans,
        "active_after": _spans,
        "delete_after": st.sampled_from([0.5, 12.0]),
        "list_lag": st.sampled_from([0.0, 0.0, 3.0, 15.0]),
        "account_limit": st.sampled_from([5, 10_000]),
        "unrelated": st.sampled_from([0, 0, 0, 1_001]),
        "tag_page": st.sampled_from([1, 50]),
        "denied": st.sets(
            st.sampled_from(["ListStreams", "DescribeStream", "CreateStream", "ListTagsForStream"]),
            max_size=1,
        ).map(tuple),
        "seed": st.integers(0, 1_000),
    }
)
_options = st.fixed_dictionaries(
    {
        "rate": st.sampled_from([0.5, 50.0, 1e6]),
        "max_in_flight": st.sampled_from([1, 2, 3, 32]),
        "wait": st.booleans(),
        "timeout": st.sampled_from([0, 0.5, 5.0, 60.0]),
        "on_drift": st.sampled_from(["raise", "ignore"]),
    }
)
_outsider = st.tuples(
    st.floats(0, 20), st.sampled_from(["create", "delete", "delete", "expire"]), _names
)


@settings(max_examples=150)
@given(
    requests=st.lists(_requests, max_size=16),
    before=st.lists(_requests, max_size=5),
    service=_services,
    options=_options,
    outsiders=st.lists(_outsider, max_size=4),
    attempts=st.sampled_from([1, 3]),
    pause=st.sampled_from([0.0, 0.0, 0.3, 20.0]),
    is_async=st.booleans(),
)
def test_there_is_one_pair_for_each_request_whatever_happens(
    requests: list[CreateStreamRequest],
    before: list[CreateStreamRequest],
    service: dict[str, Any],
    options: dict[str, Any],
    outsiders: list[tuple[float, str, str]],
    attempts: int,
    pause: float,
    is_async: bool,
) -> None:
    """Faults, quotas, limits, late lists and meddling neighbours never lose or repeat a result."""
    later = Later(*((i / 4, each) for i, each in enumerate(requests)))
    items: Any = later if is_async else requests
    voyage = launch(items, options=options, attempts=attempts, **service)
    simulation = voyage.simulation
    for request in before:
        simulation.perform("CreateStream", **request.to_boto())
    acts: dict[str, Callable[[str], object]] = {
        "create": lambda name: simulation.perform("CreateStream", StreamName=name),
        "delete": simulation.delete,
        "expire": lambda _: simulation.service.control({"expired": True}),
    }
    for at, act, name in outsiders:
        simulation.schedule(round(at * SECOND), partial(acts[act], name))
    voyage.finish(pause)
    assert voyage.error is None
    assert Counter(id(request) for request, _ in voyage.pairs) == Counter(map(id, requests))
    assert simulation.peak <= options["max_in_flight"]
    deletions = sum(act == "delete" for _, act, _ in outsiders)
    assert all(times <= 1 + deletions for times in voyage.created.values())
    for request, result in voyage.pairs:
        if isinstance(result, KvsStreamsError):
            continue
        assert result.stream.stream_name == request.stream_name
        assert result.stream.status is not StreamStatus.DELETING
        if options["wait"]:
            assert result.stream.status is StreamStatus.ACTIVE
        if result.outcome is not EnsureOutcome.EXISTING:
            assert not result.drift
            assert voyage.created[request.stream_name] >= 1
        assert options["on_drift"] == "ignore" or not result.drift


@pytest.mark.parametrize("max_in_flight", [1, 2, 3])
@pytest.mark.parametrize("service", [{}, DENIED], ids=["listed", "described"])
def test_few_calls_at_a_time_starve_nobody(max_in_flight: int, service: dict[str, Any]) -> None:
    """With one call at a time, creates and reads both get their turn."""
    voyage = launch(named(120), options={"max_in_flight": max_in_flight}, **service).finish()
    complete(voyage, 120)
    assert voyage.simulation.peak <= max_in_flight
    assert voyage.times[0] < 5
    assert voyage.times[-1] < 30


def test_creates_leave_a_place_for_reads() -> None:
    """Slow creates never take all the calls that may be in flight."""
    voyage = launch(named(60), options={"max_in_flight": 4}, latency=(0.4, 0.6)).finish()
    complete(voyage, 60)
    creates = voyage.simulation.stats()["operations"]["CreateStream"]
    assert creates["peak_in_flight"] == 3


# Outcomes


def test_drift_of_every_field_is_found() -> None:
    """A stream that exists is compared with its request, tags and tier included."""
    before = CreateStreamRequest(stream_name="camera", tags={"site": "a"})
    wanted = CreateStreamRequest(
        stream_name="camera",
        device_name="d",
        media_type="video/h264",
        kms_key_id="alias/mine",
        data_retention_in_hours=24,
        tags={"site": "b"},
        stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
    )
    first = launch([before]).finish()
    error = only(launch([wanted], after=first).finish())
    assert isinstance(error, StreamDriftError)
    default_key = only(first).stream.kms_key_id
    assert error.drift == (
        Drift("device_name", "d", None),
        Drift("media_type", "video/h264", None),
        Drift("kms_key_id", "alias/mine", default_key),
        Drift("data_retention_in_hours", 24, 0),
        Drift("tags['site']", "b", "a"),
        Drift("stream_storage_configuration.default_storage_tier", "WARM", StorageTier.HOT),
    )
    tolerant = launch([wanted], after=first, options={"on_drift": "ignore"}).finish()
    assert only(tolerant).drift == error.drift
    assert only(tolerant).outcome is EnsureOutcome.EXISTING
    blind = launch([wanted], after=first, denied=("ListTagsForStream",)).finish()
    assert only(blind).unverified == ("tags",)


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_lost_response_is_recovered(attempts: int) -> None:
    """A stream that a lost create made is the fleet's own, also if botocore sent it but once."""
    voyage = launch(named(50), lost=0.3, attempts=attempts).finish()
    complete(voyage, 50)
    assert voyage.outcomes["RECOVERED"] > 5


def test_what_was_certainly_not_sent_is_the_result() -> None:
    """A client that tries once tells what it did not send: that stream is not looked for."""
    voyage = launch(named(1), attempts=1)
    voyage.simulation.scripts["CreateStream"] = lambda _: UNSENT.failure
    result = only(voyage.finish())
    assert isinstance(result, TransportError)
    assert result.outcome_unknown is False
    methods = [flight.call.method for flight in voyage.simulation.flights]
    assert methods == ["list_streams", "create_stream"]


def test_a_slow_consumer_does_not_claim_the_streams_of_others() -> None:
    """What others made before a create of which the response is lost is not a recovered stream."""
    first, other = named(2)
    voyage = launch(Later((0.0, first), (8.0, other)), latency=(4.0, 4.0), **DENIED)
    simulation = voyage.simulation
    conflict = refusal("ResourceInUseException", retries=1)
    simulation.scripts["CreateStream"] = lambda number: conflict if number else None
    simulation.schedule(
        5 * SECOND, lambda: simulation.perform("CreateStream", StreamName=other.stream_name)
    )
    voyage.finish(pause=20.0)
    assert voyage.outcomes == {"CREATED": 1, "EXISTING": 1}


def test_a_slow_consumer_lets_no_deadline_pass() -> None:
    """A stream whose create is answered while the consumer is busy does not time out."""
    voyage = launch(named(200), options={"timeout": 10.0}, latency=(0.5, 0.6)).finish(pause=11.0)
    complete(voyage, 200)


def test_without_waiting_a_stream_may_be_creating() -> None:
    """With ``wait=False`` a stream is a result as soon as it is seen."""
    slow = {"active_after": (60.0, 60.0)}
    voyage = launch(named(20), options={"wait": False}, **slow).finish()
    assert voyage.outcomes == {"CREATED": 20}
    assert {result.stream.status for _, result in voyage.pairs} == {StreamStatus.CREATING}
    assert voyage.times[-1] < 3
    again = launch(named(20), after=voyage, options={"wait": False}).finish()
    assert again.outcomes == {"EXISTING": 20}


@pytest.mark.parametrize(
    "service", [{}, DENIED, {"list_lag": 4.0}], ids=["listed", "described", "late"]
)
def test_a_stream_that_is_deleted_is_waited_for_and_created_again(service: dict[str, Any]) -> None:
    """Its name is free some time later; without waiting it is an error."""
    first = launch(named(20)).finish()
    for request in named(20):
        first.simulation.delete(request.stream_name)
    first.simulation.clock.advance(5)
    hasty = launch(named(20), after=first, options={"wait": False}, **service)
    again = launch(named(20), after=first, **service)
    assert set(map(type, dict(hasty.finish().pairs).values())) == {StreamDeletingError}
    complete(again.finish(), 20)
    assert 5 < again.times[-1] < 20
    assert again.calls("DescribeStream", "throttled") == 0


def test_a_stream_that_is_deleted_by_others_midway_disappears() -> None:
    """The error says that this call had created it."""
    voyage = launch(named(1), active_after=(60.0, 60.0), delete_after=3.0)
    name = named(1)[0].stream_name
    simulation = voyage.simulation
    simulation.schedule(SECOND // 2, lambda: simulation.delete(name))
    error = only(voyage.finish())
    assert isinstance(error, StreamDeletingError)
    assert error.created is not None
    assert error.created.stream_arn.stream_name == name


def test_a_stream_that_disappears_is_described() -> None:
    """A stream that a list showed and the next does not is gone, whatever its grace period."""
    voyage = launch(named(1), active_after=(60.0, 60.0), delete_after=0.1)
    simulation, name = voyage.simulation, named(1)[0].stream_name
    simulation.schedule(3 * SECOND // 2, lambda: simulation.delete(name))
    error = only(voyage.finish())
    assert isinstance(error, ResourceNotFoundException)
    assert error.created is not None
    assert voyage.times[0] < 4


def test_a_replaced_stream_is_compared() -> None:
    """A stream that others made in the place of the fleet's own is not ``CREATED``."""
    request = CreateStreamRequest(stream_name="camera", media_type="video/h264")
    voyage = launch([request], active_after=(8.0, 8.0), delete_after=0.1)
    simulation = voyage.simulation
    simulation.schedule(SECOND // 4, lambda: simulation.delete("camera"))
    simulation.schedule(
        SECOND // 2, lambda: simulation.perform("CreateStream", StreamName="camera")
    )
    error = only(voyage.finish())
    assert isinstance(error, StreamDriftError)
    assert error.created is not None
    assert error.created.stream_arn != error.stream.stream_arn


@pytest.mark.parametrize("service", [{}, DENIED], ids=["listed", "described"])
def test_a_stream_that_stays_creating_times_out(service: dict[str, Any]) -> None:
    """Each stream has its deadline from its own first call, and the error carries what it saw."""
    voyage = launch(
        named(300), options={"timeout": 10.0}, active_after=(1e6, 1e6), **service
    ).finish()
    assert voyage.outcomes == {"WaitTimeoutError": 300}
    for _, error in voyage.pairs:
        assert isinstance(error, WaitTimeoutError)
        assert error.last_status is StreamStatus.CREATING
        assert error.created is not None
        assert 10 <= error.waited < 13
    assert voyage.times[-1] > 15


def test_a_queued_stream_has_all_its_time() -> None:
    """Neither waiting for the first call nor behind others counts, throttled or not."""
    voyage = launch(named(1_000), options={"timeout": 6.0}, **FAULTS).finish()
    complete(voyage, 1_000)
    assert voyage.calls("CreateStream", "throttled") > 0


def test_an_outage_is_survived() -> None:
    """While every create is throttled, none is lost."""
    voyage = launch(named(100))
    service = voyage.simulation.service
    voyage.simulation.schedule(SECOND, lambda: service.control({"rate": 1e-9, "burst": 0.0}))
    voyage.simulation.schedule(60 * SECOND, lambda: service.control({"rate": 50.0, "burst": 1.0}))
    complete(voyage.finish(), 100)


def test_an_outage_that_lasts_ends_in_timeouts() -> None:
    """While every create is throttled, each stream has its turn, and no stream holds up others."""
    voyage = launch(named(200), options={"timeout": 30.0}, rate=1e-9, burst=0.0).finish()
    assert voyage.outcomes == {"WaitTimeoutError": 200}
    # The slowest pace is one call a second.
    assert voyage.times[-1] < 600


# The same name


@pytest.mark.parametrize("service", [{}, DENIED], ids=["listed", "described"])
def test_the_same_name_twice_is_ensured_one_after_the_other(service: dict[str, Any]) -> None:
    """The second finds the first; with other settings that is drift. Never both are in flight."""
    request = CreateStreamRequest(stream_name="camera")
    other = CreateStreamRequest(stream_name="camera", media_type="video/h264")
    voyage = launch([request, *named(5), other, request, request], **service).finish()
    found = [(pair, result) for pair, result in voyage.pairs if pair.stream_name == "camera"]
    assert [pair for pair, _ in found] == [request, other, request, request]
    created, drift, *existing = (result for _, result in found)
    assert isinstance(created, EnsuredStream)
    assert created.outcome is EnsureOutcome.CREATED
    assert isinstance(drift, StreamDriftError)
    assert [each.outcome for each in existing] == [EnsureOutcome.EXISTING] * 2
    assert voyage.created["camera"] == 1


# Taking requests


def endless(taken: list[int] | None = None) -> Iterator[CreateStreamRequest]:
    """Yield requests for ever."""
    for number in count():
        if taken is not None:
            taken.append(number)
        yield from named(1, number)


@pytest.mark.parametrize("pause", [0.0, 1.0])
def test_requests_are_taken_a_bounded_number_ahead(pause: float) -> None:
    """An endless iterable works, and a slow consumer does not let results pile up."""
    voyage = launch(endless(), options={"rate": 1e4}, rate=1e6, burst=1e6, **SWIFT)
    ahead = 0
    for number, _ in zip(range(150 if pause else 3_000), voyage, strict=False):
        voyage.simulation.clock.advance(pause)
        ahead = max(ahead, voyage.simulation.taken - number - 1)
    voyage.fleet.close()
    # That many under way and in results, of which the consumer has one.
    assert 1_900 < ahead < 2_000


def test_memory_does_not_grow_with_the_fleet() -> None:
    """A hundred times as many requests leave no more objects behind while they run."""
    voyage = launch(endless(), options={"rate": 1e4}, rate=1e6, burst=1e6, **SWIFT)
    simulation = voyage.simulation
    sizes = []
    for number, (request, _) in enumerate(voyage):
        simulation.flights.clear()
        # The service forgets as well.
        account = next(iter(simulation.service._accounts.values()))
        account.remove(request.stream_name)
        account.created.clear()
        if number in {3_000, 9_000}:
            gc.collect()
            sizes.append(len(gc.get_objects()))
        if number == 9_000:
            break
    voyage.fleet.close()
    assert sizes[1] < sizes[0] * 1.1


@pytest.mark.parametrize("interval", [0.004, 0.015, 0.1])
def test_a_slow_iterable_does_not_hold_up_the_calls(interval: float) -> None:
    """While requests come slowly, those that are there are sent."""
    voyage: Voyage
    number = round(10 / interval / 2)

    def slowly() -> Iterator[CreateStreamRequest]:
        for each in named(number):
            voyage.simulation.clock.advance(interval)
            yield each

    voyage = launch(slowly())
    complete(voyage.finish(), number)
    quickest = max(number * interval, number / 50)
    assert voyage.times[-1] < quickest + 5
    # Not one for each request.
    assert len(first_pages(voyage)) < quickest + 6


def test_requests_that_come_later_wait_for_nothing() -> None:
    """A request that comes when nothing else is under way is looked for at once."""
    voyage = launch(Later(*zip(range(0, 50, 10), named(5), strict=True))).finish()
    complete(voyage, 5)
    assert all(time - start < 4 for time, start in zip(voyage.times, range(0, 50, 10), strict=True))
    creates = voyage.simulation.sent("CreateStream")
    assert all(at - start < 0.5 for at, start in zip(creates, range(0, 50, 10), strict=True))


def test_requests_one_after_the_other_wait_for_nothing() -> None:
    """A request that comes soon after a list is looked for at once too, if nothing is under way."""
    first = launch(named(5)).finish()
    began, starts = first.simulation.clock.now() / SECOND, [0.0, 0.3, 0.6, 0.9, 1.2]
    items = ((began + start, each) for start, each in zip(starts, named(5), strict=True))
    again = launch(Later(*items), after=first).finish()
    assert again.outcomes == {"EXISTING": 5}
    assert all(0 < at - start < 0.3 for at, start in zip(again.times, starts, strict=True))


def test_requests_beside_calls_that_are_under_way_share_lists() -> None:
    """While calls are in flight, there is one list a second, however the requests come."""
    items = ((number / 10, each) for number, each in enumerate(named(20)))
    voyage = launch(Later(*items), latency=(0.5, 0.5)).finish()
    complete(voyage, 20)
    lists = first_pages(voyage)
    assert all(later - earlier >= SECOND for earlier, later in pairwise(lists))


def test_many_requests_share_the_first_list() -> None:
    """The first list waits until all requests that are there were taken."""
    first = launch(named(500)).finish()
    again = launch(named(500), after=first).finish()
    assert again.outcomes == {"EXISTING": 500}
    assert len(first_pages(again)) == 1


def test_what_exists_is_described_at_once() -> None:
    """Without lists a create tells that a stream exists; the describe after it does not wait."""
    first = launch(named(1)).finish()
    again = launch(named(1), after=first, latency=(0.01, 0.01), **DENIED).finish()
    assert again.outcomes == {"EXISTING": 1}
    assert again.times[-1] < 0.1


def test_what_botocore_sent_again_delays_the_next_create() -> None:
    """Each request that botocore sends on its own costs an interval, also if the last one fails."""
    voyage = launch(named(2), options={"rate": 1.0})
    voyage.simulation.scripts["CreateStream"] = lambda number: (
        None if number else refusal("InternalFailure", 500, retries=4)
    )
    assert voyage.finish().outcomes == {"ServerError": 1, "CREATED": 1}
    one, other = voyage.simulation.sent("CreateStream")
    assert 4.5 < other - one < 5.5


def test_a_fleet_finds_out_that_the_quota_is_larger() -> None:
    """What is accepted raises the rate: 1,500 creates at the rate to start with last 30 s."""
    voyage = launch(named(1_500), options={"rate": 50.0}, rate=200.0).finish()
    complete(voyage, 1_500)
    assert voyage.times[-1] < 24


def test_a_throttled_create_keeps_its_place() -> None:
    """Its deadline runs, so it does not wait once more for all that are queued."""
    voyage = launch(named(1_500), options={"timeout": 15.0}).finish()
    complete(voyage, 1_500)
    assert voyage.calls("CreateStream", "throttled") > 0


def test_creates_keep_their_pace_while_others_are_slow() -> None:
    """A create that is due is sent before the one that is in flight is answered."""
    options = {"max_in_flight": 3, "rate": 1.0}
    voyage = launch(named(2), options=options, latency=(10, 10)).finish()
    one, other = voyage.simulation.sent("CreateStream")
    assert other - one < 2


@pytest.mark.parametrize("bad", [None, "camera", {"StreamName": "camera"}, 7])
def test_what_is_no_request_is_an_error_with_its_position(bad: object) -> None:
    """It is raised after the results of all that came before, and nothing is taken after it."""
    rest = named(5, 100)
    voyage = launch([*named(3), bad, *rest]).finish()
    assert isinstance(voyage.error, TypeError)
    wanted = "requests must yield CreateStreamRequest objects"
    assert str(voyage.error) == f"{wanted}, not {shown(bad)} (item 3, counted from 0)"
    complete_names = {request.stream_name for request, _ in voyage.pairs}
    assert complete_names == {request.stream_name for request in named(3)}
    assert voyage.simulation.taken == 4


@pytest.mark.parametrize("is_async", [False, True])
def test_what_the_iterable_raises_comes_last(is_async: bool) -> None:
    """Everything that was taken before is reported first."""
    failure = ZeroDivisionError("told by the iterable")

    def failing() -> Iterator[CreateStreamRequest]:
        yield from named(250)
        raise failure

    items = ((0.0, each) for each in [*named(250), failure])
    voyage = launch(Later(*items) if is_async else failing()).finish()
    assert voyage.error is failure
    assert len(voyage.pairs) == 250


def test_nothing_is_taken_after_an_error() -> None:
    """An iterator that raises is not asked again, though it could go on."""
    zeros = iter([0, 0])
    requests: Iterator[Any] = map((1).__floordiv__, zeros)
    voyage = launch(requests).finish()
    assert isinstance(voyage.error, ZeroDivisionError)
    assert list(zeros) == [0]


def test_an_empty_iterable_makes_no_call() -> None:
    """Nothing in, nothing out."""
    voyage = launch([]).finish()
    assert voyage.pairs == []
    assert voyage.error is None
    assert not voyage.simulation.flights


# Errors that stop the sending


def test_the_account_limit_stops_creates_and_confirms_what_exists() -> None:
    """At most ``max_in_flight`` creates are sent in vain; what exists is found all the same."""
    first = launch(named(300)).finish()
    requests = named(1_500)
    random.Random(0).shuffle(requests)
    voyage = launch(requests, after=first, account_limit=500, options={"max_in_flight": 8})
    voyage.finish()
    assert voyage.outcomes == {"CREATED": 200, "EXISTING": 300, AT_LIMIT: 1_000}
    errors = [each for _, each in voyage.pairs if isinstance(each, KvsStreamsError)]
    assert len(set(map(id, errors))) == 1_000
    for request, error in voyage.pairs:
        if isinstance(error, AccountStreamLimitExceededException):
            assert error.stream_name == request.stream_name
            assert error.created is None
    stats = voyage.simulation.stats()["operations"]["CreateStream"]
    assert stats["codes"][AT_LIMIT] <= 8


def test_without_lists_the_account_limit_confirms_what_exists_too() -> None:
    """Streams that get no create any more are described; the creates sent in vain stay few."""
    first = launch(named(100)).finish()
    requests = [*named(300, 100), *named(100)]
    options = {"max_in_flight": 8, "rate": 200.0}
    slow = {"rate": 200.0, "latency": (0.2, 0.2)}
    voyage = launch(requests, after=first, account_limit=150, options=options, **slow, **DENIED)
    voyage.finish()
    assert voyage.outcomes == {"CREATED": 50, "EXISTING": 100, AT_LIMIT: 250}
    codes = voyage.simulation.stats()["operations"]["CreateStream"]["codes"]
    assert codes[AT_LIMIT] <= 8
    assert voyage.calls("DescribeStream", "throttled") == 0


def test_the_account_limit_stops_creates_of_streams_that_exist() -> None:
    """A service that tells of the limit before it tells that a stream exists gets few creates."""
    first = launch(named(100)).finish()
    voyage = launch(named(100), after=first, options={"max_in_flight": 4}, **DENIED)
    voyage.simulation.scripts["CreateStream"] = lambda _: refusal(AT_LIMIT)
    assert voyage.finish().outcomes == {"EXISTING": 100}
    assert len(voyage.simulation.sent("CreateStream")) <= 4
    assert voyage.calls("DescribeStream") == 100


@pytest.mark.parametrize(
    "answer",
    [
        refusal("AccessDeniedException", 403),
        refusal("ResourceNotFoundException", 404),
        ConnectionClosedError(endpoint_url="https://kvs.example"),
    ],
    ids=["denied", "not-found", "lost"],
)
def test_at_the_limit_a_describe_in_vain_leaves_the_error(answer: object) -> None:
    """Where a stream cannot be described either, the limit of the account is what it meets."""
    voyage = launch(named(20), account_limit=0, **DENIED)
    voyage.simulation.scripts["DescribeStream"] = lambda number: (
        refusal("ClientLimitExceededException") if number < 3 else answer
    )
    assert voyage.finish().outcomes == {AT_LIMIT: 20}


@pytest.mark.parametrize("kind", ["expired", "no credentials"])
def test_credentials_that_end_midway_stop_the_sending(kind: str) -> None:
    """Every stream that is left gets the error, and few calls are made in vain."""
    voyage = launch(named(500), options={"max_in_flight": 4})
    simulation = voyage.simulation

    def end(number: int) -> object:
        is_over = simulation.clock.now() > 2 * SECOND
        if kind == "expired":
            return refusal("ExpiredTokenException", 403) if is_over else None
        return NoCredentialsError() if is_over else None

    for operation in ("CreateStream", "ListStreams", "DescribeStream"):
        simulation.scripts[operation] = end
    voyage.finish()
    expected = AuthenticationError if kind == "expired" else ConfigurationError
    failed = [error for _, error in voyage.pairs if isinstance(error, expected)]
    created = [each for _, each in voyage.pairs if isinstance(each, EnsuredStream)]
    assert len(failed) + len(created) == 500
    assert created
    assert len({str(error) for error in failed}) == 1 or kind == "expired"
    late = [at for at in simulation.sent("CreateStream") if at > 2]
    assert len(late) <= 4
    # What is not sent is not looked for either.
    assert len(simulation.sent("DescribeStream")) <= len(simulation.sent("CreateStream"))
    if kind == "expired":
        assert {error.code for error in failed} == {"ExpiredTokenException"}
    # Those that had been created say so, and only those.
    for request, error in voyage.pairs:
        if isinstance(error, expected):
            arn = error.created and error.created.stream_arn.stream_name
            assert arn in {None, request.stream_name}


def test_access_denied_stops_nothing() -> None:
    """Each create that is denied is a result of its own: a policy can allow some names."""
    voyage = launch(named(30), denied=("CreateStream",)).finish()
    assert voyage.outcomes == {"AccessDeniedError": 30}
    assert voyage.calls("CreateStream") == 30
    assert {type(error) for _, error in voyage.pairs} == {AccessDeniedError}


# Lists


def page(*infos: object, token: str | None = None) -> dict[str, Any]:
    """Return a page of ListStreams as botocore gives it."""
    reply: dict[str, Any] = {"StreamInfoList": list(infos), "ResponseMetadata": {}}
    return reply if token is None else {**reply, "NextToken": token}


def lost(_: int) -> object:
    """Answer as botocore does when it gets no response."""
    return ConnectionClosedError(endpoint_url="https://kinesisvideo.invalid")


FAILURES: dict[str, tuple[Script, int]] = {
    "denied": (lambda _: refusal("AccessDeniedException", 403), 1),
    "not offered": (lambda _: refusal("UnknownOperationException", 404), 1),
    "throttled": (lambda _: refusal("ClientLimitExceededException"), 3),
    "5xx": (lambda _: refusal("InternalFailure", 500), 3),
    "lost": (lost, 3),
    "unreadable": (lambda _: page({"StreamName": "camera-000000"}), 3),
    "a token again": (lambda _: page(token="again"), 2),
    "endless": (lambda number: page(token=str(number)), 21),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_a_list_that_fails_is_given_up(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After few lists in vain, streams are described."""
    monkeypatch.setattr(module, "_MAX_PAGES", 20)
    script, lists = FAILURES[kind]
    voyage = launch(named(150))
    voyage.simulation.scripts["ListStreams"] = script
    with caplog.at_level(logging.INFO, "kvs_streams"):
        complete(voyage.finish(), 150)
    assert len(voyage.simulation.sent("ListStreams")) == lists
    (message,) = [each.message for each in caplog.records if each.levelname == "INFO"]
    start, _, reason = message.partition(": ")
    assert start == "cannot list the streams, so each one is described"
    assert ("ListStreams" in reason) == (kind not in {"a token again", "endless"})
    assert (reason == "its pages do not end") == (kind in {"a token again", "endless"})
    assert "retry attempts" not in reason
    again = launch(named(150), after=voyage)
    again.simulation.scripts["ListStreams"] = script
    assert again.finish().outcomes == {"EXISTING": 150}


@pytest.mark.parametrize("wrong", [None, 5, "streams", {}])
def test_a_list_of_the_wrong_type_is_empty(wrong: object) -> None:
    """What holds no streams shows none, and every stream is created."""
    voyage = launch(named(3))
    voyage.simulation.scripts["ListStreams"] = lambda number: (
        {"StreamInfoList": wrong, "ResponseMetadata": {}} if number == 0 else None
    )
    complete(voyage.finish(), 3)


@pytest.mark.parametrize("kind", ["throttled", "5xx", "lost", "unreadable"])
def test_a_list_that_fails_now_and_then_is_made_again(kind: str) -> None:
    """Two failures in a row, with longer and longer pauses, do not end the listing."""
    script, _ = FAILURES[kind]
    voyage = launch(named(400))
    voyage.simulation.scripts["ListStreams"] = lambda number: (
        None if number % 3 == 2 else script(number)
    )
    complete(voyage.finish(), 400)
    assert voyage.calls("DescribeStream") == 0
    times = voyage.simulation.sent("ListStreams")
    assert 2 <= times[1] - times[0] < 3
    assert 4 <= times[2] - times[1] < 5


def test_requests_that_come_during_a_failure_do_not_hurry_the_list() -> None:
    """New requests wait for the pause after a list that failed, as all others do."""
    voyage = launch(Later(*((i / 10, each) for i, each in enumerate(named(100)))))
    voyage.simulation.scripts["ListStreams"] = lambda number: (
        refusal("InternalFailure", 500) if number < 2 else None
    )
    complete(voyage.finish(), 100)
    assert voyage.calls("DescribeStream") == 0
    times = voyage.simulation.sent("ListStreams")
    assert times[1] - times[0] >= 2
    assert times[2] - times[1] >= 4


def test_a_long_list_is_made_less_often() -> None:
    """Lists take at most a quarter of the time."""
    requests = [CreateStreamRequest(stream_name=f"zoo-{i}") for i in range(300)]
    voyage = launch(requests, unrelated=10_000, account_limit=20_000, latency=(0.2, 0.2)).finish()
    complete(voyage, 300)
    starts = first_pages(voyage)
    assert len(starts) > 1
    assert all(later - earlier > 8 * SECOND for earlier, later in pairwise(starts))


def test_a_list_ends_with_the_last_stream_that_is_looked_for() -> None:
    """The pages after it are not read."""
    first = launch(named(10), unrelated=5_000).finish()
    again = launch(named(10), after=first).finish()
    assert len(again.simulation.flights) == 1


def test_a_list_that_shows_the_predecessor_is_stale() -> None:
    """A list that still shows the stream that was there before does not confirm the new one."""
    first = launch(named(1)).finish()
    old = only(first).stream
    name = old.stream_name
    first.simulation.delete(name)
    first.simulation.clock.advance(20)
    again = launch(named(1), after=first)
    stale = {"StreamName": name, "StreamARN": str(old.stream_arn), "Status": "ACTIVE"}
    again.simulation.scripts["ListStreams"] = lambda number: (
        page(stale) if number in {1, 2} else None
    )
    again.finish()
    assert again.outcomes == {"CREATED": 1}
    assert only(again).stream.stream_arn != old.stream_arn
    assert again.calls("ListStreams") == 2


def test_a_stream_that_no_list_shows_is_described() -> None:
    """After the grace period only a describe tells whether it exists."""
    voyage = launch(named(10))
    voyage.simulation.scripts["ListStreams"] = lambda _: page()
    complete(voyage.finish(), 10)
    assert voyage.times[0] > 10
    assert voyage.calls("DescribeStream") == 10


def test_a_create_that_leaves_nothing_is_the_result() -> None:
    """After an unknown outcome, a stream that does not appear was not created."""
    voyage = launch(named(3), errors=1.0, errors_work=0.0)
    voyage.simulation.scripts["ListStreams"] = lambda _: page()
    voyage.simulation.scripts["DescribeStream"] = lambda _: refusal(
        "ResourceNotFoundException", 404
    )
    assert voyage.finish().outcomes == {"ServerError": 3}
    assert {type(error) for _, error in voyage.pairs} == {ServerError}
    # The frames of tracebacks would keep the whole fleet in memory.
    for _, error in voyage.pairs:
        assert isinstance(error, ServerError)
        assert error.__traceback__ is None
        assert error.__cause__ is not None
        assert error.__cause__.__traceback__ is None


# What is left behind


def test_a_failure_of_a_fake_passes_through() -> None:
    """What no boto client raises is raised at once, and not taken for a lost response."""
    voyage = launch(named(50))
    voyage.simulation.scripts["CreateStream"] = lambda number: (
        KeyError("a bug in a fake") if number == 3 else None
    )
    with pytest.raises(KeyError, match="a bug in a fake"):
        list(voyage)
    voyage.fleet.close()
    voyage = launch(named(50))
    voyage.simulation.scripts["ListStreams"] = lambda _: KeyError("a bug in a fake")
    with pytest.raises(KeyError, match="a bug in a fake"):
        list(voyage)
    voyage.fleet.close()


def test_what_interrupts_a_call_is_raised() -> None:
    """Ctrl-C in a worker thread is no result."""
    for operation in ("CreateStream", "ListStreams"):
        voyage = launch(named(5))
        voyage.simulation.scripts[operation] = lambda _: KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt):
            list(voyage)
        voyage.fleet.close()


def test_results_do_not_keep_the_fleet_alive() -> None:
    """An error that is kept holds neither the fleet nor itself in a reference cycle."""
    voyage = launch(named(40), account_limit=20)
    voyage.simulation.scripts["DescribeStream"] = lambda _: refusal("InternalFailure", 500)
    errors = [each for _, each in voyage if isinstance(each, KvsStreamsError)]
    voyage.fleet.close()
    fleet = weakref.ref(voyage.fleet.__dict__["_flow_clock"])
    gc.collect()
    gc.disable()
    try:
        assert len(errors) == 20
        refs = [weakref.ref(each) for each in errors]
        del voyage, errors
        assert [ref for ref in refs if ref() is not None] == []
        assert fleet() is None
    finally:
        gc.enable()


# Arguments


@pytest.mark.parametrize(
    "changes, error, message",
    [
        ({"rate": 0}, ValueError, "rate must be above 0 and finite, got 0"),
        ({"rate": -1.0}, ValueError, "rate must be above 0"),
        ({"rate": float("nan")}, ValueError, "rate must be above 0"),
        ({"rate": float("inf")}, ValueError, "rate must be above 0"),
        ({"rate": 10**400}, ValueError, "rate must be above 0"),
        ({"rate": True}, TypeError, "rate must be a number of creates per second, not True"),
        ({"rate": "50"}, TypeError, "rate must be a number"),
        ({"max_in_flight": 0}, ValueError, "max_in_flight must be at least 1, got 0"),
        ({"max_in_flight": 2.5}, TypeError, "max_in_flight must be an int, not 2.5"),
        ({"max_in_flight": True}, TypeError, "max_in_flight must be an int"),
        ({"timeout": -1}, ValueError, "timeout must be at least 0"),
        ({"timeout": "1"}, TypeError, "timeout must be a number"),
        ({"on_drift": "explode"}, ValueError, "on_drift must be 'raise' or 'ignore'"),
    ],
)
def test_bad_arguments_are_refused(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    """Each with what it must be."""
    good: dict[str, Any] = {"rate": 50, "max_in_flight": 1, "timeout": 0, "on_drift": "ignore"}
    check_fleet(**good)
    with pytest.raises(error, match=message):
        check_fleet(**{**good, **changes})


@pytest.mark.parametrize("rate", [1e-9, 1e300])
def test_any_rate_is_a_start(rate: float) -> None:
    """Nothing overflows, whatever the pace starts with."""
    voyage = launch(named(2), options={"rate": rate})
    assert run(voyage.fleet.next()) is not None
    voyage.fleet.close()


def test_a_fake_that_cannot_list_is_described() -> None:
    """A fake with the operations of the protocol alone is described stream by stream."""
    clock = FakeClock()
    boto = ScriptedBoto(clock)
    boto.on("create_stream", created())
    boto.on("describe_stream", seen())
    client = StreamsClient(boto)
    client._io.clock = clock
    ((_, result),) = client.ensure_streams([CreateStreamRequest(stream_name="cam")])
    assert isinstance(result, EnsuredStream)
    assert result.outcome is EnsureOutcome.CREATED
    boto.verify()
