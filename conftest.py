"""Run every Python block of README.md and docs/ on the test kit.

The blocks of a page share one namespace, where ``kvs`` is the kit, and run in the page's order on
one worker of pytest-xdist. What a block prints is compared with the ``output`` block below it. The
comment ``<!--- own-kit -->`` stands before a block that starts a kit of its own.
"""

from __future__ import annotations

import doctest
import os
import re
from contextlib import redirect_stdout, suppress
from importlib.util import find_spec
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from sybil import Region, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.integration.pytest import SybilItem
from sybil.parsers.myst import CodeBlockParser, SkipParser
from xdist.scheduler import LoadScopeScheduling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sybil import Document, Example
    from xdist.remote import Producer

FLAGS = doctest.ELLIPSIS
OWN_KIT = re.compile(r"^<!--- own-kit -->$", re.MULTILINE)


class Python(PythonEvaluator):
    """Runs a block, with a kit around it, and keeps what it prints."""

    def __call__(self, example: Example) -> str | None:
        """Run the block."""
        if example.namespace.pop("_own_kit", False):
            stop(example.namespace)
        else:
            start(example.namespace)
        printed = StringIO()
        with redirect_stdout(printed):
            failure = super().__call__(example)
        example.namespace["_printed"] = printed.getvalue()
        return failure


def find_own_kits(document: Document) -> Iterator[Region]:
    """Find the comments that announce a block with a kit of its own."""
    for found in OWN_KIT.finditer(document.text):
        yield Region(*found.span(), None, announce_own_kit)


def announce_own_kit(example: Example) -> None:
    """Let the next block start a kit."""
    example.namespace["_own_kit"] = True


def compare(example: Example) -> str | None:
    """Compare a block of output with what was printed; ``...`` stands for anything."""
    wanted, got = str(example.parsed), example.namespace["_printed"]
    checker = doctest.OutputChecker()
    if checker.check_output(wanted, got, FLAGS):
        return None
    return checker.output_difference(doctest.Example("", wanted), got, FLAGS)


def begin(namespace: dict[str, Any]) -> None:
    """Hide this machine's AWS settings, and let a page ask what is installed."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
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
        namespace["kvs"].check_unused()


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", Python()),
        CodeBlockParser("output", compare),
        SkipParser(),
        find_own_kits,
    ],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    setup=begin,
    teardown=stop,
).pytest()


class WholePages(LoadScopeScheduling):
    """Hands whole pages, and all the cases of a test, to the workers of pytest-xdist."""

    def _split_scope(self, nodeid: str) -> str:
        path, _, _ = nodeid.partition("::")
        return path if path.endswith(".md") else nodeid.partition("[")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WholePages:
    """Keep a page on one worker in every run, whatever ``--dist`` says."""
    return WholePages(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep each page whole and in order, wherever a random order puts its first block."""
    blocks: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if isinstance(item, SybilItem):
            blocks.setdefault(item.path, []).append(item)
    ordered: dict[pytest.Item, None] = {}
    for item in items:
        page = sorted(blocks.get(item.path, [item]), key=lambda block: block.reportinfo()[1] or 0)
        ordered.update(dict.fromkeys(page))
    items[:] = ordered
