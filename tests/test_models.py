"""Requests, responses, streams and enums as values: equal, frozen, copied, pickled, documented."""

import ast
import copy
import enum
import gc
import json
import math
import pickle
import re
import typing
import weakref
from collections import OrderedDict, UserDict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs
import pytest
import strategies
from hypothesis import given, strategies as st

import kvs_streams
from kvs_streams import (
    CreateStreamRequest,
    CreateStreamResponse,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    RequestValidationError,
    StorageTier,
    StreamArn,
    StreamInfo,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
    Violation,
    _limits,
)

ARN = "arn:aws:kinesisvideo:eu-central-1:111122223333:stream/front-door/1598784211076"
WARM = StreamStorageConfiguration(default_storage_tier="WARM")
FULL: dict[str, Any] = {
    "stream_name": "front-door",
    "device_name": "camera.7",
    "media_type": "video/h264,audio/aac",
    "kms_key_id": "alias/cameras",
    "data_retention_in_hours": 48,
    "tags": {"site": "Köln", "floor": ""},
    "stream_storage_configuration": WARM,
}
OTHER: dict[str, Any] = {
    "stream_name": "back-door",
    "device_name": "camera.8",
    "media_type": "video/h265",
    "kms_key_id": "alias/doors",
    "data_retention_in_hours": 0,
    "tags": {"site": "Köln"},
    "stream_storage_configuration": StreamStorageConfiguration(default_storage_tier="HOT"),
}
REQUEST = CreateStreamRequest(**FULL)
INFO = StreamInfo(
    stream_name="front-door",
    stream_arn=ARN,
    status="ACTIVE",
    device_name="camera.7",
    media_type="video/h264",
    kms_key_id="alias/cameras",
    version="v1",
    creation_time=datetime(2020, 8, 30, 10, 43, 31, tzinfo=timezone.utc),
    data_retention_in_hours=48,
)
RESPONSE = CreateStreamResponse(
    stream_arn=ARN,
    request_id="11111111-2222",
    http_status_code=200,
    retry_attempts=2,
)
ENSURED = EnsuredStream(
    stream=INFO,
    outcome=EnsureOutcome.EXISTING,
    drift=(Drift("media_type", "video/h265", "video/h264"),),
    unverified=("tags",),
)
MODELS: list[Any] = [
    REQUEST,
    CreateStreamRequest(stream_name="a"),
    WARM,
    RESPONSE,
    INFO,
    attrs.evolve(INFO, status="PAUSED"),
    ENSURED,
    ThrottleRetry(max_attempts=3),
    ENSURED.drift[0],
    Violation("Tags", "tags['k!']", "pattern", "it does not match", "'k!'"),
]
EVERY_MODEL = pytest.mark.parametrize(
    "model", MODELS, ids=[f"{number}-{type(it).__name__}" for number, it in enumerate(MODELS)]
)
PROTOCOLS = pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
KEYWORD_ONLY = [
    CreateStreamRequest,
    CreateStreamResponse,
    EnsuredStream,
    StreamInfo,
    StreamStorageConfiguration,
    ThrottleRetry,
]
ENUMS = [EnsureOutcome, StorageTier, StreamStatus]
EVERY_MEMBER = pytest.mark.parametrize(
    "member",
    [*(it for cls in ENUMS for it in cls), StreamStatus("PAUSED"), StreamStatus("")],
    ids=repr,
)
EVERY_ENUM = pytest.mark.parametrize("cls", ENUMS)


# What all models have in common.


@pytest.mark.parametrize("model", [REQUEST, StreamStorageConfiguration(default_storage_tier="HOT")])
def test_what_is_frozen_says_how_to_change_it(model: Any) -> None:
    """Where attrs only says that it cannot set an attribute, the error names it, and a way out."""
    name = attrs.fields(type(model))[0].name
    text = rf"^{type(model).__name__}\.{name} cannot be changed; attrs\.evolve makes a changed copy"
    with pytest.raises(attrs.exceptions.FrozenInstanceError, match=text):
        setattr(model, name, "other")
    with pytest.raises(attrs.exceptions.FrozenInstanceError, match=text):
        delattr(model, name)


@EVERY_MODEL
def test_frozen(model: Any) -> None:
    """No attribute can be changed, removed or added."""
    name = attrs.fields(type(model))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(model, name, "other")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        delattr(model, name)
    with pytest.raises(AttributeError):
        model.nickname = "door"


@EVERY_MODEL
def test_slotted(model: Any) -> None:
    """There is no dictionary for each instance."""
    assert not hasattr(model, "__dict__")


