"""The errors: their tree, what they say, and that they pickle and copy with all their data."""

import contextlib
import copy
import pickle
import re
import typing
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, strategies as st
from support import copies

import kvs_streams
from kvs_streams import (
    CreateStreamResponse,
    Drift,
    StreamArn,
    StreamInfo,
    StreamStatus,
    Violation,
    errors,
)


def drawn_tree() -> dict[str, list[str]]:
    """Return each error that is drawn at the top of ``errors.py``, with its direct parents."""
    drawn: dict[str, list[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"([│├└─ ]*)(\w+(?:Error|Exception))(?: \((\w+ )?(\w+)\))?( {2}|$)", line)
        if found:
            branch, name, _, other, _ = found.groups()
            path[len(branch) // 4 :] = [name]
            drawn[name] = [*path[-2:-1], other] if other else path[-2:-1]
    return drawn


TREE = drawn_tree()
RETRYABLE = (
    "ThrottlingError ClientLimitExceededException ServerError TransportError WaitTimeoutError "
    "UnexpectedResponseError StreamDeletingError"
)
ERRORS: dict[str, Any] = {name: getattr(kvs_streams, name) for name in TREE}

ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/1600000000000"
INFO = StreamInfo(stream_name="cam", stream_arn=ARN, status=StreamStatus("FROZEN"))
REPLY: dict[str, Any] = {
    "Error": {"Code": "SomethingException", "Message": "so it is"},
    "ResponseMetadata": {"RequestId": "id-1", "HTTPStatusCode": 400, "RetryAttempts": 2},
}
X: dict[str, Any] = {"Error": {"Code": "X", "Message": "no"}}
# The positional arguments of an error, and the keywords that it takes beside those of its parents,
# with what they are by default.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "KvsStreamsError": ("what happened",),
    "ServiceError": (REPLY, "CreateStream"),
    "RequestValidationError": (
        [Violation("StreamName", "stream_name", "type", "it is bad", "'a'")],
    ),
    "StreamDriftError": ([Drift("media_type", "a/b", None)],),
}
CALL = {"operation_name": ("Op", None), "stream_name": ("cam", None), "request_id": ("id-1", None)}
KEYWORDS: dict[str, dict[str, tuple[Any, Any]]] = {
    "ServiceError": {"stream_name": ("cam", None), "retry_attempts": (3, 2)},
    "ResourceInUseException": {"possibly_own": (True, False)},
    "TransportError": {**CALL, "outcome_unknown": (False, True)},
    "ConfigurationError": CALL,
    "UnexpectedResponseError": CALL,
    "WaitError": {**CALL, "last_status": (StreamStatus("FROZEN"), None), "waited": (1.5, 0.0)},
    "StreamDriftError": {"stream": (INFO, None), "unverified": (("tags",), ())},
}


def taken(name: str, table: dict[str, Any]) -> list[Any]:
    """Return what a table has for an error and its parents, the error's own first."""
    return [table[cls.__name__] for cls in ERRORS[name].__mro__ if cls.__name__ in table]


def sample(name: str) -> Any:
    """Make an error of that class with every attribute set to something of its own."""
    keywords = {key: it[0] for own in taken(name, KEYWORDS) for key, it in own.items()}
    error = ERRORS[name](*taken(name, ARGUMENTS)[0], **keywords)
    assert {key: getattr(error, key) for key in keywords} == keywords
    error.created = CreateStreamResponse(stream_arn=StreamArn(ARN), retry_attempts=1)
    errors.annotate(error, "An earlier create may have succeeded.")
    return error


def facts(error: BaseException) -> dict[str, object]:
    """Everything that an error says: its class, its text and its attributes."""
    return {"class": type(error), "text": str(error), "args": error.args} | vars(error)


# The tree.


def test_every_error_is_public_and_drawn() -> None:
    """The drawing at the top of ``errors.py`` has every error that there is, and no other."""
    found = [it for name, it in vars(errors).items() if name.endswith(("Error", "Exception"))]
    assert {it for it in found if issubclass(it, errors.KvsStreamsError)} == set(ERRORS.values())


@pytest.mark.parametrize("name", TREE)
def test_place_in_the_tree(name: str) -> None:
    """Each error has exactly the parents that are drawn, a public home, and its retryability."""
    error = ERRORS[name]
    assert [it.__name__ for it in error.__bases__] == (TREE[name] or ["Exception"])
    assert error.__module__ == "kvs_streams.errors"
    assert error.retryable is sample(name).retryable is (name in RETRYABLE.split())


# Data.


@pytest.mark.parametrize("name", TREE)
@pytest.mark.parametrize("way", copies.WAYS)
def test_copies(name: str, way: str) -> None:
    """Each error is pickled and copied with its class, text and every attribute."""
    error = sample(name)
    twin = copies.WAYS[way](error)
    assert facts(twin) == facts(error)
    assert repr(twin) == repr(error)
    errors.annotate(twin, "One more.")
    assert twin.created.stream_arn == ARN
    assert "One more" not in str(error)


class TeamError(errors.ResourceInUseException):
    """A user's own subclass with attributes of its own."""


def test_pickle_of_a_subclass() -> None:
    """A user's subclass pickles too, with what the user added."""
    error: Any = TeamError(REPLY, "CreateStream", possibly_own=True)
    error.team = "north"
    restored = pickle.loads(pickle.dumps(error))
    assert facts(restored) == facts(error)
    assert copy.deepcopy(error).response is not error.response


@pytest.mark.parametrize("name", TREE)
def test_copy_for_another_stream(name: str) -> None:
    """A fleet gives one error to each remaining stream: with its cause, of no call of its own."""
    error = sample(name)
    error.__cause__ = OSError("below")
    with contextlib.suppress(errors.KvsStreamsError):
        raise error
    twin = errors.copy_for(error, "cam-2")
    changed = {"stream_name": "cam-2", "request_id": None, "created": None, "_notes": ()}
    assert vars(twin) == {**vars(error), **changed}
    assert (type(twin), twin.args, twin.__cause__) == (type(error), error.args, error.__cause__)
    assert twin.__traceback__ is None
    assert error.created is not None
    assert getattr(twin, "response", REPLY) is REPLY  # not deep, which would be slow


@pytest.mark.parametrize("name", TREE)
def test_made_with_the_least(name: str) -> None:
    """Users make errors in their own tests: what is not said has a default."""
    cls, is_drift = ERRORS[name], name == "StreamDriftError"
    is_service = issubclass(cls, errors.ServiceError)
    error = cls(*taken(name, ARGUMENTS)[0], **({"stream": INFO} if is_drift else {}))
    for keywords in taken(name, KEYWORDS):
        for key in keywords.keys() - {"stream", "operation_name", "request_id"}:
            assert getattr(error, key) == keywords[key][1]
    assert error.created is None
    assert error.stream_name == ("cam" if is_drift else None)
    assert error.operation_name == ("CreateStream" if is_service else None)
    assert error.request_id == ("id-1" if is_service else None)
    assert str(error) == error.args[0]
    assert repr(error) == f"{name}({str(error)!r})"
    assert typing.get_type_hints(cls.__init__)["return"] is type(None)
    if name in {"TransportError", "ConfigurationError"}:
        assert error.kwargs == {}


@pytest.mark.parametrize(
    "cls, attribute",
    [
        (errors.KvsStreamsError, "outcome_unknown"),
        (errors.ConfigurationError, "waited"),
        (errors.WaitError, "team"),
        (errors.ServiceError, "possibly_own"),
    ],
)
def test_attributes_of_other_errors(cls: Any, attribute: str) -> None:
    """A constructor takes no attribute that its class does not have."""
    with pytest.raises(TypeError, match=f"^{cls.__name__} has no attribute '{attribute}'$"):
        cls(*taken(cls.__name__, ARGUMENTS)[0], **{attribute: True})


# What AWS answered.


@pytest.mark.parametrize(
    "reply, found",
    [
        (REPLY, ("SomethingException", "so it is", "id-1", 400, 2)),
        ({"Error": {"Code": 404, "Message": ["no"]}}, ("404", "['no']", None, None, 0)),
        ({}, ("Unknown", "", None, None, 0)),
        ({"Error": {}}, ("Unknown", "", None, None, 0)),
        ({"Error": None, "ResponseMetadata": None}, ("Unknown", "", None, None, 0)),
        ({"Error": {"Code": ""}, "ResponseMetadata": {}}, ("Unknown", "", None, None, 0)),
    ],
)
def test_service_error_reads_the_reply(reply: dict[str, Any], found: tuple[Any, ...]) -> None:
    """A service error has all that AWS or a fake says, and invents nothing."""
    error = errors.ServiceError(reply, "CreateStream")
    attributes = error.code, error.message, error.request_id, error.http_status_code
    assert (*attributes, error.retry_attempts) == found
    assert error.response is reply
    assert errors.ServiceError(reply, "CreateStream", retry_attempts=0).retry_attempts == 0


# Texts.

OWN = "(an earlier attempt of this call may have created it; ensure_stream finds out)"
AN_ERROR = "An error occurred (X) when calling the CreateStream operation: no"
# Made in the test, because mutmut changes the code after the tests are imported.
TEXTS: dict[str, tuple[Callable[[], errors.KvsStreamsError], str]] = {
    "service": (
        partial(errors.ResourceInUseException, {**REPLY, **X}, "CreateStream"),
        f"{AN_ERROR} [request id id-1, retry attempts 2]",
    ),
    "stream": (
        partial(errors.ServiceError, {"Error": {"Code": "X"}}, "CreateStream", stream_name="cam"),
        f"{AN_ERROR} message [stream 'cam']",
    ),
    "long parts": (
        partial(errors.ServiceError, {"Error": {"Code": "C" * 81}}, "O" * 81),
        f"An error occurred ({'C' * 79}…) when calling the {'O' * 79}… operation: no message",
    ),
    "possibly own": (
        partial(errors.ResourceInUseException, X, "CreateStream", possibly_own=True),
        f"{AN_ERROR} {OWN}",
    ),
    "denied": (
        partial(errors.AccessDeniedError, X, "CreateStream"),
        f"{AN_ERROR} (the caller's policies have to allow kinesisvideo:CreateStream)",
    ),
    "denied by STS": (
        partial(errors.AccessDeniedError, X, "AssumeRole"),
        "An error occurred (X) when calling the AssumeRole operation: no",
    ),
    "validation": (
        partial(errors.RequestValidationError, [Violation("A", "a", "type", "a is bad", "")] * 2),
        "invalid request, nothing was sent (2 faults): a is bad; a is bad",
    ),
    "one fault": (
        partial(errors.RequestValidationError, [Violation("A", "a", "type", "a is bad", "")]),
        "invalid request, nothing was sent (1 fault): a is bad",
    ),
    "drift": (
        partial(
            errors.StreamDriftError,
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
    "control characters": (partial(errors.UnexpectedResponseError, "a\nb\x1b"), r"a\nb\x1b"),
    "long": (partial(errors.ConfigurationError, "x" * 601), "x" * 599 + "…"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_texts(case: str) -> None:
    """Each error says what happened, and what to do if there is more to say than AWS says."""
    make, text = TEXTS[case]
    assert str(make()) == text


@pytest.mark.parametrize("count, more", [(20, ""), (21, "; and 1 more"), (50, "; and 30 more")])
def test_long_lists(count: int, more: str) -> None:
    """Of many differences or faults the first twenty are named, and all are attributes."""
    drift = [Drift(f"tags['k{n}']", "a", None) for n in range(count)]
    drifted = errors.StreamDriftError(drift, stream=INFO)
    assert drifted.drift == tuple(drift)
    assert f"tags['k19'] is not set, requested 'a'{more} (TagStream changes tags)" in str(drifted)
    faults = [Violation("Tags", "tags", "pattern", f"fault {n}", "") for n in range(count)]
    invalid = errors.RequestValidationError(faults)
    assert invalid.violations == tuple(faults)
    assert f"({count} faults): fault 0; " in str(invalid)
    assert str(invalid).endswith(f"fault 19{more}")


@given(texts=st.tuples(*[st.text() | st.just("no\n" * 300)] * 5), is_denied=st.booleans())
def test_any_text_is_one_line(texts: tuple[str, ...], is_denied: bool) -> None:
    """Whatever AWS sends, ``str`` and ``repr`` are printable; only AWS's message is cut."""
    code, message, request_id, operation, stream = texts
    metadata = {"RequestId": request_id}
    reply = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}
    cls = errors.AccessDeniedError if is_denied else errors.ServiceError
    error = cls(reply, "CreateStream" if is_denied else operation, stream_name=stream)
    assert (str(error) + repr(error)).isprintable()
    assert len(str(error)) <= 600
    assert len(str(error)) == 600 or len(message) < 600
    assert str(error).endswith("kinesisvideo:CreateStream)") or not is_denied
    assert (error.message, error.stream_name) == (message, stream)


def test_text_is_made_when_it_is_asked_for() -> None:
    """What a caller adds to an error is part of its text; AWS's own message stays."""
    error = errors.ResourceInUseException(REPLY, "CreateStream")
    error.stream_name, error.retry_attempts, error.possibly_own = "cam", 7, True
    errors.annotate(error, "An earlier create may have succeeded.")
    errors.annotate(error, "See the log.")
    assert str(error).endswith(
        f"so it is [stream 'cam', request id id-1, retry attempts 7] {OWN}. "
        "An earlier create may have succeeded. See the log."
    )
    assert error.message == "so it is"
    late = errors.WaitTimeoutError("Too late for X.")
    errors.annotate(late, "Try again.")
    assert str(late) == "Too late for X. Try again."
    assert late.errno is None
    assert errors.TransportError("lost").args == ("lost",)
