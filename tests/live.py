"""Check in your own AWS account what this library assumes about the service: ``make live``.

It creates a few dozen streams named ``kvs-streams-live-…`` and deletes them at the end; there is no
media, so nothing but requests is billed. What it finds is printed and written to a file without
account ids and ARNs, to be attached to an issue. ``test_live.py`` runs it on the test kit.
"""

import argparse
import json
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from kvs_streams import (
    CreateStreamRequest,
    EnsureOutcome,
    KvsStreamsError,
    RequestValidationError,
    StreamArn,
    StreamsClient,
)

PREFIX = "kvs-streams-live-"
# How long a fact may take to show, in seconds; a deletion takes longer.
PATIENCE, DELETION = 60.0, 180.0
BURST = 150


class Answer(NamedTuple):
    """What a call came to: a reply, or an error's status, code and message."""

    reply: Any = None
    status: int = 200
    code: str = ""
    message: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.status} {self.code}: {self.message}" if self.code else "accepted"


@dataclass
class Run:
    """One run: its clients, and the streams that it has to delete."""

    boto: Any
    """A boto3 client that sends everything once, whatever it is."""
    may_burst: bool = False
    sleep: Callable[[float], object] = time.sleep
    prefix: str = field(default_factory=lambda: f"{PREFIX}{secrets.token_hex(4)}-")

    def __post_init__(self) -> None:
        self.client = StreamsClient(self.boto)
        self.seen: dict[str, Any] = {}
        # The quota is five calls a second for a stream, and others create streams too.
        self.pause = 0.2

    def call(self, method: str, **members: Any) -> Answer:
        """Make one call, below the quotas."""
        self.sleep(self.pause)
        try:
            return Answer(getattr(self.boto, method)(**members))
        except ClientError as error:
            about: Any = error.response
            status = about["ResponseMetadata"]["HTTPStatusCode"]
            return Answer(None, status, about["Error"]["Code"], about["Error"].get("Message", ""))

    def create(self, what: str, **members: Any) -> Answer:
        """Create a stream of this run."""
        return self.call("create_stream", **{"StreamName": self.prefix + what, **members})

    def describe(self, what: str) -> Answer:
        """Describe a stream of this run."""
        return self.call("describe_stream", StreamName=self.prefix + what)

    def listed(self, prefix: str) -> list[dict[str, Any]]:
        """List the streams whose names begin like this."""
        condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix}
        pages = self.boto.get_paginator("list_streams").paginate(StreamNameCondition=condition)
        return [info for page in pages for info in page["StreamInfoList"]]

    def poll(self, found: Callable[[], object], patience: float = PATIENCE) -> float | None:
        """Ask until there is an answer; return after how many polls' time, or ``None``."""
        waited = 0.0
        while waited < patience:
            if found():
                return waited
            self.sleep(0.5)
            waited += 0.5
        return None

    def once(self, what: str) -> dict[str, Any]:
        """Return StreamInfo of a stream that is created once and has become ACTIVE."""
        if what not in self.seen:
            created = self.create(what)
            reply = created.reply["ResponseMetadata"]["HTTPHeaders"]
            first = self.poll(lambda: not self.describe(what).code)
            info = lambda: (self.describe(what).reply or {}).get("StreamInfo", {})  # noqa: E731
            active = self.poll(lambda: info().get("Status") == "ACTIVE")
            listed = self.poll(lambda: self.listed(self.prefix + what))
            times = {"described": first, "active": active, "listed": listed}
            members = sorted({*created.reply} - {"ResponseMetadata"})
            self.seen[what] = {**info(), **times, "date": reply.get("date"), "reply": members}
        return dict(self.seen[what])

    def delete_all(self) -> list[str]:
        """Delete what this run created, and what runs have left an hour ago; return what stays."""
        hour = datetime.now(timezone.utc) - timedelta(hours=1)
        for info in self.listed(PREFIX):
            if info["StreamName"].startswith(self.prefix) or info["CreationTime"] < hour:
                arn = info["StreamARN"]
                self.poll(lambda arn=arn: not self.call("delete_stream", StreamARN=arn).code, 30)
        left = self.listed(self.prefix)
        return [info["StreamName"] for info in left if info["Status"] != "DELETING"]


