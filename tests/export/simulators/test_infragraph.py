"""InfraGraph's own library expands the document to the fabric, and reads NCCL's topologies as it does."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fabric.export.plan import Plan
from tests.export.plans import shipped_plan
from tests.export.simulators.drawn import design, draw_gpu_plans, text_of, texts_of

if "CI" not in os.environ:
    pytest.importorskip("infragraph", reason="infragraph is missing; `make .venv/.test` installs it")


def expand(document: Any) -> Any:
    """Return the graph that the library makes of a document."""
    from infragraph.infragraph_service import InfraGraphService

    service = InfraGraphService()
    service.set_graph(document)
    return service.get_networkx_graph()


def wanted_edges(plan: Plan) -> Counter[tuple[str, str, str]]:
    """Return every link as InfraGraph names its ends, with its rate, one by one."""
    network = plan.network
    firsts = [(group.role, group.first) for group in network.groups for _ in range(group.count)]
    found: Counter[tuple[str, str, str]] = Counter()
    for row in range(network.links):
        ends = []
        for device, port in ((network.lower, network.lower_port), (network.upper, network.upper_port)):
            role, first = firsts[device[row]]
            is_server = device[row] < network.server_count
            part = f"nic.{port[row] // plan.blueprint.planes}" if is_server else f"port.{port[row]}"
            ends.append(f"{role}.{device[row] - first}.{part}")
        one, other = sorted(ends)
        found[one, other, f"{network.bundle_gbps[network.bundle[row]]}"] += 1
    return found


def test_the_library_expands_every_device_and_every_link() -> None:
    """GPUs, NICs and switches are as many as in the fabric, and each link is between the same ports at its rate."""
    families, appliances = set(), 0
    plans = [design(family="rail-optimized"), design(family="jellyfish"), *draw_gpu_plans(3, 5)]
    for plan in [*plans, shipped_plan("examples/superpod-ufm.yaml")]:
        blueprint, network = plan.blueprint, plan.network
        families.add(blueprint.topology.family)
        appliances += network.appliances
        graph = expand(text_of(plan, "infragraph"))
        kinds = Counter(data["type"] for _, data in graph.nodes(data=True))
        assert kinds["xpu"] == blueprint.servers * blueprint.server.gpus
        assert kinds["nic"] == blueprint.nics
        boxes = blueprint.servers + sum(
            group.count for group in network.groups[len(network.groups) - network.appliances :]
        )
        assert kinds["switch"] == blueprint.switches + boxes
        found = Counter(
            (*sorted((one, other)), data["bandwidth"].split()[0].removesuffix(".0"))
            for one, other, data in graph.edges(data=True)
            if data["link"] in network.bundles
        )
        assert found == wanted_edges(plan)
    assert len(families) > 3
    assert appliances


@pytest.mark.parametrize("name", ["superpod-h100-1su", "superpod-b300-1su", "examples/superpod-gb200.yaml"])
def test_the_library_reads_the_topology_of_nccl(name: str, tmp_path: Path) -> None:
    """Its reader of NCCL's topologies finds the GPUs and NICs of a server or tray, each pair below one PCIe switch."""
    from infragraph.translators.nccl_translator import NcclParser

    plan = shipped_plan(name)
    server = plan.blueprint.server
    ((file, text),) = texts_of(plan, "nccl-topology").items()
    (tmp_path / file).write_text(text)
    graph = expand(NcclParser(str(tmp_path / file), "server").parse())
    kinds = Counter(data["type"] for _, data in graph.nodes(data=True))
    gpus = server.gpus // server.trays
    assert (kinds["xpu"], kinds["nic"], kinds["pci_bridge"], kinds["cpu"]) == (gpus, gpus, gpus, 1)