@EVERY_MODEL
def test_equal_and_hashed_alike(model: Any) -> None:
    """A model made of the same values is equal and hashes alike; another type never is equal."""
    cls = type(model)
    names = [attribute.name for attribute in attrs.fields(cls)]
    again = cls(**{name: getattr(model, name) for name in names})
    assert again == model
    assert hash(again) == hash(model)
    assert {model: "found"}[again] == "found"
    assert model != "something else"
    assert all(model != other for other in MODELS if other is not model)


@EVERY_MODEL
@PROTOCOLS
def test_pickle(model: Any, protocol: int) -> None:
    """It pickles with every protocol, with the types of all that is in it."""
    again = pickle.loads(pickle.dumps(model, protocol))
    assert again == model
    assert hash(again) == hash(model)
    assert type(again) is type(model)
    assert repr(again) == repr(model)


@EVERY_MODEL
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, attrs.evolve])
def test_copy(model: Any, duplicate: Any) -> None:
    """A copy is equal."""
    again = duplicate(model)
    assert again == model
    assert hash(again) == hash(model)
    assert repr(again) == repr(model)


@EVERY_MODEL
def test_as_dictionary(model: Any) -> None:
    """``attrs.asdict`` gives its values, out of which the same model can be made."""
    flat = attrs.asdict(model, recurse=False)
    assert type(model)(**flat) == model
    assert list(attrs.asdict(model)) == list(flat)


@EVERY_MODEL
def test_repr_names_every_field(model: Any) -> None:
    """The repr is one line and shows each field."""
    text = repr(model)
    assert text.startswith(f"{type(model).__name__}(")
    assert text.isprintable()
    for attribute in attrs.fields(type(model)):
        assert f"{attribute.name}={getattr(model, attribute.name)!r}" in text


@pytest.mark.parametrize("cls", KEYWORD_ONLY)
def test_keyword_only(cls: Any) -> None:
    """No argument is positional."""
    with pytest.raises(TypeError, match=r"takes 1 positional argument but 2 were given"):
        cls("a")


@pytest.mark.parametrize("cls", [*KEYWORD_ONLY, Drift, Violation])
def test_type_hints(cls: Any) -> None:
    """The types of the fields can be asked for at run time."""
    hints = typing.get_type_hints(cls)
    assert set(hints) >= {attribute.name for attribute in attrs.fields(cls)}
    arguments = typing.get_type_hints(cls.__init__)
    assert set(arguments) == {attribute.name for attribute in attrs.fields(cls)} | {"return"}


def test_type_hints_tell_what_is_converted() -> None:
    """The arguments take more types than the attributes have."""
    arguments = typing.get_type_hints(CreateStreamRequest.__init__)
    attributes = typing.get_type_hints(CreateStreamRequest)
    assert set(typing.get_args(arguments["data_retention_in_hours"])) == {
        int,
        timedelta,
        type(None),
    }
    assert set(typing.get_args(attributes["data_retention_in_hours"])) == {int, type(None)}
    assert arguments["tags"] == Mapping[str, str | None] | None
    assert attributes["tags"] == Mapping[str, str] | None


# Requests.


def test_only_the_name_is_required() -> None:
    """Every other parameter is ``None``, which means not sent."""
    request = CreateStreamRequest(stream_name="a")
    rest = attrs.asdict(request)
    assert rest.pop("stream_name") == "a"
    assert rest == dict.fromkeys(list(FULL)[1:])
    with pytest.raises(TypeError, match=r"stream_name"):
        CreateStreamRequest()


def test_to_boto() -> None:
    """``to_boto`` gives exactly boto3's keyword arguments, in plain types that JSON knows."""
    kwargs = REQUEST.to_boto()
    assert kwargs == {
        "StreamName": "front-door",
        "DeviceName": "camera.7",
        "MediaType": "video/h264,audio/aac",
        "KmsKeyId": "alias/cameras",
        "DataRetentionInHours": 48,
        "Tags": {"site": "Köln", "floor": ""},
        "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"},
    }
    assert json.loads(json.dumps(kwargs)) == kwargs
    assert type(kwargs["Tags"]) is dict
    assert type(kwargs["StreamStorageConfiguration"]["DefaultStorageTier"]) is str
    assert CreateStreamRequest(stream_name="a").to_boto() == {"StreamName": "a"}
    assert WARM.to_boto() == {"DefaultStorageTier": "WARM"}


