"""The vector environment in stable-baselines3's form."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices, VecEnvObs, VecEnvStepReturn

from curriculum_rl.envs import observations
from curriculum_rl.envs.vector import PretrainingVectorEnv
from curriculum_rl.infos import plain
from curriculum_rl.schema import EnvConfig


class PretrainingVecEnv(VecEnv):
    """A stable-baselines3 `VecEnv` around a `PretrainingVectorEnv`.

    Attributes and methods of the replicas are those of the vector environment, which holds them all: `get_attr`
    repeats its attribute, `env_method` calls once and repeats the answer, `set_attr` sets once.

    Args:
        vector: what is wrapped.
    """

    def __init__(self, vector: PretrainingVectorEnv) -> None:
        self.vector = vector
        super().__init__(vector.num_envs, vector.single_observation_space, vector.single_action_space)
        self._actions: npt.NDArray[Any] | None = None

    def reset(self) -> VecEnvObs:
        """Begin N new runs, under the seeds of the last call of `seed`."""
        if self._options[0]:
            raise ValueError(f"options: none are known (got {sorted(self._options[0])})")
        observed, infos = self.vector.begin(self._seeds)
        self.reset_infos = [plain(info) for info in infos]
        self._reset_seeds()
        self._reset_options()
        return observed

    def step_async(self, actions: npt.NDArray[Any]) -> None:
        """Take the actions."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Train one segment of every replica."""
        assert self._actions is not None  # SB3 calls step_async first
        done, following = self.vector.advance(self._actions)
        observed, infos = done.observation, [plain(info) for info in done.infos]
        if following is not None:
            for n, info in enumerate(infos):
                info["terminal_observation"] = observations.of_replica(observed, n)
                info["TimeLimit.truncated"] = False
            observed, begun = following
            self.reset_infos = [plain(info) for info in begun]
        dones = np.full(self.num_envs, done.terminated)
        return observed, done.reward.astype(np.float32), dones, infos

    def close(self) -> None:
        """End the workers."""
        self.vector.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The vector environment's attribute, once per replica asked for."""
        value = getattr(self.vector, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set the vector environment's attribute."""
        setattr(self.vector, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call the vector environment's method once; its answer, once per replica asked for."""
        value = getattr(self.vector, method_name)(*method_args, **method_kwargs)
        return [value for _ in self._get_indices(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gymnasium.Wrapper[Any, Any, Any, Any]], indices: Any = None
    ) -> list[bool]:
        """No replica has a wrapper of its own."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[Any]:
        """Nothing is drawn."""
        return [None] * self.num_envs


def make_sb3_vec_env(
    config: "str | Path | Mapping[str, Any] | EnvConfig" = "almanac",
    *,
    num_envs: int = 1,
    shards: int = 1,
    seed: int | None = None,
    **options: Any,
) -> PretrainingVecEnv:
    """N replicas of an environment in stable-baselines3's form.

    `PPO("MlpPolicy", make_sb3_vec_env("almanac-small", num_envs=32)).learn(100_000)`

    Args:
        config: name, path or content of an environment.
        num_envs: N.
        shards: processes that they are divided among.
        seed: of the first reset.
        options: what else `PretrainingVectorEnv` takes.
    """
    env = PretrainingVecEnv(PretrainingVectorEnv(config, num_envs=num_envs, shards=shards, **options))
    if seed is not None:
        env.seed(seed)
    return env
