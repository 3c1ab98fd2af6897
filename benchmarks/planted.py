"""Write docs/planted.md: what agents make of learners whose best mixture is known.

    python benchmarks/planted.py [--seeds 10] [--segments 120] [--out docs/planted.md]

Figures are loss above stratified's, in % of what the best known schedule takes off stratified's loss; the lower the
better: 0 is stratified, -100 the best known schedule.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents import AGENTS, make
from curriculum_rl.envs.closed_form.planted import PlantedEnv
from curriculum_rl.envs.closed_form.planted_known import PROBLEMS, SEGMENTS
from curriculum_rl.envs.closed_form.planted_problems import Planted

NAMES = ("random", "exp3s", "sw-ucb", "d-ts", "trend-ucb", "odm", "alignment", "hedge", "greedy")
NOISE = 0.01  # nats; a stratified segment of `noise` gains .013 in the middle of a run and .006 at its end
TOPS = ("stratified's loss, nats", "best schedule takes off, nats", "best static mixture")


class Run(NamedTuple):
    """What an agent did: the problem, the target's loss at the end, and (T, K) its probabilities."""

    problem: Planted
    loss: float
    played: npt.NDArray[np.float64]

    @property
    def late(self) -> float:
        """The mean probability of the tasks that the problem is about in the last third of the run, in % of even."""
        special = self.played[len(self.played) * 2 // 3 :, list(self.problem.special)]
        return 100 * float(special.mean()) * self.problem.tasks if special.size else np.nan


def run(name: str, problem: str, seed: int, settings: Mapping[str, Any]) -> Run:
    """One run of an agent on the problem of a seed."""
    action = "mixture" if AGENTS[name].action == "mixture" else "task"
    env = PlantedEnv(problem, action=action, **settings)
    drawn: list[Planted] = []
    played: list[Any] = []
    ends: list[int] = []

    def seen(local: Mapping[str, Any], _: object) -> bool:
        # Where a run ends the vector env resets, and draws another problem.
        if not drawn:
            drawn.append(env.problem)
        played.append(local["probabilities"][0])
        ends.extend(info["final"]["target_loss"] for info in local["infos"] if "final" in info)
        return not ends

    make(name, env, seed=seed).learn(env.problem.segments, callback=seen)
    return Run(drawn[0], ends[0], np.array(played))


def percent(loss: float, problem: Planted) -> float:
    """Above stratified's, in % of what the best schedule takes off, or of what was learned where that is nothing."""
    room = problem.stratified_loss - problem.best_loss
    learned = problem.start_loss - problem.stratified_loss
    return 100 * (loss - problem.stratified_loss) / (room if room > 1e-6 else learned)


def figures(problem: str, seeds: int, settings: Mapping[str, Any]) -> dict[str, list[float]]:
    """A column of both tables by the name of the row: figures of the ends, then of the late probabilities."""
    begun = time.perf_counter()
    runs = {name: [run(name, problem, seed, settings) for seed in range(seeds)] for name in NAMES}
    # The problem of a seed is the same for every agent; the answers of the first agent's are searched, once.
    drawn = [one.problem for one in runs[NAMES[0]]]
    cells = {
        TOPS[0]: [float(np.mean([one.stratified_loss for one in drawn]))],
        TOPS[1]: [float(np.mean([one.stratified_loss - one.best_loss for one in drawn]))],
        TOPS[2]: [float(np.mean([percent(one.best_static_loss, one) for one in drawn]))],
    }
    for name, found in runs.items():
        above = [percent(one.loss, same) for one, same in zip(found, drawn, strict=True)]
        cells[f"`{name}`"] = [float(np.mean(above)), float(np.mean([one.late for one in found]))]
    print(f"{problem}: {time.perf_counter() - begun:.0f} s", cells, flush=True)
    return cells


def tables(seeds: int, settings: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The ends and the late probabilities in Markdown, a column per problem."""
    columns = {problem: figures(problem, seeds, settings) for problem in PROBLEMS}
    special = [problem for problem, cells in columns.items() if np.isfinite(cells[f"`{NAMES[0]}`"][1])]
    return _markdown(columns, list(PROBLEMS), 0), _markdown(columns, special, 1)


def _markdown(columns: Mapping[str, dict[str, list[float]]], problems: list[str], place: int) -> list[str]:
    lines = ["| | " + " | ".join(problems) + " |", "| --- |" + " ---: |" * len(problems)]
    for row, values in columns[problems[0]].items():
        if len(values) > place:
            digits = 3 if row in TOPS[:2] else 0
            # Adding 0 turns -0 into 0.
            cells = [f"{round(columns[problem][row][place], digits) + 0.0:.{digits}f}" for problem in problems]
            lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return lines


def page(seeds: int, segments: int) -> str:
    """The whole of docs/planted.md."""
    begun = time.perf_counter()
    ends, late = tables(seeds, {"segments": segments})
    noisy, _ = tables(seeds, {"segments": segments, "noise": NOISE})
    command = f"python benchmarks/planted.py --seeds {seeds} --segments {segments}"
    head = HEAD.format(command=command, seconds=time.perf_counter() - begun, seeds=seeds, segments=segments)
    return head + "\n".join([ENDS, *ends, LATE, *late, NOISY.format(noise=NOISE), *noisy, ""])


HEAD = """# Learners whose best mixture is known

Written by `{command}` ({seconds:.0f} seconds); do not edit by hand.

`gymnasium.make("curriculum_rl.envs:CurriculumRL/Planted-v0", problem="noise")`: tasks move skills by a known law, no
language model in it (`envs/closed_form/planted.py` says what the problems are, `planted_problems.py` the law);
an episode takes milliseconds. `env.unwrapped.problem` has the answers: `best_mixture`, `best_schedule`, `best_loss`.

Runs of {segments} segments, {seeds} seeds, each of which draws the problem anew; mean over seeds. Agents have their
default settings. Bandits pick a task, which gets half of the segment and its share of the rest, so that they cannot
reach a best mixture that leaves tasks out; mixers play mixtures. All measurements are exact and free, which in a
language model they are not: these figures say that an agent does what it claims where its signal is true, not that it
helps pretraining. The gates that agents must pass, and the mutants that must fail them, stand in
`tests/envs/closed_form/test_planted_agents.py`.
"""
ENDS = """
## Where runs end

The target's loss less that of stratified batches, in % of what the best known schedule takes off it: 0 is stratified,
-100 the best known schedule, above 0 is harm. On `identical`, where nothing can be gained, in % of what stratified
batches learned.
"""
LATE = """
## What is picked late

The probability (the share, for mixers) of the task that the problem is about, in the last third of a run, in % of
even: of the noise, the harmful one, both copies together, the only one, the delayed one, the added one. 100 is even;
low is right for `noise` and `harmful` alone.
"""
NOISY = """
## With noise on the score

As the first table; every reading of the score is off by a Gaussian of {noise} nats. Signals stay exact, so that
mixers are where they were.
"""


def main() -> None:
    """Play everything and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--segments", type=int, default=SEGMENTS)
    parser.add_argument("--out", type=Path, default=Path("docs/planted.md"))
    arguments = parser.parse_args()
    arguments.out.write_text(page(arguments.seeds, arguments.segments), encoding="utf-8")
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
