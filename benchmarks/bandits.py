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
from dataclasses import replace
from typing import Any

import numpy as np
from regret import play

from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.bandits.sw_ucb import SlidingWindowUCB
from curriculum_rl.agents.bandits.thompson import DiscountedThompson
from curriculum_rl.agents.bandits.trend_ucb import TrendUCB
from curriculum_rl.agents.baselines.fixed import Even
from curriculum_rl.agents.rule import Rule
from curriculum_rl.agents.shell.scaling import GainScaling
from curriculum_rl.envs.closed_form.problems import Falling


def regret(rule: Rule, scaling: GainScaling, problem: Falling, *, seeds: int, seed: int = 0) -> float:
    """Pseudo-regret (in advantage, so that late plays count as much as early ones), % of uniform play's."""
    return play(rule, problem, seeds=seeds, seed=seed, scaling=scaling).percent


RULES: dict[str, Rule] = {
    "random": Even(),
    "exp3s": Exp3S(),
    "exp3s (Graves)": Exp3S(step=1e-3, sharing=None, implicit=0.0),
    "sw-ucb": SlidingWindowUCB(),
    "d-ts": DiscountedThompson(),
    "trend-ucb": TrendUCB(),
}
PROBLEMS = (
    *(Falling("falling", arms, horizon) for arms in (6, 12, 20) for horizon in (60, 120, 300, 600)),
    *(Falling("falling", 12, 120, snr) for snr in (0.5, 1.0)),
    Falling("steady", 12, 120),
    *(Falling("switch", 10, horizon) for horizon in (300, 600)),
    *(Falling("bernoulli", 12, horizon) for horizon in (120, 300, 600)),
)
TUNING = (
    *(Falling("falling", arms, horizon) for arms, horizon in ((6, 60), (12, 120), (10, 300), (20, 300), (12, 600))),
    Falling("switch", 10, 300),
    Falling("bernoulli", 12, 120),
)
GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "exp3s": {"step": (0.2, 0.3, 0.4), "sharing": (0.001, 0.003, None), "implicit": (0.0, 0.15, 0.25)},
    "sw-ucb": {"window": (10.0, 15.0, 20.0), "width": (0.1, 0.15, 0.3, 1.0)},
    "d-ts": {"discount": (0.98, 0.99, 0.995), "prior_plays": (0.3, 1.0), "noise": (0.1, 0.2, 0.4)},
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
        cells = [
            f"{regret(rule, GainScaling(), problem, seeds=arguments.seeds):{len(n)}.0f}" for n, rule in RULES.items()
        ]
        print(f"{problem.name:30s} {100 * problem.arms / problem.horizon:4.0f}%", *cells, sep="  ")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
