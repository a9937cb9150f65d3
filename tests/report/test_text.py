"""The phrases of every report."""

from __future__ import annotations

import fabric
from fabric.report.text import (
    add_article,
    count_models,
    format_percent,
    format_ranges,
    join_words,
    name_fabric,
    name_rail_tier,
    name_switches,
)
from fabric.units import count_noun, parse_size, size


def test_a_noun_agrees_with_its_number() -> None:
    """One is singular, everything else plural, and thousands are separated."""
    assert count_noun(1, "switch", "switches") == "1 switch"
    assert count_noun(0, "GPU") == "0 GPUs"
    assert count_noun(1024, "GPU") == "1,024 GPUs"
    assert count_noun(2.5, "year") == "2.5 years"


def test_a_size_is_written_in_the_kind_of_unit_in_which_it_is_round() -> None:
    """A size that was given as 1GB is not echoed as 953.7 MiB, and what was written is read as the same size."""
    written = {
        "1GB": "1 GB",
        "1GiB": "1 GiB",
        "500KB": "500 kB",
        "1536": "1.5 KiB",
        "2.5MB": "2.5 MB",
        "1000": "1000 B",
    }
    assert {text: size(parse_size(text)) for text in written} == written
    assert (size(123_456_789), size(2**55), size(0)) == ("117.7 MiB", "3.277e+04 TiB", "0 B")
    for number in range(1, 1000, 7):
        for unit in ("B", "KiB", "MiB", "TiB", "kB", "MB", "GB", "TB"):
            assert parse_size(size(parse_size(f"{number}{unit}"))) == parse_size(f"{number}{unit}")


def test_a_name_has_its_article() -> None:
    """Names that begin with a vowel when spoken take `an`."""
    names = ["torus", "hpn", "east-west", "slim-fly", "hyperx"]
    assert [add_article(name) for name in names] == ["a torus", "an hpn", "an east-west", "a slim-fly", "a hyperx"]


def test_lists_and_shares_are_written_as_in_a_sentence() -> None:
    """The last word follows an `and`, runs of numbers are ranges, and a share is in per cent."""
    assert [join_words(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert [format_ranges(numbers) for numbers in ([3], [1, 2, 3, 5], [1, 3, 4])] == ["3", "1-3, 5", "1, 3-4"]
    assert [format_percent(share) for share in (0.875, 1, 0.96875)] == ["87.5 %", "100 %", "96.88 %"]
    assert count_models({"sn5600": 1200, "qm9700": 4}) == "1,200 sn5600 + 4 qm9700"


def test_a_fabric_is_named_by_family_size_and_planes() -> None:
    """Tiers, planes where there are several, where rails meet, and the switches by tier, are in the name."""
    pod = fabric.design("alibaba-hpn-pod").blueprint
    assert name_fabric(pod) == "rail-optimized, 2 tiers, 2 planes"
    assert name_rail_tier(pod) == ", rails meeting at the spine"
    assert name_switches(pod) == "240 tomahawk5-64x800g + 120 tomahawk5-64x800g"
    small = fabric.design(gpus=64, server="hgx-h100", family="fat-tree", switches="sn5600").blueprint
    assert (name_fabric(small), name_rail_tier(small)) == ("fat-tree, 1 tier", "")
