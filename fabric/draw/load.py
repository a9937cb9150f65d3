"""How full links are when a ring's servers stand in random order: by tier as a distribution, and uplink by uplink."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fabric.blueprint import Blueprint
from fabric.draw.curve import COLOURS, type_of
from fabric.draw.page import plain_style
from fabric.draw.palette import BODY_PT, GREY, HAIR, HEAD_PT, INK, SMALL_PT, TIER_PT
from fabric.draw.plan import WIDTH
from fabric.flow import Routing, link_loads, phases, place
from fabric.units import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_load"]

Loads = npt.NDArray[np.float64]

HEIGHT, LEAVES, UPLINKS = 430.0, 64, 64
"""The page's height in points; the leaves and the uplinks of each that the heat maps show."""


def draw_load(blueprint: Blueprint, seed: int = 0) -> Figure:
    """Draw the load of links under ECMP beside adaptive routing, 7.5 inches wide.

    The flows are one step of a ring all-reduce over all GPUs, its servers in the order that `seed` draws. Raises
    TooLarge where flows do not fit in memory.
    """
    ranks = place(blueprint, "random", seed=seed)
    (phase,) = list(phases(blueprint.server, ranks, "all-reduce", "ring"))[:1]
    loads = {name: link_loads(blueprint, phase, Routing(name, 2, seed)) for name in ("ecmp", "adaptive")}
    with plain_style():
        figure = _page(f"{blueprint.name}: link load of a ring all-reduce, servers in random order")
        most = max(1.0, *(float(each.max(initial=0.0)) for each in loads.values()))
        for column, (name, each) in enumerate(loads.items()):
            _distribution(_axes(figure, column, 0), blueprint, name, each, most)
            _heat(figure, _axes(figure, column, 1), blueprint, each, most)
        words = "1 is what a link carries: above it flows share the link, and a collective waits for the slowest."
        figure.text(0.06, 0.025, words, color=GREY, **type_of(BODY_PT))
    return figure


def _page(title: str) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from fabric.draw.sheet import elide

    figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=200, facecolor="white")
    FigureCanvasAgg(figure)
    head = elide(title, WIDTH * 0.9, TIER_PT, bold=True)
    figure.text(0.06, 1 - 20 / HEIGHT, head, color=INK, **type_of(TIER_PT, bold=True))
    return figure


def _axes(figure: Figure, column: int, row: int) -> Axes:
    return figure.add_axes((0.085 + 0.475 * column, 0.585 - 0.46 * row, 0.37, 0.3))


def _distribution(axes: Axes, blueprint: Blueprint, name: str, loads: Loads, most: float) -> None:
    """Plot for each bundle the share of links, in their busier direction, that carry up to each load."""
    first = 0
    for place_, bundle in enumerate(blueprint.form.bundles):
        links = blueprint.links(bundle)
        busier = np.sort(loads[:, first : first + links].max(axis=0))
        first += links
        shown = np.unique(np.linspace(0, links - 1, 400).astype(int)) if links else np.zeros(0, int)
        shares = (shown + 1) / max(1, links)
        axes.step(busier[shown], shares, where="post", color=COLOURS[place_ % len(COLOURS)], label=bundle.name)
    axes.set_xlim(0, most * 1.05)
    axes.set_ylim(0, 1.04)
    axes.set_title(f"{name} routing", loc="left", color=INK, **type_of(HEAD_PT, bold=True))
    axes.legend(loc="lower right", frameon=False, labelcolor=INK, prop=type_of(SMALL_PT)["fontproperties"])
    _named(axes, "load of a link", "share of links up to it")
    axes.axvline(1, color=HAIR, linewidth=0.8, zorder=0)


def _heat(figure: Figure, axes: Axes, blueprint: Blueprint, loads: Loads, most: float) -> None:
    """Show the load of each uplink of the first leaves, a row for each leaf."""
    hosts = sum(map(blueprint.links, blueprint.form.host_bundles))
    each = blueprint.ports_up(blueprint.form.roles[0])
    leaves = min(LEAVES, blueprint.devices(blueprint.form.roles[0]))
    if not each or not blueprint.form.fabric_bundles:
        axes.text(0.5, 0.5, "no uplinks", ha="center", color=GREY, **type_of(BODY_PT))
        axes.set_axis_off()
        return
    up = loads[0, hosts:][: leaves * each]
    grid = up[: len(up) // each * each].reshape(-1, each)[:, :UPLINKS]
    image = axes.imshow(grid, cmap="cividis", vmin=0, vmax=most, aspect="auto", interpolation="nearest")
    _named(axes, f"uplinks, {count(grid.shape[1])} of {count(each)}", f"leaves, first {count(grid.shape[0])}")
    bar = figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02)
    bar.set_ticks(_within(bar.get_ticks(), (0, most)))
    for label in bar.ax.get_yticklabels():
        label.set(color=GREY, **type_of(SMALL_PT))


def _within(ticks: Iterable[float], limits: tuple[float, float]) -> list[float]:
    """Return the ticks that an axis shows."""
    return [float(tick) for tick in ticks if min(limits) <= tick <= max(limits)]


def _named(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, color=INK, **type_of(BODY_PT))
    axes.set_ylabel(up, color=INK, **type_of(BODY_PT))
    axes.set_xticks(_within(axes.get_xticks(), axes.get_xlim()))
    axes.set_yticks(_within(axes.get_yticks(), axes.get_ylim()))
    ticks: list[Any] = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    for label in ticks:
        label.set(color=GREY, **type_of(SMALL_PT))
    axes.tick_params(color=GREY, width=0.6)
