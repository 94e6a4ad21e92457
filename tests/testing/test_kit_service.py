"""The operations around a create as the kit answers them, and its accounts and regions."""

import functools
import json
import urllib.request
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.session import get_session

from kvs_streams import CreateStreamRequest, ServiceError, StreamsClient, StreamStatus
from kvs_streams.testing import MockKvs, mock_kvs
from kvs_streams.testing._replies import _ERRORS
from kvs_streams.testing._script import OPERATIONS


def create(kvs: MockKvs, *names: str) -> None:
    """Create streams."""
    client = kvs.client()
    for name in names:
        client.create_stream(CreateStreamRequest(stream_name=name))


def refused(call: Any, code: str, text: str | None = None, **parameters: object) -> None:
    """Make a call that has to be refused."""
    with pytest.raises(ClientError, match=text) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code


# Lists


def names(reply: Any) -> list[str]:
    """Return the names in a page."""
    return [info["StreamName"] for info in reply["StreamInfoList"]]


def test_a_list_comes_in_pages(kvs: MockKvs) -> None:
    """A page holds ten streams by default, and each request is recorded."""
    create(kvs, *(f"cam-{n:02}" for n in range(23)))
    boto_client = kvs.boto_client()
    first = boto_client.list_streams()
    assert names(first) == [f"cam-{n:02}" for n in range(10)]
    pages = list(boto_client.get_paginator("list_streams").paginate())
    assert [len(names(page)) for page in pages] == [10, 10, 3]
    assert [name for page in pages for name in names(page)] == sorted(kvs.streams)
    assert "NextToken" not in pages[-1]
    assert names(boto_client.list_streams(MaxResults=10_000)) == sorted(kvs.streams)
    assert [len(names(boto_client.list_streams(MaxResults=n))) for n in (1, 23, 24)] == [1, 23, 23]
    assert "NextToken" not in boto_client.list_streams(MaxResults=23)
    assert kvs.count("list_streams") == 1 + 3 + 1 + 3 + 1


def test_a_page_holds_a_thousand_at_most() -> None:
    """``MaxResults=10000`` gives a thousand streams a page, as AWS does."""
    with mock_kvs(validate=False) as kvs:
        boto_client = kvs.boto_client()
        for n in range(1_001):
            boto_client.create_stream(StreamName=f"cam-{n:04}")
        page = boto_client.list_streams(MaxResults=10_000)
        assert len(names(page)) == 1_000
        rest = boto_client.list_streams(MaxResults=10_000, NextToken=page["NextToken"])
        assert names(rest) == ["cam-1000"]


def test_a_list_can_be_filtered(kvs: MockKvs) -> None:
    """``StreamNameCondition`` keeps the names with a prefix, page by page."""
    create(kvs, "a", "cam-1", "cam-2", "cam-3", "came", "d")
    boto_client = kvs.boto_client()
    begins = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "cam-"}
    page = boto_client.list_streams(StreamNameCondition=begins, MaxResults=2)
    assert names(page) == ["cam-1", "cam-2"]
    boto_client.delete_stream(StreamARN=kvs.streams["cam-2"].stream_arn)
    rest = boto_client.list_streams(
        StreamNameCondition=begins, MaxResults=2, NextToken=page["NextToken"]
    )
    assert names(rest) == ["cam-3"]
    none = boto_client.list_streams(StreamNameCondition={**begins, "ComparisonValue": "x"})
    assert none["StreamInfoList"] == []


def test_a_wrong_list_is_refused(kvs: MockKvs) -> None:
    """An unknown token, an unknown operator and too large a page are refused."""
    call = kvs.boto_client().list_streams
    for token in ("/", "/w=="):
        refused(call, "InvalidArgumentException", "NextToken", NextToken=token)
    condition = {"ComparisonOperator": "ENDS_WITH", "ComparisonValue": "x"}
    refused(call, "InvalidArgumentException", "BEGINS_WITH", StreamNameCondition=condition)
    refused(call, "InvalidArgumentException", "from 1 to 10000", MaxResults=10_001)


