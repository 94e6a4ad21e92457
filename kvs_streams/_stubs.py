"""The type of boto3's client, with all operations; they are typed if boto3-stubs is installed.

The class has the name that the stubs use and is imported by a wildcard, because only this form
works in mypy, pyright, pyrefly and ty. Without the stubs the import binds nothing, and the class
below it is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    try:
        from mypy_boto3_kinesisvideo.client import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary, reportAssignmentType]
    except ImportError:

        class KinesisVideoClient:  # type: ignore[no-redef]  # there is none without the stubs
            """A boto3 client for Kinesis Video Streams, without boto3-stubs."""

            def __getattr__(self, name: str) -> Any: ...

else:
    from .typing import KinesisVideoClient as KinesisVideoClient  # noqa: PLC0414  # it is re-exported
