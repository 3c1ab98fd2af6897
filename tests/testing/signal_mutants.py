"""Instruments that are sound but for one thing: the property that finds it, its name, and what the finding says."""

import itertools
from typing import ClassVar

import numpy as np

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.losses import mean_loss
from curriculum_rl.proxies.base import Price
from curriculum_rl.signals.base import Cost


class Sound:
    """What each task's share of the last segment is times the target's loss."""

    measures: ClassVar = {"weighed": "(K,) nats"}
    split = "signal"

    def __init__(self, windows, asked):
        self.windows = windows

    def cost(self):
        return Cost(signal=self.windows.read(4))

    def measure(self, moment):
        rows = self.windows.rows(self.windows.target(self.split), moment.seeds, "weighed", 0, 4)
        return {"weighed": self.changed(mean_loss(self.windows.learner, rows)[:, None] * moment.mixture)}

    def changed(self, values):
        return values


class SaysNoShape(Sound):
    measures: ClassVar = {"weighed": "nats of every task"}


class TurnsRound(Sound):
    def changed(self, values):
        return values.T


class LosesATask(Sound):
    def changed(self, values):
        values[0, 0] = np.nan
        return values


class Trains(Sound):
    def changed(self, values):
        self.windows.learner.flat.state[0] *= 1.001
        return values


class CountsUpdates(Sound):
    def changed(self, values):
        self.windows.learner.flat.steps += 1
        return values


class DrawsByChance(Sound):
    draws = itertools.count()

    def changed(self, values):
        return values + next(self.draws)


class ComparesReplicas(Sound):
    def changed(self, values):
        return values - values.mean()


class IsTooCheap(Sound):
    def cost(self):
        return Cost(signal=self.windows.read(2))


class GetsDearer(Sound):
    asked = 0

    def cost(self):
        self.asked += 1
        return Cost(signal=self.windows.read(4 * self.asked))


class GetsCheaper(Sound):
    measured = 0

    def measure(self, moment):
        self.measured += 1
        return super().measure(moment)

    def cost(self):
        price = self.windows.read(4)
        return Cost(signal=Price(price.tokens, price.flops * 4 / (1 + self.measured)))


class ReadsTheReport(Sound):
    split = "report"


class RefusesAtLength(Sound):
    def __init__(self, windows, asked):
        if not windows.learner.bidirectional_rows:
            raise ConfigError("signals: needs a learner\nthat reads both ways")
        super().__init__(windows, asked)


SIGNALS = [
    (name, f"{__name__}:{kind.__name__}", message)
    for name, kind, message in [
        ("test_its_shape_is_the_one_it_says", SaysNoShape, "must begin with a shape such as"),
        ("test_its_shape_is_the_one_it_says", TurnsRound, r"says \(2, 5\) of two replicas, it is \(5, 2\)"),
        ("test_its_shape_is_the_one_it_says", LosesATask, "of a sound learner it must be finite"),
        ("test_it_leaves_the_learner_as_it_is", Trains, "must put parameters and moments back"),
        ("test_it_leaves_the_learner_as_it_is", CountsUpdates, "must put the counts of updates back"),
        ("test_same_seeds_same_values", DrawsByChance, "the same moment must give the same values"),
        ("test_a_replica_is_measured_as_if_alone", ComparesReplicas, "replica 0 alone, and of two"),
        ("test_its_cost_covers_what_it_asks", IsTooCheap, "it takes .* FLOPs, its cost is"),
        ("test_its_cost_covers_what_it_asks", GetsDearer, "asking for the cost must change nothing"),
        ("test_it_reads_nothing_that_is_reported", ReadsTheReport, "4 of its 4 rows are scored by the report"),
        ("test_a_run_pays_for_it_and_trains_as_without", Trains, "must not change what is trained"),
        ("test_a_run_pays_for_it_and_trains_as_without", GetsCheaper, "are charged"),
        ("test_it_measures_both_kinds_of_learner", RefusesAtLength, "a refusal must be one line"),
    ]
]
