"""Every proxy keeps the contract, and each one's own figures."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.batch import Batch
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.proxies.base import Price, Reading, Refreshed, Stateless
from curriculum_rl.proxies.build import make_proxy
from curriculum_rl.proxies.few_shot import few_shot
from curriculum_rl.proxies.head import softmax_head
from curriculum_rl.proxies.heldout import HeldOutLoss
from curriculum_rl.proxies.heldout_tasks import Counted, HeldOutTasks
from curriculum_rl.proxies.probe import leave_one_out
from curriculum_rl.schema import load as configs
from curriculum_rl.testing.proxies import ProxyContract

PROXIES: list[dict[str, Any]] = [
    {"kind": "heldout_loss", "sequences": 8},
    {"kind": "finetune", "examples": 16, "updates": 3, "batch": 4, "test_examples": 16, "every": 2},
    {"kind": "probe", "examples": 32, "every": 3},
    {"kind": "head", "examples": 32, "test_examples": 24, "steps": 10, "length": 12, "every": 2},
]


class TestProxies(ProxyContract):
    @pytest.fixture(params=[*PROXIES, {"kind": "heldout_tasks", "sequences": 3}], ids=lambda proxy: str(proxy["kind"]))
    def proxy(self, request: pytest.FixtureRequest) -> dict[str, Any]:
        return dict(request.param)


@pytest.mark.parametrize("proxy", PROXIES, ids=lambda proxy: str(proxy["kind"]))
def test_seeds_draw_what_is_read(tiny: dict[str, Any], proxy: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {"proxy": proxy}))
    learner = make_learner(experiment.config, experiment.problem)
    first, second = (make_proxy(experiment.config.proxy, experiment.problem, learner, [seed]) for seed in (1, 2))
    assert first.score(learner).score != second.score(learner).score


def test_held_out_loss_is_minus_the_mean_over_scored_tokens(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny))
    learner = make_learner(experiment.config, experiment.problem)
    batch = experiment.problem.target_windows("reward", 8, [0], causal=learner.causal_rows)
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


class Fixed:
    """A learner whose losses are what they are told."""

    def __init__(self, losses: np.ndarray) -> None:
        self.losses = losses

    def token_losses(self, batch: Batch) -> torch.Tensor:
        rows = torch.from_numpy(np.repeat(self.losses, 2, axis=1))
        return rows[:, :, None] * batch.weights


def of_tasks(counted: Counted = "others") -> HeldOutTasks:
    """Of three tasks and two replicas; two windows of four tokens each, half of them scored."""
    weights = torch.tensor([1.0, 0, 1, 0]).expand(2, 6, 4)
    ids = torch.zeros(2, 6, 4, dtype=torch.int64)
    return HeldOutTasks(Batch(ids, ids, weights, torch.ones(2, 6, dtype=torch.bool)), tasks=3, counted=counted)


def test_tasks_that_were_not_selected_are_the_judge() -> None:
    proxy = of_tasks()
    before = proxy.score(Fixed(np.array([[4.0, 2, 1], [4, 2, 1]])))  # type: ignore[arg-type]
    assert before.score == pytest.approx([-1, -1], abs=1e-5)
    after = proxy.score(Fixed(np.array([[1.0, 1.8, 1.1], [3, 1, 0.5]])))  # type: ignore[arg-type]
    assert after.score == pytest.approx([-(0.25 + 0.9 + 1.1) / 3, -(0.75 + 0.5 + 0.5) / 3], abs=1e-5)
    assert before.heldout is not None and after.heldout is not None
    mixture = np.array([[1.0, 0, 0], [0.5, 0.25, 0.25]])
    # Task 0 alone: the mean of what tasks 1 and 2 gained; else weights of .5, .75 and .75.
    assert proxy.gain(before.heldout, after.heldout, mixture) == pytest.approx(
        [(0.1 - 0.1) / 2, (0.5 * 0.25 + 0.75 * 0.5 + 0.75 * 0.5) / 2], abs=1e-5
    )
    even = of_tasks("all").gain(before.heldout, after.heldout, mixture)
    assert even == pytest.approx([(0.75 + 0.1 - 0.1) / 3, (0.25 + 0.5 + 0.5) / 3], abs=1e-5)


@given(st.integers(0, 1000))
@settings(deadline=None)
def test_the_gain_is_within_one_and_a_stratified_segment_is_judged_evenly(seed: int) -> None:
    draw = np.random.default_rng(seed)
    before, after = draw.uniform(0, 8, (2, 3)), draw.uniform(0, 80, (2, 3))
    for proxy in (of_tasks(), of_tasks("all")):
        assert (np.abs(proxy.gain(before, after, draw.dirichlet(np.ones(3), 2))) <= 1).all()
    stratified = np.full((2, 3), 1 / 3)
    assert of_tasks().gain(before, after, stratified) == pytest.approx(of_tasks("all").gain(before, after, stratified))


def test_a_single_task_judges_itself() -> None:
    assert of_tasks().gain(np.full((1, 1), 2.0), np.full((1, 1), 1.0), np.ones((1, 1))) == pytest.approx(0.5, abs=1e-5)


AGNOSTIC = {"proxy": {"kind": "heldout_tasks", "sequences": 3}, "report.task_sequences": 4}


def test_the_agnostic_proxy_pays_a_run_and_goes_on_exactly(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {**AGNOSTIC, "budget.updates": 40}))
    run, other = Pretraining(experiment, replicas=2), Pretraining(experiment, replicas=2)
    run.begin([0, 1])
    assert run.progress.score == pytest.approx([-1, -1], abs=1e-5)
    mixture = np.array([[1.0, 0, 0, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]])
    before = run.progress.heldout.copy()
    first = run.segment(mixture)
    relative = (before - run.progress.heldout) / (before + 1e-6)
    assert first.gain == pytest.approx([relative[0, 1:].mean(), relative[1].mean()])
    assert run.ledger.flops["proxy"] > 0
    kept = run.state()
    other.load_state(kept)
    assert run.segment(mixture).gain.tolist() == other.segment(mixture).gain.tolist()
    assert run.progress.score.tolist() == other.progress.score.tolist()


def test_a_segment_that_was_undone_gains_nothing_and_leaves_the_losses(
    tiny: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Pretraining(build(configs.load(tiny, AGNOSTIC)), replicas=2)
    run.begin([0, 1])
    train = run.learner.train

    def exploding(plan: Any) -> Any:
        report = train(plan)
        return dataclasses.replace(report, finite=np.array([True, False]))

    monkeypatch.setattr(run.learner, "train", exploding)
    before = run.progress.heldout.copy()
    outcome = run.segment(np.full((2, 5), 0.2))
    assert outcome.gain[1] == 0 and outcome.gain[0] != 0
    assert run.progress.heldout[1].tolist() == before[1].tolist()
    assert run.progress.heldout[0].tolist() != before[0].tolist()


def test_too_little_held_out_text_is_named(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {**AGNOSTIC, "proxy.sequences": 9999}))
    with pytest.raises(ConfigError, match=r"sequences: 9999 held-out windows of sea .* behind 4 that are reported"):
        Pretraining(experiment)


def test_the_light_head_is_the_regularised_optimum_and_its_splits_are_apart(tiny: dict[str, Any]) -> None:
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(2, 60, 4, generator=draw, dtype=torch.float64)
    truth = torch.nn.functional.one_hot(torch.randint(3, (2, 60), generator=draw)).double()
    weights = softmax_head(x, truth, 2000, 0.1)
    slope = x.mT @ (torch.softmax(x @ weights, dim=-1) - truth) / 60 + 0.1 * weights
    assert float(slope.abs().max()) < 1e-8
    experiment = build(configs.load(tiny))
    labelled = experiment.problem.target.labelled
    texts = {
        split: {tuple(labelled[split].windows(np.array([i]), 32)[0]) for i in range(len(labelled[split].labels))}
        for split in ("signal", "reward", "report")
    }
    assert texts["signal"] and not texts["signal"] & texts["reward"]
    assert not (texts["signal"] | texts["reward"]) & texts["report"]


def test_a_fresh_head_reads_other_label_tokens(tiny: dict[str, Any]) -> None:
    experiment = build(configs.load(tiny, {"report.finetune.first_label": 2}))
    learner = make_learner(experiment.config, experiment.problem)
    learner.reset([0])
    report = experiment.config.report.finetune
    assert report is not None
    fresh, plain = (
        few_shot(experiment.problem, learner, "report", each, [0])
        for each in (report, report.model_copy(update={"first_label": 0}))
    )
    labels = list(experiment.tokenizer.label_ids)
    for few, tokens in ((fresh, labels[2:4]), (plain, labels[:2])):
        scored = few._test.targets[few._test.weights > 0]
        assert sorted(set(scored.tolist())) == tokens
        assert few._labels.tolist() == tokens
    assert torch.equal(fresh._true_classes(), plain._true_classes())
    assert np.isfinite(fresh(learner).log_loss).all()
    with pytest.raises(ConfigError, match=r"tokenizer.labels: classes from label token 3 on need 5, .* has 4"):
        few_shot(experiment.problem, learner, "report", report.model_copy(update={"first_label": 3}), [0])


@pytest.mark.parametrize(
    "proxy", [{"kind": "head", "examples": 64, "test_examples": 64}, {"kind": "probe", "examples": 64}]
)
@pytest.mark.parametrize("head", ["causal", "masked"])
def test_features_do_not_show_the_label(tiny: dict[str, Any], proxy: dict[str, Any], head: str) -> None:
    """With every label another one the learner reads the same rows, so that its features are the same."""
    model = {"model_type": {"causal": "gpt2", "masked": "bert"}[head]}
    sizes = {"gpt2": {"n_embd": 16, "n_layer": 1, "n_head": 2}, "bert": {"hidden_size": 16, "num_hidden_layers": 1,
             "num_attention_heads": 2, "intermediate_size": 16}}[model["model_type"]]  # fmt: skip
    learner = {"kind": "transformers", "head": head, "model": {**model, **sizes}}
    tasks = [{"corpora": ["sea"], "objective": f"{head}_lm"}]
    experiment = build(configs.load(tiny, {"proxy": proxy, "learner": learner, "tasks": tasks}))
    made: Any = make_proxy(
        experiment.config.proxy, experiment.problem, make_learner(experiment.config, experiment.problem), [1]
    )
    inner = made._proxy
    ids = torch.cat([b.input_ids.flatten() for b in vars(inner).values() if isinstance(b, Batch)])
    assert not torch.isin(ids, torch.tensor(experiment.tokenizer.label_ids)).any()
