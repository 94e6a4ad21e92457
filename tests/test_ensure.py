"""``ensure_stream``: how it decides, and what it promises whatever happens.

A story is what the creates and the describes come to, in order, and what is returned or raised.
"""

import math
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError, StubResponseError
from hypothesis import HealthCheck, example, given, settings, strategies as st
from support.clock import VirtualClock, use
from support.runner import KINDS, SYNC, Runner
from support.service import (
    BROKEN,
    CONFLICT,
    CREATE,
    CUT,
    DENIED,
    DESCRIBE,
    FAULTS,
    LONG_AGO,
    LOST,
    NO_ARN,
    NOT_FOUND as GONE,
    REQUEST_ID,
    TAGS,
    THROTTLED,
    UNSENT,
    Answer,
    Model,
    Scripted,
    arn,
    created as new,
    described as seen,
    refused,
    tags,
)

from kvs_streams import (
    CreateStreamRequest,
    Drift,
    EnsuredStream,
    EnsureOutcome,
    KvsStreamsError,
    StreamStatus,
    StreamStorageConfiguration,
    errors,
)
from kvs_streams.errors import (
    AccessDeniedError as Denied,
    ClientLimitExceededException as Throttled,
    ResourceNotFoundException as NotFound,
    ServerError,
    ServiceError,
    StreamDeletingError as Deleting,
    StreamDriftError,
    TransportError as Lost,
    UnexpectedResponseError as Useless,
    WaitTimeoutError as Late,
)

ENSURE = "ensure_stream"
CAM = CreateStreamRequest(stream_name="cam")
TAGGED = CreateStreamRequest(stream_name="cam", tags={"site": "Bern"})
CREATED, RECOVERED, EXISTING = (
    EnsureOutcome.CREATED,
    EnsureOutcome.RECOVERED,
    EnsureOutcome.EXISTING,
)
RETRIED = CONFLICT.but(retries=1)
CREATING, DELETING = seen("CREATING"), seen("DELETING", LONG_AGO)
# What leaves the outcome of a create unknown, and our error for it.
UNKNOWN: dict[str, tuple[Answer, type[KvsStreamsError]]] = {
    "read timeout": (LOST, Lost),
    "connection closed": (CUT, Lost),
    "not sent at last, after several attempts": (UNSENT, Lost),
    "5xx": (BROKEN, ServerError),
    "RequestTimeout": (refused("RequestTimeout", 408), ServerError),
    "unknown code with 500": (refused("Oops", 500), ServerError),
    "no ARN": (NO_ARN, Useless),
    "null": (Answer(None), Useless),
}
# Each of them in turn, for stories in which it does not matter which.
DOUBTS = [pytest.param(answer, id=name) for name, (answer, _) in UNKNOWN.items()]

Story = tuple[list[Answer], list[Answer], EnsureOutcome, float]

