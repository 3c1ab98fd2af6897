"""Rows of tokens, and batches of them as pure functions of a seed and a count.

Shapes: R rows at hand, B rows of a batch, T tokens, S scored positions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.draws import key, spread, window_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import MaskedLM
from curriculum_rl.text.tokenizers import Tokenizer

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Labelled:
    """Texts with classes.

    Attributes:
        ids: (R, T) tokens, padded.
        labels: (R,) classes, from 0.
    """

    ids: Ints
    labels: Ints

    def __getitem__(self, rows: Ints) -> "Labelled":
        return Labelled(self.ids[rows], self.labels[rows])

    def __add__(self, other: "Labelled") -> "Labelled":
        return Labelled(np.concatenate([self.ids, other.ids]), np.concatenate([self.labels, other.labels]))


@dataclass(frozen=True)
class Problem:
    """An end-task and the texts that may help it.

    Attributes:
        train: the end-task's examples to train on.
        dev: to select on, and for META.
        test: to report on.
        classes: C.
        metric: `macro_f1` or `accuracy`, higher is better.
        texts: (R, T) padded rows of each auxiliary text, by name.
        tokenizer: of all of them.
    """

    train: Labelled
    dev: Labelled
    test: Labelled
    classes: int
    metric: str
    texts: Mapping[str, Ints]
    tokenizer: Tokenizer


class ClassBatch(NamedTuple):
    """(B, t) tokens and (B,) classes; t is the longest row's length."""

    ids: Tensor
    labels: Tensor


class MaskedBatch(NamedTuple):
    """(B, t) tokens with some hidden, (S,) places of these in the flattened batch, and (S,) what they were."""

    ids: Tensor
    places: Tensor
    targets: Tensor


def encoded(texts: Sequence[str], tokenizer: Tokenizer, context: int) -> Ints:
    """(R, T) rows: the first special token, a text cut to T - 2 tokens, the end token, padding.

    Raises:
        ConfigError: where there is no text.
    """
    rows = [ids[: context - 2] for ids in tokenizer.encode(texts) if ids]
    if not rows or len(rows) < len(texts):
        raise ConfigError(f"texts: {len(texts) - len(rows)} of {len(texts)} are empty")
    table = np.full((len(rows), context), tokenizer.pad_id, np.int64)
    for row, ids in zip(table, rows, strict=True):
        row[: len(ids) + 2] = [tokenizer.cls_id, *ids, tokenizer.eos_id]
    return table


def noise_like(rows: Ints, tokenizer: Tokenizer, *, seed: int) -> Ints:
    """(R, T) rows as long as the given ones, of uniform random tokens: nothing can be learned of them."""
    ordinary = tokenizer.ordinary_ids
    drawn = ordinary[spread(key("noise", seed), np.arange(rows.size)) % np.uint64(len(ordinary))].reshape(rows.shape)
    special = np.isin(rows, [tokenizer.cls_id, tokenizer.eos_id, tokenizer.pad_id])
    return np.where(special, rows, drawn)


def picked(seed: int, stream: str, first: int, count: int, size: int) -> Ints:
    """(count,) row numbers: draws number `first` and following of a stream, every row once per epoch."""
    return window_of(key(seed, "tartan", stream), np.arange(first, first + count), size)


def trimmed(ids: Ints, pad_id: int) -> Ints:
    """(B, t) the rows without the columns that are padding in all of them."""
    return ids[:, : max(1, int((ids != pad_id).sum(axis=1).max()))]


def class_batch(rows: Labelled, pad_id: int, device: torch.device) -> ClassBatch:
    """All rows as a batch."""
    return ClassBatch(
        torch.from_numpy(trimmed(rows.ids, pad_id)).to(device), torch.from_numpy(rows.labels.copy()).to(device)
    )


def masked_batch(ids: Ints, tokenizer: Tokenizer, stream: int, first: int, device: torch.device) -> MaskedBatch:
    """Rows with 15 % of the tokens asked for, the first one never; the n-th row of a stream has masks of its own."""
    tokens = trimmed(ids, tokenizer.pad_id)
    keys = spread(stream, np.arange(first, first + len(tokens)))
    # The objective drops a window's last token: a column of padding stands in for it.
    text = np.pad(tokens[:, 1:], ((0, 0), (0, 1)), constant_values=tokenizer.pad_id)
    rows = MaskedLM(tokenizer, rate=0.15)(text, keys)
    inputs = np.concatenate([tokens[:, :1], rows.input_ids], axis=1)
    places = np.flatnonzero(np.pad(rows.weights, ((0, 0), (1, 0))))
    arrays = (inputs, places, tokens.ravel()[places])
    return MaskedBatch(*(torch.from_numpy(np.ascontiguousarray(array)).to(device) for array in arrays))
