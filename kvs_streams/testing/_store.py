"""The existing streams, and how polls and the script change them."""

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from zlib import crc32

from attrs import define, evolve

from ._core import StreamArn, StreamStatus, shown
from ._records import ACCOUNT_ID, StreamRecord
from ._script import Rule

_WHICH = "pass region_name, or ask streams_in(region_name)"
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _partition(region: str) -> str:
    names = (name for start, name in _PARTITIONS.items() if region.startswith(start))
    return next(names, "aws")


@define
class Stream:
    """An existing stream, and the rules for it."""

    record: StreamRecord
    hold: Rule | None = None
    """The rule that keeps it in its status."""
    polls: int | None = None
    """How many more polls show that status; ``None``: until the stream is released."""
    hiding: Rule | None = None
    hidden: int = 0
    """How many more polls do not find it."""

    def change(self, **changes: Any) -> None:
        """Change the stream."""
        self.record = evolve(self.record, **changes)

    def held(self, rule: Rule, status: str) -> None:
        """Keep the stream in a status."""
        self.hold, self.polls = rule, rule.value
        self.change(status=StreamStatus(status))

    def touch(self) -> None:
        """Mark the rule that holds the stream as used."""
        if self.hold is not None:
            self.hold.used = True

    def info(self) -> dict[str, object]:
        """Return the stream in the form of describe_stream and list_streams."""
        return {
            "DeviceName": self.record.device_name,
            "StreamName": self.record.stream_name,
            "StreamARN": self.record.stream_arn,
            "MediaType": self.record.media_type,
            "KmsKeyId": self.record.kms_key_id,
            "Version": self.record.version,
            "Status": self.record.status,
            "CreationTime": self.record.creation_time.timestamp(),
            "DataRetentionInHours": self.record.data_retention_in_hours,
        }

    def host(self, kind: str) -> str:
        """Return the host for its media, in AWS's form."""
        code, region = crc32(self.record.stream_arn.encode()), self.record.region_name
        end = ".cn" if region.startswith("cn-") else ""
        return f"https://{kind}-{code:08x}.kinesisvideo.{region}.amazonaws.com{end}"


class Store:
    """The streams of one account, by region and name."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, str], Stream] = {}
        self._latest: dict[tuple[str, str], int] = {}
        self.versions = (f"version{number}" for number in itertools.count(1))

    def create(self, region: str, parameters: Mapping[str, Any], now_ms: int) -> Stream:
        """Create a stream, in the status ACTIVE."""
        name = parameters["StreamName"]
        # A stream that is deleted and created again within a millisecond must still have another
        # ARN.
        suffix = max(now_ms, self._latest.get((region, name), 0) + 1)
        self._latest[region, name] = suffix
        partition = _partition(region)
        arn = f"arn:{partition}:kinesisvideo:{region}:{ACCOUNT_ID}:stream/{name}/{suffix}"
        key = f"arn:{partition}:kms:{region}:{ACCOUNT_ID}:alias/aws/kinesisvideo"
        record = StreamRecord(
            stream_name=name,
            stream_arn=StreamArn(arn),
            status=StreamStatus.ACTIVE,
            region_name=region,
            creation_time=_EPOCH + timedelta(milliseconds=suffix),
            version=next(self.versions),
            device_name=parameters.get("DeviceName"),
            media_type=parameters.get("MediaType"),
            kms_key_id=parameters.get("KmsKeyId") or key,
            data_retention_in_hours=parameters.get("DataRetentionInHours") or 0,
            tags=dict(parameters.get("Tags") or {}),
            default_storage_tier=tier_in(parameters),
        )
        stream = self._streams[region, name] = Stream(record)
        return stream

    def delete(self, stream: Stream) -> None:
        """Remove a stream."""
        del self._streams[stream.record.region_name, stream.record.stream_name]

    def all(self, region: str | None = None, name: str | None = None) -> list[Stream]:
        """Return all streams, or those of a region, of a name, or both."""
        items = self._streams.items()
        return [each for (r, n), each in items if region in {None, r} and name in {None, n}]

    def named(self, region: str | None = None, name: str | None = None) -> dict[str, Stream]:
        """Return these streams by name; refuse a name that exists in two regions."""
        found: dict[str, Stream] = {}
        for stream in self.all(region, name):
            record = stream.record
            other = found.setdefault(record.stream_name, stream).record.region_name
            if other != record.region_name:
                both = f"{other} and in {record.region_name}"
                raise LookupError(f"stream {shown(record.stream_name)} exists in {both}: {_WHICH}")
        return found

    def find(self, region: str, name: str | None, arn: str | None) -> Stream | None:
        """Find a stream by its name, its ARN, or both."""
        in_arn = (arn or "").partition("/")[2].partition("/")[0]
        stream = self._streams.get((region, name or in_arn))
        return stream if stream and arn in {None, stream.record.stream_arn} else None

    def release(self, stream: Stream) -> bool:
        """Release a held stream: it becomes ACTIVE, or is gone if it was being deleted."""
        stream.hold = None
        if stream.record.status == StreamStatus.DELETING:
            self.delete(stream)
            return False
        stream.change(status=StreamStatus.ACTIVE)
        return True

    def shows(self, stream: Stream) -> bool:
        """Return whether a poll finds a stream, and count the poll."""
        if stream.hidden and stream.hiding is not None:
            stream.hidden -= 1
            stream.hiding.used = True
            return False
        stream.touch()
        if stream.hold is not None and stream.polls is not None:
            stream.polls -= 1
            if stream.polls < 0:
                return self.release(stream)
        return True


def tier_in(parameters: Mapping[str, Any]) -> str:
    """Return the storage tier of a request."""
    storage: dict[str, str] = parameters.get("StreamStorageConfiguration") or {}
    return str(storage.get("DefaultStorageTier") or "HOT")
