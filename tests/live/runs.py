"""Which runs of this machine are dead: each run holds a lock as long as it lives.

The system releases the lock of a process that ends, however it ends. What a dead run of this
machine has left is deleted at once; what others have left, once it is old enough.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: what a killed run has left is found by its age
    fcntl = None


def _is_locked(file: IO[str]) -> bool:
    """Take the lock, unless a run that lives has it."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


@contextmanager
def recorded(folder: Path, run_id: str, place: str) -> Iterator[Path]:
    """Record that a run is alive; the record goes once its streams are deleted.

    Args:
        folder: Where the records of this machine are.
        run_id: The random part of the names of the run's streams.
        place: Region and endpoint.
    """
    path = folder / f"{run_id}.json"
    with path.open("w", encoding="utf-8") as file:
        json.dump({"place": place}, file)
        file.flush()
        _is_locked(file)
        yield path


def dead(folder: Path, place: str) -> dict[str, Path]:
    """Return the runs at a place that have ended without deleting their streams."""
    found: dict[str, Path] = {}
    for path in sorted(folder.glob("*.json")):
        with path.open(encoding="utf-8") as file:
            if _is_locked(file):
                continue
            try:
                is_here = json.load(file)["place"] == place
            except (KeyError, TypeError, ValueError):  # killed while it wrote
                path.unlink()
                continue
        if is_here:
            found[path.stem] = path
    return found
