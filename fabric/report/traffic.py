"""Point-to-point traffic as a document and as tables: shares of line rate over flows, times, and the busiest link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fabric import units
from fabric.flow import SendsAnswer
from fabric.report.failures import failed_objects, list_parts
from fabric.report.table import Summary, Table
from fabric.report.text import format_percent
from fabric.studies.study import Study
from fabric.studies.traffic import TrafficRun

__all__ = ["SCHEMA", "summarize_traffic", "traffic_object"]

SCHEMA = "fabric.traffic/1"


def traffic_object(study: Study, run: TrafficRun) -> dict[str, Any]:
    """Return the answers as one plain object (docs/design-json.md)."""
    return {
        "schema": SCHEMA,
        "name": study.spec.name,
        "design_gpus": study.blueprint.gpus,
        "pattern": run.asked.pattern if run.asked.file is None else None,
        "file": run.asked.file,
        "failures": list(run.asked.failures),
        "failed": failed_objects(run.failed),
        "results": [_answer_object(run, answer) for answer in run.answers],
    }


def _answer_object(run: TrafficRun, answer: SendsAnswer) -> dict[str, Any]:
    routing = answer.routing
    spread = {f"p{percent}": share for percent, share in answer.percentiles.items()}
    return {
        "routing": routing.name,
        "transport": routing.transport,
        "qps": routing.qps,
        "sends": answer.sends,
        "sends_inside_servers": answer.local,
        "sends_lost": answer.lost,
        "share_of_line_rate": {"mean": answer.mean, "min": answer.min, **spread, "max": answer.max},
        "draws": [asdict(draw) for draw in answer.draws],
        "times": [
            {"size_bytes": size, "time_s": mean, "longest_s": longest} for size, mean, longest in run.times(answer)
        ],
        "busiest_link": asdict(answer.busiest),
        "bounds": {"lp": answer.lp, "cut": answer.cut},
    }


def summarize_traffic(study: Study, run: TrafficRun) -> Summary:
    """Return what `fabric allreduce` prints of point-to-point traffic."""
    first = run.answers[0]
    text = f"{study.spec.name}: {run.asked.name}, {units.count_noun(first.sends, 'send')} at the same time"
    text += f", {units.count(first.local)} of them inside servers" if first.local else ""
    text += f", {units.count(first.lost)} left out as failures disconnect their servers" if first.lost else ""
    text += f", after failure of {', '.join(run.asked.failures)}." if run.asked.failures else "."
    heads = ("routing", "mean", "min", *(f"p{percent}" for percent in first.percentiles), "max")
    hashed = [answer.routing for answer in run.answers if not answer.routing.policy.sprays]
    pairs = f", {units.count_noun(hashed[0].qps, 'queue pair')} per hashed flow" if hashed else ""
    title = f"Shares of line rate over the flows{pairs}"
    spread = Table(title, heads, [_make_row(answer) for answer in run.answers])
    kept = [_tabulate_kept(run)] if run.failed else []
    return Summary(text, [spread, *kept, _tabulate_times(run)], list(_list_lines(run)))


def _name(answer: SendsAnswer) -> str:
    return answer.routing.policy.label


def _make_row(answer: SendsAnswer) -> tuple[str, ...]:
    shares = (answer.mean, answer.min, *answer.percentiles.values(), answer.max)
    return _name(answer), *(f"{share:.3f}" for share in shares)


def _tabulate_kept(run: TrafficRun) -> Table:
    """Tabulate the mean share with all links up and after the failures, with the share that is kept."""
    rows = []
    for answer in run.answers:
        healthy = [draw.healthy.mean for draw in answer.draws if draw.healthy]
        means = (sum(healthy) / len(healthy), answer.mean)
        kept = (means[1] / means[0], min(answer.kept))
        cells = (f"{mean:.3f}" for mean in means)
        rows.append((_name(answer), *cells, *(format_percent(share, ".1f") for share in kept)))
    heads = ("routing", "healthy", "after failures", "kept: mean", "kept: worst")
    return Table("Mean share of line rate healthy and after the failures, over the draws", heads, rows)


def _tabulate_times(run: TrafficRun) -> Table:
    """Tabulate the time until the last flow ends: the mean over draws, and the longest where they differ."""
    columns = [run.times(answer) for answer in run.answers]
    heads = ("each GPU sends" if run.asked.file is None else "all together send", *map(_name, run.answers))
    rows = [
        (units.size(cells[0][0]), *(_write_time(mean, longest) for _, mean, longest in cells))
        for cells in zip(*columns, strict=True)
    ]
    return Table("Time until the last flow ends, without latency", heads, rows)


def _write_time(mean: float, longest: float) -> str:
    mean_text, longest_text = units.time(mean), units.time(longest)
    return mean_text if mean_text == longest_text else f"{mean_text}, up to {longest_text}"


def _list_lines(run: TrafficRun) -> Iterator[str]:
    protocol = run.answers[0].routing.protocol
    yield (
        "Shares are of the NICs' line rate: mean by bytes, min of the slowest flow, and percentiles over flows. At 1"
        f" all flows end together, with the busiest NIC at line rate. What packets cost ({protocol.label}) is included:"
        f" {protocol.description}."
    )
    for answer in run.answers:
        draws, label, link = answer.draws, answer.routing.policy.label, answer.busiest
        label = label[:1].upper() + label[1:]
        if len(draws) > 1:
            means = f"{min(draw.mean for draw in draws):.3f} to {max(draw.mean for draw in draws):.3f}"
            label += f" (means of {units.count(len(draws))} draws, seeds {draws[0].seed} to {draws[-1].seed}: {means})"
        yield (
            f"{label}: if all flows ran at line rate, the busiest link would have to carry {link.load:.2f} times its"
            f" rate, from {link.source} to {link.target}."
        )
    yield from list_parts(run.failed, run.asked.seed)
    lp = "" if run.answers[0].lp is None else f"LP {run.answers[0].lp:.3f}, "
    bounds = f"{lp}cut {run.answers[0].cut:.3f}"
    yield f"Upper bounds on the slowest flow under any routing, before what packets cost: {bounds}."
