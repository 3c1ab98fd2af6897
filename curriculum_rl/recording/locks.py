"""One process at a time writes a directory: a lock that ends with its holder, however that ends."""

import json
import os
import socket
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from filelock import FileLock, Timeout

from curriculum_rl.errors import ConfigError
from curriculum_rl.schema import files

LOCK = ".lock"
"""The file in a directory that its writer has locked; what it says is for people, the lock is the system's."""


class DirectoryLock:
    """The right to write a directory; a context manager, once per object.

    The system gives the lock back when the process ends, also when it is killed; the file stays, and says nothing then.

    Args:
        directory: which must exist.
        wait: seconds to wait for a holder that is about to end.
    """

    def __init__(self, directory: Path, *, wait: float = 0.0) -> None:
        self._directory = directory
        self._file = directory.absolute() / LOCK
        self._wait = wait
        self._lock = FileLock(self._file)

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            ConfigError: where somebody else has it, in this process or another.
            OSError: where the directory cannot be written.
        """
        try:
            self._lock.acquire(timeout=self._wait)
        except Timeout:
            raise ConfigError(
                f"{self._directory} is being written by {self._holder()}; wait for it, or stop it"
            ) from None
        now = datetime.now(UTC).isoformat(timespec="seconds")
        said = {"pid": os.getpid(), "host": socket.gethostname(), "since": now}
        self._file.write_text(json.dumps(said) + "\n", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        try:
            os.truncate(self._file, 0)
        finally:
            self._lock.release()

    def _holder(self) -> str:
        """Who has the lock, as far as its file says."""
        try:
            said = files.read_json(self._file, LOCK)
            return f"process {said['pid']} on {said['host']}, since {said['since']}"
        except (ConfigError, KeyError, TypeError):
            return "another process"
