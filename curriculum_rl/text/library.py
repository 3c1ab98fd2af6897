"""The corpora of an environment: which source each is read from, how it is split, and its token arrays."""

from collections.abc import Iterator
from functools import cached_property

from curriculum_rl import schema
from curriculum_rl.errors import ConfigError
from curriculum_rl.plugins import custom
from curriculum_rl.text import iob
from curriculum_rl.text.almanac import AlmanacSource
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus, LabelledCorpus, build_corpus, build_labelled, noise_corpus
from curriculum_rl.text.documents import CappedSource, ShuffledSource, Source
from curriculum_rl.text.sources import DatasetSource, FileSource
from curriculum_rl.text.splits import PartSource, SplitSource
from curriculum_rl.text.tagged import TaggedCorpus, build_tagged
from curriculum_rl.text.targets import SPLITS, Target
from curriculum_rl.text.tokenizers import Tokenizer, cached_bpe, from_transformers

_DERIVED = schema.NoiseCorpus | schema.ShuffledCorpus | schema.CopyCorpus | schema.SmallCorpus


class Library:
    """Sources, tokenizer and token arrays of an environment; nothing is read before it is asked for.

    Args:
        config: the environment.
        cache: where tokenised corpora are kept.
    """

    def __init__(self, config: schema.EnvConfig, cache: Cache) -> None:
        self._config = config
        self._cache = cache
        self._own_target = config.target.corpus if isinstance(config.target.corpus, str) else None
        self._sources = {
            name: self._split(name, section)
            for name, section in config.corpora.items()
            if not isinstance(section, _DERIVED)
        }

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; a BPE is trained on the train parts only, in the order of the file."""
        section = self._config.tokenizer
        if isinstance(section, schema.TransformersTokenizer):
            return from_transformers(section.path, labels=section.labels)
        return cached_bpe(
            self._train_texts,
            content=[source.fingerprint("train") for source in self._sources.values()],
            vocab_size=section.vocab_size,
            cache=self._cache,
            labels=section.labels,
        )

    def corpus(self, name: str) -> Corpus:
        """What tasks on a corpus train on."""
        section = self._config.corpora[name]
        if isinstance(section, schema.NoiseCorpus):
            return noise_corpus(name, self.tokenizer, tokens=section.tokens, seed=0)
        return build_corpus(name, self._source_of(name), "train", self.tokenizer, self._cache)

    def labelled(self, name: str) -> LabelledCorpus:
        """The labelled examples that classification tasks on a corpus train on.

        Raises:
            ConfigError: if the corpus has no labels.
        """
        section = self._config.corpora[name]
        if self._is_tagged(name):
            raise ConfigError(
                f"tasks: classification needs one label for a text, and words of corpora.{name} have tags"
            )
        if isinstance(section, schema.NoiseCorpus) or not _has_labels(section):
            raise ConfigError(f"tasks: classification needs labels, and corpora.{name} has no label_field")
        return build_labelled(name, self._source_of(name), "train", self.tokenizer, self._cache)

    def tagged(self, name: str) -> TaggedCorpus:
        """The tagged sentences that tagging tasks on a corpus train on; tags are numbered alike in all corpora.

        Raises:
            ConfigError: if its words have no tags, or the tokenizer too few label tokens for those of all corpora.
        """
        if not self._is_tagged(name):
            raise ConfigError(f"tasks: tagging needs a tag for each word, and corpora.{name} has none")
        corpus = build_tagged(name, self._source_of(name), "train", self.tokenizer, self._cache)
        return corpus.with_classes(self._tags, self.tokenizer)

    def target(self) -> Target:
        """The target's four splits."""
        name, source, section = self._target
        arguments = [(split, (f"{name}.{split}", source, split, self.tokenizer, self._cache)) for split in SPLITS]
        text = {split: build_corpus(*given) for split, given in arguments}
        labelled, tagged = {}, {}
        if _is_tagged(section, source):
            tagged = {
                split: build_tagged(*given).with_classes(self._tags, self.tokenizer) for split, given in arguments
            }
        elif _has_labels(section):
            labelled = {split: build_labelled(*given) for split, given in arguments}
        return Target(name, text, labelled, tagged)

    def heldout(self) -> dict[str, Corpus]:
        """What no task trains on, of every corpus that is read; of the target's own, the report split."""
        return {
            name: build_corpus(
                f"{name}.heldout",
                source,
                "report" if name == self._own_target else "heldout",
                self.tokenizer,
                self._cache,
            )
            for name, source in self._sources.items()
        }

    def hashes(self) -> dict[str, str]:
        """sha256 of the train tokens of every corpus."""
        return {name: self.corpus(name).sha256 for name in self._config.corpora}

    @cached_property
    def _target(self) -> tuple[str, SplitSource, schema.CorpusConfig]:
        """Its name, how it is split and what the file says of it."""
        section = self._config.target.corpus
        if isinstance(section, str):
            return section, self._sources[section], self._config.corpora[section]
        fractions: dict[str, float] = {split: getattr(self._config.target, split) for split in SPLITS}
        return "target", SplitSource(self._read("target", section), fractions), section

    @cached_property
    def _tags(self) -> tuple[str, ...]:
        """The tags of all corpora and of the target."""
        read = [(name, source, self._config.corpora[name]) for name, source in self._sources.items()]
        found: set[str] = set()
        for name, source, section in [*read, self._target]:
            if _is_tagged(section, source):
                part = next(iter(source.fractions))
                found |= {*build_tagged(name, source, part, self.tokenizer, self._cache).classes}
        return iob.in_order(found)

    def _is_tagged(self, name: str) -> bool:
        """Whether the words of a corpus have tags; one that is derived from another has them where that one does."""
        section = self._config.corpora[name]
        if isinstance(section, schema.ShuffledCorpus | schema.CopyCorpus | schema.SmallCorpus):
            return self._is_tagged(section.of)
        return name in self._sources and _is_tagged(section, self._sources[name])

    def _train_texts(self) -> Iterator[str]:
        for name, source in self._sources.items():
            try:
                documents = source.documents("train")
            except ConfigError as error:
                raise ConfigError(f"corpora.{name}: {error}") from error
            yield from (document.text for document in documents)

    def _source_of(self, name: str) -> SplitSource:
        section = self._config.corpora[name]
        if isinstance(section, schema.CopyCorpus):
            return self._sources[section.of]
        if isinstance(section, schema.ShuffledCorpus | schema.SmallCorpus):
            train = PartSource(self._sources[section.of], "train")
            if isinstance(section, schema.ShuffledCorpus):
                return SplitSource(ShuffledSource(train, seed=0), {"train": 1.0})
            return SplitSource(CappedSource(train, section.characters), {"train": 1.0})
        return self._sources[name]

    def _split(self, name: str, section: schema.CorpusConfig) -> SplitSource:
        heldout = section.heldout if isinstance(section, schema.CorpusSection) else 0.05
        fractions: dict[str, float] = {"train": 1 - heldout, "heldout": heldout}
        if name == self._own_target:
            target = self._config.target
            fractions = {"train": 1 - heldout} | {split: heldout * getattr(target, split) for split in SPLITS}
        return SplitSource(self._read(f"corpora.{name}", section), fractions)

    def _read(self, key: str, section: schema.CorpusConfig) -> Source:
        match section:
            case schema.AlmanacCorpus():
                source: Source = AlmanacSource(section.text)
            case schema.FilesCorpus():
                source = FileSource(
                    path=section.paths,
                    format=section.format,
                    text_field=section.text_field,
                    label_field=section.label_field,
                    group_field=section.group_field,
                    where=section.where,
                )
            case schema.DatasetCorpus():
                source = DatasetSource(
                    path=section.path,
                    config_name=section.config_name,
                    split=section.split,
                    text_field=section.text_field,
                    label_field=section.label_field,
                    group_field=section.group_field,
                    where=section.where,
                )
            case schema.Custom():
                return custom(section)  # type: ignore[no-any-return]
            case _:
                raise ConfigError(f"{key}.kind: {section.kind!r} must be one of the corpora, derived from another")
        return CappedSource(source, section.max_characters) if section.max_characters else source


def _is_tagged(section: schema.CorpusConfig, source: SplitSource) -> bool:
    """Whether labels are tags of words; where the format does not tell, the first labelled document does."""
    if isinstance(section, schema.FilesCorpus) and section.format == "conll":
        return True
    if getattr(section, "label_field", None) is None:
        return False
    whole = source.source.source if isinstance(source.source, CappedSource) else source.source
    return next((row.tagged for row in whole.documents() if row.label is not None), False)


def _has_labels(section: schema.CorpusConfig) -> bool:
    if isinstance(section, schema.AlmanacCorpus):
        return section.text in ("clinical", "kjv", "sotu")
    return getattr(section, "label_field", None) is not None
