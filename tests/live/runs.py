"""Which runs of this machine are dead: each run holds a lock as long as it lives.

The system releases the lock of a process that ends, however it ends. So the next run on a machine
deletes at once what a killed run has left; what is left from elsewhere, once it is old enough.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: what a killed run has left is found by its age
    fcntl = None


def _lock(file: IO[str]) -> bool:
    """Take the lock; ``False`` if a run that lives has it, or if there are no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def recorded(folder: Path, run_id: str, place: str) -> Iterator[Path]:
    """Record that a run is alive.

    Args:
        folder: Where the records of this machine are.
        run_id: The random part of the names of the run's streams.
        place: Region and endpoint.

    Yields:
        The record, to be removed once the run's streams are deleted.
    """
    path = folder / f"{run_id}.json"
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as file:
        json.dump({"place": place}, file)
        file.flush()
        # Locked before it has its name: nobody takes it for that of a dead run.
        _lock(file)
        new.replace(path)
        yield path


def dead(folder: Path, place: str, useful_for: float) -> list[str]:
    """Return the runs at a place that have ended without removing their records.

    Args:
        folder: Where the records of this machine are.
        place: Region and endpoint.
        useful_for: After how many seconds a record is removed: then what its run has left is found
            by its age. Until then it stays, for a list may show the latest streams late.
    """
    found: list[str] = []
    for path in sorted(folder.glob("*.json")):
        with path.open(encoding="utf-8") as file:
            if not _lock(file):
                continue
            if time.time() - path.stat().st_mtime > useful_for:
                path.unlink()
            elif json.load(file)["place"] == place:
                found.append(path.stem)
    return found
