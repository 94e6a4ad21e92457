"""Replace the methods with which botocore sends a request to the network.

``docs/decisions/0013-one-seam.md`` explains why, although the methods are private to botocore.
"""

import inspect
import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from importlib import import_module
from io import BytesIO
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from botocore.exceptions import ConnectionClosedError

from ._replies import DroppedConnectionError, Reply, Request

# Untyped, because only some environments have stubs for them.
_awsrequest: Any = import_module("botocore.awsrequest")
_endpoint: Any = import_module("botocore.endpoint")
_httpsession: Any = import_module("botocore.httpsession")
_signers: Any = import_module("botocore.signers")

# The prefix of the endpoints of all services for Kinesis video, and their name in signatures.
SERVICE = "kinesisvideo"

_UNFIT = (
    "kvs_streams.testing does not work with this version of {0}: {1} is missing or called "
    "differently. Use another version of {0}, or a newer kvs_streams"
)


class _AsyncBody:
    """The body of a reply to aiobotocore, which can be streamed."""

    def __init__(self, body: bytes) -> None:
        self._body = BytesIO(body)
        self.content = self
        self.close = self._body.close

    async def read(self, size: int = -1) -> bytes:
        return self._body.read(size)


class _AsyncResponse(_awsrequest.AWSResponse):  # type: ignore[misc]  # it is untyped
    """A reply of the kit to aiobotocore."""

    _content: bytes

    @property
    def content(self) -> Any:
        return _ready(self._content)


async def _ready(value: Any = None) -> Any:
    return value


class _Endpoint:
    """Stands in for botocore's endpoint and its event emitter while the kit answers.

    botocore still does everything except sending: history, events, parsing and retries.
    """

    def __init__(self, real: Any, answer: Any = None) -> None:
        self._real = real
        self._answer = answer
        self._event_emitter = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def emit(self, event_name: str, **kwargs: Any) -> Any:
        # moto answers before-send, and botocore's adaptive mode waits there.
        if event_name.startswith("before-send."):
            return []
        return _at_once(event_name, self._real._event_emitter.emit(event_name, **kwargs))  # noqa: SLF001

    def _send(self, request: Any) -> Any:
        reply = self._answer()
        return _filled(_awsrequest.AWSResponse, request.url, reply, BytesIO(reply.body))


class _AsyncEndpoint(_Endpoint):
    """Stands in for the endpoint of aiobotocore, in the same way."""

    async def emit(self, event_name: str, **kwargs: Any) -> Any:
        if event_name.startswith("before-send."):
            return []
        responses = await self._real._event_emitter.emit(event_name, **kwargs)  # noqa: SLF001
        return _at_once(event_name, responses)

    async def _send(self, request: Any) -> Any:
        reply = self._answer()
        return _filled(_AsyncResponse, request.url, reply, _AsyncBody(reply.body))


def _filled(kind: Any, url: str, reply: Reply, raw: object) -> Any:
    response = kind(url, reply.status, reply.headers, raw)
    response._content = reply.body  # noqa: SLF001
    return response


def _at_once(event_name: str, responses: Any) -> Any:
    """Make botocore retry at once: its handlers return the seconds to wait."""
    if not event_name.startswith("needs-retry."):
        return responses
    return [(handler, pause and 0) for handler, pause in responses]


