"""The control plane that fleets are measured against: wire format, quotas, life cycle, faults."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import given, strategies as st

from benchmarks.control_plane import ControlPlane, Reply, Service, Settings, options_of, running

NOW = 1_800_000_000.0
ACCOUNT = "123456789012"
PLACE = f"{ACCOUNT}/eu-central-1"
CREDENTIAL = f"AKID{ACCOUNT}/20270115/eu-central-1/kinesisvideo/aws4_request"
# A service without quotas, pauses or faults, unless a test asks for some.
CALM = {
    "rate": 1e6,
    "burst": 1e6,
    "describe_rate": 1e6,
    "other_rate": 1e6,
    "stream_rate": 1e6,
    "latency": (0.0, 0.0),
    "active_after": (0.0, 0.0),
    "delete_after": 0.0,
}


class Caller:
    """Calls a service without HTTP, at the time that a test gives."""

    def __init__(self, **settings: Any) -> None:
        self.service = Service(Settings().changed({**CALM, **settings}))

    def reply(self, operation: str, at: float = NOW, **members: Any) -> Reply:
        body = json.dumps(members).encode()
        reply = self.service.call(operation, CREDENTIAL, body, at)
        self.service.done(operation, CREDENTIAL)
        return reply

    def ok(self, operation: str, at: float = NOW, **members: Any) -> dict[str, Any]:
        reply = self.reply(operation, at, **members)
        assert reply.status == 200, reply
        result: dict[str, Any] = json.loads(reply.body)
        return result

    def code(self, operation: str, at: float = NOW, **members: Any) -> str | None:
        return self.reply(operation, at, **members).code

    def create(self, name: str = "cam", at: float = NOW, **members: Any) -> str | None:
        return self.code("CreateStream", at, StreamName=name, **members)

    def status(self, at: float, name: str = "cam") -> str:
        return str(self.ok("DescribeStream", at, StreamName=name)["StreamInfo"]["Status"])

    def names(self, at: float = NOW, **members: Any) -> list[str]:
        page = self.ok("ListStreams", at, **members)
        return [info["StreamName"] for info in page["StreamInfoList"]]

    def stats(self, at: float = NOW) -> dict[str, Any]:
        result: dict[str, Any] = self.service.stats(at)[PLACE]
        return result


# Quotas


@given(
    gaps=st.lists(st.floats(0, 0.5), min_size=1, max_size=60),
    rate=st.integers(1, 50),
    burst=st.integers(1, 50),
)
def test_no_stretch_of_time_gets_more_than_burst_and_rate(
    gaps: list[float], rate: int, burst: int
) -> None:
    """Whenever calls come, what is accepted between any two never exceeds the bucket."""
    caller, at, accepted = Caller(rate=rate, burst=burst), NOW, []
    for i, gap in enumerate(gaps):
        at += gap
        if caller.create(f"cam-{i}", at) is None:
            accepted.append(at)
    for first, start in enumerate(accepted):
        for last, end in enumerate(accepted[first:], first):
            assert last - first + 1 <= burst + rate * (end - start) + 1e-3


def test_the_bucket_holds_the_burst_and_refills_at_the_rate() -> None:
    """After a burst the rate is accepted, exactly, and the rest is throttled."""
    caller = Caller(rate=50, burst=10)
    codes = [caller.create(f"burst-{i}") for i in range(12)]
    assert codes == [None] * 10 + ["ClientLimitExceededException"] * 2
    later = [caller.create(f"later-{i}", NOW + i / 100) for i in range(1, 101)]
    assert later.count(None) == 50
    counts = caller.stats()["operations"]["CreateStream"]
    assert (counts["calls"], counts["accepted"], counts["throttled"]) == (112, 60, 52)


def test_a_window_counts_each_second_of_the_wall_clock() -> None:
    """Each wall-clock second accepts as many calls as the rate says, and no burst beyond."""
    caller = Caller(rate=5, window=True)
    accepted: Counter[int] = Counter()
    for i in range(300):
        accepted[i // 100] += caller.create(f"cam-{i}", NOW + i / 100) is None
    assert accepted == {0: 5, 1: 5, 2: 5}


def test_describes_are_limited_for_each_stream_and_for_the_account() -> None:
    """Five describes of one stream in a second are accepted, and the account's own rate in all."""
    caller = Caller(describe_rate=20, stream_rate=5)
    for i in range(10):
        caller.create(f"cam-{i}")
    one = [caller.code("DescribeStream", StreamName="cam-0") for _ in range(6)]
    assert one == [None] * 5 + ["ClientLimitExceededException"]
    others = [caller.code("DescribeStream", StreamName=f"cam-{1 + i % 9}") for i in range(29)]
    assert others.count(None) == 14
    assert caller.code("DescribeStream", NOW + 0.2, StreamName="cam-0") is None


