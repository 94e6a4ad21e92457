"""Kinesis Video Streams' control plane on loopback, with its quotas, in a process of its own.

Run as ``python -m benchmarks.control_plane``: it prints its URL and serves until its standard
input closes or SIGTERM comes. It speaks the rest-json wire format of the real service, enforces
quotas for each account and region, and validates requests against botocore's service model.

``Service`` is pure: it is told each call with its time and answers with a reply and when to send
it. The rest of the module is HTTP around it, kept small because clients need the processor. Two
more paths are not AWS's: ``POST /_control`` changes settings, and ``GET /_stats`` tells what
happened.

The credentials of a call name its account: an access key that ends in twelve digits is in the
account with that number, any other one in an account of its own. The signature is not checked.
"""

import argparse
import asyncio
import base64
import binascii
import bisect
import heapq
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from email.utils import formatdate
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, NamedTuple, cast

from botocore.loaders import Loader

_MODEL = Loader().load_service_model("kinesisvideo", "service-2")
# From the resource schema AWS::KinesisVideo::Stream; the service model has no maximum.
_MAX_RETENTION = 87_600
_MAX_TAGS = _MODEL["shapes"]["ResourceTags"]["max"]
# ListStreams takes MaxResults up to 10,000 and answers with 1,000 streams a page.
_MAX_PAGE, _DEFAULT_PAGE = 1_000, 10
# What \p{Z} stands for in AWS's patterns; \w covers \p{L} and \p{N}.
_SEPARATORS = r" \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SLOT = 0.1


@dataclass(frozen=True)
class Settings:
    """What the service does; times are in seconds, rates in calls a second, shares from 0 to 1."""

    rate: float = 50.0
    """CreateStream calls of an account in a region."""
    burst: float = 50.0
    """How many of them are accepted at once after a rest."""
    window: bool = False
    """Count them in each second of the wall clock, without a burst."""
    neighbour: float = 0.0
    """CreateStream calls a second of another caller on the same quota, at intervals within 5 %."""
    describe_rate: float = 300.0
    """DescribeStream and GetDataEndpoint calls, each."""
    other_rate: float = 50.0
    """Calls of each other operation."""
    stream_rate: float = 5.0
    """Calls of each operation for one stream."""
    account_limit: int = 10_000
    """Streams that an account may have in a region."""
    latency: tuple[float, float] = (0.02, 0.06)
    """How long a reply takes: from, to."""
    active_after: tuple[float, float] = (0.5, 2.0)
    """How long a stream is CREATING or UPDATING: from, to."""
    delete_after: float = 10.0
    """How long a stream is DELETING."""
    errors: float = 0.0
    """Share of calls answered with an error 500."""
    errors_work: float = 0.5
    """Share of these that do their work before."""
    lost: float = 0.0
    """Share of calls that get no reply: the connection closes."""
    lost_work: float = 1.0
    """Share of these that do their work before."""
    denied: tuple[str, ...] = ()
    """Operations that the caller may not use."""
    expired: bool = False
    """Answer every call as one with an expired token."""
    list_lag: float = 0.0
    """How late ListStreams shows new streams and their status."""
    unrelated: int = 0
    """Streams that an account already has, named ``unrelated-00000`` and so on."""
    tag_page: int = 50
    """Tags in a page of ListTagsForStream."""
    seed: int = 0
    """Where the random numbers start."""

    def __post_init__(self) -> None:
        """Refuse a value of another type than the default: it would only fail in a later call."""
        for each in fields(self):
            value, default = getattr(self, each.name), cast("Any", each.default)
            kind: Any = (int, float) if type(default) is float else type(default)
            is_pair = type(default) is tuple and len(default) == 2  # noqa: PLR2004  # from, to
            if not isinstance(value, kind) or (is_pair and len(value) != len(default)):
                raise TypeError(f"{each.name} is like {default!r}, not {value!r}")

    def changed(self, changes: Mapping[str, Any]) -> "Settings":
        """Return other settings; JSON's lists become tuples."""
        plain: dict[str, Any] = {
            name: tuple(value) if type(value) is list else value for name, value in changes.items()
        }
        return replace(self, **plain)


class Reply(NamedTuple):
    """An answer, and how long after the call it is sent."""

    status: int
    body: str
    delay: float
    code: str | None = None
    is_lost: bool = False


class _RefusalError(Exception):
    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code, self.message, self.status = code, message, status


