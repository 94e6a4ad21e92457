"""Tests with what traces botocore's calls: OpenTelemetry and AWS X-Ray."""
# ruff: noqa: ANN001, ANN201 - as users write their tests

import asyncio
import json

import pytest
from aws_xray_sdk.core import patch, xray_recorder
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from kvs_streams import CreateStreamRequest, ResourceInUseException

REQUEST = CreateStreamRequest(stream_name="gate")
# Every call of ours is one of theirs, throttled ones and conflicts included.
CALLS = [
    ("CreateStream", 400),
    ("CreateStream", 200),
    ("DescribeStream", 200),
    ("CreateStream", 400),
]


def use(kvs_mock, client):
    """Ensure a stream, with a throttle, and create it again."""
    kvs_mock.fail_next("ClientLimitExceededException")
    assert client.ensure_stream(REQUEST).outcome == "CREATED"
    with pytest.raises(ResourceInUseException) as caught:
        client.create_stream(REQUEST)
    assert caught.value.request_id
    assert caught.value.stream_name == "gate"


async def use_async(kvs_mock, client):
    """The same, awaited."""
    kvs_mock.fail_next("ClientLimitExceededException")
    assert (await client.ensure_stream(REQUEST)).outcome == "CREATED"
    with pytest.raises(ResourceInUseException):
        await client.create_stream(REQUEST)


@pytest.mark.parametrize("is_async", [False, True])
def test_opentelemetry(kvs_mock, kvs_client, kvs_async_client, is_async):
    """Each call is a span below the caller's, though it be made in a worker thread."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = BotocoreInstrumentor()
    instrumentor.instrument(tracer_provider=provider)
    with provider.get_tracer("users").start_as_current_span("request") as parent:
        if is_async:
            asyncio.run(use_async(kvs_mock, kvs_async_client))
        else:
            use(kvs_mock, kvs_client)
    instrumentor.uninstrument()
    *spans, _ = exporter.get_finished_spans()
    told = [(span.attributes["rpc.method"], span.attributes["http.status_code"]) for span in spans]
    assert told == CALLS
    assert {span.parent.span_id for span in spans} == {parent.get_span_context().span_id}
    assert [span.status.status_code.name for span in spans] == ["ERROR", "UNSET", "UNSET", "ERROR"]


class Emitter:
    """Keeps what would be sent to X-Ray's daemon."""

    def send_entity(self, entity):
        """Keep the last one."""
        self.sent = json.loads(entity.serialize())


def test_xray(kvs_mock, kvs_client):
    """Each call is a subsegment, and errors are recorded in their own."""
    patch(("botocore",))
    emitter = Emitter()
    xray_recorder.configure(sampling=False, emitter=emitter)
    with xray_recorder.in_segment("request"):
        use(kvs_mock, kvs_client)
    parts = emitter.sent["subsegments"]
    told = [(part["aws"]["operation"], part["http"]["response"]["status"]) for part in parts]
    assert told == CALLS
    assert [part.get("error") for part in parts] == [True, None, None, True]
