"""What a user asks of one run: environment, agent, seed, and how long to learn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curriculum_rl.agents.entry import AgentEntry
from curriculum_rl.agents.table import entry
from curriculum_rl.errors import wrong
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema import load as configs

PRETRAINED_TIMESTEPS = 16_384
_NO_END = 1 << 60


@dataclass(frozen=True)
class Request:
    """What the user asked for.

    Attributes:
        env: name, path or content of an environment, or what they say.
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

    env: str | Mapping[str, Any] | EnvConfig
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
                raise wrong("action.kind", config.action.kind, f"{needed}, which {self.agent} plays")
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
