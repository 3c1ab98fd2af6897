"""Agents whose mixture follows from what the env says of its tasks when a run begins."""

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.baselines.static import Mixing
from curriculum_rl.agents.rule import Floats
from curriculum_rl.errors import ConfigError


class FromReset(Mixing):
    """A mixture made of (K,) numbers that stand in the info of a reset, and in the rule's state under the same name.

    An env that says nothing at all when it is reset leaves the state as the rule starts it.

    Attributes:
        figure: the name.
        absent: what is wrong where all numbers are 0.
    """

    figure: ClassVar[str]
    absent: ClassVar[str]

    def _decide(self, count: int, *, deterministic: bool = False) -> tuple[Floats, npt.NDArray[Any]]:
        self._read_reset()
        return super()._decide(count, deterministic=deterministic)

    def _read_reset(self) -> None:
        """Read the infos of the last reset.

        Raises:
            ConfigError: where the env says something of its tasks and not this, or that there is none.
        """
        infos = self.env.unwrapped.reset_infos if self.env is not None else []
        if not any(infos):
            return
        if not all(self.figure in info for info in infos):
            raise ConfigError(
                f"env: {type(self).__name__} needs {self.figure} of every task, and the env does not say it"
            )
        numbers = [np.asarray(info[self.figure], np.float64) for info in infos]
        if not all(one.any() for one in numbers):
            raise ConfigError(self.absent)
        # The agent's i-th task is the env's task order[i].
        seen = [one[info["order"]] if "order" in info else one for one, info in zip(numbers, infos, strict=True)]
        self._memory.set_state(self.figure, np.stack(seen))
