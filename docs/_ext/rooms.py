"""The modules of the package and what each imports, read from their sources."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import kvs_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGE = Path(kvs_streams.__file__).parent
# Shown as one room, above everything else.
KIT = "testing"


@dataclass(frozen=True)
class Room:
    """A module: its name, what it is for in one sentence, and what it imports when it runs."""

    name: str
    path: str
    about: str
    imports: frozenset[str]
    uses_boto: bool


def read_imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Go through every import that can run, inside functions too: none for type checkers."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for other in child.orelse:
                yield from read_imports(other)
        elif isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        else:
            yield from read_imports(child)


def name_imports(tree: ast.Module, package: Sequence[str]) -> set[str]:
    """Return the full names of what a module of a package imports."""
    names = set()
    for statement in read_imports(tree):
        if isinstance(statement, ast.Import):
            names |= {alias.name for alias in statement.names}
            continue
        base = package[: len(package) - statement.level + 1] if statement.level else []
        source = [*base, *filter(None, [statement.module])]
        names |= {".".join([*source, alias.name]) for alias in statement.names}
    return names


def read_about(tree: ast.Module) -> str:
    """Return the first sentence of a module's docstring."""
    paragraph = (ast.get_docstring(tree) or "").split("\n\n")[0]
    return " ".join(paragraph.split()).split(". ")[0].rstrip(".:").replace("``", "")


def is_only_docstring(tree: ast.Module) -> bool:
    """Whether a module has no code."""
    return all(isinstance(item, ast.Expr) for item in tree.body)


def needs_boto(names: set[str]) -> bool:
    """Whether one of the names belongs to boto3, or to more of botocore than its exceptions."""
    return any(
        name.split(".")[0] in {"boto3", "botocore", "moto"}
        and not f"{name}.".startswith("botocore.exceptions.")
        for name in names
    )


def read_rooms(package: Path = PACKAGE) -> dict[str, Room]:
    """Return the rooms by name; the face, which loads names lazily, is none."""
    trees: dict[str, ast.Module] = {}
    paths: dict[str, Path] = {}
    for path in sorted(package.rglob("*.py")):
        name = ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text(encoding="utf-8"))
        is_empty = path.stem == "__init__" and is_only_docstring(tree)
        if name == "__init__" or (is_empty and name != KIT):
            continue
        trees[name], paths[name] = tree, path
    imported = {
        name: name_imports(tree, paths[name].relative_to(package.parent).parent.parts)
        for name, tree in trees.items()
    }

    def find(full: str) -> str | None:
        """Return the module that a full name is, or is in."""
        if not full.startswith(f"{package.name}."):
            return None
        inside = full.removeprefix(f"{package.name}.")
        while inside and inside not in trees:
            inside = inside.rpartition(".")[0]
        return inside or None

    def room_of(module: str) -> str:
        return KIT if module.split(".", 1)[0] == KIT else module

    rooms = {}
    for name in sorted({room_of(module) for module in trees}):
        names = {item for module in trees if room_of(module) == name for item in imported[module]}
        found = {room_of(module) for module in map(find, names) if module}
        rooms[name] = Room(
            name=name,
            path=f"{KIT}/" if name == KIT else paths[name].relative_to(package).as_posix(),
            about=read_about(trees[name]),
            imports=frozenset(found - {name}),
            uses_boto=needs_boto(names),
        )
    return rooms


def sort_rooms(rooms: dict[str, Room]) -> list[Room]:
    """Return the rooms from the top down: each above all that it imports.

    Raises:
        ValueError: If rooms import each other in a circle.
    """
    left = dict(rooms)
    placed: list[Room] = []
    while left:
        free = [name for name in left if not any(name in room.imports for room in left.values())]
        if not free:
            msg = f"these modules import each other in a circle: {', '.join(left)}"
            raise ValueError(msg)
        last = placed[-1] if placed else None

        def nearness(name: str, last: Room | None = last) -> tuple[bool, bool, str]:
            """Keep a package together, and next to a room what it imports."""
            folder = name.rpartition(".")[0]
            together = last is not None and folder == last.name.rpartition(".")[0] != ""
            return not together, last is None or name not in last.imports, name

        name = KIT if KIT in free else min(free, key=nearness)
        placed.append(left.pop(name))
    return placed


def drop_implied(rooms: dict[str, Room]) -> dict[str, set[str]]:
    """Return what each room imports, without what one of its imports imports in turn."""

    def below(name: str) -> set[str]:
        return set().union(*({other} | below(other) for other in rooms[name].imports), set())

    return {
        name: set(room.imports) - set().union(*(below(other) for other in room.imports), set())
        for name, room in rooms.items()
    }
