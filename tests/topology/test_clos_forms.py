"""The axis algebra: what its forms say, and that its three readings agree."""

from __future__ import annotations

from random import Random

import pytest

from fabric.errors import InputError
from fabric.testing import check_blueprint, check_family, random_blueprint
from fabric.topology.clos import ClosForm
from fabric.topology.families import BUILTIN, CLOS, Family, families
from tests.marks import slow


@pytest.mark.parametrize("trials", [3, *slow(15)])
@pytest.mark.parametrize("family", BUILTIN, ids=lambda family: family.name)
def test_closed_forms_are_what_the_expansion_has(family: Family, trials: int) -> None:
    """Devices, links, ports, hops and bisection of any small fabric are the same counted, laid out and searched."""
    check_family(family, trials, seed=3)


@pytest.mark.parametrize("family", BUILTIN, ids=lambda family: family.name)
def test_the_checker_notices_a_wrong_closed_form(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed form that is off by one does not pass the checker."""
    for name in ("hops", "bisection_gbps", "expand"):
        with monkeypatch.context() as patch:
            patch.setattr(f"fabric.testing.{name}", _spoilt(name))
            with pytest.raises(AssertionError):
                check_family(family, trials=3)


def _spoilt(name: str) -> object:
    import fabric.testing

    true = getattr(fabric.testing, name)
    if name == "hops":
        return lambda blueprint: type(true(blueprint))(true(blueprint).max + 2, 0.0, ())
    if name == "bisection_gbps":
        return lambda blueprint: true(blueprint) + 1
    return lambda blueprint: true(random_blueprint(blueprint.topology, Random(99)))


@pytest.mark.parametrize(
    "text",
    [
        "server(block, slot) - leaf(leaf)",
        "server(hall, block, slot) - leaf(hall) - spine(spine)",
        "server(hall, block, slot) - leaf(hall, block, rail) - spine(rail, spine)",
    ],
)
def test_a_group_may_gather_several_levels_of_places(text: str) -> None:
    """The free ports of a switch above partly filled places are counted over all levels that it gathers."""
    check_family(Family.of("mine", "", text, reference=""), trials=25)


def test_a_form_reads_back_as_it_was_written() -> None:
    """The text of every form parses to the same form."""
    for family in families().values():
        for form in () if not family.layered else family.forms:
            assert ClosForm.parse(form.family, form.text) == form


def test_rails_meet_where_the_form_says() -> None:
    """The rails meet at the first tier without a rail axis, and never on a rail-only fabric."""
    meets = {form.text.count(" - "): [] for family in CLOS for form in family.forms}
    for form in families()["rail-optimized"].forms:
        meets[form.tiers].append(form.rails_meet_at)
    assert meets == {1: ["leaf"], 2: ["spine"], 3: ["spine", "core"], 4: ["spine", "core", "super"]}
    assert {form.rails_meet_at for form in families()["rail-only"].forms} == {None}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("server(slot)", "no switches"),
        ("server(slot) leaf()", "is not a group"),
        ("server() - leaf()", "needs an axis"),
        ("server(pod,slot) - leaf(pod,pods)", "may not be called 'pods'"),
        ("server(block,slot) - leaf(slot)", "must be the server's first"),
        ("server(slot,slot) - leaf()", "duplicate"),
        ("server(slot) - leaf() - leaf(leaf)", "duplicate"),
        ("server(block,slot) - server(block)", "duplicate role server"),
        ("server(pod,slot) - leaf(pod,rail) - spine(spine) - core(rail)", "comes back"),
    ],
)
def test_a_form_that_is_no_fabric_is_refused(text: str, word: str) -> None:
    """A chain without switches, a gap in the placement, or an axis that repeats is refused at once."""
    with pytest.raises(InputError, match=word):
        ClosForm.parse("mine", text)


@pytest.mark.parametrize("role", ["plane", "min", "max"])
def test_a_role_that_a_request_could_not_address_is_refused(role: str) -> None:
    """A tier has no name that means something else in `survive` or `oversubscription`."""
    with pytest.raises(InputError, match=f"may not be called '{role}'"):
        Family.of("mine", "", f"server(block, slot) - {role}(block) - spine(spine)", reference="")


def test_a_full_fat_tree_of_radix_k_is_the_textbook_one() -> None:
    """A fat tree of radix k has k^3/4 hosts, k pods of k/2 leaves and k/2 spines, and k^2/4 cores."""
    from fabric.blueprint import Blueprint
    from fabric.catalog import Server, Switch

    form = families()["fat-tree"].forms[2]
    for k in (2, 4, 6, 8):
        half = k // 2
        sizes = dict.fromkeys([*form.axes, *(bundle.name for bundle in form.bundles)], 1)
        sizes |= {"pod": k, "block": half, "slot": half, "group": half, "core": half}
        server = Server("host", gpus=1, nics=1, nic_gbps=100)
        models = dict.fromkeys(form.roles, Switch("box", k, 100))
        blueprint = Blueprint("k", form, form.complete_sizes(sizes, 8, k**3 // 4), models, server, k**3 // 4, 100)
        assert [blueprint.devices(role) for role in form.roles] == [k * half, k * half, half * half]
        assert {blueprint.ports_down(role) + blueprint.ports_up(role) for role in form.roles} == {k}
        if k <= 4:
            check_blueprint(blueprint)
