"""Create fleets against a quota, contenders side by side: ``python -m benchmarks fleet``.

Each run has a control plane of its own with the same seed, and a contender in a process of its own.
A run of all cases writes the report, the plot and what they are made of.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from . import contenders, plot
from .contenders import FLEETS, THREADS, Outcome, Task
from .control_plane import ControlPlane, Settings, running

_DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- fleet: written by make bench -->", "<!-- fleet: end -->"
# The service of every case, unless a case says otherwise.
_FAULTS = {"errors": 0.01, "lost": 0.005}
_QUOTA, _BURST = Settings.rate, Settings.burst
_MAX_IN_FLIGHT = 32
_MEBI = 1 << 20
# A quick run has so many times fewer streams.
_QUICK = 8
# A run that takes longer than this hangs.
_TIMEOUT = 1_800.0
_PLOTTED = (
    "raw boto3, a loop",
    "raw, pool of 10",
    "raw, pool of 10, tenacity",
    "raw, pool of 50, tenacity",
    "`ensure_stream` in 16 threads",
    THREADS,
)


@dataclass(frozen=True)
class Run:
    """A contender's own account of a run, and the service's."""

    contender: str
    outcome: Outcome
    stats: Mapping[str, Any]
    rate: float = _QUOTA
    burst: float = _BURST

    def calls(self, operation: str, what: str = "calls") -> int:
        """Return how many calls of an operation there were."""
        counts: Mapping[str, int] = self.stats["operations"].get(operation, {})
        return counts.get(what, 0)

    @property
    def share(self) -> float:
        """The percentage of the quota that was used."""
        allowed = self.burst + self.rate * self.stats["seconds"]
        return 100 * self.calls("CreateStream", "accepted") / allowed

    @property
    def throttled(self) -> float:
        """The percentage of creates that were throttled."""
        return 100 * self.calls("CreateStream", "throttled") / (self.calls("CreateStream") or 1)

    @property
    def never_created(self) -> int:
        """Streams that the service never made."""
        return self.outcome.task.count - len(self.stats["created"])

    @property
    def falsely_failed(self) -> int:
        """Streams that the contender reports as failed, although the service made them."""
        return sum(name in self.stats["created"] for name in self.outcome.failed)

    @property
    def twice(self) -> int:
        """Streams that the service made more than once."""
        return sum(times > 1 for times in self.stats["created"].values())

    @property
    def lost_by_neighbour(self) -> float:
        """The percentage of the neighbour's creates that were throttled."""
        neighbour = self.stats["neighbour"]
        return 100 * neighbour["throttled"] / (neighbour["calls"] or 1)

    def row(self) -> tuple[object, ...]:
        """Return the row of the big table."""
        active = self.outcome.active
        return (
            self.contender,
            f"{self.outcome.wall:.1f} s",
            f"{self.share:.1f} %",
            f"{self.calls('CreateStream', 'accepted') / (self.stats['seconds'] or 1):.1f}",
            f"{self.throttled:.1f} %",
            f"{self.never_created:,}",
            f"{self.falsely_failed:,}",
            f"{self.twice:,}",
            f"{active:,}" if active else "no",
            f"{self.calls('DescribeStream'):,}",
            f"{self.calls('ListStreams'):,}",
        )


_HEAD = (
    "How",
    "Wall time",
    "Share of the quota",
    "Creates a second",
    "Throttled",
    "Never created",
    "Failed, though created",
    "Created twice",
    "Verified ACTIVE",
    "Describes",
    "Lists",
)


class Check(NamedTuple):
    """One figure of a case: what was measured, and whether it is what it must be."""

    measured: str
    target: str
    is_met: bool


class Row(NamedTuple):
    """One row of the table of cases."""

    case: str
    contender: str
    checks: Sequence[Check]

    def cells(self) -> tuple[object, ...]:
        """Return the cells of the row."""
        measured = ", ".join(check.measured for check in self.checks)
        missed = ", ".join(check.target for check in self.checks if not check.is_met)
        return (self.case, self.contender, measured, f"missed: {missed}" if missed else "met")


