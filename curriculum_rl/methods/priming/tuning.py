"""What a user does at last: a fresh head and fresh PE parameters, tuned on a few target sentences, and the F1 of it."""

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.entities import entity_f1
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.methods.priming.rows import Rows, tags_of_words
from curriculum_rl.methods.priming.settings import Settings
from curriculum_rl.methods.priming.steps import adamw_for_tuning, step
from curriculum_rl.methods.priming.tagger import Tagger

ROWS = 64
"""Sentences that are read at once where nothing is trained."""


def tune(tagger: Tagger, rows: Rows, settings: Settings, *, full: bool, seed: int) -> float:
    """Tune PE parameters and head, the backbone frozen, or everything; the FLOPs that it cost.

    Args:
        tagger: with fresh PE parameters and head.
        rows: the target's train sentences.
        settings: passes and rates.
        full: also tune the backbone.
        seed: of their order.
    """
    updates = max(1, settings.epochs * len(rows) // settings.batch)
    rates = learning_rate(
        (np.arange(updates) + 0.5) / updates, peak=1.0, warmup=settings.warmup, decay=1 - settings.warmup
    )
    for p in tagger.body.values():
        p.requires_grad_(full)
    optimizer = adamw_for_tuning(tagger, settings, full=full)
    flops = 0.0
    for n, rate in enumerate(rates.tolist()):
        batch = rows.drawn(seed, "target", n * settings.batch, settings.batch, tagger.device)
        optimizer.zero_grad(set_to_none=True)
        tagger.loss(batch).backward()  # type: ignore[no-untyped-call]
        step(optimizer, rate, settings.clip)
        flops += tagger.flops(batch, everything=full)
    for p in tagger.body.values():
        p.requires_grad_(True)
    return flops


def predicted(tagger: Tagger, rows: Rows) -> npt.NDArray[np.int64]:
    """(S, T) the likeliest tag of every token."""
    found = np.zeros_like(rows.ids)
    # Sentences of like length are read together: less padding.
    order = np.argsort(rows.lengths, kind="stable")
    with torch.no_grad():
        for index in np.array_split(order, -(-len(order) // ROWS)):
            best = tagger(rows.batch(index, tagger.device).ids).argmax(dim=-1).cpu().numpy()
            found[index, : best.shape[1]] = best
    return found


def score(tagger: Tagger, rows: Rows, tags: tuple[str, ...]) -> float:
    """Entity F1 on some sentences, words that were cut off counting as `O`."""
    true = [list(row.tags) for row in rows.sentences]
    return entity_f1(true, tags_of_words(rows, predicted(tagger, rows), tags))