# Creates, describes, the outcome, and when the stream returned was created.
STORIES: dict[str, Story] = {
    "new": ([new()], [GONE, CREATING, seen()], CREATED, 0),
    "there": ([CONFLICT], [seen(born=LONG_AGO)], EXISTING, LONG_AGO),
    "there, and being created": ([CONFLICT], [CREATING, seen()], EXISTING, 0),
    "throttled": ([THROTTLED, THROTTLED, new()], [seen()], CREATED, 0),
    "polls without an answer": ([new()], [THROTTLED, BROKEN, seen()], CREATED, 0),
    "polls that time out at AWS": (
        [new()],
        [refused("RequestTimeout", 408), refused("408", 408), seen()],
        CREATED,
        0,
    ),
    "conflict with itself": ([RETRIED], [seen()], RECOVERED, 0),
    "conflict with itself in an earlier attempt": (
        [THROTTLED.but(retries=1), CONFLICT],
        [seen()],
        RECOVERED,
        0,
    ),
    "conflict with an old stream": ([RETRIED], [seen(born=LONG_AGO)], EXISTING, LONG_AGO),
    "conflict, not found: created at once": ([CONFLICT, new(3)], [GONE, seen(born=3)], CREATED, 3),
    "conflict, not found, conflict": (
        [CONFLICT, CONFLICT, new(3)],
        [GONE, GONE, seen(born=3)],
        CREATED,
        3,
    ),
    "deleted by others first": (
        [CONFLICT, new(9)],
        [DELETING, THROTTLED, DELETING, GONE, seen(born=9)],
        CREATED,
        9,
    ),
    "deleted, then created by others": (
        [RETRIED, CONFLICT],
        [seen("DELETING"), seen("CREATING", 2), seen(born=2)],
        EXISTING,
        2,
    ),
    "deleted, and the next create is lost": (
        [CONFLICT, LOST],
        [DELETING, GONE, seen(born=2)],
        RECOVERED,
        2,
    ),
    "its own is seen and disappears, others create": (
        [RETRIED, CONFLICT],
        [CREATING, GONE, seen(born=2)],
        EXISTING,
        2,
    ),
    "seen after a conflict and gone": (
        [CONFLICT, new(2)],
        [CREATING, GONE, seen(born=2)],
        CREATED,
        2,
    ),
    "its own is visible late": (
        [RETRIED, CONFLICT],
        [GONE.but(takes=10), seen(born=0.5)],
        RECOVERED,
        0.5,
    ),
    # Whose stream it is, by its ARN.
    "stale reads of the predecessor": (
        [new(5)],
        [seen(born=LONG_AGO), DELETING, GONE, seen(born=5)],
        CREATED,
        5,
    ),
    "replaced by others": ([new(1)], [seen(born=2)], EXISTING, 2),
    "replaced by others while it is created": (
        [new(1)],
        [seen("CREATING", 1), seen("CREATING", 2), seen(born=2)],
        EXISTING,
        2,
    ),
    "the replacement is deleted": (
        [new(1), new(9)],
        [seen("DELETING", 2), GONE, seen(born=9)],
        CREATED,
        9,
    ),
    "the replacement disappears": (
        [new(1), new(9)],
        [seen("CREATING", 2), GONE, seen(born=9)],
        CREATED,
        9,
    ),
}


def tell(boto: Scripted, creates: list[Answer], describes: list[Answer]) -> None:
    """Script a story."""
    boto.on(CREATE, *creates).on(DESCRIBE, *describes)


@pytest.mark.parametrize("story", STORIES.values(), ids=list(STORIES))
def test_stories(run: Runner, boto: Scripted, story: Story) -> None:
    """Each story ends with the stream that is there, and the outcome says how it came about."""
    creates, describes, outcome, born = story
    tell(boto, creates, describes)
    ensured = run(ENSURE, CAM)
    assert ensured == EnsuredStream(stream=ensured.stream, outcome=outcome)
    assert ensured.stream.stream_arn == arn(born)
    assert ensured.stream.status is StreamStatus.ACTIVE


@pytest.mark.parametrize("doubt", DOUBTS)
def test_unknown_outcome_and_found(run: Runner, boto: Scripted, doubt: Answer) -> None:
    """Found within the grace, young and as requested: it is recovered."""
    tell(boto, [doubt], [GONE, CREATING, seen()])
    ensured = run(ENSURE, CAM)
    assert ensured == EnsuredStream(stream=ensured.stream, outcome=RECOVERED)
    assert boto.made == [CREATE, *[DESCRIBE] * 3]


@pytest.mark.parametrize("doubt", DOUBTS)
def test_unknown_outcome_and_gone(run: Runner, boto: Scripted, doubt: Answer) -> None:
    """Found after an unknown outcome is like a conflict: if it disappears, it is created again."""
    tell(boto, [doubt, new(5)], [CREATING, GONE, seen(born=5)])
    assert run(ENSURE, CAM).outcome is CREATED


