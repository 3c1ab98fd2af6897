"""What the papers' benchmarks share: common options, settings from the command line, jobs side by side, the end."""

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

from curriculum_rl.durable import write_atomically
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.load import parse_override

Settings = TypeVar("Settings")
Job = TypeVar("Job")
Played = TypeVar("Played")


def parser(doc: str | None, name: str, *, data: str, settings: str) -> argparse.ArgumentParser:
    """Options that all have.

    Args:
        doc: of the benchmark.
        name: of its folder under `runs`.
        data: the folder below CURRICULUM_RL_DATA; "" for that itself.
        settings: whose fields `--set` sets.
    """
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path, default=Path("runs") / name)
    made.add_argument("--seeds", type=_positive, default=3)
    made.add_argument("--jobs", type=_positive, default=min(2, os.cpu_count() or 1), help="processes side by side")
    made.add_argument("--device", default="cpu")
    made.add_argument("--data", type=Path, default=Path(os.environ.get("CURRICULUM_RL_DATA", "data")) / data)
    made.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=f"of {settings}")
    return made


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1 (got {text})")
    return int(text)


def settings_of(default: Settings, texts: Sequence[str]) -> Settings:
    """Default settings, a dataclass, with what `--set` says; lists become tuples.

    Raises:
        ConfigError: for a key that there is none of, or a value out of range.
    """
    changes = {key: tuple(value) if isinstance(value, list) else value for key, value in map(parse_override, texts)}
    known = [field.name for field in fields(default)]  # type: ignore[arg-type]
    for key in changes:
        if key not in known:
            raise ConfigError(f"--set {key}: must be one of {', '.join(known)}")
    return replace(default, **changes)  # type: ignore[type-var]


def among(text: str, known: Sequence[str], key: str) -> list[str]:
    """Names of a comma-separated list, or all.

    Raises:
        ConfigError: for a name that there is none of.
    """
    names = list(known) if text == "all" else list(dict.fromkeys(text.split(",")))
    for name in names:
        if name not in known:
            raise ConfigError(f"--{key} {name}: must be among all, {', '.join(known)}")
    return names


def side_by_side(play: Callable[[Job], Played], jobs: Sequence[Job], *, processes: int) -> list[Played]:
    """Play all jobs, in spawned processes where that are several; what is there already a job finds itself."""
    if processes == 1:
        return [play(job) for job in jobs]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(play, jobs))


def end(out: Path, found: Mapping[str, Any], report: str) -> None:
    """Write `result.json` and print the report."""
    write_atomically(out / "result.json", json.dumps(found, indent=1) + "\n")
    print(report)


def read(files: Sequence[Path]) -> list[dict[str, Any]]:
    """What the jobs wrote."""
    return [json.loads(file.read_text()) for file in files]
