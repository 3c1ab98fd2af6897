"""`curriculum-rl demo`: an agent and two baselines on the embedded default, compared in one table."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from curriculum_rl.agents.table import entry
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.train import train

BASELINES = ("stratified", "round-robin")


def demo(out: Path, *, agent: str, env: str, seed: int, overrides: Mapping[str, Any]) -> bool:
    """Train the agent and the baselines under one seed, print the table and the TensorBoard line.

    Args:
        out: the folder of the runs; a number is added so that nothing is overwritten.
        agent: who is compared with the baselines.
        env: the environment.
        seed: of every run: same initial weights, same data, same scored windows.
        overrides: changes to the environment or the agent.

    Returns:
        Whether all runs came to their end.
    """
    folder = next(path for n in itertools.count(1) if not (path := Path(f"{out}-{n}")).exists())
    console = Console(stderr=True)
    names = tuple(dict.fromkeys((agent, *BASELINES)))
    for name in names:
        options = {k: v for k, v in overrides.items() if name == agent or not k.startswith("agent.")}
        request = Request(env=env, agent=name, seed=seed, out=folder / name, overrides=options, summarise=False)
        if not train(request):
            return False
    from curriculum_rl.scripts.running.finishing import tell_tensorboard
    from curriculum_rl.scripts.running.summary import summary

    results = [RunDirectory(folder / name).read_result() for name in names]
    Console().print(summary(results))
    for name in names:
        console.print(f"{name}: {entry(name).summary}")
    console.print("One seed shows how it works, not which agent is better.")
    tell_tensorboard(folder, console, run=agent)
    return True
