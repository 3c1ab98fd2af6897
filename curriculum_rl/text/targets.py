"""The downstream target: held-out text, and labelled examples where it has labels, in four disjoint splits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.corpora import Corpus, LabelledCorpus
from curriculum_rl.text.tagged import TaggedCorpus

Split = Literal["signal", "reward", "selection", "report"]
"""signal: priors, few-shot examples and the one task that `target.train` adds; reward: what the proxy pays on;
selection: choices; report: scores told."""

SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True)
class Target:
    """What matters downstream. No task trains on a split, but for the signal split where `target.train` adds one.

    Attributes:
        name: of the corpus it comes from.
        text: the token stream of each split.
        labelled: the labelled examples of each split; empty where the target has no labels.
        tagged: the tagged sentences of each split; empty where its words have no tags.
    """

    name: str
    text: Mapping[Split, Corpus]
    labelled: Mapping[Split, LabelledCorpus]
    tagged: Mapping[Split, TaggedCorpus]

    def require_labels(self, key: str) -> None:
        """See that the target has labels, one for a text.

        Raises:
            ConfigError: naming the key that needs them.
        """
        if self.tagged:
            raise ConfigError(
                f"{key}: needs one label for a text, and the words of target.corpus {self.name!r} have tags"
            )
        if not self.labelled:
            raise ConfigError(f"{key}: needs labels, and target.corpus {self.name!r} has no label_field")
