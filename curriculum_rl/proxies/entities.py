"""Named entities found: the tag of every word as a learner reads it, and their F1.

Shape letters: R sentences, T tokens of a row.
"""

import numpy as np
import numpy.typing as npt

from curriculum_rl.errors import ConfigError
from curriculum_rl.text import iob
from curriculum_rl.text.corpora import Indices
from curriculum_rl.text.tagged import NO_TAG, TaggedCorpus


def entity_f1(true: list[list[str]], found: list[list[str]]) -> float:
    """Micro-F1 of entities, in [0, 1]: type and both ends must be right.

    Raises:
        ConfigError: `seqeval` is not installed.

    Source: `seqeval` in its default mode, which counts as CoNLL's script does.
    """
    try:
        from seqeval.metrics import f1_score
    except ImportError as error:
        raise ConfigError("entity F1 needs seqeval: pip install 'curriculum-rl[ner]'") from error
    return float(f1_score(true, found, average="micro", zero_division=0))


def predicted_tags(
    corpus: TaggedCorpus, index: Indices, predicted_classes: npt.NDArray[np.int64], context: int
) -> list[list[str]]:
    """The tag of every word of some sentences: what is predicted at its first sub-word, `O` where it was not read.

    Args:
        corpus: where the sentences stand.
        index: (R,) their numbers.
        predicted_classes: (R, T) numbers of tags, one for each token of the rows.
        context: T.
    """
    begins = corpus.numbers_of(index, context)[:, :context] != NO_TAG
    found = []
    for tags, begin, numbers in zip(corpus.true_tags(index), begins, predicted_classes, strict=True):
        read = [corpus.classes[number] for number in numbers[begin].tolist()]
        found.append(read + [iob.OUTSIDE] * (len(tags) - len(read)))
    return found
