"""The pytest plugin: fixtures around ``mock_kvs``.

pytest loads it in every run where kvs_streams is installed, so it imports only pytest until a
fixture is used. With pytest older than 7.0 it does nothing.
"""

import pytest

if hasattr(pytest, "StashKey"):
    from ._fixtures import *  # noqa: F403  # pytest finds its hooks and fixtures by their names
