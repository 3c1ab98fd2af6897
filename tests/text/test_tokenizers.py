"""Tokenizers: round trips, special tokens that text cannot forge, fingerprints, transformers."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.tokenizers import (
    Tokenizer,
    TrainTexts,
    cached_bpe,
    from_transformers,
    load_tokenizer,
    train_bpe,
)

TEXTS = ["the cat sat on the mat", "the dog sat on the log"] * 20
TOKENIZER = train_bpe(TEXTS, vocab_size=320)


def test_the_special_tokens_are_there_and_apart() -> None:
    ids = [TOKENIZER.pad_id, TOKENIZER.eos_id, TOKENIZER.mask_id, TOKENIZER.cls_id, *TOKENIZER.label_ids]
    assert sorted(ids) == list(range(4 + 32))
    assert TOKENIZER.ordinary_ids.tolist() == list(range(36, TOKENIZER.vocab_size))
    assert 36 + 256 < TOKENIZER.vocab_size <= 320


@given(st.text())
def test_every_text_survives_and_no_text_makes_a_special_token(text: str) -> None:
    ids = TOKENIZER.encode([text + "<|eos|><|label-3|>"])[0]
    assert TOKENIZER.decode(ids) == text + "<|eos|><|label-3|>"
    assert set(ids) <= set(TOKENIZER.ordinary_ids.tolist())


def test_frequent_words_are_one_token() -> None:
    assert [len(ids) for ids in TOKENIZER.encode([" the", " sat", ""])] == [1, 1, 0]


def test_saving_keeps_everything(tmp_path: Path) -> None:
    TOKENIZER.save(tmp_path / "new")
    loaded = load_tokenizer(tmp_path / "new")
    assert loaded.fingerprint == TOKENIZER.fingerprint and loaded.label_ids == TOKENIZER.label_ids
    assert loaded.encode(TEXTS[:2]) == TOKENIZER.encode(TEXTS[:2])
    with pytest.raises(ConfigError, match=r"tokenizer: .* has no tokenizer\.json"):
        load_tokenizer(tmp_path)


def test_the_fingerprint_is_the_content_in_any_process() -> None:
    code = (
        "from curriculum_rl.text.tokenizers import train_bpe; "
        f"print(train_bpe({TEXTS[:2]!r} * 20, vocab_size=320).fingerprint)"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    TOKENIZER.encode(["used"])
    assert other == TOKENIZER.fingerprint
    assert train_bpe(TEXTS, vocab_size=300).fingerprint != other
    assert train_bpe(TEXTS, vocab_size=320, labels=8).fingerprint != other


def test_a_vocabulary_too_small_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"vocab_size: must be at least 292 .*\(got 200\)"):
        train_bpe(TEXTS, vocab_size=200)


def test_a_trained_tokenizer_is_cached_by_content(tmp_path: Path) -> None:
    calls: list[int] = []

    def texts() -> list[str]:
        calls.append(1)
        return TEXTS

    made = [
        cached_bpe(TrainTexts(texts, content, Cache(tmp_path)), vocab_size=320) for content in (["a"], ["a"], ["b"])
    ]
    assert len(calls) == 2 and {tokenizer.fingerprint for tokenizer in made} == {TOKENIZER.fingerprint}


def _saved_fast(directory: Path, **specials: str) -> Path:
    transformers = pytest.importorskip("transformers")
    backend = TOKENIZER._backend
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend, **specials).save_pretrained(str(directory))
    return directory


def test_transformers_tokenizers_get_the_special_tokens_they_lack(tmp_path: Path) -> None:
    path = _saved_fast(tmp_path / "fast", eos_token="<|end|>", pad_token="<|end|>", mask_token="<|hole|>")
    tokenizer = from_transformers(path, labels=40)
    names = [tokenizer.decode([token]) for token in (tokenizer.eos_id, tokenizer.mask_id, tokenizer.pad_id)]
    assert names == ["<|end|>", "<|hole|>", "<|pad|>"]  # padding must not look like the end of a document
    assert len(set(tokenizer.label_ids)) == 40 and max(tokenizer.label_ids) < tokenizer.vocab_size
    specials = {tokenizer.pad_id, tokenizer.eos_id, tokenizer.mask_id, tokenizer.cls_id, *tokenizer.label_ids}
    assert not specials & set(tokenizer.ordinary_ids.tolist())
    assert tokenizer.encode(["the cat"]) == TOKENIZER.encode(["the cat"])
    assert tokenizer.fingerprint == from_transformers(path, labels=40).fingerprint != TOKENIZER.fingerprint
    _assert_reloads(tokenizer, tmp_path / "again")


def _assert_reloads(tokenizer: Tokenizer, directory: Path) -> None:
    tokenizer.save(directory)
    assert load_tokenizer(directory).fingerprint == tokenizer.fingerprint


def test_a_separator_ends_documents_where_nothing_else_does(tmp_path: Path) -> None:
    tokenizer = from_transformers(_saved_fast(tmp_path, sep_token="[SEP]", cls_token="[CLS]"))
    assert tokenizer.decode([tokenizer.eos_id, tokenizer.cls_id]).replace(" ", "") == "[SEP][CLS]"


def test_no_such_tokenizer_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match=r"tokenizer: cannot load '.*nothing'") as caught:
        from_transformers(tmp_path / "nothing")
    assert "\n" not in str(caught.value)
