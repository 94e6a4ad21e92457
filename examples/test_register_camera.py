"""Tests of ``register_camera.py`` on the test kit: ``pip install "kvs_streams[testing]" pytest``.

The fixture ``kvs_mock`` comes with the package. No test waits, and none can reach AWS.
"""

# ruff: noqa: S101, PLR2004  # pytest's assert, and literal expectations
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from register_camera import main, register_camera

from kvs_streams import StreamStatus, WaitTimeoutError

if TYPE_CHECKING:
    from kvs_streams.testing import MockKvs


def test_creates_the_stream(kvs_mock: MockKvs) -> None:
    """A camera gets a stream with the tag of its site."""
    arn = register_camera("gate.cam-01", "North")
    assert arn.stream_name == "gate.cam-01"
    assert kvs_mock.streams["gate.cam-01"].tags == {"site": "North"}


def test_can_be_called_again(kvs_mock: MockKvs) -> None:
    """The second call returns the same stream."""
    assert register_camera("gate.cam-01", "North") == register_camera("gate.cam-01", "North")
    assert len(kvs_mock.streams) == 1


def test_gets_past_a_throttle(kvs_mock: MockKvs) -> None:
    """A throttle is retried."""
    kvs_mock.fail_next("ClientLimitExceededException", times=2)
    register_camera("gate.cam-01", "North")
    assert kvs_mock.count("create_stream") == 3


def test_survives_a_lost_response(kvs_mock: MockKvs) -> None:
    """AWS creates the stream, but its response never arrives."""
    kvs_mock.lose_next_reply()
    assert register_camera("gate.cam-01", "North") == kvs_mock.streams["gate.cam-01"].stream_arn


def test_gives_up_at_its_deadline(kvs_mock: MockKvs) -> None:
    """A stream that stays in CREATING ends the call after 60 seconds, which take no time here."""
    kvs_mock.hold_creating(stream_name="gate.cam-01")
    with pytest.raises(WaitTimeoutError) as caught:
        register_camera("gate.cam-01", "North")
    assert caught.value.last_status == StreamStatus.CREATING
    assert kvs_mock.elapsed >= 60


def test_tells_what_went_wrong(kvs_mock: MockKvs, capsys: pytest.CaptureFixture[str]) -> None:
    """The program ends with one line that names the error."""
    kvs_mock.fail_next("AccessDeniedException")
    assert main(["gate.cam-01", "North"]) == 1
    assert capsys.readouterr().err.startswith("AccessDeniedError: ")
