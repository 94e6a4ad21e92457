"""The checks that run on AWS, proved on imitations: what these imitate holds, and a lie is told.

No test needs an account. Those that start a run of its own do it on loopback.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from hypothesis import given, strategies as st
from live import begin, report, runs
from live.account import (
    LEFT_BEHIND_AFTER,
    MOST_STREAMS,
    PREFIX,
    RUN_LIMIT,
    Account,
    ForbiddenCallError,
    judge,
)
from live.fact import Basis, Fact, Outcome, Result, UntoldError, Verdict, differs, held, untold
from live.facts import FACTS, LIFE
from live.imitations import ACCOUNT, OWN_KEY, REGION, InProcess, Kit, Lie
from live.lies import LIES
from support.clients import unmeasured

from benchmarks.control_plane import ControlPlane, running
from kvs_streams.testing import mock_kvs

ROOT = Path(__file__).parent.parent
BY_ID = {fact.id: fact for fact in FACTS}

# What each imitation does not imitate, and what the run says of it. All other facts hold there.
NO_CALLERS = {
    "denied": "--denied-profile was not given",
    "bad-key": "the endpoint does not check credentials",
    "bad-secret": "the endpoint does not check credentials",
}
UNTOLD_BY_KIT = {
    **NO_CALLERS,
    "list-full-page": "the region has no more than 1,000 streams",
}
UNTOLD_BY_CONTROL_PLANE = {
    **NO_CALLERS,
    "throttle": "--throttle was not given",
}


def outcomes(account: Account) -> dict[str, Outcome]:
    """Check every fact, in the order of a run."""
    return {fact.id: judge(fact, account).outcome for fact in FACTS}


def expected(untold_facts: dict[str, str], results: dict[str, Outcome]) -> dict[str, Outcome]:
    """Return what a run must come to; whatever was seen of a fact that holds is right."""
    return {
        fact.id: untold(untold_facts[fact.id])
        if fact.id in untold_facts
        else held(results[fact.id].seen)
        for fact in FACTS
    }


# Facts


def test_each_fact_has_a_name_of_its_own_and_a_lie() -> None:
    """No fact hides another, and each has been seen to read "differs"."""
    assert len(BY_ID) == len(FACTS)
    assert set(LIES) == set(BY_ID)


def test_each_limit_is_checked_on_both_sides() -> None:
    """Each published limit has a boundary that is accepted and one that is refused."""
    fields = ("name", "device", "media", "kms", "retention", "tag", "tags", "tier")
    for kind in ("accepts", "refuses"):
        for field in fields:
            assert any(ident.startswith(f"{kind}-{field}-") for ident in BY_ID), (kind, field)


# Imitations


def test_what_the_imitation_in_process_imitates_holds() -> None:
    """Every check can find its fact to hold, within the quotas, and its streams are deleted."""
    endpoint = InProcess()
    account = Account(endpoint)
    throttle = BY_ID["throttle"]
    results = {fact.id: judge(fact, account).outcome for fact in FACTS if fact is not throttle}
    counts = endpoint.service.stats(endpoint.now)[f"{ACCOUNT}/{REGION}"]["operations"]
    assert not any(count["throttled"] for count in counts.values())
    results[throttle.id] = judge(throttle, account).outcome
    assert results == expected({}, results)
    assert len(account.created) <= MOST_STREAMS
    assert account.delete_all() == []
    endpoint.clock.sleep(60)
    assert endpoint.statuses() == {"ACTIVE": endpoint.service.settings.unrelated}


def test_what_the_kit_imitates_holds() -> None:
    """The kit's server does what the library builds on; the rest could not be told."""
    with mock_kvs(server=True, allow_unused=True) as kvs:
        kvs.rate_limit(50)
        account = Account(Kit(kvs))
        results = outcomes(account)
        assert results == expected(UNTOLD_BY_KIT, results)
        assert account.delete_all() == []


@pytest.mark.parametrize("ident", LIES)
def test_a_lie_makes_its_fact_differ(ident: str) -> None:
    """An imitation that lies about one fact is found out by the check of this fact."""
    result = judge(BY_ID[ident], Account(InProcess(LIES[ident])))
    assert result.outcome.verdict is Verdict.DIFFERS, result.outcome.seen


@pytest.mark.parametrize("ident", [fact.id for fact in LIFE])
def test_a_lie_makes_no_other_fact_differ(ident: str) -> None:
    """Facts that are read from one observation are told apart."""
    account = Account(InProcess(LIES[ident]))
    found = {fact.id for fact in LIFE if judge(fact, account).outcome.verdict is Verdict.DIFFERS}
    assert found == {ident}


