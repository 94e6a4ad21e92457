"""The kit's own error."""

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
