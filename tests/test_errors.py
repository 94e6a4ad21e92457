"""The error tree itself, and that nothing botocore can raise is left unmapped."""

import copy
import pickle
import re
from datetime import datetime, timezone
from string import Formatter
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.retries.standard import ThrottledRetryableChecker
from botocore.session import Session

import kvs_streams
from kvs_streams import (
    ConfigurationError,
    CreateStreamRequest,
    CreateStreamResponse,
    Drift,
    KvsStreamsError,
    RequestValidationError,
    ResourceInUseException,
    ServiceError,
    StreamArn,
    StreamDeletingError,
    StreamDriftError,
    StreamInfo,
    StreamsClient,
    StreamStatus,
    ThrottleRetry,
    ThrottlingError,
    TransportError,
    UnexpectedResponseError,
    Violation,
    WaitTimeoutError,
    errors,
)

# Each error with its direct parents.
TREE = {
    "KvsStreamsError": ["Exception"],
    "RequestValidationError": ["KvsStreamsError", "ValueError"],
    "ServiceError": ["KvsStreamsError", "ClientError"],
    "InvalidRequestError": ["ServiceError"],
    "InvalidArgumentException": ["InvalidRequestError"],
    "InvalidDeviceException": ["InvalidRequestError"],
    "TagsPerResourceExceededLimitException": ["InvalidRequestError"],
    "ResourceInUseException": ["ServiceError"],
    "ResourceNotFoundException": ["ServiceError"],
    "LimitExceededError": ["ServiceError"],
    "AccountStreamLimitExceededException": ["LimitExceededError"],
    "DeviceStreamLimitExceededException": ["LimitExceededError"],
    "ThrottlingError": ["ServiceError"],
    "ClientLimitExceededException": ["ThrottlingError"],
    "AccessDeniedError": ["ServiceError"],
    "AuthenticationError": ["ServiceError"],
    "ServerError": ["ServiceError"],
    "TransportError": ["KvsStreamsError", "BotoCoreError"],
    "ConfigurationError": ["KvsStreamsError", "BotoCoreError"],
    "UnexpectedResponseError": ["KvsStreamsError"],
    "WaitError": ["KvsStreamsError"],
    "WaitTimeoutError": ["WaitError", "TimeoutError"],
    "StreamDeletingError": ["WaitError"],
    "StreamDriftError": ["KvsStreamsError"],
}
RETRYABLE = {
    "ThrottlingError",
    "ClientLimitExceededException",
    "ServerError",
    "TransportError",
    "UnexpectedResponseError",
    "WaitTimeoutError",
    "StreamDeletingError",
}

ERRORS: dict[str, type[KvsStreamsError]] = {name: getattr(kvs_streams, name) for name in TREE}
SERVICE_ERRORS = [name for name, error in ERRORS.items() if issubclass(error, ServiceError)]

REQUEST = CreateStreamRequest(stream_name="cam")
INFO = StreamInfo(
    stream_name="cam",
    stream_arn=StreamArn("arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/1600000000000"),
    status=StreamStatus("FROZEN"),
    creation_time=datetime(2020, 9, 13, 12, 26, 40, tzinfo=timezone.utc),
)
REPLY: dict[str, Any] = {
    "Error": {"Code": "SomethingException", "Message": "so it is"},
    "Message": "so it is",
    "ResponseMetadata": {
        "RequestId": "id-1",
        "HTTPStatusCode": 400,
        "HTTPHeaders": {"date": "Mon, 06 May 2041 07:08:09 GMT"},
        "RetryAttempts": 2,
    },
}

# A line of the drawn tree: the branches, the class, and its second parent.
DRAWN = re.compile(r"([│├└─ ]*)(\w+(?:Error|Exception))(?: \((\w+ )?(\w+)\))?(?: {2}|$)")


