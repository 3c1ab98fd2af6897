"""Learners that are sound but for one thing: the property that finds it, what makes it, and what the finding says."""

from dataclasses import replace

import numpy as np
import torch

from curriculum_rl.learners.base import Snapshot
from curriculum_rl.learners.native.batched import BatchedLearner
from curriculum_rl.learners.native.transformer import TransformerConfig

CONFIG = TransformerConfig(vocab_size=50, layers=1, width=16, heads=2, context=16)


class LacksTags(BatchedLearner):
    @property
    def tag_logits(self):
        raise AttributeError


class CountsAllReplicas(BatchedLearner):
    @property
    def size(self):
        return self.replicas * super().size


class CountsResets(BatchedLearner):
    resets = 0

    def reset(self, seeds, rows=None):
        super().reset(seeds, rows)
        self.resets += 1
        self.flat.parameters["embedding"][:] += 1e-3 * self.resets


class HasOneSeed(BatchedLearner):
    def reset(self, seeds, rows=None):
        super().reset([0] * len(seeds), rows)


class ForgetsAllMoments(BatchedLearner):
    def reset(self, seeds, rows=None):
        super().reset(seeds, rows)
        self.flat.state[1:].zero_()


class TakesAnyReset(BatchedLearner):
    def reset(self, seeds, rows=None):
        if rows is None or (len(rows) == len(seeds) and max(rows) < self.replicas):
            super().reset([abs(seed) % 2**62 for seed in seeds], None if rows is None else sorted(set(rows)))


class RestoresParameters(BatchedLearner):
    def restore(self, snapshot, rows=None):
        super().restore(snapshot, rows)
        self.flat.state[2].zero_()


class TrainsByChance(BatchedLearner):
    def train(self, plan):
        self.flat.state[0] += 1e-6 * torch.randn(self.flat.state.shape[1])
        return super().train(plan)


class ShowsItself(BatchedLearner):
    def snapshot(self):
        return Snapshot(self.flat.state, self.flat.steps, self.flat.seeds)


class RestoresAll(BatchedLearner):
    def restore(self, snapshot, rows=None):
        super().restore(snapshot)


class ClipsTogether(BatchedLearner):
    def train(self, plan):
        report = super().train(plan)
        return replace(
            report, gradient_norms=report.gradient_norms.mean(axis=1, keepdims=True).repeat(self.replicas, 1)
        )


class CountsScores(BatchedLearner):
    def token_losses(self, batch):
        self.flat.steps += 1
        return super().token_losses(batch)


class TrainsOtherwiseWhenScored(BatchedLearner):
    scored = False

    def features(self, batch):
        self.scored = True
        return super().features(batch)

    def train(self, plan):
        return super().train(replace(plan, batches=plan.batches[:, :, :2]) if self.scored else plan)


class FlattensFeatures(BatchedLearner):
    def features(self, batch):
        return super().features(batch).flatten(0, 1)


class ScoresForTheFirst(BatchedLearner):
    def token_losses(self, batch):
        losses = super().token_losses(batch)
        return losses if batch.input_ids.ndim == 3 else losses[:1].expand_as(losses)


class DoublesLabelLogits(BatchedLearner):
    def label_logits(self, batch, label_ids):
        return 2 * super().label_logits(batch, label_ids)


class DoublesTagLogits(BatchedLearner):
    def tag_logits(self, batch, label_ids):
        return 2 * super().tag_logits(batch, label_ids)


class ReportsSums(BatchedLearner):
    def train(self, plan):
        report = super().train(plan)
        return replace(report, losses=report.row_losses.sum(axis=2))


class ReportsLater(BatchedLearner):
    def train(self, plan):
        report = super().train(plan)
        return replace(report, row_losses=np.roll(report.row_losses, -1, axis=0))


class ReadsAllTokens(BatchedLearner):
    def train(self, plan):
        return super().train(replace(plan, label_ids=None))


class HardlyLearns(BatchedLearner):
    def train(self, plan):
        return super().train(replace(plan, learning_rates=1e-3 * plan.learning_rates))


class HasOneRate(BatchedLearner):
    def train(self, plan):
        rates = plan.learning_rates.max(axis=1, keepdims=True).repeat(plan.learning_rates.shape[1], axis=1)
        return super().train(replace(plan, learning_rates=rates))


class FindsAllFinite(BatchedLearner):
    def train(self, plan):
        report = super().train(plan)
        return replace(report, finite=np.ones_like(report.finite))


class SavesNoOptimizer(BatchedLearner):
    def save(self, directory, *, optimizer=False):
        super().save(directory)


class SavesAlways(BatchedLearner):
    def save(self, directory, *, optimizer=False):
        super().save(directory, optimizer=True)


class KeepsMoments(BatchedLearner):
    def reset_optimizer(self):
        self.flat.steps[:] = 0


