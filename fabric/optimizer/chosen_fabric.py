"""The fabric that a search has chosen, in plain words and numbers, and its blueprint, made without a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fabric.blueprint import Blueprint
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.objective import LinearObjective
from fabric.optimizer.search import comparable_candidates
from fabric.optimizer.solve import Solution
from fabric.optimizer.ties import blueprint_of
from fabric.request import Spec

__all__ = ["ChosenFabric"]


@dataclass(frozen=True)
class ChosenFabric:
    """What a search has chosen for a request."""

    family: str
    """The family."""
    form: str
    """The topology as a formula."""
    virtual_channels: Mapping[str, int]
    """The virtual channels of each kind of path: forms of Jellyfish that differ in nothing else differ in these."""
    planes: int
    """The number of planes."""
    rates: Mapping[str, int]
    """The rate of a link of each bundle, in Gb/s."""
    sizes: Mapping[str, int]
    """Every size, as in a blueprint."""
    models: Mapping[str, Mapping[str, int]]
    """For each role the switches of each model in use."""
    added: Mapping[str, Mapping[str, int]]
    """The same for the switches that growth adds, of the roles whose stock is limited."""

    def restore(
        self, spec: Spec, objectives: Sequence[LinearObjective] = ()
    ) -> tuple[Blueprint | None, tuple[Candidate, ...]]:
        """Return its blueprint, None where the request does not allow it, and all candidates of the request."""
        found, _, _ = comparable_candidates(spec, objectives)
        made = (self._blueprint_of(candidate) for candidate in found if self._is_of(candidate))
        return next((blueprint for blueprint in made if self._is_sound(blueprint)), None), tuple(found)

    def _is_of(self, candidate: Candidate) -> bool:
        topology = candidate.topology
        names = {role: {model.name for model in candidate.models[role]} for role in topology.roles}
        return (
            (topology.family, topology.text, candidate.planes) == (self.family, self.form, self.planes)
            and topology.virtual_channels == self.virtual_channels
            and {bundle.name: candidate.rate(bundle) for bundle in topology.bundles} == self.rates
            and names.keys() == self.models.keys()
            and all(set(counts) <= names[role] for role, counts in self.models.items())
        )

    def _blueprint_of(self, candidate: Candidate) -> Blueprint:
        counts, added = (
            {role: tuple(each.get(model.name, 0) for model in candidate.models[role]) for role, each in chosen.items()}
            for chosen in (self.models, self.added)
        )
        added = {role: each for role, each in added.items() if any(each)}
        return blueprint_of(
            candidate, Solution("OPTIMAL", sizes=dict(self.sizes), switch_counts=counts, added_counts=added)
        )

    def _is_sound(self, blueprint: Blueprint) -> bool:
        """Say whether all servers fit, and counts and sizes that follow from others are those that do."""
        topology, sizes = blueprint.topology, blueprint.sizes
        counts = {role: sum(models.values()) for role, models in self.models.items()}
        full = topology.complete_sizes(sizes, blueprint.server.nics, blueprint.servers)
        fits = topology.capacity(sizes) >= blueprint.servers and full == sizes
        return fits and counts == {role: blueprint.devices(role) for role in topology.roles}
