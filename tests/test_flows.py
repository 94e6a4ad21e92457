"""Throttle retry, waiting and create-if-missing in virtual time: step by step, and in general."""

import logging
import math
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    StubResponseError,
)
from fake_io import (
    BROKEN,
    CLIENTS,
    CONFLICT,
    DENIED,
    LOST,
    NO_ARN,
    NOT_FOUND,
    OTHERS,
    REPLIES,
    REQUEST_ID,
    THROTTLED,
    UNSENT,
    Answer,
    Runner,
    ScriptedBoto,
    Step,
    World,
    arn,
    created,
    refused,
    seen,
    unreadable,
)
from hypothesis import example, given, settings, strategies as st
from support.clock import SECOND, FakeClock

from kvs_streams import (
    AccessDeniedError,
    AccountStreamLimitExceededException,
    ClientLimitExceededException,
    CreateStreamRequest,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    RequestValidationError,
    ResourceInUseException,
    ResourceNotFoundException,
    ServerError,
    ServiceError,
    StreamDeletingError,
    StreamDriftError,
    StreamInfo,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    ThrottlingError,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
)
from kvs_streams._flows.io import SystemClock, run

REQUEST = CreateStreamRequest(stream_name="cam")
CREATE, DESCRIBE, TAGS, STORAGE = (
    "create_stream",
    "describe_stream",
    "list_tags_for_stream",
    "describe_stream_storage_configuration",
)
LONG_AGO = -3600.0
CREATED, RECOVERED, EXISTING = (
    EnsureOutcome.CREATED,
    EnsureOutcome.RECOVERED,
    EnsureOutcome.EXISTING,
)


class Story:
    """A script, and the client that is taken through it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clock = FakeClock()
        self.boto = ScriptedBoto(self.clock)
        self.retry = ThrottleRetry()

    def on_create(self, *answers: Answer) -> "Story":
        self.boto.on(CREATE, *answers)
        return self

    def on_describe(self, *answers: Answer) -> "Story":
        self.boto.on(DESCRIBE, *answers)
        return self

    def on_tags(self, *answers: Answer) -> "Story":
        self.boto.on(TAGS, *answers)
        return self

    def on_storage(self, *answers: Answer) -> "Story":
        self.boto.on(STORAGE, *answers)
        return self

    def create(self, request: CreateStreamRequest = REQUEST) -> Any:
        return self._run(CREATE, request)

    def describe(self, stream: str = "cam") -> Any:
        return self._run(DESCRIBE, stream)

    def wait(self, stream: str = "cam", **options: Any) -> Any:
        return self._run("wait_until_active", stream, **options)

    def ensure(self, request: CreateStreamRequest = REQUEST, **options: Any) -> Any:
        return self._run("ensure_stream", request, **options)

    def _run(self, *args: Any, **options: Any) -> Any:
        return Runner(self.kind, self.boto, self.retry).run(*args, **options)

    @property
    def sleeps(self) -> list[float]:
        return self.clock.sleeps


@pytest.fixture(params=CLIENTS)
def story(request: pytest.FixtureRequest) -> Iterator[Story]:
    """A story for each kind of client, that has to be told to its end."""
    story = Story(request.param)
    yield story
    story.boto.verify()


def seconds(*expected: float) -> Any:
    """Compare seconds as floats have them."""
    return pytest.approx(list(expected), abs=1e-6)


# The throttle.


def test_throttled_until_it_works(story: Story) -> None:
    """Throttles are retried with growing pauses, and every request is counted."""
    story.on_create(*[THROTTLED] * 4, created())
    assert story.create().retry_attempts == 4
    assert story.sleeps == seconds(0.25, 0.5, 1.0, 2.0)


def test_throttled_to_the_end(story: Story) -> None:
    """The last attempt's throttle is raised, counts all requests, and is caused by boto's error."""
    story.on_create(*[THROTTLED] * 5)
    with pytest.raises(ClientLimitExceededException) as caught:
        story.create()
    assert caught.value.retry_attempts == 4
    assert caught.value.stream_name == "cam"
    assert isinstance(caught.value.__cause__, ClientError)
    assert caught.value.__context__ is caught.value.__cause__ or caught.value.__context__ is None
    assert story.sleeps == seconds(0.25, 0.5, 1.0, 2.0)


def test_throttle_and_botocores_retries_add_up(story: Story) -> None:
    """Requests of botocore's and of ours are one count, in a success and in an error."""
    story.on_create(THROTTLED.but(retries=2), THROTTLED, created().but(retries=1))
    # Three requests, then one, then two: six, less one.
    assert story.create().retry_attempts == 5
    story.on_create(THROTTLED.but(retries=2), refused("InvalidArgumentException").but(retries=1))
    with pytest.raises(ServiceError) as caught:
        story.create()
    assert caught.value.retry_attempts == 4


def test_ceilings_of_the_backoff(story: Story) -> None:
    """Each ceiling is twice the last, up to the highest; chance picks a time below it."""
    story.retry = ThrottleRetry(max_attempts=7, base_delay=1, max_delay=5)
    story.clock.chance = 0.9
    story.on_create(*[THROTTLED] * 6, created())
    story.create()
    assert story.sleeps == seconds(0.9, 1.8, 3.6, 4.5, 4.5, 4.5)


def test_no_chance_means_no_pause(story: Story) -> None:
    """Full jitter begins at zero."""
    story.clock.chance = 0.0
    story.on_create(THROTTLED, created())
    story.create()
    assert story.sleeps == [0.0]


def test_backoff_beyond_a_floats_range() -> None:
    """Thousands of attempts have a delay too."""
    retry = ThrottleRetry(max_attempts=5_000, base_delay=0.5, max_delay=8)
    assert retry.delay(4_999, 1.0) == 8.0
    assert ThrottleRetry(base_delay=1e-10, max_delay=1e9).delay(5_000, 1.0) == 1e9


@given(
    attempt=st.integers(1, 2_000),
    chance=st.floats(0, 1, exclude_max=True),
    base=st.just(0.0) | st.floats(1e-6, 1e6),
    more=st.floats(0, 1e6),
)
def test_delay_is_in_its_bounds(attempt: int, chance: float, base: float, more: float) -> None:
    """No delay is negative, above its ceiling or above the highest one."""
    retry = ThrottleRetry(base_delay=base, max_delay=base + more)
    ceiling = min(base + more, base * 2.0 ** min(attempt - 1, 1_000))
    assert 0 <= retry.delay(attempt, chance) <= ceiling
    assert retry.delay(attempt, 0.5) == pytest.approx(ceiling / 2)


def test_one_attempt_is_no_retry(story: Story) -> None:
    """One attempt in all turns the retry off."""
    story.retry = ThrottleRetry(max_attempts=1)
    story.on_create(THROTTLED)
    with pytest.raises(ClientLimitExceededException):
        story.create()
    assert story.sleeps == []


def test_describe_is_retried_too(story: Story) -> None:
    """A throttled describe is sent again like a create."""
    story.on_describe(THROTTLED, seen())
    assert story.describe().status is StreamStatus.ACTIVE
    assert story.sleeps == seconds(0.25)


@pytest.mark.parametrize(
    "code",
    [
        "AccountStreamLimitExceededException",
        "DeviceStreamLimitExceededException",
        "ThrottlingException",
        "TooManyRequestsException",
        "InternalFailure",
        "SomethingElse",
    ],
)
def test_only_the_services_own_throttle_is_retried(story: Story, code: str) -> None:
    """A used-up quota will not come back, and all other codes are botocore's business."""
    story.on_create(refused(code))
    with pytest.raises(ServiceError):
        story.create()
    assert story.sleeps == []