Told = tuple[bool | None, object]
"""Whether a fact holds, ``None`` if it cannot be told, and what was seen."""


def life(check: Callable[[dict[str, Any]], Told]) -> Callable[[Run], Told]:
    """Look at a stream that became ACTIVE."""
    return lambda run: check(run.once("life"))


def arn_suffix(info: dict[str, Any]) -> Told:
    """Compare the number at the end of the ARN with CreationTime."""
    gap = StreamArn(info["StreamARN"]).created_at - info["CreationTime"]
    return abs(gap) < timedelta(seconds=1), gap


def one_clock(info: dict[str, Any]) -> Told:
    """Compare the ``date`` header of the create with CreationTime."""
    if not info["date"]:
        return None, "no date"
    gap = info["CreationTime"] - parsedate_to_datetime(info["date"])
    return abs(gap) < timedelta(seconds=3), gap


def deletion(run: Run) -> dict[str, Any]:
    """Delete a stream and use its name again; each step is an answer."""
    if "deletion" not in run.seen:
        arn = run.once("end")["StreamARN"]
        steps: dict[str, Any] = {"deleted": run.call("delete_stream", StreamARN=arn)}
        shown = run.describe("end")
        steps["status"] = shown.code or shown.reply["StreamInfo"]["Status"]
        steps["again"] = run.create("end")
        is_gone = lambda: run.describe("end").code == "ResourceNotFoundException"  # noqa: E731
        steps["gone"] = run.poll(is_gone, DELETION) if steps["again"].code else None
        steps["later"] = run.create("end")
        run.seen["deletion"] = steps
    return dict(run.seen["deletion"])


def step(name: str, holds: Callable[[Any], bool]) -> Callable[[Run], Told]:
    """Look at one step of a deletion."""

    def check(run: Run) -> Told:
        seen = deletion(run)[name]
        return holds(seen), seen

    return check


def answered(method: str, wanted: tuple[int, str], text: str = "") -> Callable[..., Told]:
    """Compare how a call is refused."""

    def check(run: Run, **members: Any) -> Told:
        answer = run.call(method, **members)
        return (answer.status, answer.code) == wanted and text in answer.message, answer

    return check


def default_page(run: Run) -> Told:
    """List more streams than fit a page by default."""
    for number in range(11):
        run.create(f"page-{number}")
    run.poll(lambda: len(run.listed(f"{run.prefix}page-")) > 10)
    page = run.boto.list_streams()
    size = len(page["StreamInfoList"])
    return size == 10 and bool(page.get("NextToken")), f"{size} streams"


def tier(run: Run) -> Told:
    """Read the storage tier of a stream that was created WARM."""
    run.create("tier", StreamStorageConfiguration={"DefaultStorageTier": "WARM"})
    method = "describe_stream_storage_configuration"
    answer = run.call(method, StreamName=f"{run.prefix}tier")
    return not answer.code and "WARM" in str(answer.reply), answer


def concurrent(run: Run) -> Told:
    """Create one stream from two threads at the same time."""
    with ThreadPoolExecutor(2) as pool:
        codes = sorted(each.code for each in pool.map(run.create, ["twice"] * 2))
    return codes == ["", "ResourceInUseException"], codes


def throttle(run: Run) -> Told:
    """Exceed the quota of creates with creates of a stream that exists."""
    if not run.may_burst:
        return None, "--throttle was not given"
    run.once("life")
    run.pause = 0.0
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(run.create, ["life"] * BURST))
    run.pause = 0.2
    codes = {each.code for each in answers} - {"ResourceInUseException"}
    return None if not codes else codes == {"ClientLimitExceededException"}, codes


def ensured(run: Run) -> Told:
    """Ensure a stream that does not exist, one that does, and one that has drifted."""
    found = []
    for hours in 1, 1, 2:
        request = CreateStreamRequest(
            stream_name=f"{run.prefix}ensure", data_retention_in_hours=hours, tags={"by": "live"}
        )
        result = run.client.ensure_stream(request, on_drift="ignore")
        found.append((result.outcome, *(each.field for each in result.drift)))
    created, existing = EnsureOutcome.CREATED, EnsureOutcome.EXISTING
    wanted = [(created,), (existing,), (existing, "data_retention_in_hours")]
    return found == wanted, found


