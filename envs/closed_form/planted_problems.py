"""A learner without a language model: K tasks move S skills by a known law, so that the best mixture is known.

Shape letters: K tasks, S skills, T segments, M mixtures or schedules at once.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from curriculum_rl.envs.closed_form.simplex import blocks, least

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Planted:
    """What tasks teach, and what the target is.

    The loss of skill i is floor_i + height_i exp(-x_i), x the skills, 0 at the start; the target's loss is the weighted
    mean of these. A segment with amounts n of the tasks (they sum to 1) adds n @ teaches to x: what came before makes
    the same amount worth less. A skill with a prerequisite j gets 1 - exp(-x_j) times as much, by x before the segment.

    Attributes:
        teaches: (K, S) what a whole segment of each task adds to each skill.
        floor: (S,) nats per token that cannot be learned.
        height: (S,) nats per token that can.
        weight: (S,) of each skill in the target's loss; they sum to 1.
        own: (K,) the skill whose loss is each task's training loss.
        needs: (S,) the prerequisite of each skill; -1: none.
        delay: (K,) segments until what a task taught counts.
        begins: (K,) share of the budget, in [0, 1), before which a task teaches nothing.
        order: (K,) tasks in the order in which the best schedule plays them, one block each; where order does not
            matter, any.
        special: the tasks that the problem is about.
        segments: T, of a run that measures nothing.
    """

    teaches: Floats
    floor: Floats
    height: Floats
    weight: Floats
    own: Ints
    needs: Ints
    delay: Ints
    begins: Floats
    order: Ints
    special: tuple[int, ...]
    segments: int

    @property
    def tasks(self) -> int:
        """K."""
        return len(self.teaches)

    def added(self, skills: Floats, amounts: Floats) -> Floats:
        """(..., S) skills and (..., K) amounts that now count -> (..., S) what they add."""
        gate = np.where(self.needs >= 0, 1 - np.exp(-skills[..., self.needs]), 1.0)
        grown: Floats = gate * (amounts @ self.teaches)
        return grown

    def losses(self, skills: Floats) -> Floats:
        """(..., S) skills -> (..., S) losses, nats per token."""
        found: Floats = self.floor + self.height * np.exp(-skills)
        return found

    def target_loss(self, skills: Floats) -> Floats:
        """(..., S) skills -> (...) nats per token."""
        found: Floats = self.losses(skills) @ self.weight
        return found

    def gradient(self, skills: Floats) -> Floats:
        """(S,) of the target's loss by the skills."""
        return np.asarray(-self.weight * self.height * np.exp(-skills))

    def end(self, schedules: Floats) -> Floats:
        """(M, T, K) schedules -> (M,) the target's loss at the end of a run."""
        length = schedules.shape[1]
        counted = np.zeros_like(schedules)
        for task, delay in enumerate(self.delay):
            taught = schedules[:, :, task] * (np.arange(length) / length >= self.begins[task])
            counted[:, delay:, task] = taught[:, : max(length - delay, 0)]
        skills = np.zeros((len(schedules), len(self.floor)))
        if (self.needs < 0).all():
            return self.target_loss(counted.sum(axis=1) @ self.teaches)
        for step in range(length):
            skills = skills + self.added(skills, counted[:, step])
        return self.target_loss(skills)

    def static(self, mixtures: Floats) -> Floats:
        """(M, K) mixtures, the same in all segments -> (M,) the target's loss at the end."""
        return self.end(np.repeat(mixtures[:, None], self.segments, axis=1))

    @property
    def start_loss(self) -> float:
        """The target's, untrained."""
        return float(self.target_loss(np.zeros(len(self.floor))))

    @cached_property
    def stratified_loss(self) -> float:
        """The target's at the end of stratified batches."""
        return float(self.static(np.full((1, self.tasks), 1 / self.tasks))[0])

    @cached_property
    def best_mixture(self) -> Floats:
        """(K,) the best static one, by pattern search: a convex problem but for prerequisites."""
        return least(self.static, self.tasks)

    @cached_property
    def best_static_loss(self) -> float:
        """The target's at the end of the best static mixture."""
        return float(self.static(self.best_mixture[None])[0])

    @cached_property
    def best_schedule(self) -> Floats:
        """(T, K) the best among those that play the tasks one after the other, in `order`.

        Without prerequisites no schedule is better, as long as a block fits where its task teaches: only the sums of
        what counts matter then, and blocks lose none of it. With them it is the best of its kind.
        """
        lengths = least(lambda shares: self.end(self._blocks(shares)), self.tasks)
        found: Floats = self._blocks(lengths[None])[0]
        return found

    @cached_property
    def best_loss(self) -> float:
        """The target's at the end of the best schedule."""
        return float(self.end(self.best_schedule[None])[0])

    def _blocks(self, shares: Floats) -> Floats:
        return blocks(shares, self.order, self.segments)
