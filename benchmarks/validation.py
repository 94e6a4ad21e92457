"""Case (b): building and checking a request, beside other validators with the same rules."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError

from kvs_streams import _limits

from . import floor, pairs, rivals
from .pairs import Times
from .requests import BAD, CASES, FIELDS, NEARLY_BAD, TIER

OURS, BOTOCORE, PYDANTIC = "kvs_streams", "botocore ParamValidator", "pydantic"
RUST, MSGSPEC, ATTRS = "pydantic, all Rust", "msgspec", "attrs validators"
AGAIN = " again"
# Parts of what the library does, each by itself: below their sum no pure Python of this shape goes.
OBJECTS, PATTERNS, LOOK = "two frozen attrs objects", "four patterns", "one check of all tags"
EACH = "a look at each"

# Requests in a turn: enough that what is measured is code, not what the others left in the caches.
_CALLS = 200

_Build = Callable[[Mapping[str, Any], str | None], object]
RIVALS: dict[str, _Build] = {
    OURS: rivals.by_kvs_streams,
    PYDANTIC: rivals.by_pydantic,
    RUST: rivals.by_pydantic_rust,
    MSGSPEC: rivals.by_msgspec,
    ATTRS: rivals.by_attrs,
}


_TEXTS = [
    (limit.pattern.fullmatch, field)
    for limit, field in (
        (_limits.STREAM_NAME, "stream_name"),
        (_limits.DEVICE_NAME, "device_name"),
        (_limits.MEDIA_TYPE, "media_type"),
        (_limits.KMS_KEY_ID, "kms_key_id"),
    )
]


def _patterns(fields: Mapping[str, Any], _tier: str | None) -> None:
    for fullmatch, field in _TEXTS:
        fullmatch(fields[field])


def _look(fields: Mapping[str, Any], _tier: str | None) -> None:
    tags = fields["tags"]
    if tags is not None:
        _limits.TAG_TEXT.fullmatch("".join(tags) + "".join(tags.values()))


def _refuses(build: _Build, fields: Mapping[str, Any]) -> bool:
    try:
        build({**FIELDS, **fields}, TIER)
    except (ValueError, TypeError, BotoCoreError):
        return True
    return False


def check_rules() -> None:
    """Make sure that all validators have the same rules, or a comparison would mean nothing."""
    for name, build in RIVALS.items():
        accepted = [bad for bad in BAD if not _refuses(build, bad)]
        if accepted:
            raise RuntimeError(f"{name} accepts {accepted}")
        refused = [
            good for good in (*CASES.values(), {"tags": NEARLY_BAD}) if _refuses(build, good)
        ]
        if refused:
            raise RuntimeError(f"{name} refuses {refused}")


def one_look(rounds: int) -> Times:
    """Measure what the one look at all tags joined saves: with it, and with a look at each.

    A good key with ``aws:`` inside is what needs the look at each, to be told from a reserved one.
    """
    usual = CASES["50 tags, ASCII"]
    *others, _ = usual["tags"].items()
    each = {**usual, "tags": dict([*others, ("team aws:01", "Building 50 north")])}
    contenders = {
        LOOK: partial(rivals.by_kvs_streams, usual, TIER),
        LOOK + AGAIN: partial(rivals.by_kvs_streams, usual, TIER),
        EACH: partial(rivals.by_kvs_streams, each, TIER),
    }
    return pairs.take_turns(contenders, rounds=rounds, calls=_CALLS)


def one_at_a_time(case: str, rounds: int) -> Times:
    """Measure turns of a single request, which find little of their code in the caches."""
    everyone = {**RIVALS, f"{PYDANTIC}{AGAIN}": rivals.by_pydantic, BOTOCORE: rivals.by_botocore}
    contenders = {name: partial(build, CASES[case], TIER) for name, build in everyone.items()}
    return pairs.take_turns(contenders, rounds=rounds)


def measure(case: str, rounds: int) -> Times:
    """Measure all validators on one request, pydantic and botocore twice as their own control."""
    everyone = {
        **RIVALS,
        f"{PYDANTIC}{AGAIN}": rivals.by_pydantic,
        f"{RUST}{AGAIN}": rivals.by_pydantic_rust,
        BOTOCORE: rivals.by_botocore,
        f"{BOTOCORE}{AGAIN}": rivals.by_botocore,
        OBJECTS: floor.unchecked,
        PATTERNS: _patterns,
        LOOK: _look,
    }
    fields = CASES[case]
    contenders = {name: partial(build, fields, TIER) for name, build in everyone.items()}
    return pairs.take_turns(contenders, rounds=rounds, calls=_CALLS)
