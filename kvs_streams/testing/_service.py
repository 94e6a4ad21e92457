"""How the service behaves under the kit: moto's answers, and what a test scripted on top."""

import base64
import json
import threading
import uuid
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from attrs import define

from kvs_streams._models import StreamArn, StreamStatus
from kvs_streams._request import CreateStreamRequest
from kvs_streams.errors import RequestValidationError

from ._clock import NS_PER_SECOND
from ._records import Call, DroppedConnectionError, Reply, Request, StreamRecord
from ._replies import api_name, error_code, error_reply, json_reply
from ._script import OPERATIONS, Fault, Rules

if TYPE_CHECKING:
    from ._clock import VirtualClock
    from ._records import MotoStream

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - moto's times are naive, and UTC
# Stands for the name of a stream that exists, when the rest of its configuration is checked.
_ANY_STREAM = {"StreamName": "stream"}
_DEFAULT_PAGE, _LONGEST_PAGE, _MAX_RESULTS = 10, 1_000, 10_000


@define
class _Extra:
    """What the kit knows of a stream, and moto does not."""

    default_storage_tier: str = "HOT"
    hidden: int = 0
    """How many more times the stream is not found."""
    held: bool = False
    describes: int | None = None
    """How many more times a held status is shown; ``None``: until the stream is released."""


@define
class _Meeting:
    """One call of a client, which botocore may send several times."""

    fault: Fault | None
    requests: int = 0


class _RateLimit:
    """Creates per second in a sliding window, also for requests that arrive out of order."""

    def __init__(self) -> None:
        self._accepted: list[int] = []

    def accept(self, now: int, rate: int) -> int | None:
        """Return the time at which a request is accepted; ``None`` if it is throttled.

        Threads and tasks have times of their own, so that a request can arrive after others that
        are later than it. If its own second is full, it may be accepted at the latest time.
        """
        latest = max([now, *self._accepted[-1:]])
        if self._fits(now, rate):
            return now
        return latest if self._fits(latest, rate) else None

    def _fits(self, now: int, rate: int) -> bool:
        """Add a time unless some window of one second then held more than ``rate``."""
        accepted = self._accepted
        place = bisect_right(accepted, now)
        accepted.insert(place, now)
        # Every run of rate + 1 requests that includes this one.
        for first in range(max(0, place - rate), min(place, len(accepted) - 1 - rate) + 1):
            if accepted[first + rate] - accepted[first] < NS_PER_SECOND:
                del accepted[place]
                return False
        return True


