"""Pretraining as if reinforcement learning did not exist: corpora, tasks, learners, proxies, ledger, runs."""

import sys

from curriculum_rl.moved import MovedModules

sys.meta_path.append(MovedModules)
