"""What every signal promises: subclass the contract, give its name, run pytest.

A test file of your own needs pytest and these lines::

    import pytest
    from curriculum_rl.testing.signals import SignalContract

    class TestMySignal(SignalContract):
        @pytest.fixture
        def signal(self):
            return "my_pkg.my_mod:MyInstrument"

Shape letters: N replicas, K tasks.
"""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment
from curriculum_rl.learners.base import Learner
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.signals.base import Floats, Moment
from curriculum_rl.signals.meter import Meter
from curriculum_rl.signals.windows import Windows
from curriculum_rl.testing.envs import signal_shape
from curriculum_rl.testing.problems import TRANSFORMERS, Watch, reported, tiny_experiment, trained

SEEDS = (1, 2)
EVEN = np.full((1, 5), 0.2)
SKEWED = np.array([[0.6, 0.1, 0.1, 0.1, 0.1], [0.0, 0.2, 0.4, 0.4, 0.0]])


class SignalContract:
    """What the instrument of a signal (`curriculum_rl.signals.base.Instrument`) promises to runs.

    It is made in the tiny environment (`curriculum_rl.testing.problems`). What it cannot measure it must refuse in one
    line. A promise that is not made is struck by name and with the reason: `test_... = None`. `ghost`, which is seen
    while a segment is trained, is no instrument's.
    """

    @pytest.fixture
    def signal(self) -> str:
        """The name of the signal, or `module:Class` of an instrument that measures one."""
        raise NotImplementedError("a fixture `signal` that returns the name of your signal")

    def test_its_shape_is_the_one_it_says(self, signal: str) -> None:
        """(N, ...) finite numbers, of the shape that the description begins with."""
        experiment = tiny_experiment()
        shape = (2, *signal_shape(signal, len(experiment.problem.tasks)))
        found = self._measured(signal, experiment, trained(experiment, (5, 6)))
        assert found.shape == shape, f"what it says is {shape} of two replicas, not {found.shape}"
        assert np.isfinite(found).all(), f"of a sound learner it must be finite: {found}"

    def test_it_leaves_the_learner_as_it_is(self, signal: str) -> None:
        """Parameters, moments and counts, bit for bit."""
        experiment = tiny_experiment()
        learner = trained(experiment, (5, 6))
        before = learner.snapshot()
        self._measured(signal, experiment, learner)
        after = learner.snapshot()
        assert torch.equal(after.state, before.state), "measuring must put parameters and moments back"
        assert after.steps.tolist() == before.steps.tolist(), "measuring must put the counts of updates back"

    def test_same_seeds_same_values(self, signal: str) -> None:
        """Two instruments at the same moment agree, bit for bit."""
        experiment = tiny_experiment()
        learner = trained(experiment, (5, 6))
        first, second = (self._measured(signal, experiment, learner) for _ in range(2))
        assert np.array_equal(first, second), "the same moment must give the same values"

    def test_a_replica_is_measured_as_if_alone(self, signal: str) -> None:
        """By its own seed and mixture, whatever the others are."""
        experiment = tiny_experiment()
        found = self._measured(signal, experiment, trained(experiment, (5, 6)))
        for n in range(2):
            alone = self._measured(signal, experiment, trained(experiment, [5 + n]), [n])
            assert np.allclose(alone[0], found[n], rtol=1e-4, atol=1e-7), f"replica {n} alone, and of two"

    def test_its_cost_covers_what_it_asks(self, signal: str) -> None:
        """Said before, and the same however often it is asked for."""
        experiment = tiny_experiment()
        learner = trained(experiment, (5, 6))
        meter, watch = self._meter(signal, experiment, learner), Watch(learner)
        cost = meter.cost()
        assert meter.cost() == cost, "asking for the cost must change nothing"
        meter.measure(self._moment())
        assert cost.flops >= 0.999 * watch.flops, f"it takes {watch.flops:.4g} FLOPs, its cost is {cost.flops:.4g}"

    def test_it_reads_nothing_that_is_reported(self, signal: str) -> None:
        """Neither the target's report split nor the held-out windows that the report of the same seed scores."""
        experiment = tiny_experiment()
        learner = trained(experiment, [5])
        watch = Watch(learner)
        self._measured(signal, experiment, learner, [0])
        read = watch.rows & reported(experiment.problem, [SEEDS[0]])
        assert not read, f"{len(read)} of its {len(watch.rows)} rows are scored by the report"

    def test_a_run_pays_for_it_and_trains_as_without(self, signal: str) -> None:
        """Each time it is taken its cost is charged, within the budget; at one rate the segments are those without."""
        steady = {"optimizer.schedule": "constant", "optimizer.warmup": 0.0}
        experiment = tiny_experiment({"budget.updates": 200, "signals.every": 4, **steady})
        deaf, hearing = (Pretraining(experiment, charge_proxy=False) for _ in range(2))
        hearing.request_signals([signal])
        outcomes = []
        for run in (deaf, hearing):
            run.begin([0])
            outcomes.append([run.segment(EVEN) for _ in range(3)])
        for wanted, found in zip(*outcomes, strict=True):
            same = np.array_equal(wanted.task_losses, found.task_losses, equal_nan=True)
            assert same, "a signal must not change what is trained"
        while hearing.next_updates():
            outcomes[1].append(hearing.segment(EVEN))
        taken = sum(signal in outcome.signals for outcome in outcomes[1])
        assert taken > 1, "it must be taken when its turn has come"
        cost = self._meter(signal, experiment, hearing.learner).cost().flops
        charged = hearing.ledger.flops["signal"] + hearing.ledger.flops["lookahead"]
        assert charged == pytest.approx(taken * cost), f"{taken} times {cost:.4g} FLOPs, but {charged:.4g} are charged"
        assert hearing.ledger.charged <= hearing.budget, "a run must keep to its budget"

    def test_it_measures_both_kinds_of_learner(self, signal: str) -> None:
        """Native ones and any transformers model, or it refuses in one line."""
        experiment = tiny_experiment(**TRANSFORMERS)
        learner = trained(experiment, (5, 6))
        before = learner.snapshot()
        try:
            found = self._measured(signal, experiment, learner)
        except ConfigError as error:
            assert "\n" not in str(error), f"a refusal must be one line: {error}"
            return
        assert np.isfinite(found).all(), f"of a sound learner it must be finite: {found}"
        assert torch.equal(learner.snapshot().state, before.state), "measuring must put parameters and moments back"

    def _meter(self, signal: str, experiment: Experiment, learner: Learner) -> Meter:
        return Meter(Windows(experiment.problem, experiment.config, learner, lambda: 1e12), [signal])

    def _moment(self, rows: Sequence[int] = (0, 1), tasks: int = 5) -> Moment:
        mixture = SKEWED[list(rows)] if tasks == 5 else np.full((len(rows), tasks), 1 / tasks)
        return Moment([SEEDS[n] for n in rows], mixture, 2, 0.01)

    def _measured(self, signal: str, experiment: Experiment, learner: Learner, rows: Sequence[int] = (0, 1)) -> Floats:
        moment = self._moment(rows, len(experiment.problem.tasks))
        return self._meter(signal, experiment, learner).measure(moment)[signal]
