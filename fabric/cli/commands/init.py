"""The command `init`: a first request from five answers, each checked as it is given."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

import fabric
from fabric.cli.record_name import record_option
from fabric.cli.streams import is_terminal, wrap_lines
from fabric.cli.terminal import show_progress

__all__ = ["init"]

Keys = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """One question of the five."""

    text: str
    """The question."""
    default: str
    """The answer of an empty line."""
    read: Callable[[str], Keys]
    """Returns the keys of the request that an answer stands for; raises InputError."""
    options: Mapping[str, Callable[[str], Keys]]
    """The options that answer it, each with what reads its value."""
    sized: bool = True
    """Whether a fabric must exist for the answers up to this one."""
    choices: Callable[[], list[tuple[str, str]]] | None = None
    """Returns what may be named, with a few facts each; None where it is a number."""


@click.command(short_help="Write a first request, from five questions.")
@click.argument("file", default="my-cluster.yaml", type=click.Path(dir_okay=False))
@click.option("--gpus", metavar="INTEGER", help="GPUs to connect.")
@record_option(
    "--server",
    registry="fabric.catalog:servers",
    checked=False,
    metavar="NAME",
    help="The server, a name of `fabric list servers`.",
)
@record_option(
    "--switches",
    registry="fabric.catalog:switches",
    several=True,
    also=("any",),
    checked=False,
    metavar="NAMES",
    help="Switch models or vendors, with commas, or any.",
)
@click.option("--oversubscription", metavar="RATIO", help="Bandwidth down over up at a switch, at most: 1, or 2:1.")
@click.option("--budget", metavar="USD", help="What switches and links may cost together, such as 4000000 or 4M.")
@click.option("--grow-to", metavar="INTEGERS", help="GPUs to grow to without moving a cable, or stages with commas.")
@click.option("--yes", "-y", is_flag=True, help="Take the default for what no option answers, and ask nothing.")
@click.option("--force", is_flag=True, help="Replace FILE where it exists.")
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def init(quiet: bool, /, file: str, yes: bool, force: bool, silent: bool, **given: str | None) -> None:
    """Write a first request to FILE (by default my-cluster.yaml), from five questions or the options that answer them.

    The questions are GPUs, server, switches, oversubscription or budget, and growth. Each answer is checked at once:
    that it can be read, and that a fabric exists for it.
    """
    from fabric.atomic_write import check_folder, write_atomically
    from fabric.request.starter import starter_text

    path = Path(file)
    _check_file(path, force=force)
    check_folder(path.parent)
    command = shlex.join(["fabric", "design", file])
    request: Keys = {"name": path.stem}
    fabric.read(request, gpus=1, server="hgx-h100")  # the name
    for question in _list_questions(request):
        request |= _answer(question, request, given, ask=not yes, quiet=quiet or silent)
    text = starter_text(request, command)

    def make(folder: Path) -> list[str]:
        (folder / path.name).write_text(text, encoding="utf-8")
        return [path.name]

    write_atomically(path.parent, make)
    click.echo(f"wrote {file}\nNext: {command}")


def _check_file(path: Path, *, force: bool) -> None:
    """Raise InputError unless the file may be written: its name is that of a YAML file, and nothing is lost."""
    if path.suffix not in (".yaml", ".yml"):
        raise fabric.InputError(f"{path}: a request is a YAML file; write for example {path.stem or 'my-cluster'}.yaml")
    if path.exists() and not force:
        raise fabric.InputError(f"{path} exists; use --force to replace it, or write another name")


def _list_questions(request: Keys) -> Iterator[Question]:
    """Yield each question when the answers before it are in `request`."""
    from fabric.request import starter

    yield Question("GPUs", "1024", starter.read_gpus, {"gpus": starter.read_gpus}, sized=False)
    yield Question(
        "Server",
        "hgx-h100",
        starter.read_server,
        {"server": starter.read_server},
        sized=False,
        choices=starter.list_servers,
    )
    read_switches = partial(starter.read_switches, server=request["server"])
    yield Question(
        "Switches: models or vendors with commas, or any that has a price (*)",
        "any",
        read_switches,
        {"switches": read_switches},
        choices=starter.list_switches,
    )
    yield Question(
        "Oversubscription or budget, such as 1, or 2:1, or $4M, or 2:1, $4M",
        "1",
        starter.read_terms,
        {"oversubscription": starter.read_ratio, "budget": starter.read_budget},
    )
    yield Question(
        "GPUs to grow to later without moving a cable, such as 2048, or stages with commas",
        "no",
        starter.read_growth,
        {"grow_to": starter.read_growth},
    )


def _answer(question: Question, request: Keys, given: dict[str, str | None], *, ask: bool, quiet: bool) -> Keys:
    """Return the keys of an answer: of the options where there are any, else of what is typed, else of the default."""
    keys: Keys = {}
    for name, read in question.options.items():
        if (text := given[name]) is not None:
            try:
                keys |= read(text)
            except fabric.InputError as error:
                raise fabric.InputError(f"{_option(name)}: {error}") from None
    if keys or any(given[name] is not None for name in question.options):
        return _check(question, keys, request, quiet)
    if not ask:
        return _check(question, question.read(question.default), request, quiet)
    for name, facts in question.choices() if question.choices else ():
        click.echo(wrap_lines(f"  {name:13} {facts}"), err=True)
    while True:
        try:
            return _check(question, question.read(_read_line(question) or question.default), request, quiet)
        except (fabric.InputError, fabric.Infeasible) as error:
            click.echo(wrap_lines(f"  {error}"), err=True)


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _check(question: Question, keys: Keys, request: Keys, quiet: bool) -> Keys:
    """Return the keys of an answer; raises InputError where they are not valid, Infeasible where no fabric exists."""
    whole = {"gpus": 1024, "server": "hgx-h100", **request, **keys}
    if question.sized:
        with show_progress(quiet) as say:
            fabric.design(whole, progress=say)
    else:
        fabric.read(whole)
    return keys


def _read_line(question: Question) -> str:
    """Ask a question on stderr, and return the line that is typed; raises FabricError where stdin has ended."""
    click.echo(f"{question.text} [{question.default}]: ", nl=False, err=True)
    line = sys.stdin.readline() if sys.stdin else ""
    if not line:
        click.echo(err=True)
        options = " or ".join(map(_option, question.options))
        raise fabric.FabricError(f"stdin has ended, nothing is written; answer by {options}, or take defaults by --yes")
    if not is_terminal(sys.stdin):
        click.echo(line.rstrip("\n"), err=True)
    return line.strip()
