"""Kinesis Video Streams on 127.0.0.1: real HTTP with scripted replies, every request recorded.

It speaks the rest-json wire format of the four operations that the library calls. Replies come from
a queue per operation, or from a function of the request. A queue that runs empty, or that keeps
replies nobody asked for, fails the test.
"""

import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

OPERATIONS = {
    "/createStream": "CreateStream",
    "/describeStream": "DescribeStream",
    "/listTagsForStream": "ListTagsForStream",
    "/describeStreamStorageConfiguration": "DescribeStreamStorageConfiguration",
}

# Far from the time of any machine that runs this: what depends on the local clock fails.
SERVER_TIME = datetime(2041, 5, 6, 7, 8, 9, tzinfo=timezone.utc)
REQUEST_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
ACCOUNT = "123456789012"
REGION = "eu-west-1"

Action = Literal["answer", "cut", "drop", "reset", "hang", "noise"]


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    action: Action = "answer"
    # When it is given by the server's clock: by default at the server's own date.
    date: datetime | Literal["none"] | None = None

    def at(self, date: datetime | Literal["none"]) -> "Reply":
        """Return the same reply, given at another time by the server's clock, or without any."""
        return replace(self, date=date)


@dataclass(frozen=True)
class Request:
    operation: str
    body: dict[str, Any]
    headers: Mapping[str, str]


def ok(body: object = None) -> Reply:
    """Success with a JSON body."""
    return Reply(
        body=json.dumps({} if body is None else body).encode(),
        headers={"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": REQUEST_ID},
    )


def error(
    code: str,
    message: str | None = "told by the service",
    status: int = 400,
    *,
    message_key: Literal["Message", "message"] = "Message",
    header_suffix: str = ":http://internal.amazon.com/coral/com.amazonaws.kinesisvideo/",
    request_id: str = REQUEST_ID,
) -> Reply:
    """Answer with an error in the real wire format: the code in a header, the message in JSON."""
    body = {} if message is None else {message_key: message}
    return Reply(
        status=status,
        body=json.dumps(body).encode(),
        headers={
            "Content-Type": "application/x-amz-json-1.1",
            "x-amzn-RequestId": request_id,
            "x-amzn-ErrorType": code + header_suffix,
        },
    )


def throttle() -> Reply:
    """The throttle of Kinesis Video Streams itself, which botocore never retries."""
    return error(
        "ClientLimitExceededException",
        "Limit exceeded on number of requests for CreateStream API",
    )


def conflict() -> Reply:
    """The answer to a name that is taken."""
    return error("ResourceInUseException", "The stream already exists.")


def not_found() -> Reply:
    """The answer for a stream that is not there, or cannot be seen yet."""
    return error(
        "ResourceNotFoundException", "The requested stream is not found or not active.", 404
    )


def denied(operation: str = "CreateStream") -> Reply:
    """Access denied as the real service says it: 403, where the model says 401."""
    return error(
        "AccessDeniedException",
        f"User: arn:aws:iam::{ACCOUNT}:user/cam is not authorized to perform: "
        f"kinesisvideo:{operation} on resource: arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/*",
        403,
    )


def server_error(status: int = 500) -> Reply:
    """Failure on AWS's side."""
    return error("InternalFailure", "We are having a bad day.", status)


def html(status: int) -> Reply:
    """Answer as a proxy or a load balancer does: HTML, and no word of an error code."""
    return Reply(
        status=status,
        body=f"<html><body><h1>{status} from the middle</h1></body></html>".encode(),
        headers={"Content-Type": "text/html"},
    )


def garbage(body: bytes) -> Reply:
    """Success whose body is not what the service sends."""
    return replace(ok(), body=body)


def cut(reply: Reply) -> Reply:
    """Start to answer and close the connection in the middle of the body."""
    return replace(reply, action="cut")


def drop() -> Reply:
    """Take the request and close the connection without a word."""
    return Reply(action="drop")


def reset() -> Reply:
    """Take the request and have the connection reset."""
    return Reply(action="reset")


def hang() -> Reply:
    """Take the request and never answer."""
    return Reply(action="hang")


def noise() -> Reply:
    """Take the request and answer with bytes that are neither TLS nor HTTP."""
    return Reply(action="noise")


def millis(moment: datetime) -> int:
    """Epoch milliseconds, as an ARN carries them."""
    return round(moment.timestamp() * 1000)


def arn(name: str, created: datetime = SERVER_TIME) -> str:
    """The ARN of a stream."""
    return f"arn:aws:kinesisvideo:{REGION}:{ACCOUNT}:stream/{name}/{millis(created)}"


def created(name: str, at: datetime = SERVER_TIME) -> Reply:
    """What CreateStream answers when all is well."""
    return ok({"StreamARN": arn(name, at)})


