"""What ghosts cost the learner of `almanac-small`, and how well they order its tasks.

    python benchmarks/ghost.py [--rounds 7] [--clock cpu] [--seeds 2] [--json FILE]

Time: an update without and with a probe, the draws of the target's gradient at their share. Order: rank correlations
over the tasks, in stratified runs, with `adam_products` from 2 x 64 rows of each task at the same moment: of the ghosts
of the last segment, of their moving average (`alignment`'s, .7), and of `adam_products` from 2 x 64 other rows (what
can be hoped for) and from 2 x 4 (what agents get by default).
"""

from functools import partial
from typing import Any

import numpy as np
import timing  # before torch: asks for one thread
from timing import Report, Side

from curriculum_rl.batch import SegmentPlan
from curriculum_rl.experiment import build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import load as configs
from curriculum_rl.signals import Ghost, Meter, Moment, TargetGradient
from curriculum_rl.signals.windows import Windows
from curriculum_rl.tasks import segment_batches

PRESET = "almanac-small"
ROWS = {"signals.rows": 64}
LOOKS = (2, 4, 6, 8, 12, 16, 20, 24, 28, 32, 36)
KEPT = 0.7


def stratified(run: Pretraining) -> Any:
    """(1, K) even shares."""
    tasks = len(run.experiment.problem.tasks)
    return np.full((1, tasks), 1 / tasks)


def main() -> None:
    """Print both."""
    parser = timing.parser(__doc__)
    parser.add_argument("--seeds", type=int, default=2)
    report = Report(parser.parse_args())
    cost(report)
    order(report)
    report.finish()


def cost(report: Report) -> None:
    """Two learners on the same segment, over and over."""
    experiment = build(configs.load(PRESET))
    config, tasks = experiment.config, len(experiment.problem.tasks)
    updates = config.segment.updates
    plan = np.resize(np.arange(tasks), (updates, 1, config.batch))
    batches, _ = segment_batches(experiment.problem.tasks, plan, np.zeros((1, tasks), np.int64), [0], config.context)
    rates = np.full((updates, 1), 1e-3)
    plain, watched = (make_learner(experiment.config, experiment.problem, replicas=1) for _ in range(2))
    ghost, target = Ghost(Windows(experiment.problem, experiment.config, watched)), TargetGradient()

    def train(segments: int) -> None:
        for _ in range(segments):
            plain.train(SegmentPlan(batches, rates))

    def watch(segments: int) -> None:
        for number in range(segments):
            if number % ghost.refresh == 0:
                ghost.draw(target, (0,), number)
            watched.train(SegmentPlan(batches, rates, ghost.probe(target, first=0, updates=updates)))

    sides = [Side("without ghosts", train, ghost.refresh * 2), Side("with ghosts", watch, ghost.refresh * 2)]
    report.compare(f"{PRESET}: a segment of {updates} updates", sides, unit="ms")


def order(report: Report) -> None:
    """Correlations at several moments of several runs."""
    found = [_run(seed) for seed in range(report.settings.seeds)]
    for name in found[0]:
        looks = np.array([one[name] for one in found]).mean(axis=0)
        print(f"  {name:44s} " + " ".join(f"{value:.2f}" for value in looks))
        report.fact(f"{name}, mean", float(looks.mean()))


def _run(seed: int) -> dict[str, list[float]]:
    experiment, many = (build(configs.load(PRESET, rows)) for rows in ({}, ROWS))
    run = Pretraining(experiment, charge_proxy=False, downstream=False)
    run.request_signals(["ghost"])
    run.begin([seed])
    few, reference = (Meter(Windows(e.problem, e.config, run.learner), ["adam_products"]) for e in (experiment, many))
    average = np.zeros(len(experiment.problem.tasks))
    found: dict[str, list[float]] = {}
    for segment in range(1, LOOKS[-1] + 1):
        ghosts = run.segment(stratified(run)).signals["ghost"][0]
        average = KEPT * average + (1 - KEPT) * np.where(np.isnan(ghosts), average, ghosts)
        if segment not in LOOKS:
            continue
        see = partial(_seen, seed=seed, shares=stratified(run))
        truth = see(reference, number=segment)
        others = {
            "ghosts of a segment": ghosts,
            "ghosts, moving average": average,
            "adam_products, 2 x 4 rows": see(few, number=segment),
            "adam_products, 2 x 64 other rows": see(reference, number=segment + 100),
        }
        for name, values in others.items():
            found.setdefault(name, []).append(_spearman(values, truth))
        found.setdefault("same best task", []).append(float(average.argmax() == truth.argmax()))
    return found


def _seen(meter: Meter, *, seed: int, shares: Any, number: int) -> Any:
    return meter.measure(Moment([seed], shares, number, 0.0))["adam_products"][0, :-1, -1]


def _spearman(one: Any, other: Any) -> float:
    first, second = (np.argsort(np.argsort(values)) for values in (one, other))
    return float(np.corrcoef(first, second)[0, 1])


if __name__ == "__main__":
    main()
