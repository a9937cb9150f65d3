"""Which GPUs the groups of a run have."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from fabric.errors import InputError
from fabric.request.parallel import ORDERS, Parallel
from fabric.training.ranks import AXES, group_ranks, place_run
from tests.flow.flow_fabrics import fat_tree, form_of, sized


def test_groups_of_megatron() -> None:
    """On 16 GPUs with TP 2 and PP 4 groups are those that Megatron-LM's parallel_state.py lists in its example."""
    run = Parallel(tp=2, pp=4, dp=2)
    assert group_ranks(run, ("tp",)).tolist() == [[rank, rank + 1] for rank in range(0, 16, 2)]
    assert group_ranks(run, ("dp",)).tolist() == [
        [0, 2], [1, 3], [4, 6], [5, 7], [8, 10], [9, 11], [12, 14], [13, 15]
    ]  # fmt: skip
    assert group_ranks(run, ("pp",)).tolist() == [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]]


def test_groups_of_llama() -> None:
    """In Llama 3's order of 16 GPUs with TP 2, CP 2, PP 2 and DP 2 the stages of a pipeline are neighbours."""
    run = Parallel(tp=2, cp=2, pp=2, dp=2, order="tp-cp-pp-dp")
    assert group_ranks(run, ("pp",))[0].tolist() == [0, 4]
    assert group_ranks(run, ("dp",))[0].tolist() == [0, 8]
    assert group_ranks(run, ("cp", "dp"))[0].tolist() == [0, 2, 8, 10]


@pytest.mark.parametrize("number", range(20))
def test_groups_share_all_ranks_out(number: int) -> None:
    """The groups over any axes have every rank once, as many in each, neighbours first."""
    random = Random(number)
    tp, cp, pp, dp = (random.choice([1, 2, 3, 4]) for _ in range(4))
    etp = random.choice([each for each in range(1, tp + 1) if tp % each == 0])
    ep = random.choice([each for each in range(1, tp * cp * dp // etp + 1) if tp * cp * dp // etp % each == 0])
    shard = random.choice([each for each in range(1, cp * dp + 1) if cp * dp % each == 0])
    run = Parallel(tp=tp, cp=cp, pp=pp, dp=dp, ep=ep, etp=etp, shard_group=shard, order=random.choice(ORDERS))
    sizes = {"tp": tp, "cp": cp, "dp": dp, "pp": pp, "etp": etp, "ep": ep, "edp": tp * cp * dp // etp // ep}
    sizes |= {"shard": shard, "replica": cp * dp // shard}
    for axes in [(each,) for each in AXES] + [("cp", "dp"), ("tp", "cp", "dp"), ("ep", "edp")]:
        groups = group_ranks(run, axes)
        assert groups.shape[1] == np.prod([sizes[each] for each in axes])
        assert sorted(groups.reshape(-1).tolist()) == list(range(run.gpus))
        assert (np.diff(groups, axis=1) > 0).all()


def test_unknown_axes_are_refused() -> None:
    """A group runs over known axes of one numbering."""
    with pytest.raises(InputError, match="unknown axis of ranks 'tpp'; did you mean 'tp'"):
        group_ranks(Parallel(), ("tpp",))
    with pytest.raises(InputError, match="no one numbering"):
        group_ranks(Parallel(), ("cp", "ep"))


def test_jobs_fill_servers_evenly() -> None:
    """A job has 64 GPUs of each domain of 72 where it divides so, but not where that leaves a quarter of one unused."""
    fabric = sized(form_of("fat-tree", 2), 16, 72, block=4, slot=4, spine=4)
    placed = place_run(fabric, Parallel(tp=4, pp=8, dp=8))
    assert np.bincount(placed // 72).tolist() == [64, 64, 64, 64]
    assert np.bincount(place_run(fabric, Parallel(tp=8, dp=13)) // 72).tolist() == [72, 32]
    assert place_run(fabric, Parallel(dp=16 * 72)).tolist() == list(range(16 * 72))


def test_too_many_gpus_are_refused() -> None:
    """A run on more GPUs than a fabric has is refused with both numbers."""
    with pytest.raises(InputError, match=r"needs 32 GPUs \(TP 8 x CP 1 x PP 1 x DP 4\); sized has 16"):
        place_run(fat_tree(2, 4, 4), Parallel(tp=8, dp=4))
