"""No text on both sides: whatever form it came in, nothing of the target or of a held-out part is trained on."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.schema import load as configs
from curriculum_rl.testing.problems import LAND, SEA, STAR, sentences
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.disjoint import find_overlap
from curriculum_rl.text.documents import Document, MemorySource
from curriculum_rl.text.library import Library
from curriculum_rl.text.overlap import lines_of
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.targets import SPLITS

DATA = os.environ.get("CURRICULUM_RL_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
CASES = Path(DATA).parent / "cases"
OTHERS = sentences(LAND, 60, 5)


def environment(corpora: Mapping[str, Any], target: Any, **sections: Any) -> dict[str, Any]:
    return {
        "corpora": dict(corpora),
        "target": {"corpus": target},
        "tokenizer": {"kind": "bpe", "vocab_size": 400, "labels": 16},
        "learner": {"layers": 1, "width": 32, "heads": 2},
        "context": 8,
        "proxy": {"kind": "heldout_loss", "sequences": 4},
        "report": {"sequences": 4, "task_sequences": 2},
        "budget": {"updates": 4},
        **sections,
    }


def library(content: Mapping[str, Any], folder: Path) -> Library:
    return Library(configs.load(dict(content)), Cache(folder / "cache"))


def read(made: Library, corpus: Any) -> list[str]:
    """The documents of a stream of tokens, as they were trained on."""
    ids = corpus.tokens.tolist()
    ends = [n for n, token in enumerate(ids) if token == made.tokenizer.eos_id]
    return [made.tokenizer.decode(ids[a + 1 : b]) for a, b in zip([-1, *ends], ends, strict=False)]


def units(texts: Sequence[str]) -> set[str]:
    """The normalised texts and their lines."""
    return {unit for text in texts for unit in (" ".join(lines_of(text)), *lines_of(text))}


def changed(text: str) -> str:
    return f"  {text.upper()}\t".replace(" ", " \u00a0")


def as_lines(path: Path, texts: Sequence[str]) -> dict[str, Any]:
    path.write_text("\n".join(map(changed, texts)))
    return {"paths": str(path), "format": "lines"}


def as_paragraphs(path: Path, texts: Sequence[str]) -> dict[str, Any]:
    """Two texts of which one may be a target's, and one that stands nowhere else, in a paragraph."""
    own = sentences(SEA, len(texts), 11)
    path.write_text("\n\n".join(f"{a}\n{changed(b)}" for a, b in zip(own, texts, strict=True)))
    return {"paths": str(path), "format": "text"}


def as_labelled(path: Path, texts: Sequence[str]) -> dict[str, Any]:
    rows = [{"body": changed(text), "kind": "xy"[n % 2]} for n, text in enumerate(texts)]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return {"paths": str(path), "format": "jsonl", "text_field": "body", "label_field": "kind"}


def as_tagged(path: Path, texts: Sequence[str]) -> dict[str, Any]:
    path.write_text("\n\n".join("\n".join(f"{word}\t{'B-X' if n else 'O'}" for n, word in enumerate(text.split()))
                                for text in texts))  # fmt: skip
    return {"paths": str(path), "format": "conll"}


FORMS: dict[str, Callable[[Path, Sequence[str]], dict[str, Any]]] = {
    "lines": as_lines,
    "paragraphs": as_paragraphs,
    "labelled": as_labelled,
    "tagged": as_tagged,
}


