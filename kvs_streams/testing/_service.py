"""The imitated service: every operation, and the effects of the script."""

import base64
import math
import threading
import uuid
from collections import Counter, defaultdict
from email.utils import formatdate
from typing import Any

from attrs import evolve

from ._clock import NS_PER_SECOND, RateLimit, VirtualClock
from ._core import LARGEST, StreamStatus
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
_REFUSALS = {
    ("Tags", "min"): ("ValidationException", "Tags must not be empty."),
    ("Tags", "max"): ("TagsPerResourceExceededLimitException",),
}
_DEFAULT_PAGE, _LONGEST_PAGE = 10, 1_000
_MOST_TAGS = 50
_PLAYERS = {
    "get_hls_streaming_session_url": ("HLSStreamingSessionURL", "hls/v1/getHLSMasterPlaylist.m3u8"),
    "get_dash_streaming_session_url": ("DASHStreamingSessionURL", "dash/v1/getDASHManifest.mpd"),
}


class RefusedError(Exception):
    """Raised to answer with an error: its code, and optionally a text."""


class Service:
    """Answers requests from any thread, one at a time."""

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

    def calls_in_words(self) -> str:
        """Describe how often each operation was called."""
        counts = Counter(call.operation for call in self.calls)
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"

    # Requests

    def answer(self, request: Request) -> Reply:
        """Answer one request, and record it."""
        with self.lock:
            call, region = request.call, request.region
            self._requests[call] += 1
            error: str | None = "ConnectionClosedError"
            try:
                reply = self._under_script(request)
                error = reply.error
            finally:
                attempt, given = self._requests[call], request.parameters
                self.calls.append(Call(request.operation, given, attempt, error, region))
        date = formatdate(self.clock.epoch() // NS_PER_SECOND, usegmt=True)
        return evolve(reply, headers={**reply.headers, "date": date})

    def _under_script(self, request: Request) -> Reply:
        call = request.call
        # At most one fault for all requests of a call.
        if call not in self._faults:
            self._faults[call] = self.script.fault(request.operation, request.stream_name)
        fault = self._faults[call]
        if fault is None or self._requests[call] > (fault.attempts or math.inf):
            return self._serve(request)
        if fault.method == "lose_next_reply":
            self._serve(request)
        if fault.error is None:
            raise DroppedConnectionError
        return error_reply(request, fault.error, fault.message, fault.status)

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
            reply: Reply = getattr(self, f"_{operation}")(request, self._stream(request))
        except RefusedError as refused:
            return error_reply(request, *refused.args)
        return reply

    def _check(self, request: Request) -> None:
        """Refuse requests that break published rules; without ``validate``, only unusable ones."""
        for rule, path, text in faults(request.model.input_shape, request.parameters):
            if rule == "type":
                raise RefusedError("SerializationException", text)
            if self._validate or rule == "required":
                raise RefusedError(*_REFUSALS.get((path, rule), (_INVALID, text)))

    def _stream(self, request: Request) -> Stream:
        """Find the stream of a request."""
        given = request.parameters
        name, arn = given.get("StreamName"), given.get("StreamARN") or given.get("ResourceARN")
        if name is None and arn is None:
            raise RefusedError(_INVALID, "Either StreamName or StreamARN must be specified.")
        stream = self.store.find(request.region, name, arn)
        if stream is None:
            raise RefusedError("ResourceNotFoundException")
        stream.touch()
        return stream

    # The operations; _serve finds them by their names

    def _create(self, request: Request) -> Reply:
        now: int | None = self.clock.epoch()
        rate = self.script.quota("rate_limit")
        if rate is not None:
            # AWS counts for each account and region.
            now = self._rates[request.region].accept(self.clock.epoch(), rate)
        if now is None:
            raise RefusedError("ClientLimitExceededException")
        self._check(request)
        limit = self.script.quota("account_limit")
        name = request.parameters["StreamName"]
        existing = self.store.find(request.region, name, None)
        if existing is not None:
            existing.touch()
            raise RefusedError("ResourceInUseException")
        if limit is not None and len(self.store.all(request.region)) >= limit:
            raise RefusedError("AccountStreamLimitExceededException")
        stream = self.store.create(request.region, request.parameters, now // 1_000_000)
        stream.hiding = self.script.rule("hide_new", name)
        stream.hidden = (stream.hiding.value or 0) if stream.hiding else 0
        holding = self.script.rule("hold_creating", name)
        if holding is not None:
            stream.held(holding, "CREATING")
        return json_reply({"StreamARN": stream.record.stream_arn})

    def _list(self, request: Request) -> Reply:
        condition: dict[str, str] = request.parameters.get("StreamNameCondition") or {}
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
        shown = [stream.info() for stream in page if self.store.shows(stream)]
        content: dict[str, object] = {"StreamInfoList": shown}
        if len(names) > size:
            content["NextToken"] = base64.b64encode(names[size - 1].encode()).decode()
        return json_reply(content)

    def _describe_stream(self, _: Request, stream: Stream) -> Reply:
        if not self.store.shows(stream):
            raise RefusedError("ResourceNotFoundException")
        return json_reply({"StreamInfo": stream.info()})

    def _delete_stream(self, request: Request, stream: Stream) -> Reply:
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

    def _update_stream(self, request: Request, stream: Stream) -> Reply:
        new, old = request.parameters, stream.record
        device_name = new.get("DeviceName") or old.device_name
        media_type = new.get("MediaType") or old.media_type
        return self._updated(request, stream, device_name=device_name, media_type=media_type)

    def _update_data_retention(self, request: Request, stream: Stream) -> Reply:
        change = request.parameters["DataRetentionChangeInHours"]
        sign = 1 if request.parameters["Operation"] == "INCREASE_DATA_RETENTION" else -1
        hours = stream.record.data_retention_in_hours + sign * change
        return self._updated(request, stream, data_retention_in_hours=hours)

    def _update_stream_storage_configuration(self, request: Request, stream: Stream) -> Reply:
        return self._updated(request, stream, default_storage_tier=tier_in(request.parameters))

    def _updated(self, request: Request, stream: Stream, **changes: Any) -> Reply:
        if request.parameters["CurrentVersion"] != stream.record.version:
            raise RefusedError("VersionMismatchException")
        if stream.record.status != StreamStatus.ACTIVE:
            text = f"The stream is {stream.record.status}; it can be updated when it is ACTIVE."
            raise RefusedError("ResourceInUseException", text)
        hours = changes.get("data_retention_in_hours", 0)
        if not 0 <= hours <= LARGEST["DataRetentionInHours"]:
            raise RefusedError(_INVALID, f"The retention period would be {hours} hours.")
        stream.change(version=next(self.store.versions), **changes)
        return json_reply({})

    def _describe_stream_storage_configuration(self, _: Request, stream: Stream) -> Reply:
        tier = {"DefaultStorageTier": stream.record.default_storage_tier}
        names = {"StreamName": stream.record.stream_name, "StreamARN": stream.record.stream_arn}
        return json_reply({**names, "StreamStorageConfiguration": tier})

    def _tag_stream(self, request: Request, stream: Stream) -> Reply:
        new: Any = request.parameters["Tags"]
        if request.operation == "tag_resource":
            new = {tag["Key"]: tag["Value"] for tag in new}
        tags = {**stream.record.tags, **new}
        if len(tags) > _MOST_TAGS:
            raise RefusedError("TagsPerResourceExceededLimitException")
        stream.change(tags=tags)
        return json_reply({})

    _tag_resource = _tag_stream

    def _untag_stream(self, request: Request, stream: Stream) -> Reply:
        gone = request.parameters["TagKeyList"]
        stream.change(tags={key: tag for key, tag in stream.record.tags.items() if key not in gone})
        return json_reply({})

    _untag_resource = _untag_stream

    def _list_tags_for_stream(self, _: Request, stream: Stream) -> Reply:
        return json_reply({"Tags": stream.record.tags})

    _list_tags_for_resource = _list_tags_for_stream

    # Media

    def _get_data_endpoint(self, request: Request, stream: Stream) -> Reply:
        kind = "s" if request.parameters["APIName"] == "PUT_MEDIA" else "b"
        return json_reply({"DataEndpoint": request.server or stream.host(kind)})

    def _check_retention(self, stream: Stream) -> None:
        if not stream.record.data_retention_in_hours:
            raise RefusedError("NoDataRetentionException")

    def _get_hls_streaming_session_url(self, request: Request, stream: Stream) -> Reply:
        self._check_retention(stream)
        member, path = _PLAYERS[request.operation]
        host = request.server or stream.host("b")
        return json_reply({member: f"{host}/{path}?SessionToken={uuid.uuid4().hex}"})

    _get_dash_streaming_session_url = _get_hls_streaming_session_url

    def _get_clip(self, _: Request, stream: Stream) -> Reply:
        self._check_retention(stream)
        return Reply(200, {"content-type": "video/mp4"}, b"kvs_streams.testing")
