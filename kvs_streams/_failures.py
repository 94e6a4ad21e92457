"""What botocore raises -> our errors: a table of error codes and a table of configuration errors.

Three questions decide, in this order: the code of a ``ClientError``, the class of any other
``BotoCoreError``, and for an exception that is not botocore's the module of botocore in which it
was raised. Everything else is not about AWS and passes through untouched.
"""

import re
from collections.abc import Sequence
from traceback import walk_tb
from typing import Any, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidProxiesConfigError,
    StubResponseError,
)

from . import errors
from ._text import shown
from ._wire import Call, metadata

# By AWS's error code, never by HTTP status: what is in no row stays a ServiceError, or a
# ServerError if the status is 5xx.
_CODES: dict[type[errors.ServiceError], str] = {
    # Documented for the operations that the library calls.
    errors.AccountStreamLimitExceededException: "AccountStreamLimitExceededException",
    errors.ClientLimitExceededException: "ClientLimitExceededException",
    errors.DeviceStreamLimitExceededException: "DeviceStreamLimitExceededException",
    errors.InvalidArgumentException: "InvalidArgumentException",
    errors.InvalidDeviceException: "InvalidDeviceException",
    errors.ResourceInUseException: "ResourceInUseException",
    errors.ResourceNotFoundException: "ResourceNotFoundException",
    errors.TagsPerResourceExceededLimitException: "TagsPerResourceExceededLimitException",
    # Common to all of AWS.
    errors.InvalidRequestError: (
        "InvalidResourceFormatException SerializationException ValidationError ValidationException"
    ),
    errors.AccessDeniedError: (
        "AccessDenied AccessDeniedException NotAuthorizedException OptInRequired "
        "UnauthorizedOperation"
    ),
    errors.AuthenticationError: (
        "AuthFailure ExpiredToken ExpiredTokenException IncompleteSignature "
        "IncompleteSignatureException InvalidAccessKeyId InvalidClientTokenId "
        "InvalidSignatureException MissingAuthenticationToken MissingAuthenticationTokenException "
        "RequestExpired RequestTimeTooSkewed SignatureDoesNotMatch UnrecognizedClientException"
    ),
    errors.ServerError: (
        "408 InternalError InternalFailure InternalServerError InternalServerException "
        "RequestTimeout RequestTimeoutException ServiceUnavailable ServiceUnavailableException"
    ),
    # What botocore takes for a throttle, and retries itself; a test holds this against its list.
    errors.ThrottlingError: (
        "429 BandwidthLimitExceeded EC2ThrottledException LimitExceededException "
        "PriorRequestNotComplete ProvisionedThroughputExceededException RequestLimitExceeded "
        "RequestThrottled RequestThrottledException SlowDown ThrottledException Throttling "
        "ThrottlingException TooManyRequestsException TransactionInProgressException"
    ),
}
_BY_CODE = {code: cls for cls, codes in _CODES.items() for code in codes.split()}
_SERVER_ERROR = 500

