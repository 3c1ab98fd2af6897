"""Agents that do not learn: fixed picks, static mixtures, schedules, mixtures of what an env says of its tasks."""
