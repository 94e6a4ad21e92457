"""How each fact is checked; what several facts are about is observed once."""

import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from threading import Barrier
from typing import Any, NamedTuple

from kvs_streams import EnsureOutcome, StreamStatus

from .account import VISIBLE_AFTER, Account, Answer, Key, created_at, raw_members
from .fact import Outcome, UntoldError, differs, held, holds_if, untold

_DEFAULT_PAGE, _FULL_PAGE = 10, 1_000
_BURST, _BURST_THREADS = 150, 32
_DEFAULT_KEY = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]+:alias/aws/kinesisvideo")
_DENIED = "is not authorized to perform: kinesisvideo:"
_NOT_FOUND = "The requested stream is not found or not active."
_THROTTLED = "Limit exceeded on number of requests for"
# Beyond these seconds a fact differs.
_SOON_ACTIVE, _SOON_GONE = 60.0, 180.0
# A deletion takes longer than this, so that a create that is answered sooner met DELETING.
_SURELY_DELETING = 2.0
_ROUNDING = timedelta(seconds=1)


# A stream's life


class Life(NamedTuple):
    """What was seen of a stream from its creation until it was ACTIVE."""

    arn: str
    created: Answer
    reply_took: float
    described_after: float | None
    active_after: float | None
    listed_after: float | None
    statuses: list[str]
    info: dict[str, Any]
    """``StreamInfo`` as in the body of the first describe that found the stream."""
    time: datetime
    """``CreationTime``."""
    conflict: Answer
    """What a second create came to."""


def life(account: Account) -> Life:
    """Create a stream and watch it until it is ACTIVE, described and listed."""
    clock, what = account.clock, "life"
    began = clock.now()
    created = account.create(what)
    if created.code:
        raise UntoldError(f"no stream to look at: {created}")
    took = clock.now() - began
    replied = clock.now()
    described: list[tuple[float, Answer]] = []
    times: dict[str, float] = {}

    def look() -> bool | None:
        if "active" not in times:
            answer = account.describe(what)
            if answer.code is None:
                described.append((clock.now() - replied, answer))
                if answer.reply["StreamInfo"]["Status"] == "ACTIVE":
                    times["active"] = clock.now() - replied
        if "listed" not in times and account.listed(account.name(what)):
            times["listed"] = clock.now() - replied
        return True if {"active", "listed"} <= times.keys() else None

    account.poll(look, _SOON_ACTIVE)
    if not described:
        raise UntoldError(f"DescribeStream did not show the stream within {_SOON_ACTIVE:.0f} s")
    first = described[0][1]
    return Life(
        arn=str(created.reply["StreamARN"]),
        created=created,
        reply_took=took,
        described_after=described[0][0],
        active_after=times.get("active"),
        listed_after=times.get("listed"),
        statuses=list(dict.fromkeys(each.reply["StreamInfo"]["Status"] for _, each in described)),
        info=raw_members(first, "StreamInfo"),
        time=first.reply["StreamInfo"]["CreationTime"],
        conflict=account.create(what),
    )


def arn_suffix(account: Account) -> Outcome:
    """Compare the number at the end of the ARN with CreationTime."""
    seen = account.once(life)
    gap = created_at(seen.arn) - seen.time
    return holds_if(
        abs(gap) < _ROUNDING, f"suffix less CreationTime: {gap / timedelta(milliseconds=1):.0f} ms"
    )


def one_clock(account: Account) -> Outcome:
    """Compare the ``date`` header of the reply to a create with CreationTime."""
    seen = account.once(life)
    date = parsedate_to_datetime(seen.created.reply["ResponseMetadata"]["HTTPHeaders"]["date"])
    took = timedelta(seconds=seen.reply_took)
    gap = seen.time - date
    text = (
        f"CreationTime less date: {gap / _ROUNDING:.2f} s; the call took {took / _ROUNDING:.2f} s"
    )
    # The header shows whole seconds, rounded down.
    return holds_if(-took - timedelta(milliseconds=1) <= gap <= _ROUNDING + took, text)


def second_create(account: Account) -> Outcome:
    """Create the same stream again."""
    answer = account.once(life).conflict
    return holds_if((answer.status, answer.code) == (400, "ResourceInUseException"), str(answer))


def creating_lasts(account: Account) -> Outcome:
    """Tell how long the reply and CREATING take."""
    seen = account.once(life)
    reply = f"reply after {seen.reply_took:.2f} s"
    if seen.active_after is None:
        return differs(f"{reply}; not ACTIVE after {_SOON_ACTIVE:.0f} s: {seen.statuses}")
    return held(f"{reply}; ACTIVE {seen.active_after:.2f} s later; {', '.join(seen.statuses)}")