def _at_least(value: float, limit: float, unit: str) -> Check:
    return Check(f"{value:.1f} {unit}", f"≥ {limit:g} {unit}", value >= limit)


def _below(value: float, limit: float, unit: str) -> Check:
    return Check(f"{value:.1f} {unit}", f"< {limit:g} {unit}", value < limit)


def _exactly(value: int, wanted: int, unit: str) -> Check:
    return Check(f"{value:,} {unit}", f"{wanted:,} {unit}", value == wanted)


def _complete(run: Run) -> list[Check]:
    """Return the checks that all streams are there, once, and known to be ACTIVE."""
    return [
        _exactly(run.never_created, 0, "never created"),
        _exactly(run.twice, 0, "created twice"),
        _exactly(run.outcome.active, run.outcome.task.count, "ACTIVE"),
    ]


# Running


def _start(contender: str, task: Task, plane: ControlPlane) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.contenders", contender, json.dumps(asdict(task))]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.Popen(  # noqa: S603  # this Python, our own module
        command,
        cwd=Path(__file__).parent.parent,
        env={**environ, **plane.environ},
        stdout=subprocess.PIPE,
        text=True,
    )


def _stats(plane: ControlPlane) -> Mapping[str, Any]:
    """Return what happened in the one account of a run."""
    (stats,) = plane.stats().values()
    return dict(stats)


def run(
    contender: str, task: Task, plane: ControlPlane, rate: float = _QUOTA, burst: float = _BURST
) -> Run:
    """Let a contender work on a task until it is done."""
    with _start(contender, task, plane) as process:
        try:
            printed, _ = process.communicate(timeout=_TIMEOUT)
        finally:
            process.kill()
    if process.returncode:
        raise RuntimeError(f"{contender} ended with exit status {process.returncode}")
    outcome = Outcome(**{**json.loads(printed), "task": task})
    return Run(contender, outcome, _stats(plane), rate, burst)


