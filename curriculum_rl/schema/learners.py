"""The `learner` and the `optimizer` of an environment file.

To add a learner, write its class, and a section with its row in `LEARNERS`. Classes of settings that the learners
themselves take stand here too: what is said once is handed on.
"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from curriculum_rl.errors import wrong
from curriculum_rl.schema.base import Custom, KindSection, OneOf, PathOrName, Section

Precision = Literal["auto", "float32", "tf32", "bfloat16"]
Activation = Literal["relu2", "gelu", "silu"]
Head = Literal["causal", "masked"]
Attention = Literal["sdpa", "eager"]
Share = Annotated[float, Field(ge=0, lt=1)]

ADAPTED = r"layer\.\d+\.output\.dense"
"""Which modules of a BERT an adapter follows: the second product of each feed-forward block."""
LORA_TARGETS = ("query", "value")
"""Which modules of a BERT get low-rank updates; Hu et al. 2022 (arXiv:2106.09685), section 4.2."""


class LearnerSection(KindSection):
    """Any learner; `builds` has a `build(section, config, tokenizer, *, replicas)`."""

    @property
    def causal(self) -> bool:
        """Whether it reads left to right by itself; one that can do both does."""
        return True


class Arithmetic(Section):
    """What all learners of this package can be told about their arithmetic.

    Parameters, sums, norms, losses and the optimizer are float32 throughout.
    """

    precision: Precision = Field(
        "auto",
        description="of matrix products; auto: float32 on a CPU, bfloat16 on a CUDA device that has it",
    )


class Execution(Arithmetic):
    """How the native learner's arithmetic is run: nothing here changes what is computed, beyond rounding."""

    compile: bool = Field(
        False, description="torch.compile of the layers: half a minute once, then faster updates; the bits are its own"
    )
    capture: bool = Field(
        False, description="CUDA graphs: an update recorded once per shape, then replayed; not run on a GPU yet"
    )


class TransformerShape(Section):
    """Sizes of the native transformer."""

    layers: int = Field(2, gt=0, description="blocks of attention and feed-forward")
    width: int = Field(
        128, gt=0, description="a multiple of heads; of 16, so that a replica's bits do not depend on its neighbours"
    )
    heads: int = Field(4, gt=0, description="of attention; 32 or more of the width for each are fast")
    activation: Activation = Field(
        "relu2", description="of the feed-forward layers; relu2 is the fastest, gelu is tanh's"
    )
    tied: bool = Field(True, description="whether the head is the embedding; else vocabulary x width parameters more")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1 - 2**-16,
        description="share of the embedding's, the attention's and the feed-forward's output that an update drops, a "
        "function of the replica's seed and step; scoring drops nothing",
    )

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "TransformerShape":
        if self.width % self.heads:
            raise wrong("width", self.width, f"a multiple of heads, which is {self.heads}")
        return self


class TransformerLearner(LearnerSection, Execution, TransformerShape):
    """The native transformer, trained from scratch."""

    kind: Literal["transformer"] = "transformer"
    builds = "curriculum_rl.learners.native.batched:BatchedLearner"


class LightConfig(Section):
    """Added parameters that may be trained alone, and a head of their own for label tokens."""

    kind: Literal["adapter", "lora", "head"] = Field("adapter", description="what is added beside the head")
    rate: float = Field(4.0, gt=0, description="their learning rate, times the body's")
    size: int = Field(32, gt=0, description="width of a bottleneck (adapter)")
    adapted: Annotated[str, BeforeValidator(lambda value: ADAPTED if value is None else value)] = Field(
        ADAPTED, description="modules that a bottleneck follows, a regular expression for a name or its end (adapter)"
    )
    rank: int = Field(8, gt=0, description="of the low-rank updates (lora)")
    alpha: int = Field(16, gt=0, description="their scale times the rank (lora)")
    targets: Annotated[tuple[str, ...], BeforeValidator(lambda value: LORA_TARGETS if value is None else value)] = (
        Field(LORA_TARGETS, description="ends of the names of the modules that are updated so (lora)")
    )

    @model_validator(mode="after")
    def _of_its_kind(self) -> "LightConfig":
        for kind, names in (("adapter", ("size", "adapted")), ("lora", ("rank", "alpha", "targets"))):
            given = [name for name in names if getattr(self, name) != LightConfig.model_fields[name].get_default()]
            if given and self.kind != kind:
                raise wrong("kind", self.kind, f"{kind} where there is {given[0]}")
        return self


