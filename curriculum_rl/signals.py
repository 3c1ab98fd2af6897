"""What an agent may ask to be measured of every task, and what each measurement costs.

Shapes: N replicas, K tasks, T tokens of a row. The target, where a signal has it, comes after the last task.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch

from curriculum_rl.batch import Batch, SegmentPlan
from curriculum_rl.corpora import LabelledCorpus
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner
from curriculum_rl.proxies.base import Price
from curriculum_rl.proxies.heldout import mean_loss
from curriculum_rl.tasks import Task, apportion, segment_batches

if TYPE_CHECKING:
    from curriculum_rl.experiment import Experiment

Floats = npt.NDArray[np.float64]
Signal = Literal["heldout_loss", "products", "adam_products", "variance", "look_ahead", "transfer", "duel"]

SIGNALS: Mapping[Signal, str] = MappingProxyType(
    {
        "heldout_loss": "(K,) nats per scored token on windows of each task that it does not train on, always the same",
        "products": "(K+1, K+1) inner products of the gradients of all tasks and the target, from separate rows",
        "adam_products": "(K+1, K+1) the same with one side divided by the root of Adam's second moments",
        "variance": "(K,) variance of the gradient of one row of each task, summed over parameters",
        "look_ahead": "(K,) what a few updates on each task alone take off the target's loss, nats per token",
        "duel": "() what a few updates on the last mixture take off the target's loss beyond what stratified ones do",
        "transfer": "(K, K) entry j, i: what a few updates on task j alone take off the held-out loss of task i",
    }
)
_GRADIENTS = frozenset({"products", "adam_products", "variance"})
_BRANCHES = frozenset({"look_ahead", "transfer"})


@dataclass(frozen=True)
class Cost:
    """What one measurement costs a replica, by the ledger's purposes."""

    signal: Price
    lookahead: Price

    @property
    def flops(self) -> float:
        """Of both."""
        return self.signal.flops + self.lookahead.flops


