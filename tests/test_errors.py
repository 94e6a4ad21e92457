"""The errors: their tree, what they say, and that they pickle and copy with all their data."""

import contextlib
import copy
import logging
import pickle
import re
import time
import traceback
import typing
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given, strategies as st
from support import copies

import kvs_streams
from kvs_streams import (
    AccessDeniedError,
    ConfigurationError,
    CreateStreamResponse,
    Drift,
    KvsStreamsError,
    RequestValidationError,
    ResourceInUseException,
    ServiceError,
    StreamArn,
    StreamDriftError,
    StreamInfo,
    StreamStatus,
    TransportError,
    UnexpectedResponseError,
    Violation,
    WaitError,
    WaitTimeoutError,
    errors,
)

# Each error with its direct parents.
TREE = {
    "KvsStreamsError": ["Exception"],
    "RequestValidationError": ["KvsStreamsError", "ValueError"],
    "ServiceError": ["KvsStreamsError", "ClientError"],
    "InvalidRequestError": ["ServiceError"],
    "InvalidArgumentException": ["InvalidRequestError"],
    "InvalidDeviceException": ["InvalidRequestError"],
    "TagsPerResourceExceededLimitException": ["InvalidRequestError"],
    "ResourceInUseException": ["ServiceError"],
    "ResourceNotFoundException": ["ServiceError"],
    "LimitExceededError": ["ServiceError"],
    "AccountStreamLimitExceededException": ["LimitExceededError"],
    "DeviceStreamLimitExceededException": ["LimitExceededError"],
    "ThrottlingError": ["ServiceError"],
    "ClientLimitExceededException": ["ThrottlingError"],
    "AccessDeniedError": ["ServiceError"],
    "AuthenticationError": ["ServiceError"],
    "ServerError": ["ServiceError"],
    "TransportError": ["KvsStreamsError", "BotoCoreError"],
    "ConfigurationError": ["KvsStreamsError", "BotoCoreError"],
    "UnexpectedResponseError": ["KvsStreamsError"],
    "WaitError": ["KvsStreamsError"],
    "WaitTimeoutError": ["WaitError", "TimeoutError"],
    "StreamDeletingError": ["WaitError"],
    "StreamDriftError": ["KvsStreamsError"],
}
RETRYABLE = {
    "ThrottlingError",
    "ClientLimitExceededException",
    "ServerError",
    "TransportError",
    "UnexpectedResponseError",
    "WaitTimeoutError",
    "StreamDeletingError",
}
ERRORS: dict[str, Any] = {name: getattr(kvs_streams, name) for name in TREE}
SERVICE_ERRORS = [name for name, error in ERRORS.items() if issubclass(error, ServiceError)]

ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/1600000000000"
INFO = StreamInfo(stream_name="cam", stream_arn=ARN, status=StreamStatus("FROZEN"))
REPLY: dict[str, Any] = {
    "Error": {"Code": "SomethingException", "Message": "so it is"},
    "ResponseMetadata": {
        "RequestId": "id-1",
        "HTTPStatusCode": 400,
        "HTTPHeaders": {"date": "Mon, 06 May 2041 07:08:09 GMT"},
        "RetryAttempts": 2,
    },
}
# What an error takes beside its first arguments, which are below.
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "ServiceError": {"stream_name": "cam", "retry_attempts": 3},
    "ResourceInUseException": {"possibly_own": True},
    "TransportError": {"operation_name": "Op", "stream_name": "cam", "outcome_unknown": False},
    "ConfigurationError": {"operation_name": "Op", "stream_name": "cam"},
    "UnexpectedResponseError": {
        "operation_name": "Op",
        "stream_name": "cam",
        "request_id": "id-1",
    },
    "WaitError": {"stream_name": "cam", "last_status": StreamStatus("FROZEN"), "waited": 1.5},
    "StreamDriftError": {"stream": INFO, "unverified": ("tags",)},
}


