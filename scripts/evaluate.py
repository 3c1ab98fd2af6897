"""`curriculum-rl evaluate`: a trained agent on fresh seeds."""

from collections.abc import Mapping
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.agents.table import entry, load
from curriculum_rl.durable import damage
from curriculum_rl.envs.stable_baselines import PretrainingVecEnv, make_sb3_vec_env
from curriculum_rl.errors import ConfigError, shown
from curriculum_rl.recording import identity
from curriculum_rl.recording.locks import DirectoryLock
from curriculum_rl.recording.runs import RunDirectory, read_json
from curriculum_rl.schema import load as configs
from curriculum_rl.schema import own

AGENT = "agent.zip"


def evaluate(run: Path, *, episodes: int, seed: int, frozen: bool, deterministic: bool) -> list[dict[str, Any]]:
    """Play the agent of a run directory, one pretraining run per fresh seed, and write `evaluation.json`.

    Args:
        run: the run directory.
        episodes: how many runs.
        seed: of the first; the others follow.
        frozen: whether online agents stop learning and play what they ended with.
        deterministic: whether the most probable action is played.

    Returns:
        The final figures of every run.

    Raises:
        ConfigError: if the directory holds no trained agent, or its data have changed since it was begun.
    """
    directory = RunDirectory(run)
    if not (run / AGENT).is_file():
        raise ConfigError(f"run: {str(run)!r} holds no {AGENT}; is it a run directory?")
    with DirectoryLock(run):
        return _evaluate(directory, episodes, seed, frozen=frozen, deterministic=deterministic)


def _evaluate(
    directory: RunDirectory, episodes: int, seed: int, *, frozen: bool, deterministic: bool
) -> list[dict[str, Any]]:
    run, document = directory.path, directory.read_config()
    _check_agent(run)
    written = run / "config.yaml"
    name = _agent(document, written)
    config = configs.of_run(document.get("env"), written)
    torch.set_num_threads(1)
    known = entry(name)
    online = known.protocol == "online"
    # A frozen bandit looks at no score; a trained policy does, in its observation, and pays for it.
    free = not known.needs_reward or (frozen and online)
    # An agent that goes on learning would pool what it sees in runs that are meant to be separate.
    together = 1 if online and not frozen else episodes
    env = make_sb3_vec_env(config, num_envs=together, charge_proxy=not free)
    agent = load(name, run / AGENT, env=env)
    identity.check(run, env.vector.experiment.data)
    if not online and isinstance(agent, Shell):
        agent.reset_memory()  # the last run of the training has ended: what it led to is played now
    finals = [
        final
        for first in range(seed, seed + episodes, together)
        for final in play(env, agent, first, learn=online and not frozen, deterministic=deterministic)
    ]
    settings = {"frozen": frozen, "deterministic": deterministic}
    directory.write_json("evaluation.json", {"agent": name, **settings, "finals": finals})
    Console().print(_table(name, env.vector.config.name, finals))
    return finals


def _check_agent(run: Path) -> None:
    """See that the agent is what the run wrote.

    Raises:
        ConfigError: where it is not.
    """
    for name in ("result.json", "interrupted.json"):
        if (run / name).is_file():
            result = read_json(run / name)
            known = result.get("files", {})
            reason = damage(run, {AGENT: known[AGENT]} if AGENT in known else {})
            if reason is not None:
                raise ConfigError(f"run: {run}: {reason}; train again with --overwrite, or bring the file back")
            return


def _agent(document: Mapping[str, Any], written: Path) -> str:
    """The agent's name, where it is one of ours or the file is trusted."""
    agent = document.get("agent")
    name = agent.get("name") if isinstance(agent, dict) else None
    if not isinstance(name, str):
        raise ConfigError(f"{written}: agent.name: must be the name of an agent (got {shown(name)})")
    if ":" in name:
        own.check(name, written, "agent.name")
    return name


def play(env: PretrainingVecEnv, agent: Any, seed: int, *, learn: bool, deterministic: bool) -> list[dict[str, Any]]:
    """One pretraining run per replica under the seeds from `seed` on; the final figures of each."""
    env.seed(seed)
    observation = env.reset()
    if learn:
        agent.reset_memory()
    total = np.zeros(env.num_envs)
    done = False
    while not done:
        action, _ = agent.predict(observation, deterministic=deterministic)
        observation, rewards, dones, infos = env.step(action)
        total += rewards
        if learn:
            agent.observe(action, rewards, dones, infos)
        done = bool(dones[0])
    tasks = env.vector.tasks
    return [
        {
            "seed": seed + n,
            "return": float(total[n]),
            "tokens": info["tokens"],
            **info["final"],
            "share": dict(zip(tasks, info["share"].tolist(), strict=True)),
        }
        for n, info in enumerate(infos)
    ]


def _table(agent: str, env: str, finals: list[dict[str, Any]]) -> Table:
    keys = [key for key, value in finals[0].items() if isinstance(value, float)]
    table = Table(title=f"{agent} on {env}, fresh seeds")
    table.add_column("seed", justify="right")
    for key in keys:
        table.add_column(key.replace("_", " "), justify="right")
    for final in finals:
        table.add_row(str(final["seed"]), *(f"{final[key]:.4f}" for key in keys))
    if len(finals) > 1:
        table.add_section()
        spread = (f"{mean(v):.4f} ± {stdev(v):.4f}" for v in ([f[key] for f in finals] for key in keys))
        table.add_row("mean ± sd", *spread)
    return table
