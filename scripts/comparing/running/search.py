"""The search for the best fixed task and the best static mixture: on other seeds, by the proxy's final score.

What is known before anything runs is tried first, then twice refinements of the best so far, then the best on more
seeds.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.files import read_json
from curriculum_rl.scripts.comparing.running import proposing
from curriculum_rl.scripts.comparing.running.directory import Directory

Floats = npt.NDArray[np.float64]

FIRST_SEED, SECOND_SEEDS = 900_000, (900_001, 900_002)
"""Selection seeds, apart from any that a comparison would use; the best of the first seed are tried on the others."""
BATCH = 16  # learners side by side: more make a batch no faster
FINALISTS, FIXED_FINALISTS = 8, 3
SCALES = (0.5, 0.25)
"""Of the noise of the refinements, in log shares, round by round."""


@dataclass(frozen=True)
class Part:
    """Some mixtures that are tried together.

    Attributes:
        name: of its file.
        kind: "fixed", "named", "drawn", "refined" or "final".
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


@dataclass(frozen=True)
class Search:
    """What is searched, and in which files.

    Attributes:
        folder: of the comparison.
        tasks: K.
        priors: (K,) shares, "em" and "js".
        objective: (K,) even shares of the tasks of the target's own objective; None: there are none.
        mixtures: how many random ones; 0: fixed tasks alone.
        emphasis: share of the batch of a pick.
    """

    folder: Directory
    tasks: int
    priors: Mapping[str, Floats]
    objective: Floats | None
    mixtures: int
    emphasis: float

    @cached_property
    def known(self) -> list[Part]:
        """What is tried first: every fixed task and, where random mixtures are wanted, the named ones and those."""
        parts = _cut("fixed", "", np.eye(self.tasks))
        if not self.mixtures:
            return parts
        named = proposing.named(self.tasks, self.priors, self.objective)
        drawn = proposing.drawn(self.tasks, self.mixtures, self.emphasis)
        return [*parts, *_cut("named", _print([named]), named), *_cut("drawn", "", drawn)]

    @cached_property
    def key(self) -> str:
        """What the parts depend on that are made from the scores of the known ones."""
        return _print([part.mixtures for part in self.known])

    @property
    def refinements(self) -> tuple[int, int]:
        """How many mixtures each of the two rounds makes: together half as many as random ones."""
        whole = self.mixtures // 2
        return whole - whole // 2, whole // 2

    def names(self, kind: str) -> list[str]:
        """The files of all parts of a kind, "refined-0" and "refined-1" apart, "final-fixed" or "final-static"."""
        if kind.startswith("final"):
            key = "" if kind == "final-fixed" else f"-{self.key}"
            return [f"{kind}{key}-{seed}" for seed in SECOND_SEEDS]
        if kind.startswith("refined"):
            count = self.refinements[int(kind[-1])]
            return [f"{kind}-{self.key}-{place}" for place in _places(count)]
        return [part.name for part in self.known if part.kind == kind]

    def rounds(self) -> list[tuple[str, list[str]]]:
        """The kinds of parts that follow from others' scores, in order, each with the files that it waits for."""
        fixed = self.names("fixed")
        if not self.mixtures:
            return [("final-fixed", fixed)]
        known = [part.name for part in self.known]
        first, second = (self.names(f"refined-{number}") for number in (0, 1))
        return [
            ("final-fixed", fixed),
            ("refined-0", known),
            ("refined-1", [*known, *first]),
            ("final-static", [*known, *first, *second]),
        ]

    def parts(self, kind: str) -> list[Part]:
        """The parts of a kind that follows from others, whose files must be there."""
        mixtures, scores = self._tried(dict(self.rounds())[kind])
        if kind.startswith("final"):
            count = FIXED_FINALISTS if kind == "final-fixed" else FINALISTS
            order = np.argsort(-scores, kind="stable")
            best = np.array(list(dict.fromkeys(tuple(one) for one in mixtures[order].tolist()))[:count])
            names = zip(self.names(kind), SECOND_SEEDS, strict=True)
            return [Part(name, "final", best, seed) for name, seed in names]
        number = int(kind[-1])
        seed = (FIRST_SEED, number)
        made = proposing.refined(mixtures, scores, self.refinements[number], scale=SCALES[number], seed=seed)
        return _cut(kind, self.key, made, kind="refined")

    def choose(self, found: str) -> Found:
        """The finalist with the best mean score over the three selection seeds, and what the search has cost.

        Args:
            found: "fixed" or "static".
        """
        waited = dict(self.rounds())[f"final-{found}"]
        files = [_read(self.folder.search(name)) for name in waited]
        finals = [_read(self.folder.search(name)) for name in self.names(f"final-{found}")]
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

    def _tried(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        files = [_read(self.folder.search(name)) for name in names]
        mixtures = np.concatenate([np.array(file["mixtures"], np.float64) for file in files])
        return mixtures, np.concatenate([np.array(file["scores"], np.float64) for file in files])


def _cut(name: str, key: str, mixtures: Floats, *, kind: str | None = None) -> list[Part]:
    """Parts of at most as many mixtures as run side by side."""
    front = f"{name}-{key}" if key else name
    return [
        Part(f"{front}-{place}", kind or name, mixtures[slice(*map(int, place.split("-")))])
        for place in _places(len(mixtures))
    ]


def _places(count: int) -> Iterator[str]:
    return (f"{first}-{min(first + BATCH, count)}" for first in range(0, count, BATCH))


def _print(mixtures: Sequence[Floats]) -> str:
    """Some figures of the sha256 of mixtures, so that a file of others is not read for theirs."""
    rounded = [np.round(one, 9) + 0.0 for one in mixtures]
    return hashlib.sha256(b"".join(one.tobytes() for one in rounded)).hexdigest()[:8]


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = read_json(path, str(path))
    return content


def is_there(path: Path) -> bool:
    """Whether a part was tried and its file can be read; else it is tried again."""
    try:
        return {"mixtures", "scores", "runs", "tokens", "flops", "seconds"} <= _read(path).keys()
    except (ConfigError, AttributeError):
        return False
