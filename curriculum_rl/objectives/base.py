"""What an objective is, and how one asks for more of its corpus than the window."""

from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

Tokens = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]


class Rows(NamedTuple):
    """Rows of one objective, each array (R, T): inputs, targets (int64) and weights (float32, 1 = scored)."""

    input_ids: Tokens
    targets: Tokens
    weights: npt.NDArray[np.float32]


class Objective(Protocol):
    """How a window becomes a prediction problem."""

    @property
    def name(self) -> str:
        """Used in the task's name."""
        ...

    @property
    def causal(self) -> bool:
        """Whether its rows are read left to right; False: in both directions."""
        ...

    @property
    def labelled(self) -> bool:
        """Whether it needs a labelled corpus: one label for a text; tags of words where it is a `ReadsTags`."""
        ...

    def __call__(self, windows: Tokens, keys: Keys) -> Rows:
        """Make the rows of some windows; a row depends on its own window and key alone.

        Args:
            windows: (R, T + 1) tokens; (1 + P, R, T + 1) where the objective is a `ReadsMore`.
            keys: (R,) one key per window, from which all of its randomness derives.

        Returns:
            Rows of shape (R, T).
        """
        ...


class Text(Protocol):
    """What a corpus shows to an objective: its tokens, and windows of them, window i starting at token i * context."""

    @property
    def tokens(self) -> npt.NDArray[np.uint16] | npt.NDArray[np.uint32]:
        """All its tokens."""
        ...

    def size(self, context: int) -> int:
        """How many windows there are."""
        ...

    def windows(self, index: Tokens, context: int) -> Tokens:
        """The windows of some numbers, (R, context + 1)."""
        ...


@runtime_checkable
class ReadsMore(Protocol):
    """An objective that reads more of its corpus than the window: a partner from another document, other tokens."""

    def read(self, corpus: Text, index: Tokens, *, context: int, keys: Keys) -> Tokens:
        """What its call takes as windows.

        Args:
            corpus: where to read.
            index: (R,) numbers of the windows.
            context: T.
            keys: (R,) the keys that the call will get; each derives its random numbers from streams of its own.

        Returns:
            (1 + P, R, T + 1): the windows, then P partners of each.
        """
        ...


@runtime_checkable
class TaggedText(Text, Protocol):
    """A corpus whose windows are sentences with a tag for each word, as `curriculum_rl.text.tagged.TaggedCorpus` is."""

    @property
    def label_ids(self) -> tuple[int, ...]:
        """The label token of each tag."""
        ...

    def marks_of(self, index: Tokens, context: int) -> Tokens:
        """(R, context + 1) the label token of its tag where a word begins in `windows`, else -1."""
        ...


@runtime_checkable
class ReadsTags(ReadsMore, Protocol):
    """A `ReadsMore` whose corpus is a `TaggedText`; it also is `labelled`."""

    @property
    def tagged(self) -> bool:
        """True: that there is this attribute makes the difference."""
        ...


def windows_of(objective: Objective, corpus: Text, index: Tokens, *, context: int, keys: Keys) -> Tokens:
    """What an objective takes as windows: those of the corpus, or what it reads itself; arguments as `ReadsMore`."""
    if isinstance(objective, ReadsMore):
        return objective.read(corpus, index, context=context, keys=keys)
    return corpus.windows(index, context)
