"""What is shipped, under which names and version, and that every name explains itself."""

import ast
import inspect
import re
import subprocess
import sys
import typing
from enum import Enum
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import pytest

import kvs_streams
import kvs_streams.errors
import kvs_streams.testing
import kvs_streams.typing

PACKAGE = Path(kvs_streams.__file__).parent
CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
CLASSES = {
    node.name: node
    for path in PACKAGE.rglob("*.py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}
EVERYTHING = [
    *(getattr(kvs_streams, name) for name in kvs_streams.__all__),
    *(getattr(kvs_streams.typing, name) for name in kvs_streams.typing.__all__),
    *(getattr(kvs_streams.testing, name) for name in kvs_streams.testing.__all__),
]


def test_one_version() -> None:
    """The version is the same in the package, its metadata and the changelog's top entry."""
    top = re.search(r"^## \[(.+?)\] - \d{4}-\d{2}-\d{2}$", CHANGELOG.read_text(), re.MULTILINE)
    assert top is not None
    assert kvs_streams.__version__ == metadata.version("kvs_streams") == top[1]


def test_metadata() -> None:
    """An installer and the registry learn what they need to know."""
    about = metadata.metadata("kvs_streams")
    assert about["Requires-Python"] == ">=3.10"
    assert about["License-Expression"] == "Apache-2.0"
    assert "Typing :: Typed" in about.get_all("Classifier", [])
    needed = {
        re.split(r"[^\w-]", line)[0]
        for line in metadata.requires("kvs_streams") or []
        if "extra ==" not in line
    }
    assert needed == {"attrs", "boto3", "botocore", "typing-extensions"}


def test_pytest_finds_the_plugin() -> None:
    """The entry point through which pytest loads the test kit's plugin is there."""
    (plugin,) = metadata.entry_points(group="pytest11", name="kvs_streams")
    assert plugin.value == "kvs_streams.testing.plugin"


def test_types_are_shipped() -> None:
    """The marker that makes type checkers read our annotations is part of the package."""
    assert resources.files("kvs_streams").joinpath("py.typed").is_file()


def test_all_is_what_is_there() -> None:
    """``__all__`` is sorted, and it is what ``dir`` shows, whatever was imported before."""
    shown = [name for name in dir(kvs_streams) if not name.startswith("__")]
    assert kvs_streams.__all__ == sorted(kvs_streams.__all__)
    assert sorted(shown) == kvs_streams.__all__


def test_type_checkers_see_the_same_names() -> None:
    """The names loaded lazily are those that type checkers and editors read in the stub."""
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {
        name: f"kvs_streams.{module}.{name}" for name, module in kvs_streams._HOMES.items()
    }


def test_every_error_is_on_the_face() -> None:
    """What can be raised can be caught without knowing our modules."""
    assert set(kvs_streams.errors.__all__) <= set(kvs_streams.__all__)


def test_unknown_names_are_refused_as_usual() -> None:
    """A name that is not there fails as in any other module."""
    with pytest.raises(AttributeError, match=r"^module 'kvs_streams' has no attribute 'nope'$"):
        _ = kvs_streams.nope


@pytest.mark.parametrize("name", kvs_streams.__all__)
def test_public_names_explain_themselves(name: str) -> None:
    """Help has something to say: own words, and no parent's or decorator's."""
    assert getattr(kvs_streams, name).__name__ == name
    assert name in CLASSES
    assert ast.get_docstring(CLASSES[name])


@pytest.mark.parametrize("public", EVERYTHING, ids=lambda public: public.__name__)
def test_source_is_found(public: Any) -> None:
    """``inspect.getsource`` finds each public class and function, as editors and debuggers do."""
    assert re.search(rf"^(class|def) {public.__name__}\b", inspect.getsource(public), re.MULTILINE)


@pytest.mark.parametrize("public", EVERYTHING, ids=lambda public: public.__name__)
def test_annotations_can_be_evaluated(public: Any) -> None:
    """Each annotation of each public class, method and property can be evaluated at run time."""
    typing.get_type_hints(public)
    for member in vars(public).values() if inspect.isclass(public) else []:
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        module = str(getattr(function, "__module__", ""))
        if inspect.isfunction(function) and module.startswith("kvs_streams"):
            typing.get_type_hints(function)
            inspect.signature(function, eval_str=True)
    if not (inspect.isclass(public) and issubclass(public, (Enum, dict))):
        inspect.signature(public, eval_str=True)


@pytest.mark.parametrize("name", kvs_streams.__all__)
def test_every_field_and_method_is_documented(name: str) -> None:
    """Below each field and in each public method stands what an editor shows for it."""
    body = CLASSES[name].body
    silent = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign | ast.Assign):
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            explained = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            inherited = isinstance(node, ast.Assign) and is_inherited(name, ast.unparse(target))
            if not (explained or inherited or ast.unparse(target).startswith("_")):
                silent.append(ast.unparse(target))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            silent += [node.name] * (not node.name.startswith("_") and not ast.get_docstring(node))
    assert silent == []


def is_inherited(name: str, attribute: str) -> bool:
    """Whether a parent, which explains it, has the attribute already."""
    return any(hasattr(parent, attribute) for parent in getattr(kvs_streams, name).__mro__[1:])


def test_names_are_loaded_when_used() -> None:
    """Each name works as the first that is used."""
    program = """
import sys
import kvs_streams

for name in kvs_streams.__all__:
    for module in [module for module in sys.modules if module.split(".")[0] == "kvs_streams"]:
        del sys.modules[module]
    import kvs_streams

    assert not [module for module in sys.modules if module.startswith("kvs_streams.")]
    assert getattr(kvs_streams, name).__name__ == name
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def members(client: type) -> dict[str, Any]:
    """Return the public methods and properties of a client, but for the way it closes."""
    return {
        name: member
        for name, member in vars(client).items()
        if not name.startswith("_") and name not in {"close", "aclose"}
    }


def test_sync_and_async_clients_are_twins() -> None:
    """Both clients have the same methods and parameters, described by the same first sentence."""
    sync, twin = members(kvs_streams.StreamsClient), members(kvs_streams.AsyncStreamsClient)
    assert list(sync) == list(twin)
    for name, member in sync.items():
        if isinstance(member, property):
            continue
        for read in (parameters, arguments):
            assert read(member) == read(twin[name]), name
        assert summary(member) == summary(twin[name])
    # Only the type of the first, the client that is passed in, differs.
    clients = kvs_streams.StreamsClient, kvs_streams.AsyncStreamsClient
    options, twin_options = (parameters(client)[1:] for client in clients)
    assert options == twin_options
    assert hasattr(kvs_streams.StreamsClient, "close")
    assert hasattr(kvs_streams.AsyncStreamsClient, "aclose")


def parameters(function: Any) -> list[inspect.Parameter]:
    """Return the parameters with names, kinds, defaults and annotations.

    Only what is iterated differs: the async client takes async iterables too.
    """
    found = inspect.signature(function, eval_str=True).parameters.values()
    return [it.replace(annotation=None) if it.name == "requests" else it for it in found]


def summary(function: Any) -> str:
    """Return the first sentence of a docstring."""
    return str(inspect.getdoc(function)).split("\n", maxsplit=1)[0]


def arguments(function: Any) -> list[str]:
    """Return the names that the docstring explains under ``Args``."""
    _, _, text = str(inspect.getdoc(function)).partition("Args:\n")
    return re.findall(r"^    (\w+): ", text.split("\n\n", maxsplit=1)[0], re.MULTILINE)


def test_create_stream_names_the_seven_exceptions() -> None:
    """The docstring that editors show names each documented exception with its reason."""
    text = str(inspect.getdoc(kvs_streams.StreamsClient.create_stream))
    for name, error in vars(kvs_streams.errors).items():
        if name.endswith("Exception") and issubclass(error, kvs_streams.ServiceError):
            expected = name != "ResourceNotFoundException"  # which no create answers
            assert bool(re.search(rf"^    {name}: \w", text, re.MULTILINE)) is expected
