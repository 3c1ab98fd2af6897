"""Pretraining as if reinforcement learning did not exist: corpora, tasks, learners, proxies, ledger, runs."""

import sys

from curriculum_rl.moved import MovedModules

__version__ = "0.1.0"  # the one place: setuptools reads this line without importing it (pyproject.toml)

sys.meta_path.append(MovedModules)
