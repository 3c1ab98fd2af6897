"""What `benchmarks/survival.py` and `tests/survival` share: commands that are killed, damaged and fed strange files."""
