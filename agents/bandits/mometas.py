"""MOMETAS' task selection: a softmax over logits that REINFORCE with an entropy bonus moves."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.rule import Floats, Ints, State, add_plays, check


@dataclass(frozen=True)
class Mometas:
    """Logits z; after a rollout: z += step * (sum_a R (1[a] - p) + entropy * dH(p) / dz).

    H is the entropy of p, and dH / dz_i = -p_i (log p_i + H). A rollout is one decision here: its plays are the M
    replicas' (their mean, so that time moves by one whatever M is), each with the reward of its own segment. The
    paper's is 100 steps that share one reward, the sum over tasks of the relative fall of their held-out losses. There
    is no baseline beyond the shell's detrending.

    Source:
        Wu et al. (2022), arXiv 2210.10293, and its released run_pretraining.py: step .1, entropy 2, plain gradient
        steps.

    Attributes:
        step: the learning rate of the logits, > 0.
        entropy: the weight of the entropy bonus, >= 0.
    """

    step: float = 0.1
    entropy: float = 2.0

    def __post_init__(self) -> None:
        """Check the settings."""
        check("step", self.step, above=0)
        check("entropy", self.entropy, least=0)

    def start(self, seeds: int, arms: int) -> State:
        """Even logits."""
        return {"logits": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) softmax of the logits."""
        chances = np.exp(state["logits"])  # no overflow: `update` leaves no logit above 0
        chances /= chances.sum(axis=1, keepdims=True)
        return chances

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """One gradient step."""
        logits = state["logits"]
        plays = arms.size // len(arms)
        chances = np.exp(logits)
        total = chances.sum(axis=1, keepdims=True)
        chances /= total
        logs = logits - np.log(total)
        paid = rewards.reshape(len(arms), -1).sum(axis=1, keepdims=True) / plays
        paid -= self.entropy * (chances * logs).sum(axis=1, keepdims=True)
        chances *= -self.step * (paid + self.entropy * logs)
        add_plays(chances, arms, self.step / plays * rewards)
        logits += chances
        logits -= logits.max(axis=1, keepdims=True)