@pytest.mark.parametrize("name", FULL)
def test_to_boto_with_one_parameter(name: str) -> None:
    """Each parameter is sent if it is set, and only then; zero hours are set."""
    request = CreateStreamRequest(**{"stream_name": "a", name: OTHER[name]})
    kwargs: Any = request.to_boto()
    assert len(kwargs) == (1 if name == "stream_name" else 2)
    aws_name = "".join(part.capitalize() for part in name.split("_"))
    assert kwargs[aws_name] == REQUEST_OF[name](OTHER[name])


REQUEST_OF: dict[str, Any] = {
    **dict.fromkeys(FULL, lambda value: value),
    "stream_storage_configuration": lambda value: {
        "DefaultStorageTier": str(value.default_storage_tier)
    },
}


def test_to_boto_gives_copies() -> None:
    """What ``to_boto`` gives can be changed, and the request stays as it is."""
    kwargs: Any = REQUEST.to_boto()
    kwargs["Tags"]["new"] = "tag"
    kwargs["StreamStorageConfiguration"]["DefaultStorageTier"] = "HOT"
    kwargs.clear()
    assert CreateStreamRequest(**FULL) == REQUEST
    assert len(REQUEST.to_boto()) == 7


@pytest.mark.parametrize("name", FULL)
def test_every_field_counts_for_equality(name: str) -> None:
    """Requests that differ in one field differ, also in their hash."""
    other = attrs.evolve(REQUEST, **{name: OTHER[name]})
    assert other != REQUEST
    assert hash(other) != hash(REQUEST)
    assert len({other, REQUEST, CreateStreamRequest(**FULL)}) == 2
    if name != "stream_name":
        assert attrs.evolve(REQUEST, **{name: None}) not in (other, REQUEST)


@pytest.mark.parametrize(
    "name, one, another",
    [
        ("data_retention_in_hours", 48, timedelta(days=2)),
        ("tags", None, {}),
        ("tags", {"a": None}, {"a": ""}),
        ("tags", {"a": "1", "b": "2"}, {"b": "2", "a": "1"}),
        ("tags", {"a": "1"}, MappingProxyType({"a": "1"})),
    ],
)
def test_same_meaning_is_equal(name: str, one: Any, another: Any) -> None:
    """What means the same is equal, however it was written."""
    first, second = (CreateStreamRequest(**{"stream_name": "a", name: it}) for it in (one, another))
    assert first == second
    assert hash(first) == hash(second)
    assert first.to_boto() == second.to_boto()


@given(strategies.request_kwargs())
def test_any_request_survives(kwargs: dict[str, Any]) -> None:
    """Any valid request equals itself made anew, copied, pickled, evolved; its repr is a line."""
    request = CreateStreamRequest(**kwargs)
    others = [
        CreateStreamRequest(**kwargs),
        copy.deepcopy(request),
        pickle.loads(pickle.dumps(request)),
        attrs.evolve(request),
    ]
    assert all(other == request and hash(other) == hash(request) for other in others)
    assert repr(request).isprintable()
    json.dumps(request.to_boto())


def test_evolve_checks_again() -> None:
    """A changed copy is validated as a new request is, and the original stays."""
    with pytest.raises(RequestValidationError) as caught:
        attrs.evolve(REQUEST, stream_name="front door", data_retention_in_hours=-1)
    assert [violation.rule for violation in caught.value.violations] == ["pattern", "min"]
    assert attrs.evolve(REQUEST, data_retention_in_hours=timedelta(days=1)).to_boto() == {
        **REQUEST.to_boto(),
        "DataRetentionInHours": 24,
    }
    assert attrs.evolve(REQUEST, tags={"a": None}).tags == {"a": ""}
    with pytest.raises(RequestValidationError):
        attrs.evolve(WARM, default_storage_tier="COLD")


@pytest.mark.parametrize("text", ["\x1b[2J", "\x00", "\t", "\u202e", "\x9b", "\ud800", "\ufeff"])
def test_repr_escapes_what_a_key_may_hold(text: str) -> None:
    """A KMS key may hold nearly anything; the repr shows it escaped."""
    request = CreateStreamRequest(stream_name="a", kms_key_id=text)
    assert request.kms_key_id == text
    assert repr(text) in repr(request)
    assert repr(request).isprintable()


# Tags.


def test_tags_are_copied() -> None:
    """Later changes to the caller's dictionary change nothing."""
    tags: dict[str, str | None] = {"site": "Köln", "floor": None}
    request = CreateStreamRequest(stream_name="a", tags=tags)
    before = hash(request), request.to_boto(), repr(request)
    tags["site"] = "b,a,d"
    tags["new"] = "tag"
    del tags["floor"]
    assert request.tags == {"site": "Köln", "floor": ""}
    assert (hash(request), request.to_boto(), repr(request)) == before


