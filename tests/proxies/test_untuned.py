"""`updates: 0`: the learner is scored on the target's classes as it is, where a task trains them."""

from typing import Any

import numpy as np
import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.objectives import Classification
from curriculum_rl.pretraining.report import final_report
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.proxies.examples import labelled_batch
from curriculum_rl.schema import load as configs

BOTH_WAYS = [{"corpora": ["star"], "objective": {"kind": "classification", "causal": False}}]
AS_IT_IS = {"sequences": 16, "task_sequences": 0, "finetune": {"updates": 0, "test_examples": 1000}}


@pytest.mark.parametrize("causal", [True, False])
def test_the_figures_by_hand(tiny: dict[str, Any], causal: bool) -> None:
    """All report examples, read the way the task reads them, the softmax over two label tokens; nothing is trained."""
    tasks = [{"corpora": ["star"], "objective": {"kind": "classification", "causal": causal}}]
    experiment = build(configs.load({**tiny, "tasks": tasks, "report": AS_IT_IS}))
    learner = make_learner(experiment.config, experiment.problem, replicas=1)
    before = learner.snapshot().state
    report, price = final_report(experiment.problem, learner, [3], experiment.config.report)
    assert torch.equal(learner.snapshot().state, before)
    corpus = experiment.problem.target.labelled["report"]
    index = np.arange(corpus.size(16))[None]
    rows = labelled_batch(corpus, index, Classification(experiment.tokenizer, causal=causal), 16)
    found = learner.label_logits(rows, torch.tensor(corpus.label_ids)).double()[0]
    truth = torch.from_numpy(corpus.labels)
    assert report.few_shot is not None
    assert report.few_shot.log_loss[0] == pytest.approx(float(torch.nn.functional.cross_entropy(found, truth)))
    assert report.few_shot.accuracy[0] == pytest.approx(float((found.argmax(dim=1) == truth).double().mean()))
    text = 16 * 16
    assert price.tokens == text + index.size * 16
    assert price.flops == pytest.approx(learner.flops(price.tokens, training=False))


def test_as_a_proxy(tiny: dict[str, Any]) -> None:
    """The loss on the reward split pays, at the price of a forward pass."""
    proxy = {"kind": "finetune", "updates": 0, "every": 1, "test_examples": 20}
    run = Pretraining(build(configs.load({**tiny, "tasks": BOTH_WAYS, "proxy": proxy, "budget": {"updates": 60}})))
    run.begin([0])
    first = run.progress.score[0]
    assert first == pytest.approx(-np.log(2), abs=0.1)
    while run.next_updates():
        run.segment(np.ones((1, 1)))
    assert run.progress.score[0] > first
    assert run.ledger.flops["proxy"] == pytest.approx(
        (1 + run.progress.segments) * run.learner.flops(20 * 16, training=False)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, r"report\.finetune\.updates: 0 .*no task with labels.*there are: none"),
        (
            {"tasks": BOTH_WAYS, "report": {**AS_IT_IS, "finetune": {"updates": 0, "first_label": 2}}},
            r"from label token 2 on; there are: star\.classification \(bright, dark, from 0\)",
        ),
        (
            {"tasks": [{"corpora": ["other"], "objective": "classification"}]},
            r"classes \(bright, dark\).*there are: other\.classification \(far, near, from 0\)",
        ),
        ({"report": {"sequences": 16}, "proxy": {"kind": "finetune", "updates": 0}}, r"proxy\.updates: 0 scores"),
        ({"report": {**AS_IT_IS, "finetune": {"updates": -1}}}, r"report\.finetune\.updates: "),
    ],
)
def test_refused_at_the_door(tiny: dict[str, Any], changes: dict[str, Any], message: str, tmp_path: Any) -> None:
    path = tmp_path / "other.csv"
    lines = [f"the moon is {word} today {i},{word}" for i in range(40) for word in ("near", "far")]
    path.write_text("\n".join(["text,label", *lines]))
    other = {"kind": "files", "paths": str(path), "label_field": "label"}
    with pytest.raises(ConfigError, match=message):
        Pretraining(
            build(configs.load({**tiny, "corpora": {**tiny["corpora"], "other": other}, "report": AS_IT_IS, **changes}))
        )
