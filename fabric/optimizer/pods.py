"""The size of a pod: the servers that share their spines, within what a request asks for.

Where one pod holds every server, its size is theirs: then no traffic passes a core, and no larger pod is to be had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fabric.topology.clos import ClosForm

if TYPE_CHECKING:
    from fabric.optimizer.model import Model, Term

__all__ = ["POD", "limit_pod"]

POD = "pod_gpus"
"""The limit on the GPUs of a pod."""


def limit_pod(model: Model, form: ClosForm, grown: Term) -> None:
    """Keep the size of a pod within the range asked for; `grown` are the servers to which the fabric may grow.

    With this limit relaxed alone, `excess` is the size instead.
    """
    asked, alone, sharing = model.candidate.spec.pod_gpus, model.relaxed == {POD}, form.servers_sharing(2)
    if asked is None or sharing is None or (POD in model.relaxed and not alone):
        return
    full = model.product(sharing)
    whole, size = model.var(1, "one pod", least=0), model.var(max(model.upper(full), model.upper(grown)), "pod")
    model.cp.add(full >= grown).only_enforce_if(whole)
    model.cp.add(size == grown).only_enforce_if(whole)
    model.cp.add(size == full).only_enforce_if(~whole)
    if alone:
        model.excess = size
        return
    least, most = asked.servers(model.candidate.spec.server.gpus)
    model.cp.add(size >= least).only_enforce_if(~whole)
    if most is not None:
        model.cp.add(size <= most)
