"""Beside what others install too: tracing, stubs, and boto3's own endpoint settings."""

import asyncio
import inspect
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from support.clients import (
    ACCESS_KEY,
    ASYNC_BOTO3,
    SECRET_KEY,
    SYNC,
    boto_client,
    boto_session,
    driving,
)
from support.loopback import (
    REQUEST_ID,
    Loopback,
    arn,
    conflict,
    created,
    described,
    server_error,
    throttle,
)

from kvs_streams import (
    AsyncStreamsClient,
    ConfigurationError,
    CreateStreamRequest,
    ResourceInUseException,
    StreamArn,
    StreamsClient,
)
from kvs_streams.typing import (
    CreateStreamKwargs,
    KinesisVideoClient,
    StreamStorageConfigurationKwargs,
)

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

pytestmark = pytest.mark.slow
REQUEST = CreateStreamRequest(stream_name="gate")
BOTH = pytest.mark.parametrize("kind", [SYNC, ASYNC_BOTO3])


def facts(error: BaseException) -> dict[str, object]:
    """Everything that an error says: its class, its text and its attributes."""
    return {"class": type(error), "text": str(error)} | vars(error)


# --- boto3's endpoint settings -------------------------------------------------------------------


class _Body(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


class Caller:
    """One of our own clients, sync or async, whose requests are answered before they are sent."""

    def __init__(self, kind: str, **options: Any) -> None:
        make = {SYNC: StreamsClient, ASYNC_BOTO3: AsyncStreamsClient}[kind]
        self.client: Any = make(**{"session": boto_session(), **options})
        self.sent: list[AWSPreparedRequest] = []
        self.replies: list[object] = []
        events = self.client.boto_client.meta.events
        events.register("before-send.kinesisvideo", self._answer)

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.sent.append(request)
        body = _Body(json.dumps(self.replies.pop(0)).encode())
        return AWSResponse(request.url, 200, {}, body)

    def call(self, method: str, *args: object) -> Any:
        """Call a method, awaited where it has to be."""
        result = getattr(self.client, method)(*args)
        return asyncio.run(_finish(result)) if inspect.isawaitable(result) else result

    def create(self, stream_arn: str = "arn:…") -> Any:
        """Create a stream, with this ARN for an answer."""
        self.replies.append({"StreamARN": stream_arn})
        return self.call("create_stream", REQUEST)

    @property
    def urls(self) -> list[str]:
        return [request.url for request in self.sent]


async def _finish(result: Any) -> Any:
    return await result


ENDPOINTS = [
    ("us-east-1", False, False, "kinesisvideo.us-east-1.amazonaws.com"),
    ("us-east-1", True, False, "kinesisvideo-fips.us-east-1.amazonaws.com"),
    ("us-east-1", False, True, "kinesisvideo.us-east-1.api.aws"),
    ("us-east-1", True, True, "kinesisvideo-fips.us-east-1.api.aws"),
    ("us-gov-west-1", True, False, "kinesisvideo-fips.us-gov-west-1.amazonaws.com"),
    ("us-gov-west-1", False, True, "kinesisvideo.us-gov-west-1.api.aws"),
    ("cn-north-1", False, False, "kinesisvideo.cn-north-1.amazonaws.com.cn"),
    ("cn-north-1", False, True, "kinesisvideo.cn-north-1.api.amazonwebservices.com.cn"),
]


@BOTH
@pytest.mark.parametrize("region, fips, dualstack, host", ENDPOINTS)
def test_endpoint(kind: str, region: str, fips: bool, dualstack: bool, host: str) -> None:
    """FIPS and dual-stack endpoints of each partition are those that boto3 would call."""
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack)
    caller = Caller(kind, region_name=region, config=config)
    caller.create()
    assert caller.urls == [f"https://{host}/createStream"]
    signed = caller.sent[0].headers["Authorization"]
    signed = signed.decode() if isinstance(signed, bytes) else signed
    assert f"/{region}/kinesisvideo/aws4_request" in signed