def _invalid(path: str, constraint: str, code: str = "InvalidArgumentException") -> _RefusalError:
    what = f"Value at '{path}' failed to satisfy constraint: Member must {constraint}"
    return _RefusalError(code, f"1 validation error detected: {what}")


# Validation against the service model

_Check = Callable[[str, Any], None]


def _check_of(name: str) -> _Check:
    """Return a function that refuses what is not of this shape."""
    shape = _MODEL["shapes"][name]
    make = {
        "structure": _structure_check,
        "map": _map_check,
        "list": _list_check,
        "string": _string_check,
        "integer": _integer_check,
    }[shape["type"]]
    return make(shape)


def _structure_check(shape: Mapping[str, Any]) -> _Check:
    members = {name: _check_of(member["shape"]) for name, member in shape["members"].items()}
    required = shape.get("required", ())

    def check(path: str, value: Any) -> None:
        if type(value) is not dict:
            raise _invalid(path, "be a structure", "SerializationException")
        for name in required:
            if value.get(name) is None:
                raise _invalid(f"{path}{name}", "not be null")
        for name, member in value.items():
            # The service ignores members that it does not know.
            if name in members and member is not None:
                members[name](path + name, member)

    return check


def _map_check(shape: Mapping[str, Any]) -> _Check:
    key_check, value_check = _check_of(shape["key"]["shape"]), _check_of(shape["value"]["shape"])

    def check(path: str, value: Any) -> None:
        if type(value) is not dict:
            raise _invalid(path, "be a map", "SerializationException")
        # Seen on the real service, although its model does not list this code.
        if len(value) < shape["min"]:
            message = f"have length greater than or equal to {shape['min']}"
            raise _invalid(path, message, "ValidationException")
        for key, item in value.items():
            key_check(path, key)
            value_check(path, item)
            if key.startswith("aws:"):
                raise _invalid(path, "have no key that begins with aws:")

    return check


def _list_check(shape: Mapping[str, Any]) -> _Check:
    item_check = _check_of(shape["member"]["shape"])

    def check(path: str, value: Any) -> None:
        if type(value) is not list:
            raise _invalid(path, "be a list", "SerializationException")
        if not shape["min"] <= len(value) <= shape["max"]:
            raise _invalid(path, f"have length between {shape['min']} and {shape['max']}")
        for item in value:
            item_check(path, item)

    return check


def _string_check(shape: Mapping[str, Any]) -> _Check:
    allowed = shape.get("enum")
    least, most = shape.get("min", 0), shape.get("max", sys.maxsize)
    text = shape.get("pattern", ".*")
    is_unicode = r"\p{L}" in text
    text = text.replace(r"\p{L}\p{Z}\p{N}", rf"\w{_SEPARATORS}")
    matches = re.compile(text, 0 if is_unicode else re.ASCII).fullmatch

    def check(path: str, value: Any) -> None:
        if type(value) is not str:
            raise _invalid(path, "be a string", "SerializationException")
        if not least <= len(value) <= most:
            raise _invalid(path, f"have length between {least} and {most}")
        if not matches(value):
            raise _invalid(path, f"satisfy regular expression pattern: {text}")
        if allowed and value not in allowed:
            raise _invalid(path, f"satisfy enum value set: {allowed}")

    return check


def _integer_check(shape: Mapping[str, Any]) -> _Check:
    least, most = shape.get("min", -sys.maxsize), shape.get("max", sys.maxsize)

    def check(path: str, value: Any) -> None:
        if type(value) is not int:
            raise _invalid(path, "be an integer", "SerializationException")
        if not least <= value <= most:
            raise _invalid(path, f"have value between {least} and {most}")

    return check


# State


class _Bucket:
    """A token bucket that starts full."""

    __slots__ = ("_at", "_level")

    def __init__(self) -> None:
        self._at = self._level = float("-inf")

    def take(self, now: float, rate: float, burst: float) -> bool:
        """Take one token if there is one."""
        if self._level == float("-inf"):
            self._level = burst
        else:
            self._level = min(burst, self._level + (now - self._at) * rate)
        self._at = now
        # A rounding error must not cost a token: at today's epoch a float is good to 0.2 µs.
        if self._level < 1 - 1e-4:
            return False
        self._level -= 1
        return True


