"""A test kit for code that uses kvs_streams: the service in memory, with scripted failures.

A test needs only ``mock_kvs`` or, with pytest, the fixture ``kvs_mock``. The other names are for
annotations and ``except`` clauses.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._clients import BotoClient
    from ._kit import MockKvs, mock_kvs
    from ._records import Call, StreamRecord, UnusedFaultError

__all__ = ["BotoClient", "Call", "MockKvs", "StreamRecord", "UnusedFaultError", "mock_kvs"]


# pytest imports this package in every run, because of the plugin.
def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import _kit

    return getattr(_kit, name)


def __dir__() -> list[str]:
    return list(__all__)
