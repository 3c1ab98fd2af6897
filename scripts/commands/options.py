"""Options that several commands have. Heavy imports wait until a command runs."""

import os
from typing import Annotated, Any

import typer

Env = Annotated[str, typer.Option(help="A built-in environment (`list envs`) or the path of an environment file.")]
AgentName = Annotated[
    str,
    typer.Option(
        help="Who decides (`list agents`), or `module:Class` of your own. `auto` is a static mixture: the weights "
        "under which the tasks' texts explain the target's best; it measures nothing unless asked."
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Everything random derives from it; same seed, same rows.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key of the environment (`--set budget.updates=200`) or an option of the agent "
        "(`--set agent.window=30`). May be repeated.",
    ),
]


def _trust(wanted: bool) -> bool:
    if wanted:  # where processes that are begun look, too
        os.environ["CURRICULUM_RL_TRUST"] = "1"
    return wanted


Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        callback=_trust,
        help="Let files that are read name classes (`module:Class`), whose code then runs. What is typed here needs no "
        "such word.",
    ),
]


def overrides_of(pairs: list[str] | None) -> dict[str, Any]:
    """What `--set` says, by dotted key."""
    from curriculum_rl.schema.load import parse_override

    return dict(parse_override(pair) for pair in pairs or [])