def arguments(cls: type[KvsStreamsError]) -> tuple[Any, ...]:
    """Return the positional arguments of an error."""
    if issubclass(cls, ServiceError):
        return REPLY, "CreateStream"
    if issubclass(cls, RequestValidationError):
        return ([Violation("StreamName", "stream_name", "pattern", "stream_name is bad", "'a'")],)
    if issubclass(cls, StreamDriftError):
        return ([Drift("media_type", "a/b", None)],)
    return ("what happened",)


def sample(name: str) -> Any:
    """Make an error of that class with every attribute set to something of its own."""
    cls = ERRORS[name]
    attributes = {
        key: value
        for parent in cls.__mro__
        for key, value in ATTRIBUTES.get(parent.__name__, {}).items()
    }
    error = cls(*arguments(cls), **attributes)
    error.created = CreateStreamResponse(stream_arn=StreamArn(ARN), retry_attempts=1)
    errors.annotate(error, "An earlier create may have succeeded.")
    return error


def facts(error: BaseException) -> dict[str, object]:
    """Everything that an error says: its class, its text and its attributes."""
    return {"class": type(error), "text": str(error), "args": error.args} | vars(error)


# The tree.


@pytest.mark.parametrize("name", TREE)
def test_place_in_the_tree(name: str) -> None:
    """Each error has exactly the parents of the contract, a public home, and its retryability."""
    error = ERRORS[name]
    assert [parent.__name__ for parent in error.__bases__] == TREE[name]
    assert error.__module__ == "kvs_streams.errors"
    assert getattr(errors, name) is error
    assert error.retryable is sample(name).retryable is (name in RETRYABLE)


def test_every_error_is_in_the_tree() -> None:
    """No error is public without a place in the tree."""
    public = {name: getattr(kvs_streams, name) for name in kvs_streams.__all__}
    found = {
        name
        for name, thing in public.items()
        if isinstance(thing, type) and issubclass(thing, BaseException)
    }
    assert found == set(errors.__all__) == set(TREE)


