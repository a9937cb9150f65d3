"""The parts of links in use: of the cables as they are laid out where the request has a site, else of the design."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fabric.blueprint.composition import Composition
from fabric.blueprint.prices import prices_of
from fabric.catalog import Switch
from fabric.request.site import Site
from fabric.studies.study import Study

__all__ = ["list_link_parts", "list_models", "parts_at_typical_power", "parts_of_unknown_power"]


def list_link_parts(study: Study) -> list[tuple[str, Composition | None]]:
    """Return the parts of one link with the bundle that it is of: several of a bundle with links of several kinds."""
    if study.spec.site != Site():
        return list(dict.fromkeys((kind.like, kind.found) for kind in study.wiring.kinds))
    prices = prices_of(study.spec, study.blueprint)
    return [(bundle.name, prices.parts(bundle.name)) for bundle in study.blueprint.topology.bundles]


def list_models(study: Study) -> list[Switch]:
    """Return the switch models in use."""
    blueprint = study.blueprint
    return [model for role in blueprint.topology.roles for model, _ in blueprint.model_counts(role)]


def parts_of_unknown_power(study: Study) -> tuple[str, ...]:
    """Return the parts in use whose typical power is not known."""
    names = [model.name for model in list_models(study) if model.power_w is None]
    names += _name_parts(study, lambda found: found is None or found.power_w is None, "power_w")
    return tuple(dict.fromkeys(names))


def parts_at_typical_power(study: Study) -> tuple[str, ...]:
    """Return the parts in use that count at typical power where maximum power is limited, since theirs is not known."""
    models = [model for model in list_models(study) if model.power_w is not None]
    names = [model.name for model in models if model.max_power_w is None]
    names += _name_parts(study, lambda found: found is not None and found.power_w is not None, "max_power_w")
    return tuple(dict.fromkeys(names))


def _name_parts(study: Study, chosen: Callable[[Composition | None], bool], fact: str) -> Iterator[str]:
    """Yield the parts without a fact of the links chosen; where no part is known, the link itself."""
    prices = prices_of(study.spec, study.blueprint)
    for bundle, found in list_link_parts(study):
        if chosen(found):
            far = f" of {prices.spec.length_m(bundle):g} m" if prices.spec.length_m(bundle) else ""
            yield from found.without(fact) if found else (f"{prices.rate(bundle)}G link{far}",)