def test_the_log_tells_of_each_retry(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    """A retry leaves a line for those who turn debugging on."""
    caplog.set_level(logging.DEBUG, "kvs_streams")
    # A valid name that looks like a key ID.
    request = CreateStreamRequest(stream_name="AKIAIOSFODNN7EXAMPLE")
    story.on_create(THROTTLED, created())
    story.create(request)
    (message,) = [record.getMessage() for record in caplog.records]
    assert message == (
        "CreateStream for stream 'AKIAIOSFODNN7EXAMPLE' is throttled in attempt 1; "
        "retrying in 0.25 s"
    )


@pytest.mark.parametrize(
    "before, conflict, own",
    [
        ([], CONFLICT, False),
        ([THROTTLED], CONFLICT, False),
        ([], CONFLICT.but(retries=1), True),
        ([THROTTLED.but(retries=1)], CONFLICT, True),
        ([THROTTLED, THROTTLED.but(retries=2), THROTTLED], CONFLICT, True),
        ([THROTTLED, THROTTLED], CONFLICT.but(retries=1), True),
    ],
)
def test_possibly_own(story: Story, before: list[Answer], conflict: Answer, own: bool) -> None:
    """A conflict may be with the call's own stream if botocore retried in any attempt of it."""
    story.on_create(*before, conflict)
    with pytest.raises(ResourceInUseException) as caught:
        story.create()
    assert caught.value.possibly_own is own


NONSENSE: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"max_attempts": 0}, ValueError, "max_attempts must be at least 1, got 0"),
    ({"max_attempts": True}, TypeError, "max_attempts must be an int, not True"),
    ({"max_attempts": 2.0}, TypeError, r"max_attempts must be an int, not 2\.0"),
    ({"base_delay": "1"}, TypeError, "base_delay must be a number of seconds, not '1'"),
    ({"base_delay": -0.1}, ValueError, r"base_delay must be at least 0 seconds, got -0\.1"),
    ({"base_delay": math.nan}, ValueError, "base_delay must be at least 0 seconds, got nan"),
    ({"base_delay": 10**400}, ValueError, "base_delay must be at most 1,000,000,000 seconds"),
    (
        {"base_delay": 1e11, "max_delay": 1e11},
        ValueError,
        "base_delay must be at most 1,000,000,000",
    ),
    ({"max_delay": None}, TypeError, "max_delay must be a number of seconds, not None"),
    ({"max_delay": -1}, ValueError, "max_delay must be at least 0 seconds, got -1"),
    ({"max_delay": math.inf}, ValueError, "max_delay must be finite, got inf"),
    ({"max_delay": 1.1e9}, ValueError, "max_delay must be at most 1,000,000,000 seconds, got"),
    ({"max_delay": 0.4}, ValueError, r"max_delay must be at least base_delay \(0\.5 s\), got 0\.4"),
]


@pytest.mark.parametrize("options, error, text", NONSENSE)
def test_retry_refuses_nonsense(options: dict[str, Any], error: type[Exception], text: str) -> None:
    """A policy that makes no sense is refused, by the name of the value."""
    with pytest.raises(error, match=f"^{text}"):
        ThrottleRetry(**options)


def test_retry_at_its_bounds() -> None:
    """The least of everything is allowed, and so are two delays that are the same."""
    assert ThrottleRetry(max_attempts=1, base_delay=0, max_delay=0).delay(1, 0.9) == 0
    assert ThrottleRetry() == ThrottleRetry(max_attempts=5, base_delay=0.5, max_delay=8.0)


# Waiting.


def test_wait_looks_at_once(story: Story) -> None:
    """A stream that is ready costs one describe and no time."""
    story.on_describe(seen())
    info = story.wait()
    assert isinstance(info, StreamInfo)
    assert info.status is StreamStatus.ACTIVE
    assert story.sleeps == []
    assert story.boto.calls == [(DESCRIBE, 0.0, {"StreamName": "cam"})]


@pytest.mark.parametrize("chance, factor", [(0.0, 0.75), (0.5, 1.0), (0.999, 1.2495)])
def test_pauses_between_looks(story: Story, chance: float, factor: float) -> None:
    """Half a second, then half more each time, up to five; a quarter less or more by chance."""
    story.clock.chance = chance
    story.on_describe(*[seen("CREATING")] * 9, seen())
    story.wait()
    plan = [0.5, 0.75, 1.125, 1.6875, 2.53125, 3.796875, 5.0, 5.0, 5.0]
    assert story.sleeps == seconds(*[pause * factor for pause in plan])


def test_wait_by_arn(story: Story) -> None:
    """An ARN is sent as an ARN, and the errors still know the stream's name."""
    story.on_describe(seen("DELETING"))
    with pytest.raises(StreamDeletingError) as caught:
        story.wait(arn())
    assert story.boto.calls[0][2] == {"StreamARN": arn()}
    assert caught.value.stream_name == "cam"


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "FROZEN"])
def test_wait_goes_on(story: Story, status: str) -> None:
    """Whatever is neither ACTIVE nor DELETING is waited out, even a status of the future."""
    story.on_describe(seen(status), seen())
    assert story.wait().status is StreamStatus.ACTIVE


@pytest.mark.parametrize(
    "nothing", [THROTTLED, refused("ThrottlingException"), BROKEN, refused("503", 503)]
)
def test_no_answer_is_no_answer(story: Story, nothing: Answer) -> None:
    """A look that is throttled or fails at AWS is not repeated at once: the next look is."""
    story.on_describe(nothing, nothing, seen())
    story.wait()
    assert story.sleeps == seconds(0.5, 0.75)


def test_wait_sees_it_deleting(story: Story) -> None:
    """A stream that is being deleted ends the wait, with what was seen."""
    story.on_describe(seen("CREATING").but(takes=0.25), seen("DELETING").but(takes=0.25))
    with pytest.raises(StreamDeletingError, match=r"^stream 'cam' is being deleted$") as caught:
        story.wait()
    assert caught.value.last_status is StreamStatus.DELETING
    assert caught.value.waited == pytest.approx(1.0)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("takes, looks", [(9.999, 2), (10.0, 1)])
def test_edge_of_the_grace(story: Story, takes: float, looks: int) -> None:
    """Not found counts from the very end of the grace, by when the answer came."""
    story.on_describe(*[NOT_FOUND.but(takes=takes)] * looks)
    with pytest.raises(ResourceNotFoundException) as caught:
        story.wait()
    assert isinstance(caught.value.__cause__, ClientError)
    assert caught.value.retry_attempts == 0


def test_no_grace(story: Story) -> None:
    """Without a grace the first not-found is the answer."""
    story.on_describe(NOT_FOUND)
    with pytest.raises(ResourceNotFoundException):
        story.wait(not_found_grace=0)


def test_endless_grace(story: Story) -> None:
    """With an endless grace only the deadline ends it; the cause is the not-found."""
    story.on_describe(*[NOT_FOUND] * 3)
    with pytest.raises(WaitTimeoutError) as caught:
        story.wait(timeout=1.0, not_found_grace=math.inf)
    assert isinstance(caught.value.__cause__, ResourceNotFoundException)
    assert caught.value.last_status is None


def test_seen_and_gone(story: Story) -> None:
    """Once seen, not found means gone, in the middle of the grace."""
    story.on_describe(NOT_FOUND, seen("CREATING"), NOT_FOUND)
    with pytest.raises(ResourceNotFoundException):
        story.wait()


def test_seen_then_throttled_then_gone(story: Story) -> None:
    """A look without an answer does not make a stream unseen."""
    story.on_describe(seen("CREATING"), THROTTLED, NOT_FOUND)
    with pytest.raises(ResourceNotFoundException):
        story.wait()


def test_deadline(story: Story) -> None:
    """The last pause is cut to end at the deadline; a last look follows, and then no more."""
    story.on_describe(BROKEN, *[seen("CREATING")] * 3)
    with pytest.raises(WaitTimeoutError) as caught:
        story.wait(timeout=1.5)
    error = caught.value
    assert story.sleeps == seconds(0.5, 0.75, 0.25)
    assert str(error) == "gave up on stream 'cam' after 1.5 s: its last status is CREATING"
    assert error.stream_name == "cam"
    assert error.last_status is StreamStatus.CREATING
    assert error.waited == pytest.approx(1.5)
    # The last error that it met, and boto's beneath.
    assert type(error.__cause__) is ServerError
    assert isinstance(error.__cause__.__cause__, ClientError)


