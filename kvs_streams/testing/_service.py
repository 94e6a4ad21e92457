"""How the service behaves under the kit: what moto answers, and what a test scripted on top."""

import json
import threading
import uuid
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Literal, get_args

from attrs import define

from kvs_streams._request import CreateStreamRequest
from kvs_streams._values import StreamArn, StreamStatus
from kvs_streams.errors import RequestValidationError

from ._records import Call, DroppedConnectionError, Reply, Request, StreamRecord

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from ._process import VirtualClock
    from ._records import MotoStream

Operation = Literal[
    "create_stream",
    "describe_stream",
    "list_streams",
    "delete_stream",
    "list_tags_for_stream",
    "describe_stream_storage_configuration",
    "get_data_endpoint",
]
OPERATIONS: tuple[str, ...] = get_args(Operation)

ErrorCode = Literal[
    "AccountStreamLimitExceededException",
    "ClientLimitExceededException",
    "DeviceStreamLimitExceededException",
    "InvalidArgumentException",
    "InvalidDeviceException",
    "ResourceInUseException",
    "TagsPerResourceExceededLimitException",
    "ResourceNotFoundException",
    "AccessDeniedException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ValidationException",
    "ThrottlingException",
    "InternalFailure",
    "ServiceUnavailable",
]

# Status and text. Those of the model have the model's status and documentation; the others are as
# seen on the wire, or, where nobody has seen them, as AWS's common errors are documented.
_ERRORS: dict[str, tuple[int, str]] = {
    "AccountStreamLimitExceededException": (
        400,
        "The number of streams created for the account is too high.",
    ),
    "ClientLimitExceededException": (400, "Limit exceeded on number of requests for {api} API"),
    "DeviceStreamLimitExceededException": (400, "Not implemented."),
    "InvalidArgumentException": (400, "The value for this input parameter is invalid."),
    "InvalidDeviceException": (400, "Not implemented."),
    "ResourceInUseException": (400, "The stream already exists."),
    "TagsPerResourceExceededLimitException": (
        400,
        (
            "You have exceeded the limit of tags that you can associate with the resource. "
            "A Kinesis video stream can support up to 50 tags."
        ),
    ),
    "ResourceNotFoundException": (404, "The requested stream is not found or not active."),
    "AccessDeniedException": (
        403,
        (
            "User: arn:aws:iam::{account}:user/testing is not authorized to perform: "
            "kinesisvideo:{api} on resource: arn:aws:kinesisvideo:{region}:{account}:stream/*"
        ),
    ),
    "NotAuthorizedException": (401, "The caller is not authorized to perform this operation."),
    "UnrecognizedClientException": (403, "The security token included in the request is invalid."),
    "InvalidSignatureException": (
        403,
        "The request signature we calculated does not match the signature you provided.",
    ),
    "ThrottlingException": (400, "Rate exceeded"),
    "InternalFailure": (500, "The request processing has failed because of an unknown error."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
}
# The service that refuses a key writes the member in lower case.
_LOWER_CASE_MESSAGE = {"UnrecognizedClientException"}
_ERROR_TYPE_SUFFIX = ":http://internal.amazon.com/coral/com.amazonaws.kinesisvideo/"


@define(kw_only=True)
class Fault:
    """A scripted failure of one or more calls."""

    script: str
    operation: str
    stream_name: str | None
    error: str | None
    """``None`` drops the connection."""
    times: int
    attempts: int | None
    """How many requests of a call are met; ``None``: all of them."""
    acts: bool = False
    """Whether the service does its work before the reply is lost."""
    status: int | None = None
    message: str | None = None
    met: int = 0

    def unused(self) -> str | None:
        """Say how much of this has not happened."""
        if self.met == self.times:
            return None
        wanted = f"{self.times} call{'s' if self.times > 1 else ''} of {self.operation}"
        of_stream = f" for {self.stream_name!r}" if self.stream_name else ""
        return f"{self.script} waited for {wanted}{of_stream}; {self.met or 'none'} came"


@define
class Rule:
    """What happens to every new stream, or to those that are deleted."""

    script: str
    event: str
    describes: int | None
    met: int = 0

    def unused(self) -> str | None:
        """Say that this has never applied."""
        return None if self.met else f"{self.script} waited for a stream; none {self.event}"


class Rules:
    """The rules of one kind: one for all streams, and one for each stream that has its own."""

    def __init__(self) -> None:
        self._rules: dict[str | None, Rule] = {}

    def add(self, stream_name: str | None, rule: Rule) -> None:
        self._rules[stream_name] = rule

    def take(self, stream_name: str) -> Rule | None:
        """Return the rule for a stream, which has now applied."""
        rule = self._rules.get(stream_name) or self._rules.get(None)
        if rule is not None:
            rule.met += 1
        return rule

    def clear(self) -> None:
        self._rules.clear()

    def unused(self) -> list[str]:
        return [text for rule in self._rules.values() if (text := rule.unused())]


@define
class _Extra:
    """What the kit knows of a stream, and moto does not."""

    default_storage_tier: str = "HOT"
    hidden: int = 0
    """``describe_stream`` will not find it so many times more."""
    held: bool = False
    describes: int | None = None
    """``describe_stream`` shows a held status so many times more; ``None``: until released."""


@define
class _Meeting:
    """One call of a client, which botocore may send several times."""

    fault: Fault | None
    requests: int = 0


def _json(status: int, content: object, **headers: str) -> Reply:
    return Reply(
        status,
        {
            "content-type": "application/x-amz-json-1.1",
            "x-amzn-RequestId": str(uuid.uuid4()),
            **headers,
        },
        json.dumps(content),
    )


def error_reply(
    request: Request, code: str, *, status: int | None = None, message: str | None = None
) -> Reply:
    """Answer with an error as the service writes it.

    A code of digits is a status, answered by something between here and the service: in HTML, and
    without a code. botocore then takes the status for the code.
    """
    if code.isdecimal():
        body = f"<html><body><h1>{message or code}</h1></body></html>"
        return Reply(status or int(code), {"content-type": "text/html"}, body)
    known_status, text = _ERRORS.get(code, (400, code))
    api = "".join(word.capitalize() for word in request.operation.split("_"))
    text = text.format(api=api, region=request.region, account=request.account_id)
    member = "message" if code in _LOWER_CASE_MESSAGE else "Message"
    headers = {"x-amzn-ErrorType": code + _ERROR_TYPE_SUFFIX}
    return _json(status or known_status, {member: message or text}, **headers)


def _error_code(reply: Reply) -> str | None:
    """Read the code of an error reply, the kit's or moto's own."""
    if reply.status < 400:  # noqa: PLR2004 - HTTP's own bound
        return None
    headers = {name.lower(): str(value) for name, value in reply.headers.items()}
    return headers.get("x-amzn-errortype", str(reply.status)).partition(":")[0]


class Service:
    """What answers under the kit; one call at a time, from whichever thread."""

    def __init__(self, clock: "VirtualClock", *, validate: bool) -> None:
        self.clock = clock
        self.validate = validate
        self.lock = threading.RLock()
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.rules = {name: Rules() for name in ("hold_creating", "hold_deleting", "hide_new")}
        self.account_limit: int | None = None
        self.creates_per_second: int | None = None
        self.extras: dict[str, _Extra] = {}
        self._meetings: dict[str, _Meeting] = {}
        # What moto does not know, or does alone too simply.
        self._served = {
            "create_stream": self._create,
            "describe_stream": self._describe,
            "delete_stream": self._delete,
            "list_tags_for_stream": self._list_tags,
            "describe_stream_storage_configuration": self._describe_storage,
        }
        self._created_at: list[float] = []
        self._last_suffix = 0

    # The script

    def unused(self) -> tuple[str, ...]:
        """Say what was scripted and has not happened, in the order of the script."""
        with self.lock:
            faults = [text for fault in self.faults if (text := fault.unused())]
            return (*faults, *(text for rules in self.rules.values() for text in rules.unused()))

    def calls_in_words(self) -> str:
        """Say how often each operation was called."""
        counts = Counter(call.operation for call in self.calls)
        return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"

    def clear(self) -> None:
        """Forget all that is scripted, and what it held."""
        with self.lock:
            self.faults.clear()
            for rules in self.rules.values():
                rules.clear()
            self.account_limit = self.creates_per_second = None

    # Requests

    def answer(self, request: Request) -> Reply:
        """Answer one request, and keep a record of it."""
        self.clock.resume(request.invocation)
        with self.lock:
            error: str | None = "ConnectionClosedError"
            try:
                reply = self._under_script(request)
                error = _error_code(reply)
            finally:
                self.calls.append(
                    Call(
                        request.operation,
                        request.parameters,
                        request.attempt,
                        error,
                        request.region,
                    )
                )
        date = formatdate(self.clock.epoch(), usegmt=True)
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
        """Return the fault that this request meets: at most one for all attempts of a call."""
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
        serve = self._served.get(request.operation)
        return request.forward() if serve is None else serve(request)

    def _create(self, request: Request) -> Reply:
        refusal = self._throttled() or (self.validate and _refusal(request.parameters))
        if refusal:
            code, message = refusal
            return error_reply(request, code, message=message)
        names = [stream.stream_name for stream in request.streams.values()]
        is_full = self.account_limit is not None and len(names) >= self.account_limit
        if is_full and request.parameters.get("StreamName") not in names:
            return error_reply(request, "AccountStreamLimitExceededException")
        reply = request.forward()
        if _error_code(reply) is not None:
            return reply
        arn = self._born(request, json.loads(reply.body)["StreamARN"])
        return Reply(reply.status, reply.headers, json.dumps({"StreamARN": arn}))

    def _throttled(self) -> tuple[str, str | None] | None:
        rate = self.creates_per_second
        if rate is None:
            return None
        now = self.clock.now()
        # Somebody else's time can be ahead.
        latest = bisect_right(self._created_at, now)
        if latest - bisect_right(self._created_at, now - 1) >= rate:
            return "ClientLimitExceededException", None
        self._created_at.insert(latest, now)
        return None

    def _born(self, request: Request, moto_arn: str) -> str:
        """Give a stream that moto has just made what moto leaves out, and return its ARN."""
        stream = request.streams.pop(moto_arn)
        # Two streams of one millisecond must differ all the same.
        suffix = max(int(self.clock.epoch() * 1000), self._last_suffix + 1)
        self._last_suffix = suffix
        stream.arn = f"{moto_arn.rpartition('/')[0]}/{suffix}"
        # moto's times are naive, and UTC.
        stream.creation_time = datetime.fromtimestamp(suffix / 1000, timezone.utc).replace(
            tzinfo=None
        )
        _, partition, _, region, account, _ = stream.arn.split(":", 5)
        stream.kms_key_id = (
            stream.kms_key_id or f"arn:{partition}:kms:{region}:{account}:alias/aws/kinesisvideo"
        )
        stream.data_retention_in_hours = stream.data_retention_in_hours or 0
        request.streams[stream.arn] = stream
        storage = request.parameters.get("StreamStorageConfiguration", {})
        extra = self.extras[stream.arn] = _Extra(storage.get("DefaultStorageTier", "HOT"))
        if (hidden := self.rules["hide_new"].take(stream.stream_name)) is not None:
            extra.hidden = hidden.describes or 0
        if (held := self.rules["hold_creating"].take(stream.stream_name)) is not None:
            self.hold(stream, StreamStatus.CREATING, held.describes)
        return stream.arn

    def _describe(self, request: Request) -> Reply:
        stream = _find(request.streams, request.parameters)
        if stream is None:
            return request.forward()
        extra = self.extra_of(stream)
        if extra.hidden:
            extra.hidden -= 1
            return error_reply(request, "ResourceNotFoundException")
        if extra.held and extra.describes is not None:
            if extra.describes == 0:
                self.release(request.streams, stream)
            else:
                extra.describes -= 1
        return request.forward()

    def _delete(self, request: Request) -> Reply:
        stream = _find(request.streams, request.parameters)
        if stream is None:
            return request.forward()
        if stream.status != StreamStatus.DELETING:
            rule = self.rules["hold_deleting"].take(stream.stream_name)
            if rule is None:
                return request.forward()
            self.hold(stream, StreamStatus.DELETING, rule.describes)
        return _json(200, {})

    def _list_tags(self, request: Request) -> Reply:
        stream = _find(request.streams, request.parameters)
        if stream is None:
            return error_reply(request, "ResourceNotFoundException")
        return _json(200, {"Tags": stream.tags or {}})

    def _describe_storage(self, request: Request) -> Reply:
        stream = _find(request.streams, request.parameters)
        if stream is None:
            return error_reply(request, "ResourceNotFoundException")
        tier = self.extra_of(stream).default_storage_tier
        return _json(
            200,
            {
                "StreamName": stream.stream_name,
                "StreamARN": stream.arn,
                "StreamStorageConfiguration": {"DefaultStorageTier": tier},
            },
        )

    # Streams

    def extra_of(self, stream: "MotoStream") -> _Extra:
        """Return what the kit knows of a stream."""
        return self.extras.setdefault(stream.arn, _Extra())

    def hold(self, stream: "MotoStream", status: str, describes: int | None) -> None:
        """Keep a stream in a status for so many describes, or until it is released."""
        stream.status = str(status)
        extra = self.extra_of(stream)
        extra.held, extra.describes = True, describes

    def release(self, streams: "MutableMapping[str, MotoStream]", stream: "MotoStream") -> None:
        """Let a stream go on: it becomes ACTIVE, or is gone if it was being deleted."""
        self.extra_of(stream).held = False
        if stream.status == StreamStatus.DELETING:
            del streams[stream.arn]
        else:
            stream.status = StreamStatus.ACTIVE.value

    def record_of(self, region: str, stream: "MotoStream") -> StreamRecord:
        """Return a stream of moto's as the kit shows it."""
        return StreamRecord(
            stream_name=stream.stream_name,
            stream_arn=StreamArn(stream.arn),
            status=StreamStatus(stream.status),
            region_name=region,
            creation_time=stream.creation_time.replace(tzinfo=timezone.utc),
            device_name=stream.device_name,
            media_type=stream.media_type,
            kms_key_id=stream.kms_key_id,
            data_retention_in_hours=stream.data_retention_in_hours or 0,
            tags=dict(stream.tags or {}),
            default_storage_tier=self.extra_of(stream).default_storage_tier,
        )


def _name_in(parameters: Mapping[str, Any]) -> str | None:
    """Read the name of the stream that a request is about, from its name or its ARN."""
    name: str | None = parameters.get("StreamName")
    arn: str = parameters.get("StreamARN", "")
    return name or (arn.split("/")[1] if arn.count("/") > 1 else None)


def _find(
    streams: "MutableMapping[str, MotoStream]", parameters: Mapping[str, Any]
) -> "MotoStream | None":
    name = parameters.get("StreamName")
    if name is None:
        return streams.get(parameters.get("StreamARN", ""))
    return next((stream for stream in streams.values() if stream.stream_name == name), None)


def _refusal(parameters: Mapping[str, Any]) -> tuple[str, str | None] | None:
    """Return code and text of the service's refusal, by the library's own rules."""
    if parameters.get("Tags") == {}:
        return "ValidationException", "Tags must not be empty."
    # In JSON, null is a member that is not there.
    present = {name: value for name, value in parameters.items() if value is not None}
    try:
        CreateStreamRequest.from_boto(present)
    except RequestValidationError as error:
        broken = [violation for violation in error.violations if violation.rule != "unknown"]
    else:
        return None
    if not broken:
        return None
    if any(v.parameter == "Tags" and v.rule == "max_items" for v in broken):
        return "TagsPerResourceExceededLimitException", None
    return "InvalidArgumentException", "; ".join(violation.message for violation in broken)
