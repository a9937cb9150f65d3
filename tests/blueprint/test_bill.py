"""The bill of materials: links, cables, modules and cages are different things."""

from __future__ import annotations

import dataclasses

import pytest

from fabric.blueprint import Blueprint
from fabric.blueprint.bill import bill
from fabric.blueprint.prices import prices_of
from fabric.catalog import Switch
from fabric.optimizer import size
from tests.network.test_network import blueprint
from tests.optimizer.test_search import spec


def made(gpus: int, switch: str = "qm9700", **words: object) -> tuple[Blueprint, dict[str, dict[str, int]]]:
    """Return the sized blueprint of a request and its bill's quantities by kind and use."""
    asked = spec(gpus, switch, **words)
    sized = size(asked)
    rows = bill(sized.blueprint, prices_of(asked, sized.blueprint)).rows
    kinds = {row.kind for row in rows}
    return sized.blueprint, {kind: {row.used_for: row.quantity for row in rows if row.kind == kind} for kind in kinds}


def test_a_superpod_orders_what_a_real_one_did() -> None:
    """A unit's leaf access takes 128 + 128 twin-port modules and 256 fibres, its leaf-spine links as many."""
    _, quantities = made(256, server="dgx-h100", unit_gpus=256)
    assert quantities["link"] == {"server-leaf": 256, "leaf-spine": 256}
    assert quantities["module"] == {"server": 128, "leaf": 2 * 128, "spine": 128}
    assert quantities["fibre"] == {"server-leaf": 256, "leaf-spine": 256}
    assert quantities["cage"] == {"leaf": 8 * 32, "spine": 4 * 32}


def test_single_port_cages_take_two_modules_a_link() -> None:
    """With one link a cage, every link has two modules and one cable: 24,576 and 12,288 on a three-tier 4,096."""
    asked = dataclasses.replace(spec(4096), switches={"*": (Switch("box", 64, 400, cages=64, price_usd=1),)})
    sized = size(asked)
    order = bill(sized.blueprint, prices_of(asked, sized.blueprint))
    assert (sized.blueprint.switches, order.quantity("module"), order.quantity("fibre")) == (320, 24_576, 12_288)


def test_a_nic_on_two_planes_has_one_module_and_two_fibres() -> None:
    """A B300 unit of 64 servers has 512 pairs of twin-port modules to leaves and 512 to spines, two fibres each."""
    _, quantities = made(512, "sn5600", server="dgx-b300", planes=(2,), unit_gpus=512)
    assert quantities["link"] == {"server-leaf": 1024, "leaf-spine": 1024}
    assert quantities["module"] == {"server": 512, "leaf": 512 + 512, "spine": 512}
    assert quantities["fibre"] == {"server-leaf": 1024, "leaf-spine": 1024}


def test_partly_filled_leaves_have_fewer_modules() -> None:
    """The last unit's 8 leaves, 44 of 64 ports down unused, need 22 twin-port modules fewer each."""
    plan = blueprint()
    rows = bill(plan, prices_of(spec(100_000), plan)).of("module")
    assert {row.used_for: row.quantity for row in rows}["leaf"] == 1568 * 64 - 8 * 22


@pytest.mark.parametrize("gpus", [8, 1000, 30_000])
def test_the_bill_costs_what_the_optimizer_proved(gpus: int) -> None:
    """The objective that was proven least is the total of the bill."""
    asked = spec(gpus, "sn5600")
    sized = size(asked)
    order = bill(sized.blueprint, prices_of(asked, sized.blueprint))
    assert order.cost_usd() == pytest.approx(sized.proof.objective)


def test_an_unknown_price_is_unknown_in_all() -> None:
    """A total that would leave a part out is not given."""
    asked = spec(256, "sn4700", "hgx-a100")
    sized = size(asked)
    order = bill(sized.blueprint, prices_of(asked, sized.blueprint))
    assert order.cost_usd() is None
    assert order.cost_usd("link") is not None
