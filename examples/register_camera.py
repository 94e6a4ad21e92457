"""A function as an application has it; ``test_register_camera.py`` beside it tests it.

Run this file to register a camera on your own AWS account.
"""

from __future__ import annotations

import sys

from kvs_streams import CreateStreamRequest, KvsStreamsError, StreamArn, StreamsClient


def register_camera(name: str, site: str) -> StreamArn:
    """Make sure that a camera has a stream that is ACTIVE; return its ARN."""
    request = CreateStreamRequest(
        stream_name=name,
        media_type="video/h264",
        data_retention_in_hours=24,
        tags={"site": site},
    )
    with StreamsClient() as client:
        return client.ensure_stream(request, timeout=60).stream.stream_arn


def main(arguments: list[str]) -> int:
    """Register the camera of the name and site that are given; return the exit status."""
    if len(arguments) != 2:  # noqa: PLR2004  # a name and a site
        print("usage: python register_camera.py NAME SITE", file=sys.stderr)
        return 2
    try:
        print(register_camera(*arguments))
    except KvsStreamsError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
