"""Data mixers: rules that set the mixture of the next segment from what was measured of every task."""
