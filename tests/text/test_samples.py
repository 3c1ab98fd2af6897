"""Sources and a target that are read without an environment: what is shared goes, what is too little is said."""

from collections.abc import Sequence

import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.typed import corpus
from curriculum_rl.testing.problems import LAND, SEA, STAR, sentences
from curriculum_rl.text.documents import Document, MemorySource, Source
from curriculum_rl.text.library import source_of
from curriculum_rl.text.samples import Samples, read_samples
from curriculum_rl.text.tokenizers import Tokenizer, train_bpe

SOURCES = {"sea": sentences(SEA, 200, 1), "land": sentences(LAND, 100, 2)}
TARGET = sentences(STAR, 60, 3)


def bpe(texts: Sequence[str]) -> Tokenizer:
    return train_bpe(texts, vocab_size=400, labels=2)


def memory(texts: Sequence[str]) -> Source:
    return MemorySource([Document(one) for one in texts])


def read(sources: dict[str, list[str]], target: list[str], most: int = 10**6) -> Samples:
    return read_samples(
        {name: memory(texts) for name, texts in sources.items()}, memory(target), bpe, max_characters=most
    )


def test_documents_become_tokens_with_ends() -> None:
    found = read(SOURCES, TARGET)
    assert {name: one.documents for name, one in found.sources.items()} == {"sea": 200, "land": 100}
    ends = found.tokenizer.eos_id
    assert [int((one.tokens == ends).sum()) for one in (*found.sources.values(), found.target)] == [200, 100, 60]
    assert found.tokenizer.decode(found.target.tokens[:-1]).split("<|eos|>")[:2] == TARGET[:2]
    assert found.remarks() == [
        f"the target has {len(found.target.tokens):,} tokens in 60 documents: weights are reliable from 2,000 tokens "
        "in 50 documents on"
    ] * (len(found.target.tokens) < 2000)


def test_what_stands_in_the_target_goes_and_is_counted() -> None:
    sea = [*SOURCES["sea"], TARGET[0].upper(), TARGET[1], f"{SEA[0]}\n{TARGET[2]}", f"{TARGET[3]} and more"]
    found = read({**SOURCES, "sea": sea}, [*TARGET, *TARGET])
    one = found.sources["sea"]
    assert (one.documents, one.removed, one.shortened, one.near) == (204, 2, 1, 1)
    whole = found.tokenizer.decode(one.tokens)
    assert TARGET[1] not in whole and TARGET[2] not in whole and f"{TARGET[3]} and more" in whole
    (said,) = [line for line in found.remarks() if "sea" in line]
    assert said == (
        "texts on both sides: sea, 204 documents read: 2 left out (in the target), 1 shortened by lines of the target, "
        "1 share 13 words with the target and stay"
    )


def test_the_tokenizer_sees_the_sources_alone() -> None:
    seen: list[str] = []

    def watched(texts: Sequence[str]) -> Tokenizer:
        seen.extend(texts)
        return bpe(texts)

    read_samples({name: memory(texts) for name, texts in SOURCES.items()}, memory(TARGET), watched, max_characters=9999)
    assert seen and not {*seen} & {*TARGET} and {*seen} < {*SOURCES["sea"], *SOURCES["land"]} | {*seen[-200:]}


def test_no_more_is_read_than_asked_for() -> None:
    found = read(SOURCES, TARGET, 3_000)
    assert all(35 < one.documents < 60 for one in (*found.sources.values(), found.target))


@pytest.mark.parametrize(
    ("sources", "target", "message"),
    [
        ({"land": TARGET}, TARGET, "source land: all of its 60 documents stand in the target"),
        ({"land": ["short"]}, TARGET, r"source land: has \d tokens, fewer than 130"),
        ({}, ["short"], r"target: has \d+ tokens, fewer than 130"),
    ],
)
def test_too_little_is_one_line(sources: dict[str, list[str]], target: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}$"):
        read({**SOURCES, **sources}, target)


def test_a_file_is_not_a_source_and_the_target(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("\n\n".join(SOURCES["sea"]))
    (tmp_path / "b.txt").write_text("\n\n".join(TARGET))
    (tmp_path / "link.txt").symlink_to(tmp_path / "b.txt")

    def of(name: str) -> Source:
        return source_of(corpus(str(tmp_path / name), name), name)

    with pytest.raises(ConfigError, match=r"^target: .*link\.txt is read by source all, too$"):
        read_samples({"all": of("[al]*.txt"), "a": of("a.txt")}, of("b.txt"), bpe, max_characters=10**6)
    with pytest.raises(ConfigError, match=r"^source nowhere: paths: no file '.*c\.txt'$"):
        read_samples({"nowhere": of("c.txt"), "a": of("a.txt")}, of("b.txt"), bpe, max_characters=10**6)
    (tmp_path / "rows.csv").write_text("text,split\n" + "\n".join(f"{row},{n % 2}" for n, row in enumerate(TARGET)))
    parts = [f"{{paths: {tmp_path / 'rows.csv'}, where: {{split: '{part}'}}}}" for part in (0, 1)]
    halves = [source_of(corpus(part, "half"), "half") for part in parts]
    found = read_samples({"half": halves[0], "a": of("a.txt")}, halves[1], bpe, max_characters=10**6)
    assert found.sources["half"].documents == found.target.documents == 30
