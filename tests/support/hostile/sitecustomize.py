"""Shift the monotonic clock in every Python that has this folder on its PYTHONPATH.

The clock starts at zero when a machine boots. The environment variable is the number of nanoseconds
to add, so that all processes of a run agree.
"""

import os
import time
from collections.abc import Callable

SHIFT = int(os.environ["HOSTILE_MONOTONIC_SHIFT_NS"])


class Shifted:
    """Stands in for a built-in function: as an attribute of a class it does not become a method."""

    def __init__(self, read: Callable[[], float]) -> None:
        self.read = read

    def __call__(self) -> float:
        return self.read()


def shift(read: Callable[[], int]) -> None:
    """Replace both forms of the clock; like CPython, derive seconds from nanoseconds."""
    time.monotonic_ns = Shifted(lambda: read() + SHIFT)
    time.monotonic = Shifted(lambda: (read() + SHIFT) / 1_000_000_000)


shift(time.monotonic_ns)
