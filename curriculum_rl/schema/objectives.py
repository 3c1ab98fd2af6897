"""The `objective` of a task: what is asked of a window of tokens.

To add one, write its class in `curriculum_rl.objectives`, and a section with its row in `OBJECTIVES`. The first line of
the section's docstring is what `curriculum-rl list objectives` and the docs show.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from curriculum_rl.errors import wrong
from curriculum_rl.schema.base import Custom, KindSection, OneOf

Generator = Literal["unigram", "uniform"]


class ObjectiveSection(KindSection):
    """Any objective; `builds` is called with the tokenizer and the settings."""


class _Changed(ObjectiveSection):
    rate: float = Field(0.15, gt=0, lt=1, description="share of the tokens that are hidden or changed")


class _Noisy(_Changed):
    generator: Generator = Field(
        "unigram", description="how strange tokens are drawn: as often as in the corpus, or all alike"
    )


class _RowLabel(ObjectiveSection):
    causal: bool | None = Field(None, description="read left to right; null: as the learner does")


class CausalLMObjective(ObjectiveSection):
    """Predict the next token."""

    kind: Literal["causal_lm"] = "causal_lm"
    builds = "curriculum_rl.objectives.language_modelling:CausalLM"


class PrefixLMObjective(ObjectiveSection):
    """Predict the next token after a prefix of random length, which is not scored."""

    kind: Literal["prefix_lm"]
    builds = "curriculum_rl.objectives.language_modelling:PrefixLM"
    shortest: float = Field(0.0, ge=0, lt=1, description="share of the row that the prefix has at least")
    longest: float = Field(1.0, gt=0, le=1, description="share of the row that it has at most")

    @model_validator(mode="after")
    def _ordered(self) -> "PrefixLMObjective":
        if self.shortest >= self.longest:
            raise wrong("shortest", self.shortest, f"below longest, which is {self.longest}")
        return self


class SpanCorruptionObjective(_Changed):
    """Read a text in which sentinels stand for some spans, then write the spans (T5 as one causal sequence)."""

    kind: Literal["span_corruption"]
    builds = "curriculum_rl.objectives.span_corruption:SpanCorruption"
    mean_length: float = Field(3.0, ge=1, description="mean tokens of a span")


class MaskedLMObjective(_Changed):
    """Predict masked tokens from both sides (80/10/10)."""

    kind: Literal["masked_lm"]
    builds = "curriculum_rl.objectives.masking:MaskedLM"


class WholeWordMaskingObjective(_Changed):
    """Predict masked words from both sides, all tokens of a word at once (80/10/10)."""

    kind: Literal["whole_word_masking"]
    builds = "curriculum_rl.objectives.masking:WholeWordMasking"


class SpanMaskingObjective(_Changed):
    """Predict masked spans of words from both sides, of truncated geometric length (SpanBERT)."""

    kind: Literal["span_masking"]
    builds = "curriculum_rl.objectives.masking:SpanMasking"
    stop: float = Field(0.2, gt=0, lt=1, description="p of the geometric distribution")
    longest: int = Field(10, ge=1, description="words of the longest span")


class ReplacedTokenDetectionObjective(_Noisy):
    """Say of each token whether it was replaced (ELECTRA, with a generator that knows frequencies alone)."""

    kind: Literal["replaced_token_detection"]
    builds = "curriculum_rl.objectives.detection:ReplacedTokenDetection"


class AddedTokenDetectionObjective(_Noisy):
    """Say of each token whether it was added."""

    kind: Literal["added_token_detection"]
    builds = "curriculum_rl.objectives.detection:AddedTokenDetection"


class DeletedTokenDetectionObjective(_Changed):
    """Say of each token whether tokens were deleted right before it."""

    kind: Literal["deleted_token_detection"]
    builds = "curriculum_rl.objectives.detection:DeletedTokenDetection"


class CapitalisationObjective(ObjectiveSection):
    """Say of each word of a lower-cased text whether it was capitalised (ERNIE 2.0)."""

    kind: Literal["capitalisation"]
    builds = "curriculum_rl.objectives.words:Capitalisation"


class TokenDocumentRelationObjective(ObjectiveSection):
    """Say of each token of a window's first part whether it occurs again in the rest, unseen (ERNIE 2.0)."""

    kind: Literal["token_document_relation"]
    builds = "curriculum_rl.objectives.words:TokenDocumentRelation"
    shown: float = Field(0.5, gt=0, lt=1, description="share of the window that is shown")


class SentenceOrderObjective(_RowLabel):
    """Say whether two consecutive segments stand in their order or are swapped (ALBERT)."""

    kind: Literal["sentence_order"]
    builds = "curriculum_rl.objectives.reordering:SentenceOrder"


class NextSentenceObjective(_RowLabel):
    """Say whether the second segment follows the first or comes from another document (BERT)."""

    kind: Literal["next_sentence"]
    builds = "curriculum_rl.objectives.pairs:NextSentence"


class SentenceReorderingObjective(_RowLabel):
    """Say in which of 6 orders three consecutive segments stand (ERNIE 2.0)."""

    kind: Literal["sentence_reordering"]
    builds = "curriculum_rl.objectives.reordering:SentenceReordering"


class SentenceDistanceObjective(_RowLabel):
    """Say whether two segments are adjacent, of one document, or of different documents (ERNIE 2.0)."""

    kind: Literal["sentence_distance"]
    builds = "curriculum_rl.objectives.pairs:SentenceDistance"


class RandomLabelObjective(_RowLabel):
    """Say which of two labels a coin gave the text: a deliberately useless task."""

    kind: Literal["random_label"]
    builds = "curriculum_rl.objectives.random_label:RandomLabel"


class ClassificationObjective(_RowLabel):
    """Predict the label of a labelled corpus as a label token."""

    kind: Literal["classification"]
    builds = "curriculum_rl.objectives.classification:Classification"


class TaggingObjective(_RowLabel):
    """Predict the tag of each word of a tagged corpus as a label token at its first sub-word (named entities)."""

    kind: Literal["tagging"]
    builds = "curriculum_rl.objectives.tagging:Tagging"


OBJECTIVES: tuple[type[ObjectiveSection], ...] = (
    CausalLMObjective,
    PrefixLMObjective,
    SpanCorruptionObjective,
    MaskedLMObjective,
    WholeWordMaskingObjective,
    SpanMaskingObjective,
    ReplacedTokenDetectionObjective,
    AddedTokenDetectionObjective,
    DeletedTokenDetectionObjective,
    CapitalisationObjective,
    TokenDocumentRelationObjective,
    SentenceOrderObjective,
    NextSentenceObjective,
    SentenceReorderingObjective,
    SentenceDistanceObjective,
    RandomLabelObjective,
    ClassificationObjective,
    TaggingObjective,
)
ObjectiveConfig = Annotated[ObjectiveSection | Custom, OneOf(OBJECTIVES, CausalLMObjective)]