def test_a_list_shows_what_describe_shows(kvs: MockKvs) -> None:
    """An entry of a list is the stream's description; that of a stream before the kit as well."""
    create(kvs, "cam")
    boto_client = kvs.boto_client()
    described = boto_client.describe_stream(StreamName="cam")["StreamInfo"]
    (listed,) = boto_client.list_streams()["StreamInfoList"]
    # In the hour that summer time repeats, no time equals one of another time zone object.
    for info in (listed, described):
        info["CreationTime"] = info["CreationTime"].timestamp()
    assert listed == described
    assert described["Version"] == kvs.streams["cam"].version
    assert described["CreationTime"] == kvs.streams["cam"].creation_time.timestamp()


def test_lists_count_for_what_takes_time(kvs: MockKvs) -> None:
    """A list that shows a held or hidden stream counts like a describe, one that does not, not."""
    kvs.hide_new(1, stream_name="cam")
    kvs.hold_creating(2, stream_name="cam")
    create(kvs, "cam", "other")
    boto_client = kvs.boto_client()

    def statuses(**parameters: object) -> dict[str, str]:
        infos = boto_client.list_streams(**parameters)["StreamInfoList"]
        return {info["StreamName"]: info["Status"] for info in infos}

    others = {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "o"}
    assert statuses(StreamNameCondition=others) == {"other": "ACTIVE"}
    assert statuses() == {"other": "ACTIVE"}
    assert statuses() == {"cam": "CREATING", "other": "ACTIVE"}
    assert boto_client.describe_stream(StreamName="cam")["StreamInfo"]["Status"] == "CREATING"
    assert statuses() == {"cam": "ACTIVE", "other": "ACTIVE"}
    kvs.set_status("cam", StreamStatus.DELETING, describes=1)
    assert statuses() == {"cam": "DELETING", "other": "ACTIVE"}
    assert statuses() == {"other": "ACTIVE"}


# Updates


def test_updates_change_the_version(kvs: MockKvs) -> None:
    """Each update applies to the latest version only, and makes a new one."""
    create(kvs, "cam")
    boto_client = kvs.boto_client()
    versions = []

    def update(operation: str, **parameters: object) -> None:
        version = kvs.streams["cam"].version
        versions.append(version)
        call = getattr(boto_client, operation)
        refused(
            call, "VersionMismatchException", "is not the latest version",
            StreamName="cam", CurrentVersion="other", **parameters,
        )  # fmt: skip
        assert kvs.streams["cam"].version == version
        call(StreamName="cam", CurrentVersion=version, **parameters)

    update("update_stream", DeviceName="device-2")
    assert (kvs.streams["cam"].device_name, kvs.streams["cam"].media_type) == ("device-2", None)
    update("update_stream", MediaType="video/h264")
    record = kvs.streams["cam"]
    assert (record.device_name, record.media_type) == ("device-2", "video/h264")
    retention = "update_data_retention"
    update(retention, Operation="INCREASE_DATA_RETENTION", DataRetentionChangeInHours=24)
    assert kvs.streams["cam"].data_retention_in_hours == 24
    update(retention, Operation="DECREASE_DATA_RETENTION", DataRetentionChangeInHours=23)
    assert kvs.streams["cam"].data_retention_in_hours == 1
    warm = {"DefaultStorageTier": "WARM"}
    update("update_stream_storage_configuration", StreamStorageConfiguration=warm)
    assert kvs.streams["cam"].default_storage_tier == "WARM"
    versions.append(boto_client.describe_stream(StreamName="cam")["StreamInfo"]["Version"])
    assert len(set(versions)) == 6


@pytest.mark.parametrize(
    "operation,parameters",
    [
        ("update_stream", {"DeviceName": "no spaces"}),
        ("update_stream", {"MediaType": "video"}),
        (
            "update_data_retention",
            {"Operation": "DECREASE_DATA_RETENTION", "DataRetentionChangeInHours": 1},
        ),
        (
            "update_data_retention",
            {"Operation": "INCREASE_DATA_RETENTION", "DataRetentionChangeInHours": 87_601},
        ),
        ("update_data_retention", {"Operation": "DOUBLE", "DataRetentionChangeInHours": 1}),
        (
            "update_stream_storage_configuration",
            {"StreamStorageConfiguration": {"DefaultStorageTier": "COLD"}},
        ),
    ],
)
def test_wrong_updates_are_refused(
    kvs: MockKvs, operation: str, parameters: dict[str, Any]
) -> None:
    """What a create refuses an update refuses too, and the stream stays as it is."""
    create(kvs, "cam")
    before = kvs.streams["cam"]
    refused(
        getattr(kvs.boto_client(), operation), "InvalidArgumentException",
        StreamARN=before.stream_arn, CurrentVersion=before.version, **parameters,
    )  # fmt: skip
    assert kvs.streams["cam"] == before


