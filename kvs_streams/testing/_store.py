"""The streams that exist, and how they change with time and with what is scripted."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from zlib import crc32

from attrs import define

from ._core import StreamArn, StreamStatus, shown
from ._records import ACCOUNT_ID, StreamRecord
from ._script import Rule

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_PARTITIONS = {"cn-": ("aws-cn", "amazonaws.com.cn"), "us-gov-": ("aws-us-gov", "amazonaws.com")}


def _partition(region: str) -> tuple[str, str]:
    """Return the partition of a region, and the end of its hosts."""
    found = (each for prefix, each in _PARTITIONS.items() if region.startswith(prefix))
    return next(found, ("aws", "amazonaws.com"))


@define(kw_only=True)
class Stream:
    """A stream that exists."""

    name: str
    arn: str
    region: str
    created_ms: int
    version: str
    device_name: str | None
    media_type: str | None
    kms_key_id: str
    hours: int
    tags: dict[str, str]
    tier: str
    status: str = "ACTIVE"
    hold: Rule | None = None
    """What keeps it in its status."""
    polls: int | None = None
    """How many more polls show that status; ``None``: until the stream is released."""
    hiding: Rule | None = None
    hidden: int = 0
    """How many more times it is not found."""

    def held(self, rule: Rule, status: str) -> None:
        """Keep it in a status."""
        self.hold, self.polls, self.status = rule, rule.value, status

    def info(self) -> dict[str, object]:
        """Return what describe_stream and list_streams show."""
        return {
            "DeviceName": self.device_name,
            "StreamName": self.name,
            "StreamARN": self.arn,
            "MediaType": self.media_type,
            "KmsKeyId": self.kms_key_id,
            "Version": self.version,
            "Status": self.status,
            "CreationTime": self.created_ms / 1000,
            "DataRetentionInHours": self.hours,
        }

    def record(self) -> StreamRecord:
        """Return what a test sees."""
        return StreamRecord(
            stream_name=self.name,
            stream_arn=StreamArn(self.arn),
            status=StreamStatus(self.status),
            region_name=self.region,
            creation_time=_EPOCH + timedelta(milliseconds=self.created_ms),
            version=self.version,
            device_name=self.device_name,
            media_type=self.media_type,
            kms_key_id=self.kms_key_id,
            data_retention_in_hours=self.hours,
            tags=dict(self.tags),
            default_storage_tier=self.tier,
        )

    def host(self, kind: str) -> str:
        """Return the host for its media, in AWS's form."""
        end = _partition(self.region)[1]
        return f"https://{kind}-{crc32(self.arn.encode()):08x}.kinesisvideo.{self.region}.{end}"


class Store:
    """The streams of one account, by region and name."""

    def __init__(self) -> None:
        self._streams: dict[tuple[str, str], Stream] = {}
        self._latest: dict[tuple[str, str], int] = {}
        self._versions = 0

    def create(self, region: str, parameters: Mapping[str, Any], now_ms: int) -> Stream:
        """Create a stream, in the status ACTIVE."""
        name = parameters["StreamName"]
        # A stream that is deleted and created again within a millisecond must differ all the same.
        created_ms = max(now_ms, self._latest.get((region, name), 0) + 1)
        self._latest[region, name] = created_ms
        partition, _ = _partition(region)
        key = f"arn:{partition}:kms:{region}:{ACCOUNT_ID}:alias/aws/kinesisvideo"
        stream = self._streams[region, name] = Stream(
            name=name,
            arn=f"arn:{partition}:kinesisvideo:{region}:{ACCOUNT_ID}:stream/{name}/{created_ms}",
            region=region,
            created_ms=created_ms,
            version=self.next_version(),
            device_name=parameters.get("DeviceName"),
            media_type=parameters.get("MediaType"),
            kms_key_id=parameters.get("KmsKeyId") or key,
            hours=parameters.get("DataRetentionInHours") or 0,
            tags=dict(parameters.get("Tags") or {}),
            tier=tier_in(parameters),
        )
        return stream

    def next_version(self) -> str:
        """Return a version that no stream had before."""
        self._versions += 1
        return f"version{self._versions}"

    def delete(self, stream: Stream) -> None:
        """Remove a stream."""
        del self._streams[stream.region, stream.name]

    def exists(self, stream: Stream) -> bool:
        """Return whether a stream has not been deleted, nor replaced."""
        return self._streams.get((stream.region, stream.name)) is stream

    def all(self, region: str | None = None) -> list[Stream]:
        """Return all streams, or those of a region."""
        return [each for each in self._streams.values() if region in {None, each.region}]

    def find(self, region: str, name: str | None, arn: str | None) -> Stream | None:
        """Find a stream by all that is given of it."""
        for each in self.all(region):
            if name in {None, each.name} and arn in {None, each.arn}:
                return each
        return None

    def release(self, stream: Stream) -> None:
        """Let a held stream go on: it becomes ACTIVE, or is gone if it was being deleted."""
        stream.hold = None
        if stream.status == "DELETING":
            self.delete(stream)
        else:
            stream.status = "ACTIVE"

    def shows(self, stream: Stream) -> bool:
        """Return whether a poll finds a stream, and count the poll."""
        if stream.hidden:
            stream.hidden -= 1
            if stream.hiding is not None:
                stream.hiding.used = True
            return False
        if stream.hold is not None:
            stream.hold.used = True
            if stream.polls == 0:
                self.release(stream)
            elif stream.polls is not None:
                stream.polls -= 1
        return self.exists(stream)


def tier_in(parameters: Mapping[str, Any]) -> str:
    """Return the storage tier of a request."""
    storage = parameters.get("StreamStorageConfiguration") or {}
    return str(storage.get("DefaultStorageTier") or "HOT")


def by_name(streams: Iterable[Stream]) -> dict[str, StreamRecord]:
    """Return the records of streams by name; refuse a name that exists in two regions."""
    records: dict[str, StreamRecord] = {}
    for stream in streams:
        record = stream.record()
        other = records.setdefault(stream.name, record)
        if other is not record:
            raise ambiguous(other.stream_name, other.region_name, stream.region, "ask streams_in()")
    return records


def ambiguous(name: str, one: str, other: str, way_out: str) -> LookupError:
    """Return the error for a name that exists in two regions."""
    return LookupError(f"stream {shown(name)} exists in {one} and in {other}: {way_out}")
