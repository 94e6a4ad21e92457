"""Provision the cameras of a CSV file: one stream for each row, at the pace that AWS allows.

Every fault of the file is reported by line before anything is created. Running it again resumes.

By default it runs on a simulated service on this machine, which enforces AWS's quotas and keeps
its streams in ``build/fleet.json``; this needs a clone of the repository. With ``--aws`` it runs on
your own account and region, and asks first. Needs ``pip install kvs_streams tqdm``.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from contextlib import ExitStack, closing, contextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from tqdm import tqdm

from kvs_streams import (
    CreateStreamRequest,
    EnsureOutcome,
    KvsStreamsError,
    RequestValidationError,
    StreamsClient,
)

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(__file__).resolve().parent.parent
CAMERAS = Path(__file__).with_name("cameras.csv")
STATE = ROOT / "build" / "fleet.json"
CREATED = Path("created-streams.txt")

# The columns of the file, by AWS's names; ``tag:site`` is a column for the tag ``site``.
COLUMNS = {
    "stream_name": "StreamName",
    "media_type": "MediaType",
    "data_retention_in_hours": "DataRetentionInHours",
    "device_name": "DeviceName",
    "kms_key_id": "KmsKeyId",
    "default_storage_tier": "DefaultStorageTier",
}
REQUIRED = ("stream_name", "media_type", "data_retention_in_hours")
TAG = "tag:"


def read_rows(path: Path, faults: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that has a value, with the line where it starts."""
    data, line = path.read_bytes(), 1
    try:
        rows = csv.reader(StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        for row in rows:
            if any(cells := [cell.strip() for cell in row]):
                yield line, cells
            line = rows.line_num + 1
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        faults.append(f"{path.name}:{line}: this is not UTF-8 text")
    except csv.Error as error:
        faults.append(f"{path.name}:{line}: {error}")


def read_fleet(path: Path) -> tuple[list[CreateStreamRequest], list[str]]:
    """Return a request for each row, and all faults of the file, each with its line."""
    fleet: list[CreateStreamRequest] = []
    faults: list[str] = []
    rows = read_rows(path, faults)
    first, columns = next(rows, (1, list[str]()))
    header = [f"there is no column {name}" for name in REQUIRED if name not in columns]
    for name, count in Counter(columns).items():
        if name not in COLUMNS and not name.startswith(TAG):
            header.append(f"there is no setting for the column {name!r}; a tag's is {TAG + name!r}")
        if count > 1:
            header.append(f"the column {name!r} occurs {count} times")
    if faults or header:
        return fleet, faults or [f"{path.name}:{first}: {fault}" for fault in header]
    lines: dict[str, int] = {}
    for line, row in rows:
        where = f"{path.name}:{line}"
        if len(row) != len(columns):
            hint = "a value that contains a comma needs quotes"
            faults.append(f"{where}: {len(row)} values for {len(columns)} columns; {hint}")
            continue
        cells = dict(zip(columns, row, strict=True))
        name = cells["stream_name"]
        if name and lines.setdefault(name, line) != line:
            faults.append(f"{where}: stream_name {name!r} is already on line {lines[name]}")
        try:
            fleet.append(to_request(cells))
        except RequestValidationError as error:
            faults += [f"{where}: {violation.message}" for violation in error.violations]
    return fleet, faults


def to_request(cells: dict[str, str]) -> CreateStreamRequest:
    """Return the request for one row; an empty cell is not sent."""
    given = {name: text for name, text in cells.items() if text}
    kwargs: dict[str, object] = {COLUMNS[name]: given[name] for name in COLUMNS if name in given}
    # What is not a number stays text, which the request reports along with its other faults.
    with suppress(ValueError):
        kwargs["DataRetentionInHours"] = int(given.get("data_retention_in_hours", ""))
    if tier := kwargs.pop("DefaultStorageTier", None):
        kwargs["StreamStorageConfiguration"] = {"DefaultStorageTier": tier}
    kwargs["Tags"] = {name[len(TAG) :]: given[name] for name in given if name.startswith(TAG)}
    return CreateStreamRequest.from_boto(kwargs)


def provision(client: StreamsClient, fleet: list[CreateStreamRequest], created: list[str]) -> int:
    """Create what is missing and print a summary; return the exit status.

    The ARN of each stream that this run creates is added to ``created``.
    """
    outcomes: Counter[str] = Counter()
    failures: list[str] = []
    status = 0
    with closing(client.ensure_streams(fleet)) as results:
        try:
            for request, result in tqdm(results, total=len(fleet), unit=" streams"):
                if isinstance(result, KvsStreamsError):
                    outcomes[kind := type(result).__name__] += 1
                    failures.append(f"{request.stream_name}: {kind}: {result}")
                else:
                    outcomes[result.outcome.value] += 1
                    if result.outcome is not EnsureOutcome.EXISTING:
                        created.append(result.stream.stream_arn)
        except KeyboardInterrupt:
            status = 130
    print(*failures, sep="\n", end="\n" if failures else "", file=sys.stderr)
    for outcome, count in outcomes.most_common():
        is_recovered = outcome == EnsureOutcome.RECOVERED.value
        label = f"{outcome} (response lost, resolved)" if is_recovered else outcome
        print(f"{label:<40}{count:>6}")
    if existing := outcomes[EnsureOutcome.EXISTING.value]:
        print(f"Resumed: {existing} of {len(fleet)} streams existed already.")
    ready = outcomes.total() - len(failures)
    if ready == len(fleet):
        print("All streams are ACTIVE.")
        return 0
    print(f"Not confirmed as ACTIVE: {len(fleet) - ready} of {len(fleet)}. Run it again to resume.")
    return status or 1


@contextmanager
def embedded(region: str | None) -> Generator[StreamsClient, None, None]:
    """Yield a client of a simulated service in its own process, with a few faults as in life."""
    sys.path.append(str(ROOT))
    from benchmarks.control_plane import running

    print(f"This is a simulation; nothing reaches AWS. Its streams are in {STATE}.")
    print("To start over, delete that file.")
    STATE.parent.mkdir(exist_ok=True)
    with running(state=STATE, errors=0.01, lost=0.005) as plane:
        session = boto3.Session(
            aws_access_key_id=f"AKID{plane.account}",
            aws_secret_access_key="made-up",
            region_name=region or plane.region,
        )
        with StreamsClient(session=session, endpoint_url=plane.url) as client:
            yield client


def explain_deletion(created: list[str], region: str) -> None:
    """Print the command that deletes what this run created."""
    if created:
        CREATED.write_text("".join(f"{arn}\n" for arn in created), encoding="utf-8")
        command = f"aws kinesisvideo delete-stream --region {region} --stream-arn"
        print(f"To delete the {len(created)} streams that this run created:")
        print(f"xargs -n 1 {command} < {CREATED}")


def ask(question: str) -> bool:
    """Return whether the person at the terminal says yes."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def main() -> int:
    """Provision the fleet; return the exit status."""
    parser = argparse.ArgumentParser(description=f"{__doc__}".partition("\n")[0])
    parser.add_argument("--csv", type=Path, default=CAMERAS, help="the file of cameras")
    parser.add_argument("--aws", action="store_true", help="run on your own AWS account")
    parser.add_argument("--region", help="the region, instead of the configured one")
    arguments = parser.parse_args()
    try:
        fleet, faults = read_fleet(arguments.csv)
    except OSError as error:
        parser.error(str(error))
    if faults:
        print(*faults, "Nothing was created.", sep="\n", file=sys.stderr)
        return 2
    try:
        with ExitStack() as stack:
            region = arguments.region
            made = StreamsClient(region_name=region) if arguments.aws else embedded(region)
            client = stack.enter_context(made)
            where = client.boto_client.meta.region_name
            question = f"Create up to {len(fleet)} streams in your account, region {where}?"
            if arguments.aws and not ask(question):
                print("Nothing was created.")
                return 0
            created: list[str] = []
            status = provision(client, fleet, created)
            if arguments.aws:
                explain_deletion(created, where)
            return status
    except KvsStreamsError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
