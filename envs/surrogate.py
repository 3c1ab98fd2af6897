"""A pretraining run of which only a table of finished runs is known: milliseconds per episode, to develop agents on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from curriculum_rl.envs import actions, observations
from curriculum_rl.envs.observations import BOUND, RUN_FEATURES, TASK_FEATURES, Observation
from curriculum_rl.envs.surrogate_run import SurrogateRun, law_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.mixture_runs import Columns
from curriculum_rl.schema import ActionConfig

Action = npt.NDArray[Any] | int


class SurrogateEnv(gymnasium.Env[Observation, Action]):
    """Choose the mixture of a run whose end is predicted from the ends of published runs.

    ## Description
    A table holds real runs: the mixture of each and the losses that it ended with (RegMix's, for example: 512 mixtures
    of 17 domains). A ridge regression fitted to it (`curriculum_rl.mixture_law`) predicts the end of any mixture.
    An episode is one run of `segments` segments; a run ends as the mean of its segments' mixtures says. The problem is
    therefore static: the order of the segments does not matter, as it does not in such a table. What does matter:
    finding the best mixture, from gains, in a few decisions.

    The score after t segments is minus the predicted loss of a run that does the rest stratified. Gains so sum up to
    what the run ends better than stratified batches would, and each is what its segment adds to that.

    The answers are the regression's: it is good where there were runs, and a guess elsewhere (docs/environments.md has
    measurements). Develop agents here; do not choose a mixture here.

    ## Action space
    As `PretrainingEnv`: `action="task"`, `Discrete(K)`, or `action="mixture"`, `Box(-1, 1, (K,))`; `emphasis`,
    `permute` as there.

    ## Observation space
    In form and order as `PretrainingEnv`, `observation="flat"` or `"dict"`. Of a task: `loss` is the predicted loss of
    the outcome that is named like the task (the mean of all where there is none) over the greatest of all, `slope`
    its change in nats, `repetitions` and `divergence` are 0; of the run: `learning_rate` is 1. The others are as there.

    ## Reward
    `scale` x gain / abs(initial score), the gain in percent.

    ## Starting state
    The stratified run. The seed draws the order of the tasks (where `permute`) and the noise.

    ## Episode end
    Terminated after `segments` steps; the last one carries `info["final"]`: `target_loss`, `mean_loss` of all outcomes,
    and `mixture`, the whole run's.

    ## Info
    Every step: `gain`, `score`, `loss` (mean of the outcomes), `task_losses` (K,), `mixture` (K,) executed, `share`
    (K,) so far, `failed` (never), `budget_left`; where `permute`, `order`.

    ## Arguments
    table: a CSV file, or several that are joined by the column `index`.
    shares, losses: their columns, by name, or by what all their names begin with.
    target: the outcome that pays, in nats per token; None: the mean of all.
    segments: decisions of an episode.
    noise: standard deviation of what a score is off by, nats; each is drawn once, as a proxy is read once.
    action, emphasis, permute, observation, scale: see above.

    ## Version history
    v0: first version.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own attribute)

    def __init__(
        self,
        table: str | Path | Sequence[str | Path],
        *,
        shares: Columns = "train_",
        losses: Columns = "metric/",
        target: str | None = None,
        segments: int = 40,
        noise: float = 0.0,
        action: str = "task",
        emphasis: float = 0.5,
        permute: bool = False,
        observation: str = "flat",
        scale: float = 100.0,
        render_mode: None = None,
    ) -> None:
        _check(segments, noise, observation, action)
        self.config = ActionConfig.model_validate({"kind": action, "emphasis": emphasis, "permute": permute})
        self.runs, self.law = law_of(table, shares, losses)
        if target is not None and target not in self.runs.outcomes:
            raise ConfigError(f"target: {target!r} is not one of {', '.join(self.runs.outcomes)}")
        self.tasks = self.runs.tasks
        self._target = None if target is None else self.runs.outcomes.index(target)
        self._segments, self._noise, self._scale, self._kind = segments, noise, scale, observation
        self.action_space = actions.space(self.config, len(self.tasks))
        self.observation_space = observations.space(observation, len(self.tasks))
        self.render_mode = render_mode
        self._run: SurrogateRun

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
        tasks = len(self.tasks)
        self._order = self.np_random.permutation(tasks) if self.config.permute else np.arange(tasks)
        self._run = SurrogateRun(self.law, self.runs, target=self._target, segments=self._segments)
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
        self._run.add(mixture)
        self._score = self._read()
        gain = self._score - before
        self._slope = gain / abs(self._initial)
        self._run.note(picks, self._slope)
        ended = self._run.done == self._segments
        info = {
            "gain": gain,
            "score": self._score,
            "mixture": mixture,
            **self._run.info(),
            "failed": False,
            "budget_left": self._run.left,
            **self._order_of(),
        }
        if ended:
            info["final"] = self._run.final()
        return self._observed(), self._scale * self._slope, ended, False, info

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


def _check(segments: int, noise: float, observation: str, action: str) -> None:
    if segments < 1:
        raise ConfigError(f"segments: {segments} must be at least 1")
    if not noise >= 0:
        raise ConfigError(f"noise: {noise} must be at least 0")
    if observation not in {"flat", "dict"}:
        raise ConfigError(f"observation: {observation!r} must be 'flat' or 'dict'")
    if action not in {"task", "mixture"}:
        raise ConfigError(f"action: {action!r} must be 'task' or 'mixture'")