def _soon(after: float | None, what: str) -> Outcome:
    if after is None:
        return differs(f"not {what} after {_SOON_ACTIVE:.0f} s")
    return holds_if(after <= VISIBLE_AFTER, f"{what} {after:.2f} s after the reply")


def describe_soon(account: Account) -> Outcome:
    """Tell how soon DescribeStream shows a new stream."""
    return _soon(account.once(life).described_after, "described")


def list_soon(account: Account) -> Outcome:
    """Tell how soon ListStreams shows a new stream."""
    return _soon(account.once(life).listed_after, "listed")


def null_members(account: Account) -> Outcome:
    """Look for null in the body of a describe, for what the stream was created without."""
    info = account.once(life).info
    seen = {name: info.get(name, "absent") for name in ("DeviceName", "MediaType")}
    text = ", ".join(f"{name}: {json.dumps(value)}" for name, value in seen.items())
    return holds_if(all(value is None for value in seen.values()), text)


def default_key(account: Account) -> Outcome:
    """Look at the key of a stream that was created without one."""
    key = str(account.once(life).info.get("KmsKeyId"))
    return holds_if(_DEFAULT_KEY.fullmatch(key), key)


def info_lacks_tier_and_tags(account: Account) -> Outcome:
    """Look for the storage tier and the tags in StreamInfo and in the reply to a create."""
    seen = account.once(life)
    names = {*seen.info, *raw_members(seen.created)}
    extra = sorted(names & {"Tags", "StreamStorageConfiguration", "DefaultStorageTier"})
    return holds_if(not extra, f"members: {', '.join(sorted(names))}")


# A stream's end


class Death(NamedTuple):
    """What was seen of a stream from its deletion until its name was used again."""

    deleted: Answer
    shown: Answer
    """What a describe came to right after the deletion."""
    recreated: Answer | None
    """What a create came to while the stream was DELETING; ``None`` if it was gone at once."""
    recreated_after: float
    """How many seconds after that description the create was answered."""
    still: Answer | None
    """What a describe came to after that."""
    gone_after: float | None
    again: Answer | None
    """What a create came to once the stream was gone."""
    first_arn: str


def death(account: Account) -> Death:
    """Delete the stream whose life was watched, and use its name again."""
    clock, what = account.clock, "life"
    arn = account.once(life).arn
    if account.once(life).active_after is None:
        raise UntoldError("no stream became ACTIVE")
    deleted = account.ask(account.boto.delete_stream, StreamARN=arn)
    if deleted.code:
        raise UntoldError(f"the stream could not be deleted: {deleted}")
    began = clock.now()
    shown = account.describe(what)
    recreated = still = again = None
    recreated_after = 0.0
    described = clock.now()
    if _is_deleting(shown):
        recreated = account.create(what)
        recreated_after = clock.now() - described
        still = account.describe(what)

    def gone() -> float | None:
        is_gone = account.describe(what).code == "ResourceNotFoundException"
        return clock.now() - began if is_gone else None

    # A create that succeeded meanwhile has made another stream of the name.
    is_free = recreated is None or recreated.code is not None
    gone_after = account.poll(gone, _SOON_GONE) if is_free else None
    if gone_after is not None:
        again = account.create(what)
    return Death(deleted, shown, recreated, recreated_after, still, gone_after, again, arn)


def _is_deleting(answer: Answer) -> bool:
    return answer.code is None and answer.reply["StreamInfo"]["Status"] == "DELETING"


_GONE_AT_ONCE = "the stream was gone at once"


def deleting_shown(account: Account) -> Outcome:
    """Describe a stream right after its deletion."""
    answer = account.once(death).shown.told()
    if answer.code == "ResourceNotFoundException":
        return untold(_GONE_AT_ONCE)
    if answer.code:
        return differs(str(answer))
    status = answer.reply["StreamInfo"]["Status"]
    return holds_if(status == StreamStatus.DELETING, f"status {status}")


def create_while_deleting(account: Account) -> Outcome:
    """Create a stream while its predecessor is DELETING."""
    seen = account.once(death)
    if seen.recreated is None or seen.still is None:
        return untold(_GONE_AT_ONCE)
    if seen.recreated.code is None:
        text = f"the create succeeded {seen.recreated_after:.2f} s after a describe said DELETING"
        return differs(text) if seen.recreated_after < _SURELY_DELETING else untold(text)
    if not _is_deleting(seen.still):
        return untold(f"the stream was gone meanwhile; the create answered {seen.recreated}")
    return holds_if(seen.recreated.code == "ResourceInUseException", str(seen.recreated))


def deleting_lasts(account: Account) -> Outcome:
    """Tell how long DELETING lasts."""
    seen = account.once(death)
    if seen.recreated is not None and seen.recreated.code is None:
        return untold("the create meanwhile succeeded")
    if seen.gone_after is None:
        return differs(f"not gone after {_SOON_GONE:.0f} s")
    return held(f"gone after {seen.gone_after:.1f} s")


