"""Methods that are sound but for one thing: the property that finds it, the method, and what the finding says."""

from dataclasses import replace

import numpy as np

from curriculum_rl.errors import ConfigError
from curriculum_rl.tasks import apportion


class Sound:
    batches, ghosts, weighs = 1, True, False

    def __init__(self, *, tasks, learner):
        self.calls = 0

    def rows(self, shares):
        return apportion(shares.mixture, shares.batch, shares.updates, shares.credit)

    def flops(self, learner, tokens):
        return learner.flops(tokens, training=True)

    def train(self, learner, plan, mixture):
        return learner.train(plan)


class PlansInOneRow(Sound):
    def rows(self, shares):
        plan, credit = super().rows(shares)
        return plan.reshape(1, -1), credit


class RollsOn(Sound):
    def rows(self, shares):
        plan, credit = super().rows(shares)
        self.calls += 1
        return np.roll(plan, self.calls), credit


class SpendsTheCredit(Sound):
    def rows(self, shares):
        plan, credit = super().rows(shares)
        shares.credit[:] = credit
        return plan, shares.credit


class PlaysTheLoudest(Sound):
    def rows(self, shares):
        return np.full((shares.updates, shares.batch), shares.mixture.argmax()), shares.credit


class FeedsEverybody(Sound):
    def rows(self, shares):
        return super().rows(replace(shares, mixture=0.95 * shares.mixture + 0.05 / len(shares.mixture)))


class IsTooCheap(Sound):
    def flops(self, learner, tokens):
        return super().flops(learner, tokens) / 10


class CostsSomethingAtRest(Sound):
    def flops(self, learner, tokens):
        return super().flops(learner, tokens) + 1e6


class PutsEverythingBack(Sound):
    def train(self, learner, plan, mixture):
        before = learner.snapshot()
        report = super().train(learner, plan, mixture)
        learner.restore(before)
        return report


class ReportsMeans(Sound):
    def train(self, learner, plan, mixture):
        report = super().train(learner, plan, mixture)
        return replace(report, row_losses=report.losses)


class RefusesAtLength(Sound):
    def __init__(self, *, tasks, learner):
        super().__init__(tasks=tasks, learner=learner)
        if not learner.bidirectional_rows:
            raise ConfigError("method: needs a learner\nthat reads both ways")


class SharesTheRate(Sound):
    def train(self, learner, plan, mixture):
        return super().train(learner, replace(plan, learning_rates=plan.learning_rates / learner.replicas), mixture)


class WarmsUpItself(Sound):
    def train(self, learner, plan, mixture):
        self.calls += 1
        rates = plan.learning_rates * min(1, self.calls / 6)
        return super().train(learner, replace(plan, learning_rates=rates), mixture)


class GetsDearer(Sound):
    def flops(self, learner, tokens):
        self.calls += 1
        return self.calls * super().flops(learner, tokens)


class Drifts(Sound):
    def train(self, learner, plan, mixture):
        report = super().train(learner, plan, mixture)
        learner.flat.state[0] *= 1.2
        return report


METHODS = [
    (name, {"method": {"kind": f"{__name__}:{kind.__name__}"}}, message)
    for name, kind, message in [
        ("test_rows_are_planned_from_what_is_given", PlansInOneRow, r"must be \(k m, B\) = \(7, 5\), not \(1, 35\)"),
        ("test_rows_are_planned_from_what_is_given", RollsOn, "the same shares must give the same rows"),
        ("test_rows_are_planned_from_what_is_given", SpendsTheCredit, "must leave the shares as they are"),
        ("test_rows_follow_the_shares", PlaysTheLoudest, "rows have the shares"),
        ("test_rows_follow_the_shares", FeedsEverybody, "a task without a share must get no rows"),
        ("test_its_price_covers_what_is_read", IsTooCheap, "an update reads 1 batches for"),
        ("test_its_price_is_linear_in_tokens", CostsSomethingAtRest, "the price must be linear in tokens"),
        ("test_updates_change_the_learner", PutsEverythingBack, "updates must change the learner"),
        ("test_updates_change_the_learner", ReportsMeans, r"row_losses must be \(3, 2, 5\), not \(3, 2\)"),
        ("test_it_trains_both_kinds_of_learner", RefusesAtLength, "a refusal must be one line"),
        ("test_replicas_are_what_they_are_alone", SharesTheRate, "loss of a replica alone, and of two"),
        ("test_a_run_goes_on_exactly", WarmsUpItself, "must go on as if it had not been stopped"),
        ("test_a_run_is_charged_its_price", GetsDearer, "must be charged the price that is said"),
        ("test_it_learns", Drifts, "the training loss went from"),
    ]
]
