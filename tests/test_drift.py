"""What an existing stream is compared with, and what becomes of reads that fail."""

import pytest
from support.runner import Runner
from support.service import (
    BROKEN,
    CONFLICT,
    CREATE,
    DENIED,
    DESCRIBE,
    LOST,
    NOT_FOUND,
    REQUEST_ID,
    STORAGE,
    TAGS,
    THROTTLED,
    Answer,
    Scripted,
    arn,
    created,
    described,
    refused,
    tags,
    tier,
)

from kvs_streams import (
    CreateStreamRequest,
    Drift,
    EnsureOutcome,
    StreamStorageConfiguration,
    ThrottleRetry,
    errors,
)

ENSURE = "ensure_stream"
FULL = CreateStreamRequest(
    stream_name="cam",
    device_name="axis",
    media_type="video/h264",
    kms_key_id="alias/cameras",
    data_retention_in_hours=24,
    tags={"site": "Bern", "note": "", "gone": "x"},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
SAME = {
    "DeviceName": "axis",
    "MediaType": "video/h264",
    "KmsKeyId": "arn:aws:kms:eu-west-1:123456789012:alias/cameras",
    "DataRetentionInHours": 24,
}
ALL_TAGS = tags({"site": "Bern", "note": "", "gone": "x"})


def found(boto: Scripted, tag_pages: list[Answer], tiers: list[Answer], **members: object) -> None:
    """Let the stream exist, with these members, pages of tags and storage tier."""
    boto.on(CREATE, CONFLICT).on(DESCRIBE, described(**members))
    boto.on(TAGS, *tag_pages).on(STORAGE, *tiers)


def test_no_drift(run: Runner, boto: Scripted) -> None:
    """All that is requested is there, on several pages and beside more: nothing drifted."""
    pages = [tags({"site": "Bern", "more": "1"}, "2"), tags({"note": ""}, "3"), THROTTLED]
    found(boto, [*pages, tags({"gone": "x"})], [THROTTLED, tier("WARM")], **SAME)
    ensured = run(ENSURE, FULL)
    assert (ensured.outcome, ensured.drift, ensured.unverified) == (EnsureOutcome.EXISTING, (), ())
    by_name = {"StreamName": "cam"}
    assert boto.sent(TAGS) == [by_name, *(by_name | {"NextToken": token} for token in "233")]
    assert boto.sent(STORAGE) == [by_name] * 2
    # Both pauses are those of the throttles.
    assert len(boto.clock.sleeps) == 2


DRIFT = (
    Drift("device_name", "axis", "bosch"),
    Drift("media_type", "video/h264", None),
    Drift("kms_key_id", "alias/cameras", "alias/other"),
    Drift("data_retention_in_hours", 24, 48),
    Drift("tags['site']", "Bern", "Basel"),
    Drift("tags['gone']", "x", None),
    Drift("stream_storage_configuration.default_storage_tier", "WARM", "ICE"),
)
DIFFERENT = {"DeviceName": "bosch", "KmsKeyId": "alias/other", "DataRetentionInHours": 48}


def test_drift(run: Runner, boto: Scripted) -> None:
    """Every difference is told at once, in the order of the fields, with the stream as it is."""
    pages = [tags({"site": "Basel", "note": ""})] * 2
    found(boto, pages, [tier("ICE")] * 2, **DIFFERENT)
    with pytest.raises(errors.StreamDriftError) as caught:
        run(ENSURE, FULL)
    assert (caught.value.drift, caught.value.unverified) == (DRIFT, ())
    assert caught.value.stream.device_name == "bosch"
    assert caught.value.created is None
    assert caught.value.stream_name == "cam"
    boto.on(CREATE, CONFLICT).on(DESCRIBE, described(**DIFFERENT))
    ensured = run(ENSURE, FULL, on_drift="ignore")
    assert (ensured.drift, ensured.unverified) == (DRIFT, ())


def test_only_what_is_requested_is_compared(run: Runner, boto: Scripted) -> None:
    """What the request leaves open may be anything, and nothing is read for it."""
    found(boto, [], [], **SAME)
    assert run(ENSURE, CreateStreamRequest(stream_name="cam")).drift == ()
    assert boto.made == [CREATE, DESCRIBE]


@pytest.mark.parametrize("requested, shown, drifted", [(0, None, False), (24, None, True)])
def test_retention(
    run: Runner, boto: Scripted, requested: int, shown: int | None, drifted: bool
) -> None:
    """A stream without a retention retains nothing, which is what 0 requests."""
    request = CreateStreamRequest(stream_name="cam", data_retention_in_hours=requested)
    found(boto, [], [], DataRetentionInHours=shown)
    drift = (Drift("data_retention_in_hours", 24, 0),) * drifted
    assert run(ENSURE, request, on_drift="ignore").drift == drift


NO_TAG = (Drift("tags['site']", "", None),)


@pytest.mark.parametrize(
    "page, drift", [(tags(None), NO_TAG), (Answer(), NO_TAG), (tags({"site": None}), ())]
)
def test_tags_that_are_not_there(
    run: Runner, boto: Scripted, page: Answer, drift: tuple[Drift, ...]
) -> None:
    """No tags, and a tag without a value, are like an empty page and an empty value."""
    request = CreateStreamRequest(stream_name="cam", tags={"site": ""})
    found(boto, [page], [])
    assert run(ENSURE, request, on_drift="ignore").drift == drift


ID, OTHER = "1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-00000000000000000000000000000000"
ACCOUNT = "arn:aws:kms:eu-west-1:123456789012:"
STRANGER = "arn:aws:kms:eu-west-1:999999999999:"
SAME_KEY, OTHER_KEY, UNKNOWN = True, False, None
KEYS: list[tuple[str, str | None, bool | None]] = [
    (ID, f"{ACCOUNT}key/{ID}", SAME_KEY),
    (f"{ACCOUNT}key/{ID}", ID, SAME_KEY),
    (f"{ACCOUNT}key/{ID}", f"{STRANGER}key/{ID}", OTHER_KEY),
    (ID, f"{ACCOUNT}key/{OTHER}", OTHER_KEY),
    ("alias/cameras", f"{ACCOUNT}alias/cameras", SAME_KEY),
    (f"{ACCOUNT}alias/a/b", "alias/a/b", SAME_KEY),
    (f"{STRANGER}alias/cameras", f"{ACCOUNT}alias/cameras", OTHER_KEY),
    ("alias/cameras", "alias/Cameras", OTHER_KEY),
    # A stream without a key is encrypted with the AWS managed key.
    (f"{ACCOUNT}alias/aws/kinesisvideo", None, SAME_KEY),
    ("alias/cameras", None, OTHER_KEY),
    (ID, None, UNKNOWN),
    ("alias/cameras", f"{ACCOUNT}key/{ID}", UNKNOWN),
]


@pytest.mark.parametrize("requested, shown, same", KEYS)
def test_keys(
    run: Runner, boto: Scripted, requested: str, shown: str | None, same: bool | None
) -> None:
    """Names of one form are compared; an alias and a key cannot be, which is said."""
    request = CreateStreamRequest(stream_name="cam", kms_key_id=requested)
    found(boto, [], [], KmsKeyId=shown)
    ensured = run(ENSURE, request, on_drift="ignore")
    assert ensured.drift == (Drift("kms_key_id", requested, shown),) * (same is OTHER_KEY)
    assert ensured.unverified == (("kms_key_id",) if same is UNKNOWN else ())


@pytest.mark.parametrize(
    "answer",
    [
        DENIED,
        *(refused(code) for code in ("UnknownOperationException", "InvalidAction")),
        *(refused("NotImplemented", status) for status in (400, 404, 405, 501)),
        *(refused(str(status), status) for status in (404, 405, 501)),
    ],
    ids=lambda answer: f"{answer.code} {answer.status}",
)
def test_unverified(run: Runner, boto: Scripted, answer: Answer) -> None:
    """What must not be read, or is not offered, is named; nothing else is made of it."""
    found(boto, [answer], [answer], **SAME | {"KmsKeyId": ID})
    ensured = run(ENSURE, FULL)
    assert ensured.drift == ()
    assert ensured.unverified == ("kms_key_id", "tags", "stream_storage_configuration")


def test_unverified_beside_drift(run: Runner, boto: Scripted) -> None:
    """An error about differences also names what could not be compared; half of the tags say no."""
    found(boto, [tags({}, "2"), DENIED], [tier("ICE")], **SAME | {"KmsKeyId": ID})
    with pytest.raises(errors.StreamDriftError) as caught:
        run(ENSURE, FULL)
    assert caught.value.drift == DRIFT[-1:]
    assert caught.value.unverified == ("kms_key_id", "tags")


FAILED_READS: dict[str, tuple[list[Answer], type[Exception]]] = {
    "5xx": ([BROKEN], errors.ServerError),
    "generic throttle": ([refused("ThrottlingException")], errors.ThrottlingError),
    "throttle to the end": ([THROTTLED] * 2, errors.ClientLimitExceededException),
    "invalid": ([refused("InvalidArgumentException")], errors.InvalidRequestError),
    "403 without a code": ([refused("403", 403)], errors.ServiceError),
    "lost": ([LOST], errors.TransportError),
}


@pytest.mark.parametrize("operation", [TAGS, STORAGE])
@pytest.mark.parametrize("answers, error", FAILED_READS.values(), ids=list(FAILED_READS))
def test_failed_reads_are_raised(
    run: Runner, boto: Scripted, operation: str, answers: list[Answer], error: type[Exception]
) -> None:
    """Any other failure of a read is raised, never hidden."""
    found(boto, [ALL_TAGS] if operation == STORAGE else [], [], **SAME)
    boto.on(operation, *answers)
    with pytest.raises(error) as caught:
        run.over(throttle_retry=ThrottleRetry(max_attempts=2))(ENSURE, FULL)
    assert caught.value.created is None
    assert caught.value.stream_name == "cam"


@pytest.mark.parametrize("reply", [Answer(), Answer(None), tier("")])
def test_reply_without_a_tier(run: Runner, boto: Scripted, reply: Answer) -> None:
    """A success without the tier is neither equal nor a difference."""
    found(boto, [ALL_TAGS], [reply], **SAME)
    with pytest.raises(errors.UnexpectedResponseError, match="has no DefaultStorageTier") as caught:
        run(ENSURE, FULL)
    assert caught.value.request_id == (None if reply.body is None else REQUEST_ID)


@pytest.mark.parametrize("operation", [TAGS, STORAGE])
def test_gone_while_it_is_compared(run: Runner, boto: Scripted, operation: str) -> None:
    """Gone between the describe and the comparison: the name is free, and it is created."""
    found(boto, [ALL_TAGS] if operation == STORAGE else [], [], **SAME)
    boto.on(operation, NOT_FOUND)
    boto.on(CREATE, created(3)).on(DESCRIBE, described(born=3))
    ensured = run(ENSURE, FULL)
    assert (ensured.outcome, ensured.stream.stream_arn) == (EnsureOutcome.CREATED, arn(3))
