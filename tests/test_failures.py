"""What boto raises becomes one of our errors, with the way out; anything else is left alone."""

import json
import sys
from contextlib import closing
from pathlib import Path
from string import Formatter
from types import FunctionType, SimpleNamespace
from typing import Any

import boto3
import botocore.exceptions
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
)
from support.clients import boto_client
from support.loopback import REGION, Loopback, Reply, created, garbage, refused_url

import kvs_streams
from kvs_streams import (
    AccessDeniedError,
    ConfigurationError,
    CreateStreamRequest,
    KvsStreamsError,
    ServiceError,
    StreamsClient,
    ThrottleRetry,
    TransportError,
)

REQUEST = CreateStreamRequest(stream_name="cam")
ONCE = ThrottleRetry(max_attempts=1)
URL = "https://kinesisvideo.example"


class Failing:
    """A boto client whose calls all fail; it may say how often it sends a call."""

    def __init__(self, error: BaseException, attempts: int | None = None) -> None:
        self.error = error
        config = SimpleNamespace(retries={"total_max_attempts": attempts})
        self.meta: Any = attempts and SimpleNamespace(config=config)

    def create_stream(self, **_: object) -> Any:
        raise self.error


def becomes(error: Exception, attempts: int | None = 1) -> KvsStreamsError:
    """Return what becomes of an exception, and check what holds for each."""
    client: Any = Failing(error, attempts)
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(client, throttle_retry=ONCE).create_stream(REQUEST)
    assert caught.value.__cause__ is error
    assert str(caught.value).isprintable()
    return caught.value


# Error codes.

DOCUMENTED = (
    "AccountStreamLimitExceededException ClientLimitExceededException InvalidArgumentException "
    "DeviceStreamLimitExceededException InvalidDeviceException ResourceInUseException "
    "ResourceNotFoundException TagsPerResourceExceededLimitException"
)
CODES = {
    "InvalidRequestError": "InvalidResourceFormatException SerializationException ValidationError "
    "ValidationException",
    "AccessDeniedError": "AccessDenied AccessDeniedException NotAuthorizedException OptInRequired "
    "UnauthorizedOperation",
    "AuthenticationError": "ExpiredToken ExpiredTokenException IncompleteSignature "
    "IncompleteSignatureException InvalidClientTokenId InvalidSignatureException "
    "MissingAuthenticationToken MissingAuthenticationTokenException RequestExpired "
    "SignatureDoesNotMatch UnrecognizedClientException",
    "ServerError": "408 InternalFailure InternalServerError RequestTimeout RequestTimeoutException "
    "ServiceUnavailable",
    "ThrottlingError": "429 RequestLimitExceeded RequestThrottled RequestThrottledException "
    "SlowDown ThrottledException Throttling ThrottlingException TooManyRequestsException",
    "ServiceError": "Mystery 403",
}
BY_CODE: list[tuple[str, int | None, str]] = [
    *((code, 400, code) for code in DOCUMENTED.split()),
    *((code, 400, name) for name, codes in CODES.items() for code in codes.split()),
    ("ResourceNotFoundException", 503, "ResourceNotFoundException"),
    ("Mystery", 499, "ServiceError"),
    ("Mystery", 500, "ServerError"),
    ("502", 502, "ServerError"),
    ("Mystery", None, "ServiceError"),
]
RETRYABLE = {"ClientLimitExceededException", "ServerError", "ThrottlingError"}


@pytest.mark.parametrize("code, status, name", BY_CODE)
def test_error_codes(code: str, status: int | None, name: str) -> None:
    """An error code decides on the class; only an unknown code goes by the HTTP status."""
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = becomes(ClientError(response, "CreateStream"))
    assert type(error) is getattr(kvs_streams, name)
    assert error.retryable is (name in RETRYABLE)


@pytest.mark.parametrize("response", [{}, {"Error": {}}])
def test_error_of_a_fake(response: Any) -> None:
    """A fake's error may lack everything that AWS would send."""
    error = becomes(ClientError(response, "CreateStream"))
    assert type(error) is ServiceError
    assert error.retry_attempts == 0


# Classes of botocore.

