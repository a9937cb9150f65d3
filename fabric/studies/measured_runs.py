"""Measured runs of collectives, and what the time model predicts for them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from fabric.catalog import Collectives, LibrarySettings, Server, servers
from fabric.errors import InputError, Mistake
from fabric.flow import FabricSummary
from fabric.flow.closed_form import ClosedForm
from fabric.flow.estimate import Estimate, estimate_in_closed_form
from fabric.flow.library_choice import version_with_table
from fabric.studies.nccl_logs import LogRun

__all__ = ["MeasuredRun", "find_servers", "one_switch", "run_of", "server_of"]


@dataclass(frozen=True)
class MeasuredRun:
    """A collective that ran on servers of one kind, and the time that it took for each size."""

    name: str
    """What ran, in words: a system, or the log's name."""
    server: Server
    """The servers."""
    gpus: int
    """The GPUs that took part."""
    collective: str
    """The name of the collective."""
    sizes: tuple[int, ...]
    """The message sizes in bytes, ascending."""
    times_us: tuple[float, ...]
    """The time of each size in microseconds."""
    algorithms: tuple[str, ...] = ()
    """The names of the algorithms that the library was held to; none where it chose."""
    settings: LibrarySettings = field(default_factory=LibrarySettings)
    """What was set of the library."""
    switches_reduce: bool = False
    """Whether the network's switches may have reduced (SHARP)."""
    left_out: tuple[str, ...] = ()
    """The rows of its log that count for nothing, with file and line, in words."""

    @property
    def domains(self) -> int:
        """The NVLink domains (servers)."""
        return -(-self.gpus // self.server.gpus)

    def estimates(self, constants: Collectives) -> tuple[Estimate, ...]:
        """Return the model's answer for each size, with one switch between the servers.

        Raises InputError where no algorithm can run it.
        """
        summary = one_switch(self.server, self.gpus, constants, switches_reduce=self.switches_reduce)
        return tuple(self.estimate(replace(summary, library=self.settings), size) for size in self.sizes)

    def estimate(self, summary: FabricSummary, size: int, routing: str = "ecmp") -> Estimate:
        """Return the model's answer for a size on a fabric, by what the library chooses of the algorithms it had.

        As in the library, those that can't run leave the choice to it. The error to expect is not part of it. Raises
        InputError where no algorithm can run it.
        """
        form = ClosedForm.of(summary, self.collective, routing, "random")
        return estimate_in_closed_form(form, size, among=self.algorithms)


def one_switch(server: Server, gpus: int, constants: Collectives, *, switches_reduce: bool = False) -> FabricSummary:
    """Return servers joined by one switch of no latency of its own: what NCCL's step latencies were measured on."""
    return FabricSummary(
        server=server, gpus=gpus, servers=-(-gpus // server.gpus), planes=1, link_gbps=server.nic_gbps, tiers=1, hops=1,
        switch_ns=0.0, steps=(1,), several_paths=False, peers=(), unmet_rails=(), ratios=(), leaf_nics=server.nics,
        switches_reduce=switches_reduce, constants=constants,
    )  # fmt: skip


def server_of(run: LogRun, name: str | None = None) -> Server:
    """Return the server of a run: that of this name, or the first of the catalogue whose name has that of the GPUs.

    Raises InputError where there is none, or where the log's GPUs are of another generation than those of `name`.
    """
    found = find_servers(run)
    if name is not None:
        server = servers()[name]
        if found and server.generation not in {each.generation for each in found}:
            text = f"ran on {run.gpu:.60}, which a {name} does not have; leave --server out"
            raise InputError([Mistake(run.place, text)])
        return server
    if found:
        return found[0]
    text = f"GPUs '{run.gpu:.60}' are of no server of the catalogue; name one with --server"
    raise InputError([Mistake(run.place, text)])


def find_servers(run: LogRun) -> list[Server]:
    """Return the servers of the catalogue whose names have that of the log's GPUs."""
    words = set(re.split(r"[^a-z0-9]+", run.gpu.lower()))
    return [each for each in servers().values() if words & _gpu_words(each)]


def _gpu_words(server: Server) -> set[str]:
    """Return the words of a server's name that name a GPU: letters, then digits, such as h100 or mi300x."""
    return {word for word in server.name.lower().split("-") if re.fullmatch(r"[a-z]+[0-9]{3,}[a-z]*", word)}


def run_of(run: LogRun, server: Server) -> MeasuredRun:
    """Return a run of a log as the model sees it on this server.

    Where fewer GPUs of each server took part, as large a part of its NICs did. Raises InputError where a host of the
    log has more GPUs than the server, and for wrong values in the log.
    """
    each = run.gpus_per_server
    if each > server.gpus:
        text = f"a host of the log has {each} GPUs, and a {server.name} {server.gpus}; name the server with --server"
        raise InputError([Mistake(run.place, text)])
    if wrong := next((point for point in run.points if point.wrong), None):
        text = f"{wrong.wrong:,} wrong values; find out what corrupts data before timing it"
        raise InputError([Mistake(f"{run.file}:{wrong.line}", text)])
    if each < server.gpus and server.trays == 1:
        server = replace(server, gpus=each, nics=max(1, server.nics * each // server.gpus))
    sizes = dict[int, float]()
    for point in run.points:  # of a size that was run twice the faster counts, as nothing makes a run too fast
        sizes[point.size_bytes] = min(point.time_us, sizes.get(point.size_bytes, point.time_us))
    settings = replace(run.settings, version=version_with_table(server, run.version))
    return MeasuredRun(
        run.place, server, run.gpus, run.collective, tuple(sizes), tuple(sizes.values()), run.algorithms, settings,
        left_out=run.left_out,
    )  # fmt: skip
