"""ADO: shares by how fast each task's own scaling law says that its loss still falls."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curriculum_rl.agents.mixers import power_law
from curriculum_rl.agents.mixers.rule import Feedback, StoredMixture, known
from curriculum_rl.agents.rule import Floats, State, check


@dataclass(frozen=True)
class ADO(StoredMixture):
    """The mixture is (1 - fresh) (mean of all rho so far) + fresh rho, rho_k in proportion to speed_k h_k^credit.

    h_k is a moving average of task k's share, and speed_k = a scale n^-a / n the slope of its law
    L = level + scale n^-a, fitted to the run's own training losses over the task's own rows; rho_k is at least `floor`.

    Until `warmup` of the budget is spent shares are even and losses are not counted, as in the paper, whose prior is
    the corpora's sizes; ours is even. A task without a law has the mean speed of the others.

    Our reading: laws are fitted by least squares with level and scale >= 0, over a grid of exponents up to .8 with the
    rest in closed form (the paper runs L-BFGS from 512 starts on a Huber loss of log losses, after a Savitzky-Golay
    filter); a segment's loss stands at the middle of its rows; n counts segments' worth of rows.

    Known defects of the released code (src/data_selectors/ado.py) that are not here: its credit is (h (1 - h))^.5, not
    h^.5; it counts every row for every domain (`use_same_step_size`); a context of 1,024 is written into it; and where
    a domain had no rows it repeats the last loss as a new point.

    Source:
        Jiang, Zhou, Feng, Malladi & Kolter (2024), Adaptive data optimization: dynamic sample selection with scaling
        laws, arXiv 2410.11820, algorithm 1: credit .5, both moving averages .1, floor .01; exponents from .05 to .8, as
        the released code bounds them; refits and warm-up every 1,000 and in the first 1,000 of its 60,000 steps.

    Attributes:
        credit: the exponent s of a task's recent share, >= 0.
        recent: how far h moves towards the last segment's shares, in (0, 1].
        fresh: the weight of the present rho, in [0, 1].
        floor: the least share in rho before it is normalised again, in [0, 1].
        warmup: the share of the budget before which nothing is learned, in [0, 1].
        every: segments between fits, at least 1.
    """

    signals: ClassVar[tuple[str, ...]] = ()
    credit: float = 0.5
    recent: float = 0.1
    fresh: float = 0.1
    floor: float = 0.01
    warmup: float = 1 / 60
    every: int = 1

    def __post_init__(self) -> None:
        """Check the settings."""
        check("credit", self.credit, least=0)
        check("recent", self.recent, above=0, most=1)
        for name in ("fresh", "floor", "warmup"):
            check(name, getattr(self, name), least=0, most=1)
        check("every", self.every, least=1)

    def start(self, seeds: int, arms: int) -> State:
        """No points; even shares."""
        even = np.full((seeds, arms), 1 / arms)
        state: State = {"sums": power_law.start(seeds, arms), "time": np.zeros(seeds, np.int64)}
        state |= {name: np.zeros((seeds, arms)) for name in ("rows", "scale", "exponent")}
        state["fitted"] = np.zeros((seeds, arms), bool)
        return state | {name: even.copy() for name in ("recent", "mean", "mixture")}

    def update(self, state: State, feedback: Feedback) -> None:
        """Count the losses, refit, and mix."""
        mixture = np.maximum(known(feedback.mixture), 0.0)
        ready = feedback.spent >= self.warmup
        seen = np.isfinite(feedback.losses) & (mixture > 0) & ready[:, None]
        # No loss in nats per token is near 1e3: the bound keeps a broken one from overflowing.
        losses = np.clip(known(feedback.losses), 0.0, 1e3)
        power_law.add(state["sums"], state["rows"] + mixture / 2, losses, seen)
        state["rows"] += mixture
        state["recent"] += self.recent * (mixture - state["recent"])
        state["time"] += 1
        due = state["time"] % int(self.every) == 0
        if due.any():
            _, scale, exponent, enough = power_law.fit(state["sums"])
            for name, values in (("scale", scale), ("exponent", exponent), ("fitted", enough)):
                np.copyto(state[name], values, where=due[:, None])
        self._mix(state)

    def _mix(self, state: State) -> None:
        """One step of the mixture and of its mean, for runs with a law."""
        fitted = state["fitted"]
        rho = self._floored(self._speeds(state) * np.maximum(state["recent"], 0.0) ** self.credit)
        mixing = fitted.any(axis=1, keepdims=True)
        np.copyto(state["mixture"], (1 - self.fresh) * state["mean"] + self.fresh * rho, where=mixing)
        state["mean"] += np.where(mixing, (rho - state["mean"]) / (state["time"][:, None] + 1), 0.0)

    def _speeds(self, state: State) -> Floats:
        """(S, K) nats per segment's worth of rows."""
        rows, exponent, fitted = np.maximum(state["rows"], 1e-6), state["exponent"], state["fitted"]
        speeds = np.where(fitted, exponent * state["scale"] * rows ** (-exponent - 1), 0.0)
        mean = speeds.sum(axis=1, keepdims=True) / np.maximum(fitted.sum(axis=1, keepdims=True), 1)
        return np.where(fitted, speeds, mean)

    def _floored(self, weights: Floats) -> Floats:
        """(S, K) weights as shares with the floor; even where all are 0."""
        total = weights.sum(axis=1, keepdims=True)
        even = np.full_like(weights, 1 / weights.shape[1])
        shares: Floats = np.maximum(np.divide(weights, total, out=even, where=total > 0), self.floor)
        shares /= shares.sum(axis=1, keepdims=True)
        return shares
