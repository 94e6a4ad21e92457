"""What a fleet is made of: its options, the streams under way, and the calls that wait."""

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
        """Refuse arguments that make no sense."""
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate must be above 0 and finite, got {shown(self.rate)}")
        check_count("max_in_flight", self.max_in_flight)
        to_nanoseconds("timeout", self.timeout)
        check_on_drift(self.on_drift)


@define(eq=False)
class Stream:
    """One request under way; the list of the account's streams is one without a request."""

    number: int
    name: str
    operation: Operation
    flow: Flow[Any]
    request: CreateStreamRequest | None = None
    has_begun: bool = False
    """Whether its first call was sent."""
    is_told: bool = False
    """Whether a create of it was answered with a conflict without being sent."""
    lane: "Lane" = field(init=False)
    """Where its last call waited or still waits."""
    at: int = 0
    """When it was last resumed, or when the call ended whose outcome resumed it."""


@define(eq=False)
class Lane:
    """The calls of one kind that wait for their turn, and their pace."""

    pace: Pace
    waiting: OrderedDict[Stream, Call] = field(factory=OrderedDict[Stream, Call])


def stops_all(result: KvsStreamsError) -> bool:
    """Tell whether every other call would meet the same error."""
    if isinstance(result, ConfigurationError):
        return not isinstance(result.__cause__, ParamValidationError)
    return isinstance(result, AuthenticationError)
