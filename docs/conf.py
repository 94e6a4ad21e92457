"""How the documentation is built: `make docs`."""

from __future__ import annotations

from enum import Enum
from importlib import import_module
from importlib.metadata import metadata, version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx.util import logging

from kvs_streams import errors

if TYPE_CHECKING:
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

HERE = Path(__file__).parent
MODULES = "kvs_streams", "kvs_streams.typing", "kvs_streams.testing"

project = "kvs_streams"
copyright = "the kvs_streams authors"  # noqa: A001  # Sphinx's word
author = "The kvs_streams authors"
release = version = installed_version("kvs_streams")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinxcontrib.mermaid",
]
# Decisions are for contributors, who read them in the repository.
exclude_patterns = ["_build", "decisions"]
source_suffix = {".md": "markdown"}
smartquotes_action = "D"  # dashes; quotes stay as they are written

# MyST
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]

# Reference
autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_class_signature = "mixed"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# Every reference is checked. These lead out of this documentation, and no inventory of theirs is
# asked for, so that the build needs no network.
nitpick_ignore_regex = [
    # Python's own names
    (
        r"py:(class|exc|obj)",
        r"(collections\.abc|datetime|enum|types|typing|typing_extensions)\.\w+",
    ),
    (
        r"py:(class|exc|obj)",
        r"(str|int|float|bool|bytes|dict|list|tuple|type|object|None|timedelta|datetime|Ellipsis)",
    ),
    (
        r"py:(class|exc|obj)",
        r"(Assertion|Import|Lookup|Runtime|Timeout|Type|Value)Error|(Base)?Exception",
    ),
    (
        r"py:(class|exc|obj)",
        r"(Any|Awaitable|Callable|Iterator|Literal|Mapping|Self|Sequence|TracebackType)",
    ),
    # boto3's and botocore's
    (r"py:(class|exc|obj)", r"(botocore\.\w+\.)?(BaseClient|BotoCoreError|ClientError|Config)"),
    (r"py:(class|exc|obj)", r"boto3\.\w+"),
    # Private type variables, and the keyword arguments of errors
    (r"py:(class|obj)", r"kvs_streams\.(.*\._[A-Z]\w*|errors\.\w*Attributes)"),
]

# HTML
html_theme = "furo"
html_title = f"kvs_streams {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
# Each page links to its source in the repository instead.
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_search_scorer = str(HERE / "_static" / "scorer.js")
pygments_style = "a11y-light"
pygments_dark_style = "github-dark"
toc_object_entries_show_parents = "hide"

urls = dict(url.split(", ", 1) for url in metadata("kvs_streams").get_all("Project-URL", []))
html_theme_options = {
    "source_repository": f"{urls['Source']}/",
    "source_branch": "main",
    "source_directory": "docs/",
    "top_of_page_buttons": ["view"],
    "footer_icons": [
        {
            "name": "Repository",
            "url": urls["Source"],
            "html": (HERE / "_static" / "repository.svg").read_text(encoding="utf-8"),
            "class": "",
        }
    ],
}

# The copy button takes code, without prompts and what a command prints; output has none.
copybutton_selector = "div.highlight:not(.highlight-output *, .highlight-text *) > pre"
copybutton_prompt_text = "$ "

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


def repeat_heads(app: Sphinx, doctree: nodes.document) -> None:
    """Repeat the head of each column in its cells, where a table becomes a list on a phone."""
    del app
    for table in doctree.findall(nodes.table):
        (head,), (body,) = table.findall(nodes.thead), table.findall(nodes.tbody)
        labels = [entry.astext() for entry in head.findall(nodes.entry)]
        for row in body.children if len(labels) > 2 else ():  # noqa: PLR2004  # two read well without
            for label, entry in list(zip(labels, row.children, strict=True))[1:]:
                for paragraph in entry.children[:1]:
                    paragraph.insert(0, nodes.inline("", f"{label}: ", classes=["head"]))


def resolve_short_names(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element
) -> nodes.Element | None:
    """Resolve an annotation that names one of our types without its module."""
    name = node["reftarget"].rpartition(".")[2]
    domain = env.get_domain("py")
    for module in MODULES:
        if f"{module}.{name}" in domain.objects:
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", f"{module}.{name}", node, contnode
            )
    return None


def check_complete(app: Sphinx, env: BuildEnvironment) -> None:
    """Demand that the reference holds every public name."""
    del app
    documented = env.get_domain("py").objects
    for module in MODULES:
        for name in import_module(module).__all__:
            if f"{module}.{name}" not in documented:
                logging.getLogger(__name__).warning("%s.%s is not in the reference", module, name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of all this."""
    # What a block of code prints: a block of its own, compared by the tests.
    app.add_lexer("output", TextLexer)
    app.connect("autodoc-process-docstring", hide_colon, priority=400)  # napoleon's is 500
    app.connect("autodoc-process-docstring", show_colon, priority=600)
    app.connect("autodoc-process-signature", shorten_signature)
    app.connect("doctree-read", repeat_heads)
    app.connect("missing-reference", resolve_short_names)
    app.connect("env-check-consistency", check_complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
