"""Pretraining as if reinforcement learning did not exist: corpora, tasks, learners, proxies, ledger, runs."""
