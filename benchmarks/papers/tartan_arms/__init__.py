"""End-task aware training (TARTAN): auxiliary texts and the end-task in the same updates, weights fixed or learned."""

from tartan_arms.rows import Labelled, Problem, encoded, noise_like
from tartan_arms.run import run_arm
from tartan_arms.settings import ARMS, END, Arm, Settings
from tartan_arms.weights import ByRule, Even, Meta, Weigher

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
