"""An agent of your own: a bandit's rule is enough, the shell around it is `curriculum_rl`'s. Takes 3 s of one CPU.

Named `module:Class`, it plays wherever an agent is named; modules of the current folder are found:
`cd examples; curriculum-rl train --agent own_agent:LastReward --set agent.temperature=2`.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import numpy as np
from own_corpora import write_environment

from curriculum_rl import agents
from curriculum_rl.agents.rule import Floats, Ints, State, check, mean_of_plays, softmax


@dataclass(frozen=True)
class LastReward:
    """Play each task in proportion to e^(its last reward / temperature); 0, an average reward, before its first play.

    Memory is a dict of arrays whose first dimension is S: one rule plays S runs side by side.

    Attributes:
        temperature: an option of the agent, > 0: the higher, the more even.
    """

    temperature: float = 0.5

    def __post_init__(self) -> None:
        """Check the settings."""
        check("temperature", self.temperature, above=0)

    def start(self, seeds: int, arms: int) -> State:
        """Nothing was played."""
        return {"last": np.zeros((seeds, arms))}

    def probabilities(self, state: State) -> Floats:
        """(S, K), each row sums to 1."""
        return softmax(state["last"] / self.temperature)

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Remember the rewards of (S, M) plays, in place; the mean, where a task was played more than once."""
        plays, means = mean_of_plays(arms, rewards, state["last"].shape[1])
        np.copyto(state["last"], means, where=plays > 0)


def main(out: Path) -> None:
    """Let it play most of one pretraining run, and print what it would do next."""
    env = gymnasium.make("curriculum_rl.envs:CurriculumRL/Pretraining-v0", config=write_environment(out))
    agent = agents.make("own_agent:LastReward", env, seed=0, temperature=0.5)
    agent.learn(total_timesteps=30)
    observation, info = env.reset()
    for task, probability in zip(info["tasks"], agent.probabilities(observation)[0], strict=True):
        print(f"{task} is played with probability {probability:.2f}")


if __name__ == "__main__":
    main(Path(tempfile.mkdtemp()))
