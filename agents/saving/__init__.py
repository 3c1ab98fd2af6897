"""Saved agents: one format for all, which holds values and arrays and nothing that could run."""
