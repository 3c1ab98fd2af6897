"""Next sentence and sentence distance."""

from collections.abc import Callable

import numpy as np
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.objectives import NextSentence, SentenceDistance
from curriculum_rl.text.tokenizers import Tokenizer

Ids = Callable[[str], list[int]]


def pairs(own: list[int], other: list[int]) -> np.ndarray:
    return np.tile([[own], [other]], (1, 200, 1))


OWN = "/ the cat ran . the dog came / by the sea ."


@pytest.mark.parametrize("causal", [True, False])
def test_next_sentence_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray, causal: bool) -> None:
    """T = 12 has room for nine tokens; the second segment is three quarters of "the dog came", rounded down."""
    windows = pairs(ids(OWN), ids("no . a fish sat ! the hat red but no . the"))
    rows = NextSentence(tokenizer, causal=causal)(windows, keys)
    marker, asked = tokenizer.label_ids[-4], ids("= _ _ _" if causal else "? _ _ _")
    true = (marker, *ids("the cat ran . / the dog"), *asked)
    strange = (marker, *ids("the cat ran . / the hat"), *asked)
    assert {tuple(row) for row in rows.input_ids.tolist()} == {true, strange}
    is_strange = (rows.input_ids == strange).all(axis=1)
    assert (rows.targets[:, 8] == np.array(tokenizer.label_ids)[is_strange.astype(int)]).all()
    assert (rows.weights == [0] * 8 + [1, 0, 0, 0]).all()
    assert 70 < is_strange.sum() < 130


def test_where_sentences_are_torn_the_strangers_are_too(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 10 has room for seven tokens: two parts of three, of the second two are shown."""
    windows = pairs(ids("the cat ran . the dog came by the sea ."), ids("no . a fish sat the hat ! but no ."))
    rows = NextSentence(tokenizer)(windows, keys)
    true, strange = ids("the cat ran / . the = _ _"), ids("the cat ran / the hat = _ _")
    assert {tuple(row) for row in rows.input_ids[:, 1:].tolist()} == {tuple(true), tuple(strange)}


def test_sentence_distance_by_hand(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    """T = 14 has room for eleven tokens, three segments of three; two tokens of the second are shown."""
    windows = pairs(
        ids("/ the cat . a dog ! no sea by / | | | |"), ids("red hat . but fish ran came was . no a | | | |")
    )
    rows = SentenceDistance(tokenizer)(windows, keys)
    marker = tokenizer.label_ids[-2]
    for number, second in enumerate(["a dog", "no sea", "no a"]):
        text = [marker, *ids(f"the cat . / {second} = _ _ _ _ _ _")]
        found = (rows.input_ids == text).all(axis=1)
        assert 45 < found.sum() < 90
        assert (rows.targets[found, 7] == tokenizer.label_ids[number]).all()
    assert (rows.weights == [0] * 7 + [1] + [0] * 6).all()


@pytest.mark.parametrize("kind", [NextSentence, SentenceDistance])
def test_length_does_not_give_the_class_away(kind: type[NextSentence], tokenizer: Tokenizer, keys: np.ndarray) -> None:
    words = np.random.default_rng(0).choice(tokenizer.ordinary_ids, (2, 200, 33))
    once, again = (kind(tokenizer)(words, keys[order]) for order in (np.arange(200), np.arange(200)[::-1]))
    differ = (once.targets != again.targets).any(axis=1)
    assert differ.sum() > 60
    assert (once.weights == again.weights).all()  # the class position, and with it the length


def test_a_shorter_stranger_is_taken_whole(tokenizer: Tokenizer, ids: Ids, keys: np.ndarray) -> None:
    rows = NextSentence(tokenizer)(pairs(ids(OWN), ids("/ no / / / / / / / / / / /")), keys)
    found = {tuple(row) for row in rows.input_ids[:, 1:].tolist()}
    assert found == {tuple(ids(f"the cat ran . / {second}")) for second in ("the dog = _ _ _", "no = _ _ _ _")}
    assert (rows.weights.sum(axis=1) == 1).all()


def test_too_short_a_context(tokenizer: Tokenizer, keys: np.ndarray) -> None:
    with pytest.raises(ConfigError, match="context: 4 is too short for next_sentence, which needs 5"):
        NextSentence(tokenizer)(np.full((2, 200, 5), 30), keys)
    assert NextSentence(tokenizer)(np.full((2, 200, 6), 30), keys).weights.sum() == 200
    with pytest.raises(ConfigError, match="context: 5 is too short for sentence_distance, which needs 6"):
        SentenceDistance(tokenizer)(np.full((2, 200, 6), 30), keys)
    assert SentenceDistance(tokenizer)(np.full((2, 200, 7), 30), keys).weights.sum() == 200
