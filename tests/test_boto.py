"""Clients: how they are built, which are accepted, and what a guest leaves alone."""

import copy
from contextlib import closing
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, create_autospec

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.session import Session
from support.clients import boto_client, boto_session
from support.loopback import REGION, arn, refused_url
from support.service import Awaited

from kvs_streams import (
    AsyncStreamsClient,
    ConfigurationError,
    CreateStreamRequest,
    StreamsClient,
)
from kvs_streams._boto import connections

REQUEST = CreateStreamRequest(stream_name="cam")
CLIENTS = pytest.mark.parametrize("cls", [StreamsClient, AsyncStreamsClient])
SECRET = "hunter2"


class Fake:
    """The least that a user's own fake has to be."""

    def create_stream(self, **_: object) -> dict[str, Any]:
        return {"StreamARN": arn("cam")}


# How a client is built.


def session_with(config: Config | None) -> Any:
    """Return a session with a default configuration for its clients."""
    made = Session()
    made.set_default_client_config(config)
    return boto3.Session(botocore_session=made, region_name=REGION)


FEW, MANY = Config(max_pool_connections=5), Config(max_pool_connections=200)
SLOW = Config(read_timeout=5)


@pytest.mark.parametrize(
    "default, own, expected",
    [
        (None, None, 64),
        (None, FEW, 5),
        (SLOW, None, 64),
        (FEW, None, 5),
        (MANY, SLOW, 200),
        (MANY, FEW, 5),
    ],
)
def test_connections(default: Config | None, own: Config | None, expected: int) -> None:
    """The number of connections is the user's, else the session's, else enough for a fleet."""
    before = [copy.copy(vars(config)) for config in (FEW, MANY, SLOW)]
    with StreamsClient(session=session_with(default), config=own) as client:
        settings = client.boto_client.meta.config
        assert settings.max_pool_connections == connections(client.boto_client) == expected
        assert settings.read_timeout == (5 if SLOW in (default, own) else 60)
    assert [vars(config) for config in (FEW, MANY, SLOW)] == before


@pytest.mark.parametrize("pool, expected", [(1, 1), (0, None), (None, None), ("10", None)])
def test_connections_of_a_fake(pool: object, expected: int | None) -> None:
    """A fake need not say how many connections it has."""
    fake = SimpleNamespace(meta=SimpleNamespace(config=SimpleNamespace(max_pool_connections=pool)))
    assert connections(fake) == expected
    assert connections(Fake()) is None


def test_no_global_session_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client is built without making boto3's global session, which keeps its credentials."""
    with StreamsClient(region_name=REGION):
        assert boto3.DEFAULT_SESSION is None


def test_global_session_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where ``boto3.setup_default_session`` was called, its session is used."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(region_name="ap-south-1"))
    with StreamsClient() as client:
        assert client.boto_client.meta.region_name == "ap-south-1"


@pytest.mark.parametrize("error", [LookupError("a fake"), ValueError("tenant 7 has no account")])
def test_errors_of_the_users_session(error: Exception) -> None:
    """A bug in a user's own session is not taken for a setting that is wrong."""
    session = Mock(spec=["client"])
    session.client.side_effect = error
    with pytest.raises(type(error)) as caught:
        StreamsClient(session=session)
    assert caught.value is error


def test_errors_of_a_handler_of_the_session() -> None:
    """An event handler runs inside botocore, and its bugs are not botocore's."""
    session = boto3.Session(region_name=REGION)
    broken = Mock(side_effect=LookupError("a handler"))
    session.events.register("creating-client-class.kinesisvideo", broken)
    with pytest.raises(LookupError):
        StreamsClient(session=session)


UNBUILDABLE: dict[str, tuple[dict[str, str], dict[str, Any], list[str]]] = {
    "no region": ({}, {"region_name": None}, ["specify a region", "pass region_name"]),
    "region": ({}, {"region_name": "nowhere!"}, ["nowhere!", "pass region_name"]),
    "profile": ({"AWS_PROFILE": "odd"}, {}, ["(odd) could not be found", "AWS_PROFILE"]),
    "no scheme": ({}, {"endpoint_url": "kvs.example"}, ["Invalid endpoint: kvs.example"]),
    "secret": ({}, {"endpoint_url": f"me:{SECRET}@kvs.example"}, ["Invalid endpoint: kvs"]),
    "attempts": ({"AWS_MAX_ATTEMPTS": "three"}, {}, ["'three'", "AWS_* environment variables"]),
    # No error of the call's own has this class, so it is in no table.
    "retry mode": ({"AWS_RETRY_MODE": "odd"}, {}, ["odd", "standard", "AWS config file"]),
    "file": ({"AWS_CONFIG_FILE": __file__}, {}, ["Unable to parse", "AWS config file"]),
}