# What changes a dict in place, with arguments that do.
CHANGES: dict[str, tuple[Any, ...]] = {
    "__setitem__": ("new", "tag"),
    "__delitem__": ("site",),
    "__ior__": ({"new": "tag"},),
    "clear": (),
    "pop": ("site",),
    "popitem": (),
    "setdefault": ("new", "tag"),
    "update": ({"new": "tag"},),
}


@pytest.mark.parametrize("name, arguments", CHANGES.items())
def test_tags_are_read_only(name: str, arguments: tuple[Any, ...]) -> None:
    """Each way to change a dict is refused, in words that name the way to a changed copy."""
    tags: Any = REQUEST.tags
    getattr(dict(tags), name)(*arguments)
    with pytest.raises(TypeError, match=r"^tags cannot be changed; attrs\.evolve makes"):
        getattr(tags, name)(*arguments)
    assert tags == FULL["tags"]


def test_every_way_to_change_tags_is_known() -> None:
    """A dict has no other method that a read-only mapping lacks, save what makes a new dict."""
    new = {"__or__", "__ror__", "copy", "fromkeys"}
    assert set(dir(dict)) - set(dir(Mapping)) - new == set(CHANGES)
    with pytest.raises(AttributeError):
        REQUEST.tags.nickname = "door"


def test_as_json() -> None:
    """What ``attrs.asdict`` makes of a request can be written as JSON, and read back."""
    text = json.dumps(attrs.asdict(REQUEST))
    fields = json.loads(text)
    storage = StreamStorageConfiguration(**fields.pop("stream_storage_configuration"))
    assert CreateStreamRequest(**fields, stream_storage_configuration=storage) == REQUEST


def test_tags_are_a_mapping() -> None:
    """They have everything that a mapping has, and show themselves as a dictionary does."""
    tags = REQUEST.tags
    assert tags is not None
    assert tags["site"] == "Köln"
    assert tags.get("roof") is None
    with pytest.raises(KeyError):
        tags["roof"]
    assert "floor" in tags
    assert list(tags) == list(tags.keys()) == ["site", "floor"]
    assert list(tags.items()) == [("site", "Köln"), ("floor", "")]
    assert list(tags.values()) == ["Köln", ""]
    assert len(tags) == 2
    assert tags == FULL["tags"]
    assert tags == dict(tags) == {**tags}
    assert tags != {"site": "Köln"}
    assert repr(tags) == repr(FULL["tags"])
    assert hash(tags) == hash(CreateStreamRequest(**FULL).tags)


@PROTOCOLS
def test_tags_pickle_by_themselves(protocol: int) -> None:
    """Tags taken from a request pickle and copy too, in the order in which they were given."""
    again = pickle.loads(pickle.dumps(REQUEST.tags, protocol))
    assert again == REQUEST.tags
    assert list(again) == ["site", "floor"]
    assert type(again) is type(REQUEST.tags)
    assert copy.deepcopy(REQUEST.tags) == copy.copy(REQUEST.tags) == REQUEST.tags


class Lazy(Mapping[str, str]):
    """A mapping that makes up its content when it is asked."""

    def __getitem__(self, key: str) -> str:
        return {"site": "Köln"}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(["site"])

    def __len__(self) -> int:
        return 1

    def __repr__(self) -> str:
        raise RuntimeError

    __hash__ = None


class Broken(Mapping[str, str]):
    """A mapping that fails when it is read."""

    def __getitem__(self, *_: object) -> str:
        raise OSError

    __iter__ = __len__ = __getitem__


@pytest.mark.parametrize(
    "tags",
    [
        MappingProxyType({"site": "Köln"}),
        OrderedDict(site="Köln"),
        UserDict(site="Köln"),
        Lazy(),
        CreateStreamRequest(stream_name="a", tags={"site": "Köln"}).tags,
    ],
    ids=lambda tags: type(tags).__name__,
)
def test_tags_of_any_mapping(tags: Any) -> None:
    """Any mapping will do, and becomes the same plain thing."""
    request = CreateStreamRequest(stream_name="a", tags=tags)
    assert request == CreateStreamRequest(stream_name="a", tags={"site": "Köln"})
    assert repr(request.tags) == "{'site': 'Köln'}"
    assert pickle.loads(pickle.dumps(request)) == copy.deepcopy(request) == request
    assert hash(request) == hash(CreateStreamRequest(stream_name="a", tags={"site": "Köln"}))
    wire = {"StreamName": "a", "Tags": tags}
    assert CreateStreamRequest.from_boto(wire) == request


