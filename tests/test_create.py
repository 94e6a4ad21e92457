"""One call: what is sent, what comes back, and the retry of the service's own throttle."""

import logging
import math
from inspect import signature
from typing import Any

import attrs
import pytest
from support.runner import Runner
from support.service import CREATE, DESCRIBE, REQUEST_ID, Scripted, arn, refused, told

from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    ResourceInUseException,
    ServiceError,
    StreamStorageConfiguration,
    ThrottleRetry,
)

CAM = CreateStreamRequest(stream_name="cam")
FULL = CreateStreamRequest(
    stream_name="cam",
    device_name="axis",
    media_type="video/h264",
    kms_key_id="alias/cameras",
    data_retention_in_hours=24,
    tags={"site": "Bern", "note": None},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)


def test_what_is_sent_and_returned(run: Runner, boto: Scripted) -> None:
    """What is set is sent as it is, and the reply becomes a typed response."""
    boto.on(CREATE, *told("new"))
    response = run(CREATE, FULL)
    assert response == CreateStreamResponse(
        stream_arn=arn(), request_id=REQUEST_ID, http_status_code=200, retry_attempts=0
    )
    assert response.stream_arn.stream_name == "cam"
    assert boto.calls == [(CREATE, 0.0, FULL.to_boto())]


NO_REQUESTS: dict[str, Any] = {"'cam'": "cam", "None": None, "<dict>": {"StreamName": "cam"}}


@pytest.mark.parametrize("text", NO_REQUESTS)
@pytest.mark.parametrize("method", [CREATE, "ensure_stream"])
def test_what_is_no_request_is_refused(run: Runner, boto: Scripted, method: str, text: str) -> None:
    """Anything but a request is a TypeError that names the class, and nothing is sent."""
    message = f" not {text}; CreateStreamRequest.from_boto .* keyword arguments$"
    with pytest.raises(TypeError, match=message):
        run(method, NO_REQUESTS[text])
    assert boto.calls == []


# The throttle: a policy, what the attempts come to, how many requests botocore sent again for each,
# the retry_attempts of the response or the error, and the pauses with a random number of 0.5.

BOLD = ThrottleRetry(max_attempts=7, base_delay=1, max_delay=5)
Retries = tuple[ThrottleRetry, str, list[int], int, list[float]]
RETRIES: list[Retries] = [
    (ThrottleRetry(), "throttled new", [0, 0], 1, [0.25]),
    (ThrottleRetry(), "throttled " * 4 + "new", [0] * 5, 4, [0.25, 0.5, 1.0, 2.0]),
    (ThrottleRetry(), "throttled " * 5, [0] * 5, 4, [0.25, 0.5, 1.0, 2.0]),
    (ThrottleRetry(max_attempts=1), "throttled", [0], 0, []),
    (BOLD, "throttled " * 6 + "new", [0] * 7, 6, [0.5, 1.0, 2.0, 2.5, 2.5, 2.5]),
    (ThrottleRetry(base_delay=0, max_delay=0), "throttled new", [0, 0], 1, [0.0]),
    # botocore's retries and ours are one count: three requests, one, two, less one.
    (ThrottleRetry(), "throttled throttled new", [2, 0, 1], 5, [0.25, 0.5]),
    (ThrottleRetry(), "throttled denied", [2, 1], 4, [0.25]),
]


@pytest.mark.parametrize("case", RETRIES)
def test_throttled_creates_are_sent_again(run: Runner, boto: Scripted, case: Retries) -> None:
    """A throttle is retried with growing pauses to the last attempt, and each request counts."""
    policy, attempts, retries, total, pauses = case
    answers = told(attempts)
    boto.on(CREATE, *(answer.but(retries=n) for answer, n in zip(answers, retries, strict=True)))
    run = run.over(throttle_retry=policy)
    if answers[-1].code:
        with pytest.raises(ServiceError) as caught:
            run(CREATE, CAM)
        assert (caught.value.code, caught.value.stream_name) == (answers[-1].code, "cam")
        assert caught.value.retry_attempts == total
    else:
        assert run(CREATE, CAM).retry_attempts == total
    assert boto.clock.sleeps == pauses


