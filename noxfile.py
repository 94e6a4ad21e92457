"""The checks of CI: `nox -l` lists them, `nox -s lint` runs one, `nox -t slow` those of each night.

The tests run against the built wheel, in a copy of the project without its `kvs_streams` folder:
what is tested is what users install. Branch coverage is the business of `make test`.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nox

nox.options.allow_parallel = True
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
LOWEST = PYTHONS[0]
# Each Python once is enough: TESTED is the one that `make test` has just used.
OTHERS = [each for each in PYTHONS if each not in {LOWEST, os.environ.get("TESTED")}]
CHECKERS = [["mypy"], ["pyright"], ["pyrefly", "check"], ["ty", "check"]]
UPSTREAM = ["boto/boto3@develop", "boto/botocore@develop", "getmoto/moto", "python-attrs/attrs"]


def group(name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, name)


def install(session: nox.Session, name: str, *requirements: str) -> None:
    """Install the wheel with a dependency group, and go to a copy without the source tree."""
    session.install(".[testing]", *group(name), *requirements)
    copy = Path(session.create_tmp()) / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    unwanted = shutil.ignore_patterns(".*", "_build", "__pycache__", "kvs_streams", "mutants")
    shutil.copytree(".", copy, ignore=unwanted)
    session.chdir(copy)


def run_all(session: nox.Session, *commands: list[str]) -> None:
    """Run every command, then fail if any failed: who mends one thing wants to see them all."""
    failed = []
    for command in commands:
        try:
            session.run(*command)
        except nox.command.CommandFailed:  # noqa: PERF203 - a process costs more
            failed.append(" ".join(command))
    if failed:
        session.error(f"failed: {'; '.join(failed)}")


@nox.session(python=OTHERS)
def tests(session: nox.Session) -> None:
    """Test with the newest of every dependency."""
    install(session, "tests")
    session.run("pytest", *session.posargs)


@nox.session(python=LOWEST)
def tests_lowest(session: nox.Session) -> None:
    """Test with the lowest version of every dependency that pyproject.toml allows."""
    project = PYPROJECT["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["testing"]
    install(session, "tests", *(re.sub(r">=\s*", "==", requirement) for requirement in wanted))
    session.run("pytest", *session.posargs)


@nox.session
def tests_aiobotocore(session: nox.Session) -> None:
    """Test over aiobotocore, and run every block of the documentation: none is skipped here."""
    install(session, "frameworks")
    session.run("pytest", "-m", "aiobotocore", *session.posargs)
    session.run("pytest", "README.md", "docs", "examples", "tests/test_examples.py")


@nox.session
def lint(session: nox.Session) -> None:
    """Hold every file against ruff's rules and its format."""
    session.install(*group("lint"))
    run_all(session, ["ruff", "check"], ["ruff", "format", "--check"])


@nox.session
def types(session: nox.Session) -> None:
    """Ask four type checkers about the code and its use, with boto3-stubs installed."""
    session.install("-e", ".[testing]", *group("types"))
    complete = ["pyright", "--verifytypes", "kvs_streams", "--ignoreexternal"]
    ours = (["python", f"tests/typing/{name}.py"] for name in ("refused", "pages"))
    run_all(session, *CHECKERS, complete, *ours)


@nox.session
def types_plain(session: nox.Session) -> None:
    """Ask four type checkers about the use of the installed package, without boto3-stubs."""
    install(session, "checkers")
    ours = [f"tests/typing/{name}.py" for name in ("api", "operations")]
    run_all(session, *([*checker, *ours] for checker in CHECKERS))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning or a reference to nothing is an error."""
    session.install("-e", ".[testing]", *group("docs"))
    target = str(Path(session.create_tmp()) / "html")
    session.run("sphinx-build", "-n", "-W", "--keep-going", "-E", "-q", "docs", target)


@nox.session
def package(session: nox.Session) -> None:
    """Build wheel and sdist, and check what is in them."""
    session.install("build", "check-wheel-contents", "twine", "validate-pyproject[all]")
    dist = Path(session.create_tmp()) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(dist), silent=True)
    session.run("check-wheel-contents", *map(str, dist.glob("*.whl")))
    session.run("twine", "check", "--strict", *map(str, dist.iterdir()))
    session.run("validate-pyproject", "pyproject.toml", env={"VALIDATE_PYPROJECT_NO_NETWORK": "1"})


def beside_neighbours(session: nox.Session, names: list[str]) -> None:
    """Run the kit beside what others have installed, in environments of their own."""
    session.install("uv")
    session.run("python", "tests/neighbours/run.py", *(session.posargs or names))


@nox.session(python=LOWEST)
def neighbours(session: nox.Session) -> None:
    """Run the kit on the oldest pytest that it works with, and on one that is too old for it."""
    beside_neighbours(session, ["oldest-pytest", "too-old-pytest"])


@nox.session(tags=["slow"], default=False)
def neighbours_slow(session: nox.Session) -> None:
    """Run the kit with plugins of pytest and other tools for tests: -- xdist tools."""
    newer = ["newest-pytest", "xdist", "randomly", "asyncio-strict", "asyncio-auto", "anyio"]
    beside_neighbours(session, [*newer, "tools", "tracing"])


@nox.session(tags=["slow"], default=False)
def tests_slow(session: nox.Session) -> None:
    """Run the tests that take long: editors, a Dask cluster, the control plane."""
    install(session, "slow")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session(tags=["slow"], default=False)
def tests_hostile(session: nox.Session) -> None:
    """Test twenty times in environments that differ from a developer's machine."""
    install(session, "hostile")
    session.run("python", "tests/hostile.py", *(session.posargs or ["--runs", "20"]))


@nox.session(tags=["slow"], default=False)
def frozen(session: nox.Session) -> None:
    """Freeze a program that uses every public name, and run it: nothing is missing."""
    session.install(".", "pyinstaller")
    folder = Path(session.create_tmp()).resolve()
    program = folder / "tool.py"
    program.write_text(
        "import kvs_streams\nfrom kvs_streams import *\n"
        "client = StreamsClient(region_name='eu-central-1')\n"
        "print(len([getattr(kvs_streams, name) for name in kvs_streams.__all__]))\n"
    )
    session.chdir(folder)
    session.run("pyinstaller", "--noconfirm", "--log-level", "ERROR", program.name)
    session.run(str(folder / "dist" / "tool" / "tool"), external=True)


@nox.session(tags=["slow"], default=False)
def bench(session: nox.Session) -> None:
    """Run the whole benchmark, an eighth of each fleet."""
    session.install(".", *group("bench"))
    session.run("python", "-m", "benchmarks", "--quick", *session.posargs)


@nox.session(default=False)
def tests_development(session: nox.Session) -> None:
    """Test with the development versions of what this project stands on."""
    install(session, "tests", *(f"git+https://github.com/{source}" for source in UPSTREAM))
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def api(session: nox.Session) -> None:
    """Compare the public names with those of the last release: -- v0.2.0."""
    session.install("griffe")
    session.run("griffe", "check", "kvs_streams", "--against", *session.posargs)
