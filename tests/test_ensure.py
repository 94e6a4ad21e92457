"""``ensure_stream``: how it decides, and what it promises whatever happens.

A story is what the creates and the describes come to, in order (``support.service.told`` knows the
words), and the outcome or the error at its end.
"""

import math
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, example, given, settings, strategies as st
from support.clock import VirtualClock, use
from support.runner import KINDS, SYNC, Runner
from support.service import (
    CREATE,
    DESCRIBE,
    FAULTS,
    NO_ARN,
    REQUEST_ID,
    TAGS,
    UNSENT,
    Answer,
    Model,
    Scripted,
    arn,
    described,
    refused,
    tags,
    told,
)

from kvs_streams import (
    CreateStreamRequest,
    Drift,
    EnsuredStream,
    KvsStreamsError,
    StreamStorageConfiguration,
    errors,
)

ENSURE = "ensure_stream"
CAM = CreateStreamRequest(stream_name="cam")
TAGGED = CreateStreamRequest(stream_name="cam", tags={"site": "Bern"})
VIDEO = CreateStreamRequest(stream_name="cam", media_type="video/h264")
TIERED = CreateStreamRequest(
    stream_name="cam",
    tags={"site": "Bern"},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
# What leaves the outcome of a create unknown, and our error for it.
UNKNOWN = {
    "lost": "TransportError",
    "cut": "TransportError",
    "unsent": "TransportError",  # after several attempts: an earlier one may have arrived
    "broken": "ServerError",
    "timeout": "ServerError",
    "oops": "ServerError",
    "noarn": "UnexpectedResponseError",
    "null": "UnexpectedResponseError",
}
NO_WAIT: dict[str, Any] = {"wait": False}

# What happens, the creates, the describes, options, the outcome or the error, and when the stream
# was created that is returned or that is the ``created`` of the error.
Story = tuple[str, str, str, dict[str, Any], str, float | None]
STORIES: list[Story] = [
    ("new", "new", "gone creating active", {}, "CREATED", 0),
    ("there", "conflict", "active@-99", {}, "EXISTING", -99),
    ("there, being created", "conflict", "creating active", {}, "EXISTING", 0),
    ("throttled", "throttled throttled new", "active", {}, "CREATED", 0),
    ("polls without an answer", "new", "throttled broken timeout active", {}, "CREATED", 0),
    ("conflict with itself", "retried", "active", {}, "RECOVERED", 0),
    ("after a throttle", "throttled retried", "active", {}, "RECOVERED", 0),
    ("old", "retried", "active@-99", {}, "EXISTING", -99),
    ("created at once", "conflict new@3", "gone active@3", {}, "CREATED", 3),
    ("conflict twice", "conflict conflict new@3", "gone gone active@3", {}, "CREATED", 3),
    ("visible late", "retried conflict", "gone+10 active@0.5", {}, "RECOVERED", 0.5),
    ("deleted", "conflict new@9", "deleting throttled deleting gone active@9", {}, "CREATED", 9),
    ("replaced", "retried conflict", "deleting creating@2 active@2", {}, "EXISTING", 2),
    ("deleted, lost", "conflict lost", "deleting gone active@2", {}, "RECOVERED", 2),
    ("seen, gone", "conflict new@2", "creating gone gone active@2", {}, "CREATED", 2),
    ("others follow", "retried conflict", "creating gone active@2", {}, "EXISTING", 2),
    # Whose stream it is, by its ARN.
    ("stale reads", "new@5", "active@-99 deleting@-99 gone active@5", {}, "CREATED", 5),
    ("stale after its own", "new@1", "creating@1 active@-99 active@1", {}, "CREATED", 1),
    ("its own replaced", "retried new@3", "gone active@4", {}, "EXISTING", 4),
    ("replaced by others", "new@1", "active@2", {}, "EXISTING", 2),
    ("replaced meanwhile", "new@1", "creating@1 creating@2 active@2", {}, "EXISTING", 2),
    ("replacement deleted", "new@1 new@9", "deleting@2 gone active@9", {}, "CREATED", 9),
    ("replacement gone", "new@1 new@9", "creating@2 gone active@9", {}, "CREATED", 9),
    # The deadline passes while the second create is answered; the describe after it still comes.
    ("late success", "conflict new@3+400", "gone active@3", {}, "CREATED", 3),
    ("late conflict", "conflict conflict+400", "gone active@3", {}, "EXISTING", 3),
    ("late unknown", "conflict broken+400", "gone active@3", {}, "RECOVERED", 3),
    ("late success, not seen", "conflict new@3+400", "gone throttled", {}, "WaitTimeoutError", 3),
    ("late conflict, gone", "conflict conflict+400", "gone gone", {}, "WaitTimeoutError", None),
    # Each create has a grace of its own, which begins when it is answered.
    ("grace", "conflict+30 new@40+5", "gone+9.9 gone+9.4 active@40", {}, "CREATED", 40),
    ("no wait", "conflict", "creating@-9", NO_WAIT, "EXISTING", -9),
    ("no wait, late", "new", "gone frozen", NO_WAIT, "CREATED", 0),
    ("created, gone", "new", "creating gone", {}, "ResourceNotFoundException", 0),
    ("never found", "new", "gone+9.5 gone", {}, "ResourceNotFoundException", 0),
    ("again", "lost new@5", "creating gone gone+10", {}, "ResourceNotFoundException", 5),
    ("stale", "new@5", "active@-99+5 active@-99+5", {}, "ResourceNotFoundException", 5),
    ("stale, late", "new@5", "active@-99 " * 3, {"timeout": 1}, "WaitTimeoutError", 5),
    ("created, deleting", "new", "deleting", {}, "StreamDeletingError", 0),
    ("created, deleting, no wait", "new", "deleting", NO_WAIT, "StreamDeletingError", 0),
    ("created, denied", "throttled new", "denied", {}, "AccessDeniedError", 0),
    ("created, lost", "new", "lost", {}, "TransportError", 0),
    ("created, useless", "new", "creating useless", {}, "UnexpectedResponseError", 0),
    ("created, late", "new", "creating+60", {"timeout": 30}, "WaitTimeoutError", 0),
    ("recreated, denied", "conflict new@7", "deleting gone denied", {}, "AccessDeniedError", 7),
    ("replaced, deleting", "new@1", "deleting@2", NO_WAIT, "StreamDeletingError", 1),
    ("replaced, denied", "new@1", "deleting@2 denied", {}, "AccessDeniedError", 1),
    ("replaced, gone, denied", "new@1 denied", "creating@2 gone", {}, "AccessDeniedError", 1),
    ("deleting, no wait", "conflict", "deleting", NO_WAIT, "StreamDeletingError", None),
    ("deleting, late", "conflict", "deleting " * 4, {"timeout": 1.5}, "WaitTimeoutError", None),
    ("conflict, denied", "conflict", "denied", {}, "AccessDeniedError", None),
    ("conflict, lost", "conflict", "lost", {}, "TransportError", None),
    ("throttled to the end", "throttled " * 5, "", {}, "ClientLimitExceededException", None),
    ("turns", "conflict " * 3, "gone " * 3, {"timeout": 1.25}, "WaitTimeoutError", None),
]


def tell(boto: Scripted, creates: str, describes: str) -> None:
    """Script a story."""
    boto.on(CREATE, *told(creates)).on(DESCRIBE, *told(describes))


def end_of(run: Runner, request: CreateStreamRequest = CAM, **options: Any) -> tuple[str, Any]:
    """Return the name of the outcome or the error, and what was returned or raised."""
    try:
        ensured = run(ENSURE, request, **options)
    except KvsStreamsError as error:
        return type(error).__name__, error
    return ensured.outcome.name, ensured


@pytest.mark.parametrize("story", STORIES, ids=[story[0] for story in STORIES])
def test_stories(run: Runner, boto: Scripted, story: Story) -> None:
    """Each ends with the stream that is there, or an error with the response to the create."""
    _, creates, describes, options, end, born = story
    tell(boto, creates, describes)
    name, result = end_of(run, **options)
    assert name == end
    if isinstance(result, EnsuredStream):
        assert result == EnsuredStream(stream=result.stream, outcome=result.outcome)
        assert result.stream.stream_arn == arn(born or 0)
        return
    assert result.stream_name == "cam"
    response = result.created
    expected = (None, None) if born is None else (arn(born), REQUEST_ID)
    assert (response and response.stream_arn, response and response.request_id) == expected
    if isinstance(result, errors.WaitTimeoutError):
        assert result.waited >= options.get("timeout", 300)
        assert not isinstance(result.__cause__, errors.ResourceInUseException)
    assert "may have succeeded" not in str(result)
    assert "ResourceInUse" not in str(result)


def test_a_stale_read_is_told(run: Runner, boto: Scripted) -> None:
    """The error after the grace period names the predecessor that AWS still shows."""
    tell(boto, "new@5", "active@-99+5 active@-99+5")
    _, error = end_of(run)
    assert (error.code, error.operation_name) == ("ResourceNotFoundException", "DescribeStream")
    assert error.message == f"The response still shows the predecessor, {arn(-99)}."


@pytest.mark.parametrize("doubt", UNKNOWN)
def test_unknown_outcome(run: Runner, boto: Scripted, doubt: str) -> None:
    """Found within the grace, it is recovered; else the original error is raised as it was."""
    tell(boto, doubt, "gone creating active")
    assert end_of(run)[0] == "RECOVERED"
    # Found is like a conflict: if the stream disappears, it is created again.
    tell(boto, f"{doubt} new@5", "creating gone active@5")
    assert end_of(run)[0] == "CREATED"
    tell(boto, doubt, "gone+3.4 gone+3.4 gone+3.4")
    name, error = end_of(run)
    assert (name, error.operation_name, error.created) == (UNKNOWN[doubt], "CreateStream", None)
    assert not isinstance(error.__cause__, KvsStreamsError)
    assert "may have succeeded" not in str(error)


@pytest.mark.parametrize("last", ["denied", "expired", "cut", "useless", "creating+400"])
@pytest.mark.parametrize(
    "create, describes", [*((d, "") for d in [*UNKNOWN, "retried"]), ("lost", "creating ")]
)
def test_both_are_told(run: Runner, boto: Scripted, create: str, describes: str, last: str) -> None:
    """A failure after a create of unknown outcome also says that the create may have succeeded."""
    tell(boto, create, describes + last)
    _, error = end_of(run)
    assert " An earlier create of this call may have succeeded." in str(error)
    assert error.created is None
    if isinstance(error, errors.ServiceError):
        assert (error.message, error.operation_name) == ("told by the service", "DescribeStream")
    if isinstance(error, errors.WaitTimeoutError) and create != "retried":
        assert type(error.__cause__).__name__ == UNKNOWN[create], "the last failure"


@pytest.mark.parametrize(
    "code, status, error",
    [
        ("AccessDeniedException", 403, "AccessDeniedError"),
        ("AccountStreamLimitExceededException", 400, "AccountStreamLimitExceededException"),
        ("ExpiredTokenException", 403, "AuthenticationError"),
        ("ThrottlingException", 400, "ThrottlingError"),
        ("ResourceNotFoundException", 404, "ResourceNotFoundException"),
    ],
)
def test_other_errors_of_the_create(
    run: Runner, boto: Scripted, code: str, status: int, error: str
) -> None:
    """Denied, full, invalid: it passes through, nothing is described and nothing is sent again."""
    boto.on(CREATE, refused(code, status))
    name, raised = end_of(run)
    assert (name, boto.made) == (error, [CREATE])
    assert "may have succeeded" not in str(raised)


@pytest.mark.parametrize("method", [CREATE, ENSURE])
def test_certainly_not_sent(run: Runner, clock: VirtualClock, method: str) -> None:
    """A single attempt without a connection leaves nothing to find out."""
    boto = Scripted(clock, attempts=1).on(CREATE, UNSENT)
    with pytest.raises(errors.TransportError) as caught:
        run.over(boto)(method, CAM)
    assert caught.value.outcome_unknown is False
    assert boto.made == [CREATE]


def test_what_is_created_is_not_compared(run: Runner, boto: Scripted) -> None:
    """The stream that this call created is as requested: no tags and no tier are read."""
    tell(boto, "new", "active")
    assert end_of(run, TIERED)[0] == "CREATED"
    assert boto.made == [CREATE, DESCRIBE]
    assert boto.sent(CREATE) == [TIERED.to_boto()]


# The deadline.


def test_conflicts_and_describes_take_turns(run: Runner, boto: Scripted) -> None:
    """While creates conflict and describes find nothing, they alternate with growing pauses."""
    tell(boto, "conflict " * 5 + "new@9", "gone " * 5 + "active@9")
    assert end_of(run)[0] == "CREATED"
    assert boto.made == [CREATE, DESCRIBE] * 6
    assert boto.times(CREATE)[:2] == [0.0, 0.0]
    # What a create made is described at once.
    assert boto.clock.sleeps == [0.5, 0.75, 1.125, 1.6875]


def test_one_deadline_for_all(run: Runner, boto: Scripted) -> None:
    """Retries, polls and reads draw on the same time."""
    tell(boto, "throttled+1 conflict", "creating+1 active")
    # 1 + 0.25 + 1 + 0.5 s have passed when the tags are read; 0.25 s and 0.25 s remain.
    boto.on(TAGS, *told("throttled throttled throttled"))
    with pytest.raises(errors.WaitTimeoutError, match=r"stream 'cam' after 3.25 s") as caught:
        run(ENSURE, TAGGED, timeout=3.25)
    assert boto.clock.sleeps == pytest.approx([0.25, 0.5, 0.25, 0.25])
    assert (caught.value.last_status, caught.value.waited) == ("ACTIVE", 3.25)
    assert type(caught.value.__cause__) is errors.ClientLimitExceededException
    assert type(caught.value.__cause__.__cause__) is ClientError


BERN = tags({"site": "Bern"})


@pytest.mark.parametrize("timeout, takes", [(0, 0.0), (1, 2.0)], ids=["no time", "slow create"])
@pytest.mark.parametrize(
    "case",
    [
        ("new", "active", [], True, "CREATED"),
        ("new", "creating", [], False, "CREATED"),
        ("new", "creating", [], True, "WaitTimeoutError"),
        ("new", "gone", [], False, "WaitTimeoutError"),
        ("new", "throttled", [], True, "WaitTimeoutError"),
        ("conflict", "active", [BERN], True, "EXISTING"),
        ("conflict", "creating", [BERN], False, "EXISTING"),
        ("conflict", "active", [tags({}, "2"), BERN], True, "EXISTING"),
        ("conflict", "active", [tags({})], True, "StreamDriftError"),
        ("conflict", "active", told("throttled"), True, "WaitTimeoutError"),
        ("conflict", "gone", [], True, "WaitTimeoutError"),
        ("conflict", "deleting", [], True, "WaitTimeoutError"),
        ("lost", "active", [BERN], True, "RECOVERED"),
        ("broken", "gone", [], True, "WaitTimeoutError"),
        ("throttled", "", [], True, "WaitTimeoutError"),
    ],
)
def test_after_the_deadline(
    run: Runner, boto: Scripted, timeout: float, takes: float, case: Any
) -> None:
    """No pause, no create, no further poll; what tells what the create came to is still done."""
    create, describe, reads, wait, end = case
    tell(boto, f"{create}+{takes}", describe)
    boto.on(TAGS, *reads)
    assert end_of(run, TAGGED, wait=wait, timeout=timeout)[0] == end
    assert boto.clock.pauses == []


@pytest.mark.parametrize("on_drift", ["fix", None])
def test_on_drift_that_is_refused(run: Runner, boto: Scripted, on_drift: Any) -> None:
    """Another word is refused before anything is created."""
    with pytest.raises(ValueError, match="on_drift must be 'raise' or 'ignore'"):
        run(ENSURE, CAM, on_drift=on_drift)
    assert boto.calls == []


# Whether it is its own, by the server's clock, which shows whole seconds.


@pytest.mark.parametrize("doubt", ["retried", "broken", "lost", "noarn"])
@pytest.mark.parametrize("phase", [0.0, 0.0007, 0.25, 0.5, 0.9, 0.998_999_999])
@pytest.mark.parametrize("takes", [0.0, 0.001_000_001, 0.4993, 3.0])
@pytest.mark.parametrize("since, end", [(0.0, "RECOVERED"), (-1.001, "EXISTING")])
def test_since_when_it_is_its_own(
    clock: VirtualClock, doubt: str, phase: float, takes: float, since: float, end: str
) -> None:
    """What was created in the millisecond in which the call began is its own, an older one not."""
    clock.advance(phase)
    boto, born = Scripted(clock), math.floor(phase * 1000) / 1000 + since
    tell(boto, f"{doubt}+{takes}", f"creating@{born} active@{born}")
    # Time that passes while the stream is compared changes nothing.
    boto.on(TAGS, *told("throttled"), BERN.but(takes=20))
    assert end_of(Runner(SYNC, boto), TAGGED)[0] == end


@pytest.mark.parametrize(
    "describe, end",
    [
        (described().but(date="Mon, 06 May 2041 07:08:09 -0000"), "RECOVERED"),
        *(
            (described(born=9e8).but(date=date), "EXISTING")
            for date in [None, "", "yesterday", "Fri, 31 Dec 9999 23:59:59 -0100"]
        ),
        (described(CreationTime=None), "EXISTING"),
    ],
)
def test_without_the_servers_clock(run: Runner, boto: Scripted, describe: Answer, end: str) -> None:
    """Without a date that can be read, or a creation time, nothing is claimed."""
    boto.on(CREATE, *told("retried")).on(DESCRIBE, describe)
    assert end_of(run)[0] == end


@pytest.mark.parametrize("create, born", [("new@1", 1), ("broken", None)])
def test_what_differs_is_not_its_own(
    run: Runner, boto: Scripted, create: str, born: float | None
) -> None:
    """A young stream with drift is somebody else's; the error still carries the own ARN."""
    tell(boto, f"{create} {create}", "active@2 active@2")
    name, ensured = end_of(run, VIDEO, on_drift="ignore")
    assert name == "EXISTING"
    assert ensured.drift == (Drift("media_type", "video/h264", None),)
    name, error = end_of(run, VIDEO)
    assert name == "StreamDriftError"
    assert (error.created and error.created.stream_arn) == (None if born is None else arn(born))
    assert "may have succeeded" not in str(error)


def test_arn_that_does_not_tell_its_age(run: Runner, boto: Scripted) -> None:
    """An ARN that cannot be read is neither older nor the one that was created."""
    boto.on(CREATE, *told("new@1")).on(DESCRIBE, described(StreamARN="arn:of:something"))
    assert end_of(run)[0] == "EXISTING"


# Whatever happens.

Script = list[tuple[str | None, str | None]]
"""For each call, what others do to the stream before it is answered, and the fault it meets."""


class World(Model):
    """The model of the service, and others who meddle with the stream before a call is answered."""

    def __init__(self, clock: VirtualClock, script: Script, **options: Any) -> None:
        clock.advance(options.pop("phase", 0))
        exists = options.pop("exists", False)
        super().__init__(clock, **options)
        if exists:
            self.add("cam")
        self.acts = iter([act for act, _ in script])
        faults = iter([fault for _, fault in script])
        self.fault = lambda *_: next(faults, None)

    def answer(self, method: str, kwargs: dict[str, Any]) -> Answer:
        act = next(self.acts, None)
        if act == "create" and self.find("cam") is None:
            self._make("cam", {}, self.clock.elapsed)
        elif act == "delete":
            self.delete("cam")
        elif act == "vanish":
            self.vanish("cam")
        return super().answer(method, kwargs)

    def shown(self) -> list[tuple[str, float, Answer, str | None]]:
        """Return each call's method, time and answer, and the ARN in it."""
        rows = []
        for (method, at, _), answer in zip(self.calls, self.answers, strict=True):
            body = answer.body or {}
            rows.append((method, at, answer, body.get("StreamInfo", body).get("StreamARN")))
        return rows


OPTIONS = st.fixed_dictionaries(
    {
        "wait": st.booleans(),
        "timeout": st.sampled_from([0, 0.1, 20]) | st.floats(0, 60),
        "on_drift": st.sampled_from(["raise", "ignore"]),
    }
)
ACTS = st.sampled_from([None, None, None, "create", "delete", "vanish"])
CASES = st.fixed_dictionaries(
    {
        "script": st.lists(
            st.tuples(ACTS, st.sampled_from([None, None, None, *FAULTS])), max_size=12
        ),
        "creating": st.sampled_from([0.0, 0.6, 4.0, 1e9]),
        "hidden": st.sampled_from([0.0, 0.0, 1.0, 8.0, 11.0]),
        "deleting": st.sampled_from([0.0, 3.0, 1e9]),
        "takes": st.sampled_from([0.0, 0.0003, 0.2, 3.0]),
        "stale": st.booleans(),
        "exists": st.booleans(),
        "phase": st.floats(0, 1),
    }
)
# What a lost create made was seen and went, and somebody else took the name.
REPLACED: Script = [(None, "retried after"), (None, None), ("vanish", None), ("create", None)]


def check_calls(world: World, began: float, timeout: float) -> None:
    """Nothing comes after the deadline, nor a create while the stream created is there."""
    for at, length in world.clock.pauses:
        assert at - began < timeout
        assert at - began + length <= timeout + 1e-6
    polls = world.times(DESCRIBE)
    for first, sixth in zip(polls, polls[5:], strict=False):
        assert sixth - first > 0.7, "AWS allows 5 a second; after a create one comes at once"
    rows = world.shown()
    for (before, *_), (method, at, *_) in pairwise(rows):
        if at - began > timeout + 1e-6:
            assert (before, method) == (CREATE, DESCRIBE) or method not in (CREATE, DESCRIBE)
    creates = [number for number, (method, *_) in enumerate(rows) if method == CREATE]
    for one, other in pairwise(creates):
        _, _, answer, own = rows[one]
        assert answer.code in {
            "",
            *(each.code for each in told("throttled conflict broken timeout")),
        }
        if own is not None:
            seen = [arn for *_, arn in rows[one + 1 : other] if arn is not None]
            assert max(seen) > own, "others replaced it"


def check_error(error: KvsStreamsError, world: World, timeout: float) -> None:
    """An error is one that the answers given explain."""
    codes = {answer.code for answer in world.answers}
    if isinstance(error, errors.WaitTimeoutError):
        assert error.waited >= timeout
    elif isinstance(error, errors.StreamDeletingError):
        assert error.last_status == "DELETING"
    elif isinstance(error, errors.ServiceError):
        assert error.code in codes or (error.code == "ResourceNotFoundException" and world.stale)
    elif isinstance(error, errors.UnexpectedResponseError):
        assert any(answer.body == NO_ARN.body for answer in world.answers)
    elif isinstance(error, errors.TransportError):
        assert any(answer.failure for answer in world.answers)
    else:
        assert isinstance(error, errors.StreamDriftError)
    own = [arn for method, _, _, arn in world.shown() if method == CREATE and arn is not None]
    assert (error.created and error.created.stream_arn) == (own[-1] if own else None)


def check_result(result: EnsuredStream, world: World, began: float, options: Any) -> None:
    """A result is the stream that was seen last, with its true outcome."""
    rows = world.shown()
    stream = next(each for each in world.history if each.arn == result.stream.stream_arn)
    assert stream.arn == [arn for *_, arn in rows if arn is not None][-1]
    status = result.stream.status
    assert status == "ACTIVE" if options["wait"] else status != "DELETING"
    creates = [row for row in rows if row[0] == CREATE]
    assert (result.outcome == "CREATED") is (stream.arn == creates[-1][3])
    if result.drift:
        assert (result.outcome, options.get("on_drift")) == ("EXISTING", "ignore")
    if result.outcome == "RECOVERED":
        assert stream.born > began - 1.002
        assert any(
            answer.failure or answer.retries or answer.status >= 408 or answer.body == NO_ARN.body
            for _, _, answer, _ in creates
        )


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CASES, st.sampled_from([CAM, VIDEO, TIERED]), OPTIONS, st.floats(0, 1, exclude_max=True))
@example({"script": REPLACED, "creating": 4.0}, CAM, {"timeout": 20, "wait": True}, 0.5)
def test_whatever_happens(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    case: dict[str, Any],
    request_: CreateStreamRequest,
    options: dict[str, Any],
    random: float,
) -> None:
    """A stream with its true outcome, or a typed error that loses no ARN; within the time."""
    world = World(use(VirtualClock(random), monkeypatch), **case)
    began = world.clock.elapsed
    _, end = end_of(Runner(kind, world), request_, **options)
    if isinstance(end, KvsStreamsError):
        check_error(end, world, options["timeout"])
    else:
        check_result(end, world, began, options)
    check_calls(world, began, options["timeout"])
