"""A test kit for code that uses kvs_streams: Kinesis Video Streams in memory, and scripted failures.

``mock_kvs`` is all that a test needs; with pytest the fixture ``kvs_mock`` gives the same. The rest
is here for annotations and ``except`` clauses.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._clients import BotoClient
    from ._errors import UnusedFaultError
    from ._kit import MockKvs, mock_kvs
    from ._records import Call, StreamRecord

__all__ = ["BotoClient", "Call", "MockKvs", "StreamRecord", "UnusedFaultError", "mock_kvs"]


# pytest imports this package in every run, because of the plugin.
def __getattr__(name: str) -> object:
    if name == "BotoClient":
        from ._clients import BotoClient as value
    elif name == "UnusedFaultError":
        from ._errors import UnusedFaultError as value
    elif name in {"MockKvs", "mock_kvs"}:
        from . import _kit

        value = getattr(_kit, name)
    elif name in {"Call", "StreamRecord"}:
        from . import _records

        value = getattr(_records, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
