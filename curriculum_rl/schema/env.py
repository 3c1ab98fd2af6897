"""A whole environment file."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from curriculum_rl.errors import cut, shown, wrong
from curriculum_rl.schema.base import Section
from curriculum_rl.schema.corpora import (
    HELDOUT,
    BPETokenizer,
    CorpusConfig,
    DerivedCorpus,
    NoiseCorpus,
    ReadCorpus,
    TokenizerConfig,
)
from curriculum_rl.schema.keys import joined
from curriculum_rl.schema.learners import LearnerConfig, OptimizerConfig, TransformerLearner
from curriculum_rl.schema.methods import MetaTrainMethod, MethodConfig, MultitaskMethod
from curriculum_rl.schema.proxies import FineTuneSettings, HeldOutLossProxy, ProxyConfig
from curriculum_rl.schema.targets import ReportConfig, TargetConfig
from curriculum_rl.schema.tasks import TaskConfig


class SegmentConfig(Section):
    """One decision of the agent."""

    updates: int = Field(10, gt=0, description="of the learner's optimizer")


class BudgetConfig(Section):
    """What one pretraining run may cost in all; exactly one unit. Proxies and signals are paid from it."""

    updates: int | None = Field(None, gt=0, description="the FLOPs of this many training updates")
    tokens: int | None = Field(None, gt=0, description="the FLOPs of training on this many tokens")
    flops: float | None = Field(None, gt=0, description="this many floating-point operations")

    @model_validator(mode="after")
    def _one_unit(self) -> "BudgetConfig":
        given = [name for name in ("updates", "tokens", "flops") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of updates, tokens, flops (got {', '.join(given) or 'none'})")
        return self


class ActionConfig(Section):
    """What the agent chooses.

    `task`: the next task; a share `emphasis` of the segment's rows is the pick's and the rest is stratified over all
    tasks. `mixture`: the shares of all tasks.
    """

    kind: Literal["task", "mixture"] = Field("task", description="the next task, or the shares of all tasks")
    emphasis: float = Field(0.5, gt=0, le=1, description="share of the segment's rows that is the pick's")
    permute: bool = Field(False, description="number the tasks anew in every episode, so that none can be memorised")


class RewardConfig(Section):
    """What the agent is paid: scale x gain / |initial score|, or `failure` for a segment that was undone.

    `baseline: stratified` takes away what stratified batches gain in the same segment (a reference that is recorded
    once): the rewards then sum up to what the agent adds to stratified. `cost` takes away the mean, over the segment's
    rows, of what was declared for their tasks: for what no FLOPs say, as these are the same for every task.
    """

    baseline: Literal["none", "stratified"] = Field(
        "none", description="what stratified batches gain is taken away: four runs, recorded once and kept in the cache"
    )
    scale: float = Field(100.0, gt=0, description="of the gain, as a share of the initial score")
    failure: float = Field(-10.0, le=0, description="for a segment that was undone")
    cost: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="task -> price of a segment on it alone, in the reward's unit"
    )


class SignalsConfig(Section):
    """How signals are measured that an agent asks for; each measurement is paid from the budget."""

    rows: int = Field(4, gt=0, description="windows of each task, and of each half of a gradient")
    every: int = Field(
        1,
        gt=0,
        description="segments between measurements; of `ghost`, the least between two draws of the target's gradient: "
        "it comes after every segment, and draws less often where that costs more than a twentieth of training",
    )
    look_ahead: int = Field(
        1, gt=0, description="updates of a look-ahead branch, at the batch size and rate of training"
    )
    finish: Annotated[int, Field(gt=0)] | Literal["rest"] = Field(
        10,
        description="updates after a branch, whose rate falls to 0: stratified ones of `rollout`, of the branch's own "
        "mixture of `prior_duel`; rest: what is left when all branches are paid",
    )

    @field_validator("finish", mode="before")
    @classmethod
    def _positive_or_rest(cls, value: Any) -> Any:
        if value != "rest" and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise ValueError(f"must be a whole number of at least 1, or rest (got {shown(value)})")
        return value


class EnvConfig(Section):
    """A whole environment file."""

    name: str = Field("unnamed", min_length=1, description="what the environment is called in tables")
    corpora: dict[str, CorpusConfig] = Field(min_length=1, description="name -> corpus")
    tokenizer: TokenizerConfig = Field(BPETokenizer(), description="text to tokens")
    tasks: list[TaskConfig] = Field(
        default_factory=lambda: [TaskConfig()],
        min_length=1,
        description="what an agent picks: objectives over corpora; else causal LM",
    )
    learner: LearnerConfig = Field(TransformerLearner(), description="what is trained")
    context: int = Field(64, gt=1, description="T, tokens of a window")
    batch: int = Field(16, gt=0, description="B, windows of an update")
    optimizer: OptimizerConfig = Field(OptimizerConfig(), description="how it is trained")
    method: MethodConfig = Field(MultitaskMethod(), description="how what was picked changes the learner")
    target: TargetConfig = Field(description="what matters downstream")
    proxy: ProxyConfig = Field(HeldOutLossProxy(), description="what pays")
    report: ReportConfig = Field(ReportConfig(), description="scores for people at the end of a run")
    segment: SegmentConfig = Field(SegmentConfig(), description="one decision of the agent")
    budget: BudgetConfig = Field(description="what one pretraining run may cost in all")
    action: ActionConfig = Field(ActionConfig(), description="what the agent chooses")
    observation: Literal["flat", "dict"] = Field("flat", description="one array, or its parts by name")
    reward: RewardConfig = Field(RewardConfig(), description="what the agent is paid")
    signals: SignalsConfig = Field(SignalsConfig(), description="how signals are measured that an agent asks for")
    device: str = Field("cpu", description="cpu, cuda, cuda:1")

    @model_validator(mode="after")
    def _names_exist(self) -> "EnvConfig":
        for i, task in enumerate(self.tasks):
            _known(f"tasks.{i}.corpora", [] if task.corpora == "all" else task.corpora, self.corpora)
        for name, corpus in self.corpora.items():
            if isinstance(corpus, DerivedCorpus):
                _known(joined(("corpora", name, "of")), [corpus.of], self.corpora)
                if isinstance(self.corpora[corpus.of], NoiseCorpus | DerivedCorpus):
                    raise ValueError(
                        f"{joined(('corpora', name, 'of'))}: {corpus.of!r} must itself be text that is read"
                    )
        if isinstance(self.target.corpus, str):
            _known("target.corpus", [self.target.corpus], self.corpora)
        elif isinstance(self.target.corpus, ReadCorpus) and self.target.corpus.heldout != HELDOUT:
            raise ValueError("target.corpus.heldout: all of a target's own corpus is held out; leave it away")
        return self

    @model_validator(mode="after")
    def _rows_are_divided_evenly(self) -> "EnvConfig":
        """Every update of an environment, the few-shot fine-tunes' too, is processed in equal parts."""
        parts, rows = self.optimizer.accumulate, {"batch": self.batch}
        for key, section in (("proxy", self.proxy), ("report.finetune", self.report.finetune)):
            if isinstance(section, FineTuneSettings):
                rows[f"{key}.batch"] = section.batch
        for key, count in rows.items():
            if count % parts:
                raise wrong("optimizer.accumulate", parts, f"a divisor of {key}, which is {count}")
        return self

    @model_validator(mode="after")
    def _depths_have_a_method(self) -> "EnvConfig":
        given = [f"tasks.{i}.depth" for i, task in enumerate(self.tasks) if task.depth is not None]
        if not isinstance(self.method, MetaTrainMethod):
            if given:
                raise wrong("method.kind", self.method.kind, f"meta_train where there is {given[0]}")
            return self
        depths = {depth for task in self.tasks for depth in task.depths(self.method.depth)}
        if self.target.train:
            depths.add(self.method.depth)
        if len(depths) > 1:
            _one_depth_at_a_time(self)
        return self


def _one_depth_at_a_time(config: EnvConfig) -> None:
    """Tasks of several depths: a segment must be of one of them, and all must cost the same."""
    wanted = (
        ("action.kind", config.action.kind, "task"),
        ("action.emphasis", config.action.emphasis, 1.0),
        ("reward.baseline", config.reward.baseline, "none"),
        ("method.order", getattr(config.method, "order", 1), 1),
    )
    for key, value, only in wanted:
        if value != only:
            raise wrong(key, value, f"{only} with tasks of several depths")


def _known(key: str, names: list[str], corpora: Mapping[str, Any]) -> None:
    for name in names:
        if name not in corpora:
            raise ValueError(f"{key}: no corpus {shown(name)}; there are {cut(', '.join(corpora))}")
