"""Every error that kvs_streams raises.

KvsStreamsError
├── RequestValidationError (ValueError)           nothing was sent
├── ServiceError (botocore ClientError)           AWS answered with an error
│   ├── InvalidRequestError                       the request can never succeed as it is
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
│   └── ServerError                               5xx, and timeouts at AWS
├── TransportError (BotoCoreError)                no usable response
├── ConfigurationError (BotoCoreError)            the client is not configured correctly
├── UnexpectedResponseError                       a success without the required data
├── WaitError
│   ├── WaitTimeoutError (TimeoutError)
│   └── StreamDeletingError                       the stream is being deleted
└── StreamDriftError                              the stream exists with another configuration

The seven exceptions that AWS documents for the operation keep AWS's names; all others end in
``Error``. Every error can be pickled and copied with all its data except ``__cause__``.
``str(error)`` is escaped, and texts from AWS are truncated; for a ``ServiceError`` it is built from
the attributes each time.
"""

import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

# Importing typing_extensions is slower than all other imports here. Each Python runs one branch,
# so neither counts as covered.
if sys.version_info >= (3, 11):  # pragma: no cover
    from typing import Unpack
else:  # pragma: no cover
    from typing_extensions import Unpack

from ._models import CreateStreamResponse, Drift, StreamInfo, StreamStatus, Violation
from ._text import MESSAGE_LIMIT, VALUE_LIMIT, escape, shown

# A request with thousands of bad tags has thousands of violations; the text names the first ones.
_ITEMS_SHOWN = 20

# AWS's operations that change an existing stream, by the first part of a drift's field.
_CHANGED_BY = {
    "device_name": "UpdateStream",
    "media_type": "UpdateStream",
    "data_retention_in_hours": "UpdateDataRetention",
    "tags": "TagStream",
    "stream_storage_configuration": "UpdateStreamStorageConfiguration",
}


class ServiceErrorAttributes(TypedDict, total=False):
    """The keyword arguments for the constructors of service errors."""

    stream_name: str | None
    retry_attempts: int | None
    possibly_own: bool


class ErrorAttributes(ServiceErrorAttributes, total=False):
    """The keyword arguments for the constructors; each class takes only its own attributes."""

    operation_name: str | None
    request_id: str | None
    outcome_unknown: bool
    last_status: StreamStatus | None
    waited: float


class KvsStreamsError(Exception):
    """The base class of all errors of this library.

    Args:
        message: The error in one sentence.
        attributes: Values for the attributes below, by keyword.
    """

    retryable: ClassVar[bool] = False
    """Whether the same request can succeed later without any change."""

    created: CreateStreamResponse | None = None
    """AWS's response to the create, if a later step of ``ensure_stream`` failed; else ``None``.

    It contains the ARN of the new stream, which may still exist.
    """

    stream_name: str | None = None
    """The name of the stream, or the ARN that was passed; ``None`` if it is not known."""

    operation_name: str | None = None
    """AWS's name of the operation, such as ``CreateStream``; ``None`` if it is not known."""

    request_id: str | None = None
    """The request id, which AWS Support asks for; ``None`` if there was no response."""

    _notes: tuple[str, ...] = ()

    def __init__(self, message: str, **attributes: Unpack[ErrorAttributes]) -> None:
        # Exception, not super(): the parents from botocore format a text of their own.
        Exception.__init__(self, escape(message))
        for name, value in attributes.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no attribute {name!r}")
            setattr(self, name, value)

    def _text(self) -> str:
        """Return the text on one line and of bounded length."""
        return str(self.args[0])

    def __str__(self) -> str:
        """Return the error on one line, built from its attributes."""
        text = self._text()
        return f"{text.rstrip('.')}. {' '.join(self._notes)}" if self._notes else text

    def __repr__(self) -> str:
        """Show the type and the text."""
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy with every attribute, without the constructor."""
        return type(self).__new__, (type(self),), {**self.__dict__, "args": self.args}


def copy_for(error: KvsStreamsError, stream_name: str) -> KvsStreamsError:
    """Return a copy of an error for another stream, without the data of its own create."""
    # Not copy.copy: with tblib, which Dask installs, that copies the traceback too.
    cls = type(error)
    twin = cls.__new__(cls)
    others = {"stream_name": stream_name, "request_id": None, "created": None, "_notes": ()}
    twin.__setstate__({**error.__dict__, "args": error.args, **others})
    twin.__cause__ = error.__cause__
    return twin


def annotate(error: KvsStreamsError, note: str) -> None:
    """Append a sentence to the text of an error; AWS's ``message`` stays as it is."""
    error._notes = (*error._notes, note)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _listed(texts: Sequence[str]) -> str:
    """Join the first texts, and add the number of the others."""
    more = len(texts) - _ITEMS_SHOWN
    return "; ".join([*texts[:_ITEMS_SHOWN], *([f"and {more} more"] if more > 0 else [])])