def sample(name: str) -> KvsStreamsError:
    """Make an error of that class with every attribute set to something of its own."""
    cls: Any = ERRORS[name]
    if name == "RequestValidationError":
        fault = Violation("StreamName", "stream_name", "pattern", "stream_name is bad", "'a b'")
        error = cls([fault, fault])
    elif name == "ResourceInUseException":
        error = cls(REPLY, "CreateStream", stream_name="cam", retry_attempts=3, possibly_own=True)
    elif name in SERVICE_ERRORS:
        error = cls(REPLY, "CreateStream", stream_name="cam", retry_attempts=3)
    elif name == "TransportError":
        error = cls("lost", operation_name="Op", stream_name="cam", outcome_unknown=False)
    elif name == "UnexpectedResponseError":
        error = cls("no ARN", operation_name="Op", stream_name="cam", request_id="id-1")
    elif issubclass(cls, kvs_streams.WaitError):
        error = cls("late", stream_name="cam", last_status=StreamStatus("FROZEN"), waited=1.5)
    elif name == "StreamDriftError":
        error = cls([Drift("media_type", "a/b", None)], stream=INFO, unverified=("tags",))
    else:
        error = cls("what happened")
    error.created = CreateStreamResponse(stream_arn=INFO.stream_arn, retry_attempts=1)
    return error


def facts(error: BaseException) -> dict[str, object]:
    """Everything that an error says: its class, its text and its attributes."""
    return {"class": type(error), "text": str(error), "args": error.args} | vars(error)


class Failing:
    """A client of which every call raises, as a user's own fake may do."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def _raise(self, **_: object) -> dict[str, Any]:
        raise self.error

    create_stream = describe_stream = list_tags_for_stream = _raise
    describe_stream_storage_configuration = _raise


def raised(error: Exception, operation: str = "create_stream") -> BaseException:
    """Return what the library makes of an error that a boto call raises."""
    client = StreamsClient(Failing(error), throttle_retry=ThrottleRetry(max_attempts=1))
    argument = REQUEST if operation == "create_stream" else "cam"
    with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is the question
        getattr(client, operation)(argument)
    return caught.value


@pytest.mark.parametrize("name", TREE)
def test_place_in_the_tree(name: str) -> None:
    """Each error has exactly the parents of the contract, and a public home."""
    error = ERRORS[name]
    assert [parent.__name__ for parent in error.__bases__] == TREE[name]
    assert error.__module__ == "kvs_streams.errors"
    assert getattr(errors, name) is error


def test_every_error_is_in_the_tree() -> None:
    """No error is public without a place in the tree."""
    public = {name: getattr(kvs_streams, name) for name in kvs_streams.__all__}
    found = {
        name
        for name, thing in public.items()
        if isinstance(thing, type) and issubclass(thing, BaseException)
    }
    assert found == set(TREE)


def test_drawn_tree_is_the_real_tree() -> None:
    """The picture at the top of ``errors.py`` shows the classes as they are."""
    drawn: dict[str, list[str]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(
            r"([│├└─ ]*)(\w+(?:Error|Exception))(?: \((\w+ )?(\w+)\))?(?: {2}|$)", line
        )
        if found is None:
            continue
        branch, name, _, other = found.groups()
        depth = len(branch) // 4
        path[depth:] = [name]
        drawn[name] = [path[depth - 1] if depth else "Exception"] + ([other] if other else [])
    assert drawn == TREE


@pytest.mark.parametrize("name", TREE)
def test_retryable(name: str) -> None:
    """Each error says whether the same request can succeed later without any change."""
    assert ERRORS[name].retryable is (name in RETRYABLE)
    assert sample(name).retryable is (name in RETRYABLE)


@pytest.mark.parametrize("name", TREE)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(name: str, protocol: int) -> None:
    """Each error comes back from a pickle with its class, text and every attribute."""
    error = sample(name)
    restored = pickle.loads(pickle.dumps(error, protocol))
    assert facts(restored) == facts(error)
    assert restored.created.stream_arn == INFO.stream_arn


@pytest.mark.parametrize("name", TREE)
def test_copy(name: str) -> None:
    """Each error is copied whole, shallow or deep, and a deep copy shares nothing that changes."""
    error = sample(name)
    assert facts(copy.copy(error)) == facts(error)
    deep = copy.deepcopy(error)
    assert facts(deep) == facts(error)
    if isinstance(error, ServiceError):
        assert isinstance(deep, ServiceError)
        assert deep.response is not error.response


class TeamError(ResourceInUseException):
    """A user's own subclass with attributes of its own."""


