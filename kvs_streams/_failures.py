"""Convert exceptions of botocore to our errors, by a table of codes and a table of classes.

Three criteria apply, in this order: the code of a ``ClientError``; the class of any other
``BotoCoreError``; for other exceptions, the module of botocore in which they were raised.
Exceptions from elsewhere are unrelated to AWS and pass through unchanged.
"""

import re
from collections.abc import Mapping
from traceback import walk_tb
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    StubResponseError,
)

from . import errors
from ._text import shown
from ._wire import Call, metadata

# Codes that are common to all of AWS. The code decides, never the HTTP status. An unknown code
# becomes a ServiceError, or a ServerError if the status is 5xx.
_CODES = (
    (errors.InvalidRequestError, "InvalidResourceFormatException SerializationException"),
    (errors.InvalidRequestError, "ValidationError ValidationException"),
    (errors.AccessDeniedError, "AccessDenied AccessDeniedException NotAuthorizedException"),
    (errors.AccessDeniedError, "OptInRequired UnauthorizedOperation"),
    (errors.AuthenticationError, "ExpiredToken ExpiredTokenException RequestExpired"),
    (errors.AuthenticationError, "IncompleteSignature IncompleteSignatureException"),
    (errors.AuthenticationError, "InvalidClientTokenId UnrecognizedClientException"),
    (errors.AuthenticationError, "InvalidSignatureException SignatureDoesNotMatch"),
    (errors.AuthenticationError, "MissingAuthenticationToken MissingAuthenticationTokenException"),
    (errors.ServerError, "408 RequestTimeout RequestTimeoutException"),
    # Always with a 5xx status, except for stubs in tests.
    (errors.ServerError, "InternalFailure InternalServerError ServiceUnavailable"),
    (errors.ThrottlingError, "429 RequestLimitExceeded RequestThrottled SlowDown"),
    (errors.ThrottlingError, "RequestThrottledException ThrottledException Throttling"),
    (errors.ThrottlingError, "ThrottlingException TooManyRequestsException"),
)
# The exceptions that AWS documents are named by their codes.
_DOCUMENTED = {name: cls for name, cls in vars(errors).items() if name.endswith("Exception")}
_BY_CODE = _DOCUMENTED | {code: cls for cls, codes in _CODES for code in codes.split()}
_SERVER_ERROR = 500

_REGION = "pass region_name, or set AWS_DEFAULT_REGION or 'region' in the AWS config file"
_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or use an IAM role"
_CREDENTIALS = "check the credentials in the AWS config files and AWS_* environment variables"
_PROFILE = "check AWS_PROFILE or profile_name against the profiles in the AWS config file"
_ENDPOINT = "check endpoint_url, region_name and the settings for FIPS and dual-stack endpoints"
_CONFIG = (
    "check endpoint_url, the AWS config file, AWS_* environment variables and botocore's Config"
)
# Errors that botocore raises before it sends anything, each with a hint. They are the names of
# classes or base classes, because older versions lack some. Any other BotoCoreError is a
# TransportError.
_CONFIGURATION = (
    (_REGION, "InvalidRegionError NoRegionError UnknownRegionError"),
    (_KEYS, "NoAuthTokenError NoCredentialsError"),
    (_CREDENTIALS, "CredentialRetrievalError InvalidIMDSEndpointError MetadataRetrievalError"),
    (_CREDENTIALS, "PartialCredentialsError RefreshWithMFAUnsupportedError UnknownCredentialError"),
    ("log in again with 'aws sso login'", "SSOError TokenRetrievalError"),
    ("log in again with 'aws login'", "LoginError"),
    (_PROFILE, "ProfileNotFound"),
    (_ENDPOINT, "BaseEndpointResolverError EndpointProviderError"),
    (_CONFIG, "ConfigParseError InvalidConfigError InvalidSTSRegionalEndpointsConfigError"),
    (_CONFIG, "MissingDependencyException UnknownSignatureVersionError"),
    (_CONFIG, "UnsupportedSignatureVersionError"),
    ("update boto3 and botocore", "DataNotFoundError ParamValidationError"),
)
_HINTS = {name: hint for hint, names in _CONFIGURATION for name in names.split()}

_UNREACHABLE = "check the region, the network and the proxy"
_UNSENDABLE = (
    "the request cannot be sent, because a header or a URL is not valid (check the credentials for "
    "line breaks, and endpoint_url and the proxies)"
)
# The types of values in botocore's messages; for any other value only the type is shown.
_TEXTS: tuple[type[object], ...] = (str, list, tuple, Exception)
# From "//" to the last "@", because a password can contain any character.
_USER_INFO = re.compile(r"(//|^Invalid endpoint: ).*@")


