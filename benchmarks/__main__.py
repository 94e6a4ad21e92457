"""Measure everything, print it and write docs/explanation/speed.md: ``python -m benchmarks``."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from . import calls, fleet, growth, report, server, soak, starts, validation
from .pairs import Times
from .report import table

_REPORT = Path(__file__).parent.parent / "docs" / "explanation" / "speed.md"
_MICRO = 1e6
_MILLI = 1e3


class _Bench:
    """One run: where the service is, and how many rounds each figure takes."""

    def __init__(self, url: str, scale: float) -> None:
        self.url = url
        self._scale = scale

    def rounds(self, usual: int) -> int:
        """Return how many rounds to take, in whole parts of ten."""
        return max(10, round(usual * self._scale / 10) * 10)

    def whole_calls(self) -> Iterator[str]:
        """Case (a)."""
        yield "## (a) A whole call, compared with boto3"
        rows: list[tuple[object, ...]] = []

        def add(case: str, shape: str, times: Times) -> None:
            ratio = times.ratio(calls.OURS, calls.RAW, calls.CONTROL)
            base = f"{times.median(calls.RAW) * _MICRO:.0f} µs"
            control = f"{ratio.control:.3f}"
            least = times.ratio(calls.FLOOR, calls.RAW, calls.CONTROL)
            rows.append((case, shape, base, control, ratio, least))

        http, stub = self.rounds(2_000), self.rounds(4_000)
        for shape in calls.SHAPES:
            add("HTTP", shape, calls.over_http(self.url, shape, http))
            add("HTTP, async", shape, calls.over_http_async(self.url, shape, http))
            add("aiobotocore", shape, calls.over_aiobotocore(self.url, shape, http))
            add("Stubber", shape, calls.with_stubber(shape, stub))
            add("Stubber, async", shape, calls.with_stubber_async(shape, stub))
        head = ("Over", "Request", "Raw", "Raw / raw", "Ours / raw, net", "Floor")
        yield table(head, rows)
        yield (
            "The floor is the least that any typed wrapper has to do, measured in the same rounds: "
            "put the values into a frozen attrs object, turn that into a dictionary for boto3, and "
            "put the response into a frozen attrs object. It does not validate, retry or translate "
            "errors (`benchmarks/floor.py`)."
        )

    def validators(self) -> Iterator[str]:
        """Case (b)."""
        validation.check_rules()
        yield "## (b) Creating and validating a request, compared with other validators"
        measured = {case: validation.measure(case, self.rounds(100)) for case in validation.CASES}
        names = [*validation.RIVALS, validation.BOTOCORE]
        rows = [
            (case, *(f"{times.median(name) * _MICRO:.1f} µs" for name in names))
            for case, times in measured.items()
        ]
        yield table(("Request", *names), rows)
        pydantic, rust, botocore = validation.PYDANTIC, validation.RUST, validation.BOTOCORE
        ratios_by_case: list[tuple[object, ...]] = []
        for case, times in measured.items():
            single = validation.one_at_a_time(case, self.rounds(1_000))
            ratios = [
                measured_by.ratio(validation.OURS, base, base + validation.AGAIN)
                for measured_by, base in (
                    (times, pydantic),
                    (times, rust),
                    (times, botocore),
                    (single, pydantic),
                )
            ]
            ratios_by_case.append((case, *ratios))
        one_by_one = f"{pydantic}, one at a time"
        yield table(("Ours / theirs, net", pydantic, rust, botocore, one_by_one), ratios_by_case)
        looks = validation.one_look(self.rounds(50))
        dearer = looks.ratio(validation.EACH, validation.LOOK, validation.LOOK + validation.AGAIN)
        yield (
            "If the 50 tags of a request have to be checked one by one, as some valid ones do, it "
            f"takes {dearer} times as long as when one check of all tags joined together is enough."
        )
        yield "### Where the time goes"
        parts = (validation.OBJECTS, validation.PATTERNS, validation.LOOK)
        shares: list[tuple[object, ...]] = []
        for case, times in measured.items():
            ratios = [times.ratio(part, botocore, botocore + validation.AGAIN) for part in parts]
            least = sum(ratio.value for ratio in ratios)
            ours = times.ratio(validation.OURS, botocore, botocore + validation.AGAIN)
            shares.append((case, *ratios, f"{least:.3f}", ours))
        yield table(("Shares of ParamValidator", *parts, "Floor", validation.OURS), shares)
        yield (
            "Each part measured on its own: creating the objects with a copy of the tags and "
            "without any checks, matching each text, and matching the texts of all tags joined "
            "together. The floor is the sum of the three: the least that is possible as long as "
            "requests are frozen attrs objects with their own copy of the tags, and patterns are "
            "matched with Python's `re`."
        )

    def refusals(self) -> Iterator[str]:
        """Case (c)."""
        yield "## (c) Rejecting a bad request"
        rows: list[tuple[object, ...]] = []
        for where, cases in calls.refusals(self.url, self.rounds(600)).items():
            for name, times in cases.items():
                ratio = times.ratio(calls.OURS, calls.RAW, calls.CONTROL)
                base, ours = times.median(calls.RAW), times.median(calls.OURS)
                rows.append(
                    (name, where, f"{base * _MICRO:.0f} µs", f"{ours * _MICRO:.0f} µs", ratio)
                )
        yield table(("Fault", "Raw boto3: rejected", "Raw boto3", "Ours", "Ours / raw, net"), rows)

    def imports(self) -> Iterator[str]:
        """Case (d)."""
        yield "## (d) Imports, compared with `import boto3`"
        processor, wall = starts.imports(self.rounds(40))
        rows: list[tuple[object, ...]] = []
        for name in starts.BARE, starts.MODELS, starts.CLIENT:
            ratio = processor.ratio(name, starts.BOTO3, starts.AGAIN)
            on_the_clock = wall.ratio(name, starts.BOTO3, starts.AGAIN)
            unwanted = sorted(starts.loaded(name).intersection(starts.FORBIDDEN))
            loads = "-" if name == starts.CLIENT else ", ".join(unwanted) or "none"
            cost = f"{processor.median(name) * _MILLI:.1f} ms"
            rows.append((f"`{starts.IMPORTS[name]}`", cost, ratio, on_the_clock, loads))
        yield table(
            ("Import", "Processor time", "Share, net", "Share on the clock", "Forbidden"), rows
        )
        base = processor.median(starts.BOTO3) * _MILLI
        yield (
            f"`import boto3` takes {base:.0f} ms of processor time. Forbidden for the first two: "
            f"{', '.join(f'`{name}`' for name in starts.FORBIDDEN)}."
        )

    def first_stream(self) -> Iterator[str]:
        """Case (e)."""
        yield "## (e) From process start to the first created stream"
        rows: list[tuple[object, ...]] = []
        for what, times in zip(
            ("processor time", "wall clock"),
            starts.first_stream(self.url, self.rounds(60)),
            strict=True,
        ):
            ratio = times.ratio(starts.OURS, starts.RAW, starts.CONTROL)
            base = f"{times.median(starts.RAW) * _MILLI:.0f} ms"
            floor = times.ratio(starts.WITH_ATTRS, starts.RAW, starts.CONTROL)
            control = f"{ratio.control:.3f}"
            rows.append((what, base, control, ratio, floor))
        head = ("What", "Raw boto3", "Raw / raw", "Ours / raw, net", "Floor")
        yield table(head, rows)
        yield (
            "The floor is the boto3 script plus one line, `import attrs`: the only package that "
            "this library loads and boto3 does not."
        )

    def growth(self) -> Iterator[str]:
        """Case (f)."""
        yield "## (f) How time and memory grow"
        yield "### Time with tags, in units of one tag"
        rows: list[tuple[object, ...]] = []
        for label, ascii_only in (("ASCII", True), ("non-ASCII", False)):
            times = growth.by_tags(self.rounds(1_500), ascii_only=ascii_only)
            first = str(growth.TAG_COUNTS[0])
            ratios = [times.ratio(str(count), first).value for count in growth.TAG_COUNTS]
            at = dict(zip(growth.TAG_COUNTS, ratios, strict=True))
            bend = (at[50] - at[30]) / (at[30] - at[10])
            rows.append((label, *(f"{ratio:.2f}" for ratio in ratios), f"{bend:.2f}"))
        yield table(("Tags", *growth.TAG_COUNTS, "30 to 50 / 10 to 30"), rows)
        yield "The last column is 1 where growth is linear, and 2 where it is quadratic."
        yield "### Memory, in bytes per request held"
        held = growth.memory()
        yield table(
            ("Requests held", *(f"{count:,}" for count in growth.REQUEST_COUNTS)),
            [(kind, *(f"{size:.0f}" for size in sizes)) for kind, sizes in held.items()],
        )
        yield "### Time of a call over HTTP, by threads that share one client"
        threads = [
            (
                count,
                f"{times.median(calls.RAW) / growth.CALLS * _MICRO:.0f} µs",
                times.ratio(calls.OURS, calls.RAW, calls.CONTROL),
            )
            for count, times in growth.by_threads(self.url, self.rounds(20)).items()
        ]
        yield table(("Threads", "Raw boto3", "Ours / raw, net"), threads)


_CASES: dict[str, Callable[[_Bench], Iterator[str]]] = {
    "a": _Bench.whole_calls,
    "b": _Bench.validators,
    "c": _Bench.refusals,
    "d": _Bench.imports,
    "e": _Bench.first_stream,
    "f": _Bench.growth,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the cases asked for; a run of all of them writes the report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "cases",
        nargs="*",
        help="which to run, of a to f, by default all; fleet: those of a fleet; soak: under faults",
    )
    parser.add_argument(
        "--scale", type=float, default=1.0, help="rounds in units of the usual, such as 0.1 or 5"
    )
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["fleet"]:
        fleet.main(given[1:])
        return
    if given[:1] == ["soak"]:
        soak.main(given[1:])
        return
    options = parser.parse_args(given)
    chosen = options.cases or list(_CASES)
    if unknown := set(chosen) - set(_CASES):
        parser.error(f"there is no case {', '.join(sorted(unknown))}")
    start = time.monotonic()
    sections: list[str] = []
    with server.serving() as url:
        bench = _Bench(url, options.scale)
        for case in chosen:
            for section in _CASES[case](bench):
                print(f"\n{section}", flush=True)
                sections.append(section)
    around = report.circumstances(time.monotonic() - start)
    print(f"\n{around}")
    if chosen == list(_CASES):
        report.write(_REPORT, ["## What was measured, and where", around, *sections])
        print(f"\nWritten to {_REPORT}")


if __name__ == "__main__":
    main()
