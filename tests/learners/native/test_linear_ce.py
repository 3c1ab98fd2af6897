"""The chunked linear cross-entropy against torch's own."""

import pytest
import torch
import torch.nn.functional as F

from curriculum_rl.learners.native.linear_ce import linear_cross_entropy, linear_nll


def _problem(dtype, replicas=2, rows=11, width=6, vocab=9):
    draw = torch.Generator().manual_seed(0)
    hidden = torch.randn(replicas, rows, width, generator=draw, dtype=dtype, requires_grad=True)
    table = torch.randn(replicas, vocab, width, generator=draw, dtype=dtype, requires_grad=True)
    targets = torch.randint(vocab, (replicas, rows), generator=draw)
    weights = torch.rand(replicas, rows, generator=draw, dtype=dtype)
    weights[:, 3] = 0
    return hidden, table, targets, weights


def _reference(hidden, table, targets, weights):
    logits = hidden @ table.transpose(1, 2)
    nll = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(weights)
    return (nll * weights).sum(dim=1), nll


@pytest.mark.parametrize("chunk", [1, 4, 11, 128])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_values_and_gradients_equal_cross_entropy(chunk, dtype, tolerance):
    hidden, table, targets, weights = _problem(dtype)
    scale = torch.tensor([1.0, -2.5], dtype=dtype)
    loss, nll = linear_cross_entropy(hidden, table, targets, weights, chunk=chunk)
    wanted, wanted_nll = _reference(hidden, table, targets, weights)
    torch.testing.assert_close(loss, wanted, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(nll, wanted_nll, rtol=tolerance, atol=tolerance)
    mine = torch.autograd.grad((loss * scale).sum(), (hidden, table))
    theirs = torch.autograd.grad((wanted * scale).sum(), (hidden, table))
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


def test_gradients_pass_gradcheck():
    hidden, table, targets, weights = _problem(torch.float64, rows=5)
    assert torch.autograd.gradcheck(
        lambda h, e: linear_cross_entropy(h, e, targets, weights, chunk=2)[0], (hidden, table)
    )


def test_second_derivatives_raise_instead_of_being_wrong():
    hidden, table, targets, weights = _problem(torch.float64)
    loss, _ = linear_cross_entropy(hidden, table, targets, weights)
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(loss.sum(), hidden, create_graph=True)


def test_values_alone_equal_the_training_loss():
    hidden, table, targets, weights = _problem(torch.float32)
    _, nll = linear_cross_entropy(hidden, table, targets, weights, chunk=4)
    assert torch.equal(nll, linear_nll(hidden, table, targets, chunk=4))


def test_a_hopeless_token_has_a_finite_loss_and_nan_stays_nan():
    hidden = torch.tensor([[[1000.0], [float("nan")]]])
    table = torch.tensor([[[1.0], [-1.0]]])
    nll = linear_nll(hidden, table, torch.tensor([[1, 1]]))
    assert 80 < nll[0, 0] < 100
    assert nll[0, 1].isnan()
