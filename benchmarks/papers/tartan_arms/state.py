"""What all phases of one run share: model, data, draws, costs, and how the model is scored."""

from dataclasses import dataclass, field

import numpy as np
import torch

from curriculum_rl.draws import key
from curriculum_rl.ledger import Ledger, Purpose
from tartan_arms.metrics import METRICS
from tartan_arms.model import TartanModel
from tartan_arms.rows import (
    ClassBatch,
    Ints,
    Labelled,
    MaskedBatch,
    Problem,
    class_batch,
    masked_batch,
    picked,
)
from tartan_arms.settings import END, Settings

EVALUATION_ROWS = 64


@dataclass
class Run:
    """One run in the making.

    Attributes:
        model: trained in place.
        problem: tokenizer, texts and test rows.
        train: the end-task's examples that are trained on.
        signal: the dev examples that META reads.
        selection: those that models are selected on.
        settings: sizes and rates.
        seed: every draw follows from it.
        device: where the model is.
        ledger: what was spent.
    """

    model: TartanModel
    problem: Problem
    train: Labelled
    signal: Labelled
    selection: Labelled
    settings: Settings
    seed: int
    device: torch.device
    ledger: Ledger = field(default_factory=Ledger)

    def batch(self, task: str, stream: str, number: int) -> ClassBatch | MaskedBatch:
        """Batch `number` of a task: `end`, or the name of an auxiliary text."""
        first, count = number * self.settings.batch, self.settings.batch
        if task == END:
            return self.labelled(self.train, stream, first, count)
        rows = self.problem.texts[task]
        chosen = rows[picked(self.seed, stream, first, count, len(rows))]
        masks = key(self.seed, "tartan", stream, "masks")
        return masked_batch(chosen, self.problem.tokenizer, masks, first, self.device)

    def labelled(self, rows: Labelled, stream: str, first: int, count: int) -> ClassBatch:
        """Some labelled rows of a stream."""
        return class_batch(
            rows[picked(self.seed, stream, first, count, len(rows.labels))], self.problem.tokenizer.pad_id, self.device
        )

    def charge(self, purpose: Purpose, batch: ClassBatch | MaskedBatch, *, training: bool) -> None:
        """Book a batch's forward pass, with training also the backward pass of two; weight updates are not counted."""
        scored = len(batch.places) if isinstance(batch, MaskedBatch) else 0
        flops = self.model.flops_body * batch.ids.numel() + self.model.flops_lm * scored
        self.ledger.charge(purpose, tokens=batch.ids.numel(), flops=flops * (3 if training else 1))

    @torch.no_grad()
    def predicted(self, rows: Labelled, purpose: Purpose) -> Ints:
        """(R,) the class that the end-task's head gives each row."""
        lengths = (rows.ids != self.problem.tokenizer.pad_id).sum(axis=1)
        found = np.zeros(len(lengths), np.int64)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), EVALUATION_ROWS):
            some = order[start : start + EVALUATION_ROWS]
            batch = class_batch(rows[some], self.problem.tokenizer.pad_id, self.device)
            self.charge(purpose, batch, training=False)
            found[some] = self.model.end_head(self.model.pooled(batch.ids)).argmax(dim=1).cpu().numpy()
        return found

    def selected(self) -> float:
        """The problem's metric on the selection rows."""
        return METRICS[self.problem.metric](self.selection.labels, self.predicted(self.selection, "proxy"))
