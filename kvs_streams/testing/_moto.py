"""Everything of moto that the kit uses; a test for each says what to do when moto changes.

- ``mock_aws``: public. Answers what boto3 sends inside this process, and empties moto's stores.
- ``urls.url_paths``: maps paths to the functions that answer them; put back when the kit stops.
- ``KinesisVideoResponse``: ``setup_class`` reads a request, ``call_action`` answers it,
  ``kinesisvideo_backend`` is the store of the request's account and region.
- ``kinesisvideo_backends``: the stores by account and region, each with ``streams`` by ARN;
  ``KeyError`` for a region that moto does not know.
- A stream's attributes: see ``MotoStream``.
- ``DEFAULT_ACCOUNT_ID``: the account of callers that moto does not know.
- ``botocore_stubber``: what ``mock_aws`` puts into clients, for clients that are older than moto.
- ``DomainDispatcherApplication`` and ``create_backend_app``: what moto's own server serves.
"""

import functools
import json
import re
import socket
import threading
from collections.abc import Callable, Generator, Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from typing import Any, cast
from unittest.mock import Mock

from botocore import xform_name
from botocore.exceptions import ConnectionClosedError

from kvs_streams._text import shown

from ._changes import Changes
from ._process import STAMP_HEADER
from ._records import DroppedConnectionError, MotoStream, Reply, Request, as_text
from ._replies import error_reply

# Untyped, since the types differ between moto's versions; there is a test for each of these.
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


def answer_with(changes: Changes, answer: Callable[[Request], Reply]) -> None:
    """Have ``answer`` asked about every request to Kinesis Video Streams.

    Args:
        changes: keeps track.
        answer: gets each request; may raise ``DroppedConnectionError``.
    """

    def handle(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
        moto = _responses.KinesisVideoResponse()
        moto.setup_class(request, full_url, headers)

        def forward() -> Reply:
            return Reply(*cast("tuple[int, dict[str, str], str]", moto.call_action()))

        asked = functools.partial(
            Request,
            xform_name(moto.path.removeprefix("/")),
            json.loads(moto.body or "{}"),
            as_text(request.headers.get("amz-sdk-invocation-id")) or None,
            _attempt(as_text(request.headers.get("amz-sdk-request"))),
            moto.region,
            moto.current_account,
        )
        if not knows_region(moto.region):
            text = unknown_region(moto.region)
            reply = error_reply(asked({}, forward), "UnknownRegion", message=text)
            return reply.status, dict(reply.headers), reply.body
        try:
            reply = answer(asked(moto.kinesisvideo_backend.streams, forward))
        except DroppedConnectionError:
            connection = getattr(request, "environ", {}).get("werkzeug.socket")
            if connection is None:
                # botocore treats what is raised here as the connection's own failure.
                raise ConnectionClosedError(endpoint_url=full_url) from None
            connection.shutdown(socket.SHUT_RDWR)
            # The client does not read it.
            return 500, {}, ""
        return reply.status, dict(reply.headers), reply.body

    for path in (*_urls.url_paths, _ANY_OPERATION):
        changes.item(_urls.url_paths, path, handle)


# What moto has no path for.
_ANY_OPERATION = "{0}/(?P<operation>[A-Za-z]+)$"


def knows_region(region_name: str) -> bool:
    """Return whether moto has Kinesis Video Streams in a region."""
    try:
        _models.kinesisvideo_backends[_core.DEFAULT_ACCOUNT_ID][region_name]
    except KeyError:
        return False
    return True


def unknown_region(region_name: str) -> str:
    """Say what to do about a region that moto does not know."""
    return (
        f"moto knows no region {shown(region_name)}. Choose another with region_name, for all "
        "clients with mock_kvs(region_name=...), or let moto accept any with the environment "
        "variable MOTO_ALLOW_NONEXISTENT_REGION=true"
    )


def mocked() -> AbstractContextManager[object]:
    """Have moto answer whatever boto3 sends to AWS from this process."""
    return cast("AbstractContextManager[object]", _moto.mock_aws())


def answer_unhooked(request: Any) -> Any:
    """Answer a request of a client that was made before moto was imported."""
    return _core.botocore_stubber("before-send", request)


def all_streams() -> Iterator[tuple[str, str, MutableMapping[str, MotoStream], MotoStream]]:
    """Give each stream with its account, its region and the store that holds it."""
    for account, regions in list(_models.kinesisvideo_backends.items()):
        for region, backend in list(regions.items()):
            for stream in list(backend.streams.values()):
                yield account, region, backend.streams, stream


@contextmanager
def serving(resume: Callable[[str | None], None]) -> Generator[str, None, None]:
    """Serve moto over HTTP on a free port of the loopback interface, and give the address.

    Args:
        resume: is called before each request with the stamp of its sender, or ``None``.
    """
    moto = _server.DomainDispatcherApplication(_server.create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        resume(environ.get(f"HTTP_{STAMP_HEADER.upper().replace('-', '_')}"))
        return moto(environ, start_response)

    base = _werkzeug.WSGIRequestHandler
    changes: dict[str, object] = {
        # With it, every reply would take 40 ms.
        "disable_nagle_algorithm": True,
        # Without a date of its own: the service sends the kit's.
        "send_response": base.send_response_only,
        # The kit keeps a record of the calls.
        "log": Mock(),
    }
    server = _werkzeug.make_server(
        "127.0.0.1",
        0,
        application,
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
