"""Check in your own AWS account what this library assumes about the service: ``make live``.

It creates a few dozen streams named ``kvs-streams-live-…`` and deletes them at the end; there is no
media, so nothing but requests is billed. What it finds is printed and written to a file without
account ids and ARNs, to be attached to an issue. ``test_live.py`` runs it on the test kit.
"""

import argparse
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from support.bad_requests import BAD_REQUESTS

from kvs_streams import CreateStreamRequest, KvsStreamsError, StreamArn, StreamsClient

PREFIX = "kvs-streams-live-"
# The quota is five calls a second for a stream, and others create streams too.
PAUSE = 0.2
BURST = 150
MODEL, DOCS = "botocore's service model", "AWS's documentation"
PUBLIC, ASSUMED = "public observation", "assumption"
IN_USE, NOT_FOUND = "ResourceInUseException", "ResourceNotFoundException"
STORAGE = "StreamStorageConfiguration"


class Fact(NamedTuple):
    """One belief about the service, what it rests on, and what was seen."""

    sentence: str
    rests_on: str
    holds: bool | None
    """``None`` if it cannot be told."""
    seen: object


class Answer(NamedTuple):
    """What a call came to: a reply, or an error's status, code and message."""

    reply: dict[str, Any]
    status: int = 200
    code: str = ""
    message: str = ""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.status} {self.code}: {self.message}" if self.code else "accepted"


