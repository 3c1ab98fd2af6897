"""The `target` and the `report` of an environment file."""

from typing import Literal

from pydantic import Field, model_validator

from curriculum_rl.schema.base import Section
from curriculum_rl.schema.corpora import CorpusConfig
from curriculum_rl.schema.proxies import FineTuneSettings


class TargetConfig(Section):
    """The downstream thing that matters, in four disjoint splits: signal, reward, selection, report.

    `corpus` names one of the corpora, whose held-out part it then is, or describes one of its own. Documents of one
    group never stand in two splits. No task trains on any of them, unless `train` adds the one that does.
    """

    corpus: str | CorpusConfig = Field(description="a name of `corpora`, or a corpus of its own")
    train: bool = Field(False, description="one task more, the last: language modelling on the signal split")
    signal: float = Field(1 / 6, gt=0, lt=1, description="share of the split that signals, heads and `train` read")
    reward: float = Field(1 / 6, gt=0, lt=1, description="share of the split that proxies score")
    selection: float = Field(1 / 6, gt=0, lt=1, description="share of the split that judges duels")
    report: float = Field(1 / 2, gt=0, lt=1, description="share of the split that the report scores")
    divergence: Literal["js", "kl", "renyi", "bhattacharyya", "cosine"] = Field(
        "js", description="of a task's words from the signal split's: what pruning and observations read"
    )
    prior: Literal["em", "js", "none"] = Field(
        "em",
        description="shares from the tasks' text and the signal split's: the weights of a mixture of bigram models, or "
        "exp(-Jensen-Shannon divergence / .1 bits)",
    )

    @model_validator(mode="after")
    def _sums_to_one(self) -> "TargetConfig":
        total = self.signal + self.reward + self.selection + self.report
        if abs(total - 1) > 1e-6:
            raise ValueError(f"signal + reward + selection + report must be 1 (got {total:g})")
        return self


class ReportConfig(Section):
    """Scores for people, taken at the end of a run and never rewarded or charged."""

    sequences: int = Field(1024, gt=0, description="report windows of the target")
    task_sequences: int = Field(64, ge=0, description="held-out windows of every corpus; 0: none")
    finetune: FineTuneSettings | None = Field(None, description="downstream score, for labelled targets")
