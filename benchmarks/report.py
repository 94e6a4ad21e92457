"""Tables in Markdown, and what ran on what."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from importlib.metadata import version

_PACKAGES = ("boto3", "aiobotocore", "attrs", "pydantic", "msgspec", "tenacity")


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def circumstances(seconds: float) -> str:
    """Return what ran on what."""
    installed = ", ".join(f"{package} {version(package)}" for package in _PACKAGES)
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, "
        f"{installed}; {platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"load at the end {os.getloadavg()[0]:.1f}; took {seconds:.0f} s."
    )
