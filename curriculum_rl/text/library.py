"""The corpora of an environment: which source each is read from, how it is split, and its token arrays."""

from collections.abc import Iterator
from functools import cached_property

from curriculum_rl.errors import ConfigError, within, wrong
from curriculum_rl.plugins import built_in, custom
from curriculum_rl.schema import CorpusConfig, Custom, EnvConfig
from curriculum_rl.schema.corpora import HELDOUT, DerivedCorpus, Labels, NoiseCorpus, ReadCorpus
from curriculum_rl.text import iob
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus, LabelledCorpus, build_corpus, build_labelled
from curriculum_rl.text.disjoint import OWN, Overlap, find_overlap
from curriculum_rl.text.documents import CappedSource, Source
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tagged import TaggedCorpus, build_tagged
from curriculum_rl.text.targets import SPLITS, Target
from curriculum_rl.text.tokenizers import Tokenizer, TrainTexts


class Library:
    """Sources, tokenizer and token arrays of an environment; nothing is read before it is asked for.

    Args:
        config: the environment.
        cache: where tokenised corpora are kept.
    """

    def __init__(self, config: EnvConfig, cache: Cache) -> None:
        self._config = config
        self._cache = cache
        self._own_target = config.target.corpus if isinstance(config.target.corpus, str) else None
        self._read = {
            name: self._split(name, section)
            for name, section in config.corpora.items()
            if isinstance(section, ReadCorpus | Custom)
        }

    @cached_property
    def overlap(self) -> Overlap:
        """What stood in a train part and in the target or a held-out part; all that is read is without it."""
        return find_overlap(self._read, self._whole_target, self._own_target, self._cache)

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer; a BPE is trained on the train parts only, in the order of the file."""
        section = self._config.tokenizer
        content = [source.fingerprint("train") for source in self._sources.values()]
        made: Tokenizer = built_in(section)(TrainTexts(self._train_texts, content, self._cache), **section.settings())
        return made

    def corpus(self, name: str) -> Corpus:
        """What tasks on a corpus train on."""
        section = self._config.corpora[name]
        if isinstance(section, NoiseCorpus):
            noise: Corpus = built_in(section)(name, self.tokenizer, **section.settings())
            return noise
        return build_corpus(name, self._source_of(name), "train", self.tokenizer, self._cache)

    def labelled(self, name: str) -> LabelledCorpus:
        """The labelled examples that classification tasks on a corpus train on.

        Raises:
            ConfigError: if the corpus has no labels.
        """
        if self._is_tagged(name):
            raise ConfigError(
                f"tasks: classification needs one label for a text, and words of corpora.{name} have tags"
            )
        if not _labels(self._config.corpora[name]):
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
        elif _labels(section):
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
    def _sources(self) -> dict[str, SplitSource]:
        cuts = self.overlap.cuts
        return {name: source.without(cuts[f"corpora.{name}"]) for name, source in self._read.items()}

    @cached_property
    def _whole_target(self) -> SplitSource:
        section = self._config.target.corpus
        if isinstance(section, str):
            return self._read[section]
        return SplitSource(
            source_of(section, "target"), {split: getattr(self._config.target, split) for split in SPLITS}
        )

    @cached_property
    def _target(self) -> tuple[str, SplitSource, CorpusConfig]:
        """Its name, how it is split and what the file says of it."""
        section = self._config.target.corpus
        if isinstance(section, str):
            return section, self._sources[section], self._config.corpora[section]
        return "target", self._whole_target.without(self.overlap.cuts[OWN]), section

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
        if isinstance(section, DerivedCorpus):
            return self._is_tagged(section.of)
        return name in self._sources and _is_tagged(section, self._sources[name])

    def _train_texts(self) -> Iterator[str]:
        for name, source in self._sources.items():
            with within(f"corpora.{name}"):
                documents = source.documents("train")
            yield from (document.text for document in documents)

    def _source_of(self, name: str) -> SplitSource:
        section = self._config.corpora[name]
        if isinstance(section, DerivedCorpus):
            made: SplitSource = built_in(section)(self._sources[section.of], **section.settings(beyond=DerivedCorpus))
            return made
        return self._sources[name]

    def _split(self, name: str, section: CorpusConfig) -> SplitSource:
        heldout = section.heldout if isinstance(section, ReadCorpus) else HELDOUT
        fractions: dict[str, float] = {"train": 1 - heldout, "heldout": heldout}
        if name == self._own_target:
            target = self._config.target
            fractions = {"train": 1 - heldout} | {split: heldout * getattr(target, split) for split in SPLITS}
        return SplitSource(source_of(section, f"corpora.{name}"), fractions)


def source_of(section: CorpusConfig, key: str = "corpora") -> Source:
    """What a section of the environment file reads; the key is its place there.

    Raises:
        ConfigError: if it is not read but derived from another.
    """
    if isinstance(section, Custom):
        own: Source = custom(section, Source, key)
        return own
    if not isinstance(section, ReadCorpus):
        raise wrong(f"{key}.kind", section.kind, "one that is read; what is derived from another stands in corpora")
    source: Source = built_in(section)(**section.settings(beyond=ReadCorpus))
    return CappedSource(source, section.max_characters) if section.max_characters else source


def _labels(section: CorpusConfig) -> Labels | None:
    """What of a corpus has labels, if anything; of the user's own, an option `label_field` says that something has."""
    if isinstance(section, Custom):
        return "as read" if section.options.get("label_field") is not None else None
    return section.labels


def _is_tagged(section: CorpusConfig, source: SplitSource) -> bool:
    """Whether labels are tags of words; where the section does not tell, the first labelled document does."""
    labels = _labels(section)
    if labels != "as read":
        return labels == "words"
    whole = source.source.source if isinstance(source.source, CappedSource) else source.source
    return next((row.tagged for row in whole.documents() if row.label is not None), False)