def test_pickle_of_a_subclass() -> None:
    """A user's subclass pickles too, with what the user added."""
    error = TeamError(REPLY, "CreateStream", possibly_own=True)
    error.team = "north"
    restored = pickle.loads(pickle.dumps(error))
    assert facts(restored) == facts(error)
    assert restored.team == "north"


def test_pickle_carries_no_cause() -> None:
    """A pickle leaves ``__cause__`` behind, as Python's own exceptions do; a copy too."""
    error = sample("TransportError")
    error.__cause__ = OSError("below")
    assert pickle.loads(pickle.dumps(error)).__cause__ is None


@pytest.mark.parametrize("name", TREE)
def test_made_by_a_user(name: str) -> None:
    """Users make errors in their own tests: nothing but the documented arguments is needed."""
    error = sample(name)
    assert isinstance(error, KvsStreamsError)
    assert str(error)
    assert repr(error).startswith(f"{name}(")


def test_service_error_reads_the_reply() -> None:
    """A service error made from a reply has all that the reply says."""
    error = ServiceError(REPLY, "CreateStream")
    assert (error.code, error.message) == ("SomethingException", "so it is")
    assert (error.request_id, error.http_status_code, error.retry_attempts) == ("id-1", 400, 2)
    assert (error.operation_name, error.stream_name) == ("CreateStream", None)
    assert error.response == REPLY
    assert error.response is not REPLY


@pytest.mark.parametrize("name", SERVICE_ERRORS)
def test_service_errors_know_the_call(name: str) -> None:
    """Every class keeps what it is told of the call beside the reply."""
    error: Any = sample(name)
    assert (error.operation_name, error.stream_name) == ("CreateStream", "cam")
    assert error.retry_attempts == 3


@pytest.mark.parametrize("status", [0, 400, 999_999])
def test_status_of_a_reply(status: int) -> None:
    """Whatever can be a status is one."""
    reply = {"ResponseMetadata": {"HTTPStatusCode": status}}
    assert ServiceError(reply, "CreateStream").http_status_code == status


@pytest.mark.parametrize("status", [-1, 1_000_000, True, "400", 400.0, None], ids=repr)
def test_no_status(status: object) -> None:
    """What cannot be a status is none."""
    reply = {"ResponseMetadata": {"HTTPStatusCode": status}}
    assert ServiceError(reply, "CreateStream").http_status_code is None


def test_service_error_of_a_strange_reply() -> None:
    """What is no text is shown as one, and what is no mapping holds nothing."""
    strange: Any = {"Error": {"Code": 5, "Message": 0}, "ResponseMetadata": {"RequestId": 7}}
    error = ServiceError(strange, "CreateStream")
    assert (error.code, error.message, error.request_id) == ("5", "", "7")
    for nothing in "Error", ["Error"], {"Error": "Code"}:
        error = ServiceError(nothing, "CreateStream")
        assert (error.code, error.message, error.request_id) == ("Unknown", "", None)


def test_service_error_in_words() -> None:
    """The text is botocore's, and what helps to find the call again."""
    assert str(ServiceError(REPLY, "CreateStream", stream_name="cam")) == (
        "An error occurred (SomethingException) when calling the CreateStream operation: so it is "
        "[stream 'cam', request id id-1, retry attempts 2]"
    )


def test_long_parts_of_a_reply_are_cut() -> None:
    """The text has 80 characters of the code and the request id; the attributes have all."""
    code, request_id = "C" * 81, "i" * 81
    reply = {"Error": {"Code": code}, "ResponseMetadata": {"RequestId": request_id}}
    error = ServiceError(reply, "CreateStream")
    assert str(error) == (
        f"An error occurred ({'C' * 79}…) when calling the CreateStream operation: no message "
        f"[request id {'i' * 79}…]"
    )
    assert (error.code, error.request_id) == (code, request_id)


