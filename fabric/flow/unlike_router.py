"""The router of a Clos with unlike servers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from fabric.flow.tiered_links import TieredLinks
from fabric.flow.tiered_router import TieredRouter
from fabric.flow.unlike_links import UnlikeLinks
from fabric.topology.unlike_servers import UnlikeForm

__all__ = ["UnlikeRouter"]


@dataclass(frozen=True, eq=False)
class UnlikeRouter(TieredRouter):
    """The router of a Clos with unlike servers (see `fabric.flow.router.Router`)."""

    form: UnlikeForm
    """Its topology."""

    @cached_property
    def links(self) -> TieredLinks:
        return UnlikeLinks(self.blueprint, self.form)
