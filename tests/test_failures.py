"""What boto raises becomes one of our errors, with the way out; anything else is left alone."""

import json
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import boto3
import botocore.exceptions
import botocore.session
import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidProxiesConfigError,
    InvalidRetryModeError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    StubResponseError,
    UnseekableStreamError,
    WaiterError,
)
from botocore.retries.standard import ThrottledRetryableChecker
from support.clients import boto_client
from support.loopback import REGION, Loopback, Reply, created, garbage, refused_url

import kvs_streams
from kvs_streams import (
    AccessDeniedError,
    ConfigurationError,
    CreateStreamRequest,
    KvsStreamsError,
    ResourceInUseException,
    ServiceError,
    StreamsClient,
    ThrottleRetry,
    TransportError,
)

REQUEST = CreateStreamRequest(stream_name="cam")
ONCE = ThrottleRetry(max_attempts=1)
URL = "https://kinesisvideo.example"


class Failing:
    """A boto client whose calls all fail."""

    def __init__(self, error: BaseException, attempts: object = 1) -> None:
        self.error = error
        self.meta = SimpleNamespace(
            config=SimpleNamespace(retries={"total_max_attempts": attempts})
        )

    def create_stream(self, **_: object) -> Any:
        raise self.error


def raised_by(client: Any) -> KvsStreamsError:
    """Return the error that a create ends in, and check what holds for each."""
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(client, throttle_retry=ONCE).create_stream(REQUEST)
    assert caught.value.__cause__ is not None
    assert str(caught.value).isprintable()
    return caught.value


def becomes(error: Exception, attempts: object = 1) -> KvsStreamsError:
    """Return what becomes of an exception, and check that it is the cause."""
    ours = raised_by(Failing(error, attempts))
    assert ours.__cause__ is error
    return ours


# Error codes.

CODES = [
    ("AccountStreamLimitExceededException", 400, "AccountStreamLimitExceededException"),
    ("ClientLimitExceededException", 400, "ClientLimitExceededException"),
    ("DeviceStreamLimitExceededException", 400, "DeviceStreamLimitExceededException"),
    ("InvalidArgumentException", 400, "InvalidArgumentException"),
    ("InvalidDeviceException", 400, "InvalidDeviceException"),
    ("ResourceInUseException", 400, "ResourceInUseException"),
    ("ResourceNotFoundException", 404, "ResourceNotFoundException"),
    ("TagsPerResourceExceededLimitException", 400, "TagsPerResourceExceededLimitException"),
    ("InvalidResourceFormatException", 400, "InvalidRequestError"),
    ("SerializationException", 400, "InvalidRequestError"),
    ("ValidationError", 400, "InvalidRequestError"),
    ("ValidationException", 400, "InvalidRequestError"),
    ("AccessDenied", 403, "AccessDeniedError"),
    ("AccessDeniedException", 401, "AccessDeniedError"),
    ("AccessDeniedException", 403, "AccessDeniedError"),
    ("NotAuthorizedException", 401, "AccessDeniedError"),
    ("OptInRequired", 403, "AccessDeniedError"),
    ("UnauthorizedOperation", 403, "AccessDeniedError"),
    ("AuthFailure", 401, "AuthenticationError"),
    ("ExpiredToken", 403, "AuthenticationError"),
    ("ExpiredTokenException", 403, "AuthenticationError"),
    ("IncompleteSignature", 400, "AuthenticationError"),
    ("IncompleteSignatureException", 400, "AuthenticationError"),
    ("InvalidAccessKeyId", 403, "AuthenticationError"),
    ("InvalidClientTokenId", 403, "AuthenticationError"),
    ("InvalidSignatureException", 403, "AuthenticationError"),
    ("MissingAuthenticationToken", 403, "AuthenticationError"),
    ("MissingAuthenticationTokenException", 403, "AuthenticationError"),
    ("RequestExpired", 400, "AuthenticationError"),
    ("RequestTimeTooSkewed", 403, "AuthenticationError"),
    ("SignatureDoesNotMatch", 403, "AuthenticationError"),
    ("UnrecognizedClientException", 403, "AuthenticationError"),
    ("408", 408, "ServerError"),
    ("InternalError", 500, "ServerError"),
    ("InternalFailure", 500, "ServerError"),
    ("InternalServerError", 500, "ServerError"),
    ("InternalServerException", 500, "ServerError"),
    ("RequestTimeout", 400, "ServerError"),
    ("RequestTimeoutException", 400, "ServerError"),
    ("ServiceUnavailable", 503, "ServerError"),
    ("ServiceUnavailableException", 503, "ServerError"),
    ("429", 429, "ThrottlingError"),
    *((code, 400, "ThrottlingError") for code in ThrottledRetryableChecker._THROTTLED_ERROR_CODES),
    # The code decides, whatever the status is; only an unknown one goes by the status.
    ("ResourceNotFoundException", 503, "ResourceNotFoundException"),
    ("Mystery", 400, "ServiceError"),
    ("Mystery", 499, "ServiceError"),
    ("Mystery", 500, "ServerError"),
    ("403", 403, "ServiceError"),
    ("502", 502, "ServerError"),
    ("Mystery", None, "ServiceError"),
]
RETRYABLE = {"ClientLimitExceededException", "ServerError", "ThrottlingError"}


