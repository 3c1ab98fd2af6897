"""Playing one run: recording, progress, resuming, finishing."""
