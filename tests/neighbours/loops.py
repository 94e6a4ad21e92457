"""Tests with an event loop of pytest-asyncio or anyio, with aiobotocore where it is installed."""
# ruff: noqa: ANN001, ANN201 - as users write their tests

import importlib.util

import pytest

from kvs_streams import AsyncStreamsClient, CreateStreamRequest

ASYNCIO = importlib.util.find_spec("pytest_asyncio")
pytestmark = pytest.mark.asyncio if ASYNCIO else pytest.mark.anyio
REQUEST = CreateStreamRequest(stream_name="cam")


@pytest.fixture
def anyio_backend():
    """Run on asyncio, as aiobotocore does."""
    return "asyncio"


async def test_slow_creation(kvs_mock, kvs_async_client):
    """Polls take no time."""
    kvs_mock.hold_creating(5)
    assert (await kvs_async_client.ensure_stream(REQUEST)).outcome == "CREATED"
    assert kvs_mock.elapsed > 3


@pytest.mark.parametrize(
    "server",
    [pytest.param(each, marks=pytest.mark.kvs_options(server=each)) for each in (True, False)],
)
async def test_aiobotocore(kvs_mock, server):
    """A client of aiobotocore needs no server, and no region, keys or endpoint."""
    session = pytest.importorskip("aiobotocore.session").get_session()
    kvs_mock.fail_next("InternalFailure", attempts=1)
    async with session.create_client("kinesisvideo") as client:
        ensured = await AsyncStreamsClient(client).ensure_stream(REQUEST)
    assert ensured.outcome == "CREATED"
