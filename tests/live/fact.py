"""A fact about the service: the sentence that states it, what it rests on, and how to check it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .account import Account


class Basis(Enum):
    """What the belief in a fact rests on until a run on AWS settles it."""

    MODEL = "botocore's service model"
    DOCS = "AWS's documentation"
    OBSERVED = "public observation"
    ASSUMED = "assumption"


class Verdict(Enum):
    """What a check says of its fact."""

    HELD = "held"
    DIFFERS = "differs"
    UNTOLD = "could not be told"


class Outcome(NamedTuple):
    """A verdict, and what was seen."""

    verdict: Verdict
    seen: str


def held(seen: str) -> Outcome:
    """Say that the service does what the fact says."""
    return Outcome(Verdict.HELD, seen)


def differs(seen: str) -> Outcome:
    """Say that the service does something else."""
    return Outcome(Verdict.DIFFERS, seen)


def untold(seen: str) -> Outcome:
    """Say that this run cannot tell, and why."""
    return Outcome(Verdict.UNTOLD, seen)


def holds_if(condition: object, seen: str) -> Outcome:
    """Say that the fact holds if the condition does, and that it differs otherwise."""
    return held(seen) if condition else differs(seen)


class UntoldError(Exception):
    """A check cannot tell; the text says why."""


@dataclass(frozen=True)
class Fact:
    """One belief about the service."""

    id: str
    sentence: str
    basis: Basis
    source: str
    """Where the sentence comes from."""
    check: Callable[["Account"], Outcome]
    limit: float = 30.0
    """How many seconds the check may take."""


class Result(NamedTuple):
    """A fact and what came of it."""

    fact: Fact
    outcome: Outcome
