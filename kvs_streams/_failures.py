"""boto's exceptions -> ours: one table of error codes, one of configuration errors."""

import sys
from collections.abc import Mapping
from traceback import walk_tb
from typing import Any, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidProxiesConfigError,
    StubResponseError,
)

from . import errors
from ._text import TEXT_LIMIT, escape, is_harmless, is_mapping, printable, shown
from ._wire import Call, metadata, retry_attempts

_Error = TypeVar("_Error", bound=errors.KvsStreamsError)

# By AWS's error code, never by HTTP status: what is in no table stays a ServiceError, or a
# ServerError if the status is 5xx.
_BY_CODE: dict[str, type[errors.ServiceError]] = {
    # Documented for CreateStream, DescribeStream or the two reads that compare tags and tier.
    "AccountStreamLimitExceededException": errors.AccountStreamLimitExceededException,
    "ClientLimitExceededException": errors.ClientLimitExceededException,
    "DeviceStreamLimitExceededException": errors.DeviceStreamLimitExceededException,
    "InvalidArgumentException": errors.InvalidArgumentException,
    "InvalidDeviceException": errors.InvalidDeviceException,
    "ResourceInUseException": errors.ResourceInUseException,
    "ResourceNotFoundException": errors.ResourceNotFoundException,
    "TagsPerResourceExceededLimitException": errors.TagsPerResourceExceededLimitException,
    "InvalidResourceFormatException": errors.InvalidRequestError,
    "AccessDeniedException": errors.AccessDeniedError,
    "NotAuthorizedException": errors.AccessDeniedError,
    # Common to all of AWS.
    "SerializationException": errors.InvalidRequestError,
    "ValidationError": errors.InvalidRequestError,
    "ValidationException": errors.InvalidRequestError,
    "AccessDenied": errors.AccessDeniedError,
    "OptInRequired": errors.AccessDeniedError,
    "UnauthorizedOperation": errors.AccessDeniedError,
    "AuthFailure": errors.AuthenticationError,
    "ExpiredToken": errors.AuthenticationError,
    "ExpiredTokenException": errors.AuthenticationError,
    "IncompleteSignature": errors.AuthenticationError,
    "IncompleteSignatureException": errors.AuthenticationError,
    "InvalidAccessKeyId": errors.AuthenticationError,
    "InvalidClientTokenId": errors.AuthenticationError,
    "InvalidSignatureException": errors.AuthenticationError,
    "MissingAuthenticationToken": errors.AuthenticationError,
    "MissingAuthenticationTokenException": errors.AuthenticationError,
    "RequestExpired": errors.AuthenticationError,
    "RequestTimeTooSkewed": errors.AuthenticationError,
    "SignatureDoesNotMatch": errors.AuthenticationError,
    "UnrecognizedClientException": errors.AuthenticationError,
    "InternalError": errors.ServerError,
    "InternalFailure": errors.ServerError,
    "InternalServerError": errors.ServerError,
    "InternalServerException": errors.ServerError,
    "ServiceUnavailable": errors.ServerError,
    "ServiceUnavailableException": errors.ServerError,
    # What botocore takes for a throttle, and retries itself; a test holds this against its list.
    "429": errors.ThrottlingError,
    "BandwidthLimitExceeded": errors.ThrottlingError,
    "EC2ThrottledException": errors.ThrottlingError,
    "LimitExceededException": errors.ThrottlingError,
    "PriorRequestNotComplete": errors.ThrottlingError,
    "ProvisionedThroughputExceededException": errors.ThrottlingError,
    "RequestLimitExceeded": errors.ThrottlingError,
    "RequestThrottled": errors.ThrottlingError,
    "RequestThrottledException": errors.ThrottlingError,
    "SlowDown": errors.ThrottlingError,
    "ThrottledException": errors.ThrottlingError,
    "Throttling": errors.ThrottlingError,
    "ThrottlingException": errors.ThrottlingError,
    "TooManyRequestsException": errors.ThrottlingError,
    "TransactionInProgressException": errors.ThrottlingError,
}
_SERVER_ERROR = 500
# How botocore's text begins for an endpoint that it does not take.
INVALID_ENDPOINT = "Invalid endpoint: "
# What reads credentials and signs with them.
_CREDENTIALS = {"botocore.auth", "botocore.credentials", "aiobotocore.credentials"}
# No error of boto's has as many others behind it.
_CHAIN_LIMIT = 50