class Run:
    """One run over a boto3 client that sends everything once, whatever it is."""

    def __init__(
        self, boto: Any, *, may_burst: bool = False, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self.boto, self.may_burst, self.sleep = boto, may_burst, sleep
        self.prefix = f"{PREFIX}{secrets.token_hex(4)}-"

    def call(self, method: str, *, pause: float = PAUSE, **members: Any) -> Answer:
        """Make one call, below the quotas."""
        self.sleep(pause)
        try:
            return Answer(getattr(self.boto, method)(**members))
        except ClientError as error:
            about: Any = error.response
            status = about["ResponseMetadata"]["HTTPStatusCode"]
            return Answer({}, status, about["Error"]["Code"], about["Error"].get("Message", ""))

    def create(self, what: str, *, pause: float = PAUSE, **members: Any) -> Answer:
        """Create a stream of this run."""
        name = {"StreamName": self.prefix + what}
        return self.call("create_stream", pause=pause, **{**name, **members})

    def describe(self, what: str) -> Answer:
        """Describe a stream of this run."""
        return self.call("describe_stream", StreamName=self.prefix + what)

    def info(self, what: str) -> dict[str, Any]:
        """Return StreamInfo of a stream of this run, empty if it is not found."""
        return dict(self.describe(what).reply.get("StreamInfo", {}))

    def listed(self, prefix: str) -> list[dict[str, Any]]:
        """List the streams whose names begin like this."""
        condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": prefix}
        pages = self.boto.get_paginator("list_streams").paginate(StreamNameCondition=condition)
        return [info for page in pages for info in page["StreamInfoList"]]

    def poll(self, found: Callable[[], object], patience: float = 60.0) -> float:
        """Ask until there is an answer; return after how many polls' time, or infinity."""
        waited = 0.0
        while not found():
            self.sleep(0.5)
            waited += 0.5
            if waited >= patience:
                return float("inf")
        return waited

    def delete_all(self) -> list[str]:
        """Delete what this run created, and what runs have left an hour ago; return what stays."""
        hour = datetime.now(timezone.utc) - timedelta(hours=1)
        for info in self.listed(PREFIX):
            if info["StreamName"].startswith(self.prefix) or info["CreationTime"] < hour:
                arn = info["StreamARN"]
                self.poll(lambda arn=arn: not self.call("delete_stream", StreamARN=arn).code, 30)
        left = self.listed(self.prefix)
        return [info["StreamName"] for info in left if info["Status"] != "DELETING"]


def life(run: Run) -> Iterator[Fact]:
    """Create a stream, and look at it until it is ACTIVE."""
    reply = run.create("life").reply
    described = run.poll(lambda: run.info("life"))
    sentence = "DescribeStream shows a new stream within the grace period of 10 s."
    yield Fact(sentence, ASSUMED, described <= 10, described)
    active = run.poll(lambda: run.info("life").get("Status") == "ACTIVE")
    yield Fact("A stream is ACTIVE soon after its create.", PUBLIC, active <= 10, active)
    listed = run.poll(lambda: run.listed(run.prefix + "life"))
    yield Fact("ListStreams shows a new stream within 10 s.", ASSUMED, listed <= 10, listed)
    info = run.info("life")
    gap: Any = StreamArn(info["StreamARN"]).created_at - info["CreationTime"]
    sentence = "The ARN's trailing number is the creation time in epoch milliseconds."
    yield Fact(sentence, PUBLIC, abs(gap) < timedelta(seconds=1), gap)
    date = reply["ResponseMetadata"]["HTTPHeaders"].get("date")
    gap = info["CreationTime"] - parsedate_to_datetime(date) if date else None
    sentence = "The date header of a reply and CreationTime are of one clock."
    yield Fact(sentence, ASSUMED, abs(gap) < timedelta(seconds=3) if date else None, gap)
    members = {*reply} - {"ResponseMetadata"}
    sentence = "CreateStream's reply carries the ARN alone."
    yield Fact(sentence, MODEL, members == {"StreamARN"}, members)
    unset = info.get("DeviceName") or info.get("MediaType")
    sentence = "DescribeStream does not give DeviceName and MediaType that are not set."
    yield Fact(sentence, PUBLIC, unset is None, unset)
    sentence = "StreamInfo does not carry the storage tier or the tags."
    yield Fact(sentence, MODEL, not {"Tags", STORAGE} & info.keys(), [*info])
    key = info["KmsKeyId"]
    sentence = "With no key given, KmsKeyId is arn:...:alias/aws/kinesisvideo."
    pattern = r"arn:[a-z-]+:kms:[a-z0-9-]+:\d+:alias/aws/kinesisvideo"
    yield Fact(sentence, PUBLIC, bool(re.fullmatch(pattern, key)), key)
    again = run.create("life")
    sentence = "A second create of a name answers 400 ResourceInUseException."
    yield Fact(sentence, MODEL, (again.status, again.code) == (400, IN_USE), again)


def deletion(run: Run) -> Iterator[Fact]:
    """Delete a stream, and use its name again."""
    arn = run.create("end").reply["StreamARN"]
    run.poll(lambda: run.info("end").get("Status") == "ACTIVE")
    run.call("delete_stream", StreamARN=arn)
    status = run.info("end").get("Status")
    sentence = "DescribeStream shows a stream that is being deleted, with status DELETING."
    yield Fact(sentence, MODEL, status == "DELETING", status)
    again = run.create("end")
    sentence = "A create during DELETING answers ResourceInUseException."
    yield Fact(sentence, ASSUMED, again.code == IN_USE, again)
    gone = run.poll(lambda: run.describe("end").code == NOT_FOUND, 180)
    yield Fact("A deletion ends within 180 s.", PUBLIC, gone <= 180, gone)
    later = run.create("end")
    sentence = "A name can be used again once DescribeStream says ResourceNotFoundException."
    yield Fact(sentence, PUBLIC, not later.code, later)


def replies(run: Run) -> Iterator[Fact]:
    """Look at other operations, and at concurrent creates."""
    absent = run.describe("absent")
    wanted = (404, NOT_FOUND, "The requested stream is not found or not active.")
    sentence = "A stream that does not exist is 404 ResourceNotFoundException with AWS's sentence."
    yield Fact(sentence, PUBLIC, absent[1:] == wanted, absent)
    run.create("tier", **{STORAGE: {"DefaultStorageTier": "WARM"}})
    name = f"{run.prefix}tier"
    tier = run.call("describe_stream_storage_configuration", StreamName=name)
    sentence = "DescribeStreamStorageConfiguration is offered in this region."
    yield Fact(sentence, MODEL, "WARM" in str(tier.reply), tier)
    for number in range(11):
        run.create(f"page-{number}")
    run.poll(lambda: len(run.listed(f"{run.prefix}page-")) > 10)
    size = len(run.boto.list_streams()["StreamInfoList"])
    sentence = "A page of ListStreams has 10 streams by default, not 10,000 as documented."
    yield Fact(sentence, PUBLIC, size == 10, size)
    with ThreadPoolExecutor(2) as pool:
        codes = sorted(each.code for each in pool.map(run.create, ["twice"] * 2))
    sentence = "Only one of several concurrent creates of a name succeeds."
    yield Fact(sentence, DOCS, codes == ["", IN_USE], codes)


def ensured(run: Run) -> Iterator[Fact]:
    """Ensure a stream that does not exist, one that does, and one that has drifted; and a fleet."""
    client, found = StreamsClient(run.boto), []
    for hours in 1, 1, 2:
        request = CreateStreamRequest(
            stream_name=f"{run.prefix}ensure", data_retention_in_hours=hours, tags={"by": "live"}
        )
        result = client.ensure_stream(request, on_drift="ignore")
        found.append(" ".join([result.outcome.value, *(each.field for each in result.drift)]))
    wanted = ["CREATED", "EXISTING", "EXISTING data_retention_in_hours"]
    sentence = "ensure_stream creates a stream, then finds it, then tells how it differs."
    yield Fact(sentence, ASSUMED, found == wanted, found)
    requests = [CreateStreamRequest(stream_name=f"{run.prefix}fleet-{i}") for i in range(3)]
    results = [result for _ in range(2) for _, result in client.ensure_streams(requests)]
    found = [getattr(result, "outcome", str(result)) for result in results]
    sentence = "ensure_streams creates a fleet, and finds it when it runs again."
    yield Fact(sentence, ASSUMED, found == ["CREATED"] * 3 + ["EXISTING"] * 3, found)


LETTERS = "Añ漢ß٣ _.:/=+-@"
# At each limit: what is believed, what it rests on, and what is sent.
ACCEPTED: list[tuple[str, str, dict[str, Any]]] = [
    ("A DeviceName of 128 characters", MODEL, {"DeviceName": "aZ09_.-x" * 16}),
    ("A MediaType of 128 characters", MODEL, {"MediaType": f"video/{'x' * 122}"}),
    ("A MediaType that lists several", MODEL, {"MediaType": "video/h264,audio/aac"}),
    ("A KmsKeyId of 2,048 characters, of no key", DOCS, {"KmsKeyId": "x" * 2048}),
    ("DataRetentionInHours of 87,600", DOCS, {"DataRetentionInHours": 87_600}),
    ("50 tags", MODEL, {"Tags": {f"tag-{i}": "" for i in range(50)}}),
    ("A tag key of 128 characters, its value of 256", MODEL, {"Tags": {"x" * 128: "x" * 256}}),
    ("Tags of letters, digits and spaces of any script", MODEL, {"Tags": {LETTERS: LETTERS}}),
    ("A tag key that begins with AWS: in upper case", ASSUMED, {"Tags": {"AWS:key": ""}}),
    (
        "WARM with a short retention",
        DOCS,
        {STORAGE: {"DefaultStorageTier": "WARM"}, "DataRetentionInHours": 1},
    ),
]


def limits(run: Run) -> Iterator[Fact]:
    """Create streams at each limit, and send what the library refuses."""
    for number, (what, rests_on, members) in enumerate(ACCEPTED):
        answer = run.create(f"accepted-{number}", **members)
        yield Fact(f"{what} is accepted.", rests_on, not answer.code, answer)
    for parameter, rule, members in [*BAD_REQUESTS, ("Tags", "no tags", {"Tags": {}})]:
        # A service may convert a value of another type, and leave out what it does not know.
        if rule in {"type", "unknown"}:
            continue
        sent = {"StreamName": f"{run.prefix}refused", **members}
        sent = {name: value for name, value in sent.items() if value is not ...}
        answer = run.call("create_stream", **sent)
        is_refused = answer.status == 400 and answer.code != "ClientLimitExceededException"
        sentence = f"{parameter} is refused by the rule {rule}."
        yield Fact(sentence, "a published rule", is_refused, answer)
    sent = {"MediaType": "vidéo/h264"}
    answer = run.create("ascii", **sent)
    sentence = "The \\w of MediaType's pattern means ASCII letters only."
    yield Fact(sentence, ASSUMED, answer.status == 400, answer)


def throttle(run: Run) -> Iterator[Fact]:
    """Exceed the quota of creates with creates of a stream that exists; this leaves no quota."""
    codes: set[str] = set()
    if run.may_burst:
        with ThreadPoolExecutor(32) as pool:
            answers = pool.map(lambda _: run.create("life", pause=0.0), range(BURST))
            codes = {each.code for each in answers} - {IN_USE}
    holds = codes == {"ClientLimitExceededException"} if codes else None
    yield Fact("Creates beyond 50 a second are throttled.", PUBLIC, holds, codes or "not tried")


def look(run: Run) -> Iterator[Fact]:
    """Check all facts; a failure to do so is an outcome as well."""
    failures = KvsStreamsError, ClientError, BotoCoreError, KeyError, TypeError
    for part in life, deletion, replies, ensured, limits, throttle:
        try:
            yield from part(run)
        except failures as error:  # noqa: PERF203 - it waits for a service
            yield Fact(f"{part.__doc__}", "", None, f"{type(error).__name__}: {error}")


def row(fact: Fact) -> str:
    """Return a row of a table in Markdown without what is private."""
    verdict = {True: "held", False: "**differs**", None: "could not be told"}[fact.holds]
    text = re.sub(r"(?<![0-9])[0-9]{12}(?![0-9])", "<account>", str(fact.seen)).replace("|", "\\|")
    text = re.sub(r"AKIA\w+|ASIA\w+", "***", text)
    return f"| {verdict} | {fact.sentence} | {fact.rests_on} | {text[:200]} |"


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
    rows = ["| Outcome | What kvs_streams believes | Rests on | Seen |\n| --- | --- | --- | --- |"]
    try:
        for fact in look(run):
            rows.append(row(fact))
            print(rows[-1], flush=True)
    finally:
        kept = run.delete_all()
        options.report.write_text("\n".join([*rows, ""]), encoding="utf-8")
        print(f"Written to {options.report}. Not deleted: {', '.join(kept) or 'nothing'}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
