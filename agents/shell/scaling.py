"""From gains to rewards: gains fall for everybody, so a bandit is paid how much better than lately a segment was."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, Rewards, State, check

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
        check("reward_window", self.window, least=1)
        check("reward_clip", self.clip, above=0)

    def start(self, seeds: int) -> State:
        """Averages of S = `seeds` runs before any gain."""
        return {"count": np.zeros(seeds), "mean": np.zeros(seeds), "square": np.zeros(seeds)}

    def scale(self, state: State, gains: Floats) -> Floats:
        """(S, M) gains of one decision -> rewards in [-clip, clip] of the same shape; the averages move on in place.

        All M are compared with the averages before them, which then move on by one step with the mean of the M gains
        and of their squared deviations. A gain that is no number stands for a failed segment: it is paid -clip and
        leaves the averages alone. A run's first gains are compared with their own mean: one alone is paid 0.

        Args:
            state: the averages, changed in place.
            gains: (S, M), or (S,) for M = 1.
        """
        if len(state["count"]) == 1:
            return np.array(self._scale_one(state, gains.ravel().tolist())).reshape(gains.shape)
        sound = (np.abs(gains) < _ABSURD).reshape(len(gains), -1)
        whole = {name: values.copy() for name, values in state.items()}
        rewards = self._advance(state, np.where(sound, gains.reshape(sound.shape), 0.0), sound)
        rewards[~sound] = -self.clip
        for name, values in whole.items():
            state[name][...] = np.where(sound.any(axis=1), state[name], values)
        return rewards.reshape(gains.shape)

    def pay(self, kind: Rewards, state: State, gains: Floats) -> Floats:
        """(S, M) gains of one decision -> rewards as a rule wants them, of the same shape; the averages move on.

        Args:
            kind: "scaled"; "unit", mapped to [0, 1], an average segment being paid 1/2; or "gain", the gains
                themselves, nan where they are no number.
            state: the averages, changed in place.
            gains: (S, M), or (S,) for M = 1.
        """
        if kind == "gain":
            return np.where(np.abs(gains) < _ABSURD, gains, np.nan)
        rewards = self.scale(state, gains)
        return rewards if kind == "scaled" else rewards * (0.5 / self.clip) + 0.5

    def _advance(self, state: State, gains: Floats, sound: npt.NDArray[np.bool_]) -> Floats:
        """(S, M) rewards of S runs whose gains are all numbers, those that are not sound being 0."""
        count, mean, square = state["count"], state["mean"], state["square"]
        share = sound / np.maximum(sound.sum(axis=1, keepdims=True), 1)
        mean[...] = np.where(count == 0, (gains * share).sum(axis=1), mean)
        deviation = gains - mean[:, None]
        square += ((deviation * deviation * share).sum(axis=1) - square) / np.minimum(np.maximum(count, 1), self.window)
        count += 1
        mean += (deviation * share).sum(axis=1) / np.minimum(count, self.window)
        rewards = deviation / (np.sqrt(square)[:, None] + _TINY)
        return np.minimum(np.maximum(rewards, -self.clip), self.clip)  # np.clip takes five times as long

    def _scale_one(self, state: State, gains: list[float]) -> list[float]:
        """The same for one run, in plain floats: an agent's own path, where NumPy would take seven times as long."""
        count, mean, square = state["count"].item(), state["mean"].item(), state["square"].item()
        sound = [gain for gain in gains if abs(gain) < _ABSURD]
        if not sound:
            return [-self.clip] * len(gains)
        if count == 0:
            mean = sum(sound) / len(sound)
        deviations = [gain - mean for gain in sound]
        square += (sum([d * d for d in deviations]) / len(sound) - square) / min(max(count, 1), self.window)
        state["count"][0], state["square"][0] = count + 1, square
        state["mean"][0] = mean + sum(deviations) / len(sound) / min(count + 1, self.window)
        scale = math.sqrt(square) + _TINY
        most, least = self.clip, -self.clip
        return [min(max((gain - mean) / scale, least), most) if abs(gain) < _ABSURD else least for gain in gains]
