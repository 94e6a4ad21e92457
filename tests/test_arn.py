"""StreamArn: any text is kept, and only the ARN of a stream has parts."""

import copy
import json
import pickle
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

import attrs
import pytest
import strategies
from hypothesis import given, strategies as st

from kvs_streams import CreateStreamResponse, StreamArn, StreamInfo

TEXT = "arn:aws:kinesisvideo:eu-central-1:111122223333:stream/Cam_1.door-2/1598784211076"
PARTS = ("aws_partition", "region", "account_id", "stream_name", "created_at")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

NO_STREAM = {
    "empty": "",
    "a name": "front-door",
    "a channel": "arn:aws:kinesisvideo:eu-central-1:111122223333:channel/cam/1598784211076",
    "another service": "arn:aws:kinesis:eu-central-1:111122223333:stream/cam/1598784211076",
    "no prefix": TEXT.removeprefix("arn:"),
    "capital prefix": TEXT.replace("arn:", "ARN:"),
    "before": " " + TEXT,
    "no partition": TEXT.replace(":aws:", "::"),
    "capital partition": TEXT.replace(":aws:", ":AWS:"),
    "no region": TEXT.replace("eu-central-1", ""),
    "capital region": TEXT.replace("eu-", "EU-"),
    "no account": TEXT.replace("111122223333", ""),
    "letters for an account": TEXT.replace("1111", "abcd"),
    "no type": TEXT.replace("stream/", ""),
    "no name": TEXT.replace("Cam_1.door-2", ""),
    "slash in the name": TEXT.replace("Cam_1", "Cam/1"),
    "space in the name": TEXT.replace("Cam_1", "Cam 1"),
    "letter beyond ASCII": TEXT.replace("Cam", "Cäm"),
    "no suffix": TEXT.removesuffix("/1598784211076"),
    "empty suffix": TEXT.removesuffix("1598784211076"),
    "letters for a suffix": TEXT + "x",
    "digit beyond ASCII in the suffix": TEXT + "\u0663",
    "digit beyond ASCII in the account": TEXT.replace("1111", "\u0661" * 4),
    "trailing slash": TEXT + "/",
    "trailing newline": TEXT + "\n",
    "twice": TEXT + TEXT,
    "lone surrogate": TEXT + "\ud800",
}
NOT_AN_ARN = pytest.mark.parametrize("text", NO_STREAM.values(), ids=list(NO_STREAM))


class Word(str, Enum):
    """A text whose ``str()`` is something else."""

    ARN = TEXT


def test_parts() -> None:
    """The properties are the parts of the ARN."""
    arn = StreamArn(TEXT)
    assert arn.aws_partition == "aws"
    assert arn.partition(":") == ("arn", ":", TEXT[4:])
    assert arn.region == "eu-central-1"
    assert arn.account_id == "111122223333"
    assert arn.stream_name == "Cam_1.door-2"
    assert arn.created_at == datetime(2020, 8, 30, 10, 43, 31, 76_000, tzinfo=timezone.utc)
    assert arn.created_at.tzinfo is timezone.utc


@given(strategies.arn_parts())
def test_any_parts_come_back(parts: dict[str, Any]) -> None:
    """What an ARN is put together from is what its properties give, to the millisecond."""
    text = (
        f"arn:{parts['aws_partition']}:kinesisvideo:{parts['region']}:{parts['account_id']}"
        f":stream/{parts['stream_name']}/{parts['created_at']}"
    )
    arn = StreamArn.parse(text)
    assert arn == text
    expected = {**parts, "created_at": EPOCH + timedelta(milliseconds=parts["created_at"])}
    assert {name: getattr(arn, name) for name in PARTS} == expected
    assert (arn.created_at - EPOCH) // timedelta(milliseconds=1) == parts["created_at"]


@pytest.mark.parametrize(
    "partition, region",
    [
        ("aws", "us-east-1"),
        ("aws-cn", "cn-north-1"),
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-iso-b", "us-isob-east-1"),
        ("aws-eusc", "eusc-de-east-1"),
        ("aws2", "mars-1"),
    ],
)
def test_partitions(partition: str, region: str) -> None:
    """Every partition is read, future ones included."""
    arn = StreamArn.parse(f"arn:{partition}:kinesisvideo:{region}:111122223333:stream/cam/0")
    assert (arn.aws_partition, arn.region, arn.created_at) == (partition, region, EPOCH)


@NOT_AN_ARN
def test_any_text_is_kept(text: str) -> None:
    """What AWS calls an ARN is never lost, whatever it looks like."""
    arn = StreamArn(text)
    assert arn == text
    assert CreateStreamResponse(stream_arn=text).stream_arn == text


