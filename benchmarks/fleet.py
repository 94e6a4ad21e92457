"""Fleets against a quota, contenders side by side in one table: ``python -m benchmarks fleet``.

Each run has a control plane of its own with the same seed, and a contender in a process of its own.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from .contenders import CONTENDERS, FLEETS, THREADS
from .control_plane import ControlPlane, Settings, running
from .report import table

_FAULTS = {"errors": 0.01, "lost": 0.005}
_QUICK = 8
"""A quick run has so many times fewer streams, and so much less burst."""
_TIMEOUT = 7_200.0
_AGAIN = "the same fleet again"


@dataclass(frozen=True)
class Case:
    """One kind of run."""

    name: str
    count: int = 2_000
    options: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of ``ensure_streams``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What differs at the service."""
    contenders: tuple[str, ...] = (THREADS,)


CASES = {
    "plain": Case("a quota of 50/s", contenders=tuple(CONTENDERS)),
    "rate200": Case(
        "`rate=200`, a quota of 200/s",
        count=4_000,
        options={"rate": 200},
        settings={"rate": 200.0},
        contenders=tuple(FLEETS),
    ),
    "neighbour": Case("a neighbour takes 25/s of 50", settings={"neighbour": 25.0}),
    "quota20": Case("a quota of 20/s, `rate=50`", count=4_800, settings={"rate": 20.0}),
    "slow": Case("replies of 0.4 to 0.6 s", settings={"latency": (0.4, 0.6)}),
    "denied": Case("ListStreams denied", settings={"denied": ("ListStreams",)}),
    "late": Case("ListStreams 5 s late", settings={"list_lag": 5.0}),
    "limit": Case("a full account, 500 of 1,200", count=1_200, settings={"account_limit": 500}),
}

_HEAD = (
    "Case",
    "How",
    "Wall time",
    "Of the quota",
    "Creates/s",
    "Throttled",
    "Never created",
    "Failed, though created",
    "Verified ACTIVE",
    "Describes",
    "Lists",
    "Neighbour lost",
)


@dataclass(frozen=True)
class Run:
    """What a contender says of a run, and what the service says."""

    case: str
    contender: str
    settings: Settings
    count: int
    outcome: Mapping[str, Any]
    stats: Mapping[str, Any]

    def calls(self, operation: str, what: str = "calls") -> int:
        """Return how many calls of an operation there were."""
        return int(self.stats["operations"].get(operation, {}).get(what, 0))

    @property
    def share(self) -> float:
        """The percentage of the quota that was used from the first accepted create to the last.

        A neighbour may take its part first.
        """
        left = self.settings.rate - self.settings.neighbour
        allowed = self.settings.burst + left * self.stats["seconds"]
        return 100 * self.calls("CreateStream", "accepted") / allowed

    def row(self) -> tuple[object, ...]:
        """Return the row of the table."""
        accepted, created = self.calls("CreateStream", "accepted"), self.stats["created"]
        throttled = self.calls("CreateStream", "throttled") / (self.calls("CreateStream") or 1)
        neighbour = self.stats["neighbour"]
        lost = neighbour["throttled"] / (neighbour["calls"] or 1)
        return (
            self.case,
            self.contender,
            f"{self.outcome['wall']:.1f} s",
            "-" if self.case == _AGAIN else f"{self.share:.1f} %",
            "-" if self.case == _AGAIN else f"{accepted / (self.stats['seconds'] or 1):.1f}",
            f"{100 * throttled:.1f} %",
            "-" if self.case == _AGAIN else f"{self.count - len(created):,}",
            f"{sum(name in created for name in self.outcome['failed']):,}",
            f"{self.outcome['active']:,}" if self.outcome["active"] else "no",
            f"{self.calls('DescribeStream'):,}",
            f"{self.calls('ListStreams'):,}",
            f"{100 * lost:.1f} %" if neighbour["calls"] else "-",
        )

    def minutes(self) -> str:
        """Return how many creates were accepted and throttled in each minute."""
        accepted, throttled = (
            {int(minute): count for minute, count in self.stats[f"{what}_by_minute"].items()}
            for what in ("accepted", "throttled")
        )
        shares = []
        for minute in range(max(accepted, default=0) + 1):
            ok, no = accepted.get(minute, 0), throttled.get(minute, 0)
            shares.append(f"{ok} and {100 * no / (ok + no or 1):.1f} %")
        return f"{self.case}, by minute, accepted and throttled: {', '.join(shares)}"


