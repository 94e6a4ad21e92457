"""The benchmark of fleets counts what happened, not what a contender says of itself."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks import contenders, fleet
from benchmarks.contenders import Outcome, Task
from benchmarks.control_plane import running
from benchmarks.fleet import BEGIN, END, Bench, Check, Row, Run


def made(**changes: Any) -> Run:
    """A run of four streams: one was never made, one twice, one is called failed by mistake."""
    outcome = Outcome(Task(4), wall=2.0, active=2)
    outcome.add("camera-000001", ValueError("lost"))
    outcome.add("camera-000003", ValueError("throttled"))
    creates = {"calls": 8, "accepted": 6, "throttled": 2}
    stats = {
        "operations": {"CreateStream": creates, "DescribeStream": {"calls": 5}},
        "created": {"camera-000000": 1, "camera-000001": 1, "camera-000002": 2},
        "neighbour": {"calls": 40, "throttled": 1},
        "seconds": 2.0,
        "timeline": [3] * 2,
    }
    return Run("raw boto3, a loop", outcome, stats, **{"rate": 4.0, "burst": 2.0, **changes})


def test_a_run_is_judged_by_what_the_service_saw() -> None:
    """Shares and counts come from the service; failures are held against it."""
    run = made()
    assert run.share == pytest.approx(60)
    assert run.throttled == pytest.approx(25)
    assert (run.never_created, run.falsely_failed, run.twice) == (1, 1, 1)
    assert run.lost_by_neighbour == pytest.approx(2.5)
    assert (run.calls("DescribeStream"), run.calls("ListStreams")) == (5, 0)
    assert len(run.row()) == 11


def test_a_row_names_the_targets_that_are_missed() -> None:
    """A row is met if all its figures are, and else says which are not."""
    good, bad = Check("99 %", "≥ 98 %", is_met=True), Check("3 s", "< 2 s", is_met=False)
    assert Row("again", "ours", [good]).cells() == ("again", "ours", "99 %", "met")
    assert Row("again", "ours", [good, bad]).cells()[2:] == ("99 %, 3 s", "missed: < 2 s")


def test_the_report_goes_to_its_place(tmp_path: Path) -> None:
    """Only what is between the two marks changes, and the plot lies beside what it is made of."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    bench = Bench(is_quick=True, only=["a loop"])
    bench.runs.append(made())
    fleet.write("new", bench, page, tmp_path)
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    drawn = (tmp_path / "fleet.svg").read_text()
    assert "2 s, 60 % of the quota, 1 never created" in drawn
    assert fleet.draw((tmp_path / "fleet.json").read_text()) == drawn


def test_the_speed_page_has_a_place_for_it() -> None:
    """The marks stand on the page that a whole run writes to."""
    page = Path(__file__).parent.parent / "docs" / "explanation" / "speed.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines.index(BEGIN) < lines.index(END)


def test_a_contender_that_cannot_run_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left out of the run, and the report has the reason."""
    monkeypatch.setattr(contenders, "missing", lambda name: "too old" if "tasks" in name else "")
    monkeypatch.setitem(contenders.CONTENDERS, "in tasks", contenders.raw_loop)
    bench = Bench(is_quick=True, only=["a loop", "in tasks"])
    assert bench.contenders == ["raw boto3, a loop"]
    assert bench.skipped == {"in tasks": "too old"}


@pytest.mark.parametrize("contender", ["raw, pool of 10", "`ensure_stream` in 16 threads"])
def test_contenders_run_in_a_process_of_their_own(contender: str) -> None:
    """A pool without retries loses what is throttled; ensure_stream loses nothing."""
    quick = {"latency": (0.0, 0.0), "active_after": (0.0, 0.0)}
    is_raw = contender.startswith("raw")
    with running(rate=0.0 if is_raw else 1e6, burst=5.0, **quick) as plane:
        run = fleet.run(contender, Task(12), plane)
    assert run.never_created == (7 if is_raw else 0)
    assert run.outcome.results == 12
    assert run.outcome.failures == ({"ClientLimitExceededException": 7} if is_raw else {})
    assert run.outcome.active == (0 if is_raw else 12)
    assert run.falsely_failed == 0
