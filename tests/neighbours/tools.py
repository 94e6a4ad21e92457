"""Tests with the tools that others use beside the kit, each where it is installed."""
# ruff: noqa: ANN001, ANN201 - as users write their tests

import pytest
from hypothesis import given, settings, strategies as st

from kvs_streams import CreateStreamRequest, StreamsClient
from kvs_streams.testing import mock_kvs

REQUEST = CreateStreamRequest(stream_name="cam")
THROTTLE = "ClientLimitExceededException"

with mock_kvs():
    """Import everything, so that no example of Hypothesis misses its deadline."""


def add():
    """Create the camera's stream."""
    with StreamsClient() as client:
        return client.ensure_stream(REQUEST).outcome


@settings(deadline=None)  # a busy machine says nothing about the kit
@given(st.integers(0, 4))
def test_hypothesis(throttles):
    """Each example has a kit of its own, within Hypothesis's deadline."""
    with mock_kvs() as kvs:
        if throttles:
            kvs.fail_next(THROTTLE, times=throttles)
        assert add() == "CREATED"
        assert kvs.count() == throttles + 1


@pytest.mark.parametrize("module,name", [("freezegun", "freeze_time"), ("time_machine", "travel")])
def test_frozen_time(module, name):
    """A clock that stands still stops no wait of ours."""
    frozen = getattr(pytest.importorskip(module), name)("2030-01-01T00:00:00Z")
    with frozen, mock_kvs() as kvs:
        kvs.hold_creating(3)
        assert add() == "CREATED"
        assert kvs.streams["cam"].creation_time.year == 2030


def test_vcr(tmp_path):
    """A cassette has nothing of this service: there is no request over HTTP."""
    vcr = pytest.importorskip("vcr")
    with vcr.use_cassette(str(tmp_path / "cassette.yaml"), record_mode="none") as cassette:
        with mock_kvs():
            assert add() == "CREATED"
        assert len(cassette) == 0


def test_sockets(request):
    """The kit needs no socket."""
    pytest_socket = pytest.importorskip("pytest_socket")
    pytest_socket.disable_socket()
    try:
        with mock_kvs():
            assert add() == "CREATED"
    finally:
        pytest_socket.enable_socket()
