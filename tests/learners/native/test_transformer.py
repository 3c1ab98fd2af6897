"""The transformer's functions: masks, gradients, operations."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.native.forward import attention_mask, hidden_states
from curriculum_rl.learners.native.transformer import TransformerConfig, forward_flops, initialise, shapes


def _parameters(config, replicas=2, dtype=torch.float32):
    parameters = {name: torch.zeros(replicas, *shape) for name, shape in shapes(config).items()}
    initialise(parameters, config, range(replicas))
    return {name: block.to(dtype) for name, block in parameters.items()}


def test_masks_by_row():
    ids = torch.tensor([[[5, 6, 0], [5, 6, 0]]])
    mask = attention_mask(ids, torch.tensor([[True, False]]), pad_id=0)
    causal, both = (mask[:, 0] == 0).tolist()
    assert causal == [[True, False, False], [True, True, False], [True, True, True]]
    assert both == [[True, True, False], [True, True, False], [True, True, True]]


def test_causal_rows_see_no_future_and_bidirectional_ones_no_padding():
    config = TransformerConfig(vocab_size=20, width=32, heads=2, context=6)
    parameters = _parameters(config, replicas=1)
    ids = torch.tensor([[[3, 4, 5, 6, 7, 8], [3, 4, 5, 6, 0, 0]]])
    causal = torch.tensor([[True, False]])
    mask = attention_mask(ids, causal, pad_id=0)
    before = hidden_states(parameters, config, ids, mask).view(2, 6, 32)
    ids[0, 0, 4] = 9
    changed = hidden_states(parameters, config, ids, mask).view(2, 6, 32)
    assert torch.equal(before[0, :4], changed[0, :4]) and not torch.equal(before[0, 4:], changed[0, 4:])
    shorter = hidden_states(parameters, config, ids[:, 1:, :4], None)
    both = attention_mask(ids[:, 1:, :4], causal[:, 1:], pad_id=0)
    shorter = hidden_states(parameters, config, ids[:, 1:, :4], both)
    torch.testing.assert_close(before[1, :4], shorter[0])


def test_the_fast_path_equals_the_mask():
    config = TransformerConfig(vocab_size=20, width=32, heads=2, context=6)
    parameters = _parameters(config)
    ids = torch.randint(1, 20, (2, 3, 6), generator=torch.Generator().manual_seed(0))
    mask = attention_mask(ids, torch.ones(2, 3, dtype=torch.bool), pad_id=0)
    fast = hidden_states(parameters, config, ids, None)
    torch.testing.assert_close(hidden_states(parameters, config, ids, mask), fast)


@pytest.mark.parametrize("activation", ["relu2", "gelu", "silu"])
def test_gradients_pass_gradcheck(activation):
    config = TransformerConfig(vocab_size=5, layers=1, width=4, heads=2, context=3, activation=activation)
    parameters = {name: p.requires_grad_() for name, p in _parameters(config, dtype=torch.float64).items()}
    ids = torch.tensor([[[1, 2, 3]], [[4, 1, 1]]])

    def run(*values):
        return hidden_states(dict(zip(parameters, values, strict=True)), config, ids, None)

    with sdpa_kernel(SDPBackend.MATH):
        assert torch.autograd.gradcheck(run, tuple(parameters.values()), fast_mode=True)


def test_second_derivatives_raise_instead_of_being_wrong():
    config = TransformerConfig(vocab_size=5, width=16, heads=1, context=3)
    parameters = {name: p.requires_grad_() for name, p in _parameters(config).items()}
    total = hidden_states(parameters, config, torch.ones(2, 1, 3, dtype=torch.int64), None).square().sum()
    with pytest.raises(RuntimeError, match="no second derivative"):
        torch.autograd.grad(total, parameters["embedding"], create_graph=True)


def test_operations_equal_torch_count():
    config = TransformerConfig(vocab_size=60, layers=3, width=32, heads=2, context=8)
    parameters = _parameters(config, replicas=1)
    ids = torch.ones(1, 2, 8, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        torch.bmm(hidden_states(parameters, config, ids, None), parameters["embedding"].transpose(1, 2))
    assert forward_flops(config, 16) == counter.get_total_flops()


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"width": 30, "heads": 4}, "width: must be a multiple of heads, which is 4 .got 30."),
        ({"layers": 0}, "layers"),
        ({"vocab_size": 1}, "vocab_size"),
        ({"activation": "relu"}, "activation"),
        ({"context": 0}, "context"),
    ],
)
def test_wrong_sizes_are_named(wrong, key):
    with pytest.raises(ConfigError, match=key):
        TransformerConfig(**({"vocab_size": 10, "context": 8} | wrong))
