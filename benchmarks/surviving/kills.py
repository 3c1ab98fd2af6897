"""Runs that are killed and go on: what came out must be what would have come out.

A run is killed at a random moment, by the clock or before a random change on the disk (so also in the middle of the
exchange of one checkpoint for another), and so is one in three of its continuations. In one case in four what it left
is damaged besides: a flipped bit, a file cut short or gone.
"""

import json
import random
import shutil
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from curriculum_rl.testing.problems import tiny_environment, write_texts
from surviving.commands import Commands, Ended, Kill

_TRAIN = "train --env env.yaml --out run --quiet --seed 1 --agent"
_FEW = "agent.n_steps=8"
# Each kind: what is typed, and what is typed to go on.
KINDS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "bandit": (f"{_TRAIN} exp3s", "--resume"),
    "mixture": (f"{_TRAIN} alignment --set signals.every=2", "--resume"),
    "policy": (f"{_TRAIN} ppo --timesteps 48 --num-envs 2 --shards 1 --set {_FEW} --set agent.n_epochs=2", "--resume"),
    "replay": (
        f"{_TRAIN} dqn --timesteps 24 --num-envs 1 --set agent.learning_starts=8 --set agent.batch_size=4",
        "--resume",
    ),
    "shards": (f"{_TRAIN} a2c --timesteps 32 --num-envs 2 --shards 2 --set {_FEW}", "--resume"),
    "compare": (
        "compare --env env.yaml --out run --jobs 1 --agents exp3s --seeds 2 --static-mixtures 0 --no-baselines",
        "",
    ),
})  # fmt: skip
_SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM)
# A killed run may be told to begin anew; what it may never do is go on with other figures.
_ENDLESS = 12


@dataclass(frozen=True)
class Outcome:
    """What became of a run that was killed.

    Attributes:
        kind: of the run.
        kills: how often it was killed before its end.
        damage: what was done to its files; "" where nothing.
        lost: rows that are not there, of those that the whole run has.
        differ: rows that are not equal to the bit.
        refused: continuations that were refused.
        tracebacks: commands that ended with a traceback.
        left: processes that outlived a kill.
        seconds: of the continuations, together.
        told: the last line of what went wrong, or what was said of a damage.
    """

    kind: str
    kills: int
    damage: str
    lost: int
    differ: int
    refused: int
    tracebacks: int
    left: int
    seconds: float
    told: str = ""

    @property
    def survived(self) -> bool:
        """Whether all is as it should be."""
        return not (self.lost or self.differ or self.refused or self.tracebacks or self.left)


def prepare(folder: Path) -> None:
    """Write texts and the environment of all runs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_texts(folder)
    env = tiny_environment(folder)
    (folder / "env.yaml").write_text(yaml.safe_dump({**env, "segment": {"updates": 1}}), encoding="utf-8")


def whole(kind: str, commands: Commands, folder: Path) -> Ended:
    """Play a run of a kind to its end, undisturbed, into `folder/whole-<kind>`."""
    return commands.run(KINDS[kind][0].split(), _place(folder, f"whole-{kind}"))


def killed(kind: str, number: int, seed: int, commands: Commands, folder: Path, undisturbed: Ended) -> Outcome:
    """Kill a run once or more, go on with it to its end, and compare it with the undisturbed one."""
    draw = random.Random(f"{seed} {kind} {number}")
    place = _place(folder, f"{kind}-{number}")
    begin, more = KINDS[kind]
    kill, damage, kills = _moment(draw, undisturbed), "", 1
    steps = [commands.run(begin.split(), place, kill)]
    told = steps[0].last_line if _is_traceback(steps[0]) else ""
    if draw.random() < 0.25:
        damage = _damage(place / "run", draw)
    for _ in range(_ENDLESS):
        again = _moment(draw, undisturbed) if draw.random() < 1 / 3 else None
        ended = commands.run([*begin.split(), *more.split()], place, again)
        steps.append(ended)
        if ended.status == 0:
            break
        kills += again is not None
        if damage and "no checkpoint is sound" in ended.last_line and "--overwrite" in ended.last_line:
            more = "--overwrite"  # as it says
            steps.pop()
        elif ended.refused or _is_traceback(ended):
            told = ended.last_line
            break
    expected, found = (_rows(folder / name / "run") for name in (f"whole-{kind}", place.name))
    lost, differ = _compared(expected, found)
    refused = sum(step.refused for step in steps[1:])
    outcome = Outcome(
        kind=kind,
        kills=kills,
        damage=damage,
        lost=lost,
        differ=differ,
        refused=refused,
        tracebacks=sum(map(_is_traceback, steps)),
        left=sum(step.left for step in steps),
        seconds=sum(step.seconds for step in steps[1:]),
        told=told,
    )
    if outcome.survived:
        shutil.rmtree(place)
    return outcome


def _place(folder: Path, name: str) -> Path:
    """A working directory in which `env.yaml` is the environment of all runs."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copy(folder / "env.yaml", place)
    return place