def answered(
    code: object, status: object = 400, retries: int = 0, operation: str = "CreateStream"
) -> ClientError:
    """Return boto's error for a response of AWS's."""
    exchange = {"HTTPStatusCode": status, "RetryAttempts": retries, "RequestId": "id-1"}
    error = {"Code": code, "Message": "AWS's own words."}
    response: Any = {"Error": error, "ResponseMetadata": exchange}
    return ClientError(response, operation)


@pytest.mark.parametrize("code, status, name", CODES)
def test_error_codes(code: str, status: int, name: str) -> None:
    """An error code decides on the class; an unknown code goes by the HTTP status."""
    error = becomes(answered(code, status))
    assert type(error) is getattr(kvs_streams, name)
    assert error.retryable is (name in RETRYABLE)


def test_throttles_are_those_of_botocore() -> None:
    """What botocore takes for a throttle is one; the service's own throttle botocore never retries.

    The list above is botocore's, and this holds that there is something in it.
    """
    codes = ThrottledRetryableChecker._THROTTLED_ERROR_CODES
    assert len(codes) > 10
    assert "ClientLimitExceededException" not in codes


@pytest.mark.parametrize("response", [{}, {"Error": {}}])
def test_error_of_a_fake(response: Any) -> None:
    """A fake's error may lack everything that AWS would send."""
    error = becomes(ClientError(response, "CreateStream"))
    assert type(error) is ServiceError
    assert error.retry_attempts == 0


@pytest.mark.parametrize("retries, own", [(0, False), (1, True), (2, True)])
def test_possibly_own(retries: int, own: bool) -> None:
    """A conflict that botocore met on a retry may be with the caller's own first attempt."""
    error = becomes(answered("ResourceInUseException", retries=retries))
    assert isinstance(error, ResourceInUseException)
    assert error.possibly_own is own
    assert error.retry_attempts == retries


def test_error_of_sts() -> None:
    """An error of STS keeps its operation and does not name the stream."""
    error = becomes(answered("AccessDenied", 403, operation="AssumeRole"))
    assert type(error) is AccessDeniedError
    assert (error.operation_name, error.stream_name) == ("AssumeRole", None)
    assert "cam" not in str(error)
    assert "CreateStream" not in str(error)


# Classes of botocore: each stands here, so that a new one fails with its name.

