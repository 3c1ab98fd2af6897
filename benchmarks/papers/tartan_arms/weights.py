"""Who says how much each task weighs in an update: equal shares, META-TARTAN's logits, or any mixer agent's rule.

Shapes: K tasks, the end-task first.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Weigher(Protocol):
    """Says the weights of the next update and may hear how every task's gradient points.

    Attributes:
        listens: whether it wants cosines, which cost a dev head and a gradient.
    """

    @property
    def listens(self) -> bool: ...  # noqa: D102

    def weights(self) -> Floats:
        """(K,) weights, summing to 1."""
        ...

    def hear(self, cosines: Floats) -> None:
        """Learn from (K,) cosines of each task's gradient with the dev gradient."""
        ...


class Even:
    """MT-TARTAN: 1 / K for every task, the end-task included.

    Source: Dery et al. 2021; `DefaultWeighter` of github.com/ldery/TARTAN.
    """

    listens = False

    def __init__(self, tasks: int) -> None:
        self._tasks = tasks

    def weights(self) -> Floats:
        """All equal."""
        return np.full(self._tasks, 1 / self._tasks)

    def hear(self, cosines: Floats) -> None:
        """Nothing to learn."""


class Meta:
    """META-TARTAN: softmax of logits; a logit grows by rate x cosine, the softmax's Jacobian left out.

    Source: Dery et al. 2021; `MetaWeighter` of github.com/ldery/TARTAN: logits start at 1 / K.
    """

    listens = True

    def __init__(self, tasks: int, *, rate: float) -> None:
        self.logits = np.full(tasks, 1 / tasks)
        self._rate = rate

    def weights(self) -> Floats:
        """The softmax."""
        powers: Floats = np.exp(self.logits - self.logits.max())
        powers /= powers.sum()
        return powers

    def hear(self, cosines: Floats) -> None:
        """A plain step."""
        self.logits = self.logits + self._rate * cosines


class ByRule:
    """Any mixer agent's rule (`curriculum_rl.agents.mixers.rule.MixerRule`) that reads the signal `products`.

    It is told unit gradients whose products are the cosines. What it mixes are weights of losses here, not shares of
    rows.

    Args:
        rule: the rule.
        feedback: the agents' `Feedback`; this room does not know them.
        tasks: K.
    """

    listens = True

    def __init__(self, rule: Any, feedback: Callable[..., Any], tasks: int) -> None:
        self._rule, self._feedback, self._tasks = rule, feedback, tasks
        self._state: Mapping[str, npt.NDArray[Any]] = rule.start(1, tasks)

    def weights(self) -> Floats:
        """The rule's mixture."""
        mixture: Floats = self._rule.mixture(self._state)[0]
        return mixture

    def hear(self, cosines: Floats) -> None:
        """One segment of the rule, of one update."""
        products = np.eye(self._tasks + 1)
        products[:-1, -1] = products[-1, :-1] = cosines
        here, zero = self.weights()[None], np.zeros(1)
        self._rule.update(
            self._state,
            self._feedback(
                signals={"products": products[None]},
                losses=np.full(here.shape, np.nan),
                mixture=here,
                share=here,
                gain=zero,
                spent=zero,
            ),
        )
