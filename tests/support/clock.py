"""A clock whose time passes only when somebody sleeps."""

import threading

SECOND = 1_000_000_000


class FakeClock:
    """Stands in for the clients' own clock; every sleep is recorded and costs no real time."""

    def __init__(self, *, chance: float = 0.5) -> None:
        self.nanoseconds = 1_000_000 * SECOND
        self.chance = chance
        self.sleeps: list[float] = []
        self._lock = threading.Lock()

    @property
    def time(self) -> float:
        """The time in seconds."""
        return self.nanoseconds / SECOND

    def start(self) -> int:
        return self.now()

    def now(self) -> int:
        return self.nanoseconds

    def random(self) -> float:
        return self.chance

    def sleep(self, nanoseconds: int) -> None:
        assert isinstance(nanoseconds, int)
        with self._lock:
            self.sleeps.append(nanoseconds / SECOND)
            self.nanoseconds += nanoseconds

    async def sleep_async(self, nanoseconds: int) -> None:
        self.sleep(nanoseconds)

    def wait(self, event: threading.Event, nanoseconds: float, *, busy: bool) -> None:
        """Wait for calls in flight, which takes no time, or let time pass."""
        if busy or event.is_set():
            event.wait()
        else:
            self.sleep(int(nanoseconds))

    def advance(self, seconds: float) -> None:
        """Let time pass that nobody slept, as a slow call does."""
        with self._lock:
            self.nanoseconds += round(seconds * SECOND)
