"""The `proxy` of an environment file: what pays.

To add one, write its class in `curriculum_rl.proxies`, and a section with its row in `PROXIES`.
"""

from typing import Annotated, Literal

from pydantic import Field

from curriculum_rl.schema.base import Custom, KindSection, OneOf, Section


class ProxySection(KindSection):
    """Any proxy; `builds` has a `build(section, problem, learner, seeds)`."""


class RefreshedProxy(ProxySection):
    """One that may keep its last score for some segments, which then cost nothing."""

    every: int = Field(1, gt=0, description="score anew every this many segments")


class FineTuneSettings(Section):
    """A short few-shot fine-tune on labelled target examples.

    With `updates: 0` there is none: the learner is scored as it is, which needs a task that trains the target's labels.
    """

    examples: int = Field(2000, gt=0, description="labelled examples trained on (signal split)")
    updates: int = Field(150, ge=0, description="0: scored as it is, where a task trains the same classes")
    batch: int = Field(32, gt=0, description="examples of an update")
    learning_rate: float = Field(1e-3, gt=0, description="the peak; it rises over a tenth of the updates, then falls")
    length: int | None = Field(None, gt=2, description="tokens of an example, longer ones are cut; default: context")
    test_examples: int = Field(1000, gt=0, description="examples scored on")
    tune: Literal["all", "light"] = Field(
        "all", description="what is tuned; light: fresh light parameters alone (needs learner.light), the rest frozen"
    )
    first_label: int = Field(
        0, ge=0, description="label token of the first class; behind those that tasks train, the head is fresh"
    )


class HeldOutLossProxy(ProxySection):
    """Minus the loss on a fixed set of target windows; the cheapest, and the default."""

    kind: Literal["heldout_loss"] = "heldout_loss"
    builds = "curriculum_rl.proxies.heldout:HeldOutLoss"
    sequences: int = Field(32, gt=0, description="windows of the reward split, drawn by the seed, always the same")


class FineTuneProxy(RefreshedProxy, FineTuneSettings):
    """Minus the log-loss after a few-shot fine-tune from a snapshot."""

    kind: Literal["finetune"]
    builds = "curriculum_rl.proxies.few_shot:FineTune"
    every: int = Field(10, gt=0, description="score anew every this many segments")
    updates: int = Field(20, ge=0, description="0: scored as it is, where a task trains the same classes")
    test_examples: int = Field(256, gt=0, description="examples scored on (reward split)")


class ProbeProxy(RefreshedProxy):
    """Minus the leave-one-out Brier score of a ridge probe on pooled features.

    Misleads on small learners trained from scratch: pooled random embeddings are a bag of words, and early training
    collapses them. Use it with a larger or a pretrained learner.
    """

    kind: Literal["probe"]
    builds = "curriculum_rl.proxies.probe:Probe"
    examples: int = Field(256, gt=1, description="labelled examples of the reward split")
    ridge: float = Field(1.0, gt=0, description="strength of the penalty, of standardised features")


class HeadProxy(RefreshedProxy):
    """Minus the log-loss of a light head on frozen features: fitted on the signal split, scored on the reward split.

    The cheap reading of "downstream-aware": forward passes alone. Misleads on small learners from scratch as `probe`.
    """

    kind: Literal["head"]
    builds = "curriculum_rl.proxies.head:Head"
    examples: int = Field(256, gt=1, description="labelled examples that the head is fitted on (signal split)")
    test_examples: int = Field(256, gt=0, description="examples scored on (reward split)")
    steps: int = Field(50, gt=0, description="gradient steps of the head, from zero")
    ridge: float = Field(0.1, gt=0, description="strength of the penalty, of standardised features")
    length: int | None = Field(None, gt=2, description="tokens of an example, longer ones are cut; default: context")


class HeldOutTasksProxy(ProxySection):
    """What a segment takes off the held-out losses of the pretraining tasks, in parts: nothing downstream is read.

    `tasks: others` weights each task by 1 - its share of the segment, so that what was not selected is the judge;
    `all` weights them evenly.
    """

    kind: Literal["heldout_tasks"]
    builds = "curriculum_rl.proxies.heldout_tasks:HeldOutTasks"
    sequences: int = Field(8, gt=0, description="held-out windows of every task")
    tasks: Literal["others", "all"] = Field(
        "others", description="which tasks judge a segment: those that it left out, or all"
    )


PROXIES: tuple[type[ProxySection], ...] = (HeldOutLossProxy, FineTuneProxy, ProbeProxy, HeadProxy, HeldOutTasksProxy)
ProxyConfig = Annotated[ProxySection | Custom, OneOf(PROXIES, HeldOutLossProxy)]
