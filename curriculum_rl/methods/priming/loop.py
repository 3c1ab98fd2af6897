"""Priming: an inner loop that tunes a few parameters as a user will, an outer update that moves the backbone to help.

    inner   (a, h) <- (a, h) - inner_rate * gradient with respect to (a, h) of L(p, a, h; train), S times, on a copy
    outer   p <- AdamW(p, gradient with respect to p of L(p, a, h; test)), at the adapted (a, h)

p is the backbone, a the PE parameters, h the head. See `docs/papers/priming.md`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from curriculum_rl.draws import key, window_of
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.methods.priming.rows import Rows, TagBatch
from curriculum_rl.methods.priming.settings import Priming, Settings
from curriculum_rl.methods.priming.steps import adamw, step
from curriculum_rl.methods.priming.tagger import Tagger, Tensors

Pick = Callable[[int], Sequence[int]]
"""The source languages of the n-th outer update."""


@dataclass(frozen=True)
class Adapted:
    """What an inner loop leaves.

    Attributes:
        values: of what it updated, by name; they remember the values they came from.
        flops: what it cost.
    """

    values: Tensors
    flops: float


@dataclass(frozen=True)
class Look:
    """How far an inner loop came: mean nats on the very sentences that it trained on. No drop, no claim.

    Attributes:
        update: outer updates made before.
        language: place among the source languages.
        before: with the values it starts from.
        after: with those it ends with.
        query: on the outer update's sentences, with those it ends with.
    """

    update: int
    language: int
    before: float
    after: float
    query: float


def adapt(tagger: Tagger, batches: Sequence[TagBatch], settings: Settings, *, everything: bool = False) -> Adapted:
    """One inner loop: plain SGD on copies, one step a batch; the tagger itself is not touched.

    Args:
        tagger: whose PE parameters and head are the start.
        batches: one a step.
        settings: the rate; with `order` 2 the values remember how they depend on the backbone, too.
        everything: also update the backbone, as plain MAML does.

    The FLOPs of order 1 are counted; those of order 2 are taken to be those of everything, twice.
    """
    second = settings.order == 2
    values: Tensors = {**(tagger.body if everything else {}), **tagger.light}
    # Where no second derivative is wanted, the backbone is a constant: no gradient of it is ever formed.
    fixed = {} if second or everything else {name: p.detach() for name, p in tagger.body.items()}
    flops = 0.0
    for batch in batches:
        loss = tagger.loss(batch, {**fixed, **values})
        slopes = torch.autograd.grad(loss, list(values.values()), create_graph=second, allow_unused=True)
        values = {
            name: value if slope is None else value - settings.inner_rate * slope
            for (name, value), slope in zip(values.items(), slopes, strict=True)
        }
        flops += tagger.flops(batch, everything=everything or second) * (2 if second else 1)
    return Adapted(values, flops)


class PrimingRun:
    """A backbone on its way to being primed.

    Attributes:
        tagger: the backbone, with the values that PE parameters and head start from.
        budget: FLOPs that may be spent.
        spent: FLOPs so far; looks are not charged.
        updates: outer updates so far.
        looks: measurements of the inner loop.
        read: sentences read so far, with repetitions.

    Args:
        tagger: with the PE parameters of `priming.pe`.
        priming: how.
        sources: the sentences of each source language.
        settings: sizes and rates.
        seed: of the order of the sentences.
    """

    def __init__(
        self, tagger: Tagger, priming: Priming, sources: Sequence[Rows], settings: Settings, *, seed: int
    ) -> None:
        self.tagger, self._priming, self._settings, self._seed = tagger, priming, settings, seed
        self._steps = {"multitask": 0, "one-step": 1}.get(priming.kind, settings.steps)
        halves = [(rows.part(0, len(rows) // 2), rows.part(len(rows) // 2, len(rows))) for rows in sources]
        self._train = [train if self._steps else rows for (train, _), rows in zip(halves, sources, strict=True)]
        self._test = [test if self._steps else rows for (_, test), rows in zip(halves, sources, strict=True)]
        self._drawn = np.zeros((2, len(sources)), np.int64)
        self.budget = settings.budget * tagger.flops(tagger.full_row(settings.batch), everything=True)
        self.spent, self.updates, self.read = 0.0, 0, 0
        self.looks: list[Look] = []
        self._optimizer = adamw(tagger, settings, initial=settings.initial or not self._steps)

    @property
    def done(self) -> bool:
        """Whether the budget is spent."""
        return self.spent >= self.budget

    def update(self, languages: Sequence[int]) -> float:
        """One outer update on some source languages; the mean nats of its outer batches."""
        begun, looking = self.spent, self.updates % self._settings.look == 0
        losses = []
        self.tagger.zero_grad(set_to_none=True)
        with self.tagger.attention():
            for language in languages:
                loss, share = self._one(language, looking and self._steps > 0)
                (loss / len(languages)).backward()  # type: ignore[no-untyped-call]
                losses.append(loss.item())
                self.spent += share
        part = min(1.0, (begun + self.spent) / 2 / self.budget)
        rate = learning_rate(part, peak=1.0, warmup=self._settings.warmup, decay=1 - self._settings.warmup)
        step(self._optimizer, float(rate), self._settings.clip)
        self.updates += 1
        return float(np.mean(losses))

    def _one(self, language: int, looking: bool) -> tuple[Tensor, float]:
        """The outer loss on a language, whose gradient is the update's, and what it costs."""
        support = [self._next(0, language) for _ in range(self._steps)]
        query = self._next(1, language)
        everything = self._priming.kind == "maml"
        adapted = adapt(self.tagger, support, self._settings, everything=everything)
        loss = self.tagger.loss(query, adapted.values)
        if looking:
            before, after = self._support_loss(support, {}), self._support_loss(support, adapted.values)
            self.looks.append(Look(self.updates, language, before, after, loss.item()))
        return loss, adapted.flops + self.tagger.flops(query, everything=True)

    def _support_loss(self, support: Sequence[TagBatch], values: Mapping[str, Tensor]) -> float:
        with torch.no_grad():
            return float(np.mean([self.tagger.loss(batch, values).item() for batch in support]))

    def _next(self, place: int, language: int) -> TagBatch:
        rows, count = (self._train, self._test)[place][language], self._settings.batch
        first = int(self._drawn[place, language])
        self._drawn[place, language] += count
        self.read += count
        return rows.drawn(self._seed, f"{('train', 'test')[place]} {language}", first, count, self.tagger.device)


def in_turn(seed: int, languages: int, tasks: int) -> Pick:
    """Every language equally often, a fresh random order each round."""
    tasks = min(tasks, languages)

    def pick(update: int) -> list[int]:
        index = np.arange(update * tasks, (update + 1) * tasks)
        return [int(n) for n in window_of(key(seed, "languages"), index, languages)]

    return pick


def prime(run: PrimingRun, pick: Pick) -> PrimingRun:
    """Spend the budget."""
    while not run.done:
        run.update(pick(run.updates))
    return run
