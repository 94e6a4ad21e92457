"""Imports run one way, downwards, and the cheap parts stay cheap to import."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import kvs_streams

PACKAGE = Path(kvs_streams.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

# From the bottom to the top: each may import those before it, and anyone the open ones.
LAYERS = ("_text", "_limits", "_validation", "_models", "_wire", "_flows", "_client", "_aio")
OPEN = ("errors", "typing")
# They know boto3; whatever is below knows botocore's exceptions at the most.
DRIVERS = ("_client", "_aio")
HEAVY = ("boto3", "botocore", "aiobotocore", "moto", "pytest")


def is_testing(module: str) -> bool:
    """Whether a module belongs to the test kit."""
    return module.split(".", 1)[0] == "testing"


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield every import that can run: at the top and inside functions, not for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for other in child.orelse:
                yield from statements(other)
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        else:
            yield from statements(child)


def imported(module: str) -> set[str]:
    """Return the full names of what a module imports: of modules, and of names in modules."""
    package = ["kvs_streams", *module.split(".")[:-1]]
    names = set()
    for statement in statements(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
            continue
        base = package[: len(package) - statement.level + 1] if statement.level else []
        source = [*base, *filter(None, [statement.module])]
        names |= {".".join([*source, alias.name]) for alias in statement.names}
    return names


def ours(names: set[str]) -> set[str]:
    """Return which modules of this package are among the names."""
    inside = {name.split(".", 1)[1] for name in names if name.startswith("kvs_streams.")}
    return {module for module in MODULES for name in inside if f"{name}.".startswith(f"{module}.")}


def test_every_module_has_its_place() -> None:
    """A new module is given a layer here before anything may import it."""
    top = {module for module in MODULES if not is_testing(module)}
    assert top == {*LAYERS, *OPEN, "__init__"}


@pytest.mark.parametrize("module", LAYERS)
def test_layers_import_only_lower_ones(module: str) -> None:
    """A layer imports what lies below it and the open modules, never upwards."""
    below = LAYERS[: LAYERS.index(module)]
    assert ours(imported(module)) <= {*below, *OPEN}


@pytest.mark.parametrize("module", OPEN)
def test_open_modules_import_nothing_of_ours(module: str) -> None:
    """What anyone may import imports nothing itself."""
    assert ours(imported(module)) == set()


@pytest.mark.parametrize("module", [module for module in MODULES if not is_testing(module)])
def test_nothing_imports_the_test_kit(module: str) -> None:
    """The test kit is for users' tests; the library does not know it."""
    assert not {name for name in ours(imported(module)) if is_testing(name)}


@pytest.mark.parametrize(
    "module", [module for module in MODULES if module not in DRIVERS and not is_testing(module)]
)
def test_only_clients_know_boto3(module: str) -> None:
    """Below the clients nothing but ``botocore.exceptions`` is imported, in no function either."""
    heavy = {name for name in imported(module) if name.split(".")[0] in HEAVY}
    allowed = "botocore.exceptions."
    assert {name for name in heavy if not f"{name}.".startswith(allowed)} == set()


def loaded_by(code: str) -> set[str]:
    """Return the names of the modules that a fresh Python loads for some code."""
    program = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    return set(done.stdout.decode().split())


def test_bare_import_loads_next_to_nothing() -> None:
    """Until a name is used, ``import kvs_streams`` loads nothing more of ours, nor a dependency."""
    loaded = loaded_by("import kvs_streams")
    assert {name for name in loaded if name.startswith("kvs_streams.")} == set()
    assert {"attr", "attrs", "boto3", "botocore", "typing_extensions"} & loaded == set()


def test_models_and_errors_load_no_boto3() -> None:
    """Making requests, reading replies, and raising and catching errors leaves boto3 alone."""
    loaded = loaded_by(
        """
import pickle
from kvs_streams import (
    CreateStreamRequest, KvsStreamsError, StreamArn, StreamStorageConfiguration, ThrottleRetry
)
from kvs_streams import errors, typing

request = CreateStreamRequest(
    stream_name="gate",
    tags={"site": "north"},
    stream_storage_configuration=StreamStorageConfiguration(default_storage_tier="WARM"),
)
assert CreateStreamRequest.from_boto(request.to_boto()) == pickle.loads(pickle.dumps(request))
StreamArn.parse("arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1").created_at
ThrottleRetry(max_attempts=2)
try:
    CreateStreamRequest(stream_name="")
except KvsStreamsError as error:
    pickle.loads(pickle.dumps(error))
"""
    )
    assert "kvs_streams._models" in loaded
    forbidden = {"boto3", "botocore.client", "botocore.config", "moto", "pytest", "asyncio"}
    assert forbidden & loaded == set()
