"""Kinesis Video Streams on 127.0.0.1: real HTTP with scripted replies, every request recorded.

Replies come from a queue for each operation, or from a function of the request. A call that no
reply was scripted for, and a scripted reply that no call asked for, fail the test.
"""

import json
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from email.utils import format_datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

# Far from the time of any machine that runs this: what depends on the local clock fails.
SERVER_TIME = datetime(2041, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
REQUEST_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
ACCOUNT = "123456789012"
REGION = "eu-west-1"


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    action: Literal["answer", "drop", "hang"] = "answer"
    date: datetime = SERVER_TIME


@dataclass(frozen=True)
class Request:
    operation: str
    body: dict[str, Any]
    headers: Mapping[str, str]


def ok(body: object = None) -> Reply:
    """Answer with success and a JSON body."""
    return Reply(
        body=json.dumps({} if body is None else body).encode(),
        headers={"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": REQUEST_ID},
    )


def error(
    code: str,
    message: str = "told by the service",
    status: int = 400,
    *,
    message_key: str = "Message",
    suffix: str = ":http://internal.amazon.com/coral/com.amazonaws.kinesisvideo/",
) -> Reply:
    """Answer with an error in the real wire format: the code in a header, the message in JSON."""
    told = ok({message_key: message})
    return replace(told, status=status, headers={**told.headers, "x-amzn-ErrorType": code + suffix})


def throttle() -> Reply:
    """Answer with the throttle of Kinesis Video Streams, which botocore never retries."""
    return error(
        "ClientLimitExceededException", "Limit exceeded on number of requests for CreateStream API"
    )


def conflict() -> Reply:
    """Answer that the name is taken."""
    return error("ResourceInUseException", "The stream already exists.")


def not_found() -> Reply:
    """Answer that the stream is not there, or cannot be seen yet."""
    return error(
        "ResourceNotFoundException", "The requested stream is not found or not active.", 404
    )


def denied(operation: str = "CreateStream") -> Reply:
    """Deny access as the real service does: with 403, where the model says 401."""
    return error(
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/cam is not authorized to perform: "
        f"kinesisvideo:{operation} on resource: arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/*",
        403,
    )


def server_error(status: int = 500) -> Reply:
    """Answer that AWS failed."""
    return error("InternalFailure", "We are having a bad day.", status)


def html(status: int) -> Reply:
    """Answer as a proxy or a load balancer does: HTML, and no error code."""
    body = f"<html><body><h1>{status} from the middle</h1></body></html>".encode()
    return Reply(status=status, body=body, headers={"Content-Type": "text/html"})


def garbage(body: bytes) -> Reply:
    """Answer with success whose body is not what the service sends."""
    return replace(ok(), body=body)


def drop() -> Reply:
    """Take the request and close the connection without an answer: a lost response."""
    return Reply(action="drop")


def hang() -> Reply:
    """Take the request and never answer."""
    return Reply(action="hang")


def millis(moment: datetime) -> int:
    """Return epoch milliseconds, as an ARN carries them."""
    return round(moment.timestamp() * 1000)


def arn(name: str, created: datetime = SERVER_TIME) -> str:
    """Return the ARN of a stream."""
    return f"arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/{name}/{millis(created)}"


def created(name: str, at: datetime = SERVER_TIME) -> Reply:
    """Answer that the stream was created."""
    return ok({"StreamARN": arn(name, at)})


def described(
    name: str, status: str = "ACTIVE", *, created_at: datetime = SERVER_TIME, **members: object
) -> Reply:
    """Describe a stream; ``members`` add to or replace those of ``StreamInfo``."""
    info: dict[str, object] = {
        "StreamName": name,
        "StreamARN": arn(name, created_at),
        "Status": status,
        "DeviceName": None,
        "MediaType": None,
        "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/aws/kinesisvideo",
        "Version": "W37aXZbUYq6wNxZnGsQx",
        "CreationTime": created_at.timestamp(),
        "DataRetentionInHours": 0,
    }
    return ok({"StreamInfo": info | members})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Or each reply waits for the acknowledgement of the one before, 44 ms.
    disable_nagle_algorithm = True
    server: "Loopback"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply = self.server.reply_to(self.path, body, dict(self.headers.items()))
        self.close_connection = reply.action != "answer"
        if reply.action == "hang":
            self.server.released.wait()
        if reply.action == "answer":
            self.send_response_only(reply.status)
            self.send_header("Date", format_datetime(reply.date, usegmt=True))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)


class Loopback(ThreadingHTTPServer):
    """One server for one test; ``serving`` starts it and checks that the script is used up."""

    # A connection ends when the client closes it.
    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.surprises: list[Request] = []
        self.released = threading.Event()
        self._queues: defaultdict[str, deque[Reply]] = defaultdict(deque)
        self._answer: Callable[[Request], Reply] | None = None
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"

    @property
    def calls(self) -> list[str]:
        """AWS's names of the operations called, in order."""
        return [request.operation for request in self.requests]

    def on(self, operation: str, *replies: Reply) -> None:
        """Script the next replies of an operation."""
        self._queues[operation].extend(replies)

    def on_create(self, *replies: Reply) -> None:
        self.on("CreateStream", *replies)

    def on_describe(self, *replies: Reply) -> None:
        self.on("DescribeStream", *replies)

    def answer_with(self, answer: Callable[[Request], Reply]) -> None:
        """Answer every request with what ``answer`` returns; it runs in the server's threads."""
        self._answer = answer

    def reply_to(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        # A client that takes this server for a proxy sends the whole URL.
        name = urlsplit(path).path.lstrip("/")
        operation = name[:1].upper() + name[1:]
        if operation:
            request = Request(operation, json.loads(body), headers)
        else:  # STS
            form = dict(parse_qsl(body.decode()))
            request = Request(form["Action"], form, headers)
        with self._lock:
            self.requests.append(request)
            if self._answer is None and self._queues[request.operation]:
                return self._queues[request.operation].popleft()
        if self._answer is not None:
            return self._answer(request)
        self.surprises.append(request)
        # Neither botocore nor the library retries this one, so that the test ends.
        return error("NothingScripted", f"nothing is scripted for this {request.operation}", 418)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that the client broke off."""


@contextmanager
def serving() -> Iterator[Loopback]:
    """Run a loopback server, and have its script used up when the test is over."""
    with Loopback() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
    assert not server.surprises, f"calls that no reply was scripted for: {server.surprises}"
    unused = {name: list(queue) for name, queue in server._queues.items() if queue}
    assert not unused, f"scripted replies that nobody asked for: {unused}"


@cache
def refused_url() -> str:
    """Return an address on which nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    # The socket stays open, so that nobody else has the port while this process lives.
    taken.detach()
    return f"http://127.0.0.1:{port}"


def unknown_host_url() -> str:
    """Return an address whose name never resolves (RFC 6761)."""
    return "http://kinesisvideo.invalid:1"