_CHECK_CREDENTIALS = (
    "check the credentials in the AWS config files and in the AWS_* environment variables"
)
_CHECK_CONFIG = (
    "check endpoint_url, the AWS config file, the AWS_* environment variables and the botocore "
    "Config"
)
# What botocore raises before it sends anything, with the way out; by the names of classes or of
# their base classes, because older versions lack some. Any other BotoCoreError is a TransportError.
_CONFIGURATION = {
    "pass region_name, or set AWS_DEFAULT_REGION or 'region' in the AWS config file": (
        "InvalidRegionError NoRegionError ServiceNotInRegionError UnknownRegionError"
    ),
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE, or give the "
    "process a role": "NoAuthTokenError NoCredentialsError",
    _CHECK_CREDENTIALS: (
        "CredentialRetrievalError InvalidIMDSEndpointError InvalidIMDSEndpointModeError "
        "MetadataRetrievalError PartialCredentialsError RefreshWithMFAUnsupportedError "
        "UnknownCredentialError UnknownTokenProviderError"
    ),
    "log in again with 'aws sso login'": "SSOError TokenRetrievalError",
    "log in again with 'aws login'": "LoginError",
    "check AWS_PROFILE or profile_name against the profiles in the AWS config file": (
        "ProfileNotFound"
    ),
    "check endpoint_url, region_name and the settings for FIPS and dual-stack endpoints": (
        "BaseEndpointResolverError EndpointProviderError InvalidEndpointConfigurationError "
        "InvalidEndpointDiscoveryConfigurationError InvalidHostLabelError "
        "InvalidSTSRegionalEndpointsConfigError"
    ),
    _CHECK_CONFIG: (
        "ConfigNotFound ConfigParseError InvalidChecksumConfigError InvalidConfigError "
        "InvalidDefaultsMode InvalidProxiesConfigError InvalidRetryConfigurationError "
        "MissingDependencyException MissingParametersError UnknownSignatureVersionError "
        "UnsupportedSignatureVersionError ValidationError"
    ),
    "update boto3 and botocore": (
        "ApiVersionNotFoundError DataNotFoundError ParamValidationError UnknownClientMethodError "
        "UnsupportedServiceProtocolsError"
    ),
}
_HINTS = {name: hint for hint, names in _CONFIGURATION.items() for name in names.split()}

# Where botocore and aiobotocore read replies, and where they find credentials and sign with them.
_PARSERS = ("botocore.parsers", "aiobotocore.parsers")
_AUTH = ("botocore.auth", "aiobotocore.auth")
_CREDENTIALS = (
    *("botocore.credentials", "botocore.tokens"),
    *("aiobotocore.credentials", "aiobotocore.tokens"),
    *_AUTH,
)
_UNSENDABLE = (
    "the request cannot be sent, because a header or a URL is not valid (check the credentials for "
    "line breaks, and endpoint_url and the proxies)"
)
# From "//" to the last "@", so that no character of a password ends it.
_USER_INFO = re.compile(r"(//|^Invalid endpoint: ).*@")


def to_error(exc: Exception, client: object, call: Call) -> errors.KvsStreamsError | None:
    """Return our error, caused by what a call raised; ``None`` for what is not botocore's.

    Args:
        exc: What the call raised.
        client: The boto client.
        call: The call that failed.
    """
    error: errors.KvsStreamsError | None
    if isinstance(exc, ClientError):
        error = _service_error(exc, call)
    elif isinstance(exc, errors.KvsStreamsError):  # raised by a fake
        return exc
    elif (text := _configuration_text(exc)) is not None:
        error = errors.ConfigurationError(
            text, operation_name=call.operation_name, stream_name=call.stream_name or None
        )
    else:
        error = _transport_error(exc, client, call)
    if error is not None:
        error.__cause__ = exc
    return error


def building_error(exc: Exception) -> errors.ConfigurationError | None:
    """Return our error for what came while a client was built; ``None`` if it is not botocore's."""
    text = _configuration_text(exc)
    if text is None and isinstance(exc, BotoCoreError):
        text = f"{_sentence(exc)} ({_CHECK_CONFIG})"
    # Such as an endpoint without a scheme, or AWS_MAX_ATTEMPTS=three.
    if text is None and isinstance(exc, ValueError) and _went_through(exc, "botocore."):
        text = f"{without_user_info(str(exc))} ({_CHECK_CONFIG})"
    return None if text is None else errors.ConfigurationError(text)


def without_user_info(text: str) -> str:
    """Cut the user name and password from each URL in a text."""
    return _USER_INFO.sub(r"\1", text)


def _service_error(exc: ClientError, call: Call) -> errors.ServiceError:
    """Return the error for a response of AWS's, by its code."""
    # botocore calls STS to fetch credentials: that is not about the stream.
    is_own = exc.operation_name == call.operation_name
    error = _error_type(exc)(
        exc.response,
        exc.operation_name,
        stream_name=(call.stream_name or None) if is_own else None,
    )
    if isinstance(error, errors.ResourceInUseException):
        error.possibly_own = error.retry_attempts > 0
    return error


