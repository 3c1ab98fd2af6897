"""The two settings of the depth experiment as environments, and which runs are made in each."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Setting = Literal["unsupervised", "supervised"]
Account = Literal["compute", "data", "updates"]
HELD_OUT = ("health_personal_care", "kitchen_housewares", "magazines", "music")
"""Domains that nothing is trained on; no text of theirs stands in another domain."""
UNSEEN = {
    "snips": ("intents/snips", "label"),
    "clinc150": ("intents/clinc150", "domain"),
    "subjectivity": ("sentiment/subj", "label"),
}
"""File and label of what unsupervised bodies are tuned on: a body this small cannot tell good reviews from bad ones."""
UNLABELLED = {
    "films": ("dvd", "imdb"),
    "devices": ("camera_photo", "electronics", "software"),
    "home": ("apparel", "baby", "sports_outdoors", "toys_games"),
}
LABELLED = ("apparel", "camera_photo", "dvd", "electronics", "software", "toys_games")


@dataclass(frozen=True)
class Size:
    """How large the experiment is; all of it stands in the results.

    Attributes:
        vocab_size: V.
        context: T.
        layers: of the native transformer.
        width: d.
        heads: of its attention.
        batch: B, rows of a batch, inner ones too.
        updates: of a run at depth 0; what the others may spend follows. A multiple of 84 leaves no rest.
        rate: the highest learning rate of the optimizer, at every depth.
        inner_rate: of the inner steps.
        same_task: whether the inner batches of an update are of one task.
        shots: labelled examples of a held-out domain, a fine-tune for each number.
        shot_updates: of a fine-tune, 16 rows each.
        shot_rate: its highest learning rate.
        tested: labelled examples it is scored on, at most.
        rows: of each task in a gradient.
        points: how often gradients are compared in a run.
        domains: held out, unseen, labelled, and of each group of unlabelled ones: the first so many; None: all.
    """

    vocab_size: int = 2048
    context: int = 48
    layers: int = 2
    width: int = 64
    heads: int = 2
    batch: int = 16
    updates: int = 1680
    rate: float = 3e-3
    inner_rate: float = 0.1
    same_task: bool = False
    shots: tuple[int, ...] = (50, 200)
    shot_updates: int = 100
    shot_rate: float = 3e-3
    tested: int = 400
    rows: int = 64
    points: int = 8
    domains: int | None = None


@dataclass(frozen=True)
class Column:
    """Runs that differ in their seeds alone.

    Attributes:
        setting: what is trained on.
        depth: k, inner steps.
        order: of the gradient.
        account: what is the same as at depth 0: FLOPs, tokens that are read, or (outer) updates. At order 1 the first
            two are one: an update of depth k reads k + 1 batches and costs k + 1 trainings.
    """

    setting: Setting
    depth: int
    order: int = 1
    account: Account = "compute"

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.setting}-depth{self.depth}-order{self.order}-{self.account}"

    def budget(self, size: Size) -> dict[str, int]:
        """The section `budget`."""
        if self.account == "updates":
            return {"updates": size.updates}
        tokens = size.updates * size.batch * size.context
        if self.account == "compute" and self.order == 2:
            # A token of order 2 costs (3 k + 1) / (k + 1) trainings (curriculum_rl.methods.meta_train).
            tokens = tokens * (self.depth + 1) // (3 * self.depth + 1)
        return {"tokens": tokens}


def columns(setting: Setting, depths: Sequence[int], second: Sequence[int], accounts: Sequence[str]) -> list[Column]:
    """All runs of a setting, depth 0 first; what two accounts share is there once."""
    made = [Column(setting, 0)]
    for depth in depths:
        made += [Column(setting, depth)] if {"compute", "data"} & set(accounts) else []
        made += [Column(setting, depth, 1, "updates")] if "updates" in accounts else []
    made += [Column(setting, depth, 2, account) for depth in second for account in ("compute", "data", "updates")
             if account in accounts]  # fmt: skip
    return made


def column_of(setting: Setting, depth: int, order: int, account: Account) -> Column:
    """The column that holds these runs."""
    if depth == 0:
        return Column(setting, 0)
    return Column(setting, depth, order, "compute" if order == 1 and account == "data" else account)


def tuned_on(setting: Setting, size: Size) -> list[str]:
    """Names of the labelled corpora that final learners are tuned on."""
    return [*(UNSEEN if setting == "unsupervised" else HELD_OUT)][: size.domains]


def environment(
    column: Column, data: Path, size: Size, *, device: str = "cpu", target: str | None = None
) -> dict[str, Any]:
    """The environment file of a column.

    Args:
        column: setting and method.
        data: the folder of all data.
        size: of everything.
        device: where learners are.
        target: the labelled corpus that is the target; None: all held-out domains together.
    """
    corpora, tasks = (_unlabelled if column.setting == "unsupervised" else _labelled)(data, size)
    meta = {"kind": "meta_train", "depth": column.depth, "order": column.order, "rate": size.inner_rate}
    return {
        "name": f"depth-{column.setting}",
        "corpora": corpora,
        "tokenizer": {"kind": "bpe", "vocab_size": size.vocab_size},
        "tasks": tasks,
        "learner": {"kind": "transformer", "layers": size.layers, "width": size.width, "heads": size.heads},
        "context": size.context,
        "batch": size.batch,
        "optimizer": {"learning_rate": size.rate},
        "method": {**meta, "same_task": size.same_task} if column.depth else {"kind": "multitask"},
        "target": {
            "corpus": _target(data, HELD_OUT[: size.domains] if target is None else (target,)),
            "signal": 0.2, "reward": 0.1, "selection": 0.1, "report": 0.6,
        },
        "proxy": {"kind": "heldout_loss", "sequences": 16},
        "report": {"sequences": 128, "task_sequences": 32},
        "budget": column.budget(size),
        "device": device,
    }  # fmt: skip


def _target(data: Path, names: Sequence[str]) -> dict[str, Any]:
    if names[0] in UNSEEN:
        path, field = UNSEEN[names[0]]
        return {"paths": os.fspath(data / f"{path}.jsonl.gz"), "label_field": field}
    return {"paths": [_file(data, name) for name in names], "label_field": "label"}


def _unlabelled(data: Path, size: Size) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Three corpora of reviews, language modelling and the order of sentences on each."""
    corpora = {
        group: {"paths": [_file(data, name) for name in names[: size.domains]], "where": {"split": "unlabel"}}
        for group, names in UNLABELLED.items()
    }
    return corpora, [{"objective": "causal_lm"}, {"objective": {"kind": "sentence_order", "causal": True}}]


def _labelled(data: Path, size: Size) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The labels of some domains, a task for each."""
    names = LABELLED[: size.domains]
    corpora = {name: {"paths": _file(data, name), "label_field": "label"} for name in names}
    return corpora, [{"objective": {"kind": "classification", "causal": False}}]


def _file(data: Path, name: str) -> str:
    return os.fspath(data / "fdu_mtl" / f"{name}.jsonl.gz")
