"""Hold mypy and pyright against ``wrong_uses.py``: the lines marked as refused, no more, no less."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WRONG_USES = Path(__file__).with_name("wrong_uses.py")


def mypy() -> Iterator[tuple[int, str]]:
    """Yield the lines that mypy reports, with its words."""
    command = [sys.executable, "-m", "mypy", "--output=json", str(WRONG_USES)]
    for line in subprocess.run(command, capture_output=True, text=True).stdout.splitlines():
        report = json.loads(line)
        if report["severity"] == "error":
            yield report["line"], report["message"]


def pyright() -> Iterator[tuple[int, str]]:
    """Yield the lines that pyright reports, with its words."""
    command = [sys.executable, "-m", "pyright", "--outputjson", str(WRONG_USES)]
    output = subprocess.run(command, capture_output=True, text=True).stdout
    for report in json.loads(output)["generalDiagnostics"]:
        # Lines count from 0 here; an expression without effect is what the file is made of.
        if report["severity"] == "error" and report.get("rule") != "reportUnusedExpression":
            yield report["range"]["start"]["line"] + 1, report["message"]


def main() -> int:
    """Print every difference; return how many there are."""
    lines = WRONG_USES.read_text(encoding="utf-8").splitlines()
    wanted = {number for number, line in enumerate(lines, 1) if line.endswith("# refused")}
    differences = 0
    for checker in mypy, pyright:
        reported = dict(checker())
        for number in sorted(wanted ^ reported.keys()):
            verdict = reported.get(number, "accepted")
            print(f"{checker.__name__}: {WRONG_USES.name}:{number}: {lines[number - 1].strip()}")
            print(f"    {verdict}")
            differences += 1
        print(f"{checker.__name__}: {len(wanted & reported.keys())} of {len(wanted)} lines refused")
    return differences


if __name__ == "__main__":
    sys.exit(main() > 0)
