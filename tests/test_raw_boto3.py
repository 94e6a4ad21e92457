"""What raw boto3 sends of bad requests, and that this library sends none."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ParamValidationError

from kvs_streams import CreateStreamRequest, RequestValidationError, StreamsClient

# One bad request for each field and rule: what is wrong in an otherwise good request.
BAD_REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("StreamName", "required", {"StreamName": ...}),
    ("StreamName", "type", {"StreamName": 7}),
    ("StreamName", "min_length", {"StreamName": ""}),
    ("StreamName", "max_length", {"StreamName": "a" * 257}),
    ("StreamName", "pattern", {"StreamName": "front door"}),
    ("DeviceName", "type", {"DeviceName": 7}),
    ("DeviceName", "min_length", {"DeviceName": ""}),
    ("DeviceName", "max_length", {"DeviceName": "a" * 129}),
    ("DeviceName", "pattern", {"DeviceName": "camera 1"}),
    ("MediaType", "type", {"MediaType": 7}),
    ("MediaType", "min_length", {"MediaType": ""}),
    ("MediaType", "max_length", {"MediaType": "video/" + "h" * 123}),
    ("MediaType", "pattern", {"MediaType": "h264"}),
    ("KmsKeyId", "type", {"KmsKeyId": 7}),
    ("KmsKeyId", "min_length", {"KmsKeyId": ""}),
    ("KmsKeyId", "max_length", {"KmsKeyId": "k" * 2049}),
    ("KmsKeyId", "pattern", {"KmsKeyId": "alias/key\n"}),
    ("DataRetentionInHours", "type", {"DataRetentionInHours": 1.5}),
    ("DataRetentionInHours", "min", {"DataRetentionInHours": -1}),
    ("DataRetentionInHours", "max", {"DataRetentionInHours": 87_601}),
    ("Tags", "type", {"Tags": [{"Key": "site", "Value": "HQ"}]}),
    ("Tags", "max_items", {"Tags": {f"tag-{n}": "" for n in range(51)}}),
    ("Tags key", "type", {"Tags": {7: "HQ"}}),
    ("Tags key", "min_length", {"Tags": {"": "HQ"}}),
    ("Tags key", "max_length", {"Tags": {"k" * 129: "HQ"}}),
    ("Tags key", "pattern", {"Tags": {"site!": "HQ"}}),
    ("Tags key", "reserved_prefix", {"Tags": {"aws:site": "HQ"}}),
    ("Tags value", "type", {"Tags": {"site": 7}}),
    ("Tags value", "max_length", {"Tags": {"site": "v" * 257}}),
    ("Tags value", "pattern", {"Tags": {"site": "HQ!"}}),
    ("DefaultStorageTier", "required", {"StreamStorageConfiguration": {}}),
    ("DefaultStorageTier", "type", {"StreamStorageConfiguration": {"DefaultStorageTier": 7}}),
    ("DefaultStorageTier", "enum", {"StreamStorageConfiguration": {"DefaultStorageTier": "COLD"}}),
    ("StreamNam", "unknown", {"StreamNam": "cam-01"}),
]


def bad(changes: dict[str, Any]) -> dict[str, Any]:
    """Return boto3's arguments for a good request with something wrong in it."""
    kwargs = {"StreamName": "cam-01", **changes}
    return {name: value for name, value in kwargs.items() if value is not ...}


class Body:
    """The body of a reply that a handler makes up."""

    def stream(self) -> list[bytes]:
        """Give the whole body in one piece."""
        return [b'{"StreamARN": "arn"}']


@pytest.fixture(scope="module")
def recorder() -> tuple[Any, list[str]]:
    """Give a boto3 client whose requests end before the network, and the list of them."""
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    client = session.client("kinesisvideo")
    requests: list[str] = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        requests.append(request.url)
        return AWSResponse(request.url, 200, {}, Body())

    client.meta.events.register("before-send.kinesis-video.CreateStream", answer)
    return client, requests


@pytest.fixture
def client(recorder: tuple[Any, list[str]]) -> Any:
    """Give the boto3 client."""
    return recorder[0]


@pytest.fixture
def sent(recorder: tuple[Any, list[str]]) -> list[str]:
    """Give the list of what this test sends."""
    recorder[1].clear()
    return recorder[1]


def refuses(client: Any, kwargs: dict[str, Any]) -> bool:
    """Tell whether raw boto3 refuses these arguments."""
    try:
        client.create_stream(**kwargs)
    except ParamValidationError:
        return True
    return False


def test_raw_boto3_sends_about_half_of_all_bad_requests(client: Any, sent: list[str]) -> None:
    """Of 34 kinds of bad request raw boto3 refuses 18 and sends 16 to AWS."""
    refused = sum(refuses(client, bad(changes)) for _, _, changes in BAD_REQUESTS)
    assert (refused, len(sent)) == (18, 16)


@pytest.mark.parametrize(
    "parameter, rule, changes",
    BAD_REQUESTS,
    ids=[re.sub(r"\W", "-", f"{parameter}-{rule}") for parameter, rule, _ in BAD_REQUESTS],
)
def test_no_bad_request_leaves_the_process(
    client: Any, sent: list[str], parameter: str, rule: str, changes: dict[str, Any]
) -> None:
    """Each kind of bad request is refused with its parameter and rule, and nothing is sent."""
    with pytest.raises(RequestValidationError) as caught:
        StreamsClient(client).create_stream(CreateStreamRequest.from_boto(bad(changes)))
    (violation,) = caught.value.violations
    assert (violation.parameter, violation.rule) == (parameter.partition(" ")[0], rule)
    assert sent == []
