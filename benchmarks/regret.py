"""Play bandit rules on problems with known answers: regret as a share of uniform play's, many seeds at once."""

import math
from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.bandits.contextual import ContextualRule
from curriculum_rl.agents.bandits.d_ucb import DiscountedUCB
from curriculum_rl.agents.bandits.exp3 import Exp3
from curriculum_rl.agents.bandits.exp3_ix import Exp3IX
from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.bandits.sw_ucb import SlidingWindowUCB
from curriculum_rl.agents.bandits.thompson import DiscountedThompson
from curriculum_rl.agents.rule import Floats, Ints, Rewards, Rule, State, draw
from curriculum_rl.agents.shell.scaling import GainScaling
from curriculum_rl.envs.closed_form.problems import Bernoulli, Problem


@dataclass(frozen=True)
class Certificate:
    """What a rule lost on S copies of a problem.

    Attributes:
        regret: (S,) pseudo-regret of the rule: what its probabilities, not its picks, lost to the best arm.
        uniform: (S,) of uniform play.
    """

    regret: Floats
    uniform: Floats

    @property
    def percent(self) -> float:
        """Regret in % of uniform's, over all copies."""
        return 100 * float(self.regret.sum() / self.uniform.sum())


def play(
    rule: Rule, problem: Problem, *, seeds: int = 20, seed: int = 0, scaling: GainScaling | None = None
) -> Certificate:
    """Play a rule on S = `seeds` copies of a problem, one play a step.

    Args:
        rule: what plays.
        problem: what it plays on. Where its rewards are gains the rule is paid what an agent's shell would pay it
            (`GainScaling`, mapped to [0, 1] where the rule asks for that); rewards of 0 or 1 go straight in.
        seeds: copies, each with draws of its own.
        seed: of all draws; the same one gives every rule the same copies.
        scaling: of gains; None: the shell's default.
    """
    scaling = scaling or GainScaling()
    random = np.random.default_rng([seed, problem.arms, problem.horizon])
    table = problem.values(seeds, random)
    kind: Rewards = getattr(rule, "rewards", "scaled")
    state, averages, rows = rule.start(seeds, problem.arms), scaling.start(seeds), np.arange(seeds)
    regret, uniform = np.zeros(seeds), np.zeros(seeds)
    for step, values in enumerate(table):
        probabilities = rule.probabilities(state)
        arms = draw(probabilities, random.random(seeds))
        best = values.max(axis=1)
        regret += best - (probabilities * values).sum(axis=1)
        uniform += best - values.mean(axis=1)
        rewards = problem.pay(step, values[rows, arms], random)
        if problem.scaled:
            rewards = scaling.pay(kind, averages, rewards)
        rule.update(state, arms[:, None], rewards[:, None], probabilities[:, None])
    return Certificate(regret, uniform)


def tuned(problem: Bernoulli) -> dict[str, Rule]:
    """Rules as theory would set them where T and the number of switches are known, by the agent's name.

    Source:
        Auer et al. (2002), corollary 3.2 (EXP3) and corollary 8.2 (EXP3.S with alpha = 1 / T; its hardness is the
        number of switches plus 1, and Auer's shared e alpha / K per weight is our `sharing` / (K - 1)); Neu (2015),
        theorem 1; Garivier & Moulines (2011): window 2 sqrt(T ln T / switches), discount 1 - sqrt(switches / T) / 4,
        xi 1/2. Thompson takes their discount, and .5 as the noise of a coin.
    """
    arms, horizon, switches = problem.arms, problem.horizon, max(problem.switches, 1)
    single = math.sqrt(arms * math.log(arms) / ((math.e - 1) * horizon))
    hardness = (problem.switches + 1) * math.log(arms * horizon) + math.e
    several = math.sqrt(arms * hardness / ((math.e - 1) * horizon))
    window = 2 * math.sqrt(horizon * math.log(horizon) / switches)
    discount = 1 - math.sqrt(switches / horizon) / 4
    sharing = math.e / horizon * (arms - 1) / arms
    return {
        "exp3": Exp3(exploration=min(1.0, single)),
        "exp3-ix": Exp3IX(step=math.sqrt(2 * math.log(arms) / (arms * horizon))),
        "exp3s": Exp3S(step=several / arms, exploration=min(1.0, several), sharing=sharing, implicit=0.0),
        "sw-ucb": SlidingWindowUCB(window=window / arms, width=math.sqrt(0.5)),
        "d-ucb": DiscountedUCB(discount=discount, width=0.5),
        "d-ts": DiscountedThompson(discount=discount, prior_plays=1.0, noise=0.5),
    }


@dataclass(frozen=True)
class Numbered:
    """A contextual rule where a task's only feature is its number, one-hot: what is left of it without features.

    Attributes:
        rule: the contextual rule.
    """

    rule: ContextualRule

    def start(self, seeds: int, arms: int) -> State:
        """The rule's memory, with K features."""
        return {**self.rule.start(seeds, arms), "numbers": np.broadcast_to(np.eye(arms), (seeds, 1, arms, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K)."""
        return self.rule.probabilities(state, state["numbers"])[:, 0]

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn from the plays' numbers."""
        self.rule.update(state, np.eye(state["numbers"].shape[2])[arms], rewards)