class CostsSomethingAtRest(BatchedLearner):
    def flops(self, tokens, *, training):
        return super().flops(tokens, training=training) + 1000


class CountsTwoPasses(BatchedLearner):
    def flops(self, tokens, *, training):
        return super().flops(tokens, training=False) * (2 if training else 1)


class MixesProducts(BatchedLearner):
    def gradient_products(self, batches):
        found = super().gradient_products(batches)
        found.raw[:, 0, 1] *= 2
        return found


class TakesAnyRate(BatchedLearner):
    def train(self, plan):
        rates = np.nan_to_num(plan.learning_rates)
        return super().train(replace(plan, learning_rates=rates) if rates.min() >= 0 else plan)


class LooksAhead(BatchedLearner):
    def token_losses(self, batch):
        return super().token_losses(replace(batch, causal=torch.zeros_like(batch.causal)))


class LooksAround(BatchedLearner):
    def token_losses(self, batch):
        losses = super().token_losses(batch)
        return losses + losses.sum() / 100


class SaysOneWay(BatchedLearner):
    causal_rows = False


def made(kind):
    def learner(replicas):
        return kind(CONFIG, replicas=replicas, pad_id=0)

    learner.__name__ = kind.__name__
    return learner


LEARNERS = [
    (name, made(kind), message)
    for name, kind, message in [
        ("test_it_has_all_that_is_asked", LacksTags, "it lacks tag_logits"),
        ("test_it_has_all_that_is_asked", CountsAllReplicas, "size must be the parameters of one replica"),
        ("test_a_reset_depends_on_the_seed_alone", CountsResets, "the parameters it gave before"),
        ("test_a_reset_depends_on_the_seed_alone", HasOneSeed, "another seed must give other parameters"),
        ("test_a_reset_of_one_leaves_the_others", ForgetsAllMoments, "must leave the other replicas as they are"),
        ("test_wrong_resets_change_nothing", TakesAnyReset, "must raise ValueError"),
        ("test_it_goes_on_exactly_from_a_snapshot", RestoresParameters, "what was restored: parameters or moments"),
        ("test_it_goes_on_exactly_from_a_snapshot", TrainsByChance, "the same plan from the same snapshot"),
        ("test_a_snapshot_is_a_copy", ShowsItself, "a snapshot after training: parameters or moments differ"),
        ("test_single_replicas_are_restored", RestoresAll, "must leave the others as they are"),
        ("test_replicas_are_what_they_are_alone", ClipsTogether, "gradient_norms of a replica alone and among three"),
        ("test_scoring_changes_nothing", CountsScores, "must leave the learner as it is: counts of updates differ"),
        ("test_scoring_changes_nothing", TrainsOtherwiseWhenScored, "training after scoring"),
        ("test_scores_have_their_shapes", FlattensFeatures, r"features must be \(N, B, d\)"),
        ("test_one_batch_serves_all_replicas", ScoresForTheFirst, "one batch must be read by every replica"),
        ("test_logits_are_those_of_the_losses", DoublesLabelLogits, "label_logits"),
        ("test_logits_are_those_of_the_losses", DoublesTagLogits, "tag_logits"),
        ("test_losses_are_what_is_scored", ReportsLater, "row_losses"),
        ("test_losses_are_what_is_scored", ReportsSums, "losses"),
        ("test_label_ids_bound_the_softmax", ReadsAllTokens, "losses among the labels"),
        ("test_it_learns", HardlyLearns, "loss fell from"),
        ("test_rates_are_obeyed", HasOneRate, "at rate 0 parameters must stay"),
        ("test_what_is_not_finite_is_reported", FindsAllFinite, "replica 1 is not finite"),
        ("test_saved_and_loaded_it_goes_on", SavesNoOptimizer, "a learner that was loaded"),
        ("test_saved_and_loaded_it_goes_on", SavesAlways, "without its optimizer a learner counts updates anew"),
        ("test_a_new_optimizer_keeps_the_parameters", KeepsMoments, "moments must be zero"),
        ("test_operations_are_linear_in_tokens", CostsSomethingAtRest, "flops must be linear in tokens"),
        ("test_operations_are_linear_in_tokens", CountsTwoPasses, "training counts 3 forward passes"),
        ("test_gradient_products", MixesProducts, "raw: symmetry"),
        ("test_plans_that_do_not_fit_are_refused", TakesAnyRate, "a rate that is no number: train must raise"),
        ("test_a_causal_row_is_read_left_to_right", LooksAhead, "losses before place 1 of 16 change"),
        ("test_a_causal_row_is_read_left_to_right", LooksAround, "depend on other rows of the batch"),
        ("test_rows_that_it_cannot_read_are_refused", SaysOneWay, "DID NOT RAISE"),
    ]
]
