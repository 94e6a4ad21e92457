"""What a fleet is made of: its options, the streams under way, and the calls in flight."""

import sys

from attrs import define, frozen
from botocore.exceptions import ParamValidationError

from ._clock import to_nanoseconds
from ._ensure import OnDrift, check_on_drift
from ._flow import Flow, Operation, check_count
from ._models import EnsuredStream
from ._pacing import Ticket
from ._request import CreateStreamRequest
from ._text import shown
from ._wire import Call
from .errors import AuthenticationError, ConfigurationError, KvsStreamsError


def check_rate(rate: float) -> None:
    """Refuse a rate that makes no sense."""
    if not isinstance(rate, (int, float)) or isinstance(rate, bool):
        raise TypeError(f"rate must be a number of creates per second, not {shown(rate)}")
    if not 0 < rate <= sys.float_info.max:
        raise ValueError(f"rate must be above 0 and finite, got {shown(rate)}")


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
        check_rate(self.rate)
        check_count("max_in_flight", self.max_in_flight)
        to_nanoseconds("timeout", self.timeout)
        check_on_drift(self.on_drift)


@define(eq=False)
class Stream:
    """One request under way."""

    request: CreateStreamRequest
    operation: Operation
    flow: Flow[EnsuredStream]
    has_begun: bool = False
    is_told: bool = False
    """Whether a create of it was answered with a conflict without being sent."""
    queue: str | None = None
    """The queue in which its call waits."""
    at: int = 0
    """When it was last resumed, or when the call ended whose outcome resumed it."""


@define
class Sent:
    """A call in flight; the list is no stream's."""

    call: Call
    stream: Stream | None = None
    ticket: Ticket | None = None


def stops_all(result: KvsStreamsError) -> bool:
    """Tell whether every other call would meet the same error."""
    if isinstance(result, ConfigurationError):
        return not isinstance(result.__cause__, ParamValidationError)
    return isinstance(result, AuthenticationError)
