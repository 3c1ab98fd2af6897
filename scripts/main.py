"""The `curriculum-rl` command: its commands. Heavy imports wait until one runs."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from curriculum_rl import __version__
from curriculum_rl.scripts.commands import files, runs, texts
from curriculum_rl.scripts.failing import debuggable

app = typer.Typer(
    help="Train agents that choose what a language model is pretrained on next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"curriculum-rl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself, before any sub-command."""


COMMANDS: dict[str, Callable[..., None]] = {
    "mixture": texts.mixture,
    "audit": texts.audit,
    "train": runs.train,
    "evaluate": runs.evaluate,
    "list": texts.list_,
    "demo": runs.demo,
    "compare": runs.compare,
    "rank": texts.rank,
    "import": files.import_,
    "export": files.export,
}
for _name, _command in COMMANDS.items():
    app.command(_name)(debuggable(_command))


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line: a user's mistake is one line on stderr and exit status 2; SIGTERM is as Ctrl-C."""
    # One intra-op thread that does not spin: two collapse when the other core is busy. Read when torch is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    main()