@pytest.mark.parametrize("validate", [True, False])
def test_retention_is_never_negative(*, validate: bool) -> None:
    """A decrease beyond the current retention is invalid, also without validation."""
    with mock_kvs(validate=validate) as kvs:
        kvs.client().create_stream(
            CreateStreamRequest(stream_name="cam", data_retention_in_hours=5)
        )
        call = functools.partial(
            kvs.boto_client().update_data_retention,
            StreamName="cam",
            CurrentVersion=kvs.streams["cam"].version,
            Operation="DECREASE_DATA_RETENTION",
        )
        refused(call, "InvalidArgumentException", DataRetentionChangeInHours=6)
        assert kvs.streams["cam"].data_retention_in_hours == 5
        call(DataRetentionChangeInHours=5)
        assert kvs.streams["cam"].data_retention_in_hours == 0


def test_only_an_active_stream_can_be_updated(kvs: MockKvs) -> None:
    """A stream that is being created, updated or deleted is in use."""
    create(kvs, "cam")
    kvs.set_status("cam", "UPDATING")
    version = kvs.streams["cam"].version
    update = kvs.boto_client().update_stream
    parameters = {"StreamName": "cam", "CurrentVersion": version, "DeviceName": "d"}
    refused(update, "ResourceInUseException", "UPDATING", **parameters)
    kvs.release("cam")
    update(**parameters)


def test_delete_with_a_version(kvs: MockKvs) -> None:
    """A version keeps a stream that has changed from being deleted; without one it is deleted."""
    create(kvs, "cam", "other")
    boto_client = kvs.boto_client()
    old = kvs.streams["cam"]
    boto_client.update_stream(StreamName="cam", CurrentVersion=old.version, DeviceName="d")
    parameters = {"StreamARN": old.stream_arn, "CurrentVersion": old.version}
    refused(boto_client.delete_stream, "VersionMismatchException", **parameters)
    assert "cam" in kvs.streams
    boto_client.delete_stream(StreamARN=old.stream_arn, CurrentVersion=kvs.streams["cam"].version)
    boto_client.delete_stream(StreamARN=kvs.streams["other"].stream_arn)
    assert kvs.streams == {}


# Tags


def test_tags_are_added_replaced_and_removed(kvs: MockKvs) -> None:
    """Tags are merged by key, and removed by key; a missing key is no error."""
    kvs.client().create_stream(CreateStreamRequest(stream_name="cam", tags={"a": "1", "b": "2"}))
    arn, boto_client = kvs.streams["cam"].stream_arn, kvs.boto_client()
    boto_client.tag_stream(StreamARN=arn, Tags={"b": "3", "c": ""})
    assert kvs.streams["cam"].tags == {"a": "1", "b": "3", "c": ""}
    boto_client.untag_stream(StreamName="cam", TagKeyList=["a", "missing"])
    assert boto_client.list_tags_for_stream(StreamARN=arn)["Tags"] == {"b": "3", "c": ""}
    assert kvs.client().describe_stream("cam").version == kvs.streams["cam"].version


def test_tags_of_a_stream_without_any(kvs: MockKvs) -> None:
    """A stream that was created without tags can get some."""
    create(kvs, "cam")
    boto_client = kvs.boto_client()
    boto_client.untag_stream(StreamName="cam", TagKeyList=["a"])
    boto_client.tag_stream(StreamName="cam", Tags={"a": "1"})
    assert kvs.streams["cam"].tags == {"a": "1"}


def test_wrong_tags_are_refused(kvs: MockKvs) -> None:
    """The limits of tags hold for all tags of a stream together."""
    create(kvs, "cam")
    tag = kvs.boto_client().tag_stream
    tag(StreamName="cam", Tags={str(n): "" for n in range(50)})
    tag(StreamName="cam", Tags={"0": "again"})
    for tags, code in (
        ({"50": ""}, "TagsPerResourceExceededLimitException"),
        ({"k!": ""}, "InvalidArgumentException"),
        ({}, "ValidationException"),
    ):
        refused(tag, code, StreamName="cam", Tags=tags)
    assert len(kvs.streams["cam"].tags) == 50


