"""What comes out: enums, ARNs, records and their documentation."""

import ast
import json
import typing
from collections.abc import Iterator
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
)

ARN = "arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam-01/1600000000123"
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
    assert type(member)(text) == member
    assert (type(member)(text) is member) is (text != "FROZEN")
    assert str(member) == f"{member}" == f"{member:s}" == text == member
    assert hash(member) == hash(text)
    assert json.dumps(member) == f'"{text}"'
    assert repr(member) == f"<{type(member).__name__}.{text}: '{text}'>"


@given(st.text(min_size=1).filter(lambda text: text not in set(StreamStatus)))
def test_unknown_status(text: str) -> None:
    """A status that this version does not know is kept, and the enum is left as it was."""
    status = StreamStatus(text)
    assert isinstance(status, StreamStatus)
    assert status == text == status.value == status.name == StreamStatus(text)
    assert status not in set(StreamStatus)
    assert len(StreamStatus) == 4
    assert {status, text} == {text}


@pytest.mark.parametrize(
    "enum, value",
    [(StreamStatus, 7), (StreamStatus, None), (StorageTier, "COLD"), (EnsureOutcome, "created")],
)
def test_no_members(enum: Any, value: object) -> None:
    """What is no text is no status, and the other enums are what this library itself says."""
    with pytest.raises(ValueError, match="is not a valid"):
        enum(value)


# ARNs.


def test_arn_is_a_string() -> None:
    """An ARN has its time, and all that a string can do still works."""
    arn = StreamArn.parse(ARN)
    assert type(arn) is StreamArn
    assert arn == ARN
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


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cam-01",
        "arn:aws:kinesisvideo:eu-west-1:123456789012:channel/cam-01/1600000000123",
        "arn:aws:kinesis:eu-west-1:123456789012:stream/cam-01/1600000000123",
        "arn:aws:kinesisvideo:eu-west-1:٣:stream/cam-01/1600000000123",
        f"{ARN}\n",
        f" {ARN}",
    ],
)
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
def test_records(record: Any) -> None:
    """No attribute can be changed, removed or added; the annotations can be evaluated."""
    for field in attrs.fields(type(record)):
        with pytest.raises(FrozenInstanceError):
            setattr(record, field.name, None)
        with pytest.raises(FrozenInstanceError):
            delattr(record, field.name)
    assert not hasattr(record, "__dict__")
    assert attrs.evolve(record) == record
    assert set(attrs.asdict(record)) <= typing.get_type_hints(type(record)).keys()
    assert typing.get_type_hints(type(record).__init__)["return"] is type(None)
    if not isinstance(record, Drift | Violation):
        with pytest.raises(TypeError, match="positional"):
            type(record)("cam-01")


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


# Documentation in the source, which editors show.


def documented(module: str) -> Iterator[tuple[str, str | None]]:
    """Find each class, field, member and method of a room, with the docstring under it."""
    source = Path(kvs_streams.__file__).with_name(module).read_text(encoding="utf-8")
    for cls in (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)):
        yield cls.name, ast.get_docstring(cls)
        for node, after in zip(cls.body, [*cls.body[1:], None], strict=True):
            match node, after:
                case ast.FunctionDef(name=name), _:
                    yield f"{cls.name}.{name}", ast.get_docstring(node)
                case ((ast.AnnAssign(target=target) | ast.Assign(targets=[target])), _):
                    text = after.value if isinstance(after, ast.Expr) else None
                    yield f"{cls.name}.{ast.unparse(target)}", text and ast.literal_eval(text)


DOCS = {
    name: text
    for module in ("_models.py", "_request.py", "errors.py")
    for name, text in documented(module)
    if name.split(".")[0] in kvs_streams.__all__ and not name.endswith("retryable")
    if "._" not in name
}


@pytest.mark.parametrize("name", DOCS)
def test_everything_public_is_documented(name: str) -> None:
    """Under each class, field, member and method stands a docstring that begins with a sentence."""
    first = (DOCS[name] or "").strip().split("\n")[0]
    assert first.endswith("."), f"add a docstring under {name} whose first line is a sentence"
