"""Language-model pretraining as a Gymnasium environment with one learner."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from curriculum_rl.envs import actions, observations
from curriculum_rl.envs.observations import Observation
from curriculum_rl.envs.replicas import Replicas, run_seed
from curriculum_rl.experiment import build
from curriculum_rl.infos import plain
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.schema import EnvConfig
from curriculum_rl.schema import load as configs

Action = npt.NDArray[Any] | int


class PretrainingEnv(gymnasium.Env[Observation, Action]):
    """Choose what a language model is pretrained on next; be paid by the gain of a downstream proxy.

    ## Description
    A learner is trained segment by segment until a budget of FLOPs is spent. Before every segment the agent picks a
    task (corpus x objective) or a mixture of all K tasks; the learner then makes `segment.updates` updates. The reward
    is the gain of the proxy, by default minus the loss on 32 fixed held-out windows of the target. The proxy is paid
    from the same budget, so measuring more means training less.

    ## Action space
    `action.kind: task`: `Discrete(K)`, the next task. A share `action.emphasis` of the segment's rows is the pick's,
    the rest is stratified over all tasks: batches of one task only handicap any schedule.
    `action.kind: mixture`: `Box(-1, 1, (K,))`, task i gets a share proportional to a_i + 1 (all zero is stratified).

    `action.permute: true` numbers the tasks anew in every episode: what stands at position i of an action or of an
    observation belongs to task `info["order"][i]`; everything in `info` stands in the order of `info["tasks"]`.

    ## Observation space
    `observation: flat`: one float32 Box, the task features (K x F, row by row) and then the run features.
    `observation: dict`: the same as `{"tasks": (K * F,), "run": (G,)}`. All are finite, clipped to [-5, 5].

    | task feature | is |
    | --- | --- |
    | loss | last training loss of the task / ln(vocabulary) |
    | slope | change of that loss since it was last seen, nats |
    | share | share of all rows so far |
    | staleness | log10(1 + segments since the last pick) |
    | gain | relative gain when last picked, percent |
    | repetitions | ln(1 + passes over its corpus) |
    | divergence | of its corpus's unigrams from the target's: `target.divergence`, by default Jensen-Shannon in bits |
    | prior | ln(K x its share under `target.prior`); 0 where there is no prior |

    | run feature | is |
    | --- | --- |
    | budget_left | share of the budget |
    | score | (score - initial score) / abs(initial score) |
    | score_slope | relative gain of the last segment, percent |
    | learning_rate | last learning rate / its peak |

    ## Reward
    `reward.scale` x gain / abs(initial score): the gain in percent of the initial score. A segment in which a loss was
    not finite or exploded is undone (the learner goes back to the segment's start, its cost stays charged) and pays
    `reward.failure`. `reward.baseline: stratified` takes away what stratified batches gain in the same segment.

    ## Starting state
    A fresh learner (or the pretrained weights of a `transformers` one). Initial weights, the order of the data, the
    proxy's and the report's windows all derive from the seed. `reset` is lazy: the learner is built at the first step.

    ## Episode end
    Terminated when the budget does not pay for another update; the last segment is cut to fit. Never truncated. The
    terminating step carries `info["final"]`: scores of the final learner on the report split.

    ## Info
    `reset`: `tasks`, `seed`; (K,) each: `divergence` of a task's text from the target's, bits, `prior`
    (shares from the texts alone, where `target.prior` is not none), `corpus_tokens`, `target_objective` (1: the
    target's own), `target_signal` (1: trains on its signal split). Every step: `gain`, `score`, `loss`,
    `task_losses` (K,), `mixture` (K,) executed, `share` (K,) of rows so far, `epochs` (K,) passes over each task's
    windows, `failed`, `updates`, `tokens`, `learning_rate`, `budget_left`, `ledger` (tokens and FLOPs by
    purpose); under method `priming` `inner_drop`, nats that the inner steps take off the loss of rows that they did not
    read; `signals`, by name, where `request_signals` asked for them and the budget paid for them. With
    `action.permute` also `order` (K,): the agent's i-th task is `tasks[order[i]]`; everything in `info` is in the order
    of `tasks`. No wall times: the same seed and actions give the same info; seconds stand in `seconds`, an attribute.

    ## Arguments
    config: name of a built-in environment (`curriculum-rl list envs`), path of a YAML file, or its content.
    overrides: values by dotted key, `{"budget.updates": 100}`.
    charge_proxy: False books the proxy as a report, for agents that need no reward.
    downstream: False leaves the few-shot fine-tune out of `info["final"]`, for agents that train over many runs.

    ## Version history
    v0: first version.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own attribute)

    def __init__(
        self,
        config: "str | Path | Mapping[str, Any] | EnvConfig" = "almanac",
        *,
        overrides: Mapping[str, Any] | None = None,
        charge_proxy: bool = True,
        downstream: bool = True,
        render_mode: None = None,
    ) -> None:
        self.config = configs.load(config, overrides)
        self.experiment = build(self.config)
        self._replicas = Replicas(self.experiment, charge_proxy=charge_proxy, downstream=downstream)
        self.tasks = self._replicas.tasks
        self.action_space = actions.space(self.config.action, len(self.tasks))
        self.observation_space = observations.space(self.config.observation, len(self.tasks))
        self.render_mode = render_mode

    @property
    def run(self) -> Pretraining:
        """The pretraining run: its learner, budget and ledger."""
        return self._replicas.run

    @property
    def seconds(self) -> dict[str, float]:
        """Wall seconds of this run so far by clock."""
        return self._replicas.seconds

    @property
    def outside(self) -> float:
        """Wall seconds between the last two steps: what the agent and its callbacks took."""
        return self._replicas.outside

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
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin a new run; the learner itself is built at the first step.

        Args:
            seed: of the env's generator, from which the run's own seed is drawn.
            options: none are known.
        """
        super().reset(seed=seed, options=options)
        if options:
            raise ValueError(f"options: none are known (got {sorted(options)})")
        observed, infos = self._replicas.reset([run_seed(self.np_random)])
        return observations.of_replica(observed, 0), plain(infos[0])

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Train one segment.

        Raises:
            ValueError: for an action outside the action space.
        """
        done = self._replicas.step(np.asarray(action)[None])
        observed = observations.of_replica(done.observation, 0)
        return observed, float(done.reward[0]), done.terminated, False, plain(done.infos[0])

    def get_state(self) -> dict[str, Any]:
        """Everything an exact continuation needs, between any two steps."""
        return {"np_random": self.np_random.bit_generator.state, "replicas": self._replicas.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned."""
        self.np_random.bit_generator.state = state["np_random"]
        self._replicas.set_state(state["replicas"])
