"""The mixture of the default agent: the prior to a power, tilted by evidence where asked, then the target's own text.

Shape letters: S runs, K tasks.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.auto import evidence, finish
from curriculum_rl.agents.mixers.rule import Feedback
from curriculum_rl.agents.rule import Floats, State, check
from curriculum_rl.agents.shell.wrapping import sharpened
from curriculum_rl.errors import wrong


@dataclass(frozen=True)
class PriorMixture:
    """Shares in proportion to prior^a, a linear in the share of the budget spent, from `prior` to `prior_last`.

    The prior is the env's; where it says none, it is even over the tasks of the target's own objective, or over all
    tasks where that is not said either. With `measure` log shares are moved by at most .7 by what gradients say
    (`curriculum_rl.agents.auto.evidence`), and a measurement is made only where its expected gain is above its price.
    Where a task trains on the target's signal split, the last part of the budget is played on that.

    Source:
        ours; the prior: `curriculum_rl.priors.em`.

    Attributes:
        prior: exponent of the env's prior at the beginning, > 0.
        prior_last: exponent at the end, > 0; None: it stays.
        measure: whether to measure `adam_products` where that is expected to pay.
        finish: share of the budget that is played on the target's signal split at the end, in [0, 1]; None: a fifth
            where `target.train` gives such a task, else 0. No more than 15 passes over it are played.
    """

    signals: ClassVar[tuple[str, ...]] = ()
    every_segment: ClassVar[bool] = True
    prior: float = 1.0
    prior_last: float | None = None
    measure: bool = False
    finish: float | None = None

    def __post_init__(self) -> None:
        """Check the settings."""
        check("prior", self.prior, above=0)
        if self.prior_last is not None:
            check("prior_last", self.prior_last, above=0)
        if not isinstance(self.measure, bool):
            raise wrong("measure", self.measure, "true or false")
        if self.finish is not None:
            check("finish", self.finish, least=0, most=1)

    @property
    def is_prior(self) -> bool:
        """Whether nothing but the prior as it is can be played before the finish."""
        return not self.measure and self.prior == 1 and self.prior_last in (None, 1)

    @property
    def last(self) -> float:
        """The share of the budget that the finish gets."""
        return finish.LAST if self.finish is None else self.finish

    def needs(self, state: State) -> tuple[str, ...]:
        """The gradients, where one more measurement is expected to pay in most of the runs: they measure together."""
        if not self.measure:
            return ()
        useful = ~(state["dropped"] | finish.ends(state, self.last))
        pays = evidence.pays(state, self._untilted(state), state["spent"], state["price"])
        return (evidence.SIGNAL,) if 2 * (pays & useful).sum() > len(pays) else ()

    def start(self, seeds: int, arms: int) -> State:
        """Even shares, until a prior is told."""
        return {
            "prior": np.full((seeds, arms), 1 / arms),
            "spent": np.zeros(seeds),
            "price": np.full(seeds, np.inf),
            "dropped": np.zeros(seeds, bool),
            **evidence.start(seeds, arms),
            **finish.start(seeds, arms),
        }

    def mixture(self, state: State) -> Floats:
        """(S, K) shares of the next segment."""
        shares = self._before_finish(state)
        ending = finish.ends(state, self.last)[:, None]
        mixed: Floats = np.where(ending, state["target_signal"], shares)
        return mixed

    def differs(self, state: State) -> npt.NDArray[np.bool_]:
        """(S,) whether the next segment is neither of the finish nor the prior as it is."""
        plain = _normalised(sharpened(state["prior"], 1.0))
        apart: npt.NDArray[np.bool_] = np.abs(self._before_finish(state) - plain).max(axis=1) > 1e-12
        return apart & ~finish.ends(state, self.last)

    def update(self, state: State, feedback: Feedback) -> None:
        """Note what is spent and read, and what was measured."""
        began = finish.ends(state, self.last) & (state["begun"] == 1)
        np.copyto(state["begun"], state["spent"], where=began)
        if evidence.SIGNAL in feedback.signals and self.measure:
            evidence.note(state, feedback.signals[evidence.SIGNAL], self._untilted(state))
        state["before"][...] = state["spent"]
        np.copyto(state["spent"], feedback.spent, where=~np.isnan(feedback.spent))
        if feedback.epochs is not None:
            state["epochs"][...] = feedback.epochs

    def _untilted(self, state: State) -> Floats:
        """(S, K) the prior to the power whose turn it is; after an alarm as it is."""
        last = self.prior if self.prior_last is None else self.prior_last
        exponent = self.prior + (last - self.prior) * state["spent"]
        return _normalised(sharpened(state["prior"], np.where(state["dropped"], 1.0, exponent)[:, None]))

    def _before_finish(self, state: State) -> Floats:
        """(S, K) the same with evidence."""
        shares = self._untilted(state)
        if not self.measure:
            return shares
        moved = np.where(state["dropped"][:, None], 0.0, evidence.tilt(state, shares))
        return _normalised(shares * np.exp(moved))


def _normalised(weights: Floats) -> Floats:
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares
