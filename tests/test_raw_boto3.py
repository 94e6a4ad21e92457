"""What raw boto3 sends of bad requests, and that this library sends none."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from support.bad_requests import BAD_REQUESTS

from kvs_streams import CreateStreamRequest, RequestValidationError
from kvs_streams.testing import MockKvs


def bad(changes: dict[str, Any]) -> dict[str, Any]:
    """Return boto3's arguments for a good request with something wrong in it."""
    kwargs = {"StreamName": "cam-01", **changes}
    return {name: value for name, value in kwargs.items() if value is not ...}


def test_raw_boto3_sends_about_half_of_all_bad_requests(
    kvs_mock: MockKvs, kvs_boto_client: Any
) -> None:
    """Of 34 kinds of bad request raw boto3 refuses 18 and sends 16 to AWS."""
    errors = []
    for _, _, changes in BAD_REQUESTS:
        with pytest.raises((ParamValidationError, ClientError)) as caught:
            kvs_boto_client.create_stream(**bad(changes))
        errors.append(caught.type)
    assert (errors.count(ParamValidationError), kvs_mock.count()) == (18, 16)


@pytest.mark.parametrize("parameter, rule, changes", BAD_REQUESTS)
def test_no_bad_request_leaves_the_process(
    parameter: str, rule: str, changes: dict[str, Any]
) -> None:
    """Each kind of bad request is refused with its parameter and rule, before there is a client."""
    with pytest.raises(RequestValidationError) as caught:
        CreateStreamRequest.from_boto(bad(changes))
    (violation,) = caught.value.violations
    assert (violation.parameter, violation.rule) == (parameter.partition(" ")[0], rule)
