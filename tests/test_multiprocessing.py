"""Requests, responses and errors on their way from one process to another."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from typing import Any

import attrs
import pytest
from botocore.exceptions import ClientError
from support.clients import boto_client
from support.loopback import (
    REQUEST_ID,
    SERVER_TIME,
    Loopback,
    arn,
    conflict,
    created,
    refused_url,
    throttle,
)

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
    StreamsClient,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
)

# Python 3.12 and newer warn of a fork in a process that has threads, as any test runner's may.
pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")

STARTS = [start for start in ("spawn", "fork") if start in multiprocessing.get_all_start_methods()]

REQUEST = CreateStreamRequest(
    stream_name="gate-7.north",
    device_name="gate-7",
    media_type="video/h264,audio/aac",
    kms_key_id="alias/cameras",
    data_retention_in_hours=48,
    tags={"site": "Zürich", "owner": ""},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
INFO = StreamInfo(
    stream_name="gate-7.north",
    stream_arn=StreamArn(arn("gate-7.north")),
    status=StreamStatus("HIBERNATING"),
    creation_time=SERVER_TIME,
)
RESPONSE = CreateStreamResponse(
    stream_arn=StreamArn(arn("gate-7.north")),
    request_id=REQUEST_ID,
    http_status_code=200,
    retry_attempts=2,
)
DRIFT = Drift(field="tags['site']", requested="Zürich", found=None)
VALUES = [
    REQUEST,
    RESPONSE,
    INFO,
    EnsuredStream(stream=INFO, outcome=EnsureOutcome.EXISTING, drift=(DRIFT,), unverified=("a",)),
    ThrottleRetry(max_attempts=3),
    StorageTier.WARM,
]

REPLY = {
    "Error": {"Code": "ResourceInUseException", "Message": "The stream exists."},
    "ResponseMetadata": {"RequestId": REQUEST_ID, "HTTPStatusCode": 400, "RetryAttempts": 1},
}


def bad_request() -> RequestValidationError:
    """What a request with two faults raises."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest(stream_name="a b", data_retention_in_hours=-1)
    return caught.value


def lost(failure: KvsStreamsError) -> KvsStreamsError:
    """An error after a create that succeeded."""
    failure.created = RESPONSE
    return failure


FAILURES = [
    bad_request(),
    ResourceInUseException(REPLY, "CreateStream", stream_name="gate", possibly_own=True),
    TransportError("gone", operation_name="CreateStream", outcome_unknown=False),
    UnexpectedResponseError("no ARN", operation_name="CreateStream", stream_name="gate"),
    lost(WaitTimeoutError("late", stream_name="gate", last_status=INFO.status, waited=1.5)),
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


def create(url: str, request: CreateStreamRequest) -> CreateStreamResponse:
    """Create a stream from over there, with a client made there."""
    retry = ThrottleRetry(max_attempts=2, base_delay=0, max_delay=0)
    # The test's environment, which knows of no proxy, is not that of the other process.
    with closing(boto_client(url, proxies={})) as client:
        return StreamsClient(client, throttle_retry=retry).create_stream(request)


def through_pool(start: str) -> Iterator[Call]:
    """Calls in another process, as ``multiprocessing`` makes them."""
    with multiprocessing.get_context(start).Pool(1) as pool:
        # What cannot be unpickled never comes back from a pool: hence the timeout.
        yield lambda call, *args: pool.apply_async(call, args).get(timeout=120)
        # Leaving the block would end the process at once, with its measured coverage half written.
        pool.close()
        pool.join()


def through_executor(start: str) -> Iterator[Call]:
    """Calls in another process, as ``concurrent.futures`` makes them."""
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        # A process that is forked later could inherit a lock that another thread holds.
        executor.submit(int).result(timeout=120)
        yield lambda call, *args: executor.submit(call, *args).result(timeout=120)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((way, start), id=f"{way.__name__}-{start}")
        for way in (through_pool, through_executor)
        for start in STARTS
    ],
)
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Call]:
    """A function that calls another one in another process, one of each kind in turn."""
    way, start = request.param
    yield from way(start)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values(elsewhere: Call, value: object) -> None:
    """Requests, responses and all that they are made of are the same there and back again."""
    back, looks = elsewhere(echo, value)
    assert (back, type(back), hash(back)) == (value, type(value), hash(value))
    assert looks == repr(value)


def test_what_comes_back_is_whole(elsewhere: Call) -> None:
    """A request and a response that crossed do all that they did before."""
    request, _ = elsewhere(echo, REQUEST)
    assert request.to_boto() == REQUEST.to_boto()
    assert attrs.evolve(request, tags=None).tags is None
    response, _ = elsewhere(echo, RESPONSE)
    assert response.stream_arn.created_at == SERVER_TIME
    info, _ = elsewhere(echo, INFO)
    assert info.status == "HIBERNATING"


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_errors(elsewhere: Call, failure: KvsStreamsError) -> None:
    """An error raised in another process arrives with its class, its text and all its data."""
    with pytest.raises(KvsStreamsError) as caught:
        elsewhere(give_up, failure)
    assert type(caught.value) is type(failure)
    assert str(caught.value) == str(failure)
    assert vars(caught.value) == vars(failure)


def test_bad_request(elsewhere: Call) -> None:
    """A bad request made in another process tells its faults here."""
    with pytest.raises(RequestValidationError) as caught:
        elsewhere(request_named, "front door")
    (fault,) = caught.value.violations
    assert (fault.field, fault.rule, fault.value) == ("stream_name", "pattern", "'front door'")


def test_created(server: Loopback, elsewhere: Call) -> None:
    """A request sent over creates the stream there, and the response comes back whole."""
    server.on_create(throttle(), created("gate-7.north"))
    response = elsewhere(create, server.url, REQUEST)
    assert response == CreateStreamResponse(
        stream_arn=StreamArn(arn("gate-7.north")),
        request_id=REQUEST_ID,
        http_status_code=200,
        retry_attempts=1,
    )
    assert [request.body for request in server.requests] == [REQUEST.to_boto()] * 2


def test_refused(server: Loopback, elsewhere: Call) -> None:
    """An error that AWS answers to another process is caught here by its type, with its data."""
    server.on_create(conflict())
    with pytest.raises(ResourceInUseException) as caught:
        elsewhere(create, server.url, REQUEST)
    assert isinstance(caught.value, ClientError)
    assert caught.value.code == "ResourceInUseException"
    assert caught.value.request_id == REQUEST_ID
    assert caught.value.stream_name == "gate-7.north"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.possibly_own is False


def test_unreachable(elsewhere: Call) -> None:
    """A failed connection in another process says here too that nothing reached AWS."""
    with pytest.raises(TransportError) as caught:
        elsewhere(create, refused_url(), REQUEST)
    assert caught.value.outcome_unknown is False
