"""The least that a typed wrapper does: values into an object, the reply into another, no checks.

No wrapper of this kind is quicker, so what it takes is nobody's to save. It shares no code with the
library on purpose: a floor must not rise with what stands on it.
"""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


def _copied(tags: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if tags is None else dict(tags)


@frozen(kw_only=True)
class Storage:
    """The storage configuration."""

    default_storage_tier: Any


@frozen(kw_only=True)
class Request:
    """The request."""

    stream_name: Any
    device_name: Any = None
    media_type: Any = None
    kms_key_id: Any = None
    data_retention_in_hours: Any = None
    tags: Any = field(default=None, converter=_copied)
    stream_storage_configuration: Any = None

    def to_boto(self) -> dict[str, Any]:
        """Return the arguments for boto3."""
        kwargs: dict[str, Any] = {"StreamName": self.stream_name}
        if self.device_name is not None:
            kwargs["DeviceName"] = self.device_name
        if self.media_type is not None:
            kwargs["MediaType"] = self.media_type
        if self.kms_key_id is not None:
            kwargs["KmsKeyId"] = self.kms_key_id
        if self.data_retention_in_hours is not None:
            kwargs["DataRetentionInHours"] = self.data_retention_in_hours
        if self.tags is not None:
            kwargs["Tags"] = dict(self.tags)
        if self.stream_storage_configuration is not None:
            tier = self.stream_storage_configuration.default_storage_tier
            kwargs["StreamStorageConfiguration"] = {"DefaultStorageTier": tier}
        return kwargs


@frozen(kw_only=True)
class Response:
    """The response."""

    stream_arn: str
    request_id: str
    http_status_code: int
    retry_attempts: int


def unchecked(fields: Mapping[str, Any], tier: str | None) -> Request:
    """Build a request and check nothing."""
    storage = None if tier is None else Storage(default_storage_tier=tier)
    return Request(**fields, stream_storage_configuration=storage)


def response(reply: Any) -> Response:
    """Return a reply as an object."""
    exchange = reply["ResponseMetadata"]
    return Response(
        stream_arn=reply["StreamARN"],
        request_id=exchange["RequestId"],
        http_status_code=exchange["HTTPStatusCode"],
        retry_attempts=exchange["RetryAttempts"],
    )