def test_reply_is_made_printable_throughout() -> None:
    """Texts in lists and mappings of the reply are made printable, whatever AWS adds to it."""
    nested = {"Reasons": ["line\nbreak", {"key\r": 7}]}
    assert ServiceError({**REPLY, **nested}, "CreateStream").response == {
        **REPLY,
        "Reasons": [r"line\nbreak", {r"key\r": 7}],
    }


@pytest.mark.parametrize("reply", [{}, {"Error": {}}, {"Error": None, "ResponseMetadata": None}])
def test_service_error_of_an_empty_reply(reply: dict[str, Any]) -> None:
    """A reply that says nothing makes an error that invents nothing, worded as botocore does."""
    error = ServiceError(reply, "CreateStream")
    assert (error.code, error.message, error.request_id) == ("Unknown", "", None)
    assert (error.http_status_code, error.retry_attempts) == (None, 0)
    assert str(error) == (
        "An error occurred (Unknown) when calling the CreateStream operation: no message"
    )


def test_possibly_own_is_said_in_the_text() -> None:
    """Whoever reads only the log learns that the stream may be the caller's own."""
    own = ResourceInUseException(REPLY, "CreateStream", possibly_own=True)
    other = ResourceInUseException(REPLY, "CreateStream")
    assert own.possibly_own
    assert not other.possibly_own
    assert str(own) == (
        f"{other} (an earlier attempt of this call may have created it; ensure_stream finds out)"
    )


def test_many_violations_are_cut() -> None:
    """A request with thousands of faults has a readable text and keeps the first thousand."""
    faults = [
        Violation("Tags", f"tags['k{n}!']", "pattern", f"tags['k{n}!'] is bad", "'x'")
        for n in range(3000)
    ]
    error = RequestValidationError(faults)
    assert error.violations == tuple(faults[:1000])
    assert len(RequestValidationError(faults[:1000]).violations) == 1000
    assert "3000 faults" in str(error)
    assert len(str(error)) < 2000


def test_drift_in_words() -> None:
    """The text names the stream, and of each difference what is and what was asked for."""
    drift = [Drift("media_type", "a/b", None), Drift("data_retention_in_hours", 24, 0)]
    assert str(StreamDriftError(drift, stream=INFO)) == (
        f"stream '{INFO.stream_name}' exists with another configuration: "
        "media_type is not set, requested 'a/b'; data_retention_in_hours is 0, requested 24"
    )


@pytest.mark.parametrize("count, more", [(20, ""), (21, "; and 1 more"), (50, "; and 30 more")])
def test_many_differences_are_cut(count: int, more: str) -> None:
    """The same for a drift of many tags: twenty are named."""
    drift = [Drift(f"tags['k{n}']", "a", None) for n in range(count)]
    error = StreamDriftError(drift, stream=INFO)
    assert len(error.drift) == count
    assert str(error).endswith(f"tags['k19'] is not set, requested 'a'{more}")


def test_what_is_not_said_is_empty() -> None:
    """An error that somebody makes with no more than its text holds nothing else."""
    late = WaitTimeoutError("late")
    assert (late.stream_name, late.last_status, late.waited) == (None, None, 0.0)
    assert ConfigurationError("no region").kwargs == {}
    lost = TransportError("lost")
    assert (lost.operation_name, lost.stream_name, lost.kwargs) == (None, None, {})
    assert lost.outcome_unknown


def test_wait_timeout_is_a_timeout() -> None:
    """``except TimeoutError`` catches the end of a wait, with its text intact."""
    with pytest.raises(TimeoutError, match=r"^late$") as caught:
        raise WaitTimeoutError("late", last_status=StreamStatus.CREATING, waited=300.0)
    assert caught.value.errno is None


def test_unexpected_response_is_no_boto_error() -> None:
    """A success without its data is neither of boto's errors: boto would not have noticed."""
    assert not issubclass(UnexpectedResponseError, ClientError | BotoCoreError)
    assert not issubclass(StreamDeletingError, ClientError | BotoCoreError)


