"""Requests as values: built, frozen, copied, and in boto3's form."""

import copy
import json
import pickle
import typing
from collections import OrderedDict, UserDict
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import attrs
import pytest
import strategies
from attrs.exceptions import FrozenInstanceError
from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given
from support import copies

from kvs_streams import (
    CreateStreamRequest,
    RequestValidationError,
    StorageTier,
    StreamStorageConfiguration,
)

WARM = StreamStorageConfiguration(default_storage_tier="WARM")
FULL: dict[str, Any] = {
    "stream_name": "cam-01",
    "device_name": "axis-p3245",
    "media_type": "video/h264,audio/aac",
    "kms_key_id": "alias/cameras",
    "data_retention_in_hours": 24,
    "tags": {"site": "lobby", "floor": "2"},
    "stream_storage_configuration": WARM,
}
BOTO: dict[str, Any] = {
    "StreamName": "cam-01",
    "DeviceName": "axis-p3245",
    "MediaType": "video/h264,audio/aac",
    "KmsKeyId": "alias/cameras",
    "DataRetentionInHours": 24,
    "Tags": {"site": "lobby", "floor": "2"},
    "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"},
}
FIELDS = dict(zip(BOTO, FULL, strict=True))
INPUT = Session().get_service_model("kinesisvideo").operation_model("CreateStream")
STORAGE = "stream_storage_configuration"
REQUEST = CreateStreamRequest(**FULL)


@attrs.define
class DefinedRequest(CreateStreamRequest):
    """What a user makes of the request with ``attrs.define``."""

    site: str = "lobby"


class PlainRequest(CreateStreamRequest):
    """What a user makes of it without attrs."""


VALUES = [REQUEST, WARM, DefinedRequest(**FULL), PlainRequest(**FULL)]


def faults(kwargs: Any) -> list[tuple[str, str]]:
    """Return path and rule of each fault that ``from_boto`` finds."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest.from_boto(kwargs)
    return [(violation.field, violation.rule) for violation in caught.value.violations]


# Values.


@pytest.mark.parametrize("model", VALUES, ids=lambda model: type(model).__name__)
def test_frozen(model: Any) -> None:
    """No field can be changed or removed, not even of a subclass made with ``attrs.define``."""
    for field in attrs.fields(type(model)):
        with pytest.raises(FrozenInstanceError):
            setattr(model, field.name, "front door!")
        with pytest.raises(FrozenInstanceError):
            delattr(model, field.name)
    assert attrs.evolve(model) == model
    assert hasattr(model, "__dict__") == isinstance(model, PlainRequest)


@pytest.mark.parametrize("model", VALUES, ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("way", copies.WAYS)
def test_copies(model: Any, way: str) -> None:
    """A copy and a pickle are equal, of the same type, and as read-only."""
    twin = copies.WAYS[way](model)
    assert type(twin) is type(model)
    assert twin == model
    assert hash(twin) == hash(model)
    if model is not WARM:
        with pytest.raises(TypeError, match="cannot be changed"):
            twin.tags["site"] = "roof"


@pytest.mark.parametrize("cls", [CreateStreamRequest, DefinedRequest, PlainRequest])
def test_changed_copies_and_subclasses_are_checked(cls: type[CreateStreamRequest]) -> None:
    """A subclass refuses what the request refuses, and a changed copy is checked again."""
    request = cls(**FULL)
    with pytest.raises(RequestValidationError, match="device_name must"):
        attrs.evolve(request, device_name="a b")
    assert attrs.evolve(request, tags={"a": "b"}).tags == {"a": "b"}
    assert request == cls(**FULL)
    assert request.to_boto() == BOTO
    assert type(cls.from_boto(BOTO)) is cls


@pytest.mark.parametrize("cls", [CreateStreamRequest, StreamStorageConfiguration])
def test_types_at_run_time(cls: type[Any]) -> None:
    """Annotations can be evaluated; arguments are keyword-only, and take more than is stored."""
    assert set(typing.get_type_hints(cls)) == {field.name for field in attrs.fields(cls)}
    assert typing.get_type_hints(cls.to_boto)
    with pytest.raises(TypeError, match="positional"):
        cls("cam-01")
    hints = typing.get_type_hints(CreateStreamRequest.__init__)
    assert hints["data_retention_in_hours"] == int | timedelta | None
    assert typing.get_type_hints(CreateStreamRequest)["data_retention_in_hours"] == int | None


@pytest.mark.parametrize("field", FULL)
def test_requests_that_differ(field: str) -> None:
    """Requests that differ in one field differ."""
    changed: Any = {"stream_name": "cam-02"}.get(field)
    assert attrs.evolve(REQUEST, **{field: changed}) != REQUEST
    assert hash(attrs.evolve(REQUEST, **{field: changed})) != hash(REQUEST)


def test_equal_however_written() -> None:
    """The order of tags, the kind of mapping, and the form of a value make no difference."""
    same = attrs.evolve(
        REQUEST,
        data_retention_in_hours=timedelta(days=1),
        tags=OrderedDict(floor="2", site="lobby"),
        stream_storage_configuration=attrs.evolve(WARM, default_storage_tier=StorageTier.WARM),
    )
    assert same == REQUEST
    assert hash(same) == hash(REQUEST)
    assert same != BOTO


def test_json() -> None:
    """What ``attrs.asdict`` makes of a request can be written as JSON, and read back."""
    written = json.loads(json.dumps(attrs.asdict(REQUEST)))
    storage = StreamStorageConfiguration(**written.pop("stream_storage_configuration"))
    assert CreateStreamRequest(**written, stream_storage_configuration=storage) == REQUEST


@given(strategies.requests())
def test_any_request(request: CreateStreamRequest) -> None:
    """Any valid request equals itself copied, pickled, evolved, and taken through boto3's form."""
    assert attrs.evolve(request) == copy.deepcopy(request) == request
    twin = pickle.loads(pickle.dumps(request))
    assert (twin, hash(twin), repr(twin)) == (request, hash(request), repr(request))
    assert repr(request).isprintable()
    again = CreateStreamRequest.from_boto(request.to_boto())
    assert (again, hash(again), again.to_boto()) == (request, hash(request), request.to_boto())
    assert not ParamValidator().validate(request.to_boto(), INPUT.input_shape).has_errors()


