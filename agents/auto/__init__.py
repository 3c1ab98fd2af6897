"""The default agent: the env's prior, and what may be put on top of it."""
