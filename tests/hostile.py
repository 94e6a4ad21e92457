"""Run the tests in an environment that differs from a developer's machine in every known way.

A run prints its seed, from which all random choices follow: ``--seed 7`` repeats a run.
``--runs 20`` runs the whole suite that many times in a row. Other arguments go to pytest.
"""

from __future__ import annotations

import argparse
import os
import random
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
# Where many workers start, starting them takes most of the time: so these get the pages alone.
MANY = (16, 40)
PAGES = ("README.md", "docs")
CLOCKED = ("tests/testing", "tests/test_flows.py", "docs/how-to/wait.md")

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
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "LC_", "LANG", "PYTHON")) and name.lower() != "no_proxy"
    }
    return (
        kept
        | NONSENSE
        | dict.fromkeys(PROXIES, "http://127.0.0.1:1")
        | {
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
    )


@contextmanager
def busy() -> Iterator[None]:
    """Keep every core busy with processes that end by themselves, should nobody end them."""
    burn = "import os, time\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    burners = [subprocess.Popen([sys.executable, "-c", burn]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def run_tests(
    seed: int, uptime: float, workers: int, arguments: Sequence[str], *, load: bool = False
) -> bool:
    """Run pytest once, and say what with; return whether it passed."""
    chance = random.Random(f"{seed} {uptime} {workers}")
    env = environment(chance, uptime)
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(workers), "-p", "randomly"]
    command += ["-p", "no:cacheprovider", f"--randomly-seed={chance.randrange(2**32)}", *arguments]
    shown = {name: env[name] for name in ("TZ", "PYTHONHASHSEED", "HOSTILE_MONOTONIC_SHIFT_NS")}
    print(f"\nseed {seed}: uptime {uptime} s, {workers} workers, {shown}", flush=True)
    print(*command[1:], flush=True)
    if load:
        with busy():
            return not subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
    return not subprocess.run(command, cwd=ROOT, env=env, check=False).returncode


def main() -> int:
    """Run the tests as the arguments say; return 1 if any run failed."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seed", type=int, help="of the first run; by default a random one")
    parser.add_argument(
        "--runs", type=int, help="of the whole suite; by default one and a few short ones"
    )
    options, arguments = parser.parse_known_args()
    seed = random.randrange(10**6) if options.seed is None else options.seed
    failed: list[str] = []

    def record(name: str, passed: bool) -> None:
        if not passed:
            failed.append(name)

    for number in range(seed, seed + (options.runs or 1)):
        # Consecutive seeds go through all the uptimes and numbers of workers.
        uptime, workers = UPTIMES[number % 5], WORKERS[(number + number // 5) % 5]
        passed = run_tests(number, uptime, workers, arguments, load=True)
        record(f"seed {number}", passed)
    if options.runs is None and not arguments:
        for uptime in UPTIMES:
            record(f"uptime {uptime}", run_tests(seed, uptime, 2, CLOCKED))
        for workers in MANY:
            record(f"{workers} workers", run_tests(seed, UPTIMES[0], workers, PAGES))
    print(f"\n{'failed: ' + ', '.join(failed) if failed else 'every run passed'}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
