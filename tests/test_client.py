"""The clients: how they are made, what they send, what they give back and what they refuse."""

import gc
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, CredentialRetrievalError
from support.clients import (
    ACCESS_KEY,
    ASYNC_BOTO3,
    SECRET_KEY,
    SYNC,
    WITH_AIOBOTOCORE,
    Connect,
    Driver,
    boto_client,
    boto_session,
    registered_handlers,
)
from support.loopback import (
    REGION,
    REQUEST_ID,
    SERVER_TIME,
    Loopback,
    arn,
    created,
    described,
    ok,
    refused_url,
    server_error,
)

from kvs_streams import (
    AsyncStreamsClient,
    ConfigurationError,
    CreateStreamRequest,
    CreateStreamResponse,
    RequestValidationError,
    StreamArn,
    StreamInfo,
    StreamsClient,
    StreamStatus,
    StreamStorageConfiguration,
    ThrottleRetry,
)

REQUEST = CreateStreamRequest(stream_name="cam")
FULL = CreateStreamRequest(
    stream_name="front.door-1",
    device_name="axis_p1468",
    media_type="video/h264,audio/aac",
    kms_key_id="alias/cameras",
    data_retention_in_hours=timedelta(days=7),
    tags={"site": "Zürich", "note": None},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
FULL_BODY = {
    "StreamName": "front.door-1",
    "DeviceName": "axis_p1468",
    "MediaType": "video/h264,audio/aac",
    "KmsKeyId": "alias/cameras",
    "DataRetentionInHours": 168,
    "Tags": {"site": "Zürich", "note": ""},
    "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"},
}

CLIENTS = pytest.mark.parametrize("cls", [StreamsClient, AsyncStreamsClient])


# What goes out and what comes back.


def test_all_seven_members_on_the_wire(driver: Driver, server: Loopback) -> None:
    """Every member of the request arrives, by AWS's name and in AWS's form, and nothing else."""
    server.on_create(created("front.door-1"))
    response = driver.create_stream(FULL)
    assert [(call.operation, call.body) for call in server.requests] == [
        ("CreateStream", FULL_BODY)
    ]
    assert response == CreateStreamResponse(
        stream_arn=StreamArn(arn("front.door-1")),
        request_id=REQUEST_ID,
        http_status_code=200,
        retry_attempts=0,
    )
    assert isinstance(response.stream_arn, StreamArn)
    assert response.stream_arn.created_at == SERVER_TIME


def test_what_is_none_is_not_sent(driver: Driver, server: Loopback) -> None:
    """A request with a name alone sends a name alone."""
    server.on_create(created("cam"))
    driver.create_stream(REQUEST)
    assert server.requests[0].body == {"StreamName": "cam"}


def test_empty_tags_are_not_sent(driver: Driver, server: Loopback) -> None:
    """An empty mapping, which the service would refuse, means no tags."""
    server.on_create(created("cam"))
    driver.create_stream(CreateStreamRequest(stream_name="cam", tags={}))
    assert server.requests[0].body == {"StreamName": "cam"}


def test_an_arn_of_a_new_form_is_kept(driver: Driver, server: Loopback) -> None:
    """The stream exists: its ARN is handed over even if this version cannot read it."""
    server.on_create(ok({"StreamARN": "arn:future:of:a:form/unknown"}))
    response = driver.create_stream(REQUEST)
    assert response.stream_arn == "arn:future:of:a:form/unknown"


def test_reply_without_request_id(driver: Driver, server: Loopback) -> None:
    """A reply without an id has none: nothing is invented."""
    reply = created("cam")
    headers = {name: value for name, value in reply.headers.items() if "RequestId" not in name}
    server.on_create(type(reply)(body=reply.body, headers=headers))
    assert driver.create_stream(REQUEST).request_id is None


def test_describe(driver: Driver, server: Loopback) -> None:
    """Every member of a description comes back typed."""
    server.on_describe(
        described(
            "cam",
            "UPDATING",
            DeviceName="axis_p1468",
            MediaType="video/h264",
            KmsKeyId="alias/cameras",
            DataRetentionInHours=24,
        )
    )
    info = driver.describe_stream("cam")
    assert info == StreamInfo(
        stream_name="cam",
        stream_arn=StreamArn(arn("cam")),
        status=StreamStatus.UPDATING,
        device_name="axis_p1468",
        media_type="video/h264",
        kms_key_id="alias/cameras",
        version="W37aXZbUYq6wNxZnGsQx",
        creation_time=SERVER_TIME,
        data_retention_in_hours=24,
    )
    assert info.creation_time.tzinfo is not None
    assert [(call.operation, call.body) for call in server.requests] == [
        ("DescribeStream", {"StreamName": "cam"})
    ]


