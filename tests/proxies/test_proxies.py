"""One contract for every proxy, and each one's own figures."""

from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl import config as configs
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.pretraining import Pretraining
from curriculum_rl.proxies.base import Price, Reading, Refreshed, Stateless
from curriculum_rl.proxies.heldout import HeldOutLoss
from curriculum_rl.proxies.probe import leave_one_out

PROXIES: list[dict[str, Any]] = [
    {"kind": "heldout_loss", "sequences": 8},
    {"kind": "finetune", "examples": 16, "updates": 3, "batch": 4, "test_examples": 16, "every": 2},
    {"kind": "probe", "examples": 32, "every": 3},
]


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: str(proxy["kind"]))
def test_contract(tiny: dict[str, Any], proxy: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {"proxy": proxy}))
    learner = experiment.make_learner()
    learner.reset([3])
    before = learner.snapshot()
    made = experiment.make_proxy(learner, [1])
    price = made.price(learner)
    reading = made.score(learner)
    after = learner.snapshot()
    assert torch.equal(before.state, after.state)
    assert before.steps.tolist() == after.steps.tolist()
    assert reading.score.shape == (1,)
    assert np.isfinite(reading.score).all()
    assert price.tokens > 0
    assert price.flops > 0
    assert experiment.make_proxy(learner, [1]).score(learner).score == reading.score
    assert experiment.make_proxy(learner, [2]).score(learner).score != reading.score


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: str(proxy["kind"]))
def test_every_proxy_pays_a_run(tiny: dict[str, Any], proxy: dict[str, Any]) -> None:
    run = Pretraining(build(configs.load(tiny, {"proxy": proxy, "budget.updates": 30})))
    run.begin([0])
    while run.next_updates():
        run.segment(np.full((1, 5), 0.2))
    assert run.ledger.flops["proxy"] > 0
    assert run.ledger.charged <= run.budget


def test_held_out_loss_is_minus_the_mean_over_scored_tokens(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny))
    learner = experiment.make_learner()
    batch = experiment.target_windows(learner, "reward", 8, [0])
    losses = learner.token_losses(batch)
    expected = -float(losses.double().sum() / batch.weights.sum())
    assert HeldOutLoss(batch).score(learner).score[0] == pytest.approx(expected, rel=1e-9)


class Counting(Stateless):
    """Scores 1, 2, 3, ... at a price of 10 FLOPs."""

    def __init__(self) -> None:
        self.calls = 0

    def price(self, learner: Any) -> Price:
        return Price(1, 10.0)

    def score(self, learner: Any) -> Reading:
        self.calls += 1
        return Reading(np.array([float(self.calls)]))


def test_a_refreshed_proxy_is_free_in_between() -> None:
    proxy = Refreshed(Counting(), every=3)
    seen = [(proxy.price(None).flops, proxy.score(None).score[0]) for _ in range(7)]  # type: ignore[arg-type]
    assert seen == [(10, 1), (0, 1), (0, 1), (10, 2), (0, 2), (0, 2), (10, 3)]
    other = Refreshed(Counting(), every=3)
    other.load_state(proxy.state())
    assert other.score(None).score.tolist() == [3.0]  # type: ignore[arg-type]


def test_leave_one_out_equals_refitting_without_each_row() -> None:
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(2, 20, 3, generator=draw, dtype=torch.float64)
    targets = torch.nn.functional.one_hot(torch.randint(3, (2, 20), generator=draw)).double()
    found = leave_one_out(features, targets, ridge=0.7)
    scaled = (features - features.mean(1, keepdim=True)) / features.std(1, keepdim=True)
    x = torch.cat([scaled, torch.ones(2, 20, 1, dtype=torch.float64)], dim=-1)
    strength = torch.diag(torch.tensor([0.7, 0.7, 0.7, 1e-8], dtype=torch.float64))
    for row in range(20):
        keep = [i for i in range(20) if i != row]
        a, b = x[:, keep], targets[:, keep]
        weights = torch.linalg.solve(a.mT @ a + strength, a.mT @ b)
        torch.testing.assert_close(found[:, row], (x[:, row : row + 1] @ weights)[:, 0])


@pytest.mark.parametrize("proxy", PROXIES[1:], ids=lambda proxy: str(proxy["kind"]))
def test_labels_are_required(tiny: dict[str, Any], proxy: dict[str, Any]) -> None:
    star = {key: value for key, value in tiny["corpora"]["star"].items() if key != "label_field"}
    experiment = build(configs.load(tiny, {"proxy": proxy, "corpora.star": star}))
    with pytest.raises(ConfigError, match="label_field"):
        experiment.make_proxy(experiment.make_learner(), [0])
