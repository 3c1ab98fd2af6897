"""Golden rows: the same short runs in two checkouts, compared bit for bit.

    python benchmarks/golden.py OLD NEW [--only NAME,...] [--keep DIR] [--jobs 1] [--ignore KEY]

For a refactoring that must not change results. The runs (`golden_runs.py`) use the command line, `gymnasium.make` and
`agents.make` alone, so modules may move; each checkout fills a cache of its own, so what is built from texts is
compared too. Golden files are not kept: the bits of one machine are not those of another.

A run is a fork of this process, which has imported the third-party packages once, and imports the checkout itself.
Its verdict is `equal`, `DIFFERS` (the first place: file, row, key, both values), `FAILS` (in one of the two, or in both
unlike) or `BROKEN` (in both alike); all but the first make the exit status 1. Measured: 47 runs in both checkouts took
174 s of CPU, which were 408 s on two cores with a load of 3 to 6.
"""

import argparse
import hashlib
import importlib.util
import json
import multiprocessing
import os
import runpy
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from golden_runs import RUNS, Run, environment, write_texts

FIXED = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "PYTHONHASHSEED": "0", "HF_HUB_OFFLINE": "1"}
PRELOADED = (
    "torch gymnasium stable_baselines3 transformers datasets matplotlib.pyplot tensorboard scipy.optimize "
    "scipy.stats pydantic typer rich tqdm peft torch.utils.tensorboard"
)
FILES = ("*.jsonl", "result.json", "schedule.json", "evaluation.json", "compare.json", "ranking.json", "search/*.json")
WEIGHTS = "*.safetensors"
SUFFIXES = (".jsonl", ".json", ".safetensors")
# What time a run took, and where it lies.
IGNORED = ("seconds", "wall_seconds", "wall", "overhead", "directory")
# An editable install would lend a checkout the modules that it has no more.
SITE = "import sys\nsys.meta_path[:] = [finder for finder in sys.meta_path if '_EditableFinder' not in str(finder)]\n"
FORK = multiprocessing.get_context("fork")
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Difference:
    """One place where two runs differ; None stands for what is missing."""

    file: str
    row: int
    key: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        """One line."""
        old, new = ("missing" if value is None else value for value in (self.old, self.new))
        return f"{self.file} row {self.row} {self.key}: {old} != {new}"


