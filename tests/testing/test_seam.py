"""The one seam: whose requests the kit answers, and that none gets past it."""

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

import boto3
import botocore.endpoint
import botocore.signers
import pytest
import requests
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.session import Session
from moto import mock_aws

from kvs_streams import CreateStreamRequest, StreamsClient
from kvs_streams.testing import MockKvs, mock_kvs
from kvs_streams.testing._core import CLOCK_OWNER

PROXY = Config(proxies={"https": "http://proxy.invalid"}, retries={"mode": "adaptive"})
OLD_CLIENTS: dict[str, Any] = {
    "plain": {},
    "loopback": {"endpoint_url": "http://localhost:4566"},
    "proxy": {"config": PROXY},
    "fips": {"region_name": "us-gov-west-1", "config": Config(use_fips_endpoint=True)},
}


@pytest.mark.parametrize("which", OLD_CLIENTS)
@pytest.mark.parametrize("mocks", [[mock_kvs], [mock_aws, mock_kvs], [mock_kvs, mock_aws]])
def test_clients_from_before(which: str, mocks: list[Any]) -> None:
    """A client that is older than the kit is answered, whatever its endpoint, proxy or keys."""
    options = {"region_name": "eu-west-1", **OLD_CLIENTS[which]}
    client: Any = boto3.client("kinesisvideo", **options)
    with ExitStack() as stack:
        running = {mock: stack.enter_context(mock()) for mock in mocks}
        client.create_stream(StreamName="cam")
        assert running[mock_kvs].count() == 1


def test_each_kit_starts_empty_inside_one_mock_aws() -> None:
    """Streams do not go from test to test, nor to and from moto's own."""
    with mock_aws():
        boto3.client("kinesisvideo", region_name="us-east-1").create_stream(StreamName="motos")
        for _ in range(2):
            with mock_kvs() as kvs:
                assert kvs.client().create_stream(CreateStreamRequest(stream_name="cam"))
                assert list(kvs.streams) == ["cam"]
        found = boto3.client("kinesisvideo", region_name="us-east-1").list_streams()
        assert [each["StreamName"] for each in found["StreamInfoList"]] == ["motos"]


def test_the_rest_of_aws_is_motos(kvs: MockKvs) -> None:
    """Other services are moto's, and nobody's keys are needed for Kinesis Video Streams."""
    sts: Any = boto3.client("sts")
    assert sts.get_caller_identity()["Account"] == "123456789012"
    bare = Session()
    bare.set_config_variable("region", "eu-west-1")
    bare._credentials = DeferredRefreshableCredentials(lambda: 1 / 0, "expired")
    bare.create_client("kinesisvideo").create_stream(StreamName="unsigned")
    assert kvs.streams["unsigned"].region_name == "eu-west-1"


def test_events_and_history_stay_botocores(kvs: MockKvs) -> None:
    """A user's event handlers run, but for ``before-send``, whose place the kit has."""
    client = kvs.boto_client()
    seen: list[str] = []
    for event in ("before-call", "request-created", "before-send", "before-parse", "needs-retry"):
        client.meta.events.register(event, lambda event_name, **_: seen.append(event_name))
    client.create_stream(StreamName="cam")
    assert [each.partition(".")[0] for each in seen] == [
        "before-call",
        "request-created",
        "before-parse",
        "needs-retry",
    ]


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_retries_take_no_time(monkeypatch: pytest.MonkeyPatch, kvs: MockKvs, mode: Any) -> None:
    """There is no pause between two attempts, in any retry mode."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    kvs.fail_next("InternalFailure", attempts=2, operation="list_streams")
    kvs.boto_client(config=Config(retries={"mode": mode})).list_streams()
    assert pauses == [0, 0]


LATE = """
import asyncio, sys
from kvs_streams.testing import mock_kvs
assert not any(name.startswith("aiobotocore") for name in sys.modules)
with mock_kvs() as kvs:
    from aiobotocore.session import get_session
    from kvs_streams import AsyncStreamsClient, CreateStreamRequest
    async def main():
        kvs.hold_creating(2)
        kvs.fail_next("InternalFailure", attempts=1)
        async with get_session().create_client("kinesisvideo") as client:
            request = CreateStreamRequest(stream_name="cam")
            return await AsyncStreamsClient(client).ensure_stream(request)
    print(asyncio.run(main()).outcome.value, list(kvs.streams))
