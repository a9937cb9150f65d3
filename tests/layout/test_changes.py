"""What changes between two revisions: carried out on the first, a change order gives the second."""

from __future__ import annotations

import random
from typing import Any

import networkx as nx
import pytest

import fabric
from fabric.blueprint.bill_changes import compare_bills
from fabric.errors import InputError
from fabric.export.cables import cable_batches
from fabric.layout.device_names import list_device_names
from fabric.studies.change_order import ChangeOrder, make_change_order

BASE: dict[str, Any] = {
    "name": "small",
    "gpus": 512,
    "server": "dgx-h100",
    "switches": "qm9700",
    "family": "rail-optimized",
    "unit_gpus": 256,
}


def _draw(seed: int) -> tuple[fabric.Study, fabric.Study]:
    """Return two revisions that differ at random in size, family, place, names and prices."""
    rng = random.Random(seed)

    def revision() -> fabric.Study:
        family = rng.choice(["rail-optimized", "fat-tree"])
        given = BASE | {"gpus": rng.choice([256, 384, 512, 768]), "family": family}
        given["switches"] = rng.choice(["qm9700", "sn5600"])
        if family == "fat-tree":
            del given["unit_gpus"]
        given["site"] = {
            "layout": rng.choice(["middle-of-row", "end-of-row"]),
            "slack_m": rng.choice([0.5, 1, 4]),
        }
        if rng.random() < 0.5:
            given["site"]["names"] = {"leaf": "leaf-{number}", "spine": "spine-{number}"}
        given["spares"] = rng.choice([0, 0.02])
        return fabric.design(given)

    return revision(), revision()


@pytest.fixture(scope="module", params=range(8))
def order(request: pytest.FixtureRequest) -> ChangeOrder:
    """Return the change order between two drawn revisions."""
    return make_change_order(*_draw(request.param))


def _cables(study: fabric.Study) -> list[dict[str, Any]]:
    return [row for batch in cable_batches(study.wiring) for row in batch.to_pylist()]


