"""What the kit changes around a test: environment variables, moto, and who answers ``requests``."""

import asyncio
import copy
import importlib
import os
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
import requests
import responses
from botocore.exceptions import ProfileNotFound
from moto import mock_aws

import kvs_streams.testing
from kvs_streams import AsyncStreamsClient, CreateStreamRequest, StreamsClient
from kvs_streams.testing import MockKvs, UnusedFaultError, mock_kvs
from kvs_streams.testing._environment import clean_up

REQUEST = CreateStreamRequest(stream_name="cam")
HIDDEN = {
    "AWS_PROFILE": "work",
    "AWS_DEFAULT_PROFILE": "work",
    "AWS_RETRY_MODE": "nonsense",
    "AWS_MAX_ATTEMPTS": "nonsense",
    "AWS_ENDPOINT_URL": "http://localhost:4566",
    "AWS_ENDPOINT_URL_S3": "http://localhost:4566",
    "AWS_CA_BUNDLE": "/nowhere",
    "AWS_SESSION_TOKEN": "real",
    "AWS_ROLE_ARN": "real",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://localhost",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_STS_REGIONAL_ENDPOINTS": "nonsense",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "nonsense",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
}
SET = {
    "AWS_ACCESS_KEY_ID": "kvs-streams-testing",
    "AWS_SECRET_ACCESS_KEY": "kvs-streams-testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "BOTO_CONFIG": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine with many settings; gives its environment."""
    for name in SET:
        monkeypatch.delenv(name, raising=False)
    for name, value in HIDDEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "real")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "cameras")
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    return dict(os.environ)


def test_variables(machine: dict[str, str]) -> None:
    """The settings of the machine are hidden, each comes back; the test's own stay."""
    with mock_kvs(region_name="eu-central-1"), StreamsClient() as client:
        assert not HIDDEN.keys() & os.environ.keys()
        assert {name: os.environ[name] for name in SET} == SET
        assert os.environ["AWS_LAMBDA_FUNCTION_NAME"] == "cameras"
        client.create_stream(REQUEST)
        own = dict.fromkeys(["AWS_PROFILE", "AWS_REGION", "AWS_ACCESS_KEY_ID"], "own")
        os.environ.update(own)
        del os.environ["AWS_SECRET_ACCESS_KEY"]
    del os.environ["PYTEST_CURRENT_TEST"]
    assert dict(os.environ) == {**machine, **own}
    del os.environ["AWS_REGION"]


