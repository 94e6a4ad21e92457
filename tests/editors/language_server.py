"""A language server over stdio, as an editor talks to one, in the few words that the tests need."""

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

# How long a server may take for anything. It answers in a blink: this is for a busy machine.
TIMEOUT = 120.0

# What the tests' editor can show: plain text is what they compare.
CAPABILITIES = {
    "workspace": {"configuration": True},
    "textDocument": {
        "completion": {"completionItem": {"documentationFormat": ["plaintext"]}},
        "hover": {"contentFormat": ["plaintext"]},
        "signatureHelp": {"signatureInformation": {"documentationFormat": ["plaintext"]}},
    },
}


class LanguageServer:
    """Sends requests and waits for their answers; what the server asks meanwhile is answered."""

    def __init__(self, process: "subprocess.Popen[bytes]", settings: Mapping[str, object]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to_server = process.stdin
        self._settings = settings
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._requests = 0
        # A pipe cannot be read with a timeout, a queue can.
        reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        reader.start()

    def request(self, method: str, params: object) -> Any:
        """Return the result of a request."""
        self._requests += 1
        number = self._requests
        self._send({"id": number, "method": method, "params": params})
        while (message := self._messages.get(timeout=TIMEOUT)) is not None:
            if "method" in message:
                self._answer(message)
            elif message["id"] == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
        raise EOFError(f"the language server ended before it answered {method}")

    def notify(self, method: str, params: object) -> None:
        """Tell the server something that it does not answer."""
        self._send({"method": method, "params": params})

    def _answer(self, message: Mapping[str, Any]) -> None:
        """Give the server its settings; to all else an editor may answer nothing."""
        result = None
        if message["method"] == "workspace/configuration":
            sections = [item.get("section") for item in message["params"]["items"]]
            result = [self._settings.get(section) for section in sections]
        if "id" in message:
            self._send({"id": message["id"], "result": result})

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._to_server.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._to_server.flush()

    def _read(self, from_server: IO[bytes]) -> None:
        length = 0
        for line in iter(from_server.readline, b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif not line.strip():
                self._messages.put(json.loads(from_server.read(length)))
        self._messages.put(None)


@contextmanager
def running(
    command: Sequence[str], env: Mapping[str, str], folder: Path, settings: Mapping[str, object]
) -> Iterator[LanguageServer]:
    """Run a language server for a folder, and see that it ends when told to."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, cwd=folder, stdin=pipe, stdout=pipe) as process:
        try:
            server = LanguageServer(process, settings)
            workspace = {"uri": folder.as_uri(), "name": folder.name}
            hello = {"processId": os.getpid(), "rootUri": folder.as_uri()}
            hello |= {"workspaceFolders": [workspace], "capabilities": CAPABILITIES}
            server.request("initialize", hello)
            server.notify("initialized", {})
            yield server
            server.request("shutdown", None)
            server.notify("exit", None)
            assert process.wait(timeout=TIMEOUT) == 0
        except BaseException:
            # Its own server ends when its input does.
            process.kill()
            raise
