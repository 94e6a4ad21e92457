"""A test kit for code that uses kvs_streams: Kinesis Video Streams on moto, and scripted failures.

``mock_kvs`` is all that a test needs; with pytest the fixture ``kvs_mock`` gives the same. The rest
is here for annotations and ``except`` clauses.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._errors import BlockedRequestError, UnusedFaultError
    from ._kit import BotoClient, MockKvs, mock_kvs
    from ._records import Call, StreamRecord

__all__ = [
    "BlockedRequestError",
    "BotoClient",
    "Call",
    "MockKvs",
    "StreamRecord",
    "UnusedFaultError",
    "mock_kvs",
]

_HOMES = {
    "BlockedRequestError": "_errors",
    "BotoClient": "_kit",
    "Call": "_records",
    "MockKvs": "_kit",
    "StreamRecord": "_records",
    "UnusedFaultError": "_errors",
    "mock_kvs": "_kit",
}


# pytest imports this package in every run, for the sake of the plugin.
def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