"""


@pytest.mark.aiobotocore
def test_aiobotocore_loaded_late() -> None:
    """The kit never imports aiobotocore; it takes over when the first endpoint is made."""
    pytest.importorskip("aiobotocore")
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)
    assert done.stdout == "CREATED ['cam']\n", done.stderr


# No call gets past it


def other_signature(self: Any, request: Any, model: Any) -> None:
    """Stands for a method with other parameters."""


def other_caller(self: Any, *args: Any) -> Any:
    """Stands for a caller that goes another way."""
    return self._send(args[0]), None


@pytest.mark.parametrize(
    "owner,name,replacement",
    [
        (botocore.endpoint.Endpoint, "_do_get_response", None),
        (botocore.endpoint.Endpoint, "_do_get_response", other_signature),
        (botocore.endpoint.Endpoint, "_get_response", other_caller),
        (botocore.endpoint.Endpoint, "_needs_retry", None),
        (botocore.endpoint.Endpoint, "_send", None),
        (botocore.signers.RequestSigner, "sign", None),
    ],
)
def test_no_start_without_the_seam(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, replacement: Any
) -> None:
    """A botocore that lacks the seam, or calls it differently, is refused with a sentence."""
    if replacement is None:
        monkeypatch.delattr(owner, name)
    else:
        monkeypatch.setattr(owner, name, replacement)
    before = dict(os.environ)
    with pytest.raises(RuntimeError, match=r"does not work with this version of botocore: .* Use"):
        mock_kvs().start()
    assert os.environ == before
    monkeypatch.undo()
    with mock_kvs() as kvs:
        assert kvs.streams == {}


def test_a_call_past_the_seam_is_stopped(monkeypatch: pytest.MonkeyPatch, kvs: MockKvs) -> None:
    """If botocore goes another way all the same, no request is sent."""
    monkeypatch.setattr(botocore.endpoint.Endpoint, "_get_response", other_caller)
    with pytest.raises(RuntimeError, match="does not work with this version of botocore"):
        kvs.boto_client().list_streams()
    assert kvs.calls == ()


# It is put back


def patched() -> list[object]:
    """Return all that the kit replaces."""
    endpoint, signer = botocore.endpoint.Endpoint, botocore.signers.RequestSigner
    names = ("_do_get_response", "_needs_retry", "_send", "__init__")
    return [
        *(endpoint.__dict__[name] for name in names),
        signer.__dict__["sign"],
        CLOCK_OWNER.clock,
        boto3.DEFAULT_SESSION,
        requests.adapters.HTTPAdapter.send,
        dict(os.environ),
    ]


@pytest.mark.parametrize("server", [False, True])
def test_everything_is_put_back(server: bool) -> None:
    """After the kit, and after a failure under it, all is as it was."""
    before = patched()
    with mock_kvs(server=server), StreamsClient() as client:
        client.create_stream(CreateStreamRequest(stream_name="cam"))
        boto3.client("kinesisvideo")
        during = patched()
        assert [a is b for a, b in zip(before, during, strict=True)].count(True) <= 1
    assert patched() == before
    with pytest.raises(ZeroDivisionError), mock_kvs(server=server):
        _ = 1 / 0
    assert patched() == before


def test_what_is_kept_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who brings the kit's methods back after its end has botocore's own behaviour."""
    with mock_kvs():
        kept = {
            name: botocore.endpoint.Endpoint.__dict__[name]
            for name in ("_do_get_response", "_needs_retry", "_send", "__init__")
        }
    for name, method in kept.items():
        monkeypatch.setattr(botocore.endpoint.Endpoint, name, method)
    client: Any = boto3.client(
        "kinesisvideo",
        region_name="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )
    with pytest.raises(Exception, match=re.escape("http://127.0.0.1:9/listStreams")):
        client.list_streams()
