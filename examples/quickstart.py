"""Create a small fleet of camera streams, and show three failures.

By default it runs on the test kit, which simulates the service in this process: it needs no AWS
account. With ``--aws`` it runs on your own account and region, and asks first.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from kvs_streams import (
    ClientLimitExceededException,
    CreateStreamRequest,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    RequestValidationError,
    ResourceInUseException,
    StreamsClient,
    StreamStorageConfiguration,
    ThrottleRetry,
)
from kvs_streams.testing import mock_kvs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kvs_streams.testing import MockKvs

CAMERAS = Path(__file__).with_name("cameras.toml")


def read_fleet(path: Path) -> list[CreateStreamRequest]:
    """Return one request for each camera in the file."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return [to_request(data["defaults"], camera) for camera in data["camera"]]


def to_request(defaults: dict[str, Any], camera: dict[str, Any]) -> CreateStreamRequest:
    """Return the request for one camera; its own settings override the defaults."""
    settings = defaults | camera
    tier = settings.get("default_storage_tier")
    return CreateStreamRequest(
        stream_name=settings["name"],
        device_name=settings.get("device_name"),
        media_type=settings["media_type"],
        kms_key_id=settings.get("kms_key_id"),
        data_retention_in_hours=timedelta(hours=settings["data_retention_in_hours"]),
        tags=defaults["tags"] | camera["tags"],
        stream_storage_configuration=(
            None if tier is None else StreamStorageConfiguration(default_storage_tier=tier)
        ),
    )


def create_fleet(
    client: StreamsClient, fleet: Iterable[CreateStreamRequest]
) -> list[EnsuredStream]:
    """Create each stream if it is missing, wait until it is ACTIVE, and print a table."""
    print(f"{'STREAM':<25}{'OUTCOME':<10}{'STATUS':<9}{'HOURS':>6}  {'MEDIA':<22}ARN")
    made: list[EnsuredStream] = []
    for request in fleet:
        ensured = client.ensure_stream(request, on_drift="ignore")
        made.append(ensured)
        stream = ensured.stream
        print(
            f"{stream.stream_name:<25}{ensured.outcome:<10}{stream.status:<9}"
            f"{stream.data_retention_in_hours or 0:>6}  {stream.media_type or '-':<22}"
            f"{stream.stream_arn}"
        )
    return made


def show_duplicate(client: StreamsClient, request: CreateStreamRequest) -> None:
    """Create a stream that already exists."""
    print("\n1. A stream that already exists: except ResourceInUseException")
    try:
        client.create_stream(request)
    except ResourceInUseException as error:
        print(f"   {error}")
        print(f"   code={error.code} request_id={error.request_id}")


def show_faults() -> None:
    """Make a request that breaks several rules."""
    print("\n2. A request with several faults: except RequestValidationError, nothing was sent")
    try:
        CreateStreamRequest(
            stream_name="front door!",
            media_type="h264",
            data_retention_in_hours=100_000,
            tags={"aws:site": "HQ", "place": "Lobby <main>"},
        )
    except RequestValidationError as error:
        for violation in error.violations:
            print(f"   {violation.rule:<16} {violation.message}")


def show_throttle(kvs: MockKvs, client: StreamsClient) -> None:
    """Retry two throttles; then turn the retry off, and catch the throttle."""
    print("\n3. A throttle: boto3 gives up, the library retries")
    kvs.fail_next("ClientLimitExceededException", times=2)
    response = client.create_stream(CreateStreamRequest(stream_name="throttled.cam-01"))
    print(f"   created after {response.retry_attempts} retries: {response.stream_arn}")
    print("   and with the retry turned off: except ClientLimitExceededException")
    kvs.fail_next("ClientLimitExceededException")
    impatient = StreamsClient(client.boto_client, throttle_retry=ThrottleRetry(max_attempts=1))
    try:
        impatient.create_stream(CreateStreamRequest(stream_name="throttled.cam-02"))
    except ClientLimitExceededException as error:
        print(f"   {error}")
        print(f"   retryable={error.retryable}")


def ask(question: str) -> bool:
    """Return whether the person at the terminal says yes."""
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def run_embedded() -> None:
    """Show everything on the test kit, in this process."""
    with mock_kvs() as kvs:
        print("Kinesis Video Streams, simulated in this process\n")
        client = kvs.client()
        fleet = read_fleet(CAMERAS)
        create_fleet(client, fleet)
        show_duplicate(client, fleet[0])
        show_faults()
        show_throttle(kvs, client)
    print("\nNothing left this machine. The same on your own account: make quickstart ARGS=--aws")


def run_on_aws(region: str | None) -> None:
    """Create the fleet on the caller's own account, and offer to delete it."""
    with ExitStack() as stack:
        client = stack.enter_context(StreamsClient(region_name=region))
        fleet = read_fleet(CAMERAS)
        # The KMS key in the file does not exist, and the key of a stream can never be changed.
        fleet = [request for request in fleet if request.kms_key_id is None]
        where = client.boto_client.meta.region_name
        if not ask(f"Create {len(fleet)} streams in your account, region {where}?"):
            print("Nothing was created.")
            return
        made = create_fleet(client, fleet)
        show_duplicate(client, fleet[0])
        show_faults()
        own = [item.stream for item in made if item.outcome is not EnsureOutcome.EXISTING]
        if own and ask(f"Delete the {len(own)} streams that this run created?"):
            for stream in own:
                client.boto_client.delete_stream(StreamARN=str(stream.stream_arn))
            print("Deleted.")


def main() -> int:
    """Run the quickstart; return the exit status."""
    parser = argparse.ArgumentParser(description=f"{__doc__}".partition("\n")[0])
    parser.add_argument("--aws", action="store_true", help="run on your own AWS account")
    parser.add_argument("--region", help="with --aws: the region, instead of the configured one")
    arguments = parser.parse_args()
    try:
        if arguments.aws:
            run_on_aws(arguments.region)
        else:
            run_embedded()
    except KvsStreamsError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
