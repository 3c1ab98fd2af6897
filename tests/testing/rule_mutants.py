"""Rules that are sound but for one thing: the property that finds it, the rule, and what the finding says."""

import itertools

import numpy as np

from curriculum_rl.agents.bandits.exp3s import Exp3S
from curriculum_rl.agents.mixers.hedge import Hedge


class Unnormalised(Exp3S):
    def probabilities(self, state):
        return 0.9 * super().probabilities(state)


class ReplacesArrays(Exp3S):
    def update(self, state, *played):
        super().update(state, *played)
        state["time"] = state["time"].copy()


class Overflows(Exp3S):
    def update(self, state, arms, rewards, probabilities):
        super().update(state, arms, rewards, probabilities)
        state["time"][np.abs(rewards).reshape(len(rewards), -1).max(axis=1) > 1e5] = np.inf


class RemembersObjects(Exp3S):
    def start(self, seeds, arms):
        return super().start(seeds, arms) | {"history": np.full(seeds, None)}


class CountsQuestions(Exp3S):
    def probabilities(self, state):
        state["time"] += 1
        return super().probabilities(state)


class ReturnsItsMemory(Exp3S):
    def start(self, seeds, arms):
        return super().start(seeds, arms) | {"last": np.zeros((seeds, arms))}

    def update(self, state, *played):
        super().update(state, *played)
        state["last"][:] = super().probabilities(state)

    def probabilities(self, state):
        return state["last"] if state["last"].any() else super().probabilities(state)


class ComparesRuns(Exp3S):
    def update(self, state, arms, rewards, probabilities):
        super().update(state, arms, rewards - rewards.mean(axis=0), probabilities)


class WantsTheAxis(Exp3S):
    def update(self, state, arms, rewards, probabilities):
        super().update(state, arms, rewards if rewards.ndim == 2 else 2 * rewards, probabilities)


class RemembersItself(Exp3S):
    updates = itertools.count(1)

    def update(self, state, arms, rewards, probabilities):
        super().update(state, arms, rewards / next(self.updates), probabilities)


RULES = [
    ("test_probabilities_stay_probabilities", Unnormalised(), "every row must sum to 1"),
    ("test_probabilities_stay_probabilities", ReplacesArrays(), r"state\['time'\] must be changed in place"),
    ("test_probabilities_stay_probabilities", Overflows(), r"state\['time'\] is not finite"),
    ("test_probabilities_stay_probabilities", RemembersObjects(), r"state\['history'\] must hold numbers"),
    ("test_asking_changes_nothing", CountsQuestions(), "must leave the memory as it is: state.'time'"),
    ("test_asking_changes_nothing", ReturnsItsMemory(), "the same memory must give the same probabilities"),
    ("test_a_run_does_not_depend_on_its_neighbours", ComparesRuns(), "row 1 of three runs"),
    ("test_one_play_needs_no_axis", WantsTheAxis(), r"\(S, 1\) and as \(S,\) must teach the same"),
    ("test_all_memory_is_in_the_state", RemembersItself(), "in the state alone"),
]


class Negative(Hedge):
    def mixture(self, state):
        mixture = super().mixture(state)
        return mixture + 2 * (mixture.mean(axis=1, keepdims=True) - mixture)


class NeedsEveryNumber(Hedge):
    def update(self, state, feedback):
        super().update(state, feedback)
        state["weight"] += 0 * feedback.losses.sum(axis=1)


class AsksAndLearns(Hedge):
    def mixture(self, state):
        state["weight"] += 1
        return super().mixture(state)


class ScalesByAll(Hedge):
    def _scaled(self, state, rewards):
        return super()._scaled(state, rewards) / (1 + np.abs(rewards).mean())


class LearnsLess(Hedge):
    updates = itertools.count(1)

    def _scaled(self, state, rewards):
        return super()._scaled(state, rewards) / next(self.updates)


class NeverForgets(Hedge):
    def next_run(self, state, ended):
        pass


class ForgetsAll(Hedge):
    def next_run(self, state, ended):
        for name, values in self.start(len(ended), state["logits"].shape[1]).items():
            state[name][:] = values


class AsksForTheMoon(Hedge):
    signals = ("moon",)


MIXER_RULES = [
    ("test_mixtures_stay_mixtures", Negative(), "must be finite and at least 0"),
    ("test_mixtures_stay_mixtures", NeedsEveryNumber(), r"state\['weight'\] is not finite"),
    ("test_asking_changes_nothing", AsksAndLearns(), "must leave the memory as it is: state.'weight'"),
    ("test_a_run_does_not_depend_on_its_neighbours", ScalesByAll(), "row 1 of three runs"),
    ("test_all_memory_is_in_the_state", LearnsLess(), "in the state alone"),
    ("test_a_run_begins_anew", NeverForgets(), "must say `across_runs`"),
    ("test_a_run_begins_anew", ForgetsAll(), "must outlive the end of another"),
    ("test_its_signals_can_be_measured", AsksForTheMoon(), "moon"),
]
