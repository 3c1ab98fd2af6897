"""The `target`, the `proxy` and the `report` of an environment file."""

from typing import Annotated, Literal

from pydantic import Field, Tag, model_validator

from curriculum_rl.schema.base import Custom, Section, kind_of
from curriculum_rl.schema.corpora import CorpusConfig


class TargetConfig(Section):
    """The downstream thing that matters, in four disjoint splits: signal, reward, selection, report.

    `corpus` names one of the corpora, whose held-out part it then is, or describes one of its own. Documents of one
    group never stand in two splits. No task trains on any of them, unless `train` adds the one that does.
    """

    corpus: str | CorpusConfig
    train: bool = Field(False, description="one task more, the last: language modelling on the signal split")
    signal: float = Field(1 / 6, gt=0, lt=1)
    reward: float = Field(1 / 6, gt=0, lt=1)
    selection: float = Field(1 / 6, gt=0, lt=1)
    report: float = Field(1 / 2, gt=0, lt=1)
    divergence: Literal["js", "kl", "renyi", "bhattacharyya", "cosine"] = Field(
        "js", description="of a task's words from the signal split's: what priors, pruning and observations read"
    )

    @model_validator(mode="after")
    def _sums_to_one(self) -> "TargetConfig":
        total = self.signal + self.reward + self.selection + self.report
        if abs(total - 1) > 1e-6:
            raise ValueError(f"signal + reward + selection + report must be 1 (got {total:g})")
        return self


class HeldOutLossProxy(Section):
    """Minus the loss on a fixed set of target windows; the cheapest, and the default."""

    kind: Literal["heldout_loss"] = "heldout_loss"
    sequences: int = Field(32, gt=0)


class FineTuneSettings(Section):
    """A short few-shot fine-tune on labelled target examples.

    With `updates: 0` there is none: the learner is scored as it is, which needs a task that trains the target's labels.
    """

    examples: int = Field(2000, gt=0, description="labelled examples trained on (signal split)")
    updates: int = Field(150, ge=0, description="0: scored as it is; a task has the same classes")
    batch: int = Field(32, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    length: int | None = Field(None, gt=2, description="tokens of an example, longer ones are cut; default: context")
    test_examples: int = Field(1000, gt=0, description="examples scored on")
    tune: Literal["all", "light"] = Field(
        "all", description="what is tuned; light: fresh light parameters alone (needs learner.light), the rest frozen"
    )
    first_label: int = Field(
        0, ge=0, description="label token of the first class; behind those that tasks train, the head is fresh"
    )


class FineTuneProxy(FineTuneSettings):
    """Minus the log-loss after a few-shot fine-tune from a snapshot."""

    kind: Literal["finetune"]
    every: int = Field(10, gt=0, description="score anew every this many segments")
    updates: int = Field(20, ge=0, description="0: scored as it is; a task has the same classes")
    test_examples: int = Field(256, gt=0)


class ProbeProxy(Section):
    """Minus the leave-one-out Brier score of a ridge probe on pooled features.

    Misleads on small learners trained from scratch: pooled random embeddings are a bag of words, and early training
    collapses them. Use it with a larger or a pretrained learner.
    """

    kind: Literal["probe"]
    examples: int = Field(256, gt=1)
    ridge: float = Field(1.0, gt=0)
    every: int = Field(1, gt=0)


class HeadProxy(Section):
    """Minus the log-loss of a light head on frozen features: fitted on the signal split, scored on the reward split.

    The cheap reading of "downstream-aware": forward passes alone. Misleads on small learners from scratch as `probe`.
    """

    kind: Literal["head"]
    examples: int = Field(256, gt=1, description="labelled examples that the head is fitted on (signal split)")
    test_examples: int = Field(256, gt=0, description="examples scored on (reward split)")
    steps: int = Field(50, gt=0, description="gradient steps of the head, from zero")
    ridge: float = Field(0.1, gt=0)
    length: int | None = Field(None, gt=2, description="tokens of an example, longer ones are cut; default: context")
    every: int = Field(1, gt=0, description="score anew every this many segments")


class HeldOutTasksProxy(Section):
    """What a segment takes off the held-out losses of the pretraining tasks, in parts: nothing downstream is read.

    `tasks: others` weights each task by 1 - its share of the segment, so that what was not selected is the judge;
    `all` weights them evenly.
    """

    kind: Literal["heldout_tasks"]
    sequences: int = Field(8, gt=0, description="held-out windows of every task")
    tasks: Literal["others", "all"] = "others"


ProxyConfig = Annotated[
    Annotated[HeldOutLossProxy, Tag("heldout_loss")]
    | Annotated[FineTuneProxy, Tag("finetune")]
    | Annotated[ProbeProxy, Tag("probe")]
    | Annotated[HeadProxy, Tag("head")]
    | Annotated[HeldOutTasksProxy, Tag("heldout_tasks")]
    | Annotated[Custom, Tag("custom")],
    kind_of("heldout_loss"),
]


class ReportConfig(Section):
    """Scores for people, taken at the end of a run and never rewarded or charged."""

    sequences: int = Field(1024, gt=0, description="report windows of the target")
    task_sequences: int = Field(64, ge=0, description="held-out windows of every corpus; 0: none")
    finetune: FineTuneSettings | None = Field(None, description="downstream score, for labelled targets")
