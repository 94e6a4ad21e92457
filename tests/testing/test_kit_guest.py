"""What the kit finds in a process, and that it leaves nothing behind."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialResolver,
    Credentials,
    ProcessProvider,
    RefreshableCredentials,
)
from botocore.exceptions import CredentialRetrievalError
from botocore.hooks import HierarchicalEmitter
from botocore.httpsession import URLLib3Session
from botocore.retries import bucket
from botocore.signers import RequestSigner

# pytester forgets what a run imported: what is here before stays, and need not load again.
import kvs_streams.testing._moto
from kvs_streams import CreateStreamRequest, StreamsClient
from kvs_streams.testing import BlockedRequestError, MockKvs, mock_kvs
from kvs_streams.testing._changes import Changes, undo_again

assert kvs_streams.testing._moto

pytest_plugins = ["pytester"]

SSO_PROFILE = """
[profile sso]
region = eu-west-1
sso_session = office
sso_account_id = 111111111111
sso_role_name = developer
[sso-session office]
sso_region = eu-west-1
sso_start_url = https://office.example/start
sso_registration_scopes = sso:account:access
"""
MFA_PROFILE = """
[profile office]
region = eu-west-1
[profile mfa]
region = eu-west-1
role_arn = arn:aws:iam::111111111111:role/cameras
source_profile = office
mfa_serial = arn:aws:iam::111111111111:mfa/me
"""
# The file's name is the hash of the session's name, as botocore makes it.
SSO_TOKEN = {
    "startUrl": "https://office.example/start",
    "region": "eu-west-1",
    "accessToken": "expired",
    "expiresAt": "2020-01-01T00:00:00Z",
}
TEST_MODULE = """
import sys
import boto3
from kvs_streams import CreateStreamRequest, StreamsClient
if "--moto-first" in sys.argv:
    import moto
boto_client = boto3.client("kinesisvideo", region_name="eu-west-1")
client = StreamsClient(region_name="eu-west-1")

from kvs_streams.testing import mock_kvs
for server in (False, True):
    with mock_kvs(server=server) as kvs:
        boto_client.create_stream(StreamName="by-boto3")
        client.ensure_stream(CreateStreamRequest(stream_name="by-us"))
        print(*kvs.streams_in("eu-west-1"))
"""


def machine(home: Path, **settings: str) -> dict[str, str]:
    """Return the environment of a machine without AWS settings but these."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "HOME": str(home),
        "USERPROFILE": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        **settings,
    }


@pytest.mark.parametrize("moto", ["--moto-first", "--moto-later"])
@pytest.mark.parametrize("login", ["none", "expired-sso"])
def test_clients_of_a_module_need_no_credentials(tmp_path: Path, moto: str, login: str) -> None:
    """Clients that a module makes at its import are answered, without or with an expired login."""
    settings = {}
    if login == "expired-sso":
        cache = tmp_path / ".aws" / "sso" / "cache"
        cache.mkdir(parents=True)
        (tmp_path / ".aws" / "config").write_text(SSO_PROFILE, "utf-8")
        import hashlib

        name = hashlib.sha1(b"office", usedforsecurity=False).hexdigest()
        (cache / f"{name}.json").write_text(json.dumps(SSO_TOKEN), "utf-8")
        settings["AWS_PROFILE"] = "sso"
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", TEST_MODULE, moto],
        check=False,
        capture_output=True,
        text=True,
        env=machine(tmp_path, **settings),
    )
    assert result.stdout.splitlines() == ["by-boto3 by-us"] * 2, result.stderr


def test_a_session_without_credentials(kvs: MockKvs, camera: CreateStreamRequest) -> None:
    """A session that finds no credentials at all makes clients that are answered."""
    session = botocore.session.get_session()
    session.register_component("credential_provider", CredentialResolver([]))
    assert session.get_credentials() is None
    with StreamsClient(session=boto3.Session(botocore_session=session)) as client:
        client.create_stream(camera)
    assert list(kvs.streams) == ["cam"]


