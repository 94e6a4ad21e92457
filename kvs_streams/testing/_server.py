"""The kit over HTTP on the loopback interface, for other processes and languages."""

import json
import re
import socket
import threading
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from ._replies import DroppedConnectionError, Reply, Request

_SERVICES = ("kinesisvideo", "kinesis-video-archived-media")
_REGION = re.compile(r"Credential=[^/]*/[^/]*/([^/]+)/")
_ATTEMPT = re.compile(r"\battempt=([0-9]+)")


def _operations() -> dict[str, Any]:
    """Return botocore's models of the operations by their paths."""
    # Not of a session, which asks for the profile that the environment names.
    loader, operations = Loader(), {}
    for service in _SERVICES:
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        for name in model.operation_names:
            operation = model.operation_model(name)
            operations[operation.http["requestUri"]] = operation
    return operations


class _Server(ThreadingHTTPServer):
    """Answers each connection in a thread of its own."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Request], Reply], region_name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.region_name = region_name
        self.operations = _operations()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.connections: set[socket.socket] = set()


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of a connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    # With Nagle's algorithm, every reply would take 40 ms.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Write nothing: the kit keeps a record of the calls."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        try:
            reply = self._answer(body)
        except DroppedConnectionError:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response_only(reply.status)
        for name, value in {**reply.headers, "content-length": str(len(reply.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def _answer(self, body: bytes) -> Reply:
        operation = self.server.operations.get(self.path)
        if operation is None:
            return Reply(404, {"x-amzn-ErrorType": "UnknownOperationException"}, b"{}")
        try:
            parameters = json.loads(body or b"{}")
        except ValueError:
            parameters = None  # which is refused as a wrong type
        region = _REGION.search(self.headers["authorization"] or "")
        attempt = _ATTEMPT.search(self.headers["amz-sdk-request"] or "")
        return self.server.answer(
            Request(
                operation,
                parameters,
                region[1] if region else self.server.region_name,
                self.headers["amz-sdk-invocation-id"] or str(uuid.uuid4()),
                int(attempt[1]) if attempt else 1,
                self.server.url,
            )
        )


@contextmanager
def serving(answer: Callable[[Request], Reply], region_name: str) -> Generator[str, None, None]:
    """Serve on a free port, and give the address.

    Args:
        answer: answers a request; may raise ``DroppedConnectionError``.
        region_name: the region of unsigned requests.
    """
    server = _Server(answer, region_name)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="kvs_streams.testing")
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for connection in list(server.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
