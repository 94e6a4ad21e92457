"""Compare a request with the stream that exists."""

import re
from collections.abc import Mapping

from ._flow import Flow, Operation
from ._models import Drift, StreamInfo
from ._request import CreateStreamRequest
from ._rules import tag_path
from ._wire import read_tags, read_tier, storage_call, tags_call
from .errors import (
    AccessDeniedError,
    ResourceNotFoundException,
    ServiceError,
)

_DEFAULT_KEY = "alias/aws/kinesisvideo"
_KMS_NAME = re.compile(
    r"(?:arn:(?P<owner>[^:]+:kms:[^:]*:[^:]*):)?(?:alias/(?P<alias>.+)|(?:key/)?(?P<key>[^/]+))"
)
# How endpoints that lack an operation answer; real and imitated ones differ.
_NOT_OFFERED_CODES = {"UnknownOperationException", "InvalidAction", "NotImplemented"}
_NOT_OFFERED_STATUS = {404, 405, 501}


def compare(
    operation: Operation, request: CreateStreamRequest, info: StreamInfo
) -> Flow[tuple[tuple[Drift, ...], tuple[str, ...]]]:
    """Compare what a request sets with the stream that exists.

    Returns:
        The differences, and the fields that could not be compared, in the order of the fields.
    """
    drift, unverified = _compare_info(request, info)
    if request.tags is not None:
        try:
            found = yield from _read_tags(operation, request.stream_name, request.tags)
        except ServiceError as error:
            _raise_unless_unreadable(error)
            unverified.append("tags")
        else:
            for key, value in request.tags.items():
                drift += _differences(tag_path(key), value, found.get(key))
    storage = request.stream_storage_configuration
    if storage is not None:
        call = storage_call(request.stream_name)._replace(is_decisive=True)
        try:
            reply, _ = yield from operation.send(call)
        except ServiceError as error:
            _raise_unless_unreadable(error)
            unverified.append("stream_storage_configuration")
        else:
            path = "stream_storage_configuration.default_storage_tier"
            wanted = storage.default_storage_tier.value
            drift += _differences(path, wanted, read_tier(call, reply))
    return tuple(drift), tuple(unverified)


def _compare_info(request: CreateStreamRequest, info: StreamInfo) -> tuple[list[Drift], list[str]]:
    """Compare the fields that a describe shows."""
    drift = _differences("device_name", request.device_name, info.device_name)
    drift += _differences("media_type", request.media_type, info.media_type)
    unverified: list[str] = []
    if request.kms_key_id is not None:
        same = _is_same_key(request.kms_key_id, info.kms_key_id or _DEFAULT_KEY)
        if same is None:
            unverified.append("kms_key_id")
        elif not same:
            drift.append(Drift("kms_key_id", request.kms_key_id, info.kms_key_id))
    # A describe without a retention means the default.
    retention = info.data_retention_in_hours or 0
    drift += _differences("data_retention_in_hours", request.data_retention_in_hours, retention)
    return drift, unverified


def _differences(field: str, requested: str | int | None, found: str | int | None) -> list[Drift]:
    """Return the difference in a field, if the request sets it to another value."""
    return [] if requested is None or requested == found else [Drift(field, requested, found)]


def _read_tags(
    operation: Operation, stream_name: str, wanted: Mapping[str, str]
) -> Flow[dict[str, str]]:
    """Read all pages of a stream's tags, and keep those that are wanted."""
    tags: dict[str, str] = {}
    token: str | None = None
    while True:
        call = tags_call(stream_name, token)._replace(is_decisive=True)
        reply, _ = yield from operation.send(call)
        page, token = read_tags(reply)
        tags.update((key, value) for key, value in page.items() if key in wanted)
        if token is None:
            return tags


def _raise_unless_unreadable(error: ServiceError) -> None:
    """Raise the error of a read, unless it is not allowed or not offered by the endpoint."""
    if isinstance(error, AccessDeniedError):
        return
    not_found = isinstance(error, ResourceNotFoundException)
    if error.code in _NOT_OFFERED_CODES or (
        error.http_status_code in _NOT_OFFERED_STATUS and not not_found
    ):
        return
    raise error


def _is_same_key(requested: str, found: str) -> bool | None:
    """Tell whether two names mean the same KMS key; ``None`` if they cannot be compared.

    A key id and a key ARN can be compared, and so can an alias and an alias ARN. Only KMS knows
    which key an alias stands for.
    """
    one, other = _KMS_NAME.fullmatch(requested), _KMS_NAME.fullmatch(found)
    if requested == found:
        return True
    if one is None or other is None or (one["key"] is None) != (other["key"] is None):
        return None
    if one["alias"] != other["alias"] or one["key"] != other["key"]:
        return False
    return one["owner"] is None or other["owner"] is None or one["owner"] == other["owner"]
