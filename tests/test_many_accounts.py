"""The example for many accounts, on a Dask cluster of two processes and two control planes."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.examples import EXAMPLES

from benchmarks.control_plane import ControlPlane, running
from kvs_streams import (
    CreateStreamRequest,
    EnsuredStream,
    EnsureOutcome,
)

pytestmark = pytest.mark.slow
distributed = pytest.importorskip("distributed")

PLACES = [("north", "eu-central-1"), ("south", "eu-west-1")]
HEADER = "stream_name,media_type,data_retention_in_hours\n"


@pytest.fixture(scope="module")
def planes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ControlPlane]]:
    """Two control planes, each behind a profile of its own in an AWS configuration."""
    quick: dict[str, Any] = {"latency": (0.0, 0.0), "active_after": (0.0, 0.0)}
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        planes = [stack.enter_context(running(**quick)) for _ in PLACES]
        path = tmp_path_factory.mktemp("aws") / "config"
        path.write_text(
            "".join(
                f"[profile {profile}]\n"
                f"endpoint_url = {plane.url}\n"
                f"aws_access_key_id = AKID{plane.account}\n"
                "aws_secret_access_key = made-up\n"
                for plane, (profile, _) in zip(planes, PLACES, strict=True)
            )
        )
        patch.setenv("AWS_CONFIG_FILE", str(path))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path.with_name("none")))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("no_proxy", "127.0.0.1")
        for name in "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY":
            patch.delenv(name, raising=False)
        yield planes


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    """Import the example as if it ran in its own folder, where it finds its neighbour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        import many_accounts

        yield many_accounts


@pytest.fixture(scope="module")
def cluster(planes: list[ControlPlane], example: ModuleType) -> Iterator[Any]:
    """A client of a cluster of two worker processes."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


def fleet(prefix: str, count: int, **changes: Any) -> list[CreateStreamRequest]:
    """Return requests for some streams."""
    return [
        CreateStreamRequest(stream_name=f"{prefix}-{i}", media_type="video/h264", **changes)
        for i in range(count)
    ]


def created(plane: ControlPlane) -> dict[str, dict[str, int]]:
    """Return what a control plane created, by account and region."""
    return {place: each["created"] for place, each in plane.stats().items()}


def test_each_account_has_a_task_of_its_own(
    example: ModuleType, cluster: Any, planes: list[ControlPlane]
) -> None:
    """Each fleet goes to its own account and region, and its results come back whole."""
    fleets = {example.Place(*place): fleet(place[0], 12) for place in PLACES}
    done = dict(example.provision_all(cluster, fleets))
    assert set(done) == set(fleets)
    for plane, place in zip(planes, fleets, strict=True):
        results = done[place]
        assert {request for request, _ in results} == set(fleets[place])
        for request, result in results:
            assert isinstance(result, EnsuredStream)
            assert result.outcome is EnsureOutcome.CREATED
            assert result.stream.stream_name == request.stream_name
            assert result.stream.stream_arn.region == place.region
        names = {request.stream_name: 1 for request in fleets[place]}
        assert created(plane) == {f"{plane.account}/{place.region}": names}


def test_a_lost_worker_loses_nothing(
    example: ModuleType, cluster: Any, planes: list[ControlPlane]
) -> None:
    """If a worker dies, another one runs its task again; no stream is missing or created twice."""
    place, requests = example.Place(*PLACES[0]), fleet("lost-worker", 40)
    names = {request.stream_name for request in requests}
    pids = cluster.run(os.getpid)
    planes[0].control(rate=5.0, burst=1.0)
    try:
        with ThreadPoolExecutor(1) as pool:
            task = pool.submit(lambda: dict(example.provision_all(cluster, {place: requests})))
            while len(names.intersection(*created(planes[0]).values() or [()])) < 5:
                assert not task.done()
            # The task cannot end before its worker does.
            planes[0].control(rate=0.0, burst=0.0)
            (busy,) = (worker for worker, tasks in cluster.processing().items() if tasks)
            os.kill(pids[busy], signal.SIGKILL)
            planes[0].control(rate=50.0, burst=50.0)
            results = task.result(timeout=600)[place]
    finally:
        planes[0].control(rate=50.0, burst=50.0)
    outcomes = Counter(result.outcome for _, result in results)
    assert outcomes.total() == len(requests)
    assert outcomes[EnsureOutcome.EXISTING] >= 5
    assert outcomes[EnsureOutcome.CREATED] >= 1
    (counts,) = created(planes[0]).values()
    assert {name: counts[name] for name in names} == dict.fromkeys(names, 1)


def test_one_account_does_not_stop_the_others(
    example: ModuleType, cluster: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """A profile that is not there is the result of its own task."""
    lost, good = example.Place("nobody", "eu-central-1"), example.Place(*PLACES[1])
    fleets = {lost: fleet("lost", 1), good: fleet("good", 2)}
    done = dict(example.provision_all(cluster, fleets))
    assert type(done[lost]).__name__ == "ProfileNotFound"
    assert [type(result) for _, result in done[good]] == [EnsuredStream] * 2
    assert example.report(lost, done[lost]) == 1
    assert capsys.readouterr().out.startswith("nobody/eu-central-1: ProfileNotFound: ")


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., list[str]]:
    """Write a file for each account, and return the arguments that name them."""

    def write(rows: str) -> list[str]:
        arguments = []
        for profile, region in PLACES:
            path = tmp_path / f"{profile}.csv"
            path.write_text(f"{HEADER}{rows}")
            arguments.append(f"{profile}/{region}={path}")
        return arguments

    return write


def test_a_fault_in_any_file_stops_all(
    example: ModuleType,
    planes: list[ControlPlane],
    files: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Faults of all files are reported by line, before a cluster is started."""
    monkeypatch.setattr(sys, "argv", ["many_accounts.py", *files("front door,video/h264,24\n")])
    assert example.main() == 2
    err = capsys.readouterr().err
    assert "north.csv:2: stream_name" in err
    assert "south.csv:2: stream_name" in err
    assert err.endswith("\nNothing was created.\n")
