"""Start the monotonic clock elsewhere, in every Python that has this folder on its PYTHONPATH.

A machine that has just booted counts from zero, one in a rack has counted for months. The
environment variable is the number of nanoseconds to add.
"""

import os
import time

SHIFT = int(os.environ["HOSTILE_MONOTONIC_SHIFT_NS"])


class Shifted:
    """A function of ``time``; unlike a Python function, as a class's attribute it is no method."""

    def __init__(self, read, unit):
        self.read = read
        self.unit = unit

    def __call__(self):
        """Return the shifted time, as exact as CPython gives it."""
        nanoseconds = self.read() + SHIFT
        return nanoseconds if self.unit == 1 else nanoseconds / self.unit


time.monotonic = Shifted(time.monotonic_ns, 1_000_000_000)
time.monotonic_ns = Shifted(time.monotonic_ns, 1)
