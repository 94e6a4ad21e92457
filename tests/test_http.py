"""Every outcome of a call over real HTTP on loopback, for each kind of client."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from support.clients import Connect, Driver
from support.clock import VirtualClock
from support.loopback import (
    REQUEST_ID,
    Loopback,
    Reply,
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
    server_error,
    throttle,
    unknown_host_url,
)

import kvs_streams
from kvs_streams import (
    ClientLimitExceededException,
    CreateStreamRequest,
    KvsStreamsError,
    ResourceInUseException,
    ServiceError,
    ThrottleRetry,
    TransportError,
    UnexpectedResponseError,
)

REQUEST = CreateStreamRequest(stream_name="front.door-1")
ONCE = ThrottleRetry(max_attempts=1)
DOCUMENTED = {
    "AccountStreamLimitExceededException": "LimitExceededError",
    "ClientLimitExceededException": "ThrottlingError",
    "DeviceStreamLimitExceededException": "LimitExceededError",
    "InvalidArgumentException": "InvalidRequestError",
    "InvalidDeviceException": "InvalidRequestError",
    "ResourceInUseException": "ServiceError",
    "TagsPerResourceExceededLimitException": "InvalidRequestError",
}


def check(caught: KvsStreamsError, operation: str = "CreateStream") -> None:
    """Check what holds for each error of a call: it tells what it is about, and pickles."""
    assert caught.operation_name == operation
    assert caught.stream_name == "front.door-1"
    assert operation in str(caught)
    assert "'front.door-1'" in str(caught)
    for twin in pickle.loads(pickle.dumps(caught)), copy.copy(caught), copy.deepcopy(caught):
        assert type(twin) is type(caught)
        assert (str(twin), twin.args, vars(twin)) == (str(caught), caught.args, vars(caught))


def check_service_error(
    caught: Any, code: str, status: int, message: str, request_id: str | None = REQUEST_ID
) -> None:
    """Check everything that an error of the service's tells."""
    check(caught)
    assert caught.code == code
    assert caught.message == message
    assert caught.request_id == request_id
    assert caught.http_status_code == status
    assert caught.response["Error"] == {"Code": code, "Message": message}
    assert type(caught.__cause__) is not type(caught)
    assert isinstance(caught.__cause__, ClientError)


@pytest.mark.parametrize("message_key", ["Message", "message"])
@pytest.mark.parametrize("suffix", ["", ":http://internal.amazon.com/coral/x/", ":https://x/"])
@pytest.mark.parametrize("code, parent", DOCUMENTED.items())
def test_documented_exceptions(
    connect: Connect, server: Loopback, code: str, parent: str, suffix: str, message_key: str
) -> None:
    """Each of the seven documented exceptions arrives as itself, with all that the reply said."""
    server.on_create(error(code, "AWS's own words.", message_key=message_key, suffix=suffix))
    driver = connect(throttle_retry=ONCE)
    with pytest.raises(ClientError) as caught:
        driver.create_stream(REQUEST)
    assert type(caught.value) is getattr(kvs_streams, code)
    assert type(caught.value).__base__ is getattr(kvs_streams, parent)
    check_service_error(caught.value, code, 400, "AWS's own words.")


EXPIRED = error(
    "ExpiredTokenException", "The security token included in the request is expired", 403
)
OTHERS: list[Any] = [
    (denied(), "AccessDeniedException", "AccessDeniedError"),
    (EXPIRED, "ExpiredTokenException", "AuthenticationError"),
    (error("ThrottlingException", "Rate exceeded"), "ThrottlingException", "ThrottlingError"),
    (error("TooManyRequestsException", "", 429), "TooManyRequestsException", "ThrottlingError"),
    (error("ValidationException"), "ValidationException", "InvalidRequestError"),
    (server_error(), "InternalFailure", "ServerError"),
    (error("NeverHeardOfException"), "NeverHeardOfException", "ServiceError"),
    (html(403), "403", "ServiceError"),
    (html(408), "408", "ServerError"),
    (html(502), "502", "ServerError"),
]


@pytest.mark.parametrize("reply, code, name", OTHERS, ids=[code for _, code, _ in OTHERS])
def test_other_errors(driver: Driver, server: Loopback, reply: Reply, code: str, name: str) -> None:
    """Codes that all of AWS shares become their class, and so does HTML from something between."""
    server.on_create(reply)
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert type(caught.value) is getattr(kvs_streams, name)
    is_html = reply.headers["Content-Type"] == "text/html"
    message = caught.value.response["Error"]["Message"]
    request_id = None if is_html else REQUEST_ID
    check_service_error(caught.value, code, reply.status, message, request_id)
    assert len(server.requests) == 1


def test_denied_action_is_named(driver: Driver, server: Loopback) -> None:
    """A denial keeps AWS's sentence, which names the action that is missing."""
    server.on_describe(denied("DescribeStream"))
    with pytest.raises(
        kvs_streams.AccessDeniedError, match=r"kinesisvideo:DescribeStream"
    ) as caught:
        driver.describe_stream("front.door-1")
    check(caught.value, "DescribeStream")


def test_not_found(driver: Driver, server: Loopback) -> None:
    """An error of another operation carries that operation's name, and the stream's."""
    server.on_describe(not_found())
    with pytest.raises(kvs_streams.ResourceNotFoundException) as caught:
        driver.describe_stream(arn("front.door-1"))
    check(caught.value, "DescribeStream")
    assert caught.value.http_status_code == 404


# No usable response.