@pytest.mark.parametrize(
    "timeout, text", [(0.04, "0.1"), (0.25, "0.3"), (1.1, "1.1"), (300.0, "300.0")]
)
def test_deadline_in_the_text(story: Story, timeout: float, text: str) -> None:
    """The text is rounded up: it never says less than the timeout."""
    story.on_describe(*[seen("CREATING")] * 70)
    with pytest.raises(WaitTimeoutError, match=rf"after {text} s: "):
        story.wait(timeout=timeout)
    story.boto.script.clear()


def test_deadline_without_any_error(story: Story) -> None:
    """Nothing went wrong but the time: no cause is made up."""
    story.on_describe(seen("CREATING"))
    with pytest.raises(WaitTimeoutError) as caught:
        story.wait(timeout=0)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_deadline_never_seen(story: Story) -> None:
    """A stream that no look showed has no last status, and the text says so."""
    story.on_describe(THROTTLED.but(takes=2.0))
    with pytest.raises(
        WaitTimeoutError, match=r"^gave up on .* after 2\.0 s: never seen$"
    ) as caught:
        story.wait(timeout=2)
    assert caught.value.last_status is None
    assert caught.value.waited == pytest.approx(2.0)
    assert type(caught.value.__cause__) is ClientLimitExceededException


@pytest.mark.parametrize("timeout", [0.1, 0.3, 1.1, 7.7, 1e-9, 1 / 3])
def test_deadline_that_no_clock_can_hit(story: Story, timeout: float) -> None:
    """A sleep that ends a hair before the deadline, as floats have it, does not go on for ever."""
    story.on_describe(*[seen("CREATING")] * 10)
    with pytest.raises(WaitTimeoutError):
        story.wait(timeout=timeout)
    assert all(pause > 1e-9 for pause in story.sleeps[:-1])
    story.boto.script.clear()


