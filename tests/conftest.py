"""Fixtures of the whole suite; what they are made of is in ``support``."""

import gc
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from support.clients import KINDS, Connect, Driver, driving
from support.clock import VirtualClock, use
from support.loopback import Loopback, serving
from support.runner import KINDS as RUNNER_KINDS, Runner
from support.service import Scripted

# How long an example takes on a busy machine says nothing about its result.
settings.register_profile(
    "busy", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("busy")


def pytest_collection_finish() -> None:
    """Keep the thousands of collected tests out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


# For the session, since fixtures of a whole module use boto3 and processes of their own as well.
@pytest.fixture(scope="session", autouse=True)
def isolated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Hide this machine's AWS settings and proxies from every test; give where settings may go."""
    home = tmp_path_factory.getbasetemp()
    with pytest.MonkeyPatch.context() as patch:
        for name in settings_of_this_process():
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(home / "no-aws-config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "no-aws-credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setattr(socket, "getaddrinfo", resolve)
        yield home


def resolve(host: Any, *args: Any, _resolve: Any = socket.getaddrinfo, **kwargs: Any) -> Any:
    """Know no name below ``invalid``, whatever the resolver of this machine makes of it."""
    if str(host).endswith(".invalid"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return _resolve(host, *args, **kwargs)


@pytest.fixture(autouse=True)
def no_trace(isolated: Path) -> Iterator[None]:
    """Fail a test that leaves AWS settings or proxies behind, and hide boto3's global session.

    Whoever calls ``boto3.client`` makes that session, and it keeps the credentials of that moment.
    """
    import boto3

    before = settings_of_this_process()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        yield
    assert settings_of_this_process() == before


def settings_of_this_process() -> dict[str, str]:
    """Return the environment variables that boto3 reads."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("AWS_") or name.lower().endswith("_proxy")
    }


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Keep the order of the tests that a test runs, also where pytest-randomly is installed."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:randomly")
    return pytester


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C end processes that a test starts: in a script's background it would be ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def instant_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore retry as it does, without the pauses between."""
    import botocore.retries.standard
    import botocore.retryhandler

    backoff = botocore.retries.standard.ExponentialBackoff
    monkeypatch.setattr(backoff, "delay_amount", lambda *_: 0)
    monkeypatch.setattr(botocore.retryhandler, "delay_exponential", lambda **_: 0)


@pytest.fixture
def server(instant_retries: None) -> Iterator[Loopback]:
    """Kinesis Video Streams on loopback, with scripted replies that have to be used up."""
    with serving() as loopback:
        yield loopback


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of client in turn."""
    return str(request.param)


@pytest.fixture
def connect(kind: str, server: Loopback, clock: VirtualClock) -> Iterator[Connect]:
    """Make a client of this kind, by default for the loopback server and with a single attempt."""
    with ExitStack() as stack:

        def make(url: str | None = None, **options: Any) -> Driver:
            opened: AbstractContextManager[Driver] = driving(kind, url or server.url, **options)
            return stack.enter_context(opened)

        yield make


@pytest.fixture
def driver(connect: Connect) -> Driver:
    """A client of this kind for the loopback server, with a single attempt per call."""
    return connect()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """Virtual time for the library, which passes only while somebody waits."""
    return use(VirtualClock(), monkeypatch)


@pytest.fixture
def boto(clock: VirtualClock) -> Iterator[Scripted]:
    """A boto client that answers as scripted; each answer has to be asked for."""
    scripted = Scripted(clock)
    yield scripted
    scripted.check_used()


@pytest.fixture(params=RUNNER_KINDS)
def run(request: pytest.FixtureRequest, boto: Scripted) -> Runner:
    """Call a client of each kind over the scripted one: ``run("create_stream", request)``."""
    return Runner(request.param, boto)
