"""One test for each part of moto that the kit uses: when moto changes, it says so."""

import inspect
import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import boto3
import moto
import pytest

URL = "https://kinesisvideo.us-east-1.amazonaws.com"


def holds(condition: object, what: str) -> None:
    """Fail with a sentence that says what changed, and where the kit depends on it."""
    assert condition, (
        f"moto {moto.__version__} changed: the kit expects that {what}; "
        "adapt kvs_streams/testing/_moto.py"
    )


def part(module: str, name: str) -> Any:
    """Return a part of moto, or fail with a sentence if it is gone."""
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        holds(condition=False, what=f"{module} has {name}")


@pytest.fixture
def client(isolated: object) -> Iterator[Any]:
    """A plain boto3 client on plain moto, without the kit."""
    with moto.mock_aws():
        session = boto3.Session(
            aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1"
        )
        client = session.client("kinesisvideo")
        yield client
        client.close()


def test_url_paths(client: Any) -> None:
    """Moto asks ``url_paths`` at each request which function answers it, and for new paths too."""
    url_paths = part("moto.kinesisvideo.urls", "url_paths")
    holds(isinstance(url_paths, dict), "moto.kinesisvideo.urls.url_paths is a dict")
    holds("{0}/createStream$" in url_paths, "url_paths has the key '{0}/createStream$'")
    asked = []

    def handler(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
        asked.append((request.headers.get("amz-sdk-invocation-id"), full_url, headers))
        return 200, {"x-answered": "by the kit"}, json.dumps({"Tags": {"a": "b"}})

    before = dict(url_paths)
    try:
        url_paths["{0}/listTagsForStream$"] = handler
        reply = client.list_tags_for_stream(StreamName="cam")
    except client.exceptions.ClientError:
        holds(condition=False, what="a path added to url_paths is answered by its function")
    finally:
        url_paths.clear()
        url_paths.update(before)
    holds(
        asked[0][:2] == (asked[0][0], f"{URL}/listTagsForStream") and asked[0][0],
        "a handler gets the request with its headers, and the full URL",
    )
    headers = reply["ResponseMetadata"]["HTTPHeaders"]
    holds(
        reply["Tags"] == {"a": "b"} and headers["x-answered"] == "by the kit",
        "what a handler returns is status, headers and body of the reply",
    )


def test_kinesis_video_response(client: Any) -> None:
    """``setup_class`` reads a request, and ``call_action`` answers it."""
    cls = part("moto.kinesisvideo.responses", "KinesisVideoResponse")
    url_paths = part("moto.kinesisvideo.urls", "url_paths")
    seen: dict[str, Any] = {}

    def handler(request: Any, full_url: str, headers: Any) -> Any:
        response = cls()
        response.setup_class(request, full_url, headers)
        for name in ("path", "body", "region", "current_account", "kinesisvideo_backend"):
            seen[name] = getattr(response, name, None)
        seen["answer"] = response.call_action()
        return seen["answer"]

    before = url_paths["{0}/createStream$"]
    url_paths["{0}/createStream$"] = handler
    try:
        client.create_stream(StreamName="cam")
    finally:
        url_paths["{0}/createStream$"] = before
    holds(seen["path"] == "/createStream", "a response object has the path of its request")
    holds(
        json.loads(seen["body"]) == {"StreamName": "cam"}, "a response object has the body as text"
    )
    holds(
        (seen["region"], seen["current_account"]) == ("us-east-1", "123456789012"),
        "a response object has region and current_account",
    )
    status, headers, body = seen["answer"]
    holds(status == 200, "call_action returns the status first")
    holds(isinstance(headers, dict), "call_action returns the headers second, as a dict")
    holds("StreamARN" in json.loads(body), "call_action returns the body third, as JSON")
    holds(
        json.loads(body)["StreamARN"] in seen["kinesisvideo_backend"].streams,
        "kinesisvideo_backend is the store of the request's account and region",
    )


def test_backends_and_streams(client: Any) -> None:
    """The stores are found by account and region, and keep streams with the attributes we use."""
    backends = part("moto.kinesisvideo.models", "kinesisvideo_backends")
    arn = client.create_stream(StreamName="cam", Tags={"a": "b"})["StreamARN"]
    stores = [
        (account, region, backend)
        for account, regions in backends.items()
        for region, backend in regions.items()
        if backend.streams
    ]
    holds(
        [store[:2] for store in stores] == [("123456789012", "us-east-1")],
        "kinesisvideo_backends maps accounts to regions to backends",
    )
    streams = stores[0][2].streams
    holds(list(streams) == [arn], "a backend has its streams by ARN")
    stream = streams[arn]
    expected = {"arn": arn, "stream_name": "cam", "status": "ACTIVE", "tags": {"a": "b"}}
    for name in ("device_name", "media_type", "kms_key_id", "data_retention_in_hours"):
        expected[name] = None
    for name, value in expected.items():
        holds(getattr(stream, name, "absent") == value, f"a stream has the attribute {name}")
    holds(hasattr(stream.creation_time, "tzinfo"), "a stream has a datetime as creation_time")
    holds(stream.version, "a stream has the attribute version")

    # moto finds a stream by its ARN as the kit has changed it.
    del streams[arn]
    stream.arn = arn.replace("1598784211076", "1700000000000")
    streams[stream.arn] = stream
    endpoint = client.get_data_endpoint(StreamARN=stream.arn, APIName="PUT_MEDIA")["DataEndpoint"]
    holds(endpoint.startswith("https://s-"), "get_data_endpoint finds a stream by its key")


def test_regions_and_accounts(client: Any) -> None:
    """A region that moto does not know is a ``KeyError``, and callers are in a known account."""
    backends = part("moto.kinesisvideo.models", "kinesisvideo_backends")
    account = part("moto.core.models", "DEFAULT_ACCOUNT_ID")
    arn = client.create_stream(StreamName="cam")["StreamARN"]
    holds(arn.split(":")[4] == account == "123456789012", "DEFAULT_ACCOUNT_ID is 123456789012")
    holds(backends[account]["us-east-1"].streams, "callers are in DEFAULT_ACCOUNT_ID")
    with pytest.raises(KeyError):
        backends[account]["mars-1"]


def test_paths_for_any_operation(client: Any) -> None:
    """A pattern in ``url_paths`` answers what moto has no path for; other paths come first."""
    url_paths = part("moto.kinesisvideo.urls", "url_paths")

    def handler(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"Tags": {"path": full_url.rpartition("/")[2]}})

    before = dict(url_paths)
    try:
        url_paths["{0}/(?P<operation>[A-Za-z]+)$"] = handler
        tags = client.list_tags_for_stream(StreamName="cam")["Tags"]
        arn = client.create_stream(StreamName="cam").get("StreamARN")
    finally:
        url_paths.clear()
        url_paths.update(before)
    holds(tags == {"path": "listTagsForStream"}, "a pattern with a named group is matched")
    holds(arn, "paths are tried in their order")


