"""A tag stands on the first token that holds a part of its word, in tokenizers of every kind."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tokenizers import MAKERS, made

from curriculum_rl.text.documents import Document
from curriculum_rl.text.tokenising import tagged_rows
from curriculum_rl.text.tokenizers import Tokenizer

# In and out of the vocabularies, one of two characters, digits, marks, white space inside a word, invisible ones.
LETTERS = "abcAB\u00e9e\u0301\u00c71,.\u6771\u0130\U0001f600\u00a0\u3000\u200b\u00ad\u2581_#"
WORDS = st.lists(st.text(st.sampled_from(LETTERS), min_size=1, max_size=5), min_size=1, max_size=6)


@cache
def _tokenizer(kind: str) -> Tokenizer:
    return made(MAKERS[kind]())


def _rows(kind: str, words: list[str]) -> tuple[Tokenizer, list[int], list[int]]:
    tokenizer = _tokenizer(kind)
    ((ids, places),) = tagged_rows(
        [Document(" ".join(words), label=" ".join("O" * len(words)), tagged=True)], tokenizer
    )
    return tokenizer, ids, places


def _name(tokenizer: Tokenizer, number: int) -> str:
    return str(tokenizer._backend.id_to_token(number))


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=60, deadline=None)
@given(words=WORDS)
def test_every_word_has_a_token_of_its_own_that_holds_its_start(kind: str, words: list[str]) -> None:
    tokenizer, ids, places = _rows(kind, words)
    assert len(places) == len(words) and places == sorted(set(places)) and max(places) < len(ids)
    text = " ".join(words)
    whole = tokenizer.encode([text])[0]
    masks = [place for place in places if ids[place] == tokenizer.mask_id]
    if [token for place, token in enumerate(ids) if place not in masks] != whole:
        # Encoded word by word: only because a token of the whole holds parts of two words.
        encoded = tokenizer._backend.encode(text, add_special_tokens=False)
        assert any(" " in text[begin:end].strip(" ") for begin, end in encoded.offsets)
        return
    kept = [place - sum(mask < place for mask in masks) for place in places]
    offsets = tokenizer._backend.encode(text, add_special_tokens=False).offsets
    begin = 0
    for word, place, first in zip(words, places, kept, strict=True):
        inside = [n for n, (left, right) in enumerate(offsets) if left < begin + len(word) and right > begin]
        if place in masks:
            assert not inside
        else:
            # What stands before is the mark of a word's start, of which the library says that it holds a character.
            assert first in inside
            before = "".join(_name(tokenizer, whole[n]) for n in inside if n < first)
            assert tokenizer.encoder.lead.startswith(before) and (not before or begin == 0)
        begin += len(word) + 1


@pytest.mark.parametrize("kind", MAKERS)
def test_known_words_begin_at_their_first_letter(kind: str) -> None:
    words = ["ab", "ba", "cab", "ab"]
    tokenizer, ids, places = _rows(kind, words)
    for word, place in zip(words, places, strict=True):
        token = _name(tokenizer, ids[place]).lstrip("\u2581\u0120_>")
        assert token == "<unk>" or (token and word.startswith(token.rstrip("\u2581\u0120_"))), (kind, token, word)


@pytest.mark.parametrize("kind", ["legacy", "metaspace first", "metaspace whole"])
def test_words_in_the_middle_are_encoded_as_in_running_text(kind: str) -> None:
    """One mark before each, whichever code puts it there, also where words had to be encoded alone."""
    tokenizer, ids, _ = _rows(kind, ["ab", "ba", "cab", "ab"])
    assert "".join(_name(tokenizer, n) for n in ids) == "\u2581ab\u2581ba\u2581cab\u2581ab"


def test_a_word_of_which_nothing_is_left_is_one_mask_token() -> None:
    for words, at in ((["ab", "\u200b", "ba"], 1), (["1", "ab"], 0), (["ab", "12"], 1), (["1", "2"], 0)):
        tokenizer, ids, places = _rows("dropping", words)
        assert ids[places[at]] == tokenizer.mask_id
        assert ids.count(tokenizer.mask_id) == sum(not word.strip("0123456789\u200b") for word in words)
