"""Pretraining without a language model, whose best mixture is known: milliseconds per episode, to certify agents."""

from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from curriculum_rl.envs import actions, observations
from curriculum_rl.envs.observations import BOUND, RUN_FEATURES, TASK_FEATURES, Observation
from curriculum_rl.envs.planted_known import PROBLEMS, SEGMENTS
from curriculum_rl.envs.planted_problems import Planted
from curriculum_rl.envs.planted_run import MEASURED, PlantedRun
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import ActionConfig

Action = npt.NDArray[Any] | int


class PlantedEnv(gymnasium.Env[Observation, Action]):
    """Choose what a learner whose law is known trains on next.

    ## Description
    K tasks move skills whose losses fall exponentially (`curriculum_rl.envs.planted_problems.Planted`); the score is
    minus a weighted mean of these losses. `problem` names what is planted, and the seed of every run draws it anew:

    | problem | is |
    | --- | --- |
    | transfer | uneven tasks, uneven transfer, an uneven target |
    | identical | all tasks teach the same |
    | noise | one task teaches nothing that is wanted |
    | harmful | one task raises the target's loss |
    | duplicate | two tasks are the same (`single`: without the copy) |
    | chain | a task teaches as far as the one before is learned |
    | delayed | one task teaches every skill, a quarter of the run later |
    | added | one task teaches nothing until the middle of the run, then every skill |

    `env.unwrapped.problem` is the run's: its `best_mixture`, `best_schedule` and their losses are the answers.
    None of this is a language model: what an agent does here it need not do there.

    ## Action space
    As `PretrainingEnv`: `action="task"`, `Discrete(K)`, or `action="mixture"`, `Box(-1, 1, (K,))`; `emphasis`,
    `permute` as there.

    ## Observation space
    In form and order as `PretrainingEnv`, `observation="flat"` or `"dict"`. `loss` is over the greatest loss that a
    skill can have; `repetitions` and `divergence` are 0, `learning_rate` is 1.

    ## Reward
    `scale` x gain / abs(initial score), the gain in percent.

    ## Starting state
    An untrained learner. The seed draws the problem, the order of the tasks (where `permute`) and the noise.

    ## Episode end
    Terminated when the budget, `segments`, is spent; the last segment is cut to fit. The last step carries
    `info["final"]`: `target_loss` (without noise), `mean_loss` of the tasks, and `mixture`, the whole run's.

    ## Info
    Every step: `gain`, `score`, `loss` (mean of the tasks), `task_losses` (K,), `mixture` (K,) executed, `share` (K,)
    so far, `epochs` (0: a corpus has no end), `failed` (never), `budget_left`; where `permute`, `order`; `signals`
    where they were asked for and the budget paid for them.

    ## Arguments
    problem: a name of the table above.
    segments: the budget; the law scales with it, so that stratified runs of any length end about alike.
    price: segments that one measurement of all requested signals costs; 0: they are free.
    noise: standard deviation of what a score is off by, nats; each is drawn once, as a proxy is read once.
    action, emphasis, permute, observation, scale: see above.

    ## Version history
    v0: first version.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own attribute)

    def __init__(
        self,
        problem: str = "transfer",
        *,
        segments: int = SEGMENTS,
        price: float = 0.0,
        noise: float = 0.0,
        action: str = "task",
        emphasis: float = 0.5,
        permute: bool = False,
        observation: str = "flat",
        scale: float = 100.0,
        render_mode: None = None,
    ) -> None:
        _check(problem, segments, price, noise, observation, action)
        self.config = ActionConfig.model_validate({"kind": action, "emphasis": emphasis, "permute": permute})
        self._name, self._segments, self._price, self._noise = problem, segments, price, noise
        self._scale, self._kind = scale, observation
        self._signals: tuple[str, ...] = ()
        # Replaced by the first reset; its size does not depend on the seed.
        self.problem: Planted = PROBLEMS[problem](segments, np.random.default_rng(0))
        self.tasks = tuple(f"task-{number}" for number in range(self.problem.tasks))
        self.action_space = actions.space(self.config, len(self.tasks))
        self.observation_space = observations.space(observation, len(self.tasks))
        self.render_mode = render_mode
        self._run: PlantedRun

    def request_signals(self, names: Sequence[str]) -> None:
        """Measure these signals after every segment, from the next one on, at `price`.

        They are those of `curriculum_rl.signals`, exactly: losses and branches of one segment are the law's own, and a
        gradient is the derivative in the skills: of the target's loss for the target, and for a task minus the step
        that a segment of it makes now. The learner has no Adam, so `adam_products` are the `products`. What a delayed
        task teaches shows in neither. There are no rows, so there is no `variance`.

        Raises:
            ConfigError: for an unknown name, or where the budget does not pay for a single measurement.
        """
        for name in names:
            if name not in MEASURED:
                raise ConfigError(f"signals: {name!r} is not one of {', '.join(MEASURED)}")
        if names and self._segments < 1 + self._price:
            raise ConfigError(f"price: {self._price} leaves no segment before a measurement, of {self._segments}")
        self._signals = tuple(names)
        if hasattr(self, "_run"):
            self._run.signals = self._signals

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Draw a problem and begin a run.

        Args:
            seed: of the env's generator.
            options: none are known.
        """
        super().reset(seed=seed, options=options)
        if options:
            raise ValueError(f"options: none are known (got {sorted(options)})")
        # Of a generator of its own, so that a problem does not depend on how many numbers another one draws.
        self.problem = PROBLEMS[self._name](self._segments, np.random.default_rng(self.np_random.integers(2**31)))
        tasks = len(self.tasks)
        self._order = self.np_random.permutation(tasks) if self.config.permute else np.arange(tasks)
        self._run = PlantedRun(self.problem, price=self._price)
        self._run.signals = self._signals
        self._score = self._read()
        self._initial, self._slope = self._score, 0.0
        return self._observed(), {"tasks": self.tasks, **self._order_of()}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Train one segment.

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


def _check(problem: str, segments: int, price: float, noise: float, observation: str, action: str) -> None:
    if problem not in PROBLEMS:
        raise ConfigError(f"problem: {problem!r} is not one of {', '.join(PROBLEMS)}")
    if segments < 1:
        raise ConfigError(f"segments: {segments} must be at least 1")
    if not price >= 0:
        raise ConfigError(f"price: {price} must be at least 0 segments")
    if not noise >= 0:
        raise ConfigError(f"noise: {noise} must be at least 0")
    if observation not in {"flat", "dict"}:
        raise ConfigError(f"observation: {observation!r} must be 'flat' or 'dict'")
    if action not in {"task", "mixture"}:
        raise ConfigError(f"action: {action!r} must be 'task' or 'mixture'")
