"""Corpora that are made of another one's train part."""

from curriculum_rl.text.documents import CappedSource, ShuffledSource
from curriculum_rl.text.splits import PartSource, SplitSource


def copied(source: SplitSource) -> SplitSource:
    """The same."""
    return source


def shuffled(source: SplitSource) -> SplitSource:
    """With the words of every document in random order."""
    return SplitSource(ShuffledSource(PartSource(source, "train"), seed=0), {"train": 1.0})


def shortened(source: SplitSource, *, characters: int) -> SplitSource:
    """At most so many characters of it."""
    return SplitSource(CappedSource(PartSource(source, "train"), characters), {"train": 1.0})
