"""Which corpora choose designs, which judge them, which train policies: `families/partition.yaml`, and its check."""

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

import yaml

from curriculum_rl.errors import ConfigError, wrong

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "benchmarks" / "families" / "partition.yaml"
DATA = "$CURRICULUM_RL_DATA/"
Role = Literal["development", "report", "pool"]
ROLES = ("development", "report", "pool")


@dataclass(frozen=True)
class Entry:
    """Corpora that have one role.

    Attributes:
        role: what they are for.
        why: the reason, one line.
        files: relative to the folder of the data; `almanac/NAME` for a text of the almanac.
        where: the rows, by a field's value; all rows where it is empty.
        shared: why families of other roles read them all the same; "" where none may.
    """

    role: Role
    why: str
    files: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    shared: str = ""

    def holds(self, where: Mapping[str, Any]) -> bool:
        """Whether rows that a corpus keeps by `where` may be of these."""
        return all(str(where.get(name, value)) == value for name, value in self.where.items())


@dataclass(frozen=True)
class Partition:
    """All corpora in reach and all families.

    Attributes:
        entries: of the corpora.
        families: paths of environment files by role, relative to the checkout.
        no_text: patterns of files that are no corpora.
    """

    entries: tuple[Entry, ...]
    families: Mapping[str, tuple[str, ...]]
    no_text: tuple[str, ...]

    def of(self, section: Mapping[str, Any]) -> list[tuple[str, Entry]]:
        """The files that a section of `corpora` reads, each with its entry.

        Raises:
            ConfigError: where a pattern names no file of the partition.
        """
        found: list[tuple[str, Entry]] = []
        for pattern in _patterns(section):
            matched = [
                (file, entry)
                for entry in self.entries
                for file in entry.files
                if fnmatch(file, pattern) and entry.holds(section.get("where", {}))
            ]
            if not matched:
                raise wrong("partition", pattern, "a file that has a role")
            found += matched
        return found


def read(file: Path = FILE) -> Partition:
    """Read a partition.

    Raises:
        ConfigError: where a role is none, or an entry has no reason.
    """
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    entries = tuple(Entry(**{**entry, "files": tuple(entry["files"])}) for entry in content["corpora"])
    for entry in entries:
        if entry.role not in ROLES:
            raise wrong("role", entry.role, f"one of {', '.join(ROLES)}")
        if not entry.why:
            raise wrong("why", entry.why, f"the reason of {entry.files[0]}")
    families = {role: tuple(names) for role, names in content["families"].items()}
    return Partition(entries, families, tuple(content["no_text"]))


def corpora(family: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The sections of an environment file that are read, with their names; the target's own is "target"."""
    content = yaml.safe_load((ROOT / family).read_text(encoding="utf-8"))
    own = content["target"]["corpus"]
    named = dict(content["corpora"])
    if not isinstance(own, str):
        named["target"] = own
    for name, section in named.items():
        if section.get("kind") not in ("noise", "shuffled", "copy", "small"):
            yield name, section


def target(family: str) -> Mapping[str, Any]:
    """The section of the target's corpus."""
    content = yaml.safe_load((ROOT / family).read_text(encoding="utf-8"))
    corpus = content["target"]["corpus"]
    section: Mapping[str, Any] = content["corpora"][corpus] if isinstance(corpus, str) else corpus
    return section


def mistakes(partition: Partition) -> list[str]:
    """What is wrong with roles, a line each; nothing of the data is read."""
    found = [*_twice(partition.entries)]
    for role, families in partition.families.items():
        for family in families:
            found += _of_family(partition, role, family)
    burnt = {
        (file, tuple(entry.where.items()))
        for family in partition.families["development"]
        for _, section in corpora(family)
        for file, entry in partition.of(section)
    }
    for family in partition.families["report"]:
        for file, entry in partition.of(target(family)):
            if (file, tuple(entry.where.items())) in burnt:
                found.append(f"{family}: its target, {file}, has been in a development family")
    return found


def unassigned(partition: Partition, data: Path) -> list[str]:
    """What has no role, a line each: files of the data folder, and rows of a file that is divided by a field."""
    files = [file.relative_to(data).as_posix() for file in sorted(data.rglob("*")) if file.is_file()]
    named = {file for entry in partition.entries for file in entry.files}
    found = [file for file in files if file not in named and not any(fnmatch(file, one) for one in partition.no_text)]
    found += [f"{file} is not there" for file in sorted(named - {*files}) if not file.startswith("almanac/")]
    divided = {file: entry.where for entry in partition.entries if entry.where for file in entry.files}
    for file, where in divided.items():
        for row in _rows(data / file):
            if not any(file in entry.files and entry.holds(row) for entry in partition.entries):
                found.append(f"{file}: a row whose {', '.join(where)} is {[row[name] for name in where]}")
                break
    return found


def _of_family(partition: Partition, role: str, family: str) -> Iterator[str]:
    for name, section in corpora(family):
        try:
            read_files = partition.of(section)
        except ConfigError as error:
            yield f"{family}: {name}: {error}"
            continue
        for file, entry in read_files:
            if entry.role != role and not entry.shared:
                yield f"{family}: {name} reads {file}, whose role is {entry.role}"


def _twice(entries: Sequence[Entry]) -> Iterator[str]:
    """Files of two entries that could hold the same row."""
    for number, entry in enumerate(entries):
        for other in entries[:number]:
            for file in sorted({*entry.files} & {*other.files}):
                if entry.holds(other.where):
                    yield f"{file} has two roles or two reasons"


def _patterns(section: Mapping[str, Any]) -> list[str]:
    """What a section reads: files below the folder of the data, or a text of the almanac."""
    if section.get("kind") == "almanac":
        return [f"almanac/{section['text']}"]
    paths = section["paths"]
    return [path.removeprefix(DATA) for path in ([paths] if isinstance(paths, str) else paths)]


def _rows(file: Path) -> Iterator[Mapping[str, Any]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)
