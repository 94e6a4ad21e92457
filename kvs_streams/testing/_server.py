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


def _operations() -> dict[str, Any]:
    """Return botocore's models of the operations by their paths."""
    loader, operations = Loader(), {}
    for service in _SERVICES:
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        for name in model.operation_names:
            operation = model.operation_model(name)
            operations[operation.http["requestUri"]] = operation
    return operations


@contextmanager
def serving(answer: Callable[[Request], Reply], region_name: str) -> Generator[str, None, None]:
    """Serve on a free port, and give the address.

    Args:
        answer: answers a request; may raise ``DroppedConnectionError``.
        region_name: the region of unsigned requests.
    """
    operations, connections = _operations(), set[socket.socket]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # With Nagle's algorithm, every reply would take 40 ms.
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.discard(self.connection)
            super().finish()

        def log_message(self, *_: Any) -> None:
            """Write nothing: the kit keeps a record of the calls."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                reply = self._reply(body)
            except DroppedConnectionError:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def _reply(self, body: bytes) -> Reply:
            operation = operations.get(self.path.partition("?")[0])
            if operation is None:
                return Reply(404, {"x-amzn-ErrorType": "UnknownOperationException"}, b"{}")
            scope = re.search(
                r"Credential=[^/]*/[^/]*/([^/]+)/", self.headers["authorization"] or ""
            )
            attempt = re.search(r"attempt=([0-9]+)", self.headers["amz-sdk-request"] or "")
            region = scope[1] if scope else region_name
            try:
                parameters = json.loads(body or b"{}")
            except ValueError:
                parameters = None
            request = Request(
                operation,
                parameters,
                region,
                self.headers["amz-sdk-invocation-id"] or str(uuid.uuid4()),
                int(attempt[1]) if attempt else 1,
                f"http://{self.headers['host']}",
            )
            return answer(request)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="kvs_streams.testing"
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for connection in list(connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
