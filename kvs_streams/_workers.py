"""Threads that make the calls of a fleet."""

import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

from ._boto import make
from ._fleet_parts import Sent
from ._wire import Outcome

# How long calls in flight are waited for when a fleet is left.
_CLOSING = 5.0


class Workers:
    """Makes calls in daemon threads, started as they are needed.

    Not ``concurrent.futures``, whose threads take no work once the main thread has ended, and
    which waits for them without limit.

    Args:
        client: The boto client.
        wake: Called in the worker's thread when a call has ended.
    """

    def __init__(self, client: Any, wake: Callable[[], object]) -> None:
        self._client = client
        self._wake = wake
        self._jobs: SimpleQueue[tuple[Any, Sent] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self.ended: deque[tuple[Sent, Outcome | BaseException]] = deque()

    def submit(self, sent: Sent) -> None:
        """Make a call in the context of the caller."""
        self._busy += 1
        if self._busy > len(self._threads):
            thread = threading.Thread(target=self._work, name="kvs_streams", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._jobs.put((copy_context(), sent))

    def pop(self) -> tuple[Sent, Outcome] | None:
        """Return a call that has ended, if there is one; raise what is no error of ours."""
        if not self.ended:
            return None
        sent, outcome = self.ended.popleft()
        self._busy -= 1
        if isinstance(outcome, BaseException):
            raise outcome
        return sent, outcome

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            context, sent = job
            self.ended.append((sent, context.run(self._make, sent)))
            self._wake()

    def _make(self, sent: Sent) -> Outcome | BaseException:
        try:
            return make(self._client, sent.call)
        except BaseException as exc:  # noqa: BLE001  # it is raised where the result is awaited
            return exc

    def stop(self) -> None:
        """Let each thread end after the call that it makes."""
        for _ in self._threads:
            self._jobs.put(None)

    def join(self) -> None:
        """Wait for the threads to end, five seconds at the most."""
        until = time.monotonic() + _CLOSING
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