# Failures to look


def checked(check: Callable[[Account], Outcome], endpoint: InProcess | None = None) -> Outcome:
    """Judge a made-up fact."""
    fact = Fact("made-up", "It is so.", Basis.ASSUMED, "here", check)
    return judge(fact, Account(endpoint or InProcess())).outcome


def failing(account: Account) -> Outcome:
    """Fail as a check that has a mistake."""
    raise KeyError("Status")


@pytest.mark.parametrize(
    "status, code",
    [
        (403, "AccessDeniedException"),
        (400, "AccountStreamLimitExceededException"),
        (400, "ClientLimitExceededException"),
        (403, "ExpiredTokenException"),
        (500, "InternalFailure"),
    ],
)
@pytest.mark.parametrize(
    "ident", ["arn-suffix", "accepts-tags-most", "refuses-tags-too-many", "ensure-stream"]
)
def test_a_call_without_an_answer_tells_nothing(ident: str, status: int, code: str) -> None:
    """A call that is denied, throttled or not answered is no difference."""
    endpoint = InProcess(Lie(lambda it: it.refused(code, status)))
    outcome = judge(BY_ID[ident], Account(endpoint)).outcome
    assert outcome.verdict is Verdict.UNTOLD
    # After a 500 ensure_stream polls until its deadline.
    assert code in outcome.seen or (ident, status) == ("ensure-stream", 500)


def test_a_lost_connection_tells_nothing() -> None:
    """A transport failure is an outcome, not a crash, for boto3 and for the library."""
    endpoint = InProcess()
    endpoint.failure = ConnectionClosedError(endpoint_url="https://example.com")
    account = Account(endpoint)
    for ident in ("arn-suffix", "accepts-tags-most"):
        outcome = judge(BY_ID[ident], account).outcome
        assert outcome.verdict is Verdict.UNTOLD
        assert "Connection was closed" in outcome.seen


def test_a_mistake_in_a_check_hides_no_other_fact() -> None:
    """A check that fails tells nothing, and says so."""
    assert checked(failing) == untold("the check failed with KeyError: 'Status'")


def test_a_run_ends_in_time() -> None:
    """A check has its own limit, and none begins once the time of the run is over."""
    account = Account(InProcess())
    with account.within(5):
        assert account.remaining == pytest.approx(5)
        assert account.poll(lambda: None) is None
        assert account.remaining == 0
    account.clock.sleep(RUN_LIMIT)
    assert judge(BY_ID["not-found"], account).outcome == untold("the time of the run was over")
    assert RUN_LIMIT < LEFT_BEHIND_AFTER / 2


def test_what_is_observed_once_fails_for_each_fact() -> None:
    """Facts about one observation share its failure, without a second try."""
    seen: list[Account] = []

    def observe(account: Account) -> str:
        seen.append(account)
        raise UntoldError("no luck")

    account = Account(InProcess())
    for _ in range(2):
        with pytest.raises(UntoldError, match="no luck"):
            account.once(observe)
    assert seen == [account]


# Streams


def test_no_other_stream_is_created_or_deleted() -> None:
    """Whatever a check does, only streams of the run are created, and only such are deleted."""
    endpoint = InProcess()
    account = Account(endpoint)
    for boto in (account.boto, account.bare):
        with pytest.raises(ForbiddenCallError):
            boto.create_stream(StreamName="camera-01")
        with pytest.raises(ForbiddenCallError):
            boto.create_stream(StreamName=f"{PREFIX}another-run")
        with pytest.raises(ForbiddenCallError):
            boto.delete_stream(StreamARN=f"arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/cam/1")
    assert endpoint.calls == []


def test_no_more_streams_are_created_than_a_run_says() -> None:
    """The check that would need one more cannot tell."""
    account = Account(InProcess())
    for number in range(MOST_STREAMS):
        account.must_create(f"{number}")
    with pytest.raises(UntoldError, match="has created 40 streams already"):
        account.create("one-more")
    assert account.create("0").code == "ResourceInUseException"


def test_a_stream_whose_reply_was_lost_is_deleted() -> None:
    """What may exist is looked for by name: a list may not show it yet."""
    endpoint = InProcess(list_lag=1e6)
    account = Account(endpoint)
    endpoint.lost = ConnectionClosedError(endpoint_url="https://example.com")
    with pytest.raises(ConnectionClosedError):
        account.create("lost")
    endpoint.lost = None
    assert account.delete_all() == []
    assert endpoint.statuses()["DELETING"] == 1