@pytest.mark.parametrize(
    "operation, members",
    [
        ("ListTagsForStream", {}),
        ("TagStream", {"Tags": {"site": "north"}}),
        ("UntagStream", {"TagKeyList": ["site"]}),
        ("DescribeStreamStorageConfiguration", {}),
        ("GetDataEndpoint", {"APIName": "GET_MEDIA"}),
    ],
)
def test_each_operation_has_a_quota_of_its_own(operation: str, members: dict[str, Any]) -> None:
    """Five calls a second for one stream are accepted, however many other calls there are."""
    caller = Caller(stream_rate=5)
    caller.create()
    for _ in range(5):
        assert caller.code("DescribeStream", StreamName="cam") is None
    codes = [caller.code(operation, StreamName="cam", **members) for _ in range(6)]
    assert codes == [None] * 5 + ["ClientLimitExceededException"]


def test_lists_are_limited() -> None:
    """Lists beyond the rate of the account are throttled."""
    caller = Caller(other_rate=3)
    codes = [caller.code("ListStreams") for _ in range(5)]
    assert codes == [None] * 3 + ["ClientLimitExceededException"] * 2


def test_a_neighbour_takes_its_part_of_the_quota() -> None:
    """A neighbour at half the rate shares the quota, and alone is not throttled at all."""
    caller = Caller(rate=50, burst=1, neighbour=25)
    codes = [caller.create(f"cam-{i}", NOW + i / 100) for i in range(1000)]
    neighbour = caller.stats()["neighbour"]
    assert neighbour["calls"] == pytest.approx(250, abs=2)
    accepted = codes.count(None) + neighbour["calls"] - neighbour["throttled"]
    assert accepted == pytest.approx(500, abs=2)

    alone = Caller(rate=50, burst=1, neighbour=25)
    alone.create("first", NOW)
    alone.create("last", NOW + 10)
    assert alone.stats()["neighbour"]["throttled"] <= 1


def test_the_account_limit() -> None:
    """An account at its limit gets no stream more until one is gone."""
    caller = Caller(account_limit=2)
    assert [caller.create(name) for name in "abc"] == [
        None,
        None,
        "AccountStreamLimitExceededException",
    ]
    arn = caller.ok("DescribeStream", StreamName="a")["StreamInfo"]["StreamARN"]
    caller.ok("DeleteStream", StreamARN=arn)
    assert caller.create("c", NOW + 1) is None


# Life cycle


def test_a_stream_lives_from_creating_to_gone() -> None:
    """CREATING, ACTIVE, DELETING, not found: each at its time, and the name is free only then."""
    caller = Caller(active_after=(2, 2), delete_after=10)
    arn = caller.ok("CreateStream", StreamName="cam")["StreamARN"]
    assert caller.status(NOW + 1.9) == "CREATING"
    assert caller.status(NOW + 2) == "ACTIVE"
    caller.ok("DeleteStream", NOW + 3, StreamARN=arn)
    assert caller.status(NOW + 12.9) == "DELETING"
    assert caller.create(at=NOW + 12.9) == "ResourceInUseException"
    assert caller.code("DescribeStream", NOW + 13, StreamName="cam") == "ResourceNotFoundException"
    assert caller.create(at=NOW + 13) is None
    assert caller.code("DescribeStream", NOW + 13, StreamARN=arn) == "ResourceNotFoundException"
    assert caller.stats()["created"] == {"cam": 2}


def test_an_arn_ends_in_its_time_and_is_unique() -> None:
    """Streams of one instant have different ARNs, and the end is the time in milliseconds."""
    caller = Caller()
    arns = [caller.ok("CreateStream", StreamName=f"cam-{i}")["StreamARN"] for i in range(5)]
    stamps = [int(arn.rpartition("/")[2]) for arn in arns]
    assert stamps[0] == int(NOW * 1000)
    assert all(later - earlier == 1 for earlier, later in pairwise(stamps))
    assert arns[0] == f"arn:aws:kinesisvideo:eu-central-1:{ACCOUNT}:stream/cam-0/{stamps[0]}"


