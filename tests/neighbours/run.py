"""Run the kit beside its neighbours, each set of them in an environment of its own.

``python tests/neighbours/run.py DISTRIBUTION [NAME ...]``: DISTRIBUTION is a wheel or the path of
the project, and NAME one of ``RUNS``; by default all of them run. It needs uv on PATH.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
BASIC = {"passed": 7, "failed": 1, "skipped": 1, "error": 1}
TOOLS = {"passed": 11}


class Run(NamedTuple):
    """What is installed, what is run with it, and how it ends."""

    requirements: tuple[str, ...]
    arguments: tuple[str, ...]
    outcome: dict[str, int]


RUNS = {
    "oldest-pytest": Run(("pytest==7.0.1", "pluggy==1.0.0"), ("cameras.py",), BASIC),
    # On such a pytest the plugin does nothing: tests that do not ask for its fixtures run.
    "too-old-pytest": Run(
        ("pytest==6.2.5", "pluggy==1.0.0"),
        ("cameras.py", "-k", "CamerasTest or decorated"),
        {"passed": 2},
    ),
    "newest-pytest": Run(("pytest",), ("cameras.py",), BASIC),
    "xdist": Run(("pytest", "pytest-xdist"), ("cameras.py", "-n2"), BASIC),
    "randomly": Run(("pytest", "pytest-randomly"), ("cameras.py",), BASIC),
    "asyncio-strict": Run(
        ("pytest", "pytest-asyncio", "aiobotocore"),
        ("loops.py", "--asyncio-mode=strict"),
        {"passed": 3},
    ),
    "asyncio-auto": Run(
        ("pytest", "pytest-asyncio", "aiobotocore"),
        ("loops.py", "--asyncio-mode=auto"),
        {"passed": 3},
    ),
    "anyio": Run(("pytest", "anyio", "aiobotocore"), ("loops.py",), {"passed": 3}),
    "tools": Run(
        (
            "pytest",
            "hypothesis",
            "freezegun",
            "time-machine",
            "responses",
            "vcrpy",
            "pytest-socket",
            "fastapi",
            "httpx",
            "django",
        ),
        ("tools.py",),
        TOOLS,
    ),
}


def outcome_of(line: str) -> dict[str, int]:
    """Read the last line of pytest: ``6 passed, 1 failed in 0.5s``."""
    words = line.strip("= ").partition(" in ")[0].split(", ")
    pairs = [word.split() for word in words if word[:1].isdecimal()]
    counts = {name.removesuffix("s"): int(number) for number, name in pairs}
    return {name: counts[name] for name in counts.keys() - {"warning", "deselected"}}


def check(name: str, distribution: str) -> bool:
    """Make an environment, run the tests in it, and tell whether they end as they should."""
    run = RUNS[name]
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        subprocess.run(["uv", "venv", "-q", "-p", sys.executable, folder], check=True)
        install = ["uv", "pip", "install", "-q", "-p", python, f"{distribution}[testing]"]
        subprocess.run([*install, *run.requirements], check=True)
        # Away from the conftest.py of this project.
        shutil.copy(HERE / run.arguments[0], folder)
        command = [python, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "-q"]
        done = subprocess.run(
            [*command, "--rootdir", folder, *run.arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    last = (done.stdout.strip().splitlines() or [""])[-1]
    is_right = outcome_of(last) == run.outcome
    print(f"{'ok' if is_right else 'WRONG':5} {name}: {last}")
    if not is_right:
        print(done.stdout, done.stderr)
    return is_right


def main() -> None:
    """Run what is asked for."""
    distribution, *names = sys.argv[1:]
    results = [check(name, distribution) for name in names or RUNS]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