def test_errors_on_the_wire(client: Any) -> None:
    """Moto's own errors carry their code in a header, where the kit reads it for its records."""
    client.create_stream(StreamName="cam")
    for call, code, status in (
        (client.create_stream, "ResourceInUseException", 400),
        (client.describe_stream, "ResourceNotFoundException", 404),
    ):
        name = "cam" if code == "ResourceInUseException" else "other"
        with pytest.raises(client.exceptions.ClientError) as caught:
            call(StreamName=name)
        metadata = caught.value.response["ResponseMetadata"]
        headers = metadata["HTTPHeaders"]
        holds(headers.get("x-amzn-errortype") == code, f"{code} is in the header x-amzn-errortype")
        holds(metadata["HTTPStatusCode"] == status, f"{code} has the status {status}")


def test_botocore_stubber(client: Any) -> None:
    """``botocore_stubber`` answers a request as a handler of botocore's ``before-send``."""
    stubber = part("moto.core.models", "botocore_stubber")
    answers = []
    client.meta.events.register_first(
        "before-send.kinesisvideo.ListStreams",
        lambda request, **_: answers.append(stubber("before-send", request)),
    )
    client.list_streams()
    holds(
        answers and answers[0].status_code == 200,
        "botocore_stubber('before-send', request) returns the reply",
    )


def test_server_application() -> None:
    """Moto's own server makes its WSGI application of these two."""
    application = part("moto.server", "DomainDispatcherApplication")
    create = part("moto.server", "create_backend_app")
    server = part("moto.moto_server.threaded_moto_server", "ThreadedMotoServer")
    source = inspect.getsource(server)
    holds(
        f"{application.__name__}({create.__name__})" in source,
        "ThreadedMotoServer serves DomainDispatcherApplication(create_backend_app)",
    )


def test_mock_aws_empties_the_stores(client: Any) -> None:
    """Each start of ``mock_aws`` begins without streams."""
    client.create_stream(StreamName="cam")
    backends = part("moto.kinesisvideo.models", "kinesisvideo_backends")
    moto.mock_aws().reset()
    holds(not list(backends.items()), "mock_aws().reset() empties kinesisvideo_backends")