@pytest.mark.parametrize(
    "before,after", [(None, "127.0.0.1"), ("example.com", "example.com,127.0.0.1"), ("*", "*")]
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, before: str | None, after: str) -> None:
    """No proxy stands between a child process and the server."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if before:
        monkeypatch.setenv("NO_PROXY", before)
    with mock_kvs():
        assert os.environ["NO_PROXY"] == os.environ["no_proxy"] == after


def test_profiles_of_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file that the test names is read; a profile that is not there is an error."""
    config = tmp_path / "config"
    config.write_text("[profile cameras]\nretry_mode = standard\nmax_attempts = 7\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    with mock_kvs() as kvs:
        client: Any = boto3.Session(profile_name="cameras").client("kinesisvideo")
        kvs.fail_next("InternalFailure", attempts=6)
        assert client.create_stream(StreamName="cam")["ResponseMetadata"]["RetryAttempts"] == 6
        with pytest.raises(ProfileNotFound):
            boto3.Session(profile_name="other")


def test_the_keys_of_a_mock_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``mock_aws`` that is active keeps its keys and its session token."""
    with mock_aws():
        monkeypatch.setenv("AWS_SESSION_TOKEN", "mine")
        with mock_kvs():
            assert os.environ["AWS_ACCESS_KEY_ID"] == "FOOBARKEY"
            assert os.environ["AWS_SESSION_TOKEN"] == "mine"
        assert os.environ["AWS_ACCESS_KEY_ID"] == "FOOBARKEY"


@pytest.mark.parametrize("ends", ["kit first", "moto first", "keys deleted"])
def test_moto_that_ends_in_another_order(ends: str) -> None:
    """A ``mock_aws`` that begins under the kit, and lost keys, leave nothing behind."""
    before, session = dict(os.environ), boto3.DEFAULT_SESSION
    kit, moto = mock_kvs().start(), mock_aws()
    moto.start()
    boto3.client("sts")
    if ends == "keys deleted":
        del os.environ["AWS_ACCESS_KEY_ID"]
    for each in (moto, kit) if ends == "moto first" else (kit, moto):
        each.stop()
    clean_up(before)
    assert dict(os.environ) == before
    os.environ["AWS_REGION"] = "us-east-1"
    # What others set afterwards is theirs, also if it is what the kit had set.
    clean_up(before)
    assert os.environ.pop("AWS_REGION") == "us-east-1"
    assert boto3.DEFAULT_SESSION is session
    with mock_aws():
        assert os.environ["AWS_ACCESS_KEY_ID"] == "FOOBARKEY"


def test_moto_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``TEST_SERVER_MODE`` moto is another process, and is not started here."""
    monkeypatch.setenv("TEST_SERVER_MODE", "true")
    with mock_kvs() as kvs:
        assert not importlib.import_module("moto.core.models").botocore_stubber.enabled
        kvs.boto_client().create_stream(StreamName="cam")


@pytest.mark.parametrize("when", ["before", "during"])
def test_responses(when: str) -> None:
    """The ``responses`` package goes on answering ``requests``."""
    mock = responses.RequestsMock(assert_all_requests_are_fired=False)
    mock.add("GET", "https://example.com/", body="mine")
    kit = mock_kvs()
    begin = [mock.start, kit.start] if when == "before" else [kit.start, mock.start]
    for start in begin:
        start()
    try:
        assert requests.get("https://example.com/", timeout=1).text == "mine"
    finally:
        kit.stop()
    assert requests.get("https://example.com/", timeout=1).text == "mine"
    mock.stop()


def test_presigned_urls_stay_motos(kvs: MockKvs) -> None:
    """``requests`` to AWS are answered by moto: none leaves the process."""
    s3: Any = boto3.client("s3")
    s3.create_bucket(Bucket="clips")
    s3.put_object(Bucket="clips", Key="k", Body=b"clip")
    url = s3.generate_presigned_url("get_object", {"Bucket": "clips", "Key": "k"})
    assert requests.get(url, timeout=1).content == b"clip"


@pytest.mark.parametrize("moto", [None, ModuleType("moto")])
def test_missing_moto(monkeypatch: pytest.MonkeyPatch, moto: Any) -> None:
    """Without moto, or with one that is too old, the kit says what to install."""
    monkeypatch.setitem(sys.modules, "moto", moto)
    with pytest.raises(ImportError, match=r'pip install "kvs_streams\[testing\]"'):
        mock_kvs().start()


async def outcomes() -> list[str]:
    """Ensure a stream twice."""
    async with AsyncStreamsClient(region_name="us-east-1") as client:
        return [(await client.ensure_stream(REQUEST)).outcome for _ in range(2)]


@pytest.mark.parametrize("async_", [False, True])
def test_plain_moto(async_: bool) -> None:
    """Both clients work under ``mock_aws`` alone, within what moto simulates."""
    with mock_aws():
        if async_:
            assert asyncio.run(outcomes()) == ["CREATED", "EXISTING"]
            return
        with StreamsClient(region_name="us-east-1") as client:
            assert client.ensure_stream(REQUEST).outcome == "CREATED"
            assert client.wait_until_active("cam").stream_name == "cam"


def test_the_face() -> None:
    """The names of the package, for editors too, each with its own docstring."""
    names = [name for name in dir(kvs_streams.testing) if not name.startswith("_")]
    assert names == sorted(kvs_streams.testing.__all__) == dir(kvs_streams.testing)
    for name in names:
        assert getattr(kvs_streams.testing, name).__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = kvs_streams.testing.nonsense


def test_errors_pickle() -> None:
    """pytest-xdist sends the error to another process."""
    error = UnusedFaultError(("one", "two"), "none")
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(other), other.unused) == (str(error), error.unused)


COST = """
import sys, time
import boto3, moto
from kvs_streams import StreamsClient, AsyncStreamsClient
which = sys.argv[1]
begin = time.process_time()
if which == "moto":
    mock = moto.mock_aws(); mock.start()
else:
    from kvs_streams.testing import mock_kvs
    mock = mock_kvs().start()
print(time.process_time() - begin)
"""


@pytest.mark.slow
def test_a_start_costs_little() -> None:
    """A start costs at most 0.05 s of processor time more than ``mock_aws``: the best of a few."""

    def best(which: str) -> float:
        command = [sys.executable, "-c", COST, which]
        return min(float(subprocess.check_output(command)) for _ in range(3))

    assert best("kit") - best("moto") < 0.05
