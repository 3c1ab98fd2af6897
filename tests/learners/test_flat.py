"""AdamW on the flat buffer against torch's, clipping, settings; what the buffer copies."""

import numpy as np
import pytest
import torch

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.flat import FlatParams
from curriculum_rl.learners.optimizer import TensorAdamW, adamw, adamw_alone, clip_by_norm
from curriculum_rl.schema.learners import OptimizerConfig

SHAPES = {"matrix": (16, 8), "vector": (16,)}


def _filled(replicas, *, undecayed=()):
    flat = FlatParams(SHAPES, replicas=replicas, device=torch.device("cpu"), undecayed=undecayed)
    for n in range(replicas):
        draw = torch.Generator().manual_seed(n)
        for block in flat.parameters.values():
            block[n] = torch.randn(block.shape[1:], generator=draw)
    return flat


def _gradients(step, replicas):
    out = {name: torch.empty(replicas, *shape) for name, shape in SHAPES.items()}
    for n in range(replicas):
        draw = torch.Generator().manual_seed(1000 * step + n)
        for block in out.values():
            block[n] = torch.randn(block.shape[1:], generator=draw)
    return out


@pytest.mark.parametrize("undecayed", [(), ("vector",)])
def test_adamw_equals_torch(undecayed):
    config = OptimizerConfig(weight_decay=0.3)
    flat = _filled(1, undecayed=undecayed)
    parameters = {name: block[0].clone().requires_grad_() for name, block in flat.parameters.items()}
    groups = [
        {"params": [p], "weight_decay": 0.0 if name in undecayed else config.weight_decay}
        for name, p in parameters.items()
    ]
    reference = torch.optim.AdamW(groups, lr=1e-2, betas=config.betas, eps=config.eps)
    for step in range(4):
        gradients = _gradients(step, 1)
        for name, parameter in parameters.items():
            parameter.grad = gradients[name][0].clone()
        reference.step()
        adamw(flat, gradients, np.array([1e-2]), config)
    for name, parameter in parameters.items():
        torch.testing.assert_close(flat.parameters[name][0], parameter.detach(), rtol=1e-6, atol=1e-6)


def test_replicas_out_of_phase_equal_themselves_alone():
    rates = np.array([1e-2, 3e-2, 1e-2])
    together = _filled(3)
    alone = [_filled(3) for _ in rates]
    for step in range(3):
        if step == 1:  # replica 2 starts anew: another step count
            fresh = together.snapshot()
            fresh.state[1:].zero_()
            fresh.steps[:] = 0
            together.restore(fresh, [2])
            alone[2].reset_optimizer()
        adamw(together, _gradients(step, 3), rates, OptimizerConfig())
        for n, flat in enumerate(alone):
            adamw(flat, _gradients(step, 3), np.repeat(rates[n], 3), OptimizerConfig())
    assert together.steps.tolist() == [3, 3, 2]
    for n, flat in enumerate(alone):
        for name in SHAPES:
            assert torch.equal(together.parameters[name][n], flat.parameters[name][n])


@pytest.mark.parametrize("undecayed", [(), ("vector",)])
def test_a_replica_updated_alone_has_the_same_bits(undecayed):
    together, looped = _filled(3, undecayed=undecayed), _filled(3, undecayed=undecayed)
    rates = np.array([1e-2, 3e-2, 1e-2])
    for step in range(2):
        gradients = _gradients(step, 3)
        for n in range(3):
            own = {name: block[n].clone() for name, block in gradients.items()}
            adamw_alone(looped, n, own, rates[n], OptimizerConfig())
        adamw(together, gradients, rates, OptimizerConfig())
    assert torch.equal(looped.state, together.state) and looped.steps.tolist() == [2, 2, 2]


def test_tensor_rates_and_steps_give_the_fused_update():
    config = OptimizerConfig(weight_decay=0.3)
    fused, tensors = _filled(3), _filled(3)
    for flat in (fused, tensors):
        flat.steps[:] = [0, 5, 1]  # out of phase
    update = TensorAdamW(tensors, config)
    update.steps.copy_(torch.from_numpy(tensors.steps))
    rates = np.array([1e-2, 3e-2, 0.0])
    for step in range(4):
        adamw(fused, _gradients(step, 3), rates, config)
        update(_gradients(step, 3), torch.from_numpy(rates))
    assert update.steps.tolist() == [4, 9, 5] == fused.steps.tolist()
    torch.testing.assert_close(tensors.state, fused.state, rtol=1e-5, atol=1e-7)
    assert torch.equal(tensors.parameters["matrix"][2], _filled(3).parameters["matrix"][2])  # its rate is 0


def test_a_failure_puts_everything_back():
    flat = _filled(2)
    before = flat.snapshot()
    with pytest.raises(KeyError), flat.undone_on_failure():
        adamw(flat, _gradients(0, 2), np.full(2, 1e-2), OptimizerConfig())
        raise KeyError
    assert torch.equal(flat.state, before.state) and flat.steps.tolist() == [0, 0]


def test_snapshots_alias_nothing_and_restore_single_replicas():
    flat = _filled(3)
    adamw(flat, _gradients(0, 3), np.full(3, 1e-2), OptimizerConfig())
    kept = flat.snapshot()
    copy = kept.state.clone()
    adamw(flat, _gradients(1, 3), np.full(3, 1e-2), OptimizerConfig())
    after = flat.snapshot()
    assert torch.equal(kept.state, copy) and kept.steps.tolist() == [1, 1, 1]
    flat.restore(kept, [1])
    assert flat.steps.tolist() == [2, 1, 2]
    for mine, before, later in zip(flat.snapshot().state, kept.state, after.state, strict=True):
        blocks, old, new = flat.blocks(mine), flat.blocks(before), flat.blocks(later)
        for name in SHAPES:
            assert torch.equal(blocks[name][1], old[name][1])
            assert torch.equal(blocks[name][[0, 2]], new[name][[0, 2]])
    flat.restore(kept)
    assert torch.equal(flat.snapshot().state, kept.state)
    with pytest.raises(ValueError, match="snapshot of shape"):
        _filled(2).restore(kept)


def test_clipping_is_by_replica_and_reports_the_norm_before():
    gradients = {"a": torch.tensor([[3.0, 0.0], [0.3, 0.0]]), "b": torch.tensor([[4.0], [0.4]])}
    norms = clip_by_norm(gradients, 1.0)
    torch.testing.assert_close(norms, torch.tensor([5.0, 0.5]))
    torch.testing.assert_close(gradients["a"], torch.tensor([[0.6, 0.0], [0.3, 0.0]]))
    torch.testing.assert_close(gradients["b"], torch.tensor([[0.8], [0.4]]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 0.0},
        {"clip": -1.0},
        {"eps": float("nan")},
        {"betas": (0.9, 1.0)},
        {"weight_decay": -1},
        {"label_smoothing": 1.0},
        {"accumulate": 0},
        {"accumulate": 1.5},
    ],
)
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        OptimizerConfig(**wrong)
