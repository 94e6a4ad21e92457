"""How the documentation is built: `make docs`."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

from drawing import DARK, LIGHT  # noqa: E402  # found in the folder of the line above
from from_code import read_repository  # noqa: E402

project = "kvs_streams"
copyright = "the kvs_streams authors"  # noqa: A001  # Sphinx's word
author = "The kvs_streams authors"
release = version = installed_version("kvs_streams")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "from_code",
]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
smartquotes_action = "D"  # dashes; quotes stay as they are written

# MyST
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

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
        r"(Any|Awaitable|Iterator|Literal|Mapping|Self|Sequence|TracebackType)",
    ),
    # boto3's and botocore's
    (r"py:(class|exc|obj)", r"(botocore\.\w+\.)?(BaseClient|BotoCoreError|ClientError|Config)"),
    (r"py:(class|exc|obj)", r"boto3\.\w+"),
]

# HTML
html_theme = "furo"
html_title = f"kvs_streams {release}"
html_static_path = ["_static"]
html_css_files = ["pictures.css", "custom.css"]
# Each page links to its source in the repository instead.
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_search_scorer = str(HERE / "_static" / "scorer.js")
pygments_style = "a11y-light"
pygments_dark_style = "github-dark"
toc_object_entries_show_parents = "hide"

repository = read_repository()
html_theme_options = {
    "source_repository": f"{repository}/",
    "source_branch": "main",
    "source_directory": "docs/",
    "top_of_page_buttons": ["view"],
    "footer_icons": [
        {
            "name": "Repository",
            "url": repository,
            "html": (HERE / "_static" / "repository.svg").read_text(encoding="utf-8"),
            "class": "",
        }
    ],
    "light_css_variables": LIGHT,
    "dark_css_variables": DARK,
}

# The copy button takes code, without prompts and what a command prints; output has none.
copybutton_selector = "div.highlight:not(.highlight-output *, .highlight-text *) > pre"
copybutton_prompt_text = "$ "
