"""A service on loopback that answers at once, in a process of its own: no cost of it is ours.

Run as ``python -m benchmarks.server``: it prints its port and serves until its input ends. Paths
below ``/refuse`` are answered with an error, all others with a created stream.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_ARN = "arn:aws:kinesisvideo:eu-central-1:123456789012:stream/camera-01/1598784211076"
_REFUSAL = "InvalidArgumentException"


def _reply(status: str, body: object, *headers: str) -> bytes:
    content = json.dumps(body).encode()
    head = [
        f"HTTP/1.1 {status}",
        "Date: Sun, 01 Nov 2026 08:00:00 GMT",
        "Content-Type: application/json",
        "x-amzn-RequestId: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
        f"Content-Length: {len(content)}",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + content


_CREATED = _reply("200 OK", {"StreamARN": _ARN})
_REFUSED = _reply("400 Bad Request", {"Message": "no"}, f"x-amzn-ErrorType: {_REFUSAL}")


class _Service(asyncio.Protocol):
    """One connection, kept alive; asyncio sets TCP_NODELAY on each."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for type checkers
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, separator, rest = self._received.partition(b"\r\n\r\n")
            if not separator:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(rest) < length:
                return
            self._received = rest[length:]
            refuses = head.startswith(b"POST /refuse/")
            self._transport.write(_REFUSED if refuses else _CREATED)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Service, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def serving() -> Iterator[str]:
    """Run the service and give its URL."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(  # noqa: S603  # this Python, our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None  # noqa: S101  # for type checkers
        assert process.stdout is not None  # noqa: S101  # for type checkers
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve())