class RequestValidationError(KvsStreamsError, ValueError):
    """The request breaks published rules, all listed in ``violations``; nothing was sent.

    Args:
        violations: At least one violation.
    """

    violations: tuple[Violation, ...] = ()
    """Every fault of the request, in the order of its fields."""

    def __init__(self, violations: Sequence[Violation]) -> None:
        self.violations = tuple(violations)
        count = len(violations)
        number = "1 fault" if count == 1 else f"{count} faults"
        faults = _listed([violation.message for violation in violations])
        Exception.__init__(self, f"invalid request, nothing was sent ({number}): {faults}")


class ServiceError(KvsStreamsError, ClientError):
    """AWS answered with an error; unknown error codes raise this class itself.

    Args:
        error_response: boto's response: ``{"Error": {"Code": …, "Message": …}, …}``.
        operation_name: AWS's name of the operation, such as ``CreateStream``.
        attributes: ``stream_name``, and ``retry_attempts``, the number of retries (by default
            botocore's count).
    """

    operation_name: str = ""  # pyrefly: ignore[bad-override-mutable-attribute]  # ty: ignore[incompatible-mutable-override]
    """AWS's name of the operation, such as ``CreateStream``."""

    code: str = "Unknown"
    """AWS's error code, such as ``ResourceInUseException``; the HTTP status if there is none."""

    message: str = ""
    """AWS's message, as AWS sent it."""

    request_id: str | None = None
    """The request id, which AWS Support asks for; ``None`` if the response had none."""

    http_status_code: int | None = None
    """The HTTP status of the response; ``None`` if the response had none."""

    retry_attempts: int = 0
    """The number of retries for this call, by botocore and by this library."""

    response: dict[str, Any]  # type: ignore[assignment]  # botocore-stubs says TypedDict
    """The whole response in boto3's form: ``Error`` and ``ResponseMetadata``."""

    def __init__(
        self,
        error_response: Mapping[str, Any],
        operation_name: str,
        **attributes: Unpack[ServiceErrorAttributes],
    ) -> None:
        response: Any = error_response
        error: dict[str, Any] = response.get("Error") or {}
        metadata: dict[str, Any] = response.get("ResponseMetadata") or {}
        self.response = response  # pyright: ignore[reportIncompatibleVariableOverride]
        self.operation_name = operation_name  # pyright: ignore[reportIncompatibleVariableOverride]
        self.code = str(error.get("Code") or "Unknown")
        self.message = str(error.get("Message") or "")
        self.request_id = metadata.get("RequestId") or None
        self.http_status_code = metadata.get("HTTPStatusCode")
        if attributes.get("retry_attempts") is None:
            attributes["retry_attempts"] = metadata.get("RetryAttempts", 0)
        super().__init__("", **attributes)
        Exception.__init__(self, self._text())

    def _text(self) -> str:
        """Return botocore's text with the stream, the request id and the number of retries."""
        details = [
            f"stream {shown(self.stream_name)}" if self.stream_name is not None else "",
            f"request id {escape(self.request_id, VALUE_LIMIT)}" if self.request_id else "",
            f"retry attempts {self.retry_attempts}" if self.retry_attempts else "",
        ]
        code, operation = escape(self.code, VALUE_LIMIT), escape(self.operation_name, VALUE_LIMIT)
        head = f"An error occurred ({code}) when calling the {operation} operation: "
        tail = f" [{', '.join(filter(None, details))}]" if any(details) else ""
        tail += self._way_out()
        room = MESSAGE_LIMIT - len(head) - len(tail)
        return f"{head}{escape(self.message or 'no message', room)}{tail}"

    def _way_out(self) -> str:
        """Return advice to add to AWS's message; by default there is none."""
        return ""


class InvalidRequestError(ServiceError):
    """AWS refused the request, which can never succeed as it is."""


class InvalidArgumentException(InvalidRequestError):
    """The value of an input parameter is not valid."""


class InvalidDeviceException(InvalidRequestError):
    """The device is not valid for the stream; AWS documents this as not implemented."""


class TagsPerResourceExceededLimitException(InvalidRequestError):
    """The stream would have more than the 50 tags that are allowed."""