# Other operations

# What an operation requires besides the stream.
NEEDED: dict[str, dict[str, Any]] = {
    "update_stream": {"CurrentVersion": "1"},
    "update_data_retention": {
        "CurrentVersion": "1",
        "Operation": "INCREASE_DATA_RETENTION",
        "DataRetentionChangeInHours": 1,
    },
    "update_stream_storage_configuration": {
        "CurrentVersion": "1",
        "StreamStorageConfiguration": {"DefaultStorageTier": "HOT"},
    },
    "tag_stream": {"Tags": {"a": ""}},
    "untag_stream": {"TagKeyList": ["a"]},
    "get_data_endpoint": {"APIName": "PUT_MEDIA"},
}


@pytest.mark.parametrize("operation", sorted(set(OPERATIONS) - {"create_stream", "list_streams"}))
def test_an_unknown_stream(kvs: MockKvs, operation: str) -> None:
    """Every operation on an unknown stream is not found."""
    parameters = NEEDED.get(operation, {})
    arn = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/cam/1700000000000"
    call = getattr(kvs.boto_client(), operation)
    refused(call, "ResourceNotFoundException", StreamARN=arn, **parameters)
    if operation != "delete_stream":
        refused(call, "ResourceNotFoundException", StreamName="cam", **parameters)


OF_NAME_OR_ARN = sorted(set(OPERATIONS) - {"create_stream", "list_streams", "delete_stream"})


@pytest.mark.parametrize("operation", OF_NAME_OR_ARN)
def test_neither_name_nor_arn(kvs: MockKvs, operation: str) -> None:
    """A request with neither a name nor an ARN is invalid, since the model requires one of them."""
    create(kvs, "cam")
    call = getattr(kvs.boto_client(), operation)
    text = "Either StreamName or StreamARN must be specified"
    refused(call, "InvalidArgumentException", text, **NEEDED.get(operation, {}))


@pytest.mark.parametrize("operation", OF_NAME_OR_ARN)
def test_the_name_and_the_arn_of_two_streams(kvs: MockKvs, operation: str) -> None:
    """A request with a name and an ARN that disagree is refused, and changes neither stream."""
    create(kvs, "cam", "other")
    before = kvs.streams
    arn = before["cam"].stream_arn
    call = getattr(kvs.boto_client(), operation)
    needed = NEEDED.get(operation, {})
    for name, wrong in (("other", arn), ("missing", arn), ("cam", f"{arn}0")):
        refused(
            call, "UnknownOperationException", "does not imitate a request with the name of one",
            StreamName=name, StreamARN=wrong, **needed,
        )  # fmt: skip
    assert kvs.streams == before
    if "CurrentVersion" not in needed:
        call(StreamName="cam", StreamARN=arn, **needed)


MODEL: Any = get_session().get_service_model("kinesisvideo")


@pytest.mark.parametrize(
    "name", [name for name in MODEL.operation_names if xform_name(name) not in OPERATIONS]
)
def test_what_is_not_imitated_says_so(kvs: MockKvs, name: str) -> None:
    """Every other operation of the service is refused by name, on record, and once."""
    shape = MODEL.operation_model(name).input_shape
    call = getattr(kvs.boto_client(), xform_name(name))
    with pytest.raises(
        ClientError, match=f"does not imitate {name}\\. Replace this call"
    ) as caught:
        call(**filled(shape))
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert [call.operation for call in kvs.calls] == [xform_name(name)]


def filled(shape: Any) -> Any:
    """Return a value for a shape of botocore's model, with all that it requires."""
    if shape.type_name == "structure":
        return {member: filled(shape.members[member]) for member in shape.required_members}
    if shape.type_name == "list":
        return [filled(shape.member)] * shape.metadata.get("min", 0)
    return {"string": "x" * 20, "integer": 1, "timestamp": 0}[shape.type_name]


