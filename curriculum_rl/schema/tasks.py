"""The `tasks` of an environment file: objectives over corpora."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from curriculum_rl.errors import shown
from curriculum_rl.schema.base import Section
from curriculum_rl.schema.objectives import CausalLMObjective, ObjectiveConfig

Depth = Annotated[int, Field(ge=0)]


class TaskConfig(Section):
    """One objective over some corpora: one task for each, and for each of its depths where there are several."""

    corpora: Literal["all"] | list[str] = Field("all", description="over which corpora, a task for each")
    objective: ObjectiveConfig = Field(CausalLMObjective(), description="what is asked: a kind, or a section")
    depth: Depth | list[Depth] | None = Field(
        None, description="of method meta_train, instead of method.depth; a list: a task for each"
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """`objective: masked_lm` stands for `objective: {kind: masked_lm}`."""
        if isinstance(value, Mapping) and isinstance(value.get("objective"), str):
            return {**value, "objective": {"kind": value["objective"]}}
        return value

    @field_validator("depth", mode="before")
    @classmethod
    def _whole_numbers(cls, value: Any) -> Any:
        given = value if isinstance(value, list) and value else [value]
        if value is not None and any(isinstance(d, bool) or not isinstance(d, int) or d < 0 for d in given):
            raise ValueError(f"must be a whole number of at least 0, or a list of them (got {shown(value)})")
        return value

    def depths(self, default: int) -> list[int]:
        """Inner steps of its tasks; the default is the method's."""
        if self.depth is None:
            return [default]
        return [self.depth] if isinstance(self.depth, int) else list(self.depth)
