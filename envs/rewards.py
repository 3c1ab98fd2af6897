"""What the agent is paid for a segment."""

import numpy as np
import numpy.typing as npt

from curriculum_rl.pretraining import Outcome
from curriculum_rl.schema import RewardConfig

Floats = npt.NDArray[np.float64]


def reward(outcome: Outcome, initial: Floats, config: RewardConfig) -> Floats:
    """(N,) scale x gain / |initial score|; the failure penalty for a segment that was undone.

    With the default scale of 100 a reward is the gain in percent of the initial score. It is the same deterministic
    function for every replica and every segment; whoever wants it standardised does so in the agent.
    """
    return np.where(outcome.failed, config.failure, config.scale * outcome.gain / np.abs(initial))
