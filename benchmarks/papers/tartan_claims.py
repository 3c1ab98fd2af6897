"""The figures of the end-task aware training claims, from the files of the arms: differences, intervals, weights."""

from typing import Any

import numpy as np

from curriculum_rl.scripts.comparing.analysis.statistics import Estimate, estimate, holm, paired

COMPARED = (
    ("mt", "tapt->ft"),
    ("mt", "ft"),
    ("tapt->ft", "ft"),
    ("meta", "mt"),
    ("meta+noise", "mt+noise"),
    ("meta+foreign", "mt+foreign"),
    ("meta+dapt", "mt+dapt"),
    ("mt+dapt", "tapt+dapt->ft"),
    ("mt-norm-matched", "mt"),
    ("dev-control", "mt"),
    ("meta", "dev-control"),
)
"""First minus second, where both were played."""
USELESS = ("noise", "foreign")


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """By data set: scores of every arm, the comparisons with their p, and the learned weights."""
    return {name: _dataset([row for row in rows if row["dataset"] == name]) for name in _names(rows, "dataset")}


def _dataset(rows: list[dict[str, Any]]) -> dict[str, Any]:
    arms = {arm: sorted((r for r in rows if r["arm"] == arm), key=lambda r: r["seed"]) for arm in _names(rows, "arm")}
    scores = {arm: [100 * row["test"][row["metric"]] for row in some] for arm, some in arms.items()}
    pairs = [(a, b) for a, b in COMPARED if a in scores and b in scores]
    compared = {f"{a} - {b}": paired(scores[a], scores[b], lower_is_better=False) for a, b in pairs}
    adjusted = holm([each.p for each in compared.values()])
    return {
        "metric": rows[0]["metric"],
        "split": rows[0]["split"],
        "seeds": len(next(iter(arms.values()))),
        "scores": scores,
        "dev": {arm: [100 * row["dev"] for row in some] for arm, some in arms.items()},
        "flops": {arm: float(np.mean([row["flops"] for row in some])) for arm, some in arms.items()},
        "seconds": {arm: float(np.mean([row["seconds"] for row in some])) for arm, some in arms.items()},
        "updates": {arm: [row["joint"]["updates"] for row in some] for arm, some in arms.items()},
        "final kept": {arm: [row["final kept"] for row in some] for arm, some in arms.items()},
        "compared": {
            name: vars(each) | {"difference": vars(each.difference), "p, Holm": p}
            for (name, each), p in zip(compared.items(), adjusted, strict=True)
        },
        "weights": {arm: _weights(some) for arm, some in arms.items() if len(some[0]["weights"]) > 1},
        "lm head": [row["lm head"]["losses"][-1] for row in next(iter(arms.values()))],
    }


def _weights(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """By task the last weights of the seeds."""
    return {task: [row["weights"][task] for row in rows] for task in rows[0]["weights"]}


def report(found: dict[str, Any]) -> str:
    """The tables."""
    return "\n\n".join("\n".join(_table(name, each)) for name, each in found.items())


def _table(name: str, found: dict[str, Any]) -> list[str]:
    lines = [
        f"{name}, {found['split']} split: test {found['metric']} in points, {found['seeds']} seed(s); 95 % intervals",
        f"masked-LM head, body frozen: {np.mean(found['lm head']):.2f} nats at its end, in every arm",
        f"{'arm':16s} {'test':>22s} {'dev':>7s} {'FLOPs':>9s} {'seconds':>8s} {'updates':>8s} {'final kept':>11s}",
    ]
    for arm, scores in found["scores"].items():
        lines.append(
            f"{arm:16s} {_shown(estimate(scores)):>22s} {np.mean(found['dev'][arm]):7.1f} {found['flops'][arm]:9.2g} "
            f"{found['seconds'][arm]:8.0f} {np.mean(found['updates'][arm]):8.0f} {sum(found['final kept'][arm]):11d}"
        )
    if found["compared"]:
        lines += [
            "",
            f"{'difference':28s} {'points':>22s} {'wins':>6s} {'p':>6s} {'Holm':>6s}  (paired sign-flip test)",
        ]
    for pair, each in found["compared"].items():
        p = "".join(f" {'-' if x is None else f'{x:.3f}':>6s}" for x in (each["p"], each["p, Holm"]))
        lines.append(f"{pair:28s} {_shown(Estimate(**each['difference'])):>22s} {each['wins']:6.1f}{p}")
    if found["weights"]:
        lines += ["", "last weights; useless text below its even share?"]
    for arm, weights in found["weights"].items():
        lines.append(f"{arm:16s} " + ", ".join(f"{task} {_fine(values)}" for task, values in weights.items()))
        lines += [_verdict(task, weights) for task in USELESS if task in weights and arm.startswith("meta")]
    return lines


def _verdict(task: str, weights: dict[str, list[float]]) -> str:
    """Whether a useless text's weight is below even, and below the related text's."""
    even, mine = 1 / len(weights), weights[task]
    below = estimate([value - even for value in mine])
    fewer = sum(value < other for value, other in zip(mine, weights["tapt"], strict=True))
    clear = "yes" if below.high is not None and below.high < 0 else "not clearly"
    return f"  {task} - even: {below.mean:+.3f}, below: {clear}; below tapt in {fewer} of {len(mine)} seed(s)"


def _fine(values: list[float]) -> str:
    value = estimate(values)
    if value.low is None or value.high is None:
        return f"{value.mean:.3f}"
    return f"{value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]"


def _shown(value: Estimate) -> str:
    if value.low is None or value.high is None:
        return f"{value.mean:.2f}"
    return f"{value.mean:.2f} [{value.low:.2f}, {value.high:.2f}]"


def _names(rows: list[dict[str, Any]], key: str) -> list[str]:
    return list(dict.fromkeys(row[key] for row in rows))
