"""What a person types: one file per command, joined by `main`."""
