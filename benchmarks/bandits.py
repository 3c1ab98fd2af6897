"""Regret of the bandit rules on short, noisy, falling problems; `--tune` scans their settings.

Prints, for each problem, the pseudo-regret as a percentage of uniform play's (lower is better). The rules learn from
what the shell would give them: gains through `GainScaling`. Nothing here is a language model: the problems say whether
a rule can work at all at the horizons and the noise of pretraining runs. The defaults were tuned on
`TUNING`, which is of the same families as the table (other draws): the table is no held-out evidence.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.bandits.scaling import GainScaling
from curriculum_rl.agents.bandits.sw_ucb import SlidingWindowUCB
from curriculum_rl.agents.bandits.thompson import DiscountedThompson
from curriculum_rl.agents.fixed import Even
from curriculum_rl.agents.rule import Floats, Rule, draw


@dataclass(frozen=True)
class Problem:
    """A bandit problem with S jittered copies.

    Gain = level(t) * (1 + advantage(arm) + noise): the level falls as 1 / (1 + 10 t / T) for every arm, the best arm's
    advantage is .5, the others' are drawn in [-.2, .2], and the noise's standard deviation is the gap between the best
    arm and the mean of the others, over `snr`. "bernoulli" pays 0 or 1 with p = .6 for the best and .4 for the others.

    Attributes:
        kind: "falling", "steady" (the level does not fall), "switch" (falling; another arm is best from T/2 on), or
            "bernoulli".
        arms: K.
        horizon: T, plays.
        snr: signal-to-noise of one play.
    """

    kind: str
    arms: int
    horizon: int
    snr: float = 0.7

    def advantages(self, seeds: int, rng: np.random.Generator) -> Floats:
        """(2, S, K) advantage of each arm in the first and the second half."""
        if self.kind == "bernoulli":
            values = np.full((seeds, self.arms), 0.4)
            best = 0.6
        else:
            values = rng.uniform(-0.2, 0.2, (seeds, self.arms))
            best = 0.5
        arms = np.argsort(rng.random((seeds, self.arms)), axis=1)[:, :2]
        halves = np.stack([values, values])
        rows = np.arange(seeds)
        halves[0, rows, arms[:, 0]] = best
        halves[1, rows, arms[:, 1 if self.kind == "switch" else 0]] = best
        return halves

    def gains(self, means: Floats, step: int, rng: np.random.Generator) -> Floats:
        """(S,) advantages of the arms played -> (S,) gains."""
        if self.kind == "bernoulli":
            return (rng.random(len(means)) < means).astype(np.float64)
        level = 1.0 if self.kind == "steady" else 1 / (1 + 10 * step / self.horizon)
        return level * (1 + means + 0.5 / self.snr * rng.standard_normal(len(means)))


def regret(rule: Rule, scaling: GainScaling, problem: Problem, *, seeds: int, seed: int = 0) -> float:
    """Pseudo-regret (in advantage, so that late plays count as much as early ones), % of uniform play's."""
    rng = np.random.default_rng([seed, problem.arms, problem.horizon])
    halves = problem.advantages(seeds, rng)
    state, gain_state = rule.start(seeds, problem.arms), scaling.start(seeds)
    rows = np.arange(seeds)
    lost = uniform = 0.0
    for step in range(problem.horizon):
        values = halves[2 * step // problem.horizon]
        probabilities = rule.probabilities(state)
        arms = draw(probabilities, rng.random(seeds))
        gaps = values.max(axis=1, keepdims=True) - values
        lost += float((probabilities * gaps).sum())
        uniform += float(gaps.mean(axis=1).sum())
        rewards = scaling.scale(gain_state, problem.gains(values[rows, arms], step, rng))
        rule.update(state, arms, rewards, probabilities)
    return 100 * lost / uniform


RULES: dict[str, Rule] = {
    "random": Even(),
    "exp3s": Exp3S(),
    "exp3s (Graves)": Exp3S(step=1e-3, sharing=None, implicit=0.0),
    "sw-ucb": SlidingWindowUCB(),
    "d-ts": DiscountedThompson(),
}
PROBLEMS = (
    *(Problem("falling", arms, horizon) for arms in (6, 12, 20) for horizon in (60, 120, 300, 600)),
    *(Problem("falling", 12, 120, snr) for snr in (0.5, 1.0)),
    Problem("steady", 12, 120),
    *(Problem("switch", 10, horizon) for horizon in (300, 600)),
    *(Problem("bernoulli", 12, horizon) for horizon in (120, 300, 600)),
)
TUNING = (
    *(Problem("falling", arms, horizon) for arms, horizon in ((6, 60), (12, 120), (10, 300), (20, 300), (12, 600))),
    Problem("switch", 10, 300),
    Problem("bernoulli", 12, 120),
)
GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "exp3s": {"step": (0.2, 0.3, 0.4), "sharing": (0.001, 0.003, None), "implicit": (0.0, 0.15, 0.25)},
    "sw-ucb": {"window": (10.0, 15.0, 20.0), "width": (0.1, 0.15, 0.3, 1.0)},
    "d-ts": {"discount": (0.98, 0.99, 0.995), "prior": (0.3, 1.0), "noise": (0.1, 0.2, 0.4)},
    "scaling": {"window": (12.0, 25.0)},
}


def settings(grid: dict[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Every combination of a grid's values."""
    for values in itertools.product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def tune(name: str, seeds: int) -> None:
    """Print a rule's settings, best first, by mean regret over the tuning problems."""
    lines: list[tuple[float, str]] = []
    for rule_setting in settings(GRIDS[name]):
        for scaling_setting in settings(GRIDS["scaling"]):
            rule: Any = replace(RULES[name], **rule_setting)  # type: ignore[type-var]
            scaling = GainScaling(**scaling_setting)
            values = [regret(rule, scaling, problem, seeds=seeds, seed=1) for problem in TUNING]
            cells = " ".join(f"{value:3.0f}" for value in values)
            lines.append((float(np.mean(values)), f"{cells}  {rule_setting | scaling_setting}"))
    for mean, text in sorted(lines)[:12]:
        print(f"{name:8s} {mean:5.1f}  {text}")


def main() -> None:
    """Print the table, or tune."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=150)
    parser.add_argument("--tune", nargs="*", choices=("exp3s", "sw-ucb", "d-ts"), help="rules whose settings to scan")
    arguments = parser.parse_args()
    begun = time.perf_counter()
    if arguments.tune is not None:
        for name in arguments.tune or ("exp3s", "sw-ucb", "d-ts"):
            tune(name, arguments.seeds)
        return
    print(f"regret in % of uniform's, {arguments.seeds} seeds\n" + f"{'problem':30s} {'K/T':>5s}", *RULES, sep="  ")
    for problem in PROBLEMS:
        label = f"{problem.kind} K={problem.arms} T={problem.horizon}"
        label += "" if problem.kind == "bernoulli" else f" snr={problem.snr}"
        cells = [
            f"{regret(rule, GainScaling(), problem, seeds=arguments.seeds):{len(n)}.0f}" for n, rule in RULES.items()
        ]
        print(f"{label:30s} {100 * problem.arms / problem.horizon:4.0f}%", *cells, sep="  ")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
