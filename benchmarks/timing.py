"""Paired timing: all sides of a comparison in turn, round after round, so that a slow minute hits all of them.

Importing this asks for one thread per library, so import it before torch. A line is printed for each side:
name, median, smallest and largest time per unit, and how many times the first side's time it takes (the median of the
rounds' ratios). `--json` writes every round, with machine, threads, load average and versions.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

PACKAGES = ("torch", "numpy", "transformers", "datasets", "accelerate", "gymnasium", "stable-baselines3", "mabwiser")
ROUNDS = 7  # the fewest that a figure may rest on
_UNITS = {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1.0}


@dataclass(frozen=True)
class Span:
    """Seconds that some work took.

    Attributes:
        wall: by the clock on the wall.
        cpu: by the clock of this process, which others on the machine do not move.
    """

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "Span":
        """Both clocks."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, begun: "Span") -> "Span":
        """The time from another reading of the clocks to this one."""
        return Span(self.wall - begun.wall, self.cpu - begun.cpu)


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: what is printed.
        run: does `calls` units of the work; returns the time where it measures itself, leaving out its own set-up.
        calls: units in a round; enough for some 50 ms.
        goal: how many times the first side's time this one shall take at least; None: no goal.
    """

    name: str
    run: Callable[[int], Span | None]
    calls: int
    goal: float | None = None


def each(work: Callable[[], object]) -> Callable[[int], None]:
    """`run` for a side whose unit is one call."""

    def run(calls: int) -> None:
        for _ in range(calls):
            work()

    return run


@dataclass
class Report:
    """Collects, prints and writes what was measured.

    Attributes:
        settings: the command line's `--rounds`, `--clock` and `--json`.
        rows: one per side.
        facts: other figures that belong in the file.
    """

    settings: argparse.Namespace
    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    load_before: tuple[float, ...] = field(default_factory=os.getloadavg)

    def __post_init__(self) -> None:
        import torch

        torch.set_num_threads(1)

    def compare(self, group: str, sides: Sequence[Side], *, unit: str = "us") -> dict[str, list[float]]:
        """Time all sides in turn, in the other order every other round, and print a line for each.

        Args:
            group: what is compared, printed above.
            sides: the first is what the others are compared with.
            unit: of the printed times: "ns", "us", "ms" or "s".

        Returns:
            Seconds per unit of work of every round, by side.
        """
        times = self._times(sides)
        print(f"{group}\n  {f'{unit} per unit of work':44s} {'median':>10s} {'min':>10s} {'max':>10s} {'ratio':>8s}")
        first = times[sides[0].name]
        for side in sides:
            seconds = times[side.name]
            ratios = [theirs / own for theirs, own in zip(seconds, first, strict=True)]
            ratio = median(ratios)
            spread = {"median": median(seconds), "min": min(seconds), "max": max(seconds)}
            row = {"group": group, "name": side.name, **spread, "ratio": ratio, "goal": side.goal}
            self.rows.append({**row, "seconds": seconds, "ratios": ratios})
            figures = " ".join(f"{_UNITS[unit] * value:10.2f}" for value in spread.values())
            print(f"  {side.name:44s} {figures} {ratio:8.2f}{_verdict(ratio, side.goal)}", flush=True)
        return times

    def fact(self, name: str, value: float, *, goal: float | None = None, at_most: bool = False) -> None:
        """Print and keep a figure that is no time; `at_most` turns its goal round."""
        self.facts[name] = {"value": value, "goal": goal, "at_most": at_most}
        print(f"  {name:44s} {value:10.3f}{_verdict(value, goal, at_most=at_most)}", flush=True)

    def finish(self) -> None:
        """Write the file that was asked for."""
        load = ", ".join(f"{value:.1f}" for value in (self.load_before[0], os.getloadavg()[0]))
        print(f"{self.settings.rounds} rounds, {self.settings.clock} time, load before and after {load}")
        if self.settings.json is not None:
            content = {"command": sys.argv, "machine": self._machine(), "rows": self.rows, "facts": self.facts}
            self.settings.json.write_text(json.dumps(content, indent=1), encoding="utf-8")

    def _times(self, sides: Sequence[Side]) -> dict[str, list[float]]:
        times: dict[str, list[float]] = {side.name: [] for side in sides}
        for side in sides:
            side.run(1)  # first calls allocate, import and compile
        for number in range(self.settings.rounds):
            for side in sides if number % 2 == 0 else reversed(sides):
                begun = Span.now()
                span = side.run(side.calls) or Span.now().since(begun)
                times[side.name].append(getattr(span, self.settings.clock) / side.calls)
        return times

    def _machine(self) -> dict[str, Any]:
        import torch

        return {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "platform": platform.platform(),
            "threads": torch.get_num_threads(),
            "omp": {name: value for name, value in os.environ.items() if name.startswith("OMP_")},
            "load": {"before": self.load_before, "after": os.getloadavg()},
            "rounds": self.settings.rounds,
            "clock": self.settings.clock,
            "versions": {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES},
        }


def parser(description: str | None) -> argparse.ArgumentParser:
    """A command line with the options that all timed benchmarks share."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int, default=ROUNDS, help="1 only shows that it runs")
    made.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: on a machine that others use, too")
    made.add_argument("--json", type=Path, metavar="FILE")
    return made


def _verdict(value: float, goal: float | None, *, at_most: bool = False) -> str:
    if goal is None:
        return ""
    met = value <= goal if at_most else value >= goal
    return f"  goal {'<=' if at_most else '>='} {goal:g}: {'met' if met else 'MISSED'}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
