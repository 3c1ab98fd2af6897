"""Agents that do not learn: fixed picks, static mixtures, schedules, mixtures of what the env tells of its tasks."""
