"""What the priming experiment says: F1 by arm and language, paired differences, and whether inner loops learned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from curriculum_rl.scripts.comparing.analysis.statistics import Estimate, estimate, holm, paired

PAIRS = (
    ("meta->adapter", "multitask->adapter"),
    ("meta->adapter", "adapter"),
    ("meta->adapter", "maml->adapter"),
    ("meta->adapter", "one-step->adapter"),
    ("multitask->adapter", "adapter"),
    ("meta->head", "multitask->head"),
    ("meta->head", "head"),
    ("meta->lora", "multitask->lora"),
    ("meta->lora", "lora"),
    ("full", "meta->adapter"),
)
"""What is compared with what; the first is the claim."""

Row = Mapping[str, Any]


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """Every figure from the files of some seeds, languages and arms; F1 in points."""
    scores = {(row["arm"], row["target"], row["seed"]): 100 * float(row["tuned"]["f1"]) for row in rows}
    arms, targets, seeds = ([*dict.fromkeys(key[part] for key in scores)] for part in range(3))
    compared = {f"{a} - {b}": _compared(scores, a, b, targets, seeds) for a, b in PAIRS if a in arms and b in arms}
    for pair, p in zip(compared.values(), holm([pair["p"] for pair in compared.values()]), strict=True):
        pair["p, Holm"] = p
    return {
        "seeds": len(seeds),
        "targets": targets,
        "scored": rows[0]["scored"],
        "backbone": {key: float(np.mean([row["backbone"][key] for row in rows])) for key in ("loss", "bigram")},
        "f1": {arm: {t: [scores[arm, t, seed] for seed in seeds] for t in targets} for arm in arms},
        "compared": compared,
        "cost": {arm: _cost([row for row in rows if row["arm"] == arm]) for arm in arms},
        "inner": {arm: _inner([row for row in rows if row["arm"] == arm]) for arm in arms},
    }


def _compared(
    scores: Mapping[tuple[str, str, int], float], a: str, b: str, targets: Sequence[str], seeds: Sequence[int]
) -> dict[str, Any]:
    """One arm minus another: over seeds, of each seed the mean over languages; by language; how many cells are won."""
    first, second = ([[scores[arm, t, seed] for t in targets] for seed in seeds] for arm in (a, b))
    cells = np.array(first) - np.array(second)
    seen = paired(np.mean(first, axis=1).tolist(), np.mean(second, axis=1).tolist(), lower_is_better=False)
    return {
        "difference": vars(seen.difference),
        "p": seen.p,
        "seeds won": seen.wins,
        "by language": {t: vars(estimate(cells[:, n].tolist())) for n, t in enumerate(targets)},
        "cells won": int((cells > 0).sum()),
        "cells": cells.size,
        "languages won": int((cells.mean(axis=0) > 0).sum()),
    }


def _cost(rows: Sequence[Row]) -> dict[str, float]:
    """Means over the cells."""
    told = [row["priming"] or {"flops": 0.0, "seconds": 0.0, "sentences": 0, "updates": 0} for row in rows]
    return {
        "priming flops": float(np.mean([each["flops"] for each in told])),
        "priming seconds": float(np.mean([each["seconds"] for each in told])),
        "sentences": float(np.mean([each["sentences"] for each in told])),
        "updates": float(np.mean([each["updates"] for each in told])),
        "tuning flops": float(np.mean([row["tuned"]["flops"] for row in rows])),
    }


def _inner(rows: Sequence[Row]) -> dict[str, float] | None:
    """What inner loops took off the loss of sentences that they did not read; None where there is no inner loop."""
    told = [row["priming"] for row in rows if row["priming"] and row["priming"]["drop"] is not None]
    if not told:
        return None
    return {key: float(np.mean([one[key] for one in told])) for key in ("drop", "share falling", "loss")}


def report(found: Mapping[str, Any]) -> str:
    """The tables."""
    targets = found["targets"]
    lines = [
        f"entity F1 in points on {found['scored']} sentences, {found['seeds']} seed(s), left out: {', '.join(targets)}",
        "masked-LM loss of the backbone on dev text {loss:.2f} nats, of bigram counts {bigram:.2f}".format(
            **found["backbone"]
        ),
        "",
        f"{'arm':20s} " + " ".join(f"{t:>6s}" for t in targets) + f" {'mean':>6s} "
        f"{'prime FLOPs':>12s} {'updates':>8s} {'sentences':>10s} {'prime s':>8s} {'tune FLOPs':>11s}",
    ]
    for arm, scores in found["f1"].items():
        cost = found["cost"][arm]
        means = [float(np.mean(scores[t])) for t in targets]
        lines.append(
            f"{arm:20s} " + " ".join(f"{value:6.1f}" for value in means) + f" {np.mean(means):6.1f} "
            f"{cost['priming flops']:12.3g} {cost['updates']:8.0f} "
            f"{cost['sentences']:10,.0f} {cost['priming seconds']:8.1f} {cost['tuning flops']:11.3g}"
        )
    lines += ["", "differences in points: mean over languages, 95 % interval over seeds; p by sign flips (Holm)"]
    for name, pair in found["compared"].items():
        lines.append(
            f"{name:36s} {_shown(pair['difference']):>22s}  p {_p(pair['p'])} ({_p(pair['p, Holm'])})  "
            f"languages {pair['languages won']}/{len(targets)}, cells {pair['cells won']}/{pair['cells']}  "
            + " ".join(f"{t} {each['mean']:+.1f}" for t, each in pair["by language"].items())
        )
    lines += [
        "",
        "inner loops, nats that they take off the loss of sentences that they did not read (no drop, no claim)",
    ]
    for arm, inner in found["inner"].items():
        if inner is not None:
            lines.append(
                f"{arm:20s} drop {inner['drop']:+.4f}, in {inner['share falling']:.0%} of the segments; "
                f"last outer loss {inner['loss']:.3f}"
            )
    return "\n".join([*lines, *_verdict(found)])


def _verdict(found: Mapping[str, Any]) -> list[str]:
    """The hypotheses of issue 5, each with yes or no."""
    lines = [""]
    inner = found["inner"].get("meta->adapter")
    if inner is None:
        return []
    if found["backbone"]["loss"] >= found["backbone"]["bigram"]:
        lines.append("believe little of this: the backbone is no better than bigram counts; raise --set pretraining")
    if inner["drop"] <= 0:
        lines.append("believe none of this: the inner loops of meta->adapter do not learn")
    for a, b in PAIRS[:4]:
        pair = found["compared"].get(f"{a} - {b}")
        if pair is not None:
            low = pair["difference"]["low"]
            holds = "yes" if low is not None and low > 0 else "NO"
            lines.append(f"{a} above {b}: {_shown(pair['difference']):>22s}  {holds}")
    return lines


def _p(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _shown(value: Mapping[str, float | None]) -> str:
    shown = Estimate(**value)  # type: ignore[arg-type]
    if shown.low is None or shown.high is None:
        return f"{shown.mean:+.2f}"
    return f"{shown.mean:+.2f} [{shown.low:+.2f}, {shown.high:+.2f}]"
