"""Between boto and the models: replies become models, boto's errors become ours."""

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from traceback import walk_tb
from typing import Any, NamedTuple, TypeVar

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from . import errors
from ._models import CreateStreamRequest, CreateStreamResponse, StreamArn, StreamInfo, StreamStatus
from ._text import is_mapping, printable, redact, shown
from ._validation import check_stream

_Error = TypeVar("_Error", bound=errors.KvsStreamsError)

# What leaves a boto client when a call fails. Beside boto's own errors there are those that
# botocore's parser trips over in a body that is not the JSON it expects.
BOTO_FAILURES = (ClientError, BotoCoreError, AttributeError, LookupError, TypeError, ValueError)

# Scripted by somebody's test: not ours to dress up.
_LEFT_ALONE = (boto.StubResponseError,)


class Call(NamedTuple):
    """One operation on one stream, in boto's terms."""

    operation_name: str
    method: str
    kwargs: Mapping[str, Any]
    stream_name: str


def create_call(request: CreateStreamRequest) -> Call:
    """Return the call that creates the stream."""
    return Call("CreateStream", "create_stream", request.to_boto(), request.stream_name)


def describe_call(stream: str) -> Call:
    """Return the call that describes a stream, given by name or ARN; refuse what is neither."""
    return _call_for("DescribeStream", "describe_stream", stream)


def tags_call(stream: str, next_token: str | None) -> Call:
    """Return the call that lists a page of a stream's tags."""
    call = _call_for("ListTagsForStream", "list_tags_for_stream", stream)
    if next_token is None:
        return call
    return call._replace(kwargs={**call.kwargs, "NextToken": next_token})


def storage_call(stream: str) -> Call:
    """Return the call that reads a stream's storage tier."""
    operation = "DescribeStreamStorageConfiguration"
    return _call_for(operation, "describe_stream_storage_configuration", stream)


def _call_for(operation_name: str, method: str, stream: str) -> Call:
    faults = check_stream(stream)
    if faults:
        raise errors.RequestValidationError(faults)
    text = str.__str__(stream)
    if ":" not in text:
        return Call(operation_name, method, {"StreamName": text}, text)
    try:
        name = StreamArn(text).stream_name
    except ValueError:  # such as the ARN of a channel, which the service may judge
        name = text
    return Call(operation_name, method, {"StreamARN": text}, name)


# Replies


def metadata(reply: object) -> Mapping[str, Any]:
    """Return what boto knows of the HTTP exchange behind a reply; empty for a fake's bare reply."""
    found = _member(reply, "ResponseMetadata")
    return found if is_mapping(found) else {}


def _retry_attempts(exchange: Mapping[str, Any]) -> int:
    """Return how often botocore sent a call again."""
    return int(exchange.get("RetryAttempts") or 0)


def server_time(reply: object) -> datetime | None:
    """Return the server's own clock from the reply's ``date`` header, in whole seconds."""
    date = _text(metadata(reply).get("HTTPHeaders"), "date")
    if date is None:
        return None
    try:
        return _utc(parsedate_to_datetime(date))
    except (OverflowError, ValueError):
        return None


def read_created(call: Call, reply: object, sent_before: int) -> CreateStreamResponse:
    """Return the response to a create; ``sent_before`` are the requests of earlier attempts."""
    arn = _require(call, reply, reply, "StreamARN")
    exchange = metadata(reply)
    return CreateStreamResponse(
        stream_arn=StreamArn(arn),
        request_id=exchange.get("RequestId"),
        http_status_code=exchange.get("HTTPStatusCode"),
        retry_attempts=sent_before + _retry_attempts(exchange),
    )


def read_stream(call: Call, reply: object) -> StreamInfo:
    """Return the stream that a describe shows."""
    info = _member(reply, "StreamInfo")
    name = _require(call, reply, info, "StreamName")
    arn = _require(call, reply, info, "StreamARN")
    status = _require(call, reply, info, "Status")
    created = _member(info, "CreationTime")
    retention = _member(info, "DataRetentionInHours")
    return StreamInfo(
        stream_name=name,
        stream_arn=StreamArn(arn),
        status=StreamStatus(status),
        device_name=_text(info, "DeviceName"),
        media_type=_text(info, "MediaType"),
        kms_key_id=_text(info, "KmsKeyId"),
        version=_text(info, "Version"),
        creation_time=_utc(created) if isinstance(created, datetime) else None,
        data_retention_in_hours=retention if isinstance(retention, int) else None,
    )


def read_tags(reply: object) -> tuple[Mapping[str, str], str | None]:
    """Return a page of tags, and the token for the next page if there is one."""
    tags = _member(reply, "Tags")
    found: Mapping[Any, Any] = tags if is_mapping(tags) else {}
    # AWS calls the value optional, as in a request.
    return {key: value or "" for key, value in found.items()}, _text(reply, "NextToken")


def read_tier(call: Call, reply: object) -> str:
    """Return the storage tier as text, for it may be one that this version does not know."""
    configuration = _member(reply, "StreamStorageConfiguration")
    return _require(call, reply, configuration, "DefaultStorageTier")


def _utc(time: datetime) -> datetime | None:
    """Return a time in UTC, which is what AWS means where it names no time zone."""
    try:
        return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
    except OverflowError:  # at the end of the calendar
        return None


def _member(body: object, name: str) -> object:
    return body.get(name) if is_mapping(body) else None


def _text(body: object, name: str) -> str | None:
    value = _member(body, name)
    return value if isinstance(value, str) and value else None


