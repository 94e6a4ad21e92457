"""All that the kit uses of the library itself."""
# ruff: noqa: PLC0414  # the kit imports these names from here

from kvs_streams import _limits
from kvs_streams._aio import AsyncStreamsClient as AsyncStreamsClient
from kvs_streams._client import StreamsClient as StreamsClient
from kvs_streams._flows.call import ThrottleRetry as ThrottleRetry
from kvs_streams._flows.io import Io
from kvs_streams._text import shown as shown
from kvs_streams._values import StreamArn as StreamArn, StreamStatus as StreamStatus
from kvs_streams.typing import KinesisVideoClient as KinesisVideoClient

# Where the clients find their clock: the attribute ``clock`` of this.
CLOCK_OWNER = Io
# Rules that botocore's model does not have, or not in a form that Python understands.
LONGEST_RETENTION = _limits.DATA_RETENTION_IN_HOURS.max
RESERVED_PREFIX = _limits.TAG_KEY_RESERVED_PREFIX
TAG_TEXT = _limits.TAG_TEXT
