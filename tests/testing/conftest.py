"""What the tests of the test kit share: the kit itself, and its clients of every kind."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest

from kvs_streams.testing import MockKvs, mock_kvs

Send = Callable[..., Mapping[str, Any]]


@pytest.fixture
def kvs() -> Iterator[MockKvs]:
    """A running kit."""
    with mock_kvs() as kit:
        yield kit


def aio(service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Make a call with a new client of aiobotocore."""
    from aiobotocore.session import get_session

    async def call() -> Mapping[str, Any]:
        async with get_session().create_client(service) as client:
            reply: dict[str, Any] = await getattr(client, operation)(**parameters)
            if "Payload" in reply:
                reply["Payload"] = await reply["Payload"].read()
            return reply

    return asyncio.run(call())


def boto(service: str, operation: str, **parameters: Any) -> Mapping[str, Any]:
    """Make a call with a new client of boto3."""
    client: Any = boto3.client(service)
    reply: dict[str, Any] = getattr(client, operation)(**parameters)
    if "Payload" in reply:
        reply["Payload"] = reply["Payload"].read()
    return reply


@pytest.fixture(params=[boto, pytest.param(aio, marks=pytest.mark.aiobotocore)])
def send(request: pytest.FixtureRequest) -> Send:
    """A way to make a call: with boto3, and with aiobotocore."""
    if request.param is aio:
        pytest.importorskip("aiobotocore")
    return request.param
