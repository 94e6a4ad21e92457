"""Compare a request with the existing stream."""

from ._flow import Flow, Operation
from ._models import Drift, StreamInfo
from ._request import CreateStreamRequest
from ._rules import tag_path
from ._wire import read_tags, read_tier, storage_call, tags_call
from .errors import AccessDeniedError, ResourceNotFoundException, ServiceError

_DEFAULT_KEY = "alias/aws/kinesisvideo"
# The errors of endpoints that lack an operation; AWS and emulators differ.
_NOT_OFFERED_CODES = {"UnknownOperationException", "InvalidAction", "NotImplemented"}
_NOT_OFFERED_STATUS = {404, 405, 501}


def compare(
    operation: Operation, request: CreateStreamRequest, info: StreamInfo
) -> Flow[tuple[tuple[Drift, ...], tuple[str, ...]]]:
    """Compare the fields that a request sets with the existing stream.

    Returns:
        The differences, and the fields that could not be compared, in the order of the fields.
    """
    drift, unverified = _compare_info(request, info)
    reads = {"tags": _compare_tags, "stream_storage_configuration": _compare_tier}
    for field, read in reads.items():
        try:
            drift += yield from read(operation, request)
        except ServiceError as error:  # noqa: PERF203  # only two iterations
            if not _is_unreadable(error):
                raise
            unverified.append(field)
    return tuple(drift), tuple(unverified)


def _compare_info(request: CreateStreamRequest, info: StreamInfo) -> tuple[list[Drift], list[str]]:
    """Compare the fields in the response of ``DescribeStream``."""
    drift = _differences("device_name", request.device_name, info.device_name)
    drift += _differences("media_type", request.media_type, info.media_type)
    unverified: list[str] = []
    if request.kms_key_id is not None:
        same = _is_same_key(request.kms_key_id, info.kms_key_id or _DEFAULT_KEY)
        if same is None:
            unverified.append("kms_key_id")
        elif not same:
            drift.append(Drift("kms_key_id", request.kms_key_id, info.kms_key_id))
    # A response without a retention means the default.
    retention = info.data_retention_in_hours or 0
    drift += _differences("data_retention_in_hours", request.data_retention_in_hours, retention)
    return drift, unverified


def _compare_tags(operation: Operation, request: CreateStreamRequest) -> Flow[list[Drift]]:
    """Read all pages of the stream's tags, and compare the requested ones."""
    if request.tags is None:
        return []
    found: dict[str, str] = {}
    token: str | None = None
    while True:
        reply, _ = yield from operation.send(tags_call(request.stream_name, token))
        page, token = read_tags(reply)
        found |= page
        if token is None:
            break
    drift: list[Drift] = []
    for key, value in request.tags.items():
        drift += _differences(tag_path(key), value, found.get(key))
    return drift


def _compare_tier(operation: Operation, request: CreateStreamRequest) -> Flow[list[Drift]]:
    """Read the stream's storage tier, and compare it if it is requested."""
    storage = request.stream_storage_configuration
    if storage is None:
        return []
    call = storage_call(request.stream_name)
    reply, _ = yield from operation.send(call)
    path = "stream_storage_configuration.default_storage_tier"
    return _differences(path, storage.default_storage_tier.value, read_tier(call, reply))


def _differences(field: str, requested: str | int | None, found: str | int | None) -> list[Drift]:
    """Return the difference in a field, if the request sets it to another value."""
    return [] if requested is None or requested == found else [Drift(field, requested, found)]


def _is_unreadable(error: ServiceError) -> bool:
    """Return whether a read is not allowed, or not offered by the endpoint."""
    if isinstance(error, ResourceNotFoundException):
        return False
    if isinstance(error, AccessDeniedError) or error.code in _NOT_OFFERED_CODES:
        return True
    return error.http_status_code in _NOT_OFFERED_STATUS


def _is_same_key(requested: str, found: str) -> bool | None:
    """Return whether two names mean the same KMS key; ``None`` if they cannot be compared.

    A key id and a key ARN can be compared, and so can an alias and an alias ARN. Only KMS can
    resolve an alias to a key.
    """
    owner, _, name = requested.rpartition(":")
    found_owner, _, found_name = found.rpartition(":")
    if name.startswith("alias/") != found_name.startswith("alias/"):
        return None
    is_same_name = name.removeprefix("key/") == found_name.removeprefix("key/")
    return is_same_name and (owner == found_owner or not owner or not found_owner)
