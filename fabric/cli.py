"""The command `fabric`: design, list, show and check, over the public package."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

import fabric
from fabric import units
from fabric.console import drop_output, is_terminal, mend_streams, record, wrapped

__all__ = ["cli", "main"]

LISTS = ("topologies", "families", "switches", "servers", "optics")

NUMBERS = ("gpus", "planes", "tiers")
"""The words that numbers stand for; in the others digits are part of a name."""


def _complete_names(_context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Offer the names that the last one of a list with commas may become."""
    from fabric import catalog
    from fabric.families import families

    known = {"server": catalog.servers, "switches": catalog.switches, "family": families}[str(parameter.name)]()
    names = known if parameter.name == "server" else (*known, "any")
    before, comma, last = start.rpartition(",")
    return [CompletionItem(f"{before}{comma}{name}") for name in names if name.startswith(last)]


named = partial(click.option, shell_complete=_complete_names)

WORDS = (
    click.option("--gpus", metavar="INTEGER", help="Override the number of GPUs."),
    named("--server", help="Override the server, by its catalogue name."),
    named("--family", help="Override the family: a name, several with commas, or any."),
    named("--switches", help="Override the switch models: a name, several with commas, or any."),
    click.option("--planes", help="Override the number of planes: a number, several with commas, or any."),
    click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress."),
    click.option("--tiers", help="Override the number of tiers: 1 to 4, several with commas, or any."),
)


