"""The report in Markdown: what was asked, what was chosen and why, the tables and the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from fabric import units
from fabric.report.objectives import ESTIMATED, SOUGHT, amount
from fabric.report.rationale import reasons
from fabric.request.yaml_writer import yaml_text
from fabric.studies.study import Study, read
from fabric.topology.families import family
from fabric.topology.topology import PLANE

__all__ = [
    "UNMOVED",
    "asked",
    "choice",
    "escaped",
    "markdown_table",
    "models",
    "reach",
    "remains",
    "report",
    "running",
    "sought",
]


UNMOVED = "No price, moved alone between its half and its double, would change the choice."


def report(study: Study, design: dict[str, Any]) -> str:
    """Return the report of `study`, whose design object is `design`."""
    sections = [
        [f"# {escaped(study.spec.name)}", "", escaped(choice(study, design)), "", "![The fabric](fabric.svg)"],
        ["## What was asked", "", "```yaml", asked(design["request"]), "```"],
        ["## Why this one", "", *_why(study, design)],
        ["## Prices that would change the choice", "", *_moved(design)] if "sensitivity" in design else [],
        ["## Switches", "", *markdown_table(*_switches(design))],
        ["## Links", "", *markdown_table(*_links(design))],
        ["## Cost and power", "", *markdown_table(*_cost(study, design)), *_running(design)],
        ["## All-reduce to expect", "", *_allreduce(design), "", "![busbw against message size](allreduce.svg)"],
        ["## Published numbers", "", *_expected(design)] if design["expected"] else [],
        ["## To know", "", *(f"- {escaped(note)}" for note in design["notes"])] if design["notes"] else [],
        ["## Sources", "", *(f"- {escaped(source)}" for source in design["sources"])] if design["sources"] else [],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def asked(request: dict[str, Any]) -> str:
    """Return the words of the request that differ from what they are when left out, as YAML."""
    plain = read(gpus=request["gpus"], server=request["server"]).request
    limits = {key: item for key, item in request["limits"].items() if item != plain["limits"][key]}
    given = {key: item for key, item in request.items() if key in ("name", "gpus", "server") or item != plain.get(key)}
    given = {key: item for key, item in given.items() if key not in ("expected", "sources")}
    given |= {"limits": limits}
    return yaml_text({key: item for key, item in given.items() if item != {}}).rstrip()


def choice(study: Study, design: dict[str, Any]) -> str:
    """Return the paragraph that says what was chosen, as plain text."""
    blueprint = study.blueprint
    roles = ", ".join(f"{units.count(row['count'])} {role}" for role, row in design["switches"]["by_role"].items())
    planes = f" on {blueprint.planes} planes" if blueprint.planes > 1 else ""
    tiers = "" if not family(blueprint.topology.family).layered else f" of {_plural(blueprint.tiers, 'tier')}"
    meet = f", rails meeting at the {design['rails_meet']}" if design["rails_meet"] else ""
    cost = design["cost_usd"]
    price = f" It costs {units.money(cost['total'])}, {units.money(cost['per_gpu'])} a GPU." if cost["total"] else ""
    servers = _plural(blueprint.servers, f"{blueprint.server.name} server")
    return (
        f"{_plural(study.spec.gpus, 'GPU')} in {servers},"
        f" joined by a {blueprint.topology.family} fabric{tiers}{planes}{meet}:"
        f" {_plural(blueprint.switches, 'switch', 'switches')} ({roles}) and"
        f" {_plural(blueprint.links_total, 'link')} of {units.rate(blueprint.link_gbps)}.{price}"
    )


def _plural(number: int, one: str, many: str = "") -> str:
    return f"{units.count(number)} {one if number == 1 else many or one + 's'}"


def _why(study: Study, design: dict[str, Any]) -> Iterator[str]:
    proof = design["optimizer"]
    name, others = proof["objective_name"], proof["others"]
    if why := " ".join(reasons(design)):
        yield f"{why}\n"
    below = "" if proof["bound"] is None else f", and nothing allowed is below {amount(name, proof['bound'])}"
    yield f"- Sought: {sought(proof)}. Status {proof['status']}: {amount(name, proof['objective'])}{below}."
    if others:
        yield f"- Next best: {', '.join(_runner(name, row) for row in others[:3])}."
    for role, row in design["switches"]["by_role"].items():
        down, up, used = row["ports_down"], row["ports_up"], row["ports_used"]
        yield f"- {role}: {down} ports down and {up} up, {used} of {row['radix']} used."
    form = study.blueprint.topology
    yield f"- {remains(design['survives'])}."
    yield f"- Form: `{form.text}` ({family(form.family).reference}); sizes {_sizes(design)}."


def _moved(design: dict[str, Any]) -> Iterator[str]:
    """Say of each price at which value another fabric would be chosen, and which."""
    heads, rows = ("part", "price", "moved to", "then"), [row for row in design["sensitivity"] if row["instead"]]
    open_ = dict.fromkeys(row["part"] for row in design["sensitivity"] if not row["settled"])
    if open_:
        yield f"Not settled within the limit on work: {escaped(', '.join(open_))}.\n"
    if rows:
        said = units.money
        cells = ((row["part"], said(row["price_usd"]), said(row["at_usd"]), escaped(row["instead"])) for row in rows)
        yield from markdown_table(heads, cells)
    elif not open_:
        yield UNMOVED


def models(row: dict[str, Any]) -> str:
    """Name the model of a tier, or each of several with its count."""
    several = (f"{units.count(count)} {name}" for name, count in row["models"].items())
    return row["model"] if len(row["models"]) == 1 else ", ".join(several)


def remains(survives: dict[str, float]) -> str:
    """Say what share of throughput remains after each loss; a plane's only where there are several."""
    shares = (f"{loss} {share:.4g}" for loss, share in survives.items() if loss != PLANE or share)
    known = ", ".join(shares) or "not known; `fabric allreduce --fail` estimates it"
    return f"Share of throughput sure to remain without any one: {known}"


