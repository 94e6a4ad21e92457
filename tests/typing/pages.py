"""Hold mypy and pyright, both strict, against the code of README.md, docs/ and examples/.

The blocks of a page become one module, in which ``kvs`` is the test kit and every line has the
number that it has in the page. Tests get the types of their fixtures here, since pages leave them out.
"""

import ast
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
BLOCK = re.compile(
    r"^```python\n(?P<shown>.*?)^```$"
    r"|^<!--- invisible-code-block: python\n(?P<hidden>.*?)^-->$"
    r"|^<!--- skip: (?P<skip>next|start|end)(?: if\(missing\((?P<names>.*?)\))?.*?-->$",
    re.DOTALL | re.MULTILINE,
)
TEST = re.compile(r"^(?P<start> *def (?:test_\w+|setUp)\()(?P<parameters>.*)\):$", re.MULTILINE)
FIXTURES = {
    "kvs_async_client": "AsyncStreamsClient",
    "kvs_boto_client": "Any",
    "kvs_client": "StreamsClient",
    "kvs_mock": "MockKvs",
    "monkeypatch": "pytest.MonkeyPatch",
}
HEADER = (
    "from typing import Any; from kvs_streams import AsyncStreamsClient, StreamsClient; "
    "from kvs_streams.testing import MockKvs; kvs = MockKvs.__new__(MockKvs); "
    "_used = Any, AsyncStreamsClient, StreamsClient"
)


def lacks(names: str) -> bool:
    """Return whether one of the packages that a page asks for is not installed."""
    return not all(find_spec(name) for name in re.findall(r'"(.*?)"', names))


def annotated(test: re.Match[str]) -> str:
    """Return the first line of a test with the types of its fixtures."""
    names = filter(None, test["parameters"].split(", "))
    typed = (f"{name}: {FIXTURES[name]}" if name in FIXTURES else name for name in names)
    return f"{test['start']}{', '.join(typed)}) -> None:"


def module(page: str) -> str:
    """Return the blocks of a page that are not skipped, on the lines where they stand in it."""
    lines = [""] * page.count("\n")
    skip = None
    for found in BLOCK.finditer(page):
        if found["skip"]:
            skip = found["skip"] if found["skip"] != "end" and lacks(found["names"]) else None
            continue
        code = found["shown"] or found["hidden"]
        if code and skip is None:
            first = page.count("\n", 0, found.start()) + 1
            lines[first : first + code.count("\n")] = code.splitlines()
        if skip == "next":
            skip = None
    lines[0] = HEADER
    return TEST.sub(annotated, "\n".join([*lines, ""]))


def extract(folder: Path) -> Iterator[Path]:
    """Write a module for each page that has blocks, and yield its path."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        if "```python\n" in text:
            name = "_".join(page.relative_to(ROOT).with_suffix("").parts).replace("-", "_")
            path = folder / f"{name}.py"
            path.write_text(module(text), encoding="utf-8")
            yield path


def missing(example: Path) -> list[str]:
    """Return the packages that an example needs and that are not installed here."""
    body = ast.parse(example.read_text(encoding="utf-8")).body
    names = {alias.name for node in body if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in body if isinstance(node, ast.ImportFrom)}
    siblings = {path.stem for path in example.parent.glob("*.py")}
    packages = {name.split(".")[0] for name in names} - siblings
    return sorted(package for package in packages if find_spec(package) is None)


def mypy(paths: list[str]) -> Iterator[str]:
    """Yield what mypy says."""
    options = [
        "--strict",
        "--allow-redefinition",
        "--python-version",
        VERSION,
        "--no-error-summary",
    ]
    command = [sys.executable, "-m", "mypy", *options, *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    yield from (done.stdout + done.stderr).splitlines()


def pyright(paths: list[str]) -> Iterator[str]:
    """Yield what pyright says, except for what boto3-stubs makes it say of any use of boto3."""
    options = ["--outputjson", "--pythonversion", VERSION, "--pythonpath", sys.executable]
    command = [sys.executable, "-m", "pyright", *options, *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    for report in json.loads(done.stdout)["generalDiagnostics"]:
        text, rule = report["message"], report.get("rule", "")
        stubs = text.startswith('Type of "client" is partially unknown')
        if not stubs and rule != "reportTypedDictNotRequiredAccess":
            line = report["range"]["start"]["line"] + 1
            yield f"{Path(report['file']).name}:{line}: {text} ({rule})"


def main() -> int:
    """Print what the checkers say; return how much it is."""
    with tempfile.TemporaryDirectory() as folder:
        files = [*extract(Path(folder))]
        for example in sorted((ROOT / "examples").glob("*.py")):
            if lacking := missing(example):
                print(f"not checked: {example.name}, which needs {', '.join(lacking)}")
            else:
                files.append(example)
        paths = [str(path) for path in files]
        said = [f"{check.__name__}: {line}" for check in (mypy, pyright) for line in check(paths)]
        print(*said, f"{len(said)} complaints about {len(paths)} files", sep="\n")
        return len(said)


if __name__ == "__main__":
    sys.exit(main() > 0)
