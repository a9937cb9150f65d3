"""The command that says what a discovered fabric is, and writes the request of the design that it is closest to."""

from __future__ import annotations

from pathlib import Path

import click

import fabric
from fabric.cli.options import AS_JSON, refuse_input_as_output
from fabric.cli.terminal import print_json, print_summary, show_progress

__all__ = ["discover"]


@click.command(short_help="Say what a discovered fabric is, and write its request.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(dir_okay=False))
@click.option(
    "-o",
    "--output",
    metavar="REQUEST",
    help="Write the request of the nearest design (.yaml) and the cables beside it, or the cables alone (.csv).",
)
@AS_JSON
@click.option("--quiet", "-q", "silent", is_flag=True, help="Show no progress.")
@click.pass_obj
def discover(quiet: bool, /, files: tuple[str, ...], output: str | None, as_json: bool, silent: bool) -> None:
    """Say what the fabric in FILE is, from its cables alone: tiers, planes, rails, units, spare ports, what is uneven.

    FILE is what a discovery tool wrote: the text of ibnetdiscover, LLDP neighbours of each switch, a list of cables.
    """
    from fabric.discovery import read_discovery
    from fabric.discovery.cable_record import record_text
    from fabric.report.discovered import discovered_object, request_text, summarize_discovered
    from fabric.studies.discovered_design import recover_design

    path = _check_output(output)
    record = path if path is None or path.suffix == ".csv" else path.with_name(f"{path.stem}-as-built.csv")
    for each in (path, record):
        refuse_input_as_output(str(each) if each else None, *files)
    with show_progress(quiet or silent) as say:
        say("reading")
        seen = read_discovery(files)
        say("comparing with designs")
        found = recover_design(seen, path.stem if path else "discovered")
    if as_json:
        print_json(discovered_object(found))
    else:
        print_summary(summarize_discovered(found))
    if path is None or record is None:
        return
    texts = {record.name: record_text(seen)}
    if record != path:
        if found.request is None or found.study is None:
            raise fabric.FabricError(
                f"{output}: no request is written: {found.refusal}; -o {path.stem}.csv writes the cables, which"
                " `fabric verify` takes in the place of a request"
            )
        texts[path.name] = request_text(found, record.name)
    _write(path.parent, texts)
    click.echo(f"wrote {' and '.join(str(path.parent / name) for name in reversed(texts))}", err=as_json)
    if record != path:
        click.echo(f"Next: fabric design {output}", err=as_json)


def _check_output(output: str | None) -> Path | None:
    """Return the path of the output; raises InputError unless its name is that of a YAML or a CSV file."""
    if output is None:
        return None
    path = Path(output)
    if path.suffix not in (".yaml", ".yml", ".csv"):
        raise fabric.InputError(
            f"{output}: a request is a YAML file, and a list of cables CSV; write for example"
            f" {path.stem or 'found'}.yaml"
        )
    fabric.read({"name": path.stem}, gpus=1, server="hgx-h100")  # the name
    return path


def _write(parent: Path, texts: dict[str, str]) -> None:
    from fabric.atomic_write import write_atomically

    def make(folder: Path) -> list[str]:
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        return list(texts)

    write_atomically(parent, make)
