"""The real time and the real randomness, which every other test replaces."""

import asyncio
import math
import threading
import time
from typing import Any

import pytest

from kvs_streams import _clock


def test_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is monotonic and counted in nanoseconds."""
    monkeypatch.setattr(time, "monotonic_ns", lambda: 42)
    assert _clock.clock.now() == _clock.clock.start() == 42


def test_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of a thread and one of a task are as long as asked."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    _clock.clock.sleep(_clock.SECOND * 3 // 2)
    asyncio.run(_clock.clock.sleep_async(_clock.SECOND * 5 // 2))
    assert slept == [1.5, 2.5]


def test_random() -> None:
    """Random numbers are from 0 up to 1."""
    numbers = {_clock.clock.random() for _ in range(20)}
    assert len(numbers) > 1
    assert all(0 <= number < 1 for number in numbers)


def test_waiting_of_a_thread() -> None:
    """A thread waits until the event is set or the time has passed."""
    event = threading.Event()
    _clock.clock.wait(event, 1_000, busy=True)
    assert not event.is_set()
    timer = threading.Timer(0.001, event.set)
    timer.start()
    _clock.clock.wait(event, math.inf, busy=True)
    assert event.is_set()
    timer.join()


def test_waiting_of_a_task() -> None:
    """A task waits until the event is set or the time has passed, and leaves nothing behind."""

    async def wait() -> None:
        event: Any = asyncio.Event()
        await asyncio.wait_for(_clock.clock.wait_async(event, 1_000, busy=True), 60)
        event.clear()
        asyncio.get_running_loop().call_later(0.001, event.set)
        await asyncio.wait_for(_clock.clock.wait_async(event, math.inf, busy=True), 60)
        assert event.is_set()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(wait())


def test_cancelled_waiting() -> None:
    """A cancellation is never swallowed, even if the event is set at the same time."""

    async def wait() -> None:
        for _ in range(50):
            event = asyncio.Event()
            task = asyncio.create_task(_clock.clock.wait_async(event, 10**10, busy=False))
            await asyncio.sleep(0)
            event.set()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(wait())
