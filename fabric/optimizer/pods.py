"""The size of a pod: the servers that share their spines, within what a request asks for.

Where one pod holds every server, its size is theirs: then no traffic passes a core, and no larger pod is to be had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from fabric.topology.clos import ClosForm

if TYPE_CHECKING:
    from fabric.optimizer.model import Model, Term

__all__ = ["POD", "limit_pod", "pod_servers"]

POD = "pod_gpus"
"""The limit on the GPUs of a pod."""


def limit_pod(model: Model, form: ClosForm, grown: Term) -> None:
    """Keep the size of a pod within the range asked for; `grown` are the servers to which the fabric may grow.

    With this limit relaxed alone, `excess` is the size instead.
    """
    asked, alone = model.candidate.spec.pod_gpus, model.relaxed == {POD}
    if asked is None or (POD in model.relaxed and not alone):
        return
    full = model.product(form.servers_sharing(2))
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


def pod_servers(model: Model, form: ClosForm, grown: Term) -> cp_model.IntVar:
    """Return a count that may be as large as a pod, and no larger than the servers to which the fabric may grow."""
    full = model.product(form.servers_sharing(2))
    size = model.var(min(model.upper(full), model.upper(grown)), "pod")
    model.cp.add(size <= full)
    model.cp.add(size <= grown)
    return size
