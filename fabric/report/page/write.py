"""The file of a page, moved into place whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from fabric.errors import InputError
from fabric.report.files import write_text
from fabric.report.page.render import cluster_page, page
from fabric.studies.multi_fabric import Cluster
from fabric.studies.study import Study

__all__ = ["check_name", "write_cluster_page", "write_page"]


def check_name(file: str | os.PathLike[str]) -> None:
    """Raise InputError unless the name of a file ends as a page's does."""
    if Path(file).suffix.lower() not in (".html", ".htm"):
        raise InputError(f"{os.fspath(file)!r:.200}: a report is an HTML page; its name must end in .html")


def write_page(
    studies: Sequence[Study],
    file: str | os.PathLike[str],
    command: str = "",
    *,
    names: Sequence[str] = (),
    front: bool = True,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write the report of `studies` to `file` as one HTML page (see `page`), its folder made if missing.

    Raises InputError for a name that does not end in .html, and FabricError saying what the system refused.
    """
    check_name(file)
    return write_text(file, [page(studies, command, names=names, front=front, progress=progress)])


def write_cluster_page(
    cluster: Cluster,
    file: str | os.PathLike[str],
    command: str = "",
    *,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Write the report of a cluster to `file` as one HTML page (see `cluster_page`); raises as `write_page` does."""
    check_name(file)
    return write_text(file, [cluster_page(cluster, command, progress=progress)])
