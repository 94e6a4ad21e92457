"""Fixtures for the tests of the test kit: the kit in both modes, and clients of every kind."""

import asyncio
import importlib.util
from collections.abc import Iterator
from typing import Any

import pytest

from kvs_streams import AsyncStreamsClient, CreateStreamRequest
from kvs_streams.testing import MockKvs, mock_kvs

IN_PROCESS, SERVER = False, True

MODES = [pytest.param(IN_PROCESS, id="in-process"), pytest.param(SERVER, id="server")]

MODES_AND_CALLERS = [
    pytest.param(IN_PROCESS, "sync", id="in-process-sync"),
    pytest.param(IN_PROCESS, "async", id="in-process-async"),
    pytest.param(SERVER, "sync", id="server-sync"),
    pytest.param(SERVER, "async", id="server-async"),
    pytest.param(
        SERVER,
        "aiobotocore",
        id="server-aiobotocore",
        marks=[
            pytest.mark.aiobotocore,
            pytest.mark.skipif(
                importlib.util.find_spec("aiobotocore") is None, reason="aiobotocore is missing"
            ),
        ],
    ),
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test of the kit in both modes, and with each kind of client if it asks for one."""
    if "caller" in metafunc.fixturenames:
        metafunc.parametrize("kvs,caller", MODES_AND_CALLERS, indirect=True)
    elif "kvs" in metafunc.fixturenames:
        metafunc.parametrize("kvs", MODES, indirect=True)


class Caller:
    """A client of ours, sync or async, behind plain calls."""

    def __init__(self, kvs: MockKvs, kind: str) -> None:
        self._kvs = kvs
        self._kind = kind

    def __getattr__(self, method: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            if self._kind == "sync":
                return getattr(self._kvs.client(), method)(*args, **kwargs)
            return asyncio.run(self._awaited(method, *args, **kwargs))

        return call

    async def _awaited(self, method: str, *args: Any, **kwargs: Any) -> Any:
        if self._kind == "async":
            return await getattr(self._kvs.async_client(), method)(*args, **kwargs)
        from aiobotocore.session import get_session

        # It finds region, credentials and endpoint by itself, as an application's would.
        async with get_session().create_client("kinesisvideo") as client:
            return await getattr(AsyncStreamsClient(client), method)(*args, **kwargs)


@pytest.fixture
def kvs(request: pytest.FixtureRequest) -> Iterator[MockKvs]:
    """The kit, in each of its modes."""
    with mock_kvs(server=request.param) as kit:
        yield kit


@pytest.fixture
def caller(request: pytest.FixtureRequest, kvs: MockKvs) -> Caller:
    """A client of each kind."""
    return Caller(kvs, request.param)


@pytest.fixture
def camera() -> CreateStreamRequest:
    """A request."""
    return CreateStreamRequest(stream_name="cam")
