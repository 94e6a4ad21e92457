"""Imports run one way, downwards, for type checkers too, and the cheap parts stay cheap."""

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

# From the bottom to the top: each may import those before it.
LAYERS = (
    "typing",
    "_boto",
    "_text",
    "_limits",
    "_values",
    "_results",
    "errors",
    "_validation",
    "_request",
    "_wire",
    "_failures",
    "_flows",
    "_flows.io",
    "_flows.call",
    "_flows.wait",
    "_flows.drift",
    "_flows.ensure",
    "_flows.pacing",
    "_flows.fleet_stream",
    "_flows.fleet",
    "_client",
    "_aio",
)
# They know boto3; whatever is below knows botocore's exceptions at the most.
DRIVERS = ("_client", "_aio")
HEAVY = ("boto3", "botocore", "aiobotocore", "moto", "pytest")
# About as much as fits a few screens: a longer room is two rooms.
LONGEST = 300


def is_testing(module: str) -> bool:
    """Whether a module belongs to the test kit."""
    return module.split(".", 1)[0] == "testing"


CORE = [module for module in MODULES if not is_testing(module)]


def statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield every import: at the top, inside functions, and those for type checkers."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child


def imported(module: str) -> set[str]:
    """Return the full names of what a module imports: of modules, and of names in modules."""
    parts = module.split(".")
    is_package = MODULES[module].name == "__init__.py" and module != "__init__"
    package = ["kvs_streams", *(parts if is_package else parts[:-1])]
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
    """Return which modules of this package are among the names, each by its longest match."""
    inside = {name.split(".", 1)[1] for name in names if name.startswith("kvs_streams.")}
    matches = (
        [module for module in MODULES if f"{name}.".startswith(f"{module}.")] for name in inside
    )
    return {max(found, key=len) for found in matches if found}


def test_every_module_has_its_place() -> None:
    """A new module is given a layer here before anything may import it."""
    assert set(CORE) == {*LAYERS, "__init__"}


@pytest.mark.parametrize("module", LAYERS)
def test_layers_import_only_lower_ones(module: str) -> None:
    """A layer imports only what lies below it, type checkers' imports included."""
    assert ours(imported(module)) <= set(LAYERS[: LAYERS.index(module)])


@pytest.mark.parametrize("module", CORE)
def test_nothing_imports_the_test_kit(module: str) -> None:
    """The test kit is for users' tests; the library does not know it."""
    assert not {name for name in ours(imported(module)) if is_testing(name)}


@pytest.mark.parametrize("module", [module for module in CORE if module not in DRIVERS])
def test_only_clients_know_boto3(module: str) -> None:
    """Below the clients nothing but ``botocore.exceptions`` is imported, in no function either."""
    heavy = {name for name in imported(module) if name.split(".")[0] in HEAVY}
    allowed = "botocore.exceptions."
    assert {name for name in heavy if not f"{name}.".startswith(allowed)} == set()


def code_lines(path: Path) -> int:
    """Count the lines of code, without docstrings, comments and empty lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    )


@pytest.mark.parametrize("module", CORE)
def test_no_room_is_too_large(module: str) -> None:
    """No file of the core has more lines of code than a person reads in one go."""
    assert code_lines(MODULES[module]) <= LONGEST


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
    assert "kvs_streams._request" in loaded
    forbidden = {"boto3", "botocore.client", "botocore.config", "moto", "pytest", "asyncio"}
    assert forbidden & loaded == set()
