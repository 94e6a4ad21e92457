"""Editors as the tests see them: pyright's language server and jedi, both behind the same words."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from language_server import LanguageServer


@dataclass(frozen=True)
class Signature:
    """What pops up when a call is being typed."""

    parameters: list[str]
    documentation: str
    # Of the parameter that is being typed.
    parameter_documentation: str = ""


class Editor(Protocol):
    """``code`` is the text of a file, with ``¦`` where the cursor is."""

    def offers(self, code: str) -> list[str]:
        """Return the names that are offered; those of Python's own machinery are left out."""
        ...

    def explains(self, code: str, name: str) -> str:
        """Return the documentation that is shown beside a name that is offered."""
        ...

    def hover(self, code: str) -> str:
        """Return what is shown for the name under the cursor."""
        ...

    def signature(self, code: str) -> Signature:
        """Return what is shown for the call in whose parentheses the cursor is."""
        ...


def is_machinery(name: str) -> bool:
    """Tell names like ``__doc__``, which every module and object has."""
    return name.startswith("__") and name.endswith("__")


class Pyright:
    """pyright's language server, which is what VS Code and most other editors talk to."""

    def __init__(self, server: LanguageServer, folder: Path) -> None:
        self._server = server
        self._uri = (folder / "unsaved.py").as_uri()
        self._version = 0
        document = {"uri": self._uri, "languageId": "python", "version": 0, "text": ""}
        server.notify("textDocument/didOpen", {"textDocument": document})

    def _place(self, code: str) -> dict[str, Any]:
        """Write the file anew and return where the cursor is in it."""
        before, after = code.split("¦")
        self._version += 1
        written = {"uri": self._uri, "version": self._version}
        changes = {"textDocument": written, "contentChanges": [{"text": before + after}]}
        self._server.notify("textDocument/didChange", changes)
        *lines, last = before.split("\n")
        position = {"line": len(lines), "character": len(last)}
        return {"textDocument": {"uri": self._uri}, "position": position}

    def items(self, code: str) -> list[dict[str, Any]]:
        """Return the completion items themselves."""
        answer = self._server.request("textDocument/completion", self._place(code))
        items: list[dict[str, Any]] = answer["items"]
        return [item for item in items if not is_machinery(item["label"])]

    def offers(self, code: str) -> list[str]:
        return [item["label"] for item in self.items(code)]

    def explains(self, code: str, name: str) -> str:
        (item,) = (item for item in self.items(code) if item["label"] == name)
        documentation = self._server.request("completionItem/resolve", item)["documentation"]
        return str(documentation["value"])

    def hover(self, code: str) -> str:
        answer = self._server.request("textDocument/hover", self._place(code))
        return str(answer["contents"]["value"])

    def signature(self, code: str) -> Signature:
        answer = self._server.request("textDocument/signatureHelp", self._place(code))
        (shown,) = answer["signatures"]
        parameters = shown["parameters"]
        active = answer["activeParameter"]
        typed = parameters[active]["documentation"]["value"] if active < len(parameters) else ""
        labels = [parameter["label"] for parameter in parameters]
        return Signature(labels, shown["documentation"]["value"], typed)


class Jedi:
    """jedi, which completes in IPython, Jupyter, Spyder and Vim."""

    @cached_property
    def _environment(self) -> Any:
        from jedi.api.environment import InterpreterEnvironment

        return InterpreterEnvironment()

    def _place(self, code: str) -> tuple[Any, int, int]:
        import jedi

        before, after = code.split("¦")
        *lines, last = before.split("\n")
        script = jedi.Script(before + after, environment=self._environment)
        return script, len(lines) + 1, len(last)

    def _completions(self, code: str) -> list[Any]:
        script, line, column = self._place(code)
        found = script.complete(line, column)
        return [name for name in found if not is_machinery(name.name)]

    def offers(self, code: str) -> list[str]:
        return [name.name_with_symbols for name in self._completions(code)]

    def explains(self, code: str, name: str) -> str:
        (found,) = (found for found in self._completions(code) if found.name == name)
        return str(found.docstring())

    def hover(self, code: str) -> str:
        script, line, column = self._place(code)
        (name,) = script.help(line, column)
        return str(name.docstring())

    def signature(self, code: str) -> Signature:
        script, line, column = self._place(code)
        (shown,) = script.get_signatures(line, column)
        parameters = [parameter.to_string() for parameter in shown.params]
        return Signature(parameters, str(shown.docstring(raw=True)))
