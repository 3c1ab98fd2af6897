"""RegMix: many runs on random mixtures, a law from mixture to score, and then the mixture that scores best by it."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, StoredMixture, known
from curriculum_rl.agents.rule import Floats, State, check
from curriculum_rl.draws import key
from curriculum_rl.mixtures.interval import LEVEL
from curriculum_rl.mixtures.law import Kind, MixtureLaw, check_law


@dataclass(frozen=True)
class RegMix(StoredMixture):
    """Until `runs` runs have ended, each trains on one random static mixture; later ones on what a law likes best.

    The law is fitted to the shares of the runs and the sums of their gains; of `candidates` random mixtures the mean of
    those `best` by it is taken. Where that is far from all runs (`curriculum_rl.mixtures.law.MixtureLaw.far`) a warning
    says so, with the gain that the law predicts and its interval.

    The S rows of the memory are proxies of one fit: each draws mixtures of its own, and what they found is fitted
    together. Runs that are under way when the last one ends finish on their mixture and are not counted.

    Mixtures are drawn as in the released code: Dirichlet with a mean and a strength, the strength one of 15 values
    from .1 to 5, evenly spaced in its logarithm; shares below 2e-4 become 0. Our reading: the mean is even (there it is
    the corpora's sizes to the power .5), no mixture is refused for repeating a corpus too often, and the default of 64
    runs has smaller leaves than the published 512 (`curriculum_rl.mixtures.trees`).

    Source:
        Liu et al. (2024), RegMix: data mixture as regression for language model pre-training, arXiv 2407.01492, with
        512 proxy runs; github.com/sail-sg/regmix, mixture_config/synthesize_mixture.py and regression_fitting (the
        mean of the best 128 of 100,000 candidates, drawn with strength 1).

    Attributes:
        runs: proxy runs before the fit, at least 24 for trees and 2 for ridge.
        law: "trees", by LightGBM as published (extra `laws`), or "ridge", linear in the shares and their roots.
        candidates: mixtures that are scored by the law, at least 1.
        best: of them are averaged, at least 1.
        draw_seed: of all drawn mixtures.
    """

    signals: ClassVar[tuple[str, ...]] = ()
    across_runs: ClassVar[bool] = True
    runs: int = 64
    law: Kind = "trees"
    candidates: int = 20_000
    best: int = 25
    draw_seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("runs", self.runs, least=2)
        check("candidates", self.candidates, least=1)
        check("best", self.best, least=1)
        check("draw_seed", self.draw_seed)
        check_law(self.law, int(self.runs))

    def start(self, seeds: int, arms: int) -> State:
        """A first random mixture for each row."""
        return {
            "mixture": np.stack([self._drawn(row, 0, arms) for row in range(seeds)]),
            "total": np.zeros(seeds),
            "ended": np.zeros(seeds, np.int64),
            "mixtures": np.zeros((seeds, int(self.runs), arms)),
            "scores": np.zeros((seeds, int(self.runs))),
            "liked": np.zeros((seeds, arms)),
            "fitted": np.zeros(seeds, bool),
        }

    def update(self, state: State, feedback: Feedback) -> None:
        """Add up the gains."""
        state["total"] += known(feedback.gain)

    def next_run(self, state: State, ended: npt.NDArray[np.bool_]) -> None:
        """Record what the ended runs reached; draw their next mixtures, or take the one the fit likes."""
        arms = state["mixture"].shape[1]
        if not state["fitted"].any():
            for row in np.flatnonzero(ended):
                number = state["ended"][row]
                state["mixtures"][row, number] = state["mixture"][row]
                state["scores"][row, number] = state["total"][row]
                state["ended"][row] += 1
                state["mixture"][row] = self._drawn(int(row), int(number) + 1, arms)
            if state["ended"].sum() >= self.runs:
                state["liked"][:] = self._fit(state)
                state["fitted"][:] = True
        state["mixture"][ended & state["fitted"]] = state["liked"][ended & state["fitted"]]
        state["total"][ended] = 0

    def _drawn(self, row: int, number: int, arms: int) -> Floats:
        """(K,) the mixture of a row's run."""
        random = np.random.default_rng(key(int(self.draw_seed), "regmix", row, number))
        strength = random.choice(np.geomspace(0.1, 5.0, 15))
        shares: Floats = random.dirichlet(np.full(arms, strength / arms))
        shares = np.where(shares < min(2e-4, 1 / arms), 0.0, shares)
        shares /= shares.sum()
        return shares

    def _fit(self, state: State) -> Floats:
        """(K,) the mean of the candidates with the highest predicted score; even where all runs scored the same."""
        recorded = np.arange(state["scores"].shape[1]) < state["ended"][:, None]
        mixtures, scores = state["mixtures"][recorded], state["scores"][recorded]
        arms = mixtures.shape[1]
        scores = scores - scores.mean()
        largest = np.abs(scores).max()
        if largest == 0:
            return np.full(arms, 1 / arms)
        random = np.random.default_rng(key(int(self.draw_seed), "regmix candidates"))
        candidates = random.dirichlet(np.full(arms, 1 / arms), int(self.candidates))
        fitted = MixtureLaw(self.law, mixtures, (scores / largest)[:, None])
        predicted = fitted.predict(candidates)[:, 0]
        liked: Floats = candidates[np.argsort(-predicted, kind="stable")[: int(self.best)]].mean(axis=0)
        liked /= liked.sum()
        if fitted.far(liked):
            gain, low, high = largest * np.array([fitted.predict(liked), *fitted.interval(liked)])[:, 0]
            warnings.warn(
                f"regmix: the mixture it likes best (law: {self.law}) is farther from all {len(scores)} runs than they "
                f"are from each other; predicted to gain {gain:.3g} more than their mean, {LEVEL:.0%} interval "
                f"{low:.3g} to {high:.3g}",
                stacklevel=2,
            )
        return liked
