"""Options that take names of a registry."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from fabric.cli.record_name import RecordName, record_option
from fabric.topology.families import families

FAMILIES = "fabric.topology.families:FAMILIES"


@click.command()
@record_option("--one", registry=FAMILIES, help="One of {names}.")
@record_option("--some", registry=FAMILIES, several=True, also=("any",), only=lambda item: item.layered, help="{names}")
@record_option("--free", registry="fabric.catalog:servers", checked=False)
def command(**words: Any) -> None:
    """Print what the options say."""
    click.echo(repr(words))


def run(*words: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(command, words)


def test_the_help_lists_the_names() -> None:
    """`{names}` becomes the names of the registry, or those that are allowed of it with the other words."""
    text = " ".join(run("--help").output.split())
    assert f"One of {', '.join(families())}." in text
    assert "fat-tree, rail-optimized, rail-only, hpn, any" in text


def test_a_command_gets_names() -> None:
    """One name is text, several are a tuple, and what is not checked comes as it was given."""
    said = run("--one", "torus", "--some", "fat-tree, any", "--free", "x").output
    assert said == "{'one': 'torus', 'some': ('fat-tree', 'any'), 'free': 'x'}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--one", "toros"), "unknown name 'toros'; did you mean 'torus'?"),
        (("--one", "torus,mesh"), "unknown name 'torus,mesh'"),
        (("--some", "torus"), "unknown name 'torus'; known: any, fat-tree"),
        (("--some", "fat-tree,fat-tree"), "duplicate name 'fat-tree'"),
    ],
)
def test_unknown_names_are_refused(words: tuple[str, str], message: str) -> None:
    """A name that is not allowed is refused with the nearest, or with all."""
    done = run(*words)
    assert done.exit_code == 2
    assert message in done.output


def test_the_last_name_of_a_list_is_completed() -> None:
    """A shell is offered what the last name may become, after the names before it."""
    parameter, context = command.params[1], click.Context(command)
    kind = RecordName(FAMILIES, several=True)
    assert [item.value for item in kind.shell_complete(context, parameter, "torus,rail-on")] == ["torus,rail-only"]
    single = RecordName(FAMILIES)
    assert [item.value for item in single.shell_complete(context, parameter, "drag")] == ["dragonfly", "dragonfly-plus"]
