"""Hypothesis strategies for requests, their parts and ARNs: all valid, but for ``anything``."""

import string
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from kvs_streams import CreateStreamRequest, StorageTier, StreamStorageConfiguration

NAME_CHARACTERS = string.ascii_letters + string.digits + "_.-"


def names(max_size: int = 256) -> st.SearchStrategy[str]:
    """Names of streams, or of devices with a ``max_size`` of 128."""
    return st.text(NAME_CHARACTERS, min_size=1, max_size=max_size)


def media_types() -> st.SearchStrategy[str]:
    """One to three media types, joined by commas."""
    part = st.text(NAME_CHARACTERS + "+", min_size=1, max_size=20)
    return st.lists(st.tuples(part, part).map("/".join), min_size=1, max_size=3).map(",".join)


def kms_key_ids() -> st.SearchStrategy[str]:
    """Anything that the pattern lets pass."""
    characters = st.characters(exclude_characters="\n\r\x85\u2028\u2029")
    return st.text(characters, min_size=1, max_size=2048)


def tag_texts(min_size: int, max_size: int) -> st.SearchStrategy[str]:
    """Texts of letters, digits and spaces of any script that this Python knows."""
    characters = st.characters(categories=["L", "N", "Z"], include_characters="_.:/=+-@")
    return st.text(characters, min_size=min_size, max_size=max_size)


def tags(max_size: int = 50) -> st.SearchStrategy[dict[str, str]]:
    """Tags, none of them reserved; possibly no tags at all."""
    keys = tag_texts(1, 128).filter(lambda key: not key.startswith("aws:"))
    return st.dictionaries(keys, tag_texts(0, 256), max_size=max_size)


def request_kwargs() -> st.SearchStrategy[dict[str, Any]]:
    """Keyword arguments of ``CreateStreamRequest``, some ``None``, some left out."""
    storage = st.builds(
        StreamStorageConfiguration, default_storage_tier=st.sampled_from(StorageTier)
    )
    hours = st.integers(0, 87_600)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "device_name": names(128),
        "media_type": media_types(),
        "kms_key_id": kms_key_ids(),
        "data_retention_in_hours": hours | hours.map(lambda count: timedelta(hours=count)),
        "tags": tags(),
        "stream_storage_configuration": storage,
    }
    return st.fixed_dictionaries(
        {"stream_name": names()},
        optional={name: st.none() | values for name, values in optional.items()},
    )


def requests() -> st.SearchStrategy[CreateStreamRequest]:
    """Requests."""
    return request_kwargs().map(lambda kwargs: CreateStreamRequest(**kwargs))


def arn_parts() -> st.SearchStrategy[dict[str, Any]]:
    """What the ARN of a stream is made of; ``created_at`` in epoch milliseconds."""
    return st.fixed_dictionaries(
        {
            "aws_partition": st.sampled_from(["aws", "aws-cn", "aws-us-gov", "aws-iso-b"]),
            "region": st.sampled_from(["eu-central-1", "cn-north-1", "us-gov-west-1"]),
            "account_id": st.text(string.digits, min_size=12, max_size=12),
            "stream_name": names(),
            "created_at": st.integers(0, 253_402_300_799_999),  # up to the end of the year 9999
        }
    )


def anything() -> st.SearchStrategy[Any]:
    """Values of every kind, few of them right for any field."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.timedeltas()
        | st.sampled_from([b"HOT", "HOT", "aws:x", "video/h264", 87_601, "a\n"])
    )
    return scalars | st.lists(scalars, max_size=3) | st.dictionaries(scalars, scalars, max_size=3)
