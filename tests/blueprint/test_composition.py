"""What links are composed of: parts that fit at both ends, in whole pieces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fabric
from fabric.blueprint.composition import End, Wanted, choose_parts
from fabric.catalog import LinkPart, optics
from fabric.studies.study import Study

CATALOGUE = tuple(optics().values())
TWIN = End(800, 2, 2, "osfp")
"""A twin-port OSFP cage at 400G."""
NIC = End(400, 1, 1, "osfp")
"""The cage of one 400G NIC."""
PRICED = {"osfp-2xsr4": 900, "mpo12-mmf": 40, "osfp-sr4-400g": 500, "dac-split-2x400g": 150, "dac-osfp-2x400g": 100}
POD = {"gpus": 256, "server": "hgx-h100", "family": "rail-optimized", "switches": "qm9700", "unit_gpus": 256}


def quantities(study: Study, *kinds: str) -> dict[tuple[str, str], int]:
    """Return the quantities of a bill by part and use."""
    return {(row.part, row.used_for): row.quantity for row in study.bill.of(*kinds)}


def names(media: str, lower: End, length_m: float = 0, parts: tuple[LinkPart, ...] = CATALOGUE) -> set[str] | None:
    """Return the names of the parts chosen for 400G links of a medium up to a twin-port cage."""
    found = choose_parts(Wanted(400, length_m, media), lower, TWIN, parts)
    return None if found is None else {part.name for part, _ in found.shares}


def test_modules_of_one_standard_meet_over_fibre_that_reaches() -> None:
    """NVIDIA's tables: SR4 with multimode to 50 m, DR4 -NS to 100 m, -NM to 500 m, FR4 with duplex LC to 2 km."""
    assert names("mmf", TWIN, 50) == {"osfp-2xsr4", "mpo12-mmf"}
    assert names("mmf", NIC, 50) == {"osfp-sr4-400g", "osfp-2xsr4", "mpo12-mmf"}
    assert names("mmf", TWIN, 51) is None
    modules = tuple(part for part in CATALOGUE if part.kind != "link")
    assert [names("smf", TWIN, metres, modules) for metres in (100, 500, 2000, 2001)] == [
        {"osfp-2xdr4", "mpo12-smf"},
        {"osfp-2xdr4-500m", "mpo12-smf"},
        {"osfp-2xfr4", "lc-smf"},
        None,
    ]


def test_copper_fits_the_cages_at_both_ends() -> None:
    """A twin-port cage joins two single NICs by a splitter (MCP7Y00) and another twin-port cage by MCP4Y10."""
    assert names("dac", NIC, 3) == {"dac-split-2x400g"}
    assert names("dac", End(400, 1, 1, "qsfp112"), 3) == {"dac-split-2x400g-qsfp112"}
    assert names("dac", TWIN, 2) == {"dac-osfp-2x400g"}
    assert names("dac", TWIN, 3) == {"dac-800g"}


def test_a_cage_takes_no_module_that_draws_more_than_its_limit() -> None:
    """A 2 x DR4 module draws 17 W at most, so it fits a cage of 18 W and not one of 16 W; FR4 of unknown power may."""
    modules = tuple(part for part in CATALOGUE if part.kind != "link")
    cages = (End(800, 2, 2, "osfp", power_w=watts) for watts in (18, 16))
    chosen = [choose_parts(Wanted(400, 100, "smf"), cage, cage, modules) for cage in cages]
    assert [found and found.upper and found.upper.name for found in chosen] == ["osfp-2xdr4", "osfp-2xfr4"]


def test_the_cheapest_composition_is_bought_part_by_part() -> None:
    """Two twin-port modules carry two links, so a link costs one module and a fibre: $940 is less than $1,240."""
    study = fabric.design(POD, server="dgx-h100", prices_usd=PRICED)
    assert quantities(study, "module") == {
        ("osfp-2xsr4", "server"): 128,
        ("osfp-2xsr4", "leaf"): 256,
        ("osfp-2xsr4", "spine"): 128,
    }
    assert quantities(study, "fibre") == {("mpo12-mmf", "server-leaf"): 256, ("mpo12-mmf", "leaf-spine"): 256}
    assert study.bill.cost_usd("link") == 512 * 900 + 512 * 40 == 512 * 940
    assert study.bill.cost_usd() == study.proof.objective


