"""Examples, imported and run as programs in this process."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

Run = Callable[..., tuple[int, str, str]]


def load(name: str) -> ModuleType:
    """Import an example."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def runner(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return what runs an example with arguments, and gives its exit status, output and errors.

    Each question gets the next of the answers; where none is left, there is nobody to ask.
    """

    def run(*arguments: object, answers: list[str] | None = None) -> tuple[int, str, str]:
        left = iter(answers or [])

        def answer(question: str) -> str:
            print(question)
            for reply in left:
                return reply
            raise EOFError

        monkeypatch.setattr(sys, "argv", [f"{program.__name__}.py", *map(str, arguments)])
        monkeypatch.setattr("builtins.input", answer)
        try:
            status = program.main()
        except SystemExit as end:
            status = end.code
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run
