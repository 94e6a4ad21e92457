"""What the documentation takes from the code: the tree of errors, the limits, attributes' texts.

Everything is made anew in every build, so it cannot grow old.
"""

from __future__ import annotations

import ast
import inspect
import re
from enum import Enum
from html import escape
from importlib import import_module
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.errors import NoUri
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from kvs_streams import _limits, errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docutils.parsers.rst.states import Inliner
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parents[2]

log = logging.getLogger(__name__)


# The tree of errors as a picture

# In pixels: what a level is moved to the right, the space between two boxes, the height of a line
# of text, and the width of a character of a name and of a note.
INDENT, GAP, LINE, NAME, NOTE = 20, 9, 14, 7.25, 5.3
# In characters: what fits on a phone beside three levels.
NOTE_WIDTH = 46
# What the errors end in whose names are AWS's own.
AWS_SUFFIX = "Exception"


def read_notes() -> dict[str, str]:
    """Return the few words beside each error in the tree that heads its module."""
    row = re.compile(r"^[│├└─\s]*(\w+)(?: \([^)]*\))? {2,}(\S.*)$", re.MULTILINE)
    return dict(row.findall(errors.__doc__ or ""))


def walk(cls: type, depth: int = 0) -> Iterator[tuple[type, int]]:
    """Go through an error and all that derive from it, in the order of the module."""
    yield cls, depth
    for child in cls.__subclasses__():
        yield from walk(child, depth + 1)


def caption(cls: type, notes: dict[str, str]) -> list[str]:
    """Return what stands below an error's name: what it is about, and foreign parents."""
    parents = [base.__name__ for base in cls.__bases__ if base.__module__.startswith("botocore")]
    parents += [base.__name__ for base in cls.__bases__[1:] if base.__module__ == "builtins"]
    about = notes.get(cls.__name__) or f"{cls.__doc__}".splitlines()[0].rstrip(".")
    about = about[0].upper() + about[1:]
    return wrap(" · ".join([about, *(f"also {name}" for name in parents)]), NOTE_WIDTH)


def draw_error_tree(page: str) -> str:
    """Return the tree as SVG; each box leads to its error on the page of that address."""
    notes = read_notes()
    lines: list[str] = []
    boxes: list[str] = []
    bottoms: dict[int, float] = {}
    width, top = 0.0, 2.0
    for cls, depth in walk(errors.KvsStreamsError):
        name, texts = cls.__name__, caption(cls, notes)
        left = 2 + depth * INDENT
        box = 20 + max(len(name) * NAME, *(len(text) * NOTE for text in texts))
        bottom = top + 26 + LINE * len(texts)
        if depth:
            # From the parent's lower edge down, and to the middle of this box.
            start, middle = bottoms[depth - 1], (top + bottom) / 2
            lines.append(f'<path d="M{left - INDENT + 10} {start}V{middle}H{left}"/>')
        note = "".join(
            f'<tspan x="{left + 10}" dy="{LINE}">{escape(text)}</tspan>' for text in texts
        )
        boxes.append(
            f'<a href="{escape(page)}#kvs_streams.{name}"'
            f' class="{"aws" if name.endswith(AWS_SUFFIX) else "ours"}">'
            f'<rect x="{left}" y="{top}" width="{box:.0f}" height="{bottom - top}" rx="6"/>'
            f'<text class="name" x="{left + 10}" y="{top + 17}">{name}</text>'
            f'<text class="note" y="{top + 18}">{note}</text></a>'
        )
        bottoms[depth] = bottom
        width, top = max(width, left + box + 2), bottom + GAP
    return (
        f'<svg class="error-tree" viewBox="0 0 {width:.0f} {top:.0f}" width="{width:.0f}"'
        f' role="img" xmlns="http://www.w3.org/2000/svg"><title>The tree of errors</title>'
        f"<g>{''.join(lines)}</g>{''.join(boxes)}</svg>"
    )


class ErrorTree(SphinxDirective):
    """The tree of errors, drawn from the classes."""

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        try:
            page = self.env.app.builder.get_relative_uri(self.env.docname, "reference/errors")
        except NoUri:
            page = ""
        self.env.note_dependency(inspect.getfile(errors))
        return [nodes.raw("", draw_error_tree(page), format="html")]


# The limits as a table


def describe_rule(limit: Any) -> str:
    """Return a limit in words."""
    if isinstance(limit, _limits.Text):
        return f"{limit.min_length} to {limit.max_length:,} characters; {limit.requirement}"
    if isinstance(limit, _limits.Number):
        return f"a whole number from {limit.min:,} to {limit.max:,}"
    if isinstance(limit, _limits.Choice):
        return " or ".join(limit.choices)
    return f"at most {limit.max_items:,}"


