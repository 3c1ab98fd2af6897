"""Objectives that are sound but for one thing: the property that finds it, the objective, and what the finding says."""

import itertools
from dataclasses import dataclass

import numpy as np

from curriculum_rl.objectives import MaskedLM
from curriculum_rl.testing.objectives import TOKENIZER


class Short(MaskedLM):
    def __call__(self, windows, keys):
        return super().__call__(windows[:, :-1], keys)


class BeyondTheVocabulary(MaskedLM):
    def __call__(self, windows, keys):
        rows = super().__call__(windows, keys)
        return rows._replace(input_ids=np.where(rows.weights > 0, self.tokenizer.vocab_size, rows.input_ids))


class WeighsByHalf(MaskedLM):
    def __call__(self, windows, keys):
        rows = super().__call__(windows, keys)
        return rows._replace(weights=rows.weights / np.float32(2))


class ScoresNothing(MaskedLM):
    def __call__(self, windows, keys):
        rows = super().__call__(windows, keys)
        return rows._replace(weights=rows.weights * (np.arange(len(windows)) != 2)[:, None].astype(np.float32))


class ScoresPadding(MaskedLM):
    def __call__(self, windows, keys):
        rows = super().__call__(windows, keys)
        return rows._replace(targets=np.where(rows.weights > 0, self.tokenizer.pad_id, rows.targets))


class LooksAtNeighbours(MaskedLM):
    def __call__(self, windows, keys):
        return super().__call__(np.concatenate([windows[1:], windows[:1]]), keys)


class CountsCalls(MaskedLM):
    calls = itertools.count()

    def __call__(self, windows, keys):
        return super().__call__(windows, keys + np.uint64(next(self.calls)))


class WritesOver(MaskedLM):
    def __call__(self, windows, keys):
        rows = super().__call__(windows, keys)
        windows[:, :-1] = rows.input_ids
        return rows


@dataclass(frozen=True)
class NamedLikeAFolder(MaskedLM):
    name: str = "my/objective"


OBJECTIVES = [
    (name, kind(TOKENIZER, rate=0.15), message)
    for name, kind, message in [
        ("test_rows_are_well_formed", Short, r"input_ids must be \(R, T\)"),
        ("test_rows_are_well_formed", BeyondTheVocabulary, "input_ids must be known tokens"),
        ("test_rows_are_well_formed", WeighsByHalf, "weights must be 0 or 1"),
        ("test_rows_are_well_formed", ScoresNothing, "every row must score something"),
        ("test_rows_are_well_formed", ScoresPadding, "padding must not be scored"),
        ("test_a_row_is_its_own_windows_and_keys", LooksAtNeighbours, "made one by one, and together"),
        ("test_same_keys_same_rows", CountsCalls, "must give the same rows"),
        ("test_windows_are_left_alone", WritesOver, "must copy what it changes"),
        ("test_what_it_says_of_itself", NamedLikeAFolder, "'my/objective' must be a word"),
    ]
]
