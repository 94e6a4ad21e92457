"""How many accounts one process serves: ``python -m benchmarks.places``.

Each run has a control plane of its own and, in a process of its own, one thread for each account,
which creates a fleet with ``ensure_streams``. Runs with different numbers of accounts take turns,
so that whatever else the machine does meets all of them. The table goes to the page on many
accounts, with the median of all rounds.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import boto3

from kvs_streams import CreateStreamRequest, EnsuredStream, StreamsClient

from .control_plane import Settings, running

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "many-accounts.md"
BEGIN, END = "<!-- places: written by python -m benchmarks.places -->", "<!-- places: end -->"
_ACCOUNTS, _STREAMS, _ROUNDS = (1, 2, 4, 8, 12), 300, 3
# A small part of a fleet, so that the shares show the rate and not what a rest had saved.
_BURST = 10.0


def create(url: str, account: int) -> int:
    """Create a fleet in one account, and return how many streams are ACTIVE."""
    session = boto3.Session(
        aws_access_key_id=f"AKID{account:012}",
        aws_secret_access_key="made-up",
        region_name="eu-central-1",
    )
    fleet = (
        CreateStreamRequest(
            stream_name=f"camera-{number:06}", media_type="video/h264", data_retention_in_hours=24
        )
        for number in range(_STREAMS)
    )
    with StreamsClient(session=session, endpoint_url=url) as client:
        return sum(isinstance(result, EnsuredStream) for _, result in client.ensure_streams(fleet))


def serve(url: str, accounts: int) -> None:
    """Create fleets in some accounts at a time, and print what the process used."""
    start = time.process_time()
    with ThreadPoolExecutor(accounts) as pool:
        ready = sum(pool.map(create, [url] * accounts, range(accounts)))
    print(json.dumps({"ready": ready, "processor": time.process_time() - start}))


def measure(accounts: int) -> Mapping[str, float]:
    """Return the figures of one run."""
    with running(burst=_BURST) as plane:
        command = [sys.executable, "-m", "benchmarks.places", plane.url, str(accounts)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)  # noqa: S603
        used: dict[str, Any] = json.loads(done.stdout)
        stats = plane.stats().values()
    if used["ready"] != accounts * _STREAMS:
        raise RuntimeError(f"{accounts * _STREAMS - used['ready']} streams are not ready")
    shares = [_STREAMS / (_BURST + Settings.rate * each["seconds"]) for each in stats]
    seconds = max(each["seconds"] for each in stats)
    return {
        "share": 100 * sum(shares) / accounts,
        "rate": accounts * _STREAMS / seconds,
        "processor": 1_000 * used["processor"] / used["ready"],
        "load": os.getloadavg()[0],
    }


def text_of(runs: Mapping[int, Sequence[Mapping[str, float]]]) -> str:
    """Return the table and what follows from it."""
    medians = {
        accounts: {name: median(each[name] for each in rounds) for name in rounds[0]}
        for accounts, rounds in runs.items()
    }
    rows = [
        (
            accounts,
            f"{each['rate']:.0f}",
            f"{each['share']:.0f} %",
            f"{each['processor']:.1f} ms",
            f"{1_000 / each['processor']:.0f}",
        )
        for accounts, each in medians.items()
    ]
    head = (
        "Accounts in one process",
        "Creates per second",
        "Share of their quotas",
        "Processor time of a create",
        "Creates per second of processor time",
    )
    capacity = round(median(1_000 / each["processor"] for each in medians.values()), -1)
    quotas = int(capacity // Settings.rate)
    python = ".".join(map(str, sys.version_info[:2]))
    lines = [head, ["---"] * len(head), *rows]
    shown = "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
    low, high = (1_000 * seconds for seconds in Settings.latency)
    rounds = len(next(iter(runs.values())))
    load = median(each["load"] for each in medians.values())
    return (
        f"{shown}\n\n"
        f"By processor time, one core makes at most about {capacity:.0f} creates per second, "
        f"the default quota of {Settings.rate:.0f} per second in **{quotas} accounts or regions**. "
        "Plan with half of that, so that responses are handled in time.\n\n"
        f"Measured on loopback with Python {python}: {_STREAMS} streams in each account, replies "
        f"in {low:.0f} to {high:.0f} ms, medians of {rounds} rounds in which all rows take turns. "
        f"The machine has {os.cpu_count()} cores and other work (a load of {load:.0f}), which "
        "lowers the rates; the processor time hardly depends on it. "
        "`python -m benchmarks.places` measures again."
    )


def write(text: str, page: Path) -> None:
    """Write the text to its place on the page."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the table: the lines {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")


def main() -> None:
    """Measure in turns, and write the page."""
    if len(sys.argv) > 1:
        serve(sys.argv[1], int(sys.argv[2]))
        return
    runs: dict[int, list[Mapping[str, float]]] = {accounts: [] for accounts in _ACCOUNTS}
    for _ in range(_ROUNDS):
        for accounts, done in runs.items():
            done.append(measure(accounts))
            print(accounts, done[-1], flush=True)
    write(text_of(runs), PAGE)


if __name__ == "__main__":
    main()
