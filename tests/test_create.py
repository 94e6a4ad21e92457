"""One call: what is sent, what comes back, and the retry of the service's own throttle."""

import logging
import math
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings, strategies as st
from support.clock import VirtualClock, use
from support.runner import SYNC, Runner
from support.service import (
    CONFLICT,
    CREATE,
    DENIED,
    DESCRIBE,
    REQUEST_ID,
    THROTTLED,
    Answer,
    Scripted,
    arn,
    created,
    described,
    refused,
)

from kvs_streams import (
    ClientLimitExceededException,
    CreateStreamRequest,
    CreateStreamResponse,
    ResourceInUseException,
    ServiceError,
    StreamStatus,
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
SENT = {
    "StreamName": "cam",
    "DeviceName": "axis",
    "MediaType": "video/h264",
    "KmsKeyId": "alias/cameras",
    "DataRetentionInHours": 24,
    "Tags": {"site": "Bern", "note": ""},
    "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"},
}


@pytest.mark.parametrize(
    "request_, sent",
    [
        pytest.param(FULL, SENT, id="all members"),
        pytest.param(CAM, {"StreamName": "cam"}, id="a name alone"),
        pytest.param(
            CreateStreamRequest(stream_name="cam", tags={}), {"StreamName": "cam"}, id="empty tags"
        ),
    ],
)
def test_what_is_sent_and_returned(
    run: Runner, boto: Scripted, request_: CreateStreamRequest, sent: dict[str, Any]
) -> None:
    """Each member that is set is sent by AWS's name, and the reply becomes a typed response."""
    boto.on(CREATE, created())
    response = run(CREATE, request_)
    assert response == CreateStreamResponse(
        stream_arn=arn(), request_id=REQUEST_ID, http_status_code=200, retry_attempts=0
    )
    assert response.stream_arn.stream_name == "cam"
    assert boto.calls == [(CREATE, 0.0, sent)]
    # As plain as boto3 wants it.
    assert [type(value) for value in boto.calls[0][2].values()] == [*map(type, sent.values())]


@pytest.mark.parametrize("request_", ["cam", None, {"StreamName": "cam"}])
@pytest.mark.parametrize("method", [CREATE, "ensure_stream"])
def test_what_is_no_request_is_refused(
    run: Runner, boto: Scripted, method: str, request_: Any
) -> None:
    """Anything but a request is a TypeError that names the class, and nothing is sent."""
    with pytest.raises(TypeError, match="CreateStreamRequest"):
        run(method, request_)
    assert boto.calls == []


# The throttle: what each attempt comes to, and the pauses between with a random number of 0.5.

RETRIES: list[tuple[dict[str, Any], list[Answer], int | None, list[float]]] = [
    ({}, [created()], 0, []),
    ({}, [THROTTLED, created()], 1, [0.25]),
    ({}, [*[THROTTLED] * 4, created()], 4, [0.25, 0.5, 1.0, 2.0]),
    ({}, [*[THROTTLED] * 5], None, [0.25, 0.5, 1.0, 2.0]),
    ({"max_attempts": 1}, [THROTTLED], None, []),
    (
        {"max_attempts": 7, "base_delay": 1, "max_delay": 5},
        [*[THROTTLED] * 6, created()],
        6,
        [0.5, 1.0, 2.0, 2.5, 2.5, 2.5],
    ),
    ({"base_delay": 0, "max_delay": 0}, [THROTTLED, created()], 1, [0.0]),
    # botocore's retries and ours are one count: three requests, one, two, less one.
    ({}, [THROTTLED.but(retries=2), THROTTLED, created().but(retries=1)], 5, [0.25, 0.5]),
]


@pytest.mark.parametrize("policy, answers, attempts, pauses", RETRIES)
def test_throttled_creates_are_sent_again(
    run: Runner,
    boto: Scripted,
    policy: dict[str, Any],
    answers: list[Answer],
    attempts: int | None,
    pauses: list[float],
) -> None:
    """A throttle is retried with growing pauses to the last attempt, and each request counts."""
    boto.on(CREATE, *answers)
    run = run.over(throttle_retry=ThrottleRetry(**policy))
    if attempts is None:
        with pytest.raises(ClientLimitExceededException) as caught:
            run(CREATE, CAM)
        assert caught.value.retry_attempts == len(answers) - 1
        assert caught.value.stream_name == "cam"
        assert type(caught.value.__cause__) is ClientError
    else:
        assert run(CREATE, CAM).retry_attempts == attempts
    assert boto.clock.sleeps == pytest.approx(pauses)


def test_describe_is_sent_again_too(run: Runner, boto: Scripted) -> None:
    """A throttled describe is retried like a create."""
    boto.on(DESCRIBE, THROTTLED, described())
    assert run(DESCRIBE, "cam").status is StreamStatus.ACTIVE
    assert boto.clock.sleeps == [0.25]


