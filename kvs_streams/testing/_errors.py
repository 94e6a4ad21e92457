"""The kit's own errors."""

from urllib.parse import urlsplit

_WAY_OUT = (
    "Take out what the test does not need, call clear() when the rest is not needed any more, or "
    "allow it: mock_kvs(allow_unused=True), in pytest @pytest.mark.kvs_options(allow_unused=True)."
)


class UnusedFaultError(AssertionError):
    """Something that the test scripted never happened."""

    unused: tuple[str, ...]
    """What was scripted and has not happened, a sentence for each."""

    def __init__(self, unused: tuple[str, ...], calls: str) -> None:
        self.unused = unused
        self.calls = calls
        super().__init__(
            "\n".join(
                [
                    "The test ended, and some of what it scripted had not happened:",
                    *(f"  - {sentence}" for sentence in unused),
                    f"Requests that were made: {calls}.",
                    _WAY_OUT,
                ]
            )
        )

    def __reduce__(self) -> tuple[type["UnusedFaultError"], tuple[tuple[str, ...], str]]:
        """Pickle by what it was made of; pytest-xdist may send it to another process."""
        return type(self), (self.unused, self.calls)


class BlockedRequestError(RuntimeError):
    """A request was about to leave this machine, which no test under the kit may do."""

    def __init__(self, url: str) -> None:
        self.url = url
        host = urlsplit(url).hostname
        super().__init__(
            f"kvs_streams.testing stopped a request to {host}: under mock_kvs nothing leaves this "
            "machine. moto answers the standard endpoints of boto3 clients; aiobotocore and other "
            "clients find it with mock_kvs(server=True) at kvs.endpoint_url"
        )

    def __reduce__(self) -> tuple[type["BlockedRequestError"], tuple[str]]:
        """Pickle by what it was made of."""
        return type(self), (self.url,)


# Tracebacks, reprs and pickles show the names that users import.
UnusedFaultError.__module__ = BlockedRequestError.__module__ = "kvs_streams.testing"
