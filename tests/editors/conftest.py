"""The editors that the tests drive, each started once."""

import os
import sys
from collections.abc import Iterator

import pytest
from editors import Editor, Jedi, Pyright
from language_server import running


@pytest.fixture(scope="session")
def pyright(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pyright]:
    """One server for all tests, in a folder of its own, for the Python that runs the tests."""
    # The package brings a pyright and a Node.js; its settings can tell it to fetch others.
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYRIGHT_PYTHON")}
    command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
    folder = tmp_path_factory.mktemp("workspace")
    with running(command, env, folder, {"python": {"pythonPath": sys.executable}}) as server:
        yield Pyright(server, folder)


@pytest.fixture(scope="session")
def jedi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jedi]:
    """Jedi in this process, for the Python that runs the tests."""
    import jedi

    with pytest.MonkeyPatch.context() as patch:
        # What it remembers of parsed files otherwise goes into the home directory.
        patch.setattr(jedi.settings, "cache_directory", str(tmp_path_factory.mktemp("jedi")))
        yield Jedi()


@pytest.fixture(params=["pyright", "jedi"])
def editor(request: pytest.FixtureRequest) -> Editor:
    """Each editor in turn."""
    chosen: Editor = request.getfixturevalue(request.param)
    return chosen
