"""Result rows of the comparison of schedulers: one line of JSON for each complete run, kept in the repository."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import partition

from curriculum_rl.durable import write_atomically
from curriculum_rl.recording.runs import RunDirectory
from curriculum_rl.scripts.comparing.analysis import reading

FILE = partition.ROOT / "benchmarks" / "results" / "schedulers.jsonl"
Row = dict[str, Any]
Key = tuple[str, str, str, int, int]


def key_of(row: Mapping[str, Any]) -> Key:
    """What no two rows share: environment, set, label, seed, percent of the budget."""
    return row["env"], row["set"], row["label"], row["seed"], row["percent"]


def read(file: Path = FILE) -> list[Row]:
    """The rows of a file; none where there is no file."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def merge(file: Path, rows: Iterable[Row]) -> None:
    """Add rows to a file; one of the same run is replaced. Lines are in order, so that a difference is short."""
    kept = {key_of(row): row for row in (*read(file), *rows)}
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, "".join(json.dumps(kept[key]) + "\n" for key in sorted(kept)))


def harvest(folder: Path, env: str, name: str) -> list[Row]:
    """The rows of all complete runs in the directory of a comparison.

    Args:
        folder: of the comparison.
        env: name of the environment.
        name: of the set.
    """
    cells = [(100, cell) for cell in folder.glob("runs/*/seed-*")]
    cells += [(int(cell.parts[-3]), cell) for cell in folder.glob("reach/*/*/seed-*")]
    rows = [_row(cell, percent) for percent, cell in cells if cell.is_dir()]
    return [{"env": env, "set": name, **row} for row in rows if row is not None]


def _row(cell: Path, percent: int) -> Row | None:
    seed = int(cell.name.removeprefix("seed-"))
    run = reading.run_of(cell, seed, loss_proxy=False)
    if run["status"] != "finished":
        return None
    downstream = {key: round(value, 6) for key, value in run.items() if key.startswith("downstream_")}
    return {
        "label": unquote(cell.parent.name),
        "seed": seed,
        "percent": percent,
        "target_loss": round(run["target_loss"], 6),
        "mean_corpus_loss": round(run["mean_corpus_loss"], 6) if "mean_corpus_loss" in run else None,
        **downstream,
        "bigram": round(RunDirectory(cell).read_result()["baselines"]["bigram"], 6),
        "flops": {purpose: float(f"{flops:.6g}") for purpose, flops in run["flops"].items()},
        "seconds": round(sum(run["seconds"].values()), 2),
    }


@dataclass(frozen=True)
class Results:
    """Rows by what they are of.

    Attributes:
        rows: of all environments and sets.
    """

    rows: tuple[Row, ...]

    def figures(
        self, env: str, label: str, figure: str, *, name: str = "headline", percent: int = 100
    ) -> dict[int, float]:
        """A figure of the runs of a label, by seed."""
        return {
            row["seed"]: row[figure]
            for row in self.rows
            if (row["env"], row["set"], row["label"], row["percent"]) == (env, name, label, percent)
            and row.get(figure) is not None
        }

    def losses(self, env: str, label: str, *, name: str = "headline", percent: int = 100) -> dict[int, float]:
        """Losses on the target's report split, nats per token, by seed."""
        return self.figures(env, label, "target_loss", name=name, percent=percent)


def shared(*columns: Mapping[int, float]) -> list[list[float]]:
    """Figures under the seeds that all columns have, in the order of the seeds."""
    seeds = sorted(set.intersection(*(set(column) for column in columns)))
    return [[column[seed] for seed in seeds] for column in columns]
