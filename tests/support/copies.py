"""All the ways to copy a value."""

import copy
import functools
import pickle
from collections.abc import Callable
from typing import Any


def through_pickle(protocol: int, value: Any) -> Any:
    """Return what a pickle of a value gives back."""
    return pickle.loads(pickle.dumps(value, protocol))


WAYS: dict[str, Callable[[Any], Any]] = {"copy": copy.copy, "deepcopy": copy.deepcopy}
for number in range(2, pickle.HIGHEST_PROTOCOL + 1):
    WAYS[f"pickle {number}"] = functools.partial(through_pickle, number)
