"""Does divergence tell which source to tune on? Pugantsov and McCreadie 2023, on 16 domains of reviews.

    python benchmarks/papers/pruning.py [--out runs/pruning] [--seeds 3] [--jobs 2] [--set KEY=VALUE]

For every seed a small transformer is pretrained on the unlabelled text of all domains (the shared body), tuned on the
labels of each source, and scored on the test labels of every other domain: 240 ordered pairs, the source tuned once for
all its targets. Divergences are of the source's labelled text from the target's unlabelled text; no test text is read.
A part that is finished stands in --out and is not repeated: the same command goes on, with more seeds too.
"""

import os
from functools import partial
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
from playing import end, parser, read, settings_of, side_by_side
from pruning_claims import (
    KEPT,
    costs,
    global_correlation,
    keep_closest,
    mantel,
    off_diagonal,
    pair_test,
    regrets,
    target_correlation,
)
from pruning_transfer import Size, play

from curriculum_rl.errors import ConfigError
from curriculum_rl.scripts.comparing.analysis.statistics import Estimate, estimate, holm, paired

CLAIM = 0.6
"""Share of each target's sources that is kept where 40 % of the pairs are pruned."""


def summarise(states: list[dict[str, Any]]) -> dict[str, Any]:
    """Every figure of the claims from the files of some seeds; a list holds one entry for each seed."""
    hits = [_hits(state) for state in states]
    accuracy = np.stack([[[h.mean() for h in row] for row in seed] for seed in hits])
    names = list(states[0]["divergence"])
    deltas = {name: np.array([state["divergence"][name]["matrix"] for state in states]) for name in names}
    lost = [_regrets(seed, {name: deltas[name][n] for name in names}) for n, seed in enumerate(hits)]
    pooled = _regrets(_pooled(hits), {name: deltas[name].mean(axis=0) for name in names})
    measures = {name: _claims(name, deltas[name], accuracy, lost, states) for name in names}
    for measure, p in zip(measures.values(), holm([m["mantel"] for m in measures.values()]), strict=True):
        measure["mantel, Holm"] = p
    return {
        "domains": states[0]["domains"],
        "seeds": len(states),
        "size": states[0]["size"],
        "accuracy": _accuracies(accuracy, states[0]["truth"]),
        "pairs": accuracy.mean(axis=0).tolist(),
        "body": {key: float(np.mean([state["body"][key] for state in states])) for key in states[0]["body"]},
        "random": {f"{share:g}": [seed["random", share] for seed in lost] for share in KEPT},
        "pooled": {name: {f"{share:g}": pooled[name, share] for share in KEPT} for name in [*names, "random"]},
        "measures": measures,
    }


def _accuracies(accuracy: Any, truth: dict[str, str]) -> dict[str, Any]:
    """Means over domains for each seed; best and worst sources are picked where they are scored, so they flatter."""
    others = [off_diagonal(matrix) for matrix in accuracy]
    return {
        "in domain": [float(np.diag(matrix).mean()) for matrix in accuracy],
        "zero shot": [float(each.mean()) for each in others],
        "best source": [float(each.max(axis=0).mean()) for each in others],
        "worst source": [float(each.min(axis=0).mean()) for each in others],
        "larger class": float(np.mean([_larger(bits) for bits in truth.values()])),
    }


def _claims(
    name: str, deltas: Any, accuracy: Any, lost: list[dict[tuple[str, float], float]], states: list[dict[str, Any]]
) -> dict[str, Any]:
    """What one measure is judged by."""
    each = list(zip(deltas, accuracy, strict=True))
    against = paired([seed[name, CLAIM] for seed in lost], [seed["random", CLAIM] for seed in lost])
    saved = [costs(state, delta, state["divergence"][name], CLAIM) for state, delta in zip(states, deltas, strict=True)]
    return {
        "global": [global_correlation(delta, matrix) for delta, matrix in each],
        "within": [target_correlation(delta, matrix) for delta, matrix in each],
        "mantel": mantel(deltas.mean(axis=0), accuracy.mean(axis=0)),
        "pair": [pair_test(delta, matrix) for delta, matrix in each],
        "regret": {f"{share:g}": [seed[name, share] for seed in lost] for share in KEPT},
        "against random": vars(against) | {"difference": vars(against.difference)},
        "saved": {key: float(np.mean([cost[key] for cost in saved])) for key in saved[0]},
    }


def _regrets(seed: list[list[Any]], deltas: dict[str, Any]) -> dict[tuple[str, float], float]:
    """Points lost by (measure, share kept), and by random pruning."""
    D = len(seed)
    right = [np.stack([seed[source][target] for source in range(D) if source != target]) for target in range(D)]
    kept: dict[tuple[str, float], Any] = {}
    for share in KEPT:
        for measure, delta in deltas.items():
            kept[measure, share] = keep_closest(delta, share)
        kept["random", share] = int(kept[measure, share][:, 0].sum())
    return regrets(right, kept)


def _hits(state: dict[str, Any]) -> list[list[Any]]:
    """By source and target which test examples are right."""
    names = state["domains"]
    return [[np.array(list(state["sources"][s]["right"][t])) == "1" for t in names] for s in names]


