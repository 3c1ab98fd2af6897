"""The search for the best fixed task and the best static mixture: on other seeds, by the proxy's final score."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.files import read_json
from curriculum_rl.scripts.comparing.running.directory import Directory

Floats = npt.NDArray[np.float64]

FIRST_SEED, SECOND_SEEDS = 900_000, (900_001, 900_002)
"""Selection seeds, apart from any that a comparison would use; the best of the first seed are tried on the others."""
BATCH = 16  # learners side by side: more make a batch no faster
FINALISTS, FIXED_FINALISTS = 8, 3
CONCENTRATION = 0.3  # of the Dirichlet: small, so that few tasks dominate


@dataclass(frozen=True)
class Part:
    """Some mixtures that are tried together.

    Attributes:
        name: of its file.
        kind: "fixed", "named" or "drawn".
        mixtures: (C, K).
        seed: the selection seed.
    """

    name: str
    kind: str
    mixtures: Floats
    seed: int = FIRST_SEED


@dataclass(frozen=True)
class Found:
    """What a search came to.

    Attributes:
        shares: (K,) the mixture.
        score: its mean proxy score over the selection seeds.
        cost: runs, tokens, flops and seconds of all that was tried.
    """

    shares: list[float]
    score: float
    cost: dict[str, float]


def first_round(tasks: int, named: Sequence[Floats], mixtures: int, emphasis: float) -> list[Part]:
    """Every fixed task, and, where random mixtures are wanted, the named ones and those.

    Random mixtures are alternately a Dirichlet draw and one that shares the batch with stratified, as a pick does.

    Args:
        tasks: K.
        named: mixtures that have a name: the prior, the target's objective.
        mixtures: how many random ones.
        emphasis: share of the batch of a pick.
    """
    parts = _cut("fixed", np.eye(tasks))
    if not mixtures:
        return parts
    drawn = np.random.default_rng(0).dirichlet(np.full(tasks, CONCENTRATION), size=mixtures)
    drawn[1::2] = emphasis * drawn[1::2] + (1 - emphasis) / tasks
    return [*parts, *_cut("named", np.stack([np.full(tasks, 1 / tasks), *named])), *_cut("drawn", drawn)]


def _cut(kind: str, mixtures: Floats) -> list[Part]:
    return [
        Part(f"{kind}-{first}-{min(first + BATCH, len(mixtures))}", kind, mixtures[first : first + BATCH])
        for first in range(0, len(mixtures), BATCH)
    ]


def second_round(folder: Directory, first: Sequence[Part], *, mixtures: int) -> list[Part]:
    """The best of the first round on more seeds: three fixed tasks, and eight of everything."""
    parts = []
    for kinds, count, name in _finals(mixtures):
        chosen = [part for part in first if part.kind in kinds]
        tried = np.concatenate([part.mixtures for part in chosen])
        scores = np.concatenate([_read(folder.search(part.name))["scores"] for part in chosen])
        best = tried[np.argsort(-scores, kind="stable")[:count]]
        parts += [Part(f"{name}-{seed}", name, best, seed) for seed in SECOND_SEEDS]
    return parts


def _finals(mixtures: int) -> list[tuple[tuple[str, ...], int, str]]:
    """Which kinds enter a final, how many of them, and what it is called."""
    fixed: list[tuple[tuple[str, ...], int, str]] = [(("fixed",), FIXED_FINALISTS, "final-fixed")]
    if not mixtures:
        return fixed
    return [*fixed, (("fixed", "named", "drawn"), FINALISTS, f"final-static-{mixtures}")]


def final_names(kind: str, mixtures: int) -> list[str]:
    """The files that the choice of the best fixed task ("fixed") or static mixture ("static") waits for."""
    name = "final-fixed" if kind == "fixed" else f"final-static-{mixtures}"
    return [f"{name}-{seed}" for seed in SECOND_SEEDS]


def choose(folder: Directory, kind: str, first: Sequence[Part], *, mixtures: int) -> Found:
    """The finalist with the best mean score over the three selection seeds, and what the search has cost."""
    finals = [_read(folder.search(name)) for name in final_names(kind, mixtures)]
    mine = [part for part in first if kind == "static" or part.kind == "fixed"]
    files = [_read(folder.search(part.name)) for part in mine]
    tried = {tuple(m): s for file in files for m, s in zip(file["mixtures"], file["scores"], strict=True)}
    finalists = [tuple(mixture) for mixture in finals[0]["mixtures"]]
    means = [
        float(np.mean([tried[mixture], *(final["scores"][place] for final in finals)]))
        for place, mixture in enumerate(finalists)
    ]
    best = int(np.argmax(means))
    spent = [*files, *finals]
    cost = {key: sum(file[key] for file in spent) for key in ("runs", "tokens", "flops", "seconds")}
    return Found(list(finalists[best]), means[best], cost)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = read_json(path, str(path))
    return content


def is_there(path: Path) -> bool:
    """Whether a part was tried and its file can be read; else it is tried again."""
    try:
        return {"mixtures", "scores", "runs", "tokens", "flops", "seconds"} <= _read(path).keys()
    except (ConfigError, AttributeError):
        return False


def of_objective(objectives: Sequence[str], wanted: str) -> list[float]:
    """Even shares of the tasks that have an objective."""
    chosen = np.array([objective == wanted for objective in objectives], np.float64)
    return [float(share) for share in chosen / chosen.sum()]
