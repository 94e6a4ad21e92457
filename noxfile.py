"""Every check that CI makes: `nox -l` lists them, `nox -s lint` runs one.

The tests run against the built wheel, in a copy of the project without its `kvs_streams` folder:
what is tested is what users install. Branch coverage is the business of `make test`.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2026.10.20"
nox.options.allow_parallel = True
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
# pyright comes with its own Node.js from the Python package registry; it need not look for news.
PYRIGHT = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
CHECKERS = [["mypy"], ["pyright"], ["pyrefly", "check"], ["ty", "check"]]

DEVELOPMENT = {
    "tests": ["boto/boto3@develop", "boto/botocore@develop", "getmoto/moto", "python-attrs/attrs"],
    # aiobotocore allows only the versions of botocore that it was made for.
    "frameworks": ["aio-libs/aiobotocore"],
}


def wheel(session: nox.Session) -> Path:
    """Build the wheel and return its path."""
    dist = Path(session.create_tmp()) / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    session.install("hatchling")
    session.run("hatchling", "build", "-t", "wheel", "-d", str(dist), silent=True)
    (built,) = dist.glob("*.whl")
    return built


def group(name: str) -> tuple[str, ...]:
    """Return the requirements of a dependency group of pyproject.toml."""
    return nox.project.dependency_groups(PYPROJECT, name)


def lowest() -> list[str]:
    """Return the lowest version of each dependency that pyproject.toml allows."""
    project = PYPROJECT["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["testing"]
    return [re.sub(r">=\s*", "==", requirement) for requirement in wanted]


def install_wheel(session: nox.Session, name: str, *requirements: str) -> None:
    """Install the built wheel with a dependency group, and go to a copy without the source tree."""
    session.install(f"{wheel(session)}[testing]", *group(name), *requirements)
    copy = Path(session.create_tmp()) / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    unwanted = shutil.ignore_patterns(
        ".*", "_build", "__pycache__", "dist", "kvs_streams", "mutants"
    )
    shutil.copytree(ROOT, copy, ignore=unwanted)
    session.chdir(copy)
    session.run(
        "python", "-c", "import kvs_streams; assert 'site-packages' in kvs_streams.__file__"
    )


# What these test is not installed with the library: `make test` runs them, on one Python.
TOOLS = [
    f"--ignore=tests/test_{name}.py"
    for name in (
        "control_plane",
        "fleet_benchmark",
        "live",
        "many_accounts",
        "pages",
        "pictures",
        "places",
        "plot",
        "provision",
        "quickstart",
        "soak",
    )
]


# The next Python is not promised yet: where it is installed, the tests run on it as well.
NEXT = ["3.14"] if shutil.which("python3.14") else []
LOWEST, HOSTILE = PYTHONS[-2:]
# Each Python once is enough for CI: TESTED names that of make test, two have sessions below.
TESTED = {os.environ["TESTED"], LOWEST, HOSTILE} if "TESTED" in os.environ else set()


@nox.session(python=[each for each in [*PYTHONS, *NEXT] if each not in TESTED])
def tests(session: nox.Session) -> None:
    """Test with the newest of every dependency."""
    install_wheel(session, "tests")
    session.run("pytest", *TOOLS, *session.posargs)


@nox.session(python=LOWEST)
def tests_lowest(session: nox.Session) -> None:
    """Test with the lowest version of every dependency that pyproject.toml allows."""
    install_wheel(session, "tests", *lowest())
    session.run("pytest", *TOOLS, *session.posargs)


@nox.session(python=PYTHONS[-1], default=False)
@nox.parametrize("name", list(DEVELOPMENT), ids=["boto", "aiobotocore"])
def tests_development(session: nox.Session, name: str) -> None:
    """Test with the development versions of what this project stands on."""
    urls = (f"git+https://github.com/{source}" for source in DEVELOPMENT[name])
    install_wheel(session, name, *urls)
    session.run("pytest", *(["-m", "aiobotocore"] if name == "frameworks" else []))


@nox.session(python=HOSTILE)
def tests_hostile(session: nox.Session) -> None:
    """Test in an environment that differs from a developer's machine (-- --runs 20: everything)."""
    install_wheel(session, "hostile")
    # A run that --seed repeats has the tests that it had.
    left_out = [] if "--runs" in session.posargs else TOOLS
    session.run("python", "tests/hostile.py", *left_out, *session.posargs)


@nox.session(python=PYTHONS[-1])
def tests_aiobotocore(session: nox.Session) -> None:
    """Test over aiobotocore, and run every block of the documentation: none is skipped here."""
    install_wheel(session, "frameworks")
    session.run("pytest", "-m", "aiobotocore", *session.posargs)
    session.run("pytest", "README.md", "docs", "examples", "tests/test_examples.py")


