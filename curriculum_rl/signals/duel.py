"""A mixture against stratified, or against the prior, from one snapshot. Shapes: N replicas, K tasks, U updates."""

from collections.abc import Collection, Mapping
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.signals.base import Cost, Floats, Moment, plus
from curriculum_rl.signals.rollout import cooled, finish
from curriculum_rl.signals.windows import Windows
from curriculum_rl.tasks import apportion, segment_batches


class Duel:
    """Measures `duel`.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.
    """

    measures: ClassVar[Mapping[str, str]] = {
        "duel": "() what a few updates on the last mixture take off the target's loss (selection split) beyond what "
        "stratified ones do, from one snapshot"
    }

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        self._windows = windows

    def cost(self) -> Cost:
        """Of two branches and two readings."""
        return price(self._windows, self._windows.config.signals.look_ahead)

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """(N,) loss on the selection split after stratified updates less that after the mixture's."""
        even = np.full_like(moment.mixture, 1 / moment.mixture.shape[1])
        return {
            "duel": gain(self._windows, moment, even, np.full(self._windows.config.signals.look_ahead, moment.rate))
        }


class PriorDuel:
    """Measures `prior_duel`, whose branches are of `signals.look_ahead` updates, and of `signals.finish` that cool.

    A branch whose rate stays high says how fast a mixture takes the loss off, and little of what is left of that once
    the rate has fallen.

    Args:
        windows: where the rows come from.
        asked: the signals asked for.

    Raises:
        ConfigError: where the target has no prior.
    """

    measures: ClassVar[Mapping[str, str]] = {
        "prior_duel": "() what updates on the last mixture, whose rate falls to 0, take off the target's loss "
        "(selection split) beyond what such updates on the env's prior do, from one snapshot"
    }

    def __init__(self, windows: Windows, asked: Collection[str]) -> None:
        prior = windows.problem.prior
        if prior is None:
            raise ConfigError("signals: 'prior_duel' needs a prior, and target.prior is none")
        self._windows, self._prior = windows, prior

    def cost(self) -> Cost:
        """Of two branches and two readings."""
        return price(self._windows, self._windows.config.signals.look_ahead + finish(self._windows, 2))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        """(N,) loss on the selection split after the prior's updates less that after the mixture's."""
        steady = np.full(self._windows.config.signals.look_ahead, moment.rate)
        rates = np.append(steady, cooled(moment.rate, finish(self._windows, 2)))
        return {"prior_duel": gain(self._windows, moment, np.tile(self._prior, (len(moment.mixture), 1)), rates)}


def price(windows: Windows, updates: int) -> Cost:
    """Of two branches of so many updates and two readings."""
    branch = windows.train(updates * windows.config.batch)
    return Cost(lookahead=plus(*[branch, windows.read(windows.config.signals.rows)] * 2))


def gain(windows: Windows, moment: Moment, opponent: Floats, rates: Floats) -> Floats:
    """(N,) loss on the selection split after updates on the opponent less that after the moment's mixture's.

    Args:
        windows: where the rows come from.
        moment: when.
        opponent: (N, K) shares.
        rates: (U,) of the updates of a branch.
    """
    rows, learner = windows.config.signals.rows, windows.learner
    target = windows.rows(windows.target("selection"), moment.seeds, "duel", moment.number * rows, rows)
    snapshot, losses = learner.snapshot(), []
    for shares in (opponent, moment.mixture):
        sound = _train(windows, moment, shares, rates)
        losses.append(np.where(sound, mean_loss(learner, target), np.nan))
        learner.restore(snapshot)
    return losses[0] - losses[1]


def _train(windows: Windows, moment: Moment, shares: Floats, rates: Floats) -> npt.NDArray[np.bool_]:
    """A branch on (N, K) shares, a segment at a time; both duellists draw a task's windows from the same stream.

    Returns:
        (N,) whether it stayed sound.
    """
    config, tasks, (updates,) = windows.config, windows.problem.tasks, rates.shape
    plan = np.stack([apportion(own, config.batch, updates, np.zeros(len(own)))[0] for own in shares], axis=1)
    counters = np.full(shares.shape, moment.number * updates * config.batch, dtype=np.int64)
    streams, sound = [key(seed, "duel") for seed in moment.seeds], np.ones(len(moment.seeds), bool)
    for begin in range(0, updates, config.segment.updates):
        part = slice(begin, begin + config.segment.updates)
        batches, counters = segment_batches(tasks, plan[part], counters, streams, config.context)
        steps = np.repeat(rates[part, None], len(moment.seeds), axis=1)
        sound &= windows.learner.train(SegmentPlan(batches, steps)).finite
    return sound
