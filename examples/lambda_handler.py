"""An AWS Lambda function that makes sure that a camera has a stream.

The event has boto3's own keys: ``{"StreamName": "door.cam-01", "MediaType": "video/h264"}``.
Run this file to see it answer two events on a mock of the service, without an AWS account.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from botocore.config import Config

from kvs_streams import (
    CreateStreamRequest,
    KvsStreamsError,
    RequestValidationError,
    StreamsClient,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

# Seconds left for the calls that can follow the deadline: one in flight, which is not interrupted,
# and up to three reads. With this Config a call takes at most 2 attempts of 3 + 5 s.
MARGIN = 20.0


class Context(Protocol):
    """What Lambda passes to a handler, as far as it is used here."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time until Lambda ends the function."""
        ...


@cache
def streams() -> StreamsClient:
    """Return the client, which lives as long as the execution environment."""
    return StreamsClient(
        config=Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    )


def handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Create the stream if it is missing; return JSON that says what came of it.

    Raises:
        KvsStreamsError: If the same event can succeed later; Lambda or the queue runs it again.
    """
    try:
        request = CreateStreamRequest.from_boto(event)
    except RequestValidationError as error:
        return {"ok": False, "faults": [violation.message for violation in error.violations]}

    remaining = context.get_remaining_time_in_millis() / 1000
    try:
        ensured = streams().ensure_stream(request, timeout=max(0.0, remaining - MARGIN))
    except WaitTimeoutError as error:
        # Not ACTIVE yet, perhaps not created (see error.created): send the event again.
        return {"ok": False, "pending": True, "status": error.last_status}
    except KvsStreamsError as error:
        if error.retryable:
            raise
        return {"ok": False, "code": type(error).__name__, "error": str(error)}
    return {"ok": True, "arn": ensured.stream.stream_arn, "outcome": ensured.outcome}


def main() -> None:
    """Answer two events on a mock of the service."""
    from kvs_streams.testing import mock_kvs

    class OneMinute:
        def get_remaining_time_in_millis(self) -> int:
            return 60_000

    with mock_kvs():
        for event in (
            {"StreamName": "door.cam-01", "MediaType": "video/h264", "Tags": {"site": "HQ"}},
            {"StreamName": "door 1", "Retention": 24},
        ):
            print(json.dumps(handler(event, OneMinute()), indent=2))


if __name__ == "__main__":
    main()
