"""The paired runner: contenders take turns, so that a busy machine slows all of them alike."""

import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import repeat
from random import Random
from statistics import median, quantiles
from typing import NamedTuple

# In how many parts the rounds are cut to see how far a ratio can be trusted.
_PARTS = 10


class Times(NamedTuple):
    """Seconds per call of each contender, one number for each round."""

    seconds: Mapping[str, list[float]]

    def micro(self, name: str) -> str:
        """Return the median of a contender's rounds, in microseconds."""
        return f"{median(self.seconds[name]) * 1e6:.1f} µs"

    def ratio(self, name: str, base: str, control: str) -> str:
        """Return the median of the ratios within each round, net of the control, and its spread.

        The control is the same thing as the base, run once more in each round: what it differs
        from the base is error of measurement, and divided out.
        """
        size = len(self.seconds[base]) // _PARTS or 1
        cuts = [slice(i, i + size) for i in range(0, size * _PARTS, size)]
        parts = [self._net(name, base, control, cut) for cut in cuts if self.seconds[base][cut]]
        low, _, high = quantiles(parts, n=4) if len(parts) > 1 else parts * 3
        return f"{self._net(name, base, control, slice(None)):.3f} ± {(high - low) / 2:.3f}"

    def _net(self, name: str, base: str, control: str, cut: slice) -> float:
        def plain(one: str) -> float:
            both = zip(self.seconds[one][cut], self.seconds[base][cut], strict=True)
            return median(mine / theirs for mine, theirs in both)

        return plain(name) / plain(control)


async def take_turns_async(
    contenders: Mapping[str, Callable[[], Awaitable[object]]], rounds: int
) -> Times:
    """Time awaited contenders in turns of one call, in a random order that is always the same."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    order = Random(1)  # noqa: S311  # no secret
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for name in order.sample(list(contenders), len(contenders)):
            start = time.perf_counter()
            await contenders[name]()
            seconds[name].append(time.perf_counter() - start)
    gc.enable()
    return Times(seconds)


def take_turns(
    contenders: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    calls: int = 1,
    before: Callable[[], object] = lambda: None,
) -> Times:
    """Time contenders in turns of ``calls`` calls; the time of ``before`` does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    order = Random(1)  # noqa: S311  # no secret
    gc.collect()
    gc.disable()
    for _ in range(rounds):
        for name in order.sample(list(contenders), len(contenders)):
            call = contenders[name]
            before()
            start = time.perf_counter()
            for _ in repeat(None, calls):
                call()
            seconds[name].append((time.perf_counter() - start) / calls)
    gc.enable()
    return Times(seconds)
