"""Tagged corpora: windows, tags at first sub-words, numbers that agree; environments over them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_tokenizers import MAKERS
from made_tokenizers import made as from_backend

from curriculum_rl.errors import ConfigError
from curriculum_rl.experiment import build
from curriculum_rl.learners.build import make_learner
from curriculum_rl.pretraining.run import Pretraining
from curriculum_rl.proxies.build import make_proxy
from curriculum_rl.schema import load as configs
from curriculum_rl.text.cache import Cache
from curriculum_rl.text.documents import CappedSource, Document, MemorySource, ShuffledSource
from curriculum_rl.text.splits import SplitSource
from curriculum_rl.text.tagged import TaggedCorpus, build_tagged
from curriculum_rl.text.tokenizers import Tokenizer, train_bpe

ROWS = [
    Document("In New York it rains", label="O B-LOC I-LOC O O", tagged=True),
    Document("Ada", label="B-PER", tagged=True),
    Document("no tags here"),
    Document("Oslo\u00a0: wet", label="B-LOC O", tagged=True),
]
TOKENIZER = train_bpe(["In In New New"], vocab_size=310, labels=8)  # nearly one token a byte
MASKED = ["people.masked_lm", "places.masked_lm"]
PEOPLE = ["Ada", "Kurt", "Emmy", "Alan", "Grace", "Carl"]
PLACES = ["Oslo", "Lima", "Rome", "Bonn", "Cork", "Pisa"]


def made(tmp_path: Path, rows: list[Document] = ROWS, tokenizer: Tokenizer = TOKENIZER) -> TaggedCorpus:
    return build_tagged("t", SplitSource(MemorySource(rows), {"all": 1.0}), "all", tokenizer, Cache(tmp_path))


def test_windows_are_words_between_ends_of_document(tmp_path: Path) -> None:
    corpus = made(tmp_path)
    assert corpus.classes == ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    assert corpus.size(64) == 3 and corpus.label_ids == TOKENIZER.label_ids[:5]
    windows = corpus.windows(np.arange(3), 64)
    assert windows.shape == (3, 65) and windows.dtype == np.int64
    texts = [TOKENIZER.decode(window).replace("<|pad|>", "") for window in windows]
    assert texts == [f"<|eos|>{ROWS[i].text}<|eos|>" for i in (0, 1, 3)]


def test_the_first_sub_word_of_each_word_has_the_label_token(tmp_path: Path) -> None:
    corpus = made(tmp_path)
    index = np.array([1, 0])
    windows, marks = corpus.windows(index, 64), corpus.marks_of(index, 64)
    assert marks.shape == windows.shape
    for row, document in zip(range(2), (ROWS[1], ROWS[0]), strict=True):
        place, expected = 1, np.full(65, -1)
        for n, (word, tag) in enumerate(zip(document.words, document.tags, strict=True)):
            ids = TOKENIZER.encode([" " * (n > 0) + word])[0]
            alone = TOKENIZER.decode(ids[:1]) == " "  # a space that is a token holds nothing of the word
            expected[place + alone] = TOKENIZER.label_ids[corpus.classes.index(tag)]
            place += len(ids)
        assert marks[row].tolist() == expected.tolist()
    assert corpus.true_tags(index) == [["B-PER"], ["O", "B-LOC", "I-LOC", "O", "O"]]


def test_words_that_are_cut_off_have_no_mark(tmp_path: Path) -> None:
    corpus = made(tmp_path)
    whole, marks = corpus.windows(np.array([0]), 64)[0], corpus.marks_of(np.array([0]), 64)[0]
    for context in range(3, 40):
        window, mark = corpus.windows(np.array([0]), context)[0], corpus.marks_of(np.array([0]), context)[0]
        held = min(context - 2, int(corpus.offsets[1]))
        ends = [TOKENIZER.eos_id] + [TOKENIZER.pad_id] * (context - 1 - held)
        assert window.tolist() == [*whole[: held + 1], *ends]
        assert mark.tolist() == [*marks[: held + 1], *[-1] * (context - held)]
    assert len(corpus.true_tags(np.array([0]))[0]) == 5
    with pytest.raises(ConfigError, match="corpus 't': context 2 holds no word"):
        corpus.size(2)


def test_a_word_that_the_tokenizer_drops_keeps_its_tag(tmp_path: Path) -> None:
    tokenizer = from_backend(MAKERS["dropping"](), labels=8)
    corpus = made(tmp_path, [Document("ab \u200b ba", label="O B-X O", tagged=True)], tokenizer)
    assert corpus.true_tags(np.array([0])) == [["O", "B-X", "O"]]
    assert (corpus.windows(np.array([0]), 16) == tokenizer.mask_id).sum() == 1
    assert (corpus.marks_of(np.array([0]), 16) >= 0).sum() == 3


def test_tags_are_those_of_all_parts_and_cached_by_content(tmp_path: Path) -> None:
    rows = [Document(f"word {i}", label="B-A O" if i else "B-Z O", tagged=True) for i in range(40)]
    source = SplitSource(MemorySource(rows), {"a": 0.5, "b": 0.5})
    parts = [build_tagged("t", source, part, TOKENIZER, Cache(tmp_path)) for part in "ab"]
    assert all(part.classes == ("O", "B-A", "I-A", "B-Z", "I-Z") for part in parts)
    assert sum(len(part.offsets) - 1 for part in parts) == 40 and parts[0].sha256 != parts[1].sha256
    again = SplitSource(MemorySource(list(rows)), source.fractions)
    assert build_tagged("u", again, "a", TOKENIZER, Cache(tmp_path)).sha256 == parts[0].sha256
    assert "_parts" not in vars(again)  # found without reading a document


def test_other_numbers_for_the_same_tags(tmp_path: Path) -> None:
    corpus, index = made(tmp_path), np.arange(3)
    wider = ("O", "B-EVENT", "I-EVENT", *corpus.classes[1:])
    moved = corpus.with_classes(wider, TOKENIZER)
    assert corpus.with_classes(corpus.classes, TOKENIZER) is corpus
    assert moved.true_tags(index) == corpus.true_tags(index)
    assert moved.sha256 != corpus.sha256
    before, after = corpus.numbers_of(index, 32), moved.numbers_of(index, 32)
    assert after.tolist() == np.where(before > 0, before + 2, before).tolist()
    with pytest.raises(ConfigError, match="corpus 't' is read with 9 tags, the tokenizer has 8 label tokens"):
        corpus.with_classes((*wider, "B-WORK", "I-WORK"), TOKENIZER)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([Document("a b", label="O O", tagged=True)], "corpus 't': label_field: tagging needs an entity"),
        ([Document("a", label="B-A", tagged=True), Document("b", label="B-A")], "some labels are lists of tags"),
        ([Document("a", label=f"B-{i}", tagged=True) for i in range(4)], "with 9 tags, the tokenizer has 8 label"),
    ],
)
def test_what_is_no_tagged_corpus(tmp_path: Path, rows: list[Document], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        made(tmp_path, rows)


def test_a_cap_cuts_between_words_and_shuffled_words_keep_their_tags() -> None:
    source = MemorySource(ROWS[:1])
    cuts = {cap: [*CappedSource(source, cap).documents()] for cap in (1, 2, 5, 6, 19)}
    assert {cap: [(row.text, row.label) for row in rows] for cap, rows in cuts.items()} == {
        1: [],
        2: [("In", "O")],
        5: [("In", "O")],
        6: [("In New", "O B-LOC")],
        19: [("In New York it", "O B-LOC I-LOC O")],
    }
    (row,) = ShuffledSource(MemorySource(ROWS[3:]), 1).documents()
    assert row.tagged and sorted(zip(row.words, row.tags, strict=True)) == [("Oslo\u00a0:", "B-LOC"), ("wet", "O")]
    (shuffled,) = ShuffledSource(source, 0).documents()
    assert shuffled.words != ROWS[0].words
    assert set(zip(shuffled.words, shuffled.tags, strict=True)) == set(zip(ROWS[0].words, ROWS[0].tags, strict=True))


def conll(path: Path, names: list[str], kind: str, seed: int) -> str:
    """Sentences in which a name of one kind stands somewhere."""
    draw = np.random.default_rng(seed)
    lines = []
    for n in range(300):
        words = [str(word) for word in draw.choice(["the", "rain", "on", "sees", "old", f"n{n}"], 6)]
        at = int(draw.integers(6))
        words[at] = str(draw.choice(names))
        lines += [f"xx:{word}\t{f'B-{kind}' if i == at else 'O'}" for i, word in enumerate(words)] + [""]
    path.write_text("\n".join(lines))
    return str(path)


@pytest.fixture
def tagged(tmp_path: Path, tiny: dict[str, Any]) -> dict[str, Any]:
    """Two tagged corpora under two objectives; the target is a third, as JSON lines."""
    names = ["Shop", "Bank"] * 90
    rows = [{"words": ["the", name, str(i)], "tags": ["O", "B-ORG", "O"]} for i, name in enumerate(names)]
    (tmp_path / "target.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    return {
        **tiny,
        "corpora": {
            "people": {"paths": conll(tmp_path / "people", PEOPLE, "PER", 1), "format": "conll"},
            "places": {"paths": conll(tmp_path / "places", PLACES, "LOC", 2), "format": "conll"},
        },
        "tokenizer": {"kind": "bpe", "vocab_size": 400, "labels": 8},
        "tasks": [{"corpora": "all", "objective": "tagging"}, {"corpora": "all", "objective": "masked_lm"}],
        "target": {
            "corpus": {"paths": str(tmp_path / "target.jsonl"), "text_field": "words", "label_field": "tags"},
        },
        "report": {"sequences": 8, "task_sequences": 2},
    }


def test_an_environment_of_tagged_corpora_trains(tagged: dict[str, Any]) -> None:
    experiment = build(configs.load(tagged, {"budget.updates": 60, "optimizer.learning_rate": 0.01}))
    assert [t.name for t in experiment.problem.tasks] == ["people.tagging", "places.tagging", *MASKED]
    classes = ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")
    corpora = [
        experiment.problem.tasks[0].corpus,
        experiment.problem.tasks[1].corpus,
        *experiment.problem.target.tagged.values(),
    ]
    assert len(corpora) == 6
    assert all(isinstance(corpus, TaggedCorpus) and corpus.classes == classes for corpus in corpora)
    assert not experiment.problem.target.labelled
    assert sum(corpus.size(16) for corpus in experiment.problem.target.tagged.values()) == 180
    assert experiment.tokenizer.decode(experiment.problem.target.text["signal"].tokens[:20]).startswith("the ")
    run = Pretraining(experiment)
    run.begin([0])
    shares = np.array([[0.25, 0.25, 0.25, 0.25]])
    losses = []
    while run.next_updates():
        losses.append(run.segment(shares).loss[0])
    assert np.mean(losses[-10:]) < 0.6 * losses[0]
    report = run.finish()
    assert np.isfinite(report.target_loss).all() and report.corpus_losses.shape == (1, 2)


def test_a_masked_lm_learner_scores_the_text_of_a_tagged_target(tagged: dict[str, Any]) -> None:
    model = {"model_type": "bert", "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1}
    learner = {"kind": "transformers", "model": {**model, "num_attention_heads": 2}, "head": "masked"}
    masked = build(configs.load(tagged, {"learner": learner}))
    assert not masked.problem.tasks[0].objective.causal
    run = Pretraining(masked)
    run.begin([0])
    run.segment(np.array([[0.5, 0.5, 0.0, 0.0]]))
    assert run.progress.counters.tolist() == [[5, 5, 0, 0]]
    # Untrained, it guesses among all tokens.
    assert -run.progress.initial[0] == pytest.approx(np.log(400), abs=0.5)
    assert np.isfinite(run.finish().target_loss).all()


def test_a_tagged_target_among_the_corpora_and_corpora_derived_from_it(tagged: dict[str, Any]) -> None:
    changes = {
        "corpora.people.max_characters": 5000,
        "corpora.people.heldout": 0.5,
        "corpora.again": {"kind": "copy", "of": "people"},
        "corpora.mixed": {"kind": "shuffled", "of": "people"},
        "corpora.few": {"kind": "small", "of": "people", "characters": 500},
        "target.corpus": "people",
    }
    experiment = build(configs.load(tagged, changes))
    target = experiment.problem.target
    assert set(target.tagged) == {"signal", "reward", "selection", "report"}
    trained = experiment.problem.tasks[0].corpus
    sizes = [corpus.size(16) for corpus in target.tagged.values()]
    assert sizes[3] > sizes[0] > 10 and abs(sum(sizes) - trained.size(16)) < 5
    by_name = {task.name: task.corpus for task in experiment.problem.tasks}
    found = {name: by_name[f"{name}.tagging"] for name in ("people", "again", "mixed", "few")}
    assert all(isinstance(corpus, TaggedCorpus) for corpus in found.values())
    assert found["again"].size(16) == found["mixed"].size(16) == trained.size(16) > 4 * found["few"].size(16)
    assert len({corpus.classes for corpus in found.values()}) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tasks": [{"objective": "classification"}]}, "classification needs one label for a text.*corpora.people"),
        ({"corpora.sea": {"kind": "noise"}}, "tasks: tagging needs a tag for each word, and corpora.sea has none"),
        ({"tokenizer.labels": 6}, "tokenizer.labels: corpus 'target.signal' is read with 7 tags"),
        ({"tokenizer.labels": 2}, "tokenizer.labels: corpus 'target.signal' is read with 3 tags, the tokenizer has 2"),
        ({"context": 2}, "corpus 'people': context 2 holds no word"),
    ],
)
def test_mistakes_show_before_anything_runs(tagged: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build(configs.load(tagged, changes))


def test_held_out_rows_of_tagging_tasks(tagged: dict[str, Any]) -> None:
    experiment = build(configs.load(tagged, {"proxy": {"kind": "heldout_tasks", "sequences": 4}}))
    run = Pretraining(experiment)
    run.begin([0])
    assert run.progress.score[0] == pytest.approx(-1.0, abs=1e-5)
    run.segment(np.array([[1.0, 0.0, 0.0, 0.0]]))
    assert run.progress.score[0] > -0.99


@pytest.mark.parametrize("kind", ["probe", "head"])
def test_proxies_that_need_one_label_for_a_text(tagged: dict[str, Any], kind: str) -> None:
    experiment = build(configs.load(tagged, {"proxy": {"kind": kind}}))
    said = f"{kind}: needs one label for a text, and the words of target.corpus 'target' have tags"
    with pytest.raises(ConfigError, match=said):
        make_proxy(
            experiment.config.proxy, experiment.problem, make_learner(experiment.config, experiment.problem), [0]
        )