def test_describe_with_nulls(driver: Driver, server: Loopback) -> None:
    """The service says null for what a stream does not have; that is None."""
    server.on_describe(
        described(
            "cam",
            KmsKeyId=None,
            Version=None,
            CreationTime=None,
            DataRetentionInHours=None,
        )
    )
    info = driver.describe_stream("cam")
    assert info == StreamInfo(
        stream_name="cam", stream_arn=StreamArn(arn("cam")), status=StreamStatus.ACTIVE
    )


def test_describe_with_bare_necessities(driver: Driver, server: Loopback) -> None:
    """The same where the members are not there at all."""
    server.on_describe(
        ok({"StreamInfo": {"StreamName": "cam", "StreamARN": arn("cam"), "Status": "ACTIVE"}})
    )
    info = driver.describe_stream("cam")
    assert info == StreamInfo(
        stream_name="cam", stream_arn=StreamArn(arn("cam")), status=StreamStatus.ACTIVE
    )


def test_status_of_the_future(driver: Driver, server: Loopback) -> None:
    """A status that this version does not know breaks nobody."""
    server.on_describe(described("cam", "HIBERNATING"))
    info = driver.describe_stream("cam")
    assert info.status == "HIBERNATING"
    assert isinstance(info.status, StreamStatus)


def test_describe_by_arn(driver: Driver, server: Loopback) -> None:
    """What holds a colon is an ARN, since a name cannot hold one."""
    server.on_describe(described("cam"), described("cam"))
    driver.describe_stream(arn("cam"))
    driver.describe_stream(StreamArn(arn("cam")))
    assert [call.body for call in server.requests] == [{"StreamARN": arn("cam")}] * 2


@pytest.mark.parametrize(
    "stream", ["", "a b", "cam\n", "c\xe4m", "x" * 257, "arn:aws:kinesisvideo:", 7]
)
@pytest.mark.parametrize("method", ["describe_stream", "wait_until_active"])
def test_bad_stream_is_not_sent(driver: Driver, server: Loopback, method: str, stream: Any) -> None:
    """What is neither a name nor an ARN is refused before anything is sent."""
    with pytest.raises(RequestValidationError) as caught:
        getattr(driver, method)(stream)
    assert [fault.field for fault in caught.value.violations][:1] == ["stream"]
    assert server.requests == []


@pytest.mark.parametrize("method", ["create_stream", "ensure_stream"])
@pytest.mark.parametrize("request_", [{"StreamName": "cam"}, "cam", None, CreateStreamRequest])
def test_wrong_request(driver: Driver, server: Loopback, method: str, request_: Any) -> None:
    """What is no request is refused, in words that lead to one."""
    with pytest.raises(TypeError, match=r"CreateStreamRequest"):
        getattr(driver, method)(request_)
    assert server.requests == []


def test_invalid_request_is_never_sent(driver: Driver, server: Loopback) -> None:
    """A request that breaks a rule does not come to be, so there is nothing to send."""
    with pytest.raises(RequestValidationError):
        driver.create_stream(CreateStreamRequest(stream_name="front door"))
    assert server.requests == []


def test_retention_of_zero_is_sent(driver: Driver, server: Loopback) -> None:
    """Zero is a value, not its absence."""
    server.on_create(created("cam"))
    driver.create_stream(CreateStreamRequest(stream_name="cam", data_retention_in_hours=0))
    assert server.requests[0].body["DataRetentionInHours"] == 0


# Clients that the user passes in.


def snapshot(client: Any) -> dict[str, Any]:
    """What could be altered about a boto client: its handlers, configuration and methods."""
    return {
        "handlers": registered_handlers(client),
        "config": id(client.meta.config),
        "options": {k: repr(v) for k, v in vars(client.meta.config).items()},
        "attributes": {k: id(v) for k, v in vars(client).items()},
        "methods": {k: id(v) for k, v in vars(type(client)).items()},
        "endpoint": client.meta.endpoint_url,
        "region": client.meta.region_name,
    }


