"""Wrappers around a rule: a prior, pruning, limits on shares, and a guard against doing harm.

Shape letters: S runs, K tasks, K' tasks that pruning keeps.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, Ints, State, check
from curriculum_rl.errors import ConfigError


class TaskFigures(NamedTuple):
    """What an env says of the tasks of S runs when they begin, in the order that the agent sees tasks in.

    Attributes:
        order: (S, K) the env's number of each task.
        divergence: (S, K) of each task's text from the target's, >= 0; None where it is not said.
        prior: (S, K) shares from the texts alone; None where they are not said.
        target_objective: (S, K) 1 where a task's objective is the target's own, else 0; None where it is not said.
        target_signal: (S, K) 1 for the task on the target's signal split, else 0; None where it is not said.
        corpus_tokens: (S, K) how long each task's corpus is; None where it is not said.
    """

    order: Ints
    divergence: Floats | None = None
    prior: Floats | None = None
    target_objective: Floats | None = None
    target_signal: Floats | None = None
    corpus_tokens: Floats | None = None


def sharpened(shares: Floats, exponent: Floats | float) -> Floats:
    """(..., K) shares to a power, the largest of each run 1: what a prior multiplies a rule's shares by."""
    weights: Floats = (shares / shares.max(axis=-1, keepdims=True)) ** exponent
    return weights


