"""Calls and replies: our models <-> boto's dicts."""

from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from ._request import CreateStreamRequest
from ._results import CreateStreamResponse, StreamInfo
from ._text import VALUE_LIMIT, is_mapping, printable, shown, to_count
from ._validation import check_stream
from ._values import StreamArn, StreamStatus
from .errors import RequestValidationError, UnexpectedResponseError


class Call(NamedTuple):
    """One operation on one stream, in boto's terms."""

    operation_name: str
    method: str
    kwargs: Mapping[str, Any]
    stream_name: str


def create_call(request: CreateStreamRequest) -> Call:
    """Return the call that creates the stream."""
    return Call("CreateStream", "create_stream", request.to_boto(), request.stream_name)


def describe_call(stream: str) -> Call:
    """Return the call that describes a stream, given by name or ARN; refuse anything else."""
    return _call_for("DescribeStream", "describe_stream", stream)


def tags_call(stream: str, next_token: str | None) -> Call:
    """Return the call that lists a page of a stream's tags."""
    call = _call_for("ListTagsForStream", "list_tags_for_stream", stream)
    if next_token is None:
        return call
    return call._replace(kwargs={**call.kwargs, "NextToken": next_token})


def storage_call(stream: str) -> Call:
    """Return the call that reads a stream's storage tier."""
    operation = "DescribeStreamStorageConfiguration"
    return _call_for(operation, "describe_stream_storage_configuration", stream)


def list_call(next_token: str | None) -> Call:
    """Return the call that lists a page of the account's streams, as long as the service allows."""
    # 10,000 is the model's maximum; the service then answers with pages of 1,000.
    kwargs: dict[str, Any] = {"MaxResults": 10_000}
    if next_token is not None:
        kwargs["NextToken"] = next_token
    return Call("ListStreams", "list_streams", kwargs, "")


def _call_for(operation_name: str, method: str, stream: str) -> Call:
    faults = check_stream(stream)
    if faults:
        raise RequestValidationError(faults)
    text = str.__str__(stream)
    if ":" not in text:
        return Call(operation_name, method, {"StreamName": text}, text)
    try:
        name = StreamArn(text).stream_name
    except ValueError:  # such as the ARN of a channel, which is left to the service
        name = text
    return Call(operation_name, method, {"StreamARN": text}, name)


# Replies


def metadata(reply: object) -> Mapping[str, Any]:
    """Return boto's record of the HTTP exchange behind a reply; empty if a fake gives none."""
    found = _member(reply, "ResponseMetadata")
    return found if is_mapping(found) else {}


def retry_attempts(reply: object) -> int:
    """Return how many times botocore retried a call."""
    return to_count(metadata(reply).get("RetryAttempts")) or 0


def server_time(reply: object) -> datetime | None:
    """Return the server's time from the ``date`` header of a reply, in whole seconds."""
    date = _string(metadata(reply).get("HTTPHeaders"), "date")
    if date is None:
        return None
    try:
        return _utc(parsedate_to_datetime(date))
    except (OverflowError, ValueError):
        return None


def read_created(call: Call, reply: object, sent_before: int) -> CreateStreamResponse:
    """Return the response to a create; ``sent_before`` counts the requests of earlier attempts."""
    arn = _require(call, reply, reply, "StreamARN")
    exchange = metadata(reply)
    return CreateStreamResponse(
        stream_arn=StreamArn(arn),
        request_id=_request_id(reply),
        http_status_code=to_count(exchange.get("HTTPStatusCode")),
        retry_attempts=sent_before + retry_attempts(reply),
    )


def read_stream(call: Call, reply: object) -> StreamInfo:
    """Return the stream that a describe shows."""
    return _read_info(call, reply, _member(reply, "StreamInfo"))


def read_page(call: Call, reply: object) -> tuple[list[StreamInfo], str | None]:
    """Return a page of streams, and the token for the next page if there is one."""
    page = _member(reply, "StreamInfoList")
    infos = [_read_info(call, reply, info) for info in page] if isinstance(page, list) else []
    return infos, _string(reply, "NextToken")


def _read_info(call: Call, reply: object, info: object) -> StreamInfo:
    name = _require(call, reply, info, "StreamName")
    arn = _require(call, reply, info, "StreamARN")
    status = _require(call, reply, info, "Status")
    created = _member(info, "CreationTime")
    retention = _member(info, "DataRetentionInHours")
    return StreamInfo(
        stream_name=name,
        stream_arn=StreamArn(arn),
        # Every word of AWS's stays as it is; anything else is made fit for messages and logs.
        status=StreamStatus(printable(status, VALUE_LIMIT)),
        device_name=_string(info, "DeviceName"),
        media_type=_string(info, "MediaType"),
        kms_key_id=_string(info, "KmsKeyId"),
        version=_string(info, "Version"),
        creation_time=_utc(created) if isinstance(created, datetime) else None,
        data_retention_in_hours=retention if type(retention) is int else None,
    )


def read_tags(reply: object) -> tuple[Mapping[str, str], str | None]:
    """Return a page of tags, and the token for the next page if there is one."""
    tags = _member(reply, "Tags")
    found: Mapping[Any, Any] = tags if is_mapping(tags) else {}
    # AWS calls the value optional.
    page = {
        key: value if isinstance(value, str) else shown(value) if value else ""
        for key, value in found.items()
    }
    return page, _string(reply, "NextToken")


def read_tier(call: Call, reply: object) -> str:
    """Return the storage tier as text, since it may be one that this version does not know."""
    configuration = _member(reply, "StreamStorageConfiguration")
    return _require(call, reply, configuration, "DefaultStorageTier")


def _utc(time: datetime) -> datetime | None:
    """Return a time in UTC, which AWS means if it names no time zone; ``None`` if unusable."""
    try:
        return time.astimezone(timezone.utc) if time.tzinfo else time.replace(tzinfo=timezone.utc)
    except (OverflowError, ValueError):  # at the end of the calendar; an offset of days
        return None


def _member(body: object, name: str) -> object:
    return body.get(name) if is_mapping(body) else None


def _string(body: object, name: str) -> str | None:
    value = _member(body, name)
    return value if isinstance(value, str) and value else None


def _request_id(reply: object) -> str | None:
    found = _string(metadata(reply), "RequestId")
    return None if found is None else printable(found)


def _require(call: Call, reply: object, body: object, name: str) -> str:
    value = _string(body, name)
    if value is not None:
        return value
    raise UnexpectedResponseError(
        f"the response to {call.operation_name} for stream "
        f"{shown(call.stream_name, redacted=False)} has no {name}",
        operation_name=call.operation_name,
        stream_name=call.stream_name,
        request_id=_request_id(reply),
    )
