"""A rule with a memory that plays: everything of the shell but the loop that learns."""

import dataclasses
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.policies import BasePolicy

from curriculum_rl.agents.bandits.scaling import GainScaling
from curriculum_rl.agents.protocol import Observation
from curriculum_rl.agents.rule import Floats, Ints, Rule, draw, one_hot
from curriculum_rl.agents.shell import spaces
from curriculum_rl.agents.shell.memory import Memory
from curriculum_rl.agents.shell.wrapping import NOTHING, WRAPPERS, Wrapping
from curriculum_rl.errors import ConfigError


class ShellPolicy(BasePolicy):
    """What stable-baselines3 expects under `agent.policy`: no parameters; the shell decides without looking."""

    def _predict(self, observation: Any, deterministic: bool = False) -> torch.Tensor:
        raise NotImplementedError("call predict() on the agent: its policy has no parameters and no memory")


class Player(BaseAlgorithm):
    """A rule (`curriculum_rl.agents.rule.Rule`) that draws a task for each replica of an env.

    In a mixture space, Box(-1, 1, (K,)), a pick is played one-hot: 1 at the task, -1 elsewhere, so that all of the
    gain belongs to the task.

    Attributes:
        rule: the settings and the arithmetic.
        memory: "episode" or "keep".
        pool: whether one memory serves all replicas.
        scaling: how gains become rewards.
        wrapping: the wrappers that the rule wears; all agents that learn, and those that are `wearable`, take them as
            options.
        seconds: wall time spent deciding and learning in `learn` so far, without the env and the callbacks.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"ShellPolicy": ShellPolicy}
    rule_class: ClassVar[type[Any]]  # a dataclass that is a Rule
    learns: ClassVar[bool] = True
    wearable: ClassVar[bool] = False  # though it does not learn
    worn: ClassVar[Wrapping] = NOTHING  # by default

    def __init__(
        self,
        policy: str | type[BasePolicy] = "ShellPolicy",
        env: Any = None,
        *,
        memory: str = "episode",
        pool: bool = True,
        reward_window: float = GainScaling.window,
        reward_clip: float = GainScaling.clip,
        seed: int | None = None,
        verbose: int = 0,
        tensorboard_log: str | None = None,
        device: str = "cpu",
        _init_setup_model: bool = True,
        **options: Any,
    ) -> None:
        """Store the settings; with an env, start the memory.

        Args:
            policy: the name of the policy class; there is one.
            env: a Gymnasium env, a VecEnv, an id, or None for an agent that is about to be loaded.
            memory: "episode" (the default) or "keep".
            pool: one memory for the N replicas of a VecEnv (the default), or False: each has its own. An agent that
                does not learn has nothing to pool.
            reward_window: decisions that the moving average and the running scale of gains look back over, >= 1.
            reward_clip: scaled rewards lie in [-reward_clip, reward_clip], > 0.
            seed: of the draws and of the env's resets.
            verbose: 1 logs episodes to stdout.
            tensorboard_log: a folder for stable-baselines3's own scalars, or None.
            device: always the CPU; taken because stable-baselines3's tools pass it.
            _init_setup_model: False leaves the memory unbuilt.
            **options: the rule's settings and the wrappers' (`Wrapping`).

        Raises:
            ConfigError: for an unknown option, a value out of range, or an action space it cannot play.
        """
        if memory not in {"episode", "keep"}:
            raise ConfigError(f"memory: {memory!r} must be 'episode' or 'keep'")
        if not isinstance(pool, bool):
            raise ConfigError(f"pool: {pool!r} must be true or false")
        worn = {name: options.pop(name, getattr(self.worn, name)) for name in self._wrappers()}
        names = [field.name for field in dataclasses.fields(self.rule_class)]
        for name in options:
            if name not in names:
                raise ConfigError(f"{name}: {type(self).__name__} has no such option, but: {', '.join(self.options())}")
        self.rule: Rule = self.rule_class(**options)
        self.wrapping = Wrapping(**worn)
        self.memory = memory
        self.pool = pool and self.learns
        self.scaling = GainScaling(reward_window, reward_clip)
        self.seconds = 0.0
        super().__init__(
            policy,
            env,
            learning_rate=0.0,
            verbose=verbose,
            tensorboard_log=tensorboard_log,
            device=device,
            support_multi_env=True,
            seed=seed,
        )
        if env is not None:
            self._check_space()
            if _init_setup_model:
                self._setup_model()

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        own = tuple(field.name for field in dataclasses.fields(cls.rule_class))
        shared = ("memory", "pool", "reward_window", "reward_clip") if cls.learns else ()
        return (*own, *shared, *cls._wrappers(), "verbose", "tensorboard_log")

    @classmethod
    def _wrappers(cls) -> tuple[str, ...]:
        """The names of the wrappers that it can wear."""
        return WRAPPERS if cls.learns or cls.wearable else ()

    def _check_space(self) -> None:
        self.arms = spaces.arms(self.action_space)
        self._mixture = spaces.is_mixture(self.action_space)

    def _setup_model(self) -> None:
        self.set_random_seed(self.seed)
        self.policy = self.policy_class(self.observation_space, self.action_space)
        self._remember(self.n_envs)

    def _remember(self, replicas: int) -> None:
        self._memory = Memory(
            self.rule,
            self.scaling,
            replicas=replicas,
            arms=self.arms,
            entropy=self._entropy(),
            pooled=self.pool,
            wrapping=self.wrapping,
        )

    def _entropy(self) -> int:
        return self.seed if self.seed is not None else int(np.random.SeedSequence().generate_state(1)[0])

    def _look(self, observation: Observation) -> None:
        """Take in what the next decision may depend on: nothing, but for contextual rules."""

    def _prepare(self) -> None:
        """Make sure that the wrappers know what they need; a player alone has nobody to ask."""

    def set_random_seed(self, seed: int | None = None) -> None:
        """Seed the draws, the env's next reset, and (as stable-baselines3 does) the global generators."""
        super().set_random_seed(seed)
        if seed is not None:
            self.seed = seed
            if hasattr(self, "_memory"):
                self._memory.reseed(seed)

    def reset_memory(self, replicas: npt.NDArray[np.bool_] | None = None) -> None:
        """Forget what was learned and how gains are scaled.

        Args:
            replicas: (N,) which have begun anew; a pooled memory waits for the last of them. None: all.
        """
        self._memory.restart(replicas)

    def probabilities(self, observation: Observation) -> Floats:
        """(N, K) probability of each task at the next decision; K shares where the agent plays a mixture."""
        self._look(observation)
        return self._memory.probabilities(spaces.rows(self.observation_space, observation) or 1)

    def predict(
        self,
        observation: Observation,
        state: tuple[npt.NDArray[Any], ...] | None = None,
        episode_start: npt.NDArray[np.bool_] | None = None,
        deterministic: bool = False,
    ) -> tuple[npt.NDArray[Any], tuple[npt.NDArray[Any], ...] | None]:
        """Draw a task for each replica; nothing is learned.

        Args:
            observation: a batch of N observations, or one; only its number is looked at.
            state: passed through.
            episode_start: ignored: `learn`, `observe` and `reset_memory` start memories, not `predict`.
            deterministic: play the most probable task; an argmax scheduler plays one task for ever, so not by default.

        Returns:
            (N,) int64 tasks or (N, K) float32 mixtures (one of them for a single observation), and `state`.
        """
        self._look(observation)
        count = spaces.rows(self.observation_space, observation)
        _, actions = self._decide(count or 1, deterministic=deterministic)
        return (actions[0] if count is None else actions), state

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        """The executed propensities (N, K) and the actions."""
        if self._memory.wears:
            self._prepare()
        probabilities = self._memory.probabilities(count)
        if deterministic:
            arms = probabilities.argmax(axis=1)
            probabilities = one_hot(arms, self.arms)
        else:
            arms = draw(probabilities, self._memory.uniforms(count))
        self._memory.executed = probabilities
        return probabilities, self._actions(arms)

    def _actions(self, arms: Ints) -> npt.NDArray[Any]:
        if not self._mixture:
            return arms
        return (2 * one_hot(arms, self.arms) - 1).astype(np.float32)