class Meter:
    """Measures signals on windows that no task trains on in this run and no score is taken from.

    Gradients and look-ahead branches use rows of the tasks' own train parts, drawn apart from those that are trained
    on; the target's rows come from its signal split, those that judge a duel from its selection split. The learner is
    left bit-identical.

    Args:
        experiment: tasks and target.
        learner: whose replicas are measured.
        names: the signals asked for.

    Raises:
        ConfigError: for an unknown signal.
    """

    def __init__(self, experiment: "Experiment", learner: Learner, names: Sequence[str]) -> None:
        for name in names:
            if name not in SIGNALS:
                raise ConfigError(f"signals: {name!r} is not one of {', '.join(get_args(Signal))}")
        self._experiment, self._learner = experiment, learner
        self._names = frozenset(names)
        self._config = experiment.config
        self._fixed: tuple[tuple[int, ...], Batch] | None = None

    def cost(self) -> Cost:
        """Of one measurement."""
        signal, lookahead = Price(0, 0.0), Price(0, 0.0)
        tasks, settings = len(self._experiment.tasks), self._config.signals
        row = self._config.context
        if "heldout_loss" in self._names:
            signal = _plus(signal, self._read(tasks * settings.rows * row))
        if self._names & _GRADIENTS:
            tokens = 2 * (tasks + 1) * settings.rows * row
            groups = 2 * (tasks + 1)
            # Two products of every pair of gradients, each of P multiplications and additions.
            products = 2 * 2 * groups**2 * self._learner.size
            signal = _plus(signal, Price(tokens, self._learner.flops(tokens, training=True) + products))
        if self._names & _BRANCHES:
            trained = settings.look_ahead * self._config.batch * row
            read = (1 if "look_ahead" in self._names else 0) + (tasks if "transfer" in self._names else 0)
            one = self._read(read * settings.rows * row)
            branch = Price(trained, self._learner.flops(trained, training=True))
            for _ in range(tasks):
                lookahead = _plus(_plus(lookahead, branch), one)
            lookahead = _plus(lookahead, one)
        if "duel" in self._names:
            trained = settings.look_ahead * self._config.batch * row
            for _ in range(2):
                branch = Price(trained, self._learner.flops(trained, training=True))
                lookahead = _plus(lookahead, _plus(branch, self._read(settings.rows * row)))
        return Cost(signal, lookahead)

    def measure(self, seeds: Sequence[int], mixture: Floats, *, number: int, rate: float) -> dict[str, Floats]:
        """Take all signals.

        Args:
            seeds: N, of the replicas' runs.
            mixture: (N, K) shares of the last segment.
            number: how many measurements there were before; each draws other rows for gradients and branches.
            rate: the learning rate of look-ahead updates.

        Returns:
            Each signal by name with a leading dimension N; NaN where a look-ahead branch exploded.
        """
        found: dict[str, Floats] = {}
        if "heldout_loss" in self._names:
            found["heldout_loss"] = self._heldout_losses(seeds)
        if self._names & _GRADIENTS:
            found |= self._gradients(seeds, number)
        if self._names & _BRANCHES:
            found |= self._branches(seeds, number, rate)
        if "duel" in self._names:
            found["duel"] = self._duel(seeds, mixture, number, rate)
        return {name: found[name] for name in SIGNALS if name in self._names}

    def _read(self, tokens: int) -> Price:
        return Price(tokens, self._learner.flops(tokens, training=False))

    def _gradients(self, seeds: Sequence[int], number: int) -> dict[str, Floats]:
        """From two halves of rows each: products of separate halves are not inflated by a gradient's own noise."""
        rows = self._config.signals.rows
        tasks = [*self._experiment.tasks, self._target()]
        drawn = [self._rows(task, seeds, "gradient", number * 2 * rows, 2 * rows) for task in tasks]
        halves = [one[:, part] for one in drawn for part in (slice(rows), slice(rows, None))]
        found = self._learner.gradient_products(_stacked(halves))
        raw = found.raw.cpu().numpy()
        return {
            "products": _between(raw),
            "adam_products": _between(found.adam.cpu().numpy()),
            "variance": _variance(raw, rows)[:, :-1],
        }

    def _branches(self, seeds: Sequence[int], number: int, rate: float) -> dict[str, Floats]:
        """Every task's branch from one snapshot; all are read on the same rows."""
        readers: dict[str, Callable[[], Floats]] = {}
        if "look_ahead" in self._names:
            rows = self._config.signals.rows
            target = self._rows(self._target(), seeds, "look-ahead", number * rows, rows)
            readers["look_ahead"] = lambda: mean_loss(self._learner, target)
        if "transfer" in self._names:
            readers["transfer"] = lambda: self._heldout_losses(seeds)
        before = {name: read() for name, read in readers.items()}
        snapshot = self._learner.snapshot()
        gains: dict[str, list[Floats]] = {name: [] for name in readers}
        for task in self._experiment.tasks:
            sound = self._learner.train(self._branch(task, seeds, number, rate)).finite
            for name, read in readers.items():
                gain = before[name] - read()
                gains[name].append(np.where(sound.reshape(-1, *[1] * (gain.ndim - 1)), gain, np.nan))
            self._learner.restore(snapshot)
        return {name: np.stack(parts, axis=1) for name, parts in gains.items()}

    def _duel(self, seeds: Sequence[int], mixture: Floats, number: int, rate: float) -> Floats:
        """(N,) loss on the selection split after stratified updates less that after the mixture's."""
        rows, snapshot = self._config.signals.rows, self._learner.snapshot()
        judge = self._experiment.target_task("selection", causal=self._learner.causal_rows)
        target = self._rows(judge, seeds, "duel", number * rows, rows)
        losses = []
        for shares in (np.full_like(mixture, 1 / mixture.shape[1]), mixture):
            sound = self._learner.train(self._mixed(shares, seeds, number, rate)).finite
            losses.append(np.where(sound, mean_loss(self._learner, target), np.nan))
            self._learner.restore(snapshot)
        return losses[0] - losses[1]

    def _mixed(self, shares: Floats, seeds: Sequence[int], number: int, rate: float) -> SegmentPlan:
        """A branch on a mixture; both duellists draw a task's windows from the same stream."""
        updates, batch = self._config.signals.look_ahead, self._config.batch
        plan = np.stack([apportion(own, batch, updates, np.zeros(len(own)))[0] for own in shares], axis=1)
        counters = np.full(shares.shape, number * updates * batch, dtype=np.int64)
        streams = [key(seed, "duel") for seed in seeds]
        batches, _ = segment_batches(self._experiment.tasks, plan, counters, streams, self._config.context)
        return SegmentPlan(batches, np.full((updates, len(seeds)), rate))

    def _branch(self, task: Task, seeds: Sequence[int], number: int, rate: float) -> SegmentPlan:
        updates, batch = self._config.signals.look_ahead, self._config.batch
        drawn = self._rows(task, seeds, "look-ahead", number * updates * batch, updates * batch)
        return SegmentPlan(
            _stacked([drawn[:, i * batch : (i + 1) * batch] for i in range(updates)]),
            np.full((updates, len(seeds)), rate),
        )

    def _heldout_losses(self, seeds: Sequence[int]) -> Floats:
        """(N, K) nats per scored token."""
        joined = self._heldout_rows(seeds)
        nats = self._learner.token_losses(joined).double().cpu()
        shape = (len(seeds), len(self._experiment.tasks), -1)
        scored = joined.weights.double().reshape(shape).sum(dim=2)
        losses: Floats = (nats.reshape(shape).sum(dim=2) / scored.clamp(min=1)).numpy()
        return losses

    def _heldout_rows(self, seeds: Sequence[int]) -> Batch:
        """(N, K rows, T) of all tasks, task by task, always the same in a run."""
        if self._fixed is None or self._fixed[0] != tuple(seeds):
            batch = _stacked([self._unseen(task, seeds, self._config.signals.rows) for task in self._experiment.tasks])
            self._fixed = tuple(seeds), Batch(*(t.transpose(0, 1).flatten(1, 2) for t in batch.tensors()))
        return self._fixed[1]

    def _unseen(self, task: Task, seeds: Sequence[int], rows: int) -> Batch:
        """Rows of a task's held-out part that the report does not score; drawn apart where it has no such part."""
        name = task.corpus.name
        target = self._experiment.target
        if name == self._config.target.corpus and not isinstance(task.corpus, LabelledCorpus):
            return self._rows(Task(task.name, target.text["signal"], task.objective), seeds, "held out", 0, rows)
        heldout = self._experiment.heldout.get(name)
        if heldout is None or isinstance(task.corpus, LabelledCorpus):
            return self._rows(task, seeds, "held out", 0, rows)
        # The report draws its windows from the front of the same permutation.
        first = self._config.report.task_sequences
        named = Task(f"heldout {name}", heldout, task.objective)
        return _stacked([named.batch(seed=s, first=first, rows=rows, context=self._config.context) for s in seeds])

    def _target(self) -> Task:
        return self._experiment.target_task("signal", causal=self._learner.causal_rows)

    def _rows(self, task: Task, seeds: Sequence[int], what: str, first: int, rows: int) -> Batch:
        """(N, rows, T) rows of a task that are not those that are trained on: their stream is another."""
        context = self._config.context
        return _stacked([task.batch(seed=key(s, what), first=first, rows=rows, context=context) for s in seeds])


