"""Fixtures of the whole suite; what they are made of is in ``support``."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest
from support.clients import KINDS, Connect, Driver, driving
from support.loopback import Loopback, serving


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hide this machine's AWS settings and proxies from every test; give where settings may go."""
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path_factory.getbasetemp()
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(home / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return home


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
def connect(kind: str, server: Loopback) -> Iterator[Connect]:
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
