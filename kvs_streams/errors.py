"""Every error that kvs_streams raises.

KvsStreamsError
├── RequestValidationError (ValueError)           nothing was sent
├── ServiceError (botocore ClientError)           AWS answered with an error
│   ├── InvalidRequestError                       as it stands it can never succeed
│   │   ├── InvalidArgumentException
│   │   ├── InvalidDeviceException
│   │   └── TagsPerResourceExceededLimitException
│   ├── ResourceInUseException
│   ├── ResourceNotFoundException
│   ├── LimitExceededError                        a quota is used up; retrying does not help
│   │   ├── AccountStreamLimitExceededException
│   │   └── DeviceStreamLimitExceededException
│   ├── ThrottlingError                           slow down
│   │   └── ClientLimitExceededException
│   ├── AccessDeniedError                         not allowed
│   ├── AuthenticationError                       who are you?
│   └── ServerError                               5xx
├── TransportError (BotoCoreError)                no usable answer came
├── ConfigurationError (BotoCoreError)            nothing was sent
├── UnexpectedResponseError                       a success without the data it must carry
├── WaitError
│   ├── WaitTimeoutError (TimeoutError)
│   └── StreamDeletingError                       it will never become ACTIVE
└── StreamDriftError                              it exists with another configuration

The seven exceptions that the operation documents keep AWS's names; ours end in ``Error``.
Every error pickles and copies with all its data, save ``__cause__``, which no pickle carries.
No text in them holds a credential or a raw control character.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from attrs import frozen
from botocore.exceptions import BotoCoreError, ClientError

from ._text import VALUE_LIMIT, clean, printable, shown

if TYPE_CHECKING:
    from ._models import CreateStreamResponse, StreamInfo, StreamStatus

__all__ = [
    "AccessDeniedError",
    "AccountStreamLimitExceededException",
    "AuthenticationError",
    "ClientLimitExceededException",
    "ConfigurationError",
    "DeviceStreamLimitExceededException",
    "Drift",
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
    "StreamDeletingError",
    "StreamDriftError",
    "TagsPerResourceExceededLimitException",
    "ThrottlingError",
    "TransportError",
    "UnexpectedResponseError",
    "Violation",
    "WaitError",
    "WaitTimeoutError",
]

# Long enough for any sentence of AWS's, short enough for a log line.
_MESSAGE_LIMIT = 600
# A request with thousands of bad tags has thousands of violations; the text names the first ones.
_VIOLATIONS_SHOWN = 20


def show_as_public(names: Sequence[str], namespace: Mapping[str, Any]) -> None:
    """Let tracebacks, reprs and pickles show the names that users import."""
    for name in names:
        namespace[name].__module__ = "kvs_streams"


Rule = Literal[
    "required",
    "type",
    "min_length",
    "max_length",
    "pattern",
    "min",
    "max",
    "max_items",
    "reserved_prefix",
    "enum",
    "unknown",
]


@frozen
class Violation:
    """One fault of a request: which field breaks which published rule, and with what value."""

    parameter: str
    """AWS's name of the parameter, such as ``Tags``."""

    field: str
    """The path to the fault in Python's terms, such as ``tags['k!']``."""

    rule: Rule
    """The rule that is broken, such as ``max_length``."""

    message: str
    """The fault in one plain sentence."""

    value: str
    """The value as text, escaped and cut; empty where the rule is ``unknown``."""


@frozen
class Drift:
    """One difference between what a request asks for and what the existing stream has."""

    field: str
    """The path to the field in Python's terms, such as ``media_type`` or ``tags['site']``."""

    requested: str | int
    """What the request asks for."""

    found: str | int | None
    """What the stream has; ``None`` if it has nothing there."""


def _rebuild(
    cls: "type[KvsStreamsError]", args: tuple[object, ...], state: dict[str, object]
) -> "KvsStreamsError":
    """Make an unpickled or copied error without its constructor, which wants other arguments."""
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class KvsStreamsError(Exception):
    """The root of every error that this library raises on purpose."""

    created: "CreateStreamResponse | None" = None
    """The answer to the create, where a later step of ``ensure_stream`` failed; else ``None``.

    The stream it names exists, or did: its ARN is here so that it is never lost.
    """

    def __init__(self, message: str) -> None:
        """Make an error whose text is ``message``, made printable."""
        # Exception, not super(): of our foreign parents BotoCoreError wants to format its own text.
        Exception.__init__(self, printable(message))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy with every attribute."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))