@pytest.mark.parametrize("variables, options, parts", UNBUILDABLE.values(), ids=UNBUILDABLE)
def test_client_that_cannot_be_built(
    variables: dict[str, str],
    options: dict[str, Any],
    parts: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What botocore says of the settings is told, with what to do."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        StreamsClient(**{"region_name": REGION, **options})
    assert isinstance(caught.value, BotoCoreError)
    assert caught.value.__cause__ is not None
    for part in parts:
        assert part in str(caught.value)
    assert SECRET not in str(caught.value)


# Which clients are accepted.


@CLIENTS
@pytest.mark.parametrize("client", [Fake(), Mock(), Mock(spec=["create_stream"])])
def test_fakes(cls: Any, client: Any) -> None:
    """A fake or a mock needs no more than ``create_stream``; nothing is checked of its model."""
    assert repr(cls(client)) == f"{cls.__name__}(client=<{type(client).__name__}>)"


def test_mock_of_a_real_client() -> None:
    """A mock made from a real client is accepted as well."""
    with closing(boto_client(refused_url())) as raw:
        StreamsClient(create_autospec(raw, instance=True))


@CLIENTS
def test_client_of_another_service(cls: Any) -> None:
    """A client of another service is refused, and the text names both."""
    service, named = "kinesis-video-media", "'kinesisvideo' client, not a 'kinesis-video-media' cli"
    raw = boto_client(refused_url(), service=service)
    with closing(raw), pytest.raises(TypeError, match=named):
        cls(raw)


@CLIENTS
@pytest.mark.parametrize(
    "client, way_out",
    [
        ("here", ", not a str; pass a region as region_name=, an endpoint as endpoint_url="),
        (boto_session(), "; pass a session as session="),
        (boto3, "; pass a session as session="),
        (7, ", not 7"),
    ],
    ids=["text", "session", "module", "number"],
)
def test_what_is_no_client(cls: Any, client: Any, way_out: str) -> None:
    """What is no client is refused with the way out."""
    with pytest.raises(TypeError, match=f"^client must be a boto3 'kinesisvideo' client{way_out}$"):
        cls(client)


@CLIENTS
@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"client": Fake(), "region_name": REGION}, "cannot be combined with region_name: set"),
        ({"client": Fake(), "session": boto_session(), "config": SLOW}, "with session, config:"),
        ({"session": Session()}, r"^session .* boto3.Session, .*\) or b.*, not <Session>$"),
        ({"region_name": 7}, "region_name must be a str, not 7"),
        ({"endpoint_url": b"http://kvs"}, "endpoint_url must be a str, not <bytes>"),
        ({"config": {"read_timeout": 5}}, "config must be a botocore.config.Config, not <dict>"),
    ],
)
def test_wrong_arguments(cls: Any, arguments: dict[str, Any], message: str) -> None:
    """A wrong type, and a client together with what one is built from, are refused."""
    with pytest.raises(TypeError, match=message):
        cls(**arguments)


def test_async_client() -> None:
    """Whatever has to be awaited is none for StreamsClient, which says where to go."""
    with pytest.raises(TypeError) as caught:
        StreamsClient(Awaited(Mock()))
    assert str(caught.value) == "client is asynchronous; use it with AsyncStreamsClient"


def model_without(operations: str = "", parameter: str = "") -> Any:
    """Return a client whose service model is that of an older botocore."""
    model: Any = copy.deepcopy(Loader().load_service_model("kinesisvideo", "service-2"))
    for operation in filter(None, operations.split(", ")):
        del model["operations"][operation]
    model["shapes"]["CreateStreamInput"]["members"].pop(parameter, None)
    client = Mock()
    client.meta.service_model = ServiceModel(model, "kinesisvideo")
    return client


@CLIENTS
@pytest.mark.parametrize(
    "missing",
    [
        {"parameter": "StreamStorageConfiguration"},
        {"operations": "DescribeStreamStorageConfiguration"},
        {"operations": "DescribeStream, ListTagsForStream"},
        {"operations": "CreateStream"},
    ],
    ids=str,
)
def test_client_that_is_too_old(cls: Any, missing: dict[str, str]) -> None:
    """A client whose model lacks what the library sends is refused before anything is sent."""
    (names,) = missing.values()
    with pytest.raises(ConfigurationError, match=rf" {names} \(update boto3 and botocore\)$"):
        cls(model_without(**missing))


def test_built_client_that_is_too_old() -> None:
    """The same for a client that the library builds; a fleet can do without ListStreams."""
    session = Mock(spec=["client"])
    session.client.side_effect = [model_without("ListStreams"), model_without("CreateStream")]
    StreamsClient(session=session)
    with pytest.raises(ConfigurationError, match="update boto3"):
        StreamsClient(session=session)


# What is shown of a client.


def test_repr() -> None:
    """The region and the endpoint are shown, without user name and password."""
    url = f"https://me:{SECRET}@kvs.example"
    with StreamsClient(region_name=REGION, endpoint_url=url) as client:
        expected = f"StreamsClient(region_name='{REGION}', endpoint_url='https://kvs.example')"
        assert repr(client) == expected
