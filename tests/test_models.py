"""What comes out: enums, ARNs, records and their documentation."""

import ast
import json
import pickle
import typing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import attrs
import pytest
import strategies
from attrs.exceptions import FrozenInstanceError
from hypothesis import given, strategies as st
from support import copies

import kvs_streams
from kvs_streams import (
    CreateStreamResponse,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    StorageTier,
    StreamArn,
    StreamInfo,
    StreamStatus,
    Violation,
    _models,
)

ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam-01/1600000000123"
NOT_STREAM_ARNS = [
    "",
    "cam-01",
    "arn:aws:kinesisvideo:eu-west-1:123456789012:channel/cam-01/1600000000123",
    "arn:aws:kinesis:eu-west-1:123456789012:stream/cam-01/1600000000123",
    "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam-01",
    "arn:aws:kinesisvideo:eu-west-1:٣:stream/cam-01/1600000000123",
    f"{ARN}\n",
    f" {ARN}",
]
INFO = StreamInfo(stream_name="cam-01", stream_arn=StreamArn(ARN), status=StreamStatus.ACTIVE)
RECORDS = [
    CreateStreamResponse(stream_arn=StreamArn(ARN), request_id="id", http_status_code=200),
    StreamInfo(
        stream_name="cam-01",
        stream_arn=StreamArn(ARN),
        status=StreamStatus("FROZEN"),
        creation_time=datetime(2020, 9, 13, tzinfo=timezone.utc),
        data_retention_in_hours=24,
    ),
    EnsuredStream(
        stream=INFO,
        outcome=EnsureOutcome.EXISTING,
        drift=(Drift("tags['site']", "a", None),),
        unverified=("kms_key_id",),
    ),
    Drift("data_retention_in_hours", 24, 0),
    Violation("Tags", "tags['k!']", "pattern", "the key of tags['k!'] must …", "'k!'"),
]
ENUMS = [StorageTier, StreamStatus, EnsureOutcome]
MEMBERS = [member for enum in ENUMS for member in enum] + [StreamStatus("FROZEN")]
VALUES = [*MEMBERS, *RECORDS, StreamArn(ARN), StreamArn("anything")]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("way", copies.WAYS)
def test_copies(value: Any, way: str) -> None:
    """Whatever comes out is copied and pickled as an equal value of its type."""
    twin = copies.WAYS[way](value)
    assert type(twin) is type(value)
    assert twin == value
    assert hash(twin) == hash(value)
    assert repr(twin) == repr(value)


# Enums.


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
def test_members_are_their_texts(member: StreamStatus) -> None:
    """A member is its text wherever a text is wanted."""
    text = member.value
    assert str(member) == f"{member}" == f"{member:s}" == text == member
    assert hash(member) == hash(text)
    assert json.dumps(member) == f'"{text}"'
    assert {text: 1}[member] == 1
    assert repr(member) == f"<{type(member).__name__}.{text}: '{text}'>"


@pytest.mark.parametrize("enum", ENUMS)
def test_members_are_one_of_a_kind(enum: type[StreamStatus]) -> None:
    """A known text always gives the same member, also out of a pickle."""
    for member in enum:
        assert enum(member.value) is enum(member) is member
        assert pickle.loads(pickle.dumps(member)) is member


@given(st.text(min_size=1).filter(lambda text: text not in set(StreamStatus)))
def test_unknown_status(text: str) -> None:
    """A status that this version does not know is kept, and the enum is left as it was."""
    status = StreamStatus(text)
    assert isinstance(status, StreamStatus)
    assert status == text == status.value == status.name == StreamStatus(text)
    assert status not in set(StreamStatus)
    assert len(StreamStatus) == 4
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        twin = pickle.loads(pickle.dumps(status, protocol))
        assert type(twin) is StreamStatus
        assert twin == status
    assert {status, text} == {text}


@pytest.mark.parametrize("member", MEMBERS, ids=repr)
def test_members_are_pickled_by_text(member: StreamStatus) -> None:
    """Python 3.11.0 to 3.11.3 would look for an unknown status by its name."""
    assert member.__reduce_ex__(5) == (type(member), (member.value,))


@pytest.mark.parametrize(
    "enum, value",
    [(StreamStatus, 7), (StreamStatus, None), (StorageTier, "COLD"), (EnsureOutcome, "created")],
)
def test_no_members(enum: Any, value: object) -> None:
    """What is no text is no status, and the other enums are what this library itself says."""
    with pytest.raises(ValueError, match="is not a valid"):
        enum(value)


# ARNs.


def test_parts_of_an_arn() -> None:
    """The properties are the parts of the ARN, and all that a string can do still works."""
    arn = StreamArn.parse(ARN)
    assert type(arn) is StreamArn
    assert arn == ARN
    assert arn.aws_partition == "aws"
    assert arn.region == "eu-west-1"
    assert arn.account_id == "123456789012"
    assert arn.stream_name == "cam-01"
    assert arn.created_at == datetime(2020, 9, 13, 12, 26, 40, 123_000, tzinfo=timezone.utc)
    assert arn.partition("/")[0] == "arn:aws:kinesisvideo:eu-west-1:123456789012:stream"
    assert f"{arn}" == json.loads(json.dumps(arn)) == ARN


