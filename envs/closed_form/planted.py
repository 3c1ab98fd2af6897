"""Pretraining without a language model, whose best mixture is known: milliseconds per episode, to certify agents."""

from collections.abc import Sequence

import numpy as np

from curriculum_rl.envs.closed_form.env import ClosedFormEnv
from curriculum_rl.envs.closed_form.planted_known import PROBLEMS, SEGMENTS
from curriculum_rl.envs.closed_form.planted_problems import Planted
from curriculum_rl.envs.closed_form.planted_run import MEASURED, PlantedRun
from curriculum_rl.errors import ConfigError, wrong


class PlantedEnv(ClosedFormEnv):
    """Choose what a learner whose law is known trains on next.

    ## Description
    K tasks move skills whose losses fall exponentially (`curriculum_rl.envs.closed_form.planted_problems.Planted`); the
    score is minus a weighted mean of these losses. `problem` names what is planted; a run's seed draws it anew:

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
    skill can have; `repetitions`, `divergence` and `prior` are 0, `learning_rate` is 1.

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
        if problem not in PROBLEMS:
            raise wrong("problem", problem, f"one of {', '.join(PROBLEMS)}")
        if not price >= 0:
            raise wrong("price", price, "at least 0 segments")
        self._name, self._price = problem, price
        self._signals: tuple[str, ...] = ()
        # Replaced by the first reset; its size does not depend on the seed.
        self.problem: Planted = PROBLEMS[problem](max(segments, 1), np.random.default_rng(0))
        super().__init__(
            tuple(f"task-{number}" for number in range(self.problem.tasks)),
            segments=segments,
            noise=noise,
            action=action,
            emphasis=emphasis,
            permute=permute,
            observation=observation,
            scale=scale,
        )
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
                raise wrong("signals", name, f"one of {', '.join(MEASURED)}")
        if names and self._segments < 1 + self._price:
            raise ConfigError(f"price: {self._price} leaves no segment before a measurement, of {self._segments}")
        self._signals = tuple(names)
        if hasattr(self, "_run"):
            self._run.signals = self._signals

    def signal_price(self, names: Sequence[str]) -> float:
        """The share of the budget that one measurement costs, of any signals."""
        return self._price / self._segments

    def _make_run(self) -> PlantedRun:
        # Of a generator of its own, so that a problem does not depend on how many numbers another one draws.
        self.problem = PROBLEMS[self._name](self._segments, np.random.default_rng(self.np_random.integers(2**31)))
        run = PlantedRun(self.problem, price=self._price)
        run.signals = self._signals
        return run
