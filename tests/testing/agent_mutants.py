"""Agents that are sound but for one thing: the property that finds it, the agent, and what the finding says."""

from typing import ClassVar

import numpy as np

from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.shell.loop import Shell
from curriculum_rl.errors import ConfigError


class Sound(Shell):
    rule_class = Exp3S

    @property
    def weights(self):
        return self._memory._state["log_weights"]


class DrawsFromTheClock(Sound):
    def _of_memory(self, replicas):
        return super()._of_memory(replicas) | {"entropy": int(np.random.SeedSequence().generate_state(1)[0])}


class HasOneSeed(Sound):
    def _of_memory(self, replicas):
        return super()._of_memory(replicas) | {"entropy": 0}


class KeepsItsDraws(Sound):
    def set_random_seed(self, seed=None):
        super().set_random_seed(0)


class RunsOn(Sound):
    draws: ClassVar = iter(range(10**9))

    def set_random_seed(self, seed=None):
        super().set_random_seed(next(self.draws))


class SaysLess(Sound):
    def probabilities(self, observation):
        return 0.9 * super().probabilities(observation)


class SaysItForOne(Sound):
    def _decide(self, count, **how):
        probabilities, actions = super()._decide(count, **how)
        return probabilities[:1], actions


class CountsDecisions(Sound):
    def learn(self, *args, **kwargs):
        super().learn(*args, **kwargs)
        self.num_timesteps //= self.env.num_envs  # type: ignore[union-attr]
        return self


class HandsOutItsMemory(Sound):
    def predict(self, *args, **kwargs):
        return super().predict(*args, **kwargs)[0], (self.weights,)


class LearnsFromQuestions(Sound):
    def predict(self, *args, **kwargs):
        self.weights[:, 0] -= 0.1
        return super().predict(*args, **kwargs)


class EndsInNothing(Sound):
    def observe(self, actions, rewards, dones, infos):
        super().observe(actions, rewards, dones, infos)
        if dones.any():
            self.weights[:] = np.nan


class LoadsAFreshOne(Sound):
    @classmethod
    def load(cls, *args, **options):
        agent = super().load(*args, **options)
        agent.reset_memory()
        return agent


class ForgetsTheCount(Sound):
    @classmethod
    def load(cls, *args, **options):
        agent = super().load(*args, **options)
        agent.num_timesteps = 0
        return agent


class TakesAnyTasks(Sound):
    @classmethod
    def load(cls, path, *_, **options):
        return super().load(path, **{name: value for name, value in options.items() if name != "env"})


class GoesOn(Sound):
    def _step(self, callback, interval):
        super()._step(callback, interval)
        return True


class SwallowsCtrlC(Sound):
    def learn(self, *args, **kwargs):
        try:
            return super().learn(*args, **kwargs)
        except KeyboardInterrupt:
            return self


class BelievesAnything(Sound):
    def _learn_from(self, actions, rewards, infos):
        super()._learn_from(actions, rewards, infos)
        self.weights[:] += 0 * infos[0]["gain"]


class RefusesAtLength(Sound):
    def _check_space(self):
        super()._check_space()
        if self.arms == 2:
            raise ConfigError("action_space: only two tasks\nthat is not enough")


AGENTS = [
    ("test_same_seed_same_rows", "agent_mutants:DrawsFromTheClock", "differ under one seed"),
    ("test_other_seed_other_draws", "agent_mutants:HasOneSeed", "two seeds must give two sequences of actions"),
    ("test_a_seed_begins_new_draws", "agent_mutants:KeepsItsDraws", "two seeds must give two sequences of draws"),
    ("test_a_seed_begins_new_draws", "agent_mutants:RunsOn", "one seed must give the same draws"),
    ("test_probabilities_stay_probabilities", "agent_mutants:SaysLess", "rows must sum to 1"),
    (
        "test_replicas_and_observations_of_parts",
        "agent_mutants:SaysItForOne",
        r"must be \(N, K\) = \(3, 5\), not \(1, 5\)",
    ),
    (
        "test_replicas_and_observations_of_parts",
        "agent_mutants:CountsDecisions",
        "num_timesteps counts the steps of all replicas",
    ),
    ("test_one_observation_gives_one_action", "agent_mutants:HandsOutItsMemory", "keeps its memory itself"),
    ("test_predicting_learns_nothing", "agent_mutants:LearnsFromQuestions", "must learn nothing"),
    ("test_an_episode_outside_learn", "agent_mutants:EndsInNothing", "finite and at least 0"),
    ("test_saved_and_loaded_it_goes_on", "agent_mutants:LoadsAFreshOne", "what was learned must be saved"),
    ("test_saved_and_loaded_it_goes_on", "agent_mutants:ForgetsTheCount", "num_timesteps must be saved"),
    ("test_a_file_about_other_tasks_is_refused", "agent_mutants:TakesAnyTasks", "DID NOT RAISE"),
    (
        "test_a_callback_stops_it_and_learning_goes_on",
        "agent_mutants:GoesOn",
        "a callback that returns False ends the call",
    ),
    ("test_ctrl_c_leaves_a_whole_agent", "agent_mutants:SwallowsCtrlC", "DID NOT RAISE"),
    ("test_absurd_gains_poison_nothing", "agent_mutants:BelievesAnything", "finite and at least 0"),
    ("test_cart_pole_is_played_or_refused", "agent_mutants:RefusesAtLength", "must be one line"),
]
