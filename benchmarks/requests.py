"""The requests that are measured: realistic names, and texts of several scripts."""

from typing import Any

FIELDS: dict[str, Any] = {
    "stream_name": "camera-01.lobby",
    "device_name": "axis-p3245-lve",
    "media_type": "video/h264,audio/aac",
    "kms_key_id": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "data_retention_in_hours": 168,
}
TIER = "WARM"


def tags(count: int, *, ascii_only: bool) -> dict[str, str]:
    """Return tags as people write them: keys of about 12 characters, values of about 18."""
    if ascii_only:
        return {f"inventory-{i:02}": f"Building {i} north wing" for i in range(count)}
    return {f"場所:Gebäude-{i:02}": f"東京 Köln Αθήνα {i}" for i in range(count)}


CASES: dict[str, dict[str, Any]] = {
    "no tags": {**FIELDS, "tags": None},
    "10 tags, ASCII": {**FIELDS, "tags": tags(10, ascii_only=True)},
    "10 tags, non-ASCII": {**FIELDS, "tags": tags(10, ascii_only=False)},
    "50 tags, ASCII": {**FIELDS, "tags": tags(50, ascii_only=True)},
    "50 tags, non-ASCII": {**FIELDS, "tags": tags(50, ascii_only=False)},
}

# One request for each rule that breaks it: whoever is compared has to refuse them all.
BAD: list[dict[str, Any]] = [
    {"stream_name": 1},
    {"stream_name": ""},
    {"stream_name": "x" * 257},
    {"stream_name": "front door"},
    {"stream_name": "front\n"},
    {"device_name": "x" * 129},
    {"media_type": "h264"},
    {"media_type": "video/h264\n"},
    {"kms_key_id": "a\u2028b"},
    {"kms_key_id": "x" * 2049},
    {"data_retention_in_hours": -1},
    {"data_retention_in_hours": 87_601},
    {"data_retention_in_hours": True},
    {"data_retention_in_hours": 1.0},
    {"tags": {"": "x"}},
    {"tags": {"x" * 129: "x"}},
    {"tags": {"x": "x" * 257}},
    {"tags": {"x!": "x"}},
    {"tags": {"x": "x\n"}},
    {"tags": {"x": 1}},
    {"tags": {"aws:x": "x"}},
    {"tags": tags(51, ascii_only=True)},
]
# What comes close to a bad key and is a good one.
NEARLY_BAD = {"a": "", "aw": "", "aws": "", "awsx": "", "AWS:x": "", "x aws:": "aws:x"}
