"""What priming and the tuning after it are made of: sizes and rates, and the arms that are compared."""

from dataclasses import dataclass
from typing import Literal

from curriculum_rl.errors import ConfigError
from curriculum_rl.methods.priming.adapters import ADAPTED, LORA_TARGETS, PE

Kind = Literal["meta", "maml", "one-step", "multitask"]


@dataclass(frozen=True)
class Settings:
    """Sizes and rates. The paper's own are not recoverable: all of these are ours, and fit a tiny backbone.

    Attributes:
        context: T, the longest row in tokens.
        batch: B, rows of every batch.
        steps: S, inner steps of an outer update.
        inner_rate: of the inner loop's SGD.
        order: 1: the outer gradient is taken at the adapted point; 2: through the inner steps too.
        tasks: source languages of an outer update, whose gradients are averaged.
        initial: whether the outer update also moves the values that PE parameters and head start the inner loop with;
            otherwise they stay what the seed made them.
        budget: of priming, as the FLOPs of so many updates of everything on full rows; alike for every way to prime.
        outer_rate: highest learning rate of the outer AdamW, and of ordinary fine-tuning, for the backbone.
        light_rate: that of PE parameters and head.
        warmup: share of the budget, or of the tuning, over which rates rise; then they fall in a line.
        clip: largest norm of an outer or tuning gradient.
        adapter: width of a bottleneck.
        adapted: which modules a bottleneck follows, a regular expression; for other backbones than BERT.
        lora_rank: of LoRA.
        lora_alpha: its scale is this over the rank.
        lora_modules: names of the modules that LoRA updates, separated by commas.
        pool: sentences of every source language; meta-learning reads one half in the inner loop, the other outside.
        target: sentences of the target language that are tuned on.
        epochs: passes over them.
        tune_rate: highest learning rate of PE parameters and head on the target.
        full_rate: that of the backbone, where everything is tuned.
        look: outer updates between two measurements of the inner loop's drop.
    """

    context: int = 32
    batch: int = 8
    steps: int = 5
    inner_rate: float = 0.1
    order: int = 1
    tasks: int = 1
    initial: bool = True
    budget: int = 300
    outer_rate: float = 5e-4
    light_rate: float = 2e-3
    warmup: float = 0.1
    clip: float = 1.0
    adapter: int = 32
    adapted: str = ADAPTED
    lora_rank: int = 8
    lora_alpha: int = 16
    lora_modules: str = ",".join(LORA_TARGETS)
    pool: int = 2000
    target: int = 200
    epochs: int = 10
    tune_rate: float = 2e-3
    full_rate: float = 5e-4
    look: int = 5

    def __post_init__(self) -> None:
        counts = ("batch", "steps", "tasks", "budget", "adapter", "lora_rank", "lora_alpha", "pool", "target", "epochs")
        for name in (*counts, "look"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name}: {value!r} must be a whole number of at least 1")
        for name in ("inner_rate", "outer_rate", "light_rate", "clip", "tune_rate", "full_rate"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name}: {getattr(self, name)!r} must be above 0")
        if self.order not in (1, 2):
            raise ConfigError(f"order: {self.order!r} must be 1 or 2")
        if not 0 <= self.warmup < 1:
            raise ConfigError(f"warmup: {self.warmup!r} must be in [0, 1)")
        if self.pool < 2:
            raise ConfigError(f"pool: {self.pool} must be at least 2: one half each for the inner loop and outside")


@dataclass(frozen=True)
class Priming:
    """A stage between pretraining and tuning.

    Attributes:
        kind: `meta`: the inner loop updates PE parameters and head alone (the paper's); `maml`: it updates everything
            (ablation); `one-step`: `meta` with one inner step (ablation); `multitask`: no inner loop, ordinary
            fine-tuning on all source languages (baseline).
        pe: what the inner loop updates beside the head; `head` with `meta` is ANIL (Raghu et al. 2020,
            arXiv:1909.09157) seen from the other side: the body is what is kept, the learned head is thrown away.
    """

    kind: Kind
    pe: PE = "head"


@dataclass(frozen=True)
class Arm:
    """What is compared.

    Attributes:
        priming: None: the pretrained backbone as it is.
        tune: what is tuned on the target with a fresh head: PE parameters, nothing else, or `full`: everything.
    """

    priming: Priming | None
    tune: PE | Literal["full"]


_MULTITASK = Priming("multitask")
ARMS = {
    "full": Arm(None, "full"),
    "head": Arm(None, "head"),
    "adapter": Arm(None, "adapter"),
    "lora": Arm(None, "lora"),
    "multitask->full": Arm(_MULTITASK, "full"),
    "multitask->head": Arm(_MULTITASK, "head"),
    "multitask->adapter": Arm(_MULTITASK, "adapter"),
    "multitask->lora": Arm(_MULTITASK, "lora"),
    "meta->head": Arm(Priming("meta", "head"), "head"),
    "meta->adapter": Arm(Priming("meta", "adapter"), "adapter"),
    "meta->lora": Arm(Priming("meta", "lora"), "lora"),
    "maml->adapter": Arm(Priming("maml", "adapter"), "adapter"),
    "one-step->adapter": Arm(Priming("one-step", "adapter"), "adapter"),
}
"""The arms by name: how the backbone is primed, then what is tuned."""
