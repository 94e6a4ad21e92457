"""Hold mypy and pyright against ``wrong_uses.py``: the lines marked as refused, no more, no less."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

WRONG_USES = Path(__file__).with_name("wrong_uses.py")
LINES = WRONG_USES.read_text(encoding="utf-8").splitlines()
WANTED = {number for number, line in enumerate(LINES, 1) if line.endswith("# refused")}


def run(*checker: str) -> str:
    """Run a checker over the file; return what it prints."""
    command = [sys.executable, "-m", *checker, str(WRONG_USES)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8").stdout


def main() -> bool:
    """Print every difference; return whether there are any."""
    mypy: list[dict[str, Any]] = [
        json.loads(line) for line in run("mypy", "--output=json").splitlines()
    ]
    pyright: list[dict[str, Any]] = json.loads(run("pyright", "--outputjson"))["generalDiagnostics"]
    reported = {
        "mypy": {each["line"] for each in mypy if each["severity"] == "error"},
        # Lines count from 0 here; an expression without effect is what the file is made of.
        "pyright": {
            each["range"]["start"]["line"] + 1
            for each in pyright
            if each["severity"] == "error" and each.get("rule") != "reportUnusedExpression"
        },
    }
    for checker, numbers in reported.items():
        for number in sorted(WANTED ^ numbers):
            verdict = "refused" if number in numbers else "accepted"
            print(f"{checker}: {verdict}: {WRONG_USES.name}:{number}: {LINES[number - 1].strip()}")
        print(f"{checker}: {len(WANTED & numbers)} of {len(WANTED)} lines refused")
    return any(numbers != WANTED for numbers in reported.values())


if __name__ == "__main__":
    sys.exit(main())
