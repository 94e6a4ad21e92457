"""The kit's records, and its error."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from ._core import StreamArn, StreamStatus

ACCOUNT_ID = "123456789012"
_WAY_OUT = (
    "Remove those that the test does not need, call clear() when the rest is no longer needed, "
    "or allow them: mock_kvs(allow_unused=True), in pytest "
    "@pytest.mark.kvs_options(allow_unused=True)."
)


@frozen
class Call:
    """One request that reached the service.

    botocore's retries are requests of their own: ``attempt`` tells them apart.
    """

    operation: str
    """The operation by boto3's name, such as ``create_stream``."""

    parameters: Mapping[str, Any] = field(hash=False)
    """The parameters by AWS's names, as they arrived."""

    attempt: int
    """1 for a call's first request, 2 for botocore's first retry, and so on."""

    error: str | None
    """The error code of the response; ``ConnectionClosedError`` if the connection was dropped."""

    region_name: str
    """The region that was called."""

    account_id: str = ACCOUNT_ID
    """The account of the caller: always ``123456789012``."""


@frozen(kw_only=True)
class StreamRecord:
    """A stream that exists, with its whole configuration."""

    stream_name: str
    """The stream's name."""

    stream_arn: StreamArn
    """The stream's ARN; its trailing number is the creation time in epoch milliseconds."""

    status: StreamStatus
    """The current status."""

    region_name: str
    """The region of the stream."""

    account_id: str = ACCOUNT_ID
    """The account of the stream: always ``123456789012``."""

    creation_time: datetime
    """When the stream was created, by the kit's clock (aware, UTC)."""

    version: str
    """The version, which each update of the stream changes."""

    device_name: str | None
    """As requested."""

    media_type: str | None
    """As requested."""

    kms_key_id: str
    """As requested; by default the AWS managed key, ``arn:…:alias/aws/kinesisvideo``."""

    data_retention_in_hours: int
    """As requested; 0 by default."""

    tags: Mapping[str, str] = field(hash=False)
    """As requested."""

    default_storage_tier: str
    """As requested; ``HOT`` by default."""


class UnusedFaultError(AssertionError):
    """A fault or rule that the test scripted was not used."""

    unused: tuple[str, ...]
    """Each scripted fault or rule that was not used, in one sentence."""

    def __init__(self, unused: tuple[str, ...], calls: str) -> None:
        super().__init__(unused, calls)
        self.unused = unused
        self.calls = calls

    def __str__(self) -> str:
        """List the unused faults, the requests, and the ways out."""
        sentences = "\n".join(f"  - {sentence}" for sentence in self.unused)
        return (
            f"The test ended, but these scripted faults and rules were not used:\n{sentences}\n"
            f"Requests that were made: {self.calls}.\n{_WAY_OUT}"
        )
