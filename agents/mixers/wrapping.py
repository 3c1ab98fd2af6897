"""Wrappers that any mixer's rule can wear: a divergence prior, limits on shares, and a guard against doing harm."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, MixerRule
from curriculum_rl.agents.rule import Floats, State
from curriculum_rl.errors import ConfigError

_OWN = "wrapping."


@dataclass(frozen=True)
class Wrapping:
    """Which wrappers are worn.

    The mixture is the rule's, multiplied by the prior and normalised; corpora that were read often enough are left out;
    every other task gets its least share; and once the guard has spoken it is stratified until the run ends.

    The guard bets against the mixture on duels from one snapshot (`curriculum_rl.signals`), which the env charges: its
    wealth grows by the factor 1 - tanh(gain / scale) / 2 per duel, scale the root mean square of the gains before. As
    long as the mixture is not worse than stratified (the mean of the bounded gain is at least 0 given the past), wealth
    is a supermartingale, and it reaches 1 / guard with a probability of at most `guard` (Ville 1939). This is about
    branches of a few updates; it proves nothing about the loss at the end.

    Source:
        the e-process of Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting,
        section 4, with a fixed bet of one half; the rest is ours.

    Attributes:
        prior: temperature, in bits, of exp(-divergence / prior), > 0; None: no prior.
        minimum_share: the least share of each task, in [0, 1 / K].
        maximum_epochs: passes over a task's windows after which it is left out, > 0; None: no limit.
        guard: probability of a false alarm, in (0, 1); None: no guard.
    """

    prior: float | None = None
    minimum_share: float = 0.0
    maximum_epochs: float | None = None
    guard: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.prior is not None and not self.prior > 0:
            raise ConfigError(f"prior: {self.prior} must be above 0 bits or none")
        if not 0 <= self.minimum_share < 1:
            raise ConfigError(f"minimum_share: {self.minimum_share} must be in [0, 1)")
        if self.maximum_epochs is not None and not self.maximum_epochs > 0:
            raise ConfigError(f"maximum_epochs: {self.maximum_epochs} must be above 0 or none")
        if self.guard is not None and not 0 < self.guard < 1:
            raise ConfigError(f"guard: {self.guard} must be in (0, 1) or none")


@dataclass(frozen=True)
class Wrapped:
    """A rule that wears wrappers; itself a rule.

    Attributes:
        rule: what is worn by.
        wrapping: the wrappers.
    """

    rule: MixerRule
    wrapping: Wrapping

    def needs(self, state: State) -> tuple[str, ...]:
        """The rule's signals, and the guard's duels."""
        return (*self._rules_needs(state), *(("duel",) if self.wrapping.guard is not None else ()))

    def _rules_needs(self, state: State) -> tuple[str, ...]:
        said = getattr(self.rule, "needs", None)
        own: tuple[str, ...] = self.rule.signals if said is None else said(_inner(state))
        return own

    def start(self, seeds: int, arms: int) -> State:
        """The rule's memory and what the wrappers keep.

        Raises:
            ConfigError: where the least shares add up to more than 1.
        """
        if self.wrapping.minimum_share * arms > 1:
            raise ConfigError(f"minimum_share: {self.wrapping.minimum_share} times {arms} tasks is more than 1")
        own = {
            "divergence": np.zeros((seeds, arms)),
            "epochs": np.zeros((seeds, arms)),
            "wealth": np.ones(seeds),
            "squares": np.zeros(seeds),
            "duels": np.zeros(seeds),
            "alarmed": np.zeros(seeds, bool),
        }
        return self.rule.start(seeds, arms) | {f"{_OWN}{name}": values for name, values in own.items()}

    def tell(self, state: State, divergence: Floats, runs: npt.NDArray[np.bool_]) -> None:
        """Note how far each task's text is from the target's in the runs (S,) that begin."""
        state[f"{_OWN}divergence"][runs] = divergence[runs]

    def mixture(self, state: State) -> Floats:
        """(S, K): the rule's mixture under the wrappers."""
        mixture, wrapping = self.rule.mixture(_inner(state)), self.wrapping
        if wrapping.prior is not None:
            mixture = mixture * np.exp(-state[f"{_OWN}divergence"] / wrapping.prior)
        allowed = np.ones(mixture.shape, bool)
        if wrapping.maximum_epochs is not None:
            allowed = state[f"{_OWN}epochs"] < wrapping.maximum_epochs
            allowed |= ~allowed.any(axis=1, keepdims=True)
        mixture = np.where(state[f"{_OWN}alarmed"][:, None], 1.0, mixture) * allowed
        # Where the rule gives nothing to all that is allowed, these share evenly.
        mixture = np.where(mixture.sum(axis=1, keepdims=True) > 0, mixture, allowed)
        mixture /= mixture.sum(axis=1, keepdims=True)
        least = wrapping.minimum_share * allowed
        floored: Floats = least + (1 - least.sum(axis=1, keepdims=True)) * mixture
        return floored

    def update(self, state: State, feedback: Feedback) -> None:
        """Let the rule learn, count passes, and settle the guard's bets."""
        # A rule that asked for signals and needs none any more has learned what it will.
        if self._rules_needs(state) or not self.rule.signals:
            self.rule.update(_inner(state), feedback)
        if feedback.epochs is not None:
            state[f"{_OWN}epochs"][...] = feedback.epochs
        if self.wrapping.guard is not None:
            self._bet(state, feedback.signals["duel"])

    def next_run(self, state: State, ended: npt.NDArray[np.bool_]) -> None:
        """The rule prepares; passes and the guard start afresh."""
        self.rule.next_run(_inner(state), ended)
        for name, value in (("epochs", 0.0), ("wealth", 1.0), ("squares", 0.0), ("duels", 0.0), ("alarmed", False)):
            state[f"{_OWN}{name}"][ended] = value

    def _bet(self, state: State, gains: Floats) -> None:
        own: dict[str, Any] = {name: state[f"{_OWN}{name}"] for name in ("wealth", "squares", "duels", "alarmed")}
        sound = np.isfinite(gains)
        gain = np.where(sound, gains, 0.0)
        scale = np.sqrt(own["squares"] / np.maximum(own["duels"], 1))
        # The first duel only says how large gains are.
        settled = sound & (own["duels"] > 0) & (scale > 0)
        stake = np.tanh(np.divide(gain, scale, out=np.zeros_like(gain), where=settled))
        own["wealth"] *= np.where(settled, 1 - stake / 2, 1.0)
        own["squares"] += gain**2
        own["duels"] += sound
        own["alarmed"] |= own["wealth"] >= 1 / (self.wrapping.guard or 1.0)


def _inner(state: State) -> State:
    """The rule's own memory, the same arrays."""
    return {name: values for name, values in state.items() if not name.startswith(_OWN)}
