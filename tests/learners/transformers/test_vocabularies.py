"""A tokenizer that is not the checkpoint's is refused, whichever files tell."""

import json
import shutil
from pathlib import Path

import pytest
from made_models import GPT2
from made_tokenizers import MAKERS, made

from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.transformers.learner import TransformersLearner
from curriculum_rl.learners.transformers.vocabularies import check_vocabulary
from curriculum_rl.text.tokenizers import from_transformers, train_bpe

transformers = pytest.importorskip("transformers")
KINDS = ["legacy", "byte level", "word pieces in lower case", "unigram", "words", "holes"]


def _checkpoint(folder: Path, kind: str, rows: int | None = None) -> Path:
    """A checkpoint as other programs save it, with its tokenizer beside and as many rows as that has ids."""
    backend = MAKERS[kind]()
    transformers.PreTrainedTokenizerFast(tokenizer_object=backend).save_pretrained(str(folder))
    size = max(backend.get_vocab(with_added_tokens=True).values()) + 1 if rows is None else rows
    _save(folder, size)
    return folder


def _save(folder: Path, size: int) -> None:
    config = transformers.GPT2Config(vocab_size=size, n_embd=32, n_layer=1, n_head=2)
    transformers.GPT2LMHeadModel(config).save_pretrained(str(folder))


@pytest.mark.parametrize("kind", KINDS)
def test_the_checkpoints_own_is_accepted_with_what_we_add(kind: str, tmp_path: Path) -> None:
    folder = str(_checkpoint(tmp_path / "whole", kind))
    tokenizer = from_transformers(folder, labels=5)
    check_vocabulary(folder, tokenizer)
    learner = TransformersLearner(folder, tokenizer=tokenizer, context=8)
    learner.save(tmp_path / "again")
    tokenizer.save(tmp_path / "again")
    check_vocabulary(str(tmp_path / "again"), from_transformers(tmp_path / "again", labels=5))


@pytest.mark.parametrize("kind", KINDS)
def test_any_other_is_refused(kind: str, tmp_path: Path) -> None:
    folder = str(_checkpoint(tmp_path / "whole", kind, rows=700))
    for other in KINDS:
        if other != kind:
            with pytest.raises(ConfigError, match=r"tokenizer: is not that of learner\.model .*: use tokenizer"):
                check_vocabulary(folder, made(MAKERS[other]()))
    with pytest.raises(ConfigError, match="tokenizer: is not that of"):
        check_vocabulary(folder, train_bpe(["ab ba"], vocab_size=320))


def test_the_same_words_cut_otherwise_are_another_tokenizer(tmp_path: Path) -> None:
    folder = _checkpoint(tmp_path / "whole", "word pieces in lower case")
    content = json.loads((folder / "tokenizer.json").read_text())
    content["normalizer"]["lowercase"] = False
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "tokenizer.json").write_text(json.dumps(content))
    with pytest.raises(ConfigError, match="another normalizer"):
        check_vocabulary(str(folder), from_transformers(other, labels=4))


def test_words_without_rows_are_refused(tmp_path: Path) -> None:
    folder = _checkpoint(tmp_path, "byte level", rows=250)
    with pytest.raises(ConfigError, match=r"has words up to id 279, the embedding of .* has 250 rows"):
        check_vocabulary(str(folder), from_transformers(folder, labels=4))


def test_without_a_tokenizer_beside_the_sizes_tell(tmp_path: Path) -> None:
    tokenizer = made(MAKERS["byte level"]())
    assert tokenizer.vocab_size == 290
    for rows, right in ((280, True), (300, True), (320, True), (279, False), (330, False)):
        _save(tmp_path / str(rows), rows)
        if right:
            check_vocabulary(str(tmp_path / str(rows)), tokenizer)
            continue
        with pytest.raises(ConfigError, match=f"{rows} rows"):
            check_vocabulary(str(tmp_path / str(rows)), tokenizer)
    with pytest.raises(ConfigError, match="has no configuration of a model"):
        check_vocabulary(str(tmp_path), tokenizer)


def test_a_learner_of_ours_says_what_it_was_trained_with(tmp_path: Path) -> None:
    tokenizer = made(MAKERS["byte level"]())
    TransformersLearner(GPT2, tokenizer=tokenizer, context=8).save(tmp_path)
    check_vocabulary(str(tmp_path), tokenizer)
    more = made(MAKERS["byte level"](), labels=7)
    with pytest.raises(ConfigError, match="vocab_size is 290 there, 291 here"):
        check_vocabulary(str(tmp_path), more)