class Bench:
    """One run of the benchmark."""

    def __init__(self, *, is_quick: bool, only: Sequence[str]) -> None:
        self._is_quick = is_quick
        # The burst shrinks with the fleet, or it would be most of what the quota allows.
        self.burst = _BURST / _QUICK if is_quick else _BURST
        self._service = {**_FAULTS, "burst": self.burst}
        chosen = [name for name in contenders.CONTENDERS if _is_among(name, only)]
        reasons = {name: contenders.missing(name) for name in chosen}
        self.contenders = [name for name in chosen if not reasons[name]]
        self.skipped = {name: reason for name, reason in reasons.items() if reason}
        # One stands for all where nobody asks for more: they share all but the calls themselves.
        usual = [name for name in self.contenders if name in FLEETS]
        self.subjects = usual if only else usual[:1]
        self.runs: list[Run] = []

    def count(self, usual: int) -> int:
        """Return how many streams to create."""
        return usual // _QUICK if self._is_quick else usual

    def _once(self, contender: str, task: Task, **settings: Any) -> Run:
        """Run a contender against a control plane of its own."""
        with running(**{**self._service, **settings}) as plane:
            rate = settings.get("rate", _QUOTA) - settings.get("neighbour", 0.0)
            return run(contender, task, plane, rate, settings.get("burst", self.burst))

    # Cases: each yields the rows of its table

    def plain(self) -> Iterator[Row]:
        """Everybody creates the fleet; ``ensure_streams`` is then run again."""
        count = self.count(2_000)
        for contender in self.contenders:
            with running(**self._service) as plane:
                first = run(contender, Task(count), plane, burst=self.burst)
                self.runs.append(first)
                print(f"  {' | '.join(map(str, first.row()))}", flush=True)
                if contender not in FLEETS:
                    continue
                plane.control(reset=True)
                again = run(contender, Task(count), plane)
            checks = [
                _at_least(first.share, 98, "% of the quota"),
                _below(first.throttled, 2, "% throttled"),
                *_complete(first),
                _below(100 * first.calls("DescribeStream") / count, 5, "% described"),
            ]
            yield Row(f"{count:,} streams", contender, checks)
            checks = [
                _exactly(again.calls("CreateStream"), 0, "creates"),
                _exactly(again.outcome.active, count, "ACTIVE"),
                _below(again.outcome.wall, 2, "s"),
            ]
            yield Row("the same again", contender, checks)

    def neighbour(self) -> Iterator[Row]:
        """Somebody else takes half of the quota."""
        for contender in self.subjects:
            made = self._once(contender, Task(self.count(2_000)), neighbour=25.0)
            checks = [
                _at_least(made.share, 95, "% of what is left"),
                _below(made.lost_by_neighbour, 5, "% lost by the neighbour"),
                *_complete(made),
            ]
            yield Row("a neighbour takes 25/s", contender, checks)

    def rate200(self) -> Iterator[Row]:
        """A higher quota, and the caller knows it."""
        for contender in self.subjects:
            task = Task(self.count(4_000), options={"rate": 200})
            made = self._once(contender, task, rate=200.0)
            checks = [_at_least(made.share, 95, "% of the quota"), *_complete(made)]
            yield Row(f"`rate=200`, a quota of 200/s, {task.count:,} streams", contender, checks)

    def slow(self) -> Iterator[Row]:
        """Replies take half a second."""
        for contender in self.subjects:
            made = self._once(contender, Task(self.count(2_000)), latency=(0.4, 0.6))
            checks = [_at_least(made.share, 95, "% of the quota"), *_complete(made)]
            yield Row("replies of 0.4 to 0.6 s", contender, checks)

    def lists(self) -> Iterator[Row]:
        """ListStreams is denied, or late."""
        settings: dict[str, dict[str, Any]] = {
            "ListStreams denied": {"denied": ("ListStreams",)},
            "ListStreams 5 s late": {"list_lag": 5.0},
        }
        for case, changes in settings.items():
            for contender in self.subjects:
                made = self._once(contender, Task(self.count(2_000)), **changes)
                checks = [_at_least(made.share, 92, "% of the quota"), *_complete(made)]
                yield Row(case, contender, checks)

    def limit(self) -> Iterator[Row]:
        """The account is full before the fleet is complete."""
        count = self.count(1_200)
        allowed = count * 5 // 12
        code = "AccountStreamLimitExceededException"
        for contender in self.subjects:
            made = self._once(contender, Task(count), account_limit=allowed)
            refused = made.stats["operations"]["CreateStream"]["codes"].get(code, 0)
            failures = made.outcome.failures.get(code, 0)
            checks = [
                _exactly(len(made.stats["created"]), allowed, "created"),
                _exactly(failures, count - allowed, "typed errors"),
                Check(
                    f"{refused} creates too many",
                    f"≤ {_MAX_IN_FLIGHT} creates too many",
                    refused <= _MAX_IN_FLIGHT,
                ),
            ]
            yield Row(f"account limit at {allowed:,} of {count:,}", contender, checks)

    def consumer(self) -> Iterator[Row]:
        """The consumer is slow."""
        count = self.count(1_000)
        for contender in self.subjects:
            quick = self._once(contender, Task(count))
            slow = self._once(contender, Task(count, pause=0.015))
            lost = 100 * (1 - slow.share / quick.share)
            checks = [_below(lost, 5, "% lost"), *_complete(slow)]
            yield Row("a consumer that needs 15 ms for each result", contender, checks)

    def endless(self) -> Iterator[Row]:
        """The consumer leaves an input without end."""
        for contender in self.subjects:
            task = Task(10**9, leave_after=100)
            with running(**self._service) as plane:
                made = run(contender, task, plane)
            late = made.stats["last_call"] > made.outcome.closed_at
            checks = [
                _exactly(made.outcome.results, 100, "results"),
                Check("sent more" if late else "nothing more sent", "nothing more sent", not late),
                _exactly(made.outcome.left, 0, "threads or tasks left"),
                _below(made.outcome.closing, 1, "s to close"),
            ]
            yield Row("an input of 10⁹, left after 100 results", contender, checks)

    def interrupts(self) -> Iterator[Row]:
        """Ctrl-C or kill -9 comes in the middle; then the fleet is run again."""
        task = Task(self.count(800))
        for number, name in ((signal.SIGINT, "Ctrl-C"), (signal.SIGKILL, "kill -9")):
            for contender in self.subjects:
                with running(**self._service) as plane:
                    ending = _interrupted(contender, task, plane, number)
                    made = run(contender, task, plane)
                checks = [_below(ending, 2, "s to end"), *_complete(made)]
                yield Row(f"{name} in the middle, then again", contender, checks)

    def memory(self) -> Iterator[Row]:
        """A fleet of ten times the size needs the same memory."""
        pace = {"rate": 1e6, "burst": 1e6, "latency": (0.0, 0.0), "active_after": (0.0, 0.0)}
        fast = {**pace, "account_limit": 10**6}
        sizes = [self.count(10_000), self.count(100_000)]
        for contender in self.subjects:
            tasks = [Task(size, options={"rate": 2_000}, keep_names=False) for size in sizes]
            runs = [self._once(contender, task, **fast) for task in tasks]
            small, large = (made.outcome.peak_memory / _MEBI for made in runs)
            measured = f"{small:.0f} and {large:.0f} MiB"
            checks = [
                Check(measured, "the larger at most 5 % above", large <= small * 1.05),
                *_complete(runs[-1]),
            ]
            yield Row(f"peak memory of {sizes[0]:,} and {sizes[1]:,} requests", contender, checks)


