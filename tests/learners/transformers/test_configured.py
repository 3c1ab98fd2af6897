"""Every key of a model's configuration has an effect, or is refused by name."""

from typing import Any

import pytest
import torch
from made_models import BERT, GPT2, LLAMA, OPT, Words

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.schema.learners import Head, ModelOptions

MIXTRAL = {**LLAMA, "model_type": "mixtral", "num_key_value_heads": 1, "num_local_experts": 4}
QWEN2 = {**LLAMA, "model_type": "qwen2", "num_key_value_heads": 1}
GEMMA2 = {**QWEN2, "model_type": "gemma2", "head_dim": 16}
GPT2_ALIASED = {"model_type": "gpt2", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


def _learner(model: dict[str, Any], head: Head = "causal", **options: Any) -> TransformersLearner:
    return TransformersLearner(
        model, head=head, tokenizer=Words(), context=8, options=ModelOptions(attention="eager", **options)
    )


@pytest.mark.parametrize(
    ("model", "key", "value", "said"),
    [
        (LLAMA, "hiden_size", 32, "is no setting of model_type 'llama'"),
        (LLAMA, "to_dict", 3, "is no setting"),
        (LLAMA, "summary_type", "cls_index", "is no setting"),
        (LLAMA, "output_router_logits", True, "losses of its own are not added"),
        (MIXTRAL, "output_router_logits", True, "losses of its own are not added"),
        (MIXTRAL, "router_aux_loss_coef", 0.1, "losses of its own are not added"),
        (MIXTRAL, "router_jitter_noise", 0.1, "nothing is dropped"),
        (MIXTRAL, "attention_dropout", 0.1, "nothing is dropped"),
        (GPT2, "resid_pdrop", 0.1, "must be 0 unless learner.dropout is true"),
        (OPT, "layerdrop", 0.5, "must be 0 unless learner.dropout is true"),
        (BERT, "hidden_dropout_prob", 0.1, "must be 0 unless learner.dropout is true"),
        (LLAMA, "dtype", "bfloat16", "learner.precision"),
        (LLAMA, "torch_dtype", "bfloat16", "learner.precision"),
        (LLAMA, "attn_implementation", "sdpa", "learner.attention"),
        (LLAMA, "_attn_implementation", "sdpa", "learner.attention"),
        (LLAMA, "gradient_checkpointing", True, "learner.gradient_checkpointing"),
        (LLAMA, "label_smoothing", 0.1, "optimizer.label_smoothing"),
        (LLAMA, "use_cache", True, "nothing is generated"),
        (LLAMA, "output_hidden_states", True, "what a model returns"),
        (LLAMA, "return_dict", False, "what a model returns"),
        (LLAMA, "quantization_config", {"quant_method": "gptq"}, "parameters are float32"),
        (GPT2, "add_cross_attention", True, "no learner reads two texts"),
        (LLAMA, "is_encoder_decoder", True, "no learner reads two texts"),
        (LLAMA, "problem_type", "regression", "does not read it"),
        (LLAMA, "id2label", {0: "a", 1: "b", 2: "c"}, "does not read it"),
        (LLAMA, "num_labels", 7, "is no setting"),
        (BERT, "classifier_dropout", 0.1, "nothing is dropped"),
        (GPT2, "summary_type", "first", "does not read it"),
        (LLAMA, "pretraining_tp", 2, "does not read it"),
        (LLAMA, "pad_token_id", 3, "the tokenizer's is 0: drop it"),
        (LLAMA, "eos_token_id", 3, "the tokenizer's is 1: drop it"),
        (LLAMA, "vocab_size", 51, "the tokenizer's is 50: drop it"),
        (QWEN2, "max_window_layers", 3, "does not read it"),
        (GPT2_ALIASED, "n_embd", 64, "has become|is no|hidden_size"),
        (LLAMA, "hidden_act", "no such", "no such"),
        (LLAMA, "num_attention_heads", 5, "not a multiple"),
        (LLAMA, "hidden_size", "32", "hidden_size"),
    ],
)
def test_a_key_without_effect_is_refused(model: dict[str, Any], key: str, value: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        _learner({**model, key: value}, "masked" if model is BERT else "causal")
    assert "\n" not in str(caught.value) and key in str(caught.value)


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (LLAMA, {"rope_theta": 100.0}),
        (LLAMA, {"rope_parameters": {"rope_theta": 100.0, "rope_type": "default"}}),
        (LLAMA, {"rms_norm_eps": 0.5}),
        (LLAMA, {"hidden_act": "relu"}),
        (LLAMA, {"attention_bias": True}),
        (LLAMA, {"initializer_range": 0.3}),
        (LLAMA, {"tie_word_embeddings": False}),
        (GPT2, {"tie_word_embeddings": False}),
        (GPT2, {"scale_attn_by_inverse_layer_idx": True}),
        (OPT, {"do_layer_norm_before": False}),
        (MIXTRAL, {"num_experts_per_tok": 1}),
        (MIXTRAL, {"sliding_window": 2}),
        (GEMMA2, {"final_logit_softcapping": 0.01}),
        (GEMMA2, {"attn_logit_softcapping": 0.0001}),
        (QWEN2, {"use_sliding_window": True, "sliding_window": 2, "max_window_layers": 0}),
    ],
    ids=str,
)
def test_what_is_accepted_changes_the_model(model: dict[str, Any], changes: dict[str, Any], make_plan: Any) -> None:
    batch = make_plan(updates=1, length=8).batches[0]
    found = [_learner(settings) for settings in (model, {**model, **changes})]
    for learner in found:
        learner.reset([1])
    same_names = found[0].flat.shapes == found[1].flat.shapes
    assert not same_names or not torch.equal(found[0].token_losses(batch), found[1].token_losses(batch))


