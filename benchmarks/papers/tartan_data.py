"""The data sets of the end-task aware training paper: published or clean split, and the texts that may help."""

import gzip
import json
from pathlib import Path

import numpy as np
from tartan_arms import Labelled, Problem, encoded, noise_like

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.tokenizers import Tokenizer

METRIC = {"citation_intent": "macro_f1", "sciie": "macro_f1", "chemprot": "accuracy"}
"""As published; accuracy is micro-F1 where every example has one class."""
FOREIGN = {"citation_intent": "chemprot", "sciie": "chemprot", "chemprot": "citation_intent"}
"""Whose task text is the text of another field: computer science and biomedicine."""
SPLITS = ("clean", "published")

Examples = list[tuple[str, str]]


def read_problem(
    folder: Path, name: str, tokenizer: Tokenizer, *, context: int, split: str = "clean", limit: int | None = None
) -> Problem:
    """An end-task with its texts: `tapt`, `dapt`, `noise`, `foreign`.

    Args:
        folder: holds a folder for each data set.
        name: which data set.
        tokenizer: of the body.
        context: T.
        split: `published`, or `clean`: dev without the texts of test, train without those of dev and test.
        limit: read only so many examples of each part and lines of the domain; None: all.

    Raises:
        ConfigError: for another name or split, or where a file is missing.
    """
    if name not in METRIC:
        raise ConfigError(f"datasets: must be among {', '.join(METRIC)}, not {name!r}")
    if split not in SPLITS:
        raise ConfigError(f"split: must be one of {', '.join(SPLITS)}, not {split!r}")
    train, dev, test = (examples(folder / name / f"{part}.jsonl.gz", limit) for part in ("train", "dev", "test"))
    classes = sorted({label for part in (train, dev, test) for _, label in part})
    if split == "clean":
        dev = without(dev, test)
        train = without(train, dev + test)
    tested = {text for text, _ in dev + test}
    domain = [line for line in _lines(folder / name / "domain.1xTAPT.txt.gz") if line and line not in tested][:limit]
    foreign = examples(folder / FOREIGN[name] / "train.jsonl.gz", limit)
    tapt = encoded([text for text, _ in train], tokenizer, context)
    texts = {
        "tapt": tapt,
        "dapt": encoded(domain, tokenizer, context),
        "noise": noise_like(tapt, tokenizer, seed=0),
        "foreign": encoded([text for text, _ in foreign], tokenizer, context),
    }

    def labelled(rows: Examples) -> Labelled:
        ids = encoded([text for text, _ in rows], tokenizer, context)
        return Labelled(ids, np.array([classes.index(label) for _, label in rows]))

    parts = {"train": labelled(train), "dev": labelled(dev), "test": labelled(test)}
    return Problem(**parts, classes=len(classes), metric=METRIC[name], texts=texts, tokenizer=tokenizer)


def examples(path: Path, limit: int | None = None) -> Examples:
    """Text and label of each row; white space is made single, so that equal texts are equal."""
    rows = [json.loads(line) for line in _lines(path)]
    return [(" ".join(row["text"].split()), row["label"]) for row in rows][:limit]


def without(rows: Examples, others: Examples) -> Examples:
    """The rows whose text is not among others, whatever the label."""
    seen = {text for text, _ in others}
    return [row for row in rows if row[0] not in seen]


def _lines(path: Path) -> list[str]:
    """Lines, stripped.

    Raises:
        ConfigError: there is no such file.
    """
    if not path.exists():
        raise ConfigError(f"data: no {path}; CURRICULUM_RL_DATA names the folder that holds tartan")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [" ".join(line.split()) for line in file]
