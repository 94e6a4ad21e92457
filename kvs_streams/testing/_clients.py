"""The boto3 clients that the kit makes."""

import functools
import os
from collections.abc import Mapping
from typing import Any, Protocol

from ._core import KinesisVideoClient

PLACEHOLDER = "kvs-streams-testing"


class BotoClient(KinesisVideoClient, Protocol):
    """A plain boto3 client with the operations that the kit imitates."""

    exceptions: Any
    """boto3's own exception classes."""

    meta: Any
    """boto3's description of the client, such as its region."""

    def list_streams(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """List the streams."""

    def delete_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Delete a stream."""

    def get_data_endpoint(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Return the address for a stream's media."""

    def tag_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Add tags to a stream."""

    def untag_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Remove tags from a stream."""

    def update_stream(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Change a stream's device name or media type."""

    def update_data_retention(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Change for how long a stream's data is kept."""

    def update_stream_storage_configuration(self, *args: Any, **kwargs: Any) -> Mapping[str, Any]:
        """Change a stream's storage tier."""

    def get_paginator(self, operation_name: str) -> Any:
        """Return boto3's paginator for an operation, such as ``list_streams``."""

    def close(self) -> None:
        """Close the connections."""


@functools.cache
def boto_session() -> Any:
    """Return the session of the kit's own clients, which reads no configuration files.

    Making a session costs ten times what making a client costs.
    """
    import boto3
    import botocore.session

    session = botocore.session.Session()
    for variable in ("config_file", "credentials_file"):
        session.set_config_variable(variable, os.devnull)
    return boto3.Session(
        aws_access_key_id=PLACEHOLDER, aws_secret_access_key=PLACEHOLDER, botocore_session=session
    )
