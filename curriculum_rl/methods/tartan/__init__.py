"""End-task aware training (TARTAN): auxiliary texts and the end-task in the same updates, weights fixed or learned."""

from curriculum_rl.methods.tartan.rows import Labelled, Problem, encoded, noise_like
from curriculum_rl.methods.tartan.run import run_arm
from curriculum_rl.methods.tartan.settings import ARMS, END, Arm, Settings
from curriculum_rl.methods.tartan.weights import ByRule, Even, Meta, Weigher

__all__ = [
    "ARMS",
    "END",
    "Arm",
    "ByRule",
    "Even",
    "Labelled",
    "Meta",
    "Problem",
    "Settings",
    "Weigher",
    "encoded",
    "noise_like",
    "run_arm",
]
