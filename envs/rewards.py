"""What the agent is paid for a segment."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.pretraining.outcomes import Outcome
from curriculum_rl.pretraining.reference import stratified_reference
from curriculum_rl.pretraining.run import Pretraining

Floats = npt.NDArray[np.float64]


class Reward:
    """Scale x (relative gain, minus the stratified reference's where it is the baseline).

    Relative means divided by |initial score|: with the default scale of 100 a reward is the gain in percent. It is the
    same deterministic function for every replica and segment; whoever wants it standardised does so in the agent.

    With `baseline: stratified` the rewards of a run sum up to its relative gain minus the reference's: what the agent
    made of the budget that stratified batches would not have. (Not where the proxy is free: such an agent needs no
    reward, and its segments are not the reference's.) A segment that was undone pays `failure`.

    `cost` takes away, in the reward's own unit, the mean of the declared prices over the segment's rows. FLOPs are no
    part of it: they are the same for every task, and the budget pays them.

    Args:
        run: whose segments are paid.

    Raises:
        ConfigError: where a price is declared for a task that does not exist.
    """

    def __init__(self, run: Pretraining) -> None:
        self._run = run
        self._config = run.config.reward
        self._relative = self._config.baseline == "stratified" and run.charge_proxy
        self._prices = _prices(self._config.cost, [task.name for task in run.problem.tasks])

    def __call__(self, outcome: Outcome) -> Floats:
        """(N,) the pay for the segment that the run has just ended."""
        relative = outcome.gain / np.abs(self._run.progress.initial)
        if self._relative:
            segment = self._run.progress.segments
            relative = relative - np.diff(self._reference[segment - 1 : segment + 1])
        paid = self._config.scale * relative - outcome.mixture @ self._prices
        return np.where(outcome.failed, self._config.failure, paid)

    @cached_property
    def _reference(self) -> Floats:
        """(S + 1,) the reference's score after every segment over |its initial score|."""
        scores = stratified_reference(self._run.experiment).scores
        relative: Floats = scores / abs(scores[0])
        return relative


def _prices(declared: Mapping[str, float], tasks: Sequence[str]) -> Floats:
    """(K,) price of a segment on each task alone."""
    for name in declared:
        if name not in tasks:
            raise ConfigError(f"reward.cost: no task {name!r}; there are {', '.join(tasks)}")
    return np.array([declared.get(task, 0.0) for task in tasks])
