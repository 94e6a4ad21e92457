"""The pytest plugin: fixtures around ``mock_kvs``.

pytest loads it in every run wherever kvs_streams is installed. So it imports only pytest, and
nothing else before a fixture is used. On a pytest older than 7.0 it does nothing.
"""

import pytest

if hasattr(pytest, "StashKey"):
    from ._fixtures import *  # noqa: F403  # pytest finds its hooks and fixtures by their names
