"""What the kit changes in the process, and that it puts everything back."""

import asyncio
import os
import pickle
import runpy
import socket
import subprocess
import sys
import threading
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint
import moto
import pytest
from botocore.config import Config
from botocore.httpsession import URLLib3Session

import kvs_streams.testing
from kvs_streams import CreateStreamRequest, ServiceError, StreamsClient, TransportError
from kvs_streams._flows.io import Io
from kvs_streams.testing import BlockedRequestError, MockKvs, UnusedFaultError, _process, mock_kvs

OUTSIDE = {
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_PROFILE": "production",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": "/home/me/.aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/home/me/.aws/credentials",
    "AWS_ENDPOINT_URL": "https://production.example",
    "AWS_ENDPOINT_URL_KINESIS_VIDEO": "https://production.example",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/v2",
    "AWS_EC2_METADATA_DISABLED": "false",
    "AWS_MAX_ATTEMPTS": "1",
    "BOTO_CONFIG": "/etc/boto.cfg",
    "https_proxy": "http://proxy.example:3128",
    "HTTP_PROXY": "http://proxy.example:3128",
    "NO_PROXY": "localhost",
}


def aws_settings() -> dict[str, str]:
    """Return the variables that lead to AWS, or around it."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("AWS_", "BOTO_")) or name.lower().endswith("_proxy")
    }


@pytest.mark.parametrize("server", [False, True])
def test_environment_is_made_up_and_put_back(
    monkeypatch: pytest.MonkeyPatch, camera: CreateStreamRequest, *, server: bool
) -> None:
    """No setting of this machine shows inside, all are back afterwards, others are left alone."""
    for name, value in OUTSIDE.items():
        monkeypatch.setenv(name, value)
    before = aws_settings()
    with mock_kvs(server=server, region_name="ap-south-1") as kvs:
        inside = set(aws_settings().items())
        assert not inside & set(OUTSIDE.items())
        assert os.environ["BOTO_CONFIG"] == os.devnull
        session = boto3.Session()
        assert session.profile_name == "default"
        assert session.region_name == "ap-south-1"
        assert session.get_credentials().access_key != OUTSIDE["AWS_ACCESS_KEY_ID"]
        assert session.available_profiles == []
        with StreamsClient() as client:
            assert client.create_stream(camera).stream_arn.region == "ap-south-1"
        assert kvs.boto_client().meta.region_name == "ap-south-1"
        os.environ["AWS_MADE_BY_THE_TEST"] = "1"
        os.environ["SOMETHING_ELSE"] = "1"
        del os.environ["AWS_ACCESS_KEY_ID"]
    assert aws_settings() == before
    assert os.environ.pop("SOMETHING_ELSE") == "1"


def test_a_server_is_found_by_the_environment() -> None:
    """Other processes find the server by the variables they inherit."""
    script = (
        "import boto3; c = boto3.client('kinesisvideo'); print(c.meta.endpoint_url);"
        "print(c.create_stream(StreamName='cam')['StreamARN'])"
    )
    with mock_kvs(server=True) as kvs:
        output = subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        ).stdout
        assert output.split() == [kvs.endpoint_url, kvs.streams["cam"].stream_arn]


def test_everything_is_put_back(camera: CreateStreamRequest) -> None:
    """Time, network and moto's tables are afterwards what they were before."""
    from moto.kinesisvideo import urls

    url_paths = urls.url_paths

    def state() -> Any:
        return (
            Io.clock,
            botocore.endpoint.time,
            URLLib3Session.send,
            dict(url_paths),
            boto3.DEFAULT_SESSION,
            [thread for thread in threading.enumerate() if thread.name == "kvs_streams.testing"],
        )

    before = state()
    with mock_kvs(server=True) as kvs:
        kvs.client().create_stream(camera)
        assert all(one != other for one, other in zip(state()[:4], before[:4], strict=True))
    assert state() == before
    assert botocore.endpoint.time is time
    afresh = runpy.run_path(urls.__file__, run_name="moto.kinesisvideo.afresh")
    assert url_paths.keys() == afresh["url_paths"].keys()