def _ends(row: dict[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset((row[f"{end}_device"], row[f"{end}_port"]) for end in "ab")


def test_the_order_carried_out_gives_the_second_revision(order: ChangeOrder) -> None:
    """Cables left, moved and added are those of the second revision, each long enough, and none has two uses."""
    before, after = _cables(order.before), _cables(order.after)
    old, new = order.cables.before.tolist(), order.cables.after.tolist()
    standing = {row: _ends(cable) for row, cable in enumerate(before)}
    touched = [row for row in old if row >= 0]
    assert len(touched) == len(set(touched))
    for row, target, action in zip(old, new, order.cables.action.tolist(), strict=True):
        match order.cables.actions[action]:
            case "remove":
                del standing[row]
            case "move":
                assert len(standing[row] & _ends(after[target])) == 1
                assert before[row]["part"] == after[target]["part"]
                assert before[row]["length_m"] >= after[target]["way_m"] - 1e-3
                standing[row] = _ends(after[target])
            case "relabel":
                assert standing[row] == _ends(after[target])
                assert before[row]["label"] != after[target]["label"]
            case "add":
                standing[len(before) + target] = _ends(after[target])
    assert len(standing) == len(after)
    assert set(standing.values()) == {_ends(cable) for cable in after}
    labels = {_ends(cable): cable["label"] for cable in after}
    for row in set(range(len(before))) - set(touched):
        assert before[row]["label"] == labels[_ends(before[row])]
    assert order.cables.stay == len(before) - len(touched)


def test_as_many_cables_stay_and_move_as_can(order: ChangeOrder) -> None:
    """A maximum matching by networkx, of cables that share a port, keeps no more; cables that stay come first."""
    before, after = _cables(order.before), _cables(order.after)
    owners = {end: row for row, cable in enumerate(before) for end in _ends(cable)}

    def usable(row: int, cable: dict[str, Any]) -> bool:
        return before[row]["part"] == cable["part"] and before[row]["length_m"] >= cable["way_m"] - 1e-3

    graph, stay = nx.Graph(), 0
    for number, cable in enumerate(after):
        candidates = {owners[end] for end in _ends(cable) if end in owners}
        same = [row for row in candidates if _ends(before[row]) == _ends(cable) and usable(row, cable)]
        stay += len(same)
        if not same:
            pairs = ((row, -1 - number) for row in candidates if _ends(before[row]) != _ends(cable))
            graph.add_edges_from((row, to) for row, to in pairs if usable(row, cable))
    most = len(nx.max_weight_matching(graph, maxcardinality=True))
    counts = order.cables.counts()
    assert order.ends_moved == most
    assert order.cables.stay + counts["relabel"] == stay
    assert counts["add"] == len(after) - stay - most
    assert counts["remove"] == len(before) - stay - most


def test_devices_are_matched_by_name(order: ChangeOrder) -> None:
    """Names in one revision alone are added or removed; of the others the model and the place are compared."""
    places = []
    for study, models in zip((order.before, order.after), order.models, strict=True):
        layout, racks = study.layout, study.layout.rack_names()
        units = zip(layout.device_rack.tolist(), layout.device_unit.tolist(), models, strict=True)
        names = list_device_names(layout, study.network)
        places.append(
            {name: (model, racks[rack], unit) for name, (rack, unit, model) in zip(names, units, strict=True)}
        )
    one, other = places
    both = one.keys() & other.keys()
    replaced = {name for name in both if one[name][0] != other[name][0]}
    moved = {name for name in both - replaced if one[name] != other[name]}
    assert order.devices.counts() == {
        "add": len(other.keys() - both),
        "remove": len(one.keys() - both),
        "replace": len(replaced),
        "move": len(moved),
    }
    assert order.devices.stay == len(both) - len(replaced) - len(moved)


def test_the_first_order_and_the_changes_make_the_second(order: ChangeOrder) -> None:
    """At equal prices what is bought less what is returned is the difference of both orders."""
    costs = [bill.order_usd for bill in order.bills]
    assert costs[0] is not None
    assert costs[1] is not None
    assert order.bought_usd is not None
    assert order.returned_usd is not None
    assert order.bought_usd - order.returned_usd == pytest.approx(costs[1] - costs[0])
    for kind in ("switch", "module", "fibre", "cable", "rack"):
        had, has = (sum(row.order for row in bill.of(kind)) for bill in order.bills)
        assert sum(part.quantity for part in order.parts if part.kind == kind) == has - had


def test_back_again_is_the_opposite() -> None:
    """The devices that one way adds the other way removes, and what one buys the other returns."""
    one, other = fabric.design(BASE), fabric.design(BASE | {"gpus": 768})
    there, back = make_change_order(one, other), make_change_order(other, one)
    forth, again = there.devices.counts(), back.devices.counts()
    assert forth["add"] == again["remove"] > 0
    assert forth["remove"] == again["add"]
    assert forth["move"] == again["move"]
    bought, returned = ({(part.part, part.length_m): part.quantity for part in each.parts} for each in (there, back))
    assert returned == {part: -quantity for part, quantity in bought.items()}


def test_a_price_alone_is_a_difference() -> None:
    """A new unit price changes the order, but no device and no cable."""
    order = make_change_order(fabric.design(BASE), fabric.design(BASE | {"prices_usd": {"qm9700": 30000}}))
    (part,) = order.parts
    assert (part.part, part.quantity, part.amount_usd, part.after_usd) == ("qm9700", 0, 0, 30000)
    assert order.differs
    assert sum(order.cables.counts().values()) == sum(order.devices.counts().values()) == 0


def test_two_currencies_are_refused() -> None:
    """Amounts in two currencies have no difference."""
    one = fabric.design(BASE)
    other = fabric.design(BASE | {"currency": "EUR", "prices_usd": {"qm9700": 30000, "optical-400g": 900}})
    with pytest.raises(InputError, match=r"one revision is in USD, the other in EUR"):
        compare_bills(one.bill, other.bill)
