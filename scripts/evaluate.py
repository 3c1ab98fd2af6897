"""`curriculum-rl evaluate`: a trained agent on fresh seeds."""

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from rich.console import Console
from rich.table import Table

from curriculum_rl.agents.table import AGENTS, load
from curriculum_rl.errors import ConfigError
from curriculum_rl.runs import RunDirectory


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
        ConfigError: if the directory holds no trained agent.
    """
    import torch

    from curriculum_rl.envs.pretraining import PretrainingEnv

    directory = RunDirectory(run)
    if not (run / "agent.zip").is_file():
        raise ConfigError(f"run: {str(run)!r} holds no agent.zip; is it a run directory?")
    document = directory.read_config()
    name = document["agent"]["name"]
    torch.set_num_threads(1)
    # A frozen bandit looks at no score; a trained policy does, in its observation, and pays for it.
    free = not AGENTS[name].needs_reward or (frozen and AGENTS[name].protocol == "online")
    env = PretrainingEnv(document["env"], charge_proxy=not free)
    agent = load(name, run / "agent.zip", env=env)
    finals = [
        {"seed": s, **play(env, agent, s, frozen=frozen, deterministic=deterministic)}
        for s in range(seed, seed + episodes)
    ]
    settings = {"frozen": frozen, "deterministic": deterministic}
    directory.write_json("evaluation.json", {"agent": name, **settings, "finals": finals})
    Console().print(_table(name, env.config.name, finals))
    return finals


def play(env: Any, agent: Any, seed: int, *, frozen: bool, deterministic: bool) -> dict[str, Any]:
    """One pretraining run under a seed; the final figures."""
    vector = agent.get_env()
    vector.seed(seed)
    observation = vector.reset()
    if not frozen:
        agent.reset_memory()
    total = 0.0
    while True:
        action, _ = agent.predict(observation, deterministic=deterministic)
        observation, rewards, dones, infos = vector.step(action)
        total += float(rewards[0])
        if not frozen:
            agent.observe(action, rewards, dones, infos)
        if dones[0]:
            share = dict(zip(env.tasks, infos[0]["share"].tolist(), strict=True))
            return {"return": total, "tokens": infos[0]["tokens"], **infos[0]["final"], "share": share}


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