def test_a_stream_that_is_visible_late_is_deleted() -> None:
    """A create that was interrupted is polled for: "not found" can mean "not yet"."""
    endpoint = InProcess(LIES["describe-soon"])
    account = Account(endpoint)
    endpoint.lost = ConnectionClosedError(endpoint_url="https://example.com")
    with pytest.raises(ConnectionClosedError):
        account.create("lost")
    endpoint.lost = None
    endpoint.clock.sleep(10)
    assert account.delete_all() == []
    assert endpoint.statuses()["DELETING"] == 1


def test_a_stream_that_nobody_can_tell_of_is_named() -> None:
    """A caller who has lost the network is told which streams may be there."""
    endpoint = InProcess()
    account = Account(endpoint)
    endpoint.failure = ConnectionClosedError(endpoint_url="https://example.com")
    with pytest.raises(ConnectionClosedError):
        account.create("lost")
    assert account.delete_all() == [account.name("lost")]


def test_a_stream_that_a_500_has_created_is_deleted() -> None:
    """An error of the server does not say that there is no stream."""
    lie = Lie(lambda it: it.refused("InternalFailure", 500) if it.number else it)
    endpoint = InProcess(lie, list_lag=1e6)
    account = Account(endpoint)
    with pytest.raises(UntoldError, match="InternalFailure"):
        account.create("failed")
    endpoint.lie = Lie()
    assert account.delete_all() == []
    assert endpoint.statuses()["DELETING"] == 1


def test_a_stream_that_is_still_creating_is_deleted_later() -> None:
    """A deletion that is refused is tried again, until the stream is ACTIVE."""
    endpoint = InProcess(
        Lie(
            lambda it: (
                it.refused("ResourceInUseException")
                if it.operation == "DeleteStream" and endpoint.fake.time < ready
                else it
            ),
            ask=lambda name, members: (
                {"StreamARN": "none"}
                if name == "DeleteStream" and endpoint.fake.time < ready
                else members
            ),
        )
    )
    ready = endpoint.fake.time + 10
    account = Account(endpoint)
    account.must_create("slow")
    assert account.delete_all() == []
    assert endpoint.fake.time >= ready
    assert endpoint.statuses()["DELETING"] == 1


def test_what_cannot_be_deleted_is_named() -> None:
    """A user who may not delete is told which streams stay."""
    endpoint = InProcess(denied=("DeleteStream",))
    account = Account(endpoint)
    account.must_create("stays")
    assert account.delete_all() == [account.name("stays")]


def test_left_behind_is_what_no_run_can_still_use() -> None:
    """Streams of dead and of old runs are deleted; those of a run that may live are not."""
    endpoint = InProcess(list_lag=0.0)
    old = Account(endpoint, run_id="01d")
    old.must_create("life")
    endpoint.clock.sleep(LEFT_BEHIND_AFTER + 1)
    dead, alive, mine = (Account(endpoint, run_id=run_id) for run_id in ("dead", "a11fe", "0a"))
    for account in (dead, alive, mine):
        account.must_create("life")
    left, others = mine.left_behind(["dead"])
    assert left == {*old.created, *dead.created}
    assert others == 1
    assert mine.delete(left) == []
    assert mine.left_behind(["dead"]) == (set(), 1)


def test_a_run_of_this_machine_is_dead_once_nobody_holds_its_lock(tmp_path: Path) -> None:
    """A record without a living process is that of a killed run, at its own place only."""
    with runs.recorded(tmp_path, "a11fe", "here"):
        with runs.recorded(tmp_path, "dead", "here"), runs.recorded(tmp_path, "far", "there"):
            assert runs.dead(tmp_path, "here", 60) == []
        assert runs.dead(tmp_path, "here", 60) == ["dead"]
        assert runs.dead(tmp_path, "there", 60) == ["far"]
        long_ago = time.time() - 120
        os.utime(tmp_path / "dead.json", (long_ago, long_ago))
        assert runs.dead(tmp_path, "here", 60) == []
        assert sorted(path.stem for path in tmp_path.iterdir()) == ["a11fe", "far"]


# The report

