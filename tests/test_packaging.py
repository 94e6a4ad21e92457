"""What is shipped, under which names and version, and that every name explains itself."""

import ast
import inspect
import re
import subprocess
import sys
import typing
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest

import kvs_streams
import kvs_streams.errors
import kvs_streams.testing
import kvs_streams.typing

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
NAMES = [
    (module, name)
    for module in (kvs_streams, kvs_streams.typing, kvs_streams.testing)
    for name in module.__all__
]
EVERYTHING = [getattr(module, name) for module, name in NAMES]
named = pytest.mark.parametrize("public", EVERYTHING, ids=[name for _, name in NAMES])


def test_one_version() -> None:
    """The version is the same in the package, its metadata and the changelog's top entry."""
    top = re.search(r"^## \[(.+?)\] - \d{4}-\d{2}-\d{2}$", CHANGELOG.read_text(), re.MULTILINE)
    assert top is not None
    assert kvs_streams.__version__ == metadata.version("kvs_streams") == top[1]


def test_what_is_shipped() -> None:
    """The metadata name the licence and the four dependencies; plugin and types are there."""
    about = metadata.metadata("kvs_streams")
    assert about["License-Expression"] == "Apache-2.0"
    wanted = [line for line in metadata.requires("kvs_streams") or [] if "extra ==" not in line]
    needed = {re.split(r"[^\w-]", line)[0] for line in wanted}
    assert needed == {"attrs", "boto3", "botocore", "typing-extensions"}
    (plugin,) = metadata.entry_points(group="pytest11", name="kvs_streams")
    assert plugin.value == "kvs_streams.testing.plugin"
    assert resources.files("kvs_streams").joinpath("py.typed").is_file()


def test_all_is_what_is_there() -> None:
    """``__all__`` is sorted, and is what ``dir`` shows; other names fail."""
    shown = [name for name in dir(kvs_streams) if not name.startswith("__")]
    assert kvs_streams.__all__ == sorted(kvs_streams.__all__) == sorted(shown)
    with pytest.raises(AttributeError, match=r"^module 'kvs_streams' has no attribute 'nope'$"):
        _ = kvs_streams.nope


@named
def test_public_names_explain_themselves(public: Any) -> None:
    """Each public name has a docstring and a source of its own, and so has each public method."""
    body = ast.parse(inspect.getsource(public)).body[0]
    assert isinstance(body, ast.ClassDef | ast.FunctionDef)
    assert body.name == public.__name__
    assert ast.get_docstring(body)
    methods = [node for node in body.body if isinstance(node, ast.FunctionDef)]
    is_protocol = getattr(public, "_is_protocol", False)
    silent = [it.name for it in methods if not (it.name.startswith("_") or ast.get_docstring(it))]
    assert silent == [] or is_protocol


@named
def test_annotations_can_be_evaluated(public: Any) -> None:
    """Each annotation of each public class, method and property can be evaluated at run time."""
    typing.get_type_hints(public)
    for member in vars(public).values() if inspect.isclass(public) else []:
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        module = str(getattr(function, "__module__", ""))
        if inspect.isfunction(function) and module.startswith("kvs_streams"):
            inspect.signature(function, eval_str=True)


def test_each_name_works_as_the_first() -> None:
    """No name depends on another one that was used before."""
    program = """
import sys
import kvs_streams

for name in kvs_streams.__all__:
    for module in [module for module in sys.modules if module.split(".")[0] == "kvs_streams"]:
        del sys.modules[module]
    import kvs_streams

    assert getattr(kvs_streams, name).__name__ == name
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_sync_and_async_clients_are_twins() -> None:
    """Both clients have the same methods and parameters, described by the same first sentence."""
    sync, twin = kvs_streams.StreamsClient, kvs_streams.AsyncStreamsClient
    names = [name for name in vars(sync) if not name.startswith("_") and name != "close"]
    assert [name for name in vars(twin) if not name.startswith("_") and name != "aclose"] == names
    for name in names:
        pair = [getattr(client, name) for client in (sync, twin)]
        if callable(pair[0]):
            first, second = (inspect.cleandoc(it.__doc__ or "").split("\n")[0] for it in pair)
            assert first == second
            assert parameters(pair[0]) == parameters(pair[1])
    # Only the type of the first, the client that is passed in, differs.
    assert parameters(sync)[1:] == parameters(twin)[1:]


def parameters(function: Any) -> list[inspect.Parameter]:
    """Return the parameters; the async client takes async iterables too."""
    found = inspect.signature(function, eval_str=True).parameters.values()
    return [it.replace(annotation=None) if it.name == "requests" else it for it in found]