@pytest.mark.parametrize("form", FORMS)
def test_no_text_of_the_target_is_trained_on_in_whatever_form(tmp_path: Path, form: str) -> None:
    texts = list(dict.fromkeys(sentences(STAR, 60, 3)))
    content = environment(
        {"sea": as_lines(tmp_path / "sea.txt", OTHERS), "x": FORMS[form](tmp_path / "x", [*texts[:20], *OTHERS[:20]])},
        {"paths": str(tmp_path / "star.txt"), "format": "lines"},
    )
    (tmp_path / "star.txt").write_text("\n".join(texts))
    made = library(content, tmp_path)
    target = units([text for split in SPLITS for text in read(made, made.target().text[split])])
    assert target == units(texts)
    trained = {name: read(made, made.corpus(name)) for name in ("sea", "x")}
    assert not any(units(rows) & target for rows in trained.values())
    counts = made.overlap.counts["corpora.x"]
    many = len([text for text in texts[:20] if text in made_of(made, "x")])
    assert many > 10
    assert counts["shortened" if form == "paragraphs" else "in_target"] == many
    assert len(trained["x"]) == counts["documents"] - counts["in_target"] - counts["in_heldout"]
    if form == "paragraphs":
        assert {*lines_of(sentences(SEA, 1, 11)[0])} <= units(trained["x"])  # the other line of a paragraph stays
    assert f"corpora.x, {counts['documents']} documents" in str(made.overlap)


def made_of(made: Library, name: str) -> set[str]:
    """The lines of a train part before anything was taken out, as the target has them."""
    rows = made._read[name].parts["train"]
    return {text for text in sentences(STAR, 60, 3) if {*lines_of(text)} <= units([row.text for row in rows])}


def test_lines_of_a_paragraph_of_the_target_go_too(tmp_path: Path) -> None:
    texts = list(dict.fromkeys(sentences(STAR, 90, 3)))
    (tmp_path / "star.txt").write_text("\n\n".join("\n".join(texts[n : n + 3]) for n in range(0, 90, 3)))
    corpora = {"x": as_lines(tmp_path / "x", [*texts[:30], *OTHERS])}
    made = library(environment(corpora, {"paths": str(tmp_path / "star.txt")}), tmp_path)
    assert not units(read(made, made.corpus("x"))) & units(texts)
    assert made.overlap.counts["corpora.x"]["in_target"] > 20


def test_what_one_corpus_holds_out_no_other_trains_on(tmp_path: Path) -> None:
    """The same rows under two fields and shares, and made ones: what is made of a part is made of what is left."""
    texts = list(dict.fromkeys(sentences(SEA, 120, 1)))
    corpora = {
        "a": {**as_lines(tmp_path / "a", texts), "heldout": 0.5},
        "b": as_labelled(tmp_path / "b", [*texts, *OTHERS]),
        "copy": {"kind": "copy", "of": "b"},
        "small": {"kind": "small", "of": "b", "characters": 3000},
    }
    star = {"paths": str(tmp_path / "star"), "format": "lines"}
    (tmp_path / "star").write_text("\n".join(sentences(STAR, 60, 3)))
    made = library(environment(corpora, star), tmp_path)
    held = [text for corpus in made.heldout().values() for text in read(made, corpus)]
    for name in corpora:
        trained = read(made, made.corpus(name))
        trained = trained[:-1] if name == "small" else trained  # its last document is cut where it is full
        assert trained
        assert not units(trained) & units(held)
    assert made.overlap.counts["corpora.b"]["in_heldout"] > 30


def test_texts_that_case_makes_different_stand_in_one_split_alone(tmp_path: Path) -> None:
    texts = list(dict.fromkeys(sentences(STAR, 60, 3)))
    star = as_labelled(tmp_path / "star", texts)
    again = [json.dumps({"body": text.title(), "kind": "x"}) for text in texts]
    (tmp_path / "star").write_text("\n".join([(tmp_path / "star").read_text(), *again]))
    for target, corpora in ((star, {}), ("star", {"star": {**star, "heldout": 0.5}})):
        made = library(environment({"x": as_lines(tmp_path / "x", OTHERS), **corpora}, target), tmp_path)
        splits = [units(read(made, corpus)) for corpus in made.target().text.values()]
        assert sum(map(len, splits)) == len(set().union(*splits))
        assert made.overlap.counts["target.corpus"]["repeated"] > 0
        if corpora:
            assert not units(read(made, made.corpus("star"))) & set().union(*splits)
    labelled = sum(len(part.labels) for part in made.target().labelled.values())
    assert labelled == sum(len(read(made, part)) for part in made.target().text.values())


