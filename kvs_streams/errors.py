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
│   ├── AuthenticationError                       the credentials are not accepted
│   └── ServerError                               5xx
├── TransportError (BotoCoreError)                no usable response
├── ConfigurationError (BotoCoreError)            the client cannot work as it is set up
├── UnexpectedResponseError                       a success without the data it must carry
├── WaitError
│   ├── WaitTimeoutError (TimeoutError)
│   └── StreamDeletingError                       it will never become ACTIVE
└── StreamDriftError                              it exists with another configuration

The seven exceptions that AWS documents for the operation keep AWS's names; ours end in ``Error``.
Every error pickles and copies with all its data except ``__cause__``, which no pickle carries.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from ._results import VIOLATIONS_LIMIT, CreateStreamResponse, Drift, StreamInfo, Violation
from ._text import VALUE_LIMIT, clean, escape, is_mapping, printable, shown, to_count
from ._values import StreamStatus

__all__ = [
    "AccessDeniedError",
    "AccountStreamLimitExceededException",
    "AuthenticationError",
    "ClientLimitExceededException",
    "ConfigurationError",
    "DeviceStreamLimitExceededException",
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
    "WaitError",
    "WaitTimeoutError",
]

# Long enough for any sentence of AWS's, short enough for a log line.
_MESSAGE_LIMIT = 600
# A request with thousands of bad tags has thousands of violations; the text names the first ones.
_ITEMS_SHOWN = 20


def _rebuild(
    cls: "type[KvsStreamsError]", args: tuple[object, ...], state: dict[str, object]
) -> "KvsStreamsError":
    """Unpickle or copy an error without its constructor, which takes other arguments.

    An attribute that an older version did not have gets the value that its class gives it.
    """
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


def _listed(texts: Sequence[str], count: int) -> str:
    """Join the first of ``count`` texts, and say how many more there are."""
    more = count - len(texts)
    return "; ".join([*texts, *([f"and {more} more"] if more else [])])


def _escaped(stream_name: str | None) -> str | None:
    """Return the name or the ARN of a stream, which can look like a key ID and stays whole."""
    return None if stream_name is None else escape(stream_name)


class KvsStreamsError(Exception):
    """The root of every error that this library raises on purpose."""

    retryable: ClassVar[bool] = False
    """Whether the same request can succeed later without any change."""

    created: CreateStreamResponse | None = None
    """AWS's response to the create, if a later step of ``ensure_stream`` failed; else ``None``.

    It carries the ARN of the stream that was created, which may still exist.
    """

    def __init__(self, message: str) -> None:
        """Make an error from its text, of which each part is free of secrets already."""
        # Exception, not super(): BotoCoreError, a parent of some, formats a text of its own.
        Exception.__init__(self, escape(message))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy with every attribute."""
        return _rebuild, (type(self), self.args, dict(self.__dict__))


class RequestValidationError(KvsStreamsError, ValueError):
    """The request breaks published rules, all listed in ``violations``; nothing was sent."""

    violations: tuple[Violation, ...] = ()
    """Every fault of the request, in the order of its fields; of more than 1,000 the first ones.

    The message says how many there are.
    """

    def __init__(self, violations: Sequence[Violation]) -> None:
        """Make the error from at least one violation."""
        self.violations = tuple(violations[:VIOLATIONS_LIMIT])
        more: int = getattr(violations, "more", 0)  # those that no violation describes
        count = len(violations) + more
        faults = "1 fault" if count == 1 else f"{count} faults"
        texts = [violation.message for violation in violations[:_ITEMS_SHOWN]]
        super().__init__(f"invalid request, nothing was sent ({faults}): {_listed(texts, count)}")


class ServiceError(KvsStreamsError, ClientError):
    """AWS answered with an error; an error code that is not known here stays a ``ServiceError``.

    Args:
        error_response: boto's response: ``{"Error": {"Code": …, "Message": …}, …}``.
        operation_name: AWS's name of the operation, such as ``CreateStream``.
        stream_name: The stream of the call.
        retry_attempts: The number of requests sent, less one; by default botocore's count.
    """

    operation_name: str = ""
    """AWS's name of the operation, such as ``CreateStream``."""

    code: str = "Unknown"
    """AWS's error code, such as ``ResourceInUseException``; a status such as ``"403"`` if none."""

    message: str = ""
    """AWS's message."""

    request_id: str | None = None
    """The request id, which AWS Support asks for; ``None`` if the response had none."""

    http_status_code: int | None = None
    """The HTTP status of the response; ``None`` if the response had none."""

    retry_attempts: int = 0
    """The number of requests sent for this call, by botocore and by this library, less one."""

    stream_name: str | None = None
    """The stream of the call, if it is known."""

    response: dict[str, Any]  # type: ignore[assignment]  # botocore-stubs says TypedDict
    """The whole response as boto3 gives it: ``Error`` and ``ResponseMetadata``."""

    def __init__(
        self,
        error_response: Mapping[str, Any],
        operation_name: str,
        *,
        stream_name: str | None = None,
        retry_attempts: int | None = None,
    ) -> None:
        # Free of secrets from here on, which whatever is taken from it therefore is too.
        response = clean(error_response)
        self.response = response  # pyright: ignore[reportIncompatibleVariableOverride]
        error, metadata = _part(response, "Error"), _part(response, "ResponseMetadata")
        self.operation_name = printable(operation_name)
        self.code = _string(error, "Code") or "Unknown"
        self.message = _string(error, "Message")
        self.request_id = _string(metadata, "RequestId") or None
        self.http_status_code = to_count(metadata.get("HTTPStatusCode"))
        if retry_attempts is None:
            retry_attempts = to_count(metadata.get("RetryAttempts")) or 0
        self.retry_attempts = retry_attempts
        self.stream_name = _escaped(stream_name)
        super().__init__(self._text())

    def _text(self) -> str:
        """Word the error as botocore does, and add what helps to find the request."""
        details: list[str] = []
        if self.stream_name is not None:
            details.append(f"stream {shown(self.stream_name, redacted=False)}")
        if self.request_id:
            details.append(f"request id {escape(self.request_id, VALUE_LIMIT)}")
        if self.retry_attempts:
            details.append(f"retry attempts {self.retry_attempts}")
        code = escape(self.code, VALUE_LIMIT)
        message = escape(self.message or "no message", _MESSAGE_LIMIT)
        operation = f"the {self.operation_name} operation"
        text = f"An error occurred ({code}) when calling {operation}: {message}"
        return f"{text} [{', '.join(details)}]" if details else text