class Seam:
    """The methods of botocore and aiobotocore that the kit replaces."""

    def __init__(self, answer: Callable[[Request], Reply], home_url: str) -> None:
        """Save the arguments.

        Args:
            answer: answers a request; may raise ``DroppedConnectionError``.
            home_url: where a forked process sends its requests.
        """
        self._answer = answer
        self._home_url = home_url
        self._pid = os.getpid()
        self._is_open = False
        self._has_aiobotocore = False
        self._stack = ExitStack()

    @contextmanager
    def opened(self) -> Generator[None, None, None]:
        """Answer all requests of this process to Kinesis Video Streams."""
        make = _endpoint.Endpoint.__init__

        def made(endpoint: Any, *args: Any, **kwargs: Any) -> None:
            self._take_aiobotocore()
            make(endpoint, *args, **kwargs)

        with self._stack:
            self._take(_endpoint.Endpoint, _signers.RequestSigner, _Endpoint)
            self._stack.enter_context(mock.patch.object(_endpoint.Endpoint, "__init__", made))
            self._is_open = True
            self._take_aiobotocore()
            try:
                yield
            finally:
                # Code that patches the same methods can keep the kit's methods after this.
                self._is_open = False

    def _take_aiobotocore(self) -> None:
        """Replace aiobotocore's methods too, as soon as it is loaded."""
        module: Any = sys.modules.get("aiobotocore.endpoint")
        signers: Any = sys.modules.get("aiobotocore.signers")
        if self._is_open and not self._has_aiobotocore and module and signers:
            self._take(module.AioEndpoint, signers.AioRequestSigner, _AsyncEndpoint)
            self._has_aiobotocore = True

    def _take(self, endpoint: Any, signer: Any, stand_in: type[_Endpoint]) -> None:
        parameters = ("self", "request", "operation_model", "context")
        get_response = _method(endpoint, "_do_get_response", parameters, "_get_response")
        needs_retry = _method(endpoint, "_needs_retry", ("self", "attempts"), "_send_request")
        send = _method(endpoint, "_send", ("self", "request"), "_do_get_response")
        sign = _method(signer, "sign", ("self", "operation_name", "request"), "handler")

        def answered(self_: Any, request: Any, operation_model: Any, context: Any) -> Any:
            if self._is_ours(self_):
                self_ = stand_in(self_, lambda: self._reply(request, operation_model, context))
            return get_response(self_, request, operation_model, context)

        def retried(self_: Any, *args: Any, **kwargs: Any) -> Any:
            self_ = stand_in(self_) if self._is_ours(self_) else self_
            return needs_retry(self_, *args, **kwargs)

        def sent(self_: Any, request: Any) -> Any:
            # Only reached if botocore calls this in a new way.
            if self._is_ours(self_):
                raise RuntimeError(_unfit(endpoint, "_do_get_response"))
            return send(self_, request)

        def unsigned(self_: Any, *args: Any, **kwargs: Any) -> Any:
            if self._is_open and self_.signing_name == SERVICE:
                return _ready() if stand_in is _AsyncEndpoint else None
            return sign(self_, *args, **kwargs)

        patches: Any = {"_do_get_response": answered, "_needs_retry": retried, "_send": sent}
        self._stack.enter_context(mock.patch.multiple(endpoint, **patches))
        self._stack.enter_context(mock.patch.object(signer, "sign", unsigned))

    def _is_ours(self, endpoint: Any) -> bool:
        return self._is_open and endpoint._endpoint_prefix == SERVICE  # noqa: SLF001

    def _reply(self, request: Any, model: Any, context: Any) -> Reply:
        region, call = context["client_region"], context["retries"]["invocation-id"]
        if os.getpid() != self._pid:
            return self._send_home(request, region)
        try:
            parameters = json.loads(request.body or b"{}")
            return self._answer(Request(model, parameters, region, call))
        except DroppedConnectionError:
            raise ConnectionClosedError(endpoint_url=request.url) from None

    def _send_home(self, request: Any, region: str) -> Reply:
        """Send a request of a forked process to the kit's server, without a proxy."""
        headers = {**request.headers, "Authorization": f"Credential=fork/0/{region}/{SERVICE}"}
        url = f"{self._home_url}{urlsplit(str(request.url)).path}"
        to_home = _awsrequest.AWSPreparedRequest(
            request.method, url, headers, request.body, stream_output=False
        )
        with closing(_httpsession.URLLib3Session()) as session:
            response = session.send(to_home)
            return Reply(response.status_code, response.headers, response.content)


def _unfit(owner: Any, name: str) -> str:
    return _UNFIT.format(owner.__module__.partition(".")[0], f"{owner.__name__}.{name}")


def _method(owner: Any, name: str, parameters: tuple[str, ...], caller: str) -> Any:
    """Return a method of botocore; refuse one that is not called as the kit expects."""
    method = owner.__dict__.get(name)
    calling = inspect.unwrap(getattr(owner, caller, _ready))
    found = tuple(inspect.signature(method).parameters)[: len(parameters)] if method else ()
    if found != parameters or name not in calling.__code__.co_names:
        raise RuntimeError(_unfit(owner, name))
    return method
