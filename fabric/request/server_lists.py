"""The servers of a request: of one kind, or a list of unlike kinds with the number of each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from fabric.request.fields import MAX_GPUS, Gpus, Name, ServerName, StrictModel, tag
from fabric.request.parts import InlineServer

__all__ = ["AskedServer", "Growth", "ServerCount"]


def _tag_server(value: Any) -> str:
    return "<server>" if isinstance(value, dict) else tag(value)


AskedServer = Annotated[
    Annotated[ServerName, Tag("<name>")] | Annotated[InlineServer, Tag("<server>")], Discriminator(_tag_server)
]
"""A server by its catalogue name, or a mapping of its facts."""


class ServerCount(StrictModel):
    """One kind of server of a fabric that has several, and how many there are."""

    server: AskedServer = Field(examples=["hgx-h100"])
    """The server: a catalogue name, or a mapping of facts; a storage or login node has `gpus: 0`."""
    count: Annotated[int, Field(ge=1, le=MAX_GPUS)] = Field(examples=[32])
    """The number of these servers."""
    per_unit: Annotated[int, Field(ge=1, le=MAX_GPUS)] | None = Field(default=None, examples=[4])
    """These servers in a scalable unit; default: sizing chooses."""


GrowthStages = Annotated[
    Annotated[Gpus, Tag("<one>")] | Annotated[list[Gpus], Tag("<list>"), Field(min_length=1, max_length=20)],
    Discriminator(tag),
]
"""The GPUs to which a fabric grows: one number, or those of several stages."""

Growth = Annotated[
    Annotated[Gpus, Tag("<one>")]
    | Annotated[list[Gpus], Tag("<list>"), Field(min_length=1, max_length=20)]
    | Annotated[dict[Name, GrowthStages], Tag("<mapping>"), Field(min_length=1, max_length=20)],
    Discriminator(tag),
]
"""The same for all GPUs, or for those of one kind of server by its name."""
