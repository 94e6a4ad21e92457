"""What the kit changes in this process, each change with the way back."""

import os
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from attrs import frozen

_ABSENT = object()


@frozen
class _Change:
    """One change: the place, what it held before, and what the kit put there."""

    get: Callable[[], object]
    put: Callable[[object], None]
    before: object
    made: object
    variable: str | None = None
    """The name, if the place is an environment variable."""

    def undo(self, at_start: Mapping[str, str] | None = None) -> None:
        """Put back what was there, unless the place holds something else by now.

        Args:
            at_start: the environment before the test. A variable that had the kit's value already
                then, by coincidence, is left alone.
        """
        by_coincidence = (
            at_start is not None
            and self.variable is not None
            and at_start.get(self.variable) == self.made
        )
        if self.get() == self.made != self.before and not by_coincidence:
            self.put(self.before)


class Changes:
    """The changes of one kit, undone in reverse order.

    Code that changes the same place while the kit runs, and undoes that after the kit has stopped,
    restores what it found: something of the kit's. pytest's ``monkeypatch`` does so in a test
    that asks for it before ``kvs_mock``. Therefore ``undo`` touches only what the kit put there,
    and the plugin repeats it after the test, see ``undo_again``, and after each fixture that began
    while the kit ran and ends later than the test, see ``again``.
    """

    def __init__(self) -> None:
        self._changes: list[_Change] = []
        self.undone = False
        _recent.append(self)

    def attribute(self, owner: Any, name: str, value: object) -> None:
        """Set an attribute of a class or a module."""

        def put(content: object) -> None:
            if content is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, content)

        def get() -> object:
            return owner.__dict__.get(name, _ABSENT)

        self._make(get, put, value)

    def item(
        self,
        mapping: MutableMapping[str, Any],
        key: str,
        value: object,
        *,
        variable: str | None = None,
    ) -> None:
        """Set an item of a mapping; ``None`` removes it."""

        def put(content: object) -> None:
            if content is None:
                mapping.pop(key, None)
            else:
                mapping[key] = content

        self._make(lambda: mapping.get(key), put, value, variable)

    def variable(self, name: str, value: str | None) -> None:
        """Set an environment variable; ``None`` removes it."""
        self.item(os.environ, name, value, variable=name)

    def _make(
        self,
        get: Callable[[], object],
        put: Callable[[object], None],
        value: object,
        variable: str | None = None,
    ) -> None:
        self._changes.append(_Change(get, put, get(), value, variable))
        put(value)

    def undo(self, at_start: Mapping[str, str] | None = None) -> None:
        """Put back whatever is still, or again, as the kit made it."""
        self.undone = True
        for change in reversed(self._changes):
            change.undo(at_start)

    def again(self) -> None:
        """Undo once more, if the kit has stopped and no other runs."""
        if not running():
            self.undo()


# Bounded, since without the plugin nothing calls undo_again.
_recent: deque[Changes] = deque(maxlen=16)


def running() -> list[Changes]:
    """Return the changes of the kit that runs, if there is one."""
    return [changes for changes in _recent if not changes.undone]


def undo_again(at_start: Mapping[str, str] | None) -> None:
    """Undo once more what stopped kits had changed, in case other code has brought it back.

    Args:
        at_start: the environment before the test, if it is known.
    """
    for changes in reversed([changes for changes in _recent if changes.undone]):
        changes.undo(at_start)
        _recent.remove(changes)
