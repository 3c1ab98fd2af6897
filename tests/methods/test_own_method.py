"""A method of the user's own, `method.kind: module:Class`."""

from typing import Any

import numpy as np
import pytest

from curriculum_rl.batch import SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.base import Learner
from curriculum_rl.methods.base import Floats, Ints, Shares
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs


class Loudest:
    """All rows of a segment are of the task with the largest share."""

    batches, ghosts, weighs = 1, True, False

    def __init__(self, *, tasks: Any, learner: Learner, price: float) -> None:
        self.tasks, self.price = len(tasks), price

    def rows(self, shares: Shares) -> tuple[Ints, Floats]:
        return np.full((shares.updates, shares.batch), shares.mixture.argmax()), shares.credit

    def flops(self, learner: Learner, tokens: int) -> float:
        return self.price * learner.flops(tokens, training=True)

    def train(self, learner: Learner, plan: SegmentPlan, mixture: Floats) -> SegmentReport:
        return learner.train(plan)


class Silent:
    def __init__(self, *, tasks: Any, learner: Any) -> None:
        pass


def test_it_plans_the_rows_and_says_what_an_update_costs(tiny: dict[str, Any]) -> None:
    config = configs.load(tiny, {"method": {"kind": f"{__name__}:Loudest", "price": 2}, "budget": {"updates": 20}})
    run = Pretraining(build(config), charge_proxy=False)
    run.begin([0])
    while run.next_updates():
        run.segment(np.array([[0.1, 0.1, 0.6, 0.1, 0.1]]))
    rows = run.progress.counters.sum()
    assert run.progress.counters.tolist() == [[0, 0, rows, 0, 0]]
    assert run.ledger.flops["train"] == 2 * run.learner.flops(int(rows) * config.context, training=True)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"kind": f"{__name__}:Silent"}, "method: Silent lacks batches, flops, ghosts, rows, train, weighs"),
        ({"kind": f"{__name__}:Loudest", "depth": 1}, "does not take these arguments: .*"),
        ({"kind": f"{__name__}:Nobody"}, "has no 'Nobody'"),
    ],
)
def test_what_is_none_is_named(tiny: dict[str, Any], section: dict[str, Any], message: str) -> None:
    experiment = build(configs.load(tiny, {"method": section}))
    with pytest.raises(ConfigError, match=message):
        Pretraining(experiment)
