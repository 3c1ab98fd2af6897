"""`curriculum-rl train`: one agent, one environment, one run directory."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from curriculum_rl.agents.entry import AgentEntry
from curriculum_rl.agents.table import entry, load, make
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema import load as configs

if TYPE_CHECKING:
    from curriculum_rl.envs.stable_baselines import PretrainingVecEnv
    from curriculum_rl.envs.vector import PretrainingVectorEnv
    from curriculum_rl.scripts.running.recording import Recording

PRETRAINED_TIMESTEPS = 16_384
_NO_END = 1 << 60


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        env: name, path or content of an environment.
        agent: a name of the table, or `module:Class`.
        seed: of the agent and of the environment.
        out: the run directory.
        timesteps: segments to learn for, of all replicas together; None: the protocol's default.
        num_envs: replicas; None: the agent's default.
        shards: processes that they are divided among; None: one per core where that divides them, on a CPU.
        overrides: dotted keys of the environment, and options of the agent as `agent.<option>`.
        quiet: no progress bar, no summary.
        summarise: print the table at the end.
        picture: draw `policy.png`.
    """

    env: str | Mapping[str, Any]
    agent: str
    seed: int
    out: Path
    timesteps: int | None = None
    num_envs: int | None = None
    shards: int | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)
    quiet: bool = False
    summarise: bool = True
    picture: bool = True

    @property
    def entry(self) -> AgentEntry:
        """What is known of the agent.

        Raises:
            ConfigError: for an unknown name.
        """
        return entry(self.agent)

    @property
    def options(self) -> dict[str, Any]:
        """The agent's own options."""
        return {key[6:]: value for key, value in self.overrides.items() if key.startswith("agent.")}

    def config(self) -> EnvConfig:
        """The environment with overrides, with the action space that the agent needs and what else suits it.

        Raises:
            ConfigError: where the environment is wrong, or has an action space that the agent cannot play.
        """
        changes = {key: value for key, value in self.overrides.items() if not key.startswith("agent.")}
        config = configs.load(self.env, changes)
        suited = {key: value for key, value in self.entry.env.items() if not configs.is_given(config, key)}
        needed = self.entry.action
        if needed not in ("any", config.action.kind):
            if "action.kind" in changes:
                raise ConfigError(f"action.kind: {self.agent} plays {needed!r} (got {config.action.kind!r})")
            suited["action.kind"] = needed
        return configs.load(config, suited) if suited else config

    @property
    def steps(self) -> int:
        """Segments to learn for."""
        if self.timesteps is not None:
            return self.timesteps
        return PRETRAINED_TIMESTEPS if self.episodes is None else _NO_END

    @property
    def replicas(self) -> int:
        """N, how many learners train side by side."""
        return self.entry.num_envs if self.num_envs is None else self.num_envs

    @property
    def episodes(self) -> int | None:
        """Runs after which learning stops, unless segments were asked for: an online agent's one per replica."""
        if self.timesteps is not None:
            return None
        return self.replicas if self.entry.protocol == "online" else self.entry.runs

    def document(self, config: EnvConfig) -> dict[str, Any]:
        """What `config.yaml` holds: everything needed to repeat the run."""
        return {
            "agent": {"name": self.agent, **self.options},
            "seed": self.seed,
            "timesteps": self.timesteps,
            "num_envs": self.replicas,
            "env": config.model_dump(mode="json"),
        }


def train(request: Request, *, resume: bool = False, overwrite: bool = False) -> bool:
    """Train and write the run directory.

    Args:
        request: what to do.
        resume: continue an interrupted run of the same configuration.
        overwrite: replace an existing run directory.

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
    continued = resume and directory.path.joinpath("config.yaml").exists()
    if continued:
        _same_request(directory, request, config)
        if (directory.path / "result.json").exists():
            console.print(f"{directory.path} is complete already")
            return True
    agent = _make_agent(request, env, directory.path if continued else None)
    if not continued:
        directory = RunDirectory.create(request.out, resume=resume, overwrite=overwrite)
        directory.write_config(request.document(config))
        directory.write_versions()
    from curriculum_rl.scripts.running.finishing import write_outcome

    try:
        callback = _learn(request, env.vector, agent, directory, console, continued=continued)
        write_outcome(request, directory, env.vector, agent, callback, console)
    finally:
        env.close()
    return not callback.interrupted


def _make_env(request: Request, config: EnvConfig) -> "PretrainingVecEnv":
    import torch

    from curriculum_rl.envs.stable_baselines import make_sb3_vec_env

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


def _make_agent(request: Request, env: "PretrainingVecEnv", continued: Path | None) -> Any:
    from stable_baselines3.common.vec_env import VecMonitor

    from curriculum_rl.scripts.running import resuming

    monitored = VecMonitor(env)
    if continued is None:
        return make(request.agent, monitored, seed=request.seed, **request.options)
    resuming.position(continued)
    agent = load(request.agent, resuming.agent_file(continued), env=monitored)
    resuming.restore(continued, agent)
    return agent


def _learn(
    request: Request,
    env: "PretrainingVectorEnv",
    agent: Any,
    directory: RunDirectory,
    console: Console,
    *,
    continued: bool,
) -> "Recording":
    from stable_baselines3.common.logger import configure

    from curriculum_rl.recording.recorder import Recorder
    from curriculum_rl.recording.rows import read_rows
    from curriculum_rl.scripts.running import resuming
    from curriculum_rl.scripts.running.progress import Progress
    from curriculum_rl.scripts.running.recording import Recording

    if request.entry.protocol == "pretrained":
        agent.set_logger(configure(str(directory.path), ["csv", "tensorboard"]))
    else:
        agent.set_logger(configure(None, []))
    position = resuming.position(directory.path) if continued else None
    recorder = Recorder(directory.path, env.tasks, resume_at=position["tokens"] if position else None)
    steps = request.steps - agent.num_timesteps if request.timesteps or continued else request.steps
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
        agent.learn(total_timesteps=steps, callback=callback, reset_num_timesteps=not continued)
        callback.wall = time.perf_counter() - begun
        if not callback.interrupted:
            progress.finish()
        from curriculum_rl.scripts.running.finishing import annotate

        annotate(recorder, request, env, callback)
    return callback


def _same_request(directory: RunDirectory, request: Request, config: EnvConfig) -> None:
    """A run is continued as it was begun, or the curves of one directory would belong to two experiments."""
    before, now = directory.read_config(), request.document(config)
    for key in ("agent", "seed", "num_envs", "env"):
        if before[key] != now[key]:
            raise ConfigError(f"--resume: {key} of {directory.path} differs from what it was begun with")