@pytest.mark.parametrize("doubt, error", UNKNOWN.values(), ids=list(UNKNOWN))
def test_unknown_outcome_and_not_found(
    run: Runner, boto: Scripted, doubt: Answer, error: type[KvsStreamsError]
) -> None:
    """Not found within the grace: the error that left the outcome open is raised, as it was."""
    tell(boto, [doubt], [GONE.but(takes=3.4)] * 3)
    with pytest.raises(error) as caught:
        run(ENSURE, CAM)
    assert type(caught.value) is error
    assert caught.value.operation_name == "CreateStream"
    assert caught.value.created is None
    assert not isinstance(caught.value.__cause__, KvsStreamsError)


@pytest.mark.parametrize(
    "answer, error",
    [
        (DENIED, Denied),
        (refused("NotAuthorizedException", 401), Denied),
        (
            refused("AccountStreamLimitExceededException"),
            errors.AccountStreamLimitExceededException,
        ),
        (refused("InvalidArgumentException"), errors.InvalidRequestError),
        (refused("ExpiredTokenException", 403), errors.AuthenticationError),
        (refused("ThrottlingException"), errors.ThrottlingError),
        (GONE, NotFound),
        (refused("NoIdea"), ServiceError),
        (Answer(failure=StubResponseError(operation_name="x", reason="y")), StubResponseError),
    ],
)
def test_other_errors_of_the_create(
    run: Runner, boto: Scripted, answer: Answer, error: type[Exception]
) -> None:
    """Denied, full, invalid: it passes through, nothing is described and nothing is sent again."""
    boto.on(CREATE, answer)
    with pytest.raises(error) as caught:
        run(ENSURE, CAM)
    assert boto.made == [CREATE]
    assert "may have succeeded" not in str(caught.value)


@pytest.mark.parametrize("method", [CREATE, ENSURE])
def test_certainly_not_sent(run: Runner, clock: VirtualClock, method: str) -> None:
    """A single attempt without a connection leaves nothing to find out."""
    boto = Scripted(clock, attempts=1).on(CREATE, UNSENT)
    with pytest.raises(Lost) as caught:
        run.over(boto)(method, CAM)
    assert caught.value.outcome_unknown is False
    assert boto.made == [CREATE]


@pytest.mark.parametrize("status", ["CREATING", "UPDATING", "ACTIVE", "FROZEN"])
def test_without_waiting(run: Runner, boto: Scripted, status: str) -> None:
    """With ``wait=False`` the first describe that finds the stream is the last."""
    tell(boto, [CONFLICT, new()], [seen(status), GONE, seen(status)])
    assert run(ENSURE, CAM, wait=False).outcome is EXISTING
    ensured = run(ENSURE, CAM, wait=False)
    assert (ensured.outcome, ensured.stream.status) == (CREATED, status)
    assert boto.clock.sleeps == [0.5]


def test_what_is_created_is_not_compared(run: Runner, boto: Scripted) -> None:
    """The stream that this call created is as requested: no tags and no tier are read."""
    request = CreateStreamRequest(stream_name="cam", media_type="video/h264", tags={"a": "b"})
    tell(boto, [new()], [seen()])
    assert run(ENSURE, request).drift == ()
    assert boto.made == [CREATE, DESCRIBE]
    assert boto.sent(CREATE) == [request.to_boto()]


# What fails: creates, describes, options, the error, and when its ``created`` was created.

