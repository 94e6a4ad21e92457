"""Calls and replies: our models <-> boto's dicts."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from attrs import field, frozen

from . import _clock
from ._models import CreateStreamResponse, StreamArn, StreamInfo, StreamStatus
from ._request import CreateStreamRequest
from ._rules import check_stream
from ._text import shown
from .errors import KvsStreamsError, RequestValidationError, UnexpectedResponseError


class Call(NamedTuple):
    """One operation on one stream, in boto's terms."""

    operation_name: str
    method: str
    kwargs: Mapping[str, Any]
    stream_name: str
    is_decisive: bool = False
    """Whether it is made after the deadline too.

    It determines the outcome of a create, compares the stream found, or is the last poll.
    """


def _now() -> int:
    return _clock.clock.now()


@frozen
class Outcome:
    """The outcome of a call: boto's reply, or one of our errors."""

    reply: Any = None
    error: KvsStreamsError | None = None
    at: int = field(factory=_now)
    """When the call ended."""


def create_call(request: CreateStreamRequest) -> Call:
    """Return the call that creates the stream."""
    return Call("CreateStream", "create_stream", request.to_boto(), request.stream_name)


def describe_call(stream: str) -> Call:
    """Return the call that describes a stream, given by name or ARN; refuse anything else."""
    if faults := check_stream(stream):
        raise RequestValidationError(faults)
    kwargs, name = {"StreamName": stream}, stream
    if ":" in stream:
        kwargs = {"StreamARN": str(stream)}
        with suppress(ValueError):  # such as the ARN of a channel, which is left to the service
            name = StreamArn(stream).stream_name
    return Call("DescribeStream", "describe_stream", kwargs, name)


def tags_call(stream: str, next_token: str | None) -> Call:
    """Return the call that lists a page of a stream's tags."""
    kwargs = {"StreamName": stream, **_page(next_token)}
    return Call("ListTagsForStream", "list_tags_for_stream", kwargs, stream, is_decisive=True)


def storage_call(stream: str) -> Call:
    """Return the call that reads a stream's storage tier."""
    operation = "DescribeStreamStorageConfiguration"
    method = "describe_stream_storage_configuration"
    return Call(operation, method, {"StreamName": stream}, stream, is_decisive=True)


def list_call(next_token: str | None) -> Call:
    """Return the call that lists a page of the account's streams, of the largest size."""
    # 10,000 is the model's maximum; the service then answers with pages of 1,000.
    return Call("ListStreams", "list_streams", {"MaxResults": 10_000, **_page(next_token)}, "")


def _page(next_token: str | None) -> dict[str, str]:
    return {} if next_token is None else {"NextToken": next_token}


# Replies


def metadata(reply: Any) -> Mapping[str, Any]:
    """Return the ``ResponseMetadata`` of a reply; empty if a fake has none."""
    found: Mapping[str, Any] = _part(reply, "ResponseMetadata")
    return found


def retry_attempts(reply: Any) -> int:
    """Return how many times botocore retried a call."""
    return int(metadata(reply).get("RetryAttempts") or 0)


def server_time(reply: Any) -> datetime | None:
    """Return the server's time from the ``date`` header of a reply, in whole seconds."""
    try:
        return _utc(parsedate_to_datetime(_part(metadata(reply), "HTTPHeaders").get("date")))
    except (OverflowError, ValueError):
        return None


def read_created(call: Call, reply: Any, sent_before: int) -> CreateStreamResponse:
    """Return the response to a create; ``sent_before`` counts the requests of earlier attempts."""
    return CreateStreamResponse(
        stream_arn=StreamArn(_require(call, reply, reply, "StreamARN")),
        request_id=metadata(reply).get("RequestId") or None,
        http_status_code=metadata(reply).get("HTTPStatusCode"),
        retry_attempts=sent_before + retry_attempts(reply),
    )


def read_stream(call: Call, reply: Any) -> StreamInfo:
    """Return the stream in a reply to ``DescribeStream``."""
    info = _part(reply, "StreamInfo")
    created = info.get("CreationTime")
    return StreamInfo(
        stream_name=_require(call, reply, info, "StreamName"),
        stream_arn=StreamArn(_require(call, reply, info, "StreamARN")),
        status=StreamStatus(_require(call, reply, info, "Status")),
        device_name=info.get("DeviceName") or None,
        media_type=info.get("MediaType") or None,
        kms_key_id=info.get("KmsKeyId") or None,
        version=info.get("Version") or None,
        creation_time=None if created is None else _utc(created),
        data_retention_in_hours=info.get("DataRetentionInHours"),
    )


def read_page(reply: Any) -> tuple[list[str], str | None]:
    """Return the names of a page of streams, and the token for the next page if there is one."""
    infos: Any = _part(reply, "StreamInfoList")
    return [info.get("StreamName", "") for info in infos], _token(reply)


def read_tags(reply: Any) -> tuple[dict[str, str], str | None]:
    """Return a page of tags, and the token for the next page if there is one."""
    # AWS calls the value optional.
    return {key: value or "" for key, value in _part(reply, "Tags").items()}, _token(reply)


def read_tier(call: Call, reply: Any) -> str:
    """Return the storage tier as text, since it may be unknown to this version."""
    configuration = _part(reply, "StreamStorageConfiguration")
    return _require(call, reply, configuration, "DefaultStorageTier")


def _part(body: Any, name: str) -> Any:
    """Return a member of a reply; an empty mapping if there is none, or no body."""
    members: Mapping[str, Any] = body or {}
    return members.get(name) or {}


def _token(reply: Any) -> str | None:
    token: str | None = _part(reply, "NextToken") or None
    return token


def _utc(time: datetime) -> datetime:
    """Return a time in UTC, which is also the default if it has no time zone."""
    return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _require(call: Call, reply: Any, body: Any, name: str) -> str:
    value = _part(body, name)
    if isinstance(value, str):
        return value
    raise UnexpectedResponseError(
        f"the response to {call.operation_name} for stream {shown(call.stream_name)} has no {name}",
        operation_name=call.operation_name,
        stream_name=call.stream_name,
        request_id=metadata(reply).get("RequestId") or None,
    )
