"""Imports run one way, downwards, for type checkers too, and the cheap parts stay cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kvs_streams

PACKAGE = Path(kvs_streams.__file__).parent
# From the bottom to the top: each room may import those before it.
ROOMS = (
    "typing",
    "_stubs",
    "_text",
    "_clock",
    "_models",
    "_rules",
    "errors",
    "_request",
    "_wire",
    "_flow",
    "_drift",
    "_ensure",
    "_pacing",
    "_fleet_parts",
    "_fleet",
    "_failures",
    "_boto",
    "_workers",
    "_calls",
    "_client",
    "_aio",
)
# They may import boto3; the others know botocore's exceptions at the most.
BOTO_ROOMS = {"_boto", "_client", "_aio"}
HEAVY = {"boto3", "botocore", "aiobotocore", "moto", "pytest"}
# What a person reads in one go.
LONGEST_ROOM, LONGEST_FUNCTION = 300, 40


def parsed(room: str) -> ast.Module:
    """Return the source of a room."""
    return ast.parse((PACKAGE / f"{room}.py").read_text(encoding="utf-8"))


def imported(room: str) -> set[str]:
    """Return what a room imports anywhere in it, as ``module.name``; ours begin with a dot."""
    names = set()
    for node in ast.walk(parsed(room)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (f"{node.module}." if node.module else "")
            names |= {f"{base}{alias.name}" for alias in node.names}
    return names


class WithoutTexts(ast.NodeTransformer):
    """Drops docstrings."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        """Drop what is a text alone."""
        return None if isinstance(node.value, ast.Constant) else node


def test_every_room_has_its_place() -> None:
    """A new room is given a place here before anything may import it."""
    assert {path.stem for path in PACKAGE.glob("*.py")} == {*ROOMS, "__init__"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    """A room imports only what lies below it, type checkers' imports included."""
    ours = {name.split(".")[1] for name in imported(room) if name.startswith(".")}
    ours |= {name.split(".")[1] for name in imported(room) if name.startswith("kvs_streams.")}
    assert ours <= set(ROOMS[: ROOMS.index(room)])


@pytest.mark.parametrize("room", sorted({*ROOMS} - BOTO_ROOMS))
def test_only_the_clients_rooms_know_boto3(room: str) -> None:
    """Elsewhere nothing but ``botocore.exceptions`` is imported, in no function either."""
    heavy = {name for name in imported(room) if name.split(".")[0] in HEAVY}
    assert {name for name in heavy if not name.startswith("botocore.exceptions")} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_is_too_large(room: str) -> None:
    """No room, and no function in it, is longer than a person reads in one go."""
    tree = WithoutTexts().visit(parsed(room))
    assert len(ast.unparse(tree).splitlines()) <= LONGEST_ROOM
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert len(ast.unparse(node).splitlines()) <= LONGEST_FUNCTION, node.name


CHEAP = {
    "import kvs_streams": {"kvs_streams._models", "attrs", "attr", "botocore", "typing_extensions"},
    """
import pickle
from kvs_streams import CreateStreamRequest, KvsStreamsError, StreamArn, errors, typing
request = CreateStreamRequest(stream_name="gate", tags={"site": "north"})
assert CreateStreamRequest.from_boto(request.to_boto()) == pickle.loads(pickle.dumps(request))
StreamArn.parse("arn:aws:kinesisvideo:eu-west-1:123456789012:stream/gate/1").created_at
try:
    CreateStreamRequest(stream_name="")
except KvsStreamsError as error:
    pickle.loads(pickle.dumps(error))
""": {"botocore.client", "botocore.config", "botocore.session", "asyncio"},
}


@pytest.mark.parametrize("code, unwanted", CHEAP.items(), ids=["import", "models and errors"])
def test_what_is_cheap_stays_cheap(code: str, unwanted: set[str]) -> None:
    """A bare import loads nothing more, and models and errors leave boto3 alone."""
    program = f"import sys\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = set(done.stdout.decode().split())
    assert loaded & {*unwanted, "boto3", "moto", "pytest"} == set()
