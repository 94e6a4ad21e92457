"""The paired runner: contenders take turns, so that a busy machine slows all of them alike."""

import gc
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from random import Random
from statistics import median, quantiles
from typing import Any, NamedTuple

# In how many parts the rounds are cut to see how far a ratio can be trusted.
_PARTS = 10


class Ratio(NamedTuple):
    """How long one contender takes in units of another, net of the control."""

    value: float
    spread: float
    control: float

    def __str__(self) -> str:
        """Return the value and half of the range that the middle half of the parts lies in."""
        digits = 3 if self.value >= 0.1 else 4  # noqa: PLR2004  # small shares want more digits
        return f"{self.value:.{digits}f} ± {self.spread:.{digits}f}"


class Times(NamedTuple):
    """Seconds per call of each contender, one number for each round."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        """Return the median of a contender's rounds, in seconds."""
        return median(self.seconds[name])

    def ratio(self, name: str, base: str, control: str | None = None) -> Ratio:
        """Return the median of the ratios within each round, net of the control.

        Args:
            name: Who is measured.
            base: What it is measured in.
            control: The same thing as ``base``, run once more in each round: what it differs from
                ``base`` is error of measurement, and divided out.
        """
        value, error = self._plain(name, base), self._plain(control or base, base)
        size = len(self.seconds[base]) // _PARTS or 1
        cuts = [slice(i, i + size) for i in range(0, size * _PARTS, size)]
        parts = [
            self._plain(name, base, cut) / self._plain(control or base, base, cut)
            for cut in cuts
            if self.seconds[base][cut]
        ]
        low, _, high = quantiles(parts, n=4) if len(parts) > 1 else (value, value, value)
        return Ratio(value / error, (high - low) / 2, error)

    def _plain(self, name: str, base: str, cut: slice = slice(None)) -> float:
        pairs = zip(self.seconds[name][cut], self.seconds[base][cut], strict=True)
        return median(one / other for one, other in pairs)


def _nothing() -> None:
    pass


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the garbage collector from charging one contender for what all have left."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _turns(names: Sequence[str], rounds: int) -> Iterator[list[str]]:
    """Yield the order of each round: who follows whom is left to chance, the same each time."""
    chance = Random(1)  # noqa: S311  # no secret
    for _ in range(rounds):
        yield chance.sample(names, len(names))


def take_turns(
    contenders: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    calls: int = 1,
    before: Callable[[], object] = _nothing,
) -> Times:
    """Time contenders in turns.

    Args:
        contenders: What to call, by name.
        rounds: How many turns each one has.
        calls: How many calls make a turn.
        before: Called before each turn; its time does not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    clock = time.perf_counter
    with _no_collections():
        for names in _turns(list(contenders), rounds):
            for name in names:
                call = contenders[name]
                before()
                start = clock()
                for _ in repeat(None, calls):
                    call()
                seconds[name].append((clock() - start) / calls)
    return Times(seconds)


async def take_turns_async(
    contenders: Mapping[str, Callable[[], Awaitable[Any]]],
    *,
    rounds: int,
    before: Callable[[], object] = _nothing,
) -> Times:
    """Time awaited contenders in turns of one call, as ``take_turns`` does."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    clock = time.perf_counter
    with _no_collections():
        for names in _turns(list(contenders), rounds):
            for name in names:
                call = contenders[name]
                before()
                start = clock()
                await call()
                seconds[name].append(clock() - start)
    return Times(seconds)
