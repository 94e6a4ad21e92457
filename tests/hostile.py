"""Run the tests in an environment that differs from a developer's machine in every known way.

A run prints its seed, from which all random choices follow: ``--seed 7`` repeats a run.
``--runs 20`` runs the suite that many times in a row. Other arguments go to pytest.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TESTS = Path(__file__).parent
ROOT = TESTS.parent
HOSTILE = TESTS / "support" / "hostile"

SECOND = 1_000_000_000
# A machine that has just booted, one that was booted today, one that has been up for months.
UPTIMES = (0.5, 137.0, 300.1, 86_400.0, 10_368_000.7)
ZONES = ("Asia/Kolkata", "America/St_Johns", "Pacific/Chatham", "Australia/Lord_Howe")
WORKERS = (1, 2, 3, 16, 40)

NONSENSE = {
    "AWS_CA_BUNDLE": "/nowhere/bundle.pem",
    "AWS_CONFIG_FILE": "/nowhere/config",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/nobody",
    "AWS_DATA_PATH": "/nowhere/models",
    "AWS_DEFAULTS_MODE": "nonsense",
    "AWS_DEFAULT_REGION": "nowhere east 1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_KINESIS_VIDEO": "nonsense://",
    "AWS_MAX_ATTEMPTS": "nonsense",
    "AWS_PROFILE": "nobody",
    "AWS_REGION": "nowhere east 2",
    "AWS_RETRY_MODE": "nonsense",
    "AWS_ROLE_ARN": "nonsense",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials",
    "AWS_STS_REGIONAL_ENDPOINTS": "nonsense",
    "AWS_USE_DUALSTACK_ENDPOINT": "nonsense",
    "AWS_USE_FIPS_ENDPOINT": "nonsense",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/token",
}
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def environment(chance: random.Random, uptime: float) -> dict[str, str]:
    """Return a hostile environment for a process."""
    ours = ("AWS_", "LC_", "LANG", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    kept.pop("no_proxy", None)
    kept.pop("NO_PROXY", None)
    return {
        **kept,
        **NONSENSE,
        **dict.fromkeys(PROXIES, "http://127.0.0.1:1"),
        "TZ": chance.choice(ZONES),
        # The C locale, and a Python that does not make UTF-8 of it.
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTHONHASHSEED": str(chance.randrange(2**32)),
        "PYTHONPATH": str(HOSTILE),
        "HOSTILE_MONOTONIC_SHIFT_NS": str(round(uptime * SECOND) - time.monotonic_ns()),
        # Nobody, root included, can make a folder there.
        "HOME": "/proc/nobody",
        "XDG_CACHE_HOME": "/proc/nobody/cache",
    }


@contextmanager
def busy() -> Iterator[None]:
    """Keep every core busy with processes that end at the latest when this one does.

    They step back for whatever else runs, so that a run takes less than twice its time.
    """
    burn = "import os\nos.nice(10)\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    burners = [subprocess.Popen([sys.executable, "-c", burn]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def ignore_interrupts() -> None:
    """Make this process ignore Ctrl-C, as one in the background of a script does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_tests(seed: int, uptime: float, workers: int, arguments: Sequence[str]) -> list[str]:
    """Run pytest once; return how to name the run if it failed."""
    chance = random.Random(f"{seed} {uptime} {workers}")
    env = environment(chance, uptime)
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "-p", "randomly"]
    command += ["-p", "no:cacheprovider", f"--randomly-seed={chance.randrange(2**32)}", *arguments]
    name = f"seed {seed}, uptime {uptime} s, {workers} workers, TZ={env['TZ']}"
    print(f"\n{name}:", *command[1:], flush=True)
    done = subprocess.run(command, cwd=ROOT, env=env, check=False, preexec_fn=ignore_interrupts)
    return [name] if done.returncode else []


def main() -> int:
    """Run the tests as the arguments say; return 1 if any run failed."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the first run"
    )
    parser.add_argument("--runs", type=int, default=1, help="of the whole suite")
    options, arguments = parser.parse_known_args()
    failed = []
    with busy():
        # Any 25 seeds in a row go through every uptime with every number of workers.
        for seed in range(options.seed, options.seed + options.runs):
            uptime = UPTIMES[seed % len(UPTIMES)]
            workers = WORKERS[(seed + seed // len(UPTIMES)) % len(WORKERS)]
            failed += run_tests(seed, uptime, workers, arguments)
    print("", *(f"failed: {name}" for name in failed), f"{len(failed)} runs failed", sep="\n")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
