"""From gains to rewards: gains fall for everybody, so a bandit is paid how much better than lately a segment was."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.agents.rule import Floats, State
from curriculum_rl.errors import ConfigError

_ABSURD = 1e100  # its square must stay finite
_TINY = 1e-200  # so that 0 / 0 is 0


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

    def scale(self, state: State, gains: Floats) -> Floats:
        """(S,) gains -> (S,) rewards in [-clip, clip]; the averages move on in place.

        A gain that is no number stands for a failed segment: it is paid -clip and leaves the averages alone. A run's
        first gain is paid 0: there is nothing to compare it with.
        """
        failed = ~(np.abs(gains) < _ABSURD)
        if not failed.any():
            return self._advance(state, gains)
        kept = {name: values.copy() for name, values in state.items()}
        rewards = self._advance(state, np.where(failed, 0.0, gains))
        for name, values in kept.items():
            state[name][failed] = values[failed]
        rewards[failed] = -self.clip
        return rewards

    def _advance(self, state: State, gains: Floats) -> Floats:
        count, mean, square = state["count"], state["mean"], state["square"]
        first = count == 0
        if first.any():
            mean[first] = gains[first]
        deviation = gains - mean
        square += (deviation * deviation - square) / np.minimum(np.maximum(count, 1), self.window)
        count += 1
        mean += deviation / np.minimum(count, self.window)
        rewards = deviation / (np.sqrt(square) + _TINY)
        return np.minimum(np.maximum(rewards, -self.clip), self.clip)  # np.clip takes five times as long