def _plus(a: Price, b: Price) -> Price:
    return Price(a.tokens + b.tokens, a.flops + b.flops)


def _stacked(parts: Sequence[Batch]) -> Batch:
    """Batches of one shape with a new leading dimension."""
    return Batch(*(torch.stack(tensors) for tensors in zip(*(part.tensors() for part in parts), strict=True)))


def _between(halves: Floats) -> Floats:
    """(N, 2 G, 2 G) products of halves -> (N, G, G), where a gradient meets itself only through its other half."""
    N, double, _ = halves.shape
    pairs = halves.reshape(N, double // 2, 2, double // 2, 2).transpose(0, 1, 3, 2, 4)  # (N, G, G, 2, 2)
    found: Floats = pairs.mean(axis=(3, 4))
    own = np.arange(double // 2)
    found[:, own, own] = (pairs[:, own, own, 0, 1] + pairs[:, own, own, 1, 0]) / 2
    return found


def _variance(halves: Floats, rows: int) -> Floats:
    """(N, G) variance of one row's gradient: rows / 2 times the squared distance of two halves' means."""
    first, second = (halves[:, i::2, i::2] for i in (0, 1))
    crossed = np.einsum("nii->ni", halves[:, 0::2, 1::2])
    distance = np.einsum("nii->ni", first) + np.einsum("nii->ni", second) - 2 * crossed
    variance: Floats = rows / 2 * distance
    return variance
