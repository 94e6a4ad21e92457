"""Cases (d) and (e): what a fresh Python pays, for the import and up to the first stream."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from random import Random

from .pairs import Times

NOTHING, BOTO3, AGAIN = "nothing", "import boto3", "import boto3, again"
BARE, MODELS, CLIENT = "bare import", "models and errors", "client"

IMPORTS = {
    NOTHING: "pass",
    BOTO3: "import boto3",
    AGAIN: "import boto3",
    BARE: "import kvs_streams",
    MODELS: "from kvs_streams import CreateStreamRequest, KvsStreamsError",
    CLIENT: "from kvs_streams import CreateStreamRequest, KvsStreamsError, StreamsClient",
}
# tests/test_layers.py holds this as well.
FORBIDDEN = ("boto3", "botocore.client", "botocore.config", "moto", "pytest", "asyncio")

RAW, CONTROL, OURS = "raw boto3", "raw boto3 again", "kvs_streams"
# The library's one dependency that boto3 has not: below this it cannot come.
WITH_ATTRS = "raw boto3 and import attrs"
_RAW = """
import boto3
client = boto3.client("kinesisvideo", region_name="eu-central-1", endpoint_url={url!r})
print(client.create_stream(StreamName="camera-01")["StreamARN"])
"""
_OURS = """
from kvs_streams import CreateStreamRequest, StreamsClient
client = StreamsClient(region_name="eu-central-1", endpoint_url={url!r})
print(client.create_stream(CreateStreamRequest(stream_name="camera-01")).stream_arn)
"""


def _environment(folder: Path) -> dict[str, str]:
    """Return an environment with made-up credentials, no settings of the user's, and bytecode."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        # Bytecode of everything, whoever may write where.
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }


def _run(code: str, environment: Mapping[str, str]) -> tuple[float, float]:
    """Run a Python program; return its processor time and its wall time, in seconds."""
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603  # this Python, our own program
        [sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"this failed: {code}")
    return usage.ru_utime + usage.ru_stime, wall


def _take_turns(programs: Mapping[str, str], rounds: int) -> tuple[Times, Times]:
    """Run programs in turns; return their processor times and their wall times."""
    processor: dict[str, list[float]] = {name: [] for name in programs}
    wall: dict[str, list[float]] = {name: [] for name in programs}
    chance = Random(1)  # noqa: S311  # no secret
    with tempfile.TemporaryDirectory() as folder:
        environment = _environment(Path(folder))
        for program in programs.values():
            _run(program, environment)
        for _ in range(rounds):
            for name in chance.sample(list(programs), len(programs)):
                spent, passed = _run(programs[name], environment)
                processor[name].append(spent)
                wall[name].append(passed)
    return Times(processor), Times(wall)


def _less_python(times: Times) -> Times:
    """Take the start of Python itself off each number."""
    start = times.median(NOTHING)
    return Times(
        {
            name: [second - start for second in seconds]
            for name, seconds in times.seconds.items()
            if name != NOTHING
        }
    )


def imports(rounds: int) -> tuple[Times, Times]:
    """Measure imports, net of the start of Python itself: processor times and wall times."""
    processor, wall = _take_turns(IMPORTS, rounds)
    return _less_python(processor), _less_python(wall)


def first_stream(url: str, rounds: int) -> tuple[Times, Times]:
    """Measure from the start of a process to its end after one created stream."""
    raw, ours = _RAW.format(url=url), _OURS.format(url=url)
    with_attrs = f"import attrs{raw}"
    return _take_turns({RAW: raw, CONTROL: raw, OURS: ours, WITH_ATTRS: with_attrs}, rounds)


def loaded(name: str) -> set[str]:
    """Return the modules that one of the imports loads."""
    code = f"import sys, json\n{IMPORTS[name]}\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(  # noqa: S603  # this Python, our own program
        [sys.executable, "-c", code], capture_output=True, check=True
    )
    return set(json.loads(done.stdout))