def test_describe_is_sent_again_too(run: Runner, boto: Scripted) -> None:
    """A throttled describe is retried like a create."""
    boto.on(DESCRIBE, *told("throttled active"))
    assert run(DESCRIBE, "cam").status == "ACTIVE"
    assert boto.clock.sleeps == [0.25]


@pytest.mark.parametrize(
    "code",
    ["LimitExceededException", "ThrottlingException", "TooManyRequestsException", "SomethingElse"],
)
@pytest.mark.parametrize("method, argument", [(CREATE, CAM), (DESCRIBE, "cam")])
def test_only_the_services_own_throttle_is_sent_again(
    run: Runner, boto: Scripted, method: str, argument: Any, code: str
) -> None:
    """Every other code is botocore's business, so that retries never multiply."""
    boto.on(method, refused(code))
    with pytest.raises(ServiceError):
        run(method, argument)
    assert boto.clock.pauses == []


@pytest.mark.parametrize("retries, own", [("0", 0), ("000", 0), ("1", 1), ("10", 1), ("0200", 1)])
def test_conflict_that_may_be_the_calls_own(
    run: Runner, boto: Scripted, retries: str, own: bool
) -> None:
    """An earlier request may have created the stream: botocore retried within any attempt."""
    answers = told("throttled " * (len(retries) - 1) + "conflict")
    boto.on(
        CREATE, *(answer.but(retries=int(n)) for answer, n in zip(answers, retries, strict=True))
    )
    with pytest.raises(ResourceInUseException) as caught:
        run(CREATE, CAM)
    assert caught.value.possibly_own is bool(own)


def test_retries_are_logged(run: Runner, boto: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    """Each retry is a record at DEBUG with the operation, the stream, the attempt and the pause."""
    caplog.set_level(logging.DEBUG, "kvs_streams")
    boto.on(CREATE, *told("throttled throttled new"))
    run(CREATE, CAM)
    text = "CreateStream for stream 'cam' is throttled in attempt"
    assert caplog.record_tuples == [
        ("kvs_streams", logging.DEBUG, f"{text} 1; retrying in 0.25 s"),
        ("kvs_streams", logging.DEBUG, f"{text} 2; retrying in 0.50 s"),
    ]


# The policy.


@pytest.mark.parametrize("random", [1.0, 0.5, 0.0])
@pytest.mark.parametrize("attempt, ceiling", [(1, 0.5), (2, 1), (3, 2), (4, 3), (10**9, 3)])
def test_delays_keep_to_the_policy(attempt: int, ceiling: float, random: float) -> None:
    """The ceiling doubles from the base up to the highest, and never overflows."""
    assert ThrottleRetry(base_delay=0.5, max_delay=3).delay(attempt, random) == random * ceiling


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"max_attempts": 0}, ValueError, "max_attempts must be at least 1, got 0"),
        ({"max_attempts": True}, TypeError, "max_attempts must be an int, not True"),
        ({"max_attempts": 2.0}, TypeError, "max_attempts must be an int, not 2.0"),
        ({"base_delay": "1"}, TypeError, "base_delay must be a number of seconds, not '1'"),
        ({"base_delay": -0.1}, ValueError, "base_delay must be at least 0 seconds, got -0.1"),
        ({"base_delay": math.nan}, ValueError, "base_delay must be at least 0 seconds, got nan"),
        ({"max_delay": "8"}, TypeError, ""),
        *(
            (
                {"max_delay": value},
                ValueError,
                rf"max_delay must be finite and at least base_delay \(0.5 s\), got {value}",
            )
            for value in (0.4, -1, math.inf, math.nan)
        ),
    ],
)
def test_policy_refuses_nonsense(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """A policy that makes no sense is refused, by the name of the value."""
    with pytest.raises(error, match=f"^{text}"):
        ThrottleRetry(**options)


def test_policy_is_a_value() -> None:
    """The defaults are the published ones, policies compare, and the least of all is allowed."""
    assert attrs.astuple(ThrottleRetry()) == (5, 0.5, 8.0)
    assert str(signature(ThrottleRetry)).startswith("(*, ")
    assert hash(ThrottleRetry()) == hash(ThrottleRetry(max_attempts=5))
    assert ThrottleRetry(max_attempts=1, base_delay=0, max_delay=0) != ThrottleRetry()
    assert ThrottleRetry(base_delay=8) == ThrottleRetry(base_delay=8.0, max_delay=8)
