"""``wait_until_active``: pauses, the grace period, the deadline, and what ends it."""

import math
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.runner import Runner
from support.service import (
    BROKEN,
    CUT,
    DENIED,
    DESCRIBE,
    LOST,
    NOT_FOUND,
    THROTTLED,
    Answer,
    Scripted,
    arn,
    described,
    refused,
)

from kvs_streams import (
    StreamInfo,
    StreamStatus,
    errors,
)

WAIT = "wait_until_active"
CREATING = described("CREATING")
NO_ANSWERS = {
    "throttle": THROTTLED,
    "generic throttle": refused("ThrottlingException"),
    "5xx": BROKEN,
    "unknown code with 503": refused("Oops", 503),
    "RequestTimeout": refused("RequestTimeout", 408),
    "RequestTimeoutException": refused("RequestTimeoutException", 400),
    "408": refused("408", 408),
}
FAILURES: dict[str, tuple[Answer, type[Exception]]] = {
    "denied": (DENIED, errors.AccessDeniedError),
    "expired": (refused("ExpiredTokenException", 403), errors.AuthenticationError),
    "read timeout": (LOST, errors.TransportError),
    "connection closed": (CUT, errors.TransportError),
    "no stream in the reply": (Answer(), errors.UnexpectedResponseError),
}


def test_active_at_once(run: Runner, boto: Scripted) -> None:
    """A stream that is ready costs one describe and no time."""
    boto.on(DESCRIBE, described())
    info = run(WAIT, "cam")
    assert isinstance(info, StreamInfo)
    assert info.status is StreamStatus.ACTIVE
    assert boto.calls == [(DESCRIBE, 0.0, {"StreamName": "cam"})]
    assert boto.clock.pauses == []


@pytest.mark.parametrize("random, factor", [(0.0, 0.75), (0.5, 1.0), (0.999, 1.2495)])
def test_pauses_between_polls(run: Runner, boto: Scripted, random: float, factor: float) -> None:
    """Half a second, growing by half to five, a quarter less or more at random."""
    boto.clock.randoms([random])
    boto.on(DESCRIBE, *[CREATING] * 9, described())
    run(WAIT, "cam")
    plan = [0.5, 0.75, 1.125, 1.6875, 2.53125, 3.796875, 5.0, 5.0, 5.0]
    assert boto.clock.sleeps == pytest.approx([pause * factor for pause in plan])


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "FROZEN"])
def test_any_other_status_is_waited_out(run: Runner, boto: Scripted, status: str) -> None:
    """Only ACTIVE and DELETING end the wait; a status of the future does not."""
    boto.on(DESCRIBE, described(status), described())
    assert run(WAIT, "cam").status == "ACTIVE"


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=list(NO_ANSWERS))
def test_polls_without_an_answer(run: Runner, boto: Scripted, answer: Answer) -> None:
    """A poll that is throttled or fails at AWS is no answer: the next poll is the retry."""
    boto.on(DESCRIBE, answer, answer, described())
    run(WAIT, "cam")
    assert boto.clock.sleeps == [0.5, 0.75]


@pytest.mark.parametrize("answer, error", FAILURES.values(), ids=list(FAILURES))
def test_other_failures_end_the_wait(
    run: Runner, boto: Scripted, answer: Answer, error: type[Exception]
) -> None:
    """Any other failure of a poll is raised at once, a lost response included."""
    boto.on(DESCRIBE, CREATING, answer)
    with pytest.raises(error) as caught:
        run(WAIT, "cam")
    assert caught.value.stream_name == "cam"
    assert caught.value.operation_name == "DescribeStream"
    assert caught.value.created is None


def test_deleting_ends_the_wait(run: Runner, boto: Scripted) -> None:
    """A stream that is being deleted is an error at once, with the name also for an ARN."""
    boto.on(DESCRIBE, CREATING.but(takes=0.25), described("DELETING").but(takes=0.25))
    with pytest.raises(errors.StreamDeletingError, match="stream 'cam' is being deleted") as caught:
        run(WAIT, arn())
    assert boto.calls[0][2] == {"StreamARN": arn()}
    assert caught.value.stream_name == "cam"
    assert caught.value.last_status is StreamStatus.DELETING
    assert caught.value.waited == pytest.approx(1.0)
    assert caught.value.__cause__ is None


# What the polls find, and the grace; the last poll raises that nothing is found.
GONE: dict[str, tuple[list[Answer], dict[str, float]]] = {
    "just before the end of the grace, and after": ([NOT_FOUND.but(takes=9.999)] * 2, {}),
    "at the end of the grace": ([NOT_FOUND.but(takes=10.0)], {}),
    "no grace": ([NOT_FOUND], {"not_found_grace": 0}),
    "a grace of one's own": ([NOT_FOUND] * 3, {"not_found_grace": 1.25}),
    "after it was seen": ([NOT_FOUND, CREATING, NOT_FOUND], {}),
    "seen, no answer, gone": ([CREATING, THROTTLED, NOT_FOUND], {}),
}


@pytest.mark.parametrize("answers, options", GONE.values(), ids=list(GONE))
def test_not_found(
    run: Runner, boto: Scripted, answers: list[Answer], options: dict[str, float]
) -> None:
    """Not found is polled on within the grace, and raised after it or after it was seen."""
    boto.on(DESCRIBE, *answers)
    with pytest.raises(errors.ResourceNotFoundException) as caught:
        run(WAIT, "cam", **options)
    assert type(caught.value.__cause__) is ClientError
    assert caught.value.retry_attempts == 0


