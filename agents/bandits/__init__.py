"""Bandit rules: pure arithmetic on arrays, one file per rule, and the agents that the shared shell makes of them."""
