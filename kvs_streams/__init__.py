"""A thin typed client for Kinesis Video Streams ``create_stream``.

Models and errors load without boto3: each name is imported when it is first used.
"""

# The stub beside this file has the names; here they come when they are first used.
# pyright: reportUnsupportedDunderAll=false
__all__ = [
    "AccessDeniedError",
    "AccountStreamLimitExceededException",
    "AsyncStreamsClient",
    "AuthenticationError",
    "ClientLimitExceededException",
    "ConfigurationError",
    "CreateStreamRequest",
    "CreateStreamResponse",
    "DeviceStreamLimitExceededException",
    "Drift",
    "EnsureOutcome",
    "EnsuredStream",
    "InvalidArgumentException",
    "InvalidDeviceException",
    "InvalidRequestError",
    "KvsStreamsError",
    "LimitExceededError",
    "RequestValidationError",
    "ResourceInUseException",
    "ResourceNotFoundException",
    "ServerError",
    "ServiceError",
    "StorageTier",
    "StreamArn",
    "StreamDeletingError",
    "StreamDriftError",
    "StreamInfo",
    "StreamStatus",
    "StreamStorageConfiguration",
    "StreamsClient",
    "TagsPerResourceExceededLimitException",
    "ThrottleRetry",
    "ThrottlingError",
    "TransportError",
    "UnexpectedResponseError",
    "Violation",
    "WaitError",
    "WaitTimeoutError",
]

_HOMES = {
    "AsyncStreamsClient": "_aio",
    "StreamsClient": "_client",
    "ThrottleRetry": "_flows",
    "CreateStreamRequest": "_models",
    "CreateStreamResponse": "_models",
    "EnsureOutcome": "_models",
    "EnsuredStream": "_models",
    "StorageTier": "_models",
    "StreamArn": "_models",
    "StreamInfo": "_models",
    "StreamStatus": "_models",
    "StreamStorageConfiguration": "_models",
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # costs more than all the rest here

        return version("kvs_streams")
    if name not in __all__:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415  # not needed by a bare import

    value = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
