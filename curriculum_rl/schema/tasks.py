"""The `tasks` of an environment file: objectives over corpora."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from curriculum_rl.schema.base import Section
from curriculum_rl.schema.objectives import CausalLMObjective, ObjectiveConfig


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