class Service:
    """Answers requests, one at a time, whichever thread they come from."""

    def __init__(self, clock: "VirtualClock", *, validate: bool) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.rules = {name: Rules() for name in ("hold_creating", "hold_deleting", "hide_new")}
        self.account_limit: int | None = None
        self.creates_per_second: int | None = None
        self._validate = validate
        self._extras: dict[str, _Extra] = {}
        self._meetings: dict[str, _Meeting] = {}
        self._rates: defaultdict[tuple[str, str], _RateLimit] = defaultdict(_RateLimit)
        self._suffixes: dict[str, int] = {}
        self._versions = 0
        self._for_account: dict[str, Callable[[Request], Reply]] = {
            "create_stream": self._create,
            "list_streams": self._list,
        }
        self._for_stream: dict[str, Callable[[Request, MotoStream], Reply]] = {
            "describe_stream": self._describe,
            "delete_stream": self._delete,
            "update_stream": self._update,
            "update_data_retention": self._update_retention,
            "update_stream_storage_configuration": self._update_storage,
            "describe_stream_storage_configuration": self._describe_storage,
            "tag_stream": self._tag,
            "untag_stream": self._untag,
            "list_tags_for_stream": self._list_tags,
            "get_data_endpoint": lambda request, _: request.forward(),
        }

    # The script

    def unused(self) -> tuple[str, ...]:
        """Describe what was scripted and has not happened, in the order of the script."""
        with self.lock:
            faults = [text for fault in self.faults if (text := fault.unused())]
            return (*faults, *(text for rules in self.rules.values() for text in rules.unused()))

    def calls_in_words(self) -> str:
        """Describe how often each operation was called."""
        counts = Counter(call.operation for call in self.calls)
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"

    def clear(self) -> None:
        """Forget what is scripted and still to come."""
        with self.lock:
            self.faults.clear()
            for rules in self.rules.values():
                rules.clear()
            self.account_limit = self.creates_per_second = None

    # Requests

    def answer(self, request: Request) -> Reply:
        """Answer one request, and record it."""
        with self.lock:
            error: str | None = "ConnectionClosedError"
            try:
                reply = self._under_script(request)
                error = error_code(reply)
            finally:
                self.calls.append(
                    Call(
                        request.operation,
                        request.parameters,
                        request.attempt,
                        error,
                        request.region,
                        request.account_id,
                    )
                )
        date = formatdate(self.clock.epoch() // NS_PER_SECOND, usegmt=True)
        headers = {name: value for name, value in reply.headers.items() if name.lower() != "date"}
        return Reply(reply.status, {**headers, "date": date}, reply.body)

    def _under_script(self, request: Request) -> Reply:
        fault = self._fault_for(request)
        if fault is None:
            return self._serve(request)
        if fault.acts:
            self._serve(request)
        if fault.error is None:
            raise DroppedConnectionError
        return error_reply(request, fault.error, status=fault.status, message=fault.message)

    def _fault_for(self, request: Request) -> Fault | None:
        """Return the fault for this request: at most one for all attempts of a call."""
        key = request.invocation or str(uuid.uuid4())
        meeting = self._meetings.get(key)
        if meeting is None:
            name = _name_in(request.parameters)
            fault = next(
                (
                    fault
                    for fault in self.faults
                    if fault.operation == request.operation
                    and fault.stream_name in (None, name)
                    and fault.met < fault.times
                ),
                None,
            )
            if fault is not None:
                fault.met += 1
            meeting = self._meetings[key] = _Meeting(fault)
        meeting.requests += 1
        fault = meeting.fault
        if fault is None or (fault.attempts is not None and meeting.requests > fault.attempts):
            return None
        return fault

    def _serve(self, request: Request) -> Reply:
        if (serve := self._for_account.get(request.operation)) is not None:
            return serve(request)
        if (serve_stream := self._for_stream.get(request.operation)) is not None:
            return _serve_one(request, serve_stream)
        name = api_name(request.operation)
        text = (
            f"kvs_streams.testing does not imitate {name}. Replace this call in the test, for "
            "example with botocore's Stubber. The kit imitates "
            f"{', '.join(map(api_name, OPERATIONS))}."
        )
        return error_reply(request, "UnknownOperationException", message=text)

    def _create(self, request: Request) -> Reply:
        now: int | None = self.clock.epoch()
        if self.creates_per_second is not None:
            # AWS counts for each account and region.
            limit = self._rates[request.account_id, request.region]
            now = limit.accept(self.clock.epoch(), self.creates_per_second)
        if now is None:
            return error_reply(request, "ClientLimitExceededException")
        if refusal := self._refusal(request, request.parameters):
            return refusal
        is_full = self.account_limit is not None and len(request.streams) >= self.account_limit
        name = request.parameters.get("StreamName")
        if is_full and all(stream.stream_name != name for stream in request.streams.values()):
            return error_reply(request, "AccountStreamLimitExceededException")
        reply = request.forward()
        if error_code(reply) is not None:
            return reply
        arn = self._born(request, json.loads(reply.body)["StreamARN"], now)
        return Reply(reply.status, reply.headers, json.dumps({"StreamARN": arn}))

    def _born(self, request: Request, moto_arn: str, now: int) -> str:
        """Give a stream that moto has just made what moto leaves out, and return its ARN."""
        stream = request.streams.pop(moto_arn)
        # A stream that is deleted and created again within a millisecond must differ all the same.
        base = moto_arn.rpartition("/")[0]
        suffix = max(now // 1_000_000, self._suffixes.get(base, 0) + 1)
        self._suffixes[base] = suffix
        stream.arn = f"{base}/{suffix}"
        stream.creation_time = _EPOCH + timedelta(milliseconds=suffix)
        stream.version = self._next_version()
        _, partition, _, region, account, _ = stream.arn.split(":", 5)
        stream.kms_key_id = (
            stream.kms_key_id or f"arn:{partition}:kms:{region}:{account}:alias/aws/kinesisvideo"
        )
        stream.data_retention_in_hours = stream.data_retention_in_hours or 0
        request.streams[stream.arn] = stream
        extra = self._extras[stream.arn] = _Extra(_tier_in(request.parameters))
        if (hidden := self.rules["hide_new"].take(stream.stream_name)) is not None:
            extra.hidden = hidden.describes or 0
        if (held := self.rules["hold_creating"].take(stream.stream_name)) is not None:
            self.hold(stream, StreamStatus.CREATING, held.describes)
        return stream.arn

    def _list(self, request: Request) -> Reply:
        parameters = request.parameters
        condition: dict[str, str] = parameters.get("StreamNameCondition") or {}
        prefix = condition.get("ComparisonValue", "")
        size = parameters.get("MaxResults")
        size = _DEFAULT_PAGE if size is None else size
        try:
            after = base64.b64decode(parameters.get("NextToken") or "", validate=True).decode()
        except ValueError:
            return _invalid(request, "NextToken is not one that list_streams returned.")
        if condition.get("ComparisonOperator", "BEGINS_WITH") != "BEGINS_WITH":
            return _invalid(request, "ComparisonOperator must be BEGINS_WITH.")
        if not 1 <= size <= _MAX_RESULTS:
            return _invalid(request, f"MaxResults must be from 1 to {_MAX_RESULTS}.")
        by_name = sorted(
            (stream for stream in request.streams.values() if stream.stream_name > after),
            key=lambda stream: stream.stream_name,
        )
        matching = [stream for stream in by_name if stream.stream_name.startswith(prefix)]
        size = min(size, _LONGEST_PAGE)
        page = matching[:size]
        content: dict[str, object] = {
            "StreamInfoList": [
                _info(stream) for stream in page if self._is_visible(request.streams, stream)
            ]
        }
        if len(matching) > size:
            content["NextToken"] = base64.b64encode(page[-1].stream_name.encode()).decode()
        return json_reply(200, content)

    def _describe(self, request: Request, stream: "MotoStream") -> Reply:
        if not self._is_visible(request.streams, stream):
            return error_reply(request, "ResourceNotFoundException")
        return json_reply(200, {"StreamInfo": _info(stream)})

    def _is_visible(self, streams: "MutableMapping[str, MotoStream]", stream: "MotoStream") -> bool:
        """Return whether a request finds a stream, and count it for holding and hiding."""
        extra = self._extra_of(stream)
        if extra.hidden:
            extra.hidden -= 1
            return False
        if extra.held and extra.describes is not None:
            if extra.describes == 0:
                self.release(streams, stream)
            else:
                extra.describes -= 1
        return stream.arn in streams

    def _delete(self, request: Request, stream: "MotoStream") -> Reply:
        version = request.parameters.get("CurrentVersion")
        if version not in (None, stream.version):
            return error_reply(request, "VersionMismatchException")
        if stream.status != StreamStatus.DELETING:
            rule = self.rules["hold_deleting"].take(stream.stream_name)
            if rule is None:
                del request.streams[stream.arn]
            else:
                self.hold(stream, StreamStatus.DELETING, rule.describes)
        return json_reply(200, {})

    # Configuration

    def _update(self, request: Request, stream: "MotoStream") -> Reply:
        new = {name: request.parameters.get(name) for name in ("DeviceName", "MediaType")}
        if refusal := self._check_update(request, stream, new):
            return refusal
        stream.device_name = new["DeviceName"] or stream.device_name
        stream.media_type = new["MediaType"] or stream.media_type
        return self._updated(stream)

    def _update_retention(self, request: Request, stream: "MotoStream") -> Reply:
        operation = request.parameters.get("Operation")
        sign = {"INCREASE_DATA_RETENTION": 1, "DECREASE_DATA_RETENTION": -1}.get(operation or "")
        if sign is None:
            return _invalid(request, "Operation must be INCREASE_ or DECREASE_DATA_RETENTION.")
        change = request.parameters.get("DataRetentionChangeInHours") or 0
        hours = (stream.data_retention_in_hours or 0) + sign * change
        if refusal := self._check_update(request, stream, {"DataRetentionInHours": hours}):
            return refusal
        if hours < 0:
            return _invalid(request, f"The retention period would be {hours} hours.")
        stream.data_retention_in_hours = hours
        return self._updated(stream)

    def _update_storage(self, request: Request, stream: "MotoStream") -> Reply:
        new = {"StreamStorageConfiguration": request.parameters.get("StreamStorageConfiguration")}
        if refusal := self._check_update(request, stream, new):
            return refusal
        self._extra_of(stream).default_storage_tier = _tier_in(new)
        return self._updated(stream)

    def _check_update(
        self, request: Request, stream: "MotoStream", new: Mapping[str, Any]
    ) -> Reply | None:
        if request.parameters.get("CurrentVersion") != stream.version:
            return error_reply(request, "VersionMismatchException")
        if stream.status != StreamStatus.ACTIVE:
            text = f"The stream is {stream.status}, and can be updated when it is ACTIVE."
            return error_reply(request, "ResourceInUseException", message=text)
        return self._refusal(request, {**_ANY_STREAM, **new})

    def _updated(self, stream: "MotoStream") -> Reply:
        stream.version = self._next_version()
        return json_reply(200, {})

    def _next_version(self) -> str:
        self._versions += 1
        return f"version{self._versions}"

    def _describe_storage(self, _: Request, stream: "MotoStream") -> Reply:
        tier = self._extra_of(stream).default_storage_tier
        return json_reply(
            200,
            {
                "StreamName": stream.stream_name,
                "StreamARN": stream.arn,
                "StreamStorageConfiguration": {"DefaultStorageTier": tier},
            },
        )

    def _tag(self, request: Request, stream: "MotoStream") -> Reply:
        new: dict[str, str] = request.parameters.get("Tags") or {}
        tags = {**(stream.tags or {}), **new}
        for each in (new, tags):
            if refusal := self._refusal(request, {**_ANY_STREAM, "Tags": each}):
                return refusal
        stream.tags = tags
        return json_reply(200, {})

    def _untag(self, request: Request, stream: "MotoStream") -> Reply:
        gone: list[str] = request.parameters.get("TagKeyList") or []
        stream.tags = {key: tag for key, tag in (stream.tags or {}).items() if key not in gone}
        return json_reply(200, {})

    def _list_tags(self, _: Request, stream: "MotoStream") -> Reply:
        return json_reply(200, {"Tags": stream.tags or {}})

    def _refusal(self, request: Request, members: Mapping[str, Any]) -> Reply | None:
        """Return the service's refusal of a create with these members, by the library's rules."""
        if not self._validate:
            return None
        if members.get("Tags") == {}:
            return error_reply(request, "ValidationException", message="Tags must not be empty.")
        # In JSON, null is a member that is not there.
        present = {name: value for name, value in members.items() if value is not None}
        try:
            CreateStreamRequest.from_boto(present)
        except RequestValidationError as error:
            broken = [violation for violation in error.violations if violation.rule != "unknown"]
        else:
            return None
        if not broken:
            return None
        if any(each.parameter == "Tags" and each.rule == "max_items" for each in broken):
            return error_reply(request, "TagsPerResourceExceededLimitException")
        return _invalid(request, "; ".join(violation.message for violation in broken))

    # Streams

    def _extra_of(self, stream: "MotoStream") -> _Extra:
        return self._extras.setdefault(stream.arn, _Extra())

    def hold(self, stream: "MotoStream", status: str, describes: int | None) -> None:
        """Keep a stream in a status for a number of requests, or until it is released."""
        stream.status = str(status)
        extra = self._extra_of(stream)
        extra.held, extra.describes = True, describes

    def release(self, streams: "MutableMapping[str, MotoStream]", stream: "MotoStream") -> None:
        """Let a stream go on: it becomes ACTIVE, or is gone if it was being deleted."""
        self._extra_of(stream).held = False
        if stream.status == StreamStatus.DELETING:
            del streams[stream.arn]
        else:
            stream.status = StreamStatus.ACTIVE.value

    def record_of(self, account_id: str, region_name: str, stream: "MotoStream") -> StreamRecord:
        """Return a stream of moto's as the kit shows it."""
        return StreamRecord(
            stream_name=stream.stream_name,
            stream_arn=StreamArn(stream.arn),
            status=StreamStatus(stream.status),
            region_name=region_name,
            account_id=account_id,
            creation_time=stream.creation_time.replace(tzinfo=timezone.utc),
            version=stream.version,
            device_name=stream.device_name,
            media_type=stream.media_type,
            kms_key_id=stream.kms_key_id,
            data_retention_in_hours=stream.data_retention_in_hours or 0,
            tags=dict(stream.tags or {}),
            default_storage_tier=self._extra_of(stream).default_storage_tier,
        )


def _name_in(parameters: Mapping[str, Any]) -> str | None:
    """Read the name of the stream that a request is about, from its name or its ARN."""
    name: str | None = parameters.get("StreamName")
    arn: str = parameters.get("StreamARN") or ""
    return name or (arn.split("/")[1] if arn.count("/") > 1 else None)


def _tier_in(parameters: Mapping[str, Any]) -> str:
    storage: dict[str, str] = parameters.get("StreamStorageConfiguration") or {}
    return storage.get("DefaultStorageTier", "HOT")


def _serve_one(request: Request, serve: "Callable[[Request, MotoStream], Reply]") -> Reply:
    """Find the one stream that a request is about, and answer for it."""
    name, arn = (request.parameters.get(member) for member in ("StreamName", "StreamARN"))
    if name is None and arn is None:
        return _invalid(request, "Either StreamName or StreamARN must be specified.")
    streams = request.streams.values()
    stream = next((each for each in streams if each.stream_name == name or each.arn == arn), None)
    if stream is None:
        return error_reply(request, "ResourceNotFoundException")
    if name not in (None, stream.stream_name) or arn not in (None, stream.arn):
        text = (
            "kvs_streams.testing does not imitate a request with the name of one stream and the "
            "ARN of another, since AWS's answer is not published. Pass one of the two."
        )
        return error_reply(request, "UnknownOperationException", message=text)
    return serve(request, stream)


def _info(stream: "MotoStream") -> dict[str, object]:
    """Return what describe_stream and list_streams show of a stream."""
    return {
        "DeviceName": stream.device_name,
        "StreamName": stream.stream_name,
        "StreamARN": stream.arn,
        "MediaType": stream.media_type,
        "KmsKeyId": stream.kms_key_id,
        "Version": stream.version,
        "Status": stream.status,
        "CreationTime": stream.creation_time.replace(tzinfo=timezone.utc).timestamp(),
        "DataRetentionInHours": stream.data_retention_in_hours,
    }


def _invalid(request: Request, message: str) -> Reply:
    return error_reply(request, "InvalidArgumentException", message=message)