def test_passed_in_client_is_not_altered(kind: str, connect: Connect, server: Loopback) -> None:
    """A client that the user passed in has the handlers, settings and methods that it came with."""
    driver = connect(attempts=3)
    raw = driver.client.boto_client
    before = snapshot(raw)
    server.on_create(*[created("cam")] * 2)
    server.on_describe(described("cam"), described("cam"))
    if kind == SYNC:
        StreamsClient(raw).create_stream(REQUEST)
    else:
        driver.create_stream(REQUEST)
    driver.ensure_stream(REQUEST)
    driver.describe_stream("cam")
    driver.finish(driver.client.close() if kind == SYNC else driver.client.aclose())
    assert snapshot(raw) == before


def test_passed_in_client_is_not_closed(
    kind: str, connect: Connect, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing, or leaving the ``with`` block, leaves the user's own client open."""
    raw = connect().client.boto_client
    closed: list[str] = []
    monkeypatch.setattr(raw, "close", lambda: closed.append("close"))
    if kind == SYNC:
        with StreamsClient(raw):
            pass
        StreamsClient(raw).close()
    else:
        driver = connect()

        async def use() -> None:
            async with AsyncStreamsClient(raw):
                pass
            await AsyncStreamsClient(raw).aclose()

        driver.finish(use())
    assert closed == []


def test_boto_client_is_the_one_passed_in(kind: str, connect: Connect) -> None:
    """``boto_client`` is the way out to raw boto3, for all that this library does not do."""
    raw = connect().client.boto_client
    client: Any = (StreamsClient if kind == SYNC else AsyncStreamsClient)(raw)
    assert client.boto_client is raw


class Fake:
    """The least that a user's own fake has to be."""

    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []

    def create_stream(self, **kwargs: object) -> dict[str, Any]:
        self.calls.append(kwargs)
        return {"StreamARN": arn("cam")}

    def describe_stream(self, **kwargs: object) -> dict[str, Any]:
        self.calls.append(kwargs)
        return {"StreamInfo": {"StreamName": "cam", "StreamARN": arn("cam"), "Status": "ACTIVE"}}

    def list_tags_for_stream(self, **kwargs: object) -> dict[str, Any]:
        return {"Tags": {}}

    def describe_stream_storage_configuration(self, **kwargs: object) -> dict[str, Any]:
        return {"StreamStorageConfiguration": {"DefaultStorageTier": "HOT"}}


def test_a_simple_fake_will_do() -> None:
    """A user's fake needs the four methods and none of boto's inner life."""
    fake = Fake()
    client = StreamsClient(fake)
    response = client.create_stream(REQUEST)
    assert response == CreateStreamResponse(stream_arn=StreamArn(arn("cam")))
    assert client.ensure_stream(REQUEST).stream.status is StreamStatus.ACTIVE
    assert fake.calls == [{"StreamName": "cam"}] * 3


@CLIENTS
def test_client_of_another_service(cls: Any) -> None:
    """A client of another service is refused, and the text names both."""
    raw = boto_client("http://127.0.0.1:1", service="sqs")
    try:
        with pytest.raises(TypeError, match=r"(?s)kinesisvideo.*sqs|sqs.*kinesisvideo"):
            cls(raw)
    finally:
        raw.close()


@CLIENTS
@pytest.mark.parametrize("service", ["kinesis-video-media", "kinesis-video-archived-media"])
def test_client_of_a_sister_service(cls: Any, service: str) -> None:
    """The sister services of Kinesis Video Streams cannot create streams either."""
    raw = boto_client("http://127.0.0.1:1", service=service)
    try:
        with pytest.raises(TypeError, match=r"kinesisvideo"):
            cls(raw)
    finally:
        raw.close()


def test_async_fake_for_the_sync_client() -> None:
    """Whatever has to be awaited is none for StreamsClient, also a fake of one's own."""

    class Fake:
        async def create_stream(self, **_: Any) -> dict[str, Any]:
            return {}

    with pytest.raises(
        TypeError, match=r"^client is asynchronous; use it with AsyncStreamsClient$"
    ):
        StreamsClient(Fake())


@pytest.mark.parametrize("kind", [WITH_AIOBOTOCORE])
def test_async_client_for_the_sync_one(connect: Connect) -> None:
    """A client whose calls have to be awaited is none for StreamsClient, which says where to go."""
    raw = connect().client.boto_client
    with pytest.raises(TypeError, match=r"AsyncStreamsClient"):
        StreamsClient(raw)


@pytest.mark.parametrize("kind", [WITH_AIOBOTOCORE])
def test_async_client_of_another_service(driver: Driver) -> None:
    """An aiobotocore client of another service is refused as well."""
    from aiobotocore.session import AioSession

    async def refuse() -> None:
        async with AioSession().create_client(
            "sqs",
            region_name=REGION,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        ) as raw:
            with pytest.raises(TypeError, match=r"sqs"):
                AsyncStreamsClient(raw)

    driver.finish(refuse())


@CLIENTS
@pytest.mark.parametrize(
    "options",
    [
        {"session": boto_session},
        {"region_name": lambda: REGION},
        {"endpoint_url": lambda: "http://127.0.0.1:1"},
        {"config": lambda: pytest.importorskip("botocore.config").Config()},
    ],
    ids=lambda options: next(iter(options)),
)
def test_client_together_with_what_makes_one(cls: Any, options: Any) -> None:
    """A client, and what a client is built from, contradict each other."""
    (name, make), *_ = options.items()
    with pytest.raises(TypeError, match=name):
        cls(Fake(), **{name: make()})


@CLIENTS
@pytest.mark.parametrize("client", ["kinesisvideo", 7, object()], ids=["text", "number", "object"])
def test_what_is_no_client(cls: Any, client: Any) -> None:
    """What lacks the operations is no client, and the text says what is wanted."""
    with pytest.raises(TypeError, match=r"client"):
        cls(client)


@CLIENTS
@pytest.mark.parametrize("retry", [None, 5, {"max_attempts": 5}])
def test_what_is_no_throttle_retry(cls: Any, retry: Any) -> None:
    """``throttle_retry`` takes a ThrottleRetry; to turn it off is ``max_attempts=1``."""
    with pytest.raises(TypeError, match=r"ThrottleRetry"):
        cls(Fake(), throttle_retry=retry)


@pytest.mark.parametrize(
    "options,fault",
    [
        ({"max_attempts": 0}, ValueError),
        ({"max_attempts": -1}, ValueError),
        ({"max_attempts": 1.5}, TypeError),
        ({"max_attempts": True}, TypeError),
        ({"max_attempts": "5"}, TypeError),
        ({"base_delay": -0.1}, ValueError),
        ({"base_delay": float("nan")}, ValueError),
        ({"base_delay": "1"}, TypeError),
        ({"base_delay": float("inf")}, ValueError),
        ({"max_delay": float("inf")}, ValueError),
        ({"base_delay": 9.0, "max_delay": 8.0}, ValueError),
        ({"max_delay": False}, TypeError),
    ],
)
def test_nonsense_in_a_throttle_retry(options: Any, fault: type[Exception]) -> None:
    """A retry policy refuses what makes no sense, and names the parameter."""
    with pytest.raises(fault, match=r"max_attempts|base_delay|max_delay"):
        ThrottleRetry(**options)


# Clients that the library builds.


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials in the environment, as many users have them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)


