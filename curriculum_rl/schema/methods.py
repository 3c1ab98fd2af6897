"""The `method` of an environment file: how what was picked changes the learner.

To add one, write its class in `curriculum_rl.methods`, and a section with its row in `METHODS`.
"""

from typing import Annotated, Literal

from pydantic import Field

from curriculum_rl.schema.base import Custom, KindSection, OneOf
from curriculum_rl.schema.learners import Share


class MethodSection(KindSection):
    """Any method; `builds` has a `build(section, tasks, learner)`."""


class MultitaskMethod(MethodSection):
    """An update is one step of the learner's optimizer on one batch of the segment's mixture."""

    kind: Literal["multitask"] = "multitask"
    builds = "curriculum_rl.methods.base:Multitask"


class MetaTrainMethod(MethodSection):
    """An update looks through `depth` inner steps: its gradient is that of the loss after them.

    Each reads `depth` + 1 batches of the segment's mixture, one for each inner step and one for the loss.
    """

    kind: Literal["meta_train"]
    builds = "curriculum_rl.methods.meta_train:MetaTrain"
    depth: int = Field(1, ge=0, description="inner steps; 0 is multitask")
    order: Literal[1, 2] = Field(1, description="2: the exact gradient, through the inner steps")
    rate: float = Field(0.1, gt=0, description="of the inner steps, plain SGD")
    same_task: bool = Field(False, description="all inner batches of an update are of one task, drawn by its share")


class PrimingMethod(MethodSection):
    """Every update simulates tuning `learner.light` on one task, then moves the body to make that go better.

    It reads `steps` + 1 batches of one task; tasks take turns by their shares. All tasks must have labels.
    """

    kind: Literal["priming"]
    builds = "curriculum_rl.methods.priming:Priming"
    steps: int = Field(5, ge=0, description="inner steps; 0: ordinary fine-tuning on the tasks")
    rate: float = Field(0.1, gt=0, description="of the inner steps, plain SGD")
    inner: Literal["light", "all"] = Field("light", description="what takes inner steps; all: plain MAML")
    order: Literal[1, 2] = Field(1, description="2: the exact gradient, through the inner steps")
    initial: bool = Field(True, description="the outer update also moves what light parameters start with")


class TartanMethod(MethodSection):
    """End-task aware training: an update reads `batch` rows of every task and adds up the weighted gradients.

    What an agent mixes are weights of the tasks' losses, not shares of rows. The `dev_head_` settings are of the fresh
    head through which the target's gradient is taken in every update where an agent asks for the signal `products`.

    Source of the defaults: Dery et al. 2021 (arXiv:2109.07437) and its code, github.com/ldery/TARTAN.
    """

    kind: Literal["tartan"]
    builds = "curriculum_rl.methods.end_task_aware:EndTaskAware"
    dev_head_rows: int = Field(32, gt=0, description="labelled examples of the signal split that the head is fitted on")
    dev_head_pool: Literal["cls", "mean"] = Field(
        "cls", description="what it reads: the state that the end-task's label is read from, or the mean over tokens"
    )
    dev_head_steps: int = Field(10, gt=0, description="most AdamW steps of its fit")
    dev_head_rate: float = Field(1e-3, gt=0, description="their learning rate")
    dev_head_decay: float = Field(0.1, ge=0, description="their weight decay")
    dev_head_betas: tuple[Share, Share] = Field((0.9, 0.98), description="AdamW's")
    dev_head_tolerance: float = Field(1e-3, ge=0, description="nats; the fit ends when its loss changes by less")


METHODS: tuple[type[MethodSection], ...] = (MultitaskMethod, MetaTrainMethod, PrimingMethod, TartanMethod)
MethodConfig = Annotated[MethodSection | Custom, OneOf(METHODS, MultitaskMethod)]
