"""A run on AWS: it says what it will do, asks, looks, cleans up, and reports.

Nothing here is collected unless a path in this folder is given: ``pytest tests/live``.
"""

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .account import Account
    from .aws import Aws
    from .fact import Result

HERE = Path(__file__).parent
_endpoint: pytest.StashKey["Aws"] = pytest.StashKey()
_results: pytest.StashKey[list["Result"]] = pytest.StashKey()
_notes: pytest.StashKey[list[str]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of a run."""
    group = parser.getgroup("live", "a run on AWS")
    group.addoption("--yes", action="store_true", help="do not ask")
    group.addoption("--endpoint-url", metavar="URL", help="another endpoint than AWS's own")
    group.addoption(
        "--throttle", action="store_true", help="exceed the quota of 50 creates a second once"
    )
    group.addoption(
        "--denied-profile", metavar="NAME", help="a profile whose user may not describe streams"
    )
    group.addoption(
        "--report", metavar="FILE", default="live-result.md", help="where the outcome is written"
    )


def is_wanted(config: pytest.Config) -> bool:
    """Tell whether the command line names this folder or something in it."""
    root = config.invocation_params.dir
    paths = [(root / argument.partition("::")[0]).resolve() for argument in config.args]
    return any(path.is_relative_to(HERE) for path in paths)


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Leave this folder out of every other run."""
    return None if is_wanted(config) else True


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Say what the run will do, and ask."""
    config = session.config
    option = config.option
    if option.collectonly or not is_wanted(config) or session.testsfailed:
        return
    from . import begin

    if config.getoption("numprocesses", None):
        begin.stop("the facts are checked one after the other, without -n.")
    endpoint = begin.connected(
        option.endpoint_url, option.denied_profile, may_burst=option.throttle
    )
    config.stash[_endpoint] = endpoint
    config.stash[_results], config.stash[_notes] = [], []
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    capture.suspend_global_capture(in_=True)
    try:
        print(f"\n{begin.plan(endpoint)}", flush=True)
        if not option.yes:
            begin.ask()
    finally:
        capture.resume_global_capture()


@pytest.fixture
def isolated() -> None:
    """Leave the caller's AWS settings as they are: this is the one suite that uses them."""


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> Iterator["Account"]:
    """The account, whose streams of this run are deleted at the end."""
    import secrets

    from . import begin, runs
    from .account import LEFT_BEHIND_AFTER, Account

    config = request.config
    endpoint, run_id = config.stash[_endpoint], secrets.token_hex(4)
    place = f"{endpoint.region} {endpoint.endpoint_url or 'AWS'}"
    folder = config.cache.mkdir("live")
    begin.interrupt_when_ended()
    with runs.recorded(folder, run_id, place) as record:
        dead = runs.dead(folder, place, LEFT_BEHIND_AFTER)
        yield from _cleaned(Account(endpoint, run_id=run_id), dead, config)
        record.unlink()


def _cleaned(account: "Account", dead: list[str], config: pytest.Config) -> Iterator["Account"]:
    """Delete what earlier runs have left, and at the end what this one has created."""
    from botocore.exceptions import BotoCoreError, ClientError

    from .report import without_private

    notes = config.stash[_notes]
    try:
        left, others = account.left_behind(dead)
        kept = account.delete(left)
    except (BotoCoreError, ClientError) as error:
        pytest.exit(f"Nothing was created: {without_private(str(error))}", 2)
    if left:
        notes.append(f"{len(left) - len(kept)} streams of earlier runs deleted")
    if others:
        notes.append(f"{others} streams of other runs, which may be running, left alone")
    yield account
    terminal: Any = config.pluginmanager.getplugin("terminalreporter")
    terminal.write_line(f"\nDeleting {len(account.created)} streams")
    kept = account.delete_all()
    notes.append(f"{len(account.created) - len(kept)} streams of this run deleted")
    if kept:
        notes.append(f"Not deleted: {', '.join(kept)}; the next run tries again")
        pytest.fail(notes[-1], pytrace=False)


@pytest.fixture
def results(request: pytest.FixtureRequest) -> list["Result"]:
    """Where the results of this run are gathered."""
    return request.config.stash[_results]


@pytest.fixture(scope="session")
def hidden(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The caller's credentials, which appear nowhere."""
    return _secrets(request.config.stash[_endpoint])


def _secrets(endpoint: "Aws") -> tuple[str, ...]:
    return tuple(part for part in endpoint.own_key() if part)


def pytest_terminal_summary(terminalreporter: Any, exitstatus: int, config: pytest.Config) -> None:
    """Show the outcome, and write it."""
    results = config.stash.get(_results, [])
    if not results:
        return
    from .report import markdown, screen

    endpoint = config.stash[_endpoint]
    secrets = _secrets(endpoint)
    notes = config.stash[_notes]
    if exitstatus == pytest.ExitCode.INTERRUPTED:
        notes = [*notes, "The run was interrupted"]
    terminalreporter.section("what the service does")
    terminalreporter.write_line(screen(results, secrets))
    for note in notes:
        terminalreporter.write_line(note)
    text = markdown(
        results,
        region=endpoint.region,
        date=f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
        is_aws=endpoint.endpoint_url is None,
        notes=notes,
        secrets=secrets,
    )
    path = config.invocation_params.dir / config.option.report
    path.write_text(text, encoding="utf-8")
    terminalreporter.write_line(f"Written to {path}, without account ids, ARNs and credentials.")