def test_drawn_tree_is_the_real_tree() -> None:
    """The picture at the top of ``errors.py`` shows the classes as they are."""
    drawn: dict[str, list[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(
            r"([│├└─ ]*)(\w+(?:Error|Exception))(?: \((\w+ )?(\w+)\))?(?: {2}|$)", line
        )
        if found:
            branch, name, _, other = found.groups()
            depth = len(branch) // 4
            path[depth:] = [name]
            drawn[name] = [path[depth - 1] if depth else "Exception"] + ([other] if other else [])
    assert drawn == TREE


def test_errors_of_others() -> None:
    """What is caught as an error of botocore's or Python's is one, and nothing else is."""
    caught = {
        parent: {name for name, error in ERRORS.items() if issubclass(error, parent)}
        for parent in (ClientError, BotoCoreError, ValueError, OSError)
    }
    assert caught[ClientError] == set(SERVICE_ERRORS)
    assert caught[BotoCoreError] == {"TransportError", "ConfigurationError"}
    assert caught[ValueError] == {"RequestValidationError"}
    assert caught[OSError] == {"WaitTimeoutError"}


# Data.


@pytest.mark.parametrize("name", TREE)
@pytest.mark.parametrize("way", [*copies.WAYS, "pickle 0", "pickle 1"])
def test_copies(name: str, way: str) -> None:
    """Each error is pickled and copied with its class, text and every attribute."""
    error = sample(name)
    twin = copies.WAYS.get(way, lambda it: copies.through_pickle(int(way[-1]), it))(error)
    assert facts(twin) == facts(error)
    assert repr(twin) == repr(error)
    errors.annotate(twin, "One more.")
    assert twin.created.stream_arn == ARN
    assert "One more" not in str(error)


class TeamError(ResourceInUseException):
    """A user's own subclass with attributes of its own."""


def test_pickle_of_a_subclass() -> None:
    """A user's subclass pickles too, with what the user added; the cause stays behind."""
    error: Any = TeamError(REPLY, "CreateStream", possibly_own=True)
    error.team = "north"
    error.__cause__ = OSError("below")
    restored = pickle.loads(pickle.dumps(error))
    assert facts(restored) == facts(error)
    assert restored.team == "north"
    assert restored.__cause__ is None
    assert copy.deepcopy(error).response is not error.response


@pytest.mark.parametrize("name", TREE)
def test_made_with_the_least(name: str) -> None:
    """Users make errors in their own tests: what is not said is ``None``."""
    cls = ERRORS[name]
    needed = {"stream": INFO} if cls is StreamDriftError else {}
    error = cls(*arguments(cls), **needed)
    assert error.created is None
    assert error.stream_name == ("cam" if cls is StreamDriftError else None)
    assert error.operation_name == ("CreateStream" if name in SERVICE_ERRORS else None)
    assert error.request_id == ("id-1" if name in SERVICE_ERRORS else None)
    assert str(error) == error.args[0]
    assert repr(error) == f"{name}({str(error)!r})"
    assert typing.get_type_hints(cls.__init__)["return"] is type(None)
    with contextlib.suppress(AttributeError):
        assert error.kwargs == {}


@pytest.mark.parametrize("name", TREE)
def test_attributes_of_the_root(name: str) -> None:
    """What a handler needs most is an attribute of every error."""
    for attribute in ("retryable", "created", "stream_name", "operation_name", "request_id"):
        assert hasattr(ERRORS[name], attribute)


def test_defaults_of_the_branches() -> None:
    """Each branch has attributes of its own, with defaults."""
    late = WaitTimeoutError("late")
    assert (late.last_status, late.waited, late.errno) == (None, 0.0, None)
    assert TransportError("lost").outcome_unknown
    assert not ResourceInUseException(REPLY, "CreateStream").possibly_own


@pytest.mark.parametrize(
    "make",
    [
        lambda: KvsStreamsError("text", outcome_unknown=True),
        lambda: ConfigurationError("text", waited=1.0),
        lambda: WaitError("text", team="north"),  # type: ignore[call-arg]
        lambda: ServiceError(REPLY, "CreateStream", possibly_own=True),
        lambda: ServiceError(REPLY, "CreateStream", message="text"),  # type: ignore[call-arg]
    ],
    ids=["root", "configuration", "wait", "service", "own"],
)
def test_attributes_of_other_errors(make: Any) -> None:
    """A constructor takes no attribute that its class does not have, and sets no other."""
    try:
        error = make()
    except TypeError as exc:
        assert re.fullmatch(r"\w+Error has no attribute '\w+'", str(exc))  # noqa: PT017
    else:
        assert error.message == "text"


# What AWS answered.


def test_service_error_reads_the_reply() -> None:
    """A service error has all that the reply says, as AWS sent it."""
    error = ServiceError(REPLY, "CreateStream")
    assert (error.code, error.message) == ("SomethingException", "so it is")
    assert (error.request_id, error.http_status_code, error.retry_attempts) == ("id-1", 400, 2)
    assert error.response is REPLY
    assert ServiceError(REPLY, "CreateStream", retry_attempts=5).retry_attempts == 5
    assert ServiceError(REPLY, "CreateStream", retry_attempts=0).retry_attempts == 0


@pytest.mark.parametrize(
    "reply", [{}, {"Error": {}}, {"Error": None, "ResponseMetadata": None}, {"Error": {"Code": ""}}]
)
def test_reply_that_says_nothing(reply: dict[str, Any]) -> None:
    """A reply that says nothing makes an error that invents nothing, worded as botocore does."""
    error = ServiceError(reply, "CreateStream")
    assert (error.code, error.message, error.request_id) == ("Unknown", "", None)
    assert (error.http_status_code, error.retry_attempts) == (None, 0)
    assert str(error) == (
        "An error occurred (Unknown) when calling the CreateStream operation: no message"
    )


def test_numbers_where_texts_belong() -> None:
    """Fakes answer numbers for codes; the error that they mean is raised all the same."""
    error = ServiceError({"Error": {"Code": 404, "Message": ["no"]}}, "CreateStream")
    assert (error.code, error.message) == ("404", "['no']")


# Texts.

DENIED = (
    "User: arn:aws:iam::123456789012:user/me is not authorized to perform: "
    "kinesisvideo:CreateStream on resource: cam"
)


AN_ERROR = "An error occurred (X) when calling the CreateStream operation: "
TEXTS: dict[str, tuple[KvsStreamsError, str]] = {
    "service": (
        ServiceError({**REPLY, "Error": {"Code": "X", "Message": "no"}}, "CreateStream"),
        AN_ERROR + "no [request id id-1, retry attempts 2]",
    ),
    "stream": (
        ServiceError({"Error": {"Code": "X"}}, "CreateStream", stream_name="cam"),
        AN_ERROR + "no message [stream 'cam']",
    ),
    "long parts": (
        ServiceError({"Error": {"Code": "C" * 81}}, "O" * 81),
        f"An error occurred ({'C' * 79}…) when calling the {'O' * 79}… operation: no message",
    ),
    "possibly own": (
        ResourceInUseException({"Error": {"Code": "X"}}, "CreateStream", possibly_own=True),
        AN_ERROR + "no message (an earlier attempt of this call may have created it; "
        "ensure_stream finds out)",
    ),
    "denied": (
        AccessDeniedError({"Error": {"Code": "X", "Message": DENIED}}, "CreateStream"),
        f"{AN_ERROR}{DENIED} (the caller's policies have to allow kinesisvideo:CreateStream)",
    ),
    "denied by STS": (
        AccessDeniedError({"Error": {"Code": "X", "Message": "no"}}, "AssumeRole"),
        "An error occurred (X) when calling the AssumeRole operation: no",
    ),
    "validation": (
        RequestValidationError([Violation("A", "a", "type", "a is bad", "")] * 2),
        "invalid request, nothing was sent (2 faults): a is bad; a is bad",
    ),
    "drift": (
        StreamDriftError(
            [
                Drift("device_name", "a", "b"),
                Drift("media_type", "a/b", None),
                Drift("kms_key_id", "key", "alias/k"),
                Drift("data_retention_in_hours", 24, 0),
                Drift("tags['a']", "1", None),
                Drift("tags['b']", "2", "x\n"),
                Drift("stream_storage_configuration.default_storage_tier", "HOT", "WARM"),
            ],
            stream=INFO,
        ),
        (
            "stream 'cam' exists with another configuration: device_name is 'b', requested 'a'; "
            "media_type is not set, requested 'a/b'; kms_key_id is 'alias/k', requested 'key'; "
            "data_retention_in_hours is 0, requested 24; tags['a'] is not set, requested '1'; "
            r"tags['b'] is 'x\n', requested '2'; "
            "stream_storage_configuration.default_storage_tier is 'WARM', requested 'HOT' "
            "(UpdateStream changes device_name, UpdateStream changes media_type, kms_key_id can "
            "never be changed, UpdateDataRetention changes data_retention_in_hours, TagStream "
            "changes tags, UpdateStreamStorageConfiguration changes stream_storage_configuration)"
        ),
    ),
    "control characters": (UnexpectedResponseError("a\nb\x1b"), r"a\nb\x1b"),
    "long": (ConfigurationError("x" * 601), "x" * 599 + "…"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_texts(case: str) -> None:
    """Each error says what happened, and what to do if there is more to say than AWS says."""
    error, text = TEXTS[case]
    assert str(error) == text


@pytest.mark.parametrize(
    "operation",
    [
        "CreateStream",
        "DescribeStream",
        "DescribeStreamStorageConfiguration",
        "ListStreams",
        "ListTagsForStream",
    ],
)
def test_denied_action(operation: str) -> None:
    """Each action that the library needs is named where it is denied."""
    assert f"allow kinesisvideo:{operation})" in str(AccessDeniedError({}, operation))


@pytest.mark.parametrize("count, more", [(20, ""), (21, "; and 1 more"), (50, "; and 30 more")])
def test_long_lists(count: int, more: str) -> None:
    """Of many differences or faults the first twenty are named, and all are attributes."""
    drift = [Drift(f"tags['k{n}']", "a", None) for n in range(count)]
    drifted = StreamDriftError(drift, stream=INFO)
    assert drifted.drift == tuple(drift)
    assert f"tags['k19'] is not set, requested 'a'{more} (TagStream changes tags)" in str(drifted)
    faults = [Violation("Tags", "tags", "pattern", f"fault {n}", "") for n in range(count)]
    invalid = RequestValidationError(faults)
    assert invalid.violations == tuple(faults)
    assert f"({count} faults): fault 0; " in str(invalid)
    assert str(invalid).endswith(f"fault 19{more}")


def test_long_message_is_cut_and_what_follows_is_not() -> None:
    """The text has 600 characters of which AWS's message is cut; ``message`` has all of it."""
    reply = {
        "Error": {"Code": "X", "Message": "no\n" * 1000},
        "ResponseMetadata": {"RequestId": "7"},
    }
    error = AccessDeniedError(reply, "CreateStream", stream_name="cam")
    assert error.message == "no\n" * 1000
    assert len(str(error)) == 600
    assert str(error).endswith(
        "… [stream 'cam', request id 7] (the caller's policies have to allow "
        "kinesisvideo:CreateStream)"
    )


@pytest.mark.parametrize("name", SERVICE_ERRORS)
@given(texts=st.tuples(*[st.text()] * 5))
def test_any_text_is_one_line(name: str, texts: tuple[str, ...]) -> None:
    """Whatever AWS sends, ``str`` and ``repr`` are one printable line of bounded length."""
    code, message, request_id, operation, stream = texts
    reply = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"RequestId": request_id},
    }
    error = ERRORS[name](reply, operation, stream_name=stream)
    for text in (str(error), repr(error)):
        assert text.isprintable()
    assert len(str(error)) <= 600
    assert (error.message, error.stream_name) == (message, stream)


def test_text_is_made_when_it_is_asked_for() -> None:
    """What a caller adds to an error is part of its text; AWS's own message stays."""
    error = ResourceInUseException(REPLY, "CreateStream")
    error.stream_name, error.retry_attempts, error.possibly_own = "cam", 7, True
    error.created = CreateStreamResponse(stream_arn=StreamArn(ARN))
    errors.annotate(error, "An earlier create may have succeeded.")
    errors.annotate(error, "See the log.")
    assert str(error).endswith(
        "so it is [stream 'cam', request id id-1, retry attempts 7] (an earlier attempt of this "
        "call may have created it; ensure_stream finds out). An earlier create may have succeeded. "
        "See the log."
    )
    assert error.message == "so it is"
    late = WaitTimeoutError("It is late.")
    errors.annotate(late, "Try again.")
    assert str(late) == "It is late. Try again."


@pytest.mark.parametrize("name", TREE)
def test_logged(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """An error is logged and printed with its whole text."""
    error = sample(name)
    try:
        raise error  # noqa: TRY301
    except Exception as exc:
        logging.getLogger("test").exception("failed: %s", exc)  # noqa: TRY401
    assert caplog.messages == [f"failed: {error}"]
    assert str(error) in traceback.format_exc() + "".join(traceback.format_exception(error))


# Copies for other streams.


@pytest.mark.parametrize("name", TREE)
def test_copy_for_another_stream(name: str) -> None:
    """A fleet gives one error to each remaining stream: with its cause, of no call of its own."""
    error = sample(name)
    error.__cause__ = OSError("below")
    with contextlib.suppress(KvsStreamsError):
        raise error
    twin = errors.copy_for(error, "cam-2")
    changed = {"stream_name": "cam-2", "request_id": None, "created": None, "_notes": ()}
    assert vars(twin) == {**vars(error), **changed}
    assert (type(twin), twin.args, twin.__cause__) == (type(error), error.args, error.__cause__)
    assert twin.__traceback__ is None
    assert error.created is not None


def test_copies_are_cheap() -> None:
    """Two thousand copies cost less than fifty deep ones."""
    error = sample("AccessDeniedError")
    start = time.process_time()
    for number in range(2_000):
        errors.copy_for(error, f"cam-{number}")
    shallow = time.process_time() - start
    start = time.process_time()
    for _ in range(500):
        copy.deepcopy(error)
    assert shallow < time.process_time() - start