def fleet(run: Run) -> Told:
    """Ensure a small fleet, twice."""
    requests = [CreateStreamRequest(stream_name=f"{run.prefix}fleet-{i}") for i in range(3)]
    found = [
        getattr(result, "outcome", result)
        for _ in range(2)
        for _, result in run.client.ensure_streams(requests)
    ]
    return found == [EnsureOutcome.CREATED] * 3 + [EnsureOutcome.EXISTING] * 3, found


def accepts(run: Run, *, what: str, **members: Any) -> Told:
    """Create a stream at a limit."""
    answer = run.create(what, **members)
    return not answer.code, answer


def refuses(run: Run, *, what: str, **members: Any) -> Told:
    """Send what the library refuses."""
    kwargs = {"StreamName": run.prefix + what, **members}
    try:
        CreateStreamRequest.from_boto(kwargs)
    except RequestValidationError:
        answer = run.call("create_stream", **kwargs)
        return answer.status == 400 and answer.code != "ClientLimitExceededException", answer
    return None, "the library does not refuse it"


class Fact(NamedTuple):
    """One belief about the service, what it rests on, and how to check it."""

    id: str
    sentence: str
    rests_on: str
    check: Callable[[Run], Told]


MODEL, DOCS = "botocore's service model", "AWS's documentation"
PUBLIC, ASSUMED = "public observation", "assumption"
STORAGE = "StreamStorageConfiguration"
_IN_USE, _NOT_FOUND = (400, "ResourceInUseException"), (404, "ResourceNotFoundException")
_MISSING = "The requested stream is not found or not active."


def _soon(what: str) -> Callable[[Run], Told]:
    return life(lambda info: (info[what] is not None and info[what] <= 10, f"{info[what]} s"))


def _member(*names: str) -> Callable[[Run], Told]:
    return life(lambda info: (not any(map(info.get, names)), [info.get(name) for name in names]))


def _again(run: Run) -> Told:
    run.once("life")
    return answered("create_stream", _IN_USE)(run, StreamName=f"{run.prefix}life")


def _absent(run: Run) -> Told:
    return answered("describe_stream", _NOT_FOUND, _MISSING)(run, StreamName=f"{run.prefix}no")


