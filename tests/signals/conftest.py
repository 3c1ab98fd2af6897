"""A short run whose signals are measured, and two mixtures."""

import numpy as np
import pytest

from curriculum_rl.experiment import Experiment
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.signals import SIGNALS, Meter, Moment
from curriculum_rl.signals.windows import Windows

EVEN = np.full((2, 5), 0.2)
SKEWED = np.array([[0.6, 0.1, 0.1, 0.1, 0.1], [0.0, 0.2, 0.4, 0.4, 0.0]])
ALL = tuple(name for name in SIGNALS if name != "ghost")


@pytest.fixture(scope="module")
def run(experiment: Experiment) -> Pretraining:
    """Two replicas after six updates."""
    made = Pretraining(experiment, replicas=2, charge_proxy=False)
    made.begin([3, 4])
    for _ in range(3):
        made.segment(EVEN)
    return made


@pytest.fixture(scope="module")
def found(run: Pretraining) -> dict[str, np.ndarray]:
    return Meter(Windows(run.experiment.problem, run.experiment.config, run.learner), ALL).measure(
        Moment(run.seeds, SKEWED, 2, 0.01)
    )
