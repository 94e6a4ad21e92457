"""Requests as they arrive, and replies as the service writes them."""

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any, Literal

from attrs import frozen
from botocore import xform_name

from ._records import ACCOUNT_ID

ErrorCode = Literal[
    "AccountStreamLimitExceededException",
    "ClientLimitExceededException",
    "DeviceStreamLimitExceededException",
    "InvalidArgumentException",
    "InvalidDeviceException",
    "ResourceInUseException",
    "TagsPerResourceExceededLimitException",
    "ResourceNotFoundException",
    "VersionMismatchException",
    "NoDataRetentionException",
    "AccessDeniedException",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ValidationException",
    "ThrottlingException",
    "InternalFailure",
    "ServiceUnavailable",
]

_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."
)
_DENIED = (
    f"User: arn:aws:iam::{ACCOUNT_ID}:user/testing is not authorized to perform: kinesisvideo:"
)

# Status and text as seen on the wire or, if that is not published, as AWS's common errors are
# documented. All other errors of the model have the model's status and documentation.
_SEEN = {
    "ClientLimitExceededException": (400, "Limit exceeded on number of requests for {api} API"),
    "ResourceInUseException": (400, "The stream already exists."),
    "ResourceNotFoundException": (404, "The requested stream is not found or not active."),
    "NoDataRetentionException": (400, "The Stream data retention in hours is equal to zero."),
    "AccessDeniedException": (403, _DENIED + "{api}"),
    "ExpiredTokenException": (403, "The security token included in the request is expired"),
    "UnrecognizedClientException": (403, "The security token included in the request is invalid."),
    "InvalidSignatureException": (403, _SIGNATURE),
    "ThrottlingException": (400, "Rate exceeded"),
    "InternalFailure": (500, "The request processing has failed because of an unknown error."),
    "ServiceUnavailable": (503, "The request has failed due to a temporary failure of the server."),
}
# AWS checks keys before the service sees the request, and writes the member in lower case there.
_LOWER_CASE = {"ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"}
# The end of the text if the request is about one stream.
_ABOUT_A_STREAM = {
    "AccessDeniedException": " on resource: {stream}",
    "ClientLimitExceededException": " for resource '{stream}'",
}
_WITHOUT_STREAM = ("ClientLimitExceededException", "create_stream")
_ERROR_TYPE_SUFFIX = ":http://internal.amazon.com/coral/com.amazonaws.kinesisvideo/"


class DroppedConnectionError(Exception):
    """Raised to close the connection without a reply."""


@frozen
class Reply:
    """An HTTP reply."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str | None = None
    """The error code."""


@frozen
class Request:
    """A request as it arrived."""

    model: Any
    """botocore's model of the operation."""
    parameters: Any
    """The parsed JSON: in most cases a ``dict`` with AWS's names."""
    region: str
    call: str
    """An id that all requests of a call share."""
    server: str | None = None
    """The kit's address, if the request came over HTTP."""

    @property
    def operation(self) -> str:
        """The operation by boto3's name, such as ``create_stream``."""
        return str(xform_name(self.model.name))

    @property
    def stream_name(self) -> str | None:
        """The name of the stream, from the parameters' name or ARN."""
        # A wrong type is refused later.
        parameters: dict[str, Any] = self.parameters if hasattr(self.parameters, "get") else {}
        arn = str(parameters.get("StreamARN") or parameters.get("ResourceARN") or "")
        return parameters.get("StreamName") or (arn.split("/")[1] if arn.count("/") > 1 else None)


def json_reply(content: object, status: int = 200, error: str | None = None) -> Reply:
    """Answer with JSON."""
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-RequestId": str(uuid.uuid4())}
    if error is not None:
        headers["x-amzn-ErrorType"] = error + _ERROR_TYPE_SUFFIX
    return Reply(status, headers, json.dumps(content).encode(), error)


def error_reply(
    request: Request, code: str, message: str | None = None, status: int | None = None
) -> Reply:
    """Answer with an error as the service writes it.

    A code of digits is a status without a code, as from a proxy; botocore then uses the status as
    the code. The body is HTML. With a message it is JSON, since botocore reads no message from
    the HTML of a 5xx.

    Args:
        request: the request.
        code: the error code, or a status.
        message: the text; by default AWS's own.
        status: the HTTP status; by default the one that belongs to the code.
    """
    if code.isdecimal():
        status = status or int(code)
        kind, body = "text/html", f"<html><body><h1>{code}</h1></body></html>"
        if message is not None:
            kind, body = "application/json", json.dumps({"message": message})
        return Reply(status, {"content-type": kind}, body.encode(), str(status))
    known_status, text = _SEEN.get(code) or _documented(request, code)
    if message is None:
        message = text.replace("{api}", request.model.name)
        if request.stream_name and (code, request.operation) != _WITHOUT_STREAM:
            message += _ABOUT_A_STREAM.get(code, "").format(stream=request.stream_name)
    member = "message" if code in _LOWER_CASE else "Message"
    return json_reply({member: message}, status or known_status, code)


def _documented(request: Request, code: str) -> tuple[int, str]:
    """Return the status and the text of an error from botocore's model; the code if it has none."""
    shape = request.model.service_model.shape_for_error_code(code)
    if shape is None:
        return 400, code
    text = re.sub("<[^>]*>", "", shape.documentation).strip()
    return shape.metadata["error"]["httpStatusCode"], text
