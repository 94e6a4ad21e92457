"""How fast to send: told what was sent and what was answered, it says how long to wait.

The rule: **send slightly faster than the calls are accepted**. Each answer is a sample of the rate
that the quota allows: the rate at which the call was sent if it was accepted, 0 if it was throttled.
The mean of the samples is what is accepted, whatever the rate was, however old the answer is, and
whoever else uses the quota. Sending somewhat faster than this mean finds out when there is more.
"""

_SECOND = 1_000_000_000

# Missed sends that are made good: enough for a busy machine, too little for a burst of hundreds.
_CATCH_UP = _SECOND // 4

# How many answers the mean remembers. A throttled call lowers the rate by one part in 32; fewer
# make the rate jump, more make a wrong rate last.
_MEMORY = 32

# How much faster than the mean to send: little after a throttled call, and a bit more with each
# accepted one, so that a steady quota throttles under 1 % of the calls and a raised one is found.
# The limit keeps the rate from running away while a quota lets a burst through.
_PROBE, _PROBE_STEP, _PROBE_LIMIT = 0.003, 0.000_06, 0.05

# The same, while less than half is accepted of what was before throttled calls in a row: an
# outage says nothing of the quota, so the rate returns quickly to where it may be.
_PROBE_RECOVERING = 0.5

# Calls per second that are never gone below and above, unless it starts there. One call a second
# does no harm while everything is throttled, and soon finds out that this is over.
_SLOWEST, _FASTEST = 1.0, 10_000.0

# Whatever the rate, the time between two calls is finite.
_LONGEST = 3_600 * _SECOND


class Pace:
    """Spaces calls so that they use what a quota leaves, without knowing the quota.

    All times are integer nanoseconds of one monotonic clock, read by the caller.

    Args:
        rate: Calls per second to start with.
        now: The current time.
        learn: Whether answers change the rate; without, it stays as it is.
    """

    def __init__(self, rate: float, now: int, *, learn: bool = True) -> None:
        self.rate = rate
        self._learn = learn
        self._next = now
        self._accepted = self._before = rate  # per second: the mean; the mean before throttled calls
        self._since = 0  # accepted calls since the last throttled one
        self._slowest, self._fastest = min(rate, _SLOWEST), max(rate, _FASTEST)

    def delay(self, now: int) -> int:
        """Return how long to wait before the next call may be sent; 0 if it may be sent now."""
        return max(0, self._next - now)

    def sent(self, now: int) -> float:
        """Count a call that is sent now.

        Returns:
            What ``answered`` needs to know of this call.
        """
        behind = now - self._next >= _CATCH_UP
        self._next = max(self._next, now - _CATCH_UP)
        self._spend(1)
        # Held back by something else than the pace, a call says nothing of a higher rate.
        return 0.0 if behind else self.rate

    def answered(self, ticket: float, *, throttled: bool | None, retries: int = 0) -> None:
        """Learn from the answer to a call, in whatever order answers come.

        Args:
            ticket: What ``sent`` returned for this call.
            throttled: Whether the answer was a throttle; ``None`` if there was no answer.
            retries: How many more requests botocore sent for this call.
        """
        self._spend(retries)
        if throttled is None or not self._learn:
            return
        if throttled:
            if self._since:
                self._before = self._accepted
            self._since = 0
            self._accepted -= self._accepted / _MEMORY
        elif ticket:
            self._since += 1
            self._accepted += (ticket - self._accepted) / _MEMORY
        if self._accepted < self._before / 2 and self._since:
            probe = _PROBE_RECOVERING
        else:
            probe = min(_PROBE + self._since * _PROBE_STEP, _PROBE_LIMIT)
        self.rate = min(max(self._accepted * (1 + probe), self._slowest), self._fastest)

    def _spend(self, calls: int) -> None:
        self._next += calls * int(min(_SECOND / self.rate, _LONGEST))
