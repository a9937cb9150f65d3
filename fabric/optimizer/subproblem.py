"""One candidate's model with the constraints that make its fabrics better than others in some objective.

For a linear objective, better is a bound on its expression. A flow objective is constrained by its features (see
`fabric.optimizer.flow_objectives`): none may be worse than what the rest, at its best, makes up for; and where features
that satisfy this were found not to be enough, some feature must improve on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ortools.sat.python import cp_model

from fabric.optimizer.build_model import build_model
from fabric.optimizer.feature import Features
from fabric.optimizer.floor import Floor
from fabric.optimizer.flow_objectives import CandidateValues
from fabric.optimizer.objective import FlowObjective, LinearObjective, Objective

__all__ = ["Bounds", "Subproblem"]

Bounds = Iterable[tuple[Objective, float]]
"""Objectives with the most that each may be, in the solver's units or those of the flow objective."""


class Subproblem:
    """The model of one candidate, that of `values`, with its objectives and features.

    `found` are the features of the candidate's fabrics found so far, and `floor` what they take at least.
    """

    def __init__(
        self,
        values: CandidateValues,
        objectives: Sequence[Objective],
        found: Sequence[Features] = (),
        floor: Floor | None = None,
    ) -> None:
        self.values = values
        self.found = found
        self.model = build_model(values.candidate)
        linear = [objective for objective in objectives if isinstance(objective, LinearObjective)]
        if floor:
            floor.add_to(self.model, linear)
        self.linear = {objective.key: self.model.total(objective) for objective in linear}
        self.features = self.model.features() if len(self.linear) < len(objectives) else {}
        self.best = {name: feature.least for name, feature in self.features.items()}

    @property
    def feature_sum(self) -> list[cp_model.LinearExprT]:
        """Return the sum of the features, if there are any to choose: the tie-breaker of the search."""
        terms = [feature.expression for feature in self.features.values() if feature.expression is not None]
        return [sum(terms)] if terms else []

    def at_least(self, objective: Objective, least: float) -> None:
        """Demand that a linear objective be at least `least`."""
        self.model.cp.add(self.linear[objective.key] >= int(least))

    def all_at_most(self, bounds: Bounds) -> None:
        """Demand that each objective be within its bound."""
        self.model.cp.add_bool_and([self._within(objective, most) for objective, most in bounds])

    def any_at_most(self, bounds: Bounds) -> None:
        """Demand that some objective be within its bound."""
        self.model.cp.add_bool_or([self._within(objective, most) for objective, most in bounds])

    def no_worse(self, features: Features) -> None:
        """Demand that no feature be worse."""
        for name in self.features:
            self._limit_feature(name, features[name])

    def _within(self, objective: Objective, most: float) -> cp_model.IntVar:
        """Return a flag that is 1 only if the objective is at most `most`."""
        flag = self.model.var(1, f"better {objective.name}", least=0)
        if not isinstance(objective, FlowObjective):
            self.model.cp.add(self.linear[objective.key] <= int(most)).only_enforce_if(flag)
            return flag
        worst = self._limit_features(objective, most, flag)
        for features in self.found:
            if all(features[name] <= value for name, value in worst.items()):
                self._improve(objective, most, features, flag)
        return flag

    def _limit_features(self, objective: FlowObjective, most: float, flag: cp_model.IntVar) -> dict[str, int]:
        """Limit each feature to what lets the objective be at most `most`, the rest at its best; return the limits."""
        if self.values.value(objective, self.best) > most:
            self.model.cp.add(flag == 0)
            return {name: least - 1 for name, least in self.best.items()}
        worst = {name: self._worst_allowed(objective, most, name) for name in self.features}
        for name, value in worst.items():
            self._limit_feature(name, value, flag)
        return worst

    def _limit_feature(self, name: str, value: int, flag: cp_model.IntVar | None = None) -> None:
        """Keep a feature at or below a value, always or if the flag is 1."""
        feature = self.features[name]
        if value < feature.least and flag is not None:
            self.model.cp.add(flag == 0)
        elif value < feature.most:
            for limit in feature.at_most(value):
                added = self.model.cp.add(limit)
                if flag is not None:
                    added.only_enforce_if(flag)

    def _worst_allowed(self, objective: FlowObjective, most: float, name: str) -> int:
        """Return the largest value of one feature, the rest at its best, with the objective at most `most`.

        The objective never falls when a feature rises, so bisection finds it.
        """
        low, high = self.features[name].least, self.features[name].most
        while low < high:
            middle = (low + high + 1) // 2
            enough = self.values.value(objective, {**self.best, name: middle}) <= most
            low, high = (middle, high) if enough else (low, middle - 1)
        return low

    def _improve(self, objective: FlowObjective, most: float, features: Features, flag: cp_model.IntVar) -> None:
        """Demand, if the flag is 1, a feature better than in `features`, whose objective is above `most`.

        This cuts off only fabrics that are no better than one found, so that the search never returns to it.
        """
        for names in self._features_that_matter(objective, most, features):
            flags = []
            for name in names:
                flags.append(self.model.var(1, f"better {name}", least=0))
                self._limit_feature(name, features[name] - 1, flags[-1])
            self.model.cp.add_bool_or([~flag, *flags])

    def _features_that_matter(self, objective: FlowObjective, most: float, features: Features) -> Iterator[list[str]]:
        """Yield the features of which one must improve, if any: those that suffice alone, and the rest if it does."""

        def enough(names: Iterable[str]) -> bool:
            best = {**features, **{name: self.best[name] for name in names}}
            return self.values.value(objective, best) <= most

        if not enough([]):
            alone = [name for name in self.best if enough([name])]
            rest = [name for name in self.best if name not in alone]
            yield [*alone, *rest] if enough(rest) else alone
