"""The reviews of 16 domains as corpora: unlabelled text, labelled train examples, labelled test examples.

No text that any domain tests on is read anywhere else: 16 domains of one shop share reviews.
"""

import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus, LabelledCorpus, build_corpus, build_labelled
from curriculum_rl.text.documents import Document, MemorySource
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tokenizers import Tokenizer, TrainTexts, cached_bpe

WHOLE = {"train": 1.0}
VERBALISERS = (" bad", " great")
"""Words that stand for the classes 0 and 1 where each is one token: the body has read them, and no label token."""


@dataclass(frozen=True)
class Domain:
    """One kind of reviews.

    Attributes:
        name: of its file.
        unlabelled: all that is known of it as a target, and what the shared body reads.
        text: of the labelled train examples: what is known of it as a source.
        train: the labelled examples that a learner is tuned on as a source.
        test: the labelled examples that it is scored on as a target.
    """

    name: str
    unlabelled: Corpus
    text: Corpus
    train: LabelledCorpus
    test: LabelledCorpus


def read_domains(
    folder: Path, *, vocab_size: int, limit: int | None = None, first: int | None = None
) -> tuple[Tokenizer, list[Domain]]:
    """The tokenizer, trained on what is not tested on, and the domains in the order of their names.

    Args:
        folder: of the files `<domain>.jsonl.gz` with fields split (train, test, unlabel), label and text.
        vocab_size: of the tokenizer.
        limit: read only so many documents of each part; None: all.
        first: read only so many domains; None: all.

    Raises:
        ConfigError: there is no such file.
    """
    files = sorted(folder.glob("*.jsonl.gz"))[:first]
    if not files:
        raise ConfigError(f"data: no *.jsonl.gz in {folder}; CURRICULUM_RL_DATA names the folder that holds fdu_mtl")
    parts = {path.name.removesuffix(".jsonl.gz"): _read(path, limit) for path in files}
    tested = {row.text for part in parts.values() for row in part["test"]}
    for part in parts.values():
        for split in ("train", "unlabel"):
            part[split] = [row for row in part[split] if row.text not in tested]
    cache = Cache()
    sources = {
        (name, split): SplitSource(MemorySource(rows), WHOLE)
        for name, part in parts.items()
        for split, rows in part.items()
    }
    read = [source for (_, split), source in sources.items() if split != "test"]
    tokenizer = cached_bpe(
        TrainTexts(
            lambda: (row.text for source in read for row in source.documents("train")),
            [source.fingerprint("train") for source in read],
            cache,
        ),
        vocab_size=vocab_size,
        labels=2,
    )
    words = [tokens[0] for tokens in tokenizer.encode(VERBALISERS) if len(tokens) == 1]
    label_ids = tuple(words) if len(words) == len(VERBALISERS) else tokenizer.label_ids[:2]

    def labelled(name: str, split: str) -> LabelledCorpus:
        found = build_labelled(f"{name}.{split}", sources[name, split], "train", tokenizer, cache)
        return replace(found, label_ids=label_ids)

    domains = [
        Domain(
            name,
            build_corpus(f"{name}.unlabelled", sources[name, "unlabel"], "train", tokenizer, cache),
            build_corpus(f"{name}.text", sources[name, "train"], "train", tokenizer, cache),
            labelled(name, "train"),
            labelled(name, "test"),
        )
        for name in parts
    ]
    return tokenizer, domains


def _read(path: Path, limit: int | None) -> dict[str, list[Document]]:
    """Documents by split; white space is made single, so that equal texts are equal."""
    parts: dict[str, list[Document]] = {"train": [], "unlabel": [], "test": []}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            text, rows = " ".join(row["text"].split()), parts[row["split"]]
            if text and (limit is None or len(rows) < limit):
                rows.append(Document(text, label=None if row["label"] is None else str(row["label"])))
    return parts
