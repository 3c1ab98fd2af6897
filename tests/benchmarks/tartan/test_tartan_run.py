"""Whole runs of toy size: phases, selection, costs, and what is drawn from what."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tartan_arms import ARMS, END, Arm, encoded, run_arm
from tartan_arms.lm_head import ensure_lm_head
from tartan_arms.metrics import accuracy, macro_f1
from tartan_arms.phases import Phase, train
from tartan_arms.rows import masked_batch
from tartan_arms.run import start
from tartan_arms.weights import Even
from tartan_toys import BODY, SMALL, problem

from curriculum_rl.errors import ConfigError


@pytest.fixture(scope="module")
def toy():
    return problem()


def without_seconds(found):
    return {name: value for name, value in found.items() if name != "seconds"}


@pytest.mark.parametrize("name", ["ft", "tapt->ft", "meta+noise", "mt-norm-matched", "dev-control"])
def test_an_arm_runs_and_repeats(toy, name):
    found = run_arm(BODY, toy, ARMS[name], SMALL, seed=3)
    assert without_seconds(run_arm(BODY, toy, ARMS[name], SMALL, seed=3)) == without_seconds(found)
    assert 0 <= found["test"]["macro_f1"] <= 1
    assert found["joint"]["updates"] <= 6
    assert sum(found["weights"].values()) == pytest.approx(1)
    assert ("signal" in found["ledger"]) == ARMS[name].meta


def test_another_seed_is_another_run(toy):
    first, second = (run_arm(BODY, toy, ARMS["ft"], SMALL, seed=seed) for seed in (0, 1))
    assert first["joint"]["rows"][0]["losses"] != second["joint"]["rows"][0]["losses"]


def test_it_learns_the_toy(toy):
    settings = replace(SMALL, updates=60, every=20, patience=5, body_rate=3e-3, head_rate=3e-3, final_updates=0)
    assert run_arm(BODY, toy, ARMS["ft"], settings, seed=0)["test"]["macro_f1"] > 0.9


def test_masked_text_is_learned_before(toy):
    arm = Arm(before=("tapt",))
    settings = replace(SMALL, pretrain_updates=80, pretrain_rate=3e-3, dropout=False)
    before = run_arm(BODY, toy, arm, settings, seed=0)["before"]
    assert before["updates"] == 80
    assert before["rows"][0]["losses"][0] < 4.5  # ln V is 5.6


def test_the_best_weights_stay(toy):
    """Selection says one thing, then worse: the phase ends with the better weights, after `patience` looks."""
    run = start(BODY, toy, ARMS["ft"], SMALL, seed=0)
    scores = iter([0.2, 0.9, 0.1, 0.8, 0.95])
    seen = []

    def scored():
        seen.append([p.detach().clone() for p in run.model.parameters()])
        return next(scores)

    run.selected = scored  # type: ignore[method-assign]
    history = train(run, Phase("joint", (END,), 10, 1e-3, 1e-3, every=1, patience=2), Even(1))
    assert (history.updates, history.best, history.improved) == (4, 0.9, True)
    assert all(torch.equal(p, q) for p, q in zip(run.model.parameters(), seen[1], strict=True))


def test_a_last_fine_tune_that_does_not_help_is_dropped(toy):
    run = start(BODY, toy, ARMS["ft"], SMALL, seed=0)
    before = [p.detach().clone() for p in run.model.parameters()]
    run.selected = lambda: 0.5  # type: ignore[method-assign]
    history = train(run, Phase("final", (END,), 6, 1e-3, 1e-3, every=2, patience=3, best=0.5, constant=True), Even(1))
    assert (history.updates, history.improved) == (6, False)
    assert all(torch.equal(p, q) for p, q in zip(run.model.parameters(), before, strict=True))


def test_the_head_is_fitted_with_the_body_frozen_and_charged_when_read_back(toy, tmp_path):
    settings = replace(SMALL, lm_head_updates=60, lm_head_every=20)
    runs = [start(BODY, toy, ARMS["ft"], settings, seed=0) for _ in range(2)]
    before = [p.clone() for p in runs[0].model.body]
    first, second = (ensure_lm_head(run, tmp_path / "heads" / "head.safetensors") for run in runs)
    assert first == second
    assert first.losses[-1] < first.losses[0]
    assert all(torch.equal(p, q) for p, q in zip(runs[0].model.body, before, strict=True))
    assert all(torch.equal(p, q) for p, q in zip(runs[0].model.lm_only, runs[1].model.lm_only, strict=True))
    assert runs[0].ledger.entries() == runs[1].ledger.entries()
    assert first.flops == runs[0].ledger.flops["train"] > 0
    flat = ensure_lm_head(start(BODY, toy, ARMS["ft"], replace(settings, lm_head_tolerance=0.9), seed=0))
    assert (flat.flat, flat.updates) == (True, 20)


def test_costs_by_hand(toy):
    """Six updates of eight rows: training three forward passes, a listener one on its head's rows and three more."""
    run = start(BODY, toy, ARMS["meta"], SMALL, seed=0)
    batch = run.labelled(run.signal, "dev head", 0, 16)
    run.charge("signal", batch, training=False)
    assert run.ledger.flops["signal"] == batch.ids.numel() * run.model.flops_body
    assert run.model.flops_lm == 2 * 32 * (32 + toy.tokenizer.vocab_size)
    masked: Any = run.batch("tapt", "tapt", 0)
    run.charge("train", masked, training=True)
    wanted = masked.ids.numel() * run.model.flops_body + len(masked.places) * run.model.flops_lm
    assert run.ledger.flops["train"] == 3 * wanted


