"""Requests, responses and errors on their way from one process to another."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from kvs_streams import (
    CreateStreamRequest,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    StreamArn,
    StreamDriftError,
    StreamInfo,
    StreamStatus,
    StreamStorageConfiguration,
)


def ensure(request: CreateStreamRequest) -> EnsuredStream:
    """Do as ``ensure_stream`` would, over there."""
    arn = StreamArn("arn:aws:kinesisvideo:eu-central-1:123456789012:stream/gate/1598784211076")
    status = StreamStatus("HIBERNATING")
    info = StreamInfo(stream_name=request.stream_name, stream_arn=arn, status=status)
    drift = Drift(field="tags['site']", requested=(request.tags or {})["site"], found=None)
    if request.media_type:
        raise StreamDriftError([drift], stream=info, unverified=["kms_key_id"])
    return EnsuredStream(stream=info, outcome=EnsureOutcome.EXISTING, drift=(drift,))


def test_processes() -> None:
    """What goes to a process that shares nothing, and what comes back, has all its data."""
    plain = CreateStreamRequest(
        stream_name="gate",
        tags={"site": "Zürich"},
        stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
    )
    drifted = CreateStreamRequest(stream_name="gate", tags={"site": "HQ"}, media_type="video/h264")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert executor.submit(ensure, plain).result(timeout=120) == ensure(plain)
        error = executor.submit(ensure, drifted).exception(timeout=120)
    assert isinstance(error, StreamDriftError)
    assert "tags['site']" in str(error)
    assert (error.drift[0].requested, error.stream.status) == ("HQ", "HIBERNATING")
    assert (error.unverified, error.stream_name) == (("kms_key_id",), "gate")