# Retention, tags, tier.


@pytest.mark.parametrize(
    "value, hours",
    [(24, 24), (timedelta(0), 0), (timedelta(hours=87_600), 87_600)],
)
def test_retention(value: int | timedelta, hours: int) -> None:
    """Whole hours in any form become a plain integer."""
    found = CreateStreamRequest(stream_name="cam", data_retention_in_hours=value)
    assert found.data_retention_in_hours == hours
    assert type(found.data_retention_in_hours) is int


@pytest.mark.parametrize(
    "value, message",
    [
        (timedelta(minutes=90), r"whole hours, not datetime.timedelta\(seconds=5400\)"),
        (timedelta(hours=-1), "must be at least 0, got -1"),
    ],
)
def test_no_retention(value: Any, message: str) -> None:
    """Any other duration is refused."""
    with pytest.raises(RequestValidationError, match=message):
        CreateStreamRequest(stream_name="cam", data_retention_in_hours=value)


@pytest.mark.parametrize(
    "tags, expected",
    [
        ({}, None),
        (MappingProxyType({}), None),
        ({"k": None, "l": "v"}, {"k": "", "l": "v"}),
        (MappingProxyType({"k": "v"}), {"k": "v"}),
        (UserDict({"k": "v"}), {"k": "v"}),
        (REQUEST.tags, FULL["tags"]),
    ],
)
def test_tags(tags: Any, expected: dict[str, str] | None) -> None:
    """Any mapping will do; an empty one means no tags, and ``None`` an empty value."""
    assert CreateStreamRequest(stream_name="cam", tags=tags).tags == expected


def test_tags_are_copied() -> None:
    """Later changes to the caller's dictionary, or to boto3's arguments, change nothing."""
    tags: dict[str, str | None] = {"site": "lobby"}
    request = CreateStreamRequest(stream_name="cam", tags=tags)
    tags["site"] = "front door!"
    assert request.tags == {"site": "lobby"}
    kwargs = request.to_boto()
    kwargs["Tags"]["site"] = "roof"
    assert type(kwargs["Tags"]) is dict
    assert request.to_boto()["Tags"] == {"site": "lobby"}


def test_tags_are_read_only() -> None:
    """All that a dict has and a read-only mapping lacks is refused, with the way out."""
    new = {"fromkeys", "__init__", "__new__", "__getstate__", "__doc__"}
    changing = set(dir(dict)) - set(dir(MappingProxyType)) - new
    for name in changing | {"__ior__"}:
        with pytest.raises(TypeError, match=r"attrs.evolve makes a changed copy of the request$"):
            getattr(REQUEST.tags, name)("site", roof="")
    assert REQUEST.tags == FULL["tags"]
    assert type(REQUEST.tags | {"a": "b"}) is dict
    assert repr(REQUEST.tags) == repr(FULL["tags"])


@pytest.mark.parametrize("tier", StorageTier)
def test_tier(tier: StorageTier) -> None:
    """Each tier is accepted as a member and as its text."""
    for value in (tier, tier.value):
        storage = StreamStorageConfiguration(default_storage_tier=value)
        assert storage.default_storage_tier is tier
        assert storage.to_boto() == {"DefaultStorageTier": tier.value}
        assert type(storage.to_boto()["DefaultStorageTier"]) is str