class LimitsTable(SphinxDirective):
    """Every published limit with its source, from the table that the checks use."""

    ROWS: ClassVar = (
        ("stream_name", _limits.STREAM_NAME),
        ("device_name", _limits.DEVICE_NAME),
        ("media_type", _limits.MEDIA_TYPE),
        ("kms_key_id", _limits.KMS_KEY_ID),
        ("data_retention_in_hours", _limits.DATA_RETENTION_IN_HOURS),
        ("tags", _limits.TAGS),
        ("tags: key", _limits.TAG_KEY),
        ("tags: value", _limits.TAG_VALUE),
        ("default_storage_tier", _limits.DEFAULT_STORAGE_TIER),
    )

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        self.env.note_dependency(inspect.getfile(_limits))
        limits = {
            name: value
            for name, value in vars(_limits).items()
            if isinstance(value, (_limits.Text, _limits.Number, _limits.Choice, _limits.Items))
        }
        left_out = [name for name, value in limits.items() if value not in dict(self.ROWS).values()]
        if left_out != ["STREAM_ARN"]:
            log.warning("limits without a row in the documentation's table: %s", left_out)
        rows = [(field, describe_rule(limit), limit.source) for field, limit in self.ROWS]
        prefix = f"must not begin with {_limits.TAG_KEY_RESERVED_PREFIX!r}, in lower case"
        rows.insert(7, ("tags: key", prefix, _limits._SCHEMA.format("Tags")))  # noqa: SLF001
        table = self.table(("Field", "Rule", "Source"), rows)
        return [nodes.container("", table, classes=["stacked"])]

    @staticmethod
    def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> nodes.table:
        """Return a table whose first column holds code."""

        def line(cells: tuple[str, ...], *, code: bool) -> nodes.row:
            made = nodes.row()
            for column, cell in enumerate(cells):
                kind = nodes.literal if code and column == 0 else nodes.inline
                made += nodes.entry("", nodes.paragraph("", "", kind("", cell)))
            return made

        group = nodes.tgroup(cols=len(head))
        group += [nodes.colspec(colwidth=1) for _ in head]
        group += nodes.thead("", line(head, code=False))
        group += nodes.tbody("", *(line(cells, code=True) for cells in rows))
        return nodes.table("", group)


# A test that backs a claim


def name_test(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Inliner,
    *rest: Any,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Show the name of a test, such as ``tests/test_client.py::test_describe``; it has to exist."""
    del name, rest
    path, _, function = text.partition("::")
    file = ROOT / path
    source = file.read_text(encoding="utf-8") if file.is_file() else ""
    definition = re.compile(rf"^(async )?def {function}\(", re.MULTILINE)
    if not source or (function and not definition.search(source)):
        return [], [inliner.reporter.error(f"there is no test {text}", line=lineno)]
    return [nodes.literal(rawtext, text, classes=["test"])], []


# Texts under attributes, which Sphinx seeks in the module that a class says it is from


def let_sphinx_find_attributes() -> None:
    """Show Sphinx the sources of the face: it is where every public class says it is from.

    Python keeps no text of an attribute, so Sphinx reads it from the source.
    """
    for package, modules in {
        "kvs_streams": ("errors", "_models", "_flows", "_client", "_aio"),
        "kvs_streams.testing": ("_errors", "_records", "_kit"),
    }.items():
        source = "\n".join(
            inspect.getsource(import_module(f"{package}.{module}")) for module in modules
        )
        ast.parse(source)
        analyzer = ModuleAnalyzer.for_string(source, package)
        ModuleAnalyzer.cache["module", package] = analyzer


# A private character that stands for a colon while napoleon reads: in an attribute's first line it
# would take what is before the colon for a type.
COLON = "\ue000"


def hide_colon(app: Sphinx, what: str, *event: Any) -> None:
    """Hide the colons of an attribute's text from napoleon."""
    del app
    if what in {"attribute", "property"}:
        lines: list[str] = event[-1]
        lines[:1] = [line.replace(":", COLON) for line in lines[:1]]


def show_colon(app: Sphinx, *event: Any) -> None:
    """Show the hidden colons again."""
    del app
    lines: list[str] = event[-1]
    lines[:] = [line.replace(COLON, ":") for line in lines]


def shorten_signature(
    app: Sphinx, what: str, name: str, obj: Any, *event: Any
) -> tuple[str, str | None] | None:
    """Show no arguments where nobody calls (a protocol), or where they are the parent's (an error).

    Those of an enum are not the same in every Python: they are the value.
    """
    del app, name, event
    if what not in {"class", "exception"}:
        return None
    if issubclass(obj, Enum):
        return "(value)", None
    inherits = issubclass(obj, errors.KvsStreamsError) and "__init__" not in vars(obj)
    return ("", None) if inherits or getattr(obj, "_is_protocol", False) else None


def resolve_short_names(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Element | None:
    """Resolve an annotation that names one of our types without its module."""
    name = node["reftarget"].rpartition(".")[2]
    domain = env.get_domain("py")
    for module in "kvs_streams", "kvs_streams.typing", "kvs_streams.testing":
        if f"{module}.{name}" in domain.objects:
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", f"{module}.{name}", node, contnode
            )
    return None


def check_complete(app: Sphinx, env: BuildEnvironment) -> None:
    """Demand that the reference holds every public name."""
    del app
    documented = env.get_domain("py").objects
    for module in "kvs_streams", "kvs_streams.typing", "kvs_streams.testing":
        for name in import_module(module).__all__:
            if f"{module}.{name}" not in documented:
                log.warning("%s.%s is missing in the reference", module, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of all this."""
    let_sphinx_find_attributes()
    app.add_directive("error-tree", ErrorTree)
    app.add_directive("limits", LimitsTable)
    app.add_role("test", name_test)
    # What a block of code prints: a block of its own, compared by the tests.
    app.add_lexer("output", TextLexer)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)  # napoleon's is 500
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("missing-reference", resolve_short_names)
    app.connect("env-check-consistency", check_complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
