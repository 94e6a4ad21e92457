"""How a run begins: who calls, what it will do, and may it?"""

import signal
import sys
from typing import NoReturn

import pytest
from botocore.exceptions import BotoCoreError

from .account import LEFT_BEHIND_AFTER, MOST_STREAMS, PREFIX
from .aws import Aws

USAGE = 2


def stop(reason: str) -> NoReturn:
    """End the run before anything was sent."""
    pytest.exit(f"Nothing was sent: {reason}", USAGE)


def connected(endpoint_url: str | None, denied_profile: str | None, *, may_burst: bool) -> Aws:
    """Return the service as the caller reaches it; end here without a region or credentials."""
    try:
        endpoint = Aws(
            endpoint_url=endpoint_url, denied_profile=denied_profile, may_burst=may_burst
        )
    except BotoCoreError as error:
        stop(str(error))
    if endpoint.credentials is None:
        stop(
            "there are no credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        )
    return endpoint


def plan(endpoint: Aws) -> str:
    """Say what a run does."""
    where = endpoint.endpoint_url or "AWS"
    lines = f"""\
This run looks at Kinesis Video Streams in {endpoint.region} ({where}).
Credentials come from: {endpoint.credentials.method}.
It creates at most {MOST_STREAMS} streams named {PREFIX}<random>-..., without media: nothing is
billed but requests. It deletes all of them at the end, after a failure or Ctrl-C too.
It also deletes streams of such names that a killed run on this machine has left, and those older
than {LEFT_BEHIND_AFTER / 60:.0f} minutes that any other run has left.
It touches no other stream; it counts them. It takes a few minutes.
"""
    if endpoint.may_burst:
        lines += "It exceeds the quota of 50 creates a second once: others may be throttled then.\n"
    return lines


def ask() -> None:
    """End here unless the answer is yes."""
    if not sys.stdin.isatty():
        stop("there is no terminal to ask; --yes goes on without.")
    if input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        stop("the answer was not yes.")


def interrupt_when_ended() -> None:
    """Treat the end of the terminal, or a polite kill, as Ctrl-C: streams are deleted."""
    for name in ("SIGTERM", "SIGHUP"):
        if number := getattr(signal, name, None):
            signal.signal(number, signal.default_int_handler)