BART = {"model_type": "bart", "d_model": 32, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 64}
BART_ENCODER = {"encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 64}


def test_a_model_of_two_texts_is_refused_and_its_decoder_alone_is_not() -> None:
    assert _learner(BART).flat.size() > 0
    with pytest.raises(ConfigError, match="BartForConditionalGeneration reads two texts"):
        _learner(BART | BART_ENCODER, "masked")
    with pytest.raises(ConfigError, match="T5Config"):
        _learner({"model_type": "t5", "d_model": 32, "num_layers": 1, "num_heads": 2})
    with pytest.raises(ConfigError, match="encoder_layers: bart with this head does not read it"):
        _learner(BART | BART_ENCODER)


def test_a_vocabulary_of_another_size_inside_is_refused() -> None:
    inner = {**GEMMA2, "model_type": "gemma3_text", "vocab_size": 60}
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    with pytest.raises(ConfigError, match="one of 60 tokens, the tokenizer has 50"):
        _learner({"model_type": "gemma3", "text_config": inner, "vision_config": vision})
    with pytest.raises(ConfigError, match=r"learner\.model\.text_config\.hiden_size is no setting"):
        _learner({"model_type": "gemma3", "text_config": {**inner, "hiden_size": 4}, "vision_config": vision})


def test_a_number_may_become_a_list() -> None:
    model = {**BERT, "model_type": "longformer", "attention_window": 4}
    assert _learner(model, "masked").model.config.attention_window == [4, 4]


@pytest.mark.parametrize("name", ["hidden_size", "num_hidden_layers", "num_attention_heads"])
def test_a_size_and_its_other_name_do_not_disagree(name: str) -> None:
    assert _learner(GPT2_ALIASED).model.config.n_embd == 32
    with pytest.raises(ConfigError, match=r"learner\.model"):
        own = {"hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head"}[name]
        _learner({**GPT2_ALIASED, own: 4})


def test_what_agrees_with_what_is_done_is_no_mistake() -> None:
    agreed = {
        "use_cache": False,
        "return_dict": True,
        "pad_token_id": 0,
        "vocab_size": 50,
        "output_router_logits": False,
    }
    assert _learner({**MIXTRAL, **agreed, "attention_dropout": 0.0, "router_aux_loss_coef": 0.0}).flat.size() > 0
    assert _learner({**GPT2, "attn_pdrop": 0.3}, dropout=True).options.dropout
    assert "__getattribute__" not in vars(type(_learner(LLAMA).model.config))


def test_bounds_of_logits_are_kept_where_only_scored_positions_are_read() -> None:
    """Gemma 2 bounds its logits: its head alone does not say what the model says, which shows in large logits only."""
    learner = _learner({**GEMMA2, "final_logit_softcapping": 5.0})
    ids = torch.arange(3, 11)[None]
    with torch.no_grad():
        for p in learner.model.parameters():
            p.mul_(30)
        logits = learner.network.logits(ids)
        wanted = learner.model(input_ids=ids).logits
    torch.testing.assert_close(logits, wanted)
    assert 4 < float(logits.abs().max()) <= 5
