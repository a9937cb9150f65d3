"""Phrases that every report uses: numbers of things, shares, and a fabric in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fabric import units
from fabric.blueprint import Blueprint

__all__ = [
    "add_article",
    "count_models",
    "describe_rates",
    "format_percent",
    "format_ranges",
    "join_words",
    "letter_fabrics",
    "name_fabric",
    "name_places",
    "name_rail_tier",
    "name_size",
    "name_switches",
    "name_topology",
    "write_place",
]


def format_percent(share: float, form: str = ".4g") -> str:
    """Return a share in per cent: `87.5 %`."""
    return units.percent(share, form)


def add_article(name: str) -> str:
    """Return a name after its indefinite article: `a torus`, and `an hpn`, which without vowels is spelt out."""
    vowels = "aeio" if set("aeiouy") & set(name) else "aefhilmnorsx"
    return f"{'an' if name[0] in vowels else 'a'} {name}"


def describe_rates(blueprint: Blueprint) -> str:
    """Return the rates of the links: `at 400 Gb/s`, or `at 100 Gb/s (server-leaf) and 400 Gb/s (leaf-spine)`."""
    rates: dict[int, list[str]] = {}
    for bundle in blueprint.topology.bundles:
        rates.setdefault(blueprint.rate(bundle), []).append(bundle.name)
    if len(rates) == 1:
        return f"at {units.rate(blueprint.link_gbps)}"
    return f"at {join_words([f'{units.rate(rate)} ({join_words(names)})' for rate, names in rates.items()])}"


def join_words(words: Sequence[str], last_by: str = "and") -> str:
    """Return words as a list in a sentence: `cost, hops and power`."""
    *most, last = words or [""]
    return f"{', '.join(most)} {last_by} {last}" if most else last


def format_ranges(numbers: Sequence[int]) -> str:
    """Return ascending numbers with runs as ranges: `1-3, 5`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def name_size(blueprint: Blueprint) -> str:
    """Return the tiers or dimensions, and the planes where there are several: `3 tiers, 2 planes`."""
    planes = f", {units.count_noun(blueprint.planes, 'plane')}" if blueprint.planes > 1 else ""
    return f"{blueprint.topology.size_label}{planes}"


def name_fabric(blueprint: Blueprint) -> str:
    """Return a fabric in a few words: `rail-optimized, 3 tiers, 2 planes`."""
    return f"{blueprint.topology.family}, {name_size(blueprint)}"


def name_places(blueprint: Blueprint) -> str:
    """Return the pods and units, of each where there are several: `57 pods of 288 GPUs and 171 units of 96 GPUs`."""
    places = (("pod", blueprint.pod_gpus), ("unit", blueprint.unit_gpus))
    return join_words(
        [
            f"{units.count_noun(-(-blueprint.gpus // gpus), name)} of {units.count_noun(gpus, 'GPU')}"
            for name, gpus in places
            if gpus is not None and gpus < blueprint.gpus
        ]
    )


def write_place(gpus: int | None) -> str:
    """Return the GPUs of a full unit or pod as a cell of a table."""
    return "-" if gpus is None else units.count(gpus)


def name_topology(blueprint: Blueprint) -> str:
    """Return what kind of fabric it is: `rail-optimized, 3 tiers, 2 planes, rails meeting at the core`."""
    return f"{name_fabric(blueprint)}{name_rail_tier(blueprint)}"


def letter_fabrics(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a letter for each row of a table by what its fabric is, and a line that explains each letter."""
    letters = {text: _write_letter(index) for index, text in enumerate(dict.fromkeys(texts))}
    return [letters[text] for text in texts], [f"Fabric {letter}: {text}." for text, letter in letters.items()]


def _write_letter(index: int) -> str:
    """Return A to Z, then AA, AB and so on."""
    more, last = divmod(index, 26)
    return (_write_letter(more - 1) if more else "") + chr(ord("A") + last)


def name_rail_tier(blueprint: Blueprint) -> str:
    """Return where the rails meet, after a comma; nothing where they never do or there are none."""
    role = blueprint.topology.rails_meet_at if blueprint.rails > 1 else None
    return f", rails meeting at the {role}" if role else ""


def count_models(models: Mapping[str, int]) -> str:
    """Return switch models with their counts: `12 sn5600 + 4 qm9700`."""
    return " + ".join(f"{units.count(count)} {name}" for name, count in models.items())


def name_switches(blueprint: Blueprint) -> str:
    """Return the switches of every tier from the leaf up: `32 sn5600 + 8 qm9700`."""
    pairs = (pair for role in blueprint.topology.roles for pair in blueprint.model_counts(role))
    return " + ".join(f"{units.count(count)} {model.name}" for model, count in pairs)