@given(strategies.arn_parts())
def test_any_arn(parts: dict[str, Any]) -> None:
    """What an ARN is put together from is what its properties give, to the millisecond."""
    arn = StreamArn.parse(
        "arn:{aws_partition}:kinesisvideo:{region}:{account_id}:stream/{stream_name}/{created_at}"
        "".format(**parts)
    )
    for name in ("aws_partition", "region", "account_id", "stream_name"):
        assert getattr(arn, name) == parts[name]
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    assert arn.created_at - epoch == timedelta(milliseconds=parts["created_at"])


@pytest.mark.parametrize("text", NOT_STREAM_ARNS)
def test_what_is_no_stream_arn(text: str) -> None:
    """Any text is kept, but it is not parsed, and it has no parts."""
    assert StreamArn(text) == text
    with pytest.raises(ValueError, match=r"^not the ARN of a Kinesis video stream: '") as caught:
        StreamArn.parse(text)
    assert str(caught.value).isprintable()
    for name in ("aws_partition", "region", "account_id", "stream_name", "created_at"):
        with pytest.raises(ValueError, match="not the ARN"):
            getattr(StreamArn(text), name)


@pytest.mark.parametrize("suffix", ["253402300800000", "9" * 30])
def test_arn_whose_suffix_is_no_time(suffix: str) -> None:
    """A suffix beyond the year 9999 is a ``ValueError``; the rest can still be read."""
    arn = StreamArn.parse(ARN.replace("1600000000123", suffix))
    assert arn.stream_name == "cam-01"
    with pytest.raises(ValueError, match="does not end with a time"):
        _ = arn.created_at


# Records.


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_are_frozen(record: Any) -> None:
    """No attribute can be changed, removed or added, and there is no dictionary for each."""
    for field in attrs.fields(type(record)):
        with pytest.raises(FrozenInstanceError):
            setattr(record, field.name, None)
        with pytest.raises(FrozenInstanceError):
            delattr(record, field.name)
    with pytest.raises(AttributeError):
        record.other = 1
    assert not hasattr(record, "__dict__")
    assert attrs.evolve(record) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_records_are_typed(record: Any) -> None:
    """The annotations can be evaluated at run time, one for each field."""
    hints = typing.get_type_hints(type(record))
    assert {field.name for field in attrs.fields(type(record))} <= hints.keys()
    assert typing.get_type_hints(type(record).__init__)["return"] is type(None)


@pytest.mark.parametrize("cls", [CreateStreamResponse, StreamInfo, EnsuredStream])
def test_records_are_keyword_only(cls: Any) -> None:
    """No argument is positional."""
    with pytest.raises(TypeError, match="positional"):
        cls("cam-01")


def test_texts_become_what_they_mean() -> None:
    """Response and stream take texts for the ARN and the status; the rest is ``None``."""
    response = CreateStreamResponse(stream_arn="any text")
    assert type(response.stream_arn) is StreamArn
    assert attrs.astuple(response) == ("any text", None, None, 0)
    info = StreamInfo(stream_name="cam-01", stream_arn=ARN, status="ACTIVE")
    assert info == INFO
    assert info.status is StreamStatus.ACTIVE
    assert set(attrs.astuple(info)[3:]) == {None}
    assert EnsuredStream(stream=INFO, outcome=EnsureOutcome.CREATED).drift == ()


def test_rules_of_a_violation() -> None:
    """These are the rules that a violation can name."""
    assert " ".join(typing.get_args(_models.Rule)) == (
        "required type min_length max_length pattern min max max_items reserved_prefix enum unknown"
    )


# Documentation in the source, which editors show.


def documented(module: str) -> dict[str, str | None]:
    """Return the docstring of each public class, and of each of its fields and methods."""
    found: dict[str, str | None] = {}
    source = Path(kvs_streams.__file__).with_name(module).read_text(encoding="utf-8")
    for cls in ast.parse(source).body:
        if not isinstance(cls, ast.ClassDef) or cls.name not in kvs_streams.__all__:
            continue
        found[cls.name] = ast.get_docstring(cls)
        for node, after in zip(cls.body, [*cls.body[1:], None], strict=True):
            match node, after:
                case ast.FunctionDef(name=name), _ if not name.startswith("_"):
                    found[f"{cls.name}.{name}"] = ast.get_docstring(node)
                case ((ast.AnnAssign(target=target) | ast.Assign(targets=[target])), _):
                    name = ast.unparse(target)
                    match after:
                        case ast.Expr(ast.Constant(str(text))):
                            found[f"{cls.name}.{name}"] = text
                        case _ if not name.startswith("_") and name != "retryable":
                            found[f"{cls.name}.{name}"] = None
    return found


DOCS = {
    name: text
    for module in ("_models.py", "_request.py", "errors.py")
    for name, text in documented(module).items()
}


@pytest.mark.parametrize("name", DOCS)
def test_everything_public_is_documented(name: str) -> None:
    """Under each class, field, member and method stands a docstring that begins with a sentence."""
    first = (DOCS[name] or "").strip().split("\n")[0]
    assert first.endswith("."), f"add a docstring under {name} whose first line is a sentence"


def test_every_field_is_among_the_documented() -> None:
    """No field, member or property escapes the test above."""
    fields = {
        f"{type(it).__name__}.{field.name}" for it in RECORDS for field in attrs.fields(type(it))
    }
    members = {f"{enum.__name__}.{member.name}" for enum in ENUMS for member in enum}
    properties = {
        f"StreamArn.{name}" for name, it in vars(StreamArn).items() if isinstance(it, property)
    }
    assert len(properties) == 5
    assert fields | members | properties <= set(DOCS)
