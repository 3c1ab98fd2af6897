"""What a mixture gains over another on a target's text, predicted by counting before anything is trained.

Shape letters: K sources, U pieces of the target.
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curriculum_rl.draws import key, window_of
from curriculum_rl.errors import ConfigError
from curriculum_rl.priors.likelihoods import TARGET, Tokens
from curriculum_rl.priors.trigrams import Asked, Trigrams

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Weigh = Callable[[Tokens], Floats]
"""Tokens of a target -> (K,) weights of the sources, summing to 1."""

READ = 1 << 17
"""Tokens that a mixture reads in all: of 2^15, 2^17 and 2^19 the one whose gains were nearest to measured ones, up to a
factor (docs/log.md)."""
PIECES, SHORTEST, LONGEST = 50, 64, 512
"""A document is one piece; a longer one than a fiftieth of the text is cut, into no shorter pieces than the one and no
longer ones than the other."""


@dataclass(frozen=True)
class Gain:
    """What a mixture's trigram model takes off another's loss.

    Attributes:
        nats: per token of the target, from halves that chose neither weights nor smoothing.
        error: its standard error over the pieces of the target.
        pieces: U.
        tokens: that were predicted.
    """

    nats: float
    error: float
    pieces: int
    tokens: int


def counted_gain(
    weigh: Weigh,
    other: Floats,
    target: Tokens,
    sources: Sequence[Tokens],
    vocab_size: int,
    *,
    end: int,
    ignored: Collection[int] = (),
    tokens: int = READ,
) -> Gain:
    """Cross-fitted gain of a mixture over another: weights and smoothing of one half of a target, scored on the other.

    Args:
        weigh: gives the mixture from tokens of the target.
        other: (K,) the mixture that it is compared with, which no half changes.
        target: its tokens; of a long one so many as a prior reads.
        sources: K, tokens of each.
        vocab_size: of both.
        end: the token after a document.
        ignored: tokens that are no text.
        tokens: that a mixture reads in all, at most READ.

    Raises:
        ConfigError: where the target is too short to be halved.
    """
    pieces = list(_chosen(_pieces(target, end)))
    no_text = np.zeros(vocab_size, np.bool_)
    no_text[[end, *ignored]] = True
    asked = Asked.of(_joined(pieces, end)[None], no_text)
    numbers = np.repeat(np.arange(len(pieces)), [len(piece) + 1 for piece in pieces])
    kept, of_piece = np.unique(numbers[asked.places], return_inverse=True)
    if len(kept) < 2:
        raise ConfigError(f"target: {len(target):,} tokens are too few to predict a gain: two documents, or 130 tokens")
    trigrams = Trigrams(asked, sources, vocab_size, no_text)
    others, gains = trigrams.model(other, min(tokens, READ)), np.empty(len(of_piece))
    for half in (0, 1):
        scored = of_piece % 2 == half
        mine = trigrams.model(
            weigh(_joined([pieces[number] for number in kept[1 - half :: 2]], end)), min(tokens, READ)
        )
        losses = [model.loss(model.fitted(~scored)) for model in (others, mine)]
        gains[scored] = (losses[0] - losses[1])[scored]
    return _summed(gains, of_piece, len(kept))


def _summed(gains: Floats, of_piece: Ints, pieces: int) -> Gain:
    """The mean of tokens, and its standard error as a ratio of the pieces' sums."""
    totals = np.bincount(of_piece, gains, minlength=pieces)
    sizes = np.bincount(of_piece, minlength=pieces)
    mean = float(totals.sum() / sizes.sum())
    squares = float(np.square(totals - mean * sizes).sum())
    return Gain(mean, math.sqrt(squares * pieces / (pieces - 1)) / float(sizes.sum()), pieces, int(sizes.sum()))


def _joined(pieces: Sequence[Ints], end: int) -> Ints:
    return np.concatenate([part for piece in pieces for part in (piece, [end])])


def _pieces(target: Tokens, end: int) -> Iterator[Ints]:
    """The documents of a text without their ends, long ones cut."""
    whole = np.asarray(target).astype(np.int64)
    length = int(np.clip(len(whole) // PIECES, SHORTEST, LONGEST))
    for ended in np.split(whole, np.flatnonzero(whole == end) + 1):
        document = ended[ended != end]
        yield from (document[first : first + length] for first in range(0, len(document), length))


def _chosen(pieces: Iterator[Ints]) -> Iterator[Ints]:
    """Pieces in random but fixed order, until there are as many tokens as a prior reads."""
    all_pieces, tokens = list(pieces), 0
    for place in window_of(key(0, "predicted gain"), np.arange(len(all_pieces)), len(all_pieces)):
        if tokens >= TARGET:
            break
        tokens += len(all_pieces[place])
        yield all_pieces[place]
