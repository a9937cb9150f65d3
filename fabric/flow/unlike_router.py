"""The router of a Clos with unlike servers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from operator import mul

from fabric.flow.fabric_summary import FabricSummary
from fabric.flow.tiered_links import TieredLinks
from fabric.flow.tiered_router import TieredRouter
from fabric.flow.unlike_links import UnlikeLinks
from fabric.topology.unlike_servers import DealtBundle, UnlikeForm

__all__ = ["UnlikeRouter"]


@dataclass(frozen=True, eq=False)
class UnlikeRouter(TieredRouter):
    """The router of a Clos with unlike servers (see `fabric.flow.router.Router`)."""

    form: UnlikeForm
    """Its topology."""

    @cached_property
    def links(self) -> TieredLinks:
        return UnlikeLinks(self.blueprint, self.form)

    def summarize(self) -> FabricSummary:
        """Return the fabric as closed forms see it: once for each kind with GPUs, as if all servers were of that."""
        blueprint = self.blueprint
        having = [each for each in self.form.dealt if blueprint.kinds[each.lower.role].gpus]
        counts = [blueprint.devices(each.lower.role) for each in having]
        whole = replace(super().summarize(), servers=sum(counts))
        kinds = [self._summarize_kind(whole, each, having) for each in having]
        return replace(kinds[0], kinds=tuple(zip(counts, kinds, strict=True)) if len(kinds) > 1 else ())

    def _summarize_kind(self, whole: FabricSummary, kind: DealtBundle, having: list[DealtBundle]) -> FabricSummary:
        """Return the summary as if all servers were of a kind; `having` are the kinds with GPUs."""
        blueprint, form, sizes = self.blueprint, self.form, self.blueprint.sizes
        rate, below_top = blueprint.rate(kind), form.switch_groups[:-1]
        each = sum(sizes[one.slot] for one in having) if form.shares_units else sizes[kind.slot]
        leaf = form.kind_oversubscription(kind, sizes, blueprint.bundle_rates)
        others = [blueprint.oversubscription(group.role) for group in below_top[1:]]
        ratios = [float(ratio or 1) for ratio in ([leaf, *others] if below_top else [])]
        return replace(
            whole,
            server=blueprint.kinds[kind.lower.role],
            link_gbps=rate,
            peers=tuple(each * form.locality_size(group.axes, sizes) for group in below_top),
            ratios=tuple(accumulate(ratios, mul)),
            speeds=tuple(blueprint.rate(bundle) / rate for bundle in form.fabric_bundles),
            leaf_nics=sizes[kind.name],
        )
