"""RegMix: many runs on random mixtures, a regression from mixture to score, and then the mixture it likes best."""

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, StoredMixture, known
from curriculum_rl.agents.rule import Floats, State, check
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError

Terms = Literal["linear", "sqrt", "squared"]


@dataclass(frozen=True)
class RegMix(StoredMixture):
    """Until `runs` runs have ended, each trains on one random static mixture; later ones on what a fit likes best.

    The fit is a ridge regression of the sum of a run's gains on its shares; of `candidates` random mixtures the mean of
    those `best` by the fit is taken.

    The S rows of the memory are proxies of one fit: each draws mixtures of its own, and what they found is fitted
    together. Runs that are under way when the last one ends finish on their mixture and are not counted.

    Mixtures are drawn as in the released code: Dirichlet with a mean and a strength, the strength one of 15 values
    from .1 to 5, evenly spaced in its logarithm; shares below 2e-4 become 0. Our reading: the mean is even (there it is
    the corpora's sizes to the power .5), no mixture is refused for repeating a corpus too often, and the regression
    is linear in the shares and, by `terms`, their roots or squares (there LightGBM, and a linear one for comparison;
    64 runs are few for trees). A linear fit can only like corners.

    Source:
        Liu et al. (2024), RegMix: data mixture as regression for language model pre-training, arXiv 2407.01492, with
        512 proxy runs; github.com/sail-sg/regmix, mixture_config/synthesize_mixture.py and regression_fitting (the
        mean of the best 128 of 100,000 candidates, drawn with strength 1).

    Attributes:
        runs: proxy runs before the fit, at least 2.
        terms: "linear", "sqrt" or "squared": what the regression has beside the shares.
        penalty: of the ridge, in mean variances of a feature, > 0.
        candidates: mixtures that are scored by the fit, at least 1.
        best: of them are averaged, at least 1.
        draw_seed: of all drawn mixtures.
    """

    signals: ClassVar[tuple[str, ...]] = ()
    across_runs: ClassVar[bool] = True
    runs: int = 64
    terms: Terms = "sqrt"
    penalty: float = 0.01
    candidates: int = 20_000
    best: int = 25
    draw_seed: int = 0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("runs", self.runs, least=2)
        check("penalty", self.penalty, above=0)
        check("candidates", self.candidates, least=1)
        check("best", self.best, least=1)
        check("draw_seed", self.draw_seed)
        if self.terms not in get_args(Terms):
            raise ConfigError(f"terms: {self.terms!r} must be one of {', '.join(get_args(Terms))}")

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
        features = self._features(mixtures)
        centred = features - features.mean(axis=0)
        ridge = self.penalty * len(centred) * max(float(centred.var(axis=0).mean()), 1e-12)
        # As many unknowns as runs, not as features: there may be more of these.
        dual = np.linalg.solve(centred @ centred.T + ridge * np.eye(len(centred)), scores / largest)
        predicted = self._features(candidates) @ (centred.T @ dual)
        liked: Floats = candidates[np.argsort(-predicted)[: int(self.best)]].mean(axis=0)
        liked /= liked.sum()
        return liked

    def _features(self, mixtures: Floats) -> Floats:
        """(R, K) shares -> (R, K or 2 K)."""
        if self.terms == "linear":
            return mixtures
        return np.concatenate([mixtures, np.sqrt(mixtures) if self.terms == "sqrt" else mixtures**2], axis=1)
