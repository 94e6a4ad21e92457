"""Tests of a small application, as plain as its users write them; for the oldest pytest and up."""
# ruff: noqa: ANN001, ANN201, PT009 - as users write their tests

import asyncio
import unittest

import pytest

from kvs_streams import AsyncStreamsClient, CreateStreamRequest, StreamsClient
from kvs_streams.testing import mock_kvs

REQUEST = CreateStreamRequest(stream_name="cam")


def add():
    """Create the camera's stream."""
    with StreamsClient() as client:
        return client.ensure_stream(REQUEST).outcome


@pytest.mark.parametrize("_", range(3))
def test_each_starts_empty(kvs_mock, _):
    """The streams of one test are not in the next."""
    kvs_mock.fail_next("ClientLimitExceededException")
    assert add() == "CREATED"
    assert kvs_mock.count() == 2


def test_unused(kvs_mock):
    """This one has an error in teardown."""
    kvs_mock.fail_next("AccessDeniedException")


def test_skipped(kvs_mock):
    """A skip stays a skip."""
    kvs_mock.fail_next("AccessDeniedException")
    pytest.skip("not here")


def test_failed(kvs_mock):
    """A failure is one failure."""
    kvs_mock.fail_next("AccessDeniedException")
    raise AssertionError


def test_async(kvs_async_client):
    """The async client works without a plugin."""
    assert asyncio.run(kvs_async_client.ensure_stream(REQUEST)).outcome == "CREATED"


class CamerasTest(unittest.TestCase):
    """A case that starts its own kit."""

    def setUp(self):
        """Start the kit."""
        self.kvs = mock_kvs().start()
        self.addCleanup(self.kvs.stop)

    def test_throttled(self):
        """A throttle is retried."""
        self.kvs.fail_next("ClientLimitExceededException")
        self.assertEqual(add(), "CREATED")


@mock_kvs
async def ensure():
    """Create the camera's stream."""
    client = AsyncStreamsClient()
    try:
        return (await client.ensure_stream(REQUEST)).outcome
    finally:
        await client.aclose()


def test_decorated():
    """A decorated function has a kit."""
    assert asyncio.run(ensure()) == "CREATED"