# What botocore raises.

# Raised before anything is sent.
CONFIGURATION = [
    "AliasConflictParameterError",
    "ApiVersionNotFoundError",
    "BaseEndpointResolverError",
    "ConfigNotFound",
    "ConfigParseError",
    "CredentialRetrievalError",
    "DataNotFoundError",
    "EndpointProviderError",
    "EndpointResolutionError",
    "EndpointVariantError",
    "InfiniteLoopConfigError",
    "InvalidChecksumConfigError",
    "InvalidConfigError",
    "InvalidDefaultsMode",
    "InvalidEndpointConfigurationError",
    "InvalidEndpointDiscoveryConfigurationError",
    "InvalidHostLabelError",
    "InvalidIMDSEndpointError",
    "InvalidIMDSEndpointModeError",
    "InvalidMaxRetryAttemptsError",
    "InvalidProxiesConfigError",
    "InvalidRegionError",
    "InvalidRetryConfigurationError",
    "InvalidRetryModeError",
    "InvalidSTSRegionalEndpointsConfigError",
    "LoginAuthorizationCodeError",
    "LoginError",
    "LoginInsufficientPermissions",
    "LoginRefreshRequired",
    "LoginTokenLoadError",
    "MetadataRetrievalError",
    "MissingDependencyException",
    "MissingParametersError",
    "NoAuthTokenError",
    "NoCredentialsError",
    "NoRegionError",
    "ParamValidationError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "RangeError",
    "RefreshWithMFAUnsupportedError",
    "SSOError",
    "SSOTokenLoadError",
    "ServiceNotInRegionError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
    "UnknownClientMethodError",
    "UnknownCredentialError",
    "UnknownEndpointError",
    "UnknownEndpointResolutionBuiltInName",
    "UnknownFIPSEndpointError",
    "UnknownKeyError",
    "UnknownParameterError",
    "UnknownRegionError",
    "UnknownServiceError",
    "UnknownSignatureVersionError",
    "UnknownTokenProviderError",
    "UnsupportedServiceProtocolsError",
    "UnsupportedSignatureVersionError",
    "ValidationError",
]

# No usable answer came.
TRANSPORT = [
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "ConnectionError",
    "EndpointConnectionError",
    "HTTPClientError",
    "IncompleteReadError",
    "ProxyConnectionError",
    "ReadTimeoutError",
    "ResponseStreamingError",
    "SSLError",
]

# Never met in these operations; should one be, nobody can say that nothing was sent.
ELSEWHERE = [
    "AwsChunkedWrapperError",
    "BotoCoreError",
    "CapacityNotAvailableError",
    "ChecksumError",
    "FlexibleChecksumError",
    "InvalidDNSNameError",
    "InvalidExpressionError",
    "InvalidS3AddressingStyleError",
    "InvalidS3UsEast1RegionalEndpointConfigError",
    "MD5UnavailableError",
    "OperationNotPageableError",
    "PaginationError",
    "UnknownServiceStyle",
    "UnseekableStreamError",
    "UnsupportedOutpostResourceError",
    "UnsupportedS3AccesspointConfigurationError",
    "UnsupportedS3ArnError",
    "UnsupportedS3ConfigurationError",
    "UnsupportedS3ControlArnError",
    "UnsupportedS3ControlConfigurationError",
    "WaiterConfigError",
    "WaiterError",
]

# A test's own script, or a broken installation.
UNTOUCHED = [
    "MissingServiceIdError",
    "StubAssertionError",
    "StubResponseError",
    "UnStubbedResponseError",
    "UndefinedModelAttributeError",
]


def boto_error(name: str) -> Exception:
    """Make an exception of botocore's, whatever its text wants to be filled with."""
    cls: Any = getattr(botocore.exceptions, name)
    if issubclass(cls, ClientError):
        return cls({"Error": {"Code": "SomethingException"}}, "CreateStream")
    fields = {field for _, field, _, _ in Formatter().parse(getattr(cls, "fmt", "")) if field}
    if name == "WaiterError":
        fields.add("last_response")
    return cls(**dict.fromkeys(fields, "something"))


