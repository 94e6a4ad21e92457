"""What the kit changes in this process while it runs: environment, time and botocore's network."""

import asyncio
import ipaddress
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from ._errors import BlockedRequestError
from ._records import as_text

# Jitter in its middle, so that every run of a test is the same.
_CHANCE = 0.5

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


# Each thread and each asyncio task lives by its own time: its clock, and the seconds it has slept.
_timeline: ContextVar["tuple[VirtualClock, float] | None"] = ContextVar("_timeline", default=None)


class VirtualClock:
    """A clock that only sleeping moves: nobody waits, and every run of a test is the same.

    Whoever sleeps moves on alone, so that a hundred tasks that wait at the same time need no longer
    than one of them.
    """

    def __init__(self) -> None:
        """Start at the real time."""
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._epoch = time.time()
        self._advanced = 0.0
        self._longest = 0.0
        self._noted: dict[str, float] = {}
        # Tasks made from here on start where this thread is, however late they are scheduled.
        _timeline.set((self, 0.0))

    @property
    def elapsed(self) -> float:
        """Seconds since the kit started, for whoever has slept longest."""
        return self._advanced + self._longest

    def _slept(self) -> float:
        timeline = _timeline.get()
        if timeline is None or timeline[0] is not self:
            # A thread that starts late starts at the latest time there is.
            timeline = self, self._longest
            _timeline.set(timeline)
        return timeline[1]

    def now(self) -> float:
        """Return the time as a monotonic clock tells it."""
        return self._started + self._advanced + self._slept()

    def epoch(self) -> float:
        """Return the time as the service's clock tells it, in seconds since 1970."""
        return self._epoch + self._advanced + self._slept()

    def sleep(self, seconds: float) -> None:
        """Let time pass at once for this thread or task."""
        slept = self._slept() + seconds
        _timeline.set((self, slept))
        with self._lock:
            self._longest = max(self._longest, slept)

    async def sleep_async(self, seconds: float) -> None:
        """Let time pass at once for this task, and let the others have their turn."""
        self.sleep(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        """Let time pass for everybody."""
        with self._lock:
            self._advanced += seconds

    def random(self) -> float:
        """Return the middle of all chances."""
        return _CHANCE

    def note(self, request: Any) -> None:
        """Keep what time it is for the sender of a request that is about to leave this thread."""
        self._noted[as_text(request.headers.get("amz-sdk-invocation-id"))] = self._slept()

    def resume(self, invocation: str | None) -> None:
        """Live in this thread by the time of the sender of a request, if it was noted."""
        slept = self._noted.get(invocation or "")
        if slept is not None:
            _timeline.set((self, slept))


@contextmanager
def virtual_time(clock: VirtualClock) -> Generator[None, None, None]:
    """Have every client of ours live by ``clock``, and botocore not wait between two attempts."""
    from kvs_streams._flows.io import Io, SystemClock

    class Scaled(SystemClock):
        def now(self) -> int:
            return round(clock.now() * 1e9)

        def sleep(self, nanoseconds: int) -> None:
            clock.sleep(nanoseconds / 1e9)

        async def sleep_async(self, nanoseconds: int) -> None:
            await clock.sleep_async(nanoseconds / 1e9)

        def random(self) -> float:
            return clock.random()

    with (
        patch.object(Io, "clock", Scaled()),
        # That module's own name for the standard module: nobody else's time changes. Time stands
        # still meanwhile: botocore's pauses are random, and may be made in another thread.
        patch("botocore.endpoint.time", SimpleNamespace(**{**vars(time), "sleep": _no_sleep})),
    ):
        yield


def _no_sleep(seconds: float) -> None:
    """Stand in for ``time.sleep``."""


def _isolated(name: str) -> bool:
    return name.startswith("AWS_") or name == "BOTO_CONFIG" or name.lower() in _PROXIES


@contextmanager
def isolated_environment(region_name: str) -> Generator[None, None, None]:
    """Hide all AWS settings and proxies of this machine behind made-up ones."""
    before = {name: value for name, value in os.environ.items() if _isolated(name)}

    def restore(settings: dict[str, str]) -> None:
        for name in filter(_isolated, list(os.environ)):
            del os.environ[name]
        os.environ.update(settings)

    made_up = {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_DEFAULT_REGION": region_name,
        "AWS_REGION": region_name,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "BOTO_CONFIG": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    restore(made_up)
    try:
        yield
    finally:
        restore(before)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@contextmanager
def closed_network(
    clock: VirtualClock, answer: Callable[[Any], Any]
) -> Generator[None, None, None]:
    """Keep botocore from sending anything beyond this machine.

    Args:
        clock: notes the time of the sender of each request.
        answer: gives the reply to a request that was about to leave, or ``None``.
    """
    http: Any = import_module("botocore.httpsession")
    send = http.URLLib3Session.send

    def guarded(session: Any, request: Any) -> Any:
        if _is_loopback(request.url):
            clock.note(request)
            return send(session, request)
        reply = answer(request)
        if reply is None:
            raise BlockedRequestError(request.url)
        return reply

    with patch.object(http.URLLib3Session, "send", guarded):
        yield


@contextmanager
def tamed_aiobotocore(clock: VirtualClock, *, load: bool) -> Generator[None, None, None]:
    """Keep aiobotocore from sending anything beyond this machine, and from waiting.

    Args:
        clock: notes the time of the sender of each request.
        load: import it if it is installed, for clients that the test is going to make. Without it
            only a client from before the kit could reach the network, and then it is loaded.
    """
    name = "aiobotocore.endpoint"
    if load and find_spec("aiobotocore"):
        import_module(name)
    module: Any = sys.modules.get(name)
    if module is None:
        yield
        return
    endpoint = module.AioEndpoint
    send = endpoint._send  # noqa: SLF001 - every client of aiobotocore sends through this

    async def guarded(self: Any, request: Any) -> Any:
        if _is_loopback(request.url):
            clock.note(request)
            return await send(self, request)
        raise BlockedRequestError(request.url)

    async def no_sleep(_: Any, seconds: float) -> None:
        """Stand in for the pause between two attempts."""

    with ExitStack() as stack:
        stack.enter_context(patch.object(endpoint, "_send", guarded))
        for each in (endpoint, *endpoint.__subclasses__()):
            # Older versions have no such method, and wait.
            stack.enter_context(patch.object(each, "_sleep", no_sleep, create=True))
        yield
