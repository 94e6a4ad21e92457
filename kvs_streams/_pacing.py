"""Compute how fast to send calls, from the calls sent and their answers.

The rule: **send slightly faster than calls are accepted**. Each answer is a sample of the available
quota: the rate at which the call was sent if it was accepted, 0 if it was throttled. At twice the
available rate, half of the calls are throttled, so the mean of the samples is the rate that is
accepted, however fast the calls were sent and however late the answers come. Sending slightly
faster than this mean detects when more of the quota is available.

After an outage this is too slow. So while the mean is **below half of the best so far**, the
pace **tries twice the mean** now and then, and keeps it if nothing is throttled.
"""

from typing import NamedTuple

_SECOND = 1_000_000_000

# The longest delay after which missed sends are caught up. It covers a busy machine; a process that
# was suspended for minutes must not send hundreds of calls at once.
_CATCH_UP = _SECOND // 4

# How many answers the mean covers: a throttled call lowers the rate by one part in 32. With fewer
# answers a full second's quota makes the rate drop too far; with more, a wrong rate lasts longer.
_ANSWERS = 32

# How much faster than the mean to send: least after a throttled call, then more with each accepted
# one. The first two keep throttling near 0.7 % under a steady quota. The limit bounds how far the
# rate rises above the quota while a burst is let through.
_PROBE, _PROBE_STEP, _PROBE_LIMIT = 0.003, 0.000_06, 0.05

# The duration of a try. In a shorter one, all calls could fit into the quota of a second.
_TRY_TIME = 2 * _SECOND

# The time from a drop of the rate to the first try, by which a wrong initial rate has settled, and
# from a failed try to the next one. A quota that stays lower costs a few throttled calls each time.
_FIRST_TRY, _NEXT_TRY = 5 * _SECOND, 60 * _SECOND

# The bounds of the rate in calls per second, unless it starts outside. One call a second does no
# harm during an outage and soon finds its end. The upper bound keeps the rate finite.
_SLOWEST, _FASTEST = 1.0, 10_000.0


class Ticket(NamedTuple):
    """A record of a call that was sent."""

    rate: float
    """The rate at which it was sent; 0 if it was delayed by something other than the pace."""
    sent: int
    """When it was sent."""


class Pace:
    """Space calls so that they use the available quota, without knowing its size.

    Times are integer nanoseconds on one monotonic clock, which the caller reads.

    Args:
        rate: Calls per second to start with, positive and finite.
        now: The current time.
        learn: Whether to adapt the rate to the answers; if not, it is fixed.
    """

    def __init__(self, rate: float, now: int, *, learn: bool = True) -> None:
        self.rate = rate
        self._learn = learn
        self._next = now
        self._mean = self._best = rate
        self._accepted_in_a_row = 0
        self._held_back = False
        self._slowest, self._fastest = min(rate, _SLOWEST), max(rate, _FASTEST)
        self._trying = False
        self._try_began = self._try_over = self._next_try = now

    def delay(self, now: int) -> int:
        """Return how long to wait before the next call may be sent, 0 if it may be sent now."""
        return max(0, self._next - now)

    def sent(self, now: int) -> Ticket:
        """Record that a call is sent now.

        Returns:
            A ticket to pass to ``answered`` with the answer to this call.
        """
        late = now - self._next
        self._next = max(self._next, now - _CATCH_UP)
        self._spend(1)
        # Until sending has caught up, the pace does not limit the calls: they are no samples.
        self._held_back = late >= _CATCH_UP or (self._held_back and now >= self._next)
        return Ticket(0.0 if self._held_back else self.rate, now)

    def answered(
        self, ticket: Ticket, now: int, *, throttled: bool | None, retries: int = 0
    ) -> None:
        """Update the rate when a call ends. Calls may end in any order.

        Args:
            ticket: The ticket that ``sent`` returned for this call.
            now: The current time.
            throttled: Whether the service throttled the call; ``None`` if it gave no answer.
            retries: How many more requests botocore sent for this call.
        """
        self._spend(retries)
        if throttled is None or not self._learn:
            return
        if self._trying:
            self._learn_from_try(ticket, now, throttled=throttled)
        elif not self._try_began <= ticket.sent < self._try_over:  # sent during a try that failed
            self._learn_from(ticket, throttled=throttled)
        if self._mean >= self._best / 2:
            self._next_try = max(self._next_try, now + _FIRST_TRY)
        elif not (throttled or self._trying) and now >= self._next_try:
            self._trying, self._try_began = True, now
        probe = min(_PROBE + self._accepted_in_a_row * _PROBE_STEP, _PROBE_LIMIT)
        self.rate = min(self._mean * (2 if self._trying else 1 + probe), self._fastest)

    def _learn_from(self, ticket: Ticket, *, throttled: bool) -> None:
        if throttled:
            self._accepted_in_a_row = 0
            self._mean = max(self._mean - self._mean / _ANSWERS, self._slowest)
        elif ticket.rate:
            self._accepted_in_a_row += 1
            self._mean += (ticket.rate - self._mean) / _ANSWERS
            self._best = max(self._best, self._mean)

    def _learn_from_try(self, ticket: Ticket, now: int, *, throttled: bool) -> None:
        if throttled:
            # The try used up the quota of this second, so calls sent until then are no samples.
            self._trying, self._try_over = False, now + _SECOND
            self._next_try = now + _NEXT_TRY
        elif ticket.sent >= self._try_began + _TRY_TIME:
            self._trying, self._mean = False, 2 * self._mean

    def _spend(self, calls: int) -> None:
        self._next += calls * int(_SECOND / self.rate)