_SET_REGION = "pass region_name, or set AWS_DEFAULT_REGION or 'region' in the AWS config file"
_SET_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE, or give the "
    "process a role"
)
_SET_PROFILE = "check AWS_PROFILE or profile_name against the profiles in the AWS config file"
_SET_ENDPOINT = "check endpoint_url, region_name and the settings for FIPS and dual-stack endpoints"
_SET_CONFIG = "check the AWS config file, the AWS_* environment variables and the botocore Config"
_SET_PROCESS = (
    "check the credentials in the AWS config files and in the AWS_* environment variables; run "
    "credential_process, if one is set, by itself to see what it prints"
)
_SET_REQUEST = "check endpoint_url, the proxy settings and the credentials"
_UPDATE_BOTO = "update boto3 and botocore"

# What botocore raises before it sends anything, each with the way out. A botocore error in no row
# is a TransportError: of that nobody can say that nothing was sent. A test goes through all.
_CONFIGURATION: tuple[tuple[str, str], ...] = (
    ("NoRegionError", _SET_REGION),
    ("InvalidRegionError", _SET_REGION),
    ("UnknownRegionError", _SET_REGION),
    ("ServiceNotInRegionError", _SET_REGION),
    ("NoCredentialsError", _SET_CREDENTIALS),
    ("PartialCredentialsError", _SET_CREDENTIALS),
    ("CredentialRetrievalError", _SET_CREDENTIALS),
    ("UnknownCredentialError", _SET_CREDENTIALS),
    ("RefreshWithMFAUnsupportedError", _SET_CREDENTIALS),
    ("MetadataRetrievalError", _SET_CREDENTIALS),
    ("InvalidIMDSEndpointError", _SET_CREDENTIALS),
    ("InvalidIMDSEndpointModeError", _SET_CREDENTIALS),
    ("NoAuthTokenError", _SET_CREDENTIALS),
    ("TokenRetrievalError", _SET_CREDENTIALS),
    ("UnknownTokenProviderError", _SET_CREDENTIALS),
    ("SSOError", "log in again with 'aws sso login'"),
    ("LoginError", "log in again with 'aws login'"),
    ("ProfileNotFound", _SET_PROFILE),
    ("BaseEndpointResolverError", _SET_ENDPOINT),
    ("EndpointProviderError", _SET_ENDPOINT),
    ("InvalidEndpointConfigurationError", _SET_ENDPOINT),
    ("InvalidEndpointDiscoveryConfigurationError", _SET_ENDPOINT),
    ("InvalidSTSRegionalEndpointsConfigError", _SET_ENDPOINT),
    ("InvalidHostLabelError", _SET_ENDPOINT),
    ("ConfigNotFound", _SET_CONFIG),
    ("ConfigParseError", _SET_CONFIG),
    ("InvalidConfigError", _SET_CONFIG),
    ("InvalidChecksumConfigError", _SET_CONFIG),
    ("InvalidDefaultsMode", _SET_CONFIG),
    ("InvalidProxiesConfigError", _SET_CONFIG),
    ("InvalidRetryConfigurationError", _SET_CONFIG),
    ("MissingDependencyException", _SET_CONFIG),
    ("MissingParametersError", _SET_CONFIG),
    ("UnknownSignatureVersionError", _SET_CONFIG),
    ("UnsupportedSignatureVersionError", _SET_CONFIG),
    ("ValidationError", _SET_CONFIG),
    ("ApiVersionNotFoundError", _UPDATE_BOTO),
    ("DataNotFoundError", _UPDATE_BOTO),
    ("ParamValidationError", _UPDATE_BOTO),
    ("UnknownClientMethodError", _UPDATE_BOTO),
    ("UnsupportedServiceProtocolsError", _UPDATE_BOTO),
)


