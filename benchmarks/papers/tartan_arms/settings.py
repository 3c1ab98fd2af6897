"""What an end-task aware run is made of: its sizes and rates, and the arms that are compared."""

from dataclasses import dataclass
from typing import Literal, get_args

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.learners import Precision

Pool = Literal["cls", "mean"]
DevUse = Literal["halves", "shared"]
END = "end"
"""The name of the end-task among the tasks; the other names are those of auxiliary texts."""


@dataclass(frozen=True)
class Settings:
    """Sizes and rates; the defaults are the released ones but for the sizes, which fit a CPU.

    Attributes:
        context: T, tokens of a row, the first and the last special ones.
        batch: rows of one batch of each task.
        accumulate: batches of each task that an update adds up, at least 1.
        updates: most updates of the joint phase.
        every: updates between two looks at the selection rows.
        patience: looks without a new best after which the phase ends.
        body_rate: highest learning rate of the body and the masked-LM head.
        head_rate: that of the end-task's head.
        body_decay: weight decay of body and masked-LM head.
        head_decay: that of the end-task's head.
        warmup: share of the updates in which rates rise; then they fall in a line.
        clip: largest norm of the gradients of the body, of the end-task's head and of the masked-LM head, each alone.
        dropout: whether training drops what the model's configuration says, and as much before the head.
        pool: what the head reads: the first token's state, or the mean over tokens.
        weight_rate: of META's logits.
        dev_head_rows: dev examples that a fresh head is fitted on.
        dev_head_steps: most steps of that fit.
        dev_head_rate: its learning rate.
        dev_head_decay: its weight decay.
        dev_head_tolerance: it ends when the loss changes less.
        dev_rows: dev examples whose gradient tasks are compared with; None: `batch`.
        dev: `halves`: META's examples are one half of the dev set, models are selected on the other half, in every arm;
            `shared`: both use all of it, as published.
        pretrain_updates: of masked LM before fine-tuning, for each of its tasks; None: `updates`.
        pretrain_rate: its highest learning rate.
        final_updates: most updates of the last fine-tune on the end-task alone; None: ten epochs.
        final_every: updates between its looks; None: an epoch.
        final_rate: its learning rate, for body and head.
        final_patience: its looks without a new best.
        lm_head_updates: most updates of the masked-LM head with the body frozen, before everything else.
        lm_head_every: updates between two looks at fixed masked rows.
        lm_head_tolerance: flat when the loss falls by less than this share between two looks.
        lm_head_rate: its learning rate.
        precision: of matrix products (`curriculum_rl.learners.precision`).

    Source: github.com/ldery/TARTAN, run_mt_multiple.sh and run_meta_multiple.sh; AdamW's betas and epsilon, which are
        theirs too, are not settings. `halves`, the fit of the masked-LM head and its rates are ours.
    """

    context: int = 64
    batch: int = 16
    accumulate: int = 1
    updates: int = 150
    every: int = 30
    patience: int = 20
    body_rate: float = 1e-4
    head_rate: float = 1e-3
    body_decay: float = 0.01
    head_decay: float = 0.1
    warmup: float = 0.06
    clip: float = 1.0
    dropout: bool = True
    pool: Pool = "cls"
    weight_rate: float = 1e-2
    dev_head_rows: int = 32
    dev_head_steps: int = 10
    dev_head_rate: float = 1e-3
    dev_head_decay: float = 0.1
    dev_head_tolerance: float = 1e-3
    dev_rows: int | None = None
    dev: DevUse = "halves"
    pretrain_updates: int | None = None
    pretrain_rate: float = 1e-4
    final_updates: int | None = None
    final_every: int | None = None
    final_rate: float = 5e-6
    final_patience: int = 3
    lm_head_updates: int = 400
    lm_head_every: int = 25
    lm_head_tolerance: float = 0.01
    lm_head_rate: float = 3e-3
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        """Check what has few choices.

        Raises:
            ConfigError: for a value out of range.
        """
        for name, choices in (("pool", Pool), ("dev", DevUse), ("precision", Precision)):
            if getattr(self, name) not in get_args(choices):
                raise ConfigError(f"{name} must be one of {', '.join(get_args(choices))}, not {getattr(self, name)!r}")
        for name in ("batch", "accumulate", "updates", "every", "patience", "dev_head_rows", "dev_head_steps"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.context < 4:
            raise ConfigError(f"context must be at least 4, not {self.context}")


@dataclass(frozen=True)
class Arm:
    """One way to use auxiliary texts.

    Attributes:
        before: auxiliary texts of masked LM before anything else (pretrain, then fine-tune).
        beside: auxiliary texts of masked LM in the same updates as the end-task.
        meta: weights learned as META-TARTAN does, else all equal.
        matched: every auxiliary gradient on the body is scaled to the norm of the end-task's.
        dev_labels: also train on the dev examples that META would read.
    """

    before: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    meta: bool = False
    matched: bool = False
    dev_labels: bool = False


ARMS = {
    "ft": Arm(),
    "tapt->ft": Arm(before=("tapt",)),
    "dapt->ft": Arm(before=("dapt",)),
    "tapt+dapt->ft": Arm(before=("tapt", "dapt")),
    "mt": Arm(beside=("tapt",)),
    "meta": Arm(beside=("tapt",), meta=True),
    "mt-norm-matched": Arm(beside=("tapt",), matched=True),
    "mt+noise": Arm(beside=("tapt", "noise")),
    "meta+noise": Arm(beside=("tapt", "noise"), meta=True),
    "mt+dapt": Arm(beside=("tapt", "dapt")),
    "meta+dapt": Arm(beside=("tapt", "dapt"), meta=True),
    "mt+foreign": Arm(beside=("tapt", "foreign")),
    "meta+foreign": Arm(beside=("tapt", "foreign"), meta=True),
    "dev-control": Arm(beside=("tapt",), dev_labels=True),
}
"""The arms by name; `tapt` is the task's own text, `dapt` text of its domain."""
