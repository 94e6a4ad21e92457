"""The kit over HTTP on the loopback interface, for other processes and languages."""

import json
import re
import socket
import threading
import uuid
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

from ._replies import DroppedConnectionError, Reply, Request
from ._service import Service

_loaders: Any = import_module("botocore.loaders")
_model: Any = import_module("botocore.model")

_SERVICES = ("kinesisvideo", "kinesis-video-archived-media")
_REGION = re.compile(r"Credential=[^/]*/[^/]*/([^/]+)/")


def _operations() -> dict[str, Any]:
    """Return botocore's models of the operations by their paths."""
    # Not from a session, which needs the profile that the environment names.
    loader = _loaders.Loader()
    operations: dict[str, Any] = {}
    for service in _SERVICES:
        model = _model.ServiceModel(loader.load_service_model(service, "service-2"), service)
        for name in model.operation_names:
            operation = model.operation_model(name)
            operations[operation.http["requestUri"]] = operation
    return operations


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of a connection."""

    service: Service | None
    region_name: str
    operations: Mapping[str, Any]
    protocol_version = "HTTP/1.1"
    # With Nagle's algorithm, every reply would take 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
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
        if self.service is None:
            raise DroppedConnectionError
        operation = self.operations.get(self.path)
        if operation is None:
            return Reply(404, {"x-amzn-ErrorType": "UnknownOperationException"}, b"{}")
        try:
            parameters = json.loads(body or b"{}")
        except ValueError:
            parameters = None  # which is refused as a wrong type
        scope = _REGION.search(self.headers["authorization"] or "")
        region = scope[1] if scope else self.region_name
        call = self.headers["amz-sdk-invocation-id"] or str(uuid.uuid4())
        # The sender is another process, and its request comes at the latest time.
        self.service.clock.start()
        url = f"http://{self.headers['host']}"
        return self.service.answer(Request(operation, parameters, region, call, url))


@contextmanager
def serving(service: Service, region_name: str) -> Generator[str, None, None]:
    """Serve on a free port, and yield the address.

    Args:
        service: answers the requests.
        region_name: the region of unsigned requests.
    """
    settings = {"service": service, "region_name": region_name, "operations": _operations()}
    handler: Any = type("Handler", (_Handler,), settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="kvs_streams.testing")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        # A connection that a client keeps is closed with its next request.
        handler.service = None