def test_requests_of_an_error_count_too(run: Runner, boto: Scripted) -> None:
    """An error after throttles counts every request that was sent before it."""
    boto.on(CREATE, THROTTLED.but(retries=2), refused("InvalidArgumentException").but(retries=1))
    with pytest.raises(ServiceError) as caught:
        run(CREATE, CAM)
    assert caught.value.retry_attempts == 4
    assert caught.value.operation_name == "CreateStream"
    assert caught.value.request_id == REQUEST_ID


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
@pytest.mark.parametrize("method, argument", [(CREATE, CAM), (DESCRIBE, "cam")])
def test_only_the_services_own_throttle_is_sent_again(
    run: Runner, boto: Scripted, method: str, argument: Any, code: str
) -> None:
    """Every other code is botocore's business, so that retries never multiply."""
    boto.on(method, refused(code))
    with pytest.raises(ServiceError):
        run(method, argument)
    assert boto.clock.pauses == []


@pytest.mark.parametrize(
    "before, conflict, own",
    [
        ([], CONFLICT, False),
        ([THROTTLED] * 2, CONFLICT, False),
        ([], CONFLICT.but(retries=1), True),
        ([THROTTLED.but(retries=1)], CONFLICT, True),
        ([THROTTLED, THROTTLED.but(retries=2), THROTTLED], CONFLICT, True),
        ([THROTTLED, THROTTLED], CONFLICT.but(retries=1), True),
    ],
)
def test_conflict_that_may_be_the_calls_own(
    run: Runner, boto: Scripted, before: list[Answer], conflict: Answer, own: bool
) -> None:
    """An earlier request may have created the stream: botocore retried within any attempt."""
    boto.on(CREATE, *before, conflict)
    with pytest.raises(ResourceInUseException) as caught:
        run(CREATE, CAM)
    assert caught.value.possibly_own is own


def test_retries_are_logged(run: Runner, boto: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    """Each retry is a record at DEBUG with the operation, the stream, the attempt and the pause."""
    caplog.set_level(logging.DEBUG, "kvs_streams")
    boto.on(CREATE, THROTTLED, THROTTLED, DENIED)
    with pytest.raises(ServiceError):
        run(CREATE, CAM)
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    for attempt, (message, pause) in enumerate(zip(caplog.messages, ("0.25", "0.50"), strict=True)):
        for part in ("CreateStream", "'cam'", str(attempt + 1), f"{pause} s"):
            assert part in message


DELAYS = st.just(0.0) | st.floats(1e-6, 1e5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    attempts=st.integers(1, 90), random=st.floats(0, 1, exclude_max=True), base=DELAYS, more=DELAYS
)
def test_pauses_keep_to_the_policy(
    monkeypatch: pytest.MonkeyPatch, attempts: int, random: float, base: float, more: float
) -> None:
    """Each pause is the random part of a ceiling that doubles from the base up to the highest."""
    clock = use(VirtualClock(random), monkeypatch)
    boto = Scripted(clock).on(CREATE, *[THROTTLED] * attempts)
    retry = ThrottleRetry(max_attempts=attempts, base_delay=base, max_delay=base + more)
    with pytest.raises(ClientLimitExceededException):
        Runner(SYNC, boto, throttle_retry=retry)(CREATE, CAM)
    ceilings = [min(base + more, base * 2.0**attempt) for attempt in range(attempts - 1)]
    assert clock.sleeps == pytest.approx([random * ceiling for ceiling in ceilings], abs=1e-8)


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"max_attempts": 0}, ValueError, "max_attempts must be at least 1"),
        ({"max_attempts": True}, TypeError, "max_attempts must be an int"),
        ({"max_attempts": 2.0}, TypeError, "max_attempts must be an int"),
        ({"base_delay": "1"}, TypeError, "base_delay must be a number"),
        ({"base_delay": -0.1}, ValueError, "base_delay must be at least 0"),
        ({"base_delay": math.nan}, ValueError, "base_delay must be at least 0"),
        ({"max_delay": None}, TypeError, "max_delay must be a number"),
        ({"max_delay": -1}, ValueError, "max_delay must be at least"),
        ({"max_delay": math.inf}, ValueError, "max_delay must be finite"),
        ({"max_delay": 0.4}, ValueError, "max_delay must be at least base_delay"),
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
    assert ThrottleRetry() == ThrottleRetry(max_attempts=5, base_delay=0.5, max_delay=8.0)
    assert hash(ThrottleRetry()) == hash(ThrottleRetry(max_attempts=5))
    assert ThrottleRetry(max_attempts=1, base_delay=0, max_delay=0) != ThrottleRetry()