def _part(response: object, name: str) -> Mapping[str, Any]:
    """Return a part of a response; empty if it is missing or is no mapping."""
    part = response.get(name) if is_mapping(response) else None
    return part if is_mapping(part) else {}


def _string(part: Mapping[str, Any], name: str) -> str:
    """Return a member of a response as text, of whatever type it is; empty if it is missing."""
    value = part.get(name)
    return value if isinstance(value, str) else shown(value) if value else ""


class InvalidRequestError(ServiceError):
    """AWS refused the request as it stands; sending it again can never succeed."""


class InvalidArgumentException(InvalidRequestError):
    """The value of an input parameter is not valid."""


class InvalidDeviceException(InvalidRequestError):
    """The device does not fit the stream; AWS documents this as not implemented."""


class TagsPerResourceExceededLimitException(InvalidRequestError):
    """The stream would have more than the 50 tags that are allowed."""


class ResourceInUseException(ServiceError):
    """The stream exists already, or its status does not allow the operation.

    Args:
        error_response: boto's response: ``{"Error": {"Code": …, "Message": …}, …}``.
        operation_name: AWS's name of the operation, such as ``CreateStream``.
        stream_name: The stream of the call.
        retry_attempts: The number of requests sent, less one; by default botocore's count.
        possibly_own: Whether an earlier attempt may have created the stream.
    """

    possibly_own: bool = False
    """Whether an earlier attempt of the same call may have created the stream.

    True if botocore sent any attempt of this call more than once: the response to the first one may
    have been lost. ``ensure_stream`` finds out.
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
        self.possibly_own = possibly_own
        super().__init__(
            error_response, operation_name, stream_name=stream_name, retry_attempts=retry_attempts
        )

    def _text(self) -> str:
        if not self.possibly_own:
            return super()._text()
        return (
            f"{super()._text()} (an earlier attempt of this call may have created it; "
            "ensure_stream finds out)"
        )


class ResourceNotFoundException(ServiceError):
    """The stream does not exist, or it is not visible yet."""


class LimitExceededError(ServiceError):
    """A quota of the account or device is used up; retrying does not help."""


class AccountStreamLimitExceededException(LimitExceededError):
    """The account has as many streams in this region as its quota allows."""


class DeviceStreamLimitExceededException(LimitExceededError):
    """The device has as many streams as it may have; AWS documents this as not implemented."""


class ThrottlingError(ServiceError):
    """Too many requests: slow down and retry."""

    retryable = True


class ClientLimitExceededException(ThrottlingError):
    """The throttle of Kinesis Video Streams, which botocore never retries and this library does."""


class AccessDeniedError(ServiceError):
    """The caller is authenticated, and not allowed to do this."""


class AuthenticationError(ServiceError):
    """AWS does not accept the credentials: wrong, expired, or signed with a wrong clock."""


class ServerError(ServiceError):
    """AWS failed (HTTP 5xx); a create may have succeeded all the same."""

    retryable = True


class TransportError(KvsStreamsError, BotoCoreError):
    """No usable response: no connection, a timeout, a lost connection, or an unreadable body."""

    retryable = True

    outcome_unknown: bool = True
    """Whether the request may have reached AWS, so that the stream may exist.

    False only if it is certain that nothing was sent: the client makes a single attempt, and the
    name did not resolve, or the connection was refused or timed out.
    """

    operation_name: str | None = None
    """AWS's name of the operation, such as ``CreateStream``."""

    stream_name: str | None = None
    """The stream of the call, if it is known."""

    def __init__(
        self,
        message: str,
        *,
        operation_name: str | None = None,
        stream_name: str | None = None,
        outcome_unknown: bool = True,
    ) -> None:
        super().__init__(printable(message))
        self.kwargs: Mapping[str, Any] = {}
        self.operation_name = operation_name
        self.stream_name = _escaped(stream_name)
        self.outcome_unknown = outcome_unknown