def flat(value: Any, ignore: Collection[str], key: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a JSON value by dotted key, as text; null is as good as absent, an empty list is not."""
    if value in ({}, []):
        yield key, json.dumps(value)
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if name not in ignore:
                yield from flat(inner, ignore, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from flat(inner, ignore, f"{key}[{n}]")
    elif value is not None:
        yield key, value if isinstance(value, str) else json.dumps(value)


def rows_of(file: Path, ignore: Collection[str]) -> Rows:
    """What a file says: a row for each line of JSON, one for a document, and a hash of weights."""
    if file.match(WEIGHTS):
        return [{"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}]
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines() if file.suffix == ".jsonl" else [text]
    # A float stays the text it was written as.
    return [dict(flat(json.loads(line, parse_float=str), ignore)) for line in lines]


def read(folder: Path, ignore: Collection[str] = IGNORED) -> dict[str, Rows]:
    """All that is compared of a run's folder, by file."""
    found = sorted({file for pattern in (*FILES, WEIGHTS) for file in folder.rglob(pattern)})
    return {str(file.relative_to(folder)): rows_of(file, ignore) for file in found}


def differences(old: Mapping[str, Rows], new: Mapping[str, Rows]) -> list[Difference]:
    """Every key of every row of every file that is not the same text in both, or is in one alone."""
    found = []
    # What went first comes first: rows, then results, then weights.
    for file in sorted({*old, *new}, key=lambda name: (SUFFIXES.index(Path(name).suffix), name)):
        for n, (before, after) in enumerate(zip_longest(old.get(file, []), new.get(file, []), fillvalue=None)):
            if before is None or after is None:
                whole = [None if row is None else f"a row of {len(row)}" for row in (before, after)]
                found.append(Difference(file, n, "row", *whole))
                continue
            keys = dict.fromkeys([*before, *after])
            pairs = ((key, before.get(key), after.get(key)) for key in keys)
            found += [Difference(file, n, key, one, other) for key, one, other in pairs if one != other]
    return found


def perform(run: Run, places: Mapping[str, str], checkout: Path, cwd: Path) -> None:
    """In a process of its own: the commands of a run, from a checkout."""
    os.chdir(cwd)
    log = os.open(f"{places['out']}.log", os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(log, stream)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    os.environ["CURRICULUM_RL_CACHE"] = str(cwd / "cache")
    # For processes of the run's own, which then start with what is done here.
    os.environ["PYTHONPATH"] = f"{checkout}{os.pathsep}{cwd}"
    exec(compile(SITE, "sitecustomize.py", "exec"))
    sys.path[:] = [str(checkout), *(path for path in sys.path if Path(path) != Path(__file__).parent)]
    spec = importlib.util.find_spec("curriculum_rl")
    if spec is None or not str(spec.origin).startswith(str(checkout)):
        sys.exit(f"{checkout} holds no package curriculum_rl")
    for command in run.commands:
        if not isinstance(command, str):
            command.perform(places)
            continue
        sys.argv = ["curriculum-rl", *(word.format(**places) for word in shlex.split(command))]
        try:
            runpy.run_module("curriculum_rl.scripts.main", run_name="__main__", alter_sys=True)
        except SystemExit as end:
            if end.code:
                raise


def prepare(folder: Path) -> None:
    """Make the folder in which a checkout works."""
    (folder / "runs").mkdir(parents=True)
    (folder / "sitecustomize.py").write_text(SITE)


def judge(name: str, checkouts: Mapping[str, Path], folder: Path, ignore: Collection[str]) -> tuple[str, str]:
    """Play a run in both checkouts; the verdict in a word, and what is to be said."""
    run, failed, seen, seconds = RUNS[name], {}, [], []
    env = folder / f"{name}.yaml"
    env.write_text(environment(run, folder / "texts"))
    for label, checkout in checkouts.items():
        # The same relative path in both, so that what is written of it is the same.
        places = {"out": f"runs/{name}", "env": str(env), "texts": str(folder / "texts")}
        cwd = folder / label
        process = FORK.Process(target=perform, args=(run, places, checkout, cwd))
        begun = time.perf_counter()
        process.start()
        process.join()
        seconds.append(time.perf_counter() - begun)
        # What a run that failed left behind may be half a file.
        seen.append({} if process.exitcode else read(cwd / "runs" / name, ignore))
        if not seen[-1]:
            lines = (cwd / "runs" / f"{name}.log").read_text().strip().splitlines()
            failed[label] = f"exit {process.exitcode}: {lines[-1] if lines else 'wrote nothing'}"
    if failed:
        same = len(failed) == len(checkouts) and len(set(failed.values())) == 1
        return "BROKEN" if same else "FAILS", "; ".join(f"{label} {said}" for label, said in failed.items())
    found = differences(*seen)
    if found:
        return "DIFFERS", f"{found[0]} ({len(found)} differences)"
    rows = sum(len(rows) for rows in seen[0].values())
    return "equal", f"{rows} rows of {len(seen[0])} files, {seconds[0]:.1f} s and {seconds[1]:.1f} s"


def compare(checkouts: Mapping[str, Path], names: Sequence[str], folder: Path, jobs: int, ignore: Sequence[str]) -> int:
    """Judge all runs, a line for each as they come; the exit status."""
    write_texts(folder / "texts")
    for label in checkouts:
        prepare(folder / label)
    for module in PRELOADED.split():
        importlib.import_module(module)
    begun, verdicts = time.perf_counter(), Counter[str]()
    with ProcessPoolExecutor(jobs, mp_context=FORK) as pool:
        each = partial(judge, checkouts=checkouts, folder=folder, ignore=(*IGNORED, *ignore))
        for name, (verdict, said) in zip(names, pool.map(each, names), strict=True):
            verdicts[verdict] += 1
            print(f"{verdict:8} {name:24} {said}", flush=True)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
    cost = f"{time.perf_counter() - begun:.0f} s ({sum(os.times()[2:4]):.0f} s of CPU)"
    print(f"{counts}; {len(names)} runs in both checkouts in {cost}")
    return int(verdicts["equal"] != len(names))


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, metavar="OLD", help="a checkout")
    parser.add_argument("new", type=Path, metavar="NEW", help="another checkout")
    parser.add_argument("--only", default=",".join(RUNS), help="names of runs, separated by commas; default: all")
    parser.add_argument("--keep", type=Path, help="a new folder in which everything written stays")
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time")
    parser.add_argument("--ignore", action="append", default=[], help="a key, at any depth; may be repeated")
    asked = parser.parse_args()
    names = asked.only.split(",")
    if unknown := [name for name in names if name not in RUNS]:
        parser.error(f"--only: {', '.join(unknown)!r} is not of {', '.join(RUNS)}")
    if asked.keep and asked.keep.exists():
        parser.error(f"--keep: {asked.keep} exists")
    os.environ.update(FIXED)
    with ExitStack() as stack:
        temporary = None if asked.keep else stack.enter_context(tempfile.TemporaryDirectory(prefix="golden-"))
        folder = Path(temporary or asked.keep).resolve()
        checkouts = {"OLD": asked.old.resolve(), "NEW": asked.new.resolve()}
        sys.exit(compare(checkouts, names, folder, asked.jobs, asked.ignore))


if __name__ == "__main__":
    main()
