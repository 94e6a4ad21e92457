"""Run every Python block of README.md and docs/ on the test kit.

The blocks of a page share one namespace, where ``kvs`` is the kit. What a block prints is compared
with the ``output`` block below it. A block that starts a kit of its own has none around it.
"""

from __future__ import annotations

import doctest
from contextlib import redirect_stdout, suppress
from importlib.util import find_spec
from io import StringIO
from typing import TYPE_CHECKING, Any

from sybil import Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.myst import CodeBlockParser, SkipParser

if TYPE_CHECKING:
    from sybil import Example

FLAGS = doctest.ELLIPSIS


class Python(PythonEvaluator):
    """Runs a block, with a kit around it, and keeps what it prints."""

    def __call__(self, example: Example) -> str | None:
        """Run the block."""
        if "mock_kvs" in str(example.parsed):
            stop(example.namespace)
        else:
            start(example.namespace)
        printed = StringIO()
        with redirect_stdout(printed):
            failure = super().__call__(example)
        example.namespace["_printed"] = printed.getvalue()
        return failure


def compare(example: Example) -> str | None:
    """Compare a block of output with what was printed; ``...`` stands for anything."""
    wanted, got = str(example.parsed), example.namespace["_printed"]
    checker = doctest.OutputChecker()
    if checker.check_output(wanted, got, FLAGS):
        return None
    return checker.output_difference(doctest.Example("", wanted), got, FLAGS)


def begin(namespace: dict[str, Any]) -> None:
    """Let a page ask what is installed: some blocks need what not every environment has."""
    namespace["missing"] = lambda *names: not all(map(find_spec, names))


def start(namespace: dict[str, Any]) -> None:
    """Start a kit unless one runs: no block can reach AWS."""
    from kvs_streams.testing import mock_kvs  # noqa: PLC0415  # loaded in every run of the tests

    with suppress(RuntimeError):
        namespace["kvs"] = mock_kvs(region_name="eu-central-1").start()


def stop(namespace: dict[str, Any]) -> None:
    """Stop the kit if there is one; what a page scripts has to happen there."""
    if "kvs" in namespace:
        namespace["kvs"].stop()


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", Python()),
        CodeBlockParser("output", compare),
        SkipParser(),
    ],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    setup=begin,
    teardown=stop,
).pytest()
