"""One class of each kind that an environment or a command names by `module:Class`."""
