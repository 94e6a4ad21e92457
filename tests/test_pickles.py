"""Pickles that an older version made: without what came later, and with the names of the face."""

import pickle
from typing import Any

import pytest

import kvs_streams
from kvs_streams import (
    CreateStreamResponse,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    RequestValidationError,
    ResourceInUseException,
    ServiceError,
    StreamArn,
    StreamDeletingError,
    StreamDriftError,
    StreamInfo,
    StreamStatus,
    TransportError,
    UnexpectedResponseError,
    Violation,
    WaitTimeoutError,
    errors,
)

ARN = StreamArn("arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/1600000000000")
INFO = StreamInfo(stream_name="cam", stream_arn=ARN, status=StreamStatus.ACTIVE)
RESPONSE = {"Error": {"Code": "Odd", "Message": "so"}}


class Older:
    """Pickles as an object of an older version did."""

    def __init__(self, make: Any, arguments: tuple[Any, ...], state: Any = None) -> None:
        self.reduced = (make, arguments) if state is None else (make, arguments, state)

    def __reduce__(self) -> Any:
        return self.reduced


def blank(cls: type) -> Any:
    """Make an object without its constructor, as pickles do."""
    return cls.__new__(cls)


def loaded(older: Older, protocol: int = 2) -> Any:
    """What this version makes of such a pickle."""
    return pickle.loads(pickle.dumps(older, protocol))


# What each class gives an attribute that its first pickles lacked.
LATER = [
    (KvsStreamsError, {"created": None}),
    (RequestValidationError, {"violations": ()}),
    (
        ServiceError,
        {
            "request_id": None,
            "http_status_code": None,
            "retry_attempts": 0,
            "stream_name": None,
            "operation_name": "",
            "code": "Unknown",
            "message": "",
        },
    ),
    (ResourceInUseException, {"possibly_own": False}),
    (TransportError, {"outcome_unknown": True, "operation_name": None, "stream_name": None}),
    (UnexpectedResponseError, {"request_id": None, "stream_name": None, "operation_name": ""}),
    (WaitTimeoutError, {"stream_name": None, "last_status": None, "waited": 0.0}),
    (StreamDeletingError, {"stream_name": None, "last_status": None, "waited": 0.0}),
    (StreamDriftError, {"drift": (), "unverified": ()}),
]


@pytest.mark.parametrize("cls, later", LATER, ids=lambda value: getattr(value, "__name__", ""))
def test_errors_without_what_came_later(
    cls: type[KvsStreamsError], later: dict[str, object]
) -> None:
    """An attribute that an older version did not have is there, with the value of its class."""
    error = loaded(Older(errors._rebuild, (cls, ("what happened",), {})))
    assert type(error) is cls
    assert str(error) == "what happened"
    assert {name: getattr(error, name) for name in later} == later
    again = pickle.loads(pickle.dumps(error))
    assert {name: getattr(again, name) for name in later} == later


RECORDS = [
    (CreateStreamResponse, {"stream_arn": ARN}, CreateStreamResponse(stream_arn=ARN)),
    (
        StreamInfo,
        {"stream_name": "cam", "stream_arn": ARN, "status": StreamStatus.ACTIVE, "gone": 1},
        INFO,
    ),
    (
        EnsuredStream,
        {"stream": INFO, "outcome": EnsureOutcome.CREATED},
        EnsuredStream(stream=INFO, outcome=EnsureOutcome.CREATED),
    ),
]


@pytest.mark.parametrize("cls, state, whole", RECORDS, ids=lambda value: type(value).__name__)
def test_records_without_what_came_later(cls: Any, state: Any, whole: object) -> None:
    """A field that an older version did not have gets its default; one that is gone is ignored."""
    record = loaded(Older(blank, (cls,), state))
    assert record == whole
    assert repr(record) == repr(whole)
    assert pickle.loads(pickle.dumps(record)) == whole


def test_records_without_what_has_no_default() -> None:
    """A pickle that lacks what was always there makes a record that lacks it too."""
    record = loaded(Older(blank, (Drift,), {"field": "tags"}))
    assert record.field == "tags"
    assert not hasattr(record, "found")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_records_are_whole_in_every_protocol(protocol: int) -> None:
    """Records come back equal, and are as frozen as before."""
    for record in (INFO, Drift("a", 1, None), Violation("A", "a", "type", "m", "v")):
        again = pickle.loads(pickle.dumps(record, protocol))
        assert again == record
        with pytest.raises(AttributeError):
            again.field = "x"


def test_names_of_the_first_version() -> None:
    """Pickles of 0.1.0 name each class as ``kvs_streams.X``, which is still found."""
    assert pickle.loads(b"ckvs_streams\nStreamStatus\n(VFROZEN\ntR.") == "FROZEN"
    for name in kvs_streams.__all__:
        found = pickle.loads(f"ckvs_streams\n{name}\n.".encode())
        assert found is getattr(kvs_streams, name)
    assert pickle.loads(b"ckvs_streams.errors\n_rebuild\n.") is errors._rebuild
    error = loaded(Older(errors._rebuild, (ServiceError, ("x",), {"response": RESPONSE})))
    assert error.response == RESPONSE