def test_copper_takes_no_module() -> None:
    """Below the leaves 128 splitters join 256 NICs without a transceiver; half of the leaves' cages have optics."""
    study = fabric.design(POD, prices_usd=PRICED, media={"server-leaf": "dac"}, lengths_m={"server-leaf": 3})
    assert quantities(study, "cable") == {("dac-split-2x400g", "server-leaf"): 128}
    assert quantities(study, "module") == {("osfp-2xsr4", "leaf"): 128, ("osfp-2xsr4", "spine"): 128}
    assert study.bill.cost_usd("link") == 128 * 150 + 256 * 900 + 256 * 40


def test_a_server_has_the_cages_that_it_has() -> None:
    """8 NICs stand behind 4 twin-port cages of a DGX H100, and behind 8 of an HGX board: 128 or 256 server modules."""
    servers = ("dgx-h100", "hgx-h100")
    studies = [fabric.design(POD, server=server) for server in servers]
    assert [study.bill.of("module")[0].quantity for study in studies] == [128, 256]
    assert {study.bill.of("module")[0].used_for for study in studies} == {"server"}


@pytest.mark.parametrize(
    ("key", "names"), [("exclude_optics", ["optical-400g"]), ("optics", ["osfp-2xsr4", "mpo12-mmf"])]
)
def test_parts_can_be_chosen_and_excluded(key: str, names: list[str]) -> None:
    """Either way the whole link of the cost sheet is not bought."""
    study = fabric.design(POD, server="dgx-h100", prices_usd=PRICED, **{key: names})
    assert {row.part for row in study.bill.of("module")} == {"osfp-2xsr4"}


def test_no_part_of_the_media_asked_for_is_an_answer() -> None:
    """Nobody sells a 400G link over twisted pair."""
    with pytest.raises(fabric.InputError, match="no twisted-pair cable part for server-leaf at 400G is known"):
        fabric.design(POD, media="rj45")


def test_every_listed_part_can_be_priced() -> None:
    """The names of `fabric list optics` are those that `prices_usd` takes."""
    assert fabric.design(POD, prices_usd=dict.fromkeys(optics(), 1)).bill.cost_usd() is not None


def count_occupied(study: Study, role: str, links: int) -> int:
    """Return the runs of `links` neighbouring ports of a role's devices in which some port has a link."""
    network = study.network
    rows, runs = network.group(role), set()
    for device, port in ((network.lower, network.lower_port), (network.upper, network.upper_port)):
        here = (device >= rows.first) & (device < rows.first + rows.count)
        pairs = np.stack([device[here].astype(np.int64), port[here].astype(np.int64) // links])
        runs |= set(map(tuple, np.unique(pairs, axis=1).T.tolist()))
    return len(runs)


@settings(max_examples=25)
@given(
    servers=st.integers(2, 40),
    switch=st.sampled_from(["qm9700", "sn5600", "sn4700", "qm8700"]),
    family=st.sampled_from(["fat-tree", "rail-optimized", "rail-only"]),
)
def test_modules_are_the_cages_in_which_the_network_has_a_link(servers: int, switch: str, family: str) -> None:
    """Counting the cages of the expanded network, port by port, gives the modules of the bill, role by role."""
    nic = {"qm8700": 100, "sn4700": 200}.get(switch, 400)
    box = {"name": "box", "gpus": 4, "nics": 4, "nic_gbps": nic}
    request = {"gpus": 4 * servers, "server": box, "family": family, "switches": switch, "link_price_usd": 1}
    try:
        study = fabric.design(request, tiers=[1, 2])
    except fabric.Infeasible:
        return
    modules: dict[str, int] = {}
    for row in study.bill.of("module"):
        modules[row.used_for] = modules.get(row.used_for, 0) + row.quantity
    for role in study.blueprint.topology.roles:
        links = study.blueprint.models[role].links_per_cage(nic)
        assert modules[role] == count_occupied(study, role, links), role
    assert sum(row.quantity for row in study.bill.of("fibre")) <= study.blueprint.links_total
