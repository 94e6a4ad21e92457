"""Requests as values: built, frozen, copied, and in boto3's form."""

import copy
import json
import pickle
import re
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
from test_models import DOCS

from kvs_streams import (
    CreateStreamRequest,
    RequestValidationError,
    StorageTier,
    StreamStorageConfiguration,
    _rules,
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
REQUEST = CreateStreamRequest(**FULL)


@attrs.define
class DefinedRequest(CreateStreamRequest):
    """What a user makes of the request with ``attrs.define``."""

    site: str = "lobby"


@attrs.define(kw_only=True)
class DefinedTwice(DefinedRequest):
    """A subclass of that."""


@attrs.define
class DefinedStorage(StreamStorageConfiguration):
    """The same of the storage configuration."""


class PlainRequest(CreateStreamRequest):
    """What a user makes of it without attrs."""


FROZEN = [
    REQUEST,
    WARM,
    DefinedRequest(**FULL),
    DefinedTwice(**FULL),
    PlainRequest(**FULL),
    DefinedStorage(default_storage_tier="HOT"),
]


def faults(kwargs: Any) -> list[tuple[str, str]]:
    """Return path and rule of each fault that ``from_boto`` finds."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest.from_boto(kwargs)
    return [(violation.field, violation.rule) for violation in caught.value.violations]


# Values.


@pytest.mark.parametrize("model", FROZEN, ids=lambda model: type(model).__name__)
def test_frozen(model: Any) -> None:
    """No field can be changed or removed, not even of a subclass made with ``attrs.define``."""
    for field in attrs.fields(type(model)):
        with pytest.raises(FrozenInstanceError):
            setattr(model, field.name, "front door!")
        with pytest.raises(FrozenInstanceError):
            delattr(model, field.name)
    assert attrs.evolve(model) == model


@pytest.mark.parametrize("model", FROZEN[:3], ids=lambda model: type(model).__name__)
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


def test_subclass_is_checked() -> None:
    """A subclass of a user's refuses what the request refuses."""
    for cls in (DefinedRequest, DefinedTwice, PlainRequest):
        with pytest.raises(RequestValidationError):
            cls(stream_name="front door")
    assert DefinedRequest(stream_name="cam", site="roof").to_boto() == {"StreamName": "cam"}


@pytest.mark.parametrize("model", [REQUEST, WARM], ids=["request", "storage"])
def test_slots(model: object) -> None:
    """There is no dictionary for each instance."""
    assert not hasattr(model, "__dict__")


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
def test_equality(field: str) -> None:
    """Requests that differ in one field differ; those that mean the same are equal."""
    assert CreateStreamRequest(**FULL) == REQUEST
    changed: Any = {"stream_name": "cam-02"}.get(field)
    assert attrs.evolve(REQUEST, **{field: changed}) != REQUEST
    assert hash(attrs.evolve(REQUEST, **{field: changed})) != hash(REQUEST)


def test_equal_however_written() -> None:
    """The order of tags, the kind of mapping, and the form of a value make no difference."""
    same = CreateStreamRequest(
        **{
            **FULL,
            "data_retention_in_hours": timedelta(days=1),
            "tags": OrderedDict(floor="2", site="lobby"),
            "stream_storage_configuration": StreamStorageConfiguration(
                default_storage_tier=StorageTier.WARM
            ),
        }
    )
    assert same == REQUEST
    assert hash(same) == hash(REQUEST)
    assert same != BOTO


def test_evolve_checks_again() -> None:
    """A changed copy is validated as a new request is, and the original stays."""
    assert attrs.evolve(REQUEST, tags={"a": "b"}).tags == {"a": "b"}
    with pytest.raises(RequestValidationError, match="device_name must"):
        attrs.evolve(REQUEST, device_name="a b")
    assert CreateStreamRequest(**FULL) == REQUEST


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
    shape = Session().get_service_model("kinesisvideo").operation_model("CreateStream").input_shape
    assert not ParamValidator().validate(request.to_boto(), shape).has_errors()


# Retention, tags, tier.


@pytest.mark.parametrize(
    "value, hours",
    [
        (0, 0),
        (24, 24),
        (timedelta(0), 0),
        (timedelta(days=2), 48),
        (timedelta(hours=87_600), 87_600),
    ],
)
def test_retention(value: int | timedelta, hours: int) -> None:
    """Whole hours in any form become a plain integer."""
    found = CreateStreamRequest(stream_name="cam", data_retention_in_hours=value)
    assert found.data_retention_in_hours == hours
    assert type(found.data_retention_in_hours) is int


@pytest.mark.parametrize(
    "value, message",
    [
        (timedelta(minutes=90), r"whole hours, got datetime.timedelta\(seconds=5400\)"),
        (timedelta(hours=-1), "must be at least 0, got -1"),
        (timedelta(days=3_651), "must be at most 87600, got 87624"),
        (True, "must be an int or a timedelta of whole hours, got True"),
    ],
)
def test_no_retention(value: Any, message: str) -> None:
    """Anything else is refused."""
    with pytest.raises(RequestValidationError, match=message):
        CreateStreamRequest(stream_name="cam", data_retention_in_hours=value)


@pytest.mark.parametrize(
    "tags, expected",
    [
        (None, None),
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
    """Later changes to the caller's dictionary change nothing."""
    tags: dict[str, str | None] = {"site": "lobby"}
    request = CreateStreamRequest(stream_name="cam", tags=tags)
    tags["site"] = "front door!"
    assert request.to_boto()["Tags"] == {"site": "lobby"}


@pytest.mark.parametrize(
    "change",
    [
        lambda tags: tags.__setitem__("site", "roof"),
        lambda tags: tags.__delitem__("site"),
        lambda tags: tags.__ior__({"site": "roof"}),
        lambda tags: tags.clear(),
        lambda tags: tags.pop("site"),
        lambda tags: tags.popitem(),
        lambda tags: tags.setdefault("roof", ""),
        lambda tags: tags.update(site="roof"),
    ],
    ids=["set", "del", "ior", "clear", "pop", "popitem", "setdefault", "update"],
)
def test_tags_are_read_only(change: Any) -> None:
    """Each way to change a dict is refused, in words that name the way to a changed copy."""
    message = r"^tags cannot be changed; attrs.evolve makes a changed copy of the request$"
    with pytest.raises(TypeError, match=message):
        change(REQUEST.tags)
    assert REQUEST.tags == FULL["tags"]


def test_tags_have_no_other_way_to_change() -> None:
    """A dict has no other method that a read-only mapping lacks, save what makes a new dict."""
    changing = set(dir(dict)) - set(dir(MappingProxyType)) - {"fromkeys", "__init__", "__new__"}
    own = vars(type(REQUEST.tags))
    assert {name for name in changing if name not in own} <= {"__getstate__", "__doc__"}
    assert type(REQUEST.tags | {"a": "b"}) is dict  # type: ignore[operator]
    assert repr(REQUEST.tags) == repr(FULL["tags"])


@pytest.mark.parametrize("tier", StorageTier)
def test_tier(tier: StorageTier) -> None:
    """Each tier is accepted as a member and as its text."""
    for value in (tier, tier.value):
        storage = StreamStorageConfiguration(default_storage_tier=value)  # type: ignore[arg-type]
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
    assert attrs.astuple(violation)[:4] == (
        "DefaultStorageTier",
        "default_storage_tier",
        rule,
        message,
    )
    kwargs = {"StreamName": "cam", "StreamStorageConfiguration": {"DefaultStorageTier": tier}}
    assert faults(kwargs) == [("stream_storage_configuration.default_storage_tier", rule)]


# boto3's form.


def test_to_boto() -> None:
    """``to_boto`` gives exactly boto3's keyword arguments, in plain types."""
    kwargs = REQUEST.to_boto()
    assert kwargs == BOTO
    assert type(kwargs["Tags"]) is dict
    kwargs["Tags"]["site"] = "roof"
    assert REQUEST.to_boto() == BOTO
    assert CreateStreamRequest.from_boto(BOTO) == REQUEST
    assert CreateStreamRequest.from_boto(MappingProxyType(BOTO)) == REQUEST
    assert type(DefinedRequest.from_boto(BOTO)) is DefinedRequest


@pytest.mark.parametrize("parameter", list(BOTO)[1:])
def test_only_what_is_set_is_sent(parameter: str) -> None:
    """Each parameter is sent if it is set, and only then."""
    kwargs = {name: BOTO[name] for name in ("StreamName", parameter)}
    assert CreateStreamRequest.from_boto(kwargs).to_boto() == kwargs


def test_what_is_set_to_nothing() -> None:
    """Zero hours are sent, and an empty map of tags is not."""
    kwargs = {"StreamName": "cam", "DataRetentionInHours": 0, "Tags": {}}
    assert CreateStreamRequest.from_boto(kwargs).to_boto() == {
        "StreamName": "cam",
        "DataRetentionInHours": 0,
    }


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({"StreamName": None}, [("stream_name", "required")]),
        *(
            ({name: None}, [(rule.field, "type")])
            for name, rule in zip(list(BOTO)[1:], _rules.INPUT.members[1:], strict=True)
        ),
        ({"Tags": {"k": None}}, [("tags['k']", "type")]),
        (
            {"DataRetentionInHours": timedelta(hours=1)},
            [("data_retention_in_hours", "type")],
        ),
        ({"StreamStorageConfiguration": WARM}, [("stream_storage_configuration", "type")]),
        (
            {"StreamStorageConfiguration": {}},
            [("stream_storage_configuration.default_storage_tier", "required")],
        ),
        (
            {"StreamStorageConfiguration": {"DefaultStorageTier": "HOT", "Days": 3}},
            [("stream_storage_configuration.Days", "unknown")],
        ),
        (
            {"StreamName": "a b", "Frames": 1, "MediaType": "h264", "\n": 2, 5: 3},
            [
                ("stream_name", "pattern"),
                ("media_type", "pattern"),
                ("Frames", "unknown"),
                (r"\n", "unknown"),
                ("5", "unknown"),
            ],
        ),
    ],
)
def test_what_boto3_refuses(changes: dict[Any, Any], expected: list[tuple[str, str]]) -> None:
    """``from_boto`` refuses what boto3 refuses, and reports every fault, unknown names last."""
    assert faults({**BOTO, **changes}) == expected


def test_nothing_is_sent_without_a_name() -> None:
    """The name is required, in both forms."""
    assert faults({}) == [("stream_name", "required")]
    with pytest.raises(TypeError, match="stream_name"):
        CreateStreamRequest()  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "kwargs, text",
    [
        ({"stream_name": "cam"}, "(1 fault): stream_name is unknown; write StreamName"),
        (
            {"StreamName": "cam", "data_retention_in_hours": 24},
            "(1 fault): data_retention_in_hours is unknown; write DataRetentionInHours",
        ),
        (
            {"StreamName": "cam", "StreamStorageConfiguration": {"default_storage_tier": "HOT"}},
            (
                "(1 fault): stream_storage_configuration.default_storage_tier is unknown; "
                "write DefaultStorageTier"
            ),
        ),
        (
            {"StreamName": "cam", "FrameRate": 25},
            (
                "(1 fault): FrameRate is unknown; known are StreamName, DeviceName, MediaType, "
                "KmsKeyId, DataRetentionInHours, Tags, StreamStorageConfiguration"
            ),
        ),
        (["cam"], "(1 fault): kwargs must be a mapping of boto3's keyword arguments, not <list>"),
    ],
)
def test_mistakes_are_answered_with_the_way_out(kwargs: Any, text: str) -> None:
    """Our name in boto3's form is answered with AWS's name, any other with all names."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest.from_boto(kwargs)
    assert str(caught.value) == f"invalid request, nothing was sent {text}"


def test_unknown_values_are_not_shown() -> None:
    """Whatever a user misnames may be a secret."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest.from_boto({"StreamName": "cam", "Password": "swordfish"})
    (violation,) = caught.value.violations
    assert violation.value == ""
    assert "swordfish" not in str(caught.value)


