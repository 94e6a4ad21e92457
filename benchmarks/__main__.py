"""Measure, and print the report as Markdown: ``python -m benchmarks``."""

import argparse
import time
from collections.abc import Callable, Iterator

from . import calls, fleet, imports, report, validation

_MEASURED: dict[str, Callable[[float], Iterator[str]]] = {
    "imports": imports.report,
    "validation": validation.report,
    "calls": calls.report,
}


def main() -> None:
    """Run what is asked for; by default everything but the soak."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = (*_MEASURED, "fleet")
    parser.add_argument("what", nargs="*", help=f"of {', '.join(names)}; default: all")
    parser.add_argument(
        "--case", nargs="*", default=[], help=f"of a fleet: {', '.join(fleet.CASES)}"
    )
    parser.add_argument("--quick", action="store_true", help="fleets of an eighth of the streams")
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="fleets under changing faults"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="rounds, in units of the usual")
    options = parser.parse_args()
    if unknown := {*options.what} - {*names} or {*options.case} - {*fleet.CASES}:
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    start = time.monotonic()
    for name in options.what or names:
        if name != "fleet":
            sections = _MEASURED[name](options.scale)
        elif options.soak:
            sections = fleet.soak(options.soak)
        else:
            sections = fleet.report(options.case, is_quick=options.quick)
        for section in sections:
            print(f"{section}\n", flush=True)
    print(report.circumstances(time.monotonic() - start))


if __name__ == "__main__":
    main()
