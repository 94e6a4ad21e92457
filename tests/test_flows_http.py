"""What comes after the create, over HTTP: throttles, waiting, create-if-missing, lost replies.

Each scenario is run for the sync client, the async client over boto3, and the async client over
aiobotocore. Time is virtual: nothing waits.
"""

import asyncio
import math
import pickle
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from support.clients import ASYNC_BOTO3, ASYNC_KINDS, Connect, Driver, registered_handlers
from support.loopback import (
    ACCOUNT,
    REGION,
    REQUEST_ID,
    SERVER_TIME,
    Loopback,
    Reply,
    Request,
    arn,
    conflict,
    created,
    denied,
    described,
    drop,
    error,
    garbage,
    hang,
    html,
    not_found,
    ok,
    refused_url,
    reset,
    server_error,
    throttle,
)

import kvs_streams
from kvs_streams import (
    AccessDeniedError,
    ClientLimitExceededException,
    CreateStreamRequest,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    ResourceNotFoundException,
    ServerError,
    ServiceError,
    StreamDeletingError,
    StreamDriftError,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    ThrottlingError,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
)

REQUEST = CreateStreamRequest(stream_name="cam")
CREATE, DESCRIBE = "CreateStream", "DescribeStream"
LONG_AGO = SERVER_TIME - timedelta(hours=1)


def existing(status: str = "ACTIVE", **members: object) -> Reply:
    """What DescribeStream answers for a stream that was there before."""
    return described("cam", status, created_at=LONG_AGO, **members)


# The throttle.


