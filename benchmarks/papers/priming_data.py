"""The sentences of the priming experiment as files: cleaned train parts, a pool of each seed, the target's part."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from curriculum_rl.draws import key, window_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.corpora import FilesCorpus
from curriculum_rl.text.documents import Document
from curriculum_rl.text.library import source_of

PARTS = ("train", "dev", "test")
SPLITS = ("clean", "published")

Language = Mapping[str, Sequence[Document]]
"""The sentences of each of `PARTS`."""


def read_languages(folder: Path, names: Sequence[str], *, limit: int | None = None) -> dict[str, Language]:
    """The parts of some languages from the files `<language>/<part>.gz`, as published.

    Args:
        folder: holds a folder for each language.
        names: of the languages.
        limit: read only so many sentences of each part; None: all.

    Raises:
        ConfigError: a file is missing or wrong.
    """
    return {name: {part: _read(folder / name / f"{part}.gz", limit) for part in PARTS} for name in names}


def without_shared(languages: Mapping[str, Language]) -> dict[str, Language]:
    """The same without repeated sentences: in no train part what any dev or test part holds, in no dev part of a test.

    All languages are looked through: short titles are the same in several. Repetitions inside a part go as well.
    """
    tested = {row.text for parts in languages.values() for row in parts["test"]}
    selected = {row.text for parts in languages.values() for row in parts["dev"]}
    return {
        name: {
            "train": _new(parts["train"], tested | selected),
            "dev": _new(parts["dev"], tested),
            "test": _new(parts["test"], set()),
        }
        for name, parts in languages.items()
    }


def sampled(rows: Sequence[Document], seed: int, count: int) -> list[Document]:
    """So many rows (or all) in a random order; fewer are a part of more."""
    index = window_of(key(seed, "pool"), np.arange(min(count, len(rows))), len(rows))
    return [rows[n] for n in index.tolist()]


def write(path: Path, rows: Sequence[Document]) -> None:
    """A file of `word<TAB>tag` lines, unless it is there."""
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        "".join(f"{word}\t{tag}\n" for word, tag in zip(row.text.split(" "), row.tags, strict=True)) for row in rows
    ]
    draft = path.with_suffix(".draft")
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft.replace(path)


def _read(path: Path, limit: int | None) -> list[Document]:
    if not path.is_file():
        raise ConfigError(f"data: no {path}; CURRICULUM_RL_DATA names the folder that holds wikiann")
    return list(source_of(FilesCorpus(paths=str(path), format="conll")).documents())[:limit]


def _new(rows: Sequence[Document], seen: set[str]) -> list[Document]:
    """The rows whose text is not in `seen`, each once."""
    kept = {row.text: row for row in reversed(rows) if row.text not in seen}
    return [row for row in rows if kept.get(row.text) is row]
