"""``wait_until_active``: pauses, the grace period, the deadline, and what ends it."""

import math
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from support.runner import Runner
from support.service import DESCRIBE, Answer, Scripted, arn, refused, told

from kvs_streams import StreamStatus, errors

WAIT = "wait_until_active"


def test_active_at_once(run: Runner, boto: Scripted) -> None:
    """A stream that is ready costs one describe and no time."""
    boto.on(DESCRIBE, *told("active"))
    info = run(WAIT, "cam")
    assert info.status is StreamStatus.ACTIVE
    assert boto.calls == [(DESCRIBE, 0.0, {"StreamName": "cam"})]
    assert boto.clock.pauses == []


@pytest.mark.parametrize("random, factor", [(0.0, 0.75), (0.5, 1.0), (0.999, 1.2495)])
def test_pauses_between_polls(run: Runner, boto: Scripted, random: float, factor: float) -> None:
    """Half a second, growing by half to five, a quarter less or more at random.

    Only ACTIVE and DELETING end the wait; a status of the future does not.
    """
    boto.clock.randoms([random])
    boto.on(DESCRIBE, *told("creating updating frozen" + " creating" * 6 + " active"))
    assert run(WAIT, "cam").status == "ACTIVE"
    plan = [0.5, 0.75, 1.125, 1.6875, 2.53125, 3.796875, 5.0, 5.0, 5.0]
    assert boto.clock.sleeps == pytest.approx([pause * factor for pause in plan])


@pytest.mark.parametrize(
    "answer",
    [
        *told("throttled broken timeout oops"),
        refused("ThrottlingException"),
        refused("RequestTimeoutException"),
        refused("408", 408),
    ],
    ids=lambda answer: answer.code,
)
def test_polls_without_an_answer(run: Runner, boto: Scripted, answer: Answer) -> None:
    """A poll that is throttled or fails at AWS is no answer: the next poll is the retry."""
    boto.on(DESCRIBE, answer, answer, *told("active"))
    run(WAIT, "cam")
    assert boto.clock.sleeps == [0.5, 0.75]


@pytest.mark.parametrize(
    "last, error",
    [
        ("denied", errors.AccessDeniedError),
        ("expired", errors.AuthenticationError),
        ("lost", errors.TransportError),
        ("cut", errors.TransportError),
        ("useless", errors.UnexpectedResponseError),
    ],
)
def test_other_failures_end_the_wait(run: Runner, boto: Scripted, last: str, error: Any) -> None:
    """Any other failure of a poll is raised at once, a lost response included."""
    boto.on(DESCRIBE, *told(f"creating {last}"))
    with pytest.raises(error) as caught:
        run(WAIT, "cam")
    assert caught.value.stream_name == "cam"
    assert caught.value.operation_name == "DescribeStream"
    assert caught.value.created is None


def test_deleting_ends_the_wait(run: Runner, boto: Scripted) -> None:
    """A stream that is being deleted is an error at once, with the name also for an ARN."""
    boto.on(DESCRIBE, *told("creating+0.25 deleting+0.25"))
    with pytest.raises(errors.StreamDeletingError, match="stream 'cam' is being deleted") as caught:
        run(WAIT, arn())
    assert boto.calls[0][2] == {"StreamARN": arn()}
    assert caught.value.stream_name == "cam"
    assert caught.value.last_status is StreamStatus.DELETING
    assert caught.value.waited == 1.0
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "answers, options",
    [
        pytest.param("gone+9.999 gone", {}, id="just before the end of the grace, and after"),
        pytest.param("gone+10", {}, id="at the end of the grace"),
        pytest.param("gone", {"not_found_grace": 0}, id="no grace"),
        pytest.param("gone gone gone", {"not_found_grace": 1.25}, id="a grace of one's own"),
        pytest.param("gone creating gone", {}, id="after it was seen"),
        pytest.param("creating throttled gone", {}, id="seen, no answer, gone"),
    ],
)
def test_not_found(run: Runner, boto: Scripted, answers: str, options: dict[str, float]) -> None:
    """Not found is polled on within the grace, and raised after it or after it was seen."""
    boto.on(DESCRIBE, *told(answers))
    with pytest.raises(errors.ResourceNotFoundException) as caught:
        run(WAIT, "cam", **options)
    assert type(caught.value.__cause__) is ClientError
    assert caught.value.retry_attempts == 0


