"""Design the fabric of Colossus from Python: counts, cost, estimated all-reduces, and the links of one device."""

import fabric
from fabric.units import count, money, parse_size, size, time

study = fabric.design("colossus-100k")
plan = study.blueprint

switches, links = count(plan.switches), count(plan.links_total)
print(f"{count(plan.gpus)} GPUs: {switches} switches in {plan.tiers} tiers, {links} links")
for role in plan.topology.roles:
    print(f"  {count(plan.devices(role)):>6} {role:5} {plan.ports_down(role)} down, {plan.ports_up(role)} up")
print(f"{money(study.bill.cost_usd())}, {study.proof.status}; at most {study.hops.max} hops")

for text in ("1MiB", "256MiB", "16GiB"):
    for routing in ("adaptive", "ecmp"):
        estimate = study.allreduce(parse_size(text), routing=routing)
        print(
            f"all-reduce of {size(estimate.size_bytes):8} {routing:8} {estimate.algorithm:17}"
            f" {time(estimate.time_s):>8} {estimate.busbw_GBps:6.1f} GB/s, limited by {estimate.limited_by}"
        )

network = study.network
leaf = network.group("leaf").first
up = network.lower == leaf
print(f"{network.name(leaf)} has {up.sum()} links up, the last to {network.name(int(network.upper[up][-1]))}")
