"""Write docs/certificates.md: what every bandit of the table loses on problems with known answers.

    python benchmarks/certificates.py [--seeds 20] [--short-seeds 200] [--out docs/certificates.md]

Figures are pseudo-regret in % of uniform play's on the same copies of a problem; the lower the better.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from regret import Numbered, play, tuned

from curriculum_rl.agents import make
from curriculum_rl.agents.bandits.contextual import ContextualShell
from curriculum_rl.agents.baselines.fixed import Even
from curriculum_rl.agents.entries.bandits import BANDITS
from curriculum_rl.agents.rule import Rule
from curriculum_rl.agents.table import class_of
from curriculum_rl.envs.closed_form.problems import KNOWN, SHORT, Problem


def rules() -> dict[str, Rule]:
    """Every bandit of the table, with its default settings."""
    found = {}
    for entry in BANDITS:
        rule = make(entry.name, None).rule  # type: ignore[attr-defined]
        found[entry.name] = Numbered(rule) if issubclass(class_of(entry.name), ContextualShell) else rule
    return found


def percent(rule: Rule, problem: Problem, seeds: int) -> float:
    """Regret in % of uniform's."""
    begun = time.perf_counter()
    found = play(rule, problem, seeds=seeds).percent
    print(f"{problem.name}: {rule}: {found:.1f} % ({time.perf_counter() - begun:.0f} s)", flush=True)
    return found


def table(rows: Mapping[str, list[float]], head: list[str]) -> list[str]:
    """A Markdown table; the best figure of a column is bold."""
    best = np.min(list(rows.values()), axis=0)
    lines = ["| agent | " + " | ".join(head) + " |", "| --- |" + " ---: |" * len(head)]
    for name, row in rows.items():
        cells = [f"**{value:.1f}**" if value == top else f"{value:.1f}" for value, top in zip(row, best, strict=True)]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def long_runs(seeds: int) -> list[str]:
    """The six problems of 10,000 plays."""
    defaults = {f"`{name}`": [percent(rule, problem, seeds) for problem in KNOWN] for name, rule in rules().items()}
    by_theory = {
        f"`{name}`, tuned": [percent(tuned(problem)[name], problem, seeds) for problem in KNOWN]
        for name in tuned(KNOWN[0])
    }
    lost = [play(Even(), problem, seeds=seeds).uniform.mean() for problem in KNOWN]
    floor = " | ".join(f"{problem.arms}, {100 * problem.arms / problem.horizon:.2f} %" for problem in KNOWN)
    lines = table({**defaults, **by_theory}, [problem.name for problem in KNOWN])
    lines.insert(2, f"| K, floor K / T | {floor} |")
    lines.insert(3, "| uniform's regret, plays | " + " | ".join(f"{value:.0f}" for value in lost) + " |")
    return lines


def short_runs(seeds: int) -> list[str]:
    """Falling Gaussian gains at the horizons of real runs."""
    rows = {f"`{name}`": [percent(rule, problem, seeds) for problem in SHORT] for name, rule in rules().items()}
    lines = table(rows, [f"K={problem.arms} T={problem.horizon}" for problem in SHORT])
    floor = " | ".join(f"{100 * problem.arms / problem.horizon:.0f} %" for problem in SHORT)
    lines.insert(2, f"| floor K / T | {floor} |")
    return lines


def page(seeds: int, short_seeds: int) -> str:
    """The whole of docs/certificates.md."""
    begun = time.perf_counter()
    known, short = long_runs(seeds), short_runs(short_seeds)
    minutes = (time.perf_counter() - begun) / 60
    command = f"python benchmarks/certificates.py --seeds {seeds} --short-seeds {short_seeds}"
    return HEAD.format(command=command, minutes=minutes) + "\n".join(
        [LONG.format(seeds=seeds), *known, SHORTER.format(seeds=short_seeds), *short, ""]
    )


HEAD = """# Certificates of the bandits

Written by `{command}` ({minutes:.0f} minutes); do not edit by hand.

Every bandit of `curriculum-rl list agents` on problems whose best task is known at every moment
(`envs/closed_form/problems.py`, jittered per seed). Figures are pseudo-regret in % of uniform play's on the same copies
of the problem: 0 is perfect, 100 no better than chance; the best of a column is bold. The gates that
`tests/benchmarks/test_regret.py` holds these to, and the three broken rules that must fail them, stand there.
No bound and no figure here carries over to a language model, where gains depend on history: a certificate says that
a rule does what it claims, not that scheduling helps.

The contextual rules (`lin-ucb`, `lin-ts`) are given a task's number, one-hot, in place of features: what is left of
them without their point.
"""
LONG = """
## Runs of 10,000 plays

Rewards are 0 or 1 and go straight in; mean of {seeds} seeds. Rows marked *tuned* know the horizon and the number of
switches and are set by the formulas of their papers (`benchmarks/regret.py: tuned`); the others have their default
settings, which for `exp3s`, `sw-ucb`, `d-ts` and `trend-ucb` were chosen for runs of hundreds of plays. UCB1, the
means of epsilon-greedy and Thompson are checked against those of the library MABWiser in
`tests/agents/bandits/test_mabwiser.py`.
"""
SHORTER = """
## Runs as long as real ones

Gaussian gains that fall for every task, signal-to-noise .7 a play, through the shell's scaling as an agent gets them;
mean of {seeds} seeds. A rule that tries every task once has spent K / T of the run, in which it loses what uniform play
does. `exp3s`, `sw-ucb`, `d-ts` and `trend-ucb` were tuned on other draws of this family, and
`trend-ucb` fits a fall of just this form: for them the table is no held-out evidence.
"""


def main() -> None:
    """Play everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--short-seeds", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("docs/certificates.md"))
    arguments = parser.parse_args()
    arguments.out.write_text(page(arguments.seeds, arguments.short_seeds), encoding="utf-8")
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
