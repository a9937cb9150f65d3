"""The command `verify`: a fabric as it was built beside its design."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import click

import fabric
from fabric.cli.options import AS_JSON, REQUEST, override_options, read_overrides
from fabric.cli.runs import make_or_explain
from fabric.cli.terminal import print_json, print_summary, show_progress

__all__ = ["verify"]


@click.command(short_help="Find wrong cables in a fabric that was built.")
@REQUEST
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--names", metavar="FILE", help="Names of devices by GUID or address: lines of GUID and name.")
@click.option("--any-port", is_flag=True, help="Compare the devices that cables join, not the ports that they are at.")
@click.option(
    "--since", metavar="FILE", multiple=True,
    help="An earlier discovery; repeatable, oldest first. Links that flap or run slower than before are named.",
)  # fmt: skip
@click.option("--csv", "as_csv", is_flag=True, help="Print work orders as CSV: a row for each cable end to move.")
@AS_JSON
@override_options
@click.pass_obj
def verify(
    quiet: bool, /, request: str, files: tuple[str, ...], names: str | None, as_csv: bool, as_json: bool, **words: Any
) -> None:
    """Compare what discovery tools say of a fabric with REQUEST, the design that it was built by.

    REQUEST may also be a list of the cables that stood before, as `fabric discover -o cables.csv` writes it.

    Every cable is as planned, missing, extra or wrong, and the work orders are the fewest cable ends to move. FILEs are
    of ibnetdiscover, LLDP and others (docs/verification.md). Exits with 0 where all is as planned, with 3 where
    something differs, and with 2 where a file cannot be read.
    """
    from fabric.report.verification import summarize_verification, verification_csv, verification_object
    from fabric.studies.verification import find_faults
    from fabric.verification.history import list_changes
    from fabric.verification.name_list import read_names

    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json, not both.")
    since: tuple[str, ...] = words.pop("since")
    any_port: bool = words.pop("any_port")
    with show_progress(quiet or words.pop("silent")) as say:
        given = read_overrides(words)
        known = read_names(names) if names else None
        study = _plan(request, as_json, given, say)
        found = fabric.verify(study, files, names=known, any_port=any_port, progress=say)
        before = [find_faults(study, each, names=known, any_port=any_port, progress=say) for each in since]
        changes = list_changes([*before, found]) if before else ()
    if as_json:
        print_json(verification_object(found, changes))
    elif as_csv:
        click.echo(verification_csv(found), nl=False)
    elif sys.stdout is not None:
        print_summary(summarize_verification(found, changes))
    if not found.is_as_planned:
        sys.exit(3)


def _plan(request: str, as_json: bool, given: dict[str, Any], say: Callable[[str], None]) -> fabric.Study | str:
    """Return the design of a request, or the file of a list of cables."""
    if not request.endswith(".csv"):
        return make_or_explain(as_json, partial(fabric.design, request, progress=say, **given))
    if given:
        raise fabric.InputError(f"{request}: a list of cables takes no {', '.join(given)}: these are of a request")
    return request
