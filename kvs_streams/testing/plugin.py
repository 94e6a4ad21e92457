"""The pytest plugin: fixtures around ``mock_kvs``.

It is loaded in every pytest run of everybody who has kvs_streams installed. So it imports pytest
alone; the rest comes with the first fixture that is used.
"""

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from kvs_streams import AsyncStreamsClient, StreamsClient

    from ._kit import BotoClient, MockKvs

_MARKER = "kvs_options"
_OPTIONS = "server", "validate", "allow_unused", "region_name"

_kits = pytest.StashKey["MockKvs"]()  # pyrefly: ignore[not-a-type]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(server=False, validate=True, allow_unused=False, region_name='us-east-1'): "
        "options of the kvs_mock fixture, as for kvs_streams.testing.mock_kvs.",
    )


def _options(item: pytest.Item) -> dict[str, Any]:
    options: dict[str, Any] = {}
    # The closest marker is the first.
    for marker in item.iter_markers(_MARKER):
        if marker.args or not marker.kwargs.keys() <= set(_OPTIONS):
            msg = f"{_MARKER} takes the keyword arguments {', '.join(_OPTIONS)}"
            raise pytest.UsageError(msg)
        options = {**marker.kwargs, **options}
    return options


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed, yet left unused what it had scripted."""
    result = yield
    kit = item.stash.get(_kits, None)
    if kit is not None:
        text = ""
        try:
            kit.check_unused()
        except AssertionError as error:
            text = str(error)
        # Outside of the handler, for pytest would show its error as well.
        if text:
            pytest.fail(text, pytrace=False)
    return result


@pytest.fixture
def kvs_mock(request: pytest.FixtureRequest) -> "Generator[MockKvs, None, None]":
    """Kinesis Video Streams on moto, with failures on demand; see ``kvs_streams.testing``."""
    from . import mock_kvs

    item = cast("pytest.Item", request.node)
    kit = mock_kvs(**_options(item)).start()
    item.stash[_kits] = kit
    yield kit
    # pytest_runtest_call has said already what was left unused.
    kit.stop(check=False)


@pytest.fixture
def kvs_client(kvs_mock: "MockKvs") -> "StreamsClient":
    """A ``StreamsClient`` for the streams of ``kvs_mock``."""
    return kvs_mock.client()


@pytest.fixture
def kvs_async_client(kvs_mock: "MockKvs") -> "AsyncStreamsClient":
    """An ``AsyncStreamsClient`` for the streams of ``kvs_mock``."""
    return kvs_mock.async_client()


@pytest.fixture
def kvs_boto_client(kvs_mock: "MockKvs") -> "BotoClient":
    """A plain boto3 client for the streams of ``kvs_mock``."""
    return kvs_mock.boto_client()