@nox.session(python=PYTHONS[-1])
def tests_dask(session: nox.Session) -> None:
    """Test the example for many accounts on a cluster of two worker processes."""
    install_wheel(session, "dask")
    session.run("pytest", "tests/test_many_accounts.py", *session.posargs)


@nox.session(python=PYTHONS[-1])
def tests_editors(session: nox.Session) -> None:
    """Drive two language servers as an editor does, and compare what a person sees."""
    install_wheel(session, "editors")
    session.run("pytest", "tests/editors", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Hold every file against ruff's rules and its format."""
    session.install(*group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(python=PYTHONS[-1])
def types(session: nox.Session) -> None:
    """Ask four type checkers about the code and its use, with boto3-stubs installed.

    boto3 has no types of its own: only with its stubs can what calls it be checked strictly.
    """
    session.install("-e", ".[testing]", *group("types"))
    complete = ["pyright", "--verifytypes", "kvs_streams", "--ignoreexternal"]
    ours = (["python", f"tests/typing/{name}.py"] for name in ("refused", "pages"))
    ask(session, *CHECKERS, complete, *ours)


@nox.session(python=PYTHONS[-1])
def types_plain(session: nox.Session) -> None:
    """Ask four type checkers about the use of the installed package, without boto3-stubs."""
    session.install(f"{wheel(session)}[testing]", *group("checkers"))
    copy = Path(session.create_tmp()) / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "typing", copy / "tests" / "typing")
    shutil.copy(ROOT / "pyproject.toml", copy)
    session.chdir(copy)
    ours = ["tests/typing/api.py", "tests/typing/errors.py", "tests/typing/operations.py"]
    ask(session, *([*checker, *ours] for checker in CHECKERS))


def ask(session: nox.Session, *commands: list[str]) -> None:
    """Run every command, then fail if any failed: who mends one thing wants to see them all."""
    failed = []
    for command in commands:
        try:
            session.run(*command, env=PYRIGHT)
        except nox.command.CommandFailed:  # noqa: PERF203 - a process costs more
            failed.append(" ".join(command))
    if failed:
        session.error(f"failed: {'; '.join(failed)}")


@nox.session(python=PYTHONS[-1])
def api(session: nox.Session) -> None:
    """Compare the public names with those of the last release: breaking them is a decision."""
    git = ("git", "tag", "--list", "v*", "--sort=-version:refname")
    tags = str(session.run(*git, external=True, silent=True)).split()
    if not tags:
        session.skip("nothing has been released yet")

    def breaking(version: str) -> list[str]:
        """Return the part of a version that changes with a breaking change."""
        major, minor, *_ = version.split(".")
        return [major, minor] if major == "0" else [major]

    decided = breaking(tags[0].removeprefix("v")) != breaking(PYPROJECT["project"]["version"])
    session.install("griffe")
    check = ("griffe", "check", "kvs_streams", "--against", tags[0])
    session.run(*check, success_codes=[0, 1] if decided else [0])


@nox.session(python=PYTHONS[-1])
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning or a reference to nothing is an error."""
    if not Path("docs/conf.py").exists():
        session.skip("there is no docs/conf.py")
    session.install("-e", ".[testing]", *group("docs"))
    target = str(Path(session.create_tmp()) / "html")
    session.run(
        "sphinx-build", "-n", "-W", "--keep-going", "-E", "-q", "-b", "html", "docs", target
    )


@nox.session(python=PYTHONS[-1])
def package(session: nox.Session) -> None:
    """Build wheel and sdist, twice alike, and check what is in them."""
    session.install(
        "hatchling", "check-wheel-contents", "twine", "validate-pyproject[all]", "pyroma"
    )
    dist = Path(session.create_tmp())
    for name in "first", "second":
        shutil.rmtree(dist / name, ignore_errors=True)
        session.run("hatchling", "build", "-d", str(dist / name), silent=True)
    built = sorted((dist / "first").iterdir())
    for path in built:
        if path.read_bytes() != (dist / "second" / path.name).read_bytes():
            session.error(f"{path.name} is not reproducible")
    session.run("check-wheel-contents", *(str(path) for path in built if path.suffix == ".whl"))
    session.run("twine", "check", "--strict", *map(str, built))
    session.run("validate-pyproject", "pyproject.toml", env={"VALIDATE_PYPROJECT_NO_NETWORK": "1"})
    # No author gives a mail address: what there is to say goes to the tracker.
    session.run("pyroma", "--min", "10", "--skip-tests", "AuthorEmail", ".")
