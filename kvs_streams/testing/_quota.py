"""The quota of creates per second."""

from bisect import bisect_right

from ._clock import NS_PER_SECOND


class RateLimit:
    """Creates per second in a sliding window, also for requests that arrive out of order."""

    def __init__(self) -> None:
        self._accepted: list[int] = []

    def accept(self, now: int, rate: int) -> int | None:
        """Return the time at which a request is accepted; ``None`` if it is throttled.

        Threads and tasks have times of their own, so that a request can arrive after others that
        are later than it. If its own second is full, it may be accepted at the latest time.
        """
        latest = max([now, *self._accepted[-1:]])
        if self._fits(now, rate):
            return now
        return latest if self._fits(latest, rate) else None

    def _fits(self, now: int, rate: int) -> bool:
        """Add a time unless some window of one second then held more than ``rate``."""
        accepted = self._accepted
        place = bisect_right(accepted, now)
        accepted.insert(place, now)
        # Every run of rate + 1 requests that includes this one.
        for first in range(max(0, place - rate), min(place, len(accepted) - 1 - rate) + 1):
            if accepted[first + rate] - accepted[first] < NS_PER_SECOND:
                del accepted[place]
                return False
        return True