def test_near_duplicates_are_counted_and_stay(tmp_path: Path) -> None:
    texts = [" ".join(f"w{n}-{k}" for k in range(14)) for n in range(40)]
    (tmp_path / "star").write_text("\n".join(texts))
    near = [f"{' '.join(text.split()[:13])} end" for text in texts[:10]]
    far = [f"{' '.join(text.split()[:12])} end" for text in texts[10:20]]
    corpora = {"x": {"kind": "files", "paths": str(tmp_path / "x"), "format": "lines"}}
    (tmp_path / "x").write_text("\n".join([*near, *far, *OTHERS]))
    made = library(environment(corpora, {"paths": str(tmp_path / "star"), "format": "lines"}), tmp_path)
    trained = read(made, made.corpus("x"))
    counts = made.overlap.counts["corpora.x"]
    assert counts["near_target"] == len({*near} & {*trained}) > 5
    assert counts["in_target"] == counts["in_heldout"] == counts["shortened"] == 0
    assert f"{counts['near_target']} share 13 words with the target and stay" in str(made.overlap)


def test_what_is_alone_is_read_as_ever(tmp_path: Path) -> None:
    """Fingerprints, so all that is kept of a part, are those of its split alone."""
    corpora = {name: as_lines(tmp_path / name, sentences(words, 80, 1)) for name, words in (("a", SEA), ("b", LAND))}
    (tmp_path / "star").write_text("\n".join(sentences(STAR, 60, 3)))
    made = library(environment(corpora, {"paths": str(tmp_path / "star"), "format": "lines"}), tmp_path)
    assert str(made.overlap) == "" or "removed" not in str(made.overlap)
    for name in corpora:
        for part in ("train", "heldout"):
            assert made._source_of(name).fingerprint(part) == made._read[name].fingerprint(part)
            assert made._source_of(name).documents(part) is made._read[name].parts[part]


def test_what_was_found_is_kept_and_no_text_is_read_again(tmp_path: Path) -> None:
    texts = list(dict.fromkeys(sentences(STAR, 60, 3)))
    content = environment({"x": as_lines(tmp_path / "x", [*texts[:20], *OTHERS])}, as_lines(tmp_path / "star", texts))
    first, again = (library(content, tmp_path) for _ in range(2))
    found = [(made.overlap, made.hashes(), made.tokenizer.fingerprint) for made in (first, again)]
    assert found[0] == found[1]
    assert found[0][0].cuts["corpora.x"]["train"]
    assert "parts" in vars(first._read["x"]) and "parts" not in vars(again._read["x"])


def test_what_was_taken_out_is_part_of_every_key(tmp_path: Path) -> None:
    """The same corpus beside a target that shares nothing, a document, or another one."""
    texts = list(dict.fromkeys(sentences(SEA, 80, 1)))
    corpora = {"x": as_lines(tmp_path / "x", texts)}
    kept = library(environment(corpora, as_lines(tmp_path / "star", sentences(STAR, 60, 3))), tmp_path)
    first = kept._read["x"].parts["train"]
    found = []
    for row in (Document("nothing"), first[0], first[1]):
        star = as_lines(tmp_path / "star", [*sentences(STAR, 60, 3), row.text])
        made = library(environment(corpora, star), tmp_path)
        found.append((made._source_of("x").fingerprint("train"), made.hashes()["x"], made.tokenizer.fingerprint))
    assert all(len({*column}) == 3 for column in list(zip(*found, strict=True))[:2])


def test_a_target_that_is_trained_on_by_wish_is(tmp_path: Path) -> None:
    (tmp_path / "star").write_text("\n".join(sentences(STAR, 60, 3)))
    content = environment({"x": as_lines(tmp_path / "x", OTHERS)}, {"paths": str(tmp_path / "star"), "format": "lines"})
    content["target"]["train"] = True
    experiment = build(configs.load(content), Cache(tmp_path / "cache"))
    assert experiment.problem.tasks[-1].corpus is experiment.problem.target.text["signal"]


