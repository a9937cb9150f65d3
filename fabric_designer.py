"""The entry point of the command `fabric`, kept outside the package so that it runs whatever has happened to that.

The project called `fabric` on PyPI is the SSH tool. It has an import package `fabric` too, which overwrites ours when
both are installed in one environment, but it leaves this module and the command alone.
"""

import os
import sys

PACKAGE, DISTRIBUTION = "fabric", "fabric-designer"

OVERWRITTEN = f"""\
fabric: another package has been installed over {DISTRIBUTION}, most likely the SSH tool, called `fabric` on PyPI.
Found instead: {{found}}
To get {DISTRIBUTION} back: `pip uninstall fabric`, then `pip install --force-reinstall {DISTRIBUTION}`.
To have both, install each in a virtual environment of its own.
"""


def main() -> None:
    """Run the command; end with exit code 2 when `fabric` is another project's package."""
    try:
        end_at_signals()
    except KeyboardInterrupt:
        sys.exit(130)
    if found := foreign_package():
        if sys.stderr:  # it is None when closed from the start
            sys.stderr.write(OVERWRITTEN.format(found=found))
        sys.exit(2)
    from fabric.cli.main import main as run

    run()


def end_at_signals() -> None:
    """Let Ctrl-C end the process at once, as SIGTERM and SIGHUP do: an exception could strike in any library.

    Process 1, the first of a container, is ended only by signals that it handles: there each becomes an exit.
    """
    import signal

    if os.getpid() == 1:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda number, _: sys.exit(128 + number))
    elif signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as under nohup
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def foreign_package() -> str:
    """Return what stands in place of our package, or "" when it is ours; that is read and not imported."""
    from importlib.util import find_spec
    from pathlib import Path

    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return f"no `{PACKAGE}/__init__.py`"
    text = Path(spec.origin).read_text(encoding="utf-8", errors="replace")
    return "" if f'"{DISTRIBUTION}"' in text else spec.origin


if __name__ == "__main__":
    main()
