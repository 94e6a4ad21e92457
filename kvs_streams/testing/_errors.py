"""The kit's own errors."""

from urllib.parse import urlsplit

_WAY_OUT = (
    "Take out what the test does not need, call clear() when the rest is not needed any more, or "
    "allow it: mock_kvs(allow_unused=True), in pytest @pytest.mark.kvs_options(allow_unused=True)."
)


class UnusedFaultError(AssertionError):
    """Something that the test scripted did not happen."""

    unused: tuple[str, ...]
    """What was scripted and did not happen, one sentence for each."""

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
        """Pickle by the constructor's arguments; pytest-xdist may send it to another process."""
        return type(self), (self.unused, self.calls)


class BlockedRequestError(RuntimeError):
    """A request was about to leave this machine, which no test under the kit may do."""

    url: str
    """Where the request was going."""

    proxy: str | None
    """The proxy that it was going through, if that is why it was blocked."""

    def __init__(self, url: str, proxy: str | None = None) -> None:
        self.url = url
        self.proxy = proxy
        blocked = f"kvs_streams.testing blocked a request to {urlsplit(url).hostname}"
        if proxy is None:
            super().__init__(
                f"{blocked}: under mock_kvs nothing leaves this machine. moto answers the standard "
                "endpoints of boto3 clients; aiobotocore and other clients find it with "
                "mock_kvs(server=True) at kvs.endpoint_url"
            )
        else:
            # Without the user and the password of the proxy.
            super().__init__(
                f"{blocked} through the proxy {urlsplit(proxy).hostname}: under mock_kvs nothing "
                "leaves this machine, and a proxy may forward requests elsewhere. In tests, make "
                "this client with a Config that has no proxies"
            )

    def __reduce__(self) -> tuple[type["BlockedRequestError"], tuple[str, str | None]]:
        """Pickle by the constructor's arguments."""
        return type(self), (self.url, self.proxy)
