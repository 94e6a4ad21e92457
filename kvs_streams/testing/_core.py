"""All that the kit uses of the library itself."""

from kvs_streams import _limits
from kvs_streams._aio import AsyncStreamsClient
from kvs_streams._client import StreamsClient
from kvs_streams._flows.call import ThrottleRetry
from kvs_streams._flows.io import Io
from kvs_streams._text import shown
from kvs_streams._values import StreamArn, StreamStatus
from kvs_streams.typing import KinesisVideoClient

__all__ = [
    "CLOCK",
    "LONGEST_RETENTION",
    "RESERVED_PREFIX",
    "TAG_TEXT",
    "AsyncStreamsClient",
    "KinesisVideoClient",
    "StreamArn",
    "StreamStatus",
    "StreamsClient",
    "ThrottleRetry",
    "shown",
]

# Where the clients find their clock.
CLOCK = (Io, "clock")
# Rules that botocore's model does not have, or not in a form that Python understands.
LONGEST_RETENTION = _limits.DATA_RETENTION_IN_HOURS.max
RESERVED_PREFIX = _limits.TAG_KEY_RESERVED_PREFIX
TAG_TEXT = _limits.TAG_TEXT
