"""Request what can't be built, and read which limits conflict."""

import fabric

request = {"name": "too-far", "gpus": 131_072, "server": "hgx-h100", "family": "fat-tree", "switches": "qm9700"}

try:
    fabric.design(request, tiers=3)
except fabric.Infeasible as answer:
    print(answer)

study = fabric.design(request, tiers=4)
print(f"in 4 tiers: {study.blueprint.switches:,} switches")
