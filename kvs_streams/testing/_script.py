"""The script of a test: faults of calls, and rules for streams and quotas."""

from typing import Literal, get_args

from attrs import define

from ._core import shown

Operation = Literal[
    "create_stream",
    "describe_stream",
    "list_streams",
    "delete_stream",
    "update_stream",
    "update_data_retention",
    "update_stream_storage_configuration",
    "describe_stream_storage_configuration",
    "tag_stream",
    "untag_stream",
    "list_tags_for_stream",
    "tag_resource",
    "untag_resource",
    "list_tags_for_resource",
    "get_data_endpoint",
    "get_hls_streaming_session_url",
    "get_dash_streaming_session_url",
    "get_clip",
]
OPERATIONS: tuple[str, ...] = get_args(Operation)


def check_count(name: str, value: object, minimum: int = 1) -> None:
    """Refuse anything but a whole number of at least ``minimum``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {shown(value)}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")


def check_operation(operation: object) -> None:
    """Refuse an operation that the kit does not imitate."""
    if operation not in OPERATIONS:
        names = ", ".join(OPERATIONS)
        raise ValueError(f"operation must be one of {names}, not {shown(operation)}")


@define
class Fault:
    """A scripted failure of one or more calls."""

    method: str
    """The kit's method that scripted it."""
    error: str | None
    """The error code to answer; ``None`` drops the connection."""
    times: int
    operation: str
    stream_name: str | None
    attempts: int | None
    """How many requests of a call fail; ``None``: all of them."""
    message: str | None = None
    status: int | None = None
    met: int = 0

    def __attrs_post_init__(self) -> None:
        """Refuse invalid values."""
        if self.error is not None and not isinstance(self.error, str):
            raise TypeError(f"error must be the name of an error, not {shown(self.error)}")
        code = self.error or "400"
        status = self.status or (int(code) if code.isdecimal() else 400)
        # botocore treats redirects as errors too.
        if self.error == "" or not 300 <= status <= 599:  # noqa: PLR2004
            raise ValueError("error must be the name of an error, or a status from 300 to 599")
        check_count("times", self.times)
        check_operation(self.operation)
        if self.attempts is not None:
            check_count("attempts", self.attempts)

    def unused(self) -> str | None:
        """Describe the unused part of this fault."""
        if self.met == self.times:
            return None
        arguments = [] if self.error is None else [repr(self.error)]
        if self.times > 1:
            arguments.append(f"times={self.times}")
        calls = f"{self.met} of {self.times} calls" if self.times > 1 else "no call"
        of_stream = f" for {self.stream_name!r}" if self.stream_name else ""
        script = f"{self.method}({', '.join(arguments)})"
        return f"{script} applied to {calls} of {self.operation}{of_stream}"


@define
class Rule:
    """A rule for streams, or a quota, from now on."""

    value: int | None
    """The number of polls, or the quota."""
    sentence: str
    """The report if the rule was not used."""
    used: bool = False

    def unused(self) -> str | None:
        """Return the report if the rule was not used."""
        return None if self.used else self.sentence


class Script:
    """All faults and rules of a test."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._rules: dict[tuple[str, str | None], Rule] = {}

    def add(self, method: str, value: int | None, stream: str | None, sentence: str) -> Rule:
        """Add a rule, which replaces an earlier one for the same streams."""
        rule = self._rules[method, stream] = Rule(value, sentence)
        return rule

    def remove(self, method: str) -> None:
        """Remove a rule for all streams."""
        self._rules.pop((method, None), None)

    def rule(self, method: str, stream_name: str | None = None) -> Rule | None:
        """Return the rule for a stream: its own, or else the one for all."""
        return self._rules.get((method, stream_name)) or self._rules.get((method, None))

    def quota(self, method: str) -> int | None:
        """Return a quota for a create, and mark it as used."""
        rule = self.rule(method)
        if rule is None:
            return None
        rule.used = True
        return rule.value

    def fault(self, operation: str, stream_name: str | None) -> Fault | None:
        """Return the first fault for a new call, and count the call."""
        for fault in self.faults:
            fits = fault.operation == operation and fault.stream_name in {None, stream_name}
            if fits and fault.met < fault.times:
                fault.met += 1
                return fault
        return None

    def unused(self) -> tuple[str, ...]:
        """Describe unused faults and rules, in the order of the script."""
        scripted: list[Fault | Rule] = [*self.faults, *self._rules.values()]
        return tuple(text for each in scripted if (text := each.unused()))

    def clear(self) -> None:
        """Remove all faults and rules."""
        self.faults.clear()
        self._rules.clear()
