"""The priming experiment's sizes, arms and environments."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curriculum_rl.errors import ConfigError

Env = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How large everything is. The paper's own settings are not recoverable: all are ours, and fit a tiny backbone.

    Attributes:
        vocab_size: V, of a byte-level BPE trained on the train parts.
        layers: of the BERT.
        width: d.
        heads: of its attention.
        window: tokens of a window in pretraining.
        pretraining: updates of masked LM over all languages, of 16 windows.
        pretraining_rate: its highest learning rate.
        context: tokens of a sentence, longer ones are cut.
        batch: sentences of a batch in priming and tuning.
        pool: sentences of each source language to prime on.
        budget: of priming, as the FLOPs of so many updates of everything; alike for every way to prime.
        steps: S, inner steps of an outer update.
        inner_rate: of the inner loop's SGD.
        order: of the outer gradient.
        rate: highest learning rate of the body, in outer updates, multilingual fine-tuning and full tuning.
        light_rate: that of light parameters and head, times `rate`, in tuning too.
        adapter: width of a bottleneck.
        shots: target sentences to tune on.
        tuning: updates of the tuning.
        scored: target sentences scored.
    """

    vocab_size: int = 4096
    layers: int = 2
    width: int = 128
    heads: int = 4
    window: int = 64
    pretraining: int = 3500
    pretraining_rate: float = 1e-3
    context: int = 32
    batch: int = 8
    pool: int = 2000
    budget: int = 300
    steps: int = 5
    inner_rate: float = 0.1
    order: int = 1
    rate: float = 5e-4
    light_rate: float = 4.0
    adapter: int = 32
    shots: int = 200
    tuning: int = 250
    scored: int = 1000

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
                raise ConfigError(f"{name}: must be a number above 0 (got {value!r})")
        if self.context > self.window:
            raise ConfigError(
                f"context: must be at most window, {self.window}, that the body reads (got {self.context})"
            )


@dataclass(frozen=True)
class Way:
    """A stage between pretraining and tuning.

    Attributes:
        light: what the inner loop has beside the head.
        steps: inner steps; 0: multilingual fine-tuning; None: `Size.steps`.
        inner: what takes them.
    """

    light: str
    steps: int | None = None
    inner: str = "light"


WAYS = {
    "multitask": Way("head", steps=0),
    "meta-adapter": Way("adapter"),
    "meta-head": Way("head"),
    "meta-lora": Way("lora"),
    "maml-adapter": Way("adapter", inner="all"),
    "one-step-adapter": Way("adapter", steps=1),
}
"""By name: the paper's method, its two ablations, and the baseline that the claim is against."""


@dataclass(frozen=True)
class Arm:
    """What is compared.

    Attributes:
        way: None: the pretrained backbone as it is.
        tune: what is tuned on the target with a fresh head: light parameters, none beside the head, or `full`.
    """

    way: str | None
    tune: str


ARMS = {
    "full": Arm(None, "full"),
    "head": Arm(None, "head"),
    "adapter": Arm(None, "adapter"),
    "lora": Arm(None, "lora"),
    "multitask->full": Arm("multitask", "full"),
    "multitask->head": Arm("multitask", "head"),
    "multitask->adapter": Arm("multitask", "adapter"),
    "multitask->lora": Arm("multitask", "lora"),
    "meta->head": Arm("meta-head", "head"),
    "meta->adapter": Arm("meta-adapter", "adapter"),
    "meta->lora": Arm("meta-lora", "lora"),
    "maml->adapter": Arm("maml-adapter", "adapter"),
    "one-step->adapter": Arm("one-step-adapter", "adapter"),
}
"""The arms by name: how the backbone is primed, then what is tuned."""
CLAIMED = (
    "full", "head", "adapter", "multitask->head", "multitask->adapter", "meta->head", "meta->adapter", "maml->adapter",
    "one-step->adapter",
)  # fmt: skip
"""The arms that the claims need; the others are asked for by name."""


def backbone_env(texts: Mapping[str, Path], watched: Path, size: Size, *, device: str) -> Env:
    """Masked LM on the raw text of all languages, a task each; the target only watches.

    Args:
        texts: the train file of each language.
        watched: a file of sentences that the loss is told of.
        size: of the model and of its pretraining.
        device: where it runs.
    """
    model = {
        "model_type": "bert",
        "hidden_size": size.width,
        "num_hidden_layers": size.layers,
        "num_attention_heads": size.heads,
        "intermediate_size": 4 * size.width,
        "max_position_embeddings": size.window,
    }
    return {
        "name": "priming-backbone",
        "corpora": _corpora(texts),
        "tokenizer": {"kind": "bpe", "vocab_size": size.vocab_size},
        "tasks": [{"corpora": "all", "objective": "masked_lm"}],
        "learner": {"kind": "transformers", "model": model, "head": "masked"},
        "optimizer": {"learning_rate": size.pretraining_rate, "weight_decay": 0.01},
        "context": size.window,
        "target": {"corpus": {"paths": str(watched), "format": "conll"}},
        "report": {"sequences": 64, "task_sequences": 8},
        "segment": {"updates": 20},
        "budget": {"updates": size.pretraining},
        "device": device,
    }


def priming_env(
    pools: Mapping[str, Path], target: Path, body: Path, way: Way, size: Size, *, flops: float, device: str
) -> Env:
    """Priming on the source languages; which of them an update reads is the agent's choice.

    Args:
        pools: the sentences of each source language.
        target: those of the language that is left out; nothing trains on them.
        body: the directory of the learner to prime.
        way: how.
        size: rates and sizes.
        flops: the budget.
        device: where it runs.
    """
    steps = size.steps if way.steps is None else way.steps
    return {
        "name": f"priming-{target.stem}",
        "corpora": _corpora(pools),
        "tokenizer": {"kind": "transformers", "path": str(body)},
        "tasks": [{"corpora": "all", "objective": "tagging"}],
        "learner": {"kind": "transformers", "model": str(body), "head": "masked", "light": light(way.light, size)},
        "method": {
            "kind": "priming", "steps": steps, "rate": size.inner_rate, "inner": way.inner, "order": size.order,
        },
        "optimizer": {"learning_rate": size.rate, "weight_decay": 0.01, "warmup": 0.1, "decay": 0.9},
        "context": size.context,
        "batch": size.batch,
        "target": {
            "corpus": {"paths": str(target), "format": "conll"},
            "signal": 0.2, "reward": 0.05, "selection": 0.05, "report": 0.7,
        },
        "proxy": {"kind": "heldout_loss", "sequences": 8},
        "report": {"sequences": 16, "task_sequences": 0},
        "segment": {"updates": 10},
        "budget": {"flops": flops},
        "device": device,
    }  # fmt: skip


def light(kind: str, size: Size) -> dict[str, Any]:
    """The section `learner.light` of a kind."""
    return {"kind": kind, "rate": size.light_rate} | ({"size": size.adapter} if kind == "adapter" else {})


def _corpora(files: Mapping[str, Path] | Sequence[tuple[str, Path]]) -> dict[str, Any]:
    return {name: {"paths": str(path), "format": "conll"} for name, path in dict(files).items()}
