# The public names for type checkers and editors. The imports are absolute, because relative imports
# would also show the modules. Without the aliases jedi would show no names.

from kvs_streams._aio import AsyncStreamsClient as AsyncStreamsClient
from kvs_streams._client import StreamsClient as StreamsClient
from kvs_streams._flow import ThrottleRetry as ThrottleRetry
from kvs_streams._models import (
    CreateStreamResponse as CreateStreamResponse,
    Drift as Drift,
    EnsuredStream as EnsuredStream,
    EnsureOutcome as EnsureOutcome,
    StorageTier as StorageTier,
    StreamArn as StreamArn,
    StreamInfo as StreamInfo,
    StreamStatus as StreamStatus,
    Violation as Violation,
)
from kvs_streams._request import (
    CreateStreamRequest as CreateStreamRequest,
    StreamStorageConfiguration as StreamStorageConfiguration,
)
from kvs_streams.errors import (
    AccessDeniedError as AccessDeniedError,
    AccountStreamLimitExceededException as AccountStreamLimitExceededException,
    AuthenticationError as AuthenticationError,
    ClientLimitExceededException as ClientLimitExceededException,
    ConfigurationError as ConfigurationError,
    DeviceStreamLimitExceededException as DeviceStreamLimitExceededException,
    InvalidArgumentException as InvalidArgumentException,
    InvalidDeviceException as InvalidDeviceException,
    InvalidRequestError as InvalidRequestError,
    KvsStreamsError as KvsStreamsError,
    LimitExceededError as LimitExceededError,
    RequestValidationError as RequestValidationError,
    ResourceInUseException as ResourceInUseException,
    ResourceNotFoundException as ResourceNotFoundException,
    ServerError as ServerError,
    ServiceError as ServiceError,
    StreamDeletingError as StreamDeletingError,
    StreamDriftError as StreamDriftError,
    TagsPerResourceExceededLimitException as TagsPerResourceExceededLimitException,
    ThrottlingError as ThrottlingError,
    TransportError as TransportError,
    UnexpectedResponseError as UnexpectedResponseError,
    WaitError as WaitError,
    WaitTimeoutError as WaitTimeoutError,
)

__version__: str
