"""One candidate's model, and what it must keep to so that a fabric of it is better than another in some aim.

An objective is an expression, so that better is a bound. A measure is told by its features (see `measures`): none may
be worse than what the rest, at its best, makes up for; and what was seen not to be enough must be improved on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ortools.sat.python import cp_model

from fabric.optimizer.build_model import build_model
from fabric.optimizer.candidates import Candidate
from fabric.optimizer.feature import Features
from fabric.optimizer.flow_objectives import FlowObjective
from fabric.optimizer.objectives import Objective

__all__ = ["Aim", "Subproblem"]

Aim = Objective | FlowObjective


class Subproblem:
    """What is asked of one candidate: its model, aims and features; `seen` are the features of its fabrics so far."""

    def __init__(self, candidate: Candidate, aims: Sequence[Aim], seen: Sequence[Features] = ()) -> None:
        self.candidate = candidate
        self.seen = seen
        self.model = build_model(candidate)
        self.linear = {aim.name: aim.expression(self.model) for aim in aims if isinstance(aim, Objective)}
        measured = any(isinstance(aim, FlowObjective) for aim in aims)
        self.features = self.model.features() if measured else {}
        self.best = {name: feature.least for name, feature in self.features.items()}

    @property
    def total(self) -> list[cp_model.LinearExprT]:
        """Return the sum of the features, if there are any to choose: what a tie is broken by."""
        terms = [feature.expression for feature in self.features.values() if feature.expression is not None]
        return [sum(terms)] if terms else []

    def at_least(self, aim: Objective, least: float) -> None:
        """Demand that an objective be no less than so much."""
        self.model.cp.add(self.linear[aim.name] >= int(least))

    def at_most(self, limits: Iterable[tuple[Aim, float]]) -> None:
        """Demand that each aim be at most so much, in the units of the solver or of the measure."""
        self.model.cp.add_bool_and([self._way(aim, most) for aim, most in limits])

    def any_at_most(self, limits: Iterable[tuple[Aim, float]]) -> None:
        """Demand that some aim be at most so much."""
        self.model.cp.add_bool_or([self._way(aim, most) for aim, most in limits])

    def as_good(self, features: Features) -> None:
        """Demand that no feature be worse."""
        for name in self.features:
            self._hold(name, features[name])

    def _way(self, aim: Aim, most: float) -> cp_model.IntVar:
        """Return a flag that is 1 only if the aim is at most so much."""
        way = self.model.var(1, f"better {aim.name}", least=0)
        if isinstance(aim, Objective):
            self.model.cp.add(self.linear[aim.name] <= int(most)).only_enforce_if(way)
            return way
        worst = self._allow(aim, most, way)
        for features in self.seen:
            if all(features[name] <= each for name, each in worst.items()):
                self._improve(aim, most, features, way)
        return way

    def _allow(self, measure: FlowObjective, most: float, way: cp_model.IntVar) -> dict[str, int]:
        """Say how bad each feature may be, the rest at its best, for the measure to be at most so much; return that."""
        if measure.at(self.candidate, self.best) > most:
            self.model.cp.add(way == 0)
            return {name: least - 1 for name, least in self.best.items()}
        worst = {name: self._worst(measure, most, name) for name in self.features}
        for name, value in worst.items():
            self._hold(name, value, way)
        return worst

    def _hold(self, name: str, value: int, only_if: cp_model.IntVar | None = None) -> None:
        """Hold a feature at or below a value, always or if the flag is 1."""
        feature = self.features[name]
        if value < feature.least and only_if is not None:
            self.model.cp.add(only_if == 0)
        elif value < feature.most:
            for limit in feature.at_most(value):
                added = self.model.cp.add(limit)
                if only_if is not None:
                    added.only_enforce_if(only_if)

    def _worst(self, measure: FlowObjective, most: float, name: str) -> int:
        """Return the largest that one feature may be, the rest at its best, for the measure to be at most so much."""
        low, high = self.features[name].least, self.features[name].most
        while low < high:
            middle = (low + high + 1) // 2
            enough = measure.at(self.candidate, {**self.best, name: middle}) <= most
            low, high = (middle, high) if enough else (low, middle - 1)
        return low

    def _improve(self, measure: FlowObjective, most: float, features: Features, way: cp_model.IntVar) -> None:
        """Say that what has a measure of at most so much is better than `features`, which has not, in what matters."""
        ways = list(self._matters(measure, most, features))
        if not ways:
            return
        flags = []
        for name in ways[0]:
            flags.append(self.model.var(1, f"better {name}", least=0))
            self._hold(name, features[name] - 1, flags[-1])
        self.model.cp.add_bool_or([~way, *flags])

    def _matters(self, measure: FlowObjective, most: float, features: Features) -> Iterator[list[str]]:
        """Yield the features that matter, if any must be better: those enough alone; the rest, if it is together."""

        def enough(names: Iterable[str]) -> bool:
            return measure.at(self.candidate, {**features, **{name: self.best[name] for name in names}}) <= most

        if not enough([]):
            alone = [name for name in self.best if enough([name])]
            rest = [name for name in self.best if name not in alone]
            yield [*alone, *rest] if enough(rest) else alone
