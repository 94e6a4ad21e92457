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
from statistics import median, quantiles

WITHOUT = ("-p", "no:kvs_streams")


def run(folder: str, *options: str) -> float:
    """Return the processor time of one pytest run in seconds: it is the same on a busy machine."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, folder]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    before = os.times()
    subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def main(pairs: int) -> None:
    """Measure, and print one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
        for options in ((), WITHOUT):
            run(folder, *options)  # the first of each fills the caches
        ratios, controls, seconds = [], [], []
        for _ in range(pairs):
            base = run(folder, *WITHOUT)
            ratios.append(run(folder) / base)
            controls.append(run(folder, *WITHOUT) / base)
            seconds.append(base)
    low, middle, high = quantiles(ratios, n=4)
    print(
        f"a run with it takes {middle:.3f} times as long (half of {pairs} pairs between {low:.3f} "
        f"and {high:.3f}; two runs without it: {median(controls):.3f}; a run without it: "
        f"{median(seconds):.2f} s of processor time; Python {platform.python_version()}, pytest {version('pytest')})."
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
