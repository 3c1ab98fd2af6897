"""AC-ODM: an actor-critic whose state and reward come from the learner's losses and gradients, its actor stepped."""

from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.agents.rl.choosing import EQUIVARIANT
from curriculum_rl.agents.rl.options import COMMON
from curriculum_rl.agents.rl.replay import REPLAY
from curriculum_rl.agents.rl.td3 import TD3
from curriculum_rl.agents.shell import signals, spaces
from curriculum_rl.observation import RUN_FEATURES, TASK_FEATURES

Floats = npt.NDArray[np.float64]

# What the paper's state has of an observation.
TASK_COLUMNS = tuple(TASK_FEATURES.index(name) for name in ("loss", "slope", "share"))
RUN_COLUMNS = (RUN_FEATURES.index("budget_left"),)

# TD3 without its additions.
_DDPG = MappingProxyType({"policy_delay": 1, "target_policy_noise": 0.0, "target_noise_clip": 0.0})


class ACODM(TD3):
    """Actor-critic online data mixing: DDPG on mixtures, blind to the target, trained over many runs and then used.

    As in the paper: each task's reward is the inner product of its gradient with the sum of the others'; the state is
    samples drawn, time, losses and their differences; one deterministic actor and one critic without TD3's additions
    (policy_delay 1, one critic, no target noise), gamma .95, tau .001, a buffer of 10,000, batches of 32, learning rate
    1e-4, one gradient step per decision, a warm-up of 2 % (655 segments: theirs of 32,768).

    What differs, because the released code contradicts it or our sources do not tell:

    - The actor is stepped. In the released code only the critic's optimizer is, with the actor's gradients in it.
    - The critic is a number, and so is the reward: sum_i p_i r_i, the first-order fall of the other tasks' losses under
      the mixture p. The code z-scores the K rewards, so that the mean which its actor climbs is 0 by construction. Here
      r_i = W_i / ((K - 1) mean_j |g_j|^2), W_i = <g_i, sum_(j != i) g_j>: no unit, not centred, clipped to [-3, 3].
    - r is a moving average with `smoothing` .5 (that of the ODM script it grew from; our sources do not have its own).
      Its division by the share P_i is left out: it corrects for tasks that are seen rarely, and here all are measured.
    - Norms of weights and of their updates are not in the state: observations have none.
    - All parameters but what the env's signal leaves out give the gradients; the code takes three matrices.
    - noise .44: the paper's N(0, .02) on shares of mean 1/22 is .44 of an even share. The warm-up is TD3's.
    - The networks are `EquivariantTD3Policy` (5 layers of 1,024 there), which sees `task_columns` and `run_columns` of
      an observation in two parts. Of any other observation it sees everything.
    - It is trained before it is used, as the paper's proxy mode; a run that uses it measures no gradients.

    An env that measures no signals (a bandit problem, the surrogate) pays its own reward instead.

    Source:
        "AC-ODM" (arXiv:2505.23878) and its released code, as far as notes on both tell.
    """

    known_as = "ac-odm"
    defaults = MappingProxyType(
        {
            **REPLAY,
            "learning_rate": 1e-4,
            "buffer_size": 10_000,
            "learning_starts": 655,
            "batch_size": 32,
            "tau": 0.001,
            "gamma": 0.95,
            "gradient_steps": -1,
            "noise": 0.44,
            "smoothing": 0.5,
            "task_columns": TASK_COLUMNS,
            "run_columns": RUN_COLUMNS,
            **COMMON,
        }
    )

    def _prepare(self, settings: dict[str, Any], policy: Any, env: Any) -> dict[str, Any]:
        self.smoothing = settings.pop("smoothing")
        self._aligned: Floats | None = None
        self._measured = False
        columns = {name: tuple(settings.pop(name)) for name in ("task_columns", "run_columns")}
        reads_sets = policy == EQUIVARIANT or getattr(policy, "any_number_of_tasks", False)
        shape = {"n_critics": 1, **(columns if reads_sets else {})}
        settings["policy_kwargs"] = shape | settings["policy_kwargs"]
        return {**super()._prepare(settings, policy, env), **_DDPG}

    def _setup_learn(self, *args: Any, **kwargs: Any) -> Any:
        self._measured = signals.request(self.env, ("products",))
        return super()._setup_learn(*args, **kwargs)

    def _store_transition(
        self, replay_buffer: Any, buffer_action: Any, new_obs: Any, reward: Any, dones: Any, infos: Any
    ) -> None:
        paid = self._pay(infos, dones) if self._measured else reward
        super()._store_transition(replay_buffer, buffer_action, new_obs, paid, dones, infos)

    def _pay(self, infos: list[dict[str, Any]], dones: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """(N,) sum_i p_i r_i; a segment after which nothing was measured is paid by what was measured last."""
        shape = (len(infos), spaces.arms(self.action_space))
        if self._aligned is None or self._aligned.shape != shape:
            self._aligned = np.full(shape, np.nan)
        paid = np.zeros(len(infos), np.float32)
        for n, info in enumerate(infos):
            if "signals" in info:
                fresh, old = alignments(info["signals"]["products"]), self._aligned[n]
                self._aligned[n] = np.where(np.isnan(old), fresh, self.smoothing * old + (1 - self.smoothing) * fresh)
            paid[n] = np.asarray(info["mixture"]) @ np.nan_to_num(self._aligned[n])
        self._aligned[dones] = np.nan
        return paid


def alignments(products: Floats) -> Floats:
    """(K,) W_i / ((K - 1) mean_j |g_j|^2), clipped to [-3, 3], of (K + 1, K + 1) products, the target's last.

    Not finite products, and gradients whose mean square is not positive, give 0.
    """
    own = np.asarray(products, np.float64)[:-1, :-1]
    count = len(own)
    scale = (count - 1) * np.trace(own) / count
    if not np.isfinite(own).all() or scale <= 0:
        return np.zeros(count)
    aligned: Floats = np.clip((own.sum(axis=1) - np.diag(own)) / scale, -3, 3)
    return aligned