def request_words(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that override a request's words."""
    for option in reversed(WORDS):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(fabric.__version__, prog_name="fabric")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def cli(context: click.Context, *, quiet: bool) -> None:
    """Design the network fabric of a GPU cluster.

    REQUEST is a YAML or JSON file, or the name of a shipped design (see `fabric list topologies`).

    Exit codes: 0 done, 1 infeasible, 2 bad input.
    """
    context.obj = quiet or not is_terminal(sys.stderr)


def _complete_request(_context: click.Context, _parameter: click.Parameter, start: str) -> list[CompletionItem]:
    """Offer the shipped designs that begin with what is typed, and files."""
    from fabric.spec import topologies

    items = [CompletionItem(name) for name in topologies() if name.startswith(start)]
    return [*items, CompletionItem(start, type="file")]


def _folder(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty name, which an unset variable leaves."""
    if value == "":
        raise click.BadParameter("is empty; write the name of a folder, such as build/")
    return value


OUT = click.option(
    "--out",
    type=click.Path(file_okay=False),
    callback=_folder,
    help="Write report, pictures and tables to this folder.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print the design as JSON.")
REQUEST = click.argument("request", shell_complete=_complete_request)


@cli.command()
@REQUEST
@OUT
@AS_JSON
@request_words
@click.pass_obj
def design(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Size, cost, draw and estimate the fabric of REQUEST."""
    _run(quiet, fabric.design, request, out, as_json, words)


@cli.command()
@REQUEST
@click.option(
    "--objective",
    default="cost",
    show_default=True,
    help="Names in order of importance (cost,hops) or weights (cost=1,hops=50000), of"
    " cost, power, rack_units, hops, switches, links, models.",
)
@OUT
@AS_JSON
@request_words
@click.pass_obj
def optimize(quiet: bool, /, request: str, out: str | None, as_json: bool, **words: Any) -> None:
    """Find the fabric of REQUEST that is best in what you choose, with proof."""
    objective = words.pop("objective")
    _run(quiet, partial(fabric.optimize, objective=objective), request, out, as_json, words)


def _run(
    quiet: bool, make: Callable[..., fabric.Study], request: str, out: str | None, as_json: bool, words: dict[str, Any]
) -> None:
    """Make a study, write its files where asked, and print it."""
    from fabric.report import document, summary

    with _progress(quiet or words.pop("silent")) as say:
        say("reading the request")
        try:
            study = make(request, progress=say, **_overrides(words))
        except fabric.Infeasible as answer:
            if as_json:
                conflict = [vars(item) for item in answer.conflict]
                click.echo(json.dumps({"status": "INFEASIBLE", "conflict": conflict}, indent=2))
            raise
        result = document(study)
        files = fabric.write(study, out, say) if out else []
    if as_json:
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    else:
        _print_summary(*summary(study, result))
    for file in files:
        click.echo(f"wrote {file}", err=as_json)
    if not all(row["ok"] for row in result["expected"]):
        click.echo("warning: the design does not meet every published number", err=True)


@cli.command()
@click.argument("requests", metavar="REQUEST REQUEST...", nargs=-1, shell_complete=_complete_request)
@click.option("--differences", is_flag=True, help="Print only the rows in which the designs differ.")
@click.option("--json", "as_json", is_flag=True, help="Print designs and rows as JSON.")
@request_words
@click.pass_obj
def compare(quiet: bool, /, requests: tuple[str, ...], differences: bool, as_json: bool, **words: Any) -> None:
    """Print two or more designs side by side.

    Rows that differ are marked *, and numbers show their change against the first design.
    """
    from fabric.report.comparison import design_each
    from fabric.report.side_by_side import side_by_side

    if len(requests) < 2:
        raise click.UsageError("Give two requests or more.")
    with _progress(quiet or words.pop("silent")) as say:
        comparison = fabric.compare(*design_each(requests, progress=say, **_overrides(words)))
    names = _names(requests, comparison)
    if as_json:
        click.echo(json.dumps(comparison.document(differences=differences), indent=2, ensure_ascii=False))
    else:
        _print_summary("", *side_by_side(comparison, names, differences=differences))
    for name, item in zip(names, comparison.designs, strict=True):
        if not all(row["ok"] for row in item["expected"]):
            click.echo(f"warning: {name} does not meet every published number", err=True)


def _names(requests: tuple[str, ...], comparison: fabric.Comparison) -> tuple[str, ...]:
    """Return what to call the designs: their names, or, where two have the same, their requests as given."""
    names = tuple(str(design["name"]) for design in comparison.designs)
    return names if len(set(names)) == len(names) else requests


@cli.command("list")
@click.argument("what", type=click.Choice(LISTS), default="topologies")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def list_(what: str, as_json: bool) -> None:
    """List shipped topologies, known families, or catalogue parts."""
    from fabric.report.lists import listing

    heads, rows = listing(what)
    if as_json:
        click.echo(json.dumps([dict(zip(heads, row, strict=True)) for row in rows], indent=2, ensure_ascii=False))
    elif what == "families":
        click.echo("\n\n".join(record(heads, row) for row in rows))
    else:
        _print_table("", [head.replace("_", " ") for head in heads], [[_cell(value) for value in row] for row in rows])


@cli.command()
@REQUEST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def show(request: str, as_json: bool) -> None:
    """Show REQUEST with every default filled in, its sources and what it must reproduce."""
    from fabric.spec.writing import yaml_text

    words = dict(fabric.read(request).request)
    click.echo(json.dumps(words, indent=2, ensure_ascii=False) if as_json else yaml_text(words), nl=as_json)


@cli.command()
@REQUEST
@request_words
@click.pass_obj
def check(quiet: bool, /, request: str, **words: Any) -> None:
    """Say whether REQUEST is well-formed, feasible and as published: exit 0, 1 if not feasible or not as published."""
    from fabric.report import document

    with _progress(quiet or words.pop("silent")) as say:
        study = fabric.design(request, progress=say, **_overrides(words))
        missed = [row for row in document(study)["expected"] if not row["ok"]]
    tiers = f"{study.blueprint.tiers} tier{'s'[: study.blueprint.tiers > 1]}"
    click.echo(f"{study.spec.name}: feasible, for example as {study.blueprint.form.family} in {tiers}")
    for row in missed:
        published, designed = units.number(row["published"]), units.number(row["designed"])
        click.echo(f"fabric: expected.{row['key']}: published {published}, but designed {designed}", err=True)
    sys.exit(1 if missed else 0)


def main() -> NoReturn:
    """Run the command; a FabricError becomes its message on stderr and its exit code.

    A reader of stdout that has gone ends the run quietly, with 0; a stdout that can't be written ends it with 2.
    """
    mend_streams()
    stdout = sys.stdout
    try:
        cli.main(standalone_mode=False, prog_name="fabric")
        if sys.stdout:
            sys.stdout.flush()
    except fabric.FabricError as error:
        click.echo(wrapped(f"fabric: {error}"), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("fabric: interrupted", err=True)
        sys.exit(130)
    except SystemExit as end:
        if sys.stdout is not stdout or isinstance(end.__context__, BrokenPipeError):  # so click and rich end
            drop_output()
            sys.exit(0)
        raise
    except OSError as error:
        drop_output()
        if not isinstance(error, BrokenPipeError):
            click.echo(f"fabric: can't write the output: {error.strerror or error}", err=True)
            sys.exit(2)
    sys.exit(0)


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show what is being worked on, on stderr, unless `quiet`."""
    if quiet:
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


def _overrides(words: dict[str, Any]) -> dict[str, Any]:
    """Return the request words that were given, lists and numbers read from their text."""
    return {key: _value(key, text) for key, text in words.items() if text is not None and key != "silent"}


def _value(key: str, text: str) -> Any:
    words = [word.strip() for word in text.split(",")]
    values = [_number(key, word) for word in words] if key in NUMBERS else words
    return values[0] if len(values) == 1 else values


def _number(key: str, word: str) -> int | float | str:
    """Return the number that a word is; what is none stays text, which the request then refuses."""
    if not re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?", word):
        return word
    if len(word) > 100:
        raise click.BadParameter(f"a number of {len(word):,} characters; at most 100 are read", param_hint=f"'--{key}'")
    return float(word) if "." in word else int(word)


def _print_summary(text: str, tables: list[Any], lines: list[str]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if text:
        console.print(text, markup=False)
    for table in tables:
        _print_table(*table)
    console.print()
    for line in lines:
        console.print(line, markup=False)


def _print_table(title: str, heads: Any, rows: Any) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, title_style="bold")
    for place, head in enumerate(heads):
        numbers = all(_is_number(row[place]) for row in rows)
        table.add_column(Text(head), justify="right" if numbers else "left", overflow="fold", no_wrap=place == 0)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(highlight=False).print(table)


def _is_number(cell: str) -> bool:
    return cell in ("-", "", "unknown") or cell.strip("$").replace(",", "").replace(".", "").isdigit()


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return units.number(value) if isinstance(value, int | float) else str(value)