# Documentation of the limits, which editors show.


@pytest.mark.parametrize("field", list(FULL)[:-1])
def test_limits_are_documented(field: str) -> None:
    """Under each field, and under the class, stand the limits as they are in the table."""
    own = " ".join(str(DOCS[f"CreateStreamRequest.{field}"]).split())
    args = " ".join(str(DOCS["CreateStreamRequest"]).split())
    (line,) = re.findall(rf"{field}: (.*?)(?= \w+: |$)", args)
    rules = {rule.field: [rule] for rule in _rules.INPUT.members}
    rules["tags"] += [_rules.TAG_KEY, _rules.TAG_VALUE]
    for rule in rules[field]:
        match rule:
            case _rules.TextRule():
                wanted = f"{rule.min_length} to {rule.max_length}"
            case _rules.NumberRule():
                wanted = f"{rule.min} to {rule.max:,}"
            case _rules.TagsRule():
                wanted = str(rule.max_items)
        assert wanted in own, f"say {wanted!r} under {field}"
        assert wanted in line, f"say {wanted!r} for {field} under CreateStreamRequest"
        shape = re.findall(r"shape (\w+)", rule.source)[0]
        assert f"``{shape}``" in own, f"name the source, shape {shape}, under {field}"
    assert "Source:" in own
    assert field == "stream_name" or "``None``" in own


@pytest.mark.parametrize(
    "name, words",
    [
        ("CreateStreamRequest.tags", ["``aws:``", "resource schema", "read-only"]),
        ("CreateStreamRequest.data_retention_in_hours", ["resource schema", "``timedelta``"]),
        ("CreateStreamRequest.stream_storage_configuration", ["``StreamStorageConfiguration``"]),
        ("StreamStorageConfiguration.default_storage_tier", ["``HOT``", "``WARM``", "Source:"]),
        ("CreateStreamRequest.kms_key_id", ["does not exist", "never be changed"]),
        ("StreamArn.created_at", ["milliseconds", "UTC"]),
    ],
)
def test_what_people_have_to_know_is_documented(name: str, words: list[str]) -> None:
    """The surprises of the service stand where an editor shows them."""
    text = " ".join(str(DOCS[name]).split())
    assert not [word for word in words if word not in text]
