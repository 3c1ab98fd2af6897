"""Makes the objective that an environment file names."""

import numpy as np

from curriculum_rl import schema
from curriculum_rl.objectives.base import Objective, windows_of
from curriculum_rl.objectives.language_modelling import CausalLM
from curriculum_rl.objectives.masking import MaskedLM
from curriculum_rl.plugins import built_in, custom
from curriculum_rl.schema.objectives import MaskedLMObjective
from curriculum_rl.text.corpora import Corpus
from curriculum_rl.text.tokenizers import Tokenizer


def make_objective(section: schema.ObjectiveConfig, tokenizer: Tokenizer, *, causal: bool, context: int) -> Objective:
    """The objective of a section; tried on one row, so that what does not fit shows before anything runs.

    Args:
        section: which one, and its settings.
        tokenizer: the learner's.
        causal: how an objective is read that can be read left to right or in both directions, unless it says itself.
        context: T.

    Raises:
        ConfigError: if the tokenizer has too few label tokens, or the context is too short.
    """
    if isinstance(section, schema.Custom):
        own: Objective = custom(section, Objective, "objective", tokenizer=tokenizer)
        return own
    settings = section.settings()
    if settings.get("causal", ...) is None:
        settings["causal"] = causal
    objective: Objective = built_in(section)(tokenizer, **settings)
    if not objective.labelled:
        text = Corpus("trial", np.full(context + 1, tokenizer.ordinary_ids[0], dtype=np.uint32), sha256="")
        row, key = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.uint64)
        objective(windows_of(objective, text, row, context=context, keys=key), key)
    return objective


def language_modelling(tokenizer: Tokenizer, *, causal: bool) -> Objective:
    """Language modelling left to right, or of masked tokens in both directions."""
    if causal:
        return CausalLM(tokenizer)
    return MaskedLM(tokenizer, **MaskedLMObjective(kind="masked_lm").settings())
