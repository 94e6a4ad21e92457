"""Cases (a) and (c): whole calls beside raw boto3's."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeVar

import boto3
from aiobotocore.session import AioSession
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from botocore.stub import Stubber

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    RequestValidationError,
    StreamsClient,
)

from . import floor, pairs, rivals
from .pairs import Times
from .requests import FIELDS, TIER, tags

_Made = TypeVar("_Made")

_REPLY = {
    "StreamARN": "arn:aws:kinesisvideo:eu-central-1:123456789012:stream/camera-01/1598784211076",
    "ResponseMetadata": {"RequestId": "1", "HTTPStatusCode": 200, "RetryAttempts": 0},
}
RAW, CONTROL, OURS, FLOOR = "raw boto3", "raw boto3 again", "kvs_streams", "the least"
# Both sides run twice in each round: code that ran seldom would wait for memory more often.
_AGAIN = "kvs_streams again"


def boto_client(endpoint_url: str | None = None, **config: Any) -> Any:
    """Return a boto3 client with made-up credentials, which sends nothing twice."""
    session = boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-central-1")
    retries = {"total_max_attempts": 1}
    return session.client(
        "kinesisvideo", endpoint_url=endpoint_url, config=Config(retries=retries, **config)
    )


class Shape(NamedTuple):
    """What is sent, and whether the time to make it counts."""

    fields: Mapping[str, Any]
    tier: str | None
    is_made_each_time: bool

    def kwargs(self) -> Callable[[], dict[str, Any]]:
        """Return what gives the arguments for raw boto3."""
        return self._giver(rivals.boto_kwargs)

    def request(self) -> Callable[[], CreateStreamRequest]:
        """Return what gives the request for the library."""
        return self._giver(rivals.by_kvs_streams)

    def unchecked(self) -> Callable[[], floor.Request]:
        """Return what gives the request for the least that a wrapper does."""
        return self._giver(floor.unchecked)

    def _giver(self, make: Callable[[Mapping[str, Any], str | None], _Made]) -> Callable[[], _Made]:
        if self.is_made_each_time:
            return lambda: make(self.fields, self.tier)
        made = make(self.fields, self.tier)
        return lambda: made


def _contenders(raw: Any, shape: Shape) -> dict[str, Any]:
    """Return the same call by raw boto3, twice, and by the library: one boto3 client for all."""
    client = StreamsClient(raw)
    kwargs, request, unchecked = shape.kwargs(), shape.request(), shape.unchecked()

    def by_boto() -> object:
        return raw.create_stream(**kwargs())["StreamARN"]

    def by_us() -> object:
        return client.create_stream(request()).stream_arn

    def by_least() -> object:
        return floor.response(raw.create_stream(**unchecked().to_boto())).stream_arn

    return {RAW: by_boto, CONTROL: by_boto, OURS: by_us, _AGAIN: by_us, FLOOR: by_least}


def _async_contenders(
    raw: Any, shape: Shape, send: Callable[..., Awaitable[Any]]
) -> dict[str, Any]:
    """Return the same, awaited; ``send`` is how raw boto3 or aiobotocore is."""
    client = AsyncStreamsClient(raw)
    kwargs, request, unchecked = shape.kwargs(), shape.request(), shape.unchecked()

    async def by_boto() -> object:
        return (await send(**kwargs()))["StreamARN"]

    async def by_us() -> object:
        return (await client.create_stream(request())).stream_arn

    async def by_least() -> object:
        return floor.response(await send(**unchecked().to_boto())).stream_arn

    return {RAW: by_boto, CONTROL: by_boto, OURS: by_us, _AGAIN: by_us, FLOOR: by_least}


def _in_threads(raw: Any, shape: Shape) -> dict[str, Any]:
    """Return the contenders over boto3: each makes its calls in worker threads."""
    return _async_contenders(raw, shape, partial(asyncio.to_thread, raw.create_stream))


_TAGGED = {**FIELDS, "tags": tags(10, ascii_only=True)}
SHAPES = {
    "name only": Shape({"stream_name": FIELDS["stream_name"]}, None, is_made_each_time=False),
    "seven members, 10 tags": Shape(_TAGGED, TIER, is_made_each_time=False),
    "the same, made and checked each time": Shape(_TAGGED, TIER, is_made_each_time=True),
}


def over_http(url: str, shape: str, rounds: int) -> Times:
    """Measure sync calls over HTTP on loopback."""
    return pairs.take_turns(_contenders(boto_client(url), SHAPES[shape]), rounds=rounds)


def over_http_async(url: str, shape: str, rounds: int) -> Times:
    """Measure awaited calls over HTTP on loopback, in worker threads."""
    contenders = _in_threads(boto_client(url), SHAPES[shape])
    return asyncio.run(pairs.take_turns_async(contenders, rounds=rounds))


def with_stubber(shape: str, rounds: int) -> Times:
    """Measure sync calls that a Stubber answers."""
    raw = boto_client()
    with Stubber(raw) as stubber:
        return pairs.take_turns(
            _contenders(raw, SHAPES[shape]),
            rounds=rounds,
            before=lambda: stubber.add_response("create_stream", _REPLY),
        )


def with_stubber_async(shape: str, rounds: int) -> Times:
    """Measure awaited calls that a Stubber answers."""
    raw = boto_client()
    with Stubber(raw) as stubber:
        return asyncio.run(
            pairs.take_turns_async(
                _in_threads(raw, SHAPES[shape]),
                rounds=rounds,
                before=lambda: stubber.add_response("create_stream", _REPLY),
            )
        )


def over_aiobotocore(url: str, shape: str, rounds: int) -> Times:
    """Measure awaited calls of an aiobotocore client."""

    async def measure() -> Times:
        async with AioSession().create_client(
            "kinesisvideo",
            region_name="eu-central-1",
            endpoint_url=url,
            aws_access_key_id="AKIDEXAMPLE",
            aws_secret_access_key="secret",
        ) as raw:
            contenders = _async_contenders(raw, SHAPES[shape], raw.create_stream)
            return await pairs.take_turns_async(contenders, rounds=rounds)

    return asyncio.run(measure())


# Refusals

# What botocore refuses itself, and what it sends to AWS, which refuses it.
REFUSED_BY_BOTO: dict[str, Mapping[str, Any]] = {
    "empty name": {"stream_name": ""},
    "hours below 0": {**FIELDS, "data_retention_in_hours": -1},
    "text for hours": {**FIELDS, "data_retention_in_hours": "24"},
    "number for a tag's value": {**FIELDS, "tags": {"site": 1}},
}
SENT_BY_BOTO: dict[str, Mapping[str, Any]] = {
    "space in the name": {"stream_name": "front door"},
    "name of 257 characters": {"stream_name": "x" * 257},
    "media type without a slash": {**FIELDS, "media_type": "h264"},
    "87,601 hours": {**FIELDS, "data_retention_in_hours": 87_601},
    "51 tags": {**FIELDS, "tags": tags(51, ascii_only=True)},
    "one bad tag of 50": {**FIELDS, "tags": {**tags(49, ascii_only=True), "site!": ""}},
    "a key with aws: among 10": {**FIELDS, "tags": {**tags(9, ascii_only=True), "aws:x": ""}},
}


def _refused(call: Callable[[], object], error: type[Exception]) -> Callable[[], None]:
    def refused() -> None:
        try:
            call()
        except error:
            return
        raise AssertionError("this was to be refused")

    return refused


def refusals(url: str, rounds: int) -> dict[str, dict[str, Times]]:
    """Measure how long a bad request takes to be refused, by where raw boto3 learns of it."""
    raw = boto_client(f"{url}/refuse")
    client = StreamsClient(raw)
    measured: dict[str, dict[str, Times]] = {"by boto3": {}, "by AWS": {}}
    for where, requests, error in (
        ("by boto3", REFUSED_BY_BOTO, ParamValidationError),
        ("by AWS", SENT_BY_BOTO, ClientError),
    ):
        for name, fields in requests.items():
            kwargs = rivals.boto_kwargs(fields, None)

            def by_boto(kwargs: Mapping[str, Any] = kwargs) -> object:
                return raw.create_stream(**kwargs)

            def by_us(fields: Mapping[str, Any] = fields) -> object:
                return client.create_stream(CreateStreamRequest(**fields))

            contenders = {
                RAW: _refused(by_boto, error),
                CONTROL: _refused(by_boto, error),
                OURS: _refused(by_us, RequestValidationError),
            }
            measured[where][name] = pairs.take_turns(contenders, rounds=rounds)
    return measured