@dataclass
class _Stream:
    """A stream; its status follows from the time."""

    arn: str
    created_at: float
    settled_at: float
    """When it becomes, or became, ACTIVE."""
    version: str
    device_name: str | None
    media_type: str | None
    kms_key_id: str
    retention: int
    tier: str
    tags: dict[str, str]
    is_updating: bool = False
    deleted_at: float = float("inf")
    gone_at: float = float("inf")

    def __post_init__(self) -> None:
        self.buckets: dict[str, _Bucket] = {}
        self._text = ""

    @property
    def name(self) -> str:
        return self.arn.split("/")[1]

    @property
    def stamp(self) -> int:
        return int(self.arn.split("/")[2])

    def status(self, at: float) -> str:
        if at >= self.deleted_at:
            return "DELETING"
        if at >= self.settled_at:
            return "ACTIVE"
        return "UPDATING" if self.is_updating else "CREATING"

    def info(self, at: float) -> str:
        """Return StreamInfo as JSON; all but the status is kept, for lists of a thousand."""
        if not self._text:
            members = {
                "StreamName": self.name,
                "StreamARN": self.arn,
                "DeviceName": self.device_name,
                "MediaType": self.media_type,
                "KmsKeyId": self.kms_key_id,
                "Version": self.version,
                "CreationTime": self.stamp / 1000,
                "DataRetentionInHours": self.retention,
            }
            self._text = json.dumps(members)[1:]
        return f'{{"Status": "{self.status(at)}", {self._text}'

    def change(self, version: str, retention: int, settled_at: float) -> None:
        self.version, self.retention = version, retention
        self.is_updating, self.settled_at = True, settled_at
        self._text = ""


@dataclass
class _Count:
    """The calls of one operation."""

    calls: int = 0
    accepted: int = 0
    throttled: int = 0
    failed: int = 0
    """Accepted calls that end in an error 500 or without a reply."""
    codes: dict[str, int] = field(default_factory=dict)
    """How often each error was the answer."""
    in_flight: int = 0
    peak_in_flight: int = 0


class _Account:
    """An account in one region: its streams, its quotas, and what happened."""

    def __init__(self, number: str, region: str) -> None:
        self.number, self.region = number, region
        self.streams: dict[str, _Stream] = {}
        self.names: list[str] = []
        self.deleting: list[tuple[float, str]] = []
        self.buckets: dict[str, _Bucket] = {}
        self.second, self.in_second = 0, 0
        self.last_stamp = 0
        self.neighbour_at: float | None = None
        self.counts: dict[str, _Count] = {name: _Count() for name in _MODEL["operations"]}
        self.reset()

    def reset(self) -> None:
        """Forget what happened, but no stream."""
        for name, count in self.counts.items():
            # Calls in flight will end.
            self.counts[name] = _Count(in_flight=count.in_flight)
        self.created: Counter[str] = Counter()
        self.neighbour = _Count()
        self.first_create: float | None = None
        self.last_create: float | None = None
        self.last_call: float | None = None
        self.timeline: Counter[int] = Counter()

    def add(self, stream: _Stream) -> None:
        self.streams[stream.name] = stream
        self.last_stamp = max(self.last_stamp, stream.stamp)
        bisect.insort(self.names, stream.name)
        if stream.gone_at != float("inf"):
            heapq.heappush(self.deleting, (stream.gone_at, stream.name))

    def remove(self, name: str) -> None:
        del self.streams[name]
        del self.names[bisect.bisect_left(self.names, name)]

    def stats(self, now: float) -> dict[str, Any]:
        first = self.first_create or 0.0
        slots = range(max(self.timeline) + 1) if self.timeline else ()
        return {
            "operations": {k: asdict(v) for k, v in self.counts.items() if v.calls},
            "created": dict(self.created),
            "statuses": dict(Counter(each.status(now) for each in self.streams.values())),
            "neighbour": {"calls": self.neighbour.calls, "throttled": self.neighbour.throttled},
            "first_create": self.first_create,
            "last_call": self.last_call,
            "seconds": (self.last_create or 0.0) - first,
            "timeline": [self.timeline[slot] for slot in slots],
        }


# The service