ARNS = st.builds(
    "arn:{0}:{1}:{2}:{3:012}:{4}/{5}".format,
    st.sampled_from(["aws", "aws-cn", "aws-us-gov"]),
    st.sampled_from(["iam", "kinesisvideo", "kms", "sts"]),
    st.sampled_from(["", "eu-central-1"]),
    st.integers(0, 10**12 - 1),
    st.sampled_from(["user", "stream", "key", "assumed-role/admin"]),
    st.sampled_from(["somebody", "kvs-streams-live-00-life/1800000000000", "some.body@x.org"]),
)
ACCOUNTS = st.from_regex(r"\A([0-9]{12}|[0-9]{4}-[0-9]{4}-[0-9]{4})\Z")
KEYS = st.from_regex(r"\A(AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}\Z")
SECRETS = ["wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "a-token-that-is-long//=="]
WORDS = st.sampled_from(["User:", "on resource", "'", '"', "(", "|", "\n", "1800000000000", "é"])
PRIVATE = st.one_of(ARNS, ACCOUNTS, KEYS, st.sampled_from(SECRETS))


@given(st.lists(st.one_of(WORDS, PRIVATE), max_size=8), PRIVATE, st.sampled_from([" ", "'", ", "]))
def test_the_report_has_nothing_private(texts: list[str], private: str, gap: str) -> None:
    """No account id, no whole ARN and no credential of any seen text is in the report."""
    seen = gap.join([*texts, private])
    results = [Result(BY_ID["denied"], differs(seen))]
    written = report.markdown(
        results, region=REGION, date="today", is_aws=True, notes=[seen], secrets=SECRETS
    ) + report.screen(results, SECRETS)
    assert not re.search(r"(?<!\d)\d{4}-?\d{4}-?\d{4}(?!\d)", written)
    assert not re.search(r"somebody|some\.body|admin|-life/", written)
    assert not re.search(r"A(KI|SI|RO|ID)A[A-Z2-7]{16}", written)
    assert not any(secret in written for secret in SECRETS)


def test_an_arn_keeps_what_tells_something() -> None:
    """Service, region and kind of an ARN stay, and the name of the key that AWS manages."""
    stream = f"arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/cam/1800000000000"
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/kinesisvideo"
    assert (
        report.without_private(f"at {stream}") == f"at arn:aws:kinesisvideo:{REGION}:...:stream/..."
    )
    assert report.without_private(key) == f"arn:aws:kms:{REGION}:...:alias/aws/kinesisvideo"
    assert report.without_private("suffix 1800000000000") == "suffix 1800000000000"


def cells(markdown: str) -> dict[str, Outcome]:
    """Read the table of a report."""
    lines = [line for line in markdown.split("\n") if line.startswith("| ")]
    rows = [re.split(r" (?<!\\)\| ", line[2:-2]) for line in lines]
    plain = [[re.sub(r"\\(.)", r"\1", cell) for cell in row] for row in rows[1:]]
    return {ident: Outcome(Verdict(verdict), seen) for ident, _, _, verdict, seen in plain}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=80))
def test_whatever_was_seen_stays_in_its_cell(seen: str) -> None:
    """A service can answer anything; the table keeps its form."""
    results = [Result(BY_ID["denied"], held(seen)), Result(BY_ID["bad-key"], untold("why"))]
    written = report.markdown(results, region=REGION, date="today", is_aws=True)
    assert list(cells(written)) == ["denied", "bad-key"]
    assert cells(written)["bad-key"] == untold("why")


def test_the_screen_says_what_differs() -> None:
    """A fact that differs is told with its sentence, and verdicts are counted."""
    fact = BY_ID["second-create"]
    shown = report.screen([Result(fact, differs("200")), Result(BY_ID["denied"], held("403"))])
    assert "differs" in shown
    assert fact.sentence in shown
    assert BY_ID["denied"].sentence not in shown
    assert shown.endswith("1 held, 1 differs, 0 could not be told")


def test_the_page_tells_which_claims_rest_on_what() -> None:
    """The table of docs/explanation/tested.md is up to date: ``cd tests; python -m live``."""
    page = report.PAGE.read_text(encoding="utf-8")
    assert report.with_claims(page, report.claims(FACTS)) == page
    with pytest.raises(ValueError, match="the page lacks"):
        report.with_claims("a page without marks", "a table")


# Runs

# As the service, only faster. Deletion is visible and short.
FAST: dict[str, Any] = {
    "active_after": (0.0, 0.0),
    "delete_after": 1.5,
    "latency": (0.0, 0.0),
    "unrelated": 1_001,
}


# Nobody answers there.
NOWHERE = ControlPlane("http://127.0.0.1:9")


