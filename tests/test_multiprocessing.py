"""Requests, responses and errors on their way from one process to another."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    RequestValidationError,
    ResourceInUseException,
    StorageTier,
    StreamArn,
    StreamDriftError,
    StreamInfo,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    TransportError,
    WaitTimeoutError,
)

# Python 3.12 and newer warn of a fork in a process that has threads, as any test runner's may.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

ARN = StreamArn("arn:aws:kinesisvideo:eu-central-1:123456789012:stream/gate/1598784211076")
REQUEST = CreateStreamRequest(
    stream_name="gate-7.north",
    data_retention_in_hours=48,
    tags={"site": "Zürich", "owner": ""},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
INFO = StreamInfo(stream_name="gate", stream_arn=ARN, status=StreamStatus("HIBERNATING"))
DRIFT = Drift(field="tags['site']", requested="Zürich", found=None)
VALUES = [
    REQUEST,
    CreateStreamResponse(stream_arn=ARN, request_id="1", http_status_code=200, retry_attempts=2),
    EnsuredStream(stream=INFO, outcome=EnsureOutcome.EXISTING, drift=(DRIFT,), unverified=("a",)),
    ThrottleRetry(max_attempts=3),
    StorageTier.WARM,
]
REPLY: Any = {
    "Error": {"Code": "ResourceInUseException", "Message": "The stream exists."},
    "ResponseMetadata": {"RequestId": "1", "HTTPStatusCode": 400, "RetryAttempts": 1},
}
FAILURES = [
    ResourceInUseException(REPLY, "CreateStream", stream_name="gate", possibly_own=True),
    TransportError("gone", operation_name="CreateStream", outcome_unknown=False),
    WaitTimeoutError("late", stream_name="gate", last_status=INFO.status, waited=1.5),
    StreamDriftError([DRIFT], stream=INFO, unverified=["kms_key_id"]),
]

Call = Callable[..., Any]


def echo(value: object) -> tuple[object, str]:
    """What came over, sent back, and how it looked over there."""
    return value, repr(value)


def give_up(failure: Exception) -> None:
    """Raise what came over."""
    raise failure


def request_named(stream_name: str) -> CreateStreamRequest:
    """Make a request over there."""
    return CreateStreamRequest(stream_name=stream_name)


@pytest.fixture(scope="module", params=["spawn", "fork"])
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Call]:
    """A function that calls another one in another process, one of each kind in turn."""
    context = multiprocessing.get_context(request.param)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        # A process that is forked later could inherit a lock that another thread holds.
        executor.submit(int).result(timeout=120)
        yield lambda call, *args: executor.submit(call, *args).result(timeout=120)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values(elsewhere: Call, value: object) -> None:
    """Requests, responses and all that they are made of are the same there and back again."""
    back, looks = elsewhere(echo, value)
    assert (back, type(back), hash(back)) == (value, type(value), hash(value))
    assert looks == repr(value)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_errors(elsewhere: Call, failure: KvsStreamsError) -> None:
    """An error raised in another process arrives with its class, its text and all its data."""
    with pytest.raises(KvsStreamsError) as caught:
        elsewhere(give_up, failure)
    assert type(caught.value) is type(failure)
    assert str(caught.value) == str(failure)
    for name in ("retryable", "stream_name", "operation_name", "possibly_own", "drift", "waited"):
        assert getattr(caught.value, name, None) == getattr(failure, name, None)


def test_bad_request(elsewhere: Call) -> None:
    """A bad request made in another process tells its faults here."""
    with pytest.raises(RequestValidationError) as caught:
        elsewhere(request_named, "front door")
    (fault,) = caught.value.violations
    assert (fault.field, fault.rule, fault.value) == ("stream_name", "pattern", "'front door'")