def test_deadline_at_the_end_of_a_pause(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause as long as the time that remains is the last one, though the clock wakes early."""
    clock = story.boto.clock

    def wake_early(nanoseconds: int) -> None:
        clock.sleeps.append(nanoseconds / SECOND)
        clock.nanoseconds += nanoseconds - 1

    monkeypatch.setattr(clock, "sleep", wake_early)
    story.on_describe(*[seen("CREATING")] * 2)
    with pytest.raises(WaitTimeoutError) as caught:
        story.wait(timeout=0.5)
    assert story.sleeps == [0.5]
    assert caught.value.waited == 0.5


def test_late_but_there(story: Story) -> None:
    """A look that outlasts the deadline still counts."""
    story.on_describe(seen().but(takes=60))
    assert story.wait(timeout=1).status is StreamStatus.ACTIVE


def test_other_failures_end_the_wait(story: Story) -> None:
    """Denied, lost or without its data: such a look ends the wait at once."""
    story.on_describe(DENIED)
    with pytest.raises(AccessDeniedError):
        story.wait()
    story.on_describe(LOST)
    with pytest.raises(TransportError):
        story.wait()
    story.on_describe(Answer())
    with pytest.raises(UnexpectedResponseError):
        story.wait()
    assert story.sleeps == []


@pytest.mark.parametrize("name", ["timeout", "not_found_grace"])
@pytest.mark.parametrize(
    "value, error, text",
    [
        ("1", TypeError, "must be a number of seconds, not '1'"),
        (True, TypeError, "must be a number of seconds, not True"),
        (timedelta(1), TypeError, "must be a number of seconds, not datetime.timedelta"),
        (-0.001, ValueError, "must be at least 0 seconds, got -0.001"),
        (math.nan, ValueError, "must be at least 0 seconds, got nan"),
        (-math.inf, ValueError, "must be at least 0 seconds, got -inf"),
        pytest.param(
            10**400,
            ValueError,
            "must be at most 1,000,000,000 seconds, got a very large integer",
            id="very large",
        ),
        (1e300, ValueError, r"must be at most 1,000,000,000 seconds, got 1e\+300"),
    ],
)
def test_wait_refuses_nonsense(
    story: Story, name: str, value: object, error: type[Exception], text: str
) -> None:
    """What is no span of time is refused by name, before anything is sent."""
    with pytest.raises(error, match=f"^{name} {text}"):
        story.wait(**{name: value})
    assert story.boto.calls == []


@pytest.mark.parametrize("stream", ["", "a b", "arn:aws:s3:::bucket", None])
def test_wait_refuses_what_is_no_stream(story: Story, stream: Any) -> None:
    """What is neither a name nor an ARN is refused before anything is sent."""
    with pytest.raises(RequestValidationError):
        story.wait(stream)
    assert story.boto.calls == []


def test_wait_for_ever(story: Story) -> None:
    """An endless timeout is one."""
    story.on_describe(seen("CREATING").but(takes=1e9), seen())
    story.wait(timeout=math.inf)
    assert story.sleeps == seconds(0.5)


# Create if missing.


def test_created(story: Story) -> None:
    """What this call created is waited for and not compared."""
    request = CreateStreamRequest(
        stream_name="cam", device_name="asked", media_type="video/h264", tags={"a": "b"}
    )
    story.on_create(created()).on_describe(NOT_FOUND, seen("CREATING"), seen())
    found = story.ensure(request)
    assert found == EnsuredStream(stream=found.stream, outcome=CREATED)
    assert found.stream.status is StreamStatus.ACTIVE
    assert found.stream.stream_arn == arn()
    assert story.boto.calls[0][2] == request.to_boto()
    assert story.boto.made() == [CREATE, DESCRIBE, DESCRIBE, DESCRIBE]
    assert story.sleeps == seconds(0.5, 0.75)


def test_found(story: Story) -> None:
    """A name that is taken is looked at once, at once."""
    story.on_create(CONFLICT).on_describe(seen(born=LONG_AGO))
    found = story.ensure()
    assert found == EnsuredStream(stream=found.stream, outcome=EXISTING)
    assert story.sleeps == []


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "ACTIVE", "FROZEN"])
def test_without_waiting(story: Story, status: str) -> None:
    """Without waiting any status but DELETING is an answer."""
    story.on_create(CONFLICT).on_describe(seen(status))
    assert story.ensure(wait=False).outcome is EXISTING
    story.on_create(created()).on_describe(NOT_FOUND, seen(status))
    found = story.ensure(wait=False)
    assert found.outcome is CREATED
    assert found.stream.status == status
    assert story.sleeps == seconds(0.5)


@pytest.mark.parametrize(
    "answer, error",
    [
        (DENIED, AccessDeniedError),
        (refused("NotAuthorizedException", 401), AccessDeniedError),
        (refused("AccountStreamLimitExceededException"), AccountStreamLimitExceededException),
        (refused("ThrottlingException"), ThrottlingError),
        (refused("ResourceNotFoundException", 404), ResourceNotFoundException),
        (refused("NoIdea"), ServiceError),
        (Answer(failure=StubResponseError(operation_name="x", reason="y")), StubResponseError),
    ],
)
def test_other_answers_pass_through(story: Story, answer: Answer, error: type[Exception]) -> None:
    """Denied is denied, full is full: nothing is looked at and nothing is sent again."""
    story.on_create(answer)
    with pytest.raises(error) as caught:
        story.ensure()
    assert story.boto.made() == [CREATE]
    assert getattr(caught.value, "created", None) is None


def test_certainly_unsent(story: Story) -> None:
    """A single attempt that failed before sending leaves nothing to find out."""
    story.boto.meta.config.retries = {"total_max_attempts": 1}
    story.on_create(UNSENT)
    with pytest.raises(TransportError) as caught:
        story.ensure()
    assert caught.value.outcome_unknown is False
    assert story.boto.made() == [CREATE]


UNKNOWN = {
    "lost": (LOST, TransportError),
    "unsent at last": (UNSENT, TransportError),
    "5xx": (BROKEN, ServerError),
    "no ARN": (NO_ARN, UnexpectedResponseError),
    "gibberish": (Answer(failure=unreadable()), TransportError),
}


@pytest.mark.parametrize("doubt, _error", UNKNOWN.values(), ids=list(UNKNOWN))
def test_recovered(story: Story, doubt: Answer, _error: type[Exception]) -> None:
    """Created, and nobody said so: it is found, young, and as requested."""
    story.on_create(doubt).on_describe(NOT_FOUND, seen("CREATING"), seen())
    found = story.ensure()
    assert found == EnsuredStream(stream=found.stream, outcome=RECOVERED)


@pytest.mark.parametrize("doubt, error", UNKNOWN.values(), ids=list(UNKNOWN))
def test_not_created_after_all(story: Story, doubt: Answer, error: type[Exception]) -> None:
    """Not found to the end of the grace: the error that left it open is raised, as it was."""
    story.on_create(doubt).on_describe(*[NOT_FOUND.but(takes=3.4)] * 3)
    with pytest.raises(error) as caught:
        story.ensure()
    assert type(caught.value) is error
    assert caught.value.created is None
    assert not isinstance(caught.value.__cause__, KvsStreamsError)
    assert caught.value.__suppress_context__
    assert story.boto.made() == [CREATE, *[DESCRIBE] * 3]


@pytest.mark.parametrize("doubt, _error", UNKNOWN.values(), ids=list(UNKNOWN))
def test_unknown_and_seen_and_gone(story: Story, doubt: Answer, _error: object) -> None:
    """Found after an unknown outcome is like a conflict: if it vanishes, it is created again."""
    story.on_create(doubt, created(5)).on_describe(seen("CREATING"), NOT_FOUND, seen(born=5))
    assert story.ensure().outcome is CREATED


@pytest.mark.parametrize(
    "conflict, born, outcome",
    [
        (CONFLICT, 0.0, EXISTING),
        (CONFLICT.but(retries=1), 0.0, RECOVERED),
        (CONFLICT.but(retries=1), LONG_AGO, EXISTING),
    ],
)
def test_conflict_with_itself(
    story: Story, conflict: Answer, born: float, outcome: EnsureOutcome
) -> None:
    """A conflict after a retry of botocore's is the call's own stream, if that is young enough."""
    story.on_create(conflict).on_describe(seen(born=born))
    assert story.ensure().outcome is outcome


# The server's clock shows whole seconds: a stream of up to a second before the call cannot be told
# from one of its own. How much it is depends on the moment of the reply whose date is used.
@pytest.mark.parametrize("after, outcome", [(0.0, RECOVERED), (-0.001, EXISTING)])
@pytest.mark.parametrize(
    "doubt, edge",
    [(CONFLICT.but(retries=1), -0.75), (BROKEN, -0.75), (LOST, -0.25), (NO_ARN, -0.25)],
    ids=["conflict", "5xx", "lost", "no ARN"],
)
def test_since_when_it_is_own(
    story: Story, doubt: Answer, edge: float, after: float, outcome: EnsureOutcome
) -> None:
    """Own is what was created since the call began by the server's clock; the local one is moot."""
    story.clock.nanoseconds = story.boto.start = 5 * SECOND
    story.on_create(THROTTLED, doubt.but(takes=3.0))
    states = [("CREATING", 0.0), ("CREATING", 0.25), ("ACTIVE", 0.0)]
    story.on_describe(*[seen(status, edge + after).but(takes=takes) for status, takes in states])
    assert story.ensure().outcome is outcome


@pytest.mark.parametrize("born, outcome", [(-0.500_002, RECOVERED), (-0.500_003, EXISTING)])
def test_part_of_a_microsecond(story: Story, born: float, outcome: EnsureOutcome) -> None:
    """Times of AWS have microseconds: the beginning of the call is rounded down to one."""
    story.on_create(CONFLICT.but(retries=1, takes=0.000_001_4)).on_describe(seen(born=born))
    assert story.ensure().outcome is outcome


@pytest.mark.parametrize("born, outcome", [(-0.5, RECOVERED), (-0.501, EXISTING)])
def test_comparing_takes_time(story: Story, born: float, outcome: EnsureOutcome) -> None:
    """Time that passes after the last look does not move the beginning of the call."""
    request = CreateStreamRequest(stream_name="cam", tags={"a": "b"})
    story.on_create(LOST).on_describe(seen(born=born))
    story.on_tags(THROTTLED, THROTTLED, Answer(body={"Tags": {"a": "b"}}, takes=20))
    assert story.ensure(request).outcome is outcome


@pytest.mark.parametrize("date", [None, "", "yesterday", "Fri, 31 Dec 9999 23:59:59 -0100"])
def test_without_the_servers_clock(story: Story, date: str | None) -> None:
    """Without a date that can be read nothing is claimed."""
    story.on_create(CONFLICT.but(retries=1, date=date)).on_describe(seen(born=9e8).but(date=date))
    assert story.ensure().outcome is EXISTING


def test_clock_of_the_describe(story: Story) -> None:
    """Where the create brought no date, that of the describe will do."""
    story.on_create(CONFLICT.but(retries=1, date=None)).on_describe(seen())
    assert story.ensure().outcome is RECOVERED


def test_date_without_a_zone(story: Story) -> None:
    """A date that names no zone is UTC."""
    date = "Mon, 06 May 2041 07:08:09 -0000"
    story.on_create(CONFLICT.but(retries=1, date=date)).on_describe(seen())
    assert story.ensure().outcome is RECOVERED


def test_without_a_birthday(story: Story) -> None:
    """A stream that does not say when it was created is not claimed."""
    story.on_create(BROKEN).on_describe(seen(CreationTime=None))
    assert story.ensure().outcome is EXISTING


def test_what_differs_is_not_own(story: Story) -> None:
    """A young stream of another configuration is somebody else's."""
    request = CreateStreamRequest(stream_name="cam", media_type="video/h264")
    story.on_create(BROKEN).on_describe(seen())
    found = story.ensure(request, on_drift="ignore")
    assert found.outcome is EXISTING
    assert found.drift == (Drift("media_type", "video/h264", None),)


def test_deleting_and_recreated(story: Story) -> None:
    """A stream on its way out is waited for and created anew; looks keep their distance."""
    story.on_create(CONFLICT, created(20)).on_describe(
        seen("DELETING", LONG_AGO),
        THROTTLED,
        seen("DELETING", LONG_AGO),
        NOT_FOUND,
        NOT_FOUND,
        seen("CREATING", 20),
        seen(born=20),
    )
    found = story.ensure()
    assert found.outcome is CREATED
    assert found.stream.stream_arn == arn(20)
    assert story.sleeps == seconds(0.5, 0.75, 1.125, 0.5, 0.75, 1.125)


def test_deleting_and_taken_by_another(story: Story) -> None:
    """Gone and taken again before this call could create: that stream is not its own."""
    story.on_create(CONFLICT.but(retries=1), CONFLICT).on_describe(
        seen("DELETING"), seen("CREATING", 2), seen(born=2)
    )
    assert story.ensure().outcome is EXISTING


def test_deleting_and_recreated_with_a_lost_reply(story: Story) -> None:
    """The second create's reply is lost: that stream is its own."""
    story.on_create(CONFLICT, LOST).on_describe(seen("DELETING", LONG_AGO), NOT_FOUND, seen(born=2))
    assert story.ensure().outcome is RECOVERED


def test_seen_and_gone_and_taken_by_another(story: Story) -> None:
    """What a lost create may have made was seen and went: the next stream is not its own."""
    story.on_create(CONFLICT.but(retries=1), CONFLICT).on_describe(
        seen("CREATING"), NOT_FOUND, seen(born=2)
    )
    assert story.ensure().outcome is EXISTING


def test_not_visible_and_in_use_again(story: Story) -> None:
    """What a lost create made may come into sight after the grace only: it is still its own."""
    story.on_create(CONFLICT.but(retries=1), CONFLICT).on_describe(
        NOT_FOUND.but(takes=10), seen(born=0.5)
    )
    assert story.ensure().outcome is RECOVERED


def test_each_create_has_a_grace_period_of_its_own(story: Story) -> None:
    """The grace period begins when a create was answered, and lasts ten seconds."""
    story.on_create(CONFLICT.but(takes=30), created(40).but(takes=5)).on_describe(
        NOT_FOUND.but(takes=9.9), NOT_FOUND.but(takes=9.4), seen(born=40)
    )
    assert story.ensure().outcome is CREATED
    assert story.sleeps == seconds(0.5, 0.75)


def test_conflict_and_not_found_creates_again_right_away(story: Story) -> None:
    """The create is the authoritative answer: a describe that finds nothing costs no time."""
    story.on_create(CONFLICT, created(3)).on_describe(NOT_FOUND, seen(born=3))
    assert story.ensure().outcome is CREATED
    assert story.boto.made() == [CREATE, DESCRIBE, CREATE, DESCRIBE]
    assert story.boto.times(CREATE) == [0.0, 0.0]
    assert story.sleeps == seconds(0.5)


def test_conflict_and_not_found_take_turns(story: Story) -> None:
    """While both go on, creates and describes alternate and back off."""
    story.on_create(*[CONFLICT] * 5, created(9)).on_describe(*[NOT_FOUND] * 5, seen(born=9))
    assert story.ensure().outcome is CREATED
    assert story.boto.made() == [CREATE, DESCRIBE] * 6
    assert story.sleeps == seconds(0.5, 0.75, 1.125, 1.6875, 0.5)


# Whose stream it is, by its ARN.


@pytest.mark.parametrize("status", ["ACTIVE", "DELETING", "CREATING"])
@pytest.mark.parametrize("wait", [True, False])
def test_predecessor_is_not_what_was_created(story: Story, status: str, wait: bool) -> None:
    """An older ARN after a create is a stale read, whatever its status, and the poll goes on."""
    story.on_create(created(5)).on_describe(
        seen(status, LONG_AGO), NOT_FOUND, seen(status, LONG_AGO), seen(born=5)
    )
    found = story.ensure(wait=wait)
    assert found.outcome is CREATED
    assert found.stream.stream_arn == arn(5)
    assert story.boto.made() == [CREATE, *[DESCRIBE] * 4]


def test_predecessor_beyond_the_grace_period(story: Story) -> None:
    """A stale read counts as not found: after the grace period that is the answer."""
    story.on_create(created(5)).on_describe(*[seen(born=LONG_AGO).but(takes=5)] * 2)
    with pytest.raises(ResourceNotFoundException, match="still shows the predecessor") as caught:
        story.ensure()
    assert caught.value.created is not None
    assert caught.value.created.stream_arn == arn(5)
    assert caught.value.code == "ResourceNotFoundException"
    assert caught.value.stream_name == "cam"
    assert caught.value.request_id == REQUEST_ID
    assert caught.value.operation_name == "DescribeStream"


def test_predecessor_to_the_deadline(story: Story) -> None:
    """Only stale reads until the deadline: the stream was never seen."""
    story.on_create(created(5)).on_describe(*[seen(born=LONG_AGO)] * 3)
    with pytest.raises(WaitTimeoutError, match="never seen") as caught:
        story.ensure(timeout=1)
    assert caught.value.last_status is None
    assert caught.value.created is not None


def test_predecessor_after_the_stream_was_seen(story: Story) -> None:
    """A stale read is no evidence that a stream has disappeared, and the poll goes on."""
    story.on_create(created(5)).on_describe(
        seen("CREATING", 5), seen(born=LONG_AGO), THROTTLED, seen(born=LONG_AGO), seen(born=5)
    )
    found = story.ensure()
    assert found.outcome is CREATED
    assert found.stream.stream_arn == arn(5)


def test_replaced_by_others(story: Story) -> None:
    """A newer ARN means that others replaced the stream: it is compared and never CREATED."""
    request = CreateStreamRequest(stream_name="cam", media_type="video/h264")
    story.on_create(created(1)).on_describe(seen(born=2, MediaType="video/h264"))
    found = story.ensure(request)
    assert found == EnsuredStream(stream=found.stream, outcome=EXISTING)
    assert found.stream.stream_arn == arn(2)


def test_replaced_by_others_with_drift(story: Story) -> None:
    """Where the replacement differs, the error still carries the response to the create."""
    request = CreateStreamRequest(stream_name="cam", media_type="video/h264")
    story.on_create(created(1)).on_describe(seen(born=2))
    with pytest.raises(StreamDriftError) as caught:
        story.ensure(request)
    assert caught.value.created is not None
    assert caught.value.created.stream_arn == arn(1)


def test_replaced_while_it_was_polled(story: Story) -> None:
    """The stream is created, seen CREATING, and replaced before it is ACTIVE."""
    story.on_create(created(1)).on_describe(seen("CREATING", 1), seen("CREATING", 2), seen(born=2))
    assert story.ensure().outcome is EXISTING


def test_replacement_is_deleted(story: Story) -> None:
    """A replacement that is being deleted is waited for, and the stream is created again."""
    story.on_create(created(1), created(9)).on_describe(
        seen("DELETING", 2), NOT_FOUND, seen(born=9)
    )
    found = story.ensure()
    assert found.outcome is CREATED
    assert found.stream.stream_arn == arn(9)


def test_replacement_is_deleted_and_not_waited_for(story: Story) -> None:
    """Without waiting that is an error, which carries the response to the create."""
    story.on_create(created(1)).on_describe(seen("DELETING", 2))
    with pytest.raises(StreamDeletingError) as caught:
        story.ensure(wait=False)
    assert caught.value.created is not None


def test_replacement_disappears(story: Story) -> None:
    """A replacement that disappears leaves the name free, and the stream is created again."""
    story.on_create(created(1), created(9)).on_describe(
        seen("CREATING", 2), NOT_FOUND, seen(born=9)
    )
    assert story.ensure().outcome is CREATED


def test_response_is_kept_when_the_replacement_disappears(story: Story) -> None:
    """The error of a later create carries the response to the one that worked."""
    story.on_create(created(1), *[THROTTLED] * 2).on_describe(seen("CREATING", 2), NOT_FOUND)
    with pytest.raises(WaitTimeoutError) as caught:
        story.ensure(timeout=0.75)
    assert caught.value.created is not None
    assert caught.value.created.stream_arn == arn(1)


def test_arn_that_does_not_tell_its_age(story: Story) -> None:
    """An ARN that cannot be read is neither older nor the one that was created."""
    story.on_create(created(1)).on_describe(seen(StreamARN="arn:of:something"))
    assert story.ensure().outcome is EXISTING


def test_deleting_is_not_waited_for(story: Story) -> None:
    """Without waiting a deletion is an error, and nothing more is sent."""
    story.on_create(CONFLICT).on_describe(seen("DELETING"))
    with pytest.raises(StreamDeletingError) as caught:
        story.ensure(wait=False)
    assert caught.value.created is None
    assert story.boto.made() == [CREATE, DESCRIBE]


def test_deleting_to_the_deadline(story: Story) -> None:
    """A deletion that takes too long ends in a timeout that says what was seen."""
    story.on_create(CONFLICT).on_describe(*[seen("DELETING")] * 4)
    with pytest.raises(WaitTimeoutError) as caught:
        story.ensure(timeout=1.5)
    assert caught.value.last_status is StreamStatus.DELETING
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_failure_while_it_is_deleted(story: Story) -> None:
    """A failure in the wait for a deletion is raised as it is."""
    story.on_create(CONFLICT).on_describe(seen("DELETING"), DENIED)
    with pytest.raises(AccessDeniedError) as caught:
        story.ensure()
    assert isinstance(caught.value.__cause__, ClientError)


CREATED_THEN = {
    "gone": ([seen("CREATING"), NOT_FOUND], ResourceNotFoundException, 300),
    "never seen": ([NOT_FOUND.but(takes=10)], ResourceNotFoundException, 300),
    "deleted": ([seen("DELETING")], StreamDeletingError, 300),
    "denied": ([DENIED], AccessDeniedError, 300),
    "lost": ([LOST], TransportError, 300),
    "useless": ([Answer()], UnexpectedResponseError, 300),
    "late": ([seen("CREATING").but(takes=60)], WaitTimeoutError, 60),
}


@pytest.mark.parametrize("then, error, timeout", CREATED_THEN.values(), ids=list(CREATED_THEN))
@pytest.mark.parametrize("wait", [True, False])
def test_created_is_never_lost(
    story: Story, then: list[Answer], error: type[KvsStreamsError], timeout: float, wait: bool
) -> None:
    """Whatever fails after the create: nothing is created again, and the error has the answer."""
    if not wait and then[0].body and error in (ResourceNotFoundException, WaitTimeoutError):
        then = [DENIED]
        error = AccessDeniedError
    story.on_create(THROTTLED, created()).on_describe(*then)
    with pytest.raises(error) as caught:
        story.ensure(wait=wait, timeout=timeout)
    assert caught.value.created is not None
    assert caught.value.created.stream_arn == arn()
    assert caught.value.created.retry_attempts == 1
    assert caught.value.created.request_id == REQUEST_ID


def test_created_anew_and_then_lost_from_sight(story: Story) -> None:
    """The same where an old stream had to go first."""
    story.on_create(CONFLICT, created(7)).on_describe(seen("DELETING"), NOT_FOUND, DENIED)
    with pytest.raises(AccessDeniedError) as caught:
        story.ensure()
    assert caught.value.created is not None
    assert caught.value.created.stream_arn == arn(7)


def test_one_deadline_for_all(story: Story) -> None:
    """Throttles, looks and reads draw on the same time."""
    request = CreateStreamRequest(stream_name="cam", tags={"a": "b"})
    story.on_create(THROTTLED.but(takes=1), CONFLICT).on_describe(
        seen("CREATING").but(takes=1), seen()
    )
    # 1 + 0.25 + 1 + 0.5 are spent by now, 0.25 of the next pause, and 0.25 are left.
    story.on_tags(THROTTLED, THROTTLED, THROTTLED)
    with pytest.raises(WaitTimeoutError) as caught:
        story.ensure(request, timeout=3.25)
    assert story.sleeps == seconds(0.25, 0.5, 0.25, 0.25)
    assert caught.value.last_status is StreamStatus.ACTIVE
    assert type(caught.value.__cause__) is ClientLimitExceededException
    assert caught.value.waited == pytest.approx(3.25)


def test_deadline_among_throttled_creates(story: Story) -> None:
    """The deadline ends the retry of a create; the throttle is the cause."""
    story.on_create(THROTTLED, THROTTLED)
    with pytest.raises(WaitTimeoutError) as caught:
        story.ensure(timeout=0.25)
    assert type(caught.value.__cause__) is ClientLimitExceededException
    assert caught.value.created is None
    assert story.sleeps == seconds(0.25)


def test_deadline_with_a_doubt(story: Story) -> None:
    """A timeout after a create of unknown outcome tells of it, whatever went wrong since."""
    story.on_create(BROKEN).on_describe(THROTTLED, NOT_FOUND, NOT_FOUND)
    with pytest.raises(WaitTimeoutError) as caught:
        story.ensure(timeout=1)
    assert type(caught.value.__cause__) is ServerError
    assert caught.value.__cause__.operation_name == "CreateStream"


def test_deadline_keeps_the_last_error(story: Story) -> None:
    """A conflict is no failure: it does not take the place of the last error as the cause."""
    story.on_create(THROTTLED, CONFLICT).on_describe(seen("CREATING").but(takes=9))
    with pytest.raises(WaitTimeoutError) as caught:
        story.ensure(timeout=9)
    assert type(caught.value.__cause__) is ClientLimitExceededException


def test_conflict_and_not_found_to_the_deadline(story: Story) -> None:
    """Always in use and never found: create after create, to the deadline."""
    story.on_create(*[CONFLICT] * 4).on_describe(*[NOT_FOUND] * 3)
    with pytest.raises(WaitTimeoutError) as caught:
        story.ensure(timeout=1.25)
    assert type(caught.value.__cause__) is ResourceNotFoundException
    assert story.boto.made() == [*[CREATE, DESCRIBE] * 3, CREATE]
    assert caught.value.waited == 1.25


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"on_drift": "fix"}, ValueError, "on_drift must be 'raise' or 'ignore', not 'fix'"),
        ({"on_drift": None}, ValueError, "on_drift must be 'raise' or 'ignore', not None"),
        ({"on_drift": []}, ValueError, "on_drift must be 'raise' or 'ignore', not <list>"),
        ({"timeout": -1}, ValueError, "timeout must be at least 0 seconds, got -1"),
        ({"timeout": "1"}, TypeError, "timeout must be a number of seconds, not '1'"),
    ],
)
def test_ensure_refuses_nonsense(
    story: Story, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """Nonsense is refused by name, before anything is created."""
    with pytest.raises(error, match=f"^{text}$"):
        story.ensure(**options)
    assert story.boto.calls == []


# The comparison.

FULL = CreateStreamRequest(
    stream_name="cam",
    device_name="axis",
    media_type="video/h264",
    kms_key_id="alias/cameras",
    data_retention_in_hours=24,
    tags={"site": "Bern", "note": "", "gone": "x"},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
ALIAS_ARN = "arn:aws:kms:eu-west-1:123456789012:alias/cameras"
SAME = {
    "DeviceName": "axis",
    "MediaType": "video/h264",
    "KmsKeyId": ALIAS_ARN,
    "DataRetentionInHours": 24,
}


def tags(page: dict[str, Any], token: str | None = None) -> Answer:
    """A page of tags."""
    return Answer(body={"Tags": page, "NextToken": token})


def tier(name: str) -> Answer:
    """The storage tier."""
    return Answer(body={"StreamStorageConfiguration": {"DefaultStorageTier": name}})


def test_no_drift(story: Story) -> None:
    """All that is asked for is there, in pages and beside more: nothing drifted."""
    story.on_create(CONFLICT).on_describe(seen(**SAME))
    story.on_tags(
        tags({"site": "Bern", "more": "1"}, "page 2"),
        tags({"note": ""}, "page 3"),
        THROTTLED,
        tags({"gone": "x"}),
    )
    story.on_storage(THROTTLED, tier("WARM"))
    found = story.ensure(FULL)
    assert (found.outcome, found.drift, found.unverified) == (EXISTING, (), ())
    assert [kwargs for method, _, kwargs in story.boto.calls if method == TAGS] == [
        {"StreamName": "cam"},
        {"StreamName": "cam", "NextToken": "page 2"},
        {"StreamName": "cam", "NextToken": "page 3"},
        {"StreamName": "cam", "NextToken": "page 3"},
    ]
    assert story.boto.calls[-1][2] == {"StreamName": "cam"}
    # Both pauses are the throttles': pages follow each other at once.
    assert sum(story.sleeps) == pytest.approx(0.5)


DRIFT = (
    Drift("device_name", "axis", "bosch"),
    Drift("media_type", "video/h264", None),
    Drift("kms_key_id", "alias/cameras", "alias/other"),
    Drift("data_retention_in_hours", 24, 48),
    Drift("tags['site']", "Bern", "Basel"),
    Drift("tags['gone']", "x", None),
    Drift("stream_storage_configuration.default_storage_tier", "WARM", "ICE"),
)


def differ(story: Story) -> None:
    """Tell of a stream that differs in every field."""
    other = {"DeviceName": "bosch", "KmsKeyId": "alias/other", "DataRetentionInHours": 48}
    story.on_create(CONFLICT).on_describe(seen(**other))
    story.on_tags(tags({"site": "Basel", "note": ""})).on_storage(tier("ICE"))


def test_drift_is_raised(story: Story) -> None:
    """Every difference at once, in the order of the fields, with the stream as it is."""
    differ(story)
    with pytest.raises(StreamDriftError) as caught:
        story.ensure(FULL)
    assert caught.value.drift == DRIFT
    assert caught.value.unverified == ()
    assert caught.value.stream.device_name == "bosch"
    assert caught.value.created is None
    assert caught.value.__context__ is None


def test_drift_is_reported(story: Story) -> None:
    """The same differences as part of the result."""
    differ(story)
    found = story.ensure(FULL, on_drift="ignore")
    assert (found.outcome, found.drift, found.unverified) == (EXISTING, DRIFT, ())


def test_only_what_is_asked_for(story: Story) -> None:
    """What the request leaves open may be anything, and nothing is read for it."""
    story.on_create(CONFLICT).on_describe(seen(**SAME))
    assert story.ensure().drift == ()
    assert story.boto.made() == [CREATE, DESCRIBE]


def test_retention_of_nothing(story: Story) -> None:
    """A stream without a retention keeps nothing, which is what 0 asks for and 24 does not."""
    for hours, drift in [(0, ()), (24, (Drift("data_retention_in_hours", 24, 0),))]:
        request = CreateStreamRequest(stream_name="cam", data_retention_in_hours=hours)
        story.on_create(CONFLICT).on_describe(seen())
        assert story.ensure(request, on_drift="ignore").drift == drift


def test_no_retention_where_some_is(story: Story) -> None:
    """Asking for 0 is asking: another retention is a difference."""
    request = CreateStreamRequest(stream_name="cam", data_retention_in_hours=0)
    story.on_create(CONFLICT).on_describe(seen(DataRetentionInHours=1))
    with pytest.raises(StreamDriftError):
        story.ensure(request)


ID, OTHER = "1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-00000000000000000000000000000000"
ACCOUNT = "arn:aws:kms:eu-west-1:123456789012:"
STRANGER = "arn:aws:kms:eu-west-1:999999999999:"
SAME_KEY, OTHER_KEY, NOBODY_KNOWS = True, False, None
KEYS: list[tuple[str, str | None, bool | None]] = [
    (ID, ID, SAME_KEY),
    (ID, f"{ACCOUNT}key/{ID}", SAME_KEY),
    (f"{ACCOUNT}key/{ID}", ID, SAME_KEY),
    (f"key/{ID}", ID, SAME_KEY),
    (f"{ACCOUNT}key/{ID}", f"{ACCOUNT}key/{ID}", SAME_KEY),
    (f"{ACCOUNT}key/{ID}", f"{STRANGER}key/{ID}", OTHER_KEY),
    (ID, OTHER, OTHER_KEY),
    (ID, f"{ACCOUNT}key/{OTHER}", OTHER_KEY),
    ("alias/cameras", f"{ACCOUNT}alias/cameras", SAME_KEY),
    (f"{ACCOUNT}alias/cameras", "alias/cameras", SAME_KEY),
    (f"{ACCOUNT}alias/a/b", "alias/a/b", SAME_KEY),
    (f"{STRANGER}alias/cameras", f"{ACCOUNT}alias/cameras", OTHER_KEY),
    ("alias/cameras", "alias/Cameras", OTHER_KEY),
    ("alias/aws/kinesisvideo", f"{ACCOUNT}alias/aws/kinesisvideo", SAME_KEY),
    ("alias/aws/kinesisvideo", None, SAME_KEY),
    (f"{ACCOUNT}alias/aws/kinesisvideo", None, SAME_KEY),
    ("alias/cameras", None, OTHER_KEY),
    (ID, None, NOBODY_KNOWS),
    ("alias/cameras", ID, NOBODY_KNOWS),
    (ID, f"{ACCOUNT}alias/cameras", NOBODY_KNOWS),
    ("what/is/this", "what/is/this", SAME_KEY),
    ("what/is/this", "alias/cameras", NOBODY_KNOWS),
    ("what/is/this", ID, NOBODY_KNOWS),
    (ID, "what/is/this", NOBODY_KNOWS),
]


@pytest.mark.parametrize("requested, found, same", KEYS)
def test_keys(story: Story, requested: str, found: str | None, same: bool | None) -> None:
    """Names of one form are compared; an alias and a key cannot be, and that is said."""
    request = CreateStreamRequest(stream_name="cam", kms_key_id=requested)
    story.on_create(CONFLICT).on_describe(seen(KmsKeyId=found))
    ensured = story.ensure(request, on_drift="ignore")
    drift = (Drift("kms_key_id", requested, found),) if same is OTHER_KEY else ()
    assert ensured.drift == drift
    assert ensured.unverified == (("kms_key_id",) if same is NOBODY_KNOWS else ())


UNREADABLE = [
    DENIED,
    refused("NotAuthorizedException", 401),
    refused("UnknownOperationException", 400),
    refused("InvalidAction", 400),
    refused("NotImplemented", 500),
    refused("404", 404),
    refused("405", 405),
    refused("501", 501),
]


@pytest.mark.parametrize("answer", UNREADABLE)
def test_unverified(story: Story, answer: Answer) -> None:
    """What must not be read, or cannot be read here, is listed, and nothing is made of it."""
    story.on_create(CONFLICT).on_describe(seen(**SAME | {"KmsKeyId": ID}))
    story.on_tags(answer).on_storage(answer)
    found = story.ensure(FULL)
    assert found.drift == ()
    assert found.unverified == ("kms_key_id", "tags", "stream_storage_configuration")


def test_unverified_beside_drift(story: Story) -> None:
    """An error about differences names what could not be compared too."""
    story.on_create(CONFLICT).on_describe(seen(**SAME | {"KmsKeyId": ID, "MediaType": "a/b"}))
    story.on_tags(tags({}, "page 2"), DENIED).on_storage(tier("HOT"))
    with pytest.raises(StreamDriftError) as caught:
        story.ensure(FULL)
    assert [drift.field for drift in caught.value.drift] == [
        "media_type",
        "stream_storage_configuration.default_storage_tier",
    ]
    assert caught.value.unverified == ("kms_key_id", "tags")


def test_unverified_can_be_recovered(story: Story) -> None:
    """What could not be compared is no difference."""
    story.on_create(LOST).on_describe(seen(**SAME))
    story.on_tags(DENIED).on_storage(DENIED)
    found = story.ensure(FULL)
    assert found.outcome is RECOVERED
    assert found.unverified == ("tags", "stream_storage_configuration")


FAILED_READS = {
    "5xx": (BROKEN, ServerError),
    "503": (refused("503", 503), ServerError),
    "generic throttle": (refused("ThrottlingException"), ThrottlingError),
    "bad token": (refused("ExpiredTokenException", 403), ServiceError),
    "403 without a code": (refused("403", 403), ServiceError),
    "lost": (LOST, TransportError),
}


@pytest.mark.parametrize("operation", [TAGS, STORAGE])
@pytest.mark.parametrize("answer, error", FAILED_READS.values(), ids=list(FAILED_READS))
def test_failed_reads_are_raised(
    story: Story, operation: str, answer: Answer, error: type[KvsStreamsError]
) -> None:
    """Any other failure of a read is raised, never called equal and never hidden."""
    story.on_create(CONFLICT).on_describe(seen(**SAME))
    if operation == STORAGE:
        story.on_tags(tags({"site": "Bern", "note": "", "gone": "x"}))
    story.boto.on(operation, answer)
    with pytest.raises(error) as caught:
        story.ensure(FULL)
    assert caught.value.created is None


def test_throttled_reads_give_up(story: Story) -> None:
    """A read that is throttled to the end is a failure as well."""
    story.retry = ThrottleRetry(max_attempts=2)
    story.on_create(CONFLICT).on_describe(seen(**SAME)).on_tags(THROTTLED, THROTTLED)
    with pytest.raises(ClientLimitExceededException):
        story.ensure(FULL)
    assert story.sleeps == seconds(0.25)


def test_tier_that_is_not_told(story: Story) -> None:
    """A success without the tier is neither equal nor a difference."""
    story.on_create(CONFLICT).on_describe(seen(**SAME))
    story.on_tags(tags(dict(FULL.tags or {}))).on_storage(Answer())
    with pytest.raises(UnexpectedResponseError, match="has no DefaultStorageTier") as caught:
        story.ensure(FULL)
    assert caught.value.request_id == REQUEST_ID


@pytest.mark.parametrize("operation", [TAGS, STORAGE])
def test_gone_in_the_comparison(story: Story, operation: str) -> None:
    """Gone between the look and the comparison: the name is free, and is created."""
    story.on_create(CONFLICT, created(3)).on_describe(seen(**SAME), seen(born=3))
    if operation == STORAGE:
        story.on_tags(tags(dict(FULL.tags or {})))
    story.boto.on(operation, NOT_FOUND)
    found = story.ensure(FULL)
    assert found.outcome is CREATED
    assert found.stream.stream_arn == arn(3)


def test_tags_that_never_end(story: Story) -> None:
    """A service that gives the same page for ever does not hold the caller for ever."""
    request = CreateStreamRequest(stream_name="cam", tags={"a": "b"})
    story.on_create(CONFLICT).on_describe(seen())
    story.on_tags(*[tags({"a": "b"}, "again").but(takes=30)] * 2)
    with pytest.raises(UnexpectedResponseError, match=r"^the pages of the tags .* do not end$"):
        story.ensure(request)


# Properties, for any course of events.

STEPS = st.lists(
    st.builds(
        Step,
        others=st.sampled_from(OTHERS),
        reply=st.sampled_from(REPLIES),
        takes=st.sampled_from([0.0, 0.0, 0.2, 1.3, 4.0]),
    ),
    max_size=14,
)
WORLDS = st.fixed_dictionaries(
    {
        "steps": STEPS,
        "chances": st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=4),
        # When a stream was created that was there before, in seconds from the beginning.
        "before": st.none() | st.just(LONG_AGO) | st.floats(-2, -0.001),
        "shift": st.floats(0, 1, exclude_max=True),
        "stuck": st.booleans(),
        "dated": st.sampled_from([True, True, False]),
    }
)
TIMEOUTS = st.floats(0, 60) | st.sampled_from([0, 0.1, 20])
REQUESTS = st.sampled_from(
    [
        REQUEST,
        CreateStreamRequest(stream_name="cam", media_type="video/h264"),
        CreateStreamRequest(
            stream_name="cam",
            tags={"site": "Bern"},
            stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
        ),
    ]
)


def check_pace(world: World, timeout: float) -> None:
    """Check that no sleep passes the deadline, and that looks keep to a fifth of a second."""
    for began, amount in world.clock.naps:
        assert amount >= 0
        assert began - world.start / SECOND + amount <= timeout + 1e-6, "slept beyond the deadline"
    looks = world.times(DESCRIBE)
    for first, sixth in zip(looks, looks[5:], strict=False):
        assert sixth - first > 1.0, "more than five looks in a second"


def outcome_of(world: World, kind: str, *args: Any, **options: Any) -> Any:
    """Return what a call returns, or the error that it raises on purpose."""
    try:
        return Runner(kind, world).run(*args, **options)
    except KvsStreamsError as error:
        return error


def check_error(error: KvsStreamsError, world: World, timeout: float) -> None:
    """Check that an error is of those that the course of events explains."""
    if isinstance(error, WaitTimeoutError):
        assert error.waited >= timeout
        assert error.last_status in (world.last_seen, None)
        return
    if isinstance(error, StreamDeletingError):
        assert error.last_status == world.last_seen == "DELETING"
        return
    if not isinstance(error, StreamDriftError):
        # Nothing else ends a call but an answer that was given to it.
        assert type(error).__name__ in world.told


@pytest.mark.parametrize("kind", CLIENTS)
@settings(max_examples=200)
@given(world=WORLDS, request=REQUESTS, timeout=TIMEOUTS, wait=st.booleans(), strict=st.booleans())
@example(  # What a lost create made was seen and went, and somebody else took the name.
    world={
        "steps": [
            Step(reply="retried after"),
            Step(),
            Step(others="vanish"),
            Step(others="create"),
        ],
        "chances": [0.5],
        "before": None,
        "shift": 0.0,
        "stuck": False,
        "dated": True,
    },
    request=REQUEST,
    timeout=20,
    wait=True,
    strict=True,
)
@example(  # Throttled reads after the last look.
    world={
        "steps": [Step(reply="lost after"), Step(), *[Step(reply="throttle")] * 3],
        "chances": [0.9],
        "before": -1.9,
        "shift": 0.0,
        "stuck": False,
        "dated": True,
    },
    request=CreateStreamRequest(stream_name="cam", tags={"site": "Bern"}),
    timeout=20,
    wait=True,
    strict=True,
)
def test_ensure_whatever_happens(
    kind: str,
    world: dict[str, Any],
    request: CreateStreamRequest,
    timeout: float,
    wait: bool,
    strict: bool,
) -> None:
    """A stream that is there with its true outcome, a typed error, or a timeout: nothing else."""
    scene = World(**world)
    on_drift = "raise" if strict else "ignore"
    result = outcome_of(
        scene, kind, "ensure_stream", request, wait=wait, timeout=timeout, on_drift=on_drift
    )
    check_pace(scene, timeout)
    # Never a create after a success, and none that the answers before do not call for.
    assert scene.surplus == 0
    if isinstance(result, KvsStreamsError):
        check_error(result, scene, timeout)
        assert (result.created is not None) is scene.has_created
        if isinstance(result, StreamDriftError):
            assert strict
            assert result.drift
            assert not scene.succeeded or scene.replaced
        return
    assert isinstance(result, EnsuredStream)
    shown = scene.last_shown
    assert shown is not None
    assert result.stream.status == scene.last_seen
    assert result.stream.status == "ACTIVE" if wait else result.stream.status != "DELETING"
    assert result.stream.creation_time == shown.born
    own = shown.born == scene.created_at
    assert (result.outcome is CREATED) is own
    assert result.stream.stream_arn == scene.last_arn
    if result.outcome is CREATED:
        assert not result.drift
        return
    assert not (strict and result.drift)
    # Its own, as surely as anyone can know; and never where anyone can know that it is not.
    assert scene.floor is None or scene.floor <= scene.began
    own = scene.in_doubt and scene.floor is not None and shown.born >= scene.floor
    assert (result.outcome is RECOVERED) is (own and not result.drift)
    if shown.own and scene.floor is not None:
        assert result.outcome is RECOVERED


@pytest.mark.parametrize("kind", CLIENTS)
@settings(max_examples=100)
@given(world=WORLDS, timeout=TIMEOUTS, grace=st.floats(0, 20))
def test_wait_whatever_happens(
    kind: str, world: dict[str, Any], timeout: float, grace: float
) -> None:
    """A stream that is ACTIVE, a typed error, or a timeout; and nothing is ever created."""
    scene = World(**world)
    result = outcome_of(
        scene, kind, "wait_until_active", "cam", timeout=timeout, not_found_grace=grace
    )
    check_pace(scene, timeout)
    assert set(scene.made()) == {DESCRIBE}
    if isinstance(result, KvsStreamsError):
        check_error(result, scene, timeout)
        if isinstance(result, ResourceNotFoundException):
            assert scene.last_seen is not None or scene.elapsed() >= round(grace * SECOND)
        return
    assert isinstance(result, StreamInfo)
    assert result.status == scene.last_seen == "ACTIVE"


# The means.


def test_the_real_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients' own clock is monotonic, sleeps as asked, and its chance is a real one."""
    import asyncio
    import time

    slept: list[tuple[str, float]] = []

    async def sleep(amount: float) -> None:
        slept.append(("asyncio", amount))

    monkeypatch.setattr(time, "sleep", lambda amount: slept.append(("time", amount)))
    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic_ns", lambda: 42)
    clock = SystemClock()
    assert clock.now() == clock.start() == 42
    clock.sleep(1_500_000_000)
    run(clock.sleep_async(2_500_000_000))
    assert slept == [("time", 1.5), ("asyncio", 2.5)]
    numbers = {clock.random() for _ in range(20)}
    assert len(numbers) > 1
    assert all(0 <= number < 1 for number in numbers)


def test_the_real_clock_waits_for_events() -> None:
    """A thread and a task wait for an event for a time, or without end."""
    import asyncio

    timeouts: list[object] = []
    event: Any = SimpleNamespace(wait=timeouts.append)
    clock = SystemClock()
    for nanoseconds in SECOND // 4, math.inf:
        clock.wait(event, nanoseconds, busy=True)
    assert timeouts == [0.25, None]

    async def suspend() -> None:
        event = asyncio.Event()
        await clock.wait_async(event, 1_000, busy=True)
        asyncio.get_running_loop().call_soon(event.set)
        await clock.wait_async(event, math.inf, busy=True)
        assert event.is_set()

    asyncio.run(asyncio.wait_for(suspend(), 120))


def test_a_flow_that_suspends_needs_a_loop() -> None:
    """A flow that suspends where nobody can resume it is an error, and is cleaned up."""
    import asyncio

    cleaned: list[bool] = []

    async def flow() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            cleaned.append(True)

    with pytest.raises(
        RuntimeError, match=r"^the flow suspended, and there is no event loop to resume it$"
    ):
        run(flow())
    assert cleaned == [True]