def test_operations_and_errors_are_those_of_the_model() -> None:
    """The kit imitates only operations of AWS, and its errors have AWS's status."""
    assert set(OPERATIONS) <= set(map(xform_name, MODEL.operation_names))
    statuses = {
        shape.name: shape.metadata["error"]["httpStatusCode"] for shape in MODEL.error_shapes
    }
    # The model says 401; the service answers 403.
    statuses["AccessDeniedException"] = 403
    ours = {code: status for code, (status, _) in _ERRORS.items() if code in statuses}
    assert ours == {code: statuses[code] for code in ours}
    assert len(ours) > 8


def test_data_endpoint(kvs: MockKvs) -> None:
    """An endpoint is found by name and by ARN."""
    create(kvs, "cam")
    get = kvs.boto_client().get_data_endpoint
    by_name = get(StreamName="cam", APIName="PUT_MEDIA")["DataEndpoint"]
    by_arn = get(StreamARN=kvs.streams["cam"].stream_arn, APIName="PUT_MEDIA")["DataEndpoint"]
    assert by_name == by_arn


def test_moto_answers_at_the_data_endpoint(kvs: MockKvs) -> None:
    """A client in this process gets a session from moto at the endpoint that moto gives."""
    create(kvs, "cam")
    api_name = "GET_HLS_STREAMING_SESSION_URL"
    reply = kvs.boto_client().get_data_endpoint(StreamName="cam", APIName=api_name)
    endpoint = reply["DataEndpoint"]
    media: Any = boto3.client("kinesis-video-archived-media", endpoint_url=endpoint)
    url = media.get_hls_streaming_session_url(StreamName="cam")["HLSStreamingSessionURL"]
    assert url.startswith(f"{endpoint}/hls/")


def test_each_operation_can_fail(kvs: MockKvs) -> None:
    """Any operation that the kit imitates can be scripted to fail."""
    create(kvs, "cam")
    kvs.fail_next("ClientLimitExceededException", operation="tag_stream", stream_name="cam")
    kvs.fail_next("VersionMismatchException", operation="delete_stream")
    boto_client = kvs.boto_client()
    text = "Limit exceeded on number of requests for TagStream API"
    code = "ClientLimitExceededException"
    refused(boto_client.tag_stream, code, text, StreamName="cam", Tags={"a": ""})
    arn = kvs.streams["cam"].stream_arn
    refused(boto_client.delete_stream, "VersionMismatchException", "DescribeStream", StreamARN=arn)


# Accounts


def client_of(kvs: MockKvs, account: str) -> StreamsClient:
    """Return a client with a role in another account."""
    sts = boto3.client("sts")
    role = f"arn:aws:iam::{account}:role/cameras"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    session = boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    endpoint = kvs.boto_client().meta.endpoint_url
    return StreamsClient(session.client("kinesisvideo", endpoint_url=endpoint))


def test_accounts_are_apart(kvs: MockKvs) -> None:
    """Streams of one name in one region of two accounts are told apart by the account."""
    one, other = "111111111111", "222222222222"
    for account in (one, other):
        client = client_of(kvs, account)
        client.create_stream(CreateStreamRequest(stream_name="cam", tags={"account": account}))
    with pytest.raises(LookupError) as caught:
        _ = kvs.streams
    assert str(caught.value) == (
        f"stream 'cam' exists in us-east-1 of account {one} and in us-east-1 of account {other}: "
        "ask streams_in(region_name, account_id=...)"
    )
    with pytest.raises(LookupError, match=r"ask streams_in\(region_name, account_id=\.\.\.\)"):
        kvs.streams_in("us-east-1")
    for account in (one, other):
        (record,) = kvs.streams_in("us-east-1", account_id=account).values()
        assert (
            record.account_id == record.stream_arn.account_id == record.tags["account"] == account
        )
    assert kvs.streams_in("us-east-1", account_id="333333333333") == {}
    assert [call.account_id for call in kvs.calls] == [one, other]

    for ambiguous in (lambda: kvs.release("cam"), lambda: kvs.set_status("cam", "UPDATING")):
        with pytest.raises(LookupError, match="pass region_name, account_id or both"):
            ambiguous()
    kvs.set_status("cam", "UPDATING", account_id=other, region_name="us-east-1")
    statuses = [
        kvs.streams_in("us-east-1", account_id=account)["cam"].status for account in (one, other)
    ]
    assert statuses == ["ACTIVE", "UPDATING"]
    kvs.release("cam", account_id=other)
    assert kvs.streams_in("us-east-1", account_id=other)["cam"].status == "ACTIVE"
    with pytest.raises(LookupError, match="there is no stream 'cam'; there are: none"):
        kvs.release("cam", account_id=one, region_name="eu-west-1")


