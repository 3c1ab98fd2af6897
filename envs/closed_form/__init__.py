"""Environments without a language model, whose law answers in microseconds: planted and surrogate problems."""

from curriculum_rl.envs.closed_form.env import ClosedFormEnv

__all__ = ["ClosedFormEnv"]
