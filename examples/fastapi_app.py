"""A FastAPI service that registers cameras.

``PUT /cameras/{name}`` creates the stream and returns at once, ``GET /cameras/{name}`` tells its
status. Needs ``pip install "kvs_streams[testing]" fastapi uvicorn``. Run this file to try it on a
mock of the service, without an AWS account; ``uvicorn fastapi_app:app`` uses your own account.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from kvs_streams import (
    AsyncStreamsClient,
    CreateStreamRequest,
    EnsureOutcome,
    KvsStreamsError,
    LimitExceededError,
    RequestValidationError,
    ResourceNotFoundException,
    StreamDriftError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

# The most specific first: KvsStreamsError is the root of the others.
STATUS: dict[type[KvsStreamsError], HTTPStatus] = {
    RequestValidationError: HTTPStatus.UNPROCESSABLE_ENTITY,
    StreamDriftError: HTTPStatus.CONFLICT,
    ResourceNotFoundException: HTTPStatus.NOT_FOUND,
    LimitExceededError: HTTPStatus.INSUFFICIENT_STORAGE,
    KvsStreamsError: HTTPStatus.BAD_GATEWAY,
}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    """Keep one client for the whole life of the service."""
    async with AsyncStreamsClient() as client:
        app.state.streams = client
        yield


app = FastAPI(lifespan=lifespan)


def streams(request: Request) -> AsyncStreamsClient:
    """Return the client."""
    client: AsyncStreamsClient = request.app.state.streams
    return client


Client = Annotated[AsyncStreamsClient, Depends(streams)]


@app.put("/cameras/{name}")
async def put_camera(name: str, body: dict[str, Any], client: Client) -> JSONResponse:
    """Create the stream if it is missing, without waiting until it is ACTIVE.

    The body has boto3's keys, such as ``{"MediaType": "video/h264"}``; unknown keys are refused.
    """
    request = CreateStreamRequest.from_boto({**body, "StreamName": name})
    ensured = await client.ensure_stream(request, wait=False, timeout=10)
    is_new = ensured.outcome is not EnsureOutcome.EXISTING
    return JSONResponse(
        {"arn": ensured.stream.stream_arn, "status": ensured.stream.status},
        status_code=HTTPStatus.CREATED if is_new else HTTPStatus.OK,
    )


@app.get("/cameras/{name}")
async def get_camera(name: str, client: Client) -> dict[str, str]:
    """Tell the ARN and the status of a camera's stream."""
    stream = await client.describe_stream(name)
    return {"arn": stream.stream_arn, "status": stream.status}


@app.exception_handler(KvsStreamsError)
async def answer_error(_: Request, error: KvsStreamsError) -> JSONResponse:
    """Answer every error of the library; what AWS said belongs in the log, not in the answer."""
    body: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, RequestValidationError):
        body["faults"] = {violation.field: violation.message for violation in error.violations}
    if isinstance(error, StreamDriftError):
        body["differs"] = [drift.field for drift in error.drift]
    status = next(code for cls, code in STATUS.items() if isinstance(error, cls))
    if error.retryable:
        status = HTTPStatus.SERVICE_UNAVAILABLE
    return JSONResponse(body, status)


def main() -> None:
    """Serve it on a mock of the service."""
    import uvicorn

    from kvs_streams.testing import mock_kvs

    with mock_kvs():
        uvicorn.run(app)


if __name__ == "__main__":
    main()
