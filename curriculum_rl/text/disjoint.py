"""No text on both sides: what is taken out of an environment's parts, found once and kept in the cache."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curriculum_rl.errors import ConfigError, within
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import Document, sha256_of
from curriculum_rl.text.overlap import Cut, HeldOutTexts, grams_of, lines_of
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.targets import SPLITS

_RULE = 2  # version of what is found; a change makes every kept one stale
_FILE = "overlap.json"
_SCORED = tuple(split for split in SPLITS if split != "signal")

OWN = "target.corpus"
"""The place of a target with text of its own, and of the counts of any target."""


@dataclass(frozen=True)
class Overlap:
    """What stood on both sides, by the place of a source: `corpora.<name>`, or `target.corpus` of its own text.

    Attributes:
        cuts: what is taken out of each part of a source.
        counts: of the train part of every corpus: `documents` it had; of these `in_target` and `in_heldout` went, since
            they are texts of the target's splits or of what some corpus holds out; `shortened` lost such lines; and of
            the rest `near_target` and `near_heldout` share 13 words with one and stay. `in_signal` stay where nothing
            else would: texts of the signal split, which `target.train` would train on, too. Of the target: `documents`
            and `repeated`, which stand in a later split, too.
        texts: sha256 of the documents as they are read, of every corpus and of every split of the target.
    """

    cuts: Mapping[str, Mapping[str, Cut]]
    counts: Mapping[str, Mapping[str, int]]
    texts: Mapping[str, str]

    def __str__(self) -> str:
        """One line for people; empty where nothing was found."""
        said = [text for place, counts in self.counts.items() for text in [_in_words(place, counts)] if text]
        return f"texts on both sides: {'; '.join(said)}" if said else ""


def _in_words(place: str, counts: Mapping[str, int]) -> str:
    phrases = {
        "in_target": "removed (in the target)",
        "in_heldout": "removed (in a held-out part)",
        "in_signal": "left, which stand in the target's signal split",
        "shortened": "shortened by such lines",
        "repeated": "removed (in a later split)",
        "near_target": "share 13 words with the target and stay",
        "near_heldout": "share 13 words with a held-out part and stay",
    }
    found = [f"{counts[key]:,} {phrase}" for key, phrase in phrases.items() if counts.get(key)]
    return f"{place}, {counts['documents']:,} documents: {', '.join(found)}" if found else ""


def find_overlap(corpora: Mapping[str, SplitSource], target: SplitSource, own: str | None, cache: Cache) -> Overlap:
    """What the train part of each corpus shares with the target's splits and with what all corpora hold out.

    Args:
        corpora: those that are read, by name.
        target: how the target is split.
        own: the corpus that the target is the held-out part of; None: none.
        cache: where it is kept, by the content of all of them.

    Raises:
        ConfigError: where a source cannot be read, or nothing is left of a part.
    """
    sources = {f"corpora.{name}": source for name, source in corpora.items()}
    if own is None:
        sources[OWN] = target
    prints = {}
    for place, source in sorted(sources.items()):
        with within(place):
            prints[place] = [source.fingerprint(part) for part in source.fractions]

    def build(path: Path) -> None:
        found = _find(sources, OWN if own is None else f"corpora.{own}")
        (path / _FILE).write_text(json.dumps(asdict(found)), encoding="utf-8")

    entry = cache.entry(sha256_of("overlap", _RULE, own, prints), build)
    kept = json.loads((entry / _FILE).read_text(encoding="utf-8"))
    cuts = {place: {part: _cut(cut) for part, cut in parts.items()} for place, parts in kept["cuts"].items()}
    return Overlap(cuts, kept["counts"], kept["texts"])


def _cut(kept: Mapping[str, Any]) -> Cut:
    return Cut(kept["removed"], {int(number): lines for number, lines in kept["lines"].items()})


def _find(sources: Mapping[str, SplitSource], target: str) -> Overlap:
    parts = {}
    for place, source in sources.items():
        with within(place):
            parts[place] = source.parts
    texts: dict[str, str] = {}
    for place, split in parts.items():
        if place != OWN:
            texts[place] = _digest(rows for name, rows in split.items() if place != target or name not in SPLITS)
    texts |= {f"target.{name}": _digest([parts[target][name]]) for name in SPLITS}
    cuts: dict[str, dict[str, Cut]] = {place: {} for place in parts}
    cuts[target], repeated = _repeated({name: parts[target][name] for name in SPLITS})
    held = {
        "target": HeldOutTexts(row.text for name in SPLITS for row in parts[target][name]),
        "heldout": HeldOutTexts(row.text for split in parts.values() for row in split.get("heldout", [])),
    }
    scored = {**held, "target": HeldOutTexts(row.text for name in _SCORED for row in parts[target][name])}
    counts = {}
    for place, split in parts.items():
        if "train" in split:
            cuts[place]["train"], counts[place] = _left(place, split["train"], held, scored)
    counts[OWN] = {"documents": sum(len(parts[target][name]) for name in SPLITS), "repeated": repeated}
    return Overlap(cuts, counts, texts)


def _digest(parts: Any) -> str:
    """sha256 of the documents of some parts."""
    digest = hashlib.sha256()
    for rows in parts:
        for row in rows:
            fields = json.dumps([row.text, row.group, row.label, row.tagged], ensure_ascii=False)
            digest.update(fields.encode("utf-8", "surrogatepass") + b"\n")
        digest.update(b"\n")
    return digest.hexdigest()


def _repeated(splits: Mapping[str, Sequence[Document]]) -> tuple[dict[str, Cut], int]:
    """A text that stands in several splits stays in the last of them, as `splits.split` does with equal ones."""
    cuts, seen, count = {}, set[str](), 0
    for name in reversed(list(splits)):
        texts = [" ".join(lines_of(row.text)) for row in splits[name]]
        cuts[name] = Cut([number for number, text in enumerate(texts) if text in seen])
        if texts and len(cuts[name].removed) == len(texts):
            raise ConfigError(f"{OWN}: all {len(texts)} documents of its {name} split stand in a later split, too")
        seen |= {*texts}
        count += len(cuts[name].removed)
    return cuts, count


def _left(
    place: str, rows: Sequence[Document], held: Mapping[str, HeldOutTexts], scored: Mapping[str, HeldOutTexts]
) -> tuple[Cut, dict[str, int]]:
    """What of a train part must go, with counts.

    Args:
        place: of the source.
        rows: the train part.
        held: what must not be trained on.
        scored: the same without the signal split, whose texts stay where nothing else would.

    Raises:
        ConfigError: where nothing is left.
    """
    cut, counts = shared(rows, held)
    kept = 0
    if counts["in_target"] and len(cut.removed) == len(rows):
        first = counts
        cut, counts = shared(rows, scored)
        kept = len(rows) - len(cut.removed)
        counts = counts if kept else first
    if rows and len(cut.removed) == len(rows):
        raise ConfigError(
            f"{place}: nothing is left to train on: of the {len(rows):,} documents of its train part "
            f"{counts['in_target']:,} stand in the target's splits and {counts['in_heldout']:,} in held-out parts"
        )
    return cut, counts | {"in_signal": kept}


def shared(rows: Sequence[Document], held: Mapping[str, HeldOutTexts]) -> tuple[Cut, dict[str, int]]:
    """What of a train part must go, with counts."""
    cut = Cut()
    counts = {"documents": len(rows), **dict.fromkeys(("in_target", "in_heldout", "shortened"), 0)}

    def left() -> Iterator[list[str]]:
        """The lines that stay of each document."""
        for number, row in enumerate(rows):
            lines = lines_of(row.text)
            found = _found(lines, held)
            gone = set().union(*found.values())
            if gone and (len(gone) == len(lines) or row.tagged):  # a line of tagged words would lose their tags
                cut.removed.append(number)
                counts["in_target" if found["target"] else "in_heldout"] += 1
                gone = {*range(len(lines))}
            elif gone:
                counts["shortened"] += 1
                places = [n for n, line in enumerate(row.text.splitlines()) if line.strip()]
                cut.lines[number] = [places[n] for n in sorted(gone)]
            yield [line for n, line in enumerate(lines) if n not in gone]

    near = {kind: np.zeros(len(rows), np.bool_) for kind in held}
    for grams, numbers in grams_of(left()):
        for kind, texts in held.items():
            near[kind][numbers[texts.shares(grams)]] = True
    return cut, counts | {f"near_{kind}": int(found.sum()) for kind, found in near.items()}


def _found(lines: Sequence[str], held: Mapping[str, HeldOutTexts]) -> dict[str, set[int]]:
    """The lines that must go; those that follow each other only once others are gone are looked at again."""
    found: dict[str, set[int]] = {kind: set() for kind in held}
    left = list(range(len(lines)))
    while left:
        rest = [lines[n] for n in left]
        new = {kind: {left[n] for n in texts.found_in(rest)} for kind, texts in held.items()}
        gone = set().union(*new.values())
        if not gone:
            break
        found = {kind: found[kind] | numbers for kind, numbers in new.items()}
        left = [n for n in left if n not in gone]
    return found
