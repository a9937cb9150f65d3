"""The command `fabric`: the group of all commands, and how a run of one ends."""

from __future__ import annotations

import logging
import re
import sys
from typing import NoReturn

import click

import fabric
from fabric.cli.commands import COMMANDS
from fabric.cli.streams import discard_output, is_terminal, prepare_streams, wrap_lines

__all__ = ["cli", "main"]

CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""Characters that move a terminal's cursor, start an escape sequence, or change the order of the text around them."""

UNMAPPED = re.compile("failed to map segment|annot allocate memory")
"""What the system's linker says of a library for which there is no memory."""


class CheckedGroup(click.Group):
    """A group that refuses arguments with control characters, which messages would pass on to the terminal."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments of a run; raises UsageError for one with a control character."""
        for argument in args:
            if strange := CONTROL.search(argument):
                code = f"U+{ord(strange[0]):04X}"
                raise click.UsageError(f"{argument!r:.60}: control character {code}; leave it out.", ctx)
        return super().parse_args(ctx, args)


@click.group(cls=CheckedGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(fabric.__version__, prog_name="fabric")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@click.pass_context
def cli(context: click.Context, *, quiet: bool) -> None:
    """Design the network fabric of a GPU cluster.

    REQUEST is a YAML or JSON file, or the name of a shipped design (see `fabric list topologies`).

    Exit codes: 0 done, 1 infeasible, 2 bad input, 3 a run is not as expected.
    """
    context.obj = quiet or not is_terminal(sys.stderr)


for command in COMMANDS:
    cli.add_command(command)


def _handle_output_error(error: OSError) -> None:
    """Exit with 2 when stdout can't be written; that its reader has gone is not a failure."""
    discard_output()
    if not isinstance(error, BrokenPipeError):
        click.echo(f"fabric: can't write the output: {error.strerror or error}", err=True)
        sys.exit(2)


def main() -> NoReturn:
    """Run the command; a FabricError becomes its message on stderr and its exit code.

    When the reader of stdout has gone, the run ends quietly with 0; when stdout can't be written, with 2. One that is
    closed from the start is refused before anything is done: the first file written would take its place.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it would report its own folders
    prepare_streams()
    stdout = sys.stdout
    try:
        if stdout is None:
            raise fabric.FabricError("can't write the output: stdout is closed")
        cli.main(standalone_mode=False, prog_name="fabric")
        sys.stdout.flush()
    except fabric.FabricError as error:
        click.echo(wrap_lines(f"fabric: {error}"), err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("fabric: interrupted", err=True)
        sys.exit(130)
    except SystemExit as end:
        if sys.stdout is not stdout or isinstance(end.__context__, BrokenPipeError):  # which click and rich leave
            discard_output()
            sys.exit(0)
        raise
    except OSError as error:
        _handle_output_error(error)
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and not UNMAPPED.search(str(error)):
            raise
        why = f" ({error})" if str(error) and isinstance(error, MemoryError) else ""
        click.echo(wrap_lines(f"fabric: not enough memory{why}; take fewer GPUs, or raise the limit"), err=True)
        sys.exit(fabric.TooLarge.exit_code)
    sys.exit(0)
