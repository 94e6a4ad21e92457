"""One list of the account's streams at the start of a fleet: a hint at which creates to skip."""

import logging

from ._clock import SECOND
from ._pacing import Pace
from ._wire import Call, Outcome, list_call, read_page

_log = logging.getLogger("kvs_streams")

# A smaller fleet lists nothing.
_FROM_REQUESTS = 20
# How long creates that were never sent wait for the list.
_PATIENCE = 2 * SECOND
# Pages a second: half of AWS's quota.
_RATE = 25.0


class Hint:
    """What the list has shown so far.

    Args:
        now: The current time.
        can_list: Whether the client can list streams.
    """

    def __init__(self, now: int, *, can_list: bool) -> None:
        self._pace = Pace(_RATE, now, learn=False)
        self._is_over = not can_list
        self._next: Call | None = None
        self._tokens: set[str] = set()
        self._began: int | None = None
        self.is_in_flight = False
        self.names: set[str] = set()
        """The names of the streams that the pages so far have shown."""

    def count(self, taken: int, now: int) -> None:
        """Start the list once enough requests are taken."""
        if taken == _FROM_REQUESTS and not self._is_over:
            self._began, self._next = now, list_call(None)

    def delay_of_creates(self, now: int) -> int:
        """Return how long creates that were never sent still wait for the list."""
        if self._is_over or self._began is None:
            return 0
        return max(0, self._began + _PATIENCE - now)

    def delay(self, now: int) -> int | None:
        """Return how long until the next page is due; ``None`` if there is none to read."""
        return None if self._next is None else self._pace.delay(now)

    def send(self, now: int) -> Call:
        """Return the call for the next page, which is sent now."""
        call, self._next = self._next, None
        assert call is not None, "only what is due is sent"  # noqa: S101  # for type checkers
        self._pace.sent(now)
        self.is_in_flight = True
        return call

    def answered(self, outcome: Outcome) -> list[str]:
        """Take a page; return the names that it shows."""
        self.is_in_flight = False
        if outcome.error is not None:
            _log.info("cannot list the streams, so each one is created first: %s", outcome.error)
            self._is_over = True
            return []
        names, token = read_page(outcome.reply)
        self.names.update(names)
        self._is_over = token is None or token in self._tokens
        if token is not None and not self._is_over:
            self._tokens.add(token)
            self._next = list_call(token)
        return names
