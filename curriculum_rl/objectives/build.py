"""Makes the objective that an environment file names."""

from collections.abc import Callable

import numpy as np

from curriculum_rl import schema
from curriculum_rl.objectives.base import Objective, windows_of
from curriculum_rl.objectives.classification import Classification
from curriculum_rl.objectives.detection import AddedTokenDetection, DeletedTokenDetection, ReplacedTokenDetection
from curriculum_rl.objectives.language_modelling import CausalLM, PrefixLM
from curriculum_rl.objectives.masking import MaskedLM, SpanMasking, WholeWordMasking
from curriculum_rl.objectives.pairs import NextSentence, SentenceDistance
from curriculum_rl.objectives.random_label import RandomLabel
from curriculum_rl.objectives.reordering import SentenceOrder, SentenceReordering
from curriculum_rl.objectives.span_corruption import SpanCorruption
from curriculum_rl.objectives.tagging import Tagging
from curriculum_rl.objectives.words import Capitalisation, TokenDocumentRelation
from curriculum_rl.plugins import custom
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
        made: Objective = custom(section, tokenizer=tokenizer)
        return made
    options = section.model_dump(exclude={"kind"})
    if "causal" in options and options["causal"] is None:
        options["causal"] = causal
    objective = _CLASSES[section.kind](tokenizer, **options)
    if not objective.labelled:
        text = Corpus("trial", np.full(context + 1, tokenizer.ordinary_ids[0], dtype=np.uint32), sha256="")
        row, key = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.uint64)
        objective(windows_of(objective, text, row, context=context, keys=key), key)
    return objective


_CLASSES: dict[str, Callable[..., Objective]] = {
    "causal_lm": CausalLM,
    "prefix_lm": PrefixLM,
    "span_corruption": SpanCorruption,
    "masked_lm": MaskedLM,
    "whole_word_masking": WholeWordMasking,
    "span_masking": SpanMasking,
    "replaced_token_detection": ReplacedTokenDetection,
    "added_token_detection": AddedTokenDetection,
    "deleted_token_detection": DeletedTokenDetection,
    "capitalisation": Capitalisation,
    "token_document_relation": TokenDocumentRelation,
    "sentence_order": SentenceOrder,
    "next_sentence": NextSentence,
    "sentence_reordering": SentenceReordering,
    "sentence_distance": SentenceDistance,
    "random_label": RandomLabel,
    "classification": Classification,
    "tagging": Tagging,
}
