"""Products of gradients and what is estimated from them."""

import numpy as np
import pytest
import torch

from curriculum_rl.learners.alignment import gradient_products
from curriculum_rl.signals.gradients import between, variance


def test_products_are_those_of_autograd() -> None:
    generator = torch.Generator().manual_seed(0)
    gradients = [{"a": torch.randn(2, 3, generator=generator), "b": torch.randn(2, 2, 2, generator=generator)}] * 2
    gradients[1] = {name: torch.randn(block.shape, generator=generator) for name, block in gradients[0].items()}
    second = {name: torch.rand(block.shape, generator=generator) for name, block in gradients[0].items()}
    made = gradient_products(gradients, second, torch.tensor([0, 3]), beta=0.9, eps=1e-8)
    flat = [torch.cat([g[n].flatten(1) for n in g], dim=1) for g in gradients]
    moments = torch.cat([second[n].flatten(1) for n in second], dim=1) / (1 - 0.9**3)
    assert made.raw[1, 0, 1].item() == pytest.approx(float(flat[0][1] @ flat[1][1]), rel=1e-5)
    assert made.adam[1, 0, 1].item() == pytest.approx(float(flat[0][1] @ (flat[1][1] / moments[1].sqrt())), rel=1e-4)
    assert torch.allclose(made.adam[0], made.raw[0])


def test_halves_give_unbiased_squares_and_the_variance_of_a_row() -> None:
    draw = np.random.default_rng(0)
    mean, rows, many = np.array([[1.0, 2.0, 0.0], [0.5, -1.0, 1.0]]), 4, 4000
    grams = np.empty((many, 4, 4))
    for i in range(many):
        halves = np.concatenate([mean[g] + draw.normal(0, 2, (2, rows, 3)).mean(axis=1) for g in range(2)])
        grams[i] = halves @ halves.T
    assert np.allclose(between(grams).mean(axis=0), mean @ mean.T, atol=0.12)
    assert np.allclose(variance(grams, rows).mean(axis=0), 3 * 4.0, atol=0.3)
