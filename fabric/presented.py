"""What results have in common: each gives itself as a plain mapping, and shows itself as a table in a notebook.

What a person reads of a result is decided in `fabric.report`, which is above all results and imports them. The package
itself knows both, and hands the presenter down (`fabric/__init__.py`), so that no result imports what is above it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which takes longer to import than all else here

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Protocol

    import pandas as pd
    from matplotlib.figure import Figure

    class Presenter(Protocol):
        """How results are shown: the module `fabric.report.present`."""

        def to_dict(self, value: Any, /) -> dict[str, Any]:
            """Return a value as plain data that JSON can hold."""

        def to_html(self, value: Any, /) -> str:
            """Return a value as HTML for a notebook."""

        def to_pandas(self, value: Any, /) -> pd.DataFrame:
            """Return a value as a frame of pandas."""

        def plot(self, value: Any, /) -> Figure:
            """Draw a value as a chart."""

        def plot_sweep(self, table: Any, picture: Any, /) -> Figure:
            """Draw a picture of a sweep."""


__all__ = ["Plotted", "Presented", "Tabular"]


class Presented:
    """A result that gives itself as plain data, and that a notebook shows as a short table."""

    presenter: ClassVar[Callable[[], Presenter]]
    """Returns what shows results; set by the package."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain mappings, lists, text and numbers, which JSON can hold (docs/python.md).

        Equal values give equal mappings: the time that an answer took is left out.
        """
        return Presented.presenter().to_dict(self)

    def _repr_html_(self) -> str:
        """Return it as HTML: what Jupyter shows where it is the value of a cell."""
        return Presented.presenter().to_html(self)


class Tabular(Presented):
    """A result of many rows."""

    def to_pandas(self) -> pd.DataFrame:
        """Return its rows as a frame of pandas, with units in the names of columns; None where a value is not known.

        Raises MissingLibrary without pandas.
        """
        return Presented.presenter().to_pandas(self)


class Plotted(Presented):
    """A result that can be drawn as a chart."""

    def plot(self) -> Figure:
        """Return its chart as a matplotlib figure, which a notebook shows; its axes are `figure.axes`."""
        return Presented.presenter().plot(self)