class ModelOptions(Arithmetic):
    """How a `transformers` model is run; precision is by autocast."""

    attention: Attention = Field("sdpa", description="sdpa, torch's fused one, or eager for the few models without it")
    dropout: bool = Field(False, description="whether updates drop what the model's own configuration says")
    gradient_checkpointing: bool = Field(
        False, description="compute the layers twice instead of keeping their insides: memory for time"
    )


class LoadingOptions(Section):
    """What a checkpoint need not hold, and may hold beside: names as in the model, `*` for any part."""

    allow_missing: tuple[str, ...] = Field(
        (), description="names of weights, with *, that the checkpoint lacks and that begin afresh (lm_head.*)"
    )
    allow_unexpected: tuple[str, ...] = Field(
        (), description="names of weights, with *, of the checkpoint that the model has no use for (*pooler.*)"
    )


class TransformersLearner(LearnerSection, ModelOptions, LoadingOptions):
    """Any `transformers` model for causal or masked language modelling."""

    kind: Literal["transformers"]
    builds = "curriculum_rl.learners.transformers.learner:TransformersLearner"
    model: PathOrName | dict[str, Any] = Field(
        description="a local directory, a hub name, or a configuration with model_type"
    )
    head: Head = Field("causal", description="causal reads left to right, masked in both directions")
    light: LightConfig | None = Field(None, description="parameters for parameter-efficient tuning")

    @model_validator(mode="after")
    def _allows_of_a_checkpoint(self) -> "TransformersLearner":
        for name, given in self.settings(LoadingOptions).items():
            if given and not isinstance(self.model, str):
                raise wrong(name, list(given), "left out where model is a configuration: nothing is loaded")
        return self

    @property
    def causal(self) -> bool:
        """As its head says."""
        return self.head == "causal"


LEARNERS: tuple[type[LearnerSection], ...] = (TransformerLearner, TransformersLearner)
LearnerConfig = Annotated[LearnerSection | Custom, OneOf(LEARNERS, TransformerLearner)]


class RateConfig(Section):
    """The learning rate as a function of the budget spent.

    Decay hides late gains of a curriculum: under `cosine`, and in the last `decay` of `wsd`, what is learned last is
    learned slowly. Use `constant` to compare schedules over time.

    Source: cosine, Loshchilov & Hutter 2017 (arXiv:1608.03983); wsd, Hu et al. 2024 (arXiv:2404.06395).
    """

    learning_rate: float = Field(2e-3, gt=0, description="the peak")
    schedule: Literal["constant", "cosine", "wsd"] = Field(
        "wsd", description="decay hides late gains of a curriculum: constant to compare schedules over time"
    )
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the budget over which the rate rises")
    decay: float = Field(0.2, gt=0, le=1, description="share of the budget over which wsd falls at the end")

    @model_validator(mode="after")
    def _rises_before_it_falls(self) -> "RateConfig":
        if self.schedule == "wsd" and self.warmup + self.decay > 1:
            raise wrong("warmup", self.warmup, f"at most 1 - decay, which is {1 - self.decay:g}")
        return self


class OptimizerConfig(RateConfig):
    """AdamW on clipped gradients.

    Source: Loshchilov & Hutter 2019 (arXiv:1711.05101); betas as Brown et al. 2020 (arXiv:2005.14165), appendix B;
    label smoothing, Szegedy et al. 2016 (arXiv:1512.00567), section 7.
    """

    weight_decay: float = Field(0.1, ge=0, description="decoupled decay of the matrices")
    betas: tuple[Share, Share] = Field((0.9, 0.95), description="decay of the first and second moments")
    eps: float = Field(1e-8, gt=0, description="added to the denominator")
    clip: float = Field(
        1.0, gt=0, allow_inf_nan=True, description="gradient norm above which gradients are scaled down; .inf: never"
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="share of a target spread over the vocabulary; reported losses do not have it"
    )
    accumulate: int = Field(
        1, gt=0, description="parts in which the rows of an update are processed, memory for time; divides batch"
    )
    explosion: float = Field(5.0, gt=1, description="a loss above this times ln(vocabulary) counts as failed")
