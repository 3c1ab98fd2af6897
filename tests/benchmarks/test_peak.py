"""The products that the peak is measured on, and the GPU benchmark where there is no GPU."""

import sys

import pytest
import torch

from curriculum_rl.learners import TransformerConfig
from curriculum_rl.learners.native.transformer import forward_flops


@pytest.mark.parametrize("rows", [1, 5])
def test_the_products_of_an_update_are_its_operations_without_attention(benchmark, rows):
    peak = benchmark("peak")
    config = TransformerConfig(vocab_size=60, layers=3, width=32, heads=2, context=50)
    products = peak.learner_products(config, rows, torch.device("cpu"))
    tokens = rows * config.context
    attention = 4 * config.layers * config.context * config.width * tokens
    assert peak.operations(products) == 3 * (forward_flops(config, tokens) - attention)
    assert max(m for m, _, n in products if n == 60) <= 128  # the head's products are made in chunks


def test_a_rate_is_operations_over_time(benchmark, monkeypatch):
    peak = benchmark("peak")
    ticks = iter(range(100))
    monkeypatch.setattr(peak.Span, "now", classmethod(lambda cls: cls(0.5 * next(ticks), 0.0)))
    assert peak.gemm_rate([(10, 20, 30)], replicas=3, calls=2) == pytest.approx(3 * 12_000 / 0.25 / 1e9)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device, which the benchmark would keep busy")
def test_without_a_gpu_nothing_is_reported(benchmark, monkeypatch, capsys, tmp_path):
    gpu = benchmark("gpu")
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--json", str(tmp_path / "gpu.json")])
    gpu.main()
    assert capsys.readouterr().out == "no CUDA device: nothing was measured\n"
    assert not (tmp_path / "gpu.json").exists()
