"""N pretraining runs as one Gymnasium vector environment: their learners train in one batched step."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from curriculum_rl.envs import actions, observations
from curriculum_rl.envs.observations import Observation
from curriculum_rl.envs.replicas import Replicas, Transition, run_seed
from curriculum_rl.envs.shards import Shards
from curriculum_rl.errors import wrong
from curriculum_rl.experiment import build
from curriculum_rl.infos import ResetInfo, plain
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema import load as configs

Actions = npt.NDArray[Any]


class PretrainingVectorEnv(VectorEnv[Observation, Actions, npt.NDArray[Any]]):
    """`PretrainingEnv`, N times at once; see there for actions, observations, rewards and info.

    One `step` makes the k updates of all N learners as one batched program, each on its own task or mixture, and one
    batched reading of the proxy. Replica i under seed s sees exactly what `PretrainingEnv` sees under seed s + i.
    (`transformers` learners are trained one after the other.)

    ## Episode end
    The replicas share one budget, so all end in the same step. Autoreset is SAME_STEP: that step returns the first
    observations of the next runs; the last ones stand in `info["final_obs"]`, the infos (with `final`, the report) in
    `info["final_info"]`. Single replicas cannot be reset.

    ## Arguments
    config, overrides, charge_proxy, downstream: as for `PretrainingEnv`.
    num_envs: N.
    shards: processes that the replicas are divided among, each with one thread; 1 uses no other process. A worker
        imports the main module anew, so a script that asks for shards needs the `if __name__ == "__main__"` guard.

    Raises:
        ConfigError: for what is wrong with the configuration, N < 1, or N not divisible by the shards.
        ShardError: from any call, where a worker died or raised; with its traceback.
    """

    metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.SAME_STEP}  # noqa: RUF012 (Gymnasium's attribute)

    def __init__(
        self,
        config: "str | Path | Mapping[str, Any] | EnvConfig" = "almanac",
        *,
        num_envs: int = 1,
        shards: int = 1,
        overrides: Mapping[str, Any] | None = None,
        charge_proxy: bool = True,
        downstream: bool = True,
        render_mode: None = None,
    ) -> None:
        if num_envs < 1:
            raise wrong("num_envs", num_envs, "at least 1")
        if shards < 1 or num_envs % shards:
            raise wrong("shards", shards, f"a divisor of num_envs, which is {num_envs}")
        self.config = configs.load(config, overrides)
        self.experiment = build(self.config)
        self._replicas: Replicas | Shards
        if shards == 1:
            self._replicas = Replicas(
                self.experiment, replicas=num_envs, charge_proxy=charge_proxy, downstream=downstream
            )
        else:
            self._replicas = Shards(
                self.config, replicas=num_envs, shards=shards, charge_proxy=charge_proxy, downstream=downstream
            )
        self.num_envs = num_envs
        self.tasks = tuple(task.name for task in self.experiment.problem.tasks)
        self.single_action_space = actions.space(self.config.action, len(self.tasks))
        self.single_observation_space = observations.space(self.config.observation, len(self.tasks))
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.render_mode = render_mode
        self._generators = [np_random(None)[0] for _ in range(num_envs)]

    @property
    def seconds(self) -> dict[str, float]:
        """Wall seconds of the present runs so far by clock, all replicas together (shards: of the first)."""
        return self._replicas.seconds

    @property
    def outside(self) -> float:
        """Wall seconds between the last two steps: what the agent and its callbacks took."""
        return self._replicas.outside

    @property
    def budget(self) -> float:
        """FLOPs of one run."""
        return self._replicas.budget

    def request_signals(self, names: Sequence[str]) -> None:
        """Measure these signals of every task after every segment (`curriculum_rl.signals`), paid from the budget.

        Raises:
            ConfigError: for an unknown name, or where the budget does not pay for a single measurement.
        """
        self._replicas.request_signals(names)

    def signal_price(self, names: Sequence[str]) -> float:
        """The share of a run's budget that one measurement of these signals costs.

        Raises:
            ConfigError: for a signal that is unknown, or cannot be measured here.
        """
        return self._replicas.signal_price(names)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin N new runs.

        Args:
            seed: of the generators that the runs' seeds are drawn from: s stands for s, s + 1, ...; None goes on.
            options: none are known.

        Raises:
            ValueError: for another number of seeds, or an option.
        """
        if options:
            raise ValueError(f"options: none are known (got {sorted(options)}); all replicas are reset together")
        observed, infos = self.begin(seed)
        return observed, self._joined([plain(info) for info in infos])

    def step(
        self, actions: Actions
    ) -> tuple[Observation, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], dict[str, Any]]:
        """Train one segment of every replica.

        Raises:
            ValueError: for another number of actions, or one outside the action space.
        """
        done, following = self.advance(actions)
        ended = np.full(self.num_envs, done.terminated)
        infos = [plain(info) for info in done.infos]
        observed = done.observation
        if following is not None:
            observed, fresh = following
            infos = [
                {**plain(info), "final_obs": observations.of_replica(done.observation, n), "final_info": plain(last)}
                for n, (info, last) in enumerate(zip(fresh, done.infos, strict=True))
            ]
        return observed, done.reward, ended, np.zeros(self.num_envs, dtype=np.bool_), self._joined(infos)

    def begin(self, seed: int | Sequence[int | None] | None = None) -> tuple[Observation, list[ResetInfo]]:
        """`reset` with one info per replica."""
        if seed is not None:
            seeds = [seed + n for n in range(self.num_envs)] if isinstance(seed, int) else list(seed)
            if len(seeds) != self.num_envs:
                raise ValueError(f"seed: {len(seeds)} seeds for {self.num_envs} replicas")
            for n, one in enumerate(seeds):
                if one is not None:
                    self._generators[n] = np_random(one)[0]
        return self._replicas.reset([run_seed(generator) for generator in self._generators])

    def advance(self, actions: Actions) -> tuple[Transition, tuple[Observation, list[ResetInfo]] | None]:
        """`step` with one info per replica, and the beginning of the next runs where these ended."""
        if len(actions) != self.num_envs:
            raise ValueError(f"actions: {len(actions)} for {self.num_envs} replicas")
        done = self._replicas.step(np.asarray(actions))
        return done, self.begin() if done.terminated else None

    def get_state(self) -> dict[str, Any]:
        """Everything an exact continuation needs, between any two steps."""
        generators = [generator.bit_generator.state for generator in self._generators]
        return {"generators": generators, "replicas": self._replicas.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned."""
        for generator, kept in zip(self._generators, state["generators"], strict=True):
            generator.bit_generator.state = kept
        self._replicas.set_state(state["replicas"])

    def stratified_rows(self) -> dict[str, int]:
        """Rows of each task that stratified batches read in the whole budget (`pretraining.counting`)."""
        return self._replicas.stratified_rows()

    def save_learner(self, directory: Path) -> None:
        """Write all N learners (see `curriculum_rl.learners.load_learner`); each shard's into a folder of its own."""
        self._replicas.save_learner(directory)

    def close_extras(self, **kwargs: Any) -> None:
        """End the workers."""
        self._replicas.close()

    def _joined(self, infos: list[dict[str, Any]]) -> dict[str, Any]:
        joined: dict[str, Any] = {}
        for n, info in enumerate(infos):
            joined = self._add_info(joined, info, n)
        return joined
