"""Playing a comparison: its plan, cells, workers, and the directory that they fill."""