HINTS = {
    "pass region_name": "InvalidRegionError NoRegionError ServiceNotInRegionError "
    "UnknownRegionError",
    "set AWS_ACCESS_KEY_ID": "NoAuthTokenError NoCredentialsError",
    "check the credentials": "CredentialRetrievalError InvalidIMDSEndpointError "
    "InvalidIMDSEndpointModeError MetadataRetrievalError PartialCredentialsError "
    "RefreshWithMFAUnsupportedError UnknownCredentialError UnknownTokenProviderError",
    "log in again with 'aws sso login'": "SSOError SSOTokenLoadError TokenRetrievalError "
    "UnauthorizedSSOTokenError",
    "log in again with 'aws login'": "LoginAuthorizationCodeError LoginError "
    "LoginInsufficientPermissions LoginRefreshRequired LoginTokenLoadError",
    "check AWS_PROFILE": "ProfileNotFound",
    "check endpoint_url, region_name": "BaseEndpointResolverError EndpointProviderError "
    "EndpointResolutionError EndpointVariantError InvalidEndpointConfigurationError "
    "InvalidEndpointDiscoveryConfigurationError InvalidHostLabelError "
    "InvalidSTSRegionalEndpointsConfigError UnknownEndpointError "
    "UnknownEndpointResolutionBuiltInName UnknownFIPSEndpointError",
    "check endpoint_url, the AWS config file": "AliasConflictParameterError ConfigNotFound "
    "ConfigParseError InfiniteLoopConfigError InvalidChecksumConfigError InvalidConfigError "
    "InvalidDefaultsMode InvalidMaxRetryAttemptsError InvalidProxiesConfigError "
    "InvalidRetryConfigurationError InvalidRetryModeError MissingDependencyException "
    "MissingParametersError RangeError UnknownKeyError UnknownParameterError "
    "UnknownSignatureVersionError UnsupportedSignatureVersionError ValidationError",
    "update boto3": "ApiVersionNotFoundError DataNotFoundError ParamValidationError "
    "UnknownClientMethodError UnknownServiceError UnsupportedServiceProtocolsError",
    # No hint: a TransportError.
    "": "AwsChunkedWrapperError BotoCoreError CapacityNotAvailableError ChecksumError "
    "ConnectTimeoutError ConnectionClosedError ConnectionError EndpointConnectionError "
    "FlexibleChecksumError HTTPClientError IncompleteReadError InvalidDNSNameError "
    "InvalidExpressionError InvalidS3AddressingStyleError "
    "InvalidS3UsEast1RegionalEndpointConfigError MD5UnavailableError OperationNotPageableError "
    "PaginationError ProxyConnectionError ReadTimeoutError ResponseStreamingError SSLError "
    "UnknownServiceStyle UnseekableStreamError UnsupportedOutpostResourceError "
    "UnsupportedS3AccesspointConfigurationError UnsupportedS3ArnError "
    "UnsupportedS3ConfigurationError UnsupportedS3ControlArnError "
    "UnsupportedS3ControlConfigurationError WaiterConfigError WaiterError",
    # Not about AWS: raised as they are.
    "stub": "StubAssertionError StubResponseError UnStubbedResponseError",
}
HINT_OF = {name: hint for hint, names in HINTS.items() for name in names.split()}
CLASSES = {
    name: cls
    for name, cls in vars(botocore.exceptions).items()
    if isinstance(cls, type) and issubclass(cls, BotoCoreError)
}


def example(cls: type[BotoCoreError]) -> BotoCoreError:
    """Return an error of botocore's in which each value is its own name."""
    names = [name for _, name, _, _ in Formatter().parse(cls.fmt) if name]
    values: Any = {name: f"a {name}" for name in names}
    if cls is WaiterError:
        values["last_response"] = {}
    return cls(**values)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_botocore(name: str) -> None:
    """What botocore raises before it sends is a ConfigurationError with the way out."""
    hint = HINT_OF.get(name)
    assert hint is not None, f"{name} is new in botocore: is anything sent before it is raised?"
    error = example(CLASSES[name])
    if hint == "stub":
        with pytest.raises(CLASSES[name]) as caught:
            StreamsClient(Failing(error)).create_stream(REQUEST)
        assert caught.value is error
        return
    ours = becomes(error)
    assert type(ours) is (ConfigurationError if hint else TransportError)
    assert ours.retryable is (not hint)
    assert (ours.operation_name, ours.stream_name) == ("CreateStream", "cam")
    assert " ".join(str(error).split()).rstrip(".")[:200] in str(ours)
    assert f"({hint}" in str(ours) or not hint


# Whether the request may have arrived.


class ClientConnectionError(Exception):
    """aiohttp's error for a connection that fails at any time."""


class ClientConnectorError(ClientConnectionError):
    """aiohttp's error for a connection that is never made."""


def lost(cls: type[BotoCoreError], reason: object = None) -> BotoCoreError:
    """Return botocore's error for what the HTTP library met."""
    return cls(endpoint_url=URL, proxy_url=URL, error=reason or OSError("no luck"))


