"""Proxies that are sound but for one thing: the property that finds it, the proxy, and what the finding says."""

import itertools

import numpy as np

from curriculum_rl.errors import ConfigError
from curriculum_rl.proxies.base import Price, Reading
from curriculum_rl.proxies.heldout import HeldOutLoss


class Sound(HeldOutLoss):
    split = "reward"

    def __init__(self, *, problem, learner, seeds):
        super().__init__(problem.target_windows(self.split, 8, seeds, causal=learner.causal_rows))


class ScoresOnce(Sound):
    def score(self, learner):
        return Reading(super().score(learner).score.mean(keepdims=True))


class ScoresNothing(Sound):
    def score(self, learner):
        return Reading(np.full(learner.replicas, np.nan))


class PaysForLoss(Sound):
    def score(self, learner):
        score = super().score(learner).score
        return Reading(score, heldout=np.repeat(-score[:, None], 5, axis=1))

    def gain(self, before, after, mixture):
        return ((after - before) * mixture).sum(axis=1)


class Trains(Sound):
    def score(self, learner):
        learner.flat.state[0] *= 1.001
        return super().score(learner)


class CountsUpdates(Sound):
    def score(self, learner):
        learner.flat.steps += 1
        return super().score(learner)


class DrawsByChance(Sound):
    draws = itertools.count()

    def score(self, learner):
        return Reading(super().score(learner).score + 1e-3 * next(self.draws))


class ComparesReplicas(Sound):
    def score(self, learner):
        score = super().score(learner).score
        return Reading(score - 0.1 * score.mean())


class IsTooCheap(Sound):
    def price(self, learner):
        price = super().price(learner)
        return Price(price.tokens, price.flops / 2)


class IsFree(Sound):
    def price(self, learner):
        return Price(0, super().price(learner).flops)


class GetsDearer(Sound):
    asked = 0

    def price(self, learner):
        self.asked += 1
        price = super().price(learner)
        return Price(price.tokens, price.flops * (1 + self.asked))


class ForgetsItsAverage(Sound):
    last = None

    def score(self, learner):
        score = super().score(learner).score
        self.last = score if self.last is None else 0.5 * (self.last + score)
        return Reading(self.last)


class KeepsTensors(Sound):
    def state(self):
        return {"batch": self._batch}


class ReadsTheReport(Sound):
    split = "report"


class Overflows(Sound):
    readings = 0

    def score(self, learner):
        self.readings += 1
        return Reading(super().score(learner).score + (np.inf if self.readings == 3 else 0))


class RefusesAtLength(Sound):
    def __init__(self, *, problem, learner, seeds):
        if not learner.bidirectional_rows:
            raise ConfigError("proxy: needs a learner\nthat reads both ways")
        super().__init__(problem=problem, learner=learner, seeds=seeds)


class NamesNothing(Sound):
    def __init__(self, *, problem, learner, seeds):
        if not problem.target.labelled:
            raise ConfigError("proxy: something is missing")
        super().__init__(problem=problem, learner=learner, seeds=seeds)


PROXIES = [
    (name, {"kind": f"{__name__}:{kind.__name__}"}, message)
    for name, kind, message in [
        ("test_scores_are_of_their_replicas", ScoresOnce, r"score must be \(N,\) = \(2,\), not \(1,\)"),
        ("test_scores_are_of_their_replicas", ScoresNothing, "scores must be finite"),
        ("test_scores_are_of_their_replicas", PaysForLoss, "lower losses must be a gain"),
        ("test_it_leaves_the_learner_as_it_is", Trains, "must put parameters and moments back"),
        ("test_it_leaves_the_learner_as_it_is", CountsUpdates, "must put the counts of updates back"),
        ("test_same_seeds_same_scores", DrawsByChance, "the same seeds must give the same scores"),
        ("test_a_replica_is_scored_as_if_alone", ComparesReplicas, "replica 0 alone, and of two"),
        ("test_its_price_covers_what_it_asks", IsTooCheap, "reading 0 costs .* FLOPs, its price is"),
        ("test_its_price_covers_what_it_asks", IsFree, "the first reading must cost tokens and FLOPs"),
        ("test_its_price_covers_what_it_asks", GetsDearer, "asking for the price must change nothing"),
        ("test_it_goes_on_from_its_state", ForgetsItsAverage, "the score after a continuation"),
        ("test_it_goes_on_from_its_state", KeepsTensors, "a state must be JSON-able"),
        ("test_it_reads_nothing_that_is_reported", ReadsTheReport, "8 of its 8 rows are scored by the report"),
        ("test_it_pays_a_run", Overflows, "a score was not finite"),
        ("test_it_scores_both_kinds_of_learner", RefusesAtLength, "a refusal must be one line"),
        ("test_a_target_without_labels_is_scored_or_refused", NamesNothing, "must name what is missing, labels"),
    ]
]
