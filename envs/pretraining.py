"""Language-model pretraining as a Gymnasium environment with one learner."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from curriculum_rl import config as configs
from curriculum_rl.envs import actions, observations, rewards
from curriculum_rl.experiment import build
from curriculum_rl.pretraining import Outcome, Pretraining
from curriculum_rl.schema import EnvConfig

Observation = npt.NDArray[np.float32] | dict[str, npt.NDArray[np.float32]]
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
    | divergence | Jensen-Shannon divergence of its corpus's unigrams from the target's, bits |

    | run feature | is |
    | --- | --- |
    | budget_left | share of the budget |
    | score | (score - initial score) / abs(initial score) |
    | score_slope | relative gain of the last segment, percent |
    | learning_rate | last learning rate / its peak |

    ## Reward
    `reward.scale` x gain / abs(initial score): the gain in percent of the initial score. A segment in which a loss was
    not finite or exploded is undone (the learner goes back to the segment's start, its cost stays charged) and pays
    `reward.failure`.

    ## Starting state
    A fresh learner (or the pretrained weights of a `transformers` one). Initial weights, the order of the data, the
    proxy's and the report's windows all derive from the seed. `reset` is lazy: the learner is built at the first step.

    ## Episode end
    Terminated when the budget does not pay for another update; the last segment is cut to fit. Never truncated. The
    terminating step carries `info["final"]`: scores of the final learner on the report split.

    ## Info
    Every step: `gain`, `score`, `loss`, `task_losses` (K,), `mixture` (K,) executed, `share` (K,) so far, `failed`,
    `updates`, `tokens`, `learning_rate`, `budget_left`, `ledger` (tokens and FLOPs by purpose). No wall times: the
    same seed and actions give the same info; seconds stand in `seconds`, an attribute.

    ## Arguments
    config: name of a built-in environment (`curriculum-rl list envs`), path of a YAML file, or its content.
    overrides: values by dotted key, `{"budget.updates": 100}`.
    charge_proxy: False books the proxy as a report, for agents that need no reward.

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
        render_mode: None = None,
    ) -> None:
        self.config = configs.load(config, overrides)
        self.experiment = build(self.config)
        self.run = Pretraining(self.experiment, charge_proxy=charge_proxy)
        self.tasks = tuple(task.name for task in self.experiment.tasks)
        self.action_space = actions.space(self.config.action, len(self.tasks))
        self.observation_space = observations.space(self.config.observation, len(self.tasks))
        self.render_mode = render_mode
        self._observer: observations.Observer | None = None
        self._seed = 0
        self._left_at = time.perf_counter()
        self.outside = 0.0

    @property
    def seconds(self) -> dict[str, float]:
        """Wall seconds of this run so far by clock."""
        return dict(self.run.ledger.seconds)

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
        self._seed = int(self.np_random.integers(2**31))
        self._observer = None
        self._left_at = time.perf_counter()
        features = observations.initial_tasks(self.run), observations.initial_run()
        return observations.observation(self.config.observation, *features), {"tasks": self.tasks, "seed": self._seed}

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Train one segment.

        Raises:
            ValueError: for an action outside the action space.
        """
        self.outside = time.perf_counter() - self._left_at
        picks = actions.picks(action, self.config.action, len(self.tasks))
        if self._observer is None:
            self.run.begin([self._seed])
            self._observer = observations.Observer(self.run)
        outcome = self.run.segment(actions.mixture(picks, self.config.action)[None])
        self._observer.update(outcome, picks[None])
        reward = rewards.reward(outcome, self.run.progress.initial, self.config.reward)
        observed = observations.observation(self.config.observation, self._observer.tasks()[0], self._observer.run()[0])
        terminated = self.run.next_updates() < 1
        info = self._info(outcome)
        if terminated:
            info["final"] = self.run.finish().entries(0, list(self.experiment.heldout))
            info["ledger"] = self.run.ledger.entries()
        self._left_at = time.perf_counter()
        return observed, float(reward[0]), terminated, False, info

    def get_state(self) -> dict[str, Any]:
        """Everything an exact continuation needs, between any two steps."""
        return {
            "seed": self._seed,
            "np_random": self.np_random.bit_generator.state,
            "run": None if self._observer is None else self.run.state(),
            "observer": None if self._observer is None else self._observer.state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned."""
        self._seed = state["seed"]
        self.np_random.bit_generator.state = state["np_random"]
        self._observer = None
        if state["run"] is not None:
            self.run.load_state(state["run"])
            self._observer = observations.Observer(self.run)
            self._observer.load_state(state["observer"])

    def _info(self, outcome: Outcome) -> dict[str, Any]:
        progress = self.run.progress
        drawn = progress.counters[0]
        return {
            "gain": float(outcome.gain[0]),
            "score": float(outcome.score[0]),
            "loss": float(outcome.loss[0]),
            "task_losses": outcome.task_losses[0].copy(),
            "mixture": outcome.mixture[0].copy(),
            "share": drawn / drawn.sum(),
            "failed": bool(outcome.failed[0]),
            "updates": progress.updates,
            "tokens": self.run.tokens,
            "learning_rate": outcome.learning_rate,
            "budget_left": 1 - self.run.spent,
            "ledger": self.run.ledger.entries(),
        }
