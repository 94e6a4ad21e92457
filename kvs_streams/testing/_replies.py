"""Replies as the service writes them."""

import json
import uuid
from typing import Literal

from ._records import Reply, Request

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
    "AccessDeniedException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "ValidationException",
    "ThrottlingException",
    "InternalFailure",
    "ServiceUnavailable",
]

# Status and text. Errors of the model have the model's status and documentation; the others are as
# seen on the wire or, if that is not published, as AWS's common errors are documented.
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
    "VersionMismatchException": (
        400,
        (
            "The stream version that you specified is not the latest version. To get the latest "
            "version, use the DescribeStream API."
        ),
    ),
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
# AWS writes the member in lower case when it refuses a key.
_LOWER_CASE_MESSAGE = {"UnrecognizedClientException"}
# botocore takes redirects for errors too.
LOWEST_ERROR_STATUS, HIGHEST_STATUS = 300, 599
_ERROR_TYPE_SUFFIX = ":http://internal.amazon.com/coral/com.amazonaws.kinesisvideo/"


def api_name(operation: str) -> str:
    """Return AWS's name of an operation: ``CreateStream``."""
    return "".join(word.capitalize() for word in operation.split("_"))


def json_reply(status: int, content: object, **headers: str) -> Reply:
    """Answer with JSON."""
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

    A code of digits is a status that a proxy answers without a code; botocore then uses the status
    as the code. The body is HTML. With a message it is JSON, since botocore reads no message from
    the HTML of a 5xx.

    Args:
        request: what is answered.
        code: the error code, or a status.
        status: the HTTP status; by default the one that belongs to the code.
        message: the text; by default AWS's own.
    """
    if code.isdecimal():
        status = status or int(code)
        if message is not None:
            return Reply(
                status, {"content-type": "application/json"}, json.dumps({"message": message})
            )
        body = f"<html><body><h1>{code}</h1></body></html>"
        return Reply(status, {"content-type": "text/html"}, body)
    known_status, text = _ERRORS.get(code, (400, "{code}"))
    if message is None:
        message = text.format(
            code=code,
            api=api_name(request.operation),
            region=request.region,
            account=request.account_id,
        )
    member = "message" if code in _LOWER_CASE_MESSAGE else "Message"
    headers = {"x-amzn-ErrorType": code + _ERROR_TYPE_SUFFIX}
    return json_reply(status or known_status, {member: message}, **headers)


def error_code(reply: Reply) -> str | None:
    """Read the code of an error reply, the kit's or moto's own."""
    if reply.status < LOWEST_ERROR_STATUS:
        return None
    headers = {name.lower(): str(value) for name, value in reply.headers.items()}
    return headers.get("x-amzn-errortype", str(reply.status)).partition(":")[0]
