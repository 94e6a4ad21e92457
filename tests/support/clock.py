"""A clock whose time passes only when somebody sleeps."""

import threading


class FakeClock:
    """Stands in for the clients' own clock; every sleep is recorded and costs no real time."""

    def __init__(self, *, chance: float = 0.5) -> None:
        self.time = 1_000_000.0
        self.chance = chance
        self.sleeps: list[float] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.time

    def random(self) -> float:
        return self.chance

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.sleeps.append(seconds)
            self.time += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass that nobody slept, as a slow call does."""
        with self._lock:
            self.time += seconds
