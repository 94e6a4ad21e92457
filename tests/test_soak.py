"""The soak counts what is lost, mixed and leaked, and a short one finds nothing of it."""

from typing import Any

import pytest
from support.clients import SECRET_KEY

from benchmarks import soak
from kvs_streams import (
    AccessDeniedError,
    CreateStreamResponse,
    ResourceInUseException,
    StreamArn,
    StreamInfo,
    StreamStatus,
    TransportError,
)

ARN = StreamArn("arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/1600000000000")
OTHER = StreamArn("arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1600000000000")


def reply(code: str = "AccessDeniedException", request_id: str = "cam:7") -> dict[str, Any]:
    """An error as boto gives it."""
    return {
        "Error": {"Code": code, "Message": "so"},
        "ResponseMetadata": {"RequestId": request_id},
    }


def info(name: str, arn: StreamArn) -> StreamInfo:
    """A stream as it is described."""
    return StreamInfo(stream_name=name, stream_arn=arn, status=StreamStatus.ACTIVE)


def leaking() -> TransportError:
    """An error with a secret in an attribute of its own."""
    error = TransportError("lost", stream_name="cam")
    error.reason = SECRET_KEY
    return error


DENIED = AccessDeniedError(reply(), "CreateStream", stream_name="cam")
OWN = ResourceInUseException(reply("ResourceInUseException"), "CreateStream", stream_name="cam")


@pytest.mark.parametrize(
    "found, arn, wrong",
    [
        (info("cam", ARN), ARN, ""),
        (info("gate", ARN), ARN, "mixed"),
        (info("cam", OTHER), ARN, "mixed"),
        (CreateStreamResponse(stream_arn=ARN), None, "mixed"),
        (CreateStreamResponse(stream_arn=ARN, request_id="cam:1"), ARN, ""),
        (CreateStreamResponse(stream_arn=ARN, request_id="gate:1"), ARN, "mixed"),
        (DENIED, None, ""),
        (DENIED, ARN, "lost"),
        (OWN, None, ""),
        (OWN, ARN, "lost"),
        (AccessDeniedError(reply(), "CreateStream", stream_name="gate"), None, "mixed"),
        (AccessDeniedError(reply("A", "gate:1"), "Op", stream_name="cam"), None, "mixed"),
        (leaking(), None, "leaked"),
        (KeyError("StreamARN"), None, "foreign"),
    ],
)
def test_what_is_wrong_is_noticed(found: Any, arn: str | None, wrong: str) -> None:
    """Each thing that the soak looks for is found where it is, and only there."""
    assert [each.partition(":")[0] for each in soak.faults_of("cam", found, arn)] == [wrong] * bool(
        wrong
    )


def test_short_soak() -> None:
    """A thousand calls under every fault lose, mix and leak nothing."""
    report = soak.soak(1_000, 4, seed=7)
    assert report.ledger.calls == 1_000
    assert report.ledger.wrong == {}
    assert report.errors > 10
    assert set(report.service.faults) == {*soak.FAULTS, ""}
    assert report.sizes[-1].errors <= report.sizes[0].errors
    assert report.sizes[-1].threads <= report.sizes[0].threads
    assert "| Calls | 1,000 |" in str(report)


def test_main(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints the figures, and fails if anything is wrong."""
    soak.main(["--calls", "100", "--threads", "2"])
    assert "| lost | 0 |" in capsys.readouterr().out


def test_main_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A single wrong outcome is enough."""
    monkeypatch.setattr(soak, "faults_of", lambda *_: ["lost: all"])
    with pytest.raises(SystemExit):
        soak.main(["--calls", "100", "--threads", "2"])
    assert "| Wrong: lost: all | 100 |" in capsys.readouterr().out