class RequestValidationError(KvsStreamsError, ValueError):
    """The request breaks published rules, all listed in ``violations``; nothing was sent."""

    violations: tuple[Violation, ...]
    """Every fault of the request, in the order of its fields."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        """Make the error from at least one violation."""
        self.violations = tuple(violations)
        count = len(self.violations)
        texts = [violation.message for violation in self.violations[:_VIOLATIONS_SHOWN]]
        if count > len(texts):
            texts.append(f"and {count - len(texts)} more")
        faults = "1 fault" if count == 1 else f"{count} faults"
        super().__init__(f"invalid request, nothing was sent ({faults}): {'; '.join(texts)}")


class ServiceError(KvsStreamsError, ClientError):
    """AWS answered with an error.

    An error code that this version does not know stays a plain ``ServiceError``, with all its data.
    """

    retryable: ClassVar[bool] = False
    """Whether the same request can succeed later without any change."""

    operation_name: str
    """AWS's name of the operation, such as ``CreateStream``."""

    code: str
    """AWS's error code, such as ``ResourceInUseException``; a status such as ``"403"`` if none."""

    message: str
    """AWS's own sentence."""

    request_id: str | None
    """The id of the request, which AWS Support asks for."""

    http_status_code: int | None
    """The HTTP status of the reply."""

    retry_attempts: int
    """Every request sent for this call, botocore's retries and ours, less one."""

    stream_name: str | None
    """The stream that the call was about, where that is known."""

    response: dict[str, Any]  # type: ignore[assignment]  # botocore-stubs says TypedDict
    """The whole reply as boto3 gives it: ``Error`` and ``ResponseMetadata``."""

    def __init__(
        self,
        error_response: Mapping[str, Any],
        operation_name: str,
        *,
        stream_name: str | None = None,
        retry_attempts: int | None = None,
    ) -> None:
        """Make the error from boto's reply; the first two arguments are those of ``ClientError``.

        Args:
            error_response: boto's reply: ``{"Error": {"Code": …, "Message": …}, …}``.
            operation_name: AWS's name of the operation, such as ``CreateStream``.
            stream_name: The stream that the call was about.
            retry_attempts: The requests sent, less one; by default what the reply says.
        """
        response: Any = clean(error_response)
        error: dict[str, Any] = response.get("Error") or {}
        metadata: dict[str, Any] = response.get("ResponseMetadata") or {}
        self.response = response  # pyright: ignore[reportIncompatibleVariableOverride]
        self.operation_name = printable(operation_name)
        self.code = str(error.get("Code") or "Unknown")
        self.message = str(error.get("Message") or "")
        self.request_id = metadata.get("RequestId")
        self.http_status_code = metadata.get("HTTPStatusCode")
        if retry_attempts is None:
            retry_attempts = int(metadata.get("RetryAttempts") or 0)
        self.retry_attempts = retry_attempts
        self.stream_name = None if stream_name is None else printable(stream_name)
        super().__init__(self._text())

    def _text(self) -> str:
        """Word the error as botocore does, and add what helps to find it again."""
        details: list[str] = []
        if self.stream_name is not None:
            details.append(f"stream {shown(self.stream_name)}")
        if self.request_id:
            details.append(f"request id {printable(self.request_id, VALUE_LIMIT)}")
        if self.retry_attempts:
            details.append(f"retry attempts {self.retry_attempts}")
        code = printable(self.code, VALUE_LIMIT)
        message = printable(self.message or "no message", _MESSAGE_LIMIT)
        operation = f"the {self.operation_name} operation"
        text = f"An error occurred ({code}) when calling {operation}: {message}"
        return f"{text} [{', '.join(details)}]" if details else text


class InvalidRequestError(ServiceError):
    """AWS refused the request as it stands; sending it again can never succeed."""


class InvalidArgumentException(InvalidRequestError):
    """The value of an input parameter is not valid."""


class InvalidDeviceException(InvalidRequestError):
    """The device does not fit the stream; AWS documents this as not implemented."""


class TagsPerResourceExceededLimitException(InvalidRequestError):
    """The stream would have more tags than the 50 that are allowed."""


class ResourceInUseException(ServiceError):
    """The stream exists already, or it is in a state that forbids the operation."""

    possibly_own: bool
    """Whether an earlier attempt of the same call may have created the stream.

    True where botocore sent this call more than once: an earlier reply may have been lost on its
    way. ``ensure_stream`` finds out.
    """

    def __init__(
        self,
        error_response: Mapping[str, Any],
        operation_name: str,
        *,
        stream_name: str | None = None,
        retry_attempts: int | None = None,
        possibly_own: bool = False,
    ) -> None:
        """Make the error from boto's reply, as for ``ServiceError``.

        Args:
            error_response: boto's reply: ``{"Error": {"Code": …, "Message": …}, …}``.
            operation_name: AWS's name of the operation, such as ``CreateStream``.
            stream_name: The stream that the call was about.
            retry_attempts: The requests sent, less one; by default what the reply says.
            possibly_own: Whether an earlier attempt may have created the stream.
        """
        self.possibly_own = possibly_own
        super().__init__(
            error_response, operation_name, stream_name=stream_name, retry_attempts=retry_attempts
        )

    def _text(self) -> str:
        """Say in the text too that the stream may be the caller's own."""
        if not self.possibly_own:
            return super()._text()
        return (
            f"{super()._text()} (an earlier attempt of this same call may have created it: "
            "ensure_stream finds out)"
        )


