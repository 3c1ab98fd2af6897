"""Tags of words."""

from dataclasses import dataclass

import numpy as np

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives.base import Keys, Rows, TaggedText, Text, Tokens
from curriculum_rl.objectives.layout import moved_labels
from curriculum_rl.text.tokenizers import Tokenizer

_FEWEST = 3  # `O` and both tags of one type


@dataclass(frozen=True)
class Tagging:
    """Predict the tag of each word as a reserved label token, read at the word's first sub-word.

    Windows come from a tagged corpus: end of document, the words, end of document, padding. Nothing of them is hidden;
    the label stands at the sub-word's own position, whichever way the row is read.

    Args:
        tokenizer: names the special ids.
        causal: read left to right: of a word, its first sub-word is all that is known.
        first: number of the label token that stands for the first tag; see `Classification`.

    Raises:
        ConfigError: The tokenizer has too few label tokens: for the tags of one type; in `read`, of the corpus.
    """

    tokenizer: Tokenizer
    causal: bool = True
    first: int = 0
    name: str = "tagging"
    labelled: bool = True
    tagged: bool = True

    def __post_init__(self) -> None:
        """Checks the label tokens."""
        self._require(_FEWEST)

    def read(self, corpus: Text, index: Tokens, *, context: int, keys: Keys) -> Tokens:
        """(2, R, T + 1): the windows, and the label token of a word's tag where it begins, -1 elsewhere."""
        if not isinstance(corpus, TaggedText):
            raise ConfigError(f"tasks: {self.name} needs a tagged corpus")
        self._require(len(corpus.label_ids))
        marks = corpus.marks_of(index, context)
        if self.first:
            marks[marks >= 0] = moved_labels(self.tokenizer, marks[marks >= 0], self.first)
        return np.stack([corpus.windows(index, context), marks])

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """The first sub-word of each word is scored."""
        inputs, marks = windows[..., :-1]
        scored = marks >= 0
        return Rows(inputs, np.where(scored, marks, self.tokenizer.pad_id), scored.astype(np.float32))

    def _require(self, tags: int) -> None:
        if self.first + tags > len(self.tokenizer.label_ids):
            raise ConfigError(
                f"tokenizer.labels: {self.name} needs {self.first + tags} label tokens ({tags} tags from label token "
                f"{self.first} on), the tokenizer has {len(self.tokenizer.label_ids)}"
            )
