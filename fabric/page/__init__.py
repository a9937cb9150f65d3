"""The report as one self-contained HTML page: the request, the choice and why, tables, curves and a fabric to open."""

from fabric.page.render import page
from fabric.page.write import check_name, write_page

__all__ = ["check_name", "page", "write_page"]
