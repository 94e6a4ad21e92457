"""How fast to send calls: pure arithmetic on what was sent and what was answered.

The rule: **send slightly faster than calls are accepted**. Each answer is a sample of what the
quota leaves: the rate at which the call was sent if it was accepted, 0 if it was throttled. At
twice the rate that the quota allows, half of the calls are throttled, so the mean of the samples is
the rate that is accepted, however fast the calls were sent and however late the answers come.
Sending slightly faster than this mean finds out when the quota leaves more.
"""

_SECOND = 1_000_000_000

# The longest delay whose missed sends are made good. It covers a busy machine; a process that was
# suspended for minutes does not send hundreds of calls at once.
_CATCH_UP = _SECOND // 4

# How many answers the mean covers: a throttled call lowers the rate by one part in 32. With fewer
# answers a full second's quota makes the rate drop too far; with more, a wrong rate lasts longer.
_ANSWERS = 32

# How much faster than the mean to send: least after a throttled call, then more with each accepted
# one. The first two keep throttling near 0.7 % under a steady quota. The limit bounds how far the
# rate rises above the quota while a burst is let through.
_PROBE, _PROBE_STEP, _PROBE_LIMIT = 0.003, 0.000_06, 0.05

# The same after an outage, in which every call is throttled, while the mean is below half of what
# it was before: the rate doubles with every 22 accepted calls, up to what it was before.
_PROBE_AFTER_OUTAGE = 1.0

# The bounds of the rate in calls per second, unless it starts outside. One call a second does no
# harm during an outage and soon finds its end. The upper bound keeps the rate finite.
_SLOWEST, _FASTEST = 1.0, 10_000.0

# The longest time between two calls, which keeps it finite for any positive rate.
_LONGEST_INTERVAL = 3_600 * _SECOND


class Pace:
    """Space calls so that they use what a quota leaves, without knowing the quota.

    Times are integer nanoseconds on one monotonic clock, which the caller reads.

    Args:
        rate: Calls per second to start with, positive and finite.
        now: The current time.
        learn: Change the rate by the answers. ``False`` keeps it fixed.
    """

    def __init__(self, rate: float, now: int, *, learn: bool = True) -> None:
        self.rate = rate
        self._learn = learn
        self._next = now
        self._mean = rate
        self._before_outage = rate
        self._accepted_in_a_row = 0
        self._held_back = False
        self._slowest, self._fastest = min(rate, _SLOWEST), max(rate, _FASTEST)

    def delay(self, now: int) -> int:
        """Return how long to wait before the next call may be sent, 0 if it may be sent now."""
        return max(0, self._next - now)

    def sent(self, now: int) -> float:
        """Record that a call is sent now.

        Returns:
            A ticket to pass to ``answered`` with the answer to this call.
        """
        late = now - self._next
        self._next = max(self._next, now - _CATCH_UP)
        self._spend(1)
        # Until sending has caught up, it is not the pace that holds calls back: they prove nothing.
        self._held_back = late >= _CATCH_UP or (self._held_back and now >= self._next)
        return 0.0 if self._held_back else self.rate

    def answered(
        self, ticket: float, now: int, *, throttled: bool | None, retries: int = 0
    ) -> None:
        """Learn from the end of a call. Calls may end in any order.

        Args:
            ticket: What ``sent`` returned for this call.
            now: The current time.
            throttled: Whether the service throttled the call; ``None`` if it gave no answer.
            retries: How many more requests botocore sent for this call.
        """
        self._spend(retries)
        if throttled is None or not self._learn:
            return
        if throttled:
            if self._accepted_in_a_row:
                self._before_outage = self._mean
            self._accepted_in_a_row = 0
            self._mean -= self._mean / _ANSWERS
        elif ticket:
            self._accepted_in_a_row += 1
            self._mean += (ticket - self._mean) / _ANSWERS
        probe = min(_PROBE + self._accepted_in_a_row * _PROBE_STEP, _PROBE_LIMIT)
        if self._accepted_in_a_row and self._mean < self._before_outage / 2:
            probe = _PROBE_AFTER_OUTAGE
        self.rate = min(max(self._mean * (1 + probe), self._slowest), self._fastest)

    def _spend(self, calls: int) -> None:
        self._next += calls * int(min(_SECOND / self.rate, _LONGEST_INTERVAL))