@pytest.mark.parametrize(
    "error, attempts, unknown",
    [
        (lost(EndpointConnectionError), 1, False),
        (lost(ConnectTimeoutError), 1, False),
        (lost(EndpointConnectionError, ClientConnectorError()), 1, False),
        # aiobotocore raises the same class for a connection that is lost while it sends.
        (lost(EndpointConnectionError, ClientConnectionError()), 1, True),
        (lost(ProxyConnectionError), 1, True),
        (lost(SSLError), 1, True),
        (lost(ReadTimeoutError), 1, True),
        (lost(ConnectionClosedError), 1, True),
        (lost(HTTPClientError), 1, True),
        # An earlier attempt may have arrived: botocore shows only the last.
        (lost(EndpointConnectionError), 2, True),
        (lost(ConnectTimeoutError), 5, True),
        (lost(EndpointConnectionError), None, True),
    ],
)
def test_outcome_unknown(error: Exception, attempts: object, unknown: bool) -> None:
    """Only a single attempt without a connection is certain not to have arrived."""
    ours = becomes(error, attempts)
    assert isinstance(ours, TransportError)
    assert ours.outcome_unknown is unknown


@pytest.mark.parametrize("meta", [None, SimpleNamespace(), SimpleNamespace(config=None)])
def test_fake_that_does_not_count_its_attempts(meta: object) -> None:
    """A fake that does not say how often it tries is not certain to try once."""
    client = Failing(lost(EndpointConnectionError))
    client.meta = meta  # type: ignore[assignment]
    error = raised_by(client)
    assert isinstance(error, TransportError)
    assert error.outcome_unknown


# What is shown of botocore's values.

SECRET = "hunter2"


@pytest.mark.parametrize(
    "error, shown",
    [
        (
            EndpointConnectionError(endpoint_url=f"https://me:{SECRET}@kvs.example/createStream"),
            "https://kvs.example/createStream",
        ),
        (
            EndpointConnectionError(endpoint_url=f"https://me:{SECRET}/@{SECRET}@kvs.example/"),
            "https://kvs.example/",
        ),
        (
            EndpointConnectionError(endpoint_url=f"https://me:{SECRET} {SECRET}@kvs.example/"),
            "https://kvs.example/",
        ),
        (
            ProxyConnectionError(proxy_url=f"http://me:{SECRET}@proxy.example:3128", error=None),
            "http://proxy.example:3128",
        ),
        (
            HTTPClientError(error=OSError(f"cannot reach 'http://:{SECRET}@proxy.example'")),
            "cannot reach 'http://proxy.example'",
        ),
        (
            CredentialRetrievalError(
                provider="container-role", error_msg=f"no answer from http://{SECRET}@host/x"
            ),
            "no answer from http://host/x",
        ),
        (
            CredentialRetrievalError(provider="custom-process", error_msg=f"key: {SECRET}"),
            "run the credential_process by itself",
        ),
        (
            HTTPClientError(error=ValueError(f"Invalid header value b'{SECRET}'")),
            "a header or a URL is not valid",
        ),
        (
            HTTPClientError(error=InvalidProxiesConfigError(error=OSError(SECRET))),
            "a header or a URL is not valid",
        ),
        (
            InvalidRetryModeError(provided_retry_mode="odd", valid_modes=["legacy", "standard"]),
            "must be one of: legacy, standard",
        ),
        (UnseekableStreamError(stream_object=SimpleNamespace(key=SECRET)), "<SimpleNamespace>"),
    ],
    ids=str,
)
def test_values_without_credentials(error: Exception, shown: str) -> None:
    """No user info of a URL is shown, no output of a process, and no object."""
    text = str(becomes(error))
    assert shown in text
    assert SECRET not in text


def test_request_is_not_shown() -> None:
    """The request that botocore keeps carries the credentials in its headers."""
    request = SimpleNamespace(headers={"X-Amz-Security-Token": SECRET})
    error = ConnectionClosedError(request=request, endpoint_url=URL, error=OSError("gone"))
    ours = becomes(error)
    assert SECRET not in f"{ours} {ours!r} {vars(ours)}"


# What is neither AWS's nor botocore's passes through.


@pytest.mark.parametrize(
    "error",
    [
        AssertionError("a fake"),
        AttributeError("a fake"),
        KeyError("a fake"),
        OSError("a fake"),
        RecursionError("a fake"),
        ValueError("a fake"),
        KeyboardInterrupt(),
        pytest.fail.Exception("a fake"),
    ],
    ids=repr,
)
def test_errors_of_a_fake(error: BaseException) -> None:
    """A bug in a fake does not look like a lost response: its error is raised as it is."""
    with pytest.raises(type(error)) as caught:
        StreamsClient(Failing(error)).create_stream(REQUEST)
    assert caught.value is error
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [TransportError("lost", outcome_unknown=False), ConfigurationError("no region")],
    ids=str,
)
def test_our_errors_from_a_fake(error: KvsStreamsError) -> None:
    """A fake can raise our own errors: they arrive as they are."""
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(Failing(error)).create_stream(REQUEST)
    assert caught.value is error
    assert caught.value.__cause__ is None


