"""What the pytest plugin costs a run that does not use it.

Pairs of whole pytest runs of one empty test, with the plugin and without it, in turns; and of two
runs without it, as the control. Run it with a Python that has kvs_streams installed:

    python benchmarks/plugin_cost.py [PAIRS]
"""

import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

WITHOUT = ("-p", "no:kvs_streams")


def run(folder: str, *options: str) -> float:
    """Return the processor time of one pytest run in seconds."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def main(pairs: int) -> None:
    """Measure, and print one sentence."""
    loaded, bare, control = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        run(folder)  # fills the caches
        for _ in range(pairs):
            bare.append(run(folder, *WITHOUT))
            loaded.append(run(folder))
            control.append(run(folder, *WITHOUT))
    # Of processor time, whatever is above the least comes from the rest of the machine.
    print(
        f"a run with it takes {min(loaded) / min(bare):.3f} times as long "
        f"(control: {min(control) / min(bare):.3f}; least processor time of {pairs} runs each, "
        f"{min(bare):.2f} s without it; Python {platform.python_version()}, "
        f"pytest {version('pytest')})."
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
