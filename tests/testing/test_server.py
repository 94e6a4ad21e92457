"""The server: the same service over HTTP, for child processes and other languages."""

import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

from kvs_streams import CreateStreamRequest, StreamsClient
from kvs_streams.testing import MockKvs, mock_kvs

SIGNED = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/kinesisvideo/aws4_request"
PROXIES = dict.fromkeys(
    ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:1"
)
CHILD = """
from kvs_streams import CreateStreamRequest, StreamsClient
try:
    with StreamsClient() as client:
        print(client.ensure_stream(CreateStreamRequest(stream_name="child")).outcome.value)
except Exception as error:
    print(error)
"""


@pytest.fixture
def kvs() -> Iterator[MockKvs]:
    """The kit with its server."""
    with mock_kvs(server=True) as kit:
        yield kit


class Client:
    """A client in another language: it knows HTTP alone."""

    def __init__(self, kvs: MockKvs) -> None:
        self._connection = HTTPConnection(urlsplit(kvs.endpoint_url).netloc, timeout=5)

    def post(self, path: str, body: str, **headers: str) -> tuple[int, Mapping[str, str], Any]:
        """Send a request; return the status, the headers and what the JSON says."""
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request("POST", path, body.encode(), names)
        reply = self._connection.getresponse()
        return reply.status, reply.headers, json.loads(reply.read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@pytest.fixture
def http(kvs: MockKvs) -> Iterator[Client]:
    """A client that knows HTTP alone."""
    with closing(Client(kvs)) as client:
        yield client


def test_unsigned_and_signed(kvs: MockKvs, http: Client) -> None:
    """Without a signature a request is for the kit's region, with one for the signature's."""
    body = json.dumps({"StreamName": "cam", "DataRetentionInHours": 1, "DeviceName": None})
    for headers in ({}, {"authorization": SIGNED}):
        status, _, reply = http.post("/createStream", body, **headers)
        assert status == 200, reply
    assert kvs.streams_in("us-east-1").keys() == kvs.streams_in("eu-west-1").keys() == {"cam"}
    request = json.dumps({"StreamName": "cam", "APIName": "GET_CLIP"})
    _, _, reply = http.post("/getDataEndpoint", request)
    assert reply == {"DataEndpoint": kvs.endpoint_url}
    _, _, reply = http.post("/getHLSStreamingSessionURL", '{"StreamName": "cam"}')
    assert reply["HLSStreamingSessionURL"].startswith(kvs.endpoint_url + "/hls/")


WRONG = {
    "{": "SerializationException",
    "[]": "SerializationException",
    '{"StreamName": 1}': "SerializationException",
    '{"StreamName": "x", "Tags": {"a": null}}': "SerializationException",
    '{"StreamName": "x", "DataRetentionInHours": true}': "SerializationException",
    '{"StreamName": null}': "InvalidArgumentException",
}


@pytest.mark.parametrize("validate", [True, False])
def test_wrong_json(capfd: pytest.CaptureFixture[str], validate: bool) -> None:
    """Wrong JSON is refused as AWS refuses it; nothing is printed."""
    with mock_kvs(server=True, validate=validate) as kvs, closing(Client(kvs)) as client:
        replies = {body: client.post("/createStream", body) for body in WRONG}
    assert {status for status, _, _ in replies.values()} == {400}
    told = {body: headers["x-amzn-ErrorType"] for body, (_, headers, _) in replies.items()}
    assert {body: code.partition(":")[0] for body, code in told.items()} == WRONG
    assert capfd.readouterr() == ("", "")


def test_unknown_path(http: Client) -> None:
    """The server serves no other AWS service."""
    status, headers, _ = http.post("/", "{}")
    assert (status, headers["x-amzn-ErrorType"]) == (404, "UnknownOperationException")


def test_faults_and_retries(kvs: MockKvs, http: Client) -> None:
    """A retry is known by the SDK's id of the call; without it each request is a call."""
    kvs.fail_next("InternalFailure", attempts=1, operation="list_streams", times=2)
    statuses = [http.post("/listStreams", "{}", amz_sdk_invocation_id="1")[0] for _ in range(2)]
    statuses += [http.post("/listStreams", "{}")[0] for _ in range(2)]
    assert statuses == [500, 200, 500, 200]
    assert [call.attempt for call in kvs.calls] == [1, 2, 1, 1]
    kvs.drop_next(operation="list_streams")
    with pytest.raises(RemoteDisconnected):
        http.post("/listStreams", "{}")


def test_the_end(http: Client, kvs: MockKvs) -> None:
    """A connection that a client keeps is not answered after the end."""
    assert http.post("/listStreams", "{}")[0] == 200
    kvs.stop()
    with pytest.raises((RemoteDisconnected, ConnectionError)):
        http.post("/listStreams", "{}")


def test_requests_come_at_the_latest_time(kvs: MockKvs, http: Client) -> None:
    """For other processes it is as late as for whoever has waited longest here."""
    http.post("/listStreams", "{}")
    kvs.hold_creating(2)
    kvs.client().ensure_stream(CreateStreamRequest(stream_name="cam"))
    http.post("/createStream", '{"StreamName": "later"}')
    streams = kvs.streams
    waited = streams["later"].creation_time - streams["cam"].creation_time
    assert waited.total_seconds() == kvs.elapsed > 1


def test_in_this_process_nothing_goes_over_http(kvs: MockKvs) -> None:
    """Clients of this process are answered in it, also those of the server's address."""
    client: Any = boto3.client("kinesisvideo", endpoint_url=kvs.endpoint_url)
    arn = client.create_stream(StreamName="cam")["StreamARN"]
    endpoint = client.get_data_endpoint(StreamARN=arn, APIName="PUT_MEDIA")["DataEndpoint"]
    assert endpoint.endswith(".kinesisvideo.us-east-1.amazonaws.com")


# Child processes


@pytest.mark.parametrize("server", [True, False], ids=["server", "no-server"])
def test_subprocess(server: bool) -> None:
    """A child process finds the server, or else an address that says what is missing."""
    with mock_kvs(server=server) as kvs:
        command = [sys.executable, "-c", CHILD]
        printed = subprocess.check_output(command, env={**os.environ, **PROXIES}, text=True)
        if server:
            assert printed == "CREATED\n"
            assert list(kvs.streams) == ["child"]
        else:
            assert "http://127.0.0.1:9/mock_kvs(server=True)" in printed


def create(client: Any, results: Any) -> None:
    """Create streams with a client from before the fork, and with a new one."""
    try:
        client.create_stream(StreamName="old")
        with StreamsClient() as new:
            new.create_stream(CreateStreamRequest(stream_name="new"))
    except Exception as error:  # noqa: BLE001 - the parent shows it
        results.put(str(error))
    else:
        results.put("created")


def test_a_request_of_another_process_goes_to_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a forked process sends, seen from inside: the region goes along."""
    with mock_kvs(server=True) as kvs:
        client = boto3.client("kinesisvideo", region_name="eu-west-1")
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: -1)
            client.create_stream(StreamName="cam")
        assert [record.region_name for record in kvs.streams.values()] == ["eu-west-1"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
# Python 3.15 raises this warning: pytest-xdist and the server have threads.
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("server", [True, False], ids=["server", "no-server"])
def test_forked_process(server: bool) -> None:
    """A forked process does not answer itself from a copy: it does as any child process."""
    client = boto3.client(
        "kinesisvideo",
        region_name="eu-west-1",
        config=Config(proxies={"http": "http://127.0.0.1:1"}, retries={"total_max_attempts": 1}),
    )
    context = multiprocessing.get_context("fork")
    with mock_kvs(server=server) as kvs:
        results = context.SimpleQueue()
        process = context.Process(target=create, args=(client, results))
        process.start()
        result = results.get()
        process.join()
        if server:
            assert result == "created"
            assert {made.region_name for made in kvs.streams.values()} == {"eu-west-1", "us-east-1"}
        else:
            assert "http://127.0.0.1:9/mock_kvs(server=True)/createStream" in result
            assert kvs.streams == {}