_KEY = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d+:alias/aws/kinesisvideo")
_GONE, _DELETING = "ResourceNotFoundException", "DELETING"
# fmt: off
FACTS: list[Fact] = [
    Fact("arn-suffix", "The ARN's trailing number is the creation time in epoch milliseconds.", PUBLIC, life(arn_suffix)),
    Fact("one-clock", "The date header of a reply and CreationTime are of one clock.", ASSUMED, life(one_clock)),
    Fact("second-create", "A second create of a name answers 400 ResourceInUseException.", MODEL, _again),
    Fact("creating-lasts", "A stream is ACTIVE soon after its create.", PUBLIC, _soon("active")),
    Fact("describe-soon", "DescribeStream shows a new stream within the grace period of 10 s.", ASSUMED, _soon("described")),
    Fact("list-soon", "ListStreams shows a new stream within 10 s.", ASSUMED, _soon("listed")),
    Fact("null-members", "DescribeStream does not give DeviceName and MediaType that are not set.", PUBLIC, _member("DeviceName", "MediaType")),
    Fact("default-key", "With no key given, KmsKeyId is arn:...:alias/aws/kinesisvideo.", PUBLIC, life(lambda info: (bool(_KEY.fullmatch(info["KmsKeyId"])), info["KmsKeyId"]))),
    Fact("info-lacks-tier-and-tags", "StreamInfo does not carry the storage tier or the tags.", MODEL, _member("Tags", STORAGE)),
    Fact("reply-is-the-arn", "CreateStream's reply carries the ARN alone.", MODEL, life(lambda info: (info["reply"] == ["StreamARN"], info["reply"]))),
    Fact("deleting-shown", "DescribeStream shows a stream that is being deleted, with status DELETING.", MODEL, step("status", lambda seen: seen == _DELETING)),
    Fact("create-while-deleting", "A create during DELETING answers ResourceInUseException.", ASSUMED, step("again", lambda seen: seen.code == _IN_USE[1])),
    Fact("deleting-lasts", "A deletion ends within 180 s.", PUBLIC, step("gone", lambda seen: seen is not None)),
    Fact("name-again", "A name can be used again once DescribeStream says ResourceNotFoundException.", PUBLIC, step("later", lambda seen: not seen.code)),
    Fact("concurrent-creates", "Only one of several concurrent creates of a name succeeds.", DOCS, concurrent),
    Fact("ensure-stream", "ensure_stream creates a stream, then finds it, then tells how it differs.", ASSUMED, ensured),
    Fact("ensure-streams", "ensure_streams creates a fleet, and finds it when it runs again.", ASSUMED, fleet),
    Fact("not-found", "A stream that does not exist is 404 ResourceNotFoundException with AWS's sentence.", PUBLIC, _absent),
    Fact("storage-offered", "DescribeStreamStorageConfiguration is offered in this region.", MODEL, tier),
    Fact("list-default-page", "A page of ListStreams has 10 streams by default, not 10,000 as documented.", PUBLIC, default_page),
]
# At and beyond each limit: an id, what is believed, what it rests on, and what is sent.
ACCEPTED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("device-longest", "A DeviceName may have 128 characters.", MODEL, {"DeviceName": "aZ09_.-x" * 16}),
    ("media-longest", "A MediaType may have 128 characters.", MODEL, {"MediaType": f"video/{'x' * 122}"}),
    ("media-list", "A MediaType may list several types, joined by commas.", MODEL, {"MediaType": "video/h264,audio/aac"}),
    ("kms-longest", "A KmsKeyId may have 2,048 characters, of a key that does not exist.", DOCS, {"KmsKeyId": "x" * 2048}),
    ("retention-most", "DataRetentionInHours may be 87,600.", DOCS, {"DataRetentionInHours": 87_600}),
    ("tags-most", "A stream may have 50 tags.", MODEL, {"Tags": {f"tag-{i}": "" for i in range(50)}}),
    ("tag-longest", "A tag key may have 128 characters and its value 256.", MODEL, {"Tags": {"x" * 128: "x" * 256}}),
    ("tag-characters", "A tag may have letters, digits and spaces of any script and _.:/=+-@.", MODEL, {"Tags": {"Añ漢ß٣ _.:/=+-@": "Añ漢ß٣ _.:/=+-@"}}),
    ("tag-prefix-upper", "A tag key may begin with AWS: in upper case: only aws: is reserved.", ASSUMED, {"Tags": {"AWS:key": ""}}),
    ("warm-short", "WARM needs no long retention.", DOCS, {STORAGE: {"DefaultStorageTier": "WARM"}, "DataRetentionInHours": 1}),
]
REFUSED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("name-empty", "A StreamName is not empty.", MODEL, {"StreamName": ""}),
    ("name-too-long", "A StreamName has no more than 256 characters.", MODEL, {"StreamName": PREFIX + "x" * 240}),
    ("name-characters", "A StreamName has ASCII letters, digits, _, . and - only.", MODEL, {"StreamName": f"{PREFIX}é"}),
    ("device-too-long", "A DeviceName has no more than 128 characters.", MODEL, {"DeviceName": "x" * 129}),
    ("device-characters", "A DeviceName has ASCII letters, digits, _, . and - only.", MODEL, {"DeviceName": "camera 1"}),
    ("media-too-long", "A MediaType has no more than 128 characters.", MODEL, {"MediaType": f"video/{'x' * 123}"}),
    ("media-form", "A MediaType has a slash.", MODEL, {"MediaType": "video"}),
    ("media-ascii", "The \\w of MediaType's pattern means ASCII letters only.", ASSUMED, {"MediaType": "vidéo/h264"}),
    ("kms-too-long", "A KmsKeyId has no more than 2,048 characters.", MODEL, {"KmsKeyId": "x" * 2049}),
    ("kms-line-break", "A KmsKeyId has no line break.", MODEL, {"KmsKeyId": "key\nkey"}),
    ("retention-negative", "DataRetentionInHours is not below 0.", MODEL, {"DataRetentionInHours": -1}),
    ("retention-too-long", "DataRetentionInHours is not above 87,600.", DOCS, {"DataRetentionInHours": 87_601}),
    ("tags-too-many", "A stream has no more than 50 tags.", MODEL, {"Tags": {f"tag-{i}": "" for i in range(51)}}),
    ("tag-key-empty", "A tag key is not empty.", MODEL, {"Tags": {"": "value"}}),
    ("tag-key-too-long", "A tag key has no more than 128 characters.", MODEL, {"Tags": {"x" * 129: ""}}),
    ("tag-key-characters", "A tag key has no other characters, such as !.", MODEL, {"Tags": {"key!": ""}}),
    ("tag-value-too-long", "A tag value has no more than 256 characters.", MODEL, {"Tags": {"key": "x" * 257}}),
    ("tag-prefix", "A tag key does not begin with aws:", DOCS, {"Tags": {"aws:key": ""}}),
    ("tier-unknown", "DefaultStorageTier is HOT or WARM and nothing else.", MODEL, {STORAGE: {"DefaultStorageTier": "COLD"}}),
]
# fmt: on
for _kind, _check, _rows in ("accepts", accepts, ACCEPTED), ("refuses", refuses, REFUSED):
    for _id, _sentence, _rests_on, _members in _rows:
        _run = partial(_check, what=_id, **_members)
        FACTS.append(Fact(f"{_kind}-{_id}", _sentence, _rests_on, _run))
