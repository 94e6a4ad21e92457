"""A run on AWS: it says what it will do, asks, looks, cleans up, and reports.

Nothing here is collected unless a path in this folder is given: ``pytest tests/live``.
"""

import signal
import sys
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
    if config.option.collectonly or not is_wanted(config) or session.testsfailed:
        return
    if config.getoption("numprocesses", None):
        pytest.exit("Nothing was sent: the facts are checked one after the other, without -n.", 2)
    endpoint = _connected(config)
    config.stash[_endpoint] = endpoint
    config.stash[_results], config.stash[_notes] = [], []
    capture: Any = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\n" + _plan(endpoint))
        if not config.option.yes:
            _ask()


def _connected(config: pytest.Config) -> "Aws":
    """Return the endpoint; without region or credentials end here."""
    from botocore.exceptions import BotoCoreError

    from .aws import Aws

    option = config.option
    try:
        endpoint = Aws(
            endpoint_url=option.endpoint_url,
            may_burst=option.throttle,
            denied_profile=option.denied_profile,
        )
    except BotoCoreError as error:
        pytest.exit(f"Nothing was sent: {error}", 2)
    if endpoint.credentials is None:
        pytest.exit(
            "Nothing was sent: there are no credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY.",
            2,
        )
    return endpoint


def _plan(endpoint: "Aws") -> str:
    from .account import LEFT_BEHIND_AFTER, MOST_STREAMS, PREFIX

    where = endpoint.endpoint_url or "AWS"
    method = endpoint.credentials.method
    burst = (
        "It exceeds the quota of 50 creates a second once: other callers may be throttled then.\n"
        if endpoint.may_burst
        else ""
    )
    return (
        f"This run looks at Kinesis Video Streams in {endpoint.region} ({where}; credentials from: "
        f"{method}).\n"
        f"It creates at most {MOST_STREAMS} streams named {PREFIX}<random>-..., without media, and "
        "deletes all of them at the end,\nafter a failure or Ctrl-C too. It also deletes streams "
        "of that name that a killed run on this machine has left,\n"
        f"and those older than {LEFT_BEHIND_AFTER / 60:.0f} minutes that any other run has left. "
        "It touches no other stream; it counts them.\n"
        f"{burst}It takes a few minutes.\n"
    )


def _ask() -> None:
    """End here unless the answer is yes."""
    if not sys.stdin.isatty():
        pytest.exit("Nothing was sent: there is no terminal to ask; --yes goes on without.", 2)
    if input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        pytest.exit("Nothing was sent.", 2)


@pytest.fixture
def isolated() -> None:
    """Leave the caller's AWS settings as they are: this is the one suite that uses them."""


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture(scope="session")
def account(request: pytest.FixtureRequest) -> Iterator["Account"]:
    """The account, whose streams of this run are deleted at the end."""
    import secrets

    from . import runs
    from .account import LEFT_BEHIND_AFTER, Account

    config = request.config
    endpoint, run_id = config.stash[_endpoint], secrets.token_hex(4)
    place = f"{endpoint.region} {endpoint.endpoint_url or 'AWS'}"
    folder = config.cache.mkdir("live")
    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, _interrupt)
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
