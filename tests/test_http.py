"""Every outcome of a call over real HTTP on loopback, for each kind of client."""

import json
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
    server_error,
    throttle,
    unknown_host_url,
)

import kvs_streams
from kvs_streams import (
    AccessDeniedError,
    CreateStreamRequest,
    EnsuredStream,
    KvsStreamsError,
    ResourceInUseException,
    ServiceError,
    ThrottleRetry,
    TransportError,
    UnexpectedResponseError,
)

REQUEST = CreateStreamRequest(stream_name="front.door-1")
ONCE = ThrottleRetry(max_attempts=1)


def check(caught: KvsStreamsError, operation: str = "CreateStream") -> None:
    """Check what holds for each error of a call: it tells what it is about."""
    assert caught.operation_name == operation
    assert caught.stream_name == "front.door-1"
    assert operation in str(caught)
    assert "'front.door-1'" in str(caught)


# Errors of the service.

LIMITED, TAGGED = "AccountStreamLimitExceededException", "TagsPerResourceExceededLimitException"
EXPIRED = "The security token included in the request is expired"
ERRORS: list[tuple[Reply, str, str]] = [
    (throttle(), "ClientLimitExceededException", "ClientLimitExceededException"),
    (error("InvalidArgumentException"), *["InvalidArgumentException"] * 2),
    (error("InvalidDeviceException", suffix=""), *["InvalidDeviceException"] * 2),
    (error(LIMITED, message_key="message"), LIMITED, LIMITED),
    (error(TAGGED, suffix=":https://x/"), TAGGED, TAGGED),
    (error("DeviceStreamLimitExceededException"), *["DeviceStreamLimitExceededException"] * 2),
    (conflict(), "ResourceInUseException", "ResourceInUseException"),
    (denied(), "AccessDeniedException", "AccessDeniedError"),
    (error("ExpiredTokenException", EXPIRED, 403), "ExpiredTokenException", "AuthenticationError"),
    (error("ThrottlingException", "Rate exceeded"), "ThrottlingException", "ThrottlingError"),
    (server_error(), "InternalFailure", "ServerError"),
    (error("NeverHeardOfException"), "NeverHeardOfException", "ServiceError"),
    (html(403), "403", "ServiceError"),
    (html(408), "408", "ServerError"),
    (html(502), "502", "ServerError"),
]


@pytest.mark.parametrize("reply, code, name", ERRORS, ids=[code for _, code, _ in ERRORS])
def test_errors(connect: Connect, server: Loopback, reply: Reply, code: str, name: str) -> None:
    """Each error arrives with all that the reply said, and so does HTML from something between."""
    server.on_create(reply)
    with pytest.raises(ServiceError) as caught:
        connect(throttle_retry=ONCE).create_stream(REQUEST)
    check(caught.value)
    assert type(caught.value) is getattr(kvs_streams, name)
    assert (caught.value.code, caught.value.http_status_code) == (code, reply.status)
    is_html = reply.headers["Content-Type"] == "text/html"
    message = caught.value.message
    assert is_html or json.loads(reply.body) in ({"Message": message}, {"message": message})
    assert caught.value.response["Error"] == {"Code": code, "Message": message}
    assert caught.value.request_id == (None if is_html else REQUEST_ID)
    assert type(caught.value.__cause__) is not type(caught.value)
    assert isinstance(caught.value.__cause__, ClientError)
    assert len(server.requests) == 1


def test_denied_describe(driver: Driver, server: Loopback) -> None:
    """An error of another operation carries that operation's name, and the stream's."""
    server.on_describe(denied("DescribeStream"))
    with pytest.raises(AccessDeniedError, match=r"kinesisvideo:DescribeStream") as caught:
        driver.describe_stream(arn("front.door-1"))
    check(caught.value, "DescribeStream")


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


@pytest.mark.parametrize("reply", [ok({"StreamARN": None}), garbage(b""), garbage(b"<html>")])
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
    assert (response.request_id, response.http_status_code) == (REQUEST_ID, 200)
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


# A fleet.

# What becomes of some streams, and what their creates are answered; all others are created at once.
DEVICE = "DeviceStreamLimitExceededException"
TROUBLE: dict[str, tuple[str, list[Reply]]] = {
    "cam-00": ("CREATED", [throttle(), created("cam-00")]),
    "cam-01": ("InvalidArgumentException", [error("InvalidArgumentException")]),
    "cam-02": ("InvalidDeviceException", [error("InvalidDeviceException")]),
    "cam-03": (DEVICE, [error(DEVICE)]),
    "cam-04": (TAGGED, [error(TAGGED)]),
    "cam-05": ("EXISTING", [conflict()]),
    "cam-06": ("AccessDeniedError", [denied()]),
    "cam-07": ("RECOVERED", [drop()]),
    "cam-24": (LIMITED, [error(LIMITED)]),
}


def test_fleet(connect: Connect, server: Loopback) -> None:
    """Each of 25 streams has its own result, each of the seven documented errors among them."""
    replies = {name: list(answers) for name, (_, answers) in TROUBLE.items()}

    def answer(request: Request) -> Reply:
        name = request.body.get("StreamName", "")
        if request.operation == "ListStreams":
            return ok({"StreamInfoList": []})
        if request.operation == "CreateStream":
            return replies[name].pop(0) if name in replies else created(name)
        return not_found() if name == "cam-24" else described(name)

    server.answer_with(answer)
    names = [f"cam-{number:02}" for number in range(25)]
    pairs = connect().ensure_streams([CreateStreamRequest(stream_name=name) for name in names])
    results = {request.stream_name: outcome(result) for request, result in pairs}
    assert results == {name: TROUBLE.get(name, ["CREATED"])[0] for name in names}
    assert len(pairs) == len(names)
    assert server.calls.count("ListStreams") == 1
    assert server.calls.count("CreateStream") == 26


def outcome(result: Any) -> str:
    """Name what became of a stream."""
    return result.outcome.name if isinstance(result, EnsuredStream) else type(result).__name__
