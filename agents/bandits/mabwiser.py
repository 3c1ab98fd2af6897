"""MABWiser's stationary policies as a rule: an independent implementation beside ours, at a hundred times the price."""

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, Rewards, State, add_plays, check, greedy
from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.errors import ConfigError

POLICIES = ("ucb1", "epsilon-greedy", "softmax", "thompson", "popularity")


@dataclass(frozen=True)
class Mabwiser:
    """A policy of the library MABWiser (fidelity/mabwiser), fitted afresh to the plays so far at every decision.

    The library gives a task, not probabilities. Those of `ucb1` and `epsilon-greedy` follow from its expectations; of
    `softmax`, `thompson` and `popularity` they are the shares of `draws` of its own picks under one seed, from which
    the pick that is played is then drawn. (Its softmax is no softmax: it plays the largest of a Dirichlet draw.) A task
    never played goes first; the library itself would expect 0 of it. `thompson` counts rewards above 1/2 as successes.

    Source:
        Strong, Kleynhans & Kadioglu (2019), MABWiser: a parallelizable contextual multi-armed bandit library.

    Attributes:
        learning_policy: "ucb1", "epsilon-greedy", "softmax", "thompson" or "popularity".
        alpha: of ucb1, the width of the confidence limit, >= 0.
        epsilon: of epsilon-greedy, the share of uniform play, in [0, 1].
        tau: of softmax, the temperature, > 0.
        draws: picks that a probability is estimated from, >= 1.
    """

    rewards: ClassVar[Rewards] = "unit"

    learning_policy: str = "ucb1"
    alpha: float = 1.0
    epsilon: float = 0.1
    tau: float = 1.0
    draws: int = 100

    def __post_init__(self) -> None:
        """Check the settings and that the library is there."""
        if self.learning_policy not in POLICIES:
            raise ConfigError(f"policy: {self.learning_policy!r} must be one of {', '.join(POLICIES)}")
        check("alpha", self.alpha, least=0)
        check("epsilon", self.epsilon, least=0, most=1)
        check("tau", self.tau, above=0)
        check("draws", self.draws, least=1, whole=True)
        _library()

    def start(self, seeds: int, arms: int) -> State:
        """Nothing played."""
        return {"counts": np.zeros((seeds, arms), np.int64), "sums": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K), one run after the other."""
        rows = [self._row(counts, sums) for counts, sums in zip(state["counts"], state["sums"], strict=True)]
        return np.stack(rows)

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Count the plays."""
        add_plays(state["counts"], arms, 1)
        add_plays(
            state["sums"], arms, (rewards > 0.5).astype(np.float64) if self.learning_policy == "thompson" else rewards
        )

    def _row(self, counts: Ints, sums: Floats) -> Floats:
        """(K,) probabilities of one run."""
        if (counts == 0).any():
            return np.asarray(greedy((counts == 0).astype(np.float64)[None])[0])
        fitted = self.fitted(counts, sums)
        tasks = range(len(counts))
        if self.learning_policy in {"ucb1", "epsilon-greedy"}:
            expected = fitted.predict_expectations()
            share = self.epsilon if self.learning_policy == "epsilon-greedy" else 0.0
            return np.asarray(greedy(np.array([[expected[task] for task in tasks]]), share)[0])
        picks = [fitted.predict() for _ in range(int(self.draws))]
        shares: Floats = np.bincount(picks, minlength=len(counts)) / len(picks)
        return shares

    def fitted(self, counts: Ints, sums: Floats) -> Any:
        """The library's own object after (K,) plays of each task whose rewards have these (K,) sums."""
        library = _library()
        policies = {
            "ucb1": lambda kinds: kinds.UCB1(alpha=self.alpha),
            "epsilon-greedy": lambda kinds: kinds.EpsilonGreedy(epsilon=0),
            "softmax": lambda kinds: kinds.Softmax(tau=self.tau),
            "thompson": lambda kinds: kinds.ThompsonSampling(),
            "popularity": lambda kinds: kinds.Popularity(),
        }
        fitted: Any = library.MAB(
            list(range(len(counts))), policies[self.learning_policy](library.LearningPolicy), seed=0
        )
        if self.learning_policy == "thompson":
            won = np.repeat(np.tile([1, 0], len(counts)), np.stack([sums, counts - sums], axis=1).ravel().astype(int))
        else:
            won = np.repeat(sums / np.maximum(counts, 1), counts)
        fitted.fit(decisions=np.repeat(np.arange(len(counts)), counts), rewards=won)
        return fitted


class MabwiserAgent(Shell):
    """MABWiser's policies as an agent, chosen by its option `policy`."""

    rule_class = Mabwiser

    def __init__(self, policy: Any = "ShellPolicy", env: Any = None, **settings: Any) -> None:
        """As `Shell`; a `policy` of the library's takes the place of stable-baselines3's word for a network."""
        if policy != "ShellPolicy":
            settings["learning_policy"] = policy
        super().__init__("ShellPolicy", env, **settings)

    @classmethod
    def options(cls) -> tuple[str, ...]:
        """The names of the settings that `make` takes."""
        return tuple("policy" if name == "learning_policy" else name for name in super().options())


def _library() -> Any:
    """The module `mabwiser.mab`.

    Raises:
        ConfigError: where it is not installed.
    """
    try:
        return importlib.import_module("mabwiser.mab")
    except ModuleNotFoundError as error:
        raise ConfigError("agent: mabwiser is not installed; pip install 'curriculum-rl[mabwiser]'") from error
