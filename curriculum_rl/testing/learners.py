"""What every learner promises: subclass the contract, give what makes the learner, run pytest.

A test file of your own needs pytest and these lines::

    import pytest
    from curriculum_rl.testing.learners import LearnerContract

    class TestMyLearner(LearnerContract):
        @pytest.fixture
        def learner(self):
            return lambda replicas: MyLearner(vocab_size=50, context=16, replicas=replicas)

Shape letters: k updates, N replicas, B rows, T tokens, C labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from curriculum_rl.batch import Batch, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner, Snapshot
from curriculum_rl.learners.causality import check_causal
from curriculum_rl.learners.saved import load_learner

MakeLearner = Callable[[int], Learner]
SEEDS = (5, 6, 7)


def random_plan(
    *,
    updates: int = 3,
    rows: int = 4,
    length: int = 16,
    vocab: int = 50,
    kinds: Sequence[str] = ("causal",),
    rates: Sequence[float] | float = 1e-2,
    seed: int = 0,
) -> SegmentPlan:
    """A plan with one replica per kind: `causal`, `masked`, or `mixed` (first half of the rows masked).

    Each replica's data depend on the seed, its kind and its place alone, not on how many there are. Tokens 0 to 2 are
    special to most vocabularies and not drawn.
    """
    parts = []
    for n, kind in enumerate(kinds):
        draw = torch.Generator().manual_seed(seed * 1000 + n)
        window = torch.randint(3, vocab, (updates, 1, rows, length + 1), generator=draw)
        weights = torch.ones(updates, 1, rows, length)
        causal = torch.ones(updates, 1, rows, dtype=torch.bool)
        masked = {"causal": 0, "masked": rows, "mixed": rows // 2}[kind]
        scored = torch.rand(updates, 1, masked, length, generator=draw) < 0.3
        weights[:, :, :masked] = scored.float()
        causal[:, :, :masked] = False
        parts.append((window[..., :-1], window[..., 1:], weights, causal))
    batch = Batch(*(torch.cat(tensors, dim=1).contiguous() for tensors in zip(*parts, strict=True)))
    return SegmentPlan(batch, np.broadcast_to(np.asarray(rates), (updates, len(kinds))).astype(np.float64))


class LearnerContract:
    """What a learner (`curriculum_rl.learners.base.Learner`) promises to runs, proxies, signals and methods.

    A promise that is not made is struck by name and with the reason: `test_... = None`.

    Attributes:
        rate: a learning rate at which 40 updates on one batch halve its loss.
        pretrained: whether a reset gives every seed the same, pretrained, parameters.
    """

    rate = 1e-2
    pretrained = False

    @pytest.fixture
    def learner(self) -> MakeLearner:
        """A function that makes the learner that is tested, of as many replicas as it is told."""
        raise NotImplementedError("a fixture `learner` that returns a function from replicas to your learner")

    def load(self, directory: Path) -> Learner:
        """The learner that was saved there: by the class that its `learner.json` names, if it is none of ours."""
        return load_learner(directory, trust=True)

    def test_it_has_all_that_is_asked(self, learner: MakeLearner) -> None:
        """Every method and attribute of the protocol; N as it was told, and a size that does not depend on N."""
        made = learner(2)
        asked = {*Learner.__annotations__, *(name for name in vars(Learner) if not name.startswith("_"))}
        missing = sorted(name for name in asked if not hasattr(made, name))
        assert not missing, f"it lacks {', '.join(missing)}"
        assert made.replicas == 2, f"replicas must be 2, not {made.replicas}"
        assert made.size == learner(1).size > 0, "size must be the parameters of one replica"
        assert made.causal_rows or made.bidirectional_rows, "it must read rows in one way at least"

    def test_a_reset_depends_on_the_seed_alone(self, learner: MakeLearner) -> None:
        """The same seed gives the same parameters, whatever was trained before; another seed, others."""
        made = self._begun(learner, 2)
        first = made.snapshot()
        made.train(self._plan(made))
        made.reset(SEEDS[:2])
        _assert_same(made.snapshot(), first, "a reset must give a seed the parameters it gave before")
        assert made.snapshot().steps.tolist() == [0, 0], "a reset must begin the count of updates anew"
        _assert_same(self._begun(learner, 2).snapshot(), first, "two learners reset with the same seeds")
        if not self.pretrained:
            made.reset((11, 11))
            losses, before = made.token_losses(self._shared(made)), _restored(made, first, self._shared(made))
            assert torch.equal(losses[0], losses[1]), "replicas of the same seed must be the same"
            assert not torch.equal(losses[0], before[0]), "another seed must give other parameters"

    def test_a_reset_of_one_leaves_the_others(self, learner: MakeLearner) -> None:
        """Their parameters, moments and counts, bit for bit."""
        made, control = (self._begun(learner, 3) for _ in range(2))
        for each in (made, control):
            each.train(self._plan(each))
        made.reset([9], [1])
        assert made.snapshot().steps.tolist() == [3, 0, 3], "only the reset replica must count anew"
        plan = self._plan(made, seed=1)
        found, wanted = made.train(plan), control.train(plan)
        _assert_alike(found, wanted, [0, 2], "a reset must leave the other replicas as they are")
        fresh = learner(1)
        fresh.reset([9])
        alone = fresh.train(_one(plan, 1))
        message = "a replica that was reset must be as if new"
        assert np.array_equal(found.row_losses[:, 1], alone.row_losses[:, 0]), message

    def test_wrong_resets_change_nothing(self, learner: MakeLearner) -> None:
        """Too many or too few seeds, no such replica, the same twice, seeds out of range: ValueError."""
        made = self._begun(learner, 2)
        before = made.snapshot()
        for seeds, rows in (([1], None), ([1, 2], [0]), ([1], [2]), ([1, 2], [1, 1]), ([-1], [0]), ([2**63], [0])):
            with pytest.raises(ValueError):
                made.reset(seeds, rows)
                pytest.fail(f"reset({seeds}, {rows}) must raise ValueError")
        _assert_same(made.snapshot(), before, "a refused reset")

    def test_it_goes_on_exactly_from_a_snapshot(self, learner: MakeLearner) -> None:
        """The same bits in losses, parameters and moments."""
        made = self._begun(learner, 2)
        made.train(self._plan(made))
        kept, plan = made.snapshot(), self._plan(made, seed=1)
        first, end = made.train(plan), made.snapshot()
        made.restore(kept)
        _assert_same(made.snapshot(), kept, "what was restored")
        _assert_alike(made.train(plan), first, [0, 1], "the same plan from the same snapshot")
        _assert_same(made.snapshot(), end, "the same plan from the same snapshot")

    def test_a_snapshot_is_a_copy(self, learner: MakeLearner) -> None:
        """Training does not reach it."""
        made = self._begun(learner, 1)
        kept = made.snapshot()
        state, steps = kept.state.clone(), kept.steps.copy()
        made.train(self._plan(made))
        _assert_same(kept, Snapshot(state, steps, kept.seeds), "a snapshot after training")

    def test_single_replicas_are_restored(self, learner: MakeLearner) -> None:
        """The others stay where they are."""
        made = self._begun(learner, 3)
        kept, batch = made.snapshot(), self._plan(made).batches[0]
        before = made.token_losses(batch)
        made.train(self._plan(made))
        after = made.token_losses(batch)
        made.restore(kept, [1])
        found = made.token_losses(batch)
        assert torch.equal(found[1], before[1]), "the replica that was restored"
        assert torch.equal(found[[0, 2]], after[[0, 2]]), "restoring one replica must leave the others as they are"
        assert made.snapshot().steps.tolist() == [3, 0, 3], "the counts of updates must be restored, too"

    def test_replicas_are_what_they_are_alone(self, learner: MakeLearner) -> None:
        """N in one learner are N learners, bit for bit, with rates of their own."""
        together = self._begun(learner, 3)
        plan = self._plan(together, rates=(self.rate, self.rate / 3, self.rate))
        report, batch = together.train(plan), self._plan(together, seed=1).batches[0]
        losses, features = together.token_losses(batch), together.features(batch)
        for n, seed in enumerate(SEEDS):
            alone = learner(1)
            alone.reset([seed])
            found = alone.train(_one(plan, n))
            for name in ("row_losses", "losses", "gradient_norms"):
                mine, theirs = getattr(found, name)[:, 0], getattr(report, name)[:, n]
                assert np.array_equal(mine, theirs), f"{name} of a replica alone and among three"
            assert torch.equal(alone.token_losses(batch[n : n + 1])[0], losses[n]), "scores alone and among three"
            assert torch.equal(alone.features(batch[n : n + 1])[0], features[n]), "features alone and among three"

    def test_scoring_changes_nothing(self, learner: MakeLearner) -> None:
        """Not parameters, moments or counts, and not what is trained next."""
        made, control = (self._begun(learner, 2) for _ in range(2))
        for each in (made, control):
            each.train(self._plan(each))
        before, plan = made.snapshot(), self._plan(made, seed=1)
        batch, labels = plan.batches[0], torch.tensor([3, 4])
        found = [made.token_losses(batch), made.features(batch), made.tag_logits(batch, labels)]
        found.append(made.label_logits(_scored_at(batch, 5), labels))
        assert not any(tensor.requires_grad for tensor in found), "scores must have no gradient"
        made.gradient_products(plan.batches)
        _assert_same(made.snapshot(), before, "scoring must leave the learner as it is")
        _assert_alike(made.train(plan), control.train(plan), [0, 1], "training after scoring")

    def test_scores_have_their_shapes(self, learner: MakeLearner) -> None:
        """(N, B, T) losses, 0 where nothing is scored; (N, B, d) features; (N, B, C) and (N, B, T, C) logits."""
        made = self._begun(learner, 2)
        batch, labels = self._plan(made).batches[0], torch.tensor([3, 4, 9])
        losses = made.token_losses(batch)
        assert losses.shape == batch.weights.shape, f"token_losses must be (N, B, T), not {tuple(losses.shape)}"
        assert ((losses != 0) == (batch.weights != 0)).all(), "token_losses must be 0 where nothing is scored"
        N, B, T = losses.shape
        assert made.features(batch).shape[:-1] == (N, B), "features must be (N, B, d)"
        assert made.label_logits(_scored_at(batch, 5), labels).shape == (N, B, 3), "label_logits must be (N, B, C)"
        assert made.tag_logits(batch, labels).shape == (N, B, T, 3), "tag_logits must be (N, B, T, C)"

    def test_one_batch_serves_all_replicas(self, learner: MakeLearner) -> None:
        """(B, T) and (1, B, T) are (N, B, T) with the rows repeated."""
        made = self._begun(learner, 2)
        batch = self._shared(made)
        repeated = Batch(*(torch.stack([tensor, tensor]) for tensor in batch.tensors()))
        wanted = made.token_losses(repeated)
        for given in (batch, Batch(*(tensor[None] for tensor in batch.tensors()))):
            assert torch.equal(made.token_losses(given), wanted), "one batch must be read by every replica"

    def test_logits_are_those_of_the_losses(self, learner: MakeLearner) -> None:
        """The cross-entropy of logits of all tokens is the loss; at one position, and at every one."""
        made = self._begun(learner, 2)
        batch = _scored_at(self._plan(made).batches[0], 5)
        losses, every = made.token_losses(batch), torch.arange(made.vocab_size)
        found = F.cross_entropy(
            made.label_logits(batch, every).flatten(0, 1), batch.targets[..., 5].flatten(), reduction="none"
        )
        torch.testing.assert_close(found, losses[..., 5].flatten(), rtol=1e-4, atol=1e-5, msg=_about("label_logits"))
        tags = made.tag_logits(batch, every)
        found = F.cross_entropy(tags.flatten(0, 2), batch.targets.flatten(), reduction="none") * batch.weights.flatten()
        torch.testing.assert_close(found, losses.flatten(), rtol=1e-4, atol=1e-5, msg=_about("tag_logits"))

    def test_losses_are_what_is_scored(self, learner: MakeLearner) -> None:
        """A row's loss is its mean over scored tokens, before the update; an update's, the mean over the rows."""
        made = self._begun(learner, 2)
        plan = self._plan(made)
        plan.batches.weights[0, 1, 2] = 0
        weights = plan.batches.weights[0]
        scores = (made.token_losses(plan.batches[0]).sum(dim=2) / weights.sum(dim=2).clamp_min(1)).double().numpy()
        report = made.train(plan)
        np.testing.assert_allclose(report.row_losses[0], scores, rtol=1e-4, atol=1e-6, err_msg="row_losses")
        assert report.row_losses[0, 1, 2] == 0, "a row without scored tokens counts 0"
        np.testing.assert_allclose(report.losses, report.row_losses.mean(axis=2), rtol=1e-6, err_msg="losses")
        assert report.gradient_norms.shape == report.losses.shape == (3, 2), "(k, N) losses and gradient norms"
        assert report.finite.all(), "nothing exploded"

    def test_label_ids_bound_the_softmax(self, learner: MakeLearner) -> None:
        """A plan's `label_ids` are all that a target is chosen among."""
        made, labels = self._begun(learner, 1), torch.tensor([9, 3, 4])
        batches = _scored_at(self._plan(made).batches, 5)
        places = batches.input_ids[..., 0] % 3
        batches.targets[..., 5] = labels[places]
        logits = made.label_logits(batches[0], labels)[0]
        report = made.train(SegmentPlan(batches, np.full((3, 1), self.rate), label_ids=labels))
        wanted = F.cross_entropy(logits, places[0, 0], reduction="none").double().numpy()
        np.testing.assert_allclose(report.row_losses[0, 0], wanted, rtol=1e-4, err_msg="losses among the labels")

    def test_it_learns(self, learner: MakeLearner) -> None:
        """The loss of a batch that is repeated 40 times halves."""
        made = self._begun(learner, 1)
        batch = self._plan(made, updates=1).batches
        repeated = Batch(*(tensor.expand(40, *tensor.shape[1:]) for tensor in batch.tensors()))
        losses = made.train(SegmentPlan(repeated, np.full((40, 1), self.rate))).losses[:, 0]
        assert losses[-1] < 0.5 * losses[0], f"loss fell from {losses[0]:.3f} to {losses[-1]:.3f} nats"

    def test_rates_are_obeyed(self, learner: MakeLearner) -> None:
        """At rate 0 a replica's parameters stay, beside one that learns."""
        made = self._begun(learner, 2)
        batch = self._plan(made, seed=1).batches[0]
        before = made.token_losses(batch)
        made.train(self._plan(made, rates=(0.0, self.rate)))
        after = made.token_losses(batch)
        assert torch.equal(before[0], after[0]), "at rate 0 parameters must stay"
        assert not torch.equal(before[1], after[1]), "at another rate they must move"

    def test_what_is_not_finite_is_reported(self, learner: MakeLearner) -> None:
        """Of the replica that it is; the others do not see it."""
        made, control = (self._begun(learner, 3) for _ in range(2))
        sound = made.snapshot()
        made.restore(Snapshot(torch.full_like(sound.state, torch.nan), sound.steps, sound.seeds), [1])
        found, wanted = (each.train(self._plan(each)) for each in (made, control))
        assert found.finite.tolist() == [True, False, True], f"replica 1 is not finite: {found.finite}"
        _assert_alike(found, wanted, [0, 2], "neighbours of a replica that is not finite")

    def test_saved_and_loaded_it_goes_on(self, learner: MakeLearner, tmp_path: Path) -> None:
        """With the optimizer as if nothing had happened, without it from the same parameters; one replica and two."""
        for replicas in (1, 2):
            made = self._begun(learner, replicas)
            made.train(self._plan(made))
            whole, bare = tmp_path / f"{replicas} whole", tmp_path / f"{replicas} bare"
            made.save(whole, optimizer=True)
            made.save(bare)
            plan, loaded = self._plan(made, seed=1), self.load(bare)
            found, wanted = (each.token_losses(plan.batches[0]) for each in (loaded, made))
            assert torch.equal(found, wanted), "saved parameters must come back"
            assert not loaded.snapshot().steps.any(), "without its optimizer a learner counts updates anew"
            loaded = self.load(whole)
            _assert_alike(loaded.train(plan), made.train(plan), range(replicas), "a learner that was loaded")
            _assert_same(loaded.snapshot(), made.snapshot(), "a learner that was loaded, and trained")

    def test_a_new_optimizer_keeps_the_parameters(self, learner: MakeLearner) -> None:
        """Moments and counts are zero."""
        made = self._begun(learner, 2)
        made.train(self._plan(made))
        batch = self._shared(made)
        before = made.token_losses(batch)
        made.reset_optimizer()
        after = made.snapshot()
        assert torch.equal(made.token_losses(batch), before), "parameters must stay"
        assert not after.steps.any(), "counts of updates must begin anew"
        assert not after.state[1:].any(), "moments must be zero"

    def test_operations_are_linear_in_tokens(self, learner: MakeLearner) -> None:
        """Positive, and three times as many in training."""
        made = self._begun(learner, 1)
        assert made.flops(16, training=False) > 0, "flops must be above 0"
        for training in (False, True):
            once, twice = (made.flops(tokens, training=training) for tokens in (16, 32))
            assert twice == pytest.approx(2 * once), "flops must be linear in tokens"
        ratio = made.flops(16, training=True) / made.flops(16, training=False)
        assert ratio == pytest.approx(3), "training counts 3 forward passes"

    def test_gradient_products(self, learner: MakeLearner) -> None:
        """(N, G, G), symmetric, and a batch with itself is a square."""
        made = self._begun(learner, 2)
        made.train(self._plan(made))
        batches = self._plan(made, updates=2, seed=1).batches
        three = Batch(*(tensor[[0, 1, 0]] for tensor in batches.tensors()))
        found = made.gradient_products(three)
        for name, products in zip(("raw", "adam"), found, strict=True):
            assert products.shape == (2, 3, 3), f"{name} must be (N, G, G), not {tuple(products.shape)}"
            torch.testing.assert_close(products, products.mT, rtol=1e-4, atol=1e-7, msg=_about(f"{name}: symmetry"))
            pairs, squares = products[:, 0, 2], products[:, 0, 0]
            torch.testing.assert_close(pairs, squares, rtol=1e-4, atol=1e-7, msg=_about(f"{name}: a batch with itself"))
            assert (squares > 0).all(), f"{name}: a square must be above 0"
            assert (products[:, 0, 1] ** 2 <= squares * products[:, 1, 1] * 1.0001).all(), f"{name}: Cauchy-Schwarz"

    def test_plans_that_do_not_fit_are_refused(self, learner: MakeLearner) -> None:
        """Another number of replicas, rows that are too long, rates that are no rates: ValueError, nothing trained."""
        made = self._begun(learner, 2)
        before, plan = made.snapshot(), self._plan(made)
        ids, targets, weights = (torch.cat([tensor] * (1 + made.context // 8), dim=-1) for tensor in _of_rows(plan))
        long = Batch(ids, targets, weights, plan.batches.causal)
        wrong = {
            "three replicas": self._plan(made, replicas=3),
            f"rows of {long.input_ids.shape[-1]} tokens": replace(plan, batches=long),
            "rates of another shape": replace(plan, learning_rates=np.full((2, 2), self.rate)),
            "a rate that is no number": replace(plan, learning_rates=np.full((3, 2), np.nan)),
            "a rate below 0": replace(plan, learning_rates=np.full((3, 2), -1.0)),
        }
        for what, given in wrong.items():
            with pytest.raises(ValueError):
                made.train(given)
                pytest.fail(f"{what}: train must raise ValueError")
        _assert_same(made.snapshot(), before, "a plan that was refused")

    def test_a_causal_row_is_read_left_to_right(self, learner: MakeLearner) -> None:
        """Losses do not depend on later tokens, nor on other rows of the batch."""
        made = self._begun(learner, 2)
        made.train(self._plan(made))
        try:
            if made.causal_rows:
                check_causal(made)
        except ConfigError as error:
            pytest.fail(str(error))

    def test_rows_that_it_cannot_read_are_refused(self, learner: MakeLearner) -> None:
        """With a ConfigError of one line; where it reads both ways there are none."""
        made = self._begun(learner, 1)
        for readable, kind in ((made.causal_rows, "causal"), (made.bidirectional_rows, "masked")):
            plan = random_plan(kinds=(kind,), length=self._length(made), vocab=made.vocab_size)
            if readable:
                assert np.isfinite(made.train(plan).losses).all(), f"{kind} rows must be read"
                continue
            for attempt in (lambda: made.train(plan), lambda: made.token_losses(plan.batches[0])):  # noqa: B023
                with pytest.raises(ConfigError) as caught:
                    attempt()
                assert "\n" not in str(caught.value), f"a refusal must be one line: {caught.value}"

    def _begun(self, learner: MakeLearner, replicas: int) -> Learner:
        made = learner(replicas)
        made.reset(SEEDS[:replicas])
        return made

    def _length(self, made: Learner) -> int:
        return min(16, made.context)

    def _plan(
        self,
        made: Learner,
        *,
        updates: int = 3,
        replicas: int | None = None,
        rates: Sequence[float] | None = None,
        seed: int = 0,
    ) -> SegmentPlan:
        """Rows that the learner reads."""
        kinds = ["masked"] if made.bidirectional_rows else []
        kinds = ["causal", "mixed", *kinds] if made.causal_rows and kinds else kinds or ["causal"]
        count = made.replicas if replicas is None else replicas
        return random_plan(
            updates=updates,
            length=self._length(made),
            vocab=made.vocab_size,
            kinds=[kinds[n % len(kinds)] for n in range(count)],
            rates=self.rate if rates is None else rates,
            seed=seed,
        )

    def _shared(self, made: Learner) -> Batch:
        """(B, T)."""
        return self._plan(made, seed=2).batches[0, 0]


def _of_rows(plan: SegmentPlan) -> tuple[Tensor, Tensor, Tensor]:
    return plan.batches.input_ids, plan.batches.targets, plan.batches.weights


def _one(plan: SegmentPlan, n: int) -> SegmentPlan:
    """What replica n alone is given."""
    batches = Batch(*(tensor[:, n : n + 1] for tensor in plan.batches.tensors()))
    return SegmentPlan(batches, plan.learning_rates[:, n : n + 1])


def _scored_at(batch: Batch, place: int) -> Batch:
    """The same rows, scored at one position alone."""
    weights = torch.zeros_like(batch.weights)
    weights[..., place] = 1
    return Batch(batch.input_ids, batch.targets.clone(), weights, batch.causal)


def _restored(made: Learner, snapshot: Snapshot, batch: Batch) -> Tensor:
    made.restore(snapshot)
    return made.token_losses(batch)


def _assert_same(found: Snapshot, wanted: Snapshot, what: str) -> None:
    assert torch.equal(found.state, wanted.state), f"{what}: parameters or moments differ"
    assert found.steps.tolist() == wanted.steps.tolist(), f"{what}: counts of updates differ"


def _assert_alike(found: SegmentReport, wanted: SegmentReport, rows: Sequence[int], what: str) -> None:
    """The same bits in some replicas."""
    for name in ("row_losses", "gradient_norms"):
        mine, theirs = (getattr(report, name)[:, list(rows)] for report in (found, wanted))
        assert np.array_equal(mine, theirs), f"{what}: {name} differ"


def _about(what: str) -> Callable[[str], str]:
    return lambda message: f"{what}: {message}"