def described(
    name: str, status: str = "ACTIVE", *, created_at: datetime = SERVER_TIME, **members: object
) -> Reply:
    """What DescribeStream answers; ``members`` add to or replace those of ``StreamInfo``."""
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
    disable_nagle_algorithm = True
    server: "Loopback"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.perform(self.server.reply_to(self.path, body, dict(self.headers.items())))

    def perform(self, reply: Reply) -> None:
        if reply.action in {"answer", "cut"}:
            self.send_response(reply.status)
            # The server's clock, not the time that http.server would give.
            date = reply.date or self.server.date
            if date != "none":
                self.send_header("Date", format_datetime(date, usegmt=True))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) + (reply.action == "cut")))
            self.end_headers()
            self.wfile.write(reply.body)
        if reply.action == "hang":
            self.server.released.wait()
        if reply.action == "noise":
            # Beneath TLS, if there is any.
            with socket.socket(fileno=self.connection.detach()) as raw:
                raw.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        if reply.action == "reset":
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = reply.action != "answer"

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the parent's name
        """Say nothing."""


class Loopback(ThreadingHTTPServer):
    """One server for one test; ``serving`` starts it and checks that the script is used up."""

    # Threads that are joined at the end cannot leak into the next test.
    daemon_threads = False
    request_queue_size = 256

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.date = SERVER_TIME
        self.requests: list[Request] = []
        self.surprises: list[str] = []
        self.released = threading.Event()
        self._queues: dict[str, deque[Reply]] = {name: deque() for name in OPERATIONS.values()}
        self._answer: Callable[[Request], Reply] | None = None
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._tls = tls
        super().__init__(("127.0.0.1", 0), _Handler)
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.server_port}"

    @property
    def calls(self) -> list[str]:
        """AWS's names of the operations called, in order."""
        return [request.operation for request in self.requests]

    def on_create(self, *replies: Reply) -> None:
        self._queues["CreateStream"].extend(replies)

    def on_describe(self, *replies: Reply) -> None:
        self._queues["DescribeStream"].extend(replies)

    def on_list_tags(self, *replies: Reply) -> None:
        self._queues["ListTagsForStream"].extend(replies)

    def on_describe_storage(self, *replies: Reply) -> None:
        self._queues["DescribeStreamStorageConfiguration"].extend(replies)

    def on(self, operation: str, *replies: Reply) -> None:
        self._queues[operation].extend(replies)

    def answer_with(self, answer: Callable[[Request], Reply]) -> None:
        """Answer every request with what ``answer`` returns; it runs in the server's threads."""
        self._answer = answer

    def reply_to(self, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        # A client that takes this server for a proxy sends the whole URL.
        request = Request(OPERATIONS[urlsplit(path).path], json.loads(body), headers)
        with self._lock:
            self.requests.append(request)
            queue = self._queues[request.operation]
            if self._answer is None and queue:
                return queue.popleft()
        if self._answer is not None:
            return self._answer(request)
        self.surprises.append(f"{request.operation} {request.body}")
        # Neither botocore nor the library retries this one, so that the test ends.
        return error("NothingScripted", f"nothing is scripted for this {request.operation}", 418)

    def verify(self) -> None:
        """Fail if a call came that no reply was scripted for, or a scripted one never came."""
        assert not self.surprises, f"calls that no reply was scripted for: {self.surprises}"
        unused = {name: list(queue) for name, queue in self._queues.items() if queue}
        assert not unused, f"scripted replies that nobody asked for: {unused}"

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            # The handshake runs in the connection's own thread, at its first read.
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        with self._lock:
            self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        if request.fileno() == -1:
            return
        lingers = request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        if struct.unpack("ii", lingers)[0]:
            # Closing without a shutdown is what makes it a reset.
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of connections that the client broke off."""

    def stop(self) -> None:
        self.released.set()
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        # Joins the threads of all connections too.
        self.server_close()


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Loopback]:
    """Run a loopback server, and have its script used up when the test is over."""
    server = Loopback(tls)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="loopback"
    )
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
    server.verify()


@cache
def refused_url() -> str:
    """An address on which nobody listens."""
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    port = cast("tuple[str, int]", taken.getsockname())[1]
    # The socket stays open, so that nobody else has the port while this process lives.
    taken.detach()
    return f"http://127.0.0.1:{port}"


def unknown_host_url() -> str:
    """An address whose name never resolves (RFC 6761)."""
    return "http://kinesisvideo.invalid:1"


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server context with a certificate for 127.0.0.1 made here, and the file that trusts it."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    trust, secret = folder / "certificate.pem", folder / "key.pem"
    trust.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trust, secret)
    return context, trust
