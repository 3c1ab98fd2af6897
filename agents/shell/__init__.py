"""What makes a stable-baselines3 algorithm of a rule: the loop, its memory, wrappers, files, spaces."""
