"""boto3's client as type checkers see it: with all its operations, typed where boto3-stubs is.

The name is that of the stubs, and a wildcard imports it, because only this form works in mypy,
pyright, pyrefly and ty alike: without the stubs the import binds nothing, and the class below it is
what is left.
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
