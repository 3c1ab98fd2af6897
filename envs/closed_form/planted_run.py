"""One run on a planted problem: the skills, the budget in segments, and what can be measured."""

from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.envs.closed_form.planted_problems import Planted
from curriculum_rl.envs.closed_form.run import ClosedFormRun

Floats = npt.NDArray[np.float64]
MEASURED = ("heldout_loss", "products", "adam_products", "look_ahead", "transfer", "duel")


class PlantedRun(ClosedFormRun):
    """Trains the skills and measures them.

    Args:
        problem: what tasks teach.
        price: segments that a measurement costs.

    Attributes:
        signals: measured after every segment that leaves enough budget.
        skills: (S,) x.
    """

    def __init__(self, problem: Planted, *, price: float = 0.0) -> None:
        super().__init__(problem.tasks, largest=float((problem.floor + problem.height).max()))
        self.problem, self._price = problem, price
        self.signals: tuple[str, ...] = ()
        self._left = float(problem.segments)
        self._taught: list[Floats] = []
        self.skills = np.zeros(len(problem.floor))

    @property
    def left(self) -> float:
        """The share of the budget that is still to come."""
        return self._left / self.problem.segments

    @property
    def ended(self) -> bool:
        """Whether the budget is spent."""
        return self._left < 1e-9

    @property
    def target_loss(self) -> float:
        """Nats per token now."""
        return float(self.problem.target_loss(self.skills))

    @property
    def task_losses(self) -> Floats:
        """(K,) nats per token of each task's own skill."""
        losses: Floats = self.problem.losses(self.skills)[self.problem.own]
        return losses

    def add(self, mixture: Floats) -> dict[str, Floats]:
        """Train a segment, the last one as long as the budget lasts, and measure.

        Args:
            mixture: (K,) shares.

        Returns:
            The signals by name, none where the budget did not pay for them.
        """
        size = min(1.0, self._left)
        before = self.task_losses
        self.skills = self._after(size * mixture)
        self._taught.append(self._open() * size * mixture)
        self.amounts = self.amounts + size * mixture
        self._slope = self.task_losses - before
        self._left -= size
        if not self.signals or self._left < self._price:
            return {}
        self._left -= self._price
        return self._measured(mixture)

    def info(self) -> dict[str, Any]:
        """What a segment's info says; a corpus has no end, so no pass over it either."""
        return {**super().info(), "epochs": np.zeros(self.problem.tasks)}

    def _open(self) -> Floats:
        """(K,) 1 for tasks that teach by now."""
        # A run of whole segments must switch exactly where `Planted.end` does.
        spent = 1 - self.left + 1e-9
        return (spent >= self.problem.begins).astype(np.float64)

    def _after(self, amounts: Floats) -> Floats:
        """(..., K) amounts of the next segment -> (..., S) skills after it, with what was delayed until now."""
        taught = self._open() * amounts
        counted = np.where(self.problem.delay == 0, taught, 0.0)
        for task in np.flatnonzero(self.problem.delay):
            then = len(self._taught) - int(self.problem.delay[task])
            if then >= 0:
                counted[..., task] = self._taught[then][task]
        return self.skills + self.problem.added(self.skills, counted)

    def _measured(self, mixture: Floats) -> dict[str, Floats]:
        tasks = self.problem.tasks
        branches = self._after(np.eye(tasks))
        stratified, last = self._after(np.stack([np.full(tasks, 1 / tasks), mixture]))
        products = self._products()
        found = {
            "heldout_loss": self.task_losses,
            "products": products,
            "adam_products": products,
            "look_ahead": self.target_loss - self.problem.target_loss(branches),
            "transfer": self.task_losses - self.problem.losses(branches)[:, self.problem.own],
            "duel": np.asarray(self.problem.target_loss(stratified) - self.problem.target_loss(last)),
        }
        return {name: found[name] for name in self.signals}

    def _products(self) -> Floats:
        """(K+1, K+1) of minus the steps that a segment of each task makes now, and the target's gradient."""
        now = np.diag(self._open() * (self.problem.delay == 0))
        steps = self.problem.added(np.broadcast_to(self.skills, (len(now), len(self.skills))), now)
        gradients = np.concatenate([-steps, self.problem.gradient(self.skills)[None]])
        found: Floats = gradients @ gradients.T
        return found
