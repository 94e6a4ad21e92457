"""The parts of a fleet: its options, the streams under way, and the waiting calls."""

import math
from collections import OrderedDict
from typing import Any

from attrs import define, field, frozen
from botocore.exceptions import ParamValidationError

from ._clock import to_nanoseconds
from ._ensure import OnDrift, check_on_drift
from ._flow import Flow, Operation, check_count
from ._pacing import Pace
from ._request import CreateStreamRequest
from ._text import shown
from ._wire import Call
from .errors import AuthenticationError, ConfigurationError, KvsStreamsError


@frozen
class Options:
    """The arguments of ``ensure_streams``."""

    rate: float
    max_in_flight: int
    wait: bool
    timeout: float
    on_drift: OnDrift

    def __attrs_post_init__(self) -> None:
        """Refuse invalid arguments."""
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be above 0 and finite, got {shown(self.rate)}")
        check_count("max_in_flight", self.max_in_flight)
        to_nanoseconds("timeout", self.timeout)
        check_on_drift(self.on_drift)


@define(eq=False)
class Stream:
    """One request under way, or the list of the account's streams, without a request."""

    number: int
    name: str
    operation: Operation
    flow: Flow[Any]
    request: CreateStreamRequest | None = None
    has_begun: bool = False
    """Whether its first call was sent."""
    is_told: bool = False
    """Whether a create was answered with a conflict without being sent."""
    lane: "Lane" = field(init=False)
    """The queue of its last call."""
    at: int = 0
    """The time when it was last resumed, or when the call that resumed it ended."""


@define(eq=False)
class Lane:
    """The calls of one kind that wait for their turn, and their pace."""

    pace: Pace
    waiting: OrderedDict[Stream, Call] = field(factory=OrderedDict[Stream, Call])


def stops_all(result: KvsStreamsError) -> bool:
    """Return whether every other call would fail with the same error."""
    if isinstance(result, ConfigurationError):
        return not isinstance(result.__cause__, ParamValidationError)
    return isinstance(result, AuthenticationError)
