"""How a throttled call is retried: options, and how long the pauses are."""

import enum
import math
from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given, strategies as st

from kvs_streams import ThrottleRetry


def test_throttle_retry_defaults() -> None:
    """By default there are five attempts, from half a second up to eight."""
    assert attrs.astuple(ThrottleRetry()) == (5, 0.5, 8.0)


@pytest.mark.parametrize(
    "options",
    [
        {"max_attempts": 1},
        {"max_attempts": 10**6},
        {"max_attempts": enum.IntEnum("Attempts", "FEW").FEW},
        {"base_delay": 0, "max_delay": 0},
        {"base_delay": 8, "max_delay": 8},
        {"base_delay": 0.0},
        {"max_delay": 1e9},
    ],
)
def test_throttle_retry_limits(options: dict[str, Any]) -> None:
    """What is just within the limits is accepted."""
    assert attrs.asdict(ThrottleRetry(**options)) == {**attrs.asdict(ThrottleRetry()), **options}


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"max_attempts": 0}, ValueError, r"^max_attempts must be at least 1, got 0$"),
        ({"max_attempts": -1}, ValueError, r"^max_attempts must be at least 1, got -1$"),
        ({"max_attempts": True}, TypeError, r"^max_attempts must be an int, not True$"),
        ({"max_attempts": 5.0}, TypeError, r"^max_attempts must be an int, not 5.0$"),
        ({"max_attempts": None}, TypeError, r"^max_attempts must be an int, not None$"),
        ({"base_delay": -0.1}, ValueError, r"^base_delay must be at least 0 seconds, got -0.1$"),
        ({"base_delay": math.nan}, ValueError, r"^base_delay must be at least 0 seconds, got nan$"),
        ({"base_delay": "1"}, TypeError, r"^base_delay must be a number of seconds, not '1'$"),
        ({"base_delay": True}, TypeError, r"^base_delay must be a number of seconds, not True$"),
        ({"base_delay": None}, TypeError, r"^base_delay must be a number of seconds, not None$"),
        (
            {"base_delay": timedelta(1)},
            TypeError,
            r"^base_delay must be a number of seconds, not datetime.timedelta\(days=1\)$",
        ),
        ({"max_delay": -1}, ValueError, r"^max_delay must be at least 0 seconds, got -1$"),
        ({"max_delay": math.nan}, ValueError, r"^max_delay must be at least 0 seconds, got nan$"),
        ({"max_delay": "8"}, TypeError, r"^max_delay must be a number of seconds, not '8'$"),
        (
            {"max_delay": 0.4},
            ValueError,
            r"^max_delay must be at least base_delay \(0.5 s\), got 0.4$",
        ),
        ({"max_delay": math.inf}, ValueError, r"^max_delay must be finite, got inf$"),
        ({"base_delay": math.inf, "max_delay": math.inf}, ValueError, r"^max_delay must be finite"),
    ],
)
def test_throttle_retry_refuses_nonsense(options: Any, error: Any, message: str) -> None:
    """Nonsense is refused by a sentence that names the option and its value."""
    with pytest.raises(error, match=message) as caught:
        ThrottleRetry(**options)
    assert type(caught.value) is error
    with pytest.raises(error, match=message):
        attrs.evolve(ThrottleRetry(), **options)


def test_throttle_retry_delays() -> None:
    """The ceiling doubles with each attempt up to the longest; chance picks a part of it."""
    retry = ThrottleRetry(base_delay=0.5, max_delay=3.0)
    assert [retry.delay(attempt, 1.0) for attempt in range(1, 6)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert [retry.delay(attempt, 0.5) for attempt in range(1, 6)] == [0.25, 0.5, 1.0, 1.5, 1.5]
    assert [retry.delay(attempt, 0.0) for attempt in (1, 2, 100)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("attempt", [64, 65, 66, 1_000, 10_000, 10**9])
def test_throttle_retry_never_overflows(attempt: int) -> None:
    """After any number of attempts the delay is a number."""
    assert ThrottleRetry().delay(attempt, 1.0) == 8.0
    assert ThrottleRetry(base_delay=0, max_delay=0).delay(attempt, 1.0) == 0
    tiny = ThrottleRetry(base_delay=1e-300, max_delay=1e9)
    assert 0 < tiny.delay(attempt, 1.0) <= 1e9


@given(
    st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.integers(1, 10**6),
    st.floats(0, 1, exclude_max=True),
)
def test_throttle_retry_stays_below_its_ceilings(
    base: float, more: float, attempt: int, chance: float
) -> None:
    """Whatever the options, no delay is negative or above the ceiling of its attempt."""
    retry = ThrottleRetry(base_delay=base, max_delay=base + more)
    ceiling = retry.delay(attempt, 1.0)
    assert 0 <= retry.delay(attempt, chance) <= ceiling <= retry.max_delay
    assert ceiling <= retry.delay(attempt + 1, 1.0)