def attempt(
    contender: str,
    count: int,
    options: Mapping[str, Any],
    plane: ControlPlane,
    during: Callable[[], object] = lambda: None,
) -> Any:
    """Let a contender work until it is done; ``during`` is called once a second meanwhile."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    module = [sys.executable, "-m", "benchmarks.contenders"]
    with subprocess.Popen(  # noqa: S603  # this Python, our own module
        [*module, contender, str(count), json.dumps(options)],
        cwd=Path(__file__).parent.parent,
        env={**environ, **plane.environ},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        deadline = time.monotonic() + _TIMEOUT
        try:
            while time.monotonic() < deadline:
                try:
                    printed, _ = process.communicate(timeout=1)
                except subprocess.TimeoutExpired:  # noqa: PERF203  # a second each
                    during()
                else:
                    return json.loads(printed)
        finally:
            process.kill()
    raise RuntimeError(f"{contender} hangs")


def run(case: Case, contender: str, *, is_quick: bool = False) -> Iterator[Run]:
    """Run a contender against a control plane of its own; the plain fleets are run again."""
    part = _QUICK if is_quick else 1
    settings: dict[str, Any] = {**_FAULTS, "burst": 50.0 / part, **case.settings}
    count = case.count // part
    with running(**settings) as plane:

        def once(name: str) -> Run:
            outcome = attempt(contender, count, case.options, plane)
            (stats,) = plane.stats().values()
            return Run(name, contender, Settings(**settings), count, outcome, stats)

        yield once(case.name)
        if case is CASES["plain"] and contender in FLEETS:
            plane.control(reset=True)
            yield once(_AGAIN)


def report(names: list[str], *, is_quick: bool = False) -> Iterator[str]:
    """Run cases; yield the table of all of them, and what happened minute by minute."""
    runs: list[Run] = []
    for name in names or CASES:
        for contender in CASES[name].contenders:
            for made in run(CASES[name], contender, is_quick=is_quick):
                print(f"  {' | '.join(map(str, made.row()))}", file=sys.stderr, flush=True)
                runs.append(made)
    yield "## Fleets"
    yield table(_HEAD, [made.row() for made in runs])
    yield (
        "A control plane in a process of its own accepts 50 creates a second after a burst of "
        "50, replies within 20 to 60 ms, makes a stream ACTIVE within 0.5 to 2 s, answers 1 % of "
        "calls with an error 500 (half of them after the work is done) and loses 0.5 % of the "
        "replies. Of the quota: accepted creates, those included that end in a conflict or a "
        "fault, divided by what the quota allows from the first create to the last accepted one."
    )
    yield from (made.minutes() for made in runs if made.case == CASES["quota20"].name)


# Soak

_WEATHER: tuple[Mapping[str, Any], ...] = (
    {},
    {"errors": 0.2, "lost": 0.1},
    {},
    {"rate": 0.0, "burst": 0.0},
    {},
    {"neighbour": 40.0},
    {"latency": (0.5, 2.0)},
    {"denied": ("ListStreams",)},
)


def soak(minutes: float) -> Iterator[str]:
    """Create fleets under changing faults; yield what each came to."""
    end, rows = time.monotonic() + 60 * minutes, []
    for contender in cycle(FLEETS):
        usual = {**_FAULTS, "rate": 50.0, "burst": 50.0, "neighbour": 0.0, "latency": (0.02, 0.06)}
        weather = cycle({**usual, "denied": (), **change} for change in _WEATHER for _ in range(10))
        with running(**usual) as plane:
            count = 5_000
            outcome = attempt(
                contender, count, {}, plane, lambda w=weather, p=plane: p.control(**next(w))
            )
            (stats,) = plane.stats().values()
        twice = sum(times > 1 for times in stats["created"].values())
        failed = len(outcome["failed"])
        is_whole = outcome["results"] == count and not outcome["repeated"] and not twice
        memory = f"{outcome['memory']:.0f} MiB"
        verdict = "yes" if is_whole else "NO"
        rows.append((contender, f"{outcome['wall']:.0f} s", verdict, f"{failed:,}", memory))
        print(f"  {rows[-1]}", file=sys.stderr, flush=True)
        if time.monotonic() > end:
            break
    yield "## Soak: 5,000 streams while faults change every ten seconds"
    yield table(("How", "Wall time", "One result each, none made twice", "Errors", "Memory"), rows)
