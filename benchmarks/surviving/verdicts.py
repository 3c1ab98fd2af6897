"""What a command that read a strange file may do: come to its end, or say in one line what is wrong."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from surviving.commands import Ended

HANG = 10.0
"""Seconds of CPU above which a command that came to nothing hangs."""
MEMORY = 2048.0
"""MiB that a command may take."""


@dataclass(frozen=True)
class Verdict:
    """How a command took a file.

    Attributes:
        name: "accepted", "refused", or what it must never be: "traceback", "hang", "memory", "ran code",
            "wrote outside", "crash".
        told: what it said last.
        seconds: of CPU.
        peak: MiB.
    """

    name: str
    told: str
    seconds: float
    peak: float

    @property
    def sound(self) -> bool:
        """Whether that is as it should be."""
        return self.name in ("accepted", "refused")


def judge(ended: Ended, place: Path, given: Collection[str]) -> Verdict:
    """Judge a command by how it ended and what is in its working directory.

    Args:
        ended: how it ended.
        place: its working directory.
        given: names of the files that it was given; it may write `run` beside them.
    """
    beside = {path.name for path in place.iterdir()} - {*given, "run"}
    if "ran" in beside:
        name = "ran code"
    elif beside:
        name = "wrote outside"
    elif ended.late or (ended.cpu > HANG and ended.status):
        name = "hang"
    elif ended.peak > MEMORY:
        name = "memory"
    elif "Traceback" in ended.error:
        name = "traceback"
    elif ended.status == 0:
        name = "accepted"
    else:
        name = "refused" if ended.refused and _is_one_line(ended.error) else "crash"
    told = f"{', '.join(sorted(beside))} {ended.last_line}" if beside else ended.last_line
    return Verdict(name, told.strip() or f"status {ended.status}", ended.cpu, ended.peak)


def _is_one_line(error: str) -> bool:
    """Whether the refusal is one line of bounded length; what libraries warn of may stand before it."""
    lines = error.strip().splitlines()
    own = [line for line in lines if line.startswith("curriculum-rl: ")]
    return len(own) == 1 and lines[-1] == own[0] and len(own[0]) < 1000
