"""A thin typed client for Kinesis Video Streams ``create_stream``.

Models and errors load without boto3: each name is imported when it is first used. Type checkers and
editors read the names in the stub beside this file.
"""

_TYPE_CHECKING = False
if _TYPE_CHECKING:  # never run; PyInstaller and Nuitka find the modules here
    from . import _aio, _client, _flow, _models, _request, errors  # noqa: F401  # pyright: ignore[reportUnusedImport]

_MODULES = {
    "_aio": "AsyncStreamsClient",
    "_client": "StreamsClient",
    "_flow": "ThrottleRetry",
    "_request": "CreateStreamRequest StreamStorageConfiguration",
    "_models": """
        CreateStreamResponse Drift EnsureOutcome EnsuredStream StorageTier StreamArn StreamInfo
        StreamStatus Violation
    """,
    "errors": """
        AccessDeniedError AccountStreamLimitExceededException AuthenticationError
        ClientLimitExceededException ConfigurationError DeviceStreamLimitExceededException
        InvalidArgumentException InvalidDeviceException InvalidRequestError KvsStreamsError
        LimitExceededError RequestValidationError ResourceInUseException
        ResourceNotFoundException ServerError ServiceError StreamDeletingError StreamDriftError
        TagsPerResourceExceededLimitException ThrottlingError TransportError
        UnexpectedResponseError WaitError WaitTimeoutError
    """,
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_HOMES)  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll]  # checkers read the stub


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # slower than all other imports here

        return version("kvs_streams")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  # not needed by a bare import

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
