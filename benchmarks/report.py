"""Tables in Markdown: the same text on the terminal and in the report."""

import platform
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pyperf

# What is outside of these two lines in the report is written by hand and kept.
BEGIN = "<!-- Below: written by make bench, not by hand -->"
END = "<!-- Above: written by make bench, not by hand -->"
_PACKAGES = ("kvs_streams", "boto3", "botocore", "aiobotocore", "attrs", "pydantic", "msgspec")


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; columns that mostly hold numbers are set right."""
    texts = [[str(cell) for cell in row] for row in (head, *rows)]
    columns: list[list[str]] = []
    for title, *cells in zip(*texts, strict=True):
        width = max(len(title), *map(len, cells))
        if columns and sum(cell[:1].isdigit() for cell in cells) * 2 > len(cells):
            columns.append([cell.rjust(width) for cell in (title, f"{'-' * (width - 1)}:", *cells)])
        else:
            columns.append([cell.ljust(width) for cell in (title, "-" * width, *cells)])
    return "\n".join(f"| {' | '.join(row)} |" for row in zip(*columns, strict=True))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def circumstances(seconds: float) -> str:
    """Return what ran on what, and how to run it again."""
    known = pyperf.Run([1.0], collect_metadata=True).get_metadata()
    installed = [f"{package} {_version(package)}" for package in _PACKAGES]
    again = f"`make bench ARGS='{' '.join(sys.argv[1:])}'`" if sys.argv[1:] else "`make bench`"
    rows = {
        "Date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "Packages": ", ".join(installed),
        "Machine": f"{known.get('cpu_model_name', platform.machine())}, "
        f"{known.get('cpu_count', '?')} logical processors, {platform.system()}",
        "Load average at the end": f"{known.get('load_avg_1min', 0):.1f}",
        "Took": f"{seconds:.0f} s",
        "Run it again": again,
    }
    return table(("What", "Which"), rows.items())


def write(path: Path, sections: Iterable[str]) -> None:
    """Write the report between the two lines, and keep what is around them."""
    head, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    path.write_text(head + "\n\n".join([BEGIN, *sections, END]) + tail, encoding="utf-8")