def name_again(account: Account) -> Outcome:
    """Create a stream with the name of one that is gone."""
    seen = account.once(death)
    if seen.again is None:
        return untold("the stream was not gone in time")
    if seen.again.code:
        return differs(str(seen.again))
    arn = seen.again.reply["StreamARN"]
    newer = arn != seen.first_arn and created_at(arn) > created_at(seen.first_arn)
    return holds_if(newer, f"created again, with {'a newer' if newer else 'no newer'} ARN")


# Lists


def list_default_page(account: Account) -> Outcome:
    """List more streams than fit a page by default."""
    for number in range(len(account.created), _DEFAULT_PAGE + 1):
        account.must_create(f"page-{number}")
    condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": account.prefix}
    if (
        account.poll(lambda: len(account.listed(account.prefix)) > _DEFAULT_PAGE or None, 10)
        is None
    ):
        return untold("the list did not show the new streams in time")
    page = account.boto.list_streams(StreamNameCondition=condition)
    size, more = len(page["StreamInfoList"]), bool(page.get("NextToken"))
    text = f"{size} streams on the first page, {'a' if more else 'no'} token for another"
    return holds_if(size == _DEFAULT_PAGE and more, text)


def list_full_page(account: Account) -> Outcome:
    """Ask for the largest page of all streams of the account."""
    page = account.boto.list_streams(MaxResults=_FULL_PAGE * 10)
    size, more = len(page["StreamInfoList"]), bool(page.get("NextToken"))
    if size <= _FULL_PAGE and not more:
        return untold(f"the region has no more than {_FULL_PAGE:,} streams")
    return holds_if(size == _FULL_PAGE, f"{size:,} streams on the first page")


def list_prefix(account: Account) -> Outcome:
    """List by the beginning of a name."""
    arn = account.once(life).arn
    other = account.must_create("prefix")
    value = account.name("pre")
    condition = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": value}

    def look() -> list[str] | None:
        page = account.boto.list_streams(StreamNameCondition=condition)
        arns = [info["StreamARN"] for info in page["StreamInfoList"]]
        return arns if other in arns else None

    arns = account.poll(look, VISIBLE_AFTER)
    if arns is None:
        return untold("the list did not show the new stream in time")
    return holds_if(arn not in arns and len(arns) == 1, f"{len(arns)} of this run's streams listed")


# Rules without a published limit


def empty_tags(account: Account) -> Outcome:
    """Create a stream with an empty map of tags."""
    answer = account.create("no-tags", Tags={})
    seen = str(answer) if answer.code else "accepted"
    return holds_if(answer.code == "ValidationException", seen)


def missing_key(account: Account) -> Outcome:
    """Create a stream with a KMS key that does not exist."""
    answer = account.create("missing-key", KmsKeyId="00000000-0000-4000-8000-000000000000")
    return holds_if(answer.code is None, str(answer))


def storage_offered(account: Account) -> Outcome:
    """Read the storage tier of a stream that was created WARM."""
    arn = account.must_create(
        "tier-read", StreamStorageConfiguration={"DefaultStorageTier": "WARM"}
    )
    call = account.boto.describe_stream_storage_configuration
    answer = account.ask(call, StreamARN=arn).told()
    if answer.code:
        return differs(str(answer))
    tier = answer.reply["StreamStorageConfiguration"]["DefaultStorageTier"]
    return holds_if(tier == "WARM", f"tier {tier}")


# Errors


def not_found(account: Account) -> Outcome:
    """Describe a stream that does not exist."""
    answer = account.describe("never-created").told()
    expected = (404, "ResourceNotFoundException", _NOT_FOUND)
    return holds_if((answer.status, answer.code, answer.message) == expected, str(answer))


def denied(account: Account) -> Outcome:
    """Describe a stream as a user who may not."""
    boto = account.endpoint.denied()
    if boto is None:
        return untold("--denied-profile was not given")
    account.guard(boto)
    answer = account.ask(boto.describe_stream, StreamName=account.name("never-created"))
    if answer.code in {None, "ResourceNotFoundException"}:
        return untold("that user may describe streams")
    fits = (answer.status, answer.code) == (403, "AccessDeniedException")
    return holds_if(fits and _DENIED in answer.message, str(answer))


def _refused_key(account: Account, key: Key, code: str, *, lower_case: bool) -> Outcome:
    boto = account.guard(account.endpoint.boto(key=key))
    answer = account.ask(boto.list_streams, MaxResults=1)
    if answer.code is None:
        return untold("the endpoint does not check credentials")
    member = "message" if "message" in raw_members(answer) else "Message"
    fits = (answer.status, answer.code) == (403, code) and (not lower_case or member == "message")
    # The text of a refused signature repeats much of the request.
    return holds_if(fits, f"{answer.status} {answer.code}, text in {member!r}")


