"""Run the kit beside its neighbours, each set of them in an environment of its own.

``python tests/neighbours/run.py [NAME ...]``: NAME is one of ``RUNS``; by default all of them run.
It needs uv on PATH.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
BASIC = "1 failed, 7 passed, 1 skipped, 1 error"
LOOPS = "loops.py pytest aiobotocore"
TOOLS = "pytest hypothesis freezegun time-machine vcrpy pytest-socket"
TRACING = "pytest aws-xray-sdk opentelemetry-sdk opentelemetry-instrumentation-botocore"
# Of each: how it ends, the file of tests and what is installed, and pytest's options.
RUNS = {
    "oldest-pytest": (BASIC, "cameras.py pytest==7.0.1 pluggy==1.0.0", []),
    # On such a pytest the plugin does nothing: tests that do not ask for its fixtures run.
    "too-old-pytest": (
        "2 passed, 7 deselected",
        "cameras.py pytest==6.2.5 pluggy==1.0.0",
        ["-k", "CamerasTest or decorated"],
    ),
    "newest-pytest": (BASIC, "cameras.py pytest", []),
    "xdist": (BASIC, "cameras.py pytest pytest-xdist", ["-n2"]),
    "randomly": (BASIC, "cameras.py pytest pytest-randomly", []),
    "asyncio-strict": ("3 passed", f"{LOOPS} pytest-asyncio", ["--asyncio-mode=strict"]),
    "asyncio-auto": ("3 passed", f"{LOOPS} pytest-asyncio", ["--asyncio-mode=auto"]),
    "anyio": ("3 passed", f"{LOOPS} anyio", []),
    "tools": ("5 passed", f"tools.py {TOOLS}", []),
    "tracing": ("3 passed", f"tracing.py {TRACING}", []),
}


def call(command: Sequence[str], folder: str, *, check: bool = True) -> str:
    """Run a command in a folder; return what it prints."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if check and done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def is_right(name: str, wheel: str) -> bool:
    """Make an environment, run the tests in it, and tell whether they end as they should."""
    expected, needed, options = RUNS[name]
    tests, *requirements = needed.split()
    with tempfile.TemporaryDirectory() as folder:
        python = f"{folder}/bin/python"
        call(["uv", "venv", "-q", "-p", sys.executable, "."], folder)
        installed = [f"{wheel}[testing]", *requirements]
        call(["uv", "pip", "install", "-q", "-p", python, *installed], folder)
        # Away from the conftest.py of this project.
        shutil.copy(HERE / tests, folder)
        command = [python, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "-q"]
        printed = call([*command, "--rootdir", folder, tests, *options], folder, check=False)
    last = (printed.strip().splitlines() or [""])[-1].strip("= ")
    # Of warnings any number will do.
    ends_well = last.partition(" in ")[0].partition(", 1 warning")[0] == expected
    print(f"{'ok   ' if ends_well else 'WRONG'} {name}: {last}", flush=True)
    if not ends_well:
        print(printed)
    return ends_well


def main() -> None:
    """Run what is asked for."""
    names = sys.argv[1:] or list(RUNS)
    with tempfile.TemporaryDirectory() as folder:
        call(["uv", "build", "-q", "--wheel", "-o", folder, str(HERE.parents[1])], folder)
        (wheel,) = Path(folder).glob("*.whl")
        results = [is_right(name, str(wheel)) for name in names]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