def _error_type(exc: ClientError) -> type[errors.ServiceError]:
    """Return the class for an error response: by its code, for an unknown code by the status."""
    found = _BY_CODE.get(exc.response.get("Error", {}).get("Code", ""))
    if found is not None:
        return found
    status = metadata(exc.response).get("HTTPStatusCode")
    failed = isinstance(status, int) and status >= _SERVER_ERROR
    return errors.ServerError if failed else errors.ServiceError


def _configuration_text(exc: Exception) -> str | None:
    """Return what is wrong, and what to do, if botocore raised this before it sent anything."""
    if isinstance(exc, HTTPClientError):
        # http.client's text can hold the session token, urllib3's a password.
        unsendable = isinstance(exc.kwargs.get("error"), (ValueError, InvalidProxiesConfigError))
        return _UNSENDABLE if unsendable else None
    if isinstance(exc, BotoCoreError):
        hints = (_HINTS.get(cls.__name__) for cls in type(exc).__mro__)
        hint = next(filter(None, hints), None)
        return None if hint is None else f"{_sentence(exc).rstrip('.')} ({hint})"
    if _went_through(exc, *_PARSERS) or not _went_through(exc, *_CREDENTIALS):
        return None
    if isinstance(exc, ValueError) and _went_through(exc, *_AUTH):
        return _UNSENDABLE  # such as a port of endpoint_url that is no number
    reason = f"{type(exc).__name__}: {without_user_info(str(exc))}"
    return f"the credentials cannot be used: {reason} ({_CHECK_CREDENTIALS})"


def _transport_error(exc: Exception, client: object, call: Call) -> errors.TransportError | None:
    """Return the error for a call without a usable answer; ``None`` if it is not botocore's."""
    if isinstance(exc, StubResponseError):  # the script of a test is wrong
        return None
    if isinstance(exc, BotoCoreError):
        reason = _sentence(exc)
    elif _went_through(exc, *_PARSERS):
        reason = f"the response cannot be read: {type(exc).__name__}: {exc}"
    else:
        return None
    unsent = _is_unsent(exc) and _makes_one_attempt(client)
    stream = f" for stream {shown(call.stream_name)}" if call.stream_name else ""
    outcome = "it was not sent" if unsent else "it may have reached AWS"
    return errors.TransportError(
        f"no usable response to {call.operation_name}{stream} ({outcome}): {reason}",
        operation_name=call.operation_name,
        stream_name=call.stream_name or None,
        outcome_unknown=not unsent,
    )


def _is_unsent(exc: Exception) -> bool:
    """Tell whether no connection was made: not found, refused, or timed out.

    A proxy that fails raises a ``ProxyConnectionError``.
    """
    if not isinstance(exc, (EndpointConnectionError, ConnectTimeoutError)):
        return False
    # aiobotocore raises the same class for a connection that is lost while it sends.
    reason = {cls.__name__ for cls in type(exc.kwargs.get("error")).__mro__}
    return "ClientConnectionError" not in reason or "ClientConnectorError" in reason


def _makes_one_attempt(client: object) -> bool:
    """Tell whether a boto client is certain to send a call at most once."""
    config = getattr(getattr(client, "meta", None), "config", None)
    retries: Any = getattr(config, "retries", None) or {}
    return bool(retries.get("total_max_attempts") == 1)


def _sentence(exc: BotoCoreError) -> str:
    """Return botocore's sentence, built again from values that hold no credentials."""
    values = {name: _value(value) for name, value in exc.kwargs.items()}
    if values.get("provider") == "custom-process":
        values["error_msg"] = "run the credential_process by itself to see what it prints"
    return " ".join(exc.fmt.format(**values).split())


def _value(value: object) -> str:
    """Return a value of botocore's sentence as text."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, cast("Sequence[object]", value)))
    if isinstance(value, (str, Exception)):
        return without_user_info(str(value))
    return shown(value)


def _went_through(exc: Exception, *modules: str) -> bool:
    """Tell whether an exception was raised in one of these modules, or in what they called."""
    names = (str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(exc.__traceback__))
    return any(name.startswith(modules) for name in names)