def test_tags_of_a_broken_mapping() -> None:
    """What a mapping of the caller's raises is the caller's to see."""
    with pytest.raises(OSError, match=r"^$"):
        CreateStreamRequest(stream_name="a", tags=Broken())


@pytest.mark.parametrize("tags", [{}, OrderedDict(), MappingProxyType({}), None])
def test_no_tags(tags: Any) -> None:
    """An empty mapping means that there are none, since the service refuses an empty map."""
    request = CreateStreamRequest(stream_name="a", tags=tags)
    assert request.tags is None
    assert request.to_boto() == {"StreamName": "a"}


# Enums.


@EVERY_MEMBER
def test_members_are_texts(member: Any) -> None:
    """A member is its text wherever a text is wanted, on every Python."""
    text = member.value
    assert type(text) is str
    assert isinstance(member, str)
    assert member == text
    assert hash(member) == hash(text)
    assert {text: 1}[member] == 1
    assert str(member) == f"{member}" == format(member, "") == "%s" % member == text  # noqa: UP031  # the old way is the test
    assert f"{member:>12}" == f"{text:>12}"
    assert type(str(member)) is str
    assert json.dumps(member) == json.dumps(text)
    assert member + "-x" == f"{text}-x"
    assert repr(member) == f"<{type(member).__name__}.{text}: {text!r}>"
    assert member.name == text


@EVERY_MEMBER
@PROTOCOLS
def test_members_pickle(member: Any, protocol: int) -> None:
    """A member pickles as a member."""
    again = pickle.loads(pickle.dumps(member, protocol))
    assert again == member
    assert type(again) is type(member)
    assert again.value == member.value
    assert repr(again) == repr(member)


@EVERY_MEMBER
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_members_copy(member: Any, duplicate: Any) -> None:
    """A copy of a member is that member."""
    again = duplicate(member)
    assert again == member
    assert type(again) is type(member)
    assert repr(again) == repr(member)


@EVERY_ENUM
def test_known_members_are_single(cls: Any) -> None:
    """A known text always gives the same member, also from a pickle or a copy."""
    for member in cls:
        assert cls(member.value) is cls(member) is cls[member.name] is member
        assert pickle.loads(pickle.dumps(member)) is member
        assert copy.deepcopy(member) is copy.copy(member) is member


@pytest.mark.parametrize("text", ["PAUSED", "", "active", "ACTIVE ", "two words", "\x1b\n"])
def test_unknown_status_survives(text: str) -> None:
    """A status that this version does not know is kept, and equals its text and nothing else."""
    status = StreamStatus(text)
    assert type(status) is StreamStatus
    assert status == StreamStatus(text) == text
    assert hash(status) == hash(StreamStatus(text))
    assert status not in list(StreamStatus)
    assert StreamStatus(status) == status
    assert status.value == status.name == str(status) == text
    assert repr(status) == repr(StreamStatus(text))
    assert StreamStatus("another") != status


@given(st.text())
def test_any_status_survives(text: str) -> None:
    """Whatever the text, the status compares, hashes, pickles and copies."""
    status = StreamStatus(text)
    for again in (StreamStatus(text), pickle.loads(pickle.dumps(status)), copy.deepcopy(status)):
        assert again == status == text
        assert hash(again) == hash(status)
        assert type(again) is StreamStatus
    assert f"{status}" == text


def test_long_status_is_shown_in_short() -> None:
    """A status of any length is shown on one short line."""
    start = "S" * 79
    assert repr(StreamStatus("S" * 500)) == f"<StreamStatus.{start}…: '{start}…'>"


def test_unknown_status_leaves_no_trace() -> None:
    """The enum has its four members before and after, and keeps nothing of what it was asked."""
    members = ["CREATING", "ACTIVE", "UPDATING", "DELETING"]
    left = [weakref.ref(StreamStatus(f"S{number}")) for number in range(100)]
    gc.collect()
    assert not [reference() for reference in left if reference() is not None]
    assert [str(member) for member in StreamStatus] == members
    assert len(StreamStatus) == 4
    with pytest.raises(KeyError):
        StreamStatus["S1"]


def test_arn_of_a_response() -> None:
    """An ARN stays the one it is."""
    arn = StreamArn("arn:of:something")
    assert CreateStreamResponse(stream_arn=arn).stream_arn is arn


