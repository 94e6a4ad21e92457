"""The example for many accounts: Dask, processes of its own, and a control plane each."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.examples import EXAMPLES

from benchmarks.control_plane import ControlPlane, running

pytestmark = pytest.mark.slow
pytest.importorskip("distributed")

PLACES = {"north": "eu-central-1", "south": "eu-west-1"}
ROWS = [f"gate-{number},video/h264,24" for number in range(12)]


@pytest.fixture
def planes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ControlPlane]]:
    """Two control planes, each behind a profile of its own in an AWS configuration."""
    with ExitStack() as stack:
        planes = [
            stack.enter_context(running(latency=(0.0, 0.0), active_after=(0.0, 0.0)))
            for _ in PLACES
        ]
        config = tmp_path / "config"
        config.write_text(
            "".join(
                f"[profile {profile}]\nendpoint_url = {plane.url}\n"
                f"aws_access_key_id = AKID{plane.account}\naws_secret_access_key = made-up\n"
                for plane, profile in zip(planes, PLACES, strict=True)
            )
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield planes


def run(tmp_path: Path, answer: str, rows: list[str], *places: str) -> tuple[int, str]:
    """Run the program with the same file for each place; return its status and what it prints."""
    path = tmp_path / "fleet.csv"
    path.write_text("\n".join(["stream_name,media_type,data_retention_in_hours", *rows]))
    done = subprocess.run(
        [sys.executable, "many_accounts.py", *(f"{place}={path}" for place in places)],
        cwd=EXAMPLES,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
        input=answer,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_each_account_has_a_fleet_of_its_own(planes: list[ControlPlane], tmp_path: Path) -> None:
    """One that cannot be reached stops no other, and running it again creates nothing."""
    places = [f"{profile}/{region}" for profile, region in PLACES.items()]
    for outcome in "CREATED", "EXISTING":
        status, text = run(tmp_path, "y\n", ROWS, *places, "nobody/eu-west-1")
        assert status == 1
        assert all(f"{place}: {outcome} 12, failed 0\n" in text for place in places)
        assert "nobody/eu-west-1: ProfileNotFound: " in text
    for plane, region in zip(planes, PLACES.values(), strict=True):
        ((place, stats),) = plane.stats().items()
        assert place == f"{plane.account}/{region}"
        assert stats["created"] == {f"gate-{number}": 1 for number in range(12)}


def test_nothing_is_created_without_consent(planes: list[ControlPlane], tmp_path: Path) -> None:
    """Nor if any row of a file is wrong, which is reported by line."""
    assert run(tmp_path, "n\n", ROWS, "north/eu-west-1")[0] == 0
    status, text = run(tmp_path, "y\n", ["front door,video/h264,24"], "north/eu-west-1")
    assert status == 2
    assert "fleet.csv:2: stream_name" in text
    assert text.endswith("\nNothing was created.\n")
    assert not planes[0].stats()