# Not believed of every mapping: the library never sends an empty one. The last leaves no quota.
FACTS += [
    Fact(
        "empty-tags",
        "An empty map of tags is refused.",
        PUBLIC,
        lambda run: ((answer := run.create("no-tags", Tags={})).status == 400, answer),
    ),
    Fact("throttle", "Creates beyond 50 a second are throttled.", PUBLIC, throttle),
]


def judge(fact: Fact, run: Run) -> Told:
    """Check a fact; a failure to do so is an outcome as well."""
    try:
        return fact.check(run)
    except (KvsStreamsError, ClientError, BotoCoreError, KeyError, TypeError) as error:
        return None, f"{type(error).__name__}: {error}"


def report(run: Run) -> Iterator[str]:
    """Check all facts; yield the rows of a table in Markdown without what is private."""
    yield "| Outcome | What kvs_streams believes | Rests on | Seen |\n| --- | --- | --- | --- |"
    for fact in FACTS:
        holds, seen = judge(fact, run)
        verdict = {True: "held", False: "**differs**", None: "could not be told"}[holds]
        text = re.sub(r"(?<![0-9])[0-9]{12}(?![0-9])", "<account>", str(seen)).replace("|", "\\|")
        text = re.sub(r"AKIA\w+|ASIA\w+", "***", text)
        yield f"| {verdict} | `{fact.id}`: {fact.sentence} | {fact.rests_on} | {text[:200]} |"


def main() -> None:
    """Say what will happen, ask, look, clean up and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--throttle", action="store_true", help="exceed the quota of creates once")
    parser.add_argument("--endpoint-url", help="another endpoint than AWS's own")
    parser.add_argument("--report", type=Path, default="live-result.md", help="where to write it")
    options = parser.parse_args()
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    boto = boto3.client("kinesisvideo", endpoint_url=options.endpoint_url, config=config)
    print(f"{__doc__}\nRegion: {boto.meta.region_name}, endpoint: {boto.meta.endpoint_url}")
    if not options.yes and input("Go on? [y/N] ").strip().lower() not in {"y", "yes"}:
        sys.exit("Nothing was sent.")
    run = Run(boto, may_burst=options.throttle)
    rows: list[str] = []
    try:
        for row in report(run):
            print(row, flush=True)
            rows.append(row)
    except KeyboardInterrupt:
        rows.append("\nThe run was interrupted.")
    finally:
        kept = run.delete_all()
        options.report.write_text("\n".join(rows) + "\n", encoding="utf-8")
        print(f"Written to {options.report}. Not deleted: {json.dumps(kept)}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