class ResourceNotFoundException(ServiceError):
    """There is no such stream, or it cannot be seen yet."""


class LimitExceededError(ServiceError):
    """A quota of the account or the device is used up; retrying does not help."""


class AccountStreamLimitExceededException(LimitExceededError):
    """The account has as many streams in this region as it may have."""


class DeviceStreamLimitExceededException(LimitExceededError):
    """The device has as many streams as it may have; AWS documents this as not implemented."""


class ThrottlingError(ServiceError):
    """Too many requests at a time: slow down and try again."""

    retryable = True


class ClientLimitExceededException(ThrottlingError):
    """Kinesis Video Streams' own throttle, which botocore never retries and this library does."""


class AccessDeniedError(ServiceError):
    """The caller is known and is not allowed to do this."""


class AuthenticationError(ServiceError):
    """AWS does not accept the credentials: wrong, expired, or signed with a wrong clock."""


class ServerError(ServiceError):
    """AWS failed on its side (HTTP 5xx); for a create, the stream may exist all the same."""

    retryable = True


class TransportError(KvsStreamsError, BotoCoreError):
    """No usable answer came: no connection, a timeout, or a connection lost on the way."""

    outcome_unknown: bool
    """Whether the request may have reached AWS, so that the stream may exist.

    False only where it is certain that nothing arrived: the client makes a single attempt, and that
    one failed before sending.
    """

    operation_name: str | None
    """AWS's name of the operation, such as ``CreateStream``."""

    stream_name: str | None
    """The stream that the call was about, where that is known."""

    def __init__(
        self,
        message: str,
        *,
        operation_name: str | None = None,
        stream_name: str | None = None,
        outcome_unknown: bool = True,
    ) -> None:
        """Make the error with what is known of the call that failed."""
        super().__init__(message)
        self.kwargs: Mapping[str, Any] = {}
        self.operation_name = operation_name
        self.stream_name = stream_name
        self.outcome_unknown = outcome_unknown


class ConfigurationError(KvsStreamsError, BotoCoreError):
    """The client cannot work as it is set up: no region, no credentials, a bad endpoint.

    Nothing was sent.
    """

    def __init__(self, message: str) -> None:
        """Make the error; the message says how to set what is missing."""
        super().__init__(message)
        self.kwargs: Mapping[str, Any] = {}


class UnexpectedResponseError(KvsStreamsError):
    """AWS answered with a success that lacks the data it must carry; nothing is invented."""

    operation_name: str
    """AWS's name of the operation, such as ``CreateStream``."""

    stream_name: str | None
    """The stream that the call was about, where that is known."""

    request_id: str | None
    """The id of the request, which AWS Support asks for."""

    def __init__(
        self,
        message: str,
        *,
        operation_name: str,
        stream_name: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Make the error with what is known of the call."""
        super().__init__(message)
        self.operation_name = operation_name
        self.stream_name = stream_name
        self.request_id = None if request_id is None else printable(request_id)


class WaitError(KvsStreamsError):
    """A wait ended without the stream being ACTIVE."""

    stream_name: str | None
    """The name of the stream, or the ARN that the call was given."""

    last_status: "StreamStatus | None"
    """The status last seen; ``None`` if the stream was never seen."""

    waited: float
    """The time waited, in seconds."""

    def __init__(
        self,
        message: str,
        *,
        stream_name: str | None = None,
        last_status: "StreamStatus | None" = None,
        waited: float = 0.0,
    ) -> None:
        """Make the error with what was last known of the stream."""
        super().__init__(message)
        self.stream_name = stream_name
        self.last_status = last_status
        self.waited = waited


class WaitTimeoutError(WaitError, TimeoutError):
    """The time given was not enough; the last error met, if any, is the cause."""


class StreamDeletingError(WaitError):
    """The stream is being deleted: it will never become ACTIVE."""


class StreamDriftError(KvsStreamsError):
    """The stream exists with a configuration that differs from the one asked for."""

    drift: tuple[Drift, ...]
    """Every difference, in the order of the request's fields."""

    stream: "StreamInfo"
    """The stream as it is."""

    unverified: tuple[str, ...]
    """The fields that could not be compared."""

    def __init__(
        self, drift: Sequence[Drift], *, stream: "StreamInfo", unverified: Sequence[str] = ()
    ) -> None:
        """Make the error from at least one difference."""
        self.drift = tuple(drift)
        self.stream = stream
        self.unverified = tuple(unverified)
        differences = "; ".join(
            f"{item.field} is {shown(item.found)}, requested {shown(item.requested)}"
            for item in self.drift[:_VIOLATIONS_SHOWN]
        )
        more = len(self.drift) - _VIOLATIONS_SHOWN
        super().__init__(
            f"stream {shown(stream.stream_name)} exists with another configuration: "
            f"{differences}{f'; and {more} more' if more > 0 else ''}"
        )


show_as_public(__all__, globals())
