"""The report as one self-contained HTML page: the request, the choice and why, tables, curves and a fabric to open."""

from fabric.report.page.render import cluster_page, page
from fabric.report.page.write import check_name, write_cluster_page, write_page

__all__ = ["check_name", "cluster_page", "page", "write_cluster_page", "write_page"]
