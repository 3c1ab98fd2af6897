"""The gradient of an update, the dev head, and the cosines that META hears."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from tartan_arms import ARMS, Meta, Settings
from tartan_arms.dev import fit_dev_head
from tartan_arms.gradients import add_gradients, cosine
from tartan_arms.phases import Phase, train
from tartan_arms.run import start
from tartan_toys import BODY, SMALL, problem

STILL = replace(SMALL, dropout=False)


@pytest.fixture
def run():
    return start(BODY, problem(), ARMS["meta"], STILL, seed=0)


def slopes(model, loss):
    """By plain backward: the gradient of every parameter, by name."""
    model.zero_grad()
    loss.backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


def flat(found, names):
    return torch.cat([found[name].flatten() for name in names])


def names_of(model, parameters):
    ours = {id(p) for p in parameters}
    return [name for name, p in model.named_parameters() if id(p) in ours]


def test_cosine_by_hand():
    first = [torch.tensor([3.0, 0.0]), torch.tensor([4.0]), None]
    second = [torch.tensor([1.0, 1.0]), None, torch.tensor([1.0])]
    assert float(cosine(first, second)) == pytest.approx(3 / (5 * 3**0.5))
    assert float(cosine([torch.zeros(2)], [torch.ones(2)])) == 0


def test_heads_and_body_share_out_the_parameters(run):
    model = run.model
    groups = [model.body, model.lm_only, model.end_only]
    assert sum(map(len, groups)) == len(list(model.parameters()))
    assert sorted(id(p) for group in groups for p in group) == sorted(map(id, model.parameters()))
    (tied,) = [p for p in model.body if not any(p is q for q in model.shared)]
    assert tied is model.language.get_input_embeddings().weight


def test_weighted_gradients_add_up(run):
    model, weights = run.model, np.array([0.7, 0.3])
    batches = [run.batch(task, task, 0) for task in ("end", "tapt")]
    end, tapt = slopes(model, model.class_loss(batches[0])), slopes(model, model.masked_loss(batches[1]))
    add_gradients(model, batches, weights, share=0.5)
    add_gradients(model, batches, weights, share=0.5)
    for name, p in model.named_parameters():
        wanted = 0.7 * end.get(name, torch.zeros_like(p)) + 0.3 * tapt.get(name, torch.zeros_like(p))
        torch.testing.assert_close(p.grad, wanted)


def test_matched_gradients_are_as_long_as_the_end_tasks(run):
    model = run.model
    batches = [run.batch(task, task, 0) for task in ("end", "tapt")]
    body = names_of(model, model.body)
    add_gradients(model, batches, np.array([0.0, 1.0]), matched=True)
    length = torch.cat([p.grad.flatten() for p in model.body if p.grad is not None]).norm()
    end = slopes(model, model.class_loss(batches[0]))
    assert float(length) == pytest.approx(float(flat(end, [n for n in body if n in end]).norm()), rel=1e-4)


def test_the_dev_head_is_fresh_and_leaves_the_model_alone():
    run = start(BODY, problem(), ARMS["meta"], replace(STILL, pool="mean"), seed=0)
    before = [p.clone() for p in run.model.parameters()]
    batch = run.labelled(run.signal, "x", 0, 16)
    long = replace(STILL, dev_head_steps=200, dev_head_rate=1e-2, dev_head_tolerance=0.0)
    fitted = fit_dev_head(run.model, batch, long, seed=1)
    start_loss = float(run.model.class_loss(batch, run.model.fresh_head(1)).detach())
    assert (fitted.steps, fitted.loss < 0.95 * start_loss) == (200, True)
    assert fit_dev_head(run.model, batch, STILL, seed=1).steps <= 10
    assert fit_dev_head(run.model, batch, replace(STILL, dev_head_tolerance=1e9), seed=1).steps == 2
    assert all(torch.equal(p, q) for p, q in zip(run.model.parameters(), before, strict=True))


def test_metas_first_update_equals_one_made_by_hand(run):
    """Fresh head, ten plain AdamW steps, gradients by backward, cosines on the body but the tied matrix."""
    model, settings = run.model, STILL
    head_batch, dev_batch = (run.labelled(run.signal, s, 0, n) for s, n in (("dev head", 16), ("dev gradient", 8)))
    head = fit_dev_head(model, head_batch, settings, seed=_head_seed(0)).head
    names = names_of(model, model.shared)
    dev = flat(slopes(model, F.cross_entropy(head(model.pooled(dev_batch.ids)), dev_batch.labels)), names)
    wanted = []
    for task, loss in (("end", model.class_loss), ("tapt", model.masked_loss)):
        mine = flat(slopes(model, loss(run.batch(task, task, 0))), names)
        wanted.append(float(mine @ dev / (mine.norm() * dev.norm())))
    meta = Meta(2, rate=0.1)
    history = train(run, Phase("joint", ("end", "tapt"), 1, 1e-3, 1e-3, every=1), meta)
    assert history.rows[0]["cosines"] == pytest.approx(wanted, abs=1e-5)
    assert meta.logits == pytest.approx([0.5 + 0.1 * c for c in wanted], abs=1e-6)
    powers = np.exp(meta.logits)
    assert history.weights == pytest.approx(powers / powers.sum())


def _head_seed(update: int) -> int:
    from curriculum_rl.draws import key

    return key(0, "tartan", "dev head", update) >> 1


def test_settings_are_checked():
    from curriculum_rl.errors import ConfigError

    for wrong in ({"pool": "max"}, {"dev": "none"}, {"batch": 0}, {"context": 2}):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            Settings(**wrong)
