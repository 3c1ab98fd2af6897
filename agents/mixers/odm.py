"""ODM: a bandit over domains whose reward is a domain's training loss, as the paper writes it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.mixers.rule import Feedback, known, smoothed
from curriculum_rl.agents.rule import Floats, State, check, softmax


@dataclass(frozen=True)
class ODM:
    """R_i <- a R_i + (1 - a) L_i / pi_i of the tasks that had rows, and a softmax of R.

    pi_t(i) = (1 - K eps_t) softmax(eps_(t-1) R)_i + eps_t, eps_t = min(1/K, sqrt(ln K / (K t))).

    The temperature eps_(t-1) falls while R is a bounded moving average, so the mixture returns to the even one: that
    is the formula, and `odm-released` is the rule that was run. The mixture is even until t > K ln K, which covers the
    paper's warm-up. Our reading: t counts segments, and pi_i is the executed share of the segment's rows.

    Source:
        Albalak et al. (2023), Efficient online data mixing for language model pre-training, arXiv 2312.02406,
        algorithm 1; smoothing .9 is the default of its released code, .5 that of its 1B script.

    Attributes:
        smoothing: a, what is kept of the moving average, in [0, 1).
    """

    signals: ClassVar[tuple[str, ...]] = ()
    smoothing: float = 0.9

    def __post_init__(self) -> None:
        """Check the settings."""
        check("smoothing", self.smoothing, least=0, most=1 - 1e-9)

    def start(self, seeds: int, arms: int) -> State:
        """No rewards."""
        return {"rewards": np.zeros((seeds, arms)), "time": np.zeros(seeds)}

    def mixture(self, state: State) -> Floats:
        """(S, K) mixed softmax."""
        rewards, time = state["rewards"], state["time"]
        arms = rewards.shape[1]
        temperature = explored(time, arms) / arms
        return smoothed(softmax(temperature * rewards), explored(time + 1, arms))

    def update(self, state: State, feedback: Feedback) -> None:
        """Move the averages of the tasks that had rows."""
        seen = np.isfinite(feedback.losses) & (feedback.mixture > 0)
        paid = known(feedback.losses) / np.where(seen, np.maximum(feedback.mixture, 1e-9), 1.0)
        average(state["rewards"], paid, seen, self.smoothing)
        state["time"] += 1


def explored(time: Floats, arms: int) -> Floats:
    """(S,) times -> (S, 1) K eps_t, the share of even play."""
    share: Floats = np.minimum(1.0, np.sqrt(arms * np.log(arms) / np.maximum(time, 1e-9)))
    return share[:, None]


def average(averages: Floats, values: Floats, seen: npt.NDArray[np.bool_], smoothing: float) -> None:
    """Move (S, K) averages, in place, towards the values where they were seen."""
    averages += (1 - smoothing) * np.where(seen, values - averages, 0.0)
