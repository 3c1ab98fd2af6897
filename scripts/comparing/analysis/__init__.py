"""What a comparison says: rows read, scores paired by seed, tests, verdicts."""