def signed_with(credentials: object) -> str:
    """Make a call with a client that has these credentials; return what it was signed with."""
    signed: list[str] = []
    session = botocore.session.get_session()
    session._credentials = credentials  # botocore's own setter takes keys
    client = session.create_client("kinesisvideo")
    client.meta.events.register(
        "before-send", lambda request, **_: signed.append(str(request.headers["Authorization"]))
    )
    client.list_streams()
    client.close()
    (authorization,) = signed
    return authorization


def test_credentials_that_work_are_used(kvs: MockKvs) -> None:
    """A client with credentials of its own signs with them, fixed or refreshed."""

    def refresh() -> dict[str, str]:
        return {
            "access_key": "AKIAREFRESHED",
            "secret_key": "x",
            "token": "x",
            "expiry_time": "2999-01-01T00:00:00Z",
        }

    refreshed = RefreshableCredentials.create_from_metadata(refresh(), refresh, "test")
    assert "AKIAFIXED/" in signed_with(Credentials("AKIAFIXED", "x"))
    assert "AKIAREFRESHED/" in signed_with(refreshed)


def test_no_program_is_run_for_credentials(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, camera: CreateStreamRequest
) -> None:
    """An expired client does not run its profile's program, which could send requests anywhere."""
    runs = tmp_path / "runs"
    program = tmp_path / "program.py"
    program.write_text(
        f"import json; open({str(runs)!r}, 'a').write('run ');"
        "print(json.dumps(dict(Version=1, AccessKeyId='AKIAOLD', SecretAccessKey='x',"
        " SessionToken='x', Expiration='2999-01-01T00:00:00Z')))",
        "utf-8",
    )
    config = tmp_path / "config"
    config.write_text(
        f"[default]\nregion = eu-west-1\ncredential_process = {sys.executable} {program}\n", "utf-8"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    session = botocore.session.get_session()
    client = StreamsClient(session=boto3.Session(botocore_session=session))
    session.get_credentials()._expiry_time = datetime(2020, 1, 1, tzinfo=timezone.utc)
    assert runs.read_text("utf-8") == "run "
    with mock_kvs() as kvs, client:
        client.create_stream(camera)
        assert list(kvs.streams) == ["cam"]
    assert runs.read_text("utf-8") == "run "


def test_reading_credentials_runs_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that reads credentials runs no program, aiobotocore's provider of them included."""

    class AioProcessProvider:
        def _retrieve_credentials_using(self, program: str) -> str:
            return f"ran {program}"

    module = SimpleNamespace(AioProcessProvider=AioProcessProvider)
    monkeypatch.setitem(sys.modules, "aiobotocore.credentials", module)
    with mock_kvs():
        profile = {"credential_process": "/nowhere/keys"}
        provider = ProcessProvider("office", lambda: {"profiles": {"office": profile}})
        for read in (
            provider.load,
            lambda: AioProcessProvider()._retrieve_credentials_using("keys"),
        ):
            with pytest.raises(CredentialRetrievalError, match="runs no credential_process"):
                read()
    assert AioProcessProvider()._retrieve_credentials_using("keys") == "ran keys"


@pytest.mark.aiobotocore
def test_aiobotocore_runs_no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An aiobotocore client from before the kit runs no program for its credentials."""
    session: Any = pytest.importorskip("aiobotocore.session").get_session()
    runs = tmp_path / "runs"
    program = f"open({str(runs)!r}, 'w')"
    config = tmp_path / "config"
    config.write_text(f'[default]\ncredential_process = {sys.executable} -c "{program}"\n', "utf-8")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    assert session.full_config

    with mock_kvs():
        resolver = session.get_component("credential_provider")
        provider = resolver.get_provider("custom-process")
        with pytest.raises(CredentialRetrievalError, match="runs no credential_process"):
            asyncio.run(provider.load())
    assert not runs.exists()


def test_nobody_is_asked_for_a_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, camera: CreateStreamRequest
) -> None:
    """A client with a role that wants an MFA code is answered, and can still ask afterwards."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text(MFA_PROFILE, "utf-8")
    credentials.write_text("[office]\naws_access_key_id = a\naws_secret_access_key = b\n", "utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    prompts: list[str] = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        raise EOFError

    session: Any = boto3.Session(profile_name="mfa")
    resolver = session._session.get_component("credential_provider")
    resolver.get_provider("assume-role")._prompter = ask
    client = StreamsClient(session=session)
    keys = session.get_credentials()
    for server in (False, True):
        with mock_kvs(server=server) as kvs:
            client.create_stream(camera)
            assert list(kvs.streams_in("eu-west-1")) == ["cam"]
    assert prompts == []
    with pytest.raises(EOFError):
        keys.get_frozen_credentials()
    assert prompts == ["Enter MFA code for arn:aws:iam::111111111111:mfa/me: "]
    client.close()


def test_a_role_asks_for_no_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that are read directly assume a role through moto, unless it wants a code."""
    asked: list[str] = []
    with_code = {"SerialNumber": "me"}

    def fetcher(**options: Any) -> Any:
        return AssumeRoleCredentialFetcher(
            botocore.session.get_session().create_client,
            Credentials("a", "b"),
            "arn:aws:iam::222222222222:role/cameras",
            mfa_prompter=asked.append,
            **options,
        )

    with mock_kvs():
        assert fetcher().fetch_credentials()["access_key"]
        with pytest.raises(CredentialRetrievalError, match="asks for no MFA code"):
            fetcher(extra_args=with_code).fetch_credentials()
        guarded = vars(AssumeRoleCredentialFetcher)["_assume_role_kwargs"]
    assert asked == []
    # Without the plugin it can be brought back, and then asks.
    monkeypatch.setattr(AssumeRoleCredentialFetcher, "_assume_role_kwargs", guarded)
    fetcher(extra_args=with_code)._assume_role_kwargs()
    assert asked == ["Enter MFA code for me: "]


def test_credentials_about_to_expire_are_used_as_they_are(kvs: MockKvs) -> None:
    """What botocore would refresh some time before it expires is used, without a refresh."""

    def refresh() -> dict[str, str]:
        raise AssertionError

    for minutes, expected in ((5, "AKIAOLD/"), (-5, "kvs-streams-testing/")):
        expiry = datetime.now(timezone.utc) + timedelta(minutes=minutes)
        credentials = RefreshableCredentials("AKIAOLD", "x", "x", expiry, refresh, "test")
        assert expected in signed_with(credentials)
    assert kvs.count("list_streams") == 2


# Waiting


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_botocore_waits_in_no_retry_mode(
    monkeypatch: pytest.MonkeyPatch, kvs: MockKvs, mode: Any
) -> None:
    """Throttles that botocore retries cost no time in any of its modes, call after call."""

    def waits(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("time.sleep", waits)
    # What the adaptive mode waits with.
    monkeypatch.setattr(bucket.TokenBucket, "_sleep_amount", waits)
    kvs.fail_next("ThrottlingException", times=5, attempts=1)
    client = kvs.client(config=Config(retries={"mode": mode, "total_max_attempts": 2}))
    for number in range(5):
        client.create_stream(CreateStreamRequest(stream_name=f"cam-{number}"))
    assert len(kvs.streams) == 5
    assert kvs.elapsed == 0


# Network


@pytest.mark.parametrize("proxy", ["http://user:pw@proxy.example:3128", "http://127.0.0.1:9"])
def test_no_request_goes_through_a_proxy(proxy: str, camera: CreateStreamRequest) -> None:
    """A client with proxies cannot call the kit's server; in-process, moto answers it."""
    config = Config(proxies={"http": proxy, "https": proxy})
    with mock_kvs(server=True) as kvs:
        with pytest.raises(BlockedRequestError) as caught:
            kvs.client(config=config).create_stream(camera)
        assert kvs.calls == ()
    host = "proxy.example" if "example" in proxy else "127.0.0.1"
    assert str(caught.value) == (
        f"kvs_streams.testing blocked a request to 127.0.0.1 through the proxy {host}: under "
        "mock_kvs nothing leaves this machine, and a proxy may forward requests elsewhere. In "
        "tests, make this client with a Config that has no proxies"
    )
    assert "pw" not in str(caught.value)
    with mock_kvs() as kvs:
        kvs.client(config=config).create_stream(camera)
        assert list(kvs.streams) == ["cam"]


@pytest.mark.aiobotocore
def test_aiobotocore_uses_no_proxy_either() -> None:
    """An aiobotocore client with proxies is stopped too, and waits in no retry mode."""
    session = pytest.importorskip("aiobotocore.session")
    from aiobotocore.config import AioConfig
    from aiobotocore.retries import bucket as async_bucket

    async def create(name: str, config: Any) -> None:
        async with session.get_session().create_client("kinesisvideo", config=config) as client:
            for number in range(5):
                await client.create_stream(StreamName=f"{name}-{number}")

    def waits(*_: object) -> None:
        raise AssertionError

    with mock_kvs(server=True) as kvs, pytest.MonkeyPatch.context() as patch:
        patch.setattr(async_bucket.AsyncTokenBucket, "_sleep_amount", waits)
        with pytest.raises(BlockedRequestError, match=r"through the proxy proxy\.example"):
            asyncio.run(create("no", AioConfig(proxies={"http": "http://proxy.example:3128"})))
        for mode in ("legacy", "standard", "adaptive"):
            kvs.fail_next("ThrottlingException", times=5, attempts=1)
            config = AioConfig(retries={"mode": mode, "total_max_attempts": 2})
            asyncio.run(create(mode, config))
        assert len(kvs.streams) == 15


# Nothing is left behind


@pytest.fixture
def project(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pytest.Pytester]:
    """A project on a machine with some settings of AWS's."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("https_proxy", "http://proxy.example")
    pytester.makeconftest(
        """
        import os, pytest

        def settings():
            return {
                name: value
                for name, value in os.environ.items()
                if name.startswith(("AWS_", "BOTO_")) or name.lower().endswith("_proxy")
            }

        @pytest.fixture(scope="session")
        def machine():
            return settings()

        @pytest.fixture(autouse=True)
        def put_back(machine):
            assert settings() == machine  # so the test before has left nothing behind
            yield
        """
    )
    yield pytester
    undo_again(None)


NAMES = [
    "AWS_ACCESS_KEY_ID",  # the kit sets it, this machine does not
    "AWS_REGION",  # both set it
    "AWS_PROFILE",  # this machine sets it, the kit removes it
    "AWS_MAX_ATTEMPTS",  # nobody sets it
    "https_proxy",
    "NO_PROXY",
]


@pytest.mark.parametrize("fixtures", ["kvs_mock, monkeypatch", "monkeypatch, kvs_mock"])
@pytest.mark.parametrize("server", [False, True])
def test_monkeypatch_in_any_order(project: pytest.Pytester, fixtures: str, *, server: bool) -> None:
    """Whichever of the kit and ``monkeypatch`` comes first, the environment is as it was."""
    project.makepyfile(
        f"""
        import pytest

        pytestmark = pytest.mark.kvs_options(server={server})
        NAMES = {NAMES!r}

        @pytest.fixture
        def before(monkeypatch):
            for name in NAMES:
                monkeypatch.setenv(name, "before")

        @pytest.mark.parametrize("name", NAMES)
        def test_set({fixtures}, name):
            monkeypatch.setenv(name, "changed")

        @pytest.mark.parametrize("name", NAMES)
        def test_removed({fixtures}, name):
            monkeypatch.delenv(name, raising=False)

        def test_set_before(before, {fixtures}): ...

        def test_set_before_and_within(before, {fixtures}):
            for name in NAMES:
                monkeypatch.setenv(name, "changed")

        def test_endpoint({fixtures}):
            monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS_VIDEO", "changed")

        def test_kit_of_the_test({fixtures.replace("kvs_mock", "request")}):
            from kvs_streams.testing import mock_kvs
            with mock_kvs(server={server}):
                for name in NAMES:
                    monkeypatch.setenv(name, "changed")

        def test_the_last(): ...
        """
    )
    result = project.runpytest_inprocess("-W", "error")
    result.assert_outcomes(passed=2 * len(NAMES) + 5)


def test_what_the_test_patches_is_put_back(project: pytest.Pytester) -> None:
    """A place that the test has patched meanwhile is afterwards as it was at first."""
    project.makepyfile(
        """
        import botocore.endpoint, pytest
        from botocore.httpsession import URLLib3Session
        from kvs_streams._flows.io import Io

        def places():
            return URLLib3Session.send, botocore.endpoint.time, Io.clock

        original = places()

        def test_patched(monkeypatch, kvs_mock):
            assert not any(one is other for one, other in zip(places(), original))
            monkeypatch.setattr(URLLib3Session, "send", None)
            monkeypatch.setattr(botocore.endpoint, "time", None)
            monkeypatch.setattr(Io, "clock", None)

        def test_afterwards():
            assert places() == original
        """
    )
    project.runpytest_inprocess("-W", "error").assert_outcomes(passed=2)


@pytest.mark.parametrize("scope", ["class", "module", "session"])
def test_a_fixture_that_outlives_the_kit(project: pytest.Pytester, scope: str) -> None:
    """What a fixture of a wider scope found of the kit's, and restores later, is undone too."""
    project.makepyfile(
        test_first=f"""
        import pytest

        @pytest.fixture(scope={scope!r})
        def region():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_ACCESS_KEY_ID", "wide")
                patch.setenv("AWS_REGION", "wide")
                patch.delenv("AWS_CONFIG_FILE")
                yield

        class TestAll:
            def test_kit(self, kvs_mock, request):
                request.getfixturevalue("region")

            def test_within(self, kvs_mock): ...

            def test_without(self): ...
        """,
        test_second="def test_put_back(): ...",
        conftest="""
        import os, pytest

        NAMES = "AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_CONFIG_FILE"

        def pytest_sessionstart(session):
            session.config.before = [os.environ.get(name) for name in NAMES]

        def pytest_unconfigure(config):
            assert [os.environ.get(name) for name in NAMES] == config.before
        """,
    )
    project.runpytest_inprocess("-W", "error").assert_outcomes(passed=4)
    assert os.environ.get("AWS_ACCESS_KEY_ID") is None
    assert os.environ["AWS_REGION"] == "eu-central-1"


def test_a_fixture_that_ends_within_the_kit(project: pytest.Pytester) -> None:
    """While a kit of a whole session runs, the end of a fixture takes nothing away from it."""
    project.makepyfile(
        conftest="",
        test_all="""
        import os, pytest
        from kvs_streams.testing import mock_kvs

        @pytest.fixture(scope="session")
        def kit():
            with mock_kvs() as running:
                yield running

        @pytest.fixture(scope="class")
        def region():
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("AWS_REGION", "wide")
                yield

        class TestAll:
            def test_fixture(self, kit, region):
                assert os.environ["AWS_REGION"] == "wide"

        def test_afterwards(kit):
            assert os.environ["AWS_REGION"] == "us-east-1"
        """,
    )
    project.runpytest_inprocess("-W", "error").assert_outcomes(passed=2)
    assert os.environ["AWS_REGION"] == "eu-central-1"


def test_a_patch_of_others_survives_the_kit(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it stops, the kit keeps a patch that other code has not undone yet."""

    def fake(*_: object) -> None: ...

    with mock_kvs():
        monkeypatch.setattr(URLLib3Session, "send", fake)
    assert URLLib3Session.send is fake
    monkeypatch.undo()
    assert URLLib3Session.send is not fake
    undo_again(None)


def test_what_is_brought_back_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the plugin, a guard of a stopped kit that is restored passes everything through."""
    sent: list[object] = []
    monkeypatch.setattr(URLLib3Session, "send", lambda _, request: sent.append(request))
    with mock_kvs():
        guarded, signs = URLLib3Session.send, RequestSigner.get_auth_instance
    request: Any = object()
    guarded(URLLib3Session(), request)
    assert sent == [request]
    emitter = HierarchicalEmitter()
    signer = RequestSigner("kinesisvideo", "us-east-1", "kinesisvideo", "v4", None, emitter)
    assert signs(signer, "kinesisvideo", "us-east-1").credentials is None


def test_undo_in_reverse_order() -> None:
    """A place that is changed twice gets its first content back."""
    changes = Changes()
    place = {"key": "first"}
    changes.item(place, "key", "second")
    changes.item(place, "key", None)
    changes.item(place, "other", "new")
    changes.undo()
    assert place == {"key": "first"}
    undo_again(None)


def test_many_kits_without_the_plugin() -> None:
    """Without the plugin, only the last kits are kept for undoing once more."""
    from kvs_streams.testing import _changes

    for _ in range(40):
        Changes().undo()
    assert len(_changes._recent) == 16
    undo_again(None)
    assert not _changes._recent