@pytest.mark.parametrize("member", [StreamStatus("PAUSED"), StreamStatus.ACTIVE, StorageTier.HOT])
def test_enums_pickle_by_value(member: Any) -> None:
    """A member is pickled by its text in every Python: 3.11.2 would look for an attribute."""
    assert member.__reduce_ex__(4) == (type(member), (str(member),))


def test_status_of_another_kind_of_string() -> None:
    """Of a string enum the text is taken, not what ``str()`` makes of it."""

    class Word(str, enum.Enum):
        KNOWN = "ACTIVE"
        NEW = "PAUSED"

    assert StreamStatus(Word.KNOWN) is StreamStatus.ACTIVE
    assert StreamStatus(Word.NEW) == "PAUSED"
    assert StreamStatus(Word.NEW).value == f"{StreamStatus(Word.NEW)}" == "PAUSED"


@pytest.mark.parametrize("value", [None, 5, b"ACTIVE", ["ACTIVE"]], ids=repr)
@EVERY_ENUM
def test_only_texts_are_members(cls: Any, value: Any) -> None:
    """What is no text is no member."""
    with pytest.raises(ValueError, match=r"is not a valid"):
        cls(value)


@pytest.mark.parametrize("cls", [EnsureOutcome, StorageTier])
def test_no_other_members(cls: Any) -> None:
    """What this library says itself, and what it asks for, is one of those that it knows."""
    with pytest.raises(ValueError, match=r"is not a valid"):
        cls("PAUSED")


def test_members() -> None:
    """These are all of them."""
    assert {cls.__name__: [member.value for member in cls] for cls in ENUMS} == {
        "EnsureOutcome": ["CREATED", "RECOVERED", "EXISTING"],
        "StorageTier": ["HOT", "WARM"],
        "StreamStatus": ["CREATING", "ACTIVE", "UPDATING", "DELETING"],
    }


# Replies.


def test_response() -> None:
    """A response needs nothing but the ARN."""
    response = CreateStreamResponse(stream_arn=StreamArn(ARN))
    assert attrs.asdict(response) == {
        "stream_arn": ARN,
        "request_id": None,
        "http_status_code": None,
        "retry_attempts": 0,
    }
    assert response.stream_arn.stream_name == "front-door"
    with pytest.raises(TypeError, match=r"stream_arn"):
        CreateStreamResponse()
    with pytest.raises(TypeError, match=r"^an ARN must be a string, not None$"):
        CreateStreamResponse(stream_arn=None)


def test_info() -> None:
    """A stream needs name, ARN and status; texts become what they mean."""
    info = StreamInfo(stream_name="a", stream_arn=ARN, status="CREATING")
    assert type(info.stream_arn) is StreamArn
    assert info.status is StreamStatus.CREATING
    assert attrs.asdict(info) == {
        "stream_name": "a",
        "stream_arn": ARN,
        "status": "CREATING",
        "device_name": None,
        "media_type": None,
        "kms_key_id": None,
        "version": None,
        "creation_time": None,
        "data_retention_in_hours": None,
    }
    with pytest.raises(TypeError, match=r"stream_name.*stream_arn.*status"):
        StreamInfo()


def test_info_of_the_future() -> None:
    """A stream with a status to come is a stream like any other."""
    info = attrs.evolve(INFO, status="PAUSED")
    assert info.status == "PAUSED"
    assert info == attrs.evolve(INFO, status=StreamStatus("PAUSED"))
    assert info != INFO
    assert "status=<StreamStatus.PAUSED: 'PAUSED'>" in repr(info)


def test_ensured() -> None:
    """What was ensured needs stream and outcome; there is no drift and nothing unverified."""
    ensured = EnsuredStream(stream=INFO, outcome=EnsureOutcome.CREATED)
    assert (ensured.drift, ensured.unverified) == ((), ())
    assert attrs.asdict(ENSURED)["drift"] == (
        {"field": "media_type", "requested": "video/h265", "found": "video/h264"},
    )


def test_a_status_that_looks_like_a_key_is_shown() -> None:
    """What AWS sends as a status is no credential."""
    assert repr(StreamStatus("AKIAIOSFODNN7EXAMPLE")).endswith(": 'AKIAIOSFODNN7EXAMPLE'>")


# Throttle retry.


def test_throttle_retry_defaults() -> None:
    """By default there are five attempts, from half a second up to eight."""
    assert attrs.astuple(ThrottleRetry()) == (5, 0.5, 8.0)


