"""The `method` of an environment file: how what was picked changes the learner."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from curriculum_rl.schema.base import Section, kind_of


class MultitaskMethod(Section):
    """An update is one step of the learner's optimizer on one batch of the segment's mixture."""

    kind: Literal["multitask"] = "multitask"


class MetaTrainMethod(Section):
    """An update looks through `depth` inner steps: its gradient is that of the loss after them.

    Each reads `depth` + 1 batches of the segment's mixture, one for each inner step and one for the loss.
    """

    kind: Literal["meta_train"]
    depth: int = Field(1, ge=0, description="inner steps; 0 is multitask")
    order: Literal[1, 2] = Field(1, description="2: the exact gradient, through the inner steps")
    rate: float = Field(0.1, gt=0, description="of the inner steps, plain SGD")
    same_task: bool = Field(False, description="all inner batches of an update are of one task, drawn by its share")


MethodConfig = Annotated[
    Annotated[MultitaskMethod, Tag("multitask")] | Annotated[MetaTrainMethod, Tag("meta_train")], kind_of("multitask")
]
