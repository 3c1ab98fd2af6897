"""One pretraining run, segment by segment: budget, learning rate, data, learner, proxy and ledger.

N replicas run in lock-step: same budget, same number of updates, each with its own seed, weights, data and mixture.
The environments of `curriculum_rl.envs` are thin shells around this class.
"""

import copy
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.batch import SegmentPlan, SegmentReport
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import Experiment
from curriculum_rl.learners.base import Snapshot
from curriculum_rl.learners.build import make_learner
from curriculum_rl.learners.schedule import learning_rate
from curriculum_rl.ledger import Ledger, Purpose
from curriculum_rl.methods import make_method
from curriculum_rl.methods.base import Shares
from curriculum_rl.pretraining.outcomes import Outcome, Progress
from curriculum_rl.pretraining.report import FinalReport, final_report, rehearse_report
from curriculum_rl.proxies.base import PaysByMixture, Price, Proxy, Reading
from curriculum_rl.proxies.build import make_proxy
from curriculum_rl.schema.env import BudgetConfig
from curriculum_rl.signals import Moment
from curriculum_rl.signals.measurements import Measurements
from curriculum_rl.signals.windows import Windows
from curriculum_rl.tasks import segment_batches

# Of a `Batch`: two int64 and a float32.
BYTES_PER_TOKEN = 20

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Pretraining:
    """A run from fresh learners until the budget is spent.

    Args:
        experiment: settings and problem.
        replicas: N.
        charge_proxy: whether the proxy is paid from the budget; False for agents that need no reward, whose proxy
            readings are for people only (purpose `report`).
        downstream: False leaves the few-shot fine-tune out of the final report.

    Raises:
        ConfigError: if the budget does not pay for the proxy and one update, or the target is too small for the
            proxy or the report.
    """

    def __init__(
        self, experiment: Experiment, *, replicas: int = 1, charge_proxy: bool = True, downstream: bool = True
    ) -> None:
        self.experiment = experiment
        self.config, self.problem = experiment.config, experiment.problem
        self.learner = make_learner(self.config, self.problem, replicas=replicas)
        self._report = self.config.report if downstream else self.config.report.model_copy(update={"finetune": None})
        self.charge_proxy = charge_proxy
        self._proxy_purpose: Purpose = "proxy" if charge_proxy else "report"
        self.method = make_method(self.config.method, self.problem.tasks, self.learner)
        tokens = self.config.batch * self.config.context
        self.tokens_per_update = self.method.batches * tokens
        self._flops_per_update = self.method.flops(self.learner, tokens)
        self.budget = self._budget_flops(self.config.budget)
        self.ledger = Ledger()
        self.seeds: tuple[int, ...] = ()
        self.progress: Progress
        self._measurements = self._measuring(())
        self._rehearse(range(replicas))

    def request_signals(self, names: Sequence[str]) -> None:
        """Measure these signals (`curriculum_rl.signals.SIGNALS`) from now on, at the cost of the budget.

        Raises:
            ConfigError: for an unknown name, a learner or a method that does not see ghosts, a target without the
                labels that one needs, or where the budget does not pay for a single measurement.
        """
        if "ghost" in names and not self.method.ghosts:
            raise ConfigError(f"signals: 'ghost' is not seen by method.kind {self.config.method.kind!r}: use multitask")
        self._measurements = self._measuring(names, self._measurements)
        cost = self._measurements.cost()
        if names and self.budget < cost + self._reserve():
            cost += self._price_of_update - self._flops_per_update
            raise ConfigError(f"signals: the budget, {self.budget:.3g} FLOPs, does not pay for one of {cost:.3g}")

    def signal_price(self, names: Sequence[str]) -> float:
        """The share of a run's budget that one measurement of these signals costs.

        Raises:
            ConfigError: for a signal that is unknown, or cannot be measured here.
        """
        return self._measuring(names).cost() / self.budget

    def begin(self, seeds: Sequence[int]) -> None:
        """Start a run: fresh learners, fresh proxy windows, first score.

        Args:
            seeds: one per replica; initial weights, data order, proxy and report windows all derive from it.

        """
        self.seeds = tuple(seeds)
        self.ledger = Ledger()
        self._measurements.begin()
        with self.ledger.timed("train"):
            self.learner.reset([key(seed, "weights") >> 1 for seed in seeds])
        self._proxy = self._made_proxy(seeds)
        reading = self._score()
        shape = (len(seeds), len(self.problem.tasks))
        self.progress = Progress(
            np.zeros(shape, np.int64),
            np.zeros(shape),
            reading.score.copy(),
            reading.score.copy(),
            heldout=np.empty((len(seeds), 0)) if reading.heldout is None else reading.heldout.copy(),
        )

    @property
    def spent(self) -> float:
        """Share of the budget that is spent, in [0, 1]."""
        return min(1.0, self.ledger.charged / self.budget)

    @property
    def epochs(self) -> Floats:
        """(N, K) passes over each task's windows so far."""
        passes: Floats = self.progress.counters / self.problem.windows
        return passes

    @property
    def tokens(self) -> int:
        """Tokens that each replica was trained on."""
        return self.ledger.tokens["train"]

    def next_updates(self) -> int:
        """Updates of the next segment: the last one is cut to what the budget still pays for; 0: the run is over."""
        price = self._proxy_price().flops if self._proxy_purpose == "proxy" else 0.0
        affordable = int((self.budget - self.ledger.charged - price) / self._price_of_update + 1e-9)
        return max(0, min(self.config.segment.updates, affordable))

    def segment(self, mixture: Floats) -> Outcome:
        """Train one segment.

        Args:
            mixture: (N, K) shares of the rows, or weights of the losses where the method weighs them, each row summing
                to 1.
        """
        self._measurements.before(self.ledger, self.seeds, self.progress.segments)
        updates = self.next_updates()
        with self.ledger.timed("data"):
            plan = self._rows(mixture, updates)
            batches, self.progress.counters = segment_batches(
                self.problem.tasks, plan, self.progress.counters, self.seeds, self.config.context
            )
        rates = self._learning_rates(updates)
        first, segment = self.progress.updates, self.progress.segments
        dev = self._measurements.dev(self.ledger, self.seeds, segment, first=first, updates=updates)
        with self.ledger.timed("train"):
            before = self.learner.snapshot()
            probe = self._measurements.probe(first=first, updates=updates)
            work = SegmentPlan(batches, np.repeat(rates[:, None], len(self.seeds), axis=1), probe, dev=dev)
            report = self.method.train(self.learner, work, mixture)
        self.ledger.charge("train", tokens=updates * self.tokens_per_update, flops=updates * self._flops_per_update)
        if report.ghosts is not None or report.alignments is not None:
            watching = self._measurements.of_update(segment)
            self.ledger.charge("signal", tokens=updates * watching.tokens, flops=updates * watching.flops)
        self.progress.updates += updates
        self.progress.segments += 1
        return self._outcome(report, plan, before, float(rates[-1]), mixture)

    def finish(self) -> FinalReport:
        """Score the final learners for people, under the purpose `report`."""
        with self.ledger.timed("report"):
            result, price = final_report(self.problem, self.learner, self.seeds, self._report)
        self.ledger.charge("report", tokens=price.tokens, flops=price.flops)
        return result

    def state(self) -> dict[str, Any]:
        """Everything an exact continuation needs; tensors and arrays are copies."""
        return {
            "seeds": list(self.seeds),
            "progress": {k: v.copy() if isinstance(v, np.ndarray) else v for k, v in asdict(self.progress).items()},
            "ledger": asdict(self.ledger),
            "learner": self.learner.snapshot(),
            "proxy": self._proxy.state(),
            "target_gradient": self._measurements.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from a state, which may be loaded again: nothing in it is changed."""
        self.seeds = tuple(state["seeds"])
        self._proxy = self._made_proxy(self.seeds)
        self._proxy.load_state(state["proxy"])
        self.progress = Progress(**copy.deepcopy(state["progress"]))
        self.ledger = Ledger(**copy.deepcopy(state["ledger"]))
        self.learner.restore(state["learner"])
        self._measurements.load_state(state["target_gradient"])

    def _rows(self, mixture: Floats, updates: int) -> Ints:
        """The task of every row of a segment, (batches, N, B); the credits move on."""
        plans = []
        for n, shares in enumerate(mixture):
            wanted = Shares(
                shares, updates, self.config.batch, self.progress.credit[n], self.seeds[n], self.progress.updates
            )
            plan, self.progress.credit[n] = self.method.rows(wanted)
            plans.append(plan)
        return np.stack(plans, axis=1)

    def _outcome(self, report: SegmentReport, plan: Ints, before: Snapshot, rate: float, asked: Floats) -> Outcome:
        failed = ~report.finite
        reading = Reading(self.progress.score, heldout=self.progress.heldout)
        if not failed.all():
            reading = self._score()
            failed = failed | ~np.isfinite(reading.score)
        if failed.any():
            self.learner.restore(before, np.flatnonzero(failed).tolist())
        by_task = plan[..., None] == np.arange(len(self.problem.tasks))
        rows = by_task.sum(axis=(0, 2))
        totals = np.where(by_task, report.row_losses[..., None], 0.0).sum(axis=(0, 2))
        task_losses = np.divide(totals, rows, out=np.full(rows.shape, np.nan), where=rows > 0)
        mixture = asked if self.method.weighs else rows / rows.sum(axis=1, keepdims=True)
        gain, score = self._gain(reading, mixture, failed)
        return Outcome(
            signals=self._measurements.after(self.ledger, Moment(self.seeds, mixture, self.progress.segments - 1, rate))
            | self._measurements.seen(report, plan, failed),
            gain=gain,
            score=score.copy(),
            loss=report.losses.mean(axis=0),
            task_losses=task_losses,
            mixture=mixture,
            failed=failed,
            updates=len(report.losses),
            learning_rate=rate,
            inner_drop=report.inner_drop,
        )

    def _gain(self, reading: Reading, mixture: Floats, failed: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
        """(N,) gain and score after a segment; a replica that failed keeps what it had."""
        score = np.where(failed, self.progress.score, reading.score)
        gain = score - self.progress.score
        if reading.heldout is not None and isinstance(self._proxy, PaysByMixture):
            heldout = np.where(failed[:, None], self.progress.heldout, reading.heldout)
            gain = self._proxy.gain(self.progress.heldout, heldout, mixture)
            self.progress.heldout = heldout
        self.progress.score = score
        return gain, score

    @property
    def _price_of_update(self) -> float:
        """FLOPs of an update of the next segment and of what watches it."""
        segment = self.progress.segments if self.seeds else 0
        return self._flops_per_update + self._measurements.of_update(segment).flops

    def _measuring(self, names: Sequence[str], before: Measurements | None = None) -> Measurements:
        windows = Windows(self.problem, self.config, self.learner, self._left)
        made = Measurements(windows, names, affords=self._affords)
        if before is not None:
            made.load_state(before.state())
        return made

    def _left(self) -> float:
        """FLOPs that are left of the budget."""
        return self.budget - self.ledger.charged

    def _affords(self, flops: float) -> bool:
        """Whether so many FLOPs leave enough for the smallest segment."""
        return self._left() >= flops + self._reserve()

    def _reserve(self) -> float:
        """FLOPs of the smallest segment."""
        return self._price_of_update + (self._proxy_price().flops if self.charge_proxy else 0.0)

    def _made_proxy(self, seeds: Sequence[int]) -> Proxy:
        return make_proxy(self.config.proxy, self.problem, self.learner, seeds)

    def _score(self) -> Reading:
        price = self._proxy_price()
        with self.ledger.timed(self._proxy_purpose):
            reading = self._proxy.score(self.learner)
        self.ledger.charge(self._proxy_purpose, tokens=price.tokens, flops=price.flops)
        return reading

    def _proxy_price(self) -> Price:
        return self._proxy.price(self.learner)

    def _learning_rates(self, updates: int) -> Floats:
        """(k,) rates: a function of the share of the budget that is spent half way through an update."""
        middle = self.ledger.charged + (np.arange(updates) + 0.5) * self._price_of_update
        config = self.config.optimizer.model_copy(update={"learning_rate": self.problem.learning_rate})
        return learning_rate(np.minimum(middle / self.budget, 1.0), config)

    def _rehearse(self, seeds: Sequence[int]) -> None:
        """Make the proxy and the report's inputs once, so that what does not fit shows before anything runs."""
        rows = self.config.segment.updates * self.method.batches * len(seeds) * self.config.batch
        if rows * self.config.context * BYTES_PER_TOKEN > os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"):
            raise ConfigError(
                f"batch: {rows:,} rows of {self.config.context} tokens, one segment of {len(seeds)} replica(s), "
                "do not fit in memory: lower batch, context, segment.updates or the replicas (num_envs)"
            )
        self._proxy = self._made_proxy(seeds)
        rehearse_report(self.problem, self.learner, seeds, self._report)
        reading = self._proxy_price().flops if self._proxy_purpose == "proxy" else 0.0
        if self.budget < 2 * reading + self._flops_per_update:
            raise ConfigError(
                f"budget: {self.budget:.3g} FLOPs do not pay for two readings of the proxy ({reading:.3g} each) "
                f"and one update ({self._flops_per_update:.3g})"
            )

    def _budget_flops(self, budget: BudgetConfig) -> float:
        if budget.flops is not None:
            return budget.flops
        if budget.tokens is not None:
            return self.method.flops(self.learner, budget.tokens) / self.method.batches
        return (budget.updates or 0) * self._flops_per_update