Failure = tuple[list[Answer], list[Answer], dict[str, Any], type[KvsStreamsError], float | None]
NO_WAIT: dict[str, Any] = {"wait": False}
FAILURES: dict[str, Failure] = {
    "created, seen, gone": ([new()], [CREATING, GONE], {}, NotFound, 0),
    "created, never found": ([new()], [GONE.but(takes=9.5), GONE], {}, NotFound, 0),
    "created, only stale reads": (
        [new(5)],
        [seen(born=LONG_AGO).but(takes=5)] * 2,
        {},
        NotFound,
        5,
    ),
    "created, stale to the deadline": (
        [new(5)],
        [seen(born=LONG_AGO)] * 3,
        {"timeout": 1},
        Late,
        5,
    ),
    "created, deleting": ([new()], [seen("DELETING")], {}, Deleting, 0),
    "created, deleting, no wait": ([new()], [seen("DELETING")], NO_WAIT, Deleting, 0),
    "created, denied": ([THROTTLED, new()], [DENIED], {}, Denied, 0),
    "created, lost": ([new()], [LOST], {}, Lost, 0),
    "created, cut": ([new()], [CREATING, CUT], {}, Lost, 0),
    "created, useless": ([new()], [Answer()], {}, Useless, 0),
    "created, late": ([new()], [CREATING.but(takes=60)], {"timeout": 30}, Late, 0),
    "deleted, created, denied": ([CONFLICT, new(7)], [DELETING, GONE, DENIED], {}, Denied, 7),
    "created, replaced, deleting": ([new(1)], [seen("DELETING", 2)], NO_WAIT, Deleting, 1),
    "created, replaced, gone, throttled": (
        [new(1), THROTTLED, THROTTLED],
        [seen("CREATING", 2), GONE],
        {"timeout": 0.75},
        Late,
        1,
    ),
    "created, replaced, gone, denied": (
        [new(1), DENIED],
        [seen("CREATING", 2), GONE],
        {},
        Denied,
        1,
    ),
    "deleting, no wait": ([CONFLICT], [DELETING], NO_WAIT, Deleting, None),
    "deleting to the deadline": ([CONFLICT], [DELETING] * 4, {"timeout": 1.5}, Late, None),
    "deleting, denied": ([CONFLICT], [DELETING, DENIED], {}, Denied, None),
    "conflict, denied": ([CONFLICT], [DENIED], {}, Denied, None),
    "conflict, lost": ([CONFLICT], [LOST], {}, Lost, None),
    "throttled to the end": ([THROTTLED] * 5, [], {}, Throttled, None),
    "throttled to the deadline": ([THROTTLED] * 2, [], {"timeout": 0.25}, Late, None),
    "conflict and not found, to the deadline": (
        [CONFLICT] * 3,
        [GONE] * 3,
        {"timeout": 1.25},
        Late,
        None,
    ),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=list(FAILURES))
def test_failures(run: Runner, boto: Scripted, failure: Failure) -> None:
    """Each failure is a typed error, which carries the response to the create that succeeded."""
    creates, describes, options, error, born = failure
    tell(boto, creates, describes)
    with pytest.raises(error) as caught:
        run(ENSURE, CAM, **options)
    assert type(caught.value) is error
    assert caught.value.stream_name == "cam"
    if born is None:
        assert caught.value.created is None
    else:
        assert caught.value.created is not None
        assert caught.value.created.stream_arn == arn(born)
        assert caught.value.created.request_id == REQUEST_ID
        assert caught.value.created.retry_attempts == creates.count(THROTTLED) * (born == 0)
    if isinstance(caught.value, Late):
        assert caught.value.waited >= options["timeout"]
    assert "may have succeeded" not in str(caught.value)
    assert "ResourceInUse" not in str(caught.value)


@pytest.mark.parametrize(
    "creates, describes",
    [*(([answer], []) for answer, _ in UNKNOWN.values()), ([RETRIED], []), ([LOST], [CREATING])],
)
@pytest.mark.parametrize(
    "last, error",
    [
        (DENIED, Denied),
        (refused("ExpiredTokenException", 403), errors.AuthenticationError),
        (CUT, Lost),
        (Answer(), Useless),
        (CREATING.but(takes=400), Late),
    ],
)
def test_both_are_told(
    run: Runner,
    boto: Scripted,
    creates: list[Answer],
    describes: list[Answer],
    last: Answer,
    error: type[KvsStreamsError],
) -> None:
    """A failure after a create of unknown outcome also says that the create may have succeeded."""
    tell(boto, creates, [*describes, last])
    with pytest.raises(error, match="may have succeeded") as caught:
        run(ENSURE, CAM)
    assert type(caught.value) is error
    assert caught.value.created is None
    if isinstance(caught.value, ServiceError):
        assert caught.value.message == "told by the service"
        assert caught.value.operation_name == "DescribeStream"


# The deadline.