def test_deadline(run: Runner, boto: Scripted) -> None:
    """The last pause ends at the deadline; a last poll follows, and then no more."""
    boto.on(DESCRIBE, BROKEN, *[CREATING] * 3)
    with pytest.raises(errors.WaitTimeoutError, match="CREATING") as caught:
        run(WAIT, "cam", timeout=1.5)
    assert boto.clock.sleeps == pytest.approx([0.5, 0.75, 0.25])
    assert boto.times(DESCRIBE)[-1] == pytest.approx(1.5)
    assert caught.value.stream_name == "cam"
    assert caught.value.last_status is StreamStatus.CREATING
    assert caught.value.waited == pytest.approx(1.5)
    assert isinstance(caught.value, TimeoutError)
    # The last failure, and boto's beneath.
    assert type(caught.value.__cause__) is errors.ServerError
    assert type(caught.value.__cause__.__cause__) is ClientError


@pytest.mark.parametrize("options", [{"timeout": 0}, {"timeout": 0, "not_found_grace": 0}])
@pytest.mark.parametrize("answer", [CREATING, THROTTLED])
def test_no_time_at_all(
    run: Runner, boto: Scripted, options: dict[str, float], answer: Answer
) -> None:
    """With a timeout of 0 there is one poll."""
    boto.on(DESCRIBE, answer)
    with pytest.raises(errors.WaitTimeoutError) as caught:
        run(WAIT, "cam", **options)
    assert boto.clock.pauses == []
    failed = answer is THROTTLED
    assert type(caught.value.__cause__) is (
        errors.ClientLimitExceededException if failed else type(None)
    )
    assert caught.value.last_status == (None if failed else "CREATING")


@pytest.mark.parametrize("answer", [THROTTLED, NOT_FOUND])
def test_never_seen(run: Runner, boto: Scripted, answer: Answer) -> None:
    """A stream that no poll showed has no last status; the last failure is the cause."""
    boto.on(DESCRIBE, *[answer] * 3)
    with pytest.raises(errors.WaitTimeoutError) as caught:
        run(WAIT, "cam", timeout=1, not_found_grace=math.inf)
    assert caught.value.last_status is None
    assert isinstance(caught.value.__cause__, errors.KvsStreamsError)


@pytest.mark.parametrize("timeout", [0.04, 0.1, 0.3, 1 / 3, 1.1, 7.7, 1e-9, 299.999])
def test_waited_is_never_less_than_the_timeout(run: Runner, boto: Scripted, timeout: float) -> None:
    """Neither the attribute nor the text says less, however the fractions fall."""
    boto.on(DESCRIBE, *[CREATING] * 70)
    with pytest.raises(errors.WaitTimeoutError) as caught:
        run(WAIT, "cam", timeout=timeout)
    boto.script.clear()
    assert timeout <= caught.value.waited < timeout + 0.001
    assert sum(boto.clock.sleeps) <= timeout + 1e-6
    told = [float(word) for word in str(caught.value).split() if word.replace(".", "").isdigit()]
    assert told == [pytest.approx(timeout, abs=0.1)]
    assert told[0] >= timeout


def test_clock_that_wakes_early(
    run: Runner, boto: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause that ends a hair before the deadline is the last one all the same."""
    clock = boto.clock
    slept: list[float] = []

    def wake_early(nanoseconds: float) -> None:
        slept.append(nanoseconds)
        clock.nanoseconds += round(nanoseconds) - 1

    monkeypatch.setattr(clock, "sleep", wake_early)
    boto.on(DESCRIBE, *[CREATING] * 2)
    with pytest.raises(errors.WaitTimeoutError) as caught:
        run(WAIT, "cam", timeout=0.5)
    assert len(slept) == 1
    assert caught.value.waited >= 0.5


def test_late_answers_count(run: Runner, boto: Scripted) -> None:
    """A call in flight is not interrupted, and what it tells after the deadline counts."""
    boto.on(DESCRIBE, described().but(takes=60))
    assert run(WAIT, "cam", timeout=1).status == "ACTIVE"


def test_no_deadline(run: Runner, boto: Scripted) -> None:
    """``math.inf`` waits for ever."""
    boto.on(DESCRIBE, CREATING.but(takes=1e8), described())
    assert run(WAIT, "cam", timeout=math.inf).status == "ACTIVE"


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"timeout": "1"}, TypeError, "timeout must be a number"),
        ({"timeout": True}, TypeError, "timeout must be a number"),
        ({"timeout": timedelta(1)}, TypeError, "timeout must be a number"),
        ({"timeout": -0.001}, ValueError, "timeout must be at least 0"),
        ({"timeout": math.nan}, ValueError, "timeout must be at least 0"),
        ({"not_found_grace": None}, TypeError, "not_found_grace must be a number"),
        ({"not_found_grace": -math.inf}, ValueError, "not_found_grace must be at least 0"),
    ],
)
def test_times_that_are_refused(
    run: Runner, boto: Scripted, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """What is no span of time is refused by name, before anything is sent."""
    with pytest.raises(error, match=f"^{text}"):
        run(WAIT, "cam", **options)
    assert boto.calls == []


@pytest.mark.parametrize("stream", ["", "bad name!", "arn:aws:s3:::bucket", "x" * 257, None, 7])
@pytest.mark.parametrize("method", [WAIT, DESCRIBE])
def test_streams_that_are_refused(run: Runner, boto: Scripted, method: str, stream: Any) -> None:
    """What is neither a name nor an ARN is refused before anything is sent."""
    with pytest.raises(errors.RequestValidationError) as caught:
        run(method, stream)
    assert caught.value.violations
    assert boto.calls == []
