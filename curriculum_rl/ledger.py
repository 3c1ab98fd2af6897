"""Where every token, FLOP and second of a run is charged, by purpose."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, get_args

Purpose = Literal["train", "proxy", "signal", "lookahead", "agent", "report"]
"""What a cost was for. `report` (scores for people) is recorded and never charged to the budget."""

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
Clock = Literal["train", "data", "proxy", "signal", "lookahead", "agent", "logging", "report"]
"""What seconds are booked under: the purposes, with batch making and recording apart."""


Entries = dict[str, dict[str, float]]
"""Tokens and FLOPs by purpose."""


@dataclass
class Ledger:
    """Tokens and FLOPs (deterministic) and seconds (not) of one pretraining run.

    Attributes:
        tokens: learner tokens by purpose.
        flops: floating-point operations by purpose.
        seconds: wall seconds by clock; they never enter `info`, a budget or a reproducible row.
    """

    tokens: dict[Purpose, int] = field(default_factory=lambda: dict.fromkeys(PURPOSES, 0))
    flops: dict[Purpose, float] = field(default_factory=lambda: dict.fromkeys(PURPOSES, 0.0))
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(get_args(Clock), 0.0))

    def charge(self, purpose: Purpose, *, tokens: int, flops: float) -> None:
        """Book a cost under a purpose."""
        self.tokens[purpose] += tokens
        self.flops[purpose] += flops

    @contextmanager
    def timed(self, clock: Clock) -> Iterator[None]:
        """Book the wall seconds of a block."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[clock] += time.perf_counter() - start

    @property
    def charged(self) -> float:
        """FLOPs that count against the budget: every purpose but `report`."""
        return sum(flops for purpose, flops in self.flops.items() if purpose != "report")

    def entries(self) -> Entries:
        """Tokens and FLOPs of every purpose that cost something, JSON-able and without seconds."""
        return {p: {"tokens": self.tokens[p], "flops": self.flops[p]} for p in PURPOSES if self.flops[p]}