def test_conflicts_and_describes_take_turns(run: Runner, boto: Scripted) -> None:
    """While creates conflict and describes find nothing, they alternate with growing pauses."""
    tell(boto, [*[CONFLICT] * 5, new(9)], [*[GONE] * 5, seen(born=9)])
    assert run(ENSURE, CAM).outcome is CREATED
    assert boto.made == [CREATE, DESCRIBE] * 6
    assert boto.times(CREATE)[:2] == [0.0, 0.0]
    assert boto.clock.sleeps[:4] == [0.5, 0.75, 1.125, 1.6875]


def test_each_create_has_a_grace_of_its_own(run: Runner, boto: Scripted) -> None:
    """The grace of ten seconds begins when the create is answered."""
    tell(
        boto,
        [CONFLICT.but(takes=30), new(40).but(takes=5)],
        [GONE.but(takes=9.9), GONE.but(takes=9.4), seen(born=40)],
    )
    assert run(ENSURE, CAM).outcome is CREATED


def test_one_deadline_for_all(run: Runner, boto: Scripted) -> None:
    """Retries, polls and reads draw on the same time."""
    tell(boto, [THROTTLED.but(takes=1), CONFLICT], [CREATING.but(takes=1), seen()])
    # 1 + 0.25 + 1 + 0.5 s have passed when the tags are read; 0.25 s and 0.25 s remain.
    boto.on(TAGS, *[THROTTLED] * 3)
    with pytest.raises(Late) as caught:
        run(ENSURE, TAGGED, timeout=3.25)
    assert boto.clock.sleeps == pytest.approx([0.25, 0.5, 0.25, 0.25])
    assert caught.value.last_status is StreamStatus.ACTIVE
    assert type(caught.value.__cause__) is Throttled
    assert type(caught.value.__cause__.__cause__) is ClientError
    assert caught.value.waited == pytest.approx(3.25)


@pytest.mark.parametrize("timeout, takes", [(0, 0.0), (1, 2.0)], ids=["no time", "slow create"])
@pytest.mark.parametrize(
    "create, describe, reads, wait, result",
    [
        (new(), seen(), [], True, CREATED),
        (new(), CREATING, [], False, CREATED),
        (new(), CREATING, [], True, Late),
        (new(), GONE, [], False, Late),
        (new(), THROTTLED, [], True, Late),
        (CONFLICT, seen(), [tags({"site": "Bern"})], True, EXISTING),
        (CONFLICT, CREATING, [tags({"site": "Bern"})], False, EXISTING),
        (CONFLICT, seen(), [tags({}, "2"), tags({"site": "Bern"})], True, EXISTING),
        (CONFLICT, seen(), [tags({})], True, StreamDriftError),
        (CONFLICT, seen(), [THROTTLED], True, Late),
        (CONFLICT, CREATING, [], True, Late),
        (CONFLICT, GONE, [], True, Late),
        (CONFLICT, DELETING, [], True, Late),
        (CONFLICT, DELETING, [], False, Deleting),
        (LOST, seen(), [tags({"site": "Bern"})], True, RECOVERED),
        (BROKEN, GONE, [], True, Late),
        (LOST, DENIED, [], True, Denied),
        (THROTTLED, None, [], True, Late),
        (DENIED, None, [], True, Denied),
    ],
)
def test_after_the_deadline(
    run: Runner,
    boto: Scripted,
    timeout: float,
    takes: float,
    create: Answer,
    describe: Answer | None,
    reads: list[Answer],
    wait: bool,
    result: Any,
) -> None:
    """No pause, no create, no further poll; what tells what the create came to is still done."""
    tell(boto, [create.but(takes=takes)], [] if describe is None else [describe])
    boto.on(TAGS, *reads)
    if isinstance(result, EnsureOutcome):
        assert run(ENSURE, TAGGED, wait=wait, timeout=timeout).outcome is result
    else:
        with pytest.raises(result) as caught:
            run(ENSURE, TAGGED, wait=wait, timeout=timeout)
        assert (caught.value.created is not None) is (not create.code and not create.failure)
        if create in (LOST, BROKEN):
            assert "may have succeeded" in str(caught.value)
    assert boto.clock.pauses == []


