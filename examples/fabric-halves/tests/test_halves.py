"""The family against fabric's own checker, and against arithmetic."""

from fabric_halves import HALVES

import fabric
from fabric.testing import check_family

REQUEST = {"gpus": 512, "server": "hgx-h100", "family": "halves", "switches": "qm9700"}


def test_the_family_is_what_it_says() -> None:
    """Closed forms, expansion, hops and bisection agree on random small sizes."""
    check_family(HALVES)


def test_a_fabric_of_it_is_sized_to_its_proven_optimum() -> None:
    """512 GPUs on switches of 64 ports take 16 leaves: half of the ports down, and as many up."""
    study = fabric.design(REQUEST)
    plan = study.blueprint
    assert study.proof.status == "OPTIMAL"
    assert plan.devices("leaf") == 16
    assert plan.ports_down("leaf") <= plan.ports_up("leaf")


def test_a_request_names_its_roles() -> None:
    """The role `agg` is the package's own, and is addressed like the built-in ones."""
    plain = fabric.design(REQUEST).blueprint
    plan = fabric.design(REQUEST, oversubscription={"agg": 2}, pinned={"leaf-agg": 2}, expected={"agg": 16}).blueprint
    assert 2 * plan.devices("core") == plain.devices("core")
    assert plan.sizes["leaf-agg"] == 2
    assert plan.devices("agg") == 16
