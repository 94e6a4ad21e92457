"""The example that provisions the cameras of a CSV file."""

import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.examples import Run, load, runner

from benchmarks import control_plane
from kvs_streams.testing import MockKvs

pytestmark = pytest.mark.slow
HEADER = "stream_name,media_type,data_retention_in_hours,default_storage_tier,tag:site\n"


@pytest.fixture(scope="module")
def provision() -> ModuleType:
    """Import the example."""
    return load("provision")


@pytest.fixture
def run(
    provision: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Run:
    """Run the example with arguments and answers; give its exit status, output and errors."""
    monkeypatch.chdir(tmp_path)  # where it writes the ARNs of the streams that it created
    return runner(provision, monkeypatch, capsys)


@pytest.fixture
def cameras(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Write a file of cameras."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "cameras.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


# The file


def test_the_file_of_cameras(provision: ModuleType) -> None:
    """The file in the repository has 500 cameras, with what real fleets have, and no fault."""
    fleet, faults = provision.read_fleet(provision.CAMERAS)
    assert (len(fleet), faults) == (500, [])
    assert len({request.stream_name for request in fleet}) == 500
    assert len({request.tags["site"] for request in fleet}) > 5
    assert {0, 24, 87_600} <= {request.data_retention_in_hours for request in fleet}
    assert "video/h264,audio/aac" in {request.media_type for request in fleet}
    assert max(len(request.stream_name) for request in fleet) == 256
    tiers = Counter(str(request.stream_storage_configuration) for request in fleet)
    assert 0 < sum(number for tier, number in tiers.items() if "WARM" in tier) < 100


def test_an_empty_cell_is_not_sent(provision: ModuleType, cameras: Callable[[str], Path]) -> None:
    """Spaces around a value, empty rows and a byte order mark are ignored."""
    path = cameras(f"\ufeff{HEADER}\n door ,video/h264, 24 ,,\n,,,,\nroof,,,WARM,HQ\n")
    fleet, faults = provision.read_fleet(path)
    assert faults == []
    assert [request.to_boto() for request in fleet] == [
        {"StreamName": "door", "MediaType": "video/h264", "DataRetentionInHours": 24},
        {
            "StreamName": "roof",
            "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"},
            "Tags": {"site": "HQ"},
        },
    ]


def test_all_faults_are_reported_by_line(
    run: Run, cameras: Callable[[str], Path], kvs_mock: MockKvs
) -> None:
    """One run names every fault with its line, several on a line too, and creates nothing."""
    path = cameras(
        HEADER
        + "good,video/h264,24,,HQ\n"
        + "front door!,h264,100000,COLD,HQ\n"
        + ",video/h264,24,,HQ\n"
        + '"two\nlines",video/h264,a day,,HQ\n'
        + "good,video/h264,24,,HQ\n"
        + "aac,video/h264,audio/aac,24,,HQ\n"
        + "short,video/h264\n"
        + "negative,video/h264,-1,,<main>\n"
    )
    status, out, err = run("--aws", "--csv", path, answers=["y"])
    assert (status, out) == (2, "")
    wanted = [
        "3: stream_name must consist of",
        "3: media_type must be type/subtype",
        "3: data_retention_in_hours must",
        "3: stream_storage_configuration.default_storage_tier must be 'HOT' or 'WARM'",
        "4: stream_name is required",
        "5: stream_name must consist of",
        "5: data_retention_in_hours must be an int or a timedelta of whole hours, not 'a day'",
        "7: stream_name 'good' is already on line 2",
        "8: 6 values for 5 columns; a value that contains a comma needs quotes",
        "9: 2 values for 5 columns",
        "10: data_retention_in_hours must be at least 0",
        "10: the value of tags['site'] must consist of",
    ]
    *faults, last = err.splitlines()
    assert last == "Nothing was created."
    for fault, text in zip(faults, wanted, strict=True):
        assert fault.startswith(f"cameras.csv:{text}")
    assert not kvs_mock.streams


UNREADABLE = {
    "": ["1: there is no column stream_name", "1: there is no column media_type"],
    "stream_name,media_type,retention\ndoor,video/h264,24\n": [
        "1: there is no column data_retention_in_hours",
        "1: there is no setting for the column 'retention'; a tag's is 'tag:retention'",
    ],
    f"\n{HEADER.strip()},tag:site\n": ["2: the column 'tag:site' occurs 2 times"],
    f"{HEADER}a,,,,\nb,,,,Z\xfcrich\n": ["3: this is not UTF-8 text"],
    f'{HEADER}a,,,,\nb,,,,"HQ\nc,,,,\n': ["3: unexpected end of data"],
}


@pytest.mark.parametrize("content, expected", UNREADABLE.items())
def test_a_file_that_cannot_be_read(
    run: Run, cameras: Callable[[bytes], Path], content: str, expected: list[str]
) -> None:
    """Wrong columns, another encoding and an open quote are named by line."""
    status, out, err = run("--csv", cameras(content.encode("latin-1")))
    assert (status, out) == (2, "")
    for text in expected:
        assert f"cameras.csv:{text}" in err
    assert err.endswith("\nNothing was created.\n")


# The fleet


def test_a_whole_fleet(run: Run, kvs_mock: MockKvs) -> None:
    """All 500 streams are created within AWS's quota; run again, nothing is created."""
    kvs_mock.rate_limit(50)
    status, out, err = run("--aws", answers=["y"])
    assert status == 0
    assert f"{'CREATED':<40}{500:>6}\nAll streams are ACTIVE.\nTo delete the 500 streams" in out
    assert "500/500" in err
    streams, creates = kvs_mock.streams, kvs_mock.count()
    assert len(streams) == 500
    status, out, _ = run("--aws", answers=["y"])
    assert (status, "Resumed: 500 of 500 streams existed already." in out) == (0, True)
    assert kvs_mock.streams == streams
    # The list of streams, which says what not to create, begins with the 20th request.
    assert kvs_mock.count() - creates < 20


def test_failures_have_a_reason(
    run: Run, cameras: Callable[[str], Path], kvs_mock: MockKvs
) -> None:
    """What is not ready is named with its error, and running it again resumes."""
    names = ["a", "b", "c", "d"]
    path = cameras(HEADER + "".join(f"{name},video/h264,24,,\n" for name in names))
    kvs_mock.account_limit(3)
    kvs_mock.lose_next_reply(stream_name="b")
    status, out, err = run("--aws", "--csv", path, answers=["y"])
    assert status == 1
    assert err.count(": AccountStreamLimitExceededException: An error occurred") == 1
    assert f"{'AccountStreamLimitExceededException':<40}{1:>6}" in out
    assert f"{'RECOVERED (response lost, resolved)':<40}{1:>6}" in out
    assert "Not confirmed as ACTIVE: 1 of 4. Run it again to resume.\n" in out
    kvs_mock.account_limit(4)
    status, out, _ = run("--aws", "--csv", path, answers=["y"])
    assert (status, "Resumed: 3 of 4 streams existed already." in out) == (0, True)
    assert set(kvs_mock.streams) == set(names)


def test_ctrl_c(
    run: Run, provision: ModuleType, monkeypatch: pytest.MonkeyPatch, kvs_mock: MockKvs
) -> None:
    """Ctrl-C ends the run with a summary of what is ready; the next run does the rest."""

    def interrupted(results: Any, **options: Any) -> Any:
        yield from islice(results, 100)
        raise KeyboardInterrupt

    kvs_mock.rate_limit(50)
    with monkeypatch.context() as patch:
        patch.setattr(provision, "tqdm", interrupted)
        status, out, _ = run("--aws", answers=["y"])
    assert status == 130
    assert "Not confirmed as ACTIVE: 400 of 500. Run it again to resume." in out
    created = len(kvs_mock.streams)
    assert 100 <= created < 500
    status, out, _ = run("--aws", answers=["y"])
    assert (status, f"Resumed: {created} of 500 streams existed already." in out) == (0, True)


def test_embedded(
    run: Run,
    provision: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    cameras: Callable[[str], Path],
    tmp_path: Path,
) -> None:
    """Without --aws it runs on a control plane of its own, which keeps the streams."""
    quick = partial(control_plane.running, latency=(0.0, 0.0), active_after=(0.0, 0.0))
    monkeypatch.setattr(control_plane, "running", quick)
    monkeypatch.setattr(provision, "STATE", tmp_path / "build" / "fleet.json")
    monkeypatch.setattr(sys, "path", [*sys.path])
    path = cameras(HEADER + "".join(f"cam-{i},video/h264,24,,\n" for i in range(20)))
    for options, text in (
        ([], ""),
        ([], "Resumed: 20 of 20 streams"),
        (["--region", "eu-west-1"], ""),
    ):
        status, out, _ = run("--csv", path, *options)
        assert (status, "All streams are ACTIVE." in out, text in out) == (0, True, True)
        assert text or "Resumed" not in out