def test_error_of_a_mock() -> None:
    """A mock that has no answers left says so, instead of ending a generator."""
    client = Mock(spec=["create_stream"])
    client.create_stream.side_effect = []
    with pytest.raises(RuntimeError, match="StopIteration"):
        StreamsClient(client).create_stream(REQUEST)


def handler(**_: Any) -> None:
    """Fail as a user's event handler may."""
    json.loads("not JSON")


@pytest.mark.parametrize("event", ["before-call", "before-sign", "before-send", "after-call"])
@pytest.mark.parametrize("broken", [handler, Mock(side_effect=ValueError("a mock"))])
def test_errors_of_an_event_handler(
    server: Loopback, event: str, broken: Callable[..., None]
) -> None:
    """An event handler runs inside botocore, and its bugs are not botocore's."""
    server.on_create(*[created("cam")] * (event == "after-call"))
    with closing(boto_client(server.url)) as raw:
        raw.meta.events.register(f"{event}.kinesis-video.CreateStream", broken)
        with pytest.raises(ValueError, match=r"a mock|Expecting value"):
            StreamsClient(raw).create_stream(REQUEST)


# The two questions about a traceback: was the reply read, or were credentials?

TIME = '{"StreamInfo":{"StreamName":"cam","CreationTime":@}}'


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b'[{"StreamARN": "arn"}]',
        b'{"StreamARN": "\xff"}',
        b"[" * 200_000,
        TIME.replace("@", '"no time"').encode(),
        TIME.replace("@", "1e400").encode(),
    ],
    ids=["null", "list", "not UTF-8", "nested", "no time", "infinite time"],
)
def test_response_that_botocore_cannot_read(server: Loopback, body: bytes) -> None:
    """A success that botocore's parser trips over is no usable answer; the stream may exist."""
    server.answer_with(lambda _: garbage(body))
    with closing(boto_client(server.url)) as raw:
        client = StreamsClient(raw, throttle_retry=ONCE)
        call: Callable[[], object] = lambda: (  # noqa: E731
            client.describe_stream("cam")
            if b"StreamInfo" in body
            else client.create_stream(REQUEST)
        )
        with pytest.raises((TransportError, kvs_streams.UnexpectedResponseError)) as caught:
            call()
    # Whether brackets are too deep depends on the version of Python.
    if isinstance(caught.value, TransportError):
        assert "the response cannot be read: " in str(caught.value)
        assert caught.value.outcome_unknown
    else:
        assert body.startswith(b"[[")


