"""What a test has scripted: faults, and rules for new and deleted streams."""

from typing import Literal, cast, get_args

from attrs import define

from kvs_streams._text import shown

from ._replies import HIGHEST_STATUS, LOWEST_ERROR_STATUS

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
    "get_data_endpoint",
]
OPERATIONS: tuple[str, ...] = get_args(Operation)


def check_count(name: str, value: object, minimum: int = 1) -> None:
    """Refuse what is not a whole number of at least ``minimum``."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {shown(value)}")
    if value < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {value}")


def check_text(name: str, value: object, *, can_be_empty: bool = False) -> None:
    """Refuse what is not a string, or empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {shown(value)}")
    if not value and not can_be_empty:
        raise ValueError(f"{name} must not be empty")


def check_optional_text(name: str, value: object) -> None:
    """Refuse what is neither ``None`` nor a string that is not empty."""
    if value is not None:
        check_text(name, value)


def check_operation(operation: object) -> None:
    """Refuse what is not an operation that the kit imitates."""
    if operation not in OPERATIONS:
        raise ValueError(
            f"operation must be one of {', '.join(OPERATIONS)}, not {shown(operation)}"
        )


def _check_status(name: str, value: object) -> None:
    check_count(name, value, LOWEST_ERROR_STATUS)
    if cast("int", value) > HIGHEST_STATUS:
        raise ValueError(f"{name} must be at most {HIGHEST_STATUS}, got {value}")


@define(kw_only=True)
class Fault:
    """A scripted failure of one or more calls."""

    method: str
    """The kit's method that scripted it."""
    error: str | None = None
    """The error code to answer; ``None`` drops the connection."""
    message: str | None = None
    status: int | None = None
    times: int
    operation: str
    stream_name: str | None
    attempts: int | None
    """How many requests of a call fail; ``None``: all of them."""
    acts: bool = False
    """Whether the service does its work before the response is lost."""
    met: int = 0

    def __attrs_post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.error is not None:
            check_text("error", self.error)
            if self.error.isdecimal():
                _check_status("error", int(self.error))
        if self.message is not None:
            check_text("message", self.message, can_be_empty=True)
        if self.status is not None:
            _check_status("status", self.status)
        check_count("times", self.times)
        check_operation(self.operation)
        check_optional_text("stream_name", self.stream_name)
        if self.attempts is not None:
            check_count("attempts", self.attempts)

    def unused(self) -> str | None:
        """Describe how much of this has not happened."""
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
    """What happens to every new stream, or to every stream that is deleted."""

    method: str
    """The kit's method that scripted it."""
    describes: int | None
    stream_name: str | None
    kind: str
    """Which streams the rule applies to: ``new`` or ``deleted``."""
    met: int = 0

    def __attrs_post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.describes is not None:
            check_count("describes", self.describes)
        check_optional_text("stream_name", self.stream_name)

    def unused(self) -> str | None:
        """Describe this if it has never applied."""
        if self.met:
            return None
        arguments = [] if self.describes is None else [str(self.describes)]
        if self.stream_name is not None:
            arguments.append(f"stream_name={self.stream_name!r}")
        script = f"{self.method}({', '.join(arguments)})"
        return f"{script} applied to no {self.kind} stream"


class Rules:
    """The rules of one kind: one for all streams, and one for each stream that has its own."""

    def __init__(self) -> None:
        self._rules: dict[str | None, Rule] = {}

    def add(self, rule: Rule) -> None:
        """Add a rule, in the place of an earlier one for the same streams."""
        self._rules[rule.stream_name] = rule

    def take(self, stream_name: str) -> Rule | None:
        """Return the rule for a stream, which has now applied."""
        rule = self._rules.get(stream_name) or self._rules.get(None)
        if rule is not None:
            rule.met += 1
        return rule

    def clear(self) -> None:
        """Forget all rules."""
        self._rules.clear()

    def unused(self) -> list[str]:
        """Describe the rules that have never applied."""
        return [text for rule in self._rules.values() if (text := rule.unused())]
