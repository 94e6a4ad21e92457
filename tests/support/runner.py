"""One way to call a client of any kind, so that one test body serves them all."""

import asyncio
from typing import Any

from .service import Awaited, Fake

# The sync client; the async client over a boto-like fake, in threads; and over coroutines.
SYNC, THREADS, COROUTINES = KINDS = ("sync", "threads", "coroutines")


class Runner:
    """Calls the methods of one kind of client over a fake: ``run("create_stream", request)``.

    Args:
        kind: One of ``KINDS``.
        fake: The boto client underneath.
        options: What else the client is made with.
    """

    def __init__(self, kind: str, fake: Fake | Any, **options: Any) -> None:
        from kvs_streams import AsyncStreamsClient, StreamsClient

        self.kind = kind
        self.fake = fake
        self.client: Any
        if kind == SYNC:
            self.client = StreamsClient(fake, **options)
        else:
            boto = Awaited(fake) if kind == COROUTINES else fake
            self.client = AsyncStreamsClient(boto, **options)

    def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method, and await it where it has to be."""
        if self.kind == SYNC:
            return getattr(self.client, method)(*args, **kwargs)

        async def awaited() -> Any:
            return await getattr(self.client, method)(*args, **kwargs)

        return asyncio.run(awaited())

    def over(self, fake: Fake | None = None, **options: Any) -> "Runner":
        """Return a runner of the same kind over another fake, or with other options."""
        return Runner(self.kind, self.fake if fake is None else fake, **options)