def create(session: Any = None, url: str | None = None) -> KvsStreamsError:
    """Return the error of a create by a client that finds its credentials in the environment."""
    session = session or boto3.Session(region_name=REGION)
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(session=session, endpoint_url=url or refused_url()).create_stream(REQUEST)
    return caught.value


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], object]:
    """Write an AWS config file, in a home directory of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return (tmp_path / "config").write_text


KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
ROLE = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/cam", "AWS_ROLE_SESSION_NAME": "cam"}
METADATA = "http://127.0.0.1:1/credentials"
SSO = """[default]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = cam
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.example/start
"""

CREDENTIALS = [
    pytest.param({}, "", ["Unable to locate credentials", "AWS_ACCESS_KEY_ID"], id="none"),
    pytest.param(
        {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "", ["Partial", "SECRET"], id="no secret"
    ),
    pytest.param(
        {**ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"},
        "",
        ["FileNotFoundError: [Errno 2]", "'/no/such/token'"],
        id="no web identity token",
    ),
    pytest.param(
        {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": METADATA,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/no/such/token",
        },
        "",
        ["FileNotFoundError: [Errno 2]", "'/no/such/token'"],
        id="no container token",
    ),
    pytest.param(
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://me:{SECRET}@metadata.example/"},
        "",
        ["Unsupported host 'metadata.example'"],
        id="unsupported host",
    ),
    pytest.param({}, SSO, ["does not exist", "'aws sso login'"], id="no SSO login"),
    pytest.param(
        {},
        f"[default]\ncredential_process = {sys.executable} -c \"exit('{SECRET}')\"",
        ["custom-process", "run the credential_process by itself"],
        id="process fails",
    ),
    pytest.param(
        {},
        f"[default]\ncredential_process = {sys.executable} -c \"print('{SECRET}')\"",
        ["JSONDecodeError: Expecting value"],
        id="process prints no JSON",
    ),
    pytest.param(
        {},
        "[default]\ncredential_process = /no/such/helper",
        ["'/no/such/helper'"],
        id="no process",
    ),
    pytest.param(
        {**KEYS, "AWS_ACCESS_KEY_ID": f"AKIA\n{SECRET}"},
        "",
        ["for line breaks"],
        id="key of two lines",
    ),
    pytest.param(
        {**KEYS, "AWS_SESSION_TOKEN": f"{SECRET}\n"},
        "",
        ["for line breaks"],
        id="token with an end",
    ),
]


@pytest.mark.parametrize("variables, text, parts", CREDENTIALS)
def test_credentials(
    variables: dict[str, str],
    text: str,
    parts: list[str],
    config: Callable[[str], object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is wrong with credentials is told in the words of botocore or the operating system."""
    config(text)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    error = create()
    assert type(error) is ConfigurationError
    for part in parts:
        assert part in str(error)
    assert SECRET not in str(error)


@pytest.fixture
def sts(server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """Have credentials fetched from STS, which is this server."""
    (tmp_path / "token").write_text("a token")
    for name, value in ROLE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
    return server


def test_credentials_that_sts_refuses(sts: Loopback) -> None:
    """The error of STS names its own operation and says nothing about the create."""
    error_xml = "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>"
    body = f"<ErrorResponse>{error_xml}</ErrorResponse>".encode()
    sts.on("AssumeRoleWithWebIdentity", Reply(status=403, body=body))
    error = create()
    assert type(error) is AccessDeniedError
    assert (error.operation_name, error.stream_name) == ("AssumeRoleWithWebIdentity", None)
    assert "CreateStream" not in str(error)


def test_response_of_sts_that_botocore_cannot_read(sts: Loopback) -> None:
    """A reply of STS that cannot be read is no setting that is wrong: the next may be right."""
    sts.on("AssumeRoleWithWebIdentity", Reply(body=b"no XML"))
    error = create()
    assert type(error) is TransportError
    assert "the response cannot be read: ResponseParserError: " in str(error)


def test_credentials_that_a_function_refreshes() -> None:
    """A function of the user's that fails to refresh credentials fails inside botocore's."""

    def refresh() -> dict[str, str]:
        raise LookupError("the vault is sealed")

    session = botocore.session.Session()
    session._credentials = RefreshableCredentials(  # type: ignore[attr-defined]
        "key", "secret", "token", datetime(2020, 1, 1, tzinfo=timezone.utc), refresh, "vault"
    )
    error = create(boto3.Session(botocore_session=session, region_name=REGION))
    assert type(error) is ConfigurationError
    assert "LookupError: the vault is sealed" in str(error)
    assert isinstance(error.__cause__, LookupError)


@pytest.mark.parametrize("place", ["localhost:99999", f"me:{SECRET}/{SECRET}@localhost"])
def test_url_that_cannot_be_signed(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is none shows when botocore signs; Python's text can hold half a password."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    error = create(url=f"http://{place}")
    assert type(error) is ConfigurationError
    assert "endpoint_url" in str(error)
    assert SECRET not in str(error)


@pytest.mark.parametrize("keys", [(7, "key"), ("id", "key", 7), (b"id", b"key")])
def test_credentials_that_are_no_text(keys: tuple[Any, ...]) -> None:
    """What cannot sign a request is the fault of the credentials, and no lost response."""
    error = create(boto3.Session(*keys, region_name=REGION))
    assert type(error) is ConfigurationError
    assert "credentials" in str(error)


def test_stubs_of_a_test() -> None:
    """What a test's own stub complains of is for that test to read."""
    error = StubResponseError(operation_name="CreateStream", reason="unused")
    with pytest.raises(StubResponseError) as caught:
        StreamsClient(Failing(error)).create_stream(REQUEST)
    assert caught.value is error