def test_versions_guard_changes() -> None:
    """A change names the version it is based on, makes a new one, and a stale one is refused."""
    caller = Caller(active_after=(1, 1))
    arn = caller.ok("CreateStream", StreamName="cam", DataRetentionInHours=24)["StreamARN"]
    version = caller.ok("DescribeStream", StreamName="cam")["StreamInfo"]["Version"]
    change = {
        "StreamName": "cam",
        "CurrentVersion": version,
        "Operation": "INCREASE_DATA_RETENTION",
        "DataRetentionChangeInHours": 24,
    }
    assert caller.code("UpdateDataRetention", **change) == "ResourceInUseException"
    caller.ok("UpdateDataRetention", NOW + 1, **change)
    assert caller.status(NOW + 1.9) == "UPDATING"
    info = caller.ok("DescribeStream", NOW + 2, StreamName="cam")["StreamInfo"]
    assert (info["DataRetentionInHours"], info["Status"]) == (48, "ACTIVE")
    stale = caller.code("UpdateDataRetention", NOW + 2, **change)
    assert stale == "VersionMismatchException"
    delete = caller.code("DeleteStream", NOW + 2, StreamARN=arn, CurrentVersion=version)
    assert delete == "VersionMismatchException"
    too_far = {**change, "CurrentVersion": info["Version"], "Operation": "DECREASE_DATA_RETENTION"}
    too_far["DataRetentionChangeInHours"] = 49
    assert caller.code("UpdateDataRetention", NOW + 2, **too_far) == "InvalidArgumentException"
    caller.ok("DeleteStream", NOW + 2, StreamARN=arn, CurrentVersion=info["Version"])


# Lists


@given(
    names=st.sets(st.text("abz-", min_size=1, max_size=4), max_size=25),
    prefix=st.text("abz-", max_size=2),
    size=st.integers(1, 7),
)
def test_pages_show_every_stream_once(names: set[str], prefix: str, size: int) -> None:
    """The pages of a list together are the streams with the prefix, each once, in order."""
    caller = Caller()
    for name in names:
        caller.create(name)
    members: dict[str, Any] = {"MaxResults": size}
    if prefix:
        members["StreamNameCondition"] = {
            "ComparisonOperator": "BEGINS_WITH",
            "ComparisonValue": prefix,
        }
    seen: list[str] = []
    while True:
        page = caller.ok("ListStreams", **members)
        assert len(page["StreamInfoList"]) <= size
        seen += [info["StreamName"] for info in page["StreamInfoList"]]
        if "NextToken" not in page:
            break
        members["NextToken"] = page["NextToken"]
    assert seen == sorted(name for name in names if name.startswith(prefix))


def test_a_page_has_ten_streams_or_a_thousand() -> None:
    """Ten by default, a thousand at most, and a token that the service never gave is refused."""
    caller = Caller(unrelated=1_001)
    assert len(caller.names()) == 10
    page = caller.ok("ListStreams", MaxResults=10_000)
    assert len(page["StreamInfoList"]) == 1_000
    assert len(caller.names(MaxResults=10_000, NextToken=page["NextToken"])) == 1
    assert caller.code("ListStreams", NextToken="not+base64") == "InvalidArgumentException"
    assert caller.code("ListStreams", MaxResults=10_001) == "InvalidArgumentException"


def test_a_list_can_lag() -> None:
    """A list shows a stream, and that it is ACTIVE, so many seconds late."""
    caller = Caller(list_lag=5, active_after=(2, 2))
    caller.create()
    assert caller.names(NOW + 4.9) == []
    assert caller.ok("ListStreams", NOW + 6)["StreamInfoList"][0]["Status"] == "CREATING"
    assert caller.ok("ListStreams", NOW + 7)["StreamInfoList"][0]["Status"] == "ACTIVE"


# Validation

TOO_MANY = {f"key-{i}": "" for i in range(51)}