def test_a_failed_start_puts_everything_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the server cannot start, nothing of the kit is left, and the next one can."""
    before = aws_settings(), Io.clock
    with monkeypatch.context() as patch:
        patch.setattr("werkzeug.serving.make_server", None)
        with pytest.raises(TypeError):
            mock_kvs(server=True).start()
    assert (aws_settings(), Io.clock) == before
    with mock_kvs(server=True):
        pass


def test_clients_from_before_are_answered() -> None:
    """A client that is older than ``import moto`` is answered; moto alone would let it go."""
    script = """
import boto3
client = boto3.client("kinesisvideo", "eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
import sys
assert "moto" not in sys.modules
from kvs_streams.testing import mock_kvs
for server in (False, True):
    with mock_kvs(server=server) as kvs:
        kvs.fail_next("InternalFailure", attempts=1)
        client.create_stream(StreamName="cam")
        print(kvs.streams["cam"].region_name, [call.attempt for call in kvs.calls])
"""
    output = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert output.splitlines() == ["eu-west-1 [1, 2]"] * 2


@pytest.mark.parametrize(
    "options",
    [
        {"config": Config(use_dualstack_endpoint=True)},
        {"endpoint_url": "https://production.example"},
        {"endpoint_url": "https://192.0.2.1"},
    ],
)
def test_nothing_leaves_this_machine(options: Any, camera: CreateStreamRequest) -> None:
    """A request that moto does not answer is blocked, and the message says why."""
    with (
        mock_kvs(),
        StreamsClient(**options) as client,
        pytest.raises(BlockedRequestError, match="blocked a request to") as caught,
    ):
        client.create_stream(camera)
    assert "under mock_kvs nothing leaves this machine" in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"config": Config(use_fips_endpoint=True)},
        {"endpoint_url": "https://vpce-1-a.kinesisvideo.us-east-1.vpce.amazonaws.com"},
    ],
    ids=["fips", "vpc"],
)
def test_other_endpoints_of_aws_are_not_found(options: Any, camera: CreateStreamRequest) -> None:
    """A FIPS or VPC endpoint is answered with a 404, as the documentation says."""
    with mock_kvs() as kvs, StreamsClient(**options) as client:
        with pytest.raises(ServiceError) as caught:
            client.create_stream(camera)
        assert caught.value.http_status_code == 404
        assert kvs.calls == ()


def test_a_server_on_this_machine_is_called(
    monkeypatch: pytest.MonkeyPatch, camera: CreateStreamRequest
) -> None:
    """A client from before the kit with an endpoint on this machine really sends there."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with StreamsClient(region_name="us-east-1") as client, mock_kvs() as kvs:
        with pytest.raises(TransportError) as caught:
            client.create_stream(camera)
        assert type(caught.value.__cause__).__name__ == "EndpointConnectionError"
        assert kvs.calls == ()


def test_loopback_is_let_through(camera: CreateStreamRequest) -> None:
    """Other servers on this machine can be called."""
    with mock_kvs(server=True) as kvs:
        port = kvs.endpoint_url.rpartition(":")[2]
        for host in ("localhost", "127.0.0.1"):
            with StreamsClient(endpoint_url=f"http://{host}:{port}") as client:
                client.ensure_stream(camera)
        assert kvs.count() == 2


def test_it_lives_inside_mock_aws(camera: CreateStreamRequest) -> None:
    """Inside moto's own decorator the kit keeps the streams that are there, and leaves its own."""
    with moto.mock_aws():
        boto3.client("kinesisvideo", "us-east-1").create_stream(StreamName="from-before")
        with mock_kvs() as kvs:
            client = kvs.client()
            client.create_stream(camera)
            assert set(kvs.streams) == {"cam", "from-before"}
            assert kvs.streams["from-before"].default_storage_tier == "HOT"
            assert client.describe_stream("from-before").status == "ACTIVE"
        names = [
            info["StreamName"]
            for info in boto3.client("kinesisvideo", "us-east-1").list_streams()["StreamInfoList"]
        ]
        assert sorted(names) == ["cam", "from-before"]


class _Endpoint:
    http_session = URLLib3Session()

    async def _send(self, request: Any) -> str:
        return f"sent to {request.url}"


class _OtherEndpoint(_Endpoint):
    async def _sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class _Bucket:
    async def acquire(self, amount: int = 1) -> bool:
        raise AssertionError(amount)


def test_aiobotocore_is_tamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """If aiobotocore is there, it sends nothing beyond this machine and does not wait."""
    module = ModuleType("aiobotocore.endpoint")
    module.AioEndpoint = _Endpoint
    monkeypatch.setitem(sys.modules, "aiobotocore", ModuleType("aiobotocore"))
    monkeypatch.setitem(sys.modules, "aiobotocore.session", ModuleType("aiobotocore.session"))
    monkeypatch.setitem(sys.modules, "aiobotocore.endpoint", module)
    bucket = ModuleType("aiobotocore.retries.bucket")
    bucket.AsyncTokenBucket = _Bucket
    monkeypatch.setitem(sys.modules, "aiobotocore.retries.bucket", bucket)
    monkeypatch.setattr(_process, "find_spec", lambda _: object())

    def state() -> Any:
        return [dict(vars(cls)) for cls in (_Endpoint, _OtherEndpoint, _Bucket)]

    before = state()

    def request(url: str) -> Any:
        return SimpleNamespace(url=url, headers={"amz-sdk-invocation-id": "1"})

    for server in (False, True):
        with mock_kvs(server=server):
            for cls in (_Endpoint, _OtherEndpoint):
                endpoint: Any = cls()
                local = asyncio.run(endpoint._send(request("http://127.0.0.1:1/")))
                assert local == "sent to http://127.0.0.1:1/"
                with pytest.raises(BlockedRequestError, match=r"mock_kvs\(server=True\)"):
                    asyncio.run(endpoint._send(request("https://kinesisvideo.example/")))
                asyncio.run(endpoint._sleep(1000.0))
            assert asyncio.run(_Bucket().acquire())
            guarded = _Endpoint._send
        assert state() == before
    monkeypatch.delitem(sys.modules, "aiobotocore.retries.bucket")
    with mock_kvs():
        # Older versions have no such bucket.
        assert _Bucket.acquire is before[2]["acquire"]
    assert state() == before
    # A guard that is restored later passes everything through.
    sent = asyncio.run(guarded(_Endpoint(), request("https://kinesisvideo.example/")))
    assert sent == "sent to https://kinesisvideo.example/"


@pytest.mark.parametrize("missing", ["flask", "flask_cors", "moto"])
def test_missing_moto(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """What is missing is named, with the command that installs it, and nothing has started."""
    before = aws_settings()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError) as caught:
        mock_kvs().start()
    assert str(caught.value) == (
        f'kvs_streams.testing needs {missing}, which is missing: pip install "kvs_streams[testing]"'
    )
    assert caught.value.name == missing
    assert aws_settings() == before


@pytest.mark.parametrize("version", ["5.0.7", "4.2.14", "5.0"])
def test_moto_too_old(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A moto that is too old is named with its version, and with what is needed."""
    monkeypatch.setattr(moto, "__version__", version)
    with pytest.raises(ImportError) as caught:
        mock_kvs().start()
    assert str(caught.value) == (
        f"kvs_streams.testing needs moto 5.0.8 or newer, not {version}: "
        'pip install "kvs_streams[testing]"'
    )


@pytest.mark.parametrize("version", ["5.0.8", "5.1.dev0", "6"])
def test_moto_new_enough(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Any later moto is tried."""
    monkeypatch.setattr(moto, "__version__", version)
    with mock_kvs():
        pass


@pytest.mark.parametrize(
    "error",
    [
        UnusedFaultError(("one", "two"), "create_stream 1"),
        BlockedRequestError("https://a.example/b"),
    ],
)
def test_errors_pickle(error: Exception) -> None:
    """The kit's errors cross processes with their data, as pytest-xdist's workers need."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_the_face() -> None:
    """The module shows its public names and nothing else, and names an unknown one."""
    assert dir(kvs_streams.testing) == sorted(kvs_streams.testing.__all__)
    with pytest.raises(AttributeError, match=r"module 'kvs_streams\.testing' has no attribute 'x'"):
        _ = kvs_streams.testing.x
    assert kvs_streams.testing.MockKvs is MockKvs
