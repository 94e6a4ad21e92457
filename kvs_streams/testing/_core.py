"""Everything that the kit uses from the library itself."""
# ruff: noqa: PLC0414  # the kit imports these names from here

import re

from kvs_streams import _clock, _rules
from kvs_streams._aio import AsyncStreamsClient as AsyncStreamsClient
from kvs_streams._client import StreamsClient as StreamsClient
from kvs_streams._flow import ThrottleRetry as ThrottleRetry
from kvs_streams._models import StreamArn as StreamArn, StreamStatus as StreamStatus
from kvs_streams._text import shown as shown
from kvs_streams.typing import KinesisVideoClient as KinesisVideoClient

# The module whose attribute ``clock`` the clients use.
CLOCK_OWNER = _clock
# Rules that botocore's model lacks, or has in a form that Python does not support.
LARGEST = {"DataRetentionInHours": _rules.DATA_RETENTION_IN_HOURS.max}
RESERVED_PREFIX = _rules.TAG_KEY.reserved_prefix
TAG_TEXT = re.compile(_rules.TAG_KEY.pattern)