@pytest.mark.parametrize(
    "options, error, text",
    [
        ({"on_drift": "fix"}, ValueError, "on_drift must be 'raise' or 'ignore'"),
        ({"on_drift": None}, ValueError, "on_drift must be 'raise' or 'ignore'"),
        ({"timeout": -1}, ValueError, "timeout must be at least 0"),
        ({"timeout": "1"}, TypeError, "timeout must be a number"),
    ],
)
def test_options_that_are_refused(
    run: Runner, boto: Scripted, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """Nonsense is refused by name, before anything is created."""
    with pytest.raises(error, match=f"^{text}"):
        run(ENSURE, CAM, **options)
    assert boto.calls == []


def test_no_deadline(run: Runner, boto: Scripted) -> None:
    """``timeout=math.inf`` waits for ever."""
    tell(boto, [new()], [CREATING.but(takes=1e8), seen()])
    assert run(ENSURE, CAM, timeout=math.inf).outcome is CREATED


# Whether it is its own, by the server's clock, which shows whole seconds.

PHASES = [0.0, 0.0007, 0.25, 0.4999, 0.5, 0.9]


@pytest.mark.parametrize("doubt", [RETRIED, BROKEN, LOST, NO_ARN])
@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("takes", [0.0, 0.0003, 0.4993, 3.0])
def test_since_when_it_is_its_own(
    monkeypatch: pytest.MonkeyPatch, doubt: Answer, phase: float, takes: float
) -> None:
    """What was created in the millisecond in which the call began is its own, an older one not."""
    for since, outcome in [(0.0, RECOVERED), (-1.0, EXISTING)]:
        clock = use(VirtualClock(), monkeypatch)
        clock.advance(phase)
        boto = Scripted(clock).on(CREATE, doubt.but(takes=takes))
        born = math.floor(phase * 1000) / 1000 + since - 0.001 * (since < 0)
        boto.on(DESCRIBE, seen("CREATING", born), seen(born=born))
        assert Runner(SYNC, boto)(ENSURE, CAM).outcome is outcome


@pytest.mark.parametrize("born, outcome", [(0.0, RECOVERED), (-1.001, EXISTING)])
def test_reads_do_not_move_the_beginning(
    run: Runner, boto: Scripted, born: float, outcome: EnsureOutcome
) -> None:
    """Time that passes while the stream is compared changes nothing."""
    tell(boto, [LOST], [seen(born=born)])
    boto.on(TAGS, THROTTLED, THROTTLED, tags({"site": "Bern"}).but(takes=20))
    assert run(ENSURE, TAGGED).outcome is outcome


@pytest.mark.parametrize(
    "create, describe, outcome",
    [
        (RETRIED.but(date=None), seen(), RECOVERED),
        (RETRIED.but(date="Mon, 06 May 2041 07:08:09 -0000"), seen(), RECOVERED),
        *(
            (RETRIED.but(date=date), seen(born=9e8).but(date=date), EXISTING)
            for date in [None, "", "yesterday", "Fri, 31 Dec 9999 23:59:59 -0100"]
        ),
        (BROKEN, seen(CreationTime=None), EXISTING),
    ],
)
def test_without_the_servers_clock(
    run: Runner, boto: Scripted, create: Answer, describe: Answer, outcome: EnsureOutcome
) -> None:
    """Without a date that can be read, or a creation time, nothing is claimed."""
    tell(boto, [create], [describe])
    assert run(ENSURE, CAM).outcome is outcome


def test_what_differs_is_not_its_own(run: Runner, boto: Scripted) -> None:
    """A young stream with drift is somebody else's."""
    request = CreateStreamRequest(stream_name="cam", media_type="video/h264")
    tell(boto, [BROKEN], [seen()])
    ensured = run(ENSURE, request, on_drift="ignore")
    assert (ensured.outcome, ensured.drift) == (
        EXISTING,
        (Drift("media_type", "video/h264", None),),
    )


def test_drift_of_a_replacement_keeps_the_arn(run: Runner, boto: Scripted) -> None:
    """Where others replaced the stream by one that differs, the error still carries the ARN."""
    request = CreateStreamRequest(stream_name="cam", media_type="video/h264")
    tell(boto, [new(1)], [seen(born=2)])
    with pytest.raises(StreamDriftError) as caught:
        run(ENSURE, request)
    assert caught.value.created is not None
    assert caught.value.created.stream_arn == arn(1)


def test_arn_that_does_not_tell_its_age(run: Runner, boto: Scripted) -> None:
    """An ARN that cannot be read is neither older nor the one that was created."""
    tell(boto, [new(1)], [seen(StreamARN="arn:of:something")])
    assert run(ENSURE, CAM).outcome is EXISTING


# Whatever happens.


class World(Model):
    """The model of the service, and others who meddle with the stream before a call is answered."""

    def __init__(
        self, clock: VirtualClock, script: list[tuple[str | None, str | None]], **options: Any
    ) -> None:
        super().__init__(clock, **options)
        self.acts, faults = (
            (iter(column) for column in zip(*script, strict=True))
            if script
            else (
                iter(()),
                iter(()),
            )
        )
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

    def arns(self) -> list[str | None]:
        """Return what each call showed of an ARN."""
        bodies = [answer.body or {} for answer in self.answers]
        return [
            body.get("StreamARN", body.get("StreamInfo", body).get("StreamARN")) for body in bodies
        ]


SCRIPTS = st.lists(
    st.tuples(
        st.sampled_from([None, None, None, "create", "delete", "vanish"]),
        st.sampled_from([None, None, None, *FAULTS]),
    ),
    max_size=12,
)
WORLDS = st.fixed_dictionaries(
    {
        "script": SCRIPTS,
        "creating": st.sampled_from([0.0, 0.6, 4.0, 1e9]),
        "hidden": st.sampled_from([0.0, 0.0, 1.0, 8.0, 11.0]),
        "deleting": st.sampled_from([0.0, 3.0, 1e9]),
        "takes": st.sampled_from([0.0, 0.0003, 0.2, 3.0]),
        "stale": st.booleans(),
    }
)
TIMEOUTS = st.sampled_from([0, 0.1, 20]) | st.floats(0, 60)
REQUESTS = st.sampled_from(
    [
        CAM,
        CreateStreamRequest(stream_name="cam", media_type="video/h264"),
        CreateStreamRequest(
            stream_name="cam",
            tags={"site": "Bern"},
            stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
        ),
    ]
)


def check_pauses(world: World, began: float, timeout: float) -> None:
    """No pause begins or ends after the deadline, and one stream is not polled too often."""
    for at, length in world.clock.pauses:
        assert at - began < timeout
        assert at - began + length <= timeout + 1e-6
    for first, sixth in zip(world.times(DESCRIBE), world.times(DESCRIBE)[5:], strict=False):
        assert sixth - first > 1.0, "AWS allows 5 a second"


def check_calls(world: World, began: float, timeout: float) -> None:
    """No create comes after the deadline, after a denial, or while the stream created is there."""
    ends = [pytest.approx(at + length) for at, length in world.clock.pauses]
    for at in world.times(CREATE)[1:]:
        # A pause that is cut short ends at the deadline, and its call is the last.
        assert at - began < timeout or at in ends
    for number, at in enumerate(at for _, at, _ in world.calls):
        if world.made[number] == DESCRIBE and at - began > timeout + 1e-6:
            assert world.made[number - 1] == CREATE, "it tells what the create came to"
    arns = world.arns()
    creates = [number for number, method in enumerate(world.made) if method == CREATE]
    for one, other in pairwise(creates):
        answer = world.answers[one]
        if answer.code:
            assert answer.code in {THROTTLED.code, CONFLICT.code, BROKEN.code, "RequestTimeout"}
        if arns[one] is not None:
            assert max(filter(None, arns[one + 1 : other])) > arns[one], "others replaced it"
    for number in creates:
        if world.answers[number].code == DENIED.code:
            assert number == len(world.made) - 1


def check_error(error: KvsStreamsError, world: World, timeout: float) -> None:
    """An error is one that the answers given explain."""
    codes = {answer.code for answer in world.answers}
    if isinstance(error, Late):
        assert error.waited >= timeout
    elif isinstance(error, Deleting):
        assert error.last_status == "DELETING"
    elif isinstance(error, StreamDriftError):
        assert error.drift
    elif isinstance(error, NotFound):
        assert GONE.code in codes or world.stale
    elif isinstance(error, ServiceError):
        assert error.code in codes
    elif isinstance(error, Useless):
        assert any(answer is NO_ARN or answer.body == NO_ARN.body for answer in world.answers)
    else:
        assert type(error) is Lost
        assert any(answer.failure for answer in world.answers)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=WORLDS,
    exists=st.booleans(),
    request_=REQUESTS,
    timeout=TIMEOUTS,
    wait=st.booleans(),
    strict=st.booleans(),
    randoms=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=3),
    phase=st.floats(0, 1),
)
@example(  # What a lost create made was seen and went, and somebody else took the name.
    world={
        "script": [(None, "retried after"), (None, None), ("vanish", None), ("create", None)],
        "creating": 4.0,
    },
    exists=False,
    request_=CAM,
    timeout=20,
    wait=True,
    strict=True,
    randoms=[0.5],
    phase=0.0,
)
def test_whatever_happens(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    world: dict[str, Any],
    exists: bool,
    request_: CreateStreamRequest,
    timeout: float,
    wait: bool,
    strict: bool,
    randoms: list[float],
    phase: float,
) -> None:
    """A stream with its true outcome, or a typed error that loses no ARN; within the time."""
    clock = use(VirtualClock(*randoms), monkeypatch)
    clock.advance(phase)
    began, service = clock.elapsed, World(clock, **world)
    if exists:
        service.add("cam")
    options = {"wait": wait, "timeout": timeout, "on_drift": "raise" if strict else "ignore"}
    result: EnsuredStream | KvsStreamsError
    try:
        result = Runner(kind, service)(ENSURE, request_, **options)
    except KvsStreamsError as error:
        result = error
    check_pauses(service, began, timeout)
    check_calls(service, began, timeout)
    arns = service.arns()
    answered = [shown for method, shown in zip(service.made, arns, strict=True) if method == CREATE]
    own = [shown for shown in answered if shown is not None]
    if isinstance(result, KvsStreamsError):
        check_error(result, service, timeout)
        assert not isinstance(result, errors.ConfigurationError)
        assert (result.created.stream_arn if result.created else None) == (own[-1] if own else None)
        return
    shown = next(stream for stream in service.history if stream.arn == result.stream.stream_arn)
    assert result.stream.stream_arn == [each for each in arns if each is not None][-1]
    assert result.stream.status == "ACTIVE" if wait else result.stream.status != "DELETING"
    assert (result.outcome is CREATED) is (shown.arn == answered[-1])
    assert not (result.drift and (strict or result.outcome is not EXISTING))
    if result.outcome is RECOVERED:
        assert shown.born > began - 1.002
        assert any(
            answer.failure or answer.retries or answer.status >= 408 or answer.body == NO_ARN.body
            for method, answer in zip(service.made, service.answers, strict=True)
            if method == CREATE
        )
    if len(service.history) == 1 and not exists and answered == [None]:
        # Nobody else was there: the create that was not answered made the stream.
        assert (
            result.outcome is RECOVERED
            or result.drift
            or "create" in {act for act, _ in world["script"]}
        )


def test_a_stale_read_after_its_own_stream(run: Runner, boto: Scripted) -> None:
    """A describe that shows the predecessor again says nothing, once the new stream was seen."""
    boto.on(CREATE, new(1.0))
    boto.on(DESCRIBE, seen("CREATING", 1.0), seen("ACTIVE", LONG_AGO), seen("ACTIVE", 1.0))
    assert run("ensure_stream", CAM).outcome == "CREATED"
