"""The `objective` of a task: what is asked of a window of tokens.

The first line of each docstring is what `curriculum-rl list objectives` shows.
"""

from typing import Annotated, Literal

from pydantic import Field, Tag, model_validator

from curriculum_rl.schema.base import Custom, Section, kind_of

_Generator = Literal["unigram", "uniform"]


class CausalLMObjective(Section):
    """Predict the next token."""

    kind: Literal["causal_lm"] = "causal_lm"


class PrefixLMObjective(Section):
    """Predict the next token after a prefix of random length, which is not scored."""

    kind: Literal["prefix_lm"]
    shortest: float = Field(0.0, ge=0, lt=1)
    longest: float = Field(1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> "PrefixLMObjective":
        if self.shortest >= self.longest:
            raise ValueError(f"shortest: {self.shortest} must be below longest: {self.longest}")
        return self


class SpanCorruptionObjective(Section):
    """Read a text in which sentinels stand for some spans, then write the spans (T5 as one causal sequence)."""

    kind: Literal["span_corruption"]
    rate: float = Field(0.15, gt=0, lt=1)
    mean_length: float = Field(3.0, ge=1)


class MaskedLMObjective(Section):
    """Predict masked tokens from both sides (80/10/10)."""

    kind: Literal["masked_lm"]
    rate: float = Field(0.15, gt=0, lt=1)


class WholeWordMaskingObjective(Section):
    """Predict masked words from both sides, all tokens of a word at once (80/10/10)."""

    kind: Literal["whole_word_masking"]
    rate: float = Field(0.15, gt=0, lt=1)


class SpanMaskingObjective(Section):
    """Predict masked spans of words from both sides, of truncated geometric length (SpanBERT)."""

    kind: Literal["span_masking"]
    rate: float = Field(0.15, gt=0, lt=1)
    stop: float = Field(0.2, gt=0, lt=1, description="p of the geometric distribution")
    longest: int = Field(10, ge=1, description="words of the longest span")


class ReplacedTokenDetectionObjective(Section):
    """Say of each token whether it was replaced (ELECTRA, with a generator that knows frequencies alone)."""

    kind: Literal["replaced_token_detection"]
    rate: float = Field(0.15, gt=0, lt=1)
    generator: _Generator = "unigram"


class AddedTokenDetectionObjective(Section):
    """Say of each token whether it was added."""

    kind: Literal["added_token_detection"]
    rate: float = Field(0.15, gt=0, lt=1)
    generator: _Generator = "unigram"


class DeletedTokenDetectionObjective(Section):
    """Say of each token whether tokens were deleted right before it."""

    kind: Literal["deleted_token_detection"]
    rate: float = Field(0.15, gt=0, lt=1)


class CapitalisationObjective(Section):
    """Say of each word of a lower-cased text whether it was capitalised (ERNIE 2.0)."""

    kind: Literal["capitalisation"]


class TokenDocumentRelationObjective(Section):
    """Say of each token of a window's first part whether it occurs again in the rest, unseen (ERNIE 2.0)."""

    kind: Literal["token_document_relation"]
    shown: float = Field(0.5, gt=0, lt=1, description="share of the window that is shown")


class _RowLabelObjective(Section):
    causal: bool | None = Field(None, description="read left to right; null: as the learner does")


class SentenceOrderObjective(_RowLabelObjective):
    """Say whether two consecutive segments stand in their order or are swapped (ALBERT)."""

    kind: Literal["sentence_order"]


class NextSentenceObjective(_RowLabelObjective):
    """Say whether the second segment follows the first or comes from another document (BERT)."""

    kind: Literal["next_sentence"]


class SentenceReorderingObjective(_RowLabelObjective):
    """Say in which of 6 orders three consecutive segments stand (ERNIE 2.0)."""

    kind: Literal["sentence_reordering"]


class SentenceDistanceObjective(_RowLabelObjective):
    """Say whether two segments are adjacent, of one document, or of different documents (ERNIE 2.0)."""

    kind: Literal["sentence_distance"]


class RandomLabelObjective(_RowLabelObjective):
    """Say which of two labels a coin gave the text: a deliberately useless task."""

    kind: Literal["random_label"]


class ClassificationObjective(_RowLabelObjective):
    """Predict the label of a labelled corpus as a label token."""

    kind: Literal["classification"]


class TaggingObjective(_RowLabelObjective):
    """Predict the tag of each word of a tagged corpus as a label token at its first sub-word (named entities)."""

    kind: Literal["tagging"]


ObjectiveConfig = Annotated[
    Annotated[CausalLMObjective, Tag("causal_lm")]
    | Annotated[PrefixLMObjective, Tag("prefix_lm")]
    | Annotated[SpanCorruptionObjective, Tag("span_corruption")]
    | Annotated[MaskedLMObjective, Tag("masked_lm")]
    | Annotated[WholeWordMaskingObjective, Tag("whole_word_masking")]
    | Annotated[SpanMaskingObjective, Tag("span_masking")]
    | Annotated[ReplacedTokenDetectionObjective, Tag("replaced_token_detection")]
    | Annotated[AddedTokenDetectionObjective, Tag("added_token_detection")]
    | Annotated[DeletedTokenDetectionObjective, Tag("deleted_token_detection")]
    | Annotated[CapitalisationObjective, Tag("capitalisation")]
    | Annotated[TokenDocumentRelationObjective, Tag("token_document_relation")]
    | Annotated[SentenceOrderObjective, Tag("sentence_order")]
    | Annotated[NextSentenceObjective, Tag("next_sentence")]
    | Annotated[SentenceReorderingObjective, Tag("sentence_reordering")]
    | Annotated[SentenceDistanceObjective, Tag("sentence_distance")]
    | Annotated[RandomLabelObjective, Tag("random_label")]
    | Annotated[ClassificationObjective, Tag("classification")]
    | Annotated[TaggingObjective, Tag("tagging")]
    | Annotated[Custom, Tag("custom")],
    kind_of("causal_lm"),
]
