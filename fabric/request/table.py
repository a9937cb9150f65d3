"""The words of a table of published fabrics: what each is by a request, and its cells as they were published."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from fabric.errors import nearest
from fabric.request.fields import AxisName, Count, Share, StrictModel, Text, wrong

__all__ = ["CELLS", "DiffersFields", "RowFields", "TableFields"]

CELLS = (
    "endpoints", "switches", "links", "cost_musd", "cost_per_endpoint_kusd",
    "radix", "copper", "fibre", "modules", "nic_ports", "hops_max",
)  # fmt: skip
"""What a table may say of a fabric (docs/tables.md)."""


def _known(name: str) -> str:
    if name not in CELLS:
        raise wrong(f"no cell '{name}'{nearest(name, CELLS)}")
    return name


Cell = Annotated[str, Field(max_length=100), AfterValidator(_known)]
Number = Annotated[float, Field(ge=0, le=1e15)]


class DiffersFields(StrictModel):
    """Why cells of a row differ from what is computed."""

    cells: Annotated[list[Cell], Field(min_length=1, max_length=20)] = Field(examples=[["switches"]])
    """The cells that this explains."""
    why: Annotated[Text, Field(min_length=1)] = Field(examples=["the source counts spares too"])
    """The explanation."""


class RowFields(StrictModel):
    """One published fabric."""

    name: Annotated[Text, Field(min_length=1)] = Field(examples=["FT2"])
    """What the table calls it."""
    request: dict[str, Any] = Field(examples=["{gpus: 2048, family: fat-tree}"])
    """What it is, in the words of a request."""
    published: Annotated[dict[Cell, Number], Field(min_length=1)] = Field(examples=["{switches: 96}"])
    """Its cells."""
    differs: list[DiffersFields] = Field(default=[], max_length=20)
    """The cells known to differ, with the reasons."""
    formula: dict[Text, Count] = Field(default={}, examples=["{q: 28}"])
    """Sizes at which the source read its formulas, where no such fabric can be built."""
    copper: list[AxisName] = Field(default=[], max_length=20)
    """The bundles whose links are copper; all others are fibre."""
    links_per_fibre: dict[AxisName, Count] = Field(default={}, examples=["{leaf-spine: 2}"])
    """How many links of a bundle share one fibre; 1 where nothing is said."""
    note: Text = ""
    """What else a reader should know of the row."""


class TableFields(StrictModel):
    """A table: its fabrics, and the source that published them."""

    title: Text = Field(examples=["Table 3 of the paper"])
    """One line that says what it is."""
    source: Annotated[Text, Field(min_length=1)] = Field(examples=["doi 10.1145/3718958.3750503"])
    """Where the numbers stand."""
    within: dict[Cell, Share] = Field(default={}, examples=["{cost_musd: 0.02}"])
    """Relative tolerance by cell, for what the source rounds: 0.02 is two percent; a cell left out must be exact."""
    common: dict[str, Any] = Field(default={}, examples=["{server: hgx-h100}"])
    """Words of the request that hold in every row that does not say otherwise."""
    rows: Annotated[list[RowFields], Field(min_length=1, max_length=1000)] = Field(examples=["[{name: FT2, ...}]"])
    """The fabrics."""
