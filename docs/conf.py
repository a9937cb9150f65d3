"""The site of the documentation: `make docs` builds it in build/site, strictly and without a network.

Its sources are the pages where they are, so that links between them lead to the same places here and on GitHub.
"""

import re
import sys
from pathlib import Path
from types import FunctionType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import fabric
from fabric.cli.commands import COMMANDS
from fabric.cli.record_name import RecordName

project, version = "fabric", fabric.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_click"]
root_doc = "docs/index"
include_patterns = ["docs/**", "examples/notebooks/*.ipynb", "CHANGELOG.md"]
exclude_patterns = [".*", "**/.*", "build", "docs/pictures", "fabric", "tests"]  # which need not be searched
suppress_warnings = ["mystnb.unknown_mime_type"]

# Pages are the Markdown that GitHub shows. Notebooks are shown as they were executed; a test executes them.
myst_heading_anchors = 4
nb_execution_mode = "off"
highlight_language = "none"  # what is indented is a command line

# The keys of a request are one argument, as in the source, and not all of those that editors complete.
for name in fabric.__all__:
    if isinstance(function := getattr(fabric, name), FunctionType):
        vars(function).pop("__signature__", None)
        for key, kind in function.__annotations__.items():
            function.__annotations__[key] = re.sub(r"^Unpack\[(\w+)\]$", r"\1", kind)

# The help of an option lists names when it is shown; here they are put in once.
for command in COMMANDS:
    for option in command.params:
        if isinstance(option.type, RecordName) and option.param_type_name == "option":
            option.help = option.help.replace("{names}", ", ".join(option.type.list_names()))

# Docstrings: a name between single backticks is code, and members stand in the order of the source.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
python_maximum_signature_line_length = 100
autodoc_preserve_defaults = True  # as they are written
add_module_names = False

# Every type of fabric that a signature names has its entry; those of other projects have theirs elsewhere.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(abc|collections|fractions|matplotlib|networkx|numpy|os|pathlib|pydantic|random|types|typing)\..*"),
    (r"py:.*", r"(cp_model|np|npt|nx|pa|pd)\..*|tuple\[.*"),
    (r"py:.*", r"\w+"),  # names that only type checkers import, and aliases of arrays
    (r"py:.*", r"fabric\.\w+\.[A-Z](_co)?"),  # type variables
]

toc_object_entries_show_parents = "hide"
html_theme = "furo"
html_title = f"fabric {version}"
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False


def _shorten(_app, _kind, _name, _value, _options, signature, returns):
    """Leave out of a signature what annotations have beside their types."""
    if not signature:
        return None
    signature = signature.replace("<factory>", "...")  # which Sphinx can read
    return re.sub(r"Annotated\[(.*?), ~fabric\.\w+\.\w+\.Limit\(.*?\)\]", r"\1", signature), returns


def _escape(_app, _context, lines):
    """Keep a star of a help text from beginning emphasis."""
    lines[:] = [line.replace("*", r"\*") for line in lines]


def _lead_to_index(app, error):
    """Let the top of the site lead to its first page."""
    if not error and app.builder.format == "html":
        page = '<!doctype html><meta http-equiv="refresh" content="0; url=docs/index.html">\n'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")


def setup(app):
    """Connect what is done while pages are read."""
    app.connect("autodoc-process-signature", _shorten)
    app.connect("build-finished", _lead_to_index)
    app.connect("sphinx-click-process-description", _escape)
