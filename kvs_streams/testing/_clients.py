"""The boto3 clients that the kit makes."""

import functools
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ._core import KinesisVideoClient

_Operation = Callable[..., Mapping[str, Any]]
PLACEHOLDER = "kvs-streams-testing"


class BotoClient(KinesisVideoClient, Protocol):
    """A plain boto3 client with the operations that the kit imitates."""

    exceptions: Any
    """boto3's own exception classes."""

    meta: Any
    """boto3's description of the client, such as its region."""

    list_streams: _Operation
    """List the streams."""

    delete_stream: _Operation
    """Delete a stream."""

    get_data_endpoint: _Operation
    """Return the endpoint for a stream's media."""

    tag_stream: _Operation
    """Add tags to a stream."""

    untag_stream: _Operation
    """Remove tags from a stream."""

    update_stream: _Operation
    """Change a stream's device name or media type."""

    update_data_retention: _Operation
    """Change how long a stream's data is kept."""

    update_stream_storage_configuration: _Operation
    """Change a stream's storage tier."""

    get_paginator: Callable[[str], Any]
    """Return boto3's paginator for an operation, such as ``list_streams``."""

    close: Callable[[], None]
    """Close the connections."""


@functools.cache
def boto_session() -> Any:
    """Return the session of the kit's own clients, which reads no configuration files.

    Making a session takes ten times as long as making a client.
    """
    import boto3
    import botocore.session

    session = botocore.session.Session()
    for variable in ("config_file", "credentials_file"):
        session.set_config_variable(variable, os.devnull)
    return boto3.Session(
        aws_access_key_id=PLACEHOLDER, aws_secret_access_key=PLACEHOLDER, botocore_session=session
    )