# Nothing was sent if the name did not resolve, or the connection was refused or timed out. A proxy
# that fails raises another class.
_UNSENT = (EndpointConnectionError, ConnectTimeoutError)
# What botocore is built on, beside the standard library.
_LIBRARIES = sys.stdlib_module_names | {"aiohttp", "dateutil", "jmespath", "six", "urllib3"}


def translate(
    exc: Exception, client: object, call: Call, *, sent_before: int, retried: bool
) -> errors.KvsStreamsError | None:
    """Return our error for an exception that a boto client raised; ``None`` if it is not boto's.

    Args:
        exc: What the call raised.
        client: The boto client.
        call: The call that failed.
        sent_before: How many requests were sent for this call before this attempt.
        retried: Whether botocore retried any earlier attempt of this call.
    """
    if isinstance(exc, ClientError):
        return _caused(_service_error(exc, call, sent_before, retried=retried), exc)
    if isinstance(exc, StubResponseError):
        return None  # a test's script is wrong
    if _hint(exc) is not None or _is_about_credentials(exc):
        return configuration_error(exc)
    if isinstance(exc, BotoCoreError) or _raised_by_botocore(exc):
        return _transport_error(exc, client, call)
    return None


def is_throttle(exc: Exception) -> bool | None:
    """Tell whether the service throttled a call that failed; ``None`` if it gave no answer."""
    if not isinstance(exc, ClientError):
        return None
    return issubclass(_error_type(exc.response), errors.ThrottlingError)


def building_error(exc: Exception) -> errors.ConfigurationError | None:
    """Return our error for one that came while a client was built; ``None`` if it is not boto's."""
    is_boto = (
        isinstance(exc, BotoCoreError)
        or _raised_by_botocore(exc)
        or str(exc).startswith(INVALID_ENDPOINT)
    )
    return configuration_error(exc) if is_boto else None


def configuration_error(exc: Exception) -> errors.ConfigurationError:
    """Return our error for one that says that the client cannot work as it is set up."""
    # What a process prints and what a parser says of a part of a URL can be a bare password: our
    # own text is all that is said, and there is no cause.
    if _is_about_credentials(exc):
        return errors.ConfigurationError(f"the credentials cannot be used ({_SET_PROCESS})")
    text, hint = _start(exc), _hint(exc) or _SET_CONFIG
    if not isinstance(exc, BotoCoreError):
        is_endpoint = text.startswith(INVALID_ENDPOINT)
        if "@" in text or ("urllib.parse" in _modules(exc) and not is_endpoint):
            return errors.ConfigurationError(f"the endpoint URL is not valid ({_SET_ENDPOINT})")
        hint = _SET_ENDPOINT if is_endpoint else _SET_CONFIG
    return _caused(errors.ConfigurationError(f"{printable(text)} ({hint})"), exc)


def _is_about_credentials(exc: Exception) -> bool:
    """Tell whether the credentials cannot be read or sign nothing, or their process fails."""
    if isinstance(exc, CredentialRetrievalError):
        return bool(exc.kwargs.get("provider") == "custom-process")
    modules = set(_modules(exc))
    return (
        not isinstance(exc, (BotoCoreError, ClientError))
        and not modules.isdisjoint(_CREDENTIALS)
        and "botocore.configprovider" not in modules  # such as AWS_METADATA_SERVICE_TIMEOUT=x
        and _raised_by_botocore(exc)
    )


def _hint(exc: Exception) -> str | None:
    """Return what to do about an error that botocore raises before it sends anything."""
    lineage = {cls.__name__ for cls in type(exc).__mro__ if issubclass(cls, BotoCoreError)}
    return next((hint for name, hint in _CONFIGURATION if name in lineage), None)


def _service_error(
    exc: ClientError, call: Call, sent_before: int, *, retried: bool
) -> errors.ServiceError:
    response: Mapping[str, Any] = exc.response
    attempts = retry_attempts(response)
    cls = _error_type(response)
    extra: dict[str, Any] = {}
    if cls is errors.ResourceInUseException:
        extra["possibly_own"] = retried or attempts > 0
    return cls(
        response,
        call.operation_name,
        stream_name=call.stream_name or None,  # a list is about no stream
        retry_attempts=sent_before + attempts,
        **extra,
    )


