"""The `learner` and the `optimizer` of an environment file."""

from typing import Annotated, Any, Literal

from pydantic import Field, Tag, model_validator

from curriculum_rl.schema.base import Custom, Section, kind_of


class Arithmetic(Section):
    """What all learners of this package can be told about their arithmetic."""

    precision: Literal["auto", "float32", "tf32", "bfloat16"] = Field(
        "auto", description="of matrix products; auto: float32 on a CPU, bfloat16 on a CUDA device"
    )


class TransformerLearner(Arithmetic):
    """The native transformer, trained from scratch."""

    kind: Literal["transformer"] = "transformer"
    layers: int = Field(2, gt=0)
    width: int = Field(128, gt=0)
    heads: int = Field(4, gt=0)
    activation: Literal["relu2", "gelu", "silu"] = "relu2"
    tied: bool = Field(True, description="whether the head is the embedding")
    dropout: float = Field(0.0, ge=0, lt=1 - 2**-16, description="in updates; scoring drops nothing")
    compile: bool = Field(False, description="torch.compile: half a minute once, then faster updates")
    capture: bool = Field(False, description="CUDA graphs: one recorded update, replayed; not run on a GPU yet")


class LightConfig(Section):
    """Added parameters that may be trained alone, and a head of their own for label tokens."""

    kind: Literal["adapter", "lora", "head"] = Field("adapter", description="what is added beside the head")
    rate: float = Field(4.0, gt=0, description="their learning rate, times the body's")
    size: int = Field(32, gt=0, description="width of a bottleneck (adapter)")
    adapted: str | None = Field(None, description="modules that a bottleneck follows, a regular expression; BERT's")
    rank: int = Field(8, gt=0, description="of the low-rank updates (lora)")
    alpha: int = Field(16, gt=0, description="their scale times the rank (lora)")
    targets: list[str] | None = Field(None, description="modules updated so, ends of names; BERT's (lora)")

    @model_validator(mode="after")
    def _of_its_kind(self) -> "LightConfig":
        for kind, names in (("adapter", ("size", "adapted")), ("lora", ("rank", "alpha", "targets"))):
            given = [name for name in names if getattr(self, name) != LightConfig.model_fields[name].get_default()]
            if given and self.kind != kind:
                raise ValueError(f"{given[0]}: needs kind {kind} (got {self.kind!r})")
        return self


class TransformersLearner(Arithmetic):
    """Any `transformers` model for causal or masked language modelling."""

    kind: Literal["transformers"]
    model: str | dict[str, Any] = Field(description="a local directory, a hub name, or a configuration with model_type")
    head: Literal["causal", "masked"] = "causal"
    attention: Literal["sdpa", "eager"] = "sdpa"
    dropout: bool = Field(False, description="whether updates drop what the model's own configuration says")
    gradient_checkpointing: bool = Field(False, description="memory for time")
    light: LightConfig | None = Field(None, description="parameters for parameter-efficient tuning")


LearnerConfig = Annotated[
    Annotated[TransformerLearner, Tag("transformer")]
    | Annotated[TransformersLearner, Tag("transformers")]
    | Annotated[Custom, Tag("custom")],
    kind_of("transformer"),
]


class OptimizerConfig(Section):
    """AdamW and the learning rate as a function of the budget spent.

    Decay hides late gains of a curriculum: under `cosine`, and in the last `decay` of `wsd`, what is learned last is
    learned slowly. Use `constant` to compare schedules over time.
    """

    learning_rate: float = Field(2e-3, gt=0)
    schedule: Literal["constant", "cosine", "wsd"] = Field(
        "wsd", description="decay hides late gains of a curriculum: constant to compare schedules over time"
    )
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the budget over which the rate rises")
    decay: float = Field(0.2, gt=0, le=1, description="share of the budget over which wsd falls at the end")
    weight_decay: float = Field(0.1, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = Field(1e-8, gt=0)
    clip: float = Field(1.0, gt=0, description="gradient norm above which gradients are scaled down")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="share of a target spread over the vocabulary")
    accumulate: int = Field(1, gt=0, description="parts in which the rows of an update are processed; divides batch")
    explosion: float = Field(5.0, gt=1, description="a loss above this times ln(vocabulary) counts as failed")

    @model_validator(mode="after")
    def _rises_before_it_falls(self) -> "OptimizerConfig":
        if self.schedule == "wsd" and self.warmup + self.decay > 1:
            raise ValueError(f"warmup + decay must be at most 1 (got {self.warmup} + {self.decay})")
        return self