class ResourceInUseException(ServiceError):
    """The stream exists already, or its status does not allow the operation.

    Args:
        error_response: boto's response: ``{"Error": {"Code": …, "Message": …}, …}``.
        operation_name: AWS's name of the operation, such as ``CreateStream``.
        attributes: ``stream_name`` and ``retry_attempts`` as for every ``ServiceError``, and
            ``possibly_own``, true if an earlier attempt may have created the stream.
    """

    possibly_own: bool = False
    """Whether an earlier attempt of the same call may have created the stream.

    True if botocore retried within this call: the response to an earlier request may have been
    lost. ``ensure_stream`` resolves this.
    """

    def _way_out(self) -> str:
        if not self.possibly_own:
            return ""
        return " (an earlier attempt of this call may have created it; ensure_stream finds out)"


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
    """Kinesis Video Streams throttled the request; this library retries it, botocore does not."""


class AccessDeniedError(ServiceError):
    """The caller lacks a permission; the message names the IAM action."""

    def _way_out(self) -> str:
        if "Stream" not in self.operation_name:  # an STS call for credentials
            return ""
        return f" (the caller's policies have to allow kinesisvideo:{self.operation_name})"


class AuthenticationError(ServiceError):
    """AWS does not accept the credentials: wrong or expired, or the local clock is wrong."""


class ServerError(ServiceError):
    """AWS failed (HTTP 5xx or a timeout at AWS); a create may still have succeeded."""

    retryable = True


class TransportError(KvsStreamsError, BotoCoreError):
    """No usable response: no connection, a timeout, a lost connection, or an unreadable body."""

    retryable = True

    kwargs: Mapping[str, Any] = MappingProxyType({})
    """Empty; all errors of botocore have this attribute."""

    outcome_unknown: bool = True
    """Whether the request may have reached AWS, so that the stream may exist.

    False only if it is certain that nothing was sent: the client makes a single attempt without a
    proxy, and the host name was not resolved, or the connection was refused or timed out.
    """


class ConfigurationError(KvsStreamsError, BotoCoreError):
    """The client is not configured correctly: no region, no credentials, a bad endpoint.

    The message says how to fix it. The failed attempt sent nothing. If credentials cannot be
    refreshed between two of botocore's attempts, an earlier attempt may have been sent.
    """

    kwargs: Mapping[str, Any] = MappingProxyType({})
    """Empty; all errors of botocore have this attribute."""


class UnexpectedResponseError(KvsStreamsError):
    """AWS reported a success, but the response lacks required data."""

    retryable = True


class WaitError(KvsStreamsError):
    """A wait ended before the stream became ``ACTIVE``."""

    last_status: StreamStatus | None = None
    """The last status seen; ``None`` if the stream was never seen."""

    waited: float = 0.0
    """The time waited, in seconds."""


class WaitTimeoutError(WaitError, TimeoutError):
    """The deadline has passed; ``__cause__`` is the last error during the wait, if any."""

    retryable = True


class StreamDeletingError(WaitError):
    """The stream is being deleted and never becomes ``ACTIVE``."""

    retryable = True


class StreamDriftError(KvsStreamsError):
    """The stream exists with a configuration that differs from the request.

    Args:
        drift: At least one difference.
        stream: The stream that exists.
        unverified: The fields that could not be compared.
    """

    drift: tuple[Drift, ...] = ()
    """Every difference, in the order of the request's fields."""

    stream: StreamInfo
    """The stream that exists."""

    unverified: tuple[str, ...] = ()
    """The fields that could not be compared."""

    def __init__(
        self, drift: Sequence[Drift], *, stream: StreamInfo, unverified: Sequence[str] = ()
    ) -> None:
        self.drift = tuple(drift)
        self.stream = stream
        self.stream_name: str | None = stream.stream_name
        self.unverified = tuple(unverified)
        name, differences = shown(stream.stream_name), _listed([_differs(item) for item in drift])
        ways = ", ".join(dict.fromkeys(_changed_by(item) for item in drift))
        text = f"stream {name} exists with another configuration: {differences} ({ways})"
        Exception.__init__(self, text)


def _differs(item: Drift) -> str:
    found = "not set" if item.found is None else shown(item.found)
    return f"{item.field} is {found}, requested {shown(item.requested)}"


def _changed_by(item: Drift) -> str:
    field = item.field.partition("[")[0].partition(".")[0]
    operation = _CHANGED_BY.get(field)
    return f"{operation} changes {field}" if operation else f"{field} can never be changed"
