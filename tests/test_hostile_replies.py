"""Replies that no service should give: each ends in a usable result or in one of our errors."""

import json
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import cycle
from typing import Any

import pytest
from botocore.exceptions import ClientError
from secret_forms import FORMS
from support.clients import Driver
from support.loopback import (
    Loopback,
    Reply,
    Request,
    arn,
    conflict,
    created,
    described,
    error,
    garbage,
    ok,
)

from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    EnsuredStream,
    KvsStreamsError,
    RequestValidationError,
    ServiceError,
    StreamDriftError,
    StreamInfo,
    StreamsClient,
    StreamStatus,
    StreamStorageConfiguration,
    TransportError,
    UnexpectedResponseError,
    WaitTimeoutError,
)

REQUEST = CreateStreamRequest(
    stream_name="cam",
    tags={"site": "north"},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
# What each operation answers if all is well and the stream exists.
USUAL = {
    "CreateStream": conflict(),
    "DescribeStream": described("cam"),
    "ListTagsForStream": ok({"Tags": {"site": "north"}}),
    "DescribeStreamStorageConfiguration": ok(
        {"StreamStorageConfiguration": {"DefaultStorageTier": "WARM"}}
    ),
}
OPERATIONS = list(USUAL)

each_operation = pytest.mark.parametrize("operation", OPERATIONS)

NESTED = [
    piece * depth + end * depth
    for depth in (900, 5_000, 200_000)
    for piece, end in (("[", ""), ("[", "]"), ('{"StreamARN":', ""), ('{"Error":', "}"))
]
DIGITS = "1" + "0" * 400
TIMES = [
    "1e18",
    "1e308",
    "-1e308",
    "Infinity",
    "-Infinity",
    "NaN",
    DIGITS,
    f"-{DIGITS}",
    f'"{DIGITS}"',
    "1" + "0" * 5_000,
    '"2024-01-01T00:00:00+99:99"',
    '"0001-01-01T00:00:00+23:00"',
    '"9999-12-31T23:59:59-23:00"',
    '"no time"',
    '""',
    "true",
    "[1]",
    "{}",
    "null",
]
WRONG = ["null", "true", "1", "-1.5", DIGITS, '""', '"x"', "[]", "[[1]]", "{}", '{"a":{"b":1}}']
MEMBERS = {
    "CreateStream": '{"StreamARN":@}',
    "DescribeStream": '{"StreamInfo":@}',
    "ListTagsForStream": '{"Tags":@}',
    "DescribeStreamStorageConfiguration": '{"StreamStorageConfiguration":@}',
}
INFO = {"StreamName": "cam", "StreamARN": arn("cam"), "Status": "ACTIVE"}


def with_member(name: str) -> str:
    """A describe in which one member is still open."""
    return json.dumps({"StreamInfo": INFO | {name: "@"}}).replace('"@"', "@")


def bodies() -> Iterator[str]:
    """Bodies that are no JSON, nested without end, or of wrong types in every place."""
    yield from NESTED
    yield from ["", "[", '{"a"', "null", "[1]", '"text"', "\ufeff{}", "{} {}"]
    names = ["StreamName", "StreamARN", "Status", "DeviceName", "MediaType", "KmsKeyId"]
    shapes = [*MEMBERS.values(), '{"Tags":{"site":@}}', '{"Tags":{"site":"north"},"NextToken":@}']
    shapes += ['{"StreamStorageConfiguration":{"DefaultStorageTier":@}}', '{"Message":@}']
    shapes += [with_member(name) for name in [*names, "Version", "DataRetentionInHours"]]
    for shape in shapes:
        yield from (shape.replace("@", value) for value in WRONG)
    yield from (with_member("CreationTime").replace("@", value) for value in TIMES)


def answering(operation: str, reply: Reply) -> Callable[[Request], Reply]:
    """Answer one operation with a hostile reply, and all others as usual."""
    return lambda request: reply if request.operation == operation else USUAL[request.operation]


def outcome(driver: Driver, operation: str) -> Any:
    """What comes of the call, or of the comparison that makes it; only our errors are caught."""
    try:
        if operation == "CreateStream":
            return driver.create_stream(REQUEST)
        if operation == "DescribeStream":
            return driver.describe_stream("cam")
        return driver.ensure_stream(REQUEST, timeout=5)
    except KvsStreamsError as error:
        return error


def check(found: Any) -> None:
    """Check that a result or an error can be shown, logged and pickled."""
    assert repr(found).isprintable()
    pickle.loads(pickle.dumps(found))
    if isinstance(found, KvsStreamsError):
        assert str(found).isprintable()
        assert len(str(found)) < 2_500
    else:
        assert isinstance(found, CreateStreamResponse | StreamInfo | EnsuredStream)
    for drift in getattr(found, "drift", ()):
        assert drift.found is None or isinstance(drift.found, str | int)


@each_operation
def test_replies_that_botocore_cannot_read(
    driver: Driver, server: Loopback, operation: str
) -> None:
    """Whatever a reply holds, a call ends in a usable result or in one of our errors."""
    # One after the other: each body as an error of both kinds would be slow and find no more.
    failures = cycle([400, 503])
    for body in bodies():
        for status in (200, next(failures)):
            reply = replace(garbage(body.encode()), status=status)
            server.answer_with(answering(operation, reply))
            check(outcome(driver, operation))


@pytest.mark.parametrize("operation", OPERATIONS[1:])
def test_created_is_never_lost(driver: Driver, server: Loopback, operation: str) -> None:
    """After a create that worked, an unreadable reply ends in an error that carries the ARN."""
    usual = USUAL | {"CreateStream": created("cam")}
    for body in bodies():
        reply = garbage(body.encode())
        server.answer_with(lambda call, reply=reply: ({**usual, operation: reply})[call.operation])
        found = outcome(driver, "ensure")
        if isinstance(found, KvsStreamsError):
            assert found.created is not None
            assert found.created.stream_arn == arn("cam")


@pytest.mark.parametrize("depth", [5_000, 200_000])
@each_operation
def test_nested_brackets(driver: Driver, server: Loopback, operation: str, depth: int) -> None:
    """A body of nothing but brackets is one of our errors, not a bare ``RecursionError``.

    Where Python's parser goes deep enough, botocore takes it for a reply without any member.
    """
    server.answer_with(answering(operation, garbage(b"[" * depth)))
    found = outcome(driver, operation)
    assert isinstance(found, KvsStreamsError)
    if isinstance(found, TransportError):
        assert found.outcome_unknown
        assert "the response is unreadable: RecursionError: maximum recursion" in str(found)
    else:
        assert depth == 5_000


def test_an_unreadable_value_is_cut(driver: Driver, server: Loopback) -> None:
    """What botocore's parser says of a long value is shown, and not to its end."""
    body = with_member("CreationTime").replace("@", json.dumps("never " * 1_000))
    server.on_describe(garbage(body.encode()))
    found = outcome(driver, "DescribeStream")
    assert 'the response is unreadable: ValueError: Invalid timestamp "never' in str(found)
    assert len(str(found)) < 600


def test_pages_of_tags_that_do_not_end(driver: Driver, server: Loopback) -> None:
    """The error of a token that comes again names the operation and the stream, in full."""
    name = "ASIA0123456789ABCDEF"
    server.answer_with(
        lambda request: {
            "CreateStream": conflict(),
            "DescribeStream": described(name),
            "ListTagsForStream": ok({"Tags": {}, "NextToken": "again"}),
        }[request.operation]
    )
    with pytest.raises(UnexpectedResponseError) as caught:
        driver.ensure_stream(CreateStreamRequest(stream_name=name, tags={"site": "north"}))
    assert str(caught.value) == f"the pages of the tags of stream '{name}' do not end"
    assert caught.value.operation_name == "ListTagsForStream"
    assert caught.value.stream_name == name


@pytest.mark.parametrize("text", TIMES[:13])
def test_creation_time_out_of_range(driver: Driver, server: Loopback, text: str) -> None:
    """A time that botocore reads and nobody can use is ``None``; one it cannot read is an error."""
    server.on_describe(garbage(with_member("CreationTime").replace("@", text).encode()))
    found = outcome(driver, "DescribeStream")
    if isinstance(found, StreamInfo):
        assert found.creation_time is None
        assert found.stream_arn == arn("cam")
    else:
        # Of a number of thousands of digits Python makes no integer, and botocore no reply.
        assert isinstance(found, TransportError | UnexpectedResponseError)


# What a service sends in place of a status, a tag or a count.

STATUSES = ["\x1b[2J", "A\nB", "\u202eEVITCA", "x" * 1_000_000, "\x00" * 1_000_000, "ACTIVE\u200b"]


@pytest.mark.parametrize("status", STATUSES, ids=range(len(STATUSES)))
def test_hostile_status(
    driver: Driver, server: Loopback, status: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A status of control characters, or of a megabyte, is short and on one line wherever shown."""
    server.answer_with(lambda _: described("cam", status))
    info = driver.describe_stream("cam")
    assert repr(info).isprintable()
    assert str(info.status).isprintable()
    assert len(info.status) <= 80
    assert pickle.loads(pickle.dumps(info)) == info
    assert StreamStatus(str(info.status)) == info.status
    with pytest.raises(WaitTimeoutError) as caught:
        driver.wait_until_active("cam", timeout=3)
    assert caught.value.last_status == info.status
    for text in (str(caught.value), repr(vars(caught.value)), *caplog.messages):
        assert text.isprintable()
        assert len(text) < 1_000


def test_unknown_status_stays_as_it_is(driver: Driver, server: Loopback) -> None:
    """A status of AWS's that this version does not know is kept word for word."""
    server.on_describe(described("cam", "FROZEN_2"))
    assert driver.describe_stream("cam").status == "FROZEN_2"


@pytest.mark.parametrize("text", ["\x1b[2J\u202e", "x" * 1_000_000], ids=["controls", "long"])
def test_status_that_a_user_makes(text: str) -> None:
    """Its ``repr`` is printable and short; it is equal to its text all the same."""
    status = StreamStatus(text)
    assert status == text
    assert repr(status).isprintable()
    assert len(repr(status)) < 300


@pytest.mark.parametrize(
    "value, shown",
    [(["a"], "<list>"), ({"a": "b"}, "<dict>"), (5, "5"), (1.5, "1.5"), (True, "True")],
)
def test_drift_of_a_tag_that_is_no_text(
    driver: Driver, server: Loopback, value: object, shown: str
) -> None:
    """What the service sends in place of a tag's value is shown as text."""
    server.answer_with(answering("ListTagsForStream", ok({"Tags": {"site": value}})))
    with pytest.raises(StreamDriftError) as caught:
        driver.ensure_stream(REQUEST)
    (drift,) = caught.value.drift
    assert drift.found == shown


class Answering:
    """A client whose every call gives one reply, which can hold what JSON cannot."""

    def __init__(self, reply: dict[str, Any]) -> None:
        self.reply = reply

    def create_stream(self, **_: object) -> Any:
        if "Error" in self.reply:
            error = ClientError({}, "CreateStream")
            error.response = self.reply
            raise error
        return self.reply


ODD = [None, True, -1, 2**70, 10**5_000, 1.5, "x", "7", b"\xff", [1], {"a": 1}, {1}, object()]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("is_error", [True, False], ids=["error", "success"])
def test_metadata_of_wrong_types(odd: Any, is_error: bool) -> None:
    """Whatever a fake gives for codes, ids and counts, ours are of the types that they promise."""
    names = ("RequestId", "HTTPStatusCode", "RetryAttempts", "HTTPHeaders")
    for reply in (
        {"ResponseMetadata": dict.fromkeys(names, odd)},
        {"ResponseMetadata": odd},
    ):
        body: dict[str, Any] = {"Error": {"Code": odd, "Message": odd}} if is_error else {}
        client = StreamsClient(Answering({"StreamARN": arn("cam"), **body, **reply}))
        try:
            found: Any = client.create_stream(CreateStreamRequest(stream_name="cam"))
        except ServiceError as error:
            found = error
        assert isinstance(found, ServiceError) is is_error
        for name in ("code", "message") if is_error else ():
            assert type(getattr(found, name)) is str
        assert found.request_id is None or type(found.request_id) is str
        assert found.http_status_code is None or type(found.http_status_code) is int
        assert type(found.retry_attempts) is int
        check(found)


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_errors_of_wrong_types(odd: Any) -> None:
    """An error made of a response of any shape is shown, copied and pickled."""
    for response in ({"Error": odd}, {"Error": odd, "ResponseMetadata": odd}, odd):
        error = ServiceError(response, "CreateStream")
        check(error)
        assert error.code


# Large replies.


@pytest.mark.parametrize(
    "message", ["x" * 20_000_000, "\x1b" * 5_000_000, "token=" * 2_000_000], ids=range(3)
)
def test_large_messages(message: str) -> None:
    """Of a message of many megabytes a part is kept, and no more than that is worked on."""
    client = StreamsClient(Answering({"Error": {"Code": "Odd", "Message": message}}))
    with pytest.raises(ServiceError) as caught:
        client.create_stream(CreateStreamRequest(stream_name="cam"))
    assert len(caught.value.message) <= 131_072
    assert len(str(caught.value)) < 1_000
    # What nobody has read to its end may hold a secret.
    assert caught.value.__cause__ is None


def test_many_bad_tags() -> None:
    """Of hundreds of thousands of bad tags the first faults are kept, and the rest is counted."""
    tags: dict[Any, Any] = {f"key {number}!": "value!" for number in range(300_000)}
    tags |= {7: 8, "aws:x!": None, "": "y" * 257}
    with pytest.raises(RequestValidationError, match=r"\(600007 faults\)") as caught:
        CreateStreamRequest(stream_name="cam", tags=tags)
    assert len(caught.value.violations) == 1_000
    assert str(caught.value).endswith("; and 599987 more")
    assert len(pickle.dumps(caught.value)) < 500_000


# At random.


def scalar(chance: random.Random) -> Any:
    """A value that hurts somewhere."""
    return chance.choice(
        [
            None,
            True,
            chance.randint(-(10**20), 10**20),
            chance.uniform(-1e308, 1e308),
            "",
            "x" * chance.choice([1, 90, 700, 3_000]),
            "".join(chr(chance.choice([0, 7, 10, 27, 133, 8232, 8238, 65279])) for _ in range(9)),
            chance.choice(list(FORMS.values()))[0],
            arn("cam"),
            "ACTIVE",
        ]
    )


def value(chance: random.Random, depth: int = 3) -> Any:
    """A JSON value of any shape, with the members that the service has or any others."""
    kind = chance.random()
    if not depth or kind < 0.4:
        return scalar(chance)
    if kind < 0.5:
        return [value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    names = ["StreamARN", "StreamInfo", "StreamName", "Status", "CreationTime", "Tags", "site"]
    names += ["NextToken", "StreamStorageConfiguration", "DefaultStorageTier", "Message", "message"]
    names += ["__type", "code", "DataRetentionInHours", "SessionToken", "a\nb"]
    return {name: value(chance, depth - 1) for name in chance.sample(names, chance.randint(0, 9))}


def hostile(chance: random.Random) -> Reply:
    """A reply made at random: any status, any code, any body."""
    status = chance.choice([200, 200, 200, 202, 400, 400, 403, 404, 418, 429, 500, 503])
    code = chance.choice(
        ["ResourceInUseException", "ClientLimitExceededException", "Odd", "", "a:b#c", "403"]
    )
    body = json.dumps(value(chance)).encode()
    if chance.random() < 0.2:
        body = body[: chance.randint(0, len(body))]
    headers = {"x-amzn-RequestId": chance.choice(["id", "\x9b\x85", "", "i" * 900])}
    return (
        replace(error(code, None, status), body=body)
        if status >= 400
        else replace(garbage(body), headers=headers)
    )


SECRETS = {secret for text, secrets in FORMS.values() for secret in secrets if len(secret) > 12}


@pytest.mark.parametrize("seed", range(3))
@each_operation
def test_replies_at_random(driver: Driver, server: Loopback, operation: str, seed: int) -> None:
    """Of replies made at random none breaks a promise: typed, printable, short, without secrets."""
    chance = random.Random(f"{operation} {seed}")
    for number in range(100):
        reply = hostile(chance)
        server.answer_with(answering(operation, reply))
        found = outcome(driver, operation)
        check(found)
        if isinstance(found, KvsStreamsError):
            data = pickle.dumps(found).decode("latin-1")
            cause = found.__cause__ or found
            shown = f"{found!r} {vars(found)} {cause!r} {vars(cause)}"
            leaks = [secret for secret in SECRETS if secret in data or secret in shown]
            places = [data[data.index(leak) - 150 :][:300] for leak in leaks if leak in data]
            assert not leaks, f"{leaks} in {places} after reply {number}"
        elif isinstance(found, StreamInfo):
            assert isinstance(found.creation_time, datetime | None)


class BrokenSession:
    """A session of the user's own that fails in a way of its own."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def client(self, *_: object, **__: object) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [LookupError("a fake"), ValueError("tenant 7 has no account")])
def test_what_a_session_raises_passes_through(error: Exception) -> None:
    """A bug in a user's session is not taken for a setting that is wrong."""
    with pytest.raises(type(error)) as caught:
        StreamsClient(session=BrokenSession(error))
    assert caught.value is error
