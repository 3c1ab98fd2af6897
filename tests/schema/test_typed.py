"""A corpus as somebody types it."""

from pathlib import Path

import datasets
import pytest

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.corpora import AlmanacCorpus, DatasetCorpus, FilesCorpus
from curriculum_rl.schema.typed import corpus
from curriculum_rl.text.library import source_of


def test_a_path_or_a_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    plain = corpus("mail/*.txt", "source mail")
    assert isinstance(plain, FilesCorpus) and plain.paths == str(tmp_path / "mail/*.txt")
    section = corpus("{paths: mail.csv, text_field: body, where: {kind: mail}}", "source mail")
    assert isinstance(section, FilesCorpus) and section.paths == str(tmp_path / "mail.csv")
    assert (section.text_field, section.where) == ("body", {"kind": "mail"})
    assert isinstance(corpus("{kind: almanac, text: kjv}", "source kjv"), AlmanacCorpus)


def test_a_folder_that_datasets_saved(tmp_path: Path) -> None:
    datasets.Dataset.from_dict({"text": ["one", "two"]}).save_to_disk(tmp_path / "saved")
    found = corpus(str(tmp_path / "saved"), "source saved")
    assert isinstance(found, DatasetCorpus) and found.path == str(tmp_path / "saved")
    assert [row.text for row in source_of(found).documents()] == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{paths: a.txt, colour: red}", r"source a: colour: unknown key \(got 'red'\)"),
        ("{text_field: body}", "source a: paths: is required"),
        ("{paths: a.txt, heldout: 0.1}", "source a: heldout: all of it is read; leave it away"),
        ("{kind: noise}", "source a: kind 'noise' is derived or made up; give text that is read"),
        ("{kind: nonsense}", r"source a: kind: must be one of files, .* \(got 'nonsense'\)"),
        ("{paths: [", "source a.*"),
    ],
)
def test_a_mistake_is_one_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}$") as caught:
        corpus(text, "source a")
    assert "\n" not in str(caught.value)
