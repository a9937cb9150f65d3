"""The report as one self-contained HTML page: the request, the choice and why, tables, curves and a fabric to open."""

from fabric.page.render import page
from fabric.page.write import write_page

__all__ = ["page", "write_page"]
