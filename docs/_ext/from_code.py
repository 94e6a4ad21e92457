"""What the documentation takes from the code: pictures, limits, links to tests, attributes' texts.

Everything is made anew in every build, so it cannot grow old.
"""

from __future__ import annotations

import ast
import inspect
import os
from enum import Enum
from importlib import import_module
from importlib.metadata import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import drawing
import pictures
import rooms
from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.errors import NoUri
from sphinx.pycode import ModuleAnalyzer
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from kvs_streams import _limits, errors

if TYPE_CHECKING:
    from docutils.parsers.rst.states import Inliner
    from drawing import Picture
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

ROOT = Path(__file__).parents[2]

log = logging.getLogger(__name__)


# Links to the repository


def read_repository() -> str:
    """Return the address of the repository, which the package's metadata names."""
    urls = dict(url.split(", ", 1) for url in metadata("kvs_streams").get_all("Project-URL", []))
    return urls["Source"]


# Read the Docs says which commit it builds.
SOURCES = f"{read_repository()}/blob/{os.environ.get('READTHEDOCS_GIT_COMMIT_HASH', 'main')}"


# Pictures


class Drawing(SphinxDirective):
    """A picture that is drawn in every build."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the picture."""
        for module in pictures, drawing, rooms, errors:
            self.env.note_dependency(inspect.getfile(module))
        return [nodes.raw("", self.draw().inline(), format="html")]

    def draw(self) -> Picture:
        """Return the picture of the name that is given."""
        name = self.arguments[0] if self.arguments else None
        for draw in pictures.DRAWN:
            picture = draw()
            if picture.name == name:
                return picture
        raise self.error(f"there is no picture {name!r}")


class ErrorTree(Drawing):
    """The tree of errors; each box leads to its class."""

    optional_arguments = 0

    def draw(self) -> Picture:
        """Return the picture."""
        try:
            page = self.env.app.builder.get_relative_uri(self.env.docname, "reference/errors")
        except NoUri:
            page = ""
        return pictures.draw_error_tree(page)


class Architecture(Drawing):
    """The modules of the package and what they import; each box leads to its source."""

    optional_arguments = 0

    def draw(self) -> Picture:
        """Return the picture."""
        for path in rooms.PACKAGE.rglob("*.py"):
            self.env.note_dependency(str(path))
        return pictures.draw_architecture(f"{SOURCES}/kvs_streams")


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


# Tables on a phone


def repeat_heads(app: Sphinx, doctree: nodes.document) -> None:
    """Repeat the head of each column in its cells, where a table becomes a list on a phone.

    A table of two columns reads well without.
    """
    del app
    for container in doctree.findall(nodes.container):
        if "stacked" not in container["classes"]:
            continue
        for table in container.findall(nodes.table):
            (head,), (body,) = table.findall(nodes.thead), table.findall(nodes.tbody)
            labels = [entry.astext() for entry in head.findall(nodes.entry)]
            for row in body.children if len(labels) > 2 else ():  # noqa: PLR2004
                for label, entry in list(zip(labels, row.children, strict=True))[1:]:
                    for paragraph in entry.children[:1]:
                        paragraph.insert(0, nodes.inline("", f"{label}: ", classes=["head"]))


# A test that backs a claim


def name_test(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Inliner,
    *rest: Any,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Link to a test that backs a claim, such as ``tests/test_client.py::test_describe``.

    The test has to exist. Its docstring appears when the pointer is over the link.
    """
    del name, rawtext, rest
    path, _, function = text.partition("::")
    file = ROOT / path
    tree = ast.parse(file.read_text(encoding="utf-8") if file.is_file() else "")
    found: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | None = None
    if not function:
        found = tree if tree.body else None
    for item in tree.body:
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == function:
            found = item
    if found is None:
        return [], [inliner.reporter.error(f"there is no test {text}", line=lineno)]
    about = " ".join((ast.get_docstring(found) or "").split("\n\n")[0].split())
    address = f"{SOURCES}/{path}#L{getattr(found, 'lineno', 1)}"
    link = nodes.reference("", "", refuri=address, reftitle=f"{path}: {about}")
    link += nodes.literal(text, function or path.rpartition("/")[2], classes=["test"])
    return [link], []


# A module


def name_module(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Inliner,
    *rest: Any,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Link to the source of a module, such as ``_flows/ensure.py``; it has to exist."""
    del name, rest
    if not (rooms.PACKAGE / text).exists():
        return [], [inliner.reporter.error(f"there is no module {text}", line=lineno)]
    link = nodes.reference("", "", refuri=f"{SOURCES}/kvs_streams/{text}")
    link += nodes.literal(rawtext, text)
    return [link], []


# Texts under attributes, which Sphinx seeks in the module that a class says it is from


def let_sphinx_find_attributes() -> None:
    """Show Sphinx the sources of each public package, in case its classes say they are from it.

    Python keeps no text of an attribute, so Sphinx reads it from the source.
    """
    for package in "kvs_streams", "kvs_streams.testing":
        face = import_module(package)
        public = set(face.__all__)
        sources = []
        for path in sorted(Path(face.__path__[0]).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            defined = {
                item.name
                for item in ast.parse(source).body
                if isinstance(item, ast.ClassDef | ast.FunctionDef)
            }
            if defined & public:
                sources.append(source)
        analyzer = ModuleAnalyzer.for_string("\n".join(sources), package)
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
    app.add_directive("picture", Drawing)
    app.add_directive("error-tree", ErrorTree)
    app.add_directive("architecture", Architecture)
    app.add_directive("limits", LimitsTable)
    app.add_role("test", name_test)
    app.add_role("module", name_module)
    # What a block of code prints: a block of its own, compared by the tests.
    app.add_lexer("output", TextLexer)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)  # napoleon's is 500
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("doctree-read", repeat_heads)
    app.connect("missing-reference", resolve_short_names)
    app.connect("env-check-consistency", check_complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