def _pooled(hits: list[list[list[Any]]]) -> list[list[Any]]:
    """By source and target the share of the seeds that get each test example right."""
    D = len(hits[0])
    return [[np.mean([seed[source][target] for seed in hits], axis=0) for target in range(D)] for source in range(D)]


def _larger(bits: str) -> float:
    share = bits.count("1") / len(bits)
    return max(share, 1 - share)


def report(found: dict[str, Any]) -> str:
    """The tables."""
    accuracy = {name: 100 * np.mean(values) for name, values in found["accuracy"].items()}
    lines = [
        f"{len(found['domains'])} domains, {found['seeds']} seed(s); 95 % intervals over seeds",
        "accuracy, %: " + ", ".join(f"{name} {value:.1f}" for name, value in accuracy.items()),
        f"shared body: loss {found['body']['loss']:.2f}, {found['body']['flops']:.2g} FLOPs, "
        f"{found['body']['seconds']:.0f} s a seed, paid alike by all and in no column of 'saved'",
        "",
        f"{'measure':15s} {'rho all pairs':>14s} {'rho in targets':>22s} {'Mantel p (Holm)':>16s} {'pair test':>20s}",
    ]
    for name, m in found["measures"].items():
        lines.append(
            f"{name:15s} {np.mean(m['global']):14.2f} {_interval(m['within']):>22s} "
            f"{m['mantel']:7.4f} ({m['mantel, Holm']:.3f}) {_interval(m['pair']):>20s}"
        )
    shares = list(found["random"])
    lines += ["", "points lost by pruning, by the share of sources kept; difference to random at .6; share saved at .6"]
    lines.append(
        f"{'measure':15s} "
        + " ".join(f"{'keep ' + share:>9s}" for share in shares)
        + f" {'against random':>22s} {'pairs FLOPs':>12s} {'seconds':>8s} {'shared FLOPs':>13s}"
    )
    for name, m in found["measures"].items():
        points = " ".join(f"{np.mean(m['regret'][share]):9.2f}" for share in shares)
        against = _shown(Estimate(**m["against random"]["difference"]))
        saved = m["saved"]
        lines.append(
            f"{name:15s} {points} {against:>22s} {saved['pairs flops']:12.1%} {saved['pairs seconds']:8.1%} "
            f"{saved['shared flops']:13.1%}"
        )
    lines.append(f"{'random':15s} " + " ".join(f"{np.mean(found['random'][share]):9.2f}" for share in shares))
    if found["seeds"] > 1:
        lines += ["", "points lost where the best source is picked, and scored, by the mean over the seeds"]
        lines += [
            f"{name:15s} " + " ".join(f"{points[share]:9.2f}" for share in shares)
            for name, points in found["pooled"].items()
        ]
    return "\n".join([*lines, "", *_verdict(found)])


def _verdict(found: dict[str, Any]) -> list[str]:
    """The hypotheses of issue 5 for Jensen-Shannon, each with yes or no."""
    js = found["measures"]["js"]
    lost = estimate(js["regret"][f"{CLAIM:g}"])
    against = js["against random"]["difference"]
    clear = against["high"] is not None and against["high"] < 0
    rows = [
        ("Spearman of all pairs <= -.5", _interval(js["global"]), np.mean(js["global"]) <= -0.5),
        ("Spearman in targets <= -.5", _interval(js["within"]), np.mean(js["within"]) <= -0.5),
        ("pair test >= .70", _interval(js["pair"]), np.mean(js["pair"]) >= 0.7),
        ("40 % of pairs for <= .3 points", _shown(lost), lost.mean <= 0.3),
        ("clearly less than random", _shown(Estimate(**against)), clear),
    ]
    low = np.mean(found["accuracy"]["zero shot"]) - found["accuracy"]["larger class"]
    lines = [f"js: {claim:32s} {figure:>22s}  {'yes' if holds else 'NO'}" for claim, figure, holds in rows]
    if low < 0.05:
        warning = f"believe none of this: zero-shot accuracy is only {100 * low:.1f} points above the larger class"
        return [warning, *lines]
    return lines


def _interval(values: list[float]) -> str:
    return _shown(estimate(values))


def _shown(value: Estimate) -> str:
    if value.low is None or value.high is None:
        return f"{value.mean:.2f}"
    return f"{value.mean:.2f} [{value.low:.2f}, {value.high:.2f}]".replace("-0.00", "0.00")


def main(arguments: list[str] | None = None) -> None:
    """Play what is left, print the tables, write `result.json`."""
    options = parser(__doc__, "pruning", data="fdu_mtl", settings="pruning_transfer.Size")
    given = options.parse_args(arguments)
    try:
        size = settings_of(Size(), given.set)
        given.out.mkdir(parents=True, exist_ok=True)
        once = partial(play, given.data, given.out, size, device=given.device)
        files = side_by_side(once, range(given.seeds), processes=given.jobs)
    except ConfigError as error:
        options.error(str(error))
    found = summarise(read(files))
    end(given.out, found, report(found))


if __name__ == "__main__":
    main()
