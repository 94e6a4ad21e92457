"""What is shipped, under which names and version, and that every name explains itself."""

import ast
import inspect
import re
import subprocess
import sys
from importlib import metadata, resources
from pathlib import Path

import pytest

import kvs_streams
import kvs_streams.errors

PACKAGE = Path(kvs_streams.__file__).parent
CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"
CLASSES = {
    node.name: node
    for path in PACKAGE.glob("*.py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body
    if isinstance(node, ast.ClassDef)
}


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
        name: f"kvs_streams.{kvs_streams._HOMES.get(name, 'errors')}.{name}"
        for name in kvs_streams.__all__
    }
    (listed,) = (
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    assert listed == kvs_streams.__all__


def test_every_error_is_on_the_face() -> None:
    """What can be raised can be caught without knowing our modules."""
    assert set(kvs_streams.errors.__all__) <= set(kvs_streams.__all__)


def test_unknown_names_are_refused_as_usual() -> None:
    """A name that is not there fails as in any other module."""
    with pytest.raises(AttributeError, match=r"^module 'kvs_streams' has no attribute 'nope'$"):
        _ = kvs_streams.nope  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", kvs_streams.__all__)
def test_public_names_are_at_home_on_the_face(name: str) -> None:
    """Tracebacks and pickles say ``kvs_streams.X``, and help has something to say."""
    public = getattr(kvs_streams, name)
    assert (public.__module__, public.__name__) == ("kvs_streams", name)
    # Its own words: not those of a parent, nor the signature that a decorator would put there.
    assert name in CLASSES
    assert ast.get_docstring(CLASSES[name])


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
    assert getattr(kvs_streams, name).__module__ == "kvs_streams"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_sync_and_async_clients_are_twins() -> None:
    """Both clients have the same methods with the same parameters, but for the way they close."""
    sync, twin = kvs_streams.StreamsClient, kvs_streams.AsyncStreamsClient

    def methods(client: type) -> dict[str, list[inspect.Parameter]]:
        return {
            name: [
                parameter.replace(annotation=inspect.Parameter.empty)
                for parameter in inspect.signature(method).parameters.values()
            ]
            for name, method in inspect.getmembers(client, inspect.isfunction)
            if not name.startswith("_") and name not in {"close", "aclose"}
        }

    assert methods(sync) == methods(twin)
    assert hasattr(sync, "close")
    assert hasattr(twin, "aclose")
