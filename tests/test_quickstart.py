"""The quickstart, as a newcomer runs it."""

from types import ModuleType

import pytest
from support.examples import Run, load, runner

from kvs_streams import ConfigurationError, StreamStatus
from kvs_streams.testing import MockKvs


@pytest.fixture(scope="module")
def quickstart() -> ModuleType:
    """Import the example."""
    return load("quickstart")


@pytest.fixture
def run(
    quickstart: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run the quickstart with arguments and answers; give its exit status, output and errors."""
    return runner(quickstart, monkeypatch, capsys)


def test_embedded(run: Run) -> None:
    """Without arguments it creates the whole fleet in this process and shows the three failures."""
    status, out, err = run()
    assert (status, err) == (0, "")
    assert out.count("CREATED   ACTIVE") == 6
    assert "osaka.gate_north.cam-01" in out
    assert "(ResourceInUseException)" in out
    for rule in "pattern", "max", "reserved_prefix":
        assert f"   {rule} " in out
    assert "created after 2 retries: arn:aws:kinesisvideo:" in out
    assert "(ClientLimitExceededException)" in out


def test_on_aws_asks_first(run: Run, kvs_mock: MockKvs) -> None:
    """With --aws nothing is created unless the person says yes; no answer is no."""
    for answers in (["n"], [""], []):
        status, out, _ = run("--aws", "--region", "eu-central-1", answers=answers)
        assert status == 0
        assert "Create 5 streams in your account, region eu-central-1?" in out
        assert "Nothing was created." in out
    assert not kvs_mock.streams


def test_on_aws_creates_and_cleans_up(run: Run, kvs_mock: MockKvs) -> None:
    """With --aws and two times yes it creates the streams, and deletes what it created."""
    status, out, _ = run("--aws", answers=["y", "yes"])
    assert status == 0
    assert "Delete the 5 streams that this run created?" in out
    assert not [s for s in kvs_mock.streams.values() if s.status is not StreamStatus.DELETING]


def test_on_aws_leaves_alone_what_was_there(run: Run, kvs_mock: MockKvs) -> None:
    """With --aws streams that exist already are shown, and never offered for deletion."""
    run("--aws", answers=["y", "n"])
    _, out, _ = run("--aws", answers=["y"])
    assert out.count("EXISTING  ACTIVE") == 5
    assert "Delete" not in out


def test_on_aws_without_a_region(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error ends the quickstart with one line that says what to do."""
    for name in "AWS_DEFAULT_REGION", "AWS_REGION":
        monkeypatch.delenv(name, raising=False)
    status, _, err = run("--aws")
    assert status == 1
    assert err.startswith(f"{ConfigurationError.__name__}: You must specify a region")
    assert err.count("\n") == 1
