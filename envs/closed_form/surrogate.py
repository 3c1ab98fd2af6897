"""A pretraining run of which only a table of finished runs is known: milliseconds per episode, to develop agents on."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from curriculum_rl.envs.closed_form.env import ClosedFormEnv
from curriculum_rl.envs.closed_form.mixture_runs import Columns
from curriculum_rl.envs.closed_form.surrogate_run import SurrogateRun, law_of, law_of_target
from curriculum_rl.errors import wrong


class SurrogateEnv(ClosedFormEnv):
    """Choose the mixture of a run whose end is predicted from the ends of published runs.

    ## Description
    A table holds real runs: the mixture of each and the losses that it ended with (RegMix's, for example: 512 mixtures
    of 17 domains). A law fitted to it (`curriculum_rl.mixtures.law`) predicts the end of any mixture: boosted trees as
    RegMix published them, or a ridge regression.
    An episode is one run of `segments` segments; a run ends as the mean of its segments' mixtures says. The problem is
    therefore static: the order of the segments does not matter, as it does not in such a table. What does matter:
    finding the best mixture, from gains, in a few decisions.

    The score after t segments is minus the predicted loss of a run that does the rest stratified. Gains so sum up to
    what the run ends better than stratified batches would, and each is what its segment adds to that.

    The answers are the law's: it is good where there were runs, and a guess elsewhere (docs/laws.md has
    measurements). A warning says where a run ends far from all runs of the table, or begins there, with stratified.
    Develop agents here; do not choose a mixture here.

    ## Action space
    As `PretrainingEnv`: `action="task"`, `Discrete(K)`, or `action="mixture"`, `Box(-1, 1, (K,))`; `emphasis`,
    `permute` as there.

    ## Observation space
    In form and order as `PretrainingEnv`, `observation="flat"` or `"dict"`. Of a task: `loss` is the predicted loss of
    the outcome that is named like the task (the mean of all where there is none) over the greatest of all, `slope`
    its change in nats, `repetitions`, `divergence` and `prior` are 0; of the run: `learning_rate` is 1. The others
    are as there.

    ## Reward
    `scale` x gain / abs(initial score), the gain in percent.

    ## Starting state
    The stratified run. The seed draws the order of the tasks (where `permute`) and the noise.

    ## Episode end
    Terminated after `segments` steps; the last one carries `info["final"]`: `target_loss`, `mean_loss` of all outcomes,
    `mixture`, the whole run's, `far`, whether it is far from all runs of the table, and, where asked for, `interval`,
    the limits of `target_loss` that hold nine of ten runs.

    ## Info
    Every step: `gain`, `score`, `loss` (mean of the outcomes), `task_losses` (K,), `mixture` (K,) executed, `share`
    (K,) so far, `failed` (never), `budget_left`; where `permute`, `order`.

    ## Arguments
    table: a CSV file, or several that are joined by the column `index`.
    shares, losses: their columns, by name, or by what all their names begin with.
    target: the outcome that pays, in nats per token; None: the mean of all.
    law: "trees", which need LightGBM (extra `laws`) and 24 runs, or "ridge".
    interval: whether `info["final"]` has one; of trees and 512 runs it takes some 7 s, once per process.
    segments: decisions of an episode.
    noise: standard deviation of what a score is off by, nats; each is drawn once, as a proxy is read once.
    action, emphasis, permute, observation, scale: see above.

    ## Version history
    v1: trees are the law by default. v0 was a ridge regression with products of roots among its terms.
    """

    def __init__(
        self,
        table: str | Path | Sequence[str | Path],
        *,
        shares: Columns = "train_",
        losses: Columns = "metric/",
        target: str | None = None,
        law: str = "trees",
        interval: bool = False,
        segments: int = 40,
        noise: float = 0.0,
        action: str = "task",
        emphasis: float = 0.5,
        permute: bool = False,
        observation: str = "flat",
        scale: float = 100.0,
        render_mode: None = None,
    ) -> None:
        self.runs, self.law = law_of(table, shares, losses, law)
        if target is not None and target not in self.runs.outcomes:
            raise wrong("target", target, f"one of {', '.join(self.runs.outcomes)}")
        self._target = None if target is None else self.runs.outcomes.index(target)
        super().__init__(
            self.runs.tasks,
            segments=segments,
            noise=noise,
            action=action,
            emphasis=emphasis,
            permute=permute,
            observation=observation,
            scale=scale,
        )
        self.render_mode = render_mode
        self._paying = law_of_target(self.law, self._target) if interval else None
        if self.law.far(np.full(len(self.tasks), 1 / len(self.tasks))):
            warnings.warn("the stratified run is far from all runs of the table: its losses are a guess", stacklevel=2)

    def _make_run(self) -> SurrogateRun:
        return SurrogateRun(self.law, self.runs, target=self._target, segments=self._segments, paying=self._paying)
