"""Kills, damages and strange files by the hundred, through the real command; the table of docs/reliability.md.

    python benchmarks/survival.py OUT [--kills 500] [--files 5000] [--corpora 500] [--seed 0] [--jobs 2]
                                  [--write docs/reliability.md]

It goes on where it was: results are in OUT, a file for each portion, with what was not sound beside it. `--write` puts
the table into a page between the two lines that mark its place.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

PORTIONS = {"kills": 30, "files": 250, "corpora": 50, "great": 1}
MARKS = ("<!-- survival: begin -->", "<!-- survival: end -->")
_SUMS = ("kills", "lost", "differ", "refused", "tracebacks", "left")
Row = dict[str, Any]


def main() -> None:
    """Parse the command line, play what is not played yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder for results")
    for part, count in (("kills", 500), ("files", 5000), ("corpora", 500)):
        parser.add_argument(f"--{part}", type=int, default=count, help=f"default: {count}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--write", type=Path, help="a page that has a place for the table")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    counts = {"kills": asked.kills, "files": asked.files, "corpora": asked.corpora, "great": 1}
    _play(_portions(counts, asked.seed), asked.out.resolve(), asked.jobs)
    rows = {part: _read(asked.out, part) for part in PORTIONS}
    table = tables(rows)
    print(table)
    if asked.write:
        _put(asked.write, table)
    sys.exit(int(not all(row["sound"] for part in rows.values() for row in part)))


def _portions(counts: dict[str, int], seed: int) -> list[tuple[str, int, int, int]]:
    """What is played in one go: part, first number, how many, seed."""
    return [
        (part, first, min(PORTIONS[part], count - first), seed)
        for part, count in counts.items()
        for first in range(0, count, PORTIONS[part])
    ]


def _play(portions: Sequence[tuple[str, int, int, int]], out: Path, jobs: int) -> None:
    todo = [portion for portion in portions if not _result(out, *portion).is_file()]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(play, out, *portion): portion for portion in todo}
        for done in as_completed(waiting):
            part, first, count, _ = waiting[done]
            print(f"{part} {first} to {first + count - 1}: {done.result()}", file=sys.stderr, flush=True)


def _result(out: Path, part: str, first: int, count: int, seed: int) -> Path:
    return out / f"{part}-{seed}-{first}-{count}.jsonl"


def play(out: Path, part: str, first: int, count: int, seed: int) -> str:
    """Play one portion, write its rows, and say what came of it in a line."""
    sys.path.insert(0, str(Path(__file__).parent))
    begun, folder = time.monotonic(), out / f"{part}-{seed}-{first}"
    rows = list(_rows(part, first, count, seed, folder))
    file = _result(out, part, first, count, seed)
    temporary = file.with_suffix(".tmp")
    temporary.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    temporary.replace(file)
    return f"{sum(not row['sound'] for row in rows)} not sound, {time.monotonic() - begun:.0f} s"


def _rows(part: str, first: int, count: int, seed: int, folder: Path) -> Iterator[Row]:
    from surviving import corpora, files, kills
    from surviving.commands import Commands

    with Commands({"CURRICULUM_RL_CACHE": str(folder / "cache"), "CURRICULUM_RL_CHECKPOINT_SECONDS": "0"}) as commands:
        if part == "kills":
            for outcome in kills.play(commands, range(first, first + count), seed, folder):
                yield {**asdict(outcome), "sound": outcome.survived}
        elif part == "files":
            for n, (data, verdict) in enumerate(files.play(commands, count, seed + first, folder)):
                _keep(folder / f"{n}.yaml", data, verdict.sound)
                yield {**asdict(verdict), "sound": verdict.sound, "n": n}
        elif part == "corpora":
            for n, (form, data, verdict) in enumerate(corpora.play(commands, count, seed + first, folder)):
                _keep(folder / f"{n}.{form}", data, verdict.sound)
                yield {**asdict(verdict), "sound": verdict.sound, "n": n, "form": form}
        else:
            for name, verdict in corpora.play_great(commands, folder):
                yield {**asdict(verdict), "sound": verdict.sound, "file": name}


def _keep(path: Path, data: bytes, sound: bool) -> None:
    """Leave what was not taken as it should for a person to look at."""
    if not sound:
        path.write_bytes(data)


def _read(out: Path, part: str) -> list[Row]:
    lines = [line for file in sorted(out.glob(f"{part}-*.jsonl")) for line in file.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def tables(rows: dict[str, list[Row]]) -> str:
    """Two tables in Markdown: killed runs by kind, and strange files by part."""
    return f"{_of_kills(rows['kills'])}\n\n{_of_files(rows)}"


def _of_kills(rows: Sequence[Row]) -> str:
    head = (
        "run, runs, kills, damaged, rows lost, rows that differ, refused, tracebacks, processes left, longest to go on"
    )
    lines = []
    for kind in [*dict.fromkeys(row["kind"] for row in rows), "all"]:
        some = [row for row in rows if kind in (row["kind"], "all")]
        kills, *rest = (sum(row[key] for row in some) for key in _SUMS)
        damaged = sum(bool(row["damage"]) for row in some)
        longest = max((row["seconds"] for row in some), default=0.0)
        lines.append([kind, len(some), kills, damaged, *rest, f"{longest:.1f} s"])
    return _markdown(head.split(", "), lines)


def _of_files(rows: dict[str, list[Row]]) -> str:
    head = "files, tried, accepted, refused in a line, anything else, longest refusal (CPU), highest memory"
    lines = []
    for part, title in {"files": "environment files", "corpora": "corpora", "great": "great files"}.items():
        verdicts = Counter(row["name"] for row in rows[part])
        other = ", ".join(f"{n} {name}" for name, n in verdicts.items() if name not in ("accepted", "refused")) or "0"
        longest = max((row["seconds"] for row in rows[part] if row["name"] != "accepted"), default=0.0)
        peak = max((row["peak"] for row in rows[part]), default=0.0)
        counts = (len(rows[part]), verdicts["accepted"], verdicts["refused"])
        lines.append([title, *counts, other, f"{longest:.1f} s", f"{peak:,.0f} MiB"])
    return _markdown(head.split(", "), lines)


def _markdown(head: Sequence[str], lines: Sequence[Sequence[object]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def _put(page: Path, table: str) -> None:
    """Replace what stands between the marks."""
    before, _, rest = page.read_text(encoding="utf-8").partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    page.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
