"""What a worker does: train one cell, play one frozen policy, or try some static mixtures."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from stable_baselines3.common.vec_env import VecMonitor

from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.agents.table import load
from curriculum_rl.durable import write_atomically
from curriculum_rl.envs.stable_baselines import make_sb3_vec_env
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.mixtures import action_of
from curriculum_rl.recording import contents, identity
from curriculum_rl.recording.locks import DirectoryLock
from curriculum_rl.recording.recorder import Recorder
from curriculum_rl.recording.rows import to_json
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.schema import EnvConfig
from curriculum_rl.scripts.comparing.running import directory
from curriculum_rl.scripts.running.finishing import annotate, write_outcome
from curriculum_rl.scripts.running.progress import Progress
from curriculum_rl.scripts.running.recording import Recording
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.train import go_on

WAIT_SECONDS = 10.0  # for a worker of a comparison that was killed: it ends as soon as it sees that


def train_cell(request: Request, data: Mapping[str, str]) -> bool:
    """One complete run on the comparison's data; a killed one goes on from its checkpoint, or else begins anew."""
    directory.forget_error(request.out)
    return go_on(request, data=data, wait=WAIT_SECONDS)


def frozen_cell(request: Request, trained: Path, data: Mapping[str, str]) -> bool:
    """One complete run of a policy that no longer learns, as an ordinary run directory.

    Args:
        request: of the run; `steps` does not matter.
        trained: the run directory that holds the policy.
        data: what the comparison was begun on.
    """
    torch.set_num_threads(1)
    directory.forget_error(request.out)
    request.out.mkdir(parents=True, exist_ok=True)
    with DirectoryLock(request.out, wait=WAIT_SECONDS):
        return _frozen(request, trained, data)


def _frozen(request: Request, trained: Path, data: Mapping[str, str]) -> bool:
    request = replace(request, num_envs=1)
    config, console = request.config(), Console(stderr=True, quiet=True)
    env = make_sb3_vec_env(config, num_envs=1, charge_proxy=request.entry.needs_reward)
    identity.compare(data, env.vector.experiment.data, "the comparison was begun")
    monitored = VecMonitor(env)
    agent = load(request.agent, trained / "agent.zip", env=monitored)
    agent.set_random_seed(request.seed)
    if isinstance(agent, Shell):
        agent.reset_memory()  # the last run of the training has ended: what it led to is played now
    folder = RunDirectory(request.out)
    contents.delete(folder.path)
    folder.write_config({**request.document(config), "trained": str(trained)})
    identity.write(folder.path, data)
    folder.write_versions()
    try:
        recorder = Recorder(folder.path, env.vector.tasks)
        with Progress(request.agent, console, timesteps=None, quiet=True) as progress, recorder:
            callback = Recording(recorder, progress, None, episodes=1)
            begun = time.perf_counter()
            _loop(agent, monitored, callback)
            callback.wall = time.perf_counter() - begun
            if not callback.interrupted:
                annotate(recorder, request, env.vector, callback)
        write_outcome(request, folder, env.vector, agent, callback, console)
    finally:
        env.close()
    return not callback.interrupted


def _loop(agent: Any, env: Any, callback: Any) -> None:
    """`learn` without learning: what the callback reads is what an agent would show it."""
    callback.init_callback(agent)
    callback.on_training_start({}, {})
    observation = env.reset()
    try:
        while True:
            probabilities = agent.probabilities(observation)
            actions, _ = agent.predict(observation)
            observation, rewards, dones, infos = env.step(actions)
            shown = {"actions": actions, "probabilities": probabilities, "new_obs": observation}
            callback.update_locals({**shown, "rewards": rewards, "dones": dones, "infos": infos})
            if not callback.on_step():
                return
    finally:
        callback.on_training_end()


def try_mixtures(
    config: EnvConfig,
    overrides: Mapping[str, Any],
    mixtures: Sequence[Sequence[float]],
    seed: int,
    out: Path,
    data: Mapping[str, str],
) -> bool:
    """Train one learner on each static mixture, side by side, and write their final proxy scores and their cost.

    Args:
        config: the environment.
        overrides: changes to it.
        mixtures: (C, K) shares.
        seed: of all of them: same weights, data and proxy windows, so that only the mixture differs.
        out: the file to write.
        data: what the comparison was begun on.
    """
    torch.set_num_threads(1)
    static = {"action.kind": "mixture", "action.permute": False, "observation": "flat", "reward.baseline": "none"}
    begun = time.perf_counter()
    env = PretrainingVectorEnv(config, num_envs=len(mixtures), overrides={**overrides, **static}, downstream=False)
    identity.compare(data, env.experiment.data, "the comparison was begun")
    env.begin([seed] * len(mixtures))
    actions = action_of(np.array(mixtures, np.float64))
    while True:
        done, _ = env.advance(actions)
        if done.terminated:
            break
    infos = done.infos
    charged = {name: cost for name, cost in infos[0]["ledger"].items() if name != "report"}
    content = {
        "seed": seed,
        "mixtures": [list(map(float, mixture)) for mixture in mixtures],
        "scores": [info["score"] for info in infos],
        "runs": len(mixtures),
        "tokens": int(len(mixtures) * sum(cost["tokens"] for cost in charged.values())),
        "flops": len(mixtures) * sum(cost["flops"] for cost in charged.values()),
        "seconds": time.perf_counter() - begun,
    }
    env.close()
    write_atomically(out, to_json(content) + "\n")
    return True