def bad_key(account: Account) -> Outcome:
    """Call with an access key that nobody has."""
    key = Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    return _refused_key(account, key, "UnrecognizedClientException", lower_case=True)


def bad_secret(account: Account) -> Outcome:
    """Call with the right access key and a wrong secret."""
    key = account.endpoint.own_key()._replace(secret_key="made-up")
    return _refused_key(account, key, "InvalidSignatureException", lower_case=False)


def throttle(account: Account) -> Outcome:
    """Exceed the quota of creates, with creates of a stream that exists."""
    if not account.endpoint.may_burst:
        return untold("--throttle was not given")
    name = account.name("life")
    account.once(life)
    began = account.clock.now()
    account.paced = False
    try:
        with ThreadPoolExecutor(_BURST_THREADS) as pool:
            calls = [
                pool.submit(account.ask, account.bare.create_stream, StreamName=name)
                for _ in range(_BURST)
            ]
            answers = [call.result() for call in calls]
    finally:
        account.paced = True
    took = account.clock.now() - began
    others = [each for each in answers if each.code not in {None, "ResourceInUseException"}]
    if not others:
        return untold(f"{_BURST} creates in {took:.1f} s met no throttle")
    fits = all(
        (each.status, each.code) == (400, "ClientLimitExceededException")
        and each.message.startswith(_THROTTLED)
        for each in others
    )
    counts = Counter(str(each) for each in others).most_common(1)
    text = f"{len(others)} of {_BURST} creates in {took:.1f} s: {counts[0][0]}"
    return holds_if(fits, text)


# Several calls


def concurrent_creates(account: Account) -> Outcome:
    """Create one stream from two threads at the same time."""
    barrier = Barrier(2)

    def create() -> Answer:
        barrier.wait(timeout=60)
        return account.create("twice")

    with ThreadPoolExecutor(2) as pool:
        answers = [call.result() for call in [pool.submit(create) for _ in range(2)]]
    codes = sorted(answer.code or "created" for answer in answers)
    if not set(codes) <= {"created", "ResourceInUseException"}:
        return untold(" and ".join(map(str, answers)))
    return holds_if(codes == ["ResourceInUseException", "created"], " and ".join(codes))


def wait_until_active(account: Account) -> Outcome:
    """Create a stream and wait for it, with this library."""
    created = account.client.create_stream(account.request("wait"))
    info = account.client.wait_until_active(created.stream_arn, timeout=account.remaining)
    same = (info.stream_arn, info.status) == (created.stream_arn, StreamStatus.ACTIVE)
    return holds_if(same, f"{info.status}, {'the same' if same else 'another'} stream")


def ensure_stream(account: Account) -> Outcome:
    """Ensure a stream that does not exist, one that does, and one that has drifted."""
    ensure = account.client.ensure_stream
    fields: dict[str, Any] = {"media_type": "video/h264", "tags": {"made-by": "live"}}
    request = account.request("ensure", data_retention_in_hours=1, **fields)
    first = ensure(request, timeout=account.remaining)
    again = ensure(request, timeout=account.remaining, on_drift="ignore")
    other = account.request("ensure", data_retention_in_hours=2, **fields)
    drifted = ensure(other, timeout=account.remaining, on_drift="ignore")
    found = [[each.field for each in ensured.drift] for ensured in (again, drifted)]
    drift = [", ".join(fields) or "no drift" for fields in found]
    text = (
        f"{first.outcome.name}, then {again.outcome.name} with {drift[0]}, then with {drift[1]}; "
        f"unverified: {', '.join(again.unverified) or 'nothing'}"
    )
    outcomes = (first.outcome, again.outcome, drifted.outcome)
    expected = (EnsureOutcome.CREATED, EnsureOutcome.EXISTING, EnsureOutcome.EXISTING)
    is_same = first.stream.stream_arn == again.stream.stream_arn == drifted.stream.stream_arn
    return holds_if(
        outcomes == expected and is_same and found == [[], ["data_retention_in_hours"]], text
    )


def ensure_streams(account: Account) -> Outcome:
    """Ensure a small fleet, twice."""
    requests = [account.request(f"fleet-{number}") for number in range(3)]
    seen = []
    for _ in range(2):
        results = list(account.client.ensure_streams(requests, timeout=account.remaining))
        outcomes = Counter(
            type(result).__name__ if isinstance(result, Exception) else result.outcome.name
            for _, result in results
        )
        seen.append(outcomes)
    text = "; then ".join(
        ", ".join(f"{count} {name}" for name, count in outcomes.items()) for outcomes in seen
    )
    return holds_if(seen == [{"CREATED": 3}, {"EXISTING": 3}], text)
