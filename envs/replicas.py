"""N pretraining runs in lock-step: the one thing that both environments, and every shard, are shells around."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import key
from curriculum_rl.envs import actions, observations
from curriculum_rl.envs.observations import Observation
from curriculum_rl.envs.rewards import Reward
from curriculum_rl.experiment import Experiment
from curriculum_rl.infos import Floats, ResetInfo, SegmentInfo
from curriculum_rl.learners.seals import sealing
from curriculum_rl.ledger import Entries
from curriculum_rl.observation import Features, Observer, Segment
from curriculum_rl.pretraining.counting import stratified_rows
from curriculum_rl.pretraining.outcomes import Outcome
from curriculum_rl.pretraining.run import Pretraining


class Transition(NamedTuple):
    """What one segment of N replicas showed.

    Attributes:
        observation: of N replicas, stacked.
        reward: (N,).
        terminated: whether the runs ended; the replicas share one budget, so all end together.
        infos: one per replica.
    """

    observation: Observation
    reward: npt.NDArray[np.float64]
    terminated: bool
    infos: list[SegmentInfo]


class Replicas:
    """N runs of one experiment, each with its own seed, learner, data, actions and rewards.

    Args:
        experiment: corpora, tasks, target and settings.
        replicas: N.
        charge_proxy: False books the proxy as a report, for agents that need no reward.
        downstream: False leaves the few-shot fine-tune out of the final report.
    """

    def __init__(
        self, experiment: Experiment, *, replicas: int = 1, charge_proxy: bool = True, downstream: bool = True
    ) -> None:
        self.experiment = experiment
        self.config = experiment.config
        self.tasks = tuple(task.name for task in experiment.problem.tasks)
        self.run = Pretraining(experiment, replicas=replicas, charge_proxy=charge_proxy, downstream=downstream)
        self._reward = Reward(self.run)
        self._observer = self._new_observer(replicas)
        self._begun = False
        self._set_seeds(range(replicas))
        self._left_at = time.perf_counter()
        self.outside = 0.0

    @property
    def seconds(self) -> dict[str, float]:
        """Wall seconds of the runs so far by clock, all replicas together."""
        return dict(self.run.ledger.seconds)

    @property
    def budget(self) -> float:
        """FLOPs of one run."""
        return self.run.budget

    def stratified_rows(self) -> dict[str, int]:
        """Rows of each task that stratified batches read in the whole budget (`pretraining.counting`)."""
        return stratified_rows(self.run)

    def save_learner(self, directory: Path) -> None:
        """Write all N learners into a directory."""
        with sealing(directory):  # also where the learner is a class of the user's
            self.run.learner.save(directory)

    def close(self) -> None:
        """Nothing is held that needs an end."""

    def request_signals(self, names: Sequence[str]) -> None:
        """Measure these signals from now on; `info["signals"]` has them."""
        self.run.request_signals(names)

    def signal_price(self, names: Sequence[str]) -> float:
        """The share of a run's budget that one measurement of these signals costs."""
        return self.run.signal_price(names)

    def reset(self, seeds: Sequence[int]) -> tuple[Observation, list[ResetInfo]]:
        """Begin N new runs; the learners themselves are built at the first step."""
        self._set_seeds(seeds)
        self._observer, self._begun = self._new_observer(len(seeds)), False
        self._left_at = time.perf_counter()
        infos: list[ResetInfo] = []
        for n, seed in enumerate(seeds):
            told = self.experiment.problem.task_info
            info: ResetInfo = {
                "tasks": self.tasks,
                "seed": seed,
                "divergence": told["divergence"],
                "corpus_tokens": told["corpus_tokens"],
                "target_objective": told["target_objective"],
                "target_signal": told["target_signal"],
            }
            if "prior" in told:
                info["prior"] = told["prior"]
            if self.config.action.permute:
                info["order"] = self._order[n].copy()
            infos.append(info)
        return self._observed(*self._observer.first()), infos

    def step(self, action: npt.NDArray[Any]) -> Transition:
        """Train one segment.

        Args:
            action: one per replica.

        Raises:
            ValueError: for an action outside the action space.
        """
        self.outside = time.perf_counter() - self._left_at
        chosen = np.stack([actions.picks(a, self.config.action, len(self.tasks)) for a in action])
        # What stands at position i belongs to task order[i].
        picks = np.empty_like(chosen)
        np.put_along_axis(picks, self._order, chosen, axis=1)
        if not self._begun:
            self.run.begin(self._seeds)
            self._begun = True
        outcome = self.run.segment(actions.mixture(picks, self.config.action))
        observed = self._observed(*self._observer.observe(self._segment(outcome, picks)))
        terminated = self.run.next_updates() < 1
        infos = self._infos(outcome)
        if terminated:
            self._finish(infos)
        self._left_at = time.perf_counter()
        return Transition(observed, self._reward(outcome), terminated, infos)

    def get_state(self) -> dict[str, Any]:
        """Everything an exact continuation needs, between any two steps."""
        return {
            "seeds": list(self._seeds),
            "run": self.run.state() if self._begun else None,
            "observer": self._observer.state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned."""
        self._set_seeds(state["seeds"])
        self._observer = self._new_observer(len(self._seeds))
        self._observer.load_state(state["observer"])
        self._begun = state["run"] is not None
        if self._begun:
            self.run.load_state(state["run"])

    def _new_observer(self, replicas: int) -> Observer:
        problem = self.experiment.problem
        return Observer(
            replicas,
            windows=problem.windows,
            divergence=problem.divergence,
            prior=problem.prior,
            vocabulary=problem.tokenizer.vocab_size,
        )

    def _segment(self, outcome: Outcome, picks: npt.NDArray[np.float64]) -> Segment:
        """A segment and where the run stands after it, without a scale of its own."""
        progress = self.run.progress
        size = np.abs(progress.initial)
        return Segment(
            losses=outcome.task_losses,
            picks=picks,
            gain=outcome.gain / size,
            score=(progress.score - progress.initial) / size,
            rows=progress.counters,
            budget_left=1 - self.run.spent,
            learning_rate=outcome.learning_rate / self.experiment.problem.learning_rate,
        )

    def _set_seeds(self, seeds: Sequence[int]) -> None:
        self._seeds = list(seeds)
        self._order = np.tile(np.arange(len(self.tasks)), (len(seeds), 1))
        if self.config.action.permute:
            for n, seed in enumerate(seeds):
                self._order[n] = np.random.default_rng(key(seed, "order")).permutation(len(self.tasks))

    def _observed(self, tasks: Features, run: Features) -> Observation:
        ordered = np.take_along_axis(tasks, self._order[:, :, None], axis=1)
        return observations.observation(self.config.observation, ordered, run)

    def _finish(self, infos: list[SegmentInfo]) -> None:
        report = self.run.finish()
        ledger = self.run.ledger.entries()
        for n, info in enumerate(infos):
            info["final"] = report.entries(n, list(self.experiment.problem.heldout.corpora))
            info["ledger"] = ledger

    def _infos(self, outcome: Outcome) -> list[SegmentInfo]:
        rows, epochs = self.run.progress.counters, self.run.epochs
        share = rows / rows.sum(axis=1, keepdims=True)
        ledger = self.run.ledger.entries()
        return [self._info(outcome, n, share[n], epochs[n], ledger) for n in range(len(rows))]

    def _info(self, outcome: Outcome, n: int, share: Floats, epochs: Floats, ledger: Entries) -> SegmentInfo:
        """What replica n's segment showed."""
        info: SegmentInfo = {
            "gain": float(outcome.gain[n]),
            "score": float(outcome.score[n]),
            "loss": float(outcome.loss[n]),
            "task_losses": outcome.task_losses[n].copy(),
            "mixture": outcome.mixture[n].copy(),
            "share": share,
            "epochs": epochs,
            "failed": bool(outcome.failed[n]),
            "updates": self.run.progress.updates,
            "tokens": self.run.tokens,
            "learning_rate": outcome.learning_rate,
            "budget_left": 1 - self.run.spent,
            "ledger": ledger,
        }
        if self.config.action.permute:
            info["order"] = self._order[n].copy()
        if outcome.inner_drop is not None:
            info["inner_drop"] = float(outcome.inner_drop[n])
        if outcome.signals:
            info["signals"] = {name: found[n] for name, found in outcome.signals.items()}
        return info


def run_seed(generator: np.random.Generator) -> int:
    """The seed of a run, drawn from its environment's generator."""
    return int(generator.integers(2**31))
