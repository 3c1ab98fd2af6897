"""How rows with labels look: the marker that names the question, the text, and where the label is read.

A label is a reserved label token. Objectives with labels share the first ones, and one model is asked all of them, so
every such row starts with its objective's marker, a label token counted from the end: the counterpart of the task
embedding of ERNIE 2.0 (Sun et al. 2020, arXiv:1907.12412).

Shape letters: R rows, T tokens of a row, S segments of a row.
"""

from typing import NamedTuple

import numpy as np

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives.base import Bools, Rows, Tokens
from curriculum_rl.text.tokenizers import Tokenizer

# The order is part of the format: it says which label token from the end marks each.
MARKED = (
    "sentence_reordering",
    "sentence_distance",
    "sentence_order",
    "next_sentence",
    "replaced_token_detection",
    "added_token_detection",
    "deleted_token_detection",
    "capitalisation",
    "token_document_relation",
    "random_label",
)


class Reserved(NamedTuple):
    """The special tokens of an objective: one label token for each class, and its marker."""

    labels: Tokens
    marker: int


def reserve(tokenizer: Tokenizer, name: str, classes: int) -> Reserved:
    """The label tokens of an objective.

    Raises:
        ConfigError: The tokenizer has too few.
    """
    from_end = MARKED.index(name) + 1
    if len(tokenizer.label_ids) < classes + from_end:
        raise ConfigError(
            f"tokenizer.labels: {name} needs {classes + from_end} label tokens ({classes} classes and a marker), "
            f"the tokenizer has {len(tokenizer.label_ids)}"
        )
    return Reserved(np.array(tokenizer.label_ids[:classes], dtype=np.int64), tokenizer.label_ids[-from_end])


def moved_labels(tokenizer: Tokenizer, labels: Tokens, first: int) -> Tokens:
    """Label tokens (any shape), each replaced by the one `first` places on.

    Raises:
        ConfigError: The tokenizer has too few.
    """
    known = np.array(tokenizer.label_ids, dtype=np.int64)
    order = np.argsort(known)
    number = order[np.searchsorted(known, labels, sorter=order)] + first
    if (number >= len(known)).any():
        raise ConfigError(
            f"tokenizer.labels: classes from label token {first} on need {number.max() + 1}, "
            f"the tokenizer has {len(known)}"
        )
    moved: Tokens = known[number]
    return moved


def require_context(name: str, context: int, least: int) -> None:
    """Refuses rows that are too short.

    Raises:
        ConfigError: The context is below what the objective needs.
    """
    if context < least:
        raise ConfigError(f"context: {context} is too short for {name}, which needs {least}")


def labelled_tokens(
    tokenizer: Tokenizer, reserved: Reserved, text: Tokens, classes: Tokens | Bools, scored: Bools
) -> Rows:
    """Rows of the marker and text, with a label for each scored token at its own position.

    Args:
        tokenizer: names the special ids.
        reserved: the objective's label tokens.
        text: (R, T - 1).
        classes: (R, T - 1) the class of each token.
        scored: (R, T - 1); in a row that scores nothing all tokens but padding are scored.
    """
    scored = scored | (~scored.any(axis=1, keepdims=True) & (text != tokenizer.pad_id))
    shape = (len(text), text.shape[1] + 1)
    inputs, targets = np.full(shape, reserved.marker), np.full(shape, tokenizer.pad_id)
    weights = np.zeros(shape, dtype=np.float32)
    inputs[:, 1:] = text
    targets[:, 1:] = reserved.labels[classes.astype(np.int64)]
    weights[:, 1:] = scored
    return Rows(inputs, targets, weights)


class Segments(NamedTuple):
    """Pieces of text, in the order in which they stand in the rows.

    Attributes:
        text: (R, L) tokens that the pieces are cut from.
        starts: (R, S) where each begins.
        lengths: (R, S) how long it is.
    """

    text: Tokens
    starts: Tokens
    lengths: Tokens


def room(context: int, segments: int) -> int:
    """Tokens of text in a row: T without the marker, the separators and the class position."""
    return context - segments - 1


def labelled_segments(
    tokenizer: Tokenizer, reserved: Reserved, segments: Segments, classes: Tokens, *, context: int, causal: bool
) -> Rows:
    """Rows of the marker and segments with end-of-document tokens between them, and one label.

    The label is read at the position after the last segment, where the class token stands; in rows that are read in
    both directions the mask stands there.

    Args:
        tokenizer: names the special ids.
        reserved: the objective's label tokens.
        segments: of at most `room` tokens in all.
        classes: (R,) the class of each row.
        context: T.
        causal: whether the rows are read left to right.
    """
    text, starts, lengths = segments
    R, L = text.shape
    asked = tokenizer.cls_id if causal else tokenizer.mask_id
    special = np.array([reserved.marker, tokenizer.eos_id, asked, tokenizer.pad_id])
    marker, separator, question, padding = range(L, L + 4)
    pool = np.concatenate([text, np.broadcast_to(special, (R, 4))], axis=1)
    rows, columns = np.arange(R), np.arange(context)
    source = np.full((R, context), marker)
    begin = np.ones(R, dtype=np.int64)
    for segment in range(starts.shape[1]):
        shifted = columns + (starts[:, segment] - begin)[:, None]
        source = np.where(columns >= begin[:, None], shifted, source)
        begin = begin + lengths[:, segment]
        source[rows, begin] = separator
        begin = begin + 1
    source[columns >= begin[:, None]] = padding
    source[rows, begin - 1] = question
    targets = np.full((R, context), tokenizer.pad_id)
    targets[rows, begin - 1] = reserved.labels[classes]
    weights = np.zeros((R, context), dtype=np.float32)
    weights[rows, begin - 1] = 1.0
    return Rows(np.take_along_axis(pool, source, axis=1), targets, weights)
