"""Commands that turn one file into another: import, export. Heavy imports wait until one runs."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def import_(
    file: Annotated[Path, typer.Argument(help="A file of stable-baselines3 or of version 0.1, or a run directory.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist yet.")],
    trust: Annotated[
        bool, typer.Option("--trust", help="Read it, and run whatever code is in it: you trust whoever made it.")
    ] = False,
    agent: Annotated[str | None, typer.Option(help="Which agent it is. Default: as the file says.")] = None,
) -> None:
    """Make an agent of this version of a file that stable-baselines3 saved, or version 0.1 of this package.

    Such a file holds pickles: **reading it runs any code that is in it**, so it needs --trust, and no other command
    reads one. What is written holds values and arrays only.
    """
    from curriculum_rl.scripts.converting import import_agent

    import_agent(file, out, agent=agent, trust=trust)


def export(
    source: Annotated[Path, typer.Argument(help="A run directory of an agent with a network, or its agent.zip.")],
    out: Annotated[Path, typer.Option(help="The file to write; it must not exist yet.")],
    to: Annotated[Literal["sb3"], typer.Option(help="The format: that of stable-baselines3's `save`.")] = "sb3",
    agent: Annotated[str | None, typer.Option(help="Which agent it is. Default: as the file says.")] = None,
) -> None:
    """Write a trained policy (ppo and its like) as a file that stable-baselines3's own `load` reads.

    The file holds pickles, as all of stable-baselines3's do: whoever reads it must trust you.
    """
    from curriculum_rl.scripts.converting import export_agent

    export_agent(source, out, agent=agent)
