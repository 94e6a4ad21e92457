"""Whole calls beside raw boto3's, the request included."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any

import boto3
from aiobotocore.session import AioSession
from botocore.stub import Stubber

from kvs_streams import AsyncStreamsClient, CreateStreamRequest, StreamsClient

from . import pairs
from .control_plane import running
from .report import table
from .validation import FIELDS, boto_kwargs, by_kvs_streams, tags

_REPLY = {
    "StreamARN": "arn:aws:kinesisvideo:eu-central-1:123456789012:stream/camera-01/1598784211076",
    "ResponseMetadata": {"RequestId": "1", "HTTPStatusCode": 200, "RetryAttempts": 0},
}
_RAW, _CONTROL, _OURS, _AGAIN = "raw boto3", "raw boto3 again", "kvs_streams", "kvs_streams again"
_SHAPES: dict[str, tuple[Mapping[str, Any], str | None]] = {
    "name only": ({}, None),
    "seven members, 10 tags": ({**FIELDS, "tags": tags(10)}, "WARM"),
}
_KEYS = {"aws_access_key_id": "AKID123456789012", "aws_secret_access_key": "made-up"}
_PLACE = {**_KEYS, "region_name": "eu-central-1"}


class _Requests:
    """The arguments of both sides, with a new name for each call."""

    def __init__(self, shape: str) -> None:
        self._fields, self._tier = _SHAPES[shape]
        self._numbers = count()

    def _named(self) -> dict[str, Any]:
        return {**self._fields, "stream_name": f"camera-{next(self._numbers):06}"}

    def kwargs(self) -> dict[str, Any]:
        return boto_kwargs(self._named(), self._tier)

    def request(self) -> CreateStreamRequest:
        return by_kvs_streams(self._named(), self._tier)


def _sync(raw: Any, shape: str) -> dict[str, Callable[[], object]]:
    """Return the same call by raw boto3 and by the library, twice each: one client for all."""
    client, requests = StreamsClient(raw), _Requests(shape)

    def by_boto() -> object:
        return raw.create_stream(**requests.kwargs())["StreamARN"]

    def by_us() -> object:
        return client.create_stream(requests.request()).stream_arn

    return {_RAW: by_boto, _CONTROL: by_boto, _OURS: by_us, _AGAIN: by_us}


def _async(raw: Any, shape: str, *, in_threads: bool) -> dict[str, Callable[[], Any]]:
    """Return the same, awaited."""
    client, requests = AsyncStreamsClient(raw), _Requests(shape)

    async def by_boto() -> object:
        kwargs = requests.kwargs()
        if in_threads:
            return (await asyncio.to_thread(raw.create_stream, **kwargs))["StreamARN"]
        return (await raw.create_stream(**kwargs))["StreamARN"]

    async def by_us() -> object:
        return (await client.create_stream(requests.request())).stream_arn

    return {_RAW: by_boto, _CONTROL: by_boto, _OURS: by_us, _AGAIN: by_us}


def _stubbed(shape: str, rounds: int) -> pairs.Times:
    raw = boto3.client("kinesisvideo", **_PLACE)
    with Stubber(raw) as stubber:
        add = partial(stubber.add_response, "create_stream", _REPLY)
        return pairs.take_turns(_sync(raw, shape), rounds, before=add)


async def _aiobotocore(url: str, shape: str, rounds: int) -> pairs.Times:
    session = AioSession()
    async with session.create_client("kinesisvideo", endpoint_url=url, **_PLACE) as raw:
        return await pairs.take_turns_async(_async(raw, shape, in_threads=False), rounds)


def report(scale: float) -> Iterator[str]:
    """Yield the table of all calls."""
    rounds, rows = round(2_000 * scale), []
    quick = {"rate": 1e9, "burst": 1e9, "latency": (0, 0), "account_limit": 10**9}
    for shape in _SHAPES:
        with running(**quick) as plane:
            raw = boto3.client("kinesisvideo", endpoint_url=plane.url, **_PLACE)
            over = {"Stubber": _stubbed(shape, 2 * rounds)}
            over["HTTP"] = pairs.take_turns(_sync(raw, shape), rounds)
        with running(**quick) as plane:
            raw = boto3.client("kinesisvideo", endpoint_url=plane.url, **_PLACE)
            contenders = _async(raw, shape, in_threads=True)
            over["HTTP, asyncio"] = asyncio.run(pairs.take_turns_async(contenders, rounds))
        with running(**quick) as plane:
            over["HTTP, aiobotocore"] = asyncio.run(_aiobotocore(plane.url, shape, rounds))
        for name, times in over.items():
            ratio = times.ratio(_OURS, _RAW, _CONTROL)
            rows.append((name, shape, times.micro(_RAW), times.micro(_OURS), ratio))
    yield "## A whole call, the request included"
    yield table(("Over", "Request", "Raw", "Ours", "Ours / raw"), rows)
