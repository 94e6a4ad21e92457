"""Provision fleets in many accounts and regions on a Dask cluster.

Each argument is a fleet: a profile of your AWS configuration, a region, and a file such as
``cameras.csv``, which is checked as in ``provision.py``. It asks before anything is created::

    python many_accounts.py osaka/ap-northeast-1=osaka.csv zurich/eu-central-1=zurich.csv

The cluster is two processes of this machine, or the one at ``--scheduler tcp://HOST:8786``, whose
workers need kvs_streams and the profiles. Needs ``pip install kvs_streams distributed tqdm``.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import distributed
from provision import ask, read_fleet

from kvs_streams import CreateStreamRequest, EnsuredStream, KvsStreamsError, StreamsClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Dask is typed only in part.
dask: Any = distributed

Result = tuple[CreateStreamRequest, EnsuredStream | KvsStreamsError]


class Place(NamedTuple):
    """An account, by the profile that leads to it, and a region: together they have one quota."""

    profile: str
    region: str

    def __str__(self) -> str:
        """Write it as on the command line."""
        return f"{self.profile}/{self.region}"


def provision(place: Place, fleet: Sequence[CreateStreamRequest]) -> list[Result]:
    """Provision one account and region; this runs on a worker.

    The session is built here, since sessions and clients do not pickle. Where workers have no
    profiles, assume a role of the account with the worker's own credentials instead:
    ``sts.assume_role(RoleArn=..., RoleSessionName="fleet")["Credentials"]`` has what
    ``boto3.Session(aws_access_key_id=...)`` takes.
    """
    session = boto3.Session(profile_name=place.profile, region_name=place.region)
    with StreamsClient(session=session) as client:
        return list(client.ensure_streams(fleet))


def provision_all(
    cluster: Any, fleets: Mapping[Place, Sequence[CreateStreamRequest]]
) -> Iterator[tuple[Place, list[Result] | Exception]]:
    """Run one task for each account and region; yield each as it ends, with what stopped it."""
    # Not pure: the same arguments again are another run, not a result to keep.
    tasks = {cluster.submit(provision, *item, pure=False): item[0] for item in fleets.items()}
    for task in dask.as_completed(tasks):
        error: Exception | None = task.exception()
        yield tasks[task], task.result() if error is None else error


def report(place: Place, results: list[Result] | Exception) -> int:
    """Print what came of one account and region; return the number of failures."""
    if isinstance(results, Exception):
        print(f"{place}: {type(results).__name__}: {results}")
        return 1
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    for request, result in results:
        if isinstance(result, KvsStreamsError):
            failures.append(f"  {request.stream_name}: {type(result).__name__}: {result}")
        else:
            outcomes[result.outcome.value] += 1
    counts = [f"{name} {count}" for name, count in outcomes.items()]
    print(f"{place}: {', '.join([*counts, f'failed {len(failures)}'])}", *failures, sep="\n")
    return len(failures)


def main() -> int:
    """Provision all fleets; return the exit status."""
    parser = argparse.ArgumentParser(description=f"{__doc__}".partition("\n")[0])
    parser.add_argument("fleets", nargs="+", metavar="PROFILE/REGION=FILE")
    parser.add_argument("--scheduler", help="the address of a Dask scheduler")
    arguments = parser.parse_args()
    fleets: dict[Place, list[CreateStreamRequest]] = {}
    faults: list[str] = []
    for text in arguments.fleets:
        where, _, path = text.partition("=")
        profile, _, region = where.rpartition("/")
        try:
            requests, found = read_fleet(Path(path))
        except OSError as error:
            parser.error(str(error))
        # Two files for one account and region are one fleet: they share its quota.
        fleets.setdefault(Place(profile, region), []).extend(requests)
        faults += found
    if faults:
        print(*faults, "Nothing was created.", sep="\n", file=sys.stderr)
        return 2
    count = sum(map(len, fleets.values()))
    if not ask(f"Create up to {count} streams in {', '.join(map(str, fleets))}?"):
        print("Nothing was created.")
        return 0
    # A task keeps its thread for as long as its fleet takes, and uses a fraction of a core.
    local = {"n_workers": 2, "threads_per_worker": 4, "dashboard_address": "127.0.0.1:0"}
    with dask.Client(arguments.scheduler, **({} if arguments.scheduler else local)) as cluster:
        failed = sum(report(*item) for item in provision_all(cluster, fleets))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