def to_error(exc: Exception, client: object, call: Call) -> errors.KvsStreamsError | None:
    """Return our error for an exception of a call; ``None`` if it is not botocore's.

    Args:
        exc: The exception.
        client: The boto client.
        call: The call that failed.
    """
    operation, stream = call.operation_name, call.stream_name or None
    error: errors.KvsStreamsError
    if isinstance(exc, ClientError):
        # botocore calls STS to fetch credentials: that is not about the stream.
        about = stream if exc.operation_name == operation else None
        error = _type_of(exc.response)(exc.response, exc.operation_name, stream_name=about)
    elif isinstance(exc, errors.KvsStreamsError):  # raised by a fake
        return exc
    elif (text := _configuration_text(exc)) is not None:
        error = errors.ConfigurationError(text, operation_name=operation, stream_name=stream)
    elif (reason := _transport_text(exc)) is not None:
        is_unsent = _is_unsent(exc, client)
        outcome = "it was not sent" if is_unsent else "it may have reached AWS"
        about = f" for stream {shown(stream)}" if stream else ""
        error = errors.TransportError(
            f"no usable response to {operation}{about} ({outcome}): {reason}",
            operation_name=operation,
            stream_name=stream,
            outcome_unknown=not is_unsent,
        )
    else:
        return None
    error.__cause__ = exc
    return error


def building_error(exc: Exception) -> errors.ConfigurationError | None:
    """Return our error for a client that cannot be built; ``None`` if botocore is not the cause."""
    text = _configuration_text(exc)
    # A ValueError is raised for an endpoint without a scheme, or AWS_MAX_ATTEMPTS=three.
    is_boto = isinstance(exc, BotoCoreError) or (isinstance(exc, ValueError) and _modules_of(exc))
    if text is None and is_boto:
        text = f"{_sentence(exc)} ({_CONFIG})"
    return None if text is None else errors.ConfigurationError(text)


def without_user_info(text: str) -> str:
    """Remove the user name and password from each URL in a text."""
    return _USER_INFO.sub(r"\1", text)


def client_config(client: object, name: str) -> Any:
    """Return a setting of a boto client; ``None`` if a fake has none."""
    return getattr(getattr(getattr(client, "meta", None), "config", None), name, None)


def _type_of(response: Any) -> type[errors.ServiceError]:
    """Return the class for an error response, by its code or, if that is unknown, by its status."""
    found = _BY_CODE.get(response.get("Error", {}).get("Code"))
    is_5xx = (metadata(response).get("HTTPStatusCode") or 0) >= _SERVER_ERROR
    return found or (errors.ServerError if is_5xx else errors.ServiceError)


def _configuration_text(exc: Exception) -> str | None:
    """Return the problem and a hint, if botocore raised this before it sent anything."""
    if isinstance(exc, HTTPClientError):
        # http.client's text can hold the session token, urllib3's a password.
        return _UNSENDABLE if isinstance(exc.kwargs.get("error"), ValueError) else None
    if isinstance(exc, BotoCoreError):
        hints = (_HINTS.get(cls.__name__) for cls in type(exc).__mro__)
        hint = next(filter(None, hints), None)
        return None if hint is None else f"{_sentence(exc)} ({hint})"
    modules = _modules_of(exc)
    if "parsers" in modules or modules.isdisjoint({"auth", "credentials", "tokens"}):
        return None
    if "auth" in modules:
        return _UNSENDABLE  # such as a port in endpoint_url that is not a number
    reason = f"{type(exc).__name__}: {_sentence(exc)}"
    return f"the credentials cannot be used: {reason} ({_CREDENTIALS})"


def _transport_text(exc: Exception) -> str | None:
    """Return the reason for a missing response; ``None`` if botocore did not fail."""
    if isinstance(exc, BotoCoreError):
        if isinstance(exc, StubResponseError):  # the script of a test is wrong
            return None
        is_unreachable = isinstance(exc, EndpointConnectionError)
        return f"{_sentence(exc)} ({_UNREACHABLE})" if is_unreachable else _sentence(exc)
    if "parsers" in _modules_of(exc):
        return f"the response cannot be read: {type(exc).__name__}: {_sentence(exc)}"
    return None


def _is_unsent(exc: Exception, client: object) -> bool:
    """Return whether the only attempt made no connection: not found, refused, or timed out.

    The failure of a proxy is another class, ``ProxyConnectionError``.
    """
    if not isinstance(exc, (EndpointConnectionError, ConnectTimeoutError)):
        return False
    # aiobotocore raises the same class for a connection that is lost during the request.
    reason = {cls.__name__ for cls in type(exc.kwargs.get("error")).__mro__}
    was_connected = "ClientConnectionError" in reason and "ClientConnectorError" not in reason
    retries: Mapping[str, object] = client_config(client, "retries") or {}
    return not was_connected and retries.get("total_max_attempts") == 1


def _sentence(exc: Exception) -> str:
    """Return the message of an exception, without credentials."""
    if not isinstance(exc, BotoCoreError):
        return without_user_info(str(exc))
    values = {name: _value(value) for name, value in exc.kwargs.items()}
    if values.get("provider") == "custom-process":
        values["error_msg"] = "run the credential_process by itself to see what it prints"
    return " ".join(exc.fmt.format(**values).split()).rstrip(".")


def _value(value: object) -> str:
    """Return a value in botocore's message as text."""
    return without_user_info(str(value)) if isinstance(value, _TEXTS) else shown(value)


def _modules_of(exc: Exception) -> set[str]:
    """Return the modules of botocore and aiobotocore in the traceback of an exception."""
    frames = (frame for frame, _ in walk_tb(exc.__traceback__))
    names = (str(frame.f_globals.get("__name__")).partition(".") for frame in frames)
    return {name for package, _, name in names if package in ("botocore", "aiobotocore")}
