"""Hold mypy and pyright, both strict, against the code of README.md, docs/ and examples/.

The blocks of a page become one module, in which ``kvs`` is the test kit and every line has the
number that it has in the page. Tests get the types of their fixtures here, since pages leave them out.
"""

import json
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
BLOCK = re.compile(
    r"^(?:```|<!--- invisible-code-block: )python\n(.*?)^(?:```|-->)$", re.DOTALL | re.MULTILINE
)
# Blocks for which a package is missing here, as the page says.
SKIPPED = re.compile(r"<!--- skip: start if\(missing\((.*?)\).*?skip: end -->", re.DOTALL)
TEST = re.compile(r"^ *def (?:test_\w+|setUp)\(.*\):$", re.MULTILINE)
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


def blank(skipped: re.Match[str]) -> str:
    """Return empty lines for blocks whose package is missing."""
    is_here = all(find_spec(name) for name in re.findall(r'"(.*?)"', skipped[1]))
    return skipped[0] if is_here else "\n" * skipped[0].count("\n")


def annotated(test: re.Match[str]) -> str:
    """Return the first line of a test with the types of its fixtures."""
    line = test[0].removesuffix(":")
    for name, kind in FIXTURES.items():
        line = re.sub(rf"\b{name}(?=[,)])", f"{name}: {kind}", line)
    return f"{line} -> None:"


def module(page: str) -> str:
    """Return the blocks of a page on the lines where they stand in it."""
    page = SKIPPED.sub(blank, page)
    lines = [""] * page.count("\n")
    for found in BLOCK.finditer(page):
        first = page.count("\n", 0, found.start(1))
        lines[first : first + found[1].count("\n")] = found[1].splitlines()
    return TEST.sub(annotated, "\n".join([HEADER, *lines[1:], ""]))


def mypy(paths: list[str]) -> list[str]:
    """Return what mypy says."""
    options = ["--strict", "--allow-redefinition", "--python-version", VERSION]
    command = [sys.executable, "-m", "mypy", *options, "--no-error-summary", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return (done.stdout + done.stderr).splitlines()


def pyright(paths: list[str]) -> list[str]:
    """Return what pyright says, except for what boto3-stubs makes it say of any use of boto3."""
    options = ["--outputjson", "--pythonversion", VERSION, "--pythonpath", sys.executable]
    command = [sys.executable, "-m", "pyright", *options, *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return [
        f"{each['file']}:{each['range']['start']['line'] + 1}: {each['message']}"
        for each in json.loads(done.stdout)["generalDiagnostics"]
        if not each["message"].startswith('Type of "client" is partially unknown')
        if each.get("rule") != "reportTypedDictNotRequiredAccess"
    ]


def main() -> bool:
    """Print what the checkers say; return whether it is anything."""
    paths = [str(example) for example in sorted((ROOT / "examples").glob("*.py"))]
    with tempfile.TemporaryDirectory() as folder:
        for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
            text = page.read_text(encoding="utf-8")
            if "```python\n" in text:
                path = Path(folder, f"{page.stem}.py".replace("-", "_"))
                path.write_text(module(text), encoding="utf-8")
                paths.append(str(path))
        said = mypy(paths) + pyright(paths)
    print(*said, f"{len(said)} complaints about {len(paths)} files", sep="\n")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