def test_an_account_limit_counts_each_account(kvs: MockKvs) -> None:
    """Each account has its own limit of streams."""
    kvs.account_limit(1)
    for account in ("111111111111", "222222222222"):
        client_of(kvs, account).create_stream(CreateStreamRequest(stream_name="cam"))


def test_the_account_of_a_record(kvs: MockKvs) -> None:
    """Without roles, all is in moto's own account, which a call has by default."""
    create(kvs, "cam")
    assert kvs.streams["cam"].account_id == kvs.calls[0].account_id == "123456789012"


# Regions


def test_an_unknown_region_is_refused_at_once() -> None:
    """A region that moto does not know is named, with what to do, before anything is called."""
    text = (
        "moto knows no region 'mars-1'. Choose another with region_name, for all clients with "
        "mock_kvs(region_name=...), or let moto accept any with the environment variable "
        "MOTO_ALLOW_NONEXISTENT_REGION=true"
    )
    with pytest.raises(ValueError, match="moto knows no region 'mars-1'") as caught:
        mock_kvs(region_name="mars-1").start()
    assert str(caught.value) == text
    with mock_kvs() as kvs:
        for make in (kvs.client, kvs.async_client, kvs.boto_client):
            with pytest.raises(ValueError, match="moto knows no region 'mars-1'"):
                make(region_name="mars-1")


@pytest.mark.parametrize("server", [False, True])
def test_an_unknown_region_of_a_client(camera: CreateStreamRequest, *, server: bool) -> None:
    """A client that the code under test makes gets the same sentence as AWS's answer."""
    with (
        mock_kvs(server=server) as kvs,
        StreamsClient(region_name="eu-central-99") as client,
    ):
        with pytest.raises(ServiceError, match="moto knows no region 'eu-central-99'") as caught:
            client.create_stream(camera)
        assert caught.value.code == "UnknownRegion"
        assert not caught.value.retryable
        assert kvs.calls == ()


def test_moto_can_accept_any_region(
    monkeypatch: pytest.MonkeyPatch, camera: CreateStreamRequest
) -> None:
    """With moto's own switch the kit accepts any region."""
    monkeypatch.setenv("MOTO_ALLOW_NONEXISTENT_REGION", "true")
    with mock_kvs(region_name="mars-1") as kvs:
        kvs.client().create_stream(camera)
        assert kvs.streams["cam"].region_name == "mars-1"


@pytest.mark.parametrize(
    "options,text",
    [
        ({"region_name": None}, "region_name must be a string, not None"),
        ({"server": "yes"}, "server must be True or False, not 'yes'"),
        ({"validate": 0}, "validate must be True or False, not 0"),
        ({"allow_unused": None}, "allow_unused must be True or False, not None"),
    ],
)
def test_wrong_options_are_refused(options: Any, text: str) -> None:
    """Options of a wrong type are refused when the kit is made."""
    with pytest.raises(TypeError, match=text):
        mock_kvs(**options)


def test_json_is_what_aws_sends() -> None:
    """A description has AWS's members; what is not set is null, as it was seen at AWS."""
    with mock_kvs(server=True) as kvs:
        create(kvs, "cam")
        request = urllib.request.Request(  # noqa: S310 - it is http
            f"{kvs.endpoint_url}/describeStream",
            b'{"StreamName": "cam"}',
            {
                "Content-Type": "application/json",
                "Authorization": "AWS4-HMAC-SHA256 Credential="
                "testing/20240101/us-east-1/kinesisvideo/aws4_request",
            },
        )
        with urllib.request.urlopen(request) as response:  # noqa: S310
            info = json.load(response)["StreamInfo"]
        assert info["DeviceName"] is info["MediaType"] is None
        assert info["CreationTime"] == kvs.streams["cam"].creation_time.timestamp()
        assert kvs.calls[-1].operation == "describe_stream"
