"""Every reach into moto, in this one module; a test for each says what to do when moto changes.

- ``mock_aws``: public. Answers what boto3 sends inside this process, and empties moto's stores.
- ``urls.url_paths``: which path is answered by what; put back when the kit stops.
- ``KinesisVideoResponse``: ``setup_class`` reads a request, ``call_action`` answers it,
  ``kinesisvideo_backend`` is the store of the request's account and region.
- ``kinesisvideo_backends``: the stores by account and region, each with ``streams`` by ARN.
- A stream's attributes: see ``MotoStream``.
- ``botocore_stubber``: what ``mock_aws`` puts into clients, for clients that are older than moto.
- ``DomainDispatcherApplication`` and ``create_backend_app``: what moto's own server serves.
"""

import json
import re
import socket
import threading
from collections.abc import Callable, Generator, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any, cast
from unittest.mock import Mock

from botocore.exceptions import ConnectionClosedError

from ._records import DroppedConnectionError, MotoStream, Reply, Request, as_text

# Without types, which differ between moto's versions: the tests watch over each of these.
_moto: Any = import_module("moto")
_core: Any = import_module("moto.core.models")
_urls: Any = import_module("moto.kinesisvideo.urls")
_models: Any = import_module("moto.kinesisvideo.models")
_responses: Any = import_module("moto.kinesisvideo.responses")
_server: Any = import_module("moto.server")
_werkzeug: Any = import_module("werkzeug.serving")


def _attempt(header: str) -> int:
    """Read ``amz-sdk-request: ttl=…; attempt=2; max=3``."""
    found = re.search(r"\battempt=([0-9]+)", header)
    return int(found[1]) if found else 1


@contextmanager
def answering(
    answer: Callable[[Request], Reply], operations: tuple[str, ...]
) -> Generator[None, None, None]:
    """Have ``answer`` asked about every request to Kinesis Video Streams.

    Args:
        answer: gets each request; may raise ``DroppedConnectionError``.
        operations: what is answered, in snake case; to others moto says "not implemented".
    """

    def handle(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
        moto = _responses.KinesisVideoResponse()
        moto.setup_class(request, full_url, headers)

        def forward() -> Reply:
            return Reply(*cast("tuple[int, dict[str, str], str]", moto.call_action()))

        try:
            reply = answer(
                Request(
                    paths[moto.path],
                    json.loads(moto.body or "{}"),
                    as_text(request.headers.get("amz-sdk-invocation-id")) or None,
                    _attempt(as_text(request.headers.get("amz-sdk-request"))),
                    moto.region,
                    moto.current_account,
                    moto.kinesisvideo_backend.streams,
                    forward,
                )
            )
        except DroppedConnectionError:
            connection = getattr(request, "environ", {}).get("werkzeug.socket")
            if connection is None:
                # botocore takes what is raised here for what the connection raised.
                raise ConnectionClosedError(endpoint_url=full_url) from None
            connection.shutdown(socket.SHUT_RDWR)
            # Nobody is there to read it.
            return 500, {}, ""
        return reply.status, dict(reply.headers), reply.body

    paths = {f"/{_camel(name)}": name for name in operations}
    before = dict(_urls.url_paths)
    _urls.url_paths.update({f"{{0}}{path}$": handle for path in paths})
    try:
        yield
    finally:
        _urls.url_paths.clear()
        _urls.url_paths.update(before)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def mocked() -> AbstractContextManager[object]:
    """Have moto answer whatever boto3 sends to AWS from this process."""
    return cast("AbstractContextManager[object]", _moto.mock_aws())


def answer_unhooked(request: Any) -> Any:
    """Answer a request of a client that was made before moto was imported."""
    return _core.botocore_stubber("before-send", request)


def all_streams() -> Iterator[tuple[str, MutableMapping[str, MotoStream], MotoStream]]:
    """Give each stream of every account with its region and the store it is in."""
    for regions in list(_models.kinesisvideo_backends.values()):
        for region, backend in list(regions.items()):
            for stream in list(backend.streams.values()):
                yield region, backend.streams, stream


@contextmanager
def serving() -> Generator[str, None, None]:
    """Serve moto over HTTP on a free port of the loopback interface, and give the address."""
    base = _werkzeug.WSGIRequestHandler
    changes: dict[str, object] = {
        # With it, every reply would take 40 ms.
        "disable_nagle_algorithm": True,
        # Without a date of its own: the time is the kit's.
        "send_response": base.send_response_only,
        # Who wants to know asks the kit for its calls.
        "log": Mock(),
    }
    server = _werkzeug.make_server(
        "127.0.0.1",
        0,
        _server.DomainDispatcherApplication(_server.create_backend_app),
        threaded=True,
        request_handler=type("Handler", (base,), changes),
    )
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.01}, name="kvs_streams.testing"
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