@dataclass(frozen=True)
class Wrapping:
    """Which wrappers there are, and what they do to probabilities or shares; what they remember is a dict of arrays.

    A rule knows only the tasks that pruning keeps. What it gives them is multiplied by the prior and normalised; tasks
    whose corpora were read often enough are left out; every other one gets its least share; and after the guard's
    alarm all are alike, pruned ones too, until the run ends (it bets against stratified, which prunes nothing).

    The guard bets against the executed mixture on duels from one snapshot (`curriculum_rl.signals`), which the env
    charges: its wealth grows by the factor 1 - tanh(gain / scale) / 2 per duel, scale the root mean square of the gains
    before. As long as the mixture is not worse than stratified (the mean of the bounded gain is at least 0 given the
    past), wealth is a supermartingale, and it reaches 1 / guard with a probability of at most `guard` (Ville 1939).
    This is about branches of a few updates; it proves nothing about the loss at the end.

    Source:
        the e-process of Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting,
        section 4, with a fixed bet of one half; the rest is ours.

    Attributes:
        prior: exponent of the env's prior, > 0: at 1 it is taken as it is; None: no prior.
        prune: share of the tasks that the rule never sees, those furthest from the target, in [0, 1); rounded down, of
            equal ones the later go first.
        minimum_share: the least share or probability of each task, in [0, 1 / K].
        maximum_epochs: passes over a task's windows after which it is left out, > 0; None: no limit.
        guard: probability of a false alarm, in (0, 1); None: no guard.
    """

    prior: float | None = None
    prune: float = 0.0
    minimum_share: float = 0.0
    maximum_epochs: float | None = None
    guard: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.prior is not None:
            check("prior", self.prior, above=0)
        check("prune", self.prune, least=0)
        check("minimum_share", self.minimum_share, least=0)
        for name in ("prune", "minimum_share"):
            if getattr(self, name) >= 1:
                raise ConfigError(f"{name}: {getattr(self, name)} must be below 1")
        if self.maximum_epochs is not None:
            check("maximum_epochs", self.maximum_epochs, above=0)
        if self.guard is not None:
            check("guard", self.guard, above=0)
            if self.guard >= 1:
                raise ConfigError(f"guard: {self.guard} must be below 1")

    @property
    def needs(self) -> tuple[str, ...]:
        """The signals that the wrappers need."""
        return ("duel",) if self.guard is not None else ()

    def count(self, arms: int) -> int:
        """K', how many of `arms` tasks pruning keeps: at least one."""
        # What stands as .29 is less than .29: 100 tasks must still lose 29.
        return max(1, arms - int(self.prune * arms + 1e-9))

    def start(self, runs: int, arms: int) -> State:
        """What is remembered of S = `runs` runs over K = `arms` tasks before they begin.

        Raises:
            ConfigError: where the least shares add up to more than 1.
        """
        if self.minimum_share * arms > 1:
            raise ConfigError(f"minimum_share: {self.minimum_share} times {arms} tasks is more than 1")
        return {
            "divergence": np.zeros((runs, arms)),
            "prior": np.full((runs, arms), 1 / arms),
            "weighed": np.zeros(runs, bool),  # whether the prior is known
            "order": np.tile(np.arange(arms), (runs, 1)),
            "told": np.zeros(runs, bool),  # whether divergences are known; names are those of saved files
            "begun": np.zeros(runs, bool),
            "epochs": np.zeros((runs, arms)),
            "wealth": np.ones(runs),
            "squares": np.zeros(runs),
            "duels": np.zeros(runs),
            "alarmed": np.zeros(runs, bool),
        }

    def receive(self, state: State, said: TaskFigures) -> None:
        """Note what an env said of the runs that begin; `state`, what is remembered, is changed in place."""
        where = ~state["begun"]
        state["order"][where] = said.order[where]
        for name, known, figures in (("divergence", "told", said.divergence), ("prior", "weighed", said.prior)):
            if figures is not None:
                state[name][where], state[known][where] = figures[where], True

    def kept(self, state: State) -> Ints:
        """(S, K') numbers of the tasks that pruning keeps, ascending."""
        nearest = np.argsort(state["divergence"], axis=1, kind="stable")
        return np.sort(nearest[:, : self.count(nearest.shape[1])], axis=1)

    def pruned(self, state: State) -> list[list[int]]:
        """For each run the env's numbers of the tasks that are pruned."""
        rows = zip(self.kept(state), state["order"], strict=True)
        return [sorted(np.delete(order, kept).tolist()) for kept, order in rows]

    def executed(self, state: State, chances: Floats) -> Floats:
        """(S, K') what a rule gives the tasks kept -> (S, K) what is played."""
        distance = state["divergence"]
        kept = np.ones(distance.shape, bool)
        if self.count(distance.shape[1]) < distance.shape[1]:
            kept[...] = False
            np.put_along_axis(kept, self.kept(state), True, axis=1)
            own, chances = chances, np.zeros(distance.shape)
            chances[kept] = own.ravel()
        if self.prior is not None:
            chances = chances * sharpened(state["prior"], self.prior)
        alarmed = state["alarmed"][:, None]
        allowed = self._unread(state["epochs"], kept | alarmed)
        chances = np.where(alarmed, 1.0, chances) * allowed
        # Where the rule gives nothing to all that is allowed, these share evenly.
        chances = np.where(chances.sum(axis=1, keepdims=True) > 0, chances, allowed)
        chances /= chances.sum(axis=1, keepdims=True)
        least = self.minimum_share * allowed
        floored: Floats = least + (1 - least.sum(axis=1, keepdims=True)) * chances
        return floored

    def _unread(self, epochs: Floats, allowed: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """(S, K) those of the allowed tasks that are below their limit; all of them where none is."""
        if self.maximum_epochs is None:
            return allowed
        left = allowed & (epochs < self.maximum_epochs)
        return np.where(left.any(axis=1, keepdims=True), left, allowed)

    def update(self, state: State, epochs: Floats | None, duels: Floats | None) -> None:
        """Take in a segment: (S, K) passes over each task's windows so far, and (S,) the guard's duels, if any."""
        state["begun"][...] = True
        if epochs is not None:
            state["epochs"][...] = epochs
        if self.guard is not None and duels is not None:
            self._bet(state, duels)

    def reset(self, state: State, ended: Any) -> None:
        """Passes and the guard start afresh in these runs, (S,) or all; divergences stay."""
        values = {"begun": False, "epochs": 0.0, "wealth": 1.0, "squares": 0.0, "duels": 0.0, "alarmed": False}
        for name, value in values.items():
            state[name][ended] = value

    def _bet(self, state: State, gains: Floats) -> None:
        sound = np.isfinite(gains)
        gain = np.where(sound, gains, 0.0)
        scale = np.sqrt(state["squares"] / np.maximum(state["duels"], 1))
        # The first duel only says how large gains are.
        settled = sound & (state["duels"] > 0) & (scale > 0)
        stake = np.tanh(np.divide(gain, scale, out=np.zeros_like(gain), where=settled))
        state["wealth"] *= np.where(settled, 1 - stake / 2, 1.0)
        state["squares"] += gain**2
        state["duels"] += sound
        state["alarmed"] |= state["wealth"] >= 1 / (self.guard or 1.0)


NOTHING = Wrapping()
WRAPPERS = tuple(field.name for field in dataclasses.fields(Wrapping))
