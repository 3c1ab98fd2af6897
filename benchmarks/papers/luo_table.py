"""The printed form of what `luo.py` found."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def table(found: Mapping[str, Any], *, own: str) -> str:
    """Losses of every learner on every target, the useless task's probability, and the verdicts."""
    scores = found["scores"]
    targets = list(next(iter(scores.values())))
    lines = [
        f"{found['seeds']} seeds; nats per label on the report splits (probe: light head / after a fine-tune)",
        f"{'':28s}" + "".join(f"{target:>22s}" for target in targets),
    ]
    lines += [f"{name:28s}" + "".join(_cell(of.get(target, {})) for target in targets) for name, of in scores.items()]
    for figure, judged in found["claims"].items():
        what = {"probe_loss": "probe loss", "finetune_loss": "loss after a fine-tune"}[figure]
        lines += ["", f"C8: probability of the useless task / even, last third; {what} on its target - uniform's"]
        for name, claim in judged["C8"].items():
            useless = claim["useless"]
            held = "dropped" if useless["holds"] else "NOT dropped"
            lines.append(f"{name:28s} {_interval(useless):24s} {held:12s} {_pair(claim['uniform'])}")
        lines += [
            "",
            f"C9, {what}: aware - agnostic on {own}; agnostic - aware on the mean of the others "
            f"({found['margin']:g} nats)",
        ]
        for name, claim in judged["C9"].items():
            lines += [f"{name:20s} {part:7s} {_pair(claim[part])}" for part in ("own", "others")]
    return "\n".join(lines)


def _cell(by_seed: Mapping[int, Mapping[str, float]]) -> str:
    if not by_seed:
        return f"{'-':>22s}"
    columns = [
        [figures[key] for figures in by_seed.values() if key in figures] for key in ("probe_loss", "finetune_loss")
    ]
    return f"{' / '.join(f'{np.mean(column):.3f}' for column in columns if column):>22s}"


def _pair(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "-"
    p = "" if found["p"] is None else f"p {found['p']:.3f}"
    return f"{_interval(found['difference']):26s} {found['verdict']:7s} {p}, equivalence p {found['equivalence']:.3f}"


def _interval(value: Mapping[str, Any]) -> str:
    if value["low"] is None:
        return f"{value['mean']:.3f}"
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"
