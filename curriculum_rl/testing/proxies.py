"""What every proxy promises: subclass the contract, give its section of an environment file, run pytest.

A test file of your own needs pytest and these lines::

    import pytest
    from curriculum_rl.testing.proxies import ProxyContract

    class TestMyProxy(ProxyContract):
        @pytest.fixture
        def proxy(self):
            return {"kind": "my_pkg.my_mod:MyProxy", "windows": 4}

Shape letters: N replicas, K tasks.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment
from curriculum_rl.learners.base import Learner
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.proxies.base import PaysByMixture, Proxy
from curriculum_rl.proxies.build import make_proxy
from curriculum_rl.testing.problems import TRANSFORMERS, Watch, reported, tiny_experiment, train, trained

SEEDS = (1, 2)
Section = dict[str, Any]


class ProxyContract:
    """What a proxy (`curriculum_rl.proxies.base.Proxy`) promises to runs.

    It is made in the tiny environment (`curriculum_rl.testing.problems`), whose target has labels. What it cannot
    score it must refuse in one line. A promise that is not made is struck by name and with the reason:
    `test_... = None`.
    """

    @pytest.fixture
    def proxy(self) -> Section:
        """The section `proxy` of an environment file."""
        raise NotImplementedError("a fixture `proxy` that returns your proxy's section of an environment file")

    def test_scores_are_of_their_replicas(self, proxy: Section) -> None:
        """(N,) finite scores, details of the same shape, (N, K) held-out losses of one that pays by mixture."""
        experiment = self._experiment(proxy)
        learner = trained(experiment, (5, 6))
        made = self._made(experiment, learner)
        reading = made.score(learner)
        for name, values in {"score": reading.score, **reading.details}.items():
            assert values.shape == (2,), f"{name} must be (N,) = (2,), not {values.shape}"
        assert np.isfinite(reading.score).all(), f"scores must be finite: {reading.score}"
        if isinstance(made, PaysByMixture):
            shape = (2, len(experiment.problem.tasks))
            assert reading.heldout is not None and reading.heldout.shape == shape, f"heldout must be (N, K) = {shape}"
            gain = made.gain(reading.heldout, reading.heldout - 0.1, np.full(shape, 1 / shape[1]))
            assert gain.shape == (2,) and (gain > 0).all(), f"lower losses must be a gain, (N,): {gain}"

    def test_it_leaves_the_learner_as_it_is(self, proxy: Section) -> None:
        """Parameters, moments and counts, bit for bit."""
        experiment = self._experiment(proxy)
        learner = trained(experiment, (5, 6))
        before = learner.snapshot()
        self._made(experiment, learner).score(learner)
        after = learner.snapshot()
        assert torch.equal(after.state, before.state), "a proxy must put parameters and moments back"
        assert after.steps.tolist() == before.steps.tolist(), "a proxy must put the counts of updates back"

    def test_same_seeds_same_scores(self, proxy: Section) -> None:
        """Two proxies of the same seeds agree, bit for bit."""
        experiment = self._experiment(proxy)
        learner = trained(experiment, (5, 6))
        first, second = (self._made(experiment, learner).score(learner).score for _ in range(2))
        assert np.array_equal(first, second), f"the same seeds must give the same scores: {first}, {second}"

    def test_a_replica_is_scored_as_if_alone(self, proxy: Section) -> None:
        """By its own seed, whatever the others are."""
        experiment = self._experiment(proxy)
        learner = trained(experiment, (5, 6))
        scores = self._made(experiment, learner).score(learner).score
        for n in range(2):
            alone = trained(experiment, [5 + n])
            found = self._made(experiment, alone, [SEEDS[n]]).score(alone).score
            assert found == pytest.approx(scores[n : n + 1], rel=1e-5), f"replica {n} alone, and of two"

    def test_its_price_covers_what_it_asks(self, proxy: Section) -> None:
        """Said before; asking for it changes nothing; a reading that is repeated may be free."""
        experiment = self._experiment(proxy)
        learner = trained(experiment, (5, 6))
        made, watch = self._made(experiment, learner), Watch(learner)
        for reading in range(6):
            price, again, before = made.price(learner), made.price(learner), watch.flops
            made.score(learner)
            asked = watch.flops - before
            assert price == again, "asking for the price must change nothing"
            assert price.flops >= 0.999 * asked, (
                f"reading {reading} costs {asked:.4g} FLOPs, its price is {price.flops:.4g}"
            )
            assert reading or min(price) > 0, f"the first reading must cost tokens and FLOPs: {price}"

    def test_it_goes_on_from_its_state(self, proxy: Section) -> None:
        """A state is JSON-able, and the next prices and scores are those of the proxy that was not stopped."""
        experiment = self._experiment(proxy)
        learner = trained(experiment, (5, 6))
        made, other = (self._made(experiment, learner) for _ in range(2))
        made.score(learner)
        train(experiment, learner)
        other.load_state(_saved(made.state()))
        for _ in range(4):
            assert other.price(learner) == made.price(learner), "the price after a continuation"
            found, wanted = (each.score(learner).score for each in (other, made))
            assert np.array_equal(found, wanted), f"the score after a continuation: {found}, not {wanted}"

    def test_it_reads_nothing_that_is_reported(self, proxy: Section) -> None:
        """Neither the target's report split nor the held-out windows that the report of the same seed scores."""
        experiment = self._experiment(proxy)
        learner = trained(experiment, [5])
        watch = Watch(learner)
        self._made(experiment, learner, [SEEDS[0]]).score(learner)
        read = watch.rows & reported(experiment.problem, [SEEDS[0]])
        assert watch.rows, "it must read rows with the learner"
        assert not read, f"{len(read)} of its {len(watch.rows)} rows are scored by the report"

    def test_it_pays_a_run(self, proxy: Section) -> None:
        """To the end of the budget, which its readings are charged to."""
        experiment = self._experiment(proxy, {"budget.updates": 30})
        run = Pretraining(experiment)
        run.begin([0])
        K = len(experiment.problem.tasks)
        while run.next_updates():
            outcome = run.segment(np.full((1, K), 1 / K))
            assert not outcome.failed.any(), "a segment failed: a score was not finite"
        assert run.ledger.flops["proxy"] > 0, "readings must be charged"
        assert run.ledger.charged <= run.budget, "a run must keep to its budget"

    def test_it_scores_both_kinds_of_learner(self, proxy: Section) -> None:
        """Native ones and any transformers model, or it refuses in one line."""
        experiment = self._experiment(proxy, **TRANSFORMERS)
        learner = trained(experiment, (5, 6))
        try:
            made = self._made(experiment, learner)
        except ConfigError as error:
            assert "\n" not in str(error), f"a refusal must be one line: {error}"
            return
        before = learner.snapshot()
        assert np.isfinite(made.score(learner).score).all(), "scores must be finite"
        assert torch.equal(learner.snapshot().state, before.state), "a proxy must put parameters and moments back"

    def test_a_target_without_labels_is_scored_or_refused(self, proxy: Section) -> None:
        """In one line, that names what is missing."""
        experiment = self._experiment(proxy, {"corpora.star.label_field": None})
        learner = trained(experiment, (5, 6))
        try:
            made = self._made(experiment, learner)
        except ConfigError as error:
            assert "\n" not in str(error), f"a refusal must be one line: {error}"
            assert "label" in str(error), f"a refusal must name what is missing, labels: {error}"
            return
        assert np.isfinite(made.score(learner).score).all(), "scores must be finite"

    def _experiment(self, proxy: Section, overrides: dict[str, Any] | None = None, **sections: Any) -> Experiment:
        return tiny_experiment(overrides, proxy=proxy, **sections)

    def _made(self, experiment: Experiment, learner: Learner, seeds: Sequence[int] = SEEDS) -> Proxy:
        return make_proxy(experiment.config.proxy, experiment.problem, learner, seeds)


def _saved(state: dict[str, Any]) -> dict[str, Any]:
    """Written and read, as checkpoints are."""
    try:
        written = json.dumps(state)
    except TypeError as error:
        pytest.fail(f"a state must be JSON-able: {error}")
    read: dict[str, Any] = json.loads(written)
    return read
