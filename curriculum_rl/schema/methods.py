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


class PrimingMethod(Section):
    """Every update simulates tuning `learner.light` on one task, then moves the body to make that go better.

    It reads `steps` + 1 batches of one task; tasks take turns by their shares. All tasks must have labels.
    """

    kind: Literal["priming"]
    steps: int = Field(5, ge=0, description="inner steps; 0: ordinary fine-tuning on the tasks")
    rate: float = Field(0.1, gt=0, description="of the inner steps, plain SGD")
    inner: Literal["light", "all"] = Field("light", description="what takes inner steps; all: plain MAML")
    order: Literal[1, 2] = Field(1, description="2: the exact gradient, through the inner steps")
    initial: bool = Field(True, description="the outer update also moves what light parameters start with")


class TartanMethod(Section):
    """End-task aware training: an update reads `batch` rows of every task and adds up the weighted gradients.

    What an agent mixes are weights of the tasks' losses, not shares of rows. The `dev_head_` settings are of the fresh
    head through which the target's gradient is taken in every update where an agent asks for the signal `products`.

    Source of the defaults: Dery et al. 2021 (arXiv:2109.07437) and its code, github.com/ldery/TARTAN.
    """

    kind: Literal["tartan"]
    dev_head_rows: int = Field(32, gt=0, description="labelled examples of the signal split that the head is fitted on")
    dev_head_pool: Literal["cls", "mean"] = Field(
        "cls", description="what it reads: the state that the end-task's label is read from, or the mean over tokens"
    )
    dev_head_steps: int = Field(10, gt=0, description="most AdamW steps of its fit")
    dev_head_rate: float = Field(1e-3, gt=0)
    dev_head_decay: float = Field(0.1, ge=0)
    dev_head_betas: tuple[Annotated[float, Field(ge=0, lt=1)], Annotated[float, Field(ge=0, lt=1)]] = (0.9, 0.98)
    dev_head_tolerance: float = Field(1e-3, ge=0, description="nats; the fit ends when its loss changes by less")


MethodConfig = Annotated[
    Annotated[MultitaskMethod, Tag("multitask")]
    | Annotated[MetaTrainMethod, Tag("meta_train")]
    | Annotated[PrimingMethod, Tag("priming")]
    | Annotated[TartanMethod, Tag("tartan")],
    kind_of("multitask"),
]
