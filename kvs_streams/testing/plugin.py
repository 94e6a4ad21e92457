"""The pytest plugin: fixtures around ``mock_kvs``.

pytest loads it in every run wherever kvs_streams is installed. So it imports only pytest, and
nothing else before a fixture is used. It works on pytest 7.0 with pluggy 1.0; on an older pytest it
does nothing.
"""

import pytest

if hasattr(pytest, "StashKey"):
    from ._fixtures import (
        kvs_async_client,
        kvs_boto_client,
        kvs_client,
        kvs_mock,
        pytest_configure,
        pytest_runtest_makereport,
        pytest_runtest_setup,
        pytest_runtest_teardown,
    )

    __all__ = [
        "kvs_async_client",
        "kvs_boto_client",
        "kvs_client",
        "kvs_mock",
        "pytest_configure",
        "pytest_runtest_makereport",
        "pytest_runtest_setup",
        "pytest_runtest_teardown",
    ]