def _error_type(response: Mapping[str, Any]) -> type[errors.ServiceError]:
    """Return the class for an error response."""
    error = response.get("Error")
    code = error.get("Code") if is_mapping(error) else None
    cls = _BY_CODE.get(code) if isinstance(code, str) else None
    if cls is not None:
        return cls
    status = metadata(response).get("HTTPStatusCode")
    failed = isinstance(status, int) and status >= _SERVER_ERROR
    return errors.ServerError if failed else errors.ServiceError


def _transport_error(exc: Exception, client: object, call: Call) -> errors.TransportError:
    unsent = _is_unsent(exc) and _makes_single_attempt(client)
    outcome = "it was not sent" if unsent else "it may have reached AWS"
    malformed = isinstance(exc, HTTPClientError) and isinstance(
        exc.kwargs.get("error"), (ValueError, InvalidProxiesConfigError)
    )
    if malformed:  # Its text can hold a bare password or a token.
        reason = f"a URL or a header is not valid ({_SET_REQUEST})"
    elif isinstance(exc, BotoCoreError):
        reason = printable(_start(exc), 400)
    else:
        reason = f"the response is unreadable: {type(exc).__name__}: {printable(_start(exc), 400)}"
    error = errors.TransportError(
        reason,
        operation_name=call.operation_name,
        stream_name=call.stream_name,
        outcome_unknown=not unsent,
    )
    name = shown(call.stream_name, redacted=False)
    text = f"no usable response to {call.operation_name} for stream {name} ({outcome}): {reason}"
    error.args = (escape(text),)
    return error if malformed else _caused(error, exc)


def _is_unsent(exc: Exception) -> bool:
    """Tell whether botocore's error means that no connection was made."""
    if not isinstance(exc, _UNSENT):
        return False
    # aiobotocore raises the same class for a connection that is lost while sending.
    reason = {cls.__name__ for cls in type(exc.kwargs.get("error")).__mro__}
    return "ClientConnectionError" not in reason or "ClientConnectorError" in reason


def _makes_single_attempt(client: object) -> bool:
    """Tell whether a boto client is certain to send a call at most once."""
    config = getattr(getattr(client, "meta", None), "config", None)
    retries = getattr(config, "retries", None)
    return is_mapping(retries) and retries.get("total_max_attempts") == 1


def _raised_by_botocore(exc: Exception) -> bool:
    """Tell whether botocore itself failed, such as its parser with a ``KeyError``.

    The innermost frame that belongs neither to the standard library nor to a dependency of
    botocore's decides: it is botocore's own, or that of a fake or of an event handler.
    """
    own = [name for name in _modules(exc) if name.partition(".")[0] not in _LIBRARIES]
    return (
        bool(own)
        and own[-1].partition(".")[0] in {"botocore", "aiobotocore"}
        # It calls event handlers, which may have no frame of their own, such as a mock.
        and own[-1] != "botocore.hooks"
    )


def _modules(exc: Exception) -> list[str]:
    """Return the module of each frame that an exception went through, the innermost last."""
    return [str(frame.f_globals.get("__name__")) for frame, _ in walk_tb(exc.__traceback__)]


def _start(exc: Exception) -> str:
    """Return the text of an exception, and no more of it than is ever shown."""
    return str(exc)[: 2 * TEXT_LIMIT]


def _caused(error: _Error, exc: Exception) -> _Error:
    """Set boto's exception as the cause, unless a secret is in it or in what caused it."""
    if isinstance(exc, HTTPClientError):
        vars(exc)["request"] = None  # it carries the credentials, and nobody needs it any more
    error.__cause__ = exc if _is_harmless(exc) else None
    return error


def _is_harmless(exc: BaseException) -> bool:
    """Tell whether no text of an exception, and of those behind it, holds a secret."""
    pending, checked = [exc], 0
    while pending:
        each = pending.pop()
        known = vars(each)
        if checked == _CHAIN_LIMIT or not is_harmless([str(each), each.args, known]):
            return False
        checked += 1
        kwargs = known.get("kwargs")
        behind = [each.__cause__, each.__context__, *each.args]
        behind += kwargs.values() if is_mapping(kwargs) else []
        pending += [other for other in behind if isinstance(other, BaseException)]
    return True
