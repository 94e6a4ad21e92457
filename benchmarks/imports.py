"""What a fresh Python pays for imports, beside ``import boto3``, in processor time."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from random import Random

from .pairs import Times
from .report import table

_NOTHING, _BOTO3, _AGAIN = "pass", "import boto3", "import boto3  # again"
_OURS = (
    "import kvs_streams",
    "from kvs_streams import CreateStreamRequest, KvsStreamsError",
    "from kvs_streams import CreateStreamRequest, KvsStreamsError, StreamsClient",
)


def _seconds(code: str, environment: Mapping[str, str]) -> float:
    """Run a Python program; return its processor time."""
    process = subprocess.Popen(  # noqa: S603  # this Python, our own program
        [sys.executable, "-c", code], env=environment
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"this failed: {code}")
    return usage.ru_utime + usage.ru_stime


def report(scale: float) -> Iterator[str]:
    """Yield the table of all imports."""
    programs = (_NOTHING, _BOTO3, _AGAIN, *_OURS)
    seconds: dict[str, list[float]] = {program: [] for program in programs}
    order = Random(1)  # noqa: S311  # no secret
    with tempfile.TemporaryDirectory() as folder:
        # Bytecode of everything, whoever may write where.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for program in programs:
            _seconds(program, environment)
        for _ in range(round(40 * scale)):
            round_ = {name: _seconds(name, environment) for name in order.sample(programs, 6)}
            for name, spent in round_.items():
                seconds[name].append(spent - round_[_NOTHING])
    times = Times(seconds)
    rows = [(f"`{one}`", times.micro(one), times.ratio(one, _BOTO3, _AGAIN)) for one in _OURS]
    yield "## Imports, in processor time, the start of Python itself taken off"
    yield table(("Import", "Processor time", "Of `import boto3`"), rows)
