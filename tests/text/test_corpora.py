"""Corpora: windows of tokens, labelled windows, caching by content."""

from pathlib import Path

import numpy as np
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.corpora import Corpus, LabelledCorpus, build_corpus, build_labelled, noise_corpus
from curriculum_rl.text.documents import Document, MemorySource
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tokenizers import train_bpe

ROWS = [Document(f"number {i} of many words", group=str(i // 2), label="odd" if i % 2 else "even") for i in range(200)]
TOKENIZER = train_bpe([row.text for row in ROWS], vocab_size=320)
SOURCE = SplitSource(MemorySource(ROWS), {"train": 0.8, "heldout": 0.2})


def test_windows_share_one_token() -> None:
    corpus = Corpus("c", np.arange(100, dtype=np.uint16), "")
    assert corpus.size(10) == 9 and corpus.size(99) == 1
    windows = corpus.windows(np.array([0, 1, 8]), 10)
    assert windows.dtype == np.int64
    assert windows.tolist() == [list(range(0, 11)), list(range(10, 21)), list(range(80, 91))]


def test_a_corpus_shorter_than_a_window_is_named() -> None:
    corpus = Corpus("tiny", np.arange(64, dtype=np.uint16), "")
    with pytest.raises(ConfigError, match=r"corpus 'tiny' has 64 tokens, fewer than one window of context 64 \+ 1"):
        corpus.size(64)


def test_a_built_corpus_is_the_text(tmp_path: Path) -> None:
    corpus = build_corpus("c", SOURCE, "train", TOKENIZER, Cache(tmp_path))
    ids = np.asarray(corpus.tokens, dtype=np.int64)
    assert corpus.tokens.dtype == np.uint16 and ids[-1] == TOKENIZER.eos_id
    texts = TOKENIZER.decode(ids).split("<|eos|>")
    assert texts == [row.text for row in SOURCE.documents("train")] + [""]
    everything = corpus.windows(np.arange(corpus.size(16)), 16)
    assert np.array_equal(everything[:, :-1].ravel(), ids[: everything.shape[0] * 16])


def test_each_part_is_cached_by_content_not_by_name(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    made = [build_corpus(name, SOURCE, "train", TOKENIZER, cache) for name in ("a", "b")]
    assert made[0].sha256 == made[1].sha256 and made[1].name == "b"
    again = SplitSource(MemorySource(list(ROWS)), SOURCE.fractions)
    build_corpus("c", again, "train", TOKENIZER, cache)
    assert "_read" not in vars(again)  # found without reading a document
    others = [
        build_corpus("a", SOURCE, "heldout", TOKENIZER, cache),
        build_corpus("a", SplitSource(MemorySource(ROWS[:-2]), SOURCE.fractions), "train", TOKENIZER, cache),
        build_corpus("a", SOURCE, "train", train_bpe(["other"], vocab_size=300), cache),
    ]
    assert len({corpus.sha256 for corpus in [made[0], *others]}) == 4
    assert len([path for path in tmp_path.iterdir() if path.is_dir()]) == 4


def test_large_vocabularies_take_four_bytes(tmp_path: Path) -> None:
    tokenizer = train_bpe([row.text for row in ROWS], vocab_size=320)
    tokenizer.vocab_size = 65_537
    assert build_corpus("c", SOURCE, "train", tokenizer, Cache(tmp_path)).tokens.dtype == np.uint32
    tokenizer.vocab_size = 65_536
    assert noise_corpus("n", tokenizer, tokens=10, seed=0).tokens.dtype == np.uint16


def _labelled(tmp_path: Path, part: str = "heldout") -> LabelledCorpus:
    return build_labelled("t", SOURCE, part, TOKENIZER, Cache(tmp_path))


def test_labelled_windows_end_in_cls_label_pad(tmp_path: Path) -> None:
    corpus, documents = _labelled(tmp_path), SOURCE.documents("heldout")
    assert corpus.size(64) == len(documents) and corpus.classes == ("even", "odd")
    windows = corpus.windows(np.arange(len(documents)), 64)
    assert windows.shape == (len(documents), 65)
    for window, row in zip(windows.tolist(), documents, strict=True):
        text = TOKENIZER.encode([row.text])[0]
        label = TOKENIZER.label_ids[corpus.classes.index(str(row.label))]
        assert window[: len(text) + 2] == [*text, TOKENIZER.cls_id, label]
        assert set(window[len(text) + 2 :]) == {TOKENIZER.pad_id}


def test_long_labelled_texts_are_cut(tmp_path: Path) -> None:
    corpus, row = _labelled(tmp_path), SOURCE.documents("heldout")[3]
    text = TOKENIZER.encode([row.text])[0]
    assert len(text) > 4
    label = corpus.label_ids[corpus.classes.index(str(row.label))]
    assert corpus.windows(np.array([3]), 5).tolist() == [[*text[:4], TOKENIZER.cls_id, label]]
    last = corpus.size(5) - 1
    assert corpus.windows(np.array([last]), 200)[0, -1] == TOKENIZER.pad_id
    with pytest.raises(ConfigError, match="corpus 't': context 1 holds no text"):
        corpus.size(1)


def test_classes_are_those_of_the_whole_source(tmp_path: Path) -> None:
    rows = [Document(f"text {i}", label="rare" if i == 0 else str(i % 2)) for i in range(100)] + [
        Document("unlabelled")
    ]
    source = SplitSource(MemorySource(rows), {"a": 0.5, "b": 0.5})
    parts = [build_labelled("t", source, part, TOKENIZER, Cache(tmp_path)) for part in "ab"]
    assert parts[0].classes == parts[1].classes == ("0", "1", "rare")
    assert sum(len(part.labels) for part in parts) == 100
    assert parts[0].sha256 != parts[1].sha256


def test_labels_that_do_not_fit_are_one_line(tmp_path: Path) -> None:
    many = SplitSource(MemorySource([Document(f"t {i}", label=str(i)) for i in range(40)]), {"all": 1.0})
    with pytest.raises(ConfigError, match="corpus 't' has 40 classes, the tokenizer 32 label tokens"):
        build_labelled("t", many, "all", TOKENIZER, Cache(tmp_path))
    none = SplitSource(MemorySource([Document("t")]), {"all": 1.0})
    with pytest.raises(ConfigError, match="corpus 't': label_field: a labelled target needs two classes"):
        build_labelled("t", none, "all", TOKENIZER, Cache(tmp_path))


def test_an_empty_part_names_the_corpus(tmp_path: Path) -> None:
    source = SplitSource(MemorySource([Document("t")]), {"train": 0.9, "heldout": 0.1})
    with pytest.raises(ConfigError, match="corpus 'mine': part 'heldout' has no document"):
        build_corpus("mine", source, "heldout", TOKENIZER, Cache(tmp_path))


def test_noise_is_uniform_over_ordinary_tokens() -> None:
    corpus = noise_corpus("noise", TOKENIZER, tokens=100_000, seed=1)
    ids, counts = np.unique(corpus.tokens, return_counts=True)
    assert ids.tolist() == TOKENIZER.ordinary_ids.tolist()
    expected = 100_000 / len(ids)
    assert ((counts - expected) ** 2 / expected).sum() < len(ids) + 5 * (2 * len(ids)) ** 0.5
    pairs = np.corrcoef(corpus.tokens[:-1], corpus.tokens[1:])[0, 1]
    assert abs(pairs) < 0.02
    assert corpus.sha256 == noise_corpus("other", TOKENIZER, tokens=100_000, seed=1).sha256
    assert corpus.sha256 != noise_corpus("noise", TOKENIZER, tokens=100_000, seed=2).sha256
