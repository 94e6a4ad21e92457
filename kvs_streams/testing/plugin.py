"""The pytest plugin: fixtures around ``mock_kvs``.

pytest loads it in every run wherever kvs_streams is installed. So it imports only pytest, and the
rest when a fixture is used.
"""

import os
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from kvs_streams import AsyncStreamsClient, StreamsClient

    from ._kit import BotoClient, MockKvs

_MARKER = "kvs_options"
_CHANGES = "kvs_streams.testing._changes"
_OPTIONS = "server", "validate", "allow_unused", "region_name"

_kits = pytest.StashKey["MockKvs"]()  # pyrefly: ignore[not-a-type]
_environments = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
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
            raise pytest.UsageError(f"{_MARKER} takes the keyword arguments {', '.join(_OPTIONS)}")
        options = {**marker.kwargs, **options}
    return options


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Keep the environment in which a test starts, if it may use the kit."""
    if _CHANGES in sys.modules or "kvs_mock" in getattr(item, "fixturenames", ()):
        item.stash[_environments] = dict(os.environ)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Put back what other fixtures have brought back of the kit's after it had stopped."""
    try:
        return (yield)
    finally:
        if _CHANGES in sys.modules:
            from ._changes import undo_again

            undo_again(item.stash.get(_environments, None))


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(request: pytest.FixtureRequest) -> None:
    """Put back what a fixture brings back of the kit's when it ends, later than its first test."""
    if request.scope != "function" and _CHANGES in sys.modules:
        from ._changes import running

        for changes in running():
            # Added before the fixture's own, so that it runs after them.
            request.addfinalizer(changes.again)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that passed, but did not use everything that it scripted."""
    result = yield
    kit = item.stash.get(_kits, None)
    if kit is not None:
        text = ""
        try:
            kit.check_unused()
        except AssertionError as error:
            text = str(error)
        # Outside of the handler, since pytest would show its error too.
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
    # pytest_runtest_call has reported what was not used.
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