@pytest.mark.parametrize(
    "code, members",
    [
        ("InvalidArgumentException", {"StreamName": "front door"}),
        ("InvalidArgumentException", {"StreamName": "x" * 257}),
        ("InvalidArgumentException", {"StreamName": "cam\n"}),
        ("InvalidArgumentException", {}),
        ("InvalidArgumentException", {"MediaType": "h264"}),
        ("InvalidArgumentException", {"DataRetentionInHours": -1}),
        ("InvalidArgumentException", {"DataRetentionInHours": 87_601}),
        ("InvalidArgumentException", {"Tags": {"site!": ""}}),
        ("InvalidArgumentException", {"Tags": {"aws:site": ""}}),
        ("InvalidArgumentException", {"Tags": {"k" * 129: ""}}),
        (
            "InvalidArgumentException",
            {"StreamStorageConfiguration": {"DefaultStorageTier": "COLD"}},
        ),
        ("InvalidArgumentException", {"StreamStorageConfiguration": {}}),
        ("ValidationException", {"Tags": {}}),
        ("TagsPerResourceExceededLimitException", {"Tags": TOO_MANY}),
        ("SerializationException", {"DataRetentionInHours": "24"}),
        ("SerializationException", {"StreamName": 7}),
        ("SerializationException", {"Tags": []}),
        ("SerializationException", {"StreamStorageConfiguration": "WARM"}),
    ],
    ids=repr,
)
def test_a_bad_request_is_refused(code: str, members: dict[str, Any]) -> None:
    """Each limit of the service model is enforced, and nothing is created."""
    caller = Caller()
    good = {"StreamName": "cam"} if members else {}
    assert caller.code("CreateStream", **{**good, **members}) == code
    assert caller.stats()["created"] == {}


def test_tags_in_any_script_are_accepted() -> None:
    """Letters and digits of every script and the listed signs may stand in a tag."""
    caller = Caller()
    tags = {"Straße 東京 ٣": "a_b.c:d/e=f+g-h@i", "key": ""}
    assert caller.create(Tags=tags) is None
    assert caller.ok("ListTagsForStream", StreamName="cam") == {"Tags": tags}


@pytest.mark.parametrize(
    "operation, members",
    [
        ("DescribeStream", {}),
        ("ListTagsForStream", {"NextToken": "!"}),
        ("UntagStream", {"StreamName": "cam", "TagKeyList": []}),
        ("GetDataEndpoint", {"StreamName": "cam", "APIName": "NO_SUCH"}),
    ],
)
def test_other_operations_validate_too(operation: str, members: dict[str, Any]) -> None:
    """What names no stream, or breaks the model, is refused."""
    caller = Caller()
    caller.create()
    assert caller.code(operation, **members) == "InvalidArgumentException"


def test_a_body_that_is_no_json() -> None:
    """A body that cannot be read is refused like one with wrong types."""
    service = Service()
    for body in b"{", b"[]":
        reply = service.call("CreateStream", CREDENTIAL, body, NOW)
        assert (reply.status, reply.code) == (400, "SerializationException")


def test_tags_beyond_fifty() -> None:
    """Tags count with those that the stream has."""
    caller = Caller()
    caller.create(Tags={f"key-{i}": "" for i in range(50)})
    more = {"StreamName": "cam", "Tags": {"one": "more"}}
    assert caller.code("TagStream", **more) == "TagsPerResourceExceededLimitException"
    caller.ok("UntagStream", StreamName="cam", TagKeyList=["key-0", "never-there"])
    assert caller.code("TagStream", **more) is None


def test_tags_come_in_pages() -> None:
    """The pages of tags together are all tags."""
    caller = Caller(tag_page=2)
    tags = {f"key-{i}": str(i) for i in range(5)}
    caller.create(Tags=tags)
    seen: dict[str, str] = {}
    token: dict[str, str] = {}
    for left in (3, 1, 0):
        page = caller.ok("ListTagsForStream", StreamName="cam", **token)
        seen.update(page["Tags"])
        token = {"NextToken": page["NextToken"]} if left else {}
        assert ("NextToken" in page) == bool(left)
        assert len(seen) == 5 - left
    assert seen == tags


# Faults


def test_errors_and_lost_replies_come_at_their_shares() -> None:
    """Of many calls the given shares fail, and the given parts of these do their work."""
    caller = Caller(errors=0.2, lost=0.1)
    replies = {f"cam-{i}": caller.reply("CreateStream", StreamName=f"cam-{i}") for i in range(2000)}
    lost = [name for name, reply in replies.items() if reply.is_lost]
    errors = [name for name, reply in replies.items() if reply.status == 500 and not reply.is_lost]
    created = caller.stats()["created"]
    assert len(errors) == pytest.approx(400, rel=0.15)
    assert len(lost) == pytest.approx(200, rel=0.15)
    assert sum(name in created for name in errors) == pytest.approx(len(errors) / 2, rel=0.15)
    assert all(name in created for name in lost)
    assert caller.stats()["operations"]["CreateStream"]["failed"] == len(errors) + len(lost)
    assert all(name in created for name, reply in replies.items() if reply.status == 200)


