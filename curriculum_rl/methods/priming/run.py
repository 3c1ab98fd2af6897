"""One language left out: prime a backbone on the others, tune it on a few sentences of the one, score it."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curriculum_rl.draws import key
from curriculum_rl.methods.priming.adapters import PE
from curriculum_rl.methods.priming.loop import Look, PrimingRun, in_turn, prime
from curriculum_rl.methods.priming.ner import Language
from curriculum_rl.methods.priming.rows import Rows, encoded, sampled
from curriculum_rl.methods.priming.settings import Arm, Priming, Settings
from curriculum_rl.methods.priming.tagger import Tagger, Tensors
from curriculum_rl.methods.priming.tuning import score, tune
from curriculum_rl.tokenizers import Tokenizer


@dataclass(frozen=True)
class Problem:
    """All that the arms of one left-out language and one seed share.

    Attributes:
        source: the directory of the backbone.
        tokenizer: its own.
        tags: the names of the tags.
        sources: sentences of each source language, in random order.
        train: the target's sentences to tune on.
        test: those that it is scored on.
        settings: sizes and rates.
        seed: of everything that is drawn.
        device: where it runs.
    """

    source: Path
    tokenizer: Tokenizer
    tags: tuple[str, ...]
    sources: Mapping[str, Rows]
    train: Rows
    test: Rows
    settings: Settings
    seed: int
    device: str

    def tagger(self, pe: PE, purpose: str) -> Tagger:
        """The pretrained backbone with fresh PE parameters and head."""
        return Tagger(
            self.source,
            self.tokenizer,
            tags=len(self.tags),
            pe=pe,
            settings=self.settings,
            seed=key(self.seed, purpose) >> 1,
            device=self.device,
        )


def problem(
    source: Path,
    tokenizer: Tokenizer,
    languages: Mapping[str, Language],
    tags: tuple[str, ...],
    target: str,
    settings: Settings,
    *,
    seed: int,
    device: str = "cpu",
    scored: str = "test",
    most: int | None = None,
) -> Problem:
    """Draw the sentences: a pool of each source language, a few of the target to tune on.

    Args:
        source: the directory of the backbone.
        tokenizer: its own.
        languages: their parts.
        tags: of `ner.tags_of`.
        target: the language that is left out.
        settings: how many sentences.
        seed: of the draw.
        device: where it runs.
        scored: the part of the target that is scored: `test`, or `dev` while rates are chosen.
        most: score the first so many sentences; None: all.
    """

    def drawn(name: str, count: int) -> Rows:
        chosen = sampled(languages[name]["train"], key(seed, "pool", name), count)
        return encoded(chosen, tags, tokenizer, context=settings.context)

    return Problem(
        source=source,
        tokenizer=tokenizer,
        tags=tags,
        sources={name: drawn(name, settings.pool) for name in languages if name != target},
        train=drawn(target, settings.target),
        test=encoded(languages[target][scored][:most], tags, tokenizer, context=settings.context),
        settings=settings,
        seed=seed,
        device=device,
    )


def primed(what: Problem, priming: Priming) -> tuple[Tensors, dict[str, Any]]:
    """The primed backbone, and what happened: cost, sentences read, and how far inner loops came."""
    begun = time.perf_counter()
    tagger = what.tagger(priming.pe, f"priming {priming.pe}")
    run = PrimingRun(tagger, priming, list(what.sources.values()), what.settings, seed=key(what.seed, "priming"))
    prime(run, in_turn(key(what.seed, "priming"), len(what.sources), what.settings.tasks))
    found = {
        "flops": run.spent,
        "seconds": time.perf_counter() - begun,
        "updates": run.updates,
        "sentences": run.read,
        "looks": [asdict(look) for look in run.looks],
        "drop": drop(run.looks),
    }
    return tagger.state(), found


def drop(looks: list[Look]) -> float | None:
    """The mean fall of the inner support loss over the looks of a run, in nats; None where there is no inner loop."""
    return float(np.mean([look.before - look.after for look in looks])) if looks else None


def tuned(what: Problem, arm: Arm, backbone: Tensors | None) -> dict[str, Any]:
    """Tune the arm on the target with a fresh head and fresh PE parameters, and score it.

    Args:
        what: the problem.
        arm: what is tuned.
        backbone: a primed one; None: the pretrained one.
    """
    begun = time.perf_counter()
    full = arm.tune == "full"
    tagger = what.tagger("head" if arm.tune == "full" else arm.tune, "target")
    if backbone is not None:
        tagger.load(backbone)
    flops = tune(tagger, what.train, what.settings, full=full, seed=key(what.seed, "target"))
    seconds = time.perf_counter() - begun
    trained = {**tagger.light, **(tagger.body if full else {})}
    return {
        "f1": score(tagger, what.test, what.tags),
        "parameters": sum(p.numel() for p in trained.values()),
        "flops": flops,
        "seconds": seconds,
    }