BOTO_ERRORS = sorted(
    name
    for name, thing in vars(botocore.exceptions).items()
    if isinstance(thing, type)
    and issubclass(thing, Exception)
    and not issubclass(thing, Warning)
    and thing.__module__ == "botocore.exceptions"
)


def test_every_boto_error_has_been_thought_of() -> None:
    """An exception that a new botocore adds is mapped on purpose, or left alone on purpose."""
    answers = ["ClientError", "EventStreamError"]
    known = {*CONFIGURATION, *TRANSPORT, *ELSEWHERE, *UNTOUCHED, *answers}
    new = set(BOTO_ERRORS) - known
    assert not new, (
        f"botocore.exceptions has classes that nobody has decided about: {sorted(new)}. If one is "
        "raised before anything is sent, add it to _CONFIGURATION in kvs_streams/_failures.py and "
        "to CONFIGURATION in this file; else to TRANSPORT, ELSEWHERE or UNTOUCHED in this file."
    )


@pytest.mark.parametrize("name", BOTO_ERRORS)
def test_boto_errors(name: str) -> None:
    """Each exception of botocore's becomes what the lists above say, with itself as the cause."""
    error = boto_error(name)
    found = raised(error)
    if name in UNTOUCHED:
        assert found is error
        return
    assert found.__cause__ is error
    if isinstance(error, ClientError):
        assert type(found) is ServiceError
    elif name in CONFIGURATION:
        assert type(found) is ConfigurationError
    else:
        assert type(found) is TransportError
        assert found.outcome_unknown is True


def test_errors_of_others_pass_through() -> None:
    """What is neither AWS's nor botocore's doing is raised as it is, such as a fake's own error."""
    error = ZeroDivisionError("in a user's event handler")
    assert raised(error) is error


# What AWS answers.

THROTTLES = sorted(
    {
        *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
        *re.findall(
            r'"service_error_code": "(Throttl\w+|Request(?:Limit|Throttl)\w+|TooMany\w+)"',
            Session().get_component("data_loader").load_data("_retry").__repr__().replace("'", '"'),
        ),
    }
)


@pytest.mark.parametrize("code", THROTTLES)
def test_throttles(code: str) -> None:
    """Whatever botocore holds to be a throttle is a ThrottlingError."""
    found = raised(ClientError({"Error": {"Code": code, "Message": "slow"}}, "CreateStream"))
    assert type(found) is ThrottlingError, f"add {code} to the throttles in kvs_streams/_wire.py"
    assert found.retryable


OPERATIONS = [
    "CreateStream",
    "DescribeStream",
    "ListTagsForStream",
    "DescribeStreamStorageConfiguration",
]


def modelled(operation: str) -> list[str]:
    """The error codes that the installed service model lists for an operation."""
    model = Session().get_service_model("kinesisvideo").operation_model(operation)
    return [shape.metadata.get("error", {}).get("code", shape.name) for shape in model.error_shapes]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_modelled_errors(operation: str) -> None:
    """Every error that the service model lists for an operation we call has a class of its own."""
    for code in modelled(operation):
        found = raised(ClientError({"Error": {"Code": code, "Message": "so"}}, operation))
        assert isinstance(found, ServiceError)
        assert type(found) is not ServiceError, (
            f"botocore's model lists {code} for {operation}, and kvs_streams does not know it: add "
            "it to the table of error codes in kvs_streams/_wire.py"
        )
        assert found.code == code


def test_documented_exceptions_of_the_operation() -> None:
    """CreateStream's own exceptions, all seven, are classes by AWS's names."""
    documented = modelled("CreateStream")
    assert len(documented) == 7, (
        f"botocore's model now lists {documented} for CreateStream: give a new one its class in "
        "kvs_streams/errors.py, its place in the tree, the table in _wire.py and the documentation"
    )
    for code in documented:
        found = raised(ClientError({"Error": {"Code": code, "Message": "so"}}, "CreateStream"))
        assert type(found).__name__ == code
