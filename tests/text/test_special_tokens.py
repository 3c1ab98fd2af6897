"""Special and label tokens: each has an id of its own, which no text yields, whatever the vocabulary."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from made_tokenizers import MAKERS, holes, made
from tokenizers import models, pre_tokenizers

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.tokenizers import Tokenizer, from_transformers, load_tokenizer

NAMES = [
    "<|pad|>",
    "<|eos|>",
    "<|mask|>",
    "<|cls|>",
    "<|label-0|>",
    "<|label-1|>",
    "<|label-0-1|>",
    "[CLS]",
    "</s>",
    "ab",
]


@cache
def _made(kind: str) -> tuple[tokenizers.Tokenizer, Tokenizer]:
    backend = MAKERS[kind]()
    return backend, made(tokenizers.Tokenizer.from_str(backend.to_str()))


def _roles(tokenizer: Tokenizer) -> list[int]:
    return [tokenizer.pad_id, tokenizer.eos_id, tokenizer.mask_id, tokenizer.cls_id, *tokenizer.label_ids]


@pytest.mark.parametrize("kind", MAKERS)
def test_each_has_an_id_of_its_own_and_words_keep_theirs(kind: str, tmp_path: Path) -> None:
    before, tokenizer = _made(kind)
    known = before.get_vocab(with_added_tokens=True)
    roles = _roles(tokenizer)
    assert len(set(roles)) == 10 and not set(roles) & set(tokenizer.ordinary_ids.tolist())
    assert min(roles) > max(known.values()) and max(roles) + 1 == tokenizer.vocab_size == max(known.values()) + 11
    assert {token: tokenizer.vocabulary[token] for token in known} == known
    tokenizer.save(tmp_path)
    again = load_tokenizer(tmp_path)
    assert again.fingerprint == tokenizer.fingerprint and again.vocabulary == tokenizer.vocabulary


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=30, deadline=None)
@given(parts=st.lists(st.sampled_from([*NAMES, " ", "ba", "x"]), max_size=6))
def test_no_text_yields_one(kind: str, parts: list[str]) -> None:
    before, tokenizer = _made(kind)
    text = "".join(parts)
    (ids,) = tokenizer.encode([text])
    assert not set(ids) & set(_roles(tokenizer))
    ((same, offsets),) = tokenizer.encoder.encode_with_offsets([text])
    assert same == ids and len(offsets) == len(ids)
    if not any(name in text for name in NAMES):
        assert ids == before.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        ({"pad": "</s>", "eos": "</s>"}, {"eos"}),
        ({"pad": "<unk>", "eos": "</s>", "mask": "<unk>"}, {"eos"}),
        ({"eos": "</s>", "cls": "</s>", "mask": "<s>"}, {"eos", "mask"}),
        ({"eos": "<unk>", "cls": "<s>", "pad": "<s>"}, {"cls"}),
        ({"pad": "a", "eos": "</s>"}, {"eos"}),
        ({"pad": "<extra>", "eos": "</s>"}, {"pad", "eos"}),
    ],
)
def test_a_token_plays_one_part(known: dict[str, str], kept: set[str]) -> None:
    tokenizer = made(MAKERS["metaspace first"](), known=known)
    assert len(set(_roles(tokenizer))) == 10
    for role, name in known.items():
        assert (tokenizer.vocabulary.get(name) == getattr(tokenizer, f"{role}_id")) == (role in kept), role


def test_two_tokens_with_one_id_are_refused() -> None:
    backend = tokenizers.Tokenizer(models.WordLevel({"<unk>": 0, "ab": 1, "ba": 2, "ca": 4}, "<unk>"))
    backend.add_tokens(["cab"])  # the library counts four tokens, so this is the fifth: id 4
    with pytest.raises(ConfigError, match="tokenizer: id 4 means two tokens, 'ca' and 'cab'"):
        made(backend)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ({"pad_id": 2}, "tokenizer: pad_id: must be an id of the vocabulary .got 2"),
        ({"pad_id": 99}, "tokenizer: pad_id: must be an id of the vocabulary .got 99"),
        ({"pad_id": 1}, "tokenizer: pad_id and eos_id are one id, 1"),
        ({"label_ids": [30, 30]}, r"tokenizer: label_ids\[0\] and label_ids\[1\] are one id, 30"),
    ],
)
def test_ids_of_parts_are_in_the_vocabulary_and_differ(ids: dict[str, Any], said: str) -> None:
    given_ids: dict[str, Any] = {"pad_id": 0, "eos_id": 1, "mask_id": 7, "cls_id": 8, "label_ids": [9, 30]}
    with pytest.raises(ConfigError, match=said):
        Tokenizer(holes(), **(given_ids | ids))


def test_a_saved_fast_tokenizer_with_holes_is_read(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=holes(), unk_token="<unk>", pad_token="<unk>")
    fast.save_pretrained(str(tmp_path))
    tokenizer = from_transformers(tmp_path, labels=3)
    assert _roles(tokenizer) == list(range(31, 38)) and tokenizer.vocab_size == 38
    assert tokenizer.encode(["ab b cab zzz"]) == [[1, 30, 8, 0]]


def test_words_split_at_blanks_do_not_make_the_tokens_of_a_checkpoint() -> None:
    words = {"[UNK]": 0, "[PAD]": 1, "[EOS]": 2, "ab": 3}
    backend = tokenizers.Tokenizer(models.WordLevel(words, "[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = made(backend, known={"pad": "[PAD]", "eos": "[EOS]"})
    assert (tokenizer.pad_id, tokenizer.eos_id) == (1, 2)
    assert tokenizer.encode(["ab [PAD] ab", "[EOS]"]) == [[3, 0, 0, 0, 0, 0, 3], [0, 0, 0, 0, 0]]


@pytest.mark.parametrize("ours", [True, False])
def test_damaged_files_are_one_line(ours: bool, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    if ours:
        _made("byte level")[1].save(tmp_path)
    else:
        transformers.PreTrainedTokenizerFast(tokenizer_object=_made("byte level")[0]).save_pretrained(str(tmp_path))
    for path in tmp_path.iterdir():
        whole = path.read_text()
        for damaged in ("", whole[:-20], "[]", '{"version": 3}'):
            path.write_text(damaged)
            if path.name != "tokenizer_config.json":  # of that nothing is needed
                with pytest.raises(ConfigError) as caught:
                    from_transformers(tmp_path, labels=6)
                assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
        path.write_text(whole)
    assert from_transformers(tmp_path, labels=6).vocab_size == 290
