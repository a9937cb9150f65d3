"""The report as one self-contained HTML page: the request, the choice and why, tables, curves and a fabric to open."""

from fabric.report.page.render import page
from fabric.report.page.write import check_name, write_page

__all__ = ["check_name", "page", "write_page"]