def test_lost_replies_without_work() -> None:
    """A call can be lost before it does anything."""
    caller = Caller(lost=1.0, lost_work=0.0)
    assert caller.reply("CreateStream", StreamName="cam").is_lost
    assert caller.stats()["created"] == {}


def test_the_same_seed_gives_the_same_service() -> None:
    """Two services with one seed fail alike and take as long; another seed differs."""

    def run(seed: int) -> list[Reply]:
        caller = Caller(errors=0.1, lost=0.1, latency=(0.02, 0.06), seed=seed)
        return [caller.reply("CreateStream", StreamName=f"cam-{i}") for i in range(100)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert all(0.02 <= reply.delay <= 0.06 for reply in run(1))


def test_denied_and_expired() -> None:
    """What is not allowed answers 403 and takes nothing from the quota; so does an old token."""
    caller = Caller(denied=("ListStreams",), other_rate=1)
    for _ in range(3):
        assert caller.reply("ListStreams")[::3] == (403, "AccessDeniedException")
    caller.service.control({"denied": []})
    assert caller.names() == []
    caller.service.control({"expired": True})
    assert caller.reply("ListStreams")[::3] == (403, "ExpiredTokenException")


# What happened


def test_stats_tell_what_happened() -> None:
    """Creates by name, conflicts, statuses, and what was accepted in each tenth of a second."""
    caller = Caller(active_after=(1, 1))
    for name, at in [("a", 0.0), ("b", 0.05), ("a", 0.06), ("c", 0.35)]:
        caller.create(name, NOW + at)
    stats = caller.stats(NOW + 1.05)
    assert stats["created"] == {"a": 1, "b": 1, "c": 1}
    assert stats["operations"]["CreateStream"]["codes"] == {"ResourceInUseException": 1}
    assert stats["statuses"] == {"ACTIVE": 2, "CREATING": 1}
    assert stats["timeline"] == [3, 0, 0, 1]
    assert (stats["first_create"], stats["last_call"]) == (NOW, NOW + 0.35)
    assert stats["seconds"] == pytest.approx(0.35)
    caller.service.control({"reset": True})
    after = caller.stats(NOW + 2)
    assert (after["created"], after["timeline"], after["operations"]) == ({}, [], {})
    assert after["statuses"] == {"ACTIVE": 3}


def test_calls_in_flight_are_counted() -> None:
    """The peak is the most calls that waited for their reply at one time."""
    service = Service(Settings().changed(CALM))
    for i in range(3):
        service.call("CreateStream", CREDENTIAL, b'{"StreamName": "cam-%d"}' % i, NOW)
    service.done("CreateStream", CREDENTIAL)
    service.call("CreateStream", CREDENTIAL, b'{"StreamName": "cam-3"}', NOW)
    counts = service.stats(NOW)[PLACE]["operations"]["CreateStream"]
    assert (counts["in_flight"], counts["peak_in_flight"]) == (3, 3)
    service.control({"reset": True})
    service.done("CreateStream", CREDENTIAL)
    service.call("CreateStream", CREDENTIAL, b'{"StreamName": "cam-4"}', NOW)
    counts = service.stats(NOW)[PLACE]["operations"]["CreateStream"]
    assert (counts["in_flight"], counts["peak_in_flight"]) == (3, 3)


def test_a_saved_service_goes_on() -> None:
    """Streams survive from one run to the next with all they have, those being deleted too."""
    caller = Caller(delete_after=10)
    caller.create("cam", Tags={"site": "north"}, DataRetentionInHours=7)
    arn = caller.ok("CreateStream", StreamName="old")["StreamARN"]
    caller.ok("DeleteStream", StreamARN=arn)
    before = caller.ok("DescribeStream", StreamName="cam")
    later = Caller()
    later.service.load(caller.service.saved())
    assert later.ok("DescribeStream", StreamName="cam") == before
    assert later.ok("ListTagsForStream", StreamName="cam") == {"Tags": {"site": "north"}}
    assert later.status(NOW + 9, "old") == "DELETING"
    assert later.names(NOW + 10) == ["cam"]
    assert later.create("cam") == "ResourceInUseException"


# Over HTTP, with boto3

Connect = Callable[..., Any]


@pytest.fixture(scope="module")
def shared() -> Iterator[ControlPlane]:
    """One control plane for the tests of this module; each uses an account of its own."""
    with running(**CALM) as plane:
        yield plane


@pytest.fixture
def connect(shared: ControlPlane) -> Iterator[Connect]:
    """Make a boto3 client that sends everything once."""
    clients: list[Any] = []

    def make(
        url: str = shared.url, key: str = "AKID000000000001", region: str = "eu-west-1"
    ) -> Any:
        session = boto3.Session(key, "made-up", region_name=region)
        config = Config(retries={"total_max_attempts": 1})
        clients.append(session.client("kinesisvideo", endpoint_url=url, config=config))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def refusal(call: Callable[..., Any], **members: Any) -> tuple[str, int]:
    """Return the code and the status of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**members)
    response: Any = caught.value.response
    assert response["Error"]["Message"]
    assert response["ResponseMetadata"]["RequestId"]
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_boto3_reads_every_operation(connect: Connect) -> None:
    """boto3 sends each operation to its path and reads every member of the replies."""
    client = connect(key="AKID000000000002")
    created = client.create_stream(
        StreamName="cam",
        DeviceName="door",
        MediaType="video/h264",
        KmsKeyId="alias/mine",
        DataRetentionInHours=24,
        Tags={"site": "north"},
        StreamStorageConfiguration={"DefaultStorageTier": "WARM"},
    )
    metadata = created["ResponseMetadata"]
    assert metadata["HTTPHeaders"]["date"].endswith(" GMT")
    assert metadata["RequestId"].count("-") == 4
    arn = created["StreamARN"]
    assert arn.startswith("arn:aws:kinesisvideo:eu-west-1:000000000002:stream/cam/")
    info = client.describe_stream(StreamName="cam")["StreamInfo"]
    assert round(info["CreationTime"].timestamp() * 1000) == int(arn.rpartition("/")[2])
    assert {**info, "CreationTime": 0, "Version": 0} == {
        "StreamName": "cam",
        "StreamARN": arn,
        "DeviceName": "door",
        "MediaType": "video/h264",
        "KmsKeyId": "alias/mine",
        "Version": 0,
        "Status": "ACTIVE",
        "CreationTime": 0,
        "DataRetentionInHours": 24,
    }
    assert client.describe_stream(StreamARN=arn)["StreamInfo"] == info
    assert client.list_streams()["StreamInfoList"] == [info]
    endpoint = client.get_data_endpoint(StreamName="cam", APIName="PUT_MEDIA")["DataEndpoint"]
    assert endpoint.startswith("https://s-")
    client.tag_stream(StreamARN=arn, Tags={"floor": "2"})
    assert client.list_tags_for_stream(StreamARN=arn)["Tags"] == {"site": "north", "floor": "2"}
    client.untag_stream(StreamARN=arn, TagKeyList=["site"])
    assert client.list_tags_for_stream(StreamARN=arn)["Tags"] == {"floor": "2"}
    storage = client.describe_stream_storage_configuration(StreamARN=arn)
    assert storage["StreamStorageConfiguration"] == {"DefaultStorageTier": "WARM"}
    client.update_data_retention(
        StreamARN=arn,
        CurrentVersion=info["Version"],
        Operation="DECREASE_DATA_RETENTION",
        DataRetentionChangeInHours=24,
    )
    assert client.describe_stream(StreamName="cam")["StreamInfo"]["DataRetentionInHours"] == 0
    client.delete_stream(StreamARN=arn)
    assert refusal(client.describe_stream, StreamName="cam") == ("ResourceNotFoundException", 404)


def test_boto3_reads_the_errors(connect: Connect) -> None:
    """Errors carry their code, their status and a request id."""
    client = connect(key="AKID000000000003")
    client.create_stream(StreamName="cam")
    assert refusal(client.create_stream, StreamName="cam") == ("ResourceInUseException", 400)
    assert refusal(client.create_stream, StreamName="a b") == ("InvalidArgumentException", 400)
    assert refusal(client.describe_stream, StreamName="x") == ("ResourceNotFoundException", 404)
    assert refusal(client.create_stream, StreamName="x", Tags={}) == ("ValidationException", 400)


def test_accounts_and_regions_are_apart(connect: Connect) -> None:
    """Streams of one account in one region are seen nowhere else."""
    first = connect(key="AKID000000000004").create_stream(StreamName="cam")["StreamARN"]
    abroad = connect(key="AKID000000000004", region="us-east-1")
    second = abroad.create_stream(StreamName="cam")["StreamARN"]
    named = connect(key="AKIDEXAMPLE").create_stream(StreamName="cam")["StreamARN"]
    places = [arn.split(":")[3:5] for arn in (first, second, named)]
    assert places[:2] == [["eu-west-1", "000000000004"], ["us-east-1", "000000000004"]]
    assert len(places[2][1]) == 12
    assert refusal(abroad.describe_stream, StreamARN=first) == ("ResourceNotFoundException", 404)


def test_operations_that_are_not_offered(connect: Connect) -> None:
    """An operation that the control plane does not know is refused, not left to wait."""
    assert refusal(connect().list_signaling_channels) == ("UnknownOperationException", 404)


def test_settings_change_while_it_runs(connect: Connect) -> None:
    """A quota, a fault or a lost reply can be switched on; nonsense is refused with a reason."""
    with running(**CALM) as plane:
        client = connect(plane.url, key=f"AKID{ACCOUNT}", region="eu-central-1")
        client.create_stream(StreamName="first")
        plane.control(rate=0, burst=0)
        refused = refusal(client.create_stream, StreamName="second")
        assert refused == ("ClientLimitExceededException", 400)
        plane.control(errors=1.0, errors_work=0.0)
        assert refusal(client.list_streams) == ("InternalFailure", 500)
        plane.control(errors=0.0, lost=1.0)
        with pytest.raises(ConnectionClosedError):
            client.list_streams()
        for nonsense in ({"no_such_setting": 1}, {"latency": 0.1}, {"rate": "fast"}):
            with pytest.raises(OSError, match="400"):
                plane.control(**nonsense)
        plane.control(lost=0.0, reset=True)
        assert [info["StreamName"] for info in client.list_streams()["StreamInfoList"]] == ["first"]
        assert list(plane.stats()[PLACE]["operations"]) == ["ListStreams"]


def test_a_call_without_credentials(shared: ControlPlane) -> None:
    """A call that is not signed belongs to no account."""
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"{shared.url}/listStreams", b"{}")  # noqa: S310  # loopback
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)  # noqa: S310  # the same
    with caught.value as error:
        assert error.code == 403
        assert error.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


def test_boto3_finds_it_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment that it gives leads a plain boto3 client to it, around any proxy."""
    with running(**CALM) as plane:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        for name, value in plane.environ.items():
            monkeypatch.setenv(name, value)
        client = boto3.Session().client("kinesisvideo")
        client.create_stream(StreamName="cam")
        client.close()
        assert plane.stats()[PLACE]["created"] == {"cam": 1}


def test_a_state_file_keeps_the_streams(tmp_path: Path, connect: Connect) -> None:
    """Started again with the same file, it still has the streams of before."""
    state = tmp_path / "streams.json"
    with running(state=state, **CALM) as plane:
        arn = connect(plane.url).create_stream(StreamName="cam")["StreamARN"]
    with running(state=state, **CALM) as plane:
        info = connect(plane.url).describe_stream(StreamName="cam")["StreamInfo"]
    assert info["StreamARN"] == arn


def test_it_ends_by_sigterm_and_not_by_ctrl_c() -> None:
    """Options come from the command line; Ctrl-C is for the client, SIGTERM ends it cleanly."""
    command = [sys.executable, "-m", "benchmarks.control_plane", "--rate", "7", "--window"]
    command += ["--latency", "0", "0.1", "--denied", "ListStreams", "DescribeStream"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(
        command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        plane = ControlPlane(process.stdout.readline().strip())
        os.kill(process.pid, signal.SIGINT)
        assert plane.stats() == {}
        process.terminate()
        assert process.wait(60) == 0


def test_options_are_the_settings() -> None:
    """Each setting has an option on the command line, read as its own type."""
    options = "--rate 7 --window --latency 0 0.1 --denied ListStreams DescribeStream --seed 3"
    assert options_of(options.split()).settings == Settings(
        rate=7.0,
        window=True,
        latency=(0.0, 0.1),
        denied=("ListStreams", "DescribeStream"),
        seed=3,
    )