@pytest.fixture(params=[SYNC, ASYNC_BOTO3])
def build(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Make a client that builds its boto client, and one call with it."""
    import asyncio

    def sync_call(**options: Any) -> Any:
        with StreamsClient(**options) as client:
            return client.create_stream(REQUEST), client.boto_client

    def async_call(**options: Any) -> Any:
        async def call() -> Any:
            async with AsyncStreamsClient(**options) as client:
                return await client.create_stream(REQUEST), client.boto_client

        return asyncio.run(call())

    yield sync_call if request.param == SYNC else async_call
    gc.collect()


def test_builds_its_own_client(
    build: Any, credentials: None, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without arguments everything comes from boto3's usual places."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", server.url)
    server.on_create(created("cam"))
    response, raw = build()
    assert response.stream_arn == arn("cam")
    assert raw.meta.region_name == REGION
    assert raw.meta.service_model.service_name == "kinesisvideo"


def test_builds_from_arguments(build: Any, credentials: None, server: Loopback) -> None:
    """Region, endpoint and configuration reach the client that is built."""
    server.on_create(created("cam"))
    config = Config(user_agent_extra="cameras/1.0", read_timeout=70)
    _, raw = build(region_name="ap-southeast-2", endpoint_url=server.url, config=config)
    assert raw.meta.region_name == "ap-southeast-2"
    assert raw.meta.endpoint_url == server.url
    assert raw.meta.config.read_timeout == 70
    assert "cameras/1.0" in server.requests[0].headers["User-Agent"]
    assert "/ap-southeast-2/kinesisvideo/" in server.requests[0].headers["Authorization"]


def test_builds_from_a_session(build: Any, server: Loopback) -> None:
    """A session's own credentials and region are used, and the session is left as it was."""
    session = boto_session()
    before = dict(vars(session))
    server.on_create(created("cam"))
    _, raw = build(session=session, endpoint_url=server.url)
    assert raw.meta.region_name == REGION
    assert f"Credential={ACCESS_KEY}/" in server.requests[0].headers["Authorization"]
    assert vars(session) == before


def test_closes_what_it_built(
    build: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leaving the ``with`` block closes the connections of the client that was built."""
    from botocore.client import BaseClient

    closed: list[Any] = []
    real = BaseClient.close

    def close(self: BaseClient) -> None:
        closed.append(self)
        real(self)

    monkeypatch.setattr(BaseClient, "close", close)
    server.on_create(created("cam"))
    _, raw = build(session=boto_session(), endpoint_url=server.url)
    assert closed == [raw]


def test_closing_twice_is_harmless() -> None:
    """Close once more, and nothing happens."""
    client = StreamsClient(session=boto_session())
    client.close()
    client.close()


def test_closing_an_unused_async_client_builds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An async client builds its boto client at its first use, not at its end."""
    import asyncio

    session = boto_session()
    monkeypatch.setattr(session, "client", lambda *_, **__: pytest.fail("built for nothing"))
    asyncio.run(AsyncStreamsClient(session=session).aclose())


def test_async_client_is_built_once_and_off_the_loop(
    server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many first calls at a time build one client, and never on the event loop's thread."""
    import asyncio

    session = boto_session()
    built: list[threading.Thread] = []
    make = session.client

    def client(*args: Any, **kwargs: Any) -> Any:
        built.append(threading.current_thread())
        return make(*args, **kwargs)

    monkeypatch.setattr(session, "client", client)
    server.answer_with(lambda request: created(request.body["StreamName"]))

    async def call() -> None:
        async with AsyncStreamsClient(session=session, endpoint_url=server.url) as streams:
            await asyncio.gather(*[streams.create_stream(REQUEST) for _ in range(8)])

    asyncio.run(call())
    assert len(built) == 1
    assert built[0] is not threading.main_thread()


def test_closing_during_the_build_closes_what_is_built() -> None:
    """``aclose`` while the first call builds a client: it is closed, and the call says so."""
    import asyncio

    raw = boto_client("http://127.0.0.1:1")
    closed: list[bool] = []
    began, go_on = threading.Event(), threading.Event()

    def client(*_: Any, **__: Any) -> Any:
        began.set()
        assert go_on.wait(30)
        return raw

    def close() -> None:
        closed.append(True)
        type(raw).close(raw)

    raw.close = close
    session = SimpleNamespace(client=client)

    async def call() -> None:
        streams = AsyncStreamsClient(session=session)
        first = asyncio.ensure_future(streams.create_stream(REQUEST))
        await asyncio.to_thread(began.wait, 30)
        closing_ = asyncio.ensure_future(streams.aclose())
        await asyncio.sleep(0)
        go_on.set()
        await closing_
        with pytest.raises(RuntimeError, match=r"^the client was closed while it was being built$"):
            await first

    asyncio.run(call())
    assert closed == [True]


def test_an_exhausted_mock_does_not_hang() -> None:
    """``StopIteration`` from a worker thread becomes ``RuntimeError``, as in every coroutine."""
    import asyncio

    mock = Mock(spec=["create_stream"])
    mock.create_stream.side_effect = []
    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        asyncio.run(asyncio.wait_for(AsyncStreamsClient(mock).create_stream(REQUEST), 30))
    assert isinstance(caught.value.__cause__, StopIteration)
    with pytest.raises(RuntimeError, match="StopIteration"):
        StreamsClient(mock).create_stream(REQUEST)


def test_a_session_that_is_exhausted_does_not_hang() -> None:
    """The same while a client is built, and while it is closed."""
    import asyncio

    async def build() -> None:
        session = Mock(spec=["client"])
        session.client.side_effect = []
        await AsyncStreamsClient(session=session).describe_stream("cam")

    async def close() -> None:
        session = Mock(spec=["client"])
        session.client.return_value.close.side_effect = []
        client = AsyncStreamsClient(session=session)
        assert client.boto_client is session.client.return_value
        await client.aclose()

    for call in (build, close):
        with pytest.raises(RuntimeError, match="StopIteration"):
            asyncio.run(asyncio.wait_for(call(), 30))


@CLIENTS
@pytest.mark.parametrize(
    "options, text",
    [
        (
            {"session": botocore.session.Session()},
            r"^session must be a boto3.Session, not <Session>; boto3.Session\(botocore_session=",
        ),
        ({"session": "eu"}, r"^session must be a boto3.Session, not 'eu'; "),
        ({"session": boto3.Session}, r"^session must be a boto3.Session, not <type>; "),
        ({"config": {}}, r"^config must be a botocore.config.Config, not <dict>$"),
        ({"region_name": 5}, r"^region_name must be a str, not 5$"),
        ({"endpoint_url": 5}, r"^endpoint_url must be a str, not 5$"),
    ],
)
def test_what_a_client_is_not_built_from(cls: Any, options: Any, text: str) -> None:
    """What looks right and is not is named at once."""
    with pytest.raises(TypeError, match=text):
        cls(**options)


@CLIENTS
def test_a_session_of_the_users_own(cls: Any) -> None:
    """What it gives needs no more than the methods that are called, and cannot be anything."""
    fake = SimpleNamespace(create_stream=Mock())
    session = SimpleNamespace(client=lambda *_, **__: fake)
    assert cls(session=session).boto_client is fake
    session = SimpleNamespace(client=lambda *_, **__: object())
    with pytest.raises(TypeError, match=r"^client must be a 'kinesisvideo' client, not <object>$"):
        _ = cls(session=session).boto_client


class Seconds(float):
    """A number such as NumPy's."""


def test_a_subclass_of_float_is_a_number_of_seconds(driver: Driver, server: Loopback) -> None:
    """A timeout can be any float."""
    server.on_describe(described("cam"))
    info = driver.wait_until_active("cam", timeout=Seconds(3), not_found_grace=Seconds(1))
    assert info.status is StreamStatus.ACTIVE


@pytest.mark.parametrize(
    "name",
    ["AWS_MAX_ATTEMPTS", "AWS_METADATA_SERVICE_TIMEOUT", "AWS_METADATA_SERVICE_NUM_ATTEMPTS"],
)
def test_a_variable_that_is_no_number(
    build: Any, credentials: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A bad environment variable is blamed neither on the endpoint nor on the credentials."""
    monkeypatch.setenv(name, "x")
    error = refused(build, region_name=REGION)
    assert str(error).startswith("invalid literal for int() with base 10: 'x' (check the AWS conf")
    assert "environment variables" in str(error)


@pytest.mark.parametrize(
    "settings, text",
    [
        ({"connect_timeout": "x"}, "Timeout value connect was x, but it must be an int"),
        ({"read_timeout": -1}, "Attempted to set read timeout to -1"),
        ({"user_agent_extra": 5}, "expected str instance, int found"),
    ],
)
def test_a_bad_config(build: Any, credentials: None, settings: dict[str, Any], text: str) -> None:
    """A setting that botocore cannot use is blamed on the configuration."""
    error = refused(build, region_name=REGION, config=Config(**settings))
    assert text in str(error)
    assert str(error).endswith("environment variables and the botocore Config)")


@pytest.mark.parametrize("keys", [(7, "key"), ("id", "key", 7), (b"id", b"key")])
def test_credentials_that_are_no_text(build: Any, keys: tuple[Any, ...]) -> None:
    """What cannot sign a request is the fault of the credentials, and no lost response."""
    session = boto3.Session(*keys, region_name=REGION)
    with pytest.raises(ConfigurationError, match=r"^the credentials cannot be used \(check "):
        build(session=session, endpoint_url=refused_url())


@pytest.mark.parametrize("kind", [SYNC, ASYNC_BOTO3])
def test_credentials_that_fail_between_two_attempts(connect: Connect, server: Loopback) -> None:
    """The error says nothing of what was sent, since an earlier attempt may have arrived."""
    server.on_create(server_error())
    driver = connect(attempts=2)
    attempts: list[int] = []

    def sign(**_: object) -> None:
        attempts.append(len(attempts))
        if len(attempts) == 2:
            raise CredentialRetrievalError(provider="assume-role", error_msg="no reply")

    driver.client.boto_client.meta.events.register("before-sign.kinesisvideo", sign)
    with pytest.raises(ConfigurationError) as caught:
        driver.create_stream(REQUEST)
    assert attempts == [0, 1]
    assert "sent" not in str(caught.value)


def refused(build: Any, **options: Any) -> ConfigurationError:
    """The configuration error that a client ends in, at the latest at its first call."""
    with pytest.raises(BotoCoreError) as caught:
        build(**options)
    error = caught.value
    assert type(error) is ConfigurationError
    assert "\n" not in str(error)
    assert error.__cause__ is not None
    return error


def test_no_region(build: Any, credentials: None) -> None:
    """No region anywhere: the error says three ways to set one."""
    error = refused(build)
    assert "region_name" in str(error)
    assert "AWS_DEFAULT_REGION" in str(error)


def test_no_credentials(build: Any, server: Loopback) -> None:
    """No credentials anywhere: the error says how to set them, and nothing was sent."""
    error = refused(build, region_name=REGION, endpoint_url=server.url)
    assert "AWS_ACCESS_KEY_ID" in str(error)
    assert server.requests == []


def test_half_the_credentials(
    build: Any, server: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An access key without its secret is said to be just that."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    error = refused(build, region_name=REGION, endpoint_url=server.url)
    assert "AWS_SECRET_ACCESS_KEY" in str(error)
    assert ACCESS_KEY not in str(error)
    assert server.requests == []


def test_unknown_profile(build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist is named, with where it came from."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    error = refused(build, region_name=REGION)
    assert "no-such-profile" in str(error)
    assert "AWS_PROFILE" in str(error)


def test_unreadable_config_file(
    build: Any, isolated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration file that cannot be read is the configuration's fault."""
    (tmp_path / "config").write_text("[default\nregion", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    assert "AWS config file" in str(refused(build))


@pytest.mark.parametrize(
    "url", ["kinesisvideo.local", "ftp//x", "http://", "http://a b", "http://x:notaport"]
)
def test_bad_endpoint(build: Any, credentials: None, url: str) -> None:
    """What is no URL is a ConfigurationError, where botocore raises a bare ValueError."""
    error = refused(build, region_name=REGION, endpoint_url=url)
    assert "endpoint_url" in str(error)


@pytest.mark.parametrize("region", ["eu west 1", "eu-west-1!", "-eu", "eu_west/1"])
def test_bad_region(build: Any, credentials: None, region: str) -> None:
    """What cannot be a region is a ConfigurationError."""
    assert "region_name" in str(refused(build, region_name=region))


def test_bad_retry_mode(build: Any, credentials: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a setting in the environment that botocore does not know."""
    monkeypatch.setenv("AWS_RETRY_MODE", "stubborn")
    assert "stubborn" in str(refused(build, region_name=REGION))


# Shared between threads.


def test_shared_between_threads(server: Loopback) -> None:
    """One client serves many threads at a time, each with its own answer."""
    names = [f"cam-{number}" for number in range(32)]
    server.answer_with(lambda request: created(request.body["StreamName"]))
    found: dict[str, str] = {}
    raw = boto_client(server.url)
    client = StreamsClient(raw)
    gate = threading.Barrier(len(names))

    def create(name: str) -> None:
        gate.wait()
        request = CreateStreamRequest(stream_name=name)
        found[name] = client.create_stream(request).stream_arn.stream_name

    threads = [threading.Thread(target=create, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    raw.close()
    assert found == {name: name for name in names}


@CLIENTS
def test_repr_says_what_it_is(cls: Any) -> None:
    """A client in a log or a debugger names itself and holds no secret."""
    assert repr(cls(Fake())) == f"{cls.__name__}(client=<Fake>)"


@CLIENTS
def test_repr_says_where(cls: Any) -> None:
    """The region and the endpoint tell two clients apart; no secret is shown."""
    with closing(boto_client("http://user:hunter2@127.0.0.1:4566")) as raw:
        assert repr(cls(raw)) == (
            f"{cls.__name__}(region_name={REGION!r}, endpoint_url='http://***@127.0.0.1:4566')"
        )


def test_repr_before_a_client_is_built() -> None:
    """An AsyncStreamsClient that has built no client yet says so, and builds none."""
    assert repr(AsyncStreamsClient(region_name=REGION)) == "AsyncStreamsClient(not built yet)"