HINTS = {
    "pass region_name": "InvalidRegionError NoRegionError UnknownRegionError",
    "set AWS_ACCESS_KEY_ID": "NoAuthTokenError NoCredentialsError",
    "check the credentials": "CredentialRetrievalError InvalidIMDSEndpointError "
    "MetadataRetrievalError PartialCredentialsError RefreshWithMFAUnsupportedError "
    "UnknownCredentialError",
    "log in again with 'aws sso login'": "SSOError SSOTokenLoadError TokenRetrievalError "
    "UnauthorizedSSOTokenError",
    "log in again with 'aws login'": "LoginAuthorizationCodeError LoginError "
    "LoginInsufficientPermissions LoginRefreshRequired LoginTokenLoadError",
    "check AWS_PROFILE": "ProfileNotFound",
    "check endpoint_url, region_name": "BaseEndpointResolverError EndpointProviderError "
    "EndpointResolutionError EndpointVariantError UnknownEndpointError "
    "UnknownEndpointResolutionBuiltInName UnknownFIPSEndpointError",
    "check endpoint_url, the AWS config file": "ConfigParseError InfiniteLoopConfigError "
    "InvalidConfigError InvalidSTSRegionalEndpointsConfigError MissingDependencyException "
    "UnknownSignatureVersionError UnsupportedSignatureVersionError",
    "update boto3": "DataNotFoundError ParamValidationError UnknownServiceError",
    # Not about AWS, but about the stubs of a test: raised as they are.
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
    values: Any = {name: f"a {name}" for _, name, _, _ in Formatter().parse(cls.fmt) if name}
    return cls(**{"last_response": {}, **values})


@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_botocore(name: str) -> None:
    """What botocore raises before it sends is a ConfigurationError with the way out."""
    error, hint = example(CLASSES[name]), HINT_OF.get(name)
    if hint == "stub":
        with pytest.raises(CLASSES[name]) as caught:
            StreamsClient(Failing(error)).create_stream(REQUEST)
        assert caught.value is error
        return
    ours = becomes(error)
    assert type(ours) is (ConfigurationError if hint else TransportError)
    assert ours.retryable is (hint is None)
    assert (ours.operation_name, ours.stream_name) == ("CreateStream", "cam")
    told = " ".join(str(error).split()).rstrip(".")
    assert (f"{told} ({hint}" if hint else told) in str(ours)
    assert str(ours).endswith("the proxy)") is (name == "EndpointConnectionError")


# Whether the request may have arrived.


class ClientConnectionError(Exception):
    """aiohttp's error for a connection that fails at any time."""


class ClientConnectorError(ClientConnectionError):
    """aiohttp's error for a connection that is never made."""


@pytest.mark.parametrize(
    "cls, reason, attempts, unknown",
    [
        (EndpointConnectionError, OSError(), 1, False),
        (ConnectTimeoutError, OSError(), 1, False),
        (EndpointConnectionError, ClientConnectorError(), 1, False),
        # aiobotocore raises the same class for a connection that is lost while it sends.
        (EndpointConnectionError, ClientConnectionError(), 1, True),
        (ProxyConnectionError, OSError(), 1, True),
        (ReadTimeoutError, OSError(), 1, True),
        (HTTPClientError, OSError(), 1, True),
        # An earlier attempt may have arrived: botocore shows only the last.
        (EndpointConnectionError, OSError(), 2, True),
        # A fake does not say how often it tries.
        (EndpointConnectionError, OSError(), None, True),
    ],
)
def test_outcome_unknown(
    cls: type[BotoCoreError], reason: Exception, attempts: int | None, unknown: bool
) -> None:
    """Only a single attempt without a connection is certain not to have arrived."""
    ours = becomes(cls(endpoint_url=URL, proxy_url=URL, error=reason), attempts)
    assert isinstance(ours, TransportError)
    assert ours.outcome_unknown is unknown
    assert f" ({'it may have reached AWS' if unknown else 'it was not sent'}): " in str(ours)


# What is shown of botocore's values.

SECRET = "hunter2"
REDACTED: list[tuple[str, dict[str, Any], str]] = [
    ("EndpointConnectionError", {"endpoint_url": f"https://me:{SECRET}@host/x"}, "https://host/x"),
    ("EndpointConnectionError", {"endpoint_url": f"https://me:{SECRET}/@@host/"}, "https://host/"),
    (
        "EndpointConnectionError",
        {"endpoint_url": f"https://a:b {SECRET}@host/"},
        '"https://host/" (check the region, the network and the proxy)',
    ),
    ("HTTPClientError", {"error": OSError(f"cannot reach 'http://:{SECRET}@proxy'")}, "://proxy'"),
    ("HTTPClientError", {"error": ValueError(f"bad header b'{SECRET}'")}, "header or a URL is not"),
    (
        "CredentialRetrievalError",
        {"provider": "container-role", "error_msg": f"no answer from http://{SECRET}@host/X."},
        "no answer from http://host/X (check",
    ),
    (
        "CredentialRetrievalError",
        {"provider": "custom-process", "error_msg": f"key: {SECRET}"},
        "custom-process: run the credential_process by itself to see what it prints (check",
    ),
    (
        "InvalidRetryModeError",
        {"provided_retry_mode": "odd", "valid_modes": ["legacy", "standard"]},
        "must be one of: ['legacy', 'standard']",
    ),
    ("InvalidConfigError", {"error_msg": SimpleNamespace(key=SECRET)}, "<SimpleNamespace>"),
    # The request that botocore keeps has the credentials in its headers.
    ("ConnectionClosedError", {"request": {"token": SECRET}, "endpoint_url": URL}, URL),
]


@pytest.mark.parametrize("name, values, shown", REDACTED)
def test_values_without_credentials(name: str, values: dict[str, Any], shown: str) -> None:
    """No user info of a URL is shown, no output of a process, and no object."""
    ours = becomes(CLASSES[name](**values))
    assert shown in str(ours)
    assert SECRET not in f"{ours} {ours!r} {vars(ours)}"


# What is neither AWS's nor botocore's passes through.

FAKES = (AssertionError, AttributeError, KeyError, OSError, ValueError, pytest.fail.Exception)
OURS = [TransportError("lost", outcome_unknown=False), ConfigurationError("no region")]


@pytest.mark.parametrize("error", [*(cls("a fake") for cls in FAKES), KeyboardInterrupt(), *OURS])
def test_errors_of_a_fake(error: BaseException) -> None:
    """A bug in a fake does not look like a lost response: its error is raised as it is."""
    with pytest.raises(type(error)) as caught:
        StreamsClient(Failing(error)).create_stream(REQUEST)
    assert caught.value is error
    assert caught.value.__cause__ is None


def test_service_error_of_ours_from_a_fake() -> None:
    """Each attempt counts by itself, even if a fake raises one error again and again."""
    throttle = {"Error": {"Code": "ClientLimitExceededException"}}
    once = kvs_streams.ClientLimitExceededException(throttle, "CreateStream")
    retry = ThrottleRetry(max_attempts=4, base_delay=0)
    with pytest.raises(kvs_streams.ClientLimitExceededException) as caught:
        StreamsClient(Failing(once), throttle_retry=retry).create_stream(REQUEST)
    assert (caught.value.retry_attempts, once.retry_attempts) == (3, 0)


def handler(**_: Any) -> None:
    """Fail as a user's event handler may."""
    json.loads("not JSON")


@pytest.mark.parametrize("event", ["before-call", "before-sign", "before-send", "after-call"])
def test_errors_of_an_event_handler(server: Loopback, event: str) -> None:
    """An event handler runs inside botocore, and its bugs are not botocore's."""
    server.on_create(*[created("cam")] * (event == "after-call"))
    with closing(boto_client(server.url)) as raw:
        raw.meta.events.register(f"{event}.kinesis-video.CreateStream", handler)
        with pytest.raises(json.JSONDecodeError):
            StreamsClient(raw).create_stream(REQUEST)


# The two questions about a traceback: was the reply read, or were credentials?

TIME = '{"StreamInfo":{"StreamName":"cam","CreationTime":@}}'
UNREADABLE = {
    "null": "null",
    "list": "[{}]",
    "not UTF-8": '{"StreamInfo": "\xff"}',
    "no time": TIME.replace("@", '"no time"'),
    "infinite time": TIME.replace("@", "1e400"),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_response_that_botocore_cannot_read(server: Loopback, body: str) -> None:
    """A success that botocore's parser trips over is no usable answer."""
    server.on_describe(garbage(body.encode("latin-1")))
    with closing(boto_client(server.url)) as raw, pytest.raises(TransportError) as caught:
        StreamsClient(raw).describe_stream("cam")
    assert "the response cannot be read: " in str(caught.value)
    assert caught.value.outcome_unknown


AIO = {"parsers": TransportError, "credentials": ConfigurationError, "tokens": ConfigurationError}


@pytest.mark.parametrize("module, cls", AIO.items())
def test_modules_of_aiobotocore(module: str, cls: type[KvsStreamsError]) -> None:
    """What a module of aiobotocore raises is judged as if botocore had raised it."""
    failing = FunctionType(handler.__code__, {**globals(), "__name__": f"aiobotocore.{module}"})
    with pytest.raises(cls, match="JSONDecodeError: Expecting"):
        StreamsClient(SimpleNamespace(create_stream=failing)).create_stream(REQUEST)


def create(session: Any = None, url: str | None = None) -> KvsStreamsError:
    """Return the error of a create by a client that finds its credentials in the environment."""
    session = session or boto3.Session(region_name=REGION)
    with pytest.raises(KvsStreamsError) as caught:
        StreamsClient(session=session, endpoint_url=url or refused_url()).create_stream(REQUEST)
    return caught.value


KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET}
ROLE = {"AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/cam", "AWS_ROLE_SESSION_NAME": "cam"}
PROCESS = f"[default]\ncredential_process = {sys.executable}"
SSO = """[default]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = cam
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.awsapps.example/start
"""

CREDENTIALS: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "none": ({}, "", ["Unable to locate credentials", "AWS_ACCESS_KEY_ID"]),
    "no secret": ({"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "", ["Partial", "SECRET"]),
    "no token": (
        {**ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token"},
        "",
        ["FileNotFoundError: [Errno 2]", "'/no/such/token'", "check the credentials"],
    ),
    "unsupported host": (
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://me:{SECRET}@metadata.example/"},
        "",
        ["Unsupported host 'metadata.example'"],
    ),
    "no SSO login": ({}, SSO, ["does not exist", "'aws sso login'"]),
    "process fails": ({}, f"{PROCESS} -c \"exit('{SECRET}')\"", ["run the credential_process"]),
    "no JSON": ({}, f"{PROCESS} -c \"print('{SECRET}')\"", ["JSONDecodeError: Expecting value"]),
    "two lines": ({**KEYS, "AWS_SESSION_TOKEN": f"{SECRET}\n"}, "", ["for line breaks"]),
}


@pytest.mark.parametrize("variables, text, parts", CREDENTIALS.values(), ids=CREDENTIALS)
def test_credentials(
    variables: dict[str, str],
    text: str,
    parts: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is wrong with credentials is told in the words of botocore or the operating system."""
    (tmp_path / "config").write_text(text)
    settings = {"HOME": str(tmp_path), "AWS_CONFIG_FILE": str(tmp_path / "config"), **variables}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    error = create()
    assert type(error) is ConfigurationError
    for part in parts:
        assert part in str(error)
    assert SECRET not in str(error)


def test_credentials_that_sts_refuses(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of STS, which gives credentials, says nothing about the create."""
    token = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token")}
    (tmp_path / "token").write_text("a token")
    for name, value in {**ROLE, **token, "AWS_ENDPOINT_URL_STS": server.url}.items():
        monkeypatch.setenv(name, value)
    refusal = b"<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>"
    server.on("AssumeRoleWithWebIdentity", Reply(status=403, body=refusal), Reply(body=b"no XML"))
    error = create()
    assert type(error) is AccessDeniedError
    assert (error.operation_name, error.stream_name) == ("AssumeRoleWithWebIdentity", None)
    assert "CreateStream" not in str(error)
    # No setting is wrong if the response cannot be read, and the next one may be right.
    error = create()
    assert type(error) is TransportError
    assert "cannot be read: ResponseParserError: " in str(error)


@pytest.mark.parametrize("place", ["localhost:99999", f"me:{SECRET}/{SECRET}@localhost"])
def test_url_that_cannot_be_signed(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is none shows when botocore signs; Python's text can hold half a password."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    error = create(url=f"http://{place}")
    assert type(error) is ConfigurationError
    assert "endpoint_url" in str(error)
    assert SECRET not in str(error)


def test_credentials_that_are_no_text() -> None:
    """What cannot sign a request is the fault of the credentials, and no lost response."""
    session: Any = boto3.Session(b"id", b"key", region_name=REGION)
    error = create(session)
    assert type(error) is ConfigurationError
    assert "credentials" in str(error)