def _is_among(name: str, only: Sequence[str]) -> bool:
    return not only or any(part in name for part in only)


def _interrupted(contender: str, task: Task, plane: ControlPlane, number: signal.Signals) -> float:
    """Send a signal when a third of the fleet is there; return how long the end takes."""
    with _start(contender, task, plane) as process:
        try:
            while process.poll() is None and _created(plane) < task.count // 3:
                time.sleep(0.1)
            if process.poll() is not None:
                raise RuntimeError(f"{contender} ended before the signal came")
            process.send_signal(number)
            start = time.monotonic()
            process.communicate(timeout=_TIMEOUT)
            return time.monotonic() - start
        finally:
            process.kill()


def _created(plane: ControlPlane) -> int:
    return sum(len(stats["created"]) for stats in plane.stats().values())


CASES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "plain": Bench.plain,
    "neighbour": Bench.neighbour,
    "rate200": Bench.rate200,
    "slow": Bench.slow,
    "lists": Bench.lists,
    "limit": Bench.limit,
    "consumer": Bench.consumer,
    "endless": Bench.endless,
    "interrupts": Bench.interrupts,
    "memory": Bench.memory,
}


def _rows(name: str, bench: Bench) -> Iterator[Row]:
    """Run a case; a contender that fails ends the case, not the benchmark."""
    try:
        yield from CASES[name](bench)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        yield Row(name, "", [Check(str(error), "an end without an error", is_met=False)])


# Reporting


