"""What environments without a language model share: one run at a time, whose law answers in microseconds."""

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from curriculum_rl.envs import actions, observations
from curriculum_rl.envs.closed_form.run import ClosedFormRun
from curriculum_rl.envs.observations import Observation
from curriculum_rl.errors import wrong
from curriculum_rl.observation import BOUND, RUN_FEATURES, TASK_FEATURES
from curriculum_rl.schema.env import ActionConfig

Action = npt.NDArray[Any] | int
Floats = npt.NDArray[np.float64]


class ClosedFormEnv(gymnasium.Env[Observation, Action]):
    """Actions, observations, rewards and infos of `PretrainingEnv` around a `ClosedFormRun`.

    Args:
        tasks: K names.
        segments: the budget, at least 1.
        noise: standard deviation of what a score is off by, nats.
        action: "task" or "mixture".
        emphasis: share of a picked task.
        permute: number the tasks anew in every episode.
        observation: "flat" or "dict".
        scale: of the rewards.

    Raises:
        ConfigError: for a value out of range.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own attribute)

    def __init__(
        self,
        tasks: tuple[str, ...],
        *,
        segments: int,
        noise: float,
        action: str,
        emphasis: float,
        permute: bool,
        observation: str,
        scale: float,
    ) -> None:
        if segments < 1:
            raise wrong("segments", segments, "at least 1")
        if not noise >= 0:
            raise wrong("noise", noise, "at least 0")
        if observation not in {"flat", "dict"}:
            raise wrong("observation", observation, "flat or dict")
        if action not in {"task", "mixture"}:
            raise wrong("action", action, "task or mixture")
        self.config = ActionConfig.model_validate({"kind": action, "emphasis": emphasis, "permute": permute})
        self.tasks = tasks
        self._segments, self._noise, self._scale, self._kind = segments, noise, scale, observation
        self.action_space = actions.space(self.config, len(tasks))
        self.observation_space = observations.space(observation, len(tasks))
        self.render_mode = None
        self._run: ClosedFormRun

    def _make_run(self) -> ClosedFormRun:
        """The run of a new episode."""
        raise NotImplementedError

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin a new run.

        Args:
            seed: of the env's generator.
            options: none are known.
        """
        super().reset(seed=seed, options=options)
        if options:
            raise ValueError(f"options: none are known (got {sorted(options)})")
        run = self._make_run()
        tasks = len(self.tasks)
        self._order = self.np_random.permutation(tasks) if self.config.permute else np.arange(tasks)
        self._run = run
        self._score = self._read()
        self._initial, self._slope = self._score, 0.0
        return self._observed(), {"tasks": self.tasks, **self._order_of()}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Train one segment, as it were.

        Raises:
            ValueError: for an action outside the action space.
        """
        chosen = actions.picks(np.asarray(action), self.config, len(self.tasks))
        picks = np.empty_like(chosen)
        picks[self._order] = chosen
        mixture = actions.mixture(picks, self.config)
        before = self._score
        signals = self._run.add(mixture)
        self._score = self._read()
        gain = self._score - before
        self._slope = gain / abs(self._initial)
        self._run.note(picks, self._slope)
        info = {
            "gain": gain,
            "score": self._score,
            "mixture": mixture,
            **self._run.info(),
            "failed": False,
            "budget_left": self._run.left,
            **self._order_of(),
            **({"signals": signals} if signals else {}),
        }
        if self._run.ended:
            info["final"] = self._run.final()
        return self._observed(), self._scale * self._slope, self._run.ended, False, info

    def _read(self) -> float:
        """The score as a proxy would say it."""
        return -self._run.target_loss + (self._noise * float(self.np_random.standard_normal()) if self._noise else 0.0)

    def _order_of(self) -> dict[str, Any]:
        return {"order": self._order.copy()} if self.config.permute else {}

    def _observed(self) -> Observation:
        seen = self._run.features()
        tasks = np.stack([seen.get(name, np.zeros(len(self.tasks))) for name in TASK_FEATURES], axis=-1)[self._order]
        of_run = {
            "budget_left": self._run.left,
            "score": (self._score - self._initial) / abs(self._initial),
            "score_slope": self._slope * 100,
            "learning_rate": 1.0,
        }
        run = np.array([of_run[name] for name in RUN_FEATURES])
        parts = (np.clip(part, -BOUND, BOUND).astype(np.float32)[None] for part in (tasks, run))
        return observations.of_replica(observations.observation(self._kind, *parts), 0)
