"""A signal of the user's own, asked for by `module:Class`."""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.signals.base import Cost, Floats, Moment
from curriculum_rl.signals.windows import Windows

EVEN = np.full((2, 5), 0.2)


class Share:
    """What each task got of the last segment; it costs as much as reading one window."""

    measures: ClassVar[Mapping[str, str]] = {"share": "(K,) share of the last segment"}

    def __init__(self, windows: Windows, asked: Any) -> None:
        assert list(asked) == ["share"]
        self._windows = windows

    def cost(self) -> Cost:
        return Cost(signal=self._windows.read(1))

    def measure(self, moment: Moment) -> dict[str, Floats]:
        return {"share": moment.mixture}


class Two(Share):
    measures: ClassVar[Mapping[str, str]] = {"share": "one", "other": "another"}

    def __init__(self, windows: Windows, asked: Any) -> None:
        self._windows = windows


class Free:
    """It says no price."""

    measures: ClassVar[Mapping[str, str]] = {"free": "nothing"}

    def __init__(self, windows: Windows, asked: Any) -> None:
        pass

    def measure(self, moment: Moment) -> dict[str, Floats]:
        return {}


def test_it_is_measured_beside_others_and_paid(experiment: Experiment) -> None:
    name = f"{__name__}:Share"
    run = Pretraining(experiment, replicas=2, charge_proxy=False)
    run.request_signals([name, "heldout_loss"])
    run.begin([0, 1])
    shares = np.array([[0.2, 0.2, 0.2, 0.2, 0.2], [0.4, 0.3, 0.1, 0.1, 0.1]])
    found = run.segment(shares).signals
    assert list(found) == ["heldout_loss", name]
    assert found[name].tolist() == shares.tolist()
    other = Pretraining(experiment, replicas=2, charge_proxy=False)
    other.request_signals(["heldout_loss"])
    other.begin([0, 1])
    other.segment(shares)
    one_window = experiment.config.context
    assert run.ledger.tokens["signal"] == other.ledger.tokens["signal"] + one_window


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:Thing", "signals: 'nowhere:Thing': there is no module 'nowhere'"),
        (f"{__name__}:Two", "must measure one signal .got share, other."),
        (f"{__name__}:Free", "Free lacks cost"),
        (f"{__name__}:EVEN", "is no class"),
    ],
)
def test_what_is_none_is_named(experiment: Experiment, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Pretraining(experiment, replicas=2).request_signals([name])
