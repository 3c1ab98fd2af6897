"""What every method promises: subclass the contract, give its section of an environment file, run pytest.

A test file of your own needs pytest and these lines::

    import pytest
    from curriculum_rl.testing.methods import MethodContract

    class TestMyMethod(MethodContract):
        @pytest.fixture
        def method(self):
            return {"method": {"kind": "my_pkg.my_mod:MyMethod", "rate": 0.1}}

Shape letters: K tasks, N replicas, B rows of a batch, k updates of a segment, m batches of an update.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.learners.build import make_learner
from curriculum_rl.methods.base import Floats, Method, Shares
from curriculum_rl.methods.build import make_method
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.tasks import segment_batches
from curriculum_rl.testing.problems import MASKED, NATIVE, TRANSFORMERS, tiny_experiment

SEEDS = (3, 4)
Sections = dict[str, Any]


class MethodContract:
    """What a method (`curriculum_rl.methods.base.Method`) promises to runs.

    It is made in the tiny environment (`curriculum_rl.testing.problems`). The learner that it cannot train it must
    refuse in one line. A promise that is not made is struck by name and with the reason: `test_... = None`.
    """

    @pytest.fixture
    def method(self) -> Sections:
        """Sections of an environment file: `method`, and others that it needs, such as `learner` or `tasks`."""
        raise NotImplementedError("a fixture `method` that returns sections of an environment file")

    def test_rows_are_planned_from_what_is_given(self, method: Sections) -> None:
        """(k m, B) numbers of tasks and (K,) credit; the same at every call, and what was given is left alone."""
        made, K = self._made(method)
        mixture, credit = _skewed(K), np.zeros(K)
        shares = Shares(mixture.copy(), 7, 5, credit.copy(), 1, 30)
        plan, owed = made.rows(shares)
        assert plan.shape == (7 * made.batches, 5), f"rows must be (k m, B) = {(7 * made.batches, 5)}, not {plan.shape}"
        assert np.issubdtype(plan.dtype, np.integer), f"rows must be numbers of tasks, not {plan.dtype}"
        assert 0 <= plan.min() <= plan.max() < K, f"rows must be of the {K} tasks: {np.unique(plan)}"
        assert owed.shape == (K,), f"credit must be (K,) = ({K},), not {owed.shape}"
        untouched = np.array_equal(shares.mixture, mixture) and np.array_equal(shares.credit, credit)
        assert untouched, "rows() must leave the shares as they are"
        again, _ = made.rows(shares)
        assert np.array_equal(plan, again), "the same shares must give the same rows"

    def test_rows_follow_the_shares(self, method: Sections) -> None:
        """Over many segments; where a mixture is weights of losses, every task is read alike."""
        made, K = self._made(method)
        mixture, credit, counts = _skewed(K), np.zeros(K), np.zeros(K)
        for segment in range(250):
            plan, credit = made.rows(Shares(mixture, 4, 5, credit, 7, 4 * segment))
            counts += np.bincount(plan.ravel(), minlength=K)
        found, wanted = counts / counts.sum(), np.full(K, 1 / K) if made.weighs else mixture
        assert np.abs(found - wanted).max() < 0.05, f"rows have the shares {found.round(3)}, not {wanted.round(3)}"
        assert (counts[wanted == 0] == 0).all(), "a task without a share must get no rows"

    def test_its_price_is_linear_in_tokens(self, method: Sections) -> None:
        """And above 0."""
        made, learner = self._pair(method)
        once, twice = (made.flops(learner, tokens) for tokens in (80, 160))
        assert once > 0, f"the price must be above 0, not {once}"
        assert twice == pytest.approx(2 * once), "the price must be linear in tokens"

    def test_its_price_covers_what_is_read(self, method: Sections) -> None:
        """No less than a forward pass of all that an update reads."""
        made, learner = self._pair(method)
        least, price = made.batches * learner.flops(80, training=False), made.flops(learner, 80)
        assert price >= least, f"an update reads {made.batches} batches for {least:.4g} FLOPs, its price is {price:.4g}"

    def test_updates_change_the_learner(self, method: Sections) -> None:
        """And report the losses of every row, update and replica."""
        experiment = tiny_experiment(**method)
        config, problem = experiment.config, experiment.problem
        learner = make_learner(config, problem, replicas=2)
        learner.reset(SEEDS)
        made = make_method(config.method, problem.tasks, learner)
        K, before = len(problem.tasks), learner.snapshot()
        rows, _ = made.rows(Shares(np.eye(K)[0], 3, config.batch, np.zeros(K), 0, 0))
        plan = np.stack([rows, rows], axis=1)
        batches, _ = segment_batches(problem.tasks, plan, np.zeros((2, K), np.int64), SEEDS, config.context)
        report = made.train(learner, SegmentPlan(batches, np.full((3, 2), 1e-3)), np.eye(K)[[0, 0]])
        assert not np.array_equal(learner.snapshot().state, before.state), "updates must change the learner"
        shapes = {"row_losses": (3 * made.batches, 2, config.batch), "losses": (3, 2), "gradient_norms": (3, 2)}
        for name, shape in {**shapes, "finite": (2,)}.items():
            found = getattr(report, name)
            assert found.shape == shape, f"{name} must be {shape}, not {found.shape}"
            assert np.isfinite(found).all(), f"{name} must be finite: {found}"
        assert report.finite.all(), "nothing exploded"

    def test_it_trains_both_kinds_of_learner(self, method: Sections) -> None:
        """Native ones and any transformers model, or it refuses in one line."""
        refused = []
        for sections in (NATIVE, TRANSFORMERS, MASKED):
            try:
                run = self._run({**sections, **method, "learner": sections["learner"]}, seeds=SEEDS)
            except ConfigError as error:
                assert "\n" not in str(error), f"a refusal must be one line: {error}"
                refused.append(str(error))
                continue
            before = run.learner.snapshot()
            outcome = run.segment(self._mixtures(run))
            assert not outcome.failed.any(), "a segment failed: a loss or a norm was not finite"
            assert not np.array_equal(run.learner.snapshot().state, before.state), "updates must change the learner"
        assert len(refused) < 3 or "learner" in method, f"it trains no learner at all: {'; '.join(refused)}"

    def test_replicas_are_what_they_are_alone(self, method: Sections) -> None:
        """With mixtures of their own."""
        pair = self._run(method, seeds=SEEDS)
        mixtures = self._mixtures(pair)
        both = [pair.segment(mixtures) for _ in range(2)]
        for n, seed in enumerate(SEEDS):
            alone = self._run(method, seeds=[seed])
            for outcome in both:
                found = alone.segment(mixtures[[n]])
                for name in ("loss", "score", "task_losses"):
                    mine, theirs = getattr(found, name)[0], getattr(outcome, name)[n]
                    assert np.array_equal(mine, theirs, equal_nan=True), f"{name} of a replica alone, and of two"

    def test_a_run_goes_on_exactly(self, method: Sections) -> None:
        """From its state, in an object of its own: all that a method remembers is the credit."""
        run, other = self._run(method), self._run(method)
        for _ in range(3):
            run.segment(self._mixtures(run)[:1])
        other.load_state(run.state())
        for _ in range(3):
            wanted, found = (each.segment(self._mixtures(run)[:1]) for each in (run, other))
            same = np.array_equal(found.score, wanted.score) and np.array_equal(found.loss, wanted.loss)
            assert same, "a continued run must go on as if it had not been stopped"
        assert other.ledger.entries() == run.ledger.entries(), "a continued run must be charged alike"

    def test_a_run_is_charged_its_price(self, method: Sections) -> None:
        """Of every update, with all tokens that it reads, within the budget."""
        run = self._run(method)
        updates = 0
        while run.next_updates():
            updates += run.segment(self._mixtures(run)[:1]).updates
        tokens = run.config.batch * run.config.context
        price = updates * run.method.flops(run.learner, tokens)
        assert run.ledger.flops["train"] == pytest.approx(price), "updates must be charged the price that is said"
        read = run.progress.counters.sum() * run.config.context
        assert run.ledger.tokens["train"] == updates * run.method.batches * tokens == read, (
            "all tokens read are charged"
        )
        assert run.ledger.charged <= run.budget, "a run must keep to its budget"

    def test_it_learns(self, method: Sections) -> None:
        """The training loss of a task falls."""
        run = self._run(method, overrides={"budget.updates": 60, "optimizer.learning_rate": 0.01})
        one = np.eye(len(run.problem.tasks))[[0]]
        losses = []
        while run.next_updates():
            losses.append(float(run.segment(one).loss[0]))
        first, last = np.mean(losses[:3]), np.mean(losses[-3:])
        assert last < first, f"the training loss went from {first:.3f} to {last:.3f} nats"

    def _pair(self, method: Sections) -> tuple[Method, Learner]:
        experiment = tiny_experiment(**method)
        learner = make_learner(experiment.config, experiment.problem)
        return make_method(experiment.config.method, experiment.problem.tasks, learner), learner

    def _made(self, method: Sections) -> tuple[Method, int]:
        return self._pair(method)[0], len(tiny_experiment(**method).problem.tasks)

    def _run(
        self, method: Sections, *, seeds: Sequence[int] = SEEDS[:1], overrides: dict[str, Any] | None = None
    ) -> Pretraining:
        run = Pretraining(tiny_experiment(overrides, **method), replicas=len(seeds), charge_proxy=False)
        run.begin(seeds)
        return run

    def _mixtures(self, run: Pretraining) -> Floats:
        """(2, K), or of as many replicas as the run has."""
        K = len(run.problem.tasks)
        return np.stack([_skewed(K), np.full(K, 1 / K)])


def _skewed(tasks: int) -> Floats:
    """(K,) shares that fall, the last one 0 where there are more than two."""
    falling = np.arange(tasks, 0, -1) - (tasks > 2)
    shares: Floats = falling / falling.sum()
    return shares