class Runner:
    """Starts runs on a control plane, in a folder of their own for records and reports."""

    def __init__(self, plane: ControlPlane, folder: Path) -> None:
        self.plane, self.folder = plane, folder
        self.report = folder / "result.md"

    def command(self, *options: str) -> list[str]:
        return [
            *(sys.executable, "-m", "pytest", "tests/live", "-rN", "--tb=no"),
            *("-o", f"cache_dir={self.folder}", f"--report={self.report}"),
            *(f"--endpoint-url={self.plane.url}", *options),
        ]

    def environ(self, **changes: str) -> dict[str, str]:
        # The facts have an order, also where pytest-randomly is installed.
        order = {"PYTEST_ADDOPTS": "-p no:randomly"}
        environ = {**unmeasured(), **self.plane.environ, **order, **changes}
        del environ["AWS_ENDPOINT_URL_KINESIS_VIDEO"]
        return environ

    def run(self, *options: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(*options),
            cwd=ROOT,
            env=self.environ(**environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    @contextmanager
    def begun(self) -> "Iterator[subprocess.Popen[str]]":
        """Start a run, and wait until it has created a few streams."""
        with subprocess.Popen(
            self.command("--yes"),
            cwd=ROOT,
            env=self.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            while len(self.created()) < 3:
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
            yield process

    def stats(self) -> dict[str, Any]:
        return dict(self.plane.stats().get(f"{self.plane.account}/{self.plane.region}", {}))

    def created(self) -> dict[str, int]:
        return dict(self.stats().get("created", {}))

    def existing(self) -> int:
        """Return how many streams exist that are not being deleted."""
        statuses = self.stats()["statuses"]
        return sum(statuses.values()) - statuses.get("DELETING", 0)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Runner]]:
    """Give what starts a control plane."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        yield lambda **settings: Runner(stack.enter_context(running(**settings)), tmp_path)


def test_a_run_on_the_control_plane(start: Callable[..., Runner]) -> None:
    """What the control plane imitates holds, within the quotas, and everything is deleted."""
    # Long enough to see a stream DELETING on a busy machine.
    runner = start(**{**FAST, "delete_after": 5.0})
    finished = runner.run("--yes")
    assert finished.returncode == 0, finished.stdout
    written = runner.report.read_text(encoding="utf-8")
    results = cells(written)
    assert results == expected(UNTOLD_BY_CONTROL_PLANE, results)
    assert "another endpoint, not AWS, region eu-central-1" in written
    stats = runner.stats()
    assert not any(count["throttled"] for count in stats["operations"].values())
    assert all(name.startswith(PREFIX) for name in stats["created"])
    assert sum(stats["created"].values()) <= MOST_STREAMS
    assert runner.existing() == FAST["unrelated"]
    for text in (written, finished.stdout):
        assert runner.plane.account not in text
        assert runner.plane.environ["AWS_SECRET_ACCESS_KEY"] not in text
    assert "at most 40 streams named kvs-streams-live-<random>-..." in finished.stdout
    assert runner.plane.url not in written


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("ending", ["SIGINT", "SIGKILL"])
def test_a_run_that_is_ended_leaves_nothing(
    start: Callable[..., Runner], ending: str, interruptible: None
) -> None:
    """Ctrl-C deletes all streams at once, and the next run those of a run that was killed."""
    runner = start(**{**FAST, "latency": (0.05, 0.05), "unrelated": 0})
    with runner.begun() as process:
        process.send_signal(signal.Signals[ending])
        printed, _ = process.communicate(timeout=600)
    if ending == "SIGKILL":
        assert runner.existing() >= 3
        finished = runner.run("--yes", "-k", "not-found")
        assert finished.returncode == 0
        assert "streams of earlier runs deleted" in runner.report.read_text(encoding="utf-8")
    else:
        assert process.returncode == pytest.ExitCode.INTERRUPTED
        assert "The run was interrupted" in printed
        assert "could not be told" in runner.report.read_text(encoding="utf-8")
    assert runner.existing() == 0


# A plugin that puts an imitation in the place of AWS.
LYING = """
from types import SimpleNamespace


def pytest_collection_finish():
    from live import begin
    from live.imitations import REGION, InProcess
    from live.lies import LIES

    class Lying(InProcess):
        region, endpoint_url, credentials = REGION, None, SimpleNamespace(method="made up")

        def __init__(self, **_):
            super().__init__(LIES["second-create"])

    begin.Aws = Lying
"""


def test_a_difference_is_reported_by_the_exit_status(tmp_path: Path) -> None:
    """A run that finds a difference fails, with a report and without a traceback."""
    (tmp_path / "lying.py").write_text(LYING, encoding="utf-8")
    runner = Runner(NOWHERE, tmp_path)
    options = ["-p", "lying", "--yes", "-k", "second-create or one-clock or denied"]
    finished = runner.run(*options, PYTHONPATH=str(tmp_path))
    assert finished.returncode == pytest.ExitCode.TESTS_FAILED, finished.stdout
    assert "Traceback" not in finished.stdout
    written = runner.report.read_text(encoding="utf-8")
    found = {ident: outcome.verdict for ident, outcome in cells(written).items()}
    assert found == {
        "denied": Verdict.HELD,
        "one-clock": Verdict.HELD,
        "second-create": Verdict.DIFFERS,
    }
    assert "- Service: AWS, region eu-central-1" in written
    assert BY_ID["second-create"].sentence in finished.stdout
    for private in (ACCOUNT, "user/somebody", OWN_KEY.access_key, OWN_KEY.secret_key):
        assert private not in finished.stdout + written


@pytest.mark.parametrize(
    "environ, reason",
    [
        ({"AWS_ACCESS_KEY_ID": ""}, "there are no credentials; set AWS_PROFILE"),
        ({"AWS_DEFAULT_REGION": ""}, "set AWS_DEFAULT_REGION"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
    ],
    ids=["credentials", "region", "profile"],
)
def test_a_run_that_cannot_begin_says_why(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], reason: str
) -> None:
    """Without credentials or a region nothing is sent, and one sentence says so."""
    for name, value in {**NOWHERE.environ, **environ}.items():
        if value:
            monkeypatch.setenv(name, value)
    with pytest.raises(pytest.exit.Exception, match=f"Nothing was sent: .*{reason}") as caught:
        begin.connected(None, None, may_burst=False)
    assert caught.value.returncode == 2


class Terminal(StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y", "YES", " y "])
def test_yes_goes_on(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """A person who agrees gets the run."""
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    begin.ask()


@pytest.mark.parametrize("answer", ["n", "", "yikes"])
def test_anything_else_ends_the_run(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Only yes is yes."""
    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    with pytest.raises(pytest.exit.Exception, match="Nothing was sent: the answer was not yes"):
        begin.ask()


def test_the_plan_says_what_the_burst_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller who asks for the burst is told whom it may disturb."""
    for name, value in NOWHERE.environ.items():
        monkeypatch.setenv(name, value)
    said = {
        may_burst: begin.plan(begin.connected(NOWHERE.url, None, may_burst=may_burst))
        for may_burst in (False, True)
    }
    assert "others may be throttled" in said[True]
    assert said[True].startswith(said[False])


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM"])
def test_a_polite_end_is_as_ctrl_c(name: str) -> None:
    """Closing the terminal interrupts the run as Ctrl-C does."""
    before = {each: signal.getsignal(each) for each in (signal.SIGHUP, signal.SIGTERM)}
    try:
        begin.interrupt_when_ended()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.Signals[name])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_without_a_terminal_a_run_needs_yes(tmp_path: Path) -> None:
    """A run that cannot ask sends nothing, and says how to go on."""
    runner = Runner(NOWHERE, tmp_path)
    finished = runner.run()
    assert finished.returncode == 2, finished.stdout
    assert "at most 40 streams named kvs-streams-live-<random>-..." in finished.stdout
    assert "Nothing was sent: there is no terminal to ask; --yes goes on" in finished.stdout
    assert not runner.report.exists()


def test_a_run_that_may_not_list_creates_nothing(start: Callable[..., Runner]) -> None:
    """A caller who could not find the streams again does not create any."""
    runner = start(**FAST, denied=["ListStreams"])
    finished = runner.run("--yes", "-k", "arn-suffix")
    assert finished.returncode == 2, finished.stdout
    assert "Nothing was created: " in finished.stdout
    assert "AccessDeniedException" in finished.stdout
    assert runner.plane.account not in finished.stdout
    assert runner.created() == {}


def test_no_other_run_collects_the_checks() -> None:
    """Only a path in the folder brings the checks, which need an account."""
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    others = [f"--ignore-glob={ROOT}/tests/{each}" for each in ("test_*.py", "testing", "editors")]

    def collected(*options: str) -> str:
        return subprocess.run(
            [*collect, *options], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
        ).stdout

    assert "no tests collected" in collected("tests", *others)
    assert "1 test collected" in collected("tests/live/test_facts.py::test_fact[denied]")
