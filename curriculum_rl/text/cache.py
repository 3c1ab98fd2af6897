"""A directory of things that are slow to make, keyed by content and checked by sha256 before use."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from curriculum_rl.durable import sha256
from curriculum_rl.errors import ConfigError

MANIFEST = "manifest.json"


class Cache:
    """Entries, each a directory of files with a manifest of their sha256.

    Several processes may use one cache at once: an entry is built by one of them under a lock, moved into place in one
    step, and every process verifies every file before its first use. A damaged entry is built again.
    """

    def __init__(self, root: Path | None = None) -> None:
        """Opens a cache; nothing is written before the first entry.

        Args:
            root: Its directory; by default $CURRICULUM_RL_CACHE, else ~/.cache/curriculum_rl.
        """
        default = os.environ.get("CURRICULUM_RL_CACHE") or Path.home() / ".cache" / "curriculum_rl"
        self.root = Path(root if root is not None else default).expanduser().absolute()
        self._verified: set[str] = set()

    def entry(self, key: str, build: Callable[[Path], None]) -> Path:
        """The directory of an entry, built if it is missing or damaged.

        Args:
            key: Names the content: a file name, in practice a sha256 in hexadecimal.
            build: Writes the entry's files into the empty directory that it is given.

        Returns:
            A directory whose files were verified in this process; treat it as read-only.

        Raises:
            ConfigError: The cache cannot be written.
        """
        path = self.root / key
        if key in self._verified or self._verify(key):
            return path
        self._make_root()
        with FileLock(self.root / f".{key}.lock"):
            if not self._verify(key):  # another process may have built it while this one waited
                self._build(path, build)
                self._verified.add(key)
        return path

    def _verify(self, key: str) -> bool:
        intact = _intact(self.root / key)
        if intact:
            self._verified.add(key)
        return intact

    def _build(self, path: Path, build: Callable[[Path], None]) -> None:
        """Builds beside the entry's place and moves the result there; the caller holds the entry's lock."""
        draft, damaged = (path.with_name(f".{path.name}.{what}") for what in ("draft", "damaged"))
        for leftover in (draft, damaged):  # of a process that was killed; nobody else works on them under the lock
            shutil.rmtree(leftover, ignore_errors=True)
        draft.mkdir()
        try:
            build(draft)
            _write_manifest(draft)
            if path.exists():
                path.replace(damaged)
            draft.replace(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            shutil.rmtree(damaged, ignore_errors=True)

    def _make_root(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"CURRICULUM_RL_CACHE: cannot write the cache directory {self.root}: {error.strerror}"
            raise ConfigError(message) from error


def checksums(entry: Path) -> dict[str, str]:
    """The sha256 of each file of an entry, by its path inside the entry, as its manifest states them."""
    files = json.loads((entry / MANIFEST).read_text(encoding="utf-8"))["files"]
    return {str(name): str(digest) for name, digest in files.items()}


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file() and path != directory / MANIFEST)


def _write_manifest(directory: Path) -> None:
    digests = {path.relative_to(directory).as_posix(): sha256(path) for path in _files(directory)}
    (directory / MANIFEST).write_text(json.dumps({"files": digests}, indent=1), encoding="utf-8")


def _intact(directory: Path) -> bool:
    """Whether the directory holds exactly the files of its manifest, each with its sha256."""
    try:
        expected = checksums(directory)
        found = {path.relative_to(directory).as_posix(): sha256(path) for path in _files(directory)}
    # No entry, or a manifest that is damaged itself.
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return False
    return expected == found
