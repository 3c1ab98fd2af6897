"""A head is tried, not believed: what logits may not depend on, in models of the library and in toys."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from made_models import BERT, GPT2, LLAMA, OPT, Words
from torch import Tensor, nn

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.leaks import check_leaks
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.learners.transformers.network import HFNetwork
from curriculum_rl.schema.learners import Head, ModelOptions

ROFORMER = {**BERT, "model_type": "roformer", "embedding_size": 32}
MEGATRON = {**BERT, "model_type": "megatron-bert"}
DECODER = {"is_decoder": True}
XLNET = {"model_type": "xlnet", "d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64}
MAMBA = {"model_type": "mamba", "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}
MISTRAL = {**LLAMA, "model_type": "mistral", "sliding_window": 4, "num_key_value_heads": 1}
MIXTRAL = {**MISTRAL, "model_type": "mixtral", "num_local_experts": 4}
BART = {"model_type": "bart", "d_model": 32, "decoder_layers": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 64}
BLOOM = {"model_type": "bloom", "hidden_size": 32, "n_layer": 2, "n_head": 2}


def _learner(model: dict[str, Any], head: Head, context: int = 16, **options: Any) -> TransformersLearner:
    return TransformersLearner(
        model, head=head, tokenizer=Words(), context=context, options=ModelOptions(attention="eager", **options)
    )


@pytest.mark.parametrize(
    ("model", "head"),
    [
        *[(model, "causal") for model in (LLAMA, GPT2, OPT, MISTRAL, MIXTRAL, BART, BLOOM, MAMBA)],
        *[(model | DECODER, "causal") for model in (BERT, ROFORMER, MEGATRON)],
        *[(model, "masked") for model in (BERT, ROFORMER, MEGATRON)],
    ],
    ids=lambda value: value if isinstance(value, str) else value["model_type"],
)
def test_a_model_that_reads_as_its_head_says_is_made(model: dict[str, Any], head: Head) -> None:
    for context in (1, 16):
        assert _learner(model, head, context).flat.size() > 0


@pytest.mark.parametrize(
    ("model", "head", "said"),
    [
        *[(model, "causal", "or is_decoder to true in learner.model") for model in (BERT, ROFORMER, MEGATRON)],
        (XLNET, "causal", "XLNetLMHeadModel says of a token changes with later ones"),
        *[(m | DECODER, "masked", "reads left to right alone.*is_decoder to false") for m in (BERT, ROFORMER)],
    ],
    ids=lambda value: value["model_type"] if isinstance(value, dict) else None,
)
def test_one_that_does_not_is_refused(model: dict[str, Any], head: Head, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"learner\.head {head!r}: .*{said}") as caught:
        _learner(model, head)
    assert "\n" not in str(caught.value)


def test_the_generator_is_left_as_it_was() -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    _learner(GPT2, "causal", dropout=True)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_dropout_that_is_asked_for_must_be_there() -> None:
    _learner(LLAMA | {"attention_dropout": 0.1}, "causal", dropout=True)
    with pytest.raises(ConfigError, match=r"learner\.dropout: LlamaForCausalLM is configured to drop nothing"):
        _learner(LLAMA, "causal", dropout=True)


def test_a_model_that_reads_padding_reads_all_of_a_row_whatever_its_neighbours(make_plan: Any) -> None:
    learner = _learner(
        {"model_type": "fnet", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1}, "masked"
    )
    batch = make_plan(updates=1, kinds=("masked",)).batches[0]
    batch.input_ids[..., 3:] = 0
    batch.weights[..., 3:] = 0
    alone = learner.token_losses(batch[:, :1])
    batch.input_ids[0, 1:] = 7
    torch.testing.assert_close(learner.token_losses(batch)[:, :1], alone)


class Toy(nn.Module):
    """A model with the interface of the library's, which looks where it is told, through a gate that begins at 0."""

    device = torch.device("cpu")

    def __init__(self, looks: str) -> None:
        super().__init__()
        self.config = SimpleNamespace(hidden_size=8)
        self.embedding = nn.Embedding(50, 8)
        self.gate = nn.Parameter(torch.zeros(8))
        self.looks = looks

    @property
    def base_model(self) -> "Toy":
        return self

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None, output_hidden_states: bool = False) -> Any:
        x = self.embedding(input_ids)
        before = x.cumsum(dim=1)
        T = x.shape[1]
        if self.looks == "ahead":
            seen = x.roll(-1, dims=1)
        elif self.looks == "in blocks":
            seen = x[:, torch.arange(T) // 4 * 4 + 3 - torch.arange(T) % 4 if T % 4 == 0 else torch.arange(T)]
        elif self.looks == "at the last":
            seen = x[:, -1:].expand_as(x)
        elif self.looks == "at others":
            seen = x.mean(dim=0, keepdim=True).expand_as(x)
        elif self.looks == "at the length":
            seen = (input_ids != 0).sum(dim=1)[:, None, None] * torch.ones_like(x)
        elif self.looks == "at padding":
            seen = x.sum(dim=1, keepdim=True).expand_as(x)
        elif self.looks == "at noise":
            seen = torch.randn(x.shape)
        elif self.looks == "both ways":
            present = torch.ones_like(input_ids) if attention_mask is None else attention_mask
            seen = (x * present[..., None]).sum(dim=1, keepdim=True).expand_as(x)
        else:
            seen = torch.zeros_like(x)
        return SimpleNamespace(logits=(before + self.gate * seen) @ self.embedding.weight.T)


def _check(looks: str, head: Head, context: int = 16) -> bool:
    options = ModelOptions()
    return check_leaks(HFNetwork(Toy(looks), head, Words(), options, "float32", torch.device("cpu")), context)


@pytest.mark.parametrize("context", [2, 3, 16, 200])
def test_toys_that_look_where_they_may(context: int) -> None:
    assert not _check("back", "causal", context)
    assert not _check("both ways", "masked", context)
    assert _check("at padding", "masked", context)


@pytest.mark.parametrize("context", [16, 100, 256])
@pytest.mark.parametrize(
    ("looks", "head", "said"),
    [
        ("ahead", "causal", "later ones"),
        ("in blocks", "causal", "later ones"),
        ("at the last", "causal", "later ones"),
        ("both ways", "causal", "later ones"),
        ("at the length", "causal", "later ones"),
        ("at others", "causal", "other rows"),
        ("at others", "masked", "other rows"),
        ("at noise", "causal", "random numbers"),
        ("at noise", "masked", "random numbers"),
        ("back", "masked", "left to right alone"),
    ],
)
def test_toys_that_look_where_they_may_not(looks: str, head: Head, said: str, context: int) -> None:
    with pytest.raises(ConfigError, match=said):
        _check(looks, head, context)
