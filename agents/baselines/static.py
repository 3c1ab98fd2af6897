"""Mixtures that were settled before the run: one that never changes, and a schedule that another run has left."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.baselines.fixed import Baseline
from curriculum_rl.agents.rule import Floats, Ints, State
from curriculum_rl.errors import ConfigError
from curriculum_rl.recording.rows import read_rows
from curriculum_rl.recording.schedules import read_schedule


@dataclass(frozen=True)
class Shares:
    """The same mixture for ever.

    Attributes:
        shares: K numbers >= 0, not all 0, in any unit; None: all tasks alike.
    """

    shares: Sequence[float] | None = None

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ConfigError: where they are no shares.
        """
        if self.shares is None:
            return
        numbers = not isinstance(self.shares, str) and isinstance(self.shares, Sequence)
        if not numbers or not all(_is_share(share) for share in self.shares) or not sum(self.shares) > 0:
            raise ConfigError(f"shares: {self.shares!r} must be numbers of at least 0, and not all 0")

    def start(self, seeds: int, arms: int) -> State:
        """The mixture.

        Raises:
            ConfigError: where it is for another number of tasks.
        """
        shares = np.ones(arms) if self.shares is None else np.array(self.shares, np.float64)
        if len(shares) != arms:
            raise ConfigError(f"shares: {len(shares)} numbers for {arms} tasks")
        return {"shares": np.tile(shares / shares.sum(), (seeds, 1))}

    def probabilities(self, state: State) -> Floats:
        """(S, K) shares."""
        return state["shares"].copy()

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """Learn nothing."""


@dataclass(frozen=True)
class Timetable:
    """The mixtures of a schedule, each when its part of the budget has come.

    Attributes:
        path: a `schedule.json` or `segments.jsonl` (of which the last episode counts); None: all tasks alike. The file
            is read again when a saved agent is loaded.
        shuffle: key of a permutation of the schedule's pieces; None: in their order.
    """

    path: str | None = None
    shuffle: int | None = None

    def start(self, seeds: int, arms: int) -> State:
        """The schedule, at its beginning.

        Raises:
            ConfigError: where the file is missing or no schedule of K tasks, or the key is no number of at least 0.
        """
        if self.shuffle is not None and (not isinstance(self.shuffle, int) or self.shuffle < 0):
            raise ConfigError(f"shuffle: {self.shuffle!r} must be a whole number of at least 0")
        lengths, mixtures = (np.ones(1), np.full((1, arms), 1 / arms)) if self.path is None else _read(str(self.path))
        if mixtures.shape[1] != arms:
            raise ConfigError(f"path: {self.path} is a schedule of {mixtures.shape[1]} tasks, not of {arms}")
        if self.shuffle is not None:
            order = np.random.default_rng(self.shuffle).permutation(len(lengths))
            lengths, mixtures = lengths[order], mixtures[order]
        ends = lengths.cumsum() / lengths.sum()
        return {
            "spent": np.zeros(seeds),
            "ends": np.tile(ends, (seeds, 1)),
            "mixtures": np.tile(mixtures, (seeds, 1, 1)),
        }

    def probabilities(self, state: State) -> Floats:
        """(S, K) the mixture of the piece that the run is in."""
        last = state["ends"].shape[1] - 1
        piece = np.minimum((state["ends"] <= state["spent"][:, None] + 1e-9).sum(axis=1), last)
        now: Floats = state["mixtures"][np.arange(len(piece)), piece]
        return now

    def update(self, state: State, arms: Ints, rewards: Floats, probabilities: Floats) -> None:
        """One piece has passed; an env whose infos hold the budget left corrects this."""
        state["spent"] += 1 / state["ends"].shape[1]


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _read(path: str) -> tuple[Floats, Floats]:
    """(P,) lengths and (P, K) mixtures of the pieces of a schedule."""
    if Path(path).suffix != ".jsonl":
        pieces = read_schedule(path).pieces
        lengths = np.array([piece.end_fraction - piece.start_fraction for piece in pieces])
        return lengths, np.array([list(piece.mixture.values()) for piece in pieces])
    rows = [row for row in read_rows(path) if row["replica"] == 0]
    last = [row for row in rows if row["episode"] == max(row["episode"] for row in rows)]
    if not last:
        raise ConfigError(f"path: {path} holds no segment")
    before = max((row["tokens"] for row in rows if row["episode"] < last[0]["episode"]), default=0)
    lengths = np.diff([before, *(row["tokens"] for row in last)]).astype(np.float64)
    return lengths, np.array([row["mixture"] for row in last])


class Mixing(Baseline):
    """A baseline that plays its rule's probabilities as a mixture, all tasks in every batch."""

    mixes = True
    wrappers = None


class Mixture(Mixing):
    """A static mixture."""

    rule_class = Shares


class Timed(Mixing):
    """A mixture that depends on the share of the budget that is spent, which its rule's state has as `spent`."""

    def _learn_from(self, actions: npt.NDArray[Any], rewards: npt.NDArray[Any], infos: list[dict[str, Any]]) -> None:
        super()._learn_from(actions, rewards, infos)
        self._memory.set_state("spent", np.array([1 - info.get("budget_left", math.nan) for info in infos]))


class Schedule(Timed):
    """A schedule that another run has left, replayed without looking: by share of the budget, not by segment."""

    rule_class = Timetable
