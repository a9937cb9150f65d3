"""What a request says of its servers, of one kind or of several: their kinds, how they grow, and contradictions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fabric.request.chosen_parts import chosen_servers
from fabric.request.document import Document, Keys
from fabric.request.known_names import KnownNames
from fabric.request.model import Request
from fabric.request.spec import ServerKind

__all__ = [
    "check_growth",
    "check_server_names",
    "check_servers",
    "fastest_nic",
    "growth_stages",
    "missing_servers",
    "rail_numbers",
    "server_kinds",
    "total_gpus",
    "usual_rails",
    "without_gpus",
]

Finding = tuple[Keys, str]


def missing_servers(document: Document) -> list[str]:
    """Return which of `gpus` and `server` a request lacks; with `servers` it needs neither."""
    values = document.values
    return [] if values.get("servers") is not None else [key for key in ("gpus", "server") if values.get(key) is None]


def fastest_nic(request: Request) -> int:
    """Return the rate of the fastest NIC in Gb/s."""
    return max(server.nic_gbps for server in chosen_servers(request))


def usual_rails(request: Request) -> int:
    """Return the rails that NICs form unless the request says a number: the most of any server with GPUs."""
    servers = chosen_servers(request)
    return max(server.rails or server.nics for server in [each for each in servers if each.gpus] or servers)


def rail_numbers(request: Request) -> list[int]:
    """Return the numbers of rails that `any` stands for: those that divide the NICs of the server with most of them."""
    nics = max(server.nics for server in chosen_servers(request))
    return [number for number in range(1, nics + 1) if nics % number == 0]


def server_kinds(request: Request) -> tuple[ServerKind, ...]:
    """Return the kinds of unlike servers, the one that grows last; none where all servers are equal."""
    if without_gpus(request):
        return ()
    growing, stages = _growth_of_kind(request)
    kinds = []
    for asked, server in zip(request.servers or (), chosen_servers(request), strict=False):
        most = max(stages, default=0) if server.name == growing else 0
        grown = max(asked.count, -(-most // server.gpus)) if server.gpus else asked.count
        kinds.append(ServerKind(server, asked.count, grown, asked.per_unit))
    return tuple(sorted(kinds, key=lambda kind: kind.name == growing))


def without_gpus(request: Request) -> ServerKind | None:
    """Return the servers of a list with one kind that has no GPUs: they are equal, but no GPUs count them."""
    servers = chosen_servers(request)
    if not request.servers or len(servers) > 1 or servers[0].gpus:
        return None
    (asked,) = request.servers
    return ServerKind(servers[0], asked.count, asked.count, asked.per_unit)


def total_gpus(request: Request) -> int:
    """Return the GPUs of a request: as many as it says, or those of all its unlike servers."""
    if not request.servers:
        return request.gpus or 0
    pairs = zip(request.servers, chosen_servers(request), strict=True)
    return sum(asked.count * server.gpus for asked, server in pairs)


def growth_stages(request: Request) -> tuple[int, ...]:
    """Return the GPUs of the stages to which the fabric must grow, of all kinds; none where it need not grow."""
    growing, stages = _growth_of_kind(request)
    if not isinstance(request.grow_to_gpus, dict):
        return stages
    pairs = zip(request.servers or (), chosen_servers(request), strict=False)
    others = sum(asked.count * server.gpus for asked, server in pairs if server.name != growing)
    return tuple(others + stage for stage in stages)


def _growth_of_kind(request: Request) -> tuple[str | None, tuple[int, ...]]:
    """Return the name of the kind that grows, where one is named, and the stages of its GPUs, or of all."""
    asked = request.grow_to_gpus
    name, stages = next(iter(asked.items())) if isinstance(asked, dict) else (None, asked)
    return name, tuple(stages) if isinstance(stages, list) else () if stages is None else (stages,)


def check_servers(request: Request) -> Iterator[Finding]:
    """Yield what contradicts a list of unlike servers."""
    if request.servers is None:
        if request.server is not None and not chosen_servers(request)[0].gpus:
            yield ("server",), "has no GPUs that would count it; list it under `servers` with its count"
        if request.mix != "apart":
            yield ("mix",), "is for unlike servers; list them under `servers`"
        return
    remedies = {"server": "keep one of them", "unit_gpus": "write `per_unit` of each kind"}
    for key, remedy in remedies.items():
        if getattr(request, key) is not None:
            yield (key,), f"is for equal servers, and `servers` lists unlike ones; {remedy}"
    if request.rails is not None and not isinstance(request.rails, int):
        yield ("rails",), "is a choice; for unlike servers write one number"
    if "slot" in request.pinned:
        yield ("pinned", "slot"), "is for equal servers; write `per_unit` of each kind under `servers`"
    total = total_gpus(request)
    if request.gpus not in (None, total):
        yield ("gpus",), f"{request.gpus}, but the servers listed have {total}; leave it out, or make them agree"


def check_server_names(request: Request, names: KnownNames) -> Iterator[Finding]:
    """Yield the kinds of servers whose names are taken: names of servers are also those of their roles."""
    taken = {*names.roles, *names.bundles, "server", "total"}
    for index, server in enumerate(chosen_servers(request) if request.servers else ()):
        if server.name in taken:
            remedy = "give the kinds different names, or one count"
            yield ("servers", index, "server"), f"'{server.name}' is already the name of something else; {remedy}"
        taken.add(server.name)


def check_growth(request: Request) -> Iterator[Finding]:
    """Yield the stages of growth that are no growth, and those of no kind or of several."""
    asked, place = request.grow_to_gpus, ("grow_to_gpus",)
    if asked is not None and (isinstance(asked, dict) != (request.servers is not None)):
        example = (
            f"write for example {{{chosen_servers(request)[0].name}: 512}}" if request.servers else "write a number"
        )
        yield place, f"{'say which kind of server grows' if request.servers else 'all servers are equal'}; {example}"
        return
    if isinstance(asked, dict):
        yield from _check_growing_kind(request, asked)
    else:
        yield from _check_stages(place, asked, request.gpus or 0, "gpus")


def _check_growing_kind(request: Request, asked: Mapping[str, int | list[int]]) -> Iterator[Finding]:
    growing, stages = next(iter(asked.items()))
    pairs = zip(request.servers or (), chosen_servers(request), strict=True)
    counts = {server.name: each.count * server.gpus for each, server in pairs}
    if len(asked) > 1:
        yield ("grow_to_gpus",), "names several kinds of servers; one can grow, in the last places"
    elif growing not in counts:
        yield ("grow_to_gpus", growing), f"is not listed under `servers`; known: {', '.join(counts)}"
    elif not counts[growing]:
        yield ("grow_to_gpus", growing), "has no GPUs to count"
    else:
        yield from _check_stages(("grow_to_gpus", growing), stages, counts[growing], f"the GPUs of all {growing}")


def _check_stages(place: Keys, asked: int | list[int] | None, before: int, name: str) -> Iterator[Finding]:
    stages = asked if isinstance(asked, list) else [] if asked is None else [asked]
    for index, stage in enumerate(stages):
        if stage < before or (index and stage == before):
            key = (*place, index) if isinstance(asked, list) else place
            yield key, f"{stage} is {'less than' if stage < before else 'the same as'} {name}, {before}"
        before, name = stage, "the stage before"