@NOT_AN_ARN
def test_parse_refuses(text: str) -> None:
    """``parse`` refuses what is no stream's ARN, in one line that shows it cut and escaped."""
    with pytest.raises(ValueError, match=r"^not the ARN of a Kinesis video stream: '") as caught:
        StreamArn.parse(text)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 150


@NOT_AN_ARN
@pytest.mark.parametrize("name", PARTS)
def test_no_parts_of_other_texts(text: str, name: str) -> None:
    """Each property refuses what is no stream's ARN."""
    with pytest.raises(ValueError, match=r"^not the ARN of a Kinesis video stream: '"):
        getattr(StreamArn(text), name)


@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    """``parse`` ends with the same text or with ``ValueError``."""
    try:
        arn = StreamArn.parse(text)
    except ValueError:
        assert StreamArn(text) == text
    else:
        assert arn == text


@pytest.mark.parametrize("value", [None, 5, b"arn:aws", ["arn"], {"arn": 1}], ids=repr)
@pytest.mark.parametrize("make", [StreamArn, StreamArn.parse])
def test_only_text(make: Any, value: Any) -> None:
    """What is no text is a mistake in the program, and is not turned into one."""
    with pytest.raises(TypeError, match=r"^an ARN must be a string, not "):
        make(value)


@pytest.mark.parametrize(
    "suffix",
    ["253402300800000", "9" * 30, "9" * 400, "9" * 5_000],
    ids=["10000", "30", "400", "5k"],
)
def test_times_beyond_the_calendar(suffix: str) -> None:
    """A suffix that is no time Python can hold is a ``ValueError``; the rest can still be read."""
    arn = StreamArn.parse(TEXT.replace("1598784211076", suffix))
    with pytest.raises(ValueError, match=r"^not a time in milliseconds: '[0-9]+…?'$") as caught:
        _ = arn.created_at
    assert isinstance(caught.value.__cause__, OverflowError | ValueError)
    assert len(str(caught.value)) < 150
    assert arn.stream_name == "Cam_1.door-2"


def test_last_millisecond_of_the_calendar() -> None:
    """The time is exact up to the end of the year 9999."""
    arn = StreamArn.parse(TEXT.replace("1598784211076", "253402300799999"))
    assert arn.created_at == datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=timezone.utc)


def test_is_a_string() -> None:
    """It works wherever a string does."""
    arn = StreamArn(TEXT)
    assert isinstance(arn, str)
    assert arn == TEXT
    assert hash(arn) == hash(TEXT)
    assert {TEXT: 1}[arn] == 1
    assert f"{arn}" == str(arn) == "%s" % arn == TEXT  # noqa: UP031  # the old way is the test
    assert json.dumps({"StreamARN": arn}) == json.dumps({"StreamARN": TEXT})
    assert arn.split(":")[2] == "kinesisvideo"
    assert arn.endswith("/1598784211076")
    assert type(arn[:3]) is str


def test_repr_shows_the_type() -> None:
    """The repr says that it is an ARN, and escapes what is not printable."""
    assert repr(StreamArn(TEXT)) == f"StreamArn({TEXT!r})"
    assert repr(StreamArn("a\n\x1b")) == r"StreamArn('a\n\x1b')"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol: int) -> None:
    """It pickles as itself, whatever its text."""
    for text in (TEXT, "of a new form"):
        again = pickle.loads(pickle.dumps(StreamArn(text), protocol))
        assert again == text
        assert type(again) is StreamArn


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copy(duplicate: Any) -> None:
    """A copy is an equal ARN."""
    again = duplicate(StreamArn(TEXT))
    assert again == TEXT
    assert type(again) is StreamArn


def test_of_another_kind_of_string() -> None:
    """Of a string enum the text is taken, not what ``str()`` makes of it; an ARN stays one."""
    assert StreamArn(Word.ARN) == TEXT
    assert StreamArn.parse(Word.ARN).region == "eu-central-1"
    assert StreamArn(StreamArn(TEXT)) == TEXT


def test_subclass() -> None:
    """A subclass makes its own kind."""

    class MyArn(StreamArn):
        __slots__ = ()

    assert type(MyArn(TEXT)) is MyArn
    assert type(MyArn.parse(TEXT)) is MyArn


def test_has_no_place_for_more() -> None:
    """It is as lean as a string: no attributes can be set on it."""
    arn: Any = StreamArn(TEXT)
    with pytest.raises(AttributeError):
        arn.nickname = "door"
    with pytest.raises(AttributeError):
        arn.region = "mars-1"


def test_models_make_arns_of_texts() -> None:
    """Response and stream take a text and give an ARN."""
    response = CreateStreamResponse(stream_arn=TEXT)
    info: Any = StreamInfo(stream_name="cam", stream_arn=TEXT, status="ACTIVE")
    for model in (response, info, attrs.evolve(response), attrs.evolve(info)):
        assert type(model.stream_arn) is StreamArn
        assert model.stream_arn.region == "eu-central-1"
