"""The plugin's hooks and fixtures, for pytest 7.0 with pluggy 1.0 and newer."""

import os
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from kvs_streams import AsyncStreamsClient, StreamsClient

    from ._clients import BotoClient
    from ._kit import MockKvs

_kits = pytest.StashKey["MockKvs"]()  # pyrefly: ignore[not-a-type]
_environments = pytest.StashKey[dict[str, str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    options = "server=False, validate=True, allow_unused=False, region_name='us-east-1'"
    config.addinivalue_line("markers", f"kvs_options({options}): options of the kvs_mock fixture.")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Save the environment at the start of a test."""
    item.stash[_environments] = dict(os.environ)


# Wrappers in the form that pluggy 1.0 supports.
@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Forget the kit of a failed or skipped test; for unittest cases only the report shows it."""
    outcome = yield
    if outcome.excinfo is None and not outcome.get_result().passed and _kits in item.stash:
        del item.stash[_kits]


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, None]:
    """After all fixtures: restore the environment, and report unused faults."""
    outcome = yield
    module: Any = sys.modules.get("kvs_streams.testing._environment")
    if module is not None and _environments in item.stash:
        module.clean_up(item.stash[_environments])
    kit = item.stash.get(_kits, None)
    if kit is None or outcome.excinfo is not None:
        return
    try:
        kit.check_unused()
    except AssertionError as error:
        failure = pytest.fail.Exception(str(error), pytrace=False)
        if not hasattr(outcome, "force_exception"):
            # pluggy 1.0
            raise failure from None
        outcome.force_exception(failure)


@pytest.fixture
def kvs_mock(request: pytest.FixtureRequest) -> "Generator[MockKvs, None, None]":
    """Kinesis Video Streams in memory, with failures on demand; see ``kvs_streams.testing``."""
    from . import mock_kvs

    arguments: list[Any] = []
    options: dict[str, Any] = {}
    # The closest marker is the first.
    for marker in request.node.iter_markers("kvs_options"):
        arguments += marker.args
        options = {**marker.kwargs, **options}
    kit: MockKvs = mock_kvs(*arguments, **options)
    request.node.stash[_kits] = kit
    kit.start()
    yield kit
    # pytest_runtest_teardown reports unused faults.
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
