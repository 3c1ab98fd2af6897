"""What reading a corpus counted: documents, what was passed over, labels, groups."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import CappedSource, Document, Source, Tally, read, sha256_of

_MEMORY = 3 << 28  # bytes of documents where nothing caps them; 1 million of 60 characters took 406 MiB
_OVERHEAD = 400  # bytes for a document beside its text, while it is split
_FILE = "counts.json"
_FORMAT = 1  # of the counts in the cache
_LABELS = 100  # that are counted one by one


@dataclass(frozen=True)
class Counts:
    """What reading a corpus counted, all its parts together.

    Attributes:
        documents: That were kept.
        characters: Of them.
        filtered: Rows that `where` left out.
        without_text: Rows whose text is null, NaN, empty or blank.
        beyond_cap: Documents that `max_characters` left out.
        labelled: Documents with a label, or with tags.
        unlabelled: Documents without.
        classes: How many labels, or tags of words, there are.
        labels: Documents, or words, by label, the 100 commonest; by label sorted.
        groups: How many groups there are.
        grouped: Documents of a group.
        ungrouped: Documents that stand alone.
    """

    documents: int
    characters: int
    filtered: int
    without_text: int
    beyond_cap: int
    labelled: int
    unlabelled: int
    classes: int
    labels: Mapping[str, int]
    groups: int
    grouped: int
    ungrouped: int

    @classmethod
    def of(cls, documents: Iterable[Document], tally: Tally) -> "Counts":
        """Counts documents that were read with a tally."""
        rows = list(documents)
        labels: Counter[str] = Counter()
        for row in rows:
            labels.update(row.tags if row.tagged else [] if row.label is None else [row.label])
        labelled = sum(row.label is not None for row in rows)
        groups = [row.group for row in rows if row.group]
        return cls(
            documents=len(rows),
            characters=sum(len(row.text) for row in rows),
            filtered=tally.filtered,
            without_text=tally.without_text,
            beyond_cap=tally.beyond_cap,
            labelled=labelled,
            unlabelled=len(rows) - labelled,
            classes=len(labels),
            labels=dict(sorted(labels.most_common(_LABELS))),
            groups=len(set(groups)) - tally.cut,
            grouped=len(groups) - tally.cut,
            ungrouped=len(rows) - len(groups) + tally.cut,
        )

    def entries(self) -> dict[str, Any]:
        """The same, JSON-able; arguments of the class."""
        return asdict(self)

    def remark(self) -> str:
        """What may surprise, in a few words: rows without text, without a label or a group where others have one."""
        found = {
            "without text": self.without_text,
            "without a label": self.unlabelled if self.labelled else 0,
            "without a group": self.ungrouped if self.grouped else 0,
        }
        return ", ".join(f"{count:,} {what}" for what, count in found.items() if count)


@dataclass(frozen=True)
class Reading:
    """All documents of a source, what reading them counted, and whether they all are several lines of a text file."""

    documents: list[Document]
    counts: Counts
    unbroken: bool


def counted(source: Source) -> Reading:
    """Reads a source.

    Raises:
        ConfigError: It holds more text than memory should, and nothing caps it.
    """
    tally = Tally()
    rows: list[Document] = []
    size = 0
    for row in read(source, tally):
        rows.append(row)
        size += _OVERHEAD + sys.getsizeof(row.text)
        if size > _MEMORY and not isinstance(source, CappedSource):
            raise ConfigError(
                f"max_characters: more than {len(rows) - 1:,} documents take {_MEMORY >> 20} MiB, and there are more; "
                "set how many characters to keep, spread over all of it"
            )
    return Reading(rows, Counts.of(rows, tally), tally.unbroken == len(rows))


def cached_counts(fingerprint: str, count: Callable[[], Counts], cache: Cache) -> Counts:
    """Counts of a source with a fingerprint, made only where the cache does not hold them."""

    def build(path: Path) -> None:
        (path / _FILE).write_text(json.dumps(count().entries(), indent=1), encoding="utf-8")

    entry = cache.entry(sha256_of("counts", _FORMAT, fingerprint), build)
    return Counts(**json.loads((entry / _FILE).read_text(encoding="utf-8")))