class ConfigurationError(KvsStreamsError, BotoCoreError):
    """The client cannot work as it is set up: no region, no credentials, a bad endpoint.

    The message says what to set. The attempt that failed sent nothing. If credentials cannot be
    refreshed between two of botocore's attempts, an earlier attempt may have been sent.
    """

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))
        self.kwargs: Mapping[str, Any] = {}


class UnexpectedResponseError(KvsStreamsError):
    """AWS answered with a success that lacks the data it must carry."""

    retryable = True

    operation_name: str = ""
    """AWS's name of the operation, such as ``CreateStream``."""

    stream_name: str | None = None
    """The stream of the call, if it is known."""

    request_id: str | None = None
    """The request id, which AWS Support asks for."""

    def __init__(
        self,
        message: str,
        *,
        operation_name: str,
        stream_name: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.operation_name = operation_name
        self.stream_name = _escaped(stream_name)
        self.request_id = None if request_id is None else printable(request_id)


class WaitError(KvsStreamsError):
    """A wait ended, and the stream is not ACTIVE."""

    stream_name: str | None = None
    """The name of the stream, or the ARN that the call was given."""

    last_status: StreamStatus | None = None
    """The last status seen; ``None`` if the stream was never seen."""

    waited: float = 0.0
    """The time waited, in seconds."""

    def __init__(
        self,
        message: str,
        *,
        stream_name: str | None = None,
        last_status: StreamStatus | None = None,
        waited: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.stream_name = _escaped(stream_name)
        self.last_status = last_status
        self.waited = waited


class WaitTimeoutError(WaitError, TimeoutError):
    """The timeout passed; the last error met meanwhile, if any, is the cause."""

    retryable = True


class StreamDeletingError(WaitError):
    """The stream is being deleted and will never become ACTIVE."""

    retryable = True


class StreamDriftError(KvsStreamsError):
    """The stream exists with a configuration that differs from the request."""

    drift: tuple[Drift, ...] = ()
    """Every difference, in the order of the request's fields."""

    stream: StreamInfo
    """The stream that exists."""

    unverified: tuple[str, ...] = ()
    """The fields that could not be compared."""

    def __init__(
        self, drift: Sequence[Drift], *, stream: StreamInfo, unverified: Sequence[str] = ()
    ) -> None:
        """Make the error from at least one difference."""
        self.drift = tuple(drift)
        self.stream = stream
        self.unverified = tuple(unverified)
        listed = _listed([_differs(item) for item in drift[:_ITEMS_SHOWN]], len(drift))
        name = shown(stream.stream_name, redacted=False)
        super().__init__(f"stream {name} exists with another configuration: {listed}")


def _differs(item: Drift) -> str:
    found = "not set" if item.found is None else shown(item.found)
    return f"{item.field} is {found}, requested {shown(item.requested)}"
