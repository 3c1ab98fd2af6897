"""The `tasks` of an environment file: objectives over corpora."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, Tag, model_validator

from curriculum_rl.schema.base import Custom, Section, kind_of


class CausalLMObjective(Section):
    """Predict the next token."""

    kind: Literal["causal_lm"] = "causal_lm"


class MaskedLMObjective(Section):
    """Predict masked tokens from both sides (80/10/10)."""

    kind: Literal["masked_lm"]
    rate: float = Field(0.15, gt=0, lt=1)


class ClassificationObjective(Section):
    """Predict the label of a labelled corpus as a label token."""

    kind: Literal["classification"]


ObjectiveConfig = Annotated[
    Annotated[CausalLMObjective, Tag("causal_lm")]
    | Annotated[MaskedLMObjective, Tag("masked_lm")]
    | Annotated[ClassificationObjective, Tag("classification")]
    | Annotated[Custom, Tag("custom")],
    kind_of("causal_lm"),
]


class TaskConfig(Section):
    """One objective over some corpora: one task for each."""

    corpora: Literal["all"] | list[str] = "all"
    objective: ObjectiveConfig = CausalLMObjective()

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`objective: masked_lm` stands for `objective: {kind: masked_lm}`."""
        if isinstance(value, Mapping) and isinstance(value.get("objective"), str):
            return {**value, "objective": {"kind": value["objective"]}}
        return value