@pytest.mark.parametrize(
    "answers, timeout, pauses, status, cause",
    [
        ("broken creating creating creating", 1.5, 3, "CREATING", "ServerError"),
        # With a timeout of 0 there is one poll.
        ("creating", 0, 0, "CREATING", "NoneType"),
        ("throttled", 0, 0, None, "ClientLimitExceededException"),
        ("gone gone gone", 1, 2, None, "ResourceNotFoundException"),
    ],
)
def test_deadline(
    run: Runner, boto: Scripted, answers: str, timeout: float, pauses: int, status: Any, cause: str
) -> None:
    """The last pause ends at the deadline; a last poll follows, and then no more."""
    boto.on(DESCRIBE, *told(answers))
    with pytest.raises(errors.WaitTimeoutError) as caught:
        run(WAIT, "cam", timeout=timeout)
    assert len(boto.clock.sleeps) == pauses
    assert boto.times(DESCRIBE)[-1] == timeout == caught.value.waited
    assert caught.value.stream_name == "cam"
    assert caught.value.last_status == status
    seen = f"its last status is {status}" if status else "never seen"
    assert str(caught.value).endswith(f" s: {seen}")
    assert type(caught.value.__cause__).__name__ == cause


@pytest.mark.parametrize("timeout", [0.04, 0.1, 1 / 3, 7.7, 1e-9, 299.999])
def test_waited_is_never_less_than_the_timeout(run: Runner, boto: Scripted, timeout: float) -> None:
    """Neither the attribute nor the text says less, however the fractions fall."""
    boto.on(DESCRIBE, *told("creating " * 70))
    with pytest.raises(errors.WaitTimeoutError, match=f" {timeout} s: ") as caught:
        run(WAIT, "cam", timeout=timeout)
    boto.script.clear()
    assert timeout <= caught.value.waited < timeout + 0.001
    assert sum(boto.clock.sleeps) <= timeout + 1e-6


@pytest.mark.parametrize(
    "answers, timeout",
    [
        pytest.param("active+60", 1, id="a call in flight is not interrupted"),
        pytest.param("creating+100000000 active", math.inf, id="no deadline"),
    ],
)
def test_late_answers_count(run: Runner, boto: Scripted, answers: str, timeout: float) -> None:
    """What a call tells after the deadline counts, and ``math.inf`` waits for ever."""
    boto.on(DESCRIBE, *told(answers))
    assert run(WAIT, "cam", timeout=timeout).status == "ACTIVE"


@pytest.mark.parametrize("name", ["timeout", "not_found_grace"])
@pytest.mark.parametrize(
    "value, error, text",
    [
        ("1", TypeError, "must be a number of seconds, not '1'"),
        (None, TypeError, "must be a number of seconds, not None"),
        (timedelta(1), TypeError, "must be a number of seconds, not datetime"),
        (-0.001, ValueError, "must be at least 0 seconds, got -0.001"),
        (math.nan, ValueError, "must be at least 0 seconds, got nan"),
    ],
)
def test_times_that_are_refused(
    run: Runner, boto: Scripted, name: str, value: Any, error: type[Exception], text: str
) -> None:
    """What is no span of time is refused by name, before anything is sent."""
    with pytest.raises(error, match=f"^{name} {text}"):
        run(WAIT, "cam", **{name: value})
    assert boto.calls == []


@pytest.mark.parametrize("stream", ["", "bad name!", "arn:aws:s3:::bucket", "x" * 257, None, 7])
@pytest.mark.parametrize("method", [WAIT, DESCRIBE])
def test_streams_that_are_refused(run: Runner, boto: Scripted, method: str, stream: Any) -> None:
    """What is neither a name nor an ARN is refused before anything is sent."""
    with pytest.raises(errors.RequestValidationError) as caught:
        run(method, stream)
    assert caught.value.violations
    assert boto.calls == []
