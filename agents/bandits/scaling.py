"""From gains to rewards: gains fall for everybody, so a bandit is paid how much better than lately a segment was."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, State
from curriculum_rl.errors import ConfigError

_ABSURD = 1e100  # its square must stay finite


@dataclass(frozen=True)
class GainScaling:
    """reward = clip((gain - moving average of gain) / running scale), prequential: a gain never meets itself.

    Both averages are exponential with the same `window`; the first few gains are averaged evenly. Without the
    moving average whatever was tried first would look best, because the first segments of any run gain most.
    The scale is the root mean square of (gain - average), so a reward of 1 is one standard deviation.

    Attributes:
        window: segments that the averages look back over, >= 1.
        clip: rewards lie in [-clip, clip], > 0; a failed segment is paid -clip and leaves the averages alone.
    """

    window: float = 12.0
    clip: float = 2.5

    def __post_init__(self) -> None:
        """Check the settings."""
        if not self.window >= 1:
            raise ConfigError(f"reward_window: {self.window} must be at least 1 segment")
        if not self.clip > 0:
            raise ConfigError(f"reward_clip: {self.clip} must be above 0")

    def start(self, seeds: int) -> State:
        """Averages of S = `seeds` runs before any gain."""
        return {"count": np.zeros(seeds), "mean": np.zeros(seeds), "square": np.zeros(seeds)}

    def scale(self, state: State, gains: Floats, failed: npt.NDArray[np.bool_]) -> Floats:
        """(S,) gains -> (S,) rewards in [-clip, clip]; the averages move on in place.

        A run's first gain is paid 0: there is nothing to compare it with.
        """
        failed = failed | ~(np.abs(gains) < _ABSURD)  # not a number counts, too
        if failed.any():
            kept = {name: values.copy() for name, values in state.items()}
            rewards = self._advance(state, np.where(failed, 0.0, gains))
            for name, values in kept.items():
                state[name][failed] = values[failed]
            return np.where(failed, -self.clip, rewards)
        return self._advance(state, gains)

    def _advance(self, state: State, gains: Floats) -> Floats:
        count, mean, square = state["count"], state["mean"], state["square"]
        count += 1
        deviation = np.where(count > 1, gains - mean, 0.0)
        mean += np.where(count > 1, deviation, gains) / np.minimum(count, self.window)
        square += (deviation * deviation - square) / np.minimum(np.maximum(count - 1, 1), self.window)
        spread = np.sqrt(square)
        rewards = np.divide(deviation, spread, out=np.zeros_like(deviation), where=spread > 0)
        return np.clip(rewards, -self.clip, self.clip)
