"""`curriculum-rl train`: one agent, one environment, one run directory."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import torch
from rich.console import Console
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecMonitor

from curriculum_rl.agents.table import load, make
from curriculum_rl.durable import naming
from curriculum_rl.envs.stable_baselines import PretrainingVecEnv, make_sb3_vec_env
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.errors import ConfigError, wrong
from curriculum_rl.experiment import build
from curriculum_rl.recording import contents, identity
from curriculum_rl.recording.checkpoints import Checkpoints, Found
from curriculum_rl.recording.locks import DirectoryLock
from curriculum_rl.recording.recorder import Recorder
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.schema import EnvConfig
from curriculum_rl.scripts.running import resuming
from curriculum_rl.scripts.running.finishing import annotate, write_outcome
from curriculum_rl.scripts.running.log import make_logger
from curriculum_rl.scripts.running.progress import Progress
from curriculum_rl.scripts.running.recording import Recording, Stopped
from curriculum_rl.scripts.running.request import Request
from curriculum_rl.scripts.running.resuming import Checkpoint


def train(request: Request, *, resume: bool = False, overwrite: bool = False) -> bool:
    """Train and write the run directory, which nobody else may be writing.

    Args:
        request: what to do.
        resume: continue an interrupted run of the same configuration; without `timesteps`, for as long as it was to be.
        overwrite: replace an existing run: what it has written is deleted.

    Returns:
        Whether it came to its end; False after Ctrl-C or SIGTERM.

    Raises:
        ConfigError: for what is wrong with the request, before anything is written, or where the directory is in use.
        OSError: where something cannot be written; the last checkpoint stays.
    """
    config = request.config()
    directory = RunDirectory.create(request.out, resume=resume, overwrite=overwrite, check_only=True)
    console = Console(stderr=True, quiet=request.quiet)
    with ExitStack() as stack:
        locked = directory.path.is_dir()
        if locked:  # else it is made, and locked, when all that may be wrong has been seen
            stack.enter_context(DirectoryLock(directory.path))
            RunDirectory.create(request.out, resume=resume, overwrite=overwrite, check_only=True)
        found, begun = None, resume and not directory.is_new
        kept = Checkpoints(directory.path)
        if begun:
            request = _as_begun(directory, request, config)
            if _is_complete(directory, request):
                identity.check_run(directory.path, build(config).data)
                kept.clear()
                console.print(f"{directory.path} is complete already", soft_wrap=True)
                return True
            found = _to_go_on_from(directory, kept, request, console)
        with _environment(request, config, found, console) as env:
            if begun:
                identity.check_run(directory.path, env.vector.experiment.data)
            checkpoint = None if found is None else resuming.read(found)
            agent = _make_agent(request, env, checkpoint)
            if not locked:
                directory.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(DirectoryLock(directory.path))
                RunDirectory.create(request.out, resume=resume, overwrite=overwrite, check_only=True)
            return _play(request, config, env.vector, agent, directory, kept, checkpoint, console)


def go_on(request: Request, *, data: Mapping[str, str], wait: float) -> bool:
    """Do what is missing of a run, whatever is there: from its last sound checkpoint, or else anew.

    Args:
        request: what to do.
        data: what the comparison that it belongs to was begun on.
        wait: seconds to wait for another process that is about to end.

    Returns:
        As `train`.

    Raises:
        ConfigError: as `train`.
    """
    config, directory = request.config(), RunDirectory(request.out)
    console = Console(stderr=True, quiet=request.quiet)
    directory.path.mkdir(parents=True, exist_ok=True)
    with DirectoryLock(directory.path, wait=wait):
        kept = Checkpoints(directory.path)
        try:
            _as_begun(directory, request, config)
            found = _to_go_on_from(directory, kept, request, console)
            identity.compare(data, identity.read(directory.path), "the comparison was begun")
        except ConfigError:
            found = None
        with _environment(request, config, found, console) as env:
            identity.compare(data, env.vector.experiment.data, "the comparison was begun")
            checkpoint = None if found is None else resuming.read(found)
            agent = _make_agent(request, env, checkpoint)
            return _play(request, config, env.vector, agent, directory, kept, checkpoint, console)


def _as_begun(directory: RunDirectory, request: Request, config: EnvConfig) -> Request:
    """The request, as long as the run was to be unless it says how long.

    Raises:
        ConfigError: where the run was begun with something else, or the curves of one directory would belong to two.
    """
    before, now = directory.read_config(), request.document(config)
    for key in ("agent", "seed", "num_envs", "env"):
        if before.get(key) != now[key]:
            raise ConfigError(f"--resume: {key} of {directory.path} differs from what it was begun with")
    steps = before.get("timesteps")
    if steps is not None and (type(steps) is not int or steps < 1):
        raise wrong(f"--resume: {directory.path / 'config.yaml'}: timesteps", steps, "a whole number of segments")
    return replace(request, timesteps=steps) if request.timesteps is None else request


def _is_complete(directory: RunDirectory, request: Request) -> bool:
    """Whether the run came to its end.

    Raises:
        ConfigError: where it did, and is asked to be longer or shorter.
    """
    if not (directory.path / "result.json").exists():
        return False
    before = directory.read_config().get("timesteps")
    if request.timesteps != before:
        raise ConfigError(
            f"--timesteps: {request.timesteps}, but {directory.path} is complete with {before or 'the default'}; "
            "a finished run cannot be gone on with"
        )
    return True


def _to_go_on_from(directory: RunDirectory, kept: Checkpoints, request: Request, console: Console) -> Found | None:
    """The checkpoint of an interrupted run; None where it had none yet. What is not usual about it is said.

    Raises:
        ConfigError: where none is sound, rows are missing, or the request is for other shards or fewer segments.
    """
    found = resuming.find(kept, directory.path / "segments.jsonl")
    if found is None:
        console.print(f"{directory.path} has no sound checkpoint yet: the run begins anew", soft_wrap=True)
        return None
    if found.damaged is not None:
        console.print(f"damaged: {found.damaged}; the checkpoint before it is used", soft_wrap=True)
    shards, done = found.about["shards"], found.about["timesteps"]
    if request.shards not in (None, shards):
        raise ConfigError(f"--shards: {request.shards}, but {directory.path} was begun with {shards}; leave it out")
    if request.timesteps is not None and request.timesteps < done:
        raise ConfigError(f"--timesteps: {request.timesteps}, but {directory.path} has {done} segments already")
    return found


@contextmanager
def _environment(
    request: Request, config: EnvConfig, found: Found | None, console: Console
) -> Iterator[PretrainingVecEnv]:
    with console.status("reading and tokenising the corpora"):
        env = _make_env(request, config, _shards(request, config) if found is None else found.about["shards"])
    try:
        if said := str(env.vector.experiment.overlap):
            console.print(said, soft_wrap=True, highlight=False)
        yield env
    finally:
        env.close()


def _play(
    request: Request,
    config: EnvConfig,
    env: PretrainingVectorEnv,
    agent: Any,
    directory: RunDirectory,
    kept: Checkpoints,
    checkpoint: Checkpoint | None,
    console: Console,
) -> bool:
    """Play in a directory that is locked, from a checkpoint, or from the beginning whatever is there."""
    with naming(directory.path):  # pictures and the like do not say where there was no room
        contents.remove_leftovers(directory.path)
        if checkpoint is None:
            contents.delete(directory.path)
        directory.write_config(request.document(config))
        if checkpoint is None:
            identity.write(directory.path, env.experiment.data)
            directory.write_versions()
        callback = _learn(request, env, agent, directory, kept, checkpoint, console)
        write_outcome(request, directory, env, agent, callback, console)
        return not callback.interrupted


def _make_env(request: Request, config: EnvConfig, shards: int) -> PretrainingVecEnv:
    torch.set_num_threads(1)
    entry = request.entry
    return make_sb3_vec_env(
        config,
        num_envs=request.replicas,
        shards=shards,
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
    kept: Checkpoints,
    checkpoint: Checkpoint | None,
    console: Console,
) -> Recording:
    resumed = None if checkpoint is None else checkpoint.caller
    pretrained = request.entry.protocol == "pretrained"
    agent.set_logger(make_logger(directory.path, resumed and resumed["log"]) if pretrained else Logger(None, []))
    recorder = Recorder(directory.path, env.tasks, resume_at=None if checkpoint is None else checkpoint.place)
    steps = request.steps - agent.num_timesteps if request.timesteps or resumed else request.steps
    title = f"{request.agent} on {env.config.name}"
    shown = None if request.episodes else request.steps
    with (
        Progress(title, console, timesteps=shown, replicas=request.replicas, quiet=request.quiet) as progress,
        recorder,
    ):
        callback = Recording(recorder, progress, kept, episodes=request.episodes, resumed=resumed)
        if checkpoint is not None and checkpoint.place.rows:
            callback.last = read_rows(directory.path / "segments.jsonl")[-request.replicas]
        begun = time.perf_counter()
        try:
            agent.learn(total_timesteps=steps, callback=callback, reset_num_timesteps=resumed is None)
        except Stopped:
            pass
        finally:
            callback.on_training_end()
        callback.wall = time.perf_counter() - begun
        if not callback.interrupted:
            progress.finish()
            annotate(recorder, request, env, callback)
    return callback