def test_throttle_throttle_success(driver: Driver, server: Loopback) -> None:
    """A throttled create is sent again, after a random part of a growing ceiling."""
    server.on_create(throttle(), throttle(), created("cam"))
    response = driver.create_stream(REQUEST)
    assert response.stream_arn == arn("cam")
    assert response.retry_attempts == 2
    assert server.calls == [CREATE] * 3
    assert {str(request.body) for request in server.requests} == {"{'StreamName': 'cam'}"}
    assert driver.clock.sleeps == [0.25, 0.5]


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_backoff_has_full_jitter(connect: Connect, server: Loopback, chance: float) -> None:
    """The ceiling doubles up to its maximum, and chance picks any time below it."""
    driver = connect(throttle_retry=ThrottleRetry(max_attempts=8, base_delay=1.0, max_delay=10.0))
    driver.clock.chance = chance
    server.on_create(*[throttle()] * 7, created("cam"))
    driver.create_stream(REQUEST)
    ceilings = [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    assert driver.clock.sleeps == pytest.approx([chance * ceiling for ceiling in ceilings])


def test_throttle_retry_gives_up(driver: Driver, server: Loopback) -> None:
    """Five attempts by default, and then the throttle is the caller's to handle."""
    server.on_create(*[throttle()] * 5)
    with pytest.raises(ClientLimitExceededException) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.retryable
    assert caught.value.retry_attempts == 4
    assert driver.clock.sleeps == [0.25, 0.5, 1.0, 2.0]


def test_throttle_retry_turned_off(connect: Connect, server: Loopback) -> None:
    """One attempt means one request."""
    server.on_create(throttle())
    driver = connect(throttle_retry=ThrottleRetry(max_attempts=1))
    with pytest.raises(ClientLimitExceededException):
        driver.create_stream(REQUEST)
    assert driver.clock.sleeps == []


def test_throttled_describe(driver: Driver, server: Loopback) -> None:
    """A throttled describe is sent again too."""
    server.on_describe(throttle(), described("cam"))
    assert driver.describe_stream("cam").status is StreamStatus.ACTIVE
    assert driver.clock.sleeps == [0.25]


NEVER_RETRIED = [
    ("AccountStreamLimitExceededException", 400),
    ("DeviceStreamLimitExceededException", 400),
    ("InvalidArgumentException", 400),
    ("ResourceInUseException", 400),
    ("AccessDeniedException", 403),
    ("ThrottlingException", 400),
    ("TooManyRequestsException", 429),
    ("InternalFailure", 500),
    ("ServiceUnavailable", 503),
    ("NeverHeardOfException", 400),
]


@pytest.mark.parametrize("code,status", NEVER_RETRIED)
def test_nothing_else_is_retried(driver: Driver, server: Loopback, code: str, status: int) -> None:
    """Every other error is final, or botocore's own business: retries never multiply."""
    server.on_create(error(code, status=status))
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.code == code
    assert server.calls == [CREATE]
    assert driver.clock.sleeps == []


@pytest.mark.parametrize("lose", [drop, reset], ids=["dropped", "reset"])
def test_a_lost_reply_is_not_retried(
    driver: Driver, server: Loopback, lose: Callable[[], Reply]
) -> None:
    """A create whose outcome is unknown is not sent again: that would lose the truth."""
    server.on_create(lose())
    with pytest.raises(TransportError):
        driver.create_stream(REQUEST)
    assert server.calls == [CREATE]


# Waiting.


def test_wait_for_what_is_active(driver: Driver, server: Loopback) -> None:
    """A stream that is ready takes one look and no time."""
    server.on_describe(described("cam"))
    info = driver.wait_until_active("cam")
    assert info.status is StreamStatus.ACTIVE
    assert driver.clock.sleeps == []


def test_wait_grows_its_pauses(driver: Driver, server: Loopback) -> None:
    """Looks begin half a second apart, and the pauses grow by half up to five seconds."""
    server.on_describe(*[described("cam", "CREATING")] * 9, described("cam"))
    driver.wait_until_active("cam")
    expected = [min(5.0, 0.5 * 1.5**n) for n in range(9)]
    assert driver.clock.sleeps == pytest.approx(expected)


@pytest.mark.parametrize("chance,factor", [(0.0, 0.75), (0.5, 1.0), (1 - 2**-53, 1.25)])
def test_wait_has_jitter(driver: Driver, server: Loopback, chance: float, factor: float) -> None:
    """Pauses vary by a quarter, so that many pollers of one stream do not march in step."""
    driver.clock.chance = chance
    server.on_describe(*[described("cam", "CREATING")] * 3, described("cam"))
    driver.wait_until_active("cam")
    expected = [factor * pause for pause in (0.5, 0.75, 1.125)]
    assert driver.clock.sleeps == pytest.approx(expected)


def test_wait_by_arn(driver: Driver, server: Loopback) -> None:
    """An ARN will do as well as a name."""
    server.on_describe(described("cam", "CREATING"), described("cam"))
    driver.wait_until_active(arn("cam"))
    assert [request.body for request in server.requests] == [{"StreamARN": arn("cam")}] * 2


@pytest.mark.parametrize("status", ["UPDATING", "HIBERNATING"])
def test_wait_through_other_states(driver: Driver, server: Loopback, status: str) -> None:
    """Neither an update nor a status of the future is ACTIVE, and neither ends the wait."""
    server.on_describe(described("cam", status), described("cam"))
    assert driver.wait_until_active("cam").status is StreamStatus.ACTIVE


NO_ANSWER: dict[str, Callable[[], Reply]] = {
    "throttle": throttle,
    "generic throttle": lambda: error("ThrottlingException"),
    "429": lambda: html(429),
    "500": server_error,
    "503 in HTML": lambda: html(503),
}


@pytest.mark.parametrize("reply", NO_ANSWER.values(), ids=list(NO_ANSWER))
def test_wait_through_no_answers(
    driver: Driver, server: Loopback, reply: Callable[[], Reply]
) -> None:
    """A look that is throttled, or that AWS fails to answer, is followed by the next one."""
    server.on_describe(reply(), reply(), reply(), described("cam"))
    assert driver.wait_until_active("cam").status is StreamStatus.ACTIVE
    assert driver.clock.sleeps == pytest.approx([0.5, 0.75, 1.125])


@pytest.mark.parametrize("reply", NO_ANSWER.values(), ids=list(NO_ANSWER))
def test_wait_without_any_answer(
    driver: Driver, server: Loopback, reply: Callable[[], Reply]
) -> None:
    """Without an answer to the end, the timeout says why: the last error is its cause."""
    server.answer_with(lambda _: reply())
    with pytest.raises(WaitTimeoutError) as caught:
        driver.wait_until_active("cam", timeout=30)
    assert caught.value.last_status is None
    assert isinstance(caught.value.__cause__, ThrottlingError | ServerError)


def test_wait_for_what_is_not_visible_yet(driver: Driver, server: Loopback) -> None:
    """Creation is eventually consistent: within the grace, not found means not yet."""
    server.on_describe(not_found(), not_found(), described("cam"))
    assert driver.wait_until_active("cam").status is StreamStatus.ACTIVE


def test_wait_for_what_is_not_there(driver: Driver, server: Loopback) -> None:
    """After the grace, not found means that there is no such stream."""
    server.answer_with(lambda _: not_found())
    with pytest.raises(ResourceNotFoundException) as caught:
        driver.wait_until_active("cam", not_found_grace=10)
    assert caught.value.stream_name == "cam"
    assert 10 <= sum(driver.clock.sleeps) < 10 + 1.25 * 5


def test_wait_without_grace(driver: Driver, server: Loopback) -> None:
    """Without a grace the first answer counts."""
    server.on_describe(not_found())
    with pytest.raises(ResourceNotFoundException):
        driver.wait_until_active("cam", not_found_grace=0)
    assert driver.clock.sleeps == []


def test_wait_for_what_vanishes(driver: Driver, server: Loopback) -> None:
    """A stream that was seen and is not there any more is gone, grace or not."""
    server.on_describe(described("cam", "CREATING"), not_found())
    with pytest.raises(ResourceNotFoundException):
        driver.wait_until_active("cam", not_found_grace=300)


def test_wait_for_what_is_being_deleted(driver: Driver, server: Loopback) -> None:
    """A stream on its way out never becomes ACTIVE: the wait ends at once."""
    server.on_describe(described("cam", "CREATING"), described("cam", "DELETING"))
    with pytest.raises(StreamDeletingError) as caught:
        driver.wait_until_active("cam")
    assert caught.value.stream_name == "cam"
    assert caught.value.last_status is StreamStatus.DELETING
    assert caught.value.waited == pytest.approx(0.5)
    assert caught.value.created is None
    assert "'cam'" in str(caught.value)


@pytest.mark.parametrize("timeout", [0.5, 3, 30, 300.0])
def test_wait_times_out(driver: Driver, server: Loopback, timeout: float) -> None:
    """The deadline is kept to the second, with a last look when it comes."""
    server.answer_with(lambda _: described("cam", "CREATING"))
    with pytest.raises(TimeoutError) as caught:
        driver.wait_until_active("cam", timeout=timeout)
    late = caught.value
    assert type(late) is WaitTimeoutError
    assert late.last_status is StreamStatus.CREATING
    assert late.waited == pytest.approx(timeout)
    assert late.stream_name == "cam"
    assert sum(driver.clock.sleeps) == pytest.approx(timeout)
    assert len(server.calls) == len(driver.clock.sleeps) + 1
    assert "CREATING" in str(late)
    assert vars(pickle.loads(pickle.dumps(late))) == vars(late)


def test_wait_for_no_time(driver: Driver, server: Loopback) -> None:
    """No time is enough for one look."""
    server.on_describe(described("cam", "CREATING"))
    with pytest.raises(WaitTimeoutError):
        driver.wait_until_active("cam", timeout=0)
    assert driver.clock.sleeps == []


@pytest.mark.parametrize("timeout", [math.inf, 1e9, 10**9])
def test_wait_for_ever(driver: Driver, server: Loopback, timeout: float) -> None:
    """An infinite timeout means no deadline, and a very long one is accepted."""
    server.on_describe(*[described("cam", "CREATING")] * 100, described("cam"))
    assert driver.wait_until_active("cam", timeout=timeout).status is StreamStatus.ACTIVE


def test_a_slow_look_is_not_interrupted(driver: Driver, server: Loopback) -> None:
    """A call in flight at the deadline is let finish, and its answer counts."""

    def slow(_: Request) -> Reply:
        driver.clock.advance(60)
        return described("cam")

    server.answer_with(slow)
    assert driver.wait_until_active("cam", timeout=30).status is StreamStatus.ACTIVE


def test_no_look_after_the_deadline(driver: Driver, server: Loopback) -> None:
    """A slow look that brought nothing is the last."""

    def slow(_: Request) -> Reply:
        driver.clock.advance(60)
        return described("cam", "CREATING")

    server.answer_with(slow)
    with pytest.raises(WaitTimeoutError) as caught:
        driver.wait_until_active("cam", timeout=30)
    assert caught.value.waited == pytest.approx(60)
    assert server.calls == [DESCRIBE]
    assert driver.clock.sleeps == []


@pytest.mark.parametrize(
    "reply,kind_of_error",
    [
        (denied("DescribeStream"), AccessDeniedError),
        (error("UnrecognizedClientException", status=403), kvs_streams.AuthenticationError),
        (error("InvalidArgumentException"), kvs_streams.InvalidArgumentException),
        (error("NeverHeardOfException"), ServiceError),
        (drop(), TransportError),
        (ok({}), UnexpectedResponseError),
    ],
    ids=["denied", "unknown key", "invalid", "unknown code", "dropped", "no stream"],
)
def test_wait_ends_with_other_errors(
    driver: Driver, server: Loopback, reply: Reply, kind_of_error: type[Exception]
) -> None:
    """Any other failure of a look ends the wait at once."""
    server.on_describe(described("cam", "CREATING"), reply)
    with pytest.raises(kind_of_error):
        driver.wait_until_active("cam")


@pytest.mark.parametrize("option", ["timeout", "not_found_grace"])
@pytest.mark.parametrize(
    "value,fault",
    [
        (-1, ValueError),
        (float("nan"), ValueError),
        ("5", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_wait_refuses_nonsense(
    driver: Driver, server: Loopback, option: str, value: Any, fault: type[Exception]
) -> None:
    """What is no span of time is refused by name, and nothing is sent."""
    with pytest.raises(fault, match=option):
        driver.wait_until_active("cam", **{option: value})
    assert server.requests == []


# Create if missing.


def test_ensure_creates(driver: Driver, server: Loopback) -> None:
    """A stream that is not there is created, and waited for."""
    server.on_create(created("cam"))
    server.on_describe(not_found(), described("cam", "CREATING"), described("cam"))
    result = driver.ensure_stream(REQUEST)
    assert isinstance(result, EnsuredStream)
    assert result.outcome is EnsureOutcome.CREATED
    assert result.stream.status is StreamStatus.ACTIVE
    assert (result.drift, result.unverified) == ((), ())
    assert server.calls == [CREATE, DESCRIBE, DESCRIBE, DESCRIBE]
    assert driver.clock.sleeps == pytest.approx([0.5, 0.75])


def test_ensure_without_waiting(driver: Driver, server: Loopback) -> None:
    """With ``wait=False`` one look will do, whatever the status is."""
    server.on_create(created("cam"))
    server.on_describe(described("cam", "CREATING"))
    result = driver.ensure_stream(REQUEST, wait=False)
    assert result.outcome is EnsureOutcome.CREATED
    assert result.stream.status is StreamStatus.CREATING
    assert driver.clock.sleeps == []


def test_ensure_finds(driver: Driver, server: Loopback) -> None:
    """A stream that is there is found, by one create and one describe."""
    server.on_create(conflict())
    server.on_describe(existing(MediaType="video/h265", DataRetentionInHours=24))
    result = driver.ensure_stream(REQUEST)
    assert result.outcome is EnsureOutcome.EXISTING
    assert result.stream.media_type == "video/h265"
    assert (result.drift, result.unverified) == ((), ())
    assert server.calls == [CREATE, DESCRIBE]


def test_ensure_waits_for_what_it_finds(driver: Driver, server: Loopback) -> None:
    """A stream that somebody else is creating is waited for as well."""
    server.on_create(conflict())
    server.on_describe(existing("CREATING"), existing("CREATING"), existing())
    result = driver.ensure_stream(REQUEST)
    assert result.outcome is EnsureOutcome.EXISTING
    assert result.stream.status is StreamStatus.ACTIVE


def test_ensure_survives_throttles(driver: Driver, server: Loopback) -> None:
    """Throttles on the way change nothing but the time."""
    server.on_create(throttle(), throttle(), created("cam"))
    server.on_describe(throttle(), throttle(), described("cam"))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.CREATED


FULL = CreateStreamRequest(
    stream_name="cam",
    device_name="axis",
    media_type="video/h264",
    kms_key_id="alias/cameras",
    data_retention_in_hours=24,
    tags={"site": "Zürich", "floor": "2"},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
FULL_INFO = {
    "DeviceName": "axis",
    "MediaType": "video/h264",
    "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/cameras",
    "DataRetentionInHours": 24,
}


def tags(token: str | None = None, **found: str) -> Reply:
    """What ListTagsForStream answers."""
    return ok({"Tags": found} | ({"NextToken": token} if token else {}))


def tier(name: str) -> Reply:
    """What DescribeStreamStorageConfiguration answers."""
    return ok({"StreamStorageConfiguration": {"DefaultStorageTier": name}})


def test_ensure_compares_all_that_is_set(driver: Driver, server: Loopback) -> None:
    """Of a stream that is there, everything that the request sets is compared; more is no drift."""
    server.on_create(conflict())
    server.on_describe(existing(**FULL_INFO))
    server.on_list_tags(tags("more", site="Zürich", owner="north"), tags(floor="2"))
    server.on_describe_storage(tier("WARM"))
    result = driver.ensure_stream(FULL)
    assert (result.drift, result.unverified) == ((), ())
    assert [(request.operation, request.body) for request in server.requests[2:]] == [
        ("ListTagsForStream", {"StreamName": "cam"}),
        ("ListTagsForStream", {"StreamName": "cam", "NextToken": "more"}),
        ("DescribeStreamStorageConfiguration", {"StreamName": "cam"}),
    ]


@pytest.mark.parametrize("body", [{}, {"StreamStorageConfiguration": {"DefaultStorageTier": ""}}])
def test_ensure_without_a_tier_to_compare(driver: Driver, server: Loopback, body: object) -> None:
    """A success without the tier is an error that says which reply it was."""
    server.on_create(conflict())
    server.on_describe(existing(**FULL_INFO))
    server.on_list_tags(tags(site="Zürich", floor="2"))
    server.on_describe_storage(ok(body))
    with pytest.raises(UnexpectedResponseError, match=r"has no DefaultStorageTier$") as caught:
        driver.ensure_stream(FULL)
    assert caught.value.operation_name == "DescribeStreamStorageConfiguration"
    assert (caught.value.stream_name, caught.value.request_id) == ("cam", REQUEST_ID)


DRIFT = (
    Drift("device_name", "axis", None),
    Drift("media_type", "video/h264", "video/h265"),
    Drift("kms_key_id", "alias/cameras", f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/kinesisvideo"),
    Drift("data_retention_in_hours", 24, 0),
    Drift("tags['site']", "Zürich", "Basel"),
    Drift("tags['floor']", "2", None),
    Drift("stream_storage_configuration.default_storage_tier", "WARM", "HOT"),
)


def script_drift(server: Loopback) -> None:
    """Let the server have a stream that differs in every field."""
    server.on_create(conflict())
    server.on_describe(existing(MediaType="video/h265"))
    server.on_list_tags(tags(site="Basel"))
    server.on_describe_storage(tier("HOT"))


def test_ensure_raises_drift(driver: Driver, server: Loopback) -> None:
    """Every difference is reported at once, in the order of the fields."""
    script_drift(server)
    with pytest.raises(StreamDriftError) as caught:
        driver.ensure_stream(FULL)
    assert caught.value.drift == DRIFT
    assert caught.value.unverified == ()
    assert caught.value.stream.stream_arn == arn("cam", LONG_AGO)
    assert caught.value.created is None
    for difference in DRIFT:
        assert difference.field in str(caught.value)
    assert vars(pickle.loads(pickle.dumps(caught.value))) == vars(caught.value)


def test_ensure_ignores_drift(driver: Driver, server: Loopback) -> None:
    """With ``on_drift="ignore"`` the same differences come with the result."""
    script_drift(server)
    result = driver.ensure_stream(FULL, on_drift="ignore")
    assert result.outcome is EnsureOutcome.EXISTING
    assert result.drift == DRIFT


@pytest.mark.parametrize("found", [0, None])
def test_ensure_takes_no_retention_for_zero(
    driver: Driver, server: Loopback, found: int | None
) -> None:
    """A stream that says nothing of its retention keeps nothing."""
    server.on_create(conflict())
    server.on_describe(existing(DataRetentionInHours=found))
    request = CreateStreamRequest(stream_name="cam", data_retention_in_hours=0)
    assert driver.ensure_stream(request).drift == ()


KEY = "12345678-1234-1234-1234-123456789012"
KMS = f"arn:aws:kms:{REGION}:{ACCOUNT}"


@pytest.mark.parametrize(
    "requested,found,expected",
    [
        (KEY, KEY, "same"),
        (KEY, f"{KMS}:key/{KEY}", "same"),
        (f"{KMS}:key/{KEY}", KEY, "same"),
        (f"{KMS}:key/{KEY}", f"{KMS}:key/{KEY}", "same"),
        (KEY, f"{KMS}:key/{KEY[::-1]}", "drift"),
        (f"{KMS}:key/{KEY}", f"arn:aws:kms:{REGION}:210987654321:key/{KEY}", "drift"),
        ("alias/a", f"{KMS}:alias/a", "same"),
        (f"{KMS}:alias/a", "alias/a", "same"),
        ("alias/a", f"{KMS}:alias/b", "drift"),
        (f"{KMS}:alias/a", f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/a", "drift"),
        ("alias/aws/kinesisvideo", f"{KMS}:alias/aws/kinesisvideo", "same"),
        ("alias/aws/kinesisvideo", None, "same"),
        ("alias/a", None, "drift"),
        ("alias/a", f"{KMS}:key/{KEY}", "unverified"),
        (f"{KMS}:alias/a", KEY, "unverified"),
        (KEY, f"{KMS}:alias/a", "unverified"),
    ],
)
def test_ensure_compares_keys(
    driver: Driver, server: Loopback, requested: str, found: str | None, expected: str
) -> None:
    """Names of one form are compared; whether an alias stands for a key only KMS knows."""
    server.on_create(conflict())
    server.on_describe(existing(KmsKeyId=found))
    request = CreateStreamRequest(stream_name="cam", kms_key_id=requested)
    result = driver.ensure_stream(request, on_drift="ignore")
    drift = (Drift("kms_key_id", requested, found),)
    assert result.drift == (drift if expected == "drift" else ())
    assert result.unverified == (("kms_key_id",) if expected == "unverified" else ())


CANNOT_BE_READ: dict[str, Reply] = {
    "denied": error("AccessDeniedException", status=403),
    "not authorized": error("NotAuthorizedException", status=401),
    "not offered, without a code": html(404),
    "not offered": error("UnknownOperationException", status=404),
    "not implemented": html(501),
}


@pytest.mark.parametrize("reply", CANNOT_BE_READ.values(), ids=list(CANNOT_BE_READ))
def test_ensure_lists_what_cannot_be_compared(
    driver: Driver, server: Loopback, reply: Reply
) -> None:
    """What may not be read, or cannot be read there, is named and never called equal."""
    server.on_create(conflict())
    server.on_describe(existing(**FULL_INFO))
    server.on_list_tags(reply)
    server.on_describe_storage(reply)
    result = driver.ensure_stream(FULL)
    assert result.drift == ()
    assert result.unverified == ("tags", "stream_storage_configuration")


@pytest.mark.parametrize("operation", ["ListTagsForStream", "DescribeStreamStorageConfiguration"])
@pytest.mark.parametrize(
    "reply,expected",
    [
        (server_error(), ServerError),
        (drop(), TransportError),
        (error("InvalidArgumentException"), kvs_streams.InvalidArgumentException),
        (error("UnrecognizedClientException", status=403), kvs_streams.AuthenticationError),
        (error("NeverHeardOfException"), ServiceError),
    ],
    ids=["500", "dropped", "invalid", "unknown key", "unknown code"],
)
def test_ensure_hides_no_failure(
    driver: Driver, server: Loopback, operation: str, reply: Reply, expected: type[Exception]
) -> None:
    """Any other failure to read what is to be compared is raised."""
    server.on_create(conflict())
    server.on_describe(existing(**FULL_INFO))
    if operation == "ListTagsForStream":
        server.on_list_tags(reply)
    else:
        server.on_list_tags(tags(site="Zürich", floor="2"))
        server.on_describe_storage(reply)
    with pytest.raises(expected) as caught:
        driver.ensure_stream(FULL)
    assert caught.value.operation_name == operation


def test_ensure_retries_throttled_reads(driver: Driver, server: Loopback) -> None:
    """The reads for a comparison survive a throttle."""
    server.on_create(conflict())
    server.on_describe(existing(**FULL_INFO))
    server.on_list_tags(throttle(), tags(site="Zürich", floor="2"))
    server.on_describe_storage(throttle(), tier("WARM"))
    result = driver.ensure_stream(FULL)
    assert (result.drift, result.unverified) == ((), ())


def test_ensure_reads_nothing_of_what_it_created(driver: Driver, server: Loopback) -> None:
    """What this call created is as requested: nothing needs to be compared."""
    server.on_create(created("cam"))
    server.on_describe(described("cam"))
    assert driver.ensure_stream(FULL).outcome is EnsureOutcome.CREATED
    assert server.calls == [CREATE, DESCRIBE]


# Lost replies.

LOST: dict[str, Callable[[], Reply]] = {
    "dropped": drop,
    "reset": reset,
    "500": server_error,
    "502 in HTML": lambda: html(502),
    "no ARN": ok,
    "HTML": lambda: garbage(b"<html>welcome to this hotel</html>"),
    "JSON list": lambda: garbage(b"[]"),
}
LOSSES = pytest.mark.parametrize("lose", LOST.values(), ids=list(LOST))


@LOSSES
def test_ensure_recovers_its_own(
    driver: Driver, server: Loopback, lose: Callable[[], Reply]
) -> None:
    """Created, and the reply lost: a describe finds it, born since this call began."""
    server.on_create(lose())
    server.on_describe(not_found(), described("cam", "CREATING"), described("cam"))
    result = driver.ensure_stream(REQUEST)
    assert result.outcome is EnsureOutcome.RECOVERED
    assert result.stream.stream_arn == arn("cam")
    assert server.calls == [CREATE, DESCRIBE, DESCRIBE, DESCRIBE]


@LOSSES
def test_ensure_does_not_claim_what_is_older(
    driver: Driver, server: Loopback, lose: Callable[[], Reply]
) -> None:
    """A stream that is older than the call is somebody else's, reply lost or not."""
    server.on_create(lose())
    server.on_describe(existing())
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.EXISTING


@LOSSES
def test_ensure_raises_what_it_cannot_resolve(
    driver: Driver, server: Loopback, lose: Callable[[], Reply]
) -> None:
    """Not created after all: the error that left it open is raised, once the grace is over."""
    server.answer_with(lambda request: lose() if request.operation == CREATE else not_found())
    with pytest.raises(KvsStreamsError) as caught:
        driver.ensure_stream(REQUEST)
    assert isinstance(caught.value, TransportError | ServerError | UnexpectedResponseError)
    assert caught.value.operation_name == CREATE
    assert caught.value.created is None
    assert server.calls.count(CREATE) == 1
    assert 10 <= sum(driver.clock.sleeps) < 10 + 1.25 * 5
    cause = caught.value.__cause__
    assert not isinstance(cause, KvsStreamsError)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@LOSSES
def test_ensure_times_out_after_a_lost_reply(
    driver: Driver, server: Loopback, lose: Callable[[], Reply]
) -> None:
    """Found and never ACTIVE: the cause of the timeout is what left the outcome open."""
    server.answer_with(
        lambda request: lose() if request.operation == CREATE else described("cam", "CREATING")
    )
    with pytest.raises(WaitTimeoutError) as caught:
        driver.ensure_stream(REQUEST, timeout=20)
    assert isinstance(caught.value.__cause__, KvsStreamsError)
    assert caught.value.__cause__.operation_name == CREATE
    assert caught.value.last_status is StreamStatus.CREATING


def test_ensure_after_a_read_timeout(connect: Connect, server: Loopback) -> None:
    """The same for a reply that never came."""
    server.answer_with(lambda request: hang() if request.operation == CREATE else described("cam"))
    # On a busy machine the describe can be late as well.
    driver = connect(attempts=3, read_timeout=0.5)
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.RECOVERED


@pytest.mark.parametrize("mode", ["standard", "legacy"])
@pytest.mark.parametrize("lose", [server_error, drop], ids=["500", "dropped"])
def test_ensure_recovers_after_botocores_retry(
    connect: Connect, server: Loopback, lose: Callable[[], Reply], mode: str
) -> None:
    """Botocore retried and met a conflict, which is with this call's own first attempt."""
    driver = connect(attempts=3, mode=mode)
    server.on_create(lose(), conflict())
    server.on_describe(described("cam"))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.RECOVERED


@pytest.mark.parametrize("mode", ["standard", "legacy"])
def test_ensure_recovers_after_a_retry_and_a_throttle(
    connect: Connect, server: Loopback, mode: str
) -> None:
    """The same where a throttle came between."""
    driver = connect(attempts=3, mode=mode)
    server.on_create(server_error(), throttle(), conflict())
    server.on_describe(described("cam"))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.RECOVERED


def test_ensure_does_not_claim_a_plain_conflict(driver: Driver, server: Loopback) -> None:
    """A conflict on the only request is with somebody else, be the stream ever so young."""
    server.on_create(throttle(), conflict())
    server.on_describe(described("cam"))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.EXISTING


@pytest.mark.parametrize(
    "age,outcome",
    [(-1, EnsureOutcome.RECOVERED), (0, EnsureOutcome.RECOVERED), (1, EnsureOutcome.EXISTING)],
)
@pytest.mark.parametrize("waited", [0.0, 40.0])
def test_recovered_by_the_servers_clock(
    connect: Connect, server: Loopback, age: float, outcome: EnsureOutcome, waited: float
) -> None:
    """What counts is the server's clock, less the time since the call began: no local clock."""
    driver = connect(attempts=3)
    began = SERVER_TIME - timedelta(seconds=waited)

    def answer(request: Request) -> Reply:
        if request.operation == DESCRIBE:
            return described("cam", created_at=began - timedelta(seconds=age))
        if len(server.requests) == 1:
            driver.clock.advance(waited)
            return server_error()
        return conflict()

    server.answer_with(answer)
    assert driver.ensure_stream(REQUEST).outcome is outcome


@LOSSES
def test_recovered_by_the_clock_of_the_describe(
    driver: Driver, server: Loopback, lose: Callable[[], Reply]
) -> None:
    """Where the create brought no date, the describe's does."""
    lost = lose()
    server.on_create(lost if lost.action != "answer" else lost.at("none"))
    server.on_describe(described("cam", created_at=SERVER_TIME - timedelta(seconds=1)))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.EXISTING


@pytest.mark.parametrize("missing", ["date", "creation time"])
def test_no_claim_without_evidence(driver: Driver, server: Loopback, missing: str) -> None:
    """Without the server's clock, or the stream's birthday, nothing is claimed."""
    server.on_create(drop())
    found = described("cam") if missing == "date" else described("cam", CreationTime=None)
    server.on_describe(found.at("none") if missing == "date" else found)
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.EXISTING


def test_no_claim_of_what_differs(driver: Driver, server: Loopback) -> None:
    """A stream that is not as requested is not this call's own, however young."""
    server.on_create(drop())
    server.on_describe(described("cam", MediaType="video/h265"))
    request = CreateStreamRequest(stream_name="cam", media_type="video/h264")
    result = driver.ensure_stream(request, on_drift="ignore")
    assert result.outcome is EnsureOutcome.EXISTING
    assert result.drift == (Drift("media_type", "video/h264", "video/h265"),)


def test_certainly_not_sent_is_raised(connect: Connect, server: Loopback) -> None:
    """What certainly did not arrive leaves nothing to resolve: no describe follows."""
    driver = connect(refused_url())
    with pytest.raises(TransportError) as caught:
        driver.ensure_stream(REQUEST)
    assert caught.value.outcome_unknown is False
    assert caught.value.operation_name == CREATE
    assert driver.clock.sleeps == []


PASSING_THROUGH = [
    ("AccessDeniedException", 403, AccessDeniedError),
    ("NotAuthorizedException", 401, AccessDeniedError),
    ("UnrecognizedClientException", 403, kvs_streams.AuthenticationError),
    ("InvalidArgumentException", 400, kvs_streams.InvalidArgumentException),
    ("ValidationException", 400, kvs_streams.InvalidRequestError),
    ("AccountStreamLimitExceededException", 400, kvs_streams.LimitExceededError),
    ("TagsPerResourceExceededLimitException", 400, kvs_streams.InvalidRequestError),
    ("ThrottlingException", 400, ThrottlingError),
    ("ResourceNotFoundException", 404, ResourceNotFoundException),
    ("NeverHeardOfException", 400, ServiceError),
    ("NeverHeardOfException", 403, ServiceError),
]


@pytest.mark.parametrize("code,status,expected", PASSING_THROUGH)
def test_other_errors_pass_through(
    driver: Driver, server: Loopback, code: str, status: int, expected: type[Exception]
) -> None:
    """Denied is denied: any other answer to the create is raised, and never leads to a describe."""
    server.on_create(error(code, status=status))
    with pytest.raises(expected) as caught:
        driver.ensure_stream(REQUEST)
    assert caught.value.code == code
    assert caught.value.created is None
    assert server.calls == [CREATE]


def test_throttled_to_the_end(driver: Driver, server: Loopback) -> None:
    """A create that is throttled to the end created nothing."""
    server.on_create(*[throttle()] * 5)
    with pytest.raises(ClientLimitExceededException):
        driver.ensure_stream(REQUEST)
    assert server.calls == [CREATE] * 5


# Gone and going.


def test_ensure_recreates_what_is_being_deleted(driver: Driver, server: Loopback) -> None:
    """A stream on its way out is waited for until it is gone, and created anew."""
    server.on_create(conflict(), created("cam"))
    server.on_describe(existing("DELETING"), existing("DELETING"), not_found(), described("cam"))
    result = driver.ensure_stream(REQUEST)
    assert result.outcome is EnsureOutcome.CREATED
    assert server.calls == [CREATE, DESCRIBE, DESCRIBE, DESCRIBE, CREATE, DESCRIBE]


def test_ensure_does_not_wait_for_a_deletion(driver: Driver, server: Loopback) -> None:
    """With ``wait=False`` the deletion is the caller's to handle."""
    server.on_create(conflict())
    server.on_describe(existing("DELETING"))
    with pytest.raises(StreamDeletingError) as caught:
        driver.ensure_stream(REQUEST, wait=False)
    assert caught.value.created is None
    assert driver.clock.sleeps == []


def test_ensure_times_out_in_a_deletion(driver: Driver, server: Loopback) -> None:
    """A deletion that outlasts the timeout ends in a timeout that says so."""
    server.answer_with(
        lambda request: conflict() if request.operation == CREATE else existing("DELETING")
    )
    with pytest.raises(WaitTimeoutError) as caught:
        driver.ensure_stream(REQUEST, timeout=20)
    assert caught.value.last_status is StreamStatus.DELETING
    assert caught.value.waited == pytest.approx(20)
    assert server.calls.count(CREATE) == 1


def test_ensure_when_somebody_else_recreates(driver: Driver, server: Loopback) -> None:
    """Gone, and taken again before this call could: that stream is somebody else's."""
    server.on_create(conflict(), conflict())
    server.on_describe(existing("DELETING"), not_found(), described("cam"))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.EXISTING


def test_ensure_does_not_claim_the_successor(driver: Driver, server: Loopback) -> None:
    """What a lost create may have made is gone; who took the name since is somebody else."""
    server.on_create(server_error(), conflict())
    server.on_describe(described("cam", "DELETING"), not_found(), described("cam"))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.EXISTING


def test_ensure_when_the_taken_name_is_free_again(driver: Driver, server: Loopback) -> None:
    """In use, and then not found: create again right away."""
    creations = [conflict(), created("cam")]

    def answer(request: Request) -> Reply:
        if request.operation == CREATE:
            return creations.pop(0)
        return not_found() if creations else described("cam")

    server.answer_with(answer)
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.CREATED
    assert server.calls[:3] == [CREATE, DESCRIBE, CREATE]
    assert driver.clock.sleeps == [0.5]


def test_ensure_when_the_name_flickers_for_ever(driver: Driver, server: Loopback) -> None:
    """Never to be found and always in use: the deadline ends it."""
    server.answer_with(lambda request: conflict() if request.operation == CREATE else not_found())
    with pytest.raises(WaitTimeoutError):
        driver.ensure_stream(REQUEST, timeout=60)
    assert sum(driver.clock.sleeps) == pytest.approx(60)


def test_ensure_when_what_it_found_vanishes(driver: Driver, server: Loopback) -> None:
    """Found in creation and then gone: create again."""
    server.on_create(conflict(), created("cam"))
    server.on_describe(existing("CREATING"), not_found(), described("cam"))
    assert driver.ensure_stream(REQUEST).outcome is EnsureOutcome.CREATED


def test_ensure_when_it_vanishes_in_the_comparison(driver: Driver, server: Loopback) -> None:
    """Gone between the look and the comparison: create again."""
    server.on_create(conflict(), created("cam"))
    server.on_describe(existing(), described("cam"))
    server.on_list_tags(not_found())
    request = CreateStreamRequest(stream_name="cam", tags={"site": "x"})
    assert driver.ensure_stream(request).outcome is EnsureOutcome.CREATED


# Nothing that was created is lost from sight.

AFTER_CREATION: dict[str, tuple[Callable[[], Reply], type[KvsStreamsError]]] = {
    "denied": (lambda: denied("DescribeStream"), AccessDeniedError),
    "dropped": (drop, TransportError),
    "no stream in the reply": (ok, UnexpectedResponseError),
    "never found": (not_found, ResourceNotFoundException),
    "deleted meanwhile": (lambda: described("cam", "DELETING"), StreamDeletingError),
    "never active": (lambda: described("cam", "CREATING"), WaitTimeoutError),
    "always throttled": (throttle, WaitTimeoutError),
    "always 500": (server_error, WaitTimeoutError),
}


@pytest.mark.parametrize("reply,expected", AFTER_CREATION.values(), ids=list(AFTER_CREATION))
def test_created_is_never_lost(
    driver: Driver,
    server: Loopback,
    reply: Callable[[], Reply],
    expected: type[KvsStreamsError],
) -> None:
    """Whatever fails after the create, the error carries what was created, in a pickle too."""
    server.answer_with(lambda request: created("cam") if request.operation == CREATE else reply())
    with pytest.raises(expected) as caught:
        driver.ensure_stream(REQUEST, timeout=60)
    assert caught.value.created is not None
    assert caught.value.created.stream_arn == arn("cam")
    assert server.calls.count(CREATE) == 1
    assert pickle.loads(pickle.dumps(caught.value)).created == caught.value.created


# One deadline for all of it.


def test_throttles_and_waits_share_the_deadline(driver: Driver, server: Loopback) -> None:
    """Time spent on throttles is not there for waiting."""
    server.on_create(throttle(), throttle(), throttle(), created("cam"))
    server.on_describe(*[described("cam", "CREATING")] * 2)
    with pytest.raises(WaitTimeoutError) as caught:
        driver.ensure_stream(REQUEST, timeout=2.0)
    assert driver.clock.sleeps == [0.25, 0.5, 1.0, 0.25]
    assert caught.value.created is not None
    assert caught.value.created.retry_attempts == 3


def test_deadline_among_throttles(driver: Driver, server: Loopback) -> None:
    """The deadline ends even the retry of a throttled create, which is the cause."""
    server.answer_with(lambda _: throttle())
    driver.clock.chance = 0.99
    with pytest.raises(WaitTimeoutError) as caught:
        driver.ensure_stream(REQUEST, timeout=1)
    assert sum(driver.clock.sleeps) == pytest.approx(1)
    assert isinstance(caught.value.__cause__, ClientLimitExceededException)
    assert caught.value.last_status is None
    assert caught.value.created is None


@pytest.mark.parametrize("operation", ["ListTagsForStream", "DescribeStreamStorageConfiguration"])
def test_deadline_among_throttled_reads(driver: Driver, server: Loopback, operation: str) -> None:
    """The deadline ends the retry of each read for a comparison too."""
    server.on_create(conflict())
    server.on_describe(existing(**FULL_INFO))
    if operation == "ListTagsForStream":
        server.on_list_tags(*[throttle()] * 3)
    else:
        server.on_list_tags(tags(site="Zürich", floor="2"))
        server.on_describe_storage(*[throttle()] * 3)
    driver.clock.chance = 0.99
    with pytest.raises(WaitTimeoutError) as caught:
        driver.ensure_stream(FULL, timeout=1)
    assert sum(driver.clock.sleeps) == pytest.approx(1)
    assert caught.value.__cause__.operation_name == operation


def test_a_slow_create_is_not_interrupted(driver: Driver, server: Loopback) -> None:
    """A create that outlasts the deadline is let finish, and one look follows."""

    def slow(request: Request) -> Reply:
        if request.operation == CREATE:
            driver.clock.advance(60)
            return created("cam")
        return described("cam")

    server.answer_with(slow)
    assert driver.ensure_stream(REQUEST, timeout=30).outcome is EnsureOutcome.CREATED
    assert server.calls == [CREATE, DESCRIBE]


def test_ensure_in_no_time(driver: Driver, server: Loopback) -> None:
    """No time is enough to create and look once."""
    server.on_create(created("cam"))
    server.on_describe(described("cam", "CREATING"))
    with pytest.raises(WaitTimeoutError) as caught:
        driver.ensure_stream(REQUEST, timeout=0)
    assert caught.value.created is not None


@pytest.mark.parametrize(
    "options,fault",
    [
        ({"timeout": -1}, ValueError),
        ({"timeout": float("nan")}, ValueError),
        ({"timeout": "300"}, TypeError),
        ({"timeout": None}, TypeError),
        ({"on_drift": "warn"}, ValueError),
        ({"on_drift": None}, ValueError),
    ],
)
def test_ensure_refuses_nonsense(
    driver: Driver, server: Loopback, options: Any, fault: type[Exception]
) -> None:
    """What makes no sense is refused by name, before anything is created."""
    (name,) = options
    with pytest.raises(fault, match=name):
        driver.ensure_stream(REQUEST, **options)
    assert server.requests == []


# Polls of one stream.


@pytest.mark.parametrize("chance", [0.0, 1 - 2**-53])
def test_never_more_than_five_looks_a_second(
    driver: Driver, server: Loopback, chance: float
) -> None:
    """All pollers of a stream share five looks a second; one of them never uses them up."""
    driver.clock.chance = chance
    looks: list[float] = []
    replies = [existing("DELETING"), not_found(), throttle(), existing("CREATING"), server_error()]

    def answer(request: Request) -> Reply:
        if request.operation == CREATE:
            return conflict()
        looks.append(driver.clock.now())
        return replies[len(looks) % len(replies)]

    server.answer_with(answer)
    with pytest.raises(WaitTimeoutError):
        driver.ensure_stream(REQUEST, timeout=120)
    assert len(looks) > 20
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(looks))


# Cancelling.


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_the_loop_is_never_blocked(driver: Driver, server: Loopback) -> None:
    """While a call is in flight the event loop serves others."""
    arrived, go_on = threading.Event(), threading.Event()

    def answer(_: Request) -> Reply:
        arrived.set()
        assert go_on.wait(60)
        return created("cam")

    server.answer_with(answer)

    async def scenario() -> None:
        task = asyncio.create_task(driver.client.create_stream(REQUEST))
        # Were the loop blocked, this would never run, and the server would never be let go on.
        assert await asyncio.to_thread(arrived.wait, 60)
        assert not task.done()
        go_on.set()
        assert (await task).stream_arn == arn("cam")

    driver.finish(scenario())


@pytest.mark.parametrize("kind", ASYNC_KINDS)
@pytest.mark.parametrize("method", ["create_stream", "ensure_stream"])
def test_cancel_in_flight(driver: Driver, server: Loopback, method: str) -> None:
    """A cancelled call ends at once; the request is out, and what AWS makes of it stands."""
    arrived, go_on, answered = threading.Event(), threading.Event(), threading.Event()
    streams: list[str] = []

    def answer(request: Request) -> Reply:
        if request.operation == DESCRIBE:
            return described("cam")
        streams.append("cam")
        arrived.set()
        assert go_on.wait(60)
        answered.set()
        return created("cam")

    server.answer_with(answer)

    async def scenario() -> None:
        task = asyncio.create_task(getattr(driver.client, method)(REQUEST))
        assert await asyncio.to_thread(arrived.wait, 60)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The caller is free while the server has not answered yet.
        assert not answered.is_set()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        go_on.set()
        assert await asyncio.to_thread(answered.wait, 60)
        # The client is as good as before.
        assert (await driver.client.describe_stream("cam")).status is StreamStatus.ACTIVE

    driver.finish(scenario())
    assert streams == ["cam"]
    assert server.calls == [CREATE, DESCRIBE]


@pytest.mark.parametrize("kind", ASYNC_KINDS)
@pytest.mark.parametrize("method", ["create_stream", "wait_until_active", "ensure_stream"])
def test_cancel_in_a_pause(driver: Driver, server: Loopback, method: str) -> None:
    """A call that is cancelled while it pauses sends nothing more and leaves nothing behind."""
    handlers = registered_handlers(driver.client.boto_client)
    server.answer_with(lambda _: throttle())

    async def scenario() -> None:
        paused = asyncio.Event()

        async def pause(_: float) -> None:
            paused.set()
            await asyncio.Event().wait()

        driver.clock.sleep_async = pause
        argument = "cam" if method == "wait_until_active" else REQUEST
        task = asyncio.create_task(getattr(driver.client, method)(argument))
        await paused.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    driver.finish(scenario())
    assert len(server.calls) == 1
    assert registered_handlers(driver.client.boto_client) == handlers


@pytest.mark.parametrize("kind", ASYNC_KINDS)
def test_a_deadline_of_the_callers(driver: Driver, server: Loopback) -> None:
    """``asyncio.wait_for`` ends a wait like any other, with its own TimeoutError."""
    server.answer_with(lambda _: described("cam", "CREATING"))

    async def scenario() -> None:
        async def pause(_: float) -> None:
            await asyncio.Event().wait()

        driver.clock.sleep_async = pause
        with pytest.raises(asyncio.TimeoutError) as caught:
            await asyncio.wait_for(driver.client.wait_until_active("cam"), 0.05)
        assert not isinstance(caught.value, KvsStreamsError)

    driver.finish(scenario())


@pytest.mark.parametrize("kind", [ASYNC_BOTO3])
def test_no_thread_is_left_behind(connect: Connect, server: Loopback) -> None:
    """The threads of the calls are the event loop's own, and end with it."""
    before = set(threading.enumerate())
    driver = connect()
    server.on_create(created("cam"))
    driver.create_stream(REQUEST)
    new = set(threading.enumerate()) - before
    workers = [thread.name for thread in new if thread.name.startswith("asyncio")]
    others = [thread for thread in new if not thread.name.startswith(("asyncio", "Thread-"))]
    assert workers
    assert others == []
    driver.finish(driver.loop.shutdown_default_executor())
    assert not [thread for thread in new if thread.is_alive() and thread.name in workers]