def _moment(draw: random.Random, undisturbed: Ended) -> Kill:
    how = draw.choice(_SIGNALS)
    if draw.random() < 0.5:
        return Kill(after=draw.uniform(0.0, undisturbed.seconds), signal=how)
    return Kill(change=draw.randint(1, max(1, undisturbed.changes)), signal=how)


def _is_traceback(ended: Ended) -> bool:
    """Whether a command showed a traceback, or an exit status of its own; one that SIGKILL ended says nothing."""
    return ended.status != -signal.SIGKILL and (
        "Traceback" in ended.error or ended.status < 0 or (ended.status > 2 and ended.status not in (130, 143))
    )


def _damage(run: Path, draw: random.Random) -> str:
    """Damage one file of what stands in the checkpoints, and say how; "" where there are none."""
    files = sorted(path for path in run.rglob("*") if path.is_file() and "checkpoint" in str(path.relative_to(run)))
    files = [path for path in files if path.stat().st_size]
    if not files:
        return ""
    file, how = draw.choice(files), draw.choice(("flipped", "cut", "gone"))
    data = bytearray(file.read_bytes())
    if how == "gone":
        file.unlink()
    else:
        at = draw.randrange(len(data))
        data[at] ^= 1 << draw.randrange(8)
        file.write_bytes(data if how == "flipped" else data[:at])
    return f"{how} {file.relative_to(run)}"


def _rows(run: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of every run of a directory, without what the clock says."""
    found = {}
    for file in sorted(run.rglob("segments.jsonl")):
        lines = file.read_text(encoding="utf-8").splitlines()
        found[str(file.relative_to(run))] = [_timeless(json.loads(line)) for line in lines]
    for file in sorted(run.rglob("result.json")):
        result = json.loads(file.read_text(encoding="utf-8"))
        found[str(file.relative_to(run))] = [{"final": result.get("final"), "finals": result.get("episode_finals")}]
    return found


def _timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("seconds", "wall")}


def _compared(expected: Mapping[str, list[Any]], found: Mapping[str, list[Any]]) -> tuple[int, int]:
    """How many rows are missing, and how many are there that should not be as they are."""
    lost = differ = 0
    for name in {*expected, *found}:
        old, new = expected.get(name, []), found.get(name, [])
        lost += max(0, len(old) - len(new))
        differ += max(0, len(new) - len(old)) + sum(one != other for one, other in zip(old, new, strict=False))
    return lost, differ


def play(
    commands: Commands, numbers: Iterable[int], seed: int, folder: Path, kinds: Sequence[str] = tuple(KINDS)
) -> Iterator[Outcome]:
    """Kill runs of these kinds in turn, one for each number."""
    prepare(folder)
    undisturbed: dict[str, Ended] = {}
    for number in numbers:
        kind = kinds[number % len(kinds)]
        if kind not in undisturbed:
            undisturbed[kind] = whole(kind, commands, folder)
            if undisturbed[kind].status:
                raise RuntimeError(f"{kind} does not even come to its end undisturbed: {undisturbed[kind].error}")
        yield killed(kind, number, seed, commands, folder, undisturbed[kind])
