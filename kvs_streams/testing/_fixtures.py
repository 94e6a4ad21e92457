"""The plugin's hooks and fixtures, for pytest 7.0 and newer."""

import os
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, cast

import pytest

if TYPE_CHECKING:
    from kvs_streams import AsyncStreamsClient, StreamsClient

    from ._clients import BotoClient
    from ._kit import MockKvs

_MARKER = "kvs_options"
_OPTIONS = "server", "validate", "allow_unused", "region_name"

_kits = pytest.StashKey["MockKvs"]()  # pyrefly: ignore[not-a-type]
_environments = pytest.StashKey[dict[str, str]]()
_failures = pytest.StashKey[bool]()


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
    """Keep the environment in which a test starts."""
    item.stash[_environments] = dict(os.environ)


# Wrappers in the form that pluggy 1.0 knows.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Keep whether a test failed or was skipped; of a unittest case only the report tells."""
    outcome = yield
    if outcome.excinfo is None and outcome.get_result().outcome != "passed":
        item.stash[_failures] = True


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, None]:
    """After all fixtures: put back the environment, and report what was not used."""
    outcome = yield
    module: Any = sys.modules.get("kvs_streams.testing._environment")
    if module is not None and _environments in item.stash:
        module.clean_up(item.stash[_environments])
    kit = item.stash.get(_kits, None)
    if kit is None or outcome.excinfo is not None or item.stash.get(_failures, False):
        return
    try:
        kit.check_unused()
    except AssertionError as error:
        failure = pytest.fail.Exception(str(error), pytrace=False)
    else:
        return
    if not hasattr(outcome, "force_exception"):
        # pluggy 1.0
        raise failure
    outcome.force_exception(failure)


@pytest.fixture
def kvs_mock(request: pytest.FixtureRequest) -> "Generator[MockKvs, None, None]":
    """Kinesis Video Streams in memory, with failures on demand; see ``kvs_streams.testing``."""
    from . import mock_kvs

    item = cast("pytest.Item", request.node)
    kit = mock_kvs(**_options(item)).start()
    item.stash[_kits] = kit
    yield kit
    # pytest_runtest_teardown reports what was not used.
    kit.stop()


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
