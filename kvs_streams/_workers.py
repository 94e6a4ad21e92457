"""Threads that make the calls of a fleet."""

import threading
import time
from collections.abc import Callable
from contextvars import Context, copy_context
from queue import SimpleQueue
from typing import Any

from ._boto import make
from ._fleet import Fleet
from ._fleet_parts import Stream
from ._wire import Call, Outcome

# How long to wait for calls in flight when a fleet stops, in seconds.
_CLOSING = 5.0


class Workers:
    """Makes calls in daemon threads, started as they are needed.

    ``concurrent.futures`` is not used: its threads take no work once the main thread has ended, and
    the interpreter waits for them without limit.

    Args:
        client: The boto client.
        fleet: The fleet that receives the outcomes.
        wake: Called in the worker's thread when a call has ended.
    """

    def __init__(self, client: Any, fleet: Fleet, wake: Callable[[], object]) -> None:
        self._client = client
        self._fleet = fleet
        self._wake = wake
        self._jobs: SimpleQueue[tuple[Context, Stream, Call] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    def start(self, stream: Stream, call: Call) -> None:
        """Start a call in the context of the caller, and return at once."""
        if len(self._threads) < len(self._fleet.in_flight):
            thread = threading.Thread(target=self._work, name="kvs_streams", daemon=True)
            thread.start()
            self._threads.append(thread)
        self._jobs.put((copy_context(), stream, call))

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            context, stream, call = job
            try:
                outcome: Outcome | BaseException = context.run(make, self._client, call)
            except BaseException as exc:  # noqa: BLE001  # the fleet raises it
                outcome = exc
            self._fleet.ended.append((stream, outcome))
            self._wake()

    def stop(self) -> None:
        """Let each thread end after its current call."""
        for _ in self._threads:
            self._jobs.put(None)

    def join(self) -> None:
        """Wait for the threads to end, at most five seconds."""
        until = time.monotonic() + _CLOSING
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