def _runner(name: str, row: dict[str, Any]) -> str:
    return f"{row['name']} ({amount(name, row[name])})"


def sought(proof: dict[str, Any]) -> str:
    """Return in words what was minimised, in order; what is only compared to 2 % says so."""
    return "the least " + ", then ".join(
        f"{SOUGHT.get(name, name)}{' (to 2 %)' if name in ESTIMATED else ''}" for name in proof["objectives"]
    )


def _sizes(design: dict[str, Any]) -> str:
    copies = {name: value for name, value in design["copies"].items() if value > 1}
    axes = {axis: value for axis, value in design["axes"].items() if value > 1}
    return ", ".join(f"{name} {value}" for name, value in {**axes, **copies}.items())


def _switches(design: dict[str, Any]) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    over = design["oversubscription"]
    heads = ("role", "count", "model", "ports down", "ports up", "used", "radix", "down over up")
    rows = (
        (
            role,
            units.count(row["count"]),
            escaped(models(row)),
            row["ports_down"],
            row["ports_up"],
            row["ports_used"],
            row["radix"],
            f"{over[role]:.4g}" if role in over else "-",
        )
        for role, row in design["switches"]["by_role"].items()
    )
    return heads, rows


def _links(design: dict[str, Any]) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    heads = ("bundle", "links", "per pair", "cables")
    rows = [
        (
            name,
            units.count(links),
            f"{design['links']['per_pair'][name]:.4g}",
            units.count(design["cables"]["by_bundle"][name]),
        )
        for name, links in design["links"]["by_bundle"].items()
    ]
    total = ("total", units.count(design["links"]["total"]), "", units.count(design["cables"]["total"]))
    return heads, [*rows, total]


def _cost(study: Study, design: dict[str, Any]) -> tuple[Sequence[str], Iterable[Sequence[Any]]]:
    heads = ("part", "for", "quantity", "each", "in all", "power")
    rows = [
        (
            escaped(row.part),
            row.used_for,
            units.count(row.quantity),
            units.money(row.unit_price_usd),
            units.money(row.price_usd),
            units.power(row.power_w),
        )
        for kind in ("switch", "link", "nic")
        for row in study.bill.of(kind)
    ]
    total = ("total", "", "", "", units.money(design["cost_usd"]["total"]), units.power(design["power_w"]["total"]))
    return heads, [*rows, total]


def running(design: dict[str, Any]) -> Iterator[str]:
    """Yield the line on electricity, where the request says what it costs."""
    asked, cost = design["request"], design["cost_usd"]
    if asked["years"] is not None and asked["electricity_usd_per_kwh"] is not None:
        yield (
            f"Electricity: {units.money(cost['electricity'])} over {_plural_years(asked['years'])} at"
            f" ${asked['electricity_usd_per_kwh']:g} a kWh and a PUE of {asked['pue']:g};"
            f" {units.money(cost['total_with_electricity'])} with the cost."
        )


def _plural_years(years: float) -> str:
    return f"{years:g} year{'s'[: years != 1]}"


def _running(design: dict[str, Any]) -> Iterator[str]:
    yield from (text for line in running(design) for text in ("", line))


def reach(design: dict[str, Any]) -> str:
    """Say what goes in and across at once, and how far it is."""
    return (
        f"Injection {units.rate(design['injection_gbps'])}, bisection {units.rate(design['bisection_gbps'])};"
        f" {design['hops']['max']} switches on the longest path, {design['hops']['mean']:.3f} on average."
    )


def _allreduce(design: dict[str, Any]) -> Iterator[str]:
    yield reach(design)
    yield ""
    heads = ("size", "routing", "algorithm", "time", "algbw GB/s", "busbw GB/s", "limited by")
    rows = (
        (
            units.size(row["size_bytes"]),
            row["routing"],
            row["algorithm"],
            units.time(row["time_s"]),
            f"{row['algbw_GBps']:.1f}",
            f"{row['busbw_GBps']:.1f}",
            row["limited_by"],
        )
        for row in design["allreduce"]
    )
    yield from markdown_table(heads, rows)


def _expected(design: dict[str, Any]) -> Iterator[str]:
    rows = (
        (f"`{row['key']}`", units.number(row["published"]), units.number(row["designed"]), _met(row["ok"]))
        for row in design["expected"]
    )
    yield from markdown_table(("number", "published", "designed", "met"), rows)


def _met(ok: bool) -> str:
    return "yes" if ok else "**no**"


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Yield the lines of a table."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"


def escaped(text: str) -> str:
    """Escape what Markdown or HTML would take for markup in a user's words."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return text