def test_of_a_corpus_that_is_the_target_the_signal_split_stays(tmp_path: Path) -> None:
    star = {"paths": str(tmp_path / "star"), "format": "lines"}
    (tmp_path / "star").write_text("\n".join(sentences(STAR, 300, 3)))
    made = library(environment({"star": star}, star), tmp_path)
    counts = made.overlap.counts["corpora.star"]
    assert counts["in_signal"] > 0
    assert counts["in_signal"] + counts["in_target"] + counts["in_heldout"] == counts["documents"]
    left = units([row.text for row in made._sources["star"].documents("train")])
    splits = {split: units([row.text for row in made._target[1].documents(split)]) for split in SPLITS}
    assert left <= splits["signal"]
    assert not any(left & splits[split] for split in SPLITS if split != "signal")
    assert "left, which stand in the target's signal split" in str(made.overlap)


def test_a_corpus_of_texts_of_the_report_alone_is_refused_with_counts(tmp_path: Path) -> None:
    target = {"paths": str(tmp_path / "star"), "format": "lines"}
    (tmp_path / "star").write_text("\n".join(sentences(STAR, 300, 3)))
    whole = library(environment({"other": as_lines(tmp_path / "other", OTHERS)}, target), tmp_path)
    report = [row.text for row in whole._target[1].documents("report")]
    content = environment({"copy": as_lines(tmp_path / "copy", report)}, target)
    with pytest.raises(ConfigError, match=r"corpora\.copy: nothing is left to train on: of the (\d+) .* \1 stand in"):
        build(configs.load(content), Cache(tmp_path / "cache"))


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases that stand beside the checkout")
def test_no_report_document_of_the_case_is_trained_on(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(CASES / "target-among-corpora", folder)
    made = Library(configs.load(folder / "env.yaml"), Cache(tmp_path / "cache"))
    left = units([row.text for row in made._sources["star"].documents("train")])
    assert left and not left & units([row.text for row in made._target[1].documents("report")])


line = st.sampled_from(["a", "A", " b", "b\t", "c c", "C  c", "d", "e"])
rows = st.lists(st.builds(Document, st.lists(line, min_size=1, max_size=3).map("\n".join)), min_size=1, max_size=12)


@settings(max_examples=40)
@given(st.lists(rows, min_size=1, max_size=3), rows)
def test_nothing_that_stands_on_both_sides_is_left(tmp_path_factory: Any, corpora: Any, target: Any) -> None:
    sources = {
        str(n): SplitSource(MemorySource(part), {"train": 0.6, "heldout": 0.4}) for n, part in enumerate(corpora)
    }
    shares = SplitSource(MemorySource(target), {"signal": 0.2, "reward": 0.2, "selection": 0.2, "report": 0.4})
    try:
        found = find_overlap(sources, shares, None, Cache(tmp_path_factory.mktemp("cache")))
    except ConfigError as error:
        assert "is left to train on" in str(error) or "stand in a later split" in str(error)
        return
    elsewhere = [row.text for source in sources.values() for row in source.parts["heldout"]]
    for name, source in sources.items():
        alone = found.counts[f"corpora.{name}"]["in_signal"]  # nothing else would be left
        splits = SPLITS[1:] if alone else SPLITS
        held = [row.text for split in splits for row in shares.parts[split]] + elsewhere
        documents = {tuple(lines_of(text)) for text in held}
        cut = found.cuts[f"corpora.{name}"]["train"]
        left = cut(source.parts["train"])
        for row in left:
            lines = lines_of(row.text)
            runs = {tuple(lines[a:b]) for a in range(len(lines)) for b in range(a + 1, len(lines) + 1)}
            assert not runs & documents
            assert not any(tuple(lines) == one[a : a + len(lines)] for one in documents for a in range(len(one)))
        if not cut:
            assert left == source.parts["train"]