def _sections(bench: Bench, rows: Sequence[Row], seconds: float) -> Iterator[str]:
    from . import report  # the tests know this module, and not what report needs

    if bench.runs:
        count = bench.runs[0].outcome.task.count
        latency = " to ".join(f"{1000 * seconds:g}" for seconds in Settings.latency)
        active = " to ".join(f"{seconds:g}" for seconds in Settings.active_after)
        yield f"## A fleet of {count:,} streams"
        yield (
            "Each contender creates the same streams against a control plane in a process of its "
            f"own. It takes {_QUOTA:g} creates a second after a burst of {bench.burst:g}, replies "
            f"within {latency} ms, makes a stream ACTIVE within {active} s, answers "
            f"{100 * _FAULTS['errors']:g} % of calls with an error 500 "
            f"({100 * Settings.errors_work:g} % of these after the work is done) and loses "
            f"{100 * _FAULTS['lost']:g} % of the replies, after the work is done."
        )
        yield "![Accepted creates in each second, by contender](../_static/fleet.svg)"
        yield report.table(_HEAD, [made.row() for made in bench.runs])
        yield (
            "**Share of the quota:** creates that the service accepts, those included that end in "
            "a conflict or a fault, divided by what the quota allows from the first of them to the "
            f"last: the burst of {bench.burst:g}, and {_QUOTA:.0f} for each second. **Creates a "
            "second** are those divided by that time alone. **Throttled:** the share of all "
            "creates that are answered with `ClientLimitExceededException`. **Failed, though "
            "created:** the contender reports an error, but the stream is there. **Verified "
            "ACTIVE:** the contender itself has seen the stream ACTIVE."
        )
    if rows:
        yield "### Other circumstances"
        yield report.table(
            ("Case", "Contender", "Measured", "Target"), [row.cells() for row in rows]
        )
    yield from (f"Skipped: {name}: {reason}." for name, reason in bench.skipped.items())
    yield report.circumstances(seconds)


def _data(bench: Bench) -> str:
    """Return what the plot is made of, as JSON."""
    runs = [
        {
            "contender": made.contender,
            "wall": round(made.outcome.wall, 1),
            "share": round(made.share, 1),
            "never_created": made.never_created,
            "timeline": made.stats["timeline"],
        }
        for made in bench.runs
    ]
    # One line for each contender, so that a change can be read.
    return "[\n" + ",\n".join(map(json.dumps, runs)) + "\n]\n"


def draw(data: str) -> str:
    """Return the plot of what ``_data`` returned."""
    rows = [
        plot.Row(
            label=run["contender"].replace("`", ""),
            note=f"{run['wall']:.0f} s, {run['share']:.0f} % of the quota, "
            f"{run['never_created']:,} never created",
            timeline=run["timeline"],
            is_ours=run["contender"] in FLEETS,
        )
        for run in json.loads(data)
        if run["contender"] in _PLOTTED
    ]
    return plot.draw(rows, _QUOTA)


def write(text: str, bench: Bench, page: Path, static: Path) -> None:
    """Write the report into its page, the plot, and what the plot is made of."""
    if bench.runs:
        data = _data(bench)
        static.joinpath("fleet.json").write_text(data, encoding="utf-8")
        static.joinpath("fleet.svg").write_text(draw(data), encoding="utf-8")
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cases asked for; a run of all of them writes the report."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks fleet", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("cases", nargs="*", help=f"which to run: {', '.join(CASES)}; default: all")
    parser.add_argument("--quick", action="store_true", help="create an eighth of the streams")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="PART",
        help="contenders whose name contains one of these, such as ensure_streams; by default "
        "all in the case plain and one ensure_streams in the others",
    )
    parser.add_argument(
        "--output", type=Path, help="write fleet.md, fleet.svg and fleet.json into this folder"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    page, static = _DOCS / "explanation" / "speed.md", _DOCS / "_static"
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        page, static = options.output / "fleet.md", options.output
        page.write_text(f"{BEGIN}\n{END}\n", encoding="utf-8")
    # Before the long run, not after it.
    if not {BEGIN, END} <= set(page.read_text(encoding="utf-8").splitlines()):
        parser.error(f"{page} has no place for the report: the lines {BEGIN} and {END}")
    bench = Bench(is_quick=options.quick, only=options.only)
    start = time.monotonic()
    rows: list[Row] = []
    for name in options.cases or CASES:
        print(f"{name}: {(CASES[name].__doc__ or '').rstrip('.')}", flush=True)
        for row in _rows(name, bench):
            print(f"  {' | '.join(map(str, row.cells()))}", flush=True)
            rows.append(row)
    text = "\n\n".join(_sections(bench, rows, time.monotonic() - start))
    print(f"\n{text}")
    if options.output or not (options.cases or options.quick or options.only):
        write(text, bench, page, static)
        print(f"\nWritten to {page}")
