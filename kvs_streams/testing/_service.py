"""How the service answers: every operation that the kit imitates, under what a test scripted."""

import base64
import threading
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from attrs import evolve

from ._clock import NS_PER_SECOND, VirtualClock
from ._core import LONGEST_RETENTION, StreamStatus
from ._quota import RateLimit
from ._records import Call
from ._replies import DroppedConnectionError, Reply, Request, error_reply, json_reply
from ._rules import faults
from ._script import OPERATIONS, Fault, Script
from ._store import Store, Stream, tier_in

_INVALID = "InvalidArgumentException"
_UNKNOWN = (
    "kvs_streams.testing does not imitate {}. Replace this call in the test, for example with "
    "botocore's Stubber. The kit imitates {}."
)
_DEFAULT_PAGE, _LONGEST_PAGE = 10, 1_000
_MOST_TAGS = 50
_PLAYERS = {
    "get_hls_streaming_session_url": ("HLSStreamingSessionURL", "hls/v1/getHLSMasterPlaylist.m3u8"),
    "get_dash_streaming_session_url": ("DASHStreamingSessionURL", "dash/v1/getDASHManifest.mpd"),
}


class RefusedError(Exception):
    """Raised to answer with an error."""

    def __init__(self, code: str, message: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


class Service:
    """Answers requests, one at a time, whichever thread they come from."""

    def __init__(self, clock: VirtualClock, *, validate: bool) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.calls: list[Call] = []
        self.script = Script()
        self.store = Store()
        self._validate = validate
        self._faults: dict[str, Fault | None] = {}
        self._requests: Counter[str] = Counter()
        self._rates: defaultdict[str, RateLimit] = defaultdict(RateLimit)
        self._for_stream: dict[str, Callable[[Request, Stream], Reply]] = {
            "describe_stream": self._describe,
            "delete_stream": self._delete,
            "update_stream": self._update,
            "update_data_retention": self._update_retention,
            "update_stream_storage_configuration": self._update_storage,
            "describe_stream_storage_configuration": _describe_storage,
            "tag_stream": _tag,
            "tag_resource": _tag,
            "untag_stream": _untag,
            "untag_resource": _untag,
            "list_tags_for_stream": _list_tags,
            "list_tags_for_resource": _list_tags,
            "get_data_endpoint": _data_endpoint,
            "get_hls_streaming_session_url": _play,
            "get_dash_streaming_session_url": _play,
            "get_clip": _clip,
        }

    def calls_in_words(self) -> str:
        """Describe how often each operation was called."""
        counts = Counter(call.operation for call in self.calls)
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"

    # Requests

    def answer(self, request: Request) -> Reply:
        """Answer one request, and record it."""
        with self.lock:
            error: str | None = "ConnectionClosedError"
            try:
                reply = self._under_script(request)
                error = reply.error
            finally:
                call = request.operation, request.parameters, request.attempt, error, request.region
                self.calls.append(Call(*call))
        date = formatdate(self.clock.epoch() // NS_PER_SECOND, usegmt=True)
        return evolve(reply, headers={**reply.headers, "date": date})

    def _under_script(self, request: Request) -> Reply:
        fault = self._fault_for(request)
        if fault is None:
            return self._serve(request)
        if fault.method == "lose_next_reply":
            self._serve(request)
        if fault.error is None:
            raise DroppedConnectionError
        return error_reply(request, fault.error, fault.message, fault.status)

    def _fault_for(self, request: Request) -> Fault | None:
        """Return the fault for this request: at most one for all requests of a call."""
        call = request.call
        if call not in self._faults:
            self._faults[call] = self.script.fault(request.operation, request.stream_name)
        fault = self._faults[call]
        self._requests[call] += 1
        if fault and fault.attempts is not None and self._requests[call] > fault.attempts:
            return None
        return fault

    def _serve(self, request: Request) -> Reply:
        operation = request.operation
        if operation not in OPERATIONS:
            text = _UNKNOWN.format(request.model.name, ", ".join(OPERATIONS))
            return error_reply(request, "UnknownOperationException", text)
        try:
            if operation == "create_stream":
                return self._create(request)
            self._check(request)
            if operation == "list_streams":
                return self._list(request)
            return self._for_stream[operation](request, self._stream(request))
        except RefusedError as refused:
            return error_reply(request, refused.code, refused.message)

    def _check(self, request: Request) -> None:
        """Refuse what the published rules forbid; without ``validate`` only what has no meaning."""
        broken = list(faults(request.model.input_shape, request.parameters))
        for code, rule in (("SerializationException", "type"), (_INVALID, "required")):
            texts = [fault.text for fault in broken if fault.rule == rule]
            if texts:
                raise RefusedError(code, " ".join(texts))
        if self._validate and broken:
            limits = {fault.rule for fault in broken if fault.path == "Tags"}
            if "min" in limits:
                raise RefusedError("ValidationException", "Tags must not be empty.")
            if "max" in limits:
                raise RefusedError("TagsPerResourceExceededLimitException")
            raise RefusedError(_INVALID, " ".join(fault.text for fault in broken))

    def _stream(self, request: Request) -> Stream:
        """Find the stream that a request is about."""
        given = request.parameters
        name, arn = given.get("StreamName"), given.get("StreamARN") or given.get("ResourceARN")
        if name is None and arn is None:
            raise RefusedError(_INVALID, "Either StreamName or StreamARN must be specified.")
        stream = self.store.find(request.region, name, arn)
        if stream is None:
            raise RefusedError("ResourceNotFoundException")
        stream.touch()
        return stream

    # Operations on streams

    def _create(self, request: Request) -> Reply:
        now: int | None = self.clock.epoch()
        rate = self.script.rule("rate_limit")
        if rate is not None:
            rate.used = True
            # AWS counts for each account and region.
            now = self._rates[request.region].accept(self.clock.epoch(), rate.value or 0)
        if now is None:
            raise RefusedError("ClientLimitExceededException")
        self._check(request)
        limit = self.script.rule("account_limit")
        if limit is not None:
            limit.used = True
        name = request.parameters["StreamName"]
        existing = self.store.find(request.region, name, None)
        if existing is not None:
            existing.touch()
            raise RefusedError("ResourceInUseException")
        if limit is not None and len(self.store.all(request.region)) >= (limit.value or 0):
            raise RefusedError("AccountStreamLimitExceededException")
        stream = self.store.create(request.region, request.parameters, now // 1_000_000)
        stream.hiding = self.script.rule("hide_new", name)
        stream.hidden = (stream.hiding and stream.hiding.value) or 0
        holding = self.script.rule("hold_creating", name)
        if holding is not None:
            stream.held(holding, "CREATING")
        return json_reply({"StreamARN": stream.record.stream_arn})

    def _list(self, request: Request) -> Reply:
        condition = request.parameters.get("StreamNameCondition") or {}
        prefix = condition.get("ComparisonValue") or ""
        size = min(request.parameters.get("MaxResults") or _DEFAULT_PAGE, _LONGEST_PAGE)
        try:
            token = request.parameters.get("NextToken") or ""
            after = base64.b64decode(token, validate=True).decode()
        except ValueError:
            text = "NextToken is not one that list_streams returned."
            raise RefusedError(_INVALID, text) from None
        by_name = {each.record.stream_name: each for each in self.store.all(request.region)}
        names = sorted(name for name in by_name if name > after and name.startswith(prefix))
        page = [by_name[name] for name in names[:size]]
        content: dict[str, object] = {
            "StreamInfoList": [stream.info() for stream in page if self.store.shows(stream)]
        }
        if len(names) > size:
            content["NextToken"] = base64.b64encode(names[size - 1].encode()).decode()
        return json_reply(content)

    def _describe(self, _: Request, stream: Stream) -> Reply:
        if not self.store.shows(stream):
            raise RefusedError("ResourceNotFoundException")
        return json_reply({"StreamInfo": stream.info()})

    def _delete(self, request: Request, stream: Stream) -> Reply:
        if request.parameters.get("CurrentVersion") not in {None, stream.record.version}:
            raise RefusedError("VersionMismatchException")
        if stream.record.status != StreamStatus.DELETING:
            rule = self.script.rule("hold_deleting", stream.record.stream_name)
            if rule is None:
                self.store.delete(stream)
            else:
                rule.used = True
                stream.held(rule, "DELETING")
        return json_reply({})

    def _update(self, request: Request, stream: Stream) -> Reply:
        new, old = request.parameters, stream.record
        device_name = new.get("DeviceName") or old.device_name
        media_type = new.get("MediaType") or old.media_type
        return self._updated(request, stream, device_name=device_name, media_type=media_type)

    def _update_retention(self, request: Request, stream: Stream) -> Reply:
        change = request.parameters["DataRetentionChangeInHours"]
        sign = 1 if request.parameters["Operation"] == "INCREASE_DATA_RETENTION" else -1
        hours = stream.record.data_retention_in_hours + sign * change
        return self._updated(request, stream, data_retention_in_hours=hours)

    def _update_storage(self, request: Request, stream: Stream) -> Reply:
        return self._updated(request, stream, default_storage_tier=tier_in(request.parameters))

    def _updated(self, request: Request, stream: Stream, **changes: Any) -> Reply:
        if request.parameters["CurrentVersion"] != stream.record.version:
            raise RefusedError("VersionMismatchException")
        if stream.record.status != StreamStatus.ACTIVE:
            text = f"The stream is {stream.record.status}; it can be updated when it is ACTIVE."
            raise RefusedError("ResourceInUseException", text)
        hours = changes.get("data_retention_in_hours", 0)
        if not 0 <= hours <= LONGEST_RETENTION:
            raise RefusedError(_INVALID, f"The retention period would be {hours} hours.")
        stream.change(version=self.store.next_version(), **changes)
        return json_reply({})


def _describe_storage(_: Request, stream: Stream) -> Reply:
    tier = {"DefaultStorageTier": stream.record.default_storage_tier}
    names = {"StreamName": stream.record.stream_name, "StreamARN": stream.record.stream_arn}
    return json_reply({**names, "StreamStorageConfiguration": tier})


def _tag(request: Request, stream: Stream) -> Reply:
    new: Any = request.parameters["Tags"]
    if isinstance(new, list):
        new = {tag["Key"]: tag["Value"] for tag in new}
    tags = {**stream.record.tags, **new}
    if len(tags) > _MOST_TAGS:
        raise RefusedError("TagsPerResourceExceededLimitException")
    stream.change(tags=tags)
    return json_reply({})


def _untag(request: Request, stream: Stream) -> Reply:
    gone = request.parameters["TagKeyList"]
    stream.change(tags={key: tag for key, tag in stream.record.tags.items() if key not in gone})
    return json_reply({})


def _list_tags(_: Request, stream: Stream) -> Reply:
    return json_reply({"Tags": stream.record.tags})


# Media


def _data_endpoint(request: Request, stream: Stream) -> Reply:
    kind = "s" if request.parameters["APIName"] == "PUT_MEDIA" else "b"
    return json_reply({"DataEndpoint": request.server or stream.host(kind)})


def _check_retention(stream: Stream) -> None:
    if not stream.record.data_retention_in_hours:
        raise RefusedError("NoDataRetentionException")


def _play(request: Request, stream: Stream) -> Reply:
    _check_retention(stream)
    member, path = _PLAYERS[request.operation]
    host = request.server or stream.host("b")
    return json_reply({member: f"{host}/{path}?SessionToken={uuid.uuid4().hex}"})


def _clip(_: Request, stream: Stream) -> Reply:
    _check_retention(stream)
    return Reply(200, {"content-type": "video/mp4"}, b"kvs_streams.testing")