@BOTH
@pytest.mark.parametrize(
    "variables, url",
    [
        (
            {"AWS_USE_FIPS_ENDPOINT": "true"},
            "https://kinesisvideo-fips.us-east-1.amazonaws.com/createStream",
        ),
        (
            {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
            "https://kinesisvideo.us-east-1.api.aws/createStream",
        ),
        (
            {"AWS_ENDPOINT_URL_KINESIS_VIDEO": "https://video.example.com/base"},
            "https://video.example.com/base/createStream",
        ),
        (
            {"AWS_ENDPOINT_URL": "https://aws.example.com"},
            "https://aws.example.com/createStream",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_endpoint_by_environment(
    kind: str, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    """The environment variables that steer boto3 steer a client that is built here."""
    settings = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
    for name, value in {**settings, "AWS_REGION": "us-east-1", **variables}.items():
        monkeypatch.setenv(name, value)
    caller = Caller(kind, session=boto3.Session(), region_name="us-east-1")
    caller.create()
    assert caller.urls == [url]


@BOTH
def test_custom_endpoint(kind: str) -> None:
    """An endpoint of one's own wins over the region's."""
    caller = Caller(kind, region_name="us-east-1", endpoint_url="https://vpce-1.example.com:8443")
    caller.create()
    assert caller.urls == ["https://vpce-1.example.com:8443/createStream"]


@BOTH
def test_impossible_region(kind: str) -> None:
    """A region that can be no part of a host name is a mistake in the settings; nothing is sent."""
    with pytest.raises(ConfigurationError, match="region"):
        Caller(kind, region_name="not a region").create()


PARTITIONS = [
    ("aws-us-gov", "us-gov-west-1"),
    ("aws-cn", "cn-northwest-1"),
    ("aws-iso", "us-iso-east-1"),
    ("aws-eusc", "eusc-de-east-1"),
]


@BOTH
@pytest.mark.parametrize("partition, region", PARTITIONS)
def test_partition(kind: str, partition: str, region: str) -> None:
    """The ARN of a stream in another partition is read, and names the stream in the next call."""
    text = f"arn:{partition}:kinesisvideo:{region}:123456789012:stream/gate/1600000000123"
    caller = Caller(kind, region_name=region)
    stream_arn = caller.create(text).stream_arn
    assert stream_arn == StreamArn.parse(text) == text
    assert (stream_arn.aws_partition, stream_arn.region) == (partition, region)
    assert (stream_arn.account_id, stream_arn.stream_name) == ("123456789012", "gate")
    assert stream_arn.created_at.isoformat() == "2020-09-13T12:26:40.123000+00:00"
    caller.replies.append(json.loads(described("gate").body))
    caller.call("describe_stream", stream_arn)
    assert json.loads(caller.sent[-1].body) == {"StreamARN": text}


# --- boto3-stubs ---------------------------------------------------------------------------------


def test_stubs_at_run_time(server: Loopback) -> None:
    """Code annotated with boto3-stubs' client runs as it type-checks, annotations included."""
    stubs = pytest.importorskip("mypy_boto3_kinesisvideo", reason="needs boto3-stubs")

    def make() -> stubs.KinesisVideoClient:
        return boto_client(server.url)

    assert get_type_hints(make) == {"return": stubs.KinesisVideoClient}
    server.on_create(created("gate"))
    with closing(make()) as client:
        assert StreamsClient(client).create_stream(REQUEST).stream_arn == arn("gate")


def test_stubs_have_what_is_called() -> None:
    """The stubs' client has every operation of our protocol."""
    stubs = pytest.importorskip("mypy_boto3_kinesisvideo", reason="needs boto3-stubs")
    operations = {name for name in vars(KinesisVideoClient) if not name.startswith("_")}
    assert len(operations) == 4
    assert operations <= set(dir(stubs.KinesisVideoClient))


def test_stubs_agree_on_the_arguments() -> None:
    """``to_boto`` gives what the stubs take: neither has a key that the other lacks."""
    theirs = pytest.importorskip("mypy_boto3_kinesisvideo.type_defs", reason="needs boto3-stubs")
    storage = theirs.StreamStorageConfigurationTypeDef
    assert get_type_hints(CreateStreamKwargs).keys() == (
        get_type_hints(theirs.CreateStreamInputTypeDef).keys()
    )
    assert get_type_hints(StreamStorageConfigurationKwargs).keys() == get_type_hints(storage).keys()


# --- OpenTelemetry -------------------------------------------------------------------------------


@contextmanager
def tracing() -> Iterator["InMemorySpanExporter"]:
    """Switch OpenTelemetry's instrumentation of botocore on, and give what it records."""
    needs = "needs opentelemetry-instrumentation-botocore and opentelemetry-sdk"
    instrumentation = pytest.importorskip("opentelemetry.instrumentation.botocore", reason=needs)
    pytest.importorskip("opentelemetry.sdk", reason=needs)
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = instrumentation.BotocoreInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield exporter
    finally:
        instrumentor.uninstrument()
        provider.shutdown()


@pytest.fixture
def spans() -> Iterator["InMemorySpanExporter"]:
    """What OpenTelemetry records during one test."""
    with tracing() as exporter:
        yield exporter


def recorded(spans: "InMemorySpanExporter") -> list[tuple[Any, ...]]:
    """Of each span: the operation, the HTTP status, whether it failed, and with what."""
    return [
        (
            (span.attributes or {})["rpc.method"],
            (span.attributes or {}).get("http.status_code"),
            span.status.status_code.name,
            [(event.attributes or {})["exception.type"] for event in span.events],
        )
        for span in spans.get_finished_spans()
    ]


@BOTH
def test_opentelemetry_spans(spans: "InMemorySpanExporter", kind: str, server: Loopback) -> None:
    """Each call of ours is a span, throttled ones included; errors are recorded in their own."""
    server.on_create(throttle(), created("gate"))
    server.on_describe(described("gate", "CREATING"), server_error(), described("gate"))
    with driving(kind, server.url) as driver:
        driver.ensure_stream(REQUEST)
    failed = ["botocore.exceptions.ClientError"]
    throttled = ["botocore.errorfactory.ClientLimitExceededException"]
    assert recorded(spans) == [
        ("CreateStream", 400, "ERROR", throttled),
        ("CreateStream", 200, "UNSET", []),
        ("DescribeStream", 200, "UNSET", []),
        ("DescribeStream", 500, "ERROR", failed),
        ("DescribeStream", 200, "UNSET", []),
    ]


@BOTH
def test_opentelemetry_parent(spans: "InMemorySpanExporter", kind: str, server: Loopback) -> None:
    """The span of a call belongs to the caller's, though it be made in a worker thread."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    server.on_create(created("gate"))
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("a user's")
    with driving(kind, server.url) as driver, tracer.start_as_current_span("request") as span:
        driver.create_stream(REQUEST)
    (called,) = spans.get_finished_spans()
    assert called.parent is not None
    assert called.parent.span_id == span.get_span_context().span_id
    assert called.kind is trace.SpanKind.CLIENT
    # The trace goes on at AWS.
    assert format(called.context.span_id, "016x") in server.requests[0].headers["X-Amzn-Trace-Id"]


@BOTH
def test_opentelemetry_errors(kind: str, server: Loopback) -> None:
    """Typed errors are the same with and without the instrumentation."""

    def refused() -> ResourceInUseException:
        server.on_create(conflict())
        with driving(kind, server.url) as driver, pytest.raises(ResourceInUseException) as caught:
            driver.create_stream(REQUEST)
        assert isinstance(caught.value.__cause__, ClientError)
        return caught.value

    with tracing():
        traced = refused()
    assert facts(traced) == facts(refused())


# --- AWS X-Ray -----------------------------------------------------------------------------------

# X-Ray's patch of botocore cannot be taken back: hence a process of its own.
XRAY = '''
import json
import sys

from aws_xray_sdk.core import patch, xray_recorder

patch(("botocore",))

from support.clients import driving
from kvs_streams import CreateStreamRequest, ResourceInUseException


class Emitter:
    """Keeps what would be sent to X-Ray's daemon."""

    def __init__(self):
        self.documents = []

    def send_entity(self, entity):
        self.documents.append(json.loads(entity.serialize()))


emitter = Emitter()
xray_recorder.configure(sampling=False, emitter=emitter, context_missing="LOG_ERROR")
kind, url = sys.argv[1:]
caught = None
with driving(kind, url) as driver, xray_recorder.in_segment("a user's request"):
    created = driver.create_stream(CreateStreamRequest(stream_name="gate"))
    try:
        driver.create_stream(CreateStreamRequest(stream_name="gate"))
    except ResourceInUseException as error:
        caught = [type(error).__name__, error.code, error.request_id, error.stream_name]
print(json.dumps({"arn": created.stream_arn, "caught": caught, "sent": emitter.documents}))
'''


def trace_with_xray(kind: str, server: Loopback) -> dict[str, Any]:
    """Create a stream twice in a process that X-Ray has patched; return what came of it."""
    pytest.importorskip("aws_xray_sdk", reason="needs aws-xray-sdk")
    server.on_create(created("gate"), conflict())
    command = [sys.executable, "-c", XRAY, kind, server.url]
    here = Path(__file__).parent
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    code = "ResourceInUseException"
    assert result["arn"] == arn("gate")
    assert result["caught"] == [code, code, REQUEST_ID, "gate"]
    return result


def test_xray(server: Loopback) -> None:
    """Each call is a subsegment with AWS's data; the error is recorded, and ours is as ever."""
    (segment,) = trace_with_xray(SYNC, server)["sent"]
    first, second = segment["subsegments"]
    for subsegment in first, second:
        assert (subsegment["name"], subsegment["namespace"]) == ("kinesisvideo", "aws")
        assert subsegment["aws"]["operation"] == "CreateStream"
        assert subsegment["aws"]["request_id"] == REQUEST_ID
    assert (first["http"]["response"]["status"], first.get("error")) == (200, None)
    assert (second["http"]["response"]["status"], second["error"]) == (400, True)
    (exception,) = second["cause"]["exceptions"]
    assert exception["type"] == "ResourceInUseException"


def test_xray_async(server: Loopback) -> None:
    """X-Ray does not follow a call into a worker thread; the call is none the worse for it."""
    (segment,) = trace_with_xray(ASYNC_BOTO3, server)["sent"]
    assert "subsegments" not in segment
