"""The release gate: the default agent ends above its prior by more than .01 nats on no family that it has not seen.

    python benchmarks/gate.py [--rows benchmarks/results/schedulers.jsonl]

Reads the result rows of `benchmarks/schedulers.py`; runs nothing. Exits with 1 where a report family fails or is not
there.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import scheduler_rows
import scheduler_stages
from scheduler_rows import Results, shared
from scheduler_stages import AGENT, SEEDS, Family

from curriculum_rl.scripts.comparing.analysis import statistics
from curriculum_rl.scripts.comparing.running.contestants import EM_PRIOR

MOST = 0.01  # nats


def verdicts(results: Results, families: Sequence[Family], *, seeds: int = SEEDS) -> list[tuple[bool, str]]:
    """Whether each report family passes, and a line that says why.

    Args:
        results: the rows.
        families: all of them.
        seeds: how many a family needs to count as measured.
    """
    made = []
    for family in families:
        if family.role != "report":
            continue
        mine, theirs = shared(results.losses(family.name, AGENT), results.losses(family.name, EM_PRIOR))
        if len(mine) < seeds:
            made.append((False, f"{family.name}: missing, {len(mine)} of {seeds} seeds"))
            continue
        found = statistics.paired(mine, theirs).difference
        passes = found.mean <= MOST
        interval = "" if found.low is None else f" [{found.low:+.4f}, {found.high:+.4f}]"
        verb = "passes" if passes else "fails"
        made.append((passes, f"{family.name}: {verb}, {AGENT} - {EM_PRIOR} = {found.mean:+.4f}{interval} nats"))
    return made


def main() -> int:
    """Print a line for each report family; 0 where all pass."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, default=scheduler_rows.FILE)
    given = parser.parse_args()
    found = verdicts(Results(tuple(scheduler_rows.read(given.rows))), scheduler_stages.families())
    for _, line in found:
        print(line)
    return 0 if found and all(passes for passes, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