class Service:
    """The service's state; every method is told the time, in seconds since the epoch."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._accounts: dict[tuple[str, str], _Account] = {}
        seed = self.settings.seed
        # Apart, so that the same calls meet the same faults whatever else is drawn.
        self._latency, self._life, self._faults, self._neighbour = (
            random.Random(seed + number)  # noqa: S311  # no secret
            for number in range(4)
        )

    def control(self, changes: Mapping[str, Any]) -> None:
        """Change settings; ``reset`` forgets what happened so far."""
        rest = dict(changes)
        if rest.pop("reset", False):
            for account in self._accounts.values():
                account.reset()
        self.settings = self.settings.changed(rest)

    def stats(self, now: float) -> dict[str, Any]:
        """Return what happened, by account and region."""
        for account in self._accounts.values():
            self._remove_deleted(account, now)
        return {"/".join(key): account.stats(now) for key, account in self._accounts.items()}

    def call(self, operation: str, credential: str, body: bytes, now: float) -> Reply:
        """Perform a call; ``credential`` is the scope in the Authorization header."""
        delay = self._latency.uniform(*self.settings.latency)
        count = _Count()
        try:
            account = self._account(credential, now)
            account.last_call = now
            count = account.counts[operation]
            count.calls += 1
            count.in_flight += 1
            count.peak_in_flight = max(count.peak_in_flight, count.in_flight)
            return self._perform(operation, account, body, now, delay)
        except _RefusalError as refusal:
            count.codes[refusal.code] = count.codes.get(refusal.code, 0) + 1
            content = json.dumps({"Message": refusal.message})
            return Reply(refusal.status, content, delay, refusal.code)

    def done(self, operation: str, credential: str) -> None:
        """Take note that a reply was sent."""
        account = self._accounts.get(_scope(credential))
        if account:
            account.counts[operation].in_flight -= 1

    def _account(self, credential: str, now: float) -> _Account:
        key = _scope(credential)
        if key == ("", ""):
            message = "Missing Authentication Token"
            raise _RefusalError("MissingAuthenticationTokenException", message, 403)
        account = self._accounts.get(key)
        if account is None:
            account = self._accounts[key] = _Account(*key)
            a_day_ago = now - 86_400
            for i in range(self.settings.unrelated):
                stream = self._stream(account, {"StreamName": f"unrelated-{i:05}"}, a_day_ago)
                account.add(stream)
        self._remove_deleted(account, now)
        return account

    @staticmethod
    def _remove_deleted(account: _Account, now: float) -> None:
        while account.deleting and account.deleting[0][0] <= now:
            account.remove(heapq.heappop(account.deleting)[1])

    def _perform(
        self, operation: str, account: _Account, body: bytes, now: float, delay: float
    ) -> Reply:
        settings, count = self.settings, account.counts[operation]
        if settings.expired:
            message = "The security token included in the request is expired"
            raise _RefusalError("ExpiredTokenException", message, 403)
        if operation in settings.denied:
            user = f"arn:aws:iam::{account.number}:user/fleet"
            message = f"User: {user} is not authorized to perform: kinesisvideo:{operation}"
            raise _RefusalError("AccessDeniedException", message, 403)
        try:
            members = json.loads(body or b"{}")
        except ValueError:
            raise _RefusalError("SerializationException", "The body is no JSON") from None
        if not self._accepts(operation, account, members, now):
            count.throttled += 1
            message = f"Limit exceeded on number of requests for {operation} API"
            raise _RefusalError("ClientLimitExceededException", message)
        count.accepted += 1
        if operation == "CreateStream":
            if account.first_create is None:
                account.first_create = now
            account.last_create = now
            account.timeline[int((now - account.first_create) / _SLOT)] += 1
        _INPUTS[operation]("", members)
        work = _WORK[operation]
        fault = self._faults.random()
        is_error = fault < settings.errors
        is_lost = not is_error and fault < settings.errors + settings.lost
        if not (is_error or is_lost):
            return Reply(200, work(self, account, members, now), delay)
        count.failed += 1
        if self._faults.random() < (settings.errors_work if is_error else settings.lost_work):
            with suppress(_RefusalError):
                work(self, account, members, now)
        return Reply(500, '{"Message": "Internal failure"}', delay, "InternalFailure", is_lost)

    def _accepts(self, operation: str, account: _Account, members: Any, now: float) -> bool:
        settings = self.settings
        if operation == "CreateStream":
            self._let_neighbour_call(account, now)
            return self._accepts_create(account, now)
        is_describe = operation in {"DescribeStream", "GetDataEndpoint"}
        rate = settings.describe_rate if is_describe else settings.other_rate
        if not account.buckets.setdefault(operation, _Bucket()).take(now, rate, rate):
            return False
        stream = self._named(account, members) if type(members) is dict else None
        if stream is None:
            return True
        bucket = stream.buckets.setdefault(operation, _Bucket())
        return bucket.take(now, settings.stream_rate, settings.stream_rate)

    def _accepts_create(self, account: _Account, now: float) -> bool:
        settings = self.settings
        if settings.window:
            if int(now) != account.second:
                account.second, account.in_second = int(now), 0
            account.in_second += 1
            return account.in_second <= settings.rate
        bucket = account.buckets.setdefault("CreateStream", _Bucket())
        return bucket.take(now, settings.rate, settings.burst)

    def _let_neighbour_call(self, account: _Account, now: float) -> None:
        """Make the neighbour's calls that are due, each at its own time."""
        if not self.settings.neighbour:
            account.neighbour_at = None
            return
        at = now if account.neighbour_at is None else account.neighbour_at
        while at <= now:
            account.neighbour.calls += 1
            account.neighbour.throttled += not self._accepts_create(account, at)
            # No timer is exact: one in step with the quota's refill would lose or win each race.
            at += self._neighbour.uniform(0.95, 1.05) / self.settings.neighbour
        account.neighbour_at = at

    # Operations

    def _named(self, account: _Account, members: Mapping[str, Any]) -> _Stream | None:
        """Return the stream that a request names."""
        name, arn = members.get("StreamName"), members.get("StreamARN")
        if not (type(name) is str or type(arn) is str):
            return None
        stream = account.streams.get(name or f"{arn}/".split("/")[1])
        return stream if stream and arn in {None, stream.arn} else None

    def _find(self, account: _Account, members: Mapping[str, Any], at: float) -> _Stream:
        """Return the stream that a request names, unless it is being deleted."""
        if members.get("StreamName") is None and members.get("StreamARN") is None:
            raise _invalid("StreamName", "not be null where StreamARN is null")
        stream = self._named(account, members)
        if stream is None or stream.status(at) == "DELETING":
            message = "The requested stream is not found or not active."
            raise _RefusalError("ResourceNotFoundException", message, 404)
        return stream

    @staticmethod
    def _check_version(stream: _Stream, members: Mapping[str, Any]) -> None:
        if members.get("CurrentVersion") not in {None, stream.version}:
            message = "The stream version that you specified is not the latest version."
            raise _RefusalError("VersionMismatchException", message)

    def _version(self) -> str:
        return f"{self._life.getrandbits(80):020X}"

    def _stream(self, account: _Account, members: Mapping[str, Any], now: float) -> _Stream:
        retention = members.get("DataRetentionInHours") or 0
        if retention > _MAX_RETENTION:
            raise _invalid("DataRetentionInHours", f"have value up to {_MAX_RETENTION}")
        tags = members.get("Tags") or {}
        self._check_tags(tags)
        # The end of an ARN is the time in milliseconds; no two streams of an account share one.
        stamp = max(account.last_stamp + 1, int(now * 1000))
        place = f"{account.region}:{account.number}"
        return _Stream(
            arn=f"arn:aws:kinesisvideo:{place}:stream/{members['StreamName']}/{stamp}",
            created_at=now,
            settled_at=now + self._life.uniform(*self.settings.active_after),
            version=self._version(),
            device_name=members.get("DeviceName"),
            media_type=members.get("MediaType"),
            kms_key_id=members.get("KmsKeyId") or f"arn:aws:kms:{place}:alias/aws/kinesisvideo",
            retention=retention,
            tier=(members.get("StreamStorageConfiguration") or {}).get("DefaultStorageTier", "HOT"),
            tags=dict(tags),
        )

    @staticmethod
    def _check_tags(tags: Mapping[str, str]) -> None:
        if len(tags) > _MAX_TAGS:
            message = f"A stream can have at most {_MAX_TAGS} tags."
            raise _RefusalError("TagsPerResourceExceededLimitException", message)

    def create_stream(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform CreateStream."""
        name = members["StreamName"]
        if name in account.streams:
            message = f"The stream {name} already exists."
            raise _RefusalError("ResourceInUseException", message)
        if len(account.streams) >= self.settings.account_limit:
            message = f"The account has {len(account.streams)} streams, as many as it may have."
            raise _RefusalError("AccountStreamLimitExceededException", message)
        stream = self._stream(account, members, now)
        account.add(stream)
        account.created[name] += 1
        return json.dumps({"StreamARN": stream.arn})

    def describe_stream(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform DescribeStream."""
        # A stream that is being deleted is shown as well.
        stream = self._find(account, members, float("-inf"))
        return f'{{"StreamInfo": {stream.info(now)}}}'

    def list_streams(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform ListStreams."""
        size = min(members.get("MaxResults") or _DEFAULT_PAGE, _MAX_PAGE)
        prefix = (members.get("StreamNameCondition") or {}).get("ComparisonValue") or ""
        last = _from_token(members.get("NextToken"))
        names, at = account.names, now - self.settings.list_lag
        start = bisect.bisect_right(names, last) if last else bisect.bisect_left(names, prefix)
        named = takewhile(lambda name: name.startswith(prefix), islice(names, start, None))
        shown = (account.streams[name] for name in named)
        # One more than the page tells whether another page follows.
        found = list(islice((each for each in shown if each.created_at <= at), size + 1))
        page = found[:size]
        token = f', "NextToken": "{_to_token(page[-1].name)}"' if len(found) > size else ""
        return f'{{"StreamInfoList": [{", ".join(each.info(at) for each in page)}]{token}}}'

    def delete_stream(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform DeleteStream."""
        stream = self._find(account, members, now)
        self._check_version(stream, members)
        stream.deleted_at, stream.gone_at = now, now + self.settings.delete_after
        heapq.heappush(account.deleting, (stream.gone_at, stream.name))
        return "{}"

    def get_data_endpoint(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform GetDataEndpoint."""
        stream = self._find(account, members, now)
        host = f"s-{zlib.crc32(stream.arn.encode()):08x}.kinesisvideo.{account.region}"
        return json.dumps({"DataEndpoint": f"https://{host}.amazonaws.com"})

    def list_tags(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform ListTagsForStream."""
        tags = sorted(self._find(account, members, now).tags.items())
        last = _from_token(members.get("NextToken"))
        rest = [tag for tag in tags if tag[0] > last]
        page = rest[: self.settings.tag_page]
        reply: dict[str, Any] = {"Tags": dict(page)}
        if len(rest) > len(page):
            reply["NextToken"] = _to_token(page[-1][0])
        return json.dumps(reply)

    def tag_stream(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform TagStream."""
        stream = self._find(account, members, now)
        tags = {**stream.tags, **members["Tags"]}
        self._check_tags(tags)
        stream.tags = tags
        return "{}"

    def untag_stream(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform UntagStream."""
        stream = self._find(account, members, now)
        for key in members["TagKeyList"]:
            stream.tags.pop(key, None)
        return "{}"

    def update_retention(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform UpdateDataRetention."""
        stream = self._find(account, members, now)
        if stream.status(now) != "ACTIVE":
            raise _RefusalError("ResourceInUseException", "The stream is not ACTIVE.")
        self._check_version(stream, members)
        change = members["DataRetentionChangeInHours"]
        is_increase = members["Operation"] == "INCREASE_DATA_RETENTION"
        retention = stream.retention + (change if is_increase else -change)
        if not 0 <= retention <= _MAX_RETENTION:
            raise _invalid("DataRetentionChangeInHours", f"lead to 0 to {_MAX_RETENTION} hours")
        settled_at = now + self._life.uniform(*self.settings.active_after)
        stream.change(self._version(), retention, settled_at)
        return "{}"

    def describe_storage(self, account: _Account, members: Mapping[str, Any], now: float) -> str:
        """Perform DescribeStreamStorageConfiguration."""
        stream = self._find(account, members, now)
        configuration = {"DefaultStorageTier": stream.tier}
        return json.dumps(
            {
                "StreamName": stream.name,
                "StreamARN": stream.arn,
                "StreamStorageConfiguration": configuration,
            }
        )

    # State between runs

    def saved(self) -> str:
        """Return all streams as JSON."""
        accounts = {
            "/".join(key): [asdict(stream) for stream in account.streams.values()]
            for key, account in self._accounts.items()
        }
        return json.dumps(accounts)

    def load(self, text: str) -> None:
        """Take over the streams of an earlier run."""
        for key, streams in json.loads(text).items():
            number, region = key.split("/")
            account = self._accounts[number, region] = _Account(number, region)
            for members in streams:
                account.add(_Stream(**members))


def _scope(credential: str) -> tuple[str, str]:
    """Return account and region for a credential scope, ``key/date/region/...``."""
    key, _, rest = credential.partition("/")
    if not rest:
        return "", ""
    number = (
        key[-12:]
        if re.fullmatch(r"\w*\d{12}", key, re.ASCII)
        else f"{zlib.crc32(key.encode()):012}"
    )
    return number, rest.split("/")[1]


def _to_token(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


def _from_token(token: str | None) -> str:
    try:
        return base64.b64decode(token or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _invalid("NextToken", "be one that this service gave") from None


_WORK: dict[str, Callable[..., str]] = {
    "CreateStream": Service.create_stream,
    "DescribeStream": Service.describe_stream,
    "ListStreams": Service.list_streams,
    "DeleteStream": Service.delete_stream,
    "GetDataEndpoint": Service.get_data_endpoint,
    "ListTagsForStream": Service.list_tags,
    "TagStream": Service.tag_stream,
    "UntagStream": Service.untag_stream,
    "UpdateDataRetention": Service.update_retention,
    "DescribeStreamStorageConfiguration": Service.describe_storage,
}
_INPUTS = {name: _check_of(_MODEL["operations"][name]["input"]["shape"]) for name in _WORK}
_PATHS = {_MODEL["operations"][name]["http"]["requestUri"]: name for name in _WORK}


# HTTP

_PHRASES = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


class _Clock:
    """Seconds since the epoch that never go back; the ``date`` header is made once a second."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()
        self._second, self._text = 0, ""

    def now(self) -> float:
        return self._offset + time.monotonic()

    def header(self, now: float) -> str:
        if int(now) != self._second:
            self._second, self._text = int(now), formatdate(now, usegmt=True)
        return self._text


class _Server:
    """What all connections share."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.clock = _Clock()
        self._ids = random.Random(service.settings.seed)  # noqa: S311  # no secret

    def encode(self, reply: Reply) -> bytes:
        number = f"{self._ids.getrandbits(128):032x}"
        parts = (number[:8], number[8:12], number[12:16], number[16:20], number[20:])
        content = reply.body.encode()
        error = "" if reply.code is None else f"x-amzn-ErrorType: {reply.code}\r\n"
        head = (
            f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, 'Internal Server Error')}\r\n"
            f"x-amzn-RequestId: {'-'.join(parts)}\r\n"
            f"{error}"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\n"
            f"Date: {self.clock.header(self.clock.now())}\r\n\r\n"
        )
        return head.encode() + content

    def answer(self, path: str, credential: str, body: bytes) -> Reply:
        now = self.clock.now()
        if operation := _PATHS.get(path):
            return self.service.call(operation, credential, body, now)
        if path == "/_stats":
            return Reply(200, json.dumps(self.service.stats(now)), 0)
        if path == "/_control":
            try:
                self.service.control(json.loads(body))
            except (TypeError, ValueError) as error:
                return Reply(400, json.dumps({"Message": str(error)}), 0, "ValidationException")
            return Reply(200, "{}", 0)
        content = json.dumps({"Message": f"There is no operation at {path}"})
        return Reply(404, content, 0, "UnknownOperationException")


class _Connection(asyncio.Protocol):
    """One connection, kept alive; asyncio sets TCP_NODELAY on each."""

    def __init__(self, server: _Server, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop = server, loop
        self._received = b""
        self._is_answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for type checkers
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._is_answering:
            self._take_request()

    def _take_request(self) -> None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._received[:end].decode("latin-1")
        length = _header(head, "content-length")
        rest = end + 4 + int(length or 0)
        if len(self._received) < rest:
            return
        body, self._received = self._received[end + 4 : rest], self._received[rest:]
        path = head.split(" ", 2)[1]
        credential = _header(head, "authorization").partition("Credential=")[2].partition(",")[0]
        reply = self._server.answer(path, credential, body)
        self._is_answering = True
        if reply.delay:
            self._loop.call_later(reply.delay, self._send, path, credential, reply)
        else:
            self._send(path, credential, reply)

    def _send(self, path: str, credential: str, reply: Reply) -> None:
        if operation := _PATHS.get(path):
            self._server.service.done(operation, credential)
        self._is_answering = False
        if reply.is_lost:
            self._transport.close()
        elif not self._transport.is_closing():
            self._transport.write(self._server.encode(reply))
            self._take_request()


def _header(head: str, name: str) -> str:
    """Return the value of a header, or an empty string."""
    start = head.lower().find(f"\r\n{name}:")
    return "" if start < 0 else head[start + len(name) + 3 :].partition("\r\n")[0].strip()


async def _serve(service: Service, port: int) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    end = partial(loop.call_soon_threadsafe, stop.set)

    def watch_input() -> None:
        # Not sys.stdin: a thread that holds its lock would disturb the end of the process.
        while os.read(0, 1 << 16):
            pass
        with suppress(RuntimeError):  # the loop is closed: SIGTERM came first
            end()

    signal.signal(signal.SIGTERM, lambda *_: end())
    # Ctrl-C on a terminal reaches the client too, which may still have calls in flight.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    shared = _Server(service)
    server = await loop.create_server(
        lambda: _Connection(shared, loop), "127.0.0.1", port, backlog=1024
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    threading.Thread(target=watch_input, daemon=True).start()
    await stop.wait()
    server.close()


# For those who start it


@dataclass
class ControlPlane:
    """A control plane that runs in a process of its own."""

    url: str
    region: str = "eu-central-1"
    account: str = "123456789012"

    @property
    def environ(self) -> dict[str, str]:
        """Environment variables that lead boto3 here, with made-up credentials."""
        return {
            "AWS_ENDPOINT_URL_KINESIS_VIDEO": self.url,
            "AWS_ACCESS_KEY_ID": f"AKID{self.account}",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            # What is on this machine is not asked for through a proxy.
            "no_proxy": "127.0.0.1",
        }

    def stats(self) -> dict[str, Any]:
        """Return what happened, by account and region: ``123456789012/eu-central-1``."""
        stats: dict[str, Any] = self._ask("/_stats")
        return stats

    def control(self, **changes: Any) -> None:
        """Change settings from now on; ``reset=True`` forgets what happened so far."""
        self._ask("/_control", changes)

    def _ask(self, path: str, content: object = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        # Its own opener: a proxy of this machine has no business here.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}{path}", data, timeout=60) as reply:
            return json.load(reply)


@contextmanager
def running(*, state: Path | None = None, **settings: Any) -> Iterator[ControlPlane]:
    """Run a control plane; ``settings`` are those of ``Settings``.

    Args:
        state: A file that keeps the streams from one run to the next.
        **settings: What differs from the defaults.
    """
    changed = asdict(Settings().changed(settings))
    command = [sys.executable, "-m", "benchmarks.control_plane", "--settings", json.dumps(changed)]
    if state:
        command += ["--state", str(state.resolve())]
    root = str(Path(__file__).resolve().parent.parent)
    with subprocess.Popen(  # noqa: S603  # this Python, our own module
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None  # noqa: S101  # for type checkers
        assert process.stdout is not None  # noqa: S101  # for type checkers
        try:
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"the control plane did not start: {process.wait()}")
            yield ControlPlane(url)
        finally:
            process.stdin.close()


class Options(NamedTuple):
    """What the command line says."""

    port: int
    state: Path | None
    settings: Settings


def options_of(arguments: Sequence[str] | None = None) -> Options:
    """Return the options of a command line, which has one for each setting."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.control_plane",
        description=(__doc__ or "").partition("\n")[0],
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument("--port", type=int, default=0, help="where to listen; 0: any free port")
    parser.add_argument("--state", type=Path, default=None, help="a file that keeps the streams")
    parser.add_argument("--settings", type=json.loads, default={}, help="settings as JSON")
    for each in fields(Settings):
        flag, default = f"--{each.name.replace('_', '-')}", each.default
        what = f"default: {default}"
        if isinstance(default, bool):
            parser.add_argument(flag, action="store_true", help=what)
        elif isinstance(default, tuple):
            count, kind = (len(default), float) if default else ("*", str)
            parser.add_argument(flag, type=kind, nargs=count, help=what)
        else:
            parser.add_argument(flag, type=type(default), help=what)
    given = vars(parser.parse_args(arguments))
    port, state, settings = (given.pop(name) for name in ("port", "state", "settings"))
    return Options(port, state, Settings().changed({**settings, **given}))


def main() -> None:
    """Serve until standard input closes."""
    port, state, settings = options_of()
    service = Service(settings)
    if state and state.exists():
        service.load(state.read_text(encoding="utf-8"))
    asyncio.run(_serve(service, port))
    if state:
        written = state.with_name(f"{state.name}.new")
        written.write_text(service.saved(), encoding="utf-8")
        written.replace(state)


if __name__ == "__main__":
    main()