LOST: dict[str, Any] = {
    "lost": (drop, {}, True),
    "late": (hang, {"read_timeout": 0.05}, True),
    "unreadable": (lambda: garbage(b"null"), {}, True),
    "refused": (None, {"url": refused_url()}, False),
    "unknown host": (None, {"url": unknown_host_url()}, False),
    "dead proxy": (None, {"proxies": {"http": refused_url()}}, True),
    "refused at last": (None, {"url": refused_url(), "attempts": 2}, True),
    "refused, by default": (None, {"url": refused_url(), "attempts": None}, True),
}


@pytest.mark.parametrize("reply, options, unknown", LOST.values(), ids=LOST)
def test_no_usable_response(
    connect: Connect,
    server: Loopback,
    reply: Callable[[], Reply] | None,
    options: dict[str, Any],
    unknown: bool,
) -> None:
    """Whether the request may have arrived is told, and it is only certain that nothing did."""
    if reply is not None:
        server.on_create(reply())
    driver = connect(**options)
    with pytest.raises(BotoCoreError) as caught:
        driver.create_stream(REQUEST)
    assert type(caught.value) is TransportError
    check(caught.value)
    assert caught.value.outcome_unknown is unknown
    assert caught.value.__cause__ is not None


def test_attempts_from_the_environment(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of attempts counts as botocore resolved it, wherever it was set."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    driver = connect(refused_url(), attempts=None)
    with pytest.raises(TransportError) as caught:
        driver.create_stream(REQUEST)
    assert not caught.value.outcome_unknown


@pytest.mark.parametrize(
    "reply",
    [ok(), ok({"StreamARN": None}), garbage(b""), garbage(b"<html>this hotel's network</html>")],
    ids=["no ARN", "null", "empty", "HTML"],
)
def test_success_without_arn(driver: Driver, server: Loopback, reply: Reply) -> None:
    """A success without the ARN is an error of its own: nothing is invented."""
    server.on_create(reply)
    with pytest.raises(UnexpectedResponseError) as caught:
        driver.create_stream(REQUEST)
    check(caught.value)
    assert caught.value.request_id == REQUEST_ID


# Retries, botocore's and ours.

MODES = pytest.mark.parametrize("mode", ["standard", "legacy"])


def generic() -> Reply:
    """Return the throttle of other services, which botocore retries."""
    return error("ThrottlingException")


CONFLICTS: dict[str, tuple[list[Reply], bool]] = {
    "at once": ([], False),
    "after a lost response": ([drop()], True),
    "after a server error": ([server_error()], True),
    "after a throttle of botocore's": ([generic()], True),
    "after throttles": ([throttle(), throttle()], False),
    "after a lost response and a throttle": ([drop(), throttle()], True),
}


@MODES
@pytest.mark.parametrize("replies, own", CONFLICTS.values(), ids=CONFLICTS)
def test_conflict(
    connect: Connect, server: Loopback, replies: list[Reply], own: bool, mode: str
) -> None:
    """A conflict after a request whose outcome is unknown may be with the caller's own stream."""
    server.on_create(*replies, conflict())
    driver = connect(attempts=3, mode=mode)
    with pytest.raises(ResourceInUseException) as caught:
        driver.create_stream(REQUEST)
    check(caught.value)
    assert caught.value.possibly_own is own
    assert caught.value.retry_attempts == len(replies)
    assert ("may have created it" in str(caught.value)) is own


@MODES
def test_counts_add_up(connect: Connect, server: Loopback, clock: VirtualClock, mode: str) -> None:
    """Botocore's retries and ours are one count: every request sent, less one."""
    server.on_create(server_error(), throttle(), throttle(), server_error(), created("cam"))
    driver = connect(attempts=3, mode=mode)
    response = driver.create_stream(REQUEST)
    assert response.retry_attempts == 4
    assert len(clock.sleeps) == 2
    assert len(server.requests) == 5


@pytest.mark.parametrize("mode, sent", [("legacy", 5), ("standard", 3)])
@pytest.mark.parametrize("reply", [generic(), server_error()], ids=["throttle", "server error"])
def test_what_botocore_retries(
    connect: Connect, server: Loopback, clock: VirtualClock, reply: Reply, mode: str, sent: int
) -> None:
    """What botocore retries is left to botocore, and its count is told."""
    server.on_create(*[reply] * sent)
    driver = connect(attempts=None, mode=mode)
    with pytest.raises(ServiceError) as caught:
        driver.create_stream(REQUEST)
    assert caught.value.retry_attempts == sent - 1
    assert clock.sleeps == []


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_throttled_to_the_end(
    connect: Connect, server: Loopback, clock: VirtualClock, attempts: int
) -> None:
    """The service's own throttle is retried as often as the policy says, and no more."""
    server.on_create(*[throttle()] * attempts)
    driver = connect(throttle_retry=ThrottleRetry(max_attempts=attempts))
    with pytest.raises(ClientLimitExceededException) as caught:
        driver.create_stream(REQUEST)
    check(caught.value)
    assert caught.value.retry_attempts == attempts - 1
    assert len(clock.sleeps) == attempts - 1


def test_throttled_and_created(driver: Driver, server: Loopback) -> None:
    """A create that was throttled once succeeds on the second attempt."""
    server.on_create(throttle(), created("front.door-1"))
    response = driver.create_stream(REQUEST)
    assert response.stream_arn == arn("front.door-1")
    assert response.retry_attempts == 1
    assert (response.request_id, response.http_status_code) == (REQUEST_ID, 200)


# All is well.


def test_describe(driver: Driver, server: Loopback) -> None:
    """A name and an ARN are different parameters of the service."""
    server.on_describe(*[described("front.door-1")] * 2)
    for stream in "front.door-1", arn("front.door-1"):
        assert driver.describe_stream(stream).stream_arn == arn("front.door-1")
    assert [request.body for request in server.requests] == [
        {"StreamName": "front.door-1"},
        {"StreamARN": arn("front.door-1")},
    ]
