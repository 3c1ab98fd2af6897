"""`curriculum-rl train`: one agent, one environment, one run directory."""

import os
import time
from collections.abc import Mapping
from typing import Any

import torch
from rich.console import Console
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import VecMonitor

from curriculum_rl.agents.table import load, make
from curriculum_rl.envs.stable_baselines import PretrainingVecEnv, make_sb3_vec_env
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording import identity
from curriculum_rl.recording.recorder import Recorder
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.schema import EnvConfig
from curriculum_rl.scripts.running import resuming
from curriculum_rl.scripts.running.finishing import annotate, write_outcome
from curriculum_rl.scripts.running.progress import Progress
from curriculum_rl.scripts.running.recording import Recording
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.running.resuming import Checkpoint


def train(
    request: Request, *, resume: bool = False, overwrite: bool = False, data: Mapping[str, str] | None = None
) -> bool:
    """Train and write the run directory.

    Args:
        request: what to do.
        resume: continue an interrupted run of the same configuration.
        overwrite: replace an existing run directory.
        data: what the comparison that it belongs to was begun on; None: it belongs to none.

    Returns:
        Whether it came to its end; False after Ctrl-C.

    Raises:
        ConfigError: for what is wrong with the request, before anything is written.
    """
    config = request.config()
    directory = RunDirectory.create(request.out, resume=resume, overwrite=overwrite, check_only=True)
    console = Console(stderr=True, quiet=request.quiet)
    with console.status("reading and tokenising the corpora"):
        env = _make_env(request, config)
    experiment = env.vector.experiment
    if data is not None:
        identity.compare(data, experiment.data, "the comparison was begun")
    if said := str(experiment.overlap):
        console.print(said, soft_wrap=True, highlight=False)
    checkpoint = None
    if resume and directory.path.joinpath("config.yaml").exists():
        _same_request(directory, request, config)
        identity.check(directory.path, experiment.data)
        if (directory.path / "result.json").exists():
            console.print(f"{directory.path} is complete already")
            return True
        checkpoint = resuming.read(directory.path)
    agent = _make_agent(request, env, checkpoint)
    if checkpoint is None:
        directory = RunDirectory.create(request.out, resume=resume, overwrite=overwrite)
        directory.write_config(request.document(config))
        identity.write(directory.path, experiment.data)
        directory.write_versions()
    try:
        callback = _learn(request, env.vector, agent, directory, console, checkpoint)
        write_outcome(request, directory, env.vector, agent, callback, console)
    finally:
        env.close()
    return not callback.interrupted


def _make_env(request: Request, config: EnvConfig) -> PretrainingVecEnv:
    torch.set_num_threads(1)
    entry = request.entry
    return make_sb3_vec_env(
        config,
        num_envs=request.replicas,
        shards=_shards(request, config),
        charge_proxy=entry.needs_reward,
        # Over hundreds of runs the few-shot fine-tune would cost about as much as the runs; `evaluate` makes it.
        downstream=entry.protocol == "online",
    )


def _shards(request: Request, config: EnvConfig) -> int:
    if request.shards is not None:
        return request.shards
    cores = os.cpu_count() or 1
    return cores if config.device == "cpu" and request.replicas % cores == 0 else 1


def _make_agent(request: Request, env: PretrainingVecEnv, checkpoint: Checkpoint | None) -> Any:
    monitored = VecMonitor(env)
    if checkpoint is None:
        return make(request.agent, monitored, seed=request.seed, **request.options)
    agent = load(request.agent, checkpoint.agent, env=monitored)
    resuming.restore(checkpoint, agent)
    return agent


def _learn(
    request: Request,
    env: PretrainingVectorEnv,
    agent: Any,
    directory: RunDirectory,
    console: Console,
    checkpoint: Checkpoint | None,
) -> Recording:
    pretrained = request.entry.protocol == "pretrained"
    agent.set_logger(configure(str(directory.path), ["csv", "tensorboard"]) if pretrained else configure(None, []))
    position = None if checkpoint is None else checkpoint.caller
    recorder = Recorder(directory.path, env.tasks, resume_at=position["tokens"] if position else None)
    steps = request.steps - agent.num_timesteps if request.timesteps or position else request.steps
    title = f"{request.agent} on {env.config.name}"
    shown = None if request.episodes else request.steps
    with (
        Progress(title, console, timesteps=shown, replicas=request.replicas, quiet=request.quiet) as progress,
        recorder,
    ):
        callback = Recording(
            recorder,
            progress,
            directory.path,
            episodes=request.episodes,
            position=position["position"] if position else None,
        )
        if position:
            callback.finals = list(position["finals"])
            callback.last = read_rows(directory.path / "segments.jsonl")[-request.replicas]
        begun = time.perf_counter()
        agent.learn(total_timesteps=steps, callback=callback, reset_num_timesteps=position is None)
        callback.wall = time.perf_counter() - begun
        if not callback.interrupted:
            progress.finish()
        annotate(recorder, request, env, callback)
    return callback


def _same_request(directory: RunDirectory, request: Request, config: EnvConfig) -> None:
    """A run is continued as it was begun, or the curves of one directory would belong to two experiments."""
    before, now = directory.read_config(), request.document(config)
    for key in ("agent", "seed", "num_envs", "env"):
        if before[key] != now[key]:
            raise ConfigError(f"--resume: {key} of {directory.path} differs from what it was begun with")