def _require(call: Call, reply: object, body: object, name: str) -> str:
    value = _text(body, name)
    if value is not None:
        return value
    msg = f"the reply to {call.operation_name} for stream {shown(call.stream_name)} has no {name}"
    raise errors.UnexpectedResponseError(
        msg,
        operation_name=call.operation_name,
        stream_name=call.stream_name,
        request_id=metadata(reply).get("RequestId"),
    )


# Errors

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

_SET_REGION = "pass region_name, or set AWS_DEFAULT_REGION or 'region' in the AWS config file"
_SET_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in AWS_PROFILE, or give the "
    "process a role"
)
_SET_PROFILE = "check AWS_PROFILE or profile_name against the profiles in the AWS config file"
_SET_ENDPOINT = "check endpoint_url, region_name and the settings for FIPS and dual-stack endpoints"
_SET_CONFIG = "check the AWS config file, the AWS_* environment variables and the botocore Config"
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


def configuration_error(exc: Exception) -> errors.ConfigurationError:
    """Return our error for one that says that the client cannot work as it is set up."""
    # botocore's plain ValueErrors are about endpoints.
    hint = _hint(exc) or _SET_ENDPOINT
    return _caused(errors.ConfigurationError(f"{printable(str(exc))} ({hint})"), exc)


def _hint(exc: Exception) -> str | None:
    """Return the way out of an error that botocore raises before it sends anything."""
    lineage = {cls.__name__ for cls in type(exc).__mro__ if issubclass(cls, BotoCoreError)}
    return next((hint for name, hint in _CONFIGURATION if name in lineage), None)


def translate(
    client: object, call: Call, exc: Exception, *, sent_before: int, retried: bool
) -> Exception:
    """Return our error for what left a boto client, with the true cause set.

    Args:
        client: The boto client.
        call: The call that failed.
        exc: One of ``BOTO_FAILURES``.
        sent_before: How many requests were sent for this call before this attempt.
        retried: Whether botocore sent any attempt of this call more than once.
    """
    if isinstance(exc, ClientError):
        return _caused(_service_error(call, exc, sent_before, retried=retried), exc)
    if isinstance(exc, _LEFT_ALONE):
        return exc
    if _hint(exc) is not None:
        return configuration_error(exc)
    return _transport_error(client, call, exc)


def _service_error(
    call: Call, exc: ClientError, sent_before: int, *, retried: bool
) -> errors.ServiceError:
    response: Mapping[str, Any] = exc.response
    exchange = metadata(response)
    attempts = _retry_attempts(exchange)
    error = _member(response, "Error")
    cls = _BY_CODE.get(_text(error, "Code") or "")
    if cls is None:
        status = exchange.get("HTTPStatusCode")
        failed = isinstance(status, int) and status >= _SERVER_ERROR
        cls = errors.ServerError if failed else errors.ServiceError
    extra: dict[str, Any] = {}
    if cls is errors.ResourceInUseException:
        extra["possibly_own"] = retried or attempts > 0
    return cls(
        response,
        call.operation_name,
        stream_name=call.stream_name,
        retry_attempts=sent_before + attempts,
        **extra,
    )


def _transport_error(client: object, call: Call, exc: Exception) -> errors.TransportError:
    unknown = not (_makes_single_attempt(client) and _failed_before_sending(exc))
    reason = str(exc) if isinstance(exc, BotoCoreError) else f"the reply is unreadable: {exc}"
    text = f"no usable answer to {call.operation_name} for stream {shown(call.stream_name)}"
    outcome = "it may have reached AWS" if unknown else "it was not sent"
    return _caused(
        errors.TransportError(
            f"{text} ({outcome}): {printable(reason, 400)}",
            operation_name=call.operation_name,
            stream_name=call.stream_name,
            outcome_unknown=unknown,
        ),
        exc,
    )


def _failed_before_sending(exc: Exception) -> bool:
    """Tell whether it is certain that no part of the request left this process.

    It is where the failure comes from ``connect``, urllib3's or aiohttp's: there a name is
    resolved, a connection made, a proxy's tunnel opened and TLS agreed on, all before the request
    is sent. The classes do not tell: some mean as well that a proxy took the request and died.
    """
    return isinstance(exc, BotoCoreError) and _raised_in_connect(exc.kwargs.get("error"))


def _raised_in_connect(exc: object) -> bool:
    """Tell whether an error, or one that it says it comes from, was raised in ``connect``."""
    if not isinstance(exc, BaseException):
        return False
    if any(frame.f_code.co_name == "connect" for frame, _ in walk_tb(exc.__traceback__)):
        return True
    # Not __context__: that can be an error of another call, which its caller was just handling.
    return any(_raised_in_connect(origin) for origin in (exc.__cause__, *exc.args))


def _makes_single_attempt(client: object) -> bool:
    """Tell whether a boto client is sure to send a call once at most."""
    config = getattr(getattr(client, "meta", None), "config", None)
    retries = getattr(config, "retries", None)
    return is_mapping(retries) and retries.get("total_max_attempts") == 1


def _caused(error: _Error, exc: Exception) -> _Error:
    """Set the cause: boto's own error or, if its text holds a secret, its twin without."""
    text = redact(str(exc))
    if text != str(exc):
        exc = type(exc).__new__(type(exc))
        exc.args = (text,)
        if isinstance(error, errors.ServiceError):
            exc.__dict__.update(response=error.response, operation_name=error.operation_name)
    error.__cause__ = exc
    return error
