"""What a mixer's rule is: measurements in, a mixture out, for S independent runs at once and without an environment."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rule import Floats, State, greedy, reset_rows, softmax


class Feedback(NamedTuple):
    """What a segment showed of S runs over K tasks.

    Attributes:
        signals: what the rule asked for (`curriculum_rl.signals`), by name, each with a leading dimension S.
        losses: (S, K) training loss of each task's rows in the segment, nats per scored token; NaN without rows.
        mixture: (S, K) executed shares of the segment's rows.
        share: (S, K) share of all rows so far.
        gain: (S,) gain of the proxy's score; 0 where nobody reads it.
        spent: (S,) share of the budget spent, in (0, 1].
        epochs: (S, K) passes over each task's windows so far; None where the env does not say.
    """

    signals: Mapping[str, Floats]
    losses: Floats
    mixture: Floats
    share: Floats
    gain: Floats
    spent: Floats
    epochs: Floats | None = None


class MixerRule(Protocol):
    """Settings in its fields, memory in a dict of arrays whose first dimension is S.

    A rule may also have

    - `needs(state)`, the signals that it still needs; without it: always all of them;
    - `next_run(state, ended)`, which prepares, in place, the memory of the runs `ended` (S,) for a new learner; without
      it they start afresh;
    - `across_runs = True`: it remembers tasks by their number from one run to the next;
    - `every_segment = True`: it is updated after every segment, whether what it needs was measured or not.

    Attributes:
        signals: what it needs measured; it is not updated after segments without a measurement.
    """

    signals: ClassVar[tuple[str, ...]]

    def start(self, seeds: int, arms: int) -> State:
        """The memory of S = `seeds` runs over K = `arms` tasks before anything was seen."""
        ...

    def mixture(self, state: State) -> Floats:
        """(S, K), each row on the simplex: shares of the next segment."""
        ...

    def update(self, state: State, feedback: Feedback) -> None:
        """Learn, in place, from a segment."""
        ...


class StoredMixture:
    """For rules whose mixture stands in their state as it is, under `mixture`."""

    def mixture(self, state: State) -> Floats:
        """(S, K) as the last segment left it."""
        mixture: Floats = state["mixture"].copy()
        return mixture


def next_run(rule: MixerRule, state: State, ended: npt.NDArray[np.bool_], *, arms: int) -> None:
    """Prepare, in place, the memory of the runs `ended` (S,) over K = `arms` tasks: as the rule does, or afresh."""
    own = getattr(rule, "next_run", None)
    if own is None:
        reset_rows(state, rule.start(1, arms), ended)
    else:
        own(state, ended)


def best_or_softmax(gains: Floats, temperature: float) -> Floats:
    """(S, K) gains -> (S, K) even over the best of a row, or softmax(gain / (temperature m)), m the mean of |gain|.

    Args:
        gains: NaN for a branch that exploded: never the best; with a temperature it counts as the least gain.
        temperature: 0 for the best.
    """
    if temperature == 0:
        return greedy(known(gains, -np.inf))
    sure = least_if_missing(gains)
    unit = temperature * np.abs(sure).mean(axis=1, keepdims=True)
    return softmax(np.divide(sure, unit, out=np.zeros_like(sure), where=unit > 0))


def smoothed(mixture: Floats, exploration: Floats | float) -> Floats:
    """(S, K) shares of which `exploration`, a number or (S, 1), is spread evenly."""
    mixed: Floats = (1 - exploration) * mixture + exploration / mixture.shape[1]
    return mixed


def alignments(products: Floats) -> Floats:
    """(S, K+1, K+1) products, the target last -> (S, K) cosines of each task's gradient with the target's.

    Squares are estimates from separate halves of rows and may come out below 0: they are kept above a thousandth of
    the largest.
    """
    squares = np.einsum("sii->si", products)
    squares = np.maximum(squares, 1e-3 * np.abs(squares).max(axis=1, keepdims=True) + 1e-30)
    cosines: Floats = products[:, :-1, -1] / np.sqrt(squares[:, :-1] * squares[:, -1:])
    return np.clip(cosines, -1, 1)


def known(values: Floats, instead: Floats | float = 0.0) -> Floats:
    """Values with `instead` where they are NaN, cut to +-1e30 so that products and sums of them stay finite."""
    found: Floats = np.where(np.isnan(values), instead, np.clip(values, -1e30, 1e30))
    return found


def least_if_missing(gains: Floats) -> Floats:
    """(S, ...) gains; NaN ones, of branches that exploded, become the least known one of their run, and 0 at most."""
    rows = gains.reshape(len(gains), -1)
    least = np.where(np.isnan(rows), 0.0, rows).min(axis=1)
    return known(gains, least.reshape(-1, *[1] * (gains.ndim - 1)))


def move(logits: Floats, steps: Floats) -> None:
    """Add (S, K) steps in place; the highest becomes 0, and none falls below -700, where a double's power ends."""
    logits += steps
    logits -= logits.max(axis=1, keepdims=True)
    np.maximum(logits, -700.0, out=logits)