@pytest.mark.parametrize(
    "tier, rule, message",
    [
        ("COLD", "enum", "default_storage_tier must be 'HOT' or 'WARM', got 'COLD'"),
        ("hot", "enum", "default_storage_tier must be 'HOT' or 'WARM', got 'hot'"),
        (5, "type", "default_storage_tier must be a string, not 5"),
        ([], "type", "default_storage_tier must be a string, not <list>"),
        (None, "required", "default_storage_tier is required"),
    ],
)
def test_no_tier(tier: Any, rule: str, message: str) -> None:
    """Anything else is none; the path in boto3's form leads through the configuration."""
    with pytest.raises(RequestValidationError) as caught:
        StreamStorageConfiguration(default_storage_tier=tier)
    (violation,) = caught.value.violations
    names = ("DefaultStorageTier", "default_storage_tier")
    assert attrs.astuple(violation)[:4] == (*names, rule, message)
    kwargs = {"StreamName": "cam", "StreamStorageConfiguration": {"DefaultStorageTier": tier}}
    assert faults(kwargs) == [(f"{STORAGE}.default_storage_tier", rule)]


# boto3's form.


@pytest.mark.parametrize("parameter", BOTO)
def test_only_what_is_set_is_sent(parameter: str) -> None:
    """Each parameter is sent if it is set, and only then, from any mapping."""
    kwargs = {name: BOTO[name] for name in {"StreamName": "", parameter: ""}}
    assert CreateStreamRequest.from_boto(MappingProxyType(kwargs)).to_boto() == kwargs


def test_what_is_set_to_nothing() -> None:
    """Zero hours are sent, and an empty map of tags is not; the name is required."""
    kwargs = {"StreamName": "cam", "DataRetentionInHours": 0}
    assert CreateStreamRequest.from_boto({**kwargs, "Tags": {}}).to_boto() == kwargs
    assert faults({}) == [("stream_name", "required")]
    with pytest.raises(TypeError, match="stream_name"):
        CreateStreamRequest()


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"StreamName": None}, [("stream_name", "required")]),
        *(({name: None}, [(FIELDS[name], "type")]) for name in list(BOTO)[1:]),
        ({"Tags": {"k": None}}, [("tags['k']", "type")]),
        ({"DataRetentionInHours": timedelta(hours=1)}, [("data_retention_in_hours", "type")]),
        ({"StreamStorageConfiguration": WARM}, [(STORAGE, "type")]),
        (
            {"StreamStorageConfiguration": {"Days": 3}},
            [(f"{STORAGE}.default_storage_tier", "required"), (f"{STORAGE}.Days", "unknown")],
        ),
        (
            {"StreamName": "a b", "Frames": 1, "Tags": {5: ""}, "\n": 2, 5: 3},
            [
                *[("stream_name", "pattern"), ("tags[5]", "type"), ("Frames", "unknown")],
                *[(r"\n", "unknown"), ("5", "unknown")],
            ],
        ),
    ],
)
def test_what_boto3_refuses(changes: dict[Any, Any], expected: list[tuple[str, str]]) -> None:
    """``from_boto`` refuses what boto3 refuses, and reports every fault, unknown names last."""
    assert faults({**BOTO, **changes}) == expected


@pytest.mark.parametrize(
    "kwargs, text",
    [
        ({"stream_name": "a"}, "stream_name is unknown; write StreamName"),
        (
            {"StreamName": "a", "StreamStorageConfiguration": {"default_storage_tier": "HOT"}},
            f"{STORAGE}.default_storage_tier is unknown; write DefaultStorageTier",
        ),
        ({"StreamName": "a", "Key": "xy"}, f"Key is unknown; known are {', '.join(BOTO)}"),
        (
            {"StreamName": "a", "K" * 100: "xy"},
            f"{'K' * 79}… is unknown; known are {', '.join(BOTO)}",
        ),
        (
            {"StreamName": "a", "StreamStorageConfiguration": "HOT"},
            f"{STORAGE} must be a mapping, not 'HOT'",
        ),
    ],
)
def test_mistakes_are_answered_with_the_way_out(kwargs: Any, text: str) -> None:
    """Our name in boto3's form is answered with AWS's name, any other with all names."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest.from_boto(kwargs)
    assert str(caught.value) == f"invalid request, nothing was sent (1 fault): {text}"
    (violation,) = caught.value.violations
    if violation.rule == "unknown":  # what is misnamed may be a secret
        assert violation.value == ""
        assert violation.field.endswith(violation.parameter)