def test_halves_of_dev(toy):
    """META's examples and the selected ones are disjoint, in every arm the same; the control trains on the first."""
    runs = [start(BODY, toy, ARMS[name], SMALL, seed=1) for name in ("meta", "dev-control")]
    assert [len(run.signal.labels) for run in runs] == [20, 20]
    assert np.array_equal(runs[0].selection.ids, runs[1].selection.ids)
    both = np.concatenate([runs[0].signal.ids, runs[0].selection.ids])
    assert sorted(map(tuple, both)) == sorted(map(tuple, toy.dev.ids))
    assert [len(run.train.labels) for run in runs] == [60, 80]
    shared = replace(SMALL, dev="shared")
    assert len(start(BODY, toy, ARMS["meta"], shared, seed=1).signal.labels) == 40
    with pytest.raises(ConfigError, match="dev: shared"):
        start(BODY, toy, ARMS["dev-control"], shared, seed=1)


def test_masks(toy):
    """The first token is never asked for, masks differ from draw to draw, targets are the text."""
    rows = toy.texts["tapt"][:8]
    batches = [masked_batch(rows, toy.tokenizer, 5, first, torch.device("cpu")) for first in (0, 8)]
    width = batches[0].ids.shape[1]
    assert width <= 12
    for batch in batches:
        assert len(batch.places) >= 8
        assert (batch.places % width != 0).all()
        assert np.array_equal(rows[:, :width].ravel()[batch.places.numpy()], batch.targets.numpy())
    assert not torch.equal(batches[0].places, batches[1].places)


def test_mistakes(toy):
    with pytest.raises(ConfigError, match="no text 'foreign'"):
        run_arm(BODY, toy, ARMS["mt+foreign"], SMALL, seed=0)
    with pytest.raises(ConfigError, match="1 of 2 are empty"):
        encoded(["", "a"], toy.tokenizer, 12)
    with pytest.raises(ConfigError, match="context 40"):
        start(BODY, toy, ARMS["ft"], replace(SMALL, context=40), seed=0)


def test_metrics_by_hand():
    truth, told = np.array([0, 0, 1, 1, 2]), np.array([0, 1, 1, 1, 3])
    assert accuracy(truth, told) == pytest.approx(3 / 5)
    assert macro_f1(truth, told) == pytest.approx((2 / 3 + 4 / 5 + 0 + 0) / 4)
