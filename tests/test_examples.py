"""The examples, as readers run them. ``test_quickstart.py`` has the tests of the quickstart."""

import json
import runpy
from typing import Any

import pytest
from support.examples import EXAMPLES, load

from kvs_streams import KvsStreamsError, TransportError
from kvs_streams.testing import MockKvs


def test_the_readme_lists_every_example() -> None:
    """Each file in the folder is a link in its README."""
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".toml"}}
    assert {name for name in files if f"]({name})" not in text} == set()


# AWS Lambda


class Context:
    """What Lambda passes to a handler: a minute is left."""

    def get_remaining_time_in_millis(self) -> int:
        return 60_000


@pytest.fixture
def handler(kvs_mock: MockKvs) -> Any:
    """The handler of a new execution environment."""
    return load("lambda_handler").handler


def test_lambda_runs_on_a_mock(capsys: pytest.CaptureFixture[str]) -> None:
    """As a program it answers a good event and a bad one."""
    runpy.run_path(str(EXAMPLES / "lambda_handler.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert '"outcome": "CREATED"' in printed
    assert "stream_name must consist of" in printed


def test_lambda_creates_once(handler: Any, kvs_mock: MockKvs) -> None:
    """The same event twice gives the same stream, and answers that are JSON."""
    event = {"StreamName": "door.cam-01", "Tags": {"site": "HQ"}}
    first, second = (json.loads(json.dumps(handler(event, Context()))) for _ in range(2))
    assert (first["outcome"], second["outcome"]) == ("CREATED", "EXISTING")
    assert first["arn"] == second["arn"] == kvs_mock.streams["door.cam-01"].stream_arn


def test_lambda_answers_before_its_time_is_over(handler: Any, kvs_mock: MockKvs) -> None:
    """A stream that stays in CREATING is reported as pending, 20 seconds before the end."""
    kvs_mock.hold_creating(stream_name="slow.cam-01")
    answer = handler({"StreamName": "slow.cam-01"}, Context())
    assert answer == {"ok": False, "pending": True, "status": "CREATING"}
    assert kvs_mock.elapsed <= 40


def test_lambda_lets_the_queue_retry(handler: Any, kvs_mock: MockKvs) -> None:
    """What can succeed later is raised, so that Lambda or the queue runs the event again."""
    kvs_mock.fail_next("InternalFailure")
    with pytest.raises(KvsStreamsError):
        handler({"StreamName": "door.cam-01"}, Context())
    kvs_mock.drop_next()
    with pytest.raises(TransportError):
        handler({"StreamName": "door.cam-01"}, Context())


def test_lambda_answers_what_no_retry_helps(handler: Any, kvs_mock: MockKvs) -> None:
    """A used-up quota and a stream with another configuration are answers, not retries."""
    kvs_mock.fail_next("AccountStreamLimitExceededException")
    answer = handler({"StreamName": "door.cam-01"}, Context())
    assert answer["code"] == "AccountStreamLimitExceededException"
    handler({"StreamName": "door.cam-01", "MediaType": "video/h264"}, Context())
    answer = handler({"StreamName": "door.cam-01", "MediaType": "video/h265"}, Context())
    assert answer["code"] == "StreamDriftError"


# FastAPI


def test_fastapi(kvs_mock: MockKvs) -> None:
    """A camera is registered, found, and refused for every kind of reason."""
    for needed in "fastapi", "httpx2":
        pytest.importorskip(needed)
    from fastapi.testclient import TestClient

    gate, new = "/cameras/gate.cam-01", "/cameras/gate.cam-02"
    with TestClient(load("fastapi_app").app) as http:
        reply = http.put(gate, json={"MediaType": "video/h264"})
        assert (reply.status_code, reply.json()["status"]) == (201, "ACTIVE")
        for again in http.put(gate, json={}), http.get(gate):
            assert (again.status_code, again.json()) == (200, reply.json())
        drifted = http.put(gate, json={"MediaType": "video/h265"})
        assert drifted.status_code == 409
        assert drifted.json() == {"error": "StreamDriftError", "differs": ["media_type"]}
        refused = http.put("/cameras/gate!", json={"Retention": 24})
        assert refused.status_code == 422
        assert {*refused.json()["faults"]} == {"stream_name", "Retention"}
        assert http.get("/cameras/nobody").status_code == 404
        for error, times, status in (
            ("ClientLimitExceededException", 5, 503),
            ("AccountStreamLimitExceededException", 1, 507),
            ("AccessDeniedException", 1, 502),
        ):
            kvs_mock.fail_next(error, times=times)
            assert http.put(new, json={}).status_code == status


# The application whose tests are an example too


def test_register_camera(kvs_mock: MockKvs, capsys: pytest.CaptureFixture[str]) -> None:
    """As a program it prints the ARN of the stream, or how it is used."""
    example = load("register_camera")
    assert example.main(["gate.cam-01", "North"]) == 0
    assert capsys.readouterr().out.strip() == kvs_mock.streams["gate.cam-01"].stream_arn
    assert example.main([]) == 2
    assert capsys.readouterr().err.startswith("usage:")
