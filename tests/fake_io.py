"""A scripted service without a network: a fake boto client under the real clients, in virtual time.

``Answer`` is what one call comes to. ``ScriptedBoto`` gives the answers of a script, and ``AioBoto``
puts any such fake behind ``await``. ``Runner`` runs the methods of either client over them.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError
from support.clock import FakeClock

from kvs_streams import AsyncStreamsClient, StreamsClient, ThrottleRetry

# The server's time when a script begins: half past a second, and far from this machine's own.
SERVER_START = datetime(2041, 5, 6, 7, 8, 9, 500_000, tzinfo=timezone.utc)
CLIENTS = ["sync", "async"]
REQUEST_ID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


@dataclass(frozen=True)
class Answer:
    """What a call comes to: a body, an error code, or a failure on the way."""

    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    code: str = ""
    status: int = 200
    retries: int = 0
    takes: float = 0.0
    date: str | None = "now"
    failure: Exception | None = None

    def given_at(self, now: datetime) -> dict[str, Any]:
        """Return or raise what boto would, with the server's time ``now`` in the headers."""
        if self.failure is not None:
            raise self.failure
        date = format_datetime(now, usegmt=True) if self.date == "now" else self.date
        metadata = {
            "RequestId": REQUEST_ID,
            "HTTPStatusCode": self.status,
            "HTTPHeaders": {} if date is None else {"date": date},
            "RetryAttempts": self.retries,
        }
        if self.code:
            error = {"Code": self.code, "Message": "told by the service"}
            raise ClientError({"Error": error, "ResponseMetadata": metadata}, "TheOperation")
        return {**self.body, "ResponseMetadata": metadata}

    def but(self, **changes: Any) -> "Answer":
        return replace(self, **changes)


def refused(code: str, status: int = 400) -> Answer:
    return Answer(code=code, status=status)


def arn(born: float = 0.0) -> str:
    moment = SERVER_START + timedelta(seconds=born)
    millis = round(moment.timestamp() * 1000)
    return f"arn:aws:kinesisvideo:eu-west-1:123456789012:stream/cam/{millis}"


def created(born: float = 0.0) -> Answer:
    """A create that worked, ``born`` seconds after the start of the script."""
    return Answer(body={"StreamARN": arn(born)})


def seen(status: str = "ACTIVE", born: float = 0.0, **members: object) -> Answer:
    """A describe of a stream that was born that many seconds after the start of the script."""
    info = {
        "StreamName": "cam",
        "StreamARN": arn(born),
        "Status": status,
        "CreationTime": SERVER_START + timedelta(seconds=born),
    }
    return Answer(body={"StreamInfo": info | members})


THROTTLED = refused("ClientLimitExceededException")
CONFLICT = refused("ResourceInUseException")
NOT_FOUND = refused("ResourceNotFoundException", 404)
BROKEN = refused("InternalFailure", 500)
DENIED = refused("AccessDeniedException", 403)


class FakeBoto:
    """Stands in for a boto3 client; ``answer`` decides what each call comes to."""

    def __init__(self, clock: FakeClock, *, attempts: int | None = None) -> None:
        self.clock = clock
        self.start = clock.time
        self.calls: list[tuple[str, float, dict[str, Any]]] = []
        retries = {} if attempts is None else {"total_max_attempts": attempts}
        self.meta = SimpleNamespace(config=SimpleNamespace(retries=retries))

    def answer(self, method: str) -> Answer:
        raise NotImplementedError

    def server_time(self) -> datetime:
        return SERVER_START + timedelta(seconds=self.clock.time - self.start)

    def _call(self, method: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, self.clock.time - self.start, kwargs))
        # A flow that never ends would hang the run: nothing here needs as many calls as that.
        assert len(self.calls) < 2_000, "the flow does not end"
        answer = self.answer(method)
        self.clock.advance(answer.takes)
        return answer.given_at(self.server_time())

    def create_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("create_stream", kwargs)

    def describe_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("describe_stream", kwargs)

    def list_tags_for_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("list_tags_for_stream", kwargs)

    def describe_stream_storage_configuration(self, **kwargs: Any) -> dict[str, Any]:
        return self._call("describe_stream_storage_configuration", kwargs)

    def made(self) -> list[str]:
        """The methods called, in order."""
        return [method for method, _, _ in self.calls]

    def times(self, method: str) -> list[float]:
        """When a method was called, in seconds since the start."""
        return [time for name, time, _ in self.calls if name == method]


class ScriptedBoto(FakeBoto):
    """Answers from a queue for each method; a queue that runs empty fails the test."""

    def __init__(self, clock: FakeClock, *, attempts: int | None = None) -> None:
        super().__init__(clock, attempts=attempts)
        self.script: dict[str, deque[Answer]] = {}

    def on(self, method: str, *answers: Answer) -> None:
        self.script.setdefault(method, deque()).extend(answers)

    def answer(self, method: str) -> Answer:
        queue = self.script.get(method)
        assert queue, f"nothing is scripted for call {len(self.calls)}, {method}"
        return queue.popleft()

    def verify(self) -> None:
        """Fail if a scripted answer was never asked for."""
        unused = {method: list(queue) for method, queue in self.script.items() if queue}
        assert not unused, f"nobody asked for: {unused}"


class AioBoto:
    """The same fake, to be awaited."""

    def __init__(self, boto: FakeBoto) -> None:
        self.boto = boto
        self.meta = boto.meta

    async def create_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.create_stream(**kwargs)

    async def describe_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.describe_stream(**kwargs)

    async def list_tags_for_stream(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.list_tags_for_stream(**kwargs)

    async def describe_stream_storage_configuration(self, **kwargs: Any) -> dict[str, Any]:
        return self.boto.describe_stream_storage_configuration(**kwargs)


class Runner:
    """One client of either kind over a fake, behind plain calls."""

    def __init__(
        self, kind: str, boto: FakeBoto, throttle_retry: ThrottleRetry | None = None
    ) -> None:
        retry = throttle_retry or ThrottleRetry()
        self.boto = boto
        self.client: Any
        if kind == "sync":
            self.client = StreamsClient(boto, throttle_retry=retry)
        else:
            self.client = AsyncStreamsClient(AioBoto(boto), throttle_retry=retry)
        self.client._clock = boto.clock

    def run(self, method: str, *args: Any, **kwargs: Any) -> Any:
        result = getattr(self.client, method)(*args, **kwargs)
        if isinstance(self.client, StreamsClient):
            return result

        async def awaited() -> Any:
            return await result

        return asyncio.run(awaited())
