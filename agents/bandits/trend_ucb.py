"""Trend UCB: fit how gains fall over a run, then play the best upper confidence limit of what is left."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check, greedy

# Half-lives of a level in decisions; the last one is a level that does not fall.
_HALF_LIVES = np.array([*(4 * 1.5 ** np.arange(10)), 1e12])
_FAILED = -2.5  # standard deviations from the mean that a failed segment is counted as
_SHRINK = 4.0  # plays that "no task differs" is worth while levels are compared
_TINY = 1e-200


@dataclass(frozen=True)
class TrendUCB:
    """Gain = level(t) (common value + task's lead + noise), level(t) = 1 / (1 + t / half-life).

    For each of eleven half-lives, gains over the level give every task a mean; the half-life under which all gains are
    most likely (normal noise) is believed, and the task with the highest mean + width sqrt(log(t) / n) is played, in
    units of the noise. A task never played goes first. A moving average instead, as the shell takes it for other
    rules, follows a steep fall late and forgets what the first plays were compared with. It takes gains as they are;
    a run must begin with a fresh memory (`memory: episode`), because the level is a function of its age.

    Width and discount were tuned on three problems of `curriculum_rl.envs.closed_form.problems` (seed 3, T = 120 and
    300) whose gains fall in just this way; whether those of a language model do is not for these problems to say.

    Source:
        Ours. The limit is UCB1's (Auer, Cesa-Bianchi & Fischer, 2002).

    Attributes:
        width: of the confidence limit, in standard deviations of a gain, >= 0.
        discount: what a play is worth one decision later, in (0, 1].
    """

    rewards: ClassVar[Rewards] = "gain"

    width: float = 0.25
    discount: float = 0.99

    def __post_init__(self) -> None:
        """Check the settings."""
        check("width", self.width, least=0)
        check("discount", self.discount, above=0, most=1)

    def start(self, seeds: int, arms: int) -> State:
        """Nothing played; H half-lives are kept side by side."""
        levels = len(_HALF_LIVES)
        return {
            "counts": np.zeros((seeds, arms)),
            "sums": np.zeros((seeds, levels, arms)),
            "squares": np.zeros((seeds, levels)),
            "logs": np.zeros((seeds, levels)),
            "time": np.zeros(seeds),
        }

    def probabilities(self, state: State) -> Floats:
        """(S, K) even over the tasks with the highest limit."""
        counts, sums = state["counts"], state["sums"]
        plays = np.maximum(counts.sum(axis=1, keepdims=True), _TINY)  # (S, 1)
        totals, squares = sums.sum(axis=2), state["squares"]
        leads = sums - (totals / plays)[:, :, None] * counts[:, None]  # (S, H, K)
        explained = (leads * leads @ (1 / (counts + _SHRINK))[:, :, None])[:, :, 0]
        left = np.maximum(squares - totals * totals / plays - explained, 1e-12 * squares + _TINY)
        likely = (-0.5 * plays * np.log(left) - state["logs"]).argmax(axis=1)
        rows = np.arange(len(counts))
        noise = np.sqrt(left[rows, likely][:, None] / plays)
        seen = np.maximum(counts, _TINY)
        limits = leads[rows, likely] / (noise * seen) + self.width * np.sqrt(np.log(np.maximum(plays, 1)) / seen)
        limits[counts == 0] = np.inf
        return greedy(limits)

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Count the plays under every half-life; a gain that is no number counts as one far below the mean."""
        counts, squares = state["counts"], state["squares"]
        arms, gains = arms.reshape(len(counts), -1), rewards.reshape(len(counts), -1)
        rise = 1 + state["time"][:, None] / _HALF_LIVES  # (S, H) one over the level
        values = gains[:, None] * rise[:, :, None]  # (S, H, M)
        if not np.isfinite(gains).all():
            plays = np.maximum(counts.sum(axis=1, keepdims=True), 1)
            mean = state["sums"].sum(axis=2) / plays
            spread = np.sqrt(np.maximum(squares / plays - mean**2, 0))
            values = np.where(np.isfinite(values), values, (mean + _FAILED * spread)[:, :, None])
        for name in ("counts", "sums", "squares", "logs") if self.discount < 1 else ():
            state[name] *= self.discount
        add_plays(counts, arms, 1.0)
        if arms.size == 1:
            state["sums"][0, :, arms.item()] += values[0, :, 0]
        else:
            state["sums"] += values @ (arms[:, :, None] == np.arange(counts.shape[1])).astype(np.float64)
        squares += (values * values).sum(axis=2)
        state["logs"] -= np.log(rise) * arms.shape[1]
        state["time"] += 1