@pytest.mark.parametrize(
    "options",
    [
        {"max_attempts": 1},
        {"max_attempts": 10**6},
        {"max_attempts": enum.IntEnum("Attempts", "FEW").FEW},
        {"base_delay": 0, "max_delay": 0},
        {"base_delay": 8, "max_delay": 8},
        {"base_delay": 0.0},
        {"max_delay": 1e9},
    ],
)
def test_throttle_retry_limits(options: dict[str, Any]) -> None:
    """What is just within the limits is accepted."""
    assert attrs.asdict(ThrottleRetry(**options)) == {**attrs.asdict(ThrottleRetry()), **options}


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"max_attempts": 0}, ValueError, r"^max_attempts must be at least 1, got 0$"),
        ({"max_attempts": -1}, ValueError, r"^max_attempts must be at least 1, got -1$"),
        ({"max_attempts": True}, TypeError, r"^max_attempts must be an int, not True$"),
        ({"max_attempts": 5.0}, TypeError, r"^max_attempts must be an int, not 5.0$"),
        ({"max_attempts": None}, TypeError, r"^max_attempts must be an int, not None$"),
        ({"base_delay": -0.1}, ValueError, r"^base_delay must be at least 0 seconds, got -0.1$"),
        ({"base_delay": math.nan}, ValueError, r"^base_delay must be at least 0 seconds, got nan$"),
        ({"base_delay": "1"}, TypeError, r"^base_delay must be a number of seconds, not '1'$"),
        ({"base_delay": True}, TypeError, r"^base_delay must be a number of seconds, not True$"),
        ({"base_delay": None}, TypeError, r"^base_delay must be a number of seconds, not None$"),
        (
            {"base_delay": timedelta(1)},
            TypeError,
            r"^base_delay must be a number of seconds, not datetime.timedelta\(days=1\)$",
        ),
        ({"max_delay": -1}, ValueError, r"^max_delay must be at least 0 seconds, got -1$"),
        ({"max_delay": math.nan}, ValueError, r"^max_delay must be at least 0 seconds, got nan$"),
        ({"max_delay": "8"}, TypeError, r"^max_delay must be a number of seconds, not '8'$"),
        (
            {"max_delay": 0.4},
            ValueError,
            r"^max_delay must be at least base_delay \(0.5 s\), got 0.4$",
        ),
        ({"max_delay": math.inf}, ValueError, r"^max_delay must be finite, got inf$"),
        ({"base_delay": math.inf, "max_delay": math.inf}, ValueError, r"^max_delay must be finite"),
    ],
)
def test_throttle_retry_refuses_nonsense(options: Any, error: Any, message: str) -> None:
    """Nonsense is refused by a sentence that names the option and its value."""
    with pytest.raises(error, match=message) as caught:
        ThrottleRetry(**options)
    assert type(caught.value) is error
    with pytest.raises(error, match=message):
        attrs.evolve(ThrottleRetry(), **options)


def test_throttle_retry_delays() -> None:
    """The ceiling doubles with each attempt up to the longest; chance picks a part of it."""
    retry = ThrottleRetry(base_delay=0.5, max_delay=3.0)
    assert [retry.delay(attempt, 1.0) for attempt in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert [retry.delay(attempt, 0.5) for attempt in range(1, 6)] == [0.25, 0.5, 1.0, 1.5, 1.5]
    assert [retry.delay(attempt, 0.0) for attempt in (1, 2, 100)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("attempt", [64, 65, 66, 1_000, 10_000, 10**9])
def test_throttle_retry_never_overflows(attempt: int) -> None:
    """After any number of attempts the delay is a number."""
    assert ThrottleRetry().delay(attempt, 1.0) == 8.0
    assert ThrottleRetry(base_delay=0, max_delay=0).delay(attempt, 1.0) == 0
    tiny = ThrottleRetry(base_delay=1e-300, max_delay=1e9)
    assert 0 < tiny.delay(attempt, 1.0) <= 1e9


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 10**6),
    st.floats(0, 1, exclude_max=True),
)
def test_throttle_retry_stays_below_its_ceilings(
    base: float, more: float, attempt: int, chance: float
) -> None:
    """Whatever the options, no delay is negative or above the ceiling of its attempt."""
    retry = ThrottleRetry(base_delay=base, max_delay=base + more)
    ceiling = retry.delay(attempt, 1.0)
    assert 0 <= retry.delay(attempt, chance) <= ceiling <= retry.max_delay
    assert ceiling <= retry.delay(attempt + 1, 1.0)


# Documentation in the source, which editors show.

SOURCE = Path(kvs_streams.__file__).parent


def documented(module: str) -> dict[str, str | None]:
    """Return the docstring of each public class, field and method, by its name."""
    found: dict[str, str | None] = {}
    tree = ast.parse((SOURCE / module).read_text(encoding="utf-8"))
    for cls in tree.body:
        if not isinstance(cls, ast.ClassDef) or cls.name.startswith("_"):
            continue
        found[cls.name] = ast.get_docstring(cls)
        for node, after in zip(cls.body, [*cls.body[1:], None], strict=True):
            if isinstance(node, ast.FunctionDef):
                if not node.name.startswith("_"):
                    found[f"{cls.name}.{node.name}"] = ast.get_docstring(node)
            elif isinstance(node, ast.AnnAssign | ast.Assign):
                target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
                match after:
                    case ast.Expr(ast.Constant(str(text))):
                        found[f"{cls.name}.{ast.unparse(target)}"] = text
                    case _:
                        found[f"{cls.name}.{ast.unparse(target)}"] = None
    return {name: text for name, text in found.items() if not name.endswith(".__slots__")}


DOCS = {
    name: text
    for module in ("_values.py", "_results.py", "_request.py", "_flows/call.py")
    for name, text in documented(module).items()
    if name.split(".")[0] in kvs_streams.__all__
}


@pytest.mark.parametrize("name", DOCS)
def test_everything_public_is_documented(name: str) -> None:
    """Each class, field, member and method begins with one sentence that ends on its line."""
    text = DOCS[name]
    assert text, f"add a docstring under {name}"
    first = text.strip().split("\n")[0]
    assert first.endswith("."), f"the first line under {name} is no sentence"


def test_every_field_is_among_the_documented() -> None:
    """No field, member or property of a public class escapes the test above."""
    fields = {f"{cls.__name__}.{it.name}" for cls in KEYWORD_ONLY for it in attrs.fields(cls)}
    members = {f"{cls.__name__}.{it.name}" for cls in ENUMS for it in cls}
    properties = {
        f"StreamArn.{name}" for name, it in vars(StreamArn).items() if isinstance(it, property)
    }
    assert len(properties) == 5
    assert fields | members | properties <= set(DOCS)


def limits_of(field: str) -> list[_limits.Text | _limits.Number | _limits.Items]:
    """Return every limit that a field of the request has."""
    if field == "tags":
        return [_limits.TAGS, _limits.TAG_KEY, _limits.TAG_VALUE]
    return [getattr(_limits, field.upper())]


@pytest.mark.parametrize("field", [name for name in FULL if name != "stream_storage_configuration"])
def test_limits_are_documented(field: str) -> None:
    """Under each field, and under the class, stand the limits as they are in the table."""
    own = " ".join(str(DOCS[f"CreateStreamRequest.{field}"]).split())
    args = " ".join(str(DOCS["CreateStreamRequest"]).split())
    (line,) = re.findall(rf"{field}: (.*?)(?= \w+: |$)", args)
    for limit in limits_of(field):
        if isinstance(limit, _limits.Text):
            wanted = f"{limit.min_length} to {limit.max_length}"
        elif isinstance(limit, _limits.Number):
            wanted = f"{limit.min} to {limit.max:,}"
        else:
            wanted = str(limit.max_items)
        assert wanted in own, f"say {wanted!r} under {field}"
        assert wanted in line, f"say {wanted!r} for {field} under CreateStreamRequest"
        shape = limit.source.split("shape ")[1].split(";")[0]
        assert f"``{shape}``" in own, f"name the source, shape {shape}, under {field}"
    assert "Source:" in own
    if field != "stream_name":
        assert "``None``" in own


@pytest.mark.parametrize(
    "name, words",
    [
        ("CreateStreamRequest.tags", ["``aws:``", "resource schema", "Copied and read-only"]),
        ("CreateStreamRequest.data_retention_in_hours", ["resource schema", "``timedelta``"]),
        ("CreateStreamRequest.stream_storage_configuration", ["``StreamStorageConfiguration``"]),
        ("StreamStorageConfiguration.default_storage_tier", ["``HOT``", "``WARM``", "Source:"]),
        ("CreateStreamRequest.kms_key_id", ["does not exist", "never be changed"]),
        ("StreamArn.created_at", ["ValueError", "milliseconds", "UTC"]),
    ],
)
def test_what_people_have_to_know_is_documented(name: str, words: list[str]) -> None:
    """The surprises of the service stand where an editor shows them."""
    text = " ".join(str(DOCS[name]).split())
    assert not [word for word in words if word not in text]
